//! What a minute of an Opus call costs, from file to file with the microphone's processing off.

use std::time::Duration;

use crate::figure::{Figure, Limit};
use crate::phone::Kind;
use crate::speech::announcement;
use crate::talk::Talker;
use crate::{RUNS, middle};

const MINUTE: Duration = Duration::from_secs(60);

/// Seconds of processor time, and megabytes.
fn cost(kind: Kind, said: &[f32]) -> (f64, f64) {
    let mut called = Talker::answering(kind, said);
    // What a long file takes in memory is no part of a call.
    let shorter = said.get(..48_000 * 3).unwrap_or(said);
    let said = if kind == Kind::Baresip { said } else { shorter };
    let mut caller = Talker::calling(kind, said, called.port);
    std::thread::sleep(Duration::from_secs(2));
    let before = called.processor_time();
    std::thread::sleep(MINUTE);
    let cost = (called.processor_time() - before).as_secs_f64();
    let resident = caller.resident() as f64 * 1_024.0 / 1e6;
    println!(
        "{kind:?}: {cost:.2} s of processor time in {MINUTE:?} of Opus, {resident:.1} MB resident"
    );
    caller.end();
    called.end();
    (cost, resident)
}

/// Measures the processor time of the one called, which plays a file and keeps what it hears, and the
/// memory of the caller.
pub fn call_cost(peers: &[Kind]) -> Vec<Figure> {
    let speech = announcement(30);
    let said: Vec<f32> = speech.iter().copied().cycle().take(48_000 * 70).collect();
    let runs = |kind: Kind| if kind == Kind::Ringdesk { RUNS } else { 1 };
    let costs = peers.iter().map(|kind| {
        let (times, sizes): (Vec<_>, Vec<_>) = (0..runs(*kind)).map(|_| cost(*kind, &said)).unzip();
        (middle(times), middle(sizes))
    });
    let costs: Vec<_> = costs.collect();
    let theirs = costs.get(1);
    vec![
        Figure {
            name: "60 s of an Opus call, file to file, processing off",
            unit: "s",
            ours: costs[0].0,
            baresip: theirs.map(|theirs| theirs.0),
            limit: Limit::AtMost(1.0),
        },
        Figure {
            name: "resident in an Opus call",
            unit: "MB",
            ours: costs[0].1,
            baresip: theirs.map(|theirs| theirs.1),
            limit: Limit::AtMost(20.0),
        },
    ]
}
