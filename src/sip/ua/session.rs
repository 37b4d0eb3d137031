//! What is known of one call.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::outgoing::OutgoingId;
use super::redirection::Redirections;
use super::refer::OurRefer;
use super::referral::TheirRefer;
use super::reliable::{self, Early, Reliable};
use super::session_ident::SessionIdent;
use super::session_timer::{self, SessionTimer};
use crate::base::flow::{ConnectionId, Resolved};
use crate::base::id::AccountId;
use crate::base::uri::Uri;
use crate::sip::account::{CallExtensions, Reliability};
use crate::sip::deadline::Timer;
use crate::sip::dialog::Dialog;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{Body, EndedBy, SessionId, SipError, SipEvent, Status};
use crate::sip::message::Message;
use crate::sip::route::Hop;
use crate::sip::transaction::TransactionId;

/// One call: an INVITE and all dialogs that it makes.
#[derive(Debug)]
pub(crate) struct Session {
    /// Whose call it is; none for direct calls.
    pub(crate) account: Option<AccountId>,
    /// The Call-ID.
    pub(crate) call_id: String,
    /// Our tag in all its dialogs.
    pub(crate) local_tag: String,
    /// Whether we made the call, and with it the Call-ID.
    pub(crate) ours: bool,
    /// Where it stands.
    pub(crate) phase: Phase,
    /// The dialog that counts: the confirmed one, or for a call that we get the only one.
    pub(crate) dialog: Option<Dialog>,
    /// Early dialogs of a call that we make, one for each To tag.
    pub(crate) early: Vec<Early>,
    /// The provisional answers of a call that we get.
    pub(crate) reliable: Reliable,
    /// The `CSeq` number of the INVITE of a call that we get.
    pub(crate) first_cseq: u32,
    /// A change of the session that is under way.
    pub(crate) negotiation: Negotiation,
    /// What both sides agreed on refreshing; none where nobody does.
    pub(crate) timer: Option<SessionTimer>,
    /// The least interval that a request of ours may ask for, in seconds; a 422 raises it.
    pub(crate) min_se: u32,
    /// Whether the far end takes UPDATE, as its Allow says.
    pub(crate) takes_update: bool,
    /// The description of ours that counts, to be sent again where only a re-INVITE refreshes.
    pub(crate) described: Option<Body>,
    /// Whether the owner wants to change the session and waits for its turn.
    pub(crate) change_wanted: bool,
    /// How many changes in a row the far end refused.
    pub(crate) refused_changes: u8,
    /// Its name over all hops.
    pub(crate) ident: SessionIdent,
    /// What waits to be sent by INFO.
    pub(crate) information: VecDeque<Body>,
    /// Whether an INFO is on its way.
    pub(crate) informing: bool,
    /// The stream that the call came by.
    pub(crate) stream: Option<(ConnectionId, SocketAddr)>,
    /// The place that the call came from or goes to, for Contact.
    pub(crate) place: Option<Resolved>,
    /// Who transfers whom.
    pub(crate) transfers: Transfers,
    /// Where a call that we make was sent to.
    pub(crate) redirections: Redirections,
}

/// The transfers that a call takes part in.
#[derive(Debug, Default)]
pub(crate) struct Transfers {
    /// The one that we asked for.
    pub(crate) ours: Option<OurRefer>,
    /// The one that the far end asked for.
    pub(crate) theirs: Option<TheirRefer>,
    /// Whether the far end asked for one before.
    pub(crate) referred_before: bool,
    /// The call in which somebody asked for this one.
    pub(crate) because_of: Option<SessionId>,
    /// The call that ends when this one is accepted.
    pub(crate) takes_place_of: Option<SessionId>,
}

/// Where a call stands.
#[derive(Debug)]
pub(crate) enum Phase {
    /// We call: the target is being resolved.
    Resolving(Plan),
    /// We call: the owner prepares the offer.
    OfferNeeded(Plan, Vec<Resolved>),
    /// We call: the far end asks to be called elsewhere, and the owner decides. The status is that
    /// of its 3xx.
    Redirected(Plan, Status),
    /// We call: the INVITE is on its way.
    Calling {
        /// What it was built from.
        plan: Plan,
        /// The INVITE.
        outgoing: OutgoingId,
        /// Whether a provisional answer came, so that CANCEL may be sent.
        provisional: bool,
        /// Who ended it, when it is to be cancelled.
        cancel: Option<EndedBy>,
        /// Whether the CANCEL is already sent.
        cancel_sent: bool,
    },
    /// We are called: the owner rings, answers or rejects.
    Ringing {
        /// The INVITE.
        transaction: TransactionId,
        /// The last provisional answer, which is repeated each minute.
        provisional: Option<Message>,
    },
    /// We answered: the 2xx is repeated until the ACK.
    Answered(Accepted),
    /// Both sides talk.
    Established,
    /// Our BYE is on its way.
    Ending {
        /// Who ended the call.
        by: EndedBy,
        /// The status that the end will have.
        status: Status,
        /// The Reason of the one who ended it.
        reason: Option<String>,
    },
}

/// What is needed to build an INVITE.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Whom to call.
    pub(crate) target: Uri,
    /// Whom the owner wanted to call, for To.
    pub(crate) to: Uri,
    /// Its `CSeq` number.
    pub(crate) cseq: u32,
    /// Further header fields.
    pub(crate) headers: Vec<(String, String)>,
    /// The first hop.
    pub(crate) hop: Hop,
    /// Whether it is a call for help.
    pub(crate) urgent: bool,
}

/// A 2xx that waits for its ACK.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// The INVITE.
    pub(crate) transaction: TransactionId,
    /// Its `CSeq` number.
    pub(crate) cseq: u32,
    /// The 2xx.
    pub(crate) response: Message,
    /// The last pause.
    pub(crate) interval: Duration,
    /// Whether the 2xx carried the offer, so that the ACK carries the answer.
    pub(crate) late_offer: bool,
    /// Who ended the call meanwhile: BYE follows the ACK.
    pub(crate) hang_up: Option<EndedBy>,
}

/// Where offer and answer of an INVITE stand before its 2xx (RFC 6337 section 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exchange {
    /// The INVITE's offer has no reliable answer yet, or there was no offer.
    Open,
    /// A reliable provisional answer carried our offer.
    Offered,
    /// Offer and answer came reliably: either side may offer again.
    Agreed,
}

/// A change of the session that is under way.
#[derive(Debug)]
pub(crate) enum Negotiation {
    /// None.
    Idle,
    /// Our re-INVITE or UPDATE is on its way.
    Ours {
        /// The request.
        outgoing: OutgoingId,
        /// The offer, for another try after glare.
        offer: Offer,
    },
    /// Our offer met glare and waits.
    Waiting(Offer),
    /// The far end's re-INVITE, UPDATE or PRACK waits for the owner.
    Theirs(Theirs),
    /// Our 2xx to the far end's re-INVITE waits for its ACK.
    Accepted(Accepted),
}

/// An offer of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The description.
    pub(crate) body: Body,
    /// How often glare was met.
    pub(crate) glares: u8,
    /// Whether it changes nothing and only refreshes the call.
    pub(crate) refresh: bool,
}

/// A request of the far end that the owner has not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Theirs {
    /// The request.
    pub(crate) transaction: TransactionId,
    /// Its `CSeq` number.
    pub(crate) cseq: u32,
    /// Whether it is a re-INVITE, whose 2xx needs an ACK.
    pub(crate) invite: bool,
    /// Whether it carried an offer.
    pub(crate) offered: bool,
    /// The far end's tag: which of several early dialogs it belongs to.
    pub(crate) tag: String,
}

/// How requests inside a call reach the far end, beside its route set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    /// Whose call it is.
    pub(crate) account: Option<AccountId>,
    /// The stream that the call came by.
    pub(crate) stream: Option<(ConnectionId, SocketAddr)>,
    /// The place that the call came from or went to.
    pub(crate) place: Option<Resolved>,
}

impl Session {
    /// How requests inside the call reach the far end.
    pub(crate) fn way(&self) -> Way {
        Way {
            account: self.account,
            stream: self.stream,
            place: self.place,
        }
    }

    /// Whether the owner or the ring limit ended it before it was answered.
    pub(crate) fn cancelled(&self) -> bool {
        matches!(
            self.phase,
            Phase::Calling {
                cancel: Some(_),
                ..
            } | Phase::Ending { .. }
        )
    }

    /// Whether it is the call of an INVITE that waits for its final answer.
    pub(crate) fn answers(&self, invite: TransactionId) -> bool {
        matches!(self.phase, Phase::Ringing { transaction, .. } if transaction == invite)
    }

    /// The phase in a word, for a refusal.
    pub(crate) fn phase_name(&self) -> &'static str {
        match &self.phase {
            Phase::Resolving(_) | Phase::OfferNeeded(..) => "being prepared",
            Phase::Redirected(..) => "sent elsewhere",
            Phase::Calling { .. } => "being dialled",
            Phase::Ringing { .. } => "ringing",
            Phase::Answered(_) => "being answered",
            Phase::Established => "established",
            Phase::Ending { .. } => "ending",
        }
    }

    /// The dialog with a remote tag.
    pub(crate) fn dialog_mut(&mut self, remote_tag: &str) -> Option<&mut Dialog> {
        let early = self.early.iter_mut().map(|early| &mut early.dialog);
        self.dialog
            .iter_mut()
            .chain(early)
            .find(|dialog| dialog.remote_tag() == remote_tag)
    }

    /// Where offer and answer of the INVITE stand with the far end of that tag.
    pub(crate) fn exchange(&self, remote_tag: &str) -> Exchange {
        if !self.ours {
            return self.reliable.exchange;
        }
        let agreed = self
            .early
            .iter()
            .any(|early| early.agreed && early.dialog.remote_tag() == remote_tag);
        if agreed {
            Exchange::Agreed
        } else {
            Exchange::Offered
        }
    }
}

impl Endpoint {
    /// Finds a session for a command of the owner.
    pub(crate) fn session_mut(&mut self, id: SessionId) -> Result<&mut Session, SipError> {
        self.sessions.get_mut(&id).ok_or(SipError::NoSuchSession)
    }

    /// Remembers a new session.
    pub(crate) fn insert_session(&mut self, id: SessionId, session: Session) {
        let key = (session.call_id.clone(), session.local_tag.clone());
        self.by_dialog.insert(key, id);
        self.sessions.insert(id, session);
    }

    /// How long a call of an account rings.
    pub(crate) fn ring_limit(&self, account: Option<AccountId>) -> Duration {
        account
            .and_then(|id| self.accounts.get(&id))
            .map_or(self.config.direct_ring_limit, |account| {
                account.setup.ring_limit
            })
    }

    /// Which extensions calls of an account use.
    pub(crate) fn extensions(&self, account: Option<AccountId>) -> CallExtensions {
        account
            .and_then(|id| self.accounts.get(&id))
            .map_or(self.config.direct_extensions, |account| {
                account.setup.extensions
            })
    }

    /// The option tags of a call of an account, for Supported.
    pub(crate) fn supported(&self, account: Option<AccountId>) -> String {
        let extensions = self.extensions(account);
        let used = |tag: &&str| match *tag {
            reliable::TAG => extensions.reliable != Reliability::Off,
            session_timer::TAG => !extensions.session_expires.is_zero(),
            // For registrations alone (RFC 3327 section 5.1).
            "path" => false,
            _ => true,
        };
        let tags: Vec<&str> = super::OPTION_TAGS.into_iter().filter(used).collect();
        tags.join(", ")
    }

    /// Ends a session and tells the owner.
    pub(crate) fn end(
        &mut self,
        id: SessionId,
        by: EndedBy,
        status: Status,
        reason: Option<String>,
    ) {
        let Some(session) = self.sessions.remove(&id) else {
            return;
        };
        self.by_dialog.remove(&(session.call_id, session.local_tag));
        for timer in [
            Timer::Ring(id),
            Timer::Provisional(id),
            Timer::RepeatReliable(id),
            Timer::PrackLimit(id),
            Timer::Repeat2xx(id),
            Timer::AckLimit(id),
            Timer::CancelLimit(id),
            Timer::Glare(id),
            Timer::Refresh(id),
            Timer::SessionExpires(id),
            Timer::Refer(id),
            Timer::ReferAgain(id),
        ] {
            self.timers.cancel(&timer);
        }
        match session.transfers.theirs {
            Some(theirs) if by == EndedBy::Remote => self.keep_wish(id, theirs),
            Some(_) | None => self.timers.cancel(&Timer::Referral(id)),
        }
        self.resolving.retain(|question, asked| match asked {
            super::Asked::Session(owner) if *owner == id => {
                self.timers.cancel(&Timer::Resolve(*question));
                false
            }
            super::Asked::Session(_) | super::Asked::Outgoing(_) | super::Asked::Ack(..) => true,
        });
        self.border.event(SipEvent::Ended {
            session: id,
            by,
            status,
            reason,
        });
    }

    /// Sends BYE in the session's dialog, with the reason when there is one (RFC 3326); the end is
    /// told when it is answered.
    pub(crate) fn bye(
        &mut self,
        now: Instant,
        id: SessionId,
        by: EndedBy,
        status: Status,
        reason: Option<String>,
    ) {
        self.refuse_pending_change(now, id);
        self.refuse_undecided_referral(now, id);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        for timer in [
            Timer::Repeat2xx(id),
            Timer::AckLimit(id),
            Timer::Glare(id),
            Timer::Refresh(id),
            Timer::SessionExpires(id),
        ] {
            self.timers.cancel(&timer);
        }
        let way = session.way();
        let request = session
            .dialog
            .as_mut()
            .map(|dialog| dialog.request(crate::sip::message::Method::Bye));
        session.phase = Phase::Ending {
            by,
            status: status.clone(),
            reason: reason.clone(),
        };
        let sent = request.and_then(|(mut message, hop)| {
            if let Some(reason) = &reason {
                message.headers.push("Reason", reason.clone());
            }
            self.send_in_dialog(now, super::Owner::Bye(id), way, message, hop)
        });
        if sent.is_none() {
            self.end(id, by, status, reason);
        }
    }
}
