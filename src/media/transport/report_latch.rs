//! Whose reports (RTCP) are believed, and where ours go.
//!
//! What a report says steers codec and bitrate, and it shows where the far end has its RTCP. Anyone can
//! send to an open port. So a report counts that the far end's key proves (SRTP), or that comes from
//! where the far end has its reports or its sound, and is of the stream that is heard from it (RFC 3550
//! section 8.2).
//!
//! A NAT gives reports a port of their own, which no session description tells. Where the sound came
//! from elsewhere than told, a report from that host and of that stream shows it, while nothing comes
//! from where reports came before.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::media::transport::Proof;

/// After so long without a report from where they came, another place may take over: five intervals,
/// as RFC 3550 section 6.3.5 lets a participant time out.
const SILENCE: Duration = Duration::from_secs(25);

/// Who sends a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reporter {
    /// From where.
    pub address: SocketAddr,
    /// The source that it says to be.
    pub ssrc: u32,
    /// What tells that it is the far end.
    pub proof: Proof,
}

/// The far end's sound: where it is, and the source that is heard, if one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FarSound {
    /// Where our sound goes.
    pub remote: Option<SocketAddr>,
    /// Whether its packets showed that, and no session description.
    pub found: bool,
    /// Of what is heard since the last session description.
    pub ssrc: Option<u32>,
}

/// Where the far end has the reports of one call, on a port of their own.
#[derive(Debug, Default)]
pub struct ReportLatch {
    signalled: Option<SocketAddr>,
    remote: Option<SocketAddr>,
    heard: Option<Instant>,
}

impl ReportLatch {
    /// Takes the address of a session description, or what ICE has found out.
    pub fn apply(&mut self, signalled: Option<SocketAddr>) {
        *self = Self {
            signalled,
            remote: signalled,
            heard: None,
        };
    }

    /// Where to send reports.
    pub fn remote(&self) -> Option<SocketAddr> {
        self.remote
    }

    /// Whether a report is the far end's; may change where ours go.
    pub fn accept(&mut self, now: Instant, reporter: Reporter, sound: FarSound) -> bool {
        let from = Some(reporter.address);
        let settled = self
            .heard
            .is_some_and(|heard| now.saturating_duration_since(heard) < SILENCE);
        let believed = reporter.proof == Proof::Key
            || if [self.remote, self.signalled, sound.remote].contains(&from) {
                sound.is_of(reporter)
            } else {
                !settled && sound.found && sound.is_beside(reporter)
            };
        if believed {
            self.remote = from;
            self.heard = Some(now);
        }
        believed
    }
}

impl FarSound {
    /// Whether a report that came over the way of the sound itself (RFC 5761) is the far end's.
    pub fn shares_with(self, reporter: Reporter) -> bool {
        reporter.proof == Proof::Key
            || (self.remote == Some(reporter.address) && self.is_of(reporter))
    }

    /// Whether nothing else is heard.
    fn is_of(self, reporter: Reporter) -> bool {
        self.ssrc.is_none_or(|heard| heard == reporter.ssrc)
    }

    /// Whether it is heard from that host.
    fn is_beside(self, reporter: Reporter) -> bool {
        let host = self.remote.map(|remote| remote.ip());
        host == Some(reporter.address.ip()) && self.ssrc == Some(reporter.ssrc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;

    fn host(number: u8, port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, number], port))
    }

    fn reporter(address: SocketAddr, ssrc: u32, proof: Proof) -> Reporter {
        Reporter {
            address,
            ssrc,
            proof,
        }
    }

    /// Each row: seconds, from, SSRC, whether it is believed, and where reports go then.
    type Row = (u64, SocketAddr, u32, bool, SocketAddr);

    fn play(latch: &mut ReportLatch, sound: FarSound, proof: Proof, rows: &[Row]) {
        let start = monotonic_now();
        for row @ (seconds, from, ssrc, believed, to) in rows {
            let now = start + Duration::from_secs(*seconds);
            let reporter = reporter(*from, *ssrc, proof);
            assert_eq!(latch.accept(now, reporter, sound), *believed, "{row:?}");
            assert_eq!(latch.remote(), Some(*to), "{row:?}");
        }
    }

    const HEARD: Option<u32> = Some(7);

    /// A far end that has its reports and its sound where it says, and is heard.
    fn told() -> (ReportLatch, FarSound) {
        let mut latch = ReportLatch::default();
        latch.apply(Some(host(1, 5)));
        let sound = FarSound {
            remote: Some(host(1, 4)),
            found: false,
            ssrc: HEARD,
        };
        (latch, sound)
    }

    #[test]
    fn a_report_in_the_clear_comes_from_where_the_far_end_has_them_and_is_of_what_is_heard() {
        let (mut latch, sound) = told();
        let rows = [
            (0, host(1, 9), 8, false, host(1, 5)),
            (0, host(1, 9), 7, false, host(1, 5)),
            (0, host(2, 5), 7, false, host(1, 5)),
            (0, host(1, 5), 8, false, host(1, 5)),
            (0, host(1, 4), 8, false, host(1, 5)),
            (0, host(1, 5), 7, true, host(1, 5)),
            (9, host(1, 9), 7, false, host(1, 5)),
            (90, host(1, 9), 7, false, host(1, 5)),
            // Some send reports from the port of their sound.
            (91, host(1, 4), 7, true, host(1, 4)),
        ];
        play(&mut latch, sound, Proof::Nothing, &rows);
        // Of a far end that sends no sound the source is not known.
        latch.apply(Some(host(1, 5)));
        let unheard = FarSound {
            ssrc: None,
            ..sound
        };
        let rows = [
            (0, host(1, 9), 7, false, host(1, 5)),
            (0, host(1, 5), 8, true, host(1, 5)),
        ];
        play(&mut latch, unheard, Proof::Nothing, &rows);
    }

    #[test]
    fn the_port_that_a_nat_gives_is_found_and_the_told_one_may_come_back() {
        let (mut latch, sound) = told();
        let sound = FarSound {
            remote: Some(host(3, 60_000)),
            found: true,
            ..sound
        };
        let rows = [
            (0, host(3, 60_001), 8, false, host(1, 5)),
            (1, host(3, 60_001), 7, true, host(3, 60_001)),
            (6, host(3, 60_009), 7, false, host(3, 60_001)),
            (25, host(3, 60_009), 7, false, host(3, 60_001)),
            (26, host(3, 60_009), 7, true, host(3, 60_009)),
            (27, host(1, 5), 7, true, host(1, 5)),
        ];
        play(&mut latch, sound, Proof::Nothing, &rows);
    }

    #[test]
    fn a_report_under_the_far_ends_key_counts_wherever_it_comes_from() {
        let (mut latch, sound) = told();
        let rows = [
            (0, host(1, 5), 7, true, host(1, 5)),
            (1, host(2, 9), 8, true, host(2, 9)),
        ];
        play(&mut latch, sound, Proof::Key, &rows);
        let rows = [(0, host(4, 9), 7, false, host(2, 9))];
        play(&mut latch, sound, Proof::FormerKey, &rows);
    }

    #[test]
    fn on_the_way_of_the_sound_a_report_comes_from_where_the_sound_does() {
        let (_, sound) = told();
        let rows = [
            (host(1, 4), 7, Proof::Nothing, true),
            (host(1, 4), 8, Proof::Nothing, false),
            (host(1, 5), 7, Proof::Nothing, false),
            (host(1, 5), 7, Proof::FormerKey, false),
            (host(2, 9), 8, Proof::Key, true),
        ];
        for row @ (from, ssrc, proof, believed) in rows {
            let reporter = reporter(from, ssrc, proof);
            assert_eq!(sound.shares_with(reporter), believed, "{row:?}");
        }
    }
}
