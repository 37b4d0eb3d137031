//! Two calls joined by a wire without a SIP layer: what one sends the other gets.

mod course;
mod forks;
mod holds;
mod ice;
mod moves;
mod secured;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::call::{Action, Call, Edge, MediaPreferences, SipAction, SrtpPreferences};
use crate::sdp::{Codec, MediaPlan};
use crate::sip::Body;

const IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn preferences(codecs: &[Codec]) -> MediaPreferences {
    MediaPreferences {
        codecs: codecs.to_vec(),
        ptime_millis: 20,
        silence_suppression: false,
        session_id: 7,
        srtp: SrtpPreferences::off(),
        ice: None,
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
            Action::OpenMedia(_) | Action::ExpectHandshake | Action::Apply(_) | Action::Tell(_) => {
                None
            }
        })
        .collect()
}

pub(super) fn edges(actions: &[Action]) -> Vec<&Edge> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::Tell(edge) => Some(edge),
            Action::OpenMedia(_) | Action::ExpectHandshake | Action::Apply(_) | Action::Sip(_) => {
                None
            }
        })
        .collect()
}

/// The plan that the media shall follow, where there is a new one.
fn applied(actions: &[Action]) -> Option<&MediaPlan> {
    actions.iter().find_map(|action| match action {
        Action::Apply(plan) => Some(&**plan),
        Action::OpenMedia(_) | Action::ExpectHandshake | Action::Sip(_) | Action::Tell(_) => None,
    })
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
