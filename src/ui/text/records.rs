//! The texts of tickets, tasks, notes and what happened around a record.

use crate::crm::row::{ArticleKind, TicketState};
use crate::ui::locale;

pub(crate) const TICKETS: &str = "Tickets";
pub(crate) const TASKS: &str = "Tasks";
pub(crate) const SEARCH_TICKETS: &str = "Search tickets…";
pub(crate) const NEW_TICKET: &str = "New ticket";
pub(crate) const NO_TICKETS: &str = "No tickets";
pub(crate) const NO_TICKETS_WHY: &str = "A ticket is drafted when you answer a call, and kept when you wrap it up. You can also begin one here.";
pub(crate) const NO_TICKETS_FOUND: &str = "No ticket has these words";
pub(crate) const NO_DRAFTS: &str = "No drafts";
pub(crate) const NO_DRAFTS_WHY: &str = "Answering a call drafts a ticket; those that were neither kept nor discarded stand here. Keep one in its wrap-up.";
pub(crate) const NOT_CLOSED: &str = "Not closed";
pub(crate) const DRAFTS: &str = "Drafts";
pub(crate) const NO_TITLE: &str = "No title";
pub(crate) const TICKET_TITLE: &str = "Title";
pub(crate) const STATE: &str = "State";
pub(crate) const CUSTOMER: &str = "Customer";
pub(crate) const NO_CUSTOMER: &str = "nobody yet";
pub(crate) const AGENT: &str = "Agent";
pub(crate) const CHANGED: &str = "Changed";
pub(crate) const ADD_NOTE: &str = "Add note";
pub(crate) const NEW_NOTE: &str = "New note";
pub(crate) const NEW_NOTE_HINT: &str = "What the next one who calls should know";
pub(crate) const DELETE_NOTE: &str = "Delete this note";
pub(crate) const OPEN_CALL: &str = "Open call";
pub(crate) const TIMELINE: &str = "What happened";
pub(crate) const NOTHING_HAPPENED: &str =
    "No calls, notes, tickets or tasks yet. Write the first note above.";
pub(crate) const EARLIER: &str = "Earlier";
pub(crate) const DELETE_TICKET_WHY: &str =
    "The ticket goes with its articles. Its calls stay in the log.";

pub(crate) const TO_DO: &str = "To do";
pub(crate) const DONE_TASKS: &str = "Done";
pub(crate) const NEW_TASK: &str = "New task";
pub(crate) const NEW_TASK_HINT: &str = "What is to be done";
pub(crate) const NO_TASKS: &str = "Nothing to do";
pub(crate) const NO_TASKS_WHY: &str =
    "Follow-ups that you note when you wrap a call up stand here, and what you add above.";
pub(crate) const NO_DONE_TASKS: &str = "Nothing is done yet";
pub(crate) const NO_DONE_TASKS_WHY: &str = "Tasks that you tick off stand here.";
pub(crate) const NO_DATE: &str = "No date";
pub(crate) const TODAY: &str = "Today";
pub(crate) const TOMORROW: &str = "Tomorrow";
pub(crate) const NEXT_WEEK: &str = "Next week";
pub(crate) const OVERDUE: &str = "Overdue";
pub(crate) const CALLBACK: &str = "Call back";
pub(crate) const TASK_OPEN: &str = "Open";
pub(crate) fn tick_off(title: &str) -> String {
    format!("Done: {title}")
}
pub(crate) fn not_done(title: &str) -> String {
    format!("Not done after all: {title}")
}
pub(crate) fn delete_task(title: &str) -> String {
    format!("Delete {title}")
}

pub(crate) const DELETE_ORGANIZATION_WHY: &str =
    "Its people stay, without it. You can take it back for a while.";

// Statistics.
pub(crate) const STATISTICS: &str = "Statistics";
pub(crate) const SEVEN_DAYS: &str = "7 days";
pub(crate) const THIRTY_DAYS: &str = "30 days";
pub(crate) const NO_STATISTICS: &str = "No calls in these days";
pub(crate) const NO_STATISTICS_WHY: &str =
    "Each call counts here, once it has begun. Call somebody, or choose a longer time above.";
pub(crate) const ANSWER_RATE: &str = "Answered";
pub(crate) const TALKED: &str = "Talked";
pub(crate) const EXPORT_FIGURES: &str = "Export as CSV…";
pub(crate) const FIGURES_TABLE: &str = "Table";
pub(crate) const FIGURES_BY_QUEUE: &str = "One line for each queue";
pub(crate) const FIGURES_BY_HOUR: &str = "One line for each hour";
pub(crate) const FIGURES_FILE: &str = "File";
pub(crate) const FIGURES_WHY: &str =
    "The days that are shown. A file that is there stays; the new one gets a number.";
pub(crate) const BY_HOUR: &str = "Calls by hour of the day";
pub(crate) const RATE_BY_HOUR: &str = "Answered by hour of the day";
pub(crate) const TIMES_BY_QUEUE: &str = "Talk and wrap-up time";
pub(crate) const MEAN_TALK: &str = "Talk";
pub(crate) fn lowest_rate(hour: u8, percent: u32) -> String {
    format!(
        "Answered by hour of the day; fewest after {}: {percent} %",
        locale::current().hour(hour)
    )
}
pub(crate) fn mean_times(queue: &str, talk: &str, wrap_up: &str) -> String {
    format!("{queue}: talk {talk}, wrap-up {wrap_up}")
}
pub(crate) const QUEUE: &str = "Queue";
pub(crate) const NO_QUEUE: &str = "no queue";
pub(crate) const CALLED_BACK: &str = "Called back";
pub(crate) const TIME_TO_CALL_BACK: &str = "After";
pub(crate) const WAITED: &str = "Waited";
pub(crate) const WRAP_UP: &str = "Wrap-up";
pub(crate) const NO_FIGURE: &str = "–";
pub(crate) fn whole_percent(percent: u32) -> String {
    format!("{percent} %")
}
pub(crate) fn busiest_hour(hour: u8) -> String {
    format!(
        "Calls by hour of the day; most begin after {}",
        locale::current().hour(hour)
    )
}

// Pop-up.
pub(crate) const SAY_BUSY: &str = "Busy";
pub(crate) const TO_VOICEMAIL: &str = "To voice mail";
pub(crate) const BLOCK: &str = "Block";
pub(crate) const BLOCK_SURE: &str = "Block this number?";
pub(crate) fn open_tickets(count: usize) -> String {
    format!("Open tickets · {count}")
}

pub(crate) const UNDO: &str = "Undo";

pub(crate) fn ticket_number(id: i64) -> String {
    format!("#{id}")
}

pub(crate) fn ticket_state(state: TicketState) -> &'static str {
    match state {
        TicketState::Draft => "Draft",
        TicketState::New => "New",
        TicketState::Open => "Open",
        TicketState::Pending => "Pending",
        TicketState::Closed => "Closed",
    }
}

pub(crate) fn article_kind(kind: ArticleKind) -> &'static str {
    match kind {
        ArticleKind::Phone => "Phone",
        ArticleKind::Note => "Note",
        ArticleKind::Mail => "Mail",
    }
}

// Wrap-up.
pub(crate) const OPEN_TICKET: &str = "Open ticket";
pub(crate) const DRAFTED: &str = "A ticket is drafted from your notes.";
pub(crate) const KEEP_TICKET: &str = "Keep the ticket";
pub(crate) const CALL_TYPE: &str = "What it was about";
pub(crate) const FOLLOW_UP: &str = "Follow-up";
pub(crate) const FOLLOW_UP_HINT: &str = "What is to do next, if anything";
pub(crate) const SAVE_WRAP_UP: &str = "Save";
pub(crate) const TYPE_WANTED: &str = "Choose what the call was about, then save.";
