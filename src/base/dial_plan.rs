//! From what was typed or linked to the exact URI that will be dialled, and the rule that made it.

use serde::{Deserialize, Serialize};

/// How an account dials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DialPlan {
    /// The ISO 3166 code whose national form is assumed.
    pub region: String,
    /// The domain appended to numbers and names.
    pub domain: String,
    /// Dialled before a public number to get an outside line, such as `0`.
    pub outside_prefix: String,
    /// Whether public numbers are sent as `+` and digits; else in national form.
    pub e164: bool,
}

/// What will be dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialPreview {
    /// What was typed or linked, unchanged.
    pub original: String,
    /// The exact URI.
    pub uri: String,
    /// The rule in plain words, such as `national number of DE, sent in international form`.
    pub rule: String,
    /// How a person reads the target.
    pub display: String,
    /// Why the agent should look twice (URI headers, `*` or `#`, phone-context, premium …).
    pub caution: Option<String>,
}

/// Why nothing can be dialled; for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// Nothing was typed.
    #[error("type a number, a name or a SIP address")]
    Empty,
    /// It is neither number nor address.
    #[error("\"{0}\" cannot be dialled: it is neither a phone number nor a SIP address")]
    NotDialable(String),
    /// A number without a domain to send it to.
    #[error(
        "there is no account to dial \"{0}\" with; add one in Settings, or type a whole SIP address"
    )]
    NoDomain(String),
}

impl Default for DialPlan {
    fn default() -> Self {
        Self {
            region: "US".to_owned(),
            domain: String::new(),
            outside_prefix: String::new(),
            e164: true,
        }
    }
}

#[expect(unused_variables, clippy::todo, reason = "contract")]
impl DialPlan {
    /// Shows what would be dialled for a typed text or a `tel:`, `sip:`, `sips:` or `callto:` link.
    ///
    /// # Errors
    ///
    /// Fails when nothing can be dialled.
    pub fn preview(&self, text: &str) -> Result<DialPreview, DialError> {
        todo!()
    }
}
