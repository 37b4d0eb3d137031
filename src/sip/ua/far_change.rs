//! Changes inside a call that the far end makes: re-INVITE (RFC 3261 section 14.2), and UPDATE (RFC
//! 3311) or PRACK (RFC 3262 section 5) with an offer.

use std::time::Instant;

use super::session::{Accepted, Exchange, Negotiation, Phase, Session, Theirs};
use crate::sip::deadline::Timer;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{Body, SessionId, SipError, SipEvent, Status};
use crate::sip::message::{Message, Method, StartLine};
use crate::sip::timer::T1;
use crate::sip::transaction::TransactionId;

impl Endpoint {
    /// Takes a re-INVITE, or an UPDATE or PRACK with an offer.
    pub(crate) fn change_arrived(
        &mut self,
        now: Instant,
        id: SessionId,
        transaction: TransactionId,
        request: &Message,
    ) {
        let invite = request.method() == Some(&Method::Invite);
        let tag = request.from_tag();
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        // A new offer proves that our 2xx arrived, where the 2xx ended the last exchange: the ACK
        // was lost (RFC 5407 section 3.1.4). An UPDATE may have been sent before the 2xx arrived.
        let early = matches!(session.phase, Phase::Answered(_))
            && session.exchange(&tag) == Exchange::Agreed;
        if (invite || !early)
            && let Some(accepted) = session.unacknowledged()
            && !accepted.late_offer
        {
            self.acknowledged(now, id, None);
        }
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if let Err(code) = session.may_be_changed(&tag, invite) {
            self.answer_later(now, transaction, code);
            return;
        }
        session.learn_allow(request);
        // PRACK names no new target (RFC 3262 section 3).
        if request.method() != Some(&Method::Prack)
            && let Some(dialog) = session.dialog_mut(&tag)
        {
            dialog.refresh(request);
        }
        // Our own change waits until theirs is done, and is then made anew.
        if let Negotiation::Waiting(offer) = &session.negotiation {
            self.timers.cancel(&Timer::Glare(id));
            // Theirs refreshes the call as well as ours would have.
            if !offer.refresh {
                session.change_wanted = true;
                self.border.event(SipEvent::ChangeDeferred { session: id });
            }
        }
        if let Some(session) = self.sessions.get_mut(&id) {
            session.negotiation = Negotiation::Theirs(Theirs {
                transaction,
                cseq: request.cseq().map_or(0, |(number, _)| number),
                invite,
                offered: request.session_description().is_some(),
                tag: tag.clone(),
            });
        }
        if invite {
            let trying = Message::response(request, 100, "Trying", None);
            self.respond(now, transaction, trying);
        }
        self.border.event(SipEvent::Reinvite {
            session: id,
            fork: tag,
            offer: request.session_description(),
        });
    }

    /// Answers the far end's change.
    pub(crate) fn answer_change(
        &mut self,
        now: Instant,
        id: SessionId,
        status: &Status,
        body: Option<&Body>,
    ) -> Result<(), SipError> {
        let session = self.session_mut(id)?;
        let Negotiation::Theirs(theirs) = &session.negotiation else {
            return Err(SipError::WrongState("not being changed by the far end"));
        };
        let theirs = theirs.clone();
        let code = status.code.clamp(200, 699);
        session.negotiation = Negotiation::Idle;
        session.reliable.renewed |= code < 300;
        let Some(mut response) = self.session_response(id, theirs.transaction, code) else {
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
        if code < 300 {
            self.change_agreed(now, id, theirs.transaction, &mut response, body);
        }
        self.respond(now, theirs.transaction, response.clone());
        if code < 300
            && theirs.invite
            && let Some(session) = self.sessions.get_mut(&id)
        {
            session.negotiation = Negotiation::Accepted(Accepted {
                transaction: theirs.transaction,
                cseq: theirs.cseq,
                response,
                interval: T1,
                late_offer: !theirs.offered,
                hang_up: None,
            });
            self.start_2xx_timers(now, id);
        }
        self.change_settled(id);
        self.go_on_ringing(now, id);
        Ok(())
    }

    /// Notes what our 2xx to their change says, and agrees on the session timer in it.
    fn change_agreed(
        &mut self,
        now: Instant,
        id: SessionId,
        transaction: TransactionId,
        response: &mut Message,
        body: Option<&Body>,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if let Some(body) = body {
            session.described = Some(body.clone());
        }
        let confirmed = matches!(session.phase, Phase::Answered(_) | Phase::Established);
        let request = self.transactions.server_request(transaction).cloned();
        if let Some(request) = request.filter(|it| it.method() != Some(&Method::Prack))
            && confirmed
        {
            self.agree_timer(now, id, &request, response);
        }
    }

    /// Takes a CANCEL for a re-INVITE that the owner has not answered.
    pub(crate) fn change_cancelled(&mut self, now: Instant, invite: TransactionId) {
        let pending = self.sessions.iter().find(|(_, session)| {
            matches!(&session.negotiation,
                Negotiation::Theirs(theirs) if theirs.transaction == invite)
        });
        if let Some(id) = pending.map(|(id, _)| *id) {
            self.refuse_pending_change(now, id);
            self.change_settled(id);
        }
    }

    /// Answers 487 to a change that the owner has not answered (RFC 3261 section 15.1.2).
    pub(crate) fn refuse_pending_change(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if let Negotiation::Theirs(theirs) = &session.negotiation {
            let transaction = theirs.transaction;
            session.negotiation = Negotiation::Idle;
            self.answer_plainly(now, transaction, 487);
        }
    }
}

impl Session {
    /// Whether an offer may come now; else the refusal: 491 while our own offer is open, 500 while
    /// an earlier one of theirs is (RFC 3261 section 14.2, RFC 3311 section 5.2).
    fn may_be_changed(&self, tag: &str, invite: bool) -> Result<(), u16> {
        match &self.phase {
            Phase::Established => {}
            Phase::Ringing { .. } | Phase::Answered(_) | Phase::Calling { .. } if invite => {
                return Err(if self.ours { 491 } else { 500 });
            }
            Phase::Ringing { .. } | Phase::Answered(_) | Phase::Calling { .. } => {
                match self.exchange(tag) {
                    Exchange::Open => return Err(500),
                    Exchange::Offered => return Err(491),
                    Exchange::Agreed => {}
                }
            }
            Phase::Resolving(_)
            | Phase::OfferNeeded(..)
            | Phase::Redirected(..)
            | Phase::Ending { .. } => {
                return Err(481);
            }
        }
        match &self.negotiation {
            Negotiation::Idle | Negotiation::Waiting(_) => Ok(()),
            Negotiation::Ours { .. } | Negotiation::Accepted(_) => Err(491),
            Negotiation::Theirs(_) => Err(500),
        }
    }
}
