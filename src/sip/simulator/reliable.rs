//! Reliable provisional answers (RFC 3262) in both roles, and offers before the answer (RFC 3311).

use std::time::Duration;

use super::bench::{Bench, Caller, SDP_BODY, TO_US, invite, request};
use crate::sip::message::{Message, Method};
use crate::sip::{
    Body, CallExtensions, Census, EndedBy, Reliability, SessionId, SipError, SipEvent, Status,
};

const US: &str = "sip:us@10.0.0.1";
const LONG: Duration = Duration::from_secs(200);
const SUPPORTED: &str = "Supported: 100rel\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n";
const REQUIRED: &str = "Require: 100rel\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n";
const LATE: &str = "Supported: 100rel";

fn sdp(text: &str) -> Body {
    Body::sdp(text)
}

/// A call to us with these header fields, and our provisional answer.
fn rung(more: &str, body: Option<Body>) -> (Bench, SessionId, Message) {
    let mut bench = Bench::new();
    bench.datagram(&request("INVITE", US, "1", TO_US, 1, more));
    let session = bench.session();
    bench.endpoint.ring(bench.now, session, body).unwrap();
    let ringing = bench.sent().remove(0);
    (bench, session, ringing)
}

fn prack(answer: &Message, branch: &str, cseq: u32, more: &str) -> String {
    let rseq = answer.header("RSeq").unwrap();
    let to = answer.header("To").unwrap();
    let more = if more.is_empty() {
        format!("RAck: {rseq} 1 INVITE")
    } else {
        format!("RAck: {rseq} 1 INVITE\r\n{more}")
    };
    request("PRACK", US, branch, to, cseq, &more)
}

fn ack(answer: &Message, more: &str) -> String {
    request("ACK", US, "ack", answer.header("To").unwrap(), 1, more)
}

fn codes(sent: &[Message]) -> Vec<u16> {
    sent.iter().filter_map(Message::code).collect()
}

fn ended(bench: &Bench) -> Option<(EndedBy, u16)> {
    match bench.end() {
        Some(SipEvent::Ended { by, status, .. }) => Some((*by, status.code)),
        _ => None,
    }
}

#[test]
fn an_answer_with_a_description_is_repeated_with_doubled_pauses_until_its_prack() {
    let (mut bench, _, progress) = rung(SUPPORTED, Some(sdp("v=1")));
    assert_eq!(progress.code(), Some(183));
    assert_eq!(progress.tokens("Require"), ["100rel"]);
    let rseq: u32 = progress.header("RSeq").unwrap().parse().unwrap();
    assert!((1..1 << 31).contains(&rseq));
    // 0.5, 1.5, 3.5, 7.5 and 15.5 s: no T2 here.
    let copies = bench.wait(Duration::from_secs(20));
    assert_eq!(codes(&copies), [183; 5]);
    assert!(copies.iter().all(|copy| *copy == progress));
    let sent = bench.datagram(&prack(&progress, "p", 2, ""));
    assert_eq!(codes(&sent), [200]);
    assert!(bench.wait(Duration::from_secs(30)).is_empty());
    assert_eq!(bench.codes(&prack(&progress, "p", 2, "")), [200], "a copy");
    let late = prack(&progress, "q", 3, "");
    assert_eq!(bench.codes(&late), [481], "nothing waits any more");
}

#[test]
fn a_plain_ringing_is_reliable_only_where_the_caller_demands_it() {
    let (_, _, ringing) = rung(SUPPORTED, None);
    assert_eq!((ringing.code(), ringing.header("RSeq")), (Some(180), None));
    let (mut bench, session, ringing) = rung(REQUIRED, None);
    assert_eq!(ringing.code(), Some(180));
    let rseq: u32 = ringing.header("RSeq").unwrap().parse().unwrap();
    // A further one waits for the PRACK of the one before.
    bench
        .endpoint
        .ring(bench.now, session, Some(sdp("v=1")))
        .unwrap();
    assert!(bench.sent().is_empty());
    let sent = bench.datagram(&prack(&ringing, "p", 2, ""));
    assert_eq!(codes(&sent), [200, 183]);
    assert_eq!(sent[1].header("RSeq").unwrap(), (rseq + 1).to_string());
    assert_eq!(sent[1].body, b"v=1");
}

#[test]
fn what_acknowledges_nothing_is_refused() {
    let (mut bench, _, progress) = rung(SUPPORTED, Some(sdp("v=1")));
    let right = prack(&progress, "p", 2, "");
    let rseq = progress.header("RSeq").unwrap();
    for (branch, wrong) in [
        ("a", right.replace(&format!("RAck: {rseq} 1"), "RAck: 1 1")),
        ("b", right.replace(" 1 INVITE\r\n", " 2 INVITE\r\n")),
        ("c", right.replace(" 1 INVITE\r\n", " 1 UPDATE\r\n")),
        ("d", right.replace("RAck: ", "X-RAck: ")),
    ] {
        let wrong = wrong.replace("z9hG4bKp", &format!("z9hG4bK{branch}"));
        assert_eq!(bench.codes(&wrong), [481], "{wrong}");
    }
    let outside = right
        .replace(progress.header("To").unwrap(), TO_US)
        .replace("CSeq: 2", "CSeq: 9");
    assert_eq!(bench.codes(&outside.replace("z9hG4bKp", "z9hG4bKe")), [481]);
    assert_eq!(bench.codes(&right), [200]);
}

#[test]
fn without_prack_the_call_is_refused_after_64_t1() {
    let (mut bench, _, _) = rung(SUPPORTED, Some(sdp("v=1")));
    let sent = bench.wait(Duration::from_secs(33));
    assert_eq!(codes(&sent).iter().filter(|code| **code == 504).count(), 2);
    assert_eq!(ended(&bench), Some((EndedBy::Unreachable, 504)));
    bench.wait(LONG);
    assert_eq!(bench.endpoint.census(), Census::default());
}

#[test]
fn the_2xx_waits_for_the_prack_of_a_description() {
    let (mut bench, session, progress) = rung(SUPPORTED, Some(sdp("v=1")));
    let body = sdp("v=1");
    bench
        .endpoint
        .answer(bench.now, session, body.clone())
        .unwrap();
    assert!(bench.sent().is_empty());
    assert_eq!(
        bench.endpoint.answer(bench.now, session, body),
        Err(SipError::WrongState("being answered"))
    );
    let sent = bench.datagram(&prack(&progress, "p", 2, ""));
    assert_eq!(codes(&sent), [200, 200]);
    let (method, ok) = (sent[1].cseq().unwrap().1, &sent[1]);
    assert_eq!((method, ok.body.as_slice()), (Method::Invite, &b"v=1"[..]));
    bench.datagram(&ack(ok, ""));
    assert!(
        bench
            .events
            .iter()
            .any(|event| matches!(event, SipEvent::Confirmed { body: None, .. }))
    );
}

#[test]
fn the_2xx_does_not_wait_for_the_prack_of_a_plain_answer_which_still_gets_its_200() {
    let (mut bench, session, ringing) = rung(REQUIRED, None);
    bench
        .endpoint
        .answer(bench.now, session, sdp("v=1"))
        .unwrap();
    assert_eq!(codes(&bench.sent()), [200]);
    // The 180 is not repeated after the 200 (RFC 3262 section 3), which goes on.
    let copies = bench.wait(Duration::from_secs(5));
    assert_eq!(codes(&copies), [200, 200, 200]);
    let to = copies[0].clone();
    let sent = bench.datagram(&prack(&ringing, "p", 2, ""));
    assert_eq!(codes(&sent), [200]);
    assert_eq!(sent[0].cseq().unwrap().1, Method::Prack);
    bench.datagram(&ack(&to, ""));
    assert!(bench.wait(Duration::from_secs(60)).is_empty());
}

#[test]
fn a_cancelled_call_ends_though_a_prack_is_missing_and_the_2xx_waits() {
    for answered in [false, true] {
        let (mut bench, session, progress) = rung(SUPPORTED, Some(sdp("v=1")));
        if answered {
            let body = sdp("v=1");
            bench.endpoint.answer(bench.now, session, body).unwrap();
        }
        let cancel = request("CANCEL", US, "1", TO_US, 1, "");
        assert_eq!(bench.codes(&cancel), [200, 487]);
        assert_eq!(ended(&bench), Some((EndedBy::Remote, 487)));
        bench.datagram(&request(
            "ACK",
            US,
            "1",
            progress.header("To").unwrap(),
            1,
            "",
        ));
        assert!(bench.wait(LONG).is_empty(), "no copy of the 183 any more");
        assert_eq!(bench.endpoint.census(), Census::default());
    }
}

/// The owner hung up while its acceptance waited; that must refuse the call, not vanish.
#[test]
fn hanging_up_while_the_2xx_waits_for_a_prack_refuses_the_call() {
    let (mut bench, session, progress) = rung(SUPPORTED, Some(sdp("v=1")));
    let body = sdp("v=1");
    bench.endpoint.answer(bench.now, session, body).unwrap();
    bench.endpoint.hang_up(bench.now, session).unwrap();
    assert_eq!(codes(&bench.sent()), [603]);
    assert_eq!(ended(&bench), Some((EndedBy::Local, 603)));
    assert_eq!(bench.codes(&prack(&progress, "p", 2, "")), [481]);
}

#[test]
fn our_late_offer_is_answered_in_the_prack() {
    let (mut bench, session, progress) = rung(LATE, Some(sdp("v=offer")));
    assert_eq!(
        (progress.code(), progress.body.as_slice()),
        (Some(183), &b"v=offer"[..])
    );
    let sent = bench.datagram(&prack(&progress, "p", 2, SDP_BODY));
    assert_eq!(codes(&sent), [200]);
    assert!(sent[0].body.is_empty());
    assert!(bench.events.iter().any(|event| matches!(
        event,
        SipEvent::ReinviteConfirmed { body: Some(body), .. } if body.bytes == b"v=0\r\n"
    )));
    bench
        .endpoint
        .answer(bench.now, session, sdp("v=offer"))
        .unwrap();
    let ok = bench.sent().remove(0);
    assert!(ok.body.is_empty(), "it would be a new offer");
    bench.datagram(&ack(&ok, ""));
    assert!(
        bench
            .events
            .iter()
            .any(|event| matches!(event, SipEvent::Confirmed { body: None, .. }))
    );
}

#[test]
fn an_offer_of_ours_never_goes_out_unreliably_before_the_2xx() {
    let (mut bench, session, ringing) = rung("", Some(sdp("v=offer")));
    assert_eq!((ringing.code(), ringing.body.len()), (Some(180), 0));
    bench
        .endpoint
        .answer(bench.now, session, sdp("v=offer"))
        .unwrap();
    assert_eq!(bench.sent()[0].body, b"v=offer");
}

#[test]
fn an_offer_in_a_prack_is_answered_in_its_200_before_the_2xx() {
    let (mut bench, session, progress) = rung(SUPPORTED, Some(sdp("v=1")));
    bench
        .endpoint
        .answer(bench.now, session, sdp("v=1"))
        .unwrap();
    assert!(
        bench
            .datagram(&prack(&progress, "p", 2, SDP_BODY))
            .is_empty()
    );
    let offers = |bench: &Bench| {
        let is = |event: &&SipEvent| matches!(event, SipEvent::Reinvite { offer: Some(_), .. });
        bench.events.iter().filter(is).count()
    };
    assert_eq!(offers(&bench), 1);
    let ok = Status::new(200, "OK");
    bench
        .endpoint
        .answer_reinvite(bench.now, session, ok, Some(sdp("v=2")))
        .unwrap();
    let sent = bench.sent();
    let methods: Vec<_> = sent.iter().map(|m| m.cseq().unwrap().1).collect();
    assert_eq!(methods, [Method::Prack, Method::Invite]);
    assert_eq!(sent[0].body, b"v=2");
    assert!(sent[1].body.is_empty(), "the first answer is outdated");
}

#[test]
fn an_offer_in_a_prack_before_ours_is_answered_comes_too_early() {
    let (mut bench, _, ringing) = rung(REQUIRED, None);
    let sent = bench.datagram(&prack(&ringing, "p", 2, SDP_BODY));
    assert_eq!(sent[0].code(), Some(500));
    assert!(sent[0].seconds("Retry-After").is_some());
    assert!(
        bench.wait(Duration::from_secs(30)).is_empty(),
        "it is heard"
    );
}

#[test]
fn an_account_decides_whether_answers_are_reliable() {
    let with = |reliable: Reliability, more: &str| {
        let mut bench = Bench::new();
        bench.endpoint.config.direct_extensions = CallExtensions {
            reliable,
            ..CallExtensions::default()
        };
        bench.datagram(&request("INVITE", US, "1", TO_US, 1, more))[0].clone()
    };
    let refused = with(Reliability::Off, REQUIRED);
    assert_eq!(refused.code(), Some(420));
    assert_eq!(refused.header("Unsupported"), Some("100rel"));
    assert_eq!(with(Reliability::Off, SUPPORTED).code(), Some(100));
    let refused = with(Reliability::Required, SDP_BODY);
    assert_eq!(refused.code(), Some(421));
    assert_eq!(refused.header("Require"), Some("100rel"));
    assert_eq!(with(Reliability::Required, SUPPORTED).code(), Some(100));
    for (reliable, supported, required) in [
        (Reliability::Off, false, None),
        (Reliability::Supported, true, None),
        (Reliability::Required, true, Some("100rel")),
    ] {
        let mut caller = Caller::with(reliable);
        let invite = caller.invite.clone();
        assert_eq!(
            invite.tokens("Supported").contains(&"100rel".to_owned()),
            supported
        );
        assert_eq!(invite.header("Require"), required);
        caller.bench.wait(LONG);
    }
}

#[test]
fn reliable_answers_count_in_order_once_and_for_each_fork_alone() {
    let mut caller = Caller::new();
    let mut sent = |fork: &str, code: u16, rseq: u32| {
        let answer = caller.answer(code, fork, Some(rseq), "");
        let pracks = caller.take(&answer);
        for prack in &pracks {
            caller.ok(prack);
        }
        let numbers: Vec<_> = pracks.iter().map(|p| p.cseq().unwrap().0).collect();
        numbers
    };
    assert_eq!(sent("a", 183, 10), [2]);
    assert_eq!(sent("a", 183, 10), [0; 0], "a copy");
    assert_eq!(sent("a", 180, 12), [0; 0], "one is missing");
    assert_eq!(sent("b", 183, 500), [2], "another dialog counts for itself");
    assert_eq!(sent("a", 180, 11), [3]);
    assert_eq!(sent("a", 180, 12), [4]);
    let told: Vec<_> = caller.progress().into_iter().map(|p| (p.0, p.1)).collect();
    let expected = [("a", 183), ("b", 183), ("a", 180), ("a", 180)];
    assert_eq!(told, expected.map(|(fork, code)| (fork.to_owned(), code)));
}

#[test]
fn a_refused_prack_is_sent_anew_for_the_next_copy() {
    let mut caller = Caller::new();
    let progress = caller.answer(183, "a", Some(1), "v=1");
    let prack = caller.take(&progress).remove(0);
    let refused = Message::response(&prack, 500, "Not now", None);
    assert!(caller.take(&refused).is_empty());
    let again = caller.take(&progress).remove(0);
    assert_eq!(again.cseq(), Some((3, Method::Prack)));
    assert_eq!(again.header("RAck"), Some("1 1 INVITE"));
    assert_eq!(caller.progress().len(), 1, "the owner hears it once");
    caller.ok(&again);
    assert!(caller.take(&progress).is_empty());
}

#[test]
fn a_second_fork_that_answers_late_is_ended_in_its_own_dialog() {
    let mut caller = Caller::new();
    for fork in ["a", "b"] {
        let progress = caller.answer(183, fork, Some(1), "v=1");
        let prack = caller.take(&progress).remove(0);
        caller.ok(&prack);
    }
    assert_eq!(caller.bench.endpoint.census().dialogs, 2);
    let ok = caller.answer(200, "a", None, "");
    assert_eq!(caller.take(&ok).len(), 1);
    let ok = caller.answer(200, "b", None, "");
    let sent = caller.take(&ok);
    let lines: Vec<_> = sent.iter().map(|m| m.cseq().unwrap()).collect();
    assert_eq!(lines, [(1, Method::Ack), (3, Method::Bye)]);
    assert_eq!(sent[1].to_tag(), "b");
}

#[test]
fn a_late_provisional_answer_after_the_2xx_is_ignored() {
    let mut caller = Caller::new();
    let ok = caller.answer(200, "a", None, "v=1");
    caller.take(&ok);
    for (fork, rseq) in [("a", None), ("a", Some(1)), ("b", Some(1)), ("b", None)] {
        let late = caller.answer(180, fork, rseq, "v=2");
        assert!(caller.take(&late).is_empty());
    }
    assert!(caller.progress().is_empty());
}

#[test]
fn a_call_cancelled_while_a_prack_is_pending_still_acknowledges_and_ends() {
    let mut caller = Caller::new();
    let progress = caller.answer(183, "a", Some(1), "v=1");
    let prack = caller.take(&progress).remove(0);
    caller
        .bench
        .endpoint
        .hang_up(caller.bench.now, caller.session)
        .unwrap();
    let cancel = caller.bench.sent().remove(0);
    assert_eq!(cancel.method(), Some(&Method::Cancel));
    // The next one crosses the CANCEL: acknowledged, and nobody is told.
    let crossing = caller.answer(180, "a", Some(2), "");
    assert_eq!(caller.take(&crossing)[0].header("RAck"), Some("2 1 INVITE"));
    assert_eq!(caller.progress().len(), 1);
    let gone = Message::response(&prack, 481, "Gone", None);
    caller.take(&gone);
    caller.ok(&cancel);
    let over = caller.answer(487, "a", None, "");
    assert_eq!(caller.take(&over)[0].method(), Some(&Method::Ack));
    caller.bench.wait(LONG);
    assert_eq!(caller.bench.endpoint.census(), Census::default());
}

#[test]
fn a_description_after_a_reliable_answer_says_nothing_new() {
    let mut caller = Caller::new();
    let progress = caller.answer(183, "a", Some(1), "v=1");
    caller.take(&progress);
    let again = caller.answer(183, "a", Some(2), "v=other");
    caller.take(&again);
    let ok = caller.answer(200, "a", None, "v=other");
    caller.take(&ok);
    let bodies: Vec<_> = caller.progress().into_iter().map(|p| p.2).collect();
    assert_eq!(bodies, [true, false]);
    assert!(
        caller
            .bench
            .events
            .iter()
            .any(|event| matches!(event, SipEvent::Answered { body: None, .. }))
    );
}

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
    assert!(ended(&bench).is_none());
}

#[test]
fn a_ringing_that_lasts_is_said_again_each_minute_reliably_too() {
    let (mut bench, _, ringing) = rung(REQUIRED, None);
    bench.datagram(&prack(&ringing, "p", 2, ""));
    let sent = bench.wait(Duration::from_secs(61));
    assert_eq!(codes(&sent)[0], 180);
    let rseq: u32 = ringing.header("RSeq").unwrap().parse().unwrap();
    assert_eq!(sent[0].header("RSeq").unwrap(), (rseq + 1).to_string());
    let (mut bench, _, progress) = rung(SUPPORTED, Some(sdp("v=1")));
    bench.datagram(&prack(&progress, "p", 2, ""));
    let sent = bench.wait(Duration::from_secs(61));
    assert_eq!((sent.len(), sent[0].body.len()), (1, 0));
    assert_eq!(sent[0].header("RSeq"), None);
    let old = invite("9").replace("call-1", "call-9");
    assert_eq!(bench.codes(&old), [100], "the phone goes on");
}
