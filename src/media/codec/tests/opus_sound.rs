//! What Opus sends and clears: bands, sizes, silence and coarse speech.

use super::*;
use crate::media::codec::libopus::Bandwidth;

/// What is heard of a voice that was encoded at that bitrate, at an effort, from its second `from` on.
fn heard_at(effort: Effort, bitrate: u32, from: usize) -> Vec<f32> {
    let mut encoder = Encoder::new(&plan(Codec::Opus)).unwrap();
    encoder.steer(Course {
        bitrate,
        expected_loss: 0,
        redundancy: 0,
    });
    let mut decoder = Decoder::new(Codec::Opus).unwrap();
    decoder.set_effort(effort);
    let mut heard = Vec::new();
    for samples in voice(5 * 48_000).chunks_exact(960) {
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        let payload = encoded(&mut encoder, samples, &mut payload);
        let mut output = [0.0; 960];
        assert!(decoder.decode(payload, &mut output));
        heard.extend(output);
    }
    heard.split_off(from * 48_000)
}

/// How far two sounds are apart, in decibels below the first one.
fn difference(first: &[f32], second: &[f32]) -> f32 {
    let between: Vec<f32> = first.iter().zip(second).map(|(a, b)| a - b).collect();
    10.0 * (power(&between) / power(first)).max(1e-12).log10()
}

#[test]
fn lace_and_nolace_each_clear_coarse_speech_in_a_way_of_their_own() {
    let [plain, deep, lace, nolace] = [Effort::Plain, Effort::Deep, Effort::Lace, Effort::NoLace]
        .map(|it| heard_at(it, 16_000, 1));
    // Nothing is lost: a network that makes up what is has nothing to do.
    assert!(difference(&plain, &deep) < -100.0);
    for (one, other, names) in [
        (&deep, &lace, "LACE"),
        (&deep, &nolace, "NoLACE"),
        (&lace, &nolace, "LACE and NoLACE"),
    ] {
        let apart = difference(one, other);
        // Heard, and still the same voice.
        assert!((-40.0..-3.0).contains(&apart), "{names}: {apart} dB");
    }
}

#[test]
fn speech_of_many_bits_is_left_as_it_is_at_any_effort() {
    // It takes a second until it is known how many there are.
    let [deep, lace, nolace] =
        [Effort::Deep, Effort::Lace, Effort::NoLace].map(|effort| heard_at(effort, 64_000, 3));
    for (cleared, name) in [(lace, "LACE"), (nolace, "NoLACE")] {
        let apart = difference(&deep, &cleared);
        assert!(apart < -100.0, "{name}: {apart} dB");
    }
}

#[test]
fn stereo_is_mixed_down_to_the_mean_of_both_sides() {
    for bitrate in [20_000, 128_000] {
        let (channels, application) = (::opus::Channels::Stereo, ::opus::Application::Audio);
        let mut encoder = ::opus::Encoder::new(48_000, channels, application).unwrap();
        encoder.set_bitrate(::opus::Bitrate::Bits(bitrate)).unwrap();
        let mut decoder = Decoder::new(Codec::Opus).unwrap();
        let (left, right) = (sine(500.0, 0, 96_000), sine(900.0, 0, 96_000));
        let sides = left.iter().zip(&right);
        let both: Vec<f32> = sides.flat_map(|(l, r)| [*l, *r]).collect();
        let mut heard = Vec::new();
        for samples in both.chunks_exact(1_920) {
            let packet = encoder.encode_vec_float(samples, 1_472).unwrap();
            let mut output = [0.0; 960];
            assert!(decoder.decode(&packet, &mut output));
            heard.extend(output);
        }
        let heard = &heard[24_000..];
        for hertz in [500.0, 900.0] {
            // Half of the amplitude of each side is a quarter of its power, which is 0.08.
            let tone = share_of(heard, hertz) * power(heard);
            assert!((0.015..0.025).contains(&tone), "{bitrate} {hertz}: {tone}");
        }
    }
}

#[test]
fn opus_sends_no_frequencies_that_the_far_end_does_not_play() {
    let hiss = noise(5, 0.1, 96_000);
    for (rate, band) in [
        (Some(8_000), Bandwidth::Narrow),
        (Some(12_000), Bandwidth::Medium),
        (Some(16_000), Bandwidth::Wide),
        (Some(24_000), Bandwidth::SuperWide),
        (Some(48_000), Bandwidth::Full),
        (None, Bandwidth::Full),
    ] {
        let wanted = OpusParameters {
            max_playback_rate: rate,
            ..OpusParameters::default()
        };
        let packets = opus_packets(wanted, &hiss);
        let bands = packets
            .iter()
            .map(|packet| libopus::band_of(packet).unwrap());
        let widest = bands.max();
        assert!(widest <= Some(band), "{rate:?}: {widest:?}");
        if rate == Some(8_000) {
            let bytes: usize = packets.iter().map(Vec::len).sum();
            assert!(bytes * 8 / 2 < 16_000, "{bytes} bytes in two seconds");
        }
    }
}

/// The first of the packets from which on all have that band.
fn band_from(packets: &[Vec<u8>], band: Bandwidth) -> Option<usize> {
    let other = |packet: &Vec<u8>| libopus::band_of(packet) != Some(band);
    let from = packets.iter().rposition(other).map_or(0, |last| last + 1);
    (from < packets.len()).then_some(from)
}

#[test]
fn opus_sends_no_frequencies_that_the_source_does_not_have() {
    let wanted = || OpusParameters {
        fec: true,
        ..OpusParameters::default()
    };
    let second = 48_000;
    // A rough voice has all frequencies; by way of G.722 it has none above 8 kHz.
    let full = voice(4 * second);
    let mut encoder = Encoder::new(&plan(Codec::G722)).unwrap();
    let mut decoder = Decoder::new(Codec::G722).unwrap();
    let mut wide = vec![0.0; full.len()];
    for (said, heard) in full.chunks_exact(960).zip(wide.chunks_exact_mut(960)) {
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        assert!(decoder.decode(encoded(&mut encoder, said, &mut payload), heard));
    }
    let packets = opus_packets(wanted(), &full);
    assert_eq!(band_from(&packets, Bandwidth::Full), Some(0));
    let packets = opus_packets(wanted(), &wide);
    let from = band_from(&packets, Bandwidth::Wide).expect("the wide band is enough");
    assert!(
        (50..=90).contains(&from),
        "a second of talk shows it: {from}"
    );
    // Another microphone; libopus waits for a moment in which a wider band is not heard to begin.
    let both = [&wide[..2 * second], &full[..second]].concat();
    let packets = opus_packets(wanted(), &both);
    let from = band_from(&packets, Bandwidth::Full).expect("all bands again");
    assert!((99..150).contains(&from), "within a second: {from}");
    // Silence says nothing about its source, and neither does what is soft.
    let soft: Vec<f32> = wide.iter().map(|sample| sample * 0.003).collect();
    let packets = opus_packets(wanted(), &soft);
    assert_eq!(band_from(&packets, Bandwidth::Wide), None);
}

#[test]
fn opus_packets_are_all_of_one_size_where_the_far_end_wants_that() {
    let sound: Vec<f32> = (0..48_000)
        .map(|n| n as f32)
        .map(|n| 0.3 * ((n / 48_000.0 * 130.0).fract() - 0.5) * (n / 9_000.0).sin())
        .collect();
    let sizes = |constant_bitrate| {
        let wanted = OpusParameters {
            constant_bitrate,
            ..OpusParameters::default()
        };
        let packets = opus_packets(wanted, &sound);
        let mut sizes: Vec<usize> = packets.iter().map(Vec::len).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes.len()
    };
    assert_eq!(sizes(true), 1);
    assert!(sizes(false) > 5);
}

#[test]
fn opus_sends_next_to_nothing_in_silence_and_its_noise_is_made_up() {
    let room = noise(6, 0.001, 48_000 * 4);
    let wanted = OpusParameters {
        dtx: true,
        ..OpusParameters::default()
    };
    let packets = opus_packets(wanted, &room);
    assert!(packets.len() < 60, "{} of 200 packets", packets.len());
    let all = opus_packets(OpusParameters::default(), &room);
    assert_eq!(all.len(), 200);
    let mut receiver = Receiver::default();
    let mut heard = [0.0; 960];
    for packet in &packets[..15] {
        assert!(receiver.decode(Codec::Opus, packet, &mut heard));
    }
    // A packet without a frame says that it goes on like that.
    let empty = [packets[0][0]];
    assert!(receiver.rests(Codec::Opus, &empty));
    assert!(!receiver.rests(Codec::Opus, &packets[0]));
    assert!(receiver.decode(Codec::Opus, &empty, &mut heard));
    for _ in 0..50 {
        receiver.conceal(&mut heard);
    }
    assert!((1e-9..1e-5).contains(&power(&heard)), "{}", power(&heard));
}
