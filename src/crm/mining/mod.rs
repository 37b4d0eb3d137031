//! Mining: which phone numbers do texts give to whom?
//!
//! ```text
//! contacts, notes, calls, tickets ─ texts ────────────┐
//! mailbox ─ mbox ─ mail (headers, text) ─ signature ──┴─ numbers ─ number_hints (table)
//! ```
//!
//! What is found is a guess, never a fact: it shows only when nobody is known to have the number, and
//! an agent confirms it, rejects it or gives it to somebody else.

mod figures;
mod labels;
pub mod mail;
pub mod mbox;
pub mod numbers;
mod signature;
pub(crate) mod texts;

use rusqlite::Transaction;

use crate::crm::mining::signature::Part;
use crate::crm::number_hints::{self, Source, Who};
use crate::crm::number_key::Numbering;
use crate::crm::row::TextNumber;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// All of it is its writer's.
    Plain,
    /// Like a mail: it may have a signature, and quote somebody else.
    Letter,
}

/// Keeps the numbers that a text names as guesses for people, in place of those that it named before;
/// an empty text, or nobody, takes them away. Own lines are left out. Gives how many are new.
///
/// A text of a page takes less than a millisecond, and one without seven digits next to nothing.
pub(crate) fn note(
    transaction: &Transaction<'_>,
    source: &Source<'_>,
    (text, style): (&str, Style),
    who: &[Who<'_>],
    numbering: &Numbering,
) -> rusqlite::Result<usize> {
    let numbers = match (who, style) {
        ([], _) => Vec::new(),
        (_, Style::Plain) => of_text(text, &numbering.region()),
        (_, Style::Letter) => of_letter(text, &numbering.region()),
    };
    keep(transaction, source, numbers, who, numbering)
}

/// Keeps numbers that were found in a text before.
pub(crate) fn keep(
    transaction: &Transaction<'_>,
    source: &Source<'_>,
    mut numbers: Vec<TextNumber>,
    who: &[Who<'_>],
    numbering: &Numbering,
) -> rusqlite::Result<usize> {
    numbers.retain(|found| !numbering.is_own(&numbering.keys(&found.e164)));
    number_hints::replace(transaction, source, who, &numbers)
}

/// Finds the numbers of a text that has no signature and quotes nobody.
fn of_text(text: &str, region: &str) -> Vec<TextNumber> {
    let found = numbers::find(text, region).into_iter();
    found.map(|found| text_number(found, false)).collect()
}

/// Finds the numbers in its writer's own words of a text that is written like a mail.
fn of_letter(text: &str, region: &str) -> Vec<TextNumber> {
    let mut numbers: Vec<TextNumber> = Vec::new();
    for (part, place) in signature::parts(text) {
        if part == Part::Quoted {
            continue;
        }
        let signed = part == Part::Signature;
        for found in numbers::find(text.get(place).unwrap_or_default(), region) {
            let known = numbers.iter().position(|known| known.e164 == found.e164);
            if let Some(known) = known.and_then(|place| numbers.get_mut(place)) {
                known.signature |= signed;
            } else if numbers.len() < numbers::FOUND_LIMIT {
                numbers.push(text_number(found, signed));
            }
        }
    }
    numbers
}

fn text_number(found: numbers::Found, signature: bool) -> TextNumber {
    TextNumber {
        raw: found.raw,
        e164: found.e164,
        national: found.national,
        fax: found.fax,
        signature,
    }
}

#[cfg(test)]
mod tests;
