//! What the agent hears and says: the calls that the devices belong to, tones, the test of the devices and
//! recordings that are played, between the sound cards and these calls.
//!
//! ```text
//! calls played -> mix (+ notices, tones, test, player) -> speaker, ringer
//! microphone -> processing -> each call, with what the other members say
//! ```

use std::collections::VecDeque;
use std::io;
use std::time::Instant;

use crate::base::id::CallId;
use crate::media::command::{Devices, MediaEvent, Tone};
use crate::media::conference::Conference;
use crate::media::device::SoundCards;
use crate::media::frame::{Frame, SILENCE, mix};
use crate::media::leg::Leg;
use crate::media::microphone::{Given, Listener, Microphone};
use crate::media::playback::Playback;
use crate::media::sound_test::SoundCheck;
use crate::media::tone::TonePlayer;

/// The devices, and what goes to them and comes from them.
pub(super) struct Mixer {
    pub(super) cards: SoundCards,
    pub(super) microphone: Microphone,
    pub(super) check: SoundCheck,
    pub(super) playback: Playback,
    tone: Option<TonePlayer>,
    /// A tone that was ended and fades in the next tick.
    fading: Option<TonePlayer>,
    /// What is still heard of a call that is over, in the next tick.
    parting: Option<Frame>,
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
            playback: Playback::default(),
            tone: None,
            fading: None,
            parting: None,
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

    /// Plays the end of a call that is over, in the next tick.
    pub(super) fn part(&mut self, last: &Frame) {
        mix(self.parting.get_or_insert(SILENCE), last);
    }

    /// Makes the 10 ms that begin at `at` with the calls that the devices belong to, which are those in
    /// `focus`, and those that still glide away from them: all are played, then mixed, then captured, so that
    /// an echo returns within its own tick.
    pub(super) fn tick(&mut self, at: Instant, calls: &mut [Box<Leg>], focus: &[CallId]) {
        let came = self.cards.ready();
        let mut microphone = self.cards.capture();
        let mut conference = Conference::new();
        let mut speaker = SILENCE;
        let mut ringer = SILENCE;
        for call in &mut *calls {
            call.listen(at, focus.contains(&call.id));
            if let Some(member) = call.member() {
                conference.add(member);
            }
        }
        mix(&mut speaker, &conference.all());
        if let Some(last) = self.parting.take() {
            mix(&mut speaker, &last);
        }
        let target = |player: &TonePlayer| player.tone() == Tone::Ring;
        if let Some(player) = self.fading.take() {
            let ring = target(&player);
            player.fade_into(if ring { &mut ringer } else { &mut speaker });
        }
        if let Some(player) = &mut self.tone {
            let ring = target(player);
            player.mix_into(if ring { &mut ringer } else { &mut speaker });
        }
        let opening = self.cards.speaker_opens();
        self.playback.play(opening, &mut speaker);
        let card = self.cards.has_clock();
        self.check.play(card, &mut speaker, &mut ringer);
        let played = self.cards.play(&speaker, &ringer);
        let dry = self.cards.take_dry();
        let tested = self.check.records().then_some(Listener::Call);
        let wanted = calls
            .iter()
            .map(|call| call.listener(focus.contains(&call.id)));
        let listener = Listener::among(wanted.chain(tested));
        let raw = microphone;
        let gave = if card && came {
            Given::Frame
        } else if card {
            Given::Nothing
        } else {
            Given::NoCard
        };
        let noticed = self
            .microphone
            .tick(gave, &mut microphone, &played, listener);
        let captured = noticed.captured;
        self.news.extend(noticed.news());
        let talking = !focus.is_empty();
        self.check.hear(&raw, &microphone, &played, talking);
        if conference.is_several() {
            tell_members(calls);
        }
        for call in calls {
            let focus = focus.contains(&call.id);
            if focus {
                call.note_dry(dry);
            }
            let consent = call.recording.announcement().is_some();
            let member = call.member();
            let others = member.and_then(|member| conference.others_of(member, consent));
            call.capture(at, focus, captured, &microphone, others);
        }
    }

    /// What is to be told.
    pub(super) fn poll_news(&mut self) -> Option<MediaEvent> {
        self.news
            .pop_front()
            .or_else(|| self.check.poll_news())
            .or_else(|| self.playback.poll_news())
    }

    /// Whether something is to be played or taken beside calls.
    pub(super) fn is_busy(&self) -> bool {
        let toned = self.tone.is_some() || self.fading.is_some();
        toned || self.parting.is_some() || self.check.is_on() || self.playback.is_on()
    }
}

/// Lets members of a conference that is recorded, and that must be told before, hear of it.
fn tell_members(calls: &mut [Box<Leg>]) {
    let announcement = calls.iter().find_map(|call| {
        let heard = call.heard_here.is_some();
        call.recording.announcement().filter(|_| heard)
    });
    let Some(announcement) = announcement.cloned() else {
        return;
    };
    for call in calls {
        if call.heard_here.is_some() {
            call.recording.tell(&announcement);
        }
    }
}

#[cfg(test)]
mod held_up;
#[cfg(test)]
mod tests;
