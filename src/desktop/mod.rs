//! The phone on a Linux desktop, outside of its window: notifications, tray, players, keys, sleep, and
//! its place among the user's programs.
//!
//! ```text
//!  control::Handle ──snapshot──▶ Picture ──watch──▶ notifications, tray, players, keys, autostart
//!        ▲                                                    │
//!        └───────────────── Command ◀─────────────────────────┘
//!  logind, screen savers ──▶ session ──locked──▶ Picture;  sleep ──▶ Command
//!  urgency ──threads of the sound──▶ RealtimeKit
//!  settings portal ──▶ appearance ──dark, still──▶ window
//! ```
//!
//! * Each of them is a task of its own that waits for the desktop; the engine and the window never do.
//! * `Picture` is what they look at: pure, made of a snapshot, and new only when it is another.
//! * What the desktop does not have is told once in the log, and the phone works without.

mod alert;
mod appearance;
mod autostart;
mod bus;
pub mod install;
mod keys;
mod notifications;
mod picture;
mod players;
mod session;
mod tray;
mod tray_icon;
mod urgency;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::base::id::CallId;
use crate::control::{Command, Event, Handle};
use crate::ui::Appearance;
use bus::Bus;
use picture::Picture;

/// So many missed calls may wait to be told; each further one is in the window alone.
const MISSED: usize = 64;
/// How long the desktop may take to put away what was shown, at the end.
const FAREWELL: Duration = Duration::from_millis(500);

/// The phone's presence on the desktop; it ends with [`Presence::stop`].
pub struct Presence {
    missed: mpsc::Sender<CallId>,
    ending: watch::Sender<bool>,
    appearance: watch::Receiver<Appearance>,
    /// Ends with the engine, which may take longer.
    follower: JoinHandle<()>,
    tasks: Vec<JoinHandle<()>>,
}

/// Tells of events on the desktop.
#[derive(Clone)]
pub struct Teller(mpsc::Sender<CallId>);

/// What every part has: the way to the engine, what it looks at, and when it is over.
#[derive(Clone)]
struct Part {
    handle: Handle,
    picture: watch::Receiver<Arc<Picture>>,
    ending: watch::Receiver<bool>,
}

impl Presence {
    /// Begins; must be called within a tokio runtime, and returns at once.
    pub fn start(handle: &Handle) -> Self {
        let (ending, over) = watch::channel(false);
        let (missed, missed_calls) = mpsc::channel(MISSED);
        let (locked, is_locked) = watch::channel(false);
        let first = Arc::new(Picture::of(&handle.snapshot(), false));
        let (pictures, picture) = watch::channel(first);
        let part = Part {
            handle: handle.clone(),
            picture,
            ending: over,
        };
        let buses = Bus::connect_all();
        let (asked, appearance) = watch::channel(Appearance::default());
        let follower = tokio::spawn(picture::follow(handle.watch(), is_locked, pictures));
        let tasks = vec![
            tokio::spawn(session::watch(part.clone(), buses.clone(), locked)),
            tokio::spawn(notifications::show(
                part.clone(),
                buses.clone(),
                missed_calls,
            )),
            tokio::spawn(players::quiet(part.clone(), buses.clone())),
            tokio::spawn(appearance::follow(part.clone(), buses.clone(), asked)),
            tokio::spawn(tray::show(part.clone(), buses.clone())),
            tokio::spawn(urgency::ask(part.clone(), buses)),
            tokio::spawn(keys::listen(part.clone())),
            tokio::spawn(autostart::follow(part)),
        ];
        Self {
            missed,
            ending,
            appearance,
            follower,
            tasks,
        }
    }

    /// A way to tell it of events.
    pub fn teller(&self) -> Teller {
        Teller(self.missed.clone())
    }

    /// What the desktop asks of windows, now and from then on.
    pub fn appearance(&self) -> watch::Receiver<Appearance> {
        self.appearance.clone()
    }

    /// Puts away what is shown and ends; waits half a second at most.
    pub async fn stop(self) {
        self.ending.send_replace(true);
        let all = async {
            for task in self.tasks {
                // One that panicked has nothing to put away.
                drop(task.await);
            }
        };
        drop(tokio::time::timeout(FAREWELL, all).await);
        self.follower.abort();
    }
}

impl Teller {
    /// Shows what nobody should overlook; returns at once.
    pub fn tell(&self, event: &Event) {
        if let Event::Missed {
            call,
            popped_up: true,
        } = event
            && self.0.try_send(call.call).is_err()
        {
            tracing::debug!("a missed call is not told on the desktop");
        }
    }
}

impl Part {
    fn send(&self, command: Command) {
        if !self.handle.send(command) {
            tracing::warn!("the engine did not take a command of the desktop");
        }
    }

    /// The newest picture, seen now.
    fn look(&mut self) -> Arc<Picture> {
        Arc::clone(&self.picture.borrow_and_update())
    }

    /// Waits for another picture; false when it is over.
    async fn changed(&mut self) -> bool {
        tokio::select! {
            changed = self.picture.changed() => changed.is_ok(),
            _over = self.ending.wait_for(|over| *over) => false,
        }
    }

    /// Waits for the end.
    async fn over(&mut self) {
        // A sender that is gone is an end too.
        drop(self.ending.wait_for(|over| *over).await);
    }
}
