//! Our own provisional answers: which are reliable, their copies, and what a PRACK brings (RFC 3262
//! sections 3 and 5).

use std::time::Duration;

use super::{SUPPORTED, ack, prack, rung, sdp};
use crate::sip::message::Method;
use crate::sip::simulator::bench::{
    Bench, Caller, LONG, SDP_BODY, TO_US, US, codes, invite, request,
};
use crate::sip::{CallExtensions, Census, EndedBy, Reliability, SipError, SipEvent, Status};

const REQUIRED: &str = "Require: 100rel\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n";
const LATE: &str = "Supported: 100rel";

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
    assert_eq!(bench.ended(), Some((EndedBy::Unreachable, 504)));
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
        assert_eq!(bench.ended(), Some((EndedBy::Remote, 487)));
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
    assert_eq!(bench.ended(), Some((EndedBy::Local, 603)));
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
