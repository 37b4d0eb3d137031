//! The test of the sound devices, and how loud they are.

/// What is tested; never while there is a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundCheck {
    /// Levels are shown.
    Listen,
    /// Three seconds are recorded and played.
    Record,
    /// The way from the speaker to the microphone is measured.
    Latency,
    /// The ringer rings once.
    Ring,
}

/// What a test does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundCheckStage {
    /// It waits for the devices.
    Opening,
    /// It records.
    Recording,
    /// It plays what was recorded.
    Playing,
    /// It listens for chirps.
    Measuring,
    /// It rings.
    Ringing,
}

/// How long sound takes from the speaker to the microphone, with the buffers of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LatencyView {
    /// So many milliseconds.
    Heard(u32),
    /// The microphone does not hear the speaker.
    NotHeard,
}

/// How loud something is, in whole decibels of the full scale: 0 is the loudest, [`QUIETEST`] silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelView {
    /// The loudest moment.
    pub peak: i8,
    /// The mean.
    pub mean: i8,
}

/// What counts as silence, in decibels of the full scale.
pub const QUIETEST: i8 = -60;

/// How loud both devices are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelsView {
    /// What the microphone gives.
    pub microphone: LevelView,
    /// What the speaker plays.
    pub speaker: LevelView,
}

/// The test of the devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SoundCheckView {
    /// Whether there is a test, or levels are shown for one.
    pub on: bool,
    /// What it does now.
    pub stage: Option<SoundCheckStage>,
    /// What was measured last.
    pub latency: Option<LatencyView>,
    /// Whether it ended for want of a microphone.
    pub no_microphone: bool,
    /// How loud the devices are: in a test, and in a call that is talked.
    pub levels: Option<LevelsView>,
}
