//! What the agent hears and says: the calls that the devices belong to, tones, and the test of the
//! devices, between the sound cards and these calls.
//!
//! ```text
//! calls played -> mix (+ notices, tones, test) -> speaker, ringer
//! microphone -> processing -> each call, with what the other members say
//! ```

use std::collections::VecDeque;
use std::io;
use std::time::Instant;

use crate::media::call::{Call, Mixed};
use crate::media::command::{Devices, MediaEvent, Tone};
use crate::media::conference::Mix;
use crate::media::device::SoundCards;
use crate::media::frame::{SILENCE, mix};
use crate::media::microphone::{Listener, Microphone};
use crate::media::sound_test::SoundCheck;
use crate::media::tone::TonePlayer;

/// The devices, and what goes to them and comes from them.
pub(super) struct Mixer {
    pub(super) cards: SoundCards,
    pub(super) microphone: Microphone,
    pub(super) check: SoundCheck,
    tone: Option<TonePlayer>,
    /// A tone that was ended and fades in the next tick.
    fading: Option<TonePlayer>,
    news: VecDeque<MediaEvent>,
}

impl Mixer {
    /// Starts the thread that opens the devices.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be started.
    pub(super) fn start(now: Instant, devices: Devices) -> io::Result<Self> {
        Ok(Self {
            cards: SoundCards::start(now, devices)?,
            microphone: Microphone::default(),
            check: SoundCheck::default(),
            tone: None,
            fading: None,
            news: VecDeque::new(),
        })
    }

    /// Plays another tone, or none.
    pub(super) fn change_tone(&mut self, tone: Option<Tone>) {
        if tone == self.tone.as_ref().map(TonePlayer::tone) {
            return;
        }
        self.fading = std::mem::replace(&mut self.tone, tone.map(TonePlayer::new));
    }

    /// Makes the 10 ms that begin at `at` with the calls that the devices belong to: all are played,
    /// then mixed, then captured, so that an echo returns within its own tick.
    pub(super) fn tick(&mut self, at: Instant, calls: &mut [Box<Call>]) {
        let came = self.cards.ready();
        let mut microphone = self.cards.capture();
        let mut voices = Mix::new();
        let mut speaker = SILENCE;
        let mut ringer = SILENCE;
        for call in &mut *calls {
            call.play(at);
            voices.add(call.heard());
            if let Some(notice) = call.notice() {
                mix(&mut speaker, notice);
            }
        }
        mix(&mut speaker, voices.all());
        let target = |player: &TonePlayer| player.tone() == Tone::Ring;
        if let Some(player) = self.fading.take() {
            let ring = target(&player);
            player.fade_into(if ring { &mut ringer } else { &mut speaker });
        }
        if let Some(player) = &mut self.tone {
            let ring = target(player);
            player.mix_into(if ring { &mut ringer } else { &mut speaker });
        }
        let card = self.cards.has_clock();
        self.check.play(card, &mut speaker, &mut ringer);
        let played = self.cards.play(&speaker, &ringer);
        let tested = self.check.records().then_some(Listener::Call);
        let wanted = calls.iter().map(|call| call.listener());
        let listener = Listener::among(wanted.chain(tested));
        let raw = microphone;
        let noticed = self
            .microphone
            .tick(&self.cards, came, &mut microphone, &played, listener);
        self.news.extend(noticed.news());
        let talking = !calls.is_empty();
        self.check.hear(&raw, &microphone, &played, talking);
        let together = calls.len() > 1;
        for call in calls {
            let others = together.then(|| voices.without(call.heard()));
            let mixed = Mixed {
                microphone: &microphone,
                card,
                others,
            };
            call.capture(at, Some(mixed));
        }
    }

    /// What is to be told.
    pub(super) fn poll_news(&mut self) -> Option<MediaEvent> {
        self.news.pop_front().or_else(|| self.check.poll_news())
    }

    /// Whether something is to be played or taken beside calls.
    pub(super) fn is_busy(&self) -> bool {
        self.tone.is_some() || self.fading.is_some() || self.check.is_on()
    }
}
