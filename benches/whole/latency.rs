//! INVITE to 180 and to 200, one call after the other.

use std::time::Duration;

use crate::caller::Caller;
use crate::figure::{Figure, Limit, millis};
use crate::phone::{Kind, Phone};
use crate::{RUNS, middle};

/// Calls in each run.
const CALLS: u32 = 200;

/// Measures the phones in turn, run by run, so that a busy moment meets both.
pub fn latency(peers: &[Kind]) -> Vec<Figure> {
    let mut callers: Vec<_> = peers
        .iter()
        .map(|kind| Caller::of(Phone::start(*kind, None)))
        .collect();
    let mut medians = vec![(Vec::new(), Vec::new()); callers.len()];
    for _ in 0..RUNS {
        for (caller, medians) in callers.iter_mut().zip(&mut medians) {
            let (ringing, answered) = (0..CALLS).map(|_| call(caller)).unzip();
            medians.0.push(middle(ringing));
            medians.1.push(middle(answered));
        }
    }
    let mut results = Vec::new();
    for (kind, (ringing, answered)) in peers.iter().zip(medians) {
        println!("{kind:?}: medians of runs, INVITE to 180 {ringing:.2?}, to 200 {answered:.2?}");
        results.push((middle(ringing), middle(answered)));
    }
    let ours = results[0];
    let theirs = results.get(1);
    vec![
        Figure {
            name: "INVITE to 180, its row on disk in between",
            unit: "ms",
            ours: millis(ours.0),
            baresip: theirs.map(|theirs| millis(theirs.0)),
            limit: Limit::NotAboveBaresip,
        },
        Figure {
            name: "INVITE to 200",
            unit: "ms",
            ours: millis(ours.1),
            baresip: theirs.map(|theirs| millis(theirs.1)),
            limit: Limit::NotAboveBaresip,
        },
    ]
}

/// One call that is ended at once: how long to 180 and to 200.
fn call(caller: &mut Caller) -> (Duration, Duration) {
    let talk = caller.call("0", "a=rtpmap:0 PCMU/8000\r\n");
    caller.hang_up(&talk);
    // The far end puts the call away before the next one.
    std::thread::sleep(Duration::from_millis(5));
    (talk.ringing.unwrap_or(talk.answered), talk.answered)
}
