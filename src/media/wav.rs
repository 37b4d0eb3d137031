//! A WAV file, read piece by piece from any place in it: PCM, floats and G.711, at any rate.
//!
//! A recorder that was killed leaves a header that counts less than what lies behind it, and a copy that
//! broke off one that counts more; both are read as far as there is sound (Multimedia Programming
//! Interface and Data Specifications 1.0, 1991, "Waveform Audio File Format"; RFC 2361 for the codings).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use audio_codec_algorithms::{decode_alaw, decode_ulaw};

use crate::media::frame::from_pcm16;
use crate::media::gap::{self, Gap, MOST_GAPS};
use crate::media::rate::{FASTEST, SLOWEST};

/// Chunks that are looked at before and behind the sound.
const MOST_CHUNKS: usize = 64;
/// What is read of the chunk that says how the sound is coded, in octets.
const FORMAT: usize = 40;
/// What is read of a chunk with marks, in octets: more than [`MOST_GAPS`] take.
const MOST_MARKS: u64 = 96 * MOST_GAPS as u64;
/// Samples of each channel that are read at once.
const PIECE: usize = 4_096;
/// Channels that a file may have; more are no telephone's.
const MOST_CHANNELS: u16 = 32;

/// Why a recording cannot be heard.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WavError {
    /// There is no such file.
    #[error("the recording is not there any more: it was moved or deleted")]
    Missing,
    /// The system refuses.
    #[error("the recording cannot be read: {0}; look at its folder, or ask who may open it")]
    Unreadable(#[source] io::Error),
    /// It is something else.
    #[error("the recording is no WAV file that can be played: {0}")]
    Format(String),
    /// There is nothing to hear.
    #[error("the recording holds no sound: it ended before anything was written")]
    Empty,
}

impl From<io::Error> for WavError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Unreadable(error),
        }
    }
}

/// How a sample is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    /// One octet, silence at 128.
    Unsigned,
    /// Two to four octets, least first.
    Signed(usize),
    /// IEEE 754 of four octets.
    Float,
    ALaw,
    MuLaw,
}

impl Coding {
    fn bytes(self) -> usize {
        match self {
            Self::Unsigned | Self::ALaw | Self::MuLaw => 1,
            Self::Signed(bytes) => bytes,
            Self::Float => 4,
        }
    }

    fn decode(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Self::Unsigned, [one]) => (f32::from(*one) - 128.0) / 128.0,
            (Self::ALaw, [one]) => from_pcm16(decode_alaw(*one)),
            (Self::MuLaw, [one]) => from_pcm16(decode_ulaw(*one)),
            (Self::Float, &[a, b, c, d]) => {
                let sample = f32::from_le_bytes([a, b, c, d]);
                if sample.is_finite() { sample } else { 0.0 }
            }
            (Self::Signed(_), &[a, b]) => from_pcm16(i16::from_le_bytes([a, b])),
            (Self::Signed(_), &[a, b, c]) => full_scale(i32::from_le_bytes([0, a, b, c])),
            (Self::Signed(_), &[a, b, c, d]) => full_scale(i32::from_le_bytes([a, b, c, d])),
            _ => 0.0,
        }
    }
}

fn full_scale(sample: i32) -> f32 {
    sample as f32 / 2_147_483_648.0
}

/// What the head of a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WavHead {
    /// Samples a second.
    pub rate: u32,
    /// How many channels there are; of more than two the first two are heard.
    pub channels: u16,
    /// How many samples each channel has.
    pub samples: u64,
    /// Parts without sound, as far as the file marks them.
    pub gaps: Vec<Gap>,
    /// Whether the file ends other than its head says: it was not closed, or not copied whole.
    pub cut: bool,
    coding: Coding,
    start: u64,
}

impl WavHead {
    /// How long it is.
    pub fn length(&self) -> Duration {
        self.time_of(self.samples)
    }

    /// When so many samples are over.
    pub fn time_of(&self, samples: u64) -> Duration {
        let nanos = u128::from(samples) * 1_000_000_000 / u128::from(self.rate);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How many samples there are before a moment, at most all.
    pub fn samples_before(&self, moment: Duration) -> u64 {
        let samples = moment.as_nanos() * u128::from(self.rate) / 1_000_000_000;
        u64::try_from(samples).map_or(self.samples, |samples| samples.min(self.samples))
    }

    fn frame_bytes(&self) -> usize {
        self.coding.bytes() * usize::from(self.channels)
    }
}

/// An open file, at some place in its sound.
pub struct WavFile {
    file: File,
    head: WavHead,
    /// The next sample.
    at: u64,
    bytes: Vec<u8>,
}

impl WavFile {
    /// Opens a file and reads its head; may wait for a disk or a network.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be read, is no WAV that can be played, or has no sound.
    pub fn open(path: &Path) -> Result<Self, WavError> {
        let file = File::open(path)?;
        let data = file.metadata()?;
        if !data.is_file() {
            return Err(WavError::Format("it is no regular file".to_owned()));
        }
        let mut file = file;
        let head = read_head(&mut file, data.len())?;
        let mut wav = Self {
            bytes: vec![0; head.frame_bytes() * PIECE],
            file,
            head,
            at: 0,
        };
        wav.seek(0)?;
        Ok(wav)
    }

    /// Goes on at a sample.
    ///
    /// # Errors
    ///
    /// Fails when the system refuses.
    pub fn seek(&mut self, sample: u64) -> io::Result<()> {
        self.at = sample.min(self.head.samples);
        let place = self.head.start + self.at * self.head.frame_bytes() as u64;
        self.file.seek(SeekFrom::Start(place)).map(drop)
    }

    /// Adds the next samples, at most some thousand, to the two sides; of one channel both are the same.
    /// Gives how many there were, none at the end, which is also where a file became shorter.
    ///
    /// # Errors
    ///
    /// Fails when the system refuses.
    pub fn read(&mut self, sides: &mut [Vec<f32>; 2]) -> io::Result<usize> {
        let frame = self.head.frame_bytes();
        let left = usize::try_from(self.head.samples - self.at).unwrap_or(PIECE);
        let wanted = left.min(PIECE) * frame;
        let bytes = self.bytes.get_mut(..wanted).unwrap_or_default();
        let count = read_as_far(&mut self.file, bytes)? / frame;
        let coding = self.head.coding;
        let [near, far] = sides;
        for frame in bytes.chunks_exact(frame).take(count) {
            let mut samples = frame
                .chunks_exact(coding.bytes())
                .map(|bytes| coding.decode(bytes));
            let first = samples.next().unwrap_or_default();
            near.push(first);
            far.push(samples.next().unwrap_or(first));
        }
        self.at += count as u64;
        Ok(count)
    }

    /// What its head says.
    pub fn head(&self) -> &WavHead {
        &self.head
    }
}

/// Fills the bytes as far as there are any.
fn read_as_far(file: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(room) = bytes.get_mut(filled..).filter(|room| !room.is_empty()) {
        match file.read(room) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn read_up_to(file: &mut impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(most).unwrap_or(0)];
    let filled = read_as_far(file, &mut bytes)?;
    bytes.truncate(filled);
    Ok(bytes)
}

/// The four octets of a number or a name there.
fn four(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..at + 4)?.try_into().ok()
}

fn number(bytes: &[u8], at: usize) -> u32 {
    four(bytes, at).map_or(0, u32::from_le_bytes)
}

fn short(bytes: &[u8], at: usize) -> u16 {
    let found = bytes.get(at..at + 2).and_then(|two| two.try_into().ok());
    found.map_or(0, u16::from_le_bytes)
}

/// How the sound is written: coding, channels, rate.
fn read_format(bytes: &[u8]) -> Result<(Coding, u16, u32), WavError> {
    let wrong = |reason: String| Err(WavError::Format(reason));
    if bytes.len() < 16 {
        return wrong("its head is damaged".to_owned());
    }
    let (channels, rate, bits) = (short(bytes, 2), number(bytes, 4), short(bytes, 14));
    if channels == 0 || channels > MOST_CHANNELS {
        return wrong(format!("it has {channels} channels"));
    }
    if !(SLOWEST..=FASTEST).contains(&rate) {
        return wrong(format!("a sample rate of {rate} Hz cannot be played"));
    }
    // The extensible format has the real one behind it.
    let tag = match short(bytes, 0) {
        0xfffe => short(bytes, 24),
        tag => tag,
    };
    let coding = match (tag, bits) {
        (1, 8) => Coding::Unsigned,
        (1, 16 | 24 | 32) => Coding::Signed(usize::from(bits / 8)),
        (3, 32) => Coding::Float,
        (6, 8) => Coding::ALaw,
        (7, 8) => Coding::MuLaw,
        (0x0031, _) => return wrong("it is coded by GSM 06.10; convert it to PCM".to_owned()),
        (0x0055, _) => return wrong("it holds MP3; convert it to PCM".to_owned()),
        (tag, bits) => {
            return wrong(format!(
                "coding {tag} of {bits} bits is unknown; convert it to PCM"
            ));
        }
    };
    Ok((coding, channels, rate))
}

/// Reads the head of a file of that many octets.
fn read_head(file: &mut (impl Read + Seek), length: u64) -> Result<WavHead, WavError> {
    // What a kill leaves between the creation of a recording and its first octet.
    if length == 0 {
        return Err(WavError::Empty);
    }
    let riff = read_up_to(file, 12)?;
    if four(&riff, 0) != Some(*b"RIFF") || four(&riff, 8) != Some(*b"WAVE") {
        return Err(WavError::Format(format!("it begins as {}", named(&riff))));
    }
    let riff_end = 8 + u64::from(number(&riff, 4));
    let mut format = None;
    let mut sound = None;
    let (mut cue, mut list) = (Vec::new(), Vec::new());
    let mut at = 12;
    for _ in 0..MOST_CHUNKS {
        let head = read_up_to(file, 8)?;
        let Some(name) = four(&head, 0).filter(|_| head.len() == 8) else {
            break;
        };
        let size = u64::from(number(&head, 4));
        let start = at + 8;
        match &name {
            b"fmt " => format = Some(read_format(&read_up_to(file, size.min(FORMAT as u64))?)?),
            b"data" if sound.is_none() => sound = Some((start, size)),
            b"cue " => cue = read_up_to(file, size.min(MOST_MARKS))?,
            b"LIST" => list = read_up_to(file, size.min(MOST_MARKS))?,
            _ => {}
        }
        // A chunk is padded to an even length.
        at = start + size + size % 2;
        if at >= length {
            break;
        }
        file.seek(SeekFrom::Start(at))?;
    }
    let damaged = || WavError::Format("its head is damaged".to_owned());
    let (coding, channels, rate) = format.ok_or_else(damaged)?;
    let (start, size) = sound.ok_or_else(damaged)?;
    let mut head = WavHead {
        rate,
        channels,
        samples: 0,
        gaps: gap::read(&cue, &list, rate),
        cut: false,
        coding,
        start,
    };
    let there = length.saturating_sub(start);
    // Behind what is counted there may be marks, or sound that nobody came to count.
    let uncounted = start + size == riff_end && length > riff_end && cue.is_empty();
    let bytes = if uncounted { there } else { size.min(there) };
    // Who writes into a pipe cannot count, and says so by the largest number.
    head.cut = uncounted || (size > there && size != u64::from(u32::MAX));
    head.samples = bytes / head.frame_bytes() as u64;
    if head.samples == 0 {
        return Err(WavError::Empty);
    }
    Ok(head)
}

/// What a file is that is no WAV, by its first octets.
fn named(head: &[u8]) -> &'static str {
    match head {
        [b'I', b'D', b'3', ..] | [0xff, 0xe0..=0xff, ..] => "MP3 does; convert it to PCM",
        [b'O', b'g', b'g', b'S', ..] => "Ogg does; convert it to PCM",
        [b'f', b'L', b'a', b'C', ..] => "FLAC does; convert it to PCM",
        [b'<', ..] => "a web page does",
        _ => "no sound does",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::gap::GapCause;

    fn written(rate: u32, channels: u16, bits: u16, samples: &[i32]) -> Vec<u8> {
        let mut bytes = io::Cursor::new(Vec::new());
        let spec = hound::WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: bits,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        for sample in samples {
            writer.write_sample(*sample).unwrap();
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    fn heard(bytes: &[u8]) -> Result<(WavHead, [Vec<f32>; 2]), WavError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.wav");
        std::fs::write(&path, bytes).unwrap();
        let mut file = WavFile::open(&path)?;
        let mut sides = [Vec::new(), Vec::new()];
        while file.read(&mut sides)? > 0 {}
        Ok((file.head().clone(), sides))
    }

    #[test]
    fn each_depth_rate_and_number_of_channels_is_read() {
        for (rate, bits, scale) in [
            (8_000, 8, 64),
            (16_000, 16, 16_384),
            (44_100, 24, 4_194_304),
            (48_000, 32, 1_073_741_824),
        ] {
            let bytes = written(rate, 2, bits, &[scale, -scale].repeat(9_000));
            let (head, [left, right]) = heard(&bytes).unwrap();
            assert_eq!((head.rate, head.channels, head.samples), (rate, 2, 9_000));
            assert!(!head.cut);
            assert_eq!(left, [0.5].repeat(9_000), "{bits} bits");
            assert_eq!(right, [-0.5].repeat(9_000), "{bits} bits");
            let mono = written(rate, 1, bits, &[scale; 10]);
            let (head, [left, right]) = heard(&mono).unwrap();
            assert_eq!(head.samples, 10);
            assert_eq!([left, right], [[0.5].repeat(10), [0.5].repeat(10)]);
        }
    }

    #[test]
    fn telephone_codings_and_floats_are_read() {
        let with = |tag: u16, bits: u16, sound: &[u8]| {
            let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
            for field in [tag, 1] {
                bytes.extend(field.to_le_bytes());
            }
            for field in [8_000_u32, 8_000] {
                bytes.extend(field.to_le_bytes());
            }
            for field in [bits / 8, bits] {
                bytes.extend(field.to_le_bytes());
            }
            bytes.extend(b"data");
            bytes.extend(u32::try_from(sound.len()).unwrap().to_le_bytes());
            bytes.extend(sound);
            let length = u32::try_from(bytes.len() - 8).unwrap();
            bytes[4..8].copy_from_slice(&length.to_le_bytes());
            bytes
        };
        // Silence by both laws, and half of the scale.
        for (tag, quiet) in [(6, 0xd5), (7, 0xff)] {
            let (_, [left, _]) = heard(&with(tag, 8, &[quiet; 4])).unwrap();
            assert!(left.iter().all(|sample| sample.abs() < 0.001), "{left:?}");
        }
        let mut sound = 0.5_f32.to_le_bytes().to_vec();
        sound.extend(f32::NAN.to_le_bytes());
        let (_, [left, _]) = heard(&with(3, 32, &sound)).unwrap();
        assert_eq!(left, [0.5, 0.0]);
        for (tag, bits, word) in [(0x31, 0, "GSM"), (0x55, 0, "MP3"), (99, 7, "coding 99")] {
            let error = heard(&with(tag, bits, &[0; 8])).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn what_a_killed_phone_left_is_heard_as_far_as_it_goes() {
        let whole = written(8_000, 2, 16, &[100; 2_000]);
        // The header was written a second ago.
        let mut behind = whole.clone();
        behind[4..8].copy_from_slice(&(36 + 400_u32).to_le_bytes());
        behind[40..44].copy_from_slice(&400_u32.to_le_bytes());
        let (head, [left, _]) = heard(&behind).unwrap();
        assert_eq!((head.samples, head.cut, left.len()), (1_000, true, 1_000));
        // A copy broke off, in the middle of a sample.
        let (head, [left, _]) = heard(&whole[..44 + 401]).unwrap();
        assert_eq!((head.samples, head.cut, left.len()), (100, true, 100));
        let mut piped = whole.clone();
        piped[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
        let (head, _) = heard(&piped).unwrap();
        assert_eq!((head.samples, head.cut), (1_000, false));
        for nothing in [0, 44] {
            let error = heard(&whole[..nothing]).unwrap_err();
            assert!(matches!(error, WavError::Empty), "{error}");
        }
        let error = heard(&whole[..30]).unwrap_err().to_string();
        assert!(error.contains("damaged"), "{error}");
    }

    #[test]
    fn marks_behind_the_sound_are_gaps_and_no_sound() {
        let mut bytes = written(48_000, 2, 16, &[100; 96_000]);
        let end = bytes.len();
        let gap = Gap {
            cause: GapCause::Paused,
            start: Duration::from_millis(250),
            length: Some(Duration::from_millis(500)),
        };
        bytes.extend(gap::chunks(&[gap]));
        // Whether the head counts them already, or the phone was killed just before.
        let (head, _) = heard(&bytes).unwrap();
        assert_eq!((head.samples, head.gaps.as_slice()), (48_000, &[gap][..]));
        let length = u32::try_from(bytes.len() - 8).unwrap();
        bytes[4..8].copy_from_slice(&length.to_le_bytes());
        let (head, _) = heard(&bytes).unwrap();
        assert_eq!((head.samples, head.cut), (48_000, false));
        assert_eq!(head.gaps, [gap]);
        // Torn marks are none.
        for torn in end..bytes.len() {
            heard(&bytes[..torn]).unwrap();
        }
    }

    #[test]
    fn what_is_no_recording_is_told_and_nothing_panics() {
        for (bytes, word) in [
            (&b"<html>sign in</html>"[..], "web page"),
            (b"ID3\x04\0\0\0\0\0\0\0\0", "MP3"),
            (b"OggS\0\0\0\0\0\0\0\0", "Ogg"),
            (b"precious", "no sound"),
        ] {
            let error = heard(bytes).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
        let folder = tempfile::tempdir().unwrap();
        let missing = WavFile::open(&folder.path().join("none.wav"))
            .err()
            .unwrap();
        assert!(matches!(missing, WavError::Missing));
        let error = WavFile::open(folder.path()).err().unwrap().to_string();
        assert!(error.contains("regular file"), "{error}");
        // Each byte of a head may be anything.
        let whole = written(8_000, 2, 16, &[100; 20]);
        for at in 0..44 {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                drop(heard(&bytes));
            }
        }
    }

    #[test]
    fn it_goes_on_anywhere_and_times_are_those_of_its_rate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.wav");
        let samples: Vec<i32> = (0..16_000).collect();
        std::fs::write(&path, written(8_000, 1, 16, &samples)).unwrap();
        let mut file = WavFile::open(&path).unwrap();
        assert_eq!(file.head().length(), Duration::from_secs(2));
        let place = file.head().samples_before(Duration::from_millis(1_500));
        file.seek(place).unwrap();
        let mut sides = [Vec::new(), Vec::new()];
        assert_eq!(file.read(&mut sides).unwrap(), 4_000);
        assert_eq!(sides[0][0], from_pcm16(12_000));
        assert_eq!(file.read(&mut sides).unwrap(), 0);
        let beyond = file.head().samples_before(Duration::from_secs(9));
        assert_eq!(beyond, 16_000);
        file.seek(u64::MAX).unwrap();
        assert_eq!(file.read(&mut sides).unwrap(), 0);
    }
}
