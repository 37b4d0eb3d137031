//! coturn, the STUN and TURN server of most installations, with one user.

use std::ffi::OsString;
use std::fs::File;
use std::process::{Child, Stdio};

use tempfile::TempDir;

use crate::place;

/// Its user and password.
pub(crate) const USER: &str = "agent";
pub(crate) const PASSWORD: &str = "sesame";

/// The port that it listens on, and those that it relays from: nobody else is in its namespace.
pub(crate) const PORT: u16 = 3478;
const RELAYED: std::ops::RangeInclusive<u16> = 40_000..=40_999;

/// A running coturn.
#[derive(Debug)]
pub(crate) struct Coturn {
    child: Child,
    folder: TempDir,
}

impl Coturn {
    /// Starts it in a namespace, at an address.
    pub(crate) fn start(prefix: &[OsString], address: &str) -> Self {
        place::need("turnserver");
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let out = File::create(folder.path().join("out")).unwrap();
        let child = place::command(prefix, "turnserver")
            .args(["-n", "-v", "--lt-cred-mech", "--realm=relay.example"])
            .args([
                "--no-tls",
                "--no-dtls",
                "--no-cli",
                "--simple-log",
                "--no-stdout-log",
            ])
            .arg(format!("--listening-ip={address}"))
            .arg(format!("--relay-ip={address}"))
            .arg(format!("--listening-port={PORT}"))
            .arg(format!("--min-port={}", RELAYED.start()))
            .arg(format!("--max-port={}", RELAYED.end()))
            .arg(format!("--user={USER}:{PASSWORD}"))
            .arg(format!("--userdb={}", at("users")))
            .arg(format!("--log-file={}", at("log")))
            .arg(format!("--pidfile={}", at("pid")))
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        place::until_udp_bound_by(child.id(), PORT);
        Self { child, folder }
    }

    /// Whether an address is one of its relayed ones.
    pub(crate) fn relays(address: &str) -> bool {
        let port = address
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        port.is_some_and(|port: u16| RELAYED.contains(&port))
    }

    /// What it wrote down.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
