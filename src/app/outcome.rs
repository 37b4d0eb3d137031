//! From SIP's last words to the outcome that a person reads and a report counts.

use crate::crm::row::{CallDirection, CallState};
use crate::sip::reason::{answered_elsewhere, taken_by_voice_mail};
use crate::sip::{EndedBy, Status};

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The final state.
    pub(super) state: CallState,
    /// Why, in plain words.
    pub(super) words: String,
    /// Whether nothing is left to do; false asks for a call back.
    pub(super) done: bool,
}

impl Outcome {
    /// The same end, as the rule that made it is remembered.
    pub(super) fn by_rule(self, state: CallState, words: String) -> Self {
        let settled = matches!(state, CallState::Forwarded | CallState::Blocked);
        Self {
            // Who spoke to a machine waits for a call back.
            done: (self.done || settled) && state != CallState::Voicemail,
            state,
            words,
        }
    }

    /// The same talk, where it was one with a machine.
    pub(super) fn with_voice_mail(self) -> Self {
        let state = match self.state {
            CallState::Completed => CallState::Voicemail,
            other => other,
        };
        Self { state, ..self }
    }
}

/// How far a call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// Nobody answered.
    Ringing,
    /// We answered; the caller never confirmed it.
    Answered,
    /// Both sides had agreed.
    Talking,
}

/// Judges an ended call.
pub(super) fn outcome(
    direction: CallDirection,
    reached: Reached,
    by: EndedBy,
    status: &Status,
    reason: Option<&str>,
    problem: Option<&str>,
) -> Outcome {
    let (state, words) = match (reached, direction) {
        (Reached::Answered, _) if by == EndedBy::Unreachable => (
            CallState::Failed,
            "peer unreachable: the caller never confirmed the answer".to_owned(),
        ),
        // The answer still waited for the caller (RFC 3262 section 3), who gave up meanwhile.
        (Reached::Answered, _) if status.code == 487 => (
            CallState::NoAnswer,
            "the caller gave up while it was being answered".to_owned(),
        ),
        (Reached::Answered | Reached::Talking, _) => talked(by, status),
        (Reached::Ringing, CallDirection::Inbound) => inbound(by, status, reason),
        (Reached::Ringing, CallDirection::Outbound) => outbound(by, status),
    };
    let words = match problem {
        Some(problem) => format!("{words}: {problem}"),
        None => words,
    };
    // An inbound call that nobody here answered waits for a call back, unless it was handled
    // elsewhere or refused on purpose by the block list.
    let handled = matches!(
        state,
        CallState::Completed
            | CallState::Forwarded
            | CallState::AnsweredElsewhere
            | CallState::Blocked
    );
    let done = direction == CallDirection::Outbound || handled;
    Outcome { state, words, done }
}

fn talked(by: EndedBy, status: &Status) -> (CallState, String) {
    let words = match by {
        EndedBy::Local => "you hung up".to_owned(),
        EndedBy::Remote => "the far end hung up".to_owned(),
        EndedBy::RingLimit => "the time limit was reached".to_owned(),
        EndedBy::Replaced => "another call took its place".to_owned(),
        EndedBy::Unreachable => format!("peer unreachable ({} {})", status.code, status.phrase),
    };
    (CallState::Completed, words)
}

fn inbound(by: EndedBy, status: &Status, reason: Option<&str>) -> (CallState, String) {
    if reason.is_some_and(taken_by_voice_mail) {
        return (CallState::Voicemail, "the voice mail took it".to_owned());
    }
    if let Some(elsewhere) = reason.and_then(answered_elsewhere) {
        let words = match elsewhere.by {
            Some(by) => format!("answered elsewhere by {by}"),
            None => "answered elsewhere".to_owned(),
        };
        return (CallState::AnsweredElsewhere, words);
    }
    match (by, status.code) {
        (EndedBy::Local, 300..=399) => (CallState::Forwarded, "sent elsewhere".to_owned()),
        (EndedBy::Local, 486 | 600) => (CallState::Busy, "refused as busy".to_owned()),
        (EndedBy::Local, 488) => (CallState::Failed, "no common way to talk".to_owned()),
        (EndedBy::Local, 500..=599) => (
            CallState::Failed,
            format!("this phone could not take it: {}", status.phrase),
        ),
        (EndedBy::Local, _) => (CallState::Rejected, "you declined".to_owned()),
        (EndedBy::Remote, _) => (CallState::NoAnswer, "the caller gave up".to_owned()),
        (EndedBy::RingLimit, _) => (CallState::NoAnswer, "nobody answered in time".to_owned()),
        // A call that rings here is never replaced (RFC 3891 section 3).
        (EndedBy::Unreachable | EndedBy::Replaced, _) => (
            CallState::NoAnswer,
            "the caller became unreachable".to_owned(),
        ),
    }
}

fn outbound(by: EndedBy, status: &Status) -> (CallState, String) {
    match (by, status.code) {
        (EndedBy::Local, _) => (CallState::Canceled, "you gave up".to_owned()),
        (EndedBy::Replaced, _) => (
            CallState::Canceled,
            "somebody else picked it up, in another call".to_owned(),
        ),
        (EndedBy::RingLimit, _) => (CallState::NoAnswer, "nobody answered in time".to_owned()),
        (EndedBy::Remote | EndedBy::Unreachable, code) => match code {
            486 | 600 => (CallState::Busy, "busy".to_owned()),
            603 => (CallState::Rejected, "declined".to_owned()),
            480 => (CallState::NoAnswer, "not available now".to_owned()),
            408 if by == EndedBy::Remote => {
                (CallState::NoAnswer, "nobody answered in time".to_owned())
            }
            404 | 410 | 484 | 604 => (
                CallState::Failed,
                format!("this number or address does not exist ({code})"),
            ),
            401 | 407 => (
                CallState::Failed,
                "user name or password were not accepted; check the account in Settings".to_owned(),
            ),
            403 => (
                CallState::Failed,
                format!("not allowed by the PBX ({})", status.phrase),
            ),
            488 | 606 => (
                CallState::Failed,
                "the far end has no codec in common with this phone".to_owned(),
            ),
            300..=399 => (
                CallState::Forwarded,
                "the far end asks to be called elsewhere".to_owned(),
            ),
            _ if by == EndedBy::Unreachable => (
                CallState::Failed,
                if status.phrase.contains(';') {
                    // It brings its own remedy.
                    format!("the far end cannot be reached: {}", status.phrase)
                } else {
                    format!(
                        "the far end cannot be reached ({}); check the address and the network",
                        status.phrase
                    )
                },
            ),
            _ => (CallState::Failed, format!("{code} {}", status.phrase)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(
        direction: CallDirection,
        answered: bool,
        by: EndedBy,
        code: u16,
        reason: Option<&str>,
    ) -> (CallState, bool) {
        let status = Status::new(code, "");
        let reached = if answered {
            Reached::Talking
        } else {
            Reached::Ringing
        };
        let outcome = outcome(direction, reached, by, &status, reason, None);
        (outcome.state, outcome.done)
    }

    #[test]
    fn an_answer_that_is_never_confirmed_is_a_failed_call() {
        let status = Status::new(408, "no ACK came");
        let judged = outcome(
            CallDirection::Inbound,
            Reached::Answered,
            EndedBy::Unreachable,
            &status,
            None,
            None,
        );
        assert_eq!(judged.state, CallState::Failed);
        assert!(!judged.done, "it waits for a call back");
    }

    #[test]
    fn a_rule_and_a_machine_say_whether_something_is_left_to_do() {
        let sent = |state| {
            let status = Status::new(302, "");
            let (inbound, local) = (CallDirection::Inbound, EndedBy::Local);
            outcome(inbound, Reached::Ringing, local, &status, None, None)
                .by_rule(state, "forwarded to 8000 (no answer)".to_owned())
        };
        assert!(sent(CallState::Forwarded).done, "somebody takes it there");
        assert!(!sent(CallState::Voicemail).done, "nobody does");
        let called = |code, reached| {
            let status = Status::new(code, "");
            let (outbound, remote) = (CallDirection::Outbound, EndedBy::Remote);
            outcome(outbound, reached, remote, &status, None, None).with_voice_mail()
        };
        assert_eq!(called(200, Reached::Talking).state, CallState::Voicemail);
        assert_eq!(called(486, Reached::Ringing).state, CallState::Busy);
    }

    #[test]
    fn outcomes_follow_the_table() {
        use CallDirection::{Inbound, Outbound};
        use EndedBy::{Local, Remote, RingLimit, Unreachable};
        let elsewhere = Some("SIP ;cause=200 ;text=\"Call completed elsewhere\"");
        let voice_mail = Some("SIP ;cause=200 ;text=\"Call completed elsewhere by voicemail\"");
        for (direction, answered, by, code, reason, state, done) in [
            (Inbound, true, Remote, 200, None, CallState::Completed, true),
            (
                Inbound,
                false,
                Remote,
                487,
                None,
                CallState::NoAnswer,
                false,
            ),
            (
                Inbound,
                false,
                Remote,
                487,
                elsewhere,
                CallState::AnsweredElsewhere,
                true,
            ),
            (
                Inbound,
                false,
                Remote,
                487,
                voice_mail,
                CallState::Voicemail,
                false,
            ),
            (Inbound, false, Local, 603, None, CallState::Rejected, false),
            (Inbound, false, Local, 486, None, CallState::Busy, false),
            (Inbound, false, Local, 302, None, CallState::Forwarded, true),
            (
                Inbound,
                false,
                RingLimit,
                480,
                None,
                CallState::NoAnswer,
                false,
            ),
            (Outbound, true, Local, 200, None, CallState::Completed, true),
            (Outbound, false, Local, 487, None, CallState::Canceled, true),
            (Outbound, false, Remote, 486, None, CallState::Busy, true),
            (Outbound, false, Remote, 404, None, CallState::Failed, true),
            (
                Outbound,
                false,
                Remote,
                480,
                None,
                CallState::NoAnswer,
                true,
            ),
            (
                Outbound,
                false,
                RingLimit,
                487,
                None,
                CallState::NoAnswer,
                true,
            ),
            (
                Outbound,
                false,
                Unreachable,
                408,
                None,
                CallState::Failed,
                true,
            ),
        ] {
            assert_eq!(
                judged(direction, answered, by, code, reason),
                (state, done),
                "{direction:?} {answered} {by:?} {code}"
            );
        }
    }
}
