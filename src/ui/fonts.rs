//! Inter in three weights, and the icons. Other scripts come from the system's fonts.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily, FontTweak};

use super::theme::{MEDIUM, SEMI_BOLD};

const REGULAR_OTF: &[u8] = include_bytes!("../../assets/fonts/Inter-Regular.otf");
const MEDIUM_OTF: &[u8] = include_bytes!("../../assets/fonts/Inter-Medium.otf");
const SEMI_BOLD_OTF: &[u8] = include_bytes!("../../assets/fonts/Inter-SemiBold.otf");

/// Sets our fonts in place of egui's.
pub(crate) fn install(ctx: &egui::Context) {
    let mut fonts = FontDefinitions::empty();
    for (name, bytes) in [
        ("inter", REGULAR_OTF),
        ("inter-medium", MEDIUM_OTF),
        ("inter-semi-bold", SEMI_BOLD_OTF),
    ] {
        // Only these are fitted to the pixels (see `theme.rs`).
        let font = FontData::from_static(bytes).tweak(FontTweak {
            hinting: Some(true),
            ..FontTweak::default()
        });
        fonts.font_data.insert(name.to_owned(), Arc::new(font));
    }
    for (family, name) in [
        (FontFamily::Proportional, "inter"),
        (FontFamily::Monospace, "inter"),
        (FontFamily::Name(MEDIUM.into()), "inter-medium"),
        (FontFamily::Name(SEMI_BOLD.into()), "inter-semi-bold"),
    ] {
        fonts.families.insert(family, vec![name.to_owned()]);
    }
    let icons = egui_material_icons::font_insert();
    fonts
        .font_data
        .insert(icons.name.clone(), Arc::new(icons.data));
    fonts.families.insert(
        FontFamily::Name(egui_material_icons::FONT_FAMILY.into()),
        vec![icons.name],
    );
    ctx.set_fonts(fonts);
}
