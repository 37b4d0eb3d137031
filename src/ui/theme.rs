//! The look: one set of tokens for each theme, mapped to egui's style once. No other file names a
//! colour.

use std::sync::Arc;

use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Stroke, TextStyle};

/// Everything that the look is made of.
#[derive(Debug)]
pub(crate) struct Theme {
    /// Whether it is the dark one.
    pub(crate) dark: bool,
    /// The colours.
    pub(crate) colours: Colours,
    /// Distances in points.
    pub(crate) space: Space,
    /// Corner radii in points.
    pub(crate) radius: Radius,
    /// Heights of controls in points.
    pub(crate) height: Height,
}

/// A text colour and the tint behind it: a pill, a banner, an avatar.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tone {
    /// The text.
    pub(crate) text: Color32,
    /// What lies behind it.
    pub(crate) tint: Color32,
}

/// The colours of one theme.
#[derive(Debug)]
pub(crate) struct Colours {
    /// Behind everything.
    pub(crate) window: Color32,
    /// Cards and the navigation.
    pub(crate) surface: Color32,
    /// Fields and quiet buttons on a surface.
    pub(crate) inset: Color32,
    /// The same under the pointer.
    pub(crate) inset_hover: Color32,
    /// A row under the pointer.
    pub(crate) row_hover: Color32,
    /// Lines around cards and fields.
    pub(crate) border: Color32,
    /// What is read first.
    pub(crate) text: Color32,
    /// What is read second.
    pub(crate) muted: Color32,
    /// The one accent, as a fill.
    pub(crate) accent: Color32,
    /// The accent under the pointer.
    pub(crate) accent_hover: Color32,
    /// The accent as text, and the tint of what is chosen.
    pub(crate) chosen: Tone,
    /// Text on a filled button.
    pub(crate) on_fill: Color32,
    /// Answering.
    pub(crate) answer: Color32,
    /// Answering, under the pointer.
    pub(crate) answer_hover: Color32,
    /// Ending and deleting.
    pub(crate) danger: Color32,
    /// Ending and deleting, under the pointer.
    pub(crate) danger_hover: Color32,
    /// It went well.
    pub(crate) good: Tone,
    /// It failed.
    pub(crate) bad: Tone,
    /// Look twice.
    pub(crate) warn: Tone,
    /// Neither.
    pub(crate) neutral: Tone,
    /// Behind initials.
    pub(crate) avatars: [Tone; 6],
    /// Over the window while a question is open.
    pub(crate) shade: Color32,
}

/// Distances in points.
#[derive(Debug)]
pub(crate) struct Space {
    /// Between an icon and its word.
    pub(crate) tight: f32,
    /// Between controls.
    pub(crate) small: f32,
    /// Between blocks.
    pub(crate) medium: f32,
}

/// Corner radii in points.
#[derive(Debug)]
pub(crate) struct Radius {
    /// Buttons and fields.
    pub(crate) control: u8,
    /// Cards and the pop-up.
    pub(crate) card: u8,
}

/// Heights in points.
#[derive(Debug)]
pub(crate) struct Height {
    /// Buttons and fields.
    pub(crate) control: f32,
    /// A row of two lines.
    pub(crate) row: f32,
    /// The head of a call card.
    pub(crate) head: f32,
}

const SPACE: Space = Space {
    tight: 6.0,
    small: 8.0,
    medium: 12.0,
};

const RADIUS: Radius = Radius {
    control: 8,
    card: 12,
};

const HEIGHT: Height = Height {
    control: 32.0,
    row: 46.0,
    head: 56.0,
};

/// Reads a colour as it is written in design tools: `0xRRGGBB`.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that may name colours"
)]
const fn hex(rgb: u32) -> Color32 {
    Color32::from_rgb(
        ((rgb >> 16) & 0xff) as u8,
        ((rgb >> 8) & 0xff) as u8,
        (rgb & 0xff) as u8,
    )
}

const fn tone(text: u32, tint: u32) -> Tone {
    Tone {
        text: hex(text),
        tint: hex(tint),
    }
}

static DARK: Theme = Theme {
    dark: true,
    colours: Colours {
        window: hex(0x0f_1318),
        surface: hex(0x16_1b22),
        inset: hex(0x1f_2630),
        inset_hover: hex(0x2a_3340),
        row_hover: hex(0x1b_212a),
        border: hex(0x2a_323d),
        text: hex(0xe8_edf4),
        muted: hex(0x9b_a7b6),
        accent: hex(0x2f_6bdd),
        accent_hover: hex(0x3a_72e0),
        chosen: tone(0x7f_adff, 0x1b_2c4a),
        on_fill: Color32::WHITE,
        answer: hex(0x1b_7d4d),
        answer_hover: hex(0x1e_8252),
        danger: hex(0xcc_3a32),
        danger_hover: hex(0xd0_4038),
        good: tone(0x52_c98f, 0x17_342b),
        bad: tone(0xff_8f86, 0x3a_2226),
        warn: tone(0xe8_b65c, 0x3a_2f1c),
        neutral: tone(0xaa_b5c3, 0x26_2e38),
        avatars: [
            tone(0xf0_b263, 0x4a_3218),
            tone(0xa5_d468, 0x30_431e),
            tone(0xb7_a1f5, 0x36_2b5c),
            tone(0x8c_b4ff, 0x22_3760),
            tone(0x6f_d3d3, 0x17_4245),
            tone(0xf0_9fc4, 0x50_2140),
        ],
        shade: Color32::from_black_alpha(150),
    },
    space: SPACE,
    radius: RADIUS,
    height: HEIGHT,
};

static LIGHT: Theme = Theme {
    dark: false,
    colours: Colours {
        window: hex(0xf4_f6fa),
        surface: hex(0xff_ffff),
        inset: hex(0xed_f1f6),
        inset_hover: hex(0xe1_e7ef),
        row_hover: hex(0xf5_f8fc),
        border: hex(0xd8_dfe9),
        text: hex(0x18_212f),
        muted: hex(0x55_6070),
        accent: hex(0x25_63eb),
        accent_hover: hex(0x1f_58d6),
        chosen: tone(0x1d_4fd8, 0xdf_e9ff),
        on_fill: Color32::WHITE,
        answer: hex(0x15_7f49),
        answer_hover: hex(0x12_7040),
        danger: hex(0xc9_302c),
        danger_hover: hex(0xb5_2926),
        good: tone(0x0f_6b41, 0xda_eee4),
        bad: tone(0xb4_2318, 0xfb_e3e1),
        warn: tone(0x80_5200, 0xf8_ead0),
        neutral: tone(0x4b_5666, 0xe6_ebf2),
        avatars: [
            tone(0x8a_4b00, 0xf6_dcbb),
            tone(0x3f_6212, 0xd7_ebbf),
            tone(0x5b_36b8, 0xe2_d9fb),
            tone(0x1d_4fb8, 0xd3_e2fd),
            tone(0x0f_5f66, 0xbf_e8ea),
            tone(0x9c_2460, 0xf8_d3e4),
        ],
        shade: Color32::from_black_alpha(90),
    },
    space: SPACE,
    radius: RADIUS,
    height: HEIGHT,
};

/// The weight of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Body text.
    Regular,
    /// Labels and names in lists.
    Medium,
    /// Titles.
    SemiBold,
}

/// The named family of the medium weight.
pub(crate) const MEDIUM: &str = "medium";
/// The named family of the semi-bold weight.
pub(crate) const SEMI_BOLD: &str = "semi-bold";

/// Body text.
pub(crate) const BODY: FontId = FontId::new(13.0, FontFamily::Proportional);
/// Second lines, columns, hints.
pub(crate) const SMALL: FontId = FontId::new(12.0, FontFamily::Proportional);

/// A font of our family.
pub(crate) fn font(size: f32, weight: Weight) -> FontId {
    let family = match weight {
        Weight::Regular => FontFamily::Proportional,
        Weight::Medium => FontFamily::Name(MEDIUM.into()),
        Weight::SemiBold => FontFamily::Name(SEMI_BOLD.into()),
    };
    FontId::new(size, family)
}

impl Theme {
    /// The theme that a part of the window is drawn in.
    pub(crate) fn of(ui: &egui::Ui) -> &'static Self {
        Self::by(ui.visuals().dark_mode)
    }

    /// The dark or the light theme.
    pub(crate) fn by(dark: bool) -> &'static Self {
        if dark { &DARK } else { &LIGHT }
    }

    /// The 1-point line around cards and fields.
    pub(crate) fn border(&self) -> Stroke {
        Stroke::new(1.0, self.colours.border)
    }

    /// The line around what has the keyboard.
    pub(crate) fn focus(&self) -> Stroke {
        Stroke::new(2.0, self.colours.chosen.text)
    }

    /// A card: surface, border, 12-point corners.
    pub(crate) fn card(&self) -> egui::Frame {
        egui::Frame::new()
            .fill(self.colours.surface)
            .stroke(self.border())
            .corner_radius(CornerRadius::same(self.radius.card))
            .inner_margin(Margin::same(16))
    }

    /// The colours behind initials, always the same for a name.
    pub(crate) fn avatar(&self, name: &str) -> Tone {
        let sum = name.chars().fold(7_u32, |sum, letter| {
            sum.wrapping_mul(31).wrapping_add(u32::from(letter))
        });
        let [first, ..] = self.colours.avatars;
        usize::try_from(sum)
            .ok()
            .and_then(|sum| {
                self.colours
                    .avatars
                    .get(sum % self.colours.avatars.len())
                    .copied()
            })
            .unwrap_or(first)
    }

    /// The tokens as egui knows them.
    fn style(&self) -> egui::Style {
        let colours = &self.colours;
        let mut style = egui::Style {
            visuals: if self.dark {
                egui::Visuals::dark()
            } else {
                egui::Visuals::light()
            },
            ..egui::Style::default()
        };
        style.text_styles = [
            (TextStyle::Small, SMALL),
            (TextStyle::Body, BODY),
            (TextStyle::Button, font(13.0, Weight::Medium)),
            (TextStyle::Heading, font(20.0, Weight::SemiBold)),
            (TextStyle::Monospace, BODY),
        ]
        .into();
        let spacing = &mut style.spacing;
        spacing.item_spacing = egui::vec2(self.space.small, self.space.small);
        spacing.button_padding = egui::vec2(self.space.medium, self.space.tight);
        spacing.interact_size.y = self.height.control;
        spacing.icon_width = 16.0;
        spacing.combo_width = 160.0;
        spacing.scroll = egui::style::ScrollStyle::floating();
        // Lists do not glide: what is looked for is there at once.
        style.scroll_animation = egui::style::ScrollAnimation::none();
        let visuals = &mut style.visuals;
        visuals.panel_fill = colours.window;
        visuals.window_fill = colours.surface;
        visuals.window_stroke = self.border();
        visuals.window_corner_radius = CornerRadius::same(self.radius.card);
        visuals.menu_corner_radius = CornerRadius::same(self.radius.control);
        visuals.extreme_bg_color = colours.inset;
        visuals.text_edit_bg_color = Some(colours.inset);
        visuals.faint_bg_color = colours.row_hover;
        visuals.code_bg_color = colours.inset;
        visuals.hyperlink_color = colours.chosen.text;
        visuals.warn_fg_color = colours.warn.text;
        visuals.error_fg_color = colours.bad.text;
        visuals.weak_text_color = Some(colours.muted);
        visuals.selection.bg_fill = colours.chosen.tint;
        visuals.selection.stroke = Stroke::new(1.0, colours.chosen.text);
        visuals.text_cursor.stroke = Stroke::new(1.5, colours.chosen.text);
        visuals.interact_cursor = None;
        // The instructions in many fonts of the system press what rises above a letter into it when they are
        // followed: the lamed of Hebrew, the vowel signs of Devanagari.
        visuals.text_options.font_hinting = false;
        let widgets = &mut visuals.widgets;
        for (state, fill, line, text) in [
            (
                &mut widgets.noninteractive,
                colours.surface,
                colours.border,
                colours.text,
            ),
            (
                &mut widgets.inactive,
                colours.inset,
                colours.border,
                colours.text,
            ),
            (
                &mut widgets.hovered,
                colours.inset_hover,
                colours.border,
                colours.text,
            ),
            (
                &mut widgets.active,
                colours.inset_hover,
                colours.chosen.text,
                colours.text,
            ),
            (
                &mut widgets.open,
                colours.inset_hover,
                colours.border,
                colours.text,
            ),
        ] {
            state.bg_fill = fill;
            state.weak_bg_fill = fill;
            state.bg_stroke = Stroke::new(1.0, line);
            state.fg_stroke = Stroke::new(1.0, text);
            state.corner_radius = CornerRadius::same(self.radius.control);
            state.expansion = 0.0;
        }
        #[cfg(debug_assertions)]
        {
            style.debug.show_unaligned = false;
        }
        style
    }
}

/// Gives egui both themes, the fonts and the icons; once, before the first frame.
pub(crate) fn install(ctx: &egui::Context) {
    super::fonts::install(ctx);
    ctx.set_style_of(egui::Theme::Dark, Arc::new(DARK.style()));
    ctx.set_style_of(egui::Theme::Light, Arc::new(LIGHT.style()));
    ctx.options_mut(|options| {
        options.zoom_with_keyboard = true;
        options.fallback_theme = egui::Theme::Dark;
    });
}

/// Whether nothing moves by itself: no fading, no blinking.
pub(crate) fn keep_still(ctx: &egui::Context, still: bool) {
    let blinks = ctx.global_style().visuals.text_cursor.blink;
    if blinks != still {
        return;
    }
    let usual = egui::Style::default();
    ctx.all_styles_mut(|style| {
        style.visuals.text_cursor.blink = !still;
        style.animation_time = if still { 0.0 } else { usual.animation_time };
    });
}

/// How far colours are apart, for tests.
#[cfg(test)]
pub(crate) mod contrast {
    use egui::Color32;

    /// Relative luminance (WCAG 2.1, section 1.4.3).
    fn luminance(colour: Color32) -> f64 {
        let [r, g, b] = [colour.r(), colour.g(), colour.b()].map(|channel| {
            let c = f64::from(channel) / 255.0;
            if c <= 0.04045 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// The contrast of two opaque colours, from 1 to 21.
    pub(crate) fn contrast(one: Color32, other: Color32) -> f64 {
        let (a, b) = (luminance(one), luminance(other));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// What is seen of a colour that lies on an opaque one.
    pub(crate) fn blend(over: Color32, ground: Color32) -> Color32 {
        ground.blend(over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use super::contrast::contrast;

    #[test]
    fn nothing_moves_where_nothing_is_to_move() {
        let ctx = egui::Context::default();
        install(&ctx);
        let moves = || {
            let style = ctx.global_style();
            (style.animation_time > 0.0, style.visuals.text_cursor.blink)
        };
        assert_eq!(moves(), (true, true));
        keep_still(&ctx, true);
        assert_eq!(moves(), (false, false));
        keep_still(&ctx, false);
        assert_eq!(moves(), (true, true));
    }

    #[test]
    fn every_text_has_a_contrast_of_at_least_four_and_a_half() {
        for theme in [&DARK, &LIGHT] {
            let c = &theme.colours;
            let mut pairs = vec![
                ("on accent", c.on_fill, c.accent),
                ("on accent, pointed at", c.on_fill, c.accent_hover),
                ("on answer", c.on_fill, c.answer),
                ("on answer, pointed at", c.on_fill, c.answer_hover),
                ("on danger", c.on_fill, c.danger),
                ("on danger, pointed at", c.on_fill, c.danger_hover),
            ];
            for (name, back) in [
                ("window", c.window),
                ("surface", c.surface),
                ("inset", c.inset),
                ("inset, pointed at", c.inset_hover),
                ("row, pointed at", c.row_hover),
                ("chosen row", c.chosen.tint),
            ] {
                pairs.push((name, c.text, back));
                pairs.push((name, c.muted, back));
            }
            for (name, back) in [("window", c.window), ("surface", c.surface)] {
                for tone in [c.chosen, c.good, c.bad, c.warn, c.neutral] {
                    pairs.push((name, tone.text, back));
                }
            }
            for tone in [c.chosen, c.good, c.bad, c.warn, c.neutral] {
                pairs.push(("tone", tone.text, tone.tint));
            }
            for tone in [c.good, c.bad, c.warn, c.neutral] {
                pairs.push(("text on a tint", c.text, tone.tint));
            }
            for tone in c.avatars {
                pairs.push(("avatar", tone.text, tone.tint));
            }
            for (name, text, back) in pairs {
                let found = contrast(text, back);
                assert!(
                    found >= 4.5,
                    "dark {}: {name}: {text:?} on {back:?} is {found:.2}",
                    theme.dark
                );
            }
        }
    }
}
