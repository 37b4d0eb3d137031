//! Numbers and names with stars, by which rules and queues know what is called.

/// Takes out what only parts digits from each other.
pub(crate) fn bare(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, ' ' | '-' | '/' | '(' | ')' | '\u{a0}'))
        .collect()
}

/// Whether a whole text fits a pattern, in which each `*` stands for any characters, `least` of them at least.
pub(crate) fn fits(pattern: &str, text: &str, least: usize) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let mut behind = rest.chars();
        for _ in 0..least {
            if behind.next().is_none() {
                return false;
            }
        }
        rest = behind.as_str();
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_and_for_as_many_as_wanted() {
        for (pattern, text, any, some) in [
            ("+4930123*", "+49301234500", true, true),
            ("+4930123*", "+4930123", true, false),
            ("+4930123*", "+4930124", false, false),
            ("*@sales.example.com", "bob@sales.example.com", true, true),
            ("*@sales.example.com", "bob@example.com", false, false),
            ("+49*500", "+49301234500", true, true),
            ("+49*500", "+49301234501", false, false),
            ("a*b*c", "a1b2c", true, true),
            ("a*b*c", "ab2c", true, false),
            ("a*b*c", "acb", false, false),
            ("*", "anything", true, true),
            ("*", "", true, false),
            ("ab*b", "ab", false, false),
            ("112", "112", true, true),
            ("112", "1123", false, false),
        ] {
            let fits = [fits(pattern, text, 0), fits(pattern, text, 1)];
            assert_eq!(fits, [any, some], "{pattern} {text}");
        }
    }
}
