//! The SIP core's wishes in the words of the sockets, and back: neither room knows the other.

use std::net::SocketAddr;
use std::time::Instant;

use crate::net::{NetEvent, NetOutput, Place};
use crate::sip::{ConnectionId, Endpoint, Output, ResolveId, Resolved, Transport};

/// Translates a wish of the SIP core.
pub(super) fn to_net(output: Output) -> NetOutput {
    match output {
        Output::Datagram { remote, bytes } => NetOutput::Datagram { remote, bytes },
        Output::Connect {
            connection,
            transport: _,
            remote,
        } => NetOutput::Connect {
            connection: connection.0,
            remote,
        },
        Output::Stream { connection, bytes } => NetOutput::Stream {
            connection: connection.0,
            bytes,
        },
        Output::Close { connection } => NetOutput::Close {
            connection: connection.0,
        },
        Output::Resolve {
            id,
            host,
            port,
            transport,
        } => NetOutput::Resolve {
            id: id.0,
            host,
            port,
            transport: transport.map(|transport| match transport {
                Transport::Udp => crate::net::Transport::Udp,
                Transport::Tcp => crate::net::Transport::Tcp,
            }),
        },
    }
}

/// Hands what the sockets tell to the SIP core.
pub(super) fn deliver(endpoint: &mut Endpoint, now: Instant, event: NetEvent) {
    match event {
        NetEvent::Datagram {
            remote,
            local_ip,
            bytes,
        } => {
            endpoint.handle_datagram(now, remote, local_ip, &bytes);
        }
        NetEvent::Accepted {
            connection,
            remote,
            local,
        } => {
            endpoint.handle_accepted(now, ConnectionId(connection), Transport::Tcp, remote, local);
        }
        NetEvent::Connected { connection, local } => {
            endpoint.handle_connected(now, ConnectionId(connection), local);
        }
        NetEvent::Stream { connection, bytes } => {
            endpoint.handle_stream(now, ConnectionId(connection), &bytes);
        }
        NetEvent::Closed { connection, error } => {
            endpoint.handle_connection_closed(now, ConnectionId(connection), error);
        }
        NetEvent::SendError { remote, error } => endpoint.handle_send_error(now, remote, &error),
        NetEvent::Resolved { id, answer } => {
            let places = answer.map(|places| places.into_iter().map(resolved).collect());
            endpoint.handle_resolved(now, ResolveId(id), places);
        }
    }
}

fn resolved(place: Place) -> Resolved {
    Resolved {
        transport: match place.transport {
            crate::net::Transport::Udp => Transport::Udp,
            crate::net::Transport::Tcp => Transport::Tcp,
        },
        remote: place.remote,
        local_ip: place.local_ip,
    }
}

/// An unspecified address binds all interfaces of both families.
pub(super) fn bind_options(bind: SocketAddr) -> crate::net::NetOptions {
    crate::net::NetOptions {
        ip: (!bind.ip().is_unspecified()).then_some(bind.ip()),
        port: bind.port(),
        limits: crate::net::Limits::default(),
    }
}
