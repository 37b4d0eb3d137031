//! SIP, SIPS and TEL URIs (RFC 3261 section 19.1, RFC 3966) and `callto:` links.
//!
//! Parts are kept as they were written, escapes included, so that a URI is written back unchanged.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::base::zone;

/// Any URI that may stand in a SIP message or a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uri {
    /// `sip:` or `sips:`.
    Sip(SipUri),
    /// `tel:`.
    Tel(TelUri),
    /// Any other scheme: kept, never understood.
    Other {
        /// The scheme, lower-case, without the colon.
        scheme: String,
        /// What follows the colon.
        rest: String,
    },
}

/// A `sip:` or `sips:` URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipUri {
    /// Whether the scheme is `sips`.
    pub secure: bool,
    /// The user part as written, with its escapes and its own parameters.
    pub user: Option<String>,
    /// The password part, which RFC 3261 deprecates; never shown.
    pub password: Option<String>,
    /// The host.
    pub host: Host,
    /// The port, where one is written.
    pub port: Option<u16>,
    /// The URI parameters in order.
    pub params: Vec<Param>,
    /// The headers after `?`, in order, with their escapes.
    pub headers: Vec<(String, String)>,
}

/// A `tel:` URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelUri {
    /// The number as written, with its visual separators.
    pub number: String,
    /// The parameters in order.
    pub params: Vec<Param>,
}

/// A host as RFC 3261 section 25.1 knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// A domain name, as written.
    Name(String),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address, written in brackets.
    V6(Ipv6Addr),
}

/// A URI or header parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// The name as written; compared without case.
    pub name: String,
    /// The value, without quotes, where there is one.
    pub value: Option<String>,
}

/// Says why a text is no URI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// There is no scheme before a colon.
    #[error("the address has no scheme such as \"sip:\"")]
    NoScheme,
    /// The host is missing or not a host.
    #[error("the address has no valid host")]
    BadHost,
    /// The port is no number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    BadPort,
    /// A character stands where it may not stand.
    #[error("the address holds a character that must be escaped")]
    BadCharacter,
}

impl Uri {
    /// What may be shown and kept of it: a password that somebody wrote into it stays out.
    pub fn without_password(&self) -> Self {
        match self {
            Self::Sip(sip) => Self::Sip(SipUri {
                password: None,
                ..sip.clone()
            }),
            Self::Tel(_) | Self::Other { .. } => self.clone(),
        }
    }

    /// Reads a URI; brackets and display names are not part of it.
    ///
    /// The reader is lenient where the meaning is plain (an underscore in a host, an empty
    /// parameter, an `@` in the headers) and strict where it is not.
    ///
    /// # Errors
    ///
    /// Fails when the text has no scheme, or is a broken `sip:`, `sips:` or `tel:` URI.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let (scheme, rest) = text.split_once(':').ok_or(UriError::NoScheme)?;
        if !is_scheme(scheme) {
            return Err(UriError::NoScheme);
        }
        if rest.chars().any(must_be_escaped) {
            return Err(UriError::BadCharacter);
        }
        let scheme = scheme.to_ascii_lowercase();
        match scheme.as_str() {
            "sip" => SipUri::parse_rest(false, rest).map(Self::Sip),
            "sips" => SipUri::parse_rest(true, rest).map(Self::Sip),
            "tel" => TelUri::parse_rest(rest).map(Self::Tel),
            _ => Ok(Self::Other {
                scheme,
                rest: rest.to_owned(),
            }),
        }
    }

    /// The user part with its escapes decoded and without its own parameters, or the number of a
    /// `tel:` URI: what a person reads.
    pub fn user_decoded(&self) -> Option<String> {
        match self {
            Self::Sip(uri) => {
                let user = uri.user.as_deref()?;
                Some(percent_decode(user.split(';').next().unwrap_or(user)))
            }
            Self::Tel(uri) => Some(percent_decode(&uri.number)),
            Self::Other { .. } => None,
        }
    }

    /// The SIP URI, when it is one.
    pub fn as_sip(&self) -> Option<&SipUri> {
        match self {
            Self::Sip(uri) => Some(uri),
            Self::Tel(_) | Self::Other { .. } => None,
        }
    }

    /// The scheme, lower-case, without the colon.
    pub fn scheme(&self) -> &str {
        match self {
            Self::Sip(uri) if uri.secure => "sips",
            Self::Sip(_) => "sip",
            Self::Tel(_) => "tel",
            Self::Other { scheme, .. } => scheme,
        }
    }
}

impl SipUri {
    /// Makes `sip:user@host:port`; the user part is taken as written, so it must be escaped already.
    pub fn new(user: Option<&str>, host: Host, port: Option<u16>) -> Self {
        Self {
            secure: false,
            user: user.map(str::to_owned),
            password: None,
            host,
            port,
            params: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Adds a parameter.
    #[must_use]
    pub fn with_param(mut self, name: &str, value: Option<&str>) -> Self {
        self.params.push(Param {
            name: name.to_owned(),
            value: value.map(str::to_owned),
        });
        self
    }

    /// The first parameter of that name.
    pub fn param(&self, name: &str) -> Option<&Param> {
        Param::find(&self.params, name)
    }

    /// Whether both name the same resource: user, host and port alike, and the parameters that
    /// RFC 3261 section 19.1.4 compares (`transport`, `user`, `ttl`, `method`, `maddr`) too.
    pub fn equivalent(&self, other: &Self) -> bool {
        let users_match = match (&self.user, &other.user) {
            (Some(ours), Some(theirs)) => percent_decode(ours) == percent_decode(theirs),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        let values_match = |name: &str| match (self.param(name), other.param(name)) {
            (Some(ours), Some(theirs)) => {
                let ours = ours.value.as_deref().unwrap_or("");
                ours.eq_ignore_ascii_case(theirs.value.as_deref().unwrap_or(""))
            }
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        users_match
            && self.secure == other.secure
            && self.password == other.password
            && self.host.equivalent(&other.host)
            && self.port == other.port
            && ["transport", "user", "ttl", "method", "maddr"]
                .into_iter()
                .all(values_match)
    }

    fn parse_rest(secure: bool, rest: &str) -> Result<Self, UriError> {
        // An `@` belongs to no other part, so the first one ends the user part whatever `;` or
        // `?` stands before it (RFC 3261 section 19.1.2, RFC 4475 section 3.1.1.10).
        let (userinfo, rest) = match rest.split_once('@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, rest),
        };
        let (user, password) = match userinfo.map(|info| (info, info.split_once(':'))) {
            Some((_, Some((user, password)))) => (Some(user), Some(password)),
            Some((user, None)) => (Some(user), None),
            None => (None, None),
        };
        let (rest, headers) = match rest.split_once('?') {
            Some((rest, headers)) => (rest, headers),
            None => (rest, ""),
        };
        let (host_port, params) = match rest.split_once(';') {
            Some((host_port, params)) => (host_port, Some(params)),
            None => (rest, None),
        };
        let (host, port) = Host::parse_with_port(host_port)?;
        let headers = headers
            .split('&')
            .filter(|header| !header.is_empty())
            .map(|header| match header.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None => (header.to_owned(), String::new()),
            })
            .collect();
        Ok(Self {
            secure,
            user: user.map(str::to_owned),
            password: password.map(str::to_owned),
            host,
            port,
            params: parse_params(params),
            headers,
        })
    }
}

impl TelUri {
    fn parse_rest(rest: &str) -> Result<Self, UriError> {
        let (number, params) = match rest.split_once(';') {
            Some((number, params)) => (number, Some(params)),
            None => (rest, None),
        };
        // Letters are refused but for the hexadecimal digits that RFC 3966 allows: a name is no
        // number. `%20` and the like come from links that a browser escaped.
        let numeric = |c: char| c.is_ascii_hexdigit() || "+-.()*#%/".contains(c);
        if number.is_empty() || !number.chars().all(numeric) {
            return Err(UriError::BadCharacter);
        }
        Ok(Self {
            number: number.to_owned(),
            params: parse_params(params),
        })
    }
}

impl Host {
    /// Reads a host; an IPv6 address may stand with or without its brackets.
    ///
    /// # Errors
    ///
    /// Fails when it is neither an address nor a name of letters, digits, `-`, `_` and dots.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(UriError::BadHost)?;
            let address = zone::parse_v6(inner).ok_or(UriError::BadHost)?;
            return Ok(Self::V6(address));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::V4(address));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::V6(address));
        }
        let labels = text.strip_suffix('.').unwrap_or(text);
        let is_label = |label: &str| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        if text.len() <= MAX_HOST && labels.split('.').all(is_label) {
            Ok(Self::Name(text.to_owned()))
        } else {
            Err(UriError::BadHost)
        }
    }

    /// Reads `host` or `host:port`; an IPv6 address stands in brackets.
    ///
    /// # Errors
    ///
    /// Fails when the host is no host, or the port no number from 1 to 65535.
    pub fn parse_with_port(text: &str) -> Result<(Self, Option<u16>), UriError> {
        let split_at = if text.starts_with('[') {
            text.find(']')
                .and_then(|end| text.split_at_checked(end + 1))
        } else {
            text.find(':').and_then(|end| text.split_at_checked(end))
        };
        let (host, port) = split_at.unwrap_or((text, ""));
        let host = Self::parse(host)?;
        if port.is_empty() {
            return Ok((host, None));
        }
        let digits = port.strip_prefix(':').ok_or(UriError::BadHost)?;
        match digits.parse::<u16>() {
            Ok(port) if port > 0 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Ok((host, Some(port)))
            }
            Ok(_) | Err(_) => Err(UriError::BadPort),
        }
    }

    /// The address, when it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::V4(address) => Some(IpAddr::V4(*address)),
            Self::V6(address) => Some(IpAddr::V6(*address)),
        }
    }

    /// Whether both are the same host; names compare without case.
    pub fn equivalent(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(ours), Self::Name(theirs)) => ours.eq_ignore_ascii_case(theirs),
            (ours, theirs) => ours == theirs,
        }
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6(address),
        }
    }
}

impl Param {
    /// The first parameter of that name, compared without case.
    pub fn find<'p>(params: &'p [Self], name: &str) -> Option<&'p Self> {
        params
            .iter()
            .find(|param| param.name.eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sip(uri) => uri.fmt(f),
            Self::Tel(uri) => uri.fmt(f),
            Self::Other { scheme, rest } => write!(f, "{scheme}:{rest}"),
        }
    }
}

impl fmt::Display for SipUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secure { "sips:" } else { "sip:" })?;
        if let Some(user) = &self.user {
            f.write_str(user)?;
            if let Some(password) = &self.password {
                write!(f, ":{password}")?;
            }
            f.write_str("@")?;
        }
        self.host.fmt(f)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write_params(f, &self.params)?;
        for (place, (name, value)) in self.headers.iter().enumerate() {
            let separator = if place == 0 { '?' } else { '&' };
            write!(f, "{separator}{name}={value}")?;
        }
        Ok(())
    }
}

impl fmt::Display for TelUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tel:{}", self.number)?;
        write_params(f, &self.params)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

/// Decodes `%41` and the like; what is no escape stays, what is no UTF-8 becomes a replacement
/// character. For display and comparison only: a URI is always written as it came.
pub fn percent_decode(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let value = match (byte, after) {
            (b'%', [high, low, ..]) => hex_value(*high).zip(hex_value(*low)),
            _ => None,
        };
        match value {
            Some((high, low)) => {
                decoded.push(high << 4 | low);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                decoded.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// The longest domain name (RFC 1035 section 2.3.4) with its final dot.
const MAX_HOST: usize = 254;

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Whether a character would break the message or link that the URI stands in.
fn must_be_escaped(c: char) -> bool {
    c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | '"')
}

fn parse_params(text: Option<&str>) -> Vec<Param> {
    let Some(text) = text else {
        return Vec::new();
    };
    let one = |param: &str| match param.split_once('=') {
        Some((name, value)) => Param {
            name: name.to_owned(),
            value: Some(value.to_owned()),
        },
        None => Param {
            name: param.to_owned(),
            value: None,
        },
    };
    text.split(';').map(one).collect()
}

fn write_params(f: &mut fmt::Formatter<'_>, params: &[Param]) -> fmt::Result {
    for param in params {
        write!(f, ";{}", param.name)?;
        if let Some(value) = &param.value {
            write!(f, "={value}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
