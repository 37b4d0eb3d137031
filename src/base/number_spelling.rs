//! From the spelling of a number to its dialable characters.

use std::str::Chars;

use rlibphonenumber::PHONE_NUMBER_UTIL;

/// More digits than this are no number: E.164 knows 15, the rest is for prefixes and service codes.
pub(super) const DIGIT_LIMIT: usize = 32;

/// From so many digits on `#` and `,` begin an extension and words are a remark; before, they belong to
/// a service code, to letters in place of digits or to an odd spelling.
const NUMBER_BEFORE_EXTENSION: usize = 7;

/// An extension that nothing but a mark announces has at most so many digits: more are another number.
const EXTENSION_DIGITS: usize = 9;

/// More digits than this are no extension, whatever announces them: libphonenumber's limit.
const EXTENSION_LIMIT: usize = 20;

/// So many digits with a leading zero are another number.
const SECOND_NUMBER: usize = 8;

/// Words before an extension, in lower case, of the languages whose plans the tests hold.
const EXTENSION_WORDS: [&str; 38] = [
    "x",
    "ext",
    "extn",
    "extension",
    "extensión",
    "dw",
    "durchwahl",
    "kl",
    "klappe",
    "app",
    "apparat",
    "nst",
    "nebenstelle",
    "int",
    "interno",
    "poste",
    "anexo",
    "ramal",
    "toestel",
    "tst",
    "ankn",
    "anknytning",
    "lokal",
    "wew",
    "wewn",
    "linka",
    "klapka",
    "mellék",
    "dahili",
    "доб",
    "вн",
    "внутр",
    "内線",
    "转",
    "轉",
    "分機",
    "分机",
    "내선",
];

/// What phones keep in place of a pause and of a wait for the agent.
const PAUSES: [&str; 2] = ["p", "w"];

/// A number's characters after its spelling is removed.
#[derive(Default)]
pub(super) struct Spelled {
    /// Digits, a leading `+`, `*`, `#`; never empty.
    pub(super) dialable: String,
    /// The place in `dialable` of a trunk zero that was written as `(0)`.
    pub(super) optional_zero: Option<usize>,
    /// The extension, digits only.
    pub(super) extension: Option<String>,
    /// Whether `*` or `#` make it a code for the exchange.
    pub(super) service_code: bool,
    /// Whether letters stand for digits.
    pub(super) letters: bool,
    /// Where hyphens and slashes part the digits, in order.
    pub(super) marks: Vec<Mark>,
    /// How much of `dialable` stands before the first word, where that may be a remark.
    words: Option<usize>,
}

/// A hyphen or slash between digits.
pub(super) struct Mark {
    /// How much of `dialable` stands before it.
    pub(super) place: usize,
    /// Whether it is a hyphen, of whichever kind.
    pub(super) hyphen: bool,
}

impl Spelled {
    /// Reads a spelling; none when it is no number.
    pub(super) fn read(text: &str, words_allowed: bool) -> Option<Self> {
        let mut reading = Reading {
            spelled: Self::default(),
            letters: 0,
            apart: true,
            within_word: false,
            words_allowed,
        };
        let mut rest = text.chars();
        loop {
            let from_here = rest.as_str();
            let Some(character) = rest.next() else { break };
            match reading.take(character, from_here, &mut rest) {
                Step::On if reading.spelled.dialable.len() <= DIGIT_LIMIT => {}
                Step::End => break,
                Step::On | Step::Unreadable => {
                    reading.end_before_remark()?;
                    break;
                }
            }
        }
        reading.finish(text)
    }

    /// The number before the words behind it, when they may be a remark.
    pub(super) fn before_words(&self) -> Option<&str> {
        self.dialable.get(..self.words?)
    }

    /// Takes the words behind the number for a remark.
    pub(super) fn drop_words(&mut self) {
        if let Some(end) = self.words.take() {
            self.dialable.truncate(end);
            self.letters = false;
        }
    }
}

/// What a character means for the reading.
enum Step {
    /// The number goes on.
    On,
    /// The number ends before it.
    End,
    /// It is part of no number.
    Unreadable,
}

/// A spelling while it is read.
struct Reading {
    spelled: Spelled,
    /// Letters taken for digits.
    letters: usize,
    /// Whether nothing but separators stand since the last digit or letter, or there is none.
    apart: bool,
    within_word: bool,
    words_allowed: bool,
}

impl Reading {
    /// Takes a character; `from_here` begins with it, `rest` is what follows.
    fn take(&mut self, character: char, from_here: &str, rest: &mut Chars<'_>) -> Step {
        let digits = self.spelled.dialable.len();
        let long = digits >= NUMBER_BEFORE_EXTENSION;
        let in_word = std::mem::take(&mut self.within_word);
        if let Some(digit) = ascii_digit(character) {
            self.spelled.dialable.push(digit);
            self.apart = false;
            Step::On
        } else if matches!(character, '+' | '＋') {
            self.plus()
        } else if self.any_carrier(from_here) {
            rest.next();
            Step::On
        } else if matches!(character, ',' | ';') && long && !self.spelled.service_code {
            self.pause(rest.as_str())
        } else if character == '#'
            && long
            && !self.spelled.service_code
            && let Some(extension) = digits_alone(rest.as_str(), EXTENSION_DIGITS)
        {
            self.spelled.extension = Some(extension);
            Step::End
        } else if matches!(character, '*' | '#') {
            self.spelled.service_code = true;
            self.spelled.dialable.push(character);
            Step::On
        } else if character.is_alphabetic() && !separator(character) {
            self.within_word = true;
            self.letter(character, from_here, in_word)
        } else if separator(character) {
            self.part(character, rest.as_str())
        } else {
            Step::Unreadable
        }
    }

    fn plus(&mut self) -> Step {
        if self.spelled.dialable.is_empty() || self.spelled.service_code {
            self.spelled.dialable.push('+');
            Step::On
        } else if self.spelled.dialable == "+" {
            Step::On
        } else if self.words_allowed && self.spelled.dialable.len() >= NUMBER_BEFORE_EXTENSION {
            // A second number.
            Step::End
        } else {
            Step::Unreadable
        }
    }

    /// Brazil: `0xx11` and `0**11`, where any carrier's two digits may stand between the trunk prefix and
    /// the area code.
    fn any_carrier(&self, from_here: &str) -> bool {
        let behind = ["xx", "XX", "**"]
            .into_iter()
            .find_map(|sign| from_here.strip_prefix(sign));
        matches!(self.spelled.dialable.as_str(), "0" | "+550")
            && behind.is_some_and(|rest| {
                rest.starts_with(|first: char| first.is_ascii_digit()) && !rest.contains(['*', '#'])
            })
    }

    /// A comma or semicolon behind a number: a pause before an extension, or another number.
    fn pause(&mut self, rest: &str) -> Step {
        let closely =
            rest.starts_with(|next| matches!(next, ',' | ';') || ascii_digit(next).is_some());
        let limit = if closely {
            EXTENSION_LIMIT
        } else {
            EXTENSION_DIGITS
        };
        self.spelled.extension =
            digits_alone(rest, limit).filter(|extension| !is_second_number(extension));
        if self.spelled.extension.is_none() && rest.trim_start().starts_with(char::is_alphabetic) {
            self.apart = true;
            Step::On
        } else {
            Step::End
        }
    }

    fn letter(&mut self, letter: char, from_here: &str, in_word: bool) -> Step {
        let digits = self.spelled.dialable.len();
        if !in_word
            && digits > 0
            && let Some(extension) = worded_extension(from_here, digits)
        {
            self.spelled.extension = Some(extension);
            return Step::End;
        }
        let begins_remark = self.apart && !in_word && digits >= NUMBER_BEFORE_EXTENSION;
        if self.letters == 0 && self.words_allowed && begins_remark {
            self.spelled.words = Some(digits);
        }
        let Some(digit) = keypad_digit(letter) else {
            return Step::Unreadable;
        };
        self.spelled.dialable.push(digit);
        self.letters += 1;
        self.apart = false;
        Step::On
    }

    /// A separator: what it says of the digits around it.
    fn part(&mut self, separator: char, rest: &str) -> Step {
        let place = self.spelled.dialable.len();
        self.apart = true;
        if place == 0 {
            return Step::On;
        }
        if matches!(separator, '(' | '[' | '（' | '［') {
            let mut ahead = rest.chars();
            let zero = ahead.next().and_then(ascii_digit) == Some('0');
            if zero && matches!(ahead.next(), Some(')' | ']' | '）' | '］')) {
                self.spelled.optional_zero = Some(place);
            }
        } else if separator == '/' || hyphen(separator) {
            let another = place >= NUMBER_BEFORE_EXTENSION
                && separator == '/'
                && digits_alone(rest, usize::MAX).is_some_and(|digits| is_second_number(&digits));
            if another {
                return Step::End;
            }
            if self
                .spelled
                .marks
                .last()
                .is_none_or(|mark| mark.place < place)
            {
                self.spelled.marks.push(Mark {
                    place,
                    hyphen: hyphen(separator),
                });
            }
        }
        Step::On
    }

    /// Ends the number before what cannot be read, when that may be a remark.
    fn end_before_remark(&mut self) -> Option<()> {
        if self.spelled.words.is_some() {
            self.spelled.drop_words();
            self.letters = 0;
            return Some(());
        }
        let whole = NUMBER_BEFORE_EXTENSION..=DIGIT_LIMIT;
        let remark = self.letters == 0
            && self.words_allowed
            && self.apart
            && whole.contains(&self.spelled.dialable.len());
        remark.then_some(())
    }

    fn finish(mut self, text: &str) -> Option<Spelled> {
        let begins_with_digit = text
            .trim_start_matches(['+', '('])
            .starts_with(|first| ascii_digit(first).is_some());
        let vanity = self.words_allowed && self.letters >= 3 && begins_with_digit;
        if self.letters > 0 && !vanity {
            self.spelled.words?;
            self.spelled.drop_words();
            self.letters = 0;
        }
        self.spelled.letters = self.letters > 0;
        let digits = self
            .spelled
            .dialable
            .chars()
            .any(|digit| digit.is_ascii_digit());
        (digits || self.spelled.service_code).then_some(self.spelled)
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

/// Reads an extension that something announces: digits, separators apart.
pub(super) fn extension_digits(text: &str) -> Option<String> {
    digits_alone(text, EXTENSION_LIMIT)
}

/// Whether a word announces an extension.
pub(super) fn is_extension_word(word: &str) -> bool {
    EXTENSION_WORDS.contains(&word.to_lowercase().as_str())
}

/// Reads one to `limit` digits, when nothing but separators stand between and around them.
fn digits_alone(text: &str, limit: usize) -> Option<String> {
    let mut digits = String::new();
    for character in text.chars() {
        match ascii_digit(character) {
            Some(digit) => digits.push(digit),
            None if separator(character) || matches!(character, ',' | '#') => {}
            None => return None,
        }
    }
    (1..=limit).contains(&digits.len()).then_some(digits)
}

/// Whether digits behind a number are another one.
fn is_second_number(digits: &str) -> bool {
    digits.starts_with('0') && digits.len() >= SECOND_NUMBER
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

/// Reads an extension behind its word; what follows it is a remark.
fn worded_extension(text: &str, digits_before: usize) -> Option<String> {
    let end = text.find(|character: char| !character.is_alphabetic())?;
    let (word, rest) = text.split_at_checked(end)?;
    let pause = PAUSES.contains(&word) && digits_before >= NUMBER_BEFORE_EXTENSION;
    if !pause && !is_extension_word(word) {
        return None;
    }
    let rest = rest.trim_start_matches(|character: char| !character.is_alphanumeric());
    let end = rest
        .find(|character| ascii_digit(character).is_none() && !separator(character))
        .unwrap_or(rest.len());
    digits_alone(rest.get(..end)?, EXTENSION_LIMIT)
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

/// The hyphens and dashes of all scripts.
fn hyphen(character: char) -> bool {
    matches!(
        character,
        '-' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2043}'
                | '\u{2053}'
                | '\u{2212}'
                | '\u{30fc}'
                | '\u{fe63}'
                | '\u{ff0d}'
    )
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
