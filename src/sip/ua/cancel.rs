//! Calls that we give up before they are answered (RFC 3261 section 9.1).

use std::time::Instant;

use super::outgoing::Outgoing;
use super::session::Phase;
use crate::sip::deadline::Timer;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{EndedBy, SessionId, Status};
use crate::sip::message::{Message, Method};
use crate::sip::timer::TIMEOUT;
use crate::sip::transaction::ClientOwner;

impl Endpoint {
    /// Cancels a call that is not answered; the end is told when the INVITE is over.
    pub(crate) fn cancel_call(&mut self, now: Instant, id: SessionId, by: EndedBy) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Phase::Calling {
            provisional,
            cancel,
            cancel_sent,
            ..
        } = &mut session.phase
        else {
            return;
        };
        if cancel.is_none() {
            *cancel = Some(by);
        }
        // Before a provisional answer no CANCEL may be sent (section 9.1); the INVITE then ends by
        // timer B at the latest.
        let send_now = *provisional && !*cancel_sent;
        self.timers.cancel(&Timer::Ring(id));
        if send_now {
            self.send_cancel(now, id);
        }
    }

    /// Ends a call whose cancelled INVITE was never answered finally.
    pub(crate) fn cancel_unanswered(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        if let Phase::Calling {
            outgoing,
            cancel: Some(by),
            ..
        } = session.phase
        {
            self.refuse_pending_change(now, id);
            self.abandon(now, outgoing);
            self.end(id, by, Status::new(487, super::phrase(487)), None);
        }
    }

    /// Sends CANCEL with the branch, Route and flow of the INVITE (section 9.1).
    pub(super) fn send_cancel(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Phase::Calling {
            outgoing,
            cancel_sent,
            ..
        } = &mut session.phase
        else {
            return;
        };
        *cancel_sent = true;
        let outgoing = *outgoing;
        let transaction = self.outgoing.get(&outgoing).and_then(Outgoing::current);
        let Some((invite, flow)) =
            transaction.and_then(|transaction| self.transactions.client_request(transaction))
        else {
            return;
        };
        let flow = flow.clone();
        let Some(uri) = invite.uri() else {
            return;
        };
        let mut cancel = Message::request(Method::Cancel, uri.clone());
        for (name, value) in invite.headers.iter() {
            match name.to_ascii_lowercase().as_str() {
                "via" | "route" | "from" | "to" | "call-id" | "max-forwards" | "user-agent" => {
                    cancel.headers.push(name, value);
                }
                "cseq" => {
                    let (number, _) = invite.cseq().unwrap_or((1, Method::Invite));
                    cancel.headers.push(name, format!("{number} CANCEL"));
                }
                _ => {}
            }
        }
        let mut outcomes = Vec::new();
        self.transactions
            .start_client(cancel, flow, ClientOwner::Cancel(id), &mut outcomes);
        self.apply(now, outcomes, None);
        self.timers.set(Timer::CancelLimit(id), now + TIMEOUT);
    }
}
