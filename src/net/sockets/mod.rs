//! The face of the room: binds the sockets, performs what the owner wants.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::base::flow::{Input, Output, ProfileId, ResolveId, Transport};
use crate::base::zone::{self, Zoned};
use crate::net::connections::Connections;
#[cfg(target_os = "linux")]
use crate::net::icmp;
use crate::net::locate::Wanted;
use crate::net::names::Names;
use crate::net::resolver::{self, Question};
use crate::net::route;
use crate::net::tls::{self, TlsFileError, TlsIdentity, TlsSettings};
use crate::net::traffic_class;
use crate::net::udp::{self, Late};
use crate::net::zones::Zones;

/// How many datagrams wait when the system's buffer is full.
const BACKLOG: usize = 64;

/// How many questions are asked at once; further ones wait for their turn.
const QUESTIONS: usize = 16;

/// How many questions may wait or be asked; a further one is answered by a refusal.
const MAX_QUESTIONS: usize = 256;

/// How many ports are tried to find one that is free for both UDP and TCP.
const PORT_ATTEMPTS: usize = 16;

/// Where to bind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetOptions {
    /// The local address; none means all, IPv6 and IPv4 where the machine has both.
    pub ip: Option<IpAddr>,
    /// The port of both UDP and TCP; 0 means any.
    pub port: u16,
    /// As whom TLS is accepted, on the next port (any, where `port` is 0); none means not at all.
    pub tls: Option<TlsIdentity>,
    /// The name servers to ask; none means the system's.
    pub name_servers: Vec<SocketAddr>,
    /// Bounds.
    pub limits: Limits,
}

/// By which settings the secured and WebSocket connections of an account are opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Whom they trust, and as whom they appear.
    pub tls: TlsSettings,
    /// The path of the WebSocket on its server, beginning with `/`.
    pub websocket_path: String,
}

/// Bounds of what peers can make us hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open streams; further ones are refused.
    pub connections: usize,
    /// Those that peers may have opened, shaking hands or not; the others are for what we open.
    pub accepted: usize,
    /// Streams that one machine may have opened to us; further ones are refused.
    pub connections_per_source: usize,
    /// How long the handshakes of TLS and WebSocket may take together, whoever opens the stream.
    pub handshake: Duration,
    /// Octets that wait to be written to one stream; past it the stream is closed.
    pub write_bytes: usize,
    /// Octets read from a stream at once.
    pub read_bytes: usize,
}

/// Why the sockets could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// An address or port is taken, foreign or forbidden.
    #[error("{transport} cannot be bound to {address} ({source}); choose another address or port")]
    Bind {
        /// Which socket.
        transport: Transport,
        /// Where.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The certificate for accepting TLS cannot be used.
    #[error(transparent)]
    Certificate(#[from] TlsFileError),
}

/// The bound sockets and the tasks that serve them; they end when it is dropped.
#[derive(Debug)]
pub struct Net {
    local: SocketAddr,
    tls_port: Option<u16>,
    profiles: BTreeMap<ProfileId, Profile>,
    socket: Arc<UdpSocket>,
    backlog: mpsc::Sender<Late>,
    connections: Arc<Connections>,
    questions: Arc<Semaphore>,
    names: Arc<Names>,
    zones: Arc<Zones>,
    events: mpsc::Sender<Input>,
    /// Dropping it ends the tasks.
    tasks: JoinSet<()>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            // More than SIP keeps: it closes an idle one for the own server.
            accepted: 224,
            connections_per_source: 64,
            handshake: Duration::from_secs(4),
            write_bytes: 1 << 18,
            read_bytes: 1 << 14,
        }
    }
}

impl NetOptions {
    /// Binds an address with the usual bounds; an unspecified one means all interfaces of both
    /// families.
    pub fn at(bind: SocketAddr) -> Self {
        Self {
            ip: (!bind.ip().is_unspecified()).then_some(bind.ip()),
            port: bind.port(),
            ..Self::default()
        }
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            tls: TlsSettings::default(),
            websocket_path: "/".to_owned(),
        }
    }
}

impl Net {
    /// Binds one UDP and one listening TCP socket to the same port and starts to receive; what
    /// comes goes to `events`; with a certificate, TLS is accepted beside them. Must be called within
    /// a tokio runtime.
    ///
    /// # Errors
    ///
    /// Fails when the address or port cannot be bound, or the certificate cannot be used.
    pub async fn bind(options: NetOptions, events: mpsc::Sender<Input>) -> Result<Self, NetError> {
        let (socket, listener) = match options.ip {
            Some(ip) => bind_both(ip, options.port).await?,
            None => match bind_both(Ipv6Addr::UNSPECIFIED.into(), options.port).await {
                Ok(pair) if takes_both_families(&pair.0) => pair,
                Ok(_) | Err(_) => bind_both(Ipv4Addr::UNSPECIFIED.into(), options.port).await?,
            },
        };
        let local = socket.local_addr().map_err(|source| NetError::Bind {
            transport: Transport::Udp,
            address: SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), options.port),
            source,
        })?;
        let secured = match &options.tls {
            Some(identity) => Some(bind_tls(local, options.port, identity).await?),
            None => None,
        };
        traffic_class::mark(&socket, local.is_ipv6());
        #[cfg(target_os = "linux")]
        icmp::keep_errors(&socket);
        let socket = Arc::new(socket);
        let zones = Arc::new(Zones::default());
        let connections = Arc::new(Connections::new(
            options.limits,
            Arc::clone(&zones),
            events.clone(),
        ));
        let (backlog, late) = mpsc::channel(BACKLOG);
        let mut tasks = JoinSet::new();
        tasks.spawn(udp::run_receiver(
            Arc::clone(&socket),
            local.ip(),
            Arc::clone(&zones),
            events.clone(),
        ));
        tasks.spawn(udp::run_backlog(
            Arc::clone(&socket),
            Arc::clone(&zones),
            late,
            events.clone(),
        ));
        tasks.spawn(Arc::clone(&connections).accept(listener, None));
        let mut tls_port = None;
        if let Some((listener, acceptor)) = secured {
            tls_port = listener.local_addr().ok().map(|local| local.port());
            tasks.spawn(Arc::clone(&connections).accept(listener, Some(acceptor)));
        }
        Ok(Self {
            local,
            tls_port,
            profiles: BTreeMap::new(),
            socket,
            backlog,
            connections,
            questions: Arc::new(Semaphore::new(QUESTIONS)),
            names: Arc::new(Names::new(options.name_servers)),
            zones,
            events,
            tasks,
        })
    }

    /// Does what the owner wants; never blocks. Failures come as events.
    pub fn perform(&mut self, output: Output) {
        match output {
            Output::Datagram { remote, bytes } => {
                udp::send(&self.socket, &self.zones, &self.backlog, remote, bytes);
            }
            Output::Connect {
                connection,
                transport,
                remote,
                peer,
            } => {
                let whom = peer.map(|peer| {
                    let profile = self.profiles.get(&peer.profile).cloned();
                    (peer, profile.unwrap_or_default())
                });
                let bound = self.local.ip();
                self.connections
                    .connect(connection, bound, remote, transport, whom);
            }
            Output::Stream { connection, bytes } => self.connections.write(connection, bytes),
            Output::Close { connection } => self.connections.close(connection),
            Output::Resolve {
                id,
                host,
                port,
                transport,
                secure,
            } => self.resolve(
                id,
                Question {
                    wanted: Wanted {
                        host,
                        port,
                        transport,
                        secure,
                    },
                    bound: self.local.ip(),
                    zones: Arc::clone(&self.zones),
                },
            ),
        }
        // Ended questions leave their place.
        while self.tasks.try_join_next().is_some() {}
    }

    /// Sets by which settings later connections of a profile are opened.
    pub fn set_profile(&mut self, id: ProfileId, profile: Profile) {
        self.profiles.insert(id, profile);
    }

    /// Learns on which networks servers with link-local addresses are, as the owner wrote it.
    pub fn write_zones(&self, zones: Vec<Zoned>) {
        for (ip, zone) in zones {
            self.zones.write(ip, zone);
        }
    }

    /// Learns where somebody may be who has a link-local address; what is heard of him counts more.
    pub fn suppose_zones(&self, zones: Vec<Zoned>) {
        for (ip, zone) in zones {
            self.zones.suppose(ip, &zone);
        }
    }

    /// Asks these name servers from now on, or the system's where none is given.
    pub fn set_name_servers(&mut self, servers: Vec<SocketAddr>) {
        self.names = Arc::new(Names::new(servers));
    }

    /// The port at which TLS is accepted, if it is.
    pub fn tls_port(&self) -> Option<u16> {
        self.tls_port
    }

    /// Learns that the machine is on another network: what names mean and which routes lead where
    /// is asked afresh.
    pub fn handle_network_change(&self) {
        self.names.forget();
        route::forget_all();
    }

    /// The local address from which the machine's routes reach a far end now; none without a way.
    pub fn local_ip_towards(&self, remote: SocketAddr) -> Option<IpAddr> {
        let bound = self.local.ip();
        if bound.is_unspecified() {
            route::ask_routes(self.zones.towards(remote)).ok()
        } else {
            Some(bound)
        }
    }

    /// Whether this machine still has an address: routes may prefer another one of several that work.
    pub fn has_address(&self, ip: IpAddr) -> bool {
        std::net::UdpSocket::bind(zone::own(ip, 0)).is_ok()
    }

    /// The bound address; its port is that of UDP and TCP.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    fn resolve(&mut self, id: ResolveId, question: Question) {
        if self.tasks.len() >= MAX_QUESTIONS {
            let answer = Err("too many names are being looked up already".to_owned());
            let refusal = Late::Tell(Input::Resolved { id, answer });
            if self.backlog.try_send(refusal).is_err() {
                tracing::warn!(id = id.0, "a question to the resolver was dropped");
            }
            return;
        }
        let events = self.events.clone();
        let questions = Arc::clone(&self.questions);
        let names = Arc::clone(&self.names);
        self.tasks.spawn(async move {
            // The semaphore is never closed.
            let Ok(_turn) = questions.acquire().await else {
                return;
            };
            let answer = resolver::resolve(&names, question).await;
            // Without a listener there is nobody to tell.
            drop(events.send(Input::Resolved { id, answer }).await);
        });
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        self.connections.close_all();
    }
}

/// With port 0, a port is sought that is free for both.
async fn bind_both(ip: IpAddr, port: u16) -> Result<(UdpSocket, TcpListener), NetError> {
    let mut attempts_left = if port == 0 { PORT_ATTEMPTS } else { 1 };
    loop {
        attempts_left = attempts_left.saturating_sub(1);
        let bound = bind_pair(zone::own(ip, port)).await;
        if bound.is_ok() || attempts_left == 0 {
            return bound;
        }
    }
}

/// Beside the plain port, as 5061 is beside 5060.
async fn bind_tls(
    local: SocketAddr,
    asked: u16,
    identity: &TlsIdentity,
) -> Result<(TcpListener, TlsAcceptor), NetError> {
    let acceptor = tls::acceptor(identity)?;
    let port = if asked == 0 { 0 } else { asked.wrapping_add(1) };
    let address = zone::own(local.ip(), port);
    let bound = TcpListener::bind(address).await;
    let listener = bound.map_err(|source| NetError::Bind {
        transport: Transport::Tls,
        address,
        source,
    })?;
    Ok((listener, acceptor))
}

async fn bind_pair(address: SocketAddr) -> Result<(UdpSocket, TcpListener), NetError> {
    let failed = |transport, address| {
        move |source| NetError::Bind {
            transport,
            address,
            source,
        }
    };
    let udp = UdpSocket::bind(address)
        .await
        .map_err(failed(Transport::Udp, address))?;
    let same = udp.local_addr().map_err(failed(Transport::Udp, address))?;
    let tcp = TcpListener::bind(same)
        .await
        .map_err(failed(Transport::Tcp, same))?;
    Ok((udp, tcp))
}

/// Whether a socket bound to all IPv6 addresses takes IPv4 too (RFC 3493 section 5.3); it depends
/// on the system and its settings.
#[cfg(unix)]
fn takes_both_families(socket: &UdpSocket) -> bool {
    rustix::net::sockopt::ipv6_v6only(socket).is_ok_and(|only| !only)
}

#[cfg(not(unix))]
fn takes_both_families(_socket: &UdpSocket) -> bool {
    false
}

#[cfg(test)]
mod tests;
