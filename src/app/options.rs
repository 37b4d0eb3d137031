//! What the engine must be told at its start.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::log::Log;
use crate::base::redact::Secret;
use crate::config::call_extensions::CallExtensions;
use crate::config::call_rules::CallRules;
use crate::config::ice::IceOptions;
use crate::config::paths::Paths;
use crate::config::provisioning::Provisioned;
use crate::config::tls::TlsOptions;
use crate::config::{Account, Settings};
use crate::media::{Devices, Source};

/// An account and its password.
#[derive(Debug, Clone)]
pub struct AccountOptions {
    /// The account.
    pub account: Account,
    /// The password, when one is known.
    pub password: Option<Secret>,
    /// That of its TURN server.
    pub turn_password: Option<Secret>,
}

/// How the sound of calls finds its way, with what that needs.
#[derive(Debug, Clone, Default)]
pub struct IceAccess {
    /// As it was chosen.
    pub options: IceOptions,
    /// The password of the TURN server.
    pub turn_password: Option<Secret>,
}

/// What happens to each incoming call by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IncomingPolicy {
    /// It rings until somebody answers.
    Ring,
    /// It rings and is answered after so long.
    Answer(Duration),
    /// It gets sound before it is accepted, and stays there.
    EarlyMedia,
    /// It is refused with this status.
    Reject(u16),
    /// It is sent elsewhere.
    Redirect(String),
}

/// What becomes of the call that is talked when another one is answered, placed or resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondCall {
    /// It goes on beside the other one, for testers.
    Together,
    /// It is held.
    Hold,
    /// It goes on, and the other one is refused until it is held or over.
    Refuse,
}

/// What a tester's phone does by itself with each call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Incoming calls.
    pub incoming: IncomingPolicy,
    /// Each call ends so long after it was answered.
    pub hang_up_after: Option<Duration>,
    /// Digits to send once answered.
    pub dtmf: Option<String>,
    /// Where the outgoing sound comes from.
    pub source: Source,
    /// Whether each call is recorded from its answer.
    pub record: bool,
    /// Codecs for calls without an account, by encoding name; empty means all.
    pub codecs: Vec<String>,
    /// Whether calls without an account send little or nothing while our side is silent.
    pub silence_suppression: bool,
    /// How much sound is in each packet of calls without an account, in milliseconds, where the other side
    /// has no wish of its own.
    pub packet_millis: u32,
    /// How long a call without an account rings.
    pub ring_limit: Duration,
    /// The rules of calls without an account.
    pub rules: CallRules,
    /// Which extensions calls without an account use.
    pub extensions: CallExtensions,
    /// Each answered call is transferred.
    pub transfer: Option<ScriptedTransfer>,
    /// Whether a program reads the events and may answer questions.
    pub controlled: bool,
}

/// A transfer that a tester's phone makes by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptedTransfer {
    /// Where to.
    pub uri: String,
    /// Whether it calls there first and joins the two.
    pub attended: bool,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            incoming: IncomingPolicy::Ring,
            hang_up_after: None,
            dtmf: None,
            source: Source::Microphone,
            record: false,
            codecs: Vec::new(),
            silence_suppression: false,
            packet_millis: 20,
            ring_limit: Duration::from_secs(120),
            rules: CallRules::default(),
            extensions: CallExtensions::default(),
            transfer: None,
            controlled: false,
        }
    }
}

/// Everything that the engine needs to start.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Where configuration, database and recordings live.
    pub paths: Paths,
    /// Where SIP is bound.
    pub bind: SocketAddr,
    /// Where recordings go.
    pub record_dir: PathBuf,
    /// The accounts.
    pub accounts: Vec<AccountOptions>,
    /// Whom encrypted calls of no account trust, and as whom TLS is accepted.
    pub direct_tls: TlsOptions,
    /// How the sound of calls without an account finds its way.
    pub direct_ice: IceAccess,
    /// The settings.
    pub settings: Settings,
    /// The sound devices.
    pub devices: Devices,
    /// Whether any user part and any source is answered.
    pub accept_direct_calls: bool,
    /// How many calls may live at once.
    pub max_calls: usize,
    /// Whether a person sits at the phone who can be asked.
    pub attended: bool,
    /// What becomes of the call that is talked when there is another one; none: as the settings say.
    pub second_call: Option<SecondCall>,
    /// What far ends hear while they are held.
    pub hold_music: Option<PathBuf>,
    /// Whether changes of accounts and settings are written to the configuration file.
    pub persist: bool,
    /// What it does by itself.
    pub script: Script,
    /// Things to tell the agent at once, such as a damaged configuration file.
    pub notices: Vec<String>,
    /// The settings of an administrator that were applied last.
    pub provisioned: Option<Provisioned>,
    /// The log file of the process, where it has one.
    pub log: Option<Log>,
}
