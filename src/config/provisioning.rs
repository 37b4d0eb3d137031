//! Settings that an administrator gives out: a TOML file with the words of the configuration file, of which it
//! holds as many as it wants to set, and the names of those that the user may not change.
//!
//! ```toml
//! locked = ["settings.recording", "accounts.tls"]
//! locked_because = "calls are recorded by law"
//!
//! [settings]
//! recording = "always"
//!
//! [[accounts]]
//! address = "sip:alice@example.com"
//! ```
//!
//! Everything is decided here and nothing done: the file is read and fetched elsewhere, and applied only once
//! somebody has seen what it changes.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::config::file::ConfigError;
use crate::config::replace::replace_file;
use crate::config::settings::Config;
use crate::config::validate::Problem;

/// More octets than any real one has; a longer file is not read.
pub const MAX_OCTETS: usize = 1 << 20;
/// The most accounts that one file may bring.
const MAX_ACCOUNTS: usize = 100;

/// A provisioning file that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Provisioning {
    settings: Table,
    /// Each with its address.
    accounts: Vec<(String, Table)>,
    locks: Locks,
}

/// What the user may not change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Locks {
    /// Names as in `settings.recording`, `accounts.tls` or `accounts`, which hold what is below them too.
    keys: Vec<String>,
    /// Why, in the words of who locked them.
    because: String,
}

/// Where a provisioning file comes from, and what it said when it was last applied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provisioned {
    /// A path or an `https:` address.
    pub source: String,
    /// The file as it was.
    pub text: String,
}

/// Why a provisioning file is of no use. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProvisioningError {
    /// It is too large.
    #[error("it is larger than 1 MiB")]
    TooLarge,
    /// It is no text.
    #[error("it is not UTF-8 text")]
    NoText,
    /// It is not TOML, or holds a word or a value that is none.
    #[error("{0}")]
    Damaged(String),
    /// It has more accounts than anybody uses.
    #[error("it has more than {MAX_ACCOUNTS} accounts")]
    TooManyAccounts,
    /// An account has no address by which it is known.
    #[error("an account in it has no address")]
    NoAddress,
    /// It can be read, but the phone cannot work with it.
    #[error("{0}")]
    Invalid(#[from] Problem),
}

/// What a change may do to a user who does not look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Nothing of that kind.
    Plain,
    /// Calls go elsewhere.
    Forwarding,
    /// Other servers are believed.
    Trust,
    /// Requests go by another server.
    Proxy,
    /// Calls are recorded, or not.
    Recording,
}

/// One setting that becomes another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which, such as `settings.recording` or `accounts.sip:alice@example.com.tls.ca_file`.
    pub name: String,
    /// The same without the address of the account, as locks name it.
    key: String,
    /// As it was; empty where there was none.
    pub old: String,
    /// As it will be; empty where it goes.
    pub new: String,
    /// What it may do.
    pub weight: Weight,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    locked: Vec<String>,
    locked_because: String,
    settings: Table,
    accounts: Vec<Table>,
}

impl Provisioning {
    /// Reads a file, and finds out whether the phone could work with it.
    ///
    /// # Errors
    ///
    /// See [`ProvisioningError`].
    pub fn parse(octets: &[u8]) -> Result<Self, ProvisioningError> {
        if octets.len() > MAX_OCTETS {
            return Err(ProvisioningError::TooLarge);
        }
        let text = std::str::from_utf8(octets).or(Err(ProvisioningError::NoText))?;
        let file: File = toml::from_str(text).map_err(damaged)?;
        if file.accounts.len() > MAX_ACCOUNTS {
            return Err(ProvisioningError::TooManyAccounts);
        }
        let mut accounts = Vec::new();
        for account in file.accounts {
            let address = account.get("address").and_then(Value::as_str);
            let address = address.ok_or(ProvisioningError::NoAddress)?.to_owned();
            accounts.push((address, account));
        }
        let provisioning = Self {
            settings: file.settings,
            accounts,
            locks: Locks {
                keys: file.locked,
                because: file.locked_because,
            },
        };
        provisioning.apply(&Config::default())?;
        Ok(provisioning)
    }

    /// The configuration with what the file sets. Accounts are known by their addresses; those that it does not
    /// name stay.
    ///
    /// # Errors
    ///
    /// Fails when the phone cannot work with the result.
    pub fn apply(&self, config: &Config) -> Result<Config, ProvisioningError> {
        let mut table = Table::try_from(config)
            .map_err(|error| ProvisioningError::Damaged(error.to_string()))?;
        if let Some(Value::Table(settings)) = table.get_mut("settings") {
            merge(settings, &self.settings);
        }
        let accounts = table
            .entry("accounts")
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(accounts) = accounts {
            for (address, wanted) in &self.accounts {
                let known = accounts.iter_mut().find_map(|account| match account {
                    Value::Table(account) => {
                        let own = account.get("address").and_then(Value::as_str);
                        (own == Some(address)).then_some(account)
                    }
                    _ => None,
                });
                match known {
                    Some(account) => merge(account, wanted),
                    None => accounts.push(Value::Table(wanted.clone())),
                }
            }
        }
        let applied: Config = table.try_into().map_err(damaged)?;
        applied.validate()?;
        Ok(applied)
    }

    /// What the user may not change.
    pub fn locks(&self) -> &Locks {
        &self.locks
    }
}

/// One line, since it becomes part of a sentence.
fn damaged(error: toml::de::Error) -> ProvisioningError {
    ProvisioningError::Damaged(error.message().replace('\n', ", "))
}

/// Puts what is wanted over what is there, table by table.
fn merge(there: &mut Table, wanted: &Table) {
    for (key, value) in wanted {
        match (there.get_mut(key), value) {
            (Some(Value::Table(there)), Value::Table(wanted)) => merge(there, wanted),
            _ => {
                there.insert(key.clone(), value.clone());
            }
        }
    }
}

impl Locks {
    /// Why a setting, such as `settings.recording`, may not be changed; none where it may.
    pub fn holds(&self, key: &str) -> Option<&str> {
        let below = |lock: &String| {
            key.strip_prefix(lock.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.keys.iter().any(below).then_some(self.because.as_str())
    }

    /// The first locked setting that a change of the configuration touches.
    pub fn broken_by(&self, old: &Config, new: &Config) -> Option<Change> {
        if self.keys.is_empty() {
            return None;
        }
        let mut changes = changes(old, new).into_iter();
        changes.find(|change| self.holds(&change.key).is_some())
    }

    /// Whether nothing is locked.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The names, as they were written.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Why, in the words of who locked them; may be empty.
    pub fn because(&self) -> &str {
        &self.because
    }
}

/// What becomes another between two configurations, what matters most first.
pub fn changes(old: &Config, new: &Config) -> Vec<Change> {
    let (old, new) = (flat(old), flat(new));
    let mut changes = Vec::new();
    for (name, key, value) in &new {
        let before = old.iter().find(|(known, ..)| known == name);
        if before.is_none_or(|(.., before)| before != value) {
            changes.push(Change {
                name: name.clone(),
                key: key.clone(),
                old: before.map_or_else(String::new, |(.., before)| before.clone()),
                new: value.clone(),
                weight: weight(key),
            });
        }
    }
    for (name, key, value) in old {
        if !new.iter().any(|(known, ..)| *known == name) {
            changes.push(Change {
                weight: weight(&key),
                name,
                key,
                old: value,
                new: String::new(),
            });
        }
    }
    changes.sort_by_key(|change| change.weight == Weight::Plain);
    changes
}

/// Each setting by its name, with the name that locks use, and its value.
fn flat(config: &Config) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    // What is a configuration can be written as one.
    let Ok(table) = Table::try_from(config) else {
        return found;
    };
    for (name, value) in table {
        match value {
            Value::Array(accounts) => {
                for account in accounts {
                    let address = account.get("address").and_then(Value::as_str);
                    let address = address.unwrap_or_default().to_owned();
                    walk(&format!("{name}.{address}"), &name, &account, &mut found);
                }
            }
            other => walk(&name, &name, &other, &mut found),
        }
    }
    found
}

fn walk(name: &str, key: &str, value: &Value, found: &mut Vec<(String, String, String)>) {
    match value {
        Value::Table(table) => {
            for (part, value) in table {
                walk(
                    &format!("{name}.{part}"),
                    &format!("{key}.{part}"),
                    value,
                    found,
                );
            }
        }
        Value::String(text) => found.push((name.to_owned(), key.to_owned(), text.clone())),
        other => found.push((name.to_owned(), key.to_owned(), other.to_string())),
    }
}

fn weight(key: &str) -> Weight {
    let part = |part: &str| key.split('.').any(|it| it.starts_with(part));
    if part("forward_") {
        Weight::Forwarding
    } else if part("tls") || part("srtp") || part("allow_md5") || part("sha256_realms") {
        Weight::Trust
    } else if part("outbound_proxy")
        || part("registrar")
        || part("name_servers")
        || part("stun")
        || part("turn")
    {
        Weight::Proxy
    } else if part("record") {
        Weight::Recording
    } else {
        Weight::Plain
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| {
            if text.is_empty() {
                "nothing".to_owned()
            } else {
                text.to_owned()
            }
        };
        write!(
            f,
            "{}: {} becomes {}",
            self.name,
            shown(&self.old),
            shown(&self.new)
        )
    }
}

impl Provisioned {
    /// Where it lies beside the configuration.
    pub fn path(config_file: &Path) -> PathBuf {
        config_file.with_file_name("provisioned.toml")
    }

    /// Reads what was applied last; none where nothing was. A damaged one says so, since it holds the locks.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be read or is none.
    pub fn load(config_file: &Path) -> Result<Option<Self>, ConfigError> {
        let path = Self::path(config_file);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(ConfigError::Read { path, source }),
        };
        toml::from_str(&text)
            .map(Some)
            .map_err(|error| ConfigError::Damaged {
                path,
                line: 1,
                column: 1,
                reason: error.message().replace('\n', ", "),
            })
    }

    /// Keeps it, readable by its owner alone.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be written; the old one is still there then.
    pub fn save(&self, config_file: &Path) -> Result<(), ConfigError> {
        let path = Self::path(config_file);
        let text = toml::to_string(self)?;
        replace_file(&path, text.as_bytes()).map_err(|source| ConfigError::Write { path, source })
    }

    /// What it locks; nothing where it cannot be read any more.
    pub fn locks(&self) -> Locks {
        Provisioning::parse(self.text.as_bytes())
            .map(|provisioning| provisioning.locks)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Account, RecordingPolicy};

    const FILE: &str = "
        locked = [\"settings.recording\", \"accounts.tls\"]
        locked_because = \"the law\"
        [settings]
        recording = \"always\"
        [settings.desktop]
        tray = false
        [[accounts]]
        address = \"sip:alice@example.com\"
        outbound_proxy = \"sip:proxy.example.com\"
        [accounts.tls]
        ca_file = \"/etc/ca.pem\"
        [[accounts]]
        address = \"sip:new@example.com\"
    ";

    fn own() -> Config {
        let mut config = Config::default();
        config.settings.agent = "Ada".to_owned();
        config.accounts = vec![Account {
            address: "sip:alice@example.com".to_owned(),
            display_name: "Alice".to_owned(),
            ..Account::default()
        }];
        config
    }

    #[test]
    fn what_it_does_not_name_stays() {
        let provisioning = Provisioning::parse(FILE.as_bytes()).unwrap();
        let config = provisioning.apply(&own()).unwrap();
        assert_eq!(config.settings.recording, RecordingPolicy::Always);
        assert_eq!(config.settings.agent, "Ada");
        assert!(!config.settings.desktop.tray && config.settings.desktop.notifications);
        assert_eq!(config.accounts.len(), 2);
        assert_eq!(config.accounts[0].display_name, "Alice");
        assert_eq!(config.accounts[0].tls.ca_file, "/etc/ca.pem");
        assert_eq!(config.accounts[1].expires_seconds, 3600);
        assert_eq!(provisioning.apply(&config).unwrap(), config);
    }

    #[test]
    fn what_somebody_should_look_at_comes_first() {
        let provisioning = Provisioning::parse(FILE.as_bytes()).unwrap();
        let changes = changes(&own(), &provisioning.apply(&own()).unwrap());
        let told: Vec<_> = changes
            .iter()
            .filter(|change| !change.name.contains("new@"))
            .map(|change| (change.weight, change.to_string()))
            .collect();
        let text = |text: &str| text.to_owned();
        assert_eq!(told.len(), 4, "{told:?}");
        for expected in [
            (
                Weight::Trust,
                text("accounts.sip:alice@example.com.tls.ca_file: nothing becomes /etc/ca.pem"),
            ),
            (
                Weight::Proxy,
                text(
                    "accounts.sip:alice@example.com.outbound_proxy: nothing becomes sip:proxy.example.com",
                ),
            ),
            (
                Weight::Recording,
                text("settings.recording: agent becomes always"),
            ),
            (
                Weight::Plain,
                text("settings.desktop.tray: true becomes false"),
            ),
        ] {
            assert!(told.contains(&expected), "{told:?}");
        }
        let plain = changes
            .iter()
            .position(|change| change.weight == Weight::Plain)
            .unwrap();
        assert!(
            changes[plain..]
                .iter()
                .all(|change| change.weight == Weight::Plain)
        );
    }

    #[test]
    fn locked_settings_hold_and_others_do_not() {
        let provisioning = Provisioning::parse(FILE.as_bytes()).unwrap();
        let locks = provisioning.locks();
        let config = provisioning.apply(&own()).unwrap();
        assert_eq!(locks.holds("settings.recording"), Some("the law"));
        assert_eq!(locks.holds("settings.recording_tone"), None);
        assert_eq!(locks.holds("accounts.tls.ca_file"), Some("the law"));
        let mut other = config.clone();
        other.settings.agent = "Eve".to_owned();
        assert_eq!(locks.broken_by(&config, &other), None);
        other.accounts[0].tls.ca_file.clear();
        let broken = locks.broken_by(&config, &other).unwrap();
        assert_eq!(broken.name, "accounts.sip:alice@example.com.tls.ca_file");
        // A new address would be a way around.
        let mut renamed = config.clone();
        renamed.accounts[0].address = "sip:alice@example.org".to_owned();
        assert!(locks.broken_by(&config, &renamed).is_some());
    }

    #[test]
    fn nonsense_is_refused_in_words() {
        for (file, words) in [
            ("[settings]\nrecording = \"sometimes\"", "unknown variant"),
            ("[settings]\nno_such = 1", "unknown field"),
            ("locks = []", "unknown field"),
            ("[[accounts]]\nregister = true", "no address"),
            ("[[accounts]]\naddress = \"x\"", "address"),
            ("[settings", "expected"),
        ] {
            let error = Provisioning::parse(file.as_bytes())
                .unwrap_err()
                .to_string();
            assert!(error.contains(words), "{file}: {error}");
        }
        let long = vec![b'#'; MAX_OCTETS + 1];
        assert!(matches!(
            Provisioning::parse(&long),
            Err(ProvisioningError::TooLarge)
        ));
        assert!(matches!(
            Provisioning::parse(b"\xff"),
            Err(ProvisioningError::NoText)
        ));
        let many = "[[accounts]]\naddress = \"sip:a@b\"\n".repeat(101);
        let many = Provisioning::parse(many.as_bytes());
        assert!(matches!(many, Err(ProvisioningError::TooManyAccounts)));
    }

    #[test]
    fn what_was_applied_is_kept_with_its_locks() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        assert_eq!(Provisioned::load(&file).unwrap(), None);
        let kept = Provisioned {
            source: "https://example.com/p.toml".to_owned(),
            text: FILE.to_owned(),
        };
        kept.save(&file).unwrap();
        let loaded = Provisioned::load(&file).unwrap().unwrap();
        assert_eq!(loaded, kept);
        assert_eq!(loaded.locks().keys().len(), 2);
        std::fs::write(Provisioned::path(&file), "source = 1").unwrap();
        Provisioned::load(&file).unwrap_err();
    }
}
