//! What a call's media gives out: datagrams to send, and what happened.

use std::net::SocketAddr;
use std::time::Duration;

use crate::media::codec::CodecError;
use crate::media::dtmf::ReceivedDigit;
use crate::media::one_way::Cause;
use crate::media::transport::{DtlsFailure, SrtpError};
use crate::sdp::SrtpSuite;

/// Why a plan could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The codec.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The keys.
    #[error(transparent)]
    Srtp(#[from] SrtpError),
}

/// A datagram to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Where to.
    pub to: SocketAddr,
    /// Whether from the RTCP port.
    pub from_rtcp_port: bool,
    /// What.
    pub bytes: Vec<u8>,
}

/// What happened in the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEvent {
    /// The first packet of a source was accepted.
    Flowing(SocketAddr),
    /// Neither sound nor a report came for so long, though sound should.
    Silent {
        /// For how long.
        lasting: Duration,
    },
    /// One of them comes again after a silence that was told.
    Heard,
    /// A digit came.
    Digit(ReceivedDigit),
    /// The handshake gave keys for that suite.
    Secured(SrtpSuite),
    /// It gave none, so that nothing can be sent or heard.
    KeysFailed(DtlsFailure),
    /// Why one side is not heard, or that it is over.
    OneWay {
        /// Why.
        cause: Cause,
        /// Whether that is over; another cause for the same direction may follow.
        over: bool,
    },
}
