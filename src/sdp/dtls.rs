//! What DTLS-SRTP needs of session descriptions: fingerprints of certificates (RFC 8122), who begins
//! (RFC 4145, RFC 5763 section 5) and the name of an association (RFC 8842 section 4).

use std::fmt;

use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// Fingerprints of one description that are kept.
const MAX_FINGERPRINTS: usize = 8;
/// The lengths of an association's name (RFC 8842 section 4).
const TLS_ID: std::ops::RangeInclusive<usize> = 20..=255;

/// A hash function that a fingerprint may be made with. SHA-1 and MD5 are none of them: two certificates
/// may have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FingerprintHash {
    /// SHA-256, which everybody has (RFC 8122 section 5).
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl FingerprintHash {
    const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name in `a=fingerprint`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// The fingerprint of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    hash: FingerprintHash,
    octets: Vec<u8>,
}

impl Fingerprint {
    /// That of a certificate in DER.
    pub fn of(hash: FingerprintHash, certificate: &[u8]) -> Self {
        let octets = match hash {
            FingerprintHash::Sha256 => Sha256::digest(certificate).to_vec(),
            FingerprintHash::Sha384 => Sha384::digest(certificate).to_vec(),
            FingerprintHash::Sha512 => Sha512::digest(certificate).to_vec(),
        };
        Self { hash, octets }
    }

    /// Reads the value of the attribute, whatever its case. None where the hash function is unknown or
    /// too weak, or the length is not its own.
    pub fn parse(value: &str) -> Option<Self> {
        let (name, digits) = value.trim().split_once(' ')?;
        let named = |hash: &FingerprintHash| hash.name().eq_ignore_ascii_case(name.trim());
        let hash = FingerprintHash::ALL.into_iter().find(named)?;
        let octet = |pair: &str| {
            let digits = pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            u8::from_str_radix(pair, 16).ok().filter(|_| digits)
        };
        let octets: Option<Vec<u8>> = digits.trim().split(':').map(octet).collect();
        let octets = octets.filter(|octets| octets.len() == hash.length())?;
        Some(Self { hash, octets })
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.hash.name())?;
        for (at, octet) in self.octets.iter().enumerate() {
            let colon = if at == 0 { "" } else { ":" };
            write!(f, "{colon}{octet:02X}")?;
        }
        Ok(())
    }
}

/// Who begins, as `a=setup` says (RFC 4145 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    /// Its writer begins.
    Active,
    /// Its writer waits.
    Passive,
    /// Its writer does either: the answer decides.
    ActPass,
    /// Nobody begins for now; DTLS-SRTP has no use for it (RFC 5763 section 5).
    HoldConn,
}

impl Setup {
    const ALL: [Self; 4] = [Self::Active, Self::Passive, Self::ActPass, Self::HoldConn];

    fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::ActPass => "actpass",
            Self::HoldConn => "holdconn",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|setup| setup.name().eq_ignore_ascii_case(name))
    }
}

/// The attributes of DTLS, of a stream or of the session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DtlsAttributes {
    /// Its `a=fingerprint` lines that can be trusted.
    pub fingerprints: Vec<Fingerprint>,
    /// Its `a=setup`.
    pub setup: Option<Setup>,
    /// Its `a=tls-id`.
    pub tls_id: Option<String>,
}

impl DtlsAttributes {
    /// Reads an attribute; false when it is another one.
    pub(super) fn read(&mut self, name: &str, value: &str) -> bool {
        match name.to_ascii_lowercase().as_str() {
            "fingerprint" => {
                if self.fingerprints.len() < MAX_FINGERPRINTS {
                    self.fingerprints.extend(Fingerprint::parse(value));
                }
            }
            "setup" => self.setup = Setup::parse(value),
            "tls-id" => {
                let written = |b: u8| b.is_ascii_alphanumeric() || b"+/-_".contains(&b);
                let fits = TLS_ID.contains(&value.len()) && value.bytes().all(written);
                self.tls_id = fits.then(|| value.to_owned());
            }
            _ => return false,
        }
        true
    }

    /// These, and the session's where there are none.
    pub(super) fn or(&self, session: &Self) -> Self {
        let own = !self.fingerprints.is_empty();
        let fingerprints = if own { self } else { session };
        Self {
            fingerprints: fingerprints.fingerprints.clone(),
            setup: self.setup.or(session.setup),
            tls_id: self.tls_id.clone().or_else(|| session.tls_id.clone()),
        }
    }
}

impl fmt::Display for DtlsAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fingerprint in &self.fingerprints {
            write!(f, "a=fingerprint:{fingerprint}\r\n")?;
        }
        if let Some(setup) = self.setup {
            write!(f, "a=setup:{}\r\n", setup.name())?;
        }
        if let Some(tls_id) = &self.tls_id {
            write!(f, "a=tls-id:{tls_id}\r\n")?;
        }
        Ok(())
    }
}

/// Our side of a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DtlsRole {
    /// Begins: the client of DTLS.
    Active,
    /// Waits: its server.
    Passive,
}

impl DtlsRole {
    /// How an answer says it.
    pub(super) fn setup(self) -> Setup {
        match self {
            Self::Active => Setup::Active,
            Self::Passive => Setup::Passive,
        }
    }
}

/// A handshake that two sides agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DtlsPlan {
    /// Our part in it.
    pub role: DtlsRole,
    /// The far end's fingerprints: what its certificate is checked against, at least one.
    pub fingerprints: Vec<Fingerprint>,
    /// The far end's name of the association; another name is another association.
    pub tls_id: Option<String>,
}

impl DtlsPlan {
    /// Whether a certificate in DER is the far end's: it must have one of the fingerprints made with the
    /// best hash function among them (RFC 8122 section 5).
    pub fn trusts(&self, certificate: &[u8]) -> bool {
        let best = self.fingerprints.iter().map(|known| known.hash).max();
        let known = self.fingerprints.iter();
        best.is_some_and(|hash| {
            let shown = Fingerprint::of(hash, certificate);
            known.into_iter().any(|known| *known == shown)
        })
    }
}

/// What our side brings along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalDtls {
    /// The fingerprint of our certificate.
    pub fingerprint: Fingerprint,
    /// The part that our side has in a handshake that was agreed on before: it is kept where the far
    /// end leaves it to us (RFC 8842 section 5.3).
    pub role: Option<DtlsRole>,
}

impl LocalDtls {
    /// What an offer says: either part.
    pub(super) fn offered(&self) -> DtlsAttributes {
        self.attributes(Setup::ActPass)
    }

    /// What an answer says.
    pub(super) fn answered(&self, role: DtlsRole) -> DtlsAttributes {
        self.attributes(role.setup())
    }

    /// Our part when `theirs` is offered: active where it is left to us, so that sound flows as soon as
    /// it may (RFC 5763 section 5).
    pub(super) fn answer_to(&self, theirs: &DtlsAttributes) -> Option<DtlsPlan> {
        let role = match theirs.setup {
            Some(Setup::ActPass) => self.role.unwrap_or(DtlsRole::Active),
            Some(Setup::Passive) => DtlsRole::Active,
            // RFC 4145 section 4: who says nothing begins.
            Some(Setup::Active) | None => DtlsRole::Passive,
            Some(Setup::HoldConn) => return None,
        };
        plan(role, theirs)
    }
}

/// Our part when `theirs` is answered. Who leaves it open, which is no answer, waits.
pub(super) fn answered_by(theirs: &DtlsAttributes) -> Option<DtlsPlan> {
    let role = match theirs.setup {
        Some(Setup::Active) | None => DtlsRole::Passive,
        Some(Setup::Passive | Setup::ActPass) => DtlsRole::Active,
        Some(Setup::HoldConn) => return None,
    };
    plan(role, theirs)
}

fn plan(role: DtlsRole, theirs: &DtlsAttributes) -> Option<DtlsPlan> {
    (!theirs.fingerprints.is_empty()).then(|| DtlsPlan {
        role,
        fingerprints: theirs.fingerprints.clone(),
        tls_id: theirs.tls_id.clone(),
    })
}

impl LocalDtls {
    fn attributes(&self, setup: Setup) -> DtlsAttributes {
        DtlsAttributes {
            fingerprints: vec![self.fingerprint.clone()],
            setup: Some(setup),
            tls_id: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_of(fingerprints: Vec<Fingerprint>) -> DtlsPlan {
        DtlsPlan {
            role: DtlsRole::Active,
            fingerprints,
            tls_id: None,
        }
    }

    #[test]
    fn fingerprints_are_read_as_they_are_written_and_weak_or_damaged_ones_are_not() {
        for hash in FingerprintHash::ALL {
            let fingerprint = Fingerprint::of(hash, b"certificate");
            let text = fingerprint.to_string();
            assert_eq!(Fingerprint::parse(&text), Some(fingerprint.clone()));
            let lower = text.to_ascii_lowercase();
            assert_eq!(Fingerprint::parse(&lower), Some(fingerprint.clone()));
            let upper = text.to_ascii_uppercase();
            assert_eq!(Fingerprint::parse(&upper), Some(fingerprint));
            for damaged in [
                text.get(..text.len() - 3).unwrap(),
                text.get(..text.len() - 1).unwrap(),
                &text.replacen(':', "", 1),
                &text.replacen(':', ":+", 1),
                &format!("{text}:00"),
                hash.name(),
                "",
            ] {
                assert_eq!(Fingerprint::parse(damaged), None, "{damaged}");
            }
        }
        let sha1 = "sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB";
        assert_eq!(Fingerprint::parse(sha1), None);
        let md5 = "md5 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B";
        assert_eq!(Fingerprint::parse(md5), None);
    }

    /// SHA-256 of nothing, from FIPS 180-4's examples.
    #[test]
    fn a_fingerprint_is_the_hash_in_upper_case_with_colons() {
        let empty = Fingerprint::of(FingerprintHash::Sha256, b"").to_string();
        assert!(empty.starts_with("sha-256 E3:B0:C4:42:98:FC:1C:14"));
        assert_eq!(empty.len(), "sha-256 ".len() + 32 * 3 - 1);
    }

    #[test]
    fn a_certificate_is_trusted_by_the_best_hash_alone() {
        let of = Fingerprint::of;
        let (sha256, sha512) = (FingerprintHash::Sha256, FingerprintHash::Sha512);
        assert!(plan_of(vec![of(sha256, b"us")]).trusts(b"us"));
        assert!(!plan_of(vec![of(sha256, b"us")]).trusts(b"them"));
        let several = plan_of(vec![of(sha256, b"a"), of(sha256, b"us")]);
        assert!(several.trusts(b"us"));
        // The lesser hash fits and the better one does not.
        let mixed = plan_of(vec![of(sha256, b"us"), of(sha512, b"them")]);
        assert!(!mixed.trusts(b"us"));
        assert!(mixed.trusts(b"them"));
        assert!(!plan_of(Vec::new()).trusts(b"us"));
    }

    #[test]
    fn who_begins_is_what_the_other_side_leaves() {
        let fingerprint = Fingerprint::of(FingerprintHash::Sha256, b"them");
        let theirs = |setup| DtlsAttributes {
            fingerprints: vec![fingerprint.clone()],
            setup,
            tls_id: None,
        };
        let mut ours = LocalDtls {
            fingerprint: Fingerprint::of(FingerprintHash::Sha256, b"us"),
            role: None,
        };
        let answered = |ours: &LocalDtls, setup| Some(ours.answer_to(&theirs(setup))?.role);
        let (active, passive) = (Some(DtlsRole::Active), Some(DtlsRole::Passive));
        assert_eq!(answered(&ours, Some(Setup::ActPass)), active);
        assert_eq!(answered(&ours, Some(Setup::Passive)), active);
        assert_eq!(answered(&ours, Some(Setup::Active)), passive);
        assert_eq!(answered(&ours, None), passive);
        assert_eq!(answered(&ours, Some(Setup::HoldConn)), None);
        ours.role = passive;
        assert_eq!(answered(&ours, Some(Setup::ActPass)), passive, "kept");
        assert_eq!(ours.answer_to(&DtlsAttributes::default()), None);

        let accepted = |setup| Some(answered_by(&theirs(setup))?.role);
        assert_eq!(accepted(Some(Setup::Active)), passive);
        assert_eq!(accepted(Some(Setup::Passive)), active);
        assert_eq!(accepted(Some(Setup::HoldConn)), None);
    }

    #[test]
    fn names_of_associations_are_read_only_if_they_are_ones() {
        let mut read = DtlsAttributes::default();
        let name = "abc3de65cddef001be82";
        assert!(read.read("tls-id", name));
        assert_eq!(read.tls_id.as_deref(), Some(name));
        for wrong in ["short", "with space with space with", &"x".repeat(256)] {
            assert!(read.read("tls-id", wrong));
            assert_eq!(read.tls_id, None);
        }
        assert!(!read.read("ice-ufrag", "x"));
    }
}
