//! A letter for what comes, a letter for what is played.

use std::time::Duration;

use assert_no_alloc::assert_no_alloc;

use super::*;
use crate::base::clock::monotonic_now;
use crate::base::random::{Random as _, SeededRandom};
use crate::media::codec::Repair;
use crate::media::frame::{FRAME_SAMPLES, Frame, SILENCE};

/// Tells by the level of each sample where it comes from.
#[derive(Default)]
struct Marker {
    /// How far the redundancy of a packet reaches, in samples.
    reach: usize,
    resting: bool,
}

const NO_REDUNDANCY: usize = 0;
/// The one packet before.
const FEC: usize = 960;
const DRED: usize = 9_600;

// As loud as what is decoded, lest they pass for a pause.
const CONCEALED: f32 = -301.0;
const RECOVERED: f32 = -302.0;
const NOISE: f32 = -303.0;

impl Decode for Marker {
    fn decode(&mut self, _codec: Codec, payload: &[u8], output: &mut [f32]) -> bool {
        output.fill(f32::from(payload[0]) + 1.0);
        self.resting = false;
        true
    }
    fn recover(
        &mut self,
        _codec: Codec,
        _next: &[u8],
        before: usize,
        output: &mut [f32],
    ) -> Option<Repair> {
        output.fill(RECOVERED);
        let by_dred = self.reach > FEC;
        let repair = if by_dred { Repair::Dred } else { Repair::Fec };
        (before <= self.reach && (by_dred || before == output.len())).then_some(repair)
    }
    fn reach(&mut self, _codec: Codec, _payload: &[u8]) -> usize {
        self.reach
    }
    fn conceal(&mut self, output: &mut [f32]) {
        output.fill(if self.resting { NOISE } else { CONCEALED });
    }
    fn rest(&mut self, _codec: Codec, _payload: &[u8]) {
        self.resting = true;
    }
    fn rests(&self, _codec: Codec, payload: &[u8]) -> bool {
        payload.len() == 1
    }
}

/// Plays a script; gives a letter for each 10 ms that was played.
///
/// `P` puts the next packet of 20 ms, `L` loses it, `X` swaps the next two, `D` puts the last one
/// again, `S` lets the sender be silent for 20 ms, `N` says so before, `E` puts a packet without
/// sound; `G` lets 20 ms pass and gets two frames. Out come `.` for silence, `d` decoded, `c`
/// concealed, `f` recovered, `n` comfort noise.
fn play(script: &str, reach: usize) -> (String, JitterFigures) {
    let start = monotonic_now();
    let mut buffer = JitterBuffer::new(start);
    let mut decoder = Marker {
        reach,
        ..Marker::default()
    };
    let mut now = start;
    let mut sequence: u16 = 65_530;
    let mut timestamp: u32 = u32::MAX - 1_000;
    let mut out = String::new();
    let put = |buffer: &mut JitterBuffer, now, sequence: u16, timestamp| {
        let id = sequence.to_le_bytes()[0];
        buffer.push(now, &packet(sequence, timestamp, &[id, 20]));
    };
    for step in script.chars() {
        match step {
            'P' => {
                put(&mut buffer, now, sequence, timestamp);
                sequence = sequence.wrapping_add(1);
                timestamp = timestamp.wrapping_add(160);
            }
            'X' => {
                let later = (sequence.wrapping_add(1), timestamp.wrapping_add(160));
                put(&mut buffer, now, later.0, later.1);
                put(&mut buffer, now, sequence, timestamp);
                sequence = sequence.wrapping_add(2);
                timestamp = timestamp.wrapping_add(320);
            }
            'D' => {
                let before = timestamp.wrapping_sub(160);
                put(&mut buffer, now, sequence.wrapping_sub(1), before);
            }
            'L' => {
                sequence = sequence.wrapping_add(1);
                timestamp = timestamp.wrapping_add(160);
            }
            'E' => {
                buffer.skip(sequence);
                sequence = sequence.wrapping_add(1);
                timestamp = timestamp.wrapping_add(160);
            }
            'N' => {
                let rest = SoundPacket {
                    samples: 0,
                    ..packet(sequence, timestamp, &[60])
                };
                buffer.push(now, &rest);
                sequence = sequence.wrapping_add(1);
                timestamp = timestamp.wrapping_add(160);
            }
            'S' => timestamp = timestamp.wrapping_add(160),
            'G' => {
                for _ in 0..2 {
                    let mut frame = SILENCE;
                    buffer.pull(now, &mut decoder, &mut frame);
                    out.push(match frame[FRAME_SAMPLES / 2] {
                        RECOVERED => 'f',
                        CONCEALED => 'c',
                        NOISE => 'n',
                        0.0 => '.',
                        _ => 'd',
                    });
                    now += Duration::from_millis(10);
                }
            }
            _ => unreachable!("{step} is no step"),
        }
    }
    (out, buffer.figures())
}

#[test]
fn scripts_give_what_they_should() {
    for (script, reach, expected) in [
        ("GG", NO_REDUNDANCY, "...."),
        // The first packet waits for twice its length.
        ("PGPGPGPGPG", NO_REDUNDANCY, "....dddddd"),
        // A loss is concealed, and recovered where the next packet helps.
        ("PGPGPGLGPGPGPG", NO_REDUNDANCY, "....ddddddccdd"),
        ("PGPGPGLGPGPGPG", FEC, "....ddddddffdd"),
        ("PGPGPGLGLGPGPGPG", FEC, "....ddddddccffdd"),
        ("PGPGPGLGLGPGPGPG", DRED, "....ddddddffffdd"),
        // Of a burst, the last packet; or all of it, for which the delay grows by what bridged it.
        ("PGPGPGLGLGLGLGPGPGPGPG", FEC, "....ddddddccccccffdddd"),
        ("PGPGPGLGLGLGLGPGPGPGPG", DRED, "....ddddddccccffffffff"),
        // Order and doubles do not matter.
        ("PGPGXGGPGPGPG", NO_REDUNDANCY, "....dddddddddd"),
        ("PDGPDGPDGPDGPDG", NO_REDUNDANCY, "....dddddd"),
        // Late, not lost: it is still played, and the delay has grown by what bridged it.
        ("PGPGPGGGGPPPPGPGPG", NO_REDUNDANCY, "....ddddddccdddddd"),
        // The sender's silence is no loss.
        ("PGPGPGSGSGPGPGPGPG", FEC, "....ddddddccccdddd"),
        // A digit takes sequence numbers and time, and is no loss either.
        ("PGPGPGEGEGPGPGPGPG", FEC, "....ddddddccccdddd"),
        // Behind the word that the sender is silent comes its noise, until sound comes.
        ("PGPGPGNGSGSGSGPGPGPGPG", FEC, "....ddddddnnnnnnnndddd"),
        // What is lost in that silence is no lost speech.
        ("PGPGPGNGSGLGSGPGPGPGPG", FEC, "....ddddddnnnnnnnndddd"),
        // A loss before the silence is bridged until it begins.
        (
            "PGPGPGLGNGSGPGPGPGPG",
            NO_REDUNDANCY,
            "....ddddddccnnnndddd",
        ),
    ] {
        let (played, _) = play(script, reach);
        let shown = played.get(..expected.len()).unwrap_or(&played);
        assert_eq!(shown, expected, "{script}");
    }
}

#[test]
fn figures_tell_loss_from_silence() {
    let (_, lost) = play("PGPGPGLGPGPGPGPGPG", NO_REDUNDANCY);
    assert_eq!((lost.concealed_samples, lost.recovered), (960, 0));
    let (_, recovered) = play("PGPGPGLGPGPGPGPGPG", FEC);
    assert_eq!((recovered.concealed_samples, recovered.recovered), (0, 1));
    assert_eq!(recovered.recovered_by_dred, 0);
    let (_, burst) = play("PGPGPGLGLGLGLGPGPGPGPG", DRED);
    assert_eq!((burst.concealed_samples, burst.recovered), (1_920, 4));
    assert_eq!(burst.recovered_by_dred, 4);
    let (_, silence) = play("PGPGPGSGSGPGPGPGPGPG", NO_REDUNDANCY);
    assert_eq!(silence.concealed_samples, 0);
    let (_, digit) = play("PGPGPGEGEGPGPGPGPGPG", NO_REDUNDANCY);
    assert_eq!(digit.concealed_samples, 0);
    for script in ["PGPGPGNGSGSGSGPGPGPGPG", "PGPGPGNGSGLGSGPGPGPGPG"] {
        let (_, rested) = play(script, NO_REDUNDANCY);
        assert_eq!((rested.concealed_samples, rested.damaged), (0, 0));
    }
    let (_, before) = play("PGPGPGLGNGSGPGPGPGPG", NO_REDUNDANCY);
    assert_eq!(before.concealed_samples, 960);
    let (_, doubled) = play("PDGPDGPDGPGPGPG", NO_REDUNDANCY);
    assert_eq!(
        (doubled.duplicate + doubled.late, doubled.concealed_samples),
        (3, 0)
    );
}

#[test]
fn neither_push_nor_pull_allocates() {
    let start = monotonic_now();
    let mut buffer = JitterBuffer::new(start);
    let mut decoder = Marker::default();
    let mut frame: Frame = SILENCE;
    assert_no_alloc(|| {
        for n in 0..2_000_u16 {
            let now = start + Duration::from_millis(10) * u32::from(n);
            if n % 2 == 0 && n % 34 != 0 {
                let timestamp = u32::from(n) * 80;
                // Some are late, so that time is stretched both ways.
                let late = Duration::from_millis(u64::from(n % 58));
                buffer.push(now + late, &packet(n / 2, timestamp, &[1, 20]));
            }
            buffer.pull(now, &mut decoder, &mut frame);
        }
    });
    let figures = buffer.figures();
    assert!(figures.concealed_samples > 0);
}

#[test]
fn random_numbers_never_panic_nor_grow() {
    let mut random = SeededRandom::new(4);
    let start = monotonic_now();
    let mut buffer = JitterBuffer::new(start);
    let mut decoder = Marker::default();
    let mut now = start;
    for _ in 0..100_000 {
        let [a, b, c, d, e, f, g, h] = random.next_u64().to_le_bytes();
        if a % 3 == 0 {
            let mut frame = SILENCE;
            now += Duration::from_millis(u64::from(b % 30));
            buffer.pull(now, &mut decoder, &mut frame);
        } else {
            // Mostly near each other, sometimes anywhere.
            let sequence = if a % 7 == 0 {
                u16::from_le_bytes([b, c])
            } else {
                u16::from(b)
            };
            let timestamp = if a % 5 == 0 {
                u32::from_le_bytes([d, e, f, g])
            } else {
                u32::from(sequence) * 160
            };
            let millis = 1 + h % 120;
            let payload = [1, millis];
            let packet = SoundPacket {
                scale: if b % 50 == 0 { 1 } else { 6 },
                samples: usize::from(if c % 20 == 0 { 0 } else { millis }) * 48,
                ..packet(sequence, timestamp, &payload)
            };
            buffer.push(now, &packet);
        }
    }
}
