//! The UDP socket: datagrams in, datagrams out.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::time::Duration;

#[cfg(target_os = "linux")]
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use crate::base::clock::monotonic_now;
use crate::base::flow::Input;
#[cfg(target_os = "linux")]
use crate::base::zone;
#[cfg(target_os = "linux")]
use crate::net::icmp;
use crate::net::route::Routes;
use crate::net::zones::Zones;

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
    Tell(Input),
}

/// Sends at once where the system takes it; else the backlog does, as long as it has room. A
/// datagram that finds no room is lost, as datagrams may be.
pub(crate) fn send(
    socket: &UdpSocket,
    zones: &Zones,
    backlog: &mpsc::Sender<Late>,
    remote: SocketAddr,
    bytes: Vec<u8>,
) {
    let late = match try_send(socket, zones, remote, &bytes) {
        Ok(()) => return,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Late::Datagram(remote, bytes),
        Err(error) => Late::Tell(Input::SendError {
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
    zones: Arc<Zones>,
    mut backlog: mpsc::Receiver<Late>,
    events: mpsc::Sender<Input>,
) {
    while let Some(late) = backlog.recv().await {
        let event = match late {
            Late::Tell(event) => event,
            Late::Datagram(remote, bytes) => {
                let target = for_socket(&socket, zones.towards(remote));
                let sent = match socket.send_to(&bytes, target).await {
                    Err(error) if from_earlier(&error) => socket.send_to(&bytes, target).await,
                    sent => sent,
                };
                match sent {
                    Ok(_) => continue,
                    Err(error) => Input::SendError {
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
    zones: Arc<Zones>,
    events: mpsc::Sender<Input>,
) {
    let mut routes = Routes::new(bound);
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        let event = match receive(&socket, &mut buffer).await {
            Ok(Received::Datagram(length, remote)) => {
                let remote = canonical(remote);
                let local_ip = routes.local_ip(monotonic_now(), remote);
                Input::Datagram {
                    remote: zones.heard(remote),
                    local_ip: local_ip.unwrap_or(bound),
                    bytes: buffer.get(..length).unwrap_or_default().to_vec(),
                }
            }
            #[cfg(target_os = "linux")]
            Ok(Received::Undelivered(remote, error)) => Input::SendError {
                remote: zone::bare(remote),
                error,
            },
            Err(error) => {
                // ICMP's answer to something that was sent, or a lack of memory: neither ends the
                // socket.
                tracing::debug!(%error, "receiving a datagram failed");
                if !from_earlier(&error) {
                    tokio::time::sleep(REST).await;
                }
                continue;
            }
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
}

/// What a socket gave.
enum Received {
    /// So many octets, from there.
    Datagram(usize, SocketAddr),
    /// What was sent there did not arrive, and why.
    #[cfg(target_os = "linux")]
    Undelivered(SocketAddr, String),
}

#[cfg(target_os = "linux")]
async fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Received> {
    loop {
        let ready = socket.ready(Interest::READABLE | Interest::ERROR).await?;
        if ready.is_error() {
            let next = socket.try_io(Interest::ERROR, || icmp::next_error(socket));
            match next {
                Ok(Some((remote, error))) => return Ok(Received::Undelivered(remote, error)),
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        match socket.try_recv_from(buffer) {
            Ok((length, remote)) => return Ok(Received::Datagram(length, remote)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(not(target_os = "linux"))]
async fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Received> {
    let (length, remote) = socket.recv_from(buffer).await?;
    Ok(Received::Datagram(length, remote))
}

/// Whether the system tells here what became of an earlier datagram.
fn from_earlier(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
    )
}

/// Names an IPv4 peer of a socket for both families by its IPv4 address.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), address.port()),
        IpAddr::V6(_) => address,
    }
}

/// An error that an earlier datagram caused may be told at the next one: so it is tried twice.
fn try_send(socket: &UdpSocket, zones: &Zones, remote: SocketAddr, bytes: &[u8]) -> io::Result<()> {
    let target = for_socket(socket, zones.towards(remote));
    let sent = match socket.try_send_to(bytes, target) {
        Err(error) if from_earlier(&error) => socket.try_send_to(bytes, target),
        sent => sent,
    };
    sent.map(|_| ())
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
