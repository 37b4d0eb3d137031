//! `ringdesk lab`: a registrar and test peers on loopback, for phones of all kinds.

use serde_json::json;
use tokio::sync::mpsc;

use crate::base::printable::printable;
use crate::cli::args::LabArgs;
use crate::cli::headless::{Signals, print_error, print_line};
use crate::cli::run::Exit;
use crate::lab::{Lab, LabEvent, LabOptions, Peer};

/// Tidings that may wait for stdout.
const EVENTS: usize = 256;

/// Runs until interrupted.
pub(super) async fn run(args: LabArgs) -> anyhow::Result<Exit> {
    let (outlet, mut events) = mpsc::channel(EVENTS);
    let options = LabOptions {
        address: args.bind,
        ..LabOptions::default()
    };
    let lab = Lab::start(options, outlet).await?;
    introduce(&lab, args.json);
    let mut signals = Signals::new()?;
    let exit = loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => tell(&event, args.json),
                None => break Exit::Done,
            },
            exit = signals.recv() => break exit,
        }
    };
    lab.stop().await;
    Ok(exit)
}

/// Says where it is and who may register. The passwords are random, for loopback, and for this run.
fn introduce(lab: &Lab, as_json: bool) {
    if as_json {
        let users: Vec<_> = lab
            .users()
            .iter()
            .map(|user| {
                json!({
                    "name": user.name,
                    "address": user.address,
                    "password": user.password.expose(),
                })
            })
            .collect();
        let peers: Vec<_> = Peer::ALL
            .into_iter()
            .map(|peer| json!({"uri": lab.uri_of(peer), "manner": peer.manner()}))
            .collect();
        let line = json!({
            "event": "started",
            "registrar": lab.address().to_string(),
            "users": users,
            "peers": peers,
        });
        print_line(&line.to_string());
        return;
    }
    print_line(&format!("registrar  {} (UDP and TCP)", lab.address()));
    for user in lab.users() {
        let password = user.password.expose();
        print_line(&format!("user       {}  password {password}", user.address));
    }
    for peer in Peer::ALL {
        print_line(&format!(
            "peer       {}  {}",
            lab.uri_of(peer),
            peer.manner()
        ));
    }
    print_line("Ctrl+C ends the lab.");
}

fn tell(event: &LabEvent, as_json: bool) {
    let (name, text) = match event {
        LabEvent::Registered { user, contact } => ("registered", format!("{user} at {contact}")),
        LabEvent::Unregistered { user } => ("unregistered", user.clone()),
        LabEvent::CallerAnswered(caller) => ("answered", format!("{caller:?}")),
        LabEvent::CallerRefused { caller, status } => {
            ("refused", format!("{caller:?} with {status}"))
        }
        LabEvent::Problem(text) => {
            print_error(text);
            return;
        }
    };
    if as_json {
        print_line(&json!({"event": name, "text": text}).to_string());
    } else {
        print_line(&format!("{name:<10} {}", printable(&text)));
    }
}
