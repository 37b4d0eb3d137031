//! SIP, SIPS and TEL URIs (RFC 3261 section 19.1, RFC 3966) and `callto:` links.
//!
//! Parts are kept as they were written, escapes included, so that a URI is written back unchanged.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

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
    /// Reads a URI; brackets and display names are not part of it.
    ///
    /// # Errors
    ///
    /// Fails when the text has no scheme, or is a broken `sip:`, `sips:` or `tel:` URI.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let _ = text;
        Err(UriError::NoScheme)
    }

    /// The user part with its escapes decoded, or the number of a `tel:` URI: what a person reads.
    pub fn user_decoded(&self) -> Option<String> {
        None
    }

    /// The SIP URI, when it is one.
    pub fn as_sip(&self) -> Option<&SipUri> {
        match self {
            Self::Sip(uri) => Some(uri),
            Self::Tel(_) | Self::Other { .. } => None,
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = f;
        Ok(())
    }
}
