//! A caller by hand: SIPp's clock is too coarse for some figures, and it makes no sound.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::phone::{Phone, socket};

/// One phone, and a socket that calls it for SIP and sound.
pub struct Caller {
    pub phone: Phone,
    pub socket: UdpSocket,
    number: u32,
}

/// An answered call.
pub struct Talk {
    /// From the INVITE to 180.
    pub ringing: Option<Duration>,
    /// From the INVITE to 200.
    pub answered: Duration,
    /// Where the phone hears.
    pub sound_to: SocketAddr,
    number: u32,
    tag: String,
}

impl Caller {
    pub fn of(phone: Phone) -> Self {
        phone.until_bound();
        Self {
            phone,
            socket: socket(),
            number: 0,
        }
    }

    /// Calls, offering that payload type, and waits for the answer.
    pub fn call(&mut self, payload_type: &str, attributes: &str) -> Talk {
        self.number += 1;
        let number = self.number;
        let port = self.socket.local_addr().unwrap().port();
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP {payload_type}\r\n{attributes}"
        );
        let begun = Instant::now();
        self.send(&self.request(number, "INVITE", 1, "", &sdp));
        let mut ringing = None;
        let answer = loop {
            let answer = self.receive();
            if answer.starts_with("SIP/2.0 180") {
                ringing.get_or_insert_with(|| begun.elapsed());
            } else if answer.starts_with("SIP/2.0 200") {
                break answer;
            }
        };
        let answered = begun.elapsed();
        let to = answer.lines().find(|line| line.starts_with("To:")).unwrap();
        let tag = to[to.find(";tag").unwrap()..].to_owned();
        let media = answer
            .lines()
            .find_map(|line| line.strip_prefix("m=audio "))
            .unwrap();
        let port = media.split(' ').next().unwrap().parse().unwrap();
        self.send(&self.request(number, "ACK", 1, &tag, ""));
        Talk {
            ringing,
            answered,
            sound_to: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            number,
            tag,
        }
    }

    /// Ends a call, and waits until that is answered.
    pub fn hang_up(&self, talk: &Talk) {
        self.send(&self.request(talk.number, "BYE", 2, &talk.tag, ""));
        while !self.receive().contains("CSeq: 2 BYE") {}
    }

    fn request(&self, number: u32, method: &str, cseq: u32, to_tag: &str, body: &str) -> String {
        let (to, own) = (self.to(), self.socket.local_addr().unwrap());
        let kind = match body {
            "" => "",
            _ => "Content-Type: application/sdp\r\n",
        };
        format!(
            "{method} sip:alice@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {own};rport;branch=z9hG4bK{number}{method}\r\nMax-Forwards: 70\r\nFrom: <sip:bench@{own}>;tag=b{number}\r\nTo: <sip:alice@{to}>{to_tag}\r\nCall-ID: {number}@{own}\r\nCSeq: {cseq} {method}\r\nContact: <sip:bench@{own}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
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
