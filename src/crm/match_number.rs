//! Who calls? From a number to ranked candidates, each with its rule in plain words.
//!
//! The order: an earlier choice, the same number in international form, in national form, the same
//! internal number, the same SIP address; and only when nobody has the number, those who have an extension of
//! the same company, those of whom the last digits agree, and then those for whom texts name it
//! (`mining`): the most and newest texts first.
//! Numbers that are own lines match nobody.

use std::cmp::Reverse;

use rusqlite::{Connection, Row, ToSql, params};

use crate::base::country;
use crate::base::id::{ContactId, OrganizationId};
use crate::base::phone_number::PhoneNumber;
use crate::crm::direct_dial::SameCompany;
use crate::crm::hint_weight::{self, Weighed};
use crate::crm::number_key::{NumberKeys, Numbering, WEAK_DIGITS};
use crate::crm::row::{CallRow, Identification, Match, MatchLevel, Subject};
use crate::crm::store::StoreError;
use crate::crm::{calls, contacts, number_choices, number_hints, records, tickets};

/// So many candidates at most: nobody reads more while it rings.
const CANDIDATES: usize = 20;

/// So many numbers with the same last digits are compared: enough for a million contacts, where
/// seven digits are shared by one in ten.
const WEAK_SCAN: i64 = 200;

/// So many earlier calls are shown.
const LAST_CALLS: u32 = 5;

/// So many tickets are shown.
const LAST_TICKETS: u32 = 5;

/// Finds who a number or SIP user belongs to.
pub(crate) fn identify(
    connection: &Connection,
    text: &str,
    numbering: &Numbering,
) -> Result<Identification, StoreError> {
    let number = PhoneNumber::parse(text, &numbering.region());
    let keys = numbering.keys(text);
    let Found {
        matches, strangers, ..
    } = find(connection, &keys, numbering)?;
    let sure = matches
        .first()
        .filter(|best| best.level <= MatchLevel::Known)
        .map(|best| best.subject);
    Ok(Identification {
        no_match: if matches.is_empty() {
            Some(no_match(connection, &number, &keys, numbering, &strangers)?)
        } else {
            None
        },
        last_calls: calls::last(connection, keys.key(), sure, LAST_CALLS)?,
        tickets: match sure {
            Some(subject) => tickets::latest(connection, subject, LAST_TICKETS)?,
            None => Vec::new(),
        },
        display_number: number.display(),
        country: number
            .region
            .map(|region| country::name(&region).map_or(region, str::to_owned)),
        e164: keys.e164,
        strangers: strangers.into_iter().map(|person| person.best).collect(),
        matches,
    })
}

/// Finds the people and organizations that a number may belong to, best first.
pub(crate) fn candidates(
    connection: &Connection,
    keys: &NumberKeys,
    numbering: &Numbering,
) -> rusqlite::Result<Vec<Match>> {
    Ok(find(connection, keys, numbering)?.matches)
}

/// As [`candidates`], for the rows and links of calls.
pub(crate) fn for_calls(
    connection: &Connection,
    keys: &NumberKeys,
    numbering: &Numbering,
) -> rusqlite::Result<ForCalls> {
    let Found {
        matches,
        remembered,
        ..
    } = find(connection, keys, numbering)?;
    Ok(ForCalls {
        matches,
        remembered,
    })
}

/// Who may have called, as rows and links keep it. Whom somebody chose for the number before is asked for first, but
/// was chosen for no other call: a row keeps them as sure as the number that they have.
pub(crate) struct ForCalls {
    matches: Vec<Match>,
    remembered: Option<Match>,
}

impl ForCalls {
    /// All of them, best first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Match> {
        self.matches.iter().map(|candidate| self.kept(candidate))
    }

    /// The one to show.
    pub(crate) fn best(&self) -> Option<&Match> {
        Match::best(&self.matches).map(|best| self.kept(best))
    }

    /// The one whom somebody chose before, if that is why a call shows them.
    pub(crate) fn remembered_in(&self, call: &CallRow) -> Option<&Match> {
        let chosen = self.remembered.as_ref()?;
        let reason = number_choices::reason(chosen.subject);
        (call.subject() == Some(chosen.subject) && call.match_reason == Some(reason))
            .then_some(chosen)
    }

    fn kept<'a>(&'a self, candidate: &'a Match) -> &'a Match {
        let same = |chosen: &&Match| chosen.subject == candidate.subject;
        self.remembered.as_ref().filter(same).unwrap_or(candidate)
    }
}

fn find(
    connection: &Connection,
    keys: &NumberKeys,
    numbering: &Numbering,
) -> rusqlite::Result<Found> {
    let mut found = Found::default();
    let Some(key) = keys.key() else {
        return Ok(found);
    };
    if numbering.is_own(keys) {
        return Ok(found);
    }
    if let Some(subject) = number_choices::of(connection, key)?
        && let Some((name, organization)) = records::names(connection, subject)?
    {
        let chosen = Match {
            subject,
            name,
            organization,
            role: None,
            level: MatchLevel::Manual,
            reason: number_choices::reason(subject),
        };
        found.remembered = Some(Match {
            level: MatchLevel::Weak,
            ..chosen.clone()
        });
        found.add(chosen);
    }
    let same_company = SameCompany::of(connection, keys, numbering)?;
    if let Some(e164) = &keys.e164 {
        // An extension beside the number is somebody else's than the caller's, unless it is the same.
        found.query(
            connection,
            "n.e164 = ?1 AND (n.extension IS NULL OR n.extension = ?2)",
            &[e164, &keys.extension],
            "same number in international form",
        )?;
    }
    for candidate in same_company.dialled {
        found.add(candidate);
    }
    if let Some(digits) = &keys.digits {
        // Two numbers that are both known in international form are the same or not.
        let rule = if keys.internal {
            "same internal number"
        } else {
            "same number in national form"
        };
        found.query(
            connection,
            "n.digits = ?1 AND n.internal = ?2 AND (n.e164 IS NULL OR ?3 IS NULL)",
            &[digits, &keys.internal, &keys.e164],
            rule,
        )?;
    }
    if let Some(address) = &keys.address {
        found.query(connection, "n.address = ?1", &[address], "same SIP address")?;
    }
    // Beside somebody who has the number, a guess is only noise.
    if found.matches.is_empty() {
        if let Some(reversed) = &keys.reversed {
            for candidate in same_company.near {
                found.add(candidate);
            }
            found.weak(connection, reversed, numbering)?;
        }
        found.maybe(connection, keys)?;
    }
    Ok(found)
}

#[derive(Default)]
struct Found {
    matches: Vec<Match>,
    /// Who was chosen before, as sure as the number that they have.
    remembered: Option<Match>,
    /// Who is no contact yet, and may be it.
    strangers: Vec<Weighed>,
}

impl Found {
    /// Adds the people that a condition on the numbers `n` finds, then the organizations; of those with one
    /// number, the one spoken with last comes first.
    fn query(
        &mut self,
        connection: &Connection,
        condition: &str,
        values: &[&dyn ToSql],
        rule: &str,
    ) -> rusqlite::Result<()> {
        let mut query = connection.prepare_cached(&format!(
            "SELECT c.id, c.name, o.name, c.role, n.label
             FROM contact_numbers n JOIN contacts c ON c.id = n.contact
             LEFT JOIN organizations o ON o.id = c.organization WHERE {condition}
             ORDER BY (SELECT max(started_at) FROM calls WHERE contact = c.id) DESC NULLS LAST,
                c.folded, c.id, n.place LIMIT 20"
        ))?;
        let mut rows = query.query(values)?;
        while let Some(row) = rows.next()? {
            let label: String = row.get(4)?;
            self.add(person(row, MatchLevel::Known, with_label(rule, &label))?);
        }
        let mut query = connection.prepare_cached(&format!(
            "SELECT o.id, o.name, n.label
             FROM organization_numbers n JOIN organizations o ON o.id = n.organization
             WHERE {condition} ORDER BY o.folded, o.id, n.place LIMIT 20"
        ))?;
        let mut rows = query.query(values)?;
        while let Some(row) = rows.next()? {
            let label: String = row.get(2)?;
            self.add(organization(
                row,
                MatchLevel::Known,
                with_label(rule, &label),
            )?);
        }
        Ok(())
    }

    /// Adds those of whom at least the last [`WEAK_DIGITS`] digits agree, most digits first.
    fn weak(
        &mut self,
        connection: &Connection,
        reversed: &str,
        numbering: &Numbering,
    ) -> rusqlite::Result<()> {
        let Some(end) = reversed.get(..WEAK_DIGITS) else {
            return Ok(());
        };
        let mut query = connection.prepare_cached(
            "SELECT c.id, c.name, o.name, c.role, n.label, n.raw, n.reversed
             FROM contact_numbers n JOIN contacts c ON c.id = n.contact
             LEFT JOIN organizations o ON o.id = c.organization
             WHERE n.reversed >= ?1 AND n.reversed < ?1 || ':' ORDER BY n.reversed, c.id LIMIT ?2",
        )?;
        let mut weak = Vec::new();
        let mut rows = query.query(params![end, WEAK_SCAN])?;
        while let Some(row) = rows.next()? {
            if is_own(row, 6, numbering)? {
                continue;
            }
            let (agreeing, reason) = agreement(reversed, row, 4)?;
            weak.push((agreeing, person(row, MatchLevel::Weak, reason)?));
        }
        let mut query = connection.prepare_cached(
            "SELECT o.id, o.name, n.label, n.raw, n.reversed
             FROM organization_numbers n JOIN organizations o ON o.id = n.organization
             WHERE n.reversed >= ?1 AND n.reversed < ?1 || ':' ORDER BY n.reversed, o.id LIMIT ?2",
        )?;
        let mut rows = query.query(params![end, WEAK_SCAN])?;
        while let Some(row) = rows.next()? {
            if is_own(row, 4, numbering)? {
                continue;
            }
            let (agreeing, reason) = agreement(reversed, row, 2)?;
            weak.push((agreeing, organization(row, MatchLevel::Weak, reason)?));
        }
        weak.sort_by_key(|(agreeing, candidate)| (Reverse(*agreeing), candidate.subject));
        for (_, candidate) in weak {
            self.add(candidate);
        }
        Ok(())
    }

    /// Adds those for whom texts name the number, by how much speaks for each.
    fn maybe(&mut self, connection: &Connection, keys: &NumberKeys) -> rusqlite::Result<()> {
        // An internal number is the same in each company.
        let digits = keys.digits.as_deref().filter(|_| !keys.internal);
        let hints = number_hints::of_number(connection, keys.e164.as_deref(), digits)?;
        for person in hint_weight::ranked(hints) {
            let Some(contact) = person.contact else {
                if self.strangers.len() < CANDIDATES {
                    self.strangers.push(person);
                }
                continue;
            };
            if let Some((name, organization)) = contacts::names(connection, contact)? {
                self.add(Match {
                    subject: Subject::Contact(contact),
                    name,
                    organization,
                    role: None,
                    level: MatchLevel::Maybe,
                    reason: person.reason(),
                });
            }
        }
        Ok(())
    }

    fn add(&mut self, candidate: Match) {
        let known = self
            .matches
            .iter()
            .any(|found| found.subject == candidate.subject);
        if !known {
            if self.matches.len() < CANDIDATES {
                self.matches.push(candidate);
            }
            return;
        }
        let chosen = (self.remembered.as_mut())
            .filter(|chosen| chosen.subject == candidate.subject && candidate.level < chosen.level);
        if let Some(chosen) = chosen {
            *chosen = candidate;
        }
    }
}

fn person(row: &Row<'_>, level: MatchLevel, reason: String) -> rusqlite::Result<Match> {
    Ok(Match {
        subject: Subject::Contact(ContactId(row.get(0)?)),
        name: row.get(1)?,
        organization: row.get(2)?,
        role: row.get(3)?,
        level,
        reason,
    })
}

fn organization(row: &Row<'_>, level: MatchLevel, reason: String) -> rusqlite::Result<Match> {
    Ok(Match {
        subject: Subject::Organization(OrganizationId(row.get(0)?)),
        name: row.get(1)?,
        organization: None,
        role: None,
        level,
        reason,
    })
}

/// How many of the last digits agree with a stored number, whose label, spelling and reversed digits
/// begin at that column, and that in words.
fn agreement(reversed: &str, row: &Row<'_>, first: usize) -> rusqlite::Result<(usize, String)> {
    let label: String = row.get(first)?;
    let raw: String = row.get(first + 1)?;
    let theirs: String = row.get(first + 2)?;
    let agreeing = reversed
        .bytes()
        .zip(theirs.bytes())
        .take_while(|(ours, theirs)| ours == theirs)
        .count();
    let number = if label.is_empty() {
        raw
    } else {
        format!("\"{label}\" {raw}")
    };
    Ok((
        agreeing,
        format!("only the last {agreeing} digits agree with {number}"),
    ))
}

/// Whether a stored number, whose reversed digits stand in that column, is an own line.
fn is_own(row: &Row<'_>, column: usize, numbering: &Numbering) -> rusqlite::Result<bool> {
    let reversed: String = row.get(column)?;
    let e164: String = "+".chars().chain(reversed.chars().rev()).collect();
    Ok(numbering.is_own_key(&e164))
}

fn with_label(rule: &str, label: &str) -> String {
    if label.is_empty() {
        rule.to_owned()
    } else {
        format!("{rule}, \"{label}\"")
    }
}

/// Says what was looked at in vain.
fn no_match(
    connection: &Connection,
    number: &PhoneNumber,
    keys: &NumberKeys,
    numbering: &Numbering,
    strangers: &[Weighed],
) -> rusqlite::Result<String> {
    if keys.key().is_none() {
        return Ok("the caller hides the number".to_owned());
    }
    if numbering.is_own(keys) {
        return Ok("this is one of your own lines".to_owned());
    }
    if keys.internal {
        return Ok(format!(
            "no contact has the internal number {}",
            number.dialable
        ));
    }
    if let Some(address) = &keys.address {
        return Ok(format!("no contact has the SIP address {address}"));
    }
    let end = keys
        .reversed
        .as_deref()
        .and_then(|all| all.get(..WEAK_DIGITS));
    let nobody = match end {
        Some(end) => {
            let end: String = end.chars().rev().collect();
            format!("no contact has this number, nor one ending in {end}")
        }
        None => "no contact has this number".to_owned(),
    };
    let rejected = match &keys.e164 {
        Some(e164) => number_hints::any_rejected(connection, e164)?,
        None => false,
    };
    Ok(match strangers.first() {
        Some(person) => {
            let email = person.best.email.as_deref().unwrap_or_default();
            let name = person.best.name.as_deref().unwrap_or(email);
            format!(
                "{nobody}; it may be {name}, who is no contact yet: {}",
                person.reason()
            )
        }
        None if rejected => format!("{nobody}; whom texts name it for, you said that it is not"),
        None => format!("{nobody}; no note, ticket or mail names it"),
    })
}
