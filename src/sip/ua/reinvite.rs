//! Changes inside a call: re-INVITE (RFC 3261 section 14) and UPDATE with an offer (RFC 3311).

use std::time::{Duration, Instant};

use super::outgoing::{Answer, Outgoing, OutgoingId, Owner};
use super::session::{Accepted, Negotiation, Phase, Way};
use super::{ALLOW, SUPPORTED};
use crate::sip::deadline::Timer;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{Body, EndedBy, SessionId, SipError, SipEvent, Status};
use crate::sip::message::{Message, Method, StartLine};
use crate::sip::route::Hop;
use crate::sip::timer::T1;
use crate::sip::transaction::TransactionId;

/// How long our re-INVITE waits for its final answer, which no person gives: twice 64*T1.
const REINVITE_LIMIT: Duration = Duration::from_secs(64);

/// How often our re-INVITE is tried again after glare.
const MAX_GLARES: u8 = 5;

impl Endpoint {
    /// Offers new media in an established call.
    pub(crate) fn start_reinvite(
        &mut self,
        now: Instant,
        id: SessionId,
        offer: Body,
    ) -> Result<(), SipError> {
        let session = self.session_mut(id)?;
        match (&session.phase, &session.negotiation) {
            (Phase::Established, Negotiation::Idle) => {}
            (Phase::Established, _) => {
                return Err(SipError::WrongState("already being changed"));
            }
            (
                Phase::Resolving(_)
                | Phase::OfferNeeded(..)
                | Phase::Calling { .. }
                | Phase::Ringing { .. }
                | Phase::Answered(_)
                | Phase::Ending { .. },
                _,
            ) => return Err(SipError::WrongState(session.phase_name())),
        }
        self.send_reinvite(now, id, offer, 0);
        Ok(())
    }

    /// Takes an answer to our re-INVITE.
    pub(crate) fn reinvite_answered(
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
                    self.reinvite_accepted(now, id, outgoing, response);
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
            glares,
        } = &session.negotiation
        else {
            return;
        };
        if *expected != outgoing {
            return;
        }
        let (offer, glares) = (offer.clone(), *glares);
        session.negotiation = Negotiation::Idle;
        if status.code == 491 && glares < MAX_GLARES && matches!(session.phase, Phase::Established)
        {
            session.negotiation = Negotiation::Waiting {
                offer,
                glares: glares + 1,
            };
            let ours = session.ours;
            let pause = self.glare_pause(ours);
            self.timers.set(Timer::Glare(id), now + pause);
            return;
        }
        // 481, 408 and silence end the dialog (RFC 3261 sections 12.2.1.2 and 14.1).
        let end = match status.code {
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
        if let Some(by) = end {
            self.bye(now, id, by, status, None);
        }
    }

    /// Gives a re-INVITE up whose final answer does not come, though a provisional one did.
    pub(crate) fn reinvite_limit_passed(&mut self, now: Instant, outgoing: OutgoingId) {
        let owner = self.outgoing.get(&outgoing).map(|known| known.owner);
        if let Some(Owner::Reinvite(id)) = owner {
            let answer = Answer::Failed {
                code: 408,
                why: "the change was never answered",
            };
            self.reinvite_answered(now, id, outgoing, answer);
        }
        self.abandon(now, outgoing);
    }

    /// Tries our re-INVITE again after glare.
    pub(crate) fn glare_over(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if let Negotiation::Waiting { offer, glares } = &session.negotiation {
            let (offer, glares) = (offer.clone(), *glares);
            self.send_reinvite(now, id, offer, glares);
        }
    }

    /// Takes a re-INVITE, or an UPDATE with an offer, in an established call.
    pub(crate) fn change_arrived(
        &mut self,
        now: Instant,
        id: SessionId,
        transaction: TransactionId,
        request: &Message,
    ) {
        let update = request.method() == Some(&Method::Update);
        let offered = request.session_description().is_some();
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        // A new offer proves that our 2xx arrived, where the 2xx ended the last exchange: the ACK
        // was lost (RFC 5407 section 3.1.4).
        if let Some(accepted) = session.unacknowledged()
            && !accepted.late_offer
        {
            self.acknowledged(now, id, None);
        }
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let verdict = match (&session.phase, &session.negotiation) {
            (Phase::Established, Negotiation::Idle | Negotiation::Waiting { .. }) => Ok(()),
            (Phase::Established, Negotiation::Ours { .. } | Negotiation::Accepted(_)) => Err(491),
            (Phase::Established, Negotiation::Theirs { .. }) => Err(500),
            // Without reliable provisional answers the first offer is open until the 2xx.
            (Phase::Ringing { .. }, _) => Err(500),
            (Phase::Answered(_) | Phase::Calling { .. }, _) => Err(491),
            (Phase::Resolving(_) | Phase::OfferNeeded(..) | Phase::Ending { .. }, _) => Err(481),
        };
        if let Err(code) = verdict {
            self.answer_later(now, transaction, code);
            return;
        }
        if let Some(dialog) = &mut session.dialog {
            dialog.refresh(request);
        }
        // Our own change waits until theirs is done.
        if let Negotiation::Waiting { .. } = session.negotiation {
            self.timers.cancel(&Timer::Glare(id));
            self.border.event(SipEvent::ReinviteAnswered {
                session: id,
                status: Status::new(491, super::phrase(491)),
                body: None,
            });
        }
        if let Some(session) = self.sessions.get_mut(&id) {
            session.negotiation = Negotiation::Theirs {
                transaction,
                cseq: request.cseq().map_or(0, |(number, _)| number),
                update,
                offered,
            };
        }
        if !update {
            let trying = Message::response(request, 100, "Trying", None);
            self.respond(now, transaction, trying);
        }
        self.border.event(SipEvent::Reinvite {
            session: id,
            offer: request.session_description(),
        });
    }

    /// Answers the far end's re-INVITE or UPDATE.
    pub(crate) fn answer_change(
        &mut self,
        now: Instant,
        id: SessionId,
        status: &Status,
        body: Option<&Body>,
    ) -> Result<(), SipError> {
        let session = self.session_mut(id)?;
        let Negotiation::Theirs {
            transaction,
            cseq,
            update,
            offered,
        } = session.negotiation
        else {
            return Err(SipError::WrongState("not being changed by the far end"));
        };
        let code = status.code.clamp(200, 699);
        session.negotiation = Negotiation::Idle;
        let Some(mut response) = self.session_response(id, transaction, code) else {
            return Err(SipError::NoSuchSession);
        };
        if let StartLine::Response { phrase, .. } = &mut response.start
            && !status.phrase.is_empty()
        {
            phrase.clone_from(&status.phrase);
        }
        if let Some(body) = body {
            response.set_body(body);
        }
        self.respond(now, transaction, response.clone());
        if code < 300
            && !update
            && let Some(session) = self.sessions.get_mut(&id)
        {
            session.negotiation = Negotiation::Accepted(Accepted {
                transaction,
                cseq,
                response,
                interval: T1,
                late_offer: !offered,
                hang_up: false,
            });
            self.start_2xx_timers(now, id);
        }
        Ok(())
    }

    /// Takes a CANCEL for a re-INVITE that the owner has not answered.
    pub(crate) fn change_cancelled(&mut self, now: Instant, invite: TransactionId) {
        let pending = self.sessions.iter().find(|(_, session)| {
            matches!(session.negotiation,
                Negotiation::Theirs { transaction, .. } if transaction == invite)
        });
        if let Some(id) = pending.map(|(id, _)| *id) {
            self.refuse_pending_change(now, id);
        }
    }

    /// Answers 487 to a change that the owner has not answered (RFC 3261 section 15.1.2).
    pub(crate) fn refuse_pending_change(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if let Negotiation::Theirs { transaction, .. } = session.negotiation {
            session.negotiation = Negotiation::Idle;
            self.answer_plainly(now, transaction, 487);
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
            (Some(hop), _) => (hop.or_transport(transport), Vec::new()),
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

    fn send_reinvite(&mut self, now: Instant, id: SessionId, offer: Body, glares: u8) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let way = session.way();
        let request = session
            .dialog
            .as_mut()
            .map(|dialog| dialog.request(Method::Invite));
        session.negotiation = Negotiation::Idle;
        let outgoing = request.and_then(|(mut request, hop)| {
            request.headers.push("Allow", ALLOW);
            request.headers.push("Supported", SUPPORTED);
            request.set_body(&offer);
            self.send_in_dialog(now, Owner::Reinvite(id), way, request, hop)
        });
        let Some(outgoing) = outgoing else {
            self.border.event(SipEvent::ReinviteAnswered {
                session: id,
                status: Status::new(503, "the far end's address cannot be reached"),
                body: None,
            });
            return;
        };
        if let Some(session) = self.sessions.get_mut(&id) {
            session.negotiation = Negotiation::Ours {
                outgoing,
                offer,
                glares,
            };
            self.timers
                .set(Timer::ReinviteLimit(outgoing), now + REINVITE_LIMIT);
        }
    }

    fn reinvite_accepted(
        &mut self,
        now: Instant,
        id: SessionId,
        outgoing: OutgoingId,
        response: &Message,
    ) {
        let tag = response.to_tag();
        if self.repeat_ack(now, outgoing, &tag) {
            return;
        }
        let cseq = self
            .sent_invite(outgoing)
            .and_then(|invite| invite.cseq())
            .map_or(0, |(number, _)| number);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Some(dialog) = &mut session.dialog else {
            return;
        };
        dialog.refresh(response);
        let (ack, hop) = dialog.ack(cseq);
        let fits = matches!(&session.negotiation,
            Negotiation::Ours { outgoing: expected, .. } if *expected == outgoing);
        if fits {
            session.negotiation = Negotiation::Idle;
        }
        let ack = self.with_agent(ack);
        self.send_ack(now, outgoing, &tag, ack, hop);
        if fits {
            self.border.event(SipEvent::ReinviteAnswered {
                session: id,
                status: Answer::Response(response).status(),
                body: response.session_description(),
            });
        }
    }

    /// The owner of the Call-ID waits 2.1 to 4 s, the other side 0 to 2 s, both in steps of 10 ms
    /// (RFC 3261 section 14.1).
    fn glare_pause(&mut self, ours: bool) -> Duration {
        let steps = u64::from(self.random.next_u32());
        let millis = if ours {
            2100 + steps % 191 * 10
        } else {
            steps % 201 * 10
        };
        Duration::from_millis(millis)
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
