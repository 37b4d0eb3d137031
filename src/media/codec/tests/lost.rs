//! What brings back sound whose packets were lost.

use super::*;

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
        if index % 5 == 4 && decoder.recover(payload, 960, &mut output) == Some(Repair::Fec) {
            recovered += usize::from(output.iter().any(|s| s.abs() > 0.01));
        }
        assert!(decoder.decode(payload, &mut output));
    }
    assert!(recovered >= 15, "{recovered} of 20");
}

/// libopus makes FEC of few bits only for a loss above 5 %.
#[test]
fn opus_packets_carry_the_one_before_at_any_usual_bitrate_where_loss_is_prepared_for() {
    for bitrate in [24_000, 32_000, 48_000, 64_000] {
        let mut encoder = Encoder::new(&plan(Codec::Opus)).unwrap();
        encoder.steer(Course {
            bitrate,
            expected_loss: opus::LEAST_EXPECTED_LOSS,
            redundancy: 0,
        });
        let mut decoder = Decoder::new(Codec::Opus).unwrap();
        decoder.set_effort(Effort::Plain);
        let voice = voice(96_000);
        let carries = |samples: &&[f32]| {
            let mut payload = [0; MAX_PAYLOAD_BYTES];
            let payload = encoded(&mut encoder, samples, &mut payload);
            decoder.reach(payload) >= 960
        };
        let all = voice.chunks_exact(960).len();
        let redundant = voice.chunks_exact(960).filter(carries).count();
        assert!(redundant * 4 > all * 3, "{bitrate}: {redundant} of {all}");
    }
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
/// what brought each of them back.
fn burst_at_onset(packets: &[Vec<u8>], effort: Effort) -> (Vec<f32>, [Option<Repair>; 4]) {
    let mut decoder = Decoder::new(Codec::Opus).unwrap();
    decoder.set_effort(effort);
    let mut output = [0.0; 960];
    for packet in &packets[..50] {
        assert!(decoder.decode(packet, &mut output));
    }
    let mut heard = Vec::new();
    let recovered = [4, 3, 2, 1].map(|packet| {
        let recovered = decoder.recover(&packets[54], packet * 960, &mut output);
        if recovered.is_none() {
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
    let (fec, dred) = (Some(Repair::Fec), Some(Repair::Dred));
    assert_eq!(recovered, [dred, dred, dred, fec]);
    // Nothing before the burst tells that somebody begins to speak.
    assert!(power(&heard[1_920..]) > 1e-3, "{}", power(&heard[1_920..]));
    let (plain, recovered) = burst_at_onset(&packets, Effort::Plain);
    assert_eq!(recovered, [None, None, None, fec]);
    assert!(power(&plain[..2_880]) < 1e-4, "{}", power(&plain[..2_880]));
}

#[test]
fn dred_reaches_no_farther_than_it_says() {
    let packets = onset_with_dred();
    let mut decoder = Decoder::new(Codec::Opus).unwrap();
    let mut output = [0.0; 960];
    assert!(decoder.decode(&packets[0], &mut output));
    assert_eq!(decoder.recover(&packets[90], 48_000, &mut output), None);
    let repair = decoder.recover(&packets[90], 9_600, &mut output);
    assert_eq!(repair, Some(Repair::Dred));
    let bare = opus_packets(OpusParameters::default(), &voice(48_000));
    assert_eq!(decoder.recover(&bare[40], 9_600, &mut output), None);
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
