//! The callers' voice: vowels on a falling pitch, so that level, codec and echo behave as with
//! speech. A glottal pulse train goes through three resonators (Klatt 1980).

use std::f32::consts::PI;
use std::path::{Path, PathBuf};

use crate::base::random::{OsRandom, Random as _};

/// Samples a second.
const RATE: u32 = 16_000;

/// The peak, of full scale: as loud as a person who speaks into a headset.
const PEAK: f32 = 0.35;

/// The first three formants of each syllable in hertz (Peterson and Barney 1952) and its length in
/// milliseconds; a length without formants is a pause.
const PHRASE: [(Option<[f32; 3]>, u32); 14] = [
    (Some([530.0, 1840.0, 2480.0]), 160),
    (Some([570.0, 840.0, 2410.0]), 260),
    (None, 120),
    (Some([270.0, 2290.0, 3010.0]), 180),
    (Some([730.0, 1090.0, 2440.0]), 220),
    (Some([300.0, 870.0, 2240.0]), 200),
    (None, 80),
    (Some([390.0, 1990.0, 2550.0]), 150),
    (Some([660.0, 1720.0, 2410.0]), 190),
    (Some([440.0, 1020.0, 2240.0]), 170),
    (Some([640.0, 1190.0, 2390.0]), 240),
    (None, 90),
    (Some([270.0, 2290.0, 3010.0]), 320),
    (None, 900),
];

/// The callers' voice as a WAV file that goes away with this value.
#[derive(Debug)]
pub struct VoiceFile {
    path: PathBuf,
}

impl VoiceFile {
    /// Writes it into the system's folder for temporary files: 16 kHz, mono, 16 bits.
    ///
    /// # Errors
    ///
    /// Fails when the folder takes no file.
    pub fn write() -> Result<Self, hound::Error> {
        let name = format!("ringdesk-lab-{}.wav", OsRandom.hex(8));
        let path = std::env::temp_dir().join(name);
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: RATE,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let file = Self { path };
        let mut writer = hound::WavWriter::create(&file.path, spec)?;
        for sample in phrase() {
            writer.write_sample(sample)?;
        }
        writer.finalize()?;
        Ok(file)
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for VoiceFile {
    fn drop(&mut self) {
        // The system clears its folder too.
        drop(std::fs::remove_file(&self.path));
    }
}

/// One phrase with the pause behind it.
fn phrase() -> Vec<i16> {
    let mut sound = Vec::new();
    let mut phase = 0.0;
    for (formants, millis) in PHRASE {
        let length = RATE / 1000 * millis;
        let mut tract = formants.map(|formants| formants.map(Resonator::new));
        for place in 0..length {
            let Some(tract) = &mut tract else {
                sound.push(0.0);
                continue;
            };
            let done = ratio(place, length);
            // The voice falls from 140 to 105 Hz in the course of the phrase.
            let pitch = 140.0 - 35.0 * (seconds(sound.len()) / 2.4).min(1.0);
            phase += pitch / hertz(RATE);
            let mut excitation = 0.0;
            if phase >= 1.0 {
                phase -= 1.0;
                excitation = 1.0;
            }
            let envelope = (done * PI).sin().max(0.0).sqrt();
            let voiced = tract
                .iter_mut()
                .fold(excitation * envelope, |signal, resonator| {
                    resonator.step(signal)
                });
            sound.push(voiced);
        }
    }
    let loudest = sound
        .iter()
        .fold(f32::MIN_POSITIVE, |loudest: f32, it| loudest.max(it.abs()));
    sound.iter().map(|it| to_i16(it / loudest * PEAK)).collect()
}

/// A second-order resonator with unit gain at 0 Hz and a bandwidth of 80 Hz.
struct Resonator {
    a: f32,
    b: f32,
    c: f32,
    last: f32,
    before: f32,
}

impl Resonator {
    fn new(frequency: f32) -> Self {
        let step = 1.0 / hertz(RATE);
        let c = -(-2.0 * PI * 80.0 * step).exp();
        let b = 2.0 * (-PI * 80.0 * step).exp() * (2.0 * PI * frequency * step).cos();
        Self {
            a: 1.0 - b - c,
            b,
            c,
            last: 0.0,
            before: 0.0,
        }
    }

    fn step(&mut self, input: f32) -> f32 {
        let output = self.a * input + self.b * self.last + self.c * self.before;
        self.before = self.last;
        self.last = output;
        output
    }
}

fn hertz(rate: u32) -> f32 {
    ratio(rate, 1)
}

fn seconds(samples: usize) -> f32 {
    u32::try_from(samples).map_or(f32::MAX, |samples| ratio(samples, RATE))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "all numbers here are below 2^24"
)]
fn ratio(part: u32, whole: u32) -> f32 {
    part as f32 / whole as f32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the value is within full scale"
)]
fn to_i16(value: f32) -> i16 {
    (value.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_voice_is_loud_enough_ends_in_silence_and_never_clips() {
        let sound = phrase();
        let peak = sound.iter().map(|it| it.unsigned_abs()).max().unwrap();
        assert!((10_000..13_000).contains(&peak), "{peak}");
        let pause = sound.len() - 14_000;
        assert!(sound[pause..].iter().all(|it| *it == 0));
        let loud = sound.iter().filter(|it| it.unsigned_abs() > 1000).count();
        assert!(loud > sound.len() / 10, "{loud} of {}", sound.len());
    }

    #[test]
    fn the_file_can_be_read_and_goes_away() {
        let file = VoiceFile::write().unwrap();
        let path = file.path().to_owned();
        let read = hound::WavReader::open(&path).unwrap().duration();
        assert!(read > 2 * RATE);
        drop(file);
        assert!(!path.exists());
    }
}
