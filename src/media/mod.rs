//! Sound: RTP, jitter buffer, codecs, devices, recorder.
//!
//! ```text
//! out: microphone callback -> ring -> processing -+
//!                                  file -> player +-> tick -> session: mute -> codec -> RTP -> ICE -> socket
//!                            far end (echo source)+    |       |
//!                     hold music, in place of these ---+       +-> recorder (left; silence while music plays)
//! in:  socket -> ICE -> session: latch -> RTP -> jitter buffer -> codec | DRED | FEC | concealment
//!        -> tick -> mixer (+ tone) -> ring -> speaker callback
//!             |         +-> processing, which takes it out of the microphone
//!             +-> recorder (right)
//! ```
//!
//! One thread, the worker, does all of it in steps of 10 ms; with many calls a second one takes its
//! share of those that the devices do not belong to (`second_thread`). What may take longer (opening a
//! sound card, reading a file, writing a recording) has threads of its own. `session`, `jitter` and
//! `processing` are sans-IO.

pub mod call_recording;
pub mod codec;
pub mod command;
pub mod device;
pub mod dropped;
pub mod dtmf;
pub mod emodel;
pub mod engine;
pub mod frame;
pub mod gap;
pub mod glide;
mod high_pass;
pub mod hold_music;
pub mod jitter;
pub mod level;
pub mod one_way;
pub mod outgoing;
mod outlet;
pub mod overview;
pub mod playback;
pub mod processing;
pub mod quality;
pub mod rate;
pub mod recorder;
pub mod resample;
pub mod rtcp;
pub mod rtcp_xr;
pub mod rtp;
pub mod session;
pub mod sound_test;
pub mod statistics;
pub mod steering;
pub mod tone;
pub mod transport;
pub mod volume;
pub mod wav;

mod chirp;
mod conference;
mod feed;
mod incoming;
mod keyed_port;
mod leg;
mod microphone;
mod mixer;
mod news;
mod pacer;
mod protection;
mod recorded;
mod second_thread;
mod seed;
mod sockets;
mod worker;

#[cfg(test)]
mod simulation;

pub use command::*;
pub use engine::{MediaEngine, devices};

/// Lets tests assert that real-time code does not allocate.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
