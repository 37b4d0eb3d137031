//! TLS and WebSocket on loopback, from one face of the room to another or to a bare server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::Message;

use super::*;
use crate::base::flow::{ConnectionId, Input, NotAccepted, Output, Peer, ProfileId, Transport};
use crate::base::uri::Host;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub(super) const HERE: ConnectionId = ConnectionId(1);
pub(super) const DOMAIN: &str = "pbx.example.com";

/// An authority with files of what it issued.
pub(super) struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new() -> Self {
        Self::named("authority")
    }

    fn named(name: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub(super) fn issue(&self, name: &str) -> TlsIdentity {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let identity = TlsIdentity {
            certificate: self.folder.path().join(format!("{name}.pem")),
            key: self.folder.path().join(format!("{name}.key")),
        };
        std::fs::write(&identity.certificate, certificate.pem()).unwrap();
        std::fs::write(&identity.key, key.serialize_pem()).unwrap();
        identity
    }

    pub(super) fn trusted(&self) -> Profile {
        let tls = TlsSettings {
            ca_file: Some(self.file()),
            ..TlsSettings::default()
        };
        Profile {
            tls,
            websocket_path: "/ws".to_owned(),
        }
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.as_ref().der().clone()).unwrap();
        roots
    }
}

pub(super) struct Side {
    pub(super) net: Net,
    pub(super) inputs: mpsc::Receiver<Input>,
}

impl Side {
    pub(super) async fn new(tls: Option<TlsIdentity>, limits: Limits) -> Self {
        let (sender, inputs) = mpsc::channel(16);
        let options = NetOptions {
            ip: Some(LOOPBACK),
            port: 0,
            tls,
            limits,
            name_servers: Vec::new(),
        };
        let net = Net::bind(options, sender).await.unwrap();
        Self { net, inputs }
    }

    /// A phone that begins to open a stream.
    pub(super) async fn opening(
        remote: SocketAddr,
        transport: Transport,
        profile: Profile,
    ) -> Self {
        Self::opening_within(remote, transport, profile, Limits::default()).await
    }

    pub(super) async fn opening_within(
        remote: SocketAddr,
        transport: Transport,
        profile: Profile,
        limits: Limits,
    ) -> Self {
        let mut side = Self::new(None, limits).await;
        side.net.set_profile(ProfileId(7), profile);
        side.net.perform(Output::Connect {
            connection: HERE,
            transport,
            remote,
            peer: Some(Peer {
                domains: vec![Host::parse(DOMAIN).unwrap()],
                profile: ProfileId(7),
            }),
        });
        side
    }

    pub(super) fn tls_address(&self) -> SocketAddr {
        SocketAddr::new(LOOPBACK, self.net.tls_port().unwrap())
    }

    pub(super) async fn input(&mut self) -> Input {
        let waited = tokio::time::timeout(Duration::from_secs(20), self.inputs.recv());
        waited.await.expect("something comes").expect("it lives")
    }

    pub(super) async fn connected(&mut self) {
        let input = self.input().await;
        assert!(matches!(input, Input::Connected { .. }), "{input:?}");
    }

    /// What ended the stream.
    pub(super) async fn sentence(&mut self) -> String {
        loop {
            match self.input().await {
                Input::Closed {
                    error: Some(error), ..
                } => return error,
                Input::Connected { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub(super) fn write(&mut self, connection: ConnectionId, bytes: &[u8]) {
        let bytes = bytes.to_vec();
        self.net.perform(Output::Stream { connection, bytes });
    }

    /// Reads so many octets of a stream.
    async fn read(&mut self, wanted: usize) -> Vec<u8> {
        let mut read = Vec::new();
        while read.len() < wanted {
            match self.input().await {
                Input::Stream { bytes, .. } => read.extend(bytes),
                other => panic!("{other:?}"),
            }
        }
        read
    }
}

pub(super) async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A server that takes one connection, hears the beginning of it and answers so.
async fn answering(answer: &'static [u8]) -> SocketAddr {
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let heard = stream.read(&mut [0; 2000]).await.unwrap();
        assert!(heard > 0);
        stream.write_all(answer).await.unwrap();
        // Until the phone leaves.
        drop(stream.read(&mut [0; 2000]).await);
    });
    address
}

#[tokio::test]
async fn tls_carries_messages_both_ways_and_is_named() {
    let authority = Authority::new();
    let mut server = Side::new(Some(authority.issue(DOMAIN)), Limits::default()).await;
    let mut phone = Side::opening(server.tls_address(), Transport::Tls, authority.trusted()).await;
    let large = vec![b'x'; 100_000];
    phone.write(HERE, &large);
    phone.connected().await;
    let Input::Accepted {
        connection,
        transport: Transport::Tls,
        ..
    } = server.input().await
    else {
        panic!("not accepted by TLS");
    };
    assert_eq!(connection.0 % 2, 0);
    assert!(server.read(large.len()).await == large);
    server.write(connection, b"SIP/2.0 200 OK");
    assert_eq!(phone.read(14).await, b"SIP/2.0 200 OK");
    phone.net.perform(Output::Close { connection: HERE });
    let end = Input::Closed {
        connection,
        error: None,
    };
    assert_eq!(server.input().await, end);
}

#[tokio::test]
async fn a_certificate_that_is_not_believed_is_told_in_its_own_words() {
    let (authority, stranger) = (Authority::new(), Authority::named("stranger"));
    let pinning = |pinned| Profile {
        tls: TlsSettings {
            pinned: Some(pinned),
            ..TlsSettings::default()
        },
        ..Profile::default()
    };
    let identity = authority.issue(DOMAIN);
    let shown = CertificateDer::from_pem_file(&identity.certificate).unwrap();
    let good = Side::new(Some(identity), Limits::default()).await;
    let other = Side::new(
        Some(authority.issue("other.example.com")),
        Limits::default(),
    )
    .await;
    let rows = [
        (&good, stranger.trusted(), "not trusted"),
        (&good, pinning(Fingerprint([7; 32])), "another certificate"),
        (
            &other,
            authority.trusted(),
            "is for other.example.com, not for pbx.example.com",
        ),
    ];
    for (server, profile, words) in rows {
        let mut phone = Side::opening(server.tls_address(), Transport::Tls, profile).await;
        let sentence = phone.sentence().await;
        assert!(sentence.contains(words), "{sentence}");
    }
    let pinned = pinning(Fingerprint::of(&shown));
    let mut phone = Side::opening(good.tls_address(), Transport::Tls, pinned).await;
    phone.connected().await;
}

#[tokio::test]
async fn a_server_of_tls_1_0_gets_an_explanation() {
    // ServerHello of TLS 1.0: version, random, no session, AES-128-CBC, no compression.
    const HELLO: &[u8] = b"\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01\
        0123456789abcdef0123456789abcdef\x00\x00\x2f\x00";
    // The alert protocol_version.
    const ALERT: &[u8] = b"\x15\x03\x01\x00\x02\x02\x46";
    let authority = Authority::new();
    for answer in [HELLO, ALERT] {
        let address = answering(answer).await;
        let mut phone = Side::opening(address, Transport::Tls, authority.trusted()).await;
        let sentence = phone.sentence().await;
        assert!(sentence.contains("only TLS 1.0 or 1.1"), "{sentence}");
        assert!(sentence.contains("switch TLS 1.2 on"), "{sentence}");
    }
}

#[tokio::test]
async fn a_port_without_tls_is_told() {
    let authority = Authority::new();
    let address = answering(b"SIP/2.0 400 Bad Request\r\n\r\n").await;
    let mut phone = Side::opening(address, Transport::Tls, authority.trusted()).await;
    let sentence = phone.sentence().await;
    assert!(sentence.contains("does not speak TLS"), "{sentence}");
    let (listener, address) = listener().await;
    let closing = tokio::spawn(async move { drop(listener.accept().await) });
    let mut phone = Side::opening(address, Transport::Tls, authority.trusted()).await;
    let sentence = phone.sentence().await;
    assert!(sentence.contains("5061 is usual"), "{sentence}");
    closing.await.unwrap();
}

#[tokio::test]
async fn a_handshake_has_a_time_limit_on_both_sides() {
    let limits = Limits {
        handshake: Duration::from_millis(100),
        ..Limits::default()
    };
    let (silent, address) = listener().await;
    let authority = Authority::new();
    for transport in [Transport::Tls, Transport::Ws] {
        let trusted = authority.trusted();
        let mut phone = Side::opening_within(address, transport, trusted, limits).await;
        let sentence = phone.sentence().await;
        assert!(sentence.contains("did not answer by"), "{sentence}");
    }
    drop(silent);
    let mut server = Side::new(Some(authority.issue(DOMAIN)), limits).await;
    let mut slow = TcpStream::connect(server.tls_address()).await.unwrap();
    slow.write_all(b"\x16\x03\x01").await.unwrap();
    assert!(!matches!(slow.read(&mut [0; 1]).await, Ok(1..)));
    let Input::NotAccepted { why, .. } = server.input().await else {
        panic!("not counted");
    };
    assert_eq!(why, NotAccepted::Slow);
    let trusted = authority.trusted();
    let mut phone = Side::opening(server.tls_address(), Transport::Tls, trusted).await;
    phone.connected().await;
    assert!(matches!(server.input().await, Input::Accepted { .. }));
}

#[tokio::test]
async fn a_server_that_demands_a_certificate_is_shown_one_or_that_is_told() {
    let authority = Authority::new();
    let server = authority.issue(DOMAIN);
    let chain = vec![CertificateDer::from_pem_file(&server.certificate).unwrap()];
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let roots = Arc::new(authority.roots());
        let clients = rustls::server::WebPkiClientVerifier::builder_with_provider(
            roots,
            Arc::clone(&provider),
        );
        let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(clients.build().unwrap())
            .with_single_cert(
                chain.clone(),
                PrivateKeyDer::from_pem_file(&server.key).unwrap(),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (listener, address) = listener().await;
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    stream.write_all(b"welcome").await.unwrap();
                    stream.flush().await.unwrap();
                    drop(stream.read(&mut [0; 1]).await);
                }
            }
        });
        let mut anonymous = Side::opening(address, Transport::Tls, authority.trusted()).await;
        let sentence = anonymous.sentence().await;
        assert!(
            sentence.contains("client_certificate"),
            "{version:?}: {sentence}"
        );
        let foreign = Authority::new().issue("alice.example");
        let mut profile = authority.trusted();
        profile.tls.identity = Some(foreign);
        // Its files are gone with their folder.
        let mut lost = Side::opening(address, Transport::Tls, profile.clone()).await;
        let sentence = lost.sentence().await;
        assert!(sentence.contains("cannot be read"), "{sentence}");
        for stranger in [Authority::new(), Authority::named("stranger")] {
            profile.tls.identity = Some(stranger.issue("alice.example"));
            let mut refused = Side::opening(address, Transport::Tls, profile.clone()).await;
            let sentence = refused.sentence().await;
            assert!(
                sentence.contains("refuses the certificate"),
                "{version:?}: {sentence}"
            );
        }
        profile.tls.identity = Some(authority.issue("alice.example"));
        let mut known = Side::opening(address, Transport::Tls, profile).await;
        known.connected().await;
        assert_eq!(known.read(7).await, b"welcome");
    }
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let (one, other) = (authority.issue("a.example"), authority.issue("b.example"));
    let mixed = TlsIdentity {
        certificate: one.certificate.clone(),
        key: other.key,
    };
    let swapped = TlsIdentity {
        certificate: one.key,
        key: one.certificate,
    };
    let lost = TlsIdentity {
        certificate: "/nowhere/a.pem".into(),
        ..mixed.clone()
    };
    for (identity, words) in [
        (mixed, "belongs together"),
        (swapped, "holds none in PEM"),
        (lost, "/nowhere/a.pem cannot be read"),
    ] {
        let options = NetOptions {
            ip: Some(LOOPBACK),
            tls: Some(identity),
            ..NetOptions::default()
        };
        let error = Net::bind(options, mpsc::channel(1).0).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn one_source_may_not_take_all_connections() {
    let limits = Limits {
        connections_per_source: 1,
        ..Limits::default()
    };
    let mut server = Side::new(None, limits).await;
    let address = SocketAddr::new(LOOPBACK, server.net.local().port());
    let first = TcpStream::connect(address).await.unwrap();
    assert!(matches!(server.input().await, Input::Accepted { .. }));
    let mut second = TcpStream::connect(address).await.unwrap();
    assert!(!matches!(second.read(&mut [0; 1]).await, Ok(1..)));
    let counted = Input::NotAccepted {
        source: LOOPBACK,
        why: NotAccepted::TooMany,
    };
    assert_eq!(server.input().await, counted);
    drop(first);
    assert!(matches!(server.input().await, Input::Closed { .. }));
    let _third = TcpStream::connect(address).await.unwrap();
    assert!(matches!(server.input().await, Input::Accepted { .. }));
}

/// What a WebSocket server answers to the upgrade.
#[derive(Clone, Copy)]
enum Upgrade {
    Sip,
    OtherProtocol,
    NotHere,
}

/// A server that echoes one message and then tells what it was asked for.
async fn websocket_server(upgrade: Upgrade, tls: Option<TlsAcceptor>) -> SocketAddr {
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        match tls {
            None => echo(stream, upgrade).await,
            Some(tls) => echo(tls.accept(stream).await.unwrap(), upgrade).await,
        }
    });
    address
}

async fn echo<S: ws::Under>(stream: S, upgrade: Upgrade) {
    #[expect(clippy::result_large_err, reason = "the callback's form is given")]
    let answer = move |request: &Request, mut response: Response| {
        assert_eq!(request.uri().path(), "/ws");
        let asked = request.headers()["Sec-WebSocket-Protocol"].clone();
        assert_eq!(asked, "sip");
        assert!(
            request.headers()["Host"]
                .to_str()
                .unwrap()
                .starts_with(DOMAIN)
        );
        match upgrade {
            Upgrade::Sip => {
                response
                    .headers_mut()
                    .insert("Sec-WebSocket-Protocol", asked);
                Ok(response)
            }
            Upgrade::OtherProtocol => Ok(response),
            Upgrade::NotHere => {
                let mut refusal = ErrorResponse::new(None);
                *refusal.status_mut() = StatusCode::NOT_FOUND;
                Err(refusal)
            }
        }
    };
    let Ok(mut stream) = tokio_tungstenite::accept_hdr_async(stream, answer).await else {
        return;
    };
    while let Some(Ok(message)) = stream.next().await {
        match message {
            Message::Text(text) => stream.send(Message::binary(text.as_bytes().to_vec())).await,
            Message::Binary(bytes) => stream.send(Message::Binary(bytes)).await,
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
            Message::Close(_) => return,
        }
        .unwrap();
    }
}

#[tokio::test]
async fn a_websocket_carries_one_message_in_each_frame() {
    let authority = Authority::new();
    let acceptor = tls::acceptor(&authority.issue(DOMAIN)).unwrap();
    for (transport, tls) in [(Transport::Ws, None), (Transport::Wss, Some(acceptor))] {
        let address = websocket_server(Upgrade::Sip, tls).await;
        let mut phone = Side::opening(address, transport, authority.trusted()).await;
        phone.connected().await;
        let messages: [&[u8]; 3] = [
            b"OPTIONS sip:a SIP/2.0\r\n\r\n",
            b"\xff\xfe",
            &[b'x'; 70_000],
        ];
        for message in messages {
            phone.write(HERE, message);
        }
        for message in messages {
            let echo = Input::Stream {
                connection: HERE,
                bytes: message.to_vec(),
            };
            assert!(phone.input().await == echo);
        }
    }
}

#[tokio::test]
async fn a_server_that_opens_no_websocket_for_sip_is_told() {
    for (upgrade, words) in [
        (Upgrade::OtherProtocol, "none for SIP"),
        (Upgrade::NotHere, "HTTP 404 at /ws"),
    ] {
        let address = websocket_server(upgrade, None).await;
        let trusted = Authority::new().trusted();
        let mut phone = Side::opening(address, Transport::Ws, trusted).await;
        let sentence = phone.sentence().await;
        assert!(sentence.contains(words), "{sentence}");
        assert!(sentence.contains("websocket_path"), "{sentence}");
    }
    let address = answering(b"SIP/2.0 400 Bad Request\r\n\r\n").await;
    let mut phone = Side::opening(address, Transport::Ws, Profile::default()).await;
    let sentence = phone.sentence().await;
    assert!(sentence.contains("opens no WebSocket"), "{sentence}");
}

#[tokio::test]
async fn without_a_name_nothing_secured_is_opened() {
    let (_listener, remote) = listener().await;
    let mut side = Side::new(None, Limits::default()).await;
    side.net.perform(Output::Connect {
        connection: HERE,
        transport: Transport::Tls,
        remote,
        peer: None,
    });
    assert!(side.sentence().await.contains("without a name"));
}
