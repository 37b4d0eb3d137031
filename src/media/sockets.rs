//! The sockets of one call, with ICE between them and its session where the call has it.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::base::random::OsRandom;
use crate::base::zone;
use crate::media::command::IceServers;
use crate::media::dropped::DropReason;
use crate::media::session::{Session, Transmit};
use crate::media::transport::ice::{IceEvent, IceSession};
use crate::media::transport::{PortPair, Received};
use crate::sdp::ice::{RTCP, RTP};
use crate::sdp::{IceCredentials, MediaPlan};

/// Datagrams that one socket may bring at once: an attacker must not hold up the tick.
const MAX_DATAGRAMS: usize = 64;
/// The longest datagram that is read; more is cut and then refused.
const MAX_DATAGRAM_BYTES: usize = 2_048;

/// Between two looks at the RTCP port of a call whose sound has come: there is a report every few seconds.
const REPORTS_GLANCE: Duration = Duration::from_millis(40);

/// The sockets.
pub(super) struct Sockets {
    ports: PortPair,
    /// When each port was looked at last: nothing came earlier that is read later.
    looked_at: Instant,
    reports_looked_at: Instant,
    /// Made where a call has ICE: most have not.
    ice: Option<Box<IceSession>>,
}

impl Sockets {
    /// Without ICE.
    pub(super) fn new(now: Instant, ports: PortPair) -> Self {
        Self {
            ports,
            looked_at: now,
            reports_looked_at: now,
            ice: None,
        }
    }

    /// The sockets themselves.
    pub(super) fn ports(&self) -> &PortPair {
        &self.ports
    }

    /// Begins to find out where they may be reached.
    pub(super) fn gather(
        &mut self,
        now: Instant,
        servers: &IceServers,
        credentials: IceCredentials,
    ) -> io::Result<()> {
        let own = [&self.ports.rtp, &self.ports.rtcp].map(UdpSocket::local_addr);
        let [rtp, rtcp] = own;
        let own = [zone::bare(rtp?), zone::bare(rtcp?)];
        let ice = IceSession::begin(now, Box::new(OsRandom), servers, credentials, own);
        self.ice = Some(Box::new(ice));
        Ok(())
    }

    /// Takes a plan; gives it back as the session shall see it: where checks say where media goes, with
    /// the address that they have found.
    pub(super) fn apply(&mut self, now: Instant, mut plan: Box<MediaPlan>) -> Box<MediaPlan> {
        if let Some(ice) = &mut self.ice {
            ice.apply(now, &plan);
            if ice.is_checked() {
                plan.remote_rtp = ice.remote(RTP);
                plan.remote_rtcp = if plan.rtcp_mux {
                    plan.remote_rtp
                } else {
                    ice.remote(RTCP)
                };
            }
        }
        plan
    }

    /// Hands to the session what came, each at the time at which it came.
    pub(super) fn receive(&mut self, now: Instant, session: &mut Session) {
        let since = std::mem::replace(&mut self.looked_at, now);
        self.read(since, now, RTP, session);
        let waited = now.saturating_duration_since(self.reports_looked_at);
        if waited >= REPORTS_GLANCE || !session.hears() {
            let since = std::mem::replace(&mut self.reports_looked_at, now);
            self.read(since, now, RTCP, session);
        }
    }

    fn read(&mut self, since: Instant, now: Instant, component: u8, session: &mut Session) {
        let mut buffer = [0; MAX_DATAGRAM_BYTES];
        for _ in 0..MAX_DATAGRAMS {
            let read = if component == RTCP {
                self.ports.read_rtcp(&mut buffer)
            } else {
                self.ports.read_rtp(&mut buffer)
            };
            let Some(Received { bytes, from, at }) = read else {
                return;
            };
            // By another clock, which may have been set meanwhile.
            let at = at.max(since);
            match &mut self.ice {
                None => take(session, at, component, from, bytes),
                Some(ice) => {
                    let dropped = ice.dropped();
                    if let Some(media) = ice.handle(now, component, from, bytes) {
                        take(session, at, media.component, media.from, &media.bytes);
                    } else if ice.dropped() > dropped {
                        session.drop_from(from, DropReason::Unproven);
                    }
                }
            }
        }
    }

    /// Does what time asks for, and sends what waits; gives what happened in ICE.
    pub(super) fn flush(&mut self, now: Instant, session: &mut Session) -> Vec<IceEvent> {
        let mut told = Vec::new();
        while let Some(transmit) = session.poll_transmit() {
            let Transmit {
                to,
                from_rtcp_port,
                bytes,
            } = transmit;
            let component = if from_rtcp_port { RTCP } else { RTP };
            match &mut self.ice {
                None => self.ports.send(to, from_rtcp_port, &bytes),
                Some(ice) => ice.send(now, component, to, bytes),
            }
        }
        let Some(mut ice) = self.ice.take() else {
            return told;
        };
        if ice.next_timeout().is_some_and(|at| at <= now) {
            ice.handle_timeout(now);
        }
        while let Some(transmit) = ice.poll_transmit() {
            let from_rtcp_port = transmit.component == RTCP;
            self.ports
                .send(transmit.to, from_rtcp_port, &transmit.bytes);
        }
        while let Some(event) = ice.poll_event() {
            match event {
                IceEvent::Path(component, remote) => session.route(component == RTCP, remote),
                IceEvent::Gathered { .. } | IceEvent::Settled(_) | IceEvent::Failed(_) => {
                    told.push(event);
                }
            }
        }
        self.ice = Some(ice);
        told
    }

    /// The call is over: sends what waits, and gives back what it had of servers.
    pub(super) fn close(&mut self, now: Instant, session: &mut Session) {
        drop(self.flush(now, session));
        if let Some(ice) = &mut self.ice {
            ice.close(now);
        }
        drop(self.flush(now, session));
    }
}

fn take(session: &mut Session, now: Instant, component: u8, from: SocketAddr, datagram: &[u8]) {
    if component == RTCP {
        session.handle_rtcp(now, from, datagram);
    } else {
        session.handle_rtp(now, from, datagram);
    }
}
