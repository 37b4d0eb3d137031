//! The media thread's view of its sound cards.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant};

use crate::base::clock::monotonic_now;
use crate::media::command::{DeviceChoice, Devices, MediaEvent};
use crate::media::device::opener::{self, Order, Report};
use crate::media::device::{MicrophoneEnd, SpeakerEnd};
use crate::media::frame::{Frame, SILENCE};
use crate::media::volume::{Gain, Volumes};

/// How long cards stay open when nothing is to be heard.
const REST_AFTER: Duration = Duration::from_secs(4);

/// The devices in use.
pub struct SoundCards {
    orders: SyncSender<Order>,
    reports: Receiver<Report>,
    devices: Devices,
    /// An order that the thread could not take yet.
    pending: Option<Order>,
    microphone: Option<MicrophoneEnd>,
    speaker: Option<SpeakerEnd>,
    ringer: Option<SpeakerEnd>,
    /// Since when nothing is to be heard; none while something is.
    idle_since: Option<Instant>,
    resting: bool,
    /// Whether the microphone is open or being opened.
    listening: bool,
    gains: Gains,
}

/// How loud each is made.
#[derive(Default)]
struct Gains {
    microphone: Gain,
    speaker: Gain,
    ringer: Gain,
}

impl SoundCards {
    /// Starts the thread that opens the devices.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be started.
    pub fn start(now: Instant, devices: Devices) -> io::Result<Self> {
        let (orders, reports) = opener::start()?;
        // All are opened once, so that a missing one is told at the start and not in the first call.
        let pending = Some(Order::Open {
            devices: devices.clone(),
            microphone: true,
        });
        Ok(Self {
            orders,
            reports,
            devices,
            pending,
            microphone: None,
            speaker: None,
            ringer: None,
            idle_since: Some(now),
            resting: false,
            listening: true,
            gains: Gains::default(),
        })
    }

    /// Makes them so loud.
    pub fn set_volumes(&mut self, volumes: Volumes) {
        self.gains.microphone.set(volumes.microphone);
        self.gains.speaker.set(volumes.speaker);
        self.gains.ringer.set(volumes.ringer);
    }

    /// Changes the devices.
    pub fn change(&mut self, now: Instant, devices: Devices) {
        self.devices = devices;
        self.resting = false;
        self.idle_since = self.idle_since.map(|_| now);
        self.listening = true;
        self.order();
    }

    /// Takes note of whether something is to be played, and whether somebody is to be heard: opens
    /// or closes the cards.
    pub fn set_busy(&mut self, now: Instant, playing: bool, listening: bool) {
        if playing || listening {
            self.idle_since = None;
            if self.resting || (listening && !self.listening) {
                self.resting = false;
                self.listening = listening;
                self.order();
            }
        } else {
            let since = *self.idle_since.get_or_insert(now);
            if !self.resting && now.saturating_duration_since(since) >= REST_AFTER {
                self.resting = true;
                self.listening = false;
                self.pending = Some(Order::Rest);
            }
        }
    }

    /// Moves orders and reports; gives what is to be told to the agent.
    pub fn poll(&mut self) -> Option<MediaEvent> {
        if let Some(order) = self.pending.take()
            && let Err(error) = self.orders.try_send(order.clone())
        {
            tracing::debug!(%error, "the sound cards are busy");
            self.pending = Some(order);
        }
        while let Ok(report) = self.reports.try_recv() {
            match report {
                Report::Microphone(end) => self.microphone = end,
                Report::Speaker(end) => self.speaker = end,
                Report::Ringer(end) => self.ringer = end,
                Report::News(event) => return Some(event),
            }
        }
        None
    }

    /// Whether the cards are closed, so that nothing is to be expected of them.
    pub fn resting(&self) -> bool {
        self.resting && self.pending.is_none()
    }

    /// Whether a speaker is chosen and not open, or not yet.
    pub fn speaker_opens(&self) -> bool {
        self.speaker.is_none() && self.devices.speaker != DeviceChoice::Null
    }

    /// Whether the tick follows a microphone.
    pub fn has_clock(&self) -> bool {
        self.microphone.is_some()
    }

    /// By how many seconds the tick should come later, or sooner, to suit the speaker.
    pub fn shift(&mut self) -> Option<f64> {
        self.speaker.as_mut().and_then(SpeakerEnd::shift)
    }

    /// Takes note that something is to be played again.
    pub fn begin(&mut self) {
        for end in [&mut self.speaker, &mut self.ringer].into_iter().flatten() {
            end.begin();
        }
    }

    /// How often the speaker had nothing to play since this was asked.
    pub fn take_dry(&mut self) -> u32 {
        self.speaker.as_mut().map_or(0, SpeakerEnd::take_dry)
    }

    /// Whether the microphone has 10 ms.
    pub fn ready(&mut self) -> bool {
        self.microphone.as_mut().is_some_and(MicrophoneEnd::ready)
    }

    /// The next 10 ms of the microphone; silence for what is missing.
    pub fn capture(&mut self) -> Frame {
        let Some(end) = &mut self.microphone else {
            return SILENCE;
        };
        let mut frame = end.take();
        self.gains.microphone.apply(&mut frame);
        frame
    }

    /// Plays 10 ms, where there is no ringer of its own with the ring tone in it; gives what leaves for the
    /// speaker meanwhile.
    pub fn play(&mut self, speaker: &Frame, ringer: &Frame) -> Frame {
        let now = monotonic_now();
        let (mut played, mut ringer) = (*speaker, *ringer);
        self.gains.speaker.apply(&mut played);
        self.gains.ringer.apply(&mut ringer);
        match &mut self.ringer {
            Some(end) => end.add(now, &ringer),
            None => {
                for (sum, sample) in played.iter_mut().zip(&ringer) {
                    *sum += sample;
                }
            }
        }
        for sample in &mut played {
            *sample = sample.clamp(-1.0, 1.0);
        }
        match &mut self.speaker {
            Some(end) => {
                end.add(now, &played);
                end.leaving()
            }
            None => SILENCE,
        }
    }

    /// Uses these in place of what the thread opens.
    #[cfg(test)]
    pub(in crate::media) fn plug(&mut self, microphone: MicrophoneEnd, speaker: SpeakerEnd) {
        self.microphone = Some(microphone);
        self.speaker = Some(speaker);
    }

    fn order(&mut self) {
        self.pending = Some(Order::Open {
            devices: self.devices.clone(),
            microphone: self.listening,
        });
    }
}
