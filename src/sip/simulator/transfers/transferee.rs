//! Who is asked to call somebody else: the owner's decision, the new call, and the news of it that
//! the asker gets (RFC 3515, 3892, 4488).

use std::time::Duration;

use super::{CAROL, LONG, answer, decide, to};
use crate::base::uri::Uri;
use crate::sip::message::{Message, Method};
use crate::sip::simulator::bench::{Bench, TO_US, US, established, request};
use crate::sip::{Body, Census, ReferralAnswer, SessionId, SipEvent, Status};

#[test]
fn a_wish_to_be_transferred_must_make_sense() {
    let mut bench = Bench::new();
    let to = established(&mut bench);
    for (number, (fields, code)) in [
        ("", 400),
        ("Refer-To: <sip:a@b>\r\nRefer-To: <sip:c@d>", 400),
        ("Refer-To: <sip:a@b", 400),
        ("Refer-To: <mailto:a@b>", 416),
        ("Refer-To: <sip:a@b;method=BYE>", 603),
        ("Refer-To: <sip:a@b?Replaces=x>", 400),
        (
            "Refer-To: <sip:a@b?Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2&Replaces=y>",
            400,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let cseq = u32::try_from(number).unwrap() + 2;
        let refer = request("REFER", US, &format!("r{cseq}"), &to, cseq, fields);
        assert_eq!(bench.codes(&refer), [code], "{fields}");
    }
    let outside =
        request("REFER", US, "o", TO_US, 1, "Refer-To: <sip:a@b>").replace("call-1", "call-2");
    assert_eq!(bench.codes(&outside), [403]);
    assert!(!bench.events.iter().any(is_referral));
}

fn is_referral(event: &SipEvent) -> bool {
    matches!(event, SipEvent::Referral(_))
}

/// An established call whose far end asks us to call Carol; our To.
fn referred(more: &str) -> (Bench, String) {
    let mut bench = Bench::new();
    let to = established(&mut bench);
    let fields = format!("Referred-By: <sip:peer@example.com>\r\n{more}");
    let refer = request("REFER", US, "r", &to, 2, &fields);
    assert!(bench.datagram(&refer).is_empty(), "the owner decides first");
    assert!(bench.events.iter().any(is_referral));
    (bench, to)
}

/// The call that is wished for, in the name of who asked.
fn call_for_asker(bench: &mut Bench, target: &Uri) -> SessionId {
    let (now, session) = (bench.now, bench.session());
    bench
        .endpoint
        .invite_referred(now, session, &to(target))
        .unwrap()
}

/// The state and the line of a NOTIFY.
fn read(notify: &Message) -> (String, String) {
    assert_eq!(notify.method(), Some(&Method::Notify));
    assert_eq!(
        notify.header("Content-Type"),
        Some("message/sipfrag;version=2.0")
    );
    assert!(notify.contact().is_some());
    let state = notify.header("Subscription-State").unwrap().to_owned();
    let line = String::from_utf8(notify.body.clone()).unwrap();
    (state, line.trim_end().to_owned())
}

/// News behind our BYE have the higher number: a BYE that they overtook was refused as out of order, and
/// the far end went on with the call.
#[test]
fn no_news_of_a_transfer_go_out_behind_the_end_of_the_call() {
    let (mut bench, _) = referred("Refer-To: <sip:carol@10.0.0.203>");
    let session = bench.session();
    decide(&mut bench, &ReferralAnswer::Ask);
    let first = bench.sent().remove(1);
    assert_eq!(first.method(), Some(&Method::Notify));
    decide(&mut bench, &ReferralAnswer::Follow);
    let target = Uri::parse(CAROL).unwrap();
    let call = call_for_asker(&mut bench, &target);
    bench.drain();
    // The next news wait for the answer to the first.
    bench.endpoint.hang_up(bench.now, session).unwrap();
    let bye = bench.sent().remove(0);
    assert_eq!(bye.method(), Some(&Method::Bye));
    let behind = answer(&mut bench, &first, 200, &[]);
    assert!(behind.is_empty(), "{behind:#?}");
    bench.endpoint.hang_up(bench.now, call).unwrap();
    let notifies = |sent: &[Message]| sent.iter().any(|it| it.method() == Some(&Method::Notify));
    assert!(!notifies(&bench.wait(Duration::from_secs(1))));
    answer(&mut bench, &bye, 200, &[]);
    bench.wait(LONG);
    assert_eq!(bench.endpoint.census(), Census::default());
}

#[test]
fn a_decision_may_take_its_time_while_the_far_end_knows_that_somebody_is_asked() {
    let (mut bench, to) = referred("Refer-To: <sip:carol@10.0.0.203?Subject=x>");
    decide(&mut bench, &ReferralAnswer::Ask);
    let sent = bench.sent();
    assert_eq!(sent[0].code(), Some(202));
    let (state, line) = read(&sent[1]);
    assert_eq!(line, "SIP/2.0 100 Trying");
    assert!(state.starts_with("pending;expires="), "{state}");
    let second = request("REFER", US, "r2", &to, 3, "Refer-To: <sip:a@b>");
    assert_eq!(bench.codes(&second), [491]);
    answer(&mut bench, &sent[1], 200, &[]);
    bench.wait(Duration::from_secs(60));
    let refusal = ReferralAnswer::Refuse(Status::new(603, "Decline"));
    decide(&mut bench, &refusal);
    let notify = bench.sent().remove(0);
    let (state, line) = read(&notify);
    assert_eq!(line, "SIP/2.0 603 Decline");
    assert_eq!(state, "terminated;reason=noresource");
    answer(&mut bench, &notify, 200, &[]);
    assert!(bench.end().is_none(), "the call goes on");
    // The next one has a number, or nobody could tell the two apart.
    bench.datagram(&request("REFER", US, "r3", &to, 4, "Refer-To: <sip:a@b>"));
    decide(&mut bench, &ReferralAnswer::Ask);
    assert_eq!(bench.sent()[1].header("Event"), Some("refer;id=4"));
}

#[test]
fn a_question_that_nobody_answers_is_closed_with_a_refusal() {
    let (mut bench, _) = referred("Refer-To: <sip:carol@10.0.0.203>");
    let session = bench.session();
    decide(&mut bench, &ReferralAnswer::Ask);
    let sent = bench.sent();
    answer(&mut bench, &sent[1], 200, &[]);
    let later = bench.wait(Duration::from_secs(181));
    let (state, line) = read(&later[0]);
    assert_eq!(state, "terminated;reason=timeout");
    assert!(line.starts_with("SIP/2.0 603"), "{line}");
    let closed = SipEvent::ReferralOver { session };
    assert!(bench.events.contains(&closed));
}

/// Its transaction once stayed for ever.
#[test]
fn a_wish_that_nobody_decides_ends_with_its_call_or_after_its_time() {
    let wish = "Refer-To: <sip:carol@10.0.0.203>";
    let (mut bench, to) = referred(wish);
    let codes = bench.codes(&request("BYE", US, "b", &to, 3, ""));
    assert_eq!(codes, [200, 487]);
    bench.wait(LONG);
    assert_eq!(bench.endpoint.census(), Census::default());

    let (mut bench, _) = referred(wish);
    let session = bench.session();
    bench.endpoint.hang_up(bench.now, session).unwrap();
    let sent = bench.sent();
    assert_eq!(sent[0].code(), Some(487));
    answer(&mut bench, &sent[1], 200, &[]);
    bench.wait(LONG);
    assert_eq!(bench.endpoint.census(), Census::default());

    let (mut bench, _) = referred(wish);
    let session = bench.session();
    let later = bench.wait(Duration::from_secs(181));
    let codes: Vec<_> = later.iter().map(Message::code).collect();
    assert_eq!(codes, [Some(603)], "and no news: nothing was promised");
    assert!(bench.events.contains(&SipEvent::ReferralOver { session }));
    assert!(bench.end().is_none(), "the call goes on");
}

#[test]
fn a_refusal_at_once_needs_no_subscription() {
    let (mut bench, _) = referred("Refer-To: <sip:carol@10.0.0.203>");
    let refusal = ReferralAnswer::Refuse(Status::new(603, "Decline"));
    decide(&mut bench, &refusal);
    let sent = bench.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].code(), Some(603));
}

/// Whom the far end wants to be called.
fn wanted(bench: &Bench) -> Uri {
    let target = bench.events.iter().rev().find_map(|event| match event {
        SipEvent::Referral(referral) => Some(referral.target.clone()),
        _ => None,
    });
    target.unwrap()
}

/// Follows a wish to be transferred; the new call, its INVITE, and the first NOTIFY.
fn followed(bench: &mut Bench) -> (SessionId, Message, Option<Message>) {
    decide(bench, &ReferralAnswer::Follow);
    let target = wanted(bench);
    let call = call_for_asker(bench, &target);
    let mut sent = bench.sent();
    assert_eq!(sent.remove(0).code(), Some(202));
    let notify = sent.into_iter().next();
    bench
        .endpoint
        .offer(bench.now, call, Body::sdp("v=0"))
        .unwrap();
    let invite = bench.sent().remove(0);
    assert_eq!(invite.method(), Some(&Method::Invite));
    (call, invite, notify)
}

#[test]
fn who_is_transferred_calls_on_behalf_of_the_asker_and_tells_one_thing_after_the_other() {
    let (mut bench, _) = referred(
        "Refer-To: <sip:carol@10.0.0.203?Replaces=c%40d%3Bto-tag%3D1%3Bfrom-tag%3D2&Route=%3Csip:x%3E>",
    );
    let (_, invite, notify) = followed(&mut bench);
    let notify = notify.unwrap();
    assert_eq!(invite.uri().unwrap().to_string(), CAROL);
    assert_eq!(invite.header("Replaces"), Some("c@d;to-tag=1;from-tag=2"));
    assert_eq!(invite.header("Require"), Some("replaces"));
    assert_eq!(invite.header("Referred-By"), Some("<sip:peer@example.com>"));
    assert_eq!(invite.header("Route"), None, "no header of a stranger");
    assert_eq!(read(&notify).1, "SIP/2.0 100 Trying");
    for code in [180, 183] {
        let sent = answer(&mut bench, &invite, code, &[]);
        assert!(sent.is_empty(), "the first NOTIFY is not answered yet");
    }
    let next = answer(&mut bench, &notify, 200, &[]).remove(0);
    let (state, line) = read(&next);
    assert!(line.starts_with("SIP/2.0 183"), "the newest: {line}");
    assert!(state.starts_with("active;expires="), "{state}");
    answer(&mut bench, &next, 200, &[]);
    let sent = answer(
        &mut bench,
        &invite,
        200,
        &[("Contact", "<sip:carol@10.0.0.203>")],
    );
    let last = sent
        .iter()
        .find(|message| message.method() == Some(&Method::Notify))
        .unwrap();
    let (state, line) = read(last);
    assert!(line.starts_with("SIP/2.0 200"), "{line}");
    assert_eq!(state, "terminated;reason=noresource");
}

/// After the agent's yes a `tel:` URI was no target that could be called.
#[test]
fn whoever_is_transferred_to_a_number_calls_what_the_owner_makes_of_it() {
    let (mut bench, _) = referred("Refer-To: <tel:+4930123456>");
    assert_eq!(wanted(&bench).to_string(), "tel:+4930123456");
    decide(&mut bench, &ReferralAnswer::Follow);
    let target = Uri::parse("sip:0030123456@10.0.0.203").unwrap();
    let call = call_for_asker(&mut bench, &target);
    let notify = bench.sent().remove(1);
    bench
        .endpoint
        .offer(bench.now, call, Body::sdp("v=0"))
        .unwrap();
    let invite = bench.sent().remove(0);
    assert_eq!(invite.uri(), Some(&target));
    assert_eq!(invite.header("Referred-By"), Some("<sip:peer@example.com>"));
    answer(&mut bench, &notify, 200, &[]);
    let told = answer(&mut bench, &invite, 180, &[]);
    assert!(read(&told[0]).1.starts_with("SIP/2.0 180"));
}

#[test]
fn the_asker_learns_why_nobody_was_reached_and_when_we_gave_up() {
    let (mut bench, _) = referred("Refer-To: <sip:carol@10.0.0.203>");
    let (_, invite, notify) = followed(&mut bench);
    answer(&mut bench, &notify.unwrap(), 200, &[]);
    let sent = answer(&mut bench, &invite, 486, &[]);
    let busy = sent.iter().find(|m| m.method() == Some(&Method::Notify));
    assert!(read(busy.unwrap()).1.starts_with("SIP/2.0 486"));

    let (mut bench, _) = referred("Refer-To: <sip:carol@10.0.0.203>");
    let (call, _, notify) = followed(&mut bench);
    answer(&mut bench, &notify.unwrap(), 200, &[]);
    bench.endpoint.hang_up(bench.now, call).unwrap();
    let given_up = bench.sent().remove(0);
    assert!(read(&given_up).1.starts_with("SIP/2.0 487"));

    let (mut bench, _) = referred("Refer-To: <sip:carol@nowhere.invalid>");
    decide(&mut bench, &ReferralAnswer::Follow);
    let nowhere = wanted(&bench);
    call_for_asker(&mut bench, &nowhere);
    let sent = bench.sent();
    answer(&mut bench, &sent[1], 200, &[]);
    let mut all = sent;
    all.extend(bench.sent());
    all.extend(bench.wait(Duration::from_secs(1)));
    let last = all
        .iter()
        .rfind(|message| message.method() == Some(&Method::Notify))
        .unwrap();
    assert!(
        read(last).0.starts_with("terminated")
            || bench.traces.iter().any(|t| t.contains("SIP/2.0 503"))
    );
}

#[test]
fn an_asker_that_wants_no_news_gets_none() {
    let (mut bench, _) =
        referred("Require: norefersub\r\nRefer-Sub: false\r\nRefer-To: <sip:carol@10.0.0.203>");
    decide(&mut bench, &ReferralAnswer::Follow);
    let sent = bench.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].header("Refer-Sub"), Some("false"));
}
