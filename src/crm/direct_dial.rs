//! The extensions of one company: a caller from its exchange or from another desk may be who has one of
//! them.
//!
//! Two things are written with an extension. Where numbering is closed, it is named behind the number and
//! dialled after the answer: all of the company call with the same number. Where it is open (Germany,
//! Austria), it is dialled as further digits: each desk calls with a number of its own, and they have
//! their beginning in common (`PhoneNumber::stem`).

use rusqlite::{Connection, Row, params};

use crate::base::id::{ContactId, OrganizationId};
use crate::base::phone_number::DIRECT_DIGITS;
use crate::crm::number_key::{NumberKeys, Numbering};
use crate::crm::row::{Match, MatchLevel, Subject};

/// So many desks of one company are compared.
const SCAN: i64 = 200;

/// More desks than this say nothing of who calls; the exchange and the organization still do.
const DESKS: usize = 5;

pub(crate) const ADD_EXTENSIONS: &str = "
-- The extension beside a number, and what the numbers of a company's extensions begin with where they are
-- dialled as further digits: a caller from another desk, or from the exchange, is of that company.
ALTER TABLE contact_numbers ADD COLUMN extension TEXT;
ALTER TABLE contact_numbers ADD COLUMN stem TEXT;
CREATE INDEX contact_numbers_by_stem ON contact_numbers (stem) WHERE stem IS NOT NULL;
ALTER TABLE organization_numbers ADD COLUMN extension TEXT;
ALTER TABLE organization_numbers ADD COLUMN stem TEXT;
CREATE INDEX organization_numbers_by_stem ON organization_numbers (stem) WHERE stem IS NOT NULL;
";

/// Who has an extension of the company that a number belongs to.
#[derive(Debug, Default)]
pub(crate) struct SameCompany {
    /// Those who are dialled by just that number.
    pub(crate) dialled: Vec<Match>,
    /// The others, the likeliest first.
    pub(crate) near: Vec<Match>,
}

impl SameCompany {
    /// Finds them for a caller's number.
    pub(crate) fn of(
        connection: &Connection,
        keys: &NumberKeys,
        numbering: &Numbering,
    ) -> rusqlite::Result<Self> {
        let mut found = Self::default();
        let Some(e164) = keys.e164.as_deref() else {
            return Ok(found);
        };
        let mut near = Vec::new();
        for table in ["organization", "contact"] {
            for desk in desks(connection, table, e164)? {
                if numbering.is_own_key(&desk.e164) {
                    continue;
                }
                match desk.relation(e164, keys.extension.as_deref()) {
                    Some((Relation::Dialled, reason)) => {
                        found
                            .dialled
                            .push(desk.candidate(MatchLevel::Known, reason));
                    }
                    Some((relation, reason)) => {
                        near.push((relation, desk.candidate(MatchLevel::Weak, reason)));
                    }
                    None => {}
                }
            }
        }
        near.sort_by_key(|(relation, _)| *relation);
        let desks = near
            .iter()
            .filter(|(relation, _)| *relation == Relation::Desk);
        let too_many = desks.count() > DESKS;
        found.near = near
            .into_iter()
            .filter(|(relation, _)| !too_many || *relation != Relation::Desk)
            .map(|(_, candidate)| candidate)
            .collect();
        Ok(found)
    }
}

/// What a caller's number says of who has an extension; the likeliest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Relation {
    /// It is that extension.
    Dialled,
    /// It is the number by which the extension is asked for.
    Exchange,
    /// The stored number is the exchange of the caller's desk.
    OfExchange,
    /// It is another extension of the same company.
    Desk,
}

/// A stored number with an extension, and whose it is.
struct Desk {
    subject: Subject,
    name: String,
    organization: Option<String>,
    role: Option<String>,
    label: String,
    raw: String,
    e164: String,
    extension: Option<String>,
    stem: Option<String>,
}

impl Desk {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let id = row.get(1)?;
        let subject = match row.get::<_, String>(0)?.as_str() {
            "organization" => Subject::Organization(OrganizationId(id)),
            _ => Subject::Contact(ContactId(id)),
        };
        Ok(Self {
            subject,
            name: row.get(2)?,
            organization: row.get(3)?,
            role: row.get(4)?,
            label: row.get(5)?,
            raw: row.get(6)?,
            e164: row.get(7)?,
            extension: row.get(8)?,
            stem: row.get(9)?,
        })
    }

    /// What a caller with that number, and that extension beside it, is to it; in words too.
    fn relation(&self, caller: &str, extension: Option<&str>) -> Option<(Relation, String)> {
        let number = if self.label.is_empty() {
            self.raw.clone()
        } else {
            format!("\"{}\" {}", self.label, self.raw)
        };
        let further = self
            .stem
            .as_deref()
            .and_then(|stem| caller.strip_prefix(stem));
        if let Some(theirs) = &self.extension {
            if further == Some(theirs) {
                return Some((Relation::Dialled, format!("direct line of {number}")));
            }
            if caller == self.e164 {
                // The same extension, or none, is found by the number itself.
                let other = extension.is_none_or(|extension| extension != theirs);
                return other.then(|| {
                    let reason = format!("the main number of {number}, without the extension");
                    (Relation::Exchange, reason)
                });
            }
        }
        let further = further?;
        let stored = self
            .stem
            .as_deref()
            .and_then(|stem| self.e164.strip_prefix(stem))?;
        if caller == self.e164 {
            return None;
        }
        Some(match (further, stored) {
            ("" | "0", _) => (Relation::Exchange, format!("the main number of {number}")),
            (_, "" | "0") if self.extension.is_none() => (
                Relation::OfExchange,
                format!("extension {further} of {number}"),
            ),
            _ => (
                Relation::Desk,
                format!("extension {further} of the same company as {number}"),
            ),
        })
    }

    fn candidate(self, level: MatchLevel, reason: String) -> Match {
        Match {
            subject: self.subject,
            name: self.name,
            organization: self.organization,
            role: self.role,
            level,
            reason,
        }
    }
}

/// Reads the numbers with an extension of contacts or organizations that begin as the caller's does.
fn desks(connection: &Connection, table: &str, e164: &str) -> rusqlite::Result<Vec<Desk>> {
    let person = if table == "contact" {
        "p.name, o.name, p.role FROM contact_numbers n JOIN contacts p ON p.id = n.contact
         LEFT JOIN organizations o ON o.id = p.organization"
    } else {
        "p.name, NULL, NULL FROM organization_numbers n JOIN organizations p ON p.id = n.organization"
    };
    let (columns, from) = person.split_once(" FROM ").unwrap_or_default();
    let condition_by_stem = "n.stem IN (?2, ?3, ?4, ?5, ?6, ?7)";
    let mut query = connection.prepare_cached(&format!(
        "SELECT '{table}', p.id, {columns}, n.label, n.raw, n.e164, n.extension, n.stem FROM {from}
         WHERE n.e164 = ?1 AND n.extension IS NOT NULL
         UNION ALL
         SELECT '{table}', p.id, {columns}, n.label, n.raw, n.e164, n.extension, n.stem FROM {from}
         WHERE {condition_by_stem}
         LIMIT {SCAN}"
    ))?;
    let stem = |further: usize| {
        e164.get(..e164.len().saturating_sub(further))
            .unwrap_or_default()
    };
    let rows = query.query_map(
        params![
            e164,
            stem(0),
            stem(1),
            stem(2),
            stem(3),
            stem(4),
            stem(DIRECT_DIGITS)
        ],
        Desk::read,
    )?;
    rows.collect()
}
