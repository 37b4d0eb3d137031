//! Phone numbers by libphonenumber's rules.

/// A number as somebody wrote or signalled it, understood as far as it can be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PhoneNumber {
    /// As written.
    pub raw: String,
    /// The dialable characters: digits, a leading `+`, `*`, `#`.
    pub dialable: String,
    /// International form with `+`, when it is a valid number.
    pub e164: Option<String>,
    /// National form as written in its country.
    pub national: Option<String>,
    /// The ISO 3166 code of its region.
    pub region: Option<String>,
    /// Whether it is a short internal number, service code or SIP user and no public number.
    pub internal: bool,
}

#[expect(unused_variables, clippy::todo, reason = "contract")]
impl PhoneNumber {
    /// Understands a text: a number in any spelling, a SIP user part, or a whole `sip:`/`tel:` URI
    /// (its user part counts). Numbers without a country code are read as `default_region` (ISO
    /// 3166) writes them.
    pub fn parse(text: &str, default_region: &str) -> Self {
        todo!()
    }
    /// How a person reads it: international form with spaces, else as written.
    pub fn display(&self) -> String {
        todo!()
    }
}
