//! SRTP and SRTCP (RFC 3711, RFC 6188, RFC 7714) around `rtc::srtp`: one side's packets are protected,
//! the other's checked.
//!
//! What the crate leaves to its owner is done here: a source is remembered only once a packet of it was
//! authentic, so that forged ones grow nothing; headers are measured by their own lengths; RTCP that says of itself that it is not encrypted, which
//! the crate would take unchecked, is refused; and packets that name their key (MKI) are understood.

use rtc::crypto::providers::RingCrypto;
use rtc::rtp::header::Header;
use rtc::srtp::context::Context;
use rtc::srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc::srtp::protection_profile::ProtectionProfile;

use crate::sdp::{Mki, SrtpKey, SrtpSuite};

/// Packets that may come late and are still told from repeated ones (RFC 3711 section 3.3.2: at
/// least 64); a jittery radio link reorders by more than a second's worth.
const REPLAY_WINDOW: usize = 128;
/// Sources of one far end: a transfer or a mixer brings a new one now and then.
const MAX_SOURCES: usize = 8;
/// The octets of an SRTCP index.
const INDEX: usize = 4;

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the SRTP keys of a call cannot be used: {0}")]
pub struct SrtpError(String);

/// Protects what we send with one key. It must live as long as the key may be used: it counts.
pub struct Protector {
    key: SrtpKey,
    context: Context,
}

impl Protector {
    /// Makes one.
    ///
    /// # Errors
    ///
    /// Fails when the key has not the length that its suite wants.
    pub fn new(key: &SrtpKey) -> Result<Self, SrtpError> {
        Ok(Self {
            key: key.clone(),
            context: context(key)?,
        })
    }

    /// The key.
    pub fn key(&self) -> &SrtpKey {
        &self.key
    }

    /// Protects an RTP packet; none when it cannot be, and then it must not be sent.
    pub fn rtp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let header = outline(packet)?;
        let sealed = self.context.encrypt_rtp_with_header(packet, &header);
        sealed.ok().map(Vec::from)
    }

    /// Protects a compound RTCP packet; none when it cannot be.
    pub fn rtcp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        self.context.encrypt_rtcp(packet).ok().map(Vec::from)
    }
}

/// Checks and opens what a far end sends with one key.
pub struct Unprotector {
    key: SrtpKey,
    rtp: Sources,
    rtcp: Sources,
}

impl Unprotector {
    /// Makes one.
    ///
    /// # Errors
    ///
    /// Fails when the key has not the length that its suite wants.
    pub fn new(key: &SrtpKey) -> Result<Self, SrtpError> {
        Ok(Self {
            key: key.clone(),
            rtp: Sources::new(key)?,
            rtcp: Sources::new(key)?,
        })
    }

    /// The key.
    pub fn key(&self) -> &SrtpKey {
        &self.key
    }

    /// Opens an RTP packet; none when it is forged, damaged or repeated.
    pub fn rtp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let source = four(packet, 8)?;
        let packet = self.without_mki(packet, self.tag())?;
        let header = outline(&packet)?;
        let decrypt = |context: &mut Context| {
            let opened = context.decrypt_rtp_with_header(&packet, &header);
            opened.ok().map(Vec::from)
        };
        self.rtp.open(&self.key, source, decrypt)
    }

    /// Opens a compound RTCP packet; none when it is forged, damaged, repeated or not encrypted.
    pub fn rtcp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let source = four(packet, 4)?;
        let tag = match self.key.suite() {
            SrtpSuite::AeadAes256Gcm | SrtpSuite::AeadAes128Gcm => 0,
            SrtpSuite::Aes256CmHmacSha1_80
            | SrtpSuite::Aes128CmHmacSha1_80
            | SrtpSuite::Aes128CmHmacSha1_32 => 10,
        };
        let packet = self.without_mki(packet, tag)?;
        let index = packet.len().checked_sub(tag + INDEX)?;
        let encrypted = packet.get(index).is_some_and(|first| first & 0x80 != 0);
        if !encrypted {
            return None;
        }
        let decrypt = |context: &mut Context| context.decrypt_rtcp(&packet).ok().map(Vec::from);
        self.rtcp.open(&self.key, source, decrypt)
    }

    /// The octets of an RTP packet's tag.
    fn tag(&self) -> usize {
        match self.key.suite() {
            SrtpSuite::AeadAes256Gcm | SrtpSuite::AeadAes128Gcm => 0,
            SrtpSuite::Aes256CmHmacSha1_80 | SrtpSuite::Aes128CmHmacSha1_80 => 10,
            SrtpSuite::Aes128CmHmacSha1_32 => 4,
        }
    }

    /// Takes out the identifier, which stands before the tag (RFC 3711 section 3.1); with Galois/Counter
    /// mode, at the end (RFC 7714 section 8.3).
    fn without_mki(&self, packet: &[u8], tag: usize) -> Option<Vec<u8>> {
        let Some(Mki { value, length }) = self.key.mki() else {
            return Some(packet.to_vec());
        };
        let end = packet.len().checked_sub(tag)?;
        let begin = end.checked_sub(usize::from(length))?;
        let (told, low) = packet
            .get(begin..end)?
            .split_at(usize::from(length).saturating_sub(4));
        let read = low
            .iter()
            .fold(0_u32, |read, octet| read << 8 | u32::from(*octet));
        if read != value || told.iter().any(|octet| *octet != 0) {
            return None;
        }
        let mut bare = packet.get(..begin)?.to_vec();
        bare.extend_from_slice(packet.get(end..)?);
        Some(bare)
    }
}

/// The sources of one far end, each with what was heard of it.
struct Sources {
    known: Vec<(u32, Context)>,
    /// For a packet of another source. A context learns from a packet before it knows that it is
    /// authentic, so one that saw a forged packet is thrown away.
    trial: Context,
}

impl Sources {
    fn new(key: &SrtpKey) -> Result<Self, SrtpError> {
        Ok(Self {
            known: Vec::new(),
            trial: context(key)?,
        })
    }

    fn open(
        &mut self,
        key: &SrtpKey,
        source: u32,
        decrypt: impl FnOnce(&mut Context) -> Option<Vec<u8>>,
    ) -> Option<Vec<u8>> {
        let known = self.known.iter_mut().find(|(known, _)| *known == source);
        if let Some((_, context)) = known {
            return decrypt(context);
        }
        let opened = decrypt(&mut self.trial);
        let tried = std::mem::replace(&mut self.trial, context(key).ok()?);
        if opened.is_some() {
            if self.known.len() >= MAX_SOURCES {
                self.known.remove(0);
            }
            self.known.push((source, tried));
        }
        opened
    }
}

/// What the crate needs of a header: number, source and length. It would count the length from what it
/// understands of an extension, which is less than what stands there if that is padded or unknown; so
/// the words behind the fixed part are all told as contributing sources, which nobody reads.
fn outline(packet: &[u8]) -> Option<Header> {
    let (&[flags, _, s0, s1], _) = packet.split_first_chunk()?;
    if flags >> 6 != 2 {
        return None;
    }
    let mut words = usize::from(flags & 0x0f);
    if flags & 0x10 != 0 {
        let length = packet.get(12 + words * 4..)?;
        let (&[_, _, high, low], _) = length.split_first_chunk()?;
        words += 1 + usize::from(u16::from_be_bytes([high, low]));
    }
    if packet.len() < 12 + words * 4 {
        return None;
    }
    Some(Header {
        version: 2,
        sequence_number: u16::from_be_bytes([s0, s1]),
        ssrc: four(packet, 8)?,
        csrc: vec![0; words],
        ..Header::default()
    })
}

fn four(packet: &[u8], at: usize) -> Option<u32> {
    let octets = packet.get(at..at.checked_add(4)?)?;
    octets.try_into().ok().map(u32::from_be_bytes)
}

fn context(key: &SrtpKey) -> Result<Context, SrtpError> {
    let (master, salt) = key
        .expose()
        .ok_or_else(|| SrtpError("a key has another length than its suite".to_owned()))?;
    let profile = match key.suite() {
        SrtpSuite::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
        SrtpSuite::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        SrtpSuite::Aes256CmHmacSha1_80 => ProtectionProfile::Aes256CmHmacSha1_80,
        SrtpSuite::Aes128CmHmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        SrtpSuite::Aes128CmHmacSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
    };
    Context::new(
        &master,
        &salt,
        profile,
        Some(srtp_replay_protection(REPLAY_WINDOW)),
        Some(srtcp_replay_protection(REPLAY_WINDOW)),
        &RingCrypto,
    )
    .map_err(|error| SrtpError(error.to_string()))
}

#[cfg(test)]
mod tests;
