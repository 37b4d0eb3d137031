//! What happens to the calls of one account by rule.

use serde::{Deserialize, Serialize};

use crate::config::caller_id::CallerId;
use crate::config::transfer_policy::TransferPolicy;

/// The rules of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallRules {
    /// Whether calls are refused unheard; a call back from an emergency service rings anyway.
    pub do_not_disturb: bool,
    /// How they are refused then: 480 lets a PBX try others, 486 says busy.
    pub do_not_disturb_status: u16,
    /// Whether a second call rings while another is open; else the line is busy.
    pub call_waiting: bool,
    /// Where each call is sent at once (302): a number, a name or a SIP address; empty for nowhere.
    pub forward_always: String,
    /// Where a call is sent when the line is busy.
    pub forward_busy: String,
    /// Where a call is sent that nobody answers.
    pub forward_no_answer: String,
    /// After how many seconds of ringing that is.
    pub forward_no_answer_seconds: u32,
    /// Whether a caller may ask for the call to be answered by itself (intercom, click-to-dial).
    pub auto_answer: AutoAnswer,
    /// Whether the caller that the account's own server asserts (P-Asserted-Identity,
    /// Remote-Party-ID) counts for more than what the caller says.
    pub trust_identity: bool,
    /// Whether outgoing calls ask for the own number to be withheld (RFC 3323).
    pub hide_number: bool,
    /// Which of the own numbers the far end is to see (P-Preferred-Identity, RFC 3325); the first rule that
    /// fits counts, and without one the server decides.
    pub caller_ids: Vec<CallerId>,
    /// How digits are sent in a call.
    pub send_digits: SendDigits,
    /// Whether a far end may send our calls elsewhere (REFER, Replaces).
    pub transfers: TransferPolicy,
    /// Whether the far end of a call that is being placed may send it elsewhere (3xx).
    pub redirects: TransferPolicy,
    /// Whether MD5 is good enough for a server that offered SHA-256 before.
    pub allow_md5: bool,
    /// The realms that offered SHA-256 so far; kept by the phone itself.
    pub sha256_realms: Vec<String>,
}

/// Whose wish for an automatic answer is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AutoAnswer {
    /// Nobody's.
    #[default]
    Never,
    /// That of calls that come from the account's own server.
    Trusted,
    /// Everybody's.
    Always,
}

/// How digits are sent in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SendDigits {
    /// In the sound stream (RFC 4733, else as tones).
    #[default]
    Sound,
    /// By INFO, `application/dtmf-relay`.
    Info,
    /// By INFO, `application/dtmf`.
    InfoPlain,
}

impl AutoAnswer {
    /// The word of the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Trusted => "trusted",
            Self::Always => "always",
        }
    }
}

impl CallRules {
    /// Whether a call may be refused or sent elsewhere without a person: nobody shall forget it.
    pub fn keeps_calls_away(&self) -> bool {
        self.do_not_disturb || !self.forward_always.is_empty()
    }
}

impl Default for CallRules {
    fn default() -> Self {
        Self {
            do_not_disturb: false,
            do_not_disturb_status: 480,
            call_waiting: true,
            forward_always: String::new(),
            forward_busy: String::new(),
            forward_no_answer: String::new(),
            forward_no_answer_seconds: 20,
            auto_answer: AutoAnswer::Never,
            trust_identity: true,
            hide_number: false,
            caller_ids: Vec::new(),
            send_digits: SendDigits::Sound,
            transfers: TransferPolicy::Ask,
            redirects: TransferPolicy::Ask,
            allow_md5: false,
            sha256_realms: Vec::new(),
        }
    }
}
