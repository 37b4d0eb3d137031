//! Whether a stream is encrypted, and by which keys: SDES (RFC 4568) in offer and answer.

use crate::sdp::media_description::MediaDescription;
use crate::sdp::negotiate::NegotiationError;
use crate::sdp::srtp::{CryptoAttribute, SrtpKey, SrtpSuite};

/// What our side does about SRTP; by default nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LocalSrtp {
    /// Whether our offers carry keys.
    pub offers: bool,
    /// Whether keys that are offered are taken.
    pub accepts: bool,
    /// Whether nothing may go unprotected.
    pub requires: bool,
    /// Our keys, one for each suite, in order of preference.
    pub keys: Vec<SrtpKey>,
}

/// The keys of a protected stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SrtpKeys {
    /// By which we send.
    pub send: SrtpKey,
    /// By which the far end sends.
    pub receive: SrtpKey,
}

/// The keys that a stream gets, and the tag of the line that they stand for.
pub(super) type Agreed = (u32, SrtpKeys);

/// The keys by which an offered stream is answered: of the first line whose suite is ours.
pub(super) fn protection_of_offer(
    srtp: &LocalSrtp,
    media: &MediaDescription,
) -> Result<Option<Agreed>, NegotiationError> {
    let profile = Profile::of(&media.protocol);
    let ours = |suite: SrtpSuite| srtp.keys.iter().find(|key| key.suite() == suite);
    let agreed = media.crypto.iter().find_map(|theirs| {
        let keys = SrtpKeys {
            send: ours(theirs.key.suite())?.clone(),
            receive: theirs.key.clone(),
        };
        Some((theirs.tag, keys))
    });
    match (profile, agreed) {
        (Profile::Other, _) => Err(NegotiationError::Profile(profile_name(&media.protocol))),
        (Profile::Secure, _) if !srtp.accepts => {
            Err(NegotiationError::Profile(profile_name(&media.protocol)))
        }
        (Profile::Secure, None) => Err(NegotiationError::NoCommonSuite),
        (Profile::Plain, None) if srtp.requires => Err(NegotiationError::Unprotected),
        (Profile::Plain, Some(_)) if !srtp.accepts => Ok(None),
        (Profile::Secure | Profile::Plain, agreed) => Ok(agreed),
    }
}

/// The keys that an answer takes of our offer: those of the line whose tag it repeats.
pub(super) fn protection_of_answer(
    srtp: &LocalSrtp,
    media: &MediaDescription,
) -> Result<Option<Agreed>, NegotiationError> {
    let profile = Profile::of(&media.protocol);
    let answered = media.crypto.first().filter(|_| srtp.offers);
    let agreed = answered.map(|theirs| {
        let mut lines = offered_keys(srtp);
        let same = |line: &CryptoAttribute| {
            (line.tag, line.key.suite()) == (theirs.tag, theirs.key.suite())
        };
        let send = lines.find(same).ok_or(NegotiationError::NoCommonSuite)?.key;
        let receive = theirs.key.clone();
        Ok((theirs.tag, SrtpKeys { send, receive }))
    });
    match (profile, agreed) {
        (Profile::Other, _) => Err(NegotiationError::Profile(profile_name(&media.protocol))),
        (_, Some(agreed)) => agreed.map(Some),
        (Profile::Secure, None) => Err(NegotiationError::NoCommonSuite),
        (Profile::Plain, None) if srtp.requires => Err(NegotiationError::Unprotected),
        (Profile::Plain, None) => Ok(None),
    }
}

/// The lines of our offer, each with a key of its own, numbered from 1.
pub(super) fn offered_keys(srtp: &LocalSrtp) -> impl Iterator<Item = CryptoAttribute> {
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
    /// DTLS-SRTP, or no RTP at all.
    Other,
}

impl Profile {
    fn of(protocol: &str) -> Self {
        match protocol.to_ascii_uppercase().as_str() {
            "RTP/AVP" | "RTP/AVPF" => Self::Plain,
            "RTP/SAVP" | "RTP/SAVPF" => Self::Secure,
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
