//! Where a request goes next (RFC 3261 sections 8.1.2 and 12.2.1.1; RFC 3263 is the resolver's).

use super::message::Message;
use super::parse::AddressField;
use crate::base::flow::{Resolved, Transport};
use crate::base::uri::{Host, SipUri, Uri};

/// The largest request that goes by UDP of its own accord, in octets (RFC 3261 section 18.1.1).
pub(crate) const MAX_DATAGRAM_REQUEST: usize = 1300;

/// The next hop of a request, before it is resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hop {
    /// The host.
    pub(crate) host: Host,
    /// The port, where one is named.
    pub(crate) port: Option<u16>,
    /// The transport, where one is named.
    pub(crate) transport: Option<Transport>,
}

impl Hop {
    /// The hop that a URI names; none where we cannot go (another scheme, an unknown transport,
    /// `sips:`).
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let uri = uri.as_sip()?;
        if uri.secure {
            return None;
        }
        let transport = match uri.param("transport").and_then(|p| p.value.as_deref()) {
            None => None,
            Some(name) if name.eq_ignore_ascii_case("udp") => Some(Transport::Udp),
            Some(name) if name.eq_ignore_ascii_case("tcp") => Some(Transport::Tcp),
            Some(_) => return None,
        };
        let maddr = uri.param("maddr").and_then(|p| p.value.as_deref());
        let host = match maddr {
            Some(maddr) => Host::parse(maddr).ok()?,
            None => uri.host.clone(),
        };
        Some(Self {
            host,
            port: uri.port,
            transport,
        })
    }

    /// The hop that leads to a place.
    pub(crate) fn to(place: &Resolved) -> Self {
        Self {
            host: Host::from(place.remote.ip()),
            port: Some(place.remote.port()),
            transport: Some(place.transport),
        }
    }

    /// Takes the account's transport where the URI names none.
    #[must_use]
    pub(crate) fn or_transport(mut self, transport: Option<Transport>) -> Self {
        self.transport = self.transport.or(transport);
        self
    }

    /// The host as the resolver wants it: IPv6 without brackets.
    pub(crate) fn host_text(&self) -> String {
        match &self.host {
            Host::Name(name) => name.clone(),
            Host::V4(address) => address.to_string(),
            Host::V6(address) => address.to_string(),
        }
    }

    /// The place itself, where the hop is an address and needs no resolver; `local_ip` is only
    /// used for Via.
    pub(crate) fn literal(&self, local_ip: std::net::IpAddr) -> Option<Resolved> {
        const DEFAULT_PORT: u16 = 5060;
        let ip = self.host.ip()?;
        Some(Resolved {
            transport: self.transport.unwrap_or(Transport::Udp),
            remote: (ip, self.port.unwrap_or(DEFAULT_PORT)).into(),
            local_ip,
        })
    }
}

/// Puts a route set and a target into a request and says where it goes.
///
/// A strict router (without `lr`) takes the place of the Request-URI, and the target becomes the
/// last Route.
pub(crate) fn apply(request: &mut Message, routes: &[AddressField], target: &Uri) -> Option<Hop> {
    use super::message::StartLine;
    request.headers.remove("Route");
    let first = routes.first();
    let strict = first.filter(|route| {
        route
            .uri
            .as_sip()
            .is_some_and(|uri| uri.param("lr").is_none())
    });
    let (uri, hop) = match (strict, first) {
        (Some(strict), _) => {
            for route in routes.iter().skip(1) {
                request.headers.push("Route", route.to_string());
            }
            request.headers.push("Route", format!("<{target}>"));
            (as_request_uri(&strict.uri), Hop::of(&strict.uri))
        }
        (None, Some(loose)) => {
            for route in routes {
                request.headers.push("Route", route.to_string());
            }
            (as_request_uri(target), Hop::of(&loose.uri))
        }
        (None, None) => (as_request_uri(target), Hop::of(target)),
    };
    if let StartLine::Request { uri: old, .. } = &mut request.start {
        *old = uri;
    }
    hop
}

/// A URI as a Route that is loose.
pub(crate) fn loose(uri: &Uri) -> AddressField {
    let uri = match uri {
        Uri::Sip(sip) if sip.param("lr").is_none() => Uri::Sip(sip.clone().with_param("lr", None)),
        Uri::Sip(_) | Uri::Tel(_) | Uri::Other { .. } => uri.clone(),
    };
    AddressField {
        display_name: None,
        uri,
        params: Vec::new(),
    }
}

/// Leaves out what may not stand in a Request-URI (RFC 3261 section 19.1.1, table 1).
pub(crate) fn as_request_uri(uri: &Uri) -> Uri {
    match uri {
        Uri::Sip(sip) => {
            let mut sip: SipUri = sip.clone();
            sip.headers.clear();
            sip.params
                .retain(|param| !param.name.eq_ignore_ascii_case("method"));
            Uri::Sip(sip)
        }
        Uri::Tel(_) | Uri::Other { .. } => uri.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::Method;
    use crate::sip::parse;

    fn routed(routes: &[&str], target: &str) -> (String, Vec<String>, Option<Hop>) {
        let target = Uri::parse(target).unwrap();
        let mut request = Message::request(Method::Bye, target.clone());
        let routes: Vec<_> = routes.iter().map(|r| parse::address(r).unwrap()).collect();
        let hop = apply(&mut request, &routes, &target);
        let written = request.headers.values("Route").map(str::to_owned).collect();
        (request.uri().unwrap().to_string(), written, hop)
    }

    #[test]
    fn without_routes_the_target_is_next() {
        let (uri, routes, hop) = routed(&[], "sip:b@10.0.0.1:5070;transport=TCP;method=BYE?x=y");
        assert_eq!(uri, "sip:b@10.0.0.1:5070;transport=TCP");
        assert!(routes.is_empty());
        let hop = hop.unwrap();
        assert_eq!(
            (hop.port, hop.transport),
            (Some(5070), Some(Transport::Tcp))
        );
    }

    #[test]
    fn a_loose_router_is_next_and_the_target_stays() {
        let (uri, routes, hop) = routed(&["<sip:p1;lr>", "<sip:p2;lr>"], "sip:b@h");
        assert_eq!(uri, "sip:b@h");
        assert_eq!(routes, ["<sip:p1;lr>", "<sip:p2;lr>"]);
        assert_eq!(hop.unwrap().host_text(), "p1");
    }

    #[test]
    fn a_strict_router_takes_the_request_uri() {
        let (uri, routes, hop) = routed(&["<sip:p1>", "<sip:p2;lr>"], "sip:b@h");
        assert_eq!(uri, "sip:p1");
        assert_eq!(routes, ["<sip:p2;lr>", "<sip:b@h>"]);
        assert_eq!(hop.unwrap().host_text(), "p1");
    }

    #[test]
    fn there_is_no_way_to_other_schemes_and_transports() {
        for uri in ["tel:+1", "sips:a@h", "sip:a@h;transport=ws"] {
            assert_eq!(Hop::of(&Uri::parse(uri).unwrap()), None, "{uri}");
        }
        let hop = Hop::of(&Uri::parse("sip:a@h;maddr=10.0.0.9").unwrap()).unwrap();
        assert_eq!(hop.host_text(), "10.0.0.9");
    }
}
