//! A recording that is played by itself, without the engine.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{anyhow, bail};
use tokio::sync::mpsc;

use crate::app::player::files::{self, Found};
use crate::base::id::CallId;
use crate::media::wav::WavFile;
use crate::media::{
    DeviceChoice, Devices, MediaCommand, MediaEngine, MediaEvent, PlayerNews, PlayerOrder,
};

/// Tidings of the sound thread that may wait.
const EVENTS: usize = 64;

/// A recording and how it is heard.
#[derive(Debug)]
pub struct PlayedAlone {
    /// The call.
    pub call: CallId,
    /// What its row names: a file or an address.
    pub recording: Option<String>,
    /// The folder of recordings.
    pub folder: PathBuf,
    /// The folder for what is fetched.
    pub fetched: PathBuf,
    /// The devices, of which only the speaker is opened.
    pub devices: Devices,
}

impl PlayedAlone {
    /// Plays it to its end; gives its length. Without a speaker it takes the same time in silence.
    ///
    /// # Errors
    ///
    /// Fails with a sentence when there is none, or it cannot be fetched, read or played.
    pub async fn play(self, from: Duration, speed: u32) -> anyhow::Result<Duration> {
        let found = files::find(self.recording.as_deref(), &self.folder);
        // What is fetched goes at the end.
        let (path, _fetched) = match found.map_err(|why| anyhow!(why))? {
            Found::None => bail!("the call has no recording"),
            Found::File(path) => (path, None),
            Found::Web { address, .. } => {
                let look = |_got, _whole| {};
                let fetched = files::fetch(&address, &self.fetched, self.call, look).await;
                let fetched = fetched.map_err(|why| anyhow!(why))?;
                (fetched.path().to_owned(), Some(fetched))
            }
        };
        let head = path.clone();
        let opened = tokio::task::spawn_blocking(move || WavFile::open(&head)).await?;
        let length = opened
            .map_err(|why| files::told(&why, &path))
            .map_err(|why| anyhow!(why))?;
        let length = length.head().length();
        let devices = Devices {
            microphone: DeviceChoice::Null,
            ringer: DeviceChoice::Null,
            ..self.devices
        };
        let (outlet, mut events) = mpsc::channel(EVENTS);
        let mut media = MediaEngine::start(devices, outlet)?;
        media.send(MediaCommand::Player(PlayerOrder::Play {
            path,
            from,
            speed,
        }))?;
        loop {
            match events.recv().await {
                Some(MediaEvent::Player(PlayerNews::Ended)) => return Ok(length),
                Some(MediaEvent::Player(PlayerNews::Failed(why))) => bail!(why),
                Some(MediaEvent::Device {
                    problem: Some(problem),
                    ..
                }) => tracing::warn!("{problem}"),
                Some(_) => {}
                None => bail!("the sound thread has ended"),
            }
        }
    }
}
