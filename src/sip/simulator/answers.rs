//! What a user agent server must answer, what it must not, and where its answers go (RFC 3261 sections
//! 8.2, 18.2 and 21).

use super::bench::{Bench, OURS, OURS_V6, SDP_BODY, TO_US, US, invite, request};
use crate::base::flow::Output;
use crate::sip::{Census, SipEvent};

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
    let mut bench = Bench::for_accounts(None);
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
    let mut bench = Bench::new();
    let now = bench.now;
    let from = "192.0.2.7:40000".parse().unwrap();
    let mut to = |text: String| {
        bench
            .endpoint
            .handle_datagram(now, from, OURS, text.as_bytes());
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
fn ipv6_is_written_in_brackets_and_answered_where_it_came_from() {
    let mut bench = Bench::new();
    bench.call(None, "sip:x@[2001:db8::5]:5070");
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
        [Output::Datagram { remote, bytes }] => {
            assert_eq!(*remote, from);
            let text = String::from_utf8_lossy(bytes);
            assert!(text.contains(";received=2001:db8::5"), "{text}");
        }
        other => panic!("{other:?}"),
    }
}
