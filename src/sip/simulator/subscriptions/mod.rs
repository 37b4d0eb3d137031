//! Subscriptions (RFC 6665), fed by hand: what the notifier does is each test's own.

mod dialogs;
mod ends;
mod refreshes;
mod streams;

use std::time::Duration;

use super::bench::{Bench, peer};
use crate::base::uri::Uri;
use crate::sip::message::{Message, Method};
use crate::sip::{NotifierId, SipEvent, SubscriptionId, SubscriptionSetup, SubscriptionState};

const SECOND: Duration = Duration::from_secs(1);
/// When a subscription of 600 s is refreshed, before its request is sent again.
const REFRESHED: Duration = Duration::from_millis(540_100);
const ACCEPT: &str = "application/dialog-info+xml";

fn setup() -> SubscriptionSetup {
    SubscriptionSetup {
        target: Uri::parse("sip:bob@10.0.0.200:5070").unwrap(),
        event: "dialog",
        accept: ACCEPT,
        expires: Duration::from_secs(600),
        forks: true,
    }
}

/// A bench with one subscription, and its SUBSCRIBE.
fn begun(setup: SubscriptionSetup) -> (Bench, SubscriptionId, Message) {
    let mut bench = Bench::new();
    let id = bench.endpoint.subscribe(bench.now, None, setup).unwrap();
    let subscribe = only(bench.sent());
    (bench, id, subscribe)
}

/// The only request among repetitions.
fn only(mut messages: Vec<Message>) -> Message {
    messages.dedup();
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages.remove(0)
}

/// The notifier's answer.
fn answer(
    bench: &mut Bench,
    request: &Message,
    code: u16,
    fields: &[(&str, &str)],
) -> Vec<Message> {
    let fields = [fields, &[("Contact", "<sip:n@10.0.0.200:5070>")]].concat();
    bench.reply(peer(), "n1", request, code, &fields)
}

/// A NOTIFY of the notifier with a tag, for a SUBSCRIBE.
pub(super) fn notify(subscribe: &Message, tag: &str, cseq: u32, state: &str, body: &str) -> String {
    let subscriber = subscribe.header("From").unwrap();
    let call_id = subscribe.call_id();
    let contact = subscribe.contact().unwrap().uri;
    let kind = if body.is_empty() {
        String::new()
    } else {
        format!("Content-Type: {ACCEPT}\r\n")
    };
    format!(
        "NOTIFY {contact} SIP/2.0\r\n\
         Via: SIP/2.0/UDP 10.0.0.200:5070;rport;branch=z9hG4bK{tag}{cseq}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:bob@10.0.0.200>;tag={tag}\r\n\
         To: {subscriber}\r\n\
         Call-ID: {call_id}\r\n\
         CSeq: {cseq} NOTIFY\r\n\
         Contact: <sip:{tag}@10.0.0.200:5070>\r\n\
         Event: dialog\r\n\
         Subscription-State: {state}\r\n\
         {kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn states(bench: &Bench) -> Vec<SubscriptionState> {
    let state = |event: &SipEvent| match event {
        SipEvent::Subscription { state, .. } => Some(state.clone()),
        _ => None,
    };
    bench.events.iter().filter_map(state).collect()
}

fn news(bench: &Bench) -> Vec<(NotifierId, String)> {
    let news = |event: &SipEvent| match event {
        SipEvent::News { notifier, body, .. } => {
            let text = body.as_ref().map(|body| body.bytes.clone());
            Some((
                *notifier,
                String::from_utf8(text.unwrap_or_default()).unwrap(),
            ))
        }
        _ => None,
    };
    bench.events.iter().filter_map(news).collect()
}

/// A subscription that is active, with the SUBSCRIBE that began it.
fn active() -> (Bench, SubscriptionId, Message) {
    let (mut bench, id, subscribe) = begun(setup());
    answer(&mut bench, &subscribe, 200, &[("Expires", "600")]);
    assert_eq!(
        bench.codes(&notify(&subscribe, "n1", 1, "active;expires=600", "<a/>")),
        [200]
    );
    (bench, id, subscribe)
}

fn subscribes(messages: &[Message]) -> Vec<&Message> {
    let is_subscribe = |message: &&Message| message.method() == Some(&Method::Subscribe);
    messages.iter().filter(is_subscribe).collect()
}

fn retry_in(bench: &Bench) -> Duration {
    match states(bench).last() {
        Some(SubscriptionState::Waiting { retry_in, .. }) => *retry_in,
        other => panic!("{other:?}"),
    }
}
