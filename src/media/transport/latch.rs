//! Where plain RTP goes: to the address of the session description, until packets come from
//! another one (symmetric RTP, RFC 4961), which is how a far end behind NAT is reached.
//!
//! Anyone can send to an open port. So it moves only after consecutive packets of one stream from
//! one source, only when nothing is heard from where it sends now, and thus once: again only after
//! silence or a new session description.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::media::rtp::RtpPacket;

/// Consecutive packets from a new source before it is believed.
const CONSECUTIVE_PACKETS: u32 = 3;
/// After so long without a packet from the current source another may take its place.
const SILENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy)]
struct Candidate {
    address: SocketAddr,
    ssrc: u32,
    sequence: u16,
    packets: u32,
}

/// The address of one stream.
#[derive(Debug, Default)]
pub struct Latch {
    signalled: Option<SocketAddr>,
    remote: Option<SocketAddr>,
    heard: Option<Instant>,
    candidate: Option<Candidate>,
}

impl Latch {
    /// Takes the address of a session description. The same one again keeps what was learnt, but
    /// another source may be believed from now on.
    pub fn apply(&mut self, signalled: Option<SocketAddr>) {
        if signalled != self.signalled {
            self.signalled = signalled;
            self.remote = signalled;
        }
        self.heard = None;
        self.candidate = None;
    }

    /// Where to send.
    pub fn remote(&self) -> Option<SocketAddr> {
        self.remote
    }

    /// Whether a valid packet from there is to be heard; may change where to send.
    pub fn accept(&mut self, now: Instant, from: SocketAddr, packet: &RtpPacket<'_>) -> bool {
        if self.remote == Some(from) {
            self.heard = Some(now);
            self.candidate = None;
            return true;
        }
        let settled = self
            .heard
            .is_some_and(|heard| now.saturating_duration_since(heard) < SILENCE);
        if settled {
            return false;
        }
        let packets = match self.candidate {
            Some(candidate)
                if candidate.address == from
                    && candidate.ssrc == packet.ssrc
                    && candidate.sequence.wrapping_add(1) == packet.sequence =>
            {
                candidate.packets + 1
            }
            Some(_) | None => 1,
        };
        if packets >= CONSECUTIVE_PACKETS {
            self.remote = Some(from);
            self.heard = Some(now);
            self.candidate = None;
            return true;
        }
        self.candidate = Some(Candidate {
            address: from,
            ssrc: packet.ssrc,
            sequence: packet.sequence,
            packets,
        });
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;

    fn packet(ssrc: u32, sequence: u16) -> RtpPacket<'static> {
        RtpPacket {
            marker: false,
            payload_type: 0,
            sequence,
            timestamp: 0,
            ssrc,
            payload: &[],
        }
    }

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    /// Each row: milliseconds, from port, SSRC, sequence, and whether it is heard.
    fn play(latch: &mut Latch, start: Instant, rows: &[(u64, u16, u32, u16, bool)]) {
        for row @ (millis, port, ssrc, sequence, heard) in rows {
            let now = start + Duration::from_millis(*millis);
            let accepted = latch.accept(now, address(*port), &packet(*ssrc, *sequence));
            assert_eq!(accepted, *heard, "{row:?}");
        }
    }

    #[test]
    fn the_signalled_source_is_heard_at_once_and_keeps_others_out() {
        let mut latch = Latch::default();
        latch.apply(Some(address(1)));
        play(
            &mut latch,
            monotonic_now(),
            &[
                (0, 1, 7, 1, true),
                (10, 2, 8, 1, false),
                (20, 2, 8, 2, false),
                (30, 2, 8, 3, false),
                (40, 2, 8, 4, false),
                (50, 1, 7, 2, true),
            ],
        );
        assert_eq!(latch.remote(), Some(address(1)));
    }

    #[test]
    fn another_source_is_believed_after_three_consecutive_packets_and_then_only_after_silence() {
        let mut latch = Latch::default();
        latch.apply(Some(address(1)));
        play(
            &mut latch,
            monotonic_now(),
            &[
                (0, 2, 8, 65_535, false),
                (20, 2, 8, 0, false),
                (40, 2, 8, 1, true),
                (60, 3, 9, 1, false),
                (80, 3, 9, 2, false),
                (100, 3, 9, 3, false),
                (120, 1, 7, 1, false),
                (140, 2, 8, 2, true),
                (3_000, 3, 9, 4, false),
                (3_020, 3, 9, 5, false),
                (3_040, 3, 9, 6, true),
                (3_060, 2, 8, 3, false),
            ],
        );
        assert_eq!(latch.remote(), Some(address(3)));
    }

    #[test]
    fn gaps_and_a_change_of_stream_start_the_count_again() {
        let mut latch = Latch::default();
        latch.apply(None);
        play(
            &mut latch,
            monotonic_now(),
            &[
                (0, 2, 8, 1, false),
                (20, 2, 8, 2, false),
                (40, 2, 8, 4, false),
                (60, 2, 9, 5, false),
                (80, 2, 9, 6, false),
                (90, 3, 9, 7, false),
                (100, 2, 9, 7, false),
            ],
        );
        assert_eq!(latch.remote(), None);
    }

    #[test]
    fn a_new_description_moves_at_once_and_the_same_one_keeps_what_was_learnt() {
        let start = monotonic_now();
        let mut latch = Latch::default();
        latch.apply(Some(address(1)));
        play(
            &mut latch,
            start,
            &[(0, 2, 8, 1, false), (1, 2, 8, 2, false), (2, 2, 8, 3, true)],
        );
        latch.apply(Some(address(1)));
        assert_eq!(latch.remote(), Some(address(2)));
        play(
            &mut latch,
            start,
            &[(3, 3, 9, 1, false), (4, 3, 9, 2, false), (5, 3, 9, 3, true)],
        );
        latch.apply(Some(address(4)));
        assert_eq!(latch.remote(), Some(address(4)));
    }
}
