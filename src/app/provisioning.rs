//! Settings that an administrator gives out: fetched, shown, applied; and held where they are locked.

use std::path::Path;
use std::time::Duration;

use crate::app::engine::{Engine, Internal};
use crate::base::id::AccountId;
use crate::config::provisioning::{Locks, MAX_OCTETS, Provisioned, Provisioning, changes};
use crate::config::{Account, Config};
use crate::control::{ProvisioningView, Rule};
use crate::net::http::{self, FetchError, FetchLimits, WebAddress};

/// How long after the first failure the file is fetched again at a start; each further time twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// Within what a file is fetched. The phone obeys it, so nobody on the way may change it.
const LIMITS: FetchLimits = FetchLimits {
    size: MAX_OCTETS as u64,
    whole: Duration::from_secs(30),
    pause: Duration::from_secs(20),
    redirections: 3,
    protected: true,
    pages: true,
};

/// What was fetched: the text, and what it says.
pub(super) type Fetched = Result<(String, Provisioning), String>;

/// The state of it.
#[derive(Debug, Default)]
pub(super) struct Provision {
    /// What was applied last.
    applied: Option<Provisioned>,
    locks: Locks,
    /// What waits for a yes.
    offered: Option<(Provisioned, Provisioning)>,
    /// What the window shows of it.
    pub(super) view: Option<ProvisioningView>,
    /// Which fetch counts; earlier ones are no longer wanted.
    number: u64,
}

impl Provision {
    /// What the user may not change.
    pub(super) fn locks(&self) -> &Locks {
        &self.locks
    }

    /// Where the settings came from; empty where nobody gave any.
    pub(super) fn source(&self) -> String {
        self.applied
            .as_ref()
            .map(|it| it.source.clone())
            .unwrap_or_default()
    }
}

/// Reads a provisioning file, from a path or an address of the web.
///
/// # Errors
///
/// Fails with a sentence that names the source and what is wrong.
pub async fn read_provisioning(source: &str) -> Result<(String, Provisioning), String> {
    let octets = if source.contains("://") {
        fetch(source).await.map_err(|error| error.to_string())
    } else {
        let path = source.to_owned();
        let read = tokio::task::spawn_blocking(move || read_file(Path::new(&path))).await;
        read.unwrap_or_else(|error| Err(error.to_string()))
    };
    let provisioning = octets.and_then(|octets| {
        let parsed = Provisioning::parse(&octets).map_err(|error| error.to_string())?;
        Ok((String::from_utf8_lossy(&octets).into_owned(), parsed))
    });
    provisioning.map_err(|why| {
        format!("the provisioning file cannot be used: {why}; the settings stay as they are")
    })
}

async fn fetch(address: &str) -> Result<Vec<u8>, FetchError> {
    let address = WebAddress::parse(address)?;
    let mut octets = Vec::new();
    http::fetch(&address, LIMITS, &mut octets, |_, _| ()).await?;
    Ok(octets)
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let mut octets = Vec::new();
    let most = u64::try_from(MAX_OCTETS).unwrap_or(u64::MAX);
    // One more than it may have tells that it is too large.
    let file = std::fs::File::open(path);
    let read = file.and_then(|file| file.take(most.saturating_add(1)).read_to_end(&mut octets));
    read.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(octets)
}

impl Engine {
    /// Knows what is locked, and looks whether the administrator has something new.
    pub(super) fn begin_provisioning(&mut self) {
        let Some(applied) = self.options.provisioned.take() else {
            return;
        };
        let source = applied.source.clone();
        self.provision.locks = applied.locks();
        self.provision.applied = Some(applied);
        self.fetch_provisioning(source, true);
    }

    /// Reads or fetches a file. At a start that goes on until it works, less and less often; what was applied
    /// before stays all the while.
    pub(super) fn fetch_provisioning(&mut self, source: String, at_start: bool) {
        self.provision.number += 1;
        self.provision.offered = None;
        if !at_start {
            self.provision.view = Some(ProvisioningView::Fetching(source.clone()));
            self.dirty = true;
        }
        let (number, internal) = (self.provision.number, self.internal.clone());
        tokio::spawn(async move {
            let mut pause = FIRST_PAUSE;
            loop {
                let fetched = read_provisioning(&source).await;
                let over = fetched.is_ok() || !at_start;
                let told = Internal::Provisioning {
                    number,
                    source: source.clone(),
                    fetched: Box::new(fetched),
                    at_start,
                };
                if internal.send(told).await.is_err() || over {
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = internal.closed() => return,
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        });
    }

    /// Shows what a file would change. What changes nothing but locks holds at once.
    pub(super) fn handle_provisioning(
        &mut self,
        number: u64,
        source: String,
        fetched: Fetched,
        at_start: bool,
    ) {
        if number != self.provision.number {
            return;
        }
        let planned = fetched.and_then(|(text, provisioning)| {
            let old = self.configuration();
            let new = provisioning
                .apply(&old)
                .map_err(|error| error.to_string())?;
            Ok((
                Provisioned { source, text },
                provisioning,
                changes(&old, &new),
            ))
        });
        match planned {
            Ok((provisioned, provisioning, changes)) => {
                let nothing = changes.is_empty();
                if nothing && at_start {
                    self.keep_provisioned(provisioned, &provisioning);
                    return;
                }
                let locks = provisioning.locks();
                self.provision.view = Some(ProvisioningView::Offered {
                    source: provisioned.source.clone(),
                    changes,
                    locked: locks.keys().to_vec(),
                    because: locks.because().to_owned(),
                });
                self.provision.offered = Some((provisioned, provisioning));
            }
            Err(why) if at_start => self.problem(None, why),
            Err(why) => self.provision.view = Some(ProvisioningView::Failed(why)),
        }
    }

    /// Applies what was shown.
    pub(super) fn apply_provisioning(&mut self, now: std::time::Instant) {
        self.provision.view = None;
        let Some((provisioned, provisioning)) = self.provision.offered.take() else {
            return;
        };
        let config = match provisioning.apply(&self.configuration()) {
            Ok(config) => config,
            Err(error) => return self.problem(None, error.to_string()),
        };
        for account in config.accounts {
            let known = self
                .accounts
                .iter()
                .find(|live| live.account.address == account.address);
            let id = known.map(|live| live.id);
            if known.is_none_or(|live| live.account != account) {
                self.save_account(now, id, account, [None, None], false);
            }
        }
        if config.settings != self.options.settings {
            self.save_settings(now, config.settings);
        }
        self.keep_provisioned(provisioned, &provisioning);
    }

    /// Forgets what was offered.
    pub(super) fn drop_provisioning(&mut self) {
        self.provision.view = None;
        self.provision.offered = None;
    }

    fn keep_provisioned(&mut self, provisioned: Provisioned, provisioning: &Provisioning) {
        self.provision.locks = provisioning.locks().clone();
        self.dirty = true;
        if self.provision.applied.as_ref() == Some(&provisioned) {
            return;
        }
        self.provision.applied = Some(provisioned.clone());
        if self.options.persist {
            let file = self.options.paths.config_file.clone();
            self.in_background(move || provisioned.save(&file).map_err(|error| error.to_string()));
        }
    }

    /// Settings and stored accounts as they are.
    pub(super) fn configuration(&self) -> Config {
        let stored = self.accounts.iter().filter(|live| live.stored);
        Config {
            settings: self.options.settings.clone(),
            accounts: stored.map(|live| live.account.clone()).collect(),
        }
    }

    /// Whether a change of the configuration is allowed; what is locked is told.
    pub(super) fn may_change(&mut self, change: impl FnOnce(&mut Config)) -> bool {
        if self.provision.locks.is_empty() {
            return true;
        }
        let old = self.configuration();
        let mut new = old.clone();
        change(&mut new);
        match self.provision.locks.broken_by(&old, &new) {
            Some(broken) => {
                self.refuse_locked(&broken.name);
                false
            }
            None => true,
        }
    }

    /// The same for an account that is saved.
    pub(super) fn may_save_account(&mut self, id: Option<AccountId>, account: &Account) -> bool {
        let address = id.and_then(|id| self.account_address(id));
        self.may_change(|config| {
            let known = config
                .accounts
                .iter_mut()
                .find(|it| Some(&it.address) == address.as_ref());
            match known {
                Some(known) => known.clone_from(account),
                None => config.accounts.push(account.clone()),
            }
        })
    }

    /// The same for the password of a TURN server, which is no part of the configuration.
    pub(super) fn may_keep_turn_password(&mut self) -> bool {
        self.may_touch("accounts.ice.turn_password")
    }

    /// The same for an account that is removed.
    pub(super) fn may_remove_account(&mut self, id: AccountId) -> bool {
        let address = self.account_address(id);
        self.may_change(|config| {
            config
                .accounts
                .retain(|it| Some(&it.address) != address.as_ref());
        })
    }

    /// The same for a rule.
    pub(super) fn may_set(&mut self, rule: &Rule) -> bool {
        let key = match rule {
            Rule::DoNotDisturb(_) => "accounts.rules.do_not_disturb",
            Rule::ForwardAlways(_) => "accounts.rules.forward_always",
            Rule::ForwardBusy(_) => "accounts.rules.forward_busy",
            Rule::ForwardNoAnswer(_) => "accounts.rules.forward_no_answer",
        };
        self.may_touch(key)
    }

    fn may_touch(&mut self, key: &str) -> bool {
        let held = self.provision.locks.holds(key).is_some();
        if held {
            self.refuse_locked(key);
        }
        !held
    }

    fn refuse_locked(&mut self, name: &str) {
        let because = self.provision.locks.because();
        let because = if because.is_empty() {
            String::new()
        } else {
            format!(" ({because})")
        };
        self.problem(
            None,
            format!("{name} is locked by your administrator{because}; it stays as it is"),
        );
    }
}
