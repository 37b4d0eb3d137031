//! What only the running phone knows, and what the records tell of it.

use serde::{Deserialize, Serialize};

use crate::app::Records;
use crate::cli::single_instance::{self, Health};
use crate::control::{DevicesView, Handle};
use crate::crm::row::{CallFilter, CallLadder, CallRow, LadderMessage};

/// The SIP messages of so many calls are in it.
const LADDERS: usize = 10;

/// The people of so many calls are known by name.
const KNOWN_CALLS: usize = 500;

/// What only the running phone knows.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::cli) struct Phone {
    pub(super) health: Option<Health>,
    /// Its sound devices, one line each.
    pub(super) devices: Vec<String>,
    /// What it tells the agent just now.
    pub(super) notices: Vec<String>,
    /// The SIP messages of each account's registration.
    pub(super) registrations: Vec<(String, Vec<LadderMessage>)>,
    pub(super) ladders: Vec<CallLadder>,
    /// Of the last calls, whoever may be named in a log line.
    pub(super) people: Vec<String>,
}

/// Asks the phone of this process.
pub(in crate::cli) async fn phone(handle: &Handle, records: &Records) -> Phone {
    let snapshot = handle.snapshot();
    let accounts = snapshot.accounts.iter();
    let registrations = accounts.map(|view| {
        let address = view.account.address.clone();
        let messages = records.registration_ladder(&address);
        (address, messages)
    });
    Phone {
        health: Some(single_instance::health(&snapshot)),
        devices: devices(&snapshot.devices),
        notices: snapshot.notices.iter().map(|it| it.text.clone()).collect(),
        registrations: registrations.collect(),
        ..of_records(records).await
    }
}

/// What the records alone tell.
pub(super) async fn of_records(records: &Records) -> Phone {
    // A store that cannot be read is a fault that the bundle tells of elsewhere.
    let calls = records.calls(CallFilter::All, "", KNOWN_CALLS).await;
    let calls = calls.unwrap_or_default();
    let mut ladders = Vec::new();
    for call in calls.iter().take(LADDERS) {
        if let Ok(Some(ladder)) = records.ladder_of(call.id).await {
            ladders.push(ladder);
        }
    }
    Phone {
        ladders,
        people: calls.into_iter().flat_map(people_of).collect(),
        ..Phone::default()
    }
}

pub(super) fn people_of(call: CallRow) -> impl Iterator<Item = String> {
    let texts = [
        Some(call.remote),
        call.e164,
        call.remote_name,
        call.contact_name,
        call.organization,
        call.via,
        call.transferred_to,
    ];
    texts.into_iter().flatten()
}

fn devices(view: &DevicesView) -> Vec<String> {
    let mut lines = vec![
        format!("microphone in use: {}", view.microphone),
        format!("speaker in use: {}", view.speaker),
    ];
    lines.extend(
        view.microphones
            .iter()
            .map(|name| format!("microphone: {name}")),
    );
    lines.extend(view.speakers.iter().map(|name| format!("speaker: {name}")));
    let problems = [
        &view.problem,
        &view.microphone_problem,
        &view.hold_music_problem,
        &view.announcement_problem,
    ];
    lines.extend(
        problems
            .into_iter()
            .flatten()
            .map(|it| format!("problem: {it}")),
    );
    lines
}
