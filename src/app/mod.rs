//! The engine: it routes between the SIP core, the calls, the sound, the store and the faces.
//!
//! Decisions live in sans-IO types (`call`, `sip`, `outcome`, `script`); this room carries
//! them from one to the other. One select loop, nothing slow in it.

mod accounts;
mod agent;
mod around_calls;
mod call_begin;
mod call_end;
mod call_events;
mod call_script;
mod call_sound;
mod callers;
mod care;
mod colleagues;
mod commands;
mod conference;
pub mod desk;
mod digits;
mod engine;
mod exchange;
mod exports;
mod farewell;
mod ice;
mod journal;
mod ladders;
pub mod lists;
mod live_call;
mod mails;
mod messages;
mod microphone;
mod noting;
mod options;
mod outbound_rules;
mod outcome;
mod pages;
pub mod pcap;
mod placing;
mod player;
mod popups;
mod profiles;
mod provisioning;
mod publishing;
mod record_changes;
mod recorded;
mod recordings;
mod records;
mod records_care;
mod redirections;
mod referrals;
mod refused;
mod ruled;
mod rules;
mod script;
mod second_call;
mod silence;
mod sleep;
mod sound;
mod sound_check;
mod sound_fault;
mod start;
mod support;
mod surroundings;
mod tidings;
mod tones;
mod transfers;
mod transports;
mod trial;
mod view;
mod voice_mail;
mod watched;
mod writing;
mod zip;

pub use engine::Waker;
pub use exchange::{ExportError, ExportFormat, Exported, IntakeError, OutgoError, export};
pub use mails::Mails;
pub use options::{
    AccountOptions, EngineOptions, IceAccess, IncomingPolicy, Script, ScriptedTransfer, SecondCall,
};
pub use player::PlayedAlone;
pub use provisioning::read_provisioning;
pub use records::Records;
pub use records_care::{recover, restore};
pub use sound::{
    check_announcement, check_hold_music, check_source, devices, hold_music, sound_cards,
};
pub use start::{Running, start};
pub use support::save_support_bundle;
pub use surroundings::{LITTLE_SPACE, NO_SPACE, free_space};
pub use trial::try_account;

pub use crate::crm::store_state;
pub use crate::media::Source;
