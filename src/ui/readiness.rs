//! One light for everything that a call needs, with the reason.

use std::time::Instant;

use crate::base::id::AccountId;
use crate::control::{Registration, Snapshot};

use super::format::{bare_address as bare, sentence};
use super::text;

/// How ready the phone is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Calls come and go.
    Ready,
    /// Not yet: on its way.
    Working,
    /// Calls are possible, but something is missing.
    Limited,
    /// Calls do not reach us, or are not kept.
    Broken,
    /// Nothing is set up.
    Idle,
}

/// The light and its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// How ready.
    pub(crate) level: Level,
    /// In two words.
    pub(crate) title: String,
    /// Why, and what to do.
    pub(crate) reason: String,
    /// Whether a countdown runs in the reason.
    pub(crate) retries: bool,
}

impl Readiness {
    fn new(level: Level, title: &str, reason: impl Into<String>) -> Self {
        Self {
            level,
            title: title.to_owned(),
            reason: reason.into(),
            retries: false,
        }
    }

    /// The worst of what [`parts`] tells, in the order in which an agent would mend it.
    pub(crate) fn of(snapshot: &Snapshot, now: Instant) -> Self {
        if let Some(problem) = &snapshot.store_problem {
            return Self::new(Level::Broken, text::STORE_PROBLEM, sentence(problem));
        }
        if let Some(disk) = snapshot.disk.as_ref().filter(|disk| disk.full) {
            return Self::new(Level::Broken, text::NO_ROOM, sentence(&disk.problem));
        }
        let Some(first) = snapshot.accounts.first() else {
            return Self::new(Level::Idle, text::NO_ACCOUNT, text::NO_ACCOUNT_WHY);
        };
        // It explains why nothing is registered.
        if let Some(problem) = &snapshot.network_problem {
            return Self::new(Level::Broken, text::NO_NETWORK, sentence(problem));
        }
        for view in &snapshot.accounts {
            if let Registration::Failed { reason, .. } = &view.registration {
                let (words, retries) = with_retry(reason, &view.registration, now);
                return Self {
                    retries,
                    ..Self::new(
                        Level::Broken,
                        text::NOT_REGISTERED,
                        format!("{}: {words}", bare(&view.account.address)),
                    )
                };
            }
        }
        // Nobody shall wonder why it does not ring.
        if let Some((title, reason)) = kept_away(snapshot) {
            return Self::new(Level::Limited, title, reason);
        }
        let working = snapshot
            .accounts
            .iter()
            .find_map(|view| match &view.registration {
                Registration::Registering { why } => Some((view, why)),
                Registration::Off | Registration::Registered | Registration::Failed { .. } => None,
            });
        if let Some((view, why)) = working {
            let address = bare(&view.account.address);
            let detail = match why {
                Some(why) => format!("{address}: {why}"),
                None => address.to_owned(),
            };
            return Self::new(Level::Working, text::REGISTERING, detail);
        }
        if let Some(problem) = snapshot.devices.any_problem() {
            return Self::new(Level::Limited, text::MICROPHONE_PROBLEM, sentence(problem));
        }
        if let Some(disk) = &snapshot.disk {
            return Self::new(Level::Limited, text::LITTLE_ROOM, sentence(&disk.problem));
        }
        if let Some(problem) = &snapshot.log_problem {
            return Self::new(Level::Limited, text::LOG_PROBLEM, sentence(problem));
        }
        if snapshot
            .accounts
            .iter()
            .all(|view| view.registration == Registration::Off)
        {
            return Self::new(
                Level::Limited,
                text::DIRECT_CALLS,
                bare(&first.account.address),
            );
        }
        let lines: Vec<&str> = snapshot
            .accounts
            .iter()
            .take(3)
            .map(|view| bare(&view.account.address))
            .collect();
        Self::new(Level::Ready, text::READY, lines.join("\n"))
    }
}

/// One thing that a call needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// What.
    pub(crate) name: String,
    /// How it stands.
    pub(crate) level: Level,
    /// Why, and what to do.
    pub(crate) reason: String,
    /// What helps.
    pub(crate) act: Act,
    /// Whether a countdown runs in the reason.
    pub(crate) retries: bool,
}

/// What the agent can do about it here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Nothing: it works, or lies outside of the phone.
    Nothing,
    /// Change the settings.
    Settings,
    /// Register again.
    Register(AccountId),
    /// Look for sound devices.
    LookForDevices,
}

/// Everything that a call needs, one by one: each account's registration, rules, sound, network, call log, disk,
/// log file.
pub(crate) fn parts(snapshot: &Snapshot, now: Instant) -> Vec<Part> {
    let part = |name: &str, level, reason: String, act| Part {
        name: name.to_owned(),
        level,
        reason,
        act,
        retries: false,
    };
    let mut parts = Vec::new();
    if snapshot.accounts.is_empty() {
        let (name, why) = (text::PART_REGISTRATION, text::NO_ACCOUNT_WHY.to_owned());
        parts.push(part(name, Level::Idle, why, Act::Settings));
    }
    for view in &snapshot.accounts {
        let name = format!(
            "{} {}",
            text::PART_REGISTRATION,
            bare(&view.account.address)
        );
        let (level, reason, act) = match &view.registration {
            Registration::Registered => {
                (Level::Ready, text::REGISTERED_FINE.to_owned(), Act::Nothing)
            }
            Registration::Off => (
                Level::Limited,
                text::DOES_NOT_REGISTER.to_owned(),
                Act::Settings,
            ),
            Registration::Registering { why } => {
                let why = why.clone().unwrap_or_else(|| text::REGISTERING.to_owned());
                (Level::Working, why, Act::Nothing)
            }
            Registration::Failed { reason, .. } => {
                (Level::Broken, reason.clone(), Act::Register(view.id))
            }
        };
        let (reason, retries) = with_retry(&reason, &view.registration, now);
        parts.push(Part {
            retries,
            ..part(&name, level, sentence(&reason), act)
        });
    }
    parts.push(match kept_away(snapshot) {
        Some((_, lines)) => part(text::PART_RULES, Level::Limited, lines, Act::Settings),
        None => part(
            text::PART_RULES,
            Level::Ready,
            text::NO_RULE.to_owned(),
            Act::Nothing,
        ),
    });
    let disk = snapshot.disk.as_ref();
    let disk_level = match disk {
        Some(disk) if disk.full => Level::Broken,
        Some(_) | None => Level::Limited,
    };
    let problems = [
        (
            text::PART_SOUND,
            snapshot.devices.any_problem(),
            Level::Limited,
            Act::LookForDevices,
            text::SOUND_FINE,
        ),
        (
            text::PART_NETWORK,
            snapshot.network_problem.as_ref(),
            Level::Broken,
            Act::Nothing,
            text::NETWORK_FINE,
        ),
        (
            text::PART_STORE,
            snapshot.store_problem.as_ref(),
            Level::Broken,
            Act::Nothing,
            text::STORE_FINE,
        ),
        (
            text::PART_DISK,
            disk.map(|disk| &disk.problem),
            disk_level,
            Act::Nothing,
            text::DISK_FINE,
        ),
        (
            text::PART_LOG,
            snapshot.log_problem.as_ref(),
            Level::Limited,
            Act::Nothing,
            text::LOG_FINE,
        ),
    ];
    parts.extend(
        problems.map(|(name, problem, level, act, fine)| match problem {
            Some(problem) => part(name, level, sentence(problem), act),
            None => part(name, Level::Ready, fine.to_owned(), Act::Nothing),
        }),
    );
    parts
}

/// The rules by which calls do not reach the agent.
fn kept_away(snapshot: &Snapshot) -> Option<(&'static str, String)> {
    let mut title = text::FORWARDING;
    let mut lines = Vec::new();
    for view in &snapshot.accounts {
        let rules = &view.account.rules;
        let what = if !rules.forward_always.is_empty() {
            text::forwarded_to(&rules.forward_always)
        } else if rules.do_not_disturb {
            title = text::DO_NOT_DISTURB;
            text::DISTURBED_BY_NOBODY.to_owned()
        } else {
            continue;
        };
        if lines.len() < 3 {
            lines.push(format!("{}: {what}", bare(&view.account.address)));
        }
    }
    (!lines.is_empty()).then(|| (title, lines.join("\n")))
}

/// The reason of a failure, with the seconds until the next try.
pub(crate) fn with_retry(
    reason: &str,
    registration: &Registration,
    now: Instant,
) -> (String, bool) {
    match registration {
        Registration::Failed {
            retry_at: Some(at), ..
        } if *at > now => {
            let seconds = at.saturating_duration_since(now).as_secs();
            let reason = reason.trim_end_matches('.');
            (format!("{reason}. {}", text::retry_in(seconds)), true)
        }
        Registration::Failed { .. }
        | Registration::Off
        | Registration::Registering { .. }
        | Registration::Registered => (reason.to_owned(), false),
    }
}
