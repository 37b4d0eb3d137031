//! What crosses the border between the SIP core and the sockets.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// A transport protocol (RFC 3261 section 18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
}

impl Transport {
    /// Whether the transport delivers everything in order by itself.
    pub fn reliable(self) -> bool {
        match self {
            Self::Udp => false,
            Self::Tcp => true,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        })
    }
}

/// Names one stream connection while it is open. Ids for connections that the endpoint opens come
/// from the endpoint (odd), ids for accepted ones from the sockets (even), so they never meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// Names one question to the resolver until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResolveId(pub u64);

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
    /// Open a stream; answered by `handle_connected` or `handle_connection_closed`.
    Connect {
        /// The id that the connection will have.
        connection: ConnectionId,
        /// Which kind of stream.
        transport: Transport,
        /// The far end.
        remote: SocketAddr,
    },
    /// Write to an open stream, or to one that is still being opened (then kept in order).
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
    /// Resolve a name or find the route to an address; answered by `handle_resolved`.
    Resolve {
        /// The question's id.
        id: ResolveId,
        /// A domain name, or an IP address (IPv6 without brackets).
        host: String,
        /// The port, where the URI names one.
        port: Option<u16>,
        /// The transport, where the URI or the account names one.
        transport: Option<Transport>,
    },
}
