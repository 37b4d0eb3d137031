//! What only a screen reader says.

/// How a call stands: a word for it, with whom, and what is known of them.
pub(crate) fn call_stands(word: &str, who: &str, about: Option<&str>) -> String {
    match about {
        Some(about) => format!("{word}: {who}, {about}"),
        None => format!("{word}: {who}"),
    }
}
