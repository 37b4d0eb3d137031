//! The window: single instance, links, the lab on request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::app::{self, Records};
use crate::cli::args::Cli;
use crate::cli::headless::print_error;
use crate::cli::lab_guests::LabGuests;
use crate::cli::run::Exit;
use crate::cli::single_instance::{self, Reply, Request};
use crate::cli::{demo, doctor, setup, support};
use crate::config::paths::Paths;
use crate::control::{Command, Event, Handle};
#[cfg(target_os = "linux")]
use crate::desktop::Presence;
use crate::ui;

/// How long the engine may take to say goodbye after the window is closed.
const FAREWELL: Duration = Duration::from_secs(2);

/// Hands over to the running phone, or opens the window.
pub(super) fn run(runtime: &tokio::runtime::Runtime, cli: &Cli) -> anyhow::Result<Exit> {
    let paths = setup::paths(cli.data_dir.as_deref())?;
    if hand_over(runtime, &paths, cli.uri.as_deref())? {
        return Ok(Exit::Done);
    }
    if !display_named() {
        if cli.demo_without_display {
            return runtime.block_on(demo::run(cli.data_dir.as_deref()));
        }
        anyhow::bail!(
            "there is no display: start Ringdesk from a desktop session, or use `ringdesk headless` or `ringdesk demo` in a terminal"
        );
    }
    let started = setup::desktop(cli.data_dir.as_deref())
        .and_then(|options| runtime.block_on(app::start(options)));
    let running = match started {
        Ok(running) => running,
        Err(error) => {
            // Somebody who started it from a menu sees no stderr, and a supervisor no window.
            let sentence = format!("{error:#}");
            print_error(&sentence);
            ui::show_failure(&sentence)?;
            return Ok(Exit::Failed);
        }
    };
    let server = {
        let _guard = runtime.enter();
        single_instance::serve(&paths, running.handle.clone(), running.records.clone())
    };
    if let Some(link) = &cli.uri {
        send(&running.handle, Command::RequestDial(link.clone()));
    }
    #[cfg(target_os = "linux")]
    let presence = {
        let _guard = runtime.enter();
        Presence::start(&running.handle)
    };
    #[cfg(target_os = "linux")]
    let tell = {
        let teller = presence.teller();
        move |event: &Event| teller.tell(event)
    };
    #[cfg(not(target_os = "linux"))]
    let tell = |_event: &Event| {};
    #[cfg(target_os = "linux")]
    let appearance = Some((runtime.handle().clone(), presence.appearance()));
    #[cfg(not(target_os = "linux"))]
    let appearance = None;
    let watcher = runtime.spawn(watch(
        running.events,
        paths,
        running.handle.clone(),
        running.records.clone(),
        tell,
    ));
    let shown = ui::run(
        running.handle.clone(),
        ui::Options {
            on_ready: wake_on_change(running.waker.clone(), running.handle.clone(), appearance),
            ..ui::Options::default()
        },
    );
    send(&running.handle, Command::Quit);
    #[cfg(target_os = "linux")]
    runtime.block_on(presence.stop());
    let farewell = async { tokio::time::timeout(FAREWELL, running.task).await };
    drop(runtime.block_on(farewell));
    watcher.abort();
    if let Some(server) = server {
        runtime.block_on(server.stop());
    }
    shown?;
    Ok(Exit::Done)
}

/// What the desktop asks of windows, and where somebody can wait for it.
type Looks = (tokio::runtime::Handle, watch::Receiver<ui::Appearance>);

/// Lets each snapshot and page draw the window, a wish to see it bring it forward, and the desktop say
/// how it looks.
fn wake_on_change(
    waker: app::Waker,
    handle: Handle,
    looks: Option<Looks>,
) -> Box<dyn FnOnce(ui::Waker)> {
    Box::new(move |window: ui::Waker| {
        if let Some((runtime, mut asked)) = looks {
            let window = window.clone();
            runtime.spawn(async move {
                loop {
                    let appearance = *asked.borrow_and_update();
                    window.set_appearance(appearance);
                    if asked.changed().await.is_err() {
                        break;
                    }
                }
            });
        }
        let [seen_raised, seen_revision, seen_content] = [0; 3].map(AtomicU64::new);
        let grew = |seen: &AtomicU64, now: u64| seen.swap(now, Ordering::Relaxed) < now;
        waker.set(Arc::new(move || {
            let snapshot = handle.snapshot();
            let raised = grew(&seen_raised, snapshot.raised);
            let newer = grew(&seen_revision, snapshot.revision);
            let other = grew(&seen_content, snapshot.content);
            if raised {
                window.raise();
            }
            // Without a newer snapshot it is a page that came.
            if newer && !other {
                window.glance();
            } else {
                window.wake();
            }
        }));
    })
}

/// Gives the link, or the wish to see the window, to a phone that runs already.
fn hand_over(
    runtime: &tokio::runtime::Runtime,
    paths: &Paths,
    link: Option<&str>,
) -> anyhow::Result<bool> {
    let request = match link {
        Some(link) => Request::Open(link.to_owned()),
        None => Request::Raise,
    };
    match runtime.block_on(single_instance::ask(paths, &request))? {
        None => Ok(false),
        Some(Reply::Impossible(why)) => anyhow::bail!(why),
        Some(_) => Ok(true),
    }
}

/// Does what only the outermost layer can: starting the lab, and telling the desktop.
async fn watch(
    mut events: mpsc::Receiver<Event>,
    paths: Paths,
    handle: Handle,
    records: Records,
    tell: impl Fn(&Event),
) {
    let mut guests = None;
    while let Some(event) = events.recv().await {
        tell(&event);
        match event {
            Event::LabWanted if guests.is_none() => match LabGuests::start(&handle, &records).await
            {
                Ok(started) => guests = Some(started),
                Err(error) => {
                    send(
                        &handle,
                        Command::Notice(format!("the lab did not start: {error:#}")),
                    );
                }
            },
            Event::SupportWanted { people } => {
                let (paths, handle, records) = (paths.clone(), handle.clone(), records.clone());
                // Beside the events: it reads the whole database.
                tokio::spawn(async move {
                    let checks = doctor::examine(&paths).await;
                    let phone = support::phone(&handle, &records).await;
                    let bundle = support::gather(&paths, &checks, phone, people).await;
                    send(&handle, Command::SupportGathered(Arc::new(bundle)));
                });
            }
            Event::LabCallWanted(caller) => {
                if let Some(guests) = &guests {
                    guests.call(caller, &handle);
                }
            }
            // State is in the snapshot; the rest is for scripts.
            _ => {}
        }
    }
}

fn send(handle: &Handle, command: Command) {
    if !handle.send(command) {
        tracing::warn!("the engine does not take commands");
    }
}

/// Whether the session names a display at all; whether it works shows when the window opens.
fn display_named() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    ["WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}
