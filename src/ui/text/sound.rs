//! The texts about a call's sound: how good it is, and why one side is not heard.

use crate::ui::locale;

pub(crate) const SOUND_PROBLEM: &str = "Sound problem";
pub(crate) const UNKNOWN: &str = "unknown";
pub(crate) const SOUND_GOOD: &str = "Good";
pub(crate) const SOUND_FAIR: &str = "Fair";
pub(crate) const SOUND_POOR: &str = "Poor";
pub(crate) const SOUND_BAD: &str = "Bad";
pub(crate) const HEARD_HERE: &str = "What you hear";
pub(crate) const HEARD_THERE: &str = "What they hear, by their report";
pub(crate) const LOSS: &str = "Loss";
pub(crate) const LATE: &str = "Too late";
pub(crate) const JITTER: &str = "Jitter";
pub(crate) const BUFFER: &str = "Buffer";
pub(crate) const CONCEALED: &str = "Made up";
pub(crate) const STRETCHED: &str = "Stretched";
pub(crate) const SPEAKER_DRY: &str = "Speaker ran dry";
pub(crate) const HELD_UP: &str = "Held up here";
pub(crate) const ROUND_TRIP: &str = "Round trip";
pub(crate) const SCORE: &str = "Score";
pub(crate) const NO_SOUND_FIGURES: &str = "No figures are kept of this call's sound.";

pub(crate) const REDUNDANCY: &str = "When the network loses words";
pub(crate) const REDUNDANCY_OFF: &str = "Send each sound once";
pub(crate) const REDUNDANCY_BURSTS: &str = "Send it again while the other side misses words";
pub(crate) const REDUNDANCY_ALWAYS: &str = "Always send it again";
pub(crate) const REDUNDANCY_WHY: &str = "With Opus, each packet then carries the last eighth of a second again (DRED), at the cost of some clearness, not of data. Phones that do not know it pass over it. From the next call on.";

/// How good the sound is, for a screen reader.
pub(crate) fn sound_is(word: &str, score: &str) -> String {
    format!("Sound: {word}, score {score}")
}

/// One digit behind the point, as it is written here.
pub(crate) fn decimal(value: f64) -> String {
    locale::current().decimal(value, 1)
}

/// A score with its scale: of 4.5, and marked where it is an estimate.
pub(crate) fn score(mos: f64, wideband: bool, estimate: bool) -> String {
    let scale = if wideband { "wideband" } else { "narrowband" };
    let estimate = if estimate { ", estimate" } else { "" };
    let (mos, best) = (decimal(mos), decimal(4.5));
    format!("{mos} of {best} ({scale}{estimate})")
}

pub(crate) fn percent(share: f64) -> String {
    format!("{} %", decimal(share * 100.0))
}

pub(crate) fn millis(millis: f64) -> String {
    format!("{millis:.0} ms")
}

pub(crate) fn seconds(millis: f64) -> String {
    format!("{} s", decimal(millis / 1e3))
}

pub(crate) fn moments(count: f64) -> String {
    format!("{count:.0} ×")
}

/// A graph, for a screen reader.
pub(crate) fn graph(name: &str, mean: &str, worst: &str) -> String {
    format!("{name} by time: {mean} on average, {worst} at worst")
}

/// The same of what was never measured.
pub(crate) fn unknown_graph(name: &str) -> String {
    format!("{name} by time: {UNKNOWN}")
}

/// The ends of a graph.
pub(crate) fn mean_and_worst(mean: &str, worst: &str) -> String {
    format!("{mean} · worst {worst}")
}
