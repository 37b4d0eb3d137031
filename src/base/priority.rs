//! Which threads go first where several want the processor.

#[cfg(target_os = "linux")]
use std::sync::{Mutex, PoisonError};

/// How much a thread of the sound is preferred: as sound servers prefer themselves.
#[cfg(target_os = "linux")]
pub const SOUND: i32 = -11;

/// Threads that the system did not prefer when they asked.
#[cfg(target_os = "linux")]
static REFUSED: Mutex<Vec<u64>> = Mutex::new(Vec::new());

/// Lets this thread run before others, because sound waits for it. Where the system does not allow that
/// (`setrlimit(2)`, `RLIMIT_NICE`) it stays as it is, and is one of [`refused_threads`]; threads that it starts
/// are as urgent.
pub fn prefer_this_thread() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, SOUND) {
        tracing::debug!(%error, "the thread of the sound is no more urgent than others");
        refused().extend(this_thread());
    }
}

/// The threads that asked in vain since this was asked last, by their numbers: the desktop may prefer them.
#[cfg(target_os = "linux")]
pub fn refused_threads() -> Vec<u64> {
    std::mem::take(&mut *refused())
}

/// Its number, of which the link is the last part (proc(5)).
#[cfg(target_os = "linux")]
fn this_thread() -> Option<u64> {
    let link = std::fs::read_link("/proc/thread-self").ok()?;
    link.file_name()?.to_str()?.parse().ok()
}

#[cfg(target_os = "linux")]
fn refused() -> std::sync::MutexGuard<'static, Vec<u64>> {
    REFUSED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets this thread wait for others, as threads usually do, though a preferred one started it.
pub fn behave_as_usual() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 0) {
        tracing::debug!(%error, "a thread is more urgent than it should be");
    }
}
