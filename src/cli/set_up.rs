//! `ringdesk setup`: an account from an address and a password, or settings of an administrator.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::app::{read_provisioning, try_account};
use crate::base::redact::Secret;
use crate::cli::args::{AnswerArgs, RecordArgs, TransportArg};
use crate::cli::headless::{print_error, print_line};
use crate::cli::run::Exit;
use crate::cli::setup::{self, Usage};
use crate::cli::single_instance::{self, Request};
use crate::config::paths::Paths;
use crate::config::provisioning::{Provisioned, Weight, changes};
use crate::config::{Account, Config, file, secret};
use crate::control::TrialOutcome;

/// Options of `ringdesk setup`.
#[derive(Debug, Args)]
pub(super) struct SetupArgs {
    /// What to set up.
    #[command(subcommand)]
    task: SetupTask,
}

#[derive(Debug, Subcommand)]
enum SetupTask {
    /// Add an account: its server is looked for (NAPTR, SRV), encrypted ways first, and the account is tried by
    /// a registration before it is kept.
    Account(AccountArgs),
    /// Take settings from a provisioning file or an https: address; what it changes is shown first.
    From(FromArgs),
}

#[derive(Debug, Args)]
struct AccountArgs {
    /// Such as alice@example.com.
    #[arg(value_name = "ADDRESS")]
    address: String,
    /// Environment variable with the password.
    #[arg(long, value_name = "VAR", conflicts_with = "password_file")]
    password_env: Option<String>,
    /// File with the password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The name shown to the far end.
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// Authentication user name, where it is another than that of the address.
    #[arg(long, value_name = "NAME")]
    auth_user: Option<String>,
    /// Registrar, where it is another than the domain.
    #[arg(long, value_name = "HOST[:PORT]")]
    registrar: Option<String>,
    /// Only by this transport.
    #[arg(long, value_enum)]
    transport: Option<TransportArg>,
    /// Trust the authorities in this PEM file in place of the system's.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Keep the account also when it does not work.
    #[arg(long)]
    anyway: bool,
    /// Keep the password in a file that only you can read where there is no keyring.
    #[arg(long)]
    password_in_file: bool,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Args)]
struct FromArgs {
    /// A TOML file with the words of the configuration file, or its https: address.
    #[arg(value_name = "FILE|URL")]
    source: String,
    /// Apply it without asking.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    records: RecordArgs,
}

/// Sets it up.
pub(super) async fn run(args: SetupArgs) -> anyhow::Result<Exit> {
    match args.task {
        SetupTask::Account(args) => account(args).await,
        SetupTask::From(args) => from(args).await,
    }
}

/// The configuration, which a running phone would write over.
async fn configuration(paths: &Paths) -> anyhow::Result<Config> {
    if single_instance::ask(paths, &Request::Health)
        .await?
        .is_some()
    {
        bail!("Ringdesk runs; change it in its Settings, or end it first");
    }
    Ok(file::load(&paths.config_file)?)
}

async fn account(args: AccountArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.answer.records.data_dir.as_deref())?;
    let mut config = configuration(&paths).await?;
    let locks = Provisioned::load(&paths.config_file)?
        .map(|it| it.locks())
        .unwrap_or_default();
    let password = password(&args)?;
    let account = described(&args)?;
    let outcome = try_account(
        account,
        password.as_ref(),
        &config.settings.name_server_addresses(),
    )
    .await;
    tell(&outcome, args.answer.json);
    if outcome.reached().is_none() && !args.anyway {
        if !args.answer.json {
            print_error("The account was not kept; give --anyway to keep it all the same.");
        }
        return Ok(Exit::NotRegistered);
    }
    let before = config.clone();
    let address = outcome.account.address.clone();
    config.accounts.retain(|known| known.address != address);
    config.accounts.push(outcome.account);
    if let Some(broken) = locks.broken_by(&before, &config) {
        bail!(
            "{} is locked by your administrator ({}); nothing was changed",
            broken.name,
            locks.because()
        );
    }
    paths.create()?;
    if let Some(password) = &password {
        secret::store(
            &paths.secrets_file,
            &address,
            password,
            args.password_in_file,
        )?;
    }
    file::save(&paths.config_file, &config)?;
    if !args.answer.json {
        print_line(&format!(
            "The account is kept in {}.",
            paths.config_file.display()
        ));
    }
    Ok(Exit::Done)
}

fn password(args: &AccountArgs) -> anyhow::Result<Option<Secret>> {
    Ok(match (&args.password_env, &args.password_file) {
        (Some(variable), _) => Some(secret::from_variable(variable)?),
        (None, Some(file)) => Some(secret::from_file(file)?),
        (None, None) => None,
    })
}

fn described(args: &AccountArgs) -> Result<Account, Usage> {
    let mut account = Account {
        display_name: args.display_name.clone().unwrap_or_default(),
        auth_user: args.auth_user.clone().unwrap_or_default(),
        registrar: args.registrar.clone().unwrap_or_default(),
        transport: args.transport.map(TransportArg::choice).unwrap_or_default(),
        ..Account::at(&args.address).map_err(|problem| Usage(problem.to_string()))?
    };
    if let Some(file) = &args.ca_file {
        account.tls.ca_file = file.display().to_string();
    }
    match account.validate() {
        Ok(()) => Ok(account),
        Err(problem) => Err(Usage(problem.to_string())),
    }
}

/// Says what was tried, and what came of it.
fn tell(outcome: &TrialOutcome, json: bool) {
    for step in &outcome.steps {
        let way = format!("{:?}", step.transport).to_lowercase();
        if json {
            let line = match &step.result {
                Ok(reached) => json!({
                    "address": outcome.account.address,
                    "way": way,
                    "registered": true,
                    "transport": reached.transport.to_string(),
                    "server": reached.server,
                    "expires": reached.expires.as_secs(),
                }),
                Err(reason) => json!({
                    "address": outcome.account.address,
                    "way": way,
                    "registered": false,
                    "reason": reason,
                }),
            };
            print_line(&line.to_string());
            continue;
        }
        match &step.result {
            Ok(reached) => {
                let clear = if outcome.account.is_encrypted() {
                    ""
                } else {
                    "; it is not encrypted"
                };
                print_line(&format!(
                    "{} works: registered by {} at {}{clear}.",
                    outcome.account.address, reached.transport, reached.server
                ));
            }
            Err(reason) => print_error(&format!("by {way}: {reason}")),
        }
    }
}

async fn from(args: FromArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.records.data_dir.as_deref())?;
    let config = configuration(&paths).await?;
    let read = read_provisioning(&args.source).await;
    let (text, provisioning) = read.map_err(|why| anyhow::anyhow!(why))?;
    let wanted = provisioning.apply(&config)?;
    for change in changes(&config, &wanted) {
        let mark = if change.weight == Weight::Plain {
            " "
        } else {
            "!"
        };
        print_line(&format!("{mark} {change}"));
    }
    let locks = provisioning.locks();
    for key in locks.keys() {
        print_line(&format!(
            "! {key} is locked from now on ({})",
            locks.because()
        ));
    }
    if !args.yes && !agreed()? {
        print_error("Nothing was changed; give --yes to apply it.");
        return Ok(Exit::Failed);
    }
    paths.create()?;
    // A path is read again from another folder.
    let source = if args.source.contains("://") {
        args.source
    } else {
        std::path::absolute(&args.source)?.display().to_string()
    };
    file::save(&paths.config_file, &wanted)?;
    Provisioned { source, text }.save(&paths.config_file)?;
    print_line(&format!(
        "The settings are in {}.",
        paths.config_file.display()
    ));
    Ok(Exit::Done)
}

/// Asks who sits there; a script says `--yes`.
fn agreed() -> std::io::Result<bool> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Ok(false);
    }
    let mut out = std::io::stderr();
    write!(out, "Apply this? [y/N] ")?;
    out.flush()?;
    let mut line = String::new();
    input.lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}
