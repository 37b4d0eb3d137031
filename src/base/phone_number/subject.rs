//! What of a text may be a number: of a URI its user part, of a card's line what stands behind the
//! label.

use crate::base::number_spelling::{ascii_digit, extension_digits, is_extension_word};
use crate::base::phone_number::percent_decoded;

/// A label is no longer than this many characters: what is longer is a sentence.
const LABEL_LIMIT: usize = 40;

/// A port has at most so many digits.
const PORT_DIGITS: usize = 5;

/// Words in front of a number that say what it is, in lower case; of other words only a colon makes a
/// label.
const LABELS: [&str; 50] = [
    "t",
    "m",
    "f",
    "p",
    "tel",
    "telefon",
    "telephone",
    "téléphone",
    "tél",
    "teléfono",
    "telefono",
    "telefone",
    "telefoon",
    "tlf",
    "tfn",
    "phone",
    "ph",
    "fon",
    "puh",
    "puhelin",
    "mobile",
    "mobil",
    "mobiel",
    "mob",
    "móvil",
    "movil",
    "cell",
    "cel",
    "celular",
    "cellulare",
    "handy",
    "gsm",
    "portable",
    "port",
    "fax",
    "call",
    "work",
    "home",
    "office",
    "direct",
    "main",
    "privat",
    "private",
    "zentrale",
    "тел",
    "телефон",
    "моб",
    "電話",
    "电话",
    "전화",
];

/// What of a text may be a number.
pub(super) struct Subject {
    /// The number or name to read.
    pub(super) text: String,
    /// What a person sees of it.
    pub(super) written: String,
    /// RFC 3966 `phone-context`, when it is a number's beginning.
    pub(super) context: Option<String>,
    /// RFC 3966 `ext`.
    pub(super) extension: Option<String>,
    /// Whether letters may stand for digits: not in a SIP user part, where they are a name.
    pub(super) words_allowed: bool,
}

impl Subject {
    pub(super) fn of(text: &str) -> Self {
        let bare = text
            .split_once('<')
            .and_then(|(_, rest)| rest.split_once('>'))
            .map_or(text, |(inside, _)| inside)
            .trim();
        let (scheme, rest) = split_scheme(bare);
        let rest = if scheme.is_some() {
            rest.trim_start_matches('/')
        } else {
            rest
        };
        if let Some((user, host)) = rest.split_once('@') {
            let user = user.split_once(':').map_or(user, |(user, _)| user);
            let (name, params) = user.split_once(';').unwrap_or((user, ""));
            let name = percent_decoded(name);
            let host = host.split([';', '?']).next().unwrap_or_default();
            return Self {
                written: if name.chars().any(char::is_alphabetic) {
                    format!("{name}@{host}")
                } else {
                    name.clone()
                },
                text: name,
                context: parameter(params, "phone-context"),
                extension: parameter(params, "ext").and_then(|ext| extension_digits(&ext)),
                words_allowed: false,
            };
        }
        let rest = match scheme {
            Some(_) => rest.split('?').next().unwrap_or_default(),
            None => rest,
        };
        // Without a scheme a semicolon only begins parameters when they look like some.
        let (number, params) = match rest.split_once(';') {
            Some((number, params)) if scheme.is_some() || params.contains('=') => (number, params),
            _ => (rest, ""),
        };
        let number = if scheme.is_some() {
            percent_decoded(number)
        } else {
            number.to_owned()
        };
        Self {
            written: number.clone(),
            text: without_label(&number).to_owned(),
            context: parameter(params, "phone-context"),
            extension: parameter(params, "ext").and_then(|ext| extension_digits(&ext)),
            words_allowed: !matches!(scheme, Some("sip" | "sips")),
        }
    }
}

/// Splits a known scheme off; its name comes back in lower case.
pub(crate) fn split_scheme(text: &str) -> (Option<&'static str>, &str) {
    let Some((scheme, rest)) = text.split_once(':') else {
        return (None, text);
    };
    let known = ["sip", "sips", "tel", "callto"]
        .into_iter()
        .find(|known| scheme.eq_ignore_ascii_case(known));
    match known {
        Some(known) => (Some(known), rest),
        None => (None, text),
    }
}

/// Finds a parameter's decoded value.
pub(crate) fn parameter(params: &str, name: &str) -> Option<String> {
    params.split(';').find_map(|param| {
        let (key, value) = param.split_once('=')?;
        key.trim()
            .eq_ignore_ascii_case(name)
            .then(|| percent_decoded(value.trim()))
    })
}

/// Drops the words in front of a number that say what it is.
fn without_label(text: &str) -> &str {
    let mut rest = text.trim();
    loop {
        let (word, behind) = first_word(rest);
        if !LABELS.contains(&word.to_lowercase().as_str()) {
            break;
        }
        let after = behind.trim_start_matches(['.', ':', '：', ' ', '\u{a0}']);
        // A single letter or a word that is glued to digits is a name's beginning.
        if after.len() == behind.len() && !behind.starts_with(['(', '+', '/']) {
            break;
        }
        rest = after.trim_start_matches('/');
    }
    if let Some(behind) = behind_colon(rest) {
        rest = behind;
    }
    // An extension alone, such as `Ext. 4211` or `x4211`.
    let (word, behind) = first_word(rest);
    let apart = behind.starts_with(['.', ':', ' ']) || word.eq_ignore_ascii_case("x");
    if apart && is_extension_word(word) && begins_number(behind) {
        rest = behind.trim_start_matches(['.', ':', ' ']);
    }
    rest
}

fn first_word(text: &str) -> (&str, &str) {
    let end = text
        .find(|character: char| !character.is_alphabetic())
        .unwrap_or_default();
    text.split_at_checked(end).unwrap_or(("", text))
}

/// What stands behind a label of any words and a colon, when that begins as a number.
fn behind_colon(text: &str) -> Option<&str> {
    let (label, behind) = text.split_once([':', '：'])?;
    let is_label = label.chars().take(LABEL_LIMIT + 1).count() <= LABEL_LIMIT
        && label.chars().any(char::is_alphabetic)
        && !label.chars().any(|letter| ascii_digit(letter).is_some());
    // `pbx:5060` is a host and its port.
    let digits = behind.chars().filter_map(ascii_digit).count();
    let no_port = behind.starts_with(char::is_whitespace) || digits > PORT_DIGITS;
    (is_label && no_port && begins_number(behind)).then_some(behind)
}

fn begins_number(text: &str) -> bool {
    text.trim_start_matches(['.', ':', ' ', '\u{a0}', '(', '['])
        .starts_with(|first| {
            matches!(first, '+' | '＋' | '*' | '#') || ascii_digit(first).is_some()
        })
}
