//! A call that takes the place of another (RFC 3891 section 3).

use std::time::Instant;

use super::session::{Phase, Transfers};
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{EndedBy, SessionId, Status};
use crate::sip::message::Message;
use crate::sip::parse;

impl Endpoint {
    /// The call whose place an INVITE wants to take; else the status that refuses it.
    pub(crate) fn replaced_by(&self, invite: &Message) -> Result<Option<SessionId>, u16> {
        let mut values = invite.headers.values("Replaces");
        let wanted = match (values.next(), values.next()) {
            (None, _) => return Ok(None),
            (Some(value), None) => parse::replaces(value).map_err(|_broken| 400_u16)?,
            (Some(_), Some(_)) => return Err(400),
        };
        let key = (wanted.call_id.clone(), wanted.to_tag.clone());
        let known = self.by_dialog.get(&key);
        let Some((id, session)) = known.and_then(|id| Some((*id, self.sessions.get(id)?))) else {
            return Err(481);
        };
        // A peer of RFC 2543 has no tag and is named by 0.
        let theirs = |tag: &str| tag == wanted.from_tag || tag.is_empty() && wanted.from_tag == "0";
        let established = session
            .dialog
            .as_ref()
            .is_some_and(|dialog| theirs(dialog.remote_tag()));
        let early = session
            .early
            .iter()
            .any(|early| theirs(early.dialog.remote_tag()));
        match &session.phase {
            Phase::Established | Phase::Answered(_) if !established => Err(481),
            Phase::Established | Phase::Answered(_) if wanted.early_only => Err(486),
            Phase::Established | Phase::Answered(_) => Ok(Some(id)),
            Phase::Ending { .. } if established => Err(603),
            Phase::Calling {
                cancel: Some(_), ..
            } if early => Err(603),
            Phase::Calling { .. } if early => Ok(Some(id)),
            // An early dialog that the other side began is never replaced.
            Phase::Resolving(_)
            | Phase::OfferNeeded(..)
            | Phase::Redirected(..)
            | Phase::Calling { .. }
            | Phase::Ringing { .. }
            | Phase::Ending { .. } => Err(481),
        }
    }

    /// Ends the call whose place was taken, once the new one is accepted.
    pub(crate) fn give_way(&mut self, now: Instant, by: SessionId) {
        let old = self
            .sessions
            .get_mut(&by)
            .and_then(|session| session.transfers.takes_place_of.take());
        let Some(old) = old else {
            return;
        };
        let Some(session) = self.sessions.get_mut(&old) else {
            return;
        };
        match &mut session.phase {
            Phase::Established => {
                let status = Status::new(200, super::phrase(200));
                self.bye(now, old, EndedBy::Replaced, status, None);
            }
            Phase::Answered(accepted) => accepted.hang_up = Some(EndedBy::Replaced),
            Phase::Calling { .. } => self.cancel_call(now, old, EndedBy::Replaced),
            Phase::Resolving(_)
            | Phase::OfferNeeded(..)
            | Phase::Redirected(..)
            | Phase::Ringing { .. }
            | Phase::Ending { .. } => {}
        }
    }
}

impl Transfers {
    /// A call that takes the place of another once it is accepted.
    pub(crate) fn in_place_of(old: Option<SessionId>) -> Self {
        Self {
            takes_place_of: old,
            ..Self::default()
        }
    }
}
