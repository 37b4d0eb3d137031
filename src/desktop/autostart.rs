//! The start with the session: the setting and the entry in the user's autostart folder say the same.

use super::Part;
use super::install::{Autostart, Folders, autostart, set_autostart};
use crate::control::Command;

/// Follows the setting until the end. At first an entry counts that the installation wrote, and so
/// does it when the user took ours away by other means.
pub(super) async fn follow(mut part: Part) {
    let folders = match Folders::user() {
        Ok(folders) => folders,
        Err(error) => {
            tracing::debug!("no autostart: {error}");
            return;
        }
    };
    let asked = folders.clone();
    let Ok(Ok(found)) = tokio::task::spawn_blocking(move || autostart(&asked)).await else {
        return;
    };
    let mut is_on = found == Autostart::On;
    match (part.look().settings.autostart, found) {
        (false, Autostart::On) => set(&mut part, true).await,
        (true, Autostart::TakenAway) => set(&mut part, false).await,
        (true, Autostart::Off) => is_on = apply(&mut part, &folders, true).await,
        (true, Autostart::On) | (false, Autostart::Off | Autostart::TakenAway) => {}
    }
    while part.changed().await {
        let wanted = part.look().settings.autostart;
        if wanted != is_on {
            is_on = apply(&mut part, &folders, wanted).await;
        }
    }
}

/// Writes or removes the entry; whether there is one now.
async fn apply(part: &mut Part, folders: &Folders, on: bool) -> bool {
    let folders = folders.clone();
    let change = tokio::task::spawn_blocking(move || {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        set_autostart(&folders, &program, on).map_err(|error| error.to_string())
    });
    match change.await {
        Ok(Ok(())) => on,
        Ok(Err(problem)) => {
            part.send(Command::Notice(problem));
            set(part, !on).await;
            !on
        }
        Err(_panicked) => !on,
    }
}

/// Makes the setting say what is so, and waits until it does: what it said before is no wish.
async fn set(part: &mut Part, on: bool) {
    let mut settings = part.handle.snapshot().settings.clone();
    settings.desktop.autostart = on;
    part.send(Command::SaveSettings(Box::new(settings)));
    while part.look().settings.autostart != on && part.changed().await {}
}
