//! Statistics: how many calls by the hour of the day, how many were answered, and each queue's figures.

use std::sync::Arc;

use egui::{Align, Color32, FontId, Grid, Label, Layout, Rangef, RichText, ScrollArea, Ui, Vec2};
use egui_material_icons::icons::ICON_BAR_CHART;
use egui_plot::{AxisHints, Bar, BarChart, Legend, Plot};
use jiff::{Timestamp, ToSpan as _};

use super::figures_export::{export_button_ui, export_ui};
use super::waiting::waiting_ui;
use crate::control::{Page, PageRequest, WorkPage, WorkRequest};
use crate::crm::row::{HourFigures, QueueFigures};
use crate::ui::display_text::{clean_line, visual};
use crate::ui::scene::{Now, Scene};
use crate::ui::state::{Period, ViewState};
use crate::ui::theme::{BODY, SMALL, Theme, Weight, font};
use crate::ui::widget::{elided, empty_ui, line_ui, ring_ui, tab_ui, title_ui};
use crate::ui::{format, locale, text};

/// The periods in their order.
const PERIODS: [(Period, &str); 3] = [
    (Period::Today, text::TODAY),
    (Period::Week, text::SEVEN_DAYS),
    (Period::Month, text::THIRTY_DAYS),
];

const PLOT: f32 = 240.0;

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
            plot_ui(ui, scene, hours);
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

/// How many calls of each kind began in each hour of the day.
fn by_hour_of_day(hours: &[HourFigures], now: &Now) -> [[u32; 3]; 24] {
    let mut day = [[0; 3]; 24];
    for hour in hours {
        let at = hour.hour.to_zoned(now.zone.clone()).hour();
        let slot = usize::try_from(at).ok().and_then(|at| day.get_mut(at));
        if let Some([answered, missed, outbound]) = slot {
            *answered += hour.answered;
            *missed += hour.missed;
            *outbound += hour.outbound;
        }
    }
    day
}

fn plot_ui(ui: &mut Ui, scene: &Scene<'_>, hours: &[HourFigures]) {
    let theme = Theme::of(ui);
    line_ui(
        ui,
        text::BY_HOUR,
        font(12.0, Weight::Medium),
        theme.colours.muted,
    );
    let day = by_hour_of_day(hours, &scene.now);
    let chart = |name: &str, kind: usize, colour: Color32| {
        let bars = (0_u8..).zip(&day).map(|(hour, counts)| {
            let count = counts.get(kind).copied().unwrap_or_default();
            Bar::new(f64::from(hour) + 0.5, f64::from(count)).width(0.7)
        });
        BarChart::new(name, bars.collect()).color(colour)
    };
    let answered = chart(text::ANSWERED, 0, theme.colours.good.text);
    let missed = chart(text::MISSED, 1, theme.colours.bad.text).stack_on(&[&answered]);
    let outbound =
        chart(text::OUTBOUND, 2, theme.colours.chosen.text).stack_on(&[&answered, &missed]);
    let busiest = (0..24)
        .zip(&day)
        .max_by_key(|(_, counts)| counts.iter().sum::<u32>())
        .map_or(0, |(hour, _)| hour);
    let plot = Plot::new("calls by hour")
        .height(PLOT)
        .legend(Legend::default())
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .show_grid([false, true])
        .default_x_bounds(0.0, 24.0)
        .include_y(1.0)
        .set_margin_fraction(Vec2::new(0.0, 0.08))
        .custom_x_axes(vec![
            AxisHints::new_x()
                .formatter(|mark, _| hour_of_axis(mark.value))
                .label_spacing(Rangef::new(60.0, 61.0)),
        ])
        .custom_y_axes(vec![
            AxisHints::new_y().label_spacing(Rangef::new(20.0, 21.0)),
        ])
        .show(ui, |plot| {
            plot.bar_chart(answered);
            plot.bar_chart(missed);
            plot.bar_chart(outbound);
        });
    ring_ui(ui, &plot.response);
    let told = text::busiest_hour(busiest);
    plot.response
        .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &told));
}

/// A full hour as it is written here.
fn hour_of_axis(mark: f64) -> String {
    let hour = (0_u8..24).find(|hour| f64::from(*hour) >= mark);
    locale::current().hour(hour.unwrap_or(0))
}

/// The widest that a cell becomes.
const CELL: f32 = 220.0;

/// A cell, as wide as its words: the table learns its widths from them.
fn cell_ui(ui: &mut Ui, words: &str, face: &FontId, ink: Color32) {
    let words = clean_line(words);
    let shown = visual(&elided(ui.painter(), &words, face, CELL));
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
    ScrollArea::horizontal().show(ui, |ui| {
        Grid::new("queues")
            .num_columns(heads.len())
            .spacing(Vec2::new(24.0, 8.0))
            .show(ui, |ui| {
                for head in heads {
                    let face = font(12.0, Weight::Medium);
                    cell_ui(ui, head, &face, theme.colours.muted);
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
                        cell_ui(ui, &cell, &BODY, theme.colours.text);
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
