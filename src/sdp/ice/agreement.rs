//! Whether ICE is used for a stream, and between which candidates: its part of offer and answer
//! (RFC 8839 sections 4.2 to 4.4).

use std::net::SocketAddr;

use crate::sdp::description::{Host, SessionDescription};
use crate::sdp::ice::{Candidate, IceAttributes, IceCredentials, RTCP, RTP, is_unicast};
use crate::sdp::media_description::{MediaDescription, RtcpAddress};

/// The port of a default address that stands for none (RFC 8840 section 4.1.1).
const DISCARD: u16 = 9;

/// What our side brings to ICE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalIce {
    /// By what our checks are known.
    pub credentials: IceCredentials,
    /// Where we may be reached, the default address of each component first.
    pub candidates: Vec<Candidate>,
    /// Whether our next offer speaks of it: not where the far end was found not to.
    pub offers: bool,
    /// Whether our side made the offer that began this session of ICE, and so decides.
    pub offered: bool,
    /// What the checks settled on, for each component.
    pub settled: Vec<Settled>,
}

/// The pair of one component that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// [`RTP`] or [`RTCP`].
    pub component: u8,
    /// Our address, as the far end sees it.
    pub local: SocketAddr,
    /// The far end's.
    pub remote: SocketAddr,
}

impl LocalIce {
    /// The address that the connection line says: the settled one, or the default one.
    pub fn default_address(&self, component: u8) -> Option<SocketAddr> {
        let settled = self.settled.iter().find(|it| it.component == component);
        let first = || self.candidates.iter().find(|it| it.component == component);
        settled
            .map(|settled| settled.local)
            .or_else(|| first().map(|candidate| candidate.address))
    }
}

/// What the checks of a stream work with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IcePlan {
    /// Ours.
    pub local: IceCredentials,
    /// The far end's.
    pub remote: IceCredentials,
    /// Where the far end may be reached.
    pub candidates: Vec<Candidate>,
    /// Whether our side decides which pair is used.
    pub controlling: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sdp) enum Agreement {
    /// The far end does not speak of ICE, or our side does not want it.
    None,
    /// The far end's default address is none of its candidates: something between has changed it,
    /// and media goes where the connection line says (RFC 8839 section 4.2.5).
    Mismatch,
    /// ICE is used.
    Ice(IcePlan),
}

/// Compares what both sides say of a stream; `ours_answers` when theirs is the offer.
pub(in crate::sdp) fn agreed_ice(
    local: Option<&LocalIce>,
    theirs: &SessionDescription,
    media: &MediaDescription,
) -> Agreement {
    let Some(local) = local else {
        return Agreement::None;
    };
    let Some(remote) = media.ice.credentials_or(&theirs.ice) else {
        return Agreement::None;
    };
    if media.ice.mismatch || theirs.ice.mismatch {
        return Agreement::None;
    }
    if is_mismatched(theirs, media) {
        return Agreement::Mismatch;
    }
    Agreement::Ice(IcePlan {
        local: local.credentials.clone(),
        remote,
        candidates: media.ice.candidates.clone(),
        // Who cannot make checks decides nothing (RFC 8445 section 6.1.1).
        controlling: local.offered || media.ice.lite || theirs.ice.lite,
    })
}

/// Writes what our side says of ICE into its stream.
pub(in crate::sdp) fn written_ice(local: &LocalIce, ours: &mut MediaDescription, mux: bool) {
    let credentials = &local.credentials;
    let mut candidates = local.candidates.clone();
    candidates.retain(|candidate| candidate.component == RTP || !mux);
    let offers_settled = local.offered && !local.settled.is_empty();
    if offers_settled {
        // What is settled is all that remains to be said (RFC 8839 section 4.4.1.2.2).
        let is_settled = |it: &Candidate| {
            let pair = local.settled.iter().find(|s| s.component == it.component);
            pair.is_some_and(|pair| pair.local == it.address)
        };
        if local.settled.iter().all(|pair| {
            let mut of_pair = candidates
                .iter()
                .filter(|it| it.component == pair.component);
            of_pair.any(is_settled)
        }) {
            candidates.retain(is_settled);
        }
    }
    ours.ice = IceAttributes {
        fragment: Some(credentials.fragment().to_owned()),
        password: Some(crate::base::redact::Secret::new(credentials.password())),
        options: Some("ice2".to_owned()),
        candidates,
        remote_candidates: local
            .settled
            .iter()
            .filter(|_| offers_settled)
            .map(|pair| (pair.component, pair.remote))
            .collect(),
        ..IceAttributes::default()
    };
    ours.rtcp = match local.default_address(RTCP) {
        Some(rtcp) if !mux => Some(RtcpAddress {
            port: rtcp.port(),
            host: Some(Host::Ip(rtcp.ip())),
        }),
        Some(_) | None => None,
    };
}

/// Whether the default address of RTP is none of the candidates.
fn is_mismatched(theirs: &SessionDescription, media: &MediaDescription) -> bool {
    let Some(Host::Ip(ip)) = theirs.connection_of(media) else {
        return false;
    };
    let ip = ip.to_canonical();
    let told = media.port != DISCARD && is_unicast(ip);
    let default = SocketAddr::new(ip, media.port);
    let known = |candidate: &Candidate| candidate.address == default;
    told && !media.ice.cut
        && !media.ice.candidates.is_empty()
        && !media.ice.candidates.iter().any(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::{
        Codec, Direction, IceSeed, LocalMedia, LocalSrtp, MediaPlan, accept, answer, offer,
    };

    fn candidate(component: u8, port: u16) -> Candidate {
        Candidate::parse(&format!("1 {component} UDP 7 192.0.2.1 {port} typ host")).unwrap()
    }

    fn local(number: u8, offered: bool) -> LocalMedia {
        let port = 5_000 + 10 * u16::from(number);
        LocalMedia {
            session_id: 1,
            version: 1,
            address: [192, 0, 2, 1].into(),
            rtp_port: port,
            codecs: vec![Codec::Pcmu],
            ptime_millis: 20,
            direction: Direction::SendRecv,
            srtp: LocalSrtp::default(),
            silence_suppression: false,
            ice: Some(LocalIce {
                credentials: IceSeed::new([number; 32]).draw(),
                candidates: vec![candidate(RTP, port), candidate(RTCP, port + 1)],
                offers: true,
                offered,
                settled: Vec::new(),
            }),
        }
    }

    fn parse(text: &str) -> SessionDescription {
        SessionDescription::parse(text.as_bytes()).unwrap()
    }

    fn answered(offered: &str) -> (String, MediaPlan) {
        let (text, plan) = answer(&local(2, false), &parse(offered)).unwrap();
        (text.to_string(), plan)
    }

    #[test]
    fn both_sides_agree_on_credentials_candidates_and_who_decides() {
        let ours = local(1, true);
        let text = offer(&ours).to_string();
        assert!(text.contains("a=ice-options:ice2\r\n"), "{text}");
        assert!(text.contains("a=rtcp:5011 IN IP4 192.0.2.1\r\n"), "{text}");
        let (answer_text, theirs) = answered(&text);
        assert!(
            !answer_text.contains(" 2 UDP "),
            "they multiplex: {answer_text}"
        );
        let plan = accept(&ours, &parse(&answer_text)).unwrap().ice.unwrap();
        let theirs = theirs.ice.unwrap();
        assert_eq!((&plan.local, &plan.remote), (&theirs.remote, &theirs.local));
        assert_eq!((plan.controlling, theirs.controlling), (true, false));
        assert_eq!(theirs.candidates.len(), 2);
        assert_eq!(plan.candidates, [candidate(RTP, 5020)]);
    }

    #[test]
    fn a_far_end_without_ice_is_answered_without_and_one_that_is_lite_lets_us_decide() {
        let mut plain = local(1, true);
        plain.ice = None;
        let (text, plan) = answered(&offer(&plain).to_string());
        assert!(!text.contains("ice") && plan.ice.is_none(), "{text}");
        let lite = offer(&local(1, true)).to_string();
        let lite = lite.replace("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n");
        assert!(answered(&lite).1.ice.unwrap().controlling);
        let mut off = local(2, false);
        off.ice = None;
        let (text, plan) = answer(&off, &parse(&offer(&local(1, true)).to_string())).unwrap();
        assert!(!text.to_string().contains("ice-") && plan.ice.is_none());
    }

    /// Such as a gateway makes it that changes addresses and knows nothing of ICE.
    #[test]
    fn a_default_address_that_is_no_candidate_is_told_and_media_goes_there() {
        let text = offer(&local(1, true)).to_string();
        let changed = text.replace("c=IN IP4 192.0.2.1", "c=IN IP4 198.51.100.9");
        let (text, plan) = answered(&changed);
        assert!(text.contains("a=ice-mismatch\r\n"), "{text}");
        assert!(!text.contains("ice-ufrag"), "{text}");
        assert_eq!(plan.ice, None);
        let far = plan.remote_rtp.unwrap();
        assert_eq!(far, SocketAddr::from(([198, 51, 100, 9], 5010)));
        assert_eq!(accept(&local(1, true), &parse(&text)).unwrap().ice, None);
    }

    /// RFC 8840 section 4.1.1.
    #[test]
    fn who_trickles_has_no_default_address_and_is_not_on_hold() {
        let text = offer(&local(1, true)).to_string();
        let text = text.replace("c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0");
        let text = text.replace("m=audio 5010", "m=audio 9");
        let (_, plan) = answered(&text);
        assert_eq!(plan.direction, Direction::SendRecv);
        assert!(plan.ice.is_some());
    }

    #[test]
    fn what_is_settled_is_all_that_the_next_offer_says() {
        let mut ours = local(1, true);
        let remote = SocketAddr::from(([192, 0, 2, 1], 5020));
        if let Some(ice) = &mut ours.ice {
            ice.candidates.push(
                Candidate::parse("2 1 UDP 5 198.51.100.1 40000 typ relay raddr 0.0.0.0 rport 9")
                    .unwrap(),
            );
            ice.settled = vec![Settled {
                component: RTP,
                local: SocketAddr::from(([198, 51, 100, 1], 40_000)),
                remote,
            }];
        }
        let text = offer(&ours).to_string();
        assert!(text.contains("c=IN IP4 198.51.100.1\r\n"), "{text}");
        assert!(text.contains("m=audio 40000 "), "{text}");
        assert!(
            text.contains("a=remote-candidates:1 192.0.2.1 5020\r\n"),
            "{text}"
        );
        assert_eq!(text.matches("a=candidate").count(), 1, "{text}");
    }
}
