//! From what was typed or linked to the exact URI that will be dialled, and the rule that made it.
//!
//! Nothing is rewritten silently: each change has its words in [`DialPreview::rule`], and what a
//! link tries beyond a plain number stands in [`DialPreview::caution`]. URI headers and passwords
//! are never sent (RFC 3261 sections 19.1.1 and 19.1.5).

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::base::dial_class::{DialClass, is_emergency};
use crate::base::phone_number::{PhoneNumber, parameter, percent_decoded, printable, split_scheme};
use crate::base::zone::without_zones;

/// More characters than this are no address.
const TEXT_LIMIT: usize = 512;

/// So many characters of a text are quoted in an error.
const QUOTED: usize = 60;

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
    /// Whether public numbers are sent as `+` and digits; else in national form. After an outside
    /// prefix no `+` can follow: there the region's international prefix stands for it.
    pub e164: bool,
    /// Numbers that call for help here, beside those of the region: digits alone.
    pub emergency_numbers: Vec<String>,
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
    /// Whom it calls, for the look-up and the log: the number in international form, else its
    /// digits, without an outside prefix; or the SIP address. Never read it from `uri`: behind a
    /// prefix the digits of one number are those of another.
    pub called: String,
    /// How a person reads the target.
    pub display: String,
    /// Why the agent should look twice (URI headers, `*` or `#`, phone-context, premium …).
    pub caution: Option<String>,
    /// What kind of number it is.
    pub class: DialClass,
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
            emergency_numbers: Vec::new(),
        }
    }
}

impl DialPlan {
    /// Shows what would be dialled for a typed text or a `tel:`, `sip:`, `sips:` or `callto:` link.
    ///
    /// # Errors
    ///
    /// Fails when nothing can be dialled.
    pub fn preview(&self, text: &str) -> Result<DialPreview, DialError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(DialError::Empty);
        }
        let too_long = trimmed.chars().nth(TEXT_LIMIT).is_some();
        // Escaped line ends would reach the SIP message; nobody types or links them honestly.
        if too_long || percent_decoded(trimmed).contains(|c: char| c.is_control()) {
            return Err(not_dialable(trimmed));
        }
        // They are for this machine's sockets alone, which learn them from the original.
        let (bare, _zones) = without_zones(trimmed);
        let trimmed = bare.as_str();
        let (scheme, rest) = split_scheme(trimmed);
        let rest = rest.trim();
        let mut preview = match scheme {
            Some("tel") => self.linked_number(trimmed, rest),
            Some("callto") => self.linked_anything(rest),
            Some(scheme) => self.address(scheme, rest, Origin::Link),
            None => self.typed(trimmed),
        }
        // The sentence repeats what was typed, not what was left of it.
        .map_err(|error| match error {
            DialError::NotDialable(_) => not_dialable(trimmed),
            DialError::Empty | DialError::NoDomain(_) => error,
        })?;
        text.clone_into(&mut preview.original);
        Ok(preview)
    }

    fn typed(&self, text: &str) -> Result<DialPreview, DialError> {
        if text.contains('@') {
            let bare = text
                .split_once('<')
                .and_then(|(_, rest)| rest.split_once('>'))
                .map_or(text, |(inside, _)| inside);
            let (scheme, rest) = split_scheme(bare);
            let scheme = scheme.filter(|scheme| *scheme == "sips").unwrap_or("sip");
            return self.address(scheme, rest, Origin::Typed);
        }
        let number = PhoneNumber::parse(text, &self.region);
        let bare_host = text.split(':').next().unwrap_or_default();
        if number.e164.is_none() && bare_host.parse::<Ipv4Addr>().is_ok() {
            return self.address("sip", text, Origin::Typed);
        }
        if number.dialable.is_empty() {
            self.name(text, Vec::new())
        } else {
            self.number(&number, Origin::Typed, Vec::new())
        }
    }

    /// A `tel:` link (RFC 3966).
    fn linked_number(&self, link: &str, rest: &str) -> Result<DialPreview, DialError> {
        let number = PhoneNumber::parse(link, &self.region);
        if number.dialable.is_empty() {
            return Err(not_dialable(link));
        }
        self.number(&number, Origin::Link, link_cautions(rest))
    }

    /// A `callto:` link: no standard says what stands in it, so all that programs write is read.
    fn linked_anything(&self, rest: &str) -> Result<DialPreview, DialError> {
        let rest = rest.trim_start_matches('/');
        let (inner, inner_rest) = split_scheme(rest);
        match inner {
            Some("tel") => self.linked_number(rest, inner_rest),
            Some("sip") => self.address("sip", inner_rest, Origin::Link),
            Some("sips") => self.address("sips", inner_rest, Origin::Link),
            _ if rest.contains('@') => self.address("sip", rest, Origin::Link),
            _ => self.number_or_name(rest),
        }
    }

    /// What a link gives without a domain.
    fn number_or_name(&self, rest: &str) -> Result<DialPreview, DialError> {
        let number = PhoneNumber::parse(&format!("callto:{rest}"), &self.region);
        let cautions = link_cautions(rest);
        if number.dialable.is_empty() {
            let bare = rest.split(['?', ';']).next().unwrap_or_default();
            self.name(&percent_decoded(bare), cautions)
        } else {
            self.number(&number, Origin::Link, cautions)
        }
    }

    /// A number, after the account's rules.
    fn number(
        &self,
        number: &PhoneNumber,
        origin: Origin,
        mut cautions: Vec<String>,
    ) -> Result<DialPreview, DialError> {
        let (user, rule) = self.user_for(number);
        let meant = self.behind_typed_prefix(number);
        let number = meant.as_ref().unwrap_or(number);
        let class = self.class(number);
        if origin == Origin::Link && number.dialable.contains(['*', '#']) {
            cautions.push(CODE_IN_LINK.to_owned());
        }
        if origin == Origin::Link && class == DialClass::Emergency {
            cautions.push(EMERGENCY_IN_LINK.to_owned());
        }
        if let Some(extension) = &number.extension {
            cautions.push(format!(
                "the extension {extension} is not dialled: send it with the keypad once the call is answered"
            ));
        }
        if number.dialable.starts_with('+') && number.e164.is_none() {
            cautions.push("no country has such a number".to_owned());
        }
        cautions.extend(number.cost_warning().map(str::to_owned));
        let (domain, _zones) = without_zones(self.domain.trim());
        if domain.is_empty() {
            return Err(DialError::NoDomain(number.display()));
        }
        Ok(DialPreview {
            original: String::new(),
            uri: format!("sip:{}@{domain}", escaped_user(&user)),
            rule,
            called: number.e164.as_ref().unwrap_or(&number.dialable).clone(),
            display: number.display(),
            caution: joined(&cautions),
            class,
        })
    }

    /// The user part for a number, and the rule that made it.
    fn user_for(&self, number: &PhoneNumber) -> (String, String) {
        let prefix = self.prefix();
        if let Some(help) = self.emergency_digits(&number.dialable) {
            let rule = if help.len() == number.dialable.len() {
                "emergency number, dialled as it is".to_owned()
            } else {
                format!("emergency number, dialled without the {prefix} for an outside line")
            };
            return (help.to_owned(), rule);
        }
        if number.internal {
            let what = if number.dialable.contains(['*', '#']) {
                "service code"
            } else {
                "internal number"
            };
            return (number.dialable.clone(), format!("{what}, dialled as it is"));
        }
        if let Some(meant) = self.behind_typed_prefix(number) {
            let (user, rule) = self.user_for(&meant);
            return (user, format!("{rule} (it was typed)"));
        }
        let Some(e164) = &number.e164 else {
            return self.unknown_number(number, &prefix);
        };
        let what = match &number.region {
            Some(region) if *region == self.region => format!("national number of {region}"),
            Some(region) => format!("number of {region}"),
            None => "number of no country".to_owned(),
        };
        if self.e164 && prefix.is_empty() {
            return (e164.clone(), format!("{what}, sent in international form"));
        }
        let dialled = if self.e164 {
            number.dialled_internationally_from(&self.region)
        } else {
            number.dialled_from(&self.region)
        };
        let dialled = dialled.unwrap_or_else(|| e164.clone());
        let form = if !self.e164 && number.region.as_ref() == Some(&self.region) {
            "sent in national form"
        } else {
            "sent with the international prefix"
        };
        if prefix.is_empty() {
            (dialled, format!("{what}, {form}"))
        } else {
            (
                format!("{prefix}{dialled}"),
                format!("{what}, {form} after {prefix} for an outside line"),
            )
        }
    }

    /// The public number behind an outside prefix that was typed by habit; none when the digits are
    /// a number as they are.
    fn behind_typed_prefix(&self, number: &PhoneNumber) -> Option<PhoneNumber> {
        let prefix = self.prefix();
        if number.e164.is_some() || number.internal || prefix.is_empty() {
            return None;
        }
        let rest = number.dialable.strip_prefix(&prefix)?;
        Some(PhoneNumber::parse(rest, &self.region)).filter(|meant| meant.e164.is_some())
    }

    fn prefix(&self) -> String {
        self.outside_prefix
            .chars()
            .filter(|c| c.is_ascii_digit() || matches!(c, '*' | '#'))
            .collect()
    }

    /// Digits that no numbering plan knows: the exchange may, so they are sent as they are.
    fn unknown_number(&self, number: &PhoneNumber, prefix: &str) -> (String, String) {
        let what = format!("no number that the numbering plan of {} knows", self.region);
        if prefix.is_empty() || number.dialable.starts_with('+') {
            return (number.dialable.clone(), format!("{what}, dialled as it is"));
        }
        (
            format!("{prefix}{}", number.dialable),
            format!("{what}, dialled as it is after {prefix} for an outside line"),
        )
    }

    /// A name without a domain.
    fn name(&self, name: &str, cautions: Vec<String>) -> Result<DialPreview, DialError> {
        let plain = name
            .chars()
            .all(|c| c.is_alphanumeric() || "-_.!~*'()&=+$".contains(c));
        if !plain || !name.contains(char::is_alphanumeric) {
            return Err(not_dialable(name));
        }
        let (domain, _zones) = without_zones(self.domain.trim());
        if domain.is_empty() {
            return Err(DialError::NoDomain(quoted(name)));
        }
        let uri = format!("sip:{}@{domain}", escaped_user(name));
        Ok(DialPreview {
            original: String::new(),
            called: uri.clone(),
            uri,
            rule: format!("name, dialled at {domain}"),
            display: format!("{}@{domain}", printable(name)),
            caution: joined(&cautions),
            class: DialClass::Ordinary,
        })
    }

    /// What follows `sip:` or `sips:`, or a typed `user@domain`.
    fn address(&self, scheme: &str, rest: &str, origin: Origin) -> Result<DialPreview, DialError> {
        let mut cautions = Vec::new();
        let rest = rest.trim_start_matches('/');
        let unescaped_at;
        let rest = if !rest.contains('@') && rest.contains("%40") {
            // Some pages escape the whole address once more.
            unescaped_at = rest.replacen("%40", "@", 1);
            unescaped_at.as_str()
        } else {
            rest
        };
        let (user, place) = match rest.split_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        let (place, headers) = place.split_once('?').unwrap_or((place, ""));
        let (host, params) = place.split_once(';').unwrap_or((place, ""));
        if user.is_none() && names_no_host(host) {
            return self.number_or_name(rest);
        }
        if !valid_host(host) {
            return Err(not_dialable(rest));
        }
        if !headers.is_empty() {
            cautions.push(headers_caution(headers));
        }
        let mut uri = format!("{scheme}:");
        let mut shown = printable(host);
        let mut called = None;
        let mut class = DialClass::Ordinary;
        if let Some(user) = user {
            let (user, password) = user.split_once(':').unwrap_or((user, ""));
            if user.is_empty() {
                return Err(not_dialable(rest));
            }
            if !password.is_empty() {
                cautions.push("the address holds a password, which is not sent".to_owned());
            }
            let name = percent_decoded(user.split(';').next().unwrap_or_default());
            if origin == Origin::Link && name.contains(['*', '#']) {
                cautions.push(CODE_IN_LINK.to_owned());
            }
            let number = PhoneNumber::parse(&format!("sip:{user}@h"), &self.region);
            // The digits of a number are what the far end dials; a name is a name.
            if !number.dialable.is_empty() {
                class = self.class(&number);
            }
            if origin == Origin::Link && class == DialClass::Emergency {
                cautions.push(EMERGENCY_IN_LINK.to_owned());
            }
            cautions.extend(context_caution(user));
            cautions.extend(number.cost_warning().map(str::to_owned));
            shown = match &number.e164 {
                Some(_) => format!("{} at {shown}", number.display()),
                None => format!("{}@{shown}", printable(&name)),
            };
            called = number.e164;
            uri.push_str(&escaped_user(user));
            uri.push('@');
        }
        uri.push_str(host);
        for param in params.split(';').filter(|param| !param.is_empty()) {
            let name = param.split('=').next().unwrap_or_default();
            if name.eq_ignore_ascii_case("method") {
                cautions.push("the address asks for another SIP method, which is not used".into());
                continue;
            }
            if name.eq_ignore_ascii_case("maddr") {
                cautions.push("the address sends the call to another server (maddr)".to_owned());
            }
            if !param.chars().all(parameter_character) {
                return Err(not_dialable(rest));
            }
            uri.push(';');
            uri.push_str(param);
        }
        let rule = match origin {
            Origin::Link => "SIP address, dialled as it is",
            Origin::Typed => "name and domain, dialled as a SIP address",
        };
        Ok(DialPreview {
            original: String::new(),
            called: called.unwrap_or_else(|| uri.clone()),
            uri,
            rule: rule.to_owned(),
            display: shown,
            caution: joined(&cautions),
            class,
        })
    }

    fn class(&self, number: &PhoneNumber) -> DialClass {
        if self.emergency_digits(&number.dialable).is_some() {
            DialClass::Emergency
        } else {
            DialClass::of(number, &self.region, &self.emergency_numbers)
        }
    }

    /// The digits that call for help; who is used to an outside prefix may dial it first.
    fn emergency_digits<'n>(&self, digits: &'n str) -> Option<&'n str> {
        let helps = |digits: &str| is_emergency(digits, &self.region, &self.emergency_numbers);
        if helps(digits) {
            return Some(digits);
        }
        let prefix = Some(self.prefix()).filter(|prefix| !prefix.is_empty())?;
        digits.strip_prefix(&prefix).filter(|rest| helps(rest))
    }
}

/// Where a text comes from: a link was written by somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Typed,
    Link,
}

const CODE_IN_LINK: &str =
    "the link holds * or #: such a code may change the settings of the telephone system";
const EMERGENCY_IN_LINK: &str = "the link calls an emergency number";

fn link_cautions(rest: &str) -> Vec<String> {
    let (place, headers) = rest.split_once('?').unwrap_or((rest, ""));
    let mut cautions = Vec::new();
    if !headers.is_empty() {
        cautions.push(headers_caution(headers));
    }
    cautions.extend(context_caution(place));
    cautions
}

fn context_caution(user: &str) -> Option<String> {
    let (_, params) = user.split_once(';')?;
    let context = parameter(params, "phone-context")?;
    Some(format!(
        "the link means the number inside \"{}\"",
        quoted(&context)
    ))
}

fn headers_caution(headers: &str) -> String {
    let names: Vec<String> = headers
        .split('&')
        .filter_map(|header| header.split('=').next())
        .filter(|name| !name.is_empty())
        .take(5)
        .map(|name| quoted(&percent_decoded(name)))
        .collect();
    format!(
        "the link wants to add to the call ({}), which is not sent",
        names.join(", ")
    )
}

fn joined(cautions: &[String]) -> Option<String> {
    (!cautions.is_empty()).then(|| cautions.join("; "))
}

fn not_dialable(text: &str) -> DialError {
    DialError::NotDialable(quoted(text))
}

fn quoted(text: &str) -> String {
    let mut shown: String = printable(text).chars().take(QUOTED).collect();
    if printable(text).chars().nth(QUOTED).is_some() {
        shown.push('…');
    }
    shown
}

/// Escapes what may not stand in a user part (RFC 3261 section 25.1); escapes that are there stay.
fn escaped_user(user: &str) -> String {
    let mut escaped = String::with_capacity(user.len());
    let mut rest = user.chars();
    while let Some(character) = rest.next() {
        let written_escape = character == '%'
            && rest
                .as_str()
                .get(..2)
                .is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if character.is_ascii_alphanumeric()
            || "-_.!~*'()&=+$,;?/".contains(character)
            || written_escape
        {
            escaped.push(character);
        } else {
            let mut buffer = [0; 4];
            for byte in character.encode_utf8(&mut buffer).bytes() {
                escaped.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    escaped
}

/// Whether a host-less link such as `sip:1234` or `sip:alice` is meant.
fn names_no_host(host: &str) -> bool {
    !host.contains(['.', '[', ':']) && !host.eq_ignore_ascii_case("localhost")
}

fn valid_host(host: &str) -> bool {
    let (name, port) = if host.starts_with('[') {
        let Some((address, rest)) = host.trim_start_matches('[').split_once(']') else {
            return false;
        };
        if address.parse::<std::net::Ipv6Addr>().is_err() {
            return false;
        }
        match rest.strip_prefix(':') {
            Some(port) => (None, Some(port)),
            None if rest.is_empty() => (None, None),
            None => return false,
        }
    } else {
        match host.split_once(':') {
            Some((name, port)) => (Some(name), Some(port)),
            None => (Some(host), None),
        }
    };
    let valid_port = port.is_none_or(|port| {
        port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    let valid_name = name.is_none_or(|name| {
        !name.is_empty()
            && name.len() <= 253
            && !name.starts_with(['-', '.'])
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
    });
    valid_port && valid_name
}

fn parameter_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_.!~*'()[]/:&+$%=".contains(character)
}

#[cfg(test)]
mod tests;
