//! Earlier calls follow the records: they find a contact or an organization when it appears, and leave it
//! when it loses their number.
//!
//! What an agent chose stays, and the name that a call showed stays too. Each change of a call is kept with
//! what it was before, so that it can be undone.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::base::id::{ContactId, OrganizationId};
use crate::crm::number_key::{NumberKeys, Numbering};
use crate::crm::row::{Match, MatchLevel, Subject};
use crate::crm::search::MATCH_LIMIT;
use crate::crm::{bulk, call_links, match_number, wrap_up};

/// What became of earlier calls.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Relinking {
    shown: Vec<Changed>,
    /// Links that were made: call and record.
    linked: Vec<(i64, Subject)>,
    /// Links that were taken away: call, record, level, reason, name.
    unlinked: Vec<Link>,
    /// How many calls were changed beyond those that are kept, and stay so.
    #[serde(default)]
    beyond: usize,
    /// How many of those show somebody else now.
    #[serde(default)]
    shown_beyond: usize,
    /// The calls that are kept, and where they are among those that show somebody else.
    #[serde(skip)]
    calls: HashMap<i64, Option<usize>>,
}

/// Of so many calls the change is kept: of a company's number there may be more than anybody undoes.
const KEPT: usize = MATCH_LIMIT as usize;

/// A call that shows somebody else now.
#[derive(Debug, Serialize, Deserialize)]
struct Changed {
    call: i64,
    before: Shown,
    after: Shown,
}

/// So many calls with a number are read at once.
const PIECE: u32 = 1_000;

/// Whom a call shows, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    contact: Option<i64>,
    organization_id: Option<i64>,
    name: Option<String>,
    organization: Option<String>,
    level: Option<String>,
    reason: Option<String>,
}

const SHOWN: &str =
    "seq, contact, organization_id, contact_name, organization, level, match_reason";

impl Shown {
    fn read(row: &Row<'_>) -> rusqlite::Result<(i64, Self)> {
        let shown = Self {
            contact: row.get(1)?,
            organization_id: row.get(2)?,
            name: row.get(3)?,
            organization: row.get(4)?,
            level: row.get(5)?,
            reason: row.get(6)?,
        };
        Ok((row.get(0)?, shown))
    }

    fn subject(&self) -> Option<Subject> {
        self.contact
            .map(|id| Subject::Contact(ContactId(id)))
            .or_else(|| {
                let id = self.organization_id?;
                Some(Subject::Organization(OrganizationId(id)))
            })
    }

    fn level(&self) -> Option<MatchLevel> {
        self.level.as_deref().and_then(MatchLevel::parse)
    }

    fn guessed(&self) -> bool {
        matches!(self.level(), Some(MatchLevel::Weak | MatchLevel::Maybe))
    }

    fn chosen(&self) -> bool {
        self.level() == Some(MatchLevel::Manual)
    }

    /// Whether the call goes to a record that appears later.
    fn may_be_taken(&self, by_a_new_record: bool) -> bool {
        let linked = self.subject().is_some();
        if self.chosen() {
            // "None of the contacts" was said of those who were there, not of a new one.
            !linked && by_a_new_record
        } else {
            !linked || self.guessed()
        }
    }

    /// It shows that record now; the name stays where it was a sure one.
    fn by(&self, found: &Match) -> Self {
        let keeps_name = self.name.is_some() && !self.guessed();
        Self {
            contact: found.subject.contact().map(|id| id.0),
            organization_id: found.subject.organization().map(|id| id.0),
            name: if keeps_name {
                self.name.clone()
            } else {
                Some(found.name.clone())
            },
            organization: if keeps_name {
                self.organization.clone()
            } else {
                found.organization.clone()
            },
            level: Some(found.level.as_str().to_owned()),
            reason: Some(found.reason.clone()),
        }
    }

    /// It shows nobody for sure; the name stays.
    fn by_nobody(&self) -> Self {
        Self {
            contact: None,
            organization_id: None,
            level: None,
            reason: None,
            ..self.clone()
        }
    }

    fn write(&self, transaction: &Transaction<'_>, call: i64) -> rusqlite::Result<()> {
        transaction
            .prepare_cached(
                "UPDATE calls SET contact = ?2, organization_id = ?3, contact_name = ?4,
                    organization = ?5, level = ?6, match_reason = ?7 WHERE seq = ?1",
            )?
            .execute(params![
                call,
                self.contact,
                self.organization_id,
                self.name,
                self.organization,
                self.level,
                self.reason
            ])?;
        Ok(())
    }
}

impl Relinking {
    /// How many calls show the record now that showed nobody for sure before.
    pub(crate) fn shown(&self) -> usize {
        self.shown.len() + self.shown_beyond
    }

    /// The calls that show somebody else now, as far as they are kept.
    pub(crate) fn calls(&self) -> impl Iterator<Item = i64> {
        self.shown.iter().map(|changed| changed.call)
    }

    /// Whether there is anything to undo.
    pub(crate) fn is_empty(&self) -> bool {
        self.shown.is_empty() && self.linked.is_empty() && self.unlinked.is_empty()
    }

    /// Whether the change of a call is kept.
    fn keeps(&mut self, call: i64) -> bool {
        let room = self.calls.len() < KEPT;
        if room {
            self.calls.entry(call).or_default();
        }
        room || self.calls.contains_key(&call)
    }

    /// Links a call to a record, and shows it there too if that is wanted.
    fn link(
        &mut self,
        transaction: &Transaction<'_>,
        (call, before): (i64, Shown),
        own: &Match,
        shows: bool,
    ) -> rusqlite::Result<()> {
        let weaker = link_of(transaction, call, own.subject)?
            .filter(|(_, _, level, ..)| level != own.level.as_str());
        let new = call_links::link(transaction, call, own)?;
        if !new && weaker.is_none() && !shows {
            return Ok(());
        }
        if !self.keeps(call) {
            self.beyond += 1;
        } else if new || weaker.is_some() {
            self.linked.push((call, own.subject));
            self.unlinked.extend(weaker);
        }
        if shows {
            let after = before.by(own);
            self.show(transaction, call, before, after)?;
        }
        Ok(())
    }

    /// Takes a call from a record that lost its number.
    fn unlink(
        &mut self,
        transaction: &Transaction<'_>,
        (call, before): (i64, Shown),
        subject: Subject,
    ) -> rusqlite::Result<()> {
        let shows = before.subject() == Some(subject) && !before.chosen();
        let link = link_of(transaction, call, subject)?;
        if !shows && link.is_none() {
            return Ok(());
        }
        if link.is_some() {
            call_links::unlink(transaction, call, subject)?;
        }
        if self.keeps(call) {
            self.unlinked.extend(link);
        } else {
            self.beyond += 1;
        }
        if shows {
            let after = before.by_nobody();
            self.show(transaction, call, before, after)?;
        }
        Ok(())
    }

    fn show(
        &mut self,
        transaction: &Transaction<'_>,
        call: i64,
        before: Shown,
        after: Shown,
    ) -> rusqlite::Result<()> {
        after.write(transaction, call)?;
        wrap_up::follow(transaction, call, before.subject())?;
        if !self.keeps(call) {
            self.shown_beyond += 1;
            return Ok(());
        }
        let known = self.calls.get(&call).copied().flatten();
        match known.and_then(|place| self.shown.get_mut(place)) {
            Some(known) => known.after = after,
            None => {
                self.calls.insert(call, Some(self.shown.len()));
                self.shown.push(Changed {
                    call,
                    before,
                    after,
                });
            }
        }
        Ok(())
    }
}

/// Marks the places of those whose numbers earlier calls have.
pub(crate) fn mark_called<'a>(
    connection: &Connection,
    numbers: impl IntoIterator<Item = (&'a NumberKeys, usize)>,
    marks: &mut [bool],
) -> rusqlite::Result<()> {
    let any_call = connection
        .prepare_cached("SELECT 1 FROM calls WHERE number IS NOT NULL LIMIT 1")?
        .exists([])?;
    if !any_call {
        return Ok(());
    }
    let texts = numbers
        .into_iter()
        .flat_map(|(keys, place)| spellings(keys).map(move |text| (text.as_str(), place)));
    let condition = "EXISTS (SELECT 1 FROM calls WHERE number = asked.text)";
    bulk::mark(connection, condition, texts, marks)
}

/// Lets earlier calls follow the numbers of a record that was just saved: it had some before, and has these
/// keys now.
pub(crate) fn follow(
    transaction: &Transaction<'_>,
    subject: Subject,
    is_new: bool,
    before: Vec<NumberKeys>,
    keys: &[NumberKeys],
    numbering: &Numbering,
) -> rusqlite::Result<Relinking> {
    let lost: Vec<NumberKeys> = before
        .into_iter()
        .filter(|before| !keys.iter().any(|kept| kept.key() == before.key()))
        .collect();
    let mut relinking = Relinking::default();
    lose(transaction, subject, &lost, numbering, &mut relinking)?;
    link_again(
        transaction,
        subject,
        is_new,
        keys,
        numbering,
        &mut relinking,
    )?;
    Ok(relinking)
}

/// Links earlier calls to a record that was just saved with these keys.
pub(crate) fn link_again(
    transaction: &Transaction<'_>,
    subject: Subject,
    is_new: bool,
    keys: &[NumberKeys],
    numbering: &Numbering,
    relinking: &mut Relinking,
) -> rusqlite::Result<()> {
    for number in keys.iter().filter(|keys| !numbering.is_own(keys)) {
        for key in spellings(number) {
            let mut earlier = Earlier::with(key);
            let mut piece = earlier.next(transaction)?;
            if piece.is_empty() {
                continue;
            }
            let candidates = match_number::for_calls(transaction, &numbering.keys(key), numbering)?;
            let own = candidates
                .all()
                .find(|found| found.subject == subject && found.level <= MatchLevel::Known);
            let Some(own) = own else {
                continue;
            };
            // A number of several people stays a question until somebody answers it.
            let only = candidates
                .best()
                .is_some_and(|best| best.subject == subject);
            while !piece.is_empty() {
                for (call, before) in piece {
                    let shows = only && before.may_be_taken(is_new);
                    relinking.link(transaction, (call, before), own, shows)?;
                }
                piece = earlier.next(transaction)?;
            }
        }
    }
    Ok(())
}

/// Takes earlier calls from a record that lost these keys, unless an agent chose it; they go to who else
/// has the number, if that is one.
fn lose(
    transaction: &Transaction<'_>,
    subject: Subject,
    keys: &[NumberKeys],
    numbering: &Numbering,
    relinking: &mut Relinking,
) -> rusqlite::Result<()> {
    for key in keys.iter().flat_map(spellings) {
        let mut earlier = Earlier::with(key);
        let mut piece = earlier.next(transaction)?;
        while !piece.is_empty() {
            for (call, before) in piece {
                relinking.unlink(transaction, (call, before), subject)?;
            }
            piece = earlier.next(transaction)?;
        }
    }
    hand_on(transaction, keys, numbering, relinking)
}

/// Notes what the calls of a record show before it is removed.
pub(crate) fn before_removal(
    transaction: &Transaction<'_>,
    subject: Subject,
) -> rusqlite::Result<Relinking> {
    let column = match subject {
        Subject::Contact(_) => "contact",
        Subject::Organization(_) => "organization_id",
        Subject::Ticket(_) => return Ok(Relinking::default()),
    };
    let mut query = transaction.prepare_cached(&format!(
        "SELECT {SHOWN} FROM calls WHERE {column} = ?1 ORDER BY started_at DESC LIMIT ?2"
    ))?;
    let shown: Vec<Changed> = query
        .query_map(params![subject.id(), MATCH_LIMIT], Shown::read)?
        .map(|row| {
            let (call, before) = row?;
            let after = Shown {
                contact: None,
                organization_id: None,
                ..before.clone()
            };
            Ok(Changed {
                call,
                before,
                after,
            })
        })
        .collect::<rusqlite::Result<_>>()?;
    let all: i64 = transaction
        .prepare_cached(&format!("SELECT count(*) FROM calls WHERE {column} = ?1"))?
        .query_row([subject.id()], |row| row.get(0))?;
    let calls = (0..).zip(&shown);
    Ok(Relinking {
        calls: (calls.map(|(place, changed)| (changed.call, Some(place)))).collect(),
        beyond: usize::try_from(all)
            .unwrap_or_default()
            .saturating_sub(shown.len()),
        shown,
        ..Relinking::default()
    })
}

/// Gives calls with these keys that show nobody to the one who has the number, if that is one.
pub(crate) fn hand_on(
    transaction: &Transaction<'_>,
    keys: &[NumberKeys],
    numbering: &Numbering,
    relinking: &mut Relinking,
) -> rusqlite::Result<()> {
    // Their loss is counted already.
    let (beyond, shown_beyond) = (relinking.beyond, relinking.shown_beyond);
    for number in keys {
        let candidates = match_number::for_calls(transaction, number, numbering)?;
        let best = candidates.best();
        if let Some(heir) = best.filter(|best| best.level <= MatchLevel::Known) {
            let keys = std::slice::from_ref(number);
            link_again(transaction, heir.subject, false, keys, numbering, relinking)?;
        }
    }
    (relinking.beyond, relinking.shown_beyond) = (beyond, shown_beyond);
    Ok(())
}

/// Takes it all back but for calls that were changed since; gives how many those are.
pub(crate) fn undo(
    transaction: &Transaction<'_>,
    relinking: &Relinking,
) -> rusqlite::Result<usize> {
    let mut left = relinking.beyond;
    for changed in &relinking.shown {
        let now = transaction
            .prepare_cached(&format!("SELECT {SHOWN} FROM calls WHERE seq = ?1"))?
            .query_row([changed.call], Shown::read)
            .optional()?;
        match now {
            Some((_, now)) if now == changed.after => {
                let before = present(transaction, &changed.before)?;
                before.write(transaction, changed.call)?;
                wrap_up::follow(transaction, changed.call, now.subject())?;
            }
            Some(_) => left += 1,
            None => {}
        }
    }
    for (call, subject) in &relinking.linked {
        let chosen = transaction
            .prepare_cached(
                "SELECT 1 FROM call_links
                 WHERE call = ?1 AND kind = ?2 AND subject = ?3 AND level = 'manual'",
            )?
            .exists(params![call, subject.kind(), subject.id()])?;
        if !chosen {
            call_links::unlink(transaction, *call, *subject)?;
        }
    }
    for (call, subject, level, reason, name) in &relinking.unlinked {
        call_links::bring_back(transaction, *call, *subject, [level, reason, name])?;
    }
    Ok(left)
}

/// What a call showed, without records that are gone by now.
fn present(connection: &Connection, shown: &Shown) -> rusqlite::Result<Shown> {
    let there = |table: &str, id: Option<i64>| {
        let Some(id) = id else { return Ok(None) };
        connection
            .prepare_cached(&format!("SELECT 1 FROM {table} WHERE id = ?1"))?
            .exists([id])
            .map(|found| found.then_some(id))
    };
    Ok(Shown {
        contact: there("contacts", shown.contact)?,
        organization_id: there("organizations", shown.organization_id)?,
        ..shown.clone()
    })
}

/// A link: call, record, level, reason, name.
type Link = (i64, Subject, String, String, String);

/// Reads the link of a call to a record, unless an agent made it.
fn link_of(connection: &Connection, call: i64, subject: Subject) -> rusqlite::Result<Option<Link>> {
    connection
        .prepare_cached(
            "SELECT level, reason, name FROM call_links
             WHERE call = ?1 AND kind = ?2 AND subject = ?3 AND level <> 'manual'",
        )?
        .query_row(params![call, subject.kind(), subject.id()], |row| {
            Ok((call, subject, row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()
}

/// The keys under which calls with a number are stored: whatever was known of it then.
fn spellings(keys: &NumberKeys) -> impl Iterator<Item = &String> {
    [&keys.e164, &keys.digits, &keys.address, &keys.direct]
        .into_iter()
        .flatten()
}

/// The calls with a number, newest first: a company may have called many thousands of times.
struct Earlier<'a> {
    key: &'a str,
    /// When the last one that was read began, and its place in the log.
    after: (i64, i64),
}

impl<'a> Earlier<'a> {
    fn with(key: &'a str) -> Self {
        Self {
            key,
            after: (i64::MAX, i64::MAX),
        }
    }

    /// The next of them; none behind the last one.
    fn next(&mut self, connection: &Connection) -> rusqlite::Result<Vec<(i64, Shown)>> {
        let mut query = connection.prepare_cached(&format!(
            "SELECT {SHOWN}, started_at FROM calls WHERE number = ?1
             AND (started_at, seq) < (?2, ?3) ORDER BY started_at DESC, seq DESC LIMIT ?4"
        ))?;
        let (started_at, seq) = self.after;
        let mut rows = query.query(params![self.key, started_at, seq, PIECE])?;
        let mut piece = Vec::new();
        while let Some(row) = rows.next()? {
            let (call, shown) = Shown::read(row)?;
            self.after = (row.get(7)?, call);
            piece.push((call, shown));
        }
        Ok(piece)
    }
}
