//! Telephone events: a stream of them in, and digits out.

use std::time::{Duration, Instant};

use ringdesk::base::clock;
use ringdesk::media::dtmf::{DtmfReceiver, DtmfSender, EventPayload, EventStep};

const RATE: u32 = 8000;
/// The bytes of one packet: a step of time, a step of the timestamp, and the payload.
const RECORD: usize = 6;

/// Each event counts once at most; what our sender sends, our receiver hears.
pub(crate) fn check(bytes: &[u8]) {
    hears_no_more_than_came(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        hears_what_is_sent(text);
    }
}

fn hears_no_more_than_came(bytes: &[u8]) {
    let mut receiver = DtmfReceiver::default();
    let mut now = clock::monotonic_now();
    let mut timestamp = 0_u32;
    let (mut told, mut events) = (0, 0);
    let mut last = None;
    for record in bytes.chunks_exact(RECORD) {
        let [wait, step, payload @ ..] = record else {
            return;
        };
        now += Duration::from_millis(u64::from(*wait));
        // Steps may go back, as late packets do.
        timestamp = timestamp.wrapping_add_signed(i32::from(step.cast_signed()) * 160);
        let Some(payload) = EventPayload::parse(payload) else {
            return;
        };
        if last.replace((timestamp, payload.event)) != Some((timestamp, payload.event)) {
            events += 1;
        }
        told += count(&mut receiver, now, timestamp, payload).len();
        assert!(told <= events, "{told} digits of {events} events");
    }
    now += Duration::from_secs(1);
    told += usize::from(receiver.tick(now).is_some());
    assert!(told <= events, "{told} digits of {events} events");
    assert_eq!(receiver.tick(now), None, "it is told once");
}

fn count(
    receiver: &mut DtmfReceiver,
    now: Instant,
    timestamp: u32,
    payload: EventPayload,
) -> Vec<char> {
    let late = receiver.tick(now);
    let told = receiver.handle(now, timestamp, RATE, payload);
    let digits: Vec<char> = late
        .into_iter()
        .chain(told.into_iter().flatten())
        .map(|(digit, _)| digit)
        .collect();
    for digit in &digits {
        assert!("0123456789*#ABCD".contains(*digit), "{digit:?}");
    }
    digits
}

fn hears_what_is_sent(text: &str) {
    const PACKET_MILLIS: u32 = 20;

    let digits: String = text.chars().take(128).collect();
    let mut sender = DtmfSender::default();
    sender.push(&digits);
    let mut receiver = DtmfReceiver::default();
    let mut now = clock::monotonic_now();
    let mut clock = 0_u32;
    let mut timestamp = 0;
    let mut heard = String::new();
    // A digit and its pause take a quarter of a second.
    for _ in 0..128 * 16 {
        if let EventStep::Send(packet) = sender.step(PACKET_MILLIS, RATE) {
            if packet.start {
                timestamp = clock;
            }
            let written = EventPayload::parse(&packet.payload.write());
            assert_eq!(written, Some(packet.payload));
            heard.extend(count(&mut receiver, now, timestamp, packet.payload));
        }
        now += Duration::from_millis(u64::from(PACKET_MILLIS));
        clock += PACKET_MILLIS * RATE / 1000;
    }
    heard.extend(receiver.tick(now).map(|(digit, _)| digit));
    let pressed: String = digits
        .chars()
        .map(|digit| digit.to_ascii_uppercase())
        .filter(|digit| "0123456789*#ABCD".contains(*digit))
        .collect();
    assert_eq!(heard, pressed);
}
