//! Accounts: from the configuration to the SIP core, and their registrations' state.

use std::time::{Duration, Instant};

use crate::app::engine::{Engine, Internal};
use crate::app::options::{AccountOptions, EngineOptions};
use crate::app::transports;
use crate::app::trial::try_account;
use crate::base::flow::ProfileId;
use crate::base::id::AccountId;
use crate::base::redact::Secret;
use crate::base::uri::Uri;
use crate::config::call_extensions::{CallExtensions, ReliableChoice};
use crate::config::numbering::{default_region, own_lines};
use crate::config::{Account, file, secret};
use crate::control::{AccountView, Event, Registration, TrialView};
use crate::sip::{AccountSetup, Credentials, DigestRules, RegistrationState, Reliability};

/// A configured account while the engine runs.
pub(super) struct LiveAccount {
    pub(super) id: AccountId,
    pub(super) account: Account,
    pub(super) password: Option<Secret>,
    /// That of its TURN server.
    pub(super) turn_password: Option<Secret>,
    pub(super) registration: Registration,
    /// Whether it stands in the configuration file; the lab's account does not.
    pub(super) stored: bool,
}

impl LiveAccount {
    /// Whether no binding is left at the registrar, as far as can be known.
    pub(super) fn gone(&self) -> bool {
        matches!(
            self.registration,
            Registration::Off | Registration::Failed { .. }
        )
    }

    pub(super) fn view(&self) -> AccountView {
        AccountView {
            id: self.id,
            account: self.account.clone(),
            has_password: self.password.is_some(),
            has_turn_password: self.turn_password.is_some(),
            registration: self.registration.clone(),
        }
    }
}

impl EngineOptions {
    /// The region by which numbers without country code are read: the first account's, else the
    /// settings'.
    pub(super) fn region(&self) -> String {
        let accounts = self.accounts.iter().map(|options| &options.account);
        default_region(accounts, &self.settings).to_owned()
    }
}

impl Engine {
    /// Adds an account and starts its registration.
    pub(super) fn add_account(&mut self, now: Instant, options: AccountOptions) -> AccountId {
        let next = self
            .accounts
            .iter()
            .map(|account| account.id.0 + 1)
            .max()
            .unwrap_or(0);
        let id = AccountId(next);
        self.accounts.push(LiveAccount {
            id,
            account: options.account,
            password: options.password,
            turn_password: options.turn_password,
            registration: Registration::Off,
            stored: true,
        });
        self.set_up(now, id);
        id
    }

    /// Hands an account to the SIP core.
    fn set_up(&mut self, now: Instant, id: AccountId) {
        let Some(live) = self.accounts.iter().find(|live| live.id == id) else {
            return;
        };
        let (account, password) = (live.account.clone(), live.password.clone());
        let profile = self.profile_id(&account);
        let (account, zones) = account.without_zones();
        self.net.write_zones(zones);
        let ready = profile
            .map_err(|problem| problem.to_string())
            .and_then(|profile| {
                setup(&account, password, profile).map_err(|problem| problem.to_string())
            });
        match ready {
            Ok(setup) => self.endpoint.add_account(now, id, setup),
            Err(problem) => {
                let text = format!("the account {} cannot be used: {problem}", account.address);
                self.problem(None, text);
            }
        }
        self.assign_colleagues(now);
        self.look_for_network();
        self.dirty = true;
    }

    /// The own lines never become customers. The lab's account goes with it: it says nothing of how the
    /// records are read.
    pub(super) fn tell_numbering(&self) {
        let stored = self.accounts.iter().filter(|live| live.stored);
        let region = default_region(stored.map(|live| &live.account), &self.options.settings);
        self.store.set_region(region);
        let accounts = self.accounts.iter().map(|live| &live.account);
        self.store.set_own_numbers(&own_lines(accounts));
    }

    /// The region by which the numbers of a call are read.
    pub(super) fn region_of(&self, account: Option<AccountId>) -> &str {
        region_of(&self.accounts, account).unwrap_or(&self.options.settings.region)
    }

    /// Adds or changes an account on the agent's wish and keeps it, with the passwords of its registrar
    /// and of its TURN server where they are new.
    pub(super) fn save_account(
        &mut self,
        now: Instant,
        id: Option<AccountId>,
        account: Account,
        [password, turn_password]: [Option<Secret>; 2],
        consent: bool,
    ) {
        if let Err(problem) = account.validate() {
            self.problem(None, problem.to_string());
            return;
        }
        let address = account.address.clone();
        let turn = account.ice.secret_name();
        let mut password = password;
        match id.and_then(|id| self.accounts.iter_mut().find(|live| live.id == id)) {
            Some(live) => {
                let old = std::mem::replace(&mut live.account, account);
                if password.is_some() {
                    live.password.clone_from(&password);
                } else if old.address != address {
                    // It is kept by the address: under the new one it is looked for at the next start.
                    password.clone_from(&live.password);
                }
                // That of one server is nothing for another to see.
                if turn_password.is_some() || old.ice.secret_name() != turn {
                    live.turn_password.clone_from(&turn_password);
                }
                let id = live.id;
                self.forget_watching(id);
                self.endpoint.remove_account(now, id);
                self.set_up(now, id);
            }
            None => {
                self.add_account(
                    now,
                    AccountOptions {
                        account,
                        password: password.clone(),
                        turn_password: turn_password.clone(),
                    },
                );
            }
        }
        self.tell_numbering();
        self.persist();
        self.follow_do_not_disturb();
        let named = [Some(address).zip(password), turn.zip(turn_password)];
        let named: Vec<(String, Secret)> = named.into_iter().flatten().collect();
        if self.options.persist && !named.is_empty() {
            let secrets = self.options.paths.secrets_file.clone();
            // One after the other: both may change the same file.
            self.in_background(move || {
                named.iter().try_for_each(|(name, password)| {
                    secret::store(&secrets, name, password, consent)
                        .map(drop)
                        .map_err(|error| error.to_string())
                })
            });
        }
    }

    /// Tries an account beside the engine; a snapshot tells what becomes of it.
    pub(super) fn try_account(&mut self, account: Account, password: Option<Secret>) {
        self.trial = Some(TrialView::Trying(account.address.clone()));
        self.trials += 1;
        let (number, internal) = (self.trials, self.internal.clone());
        let name_servers = self.options.settings.name_server_addresses();
        tokio::spawn(async move {
            let outcome = try_account(account, password.as_ref(), &name_servers).await;
            let told = Internal::Tried(number, Box::new(outcome));
            drop(internal.send(told).await);
        });
    }

    /// Adds the lab's account, which lives only as long as the lab.
    pub(super) fn use_lab(&mut self, now: Instant, account: Account, password: Secret) {
        let options = AccountOptions {
            account,
            password: Some(password),
            turn_password: None,
        };
        let id = self.add_account(now, options);
        if let Some(live) = self.accounts.iter_mut().find(|live| live.id == id) {
            live.stored = false;
        }
        self.tell_numbering();
        self.lab = true;
        // The lab's contacts were written beside the engine.
        self.rows_changed();
    }

    /// Removes an account, its registration and its passwords.
    pub(super) fn remove_account(&mut self, now: Instant, id: AccountId) {
        let Some(at) = self.accounts.iter().position(|live| live.id == id) else {
            return;
        };
        let live = self.accounts.remove(at);
        self.forget_watching(id);
        self.endpoint.remove_account(now, id);
        self.assign_colleagues(now);
        self.tell_numbering();
        self.persist();
        if live.stored && self.options.persist {
            let secrets = self.options.paths.secrets_file.clone();
            let mut names = vec![live.account.address.clone()];
            // Other accounts may go by the same server.
            names.extend(live.account.ice.secret_name().filter(|name| {
                let mut others = self.accounts.iter();
                others.all(|other| other.account.ice.secret_name().as_ref() != Some(name))
            }));
            self.in_background(move || {
                names.iter().try_for_each(|name| {
                    secret::delete(&secrets, name).map_err(|error| error.to_string())
                })
            });
        }
    }

    /// Writes accounts and settings to the configuration file.
    pub(super) fn persist(&mut self) {
        self.dirty = true;
        if !self.options.persist {
            return;
        }
        let config = self.configuration();
        let path = self.options.paths.config_file.clone();
        self.in_background(move || file::save(&path, &config).map_err(|error| error.to_string()));
    }

    /// Runs something slow away from the engine; a problem comes back as a notice.
    pub(super) fn in_background(&self, work: impl FnOnce() -> Result<(), String> + Send + 'static) {
        let internal = self.internal.clone();
        tokio::spawn(async move {
            let result = tokio::task::spawn_blocking(work)
                .await
                .unwrap_or_else(|error| Err(error.to_string()));
            drop(internal.send(Internal::Saved(result)).await);
        });
    }

    /// A registration moved.
    pub(super) fn handle_registration(
        &mut self,
        now: Instant,
        id: AccountId,
        state: RegistrationState,
    ) {
        let Some(live) = self.accounts.iter_mut().find(|live| live.id == id) else {
            return;
        };
        let address = live.account.address.clone();
        let (registration, event) = match state {
            RegistrationState::Off => (Registration::Off, None),
            RegistrationState::Registering { why } => (
                Registration::Registering {
                    why: why.map(str::to_owned),
                },
                why.map(|reason| Event::Registering {
                    account: id,
                    address,
                    reason: reason.to_owned(),
                }),
            ),
            RegistrationState::Registered { expires } => (
                Registration::Registered,
                Some(Event::Registered {
                    account: id,
                    address,
                    expires,
                }),
            ),
            RegistrationState::Failed {
                status,
                reason,
                retry_in,
            } => (
                Registration::Failed {
                    reason: reason.clone(),
                    retry_at: retry_in.map(|wait| now + wait),
                },
                Some(Event::RegistrationFailed {
                    account: id,
                    address,
                    status: status.map(|status| status.code),
                    reason,
                    retry_in,
                }),
            ),
            RegistrationState::Unregistered => (
                Registration::Off,
                Some(Event::Unregistered {
                    account: id,
                    address,
                }),
            ),
        };
        let refreshed = live.registration == registration;
        live.registration = registration;
        let ready = match live.registration {
            Registration::Registered => !refreshed,
            // What does not register is ready at once.
            Registration::Off => !live.account.register,
            Registration::Registering { .. } | Registration::Failed { .. } => false,
        };
        // A refresh is no news.
        if let Some(event) = event.filter(|_| !refreshed) {
            self.tell(event);
        }
        if ready && self.ending.is_none() {
            self.begin_watching(now, Some(id));
        }
        self.dirty = true;
    }

    pub(super) fn account(&self, id: AccountId) -> Option<&LiveAccount> {
        self.accounts.iter().find(|live| live.id == id)
    }

    pub(super) fn account_address(&self, id: AccountId) -> Option<String> {
        self.account(id).map(|live| live.account.address.clone())
    }

    /// The account for an outgoing call: the asked one, else the first that is registered, else
    /// the first.
    pub(super) fn account_for_call(&self, asked: Option<AccountId>) -> Option<&LiveAccount> {
        asked
            .and_then(|id| self.account(id))
            .or_else(|| {
                self.accounts
                    .iter()
                    .find(|live| live.registration == Registration::Registered)
            })
            .or_else(|| self.accounts.first())
    }
}

/// The region of an account; without one, that of the first.
fn region_of(accounts: &[LiveAccount], account: Option<AccountId>) -> Option<&str> {
    accounts
        .iter()
        .find(|live| Some(live.id) == account)
        .or_else(|| accounts.first())
        .map(|live| live.account.dial_plan.region.as_str())
        .filter(|region| !region.is_empty())
}

/// Translates the extensions of calls for the SIP core.
pub(super) fn extensions(chosen: CallExtensions) -> crate::sip::CallExtensions {
    crate::sip::CallExtensions {
        reliable: match chosen.reliable {
            ReliableChoice::Off => Reliability::Off,
            ReliableChoice::Supported => Reliability::Supported,
            ReliableChoice::Required => Reliability::Required,
        },
        session_expires: Duration::from_secs(u64::from(chosen.session_expires)),
    }
}

/// Translates an account for the SIP core.
pub(super) fn setup(
    account: &Account,
    password: Option<Secret>,
    profile: ProfileId,
) -> Result<AccountSetup, String> {
    let address = Uri::parse(&account.address).map_err(|error| error.to_string())?;
    let sip = address
        .as_sip()
        .ok_or_else(|| "its address must begin with sip:".to_owned())?;
    let user = address.user_decoded().unwrap_or_default();
    let registrar = if account.registrar.is_empty() {
        let host = Uri::Sip(crate::base::uri::SipUri {
            secure: sip.secure,
            user: None,
            password: None,
            host: sip.host.clone(),
            port: sip.port,
            params: Vec::new(),
            headers: Vec::new(),
        });
        host.to_string()
    } else if account.registrar.contains("sip:") || account.registrar.contains("sips:") {
        account.registrar.clone()
    } else {
        format!("{}:{}", address.scheme(), account.registrar)
    };
    let registrar = account
        .register
        .then(|| Uri::parse(&registrar))
        .transpose()
        .map_err(|error| format!("its registrar is no host: {error}"))?;
    let outbound_proxy = (!account.outbound_proxy.is_empty())
        .then(|| Uri::parse(&account.outbound_proxy))
        .transpose()
        .map_err(|error| format!("its outbound proxy is no SIP address: {error}"))?;
    let username = if account.auth_user.is_empty() {
        user
    } else {
        account.auth_user.clone()
    };
    let display = &account.display_name;
    Ok(AccountSetup {
        address,
        display_name: (!display.is_empty()).then(|| display.clone()),
        registrar,
        outbound_proxy,
        transport: transports::transport(account.transport),
        profile,
        credentials: password.map(|password| Credentials { username, password }),
        digest: DigestRules {
            allow_md5: account.rules.allow_md5,
            strong_realms: account.rules.sha256_realms.clone(),
        },
        expires: Duration::from_secs(u64::from(account.expires_seconds)),
        ring_limit: Duration::from_secs(u64::from(account.ring_limit_seconds)),
        extensions: extensions(account.extensions),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(id: u32, address: &str, region: &str) -> LiveAccount {
        let mut account = Account {
            address: address.to_owned(),
            ..Account::default()
        };
        region.clone_into(&mut account.dial_plan.region);
        LiveAccount {
            id: AccountId(id),
            account,
            password: None,
            turn_password: None,
            registration: Registration::Off,
            stored: true,
        }
    }

    #[test]
    fn each_account_reads_numbers_as_its_own_country_writes_them() {
        let accounts = [
            live(3, "sip:03023125123@trunk.example.com", "DE"),
            live(5, "sip:2125550123@trunk.example.com", "US"),
            live(6, "sip:alice@pbx.example.com", ""),
        ];
        for (account, region) in [
            (Some(3), Some("DE")),
            (Some(5), Some("US")),
            (Some(6), None),
            (Some(9), Some("DE")),
            (None, Some("DE")),
        ] {
            assert_eq!(region_of(&accounts, account.map(AccountId)), region);
        }
        assert_eq!(region_of(&[], None), None);
    }
}
