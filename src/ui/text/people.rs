//! The texts of leads, of who is looked for, and of guesses.

use crate::crm::row::LeadStage;

pub(crate) const LEADS: &str = "Leads";
pub(crate) const SEARCH_LEADS: &str = "Search name, company, number…";
pub(crate) const NEW_LEAD: &str = "New lead…";
pub(crate) const NEW_LEAD_TITLE: &str = "New lead";
pub(crate) const EDIT_LEAD_TITLE: &str = "Edit lead";
pub(crate) const STAGE: &str = "Stage";
pub(crate) const NO_STAGE: &str = "None: a contact";
pub(crate) const NO_LEADS: &str = "No leads yet";
pub(crate) const NO_LEADS_WHY: &str =
    "A lead is somebody who may become a customer. They are found and linked as contacts are.";
pub(crate) const NO_LEADS_OF_STAGE: &str = "No lead is at this stage";
pub(crate) const NO_LEADS_OF_STAGE_WHY: &str = "The stage stands on the page of each lead.";
pub(crate) const ALL_LEADS: &str = "Show all leads";
pub(crate) const NO_LEADS_FOUND: &str = "No lead matches the search";
pub(crate) const MAKE_CONTACT: &str = "Make a contact";
pub(crate) const MAKE_CONTACT_WHY: &str = "They became a customer: they stay with all that hangs on \
     them, without a stage. You can take it back for a while.";
pub(crate) fn lead_stage(stage: LeadStage) -> &'static str {
    match stage {
        LeadStage::New => "New",
        LeadStage::Contacted => "Contacted",
        LeadStage::Qualified => "Qualified",
        LeadStage::Converted => "Converted",
        LeadStage::Lost => "Lost",
    }
}

// Two people who are one.
pub(crate) const MERGE: &str = "Merge…";
pub(crate) const MERGE_WITH: &str = "Who is the same person?";
pub(crate) const MERGE_SURE: &str = "Merge";
pub(crate) fn merge_why(stays: &str, goes: &str) -> String {
    format!(
        "{goes} goes into {stays}: numbers, calls, notes, tickets and tasks come along. You can take it \
         back for a while."
    )
}

// Looking for a record.
pub(crate) const PICK_HINT: &str = "Name, company or number";
pub(crate) const PICK_KEYS: &str = "Two letters at least. Enter takes the first one.";
pub(crate) const NOBODY_FOUND: &str = "Nobody has these letters.";
pub(crate) const LEAD: &str = "Lead";

// Who a call is with.
pub(crate) const SOMEBODY_ELSE: &str = "Somebody else…";
pub(crate) const ADD_TO_EXISTING: &str = "Add to existing…";
pub(crate) const NOBODY_OF_THESE: &str = "Nobody of these";
pub(crate) const SAID_NOBODY: &str = "You said that it is nobody of those who are known.";
pub(crate) const WHO_IS_WITH: &str = "Find who it is";
pub(crate) const KEEP_NUMBER: &str = "Keep the number with them";
pub(crate) const CREATE_LEAD: &str = "Create lead…";
pub(crate) const CREATE_ORGANIZATION: &str = "Create organization…";
pub(crate) const OPEN_ORGANIZATION: &str = "Open organization";
pub(crate) const NEW_ORGANIZATION_TITLE: &str = "New organization";
pub(crate) const EDIT_ORGANIZATION_TITLE: &str = "Edit organization";
pub(crate) const ORGANIZATION_NAME_MISSING: &str = "Give the organization a name.";

// Guesses.
pub(crate) const GUESSES: &str = "Found in texts";
pub(crate) const GUESSES_WHY: &str =
    "A guess is shown as \"may be\" until you say what it comes to.";
pub(crate) const CONFIRM: &str = "Yes";
pub(crate) const REJECT: &str = "No";
pub(crate) const ASSIGN: &str = "Somebody else's…";
pub(crate) const ASSIGN_TO: &str = "Whose number is it?";
pub(crate) const NAMELESS: &str = "Somebody without a name";
pub(crate) fn confirm_guess(number: &str, name: &str) -> String {
    format!("Yes, {number} is a number of {name}")
}
pub(crate) fn reject_guess(number: &str, name: &str) -> String {
    format!("No, {number} is no number of {name}")
}
pub(crate) fn assign_guess(number: &str, name: &str) -> String {
    format!("{number} is somebody else's than {name}'s")
}
pub(crate) fn more_texts(count: usize) -> String {
    match count {
        1 => "and 1 more text".to_owned(),
        _ => format!("and {count} more texts"),
    }
}

// To call back.
pub(crate) const ALL_SEEN: &str = "Mark all as done…";
pub(crate) fn all_seen_sure(count: u64) -> String {
    match count {
        1 => "Mark 1 number as done".to_owned(),
        _ => format!("Mark {count} numbers as done"),
    }
}
pub(crate) fn mark_number_done(name: &str) -> String {
    format!("Mark {name} as done")
}
pub(crate) fn missed_times(count: u32, when: &str) -> String {
    match count {
        0 | 1 => format!("missed {when}"),
        _ => format!("missed {count} times, last {when}"),
    }
}
pub(crate) const NOT_TRIED: &str = "not tried yet";
pub(crate) fn tried(count: u32, agent: Option<&str>, when: &str) -> String {
    let times = match count {
        1 => "tried once".to_owned(),
        2 => "tried twice".to_owned(),
        _ => format!("tried {count} times"),
    };
    match (agent, when.is_empty()) {
        (_, true) => times,
        (Some(agent), false) => format!("{times}, last by {agent}, {when}"),
        (None, false) => format!("{times}, last {when}"),
    }
}
