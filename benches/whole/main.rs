//! The whole phone without a window against SIPp, side by side with baresip: `make bench`.
//!
//! Each figure is the median of five runs. The calibration loop and the machine's load are printed
//! first: compare them before comparing machines. SIPp's own processor time stands beside the
//! phone's. At the end comes a table of all figures with their limits.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_precision_loss,
    unreachable_pub,
    reason = "a measurement, not the product"
)]

mod arrivals;
mod call_cost;
mod caller;
mod crowd;
mod echo;
mod figure;
mod latency;
mod load;
mod lossy;
mod phone;
mod registrar;
mod relay;
mod speech;
mod surroundings;
mod talk;
mod voice;

#[path = "../../src/media/processing/acoustics.rs"]
#[expect(dead_code, reason = "the tests of the processing measure more")]
mod acoustics;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use crate::figure::{Figure, Limit};
use crate::phone::Kind;
use crate::surroundings::{middle, surroundings};

const RUNS: usize = 5;

/// A part of the measurements, with the phones to compare.
type Part = (&'static str, fn(&[Kind]) -> Vec<Figure>);

/// `cargo bench … --bench whole -- echo load` measures those parts alone.
const PARTS: [Part; 9] = [
    ("messages", |_| messages().into_iter().collect()),
    ("voice", |_| voice::voice()),
    ("lossy", lossy::lossy),
    ("call", call_cost::call_cost),
    ("latency", latency::latency),
    ("echo", |peers| vec![echo::echo(peers)]),
    ("crowd", |_| crowd::crowd()),
    ("load", load::load),
    ("size", registrar::start_and_size),
];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    surroundings("before");
    let peers = [Kind::Ringdesk, Kind::Baresip];
    let mut measured = Vec::new();
    for (name, measure) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            measured.push((format!("whole -- {name}"), measure(&peers)));
        }
    }
    surroundings("after");
    figure::print(&measured)
}

/// How many typical messages one thread parses and writes in a second, as `parts` measured it just
/// before.
fn messages() -> Option<Figure> {
    const FRESH: Duration = Duration::from_secs(3_600);
    let folder = std::env::var_os("CRITERION_HOME").map(PathBuf::from)?;
    let folder = folder.join("typical messages/parsed and written/new");
    let estimates = folder.join("estimates.json");
    let age = fs::metadata(&estimates).ok()?.modified().ok()?.elapsed();
    if age.is_ok_and(|age| age > FRESH) {
        return None;
    }
    let read = |path| -> Option<serde_json::Value> {
        serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
    };
    let nanos = read(estimates)?["median"]["point_estimate"].as_f64()?;
    let count = read(folder.join("benchmark.json"))?["throughput"]["Elements"].as_f64()?;
    Some(Figure::alone(
        "typical messages parsed and written a second, one core",
        "",
        count / nanos * 1e9,
        Limit::AtLeast(250_000.0),
    ))
}
