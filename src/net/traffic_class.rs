//! The class that SIP asks of the network: DSCP CS3, that of signalling (RFC 4594 section 4.3).
//!
//! It is a wish; where the system refuses it, nothing is lost.

/// As the octet in the IP header.
#[cfg(unix)]
const SIGNALLING: u8 = 24 << 2;

/// Marks what a socket sends. One of IPv6 may send by IPv4, too.
#[cfg(unix)]
pub(crate) fn mark(socket: &impl std::os::fd::AsFd, ipv6: bool) {
    use rustix::net::sockopt;
    if let Err(error) = sockopt::set_ip_tos(socket, SIGNALLING) {
        tracing::debug!(%error, "signalling is not marked");
    }
    if ipv6 && let Err(error) = sockopt::set_ipv6_tclass(socket, u32::from(SIGNALLING)) {
        tracing::debug!(%error, "signalling over IPv6 is not marked");
    }
}

#[cfg(not(unix))]
pub(crate) fn mark<S>(_socket: &S, _ipv6: bool) {}
