//! What a call wants from its surroundings, and what it tells of itself.

use std::net::{IpAddr, SocketAddr};

use crate::sdp::MediaPlan;
use crate::sip::{Body, EndedBy, ReferTarget, Status};

/// One wish or message of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Bind sockets on this address; answered by `handle_media_opened` or `handle_media_failed`.
    OpenMedia(IpAddr),
    /// A handshake for keys was offered: the far end may begin it before it answers (RFC 5763 section 6.6).
    ExpectHandshake,
    /// Start or change the media.
    Apply(Box<MediaPlan>),
    /// Something for the SIP layer.
    Sip(SipAction),
    /// Something that happened.
    Tell(Edge),
}

/// A step of the SIP session, to be carried out by the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SipAction {
    /// Send the INVITE with this offer.
    Offer(Body),
    /// 180, or 183 with a body.
    Ring(Option<Body>),
    /// 200.
    Answer(Body),
    /// A final refusal.
    Reject(Status, Vec<(String, String)>),
    /// REFER.
    Refer(ReferTarget),
    /// CANCEL, BYE or 603, as the state asks.
    HangUp,
    /// Offer a change.
    Reinvite(Body),
    /// Answer the far end's change.
    AnswerReinvite(Status, Option<Body>),
}

/// A change that others want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edge {
    /// It rings, here or there; `early_media` when the far end already sends sound.
    Ringing {
        /// The provisional status.
        status: u16,
        /// Whether the far end's own sound is to be heard.
        early_media: bool,
    },
    /// Nobody rings any more, and the call goes on to somebody else.
    RingingOver,
    /// Both sides may talk.
    Answered,
    /// We hold, or the far end does.
    Held {
        /// Whether the far end holds.
        by_remote: bool,
    },
    /// Nobody holds any more.
    Resumed,
    /// Media was agreed or changed.
    Media(Box<MediaPlan>),
    /// The far end was asked to call somebody else, and this is how it goes.
    Transferring {
        /// 202 once it took it up, 180 while it rings there.
        status: u16,
    },
    /// What became of the transfer: 2xx, or why it failed.
    Transferred {
        /// The status.
        status: Status,
    },
    /// Our RTP address is another, because the network changed.
    Moved(SocketAddr),
    /// Something failed and the call goes on; what is wrong, for a person.
    Problem(String),
    /// Our side hung up: for people and records the call is over now; `Ended` follows once the far
    /// end confirmed it, or never did.
    HungUp {
        /// What our side found wrong, when that is why.
        problem: Option<String>,
    },
    /// The call is over.
    Ended {
        /// Who ended it.
        by: EndedBy,
        /// In SIP's words.
        status: Status,
        /// A Reason header field's value.
        reason: Option<String>,
        /// What our side found wrong, when it was our side.
        problem: Option<String>,
    },
}

/// Why a wish cannot be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The call is in another phase.
    #[error("that cannot be done while the call is {0}")]
    WrongPhase(&'static str),
    /// A transfer is under way.
    #[error("the call is being transferred already")]
    Transferring,
}
