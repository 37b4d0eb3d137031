//! Session timers (RFC 4028): a call that nobody refreshes ends by itself, on both sides.
//!
//! The refresher sends UPDATE without a body at half the interval, or where the far end does not
//! take UPDATE, a re-INVITE with the description that it last sent. Both sides end the call a
//! little before the interval is over (section 10).

use std::time::{Duration, Instant};

use super::ALLOW;
use super::outgoing::{Answer, OutgoingId, Owner};
use super::session::{Negotiation, Offer, Phase, Session};
use crate::sip::deadline::Timer;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{EndedBy, SessionId, Status};
use crate::sip::message::{Message, Method};

use crate::sip::timer::TIMEOUT;

/// The option tag.
pub(crate) const TAG: &str = "timer";

/// The shortest interval that may be agreed, in seconds (section 4).
pub(crate) const MIN_SE: u32 = 90;

/// The shortest interval by which we refresh, in seconds: a far end may not name less than `MIN_SE`,
/// but one that does ends the call by its own clock, not by ours.
const LEAST: u32 = 10;

/// The longest interval that a 422 may demand, in seconds.
const MAX_SE: u32 = 86_400;

/// How often one request is sent again with the interval that a 422 demands.
const MAX_RAISES: u8 = 2;

/// The pause before another try, where a refresh could not be made or was refused.
const RETRY: Duration = Duration::from_secs(10);

/// The Reason of a BYE that ends a call which was not refreshed.
const REASON: &str = "SIP;cause=408;text=\"Session not refreshed\"";

/// What both sides agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionTimer {
    /// The interval in seconds.
    pub(crate) expires: u32,
    /// Whether we refresh.
    pub(crate) ours: bool,
}

/// Who refreshes, as Session-Expires says it: from the view of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refresher {
    /// Who sent the request.
    Uac,
    /// Who answers it.
    Uas,
}

impl Refresher {
    fn of(message: &Message) -> Option<Self> {
        let value = message.header("Session-Expires")?;
        value.split(';').skip(1).find_map(|param| {
            let (name, value) = param.split_once('=')?;
            if !name.trim().eq_ignore_ascii_case("refresher") {
                return None;
            }
            match value.trim().to_ascii_lowercase().as_str() {
                "uac" => Some(Self::Uac),
                "uas" => Some(Self::Uas),
                _ => None,
            }
        })
    }

    fn word(self) -> &'static str {
        match self {
            Self::Uac => "uac",
            Self::Uas => "uas",
        }
    }
}

/// Whether a request asks for an interval that is too short; only to one who knows 422 it is said
/// (section 9).
pub(crate) fn is_too_brief(request: &Message) -> bool {
    knows_timers(request)
        && request
            .seconds("Session-Expires")
            .is_some_and(|seconds| seconds < MIN_SE)
}

fn knows_timers(message: &Message) -> bool {
    ["Supported", "Require"].iter().any(|name| {
        let tags = message.tokens(name);
        tags.iter().any(|tag| tag.eq_ignore_ascii_case(TAG))
    })
}

impl Session {
    /// Learns from Allow whether the far end takes UPDATE.
    pub(crate) fn learn_allow(&mut self, message: &Message) {
        if message.header("Allow").is_some() {
            let methods = message.tokens("Allow");
            self.takes_update = methods
                .iter()
                .any(|name| Method::parse(name) == Method::Update);
        }
    }

    /// The header fields of a request inside the call that also refreshes it (section 7.4).
    pub(crate) fn refresh_headers(&self, request: &mut Message) {
        if let Some(timer) = self.timer {
            let refresher = if timer.ours {
                Refresher::Uac
            } else {
                Refresher::Uas
            };
            // Where the far end named less than may be named, we do not (section 4).
            let expires = timer.expires.max(self.min_se);
            let value = format!("{expires};refresher={}", refresher.word());
            request.headers.push("Session-Expires", value);
            request.headers.push("Min-SE", self.min_se.to_string());
        }
    }
}

impl Endpoint {
    /// Asks for a session timer in the INVITE of a call that we make.
    pub(crate) fn ask_for_timer(&self, id: SessionId, request: &mut Message) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let expires = self.extensions(session.account).session_expires;
        if !expires.is_zero() {
            let seconds = seconds(expires);
            request.headers.push("Session-Expires", seconds.to_string());
            // Without it the least is meant (section 5).
            if session.min_se > MIN_SE {
                request.headers.push("Min-SE", session.min_se.to_string());
            }
        }
    }

    /// Agrees on the session timer in our 2xx to an INVITE or UPDATE (section 9).
    pub(crate) fn agree_timer(
        &mut self,
        now: Instant,
        id: SessionId,
        request: &Message,
        response: &mut Message,
    ) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let wanted = self.extensions(session.account).session_expires;
        let asked = request.seconds("Session-Expires");
        let known = knows_timers(request);
        // One who knows no timers would have to be refreshed by us; only where a proxy asks.
        if wanted.is_zero() || (asked.is_none() && !known) {
            self.set_timer(now, id, None);
            return;
        }
        let least = match (request.seconds("Min-SE"), asked) {
            (None, Some(asked)) if asked < MIN_SE => asked.max(LEAST),
            (named, _) => named.unwrap_or(0).clamp(MIN_SE, MAX_SE),
        };
        let wanted = seconds(wanted).max(least);
        let expires = asked.map_or(wanted, |asked| asked.min(wanted)).max(least);
        let refresher = if known {
            let kept = session.timer.map(|timer| {
                if timer.ours {
                    Refresher::Uas
                } else {
                    Refresher::Uac
                }
            });
            Refresher::of(request).or(kept).unwrap_or(Refresher::Uac)
        } else {
            Refresher::Uas
        };
        let value = format!("{expires};refresher={}", refresher.word());
        response.headers.set("Session-Expires", value);
        if refresher == Refresher::Uac {
            response.headers.set("Require", TAG);
        }
        let ours = refresher == Refresher::Uas;
        self.set_timer(now, id, Some(SessionTimer { expires, ours }));
    }

    /// Takes the session timer from a 2xx to our INVITE or UPDATE (section 7.2).
    pub(crate) fn take_timer(&mut self, now: Instant, id: SessionId, response: &Message) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.learn_allow(response);
        let account = session.account;
        let off = self.extensions(account).session_expires.is_zero();
        let agreed = response.seconds("Session-Expires").filter(|_| !off);
        let timer = agreed.map(|expires| SessionTimer {
            expires: expires.clamp(LEAST, MAX_SE),
            ours: Refresher::of(response) != Some(Refresher::Uas),
        });
        self.set_timer(now, id, timer);
    }

    /// Raises the interval of a request that was refused with 422; `false` when that is final
    /// (section 7.3).
    pub(crate) fn raise_interval(&mut self, id: OutgoingId, response: &Message) -> bool {
        let Some(outgoing) = self.outgoing.get_mut(&id) else {
            return false;
        };
        let (Owner::Invite(session) | Owner::Change(session) | Owner::Refresh(session)) =
            outgoing.owner
        else {
            return false;
        };
        let Some(least) = response.seconds("Min-SE").filter(|least| *least <= MAX_SE) else {
            return false;
        };
        let Some(asked) = outgoing.request.seconds("Session-Expires") else {
            return false;
        };
        if outgoing.raises >= MAX_RAISES || least <= asked {
            return false;
        }
        outgoing.raises += 1;
        let refresher = Refresher::of(&outgoing.request);
        let value = match refresher {
            Some(refresher) => format!("{least};refresher={}", refresher.word()),
            None => least.to_string(),
        };
        outgoing.request.headers.set("Session-Expires", value);
        outgoing.request.headers.set("Min-SE", least.to_string());
        if let Some(session) = self.sessions.get_mut(&session) {
            session.min_se = least;
        }
        self.renumber(id)
    }

    /// Refreshes the session at half of its interval.
    pub(crate) fn refresh(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if !matches!(session.phase, Phase::Established) {
            return;
        }
        if session.takes_update {
            self.refresh_by_update(now, id);
            return;
        }
        match (&session.negotiation, &session.described) {
            (Negotiation::Idle, Some(body)) => {
                let offer = Offer {
                    body: body.clone(),
                    glares: 0,
                    refresh: true,
                };
                self.send_change(now, id, offer);
            }
            // Another change is under way, which refreshes too.
            (
                Negotiation::Idle
                | Negotiation::Ours { .. }
                | Negotiation::Waiting(_)
                | Negotiation::Theirs(_)
                | Negotiation::Accepted(_),
                _,
            ) => self.timers.set(Timer::Refresh(id), now + RETRY),
        }
    }

    /// Takes the final answer to an UPDATE that only refreshes.
    pub(crate) fn refresh_answered(&mut self, now: Instant, id: SessionId, answer: Answer<'_>) {
        if let Answer::Response(response) = answer
            && (200..300).contains(&response.code().unwrap_or(500))
        {
            if let Some(dialog) = self
                .sessions
                .get_mut(&id)
                .and_then(|session| session.dialog.as_mut())
            {
                dialog.refresh(response);
            }
            self.take_timer(now, id, response);
            return;
        }
        self.refresh_failed(now, id, answer);
    }

    /// A refresh was not accepted: where the far end is gone the call ends, else it is tried again
    /// until the interval is over (section 10).
    pub(crate) fn refresh_failed(&mut self, now: Instant, id: SessionId, answer: Answer<'_>) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if !matches!(session.phase, Phase::Established) {
            return;
        }
        let status = answer.status();
        let gone = match answer {
            Answer::Failed { .. } => true,
            Answer::Response(_) => matches!(status.code, 408 | 481),
        };
        if gone {
            let reason = Some(REASON.to_owned());
            self.bye(now, id, EndedBy::Unreachable, status, reason);
            return;
        }
        if matches!(status.code, 405 | 501) && session.takes_update {
            // It does not take what its Allow says.
            session.takes_update = false;
            self.refresh(now, id);
            return;
        }
        self.timers.set(Timer::Refresh(id), now + RETRY);
    }

    /// Ends a call whose interval passed without a refresh.
    pub(crate) fn session_expired(&mut self, now: Instant, id: SessionId) {
        if matches!(
            self.sessions.get(&id).map(|session| &session.phase),
            Some(Phase::Established)
        ) {
            let status = Status::new(408, "the far end did not refresh the call");
            let reason = Some(REASON.to_owned());
            self.bye(now, id, EndedBy::Unreachable, status, reason);
        }
    }

    /// Answers 422 to a request whose interval is too short.
    pub(crate) fn refuses_interval(&self, id: SessionId, request: &Message) -> bool {
        let account = self.sessions.get(&id).and_then(|session| session.account);
        !self.extensions(account).session_expires.is_zero() && is_too_brief(request)
    }

    fn refresh_by_update(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let (account, way) = (session.account, session.way());
        let request = session
            .dialog
            .as_mut()
            .map(|dialog| dialog.request(Method::Update));
        let Some((mut request, hop)) = request else {
            return;
        };
        session.refresh_headers(&mut request);
        request.headers.push("Allow", ALLOW);
        request.headers.push("Supported", self.supported(account));
        let sent = self.send_in_dialog(now, Owner::Refresh(id), way, request, hop);
        if sent.is_none() {
            self.timers.set(Timer::Refresh(id), now + RETRY);
        }
    }

    fn set_timer(&mut self, now: Instant, id: SessionId, timer: Option<SessionTimer>) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.timer = timer;
        self.timers.cancel(&Timer::Refresh(id));
        self.timers.cancel(&Timer::SessionExpires(id));
        if let Some(timer) = timer {
            let interval = Duration::from_secs(timer.expires.into());
            // A far end that named less than it may is not held to it.
            let least = Duration::from_secs(MIN_SE.into());
            let longest = interval.max(least);
            let end = longest.saturating_sub(TIMEOUT.min(longest / 3));
            self.timers.set(Timer::SessionExpires(id), now + end);
            if timer.ours {
                self.timers.set(Timer::Refresh(id), now + interval / 2);
            }
        }
    }
}

fn seconds(expires: Duration) -> u32 {
    u32::try_from(expires.as_secs())
        .unwrap_or(MAX_SE)
        .clamp(MIN_SE, MAX_SE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::parse;
    use crate::sip::simulator::bench;

    fn with(fields: &str) -> Message {
        let text = bench::invite("1").replace("Call-ID", &format!("{fields}Call-ID"));
        parse::message(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_refresher_is_read_whatever_stands_beside_it() {
        for (text, refresher) in [
            ("1800", None),
            ("1800;refresher=uac", Some(Refresher::Uac)),
            ("1800 ;x=1; Refresher = UAS", Some(Refresher::Uas)),
            ("1800;refresher=nobody", None),
        ] {
            let message = with(&format!("Session-Expires: {text}\r\n"));
            assert_eq!(Refresher::of(&message), refresher, "{text}");
            assert_eq!(message.seconds("Session-Expires"), Some(1800), "{text}");
        }
        assert_eq!(
            Refresher::of(&with("x: 90;refresher=uas\r\n")),
            Some(Refresher::Uas)
        );
    }

    #[test]
    fn only_one_who_knows_timers_is_told_that_its_interval_is_too_short() {
        assert!(is_too_brief(&with("Supported: timer\r\nx: 89\r\n")));
        assert!(!is_too_brief(&with("Supported: timer\r\nx: 90\r\n")));
        assert!(!is_too_brief(&with("x: 30\r\n")));
        assert!(!is_too_brief(&with("Supported: timer\r\n")));
    }
}
