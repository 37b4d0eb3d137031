//! A session description: an offer, or an answer.

use ringdesk::sdp::{
    Codec, Direction, LocalMedia, LocalSrtp, SessionDescription, SrtpSeed, SrtpSuite, accept,
    answer, offer, offer_again,
};

/// What can be read is written so that it reads the same; our answer fits the offer.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(theirs) = SessionDescription::parse(bytes) else {
        return;
    };
    let written = theirs.to_string();
    let again = SessionDescription::parse(written.as_bytes()).expect("what we write can be read");
    assert_eq!(again.to_string(), written);
    for direction in [
        Direction::SendRecv,
        Direction::SendOnly,
        Direction::Inactive,
    ] {
        let local = local(direction);
        fits(&local, &theirs);
        let next = offer_again(&local, &theirs);
        assert!(next.media.len() >= theirs.media.len());
        for (ours, theirs) in next.media.iter().zip(&theirs.media) {
            assert_eq!(ours.kind, theirs.kind, "a stream keeps its place");
        }
        if let Ok(plan) = accept(&local, &theirs) {
            assert!(plan.send_payload_type < 128);
            assert!(plan.receive.iter().any(|(_, codec)| *codec == plan.codec));
            let types: Vec<u8> = plan.receive.iter().map(|(number, _)| *number).collect();
            let mut once = types.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), types.len(), "one meaning for each payload type");
        }
    }
}

fn fits(local: &LocalMedia, theirs: &SessionDescription) {
    let Ok((ours, plan)) = answer(local, theirs) else {
        return;
    };
    let read = SessionDescription::parse(ours.to_string().as_bytes()).expect("ours can be read");
    assert_eq!(read.media.len(), theirs.media.len(), "RFC 3264 section 6");
    let live: Vec<_> = read
        .media
        .iter()
        .zip(&theirs.media)
        .filter(|(ours, _)| ours.port != 0)
        .collect();
    for (ours, theirs) in read.media.iter().zip(&theirs.media) {
        assert_eq!(
            (&ours.kind, &ours.protocol),
            (&theirs.kind, &theirs.protocol)
        );
    }
    let [(audio, offered)] = live.as_slice() else {
        panic!("{} streams are taken", live.len());
    };
    assert!(offered.port != 0, "a refused stream stays refused");
    assert!(!audio.formats.is_empty());
    // By number: some write `00`.
    let number = |format: &String| format.parse::<u8>().ok();
    for format in &audio.formats {
        let is_it = |theirs: &String| number(theirs) == number(format);
        assert!(
            offered.formats.iter().any(is_it),
            "{format} was not offered"
        );
    }
    let (asked, given) = (theirs.direction_of(offered), read.direction_of(audio));
    assert!(asked.receives() || !given.sends(), "{asked:?}: {given:?}");
    assert!(asked.sends() || !given.receives(), "{asked:?}: {given:?}");
    assert_eq!(given, plan.direction);
    let tags: Vec<u32> = audio.crypto.iter().map(|line| line.tag).collect();
    assert_eq!(tags.len(), usize::from(plan.srtp.is_some()));
    assert!(
        tags.iter()
            .all(|tag| offered.crypto.iter().any(|line| line.tag == *tag))
    );
    assert!(plan.srtp.is_some() || !audio.protocol.to_ascii_uppercase().contains("SAVP"));
    assert!(local.codecs.contains(&plan.codec));
    assert!(audio.formats.contains(&plan.send_payload_type.to_string()));
    assert!(
        matches!(plan.ptime_millis, 10..=60),
        "{}",
        plan.ptime_millis
    );
}

fn local(direction: Direction) -> LocalMedia {
    let mut seed = SrtpSeed::new([1; 32]);
    let local = LocalMedia {
        session_id: 1,
        version: 1,
        address: [127, 0, 0, 1].into(),
        rtp_port: 4000,
        codecs: Codec::ALL.to_vec(),
        ptime_millis: 20,
        direction,
        srtp: LocalSrtp {
            offers: true,
            accepts: true,
            requires: direction == Direction::SendOnly,
            keys: SrtpSuite::ALL.map(|suite| seed.draw(suite)).into(),
            ..LocalSrtp::default()
        },
        silence_suppression: true,
        ice: None,
    };
    assert!(SessionDescription::parse(offer(&local).to_string().as_bytes()).is_ok());
    local
}
