//! A recording at a glance: how loud each side is by time, in a number of peaks that does not grow with
//! its length.

use std::io;

use crate::media::frame::peak;
use crate::media::wav::WavFile;

/// Peaks of each side: two for each point of a wide pane.
pub const MOST_PEAKS: usize = 1_200;
/// The shortest sound that gets a peak of its own, in parts of a second.
const FINEST: u64 = 50;
/// So many samples are read between two looks at what is known by then, a minute at 48 kHz.
const BETWEEN: u64 = 60 * 48_000;

/// The peaks of a recording, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// How many there will be.
    pub peaks: usize,
    /// The own side, 255 for the full scale.
    pub near: Vec<u8>,
    /// The far end; of a recording with one channel nothing.
    pub far: Vec<u8>,
}

impl Overview {
    /// Whether all is known.
    pub fn is_whole(&self) -> bool {
        self.near.len() >= self.peaks
    }
}

/// Reads a recording from its beginning to its end, some thousand samples at a time. Now and then `look`
/// gets what is known by then, and says whether to go on. It takes a second for an hour or more: on a
/// thread of its own.
///
/// # Errors
///
/// Fails when the system refuses.
pub fn overview(
    file: &mut WavFile,
    mut look: impl FnMut(&Overview) -> bool,
) -> io::Result<Overview> {
    let head = file.head();
    let (samples, two) = (head.samples, head.channels > 1);
    let finest = (samples * FINEST).div_ceil(u64::from(head.rate));
    let peaks = usize::try_from(finest).map_or(MOST_PEAKS, |finest| finest.clamp(1, MOST_PEAKS));
    let mut known = Overview {
        peaks,
        near: Vec::with_capacity(peaks),
        far: Vec::with_capacity(if two { peaks } else { 0 }),
    };
    file.seek(0)?;
    let mut sides = [Vec::new(), Vec::new()];
    let (mut loudest, mut at, mut looked) = ([0.0_f32; 2], 0_u64, 0_u64);
    // The sample with which the next peak begins.
    let end_of = |peak: usize| (peak as u64 + 1) * samples / peaks as u64;
    loop {
        for side in &mut sides {
            side.clear();
        }
        let count = file.read(&mut sides)?;
        if count == 0 {
            break;
        }
        let mut taken = 0;
        while taken < count && known.near.len() < peaks {
            let end = end_of(known.near.len());
            let wanted = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
            let piece = taken..count.min(taken.saturating_add(wanted));
            at += piece.len() as u64;
            taken = piece.end;
            for (loudest, side) in loudest.iter_mut().zip(&sides) {
                *loudest = loudest.max(peak(side.get(piece.clone()).unwrap_or_default()));
            }
            if at >= end {
                let [near, far] = std::mem::take(&mut loudest).map(octet);
                known.near.push(near);
                if two {
                    known.far.push(far);
                }
            }
        }
        if at - looked >= BETWEEN {
            looked = at;
            if !look(&known) {
                return Ok(known);
            }
        }
    }
    // A file that became shorter meanwhile is silent from there on.
    known.near.resize(peaks, 0);
    known.far.resize(if two { peaks } else { 0 }, 0);
    Ok(known)
}

/// A part of the full scale.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 255"
)]
fn octet(part: f32) -> u8 {
    (part.clamp(0.0, 1.0) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::frame::to_pcm16;

    fn file(channels: u16, rate: u32, samples: impl Iterator<Item = [f32; 2]>) -> WavFile {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.wav");
        let spec = hound::WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        for both in samples {
            for side in both.into_iter().take(channels.into()) {
                writer.write_sample(to_pcm16(side)).unwrap();
            }
        }
        writer.finalize().unwrap();
        WavFile::open(&path).unwrap()
    }

    #[test]
    fn each_side_has_its_own_peaks_where_they_are() {
        // The agent in the first half, the far end in the second, a click of the far end at a tenth.
        let length = 100_000;
        let sound = (0..length).map(|n| {
            let near = if n < length / 2 { 0.5 } else { 0.0 };
            let far = if n >= length / 2 || n == length / 10 {
                0.25
            } else {
                0.0
            };
            [near, far]
        });
        let found = overview(&mut file(2, 8_000, sound), |_| true).unwrap();
        assert_eq!(found.peaks, 625);
        assert_eq!([found.near.len(), found.far.len()], [625, 625]);
        let expected = |n: usize| if n <= 312 { 128 } else { 0 };
        for (n, peak) in found.near.iter().enumerate() {
            assert_eq!(*peak, expected(n), "{n}");
        }
        let clicks: Vec<usize> = (0..312).filter(|n| found.far[*n] > 0).collect();
        assert_eq!(clicks, [62]);
        assert!(found.far[313..].iter().all(|peak| *peak == 64));
    }

    #[test]
    fn a_long_recording_has_no_more_peaks_and_shows_them_as_they_come() {
        let minutes = 3;
        let sound = (0..minutes * 60 * 48_000).map(|_| [0.1, 0.1]);
        let mut looks = Vec::new();
        let found = overview(&mut file(1, 48_000, sound), |known| {
            looks.push((known.near.len(), known.is_whole()));
            true
        });
        let found = found.unwrap();
        assert_eq!((found.near.len(), found.far.len()), (MOST_PEAKS, 0));
        assert!(found.is_whole());
        let [(first, false), (second, false), ..] = looks[..] else {
            panic!("{looks:?}");
        };
        assert!(
            first.abs_diff(400) < 3 && second.abs_diff(800) < 3,
            "{looks:?}"
        );
        // Who looks elsewhere by then waits no longer.
        let sound = (0..minutes * 60 * 48_000).map(|_| [0.1, 0.1]);
        let found = overview(&mut file(1, 48_000, sound), |_| false).unwrap();
        assert!(!found.is_whole());
    }

    #[test]
    fn the_shortest_recording_has_one_peak() {
        let found = overview(&mut file(2, 48_000, [[1.0, -1.0]].into_iter()), |_| true).unwrap();
        assert_eq!(
            (found.peaks, found.near, found.far),
            (1, vec![255], vec![255])
        );
    }
}
