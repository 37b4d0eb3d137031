//! The torture cases of RFC 4475 over real sockets, and then a normal call.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::datagrams::open_calls;
use crate::phone::Phone;
use crate::place;
use crate::sipp::Sipp;

/// The cases whose answer is looked at here; the simulator looks at all.
const ANSWERS: &[(&str, &[u16])] = &[
    ("intmeth", &[405, 501]),
    ("esc02", &[405, 501]),
    ("escnull", &[200]),
    ("lwsdisp", &[200]),
    ("semiuri", &[200]),
    ("transports", &[200]),
    ("scalar02", &[400]),
    ("quotbal", &[400]),
    ("ltgtruri", &[400]),
    ("lwsruri", &[400]),
    ("badvers", &[505]),
    ("mismatch01", &[400]),
    ("insuf", &[400]),
    ("unkscm", &[416]),
    ("novelsc", &[416]),
    ("bext01", &[420]),
    ("invut", &[415]),
    ("regaut01", &[200]),
    ("multi01", &[400]),
    ("zeromf", &[200]),
    ("sdp01", &[406]),
];

/// All cases by name: the seeds of the message fuzzer.
fn cases() -> Vec<(String, Vec<u8>)> {
    let folder: PathBuf = place::root().join("fuzz/seeds/message");
    let mut cases: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_prefix("torture-")?;
            Some((name.to_owned(), std::fs::read(&path).unwrap()))
        })
        .collect();
    cases.sort();
    cases
}

fn expected(case: &str) -> Option<&'static [u16]> {
    let (_, codes) = ANSWERS.iter().find(|(name, _)| *name == case)?;
    Some(codes)
}

fn status(bytes: &[u8]) -> Option<u16> {
    let text = String::from_utf8_lossy(bytes);
    text.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
}

/// Writes our address into a message, so that nothing leaves the loopback.
fn from_us(bytes: &[u8], us: SocketAddr) -> String {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    text.replace("10.0.0.200:5070", &us.to_string())
}

fn by_datagram(phone: &Phone, case: &str, bytes: &[u8]) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let text = from_us(bytes, socket.local_addr().unwrap());
    socket.send_to(text.as_bytes(), phone.address()).unwrap();
    if let Some(codes) = expected(case) {
        let mut buffer = [0; 65_536];
        let (length, _) = socket
            .recv_from(&mut buffer)
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        let code = status(&buffer[..length]).unwrap();
        assert!(codes.contains(&code), "{case} by UDP: {code}");
    }
}

fn by_stream(phone: &Phone, case: &str, bytes: &[u8]) {
    let mut stream = TcpStream::connect(phone.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let text = from_us(bytes, stream.local_addr().unwrap())
        .replace("/UDP", "/TCP")
        .replace("z9hG4bK-", "z9hG4bK-stream-")
        .replace("Call-ID: ", "Call-ID: stream-");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let text = if head.contains("Content-Length") || head.contains("l:") {
        text
    } else {
        let length = body.len();
        format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    stream.write_all(text.as_bytes()).unwrap();
    if let Some(codes) = expected(case) {
        let mut buffer = [0; 65_536];
        let length = stream
            .read(&mut buffer)
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        let code = status(&buffer[..length]).unwrap();
        assert!(codes.contains(&code), "{case} by TCP: {code}");
    }
}

#[test]
fn after_all_torture_the_phone_takes_a_call() {
    let mut phone = Phone::start(&["--no-register", "--rate-limit", "off"]);
    let cases = cases();
    // Its 49, one of them in two forms.
    assert_eq!(cases.len(), 50);
    for (case, bytes) in &cases {
        by_datagram(&phone, case, bytes);
        by_stream(&phone, case, bytes);
    }
    // Those that were calls ring.
    phone.wait("incoming");
    let ringing = open_calls(&mut phone);
    assert!(ringing.len() <= 4, "more calls than it takes: {ringing:?}");
    for call in ringing {
        phone.send(&json!({ "command": "hangup", "call_id": call }));
    }
    while !open_calls(&mut phone).is_empty() {
        phone.wait("ended");
    }

    let sipp = Sipp::to(phone.address(), "bye-from-caller", &[]);
    let incoming = phone.wait("incoming");
    phone.send(&json!({ "command": "answer", "call_id": incoming["call_id"] }));
    sipp.passes();
    let ended = phone.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}
