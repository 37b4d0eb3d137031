//! ICE in offer and answer of calls: agreed, restarted, settled.

use std::net::SocketAddr;

use super::{IP, applied, drain, sip, text};
use crate::call::{Action, Call, MediaPreferences, SipAction};
use crate::sdp::ice::{RTP, Settled};
use crate::sdp::{Candidate, Codec, IcePlan, IceSeed};
use crate::sip::{Body, EarlyMedia, Status};

fn preferences(number: u8) -> MediaPreferences {
    MediaPreferences {
        ice: Some(IceSeed::new([number; 32])),
        ..super::preferences(&[Codec::Pcmu])
    }
}

fn rtp(port: u16) -> SocketAddr {
    SocketAddr::new(IP, port)
}

/// Everything that a call wants, with its sockets bound and its candidates gathered at once.
fn gathered(call: &mut Call, port: u16) -> Vec<Action> {
    let mut actions = Vec::new();
    while let Some(action) = call.poll_action() {
        if matches!(action, Action::OpenMedia(_)) {
            assert!(call.credentials().is_some());
            let line = format!("1 1 UDP 2130706431 {IP} {port} typ host");
            let candidate = Candidate::parse(&line).unwrap();
            call.handle_gathered(rtp(port), vec![candidate]);
        }
        actions.push(action);
    }
    actions
}

fn sent(actions: &[Action]) -> Body {
    let body = sip(actions).into_iter().find_map(|action| match action {
        SipAction::Offer(body) | SipAction::Answer(body) | SipAction::Reinvite(body) => Some(body),
        SipAction::AnswerReinvite(_, body) => body.as_ref(),
        _ => None,
    });
    body.unwrap().clone()
}

fn ice(actions: &[Action]) -> IcePlan {
    applied(actions).unwrap().ice.clone().unwrap()
}

/// A caller and an answerer whose call stands; with their plans.
fn talking() -> ([Call; 2], [IcePlan; 2]) {
    let mut caller = Call::outgoing(preferences(1));
    caller.handle_offer_needed(IP);
    let offer = sent(&gathered(&mut caller, 4000));
    let mut answerer = Call::incoming(preferences(2), IP, Some(offer));
    answerer.answer().unwrap();
    let actions = gathered(&mut answerer, 5000);
    let (answer, theirs) = (sent(&actions), ice(&actions));
    answerer.handle_confirmed(None);
    caller.handle_progress("a", &Status::new(180, "Ringing"), None, EarlyMedia::Unsaid);
    caller.handle_answered("a", Some(&answer));
    let ours = ice(&gathered(&mut caller, 4000));
    ([caller, answerer], [ours, theirs])
}

#[test]
fn a_call_waits_for_its_candidates_and_both_sides_agree() {
    let (_, [ours, theirs]) = talking();
    assert_eq!((&ours.local, &ours.remote), (&theirs.remote, &theirs.local));
    assert_eq!((ours.controlling, theirs.controlling), (true, false));
    assert_eq!(ours.candidates[0].address, rtp(5000));
    assert_eq!(theirs.candidates[0].address, rtp(4000));
}

#[test]
fn a_hold_keeps_the_session_of_ice() {
    let ([mut caller, mut answerer], [ours, _]) = talking();
    caller.set_hold(true).unwrap();
    let offer = sent(&gathered(&mut caller, 4000));
    answerer.handle_reinvite("a", Some(&offer));
    let answer = sent(&gathered(&mut answerer, 5000));
    caller.handle_reinvite_answered(&Status::new(200, "OK"), Some(&answer));
    assert_eq!(ice(&gathered(&mut caller, 4000)), ours);
}

#[test]
fn a_move_begins_ice_anew_on_both_sides() {
    let ([mut caller, mut answerer], [before, _]) = talking();
    answerer.handle_moved(IP);
    let offer = sent(&gathered(&mut answerer, 6000));
    caller.handle_reinvite("a", Some(&offer));
    let actions = gathered(&mut caller, 4000);
    let after = ice(&actions);
    assert_ne!(after.local, before.local);
    assert_ne!(after.remote, before.remote);
    assert!(!after.controlling, "who restarts decides");
    assert_eq!(after.candidates[0].address, rtp(6000));
    answerer.handle_reinvite_answered(&Status::new(200, "OK"), Some(&sent(&actions)));
    let theirs = ice(&gathered(&mut answerer, 6000));
    assert_eq!((&theirs.local, theirs.controlling), (&after.remote, true));
}

#[test]
fn a_pair_that_the_connection_lines_do_not_say_is_told_by_who_decides() {
    let ([mut caller, mut answerer], _) = talking();
    let pair = |local, remote| {
        let component = RTP;
        vec![Settled {
            component,
            local,
            remote,
        }]
    };
    caller.handle_settled(pair(rtp(4000), rtp(5000)));
    assert!(sip(&gathered(&mut caller, 4000)).is_empty(), "all is said");
    let elsewhere = SocketAddr::from(([198, 51, 100, 1], 40_000));
    answerer.handle_settled(pair(rtp(5000), elsewhere));
    assert!(
        sip(&gathered(&mut answerer, 5000)).is_empty(),
        "it does not decide"
    );
    caller.handle_settled(pair(elsewhere, rtp(5000)));
    let told = text(&sent(&gathered(&mut caller, 4000)));
    assert!(told.contains("c=IN IP4 198.51.100.1\r\n"), "{told}");
    assert!(told.contains("a=remote-candidates:1 "), "{told}");
}

#[test]
fn a_far_end_without_ice_gets_no_more_of_it() {
    let mut caller = Call::outgoing(preferences(1));
    caller.handle_offer_needed(IP);
    let offer = sent(&gathered(&mut caller, 4000));
    let mut plain = Call::incoming(super::preferences(&[Codec::Pcmu]), IP, Some(offer));
    plain.answer().unwrap();
    let answer = sent(&drain(&mut plain, 5000));
    caller.handle_answered("a", Some(&answer));
    let actions = gathered(&mut caller, 4000);
    let plan = applied(&actions).unwrap();
    assert_eq!((&plan.ice, plan.remote_rtp), (&None, Some(rtp(5000))));
    caller.set_hold(true).unwrap();
    let offer = text(&sent(&gathered(&mut caller, 4000)));
    assert!(!offer.contains("ice-"), "{offer}");
}
