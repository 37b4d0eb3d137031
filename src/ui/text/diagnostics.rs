//! The texts of the readiness light, the diagnostics and the support bundle.

pub(crate) const DIAGNOSTICS_TAB: &str = "Diagnostics";

// What a call needs, one by one.
pub(crate) const READINESS: &str = "Readiness";
pub(crate) const PART_REGISTRATION: &str = "Registration";
pub(crate) const PART_RULES: &str = "Forwarding and do not disturb";
pub(crate) const PART_SOUND: &str = "Microphone and speaker";
pub(crate) const PART_NETWORK: &str = "Network";
pub(crate) const PART_STORE: &str = "Call log";
pub(crate) const PART_DISK: &str = "Disk";
pub(crate) const PART_LOG: &str = "Log file";
pub(crate) const NO_NETWORK: &str = "No network";
pub(crate) const LITTLE_ROOM: &str = "The disk is nearly full";
pub(crate) const NO_ROOM: &str = "The disk is full";
pub(crate) const LOG_PROBLEM: &str = "The log file does not write";
pub(crate) const SOUND_FINE: &str = "They work, as far as can be seen without a call";
pub(crate) const NETWORK_FINE: &str = "There is a way to other machines";
pub(crate) const STORE_FINE: &str = "Calls are kept";
pub(crate) const DISK_FINE: &str = "There is room";
pub(crate) const LOG_FINE: &str = "What happens is noted";
pub(crate) const REGISTERED_FINE: &str = "Calls reach you";
pub(crate) const NO_RULE: &str = "No rule keeps calls away";
pub(crate) const DOES_NOT_REGISTER: &str = "It is set not to register; only direct calls reach it";
pub(crate) const PART_BROKEN: &str = "To mend";
pub(crate) const LOOK: &str = "Look";
pub(crate) const WAITS: &str = "On its way";

// The log.
pub(crate) const LOG: &str = "Log";
pub(crate) const LOG_LEVEL: &str = "How much is noted";
pub(crate) const LOG_WHY: &str = "Passwords, keys, pressed digits and messages never stand there. More files than five are not kept.";
pub(crate) const LOG_ERRORS: &str = "What went wrong";
pub(crate) const LOG_WARNINGS: &str = "Also what may go wrong";
pub(crate) const LOG_INFO: &str = "Also what happens";
pub(crate) const LOG_DEBUG: &str = "Also the heads of SIP messages";
pub(crate) fn log_is_in(folder: &str) -> String {
    format!("It is in {folder}")
}

// The support bundle.
pub(crate) const SUPPORT: &str = "Support bundle";
pub(crate) const SUPPORT_WHY: &str = "One file for somebody who helps: settings, log, accounts, devices and the SIP messages of the last calls, without passwords and keys. You see it before it is saved.";
pub(crate) const WITH_PEOPLE: &str = "Leave names and numbers of people in it";
pub(crate) const WITH_PEOPLE_WHY: &str =
    "Else they are shortened to their first letters and last digits.";
pub(crate) const GATHER: &str = "Gather support bundle…";
pub(crate) const GATHERING: &str = "Gathering…";
pub(crate) const SUPPORT_FILE: &str = "Save it as";
pub(crate) const SAVE_SUPPORT: &str = "Save support bundle";
pub(crate) const SUPPORT_CONTENTS: &str = "This is what is in it";
pub(crate) fn support_file(name: &str, octets: usize) -> String {
    let kib = octets.div_ceil(1024);
    format!("{name}, {kib} KiB")
}
