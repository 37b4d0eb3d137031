//! The task that gives the server its sockets: datagrams, streams, timers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use tokio::sync::mpsc;

use crate::base::clock::monotonic_now;
use crate::base::flow::{ConnectionId, Input, Output, Transport};
use crate::lab::LabEvent;
use crate::lab::registrar::Flow;
use crate::lab::server::Server;
use crate::net::Net;
use crate::sip::message::Message;
use crate::sip::parse::{self, Unreadable};
use crate::sip::wire::{self, Datagram, Frame, StreamFramer};

/// The server with its sockets.
pub(super) struct Hub {
    pub(super) server: Server,
    pub(super) net: Net,
    pub(super) net_events: mpsc::Receiver<Input>,
    pub(super) events: mpsc::Sender<LabEvent>,
    pub(super) streams: Streams,
}

/// The open streams, by id and by far end.
#[derive(Default)]
pub(super) struct Streams {
    open: BTreeMap<ConnectionId, Stream>,
    by_remote: BTreeMap<SocketAddr, ConnectionId>,
    /// How many were opened from here.
    opened: u64,
}

struct Stream {
    remote: SocketAddr,
    framer: StreamFramer,
}

impl Hub {
    /// Serves until the sockets are gone.
    pub(super) async fn run(mut self) {
        loop {
            let due = self.server.poll_timeout();
            tokio::select! {
                event = self.net_events.recv() => match event {
                    Some(event) => self.handle(monotonic_now(), event),
                    None => return,
                },
                () = until(due) => self.server.handle_timeout(monotonic_now()),
            }
            while let Some(change) = self.server.poll_change() {
                let event = match change.contact {
                    Some(contact) => LabEvent::Registered {
                        user: change.user,
                        contact,
                    },
                    None => LabEvent::Unregistered { user: change.user },
                };
                // Whoever does not keep up misses news; the lab goes on.
                drop(self.events.try_send(event));
            }
        }
    }

    fn handle(&mut self, now: Instant, event: Input) {
        match event {
            Input::Datagram { remote, bytes, .. } => match wire::datagram(&bytes) {
                Datagram::KeepAlive => {}
                Datagram::Message => {
                    let transport = Transport::Udp;
                    self.handle_message(now, Flow { transport, remote }, &bytes);
                }
            },
            Input::Accepted {
                connection, remote, ..
            } => self.streams.add(connection, remote),
            Input::NotAccepted { .. } | Input::Connected { .. } | Input::Resolved { .. } => {}
            Input::Stream { connection, bytes } => self.handle_stream(now, connection, &bytes),
            Input::Closed { connection, error } => {
                if let Some(remote) = self.streams.remove(connection) {
                    tracing::debug!(%remote, error, "a stream to the lab ended");
                    self.server.forget_stream(remote);
                }
            }
            Input::SendError { remote, error } => {
                tracing::debug!(%remote, error, "the lab could not send a datagram");
            }
        }
    }

    fn handle_stream(&mut self, now: Instant, connection: ConnectionId, bytes: &[u8]) {
        let Some(stream) = self.streams.open.get_mut(&connection) else {
            return;
        };
        let from = Flow {
            transport: Transport::Tcp,
            remote: stream.remote,
        };
        stream.framer.push(bytes);
        while let Some(frame) = self.streams.next_frame(connection) {
            match frame {
                Frame::Message(bytes) => self.handle_message(now, from, &bytes),
                Frame::Ping => self.net.perform(Output::Stream {
                    connection,
                    bytes: b"\r\n".to_vec(),
                }),
                Frame::Broken { .. } => {
                    self.net.perform(Output::Close { connection });
                    self.streams.remove(connection);
                    self.server.forget_stream(from.remote);
                }
            }
        }
    }

    fn handle_message(&mut self, now: Instant, from: Flow, bytes: &[u8]) {
        match parse::message_in_transit(bytes) {
            Ok(message) => {
                if let Some((to, message)) = self.server.handle(now, from, message) {
                    self.send(to, &message);
                }
            }
            Err(Unreadable::Answer {
                code,
                phrase,
                request,
            }) => {
                let answer = Message::response(&request, code, phrase, Some("lab"));
                self.send(from, &answer);
            }
            Err(Unreadable::Discard(what)) => {
                tracing::debug!(remote = %from.remote, what, "the lab dropped a message");
            }
        }
    }

    /// Over the stream that is open to that far end, else over a new one.
    fn send(&mut self, to: Flow, message: &Message) {
        let bytes = message.to_bytes();
        let remote = to.remote;
        match to.transport {
            Transport::Udp => self.net.perform(Output::Datagram { remote, bytes }),
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                let connection = match self.streams.by_remote.get(&remote) {
                    Some(connection) => *connection,
                    None => {
                        let connection = self.streams.open_to(remote);
                        self.net.perform(Output::Connect {
                            connection,
                            transport: to.transport,
                            remote,
                            // The lab speaks plainly.
                            peer: None,
                        });
                        connection
                    }
                };
                self.net.perform(Output::Stream { connection, bytes });
            }
        }
    }
}

impl Streams {
    fn add(&mut self, connection: ConnectionId, remote: SocketAddr) {
        let framer = StreamFramer::default();
        self.open.insert(connection, Stream { remote, framer });
        self.by_remote.insert(remote, connection);
    }

    fn open_to(&mut self, remote: SocketAddr) -> ConnectionId {
        let connection = ConnectionId(self.opened.saturating_mul(2).saturating_add(1));
        self.opened = self.opened.saturating_add(1);
        self.add(connection, remote);
        connection
    }

    fn remove(&mut self, connection: ConnectionId) -> Option<SocketAddr> {
        let stream = self.open.remove(&connection)?;
        if self.by_remote.get(&stream.remote) == Some(&connection) {
            self.by_remote.remove(&stream.remote);
        }
        Some(stream.remote)
    }

    fn next_frame(&mut self, connection: ConnectionId) -> Option<Frame> {
        self.open.get_mut(&connection)?.framer.next_frame()
    }
}

/// Waits for a moment, or for ever.
pub(super) async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
