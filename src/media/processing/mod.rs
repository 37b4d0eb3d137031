//! What is done to the microphone's sound before calls get it, and what is noticed in it. Sans-IO:
//! frames in, frames out, no clock.
//!
//! ```text
//! speaker: all calls and tones, mixed ------------------+--------------> sound card
//!                                                       v
//! microphone -> watch -> high-pass -> bands -> echo -> noise -> joined -> gain -> calls
//!              (silent?)                                                       \-> talking while muted?
//! ```
//!
//! There is one of each for the phone: it has one microphone and one speaker. A file, the null device
//! and an echo are not processed. What is off costs nothing.
//!
//! | part | adds |
//! |---|---|
//! | high-pass, gain | 0 ms |
//! | bands, when echo or noise is worked on | 1 ms |
//! | echo cancellation | 6 ms |
//! | noise suppression | 6 ms |
//!
//! Nothing allocates once it is chosen, but echo cancellation: the crate clears some 5 KB of scratch
//! memory for each 4 ms and gives it back at once.

mod bands;
mod choice;
mod echo;
mod gain;
mod muted;
mod noise;
mod voice;
mod watch;

#[cfg(test)]
pub(super) mod acoustics;
#[cfg(test)]
mod tests;

pub use choice::{NoiseSuppression, Processing};
pub use muted::{Echo, MutedTalk};
pub use voice::VoiceProcessor;
pub use watch::{MicrophoneState, MicrophoneWatch};
