//! How the running phone does, as it tells another process.

use serde::{Deserialize, Serialize};

use crate::control::{Registration, Snapshot};

/// How the running phone does.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::cli) struct Health {
    /// Its accounts.
    pub(in crate::cli) accounts: Vec<AccountHealth>,
    /// What is wrong with the sound.
    pub(in crate::cli) sound_problem: Option<String>,
    /// What is wrong with the call log.
    pub(in crate::cli) store_problem: Option<String>,
    /// Why the log file is not written.
    pub(in crate::cli) log_problem: Option<String>,
}

/// How an account does.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::cli) struct AccountHealth {
    /// Its address.
    pub(in crate::cli) address: String,
    /// Whether it is registered.
    pub(in crate::cli) registered: bool,
    /// Why it is not, and what to do.
    pub(in crate::cli) problem: Option<String>,
    /// The rule that keeps calls away from it.
    pub(in crate::cli) kept_away: Option<String>,
}

/// How the phone does by what it shows.
pub(in crate::cli) fn health(snapshot: &Snapshot) -> Health {
    let accounts = snapshot
        .accounts
        .iter()
        .map(|view| {
            let rules = &view.account.rules;
            let kept_away = if rules.forward_always.is_empty() {
                rules
                    .do_not_disturb
                    .then(|| "do not disturb refuses its calls".to_owned())
            } else {
                Some(format!(
                    "its calls are forwarded to {}",
                    rules.forward_always
                ))
            };
            AccountHealth {
                address: view.account.address.clone(),
                registered: view.registration == Registration::Registered,
                problem: failure(&view.registration),
                kept_away,
            }
        })
        .collect();
    Health {
        accounts,
        sound_problem: snapshot.devices.any_problem().cloned(),
        store_problem: snapshot.store_problem.clone(),
        log_problem: snapshot.log_problem.clone(),
    }
}

fn failure(registration: &Registration) -> Option<String> {
    if let Registration::Failed { reason, .. } = registration {
        Some(reason.clone())
    } else {
        None
    }
}
