//! Standard output, written by a thread of its own: who reads it slowly holds up no call.
//!
//! What waits is written together, and flushed as soon as nothing waits.

use std::io::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use crate::cli::args::EventsArg;
use crate::cli::event_line;
use crate::control::Event;

/// Lines that may wait; past that the engine's own queue fills and tells what is missing.
const LINES: usize = 1_024;
/// So many octets are gathered at most before they are written.
const GATHERED: usize = 64 << 10;
/// So long the end waits for somebody to read the last lines.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What is printed.
pub(super) enum Line {
    /// An event and when it happened.
    Event(Timestamp, Box<Event>),
    /// A line as it is.
    Text(String),
}

/// The way to the thread.
pub(super) struct Printer {
    lines: mpsc::Sender<Line>,
    ended: oneshot::Receiver<()>,
}

impl Printer {
    /// Starts the thread; `form` is how events are written.
    ///
    /// # Errors
    ///
    /// Fails when no thread can be started.
    pub(super) fn start(form: EventsArg) -> std::io::Result<Self> {
        let (lines, inbox) = mpsc::channel(LINES);
        let (end, ended) = oneshot::channel();
        std::thread::Builder::new()
            .name("ringdesk-stdout".to_owned())
            .spawn(move || {
                print(inbox, form);
                // Who waits for the end may have lost patience.
                end.send(()).ok();
            })?;
        Ok(Self { lines, ended })
    }

    /// Waits until one more line may be handed over; none when the thread is gone.
    pub(super) async fn room(&self) -> Option<mpsc::Permit<'_, Line>> {
        self.lines.reserve().await.ok()
    }

    /// Prints a line of our own.
    pub(super) async fn print(&self, line: String) {
        // Without the thread there is nowhere to print.
        self.lines.send(Line::Text(line)).await.ok();
    }

    /// Lets the last lines be written, unless nobody reads them.
    pub(super) async fn finish(self) {
        drop(self.lines);
        tokio::time::timeout(LAST_WORDS, self.ended).await.ok();
    }
}

fn print(mut inbox: mpsc::Receiver<Line>, form: EventsArg) {
    let mut gathered = Vec::new();
    while let Some(line) = inbox.blocking_recv() {
        write(&mut gathered, form, line);
        while gathered.len() < GATHERED
            && let Ok(line) = inbox.try_recv()
        {
            write(&mut gathered, form, line);
        }
        let mut out = std::io::stdout().lock();
        // A closed pipe is no reason to end calls.
        drop(out.write_all(&gathered).and_then(|()| out.flush()));
        gathered.clear();
    }
}

fn write(gathered: &mut Vec<u8>, form: EventsArg, line: Line) {
    let text = match (line, form) {
        (Line::Text(text), _) => Some(text),
        (Line::Event(at, event), EventsArg::Json) => event_line::json(at, &event),
        (Line::Event(at, event), EventsArg::Text) => event_line::text(at, &event),
        (Line::Event(..), EventsArg::Off) => None,
    };
    if let Some(text) = text {
        gathered.extend_from_slice(text.as_bytes());
        gathered.push(b'\n');
    }
}
