//! From what a person types into a search field to what a full-text index is asked.
//!
//! Words find names and organizations from their beginning; digits find numbers by their beginning
//! or their end, in international and national form.

use crate::base::number_spelling::ascii_digit;

/// At most so many rows of something are gathered: nobody turns that many pages, and sorting stays fast.
pub(crate) const MATCH_LIMIT: u32 = 10_000;

/// A search has at most so many words, of at most so many characters.
const WORDS: usize = 8;
const LETTERS: usize = 64;

/// One of the things that an index of names and numbers is asked for, all of which must be there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A word with letters, of a name or an organization.
    Word(String),
    /// Digits of a number.
    Digits(String),
}

/// What is searched for among names and numbers; nothing when nobody could want the answer. A single ASCII
/// letter or digit, also one behind other words, searches nothing yet: half of all rows have it, and only
/// prefixes of two to seven are indexed.
pub(crate) fn asked(search: &str) -> Vec<Asked> {
    let search = search.trim();
    if search.len() <= 1 {
        return Vec::new();
    }
    let (mut asked, mut digits) = (Vec::new(), String::new());
    // Nobody dials the zero in `+49 (0)30`, and the index has numbers as they are dialled.
    for word in words(&search.replace("(0)", " ")) {
        if word.len() == 1 && word.chars().all(char::is_alphabetic) {
            continue;
        }
        if word.chars().any(char::is_alphabetic) {
            asked.push(Asked::Word(word));
        } else {
            digits.extend(word.chars().filter_map(ascii_digit));
        }
    }
    if digits.strip_prefix("00").unwrap_or(&digits).len() > 1 || digits == "00" {
        asked.push(Asked::Digits(digits));
    }
    asked
}

/// The words of a search, without what is too much of it.
pub(crate) fn words(search: &str) -> impl Iterator<Item = String> {
    let words = search.split_whitespace().take(WORDS);
    words.map(|word| word.chars().take(LETTERS).collect())
}

/// Folds a text for sorting and comparing: lower case, Latin letters without their marks.
pub(crate) fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.trim().chars().flat_map(char::to_lowercase) {
        match letter {
            'à'..='å' | 'ā' | 'ă' | 'ą' => folded.push('a'),
            'æ' => folded.push_str("ae"),
            'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => folded.push('c'),
            'ď' | 'đ' | 'ð' => folded.push('d'),
            'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => folded.push('e'),
            'ĝ' | 'ğ' | 'ġ' | 'ģ' => folded.push('g'),
            'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => folded.push('i'),
            'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => folded.push('l'),
            'ñ' | 'ń' | 'ņ' | 'ň' => folded.push('n'),
            'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => folded.push('o'),
            'œ' => folded.push_str("oe"),
            'ŕ' | 'ŗ' | 'ř' => folded.push('r'),
            'ß' => folded.push_str("ss"),
            'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => folded.push('s'),
            'ţ' | 'ť' | 'ț' => folded.push('t'),
            'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => folded.push('u'),
            'ý' | 'ÿ' => folded.push('y'),
            'ź' | 'ż' | 'ž' => folded.push('z'),
            // What `to_lowercase` leaves of some letters.
            '\u{300}'..='\u{36f}' => {}
            other => folded.push(other),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_search_names_and_digits_search_numbers() {
        let word = |word: &str| Asked::Word(word.to_owned());
        let digits = |digits: &str| Asked::Digits(digits.to_owned());
        for nothing in ["", "  a ", "9", "+-()", "+4", "004", "a 4"] {
            assert_eq!(asked(nothing), [], "{nothing}");
        }
        for (search, expected) in [
            ("anna m", vec![word("anna")]),
            ("anna +4", vec![word("anna")]),
            ("王", vec![word("王")]),
            ("anna 0049 30", vec![word("anna"), digits("004930")]),
            ("+49 (0)30/12", vec![digits("493012")]),
        ] {
            assert_eq!(asked(search), expected, "{search}");
        }
    }

    #[test]
    fn names_fold_to_plain_lower_case() {
        assert_eq!(folded(" Jürgen Straße "), "jurgen strasse");
        assert_eq!(folded("ŁÓDŹ"), "lodz");
        assert_eq!(folded("İstanbul"), "istanbul");
        assert_eq!(folded("Иван"), "иван");
    }
}
