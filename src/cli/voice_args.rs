//! The options of `ringdesk headless` that say what is done to the microphone's sound, and how it is sent.

use clap::{Args, ValueEnum};

use crate::config::voice::{NoiseChoice, VoiceProfile, VoiceSettings};
use crate::config::{RedundancyChoice, Settings};

/// What is done to the sound of a real microphone; a file and the null device are sent as they are.
#[derive(Debug, Args)]
pub(super) struct VoiceArgs {
    /// What a real microphone's sound is made for: a loudspeaker in the room (everything is on), a
    /// headset (a little noise suppression, high-pass), or off.
    #[arg(long, value_enum, value_name = "PROFILE")]
    voice: Option<ProfileArg>,
    /// Take the far end's voice out of the microphone, whatever --voice says.
    #[arg(long, value_enum, value_name = "on|off", hide_possible_values = true)]
    echo_cancellation: Option<SwitchArg>,
    /// Lower steady noise, by about 6 dB or 17 dB.
    #[arg(long, value_enum, value_name = "HOW")]
    noise_suppression: Option<NoiseArg>,
    /// Raise a soft voice, slowly.
    #[arg(long, value_enum, value_name = "on|off", hide_possible_values = true)]
    gain_control: Option<SwitchArg>,
    /// Take out hum and rumble below 100 Hz.
    #[arg(long, value_enum, value_name = "on|off", hide_possible_values = true)]
    high_pass: Option<SwitchArg>,
    /// Tell who talks while muted (on).
    #[arg(long, value_enum, value_name = "on|off", hide_possible_values = true)]
    muted_hint: Option<SwitchArg>,
    /// When each Opus packet carries the last eighth of a second again (DRED): where bursts are lost,
    /// which is the default, never, or always.
    #[arg(long, value_enum, value_name = "WHEN", hide_possible_values = true)]
    redundancy: Option<RedundancyArg>,
}

/// What the agent talks with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ProfileArg {
    /// A loudspeaker and a microphone in one room.
    Speaker,
    /// A headset.
    Headset,
    /// Nothing is done.
    Off,
}

/// How far steady noise is lowered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum NoiseArg {
    /// Not at all.
    Off,
    /// By about 6 dB.
    Light,
    /// By about 17 dB.
    Full,
}

/// When sound is sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RedundancyArg {
    /// Never.
    Off,
    /// Where bursts are lost.
    Bursts,
    /// Always.
    Always,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SwitchArg {
    /// On.
    On,
    /// Off.
    Off,
}

impl VoiceArgs {
    /// Writes what was said over what stands there.
    pub(super) fn apply(&self, settings: &mut Settings) {
        if let Some(redundancy) = self.redundancy {
            settings.redundancy = match redundancy {
                RedundancyArg::Off => RedundancyChoice::Off,
                RedundancyArg::Bursts => RedundancyChoice::Bursts,
                RedundancyArg::Always => RedundancyChoice::Always,
            };
        }
        let voice = &mut settings.voice;
        if let Some(profile) = self.voice {
            *voice = VoiceSettings::of(match profile {
                ProfileArg::Speaker => VoiceProfile::Speaker,
                ProfileArg::Headset => VoiceProfile::Headset,
                ProfileArg::Off => VoiceProfile::Off,
            });
        }
        let mut parts = voice.parts();
        for (said, part) in [
            (self.echo_cancellation, &mut parts.echo_cancellation),
            (self.gain_control, &mut parts.gain_control),
            (self.high_pass, &mut parts.high_pass),
            (self.muted_hint, &mut parts.muted_hint),
        ] {
            *part = said.map_or(*part, |said| said == SwitchArg::On);
        }
        if let Some(noise) = self.noise_suppression {
            parts.noise_suppression = match noise {
                NoiseArg::Off => NoiseChoice::Off,
                NoiseArg::Light => NoiseChoice::Light,
                NoiseArg::Full => NoiseChoice::Full,
            };
        }
        voice.set_parts(parts);
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        voice: VoiceArgs,
    }

    #[test]
    fn a_part_wins_over_the_profile_and_a_profile_over_the_file() {
        let mut settings = Settings {
            voice: VoiceSettings {
                gain_control: Some(true),
                ..VoiceSettings::of(VoiceProfile::Off)
            },
            ..Settings::default()
        };
        Line::parse_from(["ringdesk"]).voice.apply(&mut settings);
        assert!(settings.voice.parts().gain_control, "the file stands");
        Line::parse_from([
            "ringdesk",
            "--voice",
            "headset",
            "--echo-cancellation",
            "on",
        ])
        .voice
        .apply(&mut settings);
        let parts = settings.voice.parts();
        assert!(parts.echo_cancellation && parts.high_pass && !parts.gain_control);
        assert_eq!(parts.noise_suppression, NoiseChoice::Light);
        Line::parse_from([
            "ringdesk",
            "--noise-suppression",
            "off",
            "--high-pass",
            "off",
            "--muted-hint",
            "off",
        ])
        .voice
        .apply(&mut settings);
        let parts = settings.voice.parts();
        assert!(parts.echo_cancellation && !parts.high_pass && !parts.muted_hint);
        assert_eq!(parts.noise_suppression, NoiseChoice::Off);
    }
    #[test]
    fn redundancy_is_as_said_or_as_the_file_says() {
        let mut settings = Settings {
            redundancy: RedundancyChoice::Always,
            ..Settings::default()
        };
        Line::parse_from(["ringdesk"]).voice.apply(&mut settings);
        assert_eq!(settings.redundancy, RedundancyChoice::Always);
        Line::parse_from(["ringdesk", "--redundancy", "off"])
            .voice
            .apply(&mut settings);
        assert_eq!(settings.redundancy, RedundancyChoice::Off);
        let read: Settings = toml::from_str("redundancy = \"bursts\"").unwrap();
        assert_eq!(read.redundancy, RedundancyChoice::Bursts);
    }
}
