//! Settings that are not of one account.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::base::log::LogLevel;
use crate::base::port_range::{NoPortRange, PortRange};
use crate::config::account::Account;
use crate::config::desktop::DesktopSettings;
use crate::config::dialling_rules::DiallingRules;
use crate::config::retention::RetentionSettings;
use crate::config::voice::VoiceSettings;

/// The volumes that a speaker and a ringer can have, in percent.
pub const VOLUMES: RangeInclusive<u32> = 0..=150;
/// Those of a microphone: silent it can be made in a call, by mute.
pub const MICROPHONE_VOLUMES: RangeInclusive<u32> = 10..=150;

/// The whole configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Everything but accounts.
    pub settings: Settings,
    /// The accounts, in the order in which they are tried for an outgoing call.
    pub accounts: Vec<Account>,
}

/// Settings of the phone as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Light, dark or as the system says.
    pub theme: ThemeChoice,
    /// The microphone: `default`, `null` or a device's name.
    pub microphone: String,
    /// The speaker for calls.
    pub speaker: String,
    /// The speaker for the ring tone.
    pub ringer: String,
    /// How loud the microphone is made, in percent: 10 to 150; 100 leaves it as it is.
    pub microphone_volume: u32,
    /// How loud calls are made, in percent: 0 to 150.
    pub speaker_volume: u32,
    /// How loud the ring tone is made, in percent: 0 to 150.
    pub ringer_volume: u32,
    /// A WAV file that far ends hear while they are held; empty means silence.
    pub hold_music: String,
    /// Whether answering, placing or resuming a call holds the one that is talked; else that one
    /// must be held or over before.
    pub hold_on_answer: bool,
    /// Whether each call is recorded from its answer.
    pub record_calls: bool,
    /// Who decides about recording.
    pub recording: RecordingPolicy,
    /// Whether both sides hear a short tone each 15 s while they are recorded.
    pub recording_tone: bool,
    /// A WAV file of at most 30 s that both sides hear before a recording begins; empty means none.
    /// When it cannot be played, nothing is recorded.
    pub recording_announcement: String,
    /// Where recordings go; empty means `recordings` in the data folder.
    pub record_dir: String,
    /// How many days the SIP messages of each call are kept; 0 keeps none.
    pub ladder_days: u32,
    /// How many days everything else is kept.
    pub retention: RetentionSettings,
    /// How many calls may live at once.
    pub max_calls: u32,
    /// The name servers to ask, as `IP` or `IP:PORT`; empty means those of the system.
    pub name_servers: Vec<String>,
    /// The ISO 3166 code by which numbers without country code are read when no account says.
    pub region: String,
    /// Whose changes of the records the trail notes, and who writes articles and notes.
    pub agent: String,
    /// Whether answering a call opens the customer's profile or the draft of a ticket.
    pub open_on_answer: bool,
    /// Whether answering a call opens the web page of its queue or account in the browser.
    pub open_page_on_answer: bool,
    /// How many days ago a ticket may have been changed for the profile to open in place of a new ticket.
    pub ticket_days: u16,
    /// Whether a wrap-up without a call type is refused.
    pub call_type_required: bool,
    /// How many rows the lists of commands show, such as `ringdesk calls` (1 to 100,000), where `--limit` does
    /// not say.
    pub list_length: u32,
    /// How many SIP requests one source may send in a second before it is refused; 0 is no limit.
    pub requests_per_second: u32,
    /// After how many seconds without any sound of the far end a call ends by itself (10, when the
    /// agent is warned, to 3600); 0 is never. Calls on hold and calls for help go on.
    pub silence_limit_seconds: u32,
    /// Whether calls may pop up: the agent's own switch. They ring all the same.
    pub popups: bool,
    /// For how many seconds after a talk the agent wraps up (1 to 3600), until the next one or until
    /// they say that they are available; 0 is never.
    pub wrap_up_seconds: u32,
    /// The UDP ports of calls' sound, such as `40000-40100`, two for each call; empty means any.
    pub rtp_ports: String,
    /// What is done to the microphone's sound.
    pub voice: VoiceSettings,
    /// When each Opus packet carries the last eighth of a second again (DRED), which brings back what
    /// is lost in bursts.
    pub redundancy: RedundancyChoice,
    /// How the phone works together with the desktop around it.
    pub desktop: DesktopSettings,
    /// How much the log file tells; `RINGDESK_LOG` in the environment wins.
    pub log_level: LogLevel,
    /// What others than the agent may dial.
    pub dialling: DiallingRules,
    /// The colleagues whose phones or presence are watched, in the order of the window.
    pub colleagues: Vec<Colleague>,
}

/// Who decides whether a call is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordingPolicy {
    /// The agent, in each call.
    #[default]
    Agent,
    /// Each call is, from its answer to its end; the agent may pause it for payment data.
    Always,
    /// No call is.
    Never,
}

/// When sound is sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RedundancyChoice {
    /// Never.
    Off,
    /// Where the far end reports loss that comes in bursts.
    #[default]
    Bursts,
    /// Always.
    Always,
}

/// Somebody who is watched.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Colleague {
    /// The name that is shown; empty shows the address.
    pub name: String,
    /// A SIP address, or an extension of the account's domain.
    pub address: String,
    /// What is watched.
    pub watch: WatchKind,
}

/// What is watched of a colleague.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WatchKind {
    /// What their phone does (RFC 4235): the busy lamp field.
    #[default]
    Blf,
    /// What they tell of themselves (RFC 3856).
    Presence,
}

/// Which colours the window has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThemeChoice {
    /// As the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Settings {
    /// The ports of calls' sound, where they are limited.
    ///
    /// # Errors
    ///
    /// Fails when what is written there is no range.
    pub fn port_range(&self) -> Result<Option<PortRange>, NoPortRange> {
        match self.rtp_ports.trim() {
            "" => Ok(None),
            range => range.parse().map(Some),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::System,
            microphone: "default".to_owned(),
            speaker: "default".to_owned(),
            ringer: "default".to_owned(),
            microphone_volume: 100,
            speaker_volume: 100,
            ringer_volume: 100,
            hold_music: String::new(),
            hold_on_answer: true,
            record_calls: false,
            recording: RecordingPolicy::Agent,
            recording_tone: false,
            recording_announcement: String::new(),
            record_dir: String::new(),
            ladder_days: 30,
            retention: RetentionSettings::default(),
            max_calls: 4,
            name_servers: Vec::new(),
            region: "US".to_owned(),
            agent: String::new(),
            open_on_answer: true,
            open_page_on_answer: false,
            ticket_days: 30,
            call_type_required: false,
            list_length: 100,
            requests_per_second: 200,
            silence_limit_seconds: 30,
            popups: true,
            wrap_up_seconds: 0,
            rtp_ports: String::new(),
            voice: VoiceSettings::default(),
            redundancy: RedundancyChoice::Bursts,
            log_level: LogLevel::Info,
            desktop: DesktopSettings::default(),
            dialling: DiallingRules::default(),
            colleagues: Vec::new(),
        }
    }
}
