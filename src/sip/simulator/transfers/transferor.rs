//! Who asks for a transfer: the REFER, the news of it, and how it ends (RFC 3515, 4488, 5589).

use std::time::Duration;

use super::{CAROL, LONG, answer};
use crate::base::uri::Uri;
use crate::sip::message::{Message, Method};
use crate::sip::simulator::bench::{Bench, SDP_BODY, TO_US, US, established, request};
use crate::sip::{Census, ReferTarget, SipError, SipEvent};

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

/// A request of the far end in its second call.
fn in_second_call(request: &str) -> String {
    request
        .replace("call-1", "call@2")
        .replace("tag=p1", "tag=p2")
}

/// A second call of the far end, which waits for its ACK; our 200.
fn second_call(bench: &mut Bench) -> Message {
    let invite = request("INVITE", US, "o", TO_US, 1, SDP_BODY);
    bench.datagram(&in_second_call(&invite));
    bench.answer()
}

fn acknowledge_second(bench: &mut Bench, ok: &Message) {
    let ack = request("ACK", US, "oa", ok.header("To").unwrap(), 1, "");
    bench.datagram(&in_second_call(&ack));
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
    let ok = second_call(&mut bench);
    let second = bench.session();
    acknowledge_second(&mut bench, &ok);
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
    let ok = second_call(&mut bench);
    let second = bench.session();
    let early = bench
        .endpoint
        .transfer(bench.now, first, &ReferTarget::Call(second));
    assert!(early.is_err(), "it is not established yet");
    acknowledge_second(&mut bench, &ok);
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
