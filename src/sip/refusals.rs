//! What was refused or thrown away unheard, counted by source and reason.
//!
//! The owner takes the counts now and then and writes them down: one row for a source and minute,
//! however many requests there were.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use crate::base::flow::NotAccepted;
use crate::base::site::site;

/// How many pairs of source and reason are counted apart; the rest is counted without a source.
const MAX_COUNTS: usize = 512;
/// How many sources are remembered to have been answered.
const MAX_TOLD: usize = 1024;
/// How many refusals of strangers one source is told within `TOLD_SPAN`; then it hears nothing.
const TOLD_AT_MOST: u8 = 8;
const TOLD_SPAN: Duration = Duration::from_secs(60);

/// Why something was refused or thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It was for nobody here and came from no server of an account.
    Stranger,
    /// The source sent more than it may.
    TooFast,
    /// It could not be read; what was wrong.
    Malformed(&'static str),
    /// The phone had as many requests under way as it can have.
    TooBusy,
    /// It opened a stream, or began a message on one, and sent no whole message in time.
    Slow,
    /// It opened a stream for TLS and did not speak it, or no version and cipher that we do.
    Handshake,
    /// There were as many streams as there can be, of all sources or of this one; or its idle one
    /// made room for another.
    TooManyStreams,
}

impl Why {
    /// The word in the store, such as `stranger` or `malformed: Via`.
    pub fn word(self) -> String {
        match self {
            Self::Stranger => "stranger".to_owned(),
            Self::TooFast => "too-fast".to_owned(),
            Self::Malformed(what) => format!("malformed: {what}"),
            Self::TooBusy => "too-busy".to_owned(),
            Self::Slow => "slow".to_owned(),
            Self::Handshake => "no-handshake".to_owned(),
            Self::TooManyStreams => "too-many-streams".to_owned(),
        }
    }
}

impl From<NotAccepted> for Why {
    fn from(why: NotAccepted) -> Self {
        match why {
            NotAccepted::TooMany => Self::TooManyStreams,
            NotAccepted::Handshake => Self::Handshake,
            NotAccepted::Slow => Self::Slow,
        }
    }
}

/// How often one source was refused for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// From where; 0.0.0.0 stands for all that had no room of their own.
    pub source: IpAddr,
    /// Why.
    pub why: Why,
    /// How often.
    pub count: u64,
}

/// The counts since they were last taken.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    counts: BTreeMap<(IpAddr, Why), u64>,
    told: BTreeMap<IpAddr, (Instant, u8)>,
}

impl Refusals {
    /// Counts one.
    pub(crate) fn count(&mut self, source: IpAddr, why: Why) {
        let key = (source.to_canonical(), why);
        let room = self.counts.len() < MAX_COUNTS || self.counts.contains_key(&key);
        let key = if room {
            key
        } else {
            (IpAddr::V4(Ipv4Addr::UNSPECIFIED), why)
        };
        let count = self.counts.entry(key).or_default();
        *count = count.saturating_add(1);
    }

    /// Whether a stranger is told that there is nobody, or hears nothing any more: scanners try
    /// thousands of names, and a forged source must not be flooded by us.
    pub(crate) fn tells(&mut self, now: Instant, source: IpAddr) -> bool {
        let source = site(source);
        if !self.told.contains_key(&source) && self.told.len() >= MAX_TOLD {
            self.told
                .retain(|_, (since, _)| now.saturating_duration_since(*since) < TOLD_SPAN);
            if self.told.len() >= MAX_TOLD {
                return false;
            }
        }
        let (since, times) = self.told.entry(source).or_insert((now, 0));
        if now.saturating_duration_since(*since) >= TOLD_SPAN {
            (*since, *times) = (now, 0);
        }
        *times = times.saturating_add(1);
        *times <= TOLD_AT_MOST
    }

    /// Whether anything was counted.
    pub(crate) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Takes the counts, in the order of their sources.
    pub(crate) fn take(&mut self) -> Vec<Refused> {
        std::mem::take(&mut self.counts)
            .into_iter()
            .map(|((source, why), count)| Refused { source, why, count })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock;

    fn source(number: u16) -> IpAddr {
        let [high, low] = number.to_be_bytes();
        IpAddr::from([10, 0, high, low])
    }

    #[test]
    fn counts_are_kept_apart_by_source_and_reason_and_taken_once() {
        let mut refusals = Refusals::default();
        for _ in 0..3 {
            refusals.count(source(1), Why::Stranger);
        }
        refusals.count(source(1), Why::Malformed("Via"));
        refusals.count(source(2), Why::Stranger);
        let counts: Vec<_> = refusals
            .take()
            .into_iter()
            .map(|refused| (refused.source, refused.why.word(), refused.count))
            .collect();
        assert_eq!(
            counts,
            [
                (source(1), "stranger".to_owned(), 3),
                (source(1), "malformed: Via".to_owned(), 1),
                (source(2), "stranger".to_owned(), 1),
            ]
        );
        assert!(refusals.is_empty());
    }

    #[test]
    fn a_crowd_of_sources_is_counted_together_past_the_table() {
        let mut refusals = Refusals::default();
        for number in 0..60_000 {
            refusals.count(source(number), Why::TooFast);
        }
        let counts = refusals.take();
        assert_eq!(counts.len(), MAX_COUNTS + 1);
        let all: u64 = counts.iter().map(|refused| refused.count).sum();
        assert_eq!(all, 60_000);
    }

    #[test]
    fn a_stranger_is_told_a_few_times_and_then_hears_nothing() {
        let mut refusals = Refusals::default();
        let now = clock::monotonic_now();
        let told = |refusals: &mut Refusals, now| {
            (0..50).filter(|_| refusals.tells(now, source(1))).count()
        };
        assert_eq!(told(&mut refusals, now), usize::from(TOLD_AT_MOST));
        assert_eq!(told(&mut refusals, now + TOLD_SPAN / 2), 0);
        assert_eq!(
            told(&mut refusals, now + TOLD_SPAN),
            usize::from(TOLD_AT_MOST)
        );
        let crowd = (0..5000)
            .filter(|n| refusals.tells(now, source(*n)))
            .count();
        assert!(crowd <= MAX_TOLD, "{crowd}");
        assert!(refusals.told.len() <= MAX_TOLD);
    }
}
