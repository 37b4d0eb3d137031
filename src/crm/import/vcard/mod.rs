//! People from cards: vCard 2.1 as phones write it, 3.0 (RFC 2426) and 4.0 (RFC 6350).
//!
//! A contact here has one e-mail address; further ones, postal addresses, web pages and birthdays
//! become lines of its notes, so that nothing a person typed is lost. Pictures are left out, groups
//! of people and cards within cards too. Deviations of real files are read: missing folds in Base64,
//! parameters without a name in any version, escapes of version 3 in 2.1.

use std::borrow::Cow;

use crate::crm::import::content_line::{ContentLine, ContentLines};
use crate::crm::import::person::{FilePerson, People, label};
use crate::crm::row::{ContactNumber, ContactRow};

/// More lines are in no card of a person.
const LINES: u32 = 2000;

/// Reads all cards of a file; the octets are in any encoding that has ASCII in it.
pub(super) fn read(file: &[u8], people: &mut People) {
    let mut lines = ContentLines::new(file);
    let mut card: Option<Card> = None;
    // Cards within a card, such as that of an agent.
    let mut within = 0_u32;
    while let Some(line) = lines.next() {
        let line = match line {
            Ok(line) => line,
            Err(fault) => {
                match &mut card {
                    Some(card) if within == 0 => card.faulty = true,
                    Some(_) | None => {}
                }
                people.faults.add(fault.line, fault.what);
                continue;
            }
        };
        let about_cards = line.value.trim().eq_ignore_ascii_case("VCARD");
        match (line.name.as_str(), &mut card) {
            ("BEGIN", None) if about_cards => {
                lines.keeps_blanks = false;
                card = Some(Card::new(line.line));
            }
            ("BEGIN", Some(open)) if about_cards => {
                if open.agent {
                    within += 1;
                } else {
                    people.faults.add(open.line, NO_END);
                    card = Some(Card::new(line.line));
                }
            }
            ("END", Some(_)) if about_cards && within > 0 => within -= 1,
            ("END", Some(_)) if about_cards => {
                if let Some(card) = card.take() {
                    card.finish(people);
                }
                if people.full(line.line) {
                    return;
                }
            }
            (_, Some(_)) if within > 0 => {}
            (_, Some(card)) => {
                card.lines += 1;
                if card.lines == LINES {
                    card.faulty = true;
                    people
                        .faults
                        .add(card.line, format!("the card has more than {LINES} lines"));
                }
                if card.lines < LINES {
                    card.add(line, people);
                    lines.keeps_blanks = card.version == Version::V2;
                }
            }
            (_, None) => people.faults.add(line.line, "the line belongs to no card"),
        }
    }
    if let Some(card) = card {
        people.faults.add(card.line, NO_END);
    }
}

const NO_END: &str = "the card that begins here has no end (END:VCARD)";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V2,
    V3,
}

/// A value with what its line says of its kind.
struct Typed {
    line: u64,
    group: Option<String>,
    types: Vec<String>,
    /// 1 comes first; 100 says nothing (RFC 6350 section 5.3).
    preference: u8,
    value: String,
}

impl Typed {
    fn of(line: ContentLine, value: String) -> Self {
        let types: Vec<String> = line.values("TYPE").map(str::to_lowercase).collect();
        let told = line
            .values("PREF")
            .next()
            .and_then(|place| place.parse().ok());
        let preference = match told {
            Some(place) => place,
            None if types.iter().any(|kind| kind == "pref") => 1,
            None => 100,
        };
        Self {
            line: line.line,
            group: line.group,
            types,
            preference,
            value,
        }
    }
}

/// A card as its lines come.
struct Card {
    line: u64,
    lines: u32,
    faulty: bool,
    version: Version,
    /// Whether a card follows that belongs to this one.
    agent: bool,
    is_group: bool,
    is_organization: bool,
    uid: Option<String>,
    formatted: String,
    name: Vec<Vec<String>>,
    nickname: String,
    organization: Vec<String>,
    roles: Vec<String>,
    emails: Vec<Typed>,
    numbers: Vec<Typed>,
    notes: Vec<String>,
    more: Vec<(&'static str, Typed)>,
    labels: Vec<(String, String)>,
}

impl Card {
    fn new(line: u64) -> Self {
        Self {
            line,
            lines: 0,
            faulty: false,
            version: Version::V3,
            agent: false,
            is_group: false,
            is_organization: false,
            uid: None,
            formatted: String::new(),
            name: Vec::new(),
            nickname: String::new(),
            organization: Vec::new(),
            roles: Vec::new(),
            emails: Vec::new(),
            numbers: Vec::new(),
            notes: Vec::new(),
            more: Vec::new(),
            labels: Vec::new(),
        }
    }

    fn add(&mut self, line: ContentLine, people: &mut People) {
        self.agent = false;
        let text = || unescaped(&line.value).trim().to_owned();
        match line.name.as_str() {
            "VERSION" => match line.value.trim() {
                "2.1" => self.version = Version::V2,
                "3.0" | "4.0" => self.version = Version::V3,
                other => {
                    self.faulty = true;
                    people.faults.add(
                        line.line,
                        format!("vCard version {other} is not known; 2.1, 3.0 and 4.0 are"),
                    );
                }
            },
            "FN" if self.formatted.is_empty() => self.formatted = text(),
            "N" => self.name = components(&line.value),
            "NICKNAME" => self.nickname = text(),
            "ORG" if self.organization.is_empty() => {
                self.organization = components(&line.value).into_iter().flatten().collect();
            }
            "TITLE" => self.roles.insert(0, text()),
            "ROLE" => self.roles.push(text()),
            "NOTE" => self.notes.push(text()),
            "UID" => self.uid = Some(text()),
            "KIND" | "X-ADDRESSBOOKSERVER-KIND" => {
                self.is_group = line.value.trim().eq_ignore_ascii_case("group");
                self.is_organization = line.value.trim().eq_ignore_ascii_case("org");
            }
            "X-ABSHOWAS" => {
                self.is_organization = line.value.trim().eq_ignore_ascii_case("company");
            }
            "X-ABLABEL" => {
                if let Some(group) = line.group.clone() {
                    self.labels.push((group, text()));
                }
            }
            "AGENT" => self.agent = line.value.trim().is_empty(),
            "EMAIL" => {
                let value = text();
                self.emails.push(Typed::of(line, value));
            }
            "TEL" => {
                let value = text();
                self.numbers.push(Typed::of(line, value));
            }
            // Addresses of internet telephony: only those that a phone can call.
            "IMPP" | "X-SIP" => {
                let value = text();
                let (scheme, _) = value.split_once(':').unwrap_or_default();
                if line.name == "X-SIP" || ["sip", "sips", "tel"].contains(&scheme) {
                    let mut typed = Typed::of(line, value);
                    typed.types.insert(0, "sip".to_owned());
                    self.numbers.push(typed);
                }
            }
            "ADR" => {
                let parts: Vec<String> = components(&line.value)
                    .into_iter()
                    .map(|part| part.join(" "))
                    .filter(|part| !part.is_empty())
                    .collect();
                self.more
                    .push(("Address", Typed::of(line, parts.join(", "))));
            }
            "URL" => {
                let value = text();
                self.more.push(("Web", Typed::of(line, value)));
            }
            "BDAY" => {
                let value = text();
                self.more.push(("Birthday", Typed::of(line, value)));
            }
            _ => {}
        }
    }

    fn finish(mut self, people: &mut People) {
        if self.faulty {
            people.faulty += 1;
            return;
        }
        if self.is_group {
            people
                .remarks
                .add(self.line, "a group of people was left out");
            return;
        }
        self.emails.sort_by_key(|email| email.preference);
        self.numbers.retain(|number| !number.value.is_empty());
        self.numbers.sort_by_key(|number| number.preference);
        let mut row = ContactRow::named("");
        let organization: Vec<&str> = self
            .organization
            .iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        row.organization_name = organization.first().map(|name| (*name).to_owned());
        let mut notes: Vec<String> = self
            .notes
            .iter()
            .filter(|it| !it.is_empty())
            .cloned()
            .collect();
        // A department: nobody searches an organization by it.
        if let Some(department) = organization.get(1..).filter(|rest| !rest.is_empty()) {
            notes.push(format!("Department: {}", department.join(", ")));
        }
        self.roles.retain(|role| !role.is_empty());
        self.roles.dedup();
        let mut roles = self.roles.iter();
        row.role = roles.next().cloned();
        notes.extend(roles.map(|role| format!("Role: {role}")));
        for email in &self.emails {
            if row.email.is_none() && email.value.contains('@') {
                row.email = Some(email.value.clone());
            } else if !email.value.is_empty() {
                notes.push(format!("{}: {}", self.named("E-mail", email), email.value));
            }
        }
        for (what, typed) in &self.more {
            if !typed.value.is_empty() {
                notes.push(format!("{}: {}", self.named(what, typed), typed.value));
            }
        }
        let lines: Vec<u64> = self.numbers.iter().map(|number| number.line).collect();
        row.numbers = self
            .numbers
            .iter()
            .map(|number| ContactNumber {
                label: self.custom(number).unwrap_or_else(|| label(&number.types)),
                raw: written(&number.value),
                e164: None,
            })
            .collect();
        row.name = self.full_name();
        if !self.nickname.is_empty() && self.nickname != row.name {
            notes.push(format!("Nickname: {}", self.nickname));
        }
        row.notes = notes.join("\n");
        people.add(FilePerson {
            line: self.line,
            number_lines: lines,
            uid: self.uid.filter(|uid| !uid.is_empty()),
            row,
        });
    }

    /// The name to show: as formatted, else from its parts, else a nickname; empty when it has none.
    fn full_name(&self) -> String {
        if !self.formatted.is_empty() {
            return self.formatted.clone();
        }
        if self.is_organization
            && let Some(name) = self.organization.first()
        {
            return name.clone();
        }
        // Family, given, additional, before, after (RFC 6350 section 6.2.2).
        let parts = [3, 1, 2, 0, 4]
            .into_iter()
            .filter_map(|place| self.name.get(place));
        let name: Vec<&str> = parts
            .flatten()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        if name.is_empty() {
            return self.nickname.clone();
        }
        name.join(" ")
    }

    /// The label that somebody gave a value, as address books of Apple and Google write it.
    fn custom(&self, typed: &Typed) -> Option<String> {
        let group = typed.group.as_ref()?;
        let (_, label) = self.labels.iter().find(|(of, _)| of == group)?;
        let own = label
            .strip_prefix("_$!<")
            .and_then(|rest| rest.strip_suffix(">!$_"));
        let own = own.unwrap_or(label).trim();
        (!own.is_empty()).then(|| own.to_owned())
    }

    /// What a line of the notes begins with, such as `Address (Home)`.
    fn named(&self, what: &str, typed: &Typed) -> String {
        let place = |kind: &str| typed.types.iter().any(|found| found == kind);
        let kind = self.custom(typed).or_else(|| {
            let known = if place("home") {
                "Home"
            } else if place("work") {
                "Work"
            } else {
                return None;
            };
            Some(known.to_owned())
        });
        kind.map_or_else(|| what.to_owned(), |kind| format!("{what} ({kind})"))
    }
}

/// A number as a person writes it; a `tel:` URI in a local context stays one (RFC 3966).
fn written(value: &str) -> String {
    let Some(rest) = value
        .split_at_checked(4)
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("tel:"))
        .map(|(_, rest)| rest)
    else {
        return value.to_owned();
    };
    let (number, parameters) = rest.split_once(';').unwrap_or((rest, ""));
    let mut written = number.to_owned();
    for parameter in parameters.split(';').filter(|it| !it.is_empty()) {
        match parameter.split_once('=') {
            Some((key, extension)) if key.eq_ignore_ascii_case("ext") => {
                written.push_str(" ext. ");
                written.push_str(extension);
            }
            Some((key, _)) if key.eq_ignore_ascii_case("phone-context") => return value.to_owned(),
            Some(_) | None => {}
        }
    }
    written
}

/// Takes the escapes of RFC 6350 section 3.4 away.
fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains(['\\', '\r']) {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match rest.next() {
            Some('n' | 'N') => text.push('\n'),
            Some(escaped @ (',' | ';' | ':' | '\\')) => text.push(escaped),
            Some(other) => text.extend(['\\', other]),
            None => text.push('\\'),
        }
    }
    Cow::Owned(text.replace("\r\n", "\n"))
}

/// Takes a value with components and lists in them apart.
fn components(value: &str) -> Vec<Vec<String>> {
    apart(value, ';')
        .map(|component| {
            apart(component, ',')
                .map(|part| unescaped(part).trim().to_owned())
                .collect()
        })
        .collect()
}

/// Takes a text apart at a character that no backslash stands before.
fn apart(text: &str, at: char) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    text.split(move |character| {
        let before = escaped;
        escaped = character == '\\' && !before;
        character == at && !before
    })
}

#[cfg(test)]
mod tests;
