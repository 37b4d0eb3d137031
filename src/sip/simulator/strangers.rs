//! Whose requests are taken, what others get, and what a flood costs.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::bench::{Bench, OURS, SDP_BODY, peer, request, server};
use super::scenarios::account;
use crate::base::flow::Output;
use crate::base::id::AccountId;
use crate::base::uri::Uri;
use crate::sip::caller::Verification;
use crate::sip::message::Message;
use crate::sip::refusals::Why;
use crate::sip::{AccountSetup, parse};

const TO: &str = "<sip:bob@sim.example>";

/// A phone that takes no direct calls, with one account that has sent its first REGISTER.
fn phone(limit: Option<u32>) -> (Bench, String) {
    let mut bench = Bench::for_accounts(limit);
    let setup = AccountSetup {
        registrar: Some(Uri::parse("sip:sim.example").unwrap()),
        ..account("bob")
    };
    bench.endpoint.add_account(bench.now, AccountId(3), setup);
    let sent = bench.sent();
    let contact = sent[0].contact().unwrap();
    let user = contact.uri.user_decoded().unwrap();
    bench.events.clear();
    (bench, user)
}

/// Gives a datagram from a place; the raw datagrams that answer it.
fn answers(bench: &mut Bench, from: SocketAddr, text: &str) -> Vec<Vec<u8>> {
    let now = bench.now;
    bench
        .endpoint
        .handle_datagram(now, from, OURS, text.as_bytes());
    bench
        .drain()
        .into_iter()
        .filter_map(|output| match output {
            Output::Datagram { bytes, .. } => Some(bytes),
            Output::Connect { .. }
            | Output::Stream { .. }
            | Output::Close { .. }
            | Output::Resolve { .. } => None,
        })
        .collect()
}

fn codes(answers: &[Vec<u8>]) -> Vec<u16> {
    answers
        .iter()
        .filter_map(|bytes| parse::message(bytes).ok()?.code())
        .collect()
}

fn invite(uri: &str, number: u32) -> String {
    request("INVITE", uri, &number.to_string(), TO, number, SDP_BODY)
}

#[test]
fn a_call_for_the_random_contact_is_taken_from_anywhere_but_asserts_nothing() {
    let (mut bench, user) = phone(None);
    let text = invite(&format!("sip:{user}@10.0.0.1"), 1).replace(
        "Max-Forwards",
        "P-Asserted-Identity: <sip:boss@sim.example>\r\nMax-Forwards",
    );
    let sent = answers(&mut bench, peer(), &text);
    assert_eq!(codes(&sent), [100]);
    let call = bench.incoming().unwrap();
    assert_eq!(call.account, Some(AccountId(3)));
    assert!(!call.caller.trusted);
    assert_eq!(call.caller.asserted, None);
}

#[test]
fn the_own_server_may_call_any_name_and_is_believed() {
    for (number, uri) in [(1, "sip:bob@10.0.0.1"), (2, "sip:+4930123456@10.0.0.1")] {
        let (mut bench, _) = phone(None);
        let text = invite(uri, number).replace(
            "Max-Forwards",
            "P-Asserted-Identity: <sip:boss@sim.example>\r\nMax-Forwards",
        );
        assert_eq!(codes(&answers(&mut bench, server(), &text)), [100], "{uri}");
        let call = bench.incoming().unwrap();
        assert_eq!(call.account, Some(AccountId(3)), "{uri}");
        assert!(call.caller.trusted, "{uri}");
        let asserted = call.caller.asserted.as_ref().unwrap();
        assert_eq!(asserted.uri.to_string(), "sip:boss@sim.example");
    }
}

/// A call with the network's word on a number (`verstat`, 3GPP TS 24.229 section 7.2A.20), in From
/// and in a field more.
fn invite_with_proof(uri: &str, from: &str, more: &str) -> String {
    invite(uri, 1)
        .replace("<sip:peer@10.0.0.200>", &format!("<{from}>"))
        .replace("Max-Forwards", &format!("{more}\r\nMax-Forwards"))
}

#[test]
fn the_own_servers_word_on_a_number_is_believed_and_nobody_elses() {
    const PASSED: &str = "sip:+4930123456;verstat=TN-Validation-Passed@sim.example;user=phone";
    const FAILED: &str = "sip:+4930123456;verstat=TN-Validation-Failed@sim.example;user=phone";
    const NOT_DONE: &str = "sip:+4930123456;verstat=No-TN-Validation@sim.example;user=phone";
    const PLAIN: &str = "sip:+4930123456@sim.example;user=phone";
    let asserted = |uri: &str| format!("P-Asserted-Identity: <{uri}>");
    for (from, more, proof) in [
        (PASSED, "X: y".to_owned(), Some(Verification::Passed)),
        (FAILED, "X: y".to_owned(), Some(Verification::Failed)),
        (NOT_DONE, "X: y".to_owned(), Some(Verification::NotDone)),
        (PLAIN, asserted(PASSED), Some(Verification::Passed)),
        (PLAIN, asserted(FAILED), Some(Verification::Failed)),
        (PLAIN, asserted(NOT_DONE), Some(Verification::NotDone)),
        // What is asserted outdoes what the caller may have written.
        (PASSED, asserted(FAILED), Some(Verification::Failed)),
        (PASSED, asserted(PLAIN), Some(Verification::Passed)),
        (PLAIN, asserted(PLAIN), None),
    ] {
        let (mut bench, _) = phone(None);
        let text = invite_with_proof("sip:bob@10.0.0.1", from, &more);
        assert_eq!(
            codes(&answers(&mut bench, server(), &text)),
            [100],
            "{from}"
        );
        let told = bench.incoming().unwrap().caller.verification;
        assert_eq!(told, proof, "{from} {more}");
        // Somebody else who knows our Contact may call, and is told nothing of it.
        let (mut bench, user) = phone(None);
        let text = invite_with_proof(&format!("sip:{user}@10.0.0.1"), from, &more);
        assert_eq!(codes(&answers(&mut bench, peer(), &text)), [100], "{from}");
        let told = bench.incoming().unwrap().caller.verification;
        assert_eq!(told, None, "{from} {more}");
    }
}

#[test]
fn a_stranger_is_refused_unheard_a_few_times_and_then_hears_nothing() {
    let (mut bench, _) = phone(None);
    let before = bench.endpoint.census();
    let mut told = 0;
    for number in 0..200 {
        let text = invite(&format!("sip:{number}@10.0.0.1"), number);
        let sent = answers(&mut bench, peer(), &text);
        assert!(codes(&sent).iter().all(|code| *code == 404), "{number}");
        let out: usize = sent.iter().map(Vec::len).sum();
        assert!(out <= text.len(), "{out} octets for {}", text.len());
        told += sent.len();
    }
    assert_eq!(told, 8);
    assert_eq!(bench.incoming(), None);
    assert_eq!(bench.endpoint.census(), before, "nothing is kept of it");
    let refused = bench.endpoint.take_refusals();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(
        (refused[0].source, refused[0].why),
        (peer().ip(), Why::Stranger)
    );
    assert_eq!(refused[0].count, 200);
    assert!(!bench.endpoint.has_refusals());
    // Nothing is sent again later either.
    let later = bench.wait(Duration::from_secs(40));
    assert!(later.iter().all(|message| message.code().is_none()));
}

#[test]
fn a_stranger_learns_nothing_by_other_methods_either() {
    for method in [
        "OPTIONS",
        "MESSAGE",
        "NOTIFY",
        "REFER",
        "SUBSCRIBE",
        "DANCE",
        "BYE",
    ] {
        let (mut bench, _) = phone(None);
        let text = request(method, "sip:bob@10.0.0.1", "1", TO, 1, "");
        let sent = answers(&mut bench, peer(), &text);
        assert_eq!(codes(&sent), [404], "{method}");
        let answer: Message = parse::message(&sent[0]).unwrap();
        assert_eq!(answer.header("Allow"), None, "{method}");
        assert!(bench.events.is_empty(), "{method}: {:?}", bench.events);
    }
}

/// A To tag once passed for a call and CANCEL for one of its requests: each cost a transaction, and
/// a refused INVITE was answered eleven times, wherever its source was forged to be.
#[test]
fn a_to_tag_or_a_cancel_opens_nothing_to_a_stranger() {
    for method in [
        "INVITE", "OPTIONS", "BYE", "CANCEL", "INFO", "NOTIFY", "PRACK", "UPDATE", "DANCE",
    ] {
        let (mut bench, _) = phone(None);
        let before = bench.endpoint.census();
        let to = match method {
            "CANCEL" => TO.to_owned(),
            _ => format!("{TO};tag=x"),
        };
        let mut told = 0;
        for number in 0..200 {
            let branch = number.to_string();
            let text = request(method, "sip:bob@10.0.0.1", &branch, &to, number, "");
            let sent = answers(&mut bench, peer(), &text);
            assert!(codes(&sent).iter().all(|code| *code == 481), "{method}");
            let out: usize = sent.iter().map(Vec::len).sum();
            assert!(out <= text.len(), "{method}: {out} for {}", text.len());
            for bytes in &sent {
                let answer = parse::message(bytes).unwrap();
                assert_eq!(answer.header("Allow"), None, "{method}");
                assert_eq!(answer.header("Server"), None, "{method}");
            }
            told += sent.len();
        }
        assert_eq!(told, 8, "{method}");
        assert_eq!(bench.endpoint.census(), before, "{method}");
        let refused = bench.endpoint.take_refusals();
        assert_eq!((refused[0].why, refused[0].count), (Why::Stranger, 200));
        let later = bench.wait(Duration::from_secs(40));
        assert!(later.iter().all(|message| message.code().is_none()));
    }
}

/// Who was in a call with us may still send what belongs to it, from wherever he is.
#[test]
fn what_belongs_to_a_call_or_was_given_our_contact_is_answered_as_ever() {
    let (mut bench, user) = phone(None);
    let uri = format!("sip:{user}@10.0.0.1");
    answers(&mut bench, peer(), &invite(&uri, 1));
    let ok = bench.answer();
    let to = ok.header("To").unwrap().to_owned();
    // Another Request-URI than our Contact, as some proxies make it.
    let ack = request("ACK", "sip:bob@10.0.0.1", "a", &to, 1, "");
    answers(&mut bench, peer(), &ack);
    let info = request("OPTIONS", "sip:bob@10.0.0.1", "o", &to, 2, "");
    assert_eq!(codes(&answers(&mut bench, peer(), &info)), [200]);
    let bye = request("BYE", "sip:bob@10.0.0.1", "b", &to, 3, "");
    assert_eq!(codes(&answers(&mut bench, peer(), &bye)), [200]);
    // The call is over; the own server and who has our Contact are told so each time.
    for number in 10..40 {
        let branch = number.to_string();
        let late = request("BYE", &uri, &branch, &to, number, "");
        assert_eq!(codes(&answers(&mut bench, peer(), &late)), [481]);
        let late = request("BYE", "sip:bob@10.0.0.1", &branch, &to, number, "");
        let late = late.replace("z9hG4bK", "z9hG4bKs");
        assert_eq!(codes(&answers(&mut bench, server(), &late)), [481]);
    }
    // A CANCEL of a call that rings.
    answers(&mut bench, peer(), &invite(&uri, 50));
    let cancel = request("CANCEL", &uri, "50", TO, 50, "");
    let sent = answers(&mut bench, peer(), &cancel);
    assert_eq!(codes(&sent), [200, 487]);
}

/// A scanner once found the phone, its name and its version by one damaged OPTIONS.
#[test]
fn a_stranger_is_seldom_told_what_is_wrong_with_its_request() {
    let (mut bench, user) = phone(None);
    // The answer repeats the damage, so it is compared as text.
    let mut told_400 = |from: SocketAddr, uri: &str, number: u32| {
        let branch = number.to_string();
        let text = request("OPTIONS", uri, &branch, TO, number, "")
            .replace(&format!("CSeq: {number} OPTIONS"), "CSeq: x OPTIONS");
        let sent = answers(&mut bench, from, &text);
        for bytes in &sent {
            let answer = String::from_utf8_lossy(bytes);
            assert!(answer.starts_with("SIP/2.0 400 "), "{answer}");
            assert!(!answer.contains("Server:"), "{answer}");
            assert!(answer.len() <= text.len(), "{answer}");
        }
        sent.len()
    };
    let told: usize = (0..100)
        .map(|number| told_400(peer(), "sip:bob@10.0.0.1", number))
        .sum();
    assert_eq!(told, 8);
    // The own server and who was given our Contact are told each time.
    let contact = format!("sip:{user}@10.0.0.1");
    for number in 100..150 {
        assert_eq!(told_400(server(), "sip:bob@10.0.0.1", number), 1);
        assert_eq!(told_400(peer(), &contact, number), 1);
    }
    let refused = bench.endpoint.take_refusals();
    assert!(refused.iter().all(|it| it.why == Why::Malformed("CSeq")));
    assert_eq!(refused.iter().map(|it| it.count).sum::<u64>(), 200);
}

#[test]
fn what_cannot_be_read_is_counted_by_reason() {
    let (mut bench, _) = phone(None);
    let broken = invite("sip:bob@10.0.0.1", 1).replace("CSeq: 1 INVITE", "CSeq: x INVITE");
    for text in [broken.as_str(), "hello\r\n\r\n", "SIP/2.0 999 No\r\n\r\n"] {
        answers(&mut bench, peer(), text);
    }
    let words: Vec<_> = bench
        .endpoint
        .take_refusals()
        .iter()
        .map(|refused| refused.why.word())
        .collect();
    assert_eq!(words.len(), 3, "{words:?}");
    assert!(
        words.iter().all(|word| word.starts_with("malformed: ")),
        "{words:?}"
    );
    assert!(words.contains(&"malformed: CSeq".to_owned()), "{words:?}");
}

#[test]
fn a_flood_is_not_answered_by_a_flood_and_leaves_others_their_calls() {
    let (mut bench, user) = phone(Some(10));
    let uri = format!("sip:{user}@10.0.0.1");
    let (mut taken, mut refused, mut out, mut flood) = (0, 0, 0, 0);
    for number in 0..1000 {
        let text = request("OPTIONS", &uri, &format!("f{number}"), TO, number, "");
        let sent = answers(&mut bench, peer(), &text);
        taken += codes(&sent).iter().filter(|code| **code == 200).count();
        let busy = codes(&sent).iter().filter(|code| **code == 503).count();
        refused += busy;
        if busy > 0 {
            flood += text.len();
            out += sent.iter().map(Vec::len).sum::<usize>();
        }
    }
    assert_eq!((taken, refused), (10, 1));
    assert!(out <= flood, "{out} octets for {flood}");
    let counted = bench.endpoint.take_refusals();
    assert_eq!((counted[0].why, counted[0].count), (Why::TooFast, 990));
    let other: SocketAddr = (IpAddr::from([10, 0, 0, 77]), 5060).into();
    let sent = answers(&mut bench, other, &invite(&uri, 1));
    assert_eq!(codes(&sent), [100]);
    // An ACK and a response make us answer nothing, so they are free.
    let ack = request("ACK", &uri, "a", TO, 1, "");
    for _ in 0..1000 {
        answers(&mut bench, peer(), &ack);
    }
    assert!(!bench.endpoint.has_refusals());
}
