//! Hanging up in each state of a call: it is never swallowed, whatever the far end does not do.

use std::time::Duration;

use super::bench::{Bench, Caller, SDP_BODY, TO_US, US, established, invite, request};
use super::scenarios::account;
use crate::base::flow::{Output, Transport};
use crate::base::id::AccountId;
use crate::base::uri::Uri;
use crate::sip::message::{Message, Method};
use crate::sip::{AccountSetup, Body, Census, SessionId, SipEvent, Status};

const RELIABLE: &str = "Supported: 100rel\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n";

/// The method or status code of each message.
fn words(sent: &[Message]) -> Vec<String> {
    sent.iter()
        .map(|message| match (message.method(), message.code()) {
            (Some(method), _) => method.to_string(),
            (None, code) => code.unwrap_or_default().to_string(),
        })
        .collect()
}

/// Hangs up, gives what is sent at once, and makes sure that the call ends although the far end is
/// silent from now on.
fn hung_up(bench: &mut Bench) -> Vec<String> {
    let (now, session) = (bench.now, bench.any_session());
    bench.endpoint.hang_up(now, session).unwrap();
    let at_once = words(&bench.sent());
    // A 2xx waits for its ACK, then the BYE for its answer.
    let later = words(&bench.wait(Duration::from_secs(66)));
    assert!(bench.end().is_some(), "{at_once:?}, then {later:?}");
    bench.wait(Duration::from_secs(60));
    assert_eq!(bench.endpoint.census(), Census::default());
    at_once
}

fn caller_with(code: u16, rseq: Option<u32>) -> Caller {
    let mut caller = Caller::new();
    let answer = caller.answer(code, "a", rseq, "v=1");
    caller.take(&answer);
    caller
}

#[test]
fn a_call_that_we_make_is_cancelled_or_ended() {
    let mut bench = Bench::new();
    let target = Uri::parse("sip:x@10.0.0.200:5070").unwrap();
    bench
        .endpoint
        .invite(bench.now, None, &target, &[])
        .unwrap();
    bench.drain();
    assert!(hung_up(&mut bench).is_empty(), "before the offer");

    let mut caller = Caller::new();
    assert!(
        hung_up(&mut caller.bench).is_empty(),
        "no CANCEL before a 1xx"
    );
    for (code, rseq) in [(100, None), (180, None), (183, Some(1))] {
        let mut caller = caller_with(code, rseq);
        assert_eq!(hung_up(&mut caller.bench), ["CANCEL"], "after {code}");
    }
    let mut caller = caller_with(200, None);
    assert_eq!(hung_up(&mut caller.bench), ["BYE"], "in the call");
}

/// A call to a name with two servers, answered early by one phone and then refused so that it is
/// tried once more; gives the INVITE of that second attempt.
fn tried_again(code: u16) -> (Bench, SessionId, Message) {
    let mut bench = Bench::for_accounts(None);
    let places = [201, 202].map(|last| (Transport::Udp, ([10, 0, 0, last], 5060).into()));
    bench.names.insert("sim.example".to_owned(), places.into());
    let setup = AccountSetup {
        registrar: None,
        ..account("bob")
    };
    let (now, id) = (bench.now, AccountId(1));
    bench.endpoint.add_account(now, id, setup);
    let session = bench.call(Some(id), "sip:x@sim.example");
    let invite = bench.sent().remove(0);
    bench.datagram_bytes(&Message::response(&invite, 100, "Trying", None).to_bytes());
    let mut early = Message::response(&invite, 183, "Progress", Some("first"));
    early.headers.push("Contact", "<sip:x@10.0.0.77>");
    early.set_body(&Body::sdp("v=early"));
    bench.datagram_bytes(&early.to_bytes());
    let mut refusal = Message::response(&invite, code, "Again", Some("proxy"));
    let headers = &mut refusal.headers;
    headers.push(
        "Proxy-Authenticate",
        "Digest realm=\"sim.example\", nonce=\"n\"",
    );
    headers.push("Min-SE", "3000");
    let sent = bench.datagram_bytes(&refusal.to_bytes());
    assert_eq!(words(&sent), ["ACK", "INVITE"], "{code}");
    assert_ne!(sent[1].branch(), invite.branch());
    (bench, session, sent[1].clone())
}

/// Whether a provisional answer came was once remembered for the call, not for the attempt: where
/// the next INVITE was lost or overtaken, a phone rang and nobody was there any more.
#[test]
fn a_hang_up_after_another_attempt_waits_for_a_1xx_of_that_attempt() {
    for code in [407, 422, 503] {
        let (mut bench, session, again) = tried_again(code);
        let now = bench.now;
        bench.endpoint.hang_up(now, session).unwrap();
        assert!(bench.sent().is_empty(), "{code}: no CANCEL before a 1xx");
        let trying = Message::response(&again, 100, "Trying", None);
        let sent = bench.datagram_bytes(&trying.to_bytes());
        assert_eq!(words(&sent), ["CANCEL"], "{code}");
        assert_eq!(sent[0].branch(), again.branch(), "{code}");
        bench.wait(Duration::from_secs(100));
        assert!(bench.end().is_some(), "{code}");
        assert_eq!(bench.endpoint.census(), Census::default(), "{code}");
    }
}

#[test]
fn the_early_dialogs_of_a_target_that_failed_are_over() {
    for code in [407, 422, 503] {
        let (bench, session, _) = tried_again(code);
        assert_eq!(bench.endpoint.census().dialogs, 0, "{code}");
        let ended = bench.events.iter().any(|event| {
            matches!(event, SipEvent::Progress { session: of, fork, status, .. }
                if *of == session && fork == "first" && status.code == 199)
        });
        assert!(ended, "{code}: {:?}", bench.events);
    }
}

#[test]
fn a_call_that_we_get_is_refused_or_ended() {
    let mut bench = Bench::new();
    bench.datagram(&invite("1"));
    assert_eq!(hung_up(&mut bench), ["603"], "before it rings");
    for body in [None, Some(Body::sdp("v=1"))] {
        for accepted in [false, true] {
            let mut bench = Bench::new();
            bench.datagram(&request("INVITE", US, "1", TO_US, 1, RELIABLE));
            let (now, session) = (bench.now, bench.session());
            bench.endpoint.ring(now, session, body.clone()).unwrap();
            bench.sent();
            let waits = accepted && body.is_some();
            if waits {
                let answer = Body::sdp("v=1");
                bench.endpoint.answer(now, session, answer).unwrap();
                assert!(bench.sent().is_empty());
            }
            assert_eq!(hung_up(&mut bench), ["603"], "{body:?} {waits}");
        }
    }
    let mut bench = Bench::new();
    established(&mut bench);
    assert_eq!(hung_up(&mut bench), ["BYE"], "in the call");
}

/// The answers to an INVITE and to its CANCEL belong to one dialog (RFC 3261 section 9.2).
#[test]
fn the_answer_to_a_cancel_has_the_tag_of_the_answers_to_its_invite() {
    type Answer = fn(&mut Bench) -> Message;
    let accepted: Answer = Bench::answer;
    let refused: Answer = |bench| {
        let (now, session) = (bench.now, bench.session());
        let busy = Status::new(486, "Busy Here");
        bench.endpoint.reject(now, session, busy, &[]).unwrap();
        bench.sent().remove(0)
    };
    let rings: Answer = |bench| {
        let (now, session) = (bench.now, bench.session());
        bench.endpoint.ring(now, session, None).unwrap();
        bench.sent().remove(0)
    };
    for answer in [accepted, refused, rings] {
        let mut bench = Bench::new();
        bench.datagram(&invite("1"));
        let first = answer(&mut bench);
        let sent = bench.datagram(&request("CANCEL", US, "1", TO_US, 1, ""));
        assert_eq!(sent[0].code(), Some(200));
        assert_eq!(sent[0].to_tag(), first.to_tag(), "after {:?}", first.code());
    }
    // Refused before it was a call.
    let mut bench = Bench::new();
    let odd = request("INVITE", US, "1", TO_US, 1, "Require: odd");
    let first = bench.datagram(&odd).remove(0);
    let sent = bench.datagram(&request("CANCEL", US, "1", TO_US, 1, ""));
    assert_eq!(sent[0].to_tag(), first.to_tag());
}

/// The hang-up before the ACK is kept; it must not depend on an ACK that never comes.
#[test]
fn a_hang_up_before_the_ack_becomes_a_bye_with_the_ack_or_without() {
    let mut bench = Bench::new();
    bench.datagram(&invite("1"));
    bench.answer();
    let (now, session) = (bench.now, bench.session());
    bench.endpoint.hang_up(now, session).unwrap();
    assert!(bench.sent().is_empty());
    let before = words(&bench.wait(Duration::from_secs(31)));
    assert!(before.iter().all(|word| word == "200"), "{before:?}");
    let after = words(&bench.wait(Duration::from_secs(2)));
    assert!(after.contains(&"BYE".to_owned()), "{after:?}");

    // What proves that the 200 arrived serves as the ACK.
    let mut bench = Bench::new();
    bench.datagram(&invite("1"));
    let ok = bench.answer();
    let (now, session) = (bench.now, bench.session());
    bench.endpoint.hang_up(now, session).unwrap();
    let to = ok.header("To").unwrap();
    let sent = bench.datagram(&request("INVITE", US, "r", to, 2, SDP_BODY));
    let sent = words(&sent);
    assert!(sent.contains(&"BYE".to_owned()), "{sent:?}");
    assert!(sent.contains(&"481".to_owned()), "{sent:?}");
    // Hanging up twice is said to be too late, and changes nothing.
    assert!(bench.endpoint.hang_up(bench.now, session).is_err());
}

#[test]
fn a_change_that_is_under_way_does_not_hold_up_the_end() {
    // Ours.
    let mut bench = Bench::new();
    established(&mut bench);
    let (now, session) = (bench.now, bench.session());
    bench
        .endpoint
        .reinvite(now, session, Body::sdp("v=1"))
        .unwrap();
    assert_eq!(words(&bench.sent()), ["INVITE"]);
    assert_eq!(hung_up(&mut bench), ["BYE"]);
    // Theirs, before and after our answer to it.
    for answered in [false, true] {
        let mut bench = Bench::new();
        let to = established(&mut bench);
        bench.datagram(&request("INVITE", US, "r", &to, 2, SDP_BODY));
        let (now, session) = (bench.now, bench.session());
        if answered {
            let (ok, body) = (Status::new(200, "OK"), Body::sdp("v=1"));
            let answer = bench.endpoint.answer_reinvite(now, session, ok, Some(body));
            answer.unwrap();
            bench.sent();
        }
        let expected: &[&str] = if answered { &["BYE"] } else { &["487", "BYE"] };
        assert_eq!(hung_up(&mut bench), expected);
    }
}

/// A BYE once waited for the look-up of an address that the call itself had come from.
#[test]
fn the_bye_to_where_the_call_came_from_asks_no_resolver() {
    let mut bench = Bench::new();
    established(&mut bench);
    let (now, session) = (bench.now, bench.session());
    bench.endpoint.hang_up(now, session).unwrap();
    match bench.endpoint.poll_output() {
        Some(Output::Datagram { bytes, .. }) => assert!(bytes.starts_with(b"BYE ")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_resolver_that_never_answers_does_not_keep_the_bye_for_ever() {
    let mut bench = Bench::new();
    let far = invite("1").replace("sip:peer@10.0.0.200:5070", "sip:peer@far.silent");
    bench.datagram(&far);
    let ok = bench.answer();
    bench.datagram(&request("ACK", US, "a", ok.header("To").unwrap(), 1, ""));
    let (now, session) = (bench.now, bench.session());
    bench.endpoint.hang_up(now, session).unwrap();
    assert!(bench.sent().is_empty());
    let sent = words(&bench.wait(Duration::from_secs(33)));
    assert_eq!(
        sent.first().map(String::as_str),
        Some("BYE"),
        "where it came from"
    );
}

#[test]
fn a_call_whose_stream_is_gone_is_ended_by_a_new_one() {
    let mut bench = Bench::new();
    let connection = bench.accept_stream();
    let by_tcp = |text: String| {
        text.replace("/UDP", "/TCP")
            .replace("10.0.0.200:5070>", "10.0.0.200:5070;transport=tcp>")
    };
    bench.stream(connection, &by_tcp(invite("1")));
    let (now, session) = (bench.now, bench.session());
    bench
        .endpoint
        .answer(now, session, Body::sdp("v=0"))
        .unwrap();
    let sent = bench.drain();
    let Some(Output::Stream { bytes, .. }) = sent.first() else {
        panic!("{sent:?}")
    };
    let ok = crate::sip::parse::message(bytes).unwrap();
    let ack = request("ACK", US, "a", ok.header("To").unwrap(), 1, "");
    bench.stream(connection, &by_tcp(ack));
    bench
        .endpoint
        .handle_connection_closed(now, connection, None);
    bench.endpoint.hang_up(now, session).unwrap();
    let sent = bench.drain();
    assert!(
        sent.iter().any(|it| matches!(it, Output::Connect { .. })),
        "{sent:?}"
    );
    // Nobody accepts it: the call ends all the same.
    bench.wait(Duration::from_secs(40));
    assert!(matches!(bench.end(), Some(SipEvent::Ended { .. })));
}

#[test]
fn a_refused_hang_up_says_why() {
    let mut bench = Bench::new();
    established(&mut bench);
    let (now, session) = (bench.now, bench.session());
    bench.endpoint.hang_up(now, session).unwrap();
    let bye = bench.sent().remove(0);
    assert_eq!(bye.method(), Some(&Method::Bye));
    let twice = bench.endpoint.hang_up(now, session).unwrap_err();
    assert!(twice.to_string().contains("ending"));
    let ok = Message::response(&bye, 200, "OK", None);
    bench.datagram_bytes(&ok.to_bytes());
    let late = bench.endpoint.hang_up(now, session).unwrap_err();
    assert!(late.to_string().contains("over"));
}
