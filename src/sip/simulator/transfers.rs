//! Transfers in all three roles: who asks, who is sent elsewhere, who is reached (RFC 3515, 3891,
//! 3892, 4488, 5589).

use std::time::Duration;

use super::agent::Act;
use super::bench::{Bench, SDP_BODY, TO_US, established, request};
use super::world::{Link, World};
use crate::base::uri::Uri;
use crate::sip::message::{Message, Method};
use crate::sip::{
    Body, Census, EndedBy, OutgoingCall, ReferTarget, ReferralAnswer, SessionId, SipError,
    SipEvent, Status,
};

const US: &str = "sip:us@10.0.0.1";
const LONG: Duration = Duration::from_secs(700);
const CAROL: &str = "sip:carol@10.0.0.203";

/// Gives the endpoint an answer to a request that it sent.
fn answer(bench: &mut Bench, request: &Message, code: u16, more: &[(&str, &str)]) -> Vec<Message> {
    let mut response = Message::response(request, code, "Answer", Some("p1"));
    for (name, value) in more {
        response.headers.push(*name, *value);
    }
    bench.datagram_bytes(&response.to_bytes())
}

fn news(to: &str, cseq: u32, state: &str, line: &str) -> String {
    let more = format!(
        "Event: refer\r\nSubscription-State: {state}\r\n\
         Content-Type: message/sipfrag;version=2.0\r\n\r\n{line}\r\n"
    );
    request("NOTIFY", US, &format!("n{cseq}"), to, cseq, &more)
}

/// What was told of our transfer: status and whether it is the last word.
fn told(bench: &Bench) -> Vec<(u16, bool)> {
    let of = |event: &SipEvent| match event {
        SipEvent::Transfer { status, done, .. } => Some((status.code, *done)),
        _ => None,
    };
    bench.events.iter().filter_map(of).collect()
}

/// An established call that we transfer to Carol; our To, and the REFER.
fn transferring() -> (Bench, String, Message) {
    let mut bench = Bench::new();
    let to = established(&mut bench);
    let session = bench.session();
    let target = ReferTarget::Uri(Uri::parse(CAROL).unwrap());
    bench
        .endpoint
        .transfer(bench.now, session, &target)
        .unwrap();
    let refer = bench.sent().remove(0);
    (bench, to, refer)
}

#[test]
fn a_blind_transfer_names_target_and_asker_and_follows_the_news_to_the_end() {
    let (mut bench, to, refer) = transferring();
    assert_eq!(refer.method(), Some(&Method::Refer));
    assert_eq!(refer.header("Refer-To"), Some("<sip:carol@10.0.0.203>"));
    assert!(refer.header("Referred-By").is_some());
    assert!(refer.contact().is_some(), "a target refresh request");
    let session = bench.session();
    let again = ReferTarget::Uri(Uri::parse(CAROL).unwrap());
    let second = bench.endpoint.transfer(bench.now, session, &again);
    assert!(
        matches!(second, Err(SipError::WrongState(_))),
        "one at a time"
    );
    answer(&mut bench, &refer, 202, &[]);
    for (cseq, state, line) in [
        (2, "active;expires=60", "SIP/2.0 100 Trying"),
        (3, "active;expires=60", "SIP/2.0 180 Ringing"),
        (4, "terminated;reason=noresource", "SIP/2.0 200 OK"),
    ] {
        assert_eq!(bench.codes(&news(&to, cseq, state, line)), [200]);
    }
    assert_eq!(
        told(&bench),
        [(202, false), (100, false), (180, false), (200, true)]
    );
    let late = news(&to, 5, "active", "SIP/2.0 180 Ringing");
    assert_eq!(bench.codes(&late), [481], "it is over");
    // The call itself is still there: it ends when its owner says so.
    bench.endpoint.hang_up(bench.now, session).unwrap();
    let bye = bench.sent().remove(0);
    assert_eq!(bye.method(), Some(&Method::Bye));
    answer(&mut bench, &bye, 200, &[]);
    bench.wait(LONG);
    assert_eq!(bench.endpoint.census(), Census::default());
}

#[test]
fn the_news_may_overtake_the_acceptance() {
    let (mut bench, to, refer) = transferring();
    bench.datagram(&news(&to, 2, "active", "SIP/2.0 100 Trying"));
    let last = "terminated;reason=noresource";
    bench.datagram(&news(&to, 3, last, "SIP/2.0 486 Busy Here"));
    answer(&mut bench, &refer, 202, &[]);
    bench.wait(LONG);
    assert_eq!(told(&bench), [(100, false), (486, true)]);
}

#[test]
fn a_transfer_without_news_is_given_up_in_time() {
    let (mut bench, _, refer) = transferring();
    answer(&mut bench, &refer, 202, &[]);
    bench.wait(Duration::from_secs(31));
    assert_eq!(told(&bench), [(202, false)]);
    bench.wait(Duration::from_secs(2));
    assert_eq!(told(&bench), [(202, false), (408, true)]);
    assert!(bench.end().is_none(), "the call stays");
}

#[test]
fn the_far_end_says_how_long_it_will_tell_and_is_not_believed_without_limit() {
    for (promised, seconds) in [("20", 20), ("0", 5), ("4000000", 600)] {
        let (mut bench, to, refer) = transferring();
        answer(&mut bench, &refer, 202, &[]);
        let state = format!("active;expires={promised}");
        bench.datagram(&news(&to, 2, &state, "SIP/2.0 180 Ringing"));
        bench.wait(Duration::from_secs(seconds - 1));
        assert_eq!(told(&bench).last(), Some(&(180, false)), "{promised}");
        bench.wait(Duration::from_secs(2));
        assert_eq!(told(&bench).last(), Some(&(408, true)), "{promised}");
    }
}

#[test]
fn a_far_end_that_wants_to_tell_nothing_has_at_least_taken_it_up() {
    let (mut bench, _, refer) = transferring();
    answer(&mut bench, &refer, 200, &[("Refer-Sub", "false")]);
    bench.wait(LONG);
    assert_eq!(told(&bench), [(202, true)]);
}

#[test]
fn an_end_without_a_result_is_no_success() {
    for (state, code) in [
        ("terminated;reason=rejected", 603),
        ("terminated;reason=timeout", 408),
        ("terminated", 408),
    ] {
        let (mut bench, to, refer) = transferring();
        answer(&mut bench, &refer, 202, &[]);
        bench.datagram(&news(&to, 2, state, "SIP/2.0 100 Trying"));
        assert_eq!(told(&bench).last(), Some(&(code, true)), "{state}");
    }
}

#[test]
fn a_refused_transfer_leaves_the_call_and_a_gone_dialog_ends_it() {
    for (code, ended) in [(403, false), (603, false), (481, true)] {
        let (mut bench, _, refer) = transferring();
        answer(&mut bench, &refer, code, &[]);
        bench.wait(Duration::from_secs(40));
        assert_eq!(told(&bench), [(code, true)]);
        assert_eq!(bench.end().is_some(), ended, "{code}");
    }
}

/// How long it takes until the REFER is sent again; none within the time.
fn asked_again(bench: &mut Bench, within: Duration) -> Option<(Duration, Message)> {
    let since = bench.now;
    let step = Duration::from_millis(10);
    while bench.now < since + within {
        let mut sent = bench.wait(step);
        if let Some(refer) = sent.pop() {
            assert!(sent.is_empty(), "{sent:#?}");
            assert_eq!(refer.method(), Some(&Method::Refer));
            return Some((bench.now - since, refer));
        }
    }
    None
}

/// A PBX answers so while a re-INVITE of its own is under way; the transfer failed at once.
#[test]
fn a_transfer_that_meets_a_change_is_asked_for_again_after_a_while() {
    let (mut bench, to, refer) = transferring();
    answer(&mut bench, &refer, 491, &[]);
    assert_eq!(told(&bench), []);
    // The Call-ID is the far end's (RFC 3261 section 14.1).
    let (pause, again) = asked_again(&mut bench, LONG).unwrap();
    assert!(pause <= Duration::from_secs(2), "{pause:?}");
    assert_eq!(again.header("Refer-To"), refer.header("Refer-To"));
    assert_eq!(again.header("Referred-By"), refer.header("Referred-By"));
    let number = |refer: &Message| refer.cseq().unwrap().0;
    assert_eq!(number(&again), number(&refer) + 1);
    let session = bench.session();
    let target = ReferTarget::Uri(Uri::parse(CAROL).unwrap());
    let second = bench.endpoint.transfer(bench.now, session, &target);
    assert!(second.is_err(), "one at a time");
    answer(&mut bench, &again, 202, &[]);
    bench.datagram(&news(
        &to,
        2,
        "terminated;reason=noresource",
        "SIP/2.0 200 OK",
    ));
    assert_eq!(told(&bench), [(202, false), (200, true)]);
}

#[test]
fn a_far_end_that_changes_the_call_for_ever_is_not_asked_for_ever() {
    let (mut bench, _, mut refer) = transferring();
    let mut asked = 1;
    loop {
        answer(&mut bench, &refer, 491, &[]);
        match asked_again(&mut bench, Duration::from_secs(10)) {
            Some((_, again)) => refer = again,
            None => break,
        }
        asked += 1;
    }
    assert_eq!(asked, 6);
    assert_eq!(told(&bench), [(491, true)]);
    assert!(bench.end().is_none(), "the call stays");
    bench.wait(LONG);
    assert_eq!(bench.endpoint.census().timers, 0);
}

#[test]
fn a_transfer_that_waits_to_be_asked_for_again_ends_with_its_call() {
    let (mut bench, _, refer) = transferring();
    answer(&mut bench, &refer, 491, &[]);
    let session = bench.session();
    bench.endpoint.hang_up(bench.now, session).unwrap();
    let bye = bench.sent().remove(0);
    assert_eq!(bye.method(), Some(&Method::Bye));
    let refers = |it: &Message| it.method() == Some(&Method::Refer);
    let sent = bench.wait(Duration::from_secs(3));
    assert!(!sent.iter().any(refers), "none behind the BYE");
    answer(&mut bench, &bye, 200, &[]);
    assert!(!bench.wait(LONG).iter().any(refers));
    assert_eq!(bench.endpoint.census(), Census::default());
}

#[test]
fn a_call_that_ended_meanwhile_is_not_what_is_asked_for_again() {
    let mut bench = Bench::new();
    established(&mut bench);
    let first = bench.session();
    let other = request("INVITE", US, "o", TO_US, 1, SDP_BODY)
        .replace("call-1", "call@2")
        .replace("tag=p1", "tag=p2");
    bench.datagram(&other);
    let ok = bench.answer();
    let second = bench.session();
    let ack = request("ACK", US, "oa", ok.header("To").unwrap(), 1, "")
        .replace("call-1", "call@2")
        .replace("tag=p1", "tag=p2");
    bench.datagram(&ack);
    let target = ReferTarget::Call(second);
    bench.endpoint.transfer(bench.now, first, &target).unwrap();
    let refer = bench.sent().remove(0);
    answer(&mut bench, &refer, 491, &[]);
    bench.endpoint.hang_up(bench.now, second).unwrap();
    let sent = bench.wait(Duration::from_secs(3));
    assert!(!sent.iter().any(|it| it.method() == Some(&Method::Refer)));
    assert_eq!(told(&bench).len(), 1);
    assert!(told(&bench)[0].1, "{:?}", told(&bench));
}

#[test]
fn news_that_nobody_asked_for_or_that_cannot_be_read_are_refused() {
    let mut bench = Bench::new();
    let to = established(&mut bench);
    assert_eq!(
        bench.codes(&news(&to, 2, "active", "SIP/2.0 200 OK")),
        [481]
    );
    let (mut bench, to, _) = transferring();
    let xml = "Event: refer\r\nContent-Type: text/xml\r\n\r\n<a/>";
    let notify = request("NOTIFY", US, "x", &to, 2, xml);
    assert_eq!(bench.codes(&notify), [415]);
    let nonsense = news(&to, 3, "active", "nonsense");
    assert_eq!(bench.codes(&nonsense), [200], "no news, but alive");
    assert_eq!(told(&bench), []);
}

#[test]
fn an_attended_transfer_names_the_other_call_as_its_far_end_knows_it() {
    let mut bench = Bench::new();
    established(&mut bench);
    let first = bench.session();
    let other = request("INVITE", US, "o", TO_US, 1, SDP_BODY)
        .replace("call-1", "call@2")
        .replace("tag=p1", "tag=p2");
    bench.datagram(&other);
    let ok = bench.answer();
    let second = bench.session();
    let early = bench
        .endpoint
        .transfer(bench.now, first, &ReferTarget::Call(second));
    assert!(early.is_err(), "it is not established yet");
    let ack = request("ACK", US, "oa", ok.header("To").unwrap(), 1, "")
        .replace("call-1", "call@2")
        .replace("tag=p1", "tag=p2");
    bench.datagram(&ack);
    bench
        .endpoint
        .transfer(bench.now, first, &ReferTarget::Call(second))
        .unwrap();
    let refer = bench.sent().remove(0);
    let ours = ok.to_tag();
    assert_eq!(
        refer.header("Refer-To").unwrap(),
        format!("<sip:peer@10.0.0.200:5070?Replaces=call%402%3Bto-tag%3Dp2%3Bfrom-tag%3D{ours}>")
    );
}

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
    let now = bench.now;
    bench
        .endpoint
        .answer_referral(now, session, &ReferralAnswer::Ask)
        .unwrap();
    let first = bench.sent().remove(1);
    assert_eq!(first.method(), Some(&Method::Notify));
    bench
        .endpoint
        .answer_referral(now, session, &ReferralAnswer::Follow)
        .unwrap();
    let target = Uri::parse(CAROL).unwrap();
    let wanted = OutgoingCall {
        account: None,
        target: &target,
        headers: &[],
        urgent: false,
    };
    let call = bench
        .endpoint
        .invite_referred(now, session, &wanted)
        .unwrap();
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
    let session = bench.session();
    let now = bench.now;
    bench
        .endpoint
        .answer_referral(now, session, &ReferralAnswer::Ask)
        .unwrap();
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
    let now = bench.now;
    bench
        .endpoint
        .answer_referral(now, session, &refusal)
        .unwrap();
    let notify = bench.sent().remove(0);
    let (state, line) = read(&notify);
    assert_eq!(line, "SIP/2.0 603 Decline");
    assert_eq!(state, "terminated;reason=noresource");
    answer(&mut bench, &notify, 200, &[]);
    assert!(bench.end().is_none(), "the call goes on");
    // The next one has a number, or nobody could tell the two apart.
    bench.datagram(&request("REFER", US, "r3", &to, 4, "Refer-To: <sip:a@b>"));
    let now = bench.now;
    bench
        .endpoint
        .answer_referral(now, session, &ReferralAnswer::Ask)
        .unwrap();
    assert_eq!(bench.sent()[1].header("Event"), Some("refer;id=4"));
}

#[test]
fn a_question_that_nobody_answers_is_closed_with_a_refusal() {
    let (mut bench, _) = referred("Refer-To: <sip:carol@10.0.0.203>");
    let session = bench.session();
    let now = bench.now;
    bench
        .endpoint
        .answer_referral(now, session, &ReferralAnswer::Ask)
        .unwrap();
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
    let session = bench.session();
    let refusal = ReferralAnswer::Refuse(Status::new(603, "Decline"));
    let now = bench.now;
    bench
        .endpoint
        .answer_referral(now, session, &refusal)
        .unwrap();
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

/// A call of no account.
fn to(target: &Uri) -> OutgoingCall<'_> {
    OutgoingCall {
        account: None,
        target,
        headers: &[],
        urgent: false,
    }
}

/// Follows a wish to be transferred; the new call, its INVITE, and the first NOTIFY.
fn followed(bench: &mut Bench) -> (SessionId, Message, Option<Message>) {
    let session = bench.session();
    let now = bench.now;
    bench
        .endpoint
        .answer_referral(now, session, &ReferralAnswer::Follow)
        .unwrap();
    let target = wanted(bench);
    let call = bench
        .endpoint
        .invite_referred(now, session, &to(&target))
        .unwrap();
    let mut sent = bench.sent();
    assert_eq!(sent.remove(0).code(), Some(202));
    let notify = sent.into_iter().next();
    bench.endpoint.offer(now, call, Body::sdp("v=0")).unwrap();
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
    let session = bench.session();
    let now = bench.now;
    let follow = ReferralAnswer::Follow;
    bench
        .endpoint
        .answer_referral(now, session, &follow)
        .unwrap();
    let target = Uri::parse("sip:0030123456@10.0.0.203").unwrap();
    let call = bench
        .endpoint
        .invite_referred(now, session, &to(&target))
        .unwrap();
    let notify = bench.sent().remove(1);
    bench.endpoint.offer(now, call, Body::sdp("v=0")).unwrap();
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
    let session = bench.session();
    let now = bench.now;
    bench
        .endpoint
        .answer_referral(now, session, &ReferralAnswer::Follow)
        .unwrap();
    let nowhere = wanted(&bench);
    bench
        .endpoint
        .invite_referred(now, session, &to(&nowhere))
        .unwrap();
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
    let session = bench.session();
    let now = bench.now;
    bench
        .endpoint
        .answer_referral(now, session, &ReferralAnswer::Follow)
        .unwrap();
    let sent = bench.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].header("Refer-Sub"), Some("false"));
}

fn invite_in_place(branch: &str, replaces: &str) -> String {
    let more = format!("Require: replaces\r\nReplaces: {replaces}\r\n{SDP_BODY}");
    request("INVITE", US, branch, TO_US, 1, &more)
        .replace("Call-ID: call-1", &format!("Call-ID: new-{branch}"))
}

#[test]
fn a_call_takes_the_place_of_exactly_the_one_that_it_names() {
    let mut bench = Bench::new();
    let to = established(&mut bench);
    let old = bench.session();
    let ours = to.split_once("tag=").unwrap().1.to_owned();
    for (number, (replaces, code)) in [
        (format!("call-9;to-tag={ours};from-tag=p1"), 481),
        ("call-1;to-tag=other;from-tag=p1".to_owned(), 481),
        (format!("call-1;to-tag={ours};from-tag=p9"), 481),
        (format!("call-1;to-tag={ours};from-tag=p1;early-only"), 486),
        (format!("call-1;to-tag={ours}"), 400),
        (
            format!("call-1;to-tag={ours};from-tag=p1\r\nReplaces: a;to-tag=1;from-tag=2"),
            400,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let invite = invite_in_place(&format!("b{number}"), &replaces);
        assert_eq!(bench.codes(&invite), [code], "{replaces}");
    }
    bench.datagram(&invite_in_place(
        "c",
        &format!("call-1;to-tag={ours};from-tag=p1"),
    ));
    let call = bench.incoming().unwrap().clone();
    assert_eq!(call.replaces, Some(old));
    assert!(bench.end().is_none(), "nothing ends before it is accepted");
    bench
        .endpoint
        .answer(bench.now, call.session, Body::sdp("v=0"))
        .unwrap();
    let sent = bench.sent();
    assert_eq!(sent[0].code(), Some(200));
    assert_eq!(sent[1].method(), Some(&Method::Bye));
    assert_eq!(sent[1].call_id(), "call-1");
    let late = invite_in_place("d", &format!("call-1;to-tag={ours};from-tag=p1"));
    assert_eq!(bench.codes(&late), [603], "its place is taken already");
    answer(&mut bench, &sent[1], 200, &[]);
    let Some(SipEvent::Ended { session, by, .. }) = bench.end() else {
        panic!("{:?}", bench.events)
    };
    assert_eq!((*session, *by), (old, EndedBy::Replaced));
}

#[test]
fn only_an_early_call_that_we_made_is_picked_up() {
    let mut bench = Bench::new();
    // One that rings here was begun by the other side.
    bench.datagram(&request("INVITE", US, "i", TO_US, 1, SDP_BODY));
    let ringing = bench.session();
    bench.endpoint.ring(bench.now, ringing, None).unwrap();
    let ours = bench.sent().remove(0).to_tag();
    let invite = invite_in_place("a", &format!("call-1;to-tag={ours};from-tag=p1"));
    assert_eq!(bench.codes(&invite), [481]);

    let target = Uri::parse(CAROL).unwrap();
    let call = bench
        .endpoint
        .invite(bench.now, None, &target, &[])
        .unwrap();
    bench.sent();
    bench
        .endpoint
        .offer(bench.now, call, Body::sdp("v=0"))
        .unwrap();
    let out = bench.sent().remove(0);
    answer(
        &mut bench,
        &out,
        180,
        &[("Contact", "<sip:carol@10.0.0.203>")],
    );
    let names = format!(
        "{};to-tag={};from-tag=p1;early-only",
        out.call_id(),
        out.from_tag()
    );
    bench.datagram(&invite_in_place("b", &names));
    let pickup = bench.incoming().unwrap().clone();
    assert_eq!(pickup.replaces, Some(call));
    bench
        .endpoint
        .answer(bench.now, pickup.session, Body::sdp("v=0"))
        .unwrap();
    let sent = bench.sent();
    assert_eq!(sent[0].code(), Some(200));
    assert_eq!(sent[1].method(), Some(&Method::Cancel));
    answer(&mut bench, &sent[1], 200, &[]);
    answer(&mut bench, &out, 487, &[]);
    let replaced = bench.events.iter().any(|event| {
        matches!(event, SipEvent::Ended { session, by: EndedBy::Replaced, .. } if *session == call)
    });
    assert!(replaced, "{:?}", bench.events);
}

/// Two agents talk; the first also talks with a third. Gives the sessions of the first.
fn three(world: &mut World) -> (SessionId, SessionId) {
    for _ in 0..3 {
        let agent = world.add_agent(true);
        world.agents[agent].script = Some(|_, event| match event {
            SipEvent::OfferNeeded { .. } => vec![(Duration::ZERO, Act::Offer)],
            SipEvent::Incoming(_) => vec![(Duration::from_millis(50), Act::Answer)],
            _ => Vec::new(),
        });
    }
    let (bob, carol) = (world.uri(1), world.uri(2));
    let with_bob = world.call(0, None, &bob, "bob");
    let with_carol = world.call(0, None, &carol, "carol");
    world.run_for(Duration::from_secs(60));
    (with_bob, with_carol)
}

#[test]
fn an_attended_transfer_joins_the_other_two_over_a_bad_network() {
    let mut joined = 0;
    for seed in 0..20 {
        let link = Link {
            loss: 150,
            duplicates: 100,
            min_delay: Duration::from_millis(20),
            jitter: Duration::from_millis(40),
        };
        let mut world = World::new(seed, link);
        let (with_bob, with_carol) = three(&mut world);
        let established = |world: &World, agent: usize| {
            let records = world.agents[agent].records.values();
            records
                .filter(|r| r.established.is_some() && r.ended.is_empty())
                .count()
        };
        if established(&world, 0) != 2 || established(&world, 1) != 1 || established(&world, 2) != 1
        {
            continue;
        }
        let now = world.now;
        world.agents[0]
            .endpoint
            .transfer(now, with_bob, &ReferTarget::Call(with_carol))
            .unwrap();
        world.drain(0);
        let mut decided = None;
        for _ in 0..800 {
            world.run_for(Duration::from_millis(100));
            let wish = world.agents[1]
                .events
                .iter()
                .find_map(|(_, event)| match event {
                    SipEvent::Referral(wish) => Some((wish.session, wish.target.clone())),
                    _ => None,
                });
            if let (Some((session, target)), None) = (wish, decided) {
                let now = world.now;
                let bob = &mut world.agents[1];
                bob.endpoint
                    .answer_referral(now, session, &ReferralAnswer::Follow)
                    .unwrap();
                let call = bob
                    .endpoint
                    .invite_referred(now, session, &to(&target))
                    .unwrap();
                bob.records
                    .insert(call, super::agent::Record::outgoing("new"));
                decided = Some(call);
                world.drain(1);
            }
        }
        let last = world.agents[0]
            .events
            .iter()
            .rev()
            .find_map(|(_, event)| match event {
                SipEvent::Transfer {
                    status, done: true, ..
                } => Some(status.code),
                _ => None,
            });
        let code = last.unwrap_or_else(|| panic!("seed {seed}: no last word\n{}", world.show(0)));
        if code != 200 {
            continue;
        }
        // Carol talks with Bob now, and with nobody else.
        assert_eq!(established(&world, 2), 1, "seed {seed}\n{}", world.show(2));
        let replaced = world.saw(2, |event| {
            matches!(
                event,
                SipEvent::Ended {
                    by: EndedBy::Replaced | EndedBy::Unreachable,
                    ..
                }
            )
        });
        assert!(replaced, "seed {seed}\n{}", world.show(2));
        world.act(0, with_bob, Act::HangUp);
        world.run_for(Duration::from_secs(40));
        assert_eq!(established(&world, 1), 1, "seed {seed}\n{}", world.show(1));
        let new = decided.unwrap();
        world.act(1, new, Act::HangUp);
        assert!(world.run_until_quiet(LONG), "seed {seed}");
        joined += 1;
    }
    assert!(joined >= 15, "only {joined} of 20 came to their end");
}
