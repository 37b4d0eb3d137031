//! Transfers that the far end asks for (RFC 3515 and 5589): REFER, and the news that it gets.

use std::time::{Duration, Instant};

use super::outgoing::{Answer, Owner};
use super::session::Phase;
use crate::base::uri::{SipUri, Uri, percent_decode};
use crate::sip::deadline::Timer;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{OutgoingCall, Referral, SessionId, SipError, SipEvent, Status};
use crate::sip::message::{Message, Method};
use crate::sip::parse::{self, AddressField, Replaces};
use crate::sip::transaction::TransactionId;

/// How many wishes are kept whose calls are over.
const MAX_UNFOLLOWED: usize = 64;

/// How long the far end is told what comes of its wish; longer than a call rings.
const SUBSCRIPTION: Duration = Duration::from_secs(180);

/// What the owner makes of a wish to be transferred.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferralAnswer {
    /// Somebody is asked: 202, and the subscription is pending.
    Ask,
    /// It is followed: `Endpoint::invite_referred` is next.
    Follow,
    /// It is not.
    Refuse(Status),
}

/// A REFER that we got.
#[derive(Debug)]
pub(crate) struct TheirRefer {
    /// The request, until it is answered.
    transaction: Option<TransactionId>,
    /// Its `CSeq` number, which names the subscription.
    cseq: u32,
    /// Whether it is the first of its dialog, whose number need not be told.
    first: bool,
    replaces: Option<Replaces>,
    referred_by: Option<String>,
    /// Whether the far end wants no news (RFC 4488).
    silent: bool,
    /// Whether nobody has decided yet.
    pending: bool,
    /// The call that was made for it.
    call: Option<SessionId>,
    /// When the subscription ends.
    until: Instant,
    /// Whether a NOTIFY waits for its answer: the next waits for it, or they might change places.
    notifying: bool,
    /// The next news.
    next: Option<Status>,
}

/// A wish that was accepted (202) and whose call its asker then ended, as many do at once. It may
/// still be followed (RFC 3515 section 2.4.4: the REFER is carried out on its own); nobody is told how
/// it goes.
#[derive(Debug)]
pub(crate) struct Unfollowed {
    replaces: Option<Replaces>,
    referred_by: Option<String>,
}

impl Endpoint {
    /// Takes a REFER inside a call.
    pub(crate) fn referral_arrived(
        &mut self,
        now: Instant,
        id: SessionId,
        transaction: TransactionId,
        request: &Message,
    ) {
        let wish = match wish(request) {
            Ok(wish) => wish,
            Err(code) => return self.answer_plainly(now, transaction, code),
        };
        let silent = request
            .header("Refer-Sub")
            .is_some_and(|value| parse::media_type(value) == "false");
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        match session.phase {
            Phase::Established | Phase::Answered(_) => {}
            Phase::Ending { .. } => return self.answer_plainly(now, transaction, 481),
            Phase::Resolving(_)
            | Phase::OfferNeeded(..)
            | Phase::Redirected(..)
            | Phase::Calling { .. }
            | Phase::Ringing { .. } => return self.answer_plainly(now, transaction, 403),
        }
        if session.transfers.theirs.is_some() {
            return self.answer_plainly(now, transaction, 491);
        }
        let first = !session.transfers.referred_before;
        session.transfers.referred_before = true;
        session.transfers.theirs = Some(TheirRefer {
            transaction: Some(transaction),
            cseq: request.cseq().map_or(0, |(number, _)| number),
            first,
            replaces: wish.replaces.clone(),
            referred_by: request.header("Referred-By").map(str::to_owned),
            silent,
            pending: true,
            call: None,
            until: now + SUBSCRIPTION,
            notifying: false,
            next: None,
        });
        self.timers.set(Timer::Referral(id), now + SUBSCRIPTION);
        self.border.event(SipEvent::Referral(Box::new(Referral {
            session: id,
            target: wish.target,
            replaces: wish.replaces.is_some(),
            referred_by: request.name_addr("Referred-By"),
        })));
    }

    /// Tells the far end what becomes of its wish.
    pub(crate) fn decide_referral(
        &mut self,
        now: Instant,
        id: SessionId,
        answer: &ReferralAnswer,
    ) -> Result<(), SipError> {
        if self.unfollowed.contains_key(&id) {
            if let ReferralAnswer::Refuse(_) = answer {
                self.forget_unfollowed(id);
            }
            return Ok(());
        }
        let theirs = self.their_refer(id)?;
        theirs.pending = *answer == ReferralAnswer::Ask;
        let (transaction, silent) = (theirs.transaction.take(), theirs.silent);
        match (answer, transaction) {
            (ReferralAnswer::Refuse(status), Some(transaction)) => {
                self.forget_referral(id);
                self.answer_plainly(now, transaction, status.code.clamp(400, 699));
            }
            (ReferralAnswer::Refuse(status), None) => {
                self.referral_news(now, id, status.clone());
            }
            (ReferralAnswer::Ask | ReferralAnswer::Follow, transaction) => {
                let response = transaction.and_then(|transaction| {
                    let response = self.session_response(id, transaction, 202)?;
                    Some((transaction, response))
                });
                if let Some((transaction, mut response)) = response {
                    if silent {
                        response.headers.push("Refer-Sub", "false");
                    }
                    self.respond(now, transaction, response);
                }
                self.referral_news(now, id, Status::new(100, super::phrase(100)));
            }
        }
        Ok(())
    }

    /// Starts the call that a `Referral` asked for, as `place` does; the far end hears how it goes.
    /// Whom it reaches is the owner's word: a `tel:` URI becomes an address by the account's rules.
    ///
    /// # Errors
    ///
    /// Fails when the far end no longer waits for it, or as `place` does.
    pub fn invite_referred(
        &mut self,
        now: Instant,
        id: SessionId,
        wanted: &OutgoingCall<'_>,
    ) -> Result<SessionId, SipError> {
        let (replaces, referred_by) = if let Some(wish) = self.unfollowed.get(&id) {
            (wish.replaces.clone(), wish.referred_by.clone())
        } else {
            let theirs = self.their_refer(id)?;
            if theirs.call.is_some() {
                return Err(SipError::WrongState("already following a transfer"));
            }
            (theirs.replaces.clone(), theirs.referred_by.clone())
        };
        let mut headers = wanted.headers.to_vec();
        headers.extend(replaces.map(|replaces| ("Replaces".to_owned(), replaces.to_string())));
        headers.extend(referred_by.map(|by| ("Referred-By".to_owned(), by)));
        let headers = headers.as_slice();
        let call = self.start_call(now, &OutgoingCall { headers, ..*wanted })?;
        self.forget_unfollowed(id);
        if let Some(session) = self.sessions.get_mut(&call) {
            session.transfers.because_of = Some(id);
        }
        if let Ok(theirs) = self.their_refer(id) {
            theirs.call = Some(call);
        }
        Ok(call)
    }

    /// The call in which somebody asked for this call.
    pub(crate) fn referrer(&self, call: SessionId) -> Option<SessionId> {
        let id = self.sessions.get(&call)?.transfers.because_of?;
        let theirs = self.sessions.get(&id)?.transfers.theirs.as_ref()?;
        (theirs.call == Some(call)).then_some(id)
    }

    /// Passes on how the call goes that the far end asked for.
    pub(crate) fn referral_news(&mut self, now: Instant, id: SessionId, status: Status) {
        let Ok(theirs) = self.their_refer(id) else {
            return;
        };
        // That it was taken up was told already.
        if status.code == 100 && !theirs.pending && theirs.call.is_some() {
            return;
        }
        if theirs.silent {
            if status.code >= 200 {
                self.forget_referral(id);
            }
        } else if theirs.notifying {
            theirs.next = Some(status);
        } else {
            self.notify_referrer(now, id, &status, None);
        }
    }

    /// Ends the news after their time.
    pub(crate) fn referral_limit_passed(&mut self, now: Instant, id: SessionId) {
        if self.unfollowed.remove(&id).is_some() {
            self.border.event(SipEvent::ReferralOver { session: id });
            return;
        }
        let Ok(theirs) = self.their_refer(id) else {
            return;
        };
        if let Some(transaction) = theirs.transaction.take() {
            // Nobody decided at all.
            self.answer_plainly(now, transaction, 603);
            self.forget_referral(id);
            return;
        }
        let pending = theirs.pending;
        if !theirs.silent {
            let status = if pending {
                Status::new(603, super::phrase(603))
            } else {
                Status::new(100, super::phrase(100))
            };
            self.notify_referrer(now, id, &status, Some("timeout"));
        }
        self.forget_referral(id);
    }

    /// Answers a wish that nobody decided before its call ended (RFC 3261 section 15.1.2).
    pub(crate) fn refuse_undecided_referral(&mut self, now: Instant, id: SessionId) {
        if let Ok(theirs) = self.their_refer(id)
            && let Some(transaction) = theirs.transaction.take()
        {
            self.answer_plainly(now, transaction, 487);
            self.forget_referral(id);
        }
    }

    /// Takes the answer to a NOTIFY.
    pub(crate) fn referrer_answered(&mut self, now: Instant, id: SessionId, answer: Answer<'_>) {
        let status = answer.status();
        if status.code < 200 {
            return;
        }
        let Ok(theirs) = self.their_refer(id) else {
            return;
        };
        theirs.notifying = false;
        let next = theirs.next.take();
        // The far end no longer wants to know; what it asked for goes on.
        if status.code == 481 || matches!(answer, Answer::Failed { .. }) {
            if theirs.call.is_some() {
                self.forget_referral(id);
            } else {
                theirs.silent = true;
            }
        } else if let Some(next) = next {
            self.notify_referrer(now, id, &next, None);
        }
    }

    fn notify_referrer(
        &mut self,
        now: Instant,
        id: SessionId,
        status: &Status,
        ended: Option<&str>,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        // Behind our BYE they would make the BYE, once it is late, look out of order; and who got it
        // wants no news any more.
        if matches!(session.phase, Phase::Ending { .. }) {
            self.forget_referral(id);
            return;
        }
        let way = session.way();
        let (Some(theirs), Some(dialog)) = (&mut session.transfers.theirs, &mut session.dialog)
        else {
            return;
        };
        theirs.notifying = true;
        let over = status.code >= 200;
        let state = match (ended, over) {
            (Some(reason), _) => format!("terminated;reason={reason}"),
            (None, true) => "terminated;reason=noresource".to_owned(),
            (None, false) => {
                let word = if theirs.pending { "pending" } else { "active" };
                let left = theirs.until.saturating_duration_since(now).as_secs();
                format!("{word};expires={left}")
            }
        };
        let event = if theirs.first {
            "refer".to_owned()
        } else {
            format!("refer;id={}", theirs.cseq)
        };
        let (mut request, hop) = dialog.request(Method::Notify);
        request.headers.push("Event", event);
        request.headers.push("Subscription-State", state);
        let phrase = &status.phrase;
        request.set_body(&crate::sip::event::Body {
            content_type: "message/sipfrag;version=2.0".to_owned(),
            bytes: format!("SIP/2.0 {} {phrase}\r\n", status.code).into_bytes(),
        });
        if over {
            self.forget_referral(id);
        }
        self.send_in_dialog(now, Owner::ReferNews(id), way, request, hop);
    }

    fn forget_referral(&mut self, id: SessionId) {
        self.timers.cancel(&Timer::Referral(id));
        if let Some(session) = self.sessions.get_mut(&id)
            && let Some(theirs) = session.transfers.theirs.take()
            && theirs.call.is_none()
        {
            self.border.event(SipEvent::ReferralOver { session: id });
        }
    }

    /// Keeps what the far end of a call that is over asked for, where it was accepted and waits to be
    /// followed.
    pub(crate) fn keep_wish(&mut self, id: SessionId, theirs: TheirRefer) {
        if theirs.transaction.is_some() || theirs.call.is_some() {
            return self.timers.cancel(&Timer::Referral(id));
        }
        if self.unfollowed.len() >= MAX_UNFOLLOWED
            && let Some((oldest, _)) = self.unfollowed.pop_first()
        {
            self.timers.cancel(&Timer::Referral(oldest));
            self.border
                .event(SipEvent::ReferralOver { session: oldest });
        }
        let TheirRefer {
            replaces,
            referred_by,
            ..
        } = theirs;
        let wish = Unfollowed {
            replaces,
            referred_by,
        };
        self.unfollowed.insert(id, wish);
    }

    fn forget_unfollowed(&mut self, id: SessionId) {
        if self.unfollowed.remove(&id).is_some() {
            self.timers.cancel(&Timer::Referral(id));
        }
    }

    fn their_refer(&mut self, id: SessionId) -> Result<&mut TheirRefer, SipError> {
        let session = self.session_mut(id)?;
        let none = SipError::WrongState("not asked to be transferred");
        session.transfers.theirs.as_mut().ok_or(none)
    }
}

/// Whom a REFER wants to be called.
struct Wish {
    target: Uri,
    replaces: Option<Replaces>,
}

/// Reads Refer-To; else the status that refuses it.
fn wish(request: &Message) -> Result<Wish, u16> {
    // Exactly one (RFC 3515 section 2.4.2).
    let mut values = request.headers.values("Refer-To");
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(400);
    };
    let field: AddressField = parse::address(value).map_err(|_broken| 400_u16)?;
    let uri = match field.uri {
        Uri::Sip(uri) => uri,
        Uri::Tel(uri) => {
            return Ok(Wish {
                target: Uri::Tel(uri),
                replaces: None,
            });
        }
        Uri::Other { .. } => return Err(416),
    };
    let method = uri.param("method").and_then(|param| param.value.as_deref());
    if method.is_some_and(|method| !method.eq_ignore_ascii_case("INVITE")) {
        return Err(603);
    }
    let mut replaces = uri
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("Replaces"));
    let replaces = match (replaces.next(), replaces.next()) {
        (None, _) => None,
        (Some((_, value)), None) => {
            Some(parse::replaces(&percent_decode(value)).map_err(|_broken| 400_u16)?)
        }
        (Some(_), Some(_)) => return Err(400),
    };
    // Of the other headers that a URI may carry none is safe to take from a stranger (RFC 3261
    // section 19.1.5).
    let params = uri.params.into_iter();
    let uri = SipUri {
        headers: Vec::new(),
        params: params
            .filter(|param| !param.name.eq_ignore_ascii_case("method"))
            .collect(),
        ..uri
    };
    Ok(Wish {
        target: Uri::Sip(uri),
        replaces,
    })
}
