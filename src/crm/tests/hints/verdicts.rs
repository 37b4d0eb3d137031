//! What an agent says of a guess.

use super::*;

#[test]
fn what_is_confirmed_is_known_from_then_on_and_in_earlier_calls() {
    let desk = Desk::open();
    let anna = desk.with_email("Anna", "anna@example.com");
    let earlier = desk.insert(&missed(1, NUMBER));
    desk.mail("1", "anna@example.com", 0, true);
    let guess = desk.all()[0].id;
    assert_eq!(desk.judge(guess, HintVerdict::Confirm), (Some(anna), 1));
    assert_eq!(desk.call(earlier).contact, Some(anna));
    assert_eq!(desk.call(earlier).level, Some(Known));
    assert_eq!(desk.ranked("0171 2345678"), [(anna, Known)]);
    // Twice is no second number.
    desk.judge(guess, HintVerdict::Confirm);
    let row = wait(desk.store.contact(anna)).unwrap().unwrap();
    assert_eq!(row.numbers.len(), 1);
    assert_eq!(row.numbers[0].label, "Phone");
}

#[test]
fn what_is_rejected_stays_so_however_often_it_is_found_again() {
    let desk = Desk::open();
    let anna = desk.with_notes(ContactId(0), "Anna", "mobil 0171 2345678");
    let guess = desk.all()[0].id;
    desk.judge(guess, HintVerdict::Reject);
    assert_eq!(desk.ranked(NUMBER), []);
    assert_eq!(
        desk.identify(NUMBER).no_match.as_deref(),
        Some(
            "no contact has this number, nor one ending in 2345678; whom texts name it for, you said \
             that it is not"
        )
    );
    desk.with_notes(anna, "Anna", "nothing");
    assert_eq!(desk.all(), []);
    desk.with_notes(anna, "Anna", "mobil: 0171/2345678");
    assert_eq!(desk.all()[0].state, HintState::Rejected);
    assert_eq!(desk.ranked(NUMBER), []);
    // Of somebody else it may still be true.
    let bert = desk.with_notes(ContactId(0), "Bert", "mobil 0171 2345678");
    assert_eq!(desk.ranked(NUMBER), [(bert, Maybe)]);
    let rejected = HintFilter {
        state: Some(HintState::Rejected),
        ..HintFilter::default()
    };
    assert_eq!(desk.hints(&rejected).len(), 1);
    let again = desk.hints(&rejected)[0].id;
    desk.judge(again, HintVerdict::Reopen);
    assert_eq!(desk.ranked(NUMBER).len(), 2);
}

#[test]
fn a_guess_is_given_to_somebody_else_and_stays_there() {
    let desk = Desk::open();
    let anna = desk.with_notes(ContactId(0), "Anna", "Bert: mobil 0171 2345678");
    let bert = desk.contact("Bert", "030 999999");
    let guess = desk.all()[0].id;
    assert_eq!(
        desk.judge(guess, HintVerdict::Assign(bert)),
        (Some(bert), 0)
    );
    assert_eq!(desk.ranked(NUMBER), [(bert, Maybe)]);
    assert!(
        desk.identify(NUMBER).matches[0]
            .reason
            .ends_with("and you gave it to this contact")
    );
    desk.with_notes(anna, "Anna", "Bert ist mobil 0171-2345678");
    assert_eq!(desk.ranked(NUMBER), [(bert, Maybe)]);
    let of = |contact| HintFilter {
        contact: Some(contact),
        ..HintFilter::default()
    };
    assert_eq!(desk.hints(&of(bert)).len(), 1);
    assert_eq!(desk.hints(&of(anna)), []);
    let guess = desk.all()[0].id;
    desk.judge(guess, HintVerdict::Confirm);
    assert_eq!(desk.ranked(NUMBER), [(bert, Known)]);
    let nobody = wait(
        desk.store
            .write(Write::JudgeHint(guess, HintVerdict::Assign(ContactId(99)))),
    );
    assert_eq!(nobody, Err(StoreError::Missing("contact")));
    let gone = Write::JudgeHint(HintId(99), HintVerdict::Confirm);
    assert_eq!(
        wait(desk.store.write(gone)),
        Err(StoreError::Missing("guess"))
    );
}

#[test]
fn each_verdict_can_be_taken_back() {
    let desk = Desk::open();
    let earlier = desk.insert(&missed(1, NUMBER));
    let anna = desk.with_notes(ContactId(0), "Anna", "mobil 0171 2345678");
    let bert = desk.contact("Bert", "030 6666666");
    let guess = desk.all()[0].id;
    let undo = |desk: &Desk| {
        let steps = wait(desk.store.read(Reader::undo_steps)).unwrap();
        desk.write(Write::Undo(steps[0].id));
    };
    desk.judge(guess, HintVerdict::Reject);
    assert_eq!(desk.ranked(NUMBER), []);
    undo(&desk);
    assert_eq!(desk.ranked(NUMBER), [(anna, Maybe)]);
    desk.judge(guess, HintVerdict::Assign(bert));
    undo(&desk);
    assert_eq!(desk.ranked(NUMBER), [(anna, Maybe)]);
    assert_eq!(desk.judge(guess, HintVerdict::Confirm), (Some(anna), 1));
    assert_eq!(desk.call(earlier).contact, Some(anna));
    undo(&desk);
    assert_eq!(desk.ranked(NUMBER), [(anna, Maybe)]);
    assert_eq!(desk.call(earlier).contact, None);
    // Somebody who became a contact by that is none again.
    let found = desk.mail("1", "zoe@example.com", 0, true);
    assert_eq!(found, 1);
    let stranger = desk.identify(NUMBER).strangers[0].id;
    let (zoe, _) = desk.judge(stranger, HintVerdict::Confirm);
    assert_eq!(desk.ranked(NUMBER), [(zoe.unwrap(), Known)]);
    undo(&desk);
    assert_eq!(desk.ranked(NUMBER), [(anna, Maybe)]);
    assert_eq!(desk.identify(NUMBER).strangers[0].id, stranger);
}

/// Who became a contact by a guess was deleted with what was written of them since.
#[test]
fn who_was_worked_on_since_outlives_a_verdict_that_is_taken_back() {
    type Work = fn(&Desk, ContactId);
    let works: [Work; 3] = [
        |desk, zoe| {
            desk.write(Write::SaveNote(NoteRow {
                id: NoteId(0),
                about: Subject::Contact(zoe),
                at: second(0),
                author: String::new(),
                text: "likes tea".to_owned(),
            }));
        },
        |desk, zoe| {
            desk.write(Write::SaveTicket(Box::new(ticket(Some(zoe)))));
        },
        |desk, zoe| {
            let edit = ContactEdit {
                role: Some("Boss".to_owned()),
                ..ContactEdit::default()
            };
            desk.write(Write::EditContact(zoe, Box::new(edit)));
        },
    ];
    for work in works {
        let desk = Desk::open();
        desk.mail("1", "zoe@example.com", 0, true);
        let stranger = desk.identify(NUMBER).strangers[0].id;
        let zoe = desk.judge(stranger, HintVerdict::Confirm).0.unwrap();
        work(&desk, zoe);
        assert_eq!(desk.undo().left, 1);
        let kept = wait(desk.store.contact(zoe)).unwrap().unwrap();
        assert_eq!(kept.numbers, [], "only the number goes");
        assert_eq!(desk.ranked(NUMBER), [(zoe, Maybe)]);
    }
    let desk = Desk::open();
    desk.mail("1", "zoe@example.com", 0, true);
    let stranger = desk.identify(NUMBER).strangers[0].id;
    let zoe = desk.judge(stranger, HintVerdict::Confirm).0.unwrap();
    let ticket = desk.ticket("Printer", Some(zoe));
    desk.undo();
    let ticket = desk.read(move |reader| reader.ticket(ticket)).unwrap();
    assert_eq!(ticket.contact, Some(zoe));
}
