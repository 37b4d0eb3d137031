//! From arguments and files to the engine's options.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ArgMatches;

use crate::app::{
    AccountOptions, EngineOptions, IceAccess, IncomingPolicy, Script, ScriptedTransfer, SecondCall,
    Source, devices, hold_music,
};
use crate::base::redact::Secret;
use crate::cli::args::{HeadlessArgs, SecondCallArg, TransportArg};
use crate::config::account::{MessageWaiting, TransportChoice};
use crate::config::call_extensions::CallExtensions;
use crate::config::call_rules::CallRules;
use crate::config::ice::IceOptions;
use crate::config::paths::Paths;
use crate::config::settings::{Colleague, WatchKind};
#[cfg(feature = "gui")]
use crate::config::tls::TlsOptions;
use crate::config::{Account, Config, SecretError, file, secret, validate};

/// The folders by `--data-dir`, or the user's own.
pub(super) fn paths(data_dir: Option<&Path>) -> anyhow::Result<Paths> {
    Ok(match data_dir {
        Some(dir) => Paths::in_data_dir(&std::path::absolute(dir)?),
        None => Paths::user()?,
    })
}

/// Options of the headless phone.
pub(super) fn headless(args: &HeadlessArgs, matches: &ArgMatches) -> anyhow::Result<EngineOptions> {
    let paths = paths(args.data_dir.as_deref())?;
    let config = match &args.config {
        Some(path) if !path.exists() => {
            bail!("the configuration file {} does not exist", path.display())
        }
        Some(path) => file::load(path)?,
        None => file::load(&paths.config_file)?,
    };
    let mut accounts = accounts(args, matches, &config, &paths)?;
    if accounts.is_empty() && !args.no_register {
        return Err(Usage(
            "there is no account to register: give --account, or --config with one, or --no-register for direct calls".to_owned(),
        )
        .into());
    }
    if !args.codecs.is_empty()
        && let Err(problem) = validate::codecs(&args.codecs)
    {
        return Err(Usage(problem.to_string()).into());
    }
    for options in &mut accounts {
        let account = &mut options.account;
        apply_to_all(args, account);
        account
            .validate()
            .with_context(|| format!("the account {}", account.address))?;
    }
    validate::tls(&args.tls.direct())?;
    let mut settings = config.settings;
    // Testers' far ends often send no sound at all; who wants the limit says so.
    if args.config.is_none() && !paths.config_file.exists() {
        settings.silence_limit_seconds = 0;
    }
    args.rules.apply_to_settings(&mut settings);
    if let Some(range) = args.rtp_ports {
        settings.rtp_ports = range.to_string();
    }
    if let Some(path) = &args.recording_announcement {
        settings.recording_announcement = path.display().to_string();
    }
    args.voice.apply(&mut settings);
    if !args.name_server.is_empty() {
        settings.name_servers.clone_from(&args.name_server);
    }
    for (addresses, watch) in [
        (&args.watch, WatchKind::Blf),
        (&args.presence, WatchKind::Presence),
    ] {
        settings
            .colleagues
            .extend(addresses.iter().map(|address| Colleague {
                name: String::new(),
                address: address.clone(),
                watch,
            }));
    }
    settings.validate()?;
    settings.microphone.clone_from(&args.audio);
    settings.speaker.clone_from(&args.audio);
    settings.ringer.clone_from(&args.audio);
    settings.max_calls = u32::try_from(args.max_calls).unwrap_or(u32::MAX);
    settings.ladder_days = args.ladder_days.unwrap_or(settings.ladder_days);
    let record_dir = record_dir(&paths, args.record_dir.as_deref(), &settings.record_dir)?;
    let loopback = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let anywhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    let (direct_extensions, direct_ice) = direct_calls(args)?;
    Ok(EngineOptions {
        bind: args
            .bind
            .unwrap_or(if args.no_register { loopback } else { anywhere }),
        record_dir,
        accounts,
        direct_tls: args.tls.direct(),
        direct_ice,
        devices: devices(&settings),
        accept_direct_calls: args.no_register,
        max_calls: args.max_calls,
        attended: false,
        second_call: Some(match args.second_call {
            SecondCallArg::Together => SecondCall::Together,
            SecondCallArg::Hold => SecondCall::Hold,
            SecondCallArg::Refuse => SecondCall::Refuse,
        }),
        hold_music: args.hold_music.clone().or_else(|| hold_music(&settings)),
        persist: false,
        settings,
        script: Script {
            extensions: direct_extensions,
            ..script(args)
        },
        notices: Vec::new(),
        paths,
    })
}

/// What holds for calls that belong to no account.
fn direct_calls(args: &HeadlessArgs) -> anyhow::Result<(CallExtensions, IceAccess)> {
    let mut extensions = CallExtensions::default();
    args.extensions.apply(&mut extensions);
    if let Err(problem) = extensions.validate() {
        return Err(Usage(problem.to_string()).into());
    }
    let mut options = IceOptions::default();
    args.ice.apply(&mut options);
    if let Err(problem) = options.validate() {
        return Err(Usage(problem.to_string()).into());
    }
    let ice = IceAccess {
        options,
        turn_password: args.ice.password()?,
    };
    Ok((extensions, ice))
}

/// Options of the desktop phone. A damaged configuration is told in the window and left as it is.
#[cfg(feature = "gui")]
pub(super) fn desktop(data_dir: Option<&Path>) -> anyhow::Result<EngineOptions> {
    let paths = paths(data_dir)?;
    let mut notices = Vec::new();
    let (config, persist) = match file::load(&paths.config_file) {
        Ok(config) => (config, true),
        Err(error) => {
            crate::cli::headless::print_error(&error.to_string());
            notices.push(format!(
                "{error}. Until then accounts and settings are not used, and changes are not kept"
            ));
            (Config::default(), false)
        }
    };
    let mut accounts = Vec::new();
    for account in config.accounts {
        let password = match secret::load(&paths.secrets_file, &account.address) {
            Ok(password) => password,
            Err(error) => {
                notices.push(format!(
                    "the password of {} was not found: {error}",
                    account.address
                ));
                None
            }
        };
        let turn_password = match turn_password(&paths, &account) {
            Ok(password) => password,
            Err(error) => {
                notices.push(format!(
                    "the password of the TURN server of {} was not found: {error}",
                    account.address
                ));
                None
            }
        };
        accounts.push(AccountOptions {
            account,
            password,
            turn_password,
        });
    }
    let settings = config.settings;
    let record_dir = record_dir(&paths, None, &settings.record_dir)?;
    Ok(EngineOptions {
        bind: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        record_dir,
        accounts,
        direct_tls: TlsOptions::default(),
        direct_ice: IceAccess::default(),
        devices: devices(&settings),
        max_calls: usize::try_from(settings.max_calls)
            .unwrap_or(usize::MAX)
            .max(1),
        accept_direct_calls: false,
        attended: true,
        second_call: None,
        hold_music: hold_music(&settings),
        persist,
        settings,
        script: Script::default(),
        notices,
        paths,
    })
}

/// Wrong usage that clap cannot see: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Usage(pub(super) String);

/// Where recordings go; the folder is made, and only its owner may look into it.
pub(super) fn record_dir(
    paths: &Paths,
    flag: Option<&Path>,
    setting: &str,
) -> anyhow::Result<PathBuf> {
    let dir = match (flag, setting) {
        (Some(dir), _) => dir.to_owned(),
        (None, "") => paths.recordings.clone(),
        (None, setting) => PathBuf::from(setting),
    };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(&dir)
        .with_context(|| format!("the folder for recordings {} cannot be made", dir.display()))?;
    Ok(dir)
}

/// The accounts of the arguments, else those of the file.
fn accounts(
    args: &HeadlessArgs,
    matches: &ArgMatches,
    config: &Config,
    paths: &Paths,
) -> anyhow::Result<Vec<AccountOptions>> {
    if args.no_register && args.account.is_empty() {
        let turn_password = args.ice.password()?;
        // Only an account can carry a proxy; nobody registers this one.
        let through_proxy = args.outbound_proxy.as_ref().map(|_| AccountOptions {
            account: Account {
                address: "sip:ringdesk@localhost".to_owned(),
                register: false,
                message_waiting: MessageWaiting::Off,
                ..Account::default()
            },
            password: None,
            turn_password: turn_password.clone(),
        });
        return Ok(through_proxy.into_iter().collect());
    }
    if args.account.is_empty() {
        let mut accounts = Vec::new();
        for account in &config.accounts {
            let password = match password(args, matches, None)? {
                Some(password) => Some(password),
                None => secret::load(&paths.secrets_file, &account.address)?,
            };
            accounts.push(AccountOptions {
                account: account.clone(),
                password,
                turn_password: turn_password_of(args, paths, account)?,
            });
        }
        return Ok(accounts);
    }
    let starts: Vec<usize> = indices(matches, "account");
    let mut accounts = Vec::new();
    for (number, (address, start)) in args.account.iter().zip(&starts).enumerate() {
        let end = starts.get(number + 1).copied().unwrap_or(usize::MAX);
        let span = (*start, end);
        // What the file says of this address stands unless an option says otherwise.
        let known = config
            .accounts
            .iter()
            .find(|account| account.address == *address);
        let mut account = known.cloned().unwrap_or_else(|| Account {
            // Who tests a registration wants no further request unasked.
            message_waiting: MessageWaiting::Off,
            ..Account::default()
        });
        account.address.clone_from(address);
        if let Some(registrar) = following(matches, "registrar", &args.registrar, span) {
            account.registrar.clone_from(registrar);
        }
        if let Some(name) = following(matches, "auth_user", &args.auth_user, span) {
            account.auth_user.clone_from(name);
        }
        if let Some(expires) = following(matches, "expires", &args.expires, span) {
            account.expires_seconds = *expires;
        }
        account.register = !args.no_register;
        let password = match password(args, matches, Some(span))? {
            Some(password) => Some(password),
            None if known.is_some() => secret::load(&paths.secrets_file, address)?,
            None => None,
        };
        let turn_password = turn_password_of(args, paths, &account)?;
        accounts.push(AccountOptions {
            account,
            password,
            turn_password,
        });
    }
    Ok(accounts)
}

fn apply_to_all(args: &HeadlessArgs, account: &mut Account) {
    if let Some(proxy) = &args.outbound_proxy {
        account.outbound_proxy.clone_from(proxy);
    }
    match args.transport {
        Some(TransportArg::Udp) => account.transport = TransportChoice::Udp,
        Some(TransportArg::Tcp) => account.transport = TransportChoice::Tcp,
        Some(TransportArg::Tls) => account.transport = TransportChoice::Tls,
        Some(TransportArg::Ws) => account.transport = TransportChoice::Ws,
        Some(TransportArg::Wss) => account.transport = TransportChoice::Wss,
        None => {}
    }
    if args.message_waiting {
        account.message_waiting = MessageWaiting::Auto;
    }
    args.tls.apply(account);
    if let Some(limit) = args.ring_limit {
        account.ring_limit_seconds = limit;
    }
    if !args.codecs.is_empty() {
        account.codecs.clone_from(&args.codecs);
    }
    account.silence_suppression |= args.silence_suppression;
    if let Some(millis) = args.packet_time {
        account.packet_millis = millis;
    }
    args.rules.apply(&mut account.rules);
    args.extensions.apply(&mut account.extensions);
    args.ice.apply(&mut account.ice);
}

/// The password of an account's TURN server: of the options, else the kept one.
fn turn_password_of(
    args: &HeadlessArgs,
    paths: &Paths,
    account: &Account,
) -> anyhow::Result<Option<Secret>> {
    Ok(match args.ice.password()? {
        Some(password) => Some(password),
        None => turn_password(paths, account)?,
    })
}

/// The kept password of an account's TURN server.
fn turn_password(paths: &Paths, account: &Account) -> Result<Option<Secret>, SecretError> {
    match account.ice.secret_name().filter(|_| account.ice.enabled) {
        Some(name) => secret::load(&paths.secrets_file, &name),
        None => Ok(None),
    }
}

fn password(
    args: &HeadlessArgs,
    matches: &ArgMatches,
    span: Option<(usize, usize)>,
) -> anyhow::Result<Option<Secret>> {
    let span = span.unwrap_or((0, usize::MAX));
    if let Some(name) = following(matches, "password_env", &args.password_env, span) {
        return Ok(Some(secret::from_variable(name)?));
    }
    if let Some(path) = following(matches, "password_file", &args.password_file, span) {
        return Ok(Some(secret::from_file(path)?));
    }
    Ok(None)
}

/// The value of an option that stands within a span of the command line.
fn following<'a, T>(
    matches: &ArgMatches,
    id: &str,
    values: &'a [T],
    (start, end): (usize, usize),
) -> Option<&'a T> {
    indices(matches, id)
        .into_iter()
        .zip(values)
        .find(|(index, _)| (start..end).contains(index))
        .map(|(_, value)| value)
}

fn indices(matches: &ArgMatches, id: &str) -> Vec<usize> {
    matches
        .indices_of(id)
        .map(Iterator::collect)
        .unwrap_or_default()
}

fn script(args: &HeadlessArgs) -> Script {
    let incoming = if args.early_media {
        IncomingPolicy::EarlyMedia
    } else if let Some(code) = args.reject {
        IncomingPolicy::Reject(code)
    } else if let Some(target) = &args.redirect {
        IncomingPolicy::Redirect(target.clone())
    } else if let Some(millis) = args.auto_answer {
        IncomingPolicy::Answer(Duration::from_millis(millis))
    } else {
        IncomingPolicy::Ring
    };
    let source = match &args.play {
        Some(path) => Source::File {
            path: path.clone(),
            repeat: args.repeat_play,
        },
        None if args.echo => Source::Echo,
        None => Source::Microphone,
    };
    let mut rules = CallRules::default();
    args.rules.apply(&mut rules);
    Script {
        rules,
        transfer: args.transfer.clone().map(|uri| ScriptedTransfer {
            uri,
            attended: args.attended,
        }),
        controlled: args.control.is_some(),
        incoming,
        hang_up_after: args.hangup_after.map(Duration::from_secs_f64),
        dtmf: args.dtmf.clone(),
        source,
        record: args.record_dir.is_some(),
        codecs: args.codecs.clone(),
        silence_suppression: args.silence_suppression,
        packet_millis: args.packet_time.unwrap_or(20),
        ring_limit: Duration::from_secs(args.ring_limit.unwrap_or(120).into()),
        extensions: CallExtensions::default(),
    }
}
