//! What can be written, and what a committed write tells.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::base::id::{
    BlockId, CallId, CallTypeId, ContactId, HintId, NoteId, OrganizationId, TaskId, TicketId,
    UndoId,
};
use crate::crm::call_ladders::LadderBatch;
use crate::crm::care::{CareDone, CareStep};
use crate::crm::import::ImportBatch;
use crate::crm::row::{
    AgentState, ArticleRow, CallQuality, CallRow, CallState, CallTypeRow, ContactEdit, ContactRow,
    HintVerdict, ImportReport, MailHints, MergeReport, NoteRow, OrganizationEdit, OrganizationRow,
    PopupDecision, QualitySpan, RecordingGap, RoutingChange, Subject, TaskRow, TicketChange,
    TicketRow, Undone,
};

/// A change to a call's row that is not its creation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallChange {
    /// It was answered.
    Answered {
        /// When.
        at: jiff::Timestamp,
        /// Milliseconds of waiting, by the monotonic clock.
        waiting_millis: i64,
    },
    /// It was dialled: the SIP Call-ID that it has, to find it in a trace.
    Dialled(String),
    /// Held or resumed.
    Held(bool),
    /// It ended.
    Ended {
        /// The final state.
        state: CallState,
        /// When.
        at: jiff::Timestamp,
        /// Milliseconds until the answer or the end.
        waiting_millis: i64,
        /// Milliseconds of talking, when it was answered.
        talking_millis: Option<i64>,
        /// The final SIP status.
        sip_status: Option<u16>,
        /// Why, in plain words.
        end_reason: String,
        /// Whether nothing is left to do.
        done: bool,
    },
    /// Its far end was transferred to this number or address.
    TransferredTo(String),
    /// The far end sent it to this number or address before it was answered.
    RedirectedTo(String),
    /// Somebody else than who was dialled answered it, by the network's word.
    AnsweredBy(String),
    /// What became known of its end afterwards.
    EndReason {
        /// The final SIP status.
        sip_status: u16,
        /// Why it ended, in plain words.
        end_reason: String,
    },
    /// Its recording.
    Recording(String),
    /// How many seconds of its sound were over when its recording began; none where nobody knows.
    RecordingStart(Option<u32>),
    /// The gaps of its recording, all of them.
    RecordingGaps(Vec<RecordingGap>),
    /// What became of its sound.
    Sound {
        /// The sum of what was measured.
        quality: Option<Box<CallQuality>>,
        /// Why one side was not heard, and for how long.
        problem: Option<String>,
    },
    /// Its notes, the whole text.
    Notes(String),
    /// Done or to be called back; done settles the number's earlier missed calls too.
    Done(bool),
    /// The agent chose whom it was with, or said that it is none of them; the choice ranks first the
    /// next time the number calls.
    Subject(Option<Subject>),
    /// It concerns that record, too.
    Link(Subject),
    /// It does not concern that record.
    Unlink(Subject),
    /// What it was about.
    CallType(Option<CallTypeId>),
    /// The agent saved what is to be said of it, so long after its end.
    WrappedUp {
        /// In milliseconds.
        millis: i64,
    },
}

/// What an agent says of a call that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrapUp {
    /// The notes, the whole text; none leaves them as they are.
    pub notes: Option<String>,
    /// What it was about: the name of a call type that can be chosen.
    pub call_type: Option<String>,
    /// How long the agent took, in milliseconds.
    pub millis: i64,
    /// What becomes of the ticket that was drafted for it, if there is one.
    pub draft: DraftFate,
    /// What is to do next.
    pub follow_up: Option<Box<TaskRow>>,
}

/// What becomes of a drafted ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftFate {
    /// It is a ticket, with the call's notes as its article.
    Kept,
    /// It goes.
    Discarded,
}

/// One write; several that wait together become one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Insert a call; repeated inserts of one id change nothing.
    InsertCall(Box<CallRow>),
    /// Change a call.
    ChangeCall(CallId, CallChange),
    /// Make several changes of a call: all of them, or none where one is refused.
    EditCall(CallId, Vec<CallChange>),
    /// Insert (id 0) or change a contact with all its numbers; earlier calls are linked again.
    SaveContact(Box<ContactRow>),
    /// Change a part of a contact or lead, as [`SaveContact`](Self::SaveContact) does.
    EditContact(ContactId, Box<ContactEdit>),
    /// Keep messages of calls' ladders, after those that are there; whatever is secret in them is
    /// removed before it is written. Those of calls that are not in the log are left out.
    SaveLadders(LadderBatch),
    /// Keep what was measured of the sound of calls, in place of what is there. Those of calls that are
    /// not in the log are left out.
    SaveQuality(Vec<(CallId, Vec<QualitySpan>)>),
    /// Delete a contact; its calls keep the name.
    DeleteContact(ContactId),
    /// Insert (id 0) or change an organization with all its numbers; earlier calls are linked again.
    SaveOrganization(OrganizationRow),
    /// Change a part of an organization, as [`SaveOrganization`](Self::SaveOrganization) does.
    EditOrganization(OrganizationId, OrganizationEdit),
    /// Delete an organization; its people stay, and its calls keep the name.
    DeleteOrganization(OrganizationId),
    /// Insert (id 0) or change a ticket; articles without an id are added.
    SaveTicket(Box<TicketRow>),
    /// Change some of a ticket, whatever else was changed of it meanwhile.
    ChangeTicket(TicketId, Box<TicketChange>),
    /// Add an article to a ticket.
    AddArticle(TicketId, Box<ArticleRow>),
    /// Delete a ticket with its articles.
    DeleteTicket(TicketId),
    /// Insert (id 0) or change a note.
    SaveNote(NoteRow),
    /// Give a note another text.
    ChangeNote(NoteId, String),
    /// Delete a note.
    DeleteNote(NoteId),
    /// Insert (id 0) or change a task.
    SaveTask(Box<TaskRow>),
    /// Say that a task is done, or not yet.
    TaskDone(TaskId, bool),
    /// Delete a task.
    DeleteTask(TaskId),
    /// Insert (id 0) or change a call type.
    SaveCallType(CallTypeRow),
    /// Delete a call type, or hide one that calls have.
    DeleteCallType(CallTypeId),
    /// Draft a ticket for a call, with whom it shows.
    DraftTicket(CallId),
    /// Keep what an agent says of a call.
    WrapUp(CallId, Box<WrapUp>),
    /// The same where a call type is asked for: without one all is kept, and the type wanted, unless there is
    /// none to choose.
    WrapUpWithType(CallId, Box<WrapUp>),
    /// Say that all missed calls are done.
    AllDone,
    /// Keep the numbers that mails give to their senders, as guesses; a mail that was there before is
    /// replaced.
    AddMailHints(Vec<MailHints>),
    /// Say what a guess is.
    JudgeHint(HintId, HintVerdict),
    /// Make contacts of a file's people: all of them or none.
    Import(Box<ImportBatch>),
    /// Make one contact of several, the first.
    MergeContacts(Vec<ContactId>),
    /// Keep that each of these contacts is another person than the others.
    DifferentPeople(Vec<ContactId>),
    /// Take a step back.
    Undo(UndoId),
    /// Take the last import or merge back.
    UndoLastExchange,
    /// Add to what was refused unheard in that minute: source, reason, how often.
    CountRefused(jiff::Timestamp, Vec<(std::net::IpAddr, String, u64)>),
    /// Keep the keys of the own lines, for who reads the file while no phone runs.
    SaveOwnLines(Vec<String>),
    /// Read numbers without a country code as this region (ISO 3166) writes them, those that are kept too.
    ReadNumbersAs(String),
    /// Change who is told of calls: agents, queues, holidays, the block list.
    Routing(Box<RoutingChange>),
    /// Keep whether a call popped up, to whom and why.
    SavePopup(CallId, Box<PopupDecision>),
    /// Count a call that an entry of the block list refused.
    CountBlocked(BlockId, jiff::Timestamp),
    /// The agent does something else from then on; none where the phone ends.
    AgentState(jiff::Timestamp, Option<(AgentState, String)>),
    /// Change nothing: its answer says that what was queued before can be read.
    Settle,
    /// One step of the care of the data.
    Care(Box<CareStep>),
    /// Copy the database to this file, which is there and empty, in slices between other writes.
    CopyTo(PathBuf),
    /// Move the log into the database and cut it to nothing.
    EmptyLog,
    /// Write the whole file anew, without what deleted rows left in it. Everything else waits.
    MakeAnew,
}

impl Write {
    /// Whether it is done between transactions instead of in one.
    pub(crate) fn is_outside(&self) -> bool {
        matches!(self, Self::CopyTo(_) | Self::EmptyLog | Self::MakeAnew)
    }

    /// Whether it may take longer than a caller waits: it touches as many rows as there are, in a file
    /// that is imported, of a record's calls, or in the whole database.
    pub(crate) fn may_take_long(&self) -> bool {
        matches!(
            self,
            Self::SaveContact(_)
                | Self::DeleteContact(_)
                | Self::SaveOrganization(_)
                | Self::DeleteOrganization(_)
                | Self::AllDone
                | Self::AddMailHints(_)
                | Self::JudgeHint(..)
                | Self::Import(_)
                | Self::MergeContacts(_)
                | Self::Undo(_)
                | Self::UndoLastExchange
                | Self::ReadNumbersAs(_)
                | Self::Care(_)
                | Self::EmptyLog
                | Self::MakeAnew
        )
    }

    /// Whether another agent may be the one whose lines this phone has afterwards.
    pub(crate) fn tells_whose_lines(&self) -> bool {
        match self {
            Self::SaveOwnLines(_) | Self::ReadNumbersAs(_) => true,
            Self::Routing(change) => matches!(
                **change,
                RoutingChange::SaveAgent(_) | RoutingChange::RemoveAgent(_)
            ),
            _ => false,
        }
    }
}

/// What a committed write tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// A call was inserted or changed.
    Call,
    /// What was said of a call is kept; a call type that there is not is named, and is not.
    WrappedUp {
        /// The name as it was given.
        unknown_type: Option<String>,
    },
    /// What was said of a call is kept, but for the call type that is asked for.
    TypeWanted,
    /// A contact was saved under this id, and so many earlier calls were linked.
    Contact(ContactId, usize),
    /// An organization was saved under this id, and so many earlier calls were linked.
    Organization(OrganizationId, usize),
    /// A ticket was saved or deleted.
    Ticket(TicketId),
    /// A note was saved or deleted.
    Note(NoteId),
    /// A task was saved or deleted.
    Task(TaskId),
    /// A call type was saved, deleted or hidden.
    CallType(CallTypeId),
    /// So many missed calls are done now.
    Done(usize),
    /// So many guesses are new.
    Hints(usize),
    /// A guess was judged: it points to this contact, and so many earlier calls were linked.
    Judged(Option<ContactId>, usize),
    /// A file's people were imported.
    Imported(Box<ImportReport>),
    /// Contacts were merged.
    Merged(Box<MergeReport>),
    /// A step was undone.
    Undone(Undone),
    /// Counts were added.
    Refused,
    /// Who is told of calls was changed: what was saved or deleted has this id, 0 for a holiday.
    Routing(i64),
    /// What was queued before can be read.
    Settled,
    /// A step of the care of the data was taken.
    Care(CareDone),
}
