//! Open streams: plain, under TLS or a WebSocket, opened by us or by a peer, each read by one task
//! and written by another.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsStream};
use tokio_tungstenite::WebSocketStream;

use crate::base::flow::{ConnectionId, Input, NotAccepted, Peer, Transport};
use crate::base::site::site;
use crate::base::zone;
use crate::net::sockets::{Limits, Profile};
use crate::net::udp::canonical;
use crate::net::zones::Zones;
use crate::net::{tcp, tls, ws};

/// How long opening a stream may take; well below timer B (RFC 3261 section 17.1.1.2), so that
/// another address can still be tried.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// How long a closed stream may take to send what was written to it.
const LINGER: Duration = Duration::from_secs(2);

/// How long accepting rests after an error, such as too many open files.
const REST: Duration = Duration::from_millis(100);

/// How many writes one connection may have waiting, whatever their size.
const MAX_WRITES: usize = 256;

/// All open connections; shared by the owner's side and the tasks.
#[derive(Debug)]
pub(crate) struct Connections {
    open: Mutex<HashMap<ConnectionId, Connection>>,
    limits: Limits,
    zones: Arc<Zones>,
    events: mpsc::Sender<Input>,
    /// How many streams were accepted, over all listeners.
    accepted: AtomicU64,
}

/// A stream that is ready for messages.
enum Channel {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Ws(Box<WebSocketStream<TcpStream>>),
    Wss(Box<WebSocketStream<TlsStream<TcpStream>>>),
}

/// What reads a stream until its end.
type Reading<'a> = Pin<Box<dyn Future<Output = Option<String>> + Send + 'a>>;

/// The owner's side of one connection; dropping it closes the connection once everything written
/// is sent.
#[derive(Debug)]
struct Connection {
    writes: mpsc::Sender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    /// Dropped when the owner closes; a text tells the tasks what broke the connection.
    broken: oneshot::Sender<String>,
    /// The machine that opened it; none for one that we opened.
    source: Option<IpAddr>,
}

/// The tasks' side of one connection.
#[derive(Debug)]
struct Work {
    id: ConnectionId,
    writes: mpsc::Receiver<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    broken: oneshot::Receiver<String>,
}

impl Connections {
    pub(crate) fn new(limits: Limits, zones: Arc<Zones>, events: mpsc::Sender<Input>) -> Self {
        Self {
            open: Mutex::default(),
            limits,
            zones,
            events,
            accepted: AtomicU64::new(0),
        }
    }

    /// Starts opening a stream from `bound`.
    pub(crate) fn connect(
        self: &Arc<Self>,
        id: ConnectionId,
        bound: IpAddr,
        remote: SocketAddr,
        transport: Transport,
        whom: Option<(Peer, Profile)>,
    ) {
        let admitted = self.admit(id, None);
        let shared = Arc::clone(self);
        let remote = self.zones.towards(remote);
        tokio::spawn(async move {
            let Some(mut work) = admitted else {
                let error = "too many connections are open already".to_owned();
                shared.tell_closed(id, Some(error)).await;
                return;
            };
            let opened = tokio::select! {
                biased;
                reason = &mut work.broken => Err(reason.ok()),
                opened = open(bound, remote, transport, whom, shared.limits.handshake) => opened.map_err(Some),
            };
            match opened {
                Ok((channel, local)) => {
                    let event = Input::Connected {
                        connection: id,
                        local: zone::bare(local.unwrap_or(remote)),
                    };
                    if shared.events.send(event).await.is_ok() {
                        shared.serve(work, channel).await;
                    }
                }
                Err(Some(error)) => {
                    shared.forget(id);
                    shared.tell_closed(id, Some(error)).await;
                }
                // The owner closed it meanwhile.
                Err(None) => {}
            }
        });
    }

    /// Writes without waiting; a connection whose queue is full is closed, since its peer does not
    /// read.
    pub(crate) fn write(&self, id: ConnectionId, bytes: Vec<u8>) {
        let mut open = self.lock();
        let Some(connection) = open.get(&id) else {
            tracing::debug!(
                id = id.0,
                "a write to a connection that is closed was dropped"
            );
            return;
        };
        let length = bytes.len();
        let waiting = connection.waiting.fetch_add(length, Ordering::AcqRel);
        let fits = waiting.saturating_add(length) <= self.limits.write_bytes;
        if fits && connection.writes.try_send(bytes).is_ok() {
            return;
        }
        if let Some(connection) = open.remove(&id) {
            let reason = "the peer does not read what it is sent".to_owned();
            // The task is gone when the stream has just ended; then it tells so itself.
            drop(connection.broken.send(reason));
        }
    }

    /// Closes once everything written is sent.
    pub(crate) fn close(&self, id: ConnectionId) {
        drop(self.lock().remove(&id));
    }

    /// Closes all of them once everything written is sent.
    pub(crate) fn close_all(&self) {
        self.lock().clear();
    }

    /// Accepts until nobody listens; where there is an acceptor, TLS comes first.
    pub(crate) async fn accept(self: Arc<Self>, listener: TcpListener, tls: Option<TlsAcceptor>) {
        loop {
            let (stream, remote) = match tcp::accept(&listener).await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(REST).await;
                    continue;
                }
            };
            if self.events.is_closed() {
                return;
            }
            let remote = self.zones.heard(canonical(remote));
            // Even: odd ids belong to streams that we open.
            let number = self.accepted.fetch_add(1, Ordering::Relaxed);
            let id = ConnectionId(number.wrapping_add(1).wrapping_mul(2));
            let Some(work) = self.admit(id, Some(site(remote.ip()))) else {
                self.tell_not_accepted(remote.ip(), NotAccepted::TooMany)
                    .await;
                continue;
            };
            let shared = Arc::clone(&self);
            let tls = tls.clone();
            tokio::spawn(async move { shared.welcome(work, stream, remote, tls).await });
        }
    }

    /// Shakes hands with a peer that opened a stream, tells of it and serves it.
    async fn welcome(
        &self,
        mut work: Work,
        stream: TcpStream,
        remote: SocketAddr,
        tls: Option<TlsAcceptor>,
    ) {
        let local = zone::bare(stream.local_addr().map_or(remote, canonical));
        let limit = self.limits.handshake;
        let connection = work.id;
        let (channel, transport) = match tls {
            None => (Channel::Tcp(stream), Transport::Tcp),
            Some(acceptor) => {
                let shaken = tokio::select! {
                    // The phone ends.
                    _ = &mut work.broken => return,
                    shaken = timeout(limit, acceptor.accept(stream)) => shaken,
                };
                let stream = match shaken {
                    Ok(Ok(stream)) => stream,
                    Ok(Err(error)) => {
                        tracing::info!(%remote, %error, "a TLS handshake failed");
                        self.forget(connection);
                        let why = NotAccepted::Handshake;
                        return self.tell_not_accepted(remote.ip(), why).await;
                    }
                    Err(_) => {
                        self.forget(connection);
                        let why = NotAccepted::Slow;
                        return self.tell_not_accepted(remote.ip(), why).await;
                    }
                };
                (Channel::Tls(Box::new(stream.into())), Transport::Tls)
            }
        };
        let event = Input::Accepted {
            connection,
            transport,
            remote,
            local,
        };
        if self.events.send(event).await.is_ok() {
            self.serve(work, channel).await;
        }
    }

    /// Tells of a stream that its owner will never see. A flood of them waits for the owner here.
    async fn tell_not_accepted(&self, source: IpAddr, why: NotAccepted) {
        tracing::info!(%source, ?why, "a stream was not accepted");
        drop(self.events.send(Input::NotAccepted { source, why }).await);
    }

    /// Moves messages both ways until the stream ends, then tells so unless the owner closed it.
    async fn serve(&self, work: Work, channel: Channel) {
        let Work {
            id,
            writes,
            waiting,
            mut broken,
        } = work;
        let (failed, write_failed) = oneshot::channel();
        let events = &self.events;
        let read_bytes = self.limits.read_bytes;
        let (writing, reading): (_, Reading<'_>) = match channel {
            Channel::Tcp(stream) => {
                let (reader, writer) = stream.into_split();
                let writing = tokio::spawn(tcp::write_all(writer, writes, waiting, failed));
                (writing, Box::pin(tcp::read(id, reader, read_bytes, events)))
            }
            Channel::Tls(stream) => {
                let (reader, writer) = tokio::io::split(*stream);
                let writing = tokio::spawn(tcp::write_all(writer, writes, waiting, failed));
                (writing, Box::pin(tcp::read(id, reader, read_bytes, events)))
            }
            Channel::Ws(stream) => {
                let (sink, stream) = (*stream).split();
                let writing = tokio::spawn(ws::write_all(sink, writes, waiting, failed));
                (writing, Box::pin(ws::read(id, stream, events)))
            }
            Channel::Wss(stream) => {
                let (sink, stream) = (*stream).split();
                let writing = tokio::spawn(ws::write_all(sink, writes, waiting, failed));
                (writing, Box::pin(ws::read(id, stream, events)))
            }
        };
        let ended = tokio::select! {
            biased;
            reason = &mut broken => Err(reason.ok()),
            // What the peer said last, such as why it refuses us, is worth more than that it left.
            ended = reading => Ok(ended),
            Ok(error) = write_failed => Ok(Some(error.to_string())),
        };
        let told = match ended {
            // The owner's side may have broken it at the same time.
            Ok(error) if self.forget(id) || broken.try_recv().is_ok() => Some(error),
            Ok(_) => None,
            Err(reason) => reason.map(Some),
        };
        match told {
            Some(error) => {
                writing.abort();
                self.tell_closed(id, error).await;
            }
            // The owner closed: its last words are still to be sent.
            None => drop(timeout(LINGER, writing).await),
        }
    }

    fn admit(&self, id: ConnectionId, source: Option<IpAddr>) -> Option<Work> {
        let mut open = self.lock();
        if open.len() >= self.limits.connections || open.contains_key(&id) {
            return None;
        }
        if let Some(source) = source {
            let accepted = open.values().filter_map(|it| it.source);
            let (all, same) = accepted.fold((0, 0), |(all, same), other| {
                (all + 1, same + usize::from(other == source))
            });
            if all >= self.limits.accepted || same >= self.limits.connections_per_source {
                return None;
            }
        }
        let (sender, writes) = mpsc::channel(MAX_WRITES);
        let (breaker, broken) = oneshot::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        open.insert(
            id,
            Connection {
                writes: sender,
                waiting: Arc::clone(&waiting),
                broken: breaker,
                source,
            },
        );
        Some(Work {
            id,
            writes,
            waiting,
            broken,
        })
    }

    fn forget(&self, id: ConnectionId) -> bool {
        self.lock().remove(&id).is_some()
    }

    async fn tell_closed(&self, connection: ConnectionId, error: Option<String>) {
        // Without a listener there is nobody to tell.
        drop(self.events.send(Input::Closed { connection, error }).await);
    }

    /// The table is whole after each statement, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, Connection>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a stream with all its handshakes; gives our end of it too.
async fn open(
    bound: IpAddr,
    remote: SocketAddr,
    transport: Transport,
    whom: Option<(Peer, Profile)>,
    limit: Duration,
) -> Result<(Channel, Option<SocketAddr>), String> {
    let stream = match timeout(CONNECT_DEADLINE, tcp::open(bound, remote)).await {
        Ok(opened) => opened?,
        Err(_) => {
            let seconds = CONNECT_DEADLINE.as_secs();
            return Err(format!("{remote} did not answer by TCP within {seconds} s"));
        }
    };
    let local = stream.local_addr().ok().map(canonical);
    let shaken = timeout(limit, shake_hands(stream, remote, transport, whom)).await;
    match shaken {
        Ok(channel) => Ok((channel?, local)),
        Err(_) => {
            let seconds = limit.as_secs();
            Err(format!(
                "{remote} took the connection and did not answer by {transport} within {seconds} s; check the port and the transport"
            ))
        }
    }
}

async fn shake_hands(
    stream: TcpStream,
    remote: SocketAddr,
    transport: Transport,
    whom: Option<(Peer, Profile)>,
) -> Result<Channel, String> {
    let Some((peer, profile)) = whom else {
        return match transport {
            Transport::Udp | Transport::Tcp => Ok(Channel::Tcp(stream)),
            // Nobody says whom to trust.
            Transport::Tls | Transport::Ws | Transport::Wss => Err(format!(
                "{transport} to {remote} is not possible without a name"
            )),
        };
    };
    let path = &profile.websocket_path;
    match transport {
        Transport::Udp | Transport::Tcp => Ok(Channel::Tcp(stream)),
        Transport::Tls => {
            let stream = tls::connect(stream, remote, &peer, profile.tls).await?;
            Ok(Channel::Tls(Box::new(stream)))
        }
        Transport::Ws => {
            let stream = ws::upgrade(stream, remote, &peer, path).await?;
            Ok(Channel::Ws(Box::new(stream)))
        }
        Transport::Wss => {
            let stream = tls::connect(stream, remote, &peer, profile.tls).await?;
            let stream = ws::upgrade(stream, remote, &peer, path).await?;
            Ok(Channel::Wss(Box::new(stream)))
        }
    }
}
