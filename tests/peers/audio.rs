//! Sound: tones and speech to send, and measures for what arrived.

use std::f64::consts::TAU;
use std::path::Path;
use std::process::Command;

use crate::place;

/// Mono sound.
#[derive(Debug, Clone)]
pub(crate) struct Sound {
    /// Samples from -1 to 1.
    pub(crate) samples: Vec<f64>,
    /// Samples per second.
    pub(crate) rate: u32,
}

/// Frames of the comparison, in milliseconds.
const FRAME_MILLIS: u32 = 20;
/// The edges of the comparison's bands in hertz: what a narrow-band codec carries.
const EDGES: [f64; 15] = [
    200.0, 300.0, 400.0, 510.0, 630.0, 770.0, 920.0, 1080.0, 1270.0, 1480.0, 1720.0, 2000.0,
    2320.0, 2700.0, 3150.0,
];

impl Sound {
    /// A pure tone at half of the full scale.
    pub(crate) fn tone(hertz: f64, seconds: u32, rate: u32) -> Self {
        let samples = (0..seconds * rate)
            .map(|index| 0.5 * (TAU * hertz * f64::from(index) / f64::from(rate)).sin())
            .collect();
        Self { samples, rate }
    }

    /// A sentence spoken by espeak-ng, at `rate`.
    pub(crate) fn speech(text: &str, voice: &str, rate: u32) -> Self {
        place::need("espeak-ng");
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("speech.wav");
        let status = Command::new("espeak-ng")
            .args(["-v", voice, "-w"])
            .arg(&file)
            .arg(text)
            .status();
        assert!(status.unwrap().success(), "espeak-ng failed");
        let [sound] = read(&file).try_into().unwrap();
        sound.at_rate(rate)
    }

    /// The same sound at another rate; linear interpolation is enough for a comparison.
    pub(crate) fn at_rate(&self, rate: u32) -> Self {
        let ratio = f64::from(self.rate) / f64::from(rate);
        let mut samples = Vec::new();
        let mut position = 0.0_f64;
        while let Some(pair) = pair_at(&self.samples, position) {
            samples.push(pair);
            position += ratio;
        }
        Self { samples, rate }
    }

    /// Its rest from so many seconds on.
    pub(crate) fn from(&self, seconds: f64) -> Self {
        let skipped = self.samples.iter().enumerate();
        let rate = f64::from(self.rate);
        let samples = skipped
            .skip_while(|(index, _)| count(*index) < seconds * rate)
            .map(|(_, sample)| *sample)
            .collect();
        Self {
            samples,
            rate: self.rate,
        }
    }

    /// Writes it as 16-bit mono WAV.
    pub(crate) fn write(&self, path: &Path) {
        self.write_channels(path, 1);
    }

    /// Writes it as 16-bit WAV, the same on both sides.
    pub(crate) fn write_stereo(&self, path: &Path) {
        self.write_channels(path, 2);
    }

    fn write_channels(&self, path: &Path, channels: u16) {
        let spec = hound::WavSpec {
            channels,
            sample_rate: self.rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(path, spec).unwrap();
        for sample in &self.samples {
            #[expect(clippy::cast_possible_truncation, reason = "clamped to 16 bits")]
            let value = (sample * 32_767.0).round().clamp(-32_768.0, 32_767.0) as i16;
            for _ in 0..channels {
                writer.write_sample(value).unwrap();
            }
        }
        writer.finalize().unwrap();
    }

    /// Its length in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        count(self.samples.len()) / f64::from(self.rate)
    }

    /// The loudest sample's distance from zero, where 1 is the full scale.
    pub(crate) fn loudest(&self) -> f64 {
        self.samples
            .iter()
            .fold(0.0, |loudest, sample| loudest.max(sample.abs()))
    }

    /// The share of its energy that lies at one frequency, from 0 to 1 (Goertzel, in half-second
    /// pieces; the best piece counts, so silence around a tone does no harm).
    pub(crate) fn share_of_tone(&self, hertz: f64) -> f64 {
        let piece = usize::try_from(self.rate / 2).unwrap();
        let share = |samples: &[f64]| {
            let energy: f64 = samples.iter().map(|sample| sample * sample).sum();
            if energy < 1e-4 * count(samples.len()) {
                return 0.0;
            }
            let (mut real, mut imaginary) = (0.0, 0.0);
            for (index, sample) in samples.iter().enumerate() {
                let angle = TAU * hertz * count(index) / f64::from(self.rate);
                real += sample * angle.cos();
                imaginary += sample * angle.sin();
            }
            2.0 * (real * real + imaginary * imaginary) / (count(samples.len()) * energy)
        };
        self.samples
            .chunks_exact(piece)
            .map(share)
            .fold(0.0, f64::max)
    }

    /// The share of its energy between two frequencies in hertz, of what lies between 200 and 7000.
    pub(crate) fn share_between(&self, low: f64, high: f64) -> f64 {
        let length = usize::try_from(self.rate / 50).unwrap();
        let (mut inside, mut all) = (0.0, 1e-9);
        for hertz in (2..=70).map(|bin| 100.0 * f64::from(bin)) {
            let wave: Vec<(f64, f64)> = (0..length)
                .map(|index| {
                    let part = count(index) / count(length);
                    let window = 0.5 - 0.5 * (TAU * part).cos();
                    let angle = TAU * hertz * count(index) / f64::from(self.rate);
                    (window * angle.cos(), window * angle.sin())
                })
                .collect();
            for frame in self.samples.chunks_exact(length) {
                let (mut real, mut imaginary) = (0.0, 0.0);
                for (sample, (cos, sin)) in frame.iter().zip(&wave) {
                    real += sample * cos;
                    imaginary += sample * sin;
                }
                let energy = real * real + imaginary * imaginary;
                all += energy;
                if (low..high).contains(&hertz) {
                    inside += energy;
                }
            }
        }
        inside / all
    }

    /// How far this sound is from `sent`, in decibels: the mean difference of the band spectra
    /// over the frames in which `sent` speaks, at the best alignment, levels evened out.
    ///
    /// The same speech after a codec is some 3 dB away; other speech or silence 10 and more.
    pub(crate) fn distance_from(&self, sent: &Self) -> f64 {
        // What was sent may have begun before this sound did.
        let mut padded = vec![0.0; usize::try_from(2 * self.rate).unwrap()];
        padded.extend_from_slice(&self.samples);
        let ours = Self {
            samples: padded,
            rate: self.rate,
        }
        .spectra();
        let theirs = sent.spectra();
        let loudest = theirs
            .iter()
            .map(|frame| mean(frame))
            .fold(f64::MIN, f64::max);
        let active: Vec<usize> = (0..theirs.len())
            .filter(|index| mean(&theirs[*index]) > loudest - 25.0)
            .collect();
        assert!(active.len() > 50, "there is not enough speech to compare");
        let latest = ours.len().saturating_sub(active.len());
        // Frames of the two sides lie up to half a frame apart; `spectra` steps by a quarter.
        (0..=latest)
            .map(|shift| {
                let pairs: Vec<_> = active
                    .iter()
                    .filter_map(|index| Some((ours.get(index + shift)?, &theirs[*index])))
                    .collect();
                if pairs.len() * 10 < active.len() * 9 {
                    return f64::MAX;
                }
                let gains: Vec<f64> = pairs.iter().map(|(a, b)| mean(a) - mean(b)).collect();
                let gain = mean(&gains);
                let distances: Vec<f64> = pairs
                    .iter()
                    .flat_map(|(a, b)| a.iter().zip(b.iter()).map(|(x, y)| (x - y - gain).abs()))
                    .collect();
                mean(&distances)
            })
            .fold(f64::MAX, f64::min)
    }

    /// Band levels in decibels, a frame each 5 ms.
    fn spectra(&self) -> Vec<Vec<f64>> {
        let narrow = self.at_rate(8_000);
        let length = usize::try_from(8 * FRAME_MILLIS).unwrap();
        let step = length / 4;
        let window: Vec<f64> = (0..length)
            .map(|i| 0.5 - 0.5 * (TAU * count(i) / count(length)).cos())
            .collect();
        // One sine and cosine for each 50 Hz, which is the resolution of 20 ms.
        let bins: Vec<(f64, Vec<(f64, f64)>)> = (4..=63)
            .map(|bin| {
                let hertz = 50.0 * f64::from(bin);
                let wave = |index| {
                    let angle = TAU * hertz * count(index) / 8_000.0;
                    (angle.cos(), angle.sin())
                };
                (hertz, (0..length).map(wave).collect())
            })
            .collect();
        narrow
            .samples
            .windows(length)
            .step_by(step)
            .map(|frame| {
                let frame: Vec<f64> = frame.iter().zip(&window).map(|(a, b)| a * b).collect();
                let mut bands = vec![0.0; EDGES.len() - 1];
                for (hertz, wave) in &bins {
                    let (mut real, mut imaginary) = (0.0, 0.0);
                    for (sample, (cos, sin)) in frame.iter().zip(wave) {
                        real += sample * cos;
                        imaginary += sample * sin;
                    }
                    let band = EDGES
                        .windows(2)
                        .position(|e| e[0] <= *hertz && *hertz < e[1]);
                    if let Some(band) = band {
                        bands[band] += real * real + imaginary * imaginary;
                    }
                }
                // A floor at about -60 dB, so that silence is not infinitely far.
                bands
                    .into_iter()
                    .map(|energy: f64| 10.0 * (energy + 1e-3).log10())
                    .collect()
            })
            .collect()
    }
}

/// The channels of a WAV file.
pub(crate) fn read(path: &Path) -> Vec<Sound> {
    let mut reader =
        hound::WavReader::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let spec = reader.spec();
    assert_eq!(
        (spec.bits_per_sample, spec.sample_format),
        (16, hound::SampleFormat::Int)
    );
    let samples: Vec<f64> = reader
        .samples::<i16>()
        .map(|sample| f64::from(sample.unwrap()) / 32_768.0)
        .collect();
    let channels = usize::from(spec.channels);
    (0..channels)
        .map(|channel| Sound {
            samples: samples
                .iter()
                .skip(channel)
                .step_by(channels)
                .copied()
                .collect(),
            rate: spec.sample_rate,
        })
        .collect()
}

/// A recording: left is the own side, right the far end.
pub(crate) fn read_recording(path: &Path) -> (Sound, Sound) {
    let channels = read(path);
    let count = channels.len();
    let [left, right] = channels
        .try_into()
        .unwrap_or_else(|_| panic!("two channels, not {count}"));
    (left, right)
}

fn pair_at(samples: &[f64], position: f64) -> Option<f64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "never negative"
    )]
    let index = position as usize;
    let (first, second) = (samples.get(index)?, samples.get(index + 1)?);
    let part = position.fract();
    Some(first * (1.0 - part) + second * part)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values.len()).max(1.0)
}

fn count(length: usize) -> f64 {
    f64::from(u32::try_from(length).unwrap())
}

#[test]
fn a_tone_is_told_from_another_and_from_silence() {
    let tone = Sound::tone(440.0, 1, 8_000);
    assert!(tone.share_of_tone(440.0) > 0.99);
    assert!(tone.share_of_tone(1_000.0) < 0.01);
    let silence = Sound {
        samples: vec![0.0; 8_000],
        rate: 8_000,
    };
    assert!(silence.share_of_tone(440.0) < 0.01);
}

#[test]
fn speech_is_near_itself_when_late_soft_and_resampled_and_far_from_other_speech() {
    let sent = Sound::speech(
        "The quick brown fox jumps over the lazy dog.",
        "en-us",
        48_000,
    );
    let mut late = vec![0.0; 4_321];
    late.extend(sent.samples.iter().map(|sample| sample * 0.3));
    late.extend(vec![0.0; 9_999]);
    let late = Sound {
        samples: late,
        rate: 48_000,
    }
    .at_rate(16_000);
    let other = Sound::speech(
        "Never odd or even, was it a rat I saw today?",
        "en-us+f3",
        16_000,
    );
    let near = late.distance_from(&sent);
    let far = other.distance_from(&sent);
    assert!(near < 3.5, "{near} dB, and {far} dB");
    assert!(far > 7.0, "{far} dB");
}
