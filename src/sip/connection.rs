//! Flows and streams, and everything that leaves the endpoint.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::event::SipEvent;
use super::message::Message;
use super::wire::{Frame, MessageQueue, StreamFramer};
use crate::base::flow::{ConnectionId, Output, Peer, Transport};
use crate::base::redact::WireMessage;
use crate::base::site::site;

/// How many streams may be open at once.
const MAX_CONNECTIONS: usize = 256;
/// How many of them peers may have opened; the rest is ours to open.
const MAX_ACCEPTED: usize = 192;
/// How many of them one source may have opened, so that it cannot shut out the others.
const MAX_ACCEPTED_OF_SOURCE: usize = 64;

/// Where the messages of a transaction go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Datagrams to an address.
    Datagram {
        /// The far end.
        remote: SocketAddr,
    },
    /// A stream.
    Stream {
        /// The connection.
        connection: ConnectionId,
        /// Which kind of stream.
        transport: Transport,
        /// Its far end.
        remote: SocketAddr,
        /// Where a response goes when the stream is closed by then (RFC 3261 section 18.2.2).
        fallback: Option<SocketAddr>,
        /// Whom another stream must lead to when this one is closed by then. Without it a secured
        /// or WebSocket one is not opened again: nobody would know whom to trust.
        peer: Option<Peer>,
    },
}

impl Flow {
    /// Whether everything arrives in order.
    pub(crate) fn reliable(&self) -> bool {
        self.transport().reliable()
    }

    /// The transport.
    pub(crate) fn transport(&self) -> Transport {
        match self {
            Self::Datagram { .. } => Transport::Udp,
            Self::Stream { transport, .. } => *transport,
        }
    }

    /// The far end.
    pub(crate) fn remote(&self) -> SocketAddr {
        match self {
            Self::Datagram { remote } | Self::Stream { remote, .. } => *remote,
        }
    }

    /// The stream, when it is one.
    pub(crate) fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::Datagram { .. } => None,
            Self::Stream { connection, .. } => Some(*connection),
        }
    }
}

/// One open stream, or one that is being opened.
#[derive(Debug)]
struct Connection {
    framing: Framing,
    transport: Transport,
    /// Whom it leads to, where that was demanded.
    peer: Option<Peer>,
    remote: SocketAddr,
    local: Option<SocketAddr>,
    connected: bool,
    /// When its last whole message came.
    heard: Option<Instant>,
}

/// How messages are told apart.
#[derive(Debug)]
enum Framing {
    /// By their length.
    Stream(StreamFramer),
    /// The transport does it.
    Messages(MessageQueue),
}

impl Framing {
    fn of(transport: Transport) -> Self {
        if transport.websocket() {
            Self::Messages(MessageQueue::default())
        } else {
            Self::Stream(StreamFramer::default())
        }
    }
}

/// What is known of a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream {
    /// Which.
    pub(crate) connection: ConnectionId,
    /// Its far end.
    pub(crate) remote: SocketAddr,
    /// Our end, once it is open.
    pub(crate) local_ip: Option<IpAddr>,
    /// Whether we opened it.
    pub(crate) ours: bool,
    /// When its last whole message came.
    pub(crate) heard: Option<Instant>,
}

/// Whether a peer may open another stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// It may.
    Free,
    /// It may when another one is closed.
    Crowded,
    /// It has as many as one source may have.
    Greedy,
}

/// The border to the sockets and to the owner.
#[derive(Debug, Default)]
pub(crate) struct Border {
    outputs: VecDeque<Output>,
    events: VecDeque<SipEvent>,
    connections: BTreeMap<ConnectionId, Connection>,
    /// Plain streams, accepted ones too; of several to one far end, the newest.
    by_remote: BTreeMap<SocketAddr, ConnectionId>,
    opened: u64,
}

impl Border {
    /// Sends one message and traces it. Gives the connection that had to be opened for it.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        flow: &Flow,
        bytes: Vec<u8>,
    ) -> Option<ConnectionId> {
        self.trace(now, true, flow, None, &bytes);
        match flow {
            Flow::Datagram { remote } => {
                self.outputs.push_back(Output::Datagram {
                    remote: *remote,
                    bytes,
                });
                None
            }
            Flow::Stream {
                connection,
                transport,
                remote,
                fallback,
                peer,
            } => {
                let known_way = peer.is_some() || *transport == Transport::Tcp;
                let (connection, opened) = if self.connections.contains_key(connection) {
                    (*connection, false)
                } else if known_way && self.connections.len() < MAX_CONNECTIONS {
                    self.connect(*transport, fallback.unwrap_or(*remote), peer.as_ref())
                } else {
                    return None;
                };
                self.outputs.push_back(Output::Stream { connection, bytes });
                opened.then_some(connection)
            }
        }
    }

    /// Sends bytes that are no message.
    pub(crate) fn send_keep_alive(&mut self, flow: &Flow, bytes: &[u8]) {
        let bytes = bytes.to_vec();
        match flow {
            Flow::Datagram { remote } => self.outputs.push_back(Output::Datagram {
                remote: *remote,
                bytes,
            }),
            Flow::Stream { connection, .. } => {
                if self.connections.contains_key(connection) {
                    self.outputs.push_back(Output::Stream {
                        connection: *connection,
                        bytes,
                    });
                }
            }
        }
    }

    /// The stream to a far end; `true` says that it is being opened now.
    pub(crate) fn connect(
        &mut self,
        transport: Transport,
        remote: SocketAddr,
        peer: Option<&Peer>,
    ) -> (ConnectionId, bool) {
        if let Some(connection) = self.known(transport, remote, peer) {
            return (connection, false);
        }
        // Odd: even ids belong to accepted streams.
        let connection = ConnectionId(self.opened * 2 + 1);
        self.opened += 1;
        self.insert(
            connection,
            Connection::new(transport, remote, peer.cloned()),
        );
        self.outputs.push_back(Output::Connect {
            connection,
            transport,
            remote,
            peer: peer.cloned(),
        });
        (connection, true)
    }

    /// A stream that leads there already. Nobody was asked for a certificate who opened a secured
    /// one to us, so such a stream is none of them (RFC 5923 section 7).
    fn known(
        &self,
        transport: Transport,
        remote: SocketAddr,
        peer: Option<&Peer>,
    ) -> Option<ConnectionId> {
        if transport == Transport::Tcp {
            return self.by_remote.get(&remote).copied();
        }
        let wanted = peer?;
        let leads_there = |it: &Connection| {
            it.transport == transport
                && it.remote == remote
                && it.peer.as_ref().is_some_and(|known| known.is_also(wanted))
        };
        let found = self.connections.iter().find(|(_, it)| leads_there(it));
        found.map(|(connection, _)| *connection)
    }

    /// Whether a source may open another stream to us.
    pub(crate) fn room_for(&self, source: IpAddr) -> Room {
        let source = site(source);
        let of_source = self.accepted_by(|known| site(known.remote.ip()) == source);
        if of_source >= MAX_ACCEPTED_OF_SOURCE {
            Room::Greedy
        } else if self.connections.len() >= MAX_CONNECTIONS
            || self.accepted_by(|_| true) >= MAX_ACCEPTED
        {
            Room::Crowded
        } else {
            Room::Free
        }
    }

    /// Learns of a stream that a peer opened.
    pub(crate) fn accepted(
        &mut self,
        connection: ConnectionId,
        transport: Transport,
        remote: SocketAddr,
        local: SocketAddr,
    ) {
        let accepted = Connection {
            local: Some(local),
            connected: true,
            ..Connection::new(transport, remote, None)
        };
        self.insert(connection, accepted);
    }

    /// Learns that a stream is open.
    pub(crate) fn connected(&mut self, connection: ConnectionId, local: SocketAddr) {
        if let Some(known) = self.connections.get_mut(&connection) {
            known.connected = true;
            known.local = Some(local);
        }
    }

    /// Forgets a stream; gives its kind and its far end when it was known.
    pub(crate) fn closed(&mut self, connection: ConnectionId) -> Option<(Transport, SocketAddr)> {
        let known = self.connections.remove(&connection)?;
        if self.by_remote.get(&known.remote) == Some(&connection) {
            self.by_remote.remove(&known.remote);
        }
        Some((known.transport, known.remote))
    }

    /// Closes a stream from our side; gives its kind and its far end when it was known.
    pub(crate) fn close(&mut self, connection: ConnectionId) -> Option<(Transport, SocketAddr)> {
        let known = self.closed(connection)?;
        self.outputs.push_back(Output::Close { connection });
        Some(known)
    }

    /// Takes bytes of a stream.
    pub(crate) fn push(&mut self, connection: ConnectionId, bytes: &[u8]) {
        if let Some(known) = self.connections.get_mut(&connection) {
            match &mut known.framing {
                Framing::Stream(framer) => framer.push(bytes),
                Framing::Messages(queue) => queue.push(bytes),
            }
        }
    }

    /// The next whole thing of a stream, with the flow it came by and our address.
    pub(crate) fn next_frame(&mut self, connection: ConnectionId) -> Option<(Frame, Flow, IpAddr)> {
        let known = self.connections.get_mut(&connection)?;
        let frame = match &mut known.framing {
            Framing::Stream(framer) => framer.next_frame()?,
            Framing::Messages(queue) => queue.next_frame()?,
        };
        let local_ip = known.local.unwrap_or(known.remote).ip();
        let flow = Flow::Stream {
            connection,
            transport: known.transport,
            remote: known.remote,
            fallback: None,
            peer: known.peer.clone(),
        };
        Some((frame, flow, local_ip))
    }

    /// Whether a message has begun on a stream and not ended.
    pub(crate) fn partial(&self, connection: ConnectionId) -> bool {
        self.connections
            .get(&connection)
            .is_some_and(|known| match &known.framing {
                Framing::Stream(framer) => framer.partial(),
                Framing::Messages(_) => false,
            })
    }

    /// Notes that a whole message came.
    pub(crate) fn heard(&mut self, now: Instant, connection: ConnectionId) {
        if let Some(known) = self.connections.get_mut(&connection) {
            known.heard = Some(now);
        }
    }

    /// Whether a peer opened a stream and has sent no whole message yet.
    pub(crate) fn silent(&self, connection: ConnectionId) -> bool {
        let known = self.connections.get(&connection);
        connection.was_accepted() && known.is_some_and(|known| known.heard.is_none())
    }

    /// Whether a stream is known and not yet open.
    pub(crate) fn connecting(&self, connection: ConnectionId) -> bool {
        self.connections
            .get(&connection)
            .is_some_and(|known| !known.connected)
    }

    /// Which kind of stream it is, when it is known.
    pub(crate) fn transport(&self, connection: ConnectionId) -> Option<Transport> {
        self.connections
            .get(&connection)
            .map(|known| known.transport)
    }

    /// All streams.
    pub(crate) fn streams(&self) -> impl Iterator<Item = Stream> {
        let mut streams: Vec<_> = self
            .connections
            .iter()
            .map(|(connection, known)| Stream {
                connection: *connection,
                remote: known.remote,
                local_ip: known.local.map(|local| local.ip()),
                ours: connection.0 % 2 == 1,
                heard: known.heard,
            })
            .collect();
        streams.sort_by_key(|stream| stream.connection);
        streams.into_iter()
    }

    /// Asks the sockets for something.
    pub(crate) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// Tells the owner something.
    pub(crate) fn event(&mut self, event: SipEvent) {
        self.events.push_back(event);
    }

    /// The next thing for the sockets.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The next thing for the owner.
    pub(crate) fn poll_event(&mut self) -> Option<SipEvent> {
        self.events.pop_front()
    }

    /// Shows a message to the owner.
    pub(crate) fn trace(
        &mut self,
        at: Instant,
        sent: bool,
        flow: &Flow,
        local: Option<SocketAddr>,
        bytes: &[u8],
    ) {
        let stream = flow.connection().and_then(|id| self.connections.get(&id));
        self.event(SipEvent::Trace {
            at,
            sent,
            transport: flow.transport(),
            local: stream.and_then(|stream| stream.local).or(local),
            remote: flow.remote(),
            message: WireMessage::new(bytes),
        });
    }

    /// How many open streams of a kind peers have opened.
    fn accepted_by(&self, fits: impl Fn(&Connection) -> bool) -> usize {
        self.connections
            .iter()
            .filter(|(id, known)| id.was_accepted() && fits(known))
            .count()
    }

    fn insert(&mut self, connection: ConnectionId, known: Connection) {
        if known.transport == Transport::Tcp {
            self.by_remote.insert(known.remote, connection);
        }
        self.connections.insert(connection, known);
    }
}

impl Connection {
    /// One that is being opened.
    fn new(transport: Transport, remote: SocketAddr, peer: Option<Peer>) -> Self {
        Self {
            framing: Framing::of(transport),
            transport,
            peer,
            remote,
            local: None,
            connected: false,
            heard: None,
        }
    }
}

/// Where the response to a request goes (RFC 3261 section 18.2.2, RFC 3581 section 4), and the
/// request's Via completed with what was seen.
///
/// `maddr` is not followed: a phone has no multicast peers, and it would let anyone aim responses.
pub(crate) fn response_flow(request: &mut Message, arrival: &Flow) -> Flow {
    let remote = arrival.remote();
    let Some(mut via) = request.top_via() else {
        return arrival.clone();
    };
    let sent_by_port = via
        .port
        .unwrap_or_else(|| arrival.transport().default_port());
    if via.wants_rport() {
        via.set("rport", remote.port().to_string());
        via.set("received", remote.ip().to_string());
    } else if via.host.ip() != Some(remote.ip()) {
        via.set("received", remote.ip().to_string());
    }
    request.headers.set_first("Via", via.to_string());
    let sent_by = SocketAddr::new(remote.ip(), sent_by_port);
    match arrival {
        Flow::Datagram { .. } => Flow::Datagram {
            remote: if via.wants_rport() { remote } else { sent_by },
        },
        Flow::Stream {
            connection,
            transport,
            peer,
            ..
        } => Flow::Stream {
            connection: *connection,
            transport: *transport,
            remote,
            // Only a plain stream may be opened to where the request says that it came from.
            fallback: (*transport == Transport::Tcp).then_some(sent_by),
            peer: peer.clone(),
        },
    }
}

/// How long a stream may take to open before another way is tried; longer than the sockets take to
/// say why a handshake does not end.
pub(crate) fn connect_limit(transport: Transport) -> Duration {
    match transport {
        Transport::Udp | Transport::Tcp => Duration::from_secs(5),
        Transport::Tls | Transport::Ws | Transport::Wss => Duration::from_secs(10),
    }
}
