//! Digits as telephone events (RFC 4733).
//!
//! Sending: a packet each packet time with the growing duration and the timestamp of the start,
//! the marker on the first, then the last one three times with the end bit (section 2.5.1.4).
//! Receiving: each event counts once, however many packets tell it; one whose end was lost is told
//! when the next begins or after 200 ms.
//! In band: the two tones of ITU-T Q.23 in place of the voice, for far ends that take no events.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::media::frame::{Frame, SAMPLE_RATE, SAMPLES_PER_MILLI};

/// Digits that may wait to be sent.
pub const MAX_QUEUED_DIGITS: usize = 128;
/// How long a digit is sent: what exchanges read with certainty.
const TONE_MILLIS: u32 = 160;
/// The pause behind it.
const PAUSE_MILLIS: u32 = 80;
/// Packets with the end bit.
const END_PACKETS: u8 = 3;
/// −10 dBm0, the usual level.
const VOLUME: u8 = 10;
/// After so long without a packet an event has ended.
const EVENT_TIMEOUT: Duration = Duration::from_millis(200);

/// A tone in band: 100 ms.
const TONE_SAMPLES: usize = 100 * SAMPLES_PER_MILLI;
/// Its rise and fall: 3 ms.
const EDGE_SAMPLES: usize = 3 * SAMPLES_PER_MILLI;

/// The digits in the order of their event codes (section 3.2).
const DIGITS: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D',
];

/// The payload of one packet (section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPayload {
    /// The event code; 0 to 15 are digits.
    pub event: u8,
    /// Whether the key was released.
    pub end: bool,
    /// The duration so far, in the clock of the payload type.
    pub duration: u16,
}

impl EventPayload {
    /// Reads it; more bytes may follow.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let [event, flags, high, low, ..] = *payload else {
            return None;
        };
        Some(Self {
            event,
            end: flags & 0x80 != 0,
            duration: u16::from_be_bytes([high, low]),
        })
    }

    /// Writes it.
    pub fn write(self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        let flags = if self.end { 0x80 | VOLUME } else { VOLUME };
        [self.event, flags, high, low]
    }
}

/// A packet to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPacket {
    /// What to send.
    pub payload: EventPayload,
    /// Whether a new event starts: take the timestamp of now, and set the marker.
    pub start: bool,
}

/// What is to be sent in one packet time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventStep {
    /// Nothing: sound may be sent.
    Idle,
    /// This, in place of sound.
    Send(EventPacket),
}

#[derive(Debug, Clone, Copy)]
enum Sending {
    Idle,
    Tone { event: u8, elapsed_millis: u32 },
    End { event: u8, left: u8 },
    Pause { elapsed_millis: u32 },
}

/// The digits of one call on their way out.
#[derive(Debug)]
pub struct DtmfSender {
    queue: VecDeque<u8>,
    sending: Sending,
}

impl Default for DtmfSender {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            sending: Sending::Idle,
        }
    }
}

impl DtmfSender {
    /// Adds digits; what is no digit, and what passes the limit, is ignored.
    pub fn push(&mut self, digits: &str) {
        for digit in digits.chars() {
            if let Some(event) = event_of(digit)
                && self.queue.len() < MAX_QUEUED_DIGITS
            {
                self.queue.push_back(event);
            }
        }
    }

    /// Forgets what is not yet sent.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// One packet time passes; `clock_rate` is that of the payload type in hertz.
    pub fn step(&mut self, packet_millis: u32, clock_rate: u32) -> EventStep {
        let (next, step) = match self.sending {
            Sending::Idle => self.begin(packet_millis, clock_rate),
            Sending::Tone {
                event,
                elapsed_millis,
            } => {
                let elapsed_millis = elapsed_millis + packet_millis;
                if elapsed_millis >= TONE_MILLIS {
                    let next = Sending::End {
                        event,
                        left: END_PACKETS - 1,
                    };
                    (next, send(event, true, TONE_MILLIS, clock_rate, false))
                } else {
                    let next = Sending::Tone {
                        event,
                        elapsed_millis,
                    };
                    (next, send(event, false, elapsed_millis, clock_rate, false))
                }
            }
            Sending::End { event, left } => {
                let next = if left > 1 {
                    Sending::End {
                        event,
                        left: left - 1,
                    }
                } else {
                    Sending::Pause { elapsed_millis: 0 }
                };
                (next, send(event, true, TONE_MILLIS, clock_rate, false))
            }
            Sending::Pause { elapsed_millis } => {
                let elapsed_millis = elapsed_millis + packet_millis;
                let next = if elapsed_millis >= PAUSE_MILLIS {
                    Sending::Idle
                } else {
                    Sending::Pause { elapsed_millis }
                };
                (next, EventStep::Idle)
            }
        };
        self.sending = next;
        step
    }

    fn begin(&mut self, packet_millis: u32, clock_rate: u32) -> (Sending, EventStep) {
        match self.queue.pop_front() {
            None => (Sending::Idle, EventStep::Idle),
            Some(event) => (
                Sending::Tone {
                    event,
                    elapsed_millis: packet_millis,
                },
                send(event, false, packet_millis, clock_rate, true),
            ),
        }
    }
}

fn send(event: u8, end: bool, millis: u32, clock_rate: u32, start: bool) -> EventStep {
    let duration = u64::from(millis) * u64::from(clock_rate) / 1_000;
    EventStep::Send(EventPacket {
        payload: EventPayload {
            event,
            end,
            duration: u16::try_from(duration).unwrap_or(u16::MAX),
        },
        start,
    })
}

/// A digit that came, with how long the key was pressed.
pub type ReceivedDigit = (char, Duration);

#[derive(Debug, Clone, Copy)]
struct Receiving {
    timestamp: u32,
    event: u8,
    duration: u16,
    clock_rate: u32,
    heard: Instant,
    told: bool,
}

/// The digits of one call on their way in.
#[derive(Debug, Default)]
pub struct DtmfReceiver {
    current: Option<Receiving>,
}

impl DtmfReceiver {
    /// Takes a packet; gives the digits that have ended by it: at most the one before, whose end
    /// was lost, and this one.
    pub fn handle(
        &mut self,
        now: Instant,
        timestamp: u32,
        clock_rate: u32,
        payload: EventPayload,
    ) -> [Option<ReceivedDigit>; 2] {
        let fresh = Receiving {
            timestamp,
            event: payload.event,
            duration: payload.duration,
            clock_rate,
            heard: now,
            told: false,
        };
        let mut before = None;
        match &mut self.current {
            Some(current) if current.timestamp == timestamp && current.event == payload.event => {
                current.duration = current.duration.max(payload.duration);
                current.heard = now;
            }
            // An event from before the current one came late: it was told already.
            Some(current) if timestamp.wrapping_sub(current.timestamp) > u32::MAX / 2 => {
                return [None, None];
            }
            Some(_) => {
                before = self.end();
                self.current = Some(fresh);
            }
            None => self.current = Some(fresh),
        }
        [before, if payload.end { self.end() } else { None }]
    }

    /// Gives the digit whose end was lost, once time has passed.
    pub fn tick(&mut self, now: Instant) -> Option<ReceivedDigit> {
        let heard = self.current.as_ref()?.heard;
        if now.saturating_duration_since(heard) < EVENT_TIMEOUT {
            return None;
        }
        self.end()
    }

    fn end(&mut self) -> Option<ReceivedDigit> {
        let current = self.current.as_mut().filter(|current| !current.told)?;
        current.told = true;
        let digit = DIGITS.get(usize::from(current.event))?;
        let nanos =
            u64::from(current.duration) * 1_000_000_000 / u64::from(current.clock_rate.max(1));
        Some((*digit, Duration::from_nanos(nanos)))
    }
}

/// Digits as tones in the sound (ITU-T Q.23), 100 ms each with 100 ms of pause (Q.24).
#[derive(Debug, Default)]
pub struct DigitTones {
    queue: VecDeque<u8>,
    /// The digit that sounds, and how many samples of it and its pause are done.
    current: Option<(u8, usize)>,
}

impl DigitTones {
    /// Adds digits, as `DtmfSender::push` does.
    pub fn push(&mut self, digits: &str) {
        let room = MAX_QUEUED_DIGITS.saturating_sub(self.queue.len());
        self.queue
            .extend(digits.chars().filter_map(event_of).take(room));
    }

    /// Forgets what does not sound yet.
    pub fn clear(&mut self) {
        self.queue.clear();
    }

    /// Whether digits sound or wait.
    pub fn sounds(&self) -> bool {
        self.current.is_some() || !self.queue.is_empty()
    }

    /// Puts the next 10 ms in place of the frame, while digits are to be sent.
    pub fn replace(&mut self, frame: &mut Frame) {
        const LEVEL: f32 = 0.2;
        for sample in frame {
            if self.current.is_none() {
                self.current = self.queue.pop_front().map(|event| (event, 0));
            }
            let Some((event, position)) = &mut self.current else {
                return;
            };
            let inside = (*position).min(TONE_SAMPLES.saturating_sub(*position));
            let envelope = inside.min(EDGE_SAMPLES) as f32 / EDGE_SAMPLES as f32;
            let (low, high) = frequencies(*event);
            let wave = |hertz: f32| {
                let turns = (hertz / SAMPLE_RATE as f32 * *position as f32).fract();
                (2.0 * std::f32::consts::PI * turns).sin()
            };
            *sample = (wave(low) + wave(high)) * LEVEL * envelope;
            *position += 1;
            if *position >= TONE_SAMPLES * 2 {
                self.current = None;
            }
        }
    }
}

/// The row and column of the keypad in hertz.
fn frequencies(event: u8) -> (f32, f32) {
    const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
    const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
    const KEYPAD: [char; 16] = [
        '1', '2', '3', 'A', '4', '5', '6', 'B', '7', '8', '9', 'C', '*', '0', '#', 'D',
    ];
    let digit = DIGITS.get(usize::from(event));
    let place = KEYPAD
        .iter()
        .position(|key| Some(key) == digit)
        .unwrap_or(0);
    let of = |table: [f32; 4], index: usize| table.get(index).copied().unwrap_or(0.0);
    (of(ROWS, place / 4), of(COLUMNS, place % 4))
}

fn event_of(digit: char) -> Option<u8> {
    let digit = digit.to_ascii_uppercase();
    let index = DIGITS.iter().position(|known| *known == digit)?;
    u8::try_from(index).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;

    #[test]
    fn a_digit_is_eight_packets_of_20_ms_with_three_ends() {
        let mut sender = DtmfSender::default();
        sender.push("5x");
        let mut packets = Vec::new();
        while let EventStep::Send(packet) = sender.step(20, 8_000) {
            packets.push(packet);
        }
        assert_eq!(packets.len(), 10);
        assert!(packets.iter().all(|p| p.payload.event == 5));
        assert_eq!(packets.iter().filter(|p| p.start).count(), 1);
        assert!(packets[0].start && packets[0].payload.duration == 160);
        let ends: Vec<_> = packets.iter().filter(|p| p.payload.end).collect();
        assert_eq!(ends.len(), 3);
        assert!(ends.iter().all(|p| p.payload.duration == 1_280));
        assert_eq!(sender.step(20, 8_000), EventStep::Idle);
    }

    #[test]
    fn digits_come_one_after_the_other_and_the_queue_is_bounded() {
        let mut sender = DtmfSender::default();
        sender.push(&"1".repeat(10_000));
        let starts = (0..100_000)
            .filter(|_| matches!(sender.step(20, 8_000), EventStep::Send(p) if p.start))
            .count();
        assert_eq!(starts, MAX_QUEUED_DIGITS);
    }

    #[test]
    fn every_digit_survives_writing_and_reading() {
        let now = monotonic_now();
        for (index, digit) in DIGITS.into_iter().enumerate() {
            let mut sender = DtmfSender::default();
            sender.push(&digit.to_string().to_lowercase());
            let mut receiver = DtmfReceiver::default();
            let mut heard = Vec::new();
            while let EventStep::Send(packet) = sender.step(20, 48_000) {
                let payload = EventPayload::parse(&packet.payload.write()).unwrap();
                let timestamp = u32::try_from(index).unwrap();
                heard.extend(
                    receiver
                        .handle(now, timestamp, 48_000, payload)
                        .into_iter()
                        .flatten(),
                );
            }
            assert_eq!(heard, [(digit, Duration::from_millis(160))]);
        }
    }

    #[test]
    fn lost_ends_repeats_and_stragglers_give_each_digit_once() {
        let now = monotonic_now();
        let event = |event, end, duration| EventPayload {
            event,
            end,
            duration,
        };
        let mut receiver = DtmfReceiver::default();
        let mut heard = Vec::new();
        for (timestamp, payload) in [
            (1_000, event(1, false, 160)),
            (1_000, event(1, false, 800)),
            // The end of 1 is lost; 2 begins.
            (9_000, event(2, false, 160)),
            (1_000, event(1, true, 1_280)),
            (9_000, event(2, true, 1_280)),
            (9_000, event(2, true, 1_280)),
            (9_000, event(2, false, 320)),
            (17_000, event(2, true, 1_280)),
            (25_000, event(99, true, 1_280)),
            (33_000, event(3, false, 400)),
        ] {
            heard.extend(
                receiver
                    .handle(now, timestamp, 8_000, payload)
                    .into_iter()
                    .flatten(),
            );
        }
        assert_eq!(receiver.tick(now + Duration::from_millis(100)), None);
        heard.extend(receiver.tick(now + Duration::from_millis(300)));
        assert_eq!(receiver.tick(now + Duration::from_millis(900)), None);
        let digits: Vec<_> = heard.iter().map(|(d, t)| (*d, t.as_millis())).collect();
        assert_eq!(digits, [('1', 100), ('2', 160), ('2', 160), ('3', 50)]);
    }

    #[test]
    fn short_payloads_are_refused() {
        assert_eq!(EventPayload::parse(&[1, 2, 3]), None);
    }
}
