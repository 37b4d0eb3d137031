//! The codecs of an account being written: which ones, and in which order.

use egui::Ui;
use egui_material_icons::icons::{ICON_ADD, ICON_ARROW_DOWNWARD, ICON_ARROW_UPWARD, ICON_CLOSE};

use crate::config::Account;
use crate::config::validate::{CODECS, PACKET_MILLIS};
use crate::ui::text;
use crate::ui::theme::{Theme, Weight, font};
use crate::ui::widget::{Button, Look, explained_choice_ui, explained_switch_ui, line_ui, why_ui};

/// What is done with one of the codecs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It changes places with the one above.
    Raise(usize),
    /// It is left out.
    Remove(usize),
}

/// Draws the chosen ones in their order, those that are left out, and the switch for silence.
pub(crate) fn codecs_form_ui(ui: &mut Ui, account: &mut Account) {
    let theme = Theme::of(ui);
    why_ui(ui, text::CODECS_WHY);
    let mut change = None;
    let last = account.codecs.len().saturating_sub(1);
    for (place, codec) in account.codecs.iter().enumerate() {
        let name = text::codec(codec);
        ui.push_id(place, |ui| {
            ui.horizontal(|ui| {
                let mut button = |icon, words: String, possible: bool| {
                    ui.add_enabled_ui(possible, |ui| {
                        let button = Button::icon_only(icon, &words).look(Look::Bare);
                        button.show(ui).clicked()
                    })
                    .inner
                };
                if button(ICON_ARROW_UPWARD, text::raise_codec(name), place > 0) {
                    change = Some(Change::Raise(place));
                }
                if button(ICON_ARROW_DOWNWARD, text::lower_codec(name), place < last) {
                    change = Some(Change::Raise(place + 1));
                }
                // Without any there is no call.
                if button(ICON_CLOSE, text::remove_codec(name), last > 0) {
                    change = Some(Change::Remove(place));
                }
                let words = format!("{}. {}", place + 1, text::codec_described(codec));
                line_ui(ui, &words, font(13.0, Weight::Regular), theme.colours.text);
            });
        });
    }
    match change {
        Some(Change::Raise(place)) if place > 0 && place <= last => {
            account.codecs.swap(place - 1, place);
        }
        Some(Change::Remove(place)) if place <= last => drop(account.codecs.remove(place)),
        Some(Change::Raise(_) | Change::Remove(_)) | None => {}
    }
    let chosen = |codec: &str| {
        account
            .codecs
            .iter()
            .any(|it| it.eq_ignore_ascii_case(codec))
    };
    let left_out: Vec<&str> = CODECS.into_iter().filter(|codec| !chosen(codec)).collect();
    for codec in left_out {
        let words = text::add_codec(text::codec(codec));
        if Button::new(&words).icon(ICON_ADD).show(ui).clicked() {
            account.codecs.push(codec.to_owned());
        }
    }
    ui.add_space(4.0);
    explained_switch_ui(
        ui,
        &mut account.silence_suppression,
        text::SILENCE_SUPPRESSION,
        text::SILENCE_SUPPRESSION_WHY,
    );
    ui.add_space(4.0);
    let lengths = PACKET_MILLIS.map(|millis| (millis, text::packet_time(millis)));
    let chosen = &account.packet_millis;
    if let Some(choice) = explained_choice_ui(
        ui,
        text::PACKET_TIME,
        text::PACKET_TIME_WHY,
        chosen,
        &lengths,
    ) {
        account.packet_millis = choice;
    }
    ui.add_space(4.0);
}
