//! Ringing and missed calls as notifications of the desktop (Desktop Notifications Specification 1.2).
//!
//! The daemon is asked what it can before anything is shown: actions where it has actions, escapes
//! where it reads markup. Each question has a deadline, and what it says of an alert that is no longer
//! there is not listened to.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use zbus::zvariant::Value;
use zbus::{Connection, proxy};

use super::Part;
use super::alert::{self, Alert};
use super::bus::{Bus, answer};
use super::picture::Picture;
use crate::base::id::CallId;
use crate::control::Command;
use crate::ui::text;

/// Our name for daemons that list notifications by program, and that of the icon.
const PROGRAM: &str = "Ringdesk";
const ICON: &str = "ringdesk";

/// Keys of the actions; `default` is a click on the notification itself.
const DEFAULT: &str = "default";
const ANSWER: &str = "answer";
const DECLINE: &str = "decline";

/// Not before it is closed (section "Notify": 0 never expires), and as the daemon thinks.
const STAYS: i32 = 0;
const AS_USUAL: i32 = -1;

/// The daemon.
#[proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications",
    gen_blocking = false
)]
trait Daemon {
    fn get_capabilities(&self) -> zbus::Result<Vec<String>>;

    #[expect(clippy::too_many_arguments, reason = "the specification's arguments")]
    fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: &[&str],
        hints: HashMap<&str, Value<'_>>,
        expire_timeout: i32,
    ) -> zbus::Result<u32>;

    fn close_notification(&self, id: u32) -> zbus::Result<()>;

    #[zbus(signal)]
    fn action_invoked(&self, id: u32, action_key: String) -> zbus::Result<()>;

    #[zbus(signal)]
    fn notification_closed(&self, id: u32, reason: u32) -> zbus::Result<()>;
}

/// How much a notification wants to be seen (section "Urgency Levels").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Urgency {
    Normal = 1,
    Critical = 2,
}

/// What the daemon can.
#[derive(Debug, Clone, Copy, Default)]
struct Abilities {
    actions: bool,
    markup: bool,
}

/// A call that is told of.
struct Told {
    call: CallId,
    alert: Alert,
    /// The daemon's number; none where it could not be shown.
    id: Option<u32>,
    /// Whether the agent took it away, and so knows of it.
    dismissed: bool,
}

/// Shows what the picture asks for until the end, and takes it away then.
pub(super) async fn show(mut part: Part, buses: Bus, mut missed: mpsc::Receiver<CallId>) {
    // Until there is something to tell, no daemon is started for it.
    let first = loop {
        let picture = part.look();
        if picture.settings.notifications && !picture.ringing.is_empty() {
            break None;
        }
        tokio::select! {
            goes_on = part.changed() => if !goes_on { return },
            Some(call) = missed.recv() => {
                if picture.settings.notifications {
                    break Some(call);
                }
            }
        }
    };
    let Some(connection) = buses.session().await else {
        // Told already; what comes is in the window alone.
        return;
    };
    match Desk::at(&connection).await {
        Ok(desk) => desk.run(part, missed, first).await,
        Err(error) => tracing::warn!("no desktop notifications: {error}"),
    }
}

/// The daemon, and what stands there of ours.
struct Desk {
    daemon: DaemonProxy<'static>,
    /// Whether it was told that there is no daemon.
    complained: bool,
    ringing: Vec<Told>,
    /// Who called in vain since somebody looked, and the notification that says so.
    missed: Vec<String>,
    missed_id: Option<u32>,
}

impl Desk {
    async fn at(connection: &Connection) -> zbus::Result<Self> {
        Ok(Self {
            daemon: DaemonProxy::builder(connection)
                .cache_properties(proxy::CacheProperties::No)
                .build()
                .await?,
            complained: false,
            ringing: Vec::new(),
            missed: Vec::new(),
            missed_id: None,
        })
    }

    async fn run(
        mut self,
        mut part: Part,
        mut missed: mpsc::Receiver<CallId>,
        first: Option<CallId>,
    ) {
        let signals = async {
            let invoked = self.daemon.receive_action_invoked().await?;
            let closed = self.daemon.receive_notification_closed().await?;
            Ok::<_, zbus::Error>((invoked, closed))
        };
        let (mut invoked, mut closed) = match answer(signals).await {
            Ok(signals) => signals,
            Err(error) => {
                tracing::warn!("no desktop notifications: {error}");
                return;
            }
        };
        if let Some(call) = first {
            self.tell_missed(&part, call).await;
        }
        loop {
            let picture = part.look();
            self.follow(&picture).await;
            tokio::select! {
                // A click closes the notification too: what was clicked is told before, and must be
                // heard before.
                biased;
                goes_on = part.changed() => if !goes_on { break },
                Some(call) = missed.recv() => self.tell_missed(&part, call).await,
                Some(signal) = invoked.next() => {
                    if let Ok(args) = signal.args() {
                        self.chosen(&part, args.id, &args.action_key);
                    }
                }
                Some(signal) = closed.next() => {
                    if let Ok(args) = signal.args() {
                        self.closed(args.id);
                    }
                }
            }
        }
        self.put_away().await;
    }

    /// Shows what rings, changes what is told of it, and takes away what no longer rings.
    async fn follow(&mut self, picture: &Picture) {
        let wanted: &[(CallId, Alert)] = if picture.settings.notifications {
            &picture.ringing
        } else {
            &[]
        };
        let is_wanted = |told: &Told| wanted.iter().any(|(call, _)| *call == told.call);
        let (stay, over): (Vec<_>, Vec<_>) = self.ringing.drain(..).partition(is_wanted);
        self.ringing = stay;
        // Dismissed ones too: a change may have brought them back meanwhile.
        for id in over.into_iter().filter_map(|told| told.id) {
            self.close(id).await;
        }
        for (call, alert) in wanted {
            let at = self.ringing.iter().position(|told| told.call == *call);
            let replaced = match at.and_then(|at| self.ringing.get(at)) {
                Some(told) if told.alert == *alert || told.dismissed => continue,
                Some(told) => told.id,
                None => None,
            };
            let id = self.show_ringing(alert, replaced).await;
            let told = Told {
                call: *call,
                alert: alert.clone(),
                id,
                dismissed: false,
            };
            match at.and_then(|at| self.ringing.get_mut(at)) {
                Some(place) => *place = told,
                None => self.ringing.push(told),
            }
        }
    }

    async fn show_ringing(&mut self, alert: &Alert, replaced: Option<u32>) -> Option<u32> {
        let actions = [
            DEFAULT,
            text::SHOW,
            ANSWER,
            text::ANSWER,
            DECLINE,
            text::DECLINE,
        ];
        // Under X11 the pop-up tells it too; under Wayland this alone is in front of other windows.
        let urgency = if crate::ui::on_wayland() {
            Urgency::Critical
        } else {
            Urgency::Normal
        };
        self.notify(alert, replaced, &actions, ("call.incoming", urgency), STAYS)
            .await
    }

    async fn tell_missed(&mut self, part: &Part, call: CallId) {
        let picture = Arc::clone(&part.picture.borrow());
        if !picture.settings.notifications {
            return;
        }
        let snapshot = part.handle.snapshot();
        let Some(view) = snapshot.calls.iter().find(|view| view.id == call) else {
            return;
        };
        self.missed.push(alert::caller(view));
        let alert = Alert::missed(&self.missed, picture.locked);
        let actions = [DEFAULT, text::SHOW];
        let kind = ("call.unanswered", Urgency::Normal);
        self.missed_id = self
            .notify(&alert, self.missed_id, &actions, kind, AS_USUAL)
            .await;
    }

    /// Has something shown; its number, or none where there is no daemon.
    async fn notify(
        &mut self,
        alert: &Alert,
        replaced: Option<u32>,
        actions: &[&str],
        (category, urgency): (&str, Urgency),
        expires: i32,
    ) -> Option<u32> {
        let shown = async {
            // Another daemon may have taken the place of the one before.
            let can = self.abilities().await?;
            let actions = if can.actions { actions } else { &[] };
            let hints = HashMap::from([
                ("category", Value::from(category)),
                ("desktop-entry", Value::from(ICON)),
                // The phone rings itself.
                ("suppress-sound", Value::from(true)),
                ("transient", Value::from(expires == STAYS)),
                ("urgency", Value::from(urgency as u8)),
            ]);
            self.daemon
                .notify(
                    PROGRAM,
                    replaced.unwrap_or(0),
                    ICON,
                    &alert.summary,
                    &alert.body_text(can.markup),
                    actions,
                    hints,
                    expires,
                )
                .await
        };
        match answer(shown).await {
            Ok(id) => {
                self.complained = false;
                Some(id)
            }
            Err(error) => {
                if !std::mem::replace(&mut self.complained, true) {
                    tracing::warn!("a call is not told by a desktop notification: {error}");
                }
                None
            }
        }
    }

    async fn abilities(&self) -> zbus::Result<Abilities> {
        let words = self.daemon.get_capabilities().await?;
        let has = |word: &str| words.iter().any(|it| it == word);
        Ok(Abilities {
            actions: has("actions"),
            markup: has("body-markup"),
        })
    }

    /// Somebody clicked.
    fn chosen(&self, part: &Part, id: u32, key: &str) {
        let ringing = self.ringing.iter().find(|told| told.id == Some(id));
        if let Some(call) = ringing.map(|told| told.call) {
            match key {
                ANSWER => {
                    part.send(Command::Answer(call));
                    part.send(Command::Raise);
                }
                DECLINE => part.send(Command::Decline(call)),
                DEFAULT => part.send(Command::Raise),
                _ => {}
            }
        } else if self.missed_id == Some(id) && key == DEFAULT {
            part.send(Command::Raise);
        }
    }

    /// One of ours is gone: dismissed, or over.
    fn closed(&mut self, id: u32) {
        for told in &mut self.ringing {
            told.dismissed |= told.id == Some(id);
        }
        if self.missed_id == Some(id) {
            self.missed_id = None;
            self.missed.clear();
        }
    }

    async fn close(&self, id: u32) {
        // Daemons answer with an error where it is gone already.
        if let Err(error) = answer(self.daemon.close_notification(id)).await {
            tracing::debug!("a notification is gone already: {error}");
        }
    }

    async fn put_away(&mut self) {
        for id in std::mem::take(&mut self.ringing)
            .into_iter()
            .filter_map(|told| told.id)
        {
            self.close(id).await;
        }
    }
}
