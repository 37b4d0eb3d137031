//! Requests inside a call: BYE, INFO, UPDATE, OPTIONS and their like (RFC 3261 section 12.2.2).

use std::time::Instant;

use super::outgoing::Answer;
use super::session::Phase;
use crate::sip::caller::Caller;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{EndedBy, SessionId, SipEvent, Status};
use crate::sip::message::{Message, Method};
use crate::sip::parse;
use crate::sip::transaction::TransactionId;

impl Endpoint {
    /// Takes a request whose To has a tag.
    pub(crate) fn handle_in_dialog(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        request: &Message,
    ) {
        self.learn_session_name(request);
        let key = (request.call_id().to_owned(), request.to_tag());
        let remote_tag = request.from_tag();
        let id = self.by_dialog.get(&key).copied();
        let session = id.and_then(|id| Some((id, self.sessions.get_mut(&id)?)));
        let Some((id, session)) = session else {
            self.answer_plainly(now, transaction, 481);
            return;
        };
        let account = session.account;
        let Some(dialog) = session.dialog_mut(&remote_tag) else {
            self.answer_plainly(now, transaction, 481);
            return;
        };
        if !dialog.in_order(request) {
            self.answer_later(now, transaction, 500);
            return;
        }
        let refreshes = matches!(request.method(), Some(Method::Invite | Method::Update));
        if refreshes && self.refuses_interval(id, request) {
            self.answer_interval(now, transaction);
            return;
        }
        match request.method() {
            Some(Method::Invite) => self.change_arrived(now, id, transaction, request),
            Some(Method::Update) if request.session_description().is_some() => {
                self.change_arrived(now, id, transaction, request);
            }
            Some(Method::Update) => self.refresh_arrived(now, id, transaction, request),
            Some(Method::Prack) => self.prack_arrived(now, id, transaction, request),
            Some(Method::Bye) => self.bye_arrived(now, id, transaction, request),
            Some(Method::Info) => self.info_arrived(now, id, transaction, request),
            Some(Method::Options) => self.answer_options(now, transaction),
            Some(Method::Message) => {
                let caller = Caller::of(request, false, &[]);
                self.message_arrived(now, transaction, request, account, caller);
            }
            Some(Method::Refer) => self.referral_arrived(now, id, transaction, request),
            Some(Method::Notify)
                if request.header("Event").map(parse::media_type).as_deref() == Some("refer") =>
            {
                self.transfer_notified(now, id, transaction, request);
            }
            // News of subscriptions never come here (RFC 6665 section 4.1.3).
            Some(Method::Notify) => self.answer_plainly(now, transaction, 481),
            Some(
                Method::Ack
                | Method::Cancel
                | Method::Register
                | Method::Subscribe
                | Method::Publish
                | Method::Other(_),
            )
            | None => self.answer_plainly(now, transaction, 405),
        }
    }

    /// Takes the final answer to our BYE.
    pub(crate) fn bye_answered(&mut self, id: SessionId, answer: Answer<'_>) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let Phase::Ending { by, status, reason } = &session.phase else {
            return;
        };
        let (by, status, reason) = (*by, status.clone(), reason.clone());
        match answer {
            // Whatever the answer, the far end is there and the call is over (section 15.1.1).
            Answer::Response(_) => self.end(id, by, status, reason),
            Answer::Failed { .. } => {
                self.end(id, EndedBy::Unreachable, answer.status(), reason);
            }
        }
    }

    /// Takes an UPDATE without an offer: a new target, a new lease of time, or both.
    fn refresh_arrived(
        &mut self,
        now: Instant,
        id: SessionId,
        transaction: TransactionId,
        request: &Message,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if let Some(dialog) = session.dialog_mut(&request.from_tag()) {
            dialog.refresh(request);
        }
        session.learn_allow(request);
        let confirmed = matches!(session.phase, Phase::Answered(_) | Phase::Established);
        if let Some(mut response) = self.session_response(id, transaction, 200) {
            if confirmed {
                self.agree_timer(now, id, request, &mut response);
            }
            self.respond(now, transaction, response);
        }
    }

    fn bye_arrived(
        &mut self,
        now: Instant,
        id: SessionId,
        transaction: TransactionId,
        request: &Message,
    ) {
        self.answer_plainly(now, transaction, 200);
        self.refuse_pending_change(now, id);
        self.refuse_undecided_referral(now, id);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let reason = super::invite_client::reason_of(request);
        match &session.phase {
            // Both hung up at once; our own BYE is answered 481 or not at all.
            Phase::Ending { by, status, reason } => {
                let (by, status, reason) = (*by, status.clone(), reason.clone());
                self.end(id, by, status, reason);
            }
            // The caller may end an early dialog by BYE; the INVITE gets 487 (section 15.1.2).
            Phase::Ringing { transaction, .. } => {
                let transaction = *transaction;
                if let Some(response) = self.session_response(id, transaction, 487) {
                    self.respond(now, transaction, response);
                }
                let status = Status::new(487, super::phrase(487));
                self.end(id, EndedBy::Remote, status, reason);
            }
            // A callee may not (section 15); its INVITE will be answered anyway.
            Phase::Calling { .. } => {}
            Phase::Answered(_) | Phase::Established => {
                let status = Status::new(200, super::phrase(200));
                self.end(id, EndedBy::Remote, status, reason);
            }
            Phase::Resolving(_) | Phase::OfferNeeded(..) | Phase::Redirected(..) => {}
        }
    }

    /// Takes a DTMF digit (`application/dtmf-relay` or `application/dtmf`).
    fn info_arrived(
        &mut self,
        now: Instant,
        id: SessionId,
        transaction: TransactionId,
        request: &Message,
    ) {
        let kind = request.header("Content-Type").map(parse::media_type);
        let text = String::from_utf8_lossy(&request.body);
        let digit = match kind.as_deref() {
            Some("application/dtmf-relay") => text
                .lines()
                .filter_map(|line| line.split_once('='))
                .find(|(name, _)| name.trim().eq_ignore_ascii_case("signal"))
                .and_then(|(_, value)| digit(value)),
            Some("application/dtmf") => digit(&text),
            Some(_) if !request.body.is_empty() => {
                self.answer_unsupported_media(
                    now,
                    transaction,
                    "application/dtmf-relay, application/dtmf",
                );
                return;
            }
            Some(_) | None => None,
        };
        self.answer_plainly(now, transaction, 200);
        if let Some(digit) = digit {
            self.border
                .event(SipEvent::InfoDigit { session: id, digit });
        }
    }
}

/// One digit as INFO writes it; `10` and `11` are `*` and `#`.
fn digit(text: &str) -> Option<char> {
    let text = text.trim();
    match text {
        "10" => return Some('*'),
        "11" => return Some('#'),
        _ => {}
    }
    let mut characters = text.chars();
    let first = characters.next()?.to_ascii_uppercase();
    let alone = characters.next().is_none();
    (alone && (first.is_ascii_digit() || "*#ABCD".contains(first))).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_as_gateways_write_them() {
        for (text, expected) in [
            (" 5\r\n", Some('5')),
            ("*", Some('*')),
            ("10", Some('*')),
            ("11", Some('#')),
            ("d", Some('D')),
            ("12", None),
            ("E", None),
            ("", None),
        ] {
            assert_eq!(digit(text), expected, "{text}");
        }
    }
}
