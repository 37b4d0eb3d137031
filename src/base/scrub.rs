//! Secrets and people in free text: log lines, sentences, settings.
//!
//! [`redact`](crate::base::redact) knows SIP messages and keeps their length. Here nothing is known of the text
//! but its words, so rather too much is hidden than too little. Nothing is looked up and nothing fails.

/// What stands in place of a secret.
const HIDDEN: &str = "***";

/// Words before `=` or `:` whose value is a secret, in small letters; also at the end of longer words, as in
/// `turn_password` or `ice-pwd`.
const SECRETS: [&str; 18] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "api_key",
    "api-key",
    "apikey",
    "private_key",
    "pin",
    "response",
    "rspauth",
    "cnonce",
    "inline",
    "digits",
    "dtmf",
    "signal",
];

/// Words whose value is secret up to the end of the line, but for the name of the scheme.
const WHOLE_LINES: [&str; 5] = [
    "authorization",
    "authentication-info",
    "cookie",
    "k",
    "key-mgmt",
];

/// Takes out of a text what could open something: passwords, tokens, keys, digests and pressed digits by the
/// word before them, and passwords in URIs.
pub fn secrets(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        secrets_of_line(line, &mut shown);
    }
    shown
}

fn secrets_of_line(line: &str, shown: &mut String) {
    let mut rest = line;
    while let Some(at) = rest.find(['=', ':']) {
        let (before, behind) = rest.split_at(at);
        let (sign, value) = behind.split_at(1);
        shown.push_str(before);
        shown.push_str(sign);
        rest = value;
        let name = name_before(before);
        if WHOLE_LINES.iter().any(|word| is_named(&name, word)) {
            let (scheme, hidden) = scheme(value);
            shown.push_str(scheme);
            if !hidden.trim().is_empty() {
                shown.push_str(HIDDEN);
            }
            let end = hidden.trim_end_matches(['\r', '\n']).len();
            rest = hidden.get(end..).unwrap_or_default();
        } else if SECRETS.iter().any(|word| is_named(&name, word)) {
            rest = hide_value(value, shown);
        } else if sign == ":" {
            rest = hide_in_uri(&name, value, shown);
        }
    }
    shown.push_str(rest);
}

/// The word that ends a text, without quotes, in small letters.
fn name_before(text: &str) -> String {
    let text = text.trim_end_matches([' ', '\t', '"', '\'']);
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let start = text
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_part(*c))
        .last()
        .map_or(text.len(), |(at, _)| at);
    text.get(start..).unwrap_or_default().to_ascii_lowercase()
}

/// Whether a name is a word, or ends in it behind a hyphen or an underscore.
fn is_named(name: &str, word: &str) -> bool {
    name.strip_suffix(word)
        .is_some_and(|before| before.is_empty() || (word.len() > 1 && before.ends_with(['-', '_'])))
}

/// The blanks and the scheme of credentials, and what proves something.
fn scheme(value: &str) -> (&str, &str) {
    let blank = value.len() - value.trim_start_matches([' ', '\t']).len();
    let scheme = value
        .get(blank..)
        .and_then(|value| value.find(' '))
        .filter(|length| *length <= 16);
    value.split_at(scheme.map_or(blank, |length| blank + length + 1))
}

/// Hides a value, quoted or not; gives what is behind it.
fn hide_value<'a>(value: &'a str, shown: &mut String) -> &'a str {
    let start = value.trim_start_matches([' ', '\t']);
    shown.push_str(value.strip_suffix(start).unwrap_or_default());
    let quote = start.chars().next().filter(|c| matches!(c, '"' | '\''));
    let end = match quote {
        Some(quote) => {
            let mut escaped = false;
            let close = start.char_indices().skip(1).find(|(_, c)| {
                let closes = *c == quote && !escaped;
                escaped = *c == '\\' && !escaped;
                closes
            });
            close.map_or_else(|| start.trim_end().len(), |(at, _)| at + 1)
        }
        None => start
            .find([' ', '\t', '\r', '\n', ',', ';', '&', '"', '}', ')', '>'])
            .unwrap_or(start.len()),
    };
    if end > 0 {
        shown.push_str(HIDDEN);
    }
    start.get(end..).unwrap_or_default()
}

/// Hides the password of `scheme:user:password@host`; gives what is behind it.
fn hide_in_uri<'a>(scheme: &str, value: &'a str, shown: &mut String) -> &'a str {
    let known = [
        "sip", "sips", "http", "https", "turn", "turns", "ws", "wss", "ftp",
    ];
    if !known.contains(&scheme) {
        return value;
    }
    let end = value
        .find([' ', '<', '>', '"', '\r', '\n'])
        .unwrap_or(value.len());
    let uri = value.get(..end).unwrap_or_default();
    let Some(host) = uri.find('@') else {
        return value;
    };
    let user = uri.get(..host).unwrap_or_default();
    let Some(colon) = user.find(':') else {
        return value;
    };
    shown.push_str(user.get(..=colon).unwrap_or_default());
    shown.push_str(HIDDEN);
    value.get(host..).unwrap_or_default()
}

/// Shortens names and numbers of people: those that are given, wherever they stand; the users of SIP and
/// `tel:` addresses; names before an address; and everything that looks like a phone number.
#[derive(Debug, Clone, Default)]
pub struct People {
    /// The longest first, so that a whole name goes before a part of it.
    known: Vec<String>,
}

impl People {
    /// Knows some people by name or number. Texts of fewer than three characters are not looked for: they stand
    /// in too many words.
    pub fn new(known: impl IntoIterator<Item = String>) -> Self {
        let mut known: Vec<String> = known
            .into_iter()
            .map(|text| user(text.trim()).to_owned())
            .filter(|text| text.chars().count() >= 3)
            .collect();
        known.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        known.dedup();
        Self { known }
    }

    /// The text with everybody shortened.
    pub fn shorten(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for known in &self.known {
            if shown.contains(known.as_str()) {
                shown = shown.replace(known.as_str(), &short(known));
            }
        }
        let lines = shown
            .split_inclusive('\n')
            .map(|line| numbers(&addresses(line)));
        lines.collect()
    }
}

/// Who an address is about; another text is that itself.
fn user(text: &str) -> &str {
    let schemes = ["sip:", "sips:", "tel:"];
    let address = schemes.iter().find_map(|scheme| text.strip_prefix(scheme));
    let end = address.and_then(|address| address.find(['@', ';']));
    let address = address.unwrap_or(text);
    address.get(..end.unwrap_or(address.len())).unwrap_or(text)
}

/// The first letter of each word, the last two digits of a number.
pub fn short(text: &str) -> String {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
    if digits.len() >= 3 && !text.chars().any(char::is_alphabetic) {
        let last = digits.iter().skip(digits.len() - 2);
        return std::iter::once(&'…').chain(last).collect();
    }
    let words = text.split_whitespace().map(|word| {
        let first = word.chars().find(|c| c.is_alphanumeric());
        first.map_or_else(String::new, |first| format!("{first}…"))
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Shortens the users of addresses, and the names before them.
fn addresses(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((at, scheme)) = ["sip:", "sips:", "tel:"]
        .iter()
        .filter_map(|scheme| find(rest, scheme).map(|at| (at, scheme.len())))
        .min()
    {
        let (before, uri) = rest.split_at(at);
        shown.push_str(&name(before));
        let (scheme, behind) = uri.split_at(scheme);
        shown.push_str(scheme);
        let end = behind
            .find([' ', '<', '>', '"', '\'', ',', ';', '\r', '\n', ')', ']'])
            .unwrap_or(behind.len());
        let whole = behind.get(..end).unwrap_or_default();
        let user = match whole.find('@') {
            Some(host) => host,
            None if scheme.eq_ignore_ascii_case("tel:") => end,
            None => 0,
        };
        if user > 0 {
            shown.push_str(&short(whole.get(..user).unwrap_or_default()));
        }
        rest = behind.get(user..).unwrap_or_default();
    }
    shown.push_str(rest);
    shown
}

/// Shortens the display name at the end of what stands before an address (RFC 3261 section 20.10).
fn name(before: &str) -> String {
    let Some(open) = before.strip_suffix('<') else {
        return before.to_owned();
    };
    let text = open.trim_end();
    let start = if let Some(quoted) = text.strip_suffix('"') {
        quoted.rfind('"').map(|at| at + 1)
    } else {
        Some(text.rfind([':', ',', '>', ';', '=']).map_or(0, |at| at + 1))
    };
    let Some((head, name)) = start.and_then(|start| text.split_at_checked(start)) else {
        return before.to_owned();
    };
    let end = if text.ends_with('"') { "\" <" } else { " <" };
    let bare = name.trim_matches(['"', ' ']);
    if bare.is_empty() {
        return before.to_owned();
    }
    let blank = name.len() - name.trim_start().len();
    format!("{head}{}{}{end}", " ".repeat(blank), short(bare))
}

/// Where a scheme begins, in any case, and not as the end of a longer word: `sips:` holds no `ips:`.
fn find(text: &str, scheme: &str) -> Option<usize> {
    text.char_indices()
        .filter(|(at, _)| {
            let here = text.get(*at..*at + scheme.len());
            here.is_some_and(|here| here.eq_ignore_ascii_case(scheme))
        })
        .map(|(at, _)| at)
        .find(|at| {
            let before = text.get(..*at).and_then(|text| text.chars().next_back());
            !before.is_some_and(char::is_alphanumeric)
        })
}

/// Shortens what looks like a phone number: from six digits on in a row, or from seven with blanks and the like
/// between them where it begins as numbers do. Times, addresses of machines and identifiers stay.
fn numbers(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    let mut before: Option<char> = None;
    while let Some(first) = rest.chars().next() {
        let free = !before
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'))
            || first == '+';
        let length = if free { number_length(rest) } else { 0 };
        if length > 0 {
            let number = rest.get(..length).unwrap_or_default();
            shown.push_str(&short(number));
            before = number.chars().next_back();
            rest = rest.get(length..).unwrap_or_default();
        } else {
            shown.push(first);
            before = Some(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    shown
}

/// How many octets at the start of a text are a phone number; 0 is none.
fn number_length(text: &str) -> usize {
    let grouped = text.starts_with(['+', '0', '(']);
    let mut end = 0;
    let mut digits = 0;
    for (at, c) in text.char_indices() {
        if c.is_ascii_digit() {
            digits += 1;
            end = at + 1;
        } else if !(at == 0 && c == '+' || grouped && matches!(c, ' ' | '-' | '/' | '(' | ')')) {
            break;
        }
    }
    let mut behind = text.get(end..).unwrap_or_default().chars();
    let goes_on = match behind.next() {
        Some('.' | ':') => behind.next().is_some_and(char::is_alphanumeric),
        Some(c) => c.is_alphanumeric() || c == '_',
        None => false,
    };
    let least = if grouped && !text.starts_with('+') {
        7
    } else {
        6
    };
    if digits >= least && !goes_on { end } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_something_is_hidden_whatever_the_spelling() {
        for (text, shown) in [
            ("password=hunter2 next", "password=*** next"),
            ("Password: hunter2", "Password: ***"),
            (
                "turn_password = \"a \\\" b\" # why",
                "turn_password = *** # why",
            ),
            ("{\"token\":\"abc\",\"n\":1}", "{\"token\":***,\"n\":1}"),
            ("a=ice-pwd:asd88\r\nm=audio", "a=ice-pwd:***\r\nm=audio"),
            ("1 AES_CM inline:d0Rm/+=|2^20", "1 AES_CM inline:***"),
            (
                "Authorization: Digest username=\"a\", response=\"b\"\nTo: c",
                "Authorization: Digest ***\nTo: c",
            ),
            (
                "proxy-authorization:Basic dTpw",
                "proxy-authorization:Basic ***",
            ),
            ("k=clear:sesame", "k=***"),
            ("digest response=\"0af\", nc=1", "digest response=***, nc=1"),
            (
                "https://u:p@h/x?token=1&a=2",
                "https://u:***@h/x?token=***&a=2",
            ),
            (
                "to sip:a:b@h;x and sips:c@h:5061",
                "to sip:a:***@h;x and sips:c@h:5061",
            ),
            ("dtmf=12*4 sent", "dtmf=*** sent"),
            ("spin: fast, token", "spin: fast, token"),
            ("password=", "password="),
        ] {
            assert_eq!(secrets(text), shown, "{text}");
        }
    }

    #[test]
    fn people_are_shortened_and_machines_are_not() {
        let known = ["Anna Schmidt", "ab", "sip:eve@example.com"];
        let people = People::new(known.map(str::to_owned));
        for (text, shown) in [
            ("Anna Schmidt called", "A… S… called"),
            (
                "eve calls sip:eve@example.com",
                "e… calls sip:e…@example.com",
            ),
            (
                "From: \"Berta Beispiel\" <sip:berta@example.com>;tag=1",
                "From: \"B… B…\" <sip:b…@example.com>;tag=1",
            ),
            (
                "To: Berta <sips:+4930901820@h:5061>",
                "To: B… <sips:…20@h:5061>",
            ),
            ("a call to tel:+49-30-901820;x", "a call to tel:…20;x"),
            ("030 / 901 82-0 and +1 (212) 555-0123", "…20 and …23"),
            ("number 2125550123, twice", "number …23, twice"),
            (
                "2026-11-29T21:04:49.123456Z 192.168.100.200:50600 id 018bcfe5-6800-7000-8000-000000000001",
                "2026-11-29T21:04:49.123456Z 192.168.100.200:50600 id 018bcfe5-6800-7000-8000-000000000001",
            ),
            (
                "sip:example.com:5060 is 12345 bytes",
                "sip:example.com:5060 is 12345 bytes",
            ),
        ] {
            assert_eq!(people.shorten(text), shown, "{text}");
        }
    }

    #[test]
    fn nonsense_is_left_as_it_is() {
        for text in [
            "",
            "=",
            ":",
            "\"<sip:",
            "password",
            "+",
            "é=ü:",
            "\u{1f600}sip:\u{1f600}@",
        ] {
            let people = People::default();
            drop(people.shorten(&secrets(text)));
        }
        assert_eq!(secrets("é=ü:"), "é=ü:");
    }
}
