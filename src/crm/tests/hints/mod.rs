//! Guesses of who calls: from texts to ranked candidates, and what an agent says of them.

use super::*;
use crate::base::id::{ArticleId, HintId, NoteId, TicketId};
use crate::crm::Reader;
use crate::crm::row::MatchLevel::{self, Known, Manual, Maybe, Weak};
use crate::crm::row::{
    ArticleKind, ArticleRow, ArticleSender, ContactEdit, HintFilter, HintRow, HintSource,
    HintState, HintVerdict, MailHints, Match, NoteRow, Subject, TextNumber, TicketRow, TicketState,
};

const NUMBER: &str = "+491712345678";

impl Desk {
    fn mail(&self, message: &str, email: &str, day: i64, signature: bool) -> usize {
        let number = TextNumber {
            raw: "0171 / 2345678".to_owned(),
            e164: NUMBER.to_owned(),
            national: "01712345678".to_owned(),
            fax: false,
            signature,
        };
        let mail = MailHints {
            message: message.to_owned(),
            name: Some("Anna Schmidt".to_owned()),
            email: email.to_owned(),
            sent_at: Some(second(day * 86_400)),
            subject: "Offer".to_owned(),
            numbers: vec![number],
        };
        match self.write(Write::AddMailHints(vec![mail])) {
            Written::Hints(new) => new,
            other => panic!("{other:?}"),
        }
    }

    fn with_email(&self, name: &str, email: &str) -> ContactId {
        self.save(&ContactRow {
            email: Some(email.to_owned()),
            ..contact(name, &[])
        })
        .0
    }

    fn with_notes(&self, id: ContactId, name: &str, notes: &str) -> ContactId {
        self.save(&ContactRow {
            id,
            notes: notes.to_owned(),
            ..contact(name, &[])
        })
        .0
    }

    fn hints(&self, filter: &HintFilter) -> Vec<HintRow> {
        let filter = filter.clone();
        wait(
            self.store
                .read(move |reader| reader.hints(&filter, None, 100)),
        )
        .unwrap()
    }

    fn all(&self) -> Vec<HintRow> {
        self.hints(&HintFilter::default())
    }

    fn judge(&self, id: HintId, verdict: HintVerdict) -> (Option<ContactId>, usize) {
        match self.write(Write::JudgeHint(id, verdict)) {
            Written::Judged(contact, linked) => (contact, linked),
            other => panic!("{other:?}"),
        }
    }

    fn opened(&self, id: HintId) -> Option<ContactRow> {
        wait(self.store.read(move |reader| reader.hinted_contact(id))).unwrap()
    }

    fn ranked(&self, number: &str) -> Vec<(ContactId, MatchLevel)> {
        let found = self.identify(number).matches;
        found
            .iter()
            .map(|found| (found.subject.contact().unwrap(), found.level))
            .collect()
    }
}

#[test]
fn a_mails_sender_is_guessed_by_the_number_in_the_signature_and_why() {
    let desk = Desk::open();
    let anna = desk.with_email("Anna", "Anna@Example.com");
    assert_eq!(desk.mail("1", "anna@example.com", 0, true), 1);
    let found = desk.identify("0171 2345678");
    assert_eq!(
        found.matches,
        [Match {
            subject: Subject::Contact(anna),
            name: "Anna".to_owned(),
            organization: None,
            role: None,
            level: Maybe,
            reason: "the number is in the signature of the mail of 2023-11-14, \"Offer\""
                .to_owned(),
        }]
    );
    assert_eq!(found.no_match, None);
    // The call's row keeps the guess as one.
    let call = desk.insert(&inbound(1, "0171 2345678"));
    let row = desk.call(call);
    assert_eq!(row.contact_name.as_deref(), Some("Anna"));
    assert_eq!(row.level, Some(Maybe));
    // The same mail again is no second reason.
    assert_eq!(desk.mail("1", "anna@example.com", 0, true), 0);
    desk.mail("2", "anna@example.com", 1, false);
    desk.mail("3", "anna@example.com", 2, false);
    assert_eq!(
        desk.identify(NUMBER).matches[0].reason,
        "the number is in the signature of the mail of 2023-11-14, \"Offer\", and in 2 more texts"
    );
}

#[test]
fn exact_comes_before_weak_and_weak_before_maybe() {
    let desk = Desk::open();
    let guessed = desk.with_email("Guess", "anna@example.com");
    desk.mail("1", "anna@example.com", 0, true);
    let weak = desk.contact("Weak", "+43 1 2345678");
    assert_eq!(desk.ranked(NUMBER), [(weak, Weak), (guessed, Maybe)]);
    let several = desk.insert(&inbound(1, NUMBER));
    assert_eq!(desk.call(several).contact, None);
    // Beside somebody who has the number, a guess is noise.
    let known = desk.contact("Known", NUMBER);
    assert_eq!(desk.ranked(NUMBER), [(known, Known)]);
}

#[test]
fn one_maybe_among_several_is_never_taken_for_sure() {
    let desk = Desk::open();
    let first = desk.with_email("First", "one@example.com");
    let second = desk.with_email("Second", "two@example.com");
    desk.mail("1", "one@example.com", 0, true);
    desk.mail("2", "two@example.com", 0, false);
    assert_eq!(desk.ranked(NUMBER), [(first, Maybe), (second, Maybe)]);
    let found = desk.identify(NUMBER);
    assert_eq!(Match::best(&found.matches), None);
    let call = desk.insert(&inbound(1, NUMBER));
    assert_eq!(desk.call(call).contact, None);
    let links = wait(desk.store.links(call)).unwrap();
    assert_eq!(links.len(), 2);
    assert!(links.iter().all(|link| link.level == Maybe));
}

#[test]
fn the_newer_text_counts_more_and_many_texts_count_together() {
    let desk = Desk::open();
    let old = desk.with_email("Old", "old@example.com");
    let new = desk.with_email("New", "new@example.com");
    desk.mail("1", "old@example.com", 0, true);
    // Two half lives later a plain mail weighs more than a signature: 0.3 to 0.25.
    desk.mail("2", "new@example.com", 360, false);
    assert_eq!(desk.ranked(NUMBER), [(new, Maybe), (old, Maybe)]);
    // Two old signatures together: 0.5.
    desk.mail("3", "old@example.com", 0, true);
    assert_eq!(desk.ranked(NUMBER), [(old, Maybe), (new, Maybe)]);
}

#[test]
fn at_most_twenty_guesses_are_shown() {
    let desk = Desk::open();
    for number in 0..30 {
        let email = format!("colleague{number}@example.com");
        desk.with_email(&format!("Colleague {number}"), &email);
        desk.mail(&number.to_string(), &email, number, true);
    }
    let found = desk.identify(NUMBER).matches;
    assert_eq!(found.len(), 20);
    assert_eq!(found[0].name, "Colleague 29");
}

#[test]
fn somebody_who_is_no_contact_is_told_and_becomes_one() {
    let desk = Desk::open();
    desk.mail("1", "anna@example.com", 0, true);
    let found = desk.identify(NUMBER);
    assert_eq!(found.matches, []);
    assert_eq!(found.strangers.len(), 1);
    assert_eq!(
        found.no_match.as_deref(),
        Some(
            "no contact has this number, nor one ending in 2345678; it may be Anna Schmidt, who is no \
             contact yet: the number is in the signature of the mail of 2023-11-14, \"Offer\""
        )
    );
    let call = desk.insert(&missed(1, NUMBER));
    // What the agent sees when the guess is opened: nothing is saved by that.
    let guess = found.strangers[0].id;
    let opened = desk.opened(guess).unwrap();
    assert_eq!(opened.id, ContactId(0));
    assert_eq!(opened.name, "Anna Schmidt");
    assert_eq!(opened.email.as_deref(), Some("anna@example.com"));
    assert_eq!(opened.numbers[0].raw, "0171 / 2345678");
    assert_eq!(desk.identify(NUMBER).matches, []);
    let (contact, linked) = desk.judge(guess, HintVerdict::Confirm);
    assert_eq!(linked, 1);
    assert_eq!(desk.ranked(NUMBER), [(contact.unwrap(), Known)]);
    assert_eq!(desk.call(call).contact, contact);
    assert_eq!(desk.all()[0].contact, contact);
    assert_eq!(desk.all()[0].state, HintState::Confirmed);
}

#[test]
fn a_contact_that_gets_the_address_gets_the_guesses_too() {
    let desk = Desk::open();
    desk.mail("1", "anna@example.com", 0, true);
    let anna = desk.with_email("Anna", " ANNA@example.com ");
    assert_eq!(desk.ranked(NUMBER), [(anna, Maybe)]);
    desk.write(Write::DeleteContact(anna));
    assert_eq!(desk.all(), []);
}

#[test]
fn a_guess_that_is_opened_is_the_contact_with_the_number_filled_in() {
    let desk = Desk::open();
    let anna = desk.with_notes(ContactId(0), "Anna", "mobil 0171 2345678");
    let guess = desk.all()[0].id;
    let opened = desk.opened(guess).unwrap();
    assert_eq!(opened.id, anna);
    assert_eq!(opened.notes, "mobil 0171 2345678");
    assert_eq!(opened.numbers.len(), 1);
    desk.save(&opened);
    assert_eq!(desk.ranked(NUMBER), [(anna, Known)]);
    let opened = desk.opened(guess).unwrap();
    assert_eq!(opened.numbers.len(), 1);
    assert_eq!(desk.opened(HintId(99)), None);
}

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

#[test]
fn guesses_are_listed_by_number_in_any_spelling_and_by_state() {
    let desk = Desk::open();
    desk.with_notes(ContactId(0), "Anna", "mobil 0171 2345678, Tel. 030 1234567");
    let of = |number: &str| {
        desk.hints(&HintFilter {
            number: Some(number.to_owned()),
            state: Some(HintState::Open),
            contact: None,
        })
        .len()
    };
    assert_eq!(of("0171/234 56 78"), 1);
    assert_eq!(of("+49 171 2345678"), 1);
    assert_eq!(of("0171 2345679"), 0);
    assert_eq!(of("anonymous"), 0);
}

#[test]
fn a_shared_number_gives_one_record_and_a_choice_that_is_asked_again() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", NUMBER);
    let bert = desk.contact("Bert", NUMBER);
    let first = desk.insert(&inbound(1, NUMBER));
    assert_eq!(desk.call(first).contact, None, "nobody was chosen yet");
    assert_eq!(wait(desk.store.links(first)).unwrap().len(), 2);
    desk.change(first, CallChange::Subject(Some(Subject::Contact(bert))));
    // It ranks first, and it is still a question, also to the row that is written.
    let found = desk.identify(NUMBER);
    assert_eq!(desk.ranked(NUMBER), [(bert, Manual), (anna, Known)]);
    assert_eq!(
        found.matches[0].reason,
        "you chose this contact for this number before"
    );
    assert_eq!(Match::best(&found.matches), None);
    let second = desk.insert(&inbound(2, NUMBER));
    assert_eq!(desk.call(second).contact, None);
    let page = wait(
        desk.store
            .calls(crate::crm::row::CallFilter::All, "", None, 10),
    )
    .unwrap();
    assert_eq!(page.rows.len(), 2, "one record for each call");
    // Other people's numbers are not touched by the choice.
    let zoe = desk.contact("Zoe", "030 1234567");
    assert_eq!(desk.ranked("030 1234567"), [(zoe, Known)]);
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

fn ticket(contact: Option<ContactId>) -> TicketRow {
    TicketRow {
        id: TicketId(0),
        title: "Printer".to_owned(),
        state: TicketState::New,
        contact,
        contact_name: None,
        organization: None,
        organization_name: None,
        agent: None,
        created_at: second(0),
        updated_at: second(0),
        closed_at: None,
        articles: Vec::new(),
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
