//! A seeded script of calls and edits: what is written, in what order, and what it makes of each record.

use std::ops::Range;

use jiff::Timestamp;
use ringdesk::base::id::CallId;
use ringdesk::crm::row::{
    ArticleRow, CallDirection, CallRow, CallState, ContactNumber, ContactRow, TaskRow, TicketRow,
    TicketState,
};
use ringdesk::crm::store::{CallChange, WrapUp};

use crate::random::Random;
use crate::record::{Call, Record, Row};

/// One write.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) record: Record,
    pub(crate) edit: Edit,
    /// What becomes of further records in the same write, and of its own where that does not depend on
    /// what it was.
    pub(crate) also: Vec<(Record, Option<Row>)>,
}

#[derive(Debug, Clone)]
pub(crate) enum Edit {
    /// A call begins, alone: it is kept on its page first.
    Keep(Box<CallRow>),
    /// A call is written that is over.
    Insert(Box<CallRow>),
    Change(CallChange),
    /// The agent chooses the contact with this record and name.
    Choose(Record, String),
    SaveContact(Box<ContactRow>),
    DeleteContact,
    NameOrganization(String),
    /// A ticket is made or changed; its articles are added.
    SaveTicket(Box<TicketRow>),
    AddArticle(Box<ArticleRow>),
    DeleteTicket,
    SaveTask(Box<TaskRow>),
    TaskDone(bool),
    DeleteTask,
    /// A note with this text about the contact with this record.
    SaveNote(Record, String),
    DeleteNote,
    /// A ticket is drafted for the call of this record.
    Draft(Record),
    /// What the agent says of a call: with its draft and its task in one write.
    WrapUp(Box<WrapUp>),
    /// A file with people, whose first one is the record.
    Import(String),
    /// Takes the contact with this record in.
    Merge(Record),
    /// Takes the import or merge of this record back.
    UndoExchange,
    /// Brings a contact back that was deleted under this name.
    UndoDeletion(String),
    /// Erases the person, with this number for the proof.
    Erase(i64),
}

/// What a kill cuts off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Start,
    BeforeInsert,
    Kept,
    Inserted,
    Answered,
    Held,
    Ended,
    Notes,
    Contact,
    /// Tickets, drafts, tasks, notes.
    Ticket,
    WrapUp,
    /// A file that comes in, a merge, and taking them back.
    Exchange,
    /// A call that begins during an import, and is put aside.
    Aside,
    Erase,
    Checkpoint,
    /// A dialled call's id, a choice, an organization, a deletion.
    Other,
}

impl Step {
    /// The records that it changes.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        let is_among = self.also.iter().any(|(record, _)| *record == self.record);
        let own = (!is_among).then_some(&self.record);
        own.into_iter()
            .chain(self.also.iter().map(|(record, _)| record))
    }

    /// What becomes of one of its records; none where the store refuses it, because the record is not
    /// there.
    pub(crate) fn apply(&self, record: &Record, row: Option<&Row>) -> Option<Option<Row>> {
        if let Some((_, after)) = self.also.iter().find(|(other, _)| other == record) {
            return Some(after.clone());
        }
        match (&self.edit, row) {
            (Edit::Keep(call) | Edit::Insert(call), None) => Some(Some(Row::Call(Call::of(call)))),
            // A repeated insert changes nothing.
            (Edit::Keep(_) | Edit::Insert(_), Some(row)) => Some(Some(row.clone())),
            (Edit::Change(change), Some(Row::Call(call))) => {
                Some(Some(Row::Call(call.changed(change))))
            }
            (Edit::Choose(_, name), Some(Row::Call(call))) => Some(Some(Row::Call(Call {
                chosen: Some(name.clone()),
                ..call.clone()
            }))),
            (Edit::SaveContact(contact), _) => Some(Some(Row::of_contact(contact))),
            (Edit::NameOrganization(name), _) => {
                Some(Some(Row::Organization { name: name.clone() }))
            }
            (Edit::SaveTicket(ticket), before) => {
                let mut articles = before.map_or_else(Vec::new, Row::articles);
                articles.extend(ticket.articles.iter().map(|it| it.body.clone()));
                Some(Some(Row::ticket(ticket.state, articles)))
            }
            (Edit::AddArticle(article), Some(Row::Ticket { state, articles })) => {
                let mut articles = articles.clone();
                articles.push(article.body.clone());
                let state = state.clone();
                Some(Some(Row::Ticket { state, articles }))
            }
            (Edit::Draft(_), None) => Some(Some(Row::ticket(TicketState::Draft, Vec::new()))),
            (Edit::Draft(_), Some(row)) => Some(Some(row.clone())),
            (Edit::SaveTask(task), _) => Some(Some(Row::of_task(task))),
            (Edit::TaskDone(done), Some(Row::Task { notes, .. })) => {
                let (notes, done) = (notes.clone(), *done);
                Some(Some(Row::Task { notes, done }))
            }
            (Edit::SaveNote(_, text), _) => Some(Some(Row::Note { text: text.clone() })),
            (Edit::WrapUp(said), Some(Row::Call(call))) => Some(Some(Row::Call(Call {
                notes: said.notes.clone().unwrap_or_else(|| call.notes.clone()),
                ..call.clone()
            }))),
            (
                Edit::DeleteContact | Edit::DeleteTicket | Edit::DeleteTask | Edit::DeleteNote,
                Some(_),
            ) => Some(None),
            // Nothing is there that could be changed; of the last ones all is said above.
            (
                Edit::Change(_)
                | Edit::Choose(..)
                | Edit::DeleteContact
                | Edit::AddArticle(_)
                | Edit::DeleteTicket
                | Edit::TaskDone(_)
                | Edit::DeleteTask
                | Edit::DeleteNote
                | Edit::WrapUp(_)
                | Edit::Import(_)
                | Edit::Merge(_)
                | Edit::UndoExchange
                | Edit::UndoDeletion(_)
                | Edit::Erase(_),
                _,
            ) => None,
        }
    }

    /// The phase of a kill while it is written; that of a call that begins is told by what is left.
    pub(crate) fn phase(&self) -> Phase {
        match &self.edit {
            Edit::Keep(_) => Phase::BeforeInsert,
            Edit::Change(CallChange::Answered { .. }) => Phase::Answered,
            Edit::Change(CallChange::Held(_)) => Phase::Held,
            Edit::Change(CallChange::Ended { .. }) => Phase::Ended,
            Edit::Change(CallChange::Notes(_)) => Phase::Notes,
            Edit::SaveContact(_) => Phase::Contact,
            Edit::SaveTicket(_)
            | Edit::AddArticle(_)
            | Edit::DeleteTicket
            | Edit::SaveTask(_)
            | Edit::TaskDone(_)
            | Edit::DeleteTask
            | Edit::SaveNote(..)
            | Edit::DeleteNote
            | Edit::Draft(_) => Phase::Ticket,
            Edit::WrapUp(_) => Phase::WrapUp,
            Edit::Import(_) | Edit::Merge(_) | Edit::UndoExchange => Phase::Exchange,
            Edit::Erase(_) => Phase::Erase,
            Edit::Insert(_)
            | Edit::Change(_)
            | Edit::Choose(..)
            | Edit::DeleteContact
            | Edit::UndoDeletion(_)
            | Edit::NameOrganization(_) => Phase::Other,
        }
    }
}

/// The steps, and which of them wait for the disk together.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) steps: Vec<Step>,
    pub(crate) groups: Vec<Range<usize>>,
}

/// So many writes at once make the store move its log into the database.
const BURST: usize = 70;

impl Script {
    /// Writes so many episodes; `run` keeps the records of several scripts in one store apart.
    pub(crate) fn new(run: u64, seed: u64, episodes: usize) -> Self {
        let mut author = Author::new(run, seed);
        for _ in 0..episodes {
            match author.random.below(20) {
                0..=4 => author.call(),
                5 | 6 => author.two_calls(),
                7 | 8 => author.contact(),
                9 => author.organization(),
                10 => author.burst(),
                11 => author.long_notes(),
                12 | 13 => author.desk_work(),
                14 | 15 => author.wrapped_up_call(),
                16 => author.import(),
                17 => author.merge(),
                18 => author.deletion(),
                _ => author.erasure(),
            }
        }
        author.script
    }

    /// A short one with each kind of edit in it, and two calls at the end that need nothing before them.
    pub(crate) fn of_each_kind(run: u64) -> Self {
        let mut author = Author::new(run, 1);
        author.answered_call();
        author.contact();
        author.organization();
        author.long_notes();
        author.many_notes();
        author.desk_work();
        author.wrapped_up_call();
        author.import();
        author.merge();
        author.deletion();
        author.erasure();
        author.lone_call();
        author.lone_call();
        author.script
    }
}

pub(crate) struct Author {
    run: u64,
    pub(crate) random: Random,
    script: Script,
    /// So many records were made.
    records: u64,
    /// Seconds since the script's beginning.
    clock: i64,
    last_call: Option<(Record, String)>,
}

impl Author {
    fn new(run: u64, seed: u64) -> Self {
        Self {
            run,
            random: Random(seed.wrapping_add(run.wrapping_mul(0x1_0001))),
            script: Script {
                steps: Vec::new(),
                groups: Vec::new(),
            },
            records: 0,
            clock: i64::try_from(run).unwrap() * 100_000,
            last_call: None,
        }
    }

    pub(crate) fn now(&mut self) -> Timestamp {
        self.clock += 1;
        Timestamp::from_second(1_790_000_000 + self.clock).unwrap()
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.records += 1;
        self.run * 100_000 + self.records
    }

    pub(crate) fn one(&mut self, record: &Record, edit: Edit) {
        self.together(vec![(record.clone(), edit)]);
    }

    /// One more write that does not wait for the one before.
    pub(crate) fn with_the_last(&mut self, record: &Record, edit: Edit) {
        let before = self.script.groups.pop();
        self.one(record, edit);
        if let (Some(before), Some(group)) = (before, self.script.groups.last_mut()) {
            group.start = before.start;
        }
    }

    /// One write that changes further records.
    pub(crate) fn whole(&mut self, record: &Record, edit: Edit, also: Vec<(Record, Option<Row>)>) {
        self.one(record, edit);
        if let Some(step) = self.script.steps.last_mut() {
            step.also = also;
        }
    }

    pub(crate) fn together(&mut self, edits: Vec<(Record, Edit)>) {
        let begin = self.script.steps.len();
        let steps = edits.into_iter().map(|(record, edit)| Step {
            record,
            edit,
            also: Vec::new(),
        });
        self.script.steps.extend(steps);
        self.script.groups.push(begin..self.script.steps.len());
    }

    pub(crate) fn new_call(&mut self, state: CallState) -> (Record, Box<CallRow>) {
        let number = self.number();
        let mut random = [9; 10];
        random[2..].copy_from_slice(&number.to_be_bytes());
        let id = CallId::new(1_790_000_000_000 + number, random);
        let remote = format!("+4930{number:08}");
        let started = self.now();
        let direction = if number.is_multiple_of(3) {
            CallDirection::Outbound
        } else {
            CallDirection::Inbound
        };
        let row = CallRow {
            state,
            remote: remote.clone(),
            local: "sip:alice@example.com".to_owned(),
            ended_at: state.ended().then_some(started),
            end_reason: state.ended().then(|| "nobody answered".to_owned()),
            done: !number.is_multiple_of(2),
            ..CallRow::begun(id, direction, started)
        };
        let record = Record::Call(id.to_string());
        self.last_call = Some((record.clone(), remote));
        (record, Box::new(row))
    }

    pub(crate) fn answered(&mut self) -> Edit {
        let waiting_millis = i64::try_from(self.random.below(20_000)).unwrap();
        Edit::Change(CallChange::Answered {
            at: self.now(),
            waiting_millis,
        })
    }

    pub(crate) fn ended(&mut self, state: CallState) -> Edit {
        Edit::Change(CallChange::Ended {
            state,
            at: self.now(),
            waiting_millis: i64::try_from(self.random.below(20_000)).unwrap(),
            talking_millis: (state == CallState::Completed).then_some(61_000),
            sip_status: Some(200),
            end_reason: format!("the far end hung up at {}", self.clock),
            done: state != CallState::NoAnswer,
        })
    }

    fn notes(&self, length: usize) -> Edit {
        let text = format!("notes of {} ", self.clock).repeat(length / 16 + 1);
        Edit::Change(CallChange::Notes(text))
    }

    fn call(&mut self) {
        if self.random.below(3) > 0 {
            return self.answered_call();
        }
        let (record, row) = self.new_call(CallState::Ringing);
        self.one(&record, Edit::Keep(row));
        let ended = self.ended(CallState::NoAnswer);
        self.one(&record, ended);
        self.one(&record, Edit::Change(CallChange::Done(true)));
    }

    /// A call as the phone writes it: the answer joins the row on its way into the log.
    fn answered_call(&mut self) {
        let (record, row) = self.new_call(CallState::Ringing);
        let answered = self.answered();
        if self.random.below(2) == 0 {
            self.together(vec![
                (record.clone(), Edit::Keep(row)),
                (record.clone(), answered),
            ]);
        } else {
            self.one(&record, Edit::Keep(row));
            let dialled = CallChange::Dialled(format!("{}@example.com", self.clock));
            self.one(&record, Edit::Change(dialled));
            self.one(&record, answered);
        }
        for held in [true, false] {
            self.one(&record, Edit::Change(CallChange::Held(held)));
        }
        let (notes, ended) = (self.notes(40), self.ended(CallState::Completed));
        self.one(&record, notes);
        self.one(&record, ended);
        let notes = self.notes(400);
        self.one(&record, notes);
    }

    /// Two calls at the same time, the second waiting.
    fn two_calls(&mut self) {
        let (first, first_row) = self.new_call(CallState::Ringing);
        let (second, second_row) = self.new_call(CallState::Ringing);
        self.one(&first, Edit::Keep(first_row));
        let answered = self.answered();
        self.one(&first, answered);
        self.one(&second, Edit::Keep(second_row));
        let edits = vec![
            (first.clone(), Edit::Change(CallChange::Held(true))),
            (second.clone(), self.answered()),
        ];
        self.together(edits);
        let edits = vec![
            (second.clone(), self.ended(CallState::Completed)),
            (first.clone(), self.ended(CallState::Completed)),
            (first.clone(), self.notes(100)),
        ];
        self.together(edits);
    }

    /// A contact is made, chosen for a call, changed, and sometimes deleted.
    fn contact(&mut self) {
        let number = self.number();
        let record = Record::Contact(format!("contact{number}@example.com"));
        let saved = |version: u32, numbers: &[&str]| {
            let row = ContactRow {
                organization_name: Some(format!("Employer {}", number / 4)),
                email: Some(format!("contact{number}@example.com")),
                notes: format!("as of version {version}"),
                numbers: numbers
                    .iter()
                    .map(|raw| ContactNumber {
                        label: "Work".to_owned(),
                        raw: (*raw).to_owned(),
                        e164: None,
                    })
                    .collect(),
                ..ContactRow::named(&format!("Contact {number} {version}"))
            };
            Edit::SaveContact(Box::new(row))
        };
        let own = format!("+4940{number:08}");
        let call = self.last_call.clone();
        // The number of a call that was: it is linked again.
        let called = call.as_ref().map_or(own.as_str(), |(_, number)| number);
        self.one(&record, saved(1, &[called, &own]));
        if let Some((call, _)) = &call {
            let name = format!("Contact {number} 1");
            self.one(call, Edit::Choose(record.clone(), name));
        }
        self.one(&record, saved(2, &[&own, called, "+493012345"]));
        if self.random.below(3) == 0 {
            self.one(&record, Edit::DeleteContact);
            // The call that it was chosen for would go to the next contact with its number.
            self.last_call = None;
        }
    }

    fn organization(&mut self) {
        let name = format!("Organization {}", self.number());
        let record = Record::Organization(name.clone());
        self.one(&record, Edit::NameOrganization(format!("{name} AG")));
        self.one(&record, Edit::NameOrganization(format!("{name} SE")));
    }

    /// Many calls at once: one transaction, after which the log is moved into the database.
    fn burst(&mut self) {
        let edits = (0..BURST)
            .map(|_| {
                let (record, row) = self.new_call(CallState::NoAnswer);
                (record, Edit::Insert(row))
            })
            .collect();
        self.together(edits);
    }

    /// One transaction of many writes and few pages.
    fn many_notes(&mut self) {
        let (record, row) = self.new_call(CallState::NoAnswer);
        let mut edits = vec![(record.clone(), Edit::Insert(row))];
        edits.extend((0..BURST).map(|_| (record.clone(), self.notes(40))));
        self.together(edits);
    }

    /// Notes over several pages.
    fn long_notes(&mut self) {
        let (record, row) = self.new_call(CallState::NoAnswer);
        self.one(&record, Edit::Insert(row));
        let notes = self.notes(20_000);
        self.one(&record, notes);
    }

    fn lone_call(&mut self) {
        let (record, row) = self.new_call(CallState::NoAnswer);
        self.one(&record, Edit::Insert(row));
    }
}
