//! One call on the media thread: what of it the agent hears, and what it sends.
//!
//! Both glide when a call is held, resumed, muted or left for another one, so that neither side hears a
//! click; what glides is still heard in the tick after the change.

use std::time::{Duration, Instant};

use crate::base::id::CallId;
use crate::media::call_recording::CallRecording;
use crate::media::command::{MediaEvent, Quality};
use crate::media::conference::{Member, Others};
use crate::media::feed::{Feed, Loaded};
use crate::media::frame::{FRAME_TIME, Frame, SILENCE, mix};
use crate::media::glide::Glide;
use crate::media::hold_music::{Music, OnHold};
use crate::media::microphone::Listener;
use crate::media::news::{found, told};
use crate::media::one_way::Captured;
use crate::media::quality::{Breaks, Second};
use crate::media::session::Session;
use crate::media::sockets::Sockets;
use crate::media::transport::{PortPair, STAMPS};
use crate::sdp::MediaPlan;

/// Between two reports of quality.
const QUALITY_INTERVAL: Duration = Duration::from_secs(1);

/// Between two tellings of what was thrown away.
const DROPPED_INTERVAL: Duration = Duration::from_secs(60);

/// A tick that is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    /// When its 10 ms begin.
    pub(super) at: Instant,
    /// The time now.
    pub(super) now: Instant,
    /// Whether datagrams may have come.
    pub(super) came: bool,
}

/// One call.
pub(super) struct Leg {
    pub(super) id: CallId,
    pub(super) sockets: Sockets,
    pub(super) session: Session,
    pub(super) feed: Feed,
    pub(super) recording: CallRecording,
    applied: bool,
    sends: bool,
    next_quality: Instant,
    /// When it is told what was thrown away.
    next_dropped: Instant,
    /// What the machine broke, and as much of it as was told.
    breaks: [Breaks; 2],
    /// What both sides hear of the recording in this tick.
    pub(super) notice: Option<Frame>,
    /// What the agent hears of it in this tick.
    pub(super) heard_here: Option<Frame>,
    on_hold: OnHold,
    muted: bool,
    /// Whether the recording goes on as soon as the digits of its pause have sounded.
    resumes: bool,
    /// What the far end says in this tick.
    pub(super) heard: Frame,
    /// To or from the agent's ear, as before this tick and as behind it.
    ear: [Glide; 2],
    /// To or from what feeds it: it is silent while muted, and the microphone is for who has the focus.
    mouth: Glide,
    /// What is to be told.
    news: Vec<MediaEvent>,
}

impl Leg {
    /// One that waits for its plan.
    pub(super) fn new(now: Instant, id: CallId, ports: PortPair, session: Session) -> Self {
        Self {
            id,
            sockets: Sockets::new(now, ports),
            session,
            feed: Feed::Microphone,
            recording: CallRecording::of(id),
            applied: false,
            sends: false,
            next_quality: now + QUALITY_INTERVAL,
            next_dropped: now + QUALITY_INTERVAL,
            breaks: [Breaks::default(); 2],
            notice: None,
            heard_here: None,
            on_hold: OnHold::default(),
            muted: false,
            resumes: false,
            heard: SILENCE,
            ear: [Glide::CLOSED; 2],
            mouth: Glide::CLOSED,
            news: Vec::new(),
        }
    }

    /// Goes on with new sockets: its network changed.
    pub(super) fn reopen(&mut self, now: Instant, ports: PortPair) {
        self.sockets.close(now, &mut self.session);
        self.sockets = Sockets::new(now, ports);
    }

    /// Starts or changes the media; tells where that cannot be done.
    pub(super) fn apply(&mut self, now: Instant, plan: Box<MediaPlan>) {
        let plan = self.sockets.apply(now, plan);
        match self.session.apply(now, &plan) {
            Ok(()) => {
                self.applied = true;
                self.sends = plan.direction.sends();
            }
            Err(error) => self.news.push(MediaEvent::PlanFailed {
                call: self.id,
                message: format!(
                    "the sound of this call cannot be set up, so it ends: {error}; call again, and choose another codec if it stays so"
                ),
            }),
        }
    }

    /// Mutes the voice, or lets it be heard.
    pub(super) fn mute(&mut self, muted: bool) {
        self.muted = muted;
        self.apply_mute();
    }

    /// Begins or ends a hold.
    pub(super) fn hold(&mut self, held: bool, music: Option<&Music>) {
        self.on_hold.set(held, music);
        self.apply_mute();
    }

    /// Takes music that was read meanwhile.
    pub(super) fn take_music(&mut self, music: &Music) {
        self.on_hold.take(music);
        self.apply_mute();
    }

    /// Takes a file that was read; gives what is wrong with it.
    pub(super) fn take_loaded(&mut self, loaded: Loaded) -> Option<MediaEvent> {
        let other = self.recording.take(loaded)?;
        let message = self.feed.take(other)?.to_string();
        Some(MediaEvent::SourceFailed {
            call: self.id,
            message,
        })
    }

    /// Whether what comes can be read with the next tick.
    pub(super) fn packets_wait(&self) -> bool {
        STAMPS && self.session.hears()
    }

    /// Hands to the session what came.
    pub(super) fn receive(&mut self, now: Instant) {
        self.sockets.receive(now, &mut self.session);
    }

    /// Takes the next 10 ms of what the far end says; `focus` says whether the agent is with it.
    pub(super) fn listen(&mut self, at: Instant, focus: bool) {
        self.session.playout(at, &mut self.heard);
        self.notice = self.recording.notice(self.sends);
        let [_, ear] = self.ear;
        self.ear = [ear; 2];
        let [_, ear] = &mut self.ear;
        let mut heard = self.heard;
        self.heard_here = ear.apply(focus, &mut heard).then_some(heard);
    }

    /// What the agent and the other calls hear of it in this tick, if they do.
    pub(super) fn member(&self) -> Option<Member<'_>> {
        Some(Member {
            heard: self.heard_here.as_ref()?,
            notice: self.notice.as_ref(),
            told: self.recording.is_told(),
        })
    }

    /// The end of what the agent hears of it, when it is over.
    pub(super) fn last_words(&mut self, now: Instant) -> Option<Frame> {
        let [_, mut ear] = self.ear;
        let mut last = SILENCE;
        self.session.playout(now, &mut last);
        ear.apply(false, &mut last).then_some(last)
    }

    /// Whether it wants the microphone, or still needs it for the end of a word.
    pub(super) fn listener(&self, focus: bool) -> Listener {
        let wanted = focus && self.sends && !self.on_hold.plays();
        if !self.feed.listens() {
            Listener::Nobody
        } else if wanted && self.muted {
            Listener::Muted(self.id)
        } else if wanted || (self.mouth.passes(false) && self.on_hold.speaks()) {
            Listener::Call
        } else {
            Listener::Nobody
        }
    }

    /// Sends the next 10 ms: what feeds it, which may be the microphone, or music in its place, and over
    /// that what `others` say in a conference. Gives what the agent's side of a recording gets: music is
    /// not what the agent said, and who was not told is not recorded.
    pub(super) fn speak(
        &mut self,
        at: Instant,
        focus: bool,
        microphone: &Frame,
        others: Option<Others>,
    ) -> Frame {
        let speaks = !self.muted && (focus || !self.feed.listens());
        let (mut mouth, mut spoke) = (self.mouth, false);
        let said = self.on_hold.say(self.sends, || {
            let mut voice = self.feed.next(microphone, &self.heard);
            mouth.apply(speaks, &mut voice);
            spoke = true;
            voice
        });
        if !spoke {
            mouth = if speaks { Glide::OPEN } else { Glide::CLOSED };
        }
        self.mouth = mouth;
        let mut over = self.notice;
        let mut others = others.filter(|_| self.sends);
        if let Some(others) = &mut others {
            for frame in std::iter::once(&mut others.sent).chain(&mut others.recorded) {
                let [mut ear, _] = self.ear;
                ear.apply(focus, frame);
            }
            mix(over.get_or_insert(SILENCE), &others.sent);
        }
        let mut frame = said.together();
        self.session.capture(at, &mut frame, over.as_ref());
        self.session.tick(at);
        if said.music.is_some() {
            return said.voice;
        }
        if let Some(others) = others
            && let Some(recorded) = others.recorded
        {
            let both = recorded.iter().zip(&others.sent);
            for (sample, (recorded, sent)) in frame.iter_mut().zip(both) {
                *sample += recorded - sent;
            }
        }
        frame
    }

    /// Sends and records the next 10 ms; `captured` is what the card gave, and `microphone` what was
    /// made of it.
    pub(super) fn capture(
        &mut self,
        at: Instant,
        focus: bool,
        captured: Captured,
        microphone: &Frame,
        others: Option<Others>,
    ) {
        let captured = if self.sends_microphone(focus) {
            captured
        } else {
            Captured::Other
        };
        self.session.microphone(at, captured);
        let agent = self.speak(at, focus, microphone, others);
        self.record(&agent);
    }

    /// Makes the tick that is due, for itself: the devices do not belong to it.
    pub(super) fn tick_alone(&mut self, due: Due) {
        if due.came {
            self.receive(due.now);
        }
        self.listen(due.at, false);
        self.capture(due.at, false, Captured::Other, &SILENCE, None);
        self.flush(due.now);
    }

    /// Whether it is still heard here, or the microphone by it, though the devices were taken from it.
    pub(super) fn glides(&self) -> bool {
        let [_, ear] = self.ear;
        ear.passes(false) || (self.mouth.passes(false) && self.feed.listens())
    }

    /// Sends what waits, and takes note of what happened.
    pub(super) fn flush(&mut self, now: Instant) {
        let news = &mut self.news;
        let ice = self.sockets.flush(now, &mut self.session);
        news.extend(ice.into_iter().filter_map(|event| found(self.id, event)));
        while let Some(event) = self.session.poll_event() {
            news.push(told(self.id, event));
        }
        news.extend(std::iter::from_fn(|| self.recording.poll_news()));
        if self.applied && now >= self.next_quality {
            self.next_quality = now + QUALITY_INTERVAL;
            let [breaks, told] = &mut self.breaks;
            news.push(MediaEvent::Quality {
                call: self.id,
                quality: Box::new(Quality {
                    breaks: *breaks,
                    ..self.session.quality()
                }),
                second: Box::new(Second {
                    breaks: breaks.since(*told),
                    ..self.session.second(now)
                }),
            });
            *told = *breaks;
        }
        if now >= self.next_dropped {
            self.tell_dropped(now);
        }
    }

    /// Takes note that the speaker ran dry so often while it played this call.
    pub(super) fn note_dry(&mut self, times: u32) {
        let [breaks, _] = &mut self.breaks;
        breaks.speaker_dry = breaks.speaker_dry.saturating_add(times);
    }

    /// Takes note that so many ticks were left out.
    pub(super) fn note_left_out(&mut self, ticks: u32) {
        let [breaks, _] = &mut self.breaks;
        breaks.held_up = breaks.held_up.saturating_add(FRAME_TIME * ticks);
    }

    /// What is to be told.
    pub(super) fn take_news(&mut self) -> Vec<MediaEvent> {
        std::mem::take(&mut self.news)
    }

    /// Says goodbye to the far end.
    pub(super) fn close(&mut self, now: Instant) {
        self.session.close(now);
        self.sockets.close(now, &mut self.session);
        self.tell_dropped(now);
    }

    /// Whether the microphone is what it sends.
    pub(super) fn sends_microphone(&self, focus: bool) -> bool {
        focus && self.sends && !self.on_hold.plays() && self.feed.listens()
    }

    /// Pauses the recording, or lets it go on: behind the digits that were pressed meanwhile and sound
    /// still.
    pub(super) fn pause_recording(&mut self, paused: bool) {
        self.resumes = !paused && self.session.sounds_digits();
        if !self.resumes {
            self.recording.pause(paused);
        }
    }

    /// Records the 10 ms that both sides said.
    pub(super) fn record(&mut self, agent: &Frame) {
        if self.resumes && !self.session.sounds_digits() {
            self.resumes = false;
            self.recording.pause(false);
        }
        self.recording.write(agent, &self.heard);
    }

    /// Tells what came and was of no use; the first of it soon, so that somebody who looks at once
    /// finds it.
    fn tell_dropped(&mut self, now: Instant) {
        let by_source = self.session.take_dropped();
        if !by_source.is_empty() {
            let call = self.id;
            self.news.push(MediaEvent::Dropped { call, by_source });
            self.next_dropped = now + DROPPED_INTERVAL;
        }
    }

    /// Mute is for the voice: the music is heard.
    fn apply_mute(&mut self) {
        self.session.mute(self.muted && !self.on_hold.plays());
    }
}

#[cfg(test)]
mod tests;
