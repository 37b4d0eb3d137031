//! The chain that the microphone's frames go through, and how it is changed.

use crate::media::frame::{FRAME_SAMPLES, Frame, peak};
use crate::media::high_pass::HighPass;
use crate::media::processing::bands::{Bands, Splitter};
use crate::media::processing::echo::EchoCanceller;
use crate::media::processing::gain::GainControl;
use crate::media::processing::noise::NoiseReducer;
use crate::media::processing::{NoiseSuppression, Processing};

/// Frames for which a changed chain runs beside the old one before it is heard: what it holds back
/// must be filled by then.
const WARM_UP_FRAMES: u32 = 4;
/// What is below is hum, rumble and wind, in hertz: 50 Hz is 24 dB lower, 60 Hz 18 dB; the deepest voices
/// begin at 85 Hz.
const RUMBLE: f64 = 100.0;
/// A microphone that comes so near to full scale is too loud for it.
const SATURATED: f32 = 0.998;
/// Where so much of the power was taken out as echo, what is left is echo too.
const MOSTLY_ECHO: f32 = 0.1;

/// The processing for the phone's one microphone and one speaker. Frames in, frames out; it
/// allocates only when the choice changes.
#[derive(Default)]
pub struct VoiceProcessor {
    choice: Processing,
    /// None where nothing is done.
    chain: Option<Box<Chain>>,
    change: Option<Change>,
}

/// A chain that takes over.
struct Change {
    to: Option<Box<Chain>>,
    /// Frames until it is heard.
    warm_up: u32,
}

impl VoiceProcessor {
    /// Chooses what is done from now on; the change is faded, without a click.
    pub fn choose(&mut self, choice: Processing) {
        if choice == self.choice {
            return;
        }
        self.choice = choice;
        self.change = Some(Change {
            to: Chain::new(choice).map(Box::new),
            warm_up: WARM_UP_FRAMES,
        });
    }

    /// Takes the 10 ms that the speaker is given now.
    pub fn play(&mut self, speaker: &Frame) {
        let next = self.change.as_mut().and_then(|change| change.to.as_mut());
        for chain in self.chain.iter_mut().chain(next) {
            chain.play(speaker);
        }
    }

    /// Works on the 10 ms that the microphone gave.
    pub fn capture(&mut self, frame: &mut Frame) {
        let Some(mut change) = self.change.take() else {
            if let Some(chain) = &mut self.chain {
                chain.capture(frame);
            }
            return;
        };
        let mut changed = *frame;
        if let Some(chain) = &mut self.chain {
            chain.capture(frame);
        }
        if let Some(chain) = &mut change.to {
            chain.capture(&mut changed);
        }
        if change.warm_up > 0 {
            change.warm_up -= 1;
            self.change = Some(change);
            return;
        }
        let step = 1.0 / FRAME_SAMPLES as f32;
        let mut share = 0.0;
        for (sample, changed) in frame.iter_mut().zip(&changed) {
            share += step;
            *sample += (changed - *sample) * share;
        }
        self.chain = change.to;
    }

    /// Whether frames pass untouched, so that they need not come.
    pub fn is_off(&self) -> bool {
        self.chain.is_none() && self.change.is_none()
    }

    /// Whether what is played is taken out of what is captured.
    pub fn cancels_echo(&self) -> bool {
        self.choice.echo_cancellation
    }
}

struct Chain {
    high_pass: Option<HighPass<2>>,
    banded: Option<Banded>,
    gain: Option<GainControl>,
}

impl Chain {
    /// Builds it; none where nothing is to be done.
    fn new(choice: Processing) -> Option<Self> {
        if choice == Processing::OFF {
            return None;
        }
        Some(Self {
            high_pass: choice.high_pass.then(|| HighPass::new(RUMBLE)),
            banded: Banded::new(choice),
            gain: choice.gain_control.then(GainControl::new),
        })
    }

    fn play(&mut self, speaker: &Frame) {
        if let Some(banded) = &mut self.banded {
            banded.play(speaker);
        }
    }

    fn capture(&mut self, frame: &mut Frame) {
        let saturated = peak(frame) >= SATURATED;
        if let Some(high_pass) = &mut self.high_pass {
            high_pass.run(frame);
        }
        let mut echo = false;
        if let Some(banded) = &mut self.banded {
            echo = banded.capture(frame, saturated);
        }
        if let Some(gain) = &mut self.gain {
            gain.capture(frame, echo);
        }
    }
}

/// What works in bands.
struct Banded {
    splitter: Splitter,
    echo: Option<Echo>,
    noise: Option<NoiseReducer>,
}

struct Echo {
    splitter: Splitter,
    canceller: EchoCanceller,
}

impl Banded {
    /// Builds it; none where no part of it is on.
    fn new(choice: Processing) -> Option<Self> {
        let any = choice.echo_cancellation || choice.noise_suppression != NoiseSuppression::Off;
        any.then(|| Self {
            splitter: Splitter::default(),
            echo: choice.echo_cancellation.then(|| Echo {
                splitter: Splitter::default(),
                canceller: EchoCanceller::new(),
            }),
            noise: NoiseReducer::new(choice.noise_suppression),
        })
    }

    fn play(&mut self, speaker: &Frame) {
        if let Some(echo) = &mut self.echo {
            let far = echo.splitter.split(speaker);
            echo.canceller.play(&far);
        }
    }

    /// Gives whether what is left is mostly echo.
    fn capture(&mut self, frame: &mut Frame, saturated: bool) -> bool {
        let mut bands = self.splitter.split(frame);
        let mut mostly_echo = false;
        if let Some(echo) = &mut self.echo {
            let before = power(&bands);
            echo.canceller.capture(&mut bands, saturated);
            mostly_echo = power(&bands) < before * MOSTLY_ECHO;
        }
        if let Some(noise) = &mut self.noise {
            noise.learn(&bands);
            noise.capture(&mut bands);
        }
        *frame = self.splitter.join(&bands);
        mostly_echo
    }
}

/// Of the lowest band, where most of a voice is.
fn power([low, ..]: &Bands) -> f32 {
    low.iter().map(|sample| sample * sample).sum()
}
