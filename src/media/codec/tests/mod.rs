//! Sound through encoder and decoder, for each codec.

mod lost;
mod opus_sound;

use super::*;
use crate::base::random::{Random as _, SeededRandom};
use crate::media::jitter::Decode as _;
use crate::sdp::OpusParameters;

fn plan(codec: Codec) -> MediaPlan {
    MediaPlan {
        remote_rtp: None,
        remote_rtcp: None,
        rtcp_mux: false,
        codec,
        send_payload_type: 0,
        receive: Vec::new(),
        telephone_event_send: None,
        telephone_event_rate: 8_000,
        telephone_event_receive: Vec::new(),
        ptime_millis: 20,
        direction: crate::sdp::Direction::SendRecv,
        srtp: None,
        dtls: None,
        ice: None,
        comfort_noise_send: None,
        comfort_noise_receive: vec![13],
        opus: OpusParameters {
            fec: true,
            ..OpusParameters::default()
        },
    }
}

/// The payload of a packet that must be sound.
fn encoded<'a>(
    encoder: &mut Encoder,
    sound: &[f32],
    payload: &'a mut [u8; MAX_PAYLOAD_BYTES],
) -> &'a [u8] {
    match encoder.encode(sound, payload) {
        Encoded::Sound(length) => &payload[..length],
        other => panic!("{other:?}"),
    }
}

/// A course for so much loss, in percent, with so much DRED, in steps of 10 ms.
fn lossy(expected_loss: u8, redundancy: u8) -> Course {
    Course {
        bitrate: 32_000,
        expected_loss,
        redundancy,
    }
}

fn sine(hertz: f32, start: usize, count: usize) -> Vec<f32> {
    (start..start + count)
        .map(|n| 0.4 * (2.0 * std::f32::consts::PI * hertz * n as f32 / 48_000.0).sin())
        .collect()
}

/// A gliding tone with a rough edge, so that the encoder takes it for speech.
fn voice(count: usize) -> Vec<f32> {
    (0..count)
        .map(|n| {
            let t = n as f32 / 48_000.0;
            let pitch = 120.0 + 40.0 * (t * 5.0).sin();
            0.3 * ((t * pitch).fract() - 0.5) * (0.6 + 0.4 * (t * 20.0).sin())
        })
        .collect()
}

fn noise(seed: u64, peak: f32, count: usize) -> Vec<f32> {
    let mut random = SeededRandom::new(seed);
    (0..count)
        .map(|_| (random.next_u32() as f32 / u32::MAX as f32 * 2.0 - 1.0) * peak)
        .collect()
}

/// How much of the samples' power is a sine of that frequency, 0.0 to 1.0.
fn share_of(samples: &[f32], hertz: f32) -> f32 {
    let (mut a, mut b, mut power) = (0.0, 0.0, 1e-9);
    for (n, s) in samples.iter().enumerate() {
        let phase = 2.0 * std::f32::consts::PI * hertz * n as f32 / 48_000.0;
        a += s * phase.cos();
        b += s * phase.sin();
        power += s * s;
    }
    2.0 * (a * a + b * b) / (samples.len() as f32 * power)
}

#[test]
fn each_codec_carries_a_tone_at_each_packet_time() {
    for codec in Codec::ALL {
        for millis in [10, 20, 40, 60] {
            let mut encoder = Encoder::new(&plan(codec)).unwrap();
            let mut decoder = Decoder::new(codec).unwrap();
            let count = millis * SAMPLES_PER_MILLI;
            let mut heard = Vec::new();
            for packet in 0..1_200 / millis {
                let mut payload = [0; MAX_PAYLOAD_BYTES];
                let sound = sine(440.0, packet * count, count);
                let payload = encoded(&mut encoder, &sound, &mut payload);
                assert_eq!(samples_in(codec, payload), Some(count));
                let mut output = vec![0.0; count];
                assert!(decoder.decode(payload, &mut output));
                heard.extend(output);
            }
            let settled = &heard[24_000..];
            assert!(share_of(settled, 440.0) > 0.98, "{codec} {millis}");
            assert!(share_of(settled, 700.0) < 0.01);
        }
    }
}

#[test]
fn random_payloads_never_panic() {
    let mut random = SeededRandom::new(9);
    for codec in Codec::ALL {
        let mut decoder = Decoder::new(codec).unwrap();
        for _ in 0..500 {
            let mut payload = vec![0; usize::from(random.next_u64().to_le_bytes()[0])];
            random.fill(&mut payload);
            let Some(samples) = samples_in(codec, &payload) else {
                continue;
            };
            let mut output = vec![0.0; samples];
            decoder.decode(&payload, &mut output);
            decoder.recover(&payload, samples, &mut output);
            decoder.recover(&payload, 5 * samples, &mut output);
            decoder.conceal(&mut output);
            assert!(output.iter().all(|s| s.is_finite()));
            decoder.rest(&payload);
            decoder.conceal(&mut output);
            assert!(output.iter().all(|s| s.is_finite()));
        }
    }
}

#[test]
fn coding_and_decoding_do_not_allocate() {
    for codec in Codec::ALL {
        let mut encoder = Encoder::new(&plan(codec)).unwrap();
        let mut decoder = Decoder::new(codec).unwrap();
        let sound = sine(300.0, 0, 960);
        let mut output = [0.0; 960];
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        // Tables are made at the first use.
        encoder.encode(&sound, &mut payload);
        decoder.conceal(&mut output);
        assert_no_alloc::assert_no_alloc(|| {
            for _ in 0..50 {
                let packet = encoded(&mut encoder, &sound, &mut payload);
                assert_eq!(samples_in(codec, packet), Some(960));
                assert!(decoder.decode(packet, &mut output));
                decoder.recover(packet, 960, &mut output);
                decoder.recover(packet, 4_800, &mut output);
                decoder.conceal(&mut output);
                decoder.rest(&[50, 100]);
                decoder.conceal(&mut output);
            }
        });
    }
}

/// What a decoder makes of the packets of a sound, each of 20 ms.
fn carried(codec: Codec, sound: &[f32]) -> Vec<f32> {
    let mut encoder = Encoder::new(&plan(codec)).unwrap();
    let mut decoder = Decoder::new(codec).unwrap();
    let mut heard = Vec::new();
    for samples in sound.chunks_exact(960) {
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        let payload = encoded(&mut encoder, samples, &mut payload);
        let mut output = [0.0; 960];
        assert!(decoder.decode(payload, &mut output));
        heard.extend(output);
    }
    heard
}

fn power(samples: &[f32]) -> f32 {
    samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32
}

/// The largest difference of two neighbours: a click, where it is above the sound's own.
fn steepest(samples: &[f32]) -> f32 {
    let steps = samples.windows(2).map(|w| (w[1] - w[0]).abs());
    steps.fold(0.0, f32::max)
}

#[test]
fn g722_carries_what_g711_cannot() {
    for hertz in [5_000.0, 6_500.0] {
        let sound = sine(hertz, 0, 48_000);
        let wide = carried(Codec::G722, &sound);
        assert!(share_of(&wide[9_600..], hertz) > 0.95, "{hertz}");
        let narrow = carried(Codec::Pcmu, &sound);
        assert!(power(&narrow[9_600..]) < 1e-5, "{hertz}");
    }
}

fn opus_packets(opus: OpusParameters, sound: &[f32]) -> Vec<Vec<u8>> {
    let plan = MediaPlan {
        opus,
        ..plan(Codec::Opus)
    };
    let mut encoder = Encoder::new(&plan).unwrap();
    let packet = |samples| {
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        match encoder.encode(samples, &mut payload) {
            Encoded::Sound(length) => Some(payload[..length].to_vec()),
            Encoded::Silence(_) => panic!("Opus has no descriptors"),
            Encoded::Nothing => None,
        }
    };
    sound.chunks_exact(960).filter_map(packet).collect()
}

#[test]
fn comfort_noise_begins_and_ends_without_a_click_at_the_told_level() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
        let mut encoder = Encoder::new(&plan(codec)).unwrap();
        let mut receiver = Receiver::default();
        let mut heard = Vec::new();
        let mut talk = |receiver: &mut Receiver, from: usize, heard: &mut Vec<f32>| {
            for packet in from..from + 25 {
                let mut payload = [0; MAX_PAYLOAD_BYTES];
                let sound = sine(300.0, packet * 960, 960);
                let payload = encoded(&mut encoder, &sound, &mut payload);
                let mut output = [0.0; 960];
                assert!(receiver.decode(codec, payload, &mut output));
                heard.extend(output);
            }
        };
        talk(&mut receiver, 0, &mut heard);
        receiver.rest(codec, &[48]);
        for _ in 0..100 {
            let mut frame = [0.0; 480];
            receiver.conceal(&mut frame);
            heard.extend(frame);
        }
        talk(&mut receiver, 25, &mut heard);
        let level = 10.0 * power(&heard[28_800..72_000]).log10();
        // The filter to 48 kHz takes the uppermost eighth of the band away: half a decibel.
        assert!((-50.0..-46.5).contains(&level), "{codec}: {level} dBov");
        // The tone's own steepness is 0.4 × 2π × 300 / 48000 = 0.016.
        let step = steepest(&heard[9_600..]);
        assert!(step < 0.032, "{codec}: a click of {step}");
    }
}

#[test]
fn a_codec_may_change_with_each_packet_without_a_click() {
    let mut encoders = Codec::ALL.map(|codec| (codec, Encoder::new(&plan(codec)).unwrap()));
    let mut receiver = Receiver::default();
    let mut heard = Vec::new();
    for packet in 0..200 {
        let sound = sine(300.0, packet * 960, 960);
        let (codec, encoder) = &mut encoders[packet / 10 % 4];
        // One that has gone on in silence would be understood by and by only.
        if packet % 10 == 0 && *codec == Codec::G722 {
            *encoder = Encoder::new(&plan(*codec)).unwrap();
        }
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        let payload = encoded(encoder, &sound, &mut payload);
        let mut output = [0.0; 960];
        assert!(receiver.decode(*codec, payload, &mut output));
        heard.extend(output);
    }
    let step = steepest(&heard);
    assert!(step < 0.04, "a click of {step}");
    let quiet: Vec<usize> = (20..heard.len() / 480)
        .filter(|n| heard[n * 480..][..480].iter().all(|s| s.abs() < 0.1))
        .collect();
    // An Opus encoder that goes on after a pause may need as long to be understood again.
    assert!(quiet.len() <= 1, "mute for 10 ms at {quiet:?}");
}
