//! What agents do besides calls: tickets, tasks, notes, wrap-ups, files with people, merges, erasures.

use std::fmt::Write as _;

use ringdesk::base::id::{ArticleId, TicketId};
use ringdesk::crm::row::{
    ArticleKind, ArticleRow, ArticleSender, CallState, ContactNumber, ContactRow, TaskRow,
    TicketRow, TicketState,
};
use ringdesk::crm::store::{DraftFate, WrapUp};

use crate::record::{Record, Row};
use crate::script::{Author, Edit};

/// So many people are in a file: their import takes so long that a call begins meanwhile.
const PEOPLE: u64 = 200;

impl Author {
    /// A ticket with articles, a task and a note, each made, changed and sometimes deleted.
    pub(crate) fn desk_work(&mut self) {
        let number = self.number();
        let (customer, row) = self.person(number);
        self.one(&customer, Edit::SaveContact(Box::new(row)));
        let title = format!("Ticket {number}");
        let ticket = Record::Ticket(title.clone());
        let opened = self.ticket(&title, TicketState::Open);
        self.one(&ticket, opened);
        let article = self.article(&format!("a further article of {number}"));
        self.one(&ticket, Edit::AddArticle(Box::new(article)));
        let closed = self.ticket(&title, TicketState::Closed);
        self.one(&ticket, closed);
        let title = format!("Task {number}");
        let task = Record::Task(title.clone());
        let row = TaskRow {
            notes: format!("what is to do in {number}"),
            ..TaskRow::new(&title, None, self.now())
        };
        self.one(&task, Edit::SaveTask(Box::new(row)));
        self.one(&task, Edit::TaskDone(true));
        let note = Record::Note(format!("Note {number}"));
        for text in ["as it was typed", "as it was corrected"] {
            let text = format!("Note {number} {text}");
            self.one(&note, Edit::SaveNote(customer.clone(), text));
        }
        if self.random.below(2) == 0 {
            self.one(&ticket, Edit::DeleteTicket);
            self.one(&task, Edit::DeleteTask);
            self.one(&note, Edit::DeleteNote);
        }
    }

    /// A call with a draft, of which the agent says everything in one write.
    pub(crate) fn wrapped_up_call(&mut self) {
        let (call, row) = self.new_call(CallState::NoAnswer);
        let id = row.id.to_string();
        self.one(&call, Edit::Insert(row));
        let draft = Record::Draft(id.clone());
        self.one(&draft, Edit::Draft(call.clone()));
        let notes = format!("said about {id}");
        let title = format!("Follow up {id}");
        let follow_up = TaskRow::new(&title, None, self.now());
        let kept = self.random.below(3) > 0;
        let also = vec![
            (
                draft,
                kept.then(|| Row::ticket(TicketState::New, vec![notes.clone()])),
            ),
            (Record::Task(title), Some(Row::of_task(&follow_up))),
        ];
        let said = WrapUp {
            notes: Some(notes),
            call_type: None,
            millis: 7_000,
            draft: if kept {
                DraftFate::Kept
            } else {
                DraftFate::Discarded
            },
            follow_up: Some(Box::new(follow_up)),
        };
        self.whole(&call, Edit::WrapUp(Box::new(said)), also);
    }

    /// A file with people, a call that begins meanwhile, and sometimes all of them go again.
    pub(crate) fn import(&mut self) {
        let number = self.number();
        let mut file = "name,mobile,email,notes\n".to_owned();
        let mut people = Vec::new();
        for person in 0..PEOPLE {
            let name = format!("Imported {number} {person}");
            let raw = format!("+4951{number:08}{person:03}");
            let email = format!("imported{number}-{person}@example.com");
            let notes = format!("from file {number}");
            writeln!(file, "{name},{raw},{email},{notes}").unwrap();
            let row = Row::Contact {
                name,
                notes,
                organization: None,
                numbers: vec![raw],
            };
            people.push((Record::Contact(email), row));
        }
        let first = people[0].0.clone();
        let there = people
            .iter()
            .map(|(record, row)| (record.clone(), Some(row.clone())))
            .collect();
        let (call, row) = self.new_call(CallState::Ringing);
        self.whole(&first, Edit::Import(file), there);
        self.with_the_last(&call, Edit::Keep(row));
        let ended = self.ended(CallState::NoAnswer);
        self.one(&call, ended);
        if self.random.below(2) == 0 {
            let gone = people.iter().map(|(record, _)| (record.clone(), None));
            self.whole(&first, Edit::UndoExchange, gone.collect());
        }
    }

    /// Two contacts become one, and sometimes two again.
    pub(crate) fn merge(&mut self) {
        let (number, other) = (self.number(), self.number());
        let (stays, first) = self.person(number);
        let (goes, second) = self.person(other);
        let before = [
            (stays.clone(), Some(Row::of_contact(&first))),
            (goes.clone(), Some(Row::of_contact(&second))),
        ];
        self.one(&stays, Edit::SaveContact(Box::new(first.clone())));
        self.one(&goes, Edit::SaveContact(Box::new(second.clone())));
        let mut united = first;
        let email = second.email.unwrap_or_default();
        united.notes = format!("{}\nE-mail: {email}\n{}", united.notes, second.notes);
        united.numbers.extend(second.numbers);
        let after = vec![
            (stays.clone(), Some(Row::of_contact(&united))),
            (goes.clone(), None),
        ];
        self.whole(&stays, Edit::Merge(goes), after);
        if self.random.below(2) == 0 {
            self.whole(&stays, Edit::UndoExchange, before.to_vec());
        }
    }

    /// A contact is deleted with its note and comes back.
    pub(crate) fn deletion(&mut self) {
        let number = self.number();
        let (contact, row) = self.person(number);
        let note = Record::Note(format!("Note {number}"));
        let text = format!("Note {number} goes along");
        let there = vec![
            (contact.clone(), Some(Row::of_contact(&row))),
            (note.clone(), Some(Row::Note { text: text.clone() })),
        ];
        let gone = vec![(contact.clone(), None), (note.clone(), None)];
        let name = row.name.clone();
        self.one(&contact, Edit::SaveContact(Box::new(row)));
        self.one(&note, Edit::SaveNote(contact.clone(), text));
        self.whole(&contact, Edit::DeleteContact, gone);
        self.whole(&contact, Edit::UndoDeletion(name), there);
    }

    /// A person is erased, with the note about them.
    pub(crate) fn erasure(&mut self) {
        let number = self.number();
        let (contact, row) = self.person(number);
        self.one(&contact, Edit::SaveContact(Box::new(row)));
        let note = Record::Note(format!("Note {number}"));
        let text = format!("Note {number} is of nobody else's business");
        self.one(&note, Edit::SaveNote(contact.clone(), text));
        let gone = vec![(contact.clone(), None), (note, None)];
        let proof = i64::try_from(number).unwrap();
        self.whole(&contact, Edit::Erase(proof), gone);
    }

    fn person(&self, number: u64) -> (Record, ContactRow) {
        let email = format!("customer{number}@example.com");
        let row = ContactRow {
            email: Some(email.clone()),
            notes: format!("customer of {number}"),
            numbers: vec![ContactNumber {
                label: "Work".to_owned(),
                raw: format!("+4952{number:08}"),
                e164: None,
            }],
            ..ContactRow::named(&format!("Customer {number}"))
        };
        (Record::Contact(email), row)
    }

    fn ticket(&mut self, title: &str, state: TicketState) -> Edit {
        let at = self.now();
        Edit::SaveTicket(Box::new(TicketRow {
            id: TicketId(0),
            title: title.to_owned(),
            state,
            contact: None,
            contact_name: None,
            organization: None,
            organization_name: None,
            agent: None,
            created_at: at,
            updated_at: at,
            closed_at: None,
            articles: vec![self.article(&format!("{title} is {}", state.as_str()))],
        }))
    }

    fn article(&mut self, body: &str) -> ArticleRow {
        ArticleRow {
            id: ArticleId(0),
            at: self.now(),
            kind: ArticleKind::Note,
            sender: ArticleSender::Agent,
            internal: true,
            author: "agent".to_owned(),
            body: body.to_owned(),
            call: None,
        }
    }
}
