//! From the spelling of a number to its dialable characters.

use rlibphonenumber::PHONE_NUMBER_UTIL;

/// More digits than this are no number: E.164 knows 15, the rest is for prefixes and service codes.
pub(super) const DIGIT_LIMIT: usize = 32;

/// From so many digits on `#` and `,` begin an extension; before, they belong to a service code or
/// to an odd spelling.
const NUMBER_BEFORE_EXTENSION: usize = 7;

/// Words before an extension, in lower case.
const EXTENSION_WORDS: [&str; 12] = [
    "x",
    "ext",
    "extn",
    "extension",
    "dw",
    "durchwahl",
    "int",
    "interno",
    "poste",
    "anexo",
    "ramal",
    "доб",
];

/// A number's characters after its spelling is removed.
pub(super) struct Spelled {
    /// Digits, a leading `+`, `*`, `#`; never empty.
    pub(super) dialable: String,
    /// The place in `dialable` of a trunk zero that was written as `(0)`.
    pub(super) optional_zero: Option<usize>,
    /// The extension, digits only.
    pub(super) extension: Option<String>,
    /// Whether `*` or `#` make it a code for the exchange.
    pub(super) service_code: bool,
}

impl Spelled {
    /// Reads a spelling; none when it is no number.
    pub(super) fn read(text: &str, words_allowed: bool) -> Option<Self> {
        let mut read = Self {
            dialable: String::new(),
            optional_zero: None,
            extension: None,
            service_code: false,
        };
        let mut letters = 0_usize;
        let mut rest = text.chars();
        loop {
            let before = rest.clone();
            let Some(character) = rest.next() else { break };
            if let Some(digit) = ascii_digit(character) {
                read.dialable.push(digit);
            } else if matches!(character, '+' | '＋') {
                if read.dialable.is_empty() || read.service_code {
                    read.dialable.push('+');
                } else if read.dialable != "+" {
                    return None;
                }
            } else if matches!(character, '(' | '[') && !read.dialable.is_empty() {
                let mut ahead = rest.clone();
                let zero = ahead.next().and_then(ascii_digit) == Some('0');
                if zero && matches!(ahead.next(), Some(')' | ']')) {
                    read.optional_zero = Some(read.dialable.len());
                }
            } else if matches!(character, '#' | ',' | ';')
                && !read.service_code
                && read.dialable.len() >= NUMBER_BEFORE_EXTENSION
                && extension_digits(rest.as_str()).is_some()
            {
                read.extension = extension_digits(rest.as_str());
                break;
            } else if matches!(character, '*' | '#') {
                read.service_code = true;
                read.dialable.push(character);
            } else if character.is_alphabetic() {
                let whole = before.as_str();
                if !read.dialable.is_empty()
                    && let Some(extension) = worded_extension(whole)
                {
                    read.extension = Some(extension);
                    break;
                }
                read.dialable.push(keypad_digit(character)?);
                letters += 1;
            } else if !separator(character) {
                return None;
            }
            if read.dialable.len() > DIGIT_LIMIT {
                return None;
            }
        }
        let vanity = words_allowed
            && letters >= 3
            && text
                .trim_start_matches(['+', '('])
                .starts_with(|first| ascii_digit(first).is_some());
        let has_digit = read.dialable.contains(|digit: char| digit.is_ascii_digit());
        ((letters == 0 || vanity) && (has_digit || read.service_code)).then_some(read)
    }
}

/// Gives the ASCII value of any script's decimal digit, such as Arabic-Indic ones.
pub(crate) fn ascii_digit(character: char) -> Option<char> {
    if character.is_ascii() {
        return character.is_ascii_digit().then_some(character);
    }
    let mut buffer = [0; 4];
    let digits = PHONE_NUMBER_UTIL.normalize_digits_only(&*character.encode_utf8(&mut buffer));
    digits.chars().next()
}

/// Reads an extension: one to nine digits, separators apart.
pub(super) fn extension_digits(text: &str) -> Option<String> {
    let mut digits = String::new();
    for character in text.chars() {
        match ascii_digit(character) {
            Some(digit) => digits.push(digit),
            None if separator(character) || matches!(character, ',' | '#') => {}
            None => return None,
        }
    }
    (1..=9).contains(&digits.len()).then_some(digits)
}

/// Whether a character shows nothing, or reorders others.
pub(super) fn invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}'
    )
}

fn worded_extension(text: &str) -> Option<String> {
    let end = text.find(|character: char| !character.is_alphabetic())?;
    let (word, rest) = text.split_at_checked(end)?;
    if !EXTENSION_WORDS.contains(&word.to_lowercase().as_str()) {
        return None;
    }
    extension_digits(rest.trim_start_matches(['.', ':', '#']))
}

/// The letters on a telephone's keys (ITU-T E.161).
fn keypad_digit(letter: char) -> Option<char> {
    match letter.to_ascii_uppercase() {
        'A'..='C' => Some('2'),
        'D'..='F' => Some('3'),
        'G'..='I' => Some('4'),
        'J'..='L' => Some('5'),
        'M'..='O' => Some('6'),
        'P'..='S' => Some('7'),
        'T'..='V' => Some('8'),
        'W'..='Z' => Some('9'),
        _ => None,
    }
}

fn separator(character: char) -> bool {
    character.is_whitespace()
        || invisible(character)
        || matches!(
            character,
            '-' | '('
                | ')'
                | '['
                | ']'
                | '{'
                | '}'
                | '.'
                | '/'
                | '\\'
                | '|'
                | '_'
                | '~'
                | '\''
                | '·'
                | '•'
                | '\u{2010}'..='\u{2015}'
                | '\u{2043}'
                | '\u{2044}'
                | '\u{2053}'
                | '\u{2212}'
                | '\u{223c}'
                | '\u{30fc}'
                | '\u{fe63}'
                | '（'
                | '）'
                | '［'
                | '］'
                | '\u{ff0d}'..='\u{ff0f}'
                | '\u{ff5e}'
        )
}
