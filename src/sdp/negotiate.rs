//! Offer and answer (RFC 3264) for one audio stream.

use std::net::{IpAddr, SocketAddr};

use crate::sdp::codec::Codec;
use crate::sdp::description::{Direction, SessionDescription};

/// What our side can and wants; the input of each offer and answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalMedia {
    /// `o=` session id, the same for the whole call.
    pub session_id: u64,
    /// `o=` version, one more for each changed description (RFC 3264 section 8).
    pub version: u64,
    /// The address in `o=` and `c=`.
    pub address: IpAddr,
    /// The RTP port; RTCP is on the next one unless multiplexed.
    pub rtp_port: u16,
    /// Codecs in order of preference.
    pub codecs: Vec<Codec>,
    /// The packet time to ask for, in milliseconds.
    pub ptime_millis: u32,
    /// What our side wants: `SendRecv`, or `SendOnly`/`Inactive` to hold.
    pub direction: Direction,
}

/// The outcome of offer and answer: what the media room carries out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPlan {
    /// Where RTP goes; none when the far end gave no usable address (0.0.0.0, multicast …).
    pub remote_rtp: Option<SocketAddr>,
    /// Where RTCP goes.
    pub remote_rtcp: Option<SocketAddr>,
    /// Whether RTP and RTCP share a port (RFC 5761).
    pub rtcp_mux: bool,
    /// The codec to send.
    pub codec: Codec,
    /// The payload type to send it with.
    pub send_payload_type: u8,
    /// Every codec that may arrive, with the payload type it has here.
    pub receive: Vec<(u8, Codec)>,
    /// The payload type of telephone-event (RFC 4733) to send, where the far end takes it.
    pub telephone_event_send: Option<u8>,
    /// The payload type of telephone-event that may arrive.
    pub telephone_event_receive: Option<u8>,
    /// The packet time to send, in milliseconds.
    pub ptime_millis: u32,
    /// What our side does: `SendOnly` and `Inactive` when we hold, `RecvOnly` and `Inactive` when
    /// we are held.
    pub direction: Direction,
    /// Whether Opus may use in-band FEC towards the far end (`useinbandfec=1`).
    pub opus_fec: bool,
}

/// Why offer and answer gave no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NegotiationError {
    /// No audio stream in it: 488.
    #[error("the far end offers no audio")]
    NoAudio,
    /// No codec in common: 488.
    #[error("the far end speaks none of our codecs; it offers {0}")]
    NoCommonCodec(String),
    /// The stream needs something that we do not have, such as SRTP: 488.
    #[error("the far end demands {0}, which this phone does not speak")]
    Profile(String),
}

/// Writes an offer.
#[expect(clippy::todo, unused_variables, reason = "contract")]
pub fn offer(local: &LocalMedia) -> SessionDescription {
    todo!()
}

/// Answers an offer.
///
/// # Errors
///
/// Fails when there is nothing that both sides can do; answer 488 then.
#[expect(clippy::todo, unused_variables, reason = "contract")]
pub fn answer(
    local: &LocalMedia,
    offer: &SessionDescription,
) -> Result<(SessionDescription, MediaPlan), NegotiationError> {
    todo!()
}

/// Draws the plan from our offer and the far end's answer.
///
/// # Errors
///
/// Fails when the answer refuses the audio or names no codec of the offer.
#[expect(clippy::todo, unused_variables, reason = "contract")]
pub fn accept(
    local: &LocalMedia,
    answer: &SessionDescription,
) -> Result<MediaPlan, NegotiationError> {
    todo!()
}
