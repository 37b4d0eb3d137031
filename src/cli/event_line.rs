//! Events as lines: JSON for scripts, words for a person.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::base::printable::printable;
use crate::control::event::CallContext;
use crate::control::{ColleagueView, Event, MailboxView, ReferralDecision};

/// One event as a JSON object; none for those that are not of this interface.
pub(super) fn json(at: Timestamp, event: &Event) -> Option<Value> {
    let (name, fields) = fields(event)?;
    let mut line = Map::new();
    line.insert("at".to_owned(), json!(format!("{at:.6}")));
    line.insert("event".to_owned(), json!(name));
    if let Value::Object(fields) = fields {
        line.extend(fields);
    }
    Some(Value::Object(line))
}

/// One event as a line of words.
pub(super) fn text(at: Timestamp, event: &Event) -> Option<String> {
    let (name, fields) = fields(event)?;
    let mut line = format!("{at:.3} {name}");
    if let Value::Object(fields) = fields {
        for (key, value) in fields {
            if matches!(value, Value::Null) {
                continue;
            }
            let value = match value {
                Value::String(text) => printable(&text),
                other => other.to_string(),
            };
            line.push_str(&format!(" {key}={value}"));
        }
    }
    Some(line)
}

#[expect(clippy::too_many_lines, reason = "a table: one arm for each event")]
fn fields(event: &Event) -> Option<(&'static str, Value)> {
    Some(match event {
        Event::Registered {
            account: _,
            address,
            expires,
        } => (
            "registered",
            json!({"account": address, "expires": expires.as_secs()}),
        ),
        Event::Registering {
            account: _,
            address,
            reason,
        } => ("registering", json!({"account": address, "reason": reason})),
        Event::RegistrationFailed {
            account: _,
            address,
            status,
            reason,
            retry_in,
        } => (
            "registration_failed",
            json!({
                "account": address,
                "status": status,
                "reason": reason,
                "retry_in": retry_in.map(|wait| wait.as_secs_f64()),
            }),
        ),
        Event::Unregistered {
            account: _,
            address,
        } => ("unregistered", json!({"account": address})),
        Event::Moved { call, local } => ("moved", of(call, json!({"local": local}))),
        Event::Incoming { call, durable } => ("incoming", of(call, json!({"durable": durable}))),
        Event::Outgoing { call, durable, uri } => (
            "outgoing",
            of(call, json!({"durable": durable, "uri": uri})),
        ),
        Event::Ringing { call, status } => ("ringing", of(call, json!({"status": status}))),
        Event::Answered {
            call,
            by_wish,
            answered_by,
        } => (
            "answered",
            of(
                call,
                json!({"by_wish": by_wish, "answered_by": answered_by}),
            ),
        ),
        Event::Rules { address, rules } => (
            "rules",
            json!({
                "account": address,
                "do_not_disturb": rules.do_not_disturb,
                "forward_always": rules.forward_always,
                "forward_busy": rules.forward_busy,
                "forward_no_answer": rules.forward_no_answer,
            }),
        ),
        Event::Held { call, by_remote } => (
            "held",
            of(
                call,
                json!({"by": if *by_remote { "remote" } else { "local" }}),
            ),
        ),
        Event::Resumed { call } => ("resumed", of(call, json!({}))),
        Event::Dtmf { call, digit } => ("dtmf", of(call, json!({"digit": digit}))),
        Event::Transferred {
            call,
            to,
            attended,
            status,
            reason,
        } => (
            "transferred",
            of(
                call,
                json!({"transferred_to": to, "attended": attended, "status": status, "reason": reason}),
            ),
        ),
        Event::TransferRequested {
            call,
            to,
            by,
            attended,
            decision,
        } => (
            "transfer_requested",
            of(
                call,
                json!({
                    "transfer_to": to,
                    "by": by,
                    "attended": attended,
                    "decision": word(*decision),
                }),
            ),
        ),
        Event::RedirectRequested {
            call,
            to,
            status,
            decision,
        } => (
            "redirect_requested",
            of(
                call,
                json!({"redirect_to": to, "status": status, "decision": word(*decision)}),
            ),
        ),
        Event::Redirected { call, to } => ("redirected", of(call, json!({"redirected_to": to}))),
        Event::Media {
            call,
            codec,
            local,
            remote,
            security,
        } => (
            "media",
            of(
                call,
                json!({"codec": codec, "local": local, "remote": remote, "security": security}),
            ),
        ),
        Event::Quality {
            call,
            figures,
            received,
            sent,
        } => (
            "quality",
            of(
                call,
                json!({
                    "loss": figures.loss,
                    "jitter_ms": figures.jitter_millis,
                    "round_trip_ms": figures.round_trip_millis,
                    "level_out": figures.level_out,
                    "level_in": figures.level_in,
                    "received": received,
                    "sent": sent,
                }),
            ),
        ),
        Event::Recording {
            call,
            state,
            path,
            problem,
        } => (
            "recording",
            of(
                call,
                json!({"state": state, "path": path, "problem": problem}),
            ),
        ),
        Event::Ended {
            call,
            state,
            status,
            reason,
            waiting,
            talking,
            durable,
        } => (
            "ended",
            of(
                call,
                json!({
                    "state": state,
                    "status": status,
                    "reason": reason,
                    "waiting": waiting.as_secs_f64(),
                    "talking": talking.map(|time| time.as_secs_f64()),
                    "durable": durable,
                }),
            ),
        ),
        Event::Message { from, text } => ("message", json!({"from": from, "text": text})),
        Event::MessageWaiting(mailbox) => ("message_waiting", waiting(mailbox)),
        Event::Watched(colleague) => ("watched", watched(colleague)),
        Event::CallRefused { target, text } => {
            ("error", json!({"message": text, "target": target}))
        }
        Event::Error { call, text } => ("error", json!({"message": text, "call_id": call})),
        Event::Lagged { missing } => ("lagged", json!({"missing": missing})),
        Event::LabWanted | Event::LabCallWanted(_) => return None,
    })
}

fn word(decision: ReferralDecision) -> &'static str {
    match decision {
        ReferralDecision::Refused => "refused",
        ReferralDecision::Asked => "asked",
        ReferralDecision::Followed => "followed",
    }
}

fn waiting(mailbox: &MailboxView) -> Value {
    let counts: Map<String, Value> = mailbox
        .counts
        .iter()
        .map(|count| {
            let fields = json!({
                "new": count.new,
                "old": count.old,
                "new_urgent": count.new_urgent,
                "old_urgent": count.old_urgent,
            });
            (count.class.to_owned(), fields)
        })
        .collect();
    json!({
        "account": mailbox.address,
        "waiting": mailbox.waiting,
        "counts": counts,
        "voicemail": mailbox.voicemail,
    })
}

fn watched(colleague: &ColleagueView) -> Value {
    let pickup = colleague.pickup.as_ref().map(|pickup| {
        json!({
            "sip_call_id": pickup.call_id,
            "local_tag": pickup.local_tag,
            "remote_tag": pickup.remote_tag,
            "uri": pickup.target,
        })
    });
    json!({
        "name": colleague.name,
        "uri": colleague.address,
        "kind": colleague.watch,
        "state": colleague.state.word(),
        "detail": colleague.detail,
        "pickup": pickup,
        "problem": colleague.problem,
    })
}

/// Joins what each event of a call carries with its own fields.
fn of(call: &CallContext, fields: Value) -> Value {
    let contact = call.contact.as_ref().map(|found| {
        json!({
            "id": found.contact,
            "name": found.name,
            "organization": found.organization,
            "level": found.level,
            "reason": found.reason,
        })
    });
    let mut joined = json!({
        "call_id": call.call,
        "direction": call.direction,
        "from": call.from,
        "to": call.to,
        "contact": contact,
    });
    if let Value::Object(joined) = &mut joined {
        if !call.via.is_empty() {
            joined.insert("via".to_owned(), json!(call.via));
        }
        if let Some(proof) = call.number_proof {
            joined.insert("number_proof".to_owned(), json!(proof));
        }
    }
    if let (Value::Object(joined), Value::Object(fields)) = (&mut joined, fields) {
        joined.extend(fields);
    }
    joined
}
