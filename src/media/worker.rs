//! The media thread: takes commands, moves datagrams, and makes each tick.
//!
//! It decides nothing about a call; that is in `session`. At each tick every call is played first,
//! then the mixer is fed, then every call captures, so that an echo returns within its own tick.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{self, error::TrySendError};

use crate::base::clock::monotonic_now;
use crate::base::id::CallId;
use crate::media::call::Call;
use crate::media::call_recording::CallRecording;
use crate::media::codec::EffortRule;
use crate::media::command::{
    Devices, MediaCommand, MediaError, MediaEvent, Redundancy, Source, Tone,
};
use crate::media::conference::Mix;
use crate::media::device::{SoundCards, file};
use crate::media::feed::{Feed, Loader};
use crate::media::frame::{SILENCE, mix};
use crate::media::hold_music::{OnHold, Shelf};
use crate::media::microphone::{Listener, Microphone};
use crate::media::news::{found, told};
use crate::media::outlet::Message;
use crate::media::pacer::Pacer;
use crate::media::seed::draw_seed;
use crate::media::session::Session;
use crate::media::sockets::Sockets;
use crate::media::sound_test::SoundCheck;
use crate::media::tone::TonePlayer;
use crate::media::transport::{Identity, PortPair};

/// Messages that are taken at once.
const MAX_MESSAGES: usize = 512;
/// Events that wait for a reader that does not keep up.
const MAX_EVENTS: usize = 512;
/// Between two looks at the sockets, so that times of arrival are true to that.
const GLANCE: Duration = Duration::from_millis(4);
/// Between two looks at a card that should have given a frame.
const LATE_CARD: Duration = Duration::from_millis(1);
/// Between two looks at the inbox when nothing is to be done.
const IDLE: Duration = Duration::from_millis(500);
/// Between two reports of quality.
const QUALITY_INTERVAL: Duration = Duration::from_secs(1);

/// The thread's state.
pub(super) struct Worker {
    inbox: Receiver<Message>,
    events: mpsc::Sender<MediaEvent>,
    waiting_events: VecDeque<MediaEvent>,
    loader: Loader,
    shelf: Shelf,
    calls: Vec<Call>,
    focus: Vec<CallId>,
    tone: Option<TonePlayer>,
    /// A tone that was ended and fades in the next tick.
    fading: Option<TonePlayer>,
    cards: SoundCards,
    microphone: Microphone,
    /// How much the decoders may compute.
    effort: EffortRule,
    check: SoundCheck,
    redundancy: Redundancy,
    closing: Vec<JoinHandle<()>>,
    pacer: Pacer,
    /// When the sockets are looked at again, unless a tick comes first.
    next_glance: Instant,
}

impl Worker {
    /// Prepares the thread.
    ///
    /// # Errors
    ///
    /// Fails when the thread of the sound cards cannot be started.
    pub(super) fn new(
        devices: Devices,
        events: mpsc::Sender<MediaEvent>,
        inbox: Receiver<Message>,
    ) -> Result<Self, MediaError> {
        let now = monotonic_now();
        Ok(Self {
            inbox,
            events,
            waiting_events: VecDeque::new(),
            loader: Loader::new(),
            shelf: Shelf::new(),
            calls: Vec::new(),
            focus: Vec::new(),
            tone: None,
            fading: None,
            cards: SoundCards::start(now, devices).map_err(MediaError::Thread)?,
            microphone: Microphone::default(),
            effort: EffortRule::new(now),
            check: SoundCheck::default(),
            redundancy: Redundancy::default(),
            closing: Vec::new(),
            pacer: Pacer::new(now),
            next_glance: now,
        })
    }

    /// Runs until the handle is dropped.
    pub(super) fn run(mut self) {
        let mut busy = false;
        loop {
            let now = monotonic_now();
            let wait = if busy {
                let tick = self.pacer.wait(now);
                // A card gives a frame at about that time, not at it.
                let least = if self.cards.has_clock() {
                    LATE_CARD
                } else {
                    tick
                };
                tick.max(least)
                    .min(self.next_glance.saturating_duration_since(now))
            } else if self.cards.resting() {
                IDLE
            } else {
                IDLE / 5
            };
            if busy {
                // Asleep, not in the inbox: it is looked at every few milliseconds anyway, and each
                // command would else wake this thread.
                std::thread::sleep(wait);
            } else {
                match self.inbox.recv_timeout(wait) {
                    Ok(message) => self.take(message),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            if !self.take_waiting() {
                break;
            }
            let now = monotonic_now();
            let was_busy = std::mem::replace(&mut busy, self.is_busy());
            if busy && !was_busy {
                self.pacer = Pacer::new(now);
            }
            let listening = self.check.is_on() || !self.calls.is_empty();
            self.cards.set_busy(now, busy, listening);
            self.take_loaded();
            self.take_music();
            self.take_device_news();
            if self.glance_is_due(now) {
                self.next_glance = now + GLANCE;
                self.receive(now);
            }
            while busy && let Some(at) = self.next_tick(now) {
                self.tick(at);
            }
            self.flush(now);
            self.follow_load(now);
        }
        self.end();
    }

    /// Takes what waits in the inbox; false when the handle is gone.
    fn take_waiting(&mut self) -> bool {
        for _ in 0..MAX_MESSAGES {
            match self.inbox.try_recv() {
                Ok(message) => self.take(message),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        true
    }

    /// Whether the sockets are looked at: not for each command, or a thousand calls a second would
    /// read each socket a thousand times a second.
    fn glance_is_due(&self, now: Instant) -> bool {
        self.cards.has_clock() || self.pacer.wait(now).is_zero() || now >= self.next_glance
    }

    fn follow_load(&mut self, since: Instant) {
        let left_out = self.pacer.left_out();
        if let Some(effort) = self.effort.note_work(since, monotonic_now(), left_out) {
            for call in &mut self.calls {
                call.session.set_effort(effort);
            }
        }
    }

    fn is_busy(&self) -> bool {
        let toned = self.tone.is_some() || self.fading.is_some();
        !self.calls.is_empty() || toned || self.check.is_on()
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Open {
                call,
                ports,
                identity,
            } => self.open(call, ports, identity),
            Message::Command(command) => self.obey(command),
        }
    }

    /// A call that has sockets goes on with the new ones: its network changed.
    fn open(&mut self, id: CallId, ports: PortPair, identity: Option<Identity>) {
        if let Some(call) = self.calls.iter_mut().find(|call| call.id == id) {
            call.sockets.close(monotonic_now(), &mut call.session);
            call.sockets = Sockets::new(ports);
            return;
        }
        // Who calls gets the devices.
        if self.check.is_on() {
            self.check.order(None);
        }
        let now = monotonic_now();
        let mut session = Session::new(now, &draw_seed());
        session.set_effort(self.effort.effort());
        session.identify(identity);
        session.choose_redundancy(self.redundancy);
        self.calls.push(Call {
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
        });
    }

    fn obey(&mut self, command: MediaCommand) {
        match command {
            MediaCommand::Apply { call, plan } => {
                if let Some(call) = self.call(call) {
                    let now = monotonic_now();
                    let plan = call.sockets.apply(now, plan);
                    match call.session.apply(now, &plan) {
                        Ok(()) => {
                            call.applied = true;
                            call.sends = plan.direction.sends();
                        }
                        Err(error) => tracing::error!(%error, call = %call.id, "no sound"),
                    }
                }
            }
            MediaCommand::ExpectHandshake { call } => {
                if let Some(call) = self.call(call) {
                    call.session.expect_handshake();
                }
            }
            MediaCommand::Gather {
                call,
                credentials,
                servers,
            } => {
                if let Some(call) = self.call(call)
                    && let Err(error) = call.sockets.gather(monotonic_now(), &servers, credentials)
                {
                    tracing::error!(%error, call = %call.id, "no ICE");
                }
            }
            MediaCommand::Source { call, source } => self.change_source(call, source),
            MediaCommand::Focus(calls) => self.focus = calls,
            MediaCommand::HoldMusic(path) => self.choose_music(path),
            MediaCommand::Hold { call, held } => self.hold(call, held),
            MediaCommand::Mute { call, muted } => {
                if let Some(call) = self.call(call) {
                    call.muted = muted;
                    call.apply_mute();
                }
            }
            MediaCommand::Dtmf { call, digits } => {
                if let Some(call) = self.call(call) {
                    call.session.send_digits(&digits);
                }
            }
            MediaCommand::StartRecording { call, path, notice } => {
                let events = self.events.clone();
                if let Some(call) = self.calls.iter_mut().find(|known| known.id == call) {
                    call.recording.start(path, notice, &mut self.loader, events);
                }
            }
            MediaCommand::PauseRecording { call, paused } => {
                if let Some(call) = self.call(call) {
                    call.recording.pause(paused);
                }
            }
            MediaCommand::StopRecording { call } => {
                let thread = self.call(call).and_then(|call| call.recording.stop());
                self.closing.extend(thread);
            }
            MediaCommand::Tone(tone) => self.change_tone(tone),
            MediaCommand::Devices(devices) => self.cards.change(monotonic_now(), devices),
            MediaCommand::Processing(choice) => self.microphone.choose(choice),
            MediaCommand::Volumes(volumes) => self.cards.set_volumes(volumes),
            MediaCommand::Meter(on) => self.check.meter(on),
            MediaCommand::SoundTest(test) => {
                self.check.order(test.filter(|_| self.calls.is_empty()));
            }
            MediaCommand::Redundancy(choice) => self.redundancy = choice,
            MediaCommand::Close { call } => self.close(call),
        }
    }

    fn call(&mut self, id: CallId) -> Option<&mut Call> {
        let call = self.calls.iter_mut().find(|call| call.id == id);
        if call.is_none() {
            tracing::debug!(call = %id, "a command for a call without media is ignored");
        }
        call
    }

    fn change_source(&mut self, id: CallId, source: Source) {
        let feed = self
            .loader
            .begin(id, source, file::LONGEST_SECONDS)
            .unwrap_or_else(|message| {
                self.tell(MediaEvent::SourceFailed { call: id, message });
                Feed::Silence
            });
        if let Some(call) = self.call(id) {
            call.feed = feed;
        }
    }

    fn hold(&mut self, id: CallId, held: bool) {
        let music = self.shelf.music();
        if let Some(call) = self.calls.iter_mut().find(|call| call.id == id) {
            call.on_hold.set(held, music);
            call.apply_mute();
        }
    }

    fn choose_music(&mut self, path: Option<PathBuf>) {
        // Whether the file can be played is told once it is read.
        if let Err(message) = self.shelf.choose(path) {
            let problem = Some(message);
            self.tell(MediaEvent::HoldMusic { problem });
        }
    }

    fn take_music(&mut self) {
        while let Some(told) = self.shelf.poll() {
            let problem = told.err().map(|error| error.to_string());
            self.tell(MediaEvent::HoldMusic { problem });
            if let Some(music) = self.shelf.music() {
                for call in &mut self.calls {
                    call.on_hold.take(music);
                    call.apply_mute();
                }
            }
        }
    }

    fn take_loaded(&mut self) {
        while let Some(loaded) = self.loader.poll() {
            let id = loaded.call;
            let take = |call: &mut Call| {
                let other = call.recording.take(loaded)?;
                call.feed.take(other)
            };
            if let Some(error) = self.call(id).and_then(take) {
                let message = error.to_string();
                self.tell(MediaEvent::SourceFailed { call: id, message });
            }
        }
    }

    fn change_tone(&mut self, tone: Option<Tone>) {
        if tone == self.tone.as_ref().map(TonePlayer::tone) {
            return;
        }
        self.fading = std::mem::replace(&mut self.tone, tone.map(TonePlayer::new));
    }

    fn close(&mut self, id: CallId) {
        let Some(index) = self.calls.iter().position(|call| call.id == id) else {
            return;
        };
        let mut call = self.calls.swap_remove(index);
        let now = monotonic_now();
        call.session.close(now);
        call.sockets.close(now, &mut call.session);
        self.closing.extend(call.recording.stop());
        while let Some(event) = call.recording.poll_news() {
            self.tell(event);
        }
        self.focus.retain(|focused| *focused != id);
    }

    /// The time of a tick that is due: by the microphone where there is one, else by the timer.
    fn next_tick(&mut self, now: Instant) -> Option<Instant> {
        if self.cards.has_clock() {
            let ready = self.cards.ready();
            self.pacer.follow(now, ready)
        } else {
            self.pacer.next_due(now)
        }
    }

    fn take_device_news(&mut self) {
        while let Some(news) = self.cards.poll() {
            self.microphone.replaced();
            self.tell(news);
        }
    }

    fn receive(&mut self, now: Instant) {
        for call in &mut self.calls {
            call.sockets.receive(now, &mut call.session);
        }
    }

    /// Makes the 10 ms that begin at `at`.
    fn tick(&mut self, at: Instant) {
        let came = self.cards.ready();
        let mut microphone = self.cards.capture();
        let mut voices = Mix::new();
        let mut speaker = SILENCE;
        let mut ringer = SILENCE;
        for call in &mut self.calls {
            call.session.playout(at, &mut call.heard);
            call.notice = call.recording.notice(call.sends);
            if self.focus.contains(&call.id) {
                voices.add(&call.heard);
                if let Some(notice) = &call.notice {
                    mix(&mut speaker, notice);
                }
            }
        }
        mix(&mut speaker, voices.all());
        let together = self.focus.len() > 1;
        let target = |player: &TonePlayer| player.tone() == Tone::Ring;
        if let Some(player) = self.fading.take() {
            let ring = target(&player);
            player.fade_into(if ring { &mut ringer } else { &mut speaker });
        }
        if let Some(player) = &mut self.tone {
            let ring = target(player);
            player.mix_into(if ring { &mut ringer } else { &mut speaker });
        }
        let has_microphone = self.cards.has_clock();
        self.check.play(has_microphone, &mut speaker, &mut ringer);
        let played = self.cards.play(&speaker, &ringer);
        let focused = self.calls.iter().filter(|c| self.focus.contains(&c.id));
        let tested = self.check.records().then_some(Listener::Call);
        let listener = Listener::among(focused.map(Call::listener).chain(tested));
        let raw = microphone;
        let noticed = self
            .microphone
            .tick(&self.cards, came, &mut microphone, &played, listener);
        for news in noticed.news() {
            self.tell(news);
        }
        let talking = !self.focus.is_empty();
        self.check.hear(&raw, &microphone, &played, talking);
        for call in &mut self.calls {
            let focus = self.focus.contains(&call.id);
            let heard = &call.heard;
            let music = call.on_hold.next(call.sends);
            // Music is not what the agent said.
            let recorded = call.sends && music.is_none();
            let live = focus && recorded && call.feed.listens() && self.cards.has_clock();
            call.session.microphone(live);
            let microphone = focus.then_some(&microphone);
            let mut frame = music.unwrap_or_else(|| call.feed.next(microphone, heard, call.sends));
            let mut over = call.notice;
            if focus && together && call.sends {
                mix(over.get_or_insert(SILENCE), &voices.without(&call.heard));
            }
            call.session.capture(at, &mut frame, over.as_ref());
            call.session.tick(at);
            let agent = if recorded { &frame } else { &SILENCE };
            call.recording.write(agent, &call.heard);
        }
    }

    /// Sends what waits, and tells what happened.
    fn flush(&mut self, now: Instant) {
        let mut news = Vec::new();
        for call in &mut self.calls {
            let ice = call.sockets.flush(now, &mut call.session);
            news.extend(ice.into_iter().filter_map(|event| found(call.id, event)));
            while let Some(event) = call.session.poll_event() {
                news.push(told(call.id, event));
            }
            news.extend(std::iter::from_fn(|| call.recording.poll_news()));
            if call.applied && now >= call.next_quality {
                call.next_quality = now + QUALITY_INTERVAL;
                news.push(MediaEvent::Quality {
                    call: call.id,
                    quality: call.session.quality(),
                    second: Box::new(call.session.second(now)),
                });
            }
        }
        news.extend(std::iter::from_fn(|| self.check.poll_news()));
        for event in news {
            self.tell(event);
        }
        while let Some(event) = self.waiting_events.pop_front() {
            match self.events.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.waiting_events.push_front(event);
                    break;
                }
                Err(TrySendError::Closed(_)) => break,
            }
        }
        self.closing.retain(|thread| !thread.is_finished());
    }

    /// Queues an event; figures are the first to go when nobody reads.
    fn tell(&mut self, event: MediaEvent) {
        let figures = matches!(event, MediaEvent::Quality { .. } | MediaEvent::Levels(_));
        let limit = if figures { MAX_EVENTS / 4 } else { MAX_EVENTS };
        if self.waiting_events.len() < limit {
            self.waiting_events.push_back(event);
        } else if !figures {
            tracing::warn!("nobody takes the media events; one is lost");
        }
    }

    fn end(mut self) {
        for id in self.calls.iter().map(|call| call.id).collect::<Vec<_>>() {
            self.close(id);
        }
        for thread in self.closing {
            if thread.join().is_err() {
                tracing::error!("a recorder had panicked");
            }
        }
        if self.pacer.left_out() > 0 {
            tracing::info!(
                ticks = self.pacer.left_out(),
                "the media thread was held up"
            );
        }
    }
}
