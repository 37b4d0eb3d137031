//! Where sound comes from and goes to: sound cards, the null device, files.
//!
//! ```text
//! media thread:  SoundCards --- orders ---> opener thread, which owns the streams
//!                   |  ^------ reports ---------|
//!                   |  ring <- callback <- microphone
//!                   +> ring -> callback -> speaker, ringer
//! ```
//!
//! Opening a card may take seconds, so a thread of its own does that; a callback of the sound
//! system only moves samples through a lock-free ring. Where there is no card, or the feature
//! `audio` is off, the null device stands in: silence in, nothing out, driven by the timer.

mod cards;
mod clock_rule;
mod ends;
pub mod file;
mod leaving;
mod opener;
mod phase;
mod reserve;
mod role;

#[cfg(feature = "audio")]
mod callbacks;
#[cfg(feature = "audio")]
mod card;
#[cfg(not(feature = "audio"))]
#[path = "no_card.rs"]
mod card;

pub use cards::SoundCards;
pub(super) use ends::BACKLOG_FRAMES;
pub use ends::{MicrophoneEnd, SpeakerEnd};
pub use reserve::Asked;

/// Names of the microphones and speakers that exist now.
pub fn list() -> (Vec<String>, Vec<String>) {
    card::list().unwrap_or_default()
}
