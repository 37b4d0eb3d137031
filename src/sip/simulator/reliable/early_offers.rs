//! Offers by UPDATE before the call is answered, of either side (RFC 3311 section 5).

use std::time::Duration;

use super::{SUPPORTED, ack, prack, rung, sdp};
use crate::sip::message::{Message, Method};
use crate::sip::simulator::bench::{Caller, LONG, SDP_BODY, US, codes, request};
use crate::sip::{Census, SipError, SipEvent, Status};

/// An UPDATE of the far end inside one of our early dialogs.
fn update_from(fork: &str, invite: &Message, branch: &str, more: &str) -> String {
    let to = invite.header("From").unwrap();
    let text = request("UPDATE", US, branch, to, 7, more);
    text.replace("tag=p1", &format!("tag={fork}"))
        .replace("call-1", invite.call_id())
}

#[test]
fn an_early_offer_of_the_callee_is_answered_once_ours_was() {
    let mut caller = Caller::new();
    let ringing = caller.answer(180, "a", None, "");
    caller.take(&ringing);
    let early = update_from("a", &caller.invite, "u1", SDP_BODY);
    assert_eq!(caller.bench.codes(&early), [491], "ours is still open");
    let progress = caller.answer(183, "a", Some(1), "v=1");
    let prack = caller.take(&progress).remove(0);
    caller.ok(&prack);
    let offer = update_from("a", &caller.invite, "u2", SDP_BODY).replace(" 7 UPD", " 8 UPD");
    assert!(caller.bench.datagram(&offer).is_empty());
    assert!(
        caller
            .bench
            .events
            .iter()
            .any(|event| matches!(event, SipEvent::Reinvite { fork, .. } if fork == "a"))
    );
    let second = update_from("a", &caller.invite, "u3", SDP_BODY).replace(" 7 UPD", " 9 UPD");
    assert_eq!(caller.bench.codes(&second), [500], "one after the other");
    let (now, session) = (caller.bench.now, caller.session);
    caller
        .bench
        .endpoint
        .answer_reinvite(now, session, Status::new(200, "OK"), Some(sdp("v=2")))
        .unwrap();
    let sent = caller.bench.sent();
    assert_eq!(
        (sent[0].code(), sent[0].body.as_slice()),
        (Some(200), &b"v=2"[..])
    );
}

#[test]
fn an_unanswered_early_offer_does_not_outlive_its_call() {
    let mut caller = Caller::new();
    for fork in ["a", "b"] {
        let progress = caller.answer(183, fork, Some(1), "v=1");
        let prack = caller.take(&progress).remove(0);
        caller.ok(&prack);
    }
    let offer = update_from("b", &caller.invite, "u", SDP_BODY);
    assert!(caller.bench.datagram(&offer).is_empty());
    let ok = caller.answer(200, "a", None, "");
    let sent = caller.take(&ok);
    assert!(
        codes(&sent).contains(&487),
        "the other fork's offer is refused"
    );

    let mut caller = Caller::new();
    let progress = caller.answer(183, "a", Some(1), "v=1");
    let prack = caller.take(&progress).remove(0);
    caller.ok(&prack);
    let offer = update_from("a", &caller.invite, "u", SDP_BODY);
    assert!(caller.bench.datagram(&offer).is_empty());
    let busy = caller.answer(486, "a", None, "");
    let sent = caller.take(&busy);
    assert!(codes(&sent).contains(&487));
    caller.bench.wait(LONG);
    assert_eq!(caller.bench.endpoint.census(), Census::default());
}

#[test]
fn we_offer_early_by_update_once_the_first_exchange_is_done() {
    let (mut bench, session, progress) = rung(SUPPORTED, Some(sdp("v=1")));
    let offer = || sdp("v=2");
    assert_eq!(
        bench.endpoint.reinvite(bench.now, session, offer()),
        Err(SipError::WrongState("ringing")),
        "its PRACK is missing"
    );
    bench.datagram(&prack(&progress, "p", 2, ""));
    bench
        .endpoint
        .reinvite(bench.now, session, offer())
        .unwrap();
    let update = bench.sent().remove(0);
    assert_eq!(update.method(), Some(&Method::Update));
    assert_eq!(update.body, b"v=2");
    assert!(update.contact().is_some() && update.header("Allow").is_some());
    // Glare: theirs meets ours.
    let to = progress.header("To").unwrap();
    assert_eq!(
        bench.codes(&request("UPDATE", US, "u", to, 3, SDP_BODY)),
        [491]
    );
    let pending = Message::response(&update, 491, "Request Pending", None);
    bench.datagram_bytes(&pending.to_bytes());
    let again = bench.wait(Duration::from_millis(2000)).remove(0);
    assert_eq!(again.method(), Some(&Method::Update));
    let mut ok = Message::response(&again, 200, "OK", None);
    ok.set_body(&sdp("v=3"));
    assert!(bench.datagram_bytes(&ok.to_bytes()).is_empty(), "no ACK");
    assert!(bench.events.iter().any(|event| matches!(
        event,
        SipEvent::ReinviteAnswered { status, body: Some(_), .. } if status.code == 200
    )));
    bench
        .endpoint
        .answer(bench.now, session, sdp("v=2"))
        .unwrap();
    let ok = bench.sent().remove(0);
    assert!(ok.body.is_empty(), "the exchange was renewed");

    let mut caller = Caller::new();
    let progress = caller.answer(183, "a", Some(1), "v=1");
    let prack = caller.take(&progress).remove(0);
    caller.ok(&prack);
    let (now, session) = (caller.bench.now, caller.session);
    caller
        .bench
        .endpoint
        .reinvite(now, session, offer())
        .unwrap();
    let update = caller.bench.sent().remove(0);
    assert_eq!(update.cseq(), Some((3, Method::Update)));
    assert_eq!(update.to_tag(), "a");
}

/// An UPDATE that crossed our 2xx was once taken as proof that the 2xx had arrived.
#[test]
fn an_early_offer_that_crosses_the_2xx_does_not_stop_its_copies() {
    let (mut bench, session, progress) = rung(SUPPORTED, Some(sdp("v=1")));
    bench.datagram(&prack(&progress, "p", 2, ""));
    bench
        .endpoint
        .answer(bench.now, session, sdp("v=1"))
        .unwrap();
    let ok = bench.sent().remove(0);
    let to = progress.header("To").unwrap();
    assert!(
        bench
            .datagram(&request("UPDATE", US, "u", to, 3, SDP_BODY))
            .is_empty()
    );
    bench
        .endpoint
        .answer_reinvite(bench.now, session, Status::new(200, "OK"), Some(sdp("v=2")))
        .unwrap();
    assert_eq!(codes(&bench.sent()), [200]);
    assert_eq!(bench.wait(Duration::from_secs(2)).len(), 2);
    bench.datagram(&ack(&ok, ""));
    assert!(bench.wait(Duration::from_secs(60)).is_empty());
    assert!(bench.ended().is_none());
}
