//! Streams that are lost under a subscription or a registration, which then takes a new one.

use super::{SECOND, notify, only, setup};
use crate::base::flow::{ConnectionId, Output};
use crate::base::id::AccountId;
use crate::base::uri::Uri;
use crate::sip::message::{Message, Method};
use crate::sip::simulator::bench::{Bench, OURS};
use crate::sip::simulator::scenarios::account;
use crate::sip::{AccountSetup, SubscriptionSetup, parse};

/// The requests written to streams, and the streams that shall be opened.
fn by_stream(bench: &mut Bench) -> (Vec<ConnectionId>, Vec<Message>) {
    let (mut opened, mut written) = (Vec::new(), Vec::new());
    for output in bench.drain() {
        match output {
            Output::Connect { connection, .. } => opened.push(connection),
            Output::Stream { bytes, .. } => written.push(parse::message(&bytes).unwrap()),
            Output::Datagram { .. } | Output::Close { .. } | Output::Resolve { .. } => {}
        }
    }
    (opened, written)
}

#[test]
fn a_subscription_whose_stream_is_lost_is_refreshed_by_a_new_one() {
    let mut bench = Bench::new();
    let target = Uri::parse("sip:bob@10.0.0.200:5070;transport=tcp").unwrap();
    let wish = SubscriptionSetup { target, ..setup() };
    bench.endpoint.subscribe(bench.now, None, wish).unwrap();
    let (opened, written) = by_stream(&mut bench);
    let (connection, subscribe) = (opened[0], only(written));
    let local = (OURS, 40_000).into();
    bench
        .endpoint
        .handle_connected(bench.now, connection, local);
    let mut ok = Message::response(&subscribe, 200, "OK", Some("n1"));
    ok.headers.push("Expires", "600");
    bench.stream(connection, &String::from_utf8(ok.to_bytes()).unwrap());
    let text = notify(&subscribe, "n1", 1, "active;expires=600", "<a/>")
        .replace("@10.0.0.200:5070>", "@10.0.0.200:5070;transport=tcp>")
        .replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    let (answered, _) = bench.stream(connection, &text);
    assert!(answered.starts_with("SIP/2.0 200"), "{answered}");
    bench
        .endpoint
        .handle_connection_closed(bench.now, connection, None);
    by_stream(&mut bench);
    let due = bench.now + SECOND * 5;
    while bench.endpoint.poll_timeout().is_some_and(|at| at < due) {
        bench.now = bench.endpoint.poll_timeout().unwrap();
        bench.endpoint.handle_timeout(bench.now);
        assert!(by_stream(&mut bench).1.is_empty());
    }
    bench.now = due;
    bench.endpoint.handle_timeout(due);
    let (opened, written) = by_stream(&mut bench);
    assert_ne!(opened[0], connection);
    assert_eq!(only(written).to_tag(), "n1");
}

/// The flow was never learned where the answer had ended its transaction, as on streams.
#[test]
fn a_registration_whose_stream_is_lost_is_made_again_within_three_seconds() {
    let mut bench = Bench::new();
    let registrar = Uri::parse("sip:10.0.0.200:5070;transport=tcp").unwrap();
    let account = AccountSetup {
        registrar: Some(registrar),
        ..account("anna")
    };
    let id = AccountId(0);
    bench.endpoint.add_account(bench.now, id, account);
    let (opened, written) = by_stream(&mut bench);
    let (connection, register) = (opened[0], only(written));
    let local = (OURS, 40_000).into();
    bench
        .endpoint
        .handle_connected(bench.now, connection, local);
    let mut ok = Message::response(&register, 200, "OK", Some("r"));
    let contact = register.header("Contact").unwrap();
    ok.headers.push("Contact", contact);
    bench.stream(connection, &String::from_utf8(ok.to_bytes()).unwrap());
    bench
        .endpoint
        .handle_connection_closed(bench.now, connection, None);
    by_stream(&mut bench);
    let due = bench.endpoint.poll_timeout().unwrap();
    assert!(due <= bench.now + SECOND * 3, "{:?}", due - bench.now);
    bench.endpoint.handle_timeout(due);
    let (opened, written) = by_stream(&mut bench);
    assert_ne!(opened[0], connection);
    assert_eq!(only(written).method(), Some(&Method::Register));
}
