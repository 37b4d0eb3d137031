//! The phone with its window, from its start to calls that ring.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::exchange::Exchange;
use crate::eyes::Eyes;
use crate::figure::{Figure, Limit, millis};
use crate::people;
use crate::screen::{Place, Screen};
use crate::surroundings::middle;

const STARTS: usize = 5;
const RINGS: u64 = 10;
const IDLE: Duration = Duration::from_secs(60);
const SCROLLED: Duration = Duration::from_secs(5);
const MAIN: &str = "Ringdesk";
const POPUP: &str = "Incoming call";

/// How the main window is while it rings.
#[derive(Debug, Clone, Copy)]
enum Main {
    Shown,
    Hidden,
    Minimized,
}

/// Measures everything on one display.
pub fn measured(folder: &Path) -> Vec<Figure> {
    let screen = Screen::start();
    let eyes = Eyes::open(screen.display());
    let mut exchange = Exchange::open();
    configure(folder, &exchange);
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let phone = Phone::start(&screen, folder);
        starts.push(eyes.until_painted(MAIN) - begun);
        exchange.register();
        phone.end();
    }
    println!("process start to first painted frame {starts:.0?}");
    let mut figures = vec![Figure::alone(
        "process start to first painted frame, a million calls",
        "ms",
        millis(middle(starts)),
        Limit::AtMost(300.0),
    )];
    let phone = Phone::start(&screen, folder);
    eyes.until_painted(MAIN);
    exchange.register();
    let main = screen.window(MAIN);
    for (state, name, limit) in [
        (
            Main::Shown,
            "INVITE to painted pop-up, window shown, slowest",
            150.0,
        ),
        (
            Main::Hidden,
            "INVITE to painted pop-up, window hidden, slowest",
            150.0,
        ),
        (
            Main::Minimized,
            "INVITE to painted pop-up, window minimized, slowest",
            300.0,
        ),
    ] {
        screen.show(
            &main,
            matches!(state, Main::Shown),
            matches!(state, Main::Minimized),
        );
        let times = rings(&eyes, &mut exchange);
        println!("INVITE to painted pop-up, {state:?} {times:.0?}");
        let slowest = times.into_iter().max().unwrap();
        figures.push(Figure::alone(
            name,
            "ms",
            millis(slowest),
            Limit::AtMost(limit),
        ));
    }
    screen.show(&main, true, false);
    figures.extend(scrolled(&screen, &phone));
    figures.push(idle(&phone));
    phone.end();
    figures
}

fn configure(folder: &Path, exchange: &Exchange) {
    let registrar = exchange.address();
    let config = format!(
        "[settings]\ntheme = \"light\"\nmicrophone = \"null\"\nspeaker = \"null\"\nringer = \"null\"\n\n\
         [[accounts]]\naddress = \"sip:bob@{registrar}\"\nregistrar = \"{registrar}\"\n\
         message_waiting = \"off\"\ndial_plan = {{ region = \"DE\" }}\n"
    );
    fs::write(folder.join("config.toml"), config).unwrap();
}

/// Calls from people among the contacts, one after the other.
fn rings(eyes: &Eyes, exchange: &mut Exchange) -> Vec<Duration> {
    let mut times = Vec::new();
    for call in 0..RINGS {
        let from = format!("+{}", people::numbers(call * 37)[0]);
        let begun = exchange.ring(&from);
        times.push(eyes.until_painted(POPUP) - begun);
        exchange.give_up(&from);
        eyes.until_gone(POPUP);
        std::thread::sleep(Duration::from_millis(200));
    }
    times
}

/// The wheel turns over the log, faster than the screen is drawn.
fn scrolled(screen: &Screen, phone: &Phone) -> Vec<Figure> {
    let main = screen.window(MAIN);
    screen.resize(&main, 1280, 800);
    screen.focus(&main);
    screen.press("ctrl+2");
    std::thread::sleep(Duration::from_secs(1));
    let Place { x, y, .. } = screen.place(&main);
    // The filter for all calls.
    screen.click(x + 345, y + 93);
    std::thread::sleep(Duration::from_secs(1));
    let before = phone.frames().len();
    let begun = Instant::now();
    screen.turn_wheel(x + 600, y + 500, SCROLLED);
    let took = begun.elapsed();
    let frames = phone.frames();
    let mut drawn: Vec<f64> = frames.into_iter().skip(before).collect();
    let rate = drawn.len() as f64 / took.as_secs_f64();
    drawn.sort_unstable_by(f64::total_cmp);
    let most = drawn
        .get(drawn.len() * 99 / 100)
        .copied()
        .unwrap_or(f64::MAX);
    println!(
        "{} frames in {took:.1?}, 99 of 100 below {most:.1} ms",
        drawn.len()
    );
    vec![
        Figure::alone(
            "frames a second while the log scrolls at 1280x800",
            "",
            rate,
            Limit::AtLeast(60.0),
        ),
        Figure::alone("such a frame, 99 of 100", "ms", most, Limit::AtMost(16.7)),
    ]
}

/// Registered, and nothing happens.
fn idle(phone: &Phone) -> Figure {
    std::thread::sleep(Duration::from_secs(5));
    let (before, begun) = (phone.processor_time(), Instant::now());
    std::thread::sleep(IDLE);
    let used = phone.processor_time() - before;
    let share = used.as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0;
    println!("idle for a minute: {used:.1?} of the processor");
    Figure::alone(
        "processor when idle and registered, of one core, over 60 s",
        "%",
        share,
        Limit::AtMost(0.1),
    )
}

/// A phone that runs.
struct Phone {
    child: Child,
    log: std::path::PathBuf,
}

impl Phone {
    fn start(screen: &Screen, folder: &Path) -> Self {
        let log = screen.home().join("frames");
        let mut command = Command::new(env!("CARGO_BIN_EXE_ringdesk"));
        command
            .arg("--data-dir")
            .arg(folder)
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("RINGDESK_LOG", "ringdesk::ui::shell=trace")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap());
        let child = screen.on_it(&mut command).spawn().unwrap();
        Self { child, log }
    }

    /// What each frame took, in milliseconds.
    fn frames(&self) -> Vec<f64> {
        let text = fs::read_to_string(&self.log).unwrap();
        let figures = text.lines().filter_map(|line| {
            let (_, rest) = line.split_once("a frame took ")?;
            rest.split(' ').next()?.parse::<f64>().ok()
        });
        figures.map(|micros| micros / 1e3).collect()
    }

    /// Of all its threads, to the nanosecond.
    fn processor_time(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let nanos = tasks.filter_map(|task| {
            let path = task.ok()?.path().join("schedstat");
            let text = fs::read_to_string(path).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanos.sum())
    }

    fn end(mut self) {
        crate::place::terminate(self.child.id());
        let _reaped = self.child.wait();
    }
}
