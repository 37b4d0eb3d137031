//! dnsmasq as a name server on loopback with records of our choice.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::place;

/// A running dnsmasq.
#[derive(Debug)]
pub(crate) struct Dnsmasq {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Dnsmasq {
    /// Starts it with options such as `--srv-host=_sip._udp.lab.example,host,5060,1,0`; it is ready
    /// when this returns. It knows nothing but what the options say, and asks nobody.
    pub(crate) fn start(records: &[String]) -> Self {
        place::need("dnsmasq");
        let folder = TempDir::new().unwrap();
        let port = place::ports(1);
        let log = File::create(folder.path().join("log")).unwrap();
        let program = ["/usr/sbin/dnsmasq", "/sbin/dnsmasq"]
            .into_iter()
            .find(|path| std::path::Path::new(path).exists())
            .unwrap_or("dnsmasq");
        let child = Command::new(program)
            .args([
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--no-resolv",
            ])
            .args([
                "--no-hosts",
                "--bind-interfaces",
                "--listen-address=127.0.0.1",
            ])
            .args([
                "--log-queries",
                "--log-facility=-",
                "--user=",
                "--no-daemon",
            ])
            // What is not ours does not exist: nobody else is asked.
            .args(["--local=/example/", "--local=//", "--local-ttl=60"])
            .arg(format!("--port={port}"))
            .arg(format!(
                "--pid-file={}",
                folder.path().join("pid").display()
            ))
            .args(records)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        place::until_udp_bound(port);
        Self {
            child,
            port,
            folder,
        }
    }

    /// What it was asked and answered.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Where it listens, for `--name-server`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Dnsmasq {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
