//! Guesses last as long as the words that they are made of.

use super::*;
use crate::crm::row::{HintFilter, HintRow, Retention};

impl Desk {
    fn guesses(&self) -> Vec<HintRow> {
        self.read(|reader| reader.hints(&HintFilter::default(), None, 100))
    }
}

/// The numbers in them outlived the notes, and even the call itself.
#[test]
fn the_guesses_of_notes_that_are_too_old_go_with_them() {
    let desk = Desk::open();
    desk.contact("Anna", "030 1234567");
    for number in [1, 100 * 24 * 3600] {
        let call = desk.insert(&missed(number, "0301234567"));
        let notes = format!("mobile 0171 23456{:02}", number % 90);
        desk.change(call, CallChange::Notes(notes));
    }
    assert_eq!(desk.guesses().len(), 2);
    let retention = Retention {
        notes: Some(30),
        ..Retention::default()
    };
    let now = second(101 * 24 * 3600);
    desk.store.retain(&retention, now, &|| true).unwrap();
    let left = desk.guesses();
    assert_eq!(left.len(), 1, "{left:#?}");
    assert!(left[0].source_text.contains("notes on the call"));
    assert_eq!(left[0].said_at, second(100 * 24 * 3600));
}

/// What was noted while nobody knew the caller was nobody's word for ever.
#[test]
fn notes_on_a_call_are_of_whom_it_shows_once_that_is_known() {
    let desk = Desk::open();
    let call = desk.insert(&missed(1, "0301234567"));
    let notes = "her mobile is 0171 2345678".to_owned();
    desk.change(call, CallChange::Notes(notes));
    assert_eq!(desk.guesses(), []);
    let anna = desk.contact("Anna", "030 1234567");
    let guess = &desk.identify("0171 2345678").matches[0];
    assert_eq!(guess.subject, Subject::Contact(anna));
    assert!(
        guess.reason.contains("the notes on the call of"),
        "{}",
        guess.reason
    );
    let steps = desk.read(|reader| reader.undo_steps());
    desk.write(Write::Undo(steps[0].id));
    assert_eq!(desk.guesses(), []);
}
