//! What others tell of themselves: dialog state, presence, waiting messages.

use ringdesk::presence::line::{Applied, Line, state};
use ringdesk::presence::{dialog_info, message_summary, pidf};

/// What one document can hold at most, and what is remembered of one phone.
const MOST_DIALOGS: usize = 64;

/// Nothing panics or grows; a full state counts whatever came before, a partial one in its turn.
pub(crate) fn check(bytes: &[u8]) {
    drop(pidf::read(bytes));
    if let Some(summary) = message_summary::read(bytes) {
        drop(format!("{summary:?}"));
    }
    let Ok(info) = dialog_info::read(bytes) else {
        return;
    };
    assert!(info.dialogs.len() <= MOST_DIALOGS);
    let mut line = Line::default();
    let first = line.apply(info.clone());
    assert_eq!(
        first == Applied::Taken,
        info.full,
        "a partial state needs a full one"
    );
    let held = line.dialogs().count();
    assert!(held <= info.dialogs.len());
    let again = line.apply(info.clone());
    assert_eq!(again == Applied::Taken, info.full);
    assert_eq!(
        line.dialogs().count(),
        held,
        "the same state again changes nothing"
    );
    let mut next = info;
    next.full = true;
    line.apply(next.clone());
    next.full = false;
    for dialog in &mut next.dialogs {
        dialog.id.push_str("-later");
    }
    if let Some(version) = next.version.checked_add(1) {
        next.version = version;
        assert_eq!(line.apply(next), Applied::Taken);
    }
    assert!(line.dialogs().count() <= MOST_DIALOGS);
    let (_, shown) = state([&line].into_iter());
    assert_eq!(shown.is_some(), line.dialogs().next().is_some());
}
