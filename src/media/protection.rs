//! The keys of one call's stream over its life: re-INVITEs bring new ones, forks have their own, and
//! none of ours is ever begun anew.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use crate::media::transport::{Proof, Protector, SrtpError, Unprotector};
use crate::sdp::{SrtpKey, SrtpKeys};

/// Keys of either side that are remembered; a call that leaves more has many forks.
const MAX_KEYS: usize = 16;
/// How long packets under the far end's former key may still be on their way.
const CROSSING: Duration = Duration::from_secs(2);

/// A packet of the far end as its keys, or none, have opened it.
pub(super) struct Opened<'p> {
    pub(super) bytes: Cow<'p, [u8]>,
    pub(super) proof: Proof,
}

/// How a stream is protected.
#[derive(Default)]
pub(super) struct Protection {
    /// Whether it is. Then nothing passes in the clear.
    on: bool,
    /// Whether its keys are still to come. Until then nothing is sent.
    waits: bool,
    /// Ours; the last one is used. Who comes back to a key goes on where it stood (RFC 3711 section
    /// 9.1).
    ours: Vec<Protector>,
    theirs: Option<Unprotector>,
    /// The far end's key before, and until when it counts.
    former: Option<(Unprotector, Instant)>,
    /// Those before that. Who comes back to one is read where it stood: its count has more bits than a
    /// packet carries, and what was heard once is not heard again (RFC 3711 section 3.3).
    left: Vec<Unprotector>,
}

impl Protection {
    /// Takes the keys of a plan.
    ///
    /// # Errors
    ///
    /// Fails when they cannot be used; then nothing changes.
    pub(super) fn apply(&mut self, now: Instant, keys: Option<&SrtpKeys>) -> Result<(), SrtpError> {
        let Some(keys) = keys else {
            (self.on, self.waits) = (false, false);
            self.leave_their_keys();
            return Ok(());
        };
        let known = |known: &Unprotector| *known.key() == keys.receive;
        let fresh = if self.their_keys().any(known) {
            None
        } else {
            Some(Unprotector::new(&keys.receive)?)
        };
        match self.ours.iter().position(|known| *known.key() == keys.send) {
            Some(at) => {
                let known = self.ours.remove(at);
                self.ours.push(known);
            }
            None => {
                let ours = Protector::new(&keys.send)?;
                if self.ours.len() >= MAX_KEYS {
                    self.ours.remove(0);
                }
                self.ours.push(ours);
            }
        }
        if !self.theirs.as_ref().is_some_and(known) {
            let theirs = fresh.or_else(|| self.recall(&keys.receive));
            self.supersede(now);
            self.theirs = theirs;
        }
        (self.on, self.waits) = (true, false);
        Ok(())
    }

    /// Sends nothing until there are keys, and takes only what is still on its way under the former.
    pub(super) fn wait_for_keys(&mut self, now: Instant) {
        (self.on, self.waits) = (true, true);
        self.supersede(now);
    }

    /// Whether its keys are still to come.
    pub(super) fn waits(&self) -> bool {
        self.waits
    }

    /// Opens an RTP packet.
    pub(super) fn open_rtp<'p>(&mut self, now: Instant, packet: &'p [u8]) -> Option<Opened<'p>> {
        self.open(now, packet, Unprotector::rtp)
    }

    /// Opens an RTCP packet.
    pub(super) fn open_rtcp<'p>(&mut self, now: Instant, packet: &'p [u8]) -> Option<Opened<'p>> {
        self.open(now, packet, Unprotector::rtcp)
    }

    /// Protects an RTP packet; none when it must not be sent.
    pub(super) fn seal_rtp(&mut self, packet: Vec<u8>) -> Option<Vec<u8>> {
        self.seal(packet, Protector::rtp)
    }

    /// Protects an RTCP packet; none when it must not be sent.
    pub(super) fn seal_rtcp(&mut self, packet: Vec<u8>) -> Option<Vec<u8>> {
        self.seal(packet, Protector::rtcp)
    }

    fn open<'p>(
        &mut self,
        now: Instant,
        packet: &'p [u8],
        open: fn(&mut Unprotector, &[u8]) -> Option<Vec<u8>>,
    ) -> Option<Opened<'p>> {
        if !self.on {
            return Some(Opened {
                bytes: Cow::Borrowed(packet),
                proof: Proof::Nothing,
            });
        }
        if let Some((over, _)) = self.former.take_if(|(_, until)| *until <= now) {
            self.leave(over);
        }
        let theirs = self.theirs.as_mut();
        let former = self.former.as_mut().map(|(former, _)| former);
        let opened = [(theirs, Proof::Key), (former, Proof::FormerKey)]
            .into_iter()
            .find_map(|(key, proof)| Some((open(key?, packet)?, proof)));
        let (bytes, proof) = opened?;
        Some(Opened {
            bytes: Cow::Owned(bytes),
            proof,
        })
    }

    /// All keys of the far end that are known.
    fn their_keys(&self) -> impl Iterator<Item = &Unprotector> {
        let former = self.former.as_ref().map(|(former, _)| former);
        self.theirs.iter().chain(former).chain(&self.left)
    }

    /// Takes out a key of the far end that was superseded.
    fn recall(&mut self, key: &SrtpKey) -> Option<Unprotector> {
        let former = self.former.take_if(|(former, _)| former.key() == key);
        former.map(|(former, _)| former).or_else(|| {
            let at = self.left.iter().position(|left| left.key() == key)?;
            Some(self.left.remove(at))
        })
    }

    /// The far end's key is no longer the one it sends by, though packets are on their way.
    fn supersede(&mut self, now: Instant) {
        if let Some(theirs) = self.theirs.take()
            && let Some((over, _)) = self.former.replace((theirs, now + CROSSING))
        {
            self.leave(over);
        }
    }

    fn leave_their_keys(&mut self) {
        let former = self.former.take().map(|(former, _)| former);
        for key in [former, self.theirs.take()].into_iter().flatten() {
            self.leave(key);
        }
    }

    fn leave(&mut self, key: Unprotector) {
        if self.left.len() >= MAX_KEYS {
            self.left.remove(0);
        }
        self.left.push(key);
    }

    fn seal(
        &mut self,
        packet: Vec<u8>,
        seal: fn(&mut Protector, &[u8]) -> Option<Vec<u8>>,
    ) -> Option<Vec<u8>> {
        if !self.on {
            return Some(packet);
        }
        if self.waits {
            return None;
        }
        seal(self.ours.last_mut()?, &packet)
    }
}
