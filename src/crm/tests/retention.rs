//! What is too old goes, by class, and only that.

use super::*;
use crate::crm::row::{QualitySpan, Retention};

const DAY: i64 = 24 * 3600;

/// A call on each of ten days, with notes, a recording and figures.
fn desk() -> Desk {
    let desk = Desk::open();
    for day in 0..10 {
        let at = second(i64::try_from(day).unwrap() * DAY);
        let call = CallRow {
            started_at: at,
            ended_at: Some(at),
            notes: "n".to_owned(),
            recording: Some(format!("/r/{}.wav", call_id(day))),
            ..missed(day, "0301234567")
        };
        let id = desk.insert(&call);
        desk.write(Write::SaveQuality(vec![(id, vec![QualitySpan::default()])]));
    }
    desk
}

fn retain(desk: &Desk, retention: &Retention) -> u64 {
    let now = second(10 * DAY - 1);
    desk.store.retain(retention, now, &|| true).unwrap()
}

#[test]
fn by_default_everything_stays() {
    let desk = desk();
    assert_eq!(retain(&desk, &Retention::default()), 0);
    assert_eq!(desk.call(call_id(0)).notes, "n");
}

#[test]
fn each_class_has_its_own_time() {
    let desk = desk();
    let retention = Retention {
        notes: Some(3),
        recordings: Some(5),
        quality: Some(7),
        calls: Some(8),
        ladders: None,
        audit: None,
    };
    assert_eq!(retain(&desk, &retention), 7 + 5 + 3 + 2);
    for day in 0..10 {
        let row = wait(desk.store.call(call_id(day))).unwrap();
        assert_eq!(row.is_some(), day >= 2, "{day}");
        let Some(row) = row else { continue };
        assert_eq!(row.notes.is_empty(), day < 7, "{day}");
        assert_eq!(row.recording.is_none(), day < 5, "{day}");
        let figures = wait(desk.store.quality(row.id)).unwrap();
        assert_eq!(figures.is_empty(), day < 3, "{day}");
    }
    // Each file once, of the calls that went too.
    let files = desk.store.files_to_remove(0, 100).unwrap();
    let calls: Vec<CallId> = files.iter().map(|file| file.call).collect();
    assert_eq!(calls, (0..5).map(call_id).collect::<Vec<_>>());
    // A second time there is nothing to do, also after a restart.
    let desk = desk.again();
    assert_eq!(retain(&desk, &retention), 0);
    assert_eq!(desk.store.files_to_remove(0, 100).unwrap(), files);
}

#[test]
fn a_call_that_goes_on_and_one_of_the_future_stay() {
    let desk = Desk::open();
    let open = desk.insert(&inbound(1, "0301"));
    let later = desk.insert(&missed(1_000_000, "0301"));
    let all = Retention {
        calls: Some(0),
        ..Retention::default()
    };
    assert_eq!(desk.store.retain(&all, second(100), &|| true).unwrap(), 0);
    assert_eq!((desk.call(open).id, desk.call(later).id), (open, later));
    // Nor is anything removed once the phone ends.
    desk.end(open, CallState::NoAnswer, 5);
    assert_eq!(desk.store.retain(&all, second(100), &|| false).unwrap(), 0);
    assert_eq!(desk.store.retain(&all, second(100), &|| true).unwrap(), 1);
}
