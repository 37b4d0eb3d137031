//! The numbers of a file's people, read on other processors than the writer's, with what else can be known of
//! them there.

use std::io;
use std::num::NonZeroUsize;
use std::sync::mpsc::sync_channel;
use std::thread;

use crate::base::phone_number::{PhoneNumber, split_scheme};
use crate::crm::exchange_row::LineNotes;
use crate::crm::import::person::{FilePerson, People};
use crate::crm::number_key::{NumberKeys, Numbering};
use crate::crm::row::{ContactNumber, ContactRow};
use crate::crm::search::folded;
use crate::crm::words_behind::Line;
use crate::crm::writer::WriteError;

/// More threads than that only wait for the memory.
const THREADS: usize = 4;

/// Fewer people are not worth another thread.
const PEOPLE_EACH: usize = 1000;

/// So many people are handed over at once, and so many times that wait for who takes them.
const PIECE: usize = 4000;
const PIECES_AHEAD: usize = 4;

/// A person with the keys of their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PreparedPerson {
    pub(crate) line: u64,
    pub(crate) uid: Option<String>,
    pub(crate) row: ContactRow,
    /// Those of the row's numbers, in their order.
    pub(crate) keys: Vec<NumberKeys>,
    /// The name for sorting.
    pub(crate) folded: String,
    /// The words that are searched; none where a letter is not plain.
    pub(crate) line_of_words: Option<Line>,
}

impl PreparedPerson {
    /// The contact as it would be stored, with the numbers in international form.
    pub(crate) fn shown(&self) -> ContactRow {
        let mut row = self.row.clone();
        for (number, keys) in row.numbers.iter_mut().zip(&self.keys) {
            number.e164.clone_from(&keys.e164);
        }
        row
    }
}

/// A file's people with their numbers, to be shown.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) people: Vec<PreparedPerson>,
    pub(super) faults: LineNotes,
    pub(super) remarks: LineNotes,
}

/// Reads the numbers as [`prepare`] does, on a thread beside, and hands the people over in the order of the
/// file, some at once, while it goes on.
pub(super) fn each_piece(
    people: &[FilePerson],
    numbering: &Numbering,
    region: Option<&str>,
    take: impl FnMut(Vec<WithKeys>) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    let read = |piece: &[FilePerson]| -> Vec<WithKeys> {
        let people = piece.iter().cloned();
        people
            .map(|person| with_keys(person, numbering, region))
            .collect()
    };
    if people.len() <= PEOPLE_EACH {
        return people.chunks(PEOPLE_EACH).map(read).try_for_each(take);
    }
    let failed = |error: io::Error| {
        let error = rusqlite::Error::ToSqlConversionFailure(Box::new(error));
        WriteError::Sqlite(error)
    };
    thread::scope(|scope| {
        let (sender, pieces) = sync_channel(PIECES_AHEAD);
        let reads = thread::Builder::new().name("ringdesk-import".to_owned());
        let reads = reads.spawn_scoped(scope, move || {
            // Who takes no more of them has failed.
            let mut pieces = people.chunks(PIECE).map(read);
            pieces.all(|piece| sender.send(piece).is_ok())
        });
        let reads = reads.map_err(failed)?;
        pieces.into_iter().try_for_each(take)?;
        let why = "the numbers could not be read; import the file again";
        let all = reads.join().unwrap_or_default();
        all.then_some(())
            .ok_or_else(|| failed(io::Error::other(why)))
    })
}

/// Reads the numbers, leaves own lines out, and moves what is no number into the notes. Numbers without a
/// country code are those of `region` (ISO 3166), where one is named.
pub(super) fn prepare(people: People, numbering: &Numbering, region: Option<&str>) -> Prepared {
    let mut prepared = Prepared {
        people: Vec::with_capacity(people.people.len()),
        faults: people.faults,
        remarks: people.remarks,
    };
    let threads = thread::available_parallelism()
        .map_or(1, NonZeroUsize::get)
        .min(THREADS)
        .min(people.people.len() / PEOPLE_EACH + 1);
    let each = people.people.len().div_ceil(threads).max(1);
    let mut rest = people.people;
    let mut shares = Vec::with_capacity(threads);
    while !rest.is_empty() {
        let after = rest.split_off(each.min(rest.len()));
        shares.push(rest);
        rest = after;
    }
    let done = thread::scope(|scope| {
        let running: Vec<_> = shares
            .into_iter()
            .map(|share| {
                thread::Builder::new()
                    .name("ringdesk-import".to_owned())
                    .spawn_scoped(scope, move || {
                        let one = |person| with_keys(person, numbering, region);
                        share.into_iter().map(one).collect::<Vec<_>>()
                    })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.ok().and_then(|running| running.join().ok()))
            .collect::<Option<Vec<_>>>()
    });
    let Some(done) = done else {
        // A thread that the system does not give, or that panicked: nothing is written.
        prepared
            .faults
            .add(0, "the numbers could not be read; import the file again");
        return prepared;
    };
    for (person, _, remarks) in done.into_iter().flatten() {
        for (line, what) in remarks {
            prepared.remarks.add(line, what);
        }
        prepared.people.push(person);
    }
    prepared.remarks.sort();
    prepared
}

/// A person, how many own lines were left out, and what there is to remark of which lines.
pub(super) type WithKeys = (PreparedPerson, u64, Vec<(u64, String)>);

fn with_keys(person: FilePerson, numbering: &Numbering, region: Option<&str>) -> WithKeys {
    let FilePerson {
        line,
        number_lines,
        uid,
        mut row,
    } = person;
    let mut own = 0;
    let mut remarks = Vec::new();
    let mut keys: Vec<NumberKeys> = Vec::with_capacity(row.numbers.len());
    let mut kept: Vec<ContactNumber> = Vec::with_capacity(row.numbers.len());
    for (place, mut number) in std::mem::take(&mut row.numbers).into_iter().enumerate() {
        let line = number_lines.get(place).copied().unwrap_or(line);
        if let Some(region) = region {
            international(&mut number.raw, region, numbering);
        }
        let read = numbering.keys(&number.raw);
        let is_address = number.raw.contains('@') || split_scheme(&number.raw).0.is_some();
        if read.key().is_none() || (read.digits.is_none() && !is_address) {
            let what = format!("{}: {}", number.label, number.raw);
            remarks.push((
                line,
                format!("{:?} is no number; it is kept in the notes", number.raw),
            ));
            if !row.notes.is_empty() {
                row.notes.push('\n');
            }
            row.notes.push_str(&what);
        } else if numbering.is_own(&read) {
            own += 1;
            remarks.push((
                line,
                format!("{} is one of your own lines and was left out", number.raw),
            ));
        } else if !keys
            .iter()
            .any(|other| other.key() == read.key() && other.extension == read.extension)
        {
            keys.push(read);
            kept.push(number);
        }
    }
    row.numbers = kept;
    let person = PreparedPerson {
        line,
        uid,
        folded: folded(&row.name),
        line_of_words: Line::of(&row, &keys),
        row,
        keys,
    };
    (person, own, remarks)
}

/// Writes a number of another country with its country code. Without it, it would mean somebody else as
/// soon as it is read here, or dialled.
fn international(raw: &mut String, region: &str, numbering: &Numbering) {
    let there = PhoneNumber::parse(raw, region);
    if there.e164.is_some() && numbering.keys(raw).e164 != there.e164 {
        *raw = there.display();
    }
}
