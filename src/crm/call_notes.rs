//! How long the notes of a call may be, by whatever way they come.

use crate::crm::writer::WriteError;

/// So many characters; a person types less, and the text is in memory as often as it is shown.
pub const NOTES_LIMIT: usize = 64 * 1024;

/// Why notes cannot be saved; none where they can. Nothing is ever cut off of them.
pub fn notes_refused(notes: &str) -> Option<String> {
    // Most are shorter in bytes already.
    if notes.len() <= NOTES_LIMIT {
        return None;
    }
    let count = notes.chars().count();
    (count > NOTES_LIMIT).then(|| {
        format!(
            "the notes of a call may have {NOTES_LIMIT} characters, and these have {count}: nothing of them is saved; shorten them and save again"
        )
    })
}

/// Refuses notes that are too long.
pub(crate) fn check(notes: &str) -> Result<(), WriteError> {
    notes_refused(notes).map_or(Ok(()), |why| Err(WriteError::Refused(why)))
}
