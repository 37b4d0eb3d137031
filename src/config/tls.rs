//! Whom the encrypted connections of an account trust, and as whom they are opened.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Files and a fingerprint for TLS and WSS; all empty means the system's trust store and no
/// certificate of our own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsOptions {
    /// A PEM file with the authorities to trust in place of the system's; empty for the system's.
    pub ca_file: String,
    /// SHA-256 of the only certificate to believe, in hexadecimal digits, colons allowed; empty for
    /// none.
    pub pinned_certificate: String,
    /// A PEM file with the certificate that a server is shown, and its intermediates; empty for none.
    pub client_certificate: String,
    /// A PEM file with the private key of that certificate.
    pub client_key: String,
}

impl TlsOptions {
    /// The pinned fingerprint; none where none is set or it is none.
    pub fn pinned(&self) -> Option<[u8; 32]> {
        let digits: String = self
            .pinned_certificate
            .chars()
            .filter(|it| !matches!(it, ':' | ' '))
            .collect();
        if digits.len() != 64 || !digits.is_ascii() {
            return None;
        }
        let mut octets = [0; 32];
        for (octet, pair) in octets.iter_mut().zip(digits.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            let plain = pair.bytes().all(|it| it.is_ascii_hexdigit());
            *octet = u8::from_str_radix(pair, 16).ok().filter(|_| plain)?;
        }
        Some(octets)
    }

    /// The certificate and its key, where both are named.
    pub fn identity(&self) -> Option<(PathBuf, PathBuf)> {
        let named = !self.client_certificate.is_empty() && !self.client_key.is_empty();
        named.then(|| ((&self.client_certificate).into(), (&self.client_key).into()))
    }

    /// What is wrong with the private key's file, where others may read it.
    pub fn exposed_key(&self) -> Option<String> {
        let (_, key) = self.identity()?;
        readable_by_others(&key).then(|| {
            let key = key.display();
            format!(
                "others can read the private key {key}, and with it pretend to be you; run: chmod 600 {key}"
            )
        })
    }
}

#[cfg(unix)]
fn readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|metadata| metadata.permissions().mode() & 0o044 != 0)
}

/// Elsewhere the user's own folders are private by the system's rules.
#[cfg(not(unix))]
fn readable_by_others(_path: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_tools_print_it_and_nothing_else_is() {
        let plain = "0a".repeat(32);
        let pinned = |text: &str| {
            let pinned_certificate = text.to_owned();
            let options = TlsOptions {
                pinned_certificate,
                ..TlsOptions::default()
            };
            options.pinned()
        };
        let colons = vec!["0A"; 32].join(":");
        assert_eq!(pinned(&plain), Some([10; 32]));
        assert_eq!(pinned(&colons), Some([10; 32]));
        for wrong in [
            "",
            "0a",
            &"0g".repeat(32),
            &"+1".repeat(32),
            &"é".repeat(32),
        ] {
            assert_eq!(pinned(wrong), None, "{wrong}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_told_with_the_remedy() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("phone.key");
        std::fs::write(&key, "key").unwrap();
        let options = TlsOptions {
            client_certificate: "phone.pem".to_owned(),
            client_key: key.to_string_lossy().into_owned(),
            ..TlsOptions::default()
        };
        for (mode, told) in [(0o600, false), (0o640, true), (0o604, true)] {
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
            let sentence = options.exposed_key();
            assert_eq!(sentence.is_some(), told, "{mode:o}");
            assert!(sentence.is_none_or(|it| it.contains("chmod 600")));
        }
    }
}
