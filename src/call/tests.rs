//! Two calls joined by a wire without a SIP layer: what one sends the other gets.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::call::{Action, Call, Edge, MediaPreferences, Phase, SipAction};
use crate::sdp::{Codec, Direction};
use crate::sip::{Body, EarlyMedia, EndedBy, Status};

const IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn preferences(codecs: &[Codec]) -> MediaPreferences {
    MediaPreferences {
        codecs: codecs.to_vec(),
        ptime_millis: 20,
        session_id: 7,
    }
}

/// Everything that a call wanted, with its sockets opened at once on the given port.
pub(super) fn drain(call: &mut Call, port: u16) -> Vec<Action> {
    let mut actions = Vec::new();
    while let Some(action) = call.poll_action() {
        if matches!(action, Action::OpenMedia(_)) {
            call.handle_media_opened(SocketAddr::new(IP, port));
        }
        actions.push(action);
    }
    actions
}

pub(super) fn sip(actions: &[Action]) -> Vec<&SipAction> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::Sip(action) => Some(action),
            Action::OpenMedia(_) | Action::Apply(_) | Action::Tell(_) => None,
        })
        .collect()
}

pub(super) fn edges(actions: &[Action]) -> Vec<&Edge> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::Tell(edge) => Some(edge),
            Action::OpenMedia(_) | Action::Apply(_) | Action::Sip(_) => None,
        })
        .collect()
}

fn text(body: &Body) -> String {
    String::from_utf8(body.bytes.clone()).unwrap()
}

fn offered(caller: &mut Call) -> Body {
    caller.handle_offer_needed(IP);
    let actions = drain(caller, 4000);
    match sip(&actions).as_slice() {
        [SipAction::Offer(body)] => body.clone(),
        other => panic!("{other:?}"),
    }
}

/// A talked call of two sides.
pub(super) fn connected() -> (Call, Call) {
    let mut caller = Call::outgoing(preferences(&[Codec::Opus, Codec::Pcma]));
    let offer = offered(&mut caller);
    let mut callee = Call::incoming(preferences(&[Codec::Pcma]), IP, Some(offer));
    callee.ring().unwrap();
    callee.answer().unwrap();
    let actions = drain(&mut callee, 5000);
    let Some(SipAction::Answer(answer)) = sip(&actions).last().copied() else {
        panic!("{actions:?}")
    };
    caller.handle_answered("", Some(answer));
    callee.handle_confirmed(None);
    drain(&mut caller, 0);
    drain(&mut callee, 0);
    (caller, callee)
}

#[test]
fn two_sides_agree_on_the_common_codec() {
    let mut caller = Call::outgoing(preferences(&[Codec::Opus, Codec::Pcma]));
    let offer = offered(&mut caller);
    let mut callee = Call::incoming(preferences(&[Codec::Pcma, Codec::Opus]), IP, Some(offer));
    callee.ring().unwrap();
    callee.answer().unwrap();
    let actions = drain(&mut callee, 5000);
    let plan = actions
        .iter()
        .find_map(|action| match action {
            Action::Apply(plan) => Some(plan),
            Action::OpenMedia(_) | Action::Sip(_) | Action::Tell(_) => None,
        })
        .unwrap();
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
    let pass = |from: &mut Call, to: &mut Call| {
        let actions = drain(from, 0);
        let [SipAction::Reinvite(offer)] = sip(&actions).as_slice() else {
            panic!("{actions:?}")
        };
        to.handle_reinvite("", Some(offer));
        let actions = drain(to, 0);
        let Some(SipAction::AnswerReinvite(status, answer)) = sip(&actions).first().copied() else {
            panic!("{actions:?}")
        };
        from.handle_reinvite_answered(status, answer.as_ref());
        drain(from, 0);
    };
    caller.set_hold(true).unwrap();
    pass(&mut caller, &mut callee);
    callee.set_hold(true).unwrap();
    pass(&mut callee, &mut caller);
    assert!(caller.held() && caller.held_by_remote());
    assert!(callee.held() && callee.held_by_remote());
    caller.set_hold(false).unwrap();
    pass(&mut caller, &mut callee);
    assert!(!caller.held() && caller.held_by_remote());
    assert!(callee.held() && !callee.held_by_remote());
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
    assert!(
        actions
            .iter()
            .any(|action| matches!(action, Action::Apply(_))),
        "{actions:?}"
    );
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
    assert!(
        !actions
            .iter()
            .any(|action| matches!(action, Action::Apply(_))),
        "nothing changed"
    );
}

#[test]
fn a_redirected_call_offers_again_from_a_new_path_and_forgets_who_rang() {
    let mut caller = Call::outgoing(preferences(&[Codec::Pcma]));
    let offer = offered(&mut caller);
    let answer = |offer: &Body, port: u16| {
        let mut callee = Call::incoming(preferences(&[Codec::Pcma]), IP, Some(offer.clone()));
        callee.ring_with_media().unwrap();
        let early = drain(&mut callee, port);
        match sip(&early).first().copied() {
            Some(SipAction::Ring(Some(body))) => body.clone(),
            other => panic!("{other:?}"),
        }
    };
    let status = Status::new(183, "Session Progress");
    let early = answer(&offer, 5000);
    caller.handle_progress("bob", &status, Some(&early), EarlyMedia::Allowed);
    drain(&mut caller, 0);
    caller.handle_redirected();
    caller.handle_offer_needed(IP);
    let actions = drain(&mut caller, 4002);
    let [SipAction::Offer(again)] = sip(&actions)[..] else {
        panic!("{actions:?}")
    };
    assert!(text(again).contains("m=audio 4002"), "{}", text(again));
    // The early answer of the first one is no answer of the second one.
    let late = answer(again, 5002);
    caller.handle_answered("carol", Some(&late));
    let actions = drain(&mut caller, 0);
    let plan = actions.iter().find_map(|action| match action {
        Action::Apply(plan) => plan.remote_rtp,
        Action::OpenMedia(_) | Action::Sip(_) | Action::Tell(_) => None,
    });
    assert_eq!(plan, Some(SocketAddr::new(IP, 5002)));
    assert_eq!(caller.phase(), Phase::Established);
    // A call that talks, or that was given up, goes nowhere.
    caller.handle_redirected();
    assert_eq!(caller.phase(), Phase::Established);
    caller.hang_up().unwrap();
    caller.handle_redirected();
    assert_eq!(caller.phase(), Phase::Ending);
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
    let plan = actions
        .iter()
        .find_map(|action| match action {
            Action::Apply(plan) => Some(plan),
            Action::OpenMedia(_) | Action::Sip(_) | Action::Tell(_) => None,
        })
        .unwrap();
    assert_eq!(plan.remote_rtp, None);
    assert_eq!(plan.direction, Direction::RecvOnly);
    assert!(edges(&actions).contains(&&Edge::Held { by_remote: true }));
}

/// It once waited for the next change, and the far end sent its sound to the old address.
#[test]
fn a_move_that_was_refused_is_offered_again_until_it_is_taken() {
    let (mut caller, _) = connected();
    caller.handle_moved(IpAddr::from([127, 0, 0, 2]));
    let actions = drain(&mut caller, 4100);
    assert!(matches!(sip(&actions).as_slice(), [SipAction::Reinvite(_)]));
    for told in [1, 0, 0] {
        caller.handle_reinvite_answered(&Status::new(488, "Not now"), None);
        let actions = drain(&mut caller, 0);
        let problems = edges(&actions)
            .into_iter()
            .filter(|edge| matches!(edge, Edge::Problem(_)));
        assert_eq!(problems.count(), told, "{actions:?}");
        caller.handle_change_possible();
        let actions = drain(&mut caller, 0);
        let [SipAction::Reinvite(offer)] = sip(&actions).as_slice() else {
            panic!("{actions:?}")
        };
        assert!(text(offer).contains("m=audio 4100 "), "{}", text(offer));
    }
}

/// The phone that answers had agreed on the old address; it was offered that one again.
#[test]
fn a_call_that_moves_while_it_rings_with_sound_is_moved_once_it_is_answered() {
    let origin_version = |body: &Body| {
        let text = text(body);
        let origin = text.lines().find(|line| line.starts_with("o=")).unwrap();
        origin.split(' ').nth(2).unwrap().to_owned()
    };
    for said_again in [false, true] {
        let mut caller = Call::outgoing(preferences(&[Codec::Pcma]));
        let offer = offered(&mut caller);
        let mut callee = Call::incoming(preferences(&[Codec::Pcma]), IP, Some(offer));
        callee.ring_with_media().unwrap();
        let actions = drain(&mut callee, 5000);
        let Some(SipAction::Ring(Some(early))) = sip(&actions).last().copied() else {
            panic!("{actions:?}")
        };
        let status = Status::new(183, "Session Progress");
        caller.handle_progress("fork", &status, Some(early), EarlyMedia::Unsaid);
        drain(&mut caller, 0);

        caller.handle_moved(IP);
        let actions = drain(&mut caller, 4100);
        let moved = SocketAddr::new(IP, 4100);
        assert!(edges(&actions).contains(&&Edge::Moved(moved)));
        assert!(sip(&actions).is_empty(), "too early to tell: {actions:?}");

        caller.handle_answered("fork", said_again.then_some(early));
        assert_eq!(caller.local_rtp(), Some(moved));
        let actions = drain(&mut caller, 0);
        let Some(SipAction::Reinvite(offer)) = sip(&actions).last().copied() else {
            panic!("the far end goes on sending to the old address: {actions:?}")
        };
        assert!(text(offer).contains("m=audio 4100 "), "{}", text(offer));
        assert_eq!(origin_version(offer), "2", "{}", text(offer));
    }
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
