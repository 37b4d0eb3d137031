//! How many server transactions each source may begin, so that none takes the room of all.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::base::site::site;

/// How many eighths of the limit those may take who are neither an own server nor in a call.
const STRANGERS: usize = 6;
/// How many eighths they and those in a call may take.
const PEERS: usize = 7;
/// From how many eighths on a source that is no own server gets no more than its share, which is
/// one eighth: one that is alone may have more.
const CROWDED: usize = 5;

/// Who begins a server transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// One of the account's own servers.
    Own,
    /// Whoever sends what belongs to a call or subscription.
    Peer,
    /// Anybody else.
    Stranger,
}

/// How many server transactions each source has that is no own server.
#[derive(Debug, Default)]
pub(super) struct Shares(HashMap<IpAddr, usize>);

impl Shares {
    /// Whether a source may begin another one, when so many of the limit are taken by all.
    pub(super) fn has_room(
        &self,
        limit: usize,
        taken: usize,
        source: IpAddr,
        standing: Standing,
    ) -> bool {
        let eighths = |count: usize| limit / 8 * count;
        let room = match standing {
            Standing::Own => return taken < limit,
            Standing::Peer => taken < eighths(PEERS),
            Standing::Stranger => taken < eighths(STRANGERS),
        };
        let own = self.0.get(&site(source)).copied().unwrap_or_default();
        room && (taken < eighths(CROWDED) || own < eighths(1))
    }

    /// Takes a place; gives whose share it is from.
    pub(super) fn take(&mut self, source: IpAddr, standing: Standing) -> Option<IpAddr> {
        let source = match standing {
            Standing::Own => return None,
            Standing::Peer | Standing::Stranger => site(source),
        };
        *self.0.entry(source).or_default() += 1;
        Some(source)
    }

    /// Gives a place back.
    pub(super) fn give_back(&mut self, source: Option<IpAddr>) {
        if let Some(source) = source
            && let Some(count) = self.0.get_mut(&source)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(&source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight eighths of ten.
    const LIMIT: usize = 80;

    fn source(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    fn with(taken: usize) -> Shares {
        let mut shares = Shares::default();
        for _ in 0..taken {
            shares.take(source(1), Standing::Stranger);
        }
        shares
    }

    #[test]
    fn the_last_places_are_for_those_in_a_call_and_the_very_last_for_the_own_server() {
        let shares = Shares::default();
        for (standing, room) in [
            (Standing::Stranger, 60),
            (Standing::Peer, 70),
            (Standing::Own, 80),
        ] {
            let has_room = |taken| shares.has_room(LIMIT, taken, source(1), standing);
            assert!(has_room(room - 1), "{standing:?}");
            assert!(!has_room(room), "{standing:?}");
        }
    }

    #[test]
    fn in_a_crowd_a_source_has_an_eighth_and_alone_it_has_more() {
        for standing in [Standing::Stranger, Standing::Peer] {
            let room = |own, taken| with(own).has_room(LIMIT, taken, source(1), standing);
            assert!(room(10, 49), "alone");
            assert!(!room(10, 50), "in a crowd");
            assert!(room(9, 50), "within its share");
            assert!(with(10).has_room(LIMIT, 50, source(2), standing), "another");
        }
        assert!(with(10).has_room(LIMIT, 79, source(1), Standing::Own));
    }

    #[test]
    fn what_is_given_back_is_there_again_and_nothing_is_left_of_it() {
        let mut shares = with(9);
        let place = shares.take(source(1), Standing::Peer);
        let room = |shares: &Shares| shares.has_room(LIMIT, 50, source(1), Standing::Stranger);
        assert!(!room(&shares));
        shares.give_back(place);
        assert!(room(&shares));
        shares.take(source(1), Standing::Peer);
        let place = shares.take(source(1), Standing::Peer);
        shares.give_back(place);
        assert!(!room(&shares), "the others still count");
        shares.give_back(Some(source(1)));
        shares.give_back(None);
        for _ in 0..9 {
            shares.give_back(Some(source(1)));
        }
        assert!(shares.0.is_empty());
        assert_eq!(shares.take(source(1), Standing::Own), None);
    }
}
