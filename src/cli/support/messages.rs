//! The SIP messages of a call or a registration, as they go into a bundle.

use crate::crm::row::{CallLadder, LadderMessage};

pub(super) fn of_call(told: &CallLadder) -> String {
    let call = &told.call;
    format!(
        "{:?} call, {:?}, {}\nbegan {}, answered {:?}, ended {:?}\n\n{}",
        call.direction,
        call.state,
        call.end_reason.as_deref().unwrap_or("no reason"),
        call.started_at,
        call.answered_at,
        call.ended_at,
        ladder(&told.messages)
    )
}

/// The heads of SIP messages, and of their bodies the kind and the length: what people write is theirs. Media
/// descriptions stay; a call without sound is understood by them alone.
pub(super) fn ladder(messages: &[LadderMessage]) -> String {
    let mut text = String::new();
    for message in messages {
        let way = if message.sent { "->" } else { "<-" };
        let (head, body) = message
            .text
            .split_once("\r\n\r\n")
            .unwrap_or((&message.text, ""));
        let described = head.to_ascii_lowercase().contains("application/sdp");
        let body = match body.len() {
            0 => String::new(),
            _ if described => format!("\n\n{}", without_names(body.trim_end())),
            length => format!("\n\n({length} octets are not in this bundle)"),
        };
        text.push_str(&format!(
            "{} {} {way} {} by {}\n{head}{body}\n\n",
            message.at, message.local, message.remote, message.transport
        ));
    }
    text.replace('\r', "")
}

/// A media description without its lines for people: who made it, subject, addresses (RFC 8866 section 5).
fn without_names(description: &str) -> String {
    let lines = description.lines().map(|line| match line.split_once('=') {
        Some(("o", origin)) => {
            let rest = origin.split_once(' ').map_or("", |(_, rest)| rest);
            format!("o=- {rest}\n")
        }
        Some((kind @ ("s" | "i" | "u" | "e" | "p"), _)) => format!("{kind}=-\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}
