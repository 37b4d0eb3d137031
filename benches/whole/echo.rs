//! How long a sound takes through a phone that returns it: in by its jitter buffer and decoder, through
//! its mixer, and out by its encoder, as a peer outside measures with Opus packets of 20 ms.
//!
//! A sample that goes out in a packet is spoken when the packet is sent, plus its place in it; one that
//! comes in is heard when its packet comes, plus its place. The encoder of the peer is in the figure,
//! too: what it adds is printed.

use std::time::{Duration, Instant};

use opus::{Application, Channels, Decoder, Encoder};
use ringdesk::sdp::Codec;

use crate::caller::{Caller, Talk};
use crate::figure::{Figure, Limit, millis};
use crate::phone::{Kind, PATIENCE, Phone};
use crate::{RUNS, middle};

const RATE: u64 = 48_000;
/// Samples of 20 ms.
const PACKET: usize = 960;
const PAYLOAD_TYPE: u8 = 96;
/// The jitter buffer settles first.
const SETTLED: Duration = Duration::from_secs(20);
/// Clicks of each run, half a second apart.
const CLICKS: usize = 12;
const BETWEEN: Duration = Duration::from_millis(500);
/// Samples of a click: a wave of 1 kHz that swells and fades in 6 ms.
const CLICK: usize = 288;

/// Measures each phone.
pub fn echo(peers: &[Kind]) -> Figure {
    let measured: Vec<Duration> = peers
        .iter()
        .map(|kind| {
            let mut caller = Caller::of(Phone::echoing(*kind, Codec::Opus));
            let delays = talk(&mut caller);
            let runs: Vec<_> = delays
                .chunks(CLICKS)
                .map(|run| middle(run.to_vec()))
                .collect();
            println!("{kind:?}: echo, medians of runs {runs:.1?}");
            middle(runs)
        })
        .collect();
    println!(
        "of it {:.1} ms are the peer's own encoder",
        millis(own_delay())
    );
    Figure {
        name: "echo through decoder, mixer and encoder, Opus, 20 ms",
        unit: "ms",
        ours: millis(measured[0]),
        baresip: measured.get(1).map(|theirs| millis(*theirs)),
        limit: Limit::AtMost(48.0),
    }
}

/// One call: how long each click took.
fn talk(caller: &mut Caller) -> Vec<Duration> {
    let talk = caller.call(
        &PAYLOAD_TYPE.to_string(),
        "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\na=ptime:20\r\n",
    );
    let (spoken, heard) = converse(caller, &talk);
    caller.socket.set_read_timeout(Some(PATIENCE)).unwrap();
    caller.hang_up(&talk);
    let delays: Vec<Duration> = spoken
        .iter()
        .filter_map(|at| {
            let back = heard.iter().find(|heard| *heard > at)?;
            Some(*back - *at)
        })
        .filter(|delay| *delay < BETWEEN)
        .collect();
    assert!(
        delays.len() * 10 >= spoken.len() * 9,
        "of {} clicks {} came back",
        spoken.len(),
        delays.len()
    );
    delays
}

/// When the middle of each click was spoken and heard.
fn converse(caller: &Caller, talk: &Talk) -> (Vec<Instant>, Vec<Instant>) {
    let mut encoder = encoder();
    let mut decoder = Decoder::new(48_000, Channels::Mono).unwrap();
    let (mut spoken, mut heard) = (Vec::new(), Detector::default());
    let begun = Instant::now();
    let mut next = begun;
    let mut clicked = begun + SETTLED;
    let mut sequence = 0_u16;
    while spoken.len() < CLICKS * RUNS || next < clicked + BETWEEN {
        let wait = next.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            let mut samples = [0.0; PACKET];
            if spoken.len() < CLICKS * RUNS && next >= clicked + BETWEEN {
                // At another place of the packet each time.
                let place = 61 * spoken.len() % (PACKET - CLICK);
                samples[place..place + CLICK].copy_from_slice(&click());
                spoken.push(Instant::now() + samples_long(place + CLICK / 2));
                clicked = next;
            }
            send(caller, talk, &mut encoder, sequence, &samples);
            sequence = sequence.wrapping_add(1);
            next += Duration::from_millis(20);
            continue;
        }
        caller.socket.set_read_timeout(Some(wait)).unwrap();
        let mut packet = [0; 2_048];
        let Ok(length) = caller.socket.recv(&mut packet) else {
            continue;
        };
        let came = Instant::now();
        if length > 12 && packet[0] == 0x80 && packet[1] & 0x7f == PAYLOAD_TYPE {
            let mut samples = [0.0; 5_760];
            let count = decoder
                .decode_float(&packet[12..length], &mut samples, false)
                .unwrap();
            heard.take(came, &samples[..count]);
        }
    }
    (spoken, heard.clicks)
}

fn send(caller: &Caller, talk: &Talk, encoder: &mut Encoder, sequence: u16, samples: &[f32]) {
    let mut packet = vec![0x80, PAYLOAD_TYPE];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 960).to_be_bytes());
    packet.extend(7_u32.to_be_bytes());
    packet.extend(encoder.encode_vec_float(samples, 1_200).unwrap());
    caller.socket.send_to(&packet, talk.sound_to).unwrap();
}

fn encoder() -> Encoder {
    Encoder::new(48_000, Channels::Mono, Application::Voip).unwrap()
}

fn click() -> [f32; CLICK] {
    std::array::from_fn(|at| {
        let part = at as f32 / CLICK as f32;
        let swell = (std::f32::consts::PI * part).sin();
        0.5 * swell * (2.0 * std::f32::consts::PI * 6.0 * part).sin()
    })
}

fn samples_long(count: usize) -> Duration {
    Duration::from_nanos(u64::try_from(count).unwrap() * 1_000_000_000 / RATE)
}

/// Finds the middle of each click: the centre of its energy.
#[derive(Default)]
struct Detector {
    clicks: Vec<Instant>,
    /// Of the click that is being heard: where it began, weight, and weighted seconds after it.
    current: Option<(Instant, f64, f64)>,
}

impl Detector {
    fn take(&mut self, came: Instant, samples: &[f32]) {
        const LOUD: f32 = 0.03;
        for (place, sample) in samples.iter().enumerate() {
            let at = came + samples_long(place);
            if sample.abs() > LOUD {
                let (begun, weight, moment) = self.current.get_or_insert((at, 0.0, 0.0));
                let energy = f64::from(sample * sample);
                *weight += energy;
                *moment += energy * at.saturating_duration_since(*begun).as_secs_f64();
            } else if let Some((begun, weight, moment)) = self.current
                && at > begun + Duration::from_millis(30)
            {
                self.clicks
                    .push(begun + Duration::from_secs_f64(moment / weight));
                self.current = None;
            }
        }
    }
}

/// What encoder and decoder alone add.
fn own_delay() -> Duration {
    let lookahead = encoder().get_lookahead().unwrap();
    samples_long(usize::try_from(lookahead).unwrap())
}
