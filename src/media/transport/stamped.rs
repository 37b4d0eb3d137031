//! When a datagram came. On Linux the kernel stamps each (`SO_TIMESTAMPNS`, socket(7)), so that nobody need be awake for
//! it: it is read with the next tick, and its time of arrival is true all the same.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

/// Whether datagrams have stamps here.
pub const STAMPS: bool = cfg!(target_os = "linux");

/// Has the datagrams of a socket stamped from now on. Where that is refused, each counts as come when it is read.
pub(super) fn stamp(socket: &UdpSocket) {
    if let Err(error) = system::stamp(socket) {
        tracing::debug!(%error, "when a datagram came is not known");
    }
}

/// Reads the next datagram, as far as it fits: its length, who sent it, and how long it lay there.
///
/// # Errors
///
/// Those of `recv_from`, such as `WouldBlock` where none is there.
pub(super) fn receive(
    socket: &UdpSocket,
    buffer: &mut [u8],
) -> io::Result<(usize, SocketAddr, Duration)> {
    system::receive(socket, buffer)
}

#[cfg(target_os = "linux")]
mod system {
    use std::io::{self, IoSliceMut};
    use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
    use std::os::fd::AsRawFd as _;
    use std::time::Duration;

    use nix::sys::socket::{
        ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt,
    };
    use nix::sys::time::TimeSpec;

    use crate::base::clock::wall_now;

    pub(super) fn stamp(socket: &UdpSocket) -> io::Result<()> {
        Ok(setsockopt(socket, sockopt::ReceiveTimestampns, &true)?)
    }

    pub(super) fn receive(
        socket: &UdpSocket,
        buffer: &mut [u8],
    ) -> io::Result<(usize, SocketAddr, Duration)> {
        let mut parts = [IoSliceMut::new(buffer)];
        let mut space = nix::cmsg_space!(TimeSpec);
        let message = recvmsg::<SockaddrStorage>(
            socket.as_raw_fd(),
            &mut parts,
            Some(&mut space),
            MsgFlags::MSG_DONTWAIT,
        )?;
        let stamp = message.cmsgs()?.find_map(|control| match control {
            ControlMessageOwned::ScmTimestampns(stamp) => Some(Duration::from(stamp)),
            _ => None,
        });
        let lay = stamp.and_then(|stamp| {
            let now = Duration::try_from(wall_now().as_duration()).ok()?;
            now.checked_sub(stamp)
        });
        let from = message.address.as_ref().and_then(address);
        let from = from.ok_or(io::ErrorKind::InvalidData)?;
        Ok((message.bytes, from, lay.unwrap_or_default()))
    }

    fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
        let v4 = storage
            .as_sockaddr_in()
            .map(|v4| SocketAddrV4::from(*v4).into());
        v4.or_else(|| {
            storage
                .as_sockaddr_in6()
                .map(|v6| SocketAddrV6::from(*v6).into())
        })
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;
    use std::net::{SocketAddr, UdpSocket};
    use std::time::Duration;

    pub(super) fn stamp(_socket: &UdpSocket) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn receive(
        socket: &UdpSocket,
        buffer: &mut [u8],
    ) -> io::Result<(usize, SocketAddr, Duration)> {
        let (length, from) = socket.recv_from(buffer)?;
        Ok((length, from, Duration::ZERO))
    }
}
