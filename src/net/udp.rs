//! The UDP socket: datagrams in, datagrams out.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use crate::base::clock::monotonic_now;
use crate::net::event::NetEvent;
use crate::net::route::Routes;

/// The largest datagram that UDP can carry.
const MAX_DATAGRAM: usize = 65_535;

/// How long the loop rests after an error that may repeat at once, such as a lack of memory.
const REST: Duration = Duration::from_millis(20);

/// What could not be done at once.
#[derive(Debug)]
pub(crate) enum Late {
    /// The system's buffer was full.
    Datagram(SocketAddr, Vec<u8>),
    /// The owner is still to be told.
    Tell(NetEvent),
}

/// Sends at once where the system takes it; else the backlog does, as long as it has room. A
/// datagram that finds no room is lost, as datagrams may be.
pub(crate) fn send(
    socket: &UdpSocket,
    backlog: &mpsc::Sender<Late>,
    remote: SocketAddr,
    bytes: Vec<u8>,
) {
    let late = match try_send(socket, remote, &bytes) {
        Ok(()) => return,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Late::Datagram(remote, bytes),
        Err(error) => Late::Tell(NetEvent::SendError {
            remote,
            error: error.to_string(),
        }),
    };
    if backlog.try_send(late).is_err() {
        tracing::warn!(%remote, "a datagram was dropped: the network takes no more");
    }
}

/// Works off the backlog until its sender is gone.
pub(crate) async fn run_backlog(
    socket: Arc<UdpSocket>,
    mut backlog: mpsc::Receiver<Late>,
    events: mpsc::Sender<NetEvent>,
) {
    while let Some(late) = backlog.recv().await {
        let event = match late {
            Late::Tell(event) => event,
            Late::Datagram(remote, bytes) => {
                match socket.send_to(&bytes, for_socket(&socket, remote)).await {
                    Ok(_) => continue,
                    Err(error) => NetEvent::SendError {
                        remote,
                        error: error.to_string(),
                    },
                }
            }
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
}

/// Hands on what comes in until nobody listens.
pub(crate) async fn run_receiver(
    socket: Arc<UdpSocket>,
    bound: IpAddr,
    events: mpsc::Sender<NetEvent>,
) {
    let mut routes = Routes::new(bound);
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        let (length, remote) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            Err(error) => {
                // ICMP's answer to something that was sent (Windows tells it here), or a lack of
                // memory: neither ends the socket.
                tracing::debug!(%error, "receiving a datagram failed");
                if !matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
                ) {
                    tokio::time::sleep(REST).await;
                }
                continue;
            }
        };
        let remote = canonical(remote);
        let local_ip = routes
            .local_ip(monotonic_now(), remote.ip())
            .unwrap_or(bound);
        let bytes = buffer.get(..length).unwrap_or_default().to_vec();
        let event = NetEvent::Datagram {
            remote,
            local_ip,
            bytes,
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
}

/// Names an IPv4 peer of a socket for both families by its IPv4 address.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), address.port()),
        IpAddr::V6(_) => address,
    }
}

/// An error that an earlier datagram caused may be told at the next one: so it is tried twice.
fn try_send(socket: &UdpSocket, remote: SocketAddr, bytes: &[u8]) -> io::Result<()> {
    let target = for_socket(socket, remote);
    match socket.try_send_to(bytes, target) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
            ) =>
        {
            socket.try_send_to(bytes, target)
        }
        other => other,
    }
    .map(|_| ())
}

/// The form of an address that a socket of this family takes.
fn for_socket(socket: &UdpSocket, remote: SocketAddr) -> SocketAddr {
    let v6_socket = socket.local_addr().is_ok_and(|local| local.is_ipv6());
    match remote {
        SocketAddr::V4(v4) if v6_socket => {
            let mapped: Ipv6Addr = v4.ip().to_ipv6_mapped();
            SocketAddrV6::new(mapped, v4.port(), 0, 0).into()
        }
        SocketAddr::V4(_) | SocketAddr::V6(_) => remote,
    }
}
