//! Faster or slower speech at the same pitch: periods are left out or said twice, as the jitter buffer does
//! to follow a network (WSOLA), here without end and by a share.

use crate::media::jitter::stretch::{LONGEST, WINDOW, blend_into, find_lag};

/// What is copied between two stretches, in samples.
const PIECE: usize = 240;
/// What must wait for a stretch: what is compared, and two of the longest periods.
const NEEDED: usize = WINDOW + 2 * LONGEST;

/// Turns sound into sound of another speed.
#[derive(Debug)]
pub(super) struct Stretcher {
    /// In percent.
    speed: u32,
    waiting: Vec<f32>,
    /// How many samples, times a hundred, were given too few (above 0) or too many by now.
    debt: i64,
}

impl Stretcher {
    /// Makes sound that fast, in percent of the speed that it was said in.
    pub(super) fn new(speed: u32) -> Self {
        Self {
            speed,
            waiting: Vec::with_capacity(4 * NEEDED),
            debt: 0,
        }
    }

    /// Takes sound.
    pub(super) fn push(&mut self, sound: &[f32]) {
        self.waiting.extend_from_slice(sound);
    }

    /// Adds what can be made of it by now, at the end all.
    pub(super) fn pull(&mut self, ended: bool, into: &mut Vec<f32>) {
        let mut at = 0;
        while let Some(sound) = self.waiting.get(at..).filter(|sound| !sound.is_empty()) {
            let before = into.len();
            let used = match sound.get(..NEEDED) {
                Some(sound) if self.speed > 100 && self.debt > 0 => leave_out(sound, into),
                Some(sound) if self.speed < 100 && self.debt < 0 => say_twice(sound, into),
                Some(sound) => copy(sound, PIECE, into),
                None if self.speed == 100 || ended => copy(sound, sound.len(), into),
                None => break,
            };
            at += used;
            let made = i64::try_from(into.len() - before).unwrap_or(0);
            self.debt += made * i64::from(self.speed) - i64::try_from(used).unwrap_or(0) * 100;
        }
        self.waiting.drain(..at);
    }
}

fn copy(sound: &[f32], length: usize, into: &mut Vec<f32>) -> usize {
    into.extend(sound.iter().take(length));
    length
}

/// Blends a period into the next one; gives the length of both.
fn leave_out(sound: &[f32], into: &mut Vec<f32>) -> usize {
    let (first, second, lag) = periods(sound);
    let mut blended = first.to_vec();
    blend_into(&mut blended, second);
    into.extend(blended);
    2 * lag
}

/// Says a period, and blends the next one back into it; gives the length of one.
fn say_twice(sound: &[f32], into: &mut Vec<f32>) -> usize {
    let (first, second, lag) = periods(sound);
    let mut blended = second.to_vec();
    blend_into(&mut blended, first);
    into.extend(first);
    into.extend(blended);
    lag
}

/// The first two periods, and how long one is.
fn periods(sound: &[f32]) -> (&[f32], &[f32], usize) {
    let (lag, _) = find_lag(sound, LONGEST);
    let (first, rest) = sound.split_at(lag.min(sound.len()));
    let (second, _) = rest.split_at(lag.min(rest.len()));
    (first, second, lag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretched(speed: u32, sound: &[f32]) -> Vec<f32> {
        let mut stretcher = Stretcher::new(speed);
        let mut made = Vec::new();
        for piece in sound.chunks(1_000) {
            stretcher.push(piece);
            stretcher.pull(false, &mut made);
        }
        stretcher.pull(true, &mut made);
        made
    }

    fn tone(hertz: f32, samples: usize) -> Vec<f32> {
        let step = 2.0 * std::f32::consts::PI * hertz / 48_000.0;
        (0..samples).map(|n| (step * n as f32).sin()).collect()
    }

    /// Times that the sound goes up through zero in a second.
    fn pitch(sound: &[f32]) -> f32 {
        let ups = sound.windows(2).filter(|two| two[0] < 0.0 && two[1] >= 0.0);
        ups.count() as f32 * 48_000.0 / sound.len() as f32
    }

    #[test]
    fn a_voice_keeps_its_pitch_at_each_speed() {
        for hertz in [90.0, 180.0, 333.0] {
            let sound = tone(hertz, 96_000);
            for speed in [75, 100, 125, 150, 200_u32] {
                let made = stretched(speed, &sound);
                let expected = 96_000.0 * 100.0 / speed as f32;
                let off = (made.len() as f32 - expected).abs();
                assert!(off < 1_500.0, "{hertz} Hz, {speed} %: {}", made.len());
                let heard = pitch(&made);
                // A period more or less at the ends.
                let ends = 48_000.0 / made.len() as f32;
                assert!(
                    (heard - hertz).abs() < hertz * 0.01 + ends,
                    "{hertz} Hz, {speed} %: {heard}"
                );
                // A seam that does not fit would be a step.
                let step = made.windows(2).map(|two| (two[1] - two[0]).abs());
                let inside = 2.0 * std::f32::consts::PI * hertz / 48_000.0;
                let largest = step.fold(0.0, f32::max);
                assert!(largest < inside * 1.5, "{hertz} Hz, {speed} %: {largest}");
            }
        }
    }

    #[test]
    fn at_its_own_speed_sound_stays_as_it_is_and_nothing_short_is_lost() {
        let sound = tone(200.0, 10_001);
        assert_eq!(stretched(100, &sound), sound);
        for speed in [75, 200] {
            assert_eq!(stretched(speed, &sound[..100]), sound[..100]);
            assert!(stretched(speed, &[]).is_empty());
        }
    }

    #[test]
    fn the_debt_stays_small_however_long_it_plays() {
        for speed in [75, 125, 150, 200] {
            let mut stretcher = Stretcher::new(speed);
            let mut noise = 12_345_u32;
            let mut made = Vec::new();
            for _ in 0..200 {
                let sound: Vec<f32> = std::iter::repeat_with(|| {
                    noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    noise as f32 / u32::MAX as f32 - 0.5
                })
                .take(4_800)
                .collect();
                stretcher.push(&sound);
                made.clear();
                stretcher.pull(false, &mut made);
                let most = i64::try_from(2 * LONGEST).unwrap() * 100;
                assert!(stretcher.debt.abs() <= most, "{speed}: {}", stretcher.debt);
                assert!(stretcher.waiting.len() < NEEDED);
            }
        }
    }
}
