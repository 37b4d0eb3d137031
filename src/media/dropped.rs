//! Datagrams that came to a call and were thrown away, counted by source and reason: an attack, or a
//! far end that goes wrong.

use std::net::{IpAddr, Ipv4Addr};

/// So many sources and reasons are told apart between two tellings; further ones are a crowd.
const MAX_ROWS: usize = 32;
/// The source that stands for a crowd.
const CROWD: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Why a datagram was thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropReason {
    /// A protocol that the port does not serve, or none.
    Unexpected,
    /// RTP of which the lengths do not fit.
    MalformedRtp,
    /// RTCP of which the lengths do not fit.
    MalformedRtcp,
    /// SRTP or SRTCP that is forged, damaged or repeated.
    Unauthentic,
    /// Its source is not believed to be the far end.
    Stranger,
    /// A payload type that was not agreed on.
    PayloadType,
    /// The codec cannot read it.
    Undecodable,
    /// A handshake (DTLS) that nobody awaits, or that is broken.
    Handshake,
    /// ICE, TURN, or media of nobody who proved himself there.
    Unproven,
}

impl DropReason {
    /// All of them, in the order in which they are counted.
    pub const ALL: [Self; 9] = [
        Self::Unexpected,
        Self::MalformedRtp,
        Self::MalformedRtcp,
        Self::Unauthentic,
        Self::Stranger,
        Self::PayloadType,
        Self::Undecodable,
        Self::Handshake,
        Self::Unproven,
    ];

    /// Its word in events and reports: a contract with scripts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unexpected => "unexpected",
            Self::MalformedRtp => "malformed-rtp",
            Self::MalformedRtcp => "malformed-rtcp",
            Self::Unauthentic => "not-authentic",
            Self::Stranger => "wrong-source",
            Self::PayloadType => "wrong-payload-type",
            Self::Undecodable => "undecodable",
            Self::Handshake => "dtls",
            Self::Unproven => "ice",
        }
    }
}

/// How many datagrams were thrown away, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped([u64; DropReason::ALL.len()]);

impl Dropped {
    /// For one reason.
    pub fn of(&self, reason: DropReason) -> u64 {
        self.counts()
            .find_map(|(known, count)| (known == reason).then_some(count))
            .unwrap_or_default()
    }

    /// For each reason.
    pub fn counts(&self) -> impl Iterator<Item = (DropReason, u64)> {
        DropReason::ALL.into_iter().zip(self.0)
    }

    fn add(&mut self, reason: DropReason) {
        let known = DropReason::ALL.iter().zip(&mut self.0);
        for (_, count) in known.filter(|(known, _)| **known == reason) {
            *count = count.saturating_add(1);
        }
    }
}

/// What one source sent in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DroppedOf {
    /// The source; 0.0.0.0 stands for a crowd.
    pub source: IpAddr,
    /// Why it was thrown away.
    pub reason: DropReason,
    /// How many datagrams.
    pub count: u64,
}

/// The count of one call.
#[derive(Debug, Default)]
pub(super) struct DropCount {
    all: Dropped,
    untold: Vec<DroppedOf>,
}

impl DropCount {
    /// Counts a datagram.
    pub(super) fn add(&mut self, source: IpAddr, reason: DropReason) {
        self.all.add(reason);
        let room = self.untold.len() < MAX_ROWS;
        let mut row = |source: IpAddr| {
            let mut rows = self.untold.iter_mut();
            let known = rows.find(|row| (row.source, row.reason) == (source, reason));
            known.map(|row| row.count = row.count.saturating_add(1))
        };
        if row(source).is_some() || (!room && row(CROWD).is_some()) {
            return;
        }
        self.untold.push(DroppedOf {
            source: if room { source } else { CROWD },
            reason,
            count: 1,
        });
    }

    /// Since the beginning.
    pub(super) fn all(&self) -> Dropped {
        self.all
    }

    /// What was counted since the last time, by source.
    pub(super) fn take(&mut self) -> Vec<DroppedOf> {
        std::mem::take(&mut self.untold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_word_and_a_count_of_its_own() {
        let mut count = DropCount::default();
        let source = IpAddr::from([192, 0, 2, 1]);
        let mut words = Vec::new();
        for (reason, times) in DropReason::ALL.into_iter().zip(1..) {
            assert!(!words.contains(&reason.word()));
            words.push(reason.word());
            for _ in 0..times {
                count.add(source, reason);
            }
            assert_eq!(count.all().of(reason), times);
        }
        let told = count.take();
        assert_eq!(told.len(), DropReason::ALL.len());
        assert_eq!(told[3].count, 4);
        assert_eq!(count.take(), []);
        assert_eq!(count.all().of(DropReason::Unexpected), 1);
    }

    #[test]
    fn sources_beyond_those_that_are_told_apart_are_a_crowd() {
        let mut count = DropCount::default();
        for number in 0..1_000_u32 {
            let source = IpAddr::from(number.to_be_bytes());
            count.add(source, DropReason::Stranger);
            count.add(source, DropReason::MalformedRtp);
        }
        let told = count.take();
        assert!(told.len() <= MAX_ROWS + DropReason::ALL.len());
        assert_eq!(told.iter().map(|row| row.count).sum::<u64>(), 2_000);
        let crowd = told.iter().filter(|row| row.source == CROWD);
        assert!(crowd.map(|row| row.count).sum::<u64>() > 1_900);
    }
}
