//! Candidate pairs (RFC 8445 section 6.1.2).

use std::net::SocketAddr;

use crate::sdp::Candidate;

/// From where datagrams of a component go: its socket, or its relayed address.
///
/// A reflexive candidate has its socket as its base, so no pair is made of it (section 6.1.2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    /// [`crate::sdp::ice::RTP`] or [`crate::sdp::ice::RTCP`].
    pub(super) component: u8,
    /// Whether by the TURN server.
    pub(super) relayed: bool,
}

/// A local candidate that checks are sent from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) way: Way,
    pub(super) candidate: Candidate,
}

/// How far a pair is (section 6.1.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PairState {
    /// Another one of its foundation is checked first.
    Frozen,
    /// It is its turn soon.
    Waiting,
    /// A check is on its way.
    InProgress,
    /// A check was answered.
    Succeeded,
    /// None was.
    Failed,
}

/// A pair.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) way: Way,
    local_foundation: String,
    local_priority: u32,
    pub(super) remote: Candidate,
    pub(super) state: PairState,
    /// Whether it is chosen: asked for by us or by the far end.
    pub(super) nominated: bool,
    /// Whether something authentic came over it.
    pub(super) proven: bool,
    /// Our address, as the far end sees it by this pair.
    pub(super) mapped: Option<SocketAddr>,
}

impl Pair {
    /// Makes one of two candidates of one component and one family.
    pub(super) fn new(base: &Base, remote: &Candidate) -> Option<Self> {
        let local = &base.candidate;
        let fits = base.way.component == remote.component
            && local.address.is_ipv4() == remote.address.is_ipv4();
        fits.then(|| Self {
            way: base.way,
            local_foundation: local.foundation.clone(),
            local_priority: local.priority,
            remote: remote.clone(),
            state: PairState::Frozen,
            nominated: false,
            proven: false,
            mapped: None,
        })
    }

    /// Its priority (section 6.1.2.3).
    pub(super) fn priority(&self, controlling: bool) -> u64 {
        let (local, remote) = (
            u64::from(self.local_priority),
            u64::from(self.remote.priority),
        );
        let (g, d) = if controlling {
            (local, remote)
        } else {
            (remote, local)
        };
        (g.min(d) << 32) + 2 * g.max(d) + u64::from(g > d)
    }

    /// Whether another one has its foundation.
    pub(super) fn is_founded_like(&self, other: &Self) -> bool {
        self.local_foundation == other.local_foundation
            && self.remote.foundation == other.remote.foundation
    }

    /// Whether it goes that way to that address.
    pub(super) fn joins(&self, way: Way, remote: SocketAddr) -> bool {
        self.way == way && self.remote.address == remote
    }

    /// Whether it may still become valid.
    pub(super) fn is_open(&self) -> bool {
        match self.state {
            PairState::Frozen | PairState::Waiting | PairState::InProgress => true,
            PairState::Succeeded | PairState::Failed => false,
        }
    }
}
