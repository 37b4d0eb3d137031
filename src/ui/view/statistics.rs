//! Statistics: sums, plots, and each queue's figures.

use std::sync::Arc;

use egui::{Align, Color32, FontId, Grid, Label, Layout, RichText, ScrollArea, Ui, Vec2};
use egui_material_icons::icons::ICON_BAR_CHART;
use jiff::{Timestamp, ToSpan as _};

use super::figures_export::{export_button_ui, export_ui};
use super::statistics_plots::plots_ui;
use super::waiting::waiting_ui;
use crate::control::{Page, PageRequest, WorkPage, WorkRequest};
use crate::crm::row::{HourFigures, QueueFigures};
use crate::ui::display_text::{clean_line, visual};
use crate::ui::scene::{Now, Scene};
use crate::ui::state::{Period, ViewState};
use crate::ui::theme::{BODY, SMALL, Theme, Weight, font};
use crate::ui::widget::{elided, empty_ui, line_ui, tab_ui, title_ui};
use crate::ui::{format, text};

/// The periods in their order.
const PERIODS: [(Period, &str); 3] = [
    (Period::Today, text::TODAY),
    (Period::Week, text::SEVEN_DAYS),
    (Period::Month, text::THIRTY_DAYS),
];

/// Draws the view.
pub(crate) fn statistics_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    ui.horizontal(|ui| {
        title_ui(ui, text::STATISTICS);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            export_button_ui(ui, scene, state);
        });
    });
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (period, word) in PERIODS {
            if tab_ui(ui, word, state.period == period, None).clicked() {
                state.period = period;
            }
        }
    });
    ui.add_space(4.0);
    let (since, until) = bounds(state.period, &scene.now);
    export_ui(ui, scene, &mut state.figures, (since, until));
    let page = |request| scene.page(&PageRequest::Work(request));
    let figures = page(WorkRequest::Figures { since, until });
    let hours = page(WorkRequest::Hours { since, until });
    Theme::of(ui).card().show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        let (Some(queues), Some(hours)) = (queues_of(figures.as_ref()), hours_of(hours.as_ref()))
        else {
            let failed = [figures.as_deref(), hours.as_deref()].into_iter().flatten();
            let failed = failed
                .into_iter()
                .find(|page| matches!(page, Page::Failed(_)));
            waiting_ui(ui, failed, ICON_BAR_CHART);
            return;
        };
        if queues.is_empty() {
            let (title, why) = (text::NO_STATISTICS, text::NO_STATISTICS_WHY);
            empty_ui(ui, ICON_BAR_CHART, title, why, None);
            return;
        }
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            tiles_ui(ui, queues);
            ui.add_space(8.0);
            plots_ui(ui, &scene.now, &mut state.plotted, queues, hours);
            ui.add_space(8.0);
            queues_ui(ui, queues);
        });
    });
}

fn queues_of(page: Option<&Arc<Page>>) -> Option<&[QueueFigures]> {
    match page?.as_ref() {
        Page::Work(WorkPage::Figures(rows)) => Some(rows),
        _ => None,
    }
}

fn hours_of(page: Option<&Arc<Page>>) -> Option<&[HourFigures]> {
    match page?.as_ref() {
        Page::Work(WorkPage::Hours(rows)) => Some(rows),
        _ => None,
    }
}

/// From the midnight that begins a period to the one that ends today, where the agent is: the same all day,
/// so that the rows are read once.
fn bounds(period: Period, now: &Now) -> (Timestamp, Timestamp) {
    let here = now.wall.to_zoned(now.zone.clone());
    let days = match period {
        Period::Today => 0,
        Period::Week => 6,
        Period::Month => 29,
    };
    let midnight = |offset: i64| {
        let day = here.date().checked_add(offset.days()).ok()?;
        let at = day.to_zoned(now.zone.clone()).ok()?;
        Some(at.timestamp())
    };
    (
        midnight(-days).unwrap_or(now.wall),
        midnight(1).unwrap_or(now.wall),
    )
}

/// The sums in a row.
fn tiles_ui(ui: &mut Ui, queues: &[QueueFigures]) {
    let sum = |count: fn(&QueueFigures) -> u32| queues.iter().map(count).sum::<u32>();
    let (calls, inbound) = (sum(|queue| queue.calls), sum(|queue| queue.inbound));
    let missed = sum(|queue| queue.missed);
    let talking = queues.iter().map(|queue| queue.talking_millis).sum();
    let taken = inbound.saturating_sub(missed);
    let rate = match inbound {
        0 => text::NO_FIGURE.to_owned(),
        inbound => text::whole_percent(taken * 100 / inbound),
    };
    let tiles = [
        (text::CALLS, calls.to_string()),
        (text::ANSWER_RATE, rate),
        (text::MISSED, missed.to_string()),
        (text::TALKED, format::length(Some(talking))),
    ];
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 28.0;
        for (name, value) in tiles {
            ui.vertical(|ui| {
                ui.set_width(96.0);
                let theme = Theme::of(ui);
                line_ui(ui, name, SMALL, theme.colours.muted);
                let large = font(22.0, Weight::SemiBold);
                line_ui(ui, &value, large, theme.colours.text);
            });
        }
    });
}

/// The widest that a cell becomes, and the room between two columns.
const CELL: f32 = 220.0;
const COLUMNS_APART: f32 = 24.0;

/// A cell, as wide as its words and no wider than this: the table learns its widths from them.
fn cell_ui(ui: &mut Ui, words: &str, face: &FontId, ink: Color32, widest: f32) {
    let words = clean_line(words);
    let shown = visual(&elided(ui.painter(), &words, face, widest));
    let label = RichText::new(shown).font(face.clone()).color(ink);
    ui.add(Label::new(label).extend().selectable(false))
        .accessible_name(words);
}

/// Each queue's figures in a table.
fn queues_ui(ui: &mut Ui, queues: &[QueueFigures]) {
    let theme = Theme::of(ui);
    let heads = [
        text::QUEUE,
        text::CALLS,
        text::MISSED,
        text::CALLED_BACK,
        text::TIME_TO_CALL_BACK,
        text::WAITED,
        text::WRAP_UP,
    ];
    let face = font(12.0, Weight::Medium);
    let of_words = |word: &&str| {
        let galley =
            ui.painter()
                .layout_no_wrap((*word).to_owned(), face.clone(), Color32::PLACEHOLDER);
        galley.size().x + COLUMNS_APART
    };
    // What the figures leave is the name's.
    let figures: f32 = heads.iter().skip(1).map(of_words).sum();
    let name_width = (ui.available_width() - figures).clamp(80.0, CELL);
    ScrollArea::horizontal().show(ui, |ui| {
        Grid::new("queues")
            .num_columns(heads.len())
            .spacing(Vec2::new(COLUMNS_APART, 8.0))
            .show(ui, |ui| {
                for head in heads {
                    cell_ui(ui, head, &face, theme.colours.muted, CELL);
                }
                ui.end_row();
                for queue in queues {
                    let name = queue.queue.as_deref().map(clean_line);
                    let mean = |millis: Option<i64>| match millis {
                        Some(_) => format::length(millis),
                        None => text::NO_FIGURE.to_owned(),
                    };
                    let cells = [
                        name.unwrap_or_else(|| text::NO_QUEUE.to_owned()),
                        queue.calls.to_string(),
                        queue.missed.to_string(),
                        queue.called_back.to_string(),
                        mean(queue.call_back_millis),
                        mean(queue.waiting_millis),
                        mean(queue.wrap_up_millis),
                    ];
                    for cell in cells {
                        cell_ui(ui, &cell, &BODY, theme.colours.text, name_width);
                    }
                    ui.end_row();
                }
            });
    });
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::base::clock;
    use crate::ui::view::statistics_plots::by_hour_of_day;

    fn now() -> Now {
        Now {
            wall: "2026-03-30T13:00:00Z".parse().unwrap(),
            mono: clock::monotonic_now(),
            zone: TimeZone::get("Europe/Berlin").unwrap(),
        }
    }

    #[test]
    fn a_period_begins_and_ends_at_midnight_where_the_agent_is() {
        let told = |period| {
            let (since, until) = bounds(period, &now());
            (since.to_string(), until.to_string())
        };
        let end = "2026-03-30T22:00:00Z".to_owned();
        assert_eq!(
            told(Period::Today),
            ("2026-03-29T22:00:00Z".to_owned(), end.clone())
        );
        // The clocks went forward on the 29th.
        assert_eq!(told(Period::Week), ("2026-03-23T23:00:00Z".to_owned(), end));
    }

    #[test]
    fn hours_are_those_of_the_agent_also_across_a_change_of_the_clocks() {
        let figures = |at: &str, answered| HourFigures {
            hour: at.parse().unwrap(),
            answered,
            missed: 0,
            outbound: 1,
        };
        let hours = [
            figures("2026-03-28T08:00:00Z", 2),
            figures("2026-03-30T07:00:00Z", 3),
        ];
        let day = by_hour_of_day(&hours, &now());
        assert_eq!(day[9], [5, 0, 2]);
        assert_eq!(day.iter().flatten().sum::<u32>(), 7);
    }
}
