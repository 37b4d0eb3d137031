//! One handshake with one far end, around `rtc::dtls`, and the keys that come of it.
//!
//! What the crate leaves to its owner is done here: how much of a far end that is not known yet is
//! read, since all of it is kept; that nothing is read but what a handshake needs; and that a flight goes
//! out again also where a repeated packet of the far end has stopped the crate's own timer, after which
//! both sides would wait for each other.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use rtc::dtls::endpoint::{Endpoint, EndpointEvent};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::dtls::state::State;
use rtc::shared::TransportProtocol;
use rtc::shared::error::Error;

use crate::media::transport::dtls::identity::{FLIGHT_INTERVAL, Identity};
use crate::sdp::{DtlsRole, SrtpKey, SrtpKeys, SrtpSuite};

/// What is read until a handshake is done, in octets: that of a far end with a long chain of
/// certificates has 6,000, and each flight may come eight times.
const MAX_HANDSHAKE: usize = 48 * 1024;
/// What is read after it: flights that are repeated because ours were lost.
const MAX_AFTERWARDS: usize = 16 * 1024;
/// How often a flight goes out again, as in the crate.
const MAX_REPEATS: u32 = 7;
/// The first octet of a record (RFC 6347 section 4.1).
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// RFC 5764 section 4.2.
const LABEL: &str = "EXTRACTOR-dtls_srtp";
/// The crate tells associations apart by address; here each has an endpoint of its own.
const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

/// Why a handshake came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// The far end said so.
    Refused,
    /// What came is no handshake that we can do.
    Failed,
    /// Nothing came any more.
    Silent,
}

/// One handshake.
pub(super) struct Association {
    endpoint: Endpoint,
    complete: bool,
    read: usize,
    /// What was sent last, the times it went out again from here, and when it does next.
    flight: Vec<Vec<u8>>,
    repeats: u32,
    repeat_at: Option<Instant>,
    transmits: VecDeque<Vec<u8>>,
}

impl Association {
    /// Begins one: the client's first flight is sent at once.
    pub(super) fn begin(now: Instant, identity: &Identity, role: DtlsRole) -> Result<Self, Broken> {
        let server = match role {
            DtlsRole::Active => None,
            DtlsRole::Passive => Some(identity.server.clone()),
        };
        let mut endpoint = Endpoint::new(PEER, TransportProtocol::UDP, server);
        if role == DtlsRole::Active {
            let begun = endpoint.connect(now, PEER, identity.client.clone(), None);
            begun.map_err(|_unusable| Broken::Failed)?;
        }
        let mut association = Self {
            endpoint,
            complete: false,
            read: 0,
            flight: Vec::new(),
            repeats: 0,
            repeat_at: None,
            transmits: VecDeque::new(),
        };
        association.gather(now);
        Ok(association)
    }

    /// The random octets of a `ClientHello`, by which one handshake is told from the next of the same
    /// client (RFC 5246 section 7.4.1.2); none of any other datagram.
    pub(super) fn hello_in(datagram: &[u8]) -> Option<&[u8]> {
        const CLIENT_HELLO: u8 = 1;
        let hello = datagram.first() == Some(&HANDSHAKE) && datagram.get(13) == Some(&CLIENT_HELLO);
        // Behind the headers of record and message, and the version.
        datagram.get(27..59).filter(|_| hello)
    }

    /// Takes a datagram.
    pub(super) fn handle(&mut self, now: Instant, datagram: &[u8]) -> Result<(), Broken> {
        let wanted = matches!(
            datagram.first(),
            Some(&CHANGE_CIPHER_SPEC | &ALERT | &HANDSHAKE)
        );
        let limit = if self.complete {
            MAX_HANDSHAKE + MAX_AFTERWARDS
        } else {
            MAX_HANDSHAKE
        };
        let read = self.read.saturating_add(datagram.len());
        if !wanted || read > limit {
            return Ok(());
        }
        self.read = read;
        let done = self.endpoint.read(now, PEER, None, datagram.into());
        let outcome = match done {
            Ok(events) => {
                let mut closed = false;
                for event in events {
                    match event {
                        EndpointEvent::HandshakeComplete => self.complete = true,
                        EndpointEvent::PeerClosed => closed = true,
                        // Nothing but handshakes is read, and data is not asked for.
                        _ => {}
                    }
                }
                if closed { Err(Broken::Refused) } else { Ok(()) }
            }
            Err(Error::ErrAlertFatalOrClose) => Err(Broken::Refused),
            Err(error) => {
                tracing::debug!(%error, "a handshake went wrong");
                Err(Broken::Failed)
            }
        };
        self.gather(now);
        outcome
    }

    /// Repeats what got no answer.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Result<(), Broken> {
        let done = self.endpoint.handle_timeout(PEER, now);
        // A server that has read nothing yet has no state.
        let waits = self.endpoint.get_connection_state(PEER).is_none();
        self.gather(now);
        if self.repeat_at.is_some_and(|at| at <= now) {
            if self.repeats >= MAX_REPEATS {
                return Err(Broken::Silent);
            }
            self.repeats += 1;
            self.repeat_at = Some(now + FLIGHT_INTERVAL);
            self.transmits.extend(self.flight.iter().cloned());
        }
        done.or(if waits { Ok(()) } else { Err(Broken::Silent) })
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let endpoint = self.endpoint.poll_timeout(&PEER);
        endpoint.into_iter().chain(self.repeat_at).min()
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmits.pop_front()
    }

    /// Whether both sides have the keys.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// The far end's certificate in DER, whose key it has proven to have once this is complete.
    pub(super) fn certificate(&self) -> Option<&[u8]> {
        let certificates = &self.state()?.peer_certificates;
        certificates.first().map(Vec::as_slice)
    }

    /// The keys of SRTP (RFC 5764 section 4.2); none until this is complete.
    pub(super) fn keys(&self) -> Option<SrtpKeys> {
        let state = self.state()?;
        let suite = match state.srtp_protection_profile() {
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => SrtpSuite::Aes128CmHmacSha1_80,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32 => SrtpSuite::Aes128CmHmacSha1_32,
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => SrtpSuite::AeadAes128Gcm,
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm => SrtpSuite::AeadAes256Gcm,
            _ => return None,
        };
        let (key, salt) = (suite.key_length(), suite.salt_length());
        let material = state.export_keying_material(LABEL, &[], 2 * (key + salt));
        let material = material.ok()?.into_bytes();
        // Both keys, then both salts, the client's first.
        let (keys, salts) = material.split_at_checked(2 * key)?;
        let (client_key, server_key) = keys.split_at_checked(key)?;
        let (client_salt, server_salt) = salts.split_at_checked(salt)?;
        let client = SrtpKey::new(suite, client_key, client_salt)?;
        let server = SrtpKey::new(suite, server_key, server_salt)?;
        Some(if state.is_client() {
            SrtpKeys {
                send: client,
                receive: server,
            }
        } else {
            SrtpKeys {
                send: server,
                receive: client,
            }
        })
    }

    /// Takes what the crate wants to send, and sees whether it will do so again by itself.
    fn gather(&mut self, now: Instant) {
        let sent = std::iter::from_fn(|| self.endpoint.poll_transmit());
        let sent: Vec<Vec<u8>> = sent.map(|transmit| transmit.message.to_vec()).collect();
        if !sent.is_empty() {
            self.transmits.extend(sent.iter().cloned());
            self.flight = sent;
            self.repeats = 0;
        }
        let stopped = !self.complete && self.endpoint.poll_timeout(&PEER).is_none();
        self.repeat_at = Some(self.repeat_at.unwrap_or(now + FLIGHT_INTERVAL))
            .filter(|_| stopped && !self.flight.is_empty());
    }

    /// Octets that were read.
    #[cfg(test)]
    pub(super) fn read(&self) -> usize {
        self.read
    }

    fn state(&self) -> Option<&State> {
        let state = self.endpoint.get_connection_state(PEER);
        state.filter(|_| self.complete)
    }
}
