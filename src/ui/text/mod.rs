//! Every text of the window, in one place.

mod access;
mod agent;
mod codecs;
mod desktop;
mod diagnostics;
mod first_run;
mod forms;
pub(crate) mod keys;
mod ladder;
mod people;
mod player;
mod provisioning;
mod recording;
mod records;
mod routing;
mod sound;
mod sound_check;
mod voice;

pub(crate) use access::*;
pub(crate) use agent::*;
pub(crate) use codecs::*;
pub(crate) use desktop::*;
pub(crate) use diagnostics::*;
pub(crate) use first_run::*;
pub(crate) use forms::*;
pub(crate) use ladder::*;
pub(crate) use people::*;
pub(crate) use player::*;
pub(crate) use provisioning::*;
pub(crate) use recording::*;
pub(crate) use records::*;
pub(crate) use routing::*;
pub(crate) use sound::*;
pub(crate) use sound_check::*;
pub(crate) use voice::*;

use crate::control::ColleagueState;
use crate::ui::locale;

/// The product.
pub(crate) const NOT_STARTED: &str = "Ringdesk could not start";
pub(crate) const PRODUCT: &str = "Ringdesk";

// Navigation.
pub(crate) const DIALER: &str = "Dialer";
pub(crate) const CALLS: &str = "Calls";
pub(crate) const CONTACTS: &str = "Contacts";
pub(crate) const ORGANIZATIONS: &str = "Organizations";
pub(crate) const SETTINGS: &str = "Settings";
pub(crate) const READY: &str = "Ready";
pub(crate) const REGISTERING: &str = "Registering…";
pub(crate) const NOT_REGISTERED: &str = "Not registered";
pub(crate) const REGISTERED: &str = "Registered";
pub(crate) const DIRECT_CALLS: &str = "Does not register";
pub(crate) const NO_ACCOUNT: &str = "No account";
pub(crate) const NO_ACCOUNT_WHY: &str = "Add an account in Settings";
pub(crate) const MICROPHONE_PROBLEM: &str = "Check the sound devices";
pub(crate) const STORE_PROBLEM: &str = "The call log does not write";
pub(crate) fn to_call_back_count(count: u64) -> String {
    format!("{count} to call back")
}

// Colleagues and waiting messages.
pub(crate) const PICK_UP: &str = "Pick up";
pub(crate) fn pick_up_from(name: &str) -> String {
    format!("Pick up the call that rings at {name}")
}
pub(crate) fn call_colleague(name: &str, what: &str) -> String {
    format!("Call {name}, {what}")
}
pub(crate) fn colleague_state(state: ColleagueState) -> &'static str {
    match state {
        ColleagueState::Unknown => "Unknown",
        ColleagueState::Free => "Free",
        ColleagueState::Ringing => "Ringing",
        ColleagueState::Calling => "Calling",
        ColleagueState::Talking => "On the phone",
        ColleagueState::Held => "Call on hold",
        ColleagueState::Available => "Available",
        ColleagueState::Busy => "Busy",
        ColleagueState::Away => "Away",
        ColleagueState::Offline => "Offline",
    }
}
pub(crate) fn voicemail(new: Option<u32>, number: Option<&str>) -> String {
    let waiting = match new {
        None => "no new messages".to_owned(),
        Some(0) => "new messages".to_owned(),
        Some(1) => "1 new message".to_owned(),
        Some(new) => format!("{new} new messages"),
    };
    match number {
        Some(number) => format!("{VOICEMAIL}, {waiting}. Calls {number}"),
        None => format!("{VOICEMAIL}, {waiting}. Name its number in the account to call it"),
    }
}

pub(crate) const COLLEAGUES: &str = "Colleagues";
pub(crate) const COLLEAGUES_WHY: &str =
    "Nobody is watched. Add a colleague to see whether they are free, and to pick up their calls.";
pub(crate) const COLLEAGUE_ADDRESS: &str = "Extension or SIP address";
pub(crate) const COLLEAGUE_ADDRESS_HINT: &str = "201 or sip:bob@example.com";
pub(crate) const COLLEAGUE_NAME: &str = "Name of the colleague";
pub(crate) const WATCH: &str = "Watch";
pub(crate) const WATCH_PHONE: &str = "Their phone";
pub(crate) const WATCH_PRESENCE: &str = "Their presence";
pub(crate) const ADD_COLLEAGUE: &str = "Add colleague";
pub(crate) fn remove_colleague(address: &str) -> String {
    format!("Do not watch {address} any more")
}
pub(crate) const VOICEMAIL_NUMBER: &str = "Voicemail number";
pub(crate) const VOICEMAIL_HINT: &str = "As the server says";

// Times and figures.
pub(crate) const JUST_NOW: &str = "just now";
pub(crate) const NONE: &str = "–";
pub(crate) const NO_MEDIA: &str = "no sound yet";
pub(crate) fn minutes_ago(minutes: i64) -> String {
    format!("{minutes} min ago")
}
pub(crate) const YESTERDAY: &str = "Yesterday";
pub(crate) fn minutes(minutes: i64) -> String {
    format!("{minutes} min")
}
pub(crate) fn matched_by(reason: &str) -> String {
    format!("Match: {reason}")
}
pub(crate) fn today_at(time: &str) -> String {
    format!("Today {time}")
}
pub(crate) fn yesterday_at(time: &str) -> String {
    format!("Yesterday {time}")
}
pub(crate) fn measured(codec: &str, loss_percent: f32, jitter_millis: f32) -> String {
    let loss = locale::current().decimal(loss_percent.into(), 1);
    format!("{codec} · loss {loss} % · jitter {jitter_millis:.0} ms")
}
pub(crate) fn unmeasured(codec: &str) -> String {
    format!("{codec} · quality unknown")
}

// First run.
pub(crate) const WELCOME: &str = "Welcome to Ringdesk";
pub(crate) const WELCOME_WHY: &str = "Make a first call in a minute: the built-in lab is a small phone system on this computer, \
     with an echo to talk to and people who call you. Nothing leaves the computer.";
pub(crate) const TRY_LAB: &str = "Try it without a PBX";
pub(crate) const ADD_ACCOUNT: &str = "Add an account…";
pub(crate) const LAB: &str = "Lab";
pub(crate) const LAB_WHY: &str = "A phone system on this computer, to try calls with";
pub(crate) const LAB_ECHO: &str = "Call the echo";
pub(crate) const LAB_KNOWN: &str = "A known person calls";
pub(crate) const LAB_UNKNOWN: &str = "An unknown number calls";
pub(crate) const LAB_MAYBE: &str = "A maybe calls";

// Dialer.
pub(crate) const DIAL_HINT: &str = "Name, number or SIP address";
pub(crate) const CALL: &str = "Call";
pub(crate) const CALL_KEY: &str = "Enter";
pub(crate) const ERASE: &str = "Erase the last character";
pub(crate) const RECENT: &str = "Recent";
pub(crate) const MATCHES: &str = "Matches";
pub(crate) const DIAL_EMPTY: &str = "Type a name, a number or a SIP address. Enter dials.";
pub(crate) const NO_MATCHES: &str = "No contact and no call matches. Enter dials what you typed.";
pub(crate) const DIAL_FROM: &str = "Call from";
pub(crate) fn dials(uri: &str) -> String {
    format!("Dials {uri}")
}
pub(crate) fn digit(digit: &str) -> String {
    format!("Digit {digit}")
}
pub(crate) fn call_person(name: &str) -> String {
    format!("Call {name}")
}

// Calls.
pub(crate) const TO_CALL_BACK: &str = "To call back";
pub(crate) const ALL: &str = "All";
pub(crate) const INBOUND: &str = "Inbound";
pub(crate) const OUTBOUND: &str = "Outbound";
pub(crate) const MISSED: &str = "Missed";
pub(crate) const SEARCH_CALLS: &str = "Search name, number, company…";
pub(crate) const CALL_BACK: &str = "Call back";
pub(crate) const CALL_AGAIN: &str = "Call again";
pub(crate) const UNKNOWN_CALLER: &str = "Unknown caller";
pub(crate) const COLUMN_CONTACT: &str = "Contact";
pub(crate) const COLUMN_NUMBER: &str = "Number";
pub(crate) const COLUMN_OUTCOME: &str = "Outcome";
pub(crate) const COLUMN_LENGTH: &str = "Length";
pub(crate) const COLUMN_WHEN: &str = "When";
pub(crate) const LOADING: &str = "Reading…";
pub(crate) const NO_CALLS: &str = "No calls yet";
pub(crate) const NO_CALLS_WHY: &str =
    "Calls that you make or take appear here, with what was said.";
pub(crate) const NO_MISSED: &str = "No missed calls";
pub(crate) const NO_MISSED_WHY: &str = "Calls that nobody answered appear here.";
pub(crate) const NOBODY_WAITS: &str = "Nobody waits for a call";
pub(crate) const NOBODY_WAITS_WHY: &str = "Missed calls stay here until somebody calls back or marks them as done. What was done stands in all calls.";
pub(crate) const SHOW_ALL_CALLS: &str = "Show all calls";
pub(crate) const NO_CALLS_FOUND: &str = "No call matches the search";
pub(crate) const NO_CALLS_FOUND_WHY: &str = "Try fewer letters, or the number's last digits.";
pub(crate) const OPEN_DIALER: &str = "Open the dialer";
pub(crate) const CLEAR_SEARCH: &str = "Clear the search";
pub(crate) fn total(count: u64) -> String {
    format!("{} total", locale::current().count(count))
}
/// A count of what a search finds, which ends at a limit.
pub(crate) fn found(count: u64, limit: u32) -> String {
    if count < u64::from(limit) {
        total(count)
    } else {
        format!("{} or more", locale::current().count(count))
    }
}
/// Why a call that rings does not pop up.
pub(crate) fn no_popup(why: &str) -> String {
    format!("No pop-up: {why}.")
}

// Outcomes.
pub(crate) const RINGING: &str = "Ringing";
pub(crate) const IN_CALL: &str = "In call";
pub(crate) const ON_HOLD: &str = "On hold";
pub(crate) const ANSWERED: &str = "Answered";
pub(crate) const NO_ANSWER: &str = "No answer";
pub(crate) const BUSY: &str = "Busy";
pub(crate) const FAILED: &str = "Failed";
pub(crate) const CANCELED: &str = "Canceled";
pub(crate) const DECLINED: &str = "Declined";
pub(crate) const FORWARDED: &str = "Forwarded";
pub(crate) const VOICEMAIL: &str = "Voicemail";
pub(crate) const BLOCKED: &str = "Blocked";
pub(crate) const ELSEWHERE: &str = "Elsewhere";
pub(crate) const INTERRUPTED: &str = "Interrupted";

/// How often somebody tried.
pub(crate) fn times(outcome: &str, count: u32) -> String {
    format!("{outcome} ×{count}")
}

// Call detail.
pub(crate) const CLOSE: &str = "Close";
pub(crate) const DETAIL_WHEN: &str = "When";
pub(crate) const DETAIL_TALKED: &str = "Talked";
pub(crate) const DETAIL_WAITED: &str = "Waited";
pub(crate) const DETAIL_LINE: &str = "Line";
pub(crate) const DETAIL_NUMBER: &str = "Number";
pub(crate) const DETAIL_NAME_CLAIM: &str = "Calls itself";
pub(crate) const DETAIL_MATCH: &str = "Match";
pub(crate) const DETAIL_END: &str = "End";
pub(crate) const DETAIL_STATUS: &str = "SIP status";
pub(crate) const DETAIL_RECORDING: &str = "Recording";
pub(crate) const DETAIL_TRACE: &str = "SIP Call-ID";
pub(crate) const DETAIL_TRANSFERRED_TO: &str = "Transferred to";
pub(crate) const DETAIL_TRANSFERRED_BY: &str = "Transferred by";
pub(crate) const MARK_DONE: &str = "Mark as done";
pub(crate) const MARK_OPEN: &str = "To call back";
pub(crate) const GONE: &str = "This call is not in the log any more.";
pub(crate) const NO_RECORDING: &str = "None";
pub(crate) const NOTES: &str = "Notes";
pub(crate) const NOTES_HINT: &str = "Saved as you type";
pub(crate) const COPY: &str = "Copy";

// People.
pub(crate) const CAUTION: &str = "Caution";
pub(crate) const MAYBE: &str = "Not sure";
pub(crate) const LOOKING_UP: &str = "Looking up who that is…";
pub(crate) const CREATE_CONTACT: &str = "Create contact…";
pub(crate) const OPEN_CONTACT: &str = "Open contact";
pub(crate) const WHO_IS_IT: &str = "Who is it?";
pub(crate) const NO_MATCH: &str = "No contact has this number.";
pub(crate) fn may_be(name: &str) -> String {
    format!("may be {name}")
}
pub(crate) fn several(count: usize) -> String {
    format!("{count} contacts share this number")
}
pub(crate) fn claims(name: &str) -> String {
    format!("calls itself “{name}”")
}
pub(crate) fn earlier_attempts(count: usize) -> String {
    match count {
        0 => "first call".to_owned(),
        1 => "1 earlier call".to_owned(),
        5 => "5 or more earlier calls".to_owned(),
        _ => format!("{count} earlier calls"),
    }
}

// Contacts.
pub(crate) const SEARCH_CONTACTS: &str = "Search name, company, number…";
pub(crate) const NEW_CONTACT: &str = "New contact…";
pub(crate) const NEW_CONTACT_TITLE: &str = "New contact";
pub(crate) const EDIT: &str = "Edit…";
pub(crate) const EDIT_CONTACT_TITLE: &str = "Edit contact";
pub(crate) const DELETE: &str = "Delete…";
pub(crate) const DELETE_SURE: &str = "Delete for good";
pub(crate) const DELETE_WHY: &str = "The calls stay in the log, with the name as text.";
pub(crate) const SAVE: &str = "Save";
pub(crate) const CANCEL: &str = "Cancel";
pub(crate) const NAME: &str = "Name";
pub(crate) const ORGANIZATION: &str = "Organization";
pub(crate) const ROLE: &str = "Role";
pub(crate) const EMAIL: &str = "E-mail";
pub(crate) const NUMBERS: &str = "Phone numbers";
pub(crate) const NUMBER: &str = "Number";
pub(crate) const NUMBER_LABEL: &str = "Label";
pub(crate) const ADD_NUMBER: &str = "Add a number";
pub(crate) const REMOVE_NUMBER: &str = "Remove this number";
pub(crate) const NO_NAME: &str = "No name";
pub(crate) const NAME_MISSING: &str = "Give the contact a name.";
pub(crate) const NO_CONTACTS: &str = "No contacts yet";
pub(crate) const NO_CONTACTS_WHY: &str =
    "Add the people you talk to, and Ringdesk tells who calls before you answer.";
pub(crate) const NO_CONTACTS_FOUND: &str = "No contact matches the search";
pub(crate) const DEFAULT_LABEL: &str = "Work";
pub(crate) const LAST_CALLS: &str = "Last calls";
pub(crate) const BACK: &str = "Back to the list";

// Organizations.
pub(crate) const SEARCH_ORGANIZATIONS: &str = "Search organizations…";
pub(crate) const NEW_ORGANIZATION: &str = "New organization";
pub(crate) const RENAME: &str = "Rename…";
pub(crate) const ADD: &str = "Add";
pub(crate) const NO_ORGANIZATIONS: &str = "No organizations yet";
pub(crate) const NO_ORGANIZATIONS_WHY: &str = "Name one here, or in a contact.";
pub(crate) fn members(count: u32) -> String {
    match count {
        1 => "1 contact".to_owned(),
        _ => format!("{count} contacts"),
    }
}

// Settings.
pub(crate) const ACCOUNTS: &str = "Accounts";
pub(crate) const NO_ACCOUNTS_WHY: &str = "Without an account only direct calls to SIP addresses are possible. Add yours, or try the lab.";
pub(crate) const REGISTER_NOW: &str = "Register now";
pub(crate) const REMOVE: &str = "Remove…";
pub(crate) const REMOVE_SURE: &str = "Remove account and password";
pub(crate) fn account_title(address: &str) -> String {
    format!("Account {address}")
}
pub(crate) const NEW_ACCOUNT_TITLE: &str = "New account";
pub(crate) const ADDRESS: &str = "SIP address";
pub(crate) const ADDRESS_HINT: &str = "sip:alice@example.com";
pub(crate) const DISPLAY_NAME: &str = "Your name";
pub(crate) const DISPLAY_NAME_HINT: &str = "Shown to the other side";
pub(crate) const PASSWORD: &str = "Password";
pub(crate) const PASSWORD_KEPT: &str = "Stored; type to replace";
pub(crate) const CONSENT: &str =
    "Without a system keyring, keep the password in a file that only you can read";
pub(crate) const ADVANCED: &str = "More options";
pub(crate) const REGISTER: &str = "Register, so that calls reach this phone";
pub(crate) const REGISTRAR: &str = "Registrar";
pub(crate) const REGISTRAR_HINT: &str = "The address's domain";
pub(crate) const AUTH_USER: &str = "Authentication user";
pub(crate) const AUTH_USER_HINT: &str = "The address's user part";
pub(crate) const PROXY: &str = "Outbound proxy";
pub(crate) const PROXY_HINT: &str = "sip:proxy.example.com;lr";
pub(crate) const TRANSPORT: &str = "Transport";
pub(crate) const WEBSOCKET_OVER_TLS: &str = "WebSocket over TLS";
pub(crate) const WEBSOCKET_PATH: &str = "WebSocket path";
pub(crate) const CA_FILE: &str = "File with the trusted authority";
pub(crate) const CA_FILE_HINT: &str = "The system's authorities";
pub(crate) const PINNED: &str = "Pinned certificate (SHA-256)";
pub(crate) const PINNED_HINT: &str = "Any that a trusted authority issued";
pub(crate) const CLIENT_CERTIFICATE: &str = "Own certificate file";
pub(crate) const CLIENT_KEY: &str = "Own private key file";
pub(crate) const NONE_HINT: &str = "None";
pub(crate) const TRANSPORT_AUTO: &str = "As the address says";
pub(crate) const DIAL_REGION: &str = "Country of numbers without country code";
pub(crate) const OUTSIDE_PREFIX: &str = "Prefix for an outside line";
pub(crate) const SEND_E164: &str = "Send public numbers as + and digits";
pub(crate) const SOUND: &str = "Sound";
pub(crate) const MICROPHONE: &str = "Microphone";
pub(crate) const SPEAKER: &str = "Speaker";
pub(crate) const RINGER: &str = "Ring tone";
pub(crate) const DEVICE_DEFAULT: &str = "System default";
pub(crate) const DEVICE_NULL: &str = "None (silence)";
pub(crate) const HOLD_MUSIC: &str = "Hold music";
pub(crate) const HOLD_MUSIC_HINT: &str = "a WAV file; silence without one";
pub(crate) const HOLD_MUSIC_WHY: &str =
    "Who you put on hold hears it, at the loudness of a voice. It is not recorded.";
pub(crate) const REFRESH_DEVICES: &str = "Look again";
pub(crate) const APPEARANCE: &str = "Appearance";
pub(crate) const THEME: &str = "Theme";
pub(crate) const THEME_SYSTEM: &str = "System";
pub(crate) const THEME_LIGHT: &str = "Light";
pub(crate) const THEME_DARK: &str = "Dark";
pub(crate) const CALLS_SECTION: &str = "Calls";
pub(crate) const RECORD_CALLS: &str = "Record each call from its answer";
pub(crate) const RECORD_CALLS_WHY: &str = "Tell the other side where the law asks for it.";
pub(crate) const HOLD_ON_ANSWER: &str = "Hold the other call by itself";
pub(crate) const HOLD_ON_ANSWER_WHY: &str =
    "When you answer, place or resume a call. Without it you hold or end the other one first.";
pub(crate) const RECORD_DIR: &str = "Folder for recordings";
pub(crate) const RECORD_DIR_HINT: &str = "recordings in the data folder";
pub(crate) const REGION: &str = "Country of numbers without country code";
pub(crate) fn device_gone(device: &str) -> String {
    format!("{device} (not there)")
}
pub(crate) fn in_use(device: &str) -> String {
    format!("In use: {device}")
}
pub(crate) fn retry_in(seconds: u64) -> String {
    format!("Tried again in {seconds} s.")
}

// Call card.
pub(crate) const CALLING: &str = "Calling…";
pub(crate) const INCOMING: &str = "Incoming call";
pub(crate) const ENCRYPTED: &str = "Encrypted";
pub(crate) const ENCRYPTED_WHY: &str = "The sound is encrypted on its way to the server (SRTP), and its key went there encrypted, too.";
pub(crate) const KEY_VISIBLE: &str = "Key visible";
pub(crate) const KEY_VISIBLE_WHY: &str = "The sound is encrypted (SRTP), but its key went over the network in the clear: use TLS or WSS for this account.";
pub(crate) const UNVERIFIED: &str = "Not verified";
pub(crate) const UNVERIFIED_WHY: &str = "The sound is encrypted by keys that never went over the network (DTLS-SRTP), but the call was set up in the clear, where somebody could have put himself in between: use TLS or WSS for this account.";
pub(crate) const HELD_BY_REMOTE: &str = "They hold";
pub(crate) const ENDING: &str = "Ending";
pub(crate) const ENDED: &str = "Ended";
pub(crate) const REC: &str = "REC";
pub(crate) const MUTE: &str = "Mute";
pub(crate) const UNMUTE: &str = "Unmute";
pub(crate) const HOLD: &str = "Hold";
pub(crate) const RESUME: &str = "Resume";
pub(crate) const KEYPAD: &str = "Keypad";
pub(crate) const RECORD: &str = "Record";
pub(crate) const STOP_RECORDING: &str = "Stop recording";
pub(crate) const HANG_UP: &str = "Hang up";
pub(crate) const ANSWER: &str = "Answer";
pub(crate) const DECLINE: &str = "Decline";
pub(crate) const DONE: &str = "Done";
pub(crate) const NOT_DURABLE: &str = "Not yet written to the call log";
pub(crate) const MUTED: &str = "Muted";
pub(crate) const DIGITS_HINT: &str = "Press keys to send tones";
pub(crate) const FIRST_CALL: &str = "No earlier calls.";
pub(crate) fn more_ringing(count: usize) -> String {
    format!("+{count} more")
}
pub(crate) const TRANSFER: &str = "Transfer…";
pub(crate) const TRANSFER_TO: &str = "Transfer to";
pub(crate) const TRANSFER_NOW: &str = "Transfer now";
pub(crate) const CALL_FIRST: &str = "Call first";
pub(crate) const COMPLETE_TRANSFER: &str = "Complete transfer";
pub(crate) const BACK_TO_CALLER: &str = "Back to caller";
pub(crate) const ALLOW_TRANSFER: &str = "Call them";
pub(crate) const REFUSE_TRANSFER: &str = "Stay here";
pub(crate) fn transfer_question(by: &str, to: &str) -> String {
    format!("{by} wants you to talk with {to} instead")
}
pub(crate) fn talk_together(name: &str) -> String {
    format!("Talk together with {name}")
}
pub(crate) fn together_with(names: &str) -> String {
    format!("{names} and this caller hear each other. Hold one to take it out.")
}
pub(crate) fn transfer_to_call(name: &str) -> String {
    format!("Transfer to {name}")
}
pub(crate) fn transferred_by(by: &str) -> String {
    format!("transferred by {by}")
}
pub(crate) const ALLOW_REDIRECTION: &str = "Call there";
pub(crate) const REFUSE_REDIRECTION: &str = "Do not call";
pub(crate) fn redirection_question(status: u16, who: &str, to: &str) -> String {
    format!("{who} asks to call {to} instead ({status})")
}
pub(crate) fn redirected_to(to: &str) -> String {
    format!("redirected to {to}")
}
pub(crate) const REDIRECTS: &str = "When a number asks to be called elsewhere";
pub(crate) const REDIRECTS_NEVER: &str = "do not call there";
pub(crate) const REDIRECTS_ASK: &str = "ask me";
pub(crate) const REDIRECTS_ALWAYS: &str = "call there";
pub(crate) fn answered_by(who: &str) -> String {
    format!("answered by {who}")
}
pub(crate) fn takes_place_of(other: &str) -> String {
    format!("Answering ends the call with {other}: this caller takes its place")
}
pub(crate) fn queue(name: &str) -> String {
    format!("queue {name}")
}
pub(crate) fn via(address: &str) -> String {
    format!("via {address}")
}
pub(crate) fn recorded_to(path: &str) -> String {
    format!("Recorded to {path}")
}
pub(crate) fn choose_nth(number: usize, name: &str) -> String {
    format!("{number} {name}")
}
pub(crate) fn rings_for(clock: &str) -> String {
    format!("rings for {clock}")
}
pub(crate) fn key(name: &str, key: &str) -> String {
    format!("{name} ({key})")
}

pub(crate) fn after_seconds(seconds: u32) -> String {
    format!("{seconds} s")
}
pub(crate) fn forwarded_to(target: &str) -> String {
    format!("calls go to {target}")
}

// Rules.
pub(crate) const RULES: &str = "Calls by rule";
pub(crate) const DO_NOT_DISTURB: &str = "Do not disturb";
pub(crate) const DISTURB_STATUS: &str = "Callers hear";
pub(crate) const DISTURB_480: &str = "not available; the PBX may try others";
pub(crate) const DISTURB_486: &str = "busy";
pub(crate) const DISTURBED_BY_NOBODY: &str = "calls are refused";
pub(crate) const FORWARDING: &str = "Calls are forwarded";
pub(crate) const CALL_WAITING: &str = "Ring while I am in a call";
pub(crate) const FORWARD_ALWAYS: &str = "Forward all calls to";
pub(crate) const FORWARD_BUSY: &str = "Forward to when busy";
pub(crate) const FORWARD_NO_ANSWER: &str = "Forward to when nobody answers";
pub(crate) const FORWARD_AFTER: &str = "Nobody answers for";
pub(crate) const FORWARD_HINT: &str = "number, name or SIP address";
pub(crate) const AUTO_ANSWER: &str = "Answer by itself";
pub(crate) const AUTO_ANSWER_NEVER: &str = "never";
pub(crate) const AUTO_ANSWER_TRUSTED: &str = "when the PBX asks for it";
pub(crate) const AUTO_ANSWER_ALWAYS: &str = "when any caller asks for it";
pub(crate) const AUTO_ANSWER_WHY: &str = "A beep tells you that somebody listens.";
pub(crate) const SEND_DIGITS: &str = "Send digits";
pub(crate) const DIGITS_SOUND: &str = "with the sound";
pub(crate) const DIGITS_INFO: &str = "by INFO (dtmf-relay)";
pub(crate) const DIGITS_INFO_PLAIN: &str = "by INFO (dtmf)";
pub(crate) const HIDE_NUMBER: &str = "Withhold my number";
pub(crate) const TRUST_IDENTITY: &str = "Believe the PBX about who calls";
pub(crate) const ALLOW_MD5: &str = "Allow MD5 after SHA-256";
pub(crate) const ALLOW_MD5_WHY: &str = "Only if the server was changed: it weakens your password.";
pub(crate) const ASK_AGENT: &str = "Ask before I dial premium and foreign numbers";
pub(crate) const ASK_AGENT_WHY: &str = "Links and programs are always asked.";
pub(crate) const NUMBER_PROVEN: &str = "number proven, says the network";
pub(crate) const NUMBER_FORGED: &str = "number may be forged, says the network";
pub(crate) const DETAIL_VIA: &str = "Via";
pub(crate) const DETAIL_REDIRECTED: &str = "Redirected to";
pub(crate) const DETAIL_ANSWERED_BY: &str = "Answered by";
pub(crate) const DETAIL_PROOF: &str = "Caller ID";

// Dial question.
pub(crate) const DIAL_TITLE: &str = "Dial this?";
pub(crate) const DIAL_IMPOSSIBLE: &str = "This cannot be dialled";
pub(crate) const DIAL: &str = "Dial";
pub(crate) const DIAL_LINK: &str = "Link";
pub(crate) const DIAL_URI: &str = "Dials";
pub(crate) const DIAL_RULE: &str = "Rule";
pub(crate) const DIAL_ACCOUNT: &str = "From";

// Banners.
pub(crate) const DISMISS: &str = "Dismiss";
pub(crate) const ENGINE_SLOW: &str =
    "The phone did not take your last action. Try again; if it stays so, restart Ringdesk.";
/// Who wrote a message.
pub(crate) fn message_from(from: &str, name: Option<&str>) -> String {
    match name {
        Some(name) if name != from => format!("Message from {name} ({from})"),
        Some(_) | None => format!("Message from {from}"),
    }
}
pub(crate) const MESSAGE: &str = "Message";
pub(crate) fn more_notices(count: usize) -> String {
    format!("{count} more messages")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_ended_at_its_limit_says_that_there_may_be_more() {
        assert_eq!(total(1_234_567), "1,234,567 total");
        assert_eq!(found(1_999, 2_000), "1,999 total");
        assert_eq!(found(2_000, 2_000), "2,000 or more");
    }
}
