//! Who a number is, in words: a guess is never written as a fact.

use crate::control::CallView;
use crate::crm::row::{CallDirection, CallRow, Identification, Match, MatchLevel, OnAnswer};

use super::text;

/// How sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// One person, for sure.
    Known,
    /// Several people have this number.
    Several,
    /// A guess.
    Maybe,
    /// Nobody has this number.
    Nobody,
    /// Not looked up yet.
    LookingUp,
}

/// What is written about the far end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person<'a> {
    /// The name when it is sure, else the number.
    pub(crate) title: String,
    /// The organization, a guess, the country, or what the far end claims.
    pub(crate) second: Option<String>,
    /// The number when it is not the title, else the name that the far end gives itself.
    pub(crate) third: Option<String>,
    /// The rule that found the person, or why none was found.
    pub(crate) why: String,
    /// How sure it is.
    pub(crate) certainty: Certainty,
    /// The person, when sure.
    pub(crate) sure: Option<&'a Match>,
    /// Everybody it may be, best first.
    pub(crate) candidates: &'a [Match],
}

impl Person<'_> {
    /// The name for the avatar; none for who is not known.
    pub(crate) fn avatar_name(&self) -> Option<&str> {
        self.sure.map(|person| person.name.as_str())
    }
}

/// Describes the far end of a call.
pub(crate) fn of_call(call: &CallView) -> Person<'_> {
    if let Some(found) = call.identification.as_ref().filter(|_| call.nobody) {
        return Person {
            title: shown_number(found, &call.remote),
            second: Some(background(found)),
            third: call.remote_name.as_deref().map(text::claims),
            why: text::SAID_NOBODY.to_owned(),
            certainty: Certainty::Nobody,
            sure: None,
            candidates: &[],
        };
    }
    describe(
        call.identification.as_ref(),
        call.chosen,
        &call.remote,
        call.remote_name.as_deref(),
    )
}

/// Everybody of whom the agent is asked whether it is them: those whom the answer left open, else those who
/// may have the number. Nobody once one was chosen, or it was said that it is none of them.
pub(crate) fn open_question(call: &CallView) -> &[Match] {
    let Some(found) = call.identification.as_ref() else {
        return &[];
    };
    if call.chosen.is_some() || call.nobody {
        return &[];
    }
    if let Some(OnAnswer::Choose { candidates }) = &call.opens {
        return candidates;
    }
    if sure_match(found, None).is_some() {
        return &[];
    }
    &found.matches
}

/// Describes who a number is.
pub(crate) fn describe<'a>(
    identification: Option<&'a Identification>,
    chosen: Option<usize>,
    remote: &str,
    remote_name: Option<&str>,
) -> Person<'a> {
    let Some(found) = identification else {
        return Person {
            title: remote.to_owned(),
            second: None,
            third: remote_name.map(text::claims),
            why: text::LOOKING_UP.to_owned(),
            certainty: Certainty::LookingUp,
            sure: None,
            candidates: &[],
        };
    };
    let number = shown_number(found, remote);
    if let Some(person) = sure_match(found, chosen) {
        return Person {
            title: person.name.clone(),
            second: affiliation(person),
            third: Some(number),
            why: person.reason.clone(),
            certainty: Certainty::Known,
            sure: Some(person),
            candidates: &found.matches,
        };
    }
    let strong = found.matches.iter().filter(|m| is_strong(m)).count();
    let (certainty, second, why) = if strong > 1 {
        (
            Certainty::Several,
            Some(text::several(strong)),
            found.matches.first().map(|best| best.reason.clone()),
        )
    } else if let Some(best) = found.matches.first() {
        let guess = match &best.organization {
            Some(organization) => format!("{}, {organization}", best.name),
            None => best.name.clone(),
        };
        (
            Certainty::Maybe,
            Some(text::may_be(&guess)),
            Some(best.reason.clone()),
        )
    } else if let Some(stranger) = found.strangers.first() {
        let name = [&stranger.name, &stranger.email]
            .into_iter()
            .flatten()
            .next();
        let name = name.map_or(text::NAMELESS, String::as_str);
        (
            Certainty::Maybe,
            Some(text::may_be(name)),
            Some(stranger.reason()),
        )
    } else {
        (
            Certainty::Nobody,
            Some(background(found)),
            found.no_match.clone(),
        )
    };
    Person {
        title: number,
        second,
        third: remote_name.map(text::claims),
        why: why.unwrap_or_else(|| text::NO_MATCH.to_owned()),
        certainty,
        sure: None,
        candidates: &found.matches,
    }
}

/// The number as a person reads it.
fn shown_number(found: &Identification, remote: &str) -> String {
    if found.display_number.is_empty() {
        remote.to_owned()
    } else {
        found.display_number.clone()
    }
}

/// The country, and how often it was called.
fn background(found: &Identification) -> String {
    let earlier = text::earlier_attempts(found.last_calls.len());
    let facts = found.country.iter().cloned().chain([earlier]);
    facts.collect::<Vec<_>>().join(" · ")
}

/// The one person it is for sure: the chosen one, or the only one with the very number.
fn sure_match(found: &Identification, chosen: Option<usize>) -> Option<&Match> {
    if let Some(chosen) = chosen.and_then(|index| found.matches.get(index)) {
        return Some(chosen);
    }
    Match::best(&found.matches).filter(|best| is_strong(best))
}

fn is_strong(found: &Match) -> bool {
    match found.level {
        MatchLevel::Manual | MatchLevel::Known => true,
        MatchLevel::Weak | MatchLevel::Maybe => false,
    }
}

/// Organization and role, as far as they are known.
pub(crate) fn affiliation(person: &Match) -> Option<String> {
    match (&person.organization, &person.role) {
        (Some(organization), Some(role)) => Some(format!("{organization} · {role}")),
        (Some(one), None) | (None, Some(one)) => Some(one.clone()),
        (None, None) => None,
    }
}

/// Title and second line of a logged call, by the same rule.
pub(crate) fn of_row(row: &CallRow, number: &str) -> (String, Option<String>) {
    match (&row.contact_name, row.level) {
        (Some(name), Some(MatchLevel::Manual | MatchLevel::Known)) => {
            (name.clone(), row.organization.clone())
        }
        (Some(name), Some(MatchLevel::Weak | MatchLevel::Maybe) | None) => {
            (number.to_owned(), Some(text::may_be(name)))
        }
        (None, _) => {
            let unknown = match row.direction {
                CallDirection::Inbound => Some(text::UNKNOWN_CALLER.to_owned()),
                // Nobody called; the number that was dialled says it all.
                CallDirection::Outbound => None,
            };
            let claim = row.remote_name.as_deref().map(text::claims);
            (number.to_owned(), claim.or(unknown))
        }
    }
}

/// Whether a logged call's person is sure.
pub(crate) fn row_is_sure(row: &CallRow) -> bool {
    row.contact_name.is_some() && matches!(row.level, Some(MatchLevel::Manual | MatchLevel::Known))
}
