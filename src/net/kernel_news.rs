//! What the Linux kernel tells of links, addresses and routes (rtnetlink(7)); only that something
//! changed is of interest, for what changed is asked of the routes.

use std::io;
use std::os::fd::AsRawFd as _;

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    AddressFamily, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, socket,
};
use tokio::net::UdpSocket;

/// Links, and addresses and routes of both families.
const GROUPS: libc::c_int = libc::RTMGRP_LINK
    | libc::RTMGRP_IPV4_IFADDR
    | libc::RTMGRP_IPV4_ROUTE
    | libc::RTMGRP_IPV6_IFADDR
    | libc::RTMGRP_IPV6_ROUTE;

/// A subscription.
#[derive(Debug)]
pub(super) struct KernelNews {
    /// A netlink socket in the clothes of a datagram socket: only `recv` is used, which is the same
    /// system call for both.
    socket: UdpSocket,
}

impl KernelNews {
    /// Subscribes. Must be called within a tokio runtime.
    pub(super) fn open() -> io::Result<Self> {
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkRoute,
        )?;
        let groups = u32::try_from(GROUPS).unwrap_or_default();
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
        let socket = UdpSocket::from_std(socket.into())?;
        Ok(Self { socket })
    }

    /// Waits until something changed.
    pub(super) async fn next(&self) -> io::Result<()> {
        // A message that is cut says as much as a whole one.
        let mut buffer = [0; 4096];
        match self.socket.recv(&mut buffer).await {
            Ok(_) => Ok(()),
            // More was told than the queue holds.
            Err(error) if error.raw_os_error() == Some(Errno::ENOBUFS as i32) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
