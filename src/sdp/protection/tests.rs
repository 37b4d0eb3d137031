//! Which keys two sides agree on, and what is refused.

use super::*;
use crate::sdp::srtp::SrtpSeed;
use crate::sdp::{
    Codec, Direction, LocalMedia, MediaPlan, SessionDescription, accept, answer, offer, offer_again,
};

const KEY: &str = "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

fn local(policy: &str, number: u8) -> LocalMedia {
    let mut seed = SrtpSeed::new([number; 32]);
    let keys = SrtpSuite::ALL.into_iter().map(|suite| seed.draw(suite));
    LocalMedia {
        session_id: 1,
        version: 1,
        address: [192, 0, 2, number].into(),
        rtp_port: 40_000,
        codecs: vec![Codec::Pcmu],
        ptime_millis: 20,
        direction: Direction::SendRecv,
        silence_suppression: false,
        srtp: LocalSrtp {
            offers: matches!(policy, "offers" | "required"),
            accepts: policy != "off",
            requires: policy == "required",
            keys: keys.collect(),
            ..LocalSrtp::default()
        },
    }
}

fn read(media: &str) -> SessionDescription {
    let text = format!("v=0\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n{media}");
    SessionDescription::parse(text.as_bytes()).unwrap()
}

fn agreed(ours: &LocalMedia, theirs: &LocalMedia) -> (SessionDescription, MediaPlan, MediaPlan) {
    let offered = offer(ours).to_string();
    let offered = SessionDescription::parse(offered.as_bytes()).unwrap();
    let (answered, their_plan) = answer(theirs, &offered).unwrap();
    let answered = SessionDescription::parse(answered.to_string().as_bytes()).unwrap();
    let our_plan = accept(ours, &answered).unwrap();
    (answered, our_plan, their_plan)
}

#[test]
fn both_sides_have_each_others_keys_and_the_profile_is_the_offers() {
    for (ours, theirs, protocol) in [
        ("required", "optional", "RTP/SAVP"),
        ("required", "required", "RTP/SAVP"),
        ("offers", "required", "RTP/AVP"),
        ("offers", "offers", "RTP/AVP"),
    ] {
        let (ours, theirs) = (local(ours, 1), local(theirs, 2));
        let (answered, our_plan, their_plan) = agreed(&ours, &theirs);
        let (a, b) = (our_plan.srtp.unwrap(), their_plan.srtp.unwrap());
        assert_eq!((&a.send, &a.receive), (&b.receive, &b.send));
        assert_ne!(a.send, a.receive);
        assert_eq!(
            a.send.suite(),
            SrtpSuite::AeadAes256Gcm,
            "the first offered"
        );
        assert_eq!(answered.media[0].protocol, protocol);
        assert_eq!(answered.media[0].crypto.len(), 1);
        assert_eq!(answered.media[0].crypto[0].tag, 1);
        // The next offer keeps the profile that was agreed.
        let again = offer_again(&ours, &answered);
        assert_eq!(again.media[0].protocol, protocol);
        assert_eq!(again.media[0].crypto.len(), 5);
    }
}

#[test]
fn without_keys_on_either_side_the_stream_is_plain() {
    for (ours, theirs) in [("offers", "off"), ("optional", "optional"), ("off", "off")] {
        let (answered, our_plan, their_plan) = agreed(&local(ours, 1), &local(theirs, 2));
        assert_eq!((our_plan.srtp, their_plan.srtp), (None, None));
        assert!(answered.media[0].crypto.is_empty());
        assert_eq!(answered.media[0].protocol, "RTP/AVP");
    }
}

#[test]
fn who_demands_protection_takes_nothing_else_and_says_so() {
    let ours = local("required", 1);
    let plain = read("m=audio 30000 RTP/AVP 0\r\n");
    assert_eq!(
        answer(&ours, &plain).unwrap_err(),
        NegotiationError::Unprotected
    );
    assert_eq!(
        accept(&ours, &plain).unwrap_err(),
        NegotiationError::Unprotected
    );
    let secure = read(&format!(
        "m=audio 30000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n"
    ));
    let refused = answer(&local("off", 1), &secure).unwrap_err();
    assert_eq!(
        refused,
        NegotiationError::Profile("SRTP (RTP/SAVP)".to_owned())
    );
    assert!(
        answer(&local("optional", 1), &secure)
            .unwrap()
            .1
            .srtp
            .is_some()
    );
}

#[test]
fn of_several_lines_the_first_that_we_have_is_taken_by_its_tag() {
    let offered = read(&format!(
        "m=audio 30000 RTP/SAVP 0\r\na=crypto:7 F8_128_HMAC_SHA1_80 {KEY}\r\n\
         a=crypto:8 AES_CM_128_HMAC_SHA1_80 {KEY} UNENCRYPTED_SRTP\r\n\
         a=crypto:9 AES_CM_128_HMAC_SHA1_32 {KEY}\r\n\
         a=crypto:10 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n"
    ));
    let (answered, plan) = answer(&local("optional", 1), &offered).unwrap();
    let line = &answered.media[0].crypto[0];
    assert_eq!(
        (line.tag, line.key.suite()),
        (9, SrtpSuite::Aes128CmHmacSha1_32)
    );
    let keys = plan.srtp.unwrap();
    assert_eq!(keys.send, line.key);
    assert_eq!(keys.receive, offered.media[0].crypto[0].key);
}

#[test]
fn keys_that_do_not_fit_are_no_protection() {
    let ours = local("required", 1);
    for (media, why) in [
        ("m=audio 30000 RTP/SAVP 0\r\n".to_owned(), "no key"),
        (
            format!("m=audio 30000 RTP/SAVP 0\r\na=crypto:1 F8_128_HMAC_SHA1_80 {KEY}\r\n"),
            "a suite that nobody has",
        ),
        (
            format!("m=audio 30000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n"),
            "the tag of another suite",
        ),
        (
            format!("m=audio 30000 RTP/SAVP 0\r\na=crypto:44 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n"),
            "a tag that was not offered",
        ),
    ] {
        let error = accept(&ours, &read(&media)).unwrap_err();
        assert_eq!(error, NegotiationError::NoCommonSuite, "{why}");
    }
    let fits = format!("m=audio 30000 RTP/SAVP 0\r\na=crypto:4 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n");
    assert!(accept(&ours, &read(&fits)).unwrap().srtp.is_some());
    // Keys that nobody asked for protect nothing.
    let plain = format!("m=audio 30000 RTP/AVP 0\r\na=crypto:4 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n");
    let plan = accept(&local("optional", 1), &read(&plain)).unwrap();
    assert_eq!(plan.srtp, None);
}

/// Some offer each stream twice, with and without keys.
#[test]
fn a_stream_with_keys_is_preferred_wherever_it_stands() {
    let secure =
        format!("m=audio 30000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n");
    let plain = "m=audio 30002 RTP/AVP 0\r\n";
    for (media, at) in [
        (format!("{secure}{plain}"), 0),
        (format!("{plain}{secure}"), 1),
    ] {
        let (answered, plan) = answer(&local("optional", 1), &read(&media)).unwrap();
        let ports: Vec<u16> = answered.media.iter().map(|media| media.port).collect();
        assert_eq!(ports.iter().position(|port| *port != 0), Some(at));
        assert!(plan.srtp.is_some());
        let (answered, plan) = answer(&local("off", 1), &read(&media)).unwrap();
        assert_eq!(answered.media[1 - at].port, 40_000);
        assert_eq!(plan.srtp, None);
    }
}
