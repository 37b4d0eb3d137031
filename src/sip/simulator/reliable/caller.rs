//! The far end's provisional answers: their order, forks, and when a PRACK is sent (RFC 3262 section
//! 4).

use crate::sip::message::{Message, Method};
use crate::sip::simulator::bench::{Caller, LONG};
use crate::sip::{Census, SipEvent};

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
