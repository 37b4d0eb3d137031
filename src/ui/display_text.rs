//! Text from outside, made safe and ordered for the screen.
//!
//! egui shapes each word but does not order words of right-to-left scripts (UAX #9), and a name
//! that a stranger chose may hold characters that turn or hide what follows.

use unicode_bidi::{BidiInfo, Level};

/// The longest text that is laid out in one piece, in characters.
const LONGEST: usize = 4_000;

/// How many combining marks may follow one letter.
const MOST_MARKS: usize = 4;

/// Removes what may deceive: controls, direction overrides, invisible tags, private-use characters
/// (our icons live there) and floods of combining marks. Line ends become spaces.
pub(crate) fn clean_line(text: &str) -> String {
    clean(text, false).trim().to_owned()
}

/// The same for text of several lines: line ends stay.
pub(crate) fn clean_text(text: &str) -> String {
    clean(text, true)
}

fn clean(text: &str, keep_lines: bool) -> String {
    let mut marks = 0;
    let mut cleaned = String::with_capacity(text.len().min(LONGEST));
    for letter in text.chars().take(LONGEST) {
        if is_combining(letter) {
            marks += 1;
            if marks > MOST_MARKS {
                continue;
            }
        } else {
            marks = 0;
        }
        match letter {
            '\n' if keep_lines => cleaned.push('\n'),
            '\t' | '\n' | '\u{2028}' | '\u{2029}' => cleaned.push(' '),
            _ if letter.is_control() || deceives(letter) => {}
            _ => cleaned.push(letter),
        }
    }
    cleaned
}

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
fn is_right_to_left(letter: char) -> bool {
    matches!(letter,
        '\u{0590}'..='\u{065f}' | '\u{066a}'..='\u{06ef}' | '\u{06fa}'..='\u{08ff}'
        | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

fn is_combining(letter: char) -> bool {
    matches!(letter,
        '\u{0300}'..='\u{036f}' | '\u{0483}'..='\u{0489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Direction marks, invisible characters and private use. The joiners U+200C and U+200D stay:
/// Persian, Indic scripts and emoji need them.
fn deceives(letter: char) -> bool {
    matches!(letter,
        '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_controls_and_icon_glyphs_are_removed() {
        assert_eq!(
            clean_line("\u{202e}moc.knab\u{202c} \u{f0be}Bank\u{7}\r\n+1"),
            "moc.knab Bank +1"
        );
    }

    #[test]
    fn a_flood_of_combining_marks_ends_after_four() {
        let flooded = format!("a{}b", "\u{0301}".repeat(50));
        assert_eq!(clean_line(&flooded).chars().count(), 6);
    }

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
    fn several_lines_stay_several_lines() {
        assert_eq!(clean_text("a\r\nb\tc"), "a\nb c");
        assert!(reads_right_to_left("  שלום ABC"));
        assert!(!reads_right_to_left("ABC שלום"));
    }
}
