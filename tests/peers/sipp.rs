//! SIPp with one of our scenarios.

use std::ffi::OsString;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use tempfile::TempDir;

use crate::place;

/// A running SIPp.
#[derive(Debug)]
pub(crate) struct Sipp {
    child: Child,
    name: String,
    port: u16,
    folder: TempDir,
}

impl Sipp {
    /// SIPp that calls the phone, or sends it something.
    pub(crate) fn to(phone: SocketAddr, scenario: &str, options: &[&str]) -> Self {
        let mut all = vec![phone.to_string()];
        all.extend(options.iter().map(|option| (*option).to_owned()));
        Self::spawn(scenario, &all)
    }

    /// SIPp that is called; it is ready when this returns.
    pub(crate) fn called(scenario: &str, options: &[&str]) -> Self {
        Self::called_at(&[], "127.0.0.1", scenario, options)
    }

    /// The same at another address, behind a program that starts it elsewhere.
    pub(crate) fn called_at(
        prefix: &[OsString],
        ip: &str,
        scenario: &str,
        options: &[&str],
    ) -> Self {
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        let sipp = Self::spawn_at(prefix, ip, scenario, &options);
        if options.iter().any(|option| option == "t1") {
            place::until_tcp_listens_by(sipp.child.id(), sipp.port);
        } else {
            place::until_udp_bound_by(sipp.child.id(), sipp.port);
        }
        sipp
    }

    /// SIPp at another address (IPv6 without brackets) that calls the phone as its own side writes it,
    /// such as `[fe80::2%eth0]:5060`.
    pub(crate) fn from(
        prefix: &[OsString],
        ip: &str,
        phone: &str,
        scenario: &str,
        options: &[&str],
    ) -> Self {
        let mut all = vec![phone.to_owned()];
        all.extend(options.iter().map(|option| (*option).to_owned()));
        Self::spawn_at(prefix, ip, scenario, &all)
    }

    fn spawn(scenario: &str, options: &[String]) -> Self {
        Self::spawn_at(&[], "127.0.0.1", scenario, options)
    }

    fn spawn_at(prefix: &[OsString], ip: &str, scenario: &str, options: &[String]) -> Self {
        place::need("sipp");
        let folder = TempDir::new().unwrap();
        let scenarios = place::root().join("sipp-scenarios");
        // SIP, then RTP and RTCP for sound and for the picture that is never sent.
        let port = place::ports(8);
        let screen = File::create(folder.path().join("screen")).unwrap();
        let child = place::command(prefix, "sipp")
            .current_dir(&scenarios)
            .arg("-sf")
            .arg(scenarios.join(format!("{scenario}.xml")))
            .args(options)
            .args(["-m", "1", "-nostdin", "-i", ip, "-p", &port.to_string()])
            .args(["-mp", &(port + 2).to_string()])
            .args([
                "-timeout",
                "60",
                "-timeout_error",
                "-trace_err",
                "-error_file",
            ])
            .arg(folder.path().join("errors"))
            .args(["-trace_msg", "-message_file"])
            .arg(folder.path().join("messages"))
            .env("TERM", "dumb")
            .stdin(Stdio::null())
            .stdout(screen.try_clone().unwrap())
            .stderr(screen)
            .spawn()
            .unwrap();
        Self {
            child,
            name: scenario.to_owned(),
            port,
            folder,
        }
    }

    /// The port at which it takes SIP.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What the phone dials to reach it over IPv4.
    pub(crate) fn uri(&self) -> String {
        format!("sip:sipp@127.0.0.1:{}", self.port)
    }

    /// Waits until it has sent or received something with these words.
    pub(crate) fn until_message(&self, words: &str) {
        place::until(&format!("SIPp sees no {words}"), || {
            self.read("messages").contains(words).then_some(())
        });
    }

    /// What it sent and received.
    pub(crate) fn messages(&self) -> String {
        self.read("messages")
    }

    /// Waits for its end and fails unless all went as the scenario says.
    pub(crate) fn passes(mut self) {
        let status = self.child.wait().unwrap();
        assert!(
            status.success(),
            "{}: SIPp ended with {status}: {}\nmessages: {}",
            self.name,
            self.read("errors"),
            self.read("messages"),
        );
    }

    fn read(&self, name: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        let text = std::fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
