//! Text from outside without what may deceive a reader.

/// The longest text that is laid out in one piece, in characters.
const LONGEST: usize = 4_000;

/// How many combining marks may follow one letter.
const MOST_MARKS: usize = 4;

/// Removes what may deceive: controls, direction overrides, invisible tags, private-use characters
/// (our icons live there) and floods of combining marks. Line ends become spaces.
pub fn clean_line(text: &str) -> String {
    clean(text, false).trim().to_owned()
}

/// The same for text of several lines: line ends stay.
pub fn clean_text(text: &str) -> String {
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

/// Whether it stands on the letter before it.
pub(crate) fn is_combining(letter: char) -> bool {
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
    fn several_lines_stay_several_lines() {
        assert_eq!(clean_text("a\r\nb\tc"), "a\nb c");
    }
}
