//! The engine's state as the window sees it.

use crate::app::accounts::LiveAccount;
use crate::app::engine::Engine;
use crate::app::live_call::Gate;
use crate::control::{CallView, Snapshot};

impl Engine {
    /// Draws a snapshot.
    pub(super) fn view(&self, revision: u64, content: u64) -> Snapshot {
        Snapshot {
            revision,
            content,
            accounts: self.accounts.iter().map(LiveAccount::view).collect(),
            // A call shows itself once its row is written, or patience with the disk is over.
            calls: self
                .calls
                .values()
                .filter(|call| call.gate == Gate::Open && !call.reception.hidden)
                .map(|call| CallView {
                    script: self.script_of(call),
                    ..call.view()
                })
                .collect(),
            settings: self.options.settings.clone(),
            devices: self.devices.clone(),
            sound_check: self.sound_check,
            player: self.player.view(),
            dial_request: self.dial_request.clone(),
            messages: self.messages.view(),
            notices: self.notices.iter().cloned().collect(),
            agent: self.agent.presence().clone(),
            colleagues: self.colleague_views(),
            mailboxes: self.mailbox_views(),
            to_call_back: self.to_call_back,
            store_revision: self.store_revision,
            store_problem: self.journal.problem(),
            provisioning: self.provision.view.clone(),
            provisioned_from: self.provision.source(),
            locks: self.provision.locks().clone(),
            trial: self.trial.clone(),
            network_problem: self.network_problem.clone(),
            disk: self.disk.clone(),
            log_dir: self
                .options
                .log
                .as_ref()
                .map(|log| log.folder().to_string_lossy().into_owned())
                .unwrap_or_default(),
            log_problem: self.log_problem.clone(),
            export_dir: self.options.paths.exports.to_string_lossy().into_owned(),
            exported: self.exported.clone(),
            support: self.support.clone(),
            raised: self.raised,
            lab: self.lab,
            ending: self.ending.is_some(),
        }
    }
}
