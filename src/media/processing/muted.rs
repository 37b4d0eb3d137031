//! Notices an agent who talks while muted, by `earshot`.

use earshot::Detector;

use crate::media::frame::{Frame, SAMPLE_RATE, peak};
use crate::media::rate::{RateConverter, RateError};

/// The rate at which the detector listens, in hertz.
const DETECTOR_RATE: u32 = 16_000;
/// Samples that it takes at once: 16 ms.
const PIECE: usize = 256;
/// What it takes for a voice.
const VOICE: f32 = 0.6;
/// So many pieces of voice are talk, and not a cough: 0.5 s; each piece without takes one away.
const TALK: u32 = 30;
/// Ticks between two hints: 10 s.
const BETWEEN_HINTS: u32 = 1_000;
/// For so many ticks after something was played, a microphone that hears the speaker is not believed:
/// 0.3 s.
const ECHOES: u32 = 30;
/// What counts as played.
const AUDIBLE: f32 = 0.003;

/// Whether a microphone hears what the speaker plays, as far as that can be known.
#[derive(Debug, Default)]
pub struct Echo {
    /// Ticks for which it may.
    left: u32,
}

impl Echo {
    /// Takes what was played in this tick, unless it is taken out of what is captured; true while what
    /// is captured may come from the speaker.
    pub fn is_possible(&mut self, played: Option<&Frame>) -> bool {
        self.left = if played.is_some_and(|frame| peak(frame) > AUDIBLE) {
            ECHOES
        } else {
            self.left.saturating_sub(1)
        };
        self.left > 0
    }
}

/// Listens only while the agent is muted. It allocates only when it is made.
pub struct MutedTalk {
    detector: Box<Detector>,
    converter: RateConverter,
    piece: [f32; PIECE],
    filled: usize,
    voice: u32,
    /// Ticks until the next hint may be given.
    rest: u32,
    echo: Echo,
}

impl MutedTalk {
    /// Prepares one.
    ///
    /// # Errors
    ///
    /// Never: the rates are sounds.
    pub fn new() -> Result<Self, RateError> {
        Ok(Self {
            detector: Detector::default_boxed(),
            converter: RateConverter::new(SAMPLE_RATE, DETECTOR_RATE)?,
            piece: [0.0; PIECE],
            filled: 0,
            voice: 0,
            rest: 0,
            echo: Echo::default(),
        })
    }

    /// Takes what the microphone gave in one tick, and what the speaker played unless that was taken
    /// out of it. True when the agent talks and is muted, at most once in ten seconds.
    pub fn tick(&mut self, captured: &Frame, played: Option<&Frame>, muted: bool) -> bool {
        self.rest = self.rest.saturating_sub(1);
        if !muted {
            self.voice = 0;
            return false;
        }
        let trusted = !self.echo.is_possible(played);
        let Self {
            detector,
            converter,
            piece,
            filled,
            voice,
            ..
        } = self;
        converter.process(captured, |samples| {
            for sample in samples {
                if let Some(to) = piece.get_mut(*filled) {
                    *to = sample.clamp(-1.0, 1.0);
                }
                *filled += 1;
                if *filled == PIECE {
                    *filled = 0;
                    let heard = detector.predict_f32(piece) >= VOICE;
                    *voice = if heard && trusted {
                        *voice + 1
                    } else {
                        voice.saturating_sub(1)
                    };
                }
            }
        });
        if self.voice < TALK {
            return false;
        }
        self.voice = 0;
        if self.rest > 0 {
            return false;
        }
        self.rest = BETWEEN_HINTS;
        true
    }
}

#[cfg(test)]
mod tests {
    use assert_no_alloc::assert_no_alloc;

    use super::*;
    use crate::media::frame::FRAME_SAMPLES;
    use crate::media::processing::acoustics::{Noise, speech};

    /// The ticks at which the hint is given.
    fn hints(sound: &[f32], played: Option<&[f32]>, muted: bool) -> Vec<usize> {
        let mut talk = MutedTalk::new().unwrap();
        let frame = |sound: &[f32], n| -> Frame {
            let at = n * FRAME_SAMPLES;
            sound[at..at + FRAME_SAMPLES].try_into().unwrap()
        };
        (0..sound.len() / FRAME_SAMPLES)
            .filter(|n| {
                let played = played.map(|played| frame(played, *n));
                talk.tick(&frame(sound, *n), played.as_ref(), muted)
            })
            .collect()
    }

    #[test]
    fn talking_while_muted_gives_a_hint_at_most_once_in_ten_seconds() {
        let voice = speech(5, 25, 0.05);
        let given = hints(&voice, None, true);
        assert!((2..=3).contains(&given.len()), "{given:?}");
        assert!(given[0] < 300, "{given:?}");
        assert!(given.windows(2).all(|pair| pair[1] - pair[0] >= 1_000));
        assert_eq!(hints(&voice, None, false), [0; 0]);
    }

    #[test]
    fn neither_noise_nor_the_far_end_in_the_speaker_gives_one() {
        let noise = Noise::new(2).steady(48_000 * 12, 0.02);
        assert_eq!(hints(&noise, None, true), [0; 0]);
        let far = speech(6, 12, 0.1);
        let echo: Vec<f32> = far.iter().map(|sample| sample * 0.3).collect();
        assert_eq!(hints(&echo, Some(&far), true), [0; 0]);
    }

    #[test]
    fn listening_does_not_allocate() {
        let voice = speech(5, 1, 0.05);
        let mut talk = MutedTalk::new().unwrap();
        assert_no_alloc(|| {
            for frame in voice.as_chunks::<FRAME_SAMPLES>().0 {
                talk.tick(frame, None, true);
            }
        });
    }
}
