//! Calls that we get (RFC 3261 sections 9.2 and 13.3).

use std::time::{Duration, Instant};

use super::ALLOW;
use super::incoming::Arrival;
use super::redirection::Redirections;
use super::reliable::{Reliable, Reliance};
use super::session::{Accepted, Exchange, Negotiation, Phase, Session, Transfers};
use super::session_ident::SessionIdent;
use super::session_timer;
use crate::base::flow::Resolved;
use crate::base::id::AccountId;
use crate::base::uri::Uri;
use crate::sip::caller::Caller;
use crate::sip::deadline::Timer;
use crate::sip::dialog::Dialog;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{Body, EndedBy, IncomingCall, SessionId, SipError, SipEvent, Status};
use crate::sip::message::Message;
use crate::sip::route;
use crate::sip::timer::{T1, T2, TIMEOUT};
use crate::sip::transaction::TransactionId;

/// The pause between repeated provisional answers, which keep proxies from giving up.
const PROVISIONAL_PAUSE: Duration = Duration::from_secs(60);

/// Header fields that the event carries in fields of its own, or that are of no use to its owner.
const NOT_SHOWN: [&str; 13] = [
    "Via",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Contact",
    "Max-Forwards",
    "Content-Type",
    "Record-Route",
    "Route",
    "Authorization",
    "Proxy-Authorization",
    "Allow",
];

impl Endpoint {
    /// Takes an INVITE outside of dialogs that passed all checks.
    pub(crate) fn call_arrived(
        &mut self,
        now: Instant,
        arrival: &Arrival,
        transaction: TransactionId,
        invite: &Message,
        account: Option<AccountId>,
    ) {
        let replaces = match self.replaced_by(invite) {
            Ok(replaces) => replaces,
            Err(code) => return self.answer_plainly(now, transaction, code),
        };
        let local_tag = self.random.hex(8);
        let (Some(dialog), Some(from), Some(to), Some(uri)) = (
            Dialog::of_server(invite, &local_tag),
            invite.from(),
            invite.to(),
            invite.uri(),
        ) else {
            self.answer_plainly(now, transaction, 400);
            return;
        };
        let reliance = match Reliance::of(invite, self.extensions(account).reliable) {
            Ok(reliance) => reliance,
            Err(code) => {
                self.answer_extension(now, transaction, code, super::reliable::TAG);
                return;
            }
        };
        let timers = !self.extensions(account).session_expires.is_zero();
        let demanded = invite.tokens("Require");
        if !timers && (demanded.iter()).any(|tag| tag.eq_ignore_ascii_case(session_timer::TAG)) {
            self.answer_extension(now, transaction, 420, session_timer::TAG);
            return;
        }
        if timers && session_timer::is_too_brief(invite) {
            self.answer_interval(now, transaction);
            return;
        }
        let trying = Message::response(invite, 100, "Trying", None);
        self.respond(now, transaction, trying);
        let id = SessionId(self.new_id());
        let remote = arrival.flow.remote();
        let transport = arrival.flow.transport();
        let mut ident = SessionIdent::new(self.random.hex(16));
        ident.learn(invite);
        let session = Session {
            account,
            call_id: invite.call_id().to_owned(),
            local_tag,
            ours: false,
            phase: Phase::Ringing {
                transaction,
                provisional: None,
            },
            dialog: Some(dialog),
            early: Vec::new(),
            reliable: Reliable::new(reliance),
            first_cseq: invite.cseq().map_or(0, |(number, _)| number),
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
            stream: arrival.flow.connection().map(|stream| (stream, remote)),
            place: Some(Resolved {
                transport,
                remote,
                local_ip: arrival.local_ip,
            }),
            transfers: Transfers::in_place_of(replaces),
            redirections: Redirections::default(),
        };
        let mut session = session;
        session.learn_allow(invite);
        self.insert_session(id, session);
        let limit = self.ring_limit(account);
        let limit = invitation_lasts(invite).map_or(limit, |lasts| lasts.min(limit));
        self.timers.set(Timer::Ring(id), now + limit);
        let caller = self.caller_of(invite, arrival, account);
        let headers = invite
            .headers
            .iter()
            .filter(|(name, _)| !NOT_SHOWN.iter().any(|n| n.eq_ignore_ascii_case(name)))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        self.border.event(SipEvent::Incoming(Box::new(IncomingCall {
            session: id,
            account,
            from: from.name_addr(),
            to: to.name_addr(),
            request_uri: uri.clone(),
            sip_call_id: invite.call_id().to_owned(),
            source: remote,
            transport,
            local_ip: arrival.local_ip,
            offer: invite.session_description(),
            caller,
            replaces,
            referred_by: invite.name_addr("Referred-By"),
            headers,
        })));
    }

    pub(crate) fn caller_of(
        &self,
        invite: &Message,
        arrival: &Arrival,
        account: Option<AccountId>,
    ) -> Caller {
        let trusted = self.is_from_own_server(account, &arrival.flow);
        let known = account.and_then(|id| self.accounts.get(&id));
        let name = known.and_then(|account| account.setup.address.user_decoded());
        let own: Vec<&str> = name
            .as_deref()
            .into_iter()
            .chain(known.map(|account| account.contact_user.as_str()))
            .collect();
        Caller::of(invite, trusted, &own)
    }

    /// Sends 180, or 183 with an early answer.
    pub(crate) fn send_provisional(
        &mut self,
        now: Instant,
        id: SessionId,
        body: Option<&Body>,
    ) -> Result<(), SipError> {
        let session = self.session_mut(id)?;
        let Phase::Ringing { transaction, .. } = session.phase else {
            return Err(SipError::WrongState(session.phase_name()));
        };
        let reliable = match session.reliable.reliance {
            Reliance::Never => false,
            Reliance::WithBody => body.is_some(),
            Reliance::Always => true,
        };
        let exchange = session.reliable.exchange;
        let invite = self.transactions.server_request(transaction);
        let asked_to_offer = invite.is_some_and(|invite| invite.session_description().is_none());
        let body = body.filter(|_| exchange == Exchange::Open && (reliable || !asked_to_offer));
        let code = if body.is_some() { 183 } else { 180 };
        let Some(mut response) = self.session_response(id, transaction, code) else {
            return Err(SipError::NoSuchSession);
        };
        if let Some(body) = body {
            response.set_body(body);
        }
        if let Some(session) = self.sessions.get_mut(&id)
            && let Phase::Ringing { provisional, .. } = &mut session.phase
        {
            *provisional = Some(response.clone());
            session.reliable.exchange = match (reliable && body.is_some(), asked_to_offer) {
                (false, _) => exchange,
                (true, true) => Exchange::Offered,
                (true, false) => Exchange::Agreed,
            };
            self.timers
                .set(Timer::Provisional(id), now + PROVISIONAL_PAUSE);
        }
        if reliable {
            self.send_reliably(now, id, response);
        } else {
            self.respond(now, transaction, response);
        }
        Ok(())
    }

    /// Repeats the last provisional answer.
    pub(crate) fn repeat_provisional(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        if let Phase::Ringing {
            transaction,
            provisional: Some(response),
        } = &session.phase
        {
            let (transaction, mut response) = (*transaction, response.clone());
            self.timers
                .set(Timer::Provisional(id), now + PROVISIONAL_PAUSE);
            match session.reliable.reliance {
                Reliance::Never => self.respond(now, transaction, response),
                // What was said reliably is not said again.
                Reliance::WithBody => {
                    response.clear_body();
                    self.respond(now, transaction, response);
                }
                Reliance::Always if session.reliable.awaits_prack() => {}
                Reliance::Always => {
                    response.clear_body();
                    self.send_reliably(now, id, response);
                }
            }
        }
    }

    /// Answers with 200 and repeats it until the ACK.
    pub(crate) fn accept_call(
        &mut self,
        now: Instant,
        id: SessionId,
        body: &Body,
    ) -> Result<(), SipError> {
        let session = self.session_mut(id)?;
        let Phase::Ringing { transaction, .. } = session.phase else {
            return Err(SipError::WrongState(session.phase_name()));
        };
        if session.reliable.accepted() {
            return Err(SipError::WrongState("being answered"));
        }
        if self.transactions.server_request(transaction).is_none() {
            return Err(SipError::NoSuchSession);
        }
        if !self.hold_2xx_back(id, body) {
            self.send_2xx(now, id, body);
        }
        Ok(())
    }

    /// Sends the 200 of an accepted call.
    pub(crate) fn send_2xx(&mut self, now: Instant, id: SessionId, body: &Body) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let Phase::Ringing { transaction, .. } = session.phase else {
            return;
        };
        let (exchange, renewed) = (session.reliable.exchange, session.reliable.renewed);
        let invite = self.transactions.server_request(transaction);
        let offered = invite.is_some_and(|invite| invite.session_description().is_some());
        let cseq = session.first_cseq;
        let Some(mut response) = self.session_response(id, transaction, 200) else {
            return;
        };
        // What a reliable answer said may be repeated unless it changed; an offer would be a new
        // one.
        if exchange != Exchange::Agreed || (offered && !renewed) {
            response.set_body(body);
        }
        if let Some(invite) = self.transactions.server_request(transaction).cloned() {
            self.agree_timer(now, id, &invite, &mut response);
        }
        self.respond(now, transaction, response.clone());
        for timer in [
            Timer::Ring(id),
            Timer::Provisional(id),
            Timer::RepeatReliable(id),
            Timer::PrackLimit(id),
        ] {
            self.timers.cancel(&timer);
        }
        if let Some(session) = self.sessions.get_mut(&id) {
            if !renewed {
                session.described = Some(body.clone());
            }
            session.phase = Phase::Answered(Accepted {
                transaction,
                cseq,
                response,
                interval: T1,
                late_offer: !offered && exchange != Exchange::Agreed,
                hang_up: None,
            });
        }
        self.start_2xx_timers(now, id);
        self.give_way(now, id);
    }

    /// Refuses a call, or answers it with any other final status that is no 2xx.
    pub(crate) fn refuse_call(
        &mut self,
        now: Instant,
        id: SessionId,
        status: &Status,
        headers: &[(String, String)],
    ) -> Result<(), SipError> {
        let session = self.session_mut(id)?;
        let Phase::Ringing { .. } = session.phase else {
            return Err(SipError::WrongState(session.phase_name()));
        };
        let status = Status::new(status.code.clamp(300, 699), status.phrase.clone());
        self.refuse_ringing(now, id, &status, headers);
        self.end(id, EndedBy::Local, status, None);
        Ok(())
    }

    /// Refuses or cancels a call that rang too long.
    pub(crate) fn ring_limit_passed(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        match session.phase {
            Phase::Ringing { transaction, .. } => {
                let limit = self.ring_limit(session.account);
                let expired = self
                    .transactions
                    .server_request(transaction)
                    .and_then(invitation_lasts)
                    .is_some_and(|lasts| lasts <= limit);
                let code = if expired { 487 } else { 480 };
                let status = Status::new(code, super::phrase(code));
                self.refuse_ringing(now, id, &status, &[]);
                self.end(id, EndedBy::RingLimit, status, None);
            }
            Phase::Calling { .. } => self.cancel_call(now, id, EndedBy::RingLimit),
            Phase::Redirected(..) => self.redirection_undecided(now, id),
            Phase::Resolving(_)
            | Phase::OfferNeeded(..)
            | Phase::Answered(_)
            | Phase::Established
            | Phase::Ending { .. } => {}
        }
    }

    /// Ends a call in whatever state it is.
    pub(crate) fn end_call(&mut self, now: Instant, id: SessionId) -> Result<(), SipError> {
        if let Some(referrer) = self.referrer(id) {
            self.referral_news(now, referrer, Status::new(487, super::phrase(487)));
        }
        let session = self.session_mut(id)?;
        match &mut session.phase {
            Phase::Resolving(_) | Phase::OfferNeeded(..) | Phase::Redirected(..) => {
                let status = Status::new(487, super::phrase(487));
                self.end(id, EndedBy::Local, status, None);
            }
            Phase::Calling { .. } => self.cancel_call(now, id, EndedBy::Local),
            Phase::Ringing { .. } => {
                let status = Status::new(603, super::phrase(603));
                self.refuse_ringing(now, id, &status, &[]);
                self.end(id, EndedBy::Local, status, None);
            }
            // The callee waits for the ACK before it sends BYE (section 15).
            Phase::Answered(accepted) => {
                accepted.hang_up.get_or_insert(EndedBy::Local);
            }
            Phase::Established => {
                let status = Status::new(200, super::phrase(200));
                self.bye(now, id, EndedBy::Local, status, None);
            }
            Phase::Ending { .. } => return Err(SipError::WrongState("ending")),
        }
        Ok(())
    }

    /// Takes a CANCEL for an INVITE that is not answered.
    pub(crate) fn call_cancelled(&mut self, now: Instant, invite: TransactionId, cancel: &Message) {
        let ringing = self
            .sessions
            .iter()
            .find(|(_, session)| session.answers(invite));
        if let Some(id) = ringing.map(|(id, _)| *id) {
            let status = Status::new(487, super::phrase(487));
            self.refuse_ringing(now, id, &status, &[]);
            let reason = super::invite_client::reason_of(cancel);
            self.end(id, EndedBy::Remote, status, reason);
        } else {
            self.change_cancelled(now, invite);
        }
    }

    /// Sends our 2xx again and doubles the pause up to T2.
    pub(crate) fn repeat_2xx(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Some(accepted) = session.unacknowledged() else {
            return;
        };
        accepted.interval = (accepted.interval * 2).min(T2);
        let (transaction, response, pause) = (
            accepted.transaction,
            accepted.response.clone(),
            accepted.interval,
        );
        self.respond(now, transaction, response);
        self.timers.set(Timer::Repeat2xx(id), now + pause);
    }

    /// Ends a call whose 2xx was never acknowledged (section 13.3.1.4).
    pub(crate) fn ack_missing(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if session.unacknowledged().is_none() {
            return;
        }
        let status = Status::new(408, "no ACK came");
        self.bye(now, id, EndedBy::Unreachable, status, None);
    }

    /// Takes the ACK of a 2xx.
    pub(crate) fn ack_arrived(&mut self, now: Instant, ack: &Message) {
        let key = (ack.call_id().to_owned(), ack.to_tag());
        let Some(id) = self.by_dialog.get(&key).copied() else {
            return;
        };
        let (Some(session), Some((cseq, _))) = (self.sessions.get_mut(&id), ack.cseq()) else {
            return;
        };
        let remote_tag = ack.from_tag();
        let fits = session
            .dialog
            .as_ref()
            .is_some_and(|dialog| dialog.remote_tag() == remote_tag)
            && session
                .unacknowledged()
                .is_some_and(|accepted| accepted.cseq == cseq);
        if fits {
            self.acknowledged(now, id, ack.session_description());
        }
    }

    /// Goes on after the ACK of our 2xx, or after what proves that the 2xx arrived.
    pub(crate) fn acknowledged(&mut self, now: Instant, id: SessionId, body: Option<Body>) {
        self.timers.cancel(&Timer::Repeat2xx(id));
        self.timers.cancel(&Timer::AckLimit(id));
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if let Phase::Answered(accepted) = &session.phase {
            let (hang_up, late_offer) = (accepted.hang_up, accepted.late_offer);
            session.phase = Phase::Established;
            self.border.event(SipEvent::Confirmed {
                session: id,
                body: body.filter(|_| late_offer),
            });
            if let Some(by) = hang_up {
                let status = Status::new(200, super::phrase(200));
                self.bye(now, id, by, status, None);
            } else {
                self.change_settled(id);
            }
        } else if let Negotiation::Accepted(accepted) = &session.negotiation {
            let late_offer = accepted.late_offer;
            session.negotiation = Negotiation::Idle;
            if late_offer {
                self.border
                    .event(SipEvent::ReinviteConfirmed { session: id, body });
            }
            self.change_settled(id);
        }
    }

    /// Starts to repeat a 2xx; also over TCP, since a proxy behind it may use UDP.
    pub(crate) fn start_2xx_timers(&mut self, now: Instant, id: SessionId) {
        self.timers.set(Timer::Repeat2xx(id), now + T1);
        self.timers.set(Timer::AckLimit(id), now + TIMEOUT);
    }

    /// A response of a session to its INVITE or re-INVITE, with our tag and Contact.
    pub(crate) fn session_response(
        &self,
        id: SessionId,
        transaction: TransactionId,
        code: u16,
    ) -> Option<Message> {
        let session = self.sessions.get(&id)?;
        let request = self.transactions.server_request(transaction)?;
        let phrase = super::phrase(code);
        let mut response = Message::response(request, code, phrase, Some(&session.local_tag));
        if (101..300).contains(&code)
            && let Some(place) = session.place
        {
            let secure = demands_encryption(request) || self.account_is_secure(session.account);
            let uri = Uri::Sip(self.contact_uri(session.account, &place, secure));
            response.headers.push("Contact", format!("<{uri}>"));
            response.headers.push("Allow", ALLOW);
            response
                .headers
                .push("Supported", self.supported(session.account));
        }
        Some(response)
    }

    /// Refuses the INVITE of a call that rings.
    pub(crate) fn refuse_ringing(
        &mut self,
        now: Instant,
        id: SessionId,
        status: &Status,
        headers: &[(String, String)],
    ) {
        self.refuse_pending_change(now, id);
        let Some(Phase::Ringing { transaction, .. }) =
            self.sessions.get(&id).map(|session| &session.phase)
        else {
            return;
        };
        let transaction = *transaction;
        let Some(mut response) = self.session_response(id, transaction, status.code) else {
            return;
        };
        if let crate::sip::message::StartLine::Response { phrase, .. } = &mut response.start {
            phrase.clone_from(&status.phrase);
        }
        for (name, value) in headers {
            if crate::sip::parse::is_token(name) {
                response.headers.push(name.clone(), value.clone());
            }
        }
        self.respond(now, transaction, response);
    }
}

impl Session {
    /// Our 2xx that still waits for its ACK.
    pub(crate) fn unacknowledged(&mut self) -> Option<&mut Accepted> {
        match (&mut self.phase, &mut self.negotiation) {
            (Phase::Answered(accepted), _)
            | (Phase::Established, Negotiation::Accepted(accepted)) => Some(accepted),
            (
                Phase::Resolving(_)
                | Phase::OfferNeeded(..)
                | Phase::Redirected(..)
                | Phase::Calling { .. }
                | Phase::Ringing { .. }
                | Phase::Established
                | Phase::Ending { .. },
                _,
            ) => None,
        }
    }
}

/// Whether our Contact must be a `sips:` one (RFC 3261 section 12.1.1).
fn demands_encryption(request: &Message) -> bool {
    let routed = request.addresses("Record-Route").into_iter().next();
    let nearest = routed.map(|route| route.uri);
    let nearest = nearest.or_else(|| request.contact().map(|contact| contact.uri));
    request.uri().is_some_and(route::is_secure) || nearest.as_ref().is_some_and(route::is_secure)
}

/// How long a caller's invitation is valid (RFC 3261 section 13.3.1); some say 0 and mean nothing by it.
fn invitation_lasts(invite: &Message) -> Option<Duration> {
    let seconds = invite.seconds("Expires").filter(|seconds| *seconds > 0)?;
    Some(Duration::from_secs(seconds.into()))
}
