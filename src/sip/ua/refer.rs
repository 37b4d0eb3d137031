//! Transfers that we ask for (RFC 3515, 3892 and 5589): REFER and the news of what came of it.

use std::time::{Duration, Instant};

use super::outgoing::{Answer, Owner};
use super::session::Phase;
use crate::base::id::AccountId;
use crate::base::uri::{SipUri, Uri};
use crate::sip::deadline::Timer;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{EndedBy, ReferTarget, SessionId, SipError, SipEvent, Status};
use crate::sip::message::{Message, Method};
use crate::sip::parse::{self, Replaces};
use crate::sip::timer::TIMEOUT;
use crate::sip::transaction::TransactionId;

/// The shortest and the longest time that the next news may take, whatever the far end promises:
/// longer than people let it ring.
const NEWS_WITHIN: std::ops::RangeInclusive<u32> = 5..=600;

/// How often our REFER is sent again to a far end whose own change is under way.
const MAX_PENDING: u8 = 5;

/// Our REFER in a call.
#[derive(Debug)]
pub(crate) struct OurRefer {
    /// Who is to be called.
    target: ReferTarget,
    /// How often the far end answered that a change is under way.
    pending: u8,
    /// Whether the far end took it up.
    accepted: bool,
}

impl Endpoint {
    /// Asks the far end to call somebody else instead.
    pub(crate) fn send_refer(
        &mut self,
        now: Instant,
        id: SessionId,
        target: &ReferTarget,
    ) -> Result<(), SipError> {
        let session = self.session_mut(id)?;
        if session.transfers.ours.is_some() {
            return Err(SipError::WrongState("already being transferred"));
        }
        let ours = OurRefer {
            target: target.clone(),
            pending: 0,
            accepted: false,
        };
        self.ask_for_transfer(now, id, ours)
    }

    /// Sends a REFER, the first or another one.
    fn ask_for_transfer(
        &mut self,
        now: Instant,
        id: SessionId,
        ours: OurRefer,
    ) -> Result<(), SipError> {
        let refer_to = match &ours.target {
            ReferTarget::Uri(uri) => format!("<{uri}>"),
            ReferTarget::Call(other) => self.refer_to_dialog(*other)?,
        };
        let referred_by = self.referred_by(id)?;
        let session = self.session_mut(id)?;
        if !matches!(session.phase, Phase::Established) {
            return Err(SipError::WrongState(session.phase_name()));
        }
        let way = session.way();
        let Some(dialog) = session.dialog.as_mut() else {
            return Err(SipError::NoSuchSession);
        };
        let (mut request, hop) = dialog.request(Method::Refer);
        session.transfers.ours = Some(ours);
        request.headers.push("Refer-To", refer_to);
        request.headers.push("Referred-By", referred_by);
        request.headers.push("Supported", super::SUPPORTED);
        let sent = self.send_in_dialog(now, Owner::Refer(id), way, request, hop);
        if sent.is_none() {
            let status = Status::new(503, "the far end's address cannot be reached");
            self.transfer_over(id, status);
        }
        Ok(())
    }

    /// Takes the answer to our REFER.
    pub(crate) fn refer_answered(&mut self, now: Instant, id: SessionId, answer: Answer<'_>) {
        let status = answer.status();
        if status.code < 200 {
            return;
        }
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Some(ours) = &mut session.transfers.ours else {
            // A NOTIFY was faster and told the end.
            return;
        };
        match answer {
            Answer::Response(response) if status.code < 300 => {
                let silent = response
                    .header("Refer-Sub")
                    .is_some_and(|value| parse::media_type(value) == "false");
                if silent {
                    // It will not say what comes of it (RFC 4488); that it took it up is all.
                    self.transfer_over(id, Status::new(202, "Accepted"));
                } else if !ours.accepted {
                    ours.accepted = true;
                    self.timers.set(Timer::Refer(id), now + TIMEOUT);
                    self.tell_transfer(id, status, false);
                }
            }
            Answer::Response(_) if status.code == 491 && ours.pending < MAX_PENDING => {
                ours.pending += 1;
                let ours = session.ours;
                let pause = self.glare_pause(ours);
                self.timers.set(Timer::ReferAgain(id), now + pause);
            }
            Answer::Response(_) | Answer::Failed { .. } => {
                let gone = matches!(answer, Answer::Failed { .. }) || status.code == 481;
                let by = if status.code == 481 {
                    EndedBy::Remote
                } else {
                    EndedBy::Unreachable
                };
                self.transfer_over(id, status.clone());
                // The dialog is gone (RFC 3261 section 12.2.1.2).
                if gone {
                    self.bye(now, id, by, status, None);
                }
            }
        }
    }

    /// Asks again for a transfer that met a change by the far end: it comes through once that is done,
    /// as a re-INVITE would (RFC 3261 section 14.1).
    pub(crate) fn refer_again(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Some(ours) = session.transfers.ours.take() else {
            return;
        };
        if self.ask_for_transfer(now, id, ours).is_err() {
            // One of the two calls is over.
            let status = Status::new(487, "the call ended before it was transferred");
            self.tell_transfer(id, status, true);
        }
    }

    /// Takes the news of a transfer that we asked for.
    pub(crate) fn transfer_notified(
        &mut self,
        now: Instant,
        id: SessionId,
        transaction: TransactionId,
        request: &Message,
    ) {
        let ours = self
            .sessions
            .get_mut(&id)
            .and_then(|session| session.transfers.ours.as_mut());
        let Some(ours) = ours else {
            self.answer_plainly(now, transaction, 481);
            return;
        };
        let kind = request.header("Content-Type").map(parse::media_type);
        if !request.body.is_empty() && kind.as_deref() != Some("message/sipfrag") {
            self.answer_unsupported_media(now, transaction, "message/sipfrag");
            return;
        }
        // The first NOTIFY may overtake the 202 (RFC 3515 section 2.4.4).
        ours.accepted = true;
        self.answer_plainly(now, transaction, 200);
        let (terminated, rejected, expires) = subscription(request);
        match fragment(&request.body) {
            Some(status) if status.code >= 200 => self.transfer_over(id, status),
            Some(_) | None if terminated => {
                let status = if rejected {
                    Status::new(603, "the far end declined")
                } else {
                    Status::new(408, "the far end does not say what became of it")
                };
                self.transfer_over(id, status);
            }
            news => {
                let within = Duration::from_secs(expires.into());
                self.timers.set(Timer::Refer(id), now + within);
                if let Some(status) = news {
                    self.tell_transfer(id, status, false);
                }
            }
        }
    }

    /// Gives up to wait for news of a transfer.
    pub(crate) fn transfer_limit_passed(&mut self, id: SessionId) {
        let status = Status::new(408, "the far end does not say what became of it");
        self.transfer_over(id, status);
    }

    /// How a request names a call of ours to somebody who shall take its place.
    fn refer_to_dialog(&mut self, other: SessionId) -> Result<String, SipError> {
        let session = self.session_mut(other)?;
        if !matches!(session.phase, Phase::Established) {
            return Err(SipError::WrongState(session.phase_name()));
        }
        let direct = session.account.is_none();
        let Some(dialog) = &session.dialog else {
            return Err(SipError::NoSuchSession);
        };
        let replaces = Replaces {
            call_id: session.call_id.clone(),
            to_tag: dialog.remote_tag().to_owned(),
            from_tag: session.local_tag.clone(),
            early_only: false,
        };
        // Behind a PBX or a NAT only the address of record leads there from everywhere (RFC 5589
        // section 7.3); in a direct call only the Contact does.
        let address = dialog.remote_address().map(|address| address.uri);
        let uri = match address {
            Some(Uri::Sip(uri)) if !direct => Uri::Sip(uri),
            Some(_) | None => dialog.target().clone(),
        };
        let Uri::Sip(uri) = uri else {
            return Err(SipError::BadTarget(uri.without_password().to_string()));
        };
        let uri = SipUri {
            headers: vec![("Replaces".to_owned(), escaped(&replaces.to_string()))],
            ..uri
        };
        Ok(format!("<{}>", Uri::Sip(uri)))
    }

    /// Who asks for the transfer (RFC 3892): the account, else our Contact.
    fn referred_by(&mut self, id: SessionId) -> Result<String, SipError> {
        let session = self.session_mut(id)?;
        let (account, place) = (session.account, session.place);
        let known = account.and_then(|account: AccountId| self.accounts.get(&account));
        Ok(match (known, place) {
            (Some(known), _) => format!("<{}>", known.setup.address),
            (None, Some(place)) => {
                format!("<{}>", Uri::Sip(self.contact_uri(account, &place, false)))
            }
            (None, None) => "<sip:anonymous@anonymous.invalid>".to_owned(),
        })
    }

    fn transfer_over(&mut self, id: SessionId, status: Status) {
        self.timers.cancel(&Timer::Refer(id));
        self.timers.cancel(&Timer::ReferAgain(id));
        let open = self
            .sessions
            .get_mut(&id)
            .and_then(|session| session.transfers.ours.take());
        if open.is_some() {
            self.tell_transfer(id, status, true);
        }
    }

    fn tell_transfer(&mut self, id: SessionId, status: Status, done: bool) {
        self.border.event(SipEvent::Transfer {
            session: id,
            status,
            done,
        });
    }
}

/// Whether a NOTIFY is the last, whether it ended by a refusal, and for how many seconds it stays.
fn subscription(request: &Message) -> (bool, bool, u32) {
    let state = request.header("Subscription-State").unwrap_or("active");
    let mut parts = state.split(';').map(str::trim);
    let terminated = parts
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("terminated"));
    let (mut rejected, mut expires) = (false, *NEWS_WITHIN.end());
    for (name, value) in parts.filter_map(|param| param.split_once('=')) {
        match name.trim().to_ascii_lowercase().as_str() {
            "reason" => rejected = value.trim().eq_ignore_ascii_case("rejected"),
            "expires" => expires = value.trim().parse().unwrap_or(expires),
            _ => {}
        }
    }
    let expires = expires.clamp(*NEWS_WITHIN.start(), *NEWS_WITHIN.end());
    (terminated, rejected, expires)
}

/// The status line of a `message/sipfrag` (RFC 3420).
fn fragment(body: &[u8]) -> Option<Status> {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().find(|line| !line.trim().is_empty())?;
    let rest = line.trim().strip_prefix("SIP/2.0 ")?;
    let (code, phrase) = rest.split_once(' ').unwrap_or((rest, ""));
    let code = code.parse().ok().filter(|code| (100..700).contains(code))?;
    Some(Status::new(code, phrase.trim()))
}

/// A header value as a URI carries it (RFC 3261 section 25.1, `hvalue`).
fn escaped(value: &str) -> String {
    let mut all = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()[]/?:+$".contains(&byte) {
            all.push(char::from(byte));
        } else {
            all.push_str(&format!("%{byte:02X}"));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_are_read_by_their_first_line() {
        let read = |text: &str| fragment(text.as_bytes()).map(|status| status.code);
        assert_eq!(read("SIP/2.0 180 Ringing\r\nTo: x\r\n"), Some(180));
        assert_eq!(read("\r\nSIP/2.0 486\r\n"), Some(486));
        for broken in ["", "INVITE sip:a SIP/2.0", "SIP/2.0 99 x", "SIP/2.0 x"] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_header_in_a_uri_escapes_what_would_end_it() {
        assert_eq!(escaped("a@b;to-tag=1"), "a%40b%3Bto-tag%3D1");
    }
}
