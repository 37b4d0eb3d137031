//! One port of a call: the keys of what it sends and takes, and the handshake that may give them.

use std::net::SocketAddr;
use std::time::Instant;

use crate::media::protection::{Opened, Protection};
use crate::media::transport::{DtlsEvent, DtlsFailure, DtlsTransport, Identity, SrtpError};
use crate::sdp::{DtlsPlan, SrtpKeys, SrtpSuite};

/// A port's keys.
#[derive(Default)]
pub(super) struct KeyedPort {
    protection: Protection,
    dtls: DtlsTransport,
}

impl KeyedPort {
    /// Takes our certificate, where handshakes may be done.
    pub(super) fn identify(&mut self, identity: Option<Identity>) {
        self.dtls.identify(identity);
    }

    /// Takes handshakes before it is known whose is the right one.
    pub(super) fn expect(&mut self) {
        self.dtls.expect();
    }

    /// Takes keys, or lets a handshake with `remote` give them: until then nothing passes.
    ///
    /// # Errors
    ///
    /// Fails when the keys cannot be used; then nothing changes.
    pub(super) fn apply(
        &mut self,
        now: Instant,
        keys: Option<&SrtpKeys>,
        handshake: Option<&DtlsPlan>,
        remote: Option<SocketAddr>,
    ) -> Result<(), SrtpError> {
        let waits = self.dtls.apply(now, handshake, remote);
        if waits {
            self.protection.wait_for_keys(now);
        }
        match handshake {
            Some(_) => Ok(()),
            None => self.protection.apply(now, keys),
        }
    }

    /// Takes where the far end is by now, as ICE has found out.
    pub(super) fn route(&mut self, remote: Option<SocketAddr>) {
        self.dtls.route(remote);
    }

    /// Takes a datagram of DTLS; false when it is of no use.
    pub(super) fn handle(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) -> bool {
        self.dtls.handle(now, from, datagram)
    }

    /// Does what time asks for.
    pub(super) fn tick(&mut self, now: Instant) {
        self.dtls.handle_timeout(now);
    }

    /// The next datagram of the handshake, and where to.
    pub(super) fn poll_transmit(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        self.dtls.poll_transmit()
    }

    /// What came of the handshake; keys are used from now on.
    pub(super) fn poll_outcome(&mut self, now: Instant) -> Option<Result<SrtpSuite, DtlsFailure>> {
        Some(match self.dtls.poll_event()? {
            DtlsEvent::Failed(failure) => Err(failure),
            DtlsEvent::Keys(keys) => match self.protection.apply(now, Some(&keys)) {
                Ok(()) => Ok(keys.send.suite()),
                Err(_) => Err(DtlsFailure::Broken),
            },
        })
    }

    /// Whether keys are still to come.
    pub(super) fn waits(&self) -> bool {
        self.protection.waits()
    }

    /// Opens an RTP packet.
    pub(super) fn open_rtp<'p>(&mut self, now: Instant, packet: &'p [u8]) -> Option<Opened<'p>> {
        self.protection.open_rtp(now, packet)
    }

    /// Opens an RTCP packet.
    pub(super) fn open_rtcp<'p>(&mut self, now: Instant, packet: &'p [u8]) -> Option<Opened<'p>> {
        self.protection.open_rtcp(now, packet)
    }

    /// Protects an RTP packet; none when it must not be sent.
    pub(super) fn seal_rtp(&mut self, packet: Vec<u8>) -> Option<Vec<u8>> {
        self.protection.seal_rtp(packet)
    }

    /// Protects an RTCP packet; none when it must not be sent.
    pub(super) fn seal_rtcp(&mut self, packet: Vec<u8>) -> Option<Vec<u8>> {
        self.protection.seal_rtcp(packet)
    }
}
