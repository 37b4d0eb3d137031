//! How long a sound takes from mouth to ear, through two phones with sound cards of 10 ms, and whether
//! it ever breaks off: `make bench`, with PulseAudio's null sinks in place of cards.
//!
//! A program plays clicks over a steady tone into the sink `mouth`, whose monitor is one phone's
//! microphone; the other phone plays on the sink `ear`. Both sinks are recorded at once, in the same way,
//! so that what the recording adds is taken out. `RINGDESK_BENCH_SECONDS` says how long the first is (600; at least 10).
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    unreachable_pub,
    reason = "a measurement, not the product"
)]

#[path = "../../tests/sound_world/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests do more with it")]
mod sound_world;

mod listening;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use ringdesk::media::{DeviceChoice, Devices, MediaCommand, MediaEvent, Processing};

use crate::listening::Listening;
use crate::sound_world::{Side, SoundServer, connect, device};

/// Set in the child, which has the sound server in its environment.
const CHILD: &str = "RINGDESK_SOUND_BENCH_CHILD";
const LIMIT_MILLIS: f64 = 55.0;

fn main() -> ExitCode {
    if std::env::var_os(CHILD).is_some() {
        return measure();
    }
    let sink = |name: &str| {
        format!(
            "module-null-sink sink_name={name} rate=48000 channels=1 sink_properties=device.description={name}"
        )
    };
    let source = |name: &str| {
        format!(
            "module-remap-source master={name}.monitor source_name=capsule source_properties=device.description=capsule"
        )
    };
    let server = SoundServer::start(&[&sink("mouth"), &sink("ear"), &source("mouth")]);
    let program = std::env::current_exe().unwrap();
    let child = server
        .command(program.to_str().unwrap())
        .env(CHILD, "1")
        .status()
        .unwrap();
    if child.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn measure() -> ExitCode {
    let (mut missed, mut courses) = (false, Vec::new());
    let seconds = std::env::var("RINGDESK_BENCH_SECONDS").map_or(600, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let sound = folder.path().join("clicks.wav");
    listening::write_clicks(&sound);
    println!("\n| from mouth to ear, Opus | packets | median | worst | limit | kept | broke off |");
    println!("|---|---|---|---|---|---|---|");
    for (name, processing, packet_millis, limited) in [
        ("processing off", Processing::OFF, 10, true),
        ("processing off", Processing::OFF, 20, false),
        ("headset", Processing::HEADSET, 20, false),
        ("loudspeaker and microphone", Processing::SPEAKER, 20, false),
    ] {
        let seconds = if limited { seconds } else { 10 };
        let long = Duration::from_secs(seconds);
        let (heard, buffered) = talk(&sound, processing, packet_millis, long);
        let (median, worst) = heard.delay_millis();
        let kept = median <= LIMIT_MILLIS && heard.gaps() == 0;
        missed |= limited && !kept;
        let (limit, kept) = match (limited, kept) {
            (true, true) => ("at most 55 ms, never broken off", "yes"),
            (true, false) => ("at most 55 ms, never broken off", "no"),
            (false, _) => ("", ""),
        };
        println!(
            "| {name} | {packet_millis} ms | {median:.0} ms | {worst:.0} ms | {limit} | {kept} | {} times in {seconds} s |",
            heard.gaps()
        );
        let of = |values: &[f64]| {
            let values = values.iter().map(|millis| format!("{millis:.0}"));
            values.collect::<Vec<_>>().join(" ")
        };
        courses.push(format!(
            "{name}, {packet_millis} ms: {} ms, in the jitter buffer {} ms",
            of(&heard.course_millis()),
            of(&listening::middles(&buffered))
        ));
    }
    println!("\nBy tenths of the time, packet and all:");
    courses.iter().for_each(|course| println!("- {course}"));
    if missed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// A call in which the clicks are said: what was heard of them, and for how many milliseconds they waited in the
/// jitter buffer in each second.
fn talk(
    sound: &Path,
    processing: Processing,
    packet_millis: u32,
    long: Duration,
) -> (Listening, Vec<f64>) {
    let card = |name: &str| DeviceChoice::Named(name.to_owned());
    let devices = |microphone, speaker| Devices {
        microphone,
        speaker,
        ringer: DeviceChoice::Null,
    };
    let mut says = Side::new(1, devices(card("capsule"), DeviceChoice::Null));
    let mut hears = Side::new(2, devices(DeviceChoice::Null, card("ear")));
    assert_eq!(says.wait(device).0, "capsule");
    assert_eq!(hears.wait(device).1, "ear");
    says.engine
        .send(MediaCommand::Processing(processing))
        .unwrap();
    says.packet_millis = packet_millis;
    hears.packet_millis = packet_millis;
    connect(&mut says, &mut hears);
    says.engine
        .send(MediaCommand::Focus(vec![says.call]))
        .unwrap();
    let mut player = Command::new("paplay")
        .args(["--device", "mouth", "--latency-msec=20"])
        .arg(sound)
        .spawn()
        .unwrap();
    // The jitter buffer and the cards settle first: an even stream, and that a card has the clock of
    // the microphone, are known after ten seconds, and what waits too long is worked off in ten more.
    std::thread::sleep(Duration::from_secs(25));
    let listening = Listening::to("mouth.monitor", "ear.monitor", long);
    player.kill().unwrap();
    player.wait().unwrap();
    let mut buffered = Vec::new();
    while let Ok(event) = hears.events.try_recv() {
        if let MediaEvent::Quality { second, .. } = event
            && let Some(delay) = second.incoming.playout_delay
        {
            buffered.push(delay.as_secs_f64() * 1e3);
        }
    }
    // Those of the time before, in which all settles, are the first.
    let listened = usize::try_from(long.as_secs()).unwrap();
    let settled = buffered.len().saturating_sub(listened);
    (listening, buffered.split_off(settled))
}
