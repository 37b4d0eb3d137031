use super::*;
use crate::base::random::{Random as _, SeededRandom};
use crate::media::codec::libopus::Bandwidth;
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
fn opus_brings_a_lost_packet_back_from_the_next_one() {
    let mut encoder = Encoder::new(&plan(Codec::Opus)).unwrap();
    encoder.steer(lossy(20, 0));
    let mut decoder = Decoder::new(Codec::Opus).unwrap();
    let mut recovered = 0;
    let voice = voice(96_000);
    let mut output = [0.0; 960];
    for (index, samples) in voice.chunks(960).enumerate() {
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        let payload = encoded(&mut encoder, samples, &mut payload);
        if index % 5 == 3 {
            continue;
        }
        if index % 5 == 4 && decoder.recover(payload, 960, &mut output) {
            recovered += usize::from(output.iter().any(|s| s.abs() > 0.01));
        }
        assert!(decoder.decode(payload, &mut output));
    }
    assert!(recovered >= 15, "{recovered} of 20");
}

/// Packets of a voice that says nothing for a second and then begins to speak, each with DRED.
fn onset_with_dred() -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(&plan(Codec::Opus)).unwrap();
    encoder.steer(Course {
        bitrate: 48_000,
        ..lossy(20, 30)
    });
    let hush = noise(3, 0.001, 48_000);
    let sound: Vec<f32> = hush.into_iter().chain(voice(48_000)).collect();
    let packet = |samples: &[f32]| {
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        encoded(&mut encoder, samples, &mut payload).to_vec()
    };
    sound.chunks_exact(960).map(packet).collect()
}

/// What is heard of the packets 50 to 53, which were lost, out of the packet 54, at that effort; and
/// which of them were recovered.
fn burst_at_onset(packets: &[Vec<u8>], effort: Effort) -> (Vec<f32>, [bool; 4]) {
    let mut decoder = Decoder::new(Codec::Opus).unwrap();
    decoder.set_effort(effort);
    let mut output = [0.0; 960];
    for packet in &packets[..50] {
        assert!(decoder.decode(packet, &mut output));
    }
    let mut heard = Vec::new();
    let recovered = [4, 3, 2, 1].map(|packet| {
        let recovered = decoder.recover(&packets[54], packet * 960, &mut output);
        if !recovered {
            decoder.conceal(&mut output);
        }
        heard.extend(output);
        recovered
    });
    (heard, recovered)
}

#[test]
fn dred_brings_back_words_that_began_within_a_burst() {
    let packets = onset_with_dred();
    let (heard, recovered) = burst_at_onset(&packets, Effort::NoLace);
    assert_eq!(recovered, [true; 4]);
    // Nothing before the burst tells that somebody begins to speak.
    assert!(power(&heard[1_920..]) > 1e-3, "{}", power(&heard[1_920..]));
    let (plain, recovered) = burst_at_onset(&packets, Effort::Plain);
    assert_eq!(recovered, [false, false, false, true]);
    assert!(power(&plain[..2_880]) < 1e-4, "{}", power(&plain[..2_880]));
}

#[test]
fn dred_reaches_no_farther_than_it_says() {
    let packets = onset_with_dred();
    let mut decoder = Decoder::new(Codec::Opus).unwrap();
    let mut output = [0.0; 960];
    assert!(decoder.decode(&packets[0], &mut output));
    assert!(!decoder.recover(&packets[90], 48_000, &mut output));
    assert!(decoder.recover(&packets[90], 9_600, &mut output));
    let bare = opus_packets(OpusParameters::default(), &voice(48_000));
    assert!(!decoder.recover(&bare[40], 9_600, &mut output));
}

#[test]
fn a_network_goes_on_with_a_voice_where_repetition_fades_it_away() {
    let packets = opus_packets(OpusParameters::default(), &voice(96_000));
    let kept = |effort| {
        let mut receiver = Receiver::default();
        receiver.set_effort(effort);
        let (mut before, mut made_up) = (Vec::new(), Vec::new());
        for (index, packet) in packets.iter().enumerate() {
            let mut output = [0.0; 960];
            if index % 10 < 7 {
                assert!(receiver.decode(Codec::Opus, packet, &mut output));
                before.extend(output);
            } else {
                receiver.conceal(&mut output);
                made_up.extend(output);
            }
        }
        power(&made_up) / power(&before)
    };
    let (deep, plain) = (kept(Effort::Deep), kept(Effort::Plain));
    assert!(deep > plain, "{deep} {plain}");
}

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

fn noise(seed: u64, peak: f32, count: usize) -> Vec<f32> {
    let mut random = SeededRandom::new(seed);
    (0..count)
        .map(|_| (random.next_u32() as f32 / u32::MAX as f32 * 2.0 - 1.0) * peak)
        .collect()
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
