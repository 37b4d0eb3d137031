//! The system's keyring, each call on a thread of its own and with a deadline: a keyring may wait
//! for its owner to type a password, or for a service that never comes up.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::base::redact::Secret;

/// How long one call waits for the keyring.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// How many calls may hang in the keyring at once; a further one is refused.
const MAX_HANGING: usize = 4;

/// The name under which the keyring's own program lists our passwords.
#[cfg(feature = "keyring")]
const SERVICE: &str = "ringdesk";

/// Why the keyring gave or took nothing; no password is part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyringError {
    /// There is none.
    Missing(String),
    /// It is there, but locked, busy or broken.
    Refused(String),
}

pub(crate) fn store(address: &str, password: &Secret) -> Result<(), KeyringError> {
    let (address, password) = (address.to_owned(), password.clone());
    within(DEADLINE, move || imp::store(&address, &password))
}

pub(crate) fn load(address: &str) -> Result<Option<Secret>, KeyringError> {
    let address = address.to_owned();
    within(DEADLINE, move || imp::load(&address))
}

pub(crate) fn delete(address: &str) -> Result<(), KeyringError> {
    let address = address.to_owned();
    within(DEADLINE, move || imp::delete(&address))
}

/// Threads that were given up on; the keyring cannot be interrupted.
static HANGING: AtomicUsize = AtomicUsize::new(0);

/// Runs `work` on a thread and waits for it no longer than `deadline`; after that its outcome is
/// dropped.
fn within<T: Send + 'static>(
    deadline: Duration,
    work: impl FnOnce() -> Result<T, KeyringError> + Send + 'static,
) -> Result<T, KeyringError> {
    if HANGING.fetch_add(1, Ordering::AcqRel) >= MAX_HANGING {
        HANGING.fetch_sub(1, Ordering::AcqRel);
        return Err(KeyringError::Refused(
            "earlier questions still wait for it".to_owned(),
        ));
    }
    let (sender, receiver) = sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("keyring".to_owned())
        .spawn(move || {
            let outcome = work();
            HANGING.fetch_sub(1, Ordering::AcqRel);
            // Nobody listens after the deadline.
            drop(sender.send(outcome));
        });
    if let Err(error) = thread {
        HANGING.fetch_sub(1, Ordering::AcqRel);
        return Err(KeyringError::Refused(error.to_string()));
    }
    receiver
        .recv_timeout(deadline)
        .unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => Err(KeyringError::Refused(format!(
                "it took longer than {} s",
                deadline.as_secs()
            ))),
            RecvTimeoutError::Disconnected => {
                HANGING.fetch_sub(1, Ordering::AcqRel);
                Err(KeyringError::Refused("it broke off".to_owned()))
            }
        })
}

#[cfg(feature = "keyring")]
mod imp {
    use keyring::{Entry, Error};

    use super::{KeyringError, SERVICE};
    use crate::base::redact::Secret;

    pub(super) fn store(address: &str, password: &Secret) -> Result<(), KeyringError> {
        entry(address)?
            .set_password(password.expose())
            .map_err(|error| refused(&error))
    }

    pub(super) fn load(address: &str) -> Result<Option<Secret>, KeyringError> {
        match entry(address)?.get_password() {
            Ok(password) => Ok(Some(Secret::new(password))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(refused(&error)),
        }
    }

    pub(super) fn delete(address: &str) -> Result<(), KeyringError> {
        match entry(address)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(refused(&error)),
        }
    }

    fn entry(address: &str) -> Result<Entry, KeyringError> {
        if let Err(error) = Entry::store_status() {
            return Err(KeyringError::Missing(reason(error)));
        }
        Entry::new(SERVICE, address).map_err(|error| match &error {
            Error::NoDefaultStore => KeyringError::Missing(reason(&error)),
            _ => refused(&error),
        })
    }

    fn refused(error: &Error) -> KeyringError {
        KeyringError::Refused(reason(error))
    }

    /// Only those texts that the platform gives: the others may carry what was stored.
    fn reason(error: &Error) -> String {
        match error {
            Error::PlatformFailure(source) | Error::NoStorageAccess(source) => source.to_string(),
            Error::NoDefaultStore => "no keyring service runs".to_owned(),
            Error::BadEncoding(_) | Error::BadDataFormat(..) => {
                "what it holds is no text".to_owned()
            }
            Error::Ambiguous(_) => "it holds several passwords for this account".to_owned(),
            _ => "it refused without a reason".to_owned(),
        }
    }
}

#[cfg(not(feature = "keyring"))]
mod imp {
    use super::KeyringError;
    use crate::base::redact::Secret;

    pub(super) fn store(_address: &str, _password: &Secret) -> Result<(), KeyringError> {
        Err(missing())
    }

    pub(super) fn load(_address: &str) -> Result<Option<Secret>, KeyringError> {
        Err(missing())
    }

    pub(super) fn delete(_address: &str) -> Result<(), KeyringError> {
        Err(missing())
    }

    fn missing() -> KeyringError {
        KeyringError::Missing("this build knows no keyring".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyring_that_hangs_costs_the_deadline_and_at_most_four_threads() {
        let (release, gate) = sync_channel::<()>(0);
        let gate = std::sync::Arc::new(std::sync::Mutex::new(gate));
        let ask = || {
            let gate = std::sync::Arc::clone(&gate);
            within(Duration::ZERO, move || {
                assert!(gate.lock().unwrap().recv().is_err());
                Ok(())
            })
        };
        for _ in 0..MAX_HANGING {
            assert!(matches!(ask(), Err(KeyringError::Refused(text)) if text.contains("longer")));
        }
        assert!(matches!(ask(), Err(KeyringError::Refused(text)) if text.contains("earlier")));
        drop(release);
        while HANGING.load(Ordering::Acquire) > 0 {
            std::thread::yield_now();
        }
        let answer = within(Duration::from_secs(5), || Ok(7));
        assert_eq!(answer, Ok(7));
    }
}
