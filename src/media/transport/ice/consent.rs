//! Whether the far end still wants what we send (RFC 7675): asked every five seconds or so, and taken
//! as withdrawn when it does not answer for thirty. It also keeps the ways of NATs open (RFC 8445
//! section 11 asks for something every 15 s).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::base::random::Random;
use crate::media::transport::ice::stun::Id;

/// Between two questions, before it is spread (RFC 7675 section 5.1).
const INTERVAL: Duration = Duration::from_secs(5);
/// Without an answer for so long nothing more may be sent (section 5.1).
const EXPIRY: Duration = Duration::from_secs(30);
/// Questions whose answers are still believed: those of the expiry.
const MAX_ASKED: usize = 8;

/// What time asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Nothing.
    Nothing,
    /// A question with this id.
    Ask(Id),
    /// It is withdrawn.
    Expired,
}

/// The consent for one pair.
#[derive(Debug)]
pub(super) struct Consent {
    next: Instant,
    expires: Instant,
    asked: VecDeque<Id>,
}

impl Consent {
    /// A check was answered just now.
    pub(super) fn begin(now: Instant, random: &mut dyn Random) -> Self {
        Self {
            next: now + spread(random),
            expires: now + EXPIRY,
            asked: VecDeque::new(),
        }
    }

    /// What is due. Each question is a transaction of its own and is not repeated.
    pub(super) fn poll(&mut self, now: Instant, random: &mut dyn Random) -> Asked {
        if now >= self.expires {
            return Asked::Expired;
        }
        if now < self.next {
            return Asked::Nothing;
        }
        self.next = now + spread(random);
        let mut id = Id::default();
        random.fill(&mut id);
        if self.asked.len() >= MAX_ASKED {
            self.asked.pop_front();
        }
        self.asked.push_back(id);
        Asked::Ask(id)
    }

    /// Whether a question has that id.
    pub(super) fn asked(&self, id: Id) -> bool {
        self.asked.contains(&id)
    }

    /// An authentic answer came.
    pub(super) fn given(&mut self, now: Instant, id: Id) {
        self.expires = now + EXPIRY;
        self.asked.retain(|asked| *asked != id);
    }

    /// When something is due.
    pub(super) fn next_timeout(&self) -> Instant {
        self.next.min(self.expires)
    }
}

/// 80 to 120 % of the interval, so that questions do not come in step (section 5.1).
fn spread(random: &mut dyn Random) -> Duration {
    INTERVAL * (800 + random.next_u32() % 401) / 1_000
}
