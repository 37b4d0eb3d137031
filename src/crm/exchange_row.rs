//! What goes in from files and out to them: options, previews, reports, pairs of doubles.

use serde::{Deserialize, Serialize};

use crate::base::id::ContactId;
use crate::crm::row::ContactRow;

/// So many lines are told one by one; the others are counted.
const TOLD: usize = 1000;

/// What becomes of people in a file who are in the store already: those with the same UID, or with
/// the same number or e-mail address and a name that does not say that it is somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Existing {
    /// The stored one stays as it is.
    #[default]
    Skip,
    /// What the file says wins, what it does not say stays, numbers come together.
    Update,
    /// They are added once more.
    Add,
}

/// How a file is read and what becomes of its people.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImportOptions {
    /// What columns of a table mean, such as `Telefon 2=number:Work`; the others are guessed.
    pub map: Vec<String>,
    /// Whether the first line of a table is a person.
    pub no_header: bool,
    /// What becomes of people who are there already.
    pub existing: Existing,
    /// Whether what has faults is left out; else nothing of a file with faults is imported.
    pub leave_out_faulty: bool,
    /// The ISO 3166 code of the country whose numbers stand in the file without a country code; that of
    /// the settings where none is named.
    pub region: Option<String>,
}

/// One thing to say of one line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineNote {
    /// The line, from 1.
    pub line: u64,
    /// What is to say.
    pub what: String,
}

/// What is to say of a file's lines: the first thousand in words, all of them as a count.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LineNotes {
    /// In words, in the order of the lines.
    pub lines: Vec<LineNote>,
    /// How many there are.
    pub count: u64,
}

impl LineNotes {
    /// Adds one.
    pub(crate) fn add(&mut self, line: u64, what: impl Into<String>) {
        self.count = self.count.saturating_add(1);
        if self.lines.len() < TOLD {
            self.lines.push(LineNote {
                line,
                what: what.into(),
            });
        }
    }

    /// Brings the lines into order.
    pub(crate) fn sort(&mut self) {
        self.lines.sort_by_key(|note| note.line);
    }
}

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// Cards: vCard 2.1, 3.0 or 4.0.
    Vcard,
    /// A table with one person in each line.
    Csv,
}

/// A column of a table and what it is taken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnView {
    /// Its heading, or its number from 1 where there is none.
    pub heading: String,
    /// What it means, in the words that a mapping is written in; `ignore` when nothing.
    pub meaning: String,
    /// Its first cell that is not empty.
    pub example: String,
}

/// A file as it would be imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportPreview {
    /// What kind of file it is.
    pub kind: FileKind,
    /// The encoding that was found, such as `UTF-8`.
    pub encoding: String,
    /// What stands between a table's cells.
    pub delimiter: Option<char>,
    /// A table's columns.
    pub columns: Vec<ColumnView>,
    /// How many people it describes.
    pub people: u64,
    /// The ISO 3166 code of the country by which numbers without a country code are read.
    pub region: String,
    /// The first of them as they would be stored.
    pub first: Vec<ContactRow>,
    /// What cannot be read; nothing is imported unless it is left out.
    pub faults: LineNotes,
    /// What would be changed or left out of those who are imported.
    pub remarks: LineNotes,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImportReport {
    /// Contacts that were made.
    pub added: u64,
    /// Contacts that were changed.
    pub updated: u64,
    /// People who were there already, and stayed as they were.
    pub skipped: u64,
    /// Entries that were left out because of their faults.
    pub left_out: u64,
    /// Numbers that were left out because they are own lines.
    pub own_lines: u64,
    /// Earlier calls that show one of the people now.
    pub linked_calls: u64,
    /// What is to say of single lines.
    pub remarks: LineNotes,
}

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportOutcome {
    /// It was done.
    Done(ImportReport),
    /// Nothing was imported, because of these faults.
    Refused(LineNotes),
}

/// Two contacts that may be one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicate {
    /// The older one.
    pub first: ContactId,
    /// Its name.
    pub first_name: String,
    /// The newer one.
    pub second: ContactId,
    /// Its name.
    pub second_name: String,
    /// How likely they are one person, from 1 to 100.
    pub score: u8,
    /// Why, in plain words.
    pub reasons: Vec<String>,
}

/// One page of doubles, by the age of the older contact.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DuplicatePage {
    /// The pairs; a page may be empty though others follow.
    pub pairs: Vec<Duplicate>,
    /// Where the next page begins; none at the end.
    pub next: Option<ContactId>,
}

/// What a merge did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeReport {
    /// The contact that is left.
    pub contact: ContactId,
    /// Its name.
    pub name: String,
    /// How many contacts went into it.
    pub merged: u64,
    /// Calls that show it now and showed one of the others before.
    pub calls: u64,
    /// Earlier calls that it took besides.
    pub linked_calls: u64,
}
