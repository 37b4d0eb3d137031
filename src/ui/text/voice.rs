//! The texts of what is done to the microphone's sound, and of what is noticed in it.

pub(crate) const VOICE_PROFILE: &str = "I talk with";
pub(crate) const VOICE_PROFILE_WHY: &str = "A change is heard at once, in a call too. Where the sound system or the headset works on the voice itself, choose “Sound as it is”.";
pub(crate) const VOICE_SPEAKER: &str = "Loudspeaker and microphone";
pub(crate) const VOICE_HEADSET: &str = "Headset";
pub(crate) const VOICE_OFF: &str = "Sound as it is";
pub(crate) const ECHO_CANCELLATION: &str = "Take the other side's voice out of my microphone";
pub(crate) const GAIN_CONTROL: &str = "Raise my voice when it is soft";
pub(crate) const HIGH_PASS: &str = "Take out hum and rumble";
pub(crate) const MUTED_HINT: &str = "Tell me when I talk and am muted";
pub(crate) const NOISE_SUPPRESSION: &str = "Steady noise, such as a fan";
pub(crate) const NOISE_OFF: &str = "Leave it";
pub(crate) const NOISE_LIGHT: &str = "Lower it a little";
pub(crate) const NOISE_FULL: &str = "Lower it much";
pub(crate) const MUTED_TALK: &str = "You are muted: nobody hears you.";
