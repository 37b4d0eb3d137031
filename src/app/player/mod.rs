//! The player of recordings: what it needs from the store, from files, from servers and from the sound
//! thread, each beside the engine.

mod alone;
mod deck;
mod files;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

pub use alone::PlayedAlone;
pub(super) use deck::Deck;
use deck::Step;
use files::{FetchedFile, Found, Head, Waveforms};
pub(super) use files::{check_named, gap_row};

use crate::app::engine::{Engine, Internal};
use crate::app::live_call::LiveCall;
use crate::base::clock;
use crate::base::id::CallId;
use crate::control::{PlayerView, PlayerWish, WaveformView};
use crate::media::{MediaCommand, PlayerNews, PlayerOrder};

/// How much was fetched is told so often at most.
const PROGRESS: Duration = Duration::from_millis(100);
/// Why nothing is played in a call.
const IN_CALL: &str = "a call has the speaker; play the recording after it";
/// Why it stopped.
const RINGS: &str = "stopped, because a call came";
const BEGAN: &str = "stopped, because a call began";
const TESTED: &str = "stopped, because the sound devices are tested";

/// The player, with what it keeps beside what is shown.
#[derive(Default)]
pub(super) struct Player {
    deck: Deck,
    waveforms: Waveforms,
    /// The request that is waited for, for who reads: what nobody waits for is read no further.
    awaited: Arc<AtomicU64>,
    /// What is being fetched; it ends when nobody waits for it any more.
    fetching: Option<AbortHandle>,
}

impl Player {
    /// How it shows itself.
    pub(super) fn view(&self) -> Option<PlayerView> {
        self.deck.view()
    }
}

/// What was done for the player.
#[derive(Debug)]
pub(super) enum PlayerTidings {
    /// Where the recording is.
    Found(u64, Result<Found, String>),
    /// What its head says.
    Head(u64, Result<Head, String>),
    /// How loud it is, as far as that is known.
    Waveform(u64, WaveformView),
    /// So much of it was fetched.
    Fetching(u64, u64, Option<u64>),
    /// It was fetched.
    Fetched(u64, Result<FetchedFile, String>),
}

impl Engine {
    /// Does what the agent asks of the player.
    pub(super) fn wish_player(&mut self, wish: PlayerWish) {
        let steps = self.player.deck.wish(wish, self.player_is_kept());
        self.take_steps(steps);
    }

    /// Takes what was done for the player.
    pub(super) fn handle_player(&mut self, tidings: PlayerTidings) {
        let busy = self.player_is_kept();
        let deck = &mut self.player.deck;
        let steps = match tidings {
            PlayerTidings::Found(request, found) => deck.handle_found(request, found),
            PlayerTidings::Head(request, head) => deck.handle_head(request, head, busy),
            PlayerTidings::Waveform(request, waveform) => {
                deck.handle_waveform(request, waveform);
                return;
            }
            PlayerTidings::Fetching(request, got, whole) => {
                deck.handle_fetching(request, got, whole);
                return;
            }
            PlayerTidings::Fetched(request, fetched) => deck.handle_fetched(request, fetched),
        };
        self.take_steps(steps);
    }

    /// Takes how playing goes.
    pub(super) fn handle_played(&mut self, news: PlayerNews) {
        let more = self.player.deck.handle_news(news);
        self.dirty |= more;
        // The time alone makes no window think that anything else changed.
        self.published.louder |= !more;
    }

    /// Lets calls have the speaker.
    pub(super) fn make_way_for_calls(&mut self) {
        if !self.player.deck.plays() {
            return;
        }
        let rings = self.calls.values().any(LiveCall::rings_here);
        let why = if rings {
            RINGS
        } else if self.calls.values().any(LiveCall::engages) {
            BEGAN
        } else {
            return;
        };
        let steps = self.player.deck.silence(why);
        self.take_steps(steps);
    }

    /// Lets the test of the devices have the speaker.
    pub(super) fn make_way_for_test(&mut self) {
        let steps = self.player.deck.silence(TESTED);
        self.take_steps(steps);
    }

    /// Removes what a crash left of fetched recordings.
    pub(super) fn tidy_player(&self) {
        let folder = self.fetched_folder();
        tokio::task::spawn_blocking(move || files::remove_fetched(&folder));
    }

    fn fetched_folder(&self) -> PathBuf {
        self.options.paths.data_dir.join("fetched")
    }

    /// Why nothing can be played now.
    fn player_is_kept(&self) -> Option<&'static str> {
        self.calls
            .values()
            .any(LiveCall::engages)
            .then_some(IN_CALL)
    }

    fn take_steps(&mut self, steps: Vec<Step>) {
        self.dirty |= !steps.is_empty();
        let request = self.player.deck.request();
        self.player.awaited.store(request, Ordering::Relaxed);
        for step in steps {
            match step {
                Step::Find(request, call) => self.find_recording(request, call),
                Step::Read(request, path) => self.read_recording(request, path),
                Step::Fetch(request, address) => self.fetch_recording(request, address),
                Step::Sound(order) => {
                    let plays = matches!(order, PlayerOrder::Play { .. });
                    if plays && self.sound_check.on {
                        self.check_sound(None);
                    }
                    self.sound(MediaCommand::Player(order));
                }
            }
        }
        // What nobody waits for any more needs no network.
        let fetching = self.player.view().is_some_and(|view| view.stage.fetches());
        if let Some(task) = self.player.fetching.take_if(|_| !fetching) {
            task.abort();
        }
    }

    fn find_recording(&self, request: u64, call: CallId) {
        let row = self.store.call(call);
        let folder = self.options.record_dir.clone();
        let internal = self.internal.clone();
        tokio::spawn(async move {
            let named = match row.await {
                Ok(Ok(row)) => Ok(row.and_then(|row| row.recording)),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_closed) => Err("the call log is closed".to_owned()),
            };
            // The folder may be on a network.
            let looked = tokio::task::spawn_blocking(move || {
                named.and_then(|named| files::find(named.as_deref(), &folder))
            });
            if let Ok(found) = looked.await {
                tell(&internal, PlayerTidings::Found(request, found)).await;
            }
        });
    }

    fn read_recording(&self, request: u64, path: PathBuf) {
        let waveforms = self.player.waveforms.clone();
        let awaited = Arc::clone(&self.player.awaited);
        let internal = self.internal.clone();
        tokio::task::spawn_blocking(move || {
            let send = |tidings| {
                let told = internal.blocking_send(Internal::Player(tidings)).is_ok();
                told && awaited.load(Ordering::Relaxed) == request
            };
            files::read(
                &path,
                &waveforms,
                |head| send(PlayerTidings::Head(request, head)),
                |waveform| send(PlayerTidings::Waveform(request, waveform)),
            );
        });
    }

    fn fetch_recording(&mut self, request: u64, address: String) {
        let Some(call) = self.player.view().map(|view| view.call) else {
            return;
        };
        let folder = self.fetched_folder();
        let internal = self.internal.clone();
        let task = tokio::spawn(async move {
            let mut told: Option<Instant> = None;
            let look = |got, whole| {
                let now = clock::monotonic_now();
                if told.is_none_or(|told| now >= told + PROGRESS) {
                    told = Some(now);
                    let tidings = PlayerTidings::Fetching(request, got, whole);
                    // The next one says more.
                    drop(internal.try_send(Internal::Player(tidings)));
                }
            };
            let fetched = files::fetch(&address, &folder, call, look).await;
            tell(&internal, PlayerTidings::Fetched(request, fetched)).await;
        });
        self.player.fetching = Some(task.abort_handle());
    }
}

async fn tell(internal: &mpsc::Sender<Internal>, tidings: PlayerTidings) {
    drop(internal.send(Internal::Player(tidings)).await);
}
