//! The gaps of a recording, and how they are marked in its WAV.
//!
//! A player shows them by a `cue ` chunk, with lengths and names in a `LIST` chunk of type `adtl`
//! (Multimedia Programming Interface and Data Specifications 1.0, 1991, "Waveform Audio File Format"). Read
//! again, they are the gaps of a recording whose call nobody knows.

use std::time::Duration;

use crate::media::frame::SAMPLE_RATE;

/// So many gaps of one recording are marked in its file.
pub(super) const MOST_GAPS: usize = 1_000;

/// Why nothing was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapCause {
    /// It was paused.
    Paused,
    /// The disk did not keep up.
    DiskBehind,
}

impl GapCause {
    /// What such a gap is named in a WAV.
    fn name(self) -> &'static [u8] {
        match self {
            Self::Paused => b"Paused\0",
            Self::DiskBehind => b"Lost\0",
        }
    }

    /// What a gap of that name is; marks of other programs are none.
    fn named(name: &[u8]) -> Option<Self> {
        let known = [Self::Paused, Self::DiskBehind];
        known.into_iter().find(|cause| cause.name() == name)
    }
}

/// A part of a recording in which nothing was recorded, though the call went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Why.
    pub cause: GapCause,
    /// Where it begins, from the beginning of the recording.
    pub start: Duration,
    /// How long it is; none while it lasts.
    pub length: Option<Duration>,
}

/// The chunks that mark gaps, to follow the `data` chunk; nothing for no gaps.
pub(super) fn chunks(gaps: &[Gap]) -> Vec<u8> {
    if gaps.is_empty() {
        return Vec::new();
    }
    let mut cues = Vec::new();
    let mut list = b"adtl".to_vec();
    for (gap, id) in gaps.iter().take(MOST_GAPS).zip(1_u32..) {
        let start = samples(gap.start);
        for field in [id, start] {
            cues.extend(field.to_le_bytes());
        }
        cues.extend(b"data");
        for field in [0, 0, start] {
            cues.extend(field.to_le_bytes());
        }
        // A part of the sound with its length; "rgn " says that it is a region.
        let mut text = Vec::new();
        for field in [id, samples(gap.length.unwrap_or_default())] {
            text.extend(field.to_le_bytes());
        }
        text.extend(b"rgn ");
        text.extend([0; 8]);
        push_chunk(&mut list, *b"ltxt", &text);
        let mut label = id.to_le_bytes().to_vec();
        label.extend(gap.cause.name());
        push_chunk(&mut list, *b"labl", &label);
    }
    let count = u32::try_from(gaps.len().min(MOST_GAPS)).unwrap_or(u32::MAX);
    let mut cue = count.to_le_bytes().to_vec();
    cue.append(&mut cues);
    let mut chunks = Vec::new();
    push_chunk(&mut chunks, *b"cue ", &cue);
    push_chunk(&mut chunks, *b"LIST", &list);
    chunks
}

/// Reads the gaps that a `cue ` chunk and a `LIST` chunk mark, in a file of that many samples a second.
/// What is torn or another program's is left out.
pub(super) fn read(cue: &[u8], list: &[u8], rate: u32) -> Vec<Gap> {
    let word = |bytes: &[u8], at: usize| {
        let four = bytes.get(at..at + 4)?;
        four.try_into().ok().map(u32::from_le_bytes)
    };
    let time = |samples: u32| {
        let nanos = u64::from(samples) * 1_000_000_000 / u64::from(rate.max(1));
        Duration::from_nanos(nanos)
    };
    let (mut lengths, mut causes) = (Vec::new(), Vec::new());
    let mut rest = list.strip_prefix(b"adtl").unwrap_or_default();
    while let (Some(name), Some(size)) = (rest.get(..4), word(rest, 4)) {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let end = size.saturating_add(8);
        let Some(content) = rest.get(8..end) else {
            break;
        };
        match (name, word(content, 0)) {
            (b"ltxt", Some(id)) => lengths.extend(word(content, 4).map(|length| (id, length))),
            (b"labl", Some(id)) => {
                let cause = content.get(4..).and_then(GapCause::named);
                causes.extend(cause.map(|cause| (id, cause)));
            }
            _ => {}
        }
        rest = rest.get(end + size % 2..).unwrap_or_default();
    }
    let points = cue.get(4..).unwrap_or_default().chunks_exact(24);
    let gaps = points.take(MOST_GAPS).filter_map(|point| {
        let id = word(point, 0)?;
        let (_, cause) = causes.iter().find(|(known, _)| *known == id)?;
        let length = lengths.iter().find(|(known, _)| *known == id);
        Some(Gap {
            cause: *cause,
            start: time(word(point, 20)?),
            length: length.map(|(_, length)| time(*length)),
        })
    });
    gaps.collect()
}

/// A chunk with its length, padded to an even one.
fn push_chunk(to: &mut Vec<u8>, name: [u8; 4], content: &[u8]) {
    to.extend(name);
    to.extend(
        u32::try_from(content.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes(),
    );
    to.extend(content);
    if !content.len().is_multiple_of(2) {
        to.push(0);
    }
}

/// A moment as the number of samples of each channel before it.
fn samples(moment: Duration) -> u32 {
    let samples = moment.as_millis() * u128::from(SAMPLE_RATE) / 1_000;
    u32::try_from(samples).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(start: u64, length: u64) -> Gap {
        Gap {
            cause: GapCause::Paused,
            start: Duration::from_millis(start),
            length: Some(Duration::from_millis(length)),
        }
    }

    #[test]
    fn gaps_become_named_regions() {
        assert!(chunks(&[]).is_empty());
        let bytes = chunks(&[gap(1_000, 500), gap(3_000, 10)]);
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!(&bytes[..4], b"cue ");
        assert_eq!(number(4), 4 + 2 * 24);
        assert_eq!(number(8), 2);
        assert_eq!([number(12), number(16)], [1, 48_000]);
        assert_eq!(&bytes[20..24], b"data");
        assert_eq!([number(24), number(28), number(32)], [0, 0, 48_000]);
        assert_eq!([number(36), number(40)], [2, 144_000]);
        let list = 8 + 4 + 2 * 24;
        assert_eq!(&bytes[list..list + 4], b"LIST");
        assert_eq!(
            list + 8 + usize::try_from(number(list + 4)).unwrap(),
            bytes.len()
        );
        assert_eq!(&bytes[list + 8..list + 16], b"adtlltxt");
        assert_eq!([number(list + 16), number(list + 20)], [20, 1]);
        assert_eq!(number(list + 24), 24_000);
        let named =
            |bytes: &[u8], name: &[u8]| bytes.windows(name.len()).filter(|w| *w == name).count();
        assert_eq!(named(&bytes, b"Paused\0"), 2);
        let lost = Gap {
            cause: GapCause::DiskBehind,
            ..gap(1_000, 500)
        };
        let bytes = chunks(&[gap(0, 10), lost]);
        assert!(bytes.len().is_multiple_of(2));
        assert_eq!(
            [named(&bytes, b"Paused\0"), named(&bytes, b"Lost\0")],
            [1, 1]
        );
    }

    #[test]
    fn marks_are_read_again_and_those_of_other_programs_are_none() {
        let lost = Gap {
            cause: GapCause::DiskBehind,
            ..gap(3_000, 10)
        };
        let gaps = [gap(1_000, 500), lost];
        let bytes = chunks(&gaps);
        let list = 8 + 4 + 2 * 24;
        let (cue, list) = (&bytes[8..list], &bytes[list + 8..]);
        assert_eq!(read(cue, list, SAMPLE_RATE), gaps);
        // At another rate the same samples are another time.
        assert_eq!(read(cue, list, SAMPLE_RATE / 2)[0].start, gaps[0].start * 2);
        let mut foreign = list.to_vec();
        let name = foreign.windows(6).position(|six| six == b"Paused").unwrap();
        foreign[name..name + 6].copy_from_slice(b"Chorus");
        assert_eq!(read(cue, &foreign, SAMPLE_RATE), [lost]);
        for torn in 0..list.len() {
            assert!(read(cue, &list[..torn], SAMPLE_RATE).len() <= 2);
            read(&cue[..torn.min(cue.len())], list, SAMPLE_RATE);
        }
    }

    #[test]
    fn no_more_gaps_than_allowed_are_marked() {
        let bytes = chunks(&vec![gap(0, 10); MOST_GAPS + 5]);
        assert_eq!(bytes[8..12], 1_000_u32.to_le_bytes());
    }
}
