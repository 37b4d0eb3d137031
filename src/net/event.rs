//! What crosses the border between the sockets and their owner.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        })
    }
}

/// One place to send to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The transport to use.
    pub transport: Transport,
    /// The far end.
    pub remote: SocketAddr,
    /// The local address that the machine's routes choose towards it.
    pub local_ip: IpAddr,
}

/// What the owner wants done; see [`crate::net::Net::perform`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetOutput {
    /// Send one datagram from the bound UDP socket.
    Datagram {
        /// The far end.
        remote: SocketAddr,
        /// The whole datagram.
        bytes: Vec<u8>,
    },
    /// Open a stream; answered by `Connected` or `Closed`.
    Connect {
        /// The id that the connection will have; an odd number never used before.
        connection: u64,
        /// The far end.
        remote: SocketAddr,
    },
    /// Write to an open stream, or to one that is still being opened.
    Stream {
        /// Which connection.
        connection: u64,
        /// What to write.
        bytes: Vec<u8>,
    },
    /// Close a stream once everything written to it is sent; it gives no further
    /// event, save those that are already under way.
    Close {
        /// Which connection.
        connection: u64,
    },
    /// Find the addresses of a host and the routes to them; answered by `Resolved`.
    Resolve {
        /// The question's id.
        id: u64,
        /// A domain name, or an IP address (IPv6 without brackets).
        host: String,
        /// The port; none means 5060 (RFC 3263 section 4.2).
        port: Option<u16>,
        /// The transport; none means UDP (RFC 3263 section 4.1).
        transport: Option<Transport>,
    },
}

/// What the sockets tell their owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetEvent {
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
        connection: u64,
        /// The peer.
        remote: SocketAddr,
        /// Our end.
        local: SocketAddr,
    },
    /// A stream that the owner asked for is open.
    Connected {
        /// Which connection.
        connection: u64,
        /// Our end.
        local: SocketAddr,
    },
    /// Bytes came on a stream, split anywhere.
    Stream {
        /// Which connection.
        connection: u64,
        /// The bytes, at least one.
        bytes: Vec<u8>,
    },
    /// A stream ended or could not be opened; told once, and not for one that the owner closed.
    Closed {
        /// Which connection.
        connection: u64,
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
        id: u64,
        /// The places to try in this order, at least one; or what is wrong, for a person.
        answer: Result<Vec<Place>, String>,
    },
}
