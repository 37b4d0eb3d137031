//! The building blocks of all views: each draws from the theme's tokens, names itself for screen
//! readers and shows where the keyboard is.

mod avatar;
mod badge;
mod banner;
mod bars;
mod button;
mod empty;
mod end;
mod field;
mod framed;
mod label;
mod lock;
mod meter;
mod pill;
mod row;
mod section;
mod tabs;
mod waveform;

pub(crate) use avatar::{avatar_ui, paint_avatar};
pub(crate) use badge::{badge_text, badge_width, paint_badge};
pub(crate) use banner::{banner_ui, message_ui};
pub(crate) use bars::bars_ui;
pub(crate) use button::{Button, Look, RoundButton, half_width};
pub(crate) use empty::empty_ui;
pub(crate) use end::at_end_ui;
pub(crate) use field::{
    FORM, Field, choice_ui, describe, explained_choice_ui, explained_switch_ui, ring_ui, search_ui,
    switch_ui, why_ui,
};
pub(crate) use framed::framed_ui;
pub(crate) use label::{
    Line, elided, icon_ui, line_ui, paint_centred, paint_icon, paint_line, paint_own_line,
    paragraph_ui, title_ui,
};
pub(crate) use lock::{locked_ui, with_locks};
pub(crate) use meter::meter_ui;
pub(crate) use pill::{paint_pill, pill_ui, pill_ui_width, pill_width};
pub(crate) use row::{choose_ui, row_ui, tall_row_ui};
pub(crate) use section::{SECTION, section_ui};
pub(crate) use tabs::tab_ui;
pub(crate) use waveform::{Lane, Span, Waveform};
