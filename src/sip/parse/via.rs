//! Via (RFC 3261 section 20.42, RFC 3581).

use std::fmt;
use std::net::IpAddr;

use super::scan::{self, Malformed};
use crate::base::uri::{Host, Param};

/// One hop of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// The transport as written, such as `UDP`.
    pub transport: String,
    /// Where the sender listens.
    pub host: Host,
    /// The port, where one is written.
    pub port: Option<u16>,
    /// The parameters in order.
    pub params: Vec<Param>,
}

/// Reads one Via value.
///
/// # Errors
///
/// Fails when it does not follow the grammar or is not of SIP 2.0.
pub fn via(text: &str) -> Result<Via, Malformed> {
    const BROKEN: Malformed = Malformed("Via");
    let (before, params) = match text.split_once(';') {
        Some((before, params)) => (before, Some(params)),
        None => (text, None),
    };
    let mut parts = before.splitn(3, '/').map(str::trim);
    let (Some(name), Some(version), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(BROKEN);
    };
    if !name.eq_ignore_ascii_case("SIP") || version != "2.0" {
        return Err(BROKEN);
    }
    let (transport, sent_by) = rest.split_once([' ', '\t']).ok_or(BROKEN)?;
    if !scan::is_token(transport) {
        return Err(BROKEN);
    }
    // White space may stand around the colon of the port.
    let sent_by: String = match sent_by.rsplit_once(':') {
        Some((host, port)) => format!("{}:{}", host.trim(), port.trim()),
        None => sent_by.trim().to_owned(),
    };
    let Ok((host, port)) = Host::parse_with_port(&sent_by) else {
        return Err(BROKEN);
    };
    let params = match params {
        Some(params) if params.trim().is_empty() => return Err(BROKEN),
        Some(params) => scan::params(params)?,
        None => Vec::new(),
    };
    Ok(Via {
        transport: transport.to_owned(),
        host,
        port,
        params,
    })
}

impl Via {
    /// The branch, where there is one.
    pub fn branch(&self) -> Option<&str> {
        self.value("branch")
    }

    /// The address that the next hop saw.
    pub fn received(&self) -> Option<IpAddr> {
        let text = self.value("received")?;
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        bare.parse().ok()
    }

    /// The port that the next hop saw (RFC 3581); `None` where it was only asked for.
    pub fn rport(&self) -> Option<u16> {
        self.value("rport")?.parse().ok()
    }

    /// Whether `rport` stands in it, with or without value.
    pub fn wants_rport(&self) -> bool {
        Param::find(&self.params, "rport").is_some()
    }

    /// Sets a parameter's value, adding it where it is missing.
    pub fn set(&mut self, name: &str, value: String) {
        let found = self
            .params
            .iter_mut()
            .find(|param| param.name.eq_ignore_ascii_case(name));
        match found {
            Some(param) => param.value = Some(value),
            None => self.params.push(Param {
                name: name.to_owned(),
                value: Some(value),
            }),
        }
    }

    fn value(&self, name: &str) -> Option<&str> {
        Param::find(&self.params, name)?.value.as_deref()
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        scan::write_params(f, &self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_spacing_unknown_transports_and_ipv6_are_read() {
        let read = via("SIP  / 2.0\t/ UDP  first.example.com: 4000;ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1").unwrap();
        assert_eq!(read.port, Some(4000));
        assert_eq!(read.branch(), Some("z9hG4bKa7c6a8dlze.1"));
        let read = via("SIP/2.0/UNKNOWN [2001:db8::1]:5070;rport;received=[::1]").unwrap();
        assert_eq!(read.transport, "UNKNOWN");
        assert_eq!(read.host.to_string(), "[2001:db8::1]");
        assert_eq!(read.received(), Some("::1".parse().unwrap()));
        assert!(read.wants_rport());
        assert_eq!(read.rport(), None);
    }

    #[test]
    fn what_the_next_hop_saw_is_added_and_the_rest_kept() {
        let mut read = via("SIP/2.0/UDP h:1;rport;branch=z;x=\"a b\"").unwrap();
        read.set("rport", "5070".to_owned());
        read.set("received", "10.0.0.1".to_owned());
        assert_eq!(
            read.to_string(),
            "SIP/2.0/UDP h:1;rport=5070;branch=z;x=\"a b\";received=10.0.0.1"
        );
    }

    #[test]
    fn broken_values_are_refused() {
        for text in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/3.0/UDP h",
            "SIP/2.0/UDP h:x",
            "SIP/2.0/UDP h;",
            "SIP/2.0/UDP h;;branch=z",
            "SIP/2.0/UDP h h",
        ] {
            assert!(via(text).is_err(), "{text}");
        }
    }
}
