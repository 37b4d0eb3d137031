//! Replaces (RFC 3891 section 6.1): which dialog a call takes the place of.

use std::fmt;

use super::scan::{self, Malformed};
use crate::base::uri::Param;

/// A dialog, named as the one who gets the request knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaces {
    /// The Call-ID.
    pub call_id: String,
    /// The tag of the one who gets the request.
    pub to_tag: String,
    /// The tag of the other side.
    pub from_tag: String,
    /// Whether an established dialog must be left alone.
    pub early_only: bool,
}

/// Reads a Replaces value.
///
/// # Errors
///
/// Fails unless it has a Call-ID and both tags, each once.
pub fn replaces(text: &str) -> Result<Replaces, Malformed> {
    const BROKEN: Malformed = Malformed("Replaces");
    let (call_id, rest) = text.split_once(';').ok_or(BROKEN)?;
    let call_id = call_id.trim();
    // RFC 3261: callid = word [ "@" word ]; what matters is that it can be written back.
    if call_id.is_empty() || call_id.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(BROKEN);
    }
    let params = scan::params(rest)?;
    let tag = |name: &str| {
        let mut all = params
            .iter()
            .filter(|param| param.name.eq_ignore_ascii_case(name));
        match (all.next(), all.next()) {
            (
                Some(Param {
                    value: Some(tag), ..
                }),
                None,
            ) if scan::is_token(tag) => Ok(tag.clone()),
            (Some(_) | None, _) => Err(BROKEN),
        }
    };
    Ok(Replaces {
        call_id: call_id.to_owned(),
        to_tag: tag("to-tag")?,
        from_tag: tag("from-tag")?,
        early_only: Param::find(&params, "early-only").is_some(),
    })
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            call_id,
            to_tag,
            from_tag,
            early_only,
        } = self;
        write!(f, "{call_id};to-tag={to_tag};from-tag={from_tag}")?;
        if *early_only {
            f.write_str(";early-only")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc_are_read_and_written() {
        let text = "98732@sip.example.com ;from-tag=r33th4x0r ;to-tag=ff87ff";
        let read = replaces(text).unwrap();
        assert_eq!(read.call_id, "98732@sip.example.com");
        assert_eq!((&*read.to_tag, &*read.from_tag), ("ff87ff", "r33th4x0r"));
        assert!(!read.early_only);
        assert_eq!(replaces(&read.to_string()), Ok(read));
        let early = replaces("425928@b;to-tag=7743;from-tag=6472;early-only").unwrap();
        assert!(early.early_only);
        assert_eq!(replaces(&early.to_string()), Ok(early));
    }

    #[test]
    fn a_dialog_that_is_not_wholly_named_is_refused() {
        for broken in [
            "",
            "a",
            "a;to-tag=1",
            "a;from-tag=1",
            ";to-tag=1;from-tag=2",
            "a b;to-tag=1;from-tag=2",
            "a;to-tag=1;to-tag=3;from-tag=2",
            "a;to-tag;from-tag=2",
        ] {
            assert!(replaces(broken).is_err(), "{broken}");
        }
    }
}
