//! How soon the window draws after another thread woke it: the window alone, in a process of its own.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ringdesk::control::handle::PageSource;
use ringdesk::control::{Handle, Page, PageRequest, Snapshot};
use ringdesk::ui::{self, Options, View};
use tokio::sync::{mpsc, watch};

use crate::figure::{Figure, Limit, millis};
use crate::screen::Screen;

/// The word that makes the process one that shows the window.
pub const CHILD: &str = "--wake-child";
const TIMES: usize = 200;

/// Measures it.
pub fn wake_up() -> Figure {
    let screen = Screen::start();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .arg(CHILD)
        .env("LIBGL_ALWAYS_SOFTWARE", "1")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let printed = screen.output(&mut command);
    let mut times: Vec<Duration> = printed
        .lines()
        .filter_map(|line| line.parse().ok().map(Duration::from_nanos))
        .collect();
    assert!(times.len() >= TIMES / 2, "{printed}");
    times.sort_unstable();
    let (middle, most) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!(
        "woken {} times: half below {middle:.2?}, 99 of 100 below {most:.2?}",
        times.len()
    );
    Figure::alone(
        "woken by another thread to drawing, 99 of 100",
        "ms",
        millis(most),
        Limit::AtMost(5.0),
    )
}

/// Notes when the window first asks for rows after it was woken.
#[derive(Debug, Default)]
struct Rows(Mutex<Option<Instant>>);

impl PageSource for Rows {
    fn page(&self, _request: &PageRequest) -> Option<Arc<Page>> {
        if let Some(woken) = self.0.lock().unwrap().take() {
            println!("{}", woken.elapsed().as_nanos());
        }
        None
    }
}

/// Shows the window, wakes it, and closes it.
pub fn child() {
    let (commands, _inbox) = mpsc::channel(8);
    let (publish, snapshots) = watch::channel(Arc::new(Snapshot::default()));
    let rows = Arc::new(Rows::default());
    let handle = Handle::new(
        commands,
        snapshots,
        Arc::clone(&rows) as Arc<dyn PageSource>,
    );
    let options = Options {
        view: View::Calls,
        on_ready: Box::new(move |waker| {
            let wake = move || {
                std::thread::sleep(Duration::from_secs(1));
                for _ in 0..TIMES {
                    *rows.0.lock().unwrap() = Some(Instant::now());
                    waker.wake();
                    std::thread::sleep(Duration::from_millis(50));
                }
                publish.send_modify(|snapshot| Arc::make_mut(snapshot).ending = true);
                waker.wake();
                // The window looks once more before it goes.
                std::thread::sleep(Duration::from_secs(1));
            };
            let thread = std::thread::Builder::new().name("waker".to_owned());
            drop(thread.spawn(wake).unwrap());
        }),
    };
    ui::run(handle, options).unwrap();
}
