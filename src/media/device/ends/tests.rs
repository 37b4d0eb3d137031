use super::*;
use crate::base::clock::monotonic_now;
use rtrb::RingBuffer;

#[test]
fn ragged_capture_at_any_rate_gives_whole_frames() {
    for rate in [8_000_u32, 16_000, 44_100, 48_000] {
        let (mut producer, consumer) = RingBuffer::new(48_000);
        let mut end = MicrophoneEnd::new(consumer, rate).unwrap();
        let mut frames = Vec::new();
        let mut sent = 0;
        let total = rate;
        while sent < total {
            for _ in 0..(4 + sent % 21).min(total - sent) {
                let t = sent as f32 / rate as f32;
                let sample = (2.0 * std::f32::consts::PI * 500.0 * t).sin() * 0.5;
                producer.push(sample).unwrap();
                sent += 1;
            }
            while end.ready() {
                frames.push(end.take());
            }
        }
        assert!(
            (97..=100).contains(&frames.len()),
            "{rate}: {}",
            frames.len()
        );
        let samples: Vec<f32> = frames[20..].concat();
        let step = samples
            .windows(2)
            .map(|w| (w[1] - w[0]).abs())
            .fold(0.0, f32::max);
        assert!(step < 0.04, "{rate}: a click of {step}");
    }
}

#[test]
fn a_stall_of_the_media_thread_leaves_no_lasting_delay() {
    let (mut producer, consumer) = RingBuffer::new(48_000);
    let mut end = MicrophoneEnd::new(consumer, 48_000).unwrap();
    // Also not what piled up before the first look.
    for expected in [1, MAX_BACKLOG / FRAME_SAMPLES] {
        for _ in 0..40_000 {
            producer.push(0.1).unwrap();
        }
        let mut frames = 0;
        while end.ready() {
            end.take();
            frames += 1;
        }
        assert_eq!(frames, expected);
    }
}

#[test]
fn what_a_microphone_gives_late_in_place_of_silence_is_left_out() {
    for stalled in [1_usize, 5, 9] {
        let (mut producer, consumer) = RingBuffer::new(48_000);
        let mut end = MicrophoneEnd::new(consumer, 48_000).unwrap();
        let mut give = |frames: usize| {
            for _ in 0..frames * FRAME_SAMPLES {
                producer.push(0.1).unwrap();
            }
        };
        give(1);
        assert_eq!(end.take()[0], 0.1);
        for _ in 0..stalled {
            assert_eq!(end.take()[0], 0.0);
        }
        // Those, and the one whose turn it is.
        give(stalled + 1);
        let taken = std::iter::from_fn(|| end.ready().then(|| end.take()));
        assert_eq!(taken.count(), 1, "{stalled}");
        // None is left out later, when nothing was missed.
        give(3);
        let taken = std::iter::from_fn(|| end.ready().then(|| end.take()));
        assert_eq!(taken.count(), 3, "{stalled}");
    }
}

/// Plays on a card whose clock is off by so many parts; gives the filling in milliseconds after
/// 25 seconds, and how often it ran dry after the first second.
fn play(rate: u32, drift: f64) -> (f64, u32) {
    let period = rate / 100;
    let (producer, mut consumer) = RingBuffer::new(usize::try_from(rate / 4).unwrap());
    let begun = monotonic_now();
    let asked = Arc::new(Asked::new(begun));
    let mut end = SpeakerEnd::new(producer, rate, period, Arc::clone(&asked)).unwrap();
    let mut due = 0.0;
    let mut dry = 0;
    let mut filled = 0.0;
    for tick in 0..2_500_u32 {
        let now = begun + FRAME_TIME * tick;
        // The card starts late, and takes what it takes 2 ms after a frame came, at first.
        if tick > 50 {
            due += f64::from(period) * (1.0 + drift);
        }
        while due >= f64::from(period) * 0.8 {
            due -= f64::from(period);
            let late = due / f64::from(rate) + 0.002;
            asked.mark(
                now - Duration::from_secs_f64(late.max(0.0)),
                usize::try_from(period).unwrap(),
            );
            for _ in 0..period {
                if consumer.pop().is_err() && tick > 100 {
                    dry += 1;
                }
            }
        }
        end.add(now, &[0.5; FRAME_SAMPLES]);
        filled = consumer.slots() as f64 / f64::from(rate) * 1_000.0;
    }
    (filled, dry)
}

#[test]
fn a_speaker_whose_clock_drifts_neither_runs_dry_nor_over() {
    for rate in [48_000, 44_100] {
        for drift in [-500e-6, 500e-6] {
            let (filled, dry) = play(rate, drift);
            assert_eq!(dry, 0, "{rate} {drift}");
            assert!((3.0..40.0).contains(&filled), "{rate} {drift}: {filled}");
        }
    }
}

/// Plays on a card with our clock while the ticks in these two spans do not come; gives how often it ran
/// dry. What is left alone in the second is told so.
fn dry_moments(stalled: std::ops::Range<u32>, alone: std::ops::Range<u32>) -> Vec<u32> {
    let (producer, mut consumer) = RingBuffer::new(12_000);
    let begun = monotonic_now();
    let asked = Arc::new(Asked::new(begun));
    let mut end = SpeakerEnd::new(producer, 48_000, 480, Arc::clone(&asked)).unwrap();
    let mut dry = Vec::new();
    for tick in 0..400_u32 {
        let now = begun + FRAME_TIME * (tick + 1);
        asked.mark(now - Duration::from_millis(4), 480);
        for _ in 0..480 {
            consumer.pop().ok();
        }
        if stalled.contains(&tick) || alone.contains(&tick) {
            continue;
        }
        if tick == alone.end {
            end.begin();
        }
        end.add(now, &[0.5; FRAME_SAMPLES]);
        if tick % 100 == 99 {
            dry.push(end.take_dry());
        }
    }
    dry
}

#[test]
fn a_producer_that_stalls_lets_the_card_run_dry_once_and_that_is_counted() {
    assert_eq!(dry_moments(0..0, 0..0), [0, 0, 0, 0]);
    assert_eq!(dry_moments(130..160, 0..0), [0, 1, 0, 0]);
    // A reserve of a few milliseconds is no dry moment, nor is a time in which nobody speaks.
    assert_eq!(dry_moments(0..0, 230..280), [0, 0, 0, 0]);
}

/// A sample of the sawtooth says which one it is, but for the many before it.
const SAWTOOTH: u16 = 10_007;

/// Plays on a card whose clock is off by so many parts; gives how long the sound waited at each second,
/// in microseconds.
fn waits(drift: f64) -> Vec<f64> {
    let (producer, mut consumer) = RingBuffer::new(12_000);
    let begun = monotonic_now();
    let asked = Arc::new(Asked::new(begun));
    let mut end = SpeakerEnd::new(producer, 48_000, 480, Arc::clone(&asked)).unwrap();
    let (mut due, mut played, mut spoken) = (0.0, 0.0, 0_u16);
    let mut waits = Vec::new();
    for tick in 0..6_000_u32 {
        let now = begun + FRAME_TIME * (tick + 1);
        due += 480.0 * (1.0 + drift);
        // It takes its samples some 4 ms before the next frame comes.
        while due >= 288.0 {
            due -= 480.0;
            asked.mark(now - Duration::from_secs_f64(due / 48_000.0 + 0.004), 480);
            played += 480.0;
            for place in 0..480 {
                let sample = f64::from(consumer.pop().unwrap_or(0.0));
                if tick % 100 == 50 && place == 0 {
                    let plays = played / (1.0 + drift);
                    waits.push((plays - sample).rem_euclid(f64::from(SAWTOOTH)) / 0.048);
                }
            }
        }
        let frame = std::array::from_fn(|_| {
            spoken = (spoken + 1) % SAWTOOTH;
            f32::from(spoken)
        });
        end.add(now, &frame);
    }
    waits
}

#[test]
fn sound_waits_for_a_card_always_the_same() {
    for drift in [-100e-6, 50e-6, 100e-6, 300e-6] {
        let waits = waits(drift);
        // The first second learns the clocks.
        let (first, last) = (waits[1], waits[waits.len() - 1]);
        assert!((25_000.0..30_000.0).contains(&last), "{waits:.0?}");
        for waits in waits.windows(2).skip(2) {
            assert!((waits[1] - waits[0]).abs() < 20.0, "{drift}: {waits:.1?}");
        }
        assert!((last - first).abs() < 250.0, "{drift}: {first} {last}");
    }
}

#[test]
fn sound_waits_less_for_a_card_with_our_clock_once_that_is_known() {
    let waits = waits(0.0);
    let (first, last) = (waits[8], waits[waits.len() - 1]);
    assert!((6_000.0..6_600.0).contains(&(first - last)), "{waits:.0?}");
    assert!((last - waits[24]).abs() < 100.0, "{waits:.0?}");
}

/// Samples that wait behind a frame when a card gives a piece of 10 ms each tick, of which the first is
/// short, after so many ticks; and the largest step between two samples of a wave of 500 Hz.
fn left_over(first: usize, ticks: usize) -> (usize, f32) {
    let (mut producer, consumer) = RingBuffer::new(48_000);
    let mut end = MicrophoneEnd::new(consumer, 48_000).unwrap();
    let (mut sent, mut last, mut step) = (0, 0.0_f32, 0.0_f32);
    for tick in 0..ticks {
        let length = if tick == 0 { first } else { FRAME_SAMPLES };
        for _ in 0..length {
            let turn = sent as f32 / 96.0 * std::f32::consts::TAU;
            producer.push(turn.sin() * 0.5).unwrap();
            sent += 1;
        }
        while end.ready() {
            for sample in end.take() {
                step = step.max((sample - last).abs());
                last = sample;
            }
        }
    }
    (end.waiting.len(), step)
}

#[test]
fn nothing_waits_behind_a_frame_of_the_microphone_for_long() {
    for first in [100, 300, 470] {
        let (left, step) = left_over(first, 60);
        assert!(left < MUCH_LEFT, "{first}: {left}");
        assert!(step < 0.04, "{first}: a click of {step}");
        let (left, step) = left_over(first, 2_000);
        assert!(left < 10, "{first}: {left}");
        assert!(step < 0.04, "{first}: a click of {step}");
    }
}

/// The media thread looks every millisecond whether a frame is there: up to so much waits behind it, and
/// were it left out, a seam would be heard every second.
#[test]
fn nothing_is_left_out_of_what_a_card_gives_in_small_pieces() {
    for piece in [32, 44, 64, 256] {
        let (mut producer, consumer) = RingBuffer::new(48_000);
        let mut end = MicrophoneEnd::new(consumer, 48_000).unwrap();
        let (mut given, mut taken) = (0, 0);
        for look in 1..=60_000 {
            while given + piece <= look * 48 {
                for _ in 0..piece {
                    producer.push(0.1).unwrap();
                }
                given += piece;
            }
            while end.ready() {
                end.take();
                taken += FRAME_SAMPLES;
            }
        }
        // Once, what the first piece left behind.
        let lost = given - taken - end.waiting.len();
        assert!(lost <= piece + 48, "{piece}: {lost} samples");
    }
}

#[test]
fn adding_and_taking_do_not_allocate() {
    let now = monotonic_now();
    let (mut producer, consumer) = RingBuffer::new(48_000);
    let mut microphone = MicrophoneEnd::new(consumer, 44_100).unwrap();
    let (into_card, _card) = RingBuffer::new(4_800);
    let mut speaker = SpeakerEnd::new(into_card, 44_100, 441, Arc::new(Asked::new(now))).unwrap();
    assert_no_alloc::assert_no_alloc(|| {
        for _ in 0..100 {
            let (_, _) = producer.push_partial_slice(&[0.1; 441]);
            speaker.add(now, &microphone.take());
        }
    });
}
