//! What a call does about ICE: it waits for its candidates, and tells the far end of the pair that was
//! chosen where the descriptions say another.

use std::net::SocketAddr;

use crate::call::phase::Phase;
use crate::call::session::Call;
use crate::sdp::ice::Settled;
use crate::sdp::{Candidate, IceCredentials};

impl Call {
    /// Learns where the sockets are bound and by which candidates they may be reached (ICE).
    pub fn handle_gathered(&mut self, rtp: SocketAddr, candidates: Vec<Candidate>) {
        let credentials = self.credentials.clone();
        self.opened(rtp, credentials.map(|it| (it, candidates)));
    }

    /// The checks have chosen by which pairs sound goes.
    pub fn handle_settled(&mut self, pairs: Vec<Settled>) {
        let media = self.media.as_mut();
        if media.is_some_and(|media| media.settle(pairs)) && self.phase != Phase::Ending {
            self.moved = true;
            self.reinvite_if_needed();
        }
    }

    /// By what the checks of the sockets that are to be opened are known; none without ICE. Then they
    /// are answered for by `handle_gathered`.
    pub fn credentials(&self) -> Option<&IceCredentials> {
        self.credentials.as_ref()
    }
}
