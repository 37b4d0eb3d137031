//! Calls and registrations step by step.

use std::time::Duration;

use super::agent::Act;
use super::checks::check;
use super::registrar::Registrar;
use super::world::{Link, World};
use crate::base::flow::ProfileId;
use crate::base::id::AccountId;
use crate::base::redact::Secret;
use crate::base::uri::Uri;
use crate::sip::{AccountSetup, Credentials, EndedBy, RegistrationState, SipEvent};

const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(3600);

pub(super) fn account(user: &str) -> AccountSetup {
    AccountSetup {
        address: Uri::parse(&format!("sip:{user}@sim.example")).unwrap(),
        display_name: Some(user.to_owned()),
        registrar: Some(Uri::parse("sip:sim.example").unwrap()),
        outbound_proxy: None,
        transport: None,
        profile: ProfileId::default(),
        credentials: Some(Credentials {
            username: user.to_owned(),
            password: Secret::new("secret"),
        }),
        digest: crate::sip::DigestRules::default(),
        expires: Duration::from_secs(3600),
        ring_limit: Duration::from_secs(60),
        extensions: crate::sip::CallExtensions::default(),
    }
}

pub(super) fn world_with_registrar(seed: u64, link: Link) -> World {
    let mut world = World::new(seed, link);
    world.names.insert(
        "sim.example".to_owned(),
        vec![(crate::base::flow::Transport::Udp, Registrar::address())],
    );
    world
}

pub(super) fn is_registered(event: &SipEvent) -> bool {
    matches!(
        event,
        SipEvent::Registration {
            state: RegistrationState::Registered { .. },
            ..
        }
    )
}

pub(super) fn ended_by(world: &World, agent: usize) -> Vec<(EndedBy, u16)> {
    world.agents[agent]
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            SipEvent::Ended { by, status, .. } => Some((*by, status.code)),
            _ => None,
        })
        .collect()
}

#[test]
fn two_registered_phones_call_talk_and_hang_up() {
    let mut world = world_with_registrar(1, Link::PERFECT);
    for user in ["alice", "bob"] {
        let agent = world.add_agent(false);
        world.add_account(agent, account(user));
    }
    world.run_for(SECOND);
    for agent in [0, 1] {
        assert!(world.saw(agent, is_registered), "{}", world.show(agent));
    }
    let bob = Uri::parse("sip:bob@sim.example").unwrap();
    let call = world.call(0, Some(AccountId(0)), &bob, "call");
    world.run_for(SECOND);
    assert!(world.saw(0, |e| matches!(e, SipEvent::OfferNeeded { .. })));
    world.act(0, call, Act::Offer);
    world.run_for(SECOND);
    let incoming = world.incoming(1, "call").expect("the call arrives");
    assert_eq!(incoming.account, Some(AccountId(0)));
    assert_eq!(incoming.from.display_name.as_deref(), Some("alice"));
    assert!(incoming.offer.is_some());
    world.act(1, incoming.session, Act::Ring);
    world.run_for(SECOND);
    assert!(world.saw(
        0,
        |e| matches!(e, SipEvent::Progress { status, .. } if status.code == 180)
    ));
    world.act(1, incoming.session, Act::Answer);
    world.run_for(SECOND);
    assert!(world.saw(0, |e| matches!(e, SipEvent::Answered { body: Some(_), .. })));
    assert!(world.saw(1, |e| matches!(e, SipEvent::Confirmed { .. })));
    world.act(0, call, Act::HangUp);
    assert!(world.run_until_quiet(LONG), "{}", world.show(0));
    assert_eq!(ended_by(&world, 0), [(EndedBy::Local, 200)]);
    assert_eq!(ended_by(&world, 1), [(EndedBy::Remote, 200)]);
    check(&world, 1);
}

/// Two phones that take direct calls, and a call from the first to the second.
fn direct(link: Link) -> (World, crate::sip::SessionId) {
    let mut world = World::new(9, link);
    world.add_agent(true);
    world.add_agent(true);
    let target = world.uri(1);
    let call = world.call(0, None, &target, "call");
    world.run_for(SECOND);
    (world, call)
}

/// Their call when the second one knows of it, on both sides.
fn arrived(link: Link) -> (World, crate::sip::SessionId, crate::sip::SessionId) {
    let (mut world, call) = direct(link);
    world.act(0, call, Act::Offer);
    world.run_for(SECOND);
    let session = world.incoming(1, "call").unwrap().session;
    (world, call, session)
}

/// Their call when it is answered, on both sides.
fn talking(link: Link) -> (World, crate::sip::SessionId, crate::sip::SessionId) {
    let (mut world, call, session) = arrived(link);
    world.act(1, session, Act::Answer);
    world.run_for(SECOND);
    (world, call, session)
}

pub(super) fn finish(world: &mut World) {
    assert!(
        world.run_until_quiet(LONG),
        "{}{}",
        world.show(0),
        world.show(1)
    );
    check(world, 0);
}

#[test]
fn hanging_up_before_anything_was_sent_sends_nothing() {
    let (mut world, call) = direct(Link::PERFECT);
    world.act(0, call, Act::HangUp);
    finish(&mut world);
    assert_eq!(ended_by(&world, 0), [(EndedBy::Local, 487)]);
    assert!(world.agents[0].ladder.is_empty());
}

#[test]
fn cancel_waits_for_a_provisional_answer() {
    let (mut world, call) = direct(Link::PERFECT);
    world.drop_if = Some(Box::new(|text| text.starts_with("SIP/2.0 1")));
    world.act(0, call, Act::Offer);
    world.run_for(SECOND);
    world.act(0, call, Act::HangUp);
    world.run_for(SECOND);
    assert_eq!(world.count(0, true, "CANCEL"), 0);
    world.drop_if = None;
    finish(&mut world);
    assert_eq!(world.count(0, true, "CANCEL"), 1);
    assert_eq!(ended_by(&world, 0), [(EndedBy::Local, 487)]);
    assert_eq!(ended_by(&world, 1), [(EndedBy::Remote, 487)]);
}

#[test]
fn a_200_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let (mut world, call, session) = arrived(Link::PERFECT);
    world.act(1, session, Act::Answer);
    world.act(0, call, Act::HangUp);
    finish(&mut world);
    assert_eq!(world.count(0, true, "CANCEL"), 1);
    assert_eq!(world.count(0, true, "ACK"), 1);
    assert_eq!(world.count(0, true, "BYE"), 1);
    assert_eq!(ended_by(&world, 0), [(EndedBy::Local, 487)]);
    assert_eq!(ended_by(&world, 1), [(EndedBy::Remote, 200)]);
    assert!(!world.saw(0, |e| matches!(e, SipEvent::Answered { .. })));
}

#[test]
fn a_refusal_tells_its_status_on_both_sides() {
    let (mut world, _, session) = arrived(Link::PERFECT);
    world.act(1, session, Act::Reject(486));
    finish(&mut world);
    assert_eq!(ended_by(&world, 0), [(EndedBy::Remote, 486)]);
    assert_eq!(ended_by(&world, 1), [(EndedBy::Local, 486)]);
}

#[test]
fn the_callees_ring_limit_answers_480() {
    let (mut world, _, session) = arrived(Link::PERFECT);
    world.act(1, session, Act::Ring);
    finish(&mut world);
    let ends = [ended_by(&world, 0), ended_by(&world, 1)].concat();
    // Both have the same limit; one of them is first.
    assert!(
        ends.iter().any(|(by, _)| *by == EndedBy::RingLimit),
        "{ends:?}"
    );
}

#[test]
fn the_callers_ring_limit_cancels() {
    let mut world = world_with_registrar(4, Link::PERFECT);
    for user in ["anna", "ben"] {
        let agent = world.add_agent(false);
        let mut setup = account(user);
        if user == "anna" {
            setup.ring_limit = Duration::from_secs(20);
        }
        world.add_account(agent, setup);
    }
    world.run_for(SECOND);
    let ben = Uri::parse("sip:ben@sim.example").unwrap();
    let call = world.call(0, Some(AccountId(0)), &ben, "call");
    world.run_for(SECOND);
    world.act(0, call, Act::Offer);
    world.run_for(SECOND);
    finish(&mut world);
    assert_eq!(ended_by(&world, 0), [(EndedBy::RingLimit, 487)]);
    assert_eq!(ended_by(&world, 1), [(EndedBy::Remote, 487)]);
}

#[test]
fn nobody_there_is_408_after_64_t1_and_a_closed_port_503_at_once() {
    let mut world = World::new(9, Link::PERFECT);
    world.add_agent(true);
    let nowhere = Uri::parse("sip:x@10.9.9.9").unwrap();
    let call = world.call(0, None, &nowhere, "silence");
    world.run_for(SECOND);
    world.act(0, call, Act::Offer);
    world.run_for(Duration::from_secs(31));
    assert!(ended_by(&world, 0).is_empty());
    world.run_for(SECOND * 2);
    assert_eq!(ended_by(&world, 0), [(EndedBy::Unreachable, 408)]);
    // 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s.
    assert_eq!(world.count(0, true, "INVITE"), 7);

    let closed = world.add_agent(true);
    world.agents[closed].down = true;
    let target = world.uri(closed);
    let call = world.call(0, None, &target, "closed");
    world.run_for(SECOND);
    world.act(0, call, Act::Offer);
    world.run_for(SECOND);
    assert_eq!(ended_by(&world, 0)[1], (EndedBy::Unreachable, 503));
    finish(&mut world);
}

#[test]
fn an_unknown_name_ends_the_call_before_the_offer() {
    let mut world = World::new(9, Link::PERFECT);
    world.add_agent(true);
    let nowhere = Uri::parse("sip:x@nowhere.example").unwrap();
    world.call(0, None, &nowhere, "call");
    world.run_for(SECOND);
    assert!(world.saw(0, |e| matches!(e, SipEvent::Ended { status, .. }
        if status.code == 503 && status.phrase.contains("nowhere.example"))));
    finish(&mut world);
}

#[test]
fn a_target_that_is_down_fails_over_to_the_next_one() {
    let (mut world, _) = direct(Link::PERFECT);
    let dead = world.add_agent(true);
    world.agents[dead].down = true;
    let places = [dead, 1].map(|agent| (crate::base::flow::Transport::Udp, world.address(agent)));
    world
        .names
        .insert("two.example".to_owned(), places.to_vec());
    let target = Uri::parse("sip:b@two.example").unwrap();
    let call = world.call(0, None, &target, "over");
    world.run_for(SECOND);
    world.act(0, call, Act::Offer);
    world.run_for(SECOND);
    assert!(world.incoming(1, "over").is_some());
    world.act(0, call, Act::HangUp);
    world.run_for(Duration::from_secs(300));
    assert_eq!(ended_by(&world, 0), [(EndedBy::Local, 487)]);
}

#[test]
fn a_lost_ack_ends_in_bye_and_both_sides_know() {
    let (mut world, call) = direct(Link::PERFECT);
    world.drop_if = Some(Box::new(|text| text.starts_with("ACK")));
    world.act(0, call, Act::Offer);
    world.run_for(SECOND);
    let session = world.incoming(1, "call").unwrap().session;
    world.act(1, session, Act::Answer);
    finish(&mut world);
    assert_eq!(
        world.count(0, true, "ACK"),
        world.count(1, true, "SIP/2.0 200")
    );
    assert!(world.count(0, true, "ACK") >= 10);
    assert_eq!(ended_by(&world, 1), [(EndedBy::Unreachable, 408)]);
    assert_eq!(ended_by(&world, 0), [(EndedBy::Remote, 200)]);
}

#[test]
fn a_lost_200_is_repeated() {
    let (mut world, call) = direct(Link::PERFECT);
    let mut lost = 0;
    world.drop_if = Some(Box::new(move |text| {
        let drop = text.starts_with("SIP/2.0 200") && lost < 4;
        lost += usize::from(drop);
        drop
    }));
    world.act(0, call, Act::Offer);
    world.run_for(SECOND);
    let session = world.incoming(1, "call").unwrap().session;
    world.act(1, session, Act::Answer);
    world.run_for(Duration::from_secs(10));
    assert!(world.saw(1, |e| matches!(e, SipEvent::Confirmed { .. })));
    world.act(0, call, Act::HangUp);
    finish(&mut world);
}

#[test]
fn a_peer_that_vanished_is_flagged_unreachable() {
    let (mut world, call, _) = talking(Link::PERFECT);
    world.drop_if = Some(Box::new(|_| true));
    world.act(0, call, Act::HangUp);
    world.run_for(Duration::from_secs(40));
    assert_eq!(ended_by(&world, 0), [(EndedBy::Unreachable, 408)]);
}

#[test]
fn of_two_phones_that_answer_one_talks_and_the_other_is_ended() {
    let mut world = world_with_registrar(6, Link::PERFECT);
    for user in ["anna", "ben", "ben"] {
        let agent = world.add_agent(false);
        world.add_account(agent, account(user));
    }
    world.run_for(SECOND);
    let ben = Uri::parse("sip:ben@sim.example").unwrap();
    let call = world.call(0, Some(AccountId(0)), &ben, "call");
    world.run_for(SECOND);
    world.act(0, call, Act::Offer);
    world.run_for(SECOND);
    for agent in [1, 2] {
        let session = world.incoming(agent, "call").unwrap().session;
        world.act(agent, session, Act::Ring);
    }
    world.run_for(SECOND);
    assert_eq!(world.agents[0].endpoint.census().dialogs, 2);
    for agent in [1, 2] {
        let session = world.incoming(agent, "call").unwrap().session;
        world.act(agent, session, Act::Answer);
    }
    world.run_for(SECOND);
    assert_eq!(world.count(0, true, "ACK"), 2);
    assert_eq!(world.count(0, true, "BYE"), 1);
    let over = [1, 2].map(|agent| ended_by(&world, agent).len());
    assert_eq!(over.iter().sum::<usize>(), 1);
    world.act(0, call, Act::HangUp);
    finish(&mut world);
}

#[test]
fn a_proxy_that_asks_who_calls_is_answered() {
    let mut world = world_with_registrar(6, Link::PERFECT);
    world.registrar.challenge_calls = true;
    for user in ["anna", "ben"] {
        let agent = world.add_agent(false);
        world.add_account(agent, account(user));
    }
    world.run_for(SECOND);
    let ben = Uri::parse("sip:ben@sim.example").unwrap();
    for label in ["first", "second"] {
        let call = world.call(0, Some(AccountId(0)), &ben, label);
        world.run_for(SECOND);
        world.act(0, call, Act::Offer);
        world.run_for(SECOND);
        let session = world.incoming(1, label).unwrap().session;
        world.act(1, session, Act::Answer);
        world.run_for(SECOND);
        world.act(0, call, Act::HangUp);
        world.run_for(SECOND);
    }
    finish(&mut world);
    // The second call uses the nonce of the first, counted up.
    assert_eq!(world.count(0, false, "SIP/2.0 407"), 1);
}

#[test]
fn a_call_refused_for_a_wrong_password_ends_with_407() {
    let mut world = world_with_registrar(6, Link::PERFECT);
    let agent = world.add_agent(false);
    world.add_account(agent, account("anna"));
    world.run_for(SECOND);
    world.registrar.challenge_calls = true;
    world.registrar.password = "changed".to_owned();
    let ben = Uri::parse("sip:ben@sim.example").unwrap();
    let call = world.call(0, Some(AccountId(0)), &ben, "call");
    world.run_for(SECOND);
    world.act(0, call, Act::Offer);
    finish(&mut world);
    assert_eq!(ended_by(&world, 0), [(EndedBy::Remote, 407)]);
    assert_eq!(world.count(0, true, "INVITE"), 3);
}

#[test]
fn hold_and_resume_from_both_sides() {
    let (mut world, call, session) = talking(Link::PERFECT);
    for (agent, ours, other, theirs) in [(0, call, 1, session), (1, session, 0, call)] {
        for _ in 0..2 {
            world.act(agent, ours, Act::Reinvite);
            world.run_for(SECOND);
            world.act(other, theirs, Act::AnswerChange(200));
            world.run_for(SECOND);
        }
        let answers = world.agents[agent]
            .events
            .iter()
            .filter(|(_, e)| {
                matches!(e, SipEvent::ReinviteAnswered { status, body: Some(_), .. }
                if status.code == 200)
            })
            .count();
        assert_eq!(answers, 2);
    }
    world.act(0, call, Act::Reinvite);
    world.run_for(SECOND);
    world.act(1, session, Act::AnswerChange(488));
    world.run_for(SECOND);
    assert!(
        world.saw(0, |e| matches!(e, SipEvent::ReinviteAnswered { status, .. }
        if status.code == 488))
    );
    assert!(
        ended_by(&world, 0).is_empty(),
        "a refused change ends nothing"
    );
    world.act(1, session, Act::HangUp);
    finish(&mut world);
}

#[test]
fn glare_is_resolved_by_the_two_back_off_ranges() {
    let (mut world, call, session) = talking(Link::PERFECT);
    world.act(0, call, Act::Reinvite);
    world.act(1, session, Act::Reinvite);
    world.run_for(Duration::from_millis(100));
    for agent in [0, 1] {
        assert_eq!(world.count(agent, true, "SIP/2.0 491"), 1);
    }
    // The side that did not make the call is first: 0 to 2 s against 2.1 to 4 s.
    world.run_for(Duration::from_millis(2050));
    assert!(world.saw(0, |e| matches!(e, SipEvent::Reinvite { .. })));
    assert!(!world.saw(1, |e| matches!(e, SipEvent::Reinvite { .. })));
    world.act(0, call, Act::AnswerChange(200));
    world.run_for(SECOND * 3);
    assert!(
        world.saw(1, |e| matches!(e, SipEvent::ReinviteAnswered { status, .. }
        if status.code == 200))
    );
    world.act(0, call, Act::HangUp);
    finish(&mut world);
}

#[test]
fn both_hang_up_at_once() {
    let (mut world, call, session) = talking(Link::PERFECT);
    world.act(0, call, Act::HangUp);
    world.act(1, session, Act::HangUp);
    finish(&mut world);
    assert_eq!(ended_by(&world, 0), [(EndedBy::Local, 200)]);
    assert_eq!(ended_by(&world, 1), [(EndedBy::Local, 200)]);
}

#[test]
fn a_change_that_meets_481_ends_the_call() {
    let (mut world, call, _) = talking(Link::PERFECT);
    // The other phone restarted and knows nothing any more.
    let fresh = world.add_agent(true);
    world.agents.swap(1, fresh);
    world.agents[1].ip = world.agents[fresh].ip;
    world.agents[fresh].ip = std::net::IpAddr::from([10, 0, 0, 77]);
    world.act(0, call, Act::Reinvite);
    world.run_for(Duration::from_secs(60));
    assert_eq!(ended_by(&world, 0), [(EndedBy::Remote, 481)]);
    assert_eq!(world.agents[0].endpoint.census().sessions, 0);
}

#[test]
fn a_silent_peer_ends_the_call_by_its_change() {
    let (mut world, call, _) = talking(Link::PERFECT);
    world.drop_if = Some(Box::new(|_| true));
    world.act(0, call, Act::Reinvite);
    world.run_for(Duration::from_secs(100));
    assert_eq!(ended_by(&world, 0)[0].0, EndedBy::Unreachable);
}

#[test]
fn commands_at_the_wrong_time_are_refused_with_a_reason() {
    use crate::sip::{Body, SipError, Status};
    let (mut world, call, session) = talking(Link::PERFECT);
    let now = world.now;
    let endpoint = &mut world.agents[1].endpoint;
    for refused in [
        endpoint.ring(now, session, None),
        endpoint.answer(now, session, Body::sdp("")),
        endpoint.reject(now, session, Status::new(486, ""), &[]),
        endpoint.offer(now, session, Body::sdp("")),
    ] {
        assert_eq!(refused, Err(SipError::WrongState("established")));
    }
    for text in [
        "tel:+1555",
        "sips:a@h;transport=udp",
        "mailto:a@h",
        "sip:a@h;transport=sctp",
    ] {
        let target = Uri::parse(text).unwrap();
        let refused = endpoint.invite(now, None, &target, &[]);
        assert_eq!(refused, Err(SipError::BadTarget(text.to_owned())));
    }
    world.act(0, call, Act::HangUp);
    finish(&mut world);
}

#[test]
fn further_header_fields_go_along_but_never_replace_ours_or_break_the_line() {
    let mut world = World::new(9, Link::PERFECT);
    world.add_agent(true);
    world.add_agent(true);
    let headers = [
        ("X-Queue", "sales\r\nVia: evil"),
        ("From", "<sip:somebody@else>"),
        ("v", "SIP/2.0/UDP evil"),
        ("Bad Name", "x"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (now, target) = (world.now, world.uri(1));
    let endpoint = &mut world.agents[0].endpoint;
    let call = endpoint.invite(now, None, &target, &headers).unwrap();
    world.drain(0);
    world.run_for(SECOND);
    let now = world.now;
    let offer = crate::sip::Body::sdp("v=0");
    world.agents[0].endpoint.offer(now, call, offer).unwrap();
    world.drain(0);
    let invite = world.agents[0].ladder[0].3.clone();
    assert!(invite.contains("X-Queue: sales  Via: evil\r\n"), "{invite}");
    assert!(
        !invite.contains("somebody") && !invite.contains("UDP evil"),
        "{invite}"
    );
    assert!(!invite.contains("Bad Name"));
}
