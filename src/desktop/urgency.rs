//! `RealtimeKit`: it prefers the threads of the sound where the user's own limits do not allow that, as it
//! does for sound servers and browsers (org.freedesktop.RealtimeKit1).

use zbus::proxy;

use super::Part;
use super::bus::{Bus, answer};
use crate::base::priority::{SOUND, refused_threads};

#[proxy(
    interface = "org.freedesktop.RealtimeKit1",
    default_service = "org.freedesktop.RealtimeKit1",
    default_path = "/org/freedesktop/RealtimeKit1",
    gen_blocking = false
)]
trait RealtimeKit {
    fn make_thread_high_priority(&self, thread: u64, priority: i32) -> zbus::Result<()>;
}

/// Asks for each thread that the system refused, now and whenever something changes: a second thread of
/// the sound begins with a call.
///
/// A nice level, and no real-time class: a thread of that class that works for longer than the limit ends
/// the program, and decoders on a slow machine may.
pub(super) async fn ask(mut part: Part, buses: Bus) {
    let mut kit = None;
    loop {
        for thread in refused_threads() {
            if kit.is_none() {
                let Some(system) = buses.system().await else {
                    return;
                };
                kit = RealtimeKitProxy::new(&system).await.ok();
            }
            if let Some(kit) = &kit
                && let Err(error) = answer(kit.make_thread_high_priority(thread, SOUND)).await
            {
                tracing::debug!(%error, "a thread of the sound is no more urgent than others");
            }
        }
        if !part.changed().await {
            return;
        }
    }
}
