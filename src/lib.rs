//! Ringdesk: a desktop SIP phone with a CRM inside.
//!
//! # Crate map
//!
//! Each module is a room; `tests/layers.rs` holds the table of who may import whom.
//!
//! | room | what lives there |
//! |---|---|
//! | [`base`] | ids, clock, randomness, phone numbers, URIs, dial plan, flows, redaction |
//! | [`config`] | accounts, settings, paths, secrets |
//! | [`sdp`] | session descriptions, offer and answer; pure |
//! | [`sip`] | messages, transactions, dialogs, user agent; sans-IO |
//! | [`presence`] | dialog state, presence and waiting messages of others: readers; pure |
//! | [`net`] | sockets, name resolution, route lookup |
//! | [`media`] | RTP, jitter buffer, codecs, devices, recorder |
//! | [`call`] | one call: SIP, offer/answer and media plan together; sans-IO |
//! | [`crm`] | the SQLite store, caller identification, search |
//! | [`control`] | commands, events, snapshot: the engine's face |
//! | [`app`] | the engine, which routes between all of the above |
//! | `desktop` | notifications, tray, players, keys, sleep, menu entry (feature `gui`, Linux) |
//! | [`lab`] | registrar and test peers on loopback |
//! | `ui` | the window (feature `gui`) |
//! | [`cli`] | arguments, headless mode, links, single instance |
//!
//! # Threads
//!
//! The engine is one tokio task; sockets are tasks that move bytes and decide nothing. Media runs
//! on its own thread in steps of 10 ms, each recording on another. The store has a writer thread, a
//! reader for pages, one for callers, who never wait behind a search, and one for long reads in short
//! pieces. The window is on the main thread.
//!
//! # The drain rule
//!
//! Sans-IO types take input by `handle_*` and give output by `poll_*`. After each input the caller
//! drains every `poll_*` until it is empty, and only then reads `poll_timeout`.

pub mod app;
pub mod base;
pub mod call;
pub mod cli;
pub mod config;
pub mod control;
pub mod crm;
#[cfg(all(feature = "gui", target_os = "linux"))]
pub mod desktop;
pub mod lab;
pub mod media;
pub mod net;
pub mod presence;
pub mod sdp;
pub mod sip;
#[cfg(feature = "gui")]
pub mod ui;
