//! What an INVITE says of its caller and of its way here, beside From and To.
//!
//! Header fields that only a trusted network may write (P-Asserted-Identity, RFC 3325;
//! Remote-Party-ID, the draft that came before it; `verstat`, 3GPP TS 24.229) count only where the
//! request came from the account's own server; from anybody else they are not read. URLs in
//! Call-Info and Alert-Info are read as texts and never fetched.

use std::time::Duration;

use crate::base::uri::{Param, SipUri, Uri, percent_decode};
use crate::sip::event::NameAddr;
use crate::sip::message::Message;
use crate::sip::parse::{self, AddressField};

/// How many earlier targets of a call are kept.
const MAX_VIA: usize = 8;
/// The longest wait before an automatic answer that a caller may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What an INVITE says of its caller.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    /// Whether the request came from the account's own server, which alone may assert things.
    pub trusted: bool,
    /// Who it is by the network's word.
    pub asserted: Option<NameAddr>,
    /// Whether the caller withholds the number (RFC 3323, or the anonymous From of RFC 3261).
    pub anonymous: bool,
    /// What the network says of the number's proof.
    pub verification: Option<Verification>,
    /// For whom the call was before, the last one first (RFC 5806, RFC 7044).
    pub via: Vec<Diverted>,
    /// The wish to be answered without a person.
    pub auto_answer: Option<AutoAnswerWish>,
    /// Whether an emergency service calls back (RFC 7090).
    pub emergency_callback: bool,
}

/// The network's claim about a caller's number (3GPP TS 24.229 section 7.2A.20).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// `TN-Validation-Passed`.
    Passed,
    /// `TN-Validation-Failed`.
    Failed,
    /// `No-TN-Validation`.
    NotDone,
}

impl Verification {
    /// The word in events and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotDone => "none",
        }
    }
}

/// Somebody for whom a call was before it came here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diverted {
    /// Who.
    pub by: NameAddr,
    /// Why it went on, such as `no-answer` or `302`.
    pub reason: Option<String>,
}

/// A wish to be answered without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AutoAnswerWish {
    /// After so long, at most a minute.
    pub after: Duration,
    /// Which header field says so.
    pub header: &'static str,
    /// Whether the caller wants a refusal rather than a person (RFC 5373 section 4.1).
    pub required: bool,
}

impl Caller {
    /// Reads an INVITE; `own` are the user parts by which the called account is known, so that it
    /// is not shown as an earlier target of its own call.
    pub(crate) fn of(invite: &Message, trusted: bool, own: &[&str]) -> Self {
        let withheld = privacy(invite);
        let party = if trusted { remote_party(invite) } else { None };
        let hidden_party = party.as_ref().is_some_and(|party| party.hidden);
        let anonymous_from = invite.from().is_none_or(|from| is_anonymous(&from.uri));
        let asserted = (trusted && !withheld && !hidden_party)
            .then(|| asserted_identity(invite).or_else(|| party.map(|party| party.who)))
            .flatten()
            .filter(|who| !is_anonymous(&who.uri));
        Self {
            trusted,
            anonymous: withheld || hidden_party || (anonymous_from && asserted.is_none()),
            verification: trusted.then(|| verification(invite)).flatten(),
            via: via(invite, own),
            auto_answer: auto_answer(invite),
            emergency_callback: invite
                .header("Priority")
                .is_some_and(|value| value.trim().eq_ignore_ascii_case("psap-callback")),
            asserted,
        }
    }
}

/// Whom a message of a trusted network names, unless that is to be withheld.
pub(crate) fn asserted(message: &Message) -> Option<NameAddr> {
    asserted_identity(message).filter(|who| !privacy(message) && !is_anonymous(&who.uri))
}

/// Whether `Privacy` asks for the identity to be withheld (RFC 3323 section 4.2, RFC 3325 section
/// 9.3).
fn privacy(invite: &Message) -> bool {
    invite
        .headers
        .values("Privacy")
        .flat_map(|value| value.split([';', ',']))
        .any(|token| {
            let token = token.trim();
            ["id", "user", "header"]
                .iter()
                .any(|wish| token.eq_ignore_ascii_case(wish))
        })
}

fn is_anonymous(uri: &Uri) -> bool {
    let Some(sip) = uri.as_sip() else {
        return false;
    };
    let host = sip.host.to_string();
    host.eq_ignore_ascii_case("anonymous.invalid")
        || sip
            .user
            .as_deref()
            .is_some_and(|user| user.eq_ignore_ascii_case("anonymous"))
}

/// P-Asserted-Identity, a SIP URI before a `tel:` one (RFC 3325 section 9.1).
fn asserted_identity(invite: &Message) -> Option<NameAddr> {
    let all = invite.addresses("P-Asserted-Identity");
    all.iter()
        .find(|field| field.uri.as_sip().is_some())
        .or_else(|| all.first())
        .map(AddressField::name_addr)
}

/// The addresses of a field that may hold several; what cannot be read is left out.
fn listed(invite: &Message, name: &str) -> Vec<AddressField> {
    invite
        .headers
        .values(name)
        .flat_map(parse::comma_list)
        .filter_map(|value| parse::address(value).ok())
        .collect()
}

struct RemoteParty {
    who: NameAddr,
    hidden: bool,
}

/// Remote-Party-ID of the caller (draft-ietf-sip-privacy-04 section 5).
fn remote_party(invite: &Message) -> Option<RemoteParty> {
    let field = listed(invite, "Remote-Party-ID")
        .into_iter()
        .find(|field| {
            field
                .param("party")
                .is_none_or(|party| party.eq_ignore_ascii_case("calling"))
        })?;
    let hidden = field.params.iter().any(|param| {
        param.name.eq_ignore_ascii_case("privacy")
            && param
                .value
                .as_deref()
                .is_some_and(|value| !value.eq_ignore_ascii_case("off"))
    });
    Some(RemoteParty {
        who: field.name_addr(),
        hidden,
    })
}

/// `verstat` of P-Asserted-Identity, else of From.
fn verification(invite: &Message) -> Option<Verification> {
    let claim = |uri: &Uri| {
        let text = uri.to_string().to_ascii_lowercase();
        let (_, rest) = text.split_once(";verstat=")?;
        match rest.split([';', '@', '?']).next()? {
            "tn-validation-passed" => Some(Verification::Passed),
            "tn-validation-failed" => Some(Verification::Failed),
            "no-tn-validation" => Some(Verification::NotDone),
            _ => None,
        }
    };
    let asserted = invite.addresses("P-Asserted-Identity");
    asserted
        .iter()
        .find_map(|field| claim(&field.uri))
        .or_else(|| claim(&invite.from()?.uri))
}

/// Diversion, else the entries of History-Info before the one that came here.
fn via(invite: &Message, own: &[&str]) -> Vec<Diverted> {
    let diverted: Vec<Diverted> = invite
        .addresses("Diversion")
        .into_iter()
        .take(MAX_VIA)
        .map(|field| Diverted {
            by: field.name_addr(),
            reason: field.param("reason").map(str::to_owned),
        })
        .collect();
    if !diverted.is_empty() {
        return diverted;
    }
    let mut entries = history(invite);
    // The last entry is this call itself.
    entries.pop();
    let ours = |uri: &Uri| {
        let user = uri.user_decoded();
        own.iter().any(|own| user.as_deref() == Some(own))
    };
    let mut via: Vec<Diverted> = Vec::new();
    for entry in entries.into_iter().rev() {
        let again = via.iter().any(|seen| seen.by.uri == entry.by.uri);
        if !again && !ours(&entry.by.uri) && !is_anonymous(&entry.by.uri) && via.len() < MAX_VIA {
            via.push(entry);
        }
    }
    via
}

/// The entries of History-Info in the order of their index (RFC 7044 section 5.1).
fn history(invite: &Message) -> Vec<Diverted> {
    let index = |field: &AddressField| -> Vec<u32> {
        let text = field.param("index").unwrap_or_default();
        text.split('.')
            .filter_map(|part| part.parse().ok())
            .collect()
    };
    let mut fields = listed(invite, "History-Info");
    fields.truncate(4 * MAX_VIA);
    fields.sort_by_key(index);
    fields
        .into_iter()
        .map(|field| {
            let reason = field.uri.as_sip().and_then(cause);
            let mut by = field.name_addr();
            // The reason and what else was escaped into the URI is nobody's address.
            if let Uri::Sip(uri) = &mut by.uri {
                uri.headers.clear();
                uri.params
                    .retain(|param| !param.name.eq_ignore_ascii_case("cause"));
            }
            Diverted { by, reason }
        })
        .collect()
}

/// Why an entry was left: the escaped Reason, or the `cause` of RFC 4458.
fn cause(uri: &SipUri) -> Option<String> {
    let reason = uri
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("Reason"));
    let by_reason = reason
        .map(|(_, value)| percent_decode(value))
        .and_then(|value| crate::sip::reason::reasons(&value).into_iter().next())
        .and_then(|reason| reason.cause)
        .map(|cause| cause.to_string());
    let by_param = || Param::find(&uri.params, "cause").and_then(|param| param.value.clone());
    by_reason.or_else(by_param)
}

/// The wish for an automatic answer, as the known exchanges write it.
fn auto_answer(invite: &Message) -> Option<AutoAnswerWish> {
    for header in ["Answer-Mode", "Priv-Answer-Mode"] {
        if let Some(value) = invite.header(header) {
            let (mode, params) = value.split_once(';').unwrap_or((value, ""));
            if mode.trim().eq_ignore_ascii_case("auto") {
                return Some(AutoAnswerWish {
                    after: Duration::ZERO,
                    header: "Answer-Mode",
                    required: params.trim().eq_ignore_ascii_case("require"),
                });
            }
        }
    }
    let wish = |after: Option<&str>, header| {
        let seconds = after.and_then(|text| text.trim().parse::<u32>().ok());
        let after = Duration::from_secs(seconds.unwrap_or(0).into()).min(LONGEST_WAIT);
        AutoAnswerWish {
            after,
            header,
            required: false,
        }
    };
    for header in ["Call-Info", "Alert-Info"] {
        for value in invite.headers.values(header).flat_map(parse::comma_list) {
            let params = behind_uri(value);
            if let Some(param) = Param::find(&params, "answer-after") {
                return Some(wish(param.value.as_deref(), header));
            }
            let asks = Param::find(&params, "info")
                .and_then(|param| param.value.as_deref())
                .is_some_and(|info| info.eq_ignore_ascii_case("alert-autoanswer"));
            let words = value.trim().trim_matches('"').to_ascii_lowercase();
            if asks
                || (header == "Alert-Info"
                    && matches!(&*words, "auto answer" | "ring answer" | "ra"))
            {
                let delay = Param::find(&params, "delay").and_then(|param| param.value.as_deref());
                return Some(wish(delay, header));
            }
        }
    }
    None
}

/// The parameters behind the URI of a Call-Info or Alert-Info value; some write no URI at all.
fn behind_uri(value: &str) -> Vec<Param> {
    let params = match value.split_once('>') {
        Some((_, params)) => params.trim().trim_start_matches(';'),
        None => value.trim().trim_start_matches(';'),
    };
    parse::parameters(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invite(more: &str) -> Message {
        let text = format!(
            "INVITE sip:x7f@192.0.2.1 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx\r\n\
             Max-Forwards: 70\r\n\
             From: \"Claims\" <sip:claimed@example.org>;tag=1\r\n\
             To: <sip:us@example.com>\r\n\
             Call-ID: a\r\nCSeq: 1 INVITE\r\nContact: <sip:p@192.0.2.9>\r\n{more}\r\n\r\n"
        );
        parse::message(text.as_bytes()).unwrap()
    }

    fn caller(more: &str) -> Caller {
        Caller::of(&invite(more), true, &["us", "x7f"])
    }

    fn uri(who: Option<&NameAddr>) -> String {
        who.map(|who| who.uri.to_string()).unwrap_or_default()
    }

    #[test]
    fn only_the_own_server_may_assert_who_calls() {
        let headers = "P-Asserted-Identity: <tel:+15550100>, \"Real\" <sip:real@example.com;verstat=TN-Validation-Passed>";
        let trusted = Caller::of(&invite(headers), true, &[]);
        assert!(uri(trusted.asserted.as_ref()).starts_with("sip:real@"));
        assert_eq!(trusted.verification, Some(Verification::Passed));
        let stranger = Caller::of(&invite(headers), false, &[]);
        assert_eq!(stranger.asserted, None);
        assert_eq!(stranger.verification, None);
        assert!(!stranger.anonymous);
    }

    #[test]
    fn remote_party_id_stands_in_where_nothing_is_asserted() {
        let party = "Remote-Party-ID: \"Called\" <sip:us@example.com>;party=called, \"Desk\" <sip:desk@example.com>;party=calling;screen=yes;privacy=off";
        let read = caller(party);
        assert_eq!(uri(read.asserted.as_ref()), "sip:desk@example.com");
        let both = format!("{party}\r\nP-Asserted-Identity: <sip:real@example.com>");
        assert_eq!(uri(caller(&both).asserted.as_ref()), "sip:real@example.com");
        let hidden = "Remote-Party-ID: <sip:desk@example.com>;party=calling;privacy=full";
        assert_eq!(caller(hidden).asserted, None);
        assert!(caller(hidden).anonymous);
        assert_eq!(Caller::of(&invite(party), false, &[]).asserted, None);
    }

    #[test]
    fn who_withholds_the_number_stays_anonymous() {
        for privacy in ["id", "id;critical", "user; id", "header"] {
            let more = format!("Privacy: {privacy}\r\nP-Asserted-Identity: <sip:real@example.com>");
            let read = caller(&more);
            assert!(read.anonymous, "{privacy}");
            assert_eq!(read.asserted, None, "{privacy}");
        }
        assert!(!caller("Privacy: none").anonymous);
        let anonymous = invite("").to_bytes();
        let text = String::from_utf8(anonymous).unwrap();
        for from in [
            "sip:anonymous@anonymous.invalid",
            "sip:Anonymous@example.com",
        ] {
            let text = text.replace("sip:claimed@example.org", from);
            let message = parse::message(text.as_bytes()).unwrap();
            assert!(Caller::of(&message, true, &[]).anonymous, "{from}");
        }
    }

    #[test]
    fn what_the_network_says_of_the_number_is_read_wherever_it_stands() {
        for (more, claim) in [
            (
                "P-Asserted-Identity: <sip:+12155551212;verstat=TN-Validation-Failed@example.com;user=phone>",
                Some(Verification::Failed),
            ),
            (
                "P-Asserted-Identity: <tel:+12155551212;verstat=No-TN-Validation>",
                Some(Verification::NotDone),
            ),
            ("P-Asserted-Identity: <tel:+1;verstat=Great>", None),
            ("X: y", None),
        ] {
            assert_eq!(caller(more).verification, claim, "{more}");
        }
    }

    #[test]
    fn the_way_of_a_diverted_call_is_kept_the_last_one_first() {
        let read = caller(
            "Diversion: \"Reception\" <sip:reception@example.com>;reason=no-answer;counter=1\r\n\
             Diversion: <sip:+4930123456@example.com>;reason=unconditional",
        );
        let way: Vec<_> = read
            .via
            .iter()
            .map(|step| step.by.uri.to_string())
            .collect();
        assert_eq!(
            way,
            ["sip:reception@example.com", "sip:+4930123456@example.com"]
        );
        assert_eq!(read.via[0].reason.as_deref(), Some("no-answer"));
        assert_eq!(read.via[0].by.display_name.as_deref(), Some("Reception"));
    }

    #[test]
    fn history_is_read_in_its_order_without_ourselves() {
        let read = caller(
            "History-Info: <sip:us@example.com>;index=1.1.1;rc=1.1, <sip:x7f@192.0.2.1>;index=1.1.1.1\r\n\
             History-Info: \"Sales\" <sip:sales@example.com?Reason=SIP%3Bcause%3D302>;index=1\r\n\
             History-Info: <sip:queue@example.com;cause=408>;index=1.1;mp=1",
        );
        let way: Vec<_> = read
            .via
            .iter()
            .map(|step| (step.by.uri.to_string(), step.reason.clone()))
            .collect();
        assert_eq!(
            way,
            [
                ("sip:queue@example.com".to_owned(), Some("408".to_owned())),
                ("sip:sales@example.com".to_owned(), Some("302".to_owned())),
            ]
        );
        assert!(
            caller("History-Info: <sip:x7f@192.0.2.1>;index=1")
                .via
                .is_empty()
        );
    }

    #[test]
    fn a_long_history_is_cut() {
        let mut more = String::new();
        for number in 1..60 {
            more.push_str(&format!(
                "History-Info: <sip:u{number}@h>;index={number}\r\n"
            ));
        }
        assert_eq!(caller(more.trim_end()).via.len(), MAX_VIA);
    }

    #[test]
    fn the_wish_to_be_answered_is_read_as_exchanges_write_it() {
        let seconds = Duration::from_secs;
        for (more, after) in [
            ("Call-Info: <sip:example.com>;answer-after=0", seconds(0)),
            ("Call-Info: <http://a,b/c>; answer-after=3", seconds(3)),
            (
                "Call-Info: <http://pic>;purpose=icon, <sip:x>;answer-after=2",
                seconds(2),
            ),
            ("Call-Info: answer-after=1", seconds(1)),
            ("Call-Info: <sip:x>;answer-after=86400", LONGEST_WAIT),
            (
                "Alert-Info: <http://www.notused.com>;info=alert-autoanswer;delay=0",
                seconds(0),
            ),
            ("Alert-Info: info=alert-autoanswer", seconds(0)),
            (
                "Alert-Info: <http://x>;info=alert-autoanswer;delay=5",
                seconds(5),
            ),
            ("Alert-Info: Auto Answer", seconds(0)),
            ("Answer-Mode: Auto", seconds(0)),
            ("Priv-Answer-Mode: auto", seconds(0)),
        ] {
            let wish = caller(more).auto_answer.unwrap_or_else(|| panic!("{more}"));
            assert_eq!(wish.after, after, "{more}");
            assert!(!wish.required, "{more}");
        }
        assert!(
            caller("Answer-Mode: Auto;require")
                .auto_answer
                .unwrap()
                .required
        );
        for more in [
            "Alert-Info: <http://www.notused.com>;info=alert-internal",
            "Alert-Info: <urn:alert:service:call-waiting>",
            "Call-Info: <http://example.com/answer-after=0>;purpose=info",
            "Answer-Mode: Manual",
            "X: answer-after=0",
        ] {
            assert_eq!(caller(more).auto_answer, None, "{more}");
        }
    }

    #[test]
    fn an_emergency_service_that_calls_back_says_so() {
        assert!(caller("Priority: psap-callback").emergency_callback);
        assert!(!caller("Priority: urgent").emergency_callback);
    }
}
