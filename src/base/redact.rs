//! Secrets, and what may be shown of them: nothing.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

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

/// A SIP message as it went over the wire, credentials included: it shows itself only redacted.
///
/// Cheap to clone, so that a ladder may keep it and pay for the redaction when somebody reads it.
#[derive(Clone, PartialEq, Eq)]
pub struct WireMessage(Arc<[u8]>);

impl WireMessage {
    /// Takes a copy of the octets into custody.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// How many octets it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no octets.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The message for a log, a trace or a ladder; see [`sip_message`].
    pub fn redacted(&self) -> String {
        sip_message(&self.0)
    }

    /// The start line and the header fields for a log, without the body: what it says is nobody's business there.
    pub fn redacted_head(&self) -> String {
        let end = self.0.windows(4).position(|window| window == b"\r\n\r\n");
        sip_message(
            self.0
                .get(..end.unwrap_or(self.0.len()))
                .unwrap_or_default(),
        )
    }

    /// The address in the topmost Via, where it is one: that of a request's sender.
    pub fn sent_by(&self) -> Option<SocketAddr> {
        let mut lines = self.0.split(|byte| *byte == b'\n');
        let value = lines.find_map(|line| {
            let (name, value) = field(line.trim_ascii())?;
            let is_via = name.eq_ignore_ascii_case(b"Via") || name.eq_ignore_ascii_case(b"v");
            is_via.then_some(value)
        })?;
        let text = std::str::from_utf8(value).ok()?;
        let sent_by = text.split_whitespace().nth(1)?.split([';', ',']).next()?;
        let port = 5060;
        sent_by.parse().ok().or_else(|| {
            let ip = sent_by.trim_matches(['[', ']']).parse().ok()?;
            Some(SocketAddr::new(ip, port))
        })
    }

    /// The Call-ID and the method of `CSeq`, whatever else may be wrong with the message.
    pub fn call_id_and_method(&self) -> (Option<String>, Option<String>) {
        let (mut call_id, mut method) = (None, None);
        for line in self.0.split(|byte| *byte == b'\n') {
            let line = line.trim_ascii();
            if line.is_empty() || (call_id.is_some() && method.is_some()) {
                break;
            }
            let Some((name, value)) = field(line) else {
                continue;
            };
            let text = || String::from_utf8_lossy(value.trim_ascii()).into_owned();
            if name.eq_ignore_ascii_case(b"Call-ID") || name.eq_ignore_ascii_case(b"i") {
                call_id.get_or_insert_with(text);
            } else if name.eq_ignore_ascii_case(b"CSeq") {
                let last = |text: String| text.split_whitespace().last().map(str::to_owned);
                method = method.or_else(|| last(text()));
            }
        }
        (call_id, method)
    }
}

impl fmt::Debug for WireMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WireMessage({} octets)", self.0.len())
    }
}

/// Header fields whose values prove who somebody is (RFC 3261 section 20, RFC 7616).
const CREDENTIALS: [&[u8]; 4] = [
    b"Authorization",
    b"Proxy-Authorization",
    b"Authentication-Info",
    b"Proxy-Authentication-Info",
];

/// What stands in place of each octet of a secret in a body, so that Content-Length stays true.
const MASK: u8 = b'x';

/// Parameters of credentials that prove nothing by themselves, and tell why they were refused.
const HARMLESS: [&[u8]; 9] = [
    b"username",
    b"realm",
    b"nonce",
    b"nextnonce",
    b"uri",
    b"algorithm",
    b"qop",
    b"nc",
    b"opaque",
];

/// Writes a SIP message for a log or trace without its secrets: what proves who somebody is in
/// credential header fields, passwords in URIs, keys of `a=crypto` (RFC 4568), `k=`, `a=key-mgmt`
/// and `a=ice-pwd`, and digits that somebody pressed (INFO, KPML). Each octet of a secret becomes
/// an `x`; what is no text becomes a replacement character.
pub fn sip_message(bytes: &[u8]) -> String {
    let mut shown = bytes.to_vec();
    let mut in_head = true;
    let mut digits = bytes.starts_with(b"INFO ");
    // Where the credentials begin that the line continues.
    let mut credentials: Option<usize> = None;
    let mut begin = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let end = begin + line.len();
        let bare = without_line_break(line);
        let continues = bare
            .first()
            .is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        if let Some(from) = credentials
            && !(in_head && continues)
        {
            credentials = None;
            mask_credentials(shown.get_mut(from..begin).unwrap_or_default());
        }
        let written = shown.get_mut(begin..end).unwrap_or_default();
        if in_head && bare.is_empty() {
            in_head = false;
        } else if !in_head {
            mask_body_line(written, digits);
        } else if !continues {
            let name = field(bare).map(|(name, _)| name);
            digits |= name.is_some_and(is_content_type) && tells_digits(bare);
            if name.is_some_and(is_credential) {
                credentials = Some(begin);
            }
            mask_uri_passwords(written);
        }
        begin = end;
    }
    if let Some(from) = credentials {
        mask_credentials(shown.get_mut(from..).unwrap_or_default());
    }
    String::from_utf8(shown)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Masks what proves who somebody is in a whole credential header field, folded lines included.
fn mask_credentials(line: &mut [u8]) {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return;
    };
    let informs = line.get(..colon).is_some_and(|name| {
        let name = name.trim_ascii_end();
        name.len() > 4
            && name
                .get(name.len() - 4..)
                .is_some_and(|end| end.eq_ignore_ascii_case(b"info"))
    });
    let value = line.get_mut(colon + 1..).unwrap_or_default();
    let blank = value
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    let value = value.get_mut(blank..).unwrap_or_default();
    let digest = b"Digest";
    let params = if informs {
        value
    } else if value
        .get(..digest.len())
        .is_some_and(|it| it.eq_ignore_ascii_case(digest))
    {
        value.get_mut(digest.len()..).unwrap_or_default()
    } else {
        let scheme = value
            .iter()
            .take_while(|byte| !byte.is_ascii_whitespace())
            .count();
        mask(value, scheme, |byte| !byte.is_ascii_whitespace());
        return;
    };
    let mut rest = params;
    while !rest.is_empty() {
        let param = take_param(&mut rest);
        let equals = param.iter().position(|byte| *byte == b'=').unwrap_or(0);
        let name = param.get(..equals).unwrap_or_default().trim_ascii();
        if !HARMLESS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
        {
            let from = equals + usize::from(equals > 0);
            mask(param, from, |byte| {
                !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b',')
            });
        }
    }
}

/// Takes the first of several parameters, up to and with the comma after it.
fn take_param<'a>(rest: &mut &'a mut [u8]) -> &'a mut [u8] {
    let (mut quoted, mut escaped) = (false, false);
    let end = rest.iter().position(|byte| {
        let ends = *byte == b',' && !quoted;
        if !escaped && *byte == b'"' {
            quoted = !quoted;
        }
        escaped = quoted && !escaped && *byte == b'\\';
        ends
    });
    let all = std::mem::take(rest);
    let (param, left) = all.split_at_mut(end.map_or(all.len(), |end| end + 1));
    *rest = left;
    param
}

fn without_line_break(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Splits a header field's first line into name and value.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    Some((name.trim_ascii(), value.get(1..)?))
}

fn is_credential(name: &[u8]) -> bool {
    let known = |known: &&[u8]| known.eq_ignore_ascii_case(name);
    CREDENTIALS.iter().any(known)
}

fn is_content_type(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"Content-Type") || name.eq_ignore_ascii_case(b"c")
}

/// Whether a content type carries pressed digits.
fn tells_digits(line: &[u8]) -> bool {
    [b"dtmf".as_slice(), b"kpml", b"digits"]
        .iter()
        .any(|kind| find(line, kind).is_some())
}

/// Masks what is secret in one line of a body.
fn mask_body_line(line: &mut [u8], digits: bool) {
    let secret = |line: &[u8], start: &[u8]| {
        let begin = line.get(..start.len())?;
        begin.eq_ignore_ascii_case(start).then_some(start.len())
    };
    let key = secret(line, b"k=")
        .and_then(|at| {
            line.iter()
                .position(|byte| *byte == b':')
                .map(|colon| at.max(colon + 1))
        })
        .or_else(|| secret(line, b"a=key-mgmt:"))
        .or_else(|| secret(line, b"a=ice-pwd:"))
        .or_else(|| secret(line, b"a=crypto:").and_then(|_| Some(find(line, b"inline:")? + 7)))
        // A message inside a message (message/sip, message/sipfrag) has credentials too.
        .or_else(|| {
            let (name, _) = field(line)?;
            is_credential(name).then(|| line.iter().position(|byte| *byte == b':'))?
        });
    if let Some(from) = key {
        mask(line, from, |byte| !byte.is_ascii_whitespace());
    } else if digits && secret(line, b"Duration").is_none() && !line.starts_with(b"--") {
        let value = line.iter().position(|byte| *byte == b'=').map(|at| at + 1);
        let named = secret(line, b"Signal").and(value);
        let alone = line.trim_ascii().len() == 1;
        mask(line, 0, |byte| {
            byte.is_ascii_digit() || matches!(byte, b'*' | b'#')
        });
        if let Some(from) = named.or_else(|| alone.then_some(0)) {
            mask(line, from, |byte| byte.is_ascii_alphanumeric());
        }
    }
    mask_uri_passwords(line);
}

/// Masks the password of each `sip:user:password@host` (RFC 3261 section 19.1.1).
fn mask_uri_passwords(line: &mut [u8]) {
    let mut from = 0;
    while let Some(rest) = line.get(from..)
        && let Some(colon) = rest.iter().position(|byte| *byte == b':')
    {
        let before = line.get(..from + colon).unwrap_or_default();
        from += colon + 1;
        if !(ends_with(before, b"sip") || ends_with(before, b"sips")) {
            continue;
        }
        let Some(uri) = line.get_mut(from..) else {
            return;
        };
        let end = uri
            .iter()
            .position(|byte| matches!(byte, b'>' | b'<' | b'"' | b' ' | b'\r' | b'\n'));
        let Some(uri) = uri.get_mut(..end.unwrap_or(usize::MAX).min(uri.len())) else {
            return;
        };
        let Some(host) = uri.iter().position(|byte| *byte == b'@') else {
            continue;
        };
        if let Some(user) = uri.get_mut(..host)
            && let Some(colon) = user.iter().position(|byte| *byte == b':')
        {
            mask(user, colon + 1, |_| true);
        }
    }
}

/// Whether a text ends so, in any case.
fn ends_with(text: &[u8], end: &[u8]) -> bool {
    text.len()
        .checked_sub(end.len())
        .and_then(|at| text.get(at..))
        .is_some_and(|last| last.eq_ignore_ascii_case(end))
}

fn mask(line: &mut [u8], from: usize, hides: impl Fn(u8) -> bool) {
    for byte in line.iter_mut().skip(from) {
        if hides(*byte) {
            *byte = MASK;
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window.eq_ignore_ascii_case(wanted))
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
        for (field, shown) in [
            (
                "Authorization : Digest username=\"u, \\\"v\",\r\n response=\"abc\",cnonce=ef, nc=00000001,x=1",
                "Authorization : Digest username=\"u, \\\"v\",\r\n response=\"xxx\",cnonce=xx, nc=00000001,x=x",
            ),
            (
                "proxy-authorization:Basic dTpw==",
                "proxy-authorization:Basic xxxxxx",
            ),
            (
                "Authorization: Digest nonsense",
                "Authorization: Digest xxxxxxxx",
            ),
            (
                "Authentication-Info: nextnonce=\"a\", rspauth=\"bc\"",
                "Authentication-Info: nextnonce=\"a\", rspauth=\"xx\"",
            ),
        ] {
            for end in ["\r\nTo: x\r\n\r\nv=0\r\n", "\r\n\r\n", "\r\n", ""] {
                let message = format!("REGISTER sip:a SIP/2.0\r\n{field}{end}");
                let expected = format!("REGISTER sip:a SIP/2.0\r\n{shown}{end}");
                assert_eq!(sip_message(message.as_bytes()), expected);
            }
        }
        let inner =
            "NOTIFY sip:a SIP/2.0\r\n\r\nSIP/2.0 200 OK\r\nAuthorization: Digest response=5\r\n";
        assert!(!sip_message(inner.as_bytes()).contains("response"));
    }

    #[test]
    fn keys_passwords_and_digits_are_hidden_without_a_change_of_length() {
        let head = "INVITE sip:bob:s3cret@example.com;x=1 SIP/2.0\r\nFrom: \"A\" <sips:al:pass@h>;tag=1\r\nTo: sip:c@h:5070\r\n\r\n";
        for (body, secrets) in [
            (
                "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3|2^20|1:4 UNENCRYPTED_SRTP\r\na=x",
                ["d0Rm", "2^20"],
            ),
            (
                "k=clear:opensesame\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n",
                ["opensesame", "asd88"],
            ),
            (
                "a=key-mgmt:mikey AQAFgM0XflABAAAA\r\nv=0\r\n",
                ["AQAFg", "mikey"],
            ),
        ] {
            let message = format!("{head}{body}");
            let shown = sip_message(message.as_bytes());
            for secret in secrets.into_iter().chain(["s3cret", "pass"]) {
                assert!(!shown.contains(secret), "{secret} in {shown}");
            }
            assert_eq!(shown.len(), message.len());
            assert!(shown.contains("To: sip:c@h:5070\r\n"), "{shown}");
            assert!(shown.contains("@example.com;x=1 SIP/2.0"), "{shown}");
        }
        for (kind, body, shown) in [
            (
                "application/dtmf-relay",
                "Signal=5\r\nDuration=160\r\n",
                "Signal=x\r\nDuration=160\r\n",
            ),
            ("application/dtmf-relay", "Signal= B\r\n", "Signal= x\r\n"),
            ("application/dtmf", "#", "x"),
            ("application/dtmf", "C", "x"),
            (
                "application/kpml-response+xml",
                "<r digits=\"12*4\"/>",
                "<r digits=\"xxxx\"/>",
            ),
        ] {
            let message = format!("INFO sip:a SIP/2.0\r\nContent-Type: {kind}\r\n\r\n{body}");
            let all = sip_message(message.as_bytes());
            assert!(all.ends_with(&format!("\r\n\r\n{shown}")), "{all}");
        }
        let answer =
            b"NOTIFY sip:a SIP/2.0\r\nc: application/kpml-response+xml\r\n\r\ndigits=\"9\"";
        assert!(sip_message(answer).ends_with("digits=\"x\""));
    }

    /// Only the passwords from the first `sip:` on were hidden: one of a `sips:` before it was shown.
    #[test]
    fn passwords_of_all_uris_of_a_line_are_hidden() {
        let line = b"OPTIONS x SIP/2.0\r\nRoute: <SIPS:a:one@h>, <sip:b:two@h;x=sip:c:three@h>, <sips:d@h>\r\n\r\n";
        let shown = sip_message(line);
        assert!(
            shown.contains("<SIPS:a:xxx@h>, <sip:b:xxx@h;x=sip:c:xxxxx@h>, <sips:d@h>"),
            "{shown}"
        );
    }

    #[test]
    fn a_head_has_no_body() {
        let message =
            b"MESSAGE sip:a SIP/2.0\r\nAuthorization: Basic dTpw\r\n\r\nmeet me\r\n\r\nat six";
        let shown = WireMessage::new(message).redacted_head();
        assert_eq!(shown, "MESSAGE sip:a SIP/2.0\r\nAuthorization: Basic xxxx");
    }

    #[test]
    fn a_wire_message_names_its_call_and_never_prints_itself() {
        let message = WireMessage::new(
            b"SIP/2.0 200 OK\r\ni : abc@h\r\nCSeq: 2  REGISTER\r\n\r\nCall-ID: no",
        );
        let (call_id, method) = message.call_id_and_method();
        assert_eq!(call_id.as_deref(), Some("abc@h"));
        assert_eq!(method.as_deref(), Some("REGISTER"));
        assert!(!format!("{message:?}").contains("abc"));
        for (via, sent_by) in [
            (
                "Via: SIP/2.0/UDP 10.0.0.1:5070;branch=1",
                Some("10.0.0.1:5070"),
            ),
            (
                "v : SIP/2.0/TCP [::1];branch=1, SIP/2.0/UDP x",
                Some("[::1]:5060"),
            ),
            ("Via: SIP/2.0/UDP phone.example.com", None),
        ] {
            let text = format!("BYE sip:a SIP/2.0\r\n{via}\r\n\r\n");
            let found = WireMessage::new(text.as_bytes()).sent_by();
            assert_eq!(found, sent_by.map(|address| address.parse().unwrap()));
        }
        assert_eq!(
            WireMessage::new(b"nonsense").call_id_and_method(),
            (None, None)
        );
    }
}
