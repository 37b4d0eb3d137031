//! An import is taken back.

use super::*;

#[test]
fn an_import_is_taken_back_but_not_what_was_done_since() {
    let mut desk = Desk::open();
    let early = desk.call(1, "0171 2345678");
    let before = desk.dump();
    let (_, step) = desk.imported(THREE, Existing::Skip);
    assert_eq!(desk.undo(step), 0);
    assert_eq!(desk.dump(), before);
    let found = contact_list::after(&desk.connection, false, "muster", None, 10).unwrap();
    assert!(found.is_empty());
    let again = desk
        .write(|transaction, numbering| undo(transaction, second(200), step.unwrap(), numbering));
    assert!(again.is_err(), "there is nothing left to take back");

    let (_, step) = desk.imported(THREE, Existing::Skip);
    let late = desk.call(200, "0171 2345678");
    let anna = desk.named("Anna Muster");
    let changed = ContactRow {
        notes: "likes tea".to_owned(),
        ..anna.clone()
    };
    desk.save(&changed);
    let chosen = desk.call(300, "030 1234567");
    let company = desk.named("Example AG").id;
    desk.change(
        chosen,
        &CallChange::Subject(Some(Subject::Contact(company))),
    );
    assert_eq!(desk.undo(step), 2);
    assert_eq!(desk.named("Anna Muster").notes, "likes tea");
    assert_eq!(
        desk.named("Anna Muster").organization_name.as_deref(),
        Some("Example AG")
    );
    assert_eq!(desk.shown(chosen).contact, Some(company));
    assert_eq!(
        desk.shown(early).contact_name,
        None,
        "it was linked by the import"
    );
    let late = desk.shown(late);
    assert_eq!(
        (late.contact, late.contact_name.as_deref()),
        (None, Some("Bert Beispiel")),
        "so it was shown then"
    );

    let (_, step) = desk.imported("Name;Tel\nCarl;0175 1\n", Existing::Skip);
    let carl = desk.named("Carl").id;
    desk.write(|transaction, _| contacts::delete(transaction, carl).unwrap());
    assert_eq!(desk.undo(step), 1);
}

#[test]
fn calls_that_were_shown_stay_when_an_update_is_taken_back() {
    let mut desk = Desk::open();
    desk.import("Name;Tel\nAnna Muster;030 1234567\n", Existing::Skip);
    let known = desk.call(1, "030 1234567");
    let other = desk.call(2, "0171 2345678");
    let before = desk.dump();
    let (report, step) = desk.imported(
        "Name;Tel;Mobil\nAnna Muster;030 1234567;0171 2345678\n",
        Existing::Update,
    );
    assert_eq!((report.updated, report.linked_calls), (1, 1));
    assert_eq!(desk.shown(other).level, Some(MatchLevel::Known));
    assert_eq!(desk.undo(step), 0);
    assert_eq!(desk.shown(other).contact, None);
    assert_eq!(
        desk.shown(known).contact_name.as_deref(),
        Some("Anna Muster")
    );
    assert_eq!(desk.dump(), before);
}
