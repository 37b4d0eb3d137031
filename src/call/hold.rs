//! Who holds whom.

use crate::sdp::Direction;

/// Hold on both sides of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Hold {
    /// What the agent wants.
    pub(super) wanted: bool,
    /// What the far end agreed to.
    pub(super) applied: bool,
    /// Whether the far end holds us.
    pub(super) remote: bool,
}

impl Hold {
    /// The direction to offer or answer with (RFC 3264 section 8.4).
    pub(super) fn direction(self) -> Direction {
        match (self.wanted, self.remote) {
            (true, true) => Direction::Inactive,
            (true, false) => Direction::SendOnly,
            (false, _) => Direction::SendRecv,
        }
    }

    /// Whether a re-INVITE is needed.
    pub(super) fn differs(self) -> bool {
        self.wanted != self.applied
    }
}
