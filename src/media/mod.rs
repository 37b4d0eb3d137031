//! Sound: RTP, jitter buffer, codecs, devices, recorder.

pub mod command;
pub mod engine;

pub use command::*;
pub use engine::MediaEngine;
