//! Several calls that hear each other, with the agent among them: a conference on this machine.

use crate::media::frame::{Frame, SILENCE};

/// What all members say together.
#[derive(Debug, Clone)]
pub(super) struct Mix(Frame);

impl Mix {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self(SILENCE)
    }

    /// Adds what one member says.
    pub(super) fn add(&mut self, heard: &Frame) {
        for (sum, sample) in self.0.iter_mut().zip(heard) {
            *sum += sample;
        }
    }

    /// What is heard of all.
    pub(super) fn all(&self) -> &Frame {
        &self.0
    }

    /// What a member hears: all the others, never itself.
    pub(super) fn without(&self, own: &Frame) -> Frame {
        let mut others = self.0;
        for (sum, sample) in others.iter_mut().zip(own) {
            // Several loud voices at once are cut rather than passed on beyond full scale.
            *sum = (*sum - sample).clamp(-1.0, 1.0);
        }
        others
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::frame::FRAME_SAMPLES;

    #[test]
    fn each_member_hears_the_others_and_nobody_himself() {
        let voices = [0.5, 0.25, -0.125].map(|level| [level; FRAME_SAMPLES]);
        let mut mix = Mix::new();
        for voice in &voices {
            mix.add(voice);
        }
        assert_eq!(*mix.all(), [0.625; FRAME_SAMPLES]);
        for (own, others) in voices.iter().zip([0.125, 0.375, 0.75]) {
            assert_eq!(mix.without(own), [others; FRAME_SAMPLES]);
        }
        let loud = [0.9; FRAME_SAMPLES];
        mix.add(&loud);
        mix.add(&loud);
        assert_eq!(mix.without(&voices[0]), [1.0; FRAME_SAMPLES]);
    }
}
