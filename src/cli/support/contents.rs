//! What the files of a bundle say of the phone, its settings, its network and its store.

use std::io::Read as _;
use std::net::UdpSocket;
use std::path::Path;

use super::Phone;
use crate::app;
use crate::base::{clock, log};
use crate::config::paths::Paths;
use crate::config::{Config, ConfigError};

/// The most octets of the log, the newest.
const LOG_OCTETS: u64 = 8 << 20;

pub(super) fn about(people: bool) -> String {
    let system = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let system = system
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| "unknown".to_owned());
    format!(
        "Ringdesk {}\nmade {}\nsystem {} {}, {}, kernel {}\nwindow {}, sound {}, keyring {}\n\
         session {}, desktop {}\nlanguage {}\npeople {}\n",
        env!("CARGO_PKG_VERSION"),
        clock::wall_now(),
        std::env::consts::OS,
        std::env::consts::ARCH,
        system.unwrap_or("unknown").trim_matches('"'),
        kernel.trim(),
        cfg!(feature = "gui"),
        cfg!(feature = "audio"),
        cfg!(feature = "keyring"),
        variable("XDG_SESSION_TYPE"),
        variable("XDG_CURRENT_DESKTOP"),
        variable("LANG"),
        if people {
            "at full length"
        } else {
            "shortened"
        },
    )
}

/// The settings as the phone reads them; a file that it cannot read as it stands.
pub(super) fn settings(paths: &Paths, config: Result<Config, ConfigError>) -> String {
    match config {
        Ok(config) => toml::to_string_pretty(&config)
            .unwrap_or_else(|error| format!("# the settings cannot be written: {error}\n")),
        Err(error) => {
            let mut text = Vec::new();
            let file = std::fs::File::open(&paths.config_file);
            let read = file.and_then(|file| file.take(1 << 20).read_to_end(&mut text));
            let text = String::from_utf8_lossy(&text);
            match read {
                Ok(_) => format!("# {error}\n{text}"),
                Err(_) => format!("# {error}\n"),
            }
        }
    }
}

pub(super) fn accounts(phone: &Phone) -> String {
    let Some(health) = &phone.health else {
        return "no phone runs\n".to_owned();
    };
    let mut text = String::new();
    for account in &health.accounts {
        let state = match (&account.problem, account.registered) {
            (Some(problem), _) => problem.as_str(),
            (None, true) => "registered",
            (None, false) => "not registered, or on its way",
        };
        let kept_away = account.kept_away.as_deref().unwrap_or("none");
        text.push_str(&format!(
            "{}: {state}; rule in the way: {kept_away}\n",
            account.address
        ));
    }
    let problems = [
        &health.store_problem,
        &health.sound_problem,
        &health.log_problem,
    ];
    for problem in problems.into_iter().flatten() {
        text.push_str(&format!("problem: {problem}\n"));
    }
    for notice in &phone.notices {
        text.push_str(&format!("told: {notice}\n"));
    }
    text
}

/// Which own addresses the routes choose, and which name servers the system names. Nothing is sent: a connected
/// datagram socket only asks the routes.
pub(super) fn network() -> String {
    let mut text = String::new();
    for (kind, bind, far) in [
        ("IPv4", "0.0.0.0:0", "192.0.2.1:5060"),
        ("IPv6", "[::]:0", "[2001:db8::1]:5060"),
    ] {
        let own = UdpSocket::bind(bind).and_then(|socket| {
            socket.connect(far)?;
            socket.local_addr()
        });
        let own = own.map_or_else(
            |error| format!("no way out ({error})"),
            |own| own.ip().to_string(),
        );
        text.push_str(&format!("{kind} towards the Internet: {own}\n"));
    }
    let resolver = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    for line in resolver
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
    {
        text.push_str(&format!("resolver: {line}\n"));
    }
    text
}

/// Whether the database is whole, and how much is in it.
pub(super) async fn store(paths: &Paths) -> String {
    let folder = paths.data_dir.clone();
    let looked = tokio::task::spawn_blocking(move || app::store_state(&folder)).await;
    match looked {
        Ok(Ok(Some(state))) => {
            let mut text = format!(
                "schema {} of {}\n{} octets, {} in its log\nintegrity: {}\n",
                state.schema, state.newest_schema, state.octets, state.log_octets, state.verdict
            );
            for table in &state.tables {
                text.push_str(&format!("{}: {} rows\n", table.table, table.rows));
            }
            text
        }
        Ok(Ok(None)) => "there is no database yet\n".to_owned(),
        Ok(Err(error)) => format!("{error}\n"),
        Err(error) => format!("it was not looked at: {error}\n"),
    }
}

/// The newest files of the log, the newest last, up to a limit.
pub(super) fn log_files(folder: &Path) -> Vec<(String, String)> {
    let mut room = LOG_OCTETS;
    let mut taken = Vec::new();
    for path in log::files(folder).into_iter().rev() {
        let mut octets = Vec::new();
        let read =
            std::fs::File::open(&path).and_then(|file| file.take(room).read_to_end(&mut octets));
        if read.is_err() || octets.is_empty() {
            continue;
        }
        room = room.saturating_sub(u64::try_from(octets.len()).unwrap_or(u64::MAX));
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        taken.push((name, String::from_utf8_lossy(&octets).into_owned()));
        if room == 0 {
            break;
        }
    }
    taken.reverse();
    taken
}
