//! WWW-Authenticate, Proxy-Authenticate, Authorization and Proxy-Authorization (RFC 3261 section
//! 25.1, RFC 7616 sections 3.3 and 3.4).

use super::scan::{self, Malformed};
use crate::base::uri::Param;

/// A challenge or credentials: a scheme and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthFields {
    /// The scheme as written, such as `Digest`.
    pub scheme: String,
    /// The parameters in order; their values have lost their quotes.
    pub params: Vec<Param>,
}

impl AuthFields {
    /// The value of a parameter.
    pub fn value(&self, name: &str) -> Option<&str> {
        Param::find(&self.params, name)?.value.as_deref()
    }

    /// Whether the scheme is Digest.
    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("Digest")
    }
}

/// Reads the challenges of one header field; some peers put several on one line.
///
/// # Errors
///
/// Fails when a challenge does not follow the grammar.
pub fn challenges(text: &str) -> Result<Vec<AuthFields>, Malformed> {
    let mut all: Vec<AuthFields> = Vec::new();
    for part in scan::split_outside(text, ',')? {
        if part.is_empty() {
            continue;
        }
        let param = match scheme_of(part) {
            Some((scheme, rest)) => {
                all.push(AuthFields {
                    scheme: scheme.to_owned(),
                    params: Vec::new(),
                });
                rest
            }
            None => part,
        };
        let current = all.last_mut().ok_or(Malformed("challenge"))?;
        if !param.is_empty() {
            current.params.push(scan::param(param)?);
        }
    }
    Ok(all)
}

/// Reads the credentials of one header field.
///
/// # Errors
///
/// Fails when they do not follow the grammar.
pub fn credentials(text: &str) -> Result<AuthFields, Malformed> {
    challenges(text)?
        .into_iter()
        .next()
        .ok_or(Malformed("credentials"))
}

/// The scheme, where a part begins with one: a word that no `=` follows.
fn scheme_of(part: &str) -> Option<(&str, &str)> {
    let (word, rest) = match part.split_once([' ', '\t']) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (part, ""),
    };
    (scan::is_token(word) && !rest.starts_with('=')).then_some((word, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_challenges_on_one_line_are_told_apart() {
        let read = challenges(
            "Digest realm=\"a, b\", nonce = \"n\", qop=\"auth,auth-int\", algorithm=SHA-256, \
             Digest realm=\"c\",nonce=\"m\" , stale=TRUE, NoOneKnows x=1",
        )
        .unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!(read[0].value("REALM"), Some("a, b"));
        assert_eq!(read[0].value("nonce"), Some("n"));
        assert_eq!(read[0].value("qop"), Some("auth,auth-int"));
        assert_eq!(read[1].value("stale"), Some("TRUE"));
        assert!(!read[2].is_digest());
    }

    #[test]
    fn broken_challenges_are_refused() {
        for text in ["=", "realm=\"a\"", "Digest realm=\"a", "Digest realm"] {
            let read = challenges(text);
            assert!(read.is_err() || text == "Digest realm", "{text}: {read:?}");
        }
    }
}
