//! Digits that the agent sends in a call: with the sound, or by INFO where the rules say so.

use std::time::Instant;

use crate::app::engine::Engine;
use crate::base::id::CallId;
use crate::config::call_rules::SendDigits;
use crate::media::MediaCommand;
use crate::sip::{Body, SessionId, Status};

/// How long a digit lasts that INFO announces, in milliseconds.
const LASTS: u32 = 160;

impl Engine {
    /// Sends digits in a connected call.
    pub(super) fn send_digits(&mut self, now: Instant, id: CallId, digits: &str) {
        const AT_ONCE: usize = 64;
        let valid = !digits.is_empty()
            && digits.len() <= AT_ONCE
            && digits
                .chars()
                .all(|c| c.is_ascii_digit() || "*#ABCDabcd".contains(c));
        if !valid {
            return self.problem(
                Some(id),
                // They may be payment data, which no event and no log shall have.
                format!("these digits cannot be sent: at most {AT_ONCE} of 0-9, *, # and A-D"),
            );
        }
        let Some(call) = self.calls.get(&id).filter(|call| call.connected()) else {
            return;
        };
        let digits = digits.to_ascii_uppercase();
        let (session, way) = (call.session, self.rules_of(call.account).send_digits);
        match (way, session) {
            (SendDigits::Sound, _) | (_, None) => {
                self.sound(MediaCommand::Dtmf { call: id, digits });
            }
            (SendDigits::Info | SendDigits::InfoPlain, Some(session)) => {
                for digit in digits.chars() {
                    if let Err(error) = self.endpoint.inform(now, session, body(way, digit)) {
                        return self.problem(Some(id), error.to_string());
                    }
                }
            }
        }
    }

    /// The far end takes no INFO: the agent must know that nothing arrived.
    pub(super) fn digits_refused(&mut self, session: SessionId, status: &Status) {
        let call = self.sessions.get(&session).copied();
        let text = format!(
            "the far end takes no digits by INFO ({} {}); send them with the sound, by the account's rules",
            status.code, status.phrase
        );
        self.problem(call, text);
    }
}

/// A digit as gateways read it.
fn body(way: SendDigits, digit: char) -> Body {
    let (kind, text) = match way {
        SendDigits::Sound | SendDigits::Info => (
            "application/dtmf-relay",
            format!("Signal={digit}\r\nDuration={LASTS}\r\n"),
        ),
        SendDigits::InfoPlain => ("application/dtmf", digit.to_string()),
    };
    Body {
        content_type: kind.to_owned(),
        bytes: text.into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digit_is_written_as_gateways_read_it() {
        let relay = body(SendDigits::Info, '#');
        assert_eq!(relay.content_type, "application/dtmf-relay");
        assert_eq!(relay.bytes, b"Signal=#\r\nDuration=160\r\n");
        let plain = body(SendDigits::InfoPlain, '5');
        assert_eq!(
            (&*plain.content_type, &*plain.bytes),
            ("application/dtmf", &b"5"[..])
        );
    }
}
