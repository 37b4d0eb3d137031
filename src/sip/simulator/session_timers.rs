//! Session timers (RFC 4028): who refreshes, how, and what happens where nobody does.

use std::time::Duration;

use super::agent::Act;
use super::bench::{Bench, SDP_BODY, TO_US, US, established, request};
use super::checks::check;
use super::world::{Link, World};
use crate::sip::message::{Message, Method};
use crate::sip::{Body, CallExtensions, EndedBy, SessionId, SipEvent};

const SECOND: Duration = Duration::from_secs(1);

fn with_expires(seconds: u64) -> Bench {
    let mut bench = Bench::new();
    bench.endpoint.config.direct_extensions = CallExtensions {
        session_expires: Duration::from_secs(seconds),
        ..CallExtensions::default()
    };
    bench
}

/// A call to us with these header fields, answered and acknowledged; our 200.
fn called(bench: &mut Bench, more: &str) -> Message {
    let more = format!("{more}\r\n{SDP_BODY}");
    bench.datagram(&request("INVITE", US, "i", TO_US, 1, &more));
    let ok = bench.answer();
    let to = ok.header("To").unwrap();
    bench.datagram(&request("ACK", US, "a", to, 1, ""));
    ok
}

#[test]
fn the_answer_names_interval_and_refresher() {
    let ours = 1800;
    for (asked, answer, requires) in [
        // Nobody knows timers, or only a proxy asks: then we refresh.
        ("X-Odd: 1", None, false),
        ("Session-Expires: 600", Some("600;refresher=uas"), false),
        // Less than may be asked for, by one who cannot be told so.
        ("Session-Expires: 60", Some("60;refresher=uas"), false),
        (
            "Session-Expires: 600\r\nMin-SE: 900",
            Some("900;refresher=uas"),
            false,
        ),
        ("Supported: timer", Some("1800;refresher=uac"), true),
        (
            "Supported: timer\r\nx: 7200",
            Some("1800;refresher=uac"),
            true,
        ),
        (
            "Supported: timer\r\nx: 600;refresher=uas",
            Some("600;refresher=uas"),
            false,
        ),
        (
            "Supported: timer\r\nx: 600;refresher=uac",
            Some("600;refresher=uac"),
            true,
        ),
        (
            "Supported: timer\r\nx: 7200\r\nMin-SE: 3600",
            Some("3600;refresher=uac"),
            true,
        ),
        ("Require: timer\r\nx: 90", Some("90;refresher=uac"), true),
    ] {
        let mut bench = with_expires(ours);
        let ok = called(&mut bench, asked);
        assert_eq!(ok.header("Session-Expires"), answer, "{asked}");
        assert_eq!(ok.header("Require").is_some(), requires, "{asked}");
        assert!(ok.tokens("Supported").contains(&"timer".to_owned()));
    }
}

#[test]
fn without_session_timers_none_is_agreed_and_none_may_be_demanded() {
    let mut bench = with_expires(0);
    let demanded = format!("Require: timer\r\n{SDP_BODY}");
    let refused = bench
        .datagram(&request("INVITE", US, "r", TO_US, 7, &demanded))
        .remove(0);
    assert_eq!(refused.code(), Some(420));
    assert_eq!(refused.header("Unsupported"), Some("timer"));
    let mut bench = with_expires(0);
    let ok = called(&mut bench, "Supported: timer\r\nSession-Expires: 90");
    assert_eq!(ok.header("Session-Expires"), None);
    assert!(!ok.tokens("Supported").contains(&"timer".to_owned()));
    assert!(bench.wait(SECOND * 4000).is_empty());
    assert!(bench.ended().is_none());
}

#[test]
fn a_session_interval_below_the_least_one_is_refused_in_a_call_too() {
    let mut bench = Bench::new();
    let brief = format!("Supported: timer\r\nSession-Expires: 89\r\n{SDP_BODY}");
    let refused = bench
        .datagram(&request("INVITE", US, "b", TO_US, 7, &brief))
        .remove(0);
    assert_eq!(
        (refused.code(), refused.header("Min-SE")),
        (Some(422), Some("90"))
    );
    assert!(bench.incoming().is_none());
    let to = established(&mut bench);
    for (method, branch, cseq) in [("INVITE", "c", 2), ("UPDATE", "d", 3)] {
        let refused = bench
            .datagram(&request(method, US, branch, &to, cseq, &brief))
            .remove(0);
        assert_eq!(
            (refused.code(), refused.header("Min-SE")),
            (Some(422), Some("90"))
        );
    }
}

#[test]
fn we_refresh_by_update_where_the_far_end_takes_it() {
    let mut bench = Bench::new();
    let asked = "Allow: INVITE, UPDATE\r\nSupported: timer\r\nx: 90;refresher=uas";
    called(&mut bench, asked);
    for round in 0..3 {
        assert!(bench.wait(SECOND * 43).is_empty());
        let update = bench.wait(SECOND * 3).remove(0);
        assert_eq!(update.method(), Some(&Method::Update), "{round}");
        assert!(update.body.is_empty());
        assert_eq!(update.header("Session-Expires"), Some("90;refresher=uac"));
        assert_eq!(update.header("Min-SE"), Some("90"));
        let mut ok = Message::response(&update, 200, "OK", None);
        ok.headers.push("Session-Expires", "90;refresher=uac");
        // From the answer on the interval begins anew.
        assert!(bench.datagram_bytes(&ok.to_bytes()).is_empty());
    }
    assert!(bench.ended().is_none());
}

#[test]
fn we_refresh_by_reinvite_with_the_same_description_where_it_does_not() {
    let mut bench = Bench::new();
    called(
        &mut bench,
        "Allow: INVITE\r\nSupported: timer\r\nx: 90;refresher=uas",
    );
    let invite = bench.wait(SECOND * 46).remove(0);
    assert_eq!(invite.method(), Some(&Method::Invite));
    assert_eq!(invite.body, b"v=0", "what the 200 said, o= and all");
    assert_eq!(invite.header("Session-Expires"), Some("90;refresher=uac"));
    let mut ok = Message::response(&invite, 200, "OK", None);
    ok.headers.push("Session-Expires", "90;refresher=uac");
    ok.set_body(&Body::sdp("v=0"));
    let ack = bench.datagram_bytes(&ok.to_bytes()).remove(0);
    assert_eq!(ack.method(), Some(&Method::Ack));
    assert!(bench.wait(SECOND * 40).is_empty());
    assert!(bench.ended().is_none());
}

#[test]
fn an_update_that_is_refused_as_unknown_becomes_a_reinvite() {
    let mut bench = Bench::new();
    called(
        &mut bench,
        "Allow: UPDATE\r\nSupported: timer\r\nx: 90;refresher=uas",
    );
    let update = bench.wait(SECOND * 46).remove(0);
    assert_eq!(update.method(), Some(&Method::Update));
    let refused = Message::response(&update, 501, "Not Implemented", None);
    let invite = bench.datagram_bytes(&refused.to_bytes()).remove(0);
    assert_eq!(invite.method(), Some(&Method::Invite));
}

#[test]
fn a_refresh_that_meets_nobody_ends_the_call_as_unreachable() {
    for (status, waited) in [(Some(481), 0), (Some(408), 0), (None, 33)] {
        let mut bench = Bench::new();
        called(
            &mut bench,
            "Allow: UPDATE\r\nSupported: timer\r\nx: 90;refresher=uas",
        );
        let update = bench.wait(SECOND * 46).remove(0);
        let mut sent = match status {
            Some(code) => {
                let refused = Message::response(&update, code, "Gone", None);
                bench.datagram_bytes(&refused.to_bytes())
            }
            None => bench.wait(SECOND * waited),
        };
        sent.retain(|message| message.method() == Some(&Method::Bye));
        let bye = sent.first().expect("a BYE");
        assert!(bye.header("Reason").unwrap().contains("cause=408"));
        let ok = Message::response(bye, 200, "OK", None);
        bench.datagram_bytes(&ok.to_bytes());
        let code = status.unwrap_or(408);
        assert_eq!(bench.ended(), Some((EndedBy::Unreachable, code)));
    }
}

#[test]
fn a_refresh_that_is_refused_is_tried_again_until_the_interval_is_over() {
    let mut bench = Bench::new();
    called(
        &mut bench,
        "Allow: UPDATE\r\nSupported: timer\r\nx: 90;refresher=uas",
    );
    bench.wait(SECOND * 44);
    let mut last = None;
    for _ in 0..30 {
        for message in bench.wait(SECOND) {
            if message.method() == Some(&Method::Update) {
                let refused = Message::response(&message, 500, "Not now", None);
                bench.datagram_bytes(&refused.to_bytes());
            }
            last = message.method().cloned();
        }
    }
    assert_eq!(last, Some(Method::Bye), "90 s less a third");
}

#[test]
fn a_call_that_the_far_end_does_not_refresh_ends_before_its_interval_does() {
    // A third before the end, at most 32 s (RFC 4028 section 10).
    for (interval, end) in [(90_u32, 60), (300, 268)] {
        let mut bench = Bench::new();
        let asked = format!("Allow: UPDATE\r\nSupported: timer\r\nx: {interval};refresher=uac");
        let ok = called(&mut bench, &asked);
        let to = ok.header("To").unwrap();
        // A refresh begins the interval anew, by either method.
        bench.wait(SECOND * 50);
        let more = format!("Supported: timer\r\nx: {interval}");
        let answer = bench
            .datagram(&request("UPDATE", US, "u", to, 2, &more))
            .remove(0);
        let agreed = format!("{interval};refresher=uac");
        assert_eq!(answer.header("Session-Expires"), Some(agreed.as_str()));
        assert!(bench.wait(SECOND * (end - 1)).is_empty(), "{interval}");
        let bye = bench.wait(SECOND * 2).remove(0);
        assert_eq!(bye.method(), Some(&Method::Bye));
        let reason = bye.header("Reason").unwrap();
        assert!(reason.starts_with("SIP;cause=408;text="), "{reason}");
        let ok = Message::response(&bye, 200, "OK", None);
        bench.datagram_bytes(&ok.to_bytes());
        assert_eq!(bench.ended(), Some((EndedBy::Unreachable, 408)));
    }
}

/// A call that we make; the session and its INVITE.
fn calling(bench: &mut Bench) -> (SessionId, Message) {
    let session = bench.call(None, "sip:x@10.0.0.200:5070");
    (session, bench.sent().remove(0))
}

fn accept(bench: &mut Bench, invite: &Message, fields: &[(&str, &str)]) {
    let mut ok = Message::response(invite, 200, "OK", Some("t"));
    ok.headers.push("Contact", "<sip:x@10.0.0.200:5070>");
    for (name, value) in fields {
        ok.headers.push(*name, *value);
    }
    ok.set_body(&Body::sdp("v=theirs"));
    let ack = bench.datagram_bytes(&ok.to_bytes()).remove(0);
    assert_eq!(ack.method(), Some(&Method::Ack));
}

#[test]
fn our_invite_asks_and_the_answer_decides_who_refreshes() {
    let update = ("Allow", "INVITE, UPDATE");
    for (answer, refreshes, expires) in [
        (vec![update], false, false),
        (
            vec![update, ("Session-Expires", "90;refresher=uac")],
            true,
            false,
        ),
        (
            vec![update, ("Session-Expires", "90;refresher=uas")],
            false,
            true,
        ),
        (vec![("Session-Expires", "90")], true, false),
        // Less than a session may have: as the least.
        (
            vec![update, ("Session-Expires", "1;refresher=uas")],
            false,
            true,
        ),
    ] {
        let mut bench = Bench::new();
        let (_, invite) = calling(&mut bench);
        assert_eq!(invite.header("Session-Expires"), Some("1800"));
        assert_eq!(invite.header("Min-SE"), None, "90 is meant without it");
        accept(&mut bench, &invite, &answer);
        let sent = bench.wait(SECOND * 46);
        assert_eq!(!sent.is_empty(), refreshes, "{answer:?}");
        if let Some(refresh) = sent.first()
            && refresh.method() == Some(&Method::Invite)
        {
            assert_eq!(refresh.body, b"v=0");
        }
        let over = bench.wait(SECOND * 16);
        let bye = over.iter().any(|m| m.method() == Some(&Method::Bye));
        assert_eq!(bye, expires || refreshes, "{answer:?}");
    }
    let mut bench = with_expires(0);
    let (_, invite) = calling(&mut bench);
    assert_eq!(invite.header("Session-Expires"), None);
    accept(
        &mut bench,
        &invite,
        &[("Session-Expires", "90;refresher=uas")],
    );
    assert!(bench.wait(SECOND * 200).is_empty(), "it was not asked for");
}

/// An interval of 60 s, which is not allowed, was once kept as 90 s: we refreshed after 45 s, and the
/// far end had hung up after 40 s.
#[test]
fn a_far_end_that_names_too_short_an_interval_is_refreshed_by_its_own_clock() {
    let mut bench = with_expires(1800);
    let (_, invite) = calling(&mut bench);
    let fields = [("Session-Expires", "60;refresher=uac"), ("Allow", "UPDATE")];
    accept(&mut bench, &invite, &fields);
    let update = |sent: Vec<Message>| {
        let is_update = |it: &Message| it.method() == Some(&Method::Update);
        sent.into_iter().find(is_update)
    };
    assert_eq!(update(bench.wait(SECOND * 29)), None);
    let update = update(bench.wait(SECOND * 2)).expect("a refresh after half of 60 s");
    // What we ask for is allowed.
    assert_eq!(
        update.header("Session-Expires"),
        Some("90;refresher=uac"),
        "{update:?}"
    );
}

#[test]
fn a_422_raises_the_interval_and_the_call_goes_on() {
    let mut bench = Bench::new();
    let (_, invite) = calling(&mut bench);
    let mut refused = Message::response(&invite, 422, "Too Small", Some("x"));
    refused.headers.push("Min-SE", "3600");
    let sent = bench.datagram_bytes(&refused.to_bytes());
    let methods: Vec<_> = sent.iter().map(|m| m.cseq().unwrap()).collect();
    assert_eq!(methods, [(1, Method::Ack), (2, Method::Invite)]);
    let again = &sent[1];
    assert_eq!(again.call_id(), invite.call_id());
    assert_eq!(again.from_tag(), invite.from_tag());
    assert_eq!(again.header("Session-Expires"), Some("3600"));
    assert_eq!(again.header("Min-SE"), Some("3600"));
    assert!(bench.ended().is_none());
    // A demand that makes no sense is the end of it.
    let mut senseless = Message::response(again, 422, "Too Small", Some("x"));
    senseless.headers.push("Min-SE", "60");
    bench.datagram_bytes(&senseless.to_bytes());
    assert_eq!(bench.ended(), Some((EndedBy::Remote, 422)));
}

#[test]
fn a_far_end_that_demands_ever_more_is_not_followed_for_ever() {
    let mut bench = Bench::new();
    let (_, mut invite) = calling(&mut bench);
    let mut rounds = 0;
    for least in [2000, 3000, 4000, 5000, 6000] {
        let mut refused = Message::response(&invite, 422, "Too Small", Some("x"));
        refused.headers.push("Min-SE", least.to_string());
        let sent = bench.datagram_bytes(&refused.to_bytes());
        let Some(again) = sent
            .into_iter()
            .find(|m| m.method() == Some(&Method::Invite))
        else {
            break;
        };
        invite = again;
        rounds += 1;
    }
    assert_eq!(rounds, 2);
    assert_eq!(bench.ended(), Some((EndedBy::Remote, 422)));
}

#[test]
fn two_phones_keep_their_call_alive_and_notice_when_one_is_gone() {
    let mut world = World::new(3, Link::PERFECT);
    for _ in 0..2 {
        let agent = world.add_agent(true);
        let extensions = &mut world.agents[agent].endpoint.config.direct_extensions;
        extensions.session_expires = Duration::from_secs(90);
    }
    let target = world.uri(1);
    let call = world.call(0, None, &target, "call");
    world.run_for(SECOND);
    world.act(0, call, Act::Offer);
    world.run_for(SECOND);
    let session = world.incoming(1, "call").unwrap().session;
    world.act(1, session, Act::Answer);
    world.run_for(SECOND * 600);
    let refreshes = world.count(0, true, "UPDATE");
    assert_eq!(refreshes, 13, "each 45 s, by the caller");
    assert_eq!(world.count(1, true, "UPDATE"), 0);
    // The caller holds: that refreshes too, and nobody changes the roles.
    world.act(1, session, Act::Reinvite);
    world.run_for(SECOND);
    world.act(0, call, Act::AnswerChange(200));
    world.run_for(SECOND * 100);
    assert_eq!(world.count(1, true, "UPDATE"), 0);
    assert!(!world.saw(0, |event| matches!(event, SipEvent::Ended { .. })));
    // The network is gone.
    world.drop_if = Some(Box::new(|_| true));
    world.run_for(SECOND * 130);
    for agent in [0, 1] {
        assert!(
            world.saw(agent, |event| matches!(
                event,
                SipEvent::Ended {
                    by: EndedBy::Unreachable,
                    ..
                }
            )),
            "agent {agent}: {}",
            world.show(agent)
        );
    }
    assert!(world.run_until_quiet(SECOND * 200));
    check(&world, 3);
}
