//! The navigation at the left: screens above, readiness below.

use egui::text::LayoutJob;
use egui::{CornerRadius, Key, Rect, Role, Sense, StrokeKind, Ui, Vec2, WidgetInfo};
use egui_material_icons::MaterialIcon;
use egui_material_icons::icons::{
    ICON_APARTMENT, ICON_BAR_CHART, ICON_CONFIRMATION_NUMBER, ICON_DIALPAD, ICON_HEADSET_MIC,
    ICON_HISTORY, ICON_PERSON, ICON_SETTINGS, ICON_TASK_ALT, ICON_TRENDING_UP, ICON_VOICEMAIL,
};

use super::agent_state::agent_state_ui;
use crate::control::{CallTarget, Command};
use crate::ui::readiness::{Level, Readiness};
use crate::ui::scene::Scene;
use crate::ui::state::{View, ViewState};
use crate::ui::theme::{SMALL, Theme, Tone, Weight, font};
use crate::ui::widget::{
    Line, badge_text, badge_width, paint_badge, paint_icon, paint_line, paint_own_line,
};
use crate::ui::{keys, text};

const ITEM: f32 = 36.0;
/// Below this height the lines stand closer together.
const LOW: f32 = 570.0;
const LOW_ITEM: f32 = 32.0;
/// How much of the reason why the phone is not ready is written out.
const REASON_ROWS: usize = 4;

/// The screens in their order; Ctrl and the key switch to each.
pub(crate) const VIEWS: [(View, &str, MaterialIcon, Key); 9] = [
    (View::Dialer, text::DIALER, ICON_DIALPAD, Key::Num1),
    (View::Calls, text::CALLS, ICON_HISTORY, Key::Num2),
    (View::Contacts, text::CONTACTS, ICON_PERSON, Key::Num3),
    (View::Leads, text::LEADS, ICON_TRENDING_UP, Key::Num4),
    (
        View::Organizations,
        text::ORGANIZATIONS,
        ICON_APARTMENT,
        Key::Num5,
    ),
    (
        View::Tickets,
        text::TICKETS,
        ICON_CONFIRMATION_NUMBER,
        Key::Num6,
    ),
    (View::Tasks, text::TASKS, ICON_TASK_ALT, Key::Num7),
    (
        View::Statistics,
        text::STATISTICS,
        ICON_BAR_CHART,
        Key::Num8,
    ),
    (View::Settings, text::SETTINGS, ICON_SETTINGS, Key::Comma),
];

/// Draws it, with words or as a rail of icons.
pub(crate) fn navigation_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ViewState,
    words: bool,
) {
    let low = ui.available_height() < LOW;
    brand_ui(ui, words);
    ui.add_space(8.0);
    agent_state_ui(ui, scene, &mut state.agent, words);
    ui.add_space(8.0);
    ui.spacing_mut().item_spacing.y = if low { 2.0 } else { 4.0 };
    for (view, name, icon, key) in VIEWS {
        let to_call_back = (view == View::Calls)
            .then_some(scene.snapshot.to_call_back)
            .filter(|count| *count > 0);
        let item = Item {
            caption: name,
            name: match to_call_back {
                Some(count) => format!("{name}, {}", text::to_call_back_count(count)),
                None => name.to_owned(),
            },
            tooltip: text::key(name, &keys::ctrl(key.symbol_or_name())),
            icon,
            chosen: Some(state.view == view),
            badge: to_call_back.map(badge_text),
            words,
            height: if low { LOW_ITEM } else { ITEM },
        };
        if item.show(ui) {
            state.view = view;
            state.detail = None;
        }
    }
    voicemail_ui(ui, scene, words);
    ui.with_layout(egui::Layout::bottom_up(egui::Align::Min), |ui| {
        readiness_ui(ui, scene, state, words);
    });
}

fn brand_ui(ui: &mut Ui, words: bool) {
    let theme = Theme::of(ui);
    let (place, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 28.0), Sense::hover());
    let centre = if words {
        egui::pos2(place.left() + 18.0, place.center().y)
    } else {
        place.center()
    };
    paint_icon(
        ui.painter(),
        centre,
        ICON_HEADSET_MIC,
        24.0,
        theme.colours.chosen.text,
    );
    if words {
        let line = Line {
            text: text::PRODUCT,
            font: font(17.0, Weight::SemiBold),
            colour: theme.colours.text,
        };
        paint_line(ui.painter(), place.with_min_x(place.left() + 42.0), &line);
    }
}

/// The voice mail, for each account that has messages; a press calls it.
fn voicemail_ui(ui: &mut Ui, scene: &mut Scene<'_>, words: bool) {
    let snapshot = std::sync::Arc::clone(&scene.snapshot);
    for (place, mailbox) in snapshot.mailboxes.iter().enumerate() {
        let new = mailbox.waiting.then(|| mailbox.new_voice());
        let number = mailbox.voicemail.as_deref();
        let name = text::voicemail(new, number);
        let item = Item {
            caption: text::VOICEMAIL,
            tooltip: format!("{name}\n{}", mailbox.address),
            name,
            icon: ICON_VOICEMAIL,
            chosen: None,
            // Some servers say that messages wait and not how many.
            badge: new.map(|new| match new {
                0 => "!".to_owned(),
                new => badge_text(new.into()),
            }),
            words,
            height: LOW_ITEM,
        };
        let pressed = ui.push_id(("mailbox", place), |ui| item.show(ui)).inner;
        if let (true, Some(number)) = (pressed, number) {
            scene.send(Command::Call(CallTarget {
                text: number.to_owned(),
                account: mailbox.account,
            }));
        }
    }
}

/// One line of the navigation.
struct Item {
    caption: &'static str,
    /// What screen readers say.
    name: String,
    tooltip: String,
    icon: MaterialIcon,
    /// Whether this screen is open; none for what is no screen.
    chosen: Option<bool>,
    badge: Option<String>,
    words: bool,
    height: f32,
}

impl Item {
    fn show(&self, ui: &mut Ui) -> bool {
        let theme = Theme::of(ui);
        let size = Vec2::new(ui.available_width(), self.height);
        let (place, response) = ui.allocate_exact_size(size, Sense::click());
        response.widget_info(|| match self.chosen {
            Some(chosen) => WidgetInfo::selected(Role::Tab, true, chosen, &self.name),
            None => WidgetInfo::labeled(Role::Button, true, &self.name),
        });
        let radius = CornerRadius::same(theme.radius.control);
        let painter = ui.painter();
        let ink = if self.chosen == Some(true) {
            painter.rect_filled(place, radius, theme.colours.chosen.tint);
            theme.colours.chosen.text
        } else {
            if response.hovered() {
                painter.rect_filled(place, radius, theme.colours.inset);
            }
            theme.colours.muted
        };
        if response.has_focus() {
            painter.rect_stroke(place, radius, theme.focus(), StrokeKind::Inside);
        }
        let middle = place.center().y;
        let icon = if self.words {
            egui::pos2(place.left() + 20.0, middle)
        } else {
            place.center()
        };
        paint_icon(painter, icon, self.icon, 20.0, ink);
        if self.words {
            let chosen = self.chosen == Some(true);
            let colour = if chosen { ink } else { theme.colours.text };
            let line = Line {
                text: self.caption,
                font: font(14.0, Weight::Medium),
                colour,
            };
            let mut word = place.with_min_x(place.left() + 44.0);
            if let Some(count) = &self.badge {
                word.max.x -= badge_width(ui, count) + 12.0;
            }
            paint_own_line(painter, word, &line);
        }
        if let Some(count) = &self.badge {
            let at = if self.words {
                egui::pos2(place.right() - 8.0 - badge_width(ui, count), middle)
            } else {
                egui::pos2(
                    place.right() + 4.0 - badge_width(ui, count),
                    place.top() + 8.0,
                )
            };
            paint_badge(ui, at, count);
        }
        response.on_hover_text(&self.tooltip).clicked()
    }
}

/// Whether the phone is ready, and if not why; a click opens the reasons, one by one.
fn readiness_ui(ui: &mut Ui, scene: &Scene<'_>, state: &mut ViewState, words: bool) {
    let theme = Theme::of(ui);
    let readiness = Readiness::of(&scene.snapshot, scene.now.mono);
    if readiness.retries {
        ui.ctx()
            .request_repaint_after(std::time::Duration::from_secs(1));
    }
    let tone = level_tone(theme, readiness.level);
    let response = if words {
        card_ui(ui, theme, &readiness, tone)
    } else {
        let (place, response) =
            ui.allocate_exact_size(Vec2::splat(ui.available_width()), Sense::click());
        let radius = CornerRadius::same(theme.radius.control);
        ui.painter().rect_filled(place, radius, theme.colours.inset);
        ui.painter().circle_filled(place.center(), 5.0, tone.text);
        if response.has_focus() {
            ui.painter()
                .rect_stroke(place, radius, theme.focus(), StrokeKind::Inside);
        }
        response
    };
    let name = format!("{}. {}", readiness.title, readiness.reason);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    if response.on_hover_text(name).clicked() {
        state.open_diagnostics();
    }
}

fn level_tone(theme: &Theme, level: Level) -> Tone {
    match level {
        Level::Ready => theme.colours.good,
        Level::Working | Level::Limited => theme.colours.warn,
        Level::Broken => theme.colours.bad,
        Level::Idle => theme.colours.neutral,
    }
}

fn card_ui(ui: &mut Ui, theme: &Theme, readiness: &Readiness, tone: Tone) -> egui::Response {
    let inner = ui.available_width() - 24.0;
    // The whole reason stands under the pointer, and mostly in a banner too.
    let reason = crate::ui::display_text::clean_text(&readiness.reason);
    let mut job = LayoutJob::simple(reason, SMALL, theme.colours.muted, inner);
    job.wrap.max_rows = REASON_ROWS;
    let words = ui.painter().layout_job(job);
    let (place, response) = ui.allocate_exact_size(
        Vec2::new(ui.available_width(), words.size().y + 42.0),
        Sense::click(),
    );
    let radius = CornerRadius::same(theme.radius.control);
    let painter = ui.painter().with_clip_rect(place);
    let fill = if response.hovered() {
        theme.colours.inset_hover
    } else {
        theme.colours.inset
    };
    painter.rect_filled(place, radius, fill);
    if response.has_focus() {
        painter.rect_stroke(place, radius, theme.focus(), StrokeKind::Inside);
    }
    let top = place.top() + 20.0;
    painter.circle_filled(egui::pos2(place.left() + 16.0, top), 4.0, tone.text);
    let title = Rect::from_min_max(
        egui::pos2(place.left() + 26.0, top - 9.0),
        egui::pos2(place.right() - 2.0, top + 9.0),
    );
    paint_line(
        &painter,
        title,
        &Line {
            text: &readiness.title,
            font: font(13.0, Weight::Medium),
            colour: theme.colours.text,
        },
    );
    painter.galley(
        egui::pos2(place.left() + 12.0, top + 12.0),
        words,
        theme.colours.muted,
    );
    response
}
