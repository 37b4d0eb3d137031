//! A WAV file in place of the microphone: read whole, mixed to mono, resampled to 48 kHz.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use hound::{SampleFormat, WavReader, WavSpec};

use crate::media::frame::{FRAME_SAMPLES, Frame, SAMPLE_RATE, SILENCE, from_pcm16, to_pcm16};
use crate::media::rate::RateConverter;

/// The longest file in place of the microphone, in seconds: 173 MB in memory.
pub const LONGEST_SECONDS: u32 = 30 * 60;
/// Channels that are mixed.
const MAX_CHANNELS: u16 = 32;

/// Why a file cannot be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system refuses.
    #[error("cannot read {path}: {source}; choose another WAV file")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is no WAV that we know.
    #[error("{path} is no WAV file that can be played: {reason}; choose another one")]
    Format {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// It is too long.
    #[error("{path} is longer than {}; choose a shorter file", lasting(*.seconds))]
    TooLong {
        /// The file.
        path: String,
        /// How long it may be, in seconds.
        seconds: u32,
    },
}

/// A length as a person says it.
fn lasting(seconds: u32) -> String {
    if seconds.is_multiple_of(60) {
        format!("{} min", seconds / 60)
    } else {
        format!("{seconds} s")
    }
}

/// Sound in memory: 16-bit mono at 48 kHz.
pub type Sound = Arc<[i16]>;

/// Reads a file of at most so many seconds. It takes up to seconds for a long one: never on the media
/// thread.
///
/// # Errors
///
/// Fails when it cannot be read, is no PCM WAV, is empty, or is longer.
pub fn load(path: &Path, seconds: u32) -> Result<Sound, FileError> {
    let name = path.display().to_string();
    let unreadable = |source| FileError::Unreadable {
        path: name.clone(),
        source,
    };
    let format = |reason: String| FileError::Format {
        path: name.clone(),
        reason,
    };
    let wrong = |error: hound::Error| match error {
        hound::Error::IoError(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
            // hound tells a text file by this kind, too.
            if source.kind() == std::io::ErrorKind::Other {
                format(source.to_string())
            } else {
                unreadable(source)
            }
        }
        other => format(other.to_string()),
    };
    let file = File::open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(format("it is no regular file".to_owned()));
    }
    let reader = WavReader::new(BufReader::new(file)).map_err(wrong)?;
    let spec = reader.spec();
    if spec.channels == 0 || spec.channels > MAX_CHANNELS {
        return Err(format(format!("it has {} channels", spec.channels)));
    }
    let longest = u64::from(spec.sample_rate) * u64::from(seconds);
    if u64::from(reader.duration()) > longest {
        return Err(FileError::TooLong {
            path: name,
            seconds,
        });
    }
    let mono = read_mono(reader, spec).map_err(wrong)?;
    if mono.is_empty() {
        return Err(format("there is no sound in it".to_owned()));
    }
    resample(&mono, spec.sample_rate).map_err(|error| format(error.to_string()))
}

fn read_mono<R: Read>(mut reader: WavReader<R>, spec: WavSpec) -> Result<Vec<f32>, hound::Error> {
    let channels = usize::from(spec.channels);
    let length = usize::try_from(reader.duration()).unwrap_or(0);
    let mut mixer = Mixer {
        channels,
        sum: 0.0,
        count: 0,
        mono: Vec::with_capacity(length),
    };
    match spec.sample_format {
        SampleFormat::Float => {
            for sample in reader.samples::<f32>() {
                mixer.add(sample?);
            }
        }
        SampleFormat::Int => {
            let full_scale = 2.0_f32.powi(i32::from(spec.bits_per_sample.max(1)) - 1);
            for sample in reader.samples::<i32>() {
                mixer.add(sample? as f32 / full_scale);
            }
        }
    }
    Ok(mixer.mono)
}

struct Mixer {
    channels: usize,
    sum: f32,
    count: usize,
    mono: Vec<f32>,
}

impl Mixer {
    fn add(&mut self, sample: f32) {
        self.sum += if sample.is_finite() { sample } else { 0.0 };
        self.count += 1;
        if self.count == self.channels {
            self.mono.push(self.sum / self.channels as f32);
            self.sum = 0.0;
            self.count = 0;
        }
    }
}

fn resample(mono: &[f32], rate: u32) -> Result<Sound, crate::media::rate::RateError> {
    if rate == SAMPLE_RATE {
        return Ok(mono.iter().copied().map(to_pcm16).collect());
    }
    let mut converter = RateConverter::new(rate, SAMPLE_RATE)?;
    let length = mono.len() as u64 * u64::from(SAMPLE_RATE) / u64::from(rate);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let mut samples = Vec::with_capacity(length);
    let mut skip = converter.delay();
    let mut keep = |piece: &[f32]| {
        let skipped = skip.min(piece.len());
        skip -= skipped;
        samples.extend(piece.iter().skip(skipped).copied().map(to_pcm16));
    };
    converter.process(mono, &mut keep);
    converter.finish(&mut keep);
    samples.truncate(length);
    Ok(samples.into())
}

/// A sound that is being played.
#[derive(Debug, Clone)]
pub struct Player {
    sound: Sound,
    /// The sample that follows the last one; none where it ends.
    again: Option<usize>,
    position: usize,
}

impl Player {
    /// Starts at the beginning, and again there at the end where it repeats.
    pub fn new(sound: Sound, repeat: bool) -> Self {
        let again = repeat.then_some(0);
        Self {
            sound,
            again,
            position: 0,
        }
    }

    /// Starts at the beginning, and goes on at that sample behind the end.
    pub fn looping(sound: Sound, from: usize) -> Self {
        let again = Some(from);
        Self {
            sound,
            again,
            position: 0,
        }
    }

    /// Whether it plays that very sound.
    pub fn plays(&self, sound: &Sound) -> bool {
        Arc::ptr_eq(&self.sound, sound)
    }

    /// What it plays.
    pub fn sound(&self) -> &Sound {
        &self.sound
    }

    /// Whether nothing is left to play.
    pub fn at_end(&self) -> bool {
        self.again.is_none() && self.position >= self.sound.len()
    }

    /// Gives the next 10 ms; silence behind the end.
    pub fn play(&mut self) -> Frame {
        let mut frame = SILENCE;
        let mut filled = 0;
        while filled < FRAME_SAMPLES {
            let rest = self.sound.get(self.position..).unwrap_or_default();
            if rest.is_empty() {
                match self.again {
                    Some(from) if from < self.sound.len() => self.position = from,
                    Some(_) | None => break,
                }
                continue;
            }
            let room = frame.get_mut(filled..).unwrap_or_default();
            let count = room.len().min(rest.len());
            for (to, from) in room.iter_mut().zip(rest) {
                *to = from_pcm16(*from);
            }
            filled += count;
            self.position += count;
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the value fits by its scale"
    )]
    fn write(path: &Path, spec: WavSpec, millis: u32) {
        let mut writer = hound::WavWriter::create(path, spec).unwrap();
        for n in 0..spec.sample_rate / 1_000 * millis {
            let t = n as f32 / spec.sample_rate as f32;
            let value = 0.5 * (2.0 * std::f32::consts::PI * 440.0 * t).sin();
            for _ in 0..spec.channels {
                match spec.sample_format {
                    SampleFormat::Float => writer.write_sample(value).unwrap(),
                    SampleFormat::Int => {
                        let scale = 2.0_f32.powi(i32::from(spec.bits_per_sample) - 1) - 1.0;
                        writer.write_sample((value * scale) as i32).unwrap();
                    }
                }
            }
        }
        writer.finalize().unwrap();
    }

    #[test]
    fn files_of_any_rate_depth_and_channels_sound_the_same() {
        let folder = tempfile::tempdir().unwrap();
        for (sample_rate, bits_per_sample, channels, sample_format) in [
            (48_000, 16, 1, SampleFormat::Int),
            (8_000, 8, 1, SampleFormat::Int),
            (44_100, 24, 2, SampleFormat::Int),
            (16_000, 32, 6, SampleFormat::Int),
            (96_000, 32, 2, SampleFormat::Float),
        ] {
            let path = folder.path().join(format!("{sample_rate}.wav"));
            let spec = WavSpec {
                channels,
                sample_rate,
                bits_per_sample,
                sample_format,
            };
            write(&path, spec, 500);
            let sound = load(&path, 60).unwrap();
            assert!(
                sound.len().abs_diff(24_000) < 500,
                "{sample_rate}: {}",
                sound.len()
            );
            for (n, sample) in sound.iter().enumerate().skip(2_400).take(19_000) {
                let truth = 0.5 * (2.0 * std::f32::consts::PI * 440.0 * n as f32 / 48_000.0).sin();
                let error = (from_pcm16(*sample) - truth).abs();
                assert!(error < 0.05, "{sample_rate} at {n}: {error}");
            }
        }
    }

    #[test]
    fn what_cannot_be_played_is_told_in_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("text.wav");
        std::fs::write(&text, "this is no sound at all, only words").unwrap();
        let empty = folder.path().join("empty.wav");
        std::fs::write(&empty, "").unwrap();
        let cut = folder.path().join("cut.wav");
        let spec = WavSpec {
            channels: 1,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        write(&cut, spec, 100);
        let bytes = std::fs::read(&cut).unwrap();
        std::fs::write(&cut, &bytes[..30]).unwrap();
        let long = folder.path().join("long.wav");
        write(&long, spec, 60_001);
        for (path, expected) in [
            (folder.path().join("none.wav"), "cannot read "),
            (folder.path().to_path_buf(), ""),
            (text, "is no WAV file"),
            (empty, "is no WAV file"),
            (cut, "is no WAV file"),
            (long, "is longer than 1 min"),
        ] {
            let message = load(&path, 60).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert!(message.contains("choose"), "{message}");
        }
    }

    #[test]
    fn a_file_ends_in_silence_or_starts_again() {
        let sound: Sound = vec![16_384; 700].into();
        let mut once = Player::new(sound.clone(), false);
        assert_eq!(once.play(), [0.5; FRAME_SAMPLES]);
        let second = once.play();
        assert_eq!((second[219], second[220]), (0.5, 0.0));
        assert_eq!(once.play(), SILENCE);
        let mut again = Player::new(sound, true);
        for _ in 0..10 {
            assert_eq!(again.play(), [0.5; FRAME_SAMPLES]);
        }
        assert_eq!(Player::new(Vec::new().into(), true).play(), SILENCE);
    }
}
