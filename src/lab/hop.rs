//! One hop of a message: from where it came, where it goes, what it has in common with others.

use std::net::{IpAddr, SocketAddr};

use sha2::Digest as _;

use crate::base::flow::Transport;
use crate::base::uri::SipUri;
use crate::lab::registrar::Flow;
use crate::sip::message::{Headers, Message, Method};
use crate::sip::parse::{self, Via};

/// The Max-Forwards of requests that bring none (RFC 3261 section 16.6).
const MAX_FORWARDS: u32 = 70;

/// Writes into the topmost Via from where the request came (RFC 3261 section 18.2.1, RFC 3581).
/// On streams the port is written in any case: it tells which stream leads back.
pub(super) fn stamp(request: &mut Message, from: Flow) -> Option<Via> {
    let mut via = request.top_via()?;
    via.set("received", from.remote.ip().to_string());
    if via.wants_rport() || from.transport == Transport::Tcp {
        via.set("rport", from.remote.port().to_string());
    }
    request.headers.set_first("Via", via.to_string());
    Some(via)
}

/// Where an answer goes (RFC 3261 section 18.2.2, RFC 3581 section 4).
pub(super) fn way_back(via: &Via) -> Option<Flow> {
    let transport = match via.transport.to_ascii_uppercase().as_str() {
        "UDP" => Transport::Udp,
        "TCP" => Transport::Tcp,
        _ => return None,
    };
    let ip = via.received().or_else(|| via.host.ip())?;
    let port = via.rport().or(via.port).unwrap_or(5060);
    let remote = loopback(ip, port)?;
    Some(Flow { transport, remote })
}

pub(super) fn flow_to(uri: &SipUri) -> Option<Flow> {
    let transport = uri.param("transport").and_then(|it| it.value.as_deref());
    let transport = match transport.map(str::to_ascii_lowercase).as_deref() {
        None | Some("udp") => Transport::Udp,
        Some("tcp") => Transport::Tcp,
        Some(_) => return None,
    };
    let remote = loopback(uri.host.ip()?, uri.port.unwrap_or(5060))?;
    Some(Flow { transport, remote })
}

fn loopback(ip: IpAddr, port: u16) -> Option<SocketAddr> {
    ip.is_loopback().then(|| SocketAddr::new(ip, port))
}

pub(super) fn first_route(request: &Message) -> Option<SipUri> {
    let route = parse::address(request.header("Route")?).ok()?;
    route.uri.as_sip().cloned()
}

pub(super) fn forwards_left(request: &Message) -> Result<u32, (u16, &'static str)> {
    match request.header("Max-Forwards").map(str::parse::<u32>) {
        None => Ok(MAX_FORWARDS),
        Some(Ok(0)) => Err((483, "Too Many Hops")),
        Some(Ok(left)) => Ok(left.saturating_sub(1)),
        Some(Err(_)) => Err((400, "Bad Request: Max-Forwards")),
    }
}

pub(super) fn sent_by(via: &Via) -> String {
    format!("{}:{}", via.host, via.port.unwrap_or(5060))
}

pub(super) fn pop_first(headers: &mut Headers, name: &str) {
    let rest: Vec<String> = headers.values(name).skip(1).map(str::to_owned).collect();
    headers.remove(name);
    for value in rest.into_iter().rev() {
        headers.prepend(name, value);
    }
}

/// What an INVITE has in common with its CANCEL and with the ACK of its refusal.
pub(super) fn upstream(request: &Message) -> [String; 4] {
    let (via, branch) = request.top_via().map_or_else(Default::default, |via| {
        (sent_by(&via), via.branch().unwrap_or_default().to_owned())
    });
    let number = request.cseq().map_or(0, |(number, _)| number).to_string();
    [via, branch, request.call_id().to_owned(), number]
}

/// What a request has in common with its retransmissions (RFC 3261 section 17.2.3).
pub(super) fn transaction(request: &Message) -> String {
    let method = request.method().map_or("", Method::as_str);
    let [via, branch, call_id, number] = upstream(request);
    fingerprint(&[via, branch, call_id, number, method.to_owned()])
}

/// A short text that stands for these parts and no others.
pub(super) fn fingerprint(parts: &[String]) -> String {
    let mut hash = sha2::Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    let bytes = hash.finalize();
    bytes
        .iter()
        .take(12)
        .map(|it| format!("{it:02x}"))
        .collect()
}
