//! Changes inside a call that we make: re-INVITE (RFC 3261 section 14), and UPDATE (RFC 3311) while
//! the call is not yet established.

use std::time::{Duration, Instant};

use super::ALLOW;
use super::outgoing::{Answer, Outgoing, OutgoingId, Owner};
use super::session::{Exchange, Negotiation, Offer, Phase, Session, Way};
use crate::sip::deadline::Timer;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{Body, EndedBy, SessionId, SipError, SipEvent, Status};
use crate::sip::message::{Message, Method};
use crate::sip::route::Hop;

/// How long our re-INVITE waits for its final answer, which no person gives: twice 64*T1.
const REINVITE_LIMIT: Duration = Duration::from_secs(64);

/// How often our re-INVITE is tried again after glare.
const MAX_GLARES: u8 = 5;

/// The pause after a change that the far end refused; it doubles with each further refusal.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// How often it doubles, to 32 s.
const MAX_DOUBLINGS: u8 = 4;

impl Endpoint {
    /// Offers new media.
    pub(crate) fn start_reinvite(
        &mut self,
        now: Instant,
        id: SessionId,
        offer: Body,
    ) -> Result<(), SipError> {
        let session = self.session_mut(id)?;
        if session.change_method().is_none() {
            return Err(SipError::WrongState(session.phase_name()));
        }
        match session.negotiation {
            Negotiation::Idle => {}
            Negotiation::Ours { .. }
            | Negotiation::Waiting(_)
            | Negotiation::Theirs(_)
            | Negotiation::Accepted(_) => {
                session.change_wanted = true;
                return Err(SipError::WrongState("already being changed"));
            }
        }
        let offer = Offer {
            body: offer,
            glares: 0,
            refresh: false,
        };
        self.send_change(now, id, offer);
        Ok(())
    }

    /// Takes an answer to our re-INVITE or UPDATE.
    pub(crate) fn change_answered(
        &mut self,
        now: Instant,
        id: SessionId,
        outgoing: OutgoingId,
        answer: Answer<'_>,
    ) {
        if let Answer::Response(response) = answer {
            match response.code().unwrap_or(500) {
                ..200 => return,
                200..300 => {
                    self.timers.cancel(&Timer::ReinviteLimit(outgoing));
                    self.change_accepted(now, id, outgoing, response);
                    return;
                }
                _ => {}
            }
        }
        let status = answer.status();
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Negotiation::Ours {
            outgoing: expected,
            offer,
        } = &session.negotiation
        else {
            return;
        };
        if *expected != outgoing {
            return;
        }
        let mut offer = offer.clone();
        session.negotiation = Negotiation::Idle;
        let ours = session.ours;
        let established = matches!(session.phase, Phase::Established);
        let again = session.change_method().is_some() && offer.glares < MAX_GLARES;
        if again && let Some(pause) = self.pause_before_retry(ours, answer) {
            offer.glares += 1;
            if let Some(session) = self.sessions.get_mut(&id) {
                session.negotiation = Negotiation::Waiting(offer);
            }
            self.timers.set(Timer::Glare(id), now + pause);
            return;
        }
        if offer.refresh {
            self.refresh_failed(now, id, answer);
            self.change_settled(id);
            return;
        }
        // 481, 408 and silence end the dialog (RFC 3261 sections 12.2.1.2 and 14.1).
        let end = match status.code {
            _ if !established => None,
            481 => Some(EndedBy::Remote),
            408 => Some(EndedBy::Unreachable),
            _ if matches!(answer, Answer::Failed { .. }) => Some(EndedBy::Unreachable),
            _ => None,
        };
        self.border.event(SipEvent::ReinviteAnswered {
            session: id,
            status: status.clone(),
            body: None,
        });
        match end {
            Some(by) => self.bye(now, id, by, status, None),
            None => {
                self.change_settled(id);
                self.allow_change_later(now, id);
            }
        }
    }

    /// Lets the owner try a change again that the far end refused: it may have to, as after a move
    /// to another network. Whether it still wants to is for the owner to say.
    fn allow_change_later(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let pause = FIRST_PAUSE * (1 << session.refused_changes.min(MAX_DOUBLINGS));
        session.refused_changes = session.refused_changes.saturating_add(1);
        if matches!(session.negotiation, Negotiation::Idle) {
            session.change_wanted = true;
            self.timers.set(Timer::Glare(id), now + pause);
        }
    }

    /// Gives a re-INVITE up whose final answer does not come, though a provisional one did.
    pub(crate) fn reinvite_limit_passed(&mut self, now: Instant, outgoing: OutgoingId) {
        let owner = self.outgoing.get(&outgoing).map(|known| known.owner);
        if let Some(Owner::Change(id)) = owner {
            let answer = Answer::Failed {
                code: 408,
                why: "the change was never answered",
            };
            self.change_answered(now, id, outgoing, answer);
        }
        self.abandon(now, outgoing);
    }

    /// Tries our re-INVITE again after glare, or lets the owner try again after a refusal.
    pub(crate) fn glare_over(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if let Negotiation::Waiting(offer) = &session.negotiation {
            let offer = offer.clone();
            self.send_change(now, id, offer);
        } else {
            self.change_settled(id);
        }
    }

    /// Drops a change of ours whose dialog is over; the owner's wish for it stays.
    pub(crate) fn withdraw_change(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if let Negotiation::Ours { offer, .. } | Negotiation::Waiting(offer) = &session.negotiation
        {
            let wanted = !offer.refresh;
            session.negotiation = Negotiation::Idle;
            self.timers.cancel(&Timer::Glare(id));
            if wanted {
                session.change_wanted = true;
                self.border.event(SipEvent::ChangeDeferred { session: id });
            }
        }
    }

    /// Tells an owner that waits with a change that it may make it.
    pub(crate) fn change_settled(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if session.change_wanted
            && matches!(session.phase, Phase::Established)
            && matches!(session.negotiation, Negotiation::Idle)
        {
            session.change_wanted = false;
            self.border.event(SipEvent::ChangePossible { session: id });
        }
    }

    /// Sends a request inside a dialog. Where its hop means nothing here (a Contact of another
    /// transport, a host that only the far end knows), it goes where the call came from or went to.
    pub(crate) fn send_in_dialog(
        &mut self,
        now: Instant,
        owner: Owner,
        way: Way,
        request: Message,
        hop: Option<Hop>,
    ) -> Option<OutgoingId> {
        let transport = way
            .account
            .and_then(|id| self.accounts.get(&id))
            .and_then(|account| account.setup.transport);
        let request = self.with_agent(request);
        // A call that was set up by an encrypted way stays on one.
        let secure = way.place.map(|place| place.transport);
        let secure = secure.filter(|transport| transport.secure());
        let transport = transport.or(secure);
        let (hop, targets) = match (hop, way.place) {
            (Some(hop), place) => {
                let hop = hop.or_transport(transport);
                // Where the call came from or went to is known.
                let known = place.filter(|place| hop.literal(place.local_ip) == Some(*place));
                (hop, known.into_iter().collect())
            }
            (None, Some(place)) => (Hop::to(&place), vec![place]),
            (None, None) => return None,
        };
        let outgoing = Outgoing::new(owner, way.account, request, hop)
            .with_targets(targets)
            .with_stream(way.stream)
            .with_fallback(way.place);
        Some(self.launch(now, outgoing))
    }

    /// Adds User-Agent.
    pub(crate) fn with_agent(&self, mut request: Message) -> Message {
        request
            .headers
            .push("User-Agent", self.config.user_agent.clone());
        request
    }

    /// Sends an offer by the method that fits.
    pub(crate) fn send_change(&mut self, now: Instant, id: SessionId, offer: Offer) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let (account, way) = (session.account, session.way());
        session.negotiation = Negotiation::Idle;
        let method = session.change_method();
        let request = method.and_then(|method| Some(session.change_dialog()?.request(method)));
        let established = matches!(session.phase, Phase::Established);
        let request = request.map(|(mut request, hop)| {
            if established {
                session.refresh_headers(&mut request);
            }
            (request, hop)
        });
        let supported = self.supported(account);
        let outgoing = request.and_then(|(mut request, hop)| {
            request.headers.push("Allow", ALLOW);
            request.headers.push("Supported", supported);
            request.set_body(&offer.body);
            self.send_in_dialog(now, Owner::Change(id), way, request, hop)
        });
        let Some(outgoing) = outgoing else {
            if offer.refresh {
                return;
            }
            self.border.event(SipEvent::ReinviteAnswered {
                session: id,
                status: Status::new(503, "the far end's address cannot be reached"),
                body: None,
            });
            return;
        };
        if let Some(session) = self.sessions.get_mut(&id) {
            session.negotiation = Negotiation::Ours { outgoing, offer };
            self.timers
                .set(Timer::ReinviteLimit(outgoing), now + REINVITE_LIMIT);
        }
    }

    fn change_accepted(
        &mut self,
        now: Instant,
        id: SessionId,
        outgoing: OutgoingId,
        response: &Message,
    ) {
        let tag = response.to_tag();
        let Some((cseq, method)) = response.cseq() else {
            return;
        };
        let invite = method == Method::Invite;
        if invite && self.repeat_ack(now, outgoing, &tag) {
            return;
        }
        let Some(session) = self.sessions.get_mut(&id) else {
            if invite {
                self.ack_after_end(now, outgoing, response);
            }
            return;
        };
        let offer = match &session.negotiation {
            Negotiation::Ours {
                outgoing: expected,
                offer,
            } if *expected == outgoing => Some(offer.body.clone()),
            Negotiation::Idle
            | Negotiation::Ours { .. }
            | Negotiation::Waiting(_)
            | Negotiation::Theirs(_)
            | Negotiation::Accepted(_) => None,
        };
        let fits = offer.is_some();
        if fits {
            session.negotiation = Negotiation::Idle;
            session.reliable.renewed = true;
            session.refused_changes = 0;
            session.described = offer;
        }
        let established = matches!(session.phase, Phase::Established);
        // Some far ends answer with another tag than they had.
        let known = session.dialog_mut(&tag).is_some();
        let dialog = if known {
            session.dialog_mut(&tag)
        } else {
            session.change_dialog()
        };
        let Some(dialog) = dialog else {
            return;
        };
        dialog.refresh(response);
        if invite {
            let (ack, hop) = dialog.ack(cseq);
            let ack = self.with_agent(ack);
            self.send_ack(now, outgoing, &tag, ack, hop);
        }
        if established {
            self.take_timer(now, id, response);
        }
        if fits {
            self.border.event(SipEvent::ReinviteAnswered {
                session: id,
                status: Answer::Response(response).status(),
                body: response.session_description(),
            });
            self.change_settled(id);
        }
    }

    /// How long to wait before the same offer is tried again; none when it was refused.
    fn pause_before_retry(&mut self, ours: bool, answer: Answer<'_>) -> Option<Duration> {
        /// What a 500 for an offer that came too early may ask for (RFC 3261 section 14.2).
        const LONGEST: u32 = 10;
        let Answer::Response(response) = answer else {
            return None;
        };
        match response.code() {
            Some(491) => Some(self.glare_pause(ours)),
            Some(500) => response
                .seconds("Retry-After")
                .filter(|seconds| *seconds <= LONGEST)
                .map(|seconds| Duration::from_secs(seconds.into())),
            Some(_) | None => None,
        }
    }

    /// The owner of the Call-ID waits 2.1 to 4 s, the other side 0 to 2 s, both in steps of 10 ms
    /// (RFC 3261 section 14.1).
    pub(crate) fn glare_pause(&mut self, ours: bool) -> Duration {
        let steps = u64::from(self.random.next_u32());
        let millis = if ours {
            2100 + steps % 191 * 10
        } else {
            steps % 201 * 10
        };
        Duration::from_millis(millis)
    }
}

impl Session {
    /// The method that offers new media now; none where nothing may be offered.
    fn change_method(&self) -> Option<Method> {
        let agreed = |tag: &str| self.exchange(tag) == Exchange::Agreed;
        match &self.phase {
            Phase::Established => Some(Method::Invite),
            Phase::Ringing { .. } | Phase::Answered(_) => {
                let settled = agreed("") && !self.reliable.awaits_prack();
                settled.then_some(Method::Update)
            }
            // Which of several phones would be meant is known only when one answers.
            Phase::Calling { cancel: None, .. } => match self.early.as_slice() {
                [only] if only.agreed => Some(Method::Update),
                _ => None,
            },
            Phase::Calling {
                cancel: Some(_), ..
            }
            | Phase::Resolving(_)
            | Phase::OfferNeeded(..)
            | Phase::Redirected(..)
            | Phase::Ending { .. } => None,
        }
    }

    fn change_dialog(&mut self) -> Option<&mut crate::sip::dialog::Dialog> {
        let early = self.early.first_mut().map(|early| &mut early.dialog);
        self.dialog.as_mut().or(early)
    }
}

#[cfg(test)]
mod tests {

    use crate::sip::simulator::bench::Bench;

    #[test]
    fn the_two_back_off_ranges_are_kept_apart_and_used_whole() {
        let mut bench = Bench::new();
        for (ours, least, most) in [(true, 2100, 4000), (false, 0, 2000)] {
            let pauses: Vec<_> = (0..5000)
                .map(|_| bench.endpoint.glare_pause(ours).as_millis())
                .collect();
            assert!(pauses.iter().all(|pause| pause % 10 == 0));
            assert_eq!(pauses.iter().min(), Some(&least));
            assert_eq!(pauses.iter().max(), Some(&most));
        }
    }
}
