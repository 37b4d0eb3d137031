//! Which parts of the processing are on.

/// What is done to the microphone's sound before calls get it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Processing {
    /// The far end's voice, which the microphone hears from the speaker, is taken out.
    pub echo_cancellation: bool,
    /// Steady noise, such as a fan, is lowered.
    pub noise_suppression: NoiseSuppression,
    /// A voice that is too soft is raised, slowly.
    pub gain_control: bool,
    /// What is below the voice, such as hum and rumble, is taken out.
    pub high_pass: bool,
}

/// How far steady noise is lowered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NoiseSuppression {
    /// Not at all.
    #[default]
    Off,
    /// By about 6 dB, which hardly changes the voice.
    Light,
    /// By about 18 dB.
    Full,
}

impl Processing {
    /// Nothing is done.
    pub const OFF: Self = Self {
        echo_cancellation: false,
        noise_suppression: NoiseSuppression::Off,
        gain_control: false,
        high_pass: false,
    };
    /// For a headset, whose microphone does not hear its speaker.
    pub const HEADSET: Self = Self {
        noise_suppression: NoiseSuppression::Light,
        high_pass: true,
        ..Self::OFF
    };
    /// For a loudspeaker and a microphone in one room.
    pub const SPEAKER: Self = Self {
        echo_cancellation: true,
        noise_suppression: NoiseSuppression::Full,
        gain_control: true,
        high_pass: true,
    };
}
