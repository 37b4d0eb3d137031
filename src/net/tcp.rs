//! Plain TCP streams: how one is opened, and how bytes move on any stream.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};

use crate::base::flow::{ConnectionId, Input};
use crate::base::zone;
use crate::net::tls;

/// Opens a stream from `bound`, or says in a sentence what is wrong.
pub(crate) async fn open(bound: IpAddr, remote: SocketAddr) -> Result<TcpStream, String> {
    let connect = async {
        let socket = match remote {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if !bound.is_unspecified() {
            socket.bind(zone::own(bound, 0))?;
        }
        socket.connect(remote).await
    };
    let stream: io::Result<TcpStream> = connect.await;
    let stream = stream.map_err(|error| format!("{remote} cannot be reached by TCP: {error}"))?;
    prompt(&stream);
    Ok(stream)
}

/// SIP messages are whole writes; waiting for more only delays them.
pub(crate) fn prompt(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a stream gathers what it writes");
    }
}

/// Reads until the end; tells what ended it, nothing for an orderly end.
pub(crate) async fn read<R: AsyncRead + Unpin>(
    connection: ConnectionId,
    mut reader: R,
    read_bytes: usize,
    events: &mpsc::Sender<Input>,
) -> Option<String> {
    let mut buffer = vec![0; read_bytes.max(1)];
    loop {
        let length = match reader.read(&mut buffer).await {
            Ok(0) => return None,
            Ok(length) => length,
            Err(error) => return tls::stream_problem(&error),
        };
        let bytes = buffer.get(..length).unwrap_or_default().to_vec();
        if events
            .send(Input::Stream { connection, bytes })
            .await
            .is_err()
        {
            return None;
        }
    }
}

/// Writes until the owner closes, then ends the stream in order.
pub(crate) async fn write_all<W: AsyncWrite + Unpin>(
    mut writer: W,
    mut writes: mpsc::Receiver<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    failed: oneshot::Sender<io::Error>,
) {
    while let Some(bytes) = writes.recv().await {
        let written = match writer.write_all(&bytes).await {
            // What TLS has encrypted may still wait.
            Ok(()) => writer.flush().await,
            Err(error) => Err(error),
        };
        waiting.fetch_sub(bytes.len(), Ordering::AcqRel);
        if let Err(error) = written {
            // The reader may have found the end already.
            drop(failed.send(error));
            return;
        }
    }
    drop(writer.shutdown().await);
}
