//! Information that we send inside a call: digits by INFO (RFC 6086 and what came before it). One
//! request at a time, so that no network can turn the digits round.

use std::time::Instant;

use super::outgoing::{Answer, Owner};
use super::session::Phase;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{Body, SessionId, SipError, SipEvent};
use crate::sip::message::Method;

/// How many bodies may wait in one call.
const MAX_WAITING: usize = 64;

impl Endpoint {
    /// Sends a body inside a call, after those that wait.
    pub(crate) fn queue_information(
        &mut self,
        now: Instant,
        id: SessionId,
        body: Body,
    ) -> Result<(), SipError> {
        let session = self.session_mut(id)?;
        match session.phase {
            Phase::Established | Phase::Answered(_) => {}
            Phase::Resolving(_)
            | Phase::OfferNeeded(..)
            | Phase::Redirected(..)
            | Phase::Calling { .. }
            | Phase::Ringing { .. }
            | Phase::Ending { .. } => return Err(SipError::WrongState(session.phase_name())),
        }
        if session.information.len() >= MAX_WAITING {
            return Err(SipError::Limit("as many digits as may wait"));
        }
        session.information.push_back(body);
        if !session.informing {
            self.send_information(now, id);
        }
        Ok(())
    }

    /// Takes the final answer to an INFO; after a refusal the rest would be refused as well.
    pub(crate) fn information_answered(&mut self, now: Instant, id: SessionId, answer: Answer<'_>) {
        let status = answer.status();
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.informing = false;
        if (200..300).contains(&status.code) {
            self.send_information(now, id);
        } else {
            session.information.clear();
            self.border.event(SipEvent::InformationRefused {
                session: id,
                status,
            });
        }
    }

    fn send_information(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        // Behind our BYE it would make the BYE, once that is sent again, look out of order.
        if matches!(session.phase, Phase::Ending { .. }) {
            session.information.clear();
            return;
        }
        let Some(body) = session.information.pop_front() else {
            return;
        };
        let way = session.way();
        let request = session
            .dialog
            .as_mut()
            .map(|dialog| dialog.request(Method::Info));
        let sent = request.and_then(|(mut message, hop)| {
            message.set_body(&body);
            self.send_in_dialog(now, Owner::Information(id), way, message, hop)
        });
        if sent.is_some()
            && let Some(session) = self.sessions.get_mut(&id)
        {
            session.informing = true;
        }
    }
}
