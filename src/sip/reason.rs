//! Why a request was sent: the Reason header field (RFC 3326).

use crate::sip::parse;

/// One value of Reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Whose numbers `cause` counts: `SIP`, `Q.850` or another, as written.
    pub protocol: String,
    /// The status or cause, when it is a number.
    pub cause: Option<u16>,
    /// The words.
    pub text: Option<String>,
}

/// Who took a call instead of us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// Their name or number, where the network tells it.
    pub by: Option<String>,
}

/// Reads all values of one or more joined Reason header fields; what cannot be read is left out.
pub fn reasons(value: &str) -> Vec<Reason> {
    parse::comma_list(value)
        .into_iter()
        .filter_map(|entry| {
            let (protocol, params) = entry.split_once(';').unwrap_or((entry, ""));
            let protocol = protocol.trim();
            let params = parse::parameters(params);
            let find = |name: &str| {
                params
                    .iter()
                    .find(|param| param.name.eq_ignore_ascii_case(name))
                    .and_then(|param| param.value.clone())
            };
            parse::is_token(protocol).then(|| Reason {
                protocol: protocol.to_owned(),
                cause: find("cause").and_then(|cause| cause.parse().ok()),
                text: find("text").filter(|text| !text.is_empty()),
            })
        })
        .collect()
}

/// Whether the Reason of a CANCEL says that somebody else took the call: a 2xx of another branch
/// (RFC 3326 section 3.1), "non-selected user clearing" (ITU-T Q.850 cause 26), or the words and
/// causes of well-known exchanges.
pub fn answered_elsewhere(value: &str) -> Option<Elsewhere> {
    const WORDS: [&str; 7] = [
        "completed elsewhere",
        "answered elsewhere",
        "elsewhere answered",
        "answered by",
        "picked up",
        "picked_off",
        "lose_race",
    ];
    let all = reasons(value);
    let says = |reason: &&Reason| {
        let sip = reason.protocol.eq_ignore_ascii_case("SIP");
        let isdn = reason.protocol.eq_ignore_ascii_case("Q.850");
        let by_cause = match reason.cause {
            Some(200..300) => sip,
            Some(26) => isdn || sip,
            Some(_) | None => false,
        };
        let text = reason
            .text
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase();
        by_cause || WORDS.iter().any(|words| text.contains(words))
    };
    let reason = all.iter().find(says)?;
    Some(Elsewhere {
        by: reason.text.as_deref().and_then(named),
    })
}

/// Whether the Reason of a CANCEL says that a voice mail took the call; exchanges say so in words alone.
pub fn taken_by_voice_mail(value: &str) -> bool {
    let says = |reason: &Reason| reason.text.as_deref().is_some_and(names_voice_mail);
    reasons(value).iter().any(says)
}

/// Whether words name a voice mail.
pub fn names_voice_mail(words: &str) -> bool {
    const NAMES: [&str; 4] = ["voicemail", "voice mail", "voice-mail", "mailbox"];
    let words = words.to_ascii_lowercase();
    NAMES.iter().any(|name| words.contains(name))
}

/// The name behind "by" in such words.
fn named(text: &str) -> Option<String> {
    const LONGEST: usize = 64;
    let at = text.to_ascii_lowercase().rfind(" by ")?;
    let name = text.get(at + 4..)?.trim().trim_end_matches('.');
    let plain = !name.is_empty() && name.len() <= LONGEST && !name.contains(char::is_control);
    plain.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_the_field_writes_them() {
        let read = reasons("SIP ;cause=200 ;text=\"Call completed, elsewhere\", Q.850;cause=16");
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].protocol, "SIP");
        assert_eq!(read[0].cause, Some(200));
        assert_eq!(read[0].text.as_deref(), Some("Call completed, elsewhere"));
        assert_eq!(
            (read[1].protocol.as_str(), read[1].cause),
            ("Q.850", Some(16))
        );
        for odd in ["", ",", ";cause=200", "SIP;cause=\"", "\"x", "a b;cause=1"] {
            assert!(
                reasons(odd).iter().all(|reason| reason.cause.is_none()),
                "{odd}"
            );
        }
    }

    #[test]
    fn a_voice_mail_took_the_call() {
        for value in [
            "SIP;cause=200;text=\"Answered by VoiceMail\"",
            "Q.850;cause=16, SIP;text=\"forwarded to voice mail\"",
            "X;text=\"Mailbox of 102\"",
        ] {
            assert!(taken_by_voice_mail(value), "{value}");
        }
        for value in [
            "",
            "SIP;cause=200",
            "SIP;text=\"Answered by 102\"",
            "voicemail",
        ] {
            assert!(!taken_by_voice_mail(value), "{value}");
        }
    }

    #[test]
    fn somebody_else_took_the_call() {
        for (value, by) in [
            ("SIP;cause=200;text=\"Call completed elsewhere\"", None),
            ("SIP ; cause=200", None),
            ("sip;cause=\"200\"", None),
            ("SIP;cause=202", None),
            ("Q.850;cause=26", None),
            ("Q.850;cause=26;text=\"Non-selected user clearing\"", None),
            ("SIP;cause=26;text=\"Call completed elsewhere\"", None),
            ("Q.850;cause=16, SIP;cause=200", None),
            ("FreeSWITCH;cause=502;text=\"LOSE_RACE\"", None),
            ("FreeSWITCH;cause=501;text=\"PICKED_OFF\"", None),
            ("SIP;text=\"Answered elsewhere\"", None),
            ("SIP;cause=200;text=\"Answered by 102\"", Some("102")),
            (
                "SIP;cause=200;text=\"Call completed elsewhere by Ben Ode.\"",
                Some("Ben Ode"),
            ),
        ] {
            let found = answered_elsewhere(value);
            let expected = Elsewhere {
                by: by.map(str::to_owned),
            };
            assert_eq!(found, Some(expected), "{value}");
        }
        for value in [
            "",
            "SIP;cause=487;text=\"Request Terminated\"",
            "SIP;cause=486",
            "SIP;cause=603;text=\"Decline\"",
            "SIP;cause=2000",
            "Q.850;cause=16;text=\"Normal call clearing\"",
            "Q.850;cause=200",
        ] {
            assert_eq!(answered_elsewhere(value), None, "{value}");
        }
    }
}
