//! Datagrams of strangers in the clear: a call with a hundred thousand of them is, octet for octet, the
//! one without.

use std::net::SocketAddr;

use super::world::{Side, Weather, World, with_report_ports};
use crate::base::random::{Random as _, SeededRandom};
use crate::media::command::Quality;
use crate::media::dropped::{DropReason, Dropped};
use crate::media::rtcp::{self, ReportBlock, SenderInfo};
use crate::media::rtp::RtpPacket;
use crate::sdp::{Codec, Direction, MediaPlan};

/// In all, spread over the call.
const FORGED: u32 = 100_000;
/// Of 10 ms each, behind the first second.
const TICKS: u32 = 1_250;
/// What is sent by the side that is attacked, and by its far end.
const SSRC: [u32; 2] = [1_000, 2_000];

/// A whole call, with `forge` called so often behind its first second.
fn call(plans: [MediaPlan; 2], mut world: World, mut forge: impl FnMut(&mut World)) -> World {
    world.apply(plans);
    // So that reports have something to tell.
    world.weather = Weather {
        loss: 0.03,
        delay: 20,
        jitter: 15,
    };
    world.run(1.0);
    for _ in 0..TICKS {
        for _ in 0..FORGED.div_ceil(TICKS) {
            forge(&mut world);
        }
        world.tick();
    }
    world
}

/// What both sides hear, send and where to, what is told of the call, and what is measured in it; each
/// datagram of a stranger is counted.
fn assert_same(undisturbed: &World, disturbed: &World, forged: u32) {
    for (before, after) in undisturbed.sides.iter().zip(&disturbed.sides) {
        assert!(before.heard == after.heard);
        assert!(before.sent == after.sent);
        assert_eq!(before.events, after.events);
        let uncounted = |side: &Side| Quality {
            dropped: Dropped::default(),
            ..side.session.quality()
        };
        assert_eq!(uncounted(before), uncounted(after));
    }
    // It was a call, and reports came in it.
    let [side, _] = &disturbed.sides;
    let quality = side.session.quality();
    assert!(quality.received > 600, "{quality:?}");
    assert!(quality.remote_loss.is_some(), "{quality:?}");
    let dropped: u64 = quality.dropped.counts().map(|(_, count)| count).sum();
    assert_eq!(dropped, u64::from(forged), "{quality:?}");
}

/// Where strangers are: on the far end's host, and on others.
fn stranger(random: &mut SeededRandom) -> SocketAddr {
    let [host, low, high, ..] = random.next_u64().to_le_bytes();
    // Not the ports of the far end, which are 4000 and 4001.
    let port = u16::from_le_bytes([low, high]) | 0x8000;
    SocketAddr::from((
        [192, 0, 2, if host.is_multiple_of(2) { 2 } else { host }],
        port,
    ))
}

#[test]
fn a_hundred_thousand_forged_packets_change_nothing_that_is_heard_or_where_we_send() {
    for codec in [Codec::Pcmu, Codec::Opus] {
        let world = || World::new(11);
        let plans = world().agree(&[codec], [Direction::SendRecv; 2]);
        let known: Vec<u8> = plans[0].receive.iter().map(|(number, _)| *number).collect();
        let mut random = SeededRandom::new(3);
        let mut sequence = 0_u16;
        let payload: Vec<u8> = (0..=255).cycle().take(1_400).collect();
        let forge = |world: &mut World| {
            let dice = random.next_u64().to_le_bytes();
            // In a row, so that the latch could believe them; or anywhere.
            sequence = sequence.wrapping_add(if dice[0] < 230 { 1 } else { dice[1].into() });
            let packet = RtpPacket {
                marker: dice[2].is_multiple_of(8),
                // Nearly always one that was agreed.
                payload_type: if dice[3] < 200 {
                    known[usize::from(dice[3]) % known.len()]
                } else {
                    dice[4] & 0x3f
                },
                sequence,
                timestamp: u32::from(sequence) * 160,
                // For a while one stream, for a while the far end's, else many.
                ssrc: match sequence % 600 {
                    0..200 => 666,
                    200..400 => SSRC[1],
                    _ => random.next_u32(),
                },
                payload: &payload[..usize::from(dice[5]) * usize::from(dice[6] % 6)],
            };
            // For a while one source.
            let from = if sequence % 400 < 200 {
                SocketAddr::from(([192, 0, 2, 2], 666))
            } else {
                stranger(&mut random)
            };
            let now = world.now;
            world.sides[0]
                .session
                .handle_rtp(now, from, &packet.write());
        };
        let undisturbed = call(plans.clone(), world(), |_| {});
        let disturbed = call(plans, world(), forge);
        assert_same(&undisturbed, &disturbed, FORGED);
    }
}

/// They were believed by the host alone, so that anyone on it sent our reports elsewhere, had the bitrate
/// cut, and had a new offer made for a voice that does arrive.
#[test]
fn a_hundred_thousand_forged_reports_change_neither_the_course_nor_where_reports_go() {
    for mux in [false, true] {
        let world = || World::new(12);
        let mut plans = world().agree(&[Codec::Opus], [Direction::SendRecv; 2]);
        if !mux {
            plans = with_report_ports(plans);
        }
        assert!(plans.iter().all(|plan| plan.rtcp_mux == mux));
        let mut random = SeededRandom::new(4);
        let forge = |world: &mut World| {
            let number = random.next_u32();
            let sender = SenderInfo {
                ntp_time: random.next_u64(),
                rtp_time: random.next_u32(),
                packets: random.next_u32(),
                bytes: random.next_u32(),
            };
            let block = ReportBlock {
                ssrc: SSRC[0],
                fraction_lost: 255,
                total_lost: 5_000,
                highest_sequence: 7,
                jitter: random.next_u32(),
                last_sender_report: random.next_u32(),
                delay_since_last: number,
            };
            // Half of them know the far end's source.
            let ssrc = if number.is_multiple_of(2) {
                SSRC[1]
            } else {
                number
            };
            let report = rtcp::write(
                ssrc,
                "nobody",
                (!number.is_multiple_of(3)).then_some(sender),
                (!number.is_multiple_of(7)).then_some(block),
                number.is_multiple_of(11),
            );
            let (now, from) = (world.now, stranger(&mut random));
            world.sides[0].session.handle_rtcp(now, from, &report);
            world.sides[0].session.handle_rtp(now, from, &report);
        };
        let undisturbed = call(plans.clone(), world(), |_| {});
        let disturbed = call(plans, world(), forge);
        assert_same(&undisturbed, &disturbed, 2 * FORGED);
    }
}

#[test]
fn each_kind_of_datagram_that_is_of_no_use_is_counted_once() {
    let packet = |payload_type, payload| {
        let packet = RtpPacket {
            marker: false,
            payload_type,
            sequence: 9,
            timestamp: 9,
            ssrc: SSRC[1],
            payload,
        };
        packet.write()
    };
    let plans = World::new(1).agree(&[Codec::Opus], [Direction::SendRecv; 2]);
    let opus = plans[0].send_payload_type;
    let report = rtcp::write(SSRC[1], "nobody", None, None, false);
    // From the far end's host or not, to the RTCP port or not, what, and under which reason.
    let rows = [
        (true, false, vec![100; 20], Some(DropReason::Unexpected)),
        (true, false, vec![0, 1, 0, 0], Some(DropReason::Unexpected)),
        (true, false, report.clone(), Some(DropReason::Unexpected)),
        (true, true, packet(opus, &[8]), Some(DropReason::Unexpected)),
        (
            true,
            false,
            vec![0x80, opus, 1],
            Some(DropReason::MalformedRtp),
        ),
        (
            true,
            true,
            report[..6].to_vec(),
            Some(DropReason::MalformedRtcp),
        ),
        (false, false, packet(opus, &[8]), Some(DropReason::Stranger)),
        (false, true, report.clone(), Some(DropReason::Stranger)),
        (true, false, packet(64, &[8]), Some(DropReason::PayloadType)),
        (
            true,
            false,
            packet(opus, &[3, 0]),
            Some(DropReason::Undecodable),
        ),
        (true, false, vec![22; 60], Some(DropReason::Handshake)),
        (true, true, vec![22; 60], Some(DropReason::Handshake)),
        // What keeps a NAT open, and what is well.
        (true, false, Vec::new(), None),
        (true, true, report, None),
    ];
    for row @ (from_far_end, reports, bytes, expected) in &rows {
        let mut world = World::new(1);
        world.apply(with_report_ports(plans.clone()));
        world.run(1.0);
        let host = if *from_far_end { 2 } else { 9 };
        let from = SocketAddr::from(([192, 0, 2, host], if *reports { 4_001 } else { 4_000 }));
        let (now, session) = (world.now, &mut world.sides[0].session);
        if *reports {
            session.handle_rtcp(now, from, bytes);
        } else {
            session.handle_rtp(now, from, bytes);
        }
        for (reason, count) in session.dropped().counts() {
            assert_eq!(
                count,
                u64::from(*expected == Some(reason)),
                "{row:?} {reason:?}"
            );
        }
    }
}
