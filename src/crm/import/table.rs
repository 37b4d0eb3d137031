//! People from a table: CSV with commas, semicolons or tabs (RFC 4180), a person in each line.
//!
//! The first line names the columns. A line whose cells do not fit them, or a quote that is never
//! closed, is a fault: what is in the wrong column would otherwise become somebody's number.

use csv::{ReaderBuilder, StringRecord};

use crate::crm::cell::plain;
use crate::crm::exchange_row::ColumnView;
use crate::crm::exchange_row::ImportOptions;
use crate::crm::import::ImportError;
use crate::crm::import::columns::{Columns, Meaning, label_of_cell};
use crate::crm::import::person::{FilePerson, People};
use crate::crm::row::{ContactNumber, ContactRow};

/// What may stand between cells.
const DELIMITERS: [u8; 3] = *b",;\t";

/// So many lines decide which of them it is.
const LOOKED_AT: usize = 20;

/// More columns are in no table of people.
const COLUMNS: usize = 500;

/// Words before a name that say nothing of it, folded.
const SALUTATIONS: [&str; 22] = [
    "herr", "herrn", "frau", "mr", "mrs", "ms", "miss", "mx", "m", "mme", "mlle", "monsieur",
    "madame", "sr", "sra", "srta", "sig", "sigra", "signor", "signora", "dhr", "mevr",
];

/// What is known of a table beside its people.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) delimiter: char,
    pub(super) columns: Vec<ColumnView>,
}

/// Reads all lines of a table.
pub(super) fn read(
    text: &str,
    options: &ImportOptions,
    people: &mut People,
) -> Result<Table, ImportError> {
    let (text, said, mut skipped) = without_separator_line(text);
    let delimiter = said.unwrap_or_else(|| delimiter_of(text));
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    let mut columns: Option<Columns> = None;
    let mut examples: Vec<String> = Vec::new();
    let mut lines = Lines::of(text, delimiter, skipped);
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            // The text is UTF-8 and any number of cells is read, so nothing else can fail.
            Err(error) => return Err(ImportError::Unreadable(error.to_string())),
        }
        let end = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        let line = lines.next(end);
        if line.never_closed {
            people.faulty += 1;
            people.faults.add(
                line.number,
                "a quote that opens here is never closed; all that follows is inside of it",
            );
            break;
        }
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let known = match &columns {
            Some(known) => known,
            None => {
                let headings = headings(&record, options.no_header);
                if headings.len() > COLUMNS {
                    return Err(ImportError::TooManyColumns(headings.len()));
                }
                let known = columns.insert(Columns::of(&headings, &options.map)?);
                examples = vec![String::new(); headings.len()];
                if !options.no_header {
                    skipped = line.number;
                    continue;
                }
                known
            }
        };
        for (example, cell) in examples.iter_mut().zip(&record) {
            if example.is_empty() {
                *example = plain(cell.trim()).chars().take(80).collect();
            }
        }
        match misfit(&record, known) {
            Some(fault) => {
                people.faulty += 1;
                people.faults.add(line.number, fault);
            }
            None => people.add(person(&record, known, line.number)),
        }
        if people.full(line.number) {
            break;
        }
    }
    let columns = columns.ok_or(ImportError::Empty)?;
    if people.people.is_empty() && people.faults.count == 0 && !options.no_header {
        people
            .remarks
            .add(skipped, "there is no line below the headings");
    }
    Ok(Table {
        delimiter: char::from(delimiter),
        columns: columns.views(&examples),
    })
}

/// The first line `sep=;`, which Excel writes and reads, is no line of the table.
fn without_separator_line(text: &str) -> (&str, Option<u8>, u64) {
    let first = text.lines().next().unwrap_or_default();
    let said = first
        .get(..4)
        .is_some_and(|it| it.eq_ignore_ascii_case("sep="));
    match first.as_bytes() {
        [_, _, _, _, delimiter] if said && delimiter.is_ascii() => {
            let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
            (rest, Some(*delimiter), 1)
        }
        _ => (text, None, 0),
    }
}

/// The delimiter that gives the first lines most cells, the same number in each.
fn delimiter_of(text: &str) -> u8 {
    let score = |delimiter: u8| {
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .from_reader(text.as_bytes());
        let counts: Vec<usize> = reader
            .records()
            .take(LOOKED_AT)
            .filter_map(Result::ok)
            .map(|record| record.len())
            .collect();
        let first = counts.first().copied().unwrap_or_default();
        let alike = counts.iter().filter(|count| **count == first).count();
        // One cell in each line is what a wrong delimiter gives.
        (first > 1).then_some(alike * 1000 / counts.len().max(1) + first)
    };
    DELIMITERS
        .into_iter()
        .filter_map(|delimiter| Some((score(delimiter)?, delimiter)))
        .max_by_key(|(score, _)| *score)
        .map_or(b',', |(_, delimiter)| delimiter)
}

fn headings(record: &StringRecord, no_header: bool) -> Vec<String> {
    record
        .iter()
        .enumerate()
        .map(|(place, heading)| {
            if no_header || heading.trim().is_empty() {
                (place + 1).to_string()
            } else {
                plain(heading.trim()).to_owned()
            }
        })
        .collect()
}

fn misfit(record: &StringRecord, columns: &Columns) -> Option<String> {
    let wanted = columns.headings.len();
    if record
        .iter()
        .any(|cell| cell.contains(char::REPLACEMENT_CHARACTER))
    {
        return Some(
            "a character cannot be read: the file is damaged, or in an unknown encoding".to_owned(),
        );
    }
    let beyond = record
        .iter()
        .skip(wanted)
        .any(|cell| !cell.trim().is_empty());
    (record.len() < wanted || beyond).then(|| {
        format!(
            "there are {} cells, and the first line has {wanted}: a quote or a delimiter is missing or too many",
            record.len()
        )
    })
}

fn person(record: &StringRecord, columns: &Columns, line: u64) -> FilePerson {
    let mut row = ContactRow::named("");
    let mut parts = NameParts::default();
    let mut notes: Vec<String> = Vec::new();
    let mut uid = None;
    let cells = record.iter().map(|cell| plain(cell.trim()).trim());
    for ((cell, meaning), heading) in cells.zip(&columns.meanings).zip(&columns.headings) {
        if cell.is_empty() {
            continue;
        }
        let text = cell.to_owned();
        let beside = |notes: &mut Vec<String>| notes.push(format!("{heading}: {cell}"));
        match meaning {
            Meaning::Ignore | Meaning::KindOf(_) => {}
            Meaning::Name => parts.whole.get_or_insert(text).clone_into(&mut row.name),
            Meaning::First => parts.first = text,
            Meaning::Middle => parts.middle = text,
            Meaning::Last => parts.last = text,
            Meaning::Prefix => parts.prefix = text,
            Meaning::Suffix => parts.suffix = text,
            Meaning::Nickname => parts.nickname = text,
            Meaning::Organization if row.organization_name.is_none() => {
                row.organization_name = Some(text);
            }
            Meaning::Role if row.role.is_none() => row.role = Some(text),
            Meaning::Email => {
                for address in several(cell) {
                    if row.email.is_none() && address.contains('@') {
                        row.email = Some(address.to_owned());
                    } else {
                        notes.push(format!("{heading}: {address}"));
                    }
                }
            }
            Meaning::Organization | Meaning::Role => beside(&mut notes),
            Meaning::Number(label, kind) => {
                let told = kind
                    .and_then(|place| record.get(place))
                    .and_then(|kind| label_of_cell(plain(kind)));
                row.numbers.extend(several(cell).map(|raw| ContactNumber {
                    label: told.clone().unwrap_or_else(|| label.clone()),
                    raw: raw.to_owned(),
                    e164: None,
                }));
            }
            Meaning::Notes => notes.push(text),
            Meaning::Uid => uid = Some(text),
        }
    }
    row.name = parts.joined();
    row.notes = notes.join("\n");
    FilePerson {
        line,
        number_lines: Vec::new(),
        uid,
        row,
    }
}

/// Google writes several values into one cell.
fn several(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(":::")
        .map(str::trim)
        .filter(|value| !value.is_empty())
}

/// A name as a table has it.
#[derive(Default)]
struct NameParts {
    whole: Option<String>,
    prefix: String,
    first: String,
    middle: String,
    last: String,
    suffix: String,
    nickname: String,
}

impl NameParts {
    fn joined(self) -> String {
        if let Some(whole) = self.whole {
            return whole;
        }
        let bare = crate::crm::search::folded(self.prefix.trim_end_matches('.'));
        let prefix = if SALUTATIONS.contains(&bare.as_str()) {
            ""
        } else {
            self.prefix.as_str()
        };
        let has_first = self.last.split_whitespace().any(|word| word == self.first);
        // `Name` beside `First name` was the whole one.
        let first = if has_first { "" } else { self.first.as_str() };
        let parts = [prefix, first, &self.middle, &self.last, &self.suffix];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            return self.nickname;
        }
        parts.join(" ")
    }
}

/// Follows the records through the text, to know where each begins.
struct Lines<'a> {
    text: &'a str,
    delimiter: char,
    at: usize,
    number: u64,
    after_return: bool,
}

struct Line {
    number: u64,
    never_closed: bool,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str, delimiter: u8, skipped: u64) -> Self {
        Self {
            text,
            delimiter: char::from(delimiter),
            at: 0,
            number: skipped + 1,
            after_return: false,
        }
    }

    /// The line of the record that ends before this octet.
    fn next(&mut self, end: usize) -> Line {
        let end = end.min(self.text.len());
        let record = self.text.get(self.at..end).unwrap_or_default();
        self.at = end;
        let inner = record.trim_start_matches(['\r', '\n']);
        let (before, _) = record
            .split_at_checked(record.len() - inner.len())
            .unwrap_or_default();
        self.pass(before);
        let number = self.number;
        self.pass(inner);
        Line {
            number,
            never_closed: end == self.text.len() && never_closed(inner, self.delimiter),
        }
    }
}

impl Lines<'_> {
    /// Counts the lines that end in a text; the two characters of one end may come in two texts.
    fn pass(&mut self, text: &str) {
        for character in text.bytes() {
            if character == b'\r' || (character == b'\n' && !self.after_return) {
                self.number += 1;
            }
            self.after_return = character == b'\r';
        }
    }
}

/// Whether a record ends within a quoted cell.
fn never_closed(record: &str, delimiter: char) -> bool {
    let mut quoted = false;
    let mut cell_begins = true;
    for character in record.chars() {
        if character == '"' && (quoted || cell_begins) {
            quoted = !quoted;
            // After a closing quote another one opens again: that is an escape.
            cell_begins = !quoted;
        } else if !quoted {
            cell_begins = character == delimiter || matches!(character, '\r' | '\n');
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(text: &str) -> People {
        let mut people = People::default();
        read(text, &ImportOptions::default(), &mut people).unwrap();
        people
    }

    fn told(people: &People) -> Vec<(u64, &str)> {
        let lines = people.faults.lines.iter();
        lines.map(|note| (note.line, note.what.as_str())).collect()
    }

    #[test]
    fn the_delimiter_is_found_and_excels_own_line_is_believed() {
        for (text, delimiter) in [
            ("Name,Telefon\nMuster; Anna,030\n", ','),
            ("Name;Telefon\nMuster, Anna;030\n", ';'),
            ("Name\tTelefon\nMuster, Anna; x\t030\n", '\t'),
            ("sep=|\r\nName|Telefon\r\nA|030\r\n", '|'),
            ("Name\nAnna\n", ','),
        ] {
            let mut read_people = People::default();
            let table = read(text, &ImportOptions::default(), &mut read_people).unwrap();
            assert_eq!(table.delimiter, delimiter, "{text}");
            assert_eq!(read_people.people.len(), 1, "{text}");
        }
    }

    #[test]
    fn a_row_becomes_a_person_with_all_that_it_says() {
        let read = people(
            "Anrede;Titel;Vorname;Nachname;Firma;Position;Telefon geschäftlich;Mobiltelefon;E-Mail-Adresse;E-Mail 2: Adresse;Notizen\r\n\
             Herr;Dr.;Jürgen;Müller;\"Söhne; & Co\";Leiter;030 1234567;0171 2345678;jm@example.com;home@example.com;\"eins\r\nzwei\"\r\n",
        );
        let FilePerson { line, row, .. } = &read.people[0];
        assert_eq!(*line, 2);
        assert_eq!(row.name, "Dr. Jürgen Müller");
        assert_eq!(row.organization_name.as_deref(), Some("Söhne; & Co"));
        assert_eq!(row.role.as_deref(), Some("Leiter"));
        assert_eq!(row.email.as_deref(), Some("jm@example.com"));
        assert_eq!(row.notes, "E-Mail 2: Adresse: home@example.com\neins\nzwei");
        let numbers: Vec<_> = row
            .numbers
            .iter()
            .map(|it| (it.label.as_str(), it.raw.as_str()))
            .collect();
        assert_eq!(
            numbers,
            [("Work", "030 1234567"), ("Mobile", "0171 2345678")]
        );
    }

    #[test]
    fn google_labels_its_numbers_in_another_column() {
        let read = people(
            "First Name,Last Name,Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value\n\
             Anna,Muster,* Mobile,'+49 171 1 ::: +49 171 2,Zentrale,030 1\n",
        );
        let row = &read.people[0].row;
        assert_eq!(row.name, "Anna Muster");
        let numbers: Vec<_> = row
            .numbers
            .iter()
            .map(|it| (it.label.as_str(), it.raw.as_str()))
            .collect();
        assert_eq!(
            numbers,
            [
                ("Mobile", "+49 171 1"),
                ("Mobile", "+49 171 2"),
                ("Zentrale", "030 1")
            ]
        );
    }

    #[test]
    fn a_table_without_headings_is_read_by_number() {
        let options = ImportOptions {
            map: vec!["1=name".to_owned(), "2=number:Work".to_owned()],
            no_header: true,
            ..ImportOptions::default()
        };
        let mut found = People::default();
        let table = read("Anna;030\nBert;031\n", &options, &mut found).unwrap();
        assert_eq!(table.columns[1].meaning, "number:Work");
        assert_eq!(table.columns[1].example, "030");
        assert_eq!(found.people.len(), 2);
        assert_eq!(found.people[0].line, 1);
    }

    #[test]
    fn faults_are_told_line_by_line_over_cells_with_line_breaks() {
        let read = people(
            "Name,Telefon,Notizen\n\nAnna,030,\"one\ntwo\"\nBert,031\nCarl,032,x,y\nDora,033,x,\n\n\nEmil,03\u{fffd},\n,,\nFritz,034,\n",
        );
        let cells = |count: u8| {
            format!(
                "there are {count} cells, and the first line has 3: a quote or a delimiter is missing or too many"
            )
        };
        assert_eq!(
            told(&read),
            [
                (5, cells(2).as_str()),
                (6, cells(4).as_str()),
                (
                    10,
                    "a character cannot be read: the file is damaged, or in an unknown encoding"
                ),
            ]
        );
        let lines: Vec<_> = read
            .people
            .iter()
            .map(|it| (it.line, it.row.name.as_str()))
            .collect();
        assert_eq!(lines, [(3, "Anna"), (7, "Dora"), (12, "Fritz")]);
    }

    #[test]
    fn a_quote_that_is_never_closed_is_found_where_it_opens() {
        let read = people("Name,Telefon\nAnna,030\nBert,\"031\nCarl,032\nDora,033\n");
        assert_eq!(
            told(&read),
            [(
                3,
                "a quote that opens here is never closed; all that follows is inside of it"
            )]
        );
        assert_eq!(read.people.len(), 1);
        let inch = people(
            "Name,Telefon,Notizen\nAnna,030,5\" and \"\"\nBert,031,\"5\"\" x\"\nCarl,032,5\"",
        );
        assert_eq!(told(&inch), []);
        assert_eq!(inch.people.len(), 3);
        assert_eq!(told(&people("Name,Telefon\nAnna,\"030")).len(), 1);
    }

    #[test]
    fn an_empty_table_says_so() {
        let mut found = People::default();
        let error = read("\n\n", &ImportOptions::default(), &mut found).unwrap_err();
        assert_eq!(error, ImportError::Empty);
        assert_eq!(people("Name,Telefon\n").remarks.count, 1);
    }
}
