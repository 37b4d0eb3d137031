//! The records for scripts: through the running phone, or straight from the file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::app::ladders::SharedLadders;
use crate::base::id::{CallId, ContactId};
use crate::crm::row::{
    CallFilter, CallLadder, CallRow, ContactRow, LadderMessage, MeasuredCall, PoppedCall,
    RefusedRow, RoutingChange, RoutingTables, StateTotal,
};
use crate::crm::store::{Write, Written};
use crate::crm::{Store, StoreError};

/// How long a reader waits for what is on its way to the disk; who asks gives up after five seconds.
const SETTLING: Duration = Duration::from_secs(2);

/// Reads and writes of whole records.
#[derive(Clone)]
pub struct Records {
    store: Arc<Store>,
    ladders: SharedLadders,
    /// Where recordings are.
    recordings: PathBuf,
    /// Whether no phone runs on the store.
    alone: bool,
}

impl Records {
    /// Opens the records of a data folder that no phone uses.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be opened; the message says what to do.
    pub fn open(data_dir: &Path, region: &str) -> anyhow::Result<Self> {
        let store = Arc::new(Store::open(data_dir, region)?);
        Ok(Self {
            alone: true,
            ..Self::of(store, SharedLadders::default())
        })
    }

    /// Says where recordings are.
    #[must_use]
    pub fn with_recordings(self, folder: PathBuf) -> Self {
        Self {
            recordings: folder,
            ..self
        }
    }

    /// Says which numbers and addresses are the accounts' own, where no phone does.
    pub fn set_own_lines(&self, addresses: &[String]) {
        self.store.set_own_numbers(addresses);
    }

    pub(super) fn of(store: Arc<Store>, ladders: SharedLadders) -> Self {
        let recordings = store.data_dir().join("recordings");
        Self {
            store,
            ladders,
            recordings,
            alone: false,
        }
    }

    pub(super) fn shared_store(&self) -> Arc<Store> {
        Arc::clone(&self.store)
    }

    pub(super) fn recordings(&self) -> &Path {
        &self.recordings
    }

    pub(super) fn alone(&self) -> bool {
        self.alone
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// The newest calls, newest first.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub async fn calls(
        &self,
        filter: CallFilter,
        search: &str,
        limit: usize,
    ) -> Result<Vec<CallRow>, StoreError> {
        self.settle().await;
        let page = self.store.calls(filter, search, None, limit).await;
        page.or(Err(StoreError::Closed))?.map(|page| page.rows)
    }

    /// All agents, queues, holidays and the block list.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub async fn routing(&self) -> Result<RoutingTables, StoreError> {
        self.store.routing().await.or(Err(StoreError::Closed))?
    }

    /// Changes them; gives the id of what was saved or deleted.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be so, or not be written.
    pub async fn change_routing(&self, change: RoutingChange) -> Result<i64, StoreError> {
        let written = self.store.write(Write::Routing(Box::new(change))).await;
        match written.or(Err(StoreError::Closed))?? {
            Written::Routing(id) => Ok(id),
            other => Err(StoreError::Database(format!(
                "a change of the lists was answered by {other:?}"
            ))),
        }
    }

    /// A call, by our id or by its SIP Call-ID, and why it popped up or did not; no reason where
    /// nothing was set up or in the way.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub async fn popup(&self, id: &str) -> Result<Option<PoppedCall>, StoreError> {
        let Some(call) = self.find(id).await? else {
            return Ok(None);
        };
        let decision = self.store.popup(call.id).await;
        let decision = decision.or(Err(StoreError::Closed))??;
        Ok(Some(PoppedCall { call, decision }))
    }

    /// How long the agent was in each state from one moment to another, what goes on until `now`.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub async fn state_totals(
        &self,
        from: jiff::Timestamp,
        to: jiff::Timestamp,
        now: jiff::Timestamp,
    ) -> Result<Vec<StateTotal>, StoreError> {
        let totals = self.store.state_totals(from, to, now).await;
        totals.or(Err(StoreError::Closed))?
    }

    /// One call.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub async fn call(&self, id: CallId) -> Result<Option<CallRow>, StoreError> {
        self.store.call(id).await.or(Err(StoreError::Closed))?
    }

    /// What was refused unheard since a moment, the most first.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub async fn refused(&self, since: jiff::Timestamp) -> Result<Vec<RefusedRow>, StoreError> {
        const ROWS: u32 = 50;
        let rows = self.store.refused(since, ROWS).await;
        rows.or(Err(StoreError::Closed))?
    }

    /// A call with its SIP messages, by our id or by the SIP Call-ID that a PBX logs.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub async fn ladder(&self, id: &str) -> Result<Option<CallLadder>, StoreError> {
        match self.find(id).await? {
            Some(call) => self.with_messages(call).await.map(Some),
            None => Ok(None),
        }
    }

    /// Waits until what the phone told of its calls so far can be read. A call rings and is told as
    /// soon as it would survive a power loss, which is before it is in the log's pages; on a slow disk
    /// a script that hears of it and asks at once would else be told that there is no such call.
    pub(super) async fn settle(&self) {
        // A disk that takes longer must not keep what is there from being read.
        drop(timeout(SETTLING, self.store.write(Write::Settle)).await);
    }

    /// A call by our id or by its SIP Call-ID.
    async fn find(&self, id: &str) -> Result<Option<CallRow>, StoreError> {
        self.settle().await;
        let mut call = match CallId::parse(id) {
            Some(id) => self.call(id).await?,
            None => None,
        };
        if call.is_none() {
            // A SIP Call-ID may look like one of ours.
            let found = self.store.call_of_sip(id).await;
            if let Some(id) = found.or(Err(StoreError::Closed))?? {
                call = self.call(id).await?;
            }
        }
        Ok(call)
    }

    /// A call with its SIP messages, by our id alone.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub async fn ladder_of(&self, id: CallId) -> Result<Option<CallLadder>, StoreError> {
        match self.call(id).await? {
            Some(call) => self.with_messages(call).await.map(Some),
            None => Ok(None),
        }
    }

    async fn with_messages(&self, call: CallRow) -> Result<CallLadder, StoreError> {
        // What is not yet written comes first: it may be written in between.
        let newest = self.ladders.lock().of(call.id);
        let kept = self.store.ladder(call.id).await;
        let mut messages = kept.or(Err(StoreError::Closed))??;
        for message in newest {
            if !messages.contains(&message) {
                messages.push(message);
            }
        }
        Ok(CallLadder { call, messages })
    }

    /// A call with what was measured of its sound, by our id or by the SIP Call-ID that a PBX logs.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub async fn sound(&self, id: &str) -> Result<Option<MeasuredCall>, StoreError> {
        let Some(call) = self.find(id).await? else {
            return Ok(None);
        };
        let spans = self.store.quality(call.id).await;
        let spans = spans.or(Err(StoreError::Closed))??;
        Ok(Some(MeasuredCall { call, spans }))
    }

    /// The last SIP messages of the registration of an address such as `sip:alice@example.com`;
    /// none without a running phone.
    pub fn registration_ladder(&self, address: &str) -> Vec<LadderMessage> {
        self.ladders.lock().of_registration(address)
    }

    /// Contacts by name.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub async fn contacts(
        &self,
        search: &str,
        limit: usize,
    ) -> Result<Vec<ContactRow>, StoreError> {
        let found = self.store.contacts(search, None, limit).await;
        found.or(Err(StoreError::Closed))?.map(|page| page.rows)
    }

    /// Saves a contact; gives its id and how many earlier calls were linked.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be written.
    pub async fn save_contact(&self, row: ContactRow) -> Result<(ContactId, usize), StoreError> {
        let written = self.store.write(Write::SaveContact(Box::new(row))).await;
        match written.or(Err(StoreError::Closed))?? {
            Written::Contact(id, linked) => Ok((id, linked)),
            other => Err(StoreError::Database(format!(
                "a contact was saved as {other:?}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Such a call was told to be in no call log, wherever the disk took its time.
    #[tokio::test]
    async fn a_call_is_found_from_the_moment_that_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(folder.path(), "DE").unwrap();
        for number in 1..=20 {
            let id = CallId::new(number, [1; 10]);
            let call = CallRow::ringing(id, "0301234567", jiff::Timestamp::UNIX_EPOCH);
            let pending = records.store.keep(Write::InsertCall(Box::new(call)));
            // It ends without a word where the log was as fast.
            drop(pending.kept.await);
            let found = records.ladder(&id.to_string()).await.unwrap();
            assert_eq!(found.map(|found| found.call.id), Some(id));
            let listed = records.calls(CallFilter::All, "", 100).await.unwrap();
            assert_eq!(listed.len() as u64, number);
        }
    }
}
