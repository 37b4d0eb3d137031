//! A call whose sound goes another way: our address changes, or the call is sent on to somebody else.

use std::net::{IpAddr, SocketAddr};

use super::{IP, applied, connected, drain, edges, offered, preferences, sip, text};
use crate::call::{Call, Edge, Phase, SipAction};
use crate::sdp::Codec;
use crate::sip::{Body, EarlyMedia, Status};

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
    let plan = applied(&actions).unwrap();
    assert_eq!(plan.remote_rtp, Some(SocketAddr::new(IP, 5002)));
    assert_eq!(caller.phase(), Phase::Established);
    // A call that talks, or that was given up, goes nowhere.
    caller.handle_redirected();
    assert_eq!(caller.phase(), Phase::Established);
    caller.hang_up().unwrap();
    caller.handle_redirected();
    assert_eq!(caller.phase(), Phase::Ending);
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

#[test]
fn a_new_way_of_the_sound_is_asked_for_once_whatever_the_answer() {
    let (mut caller, _) = connected();
    caller.renew();
    let actions = drain(&mut caller, 0);
    let [SipAction::Reinvite(offer)] = sip(&actions).as_slice() else {
        panic!("{actions:?}")
    };
    assert!(text(offer).contains("a=sendrecv"), "{}", text(offer));
    caller.renew();
    assert!(drain(&mut caller, 0).is_empty(), "one is under way");
    caller.handle_reinvite_answered(&Status::new(488, "Not now"), None);
    caller.handle_change_possible();
    let actions = drain(&mut caller, 0);
    assert!(sip(&actions).is_empty(), "{actions:?}");
    assert!(!caller.held());
}
