//! The machine that is measured on.

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// So often the calibration loop runs.
const RUNS: usize = 5;

/// A busy machine measures its own scheduler.
pub fn surroundings(when: &str) {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let processors = std::thread::available_parallelism().unwrap();
    let calibration = middle((0..RUNS).map(|_| calibrate()).collect());
    println!(
        "{when}: load {}, {processors} processors, calibration loop {calibration:.2?}",
        load.trim()
    );
}

fn calibrate() -> Duration {
    let begun = Instant::now();
    let mut x = 1_u64;
    for i in 0..10_000_000_u64 {
        x = black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(i));
    }
    black_box(x);
    begun.elapsed()
}

/// The median of a few results.
pub fn middle<T: PartialOrd + Copy>(mut results: Vec<T>) -> T {
    results.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap());
    results[results.len() / 2]
}
