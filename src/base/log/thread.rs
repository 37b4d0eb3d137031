//! The thread between whoever logs and the disk.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::{Item, Limits, Log, LogFile, Shared};
use crate::base::clock;
use crate::base::scrub;

/// The most octets of one event.
const LONGEST: usize = 16 * 1024;
/// How long after a failure the disk is tried again.
const PAUSE: Duration = Duration::from_secs(2);

/// Starts it; it ends with the last handle of the log.
pub(super) fn start(log: &Log, items: Receiver<Item>, limits: Limits) -> io::Result<()> {
    let shared = Arc::downgrade(&log.0);
    let builder = std::thread::Builder::new().name("ringdesk-log".to_owned());
    let write = move || {
        let mut writer = Writer {
            shared,
            limits,
            file: None,
            failed: None,
            lost: 0,
        };
        while let Ok(item) = items.recv() {
            match item {
                Item::Event(event) => writer.event(&event),
                // Who waits for it may have given up.
                Item::Flush(done) => {
                    done.try_send(()).ok();
                }
            }
        }
    };
    builder.spawn(write).map(drop)
}

struct Writer {
    /// Weak: the queue closes when everybody else has let go of it.
    shared: Weak<Shared>,
    limits: Limits,
    file: Option<LogFile>,
    /// When the disk last took nothing.
    failed: Option<Instant>,
    /// Events that the disk did not take.
    lost: u64,
}

impl Writer {
    fn event(&mut self, event: &[u8]) {
        let Some(shared) = self.shared.upgrade() else {
            return;
        };
        let now = clock::monotonic_now();
        if self.failed.is_some_and(|at| now < at + PAUSE) {
            self.lost += 1;
            return;
        }
        let lost = self.lost + shared.lost.swap(0, Ordering::Relaxed);
        let mut lines = String::new();
        if lost > 0 {
            lines = format!("{} WARN {lost} lines are missing here\n", clock::wall_now());
        }
        lines.push_str(&line(event));
        match self.write(&shared, lines.as_bytes()) {
            Ok(()) => {
                self.lost = 0;
                self.failed = None;
                shared.set_problem(None);
            }
            Err(error) => {
                self.lost = lost + 1;
                self.failed = Some(now);
                // It is opened anew: the folder may be another one by then.
                self.file = None;
                shared.set_problem(Some(sentence(&shared, &error)));
            }
        }
    }

    fn write(&mut self, shared: &Shared, lines: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(LogFile::open(&shared.folder, self.limits)?),
        };
        file.write(lines)
    }
}

fn sentence(shared: &Shared, error: &io::Error) -> String {
    format!(
        "the log is not written ({error}), and all else goes on: free some space, or make the folder {} writable",
        shared.folder.display()
    )
}

/// One event as it stands in the file: without secrets, of bounded length, further lines indented.
fn line(event: &[u8]) -> String {
    let text = String::from_utf8_lossy(event.get(..LONGEST).unwrap_or(event));
    let mut line = String::with_capacity(text.len() + 1);
    for (number, part) in scrub::secrets(text.trim_end()).lines().enumerate() {
        if number > 0 {
            line.push_str("\n    ");
        }
        line.extend(part.chars().map(|c| {
            // A line of the log is nobody else's to forge or to colour.
            if c.is_control() && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        }));
    }
    if event.len() > LONGEST {
        line.push('…');
    }
    line.push('\n');
    line
}
