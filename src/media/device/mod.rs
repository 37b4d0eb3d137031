//! Where sound comes from and goes to: sound cards, the null device, files.

pub mod file;

use std::collections::VecDeque;
use std::io;
use std::time::Instant;

use crate::media::command::{DeviceChoice, Devices, MediaEvent};
use crate::media::frame::{Frame, SILENCE};

/// The devices in use.
pub struct SoundCards {
    news: VecDeque<MediaEvent>,
}

impl SoundCards {
    /// Opens the devices.
    ///
    /// # Errors
    ///
    /// Fails when no thread can be started.
    pub fn start(devices: Devices) -> io::Result<Self> {
        let mut cards = Self {
            news: VecDeque::new(),
        };
        cards.change(devices);
        Ok(cards)
    }

    /// Changes the devices.
    pub fn change(&mut self, devices: Devices) {
        let null = [&devices.microphone, &devices.speaker]
            .iter()
            .all(|choice| **choice == DeviceChoice::Null);
        let problem = (!null).then(|| {
            "no sound card can be used; connect one, or choose the null device".to_owned()
        });
        self.news.push_back(MediaEvent::Device {
            microphone: "null device".to_owned(),
            speaker: "null device".to_owned(),
            problem,
        });
    }

    /// Gets the devices ready, because sound is about to be wanted.
    pub fn wake(&mut self) {}

    /// What happened to the devices.
    pub fn poll(&mut self, _now: Instant) -> Option<MediaEvent> {
        self.news.pop_front()
    }

    /// The next 10 ms of the microphone.
    pub fn capture(&mut self) -> Frame {
        SILENCE
    }

    /// Plays 10 ms.
    pub fn play(&mut self, _at: Instant, _speaker: &Frame, _ringer: &Frame) {}
}

/// Names of the microphones and speakers.
pub fn list() -> (Vec<String>, Vec<String>) {
    (Vec::new(), Vec::new())
}
