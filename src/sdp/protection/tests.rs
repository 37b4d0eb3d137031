//! Which keys two sides agree on, and what is refused.

use super::*;
use crate::sdp::dtls::{DtlsRole, Fingerprint, FingerprintHash, Setup};
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
        ice: None,
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

const FINGERPRINT: &str = "sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:\
    00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";

/// A side with a certificate; `keying` says what its offers carry.
fn handshaker(policy: &str, number: u8, keying: Keying) -> LocalMedia {
    let mut local = local(policy, number);
    let fingerprint = Fingerprint::of(FingerprintHash::Sha256, &[number]);
    let role = None;
    local.srtp.dtls = Some(LocalDtls { fingerprint, role });
    local.srtp.keying = keying;
    if keying == Keying::Dtls {
        local.srtp.keys.clear();
    }
    local
}

#[test]
fn by_handshake_both_sides_have_each_others_fingerprints_and_one_begins() {
    for (ours, theirs, protocol) in [
        ("required", "optional", "UDP/TLS/RTP/SAVP"),
        ("required", "required", "UDP/TLS/RTP/SAVP"),
        ("offers", "optional", "RTP/AVP"),
        ("offers", "required", "RTP/AVP"),
    ] {
        let ours = handshaker(ours, 1, Keying::Dtls);
        let theirs = handshaker(theirs, 2, Keying::Sdes);
        let (answered, our_plan, their_plan) = agreed(&ours, &theirs);
        assert!(our_plan.is_protected() && their_plan.is_protected());
        assert_eq!((&our_plan.srtp, &their_plan.srtp), (&None, &None));
        let (a, b) = (our_plan.dtls.unwrap(), their_plan.dtls.unwrap());
        assert_eq!((a.role, b.role), (DtlsRole::Passive, DtlsRole::Active));
        assert!(a.trusts(&[2]) && b.trusts(&[1]));
        assert!(!a.trusts(&[1]) && !b.trusts(&[2]));
        let media = &answered.media[0];
        assert_eq!(media.protocol, protocol);
        assert!(media.crypto.is_empty());
        assert_eq!(media.dtls.setup, Some(Setup::Active));
        // The next offer leaves it open again, under the same profile.
        let again = offer_again(&ours, &answered);
        assert_eq!(again.media[0].protocol, protocol);
        assert_eq!(again.media[0].dtls.setup, Some(Setup::ActPass));
        assert_eq!(again.media[0].dtls.fingerprints.len(), 1);
    }
}

#[test]
fn a_fingerprint_of_the_session_counts_for_its_streams_and_weak_ones_never() {
    let ours = handshaker("optional", 1, Keying::Sdes);
    let offered = |attributes: &str| {
        let text = format!(
            "v=0\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n{attributes}m=audio 30000 UDP/TLS/RTP/SAVPF 0\r\n"
        );
        SessionDescription::parse(text.as_bytes()).unwrap()
    };
    let whole = offered(&format!(
        "a=fingerprint:{FINGERPRINT}\r\na=setup:passive\r\na=tls-id:abc3de65cddef001be82\r\n"
    ));
    let (answered, plan) = answer(&ours, &whole).unwrap();
    assert_eq!(answered.media[0].protocol, "UDP/TLS/RTP/SAVPF");
    let plan = plan.dtls.unwrap();
    assert_eq!(plan.role, DtlsRole::Active);
    assert_eq!(plan.fingerprints[0].to_string(), FINGERPRINT);
    assert_eq!(plan.tls_id.as_deref(), Some("abc3de65cddef001be82"));
    let sha1 =
        "a=fingerprint:sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\r\n";
    for attributes in ["", sha1, "a=setup:actpass\r\n"] {
        let refused = answer(&ours, &offered(attributes)).unwrap_err();
        assert_eq!(refused, NegotiationError::NoFingerprint);
    }
    let held = offered(&format!(
        "a=fingerprint:{FINGERPRINT}\r\na=setup:holdconn\r\n"
    ));
    assert_eq!(
        answer(&ours, &held).unwrap_err(),
        NegotiationError::NoFingerprint
    );
    for policy in ["off", "optional"] {
        let refused = answer(&local(policy, 1), &whole).unwrap_err();
        let profile = "DTLS-SRTP (UDP/TLS/RTP/SAVPF)".to_owned();
        assert_eq!(refused, NegotiationError::Profile(profile));
    }
}

#[test]
fn who_demands_a_handshake_takes_no_answer_without_one() {
    let ours = handshaker("required", 1, Keying::Dtls);
    for (media, error) in [
        (
            "m=audio 30000 RTP/AVP 0\r\n".to_owned(),
            NegotiationError::Unprotected,
        ),
        (
            format!("m=audio 30000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n"),
            NegotiationError::NoCommonSuite,
        ),
        (
            "m=audio 30000 UDP/TLS/RTP/SAVP 0\r\na=setup:active\r\n".to_owned(),
            NegotiationError::NoFingerprint,
        ),
    ] {
        assert_eq!(accept(&ours, &read(&media)).unwrap_err(), error);
    }
    // A fingerprint that nobody asked for protects nothing.
    let unasked = format!("m=audio 30000 RTP/AVP 0\r\na=fingerprint:{FINGERPRINT}\r\n");
    let plan = accept(&handshaker("optional", 1, Keying::Dtls), &read(&unasked)).unwrap();
    assert!(!plan.is_protected());
}

/// RFC 8643 section 3: a plain profile with both.
#[test]
fn of_both_ways_the_profile_says_which_and_under_the_plain_one_it_is_the_handshake() {
    let ours = handshaker("optional", 1, Keying::Sdes);
    let both = |profile: &str| {
        read(&format!(
            "m=audio 30000 {profile} 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n\
             a=fingerprint:{FINGERPRINT}\r\na=setup:actpass\r\n"
        ))
    };
    for (profile, handshake) in [
        ("RTP/AVP", true),
        ("RTP/SAVP", false),
        ("UDP/TLS/RTP/SAVP", true),
    ] {
        let (answered, plan) = answer(&ours, &both(profile)).unwrap();
        assert_eq!(plan.dtls.is_some(), handshake, "{profile}");
        assert_eq!(plan.srtp.is_some(), !handshake, "{profile}");
        let media = &answered.media[0];
        assert_eq!(media.crypto.is_empty(), handshake);
        assert_eq!(media.dtls.fingerprints.is_empty(), !handshake);
    }
}
