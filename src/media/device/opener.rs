//! The thread that opens sound cards, watches them, and falls back when one is missing.
//!
//! For each role ([`Role`]): what was chosen, else the system's default, else the null device. While a
//! role has not what was chosen, it is tried again from time to time, so that a headset that is plugged
//! in again comes back by itself.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use crate::base::clock::monotonic_now;
use crate::base::priority::prefer_this_thread;
use crate::media::command::{DeviceChoice, Devices, MediaEvent};
use crate::media::device::card::{self, Stream};
use crate::media::device::role::{RETRY, Role};
use crate::media::device::{MicrophoneEnd, SpeakerEnd};

/// Between two looks at the streams.
const GLANCE: Duration = Duration::from_millis(100);

/// What the media thread asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Order {
    /// Open these; the microphone only when it is wanted, because an open one is shown as in use.
    Open {
        /// What was chosen.
        devices: Devices,
        /// Whether the microphone is wanted.
        microphone: bool,
    },
    /// Close all, for nothing is to be heard.
    Rest,
}

/// What the thread tells.
pub(super) enum Report {
    /// The microphone is another one; none is the null device.
    Microphone(Option<MicrophoneEnd>),
    /// The speaker is another one.
    Speaker(Option<SpeakerEnd>),
    /// The ringer is another one; none means that the speaker rings.
    Ringer(Option<SpeakerEnd>),
    /// For the agent.
    News(MediaEvent),
}

/// Starts the thread; it ends when the sender of orders is dropped.
///
/// # Errors
///
/// Fails when it cannot be started.
pub(super) fn start() -> io::Result<(SyncSender<Order>, Receiver<Report>)> {
    let (orders, inbox) = sync_channel(8);
    let (outbox, reports) = sync_channel(32);
    let now = monotonic_now();
    let opener = Opener {
        inbox,
        outbox,
        chosen: None,
        microphone: Role::new("microphone", now),
        speaker: Role::new("speaker", now),
        ringer: Role::new("ringer", now),
        told: None,
        retry_at: now,
    };
    Builder::new()
        .name("ringdesk-cards".to_owned())
        .spawn(move || {
            // The threads of the cards' callbacks start from here.
            prefer_this_thread();
            opener.run();
        })?;
    Ok((orders, reports))
}

struct Opener {
    inbox: Receiver<Order>,
    outbox: SyncSender<Report>,
    /// What is to be open now; none at rest.
    chosen: Option<(Devices, bool)>,
    microphone: Role<Stream>,
    speaker: Role<Stream>,
    ringer: Role<Stream>,
    told: Option<MediaEvent>,
    retry_at: Instant,
}

impl Opener {
    fn run(mut self) {
        loop {
            // Closed cards are not looked at.
            let order = if self.chosen.is_some() {
                self.inbox.recv_timeout(GLANCE)
            } else {
                self.inbox.recv().map_err(RecvTimeoutError::from)
            };
            match order {
                Ok(Order::Open {
                    devices,
                    microphone,
                }) => self.open(devices, microphone),
                Ok(Order::Rest) => self.rest(),
                Err(RecvTimeoutError::Timeout) => self.watch(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn open(&mut self, devices: Devices, microphone: bool) {
        if !microphone {
            self.microphone.rest();
            self.report(Report::Microphone(None));
        } else if self.microphone.differs(&devices.microphone) {
            self.open_microphone(&devices.microphone);
        }
        if self.speaker.differs(&devices.speaker) {
            self.open_speaker(&devices.speaker);
        }
        // The same card is not opened twice: the speaker rings then.
        let ringer = if devices.ringer == devices.speaker {
            &DeviceChoice::Null
        } else {
            &devices.ringer
        };
        if self.ringer.differs(ringer) {
            self.open_ringer(&ringer.clone());
        }
        self.retry_at = monotonic_now() + RETRY;
        self.chosen = Some((devices, microphone));
        self.tell();
    }

    fn rest(&mut self) {
        self.chosen = None;
        for role in [&mut self.microphone, &mut self.speaker, &mut self.ringer] {
            role.rest();
        }
        self.report(Report::Microphone(None));
        self.report(Report::Speaker(None));
        self.report(Report::Ringer(None));
    }

    fn watch(&mut self) {
        let Some((devices, microphone)) = self.chosen.clone() else {
            return;
        };
        let failed = [&mut self.microphone, &mut self.speaker, &mut self.ringer]
            .map(|role| role.lose_if(Stream::failure))
            .contains(&true);
        let now = monotonic_now();
        let retry = now >= self.retry_at;
        if !failed && !retry {
            return;
        }
        if retry {
            self.retry_at = now + RETRY;
            self.look_around(now);
        }
        for role in [&mut self.microphone, &mut self.speaker, &mut self.ringer] {
            role.reopen_if_closed();
        }
        self.open(devices, microphone);
    }

    /// Looks which cards are there: one that was chosen and is gone is given up, because sound
    /// servers silently move its stream to another card, and one that is back is taken again.
    fn look_around(&mut self, now: Instant) {
        if ![&self.microphone, &self.speaker, &self.ringer]
            .into_iter()
            .any(Role::is_named)
        {
            return;
        }
        // Who does not answer has taken nothing away; a stream that is lost says so itself.
        let Some((microphones, speakers)) = card::list() else {
            return;
        };
        if self.microphone.compare(now, &microphones)
            && let Some(end) = self.microphone.take_back(now, card::open_microphone)
        {
            self.report(Report::Microphone(Some(end)));
        }
        if self.speaker.compare(now, &speakers)
            && let Some(end) = self.speaker.take_back(now, card::open_speaker)
        {
            self.report(Report::Speaker(Some(end)));
        }
        if self.ringer.compare(now, &speakers)
            && let Some(end) = self.ringer.take_back(now, card::open_speaker)
        {
            self.report(Report::Ringer(Some(end)));
        }
    }

    fn open_microphone(&mut self, choice: &DeviceChoice) {
        let now = monotonic_now();
        let end = self.microphone.open(now, choice, card::open_microphone);
        self.report(Report::Microphone(end));
    }

    fn open_speaker(&mut self, choice: &DeviceChoice) {
        let end = self
            .speaker
            .open(monotonic_now(), choice, card::open_speaker);
        self.report(Report::Speaker(end));
    }

    fn open_ringer(&mut self, choice: &DeviceChoice) {
        let end = self
            .ringer
            .open(monotonic_now(), choice, card::open_speaker);
        self.report(Report::Ringer(end));
    }

    /// Tells what is in use, when that is not what was told last.
    fn tell(&mut self) {
        let problems = [&self.microphone, &self.speaker, &self.ringer].map(Role::problem);
        let mut problems: Vec<String> = problems.into_iter().flatten().map(str::to_owned).collect();
        // A machine without any sound is one trouble, not two or three.
        if let [microphone, speaker, ..] = problems.as_slice()
            && microphone.replace("no microphone", "no speaker") == *speaker
        {
            let both = microphone.replace("no microphone", "neither microphone nor speaker");
            problems = vec![both];
        }
        let event = MediaEvent::Device {
            microphone: self.microphone.name().to_owned(),
            speaker: self.speaker.name().to_owned(),
            problem: (!problems.is_empty()).then(|| problems.join(". ")),
        };
        if self.told.as_ref() != Some(&event) {
            self.told = Some(event.clone());
            self.report(Report::News(event));
        }
    }

    fn report(&self, report: Report) {
        if self.outbox.send(report).is_err() {
            tracing::debug!("the media thread has ended before its sound cards");
        }
    }
}
