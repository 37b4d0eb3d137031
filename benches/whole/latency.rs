//! INVITE to 180 and to 200, one call after the other.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::figure::{Figure, Limit, millis};
use crate::phone::{Kind, Phone, socket};
use crate::{RUNS, middle};

/// Calls in each run.
const CALLS: u32 = 200;

/// Measures the phones in turn, run by run, so that a busy moment meets both.
pub fn latency(peers: &[Kind]) -> Vec<Figure> {
    let mut callers: Vec<_> = peers.iter().map(|kind| Caller::of(*kind)).collect();
    let mut medians = vec![(Vec::new(), Vec::new()); callers.len()];
    for _ in 0..RUNS {
        for (caller, medians) in callers.iter_mut().zip(&mut medians) {
            let (ringing, answered) = (0..CALLS).map(|_| caller.call()).unzip();
            medians.0.push(middle(ringing));
            medians.1.push(middle(answered));
        }
    }
    let mut results = Vec::new();
    for (kind, (ringing, answered)) in peers.iter().zip(medians) {
        println!("{kind:?}: medians of runs, INVITE to 180 {ringing:.2?}, to 200 {answered:.2?}");
        results.push((middle(ringing), middle(answered)));
    }
    let ours = results[0];
    let theirs = results.get(1);
    vec![
        Figure {
            name: "INVITE to 180, its row on disk in between",
            unit: "ms",
            ours: millis(ours.0),
            baresip: theirs.map(|theirs| millis(theirs.0)),
            limit: Limit::NotAboveBaresip,
        },
        Figure {
            name: "INVITE to 200",
            unit: "ms",
            ours: millis(ours.1),
            baresip: theirs.map(|theirs| millis(theirs.1)),
            limit: Limit::NotAboveBaresip,
        },
    ]
}

/// A caller by hand: SIPp's clock is too coarse for this.
struct Caller {
    phone: Phone,
    socket: UdpSocket,
    number: u32,
}

impl Caller {
    fn of(kind: Kind) -> Self {
        let phone = Phone::start(kind, None);
        phone.until_bound();
        Self {
            phone,
            socket: socket(),
            number: 0,
        }
    }

    fn call(&mut self) -> (Duration, Duration) {
        self.number += 1;
        let number = self.number;
        let to = self.to();
        let own = self.socket.local_addr().unwrap();
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
            own.port()
        );
        let request = |method: &str, cseq: u32, to_tag: &str, body: &str| {
            let kind = match body {
                "" => "",
                _ => "Content-Type: application/sdp\r\n",
            };
            format!(
                "{method} sip:alice@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {own};rport;branch=z9hG4bK{number}{method}\r\nMax-Forwards: 70\r\nFrom: <sip:bench@{own}>;tag=b{number}\r\nTo: <sip:alice@{to}>{to_tag}\r\nCall-ID: {number}@{own}\r\nCSeq: {cseq} {method}\r\nContact: <sip:bench@{own}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let begun = Instant::now();
        self.send(&request("INVITE", 1, "", &sdp));
        let mut ringing = None;
        let tag = loop {
            let answer = self.receive();
            if answer.starts_with("SIP/2.0 180") {
                ringing.get_or_insert_with(|| begun.elapsed());
            } else if answer.starts_with("SIP/2.0 200") {
                let to = answer.lines().find(|line| line.starts_with("To:")).unwrap();
                break to[to.find(";tag").unwrap()..].to_owned();
            }
        };
        let answered = begun.elapsed();
        self.send(&request("ACK", 1, &tag, ""));
        self.send(&request("BYE", 2, &tag, ""));
        while !self.receive().contains("CSeq: 2 BYE") {}
        // The far end puts the call away before the next one.
        std::thread::sleep(Duration::from_millis(5));
        (ringing.unwrap_or(answered), answered)
    }

    fn to(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.phone.port))
    }

    fn send(&self, text: &str) {
        self.socket.send_to(text.as_bytes(), self.to()).unwrap();
    }

    /// The next SIP message; RTP to the same port is passed over.
    fn receive(&self) -> String {
        let mut buffer = [0; 4096];
        loop {
            let length = self.socket.recv(&mut buffer).unwrap();
            if buffer.starts_with(b"SIP/2.0") {
                return String::from_utf8_lossy(&buffer[..length]).into_owned();
            }
        }
    }
}
