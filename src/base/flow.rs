//! What crosses the border between the SIP core and the sockets.
//!
//! Neither room knows the other: the core asks by [`Output`], the sockets tell by [`Input`].

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::base::uri::Host;

/// A transport protocol (RFC 3261 section 18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// A stream under TLS (RFC 3261 section 26.2.1).
    Tls,
    /// A WebSocket (RFC 7118).
    Ws,
    /// A WebSocket under TLS (RFC 7118).
    Wss,
}

impl Transport {
    /// Whether the transport delivers everything in order by itself.
    pub fn reliable(self) -> bool {
        match self {
            Self::Udp => false,
            Self::Tcp | Self::Tls | Self::Ws | Self::Wss => true,
        }
    }

    /// Whether nobody between the two ends can read or change what it carries.
    pub fn secure(self) -> bool {
        match self {
            Self::Tls | Self::Wss => true,
            Self::Udp | Self::Tcp | Self::Ws => false,
        }
    }

    /// Whether it carries whole messages in WebSocket frames.
    pub fn websocket(self) -> bool {
        match self {
            Self::Ws | Self::Wss => true,
            Self::Udp | Self::Tcp | Self::Tls => false,
        }
    }

    /// The port where neither a URI nor DNS names one (RFC 3261 section 19.1.2, RFC 7118
    /// section 5).
    pub fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        })
    }
}

/// Names one stream connection while it is open. Ids for connections that the endpoint opens come
/// from the endpoint (odd), ids for accepted ones from the sockets (even), so they never meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

impl ConnectionId {
    /// Whether a peer opened it.
    pub fn was_accepted(self) -> bool {
        self.0.is_multiple_of(2)
    }
}

/// Names one question to the resolver until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResolveId(pub u64);

/// Names what the owner set for the connections of an account: whom they trust, and as whom they
/// are opened. The owner gives it to the sockets before the first connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ProfileId(pub u64);

/// Whom a secured or WebSocket connection must lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The domains or addresses of which its certificate must name one (RFC 5922), as the account
    /// or the URI names them and never as DNS answered; at least one.
    pub domains: Vec<Host>,
    /// By which settings.
    pub profile: ProfileId,
}

impl Peer {
    /// Whether a connection that leads to this peer also leads to the other one.
    pub fn is_also(&self, other: &Self) -> bool {
        let named = |domain: &Host| other.domains.iter().any(|it| it.equivalent(domain));
        self.profile == other.profile && self.domains.iter().all(named)
    }
}

/// One place to send to (RFC 3263), best first in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved {
    /// The transport to use.
    pub transport: Transport,
    /// The far end.
    pub remote: SocketAddr,
    /// The local address that the machine's routes choose towards it.
    pub local_ip: IpAddr,
}

/// What the endpoint wants from the sockets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send one datagram from the bound UDP socket.
    Datagram {
        /// The far end.
        remote: SocketAddr,
        /// The whole datagram.
        bytes: Vec<u8>,
    },
    /// Open a stream; answered by `Connected` or `Closed`.
    Connect {
        /// The id that the connection will have.
        connection: ConnectionId,
        /// Which kind of stream.
        transport: Transport,
        /// The far end.
        remote: SocketAddr,
        /// Whom it must lead to; none for a plain stream.
        peer: Option<Peer>,
    },
    /// Write to an open stream, or to one that is still being opened (then kept in order). On a
    /// WebSocket this is one whole message.
    Stream {
        /// Which connection.
        connection: ConnectionId,
        /// What to write.
        bytes: Vec<u8>,
    },
    /// Close a stream.
    Close {
        /// Which connection.
        connection: ConnectionId,
    },
    /// Resolve a name or find the route to an address; answered by `Resolved`.
    Resolve {
        /// The question's id.
        id: ResolveId,
        /// A domain name, or an IP address (IPv6 without brackets).
        host: String,
        /// The port, where the URI names one.
        port: Option<u16>,
        /// The transport, where the URI or the account names one.
        transport: Option<Transport>,
        /// Whether only secure transports may be used (`sips:`).
        secure: bool,
    },
}

/// Why a stream of a peer was closed before it could say anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAccepted {
    /// As many were open as there may be, of all sources or of this one.
    TooMany,
    /// It did not speak TLS as this phone does.
    Handshake,
    /// It did not end its handshake in time.
    Slow,
}

/// What the sockets tell their owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A datagram came.
    Datagram {
        /// From where.
        remote: SocketAddr,
        /// The local address towards the sender.
        local_ip: IpAddr,
        /// The whole datagram.
        bytes: Vec<u8>,
    },
    /// A peer opened a stream.
    Accepted {
        /// The id of the connection, an even number.
        connection: ConnectionId,
        /// Which kind of stream.
        transport: Transport,
        /// The peer.
        remote: SocketAddr,
        /// Our end.
        local: SocketAddr,
    },
    /// A peer opened a stream that was closed at once; only to be counted.
    NotAccepted {
        /// The peer.
        source: IpAddr,
        /// Why.
        why: NotAccepted,
    },
    /// A stream that the owner asked for is open.
    Connected {
        /// Which connection.
        connection: ConnectionId,
        /// Our end.
        local: SocketAddr,
    },
    /// Bytes came on a stream, split anywhere; on a WebSocket, one whole message.
    Stream {
        /// Which connection.
        connection: ConnectionId,
        /// The bytes, at least one.
        bytes: Vec<u8>,
    },
    /// A stream ended or could not be opened; told once, and not for one that the owner closed.
    Closed {
        /// Which connection.
        connection: ConnectionId,
        /// What went wrong and whose fault it is; none when the peer closed it in order.
        error: Option<String>,
    },
    /// A datagram could not be sent.
    SendError {
        /// To where.
        remote: SocketAddr,
        /// The system's reason.
        error: String,
    },
    /// A question to the resolver is answered.
    Resolved {
        /// The question's id.
        id: ResolveId,
        /// The places to try in this order, at least one; or what is wrong, for a person.
        answer: Result<Vec<Resolved>, String>,
    },
}
