//! What is done to the microphone's sound.

use serde::{Deserialize, Serialize};

/// A profile, and where the user wants something else than it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VoiceSettings {
    /// What is done where nothing else is said below.
    pub profile: VoiceProfile,
    /// Whether the far end's voice is taken out of the microphone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub echo_cancellation: Option<bool>,
    /// How far steady noise is lowered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise_suppression: Option<NoiseChoice>,
    /// Whether a soft voice is raised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gain_control: Option<bool>,
    /// Whether hum and rumble are taken out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_pass: Option<bool>,
    /// Whether an agent who talks while muted is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted_hint: Option<bool>,
}

/// What the agent talks with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VoiceProfile {
    /// A loudspeaker and a microphone in one room: everything is on. It does a headset no harm.
    #[default]
    Speaker,
    /// A headset, which hears no echo: noise is lowered a little, hum is taken out.
    Headset,
    /// Nothing is done, such as where the sound system does it.
    Off,
}

/// How far steady noise is lowered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoiseChoice {
    /// Not at all.
    #[default]
    Off,
    /// By about 6 dB.
    Light,
    /// By about 17 dB.
    Full,
}

/// The parts that are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VoiceParts {
    /// The far end's voice is taken out of the microphone.
    pub echo_cancellation: bool,
    /// How far steady noise is lowered.
    pub noise_suppression: NoiseChoice,
    /// A soft voice is raised.
    pub gain_control: bool,
    /// Hum and rumble are taken out.
    pub high_pass: bool,
    /// An agent who talks while muted is told.
    pub muted_hint: bool,
}

impl VoiceProfile {
    /// What it stands for.
    pub fn parts(self) -> VoiceParts {
        VoiceParts {
            echo_cancellation: self == Self::Speaker,
            noise_suppression: match self {
                Self::Speaker => NoiseChoice::Full,
                Self::Headset => NoiseChoice::Light,
                Self::Off => NoiseChoice::Off,
            },
            gain_control: self == Self::Speaker,
            high_pass: self != Self::Off,
            // It changes nothing of the sound.
            muted_hint: true,
        }
    }
}

impl VoiceSettings {
    /// Chooses a profile as it is.
    pub fn of(profile: VoiceProfile) -> Self {
        Self {
            profile,
            ..Self::default()
        }
    }

    /// What is on.
    pub fn parts(&self) -> VoiceParts {
        let usual = self.profile.parts();
        VoiceParts {
            echo_cancellation: self.echo_cancellation.unwrap_or(usual.echo_cancellation),
            noise_suppression: self.noise_suppression.unwrap_or(usual.noise_suppression),
            gain_control: self.gain_control.unwrap_or(usual.gain_control),
            high_pass: self.high_pass.unwrap_or(usual.high_pass),
            muted_hint: self.muted_hint.unwrap_or(usual.muted_hint),
        }
    }

    /// Chooses parts; what the profile says anyway is not written down.
    pub fn set_parts(&mut self, parts: VoiceParts) {
        let usual = self.profile.parts();
        let other = |wanted, usual| (wanted != usual).then_some(wanted);
        self.echo_cancellation = other(parts.echo_cancellation, usual.echo_cancellation);
        self.gain_control = other(parts.gain_control, usual.gain_control);
        self.high_pass = other(parts.high_pass, usual.high_pass);
        self.muted_hint = other(parts.muted_hint, usual.muted_hint);
        self.noise_suppression =
            (parts.noise_suppression != usual.noise_suppression).then_some(parts.noise_suppression);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Settings};

    #[test]
    fn a_part_may_differ_from_its_profile_and_only_that_is_written() {
        let text = "[settings.voice]\nprofile = \"headset\"\ngain_control = true\n";
        let config: Config = toml::from_str(text).unwrap();
        let voice = config.settings.voice;
        let parts = voice.parts();
        assert!(parts.gain_control && parts.high_pass && !parts.echo_cancellation);
        assert_eq!(parts.noise_suppression, NoiseChoice::Light);

        let mut changed = voice;
        changed.set_parts(VoiceParts {
            noise_suppression: NoiseChoice::Full,
            ..VoiceProfile::Headset.parts()
        });
        let settings = Settings {
            voice: changed,
            ..Settings::default()
        };
        let written = toml::to_string(&settings).unwrap();
        let read: Settings = toml::from_str(&written).unwrap();
        assert_eq!(read.voice, changed);
        assert!(
            written.contains("noise_suppression = \"full\""),
            "{written}"
        );
        assert!(!written.contains("gain_control"), "{written}");
    }

    #[test]
    fn without_a_word_a_loudspeaker_is_meant() {
        let parts = Settings::default().voice.parts();
        assert!(parts.echo_cancellation && parts.gain_control && parts.high_pass);
        assert!(VoiceProfile::Off.parts().muted_hint, "it is no processing");
    }
}
