//! A call's side of offer and answer: versions, direction, the agreed plan.

use std::net::SocketAddr;

use crate::sdp::{
    Codec, Direction, LocalMedia, MediaPlan, NegotiationError, SdpError, SessionDescription,
    accept, answer, offer, offer_again,
};
use crate::sip::Body;

/// What a call may negotiate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPreferences {
    /// Codecs in order of preference.
    pub codecs: Vec<Codec>,
    /// The packet time to ask for, in milliseconds.
    pub ptime_millis: u32,
    /// The `o=` session id, drawn at random for each call.
    pub session_id: u64,
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
}

impl Negotiation {
    pub(super) fn new(preferences: &MediaPreferences, rtp: SocketAddr) -> Self {
        Self {
            local: LocalMedia {
                session_id: preferences.session_id,
                version: 1,
                address: rtp.ip(),
                rtp_port: rtp.port(),
                codecs: preferences.codecs.clone(),
                ptime_millis: preferences.ptime_millis,
                direction: Direction::SendRecv,
            },
            written: None,
            current: None,
            plan: None,
        }
    }

    /// Says whether anything could be agreed on an offer, before a socket is opened.
    pub(super) fn check(
        preferences: &MediaPreferences,
        local: SocketAddr,
        body: &Body,
    ) -> Result<(), BodyError> {
        let offered = description(body)?;
        answer(&Self::new(preferences, local).local, &offered)?;
        Ok(())
    }

    /// Writes an offer for what we want now.
    pub(super) fn offer(&mut self, direction: Direction) -> Body {
        self.local.direction = direction;
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
        let (ours, plan) = answer(&self.local, &offered)?;
        self.current = Some(ours);
        // The second writing carries the right version.
        let text = self.versioned(|local| {
            answer(local, &offered).map_or_else(|_| String::new(), |(text, _)| text.to_string())
        });
        self.plan = Some(plan.clone());
        Ok((Body::sdp(text), plan))
    }

    /// Takes the answer to our offer and keeps the plan.
    pub(super) fn accept(&mut self, body: &Body) -> Result<MediaPlan, BodyError> {
        let answered = description(body)?;
        let plan = accept(&self.local, &answered)?;
        self.current = Some(answered);
        self.plan = Some(plan.clone());
        Ok(plan)
    }

    pub(super) fn plan(&self) -> Option<&MediaPlan> {
        self.plan.as_ref()
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
    pub(super) fn move_to(&mut self, rtp: SocketAddr) {
        self.local.address = rtp.ip();
        self.local.rtp_port = rtp.port();
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
