//! Plain TCP streams: how one is opened, and how bytes move on any stream.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};

use crate::base::flow::{ConnectionId, Input};
use crate::base::zone;
use crate::net::tls;
use crate::net::traffic_class;

/// Opens a stream from `bound`, or says in a sentence what is wrong.
pub(crate) async fn open(bound: IpAddr, remote: SocketAddr) -> Result<TcpStream, String> {
    let connect = async {
        let socket = match remote {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        traffic_class::mark(&socket, remote.is_ipv6());
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

/// The next stream that a peer opens.
///
/// # Errors
///
/// As the system says.
pub(crate) async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, remote) = listener.accept().await?;
    traffic_class::mark(&stream, remote.is_ipv6());
    prompt(&stream);
    Ok((stream, remote))
}

/// SIP messages are whole writes; waiting for more only delays them.
fn prompt(stream: &TcpStream) {
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use rustix::net::sockopt;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[tokio::test]
    async fn streams_of_both_sides_are_prompt_and_marked_as_signalling() {
        for here in [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ] {
            let listener = TcpListener::bind((here, 0)).await.unwrap();
            let remote = listener.local_addr().unwrap();
            let (opened, accepted) = tokio::join!(open(here, remote), accept(&listener));
            for stream in [opened.unwrap(), accepted.unwrap().0] {
                assert!(stream.nodelay().unwrap());
                // CS3, above the two bits of ECN.
                if here.is_ipv6() {
                    assert_eq!(sockopt::ipv6_tclass(&stream).unwrap(), 0x60);
                } else {
                    assert_eq!(sockopt::ip_tos(&stream).unwrap(), 0x60);
                }
            }
        }
    }
}
