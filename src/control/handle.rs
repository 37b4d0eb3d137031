//! The handle by which a window, a script or a link reaches the engine.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::base::dial_plan::{DialError, DialPlan, DialPreview};
use crate::control::command::Command;
use crate::control::page::{Page, PageRequest};
use crate::control::snapshot::Snapshot;

/// Reads pages without ever blocking: the engine's page cache.
pub trait PageSource: Send + Sync {
    /// Gives the newest rows that are there, and has them read when they are missing or old; a
    /// repaint follows when they come.
    fn page(&self, request: &PageRequest) -> Option<Arc<Page>>;
}

/// A cheap, cloneable way to the engine.
#[derive(Clone)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
    snapshot: watch::Receiver<Arc<Snapshot>>,
    pages: Arc<dyn PageSource>,
}

impl Handle {
    /// Joins the engine's ends.
    pub fn new(
        commands: mpsc::Sender<Command>,
        snapshot: watch::Receiver<Arc<Snapshot>>,
        pages: Arc<dyn PageSource>,
    ) -> Self {
        Self {
            commands,
            snapshot,
            pages,
        }
    }

    /// Sends a command; false when the engine is gone or does not keep up.
    #[must_use]
    pub fn send(&self, command: Command) -> bool {
        self.commands.try_send(command).is_ok()
    }

    /// The newest state.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.borrow())
    }

    /// The newest rows that are there; none while they are read for the first time.
    pub fn page(&self, request: &PageRequest) -> Option<Arc<Page>> {
        self.pages.page(request)
    }

    /// Shows what would be dialled for a text, by the first account's dial plan.
    ///
    /// # Errors
    ///
    /// Fails when nothing can be dialled.
    pub fn dial_preview(&self, text: &str) -> Result<DialPreview, DialError> {
        let snapshot = self.snapshot();
        match snapshot.accounts.first() {
            Some(view) => view.account.dial_plan.preview(text),
            None => DialPlan::default().preview(text),
        }
    }

    /// A receiver that wakes with each new snapshot.
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshot.clone()
    }
}
