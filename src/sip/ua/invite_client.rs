//! Calls that we make (RFC 3261 sections 9.1 and 13.2).

use std::time::Instant;

use super::ALLOW;
use super::far_end::early_media;
use super::lookup::Asked;
use super::outgoing::{Answer, Outgoing, OutgoingId, Owner};
use super::redirection::Redirections;
use super::reliable::{self, Early, Order, Reliable, Reliance, rseq_of};
use super::session::{Negotiation, Phase, Plan, Session, Way};
use super::session_ident::SessionIdent;
use super::session_timer;
use crate::base::flow::{Resolved, Transport};
use crate::base::id::AccountId;
use crate::base::uri::{Host, SipUri, Uri};
use crate::sip::account::Reliability;
use crate::sip::deadline::Timer;
use crate::sip::dialog::Dialog;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{Body, EndedBy, OutgoingCall, SessionId, SipError, SipEvent, Status};
use crate::sip::message::{Message, Method};
use crate::sip::parse;
use crate::sip::route::{self, Hop};

/// How many early dialogs one call may have; forks beyond it are not tracked.
const MAX_FORKS: usize = 32;

/// Header fields that only the endpoint writes.
const OWN_HEADERS: [&str; 15] = [
    "Via",
    "Route",
    "Record-Route",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Contact",
    "Max-Forwards",
    "Content-Length",
    "Content-Type",
    "Authorization",
    "Proxy-Authorization",
    "Require",
    "Proxy-Require",
];

impl Endpoint {
    /// Starts a call as `invite` does, with everything that may be said of it.
    ///
    /// # Errors
    ///
    /// Fails when the target is no SIP URI or a limit is reached; a call for help knows no limit.
    pub fn place(&mut self, now: Instant, call: &OutgoingCall<'_>) -> Result<SessionId, SipError> {
        self.start_call(now, call)
    }

    /// Starts a call by resolving its first hop.
    pub(crate) fn start_call(
        &mut self,
        now: Instant,
        call: &OutgoingCall<'_>,
    ) -> Result<SessionId, SipError> {
        let OutgoingCall {
            account,
            target,
            headers,
            urgent,
        } = *call;
        // People make calls for help, and there are few of them: they need no limit of their own.
        if !urgent && self.sessions.len() >= self.config.max_sessions {
            return Err(SipError::Limit("as many calls as it can"));
        }
        if !urgent && self.transactions.is_full() {
            return Err(SipError::Limit("as many requests as it can"));
        }
        let hop = self.first_hop(account, target)?;
        let id = SessionId(self.new_id());
        let ident = SessionIdent::new(self.random.hex(16));
        let session = Session {
            account,
            call_id: self.random.hex(16),
            local_tag: self.random.hex(8),
            ours: true,
            phase: Phase::Resolving(Plan {
                target: target.clone(),
                to: target.clone(),
                cseq: 1,
                headers: headers.to_vec(),
                hop: hop.clone(),
                urgent,
            }),
            dialog: None,
            early: Vec::new(),
            reliable: Reliable::new(Reliance::Never),
            first_cseq: 0,
            negotiation: Negotiation::Idle,
            timer: None,
            min_se: session_timer::MIN_SE,
            takes_update: false,
            described: None,
            change_wanted: false,
            refused_changes: 0,
            ident,
            information: std::collections::VecDeque::new(),
            informing: false,
            stream: None,
            place: None,
            transfers: super::session::Transfers::default(),
            redirections: Redirections::from(target),
        };
        self.insert_session(id, session);
        self.ask(now, Asked::Session(id), &hop);
        Ok(id)
    }

    /// The first hop of a call to a target: the account's route, else the target itself.
    pub(super) fn first_hop(
        &self,
        account: Option<AccountId>,
        target: &Uri,
    ) -> Result<Hop, SipError> {
        let bad_target = || SipError::BadTarget(target.without_password().to_string());
        if Hop::of(target).is_none() {
            return Err(bad_target());
        }
        let known = account.and_then(|id| self.accounts.get(&id));
        let routes = known.map(super::Account::routes).unwrap_or_default();
        let transport = known.and_then(|known| known.setup.transport);
        let first = routes.first().map_or(target, |route| &route.uri);
        let hop = Hop::of(first).ok_or_else(bad_target)?;
        if route::is_secure(target) {
            let plain = |named: Option<Transport>| named.is_some_and(|named| !named.secure());
            // Nobody is asked by a way that he did not choose (RFC 5630 section 3.1.1).
            if plain(transport) || (plain(hop.transport) && !routes.is_empty()) {
                return Err(SipError::NotEncrypted(
                    target.without_password().to_string(),
                ));
            }
        }
        let hop = if route::is_secure(target) {
            hop.secured()
        } else {
            hop
        };
        Ok(hop.or_transport(transport))
    }

    /// Asks the owner for the offer once the first hop is known.
    pub(crate) fn invite_resolved(
        &mut self,
        now: Instant,
        id: SessionId,
        places: Vec<Resolved>,
        why: String,
    ) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let (places, why) = match &session.phase {
            Phase::Resolving(plan) => plan.hop.never_less(places, why),
            Phase::OfferNeeded(..)
            | Phase::Redirected(..)
            | Phase::Calling { .. }
            | Phase::Ringing { .. }
            | Phase::Answered(_)
            | Phase::Established
            | Phase::Ending { .. } => (places, why),
        };
        let Some(place) = places.first().copied() else {
            return self.target_unreachable(now, id, &why);
        };
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if let Phase::Resolving(plan) = &session.phase {
            session.phase = Phase::OfferNeeded(plan.clone(), places);
            session.place = Some(place);
            self.border.event(SipEvent::OfferNeeded {
                session: id,
                local_ip: place.local_ip,
            });
        }
    }

    /// The target's name leads nowhere: the next one is called, where there is one.
    fn target_unreachable(&mut self, now: Instant, id: SessionId, why: &str) {
        let plan = match self.sessions.get(&id).map(|session| &session.phase) {
            Some(Phase::Resolving(plan)) => Some(plan.clone()),
            Some(_) | None => None,
        };
        if plan.is_some_and(|plan| self.call_next(now, id, &plan)) {
            return;
        }
        if let Some(referrer) = self.referrer(id) {
            self.referral_news(now, referrer, Status::new(503, super::phrase(503)));
        }
        let status = Status::new(503, format!("not reachable: {why}"));
        self.end(id, EndedBy::Unreachable, status, None);
    }

    /// Sends the INVITE with its offer.
    pub(crate) fn send_invite(
        &mut self,
        now: Instant,
        id: SessionId,
        offer: &Body,
    ) -> Result<(), SipError> {
        let session = self.session_mut(id)?;
        let Phase::OfferNeeded(plan, places) = &session.phase else {
            return Err(SipError::WrongState(session.phase_name()));
        };
        let (plan, places) = (plan.clone(), places.clone());
        let (account, call_id, tag) = (
            session.account,
            session.call_id.clone(),
            session.local_tag.clone(),
        );
        let known = account.and_then(|account| self.accounts.get(&account));
        let routes = known.map(super::Account::routes).unwrap_or_default();
        let from = match (known, places.first()) {
            (Some(known), _) => known.from(&tag),
            (None, Some(place)) => {
                let uri = SipUri::new(Some("anonymous"), Host::from(place.local_ip), None);
                format!("<{uri}>;tag={tag}")
            }
            (None, None) => format!("<sip:anonymous@anonymous.invalid>;tag={tag}"),
        };
        let mut request = Message::request(Method::Invite, plan.target.clone());
        // The hop was found before, with the account's transport.
        route::apply(&mut request, &routes, &plan.target);
        let to = route::as_request_uri(&plan.to);
        let headers = &mut request.headers;
        headers.push("Max-Forwards", "70");
        headers.push("From", from);
        headers.push("To", format!("<{to}>"));
        headers.push("Call-ID", call_id);
        headers.push("CSeq", format!("{} INVITE", plan.cseq));
        headers.push("Allow", ALLOW);
        headers.push("Supported", self.supported(account));
        if self.extensions(account).reliable == Reliability::Required {
            headers.push("Require", reliable::TAG);
        }
        headers.push("User-Agent", self.config.user_agent.clone());
        for (name, value) in &plan.headers {
            let own = OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name));
            if parse::is_token(name) && name.len() > 1 && !own {
                headers.push(name.clone(), value.clone());
            }
        }
        // A far end that knows nothing of it would ring, and the other call would go on.
        if headers.first("Replaces").is_some() {
            headers.push("Require", "replaces");
        }
        self.ask_for_timer(id, &mut request);
        request.set_body(offer);
        let limit = (!plan.urgent).then(|| self.ring_limit(account));
        let outgoing = Outgoing::new(Owner::Invite(id), account, request, plan.hop.clone());
        // The phase first: a flow that fails at once ends the session within `launch`.
        let outgoing_id = self.reserve(outgoing.with_targets(places));
        if let Some(session) = self.sessions.get_mut(&id) {
            session.described = Some(offer.clone());
            session.phase = Phase::Calling {
                plan,
                outgoing: outgoing_id,
                provisional: false,
                cancel: None,
                cancel_sent: false,
            };
        }
        if let Some(limit) = limit {
            self.timers.set(Timer::Ring(id), now + limit);
        }
        self.attempt(now, outgoing_id);
        Ok(())
    }

    /// Takes an answer to the INVITE.
    pub(crate) fn invite_answered(
        &mut self,
        now: Instant,
        id: SessionId,
        outgoing: OutgoingId,
        answer: Answer<'_>,
    ) {
        if self.goes_elsewhere(now, id, outgoing, answer) {
            return;
        }
        if let Some(referrer) = self.referrer(id) {
            self.referral_news(now, referrer, answer.status());
        }
        match answer {
            Answer::Response(response) => match response.code().unwrap_or(500) {
                ..=100 => self.provisional_seen(now, id),
                101..200 => self.invite_progress(now, id, outgoing, response),
                200..300 => self.invite_accepted(now, id, outgoing, response),
                _ => self.invite_failed(
                    now,
                    id,
                    answer.status(),
                    EndedBy::Remote,
                    reason_of(response),
                ),
            },
            Answer::Failed { .. } => {
                self.invite_failed(now, id, answer.status(), EndedBy::Unreachable, None);
            }
        }
    }

    fn provisional_seen(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if let Phase::Calling {
            provisional,
            cancel,
            cancel_sent,
            ..
        } = &mut session.phase
        {
            *provisional = true;
            if cancel.is_some() && !*cancel_sent {
                self.send_cancel(now, id);
            }
        }
    }

    fn invite_progress(
        &mut self,
        now: Instant,
        id: SessionId,
        outgoing: OutgoingId,
        response: &Message,
    ) {
        self.provisional_seen(now, id);
        let invite = self.sent_invite(outgoing);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Phase::Calling { cancel, .. } = session.phase else {
            return;
        };
        let tag = response.to_tag();
        let mut body = response.session_description();
        if !tag.is_empty()
            && let Some(invite) = invite
        {
            let has_room = session.early.len() < MAX_FORKS;
            match session.early_mut(&tag) {
                Some(early) => early.dialog.learn_again(response),
                None if has_room => {
                    let dialog = Dialog::of_client(&invite, response);
                    session.early.extend(dialog.map(Early::new));
                }
                None => {}
            }
            if let (Some(early), Some(rseq)) = (session.early_mut(&tag), rseq_of(response)) {
                let order = early.take(rseq);
                if early.agreed {
                    body = None;
                }
                early.agreed |= order == Order::Next && body.is_some();
                if order != Order::Ignored {
                    let (cseq, _) = invite.cseq().unwrap_or((1, Method::Invite));
                    self.send_prack(now, id, &tag, rseq, cseq);
                }
                if order != Order::Next {
                    return;
                }
            }
        }
        if cancel.is_some() {
            return;
        }
        self.border.event(SipEvent::Progress {
            session: id,
            fork: tag,
            status: Answer::Response(response).status(),
            body,
            early_media: early_media(response),
        });
    }

    /// A 2xx: the first makes the call, one of another branch is ended again, a repeated one only
    /// acknowledged (section 13.2.2.4).
    fn invite_accepted(
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
        if self.ack_count(outgoing) >= MAX_FORKS {
            return;
        }
        let Some(invite) = self.sent_invite(outgoing) else {
            return;
        };
        // Requests may have gone in the early dialog: it goes on counting.
        let early = self.take_fork(id, outgoing, &tag);
        let agreed = early.as_ref().is_some_and(|early| early.agreed);
        let dialog = match early {
            Some(mut early) => {
                early.dialog.learn(response);
                Some(early.dialog)
            }
            None => Dialog::of_client(&invite, response),
        };
        let Some(mut dialog) = dialog else {
            return;
        };
        let (cseq, _) = invite.cseq().unwrap_or((1, Method::Invite));
        let (ack, hop) = dialog.ack(cseq);
        let known = self.outgoing.get(&outgoing);
        let way = Way {
            account: known.and_then(|known| known.account),
            stream: None,
            place: known.and_then(Outgoing::place),
        };
        self.send_ack(now, outgoing, &tag, self.with_agent(ack), hop);
        let answered_by = self.answered_by(outgoing, way.account, response);
        let first = self.sessions.get_mut(&id).and_then(|session| {
            if let Phase::Calling { cancel, .. } = session.phase {
                Some((cancel, session))
            } else {
                None
            }
        });
        let Some((cancel, session)) = first else {
            // Another branch was faster, or the call is over.
            let (bye, hop) = dialog.request(Method::Bye);
            self.send_in_dialog(now, Owner::Nobody, way, bye, hop);
            return;
        };
        let others = std::mem::take(&mut session.early);
        session.dialog = Some(dialog);
        session.phase = Phase::Established;
        let moved = session.settle_at(way.place);
        let elsewhere =
            matches!(&session.negotiation, Negotiation::Theirs(theirs) if theirs.tag != tag);
        if let Some(outgoing) = self.outgoing.get_mut(&outgoing) {
            outgoing.forks = others.into_iter().map(|early| early.dialog).collect();
        }
        if elsewhere {
            self.refuse_pending_change(now, id);
        }
        self.change_settled(id);
        self.timers.cancel(&Timer::Ring(id));
        self.timers.cancel(&Timer::CancelLimit(id));
        self.take_timer(now, id, response);
        match cancel {
            // The 200 crossed our CANCEL.
            Some(by) => {
                let status = Status::new(487, super::phrase(487));
                self.bye(now, id, by, status, None);
            }
            None => self.border.event(SipEvent::Answered {
                session: id,
                fork: tag,
                // After a reliable answer a description in the 2xx says nothing new.
                body: response.session_description().filter(|_| !agreed),
                answered_by,
            }),
        }
        if let (None, Some(local_ip)) = (cancel, moved) {
            self.tell_moved(id, local_ip);
        }
    }

    /// Takes the early dialog that a 2xx confirms.
    fn take_fork(&mut self, id: SessionId, outgoing: OutgoingId, tag: &str) -> Option<Early> {
        if let Some(session) = self.sessions.get_mut(&id)
            && let Some(at) = (session.early.iter()).position(|e| e.dialog.remote_tag() == tag)
        {
            return Some(session.early.swap_remove(at));
        }
        let forks = &mut self.outgoing.get_mut(&outgoing)?.forks;
        let at = forks.iter().position(|dialog| dialog.remote_tag() == tag)?;
        Some(Early::new(forks.swap_remove(at)))
    }

    fn invite_failed(
        &mut self,
        now: Instant,
        id: SessionId,
        status: Status,
        by: EndedBy,
        reason: Option<String>,
    ) {
        if matches!(
            self.sessions.get(&id).map(|session| &session.phase),
            Some(Phase::Calling { .. })
        ) {
            self.refuse_pending_change(now, id);
        }
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        match session.phase {
            Phase::Calling {
                cancel: Some(by), ..
            } => self.end(id, by, Status::new(487, super::phrase(487)), reason),
            Phase::Calling { cancel: None, .. } => self.end(id, by, status, reason),
            Phase::Resolving(_)
            | Phase::OfferNeeded(..)
            | Phase::Redirected(..)
            | Phase::Ringing { .. }
            | Phase::Answered(_)
            | Phase::Established
            | Phase::Ending { .. } => {}
        }
    }
}

/// The value of Reason (RFC 3326); several are joined.
pub(crate) fn reason_of(message: &Message) -> Option<String> {
    let all: Vec<_> = message.headers.values("Reason").collect();
    (!all.is_empty()).then(|| all.join(", "))
}
