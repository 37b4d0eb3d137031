//! The media thread's view of its sound cards.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant};

use crate::media::command::{Devices, MediaEvent};
use crate::media::device::opener::{self, Order, Report};
use crate::media::device::{MicrophoneEnd, SpeakerEnd};
use crate::media::frame::{Frame, SILENCE};

/// How long cards stay open when nothing is to be heard.
const REST_AFTER: Duration = Duration::from_secs(4);
/// A card that gives nothing but zeros for so long is reported: some systems refuse a microphone
/// that way.
const DIGITAL_SILENCE_FRAMES: u32 = 500;

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
    /// Frames of nothing but zeros that the microphone gave.
    zero_frames: u32,
    /// What was told last, for the report of digital silence.
    told: Option<(String, String)>,
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
            zero_frames: 0,
            told: None,
        })
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
                Report::Microphone(end) => {
                    self.microphone = end;
                    self.zero_frames = 0;
                }
                Report::Speaker(end) => self.speaker = end,
                Report::Ringer(end) => self.ringer = end,
                Report::News(event) => {
                    if let MediaEvent::Device {
                        microphone,
                        speaker,
                        ..
                    } = &event
                    {
                        self.told = Some((microphone.clone(), speaker.clone()));
                    }
                    return Some(event);
                }
            }
        }
        self.digital_silence()
    }

    /// Whether the cards are closed, so that nothing is to be expected of them.
    pub fn resting(&self) -> bool {
        self.resting && self.pending.is_none()
    }

    /// Whether the tick follows a microphone.
    pub fn has_clock(&self) -> bool {
        self.microphone.is_some()
    }

    /// Whether the microphone has 10 ms.
    pub fn ready(&mut self) -> bool {
        self.microphone.as_mut().is_some_and(MicrophoneEnd::ready)
    }

    /// The next 10 ms of the microphone.
    pub fn capture(&mut self) -> Frame {
        let Some(microphone) = &mut self.microphone else {
            return SILENCE;
        };
        let frame = microphone.take();
        if frame.iter().all(|sample| *sample == 0.0) {
            self.zero_frames = self.zero_frames.saturating_add(1);
        } else {
            self.zero_frames = 0;
        }
        frame
    }

    /// Plays 10 ms; where there is no ringer of its own, the speaker rings.
    pub fn play(&mut self, speaker: &Frame, ringer: &Frame) {
        let mut speaker = *speaker;
        match &mut self.ringer {
            Some(end) => end.add(ringer),
            None => {
                for (sum, sample) in speaker.iter_mut().zip(ringer) {
                    *sum += sample;
                }
            }
        }
        if let Some(end) = &mut self.speaker {
            for sample in &mut speaker {
                *sample = sample.clamp(-1.0, 1.0);
            }
            end.add(&speaker);
        }
    }

    fn order(&mut self) {
        self.pending = Some(Order::Open {
            devices: self.devices.clone(),
            microphone: self.listening,
        });
    }

    /// Reports a microphone that gives nothing, once.
    fn digital_silence(&mut self) -> Option<MediaEvent> {
        if self.zero_frames < DIGITAL_SILENCE_FRAMES {
            return None;
        }
        self.zero_frames = 0;
        let (microphone, speaker) = self.told.take()?;
        let problem = format!(
            "the microphone “{microphone}” gives no sound at all; check that it is not switched \
             off, and that the system allows this program to use it"
        );
        Some(MediaEvent::Device {
            microphone,
            speaker,
            problem: Some(problem),
        })
    }
}
