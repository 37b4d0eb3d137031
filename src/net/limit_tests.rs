//! What a hostile or broken far end does to TLS and WebSocket, on loopback: it is bounded in time and
//! size, and nobody else notices.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};

use super::secured_tests::{Authority, DOMAIN, HERE, Side, listener};
use super::*;
use crate::base::flow::{Input, NotAccepted, Output, Transport};

const SOON: Duration = Duration::from_millis(300);

fn hasty() -> Limits {
    Limits {
        handshake: SOON,
        ..Limits::default()
    }
}

/// A phone at a WebSocket server that goes on so after the upgrade.
async fn phone_at<F, S>(server: F) -> Side
where
    F: FnOnce(WebSocketStream<TcpStream>) -> S + Send + 'static,
    S: Future<Output = ()> + Send,
{
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        #[expect(clippy::result_large_err, reason = "the callback's form is given")]
        let agree = |request: &Request, mut response: Response| {
            let asked = request.headers()["Sec-WebSocket-Protocol"].clone();
            response
                .headers_mut()
                .insert("Sec-WebSocket-Protocol", asked);
            Ok(response)
        };
        let stream = tokio_tungstenite::accept_hdr_async(stream, agree).await;
        server(stream.unwrap()).await;
    });
    let profile = Authority::new().trusted();
    let mut phone = Side::opening(address, Transport::Ws, profile).await;
    phone.connected().await;
    phone
}

/// What ended the phone's stream.
async fn end(phone: &mut Side) -> Option<String> {
    match phone.input().await {
        Input::Closed { error, .. } => error,
        other => panic!("{other:?}"),
    }
}

/// Why a stream from here was closed unseen.
async fn not_accepted(server: &mut Side) -> NotAccepted {
    match server.input().await {
        Input::NotAccepted { source, why } => {
            assert!(source.is_loopback());
            why
        }
        other => panic!("{other:?}"),
    }
}

/// Until the phone leaves.
async fn linger(mut stream: WebSocketStream<TcpStream>) {
    while let Some(Ok(_)) = stream.next().await {}
}

fn piece(text: &str, opcode: Data, last: bool) -> Message {
    let text = text.as_bytes().to_vec();
    Message::Frame(Frame::message(text, OpCode::Data(opcode), last))
}

#[tokio::test]
async fn a_message_in_pieces_is_whole_and_pings_between_them_are_answered() {
    let (sender, mut pongs) = tokio::sync::mpsc::channel(4);
    let mut phone = phone_at(|mut stream| async move {
        stream
            .send(piece("OPTIONS sip:a ", Data::Text, false))
            .await
            .unwrap();
        stream
            .send(Message::Ping(b"there?".to_vec().into()))
            .await
            .unwrap();
        stream
            .send(piece("SIP/2.0\r\n", Data::Continue, false))
            .await
            .unwrap();
        // One without content is no message.
        stream
            .send(piece("\r\n", Data::Continue, true))
            .await
            .unwrap();
        stream.send(Message::text("")).await.unwrap();
        stream
            .send(Message::binary(b"next".to_vec()))
            .await
            .unwrap();
        while let Some(Ok(message)) = stream.next().await {
            if let Message::Pong(payload) = message {
                sender.send(payload).await.unwrap();
            }
        }
    })
    .await;
    for expected in ["OPTIONS sip:a SIP/2.0\r\n\r\n", "next"] {
        let input = phone.input().await;
        let whole = Input::Stream {
            connection: HERE,
            bytes: expected.as_bytes().to_vec(),
        };
        assert_eq!(input, whole);
    }
    let pong = tokio::time::timeout(Duration::from_secs(10), pongs.recv());
    assert_eq!(pong.await.unwrap().unwrap().as_ref(), b"there?");
}

#[tokio::test]
async fn a_message_that_is_too_large_for_sip_comes_in_and_one_beyond_all_measure_ends_the_stream() {
    const REFUSED_BY_SIP: usize = 100_000;
    let mut phone = phone_at(|mut stream| async move {
        stream
            .send(Message::binary(vec![b'x'; REFUSED_BY_SIP]))
            .await
            .unwrap();
        stream
            .send(Message::binary(vec![b'x'; 300_000]))
            .await
            .unwrap();
        linger(stream).await;
    })
    .await;
    let input = phone.input().await;
    assert!(matches!(input, Input::Stream { bytes, .. } if bytes.len() == REFUSED_BY_SIP));
    let sentence = end(&mut phone).await.unwrap();
    assert!(sentence.contains("the WebSocket broke"), "{sentence}");

    // The same in pieces, each of which is small enough, without an end.
    let mut phone = phone_at(|mut stream| async move {
        let mut kind = Data::Binary;
        loop {
            let piece = Frame::message(vec![b'x'; 50_000], OpCode::Data(kind), false);
            if stream.send(Message::Frame(piece)).await.is_err() {
                return;
            }
            kind = Data::Continue;
        }
    })
    .await;
    let sentence = end(&mut phone).await.unwrap();
    assert!(sentence.contains("the WebSocket broke"), "{sentence}");
}

#[tokio::test]
async fn what_breaks_the_protocol_ends_the_stream() {
    // A reserved opcode, a masked frame of a server, a ping of 126 octets, text that is no UTF-8, and
    // a continuation of nothing.
    let ping = [&b"\x89\x7e\x00\x7e"[..], &[b'x'; 126]].concat();
    let frames: [&[u8]; 5] = [
        b"\x83\x00",
        b"\x81\x81\x00\x00\x00\x00x",
        &ping,
        b"\x81\x02\xff\xfe",
        b"\x80\x01x",
    ];
    for frame in frames.map(<[u8]>::to_vec) {
        let sent = frame.clone();
        let mut phone = phone_at(move |mut stream| async move {
            stream.get_mut().write_all(&sent).await.unwrap();
            linger(stream).await;
        })
        .await;
        let sentence = end(&mut phone).await;
        let told = sentence.is_some_and(|it| it.contains("the WebSocket broke"));
        assert!(told, "{frame:02x?}");
    }
}

#[tokio::test]
async fn the_close_of_a_websocket_is_told_where_it_has_a_reason() {
    let rows = [
        (CloseCode::Normal, "bye", None),
        (CloseCode::Away, "", None),
        (
            CloseCode::Policy,
            "too many\r\nphones",
            Some("closed the WebSocket: too many  phones (code 1008)"),
        ),
        (CloseCode::Error, "", Some("with code 1011")),
    ];
    for (code, reason, words) in rows {
        let mut phone = phone_at(move |mut stream| async move {
            let close = CloseFrame {
                code,
                reason: reason.into(),
            };
            stream.close(Some(close)).await.unwrap();
            linger(stream).await;
        })
        .await;
        let told = end(&mut phone).await;
        match words {
            None => assert_eq!(told, None, "{code}"),
            Some(words) => assert!(told.as_ref().unwrap().contains(words), "{told:?}"),
        }
    }
}

#[tokio::test]
async fn an_upgrade_that_trickles_in_or_never_ends_is_given_up() {
    // Octet by octet, so that no single wait is long.
    let (slow, address) = listener().await;
    tokio::spawn(async move {
        let (mut stream, _) = slow.accept().await.unwrap();
        for octet in b"HTTP/1.1 101 Switching Protocols\r\n".iter().cycle() {
            if stream.write_all(&[*octet]).await.is_err() {
                return;
            }
            tokio::time::sleep(SOON / 20).await;
        }
    });
    let trusted = Authority::new().trusted();
    let mut phone = Side::opening_within(address, Transport::Ws, trusted, hasty()).await;
    let sentence = phone.sentence().await;
    assert!(sentence.contains("did not answer by WS"), "{sentence}");
    // As fast as it can: the answer's size is bounded too.
    let (fast, address) = listener().await;
    let flood = tokio::spawn(async move {
        let (mut stream, _) = fast.accept().await.unwrap();
        stream
            .write_all(b"HTTP/1.1 101 Switching Protocols\r\n")
            .await
            .unwrap();
        let mut sent = 0_usize;
        let line = b"X-More: and more and more and more and more and more and more\r\n".repeat(64);
        while stream.write_all(&line).await.is_ok() {
            sent += line.len();
        }
        sent
    });
    let trusted = Authority::new().trusted();
    let mut phone = Side::opening(address, Transport::Ws, trusted).await;
    let sentence = phone.sentence().await;
    assert!(sentence.contains("opens no WebSocket"), "{sentence}");
    // What lies in the system's buffers counts too.
    assert!(flood.await.unwrap() < 16 << 20);
}

/// A source may not take all places by handshakes that it never ends.
#[tokio::test]
async fn a_stream_counts_for_its_source_before_its_handshake_ends() {
    let authority = Authority::new();
    let limits = Limits {
        connections_per_source: 2,
        ..hasty()
    };
    let mut server = Side::new(Some(authority.issue(DOMAIN)), limits).await;
    let address = server.tls_address();
    let mut silent = [
        TcpStream::connect(address).await.unwrap(),
        TcpStream::connect(address).await.unwrap(),
    ];
    let began = tokio::time::Instant::now();
    let mut third = TcpStream::connect(address).await.unwrap();
    assert!(!matches!(third.read(&mut [0; 1]).await, Ok(1..)));
    assert!(began.elapsed() < SOON, "refused at once");
    assert_eq!(not_accepted(&mut server).await, NotAccepted::TooMany);
    for stream in &mut silent {
        assert!(!matches!(stream.read(&mut [0; 1]).await, Ok(1..)));
        assert_eq!(not_accepted(&mut server).await, NotAccepted::Slow);
    }
    // Their places are free again.
    let mut phone = Side::opening(address, Transport::Tls, authority.trusted()).await;
    phone.connected().await;
    assert!(matches!(server.input().await, Input::Accepted { .. }));
}

/// Sends it again and again until the other side leaves; how many octets it took.
async fn flood(address: SocketAddr, first: &[u8], more: &[u8]) -> usize {
    const FAR_TOO_MUCH: usize = 64 << 20;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut sent = first.len();
    let mut written = stream.write_all(first).await;
    while written.is_ok() && !more.is_empty() && sent < FAR_TOO_MUCH {
        written = stream.write_all(more).await;
        sent += more.len();
    }
    // An alert may come before the end.
    drop(stream.read_to_end(&mut Vec::new()).await);
    sent
}

#[tokio::test]
async fn plain_text_and_floods_at_the_port_of_tls_end_and_are_only_counted() {
    let authority = Authority::new();
    let mut server = Side::new(Some(authority.issue(DOMAIN)), hasty()).await;
    let address = server.tls_address();
    // A record of 16 KiB that says to begin a message of the handshake of 16 MiB.
    let mut record = b"\x16\x03\x01\x40\x00\x01\xff\xff\xff".to_vec();
    record.resize(5 + 0x4000, 0);
    let floods: [(&[u8], &[u8]); 5] = [
        (
            b"OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP a\r\n\r\n",
            b"",
        ),
        (b"GET / HTTP/1.1\r\n", b"X-More: and more\r\n"),
        (&record, &record),
        // Empty records, and alerts that only warn.
        (b"", b"\x16\x03\x01\x00\x00"),
        (b"", b"\x15\x03\x01\x00\x02\x01\x5a"),
    ];
    for (first, more) in floods {
        let took = flood(address, first, more);
        let took = tokio::time::timeout(Duration::from_secs(10), took).await;
        let took = took.expect("the phone ends it");
        assert!(took < 32 << 20, "{took} octets of {first:02x?} {more:02x?}");
        assert_eq!(not_accepted(&mut server).await, NotAccepted::Handshake);
    }
    let mut phone = Side::opening(address, Transport::Tls, authority.trusted()).await;
    phone.connected().await;
    let Input::Accepted { connection, .. } = server.input().await else {
        panic!("not accepted");
    };
    phone.write(HERE, b"OPTIONS");
    let expected = Input::Stream {
        connection,
        bytes: b"OPTIONS".to_vec(),
    };
    assert_eq!(server.input().await, expected);
}

/// Peers that never end their handshakes once kept the phone from opening a stream of its own.
#[tokio::test]
async fn what_peers_open_leaves_room_for_what_we_open() {
    let authority = Authority::new();
    let limits = Limits {
        connections: 3,
        accepted: 2,
        ..Limits::default()
    };
    let mut phone = Side::new(Some(authority.issue(DOMAIN)), limits).await;
    let address = phone.tls_address();
    let _silent = [
        TcpStream::connect(address).await.unwrap(),
        TcpStream::connect(address).await.unwrap(),
        TcpStream::connect(address).await.unwrap(),
    ];
    assert_eq!(not_accepted(&mut phone).await, NotAccepted::TooMany);
    let (listener, there) = listener().await;
    phone.net.perform(Output::Connect {
        connection: HERE,
        transport: Transport::Tcp,
        remote: there,
        peer: None,
    });
    let _accepted = listener.accept().await.unwrap();
    assert!(matches!(phone.input().await, Input::Connected { .. }));
}
