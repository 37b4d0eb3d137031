//! Voices over simulated networks: how much delay, how much that is made up or stretched.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::*;
use crate::base::clock::monotonic_now;
use crate::base::random::{Random as _, SeededRandom};
use crate::media::codec::Repair;
use crate::media::frame::SILENCE;

/// What a simulated network did to a stream of 20 ms packets.
struct Outcome {
    /// Made-up sound in parts of the whole.
    concealed: f64,
    /// Playout delay at the end of the first second, in milliseconds.
    early_delay_millis: f64,
    /// Mean playout delay in the last half, in milliseconds.
    delay_millis: f64,
    figures: JitterFigures,
    /// Samples left out or repeated while somebody spoke.
    stretched_words: u64,
    /// The largest step between two samples.
    step: f32,
}

/// Decodes a tone whose samples are in the packet's timestamp.
#[derive(Default)]
struct Sine {
    next: u64,
    /// In each so many samples it pauses in these, as one who speaks; music does not.
    pauses: Option<(u64, Range<u64>)>,
}

/// The first second of each three.
const OFTEN: Option<(u64, Range<u64>)> = Some((144_000, 0..48_000));
/// A second of each fifteen, the first behind 14 s of talk.
const SELDOM: Option<(u64, Range<u64>)> = Some((720_000, 672_000..720_000));

fn sine_at(n: u64) -> f32 {
    // Exactly 240 samples a period: it repeats without rounding.
    let turn = (n % 240) as f32 / 240.0;
    0.5 * (2.0 * std::f32::consts::PI * turn).sin()
}

impl Decode for Sine {
    fn decode(&mut self, _codec: Codec, payload: &[u8], output: &mut [f32]) -> bool {
        self.next = u64::from_le_bytes(payload.try_into().unwrap());
        self.conceal(output);
        true
    }
    fn recover(
        &mut self,
        _codec: Codec,
        _next: &[u8],
        _before: usize,
        _output: &mut [f32],
    ) -> Option<Repair> {
        None
    }
    fn reach(&mut self, _codec: Codec, _payload: &[u8]) -> usize {
        0
    }
    fn rest(&mut self, _codec: Codec, _payload: &[u8]) {}
    fn rests(&self, _codec: Codec, _payload: &[u8]) -> bool {
        false
    }
    fn conceal(&mut self, output: &mut [f32]) {
        for sample in output {
            let silent = self
                .pauses
                .as_ref()
                .is_some_and(|(turn, pause)| pause.contains(&(self.next % turn)));
            *sample = if silent { 0.0 } else { sine_at(self.next) };
            self.next += 1;
        }
    }
}

/// Sends a voice with pauses for so many seconds over a network whose delay in milliseconds is a function of
/// the packet's number; none loses it. The sender's clock runs `drift` parts too fast.
fn simulate(seconds: u32, drift: f64, network: impl FnMut(u32) -> Option<f64>) -> Outcome {
    let voice = Sine {
        pauses: OFTEN,
        ..Sine::default()
    };
    simulate_voice(voice, seconds, drift, network)
}

fn simulate_voice(
    mut decoder: Sine,
    seconds: u32,
    drift: f64,
    mut network: impl FnMut(u32) -> Option<f64>,
) -> Outcome {
    let start = monotonic_now() + Duration::from_secs(1);
    let mut arrivals: Vec<(Instant, u32)> = (0..seconds * 50)
        .filter_map(|n| {
            let sent = f64::from(n) * 0.02 / (1.0 + drift);
            let delay = network(n)? / 1_000.0;
            Some((start + Duration::from_secs_f64(sent + delay), n))
        })
        .collect();
    arrivals.sort();
    let mut arrivals = arrivals.into_iter().peekable();
    let mut buffer = JitterBuffer::new(start);
    let mut outcome = Outcome {
        concealed: 0.0,
        early_delay_millis: 0.0,
        delay_millis: 0.0,
        figures: JitterFigures::default(),
        stretched_words: 0,
        step: 0.0,
    };
    let stretched = |figures: JitterFigures| figures.left_out_samples + figures.repeated_samples;
    let mut last: f32 = 0.0;
    let ticks = seconds * 100;
    for tick in 0..ticks {
        let now = start + Duration::from_millis(10) * tick;
        while let Some((arrival, n)) = arrivals.next_if(|(arrival, _)| *arrival <= now) {
            let payload = (u64::from(n) * 960).to_le_bytes();
            let sequence = u16::try_from(n % 65_536).unwrap();
            let packet = SoundPacket {
                scale: 1,
                codec: Codec::Opus,
                ..packet(sequence, n * 960, &payload)
            };
            buffer.push(arrival, &packet);
        }
        let mut frame = SILENCE;
        let before = stretched(buffer.figures());
        buffer.pull(now, &mut decoder, &mut frame);
        if last.abs() > 0.001 || frame.iter().any(|sample| sample.abs() > 0.001) {
            outcome.stretched_words += stretched(buffer.figures()) - before;
        }
        for sample in frame {
            outcome.step = outcome.step.max((sample - last).abs());
            last = sample;
        }
        if tick == 100 {
            outcome.early_delay_millis = buffer.playout_delay().as_secs_f64() * 1_000.0;
        }
        if tick >= ticks / 2 {
            outcome.delay_millis += buffer.playout_delay().as_secs_f64() * 1_000.0;
        }
    }
    outcome.delay_millis /= f64::from(ticks - ticks / 2);
    outcome.figures = buffer.figures();
    outcome.concealed = outcome.figures.concealed_samples as f64 / (f64::from(seconds) * 48_000.0);
    outcome
}

fn uniform(random: &mut SeededRandom, below: f64) -> f64 {
    f64::from(random.next_u32()) / 4_294_967_296.0 * below
}

/// The steepest that the tone itself is: 0.5 × 2π/240.
const STEEPEST: f32 = 0.0132;

#[test]
fn an_even_network_costs_one_packet_of_delay_and_nothing_else() {
    let outcome = simulate(30, 0.0, |_| Some(40.0));
    assert_eq!(outcome.figures.concealed_samples, 0);
    assert!(outcome.delay_millis <= 30.0, "{}", outcome.delay_millis);
    assert!(outcome.step <= STEEPEST);
}

/// Nothing demands that the delay falls at once where it is longer than it must be: each of a word's periods that is
/// left out is heard, and 20 ms of delay are not.
#[test]
fn what_the_delay_has_too_much_goes_between_words() {
    for phase in 0..10_u32 {
        // The first words come at once, or after a second of silence; the eleventh second is within a word.
        for uneven_packets in [0, 100] {
            let outcome = simulate(30, 0.0, |n| {
                let late = if n < uneven_packets { n % 2 * 15 } else { 0 };
                Some(f64::from(40 + phase + late))
            });
            let figures = outcome.figures;
            assert_eq!(outcome.stretched_words, 0, "{phase}: {figures:?}");
            assert_eq!(figures.concealed_samples, 0, "{phase}");
            // Two packets and a tick at first, and a few milliseconds at the end.
            assert!(figures.left_out_samples >= 20 * 48, "{phase}: {figures:?}");
            assert!(outcome.delay_millis < 16.0, "{}", outcome.delay_millis);
        }
    }
}

/// By how many milliseconds the packet of that number is later than the network makes it.
type Lateness<'a> = &'a dyn Fn(u32, &mut SeededRandom) -> f64;

/// A delay that was more than 40 ms too long was taken out at once, in a word: what two packets, a tick and a
/// first packet that was held up for a few milliseconds make, as soon as the network had been even for ten seconds.
#[test]
fn words_are_left_alone_on_an_even_network_however_it_began() {
    let held = |packets: u32, millis: f64| {
        move |n: u32, _: &mut SeededRandom| if n < packets { millis } else { 0.0 }
    };
    let falling = |n: u32, _: &mut SeededRandom| (60.0 - 20.0 * f64::from(n)).max(0.0);
    // Wake-ups of a machine that is busy with the beginning of a call.
    let noisy = |n: u32, random: &mut SeededRandom| {
        let mean = if n < 50 { 4.0 } else { 0.2 };
        -mean * (1.0 - uniform(random, 1.0)).ln()
    };
    let slow = |n: u32, _: &mut SeededRandom| f64::from(n.min(100)) * -0.3;
    let begins: [(&str, Lateness<'_>); 7] = [
        ("even", &held(0, 0.0)),
        ("one held up for 12 ms", &held(1, 12.0)),
        ("three held up for 12 ms", &held(3, 12.0)),
        ("three held up for 40 ms", &held(3, 40.0)),
        ("a burst", &falling),
        ("a busy machine", &noisy),
        ("a way that gets shorter", &slow),
    ];
    for (begin, late) in begins {
        for phase in [1, 4, 7_u32] {
            let mut random = SeededRandom::new(u64::from(phase));
            let voice = Sine {
                pauses: SELDOM,
                ..Sine::default()
            };
            let outcome = simulate_voice(voice, 30, 0.0, |n| {
                Some(f64::from(70 + phase) + late(n, &mut random))
            });
            let figures = outcome.figures;
            assert_eq!(outcome.stretched_words, 0, "{begin}, {phase}: {figures:?}");
            assert!(
                outcome.delay_millis < 16.0,
                "{begin}, {phase}: {} ms",
                outcome.delay_millis
            );
        }
    }
}

/// Sound waited up to 25 ms longer than the tick asks for: for half a packet, for the rest of a frame that
/// a stretch had left, and for delay that was not worth a stretch.
#[test]
fn an_even_stream_is_played_at_the_first_tick_a_few_milliseconds_after_it_comes() {
    for phase in 0..10_u32 {
        for (uneven_seconds, lateness, wait) in [(0, 3, 5), (20, 3, 5), (0, 1, 3), (20, 1, 3)] {
            let mut random = SeededRandom::new(5);
            // Music: no pause ever comes.
            let outcome = simulate_voice(Sine::default(), 120, 0.0, |n| {
                let uneven = n < uneven_seconds * 50;
                let late = if uneven {
                    uniform(&mut random, 25.0)
                } else {
                    f64::from(n % lateness)
                };
                Some(f64::from(40 + phase) + late)
            });
            let to_the_tick = (20 - phase) % 10;
            let least = f64::from(if to_the_tick < wait {
                to_the_tick + 10
            } else {
                to_the_tick
            });
            let delay = outcome.delay_millis;
            assert!(
                (least..least + 2.6).contains(&delay),
                "{phase}, {uneven_seconds} s: {delay}, not {least}"
            );
            if uneven_seconds == 0 {
                assert_eq!(outcome.figures.concealed_samples, 0);
            }
            assert!(outcome.step < STEEPEST * 3.0, "a click of {}", outcome.step);
        }
    }
}

#[test]
fn jitter_is_absorbed_with_little_delay() {
    for (jitter, most_delay) in [(10.0, 35.0), (30.0, 50.0), (80.0, 100.0)] {
        let mut random = SeededRandom::new(1);
        let outcome = simulate(30, 0.0, |_| Some(30.0 + uniform(&mut random, jitter)));
        assert!(outcome.concealed < 0.01, "{jitter}: {}", outcome.concealed);
        assert!(
            outcome.delay_millis < most_delay,
            "{jitter}: {}",
            outcome.delay_millis
        );
        assert!(
            outcome.step < STEEPEST * 3.0,
            "{jitter}: a click of {}",
            outcome.step
        );
    }
}

/// Late packets, and the milliseconds that were concealed and stretched, of `seconds` on a network that adds
/// up to 40 ms from the first packet on and so reorders; the sums of 20 calls. Each wake-up of a machine
/// adds `noise` milliseconds more in the mean.
fn reordered(seconds: u32, noise: f64) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for seed in 0..20_u8 {
        let mut random = SeededRandom::new(u64::from(seed));
        let phase = f64::from(seed % 10);
        let figures = simulate(seconds, 0.0, |_| {
            let waking = -noise * (1.0 - uniform(&mut random, 1.0)).ln();
            Some(30.0 + phase + uniform(&mut random, 40.0) + waking)
        })
        .figures;
        let stretched = figures.left_out_samples + figures.repeated_samples;
        let millis = |samples: u64| samples as f64 / 48.0;
        let of_call = [
            figures.late as f64,
            millis(figures.concealed_samples),
            millis(stretched),
        ];
        for (sum, more) in sums.iter_mut().zip(of_call) {
            *sum += more;
        }
    }
    sums
}

/// The delay fell before the range of the jitter was known, and had to rise again; and it went up and down
/// by 10 ms all the time, where the few packets that decide it came a little sooner or later. In 30 s with
/// that noise 41 packets came late, 1,250 ms were concealed and 1,680 ms stretched.
#[test]
fn reordering_from_the_first_packet_on_costs_next_to_nothing() {
    for (seconds, noise, most) in [
        (3, 0.0, [0.0, 0.0, 200.0]),
        (30, 0.0, [0.0, 0.0, 250.0]),
        (3, 1.5, [0.0, 20.0, 200.0]),
        (30, 1.5, [6.0, 200.0, 400.0]),
    ] {
        let sums = reordered(seconds, noise);
        assert!(
            sums.iter().zip(most).all(|(sum, most)| *sum <= most),
            "{seconds} s, {noise} ms: late, concealed, stretched {sums:?}, not {most:?}"
        );
    }
}

#[test]
fn an_even_stream_comes_down_within_a_second() {
    for phase in 0..10_u32 {
        let mut random = SeededRandom::new(u64::from(phase));
        // The first packet is held up, as where an address is still looked for.
        for first in [0.0, 30.0] {
            let outcome = simulate(10, 0.0, |n| {
                let held = if n == 0 { first } else { 0.0 };
                Some(f64::from(40 + phase) + held + uniform(&mut random, 1.0))
            });
            let delay = outcome.early_delay_millis;
            assert!(delay <= 40.0, "{phase}, {first}: {delay} ms");
            assert_eq!(outcome.figures.concealed_samples, 0);
            assert_eq!(outcome.figures.repeated_samples, 0);
            assert!(outcome.step < STEEPEST * 3.0, "a click of {}", outcome.step);
        }
    }
}

#[test]
fn loss_is_concealed_once_and_no_more() {
    let mut random = SeededRandom::new(2);
    let outcome = simulate(60, 0.0, |_| {
        let late = uniform(&mut random, 10.0);
        (uniform(&mut random, 1.0) >= 0.1).then_some(30.0 + late)
    });
    assert!(
        (0.08..0.12).contains(&outcome.concealed),
        "{}",
        outcome.concealed
    );
    assert!(outcome.delay_millis < 50.0, "{}", outcome.delay_millis);
}

#[test]
fn a_stall_is_worked_off_within_seconds() {
    // 400 ms without a packet at second 10, then all at once.
    let outcome = simulate(30, 0.0, |n| {
        let into = n.checked_sub(500).filter(|into| *into < 20);
        Some(30.0 + into.map_or(0.0, |into| 400.0 - f64::from(into) * 20.0))
    });
    assert!(outcome.delay_millis < 60.0, "{}", outcome.delay_millis);
    assert!(outcome.concealed < 0.02, "{}", outcome.concealed);
    assert!(outcome.figures.left_out_samples > 10_000);
    assert!(outcome.step < STEEPEST * 4.0, "{}", outcome.step);
}

#[test]
fn a_longer_way_and_a_shorter_way_are_both_followed() {
    let longer = simulate(60, 0.0, |n| Some(if n < 500 { 20.0 } else { 120.0 }));
    assert!(longer.concealed < 0.01, "{}", longer.concealed);
    let shorter = simulate(60, 0.0, |n| Some(if n < 500 { 120.0 } else { 20.0 }));
    assert!(shorter.concealed < 0.001, "{}", shorter.concealed);
    for outcome in [longer, shorter] {
        assert!(outcome.delay_millis < 60.0, "{}", outcome.delay_millis);
    }
}

#[test]
fn clock_drift_of_either_sign_is_absorbed_for_minutes() {
    for drift in [-400e-6, 400e-6] {
        let mut random = SeededRandom::new(3);
        let outcome = simulate(200, drift, |_| Some(30.0 + uniform(&mut random, 15.0)));
        assert!(outcome.concealed < 0.001, "{drift}: {}", outcome.concealed);
        assert!(
            outcome.delay_millis < 55.0,
            "{drift}: {}",
            outcome.delay_millis
        );
        assert!(outcome.step < STEEPEST * 3.0, "{drift}: {}", outcome.step);
    }
}
