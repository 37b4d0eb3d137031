//! Reliable provisional answers (RFC 3262), in both roles.
//!
//! ```text
//! caller   INVITE >   < 183 RSeq 7   PRACK RAck 7 >   < 200 (PRACK)   < 200   ACK >
//! ```
//!
//! The callee has at most one answer without PRACK on its way; a further one waits. A 2xx waits for
//! the PRACK of an answer that carried a session description (section 3).

use std::time::{Duration, Instant};

use super::outgoing::{Answer, OutgoingId, Owner};
use super::session::{Exchange, Negotiation, Phase, Session};
use crate::sip::account::Reliability;
use crate::sip::deadline::Timer;
use crate::sip::dialog::Dialog;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{Body, EndedBy, SessionId, SipEvent, Status};
use crate::sip::message::{Message, Method};
use crate::sip::parse;
use crate::sip::timer::{T1, TIMEOUT};
use crate::sip::transaction::TransactionId;

/// The option tag.
pub(crate) const TAG: &str = "100rel";

/// Which provisional answers of a call that we get are reliable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reliance {
    /// None: the caller cannot acknowledge them, or the account does not want it.
    Never,
    /// Those with a session description.
    WithBody,
    /// All but 100.
    Always,
}

impl Reliance {
    /// What an INVITE and the account's rule make of it; `Err` is the refusal's status (420 where
    /// the account does not want what the caller demands, 421 the other way round).
    pub(crate) fn of(invite: &Message, rule: Reliability) -> Result<Self, u16> {
        let has = |name: &str| {
            let tags = invite.tokens(name);
            tags.iter().any(|tag| tag.eq_ignore_ascii_case(TAG))
        };
        match (rule, has("Require"), has("Supported")) {
            (Reliability::Off, true, _) => Err(420),
            (Reliability::Off, false, _) | (Reliability::Supported, false, false) => {
                Ok(Self::Never)
            }
            (Reliability::Supported | Reliability::Required, true, _)
            | (Reliability::Required, false, true) => Ok(Self::Always),
            (Reliability::Supported, false, true) => Ok(Self::WithBody),
            (Reliability::Required, false, false) => Err(421),
        }
    }
}

/// A provisional answer that waits for its PRACK.
#[derive(Debug)]
struct Unacknowledged {
    rseq: u32,
    response: Message,
    /// The last pause between two copies; it doubles without end (section 3).
    interval: Duration,
}

/// The reliable provisional answers of a call that we get.
#[derive(Debug)]
pub(crate) struct Reliable {
    /// Which answers are reliable.
    pub(crate) reliance: Reliance,
    /// Where offer and answer stand.
    pub(crate) exchange: Exchange,
    /// Whether an offer was exchanged after the INVITE's, so that the 2xx repeats no description.
    pub(crate) renewed: bool,
    /// The last number; zero before the first.
    rseq: u32,
    unacknowledged: Option<Unacknowledged>,
    waiting: Option<Message>,
    /// The body of a 2xx that waits for a PRACK.
    accepted: Option<Body>,
}

impl Reliable {
    /// The beginning, before any answer.
    pub(crate) fn new(reliance: Reliance) -> Self {
        Self {
            reliance,
            exchange: Exchange::Open,
            renewed: false,
            rseq: 0,
            unacknowledged: None,
            waiting: None,
            accepted: None,
        }
    }

    /// Whether the owner has accepted and the 2xx waits.
    pub(crate) fn accepted(&self) -> bool {
        self.accepted.is_some()
    }

    /// Whether an answer waits for its PRACK.
    pub(crate) fn awaits_prack(&self) -> bool {
        self.unacknowledged.is_some()
    }

    /// Whether a 2xx must wait, because a session description has no PRACK yet.
    fn blocks_2xx(&self) -> bool {
        self.unacknowledged
            .as_ref()
            .is_some_and(|sent| !sent.response.body.is_empty())
    }
}

/// One early dialog of a call that we make.
#[derive(Debug)]
pub(crate) struct Early {
    /// The dialog.
    pub(crate) dialog: Dialog,
    /// Whether a reliable answer to our offer came, so that later descriptions in answers to the
    /// INVITE say nothing new.
    pub(crate) agreed: bool,
    /// The last `RSeq` that was taken.
    rseq: Option<u32>,
    prack: Prack,
}

/// The PRACK of the last reliable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prack {
    /// None is needed, or it was accepted.
    Done,
    /// On its way.
    Sent(OutgoingId),
    /// It failed; a repeated answer gets another one.
    Failed,
}

/// What a reliable answer is to its early dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The next one: it is acknowledged and counts.
    Next,
    /// A copy whose PRACK failed: it is acknowledged again.
    Unheard,
    /// A copy, or one out of order: nothing is done (section 4).
    Ignored,
}

impl Early {
    /// A new early dialog.
    pub(crate) fn new(dialog: Dialog) -> Self {
        Self {
            dialog,
            agreed: false,
            rseq: None,
            prack: Prack::Done,
        }
    }

    /// Takes the number of a reliable answer.
    pub(crate) fn take(&mut self, rseq: u32) -> Order {
        match self.rseq {
            Some(last) if last == rseq && self.prack == Prack::Failed => Order::Unheard,
            Some(last) if last.checked_add(1) != Some(rseq) => Order::Ignored,
            Some(_) | None => {
                self.rseq = Some(rseq);
                Order::Next
            }
        }
    }
}

/// The number of a reliable provisional answer.
pub(crate) fn rseq_of(response: &Message) -> Option<u32> {
    let required = response.tokens("Require");
    required
        .iter()
        .any(|tag| tag.eq_ignore_ascii_case(TAG))
        .then(|| response.header("RSeq"))
        .flatten()
        .and_then(|text| parse::rseq(text).ok())
}

impl Endpoint {
    /// Sends a provisional answer reliably, after the one before it was acknowledged.
    pub(crate) fn send_reliably(&mut self, now: Instant, id: SessionId, mut response: Message) {
        let first = self.random.next_u32() >> 1;
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Phase::Ringing { transaction, .. } = session.phase else {
            return;
        };
        let reliable = &mut session.reliable;
        if reliable.unacknowledged.is_some() {
            // One with a description is not pushed aside by a plain one.
            let keeps = reliable
                .waiting
                .as_ref()
                .is_some_and(|waiting| !waiting.body.is_empty() && response.body.is_empty());
            if !keeps {
                reliable.waiting = Some(response);
            }
            return;
        }
        // The first number leaves room above it (section 3).
        reliable.rseq = if reliable.rseq == 0 {
            first.max(1)
        } else {
            reliable.rseq.saturating_add(1)
        };
        response.headers.push("Require", TAG);
        response.headers.push("RSeq", reliable.rseq.to_string());
        reliable.unacknowledged = Some(Unacknowledged {
            rseq: reliable.rseq,
            response: response.clone(),
            interval: T1,
        });
        self.respond(now, transaction, response);
        self.timers.set(Timer::RepeatReliable(id), now + T1);
        self.timers.set(Timer::PrackLimit(id), now + TIMEOUT);
    }

    /// Sends the provisional answer without PRACK again, each time after twice the pause.
    pub(crate) fn repeat_reliable(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let (Phase::Ringing { transaction, .. }, Some(sent)) =
            (&session.phase, &mut session.reliable.unacknowledged)
        else {
            return;
        };
        sent.interval *= 2;
        let (transaction, response, pause) = (*transaction, sent.response.clone(), sent.interval);
        self.respond(now, transaction, response);
        self.timers.set(Timer::RepeatReliable(id), now + pause);
    }

    /// Refuses a call whose provisional answer was never acknowledged (section 3).
    pub(crate) fn prack_missing(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        if let (Phase::Ringing { .. }, true) = (&session.phase, session.reliable.awaits_prack()) {
            let status = Status::new(504, "no PRACK came");
            self.refuse_ringing(now, id, &status, &[]);
            self.end(id, EndedBy::Unreachable, status, None);
        }
    }

    /// Keeps the body of a 2xx that must wait; `false` when it may go out.
    pub(crate) fn hold_2xx_back(&mut self, id: SessionId, body: &Body) -> bool {
        let Some(session) = self.sessions.get_mut(&id) else {
            return false;
        };
        // An offer of a PRACK or UPDATE is answered before.
        let waits =
            session.reliable.blocks_2xx() || matches!(session.negotiation, Negotiation::Theirs(_));
        if waits {
            session.reliable.accepted = Some(body.clone());
            if session.reliable.awaits_prack() {
                self.timers.cancel(&Timer::Ring(id));
            }
        }
        waits
    }

    /// Takes a PRACK.
    pub(crate) fn prack_arrived(
        &mut self,
        now: Instant,
        id: SessionId,
        transaction: TransactionId,
        request: &Message,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let invite = session.first_cseq;
        let fits = request
            .header("RAck")
            .and_then(|text| parse::rack(text).ok())
            .zip(session.reliable.unacknowledged.as_ref())
            .is_some_and(|((rseq, cseq, method), sent)| {
                (rseq, cseq, method) == (sent.rseq, invite, Method::Invite)
            });
        if !fits {
            self.answer_plainly(now, transaction, 481);
            return;
        }
        session.reliable.unacknowledged = None;
        let body = request.session_description();
        let exchange = session.reliable.exchange;
        self.timers.cancel(&Timer::RepeatReliable(id));
        self.timers.cancel(&Timer::PrackLimit(id));
        match (exchange, body) {
            (Exchange::Offered, Some(answer)) => {
                if let Some(session) = self.sessions.get_mut(&id) {
                    session.reliable.exchange = Exchange::Agreed;
                }
                self.answer_plainly(now, transaction, 200);
                self.border.event(SipEvent::ReinviteConfirmed {
                    session: id,
                    body: Some(answer),
                });
            }
            // An offer; while the INVITE's own is open it comes too early.
            (Exchange::Agreed | Exchange::Open, Some(_)) => {
                self.change_arrived(now, id, transaction, request);
            }
            (Exchange::Open | Exchange::Offered | Exchange::Agreed, None) => {
                self.answer_plainly(now, transaction, 200);
            }
        }
        self.go_on_ringing(now, id);
    }

    /// Sends what waited for a PRACK, or for the answer to the far end's offer.
    pub(crate) fn go_on_ringing(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if !matches!(session.phase, Phase::Ringing { .. }) {
            return;
        }
        if session.reliable.accepted() {
            let free = !session.reliable.blocks_2xx()
                && !matches!(session.negotiation, Negotiation::Theirs(_));
            if free && let Some(body) = session.reliable.accepted.take() {
                self.send_2xx(now, id, &body);
            }
        } else if !session.reliable.awaits_prack()
            && let Some(response) = session.reliable.waiting.take()
        {
            self.send_reliably(now, id, response);
        }
    }

    /// Acknowledges a reliable answer, with the route and the target that it named.
    pub(crate) fn send_prack(
        &mut self,
        now: Instant,
        id: SessionId,
        tag: &str,
        rseq: u32,
        invite: u32,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let way = session.way();
        let Some(early) = session.early_mut(tag) else {
            return;
        };
        let (mut prack, hop) = early.dialog.request(Method::Prack);
        prack
            .headers
            .push("RAck", format!("{rseq} {invite} {}", Method::Invite));
        let sent = self.send_in_dialog(now, Owner::Prack(id), way, prack, hop);
        let alive = sent.filter(|sent| self.outgoing.contains_key(sent));
        if let Some(early) = self.sessions.get_mut(&id).and_then(|s| s.early_mut(tag)) {
            early.prack = alive.map_or(Prack::Failed, Prack::Sent);
        }
    }

    /// Takes the final answer to a PRACK. Where it was not accepted, the next copy of the
    /// provisional answer gets another one.
    pub(crate) fn prack_answered(
        &mut self,
        id: SessionId,
        outgoing: OutgoingId,
        answer: Answer<'_>,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let sent = Prack::Sent(outgoing);
        if let Some(early) = session.early.iter_mut().find(|early| early.prack == sent) {
            early.prack = match answer.status().code {
                200..300 => Prack::Done,
                _ => Prack::Failed,
            };
        }
    }
}

impl Session {
    /// The early dialog with a remote tag.
    pub(crate) fn early_mut(&mut self, tag: &str) -> Option<&mut Early> {
        self.early
            .iter_mut()
            .find(|early| early.dialog.remote_tag() == tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::simulator::bench;

    #[test]
    fn the_rule_and_the_invite_decide_together() {
        use Reliability::{Off, Required, Supported};
        for (fields, off, supported, required) in [
            ("", Ok(Reliance::Never), Ok(Reliance::Never), Err(421)),
            (
                "Supported: timer, 100REL\r\n",
                Ok(Reliance::Never),
                Ok(Reliance::WithBody),
                Ok(Reliance::Always),
            ),
            (
                "Require: 100rel\r\n",
                Err(420),
                Ok(Reliance::Always),
                Ok(Reliance::Always),
            ),
        ] {
            let text = bench::invite("1").replace("Call-ID", &format!("{fields}Call-ID"));
            let invite = parse::message(text.as_bytes()).unwrap();
            for (rule, expected) in [(Off, off), (Supported, supported), (Required, required)] {
                assert_eq!(Reliance::of(&invite, rule), expected, "{fields} {rule:?}");
            }
        }
    }

    #[test]
    fn numbers_are_taken_one_after_the_other_and_once() {
        let invite = parse::message(bench::invite("1").as_bytes()).unwrap();
        let mut early = Early::new(Dialog::of_server(&invite, "t").unwrap());
        assert_eq!(early.take(7), Order::Next);
        assert_eq!(early.take(7), Order::Ignored);
        assert_eq!(early.take(9), Order::Ignored);
        assert_eq!(early.take(6), Order::Ignored);
        early.prack = Prack::Failed;
        assert_eq!(early.take(7), Order::Unheard);
        assert_eq!(early.take(8), Order::Next);
        early.rseq = Some(u32::MAX);
        assert_eq!(early.take(0), Order::Ignored);
    }
}
