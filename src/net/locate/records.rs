//! What is asked of the DNS, and what it answers.

use std::fmt;
use std::net::IpAddr;

/// A question to the DNS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Query {
    /// Which transports a domain offers (RFC 3403).
    Naptr(String),
    /// Which hosts offer a service (RFC 2782).
    Srv(String),
    /// The addresses of a host, of both families.
    Addresses(String),
}

/// A rule of a domain (RFC 3403 section 4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Naptr {
    /// Rules of another order are not mixed; the lowest comes first.
    pub(crate) order: u16,
    /// Among rules of one order the lowest is preferred.
    pub(crate) preference: u16,
    /// `s` says that the replacement is the name of an SRV record.
    pub(crate) flags: String,
    /// Such as `SIP+D2U`.
    pub(crate) service: String,
    /// The name to ask for next.
    pub(crate) replacement: String,
}

/// A host that offers a service (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Srv {
    /// The lowest is tried first.
    pub(crate) priority: u16,
    /// The share among hosts of one priority.
    pub(crate) weight: u16,
    /// Where it listens.
    pub(crate) port: u16,
    /// The host; empty or `.` says that the service is not offered.
    pub(crate) target: String,
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Rules.
    Naptr(Vec<Naptr>),
    /// Hosts.
    Srv(Vec<Srv>),
    /// Addresses, in the order of the answer.
    Addresses(Vec<IpAddr>),
    /// Nothing, and why.
    Refused(Refusal),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The name does not exist (NXDOMAIN).
    NoSuchName,
    /// The name exists, and has no such record.
    NoSuchRecord,
    /// No name server answered in time.
    Silent,
    /// The name server answered that it cannot or will not.
    Failed(String),
    /// What was asked for is no domain name.
    NoName,
    /// It has addresses, but no way leads there; why, in a sentence.
    NoWay(String),
}

impl Query {
    /// The name that is asked for.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Naptr(name) | Self::Srv(name) | Self::Addresses(name) => name,
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Naptr(name) => write!(f, "NAPTR of {name}"),
            Self::Srv(name) => write!(f, "SRV of {name}"),
            Self::Addresses(name) => write!(f, "addresses (A, AAAA) of {name}"),
        }
    }
}
