//! How a subscription ends: by the notifier's reason, by a refusal, by silence, or because we give it
//! up (RFC 6665 sections 4.1.2 and 4.1.3).

use std::time::Duration;

use super::{
    SECOND, active, answer, begun, news, notify, only, retry_in, setup, states, subscribes,
};
use crate::sip::{Census, SubscriptionSetup, SubscriptionState};

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
