//! Requests inside a call, and the way that they take: numbers, changes, digits, route sets and targets
//! (RFC 3261 sections 12.2, 14, 15 and 17.1.1.3, RFC 3311, RFC 6086).

use std::time::Duration;

use super::bench::{Bench, LONG, SDP_BODY, TO_US, US, established, invite, peer, request};
use super::scenarios::account;
use crate::base::flow::Output;
use crate::base::id::AccountId;
use crate::base::uri::Uri;
use crate::sip::message::{Message, Method};
use crate::sip::{Body, Census, EndedBy, SipError, SipEvent, Status};

#[test]
fn a_strict_router_in_the_way_gets_its_request_uri() {
    let mut bench = Bench::new();
    let routed = format!("Record-Route: <sip:10.0.0.90>, <sip:10.0.0.91;lr>\r\n{SDP_BODY}");
    bench.datagram(&request("INVITE", US, "1", TO_US, 1, &routed));
    let ok = bench.answer();
    assert_eq!(ok.headers.values("Record-Route").count(), 2);
    bench.datagram(&request("ACK", US, "2", ok.header("To").unwrap(), 1, ""));
    let session = bench.session();
    bench.endpoint.hang_up(bench.now, session).unwrap();
    let bye = bench.sent().remove(0);
    assert_eq!(bye.uri().unwrap().to_string(), "sip:10.0.0.90");
    assert_eq!(
        bye.headers.values("Route").collect::<Vec<_>>(),
        ["<sip:10.0.0.91;lr>", "<sip:peer@10.0.0.200:5070>"]
    );
}

#[test]
fn a_lower_number_gets_500_and_when_to_come_back() {
    let mut bench = Bench::new();
    let to = established(&mut bench);
    assert_eq!(
        bench.codes(&request("INVITE", US, "r", &to, 9, SDP_BODY)),
        [100]
    );
    let sent = bench.datagram(&request("OPTIONS", US, "o", &to, 8, ""));
    assert_eq!(sent[0].code(), Some(500));
    assert!(sent[0].seconds("Retry-After").unwrap() <= 10);
    // A second re-INVITE before the first is answered, too (section 14.2).
    let sent = bench.datagram(&request("INVITE", US, "s", &to, 10, SDP_BODY));
    assert_eq!(sent[0].code(), Some(500));
    assert!(sent[0].seconds("Retry-After").is_some());
}

#[test]
fn requests_inside_a_call_are_answered() {
    let mut bench = Bench::new();
    let to = established(&mut bench);
    assert_eq!(bench.codes(&request("OPTIONS", US, "1", &to, 2, "")), [200]);
    let moved = request("UPDATE", US, "2", &to, 3, "").replace(":5070>", ":5071>");
    let sent = bench.datagram(&moved);
    assert_eq!(sent[0].code(), Some(200));
    assert!(sent[0].contact().is_some());
    let digit = "Content-Type: application/dtmf-relay\r\n\r\nSignal=5\r\nDuration=160\r\n";
    assert_eq!(bench.codes(&request("INFO", US, "3", &to, 4, digit)), [200]);
    assert!(
        bench
            .events
            .iter()
            .any(|e| matches!(e, SipEvent::InfoDigit { digit: '5', .. }))
    );
    let odd = "Content-Type: application/x\r\n\r\nx";
    assert_eq!(bench.codes(&request("INFO", US, "4", &to, 5, odd)), [415]);
    assert_eq!(bench.codes(&request("INFO", US, "5", &to, 6, "")), [200]);
    assert_eq!(bench.codes(&request("PUBLISH", US, "6", &to, 7, "")), [405]);
    assert_eq!(bench.codes(&request("NEW", US, "7", &to, 8, "")), [501]);
    let stranger = request("BYE", US, "8", &to, 9, "").replace("tag=p1", "tag=p2");
    assert_eq!(bench.codes(&stranger), [481]);
    let reason = "Reason: Q.850;cause=16";
    assert_eq!(
        bench.codes(&request("BYE", US, "9", &to, 10, reason)),
        [200]
    );
    assert!(matches!(
        bench.end(),
        Some(SipEvent::Ended { by: EndedBy::Remote, reason: Some(r), .. }) if r == "Q.850;cause=16"
    ));
    assert_eq!(bench.codes(&request("BYE", US, "10", &to, 11, "")), [481]);
    bench.wait(LONG);
    assert_eq!(bench.endpoint.census(), Census::default());
}

#[test]
fn a_change_is_asked_of_the_owner_and_its_2xx_repeated_until_the_ack() {
    let mut bench = Bench::new();
    let to = established(&mut bench);
    let session = bench.session();
    let status = Status::new(200, "OK");
    let early = bench
        .endpoint
        .answer_reinvite(bench.now, session, status.clone(), None);
    assert!(matches!(early, Err(SipError::WrongState(_))));
    assert_eq!(
        bench.codes(&request("INVITE", US, "r", &to, 2, SDP_BODY)),
        [100]
    );
    bench
        .endpoint
        .answer_reinvite(bench.now, session, status, Some(Body::sdp("v=1")))
        .unwrap();
    assert_eq!(bench.sent()[0].body, b"v=1");
    assert_eq!(bench.wait(Duration::from_secs(2)).len(), 2);
    // Our own offer must wait for the ACK; that it does, and goes then, is tested elsewhere.
    bench.datagram(&request("ACK", US, "ra", &to, 2, ""));
    assert!(bench.wait(Duration::from_secs(20)).is_empty());
    // UPDATE with an offer goes the same way, without ACK.
    assert!(
        bench
            .codes(&request("UPDATE", US, "u", &to, 3, SDP_BODY))
            .is_empty()
    );
    let refusal = Status::new(488, "Not Acceptable Here");
    bench
        .endpoint
        .answer_reinvite(bench.now, session, refusal, None)
        .unwrap();
    assert_eq!(bench.sent()[0].code(), Some(488));
    // A hung-up change gets 487.
    bench.datagram(&request("INVITE", US, "r2", &to, 4, SDP_BODY));
    let codes = bench.codes(&request("BYE", US, "b", &to, 5, ""));
    assert_eq!(codes, [200, 487]);
}

#[test]
fn a_changed_contact_is_the_new_target() {
    let mut bench = Bench::new();
    let to = established(&mut bench);
    let moved = request("INVITE", US, "r", &to, 2, SDP_BODY).replace("0:5070>", "0:5099>");
    bench.datagram(&moved);
    let session = bench.session();
    let status = Status::new(200, "OK");
    bench
        .endpoint
        .answer_reinvite(bench.now, session, status, Some(Body::sdp("v=1")))
        .unwrap();
    bench.sent();
    bench.datagram(&request("ACK", US, "ra", &to, 2, ""));
    bench.endpoint.hang_up(bench.now, session).unwrap();
    let bye = bench.sent().remove(0);
    assert_eq!(bye.uri().unwrap().to_string(), "sip:peer@10.0.0.200:5099");
}

/// Browsers name hosts that nobody can resolve, and transports that we do not speak.
#[test]
fn a_contact_that_leads_nowhere_is_reached_where_the_call_came_from() {
    for contact in [
        "sip:x@abc.invalid",
        "sip:x@abc.invalid;transport=ws",
        "sip:x@h;transport=sctp",
    ] {
        let mut bench = Bench::new();
        bench.datagram(&invite("i").replace("sip:peer@10.0.0.200:5070", contact));
        let ok = bench.answer();
        bench.datagram(&request("ACK", US, "a", ok.header("To").unwrap(), 1, ""));
        let session = bench.session();
        bench.endpoint.hang_up(bench.now, session).unwrap();
        match bench.drain().as_slice() {
            [Output::Datagram { remote, bytes }] => {
                assert_eq!(*remote, peer());
                assert!(bytes.starts_with(format!("BYE {contact} ").as_bytes()));
            }
            other => panic!("{contact}: {other:?}"),
        }
    }
}

#[test]
fn the_ack_of_a_refusal_has_the_branch_and_route_of_the_invite() {
    let mut bench = Bench::new();
    let id = AccountId(1);
    let mut setup = account("us");
    setup.registrar = None;
    setup.outbound_proxy = Some(Uri::parse("sip:10.0.0.90").unwrap());
    bench.endpoint.add_account(bench.now, id, setup);
    bench.call(Some(id), "sip:x@far.example");
    let invite = bench.sent().remove(0);
    let busy = Message::response(&invite, 486, "Busy", Some("t"));
    let ack = bench.datagram_bytes(&busy.to_bytes()).remove(0);
    assert_eq!(ack.method().unwrap().as_str(), "ACK");
    assert_eq!(ack.branch(), invite.branch());
    assert_eq!(ack.header("Route"), Some("<sip:10.0.0.90;lr>"));
    assert_eq!(ack.uri(), invite.uri());
    assert_eq!(ack.to_tag(), "t");
    assert_eq!(ack.headers.values("Via").count(), 1);
}

/// An INFO behind our BYE has the higher number: a BYE that was lost and sent again was refused as out
/// of order, and the far end went on with the call.
#[test]
fn no_digit_goes_out_behind_the_end_of_its_call() {
    let mut bench = Bench::new();
    established(&mut bench);
    let session = bench.session();
    for _ in 0..3 {
        let digit = Body {
            content_type: "application/dtmf".to_owned(),
            bytes: b"1".to_vec(),
        };
        bench.endpoint.inform(bench.now, session, digit).unwrap();
    }
    let info = bench.sent().remove(0);
    bench.endpoint.hang_up(bench.now, session).unwrap();
    let bye = bench.sent().remove(0);
    assert_eq!(bye.method(), Some(&Method::Bye));
    let answer = Message::response(&info, 200, "OK", None);
    let behind = bench.datagram_bytes(&answer.to_bytes());
    assert!(behind.is_empty(), "{behind:#?}");
}

#[test]
fn digits_go_by_info_one_after_the_other_and_a_refusal_ends_them() {
    let mut bench = Bench::new();
    established(&mut bench);
    let session = bench.session();
    let digit = |digit: u8| Body {
        content_type: "application/dtmf".to_owned(),
        bytes: vec![digit],
    };
    for number in *b"123" {
        bench
            .endpoint
            .inform(bench.now, session, digit(number))
            .unwrap();
    }
    let mut sent = bench.sent();
    for number in *b"12" {
        assert_eq!(sent.len(), 1, "the next one waits for the answer");
        let info = sent.remove(0);
        assert_eq!(info.method(), Some(&Method::Info));
        assert_eq!(info.body, [number]);
        let code = if number == b'1' { 200 } else { 415 };
        let answer = Message::response(&info, code, "Phrase", None);
        sent = bench.datagram_bytes(&answer.to_bytes());
    }
    assert!(sent.is_empty(), "after the refusal none is sent");
    assert!(bench.events.iter().any(|event| matches!(
        event,
        SipEvent::InformationRefused { status, .. } if status.code == 415
    )));
    for number in 0..64 {
        bench
            .endpoint
            .inform(bench.now, session, digit(number))
            .unwrap();
    }
    bench.endpoint.inform(bench.now, session, digit(0)).unwrap();
    let full = bench.endpoint.inform(bench.now, session, digit(0));
    assert!(matches!(full, Err(SipError::Limit(_))), "{full:?}");
}
