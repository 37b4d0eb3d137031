//! What can be wrong with a certificate, in sentences for the person whose phone refuses it.

use jiff::Timestamp;

use crate::base::uri::Host;

/// How many characters of a text that the peer chose are shown.
const SHOWN: usize = 120;

/// Why the certificate of a server is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CertificateFault {
    /// Its time is over.
    #[error(
        "the certificate of {domain} expired on {}; its operator must renew it{}",
        date(*until), clock_doubt(*now)
    )]
    Expired { domain: Host, until: i64, now: i64 },
    /// Its time has not begun.
    #[error(
        "the certificate of {domain} is not valid before {}; its operator must correct it{}",
        date(*from), clock_doubt(*now)
    )]
    NotYetValid { domain: Host, from: i64, now: i64 },
    /// An authority between it and the trusted one has expired or is not yet valid.
    #[error(
        "an authority that vouches for the certificate of {domain} is outside of its dates; the server's operator must install a current chain{}",
        clock_doubt(*now)
    )]
    AuthorityDates { domain: Host, now: i64 },
    /// Nobody who is trusted vouches for it.
    #[error(
        "the certificate of {domain} was issued by {issuer}, which is not trusted here; if that is right, name the authority's certificate as ca_file, or pin this one (SHA-256 {fingerprint}) after comparing it with the server's own"
    )]
    UnknownIssuer {
        domain: Host,
        issuer: String,
        fingerprint: Fingerprint,
    },
    /// It vouches for itself.
    #[error(
        "the certificate of {domain} is signed by itself, so anybody could have made it; pin it (SHA-256 {fingerprint}) after comparing it with the server's own, or name it as ca_file"
    )]
    SelfSigned {
        domain: Host,
        fingerprint: Fingerprint,
    },
    /// It is for somebody else.
    #[error(
        "the certificate is for {names}, not for {domain}; write the account with a name that it has, or ask its operator for one that names {domain}"
    )]
    WrongName { domain: Host, names: String },
    /// It is not the pinned one.
    #[error(
        "the server of {domain} shows another certificate (SHA-256 {shown}) than the pinned one; if its operator replaced it, pin the new one, else somebody may listen in"
    )]
    NotPinned { domain: Host, shown: Fingerprint },
    /// Its authority took it back.
    #[error("the certificate of {domain} was revoked; its operator must install a new one")]
    Revoked { domain: Host },
    /// It may not be shown by a server.
    #[error(
        "the certificate of {domain} may not be used by a server; its operator must install one for server authentication"
    )]
    WrongPurpose { domain: Host },
    /// It is signed by means that are broken or unknown.
    #[error(
        "the certificate of {domain} is signed in a way that is not accepted (SHA-1 and MD5 can be forged); its operator must renew it with SHA-256"
    )]
    WeakSignature { domain: Host },
    /// It says that a trusted authority signed it, and that one did not.
    #[error(
        "the certificate of {domain} was not signed by the {issuer} that is trusted here, although it says so; if that authority was made anew, name its current certificate as ca_file, else somebody may listen in"
    )]
    BadSignature { domain: Host, issuer: String },
    /// It cannot be read.
    #[error(
        "the certificate of {domain} is broken ({reason}); its operator must install a proper one (X.509 version 3)"
    )]
    Unreadable { domain: Host, reason: String },
}

/// SHA-256 of a certificate in DER, as `openssl x509 -fingerprint -sha256` shows it without colons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Of a certificate in DER.
    pub(crate) fn of(certificate: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(certificate).into())
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What the peer wrote, as far as a person should see it.
pub(crate) fn shown(text: &str) -> String {
    let plain = text.chars().filter(|it| !it.is_control());
    let mut shown: String = plain.clone().take(SHOWN).collect();
    if plain.count() > SHOWN {
        shown.push('…');
    }
    shown
}

/// A day, such as `2026-03-01`.
fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(
        |_| "a date out of range".to_owned(),
        |at| at.strftime("%Y-%m-%d").to_string(),
    )
}

/// A wrong clock of the own machine makes good certificates look bad.
fn clock_doubt(now: i64) -> String {
    format!(" (or this machine's clock is wrong: it says {})", date(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_wrote_is_shown_short_and_without_control_characters() {
        assert_eq!(shown("CN=a\r\nb\x1b[31m"), "CN=ab[31m");
        assert_eq!(shown(&"x".repeat(500)).chars().count(), SHOWN + 1);
    }

    #[test]
    fn dates_are_days_and_never_fail() {
        assert_eq!(date(1_770_000_000), "2026-02-02");
        assert!(date(i64::MAX).contains("out of range"));
    }
}
