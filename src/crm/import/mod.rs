//! From a file with people to contacts: read whole, told line by line, written in one transaction.
//!
//! `read` takes a file apart without looking at the store; `keys` reads the numbers beside the writer
//! and leaves own lines out; `write` compares with who is there and writes; `undo` takes it back.
//! Nothing is written of a file with faults, unless they are to be left out.

mod columns;
mod content_line;
mod encoding;
mod keys;
mod person;
mod table;
#[cfg(test)]
pub(in crate::crm) mod tests;
mod undo;
mod vcard;
mod write;

use crate::base::country;
use crate::crm::exchange_row::{
    ColumnView, Existing, FileKind, ImportOptions, ImportPreview, LineNotes,
};
use crate::crm::number_key::Numbering;
use encoding::Encoding;
use person::People;

pub use person::FilePerson;
pub(crate) use undo::{ImportStep, mark, undo, used};
pub(crate) use write::{CREATE, says, unite_numbers, write};

/// A longer file, in octets, is not read: its people alone would be more than a million.
pub const FILE_LIMIT: u64 = 512 << 20;

/// So many people are shown before they are imported.
const SHOWN: usize = 10;

/// Why a file cannot be read at all; each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// There is nothing in it.
    #[error("the file has no entries")]
    Empty,
    /// A mapping is wrong.
    #[error("--map {0}")]
    Map(String),
    /// No column is known.
    #[error(
        "no column of the table has a heading that says what it is; say it with --map, such as --map \"Wer=name\" (the columns are {0})"
    )]
    NoColumns(String),
    /// It is no table of people.
    #[error("the table has {0} columns, at most 500 are read; it seems to be no table of people")]
    TooManyColumns(usize),
    /// There is no such country.
    #[error("--region {0:?} is no country; say it in two letters, such as US or DE")]
    Region(String),
    /// The reader of tables refused.
    #[error("the table cannot be read: {0}")]
    Unreadable(String),
}

/// A file's people on their way into the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportBatch {
    /// What can be taken back, such as `import of people.csv`.
    pub label: String,
    /// What becomes of people who are there already.
    pub existing: Existing,
    /// The file.
    pub reading: Reading,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    kind: FileKind,
    encoding: Encoding,
    delimiter: Option<char>,
    columns: Vec<ColumnView>,
    /// The country of its numbers, where it was named.
    region: Option<String>,
    people: People,
}

impl Reading {
    /// The people of the file.
    pub fn people(&self) -> &[FilePerson] {
        &self.people.people
    }

    /// What cannot be read of it.
    pub fn faults(&self) -> &LineNotes {
        &self.people.faults
    }

    /// Shows what would be imported.
    pub(crate) fn preview(mut self, numbering: &Numbering) -> ImportPreview {
        let people = self.people.people.len();
        let region = self.region.take();
        let prepared = keys::prepare(
            std::mem::take(&mut self.people),
            numbering,
            region.as_deref(),
        );
        ImportPreview {
            kind: self.kind,
            encoding: self.encoding.name().to_owned(),
            delimiter: self.delimiter,
            columns: self.columns,
            people: u64::try_from(people).unwrap_or(u64::MAX),
            region: region.unwrap_or_else(|| numbering.region().to_string()),
            first: prepared
                .people
                .iter()
                .take(SHOWN)
                .map(|person| person.shown())
                .collect(),
            faults: prepared.faults,
            remarks: prepared.remarks,
        }
    }
}

/// Reads a file: cards where one begins, else a table.
///
/// # Errors
///
/// Fails when nothing can be made of it, or a mapping is wrong; faults of single lines are told in the
/// reading.
pub fn read(file: &[u8], options: &ImportOptions) -> Result<Reading, ImportError> {
    let region = match &options.region {
        Some(code) => Some(country_code(code)?),
        None => None,
    };
    let (encoding, bytes) = Encoding::of(file);
    let mut people = People::default();
    let begins_card = |octets: &[u8]| {
        const BEGIN: &[u8] = b"BEGIN:VCARD";
        let start = octets.trim_ascii_start().get(..BEGIN.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(BEGIN))
    };
    let text;
    // Cards name the character set of each value; the octets stay until then.
    let octets = match encoding {
        Encoding::Utf16Le | Encoding::Utf16Be => {
            text = encoding.decode(bytes);
            text.as_bytes()
        }
        Encoding::Utf8 | Encoding::Windows1252 => bytes,
    };
    if begins_card(octets) {
        vcard::read(octets, &mut people);
        people.remarks.sort();
        people.faults.sort();
        return Ok(Reading {
            kind: FileKind::Vcard,
            encoding,
            delimiter: None,
            columns: Vec::new(),
            region,
            people,
        });
    }
    let text = encoding.decode(bytes);
    let table = table::read(&text, options, &mut people)?;
    Ok(Reading {
        kind: FileKind::Csv,
        encoding,
        delimiter: Some(table.delimiter),
        columns: table.columns,
        region,
        people,
    })
}

/// The ISO 3166 code of a country that somebody named.
fn country_code(word: &str) -> Result<String, ImportError> {
    let code = word.trim().to_ascii_uppercase();
    match country::name(&code) {
        Some(_) => Ok(code),
        None => Err(ImportError::Region(word.to_owned())),
    }
}
