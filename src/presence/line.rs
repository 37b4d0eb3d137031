//! What a phone does, told by one notifier in full and partial states (RFC 4235 section 4.3).

use std::collections::BTreeMap;

use super::dialog_info::{DialogEntry, DialogInfo, DialogState, Direction};

/// How many dialogs of one phone are remembered.
const MAX_REMEMBERED: usize = 64;

/// What came of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It was taken.
    Taken,
    /// It was old and left out.
    Old,
    /// Something before it is missing: the full state must be asked for.
    Gap,
}

/// What a phone does, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineState {
    /// Nothing.
    Free,
    /// It calls somebody.
    Calling,
    /// Somebody calls it.
    Ringing,
    /// It holds all its calls.
    Held,
    /// It talks.
    Talking,
}

/// The dialogs of one phone, as one notifier told them.
#[derive(Debug, Clone, Default)]
pub struct Line {
    version: Option<u32>,
    dialogs: BTreeMap<String, DialogEntry>,
}

impl Line {
    /// Takes the next document.
    pub fn apply(&mut self, info: DialogInfo) -> Applied {
        if info.full {
            self.dialogs.clear();
        } else {
            match self.version {
                Some(known) if info.version <= known => return Applied::Old,
                Some(known) if info.version == known.saturating_add(1) => {}
                Some(_) | None => return Applied::Gap,
            }
        }
        self.version = Some(info.version);
        for dialog in info.dialogs {
            if dialog.state == DialogState::Terminated {
                self.dialogs.remove(&dialog.id);
            } else if self.dialogs.len() < MAX_REMEMBERED || self.dialogs.contains_key(&dialog.id) {
                self.dialogs.insert(dialog.id.clone(), dialog);
            }
        }
        Applied::Taken
    }

    /// The dialogs that are not over.
    pub fn dialogs(&self) -> impl Iterator<Item = &DialogEntry> {
        self.dialogs.values()
    }
}

/// What a phone does, over all that its notifiers told: a call that rings comes first, since
/// somebody may want to take it.
pub fn state<'l>(lines: impl Iterator<Item = &'l Line>) -> (LineState, Option<&'l DialogEntry>) {
    let rank = |dialog: &&DialogEntry| match state_of(dialog) {
        LineState::Free => 0,
        LineState::Held => 1,
        LineState::Calling => 2,
        LineState::Talking => 3,
        LineState::Ringing => 4,
    };
    let first = lines.flat_map(Line::dialogs).max_by_key(rank);
    (first.map_or(LineState::Free, state_of), first)
}

fn state_of(dialog: &DialogEntry) -> LineState {
    match dialog.state {
        DialogState::Terminated => LineState::Free,
        DialogState::Trying | DialogState::Proceeding | DialogState::Early => {
            match dialog.direction {
                Some(Direction::Initiator) => LineState::Calling,
                // Without a direction it is shown as what asks for more attention.
                Some(Direction::Recipient) | None => LineState::Ringing,
            }
        }
        DialogState::Confirmed if dialog.local.rendering == Some(false) => LineState::Held,
        DialogState::Confirmed => LineState::Talking,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presence::dialog_info::read;

    fn document(version: u32, state: &str, dialogs: &[(&str, &str, &str)]) -> DialogInfo {
        let dialogs: String = dialogs
            .iter()
            .map(|(id, direction, state)| {
                format!("<dialog id='{id}' direction='{direction}'><state>{state}</state></dialog>")
            })
            .collect();
        let text =
            format!("<dialog-info version='{version}' state='{state}'>{dialogs}</dialog-info>");
        read(text.as_bytes()).unwrap()
    }

    fn word(line: &Line) -> LineState {
        state([line].into_iter()).0
    }

    #[test]
    fn partial_states_change_what_the_full_one_told() {
        let mut line = Line::default();
        line.apply(document(0, "full", &[("a", "recipient", "early")]));
        assert_eq!(word(&line), LineState::Ringing);
        let next = document(1, "partial", &[("a", "recipient", "confirmed")]);
        assert_eq!(line.apply(next), Applied::Taken);
        assert_eq!(word(&line), LineState::Talking);
        line.apply(document(2, "partial", &[("b", "recipient", "early")]));
        assert_eq!(word(&line), LineState::Ringing);
        line.apply(document(3, "partial", &[("b", "recipient", "terminated")]));
        assert_eq!(word(&line), LineState::Talking);
        line.apply(document(4, "partial", &[("a", "recipient", "terminated")]));
        assert_eq!(word(&line), LineState::Free);
    }

    #[test]
    fn a_missing_version_is_a_gap_and_an_old_one_is_left_out() {
        let mut line = Line::default();
        let change = |version| document(version, "partial", &[("a", "initiator", "confirmed")]);
        assert_eq!(line.apply(change(1)), Applied::Gap);
        line.apply(document(5, "full", &[]));
        assert_eq!(line.apply(change(5)), Applied::Old);
        assert_eq!(line.apply(change(7)), Applied::Gap);
        assert_eq!(word(&line), LineState::Free);
        assert_eq!(line.apply(change(6)), Applied::Taken);
        assert_eq!(word(&line), LineState::Talking);
        // A notifier that began again counts from the start.
        assert_eq!(line.apply(document(0, "full", &[])), Applied::Taken);
        assert_eq!(word(&line), LineState::Free);
    }

    #[test]
    fn a_phone_without_end_of_dialogs_is_bounded() {
        let mut line = Line::default();
        line.apply(document(0, "full", &[]));
        for version in 1..1000 {
            let id = version.to_string();
            line.apply(document(version, "partial", &[(&id, "recipient", "early")]));
        }
        assert_eq!(line.dialogs().count(), 64);
    }
}
