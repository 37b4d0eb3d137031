//! Guesses from notes, tickets and calls, which follow their texts.

use super::*;

#[test]
fn notes_on_a_contact_are_mined_and_follow_the_text() {
    let desk = Desk::open();
    desk.store
        .set_own_numbers(&["sip:+49301112223@example.com".to_owned()]);
    let notes = "Rechnung 2026-4711, privat 0171 2345678, bei uns 030 1112223, Fax 030 7654321";
    let anna = desk.with_notes(ContactId(0), "Anna", notes);
    let shown = |desk: &Desk| -> Vec<(String, bool)> {
        let mut shown: Vec<_> = desk
            .all()
            .into_iter()
            .map(|hint| (hint.number, hint.fax))
            .collect();
        shown.sort();
        shown
    };
    assert_eq!(
        shown(&desk),
        [
            (NUMBER.to_owned(), false),
            ("+49307654321".to_owned(), true)
        ]
    );
    assert_eq!(desk.all()[0].source, HintSource::Contact);
    let before = desk.all();
    desk.with_notes(anna, "Anna", "privat 0171 2345678, sonst 089 1234567");
    assert_eq!(shown(&desk).len(), 2);
    // What stays in the text stays the same guess.
    let kept = |hints: &[HintRow]| {
        let of = hints.iter().find(|hint| hint.number == NUMBER);
        of.map(|hint| (hint.id, hint.said_at))
    };
    assert_eq!(kept(&desk.all()), kept(&before));
    desk.with_notes(anna, "Anna", "");
    assert_eq!(shown(&desk), []);
}

#[test]
fn notes_on_a_call_are_guesses_for_its_contact() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "030 5555555");
    let bert = desk.contact("Bert", "030 6666666");
    let call = desk.insert(&inbound(1, "030 5555555"));
    let notes = "will be at 0171 2345678 tomorrow, called from 030 5555555";
    desk.change(call, CallChange::Notes(notes.to_owned()));
    assert_eq!(desk.ranked(NUMBER), [(anna, Maybe)]);
    assert_eq!(
        desk.identify(NUMBER).matches[0].reason,
        "the number is in the notes on the call of 2023-11-14"
    );
    assert_eq!(desk.all().len(), 1);
    // The agent says that it was somebody else.
    desk.change(call, CallChange::Subject(Some(Subject::Contact(bert))));
    assert_eq!(desk.ranked(NUMBER), [(bert, Maybe)]);
    desk.change(call, CallChange::Subject(None));
    assert_eq!(desk.ranked(NUMBER), []);
    // Of somebody who is only guessed, a note says nothing.
    let unsure = desk.insert(&inbound(2, "030 7777777"));
    desk.change(unsure, CallChange::Notes(notes.to_owned()));
    assert_eq!(desk.all(), []);
}

fn article(sender: ArticleSender, kind: ArticleKind, body: &str) -> ArticleRow {
    ArticleRow {
        id: ArticleId(0),
        at: second(0),
        kind,
        sender,
        internal: false,
        author: "Sam".to_owned(),
        body: body.to_owned(),
        call: None,
    }
}

#[test]
fn tickets_give_their_customers_numbers_and_follow_the_customer() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "030 5555555");
    let bert = desk.contact("Bert", "030 6666666");
    let mail = "Please call.\nRegards\nAnna\nMobile 0171 2345678\n\n\
                On 1 May 2026 Sam <sam@example.com> wrote:\n> Tel. 089 1234567\n";
    let mut row = ticket(Some(anna));
    row.articles = vec![
        article(ArticleSender::Customer, ArticleKind::Mail, mail),
        article(
            ArticleSender::Agent,
            ArticleKind::Mail,
            "Regards\nSam\nTel. 089 7654321",
        ),
    ];
    let id = match desk.write(Write::SaveTicket(Box::new(row))) {
        Written::Ticket(id) => id,
        other => panic!("{other:?}"),
    };
    assert_eq!(desk.all().len(), 1);
    assert_eq!(desk.ranked(NUMBER), [(anna, Maybe)]);
    assert_eq!(
        desk.identify(NUMBER).matches[0].reason,
        "the number is in the signature of ticket 1 of 2023-11-14, \"Printer\""
    );
    let note = article(
        ArticleSender::Agent,
        ArticleKind::Note,
        "sonst 0172 2345678",
    );
    desk.write(Write::AddArticle(id, Box::new(note)));
    assert_eq!(desk.all().len(), 2);
    // The ticket is another customer's.
    desk.write(Write::SaveTicket(Box::new(TicketRow {
        id,
        ..ticket(Some(bert))
    })));
    assert_eq!(desk.ranked(NUMBER), [(bert, Maybe)]);
    assert_eq!(desk.ranked("0172 2345678"), [(bert, Maybe)]);
    desk.write(Write::DeleteTicket(id));
    assert_eq!(desk.all(), []);
}

#[test]
fn notes_about_a_contact_are_mined_and_go_with_the_note() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "030 5555555");
    let note = |id, text: &str| NoteRow {
        id,
        about: Subject::Contact(anna),
        at: second(0),
        author: String::new(),
        text: text.to_owned(),
    };
    let id = match desk.write(Write::SaveNote(note(NoteId(0), "mobil 0171 2345678"))) {
        Written::Note(id) => id,
        other => panic!("{other:?}"),
    };
    assert_eq!(desk.ranked(NUMBER), [(anna, Maybe)]);
    assert_eq!(desk.all()[0].source, HintSource::Note);
    desk.write(Write::SaveNote(note(id, "mobil 0172 2345678")));
    assert_eq!(desk.ranked(NUMBER), []);
    assert_eq!(desk.ranked("0172 2345678"), [(anna, Maybe)]);
    desk.write(Write::DeleteNote(id));
    assert_eq!(desk.all(), []);
}

/// A guess from what was noted on a contact that was merged away counted twice, and outlived its words.
#[test]
fn what_is_noted_on_merged_contacts_is_one_text_whose_guesses_go_with_its_words() {
    let desk = Desk::open();
    let anna = desk.with_notes(ContactId(0), "Anna", "likes tea");
    let double = desk.with_notes(ContactId(0), "A. Schmidt", "mobil 0171 2345678");
    let of_double = desk.all();
    desk.write(Write::MergeContacts(vec![anna, double]));
    assert_eq!(desk.all().len(), 1, "{:#?}", desk.all());
    assert_eq!(desk.ranked(NUMBER), [(anna, Maybe)]);
    assert_eq!(desk.undo().left, 0);
    assert_eq!(desk.all(), of_double);
    desk.write(Write::MergeContacts(vec![anna, double]));
    desk.with_notes(anna, "Anna", "likes tea");
    assert_eq!(desk.all(), []);
    assert_eq!(desk.ranked(NUMBER), []);
}

#[test]
fn a_contact_that_is_brought_back_has_the_guesses_of_its_texts_again() {
    let desk = Desk::open();
    let anna = desk.with_notes(ContactId(0), "Anna", "mobil 0171 2345678");
    desk.write(Write::DeleteContact(anna));
    assert_eq!(desk.all(), []);
    let steps = wait(desk.store.read(Reader::undo_steps)).unwrap();
    desk.write(Write::Undo(steps[0].id));
    assert_eq!(desk.ranked(NUMBER), [(anna, Maybe)]);
}
