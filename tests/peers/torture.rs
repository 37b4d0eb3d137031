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

const ALLOWED: &[u16] = &[405, 501];
const BAD: &[u16] = &[400];
const OK: &[u16] = &[200];
const TRYING: &[u16] = &[100];
const SILENCE: &[u16] = &[];

/// Each case by its name in RFC 4475, and what the first answer to it may be; none where nobody is
/// to be answered.
const REACTIONS: [(&str, &[u16]); 50] = [
    // Section 3.1.1: valid, though odd.
    ("wsinv", &[481]),
    ("intmeth", ALLOWED),
    ("esc01", TRYING),
    ("escnull", OK),
    ("esc02", ALLOWED),
    ("lwsdisp", OK),
    ("longreq", TRYING),
    ("dblreq", OK),
    ("semiuri", OK),
    ("transports", OK),
    ("mpart01", OK),
    ("unreason", SILENCE),
    ("noreason", SILENCE),
    // Section 3.1.2: invalid.
    ("badinv01", BAD),
    ("clerr", BAD),
    ("ncl", BAD),
    ("scalar02", BAD),
    ("scalarlg", SILENCE),
    ("quotbal", BAD),
    ("ltgtruri", BAD),
    ("lwsruri", BAD),
    ("lwsstart", BAD),
    ("trws", BAD),
    ("escruri", TRYING),
    ("baddate", TRYING),
    ("regbadct", BAD),
    ("badaspec", BAD),
    ("baddn", &[200, 400]),
    ("badvers", &[505]),
    ("mismatch01", BAD),
    ("mismatch02", &[400, 501]),
    ("bigcode", SILENCE),
    // Section 3.2: of the transaction layer.
    ("badbranch", OK),
    // Section 3.3: of the application layer.
    ("insuf", BAD),
    ("insuf-without-via", SILENCE),
    ("unkscm", &[416]),
    ("novelsc", &[416]),
    ("unksm2", ALLOWED),
    ("bext01", &[420]),
    ("invut", &[415]),
    ("regaut01", OK),
    ("multi01", BAD),
    ("mcl01", BAD),
    ("bcast", SILENCE),
    ("zeromf", OK),
    ("cparam01", ALLOWED),
    ("cparam02", ALLOWED),
    ("regescrt", ALLOWED),
    ("sdp01", &[406]),
    // Section 3.4: of an older phone.
    ("inv2543", TRYING),
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

fn expected(case: &str) -> &'static [u16] {
    let known = REACTIONS.iter().find(|(name, _)| *name == case);
    let (_, codes) = known.unwrap_or_else(|| panic!("{case} has no reaction"));
    codes
}

/// A request that is answered for certain: where nothing is answered before it, nothing was to be.
fn options(us: SocketAddr, transport: &str, case: &str) -> String {
    format!(
        "OPTIONS sip:us@10.0.0.1 SIP/2.0\r\n\
         Via: SIP/2.0/{transport} {us};rport;branch=z9hG4bK-after-{transport}-{case}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:caller@home.example>;tag=f1\r\n\
         To: <sip:us@10.0.0.1>\r\n\
         Call-ID: after-{transport}-{case}\r\n\
         CSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// Compares the first answer with the table.
fn judge(case: &str, by: &str, answer: &[u8]) {
    let text = String::from_utf8_lossy(answer);
    // Over a stream both answers may come at once.
    let text = text.split("\r\n\r\n").next().unwrap_or_default();
    let after = format!("after-{by}-{case}");
    let answers_after = text
        .lines()
        .any(|line| line.strip_prefix("Call-ID: ") == Some(&after));
    let rest = text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3));
    let code: u16 = rest.unwrap_or_default().parse().unwrap_or_default();
    if expected(case).is_empty() {
        assert!(answers_after && code == 200, "{case} by {by}: {text}");
    } else {
        assert!(!answers_after, "{case} by {by} is not answered");
        assert!(expected(case).contains(&code), "{case} by {by}: {text}");
    }
}

/// Writes our address into a message, so that nothing leaves the loopback.
fn from_us(bytes: &[u8], us: SocketAddr) -> String {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    // One case names no port.
    text.replace("10.0.0.200:5070", &us.to_string())
        .replace("10.0.0.200;branch", &format!("{us};branch"))
}

fn by_datagram(phone: &Phone, case: &str, bytes: &[u8]) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let text = from_us(bytes, socket.local_addr().unwrap());
    socket.send_to(text.as_bytes(), phone.address()).unwrap();
    let after = options(socket.local_addr().unwrap(), "UDP", case);
    socket.send_to(after.as_bytes(), phone.address()).unwrap();
    let mut buffer = [0; 65_536];
    let (length, _) = socket
        .recv_from(&mut buffer)
        .unwrap_or_else(|error| panic!("{case}: {error}"));
    judge(case, "UDP", &buffer[..length]);
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
    // The rest of it is waited for, whatever comes; the simulator looks at the end of that.
    if case == "clerr" {
        return;
    }
    // What has no length closes the stream, perhaps before this is written.
    let after = options(stream.local_addr().unwrap(), "TCP", case);
    drop(stream.write_all(after.as_bytes()));
    let mut buffer = [0; 65_536];
    let length = stream
        .read(&mut buffer)
        .unwrap_or_else(|error| panic!("{case}: {error}"));
    judge(case, "TCP", &buffer[..length]);
}

#[test]
fn after_all_torture_the_phone_takes_a_call() {
    let mut phone = Phone::start(&["--no-register", "--rate-limit", "off"]);
    let cases = cases();
    // Its 49, one of them in two forms.
    assert_eq!(cases.len(), REACTIONS.len());
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
