//! Earlier calls find their contact when it appears.

use rusqlite::{Transaction, params};

use crate::base::id::ContactId;
use crate::crm::calls::show;
use crate::crm::number_key::{NumberKeys, Numbering};
use crate::crm::row::{Match, MatchLevel};
use crate::crm::search::MATCH_LIMIT;
use crate::crm::writer::WriteError;
use crate::crm::{call_links, match_number};

/// Links earlier calls to a contact that was just saved with these keys; gives how many calls show
/// it now that showed nobody for sure before.
pub(crate) fn link_again(
    transaction: &Transaction<'_>,
    contact: ContactId,
    is_new: bool,
    keys: &[NumberKeys],
    numbering: &Numbering,
) -> Result<usize, WriteError> {
    let mut shown = 0_usize;
    for number in keys.iter().filter(|keys| !numbering.is_own(keys)) {
        let spellings = [&number.e164, &number.digits, &number.address];
        for key in spellings.into_iter().flatten() {
            let earlier = with_number(transaction, key)?;
            if earlier.is_empty() {
                continue;
            }
            let candidates =
                match_number::candidates(transaction, &numbering.keys(key), numbering)?;
            let sure: Vec<&Match> = candidates
                .iter()
                .filter(|found| found.level <= MatchLevel::Known)
                .collect();
            let Some(own) = sure.iter().find(|found| found.contact == contact) else {
                continue;
            };
            for call in earlier {
                call_links::link(transaction, call.seq, own)?;
                // A number of several people stays a question until somebody answers it.
                if sure.len() == 1 && call.may_be_taken(is_new) {
                    if call.guessed || !call.named {
                        show(transaction, call.seq, own)?;
                    } else {
                        show_under_old_name(transaction, call.seq, own)?;
                    }
                    shown += 1;
                }
            }
        }
    }
    Ok(shown)
}

/// What decides whether an earlier call goes to a contact that appears later.
struct Earlier {
    seq: i64,
    linked: bool,
    named: bool,
    guessed: bool,
    chosen: bool,
}

impl Earlier {
    fn may_be_taken(&self, by_a_new_contact: bool) -> bool {
        if self.chosen {
            // "None of the contacts" was said of those who were there, not of a new one.
            !self.linked && by_a_new_contact
        } else {
            !self.linked || self.guessed
        }
    }
}

fn with_number(transaction: &Transaction<'_>, key: &str) -> rusqlite::Result<Vec<Earlier>> {
    let mut query = transaction.prepare_cached(
        "SELECT seq, contact, contact_name, level FROM calls WHERE number = ?1
         ORDER BY started_at DESC LIMIT ?2",
    )?;
    let rows = query.query_map(params![key, MATCH_LIMIT], |row| {
        let level: Option<String> = row.get(3)?;
        let level = level.as_deref().and_then(MatchLevel::parse);
        Ok(Earlier {
            seq: row.get(0)?,
            linked: row.get::<_, Option<i64>>(1)?.is_some(),
            named: row.get::<_, Option<String>>(2)?.is_some(),
            guessed: matches!(level, Some(MatchLevel::Weak | MatchLevel::Maybe)),
            chosen: level == Some(MatchLevel::Manual),
        })
    })?;
    rows.collect()
}

/// Links a call's row to a contact and keeps the name that it showed.
fn show_under_old_name(
    transaction: &Transaction<'_>,
    seq: i64,
    contact: &Match,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE calls SET contact = ?2, level = ?3, match_reason = ?4 WHERE seq = ?1",
        )?
        .execute(params![
            seq,
            contact.contact.0,
            contact.level.as_str(),
            contact.reason,
        ])?;
    Ok(())
}
