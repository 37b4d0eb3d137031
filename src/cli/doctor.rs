//! `ringdesk doctor`: what works and what does not, each with a remedy.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::app::{self, Records};
use crate::base::printable::printable;
use crate::base::uri::{Host, Uri};
use crate::base::{clock, log};
use crate::cli::args::DoctorArgs;
use crate::cli::headless::print_line;
use crate::cli::run::Exit;
use crate::cli::setup;
use crate::cli::single_instance::{self, Health, Reply, Request};
use crate::cli::support;
use crate::config::numbering::default_region;
use crate::config::paths::Paths;
use crate::config::{Account, Config, file, secret};
use crate::crm::row::{RefusedRow, SOUND};

/// How far back refused requests are counted.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long one name may take to be resolved.
const RESOLVE: Duration = Duration::from_secs(5);
/// So many refused requests of one source in a day are worth a remedy.
const LOUD: i64 = 1_000;

/// How one thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It works.
    Ok,
    /// It works, but somebody should look.
    Warning,
    /// It does not work.
    Failed,
    /// It cannot be seen from here.
    Unknown,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Check {
    check: &'static str,
    state: State,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sources: Vec<RefusedRow>,
}

impl Check {
    fn new(check: &'static str, state: State, message: impl Into<String>) -> Self {
        Self {
            check,
            state,
            message: message.into(),
            remedy: None,
            sources: Vec::new(),
        }
    }

    fn remedy(self, remedy: impl Into<String>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..self
        }
    }
}

/// Looks at everything and says how it stands. 1 when something fails, 3 when only a registration
/// does.
pub(super) async fn run(args: DoctorArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.answer.records.data_dir.as_deref())?;
    let checks = examine(&paths).await;
    for check in &checks {
        if args.answer.json {
            print_line(&serde_json::to_string(check)?);
        } else {
            print_line(&line(check));
        }
    }
    if let Some(file) = &args.bundle {
        support::write(&paths, &checks, file, args.with_people, args.answer.json).await?;
    }
    Ok(exit(&checks))
}

/// Looks at everything.
pub(super) async fn examine(paths: &Paths) -> Vec<Check> {
    let mut checks = Vec::new();
    let config = configuration(paths, &mut checks);
    let health = match single_instance::ask(paths, &Request::Health).await {
        Ok(Some(Reply::Health(health))) => Some(health),
        Ok(_) => None,
        Err(error) => {
            checks.push(
                Check::new("phone", State::Failed, error.to_string())
                    .remedy("end the running Ringdesk and start it again"),
            );
            None
        }
    };
    checks.extend(registration(health.as_ref(), &config));
    checks.extend(names(&config).await);
    checks.push(sound(health.as_ref()).await);
    let refused = store(paths, &config, health.as_ref(), &mut checks).await;
    checks.push(ports());
    checks.extend(refused_checks(refused));
    checks.push(disk(&paths.data_dir));
    checks.push(log(&paths.log_dir, health.as_ref()));
    checks.extend(passwords(paths, &config));
    checks
}

fn exit(checks: &[Check]) -> Exit {
    let failed = |of: &dyn Fn(&Check) -> bool| {
        checks
            .iter()
            .any(|check| check.state == State::Failed && of(check))
    };
    if failed(&|check| check.check != "registration") {
        Exit::Failed
    } else if failed(&|_| true) {
        Exit::NotRegistered
    } else {
        Exit::Done
    }
}

/// A check as a person reads it.
pub(super) fn line(check: &Check) -> String {
    let word = match check.state {
        State::Ok => "ok     ",
        State::Warning => "WARNING",
        State::Failed => "FAILED ",
        State::Unknown => "unknown",
    };
    let mut line = format!("{word}  {:<13} {}", check.check, printable(&check.message));
    if let Some(remedy) = &check.remedy {
        line.push_str(&format!("\n         {:<13} -> {}", "", printable(remedy)));
    }
    for row in &check.sources {
        line.push_str(&format!(
            "\n         {:<13} {} from {} in {} min, last {}",
            "",
            row.requests,
            printable(&row.source),
            row.minutes,
            row.last_at.strftime("%Y-%m-%d %H:%MZ")
        ));
    }
    line
}

fn configuration(paths: &Paths, checks: &mut Vec<Check>) -> Config {
    match file::load(&paths.config_file) {
        Ok(config) => {
            let accounts = config.accounts.len();
            checks.push(Check::new(
                "configuration",
                State::Ok,
                format!("{} accounts in {}", accounts, paths.config_file.display()),
            ));
            config
        }
        Err(error) => {
            checks.push(
                Check::new("configuration", State::Failed, error.to_string())
                    .remedy("correct the file, or move it away and set the accounts anew"),
            );
            Config::default()
        }
    }
}

fn registration(health: Option<&Health>, config: &Config) -> Vec<Check> {
    let Some(health) = health else {
        return vec![
            Check::new(
                "registration",
                State::Unknown,
                "no phone runs on this data folder",
            )
            .remedy("start ringdesk and ask again"),
        ];
    };
    if health.accounts.is_empty() {
        let message = "the running phone has no account";
        let remedy = if config.accounts.is_empty() {
            "add one in Settings"
        } else {
            "start it again: the configuration has accounts that it does not know"
        };
        return vec![Check::new("registration", State::Warning, message).remedy(remedy)];
    }
    health
        .accounts
        .iter()
        .map(|account| {
            let address = &account.address;
            let registered = match (&account.problem, account.registered) {
                (Some(problem), _) => {
                    // The sentence itself says what to do.
                    Check::new(
                        "registration",
                        State::Failed,
                        format!("{address}: {problem}"),
                    )
                }
                (None, true) => Check::new(
                    "registration",
                    State::Ok,
                    format!("{address} is registered"),
                ),
                (None, false) => Check::new(
                    "registration",
                    State::Unknown,
                    format!("{address} does not register, or has only begun to"),
                ),
            };
            match &account.kept_away {
                Some(rule) if registered.state == State::Ok => Check {
                    state: State::Warning,
                    message: format!("{}, but {rule}", registered.message),
                    ..registered
                }
                .remedy("turn the rule off in the window, or leave it if it is meant"),
                Some(_) | None => registered,
            }
        })
        .collect()
}

/// The hosts of all accounts, as the system's resolver knows them.
async fn names(config: &Config) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for host in config.accounts.iter().filter_map(server_host) {
        if seen.contains(&host) {
            continue;
        }
        seen.push(host.clone());
        let looked_up = tokio::net::lookup_host((host.as_str(), 5060));
        checks.push(match tokio::time::timeout(RESOLVE, looked_up).await {
            Ok(Ok(addresses)) => {
                let addresses: Vec<String> =
                    addresses.map(|address| address.ip().to_string()).collect();
                Check::new("dns", State::Ok, format!("{host} is {}", addresses.join(", ")))
            }
            Ok(Err(error)) => Check::new(
                "dns",
                State::Warning,
                format!("{host} has no address of its own ({error})"),
            )
            .remedy("check the registrar's name and the network; a domain with SRV records alone is no fault"),
            Err(_) => Check::new("dns", State::Failed, format!("{host} is not resolved in time"))
                .remedy("check the network and its name servers"),
        });
    }
    checks
}

/// The host that an account registers at.
fn server_host(account: &Account) -> Option<String> {
    let text = if !account.outbound_proxy.is_empty() {
        account.outbound_proxy.clone()
    } else if !account.registrar.is_empty() {
        format!("sip:{}", account.registrar)
    } else {
        account.address.clone()
    };
    match &Uri::parse(&text).ok()?.as_sip()?.host {
        Host::Name(name) => Some(name.clone()),
        // Addresses need no resolver.
        Host::V4(_) | Host::V6(_) => None,
    }
}

async fn sound(health: Option<&Health>) -> Check {
    if let Some(problem) = health.and_then(|health| health.sound_problem.clone()) {
        return Check::new("sound", State::Failed, problem)
            .remedy("plug the device in, or choose another one in Settings");
    }
    let names = tokio::task::spawn_blocking(app::sound_cards).await;
    let (microphones, speakers) = names.unwrap_or_default();
    if microphones.is_empty() || speakers.is_empty() {
        return Check::new(
            "sound",
            State::Warning,
            "no microphone or no speaker was found",
        )
        .remedy("plug one in; until then calls are silent at this side");
    }
    Check::new(
        "sound",
        State::Ok,
        format!(
            "{} microphones, {} speakers",
            microphones.len(),
            speakers.len()
        ),
    )
}

/// The call log, and what was refused within a day.
async fn store(
    paths: &Paths,
    config: &Config,
    health: Option<&Health>,
    checks: &mut Vec<Check>,
) -> Vec<RefusedRow> {
    if let Some(problem) = health.and_then(|health| health.store_problem.clone()) {
        checks.push(
            Check::new("store", State::Failed, problem)
                .remedy("make room on the disk; nothing is lost while the phone runs"),
        );
    } else if health.is_some() {
        checks.push(Check::new(
            "store",
            State::Ok,
            "the running phone writes its call log",
        ));
    }
    let since = clock::wall_now() - DAY;
    if health.is_some() {
        let request = Request::Refused { since };
        return match single_instance::ask(paths, &request).await {
            Ok(Some(Reply::Refused(rows))) => rows,
            Ok(_) | Err(_) => Vec::new(),
        };
    }
    let region = default_region(config.accounts.iter(), &config.settings);
    if !paths.data_dir.exists() {
        checks.push(Check::new("store", State::Ok, "there is no call log yet"));
        return Vec::new();
    }
    match Records::open(&paths.data_dir, region) {
        Ok(records) => {
            let shown = paths.data_dir.display();
            checks.push(Check::new(
                "store",
                State::Ok,
                format!("the call log in {shown} is sound"),
            ));
            records.refused(since).await.unwrap_or_default()
        }
        Err(error) => {
            checks.push(
                Check::new("store", State::Failed, format!("{error:#}"))
                    .remedy("do what the sentence says; the file is as it was"),
            );
            Vec::new()
        }
    }
}

/// Whether sockets can be had at all; the phone takes any port.
fn ports() -> Check {
    let any: SocketAddr = ([0, 0, 0, 0], 0).into();
    match UdpSocket::bind(any).and_then(|_| TcpListener::bind(any)) {
        Ok(_) => Check::new("ports", State::Ok, "UDP and TCP ports can be opened"),
        Err(error) => Check::new(
            "ports",
            State::Failed,
            format!("no port can be opened: {error}"),
        )
        .remedy("a sandbox or a limit of the system keeps the phone from the network"),
    }
}

/// What was refused unheard, by reason.
fn refused_checks(rows: Vec<RefusedRow>) -> Vec<Check> {
    let (sound, rows): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.why.starts_with(SOUND));
    let (malformed, rest): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .partition(|row| row.why.starts_with("malformed"));
    let mut checks = vec![
        counted(
            "refused",
            rest,
            "requests were refused unheard within a day",
        ),
        counted(
            "malformed",
            malformed,
            "messages could not be read within a day",
        ),
        counted(
            "dropped",
            sound,
            "datagrams of sound were of no use within a day",
        ),
    ];
    if let Some(refused) = checks.first_mut()
        && refused.sources.iter().any(|row| row.requests >= LOUD)
    {
        refused.state = State::Warning;
        refused.remedy = Some(
            "somebody scans for phones: keep SIP from the open Internet by a firewall, or let the PBX alone reach this machine"
                .to_owned(),
        );
    }
    checks
}

fn counted(check: &'static str, sources: Vec<RefusedRow>, what: &str) -> Check {
    let all: i64 = sources.iter().map(|row| row.requests).sum();
    let mut reasons: Vec<&str> = sources.iter().map(|row| row.why.as_str()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let reasons = if reasons.is_empty() {
        String::new()
    } else {
        format!(" ({})", reasons.join(", "))
    };
    Check {
        sources,
        ..Check::new(check, State::Ok, format!("{all} {what}{reasons}"))
    }
}

/// The log file: where it is, and how much of it there is.
fn log(folder: &Path, health: Option<&Health>) -> Check {
    if let Some(problem) = health.and_then(|health| health.log_problem.clone()) {
        return Check::new("log", State::Warning, problem);
    }
    let files = log::files(folder);
    let octets: u64 = files
        .iter()
        .filter_map(|file| file.metadata().ok())
        .map(|it| it.len())
        .sum();
    let message = if files.is_empty() {
        format!("nothing was logged yet; it will be in {}", folder.display())
    } else {
        format!(
            "{} KiB in {} files in {}",
            octets.div_ceil(1024),
            files.len(),
            folder.display()
        )
    };
    Check::new("log", State::Ok, message)
}

fn disk(folder: &Path) -> Check {
    match app::free_space(folder) {
        Ok((free, there)) => {
            let message = format!("{} MiB are free in {}", free >> 20, there.display());
            let remedy = "make room, or choose another folder by --data-dir";
            if free < app::NO_SPACE {
                Check::new("disk", State::Failed, message).remedy(remedy)
            } else if free < app::LITTLE_SPACE {
                Check::new("disk", State::Warning, message).remedy(remedy)
            } else {
                Check::new("disk", State::Ok, message)
            }
        }
        Err(error) => Check::new(
            "disk",
            State::Unknown,
            format!(
                "the free space in {} is not known: {error}",
                folder.display()
            ),
        ),
    }
}

/// Whether each account's password can be had.
fn passwords(paths: &Paths, config: &Config) -> Vec<Check> {
    config
        .accounts
        .iter()
        .map(|account| {
            let address = &account.address;
            match secret::load(&paths.secrets_file, address) {
                Ok(Some(_)) => {
                    Check::new("password", State::Ok, format!("{address} has its password"))
                }
                Ok(None) => Check::new(
                    "password",
                    State::Warning,
                    format!("no password is stored for {address}"),
                )
                .remedy("enter it in Settings, unless the server asks for none"),
                Err(error) => Check::new("password", State::Failed, format!("{address}: {error}")),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(source: &str, why: &str, requests: i64) -> RefusedRow {
        RefusedRow {
            source: source.to_owned(),
            why: why.to_owned(),
            requests,
            minutes: 2,
            last_at: jiff::Timestamp::from_second(1_700_000_000).unwrap(),
        }
    }

    #[test]
    fn what_was_refused_is_summed_by_kind_and_a_scan_has_its_remedy() {
        let checks = refused_checks(vec![
            row("192.0.2.1", "stranger", 5_000),
            row("192.0.2.2", "too-fast", 3),
            row("192.0.2.1", "malformed: Via", 2),
            row("192.0.2.7", "sound: not-authentic", 90_000),
            row("192.0.2.7", "sound: wrong-source", 7),
        ]);
        assert_eq!(checks[0].state, State::Warning);
        assert!(
            checks[0].message.starts_with("5003 requests"),
            "{}",
            checks[0].message
        );
        assert!(checks[0].message.ends_with("(stranger, too-fast)"));
        assert!(checks[0].remedy.as_deref().unwrap().contains("firewall"));
        assert_eq!(checks[1].state, State::Ok);
        assert!(checks[1].message.contains("(malformed: Via)"));
        assert_eq!(checks[2].state, State::Ok);
        assert_eq!(
            checks[2].message,
            "90007 datagrams of sound were of no use within a day (sound: not-authentic, sound: wrong-source)"
        );
        let json = serde_json::json!(checks[0]);
        assert_eq!(json["sources"][0]["source"], "192.0.2.1");
        assert_eq!(json["state"], "warning");
        assert!(line(&checks[0]).contains("5000 from 192.0.2.1 in 2 min"));
    }

    #[test]
    fn the_exit_code_tells_a_lost_registration_from_other_faults() {
        let of = |check, state| Check::new(check, state, "");
        let ok = of("disk", State::Ok);
        let warning = of("sound", State::Warning);
        let lost = of("registration", State::Failed);
        let full = of("disk", State::Failed);
        assert_eq!(exit(&[ok.clone(), warning.clone()]), Exit::Done);
        assert_eq!(exit(&[ok, lost.clone()]), Exit::NotRegistered);
        assert_eq!(exit(&[lost, full, warning]), Exit::Failed);
    }

    #[test]
    fn each_account_is_looked_up_where_it_registers() {
        let account = |address: &str, registrar: &str, proxy: &str| Account {
            address: address.to_owned(),
            registrar: registrar.to_owned(),
            outbound_proxy: proxy.to_owned(),
            ..Account::default()
        };
        for (account, host) in [
            (account("sip:a@example.com", "", ""), Some("example.com")),
            (
                account("sip:a@example.com", "reg.example.com:5070", ""),
                Some("reg.example.com"),
            ),
            (
                account("sip:a@example.com", "reg", "sip:proxy.example.com;lr"),
                Some("proxy.example.com"),
            ),
            (account("sip:a@192.0.2.1", "", ""), None),
        ] {
            assert_eq!(server_host(&account).as_deref(), host);
        }
    }
}
