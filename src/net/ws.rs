//! SIP over WebSocket (RFC 7118): the upgrade, one message in each frame, pings.
//!
//! We are always the client: a phone is no WebSocket server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, WebSocketConfig};

use crate::base::flow::{ConnectionId, Input, Peer};
use crate::base::uri::Host;
use crate::net::tls;

/// The subprotocol (RFC 7118 section 4.1).
const SUBPROTOCOL: &str = "sip";

/// The largest message that is taken; four times what the SIP layer reads, so that it can refuse
/// a larger one politely.
const MAX_MESSAGE: usize = 1 << 18;

/// The pause between our pings: NAT bindings of TCP live minutes, idle proxies close after 60 s.
const PING_EVERY: Duration = Duration::from_secs(25);

/// How long nothing may come, neither a message nor an answer to a ping; also the longest that one
/// frame may take.
const SILENCE: Duration = Duration::from_secs(60);

/// A stream that WebSocket runs over.
pub(crate) trait Under: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Under for S {}

/// Upgrades a fresh stream, or says in a sentence what is wrong.
pub(crate) async fn upgrade<S: Under>(
    stream: S,
    remote: SocketAddr,
    peer: &Peer,
    path: &str,
) -> Result<WebSocketStream<S>, String> {
    let host = match peer.domains.first() {
        Some(host @ (Host::Name(_) | Host::V4(_) | Host::V6(_))) => host.to_string(),
        None => remote.ip().to_string(),
    };
    // The scheme is only for the library's own checks: TLS is there already where it is wanted.
    let url = format!("ws://{host}:{}{path}", remote.port());
    let mut request = url.into_client_request().map_err(|error| {
        format!("{path} is no path on a server ({error}); correct websocket_path, such as /ws")
    })?;
    let subprotocol = HeaderValue::from_static(SUBPROTOCOL);
    request
        .headers_mut()
        .insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
        .read_buffer_size(1 << 14)
        .write_buffer_size(0);
    match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
        Ok((stream, _)) => Ok(stream),
        Err(error) => Err(upgrade_problem(&host, path, &error)),
    }
}

fn upgrade_problem(host: &str, path: &str, error: &Error) -> String {
    match error {
        Error::Http(response) => format!(
            "{host} answers HTTP {} at {path} and opens no WebSocket; correct websocket_path (often /ws) or the port",
            response.status().as_u16()
        ),
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => format!(
            "{host} has a WebSocket at {path}, but none for SIP; correct websocket_path, or switch SIP on there (RFC 7118)"
        ),
        Error::Io(error) => tls::stream_problem(error).unwrap_or_else(|| {
            format!("{host} ended the connection instead of opening a WebSocket; check port and transport")
        }),
        error => format!(
            "{host} opens no WebSocket at {path} ({error}); check the port, websocket_path and the transport"
        ),
    }
}

/// Reads until the end; tells what ended it, nothing for an orderly end.
pub(crate) async fn read<S: Under>(
    connection: ConnectionId,
    mut stream: SplitStream<WebSocketStream<S>>,
    events: &mpsc::Sender<Input>,
) -> Option<String> {
    loop {
        let bytes = match timeout(SILENCE, stream.next()).await {
            Err(_) => {
                let seconds = SILENCE.as_secs();
                return Some(format!(
                    "the server did not answer a ping within {seconds} s"
                ));
            }
            Ok(None) => return None,
            Ok(Some(Ok(Message::Close(close)))) => return close.as_ref().and_then(told_at_the_end),
            Ok(Some(Ok(Message::Text(text)))) => text.as_bytes().to_vec(),
            Ok(Some(Ok(Message::Binary(bytes)))) => bytes.to_vec(),
            // Answered by the library.
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)))) => continue,
            Ok(Some(Err(Error::ConnectionClosed | Error::AlreadyClosed))) => return None,
            Ok(Some(Err(Error::Io(error)))) => return tls::stream_problem(&error),
            Ok(Some(Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)))) => {
                return None;
            }
            Ok(Some(Err(error))) => return Some(format!("the WebSocket broke: {error}")),
        };
        if bytes.is_empty() {
            continue;
        }
        if events
            .send(Input::Stream { connection, bytes })
            .await
            .is_err()
        {
            return None;
        }
    }
}

/// Why the server closed (RFC 6455 section 7.4), where that is more than that it was done.
fn told_at_the_end(close: &CloseFrame) -> Option<String> {
    let code = match close.code {
        CloseCode::Normal | CloseCode::Away => return None,
        code => u16::from(code),
    };
    // At most 123 octets, which the protocol sees to.
    let reason: String = close
        .reason
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let reason = reason.trim();
    Some(if reason.is_empty() {
        format!("the server closed the WebSocket with code {code}; ask its operator")
    } else {
        format!("the server closed the WebSocket: {reason} (code {code}); ask its operator")
    })
}

/// Writes and pings until the owner closes, then ends the WebSocket in order.
pub(crate) async fn write_all<S: Under>(
    mut stream: SplitSink<WebSocketStream<S>, Message>,
    mut writes: mpsc::Receiver<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    failed: oneshot::Sender<io::Error>,
) {
    let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    loop {
        let (message, length) = tokio::select! {
            bytes = writes.recv() => match bytes {
                Some(bytes) => {
                    let length = bytes.len();
                    (framed(bytes), length)
                }
                None => break,
            },
            _ = pings.tick() => (Message::Ping(Vec::new().into()), 0),
        };
        let written = stream.send(message).await;
        waiting.fetch_sub(length, Ordering::AcqRel);
        if let Err(error) = written {
            // The reader may have found the end already.
            drop(failed.send(io::Error::other(error.to_string())));
            return;
        }
    }
    drop(stream.close().await);
}

/// As text where it is text, which every server takes (RFC 7118 section 4.2).
fn framed(bytes: Vec<u8>) -> Message {
    match String::from_utf8(bytes) {
        Ok(text) => Message::text(text),
        Err(error) => Message::binary(error.into_bytes()),
    }
}
