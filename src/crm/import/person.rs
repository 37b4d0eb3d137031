//! A person as a file describes them, before anything is compared or written.

use crate::crm::exchange_row::LineNotes;
use crate::crm::row::ContactRow;

/// More people are in no file that a person imports at once: a million fills the memory of a phone
/// with some hundred megabytes for a moment.
const PEOPLE: usize = 1_000_000;

/// More characters in one field, notes apart, are no field about a person.
const FIELD: usize = 1000;

/// More characters are no notes.
const NOTES: usize = 100_000;

/// More numbers has nobody.
const NUMBERS: usize = 100;

/// A person in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePerson {
    /// The line where the entry begins, from 1.
    pub(crate) line: u64,
    /// The line of each number, in their order; empty where all are on the first.
    pub(crate) number_lines: Vec<u64>,
    /// What names the person for ever in the program that the file is from.
    pub(crate) uid: Option<String>,
    pub(crate) row: ContactRow,
}

impl FilePerson {
    /// The contact as it would be stored.
    pub fn row(&self) -> &ContactRow {
        &self.row
    }
}

/// What was read of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct People {
    pub(crate) people: Vec<FilePerson>,
    /// How many entries were left out because of their faults.
    pub(crate) faulty: u64,
    pub(crate) faults: LineNotes,
    pub(crate) remarks: LineNotes,
}

impl People {
    /// Adds a person, with the best that there is for a name; who has nothing is none.
    pub(super) fn add(&mut self, mut person: FilePerson) {
        let row = &mut person.row;
        tidy(row);
        if row.name.is_empty() {
            let first = row.numbers.first().map(|number| number.raw.clone());
            let name = row.organization_name.clone().or_else(|| row.email.clone());
            let Some(name) = name.or(first) else {
                self.remarks
                    .add(person.line, "an entry without a name was left out");
                return;
            };
            row.name = name;
        }
        let too_long = [
            Some(&row.name),
            row.organization_name.as_ref(),
            row.role.as_ref(),
            row.email.as_ref(),
            person.uid.as_ref(),
        ]
        .into_iter()
        .flatten()
        .chain(row.numbers.iter().flat_map(|it| [&it.label, &it.raw]))
        .any(|field| field.len() > FIELD && field.chars().count() > FIELD);
        let fault = if too_long {
            format!("a field has more than {FIELD} characters")
        } else if row.notes.len() > NOTES && row.notes.chars().count() > NOTES {
            format!("the notes have more than {NOTES} characters")
        } else if row.numbers.len() > NUMBERS {
            format!("there are more than {NUMBERS} numbers")
        } else {
            self.people.push(person);
            return;
        };
        self.faulty += 1;
        self.faults.add(person.line, fault);
    }

    /// Whether no more fit; that is told once, at this line.
    pub(super) fn full(&mut self, line: u64) -> bool {
        let full = self.people.len() >= PEOPLE;
        if full {
            let what = format!("there are more than {PEOPLE} people; split the file");
            self.faults.add(line, what);
        }
        full
    }
}

/// Brings a row into the form in which it is stored, so that both compare as equal.
fn tidy(row: &mut ContactRow) {
    let trimmed = |text: &mut String| {
        let inner = text.trim();
        if inner.len() != text.len() {
            *text = inner.to_owned();
        }
    };
    trimmed(&mut row.name);
    if row.notes.contains('\r') {
        row.notes = row.notes.replace("\r\n", "\n").replace('\r', "\n");
    }
    trimmed(&mut row.notes);
    for field in [&mut row.organization_name, &mut row.role, &mut row.email] {
        if let Some(text) = field {
            trimmed(text);
        }
        if field.as_ref().is_some_and(String::is_empty) {
            *field = None;
        }
    }
    for number in &mut row.numbers {
        trimmed(&mut number.label);
        trimmed(&mut number.raw);
    }
    row.numbers.retain(|number| !number.raw.is_empty());
}

/// The label of a number by the words of vCard and of Outlook and Google, in lower case.
pub(super) fn label(types: &[String]) -> String {
    let is = |word: &str| types.iter().any(|kind| kind == word);
    let place = if is("work") {
        "Work"
    } else if is("home") {
        "Home"
    } else {
        ""
    };
    let device = if is("sip") {
        return "SIP".to_owned();
    } else if is("fax") {
        "fax"
    } else if is("iphone") {
        return "iPhone".to_owned();
    } else if is("cell") || is("mobile") {
        "mobile"
    } else if is("pager") {
        "pager"
    } else if is("main") {
        "main"
    } else if is("car") {
        "car"
    } else {
        ""
    };
    match (place, device) {
        ("", "") => types
            .iter()
            .find_map(|kind| kind.strip_prefix("x-"))
            .map_or_else(|| "Phone".to_owned(), capitalized),
        (place, "") => place.to_owned(),
        ("Home", "mobile") | ("", "mobile") => "Mobile".to_owned(),
        ("", device) => capitalized(device),
        (place, device) => format!("{place} {device}"),
    }
}

fn capitalized(word: &str) -> String {
    let mut rest = word.chars();
    let first = rest.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(rest).collect()
}
