//! Offers and answers (RFC 3264), by text.

use super::*;
use crate::base::random::{Random as _, SeededRandom};

fn local() -> LocalMedia {
    LocalMedia {
        session_id: 42,
        version: 1,
        address: "192.0.2.7".parse().unwrap(),
        rtp_port: 40_000,
        codecs: Codec::ALL.to_vec(),
        ptime_millis: 20,
        direction: Direction::SendRecv,
        srtp: LocalSrtp::default(),
        silence_suppression: false,
        ice: None,
    }
}

fn read(media: &str) -> SessionDescription {
    let text = format!(
        "v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n{media}"
    );
    SessionDescription::parse(text.as_bytes()).unwrap()
}

fn remote(port: u16) -> SocketAddr {
    SocketAddr::new("198.51.100.9".parse().unwrap(), port)
}

#[test]
fn an_offer_is_written_line_by_line() {
    assert_eq!(
        offer(&local()).to_string(),
        "v=0\r\no=- 42 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n\
         m=audio 40000 RTP/AVP 111 9 0 8 13 110 101\r\n\
         a=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n\
         a=rtpmap:9 G722/8000\r\n\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:13 CN/8000\r\n\
         a=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-15\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n\
         a=rtcp-mux\r\na=ptime:20\r\na=sendrecv\r\n"
    );
}

#[test]
fn two_of_our_own_sides_agree_on_opus_with_fec() {
    let mut far = local();
    far.address = "192.0.2.8".parse().unwrap();
    far.rtp_port = 50_000;
    let offered = offer(&local());
    let (answered, their_plan) = answer(&far, &offered).unwrap();
    let our_plan = accept(&local(), &answered).unwrap();
    for plan in [&our_plan, &their_plan] {
        assert_eq!(plan.codec, Codec::Opus);
        assert_eq!(plan.send_payload_type, 111);
        assert_eq!(plan.telephone_event_send, Some(110));
        assert_eq!(plan.telephone_event_rate, 48_000);
        assert!(plan.rtcp_mux && plan.opus.fec);
        assert_eq!(plan.direction, Direction::SendRecv);
        assert_eq!(plan.remote_rtp, plan.remote_rtcp);
    }
    assert_eq!(our_plan.remote_rtp.unwrap().to_string(), "192.0.2.8:50000");
    assert_eq!(
        their_plan.remote_rtp.unwrap().to_string(),
        "192.0.2.7:40000"
    );
}

#[test]
fn an_answer_keeps_the_offerers_payload_types_and_order() {
    let offered = read(
        "m=audio 30000 RTP/AVP 3 8 98 96 97\r\na=rtpmap:98 opus/48000/2\r\n\
         a=fmtp:98 maxaveragebitrate=20000; useinbandfec=0\r\na=rtpmap:96 telephone-event/8000\r\n\
         a=rtpmap:97 telephone-event/48000\r\n",
    );
    let (answered, plan) = answer(&local(), &offered).unwrap();
    assert_eq!(answered.media[0].formats, ["8", "98", "96", "97"]);
    assert_eq!(plan.codec, Codec::Pcma);
    assert_eq!(plan.receive, [(8, Codec::Pcma), (98, Codec::Opus)]);
    assert_eq!(plan.telephone_event_send, Some(96));
    assert_eq!(plan.telephone_event_receive, [(96, 8_000), (97, 48_000)]);
    assert!(!plan.rtcp_mux);
    assert_eq!(plan.remote_rtcp, Some(remote(30_001)));
}

/// RFC 5888 section 6, RFC 9143 section 7.3: else a browser's stack does not find its stream again.
#[test]
fn streams_keep_the_names_that_their_offerer_gave_them_and_a_bundle_what_was_taken_of_it() {
    let offered = SessionDescription::parse(
        b"v=0\r\na=group:BUNDLE v a\r\nm=video 9 RTP/AVP 99\r\na=mid:v\r\n\
          m=audio 30000 RTP/AVP 0\r\nc=IN IP4 198.51.100.9\r\na=mid:a\r\na=rtcp-mux\r\n",
    )
    .unwrap();
    let (answered, _) = answer(&local(), &offered).unwrap();
    let text = answered.to_string();
    assert!(text.contains("a=group:BUNDLE a\r\n"), "{text}");
    assert!(
        text.contains("m=video 0 RTP/AVP 99\r\na=mid:v\r\n"),
        "{text}"
    );
    assert_eq!(answered.media[1].mid.as_deref(), Some("a"));
    // So do the offers that follow, of either side.
    for current in [&offered, &answered] {
        let again = offer_again(&local(), current);
        assert_eq!(again.bundle, Bundle(vec!["a".to_owned()]));
        let names: Vec<_> = again.media.iter().map(|it| it.mid.as_deref()).collect();
        assert_eq!(names, [Some("v"), Some("a")]);
    }
    // Who names none gets none.
    let (answered, _) = answer(&local(), &read("m=audio 30000 RTP/AVP 0\r\n")).unwrap();
    let text = answered.to_string();
    assert!(!text.contains("mid") && !text.contains("group"), "{text}");
}

#[test]
fn opus_limits_of_the_far_end_reach_the_plan() {
    let offered = read(
        "m=audio 30000 RTP/AVP 98\r\na=fmtp:98 maxaveragebitrate=20000; useinbandfec=1\r\n\
         a=rtpmap:98 OPUS/48000/2\r\n",
    );
    let (_, plan) = answer(&local(), &offered).unwrap();
    assert!(plan.opus.fec);
    assert_eq!(plan.opus.max_bitrate, Some(20_000));
    assert_eq!(plan.telephone_event_send, None);
}

#[test]
fn an_answer_with_other_numbers_is_sent_with_its_numbers_and_received_with_ours() {
    let answered = read(
        "m=audio 30000 RTP/AVP 120 99\r\na=rtpmap:120 opus/48000/2\r\n\
         a=rtpmap:99 telephone-event/48000\r\n",
    );
    let plan = accept(&local(), &answered).unwrap();
    assert_eq!(plan.send_payload_type, 120);
    assert_eq!(plan.telephone_event_send, Some(99));
    assert!(plan.receive.contains(&(111, Codec::Opus)));
    assert!(plan.receive.contains(&(120, Codec::Opus)));
    assert!(plan.receive.contains(&(0, Codec::Pcmu)));
    assert!(plan.telephone_event_receive.contains(&(110, 48_000)));
    assert!(plan.telephone_event_receive.contains(&(99, 48_000)));
}

#[test]
fn a_number_of_theirs_never_takes_the_place_of_one_of_ours() {
    let answered = read("m=audio 30000 RTP/AVP 101\r\na=rtpmap:101 opus/48000/2\r\n");
    let plan = accept(&local(), &answered).unwrap();
    assert_eq!(plan.send_payload_type, 101);
    assert!(!plan.receive.contains(&(101, Codec::Opus)));
    assert!(plan.telephone_event_receive.contains(&(101, 8_000)));
}

#[test]
fn opus_with_events_of_8000_hertz_only_uses_those() {
    let offered = read(
        "m=audio 30000 RTP/AVP 107 101\r\na=rtpmap:107 opus/48000/2\r\n\
         a=rtpmap:101 telephone-event/8000\r\n",
    );
    let (answered, plan) = answer(&local(), &offered).unwrap();
    assert_eq!(answered.media[0].formats, ["107", "101"]);
    assert_eq!(
        (plan.telephone_event_send, plan.telephone_event_rate),
        (Some(101), 8_000)
    );
}

#[test]
fn other_streams_are_refused_in_their_place() {
    let offered = read(
        "m=video 6000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\nm=audio 30000 RTP/AVP 0\r\n\
         m=audio 30010 RTP/AVP 8\r\nm=application 9 UDP/BFCP *\r\n",
    );
    let (answered, _) = answer(&local(), &offered).unwrap();
    let ports: Vec<_> = answered
        .media
        .iter()
        .map(|m| (m.kind.as_str(), m.port))
        .collect();
    assert_eq!(
        ports,
        [
            ("video", 0),
            ("audio", 40_000),
            ("audio", 0),
            ("application", 0)
        ]
    );
    assert_eq!(answered.media[3].formats, ["*"]);
    let again = offer_again(&local(), &offered);
    let ports: Vec<_> = again.media.iter().map(|m| m.port).collect();
    assert_eq!(ports, [0, 40_000, 0, 0]);
    assert_eq!(offer_again(&local(), &offer(&local())), offer(&local()));
}

#[test]
fn srtp_and_dtls_are_refused_by_name_unless_a_plain_stream_stands_beside() {
    for (protocol, name) in [
        ("RTP/SAVP", "SRTP"),
        ("RTP/SAVPF", "SRTP"),
        ("UDP/TLS/RTP/SAVPF", "DTLS-SRTP"),
        ("TCP/MSRP", "the profile"),
    ] {
        let offered = read(&format!("m=audio 30000 {protocol} 0\r\n"));
        let error = answer(&local(), &offered).unwrap_err();
        assert_eq!(
            error,
            NegotiationError::Profile(format!("{name} ({protocol})"))
        );
    }
    let offered = read("m=audio 30000 RTP/SAVP 0\r\nm=audio 30002 RTP/AVP 0\r\n");
    let (answered, plan) = answer(&local(), &offered).unwrap();
    assert_eq!(answered.media[0].port, 0);
    assert_eq!(answered.media[1].port, 40_000);
    assert_eq!(plan.remote_rtp, Some(remote(30_002)));
}

#[test]
fn nothing_in_common_names_what_is_offered() {
    let offered =
        read("m=audio 30000 RTP/AVP 3 18 13 101\r\na=rtpmap:101 telephone-event/8000\r\n");
    assert_eq!(
        answer(&local(), &offered).unwrap_err(),
        NegotiationError::NoCommonCodec("GSM, G729".to_owned())
    );
    let video = read("m=video 30000 RTP/AVP 96\r\nm=audio 0 RTP/AVP 0\r\n");
    assert_eq!(
        answer(&local(), &video).unwrap_err(),
        NegotiationError::NoAudio
    );
    let refused = read("m=audio 0 RTP/AVP 0\r\n");
    assert_eq!(
        accept(&local(), &refused).unwrap_err(),
        NegotiationError::NoAudio
    );
}

#[test]
fn codecs_at_other_rates_or_channels_are_not_ours() {
    let offered = read(
        "m=audio 30000 RTP/AVP 0 96 97\r\na=rtpmap:0 PCMU/16000\r\na=rtpmap:96 PCMA/8000/2\r\n\
         a=rtpmap:97 opus/16000\r\n",
    );
    assert!(matches!(
        answer(&local(), &offered),
        Err(NegotiationError::NoCommonCodec(_))
    ));
}

#[test]
fn directions_are_mirrored() {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    for (theirs, wanted, expected) in [
        (SendRecv, SendRecv, SendRecv),
        (SendOnly, SendRecv, RecvOnly),
        (RecvOnly, SendRecv, SendOnly),
        (Inactive, SendRecv, Inactive),
        (SendRecv, SendOnly, SendOnly),
        (SendOnly, SendOnly, Inactive),
        (RecvOnly, SendOnly, SendOnly),
        (SendRecv, Inactive, Inactive),
    ] {
        let mut side = local();
        side.direction = wanted;
        let text = format!("m=audio 30000 RTP/AVP 0\r\na={}\r\n", theirs.attribute());
        let (answered, plan) = answer(&side, &read(&text)).unwrap();
        assert_eq!(
            answered.media[0].direction,
            Some(expected),
            "{theirs:?} {wanted:?}"
        );
        assert_eq!(plan.direction, expected);
        assert_eq!(accept(&side, &read(&text)).unwrap().direction, expected);
    }
}

#[test]
fn hold_by_an_unspecified_address_is_answered_with_recvonly() {
    let offered = read("m=audio 30000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n");
    let (answered, plan) = answer(&local(), &offered).unwrap();
    assert_eq!(answered.media[0].direction, Some(Direction::RecvOnly));
    assert_eq!((plan.remote_rtp, plan.remote_rtcp), (None, None));
}

#[test]
fn media_never_goes_to_multicast_broadcast_or_foreign_addresses() {
    for address in [
        "IP4 224.1.1.1/127",
        "IP4 255.255.255.255",
        "IP4 0.1.2.3",
        "IP4 240.0.0.1",
        "IP6 ff02::1",
        "IP6 ::",
        "IP6 ::ffff:224.0.0.1",
        "IP6 2001:db8::1",
        "IP4 phone.example.com",
    ] {
        let offered = read(&format!("m=audio 30000 RTP/AVP 0\r\nc=IN {address}\r\n"));
        let (_, plan) = answer(&local(), &offered).unwrap();
        assert_eq!(plan.remote_rtp, None, "{address}");
        assert_eq!(plan.remote_rtcp, None, "{address}");
    }
}

#[test]
fn rtcp_goes_where_the_far_end_says() {
    for (attributes, expected) in [
        ("", Some(remote(30_001))),
        ("a=rtcp:31000\r\n", Some(remote(31_000))),
        (
            "a=rtcp:31000 IN IP4 198.51.100.10\r\n",
            Some("198.51.100.10:31000".parse().unwrap()),
        ),
        ("a=rtcp:31000 IN IP4 239.0.0.1\r\n", None),
        ("a=rtcp:31000\r\na=rtcp-mux\r\n", Some(remote(30_000))),
    ] {
        let offered = read(&format!("m=audio 30000 RTP/AVP 0\r\n{attributes}"));
        let (answered, plan) = answer(&local(), &offered).unwrap();
        assert_eq!(plan.remote_rtcp, expected, "{attributes}");
        assert_eq!(answered.media[0].rtcp_mux, plan.rtcp_mux);
    }
    let last = read("m=audio 65535 RTP/AVP 0\r\n");
    assert_eq!(answer(&local(), &last).unwrap().1.remote_rtcp, None);
}

#[test]
fn the_packet_time_follows_the_far_end_within_what_the_codecs_can() {
    for (attributes, expected) in [
        ("", 20),
        ("a=ptime:40\r\n", 40),
        // What DECT bases and gateways ask for; Opus has no such packet.
        ("a=ptime:30\r\n", 30),
        ("a=ptime:50\r\n", 50),
        ("a=ptime:35\r\n", 30),
        ("a=ptime:60\r\na=maxptime:30\r\n", 30),
        ("a=ptime:5\r\n", 10),
        ("a=ptime:0\r\n", 10),
        ("a=ptime:9999\r\n", 60),
        ("a=ptime:60\r\na=maxptime:40\r\n", 40),
    ] {
        for codec in [0, 8, 9] {
            let offered = read(&format!("m=audio 30000 RTP/AVP {codec}\r\n{attributes}"));
            let plan = answer(&local(), &offered).unwrap().1;
            assert_eq!(plan.ptime_millis, expected, "{codec} {attributes}");
        }
    }
}

#[test]
fn mutated_offers_never_panic_and_an_answer_repeats_each_stream() {
    let base = offer(&local()).to_string().into_bytes();
    let mut random = SeededRandom::new(11);
    let mut answered_count = 0;
    for _ in 0..20_000 {
        let mut body = base.clone();
        for _ in 0..4 {
            let at = usize::try_from(random.next_u64()).unwrap() % body.len();
            body[at] = random.next_u64().to_le_bytes()[0];
        }
        let Ok(offered) = SessionDescription::parse(&body) else {
            continue;
        };
        if let Ok((answered, _)) = answer(&local(), &offered) {
            assert_eq!(answered.media.len(), offered.media.len());
            answered_count += 1;
        }
        drop(accept(&local(), &offered));
    }
    assert!(answered_count > 1_000, "{answered_count}");
}

#[test]
fn comfort_noise_is_offered_beside_codecs_of_its_clock_and_never_alone() {
    let mut opus_alone = local();
    opus_alone.codecs = vec![Codec::Opus];
    let none = offer(&opus_alone).to_string();
    assert!(!none.contains("CN"), "{none}");
    let refused = answer(&local(), &read("m=audio 4000 RTP/AVP 13\r\n"));
    assert!(
        matches!(refused, Err(NegotiationError::NoCommonCodec(_))),
        "{refused:?}"
    );
}

#[test]
fn comfort_noise_is_answered_where_it_is_offered_with_a_codec_of_its_clock() {
    let opus = "m=audio 4000 RTP/AVP 96 13\r\na=rtpmap:96 opus/48000/2\r\n";
    let wide = "m=audio 4000 RTP/AVP 8 96\r\na=rtpmap:96 CN/16000\r\n";
    let dynamic = "m=audio 4000 RTP/AVP 9 96\r\na=rtpmap:96 CN/8000\r\n";
    for (media, expected) in [
        ("m=audio 4000 RTP/AVP 8 13\r\n", Some(13)),
        (dynamic, Some(96)),
        ("m=audio 4000 RTP/AVP 8\r\n", None),
        (wide, None),
        (opus, None),
    ] {
        for silence_suppression in [false, true] {
            let local = LocalMedia {
                silence_suppression,
                ..local()
            };
            let (answered, plan) = answer(&local, &read(media)).unwrap();
            let text = answered.to_string();
            assert_eq!(text.contains("CN/8000"), expected.is_some(), "{text}");
            // It is sent only by who wants to, and taken from everybody.
            let sent = expected.filter(|_| silence_suppression);
            assert_eq!(plan.comfort_noise_send, sent, "{media}");
            let taken = &plan.comfort_noise_receive;
            assert!(taken.contains(&13), "{taken:?}");
            assert!(expected.is_none_or(|it| taken.contains(&it)), "{taken:?}");
        }
    }
}

#[test]
fn what_the_far_end_asks_of_opus_reaches_the_plan() {
    let asked = "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n\
        a=fmtp:96 maxplaybackrate=8000; sprop-maxcapturerate=8000; cbr=1;stereo=1;minptime=40\r\n\
        a=ptime:20\r\n";
    let plan = answer(&local(), &read(asked)).unwrap().1;
    assert_eq!(
        plan.opus,
        OpusParameters {
            max_playback_rate: Some(8_000),
            constant_bitrate: true,
            ..OpusParameters::default()
        }
    );
    assert_eq!(plan.ptime_millis, 40, "minptime");
    let quiet = LocalMedia {
        silence_suppression: true,
        ..local()
    };
    let (answered, plan) = answer(&quiet, &read(asked)).unwrap();
    assert!(plan.opus.dtx && answered.to_string().contains("usedtx=1"));
    let forbidden = asked.replace("cbr=1", "usedtx=0");
    assert!(!answer(&quiet, &read(&forbidden)).unwrap().1.opus.dtx);
}

#[test]
fn the_packet_time_keeps_between_the_far_ends_bounds() {
    for (bounds, expected) in [
        ("a=ptime:30\r\n", 20),
        ("a=ptime:40\r\n", 40),
        ("a=ptime:60\r\na=maxptime:40\r\n", 40),
        ("a=maxptime:10\r\n", 10),
        ("a=fmtp:96 minptime=60\r\n", 60),
        ("a=fmtp:96 minptime=60\r\na=maxptime:20\r\n", 20),
        ("a=fmtp:96 minptime=30\r\n", 40),
        ("a=fmtp:96 minptime=10\r\n", 20),
        ("a=fmtp:96 minptime=4000000000\r\n", 60),
    ] {
        let media = format!("m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n{bounds}");
        let plan = answer(&local(), &read(&media)).unwrap().1;
        assert_eq!(plan.ptime_millis, expected, "{bounds}");
    }
}

#[test]
fn g722_is_written_with_the_clock_that_it_has_by_mistake() {
    let media = "m=audio 4000 RTP/AVP 9 101\r\na=rtpmap:101 telephone-event/8000\r\n";
    let (answered, plan) = answer(&local(), &read(media)).unwrap();
    assert!(answered.to_string().contains("a=rtpmap:9 G722/8000\r\n"));
    assert_eq!((plan.codec, plan.send_payload_type), (Codec::G722, 9));
    assert_eq!(plan.telephone_event_rate, 8_000);
    // Its true rate is another codec to whoever reads the RFC.
    let wrong = "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 G722/16000\r\n";
    assert!(answer(&local(), &read(wrong)).is_err());
}
