//! A bad network between two phones on this machine: SIP passes with its media addresses exchanged, sound
//! loses packets and comes late by a seed, RTCP passes.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ringdesk::media::rtp::{RtpPacket, is_rtcp};

/// What the network does to the sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weather {
    /// The share of packets lost, 0.0 to 1.0, one by one.
    pub loss: f64,
    /// Each packet comes so much later at most, in milliseconds; more than a packet reorders.
    pub jitter: u64,
    pub seed: u64,
}

impl Weather {
    /// When a packet arrives that is sent now, `direction` telling the two ways apart; none when it is
    /// lost. The same for each phone: it depends on the packet's number alone.
    fn fate(self, direction: u64, number: u64) -> Option<Duration> {
        let chance = |what: u64| {
            let mut x = (self.seed * 8 + direction * 2 + what).wrapping_mul(0x9e37_79b9_7f4a_7c15)
                ^ number.wrapping_mul(0xd1b5_4a32_d192_ed03);
            for factor in [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb] {
                x = (x ^ (x >> 29)).wrapping_mul(factor);
            }
            (x >> 40) as f64 / f64::from(1 << 24)
        };
        let late = chance(1) * self.jitter as f64;
        (chance(0) >= self.loss).then(|| Duration::from_secs_f64(late / 1_000.0))
    }
}

/// What the caller sent: payloads by their place behind the first.
pub type Passed = BTreeMap<i64, Sent>;

/// A packet of the caller.
pub struct Sent {
    pub payload: Vec<u8>,
    pub lost: bool,
}

/// The network between a caller and one called.
pub struct Relay {
    pub port: u16,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<Passed>>,
}

impl Relay {
    /// Begins to pass what comes on to the phone at `called`.
    pub fn start(called: u16, weather: Weather) -> Self {
        let sip = bind(0).unwrap();
        let port = sip.local_addr().unwrap().port();
        let over = Arc::new(AtomicBool::new(false));
        let mut network = Network {
            sip,
            caller: None,
            called: local(called),
            sides: [Side::new(), Side::new()],
            weather,
            waiting: Vec::new(),
            passed: Passed::new(),
            last: None,
            extended: 0,
        };
        let ends = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                network.step();
                std::thread::sleep(Duration::from_micros(500));
            }
            network.passed
        });
        Self {
            port,
            over,
            thread: Some(thread),
        }
    }

    /// Ends it; gives what the caller sent.
    pub fn end(mut self) -> Passed {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

/// One phone's side: the ports that it sends to, and where it wants its sound.
struct Side {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    wants: Option<SocketAddr>,
    packets: u64,
}

impl Side {
    fn new() -> Self {
        loop {
            let rtp = bind(0).unwrap();
            let port = rtp.local_addr().unwrap().port();
            if port.is_multiple_of(2)
                && let Some(rtcp) = bind(port + 1)
            {
                return Self {
                    rtp,
                    rtcp,
                    wants: None,
                    packets: 0,
                };
            }
        }
    }

    fn port(&self) -> u16 {
        self.rtp.local_addr().unwrap().port()
    }
}

struct Network {
    sip: UdpSocket,
    caller: Option<SocketAddr>,
    called: SocketAddr,
    /// The caller's and the called one's.
    sides: [Side; 2],
    weather: Weather,
    /// When a datagram goes on, to which side, whether to its RTCP port.
    waiting: Vec<(Instant, usize, bool, Vec<u8>)>,
    passed: Passed,
    /// The caller's last sequence number, and how far that is from its first.
    last: Option<u16>,
    extended: i64,
}

impl Network {
    fn step(&mut self) {
        let mut buffer = [0; 4_096];
        while let Ok((length, from)) = self.sip.recv_from(&mut buffer) {
            self.signal(from, &buffer[..length]);
        }
        let now = Instant::now();
        for side in 0..2 {
            while let Ok((length, _)) = self.sides[side].rtp.recv_from(&mut buffer) {
                self.sound(now, side, &buffer[..length]);
            }
            while let Ok((length, _)) = self.sides[side].rtcp.recv_from(&mut buffer) {
                let report = buffer[..length].to_vec();
                self.waiting.push((now, 1 - side, true, report));
            }
        }
        self.waiting.sort_by_key(|(at, ..)| *at);
        let due = self.waiting.partition_point(|(at, ..)| *at <= now);
        for (_, to, rtcp, bytes) in self.waiting.drain(..due) {
            let side = &self.sides[to];
            let Some(mut address) = side.wants else {
                continue;
            };
            // From the port that this phone sends to, as symmetric RTP wants it.
            let socket = if rtcp {
                address.set_port(address.port() + 1);
                &side.rtcp
            } else {
                &side.rtp
            };
            let _refused = socket.send_to(&bytes, address);
        }
    }

    fn signal(&mut self, from: SocketAddr, message: &[u8]) {
        let by_called = from == self.called;
        if !by_called {
            self.caller = Some(from);
        }
        let to = if by_called {
            self.caller
        } else {
            Some(self.called)
        };
        let side = usize::from(by_called);
        let message = self.exchange(side, &String::from_utf8_lossy(message));
        if let Some(to) = to {
            let _refused = self.sip.send_to(message.as_bytes(), to);
        }
    }

    /// Puts the ports of the other side in place of those that a phone asks for sound at.
    fn exchange(&mut self, side: usize, message: &str) -> String {
        let Some((head, body)) = message.split_once("\r\n\r\n") else {
            return message.to_owned();
        };
        let Some(at) = body.find("m=audio ") else {
            return message.to_owned();
        };
        let rest = &body[at + "m=audio ".len()..];
        let (port, after) = rest.split_once(' ').unwrap();
        self.sides[side].wants = Some(local(port.parse().unwrap()));
        let stands = self.sides[1 - side].port();
        let body = format!("{}m=audio {stands} {after}", &body[..at]);
        // An address of its own for RTCP would lead past us.
        let body: String = body
            .split_inclusive("\r\n")
            .filter(|line| !line.starts_with("a=rtcp:"))
            .collect();
        let head: Vec<String> = head
            .split("\r\n")
            .map(|line| match line.split_once(':') {
                Some((name, _)) if name.eq_ignore_ascii_case("content-length") => {
                    format!("{name}: {}", body.len())
                }
                _ => line.to_owned(),
            })
            .collect();
        format!("{}\r\n\r\n{body}", head.join("\r\n"))
    }

    fn sound(&mut self, now: Instant, side: usize, datagram: &[u8]) {
        let Some(packet) = RtpPacket::parse(datagram).filter(|_| !is_rtcp(datagram)) else {
            self.waiting.push((now, 1 - side, false, datagram.to_vec()));
            return;
        };
        let number = self.sides[side].packets;
        self.sides[side].packets += 1;
        let fate = self.weather.fate(u64::from(side == 1), number);
        if side == 0 {
            let sequence = packet.sequence;
            let ahead = sequence.wrapping_sub(self.last.unwrap_or(sequence));
            self.extended += i64::from(ahead.cast_signed());
            self.last = Some(sequence);
            let sent = Sent {
                payload: packet.payload.to_vec(),
                lost: fate.is_none(),
            };
            self.passed.insert(self.extended, sent);
        }
        if let Some(late) = fate {
            self.waiting
                .push((now + late, 1 - side, false, datagram.to_vec()));
        }
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn bind(port: u16) -> Option<UdpSocket> {
    let socket = UdpSocket::bind(local(port)).ok()?;
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}
