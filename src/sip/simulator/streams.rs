//! Streams: framing, reuse, and what happens when they break.

use std::time::Duration;

use super::agent::Act;
use super::bench::{Bench, SDP_BODY, TO_US, US, request};
use super::checks::check;
use super::world::{Link, World};
use crate::base::flow::{Output, Transport};
use crate::base::uri::Uri;
use crate::sip::{Body, SipEvent};

const SECOND: Duration = Duration::from_secs(1);

pub(super) fn options(branch: &str) -> String {
    request("OPTIONS", US, branch, TO_US, 1, "").replace("/UDP", "/TCP")
}

#[test]
fn an_unknown_length_is_refused_and_ends_the_stream() {
    for length in ["", "Content-Length: -1\r\n", "l: 1\r\nl: 2\r\n"] {
        let mut bench = Bench::new();
        let connection = bench.accept_stream();
        let text = options("1").replace("Content-Length: 0\r\n", length);
        let (written, closed) = bench.stream(connection, &text);
        assert!(written.starts_with("SIP/2.0 400"), "{length}: {written}");
        assert!(closed);
    }
}

#[test]
fn a_ping_is_answered_and_half_a_message_is_not_waited_for_without_end() {
    let mut bench = Bench::new();
    let connection = bench.accept_stream();
    assert_eq!(
        bench.stream(connection, "\r\n\r\n"),
        ("\r\n".to_owned(), false)
    );
    let half = options("1").replace("Content-Length: 0", "Content-Length: 5");
    assert_eq!(bench.stream(connection, &half), (String::new(), false));
    bench.now += Duration::from_secs(33);
    bench.endpoint.handle_timeout(bench.now);
    assert_eq!(bench.drain(), [Output::Close { connection }]);
}

/// Two phones that take direct calls.
fn two_phones() -> World {
    let mut world = World::new(1, Link::PERFECT);
    world.add_agent(true);
    world.add_agent(true);
    world
}

fn call_by_tcp(world: &mut World, target: &str) -> crate::sip::SessionId {
    let session = world.call(0, None, &Uri::parse(target).unwrap(), "call");
    world.run_for(SECOND);
    session
}

#[test]
fn a_call_by_tcp_uses_one_stream_both_ways() {
    let mut world = two_phones();
    let call = call_by_tcp(&mut world, "sip:b@10.0.0.2;transport=tcp");
    world.act(0, call, Act::Offer);
    world.run_for(SECOND);
    let incoming = world.incoming(1, "call").unwrap();
    assert_eq!(incoming.transport, Transport::Tcp);
    world.act(1, incoming.session, Act::Answer);
    world.run_for(SECOND);
    world.act(1, incoming.session, Act::HangUp);
    assert!(world.run_until_quiet(Duration::from_secs(100)));
    check(&world, 1);
    let far_ends: std::collections::BTreeSet<_> = world.agents[1]
        .ladder
        .iter()
        .map(|(_, _, remote, _)| *remote)
        .collect();
    assert_eq!(far_ends.len(), 1, "{far_ends:?}");
}

/// The answer comes by a new stream (RFC 3261 section 18.2.2).
#[test]
fn a_call_that_rings_outlives_its_stream() {
    let mut world = two_phones();
    let call = call_by_tcp(&mut world, "sip:b@10.0.0.2;transport=tcp");
    world.act(0, call, Act::Offer);
    world.run_for(SECOND);
    let incoming = world.incoming(1, "call").unwrap();
    world.act(1, incoming.session, Act::Ring);
    world.run_for(SECOND);
    world.break_streams();
    world.run_for(SECOND);
    assert_eq!(world.agents[0].records[&call].ended.len(), 0);
    world.act(1, incoming.session, Act::Answer);
    world.run_for(SECOND);
    assert!(world.agents[0].records[&call].established.is_some());
    world.act(0, call, Act::HangUp);
    assert!(world.run_until_quiet(Duration::from_secs(100)));
    check(&world, 1);
}

/// What nobody answered yet is over with its stream (RFC 3261 section 17.1.4).
#[test]
fn a_call_of_which_nothing_is_heard_ends_with_its_stream() {
    let mut bench = Bench::new();
    let target = Uri::parse("sip:b@10.0.0.2;transport=tcp").unwrap();
    let call = bench
        .endpoint
        .invite(bench.now, None, &target, &[])
        .unwrap();
    bench.drain();
    let body = Body::sdp(SDP_BODY.to_owned());
    bench.endpoint.offer(bench.now, call, body).unwrap();
    let opened = bench.drain().into_iter().find_map(|output| match output {
        Output::Connect { connection, .. } => Some(connection),
        _ => None,
    });
    let (now, connection) = (bench.now, opened.unwrap());
    let local = "10.0.0.1:5062".parse().unwrap();
    bench.endpoint.handle_connected(now, connection, local);
    bench.drain();
    bench
        .endpoint
        .handle_connection_closed(now, connection, None);
    bench.drain();
    let ended =
        |event: &SipEvent| matches!(event, SipEvent::Ended { session, .. } if *session == call);
    assert!(bench.events.iter().any(ended));
}

fn offer_large(world: &mut World, session: crate::sip::SessionId) {
    let now = world.now;
    let body = Body::sdp("v=0\r\n".to_owned() + &"a=x\r\n".repeat(300));
    world.agents[0].endpoint.offer(now, session, body).unwrap();
    world.drain(0);
    world.run_for(SECOND);
}

#[test]
fn a_large_request_goes_by_tcp() {
    let mut world = two_phones();
    let call = call_by_tcp(&mut world, "sip:b@10.0.0.2");
    offer_large(&mut world, call);
    let incoming = world.incoming(1, "call").unwrap();
    assert_eq!(incoming.transport, Transport::Tcp);
}

#[test]
fn a_large_request_falls_back_to_udp_where_tcp_is_refused() {
    let mut world = two_phones();
    world.agents[1].refuses_streams = true;
    let call = call_by_tcp(&mut world, "sip:b@10.0.0.2");
    offer_large(&mut world, call);
    let incoming = world.incoming(1, "call").unwrap();
    assert_eq!(incoming.transport, Transport::Udp);
}

#[test]
fn a_large_request_stays_on_udp_where_udp_is_asked_for() {
    let mut world = two_phones();
    let call = call_by_tcp(&mut world, "sip:b@10.0.0.2;transport=udp");
    offer_large(&mut world, call);
    let incoming = world.incoming(1, "call").unwrap();
    assert_eq!(incoming.transport, Transport::Udp);
}

#[test]
fn a_refused_stream_ends_the_call_at_once() {
    let mut world = two_phones();
    world.agents[1].refuses_streams = true;
    let call = call_by_tcp(&mut world, "sip:b@10.0.0.2;transport=tcp");
    world.act(0, call, Act::Offer);
    world.run_for(SECOND);
    assert!(world.saw(0, |e| matches!(
        e,
        SipEvent::Ended { status, by: crate::sip::EndedBy::Unreachable, .. } if status.code == 503
    )));
    assert!(world.run_until_quiet(Duration::from_secs(1)));
}

#[test]
fn content_on_a_stream_is_framed_by_its_length() {
    let mut bench = Bench::new();
    let connection = bench.accept_stream();
    let invite = request("INVITE", US, "1", TO_US, 1, SDP_BODY).replace("/UDP", "/TCP");
    let two = format!("{invite}{}", options("2").replace("call-1", "call-2"));
    let (written, _) = bench.stream(connection, &two);
    assert_eq!(written.matches("SIP/2.0 ").count(), 2, "{written}");
    assert_eq!(bench.incoming().unwrap().transport, Transport::Tcp);
}

#[test]
fn a_refused_stream_is_not_tried_again_for_the_next_large_request() {
    let mut world = two_phones();
    world.agents[1].refuses_streams = true;
    for label in ["first", "second"] {
        let target = Uri::parse("sip:b@10.0.0.2").unwrap();
        let call = world.call(0, None, &target, label);
        world.run_for(SECOND);
        offer_large(&mut world, call);
        assert!(world.incoming(1, label).is_some());
    }
    let by_stream = |text: &str| text.starts_with("INVITE") && text.contains("SIP/2.0/TCP");
    let tries = world.agents[0]
        .ladder
        .iter()
        .filter(|(_, _, _, text)| by_stream(text));
    assert_eq!(tries.count(), 1);
    let contacts = |text: &&String| text.contains("transport=tcp");
    let ladder = &world.agents[0].ladder;
    assert_eq!(
        ladder
            .iter()
            .map(|(_, _, _, text)| text)
            .filter(contacts)
            .count(),
        0
    );
}
