//! The support bundle: what somebody who helps from afar needs to know, without a secret, and with people at
//! full length only where the agent says so.
//!
//! Everything passes [`Cover`] on its way into a file, whatever was done to it before.

use std::io::Read as _;
use std::net::UdpSocket;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::app::{self, Records};
use crate::base::scrub::{self, People};
use crate::base::{clock, log};
use crate::cli::doctor::{self, Check};
use crate::cli::headless::{print_error, print_line};
use crate::cli::single_instance::{self, Health, Reply, Request};
use crate::config::numbering::default_region;
use crate::config::paths::Paths;
use crate::config::{Config, file};
use crate::control::{DevicesView, Handle, SupportBundle, SupportFile};
use crate::crm::row::{CallFilter, CallLadder, CallRow, LadderMessage};

/// The SIP messages of so many calls are in it.
const LADDERS: usize = 10;
/// The file about the store.
const STORE: &str = "store.txt";
/// The people of so many calls are known by name.
const KNOWN_CALLS: usize = 500;
/// The most octets of the log, the newest.
const LOG_OCTETS: u64 = 8 << 20;

/// What only the running phone knows.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Phone {
    health: Option<Health>,
    /// Its sound devices, one line each.
    devices: Vec<String>,
    /// What it tells the agent just now.
    notices: Vec<String>,
    /// The SIP messages of each account's registration.
    registrations: Vec<(String, Vec<LadderMessage>)>,
    ladders: Vec<CallLadder>,
    /// Of the last calls, whoever may be named in a log line.
    people: Vec<String>,
}

/// Asks the phone of this process.
pub(super) async fn phone(handle: &Handle, records: &Records) -> Phone {
    let snapshot = handle.snapshot();
    let accounts = snapshot.accounts.iter();
    let registrations = accounts.map(|view| {
        let address = view.account.address.clone();
        let messages = records.registration_ladder(&address);
        (address, messages)
    });
    Phone {
        health: Some(single_instance::health(&snapshot)),
        devices: devices(&snapshot.devices),
        notices: snapshot.notices.iter().map(|it| it.text.clone()).collect(),
        registrations: registrations.collect(),
        ..of_records(records).await
    }
}

/// What the records alone tell.
async fn of_records(records: &Records) -> Phone {
    // A store that cannot be read is a fault that the bundle tells of elsewhere.
    let calls = records.calls(CallFilter::All, "", KNOWN_CALLS).await;
    let calls = calls.unwrap_or_default();
    let mut ladders = Vec::new();
    for call in calls.iter().take(LADDERS) {
        if let Ok(Some(ladder)) = records.ladder_of(call.id).await {
            ladders.push(ladder);
        }
    }
    Phone {
        ladders,
        people: calls.into_iter().flat_map(people_of).collect(),
        ..Phone::default()
    }
}

fn people_of(call: CallRow) -> impl Iterator<Item = String> {
    let texts = [
        Some(call.remote),
        call.e164,
        call.remote_name,
        call.contact_name,
        call.organization,
        call.via,
        call.transferred_to,
    ];
    texts.into_iter().flatten()
}

fn devices(view: &DevicesView) -> Vec<String> {
    let mut lines = vec![
        format!("microphone in use: {}", view.microphone),
        format!("speaker in use: {}", view.speaker),
    ];
    lines.extend(
        view.microphones
            .iter()
            .map(|name| format!("microphone: {name}")),
    );
    lines.extend(view.speakers.iter().map(|name| format!("speaker: {name}")));
    let problems = [
        &view.problem,
        &view.microphone_problem,
        &view.hold_music_problem,
        &view.announcement_problem,
    ];
    lines.extend(
        problems
            .into_iter()
            .flatten()
            .map(|it| format!("problem: {it}")),
    );
    lines
}

/// Gathers everything.
pub(super) async fn gather(
    paths: &Paths,
    checks: &[Check],
    phone: Phone,
    people: bool,
) -> SupportBundle {
    let config = file::load(&paths.config_file);
    let cover = Cover::new(config.as_ref().ok(), &phone, people);
    let mut bundle = SupportBundle {
        people,
        ..SupportBundle::default()
    };
    let mut add = |name: &str, text: &str| {
        bundle.files.push(SupportFile {
            name: name.to_owned(),
            // Of the store there are counts alone, which look like numbers of people.
            text: if name == STORE {
                text.to_owned()
            } else {
                cover.over(text)
            },
        });
    };
    add("about.txt", &about(people));
    let lines: Vec<String> = checks.iter().map(doctor::line).collect();
    add("doctor.txt", &(lines.join("\n") + "\n"));
    add("config.toml", &settings(paths, config));
    add("accounts.txt", &accounts(&phone));
    add("devices.txt", &(phone.devices.join("\n") + "\n"));
    add("network.txt", &network());
    add(STORE, &store(paths).await);
    for (address, messages) in &phone.registrations {
        let user = scrub::short(address.rsplit(':').next().unwrap_or_default());
        add(
            &format!("sip/registration of {}.txt", plain(&user)),
            &ladder(messages),
        );
    }
    for told in &phone.ladders {
        add(&format!("sip/call {}.txt", told.call.id), &of_call(told));
    }
    for (name, text) in log_files(&paths.log_dir) {
        add(&format!("log/{name}"), &text);
    }
    bundle
}

/// Takes secrets and people out of a text.
struct Cover {
    people: Option<People>,
    home: Option<String>,
}

impl Cover {
    fn new(config: Option<&Config>, phone: &Phone, people: bool) -> Self {
        let mut known = phone.people.clone();
        if let Some(config) = config {
            known.push(config.settings.agent.clone());
            known.extend(config.settings.colleagues.iter().map(|it| it.name.clone()));
            known.extend(config.accounts.iter().map(|it| it.display_name.clone()));
        }
        let home = std::env::home_dir().map(|home| home.to_string_lossy().into_owned());
        Self {
            people: (!people).then(|| People::new(known)),
            home: home.filter(|home| home.len() > 1),
        }
    }

    fn over(&self, text: &str) -> String {
        let mut text = scrub::secrets(text);
        if let Some(people) = &self.people {
            // The user's own name stands in the path of their folder.
            if let Some(home) = &self.home {
                text = text.replace(home.as_str(), "~");
            }
            text = people.shorten(&names(&text));
        }
        text
    }
}

/// Shortens the values of settings that name somebody, in a file that the phone itself cannot read too.
fn names(text: &str) -> String {
    let lines = text
        .split_inclusive('\n')
        .map(|line| match line.split_once('=') {
            Some((key, value)) if matches!(key.trim(), "agent" | "display_name" | "name") => {
                let value = scrub::short(value.trim().trim_matches('"'));
                format!("{} = \"{value}\"\n", key.trim_end())
            }
            _ => line.to_owned(),
        });
    lines.collect()
}

/// The letters and digits of a text, for the name of a file.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '.' | '-'))
        .collect()
}

fn about(people: bool) -> String {
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
fn settings(paths: &Paths, config: Result<Config, crate::config::ConfigError>) -> String {
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

fn accounts(phone: &Phone) -> String {
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
fn network() -> String {
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
async fn store(paths: &Paths) -> String {
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

fn of_call(told: &CallLadder) -> String {
    let call = &told.call;
    format!(
        "{:?} call, {:?}, {}\nbegan {}, answered {:?}, ended {:?}\n\n{}",
        call.direction,
        call.state,
        call.end_reason.as_deref().unwrap_or("no reason"),
        call.started_at,
        call.answered_at,
        call.ended_at,
        ladder(&told.messages)
    )
}

/// The heads of SIP messages, and of their bodies the kind and the length: what people write is theirs. Media
/// descriptions stay; a call without sound is understood by them alone.
fn ladder(messages: &[LadderMessage]) -> String {
    let mut text = String::new();
    for message in messages {
        let way = if message.sent { "->" } else { "<-" };
        let (head, body) = message
            .text
            .split_once("\r\n\r\n")
            .unwrap_or((&message.text, ""));
        let described = head.to_ascii_lowercase().contains("application/sdp");
        let body = match body.len() {
            0 => String::new(),
            _ if described => format!("\n\n{}", without_names(body.trim_end())),
            length => format!("\n\n({length} octets are not in this bundle)"),
        };
        text.push_str(&format!(
            "{} {} {way} {} by {}\n{head}{body}\n\n",
            message.at, message.local, message.remote, message.transport
        ));
    }
    text.replace('\r', "")
}

/// A media description without its lines for people: who made it, subject, addresses (RFC 8866 section 5).
fn without_names(description: &str) -> String {
    let lines = description.lines().map(|line| match line.split_once('=') {
        Some(("o", origin)) => {
            let rest = origin.split_once(' ').map_or("", |(_, rest)| rest);
            format!("o=- {rest}\n")
        }
        Some((kind @ ("s" | "i" | "u" | "e" | "p"), _)) => format!("{kind}=-\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

/// The newest files of the log, the newest last, up to a limit.
fn log_files(folder: &Path) -> Vec<(String, String)> {
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

/// Gathers a bundle for the command line, lists what is in it and writes it.
pub(super) async fn write(
    paths: &Paths,
    checks: &[Check],
    file: &Path,
    people: bool,
    json: bool,
) -> anyhow::Result<()> {
    let phone = match single_instance::ask(paths, &Request::Support).await {
        Ok(Some(Reply::Support(phone))) => *phone,
        Ok(Some(_)) | Err(_) => Phone::default(),
        Ok(None) => without_phone(paths).await,
    };
    let bundle = gather(paths, checks, phone, people).await;
    let written = app::save_support_bundle(&bundle, file, clock::wall_now());
    let written = written.map_err(|error| {
        anyhow::anyhow!(
            "the support bundle {} cannot be written ({error}); name another file",
            file.display()
        )
    })?;
    // The checks are on stdout, for scripts.
    for file in &bundle.files {
        print_error(&format!("{:>9} octets  {}", file.text.len(), file.name));
    }
    let done = format!(
        "The support bundle is {}; look through it before you send it.",
        written.display()
    );
    if json {
        print_error(&done);
    } else {
        print_line(&done);
    }
    Ok(())
}

async fn without_phone(paths: &Paths) -> Phone {
    let config = file::load(&paths.config_file).unwrap_or_default();
    let region = default_region(config.accounts.iter(), &config.settings);
    if !paths.data_dir.exists() {
        return Phone::default();
    }
    match Records::open(&paths.data_dir, region) {
        Ok(records) => of_records(&records).await,
        Err(_) => Phone::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::CallId;

    /// What must not be in it, and where each is planted.
    const SECRETS: [&str; 9] = [
        "hunter2secret",
        "tokenABCDEF",
        "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj",
        "6629fae49393a05397450978507c4ef1",
        "asd88fgpdd777uzjYhagZg",
        "7391548",
        "Zacharias",
        "4930901820",
        "berta.beispiel",
    ];

    fn message(text: &str) -> LadderMessage {
        LadderMessage {
            at: jiff::Timestamp::UNIX_EPOCH,
            sent: true,
            transport: "UDP".to_owned(),
            local: "192.0.2.9:5060".parse().unwrap(),
            remote: "192.0.2.1:5060".parse().unwrap(),
            omitted: 0,
            text: text.replace('\n', "\r\n"),
        }
    }

    fn planted() -> (tempfile::TempDir, Paths, Phone) {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::in_data_dir(folder.path());
        std::fs::create_dir_all(&paths.log_dir).unwrap();
        std::fs::write(
            paths.log_dir.join("ringdesk.log"),
            "INFO login with password=hunter2secret and token: tokenABCDEF\n\
             INFO From: \"Zacharias Zott\" <sip:berta.beispiel@example.com>\n\
             INFO Authorization: Digest username=\"berta.beispiel\", response=\"6629fae49393a05397450978507c4ef1\"\n\
             INFO dtmf=7391548 to +49 30 901820\n",
        )
        .unwrap();
        // A file that the phone cannot read goes in as it stands.
        std::fs::write(
            &paths.config_file,
            "[settings]\nagent = \"Zacharias\"\npassword = \"hunter2secret\"\n\
             [[accounts]]\naddress = \"sip:berta.beispiel@example.com\"\n\
             [accounts.rules]\nforward_always = \"+4930901820\"\n",
        )
        .unwrap();
        let mut call = CallRow::ringing(
            CallId::new(1, [1; 10]),
            "sip:+4930901820@example.com",
            jiff::Timestamp::UNIX_EPOCH,
        );
        call.contact_name = Some("Zacharias Zott".to_owned());
        call.end_reason = Some("Zacharias Zott hung up".to_owned());
        let people = people_of(call.clone()).collect();
        let invite = "INVITE sip:+4930901820@example.com SIP/2.0\nFrom: Zacharias Zott <sip:berta.beispiel@example.com>\n\
                      Proxy-Authorization: Digest response=\"6629fae49393a05397450978507c4ef1\"\nContent-Type: application/sdp\n\n\
                      v=0\no=berta.beispiel 1 1 IN IP4 192.0.2.9\ns=Zacharias\na=ice-pwd:asd88fgpdd777uzjYhagZg\n\
                      a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\n";
        let info =
            "INFO sip:a@b SIP/2.0\nContent-Type: application/dtmf-relay\n\nSignal=7\n7391548\n";
        let text =
            "MESSAGE sip:a@b SIP/2.0\nContent-Type: text/plain\n\nhunter2secret, says Zacharias\n";
        let phone = Phone {
            notices: vec![
                "password=\"hunter2secret\" of sip:berta.beispiel@example.com".to_owned(),
            ],
            registrations: vec![(
                "sip:berta.beispiel@example.com".to_owned(),
                vec![message(invite)],
            )],
            ladders: vec![CallLadder {
                call,
                messages: vec![message(invite), message(info), message(text)],
            }],
            people,
            ..Phone::default()
        };
        (folder, paths, phone)
    }

    #[tokio::test]
    async fn nothing_that_was_planted_is_in_the_bundle() {
        let (_folder, paths, phone) = planted();
        let bundle = gather(&paths, &[], phone, false).await;
        assert!(bundle.files.len() >= 9, "{}", bundle.files.len());
        for file in &bundle.files {
            for secret in SECRETS {
                assert!(
                    !file.text.contains(secret) && !file.name.contains(secret),
                    "{secret} is in {}: {}",
                    file.name,
                    file.text
                );
            }
        }
        let all: String = bundle.files.iter().map(|file| file.text.as_str()).collect();
        // What helps is there.
        for useful in [
            "INVITE sip:",
            "192.0.2.1:5060",
            "example.com",
            "forward_always",
        ] {
            assert!(all.contains(useful), "{useful} is missing: {all}");
        }
    }

    #[tokio::test]
    async fn people_stay_where_the_agent_says_so_and_secrets_never() {
        let (_folder, paths, phone) = planted();
        let bundle = gather(&paths, &[], phone, true).await;
        let all: String = bundle.files.iter().map(|file| file.text.as_str()).collect();
        for secret in &SECRETS[..6] {
            assert!(!all.contains(secret), "{secret}: {all}");
        }
        for person in &SECRETS[6..] {
            assert!(all.contains(person), "{person}");
        }
    }
}
