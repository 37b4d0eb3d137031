//! One search over everything: names, numbers, notes, tickets.

use rusqlite::{Connection, params};

use crate::crm::calls::{COLUMNS, read};
use crate::crm::contact_list::Listed;
use crate::crm::row::{CallRow, Found};
use crate::crm::search::asked;
use crate::crm::store::StoreError;
use crate::crm::{call_page, contact_list, contacts, notes, organizations, tickets, word_index};

/// At most so many of each kind.
const LIMIT: usize = 1_000;

/// Finds the best of each kind; nothing where there is nothing to search for.
pub(crate) fn everything(
    connection: &Connection,
    search: &str,
    limit: usize,
) -> Result<Found, StoreError> {
    if asked(search).is_empty() {
        return Ok(Found::default());
    }
    let limit = limit.min(LIMIT);
    let few = u32::try_from(limit).unwrap_or(u32::MAX);
    let mut contacts = contact_list::page(connection, Listed::Everybody, search, None, limit)?.rows;
    for contact in contacts::by_notes(connection, search, few)? {
        if contacts.len() < limit && !contacts.iter().any(|known| known.id == contact.id) {
            contacts.push(contact);
        }
    }
    let mut calls = call_page::newest(connection, search, limit)?;
    for call in by_notes(connection, search, few)? {
        if !calls.iter().any(|known| known.id == call.id) {
            calls.push(call);
        }
    }
    calls.sort_by_key(|call| std::cmp::Reverse(call.started_at));
    calls.truncate(limit);
    Ok(Found {
        contacts,
        organizations: organizations::page(connection, search, None, limit)?.rows,
        tickets: tickets::find(connection, search, few)?,
        notes: notes::find(connection, search, few)?,
        calls,
    })
}

/// Calls whose notes hold the words, the newest first.
fn by_notes(connection: &Connection, search: &str, limit: u32) -> rusqlite::Result<Vec<CallRow>> {
    let words = word_index::CALL_NOTES.texts(connection, search)?;
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM calls c WHERE c.seq IN (
                SELECT rowid FROM call_note_words WHERE call_note_words MATCH ?1
                ORDER BY rowid DESC LIMIT ?2)
             ORDER BY c.started_at DESC"
        ))?
        .query_map(params![words, limit], read)?
        .collect()
}
