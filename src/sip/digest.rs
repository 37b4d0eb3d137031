//! Digest authentication: RFC 7616 as RFC 8760 brings it to SIP (RFC 3261 section 22).
//!
//! Both sides: [`Challenge::authorize`] answers a challenge, [`challenge`] and [`verify`] are for a
//! registrar. Not done: `userhash`, `username*` (user names go as UTF-8), `domain`.

use std::fmt::Write as _;

use sha2::Digest as _;

use super::message::Method;
use super::parse::{AuthFields, quote};
use crate::base::redact::Secret;

/// A hash algorithm (RFC 8760 section 2.1), with or without `-sess`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Algorithm {
    /// The hash function.
    pub hash: Hash,
    /// Whether the session key form is used (RFC 7616 section 3.4.2).
    pub session: bool,
}

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// MD5 (RFC 1321).
    Md5,
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-512/256 (FIPS 180-4).
    Sha512Trunc256,
}

/// The quality of protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qop {
    /// The method and the URI are protected.
    Auth,
    /// The body too.
    AuthInt,
}

/// A challenge that we can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Whose password is asked for.
    pub realm: String,
    /// The server's nonce.
    pub nonce: String,
    /// To be sent back unchanged.
    pub opaque: Option<String>,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// Whether the algorithm was named; only then it is named in the answer.
    pub algorithm_named: bool,
    /// The protection; none is the old form of RFC 2069.
    pub qop: Option<Qop>,
    /// Whether only the nonce was too old.
    pub stale: bool,
}

/// What of the request goes into the answer.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'r> {
    /// The method.
    pub method: &'r Method,
    /// The Request-URI as it is written.
    pub uri: &'r str,
    /// The body.
    pub body: &'r [u8],
}

/// Why credentials are not accepted; the peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// A parameter is missing, or of an unknown kind.
    #[error("the peer's credentials are incomplete")]
    Incomplete,
    /// They are for another realm.
    #[error("the peer's credentials are for another realm")]
    Realm,
    /// The password, user name or protected part is another.
    #[error("the peer's credentials do not match")]
    Mismatch,
}

impl Algorithm {
    /// MD5, the default of RFC 2617.
    pub const MD5: Self = Self {
        hash: Hash::Md5,
        session: false,
    };

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let (base, session) = match lower.strip_suffix("-sess") {
            Some(base) => (base, true),
            None => (lower.as_str(), false),
        };
        let hash = match base {
            "md5" => Hash::Md5,
            "sha-256" => Hash::Sha256,
            "sha-512-256" => Hash::Sha512Trunc256,
            _ => return None,
        };
        Some(Self { hash, session })
    }

    /// The name as RFC 8760 writes it.
    pub fn name(self) -> &'static str {
        match (self.hash, self.session) {
            (Hash::Md5, false) => "MD5",
            (Hash::Md5, true) => "MD5-sess",
            (Hash::Sha256, false) => "SHA-256",
            (Hash::Sha256, true) => "SHA-256-sess",
            (Hash::Sha512Trunc256, false) => "SHA-512-256",
            (Hash::Sha512Trunc256, true) => "SHA-512-256-sess",
        }
    }
}

impl Qop {
    fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }
}

impl Challenge {
    /// Understands a challenge; none when its scheme, algorithm or protection is unknown.
    pub fn from_fields(fields: &AuthFields) -> Option<Self> {
        if !fields.is_digest() {
            return None;
        }
        let algorithm = match fields.value("algorithm") {
            Some(name) => Algorithm::parse(name)?,
            None => Algorithm::MD5,
        };
        let qop = match fields.value("qop") {
            Some(list) => {
                let offers = |name: &str| {
                    list.split(',')
                        .any(|qop| qop.trim().eq_ignore_ascii_case(name))
                };
                if offers("auth") {
                    Some(Qop::Auth)
                } else if offers("auth-int") {
                    Some(Qop::AuthInt)
                } else {
                    return None;
                }
            }
            None => None,
        };
        Some(Self {
            realm: fields.value("realm")?.to_owned(),
            nonce: fields.value("nonce")?.to_owned(),
            opaque: fields.value("opaque").map(str::to_owned),
            algorithm,
            algorithm_named: fields.value("algorithm").is_some(),
            qop,
            stale: fields
                .value("stale")
                .is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    /// The topmost supported challenge of each realm (RFC 8760 section 2.4).
    pub fn choose(all: &[AuthFields]) -> Vec<Self> {
        let mut chosen: Vec<Self> = Vec::new();
        for challenge in all.iter().filter_map(Self::from_fields) {
            if chosen.iter().all(|known| known.realm != challenge.realm) {
                chosen.push(challenge);
            }
        }
        chosen
    }

    /// Writes the value of Authorization or Proxy-Authorization. `nonce_count` counts the requests
    /// sent with this nonce, from 1.
    pub fn authorize(
        &self,
        username: &str,
        password: &Secret,
        subject: Subject<'_>,
        cnonce: &str,
        nonce_count: u32,
    ) -> String {
        let nc = format!("{nonce_count:08x}");
        let response = Computation {
            algorithm: self.algorithm,
            username,
            realm: &self.realm,
            password: password.expose(),
            nonce: &self.nonce,
            cnonce,
            nc: &nc,
            qop: self.qop,
            subject,
        }
        .response();
        let mut value = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\"",
            quote(username),
            quote(&self.realm),
            quote(&self.nonce),
            quote(subject.uri),
        );
        if self.algorithm_named {
            value += ", algorithm=";
            value += self.algorithm.name();
        }
        if let Some(opaque) = &self.opaque {
            value += ", opaque=";
            value += &quote(opaque);
        }
        if let Some(qop) = self.qop {
            value += ", qop=";
            value += qop.name();
            value += ", nc=";
            value += &nc;
        }
        if self.qop.is_some() || self.algorithm.session {
            value += ", cnonce=";
            value += &quote(cnonce);
        }
        value
    }
}

/// Writes the value of WWW-Authenticate or Proxy-Authenticate with `qop="auth"`.
pub fn challenge(realm: &str, nonce: &str, algorithm: Algorithm, stale: bool) -> String {
    let mut value = format!(
        "Digest realm={}, nonce={}, qop=\"auth\", algorithm={}",
        quote(realm),
        quote(nonce),
        algorithm.name()
    );
    if stale {
        value += ", stale=true";
    }
    value
}

/// Checks credentials against a password. Whether the nonce is ours and fresh, its count, and
/// whether `uri` names the request is for the caller to judge.
///
/// # Errors
///
/// Fails when the credentials are incomplete, for another realm, or do not match.
pub fn verify(
    credentials: &AuthFields,
    realm: &str,
    password: &Secret,
    method: &Method,
    body: &[u8],
) -> Result<(), DigestError> {
    let value = |name: &str| credentials.value(name).ok_or(DigestError::Incomplete);
    if !credentials.is_digest() {
        return Err(DigestError::Incomplete);
    }
    if value("realm")? != realm {
        return Err(DigestError::Realm);
    }
    let algorithm = match credentials.value("algorithm") {
        Some(name) => Algorithm::parse(name).ok_or(DigestError::Incomplete)?,
        None => Algorithm::MD5,
    };
    let qop = match credentials.value("qop").map(str::to_ascii_lowercase) {
        None => None,
        Some(name) if name == "auth" => Some(Qop::Auth),
        Some(name) if name == "auth-int" => Some(Qop::AuthInt),
        Some(_) => return Err(DigestError::Incomplete),
    };
    let needs_cnonce = qop.is_some() || algorithm.session;
    let cnonce = if needs_cnonce { value("cnonce")? } else { "" };
    let expected = Computation {
        algorithm,
        username: value("username")?,
        realm,
        password: password.expose(),
        nonce: value("nonce")?,
        cnonce,
        nc: if qop.is_some() { value("nc")? } else { "" },
        qop,
        subject: Subject {
            method,
            uri: value("uri")?,
            body,
        },
    }
    .response();
    let given = value("response")?.to_ascii_lowercase();
    // Both are hexadecimal hashes; their comparison takes the same time whatever they hold.
    let differing = expected
        .bytes()
        .zip(given.bytes())
        .fold(0, |differing, (ours, theirs)| differing | (ours ^ theirs));
    if differing == 0 && expected.len() == given.len() {
        Ok(())
    } else {
        Err(DigestError::Mismatch)
    }
}

/// The computation of RFC 7616 section 3.4.1.
struct Computation<'r> {
    algorithm: Algorithm,
    username: &'r str,
    realm: &'r str,
    password: &'r str,
    nonce: &'r str,
    cnonce: &'r str,
    nc: &'r str,
    qop: Option<Qop>,
    subject: Subject<'r>,
}

impl Computation<'_> {
    fn response(&self) -> String {
        let hash = |text: &str| self.algorithm.hash.hex(text.as_bytes());
        let Self {
            username,
            realm,
            password,
            nonce,
            cnonce,
            nc,
            ..
        } = self;
        let mut a1 = hash(&format!("{username}:{realm}:{password}"));
        if self.algorithm.session {
            a1 = hash(&format!("{a1}:{nonce}:{cnonce}"));
        }
        let Subject { method, uri, body } = self.subject;
        let a2 = match self.qop {
            Some(Qop::AuthInt) => {
                let body = self.algorithm.hash.hex(body);
                hash(&format!("{method}:{uri}:{body}"))
            }
            Some(Qop::Auth) | None => hash(&format!("{method}:{uri}")),
        };
        match self.qop {
            Some(qop) => {
                let qop = qop.name();
                hash(&format!("{a1}:{nonce}:{nc}:{cnonce}:{qop}:{a2}"))
            }
            None => hash(&format!("{a1}:{nonce}:{a2}")),
        }
    }
}

impl Hash {
    fn hex(self, bytes: &[u8]) -> String {
        match self {
            Self::Md5 => hex(&md5::Md5::digest(bytes)),
            Self::Sha256 => hex(&sha2::Sha256::digest(bytes)),
            Self::Sha512Trunc256 => hex(&sha2::Sha512_256::digest(bytes)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        if write!(text, "{byte:02x}").is_err() {
            text.clear();
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::parse;

    fn answer(challenge: &str, user: &str, password: &str, uri: &str, cnonce: &str) -> String {
        let fields = parse::challenges(challenge).unwrap();
        let chosen = Challenge::choose(&fields).remove(0);
        let method = Method::Other("GET".to_owned());
        let subject = Subject {
            method: &method,
            uri,
            body: b"",
        };
        let value = chosen.authorize(user, &Secret::new(password), subject, cnonce, 1);
        let read = parse::credentials(&value).unwrap();
        let realm = read.value("realm").unwrap();
        assert_eq!(
            verify(&read, realm, &Secret::new(password), &method, b""),
            Ok(())
        );
        assert_eq!(
            verify(&read, realm, &Secret::new("wrong"), &method, b""),
            Err(DigestError::Mismatch)
        );
        read.value("response").unwrap().to_owned()
    }

    #[test]
    fn rfc_7616_section_3_9_1_with_md5_and_sha_256() {
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            (
                "SHA-256",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ] {
            let challenge = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
                 algorithm={algorithm}, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            assert_eq!(
                answer(
                    &challenge,
                    "Mufasa",
                    "Circle of Life",
                    "/dir/index.html",
                    cnonce
                ),
                response
            );
        }
    }

    #[test]
    fn rfc_7616_section_3_9_2_with_sha_512_256_as_its_erratum_4897_corrects_it() {
        let challenge = "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
             nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\"";
        assert_eq!(
            answer(
                challenge,
                "J\u{e4}s\u{f8}n Doe",
                "Secret, or not?",
                "/doe.json",
                "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"
            ),
            "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
        );
    }

    #[test]
    fn rfc_2617_section_3_5_and_the_form_without_qop() {
        let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
        let with = format!("Digest realm=\"testrealm@host.com\", qop=\"auth\", nonce=\"{nonce}\"");
        assert_eq!(
            answer(
                &with,
                "Mufasa",
                "Circle Of Life",
                "/dir/index.html",
                "0a4f113b"
            ),
            "6629fae49393a05397450978507c4ef1"
        );
        let without = format!("Digest realm=\"testrealm@host.com\", nonce=\"{nonce}\"");
        assert_eq!(
            answer(
                &without,
                "Mufasa",
                "Circle Of Life",
                "/dir/index.html",
                "0a4f113b"
            ),
            "670fd8c2df070c60b045671b8b24ff02"
        );
    }

    #[test]
    fn session_and_integrity_forms_verify_and_depend_on_the_body() {
        let fields = parse::challenges(
            "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\", algorithm=SHA-256-sess",
        )
        .unwrap();
        let chosen = Challenge::choose(&fields).remove(0);
        let subject = Subject {
            method: &Method::Invite,
            uri: "sip:b",
            body: b"v=0",
        };
        let password = Secret::new("p");
        let value = chosen.authorize("u\"x", &password, subject, "c", 0x1f);
        assert!(value.contains("nc=0000001f"), "{value}");
        assert!(value.contains("username=\"u\\\"x\""), "{value}");
        let read = parse::credentials(&value).unwrap();
        assert_eq!(
            verify(&read, "r", &password, &Method::Invite, b"v=0"),
            Ok(())
        );
        assert_eq!(
            verify(&read, "r", &password, &Method::Invite, b"v=1"),
            Err(DigestError::Mismatch)
        );
        assert_eq!(
            verify(&read, "q", &password, &Method::Invite, b"v=0"),
            Err(DigestError::Realm)
        );
        // Two wrong digits whose differences are alike do not make up for each other.
        let response = read.value("response").unwrap();
        let mut forged = response.as_bytes().to_vec();
        forged[0] ^= 1;
        forged[1] ^= 1;
        let forged = value.replace(response, &String::from_utf8(forged).unwrap());
        let forged = parse::credentials(&forged).unwrap();
        assert_eq!(
            verify(&forged, "r", &password, &Method::Invite, b"v=0"),
            Err(DigestError::Mismatch)
        );
        // A word that is neither of the two protects nothing that both know of.
        let other = parse::credentials(&value.replace("auth-int", "auth-all")).unwrap();
        assert_eq!(
            verify(&other, "r", &password, &Method::Invite, b"v=0"),
            Err(DigestError::Incomplete)
        );
    }

    #[test]
    fn the_topmost_supported_challenge_of_each_realm_is_chosen() {
        let fields: Vec<_> = [
            "Basic realm=\"a\"",
            "Digest realm=\"a\", nonce=\"1\", algorithm=SHA-3",
            "Digest realm=\"a\", nonce=\"2\", algorithm=SHA-512-256, qop=\"auth\"",
            "Digest realm=\"a\", nonce=\"3\", algorithm=MD5",
            "Digest realm=\"b\", nonce=\"4\", stale=true",
            "Digest realm=\"c\", nonce=\"5\", qop=\"token\"",
        ]
        .iter()
        .flat_map(|text| parse::challenges(text).unwrap())
        .collect();
        let chosen = Challenge::choose(&fields);
        let nonces: Vec<_> = chosen.iter().map(|c| c.nonce.as_str()).collect();
        assert_eq!(nonces, ["2", "4"]);
        assert!(chosen[1].stale);
    }

    #[test]
    fn our_own_challenge_is_read_back() {
        let text = challenge("r", "n", Algorithm::parse("SHA-256").unwrap(), true);
        let read = Challenge::choose(&parse::challenges(&text).unwrap()).remove(0);
        assert_eq!((read.qop, read.stale), (Some(Qop::Auth), true));
        assert_eq!(read.algorithm.name(), "SHA-256");
    }
}
