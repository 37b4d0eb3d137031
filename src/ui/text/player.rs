//! Words of the player of recordings.

pub(crate) const PLAYER: &str = "Recording";
pub(crate) const PLAYER_LOADING: &str = "Looking for the recording…";
pub(crate) const PLAYER_NONE: &str = "There is no recording any more.";
pub(crate) const PLAYER_PLAY: &str = "Play";
pub(crate) const PLAYER_PAUSE: &str = "Pause";
pub(crate) const PLAYER_BACK: &str = "Back 5 seconds";
pub(crate) const PLAYER_ON: &str = "On 5 seconds";
pub(crate) const PLAYER_POSITION: &str = "Time in the recording";
pub(crate) const PLAYER_VOLUME: &str = "Volume of the recording";
pub(crate) const PLAYER_NEAR: &str = "You";
pub(crate) const PLAYER_BOTH: &str = "Both sides";
pub(crate) const PLAYER_FETCH: &str = "Fetch and play";
pub(crate) const PLAYER_STOP_FETCHING: &str = "Stop fetching";
pub(crate) const PLAYER_AGAIN: &str = "Try again";
pub(crate) const PLAYER_FETCHED: &str = "Fetched so far";
pub(crate) const MARK_PAUSED: &str = "Paused";
pub(crate) const MARK_PAUSED_WHY: &str =
    "The recording was paused, as for card numbers. Nothing said here was kept.";
pub(crate) const MARK_DISK: &str = "Not kept";
pub(crate) const MARK_DISK_WHY: &str =
    "The disk did not keep up. What was said here is missing in the recording only.";
pub(crate) const MARK_NETWORK: &str = "Network loss";
pub(crate) const MARK_NETWORK_WHY: &str =
    "Sound of the far end was lost on its way. You did not hear it either.";
pub(crate) const MARK_STALL: &str = "Held up";
pub(crate) const MARK_STALL_WHY: &str =
    "This computer was too busy. A piece of the call was left out for both sides.";

/// What the icon in a row does.
pub(crate) fn play_recording(who: &str) -> String {
    format!("Play the recording of {who}")
}

/// The length of a call that has a recording.
pub(crate) fn recorded(length: &str) -> String {
    format!("{length}, recorded")
}

/// A time in a recording and how long it is.
pub(crate) fn time_of(at: &str, length: &str) -> String {
    format!("{at} / {length}")
}

/// The same, as it is read out.
pub(crate) fn time_said(at: &str, length: &str, marks: usize) -> String {
    let marks = match marks {
        0 => String::new(),
        1 => ", 1 mark".to_owned(),
        marks => format!(", {marks} marks"),
    };
    format!("{at} of {length}{marks}")
}

/// A speed, such as 1.25, of which several stand side by side.
pub(crate) fn speed(percent: u32) -> String {
    (f64::from(percent) / 100.0).to_string()
}

/// A speed as a button's name.
pub(crate) fn speed_name(percent: u32) -> String {
    format!("Speed {}×", speed(percent))
}

/// A mark: what it is, where it begins and how long it is.
pub(crate) fn mark(what: &str, start: &str, length: Option<&str>) -> String {
    format!("{what} {}", super::gap(start, length))
}

/// Marks that are not listed.
pub(crate) fn more_marks(more: usize) -> String {
    format!("and {more} more, as marked above")
}

/// Who keeps a recording.
pub(crate) fn kept_by(host: &str) -> String {
    format!("{host} keeps this recording. It is fetched to be heard, and removed afterwards.")
}

/// How much of it was fetched.
pub(crate) fn fetched(host: &str, got: u64, whole: Option<u64>) -> String {
    let megabytes = |octets: u64| {
        let tenths = octets.saturating_mul(10) >> 20;
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    let got = megabytes(got);
    match whole {
        Some(whole) => format!("{got} of {} MB from {host}", megabytes(whole)),
        None => format!("{got} MB from {host}"),
    }
}
