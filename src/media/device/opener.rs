//! The thread that opens sound cards, watches them, and falls back when one is missing.
//!
//! For each role: what was chosen, else the system's default, else the null device. While a role
//! has not what was chosen, it is tried again from time to time, so that a headset that is
//! plugged in again comes back by itself.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use crate::base::clock::monotonic_now;
use crate::base::priority::prefer_this_thread;
use crate::media::command::{DeviceChoice, Devices, MediaEvent};
use crate::media::device::card::{self, Stream};
use crate::media::device::{MicrophoneEnd, SpeakerEnd};

/// Between two looks at the streams.
const GLANCE: Duration = Duration::from_millis(100);
/// Between two looks at which cards are there.
const RETRY: Duration = Duration::from_secs(3);
/// What the null device is called.
pub(super) const NULL_DEVICE: &str = "null device";

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
    let opener = Opener {
        inbox,
        outbox,
        chosen: None,
        microphone: Role::default(),
        speaker: Role::default(),
        ringer: Role::default(),
        told: None,
        retry_at: monotonic_now(),
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

/// One of microphone, speaker and ringer.
#[derive(Default)]
struct Role {
    /// What is open, with the choice that led to it.
    stream: Option<Stream>,
    choice: Option<DeviceChoice>,
    name: String,
    problem: Option<String>,
}

impl Role {
    /// Whether it must be opened for that choice.
    fn differs(&self, choice: &DeviceChoice) -> bool {
        self.choice.as_ref() != Some(choice)
    }

    /// Opens the choice, else the default; gives the media thread's end, none for the null device.
    fn open<E>(
        &mut self,
        what: &str,
        choice: &DeviceChoice,
        open: impl Fn(&DeviceChoice) -> Result<(Stream, E, String), String>,
    ) -> Option<E> {
        // The old stream goes first: some cards cannot be opened twice.
        self.stream = None;
        self.choice = Some(choice.clone());
        self.problem = None;
        self.name = NULL_DEVICE.to_owned();
        let mut reason = match choice {
            DeviceChoice::Null => return None,
            DeviceChoice::Default => String::new(),
            DeviceChoice::Named(name) => match open(choice) {
                Ok(opened) => return Some(self.keep(opened)),
                Err(reason) => format!("the {what} “{name}” cannot be used ({reason})"),
            },
        };
        match open(&DeviceChoice::Default) {
            Ok(opened) => {
                let end = self.keep(opened);
                if !reason.is_empty() {
                    let name = &self.name;
                    self.problem = Some(format!(
                        "{reason}; “{name}” is used instead. Connect it, or choose another one in \
                         the settings"
                    ));
                }
                Some(end)
            }
            Err(why) => {
                if reason.is_empty() {
                    reason = format!("no {what} can be used ({why})");
                }
                self.problem = Some(format!(
                    "{reason}; the null device is used, which is silent. Connect a sound card, \
                     check that the sound system runs, or choose another one in the settings"
                ));
                None
            }
        }
    }

    fn keep<E>(&mut self, (stream, end, name): (Stream, E, String)) -> E {
        self.stream = Some(stream);
        self.name = name;
        end
    }

    /// Whether its stream has ended by an error, which is then forgotten.
    fn has_failed(&mut self) -> bool {
        let Some(reason) = self.stream.as_ref().and_then(Stream::failure) else {
            return false;
        };
        tracing::warn!(device = %self.name, %reason, "a sound card is lost");
        self.stream = None;
        true
    }

    /// Closes it when what was chosen is gone, or is back.
    fn compare(&mut self, listed: &[String]) {
        if let Some(DeviceChoice::Named(name)) = &self.choice
            && listed.contains(name) != self.problem.is_none()
        {
            self.stream = None;
        }
    }

    fn rest(&mut self) {
        self.stream = None;
        self.choice = None;
    }
}

struct Opener {
    inbox: Receiver<Order>,
    outbox: SyncSender<Report>,
    /// What is to be open now; none at rest.
    chosen: Option<(Devices, bool)>,
    microphone: Role,
    speaker: Role,
    ringer: Role,
    told: Option<MediaEvent>,
    retry_at: Instant,
}

impl Opener {
    fn run(mut self) {
        loop {
            match self.inbox.recv_timeout(GLANCE) {
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
            .map(Role::has_failed)
            .contains(&true);
        let now = monotonic_now();
        let retry = now >= self.retry_at;
        if !failed && !retry {
            return;
        }
        if retry {
            self.retry_at = now + RETRY;
            self.look_around();
        }
        for role in [&mut self.microphone, &mut self.speaker, &mut self.ringer] {
            if role.stream.is_none() {
                role.choice = role.choice.take().filter(|c| *c == DeviceChoice::Null);
            }
        }
        self.open(devices, microphone);
    }

    /// Looks which cards are there: one that was chosen and is gone is given up, because sound
    /// servers silently move its stream to another card, and one that is back is taken again.
    fn look_around(&mut self) {
        let named = |role: &Role| matches!(role.choice, Some(DeviceChoice::Named(_)));
        if ![&self.microphone, &self.speaker, &self.ringer]
            .into_iter()
            .any(named)
        {
            return;
        }
        // Who does not answer has taken nothing away; a stream that is lost says so itself.
        let Some((microphones, speakers)) = card::list() else {
            return;
        };
        self.microphone.compare(&microphones);
        self.speaker.compare(&speakers);
        self.ringer.compare(&speakers);
    }

    fn open_microphone(&mut self, choice: &DeviceChoice) {
        let end = self
            .microphone
            .open("microphone", choice, card::open_microphone);
        self.report(Report::Microphone(end));
    }

    fn open_speaker(&mut self, choice: &DeviceChoice) {
        let end = self.speaker.open("speaker", choice, card::open_speaker);
        self.report(Report::Speaker(end));
    }

    fn open_ringer(&mut self, choice: &DeviceChoice) {
        let end = self.ringer.open("ringer", choice, card::open_speaker);
        self.report(Report::Ringer(end));
    }

    /// Tells what is in use, when that is not what was told last.
    fn tell(&mut self) {
        let problems = [&self.microphone, &self.speaker, &self.ringer].map(|r| r.problem.clone());
        let mut problems: Vec<String> = problems.into_iter().flatten().collect();
        // A machine without any sound is one trouble, not two or three.
        if let [microphone, speaker, ..] = problems.as_slice()
            && microphone.replace("no microphone", "no speaker") == *speaker
        {
            let both = microphone.replace("no microphone", "neither microphone nor speaker");
            problems = vec![both];
        }
        let event = MediaEvent::Device {
            microphone: self.microphone.name.clone(),
            speaker: self.speaker.name.clone(),
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
