//! Two network namespaces with cables between them: one for the phone, one for everybody else.
//!
//! ```text
//! phone: cable1 10.71.1.2 ──── 10.71.1.1 :far   10.71.9.9 on its loopback is where the others live;
//!        cable2 10.71.2.2 ──── 10.71.2.1        cables are plugged in and pulled by the test
//! ```

use std::ffi::OsString;
use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::place;

/// Where the others listen, whatever cable leads there.
pub(crate) const SERVICE: &str = "10.71.9.9";

/// The namespaces; they are removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Namespaces {
    phone: String,
    far: String,
}

impl Namespaces {
    /// Makes them, without any cable plugged in. Fails where the system does not allow it.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        place::need("ip");
        let id = format!(
            "{}x{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let spaces = Self {
            phone: format!("rdphone{id}"),
            far: format!("rdfar{id}"),
        };
        for name in [&spaces.phone, &spaces.far] {
            ip(&format!("netns add {name}"));
            ip(&format!("-n {name} link set lo up"));
        }
        ip(&format!("-n {} addr add {SERVICE}/32 dev lo", spaces.far));
        for cable in [1, 2] {
            ip(&format!(
                "-n {} link add cable{cable} type veth peer name end{cable}",
                spaces.phone
            ));
            ip(&format!(
                "-n {} link set end{cable} netns {}",
                spaces.phone, spaces.far
            ));
            spaces.far(&format!("addr add 10.71.{cable}.1/24 dev end{cable}"));
            spaces.far(&format!("addr add fd71:{cable}::1/64 dev end{cable} nodad"));
            spaces.far(&format!("link set end{cable} up"));
        }
        spaces
    }

    /// Plugs a cable in, as a default way with that preference (the lowest wins).
    pub(crate) fn plug(&self, cable: u8, metric: u32) {
        self.phone(&format!("link set cable{cable} up"));
        self.phone(&format!("addr add 10.71.{cable}.2/24 dev cable{cable}"));
        self.phone(&format!(
            "route add default via 10.71.{cable}.1 dev cable{cable} metric {metric}"
        ));
    }

    /// Pulls a cable: link, address and routes are gone.
    pub(crate) fn pull(&self, cable: u8) {
        self.phone(&format!("addr flush dev cable{cable}"));
        self.phone(&format!("link set cable{cable} down"));
    }

    /// Runs `ip` in the phone's namespace.
    pub(crate) fn phone(&self, arguments: &str) {
        ip(&format!("-n {} {arguments}", self.phone));
    }

    /// Runs `ip` in the others' namespace.
    pub(crate) fn far(&self, arguments: &str) {
        ip(&format!("-n {} {arguments}", self.far));
    }

    /// What starts a program in the phone's namespace.
    pub(crate) fn in_phone(&self) -> Vec<OsString> {
        ["ip", "netns", "exec", &self.phone]
            .map(OsString::from)
            .into()
    }

    /// What starts a program in the others' namespace.
    pub(crate) fn in_far(&self) -> Vec<OsString> {
        ["ip", "netns", "exec", &self.far]
            .map(OsString::from)
            .into()
    }

    /// Listens to the cables from the far side.
    pub(crate) fn listen(&self) -> Wire {
        Wire::start(&self.in_far())
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for name in [&self.phone, &self.far] {
            let _removed = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}

/// Runs `ip`; what it does needs root and a kernel with namespaces.
fn ip(arguments: &str) {
    let output = Command::new("ip")
        .args(arguments.split(' '))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "`ip {arguments}` failed: {}this test needs root and network namespaces (CAP_SYS_ADMIN, \
         CAP_NET_ADMIN)",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// tcpdump on all cables: what came and went, with its time.
#[derive(Debug)]
pub(crate) struct Wire {
    child: Child,
    folder: TempDir,
}

impl Wire {
    fn start(prefix: &[OsString]) -> Self {
        place::need("tcpdump");
        let folder = TempDir::new().unwrap();
        let out = File::create(folder.path().join("wire")).unwrap();
        let errors = File::create(folder.path().join("errors")).unwrap();
        let child = Command::new(&prefix[0])
            .args(&prefix[1..])
            .args([
                "tcpdump", "-i", "any", "-n", "-l", "-tt", "-Z", "root", "udp",
            ])
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(errors)
            .spawn()
            .unwrap();
        let wire = Self { child, folder };
        place::until("tcpdump does not listen", || {
            let errors = std::fs::read_to_string(wire.folder.path().join("errors")).ok()?;
            errors.contains("listening on").then_some(())
        });
        wire
    }

    /// The first packet of 20 ms PCMA or PCMU, or of Opus, after `since` (seconds of Unix), from an
    /// address to an address that begin so: when it passed, in seconds of Unix.
    pub(crate) fn first_sound(&self, since: f64, from: &str, to: &str) -> Option<f64> {
        let text = std::fs::read_to_string(self.folder.path().join("wire")).unwrap_or_default();
        text.lines().find_map(|line| {
            // 1700000000.123456 end1 In  IP 10.71.1.2.4000 > 10.71.9.9.5062: UDP, length 172
            let at: f64 = line.split_whitespace().next()?.parse().ok()?;
            let (before, after) = line.split_once(" > ")?;
            let source = before.split_whitespace().last()?;
            let sound = after.contains(": UDP, length ");
            let fits = source.starts_with(from) && after.starts_with(to);
            (at >= since && sound && fits).then_some(at)
        })
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Now, in seconds of Unix, as tcpdump counts.
pub(crate) fn unix_now() -> f64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
}
