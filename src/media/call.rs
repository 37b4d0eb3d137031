//! One call on the media threads: its sockets, its session, and where its sound comes from.

use std::time::{Duration, Instant};

use crate::base::id::CallId;
use crate::media::call_recording::CallRecording;
use crate::media::command::MediaEvent;
use crate::media::feed::{Feed, Loaded};
use crate::media::frame::{Frame, SILENCE, mix};
use crate::media::hold_music::{Music, OnHold};
use crate::media::microphone::Listener;
use crate::media::news::{found, told};
use crate::media::session::Session;
use crate::media::sockets::Sockets;
use crate::media::transport::PortPair;
use crate::sdp::MediaPlan;

/// Between two reports of quality.
const QUALITY_INTERVAL: Duration = Duration::from_secs(1);

/// A tick that is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    /// When its 10 ms begin.
    pub(super) at: Instant,
    /// The time now.
    pub(super) now: Instant,
}

/// What a call that the devices belong to gets in a tick.
pub(super) struct Mixed<'m> {
    /// The microphone.
    pub(super) microphone: &'m Frame,
    /// Whether that is a sound card.
    pub(super) card: bool,
    /// What the other members of the conference say; none where there are none.
    pub(super) others: Option<Frame>,
}

/// A call that has sockets.
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) sockets: Sockets,
    pub(super) session: Session,
    pub(super) feed: Feed,
    pub(super) recording: CallRecording,
    on_hold: OnHold,
    muted: bool,
    /// What both sides hear of the recording in this tick.
    notice: Option<Frame>,
    applied: bool,
    sends: bool,
    next_quality: Instant,
    /// What the far end says in this tick.
    heard: Frame,
    /// What is to be told.
    news: Vec<MediaEvent>,
}

impl Call {
    /// A call that waits for its plan.
    pub(super) fn new(now: Instant, id: CallId, ports: PortPair, session: Session) -> Self {
        Self {
            id,
            sockets: Sockets::new(ports),
            session,
            feed: Feed::Microphone,
            on_hold: OnHold::default(),
            muted: false,
            recording: CallRecording::of(id),
            notice: None,
            applied: false,
            sends: false,
            next_quality: now + QUALITY_INTERVAL,
            heard: SILENCE,
            news: Vec::new(),
        }
    }

    /// Goes on with new sockets: its network changed.
    pub(super) fn reopen(&mut self, now: Instant, ports: PortPair) {
        self.sockets.close(now, &mut self.session);
        self.sockets = Sockets::new(ports);
    }

    /// Starts or changes the media.
    pub(super) fn apply(&mut self, now: Instant, plan: Box<MediaPlan>) {
        let plan = self.sockets.apply(now, plan);
        match self.session.apply(now, &plan) {
            Ok(()) => {
                self.applied = true;
                self.sends = plan.direction.sends();
            }
            Err(error) => tracing::error!(%error, call = %self.id, "no sound"),
        }
    }

    /// Mutes the microphone, or no longer does.
    pub(super) fn mute(&mut self, muted: bool) {
        self.muted = muted;
        self.apply_mute();
    }

    /// Holds the call or resumes it.
    pub(super) fn hold(&mut self, held: bool, music: Option<&Music>) {
        self.on_hold.set(held, music);
        self.apply_mute();
    }

    /// Takes music that was read while the call was held already.
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

    /// Hands to the session what came.
    pub(super) fn receive(&mut self, now: Instant) {
        self.sockets.receive(now, &mut self.session);
    }

    /// Plays the 10 ms that begin at `at`, for `heard` and `notice`.
    pub(super) fn play(&mut self, at: Instant) {
        self.session.playout(at, &mut self.heard);
        self.notice = self.recording.notice(self.sends);
    }

    /// Sends and records these 10 ms.
    pub(super) fn capture(&mut self, at: Instant, mixed: Option<Mixed<'_>>) {
        let music = self.on_hold.next(self.sends);
        // Music is not what the agent said.
        let recorded = self.sends && music.is_none();
        let card = mixed.as_ref().is_some_and(|mixed| mixed.card);
        self.session
            .microphone(card && recorded && self.feed.listens());
        let microphone = mixed.as_ref().map(|mixed| mixed.microphone);
        let mut frame =
            music.unwrap_or_else(|| self.feed.next(microphone, &self.heard, self.sends));
        let mut over = self.notice;
        if let Some(others) = mixed.and_then(|mixed| mixed.others)
            && self.sends
        {
            mix(over.get_or_insert(SILENCE), &others);
        }
        self.session.capture(at, &mut frame, over.as_ref());
        self.session.tick(at);
        let agent = if recorded { &frame } else { &SILENCE };
        self.recording.write(agent, &self.heard);
    }

    /// Makes the tick that is due, for itself: the devices do not belong to it.
    pub(super) fn tick_alone(&mut self, due: Due) {
        self.receive(due.now);
        self.play(due.at);
        self.capture(due.at, None);
        self.flush(due.now);
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
            news.push(MediaEvent::Quality {
                call: self.id,
                quality: self.session.quality(),
                second: Box::new(self.session.second(now)),
            });
        }
    }

    /// What is to be told.
    pub(super) fn take_news(&mut self) -> Vec<MediaEvent> {
        std::mem::take(&mut self.news)
    }

    /// Says goodbye to the far end.
    pub(super) fn close(&mut self, now: Instant) {
        self.session.close(now);
        self.sockets.close(now, &mut self.session);
    }

    /// What the far end says in this tick.
    pub(super) fn heard(&self) -> &Frame {
        &self.heard
    }

    /// What both sides hear of the recording in this tick.
    pub(super) fn notice(&self) -> Option<&Frame> {
        self.notice.as_ref()
    }

    /// Whether it wants the microphone, once it has the focus.
    pub(super) fn listener(&self) -> Listener {
        if !self.sends || !self.feed.listens() || self.on_hold.plays() {
            Listener::Nobody
        } else if self.muted {
            Listener::Muted(self.id)
        } else {
            Listener::Call
        }
    }

    /// Mute is for the voice: the music is heard.
    fn apply_mute(&mut self) {
        self.session.mute(self.muted && !self.on_hold.plays());
    }
}
