//! Calls to us, from the INVITE to its ACK or CANCEL (RFC 3261 sections 9.2, 13.3 and 17.2.1).

use std::time::Duration;

use super::bench::{Bench, LONG, SDP_BODY, TO_US, US, invite, peer, request};
use crate::sip::{Body, Census, EndedBy, SipError, SipEvent};

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
