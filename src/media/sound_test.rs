//! The test of the sound devices, outside of calls; sans-IO: a step is 10 ms.
//!
//! - Listening shows levels, and ends by itself after two minutes: nobody leaves a microphone open.
//! - Three seconds are recorded, as others would hear them, and then played.
//! - Chirps go to the speaker. Where the microphone hears them, the median of their ways is the
//!   latency of both devices with their buffers.
//! - The ringer rings once.

use std::collections::VecDeque;
use std::time::Duration;

use crate::media::chirp::{self, CHIRP_SAMPLES};
use crate::media::command::{MediaEvent, Tone};
use crate::media::frame::{FRAME_SAMPLES, Frame, SAMPLE_RATE, duration_of};
use crate::media::level::Meters;
use crate::media::tone::TonePlayer;

/// How long the devices may take to open, in steps.
const OPENING: u32 = 600;
/// How long levels are shown without any other test, in steps.
const LISTENING: u32 = 12_000;
/// How long is recorded, in samples.
const RECORDED: usize = 3 * SAMPLE_RATE as usize;
/// From one chirp to the next, in steps. The longest way that is found is that less the chirp.
const CHIRP_STEPS: u32 = 70;
/// How many there are, and how many of them must be heard.
const CHIRPS: usize = 3;
const HEARD: usize = 2;
/// How long it rings, in steps: the burst, before the pause of its cadence.
const RINGING: u32 = 160;

/// What is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundTest {
    /// Shows how loud the microphone is.
    Listen,
    /// Records three seconds and plays them.
    Record,
    /// Measures the way from the speaker to the microphone.
    Latency,
    /// Rings once.
    Ring,
}

/// How a test goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundTestNews {
    /// Three seconds are recorded now.
    Recording,
    /// They are played now.
    Playing,
    /// Chirps are played now.
    Measuring,
    /// It rings now.
    Ringing,
    /// Chirps took so long; none were heard.
    Latency(Option<Duration>),
    /// There is no microphone.
    NoMicrophone,
    /// The test is over, and levels are shown still.
    Done,
    /// Nothing is tested or shown any more.
    Ended,
}

/// What goes on.
enum Stage {
    /// The microphone is shown; for so many steps still.
    Listening(u32),
    /// The devices open; for so many steps still.
    Opening(u32, SoundTest),
    Recording(Vec<f32>),
    Playing(Vec<f32>, usize),
    Chirping(Box<Chirping>),
    Ringing(TonePlayer, u32),
}

struct Chirping {
    chirp: Vec<f32>,
    heard: Vec<f32>,
    step: u32,
    ways: Vec<Option<usize>>,
}

/// The test, and the meters of both devices.
#[derive(Default)]
pub(super) struct SoundCheck {
    stage: Option<Stage>,
    /// Whether somebody looks at meters in calls.
    metered: bool,
    meters: Meters,
    news: VecDeque<MediaEvent>,
}

impl SoundCheck {
    /// Shows levels in calls, too.
    pub(super) fn meter(&mut self, on: bool) {
        self.metered = on;
    }

    /// Begins a test in place of the one that goes on; none ends it.
    pub(super) fn order(&mut self, test: Option<SoundTest>) {
        match test {
            Some(SoundTest::Listen) => self.stage = Some(Stage::Listening(LISTENING)),
            Some(test) => self.stage = Some(Stage::Opening(OPENING, test)),
            None => {
                self.stage = None;
                self.tell(SoundTestNews::Ended);
            }
        }
    }

    /// Whether something is tested or shown.
    pub(super) fn is_on(&self) -> bool {
        self.stage.is_some()
    }

    /// Whether the microphone's sound is wanted as others would hear it.
    pub(super) fn records(&self) -> bool {
        matches!(self.stage, Some(Stage::Recording(_)))
    }

    /// What is to be told.
    pub(super) fn poll_news(&mut self) -> Option<MediaEvent> {
        self.news.pop_front()
    }

    /// Adds the next 10 ms of the test to what is played.
    pub(super) fn play(&mut self, has_microphone: bool, speaker: &mut Frame, ringer: &mut Frame) {
        let Some(stage) = self.stage.take() else {
            return;
        };
        self.stage = match stage {
            Stage::Listening(0) => {
                self.tell(SoundTestNews::Ended);
                None
            }
            Stage::Listening(left) => Some(Stage::Listening(left - 1)),
            // The ringer has no clock that would say that it is open.
            Stage::Opening(left, SoundTest::Ring) if has_microphone || left < OPENING - 150 => {
                Some(self.ring())
            }
            Stage::Opening(_, test) if has_microphone => Some(self.begin(test)),
            Stage::Opening(0, _) => {
                self.tell(SoundTestNews::NoMicrophone);
                Some(Stage::Listening(LISTENING))
            }
            Stage::Opening(left, test) => Some(Stage::Opening(left - 1, test)),
            Stage::Recording(recorded) => Some(Stage::Recording(recorded)),
            Stage::Playing(sound, at) => {
                let rest = sound.get(at..).unwrap_or_default();
                for (sum, sample) in speaker.iter_mut().zip(rest) {
                    *sum += sample;
                }
                Some(if rest.len() > FRAME_SAMPLES {
                    Stage::Playing(sound, at + FRAME_SAMPLES)
                } else {
                    self.done()
                })
            }
            Stage::Chirping(chirping) => {
                let at = (chirping.step % CHIRP_STEPS) as usize * FRAME_SAMPLES;
                let rest = chirping.chirp.get(at..).unwrap_or_default();
                for (sum, sample) in speaker.iter_mut().zip(rest) {
                    *sum += sample;
                }
                Some(Stage::Chirping(chirping))
            }
            Stage::Ringing(_, 0) => Some(self.done()),
            Stage::Ringing(mut player, left) => {
                player.mix_into(ringer);
                Some(Stage::Ringing(player, left - 1))
            }
        };
    }

    /// Takes 10 ms: `raw` as the microphone gave them, `voice` as others would hear them, and what the
    /// speaker plays meanwhile. `talking` says that a call has the devices.
    pub(super) fn hear(&mut self, raw: &Frame, voice: &Frame, played: &Frame, talking: bool) {
        let shown = self.stage.is_some() || (self.metered && talking);
        if shown && let Some(levels) = self.meters.add(raw, played) {
            self.news.push_back(MediaEvent::Levels(levels));
        }
        let Some(stage) = self.stage.take() else {
            return;
        };
        self.stage = Some(match stage {
            Stage::Recording(mut recorded) => {
                recorded.extend_from_slice(voice);
                if recorded.len() < RECORDED {
                    Stage::Recording(recorded)
                } else {
                    self.tell(SoundTestNews::Playing);
                    Stage::Playing(recorded, 0)
                }
            }
            Stage::Chirping(mut chirping) => {
                if chirping.hear(raw) {
                    let latency = median(&chirping.ways);
                    self.tell(SoundTestNews::Latency(latency));
                    self.done()
                } else {
                    Stage::Chirping(chirping)
                }
            }
            other @ (Stage::Listening(_)
            | Stage::Opening(..)
            | Stage::Playing(..)
            | Stage::Ringing(..)) => other,
        });
    }

    fn begin(&mut self, test: SoundTest) -> Stage {
        match test {
            SoundTest::Listen => Stage::Listening(LISTENING),
            SoundTest::Ring => self.ring(),
            SoundTest::Record => {
                self.tell(SoundTestNews::Recording);
                Stage::Recording(Vec::with_capacity(RECORDED + FRAME_SAMPLES))
            }
            SoundTest::Latency => {
                self.tell(SoundTestNews::Measuring);
                Stage::Chirping(Box::new(Chirping {
                    chirp: chirp::chirp(),
                    heard: Vec::with_capacity(CHIRP_STEPS as usize * FRAME_SAMPLES),
                    step: 0,
                    ways: Vec::with_capacity(CHIRPS),
                }))
            }
        }
    }

    fn ring(&mut self) -> Stage {
        self.tell(SoundTestNews::Ringing);
        Stage::Ringing(TonePlayer::new(Tone::Ring), RINGING)
    }

    fn done(&mut self) -> Stage {
        self.tell(SoundTestNews::Done);
        Stage::Listening(LISTENING)
    }

    fn tell(&mut self, news: SoundTestNews) {
        self.news.push_back(MediaEvent::SoundTest(news));
    }
}

impl Chirping {
    /// Takes 10 ms; true once all chirps are through.
    fn hear(&mut self, raw: &Frame) -> bool {
        self.heard.extend_from_slice(raw);
        self.step += 1;
        if self.step.is_multiple_of(CHIRP_STEPS) {
            self.ways.push(chirp::find(&self.chirp, &self.heard));
            self.heard.clear();
        }
        self.ways.len() >= CHIRPS
    }
}

/// The median of the ways that were heard, if enough were.
fn median(ways: &[Option<usize>]) -> Option<Duration> {
    let mut heard: Vec<usize> = ways.iter().copied().flatten().collect();
    heard.sort_unstable();
    let middle = heard
        .get(heard.len() / 2)
        .filter(|_| heard.len() >= HEARD)?;
    Some(duration_of(*middle as u64))
}

/// The longest latency that is found.
pub const LONGEST_LATENCY: Duration = Duration::from_millis(
    (CHIRP_STEPS as usize * FRAME_SAMPLES - CHIRP_SAMPLES) as u64 * 1_000 / SAMPLE_RATE as u64,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::frame::{FRAME_TIME, SILENCE, peak};

    /// A speaker and a microphone that hears it so many samples later.
    struct Room {
        check: SoundCheck,
        /// What is on its way to the microphone.
        way: VecDeque<f32>,
        played: Vec<f32>,
        rang: f32,
        news: Vec<SoundTestNews>,
        levels: usize,
    }

    impl Room {
        fn new(test: SoundTest, delay: usize) -> Self {
            let mut check = SoundCheck::default();
            check.order(Some(test));
            Self {
                check,
                way: vec![0.0; delay].into(),
                played: Vec::new(),
                rang: 0.0,
                news: Vec::new(),
                levels: 0,
            }
        }

        /// Lets so many steps pass; what is said is heard beside what the speaker plays.
        fn pass(&mut self, steps: usize, said: f32, loop_gain: f32) {
            for _ in 0..steps {
                let (mut speaker, mut ringer) = (SILENCE, SILENCE);
                self.check.play(true, &mut speaker, &mut ringer);
                self.played.extend(speaker);
                self.rang = self.rang.max(peak(&ringer));
                self.way.extend(speaker);
                let mut raw = SILENCE;
                for sample in &mut raw {
                    *sample = said + loop_gain * self.way.pop_front().unwrap();
                }
                let voice = raw.map(|sample| sample * 0.5);
                self.check.hear(&raw, &voice, &speaker, false);
                while let Some(news) = self.check.poll_news() {
                    match news {
                        MediaEvent::SoundTest(news) => self.news.push(news),
                        MediaEvent::Levels(_) => self.levels += 1,
                        other => panic!("{other:?}"),
                    }
                }
            }
        }
    }

    #[test]
    fn three_seconds_are_played_back_as_others_would_hear_them() {
        let mut room = Room::new(SoundTest::Record, 480);
        room.pass(301, 0.25, 0.0);
        assert_eq!(
            room.news,
            [SoundTestNews::Recording, SoundTestNews::Playing]
        );
        room.played.clear();
        room.pass(300, 0.0, 0.0);
        assert_eq!(room.news.last(), Some(&SoundTestNews::Done));
        assert_eq!(room.played.len(), RECORDED);
        let right = room.played.iter().filter(|sample| **sample == 0.125);
        assert!(right.count() >= RECORDED - 960);
        assert!(room.check.is_on(), "levels are shown still");
        assert!(room.levels > 50);
    }

    #[test]
    fn the_latency_is_that_of_the_room_or_not_heard() {
        for (delay, gain, expected) in [
            (2_000, 0.3, true),
            (24_000, 0.02, true),
            (2_000, 0.0, false),
            (40_000, 0.0, false),
        ] {
            let mut room = Room::new(SoundTest::Latency, delay);
            room.pass(220, 0.0, gain);
            let [
                SoundTestNews::Measuring,
                SoundTestNews::Latency(found),
                SoundTestNews::Done,
            ] = room.news[..]
            else {
                panic!("{:?}", room.news);
            };
            let Some(found) = found.filter(|_| expected) else {
                assert_eq!((found, expected), (None, false));
                continue;
            };
            let truth = duration_of(delay as u64);
            assert!(
                found.abs_diff(truth) < Duration::from_millis(1),
                "{found:?} for {truth:?}"
            );
        }
        assert_eq!(LONGEST_LATENCY, Duration::from_millis(600));
    }

    #[test]
    fn the_ringer_rings_once_also_without_a_microphone() {
        let mut room = Room::new(SoundTest::Ring, 480);
        room.pass(200, 0.0, 0.0);
        assert_eq!(room.news, [SoundTestNews::Ringing, SoundTestNews::Done]);
        assert!(room.rang > 0.1 && peak(&room.played) == 0.0);
    }

    #[test]
    fn a_missing_microphone_is_told_and_nobody_leaves_one_open() {
        let mut check = SoundCheck::default();
        check.order(Some(SoundTest::Record));
        let mut news = Vec::new();
        for _ in 0..OPENING + LISTENING + 5 {
            check.play(false, &mut SILENCE.clone(), &mut SILENCE.clone());
            news.extend(std::iter::from_fn(|| check.poll_news()));
        }
        let told = |news| MediaEvent::SoundTest(news);
        assert_eq!(
            news,
            [
                told(SoundTestNews::NoMicrophone),
                told(SoundTestNews::Ended)
            ]
        );
        assert!(!check.is_on());
        assert_eq!(FRAME_TIME * LISTENING, Duration::from_secs(120));
    }

    #[test]
    fn in_calls_levels_are_told_to_who_looks_at_them() {
        let mut check = SoundCheck::default();
        let told = |check: &mut SoundCheck, talking| {
            for _ in 0..100 {
                check.hear(&SILENCE, &SILENCE, &SILENCE, talking);
            }
            std::iter::from_fn(|| check.poll_news()).count()
        };
        assert_eq!(told(&mut check, true), 0);
        check.meter(true);
        assert_eq!(told(&mut check, true), 10);
        assert_eq!(told(&mut check, false), 0);
    }
}
