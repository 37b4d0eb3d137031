//! The player of recordings, as the agent asks for it and as it shows itself.

use std::sync::Arc;
use std::time::Duration;

use crate::base::id::CallId;
use crate::crm::row::RecordingGap;

/// Speeds to choose from, in percent of the speed in which it was said.
pub const PLAYER_SPEEDS: [u32; 5] = [75, 100, 125, 150, 200];

/// What the agent asks of the player.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlayerWish {
    /// Show a call's recording in place of the one that is shown.
    Open {
        /// The call.
        call: CallId,
        /// Whether it is played as soon as that is possible. One that a server keeps is fetched for that.
        play: bool,
    },
    /// Play it from where it stands, at the end from its beginning.
    Play,
    /// Stop playing.
    Pause,
    /// Go to that time.
    Seek(Duration),
    /// Play so fast, in percent.
    Speed(u32),
    /// Play so loud, in percent.
    Volume(u32),
    /// Show none any more.
    Close,
}

/// A recording that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerView {
    /// Of which call.
    pub call: CallId,
    /// Where it stands.
    pub stage: PlayerStage,
    /// The time in it that is played next.
    pub at: Duration,
    /// How long it is; 0 until that is known.
    pub length: Duration,
    /// In percent.
    pub speed: u32,
    /// In percent.
    pub volume: u32,
    /// How loud both sides are, as far as that is known.
    pub waveform: Option<WaveformView>,
    /// Gaps that its file marks.
    pub gaps: Vec<RecordingGap>,
    /// Something to know: why it stopped, or that its end is missing.
    pub note: Option<String>,
}

/// Where a recording stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlayerStage {
    /// It is looked for.
    Loading,
    /// The call has none.
    None,
    /// A server keeps it.
    Remote {
        /// Which.
        host: String,
        /// Why it could not be fetched, where that was tried.
        problem: Option<String>,
    },
    /// It is being fetched.
    Fetching {
        /// From where.
        host: String,
        /// So many octets are there.
        got: u64,
        /// Of so many, where the server says so.
        whole: Option<u64>,
    },
    /// It can be played.
    Paused,
    /// It is heard.
    Playing,
    /// It cannot be heard; what is wrong and what to do.
    Failed(String),
}

impl PlayerStage {
    /// Whether it is being fetched.
    pub fn fetches(&self) -> bool {
        matches!(self, Self::Fetching { .. })
    }
}

/// How loud the sides of a recording are by time: equal parts of its length, 255 for the full scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaveformView {
    /// How many parts there are; those behind the known ones are still being read.
    pub parts: usize,
    /// The own side.
    pub near: Arc<[u8]>,
    /// The far end; empty where one channel holds both.
    pub far: Arc<[u8]>,
}
