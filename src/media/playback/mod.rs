//! The player of recordings, outside of calls: a step is 10 ms, and no step waits for the file.
//!
//! A thread of its own reads ahead (`reader`), makes one sound of both sides and changes its speed
//! (`speed`). Each wish to play from somewhere gets a number; what lies ready for an older one is passed
//! over. What begins, stops or jumps fades within 10 ms.

mod reader;
mod speed;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use crate::media::command::MediaEvent;
use crate::media::frame::{Frame, mix};
use crate::media::glide::Glide;
use crate::media::playback::reader::{Reader, Wish};
use crate::media::volume::Gain;

/// How long the speaker may take to open, in steps: what is played before is not heard.
const OPENING: u32 = 150;
/// The place is told each so many steps.
const TELLING: u32 = 10;
/// The slowest and the fastest that is played, in percent.
pub const SPEEDS: std::ops::RangeInclusive<u32> = 50..=200;

/// What is asked of the player.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlayerOrder {
    /// Play a file from there on, in place of what is played.
    Play {
        /// A WAV file.
        path: PathBuf,
        /// From its beginning.
        from: Duration,
        /// In percent of the speed in which it was said; the pitch stays. Within [`SPEEDS`].
        speed: u32,
    },
    /// Be silent.
    Stop,
    /// Be so loud, in percent.
    Volume(u32),
    /// Be silent, and let go of the file.
    Close,
}

/// How playing goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlayerNews {
    /// It is there by now; about ten times a second.
    At(Duration),
    /// Everything was played.
    Ended,
    /// It cannot be played, in plain words.
    Failed(String),
}

/// What goes on.
#[derive(Default)]
enum State {
    #[default]
    Silent,
    /// The speaker opens; for so many steps still.
    Opening(u32),
    Playing,
}

/// The player.
#[derive(Default)]
pub(super) struct Playback {
    state: State,
    reader: Option<Reader>,
    /// The number of the last wish.
    wish: u32,
    glide: Option<Glide>,
    gain: Gain,
    /// What is still heard of what was stopped, in the next step.
    parting: Option<Frame>,
    /// Steps since the place was told.
    untold: u32,
    news: VecDeque<MediaEvent>,
}

impl Playback {
    /// Does what is asked.
    pub(super) fn order(&mut self, order: PlayerOrder) {
        match order {
            PlayerOrder::Play { path, from, speed } => {
                self.part();
                let played = self.play_from(path, from, speed);
                self.state = match played {
                    Ok(()) => State::Opening(OPENING),
                    Err(why) => {
                        self.tell(PlayerNews::Failed(why));
                        State::Silent
                    }
                };
            }
            PlayerOrder::Stop => self.stop(),
            PlayerOrder::Volume(percent) => self.gain.set(percent),
            PlayerOrder::Close => {
                self.stop();
                self.reader = None;
            }
        }
    }

    /// Whether something is to be heard.
    pub(super) fn is_on(&self) -> bool {
        !matches!(self.state, State::Silent) || self.parting.is_some()
    }

    /// Adds the next 10 ms to what is played. `opening` says that the speaker is not open yet.
    pub(super) fn play(&mut self, opening: bool, speaker: &mut Frame) {
        if let Some(last) = self.parting.take() {
            mix(speaker, &last);
        }
        match &mut self.state {
            State::Silent => return,
            State::Opening(left) if opening && *left > 0 => {
                *left -= 1;
                return;
            }
            State::Opening(_) => self.state = State::Playing,
            State::Playing => {}
        }
        let Some(reader) = &mut self.reader else {
            self.state = State::Silent;
            return;
        };
        let Some(mut block) = reader.next(self.wish) else {
            // The disk is behind, or the file cannot be read at all.
            if let Some(error) = reader.failed() {
                self.tell(PlayerNews::Failed(error.to_string()));
                self.reader = None;
                self.state = State::Silent;
            }
            return;
        };
        self.glide
            .get_or_insert(Glide::CLOSED)
            .apply(true, &mut block.sound);
        self.gain.apply(&mut block.sound);
        mix(speaker, &block.sound);
        if block.last {
            self.state = State::Silent;
            self.glide = None;
            self.tell(PlayerNews::Ended);
            return;
        }
        self.untold += 1;
        if self.untold >= TELLING {
            self.untold = 0;
            self.tell(PlayerNews::At(block.at));
        }
    }

    /// What is to be told.
    pub(super) fn poll_news(&mut self) -> Option<MediaEvent> {
        self.news.pop_front()
    }

    fn play_from(&mut self, path: PathBuf, from: Duration, speed: u32) -> Result<(), String> {
        self.wish = self.wish.wrapping_add(1);
        let wish = Wish {
            number: self.wish,
            from,
            speed: speed.clamp(*SPEEDS.start(), *SPEEDS.end()),
        };
        let known = self.reader.take().filter(|reader| reader.reads(&path));
        // One that takes no wish has ended.
        let reader = match known.filter(|reader| reader.ask(wish)) {
            Some(reader) => reader,
            None => {
                let reader = Reader::start(&path)?;
                reader.ask(wish);
                reader
            }
        };
        self.reader = Some(reader);
        Ok(())
    }

    fn stop(&mut self) {
        self.part();
        self.state = State::Silent;
    }

    /// Lets what is heard now fade.
    fn part(&mut self) {
        let Some(mut glide) = self.glide.take() else {
            return;
        };
        let wish = self.wish;
        let reader = self.reader.as_mut();
        if let Some(mut block) = reader.and_then(|reader| reader.next(wish)) {
            glide.apply(false, &mut block.sound);
            self.gain.apply(&mut block.sound);
            self.parting = Some(block.sound);
        }
    }

    fn tell(&mut self, news: PlayerNews) {
        self.news.push_back(MediaEvent::Player(news));
    }
}

#[cfg(test)]
mod tests;
