//! Calls of ours that the far end sends elsewhere (RFC 3261 sections 8.1.3.4, 19.1.5 and 21.3).
//!
//! ```text
//! 3xx > offered: Contacts in order > owner says yes > waiting > Resolving … Calling
//!                                                        ^                     |
//!                                                        +-- failed (not 6xx) -+
//! ```
//!
//! The new INVITE keeps From, To, Call-ID and the own half of the Session-ID; its Request-URI is
//! the Contact, its `CSeq` the next one, its route the one of any call of the account. Nothing is
//! remembered for the next call, so `expires` says nothing and 301 is like 302.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::time::Instant;

use super::lookup::Asked;
use super::outgoing::{Answer, OutgoingId};
use super::session::{Phase, Plan};
use crate::base::uri::Uri;
use crate::sip::deadline::Timer;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{EndedBy, SessionId, SipError, SipEvent, Status};
use crate::sip::message::Message;
use crate::sip::parse::{AddressField, ContactField};
use crate::sip::route;

/// How many further targets one call tries in all, over all its redirections.
pub(crate) const MAX_REDIRECTIONS: usize = 10;

/// Where a call that we make was sent to so far.
#[derive(Debug, Default)]
pub(crate) struct Redirections {
    /// What the owner said yes to and was not tried yet, the best first.
    waiting: VecDeque<Uri>,
    /// What was tried, the target that was dialled first: none is called twice (section 8.1.3.4).
    tried: Vec<Uri>,
}

/// Why a redirection leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DeadEnd {
    UseProxy,
    AlternativeService,
    NoAddress,
    NotEncrypted,
    Circle,
    TooMany,
}

impl Redirections {
    /// Begins with the target that was dialled.
    pub(crate) fn from(target: &Uri) -> Self {
        Self {
            waiting: VecDeque::new(),
            tried: vec![target.clone()],
        }
    }

    fn knows(&self, target: &Uri) -> bool {
        self.tried
            .iter()
            .chain(&self.waiting)
            .any(|known| same(known, target))
    }

    /// How many targets it may still take.
    fn room(&self) -> usize {
        (MAX_REDIRECTIONS + 1).saturating_sub(self.tried.len() + self.waiting.len())
    }

    /// What of a 3xx may be called after `target`, the best first.
    fn offered(&self, target: &Uri, response: &Message) -> Result<Vec<Uri>, DeadEnd> {
        match response.code() {
            // Only a far end that is trusted may choose a proxy for us; whom we trust is configured.
            Some(305) => return Err(DeadEnd::UseProxy),
            Some(380) => return Err(DeadEnd::AlternativeService),
            Some(_) | None => {}
        }
        let contacts = contacts(response);
        if contacts.is_empty() {
            return Err(DeadEnd::NoAddress);
        }
        // Who asked for an encrypted way gets no other (section 8.1.3.4).
        let secure = route::is_secure(target);
        let contacts: Vec<Uri> = contacts
            .into_iter()
            .filter(|uri| !secure || route::is_secure(uri))
            .collect();
        if contacts.is_empty() {
            return Err(DeadEnd::NotEncrypted);
        }
        let mut new: Vec<Uri> = Vec::new();
        for uri in contacts {
            if !self.knows(&uri) && !new.iter().any(|other| same(other, &uri)) {
                new.push(uri);
            }
        }
        if new.is_empty() {
            return Err(DeadEnd::Circle);
        }
        new.truncate(self.room());
        if new.is_empty() {
            return Err(DeadEnd::TooMany);
        }
        Ok(new)
    }

    /// Puts new targets before those that wait: they stand for `target`, which was tried last.
    fn put_first(&mut self, target: &Uri, targets: &[Uri]) {
        let secure = route::is_secure(target);
        let mut new: Vec<Uri> = Vec::new();
        for uri in targets.iter().map(route::as_request_uri) {
            let fits = !secure || route::is_secure(&uri);
            if fits && !self.knows(&uri) && !new.contains(&uri) && new.len() < self.room() {
                new.push(uri);
            }
        }
        for uri in new.into_iter().rev() {
            self.waiting.push_front(uri);
        }
    }
}

impl DeadEnd {
    /// Why, and what to do, for a person.
    fn sentence(self) -> String {
        let words = match self {
            Self::UseProxy => {
                "the far end asks to go through a proxy of its choice (305), which is not followed; set it as the outbound proxy if you trust it"
            }
            Self::AlternativeService => {
                "the far end cannot take the call and offers another service instead (380); reach it another way"
            }
            Self::NoAddress => {
                "the far end asks to be called elsewhere and names no address that can be called; ask its operator"
            }
            Self::NotEncrypted => {
                "the far end asks to be called elsewhere without encryption, which was demanded; it was not called"
            }
            Self::Circle => {
                "the far end sends the call in a circle: each address that it names was called already; ask its operator"
            }
            Self::TooMany => {
                return format!(
                    "the call was sent on to more than {MAX_REDIRECTIONS} addresses; ask the operator of the far end"
                );
            }
        };
        words.to_owned()
    }
}

impl Endpoint {
    /// Calls the targets of a `Redirected` event one after another until one answers, refuses for
    /// all (6xx) or sends the call on again. An address that was called before is left out, and so
    /// is what a URI carries beside the address (headers, `method`).
    ///
    /// # Errors
    ///
    /// Fails when the call waits for no such decision.
    pub fn follow_redirection(
        &mut self,
        now: Instant,
        session: SessionId,
        targets: &[Uri],
    ) -> Result<(), SipError> {
        let known = self.session_mut(session)?;
        let Phase::Redirected(plan, status) = &known.phase else {
            return Err(SipError::WrongState(known.phase_name()));
        };
        let (plan, status) = (plan.clone(), status.clone());
        known.redirections.put_first(&plan.target, targets);
        self.timers.cancel(&Timer::Ring(session));
        if !self.call_next(now, session, &plan) {
            self.end_redirected(now, session, status);
        }
        Ok(())
    }

    /// Leaves a call that was sent elsewhere where it is: it ends with the 3xx.
    ///
    /// # Errors
    ///
    /// Fails when the call waits for no such decision.
    pub fn decline_redirection(
        &mut self,
        now: Instant,
        session: SessionId,
    ) -> Result<(), SipError> {
        let known = self.session_mut(session)?;
        let Phase::Redirected(_, status) = &known.phase else {
            return Err(SipError::WrongState(known.phase_name()));
        };
        let status = status.clone();
        self.end_redirected(now, session, status);
        Ok(())
    }

    /// Takes a final refusal of an INVITE after which the call may go on elsewhere; `false` says
    /// that it is the call's end.
    pub(super) fn goes_elsewhere(
        &mut self,
        now: Instant,
        id: SessionId,
        outgoing: OutgoingId,
        answer: Answer<'_>,
    ) -> bool {
        let status = answer.status();
        let sent = self.outgoing.get(&outgoing);
        let sent = sent.and_then(|outgoing| outgoing.request.cseq());
        let Some(session) = self.sessions.get(&id) else {
            return false;
        };
        let Phase::Calling {
            plan, cancel: None, ..
        } = &session.phase
        else {
            return false;
        };
        let mut plan = plan.clone();
        if let Some((number, _)) = sent {
            plan.cseq = number;
        }
        match (status.code, answer) {
            (300..=399, Answer::Response(response)) => {
                match session.redirections.offered(&plan.target, response) {
                    Ok(targets) => {
                        self.wait_for_decision(now, id, plan, status, targets);
                        true
                    }
                    Err(dead_end) => {
                        let why = dead_end.sentence();
                        self.border
                            .event(SipEvent::NotFollowed { session: id, why });
                        self.call_next(now, id, &plan)
                    }
                }
            }
            // Who refuses for all leaves nobody to be tried (section 21.6).
            (600.., _) => false,
            (300.., _) => self.call_next(now, id, &plan),
            (_, _) => false,
        }
    }

    /// Calls the next target that the owner said yes to; `false` when there is none.
    pub(super) fn call_next(&mut self, now: Instant, id: SessionId, last: &Plan) -> bool {
        while let Some(target) = self.next_target(id) {
            let account = self.sessions.get(&id).and_then(|session| session.account);
            let hop = match self.first_hop(account, &target) {
                Ok(hop) => hop,
                Err(error) => {
                    let why = error.to_string();
                    self.border
                        .event(SipEvent::NotFollowed { session: id, why });
                    continue;
                }
            };
            self.refuse_pending_change(now, id);
            self.timers.cancel(&Timer::Ring(id));
            let Some(session) = self.sessions.get_mut(&id) else {
                return false;
            };
            session.early.clear();
            session.ident.meet_another();
            session.phase = Phase::Resolving(Plan {
                target: target.clone(),
                hop: hop.clone(),
                cseq: last.cseq.saturating_add(1),
                ..last.clone()
            });
            self.border.event(SipEvent::Redirecting {
                session: id,
                target,
            });
            self.ask(now, Asked::Session(id), &hop);
            return true;
        }
        false
    }

    /// Ends a call about which nobody decided in time.
    pub(super) fn redirection_undecided(&mut self, now: Instant, id: SessionId) {
        if let Some(session) = self.sessions.get(&id)
            && let Phase::Redirected(_, status) = &session.phase
        {
            let status = status.clone();
            self.end_redirected(now, id, status);
        }
    }

    fn wait_for_decision(
        &mut self,
        now: Instant,
        id: SessionId,
        plan: Plan,
        status: Status,
        targets: Vec<Uri>,
    ) {
        self.refuse_pending_change(now, id);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.early.clear();
        session.phase = Phase::Redirected(plan, status.clone());
        let limit = self.ring_limit(self.sessions.get(&id).and_then(|it| it.account));
        self.timers.set(Timer::Ring(id), now + limit);
        self.border.event(SipEvent::Redirected {
            session: id,
            status,
            targets,
        });
    }

    fn next_target(&mut self, id: SessionId) -> Option<Uri> {
        let redirections = &mut self.sessions.get_mut(&id)?.redirections;
        let target = redirections.waiting.pop_front()?;
        redirections.tried.push(target.clone());
        Some(target)
    }

    /// The far end's 3xx is its last word.
    fn end_redirected(&mut self, now: Instant, id: SessionId, status: Status) {
        if let Some(referrer) = self.referrer(id) {
            self.referral_news(now, referrer, status.clone());
        }
        self.end(id, EndedBy::Remote, status, None);
    }
}

/// The addresses of a 3xx that can be called, by falling `q` (1 where none is written, section
/// 20.10), without what else their URIs carry.
fn contacts(response: &Message) -> Vec<Uri> {
    let mut fields: Vec<AddressField> = response
        .contacts()
        .into_iter()
        .filter_map(|contact| match contact {
            ContactField::Address(field) => Some(field),
            ContactField::All => None,
        })
        .collect();
    fields.sort_by_key(|field| Reverse(field.param("q").and_then(thousandths).unwrap_or(1000)));
    fields
        .into_iter()
        .map(|field| route::as_request_uri(&field.uri))
        .filter(|uri| matches!(uri, Uri::Sip(_) | Uri::Tel(_)))
        .collect()
}

/// Reads `0`, `0.5` or `1.000` in thousandths (RFC 3261 section 25.1, `qvalue`).
fn thousandths(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = rest.len() <= 3 && rest.bytes().all(|byte| byte.is_ascii_digit());
    match whole {
        "0" | "" if digits => format!("{rest:0<3}").parse().ok(),
        "1" if digits && rest.bytes().all(|byte| byte == b'0') => Some(1000),
        _ => None,
    }
}

fn same(one: &Uri, other: &Uri) -> bool {
    match (one, other) {
        (Uri::Sip(one), Uri::Sip(other)) => one.equivalent(other),
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::Method;

    fn uri(text: &str) -> Uri {
        Uri::parse(text).unwrap()
    }

    fn offered(dialled: &str, code: u16, contacts: &[&str]) -> Result<Vec<String>, DeadEnd> {
        let invite = Message::request(Method::Invite, uri(dialled));
        let mut response = Message::response(&invite, code, "Phrase", Some("t"));
        for contact in contacts {
            response.headers.push("Contact", *contact);
        }
        let targets = Redirections::from(&uri(dialled)).offered(&uri(dialled), &response)?;
        Ok(targets.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn targets_come_by_falling_q_and_in_order_where_it_is_the_same() {
        let targets = offered(
            "sip:x@h",
            300,
            &[
                "<sip:low@h>;q=0.1",
                "\"A, B\" <sip:first@h>;expires=60",
                "<sip:zero@h>;q=0",
                "<sip:half@h>;q=0.50",
                "<sip:second@h>;q=1.000",
                "sip:third@h;q=junk",
                "<tel:+14155550199>;q=0.499",
            ],
        );
        let order = [
            "sip:first@h",
            "sip:second@h",
            "sip:third@h",
            "sip:half@h",
            "tel:+14155550199",
            "sip:low@h",
            "sip:zero@h",
        ];
        assert_eq!(targets.unwrap(), order);
    }

    #[test]
    fn nothing_but_the_address_is_taken_of_a_contact() {
        let targets = offered(
            "sip:x@h",
            302,
            &[
                "<sip:a@h;transport=tcp;method=BYE?Replaces=1&Route=%3Csip:evil%3E>",
                "<mailto:a@h>",
            ],
        );
        assert_eq!(targets.unwrap(), ["sip:a@h;transport=tcp"]);
    }

    #[test]
    fn what_leads_nowhere_says_why() {
        let many: Vec<String> = (0..30).map(|n| format!("<sip:{n}@h>")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(
            offered("sip:x@h", 302, &many).unwrap().len(),
            MAX_REDIRECTIONS
        );
        for (dialled, code, contacts, why) in [
            ("sip:x@h", 305, &["<sip:p@h>"][..], DeadEnd::UseProxy),
            ("sip:x@h", 380, &["<sip:p@h>"], DeadEnd::AlternativeService),
            ("sip:x@h", 302, &[], DeadEnd::NoAddress),
            ("sip:x@h", 302, &["<mailto:x@h>", "*"], DeadEnd::NoAddress),
            ("sips:x@h", 302, &["<sip:y@h>"], DeadEnd::NotEncrypted),
            ("sip:x@h", 302, &["<sip:x@H>;q=0.2"], DeadEnd::Circle),
        ] {
            assert_eq!(offered(dialled, code, contacts), Err(why), "{why:?}");
            assert!(why.sentence().contains("the far end"), "{why:?}");
        }
        let secure = offered("sips:x@h", 301, &["<sip:y@h>", "<sips:z@h>;q=0.1"]);
        assert_eq!(secure.unwrap(), ["sips:z@h"]);
        let mut full = Redirections::from(&uri("sip:x@h"));
        let targets: Vec<Uri> = (0..30).map(|n| uri(&format!("sip:{n}@h"))).collect();
        full.put_first(&uri("sips:x@h"), &targets);
        assert!(full.waiting.is_empty(), "no way back to the clear");
        full.put_first(&uri("sip:x@h"), &targets);
        assert_eq!(full.waiting.len(), MAX_REDIRECTIONS);
        assert_eq!(full.room(), 0);
    }

    #[test]
    fn a_q_is_read_in_thousandths() {
        for (text, read) in [
            ("0", Some(0)),
            ("0.5", Some(500)),
            ("0.05", Some(50)),
            (".7", Some(700)),
            ("0.", Some(0)),
            ("1", Some(1000)),
            ("1.000", Some(1000)),
            ("1.001", None),
            ("0.1234", None),
            ("-1", None),
            ("0.+1", None),
            ("2", None),
        ] {
            assert_eq!(thousandths(text), read, "{text}");
        }
    }
}
