//! When packets came, as the kernel stamped them: how late this process is to read them does not count.

use std::io::IoSliceMut;
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, setsockopt, sockopt::ReceiveTimestampns,
};
use nix::sys::time::TimeSpec;

/// A packet is late when it comes so long after its due time.
const LATE: Duration = Duration::from_millis(5);
/// What the system keeps for a socket that is not read for a while, in bytes.
const BUFFER: usize = 4 << 20;

/// Stamps what comes to a socket.
#[derive(Clone, Copy)]
pub struct Clock;

/// A packet.
pub struct Stamped {
    pub from: SocketAddr,
    /// Since the epoch.
    pub at: Duration,
    pub packet: Vec<u8>,
}

impl Clock {
    /// Has a socket's datagrams stamped from now on.
    pub fn of(socket: &UdpSocket) -> Self {
        setsockopt(socket, ReceiveTimestampns, &true).unwrap();
        if rustix::net::sockopt::set_socket_recv_buffer_size_force(socket, BUFFER).is_err() {
            rustix::net::sockopt::set_socket_recv_buffer_size(socket, BUFFER).unwrap();
        }
        Self
    }

    /// The next datagram that is there.
    pub fn receive(self, socket: &UdpSocket) -> Option<Stamped> {
        let mut bytes = [0; 2_048];
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let mut space = nix::cmsg_space!(TimeSpec);
        let flags = MsgFlags::MSG_DONTWAIT;
        let message =
            recvmsg::<SockaddrIn>(socket.as_raw_fd(), &mut parts, Some(&mut space), flags).ok()?;
        let stamp = |message| match message {
            ControlMessageOwned::ScmTimestampns(stamp) => Some(Duration::from(stamp)),
            _ => None,
        };
        let at = message.cmsgs().unwrap().find_map(stamp).unwrap();
        let from = SocketAddrV4::from(message.address.unwrap()).into();
        let length = message.bytes;
        Some(Stamped {
            from,
            at,
            packet: bytes[..length].to_vec(),
        })
    }
}

/// The packets of one call that came back.
#[derive(Default)]
pub struct Stream {
    /// RTP timestamp and arrival of each.
    came: Vec<(u32, Duration)>,
    loud: usize,
}

/// How a stream kept its time.
pub struct Lateness {
    pub packets: usize,
    pub late: usize,
    pub worst: Duration,
    /// Packets in which there is more than silence.
    pub loud: usize,
}

impl Stream {
    /// Takes a packet of RTP.
    pub fn take(&mut self, at: Duration, packet: &[u8]) {
        let timestamp = u32::from_be_bytes(packet[4..8].try_into().unwrap());
        self.came.push((timestamp, at));
        let payload = &packet[12..];
        let flat = payload.iter().all(|byte| *byte == payload[0]);
        self.loud += usize::from(!flat && payload.len() > 20);
    }

    /// How it kept the grid of its timestamps, which is laid through the middle one of all arrivals.
    pub fn lateness(&self, clock_rate: u32) -> Lateness {
        let (first, begun) = self.came[0];
        let mut offsets: Vec<i128> = self
            .came
            .iter()
            .map(|(timestamp, at)| {
                let since = timestamp.wrapping_sub(first).cast_signed();
                let due = i128::from(since) * 1_000_000_000 / i128::from(clock_rate);
                at.as_nanos().cast_signed() - begun.as_nanos().cast_signed() - due
            })
            .collect();
        offsets.sort_unstable();
        let usual = offsets[offsets.len() / 2];
        let limit = usual + LATE.as_nanos().cast_signed();
        let worst = offsets.last().unwrap() - usual;
        Lateness {
            packets: self.came.len(),
            late: offsets.iter().filter(|offset| **offset > limit).count(),
            worst: Duration::from_nanos(u64::try_from(worst).unwrap()),
            loud: self.loud,
        }
    }
}
