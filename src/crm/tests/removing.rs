//! A deletion and its return.

use crate::base::id::HintId;
use crate::crm::exchange_row::Existing;
use crate::crm::import::tests::{Desk, second};
use crate::crm::mining::texts;
use crate::crm::row::{
    ContactNumber, ContactRow, HintFilter, HintVerdict, MailHints, Subject, TextNumber,
};
use crate::crm::search::MATCH_LIMIT;
use crate::crm::store::CallChange;
use crate::crm::{contacts, hint_list, hint_verdicts, link_again, removal};

/// Keeps what a mail says of its sender's number.
fn mail(desk: &mut Desk, email: &str, national: &str) {
    let mail = MailHints {
        message: format!("<{national}@example.com>"),
        name: None,
        email: email.to_owned(),
        sent_at: None,
        subject: "Offer".to_owned(),
        numbers: vec![TextNumber {
            raw: national.to_owned(),
            e164: national.replacen('0', "+49", 1),
            national: national.to_owned(),
            fax: false,
            signature: true,
        }],
    };
    desk.write(|it, numbering| texts::of_mail(it, &mail, second(5), numbering).unwrap());
}

fn judge(desk: &mut Desk, number: &str, verdict: HintVerdict) {
    let hints = hint_list::page(
        &desk.connection,
        &HintFilter::default(),
        Some(number),
        None,
        9,
    );
    let id: HintId = hints.unwrap()[0].id;
    desk.write(|it, numbering| {
        hint_verdicts::judge(it, id, verdict, second(6), numbering).unwrap();
    });
}

/// Other programs' names, guesses from mails and what was said of guesses did not come back.
#[test]
fn an_undone_deletion_gives_back_everything_that_went_along() {
    let mut desk = Desk::open();
    desk.import(
        "BEGIN:VCARD\nVERSION:3.0\nUID:a\nFN:Anna\nTEL:030 1234567\nEMAIL:anna@example.com\nEND:VCARD\n\
         BEGIN:VCARD\nVERSION:3.0\nUID:b\nFN:Bert\nEMAIL:bert@example.com\nEND:VCARD\n",
        Existing::Add,
    );
    let anna = desk.all().iter().find(|row| row.name == "Anna").unwrap().id;
    let call = desk.call(1, "030 1234567");
    desk.change(call, &CallChange::Subject(Some(Subject::Contact(anna))));
    mail(&mut desk, "anna@example.com", "0307777777");
    mail(&mut desk, "anna@example.com", "0308888888");
    mail(&mut desk, "bert@example.com", "0309999999");
    judge(&mut desk, "+49307777777", HintVerdict::Reject);
    judge(&mut desk, "+49309999999", HintVerdict::Assign(anna));
    let untouched = desk.dump();

    let about = Subject::Contact(anna);
    let removal = desk.write(|it, numbering| removal::remove(it, about, numbering).unwrap());
    let left: i64 = desk
        .connection
        .query_row(
            "SELECT (SELECT count(*) FROM hint_verdicts) + (SELECT count(*) FROM number_hints)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(left, 1, "the guess of Bert's mail");
    // As it is kept until it is taken back.
    let kept = serde_json::to_string(&removal).unwrap();
    let removal = serde_json::from_str(&kept).unwrap();
    let left = desk.write(|it, numbering| removal::undo(it, &removal, numbering).unwrap());
    assert_eq!(left, 0);
    assert_eq!(desk.dump(), untouched);
}

#[test]
fn what_was_said_of_somebody_who_is_gone_by_now_does_not_come_back() {
    let mut desk = Desk::open();
    desk.import(
        "Name;E-Mail\r\nAnna;anna@example.com\r\nBert;bert@example.com\r\n",
        Existing::Add,
    );
    let id = |desk: &Desk, name: &str| desk.all().iter().find(|row| row.name == name).unwrap().id;
    let (anna, bert) = (id(&desk, "Anna"), id(&desk, "Bert"));
    mail(&mut desk, "bert@example.com", "0309999999");
    judge(&mut desk, "+49309999999", HintVerdict::Assign(anna));
    let remove = |desk: &mut Desk, who| {
        desk.write(|it, numbering| removal::remove(it, Subject::Contact(who), numbering).unwrap())
    };
    let removal = remove(&mut desk, anna);
    remove(&mut desk, bert);
    let left = desk.write(|it, numbering| removal::undo(it, &removal, numbering).unwrap());
    assert_eq!(left, 0);
    assert_eq!(desk.all().len(), 1);
}

/// So many calls are kept for the undo; that the others stay without the contact was not told.
/// Only the newest calls of a number followed a record, without a word of the others.
#[test]
fn all_calls_of_a_number_follow_a_record_and_those_that_an_undo_cannot_reach_are_counted() {
    let mut desk = Desk::open();
    let many = i64::from(MATCH_LIMIT) + 2;
    desk.write(|it, _| {
        it.execute(
            "WITH RECURSIVE numbered (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbered WHERE n < ?1)
             INSERT INTO calls (id, direction, state, remote, local, number, started_at, ended_at,
                notes, done)
             SELECT n, 'inbound', 'completed', 'x', 'y', '+49301234567', n / 2, n, '', 1 FROM numbered",
            [many],
        )
        .unwrap();
    });
    let count = |desk: &Desk, condition: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM calls WHERE {condition}");
        let query = desk.connection.query_row(&sql, [], |row| row.get(0));
        query.unwrap()
    };
    let mut anna = ContactRow {
        numbers: vec![ContactNumber {
            label: "Work".to_owned(),
            raw: "030 1234567".to_owned(),
            e164: None,
        }],
        ..ContactRow::named("Anna")
    };
    let (id, shown, relinking) = desk.write(|it, numbering| {
        let (id, relinking) = contacts::save(it, &anna, numbering).unwrap();
        (id, relinking.shown(), relinking)
    });
    assert_eq!(i64::try_from(shown), Ok(many));
    assert_eq!(count(&desk, "contact IS NOT NULL"), many);
    let left = desk.write(|it, _| link_again::undo(it, &relinking).unwrap());
    assert_eq!((left, count(&desk, "contact IS NOT NULL")), (2, 2));
    // And they leave it again.
    anna.id = id;
    anna.numbers.clear();
    let lost = desk.write(|it, numbering| contacts::save(it, &anna, numbering).unwrap().1);
    assert_eq!(count(&desk, "contact IS NOT NULL"), 0);
    let links: i64 = desk
        .connection
        .query_row("SELECT count(*) FROM call_links", [], |row| row.get(0))
        .unwrap();
    assert_eq!(links, 0);
    assert_eq!(desk.write(|it, _| link_again::undo(it, &lost).unwrap()), 0);
}

#[test]
fn calls_that_an_undo_cannot_reach_are_counted() {
    let mut desk = Desk::open();
    let anna = desk.save(&ContactRow::named("Anna"));
    let many = MATCH_LIMIT + 2;
    desk.write(|it, _| {
        it.execute(
            "WITH RECURSIVE numbered (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbered WHERE n < ?2)
             INSERT INTO calls (id, direction, state, remote, local, contact, level, started_at,
                ended_at, notes, done)
             SELECT n, 'inbound', 'completed', 'x', 'y', ?1, 'known', n, n, '', 1 FROM numbered",
            rusqlite::params![anna.0, many],
        )
        .unwrap();
    });
    let about = Subject::Contact(anna);
    let removal = desk.write(|it, numbering| removal::remove(it, about, numbering).unwrap());
    let left = desk.write(|it, numbering| removal::undo(it, &removal, numbering).unwrap());
    assert_eq!(left, 2);
    let without: i64 = desk
        .connection
        .query_row(
            "SELECT count(*) FROM calls WHERE contact IS NULL",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(without, 2);
}
