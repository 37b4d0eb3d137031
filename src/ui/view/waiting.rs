//! What stands in place of rows that are not there: that they are read, or why they cannot be.

use egui::Ui;
use egui_material_icons::MaterialIcon;

use crate::control::Page;
use crate::ui::theme::{BODY, Theme};
use crate::ui::widget::{empty_ui, line_ui};
use crate::ui::{format, text};

/// Draws it.
pub(crate) fn waiting_ui(ui: &mut Ui, page: Option<&Page>, glyph: MaterialIcon) {
    if let Some(Page::Failed(why)) = page {
        let why = format::sentence(why);
        empty_ui(ui, glyph, text::STORE_PROBLEM, &why, None);
    } else {
        line_ui(ui, text::LOADING, BODY, Theme::of(ui).colours.muted);
    }
}
