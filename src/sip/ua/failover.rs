//! Which servers failed lately, so that the next request goes to another first (RFC 3263 section
//! 4.3, RFC 3261 section 21.5.4).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::outgoing::Owner;
use super::session::Phase;
use crate::base::flow::{Resolved, Transport};
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{EarlyMedia, SessionId, SipEvent, Status};
use crate::sip::message::Message;

/// How long a server stands last that could not be reached at all: asking again costs little.
const AFTER_REFUSAL: Duration = Duration::from_secs(60);
/// How long one stands last that did not answer: each try costs 32 s.
const AFTER_SILENCE: Duration = Duration::from_secs(300);
/// The longest that a Retry-After is believed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);
/// How many servers are remembered.
const MAX_REMEMBERED: usize = 64;

/// The servers that failed lately, each until when it stands last.
#[derive(Debug, Default)]
pub(crate) struct Penalties {
    until: BTreeMap<(Transport, SocketAddr), Instant>,
}

impl Penalties {
    /// Lets a server stand last for a while.
    pub(crate) fn punish(&mut self, now: Instant, place: &Resolved, lasting: Duration) {
        self.until.retain(|_, until| *until > now);
        if self.until.len() < MAX_REMEMBERED {
            self.until
                .insert((place.transport, place.remote), now + lasting);
        }
    }

    /// Lets a server that answered stand where it stood.
    pub(crate) fn forgive(&mut self, place: &Resolved) {
        self.until.remove(&(place.transport, place.remote));
    }

    /// Forgets all: on another network others may be reached.
    pub(crate) fn clear(&mut self) {
        self.until.clear();
    }

    /// Until when a server stands last.
    pub(crate) fn until(&self, now: Instant, place: &Resolved) -> Option<Instant> {
        self.until
            .get(&(place.transport, place.remote))
            .copied()
            .filter(|until| *until > now)
    }

    /// Puts those that failed last, the one that may be back first before the others.
    pub(crate) fn sort(&self, now: Instant, places: &mut [Resolved]) {
        places.sort_by_key(|place| self.until(now, place));
    }
}

impl Endpoint {
    /// Notes what became of an attempt: 503 and no answer put the server last, anything else is a
    /// sign of life. Inside a call the far end may be the one who failed, not the server.
    pub(crate) fn judge_response(
        &mut self,
        now: Instant,
        owner: Owner,
        place: Option<Resolved>,
        response: &Message,
    ) {
        let Some(place) = place else {
            return;
        };
        if response.code() != Some(503) {
            self.penalties.forgive(&place);
        } else if chooses_servers(owner) {
            let asked = response
                .seconds("Retry-After")
                .map(|s| Duration::from_secs(s.into()));
            let lasting = asked
                .unwrap_or(AFTER_REFUSAL)
                .clamp(Duration::from_secs(1), MAX_RETRY_AFTER);
            self.penalties.punish(now, &place, lasting);
        }
    }

    /// Notes that an attempt got no answer (408) or could not be made (503).
    pub(crate) fn judge_failure(
        &mut self,
        now: Instant,
        owner: Owner,
        place: Option<Resolved>,
        code: u16,
    ) {
        if let Some(place) = place
            && chooses_servers(owner)
        {
            let lasting = if code == 408 {
                AFTER_SILENCE
            } else {
                AFTER_REFUSAL
            };
            self.penalties.punish(now, &place, lasting);
        }
    }

    /// Forgets what the last target of an INVITE said: another attempt is another request. It may be
    /// cancelled only after a 1xx of its own (RFC 3261 section 9.1), and the early dialogs of the last one
    /// are over (section 13.2.2.3), which the owner is told as by a 199 (RFC 6228).
    pub(crate) fn forget_last_target(&mut self, now: Instant, id: SessionId) {
        const EARLY_DIALOG_TERMINATED: u16 = 199;
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Phase::Calling { provisional, .. } = &mut session.phase else {
            return;
        };
        *provisional = false;
        let over = std::mem::take(&mut session.early);
        if over.is_empty() {
            return;
        }
        self.refuse_pending_change(now, id);
        self.withdraw_change(id);
        for early in over {
            self.border.event(SipEvent::Progress {
                session: id,
                fork: early.dialog.remote_tag().to_owned(),
                status: Status::new(EARLY_DIALOG_TERMINATED, "Early Dialog Terminated"),
                body: None,
                early_media: EarlyMedia::Unsaid,
            });
        }
    }
}

/// Whether a request chooses among servers; inside a call they are chosen already.
pub(super) fn chooses_servers(owner: Owner) -> bool {
    match owner {
        Owner::Register(_) | Owner::Invite(_) | Owner::Subscribe(_) => true,
        Owner::Information(_)
        | Owner::Change(_)
        | Owner::Refresh(_)
        | Owner::Prack(_)
        | Owner::Refer(_)
        | Owner::ReferNews(_)
        | Owner::Resubscribe(..)
        | Owner::Bye(_)
        | Owner::Nobody => false,
    }
}

/// Puts a place first where it is among them.
pub(crate) fn prefer(places: &mut [Resolved], wanted: Option<Resolved>) {
    if let Some(wanted) = wanted
        && let Some(at) = places
            .iter()
            .position(|place| (place.transport, place.remote) == (wanted.transport, wanted.remote))
        && let Some(upto) = places.get_mut(..=at)
    {
        upto.rotate_right(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;

    fn place(last: u8) -> Resolved {
        Resolved {
            transport: Transport::Udp,
            remote: ([192, 0, 2, last], 5060).into(),
            local_ip: [10, 0, 0, 1].into(),
        }
    }

    fn order(penalties: &Penalties, now: Instant) -> Vec<u8> {
        let mut places: Vec<_> = (1..=3).map(place).collect();
        penalties.sort(now, &mut places);
        let number = |it: &Resolved| (1..=3).find(|n| place(*n) == *it).unwrap();
        places.iter().map(number).collect()
    }

    #[test]
    fn who_failed_stands_last_for_a_while() {
        let start = monotonic_now();
        let second = Duration::from_secs(1);
        let mut penalties = Penalties::default();
        penalties.punish(start, &place(1), second * 20);
        penalties.punish(start, &place(2), second * 10);
        assert_eq!(order(&penalties, start), [3, 2, 1]);
        assert_eq!(order(&penalties, start + second * 10), [2, 3, 1]);
        assert_eq!(order(&penalties, start + second * 20), [1, 2, 3]);
        penalties.punish(start, &place(1), second * 20);
        penalties.forgive(&place(1));
        assert_eq!(order(&penalties, start), [1, 3, 2]);
        penalties.clear();
        assert_eq!(order(&penalties, start), [1, 2, 3]);
    }

    #[test]
    fn few_are_remembered_and_the_old_make_room() {
        let start = monotonic_now();
        let mut penalties = Penalties::default();
        for n in 0..=255 {
            penalties.punish(start, &place(n), Duration::from_secs(1));
        }
        assert_eq!(penalties.until.len(), MAX_REMEMBERED);
        penalties.punish(start + Duration::from_secs(2), &place(1), AFTER_REFUSAL);
        assert_eq!(penalties.until.len(), 1);
    }

    #[test]
    fn a_preferred_place_comes_first_and_the_others_keep_their_order() {
        let mut places: Vec<_> = (1..=4).map(place).collect();
        prefer(&mut places, Some(place(3)));
        assert_eq!(places, [3, 1, 2, 4].map(place));
        prefer(&mut places, Some(place(9)));
        assert_eq!(places, [3, 1, 2, 4].map(place));
        prefer(&mut places, None);
        assert_eq!(places, [3, 1, 2, 4].map(place));
    }
}
