//! Answered calls by SIPp: how many a second, how many failed, and the processor time of each.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::figure::{Figure, Limit, millis};
use crate::phone::{Kind, Phone, free_port, processor_time};
use crate::{RUNS, middle};

/// So many calls a second are asked for, and so many in all. baresip is measured at a rate that it
/// bears.
const OURS: (u32, u32) = (1_050, 10_500);
const BARESIP: (u32, u32) = (50, 500);

/// One run.
struct Run {
    failed: u32,
    /// Calls that SIPp saw done in a second.
    rate: f64,
    cost: Duration,
    sipp_cost: Duration,
}

/// Measures the phones.
pub fn load(peers: &[Kind]) -> Vec<Figure> {
    let ours = runs(Kind::Ringdesk, OURS);
    let theirs = peers
        .contains(&Kind::Baresip)
        .then(|| runs(Kind::Baresip, BARESIP));
    let slowest = ours.iter().map(|run| run.rate).fold(f64::MAX, f64::min);
    let failed: u32 = ours.iter().map(|run| run.failed).sum();
    let cost =
        |runs: &Vec<Run>| millis(middle(runs.iter().map(|run| run.cost).collect::<Vec<_>>()));
    let sipp = middle(ours.iter().map(|run| run.sipp_cost).collect());
    vec![
        Figure::alone(
            "auto-answered calls a second, call log on, the slowest run",
            "",
            slowest,
            Limit::AtLeast(1_000.0),
        ),
        Figure::alone(
            "failed ones of all runs",
            "",
            failed.into(),
            Limit::AtMost(0.0),
        ),
        Figure {
            name: "processor time of each (baresip at 50 a second)",
            unit: "ms",
            ours: cost(&ours),
            baresip: theirs.as_ref().map(cost),
            limit: Limit::AtMost(0.5),
        },
        Figure::alone("SIPp's own for each", "ms", millis(sipp), Limit::None),
    ]
}

fn runs(kind: Kind, (rate, count): (u32, u32)) -> Vec<Run> {
    (0..RUNS)
        .map(|_| {
            let run = run(kind, rate, count);
            println!(
                "{kind:?}: {rate} calls a second asked for, {:.0} done, {} of {count} failed, {:.3} ms of processor time each (SIPp {:.3} ms)",
                run.rate,
                run.failed,
                millis(run.cost),
                millis(run.sipp_cost)
            );
            run
        })
        .collect()
}

fn run(kind: Kind, rate: u32, count: u32) -> Run {
    let phone = Phone::start(kind, None);
    phone.until_bound();
    let before = phone.processor_time();
    let sipp_before = processor_time("/proc/self/stat", 15);
    let begun = Instant::now();
    let sipp = Command::new("sipp")
        .arg("-sf")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/benches/whole/call.xml"
        ))
        .args(["-i", "127.0.0.1", "-p", &free_port().to_string()])
        .args(["-s", "alice", &format!("127.0.0.1:{}", phone.port)])
        .args(["-r", &rate.to_string(), "-m", &count.to_string()])
        .args(["-nostdin", "-timeout", "120"])
        .env("TERM", "dumb")
        .output()
        .expect("sipp is not installed");
    let seconds = begun.elapsed().as_secs_f64();
    let screen = String::from_utf8_lossy(&sipp.stdout).into_owned();
    let sipp_time = processor_time("/proc/self/stat", 15) - sipp_before;
    // The ladders and the ends of the last calls are still being written.
    std::thread::sleep(Duration::from_millis(1_500));
    Run {
        failed: cumulative(&screen, "Failed call"),
        rate: f64::from(cumulative(&screen, "Successful call")) / seconds,
        cost: (phone.processor_time() - before) / count,
        sipp_cost: sipp_time / count,
    }
}

/// The cumulative value of a counter on SIPp's last screen.
fn cumulative(screen: &str, name: &str) -> u32 {
    screen
        .lines()
        .rev()
        .find(|line| line.contains(name))
        .and_then(|line| line.split('|').nth(2)?.trim().parse().ok())
        .expect("SIPp printed no statistics")
}
