//! Text from outside, ordered for the screen.
//!
//! egui shapes each word but does not order words of right-to-left scripts (UAX #9).

use unicode_bidi::{BidiInfo, Level};

use crate::base::clean_text::is_combining;
pub(crate) use crate::base::clean_text::{clean_line, clean_text};

/// Orders one cleaned line for a renderer that shapes words but draws them from left to right.
pub(crate) fn visual(line: &str) -> String {
    if !line.chars().any(is_right_to_left) {
        return line.to_owned();
    }
    let info = BidiInfo::new(line, None);
    let mut ordered = String::with_capacity(line.len());
    for paragraph in &info.paragraphs {
        let (levels, runs) = info.visual_runs(paragraph, paragraph.range.clone());
        for run in runs {
            let Some(text) = line.get(run.clone()) else {
                continue;
            };
            let level = levels.get(run.start).copied().unwrap_or_else(Level::ltr);
            if level.is_rtl() {
                push_reversed(&mut ordered, text);
            } else {
                ordered.push_str(text);
            }
        }
    }
    ordered
}

/// Whether a paragraph reads from right to left.
pub(crate) fn reads_right_to_left(line: &str) -> bool {
    line.chars()
        .find(|letter| letter.is_alphabetic())
        .is_some_and(is_right_to_left)
}

/// Cleans and orders one line.
pub(crate) fn shown_line(text: &str) -> String {
    visual(&clean_line(text))
}

/// Words keep their letters' order, for the shaper turns those; everything else is turned here.
fn push_reversed(ordered: &mut String, text: &str) {
    let mut pieces: Vec<String> = Vec::new();
    let mut in_word = false;
    for letter in text.chars() {
        let shaped = is_right_to_left(letter) || (in_word && is_combining(letter));
        match pieces.last_mut() {
            Some(word) if shaped && in_word => word.push(letter),
            _ => pieces.push(mirrored(letter).to_string()),
        }
        in_word = shaped;
    }
    for piece in pieces.iter().rev() {
        ordered.push_str(piece);
    }
}

/// The pairs of brackets that change sides (UAX #9 rule L4).
fn mirrored(letter: char) -> char {
    match letter {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '{' => '}',
        '}' => '{',
        '<' => '>',
        '>' => '<',
        '«' => '»',
        '»' => '«',
        other => other,
    }
}

/// Whether a shaper lays the character out from right to left: Hebrew, Arabic and their kin.
pub(crate) fn is_right_to_left(letter: char) -> bool {
    matches!(letter,
        '\u{0590}'..='\u{065f}' | '\u{066a}'..='\u{06ef}' | '\u{06fa}'..='\u{08ff}'
        | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_right_to_left_name_are_turned_but_not_their_letters() {
        assert_eq!(visual("محمد العلي"), "العلي محمد");
        assert_eq!(visual("דוד לוי"), "לוי דוד");
    }

    #[test]
    fn latin_and_digits_inside_keep_their_direction() {
        assert_eq!(visual("שלום ABC 123"), "ABC 123 שלום");
        assert_eq!(visual("Anna (דוד לוי) 5"), "Anna (לוי דוד) 5");
        assert_eq!(visual("Plain name"), "Plain name");
    }

    #[test]
    fn brackets_of_a_right_to_left_paragraph_change_sides() {
        assert_eq!(visual("דוד (לוי)"), "(לוי) דוד");
    }

    #[test]
    fn the_first_letter_says_how_a_paragraph_reads() {
        assert!(reads_right_to_left("  שלום ABC"));
        assert!(!reads_right_to_left("ABC שלום"));
    }
}
