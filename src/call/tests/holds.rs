//! Holding and resuming, by either side or both, as RFC 3264 says it and as older phones do (section
//! 8.4).

use super::{IP, applied, connected, drain, edges, offered, preferences, sip, text};
use crate::call::{Action, Call, Edge, SipAction};
use crate::sdp::{Codec, Direction};
use crate::sip::{Body, Status};

#[test]
fn holding_and_resuming_follow_the_far_ends_agreement() {
    let (mut caller, mut callee) = connected();
    for (hold, direction) in [(true, "a=sendonly"), (false, "a=sendrecv")] {
        caller.set_hold(hold).unwrap();
        let actions = drain(&mut caller, 0);
        let [SipAction::Reinvite(offer)] = sip(&actions).as_slice() else {
            panic!("{actions:?}")
        };
        let offer = (*offer).clone();
        assert!(
            text(&offer).contains(direction) || !hold,
            "{}",
            text(&offer)
        );
        assert_ne!(
            caller.held(),
            hold,
            "it is held only when the far end agreed"
        );
        callee.handle_reinvite("", Some(&offer));
        let actions = drain(&mut callee, 0);
        assert_eq!(callee.held_by_remote(), hold);
        let Some(SipAction::AnswerReinvite(status, Some(answer))) = sip(&actions).first().copied()
        else {
            panic!("{actions:?}")
        };
        caller.handle_reinvite_answered(status, Some(answer));
        let actions = drain(&mut caller, 0);
        assert_eq!(caller.held(), hold);
        let told = if hold {
            Edge::Held { by_remote: false }
        } else {
            Edge::Resumed
        };
        assert!(edges(&actions).contains(&&told), "{actions:?}");
    }
}

#[test]
fn a_resume_is_not_repeated_for_a_far_end_that_still_holds() {
    // Phones of the old school hold with `inactive` whatever they are offered.
    for word in ["inactive", "sendonly"] {
        let (mut caller, mut callee) = connected();
        callee.set_hold(true).unwrap();
        let actions = drain(&mut callee, 0);
        let Some(SipAction::Reinvite(offer)) = sip(&actions).first().copied() else {
            panic!("{actions:?}")
        };
        let offer = Body::sdp(text(offer).replace("sendonly", word));
        caller.handle_reinvite("", Some(&offer));
        drain(&mut caller, 0);
        assert!(caller.held_by_remote() && !caller.held());
        for hold in [true, false] {
            caller.set_hold(hold).unwrap();
            let actions = drain(&mut caller, 0);
            let Some(SipAction::Reinvite(ours)) = sip(&actions).first().copied() else {
                panic!("{actions:?}")
            };
            callee.handle_reinvite("", Some(ours));
            let actions = drain(&mut callee, 0);
            let Some(SipAction::AnswerReinvite(status, Some(answer))) =
                sip(&actions).first().copied()
            else {
                panic!("{actions:?}")
            };
            let answer = Body::sdp(text(answer).replace("sendonly", word));
            caller.handle_reinvite_answered(status, Some(&answer));
            let actions = drain(&mut caller, 0);
            assert!(sip(&actions).is_empty(), "{word} {hold}: {actions:?}");
            assert_eq!((caller.held(), caller.held_by_remote()), (hold, true));
        }
    }
}

#[test]
fn a_change_of_mind_while_a_hold_is_on_its_way_is_carried_out_after_it() {
    let (mut caller, mut callee) = connected();
    caller.set_hold(true).unwrap();
    let actions = drain(&mut caller, 0);
    let [SipAction::Reinvite(offer)] = sip(&actions).as_slice() else {
        panic!()
    };
    let offer = (*offer).clone();
    caller.set_hold(false).unwrap();
    assert!(drain(&mut caller, 0).is_empty(), "one change at a time");
    callee.handle_reinvite("", Some(&offer));
    let actions = drain(&mut callee, 0);
    let Some(SipAction::AnswerReinvite(status, answer)) = sip(&actions).first().copied() else {
        panic!()
    };
    caller.handle_reinvite_answered(status, answer.as_ref());
    let actions = drain(&mut caller, 0);
    assert!(
        matches!(sip(&actions).as_slice(), [SipAction::Reinvite(_)]),
        "{actions:?}"
    );
}

#[test]
fn a_hold_keeps_the_place_of_a_picture_that_was_refused() {
    let mut caller = Call::outgoing(preferences(&[Codec::Pcma]));
    let offer =
        text(&offered(&mut caller)) + "m=video 6000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n";
    let mut callee = Call::incoming(preferences(&[Codec::Pcma]), IP, Some(Body::sdp(offer)));
    callee.ring().unwrap();
    callee.answer().unwrap();
    drain(&mut callee, 5000);
    callee.handle_confirmed(None);
    callee.set_hold(true).unwrap();
    let actions = drain(&mut callee, 0);
    let [SipAction::Reinvite(again)] = sip(&actions).as_slice() else {
        panic!("{actions:?}")
    };
    let again = text(again);
    let streams: Vec<&str> = again
        .lines()
        .filter(|line| line.starts_with("m="))
        .collect();
    assert_eq!(streams.len(), 2, "{again}");
    assert!(streams[0].starts_with("m=audio 5000 "), "{again}");
    assert!(streams[1].starts_with("m=video 0 "), "{again}");
}

#[test]
fn a_refused_hold_leaves_the_call_as_it_was() {
    let (mut caller, _) = connected();
    caller.set_hold(true).unwrap();
    drain(&mut caller, 0);
    caller.handle_reinvite_answered(&Status::new(488, "Not Acceptable Here"), None);
    let actions = drain(&mut caller, 0);
    assert!(!caller.held());
    assert!(matches!(edges(&actions).as_slice(), [Edge::Problem(_)]));
    assert!(sip(&actions).is_empty(), "it does not insist");
}

#[test]
fn both_sides_may_hold_at_once() {
    let (mut caller, mut callee) = connected();
    change(&mut caller, &mut callee, true);
    change(&mut callee, &mut caller, true);
    assert!(caller.held() && caller.held_by_remote());
    assert!(callee.held() && callee.held_by_remote());
    change(&mut caller, &mut callee, false);
    assert!(!caller.held() && caller.held_by_remote());
    assert!(callee.held() && !callee.held_by_remote());
}

#[test]
fn the_old_hold_by_a_zero_address_stops_our_sound() {
    let (mut caller, mut callee) = connected();
    caller.set_hold(true).unwrap();
    let actions = drain(&mut caller, 0);
    let [SipAction::Reinvite(offer)] = sip(&actions).as_slice() else {
        panic!()
    };
    let old = text(offer)
        .replace("127.0.0.1", "0.0.0.0")
        .replace("a=sendonly\r\n", "");
    callee.handle_reinvite("", Some(&Body::sdp(old)));
    let actions = drain(&mut callee, 0);
    let plan = applied(&actions).unwrap();
    assert_eq!(plan.remote_rtp, None);
    assert_eq!(plan.direction, Direction::RecvOnly);
    assert!(edges(&actions).contains(&&Edge::Held { by_remote: true }));
}

/// Who resumed was told to be talking, although the other side still held.
#[test]
fn a_call_that_both_hold_is_resumed_only_when_both_have_let_go() {
    for caller_first in [true, false] {
        let (mut caller, mut callee) = connected();
        change(&mut caller, &mut callee, true);
        let (held, holder) = change(&mut callee, &mut caller, true);
        assert!(caller.held() && caller.held_by_remote(), "{held:?}");
        assert!(callee.held() && callee.held_by_remote(), "{holder:?}");
        let (first, second) = if caller_first {
            (&mut caller, &mut callee)
        } else {
            (&mut callee, &mut caller)
        };
        let (mine, theirs) = change(first, second, false);
        assert_eq!(
            mine,
            [Edge::Held { by_remote: true }],
            "who let go is still held"
        );
        assert_eq!(
            theirs,
            [Edge::Held { by_remote: false }],
            "who is let go still holds"
        );
        let (mine, theirs) = change(second, first, false);
        assert_eq!((mine, theirs), (vec![Edge::Resumed], vec![Edge::Resumed]));
    }
}

/// One side holds or resumes, the other agrees; what each is told of holding.
fn change(from: &mut Call, to: &mut Call, hold: bool) -> (Vec<Edge>, Vec<Edge>) {
    let told = |actions: &[Action]| {
        let edges = edges(actions).into_iter().cloned();
        edges
            .filter(|edge| matches!(edge, Edge::Held { .. } | Edge::Resumed))
            .collect()
    };
    from.set_hold(hold).unwrap();
    let actions = drain(from, 0);
    let [SipAction::Reinvite(offer)] = sip(&actions).as_slice() else {
        panic!("{actions:?}")
    };
    to.handle_reinvite("", Some(offer));
    let theirs = drain(to, 0);
    let Some(SipAction::AnswerReinvite(status, Some(answer))) = sip(&theirs).last().copied() else {
        panic!("{theirs:?}")
    };
    from.handle_reinvite_answered(status, Some(answer));
    let mine = drain(from, 0);
    (told(&mine), told(&theirs))
}
