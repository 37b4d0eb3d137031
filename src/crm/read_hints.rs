//! Reads of guesses of who calls.

use crate::base::id::HintId;
use crate::crm::reader::Reader;
use crate::crm::row::{ContactRow, HintCursor, HintFilter, HintRow};
use crate::crm::store::StoreError;
use crate::crm::{hint_list, hint_verdicts, number_hints};

impl Reader {
    /// Reads a page of the guesses of whose a number is, the newest texts first; at most 1,000.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn hints(
        &self,
        filter: &HintFilter,
        after: Option<HintCursor>,
        limit: usize,
    ) -> Result<Vec<HintRow>, StoreError> {
        let number = filter.number.as_deref().map(|text| {
            let keys = self.numbering().keys(text);
            // What is no number is nobody's.
            keys.key().unwrap_or_default().to_owned()
        });
        hint_list::page(self.connection(), filter, number.as_deref(), after, limit)
    }

    /// Where the page after a guess begins.
    ///
    /// # Errors
    ///
    /// Fails when there is no such guess.
    pub fn after_hint(&self, id: HintId) -> Result<HintCursor, StoreError> {
        let found = hint_list::cursor(self.connection(), id)?;
        found.ok_or(StoreError::Missing("guess"))
    }

    /// Reads the contact whom a guess points to, or a new one, with the number filled in, to be looked
    /// at and saved.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn hinted_contact(&self, id: HintId) -> Result<Option<ContactRow>, StoreError> {
        let found = number_hints::one(self.connection(), id)?;
        let row = found.map(|(hint, _)| {
            hint_verdicts::with_number(self.connection(), &hint, self.numbering())
        });
        Ok(row.transpose()?)
    }
}
