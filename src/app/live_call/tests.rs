//! What a call tells of itself.

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::base::clock;
use crate::base::id::ContactId;
use crate::base::uri::Uri;
use crate::call::{Action, Edge, MediaPreferences, SipAction, SrtpPreferences};
use crate::crm::row::{Match, MatchLevel};
use crate::media::transport::DtlsFailure;
use crate::sdp::Codec;

fn live(direction: CallDirection) -> LiveCall {
    let preferences = MediaPreferences {
        codecs: vec![Codec::Pcma],
        ptime_millis: 20,
        silence_suppression: false,
        session_id: 1,
        srtp: SrtpPreferences::off(),
        ice: None,
    };
    let call = match direction {
        CallDirection::Inbound => {
            Call::incoming(preferences, IpAddr::V4(Ipv4Addr::LOCALHOST), None)
        }
        CallDirection::Outbound => Call::outgoing(preferences),
    };
    let now = clock::monotonic_now();
    let address = "sip:bob@example.com".to_owned();
    LiveCall::new(Beginning {
        id: CallId::new(1, [1; 10]),
        call,
        account: None,
        direction,
        remote: address.clone(),
        remote_name: None,
        from: address.clone(),
        to: address.clone(),
        local: address,
        now,
        wall: clock::wall_now(),
        look_up_until: now,
    })
}

#[test]
fn who_answered_is_told_where_it_is_not_who_was_called() {
    let mut call = live(CallDirection::Outbound);
    call.remote = "+4930123456".to_owned();
    call.uri = Some("sip:0030123456@example.com".to_owned());
    for (name, uri, told) in [
        ("", "tel:+4930123456", None),
        ("", "sip:+4930123456@example.com", None),
        ("Bob", "sip:0030123456@example.com", None),
        ("Carol", "tel:+4930999", Some("Carol (+4930999)")),
        ("", "tel:+4930999", Some("+4930999")),
    ] {
        let who = NameAddr {
            display_name: Some(name.to_owned()).filter(|name| !name.is_empty()),
            uri: Uri::parse(uri).unwrap(),
        };
        call.take_answerer(Some(&who));
        assert_eq!(call.answered_by.as_deref(), told);
    }
    call.take_answerer(None);
    assert_eq!(call.answered_by, None);
}

/// What the sound threads cannot carry out ends the call, with their sentence.
#[test]
fn a_call_whose_keys_or_plan_fail_ends_with_the_cause() {
    let call = CallId::new(1, [1; 10]);
    let failure = DtlsFailure::Timeout;
    let message = "the sound of this call cannot be set up".to_owned();
    for (event, why) in [
        (
            MediaEvent::KeysFailed { call, failure },
            Some(failure.to_string()),
        ),
        (
            MediaEvent::PlanFailed {
                call,
                message: message.clone(),
            },
            Some(message),
        ),
        (MediaEvent::Heard { call }, None),
    ] {
        let mut live = live(CallDirection::Outbound);
        live.lose_sound(&event);
        let actions: Vec<Action> = std::iter::from_fn(|| live.call.poll_action()).collect();
        let ends = actions.contains(&Action::Sip(SipAction::HangUp));
        assert_eq!(ends, why.is_some(), "{actions:?}");
        let told = actions.iter().find_map(|action| match action {
            Action::Tell(Edge::HungUp { problem }) => problem.clone(),
            _ => None,
        });
        assert_eq!(told, why);
    }
}

/// Of two calls that came at once the first was busy because of the second.
#[test]
fn a_call_that_has_only_just_come_does_not_make_the_line_busy() {
    let mut call = live(CallDirection::Inbound);
    assert!(!call.engages());
    call.call.ring().unwrap();
    assert!(call.engages());
    call.call.answer().unwrap();
    assert!(call.engages());
    call.ended = Some(call.started);
    assert!(!call.engages());
    assert!(live(CallDirection::Outbound).engages(), "it is dialled");
}

/// A call that somebody refused left after six seconds, with what was still to be read of it.
#[test]
fn an_ended_call_leaves_after_a_minute_unless_text_was_typed() {
    let minute = Duration::from_secs(60);
    for direction in [CallDirection::Inbound, CallDirection::Outbound] {
        for (answered, typed) in [
            (false, ""),
            (true, ""),
            (false, "call again"),
            (true, "offer"),
        ] {
            let mut call = live(direction);
            let end = call.started + Duration::from_secs(30);
            call.answered = answered.then_some(call.started);
            call.gate = Gate::Open;
            call.hang_up_at = Some(end + Duration::from_secs(1));
            call.close(end);
            call.notes = typed.to_owned();
            assert_eq!(call.deadline(), Some(end + minute), "nothing else is due");
            assert!(!call.leaves(end + minute - Duration::from_nanos(1)));
            assert_eq!(call.leaves(end + minute), typed.is_empty(), "{typed:?}");
            assert!(!call.leaves(end + minute * 2), "asked once");
        }
    }
    let mut unwritten = live(CallDirection::Inbound);
    let end = unwritten.started;
    unwritten.close(end);
    unwritten.ending = Some(Ending {
        state: CallState::NoAnswer,
        status: 487,
        reason: String::new(),
        waiting: minute,
        talking: None,
        until: end + minute * 2,
    });
    assert!(!unwritten.leaves(end + minute), "its end is not told yet");
}

fn known(subjects: &[i64]) -> Identification {
    let found = subjects.iter().map(|id| Match {
        subject: Subject::Contact(ContactId(*id)),
        name: format!("Contact {id}"),
        organization: None,
        role: None,
        level: MatchLevel::Known,
        reason: "same number".to_owned(),
    });
    Identification {
        matches: found.collect(),
        ..Identification::default()
    }
}

#[test]
fn a_choice_stays_with_the_person_when_the_number_is_looked_up_again() {
    let mut call = live(CallDirection::Inbound);
    call.learn(known(&[1, 2]));
    call.say_who(Some(Subject::Contact(ContactId(2))));
    assert_eq!(call.chosen, Some(1));
    call.learn(known(&[2, 1, 3]));
    assert_eq!(call.chosen, Some(0));
    // Somebody who has not the number is known once the choice is.
    call.say_who(Some(Subject::Contact(ContactId(9))));
    assert_eq!(call.chosen, None);
    call.learn(known(&[9, 1]));
    assert_eq!(call.chosen, Some(0));
}

#[test]
fn who_is_written_down_after_nobody_was_meant_is_who_it_is() {
    let mut call = live(CallDirection::Inbound);
    assert_eq!(call.learn(known(&[1, 2])), None);
    call.say_who(None);
    assert_eq!(call.best_match(), None);
    assert!(call.view().nobody);
    assert_eq!(call.learn(known(&[1, 2])), None);
    let new = Subject::Contact(ContactId(3));
    assert_eq!(call.learn(known(&[1, 2, 3])), Some(new));
    // Two at once are a question again, which is the agent's to answer.
    assert_eq!(call.learn(known(&[1, 2, 3, 4, 5])), None);
}

#[test]
fn a_call_is_no_earlier_call_of_itself() {
    let mut call = live(CallDirection::Inbound);
    let other = CallRow::ringing(CallId::new(2, [2; 10]), "0301", clock::wall_now());
    let itself = CallRow::ringing(call.id, "0301", clock::wall_now());
    call.learn(Identification {
        last_calls: vec![itself, other.clone()],
        ..Identification::default()
    });
    assert_eq!(call.identification.unwrap().last_calls, [other]);
}
