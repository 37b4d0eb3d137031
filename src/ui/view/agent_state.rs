//! What the agent does, at the head of the window: the state with its running time, and a menu to change it.

use std::time::Duration;

use egui::{
    CornerRadius, Popup, PopupCloseBehavior, Rect, Response, Role, Sense, StrokeKind, Ui, Vec2,
    WidgetInfo,
};
use egui_material_icons::MaterialIcon;
use egui_material_icons::icons::{
    ICON_CHECK_CIRCLE, ICON_COFFEE, ICON_DO_NOT_DISTURB_ON, ICON_EDIT_NOTE,
};
use jiff::Timestamp;

use crate::control::Command;
use crate::crm::row::{AgentState, Presence};
use crate::ui::display_text::{clean_line, shown_line};
use crate::ui::scene::Scene;
use crate::ui::state::AgentMenu;
use crate::ui::theme::{SMALL, Theme, Tone, Weight, font};
use crate::ui::widget::{
    Button, Field, Line, Look, describe, line_ui, paint_centred, paint_icon, paint_own_line,
    paragraph_ui, switch_ui,
};
use crate::ui::{format, keys, text};

const HEIGHT: f32 = 44.0;
const MENU: f32 = 264.0;

/// Draws it, with words or as a part of the rail of icons.
pub(super) fn agent_state_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    menu: &mut AgentMenu,
    words: bool,
) {
    let presence = scene.snapshot.agent.clone();
    let clock = Clock::of(&presence, scene.now.wall);
    ui.ctx().request_repaint_after(clock.next);
    let response = chip_ui(ui, scene, &presence, &clock, words);
    if response.clicked() {
        menu.open = !menu.open;
        menu.focus = menu.open;
    }
    let mut open = menu.open;
    Popup::from_response(&response)
        .open_bool(&mut open)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .frame(Theme::of(ui).card())
        .width(MENU)
        .show(|ui| {
            ui.set_width(MENU);
            if menu_ui(ui, scene, menu, &presence) {
                menu.open = false;
            }
        });
    menu.open &= open;
}

/// How long it has been so, or how long it will be, and when other words are due.
struct Clock {
    words: String,
    next: Duration,
}

impl Clock {
    fn of(presence: &Presence, now: Timestamp) -> Self {
        let between = |from: Timestamp, to: Timestamp| {
            Duration::try_from(to.duration_since(from)).unwrap_or_default()
        };
        let since = between(presence.since, now);
        // Whoever just works needs no second hand, and the window rests meanwhile.
        if presence.state == AgentState::Available {
            let into = Duration::from_secs(since.as_secs() % 60);
            return Self {
                words: text::hours_and_minutes(since.as_secs() / 60),
                next: Duration::from_secs(60).saturating_sub(into),
            };
        }
        let words = match presence.until {
            Some(until) if until > now => text::time_left(&format::clock(between(now, until))),
            Some(_) | None => format::clock(since),
        };
        Self {
            words,
            next: Duration::from_secs(1),
        }
    }
}

impl Clock {
    /// What of it fits into the rail of icons.
    fn short(&self) -> &str {
        let words = self.words.as_str();
        let hours = words.find(" h ").and_then(|place| words.get(..place + 2));
        let first = words.split(' ').next().unwrap_or_default();
        match hours {
            Some(hours) => hours,
            None if words.chars().count() <= 6 => words,
            None => first,
        }
    }
}

/// A shape and a colour for each state, so that neither must be seen alone.
fn look(state: AgentState, theme: &Theme) -> (MaterialIcon, Tone) {
    match state {
        AgentState::Available => (ICON_CHECK_CIRCLE, theme.colours.good),
        AgentState::Break => (ICON_COFFEE, theme.colours.warn),
        AgentState::WrapUp => (ICON_EDIT_NOTE, theme.colours.chosen),
        AgentState::DoNotDisturb => (ICON_DO_NOT_DISTURB_ON, theme.colours.bad),
    }
}

fn chip_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    presence: &Presence,
    clock: &Clock,
    words: bool,
) -> Response {
    let theme = Theme::of(ui);
    let doing = text::doing(presence.state, &clean_line(&presence.reason));
    let size = Vec2::new(ui.available_width(), HEIGHT);
    let (place, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo {
        current_text_value: Some(clock.words.clone()),
        ..WidgetInfo::labeled(Role::Button, true, text::state_of(&doing))
    });
    let painter = ui.painter();
    let radius = CornerRadius::same(theme.radius.control);
    let fill = if response.hovered() {
        theme.colours.inset_hover
    } else {
        theme.colours.inset
    };
    painter.rect_filled(place, radius, fill);
    if response.has_focus() {
        painter.rect_stroke(place, radius, theme.focus(), StrokeKind::Inside);
    }
    let (icon, tone) = look(presence.state, theme);
    let second = format!("{doing} · {}", clock.words);
    let agent = match scene.snapshot.settings.agent.trim() {
        "" => text::YOU,
        name => name,
    };
    describe(ui, &response, &clean_line(agent));
    if words {
        let circle = egui::pos2(place.left() + 22.0, place.center().y);
        painter.circle_filled(circle, 14.0, tone.tint);
        paint_icon(painter, circle, icon, 18.0, tone.text);
        let half = |top: f32| {
            Rect::from_min_max(
                egui::pos2(place.left() + 44.0, top),
                egui::pos2(place.right() - 6.0, top + 18.0),
            )
        };
        let first = Line {
            text: agent,
            font: font(13.0, Weight::Medium),
            colour: theme.colours.text,
        };
        paint_own_line(painter, half(place.top() + 5.0), &first);
        let line = Line {
            text: &second,
            font: SMALL,
            colour: theme.colours.muted,
        };
        paint_own_line(painter, half(place.top() + 22.0), &line);
    } else {
        let circle = egui::pos2(place.center().x, place.top() + 16.0);
        paint_icon(painter, circle, icon, 20.0, tone.text);
        let line = Line {
            text: clock.short(),
            font: font(11.0, Weight::Regular),
            colour: theme.colours.muted,
        };
        paint_centred(painter, place.with_min_y(place.bottom() - 17.0), &line);
    }
    let tooltip = text::key(&shown_line(&format!("{agent}, {second}")), keys::AGENT);
    response.on_hover_text(tooltip)
}

/// Draws the menu; true when something was chosen.
fn menu_ui(ui: &mut Ui, scene: &mut Scene<'_>, menu: &mut AgentMenu, presence: &Presence) -> bool {
    let theme = Theme::of(ui);
    ui.spacing_mut().item_spacing.y = 4.0;
    let mut chosen = None;
    let available = state_ui(ui, AgentState::Available, text::AVAILABLE_WHY, presence);
    if std::mem::take(&mut menu.focus) {
        available.request_focus();
    }
    if available.clicked() {
        chosen = Some((AgentState::Available, String::new()));
    }
    for (state, why) in [
        (AgentState::WrapUp, text::WRAP_UP_WHY),
        (AgentState::DoNotDisturb, text::DISTURB_WHY),
    ] {
        if state_ui(ui, state, why, presence).clicked() {
            chosen = Some((state, String::new()));
        }
    }
    ui.separator();
    line_ui(
        ui,
        text::BREAK_FOR,
        font(13.0, Weight::Medium),
        theme.colours.text,
    );
    paragraph_ui(ui, text::BREAK_WHY, SMALL, theme.colours.muted);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(4.0);
        for reason in text::BREAK_REASONS {
            let on = presence.state == AgentState::Break && presence.reason == reason;
            let button = Button::new(reason)
                .name(&text::break_for(reason))
                .look(if on { Look::Chosen } else { Look::Quiet })
                .height(28.0)
                .show(ui);
            if button.clicked() {
                chosen = Some((AgentState::Break, reason.to_owned()));
            }
        }
    });
    let field = Field::named(text::BREAK_REASON, &mut menu.reason)
        .hint(text::BREAK_REASON)
        .show(ui);
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    let begin = Button::new(text::BEGIN_BREAK)
        .icon(ICON_COFFEE)
        .width(ui.available_width())
        .show(ui);
    if begin.clicked() || entered {
        let reason = std::mem::take(&mut menu.reason);
        chosen = Some((AgentState::Break, reason.trim().to_owned()));
    }
    ui.separator();
    let mut popups = scene.snapshot.settings.popups;
    if switch_ui(ui, &mut popups, text::POPUPS) {
        scene.send(Command::SetPopups(popups));
    }
    let Some((state, reason)) = chosen else {
        return false;
    };
    scene.send(Command::SetAgentState(state, reason));
    true
}

/// One of the states, with what it means for calls.
fn state_ui(ui: &mut Ui, state: AgentState, why: &str, presence: &Presence) -> Response {
    let theme = Theme::of(ui);
    let (icon, _) = look(state, theme);
    let on = presence.state == state;
    Button::new(text::agent_state(state))
        .icon(icon)
        .look(if on { Look::Chosen } else { Look::Quiet })
        .width(ui.available_width())
        .tooltip(why)
        .show(ui)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn the_time_runs_by_minutes_at_work_and_by_seconds_else() {
        let mut presence = Presence::available(at(0));
        let told = |presence: &Presence, second| {
            let clock = Clock::of(presence, at(second));
            (clock.words, clock.next.as_secs())
        };
        assert_eq!(told(&presence, 59), ("0 min".to_owned(), 1));
        assert_eq!(told(&presence, 3_725), ("1 h 02 min".to_owned(), 55));
        presence.set(at(0), AgentState::Break, "Lunch");
        assert_eq!(told(&presence, 253), ("04:13".to_owned(), 1));
        presence.set(at(0), AgentState::WrapUp, "");
        presence.until = Some(at(30));
        assert_eq!(told(&presence, 7), ("00:23 left".to_owned(), 1));
        for (words, short) in [
            ("59 min", "59 min"),
            ("11 h 02 min", "11 h"),
            ("04:13", "04:13"),
            ("00:23 left", "00:23"),
        ] {
            let clock = Clock {
                words: words.to_owned(),
                next: Duration::ZERO,
            };
            assert_eq!(clock.short(), short);
        }
        // A clock that was set back shows no nonsense.
        assert_eq!(told(&Presence::available(at(90)), 0).0, "0 min");
    }
}
