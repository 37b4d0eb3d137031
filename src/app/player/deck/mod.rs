//! What the player of recordings does next; sans-IO.

use std::path::PathBuf;
use std::time::Duration;

use crate::app::player::files::{FetchedFile, Found, Head};
use crate::base::id::CallId;
use crate::control::{PLAYER_SPEEDS, PlayerStage, PlayerView, PlayerWish, WaveformView};
use crate::crm::row::RecordingGap;
use crate::media::{PlayerNews, PlayerOrder};

/// The loudest volume, in percent.
const LOUDEST: u32 = 100;
/// What is told of a recording that was not closed.
const CUT: &str = "the end is missing: the phone stopped, or the file was not copied whole";

/// What is to be done for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// See where a call's recording is.
    Find(u64, CallId),
    /// Read a file's head, and how loud it is.
    Read(u64, PathBuf),
    /// Fetch it from a server.
    Fetch(u64, String),
    /// Ask the sound thread.
    Sound(PlayerOrder),
}

/// The recording that is shown, and how recordings are played.
#[derive(Debug)]
pub(in crate::app) struct Deck {
    shown: Option<Shown>,
    speed: u32,
    volume: u32,
    requests: u64,
}

#[derive(Debug)]
struct Shown {
    call: CallId,
    /// What is told for another one comes too late.
    request: u64,
    stage: PlayerStage,
    /// Whether it is played once it can be.
    wanted: bool,
    at: Duration,
    length: Duration,
    waveform: Option<WaveformView>,
    gaps: Vec<RecordingGap>,
    note: Option<String>,
    file: Option<PathBuf>,
    /// Where a server keeps it.
    address: Option<String>,
    /// It goes when it is shown no more.
    fetched: Option<FetchedFile>,
}

impl Default for Deck {
    fn default() -> Self {
        Self {
            shown: None,
            speed: 100,
            volume: LOUDEST,
            requests: 0,
        }
    }
}

impl Deck {
    /// Does what the agent asks; `busy` says why nothing can be played now.
    pub(super) fn wish(&mut self, wish: PlayerWish, busy: Option<&str>) -> Vec<Step> {
        match wish {
            PlayerWish::Open { call, play } => self.open(call, play, busy),
            PlayerWish::Play => self.play(busy),
            PlayerWish::Pause => self.pause(None),
            PlayerWish::Seek(to) => self.seek(to),
            PlayerWish::Speed(percent) => {
                if PLAYER_SPEEDS.contains(&percent) {
                    self.speed = percent;
                }
                self.sound_again()
            }
            PlayerWish::Volume(percent) => {
                self.volume = percent.min(LOUDEST);
                vec![Step::Sound(PlayerOrder::Volume(self.volume))]
            }
            PlayerWish::Close => {
                let shown = self.shown.take();
                shown.map_or_else(Vec::new, |_| vec![Step::Sound(PlayerOrder::Close)])
            }
        }
    }

    /// Takes where the recording is.
    pub(super) fn handle_found(&mut self, request: u64, found: Result<Found, String>) -> Vec<Step> {
        let Some(shown) = self.of(request) else {
            return Vec::new();
        };
        match found {
            Ok(Found::None) => shown.stage = PlayerStage::None,
            Ok(Found::File(path)) => return vec![Step::Read(request, path)],
            Ok(Found::Web { address, host }) => {
                let wanted = shown.wanted;
                shown.address = Some(address);
                let problem = None;
                shown.stage = PlayerStage::Remote { host, problem };
                if wanted {
                    return shown.fetch();
                }
            }
            Err(why) => shown.stage = PlayerStage::Failed(why),
        }
        Vec::new()
    }

    /// Takes how much of it was fetched.
    pub(super) fn handle_fetching(&mut self, request: u64, now: u64, of: Option<u64>) {
        if let Some(Shown {
            stage: PlayerStage::Fetching { got, whole, .. },
            ..
        }) = self.of(request)
        {
            (*got, *whole) = (now, of);
        }
    }

    /// Takes the file that was fetched.
    pub(super) fn handle_fetched(
        &mut self,
        request: u64,
        fetched: Result<FetchedFile, String>,
    ) -> Vec<Step> {
        let Some(shown) = self.of(request) else {
            return Vec::new();
        };
        let PlayerStage::Fetching { host, .. } = &shown.stage else {
            return Vec::new();
        };
        match fetched {
            Ok(file) => {
                let path = file.path().to_owned();
                shown.fetched = Some(file);
                shown.stage = PlayerStage::Loading;
                vec![Step::Read(request, path)]
            }
            Err(why) => {
                shown.wanted = false;
                shown.stage = PlayerStage::Remote {
                    host: host.clone(),
                    problem: Some(why),
                };
                Vec::new()
            }
        }
    }

    /// Takes the head of a file.
    pub(super) fn handle_head(
        &mut self,
        request: u64,
        head: Result<Head, String>,
        busy: Option<&str>,
    ) -> Vec<Step> {
        let Some(shown) = self.of(request) else {
            return Vec::new();
        };
        match head {
            Ok(head) => {
                shown.stage = PlayerStage::Paused;
                shown.length = head.length;
                shown.gaps = head.gaps;
                shown.note = head.cut.then(|| CUT.to_owned());
                shown.file = Some(head.path);
                if std::mem::take(&mut shown.wanted) {
                    return self.play(busy);
                }
            }
            Err(why) => shown.stage = PlayerStage::Failed(why),
        }
        Vec::new()
    }

    /// Takes how loud it is by time, as far as that is known.
    pub(super) fn handle_waveform(&mut self, request: u64, waveform: WaveformView) {
        if let Some(shown) = self.of(request) {
            shown.waveform = Some(waveform);
        }
    }

    /// Takes how playing goes; gives whether more than the time changed.
    pub(super) fn handle_news(&mut self, news: PlayerNews) -> bool {
        let Some(shown) = &mut self.shown else {
            return false;
        };
        // What the sound thread told before it heard of a pause is of no use.
        if shown.stage != PlayerStage::Playing {
            return false;
        }
        match news {
            PlayerNews::At(at) => {
                shown.at = at.min(shown.length);
                false
            }
            PlayerNews::Ended => {
                shown.at = shown.length;
                shown.stage = PlayerStage::Paused;
                true
            }
            PlayerNews::Failed(why) => {
                shown.stage = PlayerStage::Failed(why);
                true
            }
        }
    }

    /// Stops what is heard, and says why.
    pub(super) fn silence(&mut self, why: &str) -> Vec<Step> {
        if let Some(shown) = &mut self.shown {
            shown.wanted = false;
        }
        if self.plays() {
            self.pause(Some(why.to_owned()))
        } else {
            Vec::new()
        }
    }

    /// Whether it is heard.
    pub(super) fn plays(&self) -> bool {
        let stage = self.shown.as_ref().map(|shown| &shown.stage);
        stage == Some(&PlayerStage::Playing)
    }

    /// What is waited for; 0 for nothing.
    pub(super) fn request(&self) -> u64 {
        self.shown.as_ref().map_or(0, |shown| shown.request)
    }

    /// How it shows itself.
    pub(in crate::app) fn view(&self) -> Option<PlayerView> {
        self.shown.as_ref().map(|shown| PlayerView {
            call: shown.call,
            stage: shown.stage.clone(),
            at: shown.at,
            length: shown.length,
            speed: self.speed,
            volume: self.volume,
            waveform: shown.waveform.clone(),
            gaps: shown.gaps.clone(),
            note: shown.note.clone(),
        })
    }

    fn of(&mut self, request: u64) -> Option<&mut Shown> {
        self.shown.as_mut().filter(|it| it.request == request)
    }

    fn open(&mut self, call: CallId, play: bool, busy: Option<&str>) -> Vec<Step> {
        if self.shown.as_ref().is_some_and(|shown| shown.call == call) {
            return if play { self.play(busy) } else { Vec::new() };
        }
        let mut steps = self.wish(PlayerWish::Close, busy);
        self.requests += 1;
        self.shown = Some(Shown {
            call,
            request: self.requests,
            stage: PlayerStage::Loading,
            wanted: play,
            at: Duration::ZERO,
            length: Duration::ZERO,
            waveform: None,
            gaps: Vec::new(),
            note: None,
            file: None,
            address: None,
            fetched: None,
        });
        steps.push(Step::Find(self.requests, call));
        steps
    }

    fn play(&mut self, busy: Option<&str>) -> Vec<Step> {
        let Some(shown) = &mut self.shown else {
            return Vec::new();
        };
        match shown.stage {
            PlayerStage::Loading | PlayerStage::Fetching { .. } => shown.wanted = true,
            PlayerStage::Remote { .. } => {
                shown.wanted = true;
                return shown.fetch();
            }
            // What was wrong may be mended by now.
            PlayerStage::Failed(_) => {
                let call = shown.call;
                self.shown = None;
                return self.open(call, true, busy);
            }
            PlayerStage::Paused => {
                if let Some(why) = busy {
                    shown.note = Some(why.to_owned());
                    return Vec::new();
                }
                if shown.at >= shown.length {
                    shown.at = Duration::ZERO;
                }
                shown.note = None;
                shown.stage = PlayerStage::Playing;
                return self.sound_again();
            }
            PlayerStage::Playing | PlayerStage::None => {}
        }
        Vec::new()
    }

    fn pause(&mut self, note: Option<String>) -> Vec<Step> {
        let Some(shown) = &mut self.shown else {
            return Vec::new();
        };
        shown.wanted = false;
        if shown.stage != PlayerStage::Playing {
            return Vec::new();
        }
        shown.stage = PlayerStage::Paused;
        shown.note = note;
        vec![Step::Sound(PlayerOrder::Stop)]
    }

    fn seek(&mut self, to: Duration) -> Vec<Step> {
        let Some(shown) = &mut self.shown else {
            return Vec::new();
        };
        shown.at = to.min(shown.length);
        self.sound_again()
    }

    /// Plays on with the place and the speed that are wanted now.
    fn sound_again(&self) -> Vec<Step> {
        let shown = self.shown.as_ref();
        let playing = shown.filter(|shown| shown.stage == PlayerStage::Playing);
        let Some((shown, path)) = playing.and_then(|it| it.file.clone().map(|file| (it, file)))
        else {
            return Vec::new();
        };
        vec![Step::Sound(PlayerOrder::Play {
            path,
            from: shown.at,
            speed: self.speed,
        })]
    }
}

impl Shown {
    fn fetch(&mut self) -> Vec<Step> {
        let (PlayerStage::Remote { host, .. }, Some(address)) = (&self.stage, &self.address) else {
            return Vec::new();
        };
        self.stage = PlayerStage::Fetching {
            host: host.clone(),
            got: 0,
            whole: None,
        };
        vec![Step::Fetch(self.request, address.clone())]
    }
}

#[cfg(test)]
mod tests;
