//! The keys of one call's stream over its life: re-INVITEs bring new ones, forks have their own, and
//! none of ours is ever begun anew.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use crate::media::transport::{Protector, SrtpError, Unprotector};
use crate::sdp::SrtpKeys;

/// Keys of ours that are remembered; a call that leaves more has many forks.
const MAX_KEYS: usize = 16;
/// How long packets under the far end's former key may still be on their way.
const CROSSING: Duration = Duration::from_secs(2);

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
    forged: u64,
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
            (self.theirs, self.former) = (None, None);
            return Ok(());
        };
        let theirs = match &self.theirs {
            Some(known) if *known.key() == keys.receive => None,
            Some(_) | None => Some(Unprotector::new(&keys.receive)?),
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
        if let Some(theirs) = theirs
            && let Some(former) = self.theirs.replace(theirs)
        {
            self.former = Some((former, now + CROSSING));
        }
        (self.on, self.waits) = (true, false);
        Ok(())
    }

    /// Sends nothing until there are keys, and takes only what is still on its way under the former.
    pub(super) fn wait_for_keys(&mut self, now: Instant) {
        (self.on, self.waits) = (true, true);
        if let Some(former) = self.theirs.take() {
            self.former = Some((former, now + CROSSING));
        }
    }

    /// Whether its keys are still to come.
    pub(super) fn waits(&self) -> bool {
        self.waits
    }

    /// Opens an RTP packet.
    pub(super) fn open_rtp<'p>(&mut self, now: Instant, packet: &'p [u8]) -> Option<Cow<'p, [u8]>> {
        self.open(now, packet, Unprotector::rtp)
    }

    /// Opens an RTCP packet.
    pub(super) fn open_rtcp<'p>(
        &mut self,
        now: Instant,
        packet: &'p [u8],
    ) -> Option<Cow<'p, [u8]>> {
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

    /// Packets that came and were not authentic.
    pub(super) fn forged(&self) -> u64 {
        self.forged
    }

    fn open<'p>(
        &mut self,
        now: Instant,
        packet: &'p [u8],
        open: fn(&mut Unprotector, &[u8]) -> Option<Vec<u8>>,
    ) -> Option<Cow<'p, [u8]>> {
        if !self.on {
            return Some(Cow::Borrowed(packet));
        }
        self.former.take_if(|(_, until)| *until <= now);
        let theirs = self.theirs.as_mut();
        let opened = theirs.and_then(|theirs| open(theirs, packet)).or_else(|| {
            let (former, _) = self.former.as_mut()?;
            open(former, packet)
        });
        if opened.is_none() && !self.waits {
            self.forged = self.forged.saturating_add(1);
        }
        opened.map(Cow::Owned)
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
