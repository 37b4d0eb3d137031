//! Writes become a transaction, together or each alone.

use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::WriteError;
use crate::crm::apply::{Context, apply};
use crate::crm::arrivals;
use crate::crm::store::{StoreError, Write, Written};

/// Begins a transaction. The writer makes one at a time, though a copy may read the connection between
/// two of them.
pub(super) fn begin(connection: &Connection) -> rusqlite::Result<Transaction<'_>> {
    Transaction::new_unchecked(connection, TransactionBehavior::Immediate)
}

/// Commits writes together; if that fails, each alone, so that a bad one takes no other along.
pub(super) fn commit(
    connection: &Connection,
    writes: &[&Write],
    context: &mut Context<'_>,
    commits: &AtomicU64,
) -> Vec<Result<Written, StoreError>> {
    match together(connection, writes, context) {
        Ok(results) => {
            commits.fetch_add(1, Ordering::Relaxed);
            results
        }
        // Each try would wait for the other program again.
        Err(error) if writes.len() == 1 || waits_for_another(&error) => {
            let error = StoreError::from(error);
            writes.iter().map(|_| Err(error.clone())).collect()
        }
        Err(_) => writes
            .iter()
            .map(|write| {
                let mut results = together(connection, &[write], context)?;
                commits.fetch_add(1, Ordering::Relaxed);
                results.pop().unwrap_or(Err(StoreError::Closed))
            })
            .collect(),
    }
}

fn together(
    connection: &Connection,
    writes: &[&Write],
    context: &mut Context<'_>,
) -> rusqlite::Result<Vec<Result<Written, StoreError>>> {
    let transaction = begin(connection)?;
    arrivals::settle(&transaction, context.numbering)?;
    let mut results = Vec::with_capacity(writes.len());
    for write in writes {
        match apply(&transaction, write, context) {
            Ok(written) => results.push(Ok(written)),
            // Nothing was changed, so the others need not be tried again.
            Err(error @ (WriteError::Missing(_) | WriteError::Refused(_))) => {
                results.push(Err(error.into()));
            }
            Err(WriteError::Sqlite(error)) => return Err(error),
        }
    }
    transaction.commit()?;
    Ok(results)
}

fn waits_for_another(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}
