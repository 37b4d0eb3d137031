//! What is kept of the SIP messages of calls.

use rusqlite::Connection;

use super::*;
use crate::base::flow::Transport;
use crate::base::redact::WireMessage;
use crate::crm::call_ladders::{LadderBatch, WireRung, prune};
use crate::crm::open::DATABASE;
use crate::crm::row::LadderMessage;

fn rung(text: &str) -> WireRung {
    WireRung {
        at: second(1),
        sent: false,
        transport: Transport::Udp,
        local: "10.0.0.1:5060".parse().unwrap(),
        remote: "[2001:db8::1]:5070".parse().unwrap(),
        omitted: 0,
        message: WireMessage::new(text.as_bytes()),
    }
}

fn save(desk: &Desk, call: CallId, texts: &[&str], at: i64) {
    desk.write(Write::SaveLadders(LadderBatch {
        ladders: vec![(call, texts.iter().map(|text| rung(text)).collect())],
        saved_at: second(at),
        kept_since: second(0),
    }));
}

fn ladder(desk: &Desk, call: CallId) -> Vec<LadderMessage> {
    wait(desk.store.ladder(call)).unwrap()
}

#[test]
fn a_ladder_is_read_as_it_was_written_with_its_late_part_and_without_its_secrets() {
    let desk = Desk::open();
    let id = desk.insert(&inbound(1, "0301"));
    assert_eq!(ladder(&desk, id), []);
    let secret = "INVITE sip:a SIP/2.0\r\nAuthorization: Digest response=\"5ecre7\"\r\n\r\na=crypto:1 AES inline:5ecre7\r\n";
    save(&desk, id, &["BYE sip:a SIP/2.0\r\n", secret], 2);
    save(&desk, id, &["SIP/2.0 200 OK\r\n"], 3);
    let messages = ladder(&desk, id);
    let first: Vec<_> = messages
        .iter()
        .map(|m| m.text.lines().next().unwrap())
        .collect();
    assert_eq!(
        first,
        [
            "BYE sip:a SIP/2.0",
            "INVITE sip:a SIP/2.0",
            "SIP/2.0 200 OK"
        ]
    );
    assert_eq!(messages[0], rung("BYE sip:a SIP/2.0\r\n").redacted());
    let desk = desk.again();
    assert_eq!(ladder(&desk, id), messages);
    for file in std::fs::read_dir(desk.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"5ecre7"));
    }
}

#[test]
fn ladders_of_unknown_calls_are_left_out_and_take_no_other_along() {
    let desk = Desk::open();
    let id = desk.insert(&inbound(1, "0301"));
    desk.write(Write::SaveLadders(LadderBatch {
        ladders: vec![
            (call_id(99), vec![rung("OPTIONS")]),
            (id, vec![rung("INVITE")]),
        ],
        saved_at: second(1),
        kept_since: second(0),
    }));
    assert_eq!(ladder(&desk, id).len(), 1);
    assert_eq!(ladder(&desk, call_id(99)), []);
}

#[test]
fn old_ladders_go_by_age_and_the_oldest_by_size() {
    let desk = Desk::open();
    let ids: Vec<_> = (1..=4).map(|n| desk.insert(&inbound(n, "0301"))).collect();
    for (id, at) in ids.iter().zip(1..) {
        save(&desk, *id, &["INVITE"], at);
    }
    let mut connection = Connection::open(desk.folder.path().join(DATABASE)).unwrap();
    let octets: i64 = connection
        .query_row("SELECT max(octets) FROM call_ladders", [], |row| row.get(0))
        .unwrap();
    let left =
        |desk: &Desk| -> Vec<usize> { ids.iter().map(|id| ladder(desk, *id).len()).collect() };
    let transaction = connection.transaction().unwrap();
    assert_eq!(prune(&transaction, second(2), octets * 4).unwrap(), 1);
    transaction.commit().unwrap();
    assert_eq!(left(&desk), [0, 1, 1, 1]);
    let transaction = connection.transaction().unwrap();
    assert_eq!(prune(&transaction, second(0), octets * 2).unwrap(), 1);
    transaction.commit().unwrap();
    assert_eq!(left(&desk), [0, 0, 1, 1]);
    // The age that the settings say is told with each batch.
    let batch = LadderBatch {
        ladders: Vec::new(),
        saved_at: second(9),
        kept_since: second(4),
    };
    let desk = desk.again();
    desk.write(Write::SaveLadders(batch));
    assert_eq!(left(&desk), [0, 0, 0, 1]);
}

#[test]
fn a_call_is_found_by_the_call_id_that_a_pbx_logs() {
    let desk = Desk::open();
    for number in [1, 2] {
        desk.insert(&CallRow {
            sip_call_id: Some("abc@pbx".to_owned()),
            ..inbound(number, "0301")
        });
    }
    let found = wait(desk.store.call_of_sip("abc@pbx")).unwrap();
    assert_eq!(found, Some(call_id(2)));
    assert_eq!(wait(desk.store.call_of_sip("other")).unwrap(), None);
}
