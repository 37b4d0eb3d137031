//! Calls whose sound is encrypted (SDES, RFC 4568; DTLS-SRTP, RFC 5763): who insists, and which keys are
//! used.

use std::net::{IpAddr, Ipv4Addr};

use super::{drain, edges, sip};
use crate::call::{Action, Call, Edge, MediaPreferences, SipAction, SrtpPreferences};
use crate::sdp::{Codec, DtlsRole, Fingerprint, FingerprintHash, MediaPlan, SrtpSeed, SrtpSuite};
use crate::sip::{Body, Status};

const IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(super) fn preferences(offers: bool, requires: bool, number: u8) -> MediaPreferences {
    MediaPreferences {
        codecs: vec![Codec::Pcmu],
        ptime_millis: 20,
        silence_suppression: false,
        session_id: 7,
        srtp: SrtpPreferences {
            offers,
            accepts: true,
            requires,
            sdes: true,
            fingerprint: None,
            seed: SrtpSeed::new([number; 32]),
        },
        ice: None,
    }
}

pub(super) fn plan(actions: &[Action]) -> Option<&MediaPlan> {
    actions.iter().rev().find_map(|action| match action {
        Action::Apply(plan) => Some(&**plan),
        Action::OpenMedia(_) | Action::ExpectHandshake | Action::Sip(_) | Action::Tell(_) => None,
    })
}

pub(super) fn offered(caller: &mut Call) -> Body {
    caller.handle_offer_needed(IP);
    let actions = drain(caller, 4000);
    match sip(&actions).as_slice() {
        [SipAction::Offer(body)] => body.clone(),
        other => panic!("{other:?}"),
    }
}

fn answered(callee: &mut Call) -> (Body, MediaPlan) {
    callee.ring().unwrap();
    callee.answer().unwrap();
    let actions = drain(callee, 5000);
    let Some(SipAction::Answer(answer)) = sip(&actions).last().copied() else {
        panic!("{actions:?}")
    };
    (answer.clone(), plan(&actions).unwrap().clone())
}

/// An answer or offer with other lines in it.
pub(super) fn with(body: &Body, change: impl Fn(&str) -> String) -> Body {
    let text = String::from_utf8(body.bytes.clone()).unwrap();
    Body::sdp(change(&text))
}

fn without_keys(text: &str) -> String {
    let lines = text.split_inclusive("\r\n");
    let plain = lines.filter(|line| !line.starts_with("a=crypto"));
    plain.collect::<String>().replace("RTP/SAVP", "RTP/AVP")
}

/// Nothing is sent, and the call ends with a sentence.
#[test]
fn an_answer_in_the_clear_ends_a_call_that_must_be_encrypted() {
    let mut caller = Call::outgoing(preferences(true, true, 1));
    let offer = offered(&mut caller);
    let mut callee = Call::incoming(preferences(false, false, 2), IP, Some(offer));
    let (answer, _) = answered(&mut callee);
    caller.handle_answered("", Some(&with(&answer, without_keys)));
    let actions = drain(&mut caller, 0);
    assert_eq!(plan(&actions), None, "no sound goes anywhere");
    assert!(sip(&actions).contains(&&SipAction::HangUp), "{actions:?}");
    let told = edges(&actions);
    let problem = told.iter().find_map(|edge| match edge {
        Edge::HungUp { problem } => problem.as_deref(),
        _ => None,
    });
    assert!(
        problem.unwrap().contains("demands encrypted sound"),
        "{told:?}"
    );
}

#[test]
fn an_offer_in_the_clear_is_refused_before_it_rings() {
    let mut caller = Call::outgoing(preferences(false, false, 1));
    let offer = offered(&mut caller);
    let mut callee = Call::incoming(preferences(true, true, 2), IP, Some(offer));
    let actions = drain(&mut callee, 5000);
    assert!(
        matches!(sip(&actions).as_slice(), [SipAction::Reject(status, _)] if status.code == 488),
        "{actions:?}"
    );
}

fn talking() -> (Call, MediaPlan, Call, MediaPlan) {
    let mut caller = Call::outgoing(preferences(true, false, 1));
    let offer = offered(&mut caller);
    let mut callee = Call::incoming(preferences(false, false, 2), IP, Some(offer));
    let (answer, theirs) = answered(&mut callee);
    caller.handle_answered("", Some(&answer));
    callee.handle_confirmed(None);
    let actions = drain(&mut caller, 0);
    let ours = plan(&actions).unwrap().clone();
    drain(&mut callee, 0);
    (caller, ours, callee, theirs)
}

/// One side changes the call; the answer, and the plans of both.
fn change(from: &mut Call, to: &mut Call, by: impl Fn(&str) -> String) -> [MediaPlan; 2] {
    let actions = drain(from, 0);
    let [SipAction::Reinvite(offer)] = sip(&actions).as_slice() else {
        panic!("{actions:?}")
    };
    to.handle_reinvite("", Some(&with(offer, by)));
    let theirs = drain(to, 0);
    let Some(SipAction::AnswerReinvite(status, Some(answer))) = sip(&theirs).last().copied() else {
        panic!("{theirs:?}")
    };
    from.handle_reinvite_answered(status, Some(answer));
    let ours = drain(from, 0);
    [&ours, &theirs].map(|actions| plan(actions).unwrap().clone())
}

#[test]
fn a_hold_keeps_the_keys_whoever_asks_for_it() {
    let (mut caller, ours, mut callee, theirs) = talking();
    assert!(ours.srtp.is_some());
    caller.set_hold(true).unwrap();
    let [held, their_held] = change(&mut caller, &mut callee, str::to_owned);
    assert_eq!((&held.srtp, &their_held.srtp), (&ours.srtp, &theirs.srtp));
    // The one who did not offer keys at first does so now.
    callee.set_hold(true).unwrap();
    let [their_held, held] = change(&mut callee, &mut caller, str::to_owned);
    assert_eq!((&held.srtp, &their_held.srtp), (&ours.srtp, &theirs.srtp));
}

#[test]
fn a_key_that_was_left_is_never_used_again() {
    let (mut caller, ours, mut callee, _) = talking();
    let best = ours.srtp.unwrap();
    assert_eq!(best.send.suite(), SrtpSuite::AeadAes256Gcm);
    let mut used = vec![best.send];
    // The far end wants the other suite, the first again, and so on.
    for (round, wanted) in (0_u8..6).zip(["a=crypto:4", "a=crypto:1"].into_iter().cycle()) {
        callee.set_hold(round % 2 == 0).unwrap();
        let only = |text: &str| {
            let lines = text.split_inclusive("\r\n");
            let kept = lines.filter(|l| !l.starts_with("a=crypto") || l.starts_with(wanted));
            kept.collect()
        };
        let [_, ours] = change(&mut callee, &mut caller, only);
        let send = ours.srtp.unwrap().send;
        assert!(!used.contains(&send), "round {round}");
        used.push(send);
    }
}

/// Whoever had rung could decrypt what the next one was told.
#[test]
fn a_redirected_call_offers_other_keys_each_time() {
    let mut caller = Call::outgoing(preferences(true, true, 1));
    let mut keys: Vec<String> = Vec::new();
    for _ in 0..3 {
        let offer = offered(&mut caller);
        let text = String::from_utf8(offer.bytes).unwrap();
        let lines = text.lines().filter(|line| line.starts_with("a=crypto"));
        let inline = lines.filter_map(|line| line.split_once("inline:"));
        let fresh: Vec<String> = inline.map(|(_, key)| key.to_owned()).collect();
        assert!(fresh.len() >= 4, "{text}");
        assert!(fresh.iter().all(|key| !keys.contains(key)), "{text}");
        keys.extend(fresh);
        caller.handle_redirected();
    }
}

#[test]
fn a_far_end_that_gives_encryption_up_is_not_asked_for_it_again() {
    let (mut caller, _, mut callee, _) = talking();
    callee.set_hold(true).unwrap();
    let [_, plain] = change(&mut callee, &mut caller, without_keys);
    assert_eq!(plain.srtp, None);
    caller.set_hold(true).unwrap();
    let actions = drain(&mut caller, 0);
    let [SipAction::Reinvite(offer)] = sip(&actions).as_slice() else {
        panic!("{actions:?}")
    };
    assert!(!String::from_utf8_lossy(&offer.bytes).contains("a=crypto"));
    // Where it must be there it is refused, and the call goes on as it was.
    let mut caller = Call::outgoing(preferences(true, true, 1));
    let offer = offered(&mut caller);
    let mut callee = Call::incoming(preferences(false, false, 2), IP, Some(offer));
    let (answer, _) = answered(&mut callee);
    caller.handle_answered("", Some(&answer));
    drain(&mut caller, 0);
    caller.handle_reinvite("", Some(&with(&answer, without_keys)));
    let actions = drain(&mut caller, 0);
    let refused = |action: &&SipAction| {
        matches!(
            action,
            SipAction::AnswerReinvite(Status { code: 488, .. }, _)
        )
    };
    assert!(sip(&actions).iter().any(refused), "{actions:?}");
    assert_eq!(plan(&actions), None);
}

/// Who has a certificate; `sdes` says whether keys in the descriptions do as well.
pub(super) fn with_certificate(requires: bool, sdes: bool, number: u8) -> MediaPreferences {
    let mut preferences = preferences(requires, requires, number);
    preferences.srtp.sdes = sdes;
    let fingerprint = Fingerprint::of(FingerprintHash::Sha256, &[number]);
    preferences.srtp.fingerprint = Some(fingerprint);
    preferences
}

/// The far end may begin before it answers (RFC 5763 section 6.6).
#[test]
fn who_offers_a_handshake_lets_it_begin_before_the_answer() {
    for (sdes, expects) in [(false, true), (true, false)] {
        let mut caller = Call::outgoing(with_certificate(true, sdes, 1));
        caller.handle_offer_needed(IP);
        let actions = drain(&mut caller, 4000);
        let expected = actions.contains(&Action::ExpectHandshake);
        assert_eq!(expected, expects, "{actions:?}");
    }
    // An INVITE without an offer asks the callee for it.
    let mut callee = Call::incoming(with_certificate(true, false, 2), IP, None);
    callee.ring().unwrap();
    callee.answer().unwrap();
    assert!(drain(&mut callee, 5000).contains(&Action::ExpectHandshake));
}

#[test]
fn a_hold_keeps_the_handshake_whoever_asks_for_it() {
    let mut caller = Call::outgoing(with_certificate(true, false, 1));
    let offer = offered(&mut caller);
    // It would offer SDES itself, and goes on with what was agreed.
    let callee = with_certificate(false, true, 2);
    let mut callee = Call::incoming(callee, IP, Some(offer));
    let (answer, theirs) = answered(&mut callee);
    caller.handle_answered("", Some(&answer));
    callee.handle_confirmed(None);
    let actions = drain(&mut caller, 0);
    let ours = plan(&actions).unwrap().clone();
    drain(&mut callee, 0);
    assert_eq!(ours.dtls.as_ref().unwrap().role, DtlsRole::Passive);
    caller.set_hold(true).unwrap();
    let [held, their_held] = change(&mut caller, &mut callee, str::to_owned);
    assert_eq!((&held.dtls, &their_held.dtls), (&ours.dtls, &theirs.dtls));
    callee.set_hold(true).unwrap();
    let [their_held, held] = change(&mut callee, &mut caller, str::to_owned);
    assert_eq!((&held.dtls, &their_held.dtls), (&ours.dtls, &theirs.dtls));
}

/// Nothing can be sent or heard, so nobody waits for it.
#[test]
fn a_call_whose_keys_do_not_come_ends_with_the_cause() {
    let mut caller = Call::outgoing(with_certificate(true, false, 1));
    let offer = offered(&mut caller);
    let mut callee = Call::incoming(with_certificate(false, true, 2), IP, Some(offer));
    let (answer, _) = answered(&mut callee);
    caller.handle_answered("", Some(&answer));
    drain(&mut caller, 0);
    callee.handle_confirmed(None);
    drain(&mut callee, 0);
    for call in [&mut caller, &mut callee] {
        call.handle_no_sound("no keys");
        let actions = drain(call, 0);
        assert!(sip(&actions).contains(&&SipAction::HangUp), "{actions:?}");
        let cause = Some("no keys".to_owned());
        assert!(edges(&actions).contains(&&Edge::HungUp { problem: cause }));
        call.handle_no_sound("no keys");
        assert_eq!(drain(call, 0), []);
    }
}
