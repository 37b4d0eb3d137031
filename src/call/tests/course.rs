//! A call from its offer to its end: offer and answer in each place that they may stand (RFC 3264),
//! ringing, early media, and what is refused in the wrong phase.

use std::net::SocketAddr;

use super::{IP, applied, connected, drain, edges, offered, preferences, sip};
use crate::call::{Action, Call, Edge, Phase, SipAction};
use crate::config::validate::CODECS;
use crate::sdp::Codec;
use crate::sip::{EarlyMedia, EndedBy, Status};

#[test]
fn each_codec_that_an_account_may_name_is_there_in_the_same_order() {
    let named = CODECS.map(|name| Codec::from_name(name).unwrap());
    assert_eq!(named, Codec::ALL);
}

#[test]
fn two_sides_agree_on_the_common_codec() {
    let mut caller = Call::outgoing(preferences(&[Codec::Opus, Codec::Pcma]));
    let offer = offered(&mut caller);
    let mut callee = Call::incoming(preferences(&[Codec::Pcma, Codec::Opus]), IP, Some(offer));
    callee.ring().unwrap();
    callee.answer().unwrap();
    let actions = drain(&mut callee, 5000);
    let plan = applied(&actions).unwrap();
    assert_eq!(plan.remote_rtp, Some(SocketAddr::new(IP, 4000)));
    assert!(edges(&actions).contains(&&Edge::Answered));
    let Some(SipAction::Answer(answer)) = sip(&actions).last().copied() else {
        panic!()
    };
    caller.handle_answered("", Some(answer));
    let actions = drain(&mut caller, 0);
    assert!(edges(&actions).contains(&&Edge::Answered));
    assert_eq!(caller.phase(), Phase::Established);
}

#[test]
fn an_offer_without_a_common_codec_is_refused_before_it_rings() {
    let mut caller = Call::outgoing(preferences(&[Codec::Opus]));
    let offer = offered(&mut caller);
    let mut callee = Call::incoming(preferences(&[Codec::Pcmu]), IP, Some(offer));
    let actions = drain(&mut callee, 5000);
    assert!(
        matches!(sip(&actions).as_slice(), [SipAction::Reject(status, _)] if status.code == 488),
        "{actions:?}"
    );
}

#[test]
fn a_late_offer_is_ours_and_answered_in_the_ack() {
    let mut callee = Call::incoming(preferences(&[Codec::Opus, Codec::Pcma]), IP, None);
    callee.ring().unwrap();
    callee.answer().unwrap();
    let actions = drain(&mut callee, 5000);
    let Some(SipAction::Answer(offer)) = sip(&actions).last().copied() else {
        panic!()
    };
    // A caller that answers our offer in its ACK.
    let mut caller = Call::incoming(preferences(&[Codec::Pcma]), IP, Some(offer.clone()));
    caller.ring().unwrap();
    caller.answer().unwrap();
    let actions = drain(&mut caller, 4000);
    let Some(SipAction::Answer(answer)) = sip(&actions).last().copied() else {
        panic!()
    };
    callee.handle_confirmed(Some(answer));
    let actions = drain(&mut callee, 0);
    assert!(applied(&actions).is_some(), "{actions:?}");
}

#[test]
fn an_ack_without_the_awaited_answer_ends_the_call_and_says_why() {
    let mut callee = Call::incoming(preferences(&[Codec::Opus]), IP, None);
    callee.ring().unwrap();
    callee.answer().unwrap();
    drain(&mut callee, 5000);
    callee.handle_confirmed(None);
    let actions = drain(&mut callee, 0);
    assert!(sip(&actions).contains(&&SipAction::HangUp));
    assert!(
        matches!(
            edges(&actions).as_slice(),
            [Edge::HungUp { problem: Some(_) }]
        ),
        "{actions:?}"
    );
    callee.handle_ended(EndedBy::Local, Status::new(200, "OK"), None);
    let actions = drain(&mut callee, 0);
    assert!(
        matches!(edges(&actions).as_slice(), [Edge::Ended { .. }]),
        "{actions:?}"
    );
}

#[test]
fn who_hangs_up_is_done_at_once_and_hears_nothing_more_of_the_call() {
    let (mut caller, mut callee) = connected();
    callee.set_hold(true).unwrap();
    let actions = drain(&mut callee, 0);
    let [SipAction::Reinvite(offer)] = sip(&actions).as_slice() else {
        panic!("{actions:?}")
    };
    caller.set_hold(true).unwrap();
    drain(&mut caller, 0);
    caller.hang_up().unwrap();
    let actions = drain(&mut caller, 0);
    assert_eq!(
        actions,
        [
            Action::Tell(Edge::HungUp { problem: None }),
            Action::Sip(SipAction::HangUp)
        ]
    );
    assert_eq!(caller.phase(), Phase::Ending);
    // The end of our own hold, and sound that comes late, change nothing any more.
    caller.handle_reinvite_answered(&Status::new(200, "OK"), Some(offer));
    caller.handle_answered("", Some(offer));
    let status = Status::new(183, "Session Progress");
    caller.handle_progress("", &status, Some(offer), EarlyMedia::Unsaid);
    assert_eq!(drain(&mut caller, 0), []);
    assert!(caller.hang_up().unwrap_err().to_string().contains("ending"));
    caller.handle_ended(EndedBy::Unreachable, Status::new(408, "silence"), None);
    assert_eq!(caller.phase(), Phase::Ended);
}

/// A server that rang and then failed left the ring-back tone on while nobody rang.
#[test]
fn the_ringing_is_over_with_the_last_phone_that_rang() {
    let mut caller = Call::outgoing(preferences(&[Codec::Pcma]));
    let _offer = offered(&mut caller);
    let ringing = Status::new(180, "Ringing");
    let over = Status::new(199, "Early Dialog Terminated");
    for (fork, status, told) in [
        ("a", &ringing, true),
        ("b", &ringing, true),
        ("a", &over, true),
        ("b", &over, false),
    ] {
        caller.handle_progress(fork, status, None, EarlyMedia::Unsaid);
        let actions = drain(&mut caller, 0);
        let rings = |action: &Action| matches!(action, Action::Tell(Edge::Ringing { .. }));
        assert_eq!(actions.iter().any(rings), told, "{fork} {status:?}");
        assert_eq!(actions.contains(&Action::Tell(Edge::RingingOver)), !told);
    }
}

#[test]
fn early_media_and_acceptance_carry_the_same_answer() {
    let mut caller = Call::outgoing(preferences(&[Codec::Pcma]));
    let offer = offered(&mut caller);
    let mut callee = Call::incoming(preferences(&[Codec::Pcma]), IP, Some(offer));
    callee.ring_with_media().unwrap();
    let early = drain(&mut callee, 5000);
    let Some(SipAction::Ring(Some(early_body))) = sip(&early).first().copied() else {
        panic!("{early:?}")
    };
    callee.answer().unwrap();
    let actions = drain(&mut callee, 0);
    let Some(SipAction::Answer(body)) = sip(&actions).first().copied() else {
        panic!()
    };
    assert_eq!(early_body, body);
    let status = Status::new(183, "Session Progress");
    caller.handle_progress("", &status, Some(early_body), EarlyMedia::Unsaid);
    let heard = drain(&mut caller, 0);
    assert!(heard.contains(&Action::Tell(Edge::Ringing {
        status: 183,
        early_media: true
    })));
    caller.handle_answered("", Some(body));
    let actions = drain(&mut caller, 0);
    assert!(applied(&actions).is_none(), "nothing changed");
}

#[test]
fn wishes_in_the_wrong_phase_are_refused_in_words() {
    let mut call = Call::outgoing(preferences(&[Codec::Opus]));
    assert!(
        call.answer()
            .unwrap_err()
            .to_string()
            .contains("being placed")
    );
    assert!(call.set_hold(true).is_err());
    call.handle_ended(EndedBy::Remote, Status::new(486, "Busy Here"), None);
    assert!(call.hang_up().unwrap_err().to_string().contains("over"));
}
