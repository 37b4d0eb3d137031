//! A call's SIP messages as a picture of arrows, for a person.

use crate::base::printable::printable;
use crate::crm::row::{CallDirection, CallLadder, LadderMessage};

/// Characters between the two lines of the picture.
const WIDTH: usize = 46;

/// Draws the ladder: the phone on the left, the far end on the right, times since the first message.
pub fn picture(ladder: &CallLadder) -> Vec<String> {
    picture_with(ladder, |_| false)
}

/// The same, with the whole text below the messages that are open, counted from the first.
pub fn picture_with(ladder: &CallLadder, open: impl Fn(usize) -> bool) -> Vec<String> {
    let call = &ladder.call;
    let direction = match call.direction {
        CallDirection::Inbound => "from",
        CallDirection::Outbound => "to",
    };
    let mut lines = vec![printable(&format!(
        "call {} {direction} {}, {}, {}",
        call.id,
        call.remote,
        call.state.as_str(),
        call.end_reason.as_deref().unwrap_or("not over yet"),
    ))];
    if ladder.messages.is_empty() {
        lines.push("no SIP messages are kept of it: it is older than ladder_days says, it never reached the network, or the phone was killed before they were written".to_owned());
    }
    lines.extend(draw(&ladder.messages, open));
    lines
}

/// Draws messages alone, with times since the first one.
pub fn rungs(messages: &[LadderMessage]) -> Vec<String> {
    draw(messages, |_| false)
}

/// What a message is in a few words, at most `room` characters: the status with its method, or the
/// method with its target, and what it carries. As it came: whoever shows it makes it harmless.
pub fn title(text: &str, room: usize) -> String {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let head = lines.take_while(|line| !line.is_empty());
    let mut method = "";
    let mut body = "";
    for line in head {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        match name.trim().to_ascii_lowercase().as_str() {
            "cseq" => method = value.split_whitespace().last().unwrap_or_default(),
            "content-type" | "c" if value.trim().eq_ignore_ascii_case("application/sdp") => {
                body = " (SDP)";
            }
            "content-type" | "c" => body = " (body)",
            _ => {}
        }
    }
    let words = match first.strip_prefix("SIP/2.0 ") {
        Some(status) => format!("{status} ({method}){body}"),
        None => {
            let request = first.strip_suffix(" SIP/2.0").unwrap_or(first);
            let (method, uri) = request.split_once(' ').unwrap_or((request, ""));
            // The method must not be pushed out of the picture by a long address.
            format!("{method}{body} {uri}")
        }
    };
    words.chars().take(room).collect()
}

/// The status of a response; none for a request.
pub fn status(text: &str) -> Option<u16> {
    let (code, _) = text.strip_prefix("SIP/2.0 ")?.split_once(' ')?;
    code.parse().ok()
}

fn draw(messages: &[LadderMessage], open: impl Fn(usize) -> bool) -> Vec<String> {
    let mut lines = Vec::new();
    let Some(first) = messages.first() else {
        return lines;
    };
    lines.push(format!("seconds from {}", first.at));
    let mut ends = None;
    for (place, message) in messages.iter().enumerate() {
        if message.omitted > 0 {
            lines.push(format!(
                "{:>12}  … {} messages left out …",
                "", message.omitted
            ));
        }
        let now = (message.local, message.remote);
        if ends != Some(now) {
            ends = Some(now);
            lines.push(format!(
                "{:>12}  {:<half$}{:>half$}",
                "",
                message.local.to_string(),
                message.remote.to_string(),
                half = WIDTH / 2 + 1,
            ));
        }
        let since = message.at.duration_since(first.at).as_secs_f64();
        lines.push(format!("{since:>12.6}  {}", arrow(message)));
        if open(place) {
            let whole = message.text.lines().map(printable);
            lines.extend(whole.map(|line| format!("{:>12}  {line}", "")));
        }
    }
    lines
}

fn arrow(message: &LadderMessage) -> String {
    let words = printable(&title(&message.text, WIDTH - 6));
    let transport = &message.transport;
    let dashes = "-".repeat((WIDTH - 6).saturating_sub(words.chars().count()));
    if message.sent {
        format!("|-- {words} {dashes}>| {transport}")
    } else {
        format!("|<- {words} {dashes}-| {transport}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::CallId;
    use crate::crm::row::{CallRow, CallState};

    fn message(millis: i64, sent: bool, text: &str) -> LadderMessage {
        LadderMessage {
            at: jiff::Timestamp::from_millisecond(millis).unwrap(),
            sent,
            transport: "UDP".to_owned(),
            local: "10.0.0.1:5060".parse().unwrap(),
            remote: "10.0.0.2:5070".parse().unwrap(),
            omitted: 0,
            text: text.to_owned(),
        }
    }

    fn ladder() -> CallLadder {
        let id = CallId::new(1, [1; 10]);
        let mut late = message(1_500, false, "BYE sip:me@10.0.0.1 SIP/2.0\r\n\r\n");
        late.omitted = 7;
        CallLadder {
            call: CallRow {
                state: CallState::Completed,
                end_reason: Some("the far end hung up".to_owned()),
                ..CallRow::ringing(id, "+49301234567", jiff::Timestamp::UNIX_EPOCH)
            },
            messages: vec![
                message(
                    0,
                    false,
                    "INVITE sip:me@a.very.long.name.that.does.not.fit.into.the.picture SIP/2.0\r\nc: application/sdp\r\n\r\n",
                ),
                message(
                    1,
                    true,
                    "SIP/2.0 180 Ring\u{1b}ing\r\nCSeq: 1 INVITE\r\n\r\n",
                ),
                late,
            ],
        }
    }

    #[test]
    fn a_ladder_is_drawn_with_times_ends_and_directions() {
        let lines = picture(&ladder());
        assert_eq!(
            lines[2..],
            [
                "              10.0.0.1:5060                      10.0.0.2:5070",
                "    0.000000  |<- INVITE (SDP) sip:me@a.very.long.name.tha -| UDP",
                "    0.001000  |-- 180 Ring\u{fffd}ing (INVITE) ------------------->| UDP",
                "              … 7 messages left out …",
                "    1.500000  |<- BYE sip:me@10.0.0.1 ----------------------| UDP",
            ],
            "{}",
            lines.join("\n")
        );
        assert!(lines[0].ends_with("completed, the far end hung up"));
    }

    #[test]
    fn an_open_message_stands_below_its_arrow_without_what_steers_a_terminal() {
        let lines = picture_with(&ladder(), |place| place == 1);
        assert_eq!(
            lines[5..8],
            [
                "              SIP/2.0 180 Ring\u{fffd}ing",
                "              CSeq: 1 INVITE",
                "              ",
            ],
            "{}",
            lines.join("\n")
        );
    }

    #[test]
    fn a_status_is_read_of_responses_alone() {
        assert_eq!(status("SIP/2.0 486 Busy Here\r\n"), Some(486));
        for other in ["BYE sip:a SIP/2.0\r\n", "SIP/2.0 busy here\r\n", ""] {
            assert_eq!(status(other), None, "{other}");
        }
    }
}
