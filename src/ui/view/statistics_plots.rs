//! The plots of the statistics: calls and how many were answered by the hour of the day, and how long the
//! queues' agents talk and write on the mean.

use egui::{Color32, Rangef, Ui, Vec2};
use egui_plot::{AxisHints, Bar, BarChart, GridMark, Legend, Plot};

use crate::crm::row::{HourFigures, QueueFigures};
use crate::ui::display_text::{clean_line, visual};
use crate::ui::scene::Now;
use crate::ui::state::Plotted;
use crate::ui::theme::{SMALL, Theme};
use crate::ui::widget::{elided, ring_ui, tab_ui};
use crate::ui::{format, locale, text};

/// In points.
const HEIGHT: f32 = 240.0;
/// The queues of which the times are plotted: those with most calls. The table below has all.
const QUEUES: usize = 8;

/// The plots in their order.
const PLOTS: [(Plotted, &str); 3] = [
    (Plotted::Calls, text::BY_HOUR),
    (Plotted::AnswerRate, text::RATE_BY_HOUR),
    (Plotted::Times, text::TIMES_BY_QUEUE),
];

/// Draws one of them, and lets the agent choose another.
pub(super) fn plots_ui(
    ui: &mut Ui,
    now: &Now,
    plotted: &mut Plotted,
    queues: &[QueueFigures],
    hours: &[HourFigures],
) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (plot, word) in PLOTS {
            if tab_ui(ui, word, *plotted == plot, None).clicked() {
                *plotted = plot;
            }
        }
    });
    ui.add_space(4.0);
    match plotted {
        Plotted::Calls => calls_ui(ui, &by_hour_of_day(hours, now)),
        Plotted::AnswerRate => rate_ui(ui, &by_hour_of_day(hours, now)),
        Plotted::Times => times_ui(ui, queues),
    }
}

/// How many calls of each kind began in each hour of the day: answered, missed, outbound.
pub(super) fn by_hour_of_day(hours: &[HourFigures], now: &Now) -> [[u32; 3]; 24] {
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

fn calls_ui(ui: &mut Ui, day: &[[u32; 3]; 24]) {
    let colours = &Theme::of(ui).colours;
    let chart = |name: &str, kind: usize, colour: Color32| {
        let bars = (0_u8..).zip(day).map(|(hour, counts)| {
            let count = counts.get(kind).copied().unwrap_or_default();
            Bar::new(f64::from(hour) + 0.5, f64::from(count)).width(0.7)
        });
        BarChart::new(name, bars.collect()).color(colour)
    };
    let answered = chart(text::ANSWERED, 0, colours.good.text);
    let missed = chart(text::MISSED, 1, colours.bad.text).stack_on(&[&answered]);
    let outbound = chart(text::OUTBOUND, 2, colours.chosen.text).stack_on(&[&answered, &missed]);
    let busiest = (0..24)
        .zip(day)
        .max_by_key(|(_, counts)| counts.iter().sum::<u32>())
        .map_or(0, |(hour, _)| hour);
    let plot = of_the_day(Plotted::Calls).include_y(1.0);
    let plot = plot.custom_y_axes(vec![spaced_y()]);
    let told = text::busiest_hour(busiest);
    shown(ui, plot, &told, vec![answered, missed, outbound]);
}

/// Of the calls that came in, in percent; an hour without any has no bar.
fn rate_ui(ui: &mut Ui, day: &[[u32; 3]; 24]) {
    let colour = Theme::of(ui).colours.good.text;
    let rates: Vec<(u8, u32)> = (0_u8..)
        .zip(day)
        .filter_map(|(hour, [answered, missed, _])| {
            let rate = (answered * 100).checked_div(answered + missed)?;
            Some((hour, rate))
        })
        .collect();
    let bars = rates
        .iter()
        .map(|(hour, rate)| Bar::new(f64::from(*hour) + 0.5, f64::from(*rate)).width(0.7));
    let chart = BarChart::new(text::ANSWER_RATE, bars.collect()).color(colour);
    let lowest = rates.iter().min_by_key(|(_, rate)| *rate);
    let told = match lowest {
        Some((hour, rate)) => text::lowest_rate(*hour, *rate),
        None => text::RATE_BY_HOUR.to_owned(),
    };
    let axis = spaced_y().formatter(|mark, _| format!("{:.0} %", mark.value));
    let plot = of_the_day(Plotted::AnswerRate).include_y(100.0);
    shown(ui, plot.custom_y_axes(vec![axis]), &told, vec![chart]);
}

/// What a queue's agents took for a call on the mean, in milliseconds.
struct Times {
    queue: String,
    talk: Option<i64>,
    wrap_up: Option<i64>,
}

impl Times {
    fn of(queue: &QueueFigures) -> Self {
        let name = queue.queue.as_deref().map(clean_line);
        Self {
            queue: name.unwrap_or_else(|| text::NO_QUEUE.to_owned()),
            talk: queue
                .talking_millis
                .checked_div(i64::from(queue.answered))
                .filter(|_| queue.talking_millis > 0),
            wrap_up: queue.wrap_up_millis,
        }
    }
}

fn times_ui(ui: &mut Ui, queues: &[QueueFigures]) {
    let colours = &Theme::of(ui).colours;
    let mut busiest: Vec<&QueueFigures> = queues.iter().collect();
    busiest.sort_by_key(|queue| std::cmp::Reverse(queue.calls));
    let times: Vec<Times> = busiest.into_iter().take(QUEUES).map(Times::of).collect();
    let chart = |name: &str, aside: f64, of: fn(&Times) -> Option<i64>, colour: Color32| {
        let bars = (0_u8..).zip(&times).filter_map(|(place, times)| {
            let seconds = of(times)? as f64 / 1_000.0;
            Some(Bar::new(f64::from(place) + 0.5 + aside, seconds).width(0.3))
        });
        BarChart::new(name, bars.collect()).color(colour)
    };
    let talk = chart(text::MEAN_TALK, -0.16, |it| it.talk, colours.good.text);
    let wrap_up = chart(text::WRAP_UP, 0.16, |it| it.wrap_up, colours.warn.text);
    let width = ui.available_width() / times.len().max(1) as f32 - 24.0;
    let names: Vec<String> = times
        .iter()
        .map(|times| visual(&elided(ui.painter(), &times.queue, &SMALL, width)))
        .collect();
    let told: Vec<String> = times
        .iter()
        .map(|times| {
            let length = |millis: Option<i64>| match millis {
                Some(_) => format::length(millis),
                None => text::NO_FIGURE.to_owned(),
            };
            text::mean_times(&times.queue, &length(times.talk), &length(times.wrap_up))
        })
        .collect();
    let marks: Vec<GridMark> = (0_u8..)
        .zip(&names)
        .map(|(place, _)| GridMark {
            value: f64::from(place) + 0.5,
            step_size: 1.0,
        })
        .collect();
    let name_at = move |mark: GridMark, _: &_| {
        let mut places = (0_u8..).zip(&names);
        let found = places.find(|(place, _)| f64::from(*place) >= mark.value - 0.6);
        found.map_or_else(String::new, |(_, name)| name.clone())
    };
    let length_at = |mark: GridMark, _: &_| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a mean of some seconds or minutes"
        )]
        let millis = (mark.value * 1_000.0) as i64;
        format::length(Some(millis))
    };
    let plot = bare(Plotted::Times)
        .default_x_bounds(0.0, f64::from(u8::try_from(times.len()).unwrap_or(1)))
        .include_y(60.0)
        .x_grid_spacer(move |_| marks.clone())
        .custom_x_axes(vec![
            AxisHints::new_x()
                .formatter(name_at)
                .label_spacing(Rangef::new(1.0, 2.0)),
        ])
        .custom_y_axes(vec![spaced_y().formatter(length_at)]);
    let told = format!("{}. {}", text::TIMES_BY_QUEUE, told.join("; "));
    shown(ui, plot, &told, vec![talk, wrap_up]);
}

/// A plot that stands still.
fn bare<'a>(plotted: Plotted) -> Plot<'a> {
    Plot::new(("plot", plotted))
        .height(HEIGHT)
        .legend(Legend::default())
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .show_grid([false, true])
        .set_margin_fraction(Vec2::new(0.0, 0.08))
}

/// One whose axis is the hours.
fn of_the_day<'a>(plotted: Plotted) -> Plot<'a> {
    bare(plotted)
        .default_x_bounds(0.0, 24.0)
        .custom_x_axes(vec![
            AxisHints::new_x()
                .formatter(|mark, _| hour_of_axis(mark.value))
                .label_spacing(Rangef::new(60.0, 61.0)),
        ])
}

fn spaced_y<'a>() -> AxisHints<'a> {
    AxisHints::new_y().label_spacing(Rangef::new(20.0, 21.0))
}

/// Adds it; `told` says it to a screen reader.
fn shown(ui: &mut Ui, plot: Plot<'_>, told: &str, charts: Vec<BarChart>) {
    let drawn = plot.show(ui, |plot| {
        for chart in charts {
            plot.bar_chart(chart);
        }
    });
    ring_ui(ui, &drawn.response);
    drawn
        .response
        .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, told));
}

/// A full hour as it is written here.
fn hour_of_axis(mark: f64) -> String {
    let hour = (0_u8..24).find(|hour| f64::from(*hour) >= mark);
    locale::current().hour(hour.unwrap_or(0))
}
