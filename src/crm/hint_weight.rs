//! How much a guess weighs: by the text it comes from, how old that is, and how many texts agree.

use crate::base::id::ContactId;
use crate::crm::row::{HintRow, HintSource};

/// After so many days a text says half as much: people change their number, and their company, every
/// few years.
const HALF_LIFE_DAYS: f64 = 180.0;

const SECONDS_A_DAY: f64 = 86_400.0;

/// A person for whom texts name a number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weighed {
    /// The contact; none for somebody who is no contact yet.
    pub(crate) contact: Option<ContactId>,
    /// The guess that weighs most.
    pub(crate) best: HintRow,
    /// From how many texts.
    pub(crate) texts: usize,
    weight: f64,
}

impl Weighed {
    /// Why it may be this person, in plain words.
    pub(crate) fn reason(&self) -> String {
        match self.texts {
            1 => self.best.reason(),
            2 => format!("{}, and in one more text", self.best.reason()),
            texts => format!("{}, and in {} more texts", self.best.reason(), texts - 1),
        }
    }
}

/// Adds up the guesses for each person; the person for whom most speaks comes first.
///
/// Weights fade by the half, so that which of two weighs more does not depend on when it is asked.
pub(crate) fn ranked(hints: Vec<HintRow>) -> Vec<Weighed> {
    let newest = hints.iter().map(|hint| hint.said_at).max();
    let mut people: Vec<Weighed> = Vec::new();
    let mut heaviest: Vec<f64> = Vec::new();
    for hint in hints {
        let age = newest.map_or(0.0, |newest| {
            newest.duration_since(hint.said_at).as_secs_f64()
        });
        let weight = kind(&hint) * (-age / SECONDS_A_DAY / HALF_LIFE_DAYS).exp2();
        let known = people.iter().position(|person| {
            person.contact == hint.contact
                && (hint.contact.is_some() || person.best.email == hint.email)
        });
        match known.and_then(|place| people.get_mut(place).zip(heaviest.get_mut(place))) {
            Some((person, most)) => {
                person.weight += weight;
                person.texts += 1;
                if weight > *most {
                    *most = weight;
                    person.best = hint;
                }
            }
            None => {
                heaviest.push(weight);
                people.push(Weighed {
                    contact: hint.contact,
                    best: hint,
                    texts: 1,
                    weight,
                });
            }
        }
    }
    people.sort_by(|one, other| {
        other
            .weight
            .total_cmp(&one.weight)
            .then_with(|| one.best.id.cmp(&other.best.id))
    });
    people
}

/// What a fresh text of its kind weighs. A signature is the sender's own; a contact's notes are about
/// the contact; a ticket, a mail and the notes on a call may speak of anybody.
fn kind(hint: &HintRow) -> f64 {
    let weight = match (hint.assigned, hint.signature, hint.source) {
        // Somebody said so.
        (true, ..) => 2.0,
        (false, true, _) => 1.0,
        (false, false, HintSource::Contact | HintSource::Note) => 0.8,
        (false, false, HintSource::Ticket) => 0.6,
        (false, false, HintSource::Call) => 0.5,
        (false, false, HintSource::Mail) => 0.3,
    };
    // Few people call from a fax.
    if hint.fax { weight / 4.0 } else { weight }
}
