//! The SUBSCRIBE, the dialog that a NOTIFY makes, and which NOTIFY is taken (RFC 6665 sections 4.1
//! and 4.4, RFC 3842).

use std::time::Duration;

use super::{ACCEPT, SECOND, active, answer, begun, news, notify, only, setup, states, subscribes};
use crate::base::uri::Uri;
use crate::sip::message::Method;
use crate::sip::simulator::bench::{Bench, TO_US, US, request};
use crate::sip::{SipError, SipEvent, SubscriptionSetup, SubscriptionState};

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
    let text = request("SUBSCRIBE", US, "s", TO_US, 1, "Event: presence");
    let refused = only(bench.datagram(&text));
    assert_eq!(refused.code(), Some(405));
    assert!(refused.header("Allow").unwrap().contains("NOTIFY"));
}

#[test]
fn message_waiting_is_taken_unasked_and_nothing_else() {
    let mut bench = Bench::new();
    let text = |branch: &str, cseq: u32, event: &str| {
        request(
            "NOTIFY",
            US,
            branch,
            TO_US,
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
