//! Guesses of who calls: from texts to ranked candidates, and what an agent says of them.

mod texts;
mod verdicts;

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
