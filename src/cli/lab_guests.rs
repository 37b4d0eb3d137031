//! The lab beside the phone: trying it out without a PBX.

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::app::Records;
use crate::base::dial_plan::DialPlan;
use crate::config::Account;
#[cfg(feature = "gui")]
use crate::control::command::LabCaller;
use crate::control::{Command, Handle};
use crate::crm::row::{ContactNumber, ContactRow};
#[cfg(feature = "gui")]
use crate::lab::Caller;
use crate::lab::{DemoContact, Lab, LabEvent, LabOptions, demo_contacts};

/// Tidings of the lab that may wait.
const EVENTS: usize = 64;

/// The running lab and the user of it that is this phone.
pub(super) struct LabGuests {
    lab: Lab,
    #[cfg(feature = "gui")]
    user: String,
    watcher: JoinHandle<()>,
}

impl LabGuests {
    /// Starts the lab, lets the phone use it, and adds the demo contacts that are missing.
    pub(super) async fn start(handle: &Handle, records: &Records) -> anyhow::Result<Self> {
        let (outlet, events) = mpsc::channel(EVENTS);
        let lab = Lab::start(LabOptions::default(), outlet).await?;
        let user = lab
            .users()
            .first()
            .ok_or_else(|| anyhow::anyhow!("the lab has no users"))?
            .clone();
        for contact in demo_contacts() {
            // Trying it out twice must not double anybody.
            if records.contacts(contact.name, 1).await?.is_empty() {
                records.save_contact(row(contact)).await?;
            }
        }
        let account = Command::UseLab {
            account: Box::new(account(&user.address)),
            password: user.password.clone(),
        };
        if !handle.send(account) {
            anyhow::bail!("the phone is busy; try again");
        }
        let watcher = tokio::spawn(watch(events, handle.clone()));
        Ok(Self {
            lab,
            #[cfg(feature = "gui")]
            user: user.name,
            watcher,
        })
    }

    /// Lets one of the lab's callers call.
    #[cfg(feature = "gui")]
    pub(super) fn call(&self, caller: LabCaller, handle: &Handle) {
        let caller = match caller {
            LabCaller::Known => Caller::Known,
            LabCaller::Unknown => Caller::Unknown,
            LabCaller::Maybe => Caller::Maybe,
        };
        if let Err(error) = self.lab.call(caller, &self.user) {
            notice(handle, error.to_string());
        }
    }

    /// The running lab.
    pub(super) fn lab(&self) -> &Lab {
        &self.lab
    }

    /// Ends the lab in good order.
    pub(super) async fn stop(self) {
        self.watcher.abort();
        self.lab.stop().await;
    }
}

/// What goes wrong in the lab is shown in the phone.
async fn watch(mut events: mpsc::Receiver<LabEvent>, handle: Handle) {
    while let Some(event) = events.recv().await {
        match event {
            LabEvent::Problem(text) => notice(&handle, text),
            LabEvent::Registered { .. }
            | LabEvent::Unregistered { .. }
            | LabEvent::CallerAnswered(_)
            | LabEvent::CallerRefused { .. } => {}
        }
    }
}

fn notice(handle: &Handle, text: String) {
    if !handle.send(Command::Notice(text)) {
        tracing::warn!("a notice of the lab was lost");
    }
}

/// The phone's account in the lab.
pub(super) fn account(address: &str) -> Account {
    let domain = address.split_once('@').map(|(_, domain)| domain.to_owned());
    Account {
        address: address.to_owned(),
        display_name: "Demo agent".to_owned(),
        dial_plan: DialPlan {
            domain: domain.unwrap_or_default(),
            ..DialPlan::default()
        },
        ..Account::default()
    }
}

fn row(contact: &DemoContact) -> ContactRow {
    ContactRow {
        organization_name: contact.organization.map(str::to_owned),
        role: contact.role.map(str::to_owned),
        numbers: contact
            .numbers
            .iter()
            .map(|(label, raw)| ContactNumber {
                label: (*label).to_owned(),
                raw: (*raw).to_owned(),
                e164: None,
            })
            .collect(),
        ..ContactRow::named(contact.name)
    }
}
