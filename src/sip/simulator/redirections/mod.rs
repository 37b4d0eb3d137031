//! Calls of ours that the far end sends elsewhere (RFC 3261 sections 8.1.3.4, 19.1.5, 21.3).

mod accounts;
mod following;
mod targets;

use std::time::Duration;

use super::bench::{Bench, peer};
use crate::base::uri::Uri;
use crate::sip::message::{Message, Method};
use crate::sip::{Body, Census, SessionId, SipEvent};

const LONG: Duration = Duration::from_secs(700);
const CAROL: &str = "sip:carol@10.0.0.203:5060";
const DAVE: &str = "sip:dave@10.0.0.204:5060";

fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap()
}

/// Answers a request of ours; what is sent then.
fn answer(bench: &mut Bench, invite: &Message, code: u16, contacts: &[&str]) -> Vec<Message> {
    let fields: Vec<_> = contacts.iter().map(|it| ("Contact", *it)).collect();
    bench.reply(peer(), "t", invite, code, &fields)
}

/// The offered targets of each 3xx.
fn offered(bench: &Bench) -> Vec<Vec<String>> {
    let of = |event: &SipEvent| match event {
        SipEvent::Redirected { targets, .. } => {
            Some(targets.iter().map(ToString::to_string).collect())
        }
        _ => None,
    };
    bench.events.iter().filter_map(of).collect()
}

/// Says yes to what was offered last; the INVITE, or nothing.
fn follow(bench: &mut Bench, session: SessionId) -> Option<Message> {
    let targets = bench.events.iter().rev().find_map(|event| match event {
        SipEvent::Redirected { targets, .. } => Some(targets.clone()),
        _ => None,
    });
    let now = bench.now;
    bench
        .endpoint
        .follow_redirection(now, session, &targets.unwrap())
        .unwrap();
    next_invite(bench, session)
}

/// Gives the offer that is asked for; the INVITE.
fn next_invite(bench: &mut Bench, session: SessionId) -> Option<Message> {
    bench.sent();
    let now = bench.now;
    bench
        .endpoint
        .offer(now, session, Body::sdp("v=again"))
        .ok()?;
    bench.sent().into_iter().find(is_invite)
}

fn is_invite(message: &Message) -> bool {
    message.method() == Some(&Method::Invite)
}

fn why_not(bench: &Bench) -> String {
    let of = |event: &SipEvent| match event {
        SipEvent::NotFollowed { why, .. } => Some(why.clone()),
        _ => None,
    };
    bench.events.iter().rev().find_map(of).unwrap_or_default()
}

/// Everything is forgotten in the end.
fn settles(bench: &mut Bench) {
    bench.wait(LONG);
    assert_eq!(bench.endpoint.census(), Census::default());
}
