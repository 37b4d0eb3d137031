//! Whether a stream is encrypted, and by which keys: SDES (RFC 4568) and DTLS-SRTP (RFC 5763) in offer
//! and answer.

use crate::sdp::dtls::{DtlsAttributes, DtlsPlan, LocalDtls, answered_by};
use crate::sdp::media_description::MediaDescription;
use crate::sdp::negotiate::{MediaPlan, NegotiationError};
use crate::sdp::srtp::{CryptoAttribute, SrtpKey, SrtpSuite};

/// How the keys of SRTP come to both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keying {
    /// In the session descriptions (RFC 4568).
    #[default]
    Sdes,
    /// By a handshake on the way of the sound itself (RFC 5763).
    Dtls,
}

/// What our side does about SRTP; by default nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LocalSrtp {
    /// Whether our offers ask for it.
    pub offers: bool,
    /// By what.
    pub keying: Keying,
    /// Whether it is taken where it is offered.
    pub accepts: bool,
    /// Whether nothing may go unprotected.
    pub requires: bool,
    /// Our keys, one for each suite, in order of preference; none where SDES is not used.
    pub keys: Vec<SrtpKey>,
    /// What we bring to a handshake; none where DTLS-SRTP is not used.
    pub dtls: Option<LocalDtls>,
}

impl LocalSrtp {
    /// The profile of our first offer: the one that demands, where we do.
    pub(super) fn profile(&self) -> &'static str {
        match (self.requires, self.keying) {
            (false, _) => "RTP/AVP",
            (true, Keying::Sdes) => "RTP/SAVP",
            (true, Keying::Dtls) => "UDP/TLS/RTP/SAVP",
        }
    }
}

/// The keys of a protected stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SrtpKeys {
    /// By which we send.
    pub send: SrtpKey,
    /// By which the far end sends.
    pub receive: SrtpKey,
}

/// How a stream gets its keys.
pub(super) enum Agreed {
    /// By those of the line with that tag.
    Sdes(u32, SrtpKeys),
    /// By a handshake.
    Dtls(DtlsPlan),
}

impl Agreed {
    /// Says so in our answer.
    pub(super) fn answer(&self, srtp: &LocalSrtp, media: &mut MediaDescription) {
        match self {
            Self::Sdes(tag, keys) => media.crypto.push(CryptoAttribute {
                tag: *tag,
                key: keys.send.clone(),
            }),
            Self::Dtls(plan) => {
                if let Some(ours) = &srtp.dtls {
                    media.dtls = ours.answered(plan.role);
                }
            }
        }
    }

    /// Enters it in a plan.
    pub(super) fn enter(self, plan: &mut MediaPlan) {
        match self {
            Self::Sdes(_, keys) => plan.srtp = Some(keys),
            Self::Dtls(dtls) => plan.dtls = Some(dtls),
        }
    }
}

/// How an offered stream is answered: by the first line of SDES whose suite is ours, or by a handshake.
/// Where both are offered, the profile says which is meant; under the plain one it is the handshake,
/// whose keys nobody sees.
pub(super) fn protection_of_offer(
    srtp: &LocalSrtp,
    media: &MediaDescription,
    dtls: &DtlsAttributes,
) -> Result<Option<Agreed>, NegotiationError> {
    let profile = Profile::of(&media.protocol);
    let ours = |suite: SrtpSuite| srtp.keys.iter().find(|key| key.suite() == suite);
    let sdes = || {
        media.crypto.iter().find_map(|theirs| {
            let keys = SrtpKeys {
                send: ours(theirs.key.suite())?.clone(),
                receive: theirs.key.clone(),
            };
            Some(Agreed::Sdes(theirs.tag, keys))
        })
    };
    let dtls = || {
        let plan = srtp.dtls.as_ref()?.answer_to(dtls)?;
        Some(Agreed::Dtls(plan))
    };
    let spoken = match profile {
        Profile::Plain => true,
        Profile::Secure => srtp.accepts,
        Profile::Dtls => srtp.accepts && srtp.dtls.is_some(),
        Profile::Other => false,
    };
    if !spoken {
        return Err(NegotiationError::Profile(profile_name(&media.protocol)));
    }
    let agreed = match profile {
        _ if !srtp.accepts => None,
        Profile::Plain => dtls().or_else(sdes),
        Profile::Secure => sdes().or_else(dtls),
        Profile::Dtls | Profile::Other => dtls(),
    };
    agreed.map_or_else(|| without_keys(srtp, profile), |agreed| Ok(Some(agreed)))
}

/// What an answer takes of our offer: the line of SDES whose tag it repeats, or the handshake.
pub(super) fn protection_of_answer(
    srtp: &LocalSrtp,
    media: &MediaDescription,
    dtls: &DtlsAttributes,
) -> Result<Option<Agreed>, NegotiationError> {
    let profile = Profile::of(&media.protocol);
    let agreed = match (srtp.offers, srtp.keying) {
        (false, _) => None,
        (true, Keying::Sdes) => taken_key(srtp, media)?,
        (true, Keying::Dtls) => answered_by(dtls).map(Agreed::Dtls),
    };
    match (profile, agreed) {
        (Profile::Other, _) => Err(NegotiationError::Profile(profile_name(&media.protocol))),
        (_, Some(agreed)) => Ok(Some(agreed)),
        (Profile::Plain | Profile::Secure | Profile::Dtls, None) => without_keys(srtp, profile),
    }
}

/// Our offer of it.
pub(super) fn offer_protection(srtp: &LocalSrtp, media: &mut MediaDescription) {
    match (srtp.offers, srtp.keying) {
        (false, _) => {}
        (true, Keying::Sdes) => media.crypto.extend(offered_keys(srtp)),
        (true, Keying::Dtls) => {
            media.dtls = srtp
                .dtls
                .as_ref()
                .map(LocalDtls::offered)
                .unwrap_or_default();
        }
    }
}

impl MediaDescription {
    /// The profile of a stream that is protected already, which the next offer keeps.
    pub(super) fn protected_profile(&self) -> Option<&str> {
        let demands = matches!(Profile::of(&self.protocol), Profile::Secure | Profile::Dtls);
        (demands || !self.crypto.is_empty()).then_some(&*self.protocol)
    }
}

/// What a stream without keys is under its profile.
fn without_keys(srtp: &LocalSrtp, profile: Profile) -> Result<Option<Agreed>, NegotiationError> {
    match profile {
        Profile::Plain if srtp.requires => Err(NegotiationError::Unprotected),
        Profile::Plain => Ok(None),
        Profile::Secure => Err(NegotiationError::NoCommonSuite),
        Profile::Dtls | Profile::Other => Err(NegotiationError::NoFingerprint),
    }
}

fn taken_key(
    srtp: &LocalSrtp,
    media: &MediaDescription,
) -> Result<Option<Agreed>, NegotiationError> {
    let Some(theirs) = media.crypto.first() else {
        return Ok(None);
    };
    let mut lines = offered_keys(srtp);
    let same =
        |line: &CryptoAttribute| (line.tag, line.key.suite()) == (theirs.tag, theirs.key.suite());
    let send = lines.find(same).ok_or(NegotiationError::NoCommonSuite)?.key;
    let receive = theirs.key.clone();
    Ok(Some(Agreed::Sdes(theirs.tag, SrtpKeys { send, receive })))
}

/// The lines of our offer, each with a key of its own, numbered from 1.
fn offered_keys(srtp: &LocalSrtp) -> impl Iterator<Item = CryptoAttribute> {
    let numbered = (1..).zip(&srtp.keys);
    numbered.map(|(tag, key)| CryptoAttribute {
        tag,
        key: key.clone(),
    })
}

/// How a stream is carried, by its protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Profile {
    /// RTP, with or without early feedback (RFC 3551, RFC 4585).
    Plain,
    /// SRTP with keys in the description (RFC 3711, RFC 5124).
    Secure,
    /// SRTP with keys from a handshake (RFC 5764 section 8).
    Dtls,
    /// No RTP at all, or none over UDP.
    Other,
}

impl Profile {
    fn of(protocol: &str) -> Self {
        match protocol.to_ascii_uppercase().as_str() {
            "RTP/AVP" | "RTP/AVPF" => Self::Plain,
            "RTP/SAVP" | "RTP/SAVPF" => Self::Secure,
            "UDP/TLS/RTP/SAVP" | "UDP/TLS/RTP/SAVPF" => Self::Dtls,
            _ => Self::Other,
        }
    }
}

fn profile_name(protocol: &str) -> String {
    let upper = protocol.to_ascii_uppercase();
    let what = if upper.contains("TLS") {
        "DTLS-SRTP"
    } else if upper.contains("SAVP") {
        "SRTP"
    } else {
        "the profile"
    };
    format!("{what} ({})", protocol.chars().take(40).collect::<String>())
}

#[cfg(test)]
mod tests;
