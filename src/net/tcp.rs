//! TCP streams: opened by us or by a peer, each read by one task and written by another.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};

use crate::base::flow::{ConnectionId, Input, Transport};
use crate::net::sockets::Limits;
use crate::net::udp::canonical;

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
    events: mpsc::Sender<Input>,
}

/// The owner's side of one connection; dropping it closes the connection once everything written
/// is sent.
#[derive(Debug)]
struct Connection {
    writes: mpsc::Sender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    /// Dropped when the owner closes; a text tells the tasks what broke the connection.
    broken: oneshot::Sender<String>,
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
    pub(crate) fn new(limits: Limits, events: mpsc::Sender<Input>) -> Self {
        Self {
            open: Mutex::default(),
            limits,
            events,
        }
    }

    /// Starts opening a stream from `bound`.
    pub(crate) fn connect(self: &Arc<Self>, id: ConnectionId, bound: IpAddr, remote: SocketAddr) {
        let admitted = self.admit(id);
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            let Some(mut work) = admitted else {
                let error = "too many connections are open already".to_owned();
                shared.tell_closed(id, Some(error)).await;
                return;
            };
            let opened = tokio::select! {
                biased;
                reason = &mut work.broken => Err(reason.ok()),
                opened = open(bound, remote) => opened.map_err(Some),
            };
            match opened {
                Ok(stream) => {
                    let event = Input::Connected {
                        connection: id,
                        local: stream.local_addr().map_or(remote, canonical),
                    };
                    if shared.events.send(event).await.is_ok() {
                        shared.serve(work, stream).await;
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

    /// Accepts until nobody listens.
    pub(crate) async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut last = 0_u64;
        loop {
            let (stream, remote) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(REST).await;
                    continue;
                }
            };
            last = last.wrapping_add(2);
            let connection = ConnectionId(last);
            let Some(work) = self.admit(connection) else {
                tracing::warn!(%remote, "a connection was refused: too many are open");
                continue;
            };
            let remote = canonical(remote);
            let event = Input::Accepted {
                connection,
                transport: Transport::Tcp,
                remote,
                local: stream.local_addr().map_or(remote, canonical),
            };
            if self.events.send(event).await.is_err() {
                return;
            }
            let shared = Arc::clone(&self);
            tokio::spawn(async move { shared.serve(work, stream).await });
        }
    }

    /// Moves bytes both ways until the stream ends, then tells so unless the owner closed it.
    async fn serve(&self, work: Work, stream: TcpStream) {
        // SIP messages are whole writes; waiting for more only delays them.
        drop(stream.set_nodelay(true));
        let Work {
            id,
            writes,
            waiting,
            mut broken,
        } = work;
        let (reader, writer) = stream.into_split();
        let (failed, write_failed) = oneshot::channel();
        let writing = tokio::spawn(write_all(writer, writes, waiting, failed));
        let ended = tokio::select! {
            biased;
            reason = &mut broken => Err(reason.ok()),
            Ok(error) = write_failed => Ok(Some(error.to_string())),
            ended = self.read(id, reader) => Ok(ended),
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
            None => drop(tokio::time::timeout(LINGER, writing).await),
        }
    }

    /// Reads until the end; tells what ended it, nothing for an orderly end.
    async fn read(&self, id: ConnectionId, mut reader: OwnedReadHalf) -> Option<String> {
        let mut buffer = vec![0; self.limits.read_bytes.max(1)];
        loop {
            let length = match reader.read(&mut buffer).await {
                Ok(0) => return None,
                Ok(length) => length,
                Err(error) => return Some(error.to_string()),
            };
            let bytes = buffer.get(..length).unwrap_or_default().to_vec();
            let connection = id;
            let event = Input::Stream { connection, bytes };
            if self.events.send(event).await.is_err() {
                return None;
            }
        }
    }

    fn admit(&self, id: ConnectionId) -> Option<Work> {
        let mut open = self.lock();
        if open.len() >= self.limits.connections || open.contains_key(&id) {
            return None;
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

async fn open(bound: IpAddr, remote: SocketAddr) -> Result<TcpStream, String> {
    let connect = async {
        let socket = match remote {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if !bound.is_unspecified() {
            socket.bind(SocketAddr::new(bound, 0))?;
        }
        socket.connect(remote).await
    };
    match tokio::time::timeout(CONNECT_DEADLINE, connect).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(format!("{remote} cannot be reached by TCP: {error}")),
        Err(_) => Err(format!(
            "{remote} did not answer by TCP within {} s",
            CONNECT_DEADLINE.as_secs()
        )),
    }
}

/// Writes until the owner closes, then ends the stream in order.
async fn write_all(
    mut writer: OwnedWriteHalf,
    mut writes: mpsc::Receiver<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    failed: oneshot::Sender<io::Error>,
) {
    while let Some(bytes) = writes.recv().await {
        let written = writer.write_all(&bytes).await;
        waiting.fetch_sub(bytes.len(), Ordering::AcqRel);
        if let Err(error) = written {
            // The reader may have found the end already.
            drop(failed.send(error));
            return;
        }
    }
    drop(writer.shutdown().await);
}
