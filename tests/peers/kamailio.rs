//! Kamailio as registrar and record-routing proxy for `lab.example`, with the users alice and bob.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::place;

/// The password of both users.
pub(crate) const PASSWORD: &str = "open sesame";

/// A running Kamailio.
#[derive(Debug)]
pub(crate) struct Kamailio {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Kamailio {
    /// Starts it on a port of 127.0.0.1 over UDP and TCP; it is ready when this returns.
    ///
    /// `defines` are switches of kamailio.cfg.
    pub(crate) fn start(defines: &[&str]) -> Self {
        place::need("kamailio");
        let folder = TempDir::new().unwrap();
        let port = place::ports(1);
        let log = File::create(folder.path().join("log")).unwrap();
        let program = ["/usr/sbin/kamailio", "/sbin/kamailio"]
            .into_iter()
            .find(|path| std::path::Path::new(path).exists())
            .unwrap_or("kamailio");
        let mut command = Command::new(program);
        command
            .arg("-f")
            .arg(place::root().join("tests/peers/kamailio.cfg"))
            // Stay in the foreground, log to stderr, use little memory and a private folder.
            .args(["-DD", "-E", "-m", "32", "-M", "4", "-Y"])
            .arg(folder.path())
            .arg("-w")
            .arg(folder.path())
            .arg("-P")
            .arg(folder.path().join("pid"))
            .args(["-l", &format!("udp:127.0.0.1:{port}")])
            .args(["-l", &format!("tcp:127.0.0.1:{port}")]);
        for define in defines {
            command.args(["-A", define]);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        place::until_udp_bound(port);
        place::until_tcp_listens(port);
        Self {
            child,
            port,
            _folder: folder,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Its main process ends the others.
        place::terminate(self.child.id());
        let _reaped = self.child.wait();
    }
}
