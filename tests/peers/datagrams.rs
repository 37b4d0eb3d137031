//! Mutated datagrams, to the SIP port and to the RTP port of a call: the phone stays, and then
//! answers a call.
//!
//! `RINGDESK_DATAGRAMS` says how many; `make soak` sends a million to a release build with overflow
//! checks. The mutations are repeatable: `RINGDESK_SEED` is printed and taken.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use serde_json::json;

use crate::phone::Phone;
use crate::place;
use crate::random::{Random, number_from};
use crate::sipp::Sipp;

/// How many are sent when nobody says.
const SAMPLE: u64 = 30_000;
/// After so many the phone must answer a sane OPTIONS; so none is lost in a full socket buffer.
const BURST: u64 = 100;

/// Pieces that have hurt parsers before.
const PIECES: &[&str] = &[
    "\r\n",
    "\r\n\r\n",
    ": ",
    ";",
    ",",
    "\"",
    "<",
    ">",
    "%00",
    "%zz",
    "\0",
    "=",
    "[::1]",
    "[",
    "sip:",
    "tel:+",
    "@",
    "99999999999999999999",
    "-1",
    "4294967296",
    "18446744073709551616",
    "Content-Length: 4294967295\r\n",
    "Content-Length: -1\r\n",
    "l: 0\r\n",
    "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK\r\n",
    "Contact: *\r\n",
    "Route: <sip:127.0.0.1:9;lr>\r\n",
    "Record-Route: <sip:127.0.0.1:9>\r\n",
    "Require: \r\n",
    "Max-Forwards: 0\r\n",
    "a=rtpmap:96 opus/48000/2\r\n",
    "m=audio 65535 RTP/AVP 0 8 96\r\n",
    "c=IN IP4 255.255.255.255\r\n",
    "a=ptime:0\r\n",
    "a=ptime:4000000000\r\n",
    "\u{fffd}",
    "\u{1f600}",
];

const METHODS: &[&str] = &[
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "REGISTER",
    "INFO",
    "REFER",
    "NOTIFY",
    "SUBSCRIBE",
    "UPDATE",
    "PRACK",
    "MESSAGE",
    "PUBLISH",
    "FROBNICATE",
];

/// A sane message, from which mutations begin.
fn seed_message(random: &mut Random, from: SocketAddr, to: SocketAddr) -> Vec<u8> {
    let method = METHODS[random.below(METHODS.len())];
    let call = random.below(64);
    let cseq = random.below(8);
    let tag = if random.below(2) == 0 {
        String::new()
    } else {
        format!(";tag=t{call}")
    };
    let status = 100 + random.below(600);
    let start = if random.below(4) == 0 {
        format!("SIP/2.0 {status} Some Reason")
    } else {
        format!("{method} sip:phone@{to} SIP/2.0")
    };
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
               m=audio 40000 RTP/AVP 96 8 0 101\r\na=rtpmap:96 opus/48000/2\r\n\
               a=fmtp:96 useinbandfec=1\r\na=rtpmap:101 telephone-event/8000\r\n\
               a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
    let branch = random.below(4096);
    format!(
        "{start}\r\n\
         Via: SIP/2.0/UDP {from};rport;branch=z9hG4bK-{branch}\r\n\
         Max-Forwards: 70\r\n\
         From: \"A \\\"b\\\" c\" <sip:someone@{from};transport=udp>;tag=f{call}\r\n\
         To: <sip:phone@{to}>{tag}\r\n\
         Call-ID: mutated-{call}@127.0.0.1\r\n\
         CSeq: {cseq} {method}\r\n\
         Contact: <sip:someone@{from}>;expires=60\r\n\
         Supported: timer, 100rel,\r\n replaces\r\n\
         WWW-Authenticate: Digest realm=\"x\", nonce=\"y\", algorithm=SHA-256, qop=\"auth,auth-int\"\r\n\
         Record-Route: <sip:127.0.0.1:9;lr>\r\n\
         Content-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    )
    .into_bytes()
}

/// A sane RTP or RTCP packet.
fn seed_packet(random: &mut Random) -> Vec<u8> {
    let kinds = [0_u8, 8, 96, 101, 72, 73, 200, 201, 202, 203];
    let mut packet = vec![0x80, kinds[random.below(kinds.len())]];
    let length = 10 + random.below(300);
    packet.extend((0..length).map(|_| random.byte()));
    packet
}

/// One to eight changes.
fn mutate(random: &mut Random, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len() + 1);
        let upto = (at + random.below(40)).min(bytes.len());
        match random.below(8) {
            0 | 1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.byte();
                }
            }
            2 => {
                bytes.drain(at..upto);
            }
            3 | 4 => {
                let piece = PIECES[random.below(PIECES.len())];
                bytes.splice(at..at, piece.bytes());
            }
            5 => {
                let copy = bytes[at..upto].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            6 => {
                let byte = random.byte();
                let many = 1 << random.below(12);
                bytes.splice(at..at, std::iter::repeat_n(byte, many));
            }
            _ => bytes.truncate(at.max(random.below(bytes.len() + 1))),
        }
        bytes.truncate(60_000);
    }
    bytes
}

/// The status that the phone gives a sane OPTIONS: it is there, and has read all that came before.
fn status_of_options(socket: &UdpSocket, to: SocketAddr, number: u64) -> u16 {
    let from = socket.local_addr().unwrap();
    let request = format!(
        "OPTIONS sip:phone@{to} SIP/2.0\r\n\
         Via: SIP/2.0/UDP {from};rport;branch=z9hG4bK-alive-{number}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:alive@{from}>;tag=alive\r\n\
         To: <sip:phone@{to}>\r\n\
         Call-ID: alive-{number}\r\n\
         CSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let expected = format!("alive-{number}\r\n");
    let mut buffer = [0; 65_536];
    // Twenty copies half a second apart, as a client transaction would send them.
    for _ in 0..20 {
        socket.send_to(request.as_bytes(), to).unwrap();
        while let Ok((length, _)) = socket.recv_from(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]);
            let status = text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3));
            if let Some(status) = status
                && text.contains(&expected)
            {
                return status.parse().unwrap();
            }
        }
    }
    panic!("the phone does not answer after {number} mutated datagrams");
}

/// The calls that began and did not end.
pub(crate) fn open_calls(phone: &mut Phone) -> BTreeSet<String> {
    let mut open = BTreeSet::new();
    for event in phone.drain() {
        let Some(id) = event["call_id"].as_str() else {
            continue;
        };
        // What is told of a call after its end opens it no more.
        match event["event"].as_str() {
            Some("incoming" | "outgoing") => {
                open.insert(id.to_owned());
            }
            Some("ended") => {
                open.remove(id);
            }
            _ => {}
        }
    }
    open
}

#[test]
fn mutated_datagrams_leave_a_phone_that_answers_a_call() {
    let count = number_from("RINGDESK_DATAGRAMS").unwrap_or(SAMPLE);
    let seed = number_from("RINGDESK_SEED").unwrap_or(20_261_121);
    println!("{count} mutated datagrams, RINGDESK_SEED={seed}");
    let mut random = Random(seed);
    let mut phone = Phone::start(&["--no-register", "--auto-answer", "--rate-limit", "off"]);
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let from = socket.local_addr().unwrap();
    let to = phone.address();
    let mut rtp: Option<SocketAddr> = None;
    for number in 0..count {
        let target = rtp.filter(|_| random.below(4) == 0);
        let seed = match target {
            Some(_) => seed_packet(&mut random),
            None => seed_message(&mut random, from, to),
        };
        let datagram = mutate(&mut random, seed);
        socket.send_to(&datagram, target.unwrap_or(to)).unwrap();
        if number % BURST == BURST - 1 {
            // Each datagram that could be read holds a transaction for half a minute; past its
            // limit the phone refuses in words.
            let status = status_of_options(&socket, to, number + 1);
            assert!(matches!(status, 200 | 503), "{status}");
            rtp = phone
                .drain()
                .iter()
                .rev()
                .filter(|event| event["event"] == "media")
                .find_map(|event| event["local"].as_str()?.parse().ok())
                .or(rtp);
        }
    }
    assert!(
        rtp.is_some(),
        "no mutated INVITE was taken, so no RTP was sent"
    );
    // Calls that mutated INVITEs began have no peer that would end them. Without an ACK they may
    // last another 64*T1.
    for id in open_calls(&mut phone) {
        phone.send(&json!({ "command": "hangup", "call_id": id }));
    }
    while !open_calls(&mut phone).is_empty() {
        phone.wait_for("ended", Duration::from_secs(60), |event| {
            event["event"] == "ended"
        });
    }
    let mut number = count;
    place::until_within(Duration::from_secs(60), "the phone stays too busy", || {
        number += 1;
        (status_of_options(&socket, to, number) == 200).then_some(())
    });
    // From another source, whose share of the transactions the flood has left alone.
    let phone_at = to.to_string();
    Sipp::from(&[], "127.0.0.2", &phone_at, "bye-from-caller", &[]).passes();
    let ended = phone.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}
