//! A person is erased: from rows, texts, indexes, free pages and the log, with a proof, and again after an
//! older backup was restored.

use std::fs;

use rusqlite::Connection;

use super::records::{article, note, task, ticket};
use super::*;
use crate::base::flow::Transport;
use crate::base::redact::WireMessage;
use crate::crm::backup::restore;
use crate::crm::call_ladders::{LadderBatch, WireRung};
use crate::crm::erase::EraseOrder;
use crate::crm::open::DATABASE;
use crate::crm::row::{
    ArticleSender, BlockedRow, CallFilter, Erased, ErasedCalls, MailHints, RoutingChange, Subject,
    TextNumber,
};

fn order(who: &str) -> EraseOrder {
    EraseOrder {
        who: who.to_owned(),
        calls: ErasedCalls::Anonymise,
        at: second(1000),
        by: "the officer".to_owned(),
        id: 77,
        salt: "salt".to_owned(),
        alone: true,
    }
}

/// Anna with all that can be held of her, and Bert, who must stay.
fn desk_with_anna() -> (Desk, ContactId, CallId) {
    let desk = Desk::open();
    let mut row = contact(
        "Anna Berger",
        &[("Work", "030 1234567"), ("Mobile", "0171 7654321")],
    );
    row.email = Some("Anna.Berger@example.com".to_owned());
    row.notes = "older lady, likes tulips".to_owned();
    let (anna, _) = desk.save(&row);
    let bert = contact("Bert Other", &[("Work", "040 5550000")]);
    desk.save(&contact("Bert Other", &[("Work", "040 5550000")]));
    for number in 0..40 {
        let call = CallRow {
            remote: "sip:+49301234567@pbx.example".to_owned(),
            remote_name: Some("A. Berger".to_owned()),
            sip_call_id: Some(format!("call-{number}@10.0.0.9")),
            recording: (number == 3).then(|| format!("/recordings/{}.wav", call_id(number))),
            notes: "wants tulips".to_owned(),
            ..missed(number, "0301234567")
        };
        desk.insert(&call);
    }
    // Calls of others that mention her.
    let of_bert = desk.insert(&missed(100, "0405550000"));
    desk.change(
        of_bert,
        CallChange::Notes("ask Anna Berger, 030/12 34 567, about tulips".to_owned()),
    );
    desk.change(
        of_bert,
        CallChange::TransferredTo("sip:01717654321@pbx".to_owned()),
    );
    let text = b"INVITE sip:a SIP/2.0\r\nFrom: Anna <sip:+49301234567@pbx>\r\nCall-ID: one\r\n\r\n";
    let rung = |_| WireRung {
        at: second(3),
        sent: false,
        transport: Transport::Udp,
        local: "10.0.0.1:5060".parse().unwrap(),
        remote: "10.0.0.2:5070".parse().unwrap(),
        omitted: 0,
        message: WireMessage::new(text),
    };
    desk.write(Write::SaveLadders(LadderBatch {
        ladders: (0..3)
            .map(|number| (call_id(number), (0..9).map(rung).collect()))
            .collect(),
        saved_at: second(3),
        kept_since: second(0),
    }));
    // What hangs on her, and what others have of her.
    let mut about_her = ticket("Anna Berger wants tulips", Some(anna));
    about_her.articles.push(article(
        "she is Berger, 030-1234567",
        ArticleSender::Customer,
    ));
    desk.write(Write::SaveTicket(Box::new(about_her)));
    let mut of_others = ticket("Delivery", None);
    of_others
        .articles
        .push(article("bring it to Anna Berger", ArticleSender::Agent));
    desk.write(Write::SaveTicket(Box::new(of_others)));
    let subject = Subject::Contact(anna);
    desk.write(Write::SaveNote(note(
        subject,
        "the older lady of the tulips",
    )));
    desk.write(Write::SaveTask(Box::new(task(
        "call Berger",
        Some(subject),
    ))));
    let mut by_number = task("send the offer to the lady", None);
    by_number.number = Some("+49301234567".to_owned());
    desk.write(Write::SaveTask(Box::new(by_number)));
    // Her mails name her number, one of them to somebody else's address; and somebody blocked it.
    for (message, email) in [
        ("1", "anna.berger@example.com"),
        ("2", "office@example.com"),
    ] {
        desk.write(Write::AddMailHints(vec![MailHints {
            message: message.to_owned(),
            name: Some("Anna Berger".to_owned()),
            email: email.to_owned(),
            sent_at: Some(second(3)),
            subject: "tulips for the lady".to_owned(),
            numbers: vec![TextNumber {
                raw: "030 / 1234567".to_owned(),
                e164: "+49301234567".to_owned(),
                national: "0301234567".to_owned(),
                fax: false,
                signature: true,
            }],
        }]));
    }
    let blocked = BlockedRow::typed("030 1234567", 603, "Anna Berger", second(4));
    desk.write(Write::Routing(Box::new(RoutingChange::Block(blocked))));
    // A namesake of her was deleted, which can be undone.
    let namesake = desk.contact("Anna Berger", "0211 998877");
    desk.write(Write::DeleteContact(namesake));
    // An earlier form of her is in free pages and the log.
    row.id = anna;
    row.name = "Anna Maria Berger-Vormals".to_owned();
    desk.save(&row);
    row.name = "Anna Berger".to_owned();
    desk.save(&row);
    drop(bert);
    (desk, anna, of_bert)
}

/// What must be nowhere: as text, as keys, and backwards as the search has it.
const TRACES: [&[u8]; 12] = [
    b"Anna Berger",
    b"anna berger",
    b"Berger-Vormals",
    b"A. Berger",
    b"Anna.Berger@example.com",
    b"301234567",
    b"0301234567",
    b"76543210394",
    b"1717654321",
    b"12 34 567",
    b"lady",
    b"@10.0.0.9",
];

fn nothing_is_left(folder: &std::path::Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_file() {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        for trace in TRACES {
            let found = bytes
                .windows(trace.len())
                .position(|window| window == trace);
            let trace = String::from_utf8_lossy(trace);
            assert_eq!(found, None, "{trace} is in {}", path.display());
        }
    }
    // The search's words are stored without their common beginnings, so they are asked for.
    let connection = Connection::open(folder.join(DATABASE)).unwrap();
    for index in [
        "call_words",
        "contact_words",
        "note_words",
        "call_note_words",
        "contact_note_words",
        "organization_words",
        "ticket_words",
    ] {
        connection
            .execute_batch(&format!(
                "CREATE VIRTUAL TABLE temp.{index}_terms USING fts5vocab(main, {index}, row)"
            ))
            .unwrap();
        let mut terms = connection
            .prepare(&format!("SELECT term FROM {index}_terms"))
            .unwrap();
        let terms = terms.query_map([], |row| row.get::<_, String>(0)).unwrap();
        for term in terms {
            let term = term.unwrap();
            for word in [
                "anna",
                "berger",
                "lady",
                "301234567",
                "7654321",
                "1717654321",
            ] {
                assert!(!term.contains(word), "{term}");
            }
        }
    }
}

fn erase(desk: &Desk, order: &EraseOrder) -> Erased {
    desk.store.erase(order).unwrap()
}

#[test]
fn nothing_of_an_erased_person_is_left_in_any_byte_of_the_data_folder() {
    let (desk, anna, of_bert) = desk_with_anna();
    let before = wait(desk.store.calls(CallFilter::All, "", None, 100)).unwrap();
    let erased = erase(&desk, &order(&anna.0.to_string()));
    assert_eq!(erased.still_in, Vec::<std::path::PathBuf>::new());
    nothing_is_left(desk.folder.path());
    // Statistics stay, and the others.
    let after = wait(desk.store.calls(CallFilter::All, "", None, 100)).unwrap();
    assert_eq!(after.total, before.total);
    let figures = |row: &CallRow| {
        (
            row.id,
            row.direction,
            row.state,
            row.started_at,
            row.ended_at,
        )
    };
    assert!(
        before
            .rows
            .iter()
            .map(figures)
            .eq(after.rows.iter().map(figures))
    );
    assert_eq!(desk.identify("030 1234567").matches, []);
    assert_eq!(desk.identify("040 5550000").matches.len(), 1);
    let bert = desk.call(of_bert);
    assert_eq!(bert.contact_name.as_deref(), Some("Bert Other"));
    assert_eq!(bert.notes, "ask [erased], [erased], about tulips");
    assert_eq!(bert.transferred_to.as_deref(), Some("sip:[erased]@pbx"));
    assert_eq!(
        desk.to_call_back(),
        1,
        "nobody can be called back any more but Bert"
    );
    let counted = |sql: &str| -> i64 {
        let connection = Connection::open(desk.folder.path().join(DATABASE)).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(counted("SELECT count(*) FROM tickets"), 2);
    assert_eq!(counted("SELECT count(*) FROM ticket_articles"), 1);
    assert_eq!(counted("SELECT count(*) FROM notes"), 0);
    assert_eq!(counted("SELECT count(*) FROM tasks"), 0);
    assert_eq!(counted("SELECT count(*) FROM undo_steps"), 0);
    assert!(counted("SELECT count(*) FROM audit WHERE what = 'save contact'") > 0);
    assert_eq!(
        counted("SELECT count(*) FROM audit WHERE what = 'erase person'"),
        1
    );
    // The proof counts, and the recording waits to be removed.
    assert_eq!(
        (erased.erasure.at, erased.erasure.by.as_str()),
        (second(1000), "the officer")
    );
    let count = |table: &str| {
        let mut counts = erased.erasure.tables.iter();
        counts.find(|it| it.table == table).map_or(0, |it| it.rows)
    };
    assert_eq!(
        (count("contacts"), count("contact_numbers"), count("calls")),
        (1, 2, 41)
    );
    assert_eq!((count("call_ladders"), count("call_links")), (3, 40));
    assert_eq!(erased.erasure.recordings, 1);
    let files = desk.store.files_to_remove(0, 100).unwrap();
    assert_eq!(files.iter().filter(|file| file.file.is_some()).count(), 1);
    assert_eq!(
        files.len(),
        40,
        "and whatever carries the id of one of her calls"
    );
    desk.store
        .forget_files(files.iter().map(|file| file.seq).collect())
        .unwrap();
    assert_eq!(desk.store.files_to_remove(0, 100).unwrap(), []);
    // A ladder that came late is not kept.
    let late = desk.again();
    assert_eq!(wait(late.store.ladder(call_id(0))).unwrap(), []);
}

#[test]
fn the_calls_go_too_where_that_is_asked_for() {
    let (desk, anna, of_bert) = desk_with_anna();
    let order = EraseOrder {
        calls: ErasedCalls::Remove,
        ..order(&anna.0.to_string())
    };
    erase(&desk, &order);
    nothing_is_left(desk.folder.path());
    let page = wait(desk.store.calls(CallFilter::All, "", None, 100)).unwrap();
    assert_eq!(
        page.rows.iter().map(|row| row.id).collect::<Vec<_>>(),
        [of_bert]
    );
}

#[test]
fn a_number_without_a_contact_is_erased_as_well() {
    let desk = Desk::open();
    let id = desk.insert(&missed(1, "030 1234567"));
    let other = desk.insert(&missed(2, "030 1234568"));
    erase(&desk, &order("+49 30 1234567"));
    nothing_is_left(desk.folder.path());
    assert_eq!(desk.call(id).remote, "erased");
    assert_eq!(desk.call(other).remote, "030 1234568");
    assert_eq!(
        desk.identify("erased").no_match.as_deref(),
        Some("the caller hides the number")
    );
}

#[test]
fn of_a_number_that_is_shared_only_the_persons_own_calls_are_erased() {
    let desk = Desk::open();
    let anna = desk.contact("Anna Berger", "030 1234567");
    let bert = desk.contact("Bert Other", "030 1234567");
    let hers = desk.insert(&missed(1, "030 1234567"));
    desk.change(hers, CallChange::Subject(Some(Subject::Contact(anna))));
    let his = desk.insert(&missed(2, "030 1234567"));
    desk.change(his, CallChange::Subject(Some(Subject::Contact(bert))));
    let refused = desk
        .store
        .erase(&order("030 1234567"))
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains(&format!("{} Anna Berger", anna.0)),
        "{refused}"
    );
    erase(&desk, &order(&anna.0.to_string()));
    assert_eq!(desk.call(hers).remote, "erased");
    assert_eq!(desk.call(his).remote, "030 1234567");
    assert_eq!(desk.identify("030 1234567").matches.len(), 1);
}

#[test]
fn who_is_nobody_is_said() {
    let desk = Desk::open();
    for who in ["anonymous", "  "] {
        let error = desk.store.erase(&order(who)).unwrap_err();
        assert!(matches!(error, StoreError::Missing(_)), "{who}: {error}");
    }
}

#[test]
fn the_proof_holds_no_data() {
    let (desk, anna, _) = desk_with_anna();
    erase(&desk, &order(&anna.0.to_string()));
    let connection = Connection::open(desk.folder.path().join(DATABASE)).unwrap();
    let proof: String = connection
        .query_row(
            "SELECT by || at || salt || known_by || tables || recordings FROM erasures",
            [],
            |row| row.get(0),
        )
        .unwrap();
    for word in ["Anna", "anna", "Berger", "berger", "1234567", "example.com"] {
        assert!(!proof.contains(word), "{proof}");
    }
}

/// Anna, Bert, and what became of Anna's calls.
#[test]
fn who_was_erased_is_erased_again_from_a_backup_that_is_restored() {
    let (desk, anna, of_bert) = desk_with_anna();
    let unknown = desk.insert(&missed(200, "0211 998877"));
    let file = desk.folder.path().join("backup");
    desk.store.back_up(&file, second(10)).unwrap();
    let erased = erase(&desk, &order(&anna.0.to_string()));
    let copies: Vec<_> = erased.copies.iter().map(|copy| copy.file.clone()).collect();
    assert_eq!(copies, std::slice::from_ref(&file), "the backup is named");
    assert_eq!(erased.still_in, copies);
    let by_number = EraseOrder {
        id: 78,
        ..order("0211 998877")
    };
    erase(&desk, &by_number);
    // She wrote to us again since: that is another contact, and none of the backup.
    let Desk { store, folder } = desk;
    drop(store);
    let restored = restore(folder.path(), &file, "DE", second(2000)).unwrap();
    assert_eq!(restored.erased_again, 2);
    fs::remove_file(&file).unwrap();
    fs::remove_file(restored.kept.unwrap()).unwrap();
    nothing_is_left(folder.path());
    let store = Store::open(folder.path(), "DE").unwrap();
    let row = |id| wait(store.call(id)).unwrap().unwrap();
    assert_eq!(row(of_bert).notes, "ask [erased], [erased], about tulips");
    assert_eq!(row(unknown).remote, "erased");
    assert_eq!(row(call_id(0)).remote, "erased");
    assert_eq!(wait(store.contact(anna)).unwrap(), None);
    assert_eq!(
        wait(store.identify("040 5550000")).unwrap().matches.len(),
        1
    );
    // A second restore of it would do so again: the proofs were carried over.
    drop(store);
    let connection = Connection::open(folder.path().join(DATABASE)).unwrap();
    let proofs: i64 = connection
        .query_row("SELECT count(*) FROM erasures", [], |row| row.get(0))
        .unwrap();
    assert_eq!(proofs, 2);
}

#[test]
fn somebody_of_the_same_name_or_number_is_not_erased_from_a_restored_backup() {
    let desk = Desk::open();
    let namesake = desk.contact("Anna Berger", "0211 998877");
    let anna = desk.contact("Anna Berger", "030 1234567");
    let file = desk.folder.path().join("backup");
    desk.store.back_up(&file, second(10)).unwrap();
    erase(&desk, &order(&anna.0.to_string()));
    let Desk { store, folder } = desk;
    drop(store);
    let restored = restore(folder.path(), &file, "DE", second(2000)).unwrap();
    assert_eq!(restored.erased_again, 1);
    let store = Store::open(folder.path(), "DE").unwrap();
    assert!(wait(store.contact(namesake)).unwrap().is_some());
    assert_eq!(wait(store.contact(anna)).unwrap(), None);
}

#[test]
fn all_that_is_held_of_a_person_is_exported_and_nothing_of_others() {
    let (desk, anna, of_bert) = desk_with_anna();
    for who in [anna.0.to_string(), "030/1234567".to_owned()] {
        let export = desk.store.export_person(&who).unwrap();
        assert_eq!(
            export.recordings,
            [format!("/recordings/{}.wav", call_id(3))]
        );
        let tables = &export.data["tables"];
        let rows = |table: &str| tables[table].as_array().map_or(0, Vec::len);
        assert_eq!((rows("contacts"), rows("contact_numbers")), (1, 2));
        assert_eq!(rows("calls"), 41, "hers, and the one that mentions her");
        assert_eq!((rows("call_ladders"), rows("call_links")), (3, 40));
        let text = export.data.to_string();
        assert!(text.contains("likes tulips") && text.contains(&of_bert.to_string()));
        assert!(!text.contains("Bert Other <"), "{text}");
    }
    let error = desk.store.export_person("anonymous").unwrap_err();
    assert!(matches!(error, StoreError::Missing(_)), "{error}");
}
