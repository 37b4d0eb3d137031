//! What is marked in a recording: where it was paused, what is missing, and where the call's sound suffered.

use std::time::Duration;

use crate::crm::row::{QualitySpan, RecordingGap, RecordingGapCause};
use crate::ui::text;
use crate::ui::theme::{Theme, Tone};

/// Sound that concealment made up in a second, from which on the second is marked: what one lost packet
/// takes, nobody hears.
const AUDIBLE_MILLIS: u32 = 60;

/// Why there is a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MarkCause {
    /// The recording was paused.
    Paused,
    /// The disk did not keep up.
    Disk,
    /// The network lost what the far end said.
    Network,
    /// This machine left something out.
    Stall,
}

impl MarkCause {
    /// In a word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Paused => text::MARK_PAUSED,
            Self::Disk => text::MARK_DISK,
            Self::Network => text::MARK_NETWORK,
            Self::Stall => text::MARK_STALL,
        }
    }

    /// In full.
    pub(super) fn why(self) -> &'static str {
        match self {
            Self::Paused => text::MARK_PAUSED_WHY,
            Self::Disk => text::MARK_DISK_WHY,
            Self::Network => text::MARK_NETWORK_WHY,
            Self::Stall => text::MARK_STALL_WHY,
        }
    }

    /// Its colour.
    pub(super) fn tone(self, theme: &Theme) -> Tone {
        match self {
            Self::Paused => theme.colours.neutral,
            Self::Disk => theme.colours.bad,
            Self::Network | Self::Stall => theme.colours.warn,
        }
    }
}

/// A mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) cause: MarkCause,
    pub(super) start: Duration,
    /// None where it lasts to the end.
    pub(super) length: Option<Duration>,
}

/// The marks of a recording of that length, in order: its gaps, and from what was measured of the call's
/// sound, where it is known how many seconds of that were over when the recording began, the lost sound.
pub(super) fn marks(
    gaps: &[RecordingGap],
    spans: &[QualitySpan],
    begun: Option<u32>,
    whole: Duration,
) -> Vec<Mark> {
    let gaps = gaps.iter().map(|gap| Mark {
        cause: match gap.cause {
            RecordingGapCause::Paused => MarkCause::Paused,
            RecordingGapCause::DiskBehind => MarkCause::Disk,
        },
        start: Duration::from_millis(gap.start_millis),
        length: gap.length_millis.map(Duration::from_millis),
    });
    let mut marks: Vec<Mark> = gaps.collect();
    let begun = begun.map(u64::from);
    for cause in [MarkCause::Network, MarkCause::Stall] {
        let mut last: Option<Mark> = None;
        for span in spans.iter().filter(|span| suffered(span, cause)) {
            let Some(at) = begun.and_then(|begun| u64::from(span.at).checked_sub(begun)) else {
                continue;
            };
            let start = Duration::from_secs(at);
            let length = Duration::from_secs(span.seconds.max(1).into());
            match &mut last {
                // Seconds that follow each other are one mark.
                Some(mark) if mark.start + mark.length.unwrap_or_default() == start => {
                    mark.length = mark.length.map(|before| before + length);
                }
                _ => {
                    marks.extend(last.replace(Mark {
                        cause,
                        start,
                        length: Some(length),
                    }));
                }
            }
        }
        marks.extend(last);
    }
    marks.retain(|mark| mark.start < whole);
    marks.sort_by_key(|mark| mark.start);
    marks
}

fn suffered(span: &QualitySpan, cause: MarkCause) -> bool {
    match cause {
        MarkCause::Network => {
            span.lost + span.late > 0 && span.concealed_ms >= AUDIBLE_MILLIS * span.seconds.max(1)
        }
        MarkCause::Stall => span.held_up_ms > 0,
        MarkCause::Paused | MarkCause::Disk => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(at: u32, lost: u32, held_up_ms: u32) -> QualitySpan {
        QualitySpan {
            at,
            seconds: 1,
            lost,
            concealed_ms: lost * 20,
            held_up_ms,
            ..QualitySpan::default()
        }
    }

    fn mark(cause: MarkCause, start: u64, length: Option<u64>) -> Mark {
        Mark {
            cause,
            start: Duration::from_millis(start),
            length: length.map(Duration::from_millis),
        }
    }

    #[test]
    fn gaps_and_lost_sound_are_marked_where_they_are_in_the_recording() {
        let gap = |cause, start_millis, length_millis| RecordingGap {
            cause,
            start_millis,
            length_millis,
        };
        let gaps = [
            gap(RecordingGapCause::Paused, 9_500, Some(2_000)),
            gap(RecordingGapCause::DiskBehind, 20_000, None),
        ];
        // Two lost packets in a second are not heard.
        let spans = [
            span(1, 9, 0),
            span(5, 9, 0),
            span(6, 30, 0),
            span(7, 2, 0),
            span(8, 9, 40),
            span(90, 9, 0),
        ];
        let whole = Duration::from_secs(30);
        let found = marks(&gaps, &spans, Some(2), whole);
        let expected = [
            mark(MarkCause::Network, 3_000, Some(2_000)),
            mark(MarkCause::Network, 6_000, Some(1_000)),
            mark(MarkCause::Stall, 6_000, Some(1_000)),
            mark(MarkCause::Paused, 9_500, Some(2_000)),
            mark(MarkCause::Disk, 20_000, None),
        ];
        assert_eq!(found, expected);
        // Nobody knows when it began: what was measured is no mark of it.
        assert_eq!(marks(&gaps, &spans, None, whole).len(), 2);
    }
}
