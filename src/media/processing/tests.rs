//! The processing in a simulated room.

use assert_no_alloc::assert_no_alloc;

use super::acoustics::{Noise, Room, active_level, db, rms, speech};
use super::*;
use crate::media::frame::{FRAME_SAMPLES, Frame};

const SECOND: usize = 48_000;

/// Sends both ways through the processing; gives what calls get.
fn run(processor: &mut VoiceProcessor, played: &[f32], captured: &[f32]) -> Vec<f32> {
    let mut sent = Vec::with_capacity(captured.len());
    for (played, captured) in played
        .chunks_exact(FRAME_SAMPLES)
        .zip(captured.chunks_exact(FRAME_SAMPLES))
    {
        processor.play(played.try_into().unwrap());
        let mut frame: Frame = captured.try_into().unwrap();
        processor.capture(&mut frame);
        sent.extend_from_slice(&frame);
    }
    sent
}

/// Nothing is played.
fn alone(processor: &mut VoiceProcessor, captured: &[f32]) -> Vec<f32> {
    run(processor, &vec![0.0; captured.len()], captured)
}

fn with(choice: Processing) -> VoiceProcessor {
    let mut processor = VoiceProcessor::default();
    processor.choose(choice);
    // Past the change.
    alone(&mut processor, &[0.0; SECOND / 10]);
    processor
}

fn sum(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// Where in a later sound another one lies: samples of delay, and the share of it that is there.
fn place_of(sound: &[f32], later: &[f32]) -> (usize, f32) {
    let from = SECOND;
    let piece = &sound[from..from + SECOND];
    let power: f32 = piece.iter().map(|s| s * s).sum();
    (0..SECOND / 40)
        .map(|delay| {
            let other = &later[from + delay..];
            let product: f32 = piece.iter().zip(other).map(|(a, b)| a * b).sum();
            (delay, product / power)
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap()
}

const ECHO_ALONE: Processing = Processing {
    echo_cancellation: true,
    ..Processing::OFF
};
const NOISE_ALONE: Processing = Processing {
    noise_suppression: NoiseSuppression::Full,
    ..Processing::OFF
};
const GAIN_ALONE: Processing = Processing {
    gain_control: true,
    ..Processing::OFF
};
const HIGH_PASS_ALONE: Processing = Processing {
    high_pass: true,
    ..Processing::OFF
};

#[test]
fn an_echo_is_35_db_lower_after_three_seconds() {
    // Reverberation in milliseconds, the clocks apart, and where the loudspeaker clips: the loudest
    // parts of the speech reach 1.0.
    for (reverberation, drift, clips_at) in [(60, 0.0, 2.0), (120, 100e-6, 0.6), (90, -100e-6, 0.6)]
    {
        let mut noise = Noise::new(7);
        let far = speech(1, 8, 0.15);
        let mut room = Room::new(&mut noise, reverberation, 40);
        room.drift = drift;
        room.clips_at = clips_at;
        let heard = sum(&room.echo(&far), &noise.steady(far.len(), 0.0001));
        for choice in [ECHO_ALONE, Processing::SPEAKER] {
            let sent = run(&mut with(choice), &far, &heard);
            let settled = 3 * SECOND..;
            let lower = db(rms(&heard[settled.clone()]) / rms(&sent[settled]));
            assert!(lower >= 35.0, "{reverberation} {drift} {choice:?}: {lower}");
        }
    }
}

#[test]
fn who_talks_while_the_far_end_talks_is_heard() {
    let mut noise = Noise::new(7);
    let far = speech(1, 10, 0.05);
    let near = [vec![0.0; 4 * SECOND], speech(3, 6, 0.1)].concat();
    let echo = Room::new(&mut noise, 60, 40).echo(&far);
    let heard = sum(&sum(&echo, &near), &noise.steady(near.len(), 0.0001));
    let sent = run(&mut with(Processing::SPEAKER), &far, &heard);
    let (near, sent) = (&near[5 * SECOND..], &sent[5 * SECOND..]);
    let kept = db(rms(sent) / rms(near));
    assert!((-6.0..6.0).contains(&kept), "{kept}");
    // And it is that voice, not what is left of the other.
    let (_, share) = place_of(near, sent);
    assert!(share > 0.5, "{share}");
}

#[test]
fn steady_noise_is_lowered_and_speech_is_kept() {
    let hiss = Noise::new(9).steady(10 * SECOND, 0.01);
    let voice = [speech(3, 5, 0.1), vec![0.0; 5 * SECOND]].concat();
    for (noise_suppression, least, most) in [
        (NoiseSuppression::Light, 5.0, 9.0),
        (NoiseSuppression::Full, 10.0, 25.0),
    ] {
        let choice = Processing {
            noise_suppression,
            ..Processing::OFF
        };
        let sent = alone(&mut with(choice), &sum(&voice, &hiss));
        let lower = db(rms(&hiss[7 * SECOND..]) / rms(&sent[7 * SECOND..]));
        assert!(
            (least..most).contains(&lower),
            "{noise_suppression:?}: {lower}"
        );
        let part = 2 * SECOND..5 * SECOND;
        let lost = db(active_level(&voice[part.clone()]) / active_level(&sent[part]));
        assert!(
            lost < 4.0,
            "{noise_suppression:?} takes {lost} dB of the voice"
        );
    }
}

#[test]
fn a_soft_voice_is_raised_slowly_and_a_loud_one_is_not() {
    let room = Noise::new(9).steady(16 * SECOND, 0.0001);
    let gains = |level: f32| -> (Vec<f32>, f32) {
        let voice = sum(&speech(3, 16, level), &room);
        let sent = alone(&mut with(GAIN_ALONE), &voice);
        let second = |n: usize| n * SECOND..(n + 1) * SECOND;
        let gains = (0..16).map(|n| db(rms(&sent[second(n)]) / rms(&voice[second(n)])));
        (gains.collect(), db(active_level(&sent[12 * SECOND..])))
    };
    // −40 dBFS comes near −20.
    let (soft, level) = gains(0.01);
    assert!((-24.0..-16.0).contains(&level), "{level} dBFS: {soft:?}");
    // It does not pump: no faster than 6 dB a second, and at rest once it is there.
    for (n, pair) in soft.windows(2).enumerate() {
        let change = pair[1] - pair[0];
        let most = if n < 11 { 7.0 } else { 1.0 };
        assert!(change.abs() < most, "{n}: {soft:?}");
    }
    let (normal, level) = gains(0.1);
    assert!((-24.0..-16.0).contains(&level), "{level} dBFS: {normal:?}");
    let (loud, _) = gains(0.4);
    assert!(loud.iter().all(|gain| *gain < 1.0), "{loud:?}");
}

#[test]
fn hum_is_taken_out_and_the_voice_is_not() {
    let tone = |hertz: f32| -> Vec<f32> {
        let turn = 2.0 * std::f32::consts::PI * hertz / 48_000.0;
        (0..2 * SECOND)
            .map(|n| 0.1 * (turn * n as f32).sin())
            .collect()
    };
    let lower = |hertz| {
        let tone = tone(hertz);
        let sent = alone(&mut with(HIGH_PASS_ALONE), &tone);
        db(rms(&tone[SECOND..]) / rms(&sent[SECOND..]))
    };
    assert!(lower(50.0) > 20.0 && lower(60.0) > 15.0);
    assert!(lower(200.0) < 0.3 && lower(1_000.0) < 0.1);
}

#[test]
fn each_part_adds_the_delay_that_it_must() {
    let white = Noise::new(4).steady(3 * SECOND, 0.1);
    for (name, choice, least, most) in [
        ("nothing", Processing::OFF, 0.0, 0.0),
        ("high-pass", HIGH_PASS_ALONE, 0.0, 0.1),
        ("gain", GAIN_ALONE, 0.0, 0.0),
        ("echo", ECHO_ALONE, 6.5, 7.5),
        ("noise", NOISE_ALONE, 6.5, 7.5),
        ("headset", Processing::HEADSET, 6.5, 7.5),
        ("speaker", Processing::SPEAKER, 12.5, 13.5),
    ] {
        let (delay, _) = place_of(&white, &alone(&mut with(choice), &white));
        let millis = delay as f32 / 48.0;
        assert!((least..=most).contains(&millis), "{name}: {millis} ms");
    }
}

#[test]
fn a_change_in_a_call_makes_no_click() {
    let turn = 2.0 * std::f32::consts::PI * 400.0 / 48_000.0;
    let tone: Vec<f32> = (0..SECOND).map(|n| 0.3 * (turn * n as f32).sin()).collect();
    let mut processor = VoiceProcessor::default();
    let mut sent = Vec::new();
    for choice in [
        Processing::HEADSET,
        Processing::OFF,
        Processing::SPEAKER,
        HIGH_PASS_ALONE,
        Processing::OFF,
    ] {
        processor.choose(choice);
        sent.extend(alone(&mut processor, &tone));
    }
    let step = sent
        .windows(2)
        .map(|w| (w[1] - w[0]).abs())
        .fold(0.0, f32::max);
    // The tone alone has steps of 0.016, twice that where gain raises it.
    assert!(step < 0.035, "a click of {step}");
    assert!(processor.is_off());
    assert_eq!(alone(&mut processor, &tone), tone, "off is untouched");
}

#[test]
fn nothing_but_echo_cancellation_allocates() {
    let voice = speech(3, 2, 0.05);
    let choice = Processing {
        echo_cancellation: false,
        ..Processing::SPEAKER
    };
    let mut processor = with(choice);
    assert_no_alloc(|| {
        for frame in voice.as_chunks::<FRAME_SAMPLES>().0 {
            let mut frame = *frame;
            processor.play(&frame);
            processor.capture(&mut frame);
        }
    });
}
