//! An exchange with one phone: it takes its registration and rings it.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// One socket for all.
pub struct Exchange {
    socket: UdpSocket,
    /// Where the phone is, once it registered.
    phone: Option<(SocketAddr, String)>,
    number: u32,
}

impl Exchange {
    pub fn open() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        Self {
            socket,
            phone: None,
            number: 0,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    /// Takes the phone's registration.
    pub fn register(&mut self) {
        self.phone = None;
        while self.phone.is_none() {
            let _other = self.receive();
        }
    }

    /// Rings it from that number; gives the moment at which the INVITE went out.
    pub fn ring(&mut self, from: &str) -> Instant {
        self.number += 1;
        let own = self.address();
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {} RTP/AVP 0\r\n",
            own.port()
        );
        let content = "Content-Type: application/sdp\r\n";
        let invite = self.request("INVITE", from, "", content, &sdp);
        let begun = Instant::now();
        self.send(&invite);
        begun
    }

    /// Gives up, and waits until that is over.
    pub fn give_up(&mut self, from: &str) {
        self.send(&self.request("CANCEL", from, "", "", ""));
        loop {
            let answer = self.receive();
            if answer.starts_with("SIP/2.0 487") {
                let to = answer.lines().find(|line| line.starts_with("To:"));
                let tag = to.and_then(|to| to.find(";tag").map(|at| to[at..].to_owned()));
                self.send(&self.request("ACK", from, &tag.unwrap_or_default(), "", ""));
                return;
            }
        }
    }

    fn request(&self, method: &str, from: &str, tag: &str, more: &str, body: &str) -> String {
        let (own, number) = (self.address(), self.number);
        let (_, target) = self.phone.as_ref().unwrap();
        format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {own};rport;branch=z9hG4bKring{number}\r\nMax-Forwards: 70\r\nFrom: <sip:{from}@{own}>;tag=r{number}\r\nTo: <sip:bob@{own}>{tag}\r\nCall-ID: {number}@{own}\r\nCSeq: 1 {method}\r\nContact: <sip:{own}>\r\n{more}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    fn send(&self, text: &str) {
        let (to, _) = self.phone.as_ref().unwrap();
        self.socket.send_to(text.as_bytes(), to).unwrap();
    }

    /// The next answer; each request is accepted.
    fn receive(&mut self) -> String {
        let mut buffer = [0; 8192];
        loop {
            let (length, from) = self.socket.recv_from(&mut buffer).unwrap();
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if text.starts_with("SIP/2.0") {
                return text;
            }
            let copied = |name: &str| {
                let line = text.lines().find(|line| line.starts_with(name));
                line.map_or_else(String::new, |line| format!("{line}\r\n"))
            };
            let headers = ["Via:", "From:", "To:", "Call-ID:", "CSeq:", "Contact:"].map(copied);
            let [via, sender, to, call_id, cseq, contact] = &headers;
            let answer = format!(
                "SIP/2.0 200 OK\r\n{via}{sender}{};tag=x\r\n{call_id}{cseq}{contact}Expires: 3600\r\nContent-Length: 0\r\n\r\n",
                to.trim_end()
            );
            self.socket.send_to(answer.as_bytes(), from).unwrap();
            if text.starts_with("REGISTER") {
                let uri = contact.split(['<', '>']).nth(1).unwrap_or_default();
                let uri = uri.split(';').next().unwrap_or_default().to_owned();
                self.phone = Some((from, uri));
                return text;
            }
        }
    }
}
