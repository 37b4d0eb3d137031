//! Subscriptions (RFC 6665), fed by hand: what the notifier does is each test's own.

use std::time::Duration;

use super::bench::Bench;
use crate::base::flow::{ConnectionId, Output};
use crate::base::uri::Uri;
use crate::sip::message::{Message, Method};
use crate::sip::{
    Census, NotifierId, SipError, SipEvent, SubscriptionId, SubscriptionSetup, SubscriptionState,
    parse,
};

const SECOND: Duration = Duration::from_secs(1);
/// When a subscription of 600 s is refreshed, before its request is sent again.
const REFRESHED: Duration = Duration::from_millis(540_100);
const ACCEPT: &str = "application/dialog-info+xml";

fn setup() -> SubscriptionSetup {
    SubscriptionSetup {
        target: Uri::parse("sip:bob@10.0.0.200:5070").unwrap(),
        event: "dialog",
        accept: ACCEPT,
        expires: Duration::from_secs(600),
        forks: true,
    }
}

/// A bench with one subscription, and its SUBSCRIBE.
fn begun(setup: SubscriptionSetup) -> (Bench, SubscriptionId, Message) {
    let mut bench = Bench::new();
    let id = bench.endpoint.subscribe(bench.now, None, setup).unwrap();
    let subscribe = only(bench.sent());
    (bench, id, subscribe)
}

/// The only request among repetitions.
fn only(mut messages: Vec<Message>) -> Message {
    messages.dedup();
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages.remove(0)
}

/// The notifier's answer.
fn answer(
    bench: &mut Bench,
    request: &Message,
    code: u16,
    fields: &[(&str, &str)],
) -> Vec<Message> {
    let mut response = Message::response(request, code, "Answer", Some("n1"));
    for (name, value) in fields {
        response.headers.push(*name, *value);
    }
    response.headers.push("Contact", "<sip:n@10.0.0.200:5070>");
    bench.datagram_bytes(&response.to_bytes())
}

/// A NOTIFY of the notifier with a tag, for a SUBSCRIBE.
pub(super) fn notify(subscribe: &Message, tag: &str, cseq: u32, state: &str, body: &str) -> String {
    let subscriber = subscribe.header("From").unwrap();
    let call_id = subscribe.call_id();
    let contact = subscribe.contact().unwrap().uri;
    let kind = if body.is_empty() {
        String::new()
    } else {
        format!("Content-Type: {ACCEPT}\r\n")
    };
    format!(
        "NOTIFY {contact} SIP/2.0\r\n\
         Via: SIP/2.0/UDP 10.0.0.200:5070;rport;branch=z9hG4bK{tag}{cseq}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:bob@10.0.0.200>;tag={tag}\r\n\
         To: {subscriber}\r\n\
         Call-ID: {call_id}\r\n\
         CSeq: {cseq} NOTIFY\r\n\
         Contact: <sip:{tag}@10.0.0.200:5070>\r\n\
         Event: dialog\r\n\
         Subscription-State: {state}\r\n\
         {kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn states(bench: &Bench) -> Vec<SubscriptionState> {
    let state = |event: &SipEvent| match event {
        SipEvent::Subscription { state, .. } => Some(state.clone()),
        _ => None,
    };
    bench.events.iter().filter_map(state).collect()
}

fn news(bench: &Bench) -> Vec<(NotifierId, String)> {
    let news = |event: &SipEvent| match event {
        SipEvent::News { notifier, body, .. } => {
            let text = body.as_ref().map(|body| body.bytes.clone());
            Some((
                *notifier,
                String::from_utf8(text.unwrap_or_default()).unwrap(),
            ))
        }
        _ => None,
    };
    bench.events.iter().filter_map(news).collect()
}

/// A subscription that is active, with the SUBSCRIBE that began it.
fn active() -> (Bench, SubscriptionId, Message) {
    let (mut bench, id, subscribe) = begun(setup());
    answer(&mut bench, &subscribe, 200, &[("Expires", "600")]);
    assert_eq!(
        bench.codes(&notify(&subscribe, "n1", 1, "active;expires=600", "<a/>")),
        [200]
    );
    (bench, id, subscribe)
}

fn subscribes(messages: &[Message]) -> Vec<&Message> {
    let is_subscribe = |message: &&Message| message.method() == Some(&Method::Subscribe);
    messages.iter().filter(is_subscribe).collect()
}

fn retry_in(bench: &Bench) -> Duration {
    match states(bench).last() {
        Some(SubscriptionState::Waiting { retry_in, .. }) => *retry_in,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_subscribe_says_what_is_wanted_and_the_notify_makes_the_dialog() {
    let (mut bench, _, subscribe) = begun(setup());
    assert_eq!(subscribe.header("Event"), Some("dialog"));
    assert_eq!(subscribe.header("Accept"), Some(ACCEPT));
    assert_eq!(subscribe.header("Expires"), Some("600"));
    assert!(subscribe.contact().is_some());
    answer(&mut bench, &subscribe, 200, &[("Expires", "600")]);
    assert_eq!(states(&bench), [SubscriptionState::Subscribing]);
    let text = notify(&subscribe, "n1", 1, "active;expires=600", "<a/>");
    assert_eq!(bench.codes(&text), [200]);
    assert_eq!(
        states(&bench).last(),
        Some(&SubscriptionState::Active {
            expires: Duration::from_secs(600)
        })
    );
    assert_eq!(news(&bench)[0].1, "<a/>");
}

#[test]
fn a_notify_may_overtake_the_answer() {
    let (mut bench, id, subscribe) = begun(setup());
    let text = notify(&subscribe, "n1", 1, "pending", "");
    assert_eq!(bench.codes(&text), [200]);
    assert_eq!(states(&bench).last(), Some(&SubscriptionState::Pending));
    answer(&mut bench, &subscribe, 202, &[("Expires", "600")]);
    let text = notify(&subscribe, "n1", 2, "active;expires=300", "<a/>");
    assert_eq!(bench.codes(&text), [200]);
    // One dialog, so one refresh: well before the 300 s are over.
    let sent = bench.wait(SECOND * 290);
    let refresh = only(subscribes(&sent).into_iter().take(1).cloned().collect());
    assert_eq!(refresh.to_tag(), "n1");
    assert_eq!(refresh.cseq(), Some((2, Method::Subscribe)));
    assert_eq!(refresh.uri().unwrap().to_string(), "sip:n1@10.0.0.200:5070");
    bench.endpoint.unsubscribe(bench.now, id);
}

#[test]
fn a_refresh_keeps_it_alive_for_hours() {
    let (mut bench, _, subscribe) = active();
    let mut refreshes = 0;
    for _ in 0..720 {
        for message in bench.wait(SECOND * 10) {
            refreshes += 1;
            answer(&mut bench, &message, 200, &[("Expires", "600")]);
            let cseq = 1 + refreshes;
            let text = notify(&subscribe, "n1", cseq, "active;expires=600", "<b/>");
            assert_eq!(bench.codes(&text), [200]);
        }
    }
    assert!((12..=14).contains(&refreshes), "{refreshes}");
    assert_eq!(states(&bench).len(), 2, "{:?}", states(&bench));
}

#[test]
fn a_forked_subscribe_has_a_dialog_with_each_notifier() {
    let (mut bench, id, subscribe) = active();
    let second = notify(&subscribe, "n2", 1, "active;expires=600", "<c/>");
    assert_eq!(bench.codes(&second), [200]);
    let heard = news(&bench);
    assert_ne!(heard[0].0, heard[1].0);
    // Each keeps its own count of requests.
    assert_eq!(
        bench.codes(&notify(&subscribe, "n1", 2, "active", "<d/>")),
        [200]
    );
    // One may go while the other stays.
    let gone = notify(&subscribe, "n2", 2, "terminated;reason=noresource", "");
    assert_eq!(bench.codes(&gone), [200]);
    assert!(bench.events.iter().any(
        |event| matches!(event, SipEvent::NotifierGone { notifier, .. } if *notifier == heard[1].0)
    ));
    assert!(matches!(
        states(&bench).last(),
        Some(SubscriptionState::Active { .. })
    ));
    bench.endpoint.unsubscribe(bench.now, id);
    assert_eq!(bench.sent().len(), 1);
}

#[test]
fn a_second_notifier_is_refused_where_the_package_allows_one() {
    let (mut bench, _, subscribe) = begun(SubscriptionSetup {
        forks: false,
        ..setup()
    });
    answer(&mut bench, &subscribe, 200, &[]);
    assert_eq!(
        bench.codes(&notify(&subscribe, "n1", 1, "active", "")),
        [200]
    );
    assert_eq!(
        bench.codes(&notify(&subscribe, "n2", 1, "active", "")),
        [481]
    );
}

#[test]
fn more_notifiers_than_eight_are_refused() {
    let (mut bench, _, subscribe) = begun(setup());
    for number in 0..12 {
        let text = notify(&subscribe, &format!("f{number}"), 1, "active", "");
        let expected = if number < 8 { 200 } else { 481 };
        assert_eq!(bench.codes(&text), [expected], "{number}");
    }
}

#[test]
fn a_notify_that_belongs_to_nothing_gets_481() {
    let (mut bench, _, subscribe) = active();
    let text = notify(&subscribe, "n1", 2, "active", "");
    let strange = text.replace(subscribe.call_id(), "another");
    assert_eq!(bench.codes(&strange), [481]);
    let other_event = text.replace("Event: dialog", "Event: presence");
    assert_eq!(bench.codes(&other_event.replace("n12", "n1x")), [481]);
    let other_id = text.replace("Event: dialog", "Event: dialog;id=7");
    assert_eq!(bench.codes(&other_id.replace("n12", "n1y")), [481]);
    let without = text.replace("Event: dialog\r\n", "");
    let refused = bench.datagram(&without.replace("n12", "n1z"));
    assert_eq!(refused[0].code(), Some(489));
    assert!(
        refused[0]
            .header("Allow-Events")
            .unwrap()
            .contains("dialog")
    );
}

#[test]
fn a_notify_out_of_order_gets_500_and_changes_nothing() {
    let (mut bench, _, subscribe) = active();
    assert_eq!(
        bench.codes(&notify(&subscribe, "n1", 9, "active", "<b/>")),
        [200]
    );
    assert_eq!(
        bench.codes(&notify(&subscribe, "n1", 8, "active", "<c/>")),
        [500]
    );
    assert_eq!(news(&bench).len(), 2);
}

#[test]
fn a_body_that_was_not_asked_for_gets_415() {
    let (mut bench, _, subscribe) = active();
    let text = notify(&subscribe, "n1", 2, "active", "hello");
    let wrong = text.replace(
        &format!("Content-Type: {ACCEPT}"),
        "Content-Type: text/html",
    );
    let refused = bench.datagram(&wrong);
    assert_eq!(refused[0].code(), Some(415));
    assert_eq!(refused[0].header("Accept"), Some(ACCEPT));
    let packed = notify(&subscribe, "n1", 3, "active", "hello")
        .replace("Event:", "Content-Encoding: gzip\r\nEvent:");
    assert_eq!(bench.codes(&packed), [415]);
    assert_eq!(news(&bench).len(), 1);
}

#[test]
fn a_lifetime_that_is_too_brief_is_raised() {
    let (mut bench, _, subscribe) = begun(setup());
    let again = only(answer(
        &mut bench,
        &subscribe,
        423,
        &[("Min-Expires", "1800")],
    ));
    assert_eq!(again.header("Expires"), Some("1800"));
    assert_eq!(again.call_id(), subscribe.call_id());
    assert_eq!(again.cseq(), Some((2, Method::Subscribe)));
    // A notifier that always wants more is not followed for ever.
    let third = only(answer(&mut bench, &again, 423, &[("Min-Expires", "3600")]));
    answer(&mut bench, &third, 423, &[("Min-Expires", "7200")]);
    assert!(retry_in(&bench) >= SECOND * 15);
}

#[test]
fn a_refresh_that_is_too_brief_is_raised_too() {
    let (mut bench, _, _) = active();
    let refresh = only(bench.wait(REFRESHED));
    let again = only(answer(&mut bench, &refresh, 423, &[("Min-Expires", "900")]));
    assert_eq!(again.header("Expires"), Some("900"));
    assert_eq!(again.to_tag(), "n1");
}

#[test]
fn a_forgotten_subscription_is_begun_again_at_once() {
    let (mut bench, _, subscribe) = active();
    let refresh = only(bench.wait(REFRESHED));
    answer(&mut bench, &refresh, 481, &[]);
    let again = only(bench.wait(SECOND));
    assert_ne!(again.call_id(), subscribe.call_id());
    assert_eq!(again.to_tag(), "");
    let text = notify(&again, "n2", 1, "active;expires=600", "<z/>");
    assert_eq!(bench.codes(&text), [200]);
    // The old dialog is gone.
    assert_eq!(
        bench.codes(&notify(&subscribe, "n1", 7, "active", "")),
        [481]
    );
}

#[test]
fn a_notifier_that_forgets_each_time_is_not_stormed() {
    let (mut bench, _, _) = active();
    let mut tries = 0;
    let end = bench.now + SECOND * 3600;
    while bench.now < end {
        let mut sent = bench.wait(SECOND);
        sent.dedup();
        for message in sent {
            tries += 1;
            if message.to_tag().is_empty() {
                answer(&mut bench, &message, 200, &[("Expires", "600")]);
                let ended = notify(&message, "n1", 1, "terminated;reason=deactivated", "");
                assert_eq!(bench.codes(&ended), [200]);
            } else {
                answer(&mut bench, &message, 481, &[]);
            }
        }
    }
    assert!((3..=12).contains(&tries), "{tries}");
}

#[test]
fn each_reason_of_an_end_has_its_rule() {
    for (state, least, most) in [
        ("terminated;reason=deactivated", 0, 1),
        ("terminated;reason=timeout", 0, 1),
        ("terminated;reason=probation;retry-after=90", 90, 90),
        ("terminated;reason=probation", 15, 30),
        ("terminated;reason=giveup;retry-after=300", 300, 300),
        ("terminated;reason=giveup", 15, 30),
        ("terminated", 15, 30),
        ("terminated;reason=something;retry-after=70", 70, 70),
    ] {
        let (mut bench, _, subscribe) = active();
        assert_eq!(bench.codes(&notify(&subscribe, "n1", 2, state, "")), [200]);
        let pause = retry_in(&bench);
        assert!(
            (SECOND * least..=SECOND * most).contains(&pause),
            "{state}: {pause:?}"
        );
        if least > 0 {
            assert!(bench.wait(pause - SECOND / 2).is_empty(), "{state}");
        }
        let again = bench.wait(SECOND * 2);
        let again = subscribes(&again);
        assert_eq!(again[0].to_tag(), "", "{state}");
    }
    for state in ["rejected", "noresource", "invariant"] {
        let (mut bench, id, subscribe) = active();
        let text = notify(
            &subscribe,
            "n1",
            2,
            &format!("terminated;reason={state}"),
            "",
        );
        assert_eq!(bench.codes(&text), [200]);
        assert!(matches!(
            states(&bench).last(),
            Some(SubscriptionState::Ended { .. })
        ));
        assert!(bench.wait(SECOND * 86_400).is_empty(), "{state}");
        // Only its owner may want it again.
        bench.endpoint.subscribe_again(bench.now, id);
        assert_eq!(bench.sent().len(), 1);
    }
}

#[test]
fn a_refusal_ends_it_or_has_it_tried_again() {
    for code in [403, 405, 489, 501, 603] {
        let (mut bench, _, subscribe) = begun(setup());
        answer(&mut bench, &subscribe, code, &[]);
        match states(&bench).last() {
            Some(SubscriptionState::Ended {
                status: Some(status),
                reason,
            }) => {
                assert_eq!(status.code, code);
                assert!(reason.starts_with("the server"), "{reason}");
            }
            other => panic!("{code}: {other:?}"),
        }
        assert!(bench.wait(SECOND * 86_400).is_empty(), "{code}");
    }
    for code in [404, 480, 500, 503] {
        let (mut bench, _, subscribe) = begun(setup());
        answer(
            &mut bench,
            &subscribe,
            code,
            &[("Retry-After", "100 (busy)")],
        );
        assert_eq!(retry_in(&bench), SECOND * 100, "{code}");
        let again = bench.wait(SECOND * 101);
        assert!(!subscribes(&again).is_empty(), "{code}");
    }
}

#[test]
fn silence_after_a_subscribe_or_after_its_answer_is_a_failure() {
    let (mut bench, _, _) = begun(setup());
    bench.wait(SECOND * 33);
    assert!(retry_in(&bench) > Duration::ZERO);

    let (mut bench, _, subscribe) = begun(setup());
    answer(&mut bench, &subscribe, 200, &[("Expires", "600")]);
    bench.wait(SECOND * 33);
    match states(&bench).last() {
        Some(SubscriptionState::Waiting { reason, .. }) => {
            assert!(reason.contains("sends no news"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refresh_that_no_notify_follows_begins_it_again() {
    let (mut bench, _, _) = active();
    let refresh = only(bench.wait(REFRESHED));
    answer(&mut bench, &refresh, 200, &[("Expires", "600")]);
    let again = bench.wait(SECOND * 34);
    let again = subscribes(&again);
    assert_eq!(again[0].to_tag(), "");

    // 204 says that none follows (RFC 5839).
    let (mut bench, _, _) = active();
    let refresh = only(bench.wait(REFRESHED));
    answer(&mut bench, &refresh, 204, &[("Expires", "600")]);
    assert!(bench.wait(SECOND * 100).is_empty());
}

#[test]
fn a_refresh_that_fails_is_tried_again_while_it_lives() {
    let (mut bench, _, subscribe) = active();
    let refresh = only(bench.wait(REFRESHED));
    answer(&mut bench, &refresh, 500, &[]);
    assert!(matches!(
        states(&bench).last(),
        Some(SubscriptionState::Active { .. })
    ));
    let again = only(bench.wait(SECOND * 31));
    assert_eq!(again.to_tag(), "n1");
    answer(&mut bench, &again, 200, &[("Expires", "600")]);
    let text = notify(&subscribe, "n1", 2, "active;expires=600", "");
    assert_eq!(bench.codes(&text), [200]);
    assert_eq!(states(&bench).len(), 2);
}

#[test]
fn the_whole_state_is_asked_for_again_at_most_every_five_seconds() {
    let (mut bench, id, subscribe) = active();
    bench.wait(SECOND * 6);
    let now = bench.now;
    bench.endpoint.refresh_subscription(now, id);
    let refresh = only(bench.sent());
    assert_eq!(refresh.to_tag(), "n1");
    bench.endpoint.refresh_subscription(now, id);
    assert!(bench.sent().is_empty());
    answer(&mut bench, &refresh, 200, &[("Expires", "600")]);
    bench.codes(&notify(&subscribe, "n1", 2, "active;expires=600", "<a/>"));
    bench.endpoint.refresh_subscription(now, id);
    assert!(bench.wait(SECOND * 4).is_empty());
    let again = bench.wait(SECOND * 2);
    assert_eq!(subscribes(&again)[0].cseq(), Some((3, Method::Subscribe)));
}

#[test]
fn giving_up_ends_each_dialog_and_leaves_nothing() {
    let (mut bench, id, subscribe) = active();
    bench.endpoint.unsubscribe(bench.now, id);
    let farewell = only(bench.sent());
    assert_eq!(farewell.header("Expires"), Some("0"));
    assert_eq!(farewell.to_tag(), "n1");
    answer(&mut bench, &farewell, 200, &[("Expires", "0")]);
    let last = notify(&subscribe, "n1", 2, "terminated;reason=timeout", "<e/>");
    assert_eq!(bench.codes(&last), [200]);
    assert!(matches!(
        states(&bench).last(),
        Some(SubscriptionState::Ended { .. })
    ));
    bench.wait(SECOND * 64);
    assert_eq!(bench.endpoint.census(), Census::default());
}

/// News that crossed the farewell ended the wait for the last NOTIFY: where that one was lost, the
/// subscription stayed for good.
#[test]
fn news_that_cross_the_farewell_do_not_keep_what_was_given_up() {
    let (mut bench, id, subscribe) = active();
    bench.endpoint.unsubscribe(bench.now, id);
    let farewell = only(bench.sent());
    let crossing = notify(&subscribe, "n1", 2, "active;expires=500", "<c/>");
    assert_eq!(bench.codes(&crossing), [200]);
    answer(&mut bench, &farewell, 200, &[("Expires", "0")]);
    bench.wait(SECOND * 64);
    assert!(matches!(
        states(&bench).last(),
        Some(SubscriptionState::Ended { .. })
    ));
    assert_eq!(bench.endpoint.census(), Census::default());
}

#[test]
fn giving_up_without_an_answer_leaves_nothing_either() {
    let (mut bench, id, _) = active();
    bench.endpoint.unsubscribe(bench.now, id);
    bench.wait(SECOND * 70);
    assert_eq!(bench.endpoint.census(), Census::default());

    // Before anybody answered: a NOTIFY that still comes is refused, which ends it there.
    let (mut bench, id, subscribe) = begun(setup());
    bench.endpoint.unsubscribe(bench.now, id);
    assert_eq!(
        bench.codes(&notify(&subscribe, "n1", 1, "active", "")),
        [481]
    );
    bench.wait(SECOND * 70);
    assert_eq!(bench.endpoint.census(), Census::default());
}

#[test]
fn a_state_is_fetched_once() {
    let (mut bench, id, subscribe) = begun(SubscriptionSetup {
        expires: Duration::ZERO,
        ..setup()
    });
    assert_eq!(subscribe.header("Expires"), Some("0"));
    answer(&mut bench, &subscribe, 200, &[("Expires", "0")]);
    let text = notify(&subscribe, "n1", 1, "terminated;reason=timeout", "<a/>");
    assert_eq!(bench.codes(&text), [200]);
    assert_eq!(news(&bench).len(), 1);
    assert!(matches!(
        states(&bench).last(),
        Some(SubscriptionState::Ended { .. })
    ));
    assert!(bench.wait(SECOND * 3600).is_empty());
    // The next poll.
    bench.endpoint.subscribe_again(bench.now, id);
    assert_eq!(bench.sent().len(), 1);
}

#[test]
fn there_is_a_limit() {
    let mut bench = Bench::new();
    for _ in 0..256 {
        bench.endpoint.subscribe(bench.now, None, setup()).unwrap();
    }
    let refused = bench.endpoint.subscribe(bench.now, None, setup());
    assert!(matches!(refused, Err(SipError::Limit(_))));
    let tel = SubscriptionSetup {
        target: Uri::parse("tel:+4930123").unwrap(),
        ..setup()
    };
    let refused = Bench::new().endpoint.subscribe(bench.now, None, tel);
    assert!(matches!(refused, Err(SipError::BadTarget(_))));
}

#[test]
fn nothing_of_ours_can_be_subscribed_to() {
    let (mut bench, _, _) = active();
    let text = super::bench::request(
        "SUBSCRIBE",
        "sip:us@10.0.0.1",
        "s",
        super::bench::TO_US,
        1,
        "Event: presence",
    );
    let refused = only(bench.datagram(&text));
    assert_eq!(refused.code(), Some(405));
    assert!(refused.header("Allow").unwrap().contains("NOTIFY"));
}

#[test]
fn message_waiting_is_taken_unasked_and_nothing_else() {
    let mut bench = Bench::new();
    let text = |branch: &str, cseq: u32, event: &str| {
        super::bench::request(
            "NOTIFY",
            "sip:us@10.0.0.1",
            branch,
            super::bench::TO_US,
            cseq,
            &format!(
                "Event: {event}\r\nContent-Type: application/simple-message-summary\r\n\r\nMessages-Waiting: yes\r\n"
            ),
        )
    };
    assert_eq!(bench.codes(&text("a", 1, "message-summary")), [200]);
    assert!(bench.events.iter().any(
        |event| matches!(event, SipEvent::UnsolicitedNews(news) if news.event == "message-summary")
    ));
    assert_eq!(bench.codes(&text("b", 2, "presence")), [481]);
}

/// The requests written to streams, and the streams that shall be opened.
fn by_stream(bench: &mut Bench) -> (Vec<ConnectionId>, Vec<Message>) {
    let (mut opened, mut written) = (Vec::new(), Vec::new());
    for output in bench.drain() {
        match output {
            Output::Connect { connection, .. } => opened.push(connection),
            Output::Stream { bytes, .. } => written.push(parse::message(&bytes).unwrap()),
            Output::Datagram { .. } | Output::Close { .. } | Output::Resolve { .. } => {}
        }
    }
    (opened, written)
}

#[test]
fn a_subscription_whose_stream_is_lost_is_refreshed_by_a_new_one() {
    let mut bench = Bench::new();
    let target = Uri::parse("sip:bob@10.0.0.200:5070;transport=tcp").unwrap();
    let wish = SubscriptionSetup { target, ..setup() };
    bench.endpoint.subscribe(bench.now, None, wish).unwrap();
    let (opened, written) = by_stream(&mut bench);
    let (connection, subscribe) = (opened[0], only(written));
    let local = (super::bench::OURS, 40_000).into();
    bench
        .endpoint
        .handle_connected(bench.now, connection, local);
    let mut ok = Message::response(&subscribe, 200, "OK", Some("n1"));
    ok.headers.push("Expires", "600");
    bench.stream(connection, &String::from_utf8(ok.to_bytes()).unwrap());
    let text = notify(&subscribe, "n1", 1, "active;expires=600", "<a/>")
        .replace("@10.0.0.200:5070>", "@10.0.0.200:5070;transport=tcp>")
        .replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    let (answered, _) = bench.stream(connection, &text);
    assert!(answered.starts_with("SIP/2.0 200"), "{answered}");
    bench
        .endpoint
        .handle_connection_closed(bench.now, connection, None);
    by_stream(&mut bench);
    let due = bench.now + SECOND * 5;
    while bench.endpoint.poll_timeout().is_some_and(|at| at < due) {
        bench.now = bench.endpoint.poll_timeout().unwrap();
        bench.endpoint.handle_timeout(bench.now);
        assert!(by_stream(&mut bench).1.is_empty());
    }
    bench.now = due;
    bench.endpoint.handle_timeout(due);
    let (opened, written) = by_stream(&mut bench);
    assert_ne!(opened[0], connection);
    assert_eq!(only(written).to_tag(), "n1");
}

/// The flow was never learned where the answer had ended its transaction, as on streams.
#[test]
fn a_registration_whose_stream_is_lost_is_made_again_within_three_seconds() {
    let mut bench = Bench::new();
    let registrar = Uri::parse("sip:10.0.0.200:5070;transport=tcp").unwrap();
    let account = crate::sip::AccountSetup {
        registrar: Some(registrar),
        ..super::scenarios::account("anna")
    };
    let id = crate::base::id::AccountId(0);
    bench.endpoint.add_account(bench.now, id, account);
    let (opened, written) = by_stream(&mut bench);
    let (connection, register) = (opened[0], only(written));
    let local = (super::bench::OURS, 40_000).into();
    bench
        .endpoint
        .handle_connected(bench.now, connection, local);
    let mut ok = Message::response(&register, 200, "OK", Some("r"));
    let contact = register.header("Contact").unwrap();
    ok.headers.push("Contact", contact);
    bench.stream(connection, &String::from_utf8(ok.to_bytes()).unwrap());
    bench
        .endpoint
        .handle_connection_closed(bench.now, connection, None);
    by_stream(&mut bench);
    let due = bench.endpoint.poll_timeout().unwrap();
    assert!(due <= bench.now + SECOND * 3, "{:?}", due - bench.now);
    bench.endpoint.handle_timeout(due);
    let (opened, written) = by_stream(&mut bench);
    assert_ne!(opened[0], connection);
    assert_eq!(only(written).method(), Some(&Method::Register));
}
