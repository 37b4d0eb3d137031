//! The session and the machine: whether the screen is locked, and that the machine goes to sleep
//! (org.freedesktop.login1, org.freedesktop.ScreenSaver, org.gnome.ScreenSaver).

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::watch;
use zbus::zvariant::{OwnedFd, OwnedObjectPath};
use zbus::{Connection, proxy};

use super::Part;
use super::bus::{Bus, answer};
use super::picture::Registrations;
use crate::control::Command;

/// How long sleep may be held up for the registrars; logind itself waits 5 s by default.
const UNREGISTERING: Duration = Duration::from_secs(2);

/// That of whoever asks (logind 243 and newer).
const OUR_SESSION: &str = "/org/freedesktop/login1/session/auto";

#[proxy(
    interface = "org.freedesktop.login1.Manager",
    default_service = "org.freedesktop.login1",
    default_path = "/org/freedesktop/login1",
    gen_blocking = false
)]
trait LoginManager {
    fn inhibit(&self, what: &str, who: &str, why: &str, mode: &str) -> zbus::Result<OwnedFd>;

    fn get_session(&self, id: &str) -> zbus::Result<OwnedObjectPath>;

    #[zbus(name = "GetSessionByPID")]
    fn session_of(&self, pid: u32) -> zbus::Result<OwnedObjectPath>;

    #[zbus(signal)]
    fn prepare_for_sleep(&self, start: bool) -> zbus::Result<()>;
}

#[proxy(
    interface = "org.freedesktop.login1.Session",
    default_service = "org.freedesktop.login1",
    gen_blocking = false
)]
trait LoginSession {
    #[zbus(property)]
    fn id(&self) -> zbus::Result<String>;

    #[zbus(property)]
    fn locked_hint(&self) -> zbus::Result<bool>;
}

/// A program that locks the screen. These speak alike, each by its own name.
#[derive(Debug, Clone, Copy)]
struct ScreenSaver {
    /// The name on the bus, which is the interface too.
    name: &'static str,
    path: &'static str,
}

const SCREEN_SAVER: ScreenSaver = ScreenSaver {
    name: "org.freedesktop.ScreenSaver",
    path: "/org/freedesktop/ScreenSaver",
};
const GNOME_SCREEN_SAVER: ScreenSaver = ScreenSaver {
    name: "org.gnome.ScreenSaver",
    path: "/org/gnome/ScreenSaver",
};

/// Who says that the screen is locked; one of them is enough.
#[derive(Debug, Clone, Copy, Default)]
struct Locked {
    login: bool,
    screen_saver: bool,
    gnome: bool,
}

impl Locked {
    fn any(self) -> bool {
        self.login || self.screen_saver || self.gnome
    }
}

/// Follows both until the end.
pub(super) async fn watch(part: Part, buses: Bus, locked: watch::Sender<bool>) {
    let (who, _) = watch::channel(Locked::default());
    let tell = |change: &dyn Fn(&mut Locked)| {
        who.send_modify(change);
        let any = who.borrow().any();
        locked.send_if_modified(|seen| std::mem::replace(seen, any) != any);
    };
    let mut over = part.clone();
    let on_system = async {
        if let Some(system) = buses.system().await {
            let (lock, sleep) = tokio::join!(
                login_lock(&system, |locked| tell(&|who| who.login = locked)),
                sleep(part, &system),
            );
            for error in [lock.err(), sleep.err()].into_iter().flatten() {
                tracing::debug!("nothing is heard of sleep and lock from logind: {error}");
            }
        }
    };
    let on_session = async {
        if let Some(session) = buses.session().await {
            let (one, other) = tokio::join!(
                screen_saver(&session, SCREEN_SAVER, |locked| tell(&|who| {
                    who.screen_saver = locked;
                })),
                screen_saver(&session, GNOME_SCREEN_SAVER, |locked| tell(&|who| {
                    who.gnome = locked;
                })),
            );
            for error in [one.err(), other.err()].into_iter().flatten() {
                tracing::debug!("nothing is heard of the lock from a screen saver: {error}");
            }
        }
    };
    tokio::select! {
        _silent = async { tokio::join!(on_system, on_session) } => {}
        () = over.over() => {}
    }
}

async fn login_lock(system: &Connection, tell: impl Fn(bool)) -> zbus::Result<()> {
    let manager = LoginManagerProxy::new(system).await?;
    let path = match answer(manager.session_of(std::process::id())).await {
        Ok(path) => path,
        // A program that the user's service manager started belongs to no session itself; changes are
        // told of the session's own path.
        Err(_in_none) => {
            let ours = LoginSessionProxy::builder(system)
                .path(OUR_SESSION)?
                .build()
                .await?;
            let id = answer(ours.id()).await?;
            answer(manager.get_session(&id)).await?
        }
    };
    let session = LoginSessionProxy::builder(system)
        .path(path)?
        .build()
        .await?;
    let mut changes = session.receive_locked_hint_changed().await;
    tell(answer(session.locked_hint()).await?);
    while let Some(change) = changes.next().await {
        if let Ok(locked) = answer(change.get()).await {
            tell(locked);
        }
    }
    Ok(())
}

async fn screen_saver(
    session: &Connection,
    saver: ScreenSaver,
    tell: impl Fn(bool),
) -> zbus::Result<()> {
    let proxy = zbus::Proxy::new(session, saver.name, saver.path, saver.name).await?;
    let mut changes = answer(proxy.receive_signal("ActiveChanged")).await?;
    // It may be started later, and tells then.
    if let Ok(locked) = answer(proxy.call("GetActive", &())).await {
        tell(locked);
    }
    while let Some(change) = changes.next().await {
        if let Ok(locked) = change.body().deserialize() {
            tell(locked);
        }
    }
    Ok(())
}

/// Holds sleep up until the registrars know, and tells the engine when it is over.
async fn sleep(mut part: Part, system: &Connection) -> zbus::Result<()> {
    let manager = LoginManagerProxy::new(system).await?;
    let mut news = answer(manager.receive_prepare_for_sleep()).await?;
    let delay = || {
        answer(manager.inhibit(
            "sleep",
            "Ringdesk",
            "tells the registrars that this phone sleeps",
            "delay",
        ))
    };
    let mut inhibitor = delay().await.ok();
    while let Some(signal) = news.next().await {
        let Ok(args) = signal.args() else { continue };
        if args.start {
            part.send(Command::FallAsleep);
            let unregistered = async {
                while part.look().registrations.calls_come() {
                    if !part.changed().await {
                        break;
                    }
                }
            };
            drop(tokio::time::timeout(UNREGISTERING, unregistered).await);
            // The machine sleeps once nobody holds it.
            drop(inhibitor.take());
        } else {
            part.send(Command::WakeUp);
            inhibitor = delay().await.ok();
        }
    }
    Ok(())
}

impl Registrations {
    /// Whether a registrar still believes that this phone takes calls, as far as is known.
    fn calls_come(self) -> bool {
        self.wanted > self.failed
    }
}
