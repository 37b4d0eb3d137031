//! What a user agent server must answer, and what it must not.

use std::time::Duration;

use super::bench::{Bench, SDP_BODY, TO_US, established, invite, peer, request};
use crate::base::uri::Uri;
use crate::sip::message::{Message, Method};
use crate::sip::{Body, Census, EndedBy, SipError, SipEvent, Status};

const US: &str = "sip:us@10.0.0.1";
const LONG: Duration = Duration::from_secs(200);

#[test]
fn a_call_gets_100_at_once_and_the_owner_learns_all_about_it() {
    let mut bench = Bench::new();
    let more = format!(
        "P-Asserted-Identity: <tel:+15550100>, \"Real\" <sip:real@10.0.0.200>\r\n\
         Diversion: <sip:first@10.0.0.9>;reason=no-answer\r\nAlert-Info: <urn:x>\r\n{SDP_BODY}"
    );
    let sent = bench.datagram(&request("INVITE", US, "1", TO_US, 1, &more));
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].code(), Some(100));
    assert_eq!(sent[0].to_tag(), "");
    let call = bench.incoming().unwrap();
    assert_eq!(call.from.display_name.as_deref(), Some("Peer"));
    assert_eq!(call.source, peer());
    assert!(!call.caller.trusted);
    assert_eq!(call.caller.asserted, None, "a stranger asserts nothing");
    let way: Vec<_> = call
        .caller
        .via
        .iter()
        .map(|step| step.by.uri.to_string())
        .collect();
    assert_eq!(way, ["sip:first@10.0.0.9"]);
    assert_eq!(call.offer.as_ref().unwrap().bytes, b"v=0\r\n");
    assert!(
        call.headers
            .contains(&("Alert-Info".into(), "<urn:x>".into()))
    );
}

#[test]
fn a_late_offer_is_answered_in_the_ack() {
    let mut bench = Bench::new();
    bench.datagram(&request("INVITE", US, "1", TO_US, 1, ""));
    assert_eq!(bench.incoming().unwrap().offer, None);
    let ok = bench.answer();
    assert_eq!(ok.body, b"v=0");
    let to = ok.header("To").unwrap();
    bench.datagram(&request("ACK", US, "2", to, 1, SDP_BODY));
    assert!(
        bench
            .events
            .iter()
            .any(|e| matches!(e, SipEvent::Confirmed { body: Some(_), .. }))
    );
}

#[test]
fn what_we_do_not_do_is_refused_with_what_we_do() {
    let mut bench = Bench::new();
    let mut refused = |text: &str, code: u16, header: &str, value: &str| {
        let sent = bench.datagram(text);
        assert_eq!(sent.len(), 1, "{text}");
        assert_eq!(sent[0].code(), Some(code), "{text}");
        let shown = sent[0].header(header).unwrap_or_default();
        assert!(shown.contains(value), "{text}: {header}: {shown}");
        assert!(!sent[0].to_tag().is_empty());
    };
    refused(
        &request("DANCE", US, "1", TO_US, 1, ""),
        501,
        "Allow",
        "INVITE",
    );
    refused(
        &request("REGISTER", US, "2", TO_US, 2, ""),
        405,
        "Allow",
        "BYE",
    );
    refused(
        &request("PUBLISH", US, "3", TO_US, 3, ""),
        405,
        "Allow",
        "BYE",
    );
    refused(
        &request("INVITE", "tel:+1", "4", TO_US, 4, SDP_BODY),
        416,
        "To",
        "us",
    );
    refused(
        &request("INVITE", "nobody:x", "5", TO_US, 5, SDP_BODY),
        416,
        "To",
        "us",
    );
    let required = format!("Require: path, 100rel\r\nRequire: nothing\r\n{SDP_BODY}");
    refused(
        &request("INVITE", US, "6", TO_US, 6, &required),
        420,
        "Unsupported",
        "nothing",
    );
    let picture = "Content-Type: image/png\r\n\r\npng";
    refused(
        &request("INVITE", US, "7", TO_US, 7, picture),
        415,
        "Accept",
        "application/sdp",
    );
    let zipped = format!("Content-Encoding: gzip\r\n{SDP_BODY}");
    refused(
        &request("INVITE", US, "8", TO_US, 8, &zipped),
        415,
        "Accept-Encoding",
        "identity",
    );
    let text_only = format!("Accept: text/plain\r\n{SDP_BODY}");
    refused(
        &request("INVITE", US, "9", TO_US, 9, &text_only),
        406,
        "To",
        "us",
    );
    let version = request("OPTIONS", US, "10", TO_US, 10, "").replace("1 SIP/2.0", "1 SIP/7.0");
    refused(&version, 505, "To", "us");
    let broken = request("OPTIONS", US, "11", TO_US, 11, "").replace("s: 70", "s: 700");
    refused(&broken, 400, "To", "us");
    refused(
        &request("BYE", US, "12", "<sip:us@h>;tag=x", 12, ""),
        481,
        "To",
        "us",
    );
    refused(&request("BYE", US, "13", TO_US, 13, ""), 481, "To", "us");
    refused(&request("CANCEL", US, "14", TO_US, 14, ""), 481, "To", "us");
    refused(
        &request("NOTIFY", US, "15", TO_US, 15, "Event: dialog"),
        481,
        "To",
        "us",
    );
    refused(
        &request("OPTIONS", US, "16", TO_US, 16, ""),
        200,
        "Accept",
        "sdp",
    );
    let waiting = "Event: message-summary";
    refused(
        &request("NOTIFY", US, "17", TO_US, 17, waiting),
        200,
        "To",
        "us",
    );
}

#[test]
fn an_unanswerable_message_is_silence() {
    let mut bench = Bench::new();
    for text in [
        "rubbish\r\n\r\n".to_owned(),
        request("ACK", US, "1", TO_US, 1, "").replace("CSeq: 1", "CSeq: x"),
        request("ACK", US, "1", "<sip:us@h>;tag=none", 1, ""),
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n\
         To: <sip:b@c>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n"
            .to_owned(),
        "\r\n\r\n".to_owned(),
    ] {
        assert!(bench.datagram(&text).is_empty(), "{text}");
    }
    assert_eq!(bench.endpoint.census(), Census::default());
    assert!(bench.endpoint.discarded() >= 3);
}

#[test]
fn a_user_nobody_has_is_not_found() {
    let mut bench = Bench::new();
    bench.endpoint = crate::sip::Endpoint::new(
        crate::sip::EndpointConfig {
            udp_port: 5060,
            tcp_port: None,
            tls_port: None,
            accept_direct_calls: false,
            user_agent: "Bench".to_owned(),
            max_sessions: 1,
            direct_ring_limit: LONG,
            requests_per_second: None,
            direct_extensions: crate::sip::CallExtensions::default(),
        },
        Box::new(crate::base::random::SeededRandom::new(1)),
    );
    assert_eq!(bench.codes(&invite("1")), [404]);
}

#[test]
fn one_call_more_than_the_limit_is_busy() {
    let mut bench = Bench::with_sessions(1);
    assert_eq!(bench.codes(&invite("1")), [100]);
    let second = invite("2").replace("call-1", "call-2");
    assert_eq!(bench.codes(&second), [486]);
}

#[test]
fn cancel_ends_a_ringing_call_and_tells_why() {
    let mut bench = Bench::new();
    bench.datagram(&invite("1"));
    let session = bench.session();
    bench.endpoint.ring(bench.now, session, None).unwrap();
    assert_eq!(bench.sent()[0].code(), Some(180));
    let reason = "Reason: SIP;cause=200;text=\"Call completed elsewhere\"";
    let codes = bench.codes(&request("CANCEL", US, "1", TO_US, 1, reason));
    assert_eq!(codes, [200, 487]);
    match bench.end() {
        Some(SipEvent::Ended {
            by, status, reason, ..
        }) => {
            assert_eq!((*by, status.code), (EndedBy::Remote, 487));
            assert!(reason.as_ref().unwrap().contains("completed elsewhere"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(
        bench.endpoint.answer(bench.now, session, Body::sdp("")),
        Err(SipError::NoSuchSession)
    );
    // The 487 is repeated until its ACK (timers G and H).
    assert!(bench.wait(Duration::from_secs(10)).len() >= 3);
    let to = "<sip:us@10.0.0.1>;tag=any";
    bench.datagram(&request("ACK", US, "1", to, 1, ""));
    assert!(bench.wait(LONG).is_empty());
    assert_eq!(bench.endpoint.census(), Census::default());
}

#[test]
fn cancel_after_the_answer_changes_nothing() {
    let mut bench = Bench::new();
    bench.datagram(&invite("1"));
    bench.answer();
    assert_eq!(
        bench.codes(&request("CANCEL", US, "1", TO_US, 1, "")),
        [200]
    );
    assert_eq!(bench.endpoint.census().sessions, 1);
    assert!(bench.end().is_none());
}

#[test]
fn a_2xx_is_repeated_from_t1_to_t2_and_ended_by_bye_without_ack() {
    let mut bench = Bench::new();
    bench.datagram(&invite("1"));
    bench.answer();
    let sent = bench.wait(Duration::from_secs(31));
    // 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5 s.
    assert_eq!(sent.iter().filter(|m| m.code() == Some(200)).count(), 9);
    let sent = bench.wait(Duration::from_secs(2));
    assert_eq!(
        sent.iter()
            .filter_map(|m| m.method())
            .map(ToString::to_string)
            .collect::<Vec<_>>()[0],
        "BYE"
    );
    bench.wait(LONG);
    assert!(matches!(
        bench.end(),
        Some(SipEvent::Ended {
            by: EndedBy::Unreachable,
            ..
        })
    ));
    assert_eq!(bench.endpoint.census(), Census::default());
}

#[test]
fn hanging_up_before_the_ack_waits_for_it() {
    let mut bench = Bench::new();
    bench.datagram(&invite("1"));
    let ok = bench.answer();
    let session = bench.session();
    bench.endpoint.hang_up(bench.now, session).unwrap();
    assert!(bench.sent().is_empty());
    let ack = request("ACK", US, "2", ok.header("To").unwrap(), 1, "");
    let sent = bench.datagram(&ack);
    assert_eq!(sent[0].method().unwrap().as_str(), "BYE");
}

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
fn a_message_is_taken_and_an_unreadable_one_refused() {
    let mut bench = Bench::new();
    let text = "Content-Type: text/plain\r\n\r\nhello";
    assert_eq!(
        bench.codes(&request("MESSAGE", US, "1", TO_US, 1, text)),
        [200]
    );
    assert!(matches!(
        bench.events.last(),
        Some(SipEvent::Message { body, .. }) if body.bytes == b"hello"
    ));
    // Nobody but the account's own server says who somebody is.
    let claims = format!("P-Asserted-Identity: <sip:boss@example.com>\r\n{text}");
    bench.datagram(&request("MESSAGE", US, "3", TO_US, 3, &claims));
    assert!(matches!(
        bench.events.last(),
        Some(SipEvent::Message { account: None, caller, .. }) if caller.asserted.is_none()
    ));
    let picture = "Content-Type: image/png\r\n\r\nx";
    assert_eq!(
        bench.codes(&request("MESSAGE", US, "2", TO_US, 2, picture)),
        [415]
    );
}

#[test]
fn the_response_goes_where_the_request_came_from_or_says() {
    use crate::base::flow::Output;
    let mut bench = Bench::new();
    let now = bench.now;
    let from = "192.0.2.7:40000".parse().unwrap();
    let mut to = |text: String| {
        bench
            .endpoint
            .handle_datagram(now, from, super::bench::OURS, text.as_bytes());
        match bench.drain().remove(0) {
            Output::Datagram { remote, bytes } => {
                (remote.to_string(), String::from_utf8(bytes).unwrap())
            }
            other => panic!("{other:?}"),
        }
    };
    let (remote, text) = to(request("OPTIONS", US, "1", TO_US, 1, ""));
    assert_eq!(remote, "192.0.2.7:40000");
    assert!(text.contains(";rport=40000;"), "{text}");
    assert!(text.contains(";received=192.0.2.7"), "{text}");
    let (remote, _) = to(request("OPTIONS", US, "2", TO_US, 2, "").replace(";rport", ""));
    assert_eq!(remote, "192.0.2.7:5070");
    let bare = request("OPTIONS", US, "3", TO_US, 3, "").replace(":5070;rport", "");
    let (remote, _) = to(bare);
    assert_eq!(remote, "192.0.2.7:5060");
}

#[test]
fn a_2543_peer_without_branch_and_tags_can_call() {
    let mut bench = Bench::new();
    let old = invite("x")
        .replace(";rport;branch=z9hG4bKx", "")
        .replace(";tag=p1", "");
    assert_eq!(bench.codes(&old), [100]);
    assert_eq!(bench.codes(&old), [100], "a repetition is no second call");
    let ok = bench.answer();
    let to = ok.header("To").unwrap();
    let ack = request("ACK", US, "x", to, 1, "")
        .replace(";rport;branch=z9hG4bKx", "")
        .replace(";tag=p1", "");
    bench.datagram(&ack);
    assert!(
        bench
            .events
            .iter()
            .any(|e| matches!(e, SipEvent::Confirmed { .. }))
    );
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
            [crate::base::flow::Output::Datagram { remote, bytes }] => {
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
    let id = crate::base::id::AccountId(1);
    let mut setup = super::scenarios::account("us");
    setup.registrar = None;
    setup.outbound_proxy = Some(Uri::parse("sip:10.0.0.90").unwrap());
    bench.endpoint.add_account(bench.now, id, setup);
    let target = Uri::parse("sip:x@far.example").unwrap();
    let call = bench
        .endpoint
        .invite(bench.now, Some(id), &target, &[])
        .unwrap();
    bench.drain();
    bench
        .endpoint
        .offer(bench.now, call, Body::sdp("v=0"))
        .unwrap();
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

#[test]
fn an_offer_among_other_parts_is_found_and_an_optional_body_left_out() {
    let mut bench = Bench::new();
    let parts = "Content-Type: multipart/mixed;boundary=b\r\n\r\n--b\r\nContent-Type: application/isup\r\n\r\n\
        x\r\n--b\r\nContent-Type: application/sdp\r\n\r\nv=7\r\n--b--\r\n";
    assert_eq!(
        bench.codes(&request("INVITE", US, "1", TO_US, 1, parts)),
        [100]
    );
    assert_eq!(bench.incoming().unwrap().offer, Some(Body::sdp("v=7")));
    let optional = "Content-Disposition: x;handling=optional\r\nContent-Type: a/b\r\n\r\nz";
    let other = request("INVITE", US, "2", TO_US, 1, optional).replace("call-1", "call-2");
    assert_eq!(bench.codes(&other), [100]);
    assert_eq!(bench.incoming().unwrap().offer, None);
}

#[test]
fn ipv6_is_written_in_brackets_and_answered_where_it_came_from() {
    use super::bench::OURS_V6;
    let mut bench = Bench::new();
    let target = Uri::parse("sip:x@[2001:db8::5]:5070").unwrap();
    let call = bench
        .endpoint
        .invite(bench.now, None, &target, &[])
        .unwrap();
    bench.drain();
    bench
        .endpoint
        .offer(bench.now, call, Body::sdp("v=0"))
        .unwrap();
    let invite = bench.sent().remove(0);
    assert!(
        invite
            .header("Via")
            .unwrap()
            .starts_with("SIP/2.0/UDP [2001:db8::1]:5060;")
    );
    let contact = invite.contact().unwrap().uri.to_string();
    assert!(contact.ends_with("@[2001:db8::1]:5060"), "{contact}");

    let from = "[2001:db8::5]:5070".parse().unwrap();
    let text = request("OPTIONS", "sip:us@[2001:db8::1]", "1", TO_US, 1, "");
    bench
        .endpoint
        .handle_datagram(bench.now, from, OURS_V6, text.as_bytes());
    match bench.drain().as_slice() {
        [crate::base::flow::Output::Datagram { remote, bytes }] => {
            assert_eq!(*remote, from);
            let text = String::from_utf8_lossy(bytes);
            assert!(text.contains(";received=2001:db8::5"), "{text}");
        }
        other => panic!("{other:?}"),
    }
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
