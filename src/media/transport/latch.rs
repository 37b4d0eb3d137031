//! Where RTP goes: to the address of the session description, until packets come from another one
//! (symmetric RTP, RFC 4961), which is how a far end behind NAT is reached.
//!
//! Anyone can send to an open port. So where nothing proves who sends, it moves only after consecutive
//! packets of one stream from one source, only when nothing is heard from where it sends now, and thus
//! once: again only after silence or a new session description.
//!
//! A packet under the far end's key (SRTP) proves it: such a one is heard wherever it comes from, and
//! the newest of them moves where we send. One that was overtaken shows where the far end was (RFC 9000
//! section 9.3 moves a connection by the same rule). A key that was replaced proves nothing of now.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::media::rtp::RtpPacket;

/// Consecutive packets from a new source before it is believed.
const CONSECUTIVE_PACKETS: u32 = 3;
/// After so long without a packet from the current source another may take its place.
const SILENCE: Duration = Duration::from_secs(2);

/// What tells that a packet is the far end's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Nothing: it came in the clear.
    Nothing,
    /// A key that was replaced, under which packets are still on their way.
    FormerKey,
    /// Its key, under which it came for the first time.
    Key,
}

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
    /// The stream that was heard last, and its highest sequence number.
    newest: Option<(u32, u16)>,
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

    /// Whether packets showed where to send, and no session description.
    pub fn is_found(&self) -> bool {
        self.remote != self.signalled
    }

    /// Whether something was heard since the last session description.
    pub fn is_heard(&self) -> bool {
        self.heard.is_some()
    }

    /// Whether a valid packet from there is to be heard; may change where to send.
    pub fn accept(
        &mut self,
        now: Instant,
        from: SocketAddr,
        packet: &RtpPacket<'_>,
        proof: Proof,
    ) -> bool {
        if self.remote == Some(from) || proof == Proof::Key {
            if self.advances(packet) {
                self.remote = Some(from);
            }
            self.heard = Some(now);
            self.candidate = None;
            return true;
        }
        let settled = self
            .heard
            .is_some_and(|heard| now.saturating_duration_since(heard) < SILENCE);
        if settled || proof == Proof::FormerKey {
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
            self.newest = Some((packet.ssrc, packet.sequence));
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

    /// Whether a packet is newer than all that was heard of its stream, or of another one.
    fn advances(&mut self, packet: &RtpPacket<'_>) -> bool {
        let overtaken = self.newest.is_some_and(|(ssrc, highest)| {
            ssrc == packet.ssrc && packet.sequence.wrapping_sub(highest).wrapping_sub(1) >= 0x7fff
        });
        if !overtaken {
            self.newest = Some((packet.ssrc, packet.sequence));
        }
        !overtaken
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
            let accepted = latch.accept(
                now,
                address(*port),
                &packet(*ssrc, *sequence),
                Proof::Nothing,
            );
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

    #[test]
    fn the_newest_packet_under_the_far_ends_key_moves_at_once_and_one_that_was_overtaken_does_not()
    {
        let start = monotonic_now();
        let mut latch = Latch::default();
        latch.apply(Some(address(1)));
        // From port, SSRC, sequence, and where to send then.
        for (port, ssrc, sequence, remote) in [
            (1, 7, 65_534, 1),
            (2, 7, 65_535, 2),
            (1, 7, 65_533, 2),
            (2, 7, 1, 2),
            (1, 7, 0, 2),
            (3, 7, 2, 3),
            (4, 8, 9, 4),
            (3, 8, 8, 4),
            (1, 8, 10, 1),
        ] {
            let row = (port, ssrc, sequence);
            let packet = packet(ssrc, sequence);
            assert!(
                latch.accept(start, address(port), &packet, Proof::Key),
                "{row:?}"
            );
            assert_eq!(latch.remote(), Some(address(remote)), "{row:?}");
        }
        // Who proves nothing still moves nothing, nor does who knows only a key of before.
        play(
            &mut latch,
            start,
            &[
                (1, 5, 9, 1, false),
                (2, 5, 9, 2, false),
                (3, 5, 9, 3, false),
                (4, 5, 9, 4, false),
            ],
        );
        assert_eq!(latch.remote(), Some(address(1)));
        latch.apply(Some(address(1)));
        for sequence in 0..10 {
            let packet = packet(9, sequence);
            assert!(!latch.accept(start, address(5), &packet, Proof::FormerKey));
        }
        assert_eq!(latch.remote(), Some(address(1)));
        assert!(latch.accept(start, address(1), &packet(9, 10), Proof::FormerKey));
    }
}
