//! A setting that is typed: saved when the keyboard leaves it, told what is wrong when it cannot be.

use egui::Ui;

use crate::ui::state::{FormProblem, Unsaved};
use crate::ui::widget::Field;

/// How such a setting looks.
pub(crate) struct TypedSetting {
    pub(crate) name: &'static str,
    pub(crate) hint: &'static str,
    pub(crate) why: &'static str,
    pub(crate) width: f32,
}

impl TypedSetting {
    /// Draws it; gives the new value once it was typed and `read` takes it.
    pub(crate) fn show<T>(
        &self,
        ui: &mut Ui,
        unsaved: &mut Option<Unsaved>,
        stored: String,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let mut draft = unsaved.take().unwrap_or(Unsaved {
            text: stored,
            refused: None,
        });
        let field = Field::labelled(self.name, &mut draft.text)
            .hint(self.hint)
            .why(self.why)
            .width(self.width)
            .checked(&mut draft.refused)
            .show(ui);
        if !field.lost_focus() {
            if field.has_focus() || draft.refused.is_some() {
                *unsaved = Some(draft);
            }
            return None;
        }
        match read(draft.text.trim()) {
            Ok(value) => Some(value),
            Err(sentence) => {
                draft.refused = Some(FormProblem {
                    field: Some(self.name),
                    sentence,
                    // Whoever left the field means to be elsewhere.
                    fresh: false,
                });
                *unsaved = Some(draft);
                None
            }
        }
    }
}
