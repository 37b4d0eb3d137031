//! The RTP and RTCP port of a call (RFC 3550 section 11: an even port and the next).

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use crate::base::zone;
use crate::media::command::MediaError;

/// Pairs that are tried: the system gives odd ports and ports whose neighbour is taken, too.
const ATTEMPTS: usize = 64;

/// Two non-blocking sockets.
#[derive(Debug)]
pub struct PortPair {
    /// The even port.
    pub rtp: UdpSocket,
    /// The next one.
    pub rtcp: UdpSocket,
}

/// Binds a pair on that address; gives it with the address of RTP.
///
/// # Errors
///
/// Fails when the address is not ours or no pair is free.
pub fn bind_pair(address: IpAddr) -> Result<(PortPair, SocketAddr), MediaError> {
    let no_port = |source| MediaError::NoPort { address, source };
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..ATTEMPTS {
        let any = UdpSocket::bind(zone::own(address, 0)).map_err(no_port)?;
        let port = any.local_addr().map_err(no_port)?.port();
        let even = port & !1;
        let other = if port == even { port | 1 } else { even };
        match UdpSocket::bind(zone::own(address, other)) {
            Ok(neighbour) => {
                let (rtp, rtcp) = if port == even {
                    (any, neighbour)
                } else {
                    (neighbour, any)
                };
                prepare(&rtp, address)
                    .and_then(|()| prepare(&rtcp, address))
                    .map_err(no_port)?;
                return Ok((PortPair { rtp, rtcp }, SocketAddr::new(address, even)));
            }
            Err(error) => last = error,
        }
    }
    Err(no_port(last))
}

fn prepare(socket: &UdpSocket, address: IpAddr) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    mark_voice(socket, address);
    Ok(())
}

/// Marks packets as voice: DSCP EF (RFC 4594 section 4.1). Best effort: some systems refuse.
#[cfg(unix)]
fn mark_voice(socket: &UdpSocket, address: IpAddr) {
    const EXPEDITED_FORWARDING: u8 = 46 << 2;
    let marked = match address {
        IpAddr::V4(_) => rustix::net::sockopt::set_ip_tos(socket, EXPEDITED_FORWARDING),
        IpAddr::V6(_) => {
            rustix::net::sockopt::set_ipv6_tclass(socket, u32::from(EXPEDITED_FORWARDING))
        }
    };
    if let Err(error) = marked {
        tracing::debug!(%error, "packets are not marked as voice");
    }
}

#[cfg(not(unix))]
fn mark_voice(_socket: &UdpSocket, _address: IpAddr) {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn pairs_are_even_and_next_and_all_different() {
        let pairs: Vec<_> = (0..50)
            .map(|_| bind_pair(Ipv4Addr::LOCALHOST.into()).unwrap())
            .collect();
        for (pair, address) in &pairs {
            assert_eq!(address.port() % 2, 0);
            assert_eq!(pair.rtp.local_addr().unwrap(), *address);
            assert_eq!(pair.rtcp.local_addr().unwrap().port(), address.port() + 1);
        }
    }

    #[test]
    fn an_address_that_is_not_ours_is_told() {
        let error = bind_pair("192.0.2.1".parse().unwrap()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("no free port for RTP on 192.0.2.1")
        );
    }
}
