//! Notes: saved as they are typed, at most every 300 ms, and when the field is left.

use std::time::Duration;

use egui::{Response, Ui};

use crate::base::id::CallId;
use crate::control::Command;
use crate::ui::scene::Scene;
use crate::ui::state::Notes;
use crate::ui::text;
use crate::ui::widget::Field;

/// The shortest time between two saves of one text.
const PAUSE: Duration = Duration::from_millis(300);

/// How many texts are remembered while they are not shown.
const MOST_DRAFTS: usize = 64;

/// Draws the field for a call's notes.
pub(crate) fn notes_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    notes: &mut Notes,
    call: CallId,
    stored: &str,
    rows: usize,
) -> Response {
    let draft = notes.drafts.entry(call).or_default();
    let typing = draft.text != draft.sent;
    let id = egui::Id::unique(("notes", call));
    let focused = ui.memory(|memory| memory.has_focus(id));
    // Only news count: what the engine still shows may be older than what was just sent.
    if draft.seen.as_deref() != Some(stored) {
        draft.seen = Some(stored.to_owned());
        if !typing && !focused {
            stored.clone_into(&mut draft.text);
            stored.clone_into(&mut draft.sent);
        }
    }
    let response = Field::labelled(text::NOTES, &mut draft.text)
        .hint(text::NOTES_HINT)
        .rows(rows)
        .id(id)
        .show(ui);
    if response.lost_focus() && draft.text != draft.sent {
        draft.sent.clone_from(&draft.text);
        draft.sent_at = Some(scene.now.mono);
        scene.send(Command::Notes(call, draft.text.clone()));
    }
    response
}

/// Saves what was typed and is due, whichever view is shown.
pub(crate) fn flush(ui: &Ui, scene: &mut Scene<'_>, notes: &mut Notes) {
    let now = scene.now.mono;
    for (call, draft) in &mut notes.drafts {
        if draft.text == draft.sent {
            continue;
        }
        let due = draft.sent_at.map_or(now, |sent| sent + PAUSE);
        if due <= now {
            draft.sent.clone_from(&draft.text);
            draft.sent_at = Some(now);
            scene.send(Command::Notes(*call, draft.text.clone()));
        } else {
            ui.ctx()
                .request_repaint_after(due.saturating_duration_since(now));
        }
    }
    if notes.drafts.len() > MOST_DRAFTS {
        notes.drafts.retain(|_, draft| draft.text != draft.sent);
    }
}
