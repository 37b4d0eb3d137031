//! Call progress tones: 425 Hz in the cadences of most of Europe (ETSI TR 101 041-2), and our own
//! ring. Each burst rises and falls over 10 ms, so that nothing clicks.

use crate::media::command::Tone;
use crate::media::frame::{FRAME_SAMPLES, Frame, SAMPLES_PER_MILLI};

/// The rise and fall of a burst.
const EDGE_MILLIS: usize = 10;

/// A part of a cadence.
#[derive(Debug, Clone, Copy)]
struct Burst {
    /// One or two frequencies in hertz; 0 for none.
    hertz: [f32; 2],
    millis: usize,
}

const fn tone(hertz: f32, millis: usize) -> Burst {
    Burst {
        hertz: [hertz, 0.0],
        millis,
    }
}

const fn chord(low: f32, high: f32, millis: usize) -> Burst {
    Burst {
        hertz: [low, high],
        millis,
    }
}

const fn pause(millis: usize) -> Burst {
    Burst {
        hertz: [0.0, 0.0],
        millis,
    }
}

/// A cadence, which repeats, with its level in parts of full scale.
fn cadence(tone_name: Tone) -> (&'static [Burst], f32) {
    const RING: [Burst; 8] = [
        chord(440.0, 554.4, 180),
        chord(554.4, 659.3, 180),
        chord(440.0, 554.4, 180),
        chord(554.4, 659.3, 180),
        chord(440.0, 554.4, 180),
        chord(554.4, 659.3, 180),
        chord(440.0, 659.3, 420),
        pause(2_500),
    ];
    const CALL_WAITING: [Burst; 4] = [tone(425.0, 200), pause(600), tone(425.0, 200), pause(3_000)];
    const RINGBACK: [Burst; 2] = [tone(425.0, 1_000), pause(4_000)];
    const BUSY: [Burst; 2] = [tone(425.0, 500), pause(500)];
    const CONGESTION: [Burst; 2] = [tone(425.0, 250), pause(250)];
    const RECORDED: [Burst; 2] = [tone(1_400.0, 200), pause(14_800)];
    const GAP: [Burst; 2] = [tone(1_000.0, 120), pause(14_880)];
    match tone_name {
        Tone::Ring => (&RING, 0.35),
        Tone::CallWaiting => (&CALL_WAITING, 0.05),
        Tone::Ringback => (&RINGBACK, 0.12),
        Tone::Busy => (&BUSY, 0.12),
        Tone::Congestion => (&CONGESTION, 0.12),
        Tone::Recorded => (&RECORDED, 0.1),
        Tone::Gap => (&GAP, 0.1),
    }
}

/// A tone that is being played.
#[derive(Debug, Clone)]
pub struct TonePlayer {
    tone: Tone,
    /// Which burst.
    index: usize,
    /// Where in it, in samples.
    position: usize,
}

impl TonePlayer {
    /// Starts a tone.
    pub fn new(tone: Tone) -> Self {
        Self {
            tone,
            index: 0,
            position: 0,
        }
    }

    /// Which tone.
    pub fn tone(&self) -> Tone {
        self.tone
    }

    /// Adds the next 10 ms to a frame.
    pub fn mix_into(&mut self, frame: &mut Frame) {
        self.play(frame, 1.0, 0.0);
    }

    /// Adds the last 10 ms, in which it fades away.
    pub fn fade_into(mut self, frame: &mut Frame) {
        self.play(frame, 1.0, 1.0 / FRAME_SAMPLES as f32);
    }

    fn play(&mut self, frame: &mut Frame, mut gain: f32, fall: f32) {
        let (bursts, level) = cadence(self.tone);
        for sample in frame.iter_mut() {
            let Some(burst) = bursts.get(self.index) else {
                return;
            };
            let length = burst.millis * SAMPLES_PER_MILLI;
            let edge = EDGE_MILLIS * SAMPLES_PER_MILLI;
            let inside = self.position.min(length - self.position).min(edge);
            let envelope = inside as f32 / edge as f32;
            *sample += wave(burst.hertz, self.position) * envelope * level * gain;
            gain -= fall;
            self.position += 1;
            if self.position >= length {
                self.position = 0;
                self.index = (self.index + 1) % bursts.len();
            }
        }
    }
}

/// One or two sines of together full scale.
fn wave(hertz: [f32; 2], position: usize) -> f32 {
    let count = hertz.iter().filter(|hertz| **hertz > 0.0).count().max(1);
    let sum: f32 = hertz
        .iter()
        .map(|hertz| {
            // A burst is short, so the phase stays exact enough in f32 once the turns are removed.
            let turns = (hertz / 48_000.0 * position as f32).fract();
            (2.0 * std::f32::consts::PI * turns).sin()
        })
        .sum();
    sum / count as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::frame::{SILENCE, peak};

    fn play(tone: Tone, seconds: usize) -> Vec<f32> {
        let mut player = TonePlayer::new(tone);
        let mut samples = Vec::new();
        for _ in 0..seconds * 100 {
            let mut frame = SILENCE;
            player.mix_into(&mut frame);
            samples.extend(frame);
        }
        samples
    }

    /// Whether each 10 ms is sounding.
    fn pattern(samples: &[f32]) -> Vec<bool> {
        samples
            .chunks(480)
            .map(|frame| peak(frame) > 0.001)
            .collect()
    }

    #[test]
    fn cadences_are_as_documented() {
        for (tone, on, period) in [
            (Tone::Ringback, 100, 500),
            (Tone::Busy, 50, 100),
            (Tone::Congestion, 25, 50),
        ] {
            let pattern = pattern(&play(tone, 10));
            let sounding = pattern.iter().filter(|on| **on).count();
            assert_eq!(sounding, on * (1_000 / period), "{tone:?}");
            assert!(pattern[0] && pattern[on - 1] && !pattern[on]);
        }
    }

    #[test]
    fn no_tone_clicks() {
        for tone in [
            Tone::Ring,
            Tone::CallWaiting,
            Tone::Ringback,
            Tone::Busy,
            Tone::Congestion,
        ] {
            let samples = play(tone, 5);
            let step = samples
                .windows(2)
                .map(|w| (w[1] - w[0]).abs())
                .fold(0.0, f32::max);
            let loudest = peak(&samples);
            assert!(loudest > 0.03 && loudest < 0.5);
            // The steepest a sine of 660 Hz gets.
            assert!(step < loudest * 0.09, "{tone:?}: {step}");
        }
    }

    #[test]
    fn call_waiting_is_soft() {
        assert!(peak(&play(Tone::CallWaiting, 1)) * 2.0 < peak(&play(Tone::Ringback, 1)));
    }

    #[test]
    fn a_tone_that_is_ended_fades_away() {
        let mut player = TonePlayer::new(Tone::Busy);
        player.mix_into(&mut SILENCE.clone());
        player.mix_into(&mut SILENCE.clone());
        let mut last = SILENCE;
        player.fade_into(&mut last);
        assert!(peak(&last[..100]) > 0.1 && peak(&last[470..]) < 0.01);
    }
}
