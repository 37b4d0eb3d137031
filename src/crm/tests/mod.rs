//! The store as the engine uses it.

mod around_calls;
mod arrivals;
mod backups;
mod calls;
mod calls_back;
mod contacts;
mod counts;
mod criteria;
mod durability;
mod edits;
mod edits_refused;
mod entered;
mod erasing;
mod exports;
mod exports_of_history;
mod failing;
mod guesses_kept;
mod hints;
mod ladders;
mod matching;
mod merging;
mod nothing_lost;
mod numbers;
mod opening;
mod quality;
mod records;
mod recovery;
mod refused;
mod remembered;
mod removing;
mod retention;
mod routing;
mod scale;
mod timelines;
mod words_behind;

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::base::id::{CallId, ContactId};
use crate::crm::row::{
    CallDirection, CallRow, CallState, ContactNumber, ContactRow, Identification, Match, Subject,
};
use crate::crm::store::{CallChange, Store, StoreError, Write, Written};

/// A store in a folder that goes with it.
struct Desk {
    // Dropped before the folder.
    store: Store,
    folder: TempDir,
}

impl Desk {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            store: Store::open(folder.path(), "DE").unwrap(),
            folder,
        }
    }

    fn again(self) -> Self {
        let Self { store, folder } = self;
        drop(store);
        Self {
            store: Store::open(folder.path(), "DE").unwrap(),
            folder,
        }
    }

    fn write(&self, write: Write) -> Written {
        wait(self.store.write(write)).unwrap()
    }

    fn insert(&self, call: &CallRow) -> CallId {
        assert_eq!(
            self.write(Write::InsertCall(Box::new(call.clone()))),
            Written::Call
        );
        call.id
    }

    fn change(&self, id: CallId, change: CallChange) {
        assert_eq!(self.write(Write::ChangeCall(id, change)), Written::Call);
    }

    fn end(&self, id: CallId, state: CallState, at_second: i64) {
        self.change(id, ended(state, at_second));
    }

    /// Saves a new contact with one number under the label "Mobile".
    fn contact(&self, name: &str, number: &str) -> ContactId {
        self.save(&contact(name, &[("Mobile", number)])).0
    }

    fn save(&self, contact: &ContactRow) -> (ContactId, usize) {
        match self.write(Write::SaveContact(Box::new(contact.clone()))) {
            Written::Contact(id, linked) => (id, linked),
            other => panic!("{other:?}"),
        }
    }

    fn identify(&self, number: &str) -> Identification {
        wait(self.store.identify(number)).unwrap()
    }

    fn call(&self, id: CallId) -> CallRow {
        wait(self.store.call(id)).unwrap().unwrap()
    }

    fn to_call_back(&self) -> u64 {
        wait(self.store.to_call_back()).unwrap()
    }
}

fn wait<T>(receiver: oneshot::Receiver<Result<T, StoreError>>) -> Result<T, StoreError> {
    receiver.blocking_recv().unwrap()
}

fn call_id(number: u64) -> CallId {
    let mut random = [7; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    CallId::new(number, random)
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// A ringing inbound call that begins at its number's second.
fn inbound(number: u64, remote: &str) -> CallRow {
    let started_at = second(i64::try_from(number).unwrap());
    CallRow::ringing(call_id(number), remote, started_at)
}

fn outbound(number: u64, remote: &str) -> CallRow {
    CallRow {
        direction: CallDirection::Outbound,
        done: true,
        ..inbound(number, remote)
    }
}

/// An inbound call that nobody answered.
fn missed(number: u64, remote: &str) -> CallRow {
    CallRow {
        state: CallState::NoAnswer,
        ended_at: Some(second(i64::try_from(number).unwrap() + 10)),
        ..inbound(number, remote)
    }
}

fn answered(at_second: i64) -> CallChange {
    CallChange::Answered {
        at: second(at_second),
        waiting_millis: 4000,
    }
}

fn ended(state: CallState, at_second: i64) -> CallChange {
    CallChange::Ended {
        state,
        at: second(at_second),
        waiting_millis: 4000,
        talking_millis: (state == CallState::Completed).then_some(60_000),
        sip_status: Some(200),
        end_reason: "the far end hung up".to_owned(),
        done: state != CallState::NoAnswer,
    }
}

fn contact(name: &str, numbers: &[(&str, &str)]) -> ContactRow {
    ContactRow {
        numbers: numbers
            .iter()
            .map(|(label, raw)| ContactNumber {
                label: (*label).to_owned(),
                raw: (*raw).to_owned(),
                e164: None,
            })
            .collect(),
        ..ContactRow::named(name)
    }
}
