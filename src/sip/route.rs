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
    /// The transport, where one is named or demanded.
    pub(crate) transport: Option<Transport>,
    /// Whether the way there must be encrypted, because a `sips:` URI says so (RFC 5630).
    pub(crate) secure: bool,
}

impl Hop {
    /// The hop that a URI names; none where we cannot go (another scheme, an unknown transport,
    /// `sips:` by UDP).
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let uri = uri.as_sip()?;
        let transport = match uri.param("transport").and_then(|p| p.value.as_deref()) {
            None => None,
            Some(name) => Some(transport_named(name)?),
        };
        if uri.secure && transport == Some(Transport::Udp) {
            return None;
        }
        let maddr = uri.param("maddr").and_then(|p| p.value.as_deref());
        let host = match maddr {
            Some(maddr) => Host::parse(maddr).ok()?,
            None => uri.host.clone(),
        };
        let hop = Self {
            host,
            port: uri.port,
            transport,
            secure: false,
        };
        Some(if uri.secure { hop.secured() } else { hop })
    }

    /// The same hop by an encrypted way (RFC 3261 section 26.2.2).
    #[must_use]
    pub(crate) fn secured(mut self) -> Self {
        self.secure = true;
        self.transport = Some(match self.transport {
            Some(Transport::Ws | Transport::Wss) => Transport::Wss,
            None | Some(Transport::Udp | Transport::Tcp | Transport::Tls) => Transport::Tls,
        });
        self
    }

    /// The hop that leads to a place.
    pub(crate) fn to(place: &Resolved) -> Self {
        Self {
            host: Host::from(place.remote.ip()),
            port: Some(place.remote.port()),
            transport: Some(place.transport),
            secure: false,
        }
    }

    /// Takes the account's transport where the URI names none, and where the URI names one that is
    /// less than the account's: nothing of an encrypted account goes out in the clear, whatever a
    /// Record-Route or Contact says, and a WebSocket is the only way to its server (RFC 7118
    /// section 5).
    #[must_use]
    pub(crate) fn or_transport(mut self, account: Option<Transport>) -> Self {
        self.transport = match (self.transport, account) {
            (None, account) => account,
            (Some(named), Some(account))
                if account.secure() && (!named.secure() || self.secure) =>
            {
                Some(account)
            }
            (Some(_), Some(Transport::Ws)) if !self.secure => account,
            (named, _) => named,
        };
        self
    }

    /// Leaves out the places that would carry in the clear what must be encrypted; says so where
    /// none is left.
    pub(crate) fn never_less(
        &self,
        mut places: Vec<Resolved>,
        why: String,
    ) -> (Vec<Resolved>, String) {
        let secure = self.transport.is_some_and(Transport::secure);
        let found = places.len();
        if secure || self.secure {
            places.retain(|place| place.transport.secure());
        }
        let why = if places.is_empty() && found > 0 {
            let host = &self.host;
            format!(
                "{host} offers no encrypted way, which this account or address demands; ask its operator for TLS"
            )
        } else {
            why
        };
        (places, why)
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
        let ip = self.host.ip()?;
        let transport = self.transport.unwrap_or(Transport::Udp);
        let port = self.port.unwrap_or_else(|| transport.default_port());
        Some(Resolved {
            transport,
            remote: (ip, port).into(),
            local_ip,
        })
    }
}

/// The transport of a URI parameter (RFC 3261 section 25.1, RFC 7118 section 5.2.2; `wss` stands
/// in no RFC, but is written).
fn transport_named(name: &str) -> Option<Transport> {
    [
        Transport::Udp,
        Transport::Tcp,
        Transport::Tls,
        Transport::Ws,
        Transport::Wss,
    ]
    .into_iter()
    .find(|transport| transport.to_string().eq_ignore_ascii_case(name))
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
    // A sips: target demands encryption from the first hop on.
    match hop {
        Some(hop) if is_secure(target) => Some(hop.secured()),
        hop => hop,
    }
}

/// Whether it is a `sips:` URI.
pub(crate) fn is_secure(uri: &Uri) -> bool {
    uri.as_sip().is_some_and(|uri| uri.secure)
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
        for uri in ["tel:+1", "sips:a@h;transport=udp", "sip:a@h;transport=sctp"] {
            assert_eq!(Hop::of(&Uri::parse(uri).unwrap()), None, "{uri}");
        }
        let hop = Hop::of(&Uri::parse("sip:a@h;maddr=10.0.0.9").unwrap()).unwrap();
        assert_eq!(hop.host_text(), "10.0.0.9");
    }

    #[test]
    fn the_way_is_never_less_than_the_uri_or_the_account_demands() {
        use Transport::{Tcp, Tls, Udp, Ws, Wss};
        for (uri, account, way) in [
            ("sip:h", None, None),
            ("sip:h", Some(Tls), Some(Tls)),
            ("sip:h;transport=tcp", Some(Udp), Some(Tcp)),
            ("sip:h;transport=udp", Some(Tls), Some(Tls)),
            ("sip:h;transport=ws", Some(Wss), Some(Wss)),
            ("sip:h;transport=tls", Some(Udp), Some(Tls)),
            ("sip:h;transport=udp", Some(Ws), Some(Ws)),
            ("sips:h", None, Some(Tls)),
            ("sips:h", Some(Udp), Some(Tls)),
            ("sips:h", Some(Wss), Some(Wss)),
            ("sips:h;transport=tcp", Some(Tcp), Some(Tls)),
            ("sips:h;transport=ws", None, Some(Wss)),
        ] {
            let hop = Hop::of(&Uri::parse(uri).unwrap()).unwrap();
            let hop = hop.or_transport(account);
            assert_eq!(hop.transport, way, "{uri} by {account:?}");
        }
    }

    #[test]
    fn a_sips_target_demands_encryption_of_the_first_hop() {
        let (_, _, hop) = routed(&["<sip:p1;transport=tcp;lr>"], "sips:b@h");
        assert_eq!(hop.unwrap().transport, Some(Transport::Tls));
    }
}
