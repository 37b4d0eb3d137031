//! The texts of volumes, levels and the test of the sound devices.

pub(crate) const MICROPHONE_VOLUME: &str = "Volume of the microphone";
pub(crate) const SPEAKER_VOLUME: &str = "Volume of the speaker";
pub(crate) const RINGER_VOLUME: &str = "Volume of the ring tone";
pub(crate) const MICROPHONE_LEVEL: &str = "Microphone level";
pub(crate) const SPEAKER_LEVEL: &str = "Speaker level";
pub(crate) const LEVELS_WHY: &str = "Speak as in a call: the bar should reach about two thirds. It turns red where the sound is cut.";
pub(crate) const SOUND_CHECK: &str = "Test the sound…";
pub(crate) const SOUND_CHECK_IN_CALL: &str =
    "A call has the sound devices. They can be tested after it.";
pub(crate) const CHECK_RECORD: &str = "Record and play back";
pub(crate) const CHECK_LATENCY: &str = "Measure the delay";
pub(crate) const CHECK_RING: &str = "Ring";
pub(crate) const CHECK_CLOSE: &str = "End the test";
pub(crate) const CHECK_OPENING: &str = "The devices are being opened…";
pub(crate) const CHECK_RECORDING: &str = "Recording: speak for three seconds…";
pub(crate) const CHECK_PLAYING: &str = "This is what others would hear…";
pub(crate) const CHECK_MEASURING: &str = "Listening for the chirps…";
pub(crate) const CHECK_RINGING: &str = "It rings…";
pub(crate) const CHECK_NO_MICROPHONE: &str =
    "There is no microphone: connect one, or choose another one above.";
pub(crate) const LATENCY_WHY: &str = "From the speaker to the microphone, with the buffers of both: what your devices add to each turn of a conversation.";
pub(crate) const LATENCY_MUCH: &str = "That is much: from some 150 ms on people talk into each other. Bluetooth is often the reason, and a cable helps.";
pub(crate) const LATENCY_NOT_HEARD: &str = "The microphone does not hear the speaker, as with a headset; so the delay cannot be measured. Hold them together and try again.";

/// The measured delay.
pub(crate) fn latency(millis: u32) -> String {
    format!("The devices delay sound by {millis} ms.")
}

/// A level, or that nothing is heard.
pub(crate) fn decibels(level: i8, silent: bool) -> String {
    if silent {
        "silent".to_owned()
    } else {
        format!("{level} dB of full scale").replace('-', "−")
    }
}
