//! From what a person types into a search field to a full-text query.
//!
//! Words find names and organizations from their beginning; digits find numbers by their beginning
//! or their end, in international and national form.

use crate::base::number_spelling::ascii_digit;

/// A search reads at most so many matches: nobody turns that many pages, and sorting and counting
/// stay fast.
pub(crate) const MATCH_LIMIT: u32 = 10_000;

/// So many matches that are sorted by name are read, and so counted: each is a row somewhere else in the
/// file.
pub(crate) const SORTED_LIMIT: u32 = 1_000;

/// Builds the query for FTS5; none when nothing is searched for. A single ASCII letter or digit, also
/// one behind other words, searches nothing yet: half of all rows have it, and only prefixes of two
/// to seven are indexed.
pub(crate) fn full_text(search: &str) -> Option<String> {
    let search = search.trim();
    if search.len() <= 1 {
        return None;
    }
    let mut terms = Vec::new();
    let mut digits = String::new();
    // Nobody dials the zero in `+49 (0)30`, and the index has numbers as they are dialled.
    let search = search.replace("(0)", " ");
    for word in search.split_whitespace().take(8) {
        let word: String = word.chars().take(64).collect();
        if word.len() == 1 && word.chars().all(char::is_alphabetic) {
            continue;
        }
        if word.chars().any(char::is_alphabetic) {
            terms.push(format!(
                "{{name organization}} : \"{}\" *",
                word.replace('"', " ")
            ));
        } else {
            digits.extend(word.chars().filter_map(ascii_digit));
        }
    }
    if digits.strip_prefix("00").unwrap_or(&digits).len() > 1 || digits == "00" {
        let reversed: String = digits.chars().rev().collect();
        // `00` is how many write the `+` of the international form.
        let begin = digits
            .strip_prefix("00")
            .filter(|rest| !rest.is_empty())
            .unwrap_or(&digits);
        terms.push(format!(
            "((numbers : \"{begin}\" *) OR (reversed : \"{reversed}\" *) OR (name : \"{digits}\" *))"
        ));
    }
    (!terms.is_empty()).then(|| terms.join(" AND "))
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
        assert_eq!(full_text(""), None);
        assert_eq!(full_text("  a "), None);
        assert_eq!(full_text("9"), None);
        assert_eq!(full_text("+-()"), None);
        assert_eq!(full_text("+4"), None);
        assert_eq!(full_text("004"), None);
        assert_eq!(full_text("a 4"), None);
        assert_eq!(full_text("anna m"), full_text("anna"));
        assert_eq!(full_text("anna +4"), full_text("anna"));
        assert_eq!(
            full_text("王").as_deref(),
            Some("{name organization} : \"王\" *")
        );
        assert_eq!(
            full_text("anna 0049 30").as_deref(),
            Some(
                "{name organization} : \"anna\" * AND ((numbers : \"4930\" *) OR (reversed : \"039400\" *) OR (name : \"004930\" *))"
            )
        );
        assert_eq!(
            full_text("+49 (0)30/12").as_deref(),
            Some(
                "((numbers : \"493012\" *) OR (reversed : \"210394\" *) OR (name : \"493012\" *))"
            )
        );
        assert_eq!(
            full_text("a\"b").as_deref(),
            Some("{name organization} : \"a b\" *")
        );
    }

    #[test]
    fn names_fold_to_plain_lower_case() {
        assert_eq!(folded(" Jürgen Straße "), "jurgen strasse");
        assert_eq!(folded("ŁÓDŹ"), "lodz");
        assert_eq!(folded("İstanbul"), "istanbul");
        assert_eq!(folded("Иван"), "иван");
    }
}
