//! Secrets, and what may be shown of them: nothing.

use std::fmt;

use secrecy::ExposeSecret as _;

/// A password or key: it never prints itself and is wiped when dropped.
#[derive(Clone, Default)]
pub struct Secret(secrecy::SecretString);

impl Secret {
    /// Takes the text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(secrecy::SecretString::from(text.into()))
    }

    /// Shows the text to the one computation that needs it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Header fields whose values prove who somebody is (RFC 3261 section 20, RFC 7616).
const CREDENTIALS: [&str; 4] = [
    "authorization",
    "proxy-authorization",
    "authentication-info",
    "proxy-authentication-info",
];

/// Writes a SIP message for a log or trace: the values of credential header fields are replaced,
/// folded lines included, and what is no text becomes a replacement character.
pub fn sip_message(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut shown = String::with_capacity(text.len());
    let mut hiding = false;
    let mut in_head = true;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\r', '\n']);
        if in_head && bare.is_empty() {
            in_head = false;
        }
        if !in_head {
            shown.push_str(line);
            continue;
        }
        if bare.starts_with([' ', '\t']) && hiding {
            continue;
        }
        hiding = false;
        if let Some((name, _)) = bare.split_once(':')
            && CREDENTIALS.contains(&name.trim().to_ascii_lowercase().as_str())
        {
            hiding = true;
            shown.push_str(name);
            shown.push_str(": <redacted>\r\n");
            continue;
        }
        shown.push_str(line);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_print() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(..)");
    }

    #[test]
    fn credentials_are_hidden_even_when_folded() {
        let message = b"REGISTER sip:a SIP/2.0\r\nAuthorization : Digest username=\"u\",\r\n response=\"abc\"\r\nTo: x\r\n\r\nAuthorization: body";
        let shown = sip_message(message);
        assert!(!shown.contains("response"), "{shown}");
        assert!(shown.contains("To: x"));
        assert!(shown.ends_with("Authorization: body"));
    }
}
