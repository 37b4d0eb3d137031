//! A call's side of offer and answer: versions, direction, the agreed plan.

use std::net::SocketAddr;

use crate::sdp::ice::{RTP, Settled};
use crate::sdp::{
    Candidate, Codec, Direction, Fingerprint, IceCredentials, IceSeed, Keying, LocalDtls, LocalIce,
    LocalMedia, LocalSrtp, MediaPlan, NegotiationError, SdpError, SessionDescription, SrtpSeed,
    SrtpSuite, accept, answer, offer, offer_again,
};
use crate::sip::Body;

/// What a call may negotiate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPreferences {
    /// Codecs in order of preference.
    pub codecs: Vec<Codec>,
    /// The packet time to ask for, in milliseconds.
    pub ptime_millis: u32,
    /// Whether little or nothing is sent while our side is silent.
    pub silence_suppression: bool,
    /// The `o=` session id, drawn at random for each call.
    pub session_id: u64,
    /// What is done about SRTP.
    pub srtp: SrtpPreferences,
    /// Of which the credentials of ICE are drawn, random for each call; none for no ICE.
    pub ice: Option<IceSeed>,
}

/// What a call does about SRTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SrtpPreferences {
    /// Whether offers ask for it: by SDES where that is used, else by a handshake.
    pub offers: bool,
    /// Whether it is taken where it is offered.
    pub accepts: bool,
    /// Whether nothing may go unprotected.
    pub requires: bool,
    /// Whether keys may stand in the descriptions (SDES).
    pub sdes: bool,
    /// The fingerprint of our certificate, where a handshake may give the keys (DTLS-SRTP).
    pub fingerprint: Option<Fingerprint>,
    /// Of which its keys are drawn, random for each call.
    pub seed: SrtpSeed,
}

impl SrtpPreferences {
    /// Plain RTP alone.
    pub fn off() -> Self {
        Self {
            offers: false,
            accepts: false,
            requires: false,
            sdes: true,
            fingerprint: None,
            seed: SrtpSeed::new([0; 32]),
        }
    }
}

/// Why a body gave no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyError {
    #[error(transparent)]
    Negotiation(#[from] NegotiationError),
    #[error(transparent)]
    Damaged(#[from] SdpError),
    #[error("the far end sent {0} where a session description belongs")]
    WrongType(String),
}

/// Our description and what came of it.
#[derive(Debug, Clone)]
pub(super) struct Negotiation {
    local: LocalMedia,
    /// What we last wrote; the version grows only when it changes (RFC 3264 section 8).
    written: Option<String>,
    /// The last description of either side: its streams keep their places in each new offer.
    current: Option<SessionDescription>,
    plan: Option<MediaPlan>,
    seed: SrtpSeed,
    ice_seed: Option<IceSeed>,
}

impl Negotiation {
    /// Begins with nothing agreed. Each has keys of its own: who got an offer that another one takes up knows
    /// that offer's.
    pub(super) fn new(preferences: &mut MediaPreferences, rtp: SocketAddr) -> Self {
        let SrtpPreferences {
            offers,
            accepts,
            requires,
            sdes,
            fingerprint,
            seed,
        } = &mut preferences.srtp;
        let mut seed = seed.split();
        let suites = SrtpSuite::ALL.into_iter().filter(|_| *accepts && *sdes);
        let srtp = LocalSrtp {
            offers: *offers,
            keying: if *sdes { Keying::Sdes } else { Keying::Dtls },
            accepts: *accepts,
            requires: *requires,
            keys: suites.map(|suite| seed.draw(suite)).collect(),
            dtls: fingerprint.clone().map(|fingerprint| LocalDtls {
                fingerprint,
                role: None,
            }),
        };
        Self {
            local: LocalMedia {
                session_id: preferences.session_id,
                version: 1,
                address: rtp.ip(),
                rtp_port: rtp.port(),
                codecs: preferences.codecs.clone(),
                ptime_millis: preferences.ptime_millis,
                direction: Direction::SendRecv,
                srtp,
                silence_suppression: preferences.silence_suppression,
                ice: None,
            },
            written: None,
            current: None,
            plan: None,
            seed,
            ice_seed: preferences.ice.clone(),
        }
    }

    /// Brings candidates to ICE, for the first time or after a move: with other sockets it begins anew
    /// (RFC 8445 section 9).
    pub(super) fn bring(&mut self, credentials: IceCredentials, candidates: Vec<Candidate>) {
        let known = self.local.ice.as_ref();
        self.local.ice = Some(LocalIce {
            credentials,
            candidates,
            offers: known.is_none_or(|ice| ice.offers),
            offered: self.plan.is_some(),
            settled: Vec::new(),
        });
    }

    /// Takes what the checks settled on; says whether the far end is to be told, because the connection
    /// lines of both sides do not say it (RFC 8839 section 4.4.1.2.2).
    pub(super) fn settle(&mut self, settled: Vec<Settled>) -> bool {
        let told = self.local.default_rtp();
        let far = self.plan.as_ref().and_then(|plan| plan.remote_rtp);
        let Some(ice) = &mut self.local.ice else {
            return false;
        };
        let differs = settled
            .iter()
            .any(|pair| pair.component == RTP && (pair.local != told || Some(pair.remote) != far));
        ice.settled = settled;
        differs && ice.offered
    }

    /// Says whether anything could be agreed on an offer, before a socket is opened.
    pub(super) fn check(
        preferences: &MediaPreferences,
        local: SocketAddr,
        body: &Body,
    ) -> Result<(), BodyError> {
        let offered = description(body)?;
        answer(&Self::new(&mut preferences.clone(), local).local, &offered)?;
        Ok(())
    }

    /// Writes an offer for what we want now.
    pub(super) fn offer(&mut self, direction: Direction) -> Body {
        self.local.direction = direction;
        if let Some(ice) = self.local.ice.as_mut().filter(|_| self.plan.is_none()) {
            ice.offered = true;
        }
        let current = self.current.take();
        let text = self.versioned(|local| match &current {
            Some(current) => offer_again(local, current).to_string(),
            None => offer(local).to_string(),
        });
        self.current = current;
        Body::sdp(text)
    }

    /// Answers an offer and keeps the plan.
    pub(super) fn answer(
        &mut self,
        body: &Body,
        direction: Direction,
    ) -> Result<(Body, MediaPlan), BodyError> {
        let offered = description(body)?;
        self.local.direction = direction;
        let (mut ours, mut plan) = answer(&self.local, &offered)?;
        if self.is_restarted(&plan) {
            self.restart();
            (ours, plan) = answer(&self.local, &offered)?;
        }
        self.current = Some(ours);
        // The second writing carries the right version.
        let text = self.versioned(|local| {
            answer(local, &offered).map_or_else(|_| String::new(), |(text, _)| text.to_string())
        });
        self.agreed(&plan);
        Ok((Body::sdp(text), plan))
    }

    /// Takes the answer to our offer and keeps the plan.
    pub(super) fn accept(&mut self, body: &Body) -> Result<MediaPlan, BodyError> {
        let answered = description(body)?;
        let plan = accept(&self.local, &answered)?;
        self.current = Some(answered);
        self.agreed(&plan);
        Ok(plan)
    }

    /// Whether the far end begins ICE anew: both its user name fragment and its password are others (RFC
    /// 8839 section 4.4.1.1.1).
    fn is_restarted(&self, plan: &MediaPlan) -> bool {
        let remote = |plan: &MediaPlan| plan.ice.as_ref().map(|ice| ice.remote.clone());
        let before = self.plan.as_ref().and_then(remote);
        before.zip(remote(plan)).is_some_and(|(before, now)| {
            before.fragment() != now.fragment() && before.password() != now.password()
        })
    }

    /// Begins ICE anew on our side, with the same candidates: the far end decides.
    fn restart(&mut self) {
        if let (Some(ice), Some(seed)) = (&mut self.local.ice, &mut self.ice_seed) {
            ice.credentials = seed.draw();
            ice.offered = false;
            ice.settled.clear();
        }
    }

    /// Keeps a plan. What is agreed once stays so in our next offers; and a key that is left is never
    /// used again, or a packet might be encrypted like another before it (RFC 3711 section 9.1).
    fn agreed(&mut self, plan: &MediaPlan) {
        if let Some(ice) = &mut self.local.ice {
            ice.offers = plan.ice.is_some();
        }
        let srtp = &mut self.local.srtp;
        srtp.offers = plan.is_protected() || srtp.requires;
        if let (Some(theirs), Some(ours)) = (&plan.dtls, &mut srtp.dtls) {
            srtp.keying = Keying::Dtls;
            ours.role = Some(theirs.role);
        } else if plan.srtp.is_some() {
            srtp.keying = Keying::Sdes;
        }
        let send = |plan: &MediaPlan| plan.srtp.as_ref().map(|keys| keys.send.clone());
        let left = self.plan.as_ref().and_then(send);
        if let Some(left) = left.filter(|left| Some(left) != send(plan).as_ref()) {
            for key in srtp.keys.iter_mut().filter(|key| **key == left) {
                *key = self.seed.draw(left.suite());
            }
        }
        self.plan = Some(plan.clone());
    }

    pub(super) fn plan(&self) -> Option<&MediaPlan> {
        self.plan.as_ref()
    }

    /// Whether what was written last offers a handshake, which may begin before it is answered.
    pub(super) fn offers_handshake(&self) -> bool {
        let srtp = &self.local.srtp;
        srtp.offers && srtp.keying == Keying::Dtls && srtp.dtls.is_some()
    }

    /// The direction that was last asked for or answered with.
    pub(super) fn direction(&self) -> Direction {
        self.local.direction
    }

    /// The description that was written last, to be sent once more unchanged.
    pub(super) fn written(&self) -> Option<Body> {
        self.written.clone().map(Body::sdp)
    }

    pub(super) fn rtp(&self) -> SocketAddr {
        SocketAddr::new(self.local.address, self.local.rtp_port)
    }

    /// Takes another address for what is written from now on.
    pub(super) fn move_to(
        &mut self,
        rtp: SocketAddr,
        ice: Option<&(IceCredentials, Vec<Candidate>)>,
    ) {
        self.local.address = rtp.ip();
        self.local.rtp_port = rtp.port();
        if let Some((credentials, candidates)) = ice {
            self.bring(credentials.clone(), candidates.clone());
        }
    }

    fn versioned(&mut self, write: impl Fn(&LocalMedia) -> String) -> String {
        let text = write(&self.local);
        match &self.written {
            Some(before) if *before != text => {
                self.local.version += 1;
                let text = write(&self.local);
                self.written = Some(text.clone());
                text
            }
            Some(before) => before.clone(),
            None => {
                self.written = Some(text.clone());
                text
            }
        }
    }
}

fn description(body: &Body) -> Result<SessionDescription, BodyError> {
    let media_type = body
        .content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    if !media_type.eq_ignore_ascii_case("application/sdp") {
        return Err(BodyError::WrongType(body.content_type.clone()));
    }
    Ok(SessionDescription::parse(&body.bytes)?)
}
