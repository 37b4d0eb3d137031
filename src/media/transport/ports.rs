//! The RTP and RTCP port of a call (RFC 3550 section 11: an even port and the next).

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::base::clock::monotonic_now;
use crate::base::port_range::PortRange;
use crate::base::random::{OsRandom, Random as _};
use crate::base::zone;
use crate::media::command::MediaError;
use crate::media::transport::stamped;

/// Pairs that are tried: the system gives odd ports and ports whose neighbour is taken, too.
const ATTEMPTS: usize = 64;

/// How long a pair that was bound ahead stands for a call; past it, strangers may have filled it.
const SPARE: Duration = Duration::from_secs(1);

/// Two non-blocking sockets.
#[derive(Debug)]
pub struct PortPair {
    /// The even port.
    pub rtp: UdpSocket,
    /// The next one.
    pub rtcp: UdpSocket,
}

/// A datagram, as far as it fitted.
#[derive(Debug)]
pub struct Received<'a> {
    /// Its octets.
    pub bytes: &'a [u8],
    /// Who sent it.
    pub from: SocketAddr,
    /// When it came, which may be earlier than when it was read.
    pub at: Instant,
}

impl PortPair {
    /// The next datagram that came to the RTP port.
    pub fn read_rtp<'a>(&self, buffer: &'a mut [u8]) -> Option<Received<'a>> {
        read(&self.rtp, buffer)
    }

    /// The next datagram that came to the RTCP port.
    pub fn read_rtcp<'a>(&self, buffer: &'a mut [u8]) -> Option<Received<'a>> {
        read(&self.rtcp, buffer)
    }

    /// Sends a datagram; one that cannot go now is lost, like any other on the way.
    pub fn send(&self, to: SocketAddr, from_rtcp_port: bool, bytes: &[u8]) {
        let socket = if from_rtcp_port {
            &self.rtcp
        } else {
            &self.rtp
        };
        if let Err(error) = socket.send_to(bytes, to) {
            tracing::trace!(%error, %to, "a media datagram was not sent");
        }
    }
}

/// Pairs that are waited for at most.
pub const MOST_AWAITED: usize = 4;

/// Waits until a datagram comes to one of at most [`MOST_AWAITED`] pairs, or for so long; true says that
/// one came.
#[cfg(unix)]
pub fn wait_for_any<'p>(pairs: impl Iterator<Item = &'p PortPair>, most: Duration) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let mut sockets: Vec<PollFd<'_>> = pairs
        .take(MOST_AWAITED)
        .flat_map(|pair| [&pair.rtp, &pair.rtcp])
        .map(|socket| PollFd::new(socket, PollFlags::IN))
        .collect();
    // A signal ends the waiting, which is as good as nothing that came.
    Timespec::try_from(most).is_ok_and(|most| poll(&mut sockets, Some(&most)).is_ok_and(|n| n > 0))
}

/// Waits so long, which is no longer than a glance: what came is found then.
#[cfg(not(unix))]
pub fn wait_for_any<'p>(_pairs: impl Iterator<Item = &'p PortPair>, most: Duration) -> bool {
    std::thread::sleep(most.min(Duration::from_millis(4)));
    true
}

fn read<'a>(socket: &UdpSocket, buffer: &'a mut [u8]) -> Option<Received<'a>> {
    let (length, from, lay) = match stamped::receive(socket, buffer) {
        Ok((length, from, lay)) => (length, zone::bare(from), lay),
        // Some systems tell here that an earlier datagram of ours found nobody.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
            (0, SocketAddr::from(([0, 0, 0, 0], 0)), Duration::ZERO)
        }
        Err(_) => return None,
    };
    let read_at = monotonic_now();
    Some(Received {
        bytes: buffer.get(..length)?,
        from,
        at: read_at.checked_sub(lay).unwrap_or(read_at),
    })
}

/// Binds a pair on that address, in the range where there is one; gives it with the address of RTP.
fn bind_pair(
    address: IpAddr,
    range: Option<PortRange>,
) -> Result<(PortPair, SocketAddr), MediaError> {
    match range {
        Some(range) => bind_within(address, range),
        None => bind_anywhere(address),
    }
}

/// Binds a free pair of a range. It begins anywhere in it, so that nobody knows the next port.
fn bind_within(address: IpAddr, range: PortRange) -> Result<(PortPair, SocketAddr), MediaError> {
    let pairs = range.pairs();
    let count = pairs.len();
    let begin = usize::try_from(OsRandom.next_u32()).unwrap_or(0) % count.max(1);
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for even in pairs.cycle().skip(begin).take(count) {
        match bind_at(address, even) {
            Ok(pair) => return Ok((pair, SocketAddr::new(address, even))),
            Err(error) => last = error,
        }
    }
    Err(MediaError::NoPortInRange {
        address,
        range,
        source: last,
    })
}

fn bind_at(address: IpAddr, even: u16) -> io::Result<PortPair> {
    let rtp = UdpSocket::bind(zone::own(address, even))?;
    let rtcp = UdpSocket::bind(zone::own(address, even | 1))?;
    prepare(&rtp, address)?;
    prepare(&rtcp, address)?;
    Ok(PortPair { rtp, rtcp })
}

/// Binds a pair that the system has free.
fn bind_anywhere(address: IpAddr) -> Result<(PortPair, SocketAddr), MediaError> {
    let no_port = |source| MediaError::NoPort { address, source };
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..ATTEMPTS {
        let any = UdpSocket::bind(zone::own(address, 0)).map_err(no_port)?;
        let port = any.local_addr().map_err(no_port)?.port();
        let even = port & !1;
        let other = if port == even { port | 1 } else { even };
        match UdpSocket::bind(zone::own(address, other)) {
            Ok(neighbour) => {
                let (rtp, rtcp) = if port == even {
                    (any, neighbour)
                } else {
                    (neighbour, any)
                };
                prepare(&rtp, address)
                    .and_then(|()| prepare(&rtcp, address))
                    .map_err(no_port)?;
                return Ok((PortPair { rtp, rtcp }, SocketAddr::new(address, even)));
            }
            Err(error) => last = error,
        }
    }
    Err(no_port(last))
}

/// A pair that is bound while its call waits for something else, so that it costs the caller nothing.
/// There is at most one.
#[derive(Debug, Default)]
pub struct SparePair {
    range: Option<PortRange>,
    spare: Option<(Instant, PortPair, SocketAddr)>,
}

impl SparePair {
    /// Takes pairs of that range from now on, or what the system gives.
    pub fn within(&mut self, range: Option<PortRange>) {
        self.range = range;
        self.spare = None;
    }

    /// Binds a pair on that address, unless there is one. What goes wrong is told by `take`, which
    /// tries again.
    pub fn prepare(&mut self, now: Instant, address: IpAddr) {
        if !self.serves(now, address) {
            self.spare = bind_pair(address, self.range)
                .ok()
                .map(|(pair, bound)| (now, pair, bound));
        }
    }

    /// The pair, or a new one where none was bound on that address a moment ago.
    ///
    /// # Errors
    ///
    /// As `bind_pair`.
    pub fn take(
        &mut self,
        now: Instant,
        address: IpAddr,
    ) -> Result<(PortPair, SocketAddr), MediaError> {
        let serves = self.serves(now, address);
        match self.spare.take() {
            Some((_, pair, bound)) if serves => Ok((pair, bound)),
            Some(_) | None => bind_pair(address, self.range),
        }
    }

    fn serves(&self, now: Instant, address: IpAddr) -> bool {
        self.spare.as_ref().is_some_and(|(since, _, bound)| {
            bound.ip() == address && now.saturating_duration_since(*since) < SPARE
        })
    }
}

fn prepare(socket: &UdpSocket, address: IpAddr) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    stamped::stamp(socket);
    mark_voice(socket, address);
    Ok(())
}

/// Marks packets as voice: DSCP EF (RFC 4594 section 4.1). Best effort: some systems refuse.
#[cfg(unix)]
fn mark_voice(socket: &UdpSocket, address: IpAddr) {
    const EXPEDITED_FORWARDING: u8 = 46 << 2;
    let marked = match address {
        IpAddr::V4(_) => rustix::net::sockopt::set_ip_tos(socket, EXPEDITED_FORWARDING),
        IpAddr::V6(_) => {
            rustix::net::sockopt::set_ipv6_tclass(socket, u32::from(EXPEDITED_FORWARDING))
        }
    };
    if let Err(error) = marked {
        tracing::debug!(%error, "packets are not marked as voice");
    }
}

#[cfg(not(unix))]
fn mark_voice(_socket: &UdpSocket, _address: IpAddr) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn pairs_are_even_and_next_and_all_different() {
        let pairs: Vec<_> = (0..50)
            .map(|_| bind_anywhere(Ipv4Addr::LOCALHOST.into()).unwrap())
            .collect();
        for (pair, address) in &pairs {
            assert_eq!(address.port() % 2, 0);
            assert_eq!(pair.rtp.local_addr().unwrap(), *address);
            assert_eq!(pair.rtcp.local_addr().unwrap().port(), address.port() + 1);
        }
    }

    #[cfg(unix)]
    #[test]
    fn voice_and_its_reports_are_marked_for_networks_that_prefer_them() {
        use rustix::net::sockopt;
        // Expedited forwarding, above the two bits of ECN.
        let (pair, _) = bind_anywhere(Ipv4Addr::LOCALHOST.into()).unwrap();
        for socket in [&pair.rtp, &pair.rtcp] {
            assert_eq!(sockopt::ip_tos(socket).unwrap(), 0xb8);
        }
        let (pair, found) = bind_anywhere(Ipv6Addr::LOCALHOST.into()).unwrap();
        for socket in [&pair.rtp, &pair.rtcp] {
            assert_eq!(sockopt::ipv6_tclass(socket).unwrap(), 0xb8);
        }
        drop(pair);
        let range = format!("{}-{}", found.port(), found.port() + 1);
        let (pair, _) = bind_within(found.ip(), range.parse().unwrap()).unwrap();
        for socket in [&pair.rtp, &pair.rtcp] {
            assert_eq!(sockopt::ipv6_tclass(socket).unwrap(), 0xb8);
        }
    }

    /// The kernel begins to stamp a moment after the first socket has asked for it.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_datagram_came_when_it_came_and_not_when_it_is_read() {
        for here in [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()] {
            let (pair, address) = bind_anywhere(here).unwrap();
            let peer = UdpSocket::bind((here, 0)).unwrap();
            let report_to = pair.rtcp.local_addr().unwrap();
            let begun = monotonic_now();
            loop {
                peer.send_to(b"sound", address).unwrap();
                peer.send_to(b"report", report_to).unwrap();
                let sent = monotonic_now();
                while monotonic_now() < sent + Duration::from_millis(20) {
                    std::hint::spin_loop();
                }
                let (mut sound, mut report) = ([0; 16], [0; 16]);
                let sound = pair.read_rtp(&mut sound).unwrap();
                let report = pair.read_rtcp(&mut report).unwrap();
                assert_eq!((sound.bytes, report.bytes), (&b"sound"[..], &b"report"[..]));
                for read in [&sound, &report] {
                    assert_eq!(read.from, peer.local_addr().unwrap());
                    assert!(read.at + Duration::from_secs(1) > begun);
                }
                // The two clocks are read one after the other.
                let known = sent + Duration::from_millis(5);
                if sound.at <= known && report.at <= known {
                    break;
                }
                assert!(sent - begun < Duration::from_secs(10), "it is never known");
            }
            assert!(pair.read_rtp(&mut [0; 16]).is_none());
        }
    }

    #[test]
    fn a_pair_that_was_bound_ahead_is_taken_once_by_a_call_on_its_address_and_soon() {
        let (start, here) = (monotonic_now(), Ipv4Addr::LOCALHOST.into());
        let elsewhere = Ipv4Addr::new(127, 0, 0, 2).into();
        let mut spare = SparePair::default();

        spare.prepare(start, here);
        let ahead = spare.spare.as_ref().unwrap().2;
        spare.prepare(start, here);
        assert_eq!(
            spare.spare.as_ref().unwrap().2,
            ahead,
            "there is one already"
        );
        let (pair, bound) = spare.take(start, here).unwrap();
        assert_eq!(bound, ahead);
        assert_eq!(pair.rtp.local_addr().unwrap(), ahead);
        let (_next, bound) = spare.take(start, here).unwrap();
        assert_ne!(bound, ahead, "a pair serves one call");

        spare.prepare(start, here);
        let (_pair, bound) = spare.take(start, elsewhere).unwrap();
        assert_eq!(bound.ip(), elsewhere);
        assert!(spare.spare.is_none(), "what is not used is not kept");

        spare.prepare(start, here);
        let (_, old, old_address) = spare.spare.as_ref().unwrap();
        let _port_stays_taken = old.rtp.try_clone().unwrap();
        let old_address = *old_address;
        let (_pair, bound) = spare.take(start + SPARE, here).unwrap();
        assert_ne!(bound, old_address, "strangers may have sent to it");
    }

    #[test]
    fn what_cannot_be_bound_ahead_is_told_when_it_is_wanted() {
        let (now, nowhere) = (monotonic_now(), "192.0.2.1".parse().unwrap());
        let mut spare = SparePair::default();
        spare.prepare(now, nowhere);
        let error = spare.take(now, nowhere).unwrap_err().to_string();
        assert!(error.starts_with("no free port for RTP on 192.0.2.1"));
    }

    #[test]
    fn an_address_that_is_not_ours_is_told() {
        let error = bind_anywhere("192.0.2.1".parse().unwrap()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("no free port for RTP on 192.0.2.1")
        );
    }

    #[test]
    fn pairs_of_a_range_stay_in_it_and_its_end_is_told() {
        let here = Ipv4Addr::LOCALHOST.into();
        // A range that is free: what the system gave just now.
        let (_, found) = bind_anywhere(here).unwrap();
        let first = found.port();
        let text = format!("{first}-{}", first + 1);
        let mut spare = SparePair::default();
        spare.within(Some(text.parse().unwrap()));
        let now = monotonic_now();
        let (pair, bound) = spare.take(now, here).unwrap();
        assert_eq!(bound.port(), first);
        let error = spare.take(now, here).unwrap_err().to_string();
        assert!(
            error.contains(&text) && error.contains("widen it"),
            "{error}"
        );
        drop(pair);
        spare.prepare(now, here);
        assert_eq!(spare.take(now, here).unwrap().1.port(), first);
        spare.within(None);
        assert!(spare.take(now, here).is_ok());
    }
}
