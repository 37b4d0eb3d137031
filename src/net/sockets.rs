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

/// DSCP CS3, the class of signalling (RFC 4594 section 4.3), as the octet in the IP header.
const SIGNALLING_CLASS: u8 = 24 << 2;

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
    /// Streams that one address may have opened to us; further ones are refused.
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
        mark_as_signalling(&socket);
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

/// A wish to the network; where it is refused, nothing is lost.
#[cfg(unix)]
fn mark_as_signalling(socket: &UdpSocket) {
    use rustix::net::sockopt;
    let marked = sockopt::set_ip_tos(socket, SIGNALLING_CLASS);
    if let Err(error) = marked {
        tracing::debug!(%error, "signalling is not marked");
    }
    if socket.local_addr().is_ok_and(|local| local.is_ipv6()) {
        let marked = sockopt::set_ipv6_tclass(socket, u32::from(SIGNALLING_CLASS));
        if let Err(error) = marked {
            tracing::debug!(%error, "signalling over IPv6 is not marked");
        }
    }
}

#[cfg(not(unix))]
fn mark_as_signalling(_socket: &UdpSocket) {}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;
    use crate::base::flow::ConnectionId;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    struct Side {
        net: Net,
        events: mpsc::Receiver<Input>,
    }

    impl Side {
        async fn with(ip: Option<IpAddr>, limits: Limits, queue: usize) -> Self {
            let (sender, events) = mpsc::channel(queue);
            let options = NetOptions {
                ip,
                limits,
                ..NetOptions::default()
            };
            let net = Net::bind(options, sender).await.unwrap();
            Self { net, events }
        }

        async fn new() -> Self {
            Self::with(Some(LOOPBACK), Limits::default(), 16).await
        }

        fn at(&self) -> SocketAddr {
            SocketAddr::new(LOOPBACK, self.net.local().port())
        }

        async fn event(&mut self) -> Input {
            let waited = tokio::time::timeout(Duration::from_secs(10), self.events.recv());
            waited
                .await
                .expect("an event comes")
                .expect("the sockets live")
        }

        async fn connected(&mut self, connection: ConnectionId, remote: SocketAddr) {
            self.net.perform(Output::Connect {
                connection,
                transport: Transport::Tcp,
                remote,
                peer: None,
            });
            let event = self.event().await;
            assert!(
                matches!(event, Input::Connected { connection: it, local } if it == connection && local.ip() == LOOPBACK),
                "{event:?}"
            );
        }

        async fn accepted(&mut self) -> (ConnectionId, SocketAddr) {
            match self.event().await {
                Input::Accepted {
                    connection, remote, ..
                } => (connection, remote),
                other => panic!("{other:?}"),
            }
        }

        fn write(&mut self, connection: ConnectionId, bytes: &[u8]) {
            let bytes = bytes.to_vec();
            self.net.perform(Output::Stream { connection, bytes });
        }
    }

    #[tokio::test]
    async fn a_datagram_arrives_whole_and_names_both_ends() {
        let (mut a, mut b) = (Side::new().await, Side::new().await);
        let bytes = vec![7; 9000];
        a.net.perform(Output::Datagram {
            remote: b.at(),
            bytes: bytes.clone(),
        });
        let expected = Input::Datagram {
            remote: a.at(),
            local_ip: LOOPBACK,
            bytes,
        };
        assert_eq!(b.event().await, expected);
    }

    #[tokio::test]
    async fn sockets_bound_to_everything_name_ipv4_peers_by_ipv4() {
        let (mut a, mut b) = (
            Side::with(None, Limits::default(), 16).await,
            Side::with(None, Limits::default(), 16).await,
        );
        a.net.perform(Output::Datagram {
            remote: b.at(),
            bytes: b"x".to_vec(),
        });
        let expected = Input::Datagram {
            remote: a.at(),
            local_ip: LOOPBACK,
            bytes: b"x".to_vec(),
        };
        assert_eq!(b.event().await, expected);
        let to = b.at();
        a.connected(ConnectionId(1), to).await;
        assert_eq!(b.accepted().await.1.ip(), LOOPBACK);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_datagram_to_nobody_is_told_and_hinders_no_other() {
        for ip in [Some(LOOPBACK), None] {
            let nobody = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
            let closed = nobody.local_addr().unwrap();
            drop(nobody);
            let mut side = Side::with(ip, Limits::default(), 16).await;
            let bytes = b"x".to_vec();
            side.net.perform(Output::Datagram {
                remote: closed,
                bytes,
            });
            let event = side.event().await;
            assert!(
                matches!(&event, Input::SendError { remote, error } if *remote == closed && error.contains("no program")),
                "{event:?}"
            );
            let remote = side.at();
            for _ in 0..3 {
                let bytes = b"y".to_vec();
                side.net.perform(Output::Datagram { remote, bytes });
                let event = side.event().await;
                assert!(matches!(event, Input::Datagram { .. }), "{event:?}");
            }
        }
    }

    #[tokio::test]
    async fn an_oversized_datagram_is_told_as_a_send_error() {
        let mut side = Side::new().await;
        let remote = side.at();
        side.net.perform(Output::Datagram {
            remote,
            bytes: vec![0; 70_000],
        });
        let event = side.event().await;
        assert!(matches!(event, Input::SendError { remote: it, .. } if it == remote));
    }

    #[tokio::test]
    async fn a_stream_carries_bytes_both_ways_on_the_port_of_udp() {
        let (mut a, mut b) = (Side::new().await, Side::new().await);
        a.net.perform(Output::Connect {
            connection: ConnectionId(1),
            transport: Transport::Tcp,
            remote: b.at(),
            peer: None,
        });
        // Before it is open.
        a.write(ConnectionId(1), b"INVITE ");
        a.write(ConnectionId(1), b"sip:");
        assert!(matches!(
            a.event().await,
            Input::Connected {
                connection: ConnectionId(1),
                ..
            }
        ));
        let (there, _) = b.accepted().await;
        assert_eq!(there.0 % 2, 0);
        let mut read = Vec::new();
        while read.len() < 11 {
            match b.event().await {
                Input::Stream { connection, bytes } if connection == there => read.extend(bytes),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(read, b"INVITE sip:");
        b.write(there, b"100");
        let back = Input::Stream {
            connection: ConnectionId(1),
            bytes: b"100".to_vec(),
        };
        assert_eq!(a.event().await, back);
    }

    #[tokio::test]
    async fn closing_sends_the_last_words_and_only_the_peer_is_told() {
        let (mut a, mut b) = (Side::new().await, Side::new().await);
        let to = b.at();
        a.connected(ConnectionId(1), to).await;
        let (there, _) = b.accepted().await;
        a.write(ConnectionId(1), b"bye");
        a.net.perform(Output::Close {
            connection: ConnectionId(1),
        });
        let said = Input::Stream {
            connection: there,
            bytes: b"bye".to_vec(),
        };
        assert_eq!(b.event().await, said);
        let end = Input::Closed {
            connection: there,
            error: None,
        };
        assert_eq!(b.event().await, end);
        // The next thing that the closing side hears of is something else.
        a.connected(ConnectionId(3), to).await;
    }

    #[tokio::test]
    async fn a_refused_connection_is_told_with_the_address() {
        let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
        let remote = listener.local_addr().unwrap();
        drop(listener);
        let mut side = Side::new().await;
        side.net.perform(Output::Connect {
            connection: ConnectionId(1),
            transport: Transport::Tcp,
            remote,
            peer: None,
        });
        let Input::Closed {
            connection: ConnectionId(1),
            error: Some(error),
        } = side.event().await
        else {
            panic!("it was refused");
        };
        assert!(error.contains(&remote.to_string()), "{error}");
    }

    #[tokio::test]
    async fn a_peer_that_does_not_read_is_cut_off_once() {
        let limits = Limits {
            write_bytes: 10,
            ..Limits::default()
        };
        let mut a = Side::with(Some(LOOPBACK), limits, 16).await;
        let mut b = Side::new().await;
        let to = b.at();
        a.connected(ConnectionId(1), to).await;
        b.accepted().await;
        a.write(ConnectionId(1), &[0; 11]);
        a.write(ConnectionId(1), b"late");
        let event = a.event().await;
        assert!(
            matches!(&event, Input::Closed { connection: ConnectionId(1), error: Some(error) } if error.contains("does not read")),
            "{event:?}"
        );
        a.connected(ConnectionId(3), to).await;
    }

    #[tokio::test]
    async fn more_connections_than_the_limit_are_refused() {
        let limits = Limits {
            connections: 1,
            ..Limits::default()
        };
        let mut side = Side::with(Some(LOOPBACK), limits, 16).await;
        let mut first = TcpStream::connect(side.at()).await.unwrap();
        side.accepted().await;
        let mut second = TcpStream::connect(side.at()).await.unwrap();
        // Either an end or a reset.
        assert!(!matches!(second.read(&mut [0; 1]).await, Ok(1..)));
        first.write_all(b"x").await.unwrap();
        assert!(matches!(side.event().await, Input::Stream { .. }));
        side.net.perform(Output::Connect {
            connection: ConnectionId(1),
            transport: Transport::Tcp,
            remote: side.at(),
            peer: None,
        });
        assert!(matches!(
            side.event().await,
            Input::Closed {
                connection: ConnectionId(1),
                error: Some(_)
            }
        ));
    }

    #[tokio::test]
    async fn a_full_event_queue_slows_a_stream_and_loses_nothing() {
        let mut side = Side::with(Some(LOOPBACK), Limits::default(), 1).await;
        let mut peer = TcpStream::connect(side.at()).await.unwrap();
        side.accepted().await;
        let sent: Vec<u8> = (0..1 << 20).map(|it: u32| it.to_le_bytes()[1]).collect();
        let expected = sent.clone();
        let writing = tokio::spawn(async move { peer.write_all(&sent).await });
        let mut read = Vec::new();
        loop {
            match side.event().await {
                Input::Stream { bytes, .. } => read.extend(bytes),
                Input::Closed { error: None, .. } => break,
                other => panic!("{other:?}"),
            }
        }
        writing.await.unwrap().unwrap();
        assert!(read == expected);
    }

    #[tokio::test]
    async fn dropping_the_sockets_ends_their_streams_and_frees_the_port() {
        let side = Side::new().await;
        let address = side.at();
        let mut peer = TcpStream::connect(address).await.unwrap();
        drop(side);
        assert!(!matches!(peer.read(&mut [0; 1]).await, Ok(1..)));
        loop {
            // The task that owned the socket ends at its next turn.
            if UdpSocket::bind(address).await.is_ok() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_told_in_a_sentence() {
        let taken = Side::new().await;
        let options = NetOptions {
            ip: Some(LOOPBACK),
            port: taken.at().port(),
            ..NetOptions::default()
        };
        let error = Net::bind(options, mpsc::channel(1).0).await.unwrap_err();
        assert!(error.to_string().contains("choose another"), "{error}");
    }

    #[tokio::test]
    async fn questions_are_answered_by_id() {
        let mut side = Side::new().await;
        side.net.perform(Output::Resolve {
            id: ResolveId(7),
            host: "127.0.0.9".to_owned(),
            port: None,
            transport: Some(Transport::Tcp),
            secure: false,
        });
        let Input::Resolved {
            id: ResolveId(7),
            answer,
        } = side.event().await
        else {
            panic!("another answer");
        };
        let places = answer.unwrap();
        assert_eq!(places[0].transport, Transport::Tcp);
        assert_eq!(places[0].remote.to_string(), "127.0.0.9:5060");
    }
}
