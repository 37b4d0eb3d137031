//! Which threads go first where several want the processor.

/// How much this thread is preferred: as sound servers prefer themselves.
#[cfg(target_os = "linux")]
const SOUND: i32 = -11;

/// Lets this thread run before others, because sound waits for it. Where the system does not allow that
/// (`setrlimit(2)`, `RLIMIT_NICE`) it stays as it is; threads that it starts are as urgent.
pub fn prefer_this_thread() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, SOUND) {
        tracing::debug!(%error, "the thread of the sound is no more urgent than others");
    }
}

/// Lets this thread wait for others, as threads usually do, though a preferred one started it.
pub fn behave_as_usual() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 0) {
        tracing::debug!(%error, "a thread is more urgent than it should be");
    }
}
