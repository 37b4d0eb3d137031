//! Datagrams and streams over real sockets on loopback.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::base::flow::{ConnectionId, NotAccepted};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

struct Side {
    net: Net,
    events: mpsc::Receiver<Input>,
}

impl Side {
    async fn with(ip: Option<IpAddr>, limits: Limits, queue: usize) -> Self {
        let (sender, events) = mpsc::channel(queue);
        let options = NetOptions {
            ip,
            limits,
            ..NetOptions::default()
        };
        let net = Net::bind(options, sender).await.unwrap();
        Self { net, events }
    }

    async fn new() -> Self {
        Self::with(Some(LOOPBACK), Limits::default(), 16).await
    }

    fn at(&self) -> SocketAddr {
        SocketAddr::new(LOOPBACK, self.net.local().port())
    }

    async fn event(&mut self) -> Input {
        let waited = tokio::time::timeout(Duration::from_secs(10), self.events.recv());
        waited
            .await
            .expect("an event comes")
            .expect("the sockets live")
    }

    async fn connected(&mut self, connection: ConnectionId, remote: SocketAddr) {
        self.net.perform(Output::Connect {
            connection,
            transport: Transport::Tcp,
            remote,
            peer: None,
        });
        let event = self.event().await;
        assert!(
            matches!(event, Input::Connected { connection: it, local } if it == connection && local.ip() == LOOPBACK),
            "{event:?}"
        );
    }

    async fn accepted(&mut self) -> (ConnectionId, SocketAddr) {
        match self.event().await {
            Input::Accepted {
                connection, remote, ..
            } => (connection, remote),
            other => panic!("{other:?}"),
        }
    }

    fn write(&mut self, connection: ConnectionId, bytes: &[u8]) {
        let bytes = bytes.to_vec();
        self.net.perform(Output::Stream { connection, bytes });
    }
}

#[cfg(unix)]
#[tokio::test]
async fn datagrams_are_marked_as_signalling_in_both_families() {
    use rustix::net::sockopt;
    let side = Side::new().await;
    assert_eq!(sockopt::ip_tos(&side.net.socket).unwrap(), 0x60);
    let side = Side::with(Some(Ipv6Addr::LOCALHOST.into()), Limits::default(), 16).await;
    assert_eq!(sockopt::ipv6_tclass(&side.net.socket).unwrap(), 0x60);
}

#[tokio::test]
async fn a_datagram_arrives_whole_and_names_both_ends() {
    let (mut a, mut b) = (Side::new().await, Side::new().await);
    let bytes = vec![7; 9000];
    a.net.perform(Output::Datagram {
        remote: b.at(),
        bytes: bytes.clone(),
    });
    let expected = Input::Datagram {
        remote: a.at(),
        local_ip: LOOPBACK,
        bytes,
    };
    assert_eq!(b.event().await, expected);
}

#[tokio::test]
async fn sockets_bound_to_everything_name_ipv4_peers_by_ipv4() {
    let (mut a, mut b) = (
        Side::with(None, Limits::default(), 16).await,
        Side::with(None, Limits::default(), 16).await,
    );
    a.net.perform(Output::Datagram {
        remote: b.at(),
        bytes: b"x".to_vec(),
    });
    let expected = Input::Datagram {
        remote: a.at(),
        local_ip: LOOPBACK,
        bytes: b"x".to_vec(),
    };
    assert_eq!(b.event().await, expected);
    let to = b.at();
    a.connected(ConnectionId(1), to).await;
    assert_eq!(b.accepted().await.1.ip(), LOOPBACK);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_datagram_to_nobody_is_told_and_hinders_no_other() {
    for ip in [Some(LOOPBACK), None] {
        let nobody = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
        let closed = nobody.local_addr().unwrap();
        drop(nobody);
        let mut side = Side::with(ip, Limits::default(), 16).await;
        let bytes = b"x".to_vec();
        side.net.perform(Output::Datagram {
            remote: closed,
            bytes,
        });
        let event = side.event().await;
        assert!(
            matches!(&event, Input::SendError { remote, error } if *remote == closed && error.contains("no program")),
            "{event:?}"
        );
        let remote = side.at();
        for _ in 0..3 {
            let bytes = b"y".to_vec();
            side.net.perform(Output::Datagram { remote, bytes });
            let event = side.event().await;
            assert!(matches!(event, Input::Datagram { .. }), "{event:?}");
        }
    }
}

#[tokio::test]
async fn an_oversized_datagram_is_told_as_a_send_error() {
    let mut side = Side::new().await;
    let remote = side.at();
    side.net.perform(Output::Datagram {
        remote,
        bytes: vec![0; 70_000],
    });
    let event = side.event().await;
    assert!(matches!(event, Input::SendError { remote: it, .. } if it == remote));
}

#[tokio::test]
async fn a_stream_carries_bytes_both_ways_on_the_port_of_udp() {
    let (mut a, mut b) = (Side::new().await, Side::new().await);
    a.net.perform(Output::Connect {
        connection: ConnectionId(1),
        transport: Transport::Tcp,
        remote: b.at(),
        peer: None,
    });
    // Before it is open.
    a.write(ConnectionId(1), b"INVITE ");
    a.write(ConnectionId(1), b"sip:");
    assert!(matches!(
        a.event().await,
        Input::Connected {
            connection: ConnectionId(1),
            ..
        }
    ));
    let (there, _) = b.accepted().await;
    assert_eq!(there.0 % 2, 0);
    let mut read = Vec::new();
    while read.len() < 11 {
        match b.event().await {
            Input::Stream { connection, bytes } if connection == there => read.extend(bytes),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(read, b"INVITE sip:");
    b.write(there, b"100");
    let back = Input::Stream {
        connection: ConnectionId(1),
        bytes: b"100".to_vec(),
    };
    assert_eq!(a.event().await, back);
}

#[tokio::test]
async fn closing_sends_the_last_words_and_only_the_peer_is_told() {
    let (mut a, mut b) = (Side::new().await, Side::new().await);
    let to = b.at();
    a.connected(ConnectionId(1), to).await;
    let (there, _) = b.accepted().await;
    a.write(ConnectionId(1), b"bye");
    a.net.perform(Output::Close {
        connection: ConnectionId(1),
    });
    let said = Input::Stream {
        connection: there,
        bytes: b"bye".to_vec(),
    };
    assert_eq!(b.event().await, said);
    let end = Input::Closed {
        connection: there,
        error: None,
    };
    assert_eq!(b.event().await, end);
    // The next thing that the closing side hears of is something else.
    a.connected(ConnectionId(3), to).await;
}

#[tokio::test]
async fn a_refused_connection_is_told_with_the_address() {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let remote = listener.local_addr().unwrap();
    drop(listener);
    let mut side = Side::new().await;
    side.net.perform(Output::Connect {
        connection: ConnectionId(1),
        transport: Transport::Tcp,
        remote,
        peer: None,
    });
    let Input::Closed {
        connection: ConnectionId(1),
        error: Some(error),
    } = side.event().await
    else {
        panic!("it was refused");
    };
    assert!(error.contains(&remote.to_string()), "{error}");
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_cut_off_once() {
    let limits = Limits {
        write_bytes: 10,
        ..Limits::default()
    };
    let mut a = Side::with(Some(LOOPBACK), limits, 16).await;
    let mut b = Side::new().await;
    let to = b.at();
    a.connected(ConnectionId(1), to).await;
    b.accepted().await;
    a.write(ConnectionId(1), &[0; 11]);
    a.write(ConnectionId(1), b"late");
    let event = a.event().await;
    assert!(
        matches!(&event, Input::Closed { connection: ConnectionId(1), error: Some(error) } if error.contains("does not read")),
        "{event:?}"
    );
    a.connected(ConnectionId(3), to).await;
}

#[tokio::test]
async fn more_connections_than_the_limit_are_refused() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let mut side = Side::with(Some(LOOPBACK), limits, 16).await;
    let mut first = TcpStream::connect(side.at()).await.unwrap();
    side.accepted().await;
    let mut second = TcpStream::connect(side.at()).await.unwrap();
    // Either an end or a reset.
    assert!(!matches!(second.read(&mut [0; 1]).await, Ok(1..)));
    let counted = Input::NotAccepted {
        source: LOOPBACK,
        why: NotAccepted::TooMany,
    };
    assert_eq!(side.event().await, counted);
    first.write_all(b"x").await.unwrap();
    assert!(matches!(side.event().await, Input::Stream { .. }));
    side.net.perform(Output::Connect {
        connection: ConnectionId(1),
        transport: Transport::Tcp,
        remote: side.at(),
        peer: None,
    });
    assert!(matches!(
        side.event().await,
        Input::Closed {
            connection: ConnectionId(1),
            error: Some(_)
        }
    ));
}

#[tokio::test]
async fn a_full_event_queue_slows_a_stream_and_loses_nothing() {
    let mut side = Side::with(Some(LOOPBACK), Limits::default(), 1).await;
    let mut peer = TcpStream::connect(side.at()).await.unwrap();
    side.accepted().await;
    let sent: Vec<u8> = (0..1 << 20).map(|it: u32| it.to_le_bytes()[1]).collect();
    let expected = sent.clone();
    let writing = tokio::spawn(async move { peer.write_all(&sent).await });
    let mut read = Vec::new();
    loop {
        match side.event().await {
            Input::Stream { bytes, .. } => read.extend(bytes),
            Input::Closed { error: None, .. } => break,
            other => panic!("{other:?}"),
        }
    }
    writing.await.unwrap().unwrap();
    assert!(read == expected);
}

#[tokio::test]
async fn dropping_the_sockets_ends_their_streams_and_frees_the_port() {
    let side = Side::new().await;
    let address = side.at();
    let mut peer = TcpStream::connect(address).await.unwrap();
    drop(side);
    assert!(!matches!(peer.read(&mut [0; 1]).await, Ok(1..)));
    loop {
        // The task that owned the socket ends at its next turn.
        if UdpSocket::bind(address).await.is_ok() {
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_taken_port_is_told_in_a_sentence() {
    let taken = Side::new().await;
    let options = NetOptions {
        ip: Some(LOOPBACK),
        port: taken.at().port(),
        ..NetOptions::default()
    };
    let error = Net::bind(options, mpsc::channel(1).0).await.unwrap_err();
    assert!(error.to_string().contains("choose another"), "{error}");
}

#[tokio::test]
async fn questions_are_answered_by_id() {
    let mut side = Side::new().await;
    side.net.perform(Output::Resolve {
        id: ResolveId(7),
        host: "127.0.0.9".to_owned(),
        port: None,
        transport: Some(Transport::Tcp),
        secure: false,
    });
    let Input::Resolved {
        id: ResolveId(7),
        answer,
    } = side.event().await
    else {
        panic!("another answer");
    };
    let places = answer.unwrap();
    assert_eq!(places[0].transport, Transport::Tcp);
    assert_eq!(places[0].remote.to_string(), "127.0.0.9:5060");
}

#[tokio::test]
async fn an_address_is_ours_or_not() {
    let side = Side::new().await;
    assert!(side.net.has_address(LOOPBACK));
    assert!(!side.net.has_address([192, 0, 2, 1].into()));
}
