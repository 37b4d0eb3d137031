//! The texts of agents, queues, holidays, call types and the block list.

use crate::crm::row::Day;

pub(crate) const PHONE_TAB: &str = "Phone";
pub(crate) const AGENTS_TAB: &str = "Agents";
pub(crate) const QUEUES_TAB: &str = "Queues";
pub(crate) const HOLIDAYS_TAB: &str = "Holidays";
pub(crate) const CALL_TYPES_TAB: &str = "Call types";
pub(crate) const BLOCKED_TAB: &str = "Block list";

pub(crate) fn delete_named(name: &str) -> String {
    format!("Delete {name}")
}

// Agents.
pub(crate) const NEW_AGENT: &str = "New agent…";
pub(crate) const NEW_AGENT_TITLE: &str = "New agent";
pub(crate) const EDIT_AGENT_TITLE: &str = "Edit agent";
pub(crate) const NO_AGENTS: &str = "No agents yet";
pub(crate) const NO_AGENTS_WHY: &str =
    "Without agents, queues and schedules this phone's own calls always pop up.";
pub(crate) const AGENT_NAME: &str = "Name of the agent";
pub(crate) const AGENT_LOGIN: &str = "Name at the exchange or the CRM";
pub(crate) const OWN_NUMBERS: &str = "Own numbers and addresses";
pub(crate) const OWN_NUMBERS_WHY: &str =
    "Whose line a call comes in on is told by them. Several with commas between.";
pub(crate) const GROUPS: &str = "Groups";
pub(crate) const GROUPS_WHY: &str =
    "The slots of queues name them. A new one is made. Several with commas between.";
pub(crate) const ACTIVE: &str = "Works here at present";
pub(crate) const PANEL: &str = "Calls may pop up at this agent's phone";
pub(crate) const NOT_ACTIVE: &str = "Not active";
pub(crate) const PANEL_OFF: &str = "Pop-ups off";
pub(crate) const AGENT_NAME_MISSING: &str = "Give the agent a name.";

// Queues.
pub(crate) const NEW_QUEUE: &str = "New queue…";
pub(crate) const NEW_QUEUE_TITLE: &str = "New queue";
pub(crate) const EDIT_QUEUE_TITLE: &str = "Edit queue";
pub(crate) const NO_QUEUES: &str = "No queues yet";
pub(crate) const NO_QUEUES_WHY: &str =
    "A queue is a number that is called and the people who take its calls, each at their times.";
pub(crate) const QUEUE_NAME: &str = "Name of the queue";
pub(crate) const QUEUE_NUMBERS: &str = "Called numbers and addresses";
pub(crate) const QUEUE_NUMBERS_WHY: &str =
    "A call to one of them is the queue's; * stands for any digits. Several with commas between.";
pub(crate) const MEDIUM: &str = "Communication medium at the CRM";
pub(crate) const MEDIUM_HINT: &str = "The queue's name";
pub(crate) const SCRIPT: &str = "What is said in its calls";
pub(crate) const SCRIPT_WHY: &str = "Stands on the card of each call. {name}, {number}, {contact}, {call_id} and {queue} stand for what is known of it.";
pub(crate) const PAGE: &str = "Web page of its calls";
pub(crate) const PAGE_HINT: &str = "https://crm.example/search?q={number}";
pub(crate) const PAGE_WHY: &str = "A button on the card opens it in the browser. {number}, {name}, {contact}, {call_id} and {queue} stand for what is known of the call.";
pub(crate) const OPEN_PAGE: &str = "Open the page";
pub(crate) const OPEN_PAGE_ON_ANSWER: &str = "Open the page of a call when it is answered";
pub(crate) const ZONE: &str = "Time zone";
pub(crate) const ZONE_HINT: &str = "The computer's";
pub(crate) const ZONE_WHY: &str = "An IANA name, such as Europe/Berlin. The slots are times there.";
pub(crate) const PAUSE_CODE: &str = "Dialled when a break begins";
pub(crate) const UNPAUSE_CODE: &str = "Dialled when a break ends";
pub(crate) const CODE_HINT: &str = "Nothing";
pub(crate) const SLOTS: &str = "Who takes its calls when";
pub(crate) const NO_SLOTS: &str = "Everybody, at all times, until a slot says otherwise.";
pub(crate) const SLOT_FROM: &str = "From";
pub(crate) const SLOT_TO: &str = "To";
pub(crate) const SLOT_GROUP: &str = "Group of agents";
pub(crate) const ADD_SLOTS: &str = "Add slots";
pub(crate) const SLOT_WHY: &str =
    "An end before the beginning is on the next day: 22:00 to 06:00 lasts the night.";
pub(crate) const SLOT_DAYS_MISSING: &str = "Choose a day at least.";
pub(crate) const SLOT_GROUP_MISSING: &str = "Name the group of agents who take the calls.";
pub(crate) const QUEUE_NAME_MISSING: &str = "Give the queue a name.";
pub(crate) const AT_ALL_TIMES: &str = "at all times";
pub(crate) const NOBODY_NOW: &str = "nobody now";
pub(crate) fn short_day(day: Day) -> &'static str {
    match day {
        Day::Mon => "Mon",
        Day::Tue => "Tue",
        Day::Wed => "Wed",
        Day::Thu => "Thu",
        Day::Fri => "Fri",
        Day::Sat => "Sat",
        Day::Sun => "Sun",
    }
}
pub(crate) fn slot(day: &str, from: &str, to: &str, overnight: bool) -> String {
    if overnight {
        format!("{day} {from} to {to} on the next day")
    } else {
        format!("{day} {from} to {to}")
    }
}
pub(crate) fn slot_count(count: usize) -> String {
    match count {
        1 => "1 slot".to_owned(),
        _ => format!("{count} slots"),
    }
}
pub(crate) fn now_scheduled(names: &str) -> String {
    format!("now {names}")
}
pub(crate) fn remove_slot(slot: &str) -> String {
    format!("Remove {slot}")
}
pub(crate) fn no_zone(zone: &str) -> String {
    format!("There is no time zone \"{zone}\"; write its IANA name, such as Europe/Berlin.")
}
pub(crate) fn overlap(one: &str, other: &str) -> String {
    format!("The slots {one} and {other} overlap; let one end where the other begins.")
}

// Holidays.
pub(crate) const NO_HOLIDAYS: &str = "No holidays";
pub(crate) const NO_HOLIDAYS_WHY: &str = "No slot begins on a holiday, so nobody is scheduled.";
pub(crate) const HOLIDAY_TITLE: &str = "Add or rename a holiday";
pub(crate) const HOLIDAY_DATE: &str = "Date";
pub(crate) const HOLIDAY_DATE_HINT: &str = "2026-12-25";
pub(crate) const HOLIDAY_NAME: &str = "Name of the holiday";
pub(crate) const HOLIDAY_QUEUE: &str = "Queue";
pub(crate) const ALL_QUEUES: &str = "All queues";
pub(crate) const ADD_HOLIDAY: &str = "Save holiday";
pub(crate) fn no_date(typed: &str) -> String {
    format!("\"{typed}\" is no date; write the year, the month and the day, such as 2026-12-25.")
}

// Call types.
pub(crate) const NEW_CALL_TYPE: &str = "New call type…";
pub(crate) const NEW_CALL_TYPE_TITLE: &str = "New call type";
pub(crate) const EDIT_CALL_TYPE_TITLE: &str = "Edit call type";
pub(crate) const NO_CALL_TYPES: &str = "No call types yet";
pub(crate) const NO_CALL_TYPES_WHY: &str =
    "What calls are about, to choose from when one is wrapped up: the first nine by a key.";
pub(crate) const CALL_TYPE_NAME: &str = "Name of the call type";
pub(crate) const CALL_TYPE_ACTIVE: &str = "Can be chosen";
pub(crate) const HIDDEN: &str = "Hidden";
pub(crate) const CALL_TYPE_NAME_MISSING: &str = "Give the call type a name.";
pub(crate) const CALL_TYPE_REQUIRED: &str = "Ask for a call type before a call is wrapped up";
pub(crate) fn move_up(name: &str) -> String {
    format!("Move {name} up")
}
pub(crate) fn move_down(name: &str) -> String {
    format!("Move {name} down")
}
pub(crate) fn chosen_by(key: usize) -> String {
    format!("chosen by Alt+{key}")
}

// Block list.
pub(crate) const NO_BLOCKED: &str = "Nobody is blocked";
pub(crate) const NO_BLOCKED_WHY: &str =
    "Calls of a blocked number are refused unheard. They stay in the log, marked as blocked.";
pub(crate) const NEW_BLOCK_TITLE: &str = "Block a number";
pub(crate) const EDIT_BLOCK_TITLE: &str = "Edit the entry";
pub(crate) const BLOCK_NUMBER: &str = "Number or address";
pub(crate) const BLOCK_NUMBER_WHY: &str = "In any spelling. A * at the end means all that begin \
     so; anonymous means whoever withholds the number.";
pub(crate) const BLOCK_NOTE: &str = "Why";
pub(crate) const BLOCK_ANSWER: &str = "What they hear";
pub(crate) const ANSWER_DECLINED: &str = "The call is declined (603)";
pub(crate) const ANSWER_BUSY: &str = "The line is busy (486)";
pub(crate) const ADD_BLOCK: &str = "Block";
pub(crate) const SAVE_BLOCK: &str = "Save entry";
pub(crate) const BLOCK_NUMBER_MISSING: &str = "Write whom to block.";
pub(crate) fn refused_calls(count: u64, last: Option<&str>) -> String {
    let calls = match count {
        0 => return "no call yet".to_owned(),
        1 => "1 call".to_owned(),
        _ => format!("{count} calls"),
    };
    match last {
        Some(last) => format!("{calls}, last {last}"),
        None => calls,
    }
}
pub(crate) fn blocked_since(when: &str) -> String {
    format!("since {when}")
}

// Who would be told of a call.
pub(crate) const PREVIEW: &str = "Who would see a call now?";
pub(crate) const PREVIEW_CALLED: &str = "Called";
pub(crate) const PREVIEW_OWN_LINE: &str = "This phone's own line";
pub(crate) const PREVIEW_CALLER: &str = "Caller";
pub(crate) const PREVIEW_CALLER_HINT: &str = "Any number";
pub(crate) const WOULD_POP_UP: &str = "Would pop up";
pub(crate) const WOULD_NOT_POP_UP: &str = "Would not pop up";
pub(crate) const SHOWN_TO: &str = "Shown to";
pub(crate) const SCHEDULED: &str = "Scheduled";
pub(crate) const WITH_THIS_LINE: &str = "With this line";
pub(crate) const THIS_PHONE_ITSELF: &str = "this phone";
pub(crate) const NOBODY: &str = "nobody";
