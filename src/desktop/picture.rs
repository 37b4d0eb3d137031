//! What the desktop should show and do, made of a snapshot: pure.

use std::sync::Arc;

use tokio::sync::watch;

use super::alert::Alert;
use crate::base::id::CallId;
use crate::config::desktop::DesktopSettings;
use crate::control::{CallStage, CallView, Registration, Snapshot};
use crate::crm::row::{AgentState, CallDirection};

/// What every part of the desktop looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    /// The calls that ring and pop up, oldest first, and what is told of each.
    pub(super) ringing: Vec<(CallId, Alert)>,
    /// Whether the agent talks, or calls somebody.
    pub(super) busy: bool,
    /// What the phone is doing.
    pub(super) standing: Standing,
    /// What the agent does.
    pub(super) agent: AgentState,
    /// Missed calls that nobody called back.
    pub(super) to_call_back: u64,
    /// Whether somebody else may see the screen while the agent is away.
    pub(super) locked: bool,
    /// Accounts that register, and are registered or not.
    pub(super) registrations: Registrations,
    /// The settings.
    pub(super) settings: DesktopSettings,
}

/// What the phone is doing, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// A call rings.
    Rings,
    /// The agent talks.
    InCall,
    /// Calls do not reach the phone.
    NoConnection,
    /// Calls are refused unheard.
    DoNotDisturb,
    /// The agent is away, or wraps up.
    Away,
    /// Calls reach the agent.
    Ready,
}

/// How many accounts want to be registered, and how many are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Registrations {
    pub(super) wanted: usize,
    pub(super) there: usize,
    /// How many say why they cannot.
    pub(super) failed: usize,
}

impl Picture {
    /// What the snapshot asks for on a screen that is locked or not.
    pub(super) fn of(snapshot: &Snapshot, locked: bool) -> Self {
        let ringing: Vec<_> = snapshot
            .calls
            .iter()
            .filter(|call| call.pops_up())
            .map(|call| (call.id, Alert::ringing(call, locked)))
            .collect();
        let busy = snapshot.calls.iter().any(is_busy);
        let registrations = Registrations::of(snapshot);
        let agent = snapshot.agent.state;
        let standing = if !ringing.is_empty() {
            Standing::Rings
        } else if busy {
            Standing::InCall
        } else if registrations.wanted > 0 && registrations.there == 0 {
            Standing::NoConnection
        } else {
            match agent {
                AgentState::DoNotDisturb => Standing::DoNotDisturb,
                AgentState::Break | AgentState::WrapUp => Standing::Away,
                AgentState::Available => Standing::Ready,
            }
        };
        Self {
            ringing,
            busy,
            standing,
            agent,
            to_call_back: snapshot.to_call_back,
            locked,
            registrations,
            settings: snapshot.settings.desktop.clone(),
        }
    }
}

impl Registrations {
    fn of(snapshot: &Snapshot) -> Self {
        let mut counted = Self::default();
        for view in &snapshot.accounts {
            match &view.registration {
                Registration::Off => continue,
                Registration::Registering { .. } => {}
                Registration::Registered => counted.there += 1,
                Registration::Failed { .. } => counted.failed += 1,
            }
            counted.wanted += 1;
        }
        counted
    }
}

/// Whether a call was placed or answered and is not over.
fn is_busy(call: &CallView) -> bool {
    match call.stage {
        CallStage::Calling | CallStage::Talking | CallStage::Held | CallStage::HeldByRemote => true,
        CallStage::Ringing => call.direction == CallDirection::Outbound,
        CallStage::Ending | CallStage::Ended => false,
    }
}

/// Makes a picture of each snapshot, and publishes those that are other than the one before, until
/// the engine is gone.
pub(super) async fn follow(
    mut snapshots: watch::Receiver<Arc<Snapshot>>,
    mut locked: watch::Receiver<bool>,
    pictures: watch::Sender<Arc<Picture>>,
) {
    loop {
        let picture = {
            let snapshot = Arc::clone(&snapshots.borrow_and_update());
            Picture::of(&snapshot, *locked.borrow_and_update())
        };
        pictures.send_if_modified(|seen| {
            let another = **seen != picture;
            if another {
                *seen = Arc::new(picture);
            }
            another
        });
        let over = tokio::select! {
            changed = snapshots.changed() => changed.is_err(),
            Ok(()) = locked.changed() => false,
        };
        if over {
            return;
        }
    }
}
