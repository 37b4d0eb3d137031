//! What is kept of the sound of calls.

use rusqlite::Connection;

use super::*;
use crate::crm::call_quality::prune;
use crate::crm::open::DATABASE;
use crate::crm::row::{CallQuality, Millis, Mos, QualitySpan, Share};

fn spans(count: u32) -> Vec<QualitySpan> {
    let span = |at| QualitySpan {
        at,
        seconds: 1,
        received: 50,
        jitter_ms: Some(Millis::of(2.5)),
        mos: (at > 3).then(|| Mos::of(4.35)),
        ..QualitySpan::default()
    };
    (0..count).map(span).collect()
}

fn kept(desk: &Desk, call: CallId) -> Vec<QualitySpan> {
    wait(desk.store.quality(call)).unwrap()
}

#[test]
fn the_figures_of_a_call_are_read_as_they_were_written_last() {
    let desk = Desk::open();
    let id = desk.insert(&inbound(1, "0301"));
    assert_eq!(kept(&desk, id), []);
    desk.write(Write::SaveQuality(vec![(id, spans(60))]));
    assert_eq!(kept(&desk, id), spans(60));
    // The whole call again, with what came since; and one that is not in the log.
    desk.write(Write::SaveQuality(vec![
        (call_id(99), spans(1)),
        (id, spans(90)),
    ]));
    let desk = desk.again();
    assert_eq!(kept(&desk, id), spans(90));
    assert_eq!(kept(&desk, call_id(99)), []);
}

#[test]
fn the_sum_and_the_reason_stand_in_the_row() {
    let desk = Desk::open();
    let id = desk.insert(&inbound(1, "0301"));
    assert_eq!(desk.call(id).quality, None);
    let quality = CallQuality {
        seconds: 90,
        received: 4_500,
        lost: 45,
        loss: Some(Share::of(0.01)),
        mos: Some(Mos::of(4.2)),
        ..CallQuality::default()
    };
    let problem = Some("nothing was received for 12 s".to_owned());
    desk.change(
        id,
        CallChange::Sound {
            quality: Some(Box::new(quality)),
            problem: problem.clone(),
        },
    );
    let row = desk.again().call(id);
    assert_eq!(row.quality, Some(quality));
    assert_eq!(row.sound_problem, problem);
    let json = serde_json::to_value(&row).unwrap();
    assert_eq!(json["quality"]["mos"], 4.2);
    assert_eq!(json["quality"]["round_trip_ms"], serde_json::Value::Null);
    // A sum of an older version is read, without what it did not count.
    let mut older = serde_json::to_value(quality).unwrap();
    let fields = older.as_object_mut().unwrap();
    assert!(fields.remove("speaker_dry").is_some() && fields.remove("held_up_ms").is_some());
    assert_eq!(
        serde_json::from_value::<CallQuality>(older).unwrap(),
        quality
    );
}

#[test]
fn figures_go_with_their_call_and_the_oldest_beyond_the_limit() {
    let desk = Desk::open();
    let ids: Vec<CallId> = (1..=3)
        .map(|number| desk.insert(&inbound(number, "0301")))
        .collect();
    for id in &ids {
        desk.write(Write::SaveQuality(vec![(*id, spans(60))]));
    }
    let Desk { store, folder } = desk;
    drop(store);
    let mut connection = Connection::open(folder.path().join(DATABASE)).unwrap();
    connection
        .pragma_update(None, "foreign_keys", true)
        .unwrap();
    let each: i64 = connection
        .query_row("SELECT max(octets) FROM call_quality", [], |row| row.get(0))
        .unwrap();
    assert!(each < 60 * 75, "{each} octets for a minute");
    let transaction = connection.transaction().unwrap();
    assert_eq!(prune(&transaction, 2 * each).unwrap(), 1);
    transaction.commit().unwrap();
    connection
        .execute("DELETE FROM calls WHERE id = ?1", [ids[2].to_string()])
        .unwrap();
    drop(connection);
    let store = Store::open(folder.path(), "DE").unwrap();
    let desk = Desk { store, folder };
    let left: Vec<usize> = ids.iter().map(|id| kept(&desk, *id).len()).collect();
    assert_eq!(left, [0, 60, 0]);
}
