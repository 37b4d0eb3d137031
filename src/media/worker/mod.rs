//! The media thread: takes commands, moves datagrams, and makes each tick.
//!
//! It decides nothing about a call; that is in `session`. What the agent hears and says is mixed in
//! `mixer`; the other calls are each for themselves, and where they are many a second thread takes its
//! share of them.

use std::collections::VecDeque;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{self, error::TrySendError};

use crate::base::clock::monotonic_now;
use crate::base::id::CallId;
use crate::media::call_recording::Wanted;
use crate::media::codec::EffortRule;
use crate::media::command::{
    Devices, MediaCommand, MediaError, MediaEvent, PlayerNews, Redundancy, Source,
};
use crate::media::device::file;
use crate::media::feed::{Feed, Loader};
use crate::media::hold_music::Shelf;
use crate::media::leg::{Due, Leg};
use crate::media::mixer::Mixer;
use crate::media::outlet::Message;
use crate::media::pacer::Pacer;
use crate::media::second_thread::SecondThread;
use crate::media::seed::draw_seed;
use crate::media::session::Session;
use crate::media::transport::{Identity, MOST_AWAITED, PortPair, wait_for_any};

/// Messages that are taken at once.
const MAX_MESSAGES: usize = 512;
/// Events that wait for a reader that does not keep up.
const MAX_EVENTS: usize = 512;
/// From so many calls on, beside those that the devices belong to, a second thread takes its share: fewer
/// take less than a tenth of a core (docs/BENCHMARKS.md).
const MANY: usize = 9;
/// Between two looks at the sockets, so that times of arrival are true to that.
const GLANCE: Duration = Duration::from_millis(4);
/// Between two datagrams that wake the thread, unless they are the first two of several.
const BETWEEN_PACKETS: Duration = Duration::from_millis(1);
/// Between two looks at a card that should have given a frame.
const LATE_CARD: Duration = Duration::from_millis(1);
/// Between two looks at the inbox when nothing is to be done.
const IDLE: Duration = Duration::from_millis(500);
/// The thread's state.
pub(super) struct Worker {
    inbox: Receiver<Message>,
    events: mpsc::Sender<MediaEvent>,
    waiting_events: VecDeque<MediaEvent>,
    loader: Loader,
    shelf: Shelf,
    /// In the order of their turns, which is that of their ids: packets of a call leave at the same
    /// place of each tick.
    calls: Vec<Box<Leg>>,
    /// Takes its share of them; there once they are many.
    second: Option<SecondThread<Box<Leg>, Due>>,
    /// Whether there can be no second thread.
    single: bool,
    focus: Vec<CallId>,
    mixer: Mixer,
    /// How much the decoders may compute.
    effort: EffortRule,
    redundancy: Redundancy,
    closing: Vec<JoinHandle<()>>,
    pacer: Pacer,
    /// When the sockets are looked at again, unless a tick comes first.
    next_glance: Instant,
    /// Whether datagrams may have come since the thread slept: two sockets of a call to look at cost as much
    /// as what else the system does for a tick.
    came: bool,
    /// Whether one that cannot wait for the tick may have.
    woken: bool,
    /// When a datagram woke the thread last.
    woken_at: Instant,
    /// Whether the one before that had woken it just before.
    hurried: bool,
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
            second: None,
            single: false,
            focus: Vec::new(),
            mixer: Mixer::start(now, devices).map_err(MediaError::Thread)?,
            effort: EffortRule::new(now),
            redundancy: Redundancy::default(),
            closing: Vec::new(),
            pacer: Pacer::new(now),
            next_glance: now,
            came: true,
            woken: true,
            woken_at: now,
            hurried: false,
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
                let least = if self.mixer.cards.has_clock() {
                    LATE_CARD
                } else {
                    tick
                };
                tick.max(least)
            } else if self.mixer.cards.resting() {
                self.second = None;
                IDLE
            } else {
                IDLE / 5
            };
            if busy {
                self.came = self.rest(now, wait);
            } else {
                (self.came, self.woken) = (true, true);
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
                self.mixer.cards.begin();
            }
            let listening = self.mixer.check.is_on() || !self.calls.is_empty();
            self.mixer.cards.set_busy(now, busy, listening);
            self.take_loaded();
            self.take_music();
            self.take_device_news();
            let mut tick = if busy { self.next_tick(now) } else { None };
            if tick.is_some() {
                // Each call looks at its sockets itself.
                self.next_glance = now + GLANCE;
            } else if self.woken && self.glance_is_due(now) {
                self.next_glance = now + GLANCE;
                self.receive(now);
            }
            while let Some(at) = tick {
                let came = self.came;
                self.tick(Due { at, now, came });
                tick = self.next_tick(now);
            }
            self.note_left_out();
            self.flush(now);
            self.follow_load(now);
        }
        self.end();
    }

    /// Sleeps until the next tick, or until a datagram comes that cannot wait for it; whether some may have
    /// come. Not in the inbox: it is looked at every few milliseconds anyway, and each command would else wake
    /// this thread.
    fn rest(&mut self, now: Instant, most: Duration) -> bool {
        let urgent = self.calls.iter().filter(|call| !call.packets_wait());
        let count = urgent.clone().count();
        self.woken = false;
        if count == 0 {
            std::thread::sleep(most);
            return true;
        }
        if count > MOST_AWAITED {
            let glance = self.next_glance.saturating_duration_since(now);
            std::thread::sleep(most.min(glance));
            self.woken = true;
            return true;
        }
        // Few calls have few packets, of which each wakes this thread: its time of arrival is then true. A
        // flood must not keep it awake.
        let gap = if self.hurried {
            BETWEEN_PACKETS.min(most)
        } else {
            Duration::ZERO
        };
        if !gap.is_zero() {
            std::thread::sleep(gap);
        }
        let pairs = urgent.map(|call| call.sockets.ports());
        self.woken = wait_for_any(pairs, most.saturating_sub(gap));
        let woken_at = monotonic_now();
        self.hurried = self.woken && woken_at - self.woken_at < BETWEEN_PACKETS;
        if self.woken {
            self.woken_at = woken_at;
            self.next_glance = woken_at;
        }
        self.woken || count < self.calls.len()
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
        self.mixer.cards.has_clock() || now >= self.next_glance
    }

    fn follow_load(&mut self, since: Instant) {
        let left_out = self.pacer.left_out();
        if let Some(effort) = self.effort.note_work(since, monotonic_now(), left_out) {
            for call in &mut self.calls {
                call.session.set_effort(effort);
            }
        }
    }

    /// All calls lack the ticks that were left out.
    fn note_left_out(&mut self) {
        let ticks = self.pacer.take_left_out();
        if ticks > 0 {
            for call in &mut self.calls {
                call.note_left_out(ticks);
            }
        }
    }

    fn is_busy(&self) -> bool {
        !self.calls.is_empty() || self.mixer.is_busy()
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
        let now = monotonic_now();
        self.came = true;
        if let Some(call) = self.calls.iter_mut().find(|call| call.id == id) {
            call.reopen(now, ports);
            return;
        }
        // Who calls gets the devices.
        if self.mixer.check.is_on() {
            self.mixer.check.order(None);
        }
        let mut session = Session::new(now, &draw_seed());
        session.set_effort(self.effort.effort());
        session.identify(identity);
        session.choose_redundancy(self.redundancy);
        let call = Box::new(Leg::new(now, id, ports, session));
        let place = self.calls.partition_point(|known| known.id < id);
        self.calls.insert(place, call);
    }

    fn obey(&mut self, command: MediaCommand) {
        match command {
            MediaCommand::Apply { call, plan } => {
                if let Some(call) = self.call(call) {
                    call.apply(monotonic_now(), plan);
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
                if let Some(leg) = self.call(call)
                    && let Err(error) = leg.sockets.gather(monotonic_now(), &servers, credentials)
                {
                    // The call waits for it.
                    self.tell(MediaEvent::GatheringFailed {
                        call,
                        message: format!(
                            "where the sound of this call can be reached is not to be found out, so it ends: {error}; call again, or switch ICE off for the account if it stays so"
                        ),
                    });
                }
            }
            MediaCommand::Source { call, source } => self.change_source(call, source),
            MediaCommand::Focus(calls) => self.focus = calls,
            MediaCommand::HoldMusic(path) => self.choose_music(path),
            MediaCommand::Hold { call, held } => self.hold(call, held),
            MediaCommand::Mute { call, muted } => {
                if let Some(call) = self.call(call) {
                    call.mute(muted);
                }
            }
            MediaCommand::Dtmf { call, digits } => {
                if let Some(call) = self.call(call) {
                    call.session.send_digits(&digits);
                }
            }
            MediaCommand::StartRecording {
                call,
                number,
                path,
                notice,
            } => {
                let wanted = Wanted::new(number, path, notice.tone, self.events.clone());
                if let Some(call) = self.calls.iter_mut().find(|known| known.id == call) {
                    let announcement = notice.announcement;
                    call.recording.start(wanted, announcement, &mut self.loader);
                }
            }
            MediaCommand::PauseRecording { call, paused } => {
                if let Some(call) = self.call(call) {
                    call.pause_recording(paused);
                }
            }
            MediaCommand::StopRecording { call } => {
                let thread = self.call(call).and_then(|call| call.recording.stop());
                self.closing.extend(thread);
            }
            MediaCommand::Tone(tone) => self.mixer.change_tone(tone),
            MediaCommand::Devices(devices) => self.mixer.cards.change(monotonic_now(), devices),
            MediaCommand::Processing(choice) => self.mixer.microphone.choose(choice),
            MediaCommand::MutedHint(on) => self.mixer.microphone.hint(on),
            MediaCommand::Volumes(volumes) => self.mixer.cards.set_volumes(volumes),
            MediaCommand::Meter(on) => self.mixer.check.meter(on),
            MediaCommand::SoundTest(test) => {
                self.mixer
                    .check
                    .order(test.filter(|_| self.calls.is_empty()));
            }
            MediaCommand::Player(order) => self.mixer.playback.order(order),
            MediaCommand::Redundancy(choice) => self.redundancy = choice,
            MediaCommand::Close { call } => self.close(call),
        }
    }

    fn call(&mut self, id: CallId) -> Option<&mut Leg> {
        let known = self.calls.iter_mut().find(|call| call.id == id);
        let call = known.map(Box::as_mut);
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
            call.hold(held, music);
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
                    call.take_music(music);
                }
            }
        }
    }

    fn take_loaded(&mut self) {
        while let Some(loaded) = self.loader.poll() {
            let id = loaded.call;
            if let Some(problem) = self.call(id).and_then(|call| call.take_loaded(loaded)) {
                self.tell(problem);
            }
        }
    }

    fn close(&mut self, id: CallId) {
        let Some(index) = self.calls.iter().position(|call| call.id == id) else {
            return;
        };
        let mut call = self.calls.remove(index);
        let now = monotonic_now();
        if let Some(last) = call.last_words(now) {
            self.mixer.part(&last);
        }
        call.close(now);
        self.closing.extend(call.recording.stop());
        for event in call.take_news() {
            self.tell(event);
        }
        while let Some(event) = call.recording.poll_news() {
            self.tell(event);
        }
        self.focus.retain(|focused| *focused != id);
    }

    /// The time of a tick that is due: by the microphone where there is one, else by the timer, which
    /// suits the speaker.
    fn next_tick(&mut self, now: Instant) -> Option<Instant> {
        if self.mixer.cards.has_clock() {
            let ready = self.mixer.cards.ready();
            self.pacer.follow(now, ready)
        } else {
            if let Some(seconds) = self.mixer.cards.shift() {
                self.pacer.shift(seconds);
            }
            self.pacer.next_due(now)
        }
    }

    fn take_device_news(&mut self) {
        while let Some(news) = self.mixer.cards.poll() {
            self.mixer.microphone.replaced();
            self.tell(news);
        }
    }

    fn receive(&mut self, now: Instant) {
        for call in &mut self.calls {
            call.receive(now);
        }
    }

    /// Makes a tick: first the calls that the devices belong to, so that the agent's do not wait for
    /// the others.
    fn tick(&mut self, due: Due) {
        let (mut mixed, mut alone): (Vec<_>, Vec<_>) = std::mem::take(&mut self.calls)
            .into_iter()
            .partition(|call| self.focus.contains(&call.id) || call.glides());
        let many = alone.len() >= MANY;
        if many {
            self.start_second();
        }
        let second = self.second.as_ref().filter(|_| many);
        if let Some(second) = second {
            second.lend(std::mem::take(&mut alone), due);
        }
        for call in mixed.iter_mut().filter(|_| due.came) {
            call.receive(due.now);
        }
        self.mixer.tick(due.at, &mut mixed, &self.focus);
        for call in &mut mixed {
            call.flush(due.now);
        }
        match second {
            Some(second) => alone = second.finish(),
            None => alone.iter_mut().for_each(|call| call.tick_alone(due)),
        }
        self.calls = mixed;
        self.calls.append(&mut alone);
        self.calls.sort_unstable_by_key(|call| call.id);
    }

    fn start_second(&mut self) {
        if self.single || self.second.is_some() {
            return;
        }
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        if processors > 1 {
            let turn = |call: &mut Box<Leg>, due| call.tick_alone(due);
            self.second = SecondThread::start(turn)
                .inspect_err(
                    |error| tracing::warn!(%error, "one thread makes the sound of all calls"),
                )
                .ok();
        }
        self.single = self.second.is_none();
    }

    /// Sends what waits, and tells what happened.
    fn flush(&mut self, now: Instant) {
        let mut news = Vec::new();
        for call in &mut self.calls {
            call.flush(now);
            news.append(&mut call.take_news());
        }
        news.extend(std::iter::from_fn(|| self.mixer.poll_news()));
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
        let figures = matches!(
            event,
            MediaEvent::Quality { .. }
                | MediaEvent::Levels(_)
                | MediaEvent::Player(PlayerNews::At(_))
        );
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

#[cfg(test)]
mod tests;
