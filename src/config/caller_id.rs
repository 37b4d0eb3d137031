//! Which of the own numbers the far end is to see, by where a call goes.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::number_pattern;
use crate::base::uri::Uri;

/// One rule; the first that fits counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallerId {
    /// The called numbers or names that it is for: `*` stands for one character or more, so that `*` alone is
    /// all of them. A plus or 00 in front makes no difference.
    pub to: String,
    /// The number or SIP address that is shown to them.
    pub show: String,
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the caller id \"{0}\" shows neither a number nor a SIP address; write it as +49301234500, or for some calls as +43*=+4312345"
)]
pub struct NoCallerId(String);

impl CallerId {
    /// The first rule that fits one of the spellings of what is called.
    pub fn of<'r>(rules: &'r [Self], called: &[&str]) -> Option<&'r Self> {
        let fits = |rule: &&Self| {
            let pattern = bare(&rule.to);
            let mut called = called.iter();
            // A star stands for one character at least.
            called.any(|text| number_pattern::fits(&pattern, &bare(text), 1))
        };
        rules.iter().find(fits)
    }

    /// Looks whether it can be shown.
    ///
    /// # Errors
    ///
    /// Fails when it is neither a number nor an address.
    pub fn validate(&self) -> Result<(), NoCallerId> {
        let digits = self.show.strip_prefix('+').unwrap_or(&self.show);
        let number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
        let address = || Uri::parse(&self.show).is_ok_and(|uri| uri.as_sip().is_some());
        if bare(&self.to).is_empty() || !(number || address()) {
            return Err(NoCallerId(format!("{}={}", self.to, self.show)));
        }
        Ok(())
    }

    /// The URI that is shown, in the domain of an account's address where it is a number.
    pub fn uri(&self, domain: Option<&str>) -> Option<String> {
        match Uri::parse(&self.show) {
            Ok(uri) if uri.as_sip().is_some() => Some(uri.to_string()),
            _ => {
                let uri = format!("sip:{}@{}", self.show, domain?);
                Uri::parse(&uri).ok().map(|uri| uri.to_string())
            }
        }
    }
}

impl FromStr for CallerId {
    type Err = NoCallerId;

    /// Reads `TO=SHOW`, or what is shown in all calls.
    fn from_str(text: &str) -> Result<Self, NoCallerId> {
        let (to, show) = match text.split_once('=') {
            // A parameter of an address.
            Some((to, _)) if to.contains(':') => ("*", text),
            Some(both) => both,
            None => ("*", text),
        };
        let rule = Self {
            to: to.trim().to_owned(),
            show: show.trim().to_owned(),
        };
        rule.validate().map(|()| rule)
    }
}

/// Without what makes no difference.
fn bare(text: &str) -> String {
    let bare = number_pattern::bare(text);
    let international = bare.strip_prefix('+').or_else(|| bare.strip_prefix("00"));
    international.map_or_else(|| bare.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_fits_counts() {
        let rules: Vec<CallerId> = [
            "+43*=+4312345",
            "49 30*00=+493012300",
            "112=sip:desk@example.com",
            "+49301234500",
        ]
        .map(|text| text.parse().unwrap())
        .to_vec();
        let shown = |called: &[&str]| CallerId::of(&rules, called).map(|rule| rule.show.as_str());
        for (called, expected) in [
            (["+43123", ""], "+4312345"),
            (["0043 1 23", ""], "+4312345"),
            (["+49305500", ""], "+493012300"),
            // A star is one character at least, and the pattern is for the whole number.
            (["+493000", ""], "+49301234500"),
            (["+43", ""], "+49301234500"),
            (["112", ""], "sip:desk@example.com"),
            (["1123", ""], "+49301234500"),
            (["alice", ""], "+49301234500"),
            // Any spelling will do.
            (["0123", "+43123"], "+4312345"),
        ] {
            assert_eq!(shown(&called), Some(expected), "{called:?}");
        }
        assert_eq!(CallerId::of(&[], &["+43123"]), None);
    }

    #[test]
    fn what_is_shown_is_a_number_or_an_address() {
        let uri = |text: &str| {
            let rule: CallerId = text.parse().unwrap();
            rule.uri(Some("pbx.example"))
        };
        assert_eq!(uri("+4930123").as_deref(), Some("sip:+4930123@pbx.example"));
        assert_eq!(
            uri("*=sip:desk@example.com").as_deref(),
            Some("sip:desk@example.com")
        );
        assert_eq!("4930".parse::<CallerId>().unwrap().uri(None), None);
        for wrong in [
            "",
            "=+49",
            "+43*=",
            "the desk",
            "+49\r\nX: y",
            "*=http://a/",
        ] {
            assert!(wrong.parse::<CallerId>().is_err(), "{wrong}");
        }
    }
}
