//! Events as lines: JSON for scripts, words for a person.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::base::id::CallId;
use crate::base::printable::printable;
use crate::control::event::CallContext;
use crate::control::{CallScript, ColleagueView, Event, MailboxView, MosView, ReferralDecision};
use crate::crm::row::{CallDirection, MatchLevel, Mos, NumberProof, OnAnswer, PopupDecision};

/// One event as a line of JSON; none for those that are not of this interface.
pub(super) fn json(at: Timestamp, event: &Event) -> Option<String> {
    let (event, call, fields) = fields(event)?;
    let line = JsonLine {
        at: format!("{at:.6}"),
        event,
        call: call.map(CallFields::of),
        fields,
    };
    // Nothing in it can fail to be written.
    serde_json::to_string(&line).ok()
}

/// One event as a line of words.
pub(super) fn text(at: Timestamp, event: &Event) -> Option<String> {
    let (name, call, fields) = fields(event)?;
    let mut line = format!("{at:.3} {name}");
    let call = call.and_then(|call| serde_json::to_value(CallFields::of(call)).ok());
    let mut all = Map::new();
    for part in call.into_iter().chain([fields]) {
        if let Value::Object(part) = part {
            all.extend(part);
        }
    }
    for (key, value) in all {
        if matches!(value, Value::Null) {
            continue;
        }
        let value = match value {
            Value::String(text) => printable(&text),
            other => other.to_string(),
        };
        line.push_str(&format!(" {key}={value}"));
    }
    Some(line)
}

/// A line as it is written, without a detour through a tree of values: a busy phone prints
/// thousands a second.
#[derive(Serialize)]
struct JsonLine<'a> {
    at: String,
    event: &'static str,
    #[serde(flatten)]
    call: Option<CallFields<'a>>,
    #[serde(flatten)]
    fields: Value,
}

/// What each event of a call carries.
#[derive(Serialize)]
struct CallFields<'a> {
    call_id: CallId,
    direction: CallDirection,
    from: &'a str,
    to: &'a str,
    contact: Option<ContactFields<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    via: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number_proof: Option<NumberProof>,
}

/// The best match.
#[derive(Serialize)]
struct ContactFields<'a> {
    kind: &'a str,
    id: i64,
    name: &'a str,
    organization: Option<&'a str>,
    level: MatchLevel,
    reason: &'a str,
}

impl<'a> CallFields<'a> {
    fn of(call: &'a CallContext) -> Self {
        Self {
            call_id: call.call,
            direction: call.direction,
            from: &call.from,
            to: &call.to,
            contact: call.contact.as_ref().map(|found| ContactFields {
                kind: found.subject.kind(),
                id: found.subject.id(),
                name: &found.name,
                organization: found.organization.as_deref(),
                level: found.level,
                reason: &found.reason,
            }),
            via: &call.via,
            queue: call.queue.as_deref(),
            number_proof: call.number_proof,
        }
    }
}

/// What was decided about a pop-up, but for the queue where the call tells it already.
fn popup(call: &CallContext, decision: &PopupDecision, durable: bool) -> Value {
    let mut fields = json!(decision);
    if let Value::Object(fields) = &mut fields {
        if call.queue.is_some() {
            fields.remove("queue");
        }
        fields.insert("durable".to_owned(), durable.into());
    }
    fields
}

/// What opens, with what belongs to the call where something does.
fn what_opens(opens: &OnAnswer, script: Option<&CallScript>) -> Value {
    let mut fields = json!(opens);
    if let (Some(script), Value::Object(fields)) = (script, &mut fields) {
        fields.insert("script".to_owned(), json!(script.text));
        fields.insert("page".to_owned(), json!(script.page));
    }
    fields
}

/// An event's name, its call and its own fields.
#[expect(clippy::too_many_lines, reason = "a table: one arm for each event")]
fn fields(event: &Event) -> Option<(&'static str, Option<&CallContext>, Value)> {
    Some(match event {
        Event::Registered {
            account: _,
            address,
            expires,
        } => (
            "registered",
            None,
            json!({"account": address, "expires": expires.as_secs()}),
        ),
        Event::Registering {
            account: _,
            address,
            reason,
        } => (
            "registering",
            None,
            json!({"account": address, "reason": reason}),
        ),
        Event::RegistrationFailed {
            account: _,
            address,
            status,
            reason,
            retry_in,
        } => (
            "registration_failed",
            None,
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
        } => ("unregistered", None, json!({"account": address})),
        Event::Moved { call, local } => ("moved", Some(call), json!({"local": local})),
        Event::Incoming {
            call,
            durable,
            country,
            no_match,
        } => (
            "incoming",
            Some(call),
            json!({"durable": durable, "country": country, "no_match": no_match}),
        ),
        Event::Outgoing { call, durable, uri } => (
            "outgoing",
            Some(call),
            json!({"durable": durable, "uri": uri}),
        ),
        Event::Ringing { call, status } => ("ringing", Some(call), json!({"status": status})),
        Event::Answered {
            call,
            by_wish,
            answered_by,
            durable,
        } => (
            "answered",
            Some(call),
            json!({"by_wish": by_wish, "answered_by": answered_by, "durable": durable}),
        ),
        Event::Missed { call, popped_up } => {
            ("missed", Some(call), json!({"popped_up": popped_up}))
        }
        Event::Popup {
            call,
            decision,
            durable,
        } => ("popup", Some(call), popup(call, decision, *durable)),
        Event::AgentState {
            presence,
            popups,
            durable,
        } => (
            "agent_state",
            None,
            json!({
                "state": presence.state,
                "reason": presence.reason,
                "since": presence.since,
                "until": presence.until,
                "popups": popups,
                "durable": durable,
            }),
        ),
        Event::Rules { address, rules } => (
            "rules",
            None,
            json!({
                "account": address,
                "do_not_disturb": rules.do_not_disturb,
                "forward_always": rules.forward_always,
                "forward_busy": rules.forward_busy,
                "forward_no_answer": rules.forward_no_answer,
            }),
        ),
        Event::Opens {
            call,
            opens,
            script,
        } => ("opens", Some(call), what_opens(opens, script.as_ref())),
        Event::WrappedUp { call } => ("wrapped_up", None, json!({"call_id": call})),
        Event::Held {
            call,
            by_remote,
            durable,
        } => (
            "held",
            Some(call),
            json!({"by": if *by_remote { "remote" } else { "local" }, "durable": durable}),
        ),
        Event::Resumed { call, durable } => ("resumed", Some(call), json!({"durable": durable})),
        Event::Dtmf { call, digit } => ("dtmf", Some(call), json!({"digit": digit})),
        Event::Transferred {
            call,
            to,
            attended,
            status,
            reason,
        } => (
            "transferred",
            Some(call),
            json!({"transferred_to": to, "attended": attended, "status": status, "reason": reason}),
        ),
        Event::TransferRequested {
            call,
            to,
            by,
            attended,
            decision,
        } => (
            "transfer_requested",
            Some(call),
            json!({
                "transfer_to": to,
                "by": by,
                "attended": attended,
                "decision": word(*decision),
            }),
        ),
        Event::RedirectRequested {
            call,
            to,
            status,
            decision,
        } => (
            "redirect_requested",
            Some(call),
            json!({"redirect_to": to, "status": status, "decision": word(*decision)}),
        ),
        Event::Redirected { call, to } => ("redirected", Some(call), json!({"redirected_to": to})),
        Event::Conference { calls } => ("conference", None, json!({"call_ids": calls})),
        Event::Media {
            call,
            codec,
            local,
            remote,
            security,
            suite,
        } => (
            "media",
            Some(call),
            json!({"codec": codec, "local": local, "remote": remote, "security": security.word(), "suite": suite}),
        ),
        Event::Secured {
            call,
            security,
            suite,
        } => (
            "secured",
            Some(call),
            json!({"security": security.word(), "suite": suite}),
        ),
        Event::Path {
            call,
            local,
            remote,
        } => (
            "path",
            Some(call),
            json!({"local": local, "remote": remote}),
        ),
        Event::Quality {
            call,
            figures,
            received,
            sent,
            dropped,
        } => (
            "quality",
            Some(call),
            json!({
                "loss": figures.loss,
                "jitter_ms": figures.jitter_millis,
                "playout_ms": figures.playout_millis,
                "late": figures.late,
                "recovered": figures.recovered,
                "recovered_by_dred": figures.recovered_by_dred,
                "concealed_ms": figures.concealed_millis,
                "stretched_ms": figures.stretched_millis,
                "speaker_dry": figures.speaker_dry,
                "held_up_ms": figures.held_up_millis,
                "mos": figures.mos.map(|score| hundredths(score.mos)),
                "mos_scale": figures.mos.map(scale),
                "mos_estimate": figures.mos.map(|score| score.estimate),
                "remote_loss": figures.remote_loss,
                "remote_jitter_ms": figures.remote_jitter_millis,
                "remote_mos": figures.remote_mos.map(|score| hundredths(score.mos)),
                "round_trip_ms": figures.round_trip_millis,
                "level_out": figures.level_out,
                "level_in": figures.level_in,
                "received": received,
                "sent": sent,
                "dropped": dropped.iter().copied().collect::<BTreeMap<_, _>>(),
            }),
        ),
        Event::SoundFault { call, fault, over } => (
            "sound_fault",
            Some(call),
            json!({
                "cause": fault.cause,
                "side": if fault.incoming { "incoming" } else { "outgoing" },
                "state": if *over { "over" } else { "found" },
                "message": fault.text,
                "advice": fault.advice,
            }),
        ),
        Event::Microphone { state, problem } => (
            "microphone",
            None,
            json!({"state": state, "problem": problem}),
        ),
        Event::MutedTalk { call } => ("muted_talk", Some(call), json!({})),
        Event::Recording {
            call,
            state,
            path,
            problem,
        } => (
            "recording",
            Some(call),
            json!({"state": state, "path": path, "problem": problem}),
        ),
        Event::Ended {
            call,
            state,
            status,
            reason,
            waiting,
            talking,
            quality,
            durable,
        } => (
            "ended",
            Some(call),
            json!({
                "state": state,
                "status": status,
                "reason": reason,
                "waiting": waiting.as_secs_f64(),
                "talking": talking.map(|time| time.as_secs_f64()),
                "quality": quality,
                "durable": durable,
            }),
        ),
        Event::Message { from, text } => ("message", None, json!({"from": from, "text": text})),
        Event::MessageWaiting(mailbox) => ("message_waiting", None, waiting(mailbox)),
        Event::Watched(colleague) => ("watched", None, watched(colleague)),
        Event::CallRefused { target, text } => {
            ("error", None, json!({"message": text, "target": target}))
        }
        Event::Error { call, text } => ("error", None, json!({"message": text, "call_id": call})),
        Event::Lagged { missing } => ("lagged", None, json!({"missing": missing})),
        Event::LabWanted | Event::LabCallWanted(_) | Event::SupportWanted { .. } => return None,
    })
}

/// A score with two digits, as it is shown.
fn hundredths(mos: f32) -> f64 {
    Mos::of(mos.into()).value()
}

fn scale(score: MosView) -> &'static str {
    if score.wideband {
        "wideband"
    } else {
        "narrowband"
    }
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
