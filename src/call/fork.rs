//! The phones that ring at once for a call that we make (forking, RFC 3261 section 4): each answers
//! our offer for itself, and one of them may be heard before the call is answered.

use std::net::SocketAddr;

use crate::call::negotiation::Negotiation;
use crate::sdp::{Candidate, IceCredentials, MediaPlan};
use crate::sip::EarlyMedia;

/// How many phones are told apart; what further ones send before the answer is not heard.
const MAX_FORKS: usize = 32;

#[derive(Debug)]
struct Fork {
    tag: String,
    /// Our offer with its answer; none before the answer.
    media: Option<Negotiation>,
    /// Whether the network holds its sound back.
    withheld: bool,
}

/// The phones that ring, the one that spoke last at the end.
#[derive(Debug, Default)]
pub(super) struct Forks(Vec<Fork>);

impl Forks {
    /// Takes what a phone's provisional answer says: an agreed media description, and whether the
    /// network lets its sound through.
    pub(super) fn progress(&mut self, tag: &str, media: Option<Negotiation>, said: EarlyMedia) {
        let known = self.0.iter().position(|fork| fork.tag == tag);
        let mut fork = match known {
            // A plain 180 moves nobody to the front.
            Some(at) if media.is_none() => {
                if let Some(fork) = self.0.get_mut(at) {
                    fork.hear(said);
                }
                return;
            }
            Some(at) => self.0.remove(at),
            None if self.0.len() >= MAX_FORKS => return,
            None => Fork {
                tag: tag.to_owned(),
                media: None,
                withheld: false,
            },
        };
        fork.hear(said);
        if media.is_some() {
            fork.media = media;
        }
        self.0.push(fork);
    }

    /// Forgets a phone that stopped ringing (199, RFC 6228).
    pub(super) fn remove(&mut self, tag: &str) {
        self.0.retain(|fork| fork.tag != tag);
    }

    /// Whether none rings.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was agreed with a phone, taken out.
    pub(super) fn take(&mut self, tag: &str) -> Option<Negotiation> {
        let fork = self.0.iter_mut().find(|fork| fork.tag == tag)?;
        fork.media.take()
    }

    /// Lets each of them know where we are to be reached from now on.
    pub(super) fn move_to(
        &mut self,
        rtp: SocketAddr,
        ice: Option<&(IceCredentials, Vec<Candidate>)>,
    ) {
        let agreed = self.0.iter_mut().filter_map(|fork| fork.media.as_mut());
        agreed.for_each(|media| media.move_to(rtp, ice));
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The media of the phone that is heard: of those with a description that are let through, the
    /// one that spoke last.
    pub(super) fn heard(&self) -> Option<&MediaPlan> {
        let mut audible = self.0.iter().rev().filter(|fork| !fork.withheld);
        audible.find_map(|fork| fork.media.as_ref()?.plan())
    }
}

impl Fork {
    fn hear(&mut self, said: EarlyMedia) {
        match said {
            EarlyMedia::Unsaid => {}
            EarlyMedia::Allowed => self.withheld = false,
            EarlyMedia::Withheld => self.withheld = true,
        }
    }
}
