//! The phone's log file: lines come from `tracing`, and a thread of their own takes them to the disk.
//!
//! ```text
//! any thread -> tracing -> Log (one bounded queue, never waits) -> ringdesk-log: scrub -> LogFile -> disk
//! ```
//!
//! Whoever logs never waits for a disk: what finds no room in the queue is counted, and the next line that
//! gets through says how many are missing. Secrets are taken out of each line before it is written
//! ([`scrub`](crate::base::scrub)).

mod file;
mod thread;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracing_subscriber::fmt::MakeWriter;

pub use file::{Limits, LogFile, files};

/// Events that may wait for the disk.
const WAITING: usize = 4_096;
/// How long the end of the program waits for the disk.
const FAREWELL: Duration = Duration::from_secs(1);

/// How much the log file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What went wrong.
    Error,
    /// Also what may go wrong.
    Warn,
    /// Also what happens: registrations, calls, devices.
    #[default]
    Info,
    /// Also the heads of all SIP messages, and what the network does.
    Debug,
}

/// The way to the log file. Cheap to clone; the file lives as long as the process.
#[derive(Clone)]
pub struct Log(Arc<Shared>);

struct Shared {
    folder: PathBuf,
    queue: SyncSender<Item>,
    /// Events that found no room since the last one that did.
    lost: AtomicU64,
    standing: Mutex<Standing>,
    set_level: OnceLock<Box<dyn Fn(LogLevel) + Send + Sync>>,
}

/// Whether lines reach the disk, and who wants to know.
#[derive(Default)]
struct Standing {
    problem: Option<String>,
    listener: Option<Box<dyn Fn(Option<String>) + Send>>,
}

enum Item {
    /// What somebody logged.
    Event(Box<[u8]>),
    /// Says when everything before it is in the file.
    Flush(SyncSender<()>),
}

impl Log {
    /// Starts the thread that writes the log into a folder, which is made at the first line. What keeps the
    /// log from being written is told by [`problem`](Self::problem); nothing else depends on it.
    ///
    /// # Errors
    ///
    /// Fails when the system gives no thread.
    pub fn start(folder: &Path, limits: Limits) -> io::Result<Self> {
        let (queue, items) = sync_channel(WAITING);
        let log = Self(Arc::new(Shared {
            folder: folder.to_owned(),
            queue,
            lost: AtomicU64::new(0),
            standing: Mutex::default(),
            set_level: OnceLock::new(),
        }));
        thread::start(&log, items, limits)?;
        Ok(log)
    }

    /// Says how the level of the file is changed; whoever sets up `tracing` knows.
    pub fn on_level(&self, set: impl Fn(LogLevel) + Send + Sync + 'static) {
        // The first one stays: there is one subscriber in a process.
        drop(self.0.set_level.set(Box::new(set)));
    }

    /// Changes how much is written.
    pub fn set_level(&self, level: LogLevel) {
        if let Some(set) = self.0.set_level.get() {
            set(level);
        }
    }

    /// Calls a function now and whenever a problem begins or ends, from the log's thread: it must not wait.
    pub fn listen(&self, listener: impl Fn(Option<String>) + Send + 'static) {
        let mut standing = self.0.standing();
        listener(standing.problem.clone());
        standing.listener = Some(Box::new(listener));
    }

    /// Waits, for a second at most, until what was logged by now is in the file.
    pub fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.0.queue.try_send(Item::Flush(done)).is_ok() {
            // A disk that hangs must not keep the program from ending.
            if wait.recv_timeout(FAREWELL).is_err() {
                self.0
                    .set_problem(Some("the disk of the log does not answer".to_owned()));
            }
        }
    }

    /// The folder in which the log lies.
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// Why nothing is written, and what to do.
    pub fn problem(&self) -> Option<String> {
        self.0.standing().problem.clone()
    }
}

impl Shared {
    fn standing(&self) -> std::sync::MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_problem(&self, problem: Option<String>) {
        let mut standing = self.standing();
        if standing.problem == problem {
            return;
        }
        standing.problem.clone_from(&problem);
        if let Some(listener) = &standing.listener {
            listener(problem);
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Log").field(&self.0.folder).finish()
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Entry<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Entry(&self.0)
    }
}

/// Takes one event, which `tracing` writes in one piece.
pub struct Entry<'a>(&'a Shared);

impl io::Write for Entry<'_> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        if self.0.queue.try_send(Item::Event(event.into())).is_err() {
            self.0.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
