//! A crowd of strangers at the phone's door, over real sockets.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::runtime::Builder;

use crate::phone::Phone;

/// How many streams one source may open, and how many sources fill the table (192).
const OF_SOURCE: usize = 64;
const SOURCES: u8 = 3;

/// A stream to the phone from an address of the loopback.
fn stream(from: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let runtime = Builder::new_current_thread().enable_io().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    let limit = Some(Duration::from_secs(5));
    stream.set_read_timeout(limit).unwrap();
    stream
}

/// What the phone writes next; nothing when it closes the stream.
fn answer(stream: &mut TcpStream) -> String {
    let mut buffer = [0; 4096];
    // A close that our own octets crossed is told as a reset.
    let length = match stream.read(&mut buffer) {
        Ok(length) => length,
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
            0
        }
    };
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

fn ping(stream: &mut TcpStream) -> bool {
    // It may be closed already.
    drop(stream.write_all(b"\r\n\r\n"));
    answer(stream) == "\r\n"
}

/// A server of the account once found no stream free when strangers held them all.
#[test]
fn the_own_server_is_heard_when_strangers_hold_all_streams() {
    // It never answers; that it is the account's registrar is enough.
    let registrar = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let registrar = registrar.local_addr().unwrap().to_string();
    let phone = Phone::start(&[
        "--account",
        "sip:us@lab.example",
        "--registrar",
        &registrar,
        "--password-env",
        "RINGDESK_TEST_PASSWORD",
    ]);
    let mut strangers: Vec<TcpStream> = Vec::new();
    for source in 0..SOURCES {
        for _ in 0..OF_SOURCE {
            let mut stranger = stream(Ipv4Addr::new(127, 0, 0, 2 + source), phone.address());
            assert!(ping(&mut stranger));
            strangers.push(stranger);
        }
    }
    let mut refused = stream(Ipv4Addr::new(127, 0, 0, 9), phone.address());
    assert!(!ping(&mut refused), "there is no limit");
    let mut server = stream(Ipv4Addr::LOCALHOST, phone.address());
    let us = server.local_addr().unwrap();
    let options = format!(
        "OPTIONS sip:us@{to} SIP/2.0\r\n\
         Via: SIP/2.0/TCP {us};rport;branch=z9hG4bKserver\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:server@{us}>;tag=s\r\n\
         To: <sip:us@{to}>\r\n\
         Call-ID: server\r\n\
         CSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n",
        to = phone.address()
    );
    server.write_all(options.as_bytes()).unwrap();
    let heard = answer(&mut server);
    assert!(heard.starts_with("SIP/2.0 200 "), "{heard}");
    // One idle stranger made room, the first.
    let mut strangers = strangers.into_iter();
    assert!(!ping(&mut strangers.next().unwrap()));
    assert!(strangers.all(|mut stranger| ping(&mut stranger)));
}
