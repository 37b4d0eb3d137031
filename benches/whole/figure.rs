//! Figures beside their limits and beside baresip's.

use std::process::ExitCode;
use std::time::Duration;

/// What a figure must keep.
#[derive(Debug, Clone, Copy)]
pub enum Limit {
    AtLeast(f64),
    AtMost(f64),
    NotAboveBaresip,
    /// Only shown.
    None,
}

/// One measured figure.
#[derive(Debug)]
pub struct Figure {
    pub name: &'static str,
    pub unit: &'static str,
    pub ours: f64,
    pub baresip: Option<f64>,
    pub limit: Limit,
}

/// Figures and the bench that measured them, as `cargo bench` is told to run it again.
pub type Measured = (String, Vec<Figure>);

impl Figure {
    /// A figure of the phone alone.
    pub fn alone(name: &'static str, unit: &'static str, ours: f64, limit: Limit) -> Self {
        Self {
            name,
            unit,
            ours,
            baresip: None,
            limit,
        }
    }

    fn is_kept(&self) -> Option<bool> {
        match self.limit {
            Limit::AtLeast(limit) => Some(self.ours >= limit),
            Limit::AtMost(limit) => Some(self.ours <= limit),
            Limit::NotAboveBaresip => self.baresip.map(|theirs| self.ours <= theirs),
            Limit::None => None,
        }
    }
}

/// Milliseconds, for a figure.
pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Prints all figures as a table that can be pasted into docs/BENCHMARKS.md, each with the end of the command
/// that measures it alone, and says whether all limits are kept.
pub fn print(measured: &[Measured]) -> ExitCode {
    println!("\ncargo bench --no-default-features --target-dir target/headless --bench …\n");
    println!("| figure | Ringdesk | baresip | ratio | limit | kept | --bench |");
    println!("|---|---|---|---|---|---|---|");
    let mut missed = 0;
    let all = measured.iter();
    for (bench, figure) in
        all.flat_map(|(bench, figures)| figures.iter().map(move |it| (bench, it)))
    {
        let unit = figure.unit;
        let theirs = figure
            .baresip
            .map_or_else(String::new, |value| format!("{} {unit}", rounded(value)));
        let ratio = figure
            .baresip
            .map_or_else(String::new, |theirs| format!("{:.2}", figure.ours / theirs));
        let limit = match figure.limit {
            Limit::AtLeast(limit) => format!("at least {}", rounded(limit)),
            Limit::AtMost(limit) => format!("at most {} {unit}", rounded(limit)),
            Limit::NotAboveBaresip => "baresip's".to_owned(),
            Limit::None => String::new(),
        };
        let kept = match figure.is_kept() {
            Some(true) => "yes",
            Some(false) => {
                missed += 1;
                "no"
            }
            None => "",
        };
        println!(
            "| {} | {} {unit} | {theirs} | {ratio} | {limit} | {kept} | {bench} |",
            figure.name,
            rounded(figure.ours)
        );
    }
    if missed == 0 {
        ExitCode::SUCCESS
    } else {
        println!("\n{missed} limits are not kept");
        ExitCode::FAILURE
    }
}

/// Three digits are more than a measurement is good for.
fn rounded(value: f64) -> String {
    let decimals = match value {
        _ if value.abs() < 10.0 => 2,
        _ if value.abs() < 100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}
