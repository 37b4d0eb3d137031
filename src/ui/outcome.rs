//! The words and colours of how a call stands or ended.

use egui_material_icons::MaterialIcon;
use egui_material_icons::icons::{
    ICON_CALL_MISSED, ICON_CALL_MISSED_OUTGOING, ICON_NORTH_EAST, ICON_SOUTH_WEST,
};

use crate::control::{CallStage, CallView};
use crate::crm::row::{CallDirection, CallRow, CallState};

use super::text;
use super::theme::{Theme, Tone};

/// Word and colours of a logged call's outcome.
pub(crate) fn of_row(row: &CallRow, theme: &Theme) -> (&'static str, Tone) {
    let c = &theme.colours;
    match row.state {
        CallState::Ringing => (text::RINGING, c.chosen),
        CallState::InProgress => (text::IN_CALL, c.good),
        CallState::Held => (text::ON_HOLD, c.warn),
        CallState::Completed => (text::ANSWERED, c.good),
        CallState::NoAnswer | CallState::Canceled if row.direction == CallDirection::Inbound => {
            (text::MISSED, c.bad)
        }
        CallState::NoAnswer => (text::NO_ANSWER, c.neutral),
        CallState::Canceled => (text::CANCELED, c.neutral),
        CallState::Busy => (text::BUSY, c.warn),
        CallState::Failed => (text::FAILED, c.bad),
        CallState::Rejected => (text::DECLINED, c.neutral),
        CallState::Forwarded => (text::FORWARDED, c.neutral),
        CallState::Voicemail => (text::VOICEMAIL, c.warn),
        CallState::Blocked => (text::BLOCKED, c.neutral),
        CallState::AnsweredElsewhere => (text::ELSEWHERE, c.neutral),
        CallState::Interrupted => (text::INTERRUPTED, c.warn),
    }
}

/// Whether nobody here took an inbound call.
pub(crate) fn unanswered(row: &CallRow) -> bool {
    row.direction == CallDirection::Inbound && row.state.ended() && !taken(row)
}

/// Whether somebody took it: an answer that the caller never confirmed was none.
fn taken(row: &CallRow) -> bool {
    let silent = matches!(row.state, CallState::Failed | CallState::NoAnswer);
    row.answered_at.is_some() && !silent
}

/// Whether somebody waits for a call back.
pub(crate) fn waits(row: &CallRow) -> bool {
    row.direction == CallDirection::Inbound && row.state.ended() && !row.done
}

/// The arrow of a logged call, and the word for it.
pub(crate) fn arrow(row: &CallRow) -> (MaterialIcon, &'static str) {
    match (row.direction, taken(row), row.state.ended()) {
        (CallDirection::Inbound, false, true) => (ICON_CALL_MISSED, text::INBOUND),
        (CallDirection::Inbound, _, _) => (ICON_SOUTH_WEST, text::INBOUND),
        (CallDirection::Outbound, false, true) => (ICON_CALL_MISSED_OUTGOING, text::OUTBOUND),
        (CallDirection::Outbound, _, _) => (ICON_NORTH_EAST, text::OUTBOUND),
    }
}

/// Word and colours of a live call.
pub(crate) fn of_call(call: &CallView, theme: &Theme) -> (&'static str, Tone) {
    let c = &theme.colours;
    match (call.stage, call.direction) {
        (CallStage::Calling, _) => (text::CALLING, c.chosen),
        (CallStage::Ringing, CallDirection::Inbound) => (text::INCOMING, c.good),
        (CallStage::Ringing, CallDirection::Outbound) => (text::RINGING, c.chosen),
        (CallStage::Talking, _) => (text::IN_CALL, c.good),
        (CallStage::Held, _) => (text::ON_HOLD, c.warn),
        (CallStage::HeldByRemote, _) => (text::HELD_BY_REMOTE, c.warn),
        (CallStage::Ending, _) => (text::ENDING, c.neutral),
        (CallStage::Ended, _) => (text::ENDED, c.neutral),
    }
}

/// Whether a call rings here and waits for an answer.
pub(crate) fn rings_here(call: &CallView) -> bool {
    call.rings_here()
}
