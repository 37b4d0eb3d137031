//! How long questions take: of each kind the middle and the slowest hundredth.

use std::time::{Duration, Instant};

use crate::figure::{Figure, Limit, millis};

/// Times of one kind of question.
#[derive(Default)]
pub(crate) struct Times(pub(crate) Vec<Duration>);

impl Times {
    pub(crate) fn measure<T>(&mut self, ask: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let answer = ask();
        self.0.push(begun.elapsed());
        answer
    }

    /// The time that so many of a thousand keep to.
    pub(crate) fn part(&mut self, of_thousand: usize) -> Duration {
        self.0.sort_unstable();
        self.0[(self.0.len() * of_thousand / 1000).min(self.0.len() - 1)]
    }

    /// Prints half and the 99th of a hundred under a name.
    pub(crate) fn print(&mut self, name: &str) {
        let [half, most] = [500, 990].map(|part| millis(self.part(part)));
        println!("  {name}: half below {half:.3} ms, 99 % below {most:.3} ms");
    }

    /// Prints all three, and gives the 99th of a hundred as a figure.
    pub(crate) fn figure(mut self, name: &'static str, limit_millis: f64) -> Figure {
        let [middle, most, all] = [500, 990, 1000].map(|part| millis(self.part(part)));
        println!(
            "{name}: {} times, half below {middle:.3} ms, 99 % below {most:.3} ms, the longest {all:.3} ms",
            self.0.len()
        );
        Figure::alone(name, "ms", most, Limit::AtMost(limit_millis))
    }
}
