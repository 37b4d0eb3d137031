//! Session descriptions (RFC 8866) and offer/answer (RFC 3264); pure.

pub mod codec;
pub mod description;
pub mod dtls;
pub mod grouping;
pub mod ice;
pub mod media_description;
pub mod negotiate;
pub mod opus;
pub mod protection;
pub mod srtp;

pub use codec::Codec;
pub use description::{Direction, Host, Origin, SdpError, SessionDescription};
pub use dtls::{
    DtlsAttributes, DtlsPlan, DtlsRole, Fingerprint, FingerprintHash, LocalDtls, Setup,
};
pub use grouping::Bundle;
pub use ice::{Candidate, CandidateKind, IceCredentials, IcePlan, IceSeed, LocalIce};
pub use media_description::{MediaDescription, PayloadFormat, RtcpAddress};
pub use negotiate::{LocalMedia, MediaPlan, NegotiationError, accept, answer, offer, offer_again};
pub use opus::OpusParameters;
pub use protection::{Keying, LocalSrtp, SrtpKeys};
pub use srtp::{CryptoAttribute, Mki, SrtpKey, SrtpSeed, SrtpSuite};
