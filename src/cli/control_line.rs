//! Commands on standard input, one JSON object a line.

use serde::Deserialize;

use crate::base::id::{AccountId, CallId};
use crate::control::{
    Asker, CallTarget, Command, PickupTarget, Rule, Snapshot, TransferTo, Wish, WrapUpWish,
};
use crate::crm::row::{AgentState, Subject};

/// How long a line may be.
pub(super) const LINE_LIMIT: usize = 64 * 1024;

/// One line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    command: String,
    call_id: Option<String>,
    uri: Option<String>,
    digits: Option<String>,
    text: Option<String>,
    status: Option<u16>,
    on: Option<bool>,
    attended: Option<bool>,
    other_call_id: Option<String>,
    confirm: Option<bool>,
    when: Option<String>,
    state: Option<AgentState>,
    sip_call_id: Option<String>,
    local_tag: Option<String>,
    remote_tag: Option<String>,
    call_type: Option<String>,
    keep_ticket: Option<bool>,
    follow_up: Option<String>,
    due: Option<jiff::Timestamp>,
    caller: Option<String>,
    account: Option<String>,
}

/// What serde says without the value that it quotes, which may be payment data: digits without their
/// quotation marks.
fn without_value(error: &str) -> String {
    match (error.find(": "), error.find(", expected")) {
        (Some(begin), Some(end)) if error.starts_with("invalid") && begin < end => {
            let (kind, rest) = (error.get(..begin), error.get(end..));
            kind.into_iter().chain(rest).collect()
        }
        _ => error.to_owned(),
    }
}

/// Reads a line and finds the call that it means; gives the command's name for the answer.
///
/// # Errors
///
/// A sentence that says what is wrong with the line.
pub(super) fn parse(
    line: &str,
    open: &[CallId],
    snapshot: &Snapshot,
) -> Result<(String, Command), String> {
    let line: Line = serde_json::from_str(line).map_err(|error| {
        let why = without_value(&error.to_string());
        format!("this line is no command ({why}); write for example {{\"command\": \"answer\"}}")
    })?;
    let call = || call(&line, open);
    let missing = |field: &str| format!("\"{}\" needs \"{field}\"", line.command);
    let command = match line.command.as_str() {
        "answer" => Command::Answer(call()?),
        "hold" => Command::Hold(call()?),
        "resume" => Command::Resume(call()?),
        "mute" => Command::Mute(call()?, line.on.unwrap_or(true)),
        "unmute" => Command::Mute(call()?, false),
        "dtmf" => Command::Dtmf(
            call()?,
            line.digits.clone().ok_or_else(|| missing("digits"))?,
        ),
        "record" => Command::Record(call()?, line.on.unwrap_or(true)),
        "pause_recording" => Command::PauseRecording(call()?, line.on.unwrap_or(true)),
        "hangup" => Command::HangUp(call()?),
        "decline" => Command::Decline(call()?),
        "busy" => Command::Busy(call()?),
        "reject" => Command::Reject(call()?, line.status.ok_or_else(|| missing("status"))?),
        "redirect" => {
            let target = line.uri.clone().ok_or_else(|| missing("uri"))?;
            Command::Redirect(call()?, target, wish(&line))
        }
        "notes" => Command::Notes(call()?, line.text.clone().ok_or_else(|| missing("text"))?),
        "open_page" => Command::OpenPage(call()?),
        "choose" => {
            let caller = line.caller.as_deref().ok_or_else(|| missing("caller"))?;
            Command::ChooseCaller(call()?, who(caller)?)
        }
        "wrap_up" => Command::WrapUp(call_by_name(&line)?, wrap_up(&line)),
        "call" => {
            let text = line.uri.clone().ok_or_else(|| missing("uri"))?;
            Command::CallFor {
                target: CallTarget {
                    text,
                    account: account(&line, snapshot)?,
                },
                asker: Asker::Script,
                confirmed: line.confirm.unwrap_or(false),
            }
        }
        "transfer" => transfer(&line, call()?, snapshot)?,
        "accept_transfer" => Command::AnswerReferral(call()?, true),
        "refuse_transfer" => Command::AnswerReferral(call()?, false),
        "accept_redirect" => Command::AnswerRedirection(call()?, true),
        "refuse_redirect" => Command::AnswerRedirection(call()?, false),
        "join" => Command::Join(call()?, other(&line)?),
        "swap" => Command::Swap(call()?, other(&line)?),
        "dnd" => Command::SetRule(
            None,
            Rule::DoNotDisturb(line.on.unwrap_or(true)),
            wish(&line),
        ),
        "forward" => {
            // Without an address the rule is taken back.
            let target = line.uri.clone().unwrap_or_default();
            let rule = match line.when.as_deref().unwrap_or("always") {
                "always" => Rule::ForwardAlways(target),
                "busy" => Rule::ForwardBusy(target),
                "no-answer" => Rule::ForwardNoAnswer(target),
                other => {
                    return Err(format!(
                        "\"when\" is \"{other}\"; write always, busy or no-answer"
                    ));
                }
            };
            Command::SetRule(None, rule, wish(&line))
        }
        "pickup" => {
            let needed =
                |name: &str, value: &Option<String>| value.clone().ok_or_else(|| missing(name));
            let target = Box::new(PickupTarget {
                call_id: needed("sip_call_id", &line.sip_call_id)?,
                local_tag: needed("local_tag", &line.local_tag)?,
                remote_tag: needed("remote_tag", &line.remote_tag)?,
                target: needed("uri", &line.uri)?,
            });
            Command::Pickup(target, wish(&line))
        }
        "agent" => Command::SetAgentState(
            line.state.ok_or_else(|| missing("state"))?,
            line.text.clone().unwrap_or_default(),
        ),
        "popups" => Command::SetPopups(line.on.unwrap_or(true)),
        "quit" => Command::Quit,
        other => {
            return Err(format!(
                "there is no command \"{other}\"; there are answer, hold, resume, mute, unmute, dtmf, record, pause_recording, hangup, decline, busy, reject, redirect, notes, open_page, choose, wrap_up, transfer, accept_transfer, refuse_transfer, accept_redirect, refuse_redirect, join, swap, call, dnd, forward, pickup, agent, popups, quit"
            ));
        }
    };
    Ok((line.command, command))
}

/// The account that is named by its address; none takes the first that can.
fn account(line: &Line, snapshot: &Snapshot) -> Result<Option<AccountId>, String> {
    let Some(address) = &line.account else {
        return Ok(None);
    };
    let found = snapshot.account_of(address);
    let missing =
        || format!("there is no account {address}; write its address, such as sip:bob@example.com");
    found.map(Some).ok_or_else(missing)
}

/// A call that may be over: it must be named.
fn call_by_name(line: &Line) -> Result<CallId, String> {
    let id = line.call_id.as_deref().and_then(CallId::parse);
    id.ok_or_else(|| format!("\"{}\" needs the \"call_id\" of its call", line.command))
}

/// Whom a call is with: a person or an organization, or none of those who are known.
fn who(caller: &str) -> Result<Option<Subject>, String> {
    match Subject::parse(caller) {
        Some(Subject::Ticket(_)) | None if caller != "none" => Err(format!(
            "\"caller\" is \"{caller}\"; write contact:5, organization:3 or none"
        )),
        subject => Ok(subject),
    }
}

fn wrap_up(line: &Line) -> WrapUpWish {
    WrapUpWish {
        notes: line.text.clone(),
        call_type: line.call_type.clone(),
        keep_ticket: line.keep_ticket.unwrap_or(true),
        follow_up: line.follow_up.clone(),
        due: line.due,
    }
}

/// A program asks.
fn wish(line: &Line) -> Wish {
    Wish {
        asker: Asker::Script,
        confirmed: line.confirm.unwrap_or(false),
    }
}

/// Blind to an address; attended by a consult call to an address, or to a call that is there.
fn transfer(line: &Line, call: CallId, snapshot: &Snapshot) -> Result<Command, String> {
    let attended = line.attended.unwrap_or(false);
    let wish = wish(line);
    match (&line.other_call_id, &line.uri) {
        (Some(_), _) => Ok(Command::Transfer {
            call,
            to: TransferTo::Call(other(line)?),
            wish,
        }),
        (None, Some(uri)) if attended => Ok(Command::Consult {
            call,
            target: CallTarget {
                text: uri.clone(),
                account: account(line, snapshot)?,
            },
            wish,
        }),
        (None, Some(uri)) => Ok(Command::Transfer {
            call,
            to: TransferTo::Address(uri.clone()),
            wish,
        }),
        (None, None) => Err("\"transfer\" needs \"uri\" or \"other_call_id\"".to_owned()),
    }
}

fn other(line: &Line) -> Result<CallId, String> {
    let text = line
        .other_call_id
        .as_ref()
        .ok_or_else(|| format!("\"{}\" needs \"other_call_id\"", line.command))?;
    CallId::parse(text).ok_or_else(|| format!("\"{text}\" is no call id"))
}

/// The named call, or the only open one.
fn call(line: &Line, open: &[CallId]) -> Result<CallId, String> {
    if let Some(text) = &line.call_id {
        return CallId::parse(text).ok_or_else(|| format!("\"{text}\" is no call id"));
    }
    match open {
        [call] => Ok(*call),
        [] => Err("no call is open".to_owned()),
        [..] => Err("several calls are open; name one by \"call_id\"".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_done_is_said() {
        for (line, says) in [
            ("{}", "no command"),
            ("answer", "no command"),
            (r#"{"command":"dance"}"#, "no command \"dance\""),
            (r#"{"command":"answer"}"#, "no call is open"),
            (r#"{"command":"call"}"#, "needs \"uri\""),
            (r#"{"command":"hangup","call_id":"x"}"#, "no call id"),
            (r#"{"command":"choose"}"#, "needs \"caller\""),
            (
                r#"{"command":"call","uri":"101","account":"sip:x@example.com"}"#,
                "there is no account sip:x@example.com",
            ),
        ] {
            let error = parse(line, &[], &Snapshot::default()).unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
    }

    #[test]
    fn a_caller_is_somebody_or_none_of_those_who_are_known() {
        let call = CallId::new(1, [1; 10]);
        let chosen = |caller: &str| {
            let line = format!(r#"{{"command":"choose","caller":"{caller}"}}"#);
            parse(&line, &[call], &Snapshot::default()).map(|(_, command)| command)
        };
        for (caller, subject) in [
            ("contact:5", Subject::parse("contact:5")),
            ("organization:3", Subject::parse("organization:3")),
            ("none", None),
        ] {
            assert!(
                matches!(chosen(caller), Ok(Command::ChooseCaller(id, who)) if id == call && who == subject),
                "{caller}"
            );
        }
        for odd in ["", "ticket:7", "contact:0", "anna"] {
            let error = chosen(odd).unwrap_err();
            assert!(error.contains("write contact:5"), "{odd}: {error}");
        }
    }

    #[test]
    fn a_call_needs_only_its_target() {
        let line = r#"{"command":"call","uri":"sip:echo@127.0.0.1"}"#;
        let (name, command) = parse(line, &[], &Snapshot::default()).unwrap();
        assert_eq!(name, "call");
        assert!(matches!(
            command,
            Command::CallFor { target, asker: Asker::Script, confirmed: false }
                if target.text == "sip:echo@127.0.0.1"
        ));
    }
}
