//! What the phone needs of the machine around it: a way to the network, and room on the disk.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::app::engine::{Engine, Internal};
use crate::base::uri::{Host, Uri};
use crate::control::DiskView;

/// Less free space than this is told: a few hours of recordings.
pub const LITTLE_SPACE: u64 = 1 << 30;
/// Less than this is a failure: the call log may not be written any more.
pub const NO_SPACE: u64 = 16 << 20;
/// How often the disk is looked at.
const EACH: Duration = Duration::from_secs(60);
/// Addresses that belong to nobody (RFC 5737, RFC 3849): the routes towards them are those to everybody.
const ANYBODY: [&str; 2] = ["192.0.2.1:5060", "[2001:db8::1]:5060"];

/// The free space where a folder is or will be, in octets, and the folder that is there.
///
/// # Errors
///
/// Fails when the system does not tell.
pub fn free_space(folder: &Path) -> std::io::Result<(u64, PathBuf)> {
    // The folder may not be there yet; its nearest parent is on the same disk.
    let there = folder.ancestors().find(|path| path.exists());
    let there = there.ok_or(std::io::ErrorKind::NotFound)?;
    #[cfg(unix)]
    {
        let facts = rustix::fs::statvfs(there)?;
        let free = facts.f_bavail.saturating_mul(facts.f_frsize);
        Ok((free, there.to_owned()))
    }
    #[cfg(not(unix))]
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Looks at the disk each minute until the engine is gone, and tells when it changes how it stands.
pub(super) async fn watch_disk(folder: PathBuf, internal: mpsc::Sender<Internal>) {
    let mut told = None;
    loop {
        let looked = folder.clone();
        // A disk that hangs holds nobody up.
        let free = tokio::task::spawn_blocking(move || free_space(&looked)).await;
        let view = match free {
            Ok(Ok((free, there))) => view(free, &there),
            // What the system does not tell is no fault.
            Ok(Err(_)) | Err(_) => None,
        };
        let full = view.as_ref().map(|view| view.full);
        if full != told {
            told = full;
            if internal.send(Internal::DiskStands(view)).await.is_err() {
                return;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(EACH) => {}
            () = internal.closed() => return,
        }
    }
}

fn view(free: u64, there: &Path) -> Option<DiskView> {
    (free < LITTLE_SPACE).then(|| DiskView {
        full: free < NO_SPACE,
        problem: format!(
            "{} MiB are free in {}; make room, or calls and recordings are not kept",
            free >> 20,
            there.display()
        ),
    })
}

impl Engine {
    /// Looks whether there is a way to other machines, where an account needs one.
    pub(super) fn look_for_network(&mut self) {
        let needed = self
            .accounts
            .iter()
            .any(|live| !is_here(&live.account.address) && !is_here(&live.account.outbound_proxy));
        let way = ANYBODY.iter().any(|far| {
            let far: Option<SocketAddr> = far.parse().ok();
            far.and_then(|far| self.net.local_ip_towards(far))
                .is_some_and(|own| !own.is_loopback())
        });
        let problem = (needed && !way).then(|| {
            "this machine has no way to a network; plug a cable in or join a wireless network"
                .to_owned()
        });
        self.dirty |= self.network_problem != problem;
        self.network_problem = problem;
    }
}

/// Whether an address is on this machine, as the lab's is.
fn is_here(address: &str) -> bool {
    match Uri::parse(address)
        .ok()
        .and_then(|uri| Some(uri.as_sip()?.host.clone()))
    {
        Some(Host::V4(ip)) => ip.is_loopback(),
        Some(Host::V6(ip)) => ip.is_loopback(),
        Some(Host::Name(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_is_told_and_too_little_is_a_failure() {
        let there = Path::new("/data");
        assert_eq!(view(LITTLE_SPACE, there), None);
        let little = view(LITTLE_SPACE - 1, there).unwrap();
        assert!(!little.full && little.problem.starts_with("1023 MiB are free in /data"));
        assert!(view(NO_SPACE - 1, there).unwrap().full);
    }

    #[test]
    fn the_lab_needs_no_network() {
        for (address, here) in [
            ("sip:alice@127.0.0.1:5060", true),
            ("sip:alice@[::1]", true),
            ("sip:alice@localhost", true),
            ("sip:alice@example.com", false),
            ("", false),
        ] {
            assert_eq!(is_here(address), here, "{address}");
        }
    }
}
