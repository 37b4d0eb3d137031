//! Calls in which one side is not heard: each cause is named in time, told once, and over when it is.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::world::{Flying, Weather, World};
use crate::base::clock::monotonic_now;
use crate::media::dropped::Dropped;
use crate::media::frame::FRAME_TIME;
use crate::media::one_way::{Captured, Cause, Duties, FarSending, OneWayDetector, Received};
use crate::media::quality::Second;
use crate::media::rtcp;
use crate::media::rtp::is_rtcp;
use crate::media::session::SessionEvent;
use crate::sdp::{Codec, Direction, SrtpKeys, SrtpSeed, SrtpSuite};

/// Where side 0 and side 1 are.
const PORT: u16 = 4_000;

fn is_to(flying: &Flying, side: u8) -> bool {
    flying.to == SocketAddr::from(([192, 0, 2, side + 1], PORT))
}

fn is_sound(flying: &Flying) -> bool {
    !flying.transmit.bytes.is_empty() && !is_rtcp(&flying.transmit.bytes)
}

/// Runs while a network does something to each datagram that is sent, or takes it away.
fn run(world: &mut World, seconds: f32, mut passes: impl FnMut(&mut Flying) -> bool) {
    for _ in 0..(Duration::from_secs_f32(seconds).as_millis() / FRAME_TIME.as_millis()) {
        world.tick();
        let sent = world.now - FRAME_TIME + Duration::from_millis(world.weather.delay);
        world
            .flying
            .retain_mut(|flying| flying.arrival != sent || passes(flying));
    }
}

/// The causes that a side was told, in order; a `None` for each that is over.
fn causes(world: &World, side: usize) -> Vec<Option<Cause>> {
    let cause = |event: &SessionEvent| match event {
        SessionEvent::OneWay { cause, over } => Some((!over).then_some(*cause)),
        SessionEvent::Flowing(_)
        | SessionEvent::Silent { .. }
        | SessionEvent::Heard
        | SessionEvent::Secured(_)
        | SessionEvent::KeysFailed(_)
        | SessionEvent::Digit(_) => None,
    };
    world.sides[side].events.iter().filter_map(cause).collect()
}

#[test]
fn a_call_that_is_well_has_no_cause_whatever_its_network() {
    for codec in [Codec::Opus, Codec::Pcma] {
        let mut world = World::call(5, codec);
        for side in &mut world.sides {
            side.live = true;
        }
        world.weather = Weather {
            loss: 0.2,
            delay: 80,
            jitter: 40,
        };
        world.run(60.0);
        assert_eq!(causes(&world, 0), []);
        assert_eq!(causes(&world, 1), []);
    }
}

#[test]
fn a_call_on_hold_has_no_cause() {
    let mut world = World::call(1, Codec::Pcmu);
    world.run(2.0);
    let plans = world.agree(&[Codec::Pcmu], [Direction::Inactive, Direction::SendRecv]);
    world.apply(plans);
    world.sides[0].live = true;
    world.sides[0].hertz = 0.0;
    world.run(20.0);
    assert_eq!(causes(&world, 0), []);
    assert_eq!(causes(&world, 1), []);
}

#[test]
fn nothing_at_all_is_told_within_three_seconds_and_is_over_with_the_first_sound() {
    let mut world = World::call(1, Codec::Pcmu);
    world.run(1.0);
    run(&mut world, 3.0, |flying| !is_to(flying, 0));
    let nothing = Cause::NothingReceived(FarSending::Unknown);
    assert_eq!(causes(&world, 0), [Some(nothing)]);
    run(&mut world, 3.0, |flying| !is_to(flying, 0));
    assert_eq!(causes(&world, 0), [Some(nothing)], "told once");
    world.run(0.5);
    assert_eq!(causes(&world, 0), [Some(nothing), None]);
    let over = SessionEvent::OneWay {
        cause: nothing,
        over: true,
    };
    assert!(world.sides[0].events.contains(&over));
}

#[test]
fn reports_tell_a_firewall_from_a_far_end_that_sends_nothing() {
    // The sound of side 1 is lost, its reports are not.
    let mut world = World::call(1, Codec::Pcmu);
    world.run(6.0);
    run(&mut world, 3.0, |f| !(is_to(f, 0) && is_sound(f)));
    let sends = Cause::NothingReceived(FarSending::Sends);
    assert_eq!(causes(&world, 0), [Some(sends)]);

    // It agreed to send, and sends nothing.
    let mut world = World::new(1);
    let mut plans = world.agree(&[Codec::Pcmu], [Direction::SendRecv; 2]);
    plans[1].direction = Direction::RecvOnly;
    world.apply(plans);
    world.run(12.0);
    let nothing = Cause::NothingReceived(FarSending::SendsNothing);
    assert_eq!(causes(&world, 0).last(), Some(&Some(nothing)));
}

#[test]
fn nothing_heard_has_a_report_sent_at_once() {
    let mut world = World::call(1, Codec::Pcmu);
    world.run(7.0);
    let mut reports = Vec::new();
    for _ in 0..300 {
        run(&mut world, 0.01, |flying| {
            if is_to(flying, 1) && is_rtcp(&flying.transmit.bytes) {
                reports.push(flying.arrival);
            }
            !is_to(flying, 0)
        });
        if !causes(&world, 0).is_empty() {
            break;
        }
    }
    run(&mut world, 0.02, |flying| {
        if is_to(flying, 1) && is_rtcp(&flying.transmit.bytes) {
            reports.push(flying.arrival);
        }
        !is_to(flying, 0)
    });
    let last = *reports.last().unwrap();
    assert!(world.now.saturating_duration_since(last) < Duration::from_millis(50));
}

#[test]
fn the_way_through_a_nat_is_kept_open_faster_while_nothing_is_heard() {
    let mut world = World::new(1);
    let mut plans = world.agree(&[Codec::Pcmu], [Direction::RecvOnly, Direction::SendRecv]);
    plans[1].direction = Direction::Inactive;
    world.apply(plans);
    world.run(12.0);
    assert!((8..=11).contains(&world.sides[1].kept_open));
}

#[test]
fn a_wrong_address_is_named_until_the_latch_believes_it() {
    let wrong = SocketAddr::from(([203, 0, 113, 7], 9_999));
    let mut world = World::call(1, Codec::Pcmu);
    world.run(3.0);
    let moved = |flying: &mut Flying| {
        if is_to(flying, 0) {
            flying.from = wrong;
        }
        true
    };
    run(&mut world, 1.7, moved);
    assert_eq!(causes(&world, 0), [Some(Cause::WrongSource(wrong))]);
    run(&mut world, 1.0, moved);
    assert_eq!(causes(&world, 0), [Some(Cause::WrongSource(wrong)), None]);
    let flowing = SessionEvent::Flowing(wrong);
    assert!(world.sides[0].events.contains(&flowing), "repaired");

    // One that never sends two packets in a row is never believed.
    let mut world = World::call(1, Codec::Pcmu);
    let mut odd = false;
    run(&mut world, 3.0, |flying| {
        if is_to(flying, 0) {
            flying.from = wrong;
            odd = !odd;
        }
        !is_to(flying, 0) || odd
    });
    assert_eq!(causes(&world, 0), [Some(Cause::WrongSource(wrong))]);
}

#[test]
fn a_payload_type_that_nobody_agreed_on_is_named_with_its_number() {
    let mut world = World::new(1);
    let mut plans = world.agree(&[Codec::Pcmu], [Direction::SendRecv; 2]);
    plans[1].send_payload_type = 18;
    world.apply(plans);
    world.run(3.0);
    assert_eq!(causes(&world, 0), [Some(Cause::WrongPayload(18))]);
    // A stranger's is not the far end's.
    let mut world = World::call(1, Codec::Pcmu);
    run(&mut world, 3.0, |flying| {
        if is_to(flying, 0) {
            flying.from = SocketAddr::from(([203, 0, 113, 7], 9_999));
            if is_sound(flying) {
                flying.transmit.bytes[1] = 18;
            }
        }
        true
    });
    assert!(matches!(
        causes(&world, 0).as_slice(),
        [Some(Cause::WrongSource(_))]
    ));
}

#[test]
fn sound_that_the_codec_cannot_read_is_told() {
    let mut world = World::call(1, Codec::Opus);
    world.run(2.0);
    run(&mut world, 3.0, |flying| {
        if is_to(flying, 0) && is_sound(flying) {
            // A packet of code 3 with no frame in it (RFC 6716 section 3.2.5).
            flying.transmit.bytes.truncate(12);
            flying.transmit.bytes.extend([0x03, 0x00]);
        }
        true
    });
    assert_eq!(causes(&world, 0), [Some(Cause::Undecodable)]);
    world.run(1.0);
    assert_eq!(causes(&world, 0).last(), Some(&None));
}

/// Keys by their numbers: that of what is sent, and that of what is received.
fn keys(send: u8, receive: u8) -> SrtpKeys {
    let key = |number: u8| SrtpSeed::new([number; 32]).draw(SrtpSuite::Aes128CmHmacSha1_80);
    SrtpKeys {
        send: key(send),
        receive: key(receive),
    }
}

#[test]
fn packets_that_fail_authentication_are_told() {
    let mut world = World::new(1);
    let mut plans = world.agree(&[Codec::Pcmu], [Direction::SendRecv; 2]);
    plans[0].srtp = Some(keys(1, 2));
    plans[1].srtp = Some(keys(2, 1));
    world.apply(plans.clone());
    world.run(2.0);
    // A stranger's are no cause.
    for _ in 0..50 {
        let now = world.now;
        let stranger = SocketAddr::from(([203, 0, 113, 7], 9_999));
        let session = &mut world.sides[0].session;
        session.handle_rtp(now, stranger, &[0x80; 60]);
        world.run(0.02);
    }
    assert_eq!(causes(&world, 0), []);
    // The far end begins to use a key that nobody told.
    plans[1].srtp = Some(keys(9, 1));
    world.apply(plans);
    world.run(3.0);
    assert_eq!(causes(&world, 0), [Some(Cause::Unauthentic)]);
}

/// Its packets never come from where its description says, so they were taken for a stranger's.
#[test]
fn a_far_end_behind_nat_with_a_wrong_key_is_told() {
    let mut world = World::new(1);
    let mut plans = world.agree(&[Codec::Pcmu], [Direction::SendRecv; 2]);
    plans[0].srtp = Some(keys(1, 2));
    plans[1].srtp = Some(keys(9, 1));
    world.apply(plans.clone());
    let behind = |port: u16| SocketAddr::from(([203, 0, 113, 7], port));
    let moved = |flying: &mut Flying| {
        if is_to(flying, 0) {
            flying.from = behind(61_000);
        }
        true
    };
    run(&mut world, 3.0, moved);
    assert_eq!(causes(&world, 0), [Some(Cause::Unauthentic)]);
    // With the right key it is over.
    plans[1].srtp = Some(keys(2, 1));
    world.apply_to(1, &plans[1]);
    run(&mut world, 0.5, moved);
    assert_eq!(causes(&world, 0), [Some(Cause::Unauthentic), None]);

    // What comes from everywhere is nobody's.
    let mut world = World::new(1);
    world.apply(plans);
    let mut port = 1_000;
    run(&mut world, 3.0, |flying| {
        port += 1;
        if is_to(flying, 0) {
            flying.from = behind(port);
            if is_sound(flying) {
                flying
                    .transmit
                    .bytes
                    .iter_mut()
                    .for_each(|byte| *byte |= 0x80);
            }
        }
        !is_rtcp(&flying.transmit.bytes)
    });
    let nothing = Cause::NothingReceived(FarSending::Unknown);
    assert_eq!(causes(&world, 0), [Some(nothing)]);
}

#[test]
fn nowhere_to_send_is_told_until_a_packet_shows_where() {
    let mut world = World::new(1);
    let mut plans = world.agree(&[Codec::Pcmu], [Direction::SendRecv; 2]);
    plans[0].remote_rtp = None;
    world.apply(plans);
    run(&mut world, 2.0, |flying| !is_to(flying, 0));
    assert_eq!(causes(&world, 0), [Some(Cause::NoAddress)]);
    world.run(0.5);
    assert_eq!(causes(&world, 0), [Some(Cause::NoAddress), None]);
    world.run(1.0);
    assert!(world.sides[1].arrived > 50, "repaired");
}

#[test]
fn a_microphone_that_gives_no_frames_is_told() {
    let mut world = World::call(1, Codec::Pcmu);
    world.run(2.0);
    world.sides[0].live = true;
    world.run(1.0);
    world.sides[0].stalled = true;
    // The timer goes on in its place, with silence.
    let hertz = std::mem::replace(&mut world.sides[0].hertz, 0.0);
    world.run(5.0);
    assert_eq!(causes(&world, 0), [Some(Cause::NoFrames)]);
    (world.sides[0].stalled, world.sides[0].hertz) = (false, hertz);
    world.run(0.5);
    assert_eq!(causes(&world, 0), [Some(Cause::NoFrames), None]);
}

#[test]
fn the_far_end_says_that_nothing_of_us_arrives() {
    // From the beginning: its first report knows no stream of ours.
    let mut world = World::call(1, Codec::Pcmu);
    run(&mut world, 6.0, |f| !(is_to(f, 1) && is_sound(f)));
    assert_eq!(causes(&world, 0), [Some(Cause::FarEndHearsNothing)]);
    // In the middle: the highest sequence number stands still.
    let mut world = World::call(1, Codec::Opus);
    world.run(10.0);
    assert_eq!(causes(&world, 0), []);
    run(&mut world, 16.0, |f| !(is_to(f, 1) && is_sound(f)));
    assert_eq!(causes(&world, 0), [Some(Cause::FarEndHearsNothing)]);
    world.run(16.0);
    assert_eq!(causes(&world, 0).last(), Some(&None));
}

/// Loses the sound of side 0 until it is told that nothing of it arrives, for 20 s at most; gives when the
/// reports of side 1 came meanwhile, and when it was told.
fn until_told(world: &mut World) -> (Vec<Instant>, Instant) {
    let mut reports = Vec::new();
    for _ in 0..2_000 {
        run(world, 0.01, |flying| {
            if is_to(flying, 0) && is_rtcp(&flying.transmit.bytes) {
                reports.push(flying.arrival);
            }
            !(is_to(flying, 1) && is_sound(flying))
        });
        if causes(world, 0).last() == Some(&Some(Cause::FarEndHearsNothing)) {
            break;
        }
    }
    assert_eq!(causes(world, 0), [Some(Cause::FarEndHearsNothing)]);
    (reports, world.now)
}

#[test]
fn that_nothing_of_us_arrives_is_told_within_three_seconds_of_the_report_that_shows_it() {
    const MOST: Duration = Duration::from_secs(3);
    for seed in 1..=3 {
        // Nothing ever arrived: the first report shows it.
        let mut world = World::call(seed, Codec::Pcmu);
        let (reports, told) = until_told(&mut world);
        assert!(told <= reports[0] + MOST, "{seed}");
    }
    for half in [0_u8, 3, 5, 7, 9] {
        // Whenever it breaks off: the first report may still speak of what came before, and of two in a row
        // one says too little.
        let mut world = World::call(1, Codec::Pcmu);
        world.run(10.0 + f32::from(half) / 2.0);
        let (reports, told) = until_told(&mut world);
        let shown = reports.get(2).or_else(|| reports.last()).unwrap();
        assert!(told <= *shown + MOST, "{half}");
    }
}

/// As aiortc does: each second or so what it sends, and at other moments what it receives.
#[test]
fn reports_of_what_is_sent_and_of_what_is_received_may_come_apart() {
    let start = monotonic_now();
    let mut detector = OneWayDetector::new();
    let duties = Duties {
        receives: Some(start),
        sends: Some(start),
        reachable: true,
        heard: None,
    };
    let mut found = Vec::new();
    for step in 1..=80_u32 {
        let (now, sent) = (start + Duration::from_millis(100) * step, 5 * step);
        detector.captured(now, Captured::Other, false);
        if step % 14 == 10 {
            detector.reported(now, Some(sent), None, u64::from(sent));
        }
        // Nothing of ours arrives in the last four seconds.
        if step % 14 == 3 && step < 40 {
            let received = Received {
                fraction_lost: 0,
                highest_sequence: sent,
            };
            detector.reported(now, None, Some(received), u64::from(sent));
        }
        let causes = detector.look(now, &duties);
        found.extend(causes.map(|(_, found)| found.map(|cause| (step, cause))));
    }
    let found: Vec<_> = found.into_iter().flatten().collect();
    let sends = Cause::NothingReceived(FarSending::Sends);
    assert_eq!(found, [(25, sends), (72, Cause::FarEndHearsNothing)]);
}

#[test]
fn a_dead_microphone_gives_exact_zeros() {
    let mut world = World::call(1, Codec::Pcmu);
    world.sides[0].live = true;
    world.run(1.0);
    let hertz = std::mem::replace(&mut world.sides[0].hertz, 0.0);
    world.run(3.0);
    assert_eq!(causes(&world, 0), [Some(Cause::SilentMicrophone)]);
    world.sides[0].hertz = hertz;
    world.run(0.5);
    assert_eq!(causes(&world, 0), [Some(Cause::SilentMicrophone), None]);
    // A file, music or the null device may be silent.
    world.sides[0].live = false;
    world.sides[0].hertz = 0.0;
    world.run(5.0);
    assert_eq!(causes(&world, 0).len(), 2);
}

/// A round trip below nothing became one of nothing, from which every other is far.
#[test]
fn a_report_with_an_impossible_delay_measures_no_round_trip() {
    let mut world = World::call(1, Codec::Pcma);
    world.run(12.0);
    let known = world.sides[0].session.quality().round_trip;
    assert!(known.is_some());
    let sent = world.sides[0].sent.iter().rev();
    let report = sent.filter_map(|sent| rtcp::parse(&sent.bytes)).next();
    let sender = report.and_then(|report| report.sender).unwrap();
    let block = rtcp::ReportBlock {
        ssrc: 1_000,
        last_sender_report: rtcp::middle_of(sender.ntp_time),
        delay_since_last: 60 * 65_536,
        ..rtcp::ReportBlock::default()
    };
    let report = rtcp::write(2_000, "far end", None, Some(block), false);
    let (now, from) = (world.now, world.sides[1].address);
    world.sides[0].session.handle_rtp(now, from, &report);
    let quality = world.sides[0].session.quality();
    assert_eq!(quality.round_trip, known);
    assert_eq!(quality.dropped, Dropped::default(), "it was read");
}

#[test]
fn who_speaks_while_muted_is_told() {
    let mut world = World::call(1, Codec::Pcmu);
    world.sides[0].live = true;
    world.sides[0].session.mute(true);
    world.run(3.0);
    assert_eq!(causes(&world, 0), [Some(Cause::SpeaksMuted)]);
    world.sides[0].session.mute(false);
    world.run(0.5);
    assert_eq!(causes(&world, 0), [Some(Cause::SpeaksMuted), None]);
}

/// The last of so many seconds of a side.
fn seconds(world: &mut World, side: usize, count: usize) -> Vec<Second> {
    (0..count)
        .map(|_| {
            world.run(1.0);
            let now = world.now;
            world.sides[side].session.second(now)
        })
        .collect()
}

#[test]
fn each_second_is_measured_in_both_directions() {
    let mut world = World::call(7, Codec::Pcma);
    let clear = seconds(&mut world, 0, 12);
    assert_eq!(
        (clear[0].round_trip, clear[0].outgoing.loss),
        (None, None),
        "nothing was reported yet"
    );
    assert_eq!(clear[0].incoming.score, None);
    let last = clear.last().unwrap();
    assert_eq!((last.incoming.received, last.outgoing.sent), (50, 50));
    assert_eq!((last.incoming.lost, last.outgoing.loss), (0, Some(0.0)));
    assert_eq!(last.outgoing.score, None, "the far end's buffer is unknown");
    let score = last.incoming.score.unwrap();
    assert!(score.mos > 4.35 && !score.estimate, "{score:?}");

    world.weather = Weather {
        loss: 0.1,
        delay: 60,
        jitter: 0,
    };
    let lossy = seconds(&mut world, 0, 20);
    let lost: u32 = lossy.iter().map(|second| second.incoming.lost).sum();
    assert!((70..130).contains(&lost), "{lost} of 1000");
    let concealed: Duration = lossy.iter().map(|second| second.incoming.concealed).sum();
    assert!(
        (1_400..3_500).contains(&concealed.as_millis()),
        "{concealed:?}"
    );
    let last = lossy.last().unwrap();
    assert!(last.incoming.score.unwrap().mos < 3.9, "{last:?}");
    assert!(last.outgoing.loss.unwrap() > 0.02, "{last:?}");
    let trip = last.round_trip.unwrap().as_millis();
    assert!((115..=145).contains(&trip), "{trip}");
}
