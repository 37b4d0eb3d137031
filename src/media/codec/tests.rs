use super::*;
use crate::base::random::{Random as _, SeededRandom};

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
        opus_fec: true,
        opus_max_bitrate: None,
        srtp: None,
    }
}

fn sine(hertz: f32, start: usize, count: usize) -> Vec<f32> {
    (start..start + count)
        .map(|n| 0.4 * (2.0 * std::f32::consts::PI * hertz * n as f32 / 48_000.0).sin())
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
    for codec in [Codec::Opus, Codec::Pcmu, Codec::Pcma] {
        for millis in [10, 20, 40, 60] {
            let mut encoder = Encoder::new(&plan(codec)).unwrap();
            let mut decoder = Decoder::new(codec).unwrap();
            let count = millis * SAMPLES_PER_MILLI;
            let mut heard = Vec::new();
            for packet in 0..1_200 / millis {
                let mut payload = [0; MAX_PAYLOAD_BYTES];
                let length = encoder.encode(&sine(440.0, packet * count, count), &mut payload);
                let payload = &payload[..length];
                assert_eq!(decoder.samples_in(payload), Some(count));
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
fn opus_brings_a_lost_packet_back_from_the_next_one() {
    let mut encoder = Encoder::new(&plan(Codec::Opus)).unwrap();
    encoder.expect_loss(0.2);
    let mut decoder = Decoder::new(Codec::Opus).unwrap();
    let mut recovered = 0;
    // A gliding tone with a rough edge, so that the encoder takes it for speech.
    let voice: Vec<f32> = (0..96_000)
        .map(|n| {
            let t = n as f32 / 48_000.0;
            let pitch = 120.0 + 40.0 * (t * 5.0).sin();
            0.3 * ((t * pitch).fract() - 0.5) * (0.6 + 0.4 * (t * 20.0).sin())
        })
        .collect();
    let mut output = [0.0; 960];
    for (index, samples) in voice.chunks(960).enumerate() {
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        let length = encoder.encode(samples, &mut payload);
        if index % 5 == 3 {
            continue;
        }
        if index % 5 == 4 && decoder.recover(&payload[..length], &mut output) {
            recovered += usize::from(output.iter().any(|s| s.abs() > 0.01));
        }
        assert!(decoder.decode(&payload[..length], &mut output));
    }
    assert!(recovered >= 15, "{recovered} of 20");
}

#[test]
fn random_payloads_never_panic() {
    let mut random = SeededRandom::new(9);
    for codec in [Codec::Opus, Codec::Pcmu, Codec::Pcma] {
        let mut decoder = Decoder::new(codec).unwrap();
        for _ in 0..500 {
            let mut payload = vec![0; usize::from(random.next_u64().to_le_bytes()[0])];
            random.fill(&mut payload);
            let Some(samples) = decoder.samples_in(&payload) else {
                continue;
            };
            let mut output = vec![0.0; samples];
            decoder.decode(&payload, &mut output);
            decoder.recover(&payload, &mut output);
            decoder.conceal(&mut output);
            assert!(output.iter().all(|s| s.is_finite()));
        }
    }
}

#[test]
fn coding_and_decoding_do_not_allocate() {
    for codec in [Codec::Opus, Codec::Pcmu] {
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
                let length = encoder.encode(&sound, &mut payload);
                let packet = &payload[..length];
                assert_eq!(decoder.samples_in(packet), Some(960));
                assert!(decoder.decode(packet, &mut output));
                decoder.recover(packet, &mut output);
                decoder.conceal(&mut output);
            }
        });
    }
}
