//! The demonstration in the terminal: register at the lab, call the echo, record, log, and show
//! the ladder and the row.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;

use crate::app::{
    self, EngineOptions, IceAccess, IncomingPolicy, Running, Script, SecondCall, Source,
};
use crate::base::clock;
use crate::base::random::{OsRandom, Random as _};
use crate::cli::event_line;
use crate::cli::headless::print_line;
use crate::cli::lab_guests::LabGuests;
use crate::cli::run::Exit;
use crate::cli::setup;
use crate::config::Settings;
use crate::config::tls::TlsOptions;
use crate::control::ladder;
use crate::control::{CallTarget, Command, Event};
use crate::crm::row::CallState;
use crate::lab::{Peer, VoiceFile};

/// How long the call to the echo lasts.
const TALK: Duration = Duration::from_secs(3);
/// When the demonstration is given up.
const DEADLINE: Duration = Duration::from_secs(30);

/// Runs it to its end.
pub(super) async fn run(data_dir: Option<&Path>) -> anyhow::Result<Exit> {
    let folder = match data_dir {
        Some(dir) => dir.to_owned(),
        None => std::env::temp_dir().join(format!("ringdesk-demo-{}", OsRandom.hex(4))),
    };
    print_line("There is no window: this is Ringdesk's demonstration, on loopback only.");
    print_line(&format!(
        "Its call log and recording go to {}",
        folder.display()
    ));
    let voice = VoiceFile::write()?;
    let running = app::start(options(&folder, voice.path())?).await?;
    let guests = LabGuests::start(&running.handle, &running.records).await?;
    let finished = tokio::time::timeout(DEADLINE, show(running, &guests)).await;
    guests.stop().await;
    match finished {
        Ok(exit) => exit,
        Err(_) => bail!(
            "the demonstration did not end in {} seconds",
            DEADLINE.as_secs()
        ),
    }
}

fn options(folder: &Path, voice: &Path) -> anyhow::Result<EngineOptions> {
    let paths = setup::paths(Some(folder))?;
    paths.create()?;
    let settings = Settings {
        microphone: "null".to_owned(),
        speaker: "null".to_owned(),
        ringer: "null".to_owned(),
        ..Settings::default()
    };
    Ok(EngineOptions {
        bind: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
        record_dir: paths.recordings.clone(),
        accounts: Vec::new(),
        direct_tls: TlsOptions::default(),
        direct_ice: IceAccess::default(),
        devices: app::devices(&settings),
        settings,
        accept_direct_calls: false,
        max_calls: 4,
        attended: false,
        second_call: Some(SecondCall::Together),
        hold_music: None,
        persist: false,
        script: Script {
            incoming: IncomingPolicy::Ring,
            hang_up_after: Some(TALK),
            source: Source::File {
                path: voice.to_owned(),
                repeat: true,
            },
            ..Script::default()
        },
        notices: Vec::new(),
        provisioned: None,
        log: crate::cli::log::started(),
        paths,
    })
}

/// Calls the echo once registered, and tells what happens.
async fn show(running: Running, guests: &LabGuests) -> anyhow::Result<Exit> {
    let Running {
        handle,
        mut events,
        records,
        task,
        ..
    } = running;
    let mut recording = None;
    let mut outcome = None;
    let mut own = String::new();
    while let Some(event) = events.recv().await {
        if let Some(line) = event_line::text(clock::wall_now(), &event) {
            print_line(&line);
        }
        match event {
            Event::Registered { address, .. } => {
                own = address;
                let text = guests.lab().uri_of(Peer::Echo);
                ask(
                    &handle,
                    Command::Call(CallTarget {
                        text,
                        account: None,
                    }),
                )?;
            }
            Event::RegistrationFailed { reason, .. } => {
                bail!("the lab refused the phone: {reason}")
            }
            Event::Recording { path, .. } => recording = Some(path),
            Event::Ended { call, state, .. } => {
                outcome = Some((call.call, state));
                ask(&handle, Command::Quit)?;
            }
            _ => {}
        }
    }
    let Some((id, state)) = outcome else {
        bail!("the call to the echo never ended")
    };
    let found = records.ladder(&id.to_string()).await?;
    task.await?;
    match found {
        Some(found) => {
            print_line("\nThe ladders (phone on the left, lab on the right):");
            ladder::rungs(&records.registration_ladder(&own))
                .iter()
                .chain(&ladder::picture(&found))
                .for_each(|line| print_line(line));
            print_line("\nThe row of the call log:");
            print_line(&serde_json::to_string_pretty(&found.call)?);
        }
        None => bail!("the call has no row"),
    }
    tell_recording(recording);
    Ok(if state == CallState::Completed {
        Exit::Done
    } else {
        Exit::CallFailed
    })
}

fn ask(handle: &crate::control::Handle, command: Command) -> anyhow::Result<()> {
    if handle.send(command) {
        Ok(())
    } else {
        bail!("the phone does not take commands")
    }
}

fn tell_recording(path: Option<PathBuf>) {
    match path {
        Some(path) => print_line(&format!(
            "\nThe recording (left you, right the echo):\n{}",
            path.display()
        )),
        None => print_line("\nThere is no recording."),
    }
}
