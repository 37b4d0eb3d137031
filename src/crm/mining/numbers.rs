//! Finds phone numbers in free text of any language.
//!
//! ```text
//! line -> groups of digits -> runs (groups that only separators part) -> the longest stretch of a run
//!      that a numbering plan knows, that no label or form makes something else
//! ```
//!
//! A number needs a reason to be one: a label (`Tel.`), a `+`, or its country's own spelling. The
//! cost of a wrong one is small, because it only shows when exactly that number calls, but a list full
//! of invoice numbers helps nobody.

use std::ops::Range;

use crate::base::number_spelling::ascii_digit;
use crate::base::phone_number::PhoneNumber;
use crate::crm::mining::figures::{begins_with_date, closed_parts, has_thousands, is_other_figure};
use crate::crm::mining::labels::{self, Label};

/// So many bytes of a text are read: a hundred pages.
const TEXT_LIMIT: usize = 256 * 1024;

/// So many numbers of one text are kept.
pub const FOUND_LIMIT: usize = 64;

/// So often a numbering plan is asked for one text: what follows in a text of figures is not read.
const TRIES: u32 = 1000;

/// So many stretches of digits of one text are looked at.
const STRETCHES: u32 = 20_000;

/// Fewer digits are an extension or a short code, which are the same in each company.
const FEWEST_DIGITS: usize = 7;

/// A country's 15 digits (ITU-T E.164) and `00` before them.
const MOST_DIGITS: usize = 17;

/// So many separators may stand between two groups of one number, as in `030) / 12`.
const WIDEST_GAP: usize = 4;

/// A heading that may be a label is not longer, in characters.
const LONGEST_HEADING: usize = 24;

const CURRENCIES: [char; 9] = ['$', '€', '£', '¥', '₽', '₹', '₩', '₺', '₴'];

const CURRENCY_WORDS: [&str; 19] = [
    "eur", "euro", "euros", "usd", "chf", "fr", "gbp", "zł", "pln", "kč", "czk", "kr", "sek",
    "dkk", "ft", "руб", "元", "円", "원",
];

/// A phone number and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its bytes in the text.
    pub place: Range<usize>,
    /// As written there.
    pub raw: String,
    /// In international form.
    pub e164: String,
    /// In its country's form, digits only.
    pub national: String,
    /// Whether a label says that it is a fax.
    pub fax: bool,
}

/// Digits without a separator between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// Where they begin in the line, a `+` or `(` before them included.
    start: usize,
    end: usize,
    /// In ASCII.
    pub(super) digits: String,
    /// Whether a `+` stands before them.
    plus: bool,
    /// Whether a bracket stands before them.
    bracket: bool,
    /// What parts them from the group before; empty where they do not belong together.
    pub(super) gap: String,
}

/// Finds the phone numbers of a text, in their order; each once. Numbers without a country code are
/// read as `region` (ISO 3166) writes them. At most [`FOUND_LIMIT`].
pub fn find(text: &str, region: &str) -> Vec<Found> {
    let mut end = text.len().min(TEXT_LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut search = Search {
        region,
        tries: TRIES,
        stretches: STRETCHES,
        found: Vec::new(),
    };
    let mut place = 0;
    let mut heading = "";
    for line in text
        .get(..end)
        .unwrap_or_default()
        .split(['\n', '\r', '\u{2028}', '\u{2029}'])
    {
        let start = place;
        place = text.len().min(start + line.len() + 1);
        // The line's end may have three bytes.
        while !text.is_char_boundary(place) {
            place += 1;
        }
        if search.found.len() >= FOUND_LIMIT || search.tries == 0 || search.stretches == 0 {
            break;
        }
        search.line(line, start, heading);
        if !line.trim().is_empty() {
            heading = line;
        }
    }
    search.found
}

struct Search<'a> {
    region: &'a str,
    /// How often the numbering plans may still be asked.
    tries: u32,
    /// How many stretches may still be looked at.
    stretches: u32,
    found: Vec<Found>,
}

/// A line with its groups.
struct Line<'a> {
    text: &'a str,
    /// Where it begins in the whole text.
    start: usize,
    /// The line before, which may be a label.
    heading: &'a str,
    closed: Vec<Range<usize>>,
    /// How many groups it has in all.
    groups: usize,
}

impl Search<'_> {
    fn line(&mut self, text: &str, start: usize, heading: &str) {
        let groups = groups(text);
        if groups.iter().map(|group| group.digits.len()).sum::<usize>() < FEWEST_DIGITS {
            return;
        }
        let line = Line {
            text,
            start,
            heading,
            closed: closed_parts(text),
            groups: groups.len(),
        };
        for run in groups.chunk_by(|_, next| !next.gap.is_empty()) {
            if run
                .first()
                .is_some_and(|first| !line.is_closed(first.start))
            {
                self.run(&line, run);
            }
        }
    }

    /// Finds the numbers of a run, from its beginning.
    fn run(&mut self, line: &Line<'_>, run: &[Group]) {
        let mut rest = run;
        let mut before = "";
        while !rest.is_empty() && self.tries > 0 && self.stretches > 0 {
            let taken = if begins_with_date(rest, before) {
                3
            } else if let Some((taken, found)) = self.longest(line, rest) {
                self.keep(found);
                taken
            } else {
                to_next_beginning(rest)
            };
            before = rest.get(taken).map_or("", |next| next.gap.as_str());
            rest = rest.get(taken..).unwrap_or_default();
        }
    }

    /// Finds the number that takes the most groups of those at the beginning, and how many.
    fn longest(&mut self, line: &Line<'_>, rest: &[Group]) -> Option<(usize, Found)> {
        let until = self.reach(line, rest);
        (1..=until).rev().find_map(|taken| {
            let (groups, after) = rest.split_at_checked(taken)?;
            let parted = after.first().is_none_or(is_parted);
            let found = parted.then(|| self.number(line, groups, after.is_empty()))??;
            Some((taken, found))
        })
    }

    /// How many groups one number may take: to a date, a second number, or the limit of digits.
    fn reach(&mut self, line: &Line<'_>, rest: &[Group]) -> usize {
        let mut digits = 0;
        for (index, group) in rest.iter().enumerate() {
            let (so_far, ahead) = rest.split_at_checked(index).unwrap_or((rest, &[]));
            if digits >= FEWEST_DIGITS && self.ends_before(line, so_far, group, ahead) {
                return index;
            }
            digits += group.digits.len();
            if digits > MOST_DIGITS {
                return index;
            }
        }
        rest.len()
    }

    /// Whether a number is over before a group: `030 1234567 / 0171 2345678`, `030 1234567/-68`,
    /// `030 1234567 24.12.2026`.
    fn ends_before(
        &mut self,
        line: &Line<'_>,
        so_far: &[Group],
        next: &Group,
        ahead: &[Group],
    ) -> bool {
        if next.gap.contains('/') {
            return self.is_number(line, so_far);
        }
        let apart = next.gap.contains(char::is_whitespace);
        if apart && begins_with_date(ahead, "") {
            return true;
        }
        let second = next.digits.starts_with('0') && next.digits.len() > 1;
        let mut digits = 0;
        let fits = ahead.iter().take_while(|group| {
            digits += group.digits.len();
            digits <= MOST_DIGITS
        });
        let after = ahead.get(..fits.count()).unwrap_or_default();
        second && apart && self.is_number(line, so_far) && self.is_number(line, after)
    }

    fn is_number(&mut self, line: &Line<'_>, groups: &[Group]) -> bool {
        line.raw(groups).is_some_and(|raw| self.read(raw).is_some())
    }

    /// Asks the numbering plans, as long as that is allowed.
    fn read(&mut self, raw: &str) -> Option<(PhoneNumber, String)> {
        self.tries = self.tries.checked_sub(1)?;
        let number = PhoneNumber::parse(raw, self.region);
        let e164 = number.e164.clone()?;
        Some((number, e164))
    }

    /// Reads groups as one number, if they are one.
    fn number(&mut self, line: &Line<'_>, groups: &[Group], ends_run: bool) -> Option<Found> {
        self.stretches = self.stretches.checked_sub(1)?;
        let digits: String = groups.iter().map(|group| group.digits.as_str()).collect();
        if !(FEWEST_DIGITS..=MOST_DIGITS).contains(&digits.len()) {
            return None;
        }
        let (first, last) = (groups.first()?, groups.last()?);
        if !first.plus && is_other_figure(groups) {
            return None;
        }
        if line.is_closed(last.start) {
            return None;
        }
        let label = line.label(first)?;
        if label == Label::Other {
            return None;
        }
        let mut raw = line.raw(groups)?;
        let (mut number, e164) = self.read(raw)?;
        if ends_run {
            let after = line.text.get(last.end..)?;
            match self.extension(raw, &e164, after) {
                Some((longer, with_extension)) => {
                    number = with_extension;
                    raw = unbracketed(line.text.get(first.start..last.end + longer)?);
                }
                None if goes_on(after, label) => return None,
                None => {}
            }
        }
        let national = only_digits(number.national.as_deref()?);
        if label == Label::None && !line.speaks_for_itself(groups, &digits, &e164, &national) {
            return None;
        }
        let inside = line.text.get(first.start..)?.find(raw)?;
        let start = line.start + first.start + inside;
        Some(Found {
            place: start..start + raw.len(),
            raw: raw.to_owned(),
            e164,
            national,
            fax: label == Label::Fax,
        })
    }

    /// Finds an extension behind a number: how many bytes it takes, and both together. What makes another number
    /// of it is none.
    fn extension(&mut self, raw: &str, e164: &str, after: &str) -> Option<(usize, PhoneNumber)> {
        let word = after.trim_start_matches([' ', '\u{a0}', ',', '(', '-']);
        let letters = word.find(|letter: char| !letter.is_alphabetic())?;
        if letters > 16 || (letters == 0 && !word.starts_with('#')) {
            return None;
        }
        let figures = word.get(letters..)?;
        let blank = figures.find(|letter: char| letter.is_ascii_digit())?;
        if blank > 3 {
            return None;
        }
        let figures_after = figures.get(blank..)?;
        let count = figures_after
            .find(|letter: char| !letter.is_ascii_digit())
            .unwrap_or(figures_after.len());
        let longer = after.len() - word.len() + letters + blank + count;
        let extension = after.get(..longer)?;
        let (number, together) = self.read(&format!("{raw}{extension}"))?;
        (number.extension.is_some() && together == e164).then_some((longer, number))
    }

    fn keep(&mut self, found: Found) {
        let known = self.found.iter().position(|known| known.e164 == found.e164);
        if let Some(known) = known.and_then(|place| self.found.get_mut(place)) {
            // Named twice, once as a telephone: it is one.
            known.fax &= found.fax;
        } else if self.found.len() < FOUND_LIMIT {
            self.found.push(found);
        }
    }
}

impl Line<'_> {
    fn is_closed(&self, place: usize) -> bool {
        self.closed.iter().any(|part| part.contains(&place))
    }

    /// Groups as they are written.
    fn raw(&self, groups: &[Group]) -> Option<&str> {
        let (first, last) = (groups.first()?, groups.last()?);
        self.text.get(first.start..last.end).map(unbracketed)
    }

    /// What is said of a number that begins with a group; none when that is a part of something else.
    fn label(&self, first: &Group) -> Option<Label> {
        let before = self.text.get(..first.start)?;
        if !first.gap.is_empty() {
            // Behind another figure: only what shows itself to be a beginning.
            let begins = first.plus || first.digits.starts_with('0');
            return begins.then(|| labels::before(before));
        }
        let label = labels::before(before);
        if before.trim().is_empty() {
            let heading = self.heading.trim();
            let short = heading.chars().count() <= LONGEST_HEADING;
            return Some(if short {
                labels::before(heading)
            } else {
                Label::None
            });
        }
        if before.ends_with(['=', '&', '_', '@', '%', '*'])
            || (before.ends_with('#') && label != Label::Phone)
            || before.trim_end().ends_with(CURRENCIES)
        {
            return None;
        }
        // A part of a word or of a longer figure, such as `INV-20240501`?
        let word = before.trim_end_matches([':', '：', '.', '/', '-', '–', '(', '[', '<', '"']);
        let glued = word.ends_with(|last: char| last.is_alphanumeric() && !is_ideographic(last));
        let said = matches!(label, Label::Phone | Label::Fax) || first.plus;
        let opened = before.ends_with([':', '：', '(', '[', '<', '"']) || first.bracket;
        (!glued || said || opened).then_some(label)
    }

    /// Whether a number without a label is one by its spelling.
    fn speaks_for_itself(
        &self,
        groups: &[Group],
        digits: &str,
        e164: &str,
        national: &str,
    ) -> bool {
        let international =
            groups.first().is_some_and(|group| group.plus) || digits.starts_with("00");
        if international {
            return true;
        }
        let row_of_figures = self.groups >= groups.len() + 2;
        let parted = groups.len() > 1;
        if digits.starts_with('0') {
            return parted || (!row_of_figures && digits.len() > 8);
        }
        if has_thousands(groups) || row_of_figures {
            return false;
        }
        // Only where numbers begin with their area code; elsewhere the trunk zero is missing.
        let whole = digits == national;
        let with_country = e164.strip_prefix('+') == Some(digits) && groups.len() > 2;
        whole && (parted || self.groups == 1) || with_country
    }
}

/// The groups of digits in a line.
fn groups(line: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    // Where a bracket or a `+` stands that digits may follow.
    let mut opened = Opened::default();
    let mut inside = false;
    for (place, letter) in line.char_indices() {
        // Few characters are digits, and only they need the tables.
        let digit = if letter.is_numeric() {
            ascii_digit(letter)
        } else {
            None
        };
        if let Some(digit) = digit {
            let end = place + letter.len_utf8();
            match groups.last_mut() {
                Some(group) if inside => {
                    group.digits.push(digit);
                    group.end = end;
                }
                before => {
                    let between = before.and_then(|before| line.get(before.end..place));
                    groups.push(Group {
                        start: opened.at.unwrap_or(place),
                        end,
                        digits: digit.to_string(),
                        plus: opened.plus,
                        bracket: opened.bracket,
                        gap: between
                            .filter(|gap| joins(gap))
                            .unwrap_or_default()
                            .to_owned(),
                    });
                }
            }
            inside = true;
            opened = Opened::default();
        } else if !is_hidden(letter) {
            inside = false;
            opened.follow(place, letter);
        }
    }
    groups
}

/// What stands directly before digits.
#[derive(Debug, Default)]
struct Opened {
    at: Option<usize>,
    plus: bool,
    bracket: bool,
}

impl Opened {
    fn follow(&mut self, place: usize, letter: char) {
        match letter {
            '+' | '＋' => self.plus = true,
            '(' | '[' | '（' if self.plus || self.at.is_none() => self.bracket = true,
            ' ' | '\u{a0}' if self.at.is_some() => return,
            _ => {
                *self = Self::default();
                return;
            }
        }
        self.at = self.at.or(Some(place));
    }
}

/// Whether what stands between two groups may part the groups of one number.
fn joins(gap: &str) -> bool {
    let sentence_ends = gap.contains(". ");
    let column_ends = gap.contains("   ");
    gap.chars().filter(|letter| !is_hidden(*letter)).count() <= WIDEST_GAP
        && gap.chars().all(is_separator)
        && !sentence_ends
        && !column_ends
}

/// Whether a number may begin or end before a group.
fn is_parted(group: &Group) -> bool {
    group
        .gap
        .contains(|letter: char| letter.is_whitespace() || letter == '/')
}

/// How many groups to leave out where no number begins.
fn to_next_beginning(rest: &[Group]) -> usize {
    let next = rest.iter().skip(1).position(is_parted);
    next.map_or(rest.len(), |between| between + 1)
}

/// Whether what follows makes digits a part of something else: a word, a file, a time, an amount.
fn goes_on(after: &str, label: Label) -> bool {
    let mut ahead = after.chars();
    let (Some(next), second) = (ahead.next(), ahead.next()) else {
        return false;
    };
    let then_digit = second.is_some_and(|letter| letter.is_ascii_digit());
    let then_word = second.is_some_and(char::is_alphanumeric);
    let said = label != Label::None;
    match next {
        '@' | '_' | '=' | '%' => true,
        ':' => then_digit,
        // Two decimals, and not the next number of a list.
        ',' => {
            then_digit
                && after
                    .chars()
                    .skip(1)
                    .take_while(char::is_ascii_digit)
                    .count()
                    <= 2
        }
        '.' | '-' | '/' | '–' => then_word && !said,
        _ if next.is_alphanumeric() => !is_ideographic(next),
        _ => !said && is_money(after.trim_start()),
    }
}

/// Whether a text begins with a currency.
fn is_money(text: &str) -> bool {
    let word = text.split(|letter: char| !letter.is_alphabetic()).next();
    text.starts_with(CURRENCIES)
        || word.is_some_and(|word| {
            let word = word.to_lowercase();
            CURRENCY_WORDS.contains(&word.as_str())
        })
}

fn is_separator(letter: char) -> bool {
    matches!(
        letter,
        ' ' | '\u{a0}'
            | '\u{2000}'..='\u{200a}'
            | '\u{202f}'
            | '\u{205f}'
            | '\u{3000}'
            | '-'
            | '\u{2010}'..='\u{2015}'
            | '\u{2212}'
            | '\u{fe63}'
            | '\u{ff0d}'
            | '/'
            | '\u{2044}'
            | '\u{ff0f}'
            | '.'
            | '('
            | ')'
            | '['
            | ']'
            | '（'
            | '）'
    ) || is_hidden(letter)
}

/// What shows nothing and only steers the writing.
fn is_hidden(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

/// Writing without blanks between the words: a number may follow a letter at once.
fn is_ideographic(letter: char) -> bool {
    matches!(letter, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}')
}

fn only_digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Without an opening bracket that nothing closes, and without blanks.
fn unbracketed(raw: &str) -> &str {
    let open = raw.starts_with(['(', '[', '（']) && !raw.contains([')', ']', '）']);
    let bare = if open {
        raw.trim_start_matches(['(', '[', '（'])
    } else {
        raw
    };
    bare.trim()
}
