//! What ICMP says of a datagram that was sent (RFC 3261 section 18.4): on Linux the socket's error
//! queue tells which far end could not be reached, so that a call to a phone that is switched off
//! fails at once.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;

use nix::cmsg_space;
use nix::libc::{self, sock_extended_err};
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrLike as _, SockaddrStorage, recvmsg, setsockopt, sockopt,
};
use tokio::net::UdpSocket;

use crate::net::udp::canonical;

/// "Destination unreachable" (RFC 792), and its code for a datagram that is too big for a link,
/// which only path MTU discovery needs.
const UNREACHABLE: u8 = 3;
const TOO_BIG: u8 = 4;

/// "Destination unreachable" of IPv6 (RFC 4443 section 3.1).
const UNREACHABLE_V6: u8 = 1;

/// Asks the system to keep such errors.
pub(super) fn keep_errors(socket: &UdpSocket) {
    let v6 = socket.local_addr().is_ok_and(|local| local.is_ipv6());
    let kept = setsockopt(socket, sockopt::Ipv4RecvErr, &true).and_then(|()| match v6 {
        true => setsockopt(socket, sockopt::Ipv6RecvErr, &true),
        false => Ok(()),
    });
    if let Err(error) = kept {
        tracing::debug!(%error, "ICMP errors are not told");
    }
}

/// Takes the next error from the queue: the far end that a datagram was for, and what happened;
/// none for an error that means nothing to SIP.
///
/// # Errors
///
/// Fails with `WouldBlock` when the queue is empty.
pub(super) fn next_error(socket: &UdpSocket) -> io::Result<Option<(SocketAddr, String)>> {
    // The datagram itself comes back too; it is not needed.
    let mut payload = [0; 1];
    let mut parts = [IoSliceMut::new(&mut payload)];
    let mut control = cmsg_space!(sock_extended_err, libc::sockaddr_in6);
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let message =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags)?;
    let Some(remote) = message.address.as_ref().and_then(socket_address) else {
        return Ok(None);
    };
    let mut told = None;
    for control in message.cmsgs()? {
        let reason = match control {
            ControlMessageOwned::Ipv4RecvErr(error, _) => reason_v4(&error),
            ControlMessageOwned::Ipv6RecvErr(error, _) => reason_v6(&error),
            _ => None,
        };
        told = told.or(reason);
    }
    Ok(told.map(|reason| (canonical(remote), reason)))
}

fn reason_v4(error: &sock_extended_err) -> Option<String> {
    let counts = match error.ee_origin {
        libc::SO_EE_ORIGIN_ICMP => error.ee_type == UNREACHABLE && error.ee_code != TOO_BIG,
        origin => origin == libc::SO_EE_ORIGIN_LOCAL,
    };
    counts.then(|| reason(error))
}

fn reason_v6(error: &sock_extended_err) -> Option<String> {
    match error.ee_origin {
        // A socket for both families tells IPv4's errors in this form too.
        libc::SO_EE_ORIGIN_ICMP => reason_v4(error),
        libc::SO_EE_ORIGIN_ICMP6 => (error.ee_type == UNREACHABLE_V6).then(|| reason(error)),
        origin => (origin == libc::SO_EE_ORIGIN_LOCAL).then(|| reason(error)),
    }
}

fn reason(error: &sock_extended_err) -> String {
    match i32::try_from(error.ee_errno) {
        Ok(libc::ECONNREFUSED) => "no program listens at that address".to_owned(),
        Ok(code) => io::Error::from_raw_os_error(code).to_string(),
        Err(_) => "it could not be delivered".to_owned(),
    }
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    match address.family()? {
        nix::sys::socket::AddressFamily::Inet => address
            .as_sockaddr_in()
            .map(|v4| std::net::SocketAddrV4::from(*v4).into()),
        nix::sys::socket::AddressFamily::Inet6 => address
            .as_sockaddr_in6()
            .map(|v6| std::net::SocketAddrV6::from(*v6).into()),
        _ => None,
    }
}
