//! Faults that were seen in other stacks, each with the test that it stays away from this one.

use std::time::Duration;

use super::agent::Act;
use super::bench::{
    Bench, Caller, LONG, OURS, SDP_BODY, TO_US, US, established, invite, peer, request,
};
use super::scenarios::{account, ended_by, finish, world_with_registrar};
use super::streams::options;
use super::world::Link;
use crate::base::flow::Output;
use crate::base::id::AccountId;
use crate::base::uri::Uri;
use crate::sip::message::Method;
use crate::sip::wire::MAX_MESSAGE;
use crate::sip::{Body, Census, SipEvent};

const SECOND: Duration = Duration::from_secs(1);

/// A PRACK without the route set and the target of its provisional answer never arrived.
#[test]
fn a_prack_goes_by_the_route_to_the_contact_of_the_answer() {
    let mut caller = Caller::new();
    let mut progress = caller.answer(183, "a", Some(41), "v=1");
    progress.headers.push(
        "Record-Route",
        "<sip:10.0.0.92;lr>, <sip:10.0.0.91:5077;lr>",
    );
    caller
        .bench
        .endpoint
        .handle_datagram(caller.bench.now, peer(), OURS, &progress.to_bytes());
    let outputs = caller.bench.drain();
    let [Output::Datagram { remote, bytes }] = outputs.as_slice() else {
        panic!("{outputs:?}")
    };
    assert_eq!(remote.to_string(), "10.0.0.91:5077");
    let prack = crate::sip::parse::message(bytes).unwrap();
    assert_eq!(prack.method(), Some(&Method::Prack));
    assert_eq!(prack.uri().unwrap().to_string(), "sip:a@10.0.0.200:5099");
    assert_eq!(
        prack.headers.values("Route").collect::<Vec<_>>(),
        ["<sip:10.0.0.91:5077;lr>", "<sip:10.0.0.92;lr>"]
    );
    assert_eq!(prack.header("RAck"), Some("41 1 INVITE"));
    assert_eq!(prack.cseq(), Some((2, Method::Prack)));
    assert_eq!(prack.to_tag(), "a");
    assert_eq!(caller.progress(), [("a".to_owned(), 183, true)]);
}

/// A 2xx that came while a PRACK was under way was once left without ACK.
#[test]
fn a_2xx_is_acknowledged_while_a_prack_is_pending() {
    let mut caller = Caller::new();
    let progress = caller.answer(183, "a", Some(1), "v=1");
    let prack = caller.take(&progress).remove(0);
    let ok = caller.answer(200, "a", None, "");
    let sent = caller.take(&ok);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].cseq(), Some((1, Method::Ack)));
    let answered = |event: &SipEvent| matches!(event, SipEvent::Answered { fork, body: None, .. } if fork == "a");
    assert!(caller.bench.events.iter().any(answered));
    caller.ok(&prack);
    // The dialog goes on counting after the PRACK.
    caller
        .bench
        .endpoint
        .hang_up(caller.bench.now, caller.session)
        .unwrap();
    assert_eq!(caller.bench.sent()[0].cseq(), Some((3, Method::Bye)));
}

/// An UPDATE that came before the answer was once refused with 481.
#[test]
fn an_early_update_belongs_to_its_call() {
    let mut bench = Bench::new();
    bench.datagram(&invite("1"));
    let session = bench.session();
    bench.endpoint.ring(bench.now, session, None).unwrap();
    let ringing = bench.sent().remove(0);
    let to = ringing.header("To").unwrap();
    assert_eq!(bench.codes(&request("UPDATE", US, "2", to, 2, "")), [200]);
    // With an offer it is too early: the first offer is not answered yet (RFC 3311 section 5.2).
    let sent = bench.datagram(&request("UPDATE", US, "3", to, 3, SDP_BODY));
    assert_eq!(sent[0].code(), Some(500));
    assert!(sent[0].seconds("Retry-After").is_some());
    assert_eq!(bench.endpoint.census().sessions, 1);
}

/// Other phones gave up with a 408 of their own after three minutes of ringing.
#[test]
fn ringing_is_not_ended_by_any_timer_but_the_users() {
    let mut world = world_with_registrar(4, Link::PERFECT);
    for user in ["anna", "ben"] {
        let agent = world.add_agent(false);
        let mut setup = account(user);
        setup.ring_limit = Duration::from_secs(1000);
        world.add_account(agent, setup);
    }
    world.run_for(SECOND);
    let ben = Uri::parse("sip:ben@sim.example").unwrap();
    let call = world.call(0, Some(AccountId(0)), &ben, "call");
    world.run_for(SECOND);
    world.act(0, call, Act::Offer);
    world.run_for(SECOND);
    let session = world.incoming(1, "call").unwrap().session;
    world.act(1, session, Act::Ring);
    world.run_for(Duration::from_secs(600));
    assert!(ended_by(&world, 0).is_empty());
    // 180 is repeated each minute for the proxies in between (section 13.3.1.1).
    assert_eq!(world.count(1, true, "SIP/2.0 180"), 11);
    world.act(1, session, Act::Answer);
    world.run_for(SECOND);
    assert!(world.saw(0, |e| matches!(e, SipEvent::Answered { .. })));
    world.act(1, session, Act::HangUp);
    finish(&mut world);
}

/// Methods that a stack did not know were met with silence, and repeated for 32 s.
#[test]
fn an_unknown_method_is_answered_outside_and_inside_of_a_call() {
    let mut bench = Bench::new();
    let sent = bench.datagram(&request("DANCE", US, "1", TO_US, 1, ""));
    assert_eq!(sent[0].code(), Some(501));
    assert!(sent[0].header("Allow").unwrap().contains("INVITE"));
    let to = established(&mut bench);
    let sent = bench.datagram(&request("DANCE", US, "2", &to, 2, ""));
    assert_eq!(sent[0].code(), Some(501));
    assert!(bench.end().is_none(), "the call goes on");
    // A copy gets the same answer again.
    assert_eq!(bench.codes(&request("DANCE", US, "2", &to, 2, "")), [501]);
}

/// One bad message once ended the connection, and with it every call on it.
#[test]
fn a_bad_message_does_not_end_a_stream() {
    let mut bench = Bench::new();
    let connection = bench.accept_stream();
    let bad = options("1").replace("CSeq: 1", "CSeq: none");
    let (written, closed) = bench.stream(connection, &bad);
    assert!(written.starts_with("SIP/2.0 400"), "{written}");
    assert!(!closed);
    let (written, closed) = bench.stream(connection, &options("2"));
    assert!(written.starts_with("SIP/2.0 200"), "{written}");
    assert!(!closed);
    assert!(written.contains("Content-Length: 0\r\n"));
}

/// Two copies of one INVITE that took different ways once made two dialogs.
#[test]
fn a_merged_invite_is_a_loop_and_no_second_call() {
    let mut bench = Bench::new();
    assert_eq!(bench.codes(&invite("1")), [100]);
    assert_eq!(bench.codes(&invite("2")), [482]);
    // A repetition of the first is none.
    assert_eq!(bench.codes(&invite("1")), [100]);
    assert_eq!(bench.endpoint.census().sessions, 1);
}

/// A datagram that claims to be longer than it is was taken as if it were whole.
#[test]
fn a_length_beyond_the_datagram_is_refused() {
    let mut bench = Bench::new();
    let cut_off = invite("1").replace("Content-Length: 5", "Content-Length: 6");
    let sent = bench.datagram(&cut_off);
    assert_eq!(sent[0].code(), Some(400), "RFC 3261 section 18.3");
    assert!(bench.incoming().is_none());
    // Octets beyond the length are left out.
    let longer = invite("2").replace("Content-Length: 5", "Content-Length: 3");
    assert_eq!(bench.codes(&longer), [100]);
    let offer = bench.incoming().unwrap().offer.clone();
    assert_eq!(offer, Some(Body::sdp("v=0")));
    assert_eq!(bench.endpoint.census().sessions, 1);
}

/// White space before the colon made the length invisible, and the body the next message.
#[test]
fn a_length_with_space_before_its_colon_frames_the_stream() {
    let mut bench = Bench::new();
    let connection = bench.accept_stream();
    let first = request("INVITE", US, "1", TO_US, 1, SDP_BODY)
        .replace("/UDP", "/TCP")
        .replace("Content-Length: 5", "Content-Length \t : 5");
    let two = format!("{first}{}", options("2").replace("call-1", "call-2"));
    let (written, closed) = bench.stream(connection, &two);
    assert!(!closed);
    assert!(written.contains("SIP/2.0 100 "), "{written}");
    assert!(written.contains("SIP/2.0 200 "), "{written}");
    assert_eq!(bench.incoming().unwrap().offer, Some(Body::sdp("v=0\r\n")));
}

/// A length of more than a machine word overflowed, to zero or into a panic.
#[test]
fn a_huge_length_is_refused_and_allocates_nothing() {
    for length in [
        "65536",
        "2147483648",
        "4294967296",
        "4294967301",
        "18446744073709551615",
        "18446744073709551621",
        "99999999999999999999999999999999999999999",
    ] {
        let text = invite("1").replace("Content-Length: 5", &format!("Content-Length: {length}"));
        let mut bench = Bench::new();
        let sent = bench.datagram(&text);
        assert_eq!(sent[0].code(), Some(400), "{length}");
        let connection = bench.accept_stream();
        let (written, closed) = bench.stream(connection, &text.replace("/UDP", "/TCP"));
        let refused = written.contains("SIP/2.0 400 ") || written.contains("SIP/2.0 513 ");
        assert!(refused && closed, "{length}: {written}");
        assert_eq!(bench.endpoint.census().sessions, 0);
    }
}

/// `sip:a%20b@h` was written back as `sip:a%2520b@h`, and the BYE reached nobody.
#[test]
fn the_contact_is_written_back_with_its_escapes() {
    let mut bench = Bench::new();
    let escaped = "sip:a%20b;x=%C3%A9@10.0.0.200:5070;p=%31";
    let text = invite("1").replace("sip:peer@10.0.0.200:5070", escaped);
    bench.datagram(&text);
    let ok = bench.answer();
    bench.datagram(&request("ACK", US, "2", ok.header("To").unwrap(), 1, ""));
    let session = bench.session();
    bench.endpoint.hang_up(bench.now, session).unwrap();
    let bye = bench.sent().remove(0);
    assert_eq!(bye.uri().unwrap().to_string(), escaped);
}

/// Authorization header fields stood in logs.
#[test]
fn credentials_never_reach_the_trace() {
    let mut bench = Bench::new();
    let secret = "Authorization: Digest username=\"u\", response=\"abcdef\"\r\n\
        Proxy-Authorization: Digest response=\"fedcba\"";
    bench.datagram(&request("OPTIONS", US, "1", TO_US, 1, secret));
    let all = bench.traces.concat();
    assert!(all.contains("\nAuthorization: "), "{all}");
    assert!(!all.contains("abcdef") && !all.contains("fedcba"));
}

/// A flood of requests once grew the memory until the process was ended.
#[test]
fn too_many_transactions_are_refused_and_do_not_grow() {
    let mut bench = Bench::with_sessions(10);
    let mut refused = 0;
    for number in 0..5000 {
        let text = request("OPTIONS", US, &format!("n{number}"), TO_US, 1, "")
            .replace("call-1", &format!("call-{number}"));
        if bench.codes(&text) == [503] {
            refused += 1;
        }
    }
    // What one source may take, of 4096.
    assert_eq!(bench.endpoint.census().transactions, 2560);
    assert_eq!(refused, 5000 - 2560);
    bench.wait(LONG);
    assert_eq!(bench.endpoint.census(), Census::default());
}

/// A phone for thousands of calls once refused the fourth second of a thousand calls each.
#[test]
fn a_phone_for_many_calls_keeps_as_many_ended_transactions() {
    let mut bench = Bench::with_sessions(100_000);
    for number in 0..10_000 {
        let text = request("OPTIONS", US, &format!("n{number}"), TO_US, 1, "")
            .replace("call-1", &format!("call-{number}"));
        assert_eq!(bench.codes(&text), [200]);
    }
    assert_eq!(bench.endpoint.census().transactions, 10_000);
    // Each still answers its repetition, though it has forgotten its request.
    let again = request("OPTIONS", US, "n0", TO_US, 1, "").replace("call-1", "call-0");
    assert_eq!(bench.codes(&again), [200]);
    assert_eq!(bench.endpoint.census().transactions, 10_000);
}

/// So did streams whose messages never end, and one message without an end.
#[test]
fn a_stream_without_an_end_is_cut_off() {
    let mut bench = Bench::new();
    let connection = bench.accept_stream();
    let endless = "X: ".to_owned() + &"y".repeat(16 * 1024);
    bench.stream(connection, "OPTIONS sip:us@10.0.0.1 SIP/2.0\r\n");
    let mut pushed = 0;
    let closed = (0..100).any(|_| {
        pushed += endless.len();
        bench.stream(connection, &endless).1
    });
    assert!(closed);
    assert!(pushed <= MAX_MESSAGE + 2 * endless.len(), "{pushed}");
}
