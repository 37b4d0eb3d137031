//! A wish to be transferred whose asker hangs up as soon as it was accepted, as many PBXs do: it is
//! carried out on its own (RFC 3515 section 2.4.4).

use std::time::Duration;

use super::{CAROL, LONG, decide, to};
use crate::base::uri::Uri;
use crate::sip::message::{Message, Method};
use crate::sip::simulator::bench::{Bench, TO_US, US, established, request};
use crate::sip::{Body, Census, ReferralAnswer, SessionId, SipError, SipEvent, Status};

/// A call whose far end asked us to call Carol, was told so much, and hung up.
fn left_with(decision: &ReferralAnswer) -> (Bench, SessionId) {
    let mut bench = Bench::new();
    let to = established(&mut bench);
    let more = format!(
        "Referred-By: <sip:peer@example.com>\r\nRefer-To: <{CAROL}?Replaces=c%40d%3Bto-tag%3D1%3Bfrom-tag%3D2>"
    );
    let session = bench.session();
    bench.datagram(&request("REFER", US, "r", &to, 2, &more));
    decide(&mut bench, decision);
    assert_eq!(bench.sent()[0].code(), Some(202));
    let codes = bench.codes(&request("BYE", US, "b", &to, 3, ""));
    assert!(codes.contains(&200), "{codes:?}");
    assert!(bench.end().is_some());
    (bench, session)
}

fn follow(bench: &mut Bench, session: SessionId) -> Result<Message, SipError> {
    let now = bench.now;
    bench
        .endpoint
        .answer_referral(now, session, &ReferralAnswer::Follow)?;
    let target = Uri::parse(CAROL).unwrap();
    let call = bench.endpoint.invite_referred(now, session, &to(&target))?;
    bench.drain();
    bench.endpoint.offer(now, call, Body::sdp("v=0"))?;
    Ok(bench.sent().remove(0))
}

fn over(bench: &Bench) -> usize {
    let over = |event: &&SipEvent| matches!(event, SipEvent::ReferralOver { .. });
    bench.events.iter().filter(over).count()
}

/// The call waits for its row before its INVITE; a BYE in that time once ended the transfer.
#[test]
fn who_was_told_yes_and_hangs_up_is_followed_all_the_same() {
    for decision in [ReferralAnswer::Follow, ReferralAnswer::Ask] {
        let (mut bench, session) = left_with(&decision);
        bench.wait(Duration::from_secs(60));
        let invite = follow(&mut bench, session).unwrap();
        assert_eq!(invite.method(), Some(&Method::Invite));
        assert_eq!(invite.header("Referred-By"), Some("<sip:peer@example.com>"));
        assert_eq!(invite.header("Replaces"), Some("c@d;to-tag=1;from-tag=2"));
        assert_eq!(over(&bench), 0);
        assert!(follow(&mut bench, session).is_err(), "once");
        // Nobody is told how it goes.
        let from = "10.0.0.203:5060".parse().unwrap();
        let sent = bench.reply(from, "t", &invite, 486, &[]);
        assert!(sent.iter().all(|it| it.method() == Some(&Method::Ack)));
        bench.wait(LONG);
        assert_eq!(bench.endpoint.census(), Census::default());
    }
}

#[test]
fn a_wish_that_nobody_decides_is_over_three_minutes_after_it_was_made() {
    let (mut bench, session) = left_with(&ReferralAnswer::Ask);
    bench.wait(Duration::from_secs(179));
    assert_eq!(over(&bench), 0);
    bench.wait(Duration::from_secs(2));
    assert_eq!(over(&bench), 1);
    assert!(follow(&mut bench, session).is_err());
    bench.wait(LONG);
    assert_eq!(bench.endpoint.census(), Census::default());
}

#[test]
fn who_says_no_forgets_it() {
    let (mut bench, session) = left_with(&ReferralAnswer::Ask);
    let refusal = ReferralAnswer::Refuse(Status::new(603, "Decline"));
    decide(&mut bench, &refusal);
    assert!(bench.sent().is_empty(), "nobody is there to hear it");
    assert!(follow(&mut bench, session).is_err());
    bench.wait(LONG);
    assert_eq!(bench.endpoint.census(), Census::default());
}

#[test]
fn a_call_that_we_end_ourselves_takes_the_wish_along() {
    let mut bench = Bench::new();
    let to = established(&mut bench);
    let session = bench.session();
    let more = format!("Refer-To: <{CAROL}>");
    bench.datagram(&request("REFER", US, "r", &to, 2, &more));
    decide(&mut bench, &ReferralAnswer::Ask);
    bench.endpoint.hang_up(bench.now, session).unwrap();
    bench.wait(Duration::from_secs(40));
    assert!(follow(&mut bench, session).is_err());
    bench.wait(LONG);
    assert_eq!(bench.endpoint.census(), Census::default());
    assert_ne!(to, TO_US);
}

/// Some answer each NOTIFY with 481 and hang up later.
#[test]
fn a_far_end_that_wants_no_news_is_followed_all_the_same() {
    let mut bench = Bench::new();
    let to = established(&mut bench);
    let session = bench.session();
    let more = format!("Refer-To: <{CAROL}>");
    bench.datagram(&request("REFER", US, "r", &to, 2, &more));
    decide(&mut bench, &ReferralAnswer::Ask);
    let notify = bench.sent().remove(1);
    assert_eq!(notify.method(), Some(&Method::Notify));
    let gone = Message::response(&notify, 481, "Gone", None).to_bytes();
    bench.datagram_bytes(&gone);
    assert_eq!(over(&bench), 0);
    let invite = follow(&mut bench, session).unwrap();
    assert_eq!(invite.method(), Some(&Method::Invite));
}
