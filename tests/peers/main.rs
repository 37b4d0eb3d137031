//! The real binary against programs that we did not write: SIPp, Kamailio, baresip, linphone, aiortc,
//! coturn, a window under Xvfb, and damaged surroundings.
//!
//! `make test` installs the other programs. Everything runs on loopback with ports and folders of
//! its own. `RINGDESK_BINARY` names another build of the phone to test.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may end where it fails"
)]
#![expect(clippy::print_stdout, reason = "the seed of a random test is printed")]
#![expect(clippy::disallowed_methods, reason = "these tests run in real time")]
#![expect(
    clippy::indexing_slicing,
    reason = "an index out of bounds fails the test, as it should"
)]

#[cfg(all(feature = "gui", target_os = "linux"))]
mod accessible;
mod aiortc;
mod around_calls;
mod audio;
mod bad_input;
mod baresip;
mod between;
mod call_waiting;
mod calls_in;
mod calls_out;
mod certificates;
mod conference;
mod conversation;
mod coturn;
mod countries;
mod crowd;
#[cfg(feature = "gui")]
mod damaged_start;
mod data_care;
mod datagrams;
mod desk;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod desktop_bus;
#[cfg(all(feature = "audio", target_os = "linux"))]
mod early_media;
mod encrypted;
mod exports;
mod forks;
mod hold_music;
mod holds;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod installed;
mod ipv6;
mod junit;
mod kamailio;
mod killed;
mod lab;
mod linphone;
mod locks;
mod many_calls;
mod moves;
mod names;
mod namespace;
mod on_answer;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod on_desktop;
mod one_way;
mod phone;
mod place;
mod played;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod played_by_keys;
mod policy;
mod popups;
mod random;
mod recordings;
mod redirections;
mod registering;
mod registrars;
mod scenarios;
#[cfg(feature = "gui")]
#[expect(
    dead_code,
    reason = "the measurements of the window do more on a display"
)]
mod screen;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod screen_reader;
mod secured_domain;
mod secured_linphone;
mod service_route;
mod session;
mod set_up;
mod several_calls;
mod sipp;
#[cfg(all(feature = "audio", target_os = "linux"))]
#[path = "../sound_world/server.rs"]
mod sound_server;
mod subscriptions;
mod through_aiortc;
mod through_baresip;
mod through_dns;
mod through_ice;
mod through_kamailio;
mod through_linphone;
mod tones;
mod torture;
mod trace;
mod transfers;
mod walks;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod wayland;
mod who;
#[cfg(feature = "gui")]
mod window;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod window_call;
