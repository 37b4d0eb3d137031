//! Passwords at rest: the system's keyring, or a file where the user agreed to one.
//!
//! The functions block, up to [`KEYRING_DEADLINE`] where a keyring waits for its owner to unlock
//! it: call them from a thread that may wait. No error text holds a password.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::redact::Secret;
use crate::config::keyring::{self, KeyringError};
use crate::config::replace::replace_file;

pub use crate::config::keyring::DEADLINE as KEYRING_DEADLINE;

/// More bytes than any real password file has; a longer one is not read.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// More bytes than any real password has.
const MAX_PASSWORD_BYTES: u64 = 4096;

/// A place in which passwords are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretStore {
    /// The system's keyring.
    Keyring,
    /// A TOML file that only its owner can read (0600).
    File(PathBuf),
}

/// Why a password could not be kept or found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// There is no keyring, and the user has not agreed to a file.
    #[error(
        "there is no keyring to keep the password in ({reason}); start one such as GNOME Keyring or KWallet, agree to keep it in a file, or use --password-env or --password-file"
    )]
    NoKeyring {
        /// What the system said.
        reason: String,
    },
    /// The keyring is there but did not give or take the password.
    #[error("the keyring did not give or take the password ({reason}); unlock it and try again")]
    KeyringRefused {
        /// What the system said.
        reason: String,
    },
    /// Others may read the password file.
    #[error(
        "the password file {} can be read by others; run chmod 600 on it",
        path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The password file is not what was written.
    #[error(
        "the password file {} is damaged; correct it or move it away, and enter the passwords again",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The system did not give or take the password file.
    #[error("the password file {} cannot be used: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The environment variable is not there, or is no text.
    #[error("the environment variable {0} holds no password; set it, or use --password-file")]
    NoVariable(String),
    /// There is a password source, but it is empty.
    #[error("the password from {0} is empty; put the account's password there")]
    Empty(String),
    /// No password is that long, or it is no text.
    #[error("the password from {0} is not a text of at most 4096 bytes")]
    NotAPassword(String),
}

/// Keeps the password of the account with this address: in the keyring, or, where that is missing
/// or refuses and the user gave `consent`, in `secrets_file`. Tells where it went.
///
/// # Errors
///
/// Fails when the keyring does not take it and there is no consent, or the file does not take it.
pub fn store(
    secrets_file: &Path,
    address: &str,
    password: &Secret,
    consent: bool,
) -> Result<SecretStore, SecretError> {
    let file = SecretStore::File(secrets_file.to_owned());
    match SecretStore::Keyring.store(address, password) {
        Ok(()) => {
            // An older one in the file must not outlive the change.
            file.delete(address)?;
            Ok(SecretStore::Keyring)
        }
        Err(_) if consent => {
            file.store(address, password)?;
            Ok(file)
        }
        Err(error) => Err(error),
    }
}

/// Finds the password of the account with this address, first in `secrets_file`, since what is
/// there is never older, then in the keyring; none when it was never kept.
///
/// # Errors
///
/// Fails when a place that may hold it cannot be read, such as a locked keyring.
pub fn load(secrets_file: &Path, address: &str) -> Result<Option<Secret>, SecretError> {
    let in_file = SecretStore::File(secrets_file.to_owned()).load(address);
    if let Ok(Some(password)) = in_file {
        return Ok(Some(password));
    }
    match SecretStore::Keyring.load(address) {
        Ok(Some(password)) => Ok(Some(password)),
        Ok(None) | Err(SecretError::NoKeyring { .. }) => in_file,
        Err(error) => Err(error),
    }
}

/// Forgets the password of the account with this address in both places.
///
/// # Errors
///
/// Fails when a place that may hold it cannot be changed.
pub fn delete(secrets_file: &Path, address: &str) -> Result<(), SecretError> {
    SecretStore::File(secrets_file.to_owned()).delete(address)?;
    match SecretStore::Keyring.delete(address) {
        Ok(()) | Err(SecretError::NoKeyring { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Takes a password from the environment (`--password-env`).
///
/// # Errors
///
/// Fails when the variable is missing, empty or no text.
pub fn from_variable(name: &str) -> Result<Secret, SecretError> {
    let value = std::env::var_os(name).ok_or_else(|| SecretError::NoVariable(name.to_owned()))?;
    let source = format!("the variable {name}");
    match value.into_string() {
        Ok(text) => password(text, source),
        Err(_) => Err(SecretError::NotAPassword(source)),
    }
}

/// Takes a password from a file (`--password-file`); one line break at its end is not part of it.
///
/// # Errors
///
/// Fails when the file cannot be read, is empty or no text.
pub fn from_file(path: &Path) -> Result<Secret, SecretError> {
    let source = format!("the file {}", path.display());
    // Room for the line break.
    let bytes = read_limited(path, MAX_PASSWORD_BYTES + 2).map_err(|source| SecretError::File {
        path: path.to_owned(),
        source,
    })?;
    match String::from_utf8(bytes) {
        Ok(text) => password(text, source),
        Err(_) => Err(SecretError::NotAPassword(source)),
    }
}

impl SecretStore {
    /// Keeps a password here, in place of an earlier one.
    ///
    /// # Errors
    ///
    /// Fails when the place is missing or does not take it.
    pub fn store(&self, address: &str, password: &Secret) -> Result<(), SecretError> {
        match self {
            Self::Keyring => Ok(keyring::store(address, password)?),
            Self::File(path) => {
                let mut file = PasswordFile::read(path)?;
                let password = password.expose().to_owned();
                file.passwords.insert(address.to_owned(), password);
                file.write(path)
            }
        }
    }

    /// Forgets a password; one that is not here is no error.
    ///
    /// # Errors
    ///
    /// Fails when the place is missing or does not forget it.
    pub fn delete(&self, address: &str) -> Result<(), SecretError> {
        match self {
            Self::Keyring => Ok(keyring::delete(address)?),
            Self::File(path) => {
                let mut file = PasswordFile::read(path)?;
                match file.passwords.remove(address) {
                    Some(_) => file.write(path),
                    None => Ok(()),
                }
            }
        }
    }

    /// Finds a password here.
    ///
    /// # Errors
    ///
    /// Fails when the place is missing or cannot be read.
    pub fn load(&self, address: &str) -> Result<Option<Secret>, SecretError> {
        match self {
            Self::Keyring => Ok(keyring::load(address)?),
            Self::File(path) => {
                let mut file = PasswordFile::read(path)?;
                Ok(file.passwords.remove(address).map(Secret::new))
            }
        }
    }
}

impl From<KeyringError> for SecretError {
    fn from(error: KeyringError) -> Self {
        match error {
            KeyringError::Missing(reason) => Self::NoKeyring { reason },
            KeyringError::Refused(reason) => Self::KeyringRefused { reason },
        }
    }
}

/// The file's content; no `Debug`, for it would print passwords.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PasswordFile {
    /// By account address.
    passwords: BTreeMap<String, String>,
}

impl PasswordFile {
    /// The parser's own message may quote what it read, so only the fact of damage is told.
    fn read(path: &Path) -> Result<Self, SecretError> {
        let path = path.to_owned();
        let bytes = match read_limited(&path, MAX_FILE_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(SecretError::File { path, source }),
        };
        if exposed(&path) {
            return Err(SecretError::Exposed { path });
        }
        let text = String::from_utf8(bytes).unwrap_or_else(|_| "not text".to_owned());
        toml::from_str(&text).or(Err(SecretError::Damaged { path }))
    }

    fn write(&self, path: &Path) -> Result<(), SecretError> {
        toml::to_string(self)
            .map_err(|_unprintable| io::Error::from(io::ErrorKind::InvalidData))
            .and_then(|text| replace_file(path, text.as_bytes()))
            .map_err(|source| SecretError::File {
                path: path.to_owned(),
                source,
            })
    }
}

fn password(mut text: String, source: String) -> Result<Secret, SecretError> {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() {
        return Err(SecretError::Empty(source));
    }
    if u64::try_from(text.len()).is_ok_and(|length| length <= MAX_PASSWORD_BYTES) {
        Ok(Secret::new(text))
    } else {
        Err(SecretError::NotAPassword(source))
    }
}

fn read_limited(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) {
        Ok(bytes)
    } else {
        Err(io::Error::from(io::ErrorKind::FileTooLarge))
    }
}

#[cfg(unix)]
fn exposed(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

/// Elsewhere the user's own folders are private by the system's rules.
#[cfg(not(unix))]
fn exposed(_path: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf, SecretStore) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.toml");
        (dir, path.clone(), SecretStore::File(path))
    }

    #[test]
    fn a_file_keeps_one_password_for_each_account() {
        let (_dir, path, store) = place();
        assert!(store.load("sip:a@x").unwrap().is_none());
        store.store("sip:a@x", &Secret::new("old")).unwrap();
        store.store("sip:a@x", &Secret::new("one \"1\"\n")).unwrap();
        store.store("sip:b@x", &Secret::new("two")).unwrap();
        let loaded = |address| {
            store
                .load(address)
                .unwrap()
                .map(|it| it.expose().to_owned())
        };
        assert_eq!(loaded("sip:a@x").as_deref(), Some("one \"1\"\n"));
        assert_eq!(loaded("sip:b@x").as_deref(), Some("two"));
        store.delete("sip:a@x").unwrap();
        store.delete("sip:a@x").unwrap();
        assert_eq!(loaded("sip:a@x"), None);
        assert!(!exposed(&path));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_remedy() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_dir, path, store) = place();
        store.store("sip:a@x", &Secret::new("one")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let sentence = store.load("sip:a@x").unwrap_err().to_string();
        assert!(sentence.contains("chmod 600"), "{sentence}");
    }

    #[test]
    fn a_damaged_file_is_told_without_its_content() {
        let (_dir, path, store) = place();
        replace_file(&path, b"[passwords]\n\"sip:a@x\" = 4711\n").unwrap();
        let error = store.load("sip:a@x").unwrap_err();
        let (shown, debug) = (error.to_string(), format!("{error:?}"));
        assert!(shown.contains("damaged"), "{shown}");
        assert!(!shown.contains("4711") && !debug.contains("4711"));
        assert!(store.store("sip:b@x", &Secret::new("two")).is_err());
        assert!(fs::read_to_string(&path).unwrap().contains("4711"));
    }

    #[test]
    fn a_password_file_loses_exactly_one_line_break() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        for (content, password) in [
            ("hunter2", "hunter2"),
            ("hunter2\n", "hunter2"),
            ("hunter2\r\n", "hunter2"),
            (" hunter2 \n\n", " hunter2 \n"),
        ] {
            fs::write(&path, content).unwrap();
            assert_eq!(from_file(&path).unwrap().expose(), password);
        }
    }

    #[test]
    fn a_password_source_without_a_password_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        assert!(matches!(from_file(&path), Err(SecretError::File { .. })));
        fs::write(&path, "\n").unwrap();
        assert!(matches!(from_file(&path), Err(SecretError::Empty(_))));
        fs::write(&path, [0xff, 0xfe]).unwrap();
        let error = from_file(&path).unwrap_err();
        assert!(matches!(error, SecretError::NotAPassword(_)));
        let error = from_variable("RINGDESK_TEST_NO_SUCH_VARIABLE").unwrap_err();
        assert!(error.to_string().contains("RINGDESK_TEST_NO_SUCH_VARIABLE"));
    }
}
