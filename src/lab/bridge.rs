//! The SIP core's wishes in the words of the sockets, and back: neither room knows the other.

use std::time::Instant;

use crate::net::{self, NetEvent, NetOutput};
use crate::sip::{ConnectionId, Endpoint, Output, ResolveId, Resolved, Transport};

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
                Transport::Udp => net::Transport::Udp,
                Transport::Tcp => net::Transport::Tcp,
            }),
        },
    }
}

pub(super) fn deliver(endpoint: &mut Endpoint, now: Instant, event: NetEvent) {
    match event {
        NetEvent::Datagram {
            remote,
            local_ip,
            bytes,
        } => endpoint.handle_datagram(now, remote, local_ip, &bytes),
        NetEvent::Accepted {
            connection,
            remote,
            local,
        } => {
            let connection = ConnectionId(connection);
            endpoint.handle_accepted(now, connection, Transport::Tcp, remote, local);
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
            let answer = answer.map(|places| {
                let resolved = places.into_iter().map(|place| Resolved {
                    transport: match place.transport {
                        net::Transport::Udp => Transport::Udp,
                        net::Transport::Tcp => Transport::Tcp,
                    },
                    remote: place.remote,
                    local_ip: place.local_ip,
                });
                resolved.collect()
            });
            endpoint.handle_resolved(now, ResolveId(id), answer);
        }
    }
}
