//! What keeps a subscription alive: its refreshes, their lifetimes, and how it is begun again (RFC
//! 6665 sections 4.1.2 and 4.2.1, RFC 5839).

use super::{
    REFRESHED, SECOND, active, answer, begun, notify, only, retry_in, setup, states, subscribes,
};
use crate::sip::SubscriptionState;
use crate::sip::message::Method;

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
