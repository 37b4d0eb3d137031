//! How calls end: judged, written down, then told.

use std::time::{Duration, Instant};

use crate::app::engine::Engine;
use crate::app::journal::PATIENCE;
use crate::app::live_call::{Ending, Gate};
use crate::app::outcome::Outcome;
use crate::app::script;
use crate::base::clock;
use crate::base::id::CallId;
use crate::control::Event;
use crate::crm::row::{CallDirection, CallState};
use crate::crm::store::{CallChange, Write};
use crate::media::MediaCommand;
use crate::sip::{EndedBy, SessionId, Status};

/// How many ended calls stay on the screen until the agent dismisses them.
const ENDED_SHOWN: usize = 8;
/// How long a wish to be transferred waits for the agent once its call is over; as long as for the SIP
/// layer.
const QUESTION_STAYS: Duration = Duration::from_secs(180);
/// The reason on a call whose end the far end never confirmed.
const UNCONFIRMED: &str =
    "you hung up; peer unreachable: it never confirmed the end and may believe the call goes on";

impl Engine {
    /// Ends a call that never reached the SIP layer.
    pub(super) fn end_without_session(&mut self, now: Instant, id: CallId, by: EndedBy, code: u16) {
        let status = Status::new(code, script::phrase(code));
        self.with_call(now, id, |call| call.call.handle_ended(by, status, None));
    }

    /// The SIP layer is done with a call; a call that we hung up was told as ended long before.
    pub(super) fn handle_session_end(
        &mut self,
        now: Instant,
        session: SessionId,
        by: EndedBy,
        status: Status,
        reason: Option<String>,
    ) {
        let Some(id) = self.sessions.remove(&session) else {
            return;
        };
        let told = self.calls.get(&id).is_none_or(|call| call.ended.is_some());
        if told && by == EndedBy::Unreachable {
            self.unconfirmed(id, &status);
        }
        // Whoever asks to be called elsewhere and hangs up at once still waits there.
        let question = self
            .calls
            .get_mut(&id)
            .filter(|_| by == EndedBy::Remote)
            .and_then(|call| call.referral.take());
        self.with_call(now, id, |call| call.call.handle_ended(by, status, reason));
        if let Some(call) = self.calls.get_mut(&id)
            && let Some(question) = question
        {
            call.leave_at = Some(question.asked + QUESTION_STAYS);
            call.referral = Some(question);
        }
    }

    /// The far end never confirmed that we hung up: the record says that the two may disagree.
    fn unconfirmed(&mut self, id: CallId, status: &Status) {
        let code = status.code;
        if let Some(call) = self.calls.get_mut(&id) {
            UNCONFIRMED.clone_into(&mut call.status);
        }
        self.record(Write::ChangeCall(
            id,
            CallChange::EndReason {
                sip_status: code,
                end_reason: UNCONFIRMED.to_owned(),
            },
        ));
        self.tell(Event::Error {
            call: Some(id),
            text: format!("{UNCONFIRMED} ({code} {})", status.phrase),
        });
    }

    /// Closes a call for people, records and sound.
    pub(super) fn end(&mut self, now: Instant, id: CallId, judged: Outcome, code: u16) {
        let handed_over = self.handed_over(id);
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        if call.transferred_to.is_none() {
            call.transferred_to = handed_over;
        }
        let judged = match &call.transferred_to {
            Some(to) if call.answered.is_some() => Outcome {
                words: format!("transferred to {to}"),
                ..judged
            },
            Some(_) | None => judged,
        };
        let judged = match &call.redirected_to {
            Some(to) if call.answered.is_none() => Outcome {
                words: format!("{} (redirected to {to})", judged.words),
                ..judged
            },
            Some(_) | None => judged,
        };
        let judged = if call.reached_voice_mail() {
            judged.with_voice_mail()
        } else {
            judged
        };
        call.close(now);
        let joined = call.joined;
        let why = judged.words.clone();
        let talked = call.answered.is_some();
        call.status = judged.words.clone();
        let waiting = call.answered.unwrap_or(now).duration_since(call.started);
        let talking = call.answered.map(|answered| now.duration_since(answered));
        call.ending = Some(Ending {
            state: judged.state,
            status: code,
            reason: judged.words.clone(),
            waiting,
            talking,
            until: now + PATIENCE,
        });
        // It no longer waits for its look-up: its beginning is written and told before its end.
        if matches!(call.gate, Gate::Identifying(_)) {
            self.leave_identifying(now, id);
        }
        self.close_sound(now, id);
        self.record(Write::ChangeCall(
            id,
            CallChange::Ended {
                state: judged.state,
                at: clock::wall_now(),
                waiting_millis: millis(waiting),
                talking_millis: talking.map(millis),
                sip_status: Some(code),
                end_reason: judged.words,
                done: judged.done,
            },
        ));
        if joined {
            self.leave_conference(id);
        }
        self.ladders.lock().ended(now, id);
        self.sound(MediaCommand::Close { call: id });
        self.transfer_unanswered(now, id, &why, code);
        if judged.state == CallState::Busy {
            self.busy_tone(now);
        }
        if talked {
            self.agent_talked(now, id);
        }
        self.forget_old_calls();
        self.publish_edge(now);
    }

    /// Tells the end once its row is on disk, or patience is over.
    pub(super) fn tell_ended(&mut self, id: CallId, durable: bool) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let Some(ending) = call.ending.take() else {
            return;
        };
        call.durable = durable;
        let missed = (call.direction == CallDirection::Inbound
            && matches!(ending.state, CallState::NoAnswer | CallState::Voicemail))
        .then(|| Event::Missed {
            call: call.context(),
            popped_up: call.reception.no_popup.is_none(),
        });
        let event = Event::Ended {
            call: call.context(),
            state: ending.state,
            status: ending.status,
            reason: ending.reason,
            waiting: ending.waiting,
            talking: ending.talking,
            quality: call.sound.summary(),
            durable,
        };
        if let Some(missed) = missed {
            self.tell(missed);
        }
        self.tell(event);
    }

    /// Keeps the screen short: headless phones dismiss nothing.
    fn forget_old_calls(&mut self) {
        let told = (self.calls.values())
            .filter(|call| call.ended.is_some() && call.ending.is_none() && call.referral.is_none())
            .map(|call| (call.id, call.is_written_about()));
        for id in surplus(told.collect()) {
            self.calls.remove(&id);
        }
    }
}

/// The ended calls that are too many, the oldest first; those about which somebody is writing go last.
fn surplus(mut ended: Vec<(CallId, bool)>) -> Vec<CallId> {
    let surplus = ended.len().saturating_sub(ENDED_SHOWN);
    ended.sort_by_key(|(_, written_about)| *written_about);
    ended.into_iter().take(surplus).map(|(id, _)| id).collect()
}

/// Whole milliseconds, for a row.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_ended_calls_leave_first_but_for_those_that_are_written_about() {
        let id = |number: u64| CallId::new(number, [7; 10]);
        let ended = |written_about: &[u64], last: u64| {
            let calls = 1..=last;
            calls
                .map(|number| (id(number), written_about.contains(&number)))
                .collect::<Vec<_>>()
        };
        assert_eq!(surplus(ended(&[], 8)), []);
        assert_eq!(surplus(ended(&[], 10)), [id(1), id(2)]);
        assert_eq!(surplus(ended(&[1, 3], 11)), [id(2), id(4), id(5)]);
        // Headless phones dismiss nothing.
        let all: Vec<u64> = (1..=12).collect();
        assert_eq!(surplus(ended(&all, 12)), [1, 2, 3, 4].map(id));
    }
}
