//! The caller-id pop-up: a window of its own that is painted when a call rings, never takes the
//! keyboard, and is not answered by Space or Enter.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use egui::{
    Align, CornerRadius, Event, Key, Layout, Margin, Rect, StrokeKind, Ui, UiBuilder, Vec2,
};
use egui_material_icons::icons::{ICON_CALL, ICON_CALL_END};

use crate::base::clean_text::clean_line;
use crate::base::id::CallId;
use crate::config::desktop::DesktopSettings;
use crate::control::{CallView, Command, Snapshot, Wish};
use crate::crm::row::{BlockedRow, RoutingChange, TicketRow};

use super::person::{self, Certainty, Person};
use super::scene::Scene;
use super::theme::{BODY, SMALL, Theme, Weight, font};
use super::view::{claim, last_calls_ui, reach, shown_title};
use super::widget::{Button, Look, avatar_ui, line_ui, paragraph_ui, pill_ui};
use super::{format, text};

/// Clicks in a pop-up's first moments were meant for what lay under it.
const GUARD: Duration = Duration::from_millis(300);

/// Its width in points.
const WIDTH: f32 = 360.0;
const BUTTONS: f32 = 44.0;
/// The row of what is chosen less often, below.
const MORE: f32 = 28.0;

/// What the pop-up remembers between frames.
#[derive(Debug, Default)]
pub(crate) struct PopupState {
    /// When each ringing call was painted first.
    shown: BTreeMap<CallId, Instant>,
    /// Whether a press began while clicks were ignored.
    early_press: bool,
    /// The call whose number is to be blocked, once that was asked for.
    blocking: Option<CallId>,
}

/// How large the pop-up is for what it has to say.
pub(crate) fn popup_size(snapshot: &Snapshot) -> Vec2 {
    let rows = ringing(snapshot)
        .next()
        .and_then(|call| call.identification.as_ref())
        .map_or(0, |found| {
            let guesses = if found.matches.len() > 1 {
                found.matches.len()
            } else {
                0
            };
            found.last_calls.len().max(1) + guesses + found.tickets.len()
        });
    let rows: f32 = std::iter::repeat_n(34.0, rows.min(6)).sum();
    Vec2::new(WIDTH, 280.0 + MORE + rows)
}

/// The calls that ring here and pop up, oldest first.
pub(crate) fn ringing(snapshot: &Snapshot) -> impl Iterator<Item = &CallView> {
    snapshot.calls.iter().filter(|call| call.pops_up())
}

/// Draws the pop-up; true when the call was answered here.
pub(crate) fn popup_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut PopupState) -> bool {
    let snapshot = std::sync::Arc::clone(&scene.snapshot);
    state
        .shown
        .retain(|id, _| ringing(&snapshot).any(|call| call.id == *id));
    // Whatever has the keyboard: these two keys were meant for another program.
    ui.input_mut(|input| {
        input.events.retain(|event| {
            !matches!(
                event,
                Event::Key {
                    key: Key::Space | Key::Enter,
                    ..
                }
            )
        });
    });
    let theme = Theme::of(ui);
    let full = ui.max_rect();
    ui.painter().rect(
        full,
        CornerRadius::ZERO,
        theme.colours.surface,
        theme.border(),
        StrokeKind::Inside,
    );
    let Some(call) = ringing(&snapshot).next() else {
        return false;
    };
    let first = *state.shown.entry(call.id).or_insert(scene.now.mono);
    let guarded = scene.now.mono.saturating_duration_since(first) < GUARD;
    let inner = full.shrink(16.0);
    let (inner, more) = inner.split_top_bottom_at_y(inner.bottom() - MORE + 8.0);
    let (content, buttons) = inner.split_top_bottom_at_y(inner.bottom() - BUTTONS);
    ui.scope_builder(
        UiBuilder::new().max_rect(content.with_max_y(content.bottom() - 12.0)),
        |ui| content_ui(ui, scene, call, ringing(&snapshot).count()),
    );
    let blocking = state.blocking == Some(call.id);
    let voicemail = voicemail(&snapshot, call);
    let chosen = more_ui(ui, more, voicemail.is_some(), blocking);
    let clicked = buttons_ui(ui, buttons, &snapshot.settings.desktop).or(chosen);
    let early = early_click(ui, state, guarded);
    ui.ctx().request_repaint_after(Duration::from_secs(1));
    match clicked {
        Some(_) if early => false,
        Some(Choice::Answer) => {
            scene.send(Command::Answer(call.id));
            true
        }
        Some(Choice::Decline) => {
            scene.send(Command::Decline(call.id));
            false
        }
        Some(Choice::Busy) => {
            scene.send(Command::Busy(call.id));
            false
        }
        Some(Choice::Voicemail) => {
            if let Some(number) = voicemail {
                scene.send(Command::Redirect(call.id, number, Wish::AGENT));
            }
            false
        }
        Some(Choice::Block) if blocking => {
            let number = reach(call);
            let entry = BlockedRow::typed(&number, BLOCKED, "", scene.now.wall);
            let change = RoutingChange::Block(entry);
            scene.send(Command::ChangeRouting(Box::new(change)));
            scene.send(Command::Decline(call.id));
            false
        }
        Some(Choice::Block) => {
            state.blocking = Some(call.id);
            false
        }
        None => false,
    }
}

/// Whether what was clicked now was pressed while clicks were ignored.
fn early_click(ui: &Ui, state: &mut PopupState, guarded: bool) -> bool {
    let (pressed, released) =
        ui.input(|input| (input.pointer.any_pressed(), input.pointer.any_released()));
    if pressed && guarded {
        state.early_press = true;
    }
    let early = guarded || state.early_press;
    if released {
        state.early_press = false;
    }
    early
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Answer,
    Decline,
    /// As if the line were engaged.
    Busy,
    /// To the account's voice mail.
    Voicemail,
    /// This number never again; asked twice.
    Block,
}

/// What a blocked number hears: 603 Decline.
const BLOCKED: u16 = 603;

/// Where a call can be sent instead.
fn voicemail(snapshot: &Snapshot, call: &CallView) -> Option<String> {
    let mut accounts = snapshot.accounts.iter();
    let account = accounts.find(|account| Some(account.id) == call.account)?;
    let number = account.account.voicemail.trim();
    (!number.is_empty()).then(|| number.to_owned())
}

/// Busy, to voice mail, block: small, for they are rare.
fn more_ui(ui: &Ui, place: Rect, voicemail: bool, blocking: bool) -> Option<Choice> {
    let block = if blocking {
        (Choice::Block, text::BLOCK_SURE, Look::Danger)
    } else {
        (Choice::Block, text::BLOCK, Look::Bare)
    };
    let mut choices = vec![(Choice::Busy, text::SAY_BUSY, Look::Bare)];
    if voicemail {
        choices.push((Choice::Voicemail, text::TO_VOICEMAIL, Look::Bare));
    }
    choices.push(block);
    // Each has as much as its word needs, and what is left is shared.
    let wanted = |word: &str| Button::new(word).natural_width(ui);
    let sum: f32 = choices.iter().map(|(_, word, _)| wanted(word)).sum();
    let more = (place.width() - sum) / f32::from(u8::try_from(choices.len()).unwrap_or(1));
    let mut left = place.left();
    let mut clicked = None;
    for (choice, word, look) in choices {
        let share = Vec2::new(wanted(word) + more, MORE);
        let cell = Rect::from_min_size(egui::pos2(left, place.top()), share);
        left += share.x;
        let button = Button::new(word).look(look).height(MORE);
        if button.put(ui, cell, ui.scope_id().with(word)).clicked() {
            clicked = Some(choice);
        }
    }
    clicked
}

fn buttons_ui(ui: &Ui, place: Rect, desktop: &DesktopSettings) -> Option<Choice> {
    let gap = Theme::of(ui).space.small;
    let key = desktop.decline_key.to_string();
    let decline_button = Button::new(text::DECLINE)
        .icon(ICON_CALL_END)
        .look(Look::OutlinedDanger)
        .key(&key);
    let third = (place.width() - gap) / 3.0;
    let third = third.max(decline_button.natural_width(ui));
    let (decline, rest) = place.split_left_right_at_x(place.left() + third);
    let answer = rest.with_min_x(rest.left() + gap);
    let declined = decline_button
        .put(ui, decline, ui.scope_id().with("decline"))
        .clicked();
    let answered = Button::new(text::ANSWER)
        .icon(ICON_CALL)
        .look(Look::Answer)
        .key(&desktop.answer_key.to_string())
        .put(ui, answer, ui.scope_id().with("answer"))
        .clicked();
    if answered {
        Some(Choice::Answer)
    } else {
        declined.then_some(Choice::Decline)
    }
}

fn content_ui(ui: &mut Ui, scene: &Scene<'_>, call: &CallView, count: usize) {
    let theme = Theme::of(ui);
    let person = person::of_call(call);
    ui.horizontal(|ui| {
        pill_ui(ui, text::INCOMING, None, |theme| theme.colours.good);
        if count > 1 {
            pill_ui(ui, &text::more_ringing(count - 1), None, |theme| {
                theme.colours.warn
            });
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            line_ui(ui, &line_name(scene, call), SMALL, theme.colours.muted);
        });
    });
    ui.add_space(theme.space.tight);
    who_ui(ui, call, &person);
    let rang = scene.now.mono.saturating_duration_since(call.started);
    let mut facts = vec![text::rings_for(&format::clock(rang))];
    if let Some(queue) = &call.queue {
        facts.push(text::queue(&clean_line(queue)));
    }
    if let Some(from) = &call.diverted_from {
        facts.push(text::via(from));
    }
    facts.extend(format::number_proof(call.number_proof).map(str::to_owned));
    line_ui(ui, &facts.join(" · "), SMALL, theme.colours.muted);
    egui::ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            if let Some(words) = claim(call, &scene.snapshot) {
                paragraph_ui(ui, &words, SMALL, theme.colours.warn.text);
            }
            why_ui(ui, &person);
            if person.certainty != Certainty::Known {
                candidates_ui(ui, &person);
            }
            if let Some(found) = &call.identification {
                tickets_ui(ui, &found.tickets);
                last_calls_ui(ui, scene, &found.last_calls, true);
            }
        });
}

/// What is worked on for the caller.
fn tickets_ui(ui: &mut Ui, tickets: &[TicketRow]) {
    if tickets.is_empty() {
        return;
    }
    let theme = Theme::of(ui);
    let head = text::open_tickets(tickets.len());
    line_ui(ui, &head, font(12.0, Weight::Medium), theme.colours.muted);
    for ticket in tickets {
        let number = text::ticket_number(ticket.id.0);
        let words = format!("{number} {}", shown_title(ticket));
        line_ui(ui, &words, BODY, theme.colours.text);
    }
}

/// The own line that is called.
fn line_name(scene: &Scene<'_>, call: &CallView) -> String {
    call.account
        .and_then(|id| {
            scene
                .snapshot
                .accounts
                .iter()
                .find(|account| account.id == id)
        })
        .map_or_else(
            || call.local.clone(),
            |view| {
                if view.account.display_name.is_empty() {
                    view.account.address.clone()
                } else {
                    view.account.display_name.clone()
                }
            },
        )
}

fn who_ui(ui: &mut Ui, call: &CallView, person: &Person<'_>) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        avatar_ui(ui, 52.0, person.avatar_name());
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            line_ui(
                ui,
                &person.title,
                font(18.0, Weight::SemiBold),
                theme.colours.text,
            );
            if let Some(second) = &person.second {
                let ink = if person.certainty == Certainty::Maybe {
                    theme.colours.warn.text
                } else {
                    theme.colours.muted
                };
                line_ui(ui, second, BODY, ink);
            }
            if let Some(third) = &person.third {
                line_ui(ui, third, SMALL, theme.colours.muted);
            }
        });
    });
    if !call.durable {
        line_ui(ui, text::NOT_DURABLE, SMALL, theme.colours.warn.text);
    }
}

/// The rule that found the person.
fn why_ui(ui: &mut Ui, person: &Person<'_>) {
    let theme = Theme::of(ui);
    let tone = match person.certainty {
        Certainty::Maybe | Certainty::Several => theme.colours.warn,
        Certainty::Known | Certainty::Nobody | Certainty::LookingUp => theme.colours.neutral,
    };
    egui::Frame::new()
        .fill(tone.tint)
        .corner_radius(CornerRadius::same(theme.radius.control))
        .inner_margin(Margin::symmetric(10, 6))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            paragraph_ui(
                ui,
                &format::sentence(&person.why),
                SMALL,
                theme.colours.text,
            );
        });
}

/// Everybody it may be; they are chosen on the card, not while it rings.
fn candidates_ui(ui: &mut Ui, person: &Person<'_>) {
    // A single guess stands under the number already.
    if person.candidates.len() < 2 {
        return;
    }
    let theme = Theme::of(ui);
    for (number, candidate) in (1..).zip(person.candidates.iter().take(4)) {
        let name = match &candidate.organization {
            Some(organization) => format!("{} · {organization}", candidate.name),
            None => candidate.name.clone(),
        };
        let words = text::choose_nth(number, &name);
        line_ui(ui, &words, BODY, theme.colours.text);
    }
}
