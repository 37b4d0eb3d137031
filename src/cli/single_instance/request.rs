//! What one process asks of the running phone, and what that answers.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{DEADLINE, Health};
use crate::app::desk::DeskRequest;
use crate::base::id::{CallId, ContactId};
use crate::cli::support;
use crate::crm::row::{
    BackupMade, CallDirection, CallLadder, ContactRow, DuplicatePage, Erased, ErasedCalls,
    ImportOptions, ImportOutcome, ImportPreview, MeasuredCall, MergeReport, PoppedCall, RefusedRow,
    RoutingChange, RoutingTables, StateTotal, Undone,
};

/// How long it may take to look through a whole database, or to import a million people on a slow disk.
const LONG_DEADLINE: Duration = Duration::from_secs(3600);

/// What one process asks of the running phone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum Request {
    /// Show the window.
    Raise,
    /// Ask the agent whether to dial this link.
    Open(String),
    /// Dial a logged call.
    DialAgain {
        /// Which.
        call: CallId,
        /// Who started it: a call that came in is called back, one that went out is dialled again.
        direction: CallDirection,
        /// Whether a person has already said yes to a costly number.
        confirmed: bool,
    },
    /// A call with its SIP messages: by our id or by its SIP Call-ID.
    Ladder(String),
    /// A call with what was measured of its sound: by our id or by its SIP Call-ID.
    Quality(String),
    /// Save a contact.
    SaveContact(Box<ContactRow>),
    /// Import the people of a file, or show what that would do.
    Import {
        /// The file's whole path.
        file: PathBuf,
        /// Whether it is only shown.
        preview: bool,
        /// How it is read.
        options: ImportOptions,
    },
    /// Take the last import or merge back.
    UndoLastExchange,
    /// Contacts that may be one person.
    Duplicates {
        /// After this one.
        after: Option<ContactId>,
        /// How many pairs at most.
        limit: usize,
    },
    /// Make one contact of several; the first one stays.
    Merge(Vec<ContactId>),
    /// Contacts are different people.
    Different(Vec<ContactId>),
    /// All agents, queues, holidays and the block list.
    Routing,
    /// Change them.
    ChangeRouting(Box<RoutingChange>),
    /// Why a call popped up or did not: by our id or by its SIP Call-ID.
    Popup(String),
    /// How long the agent was in each state.
    StateTotals {
        /// From when.
        from: jiff::Timestamp,
        /// To when.
        to: jiff::Timestamp,
        /// Until when what goes on counts.
        now: jiff::Timestamp,
    },
    /// How the running phone does.
    Health,
    /// What only it knows for a support bundle.
    Support,
    /// What was refused unheard.
    Refused {
        /// From when on.
        since: jiff::Timestamp,
    },
    /// The other records.
    Desk(Box<DeskRequest>),
    /// Copy the database to this file.
    Backup(PathBuf),
    /// Write all that is held of a person to a file.
    ExportPerson {
        /// A contact's id, or a number.
        who: String,
        /// The new file.
        file: PathBuf,
    },
    /// Erase a person.
    Erase {
        /// A contact's id, or a number.
        who: String,
        /// What becomes of the calls.
        calls: ErasedCalls,
        /// Who erases.
        by: String,
    },
}

impl Request {
    /// Whether it looks through the whole database, which may take minutes.
    pub(super) fn is_long(&self) -> bool {
        matches!(
            self,
            Self::Backup(_)
                | Self::ExportPerson { .. }
                | Self::Erase { .. }
                | Self::Import { .. }
                | Self::UndoLastExchange
                | Self::Merge(_)
        )
    }

    /// Whether it changes records that the phone may show.
    pub(super) fn changes_records(&self) -> bool {
        match self {
            Self::SaveContact(_)
            | Self::Import { preview: false, .. }
            | Self::UndoLastExchange
            | Self::Merge(_)
            | Self::Different(_)
            | Self::ChangeRouting(_)
            | Self::Erase { .. } => true,
            Self::Desk(request) => request.changes(),
            Self::Raise
            | Self::Open(_)
            | Self::DialAgain { .. }
            | Self::Ladder(_)
            | Self::Quality(_)
            | Self::Import { preview: true, .. }
            | Self::Duplicates { .. }
            | Self::Routing
            | Self::Popup(_)
            | Self::StateTotals { .. }
            | Self::Health
            | Self::Support
            | Self::Refused { .. }
            | Self::Backup(_)
            | Self::ExportPerson { .. } => false,
        }
    }

    pub(super) fn deadline(&self) -> Duration {
        if self.is_long() {
            LONG_DEADLINE
        } else {
            DEADLINE
        }
    }
}

/// What the running phone answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum Reply {
    /// Done.
    Done,
    /// It is dialled.
    Dialling {
        /// Whom.
        to: String,
        /// From which account; none for a phone without accounts.
        from: Option<String>,
    },
    /// A call with its SIP messages; none when there is no such call.
    Ladder(Option<Box<CallLadder>>),
    /// A call with what was measured of its sound; none when there is no such call.
    Quality(Option<Box<MeasuredCall>>),
    /// The contact was saved, and so many earlier calls were linked.
    Saved {
        /// Its id.
        id: i64,
        /// Linked calls.
        linked: usize,
    },
    /// What an import would do.
    Preview(Box<ImportPreview>),
    /// What came of an import.
    Imported(Box<ImportOutcome>),
    /// What was taken back.
    Undone(Undone),
    /// Contacts that may be one person.
    Duplicates(DuplicatePage),
    /// What a merge did.
    Merged(MergeReport),
    /// All agents, queues, holidays and the block list.
    Routing(Box<RoutingTables>),
    /// They were changed: what was saved or deleted has this id.
    Changed(i64),
    /// Why a call popped up or did not; none when there is no such call.
    Popup(Option<Box<PoppedCall>>),
    /// For `StateTotals`.
    StateTotals(Vec<StateTotal>),
    /// For `Health`.
    Health(Health),
    /// For `Support`.
    Support(Box<support::Phone>),
    /// For `Refused`.
    Refused(Vec<RefusedRow>),
    /// For `Desk`: what `--json` prints.
    Desk(serde_json::Value),
    /// For `Backup`.
    Backup(BackupMade),
    /// For `ExportPerson`: the recordings that belong to it.
    Exported(Vec<String>),
    /// For `Erase`.
    Erased(Box<Erased>),
    /// It could not be done: why, and what to do.
    Impossible(String),
}
