//! Streams by name, and which of them share one way (RFC 5888, and BUNDLE of RFC 9143).
//!
//! This phone has one stream, so there is nothing to bundle; but who names his streams finds them again by
//! their names, and some refuse an answer in which they are missing (aiortc).

use std::fmt;

/// The longest name of a stream that is kept, in bytes: RFC 9143 section 15.2 wants them short.
const MAX_NAME_BYTES: usize = 64;
/// Names of one group that are kept: as many as there may be streams.
const MAX_NAMES: usize = 32;

/// Reads the value of `a=mid`: a token (RFC 5888 section 4).
pub(super) fn read_mid(value: &str) -> Option<String> {
    let token = |c: char| c.is_ascii_graphic() && !"\"(),/:;<=>?@[\\]".contains(c);
    let fits = (1..=MAX_NAME_BYTES).contains(&value.len()) && value.chars().all(token);
    fits.then(|| value.to_owned())
}

/// The streams that share one way, by their names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bundle(pub Vec<String>);

impl Bundle {
    /// Reads the value of `a=group`, where it is a bundle; of several, all names are taken together.
    pub(super) fn read(&mut self, value: &str) {
        let mut words = value.split_whitespace();
        if words.next().is_some_and(|semantics| semantics == "BUNDLE") {
            let room = MAX_NAMES.saturating_sub(self.0.len());
            self.0.extend(words.filter_map(read_mid).take(room));
        }
    }

    /// What is left of it when only the stream of that name is taken (RFC 9143 section 7.3).
    pub(super) fn only(&self, mid: Option<&String>) -> Self {
        let taken = mid.filter(|mid| self.0.contains(mid));
        Self(taken.into_iter().cloned().collect())
    }
}

impl fmt::Display for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, "a=group:BUNDLE {}\r\n", self.0.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_token_of_some_bytes() {
        for (value, name) in [
            ("0", Some("0")),
            ("audio", Some("audio")),
            ("{f00}!", Some("{f00}!")),
            ("", None),
            ("a b", None),
            ("a:b", None),
            ("\u{e4}", None),
        ] {
            assert_eq!(read_mid(value).as_deref(), name, "{value}");
        }
        assert_eq!(read_mid(&"n".repeat(MAX_NAME_BYTES + 1)), None);
    }

    #[test]
    fn a_group_is_read_within_limits_and_another_kind_is_none() {
        let mut bundle = Bundle::default();
        bundle.read("LS 0 1");
        assert_eq!(bundle.to_string(), "");
        bundle.read("BUNDLE 0 video b@d");
        assert_eq!(bundle.to_string(), "a=group:BUNDLE 0 video\r\n");
        let many: Vec<String> = (0..1_000).map(|n| n.to_string()).collect();
        bundle.read(&format!("BUNDLE {}", many.join(" ")));
        assert_eq!(bundle.0.len(), MAX_NAMES);
    }
}
