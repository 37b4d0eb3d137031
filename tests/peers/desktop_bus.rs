//! A message bus of its own, and on it what desktops have: a notification daemon, players, a tray, a
//! screen saver and logind, as far as the phone speaks with them.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use zbus::object_server::{InterfaceRef, SignalEmitter};
use zbus::zvariant::{OwnedFd, OwnedObjectPath, OwnedValue};
use zbus::{Connection, connection, interface};

use crate::place;

/// A bus with nothing on it but what the test puts there. It serves as that of the session and as that
/// of the system.
pub(crate) struct Bus {
    daemon: Child,
    address: String,
    runtime: tokio::runtime::Runtime,
    _folder: TempDir,
}

impl Bus {
    pub(crate) fn start() -> Self {
        place::need("dbus-daemon");
        let folder = TempDir::new().unwrap();
        let config = folder.path().join("bus.conf");
        // No folder of services: nothing of the machine is started on it.
        std::fs::write(
            &config,
            format!(
                "<busconfig><listen>unix:dir={}</listen><auth>EXTERNAL</auth>\
                 <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
                 <allow eavesdrop=\"true\"/><allow own=\"*\"/><allow user=\"*\"/></policy></busconfig>",
                folder.path().display()
            ),
        )
        .unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .args(["--nofork", "--print-address=1", "--config-file"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        Self {
            daemon,
            address: address.trim().to_owned(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            _folder: folder,
        }
    }

    /// For `DBUS_SESSION_BUS_ADDRESS`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Waits for an answer on it.
    pub(crate) fn wait<T>(&self, asked: impl Future<Output = zbus::Result<T>>) -> T {
        let within = async { tokio::time::timeout(place::PATIENCE, asked).await };
        let answer = self.runtime.block_on(within);
        answer
            .unwrap_or_else(|_late| panic!("no answer on the bus"))
            .unwrap()
    }

    /// A program on it with this name, and what it has there.
    pub(crate) fn program<I: zbus::object_server::Interface>(
        &self,
        name: &'static str,
        path: &'static str,
        has: I,
    ) -> (Connection, InterfaceRef<I>) {
        self.wait(async {
            let connection = connection::Builder::address(self.address.as_str())?
                .name(name)?
                .serve_at(path, has)?
                .build()
                .await?;
            let at = connection.object_server().interface(path).await?;
            Ok((connection, at))
        })
    }

    /// A program without a name.
    pub(crate) fn somebody(&self) -> Connection {
        self.wait(
            connection::Builder::address(self.address.as_str())
                .unwrap()
                .build(),
        )
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        place::terminate(self.daemon.id());
        let _reaped = self.daemon.wait();
    }
}

/// A notification as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) id: u32,
    pub(crate) summary: String,
    pub(crate) body: String,
    /// Keys and words in turn.
    pub(crate) actions: Vec<String>,
    pub(crate) urgency: u8,
    pub(crate) expires: i32,
}

/// The notification daemon.
pub(crate) struct Notifications<'b> {
    bus: &'b Bus,
    shown: Arc<Mutex<Shown>>,
    at: InterfaceRef<Daemon>,
    _connection: Connection,
}

#[derive(Default)]
struct Shown {
    last_id: u32,
    notes: Vec<Note>,
    abilities: Vec<String>,
}

struct Daemon(Arc<Mutex<Shown>>);

#[interface(name = "org.freedesktop.Notifications")]
impl Daemon {
    fn get_capabilities(&self) -> Vec<String> {
        self.0.lock().unwrap().abilities.clone()
    }

    #[expect(clippy::too_many_arguments, reason = "the specification's arguments")]
    fn notify(
        &self,
        _app_name: String,
        replaces_id: u32,
        _app_icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        expire_timeout: i32,
    ) -> u32 {
        let mut shown = self.0.lock().unwrap();
        let id = if replaces_id == 0 {
            shown.last_id += 1;
            shown.last_id
        } else {
            replaces_id
        };
        shown.notes.retain(|note| note.id != id);
        shown.notes.push(Note {
            id,
            summary,
            body,
            actions,
            urgency: hints["urgency"].downcast_ref::<u8>().unwrap(),
            expires: expire_timeout,
        });
        id
    }

    fn close_notification(&self, id: u32) {
        self.0.lock().unwrap().notes.retain(|note| note.id != id);
    }

    #[zbus(signal)]
    async fn action_invoked(
        emitter: &SignalEmitter<'_>,
        id: u32,
        action_key: &str,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn notification_closed(
        emitter: &SignalEmitter<'_>,
        id: u32,
        reason: u32,
    ) -> zbus::Result<()>;
}

impl<'b> Notifications<'b> {
    /// One that can do this.
    pub(crate) fn start(bus: &'b Bus, abilities: &[&str]) -> Self {
        let shown = Arc::new(Mutex::new(Shown {
            abilities: abilities.iter().map(|it| (*it).to_owned()).collect(),
            ..Shown::default()
        }));
        let (connection, at) = bus.program(
            "org.freedesktop.Notifications",
            "/org/freedesktop/Notifications",
            Daemon(Arc::clone(&shown)),
        );
        Self {
            bus,
            shown,
            at,
            _connection: connection,
        }
    }

    pub(crate) fn notes(&self) -> Vec<Note> {
        self.shown.lock().unwrap().notes.clone()
    }

    /// Waits until one whose summary begins so is shown.
    pub(crate) fn note(&self, summary: &str) -> Note {
        place::until(&format!("no notification {summary}"), || {
            let notes = self.notes();
            notes
                .into_iter()
                .find(|note| note.summary.starts_with(summary))
        })
    }

    /// Waits until none is shown whose summary begins so.
    pub(crate) fn until_gone(&self, summary: &str) {
        place::until(&format!("the notification {summary} stays"), || {
            let notes = self.notes();
            let gone = !notes.iter().any(|note| note.summary.starts_with(summary));
            gone.then_some(())
        });
    }

    /// Somebody clicks on an action; the notification goes, as with most daemons.
    pub(crate) fn choose(&self, id: u32, key: &str) {
        let emitter = self.at.signal_emitter();
        self.bus.wait(Daemon::action_invoked(emitter, id, key));
        self.shown
            .lock()
            .unwrap()
            .notes
            .retain(|note| note.id != id);
        // Reason 2: dismissed by the user.
        self.bus.wait(Daemon::notification_closed(emitter, id, 2));
    }
}

/// A player of music.
pub(crate) struct Player<'b> {
    bus: &'b Bus,
    at: InterfaceRef<Music>,
    _connection: Connection,
}

pub(crate) struct Music {
    status: String,
}

#[interface(name = "org.mpris.MediaPlayer2.Player")]
impl Music {
    async fn pause(&mut self, #[zbus(signal_emitter)] emitter: SignalEmitter<'_>) {
        "Paused".clone_into(&mut self.status);
        self.playback_status_changed(&emitter).await.unwrap();
    }

    async fn play(&mut self, #[zbus(signal_emitter)] emitter: SignalEmitter<'_>) {
        "Playing".clone_into(&mut self.status);
        self.playback_status_changed(&emitter).await.unwrap();
    }

    #[zbus(property)]
    fn playback_status(&self) -> String {
        self.status.clone()
    }
}

impl<'b> Player<'b> {
    pub(crate) fn start(bus: &'b Bus, name: &'static str, status: &str) -> Self {
        let music = Music {
            status: status.to_owned(),
        };
        let (connection, at) = bus.program(name, "/org/mpris/MediaPlayer2", music);
        Self {
            bus,
            at,
            _connection: connection,
        }
    }

    pub(crate) fn until(&self, status: &str) {
        place::until(&format!("a player is not {status}"), || {
            (self.status() == status).then_some(())
        });
    }

    pub(crate) fn status(&self) -> String {
        self.bus
            .wait(async { Ok(self.at.get().await.status.clone()) })
    }

    /// The person at it does something.
    pub(crate) fn set(&self, status: &str) {
        self.bus.wait(async {
            let mut music = self.at.get_mut().await;
            status.clone_into(&mut music.status);
            music
                .playback_status_changed(self.at.signal_emitter())
                .await
        });
    }
}

/// A screen saver that locks.
pub(crate) struct ScreenSaver;

#[interface(name = "org.freedesktop.ScreenSaver")]
impl ScreenSaver {
    fn get_active(&self) -> bool {
        false
    }

    #[zbus(signal)]
    pub(crate) async fn active_changed(
        emitter: &SignalEmitter<'_>,
        active: bool,
    ) -> zbus::Result<()>;
}

/// logind, as far as it tells of sleep: it holds the other end of who holds sleep up.
#[derive(Default)]
pub(crate) struct Login {
    pub(crate) held_up_by: Vec<std::os::unix::net::UnixStream>,
}

#[interface(name = "org.freedesktop.login1.Manager")]
impl Login {
    fn inhibit(&mut self, what: String, _who: String, _why: String, mode: String) -> OwnedFd {
        assert_eq!((what.as_str(), mode.as_str()), ("sleep", "delay"));
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        self.held_up_by.push(ours);
        std::os::fd::OwnedFd::from(theirs).into()
    }

    #[zbus(name = "GetSessionByPID")]
    fn session_of(&self, _pid: u32) -> zbus::fdo::Result<OwnedObjectPath> {
        Err(zbus::fdo::Error::Failed("no session".to_owned()))
    }

    #[zbus(signal)]
    pub(crate) async fn prepare_for_sleep(
        emitter: &SignalEmitter<'_>,
        start: bool,
    ) -> zbus::Result<()>;
}

/// `RealtimeKit`: the threads that it was asked to prefer, and how much.
#[derive(Default)]
pub(crate) struct RealtimeKit {
    pub(crate) preferred: Vec<(u64, i32)>,
}

#[interface(name = "org.freedesktop.RealtimeKit1")]
impl RealtimeKit {
    fn make_thread_high_priority(&mut self, thread: u64, priority: i32) {
        self.preferred.push((thread, priority));
    }
}

/// What stands in the tray.
#[derive(Default)]
pub(crate) struct TrayWatcher {
    pub(crate) items: Vec<String>,
}

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl TrayWatcher {
    fn register_status_notifier_item(&mut self, service: String) {
        self.items.push(service);
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }
}

/// The portal of the desktop's settings: which colours it asks for.
pub(crate) struct Portal {
    /// 1 is dark, 2 is light.
    pub(crate) scheme: u32,
}

/// Where its colours stand.
const APPEARANCE: (&str, &str) = ("org.freedesktop.appearance", "color-scheme");

#[interface(name = "org.freedesktop.portal.Settings")]
impl Portal {
    fn read_one(&self, namespace: &str, key: &str) -> zbus::fdo::Result<OwnedValue> {
        if (namespace, key) == APPEARANCE {
            Ok(self.scheme.into())
        } else {
            Err(zbus::fdo::Error::Failed(
                "there is no such setting".to_owned(),
            ))
        }
    }

    #[zbus(signal)]
    pub(crate) async fn setting_changed(
        emitter: &SignalEmitter<'_>,
        namespace: &str,
        key: &str,
        value: zbus::zvariant::Value<'_>,
    ) -> zbus::Result<()>;
}

impl Portal {
    /// Says that other colours are asked for now.
    pub(crate) async fn change(at: &InterfaceRef<Self>, scheme: u32) -> zbus::Result<()> {
        at.get_mut().await.scheme = scheme;
        let (namespace, key) = APPEARANCE;
        Self::setting_changed(at.signal_emitter(), namespace, key, scheme.into()).await
    }
}
