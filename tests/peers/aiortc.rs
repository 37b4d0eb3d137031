//! aiortc, a WebRTC stack in Python that shares no code with ours, as a phone for one call
//! (`aiortc_peer.py`). It speaks ICE and DTLS-SRTP or nothing, and no ICE on loopback: it lives in a
//! namespace.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use crate::audio::{self, Sound};
use crate::place::{self, PATIENCE};

/// Its port for SIP: nobody else is in its namespace.
const PORT: u16 = 5064;

/// A running one.
#[derive(Debug)]
pub(crate) struct Aiortc {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    seen: Vec<String>,
    address: String,
    folder: TempDir,
}

impl Aiortc {
    /// Starts it at an address of a namespace, with a tone to play and more options of its own; it
    /// waits for a call unless `--call` is among them.
    pub(crate) fn start(
        (prefix, address): (&[OsString], &str),
        says: &Sound,
        options: &[&str],
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let says_file = folder.path().join("says.wav");
        says.write(&says_file);
        let errors = File::create(folder.path().join("errors")).unwrap();
        let mut child = place::command(prefix, python())
            .arg(place::root().join("tests/peers/aiortc_peer.py"))
            .args(["--bind", &format!("{address}:{PORT}"), "--say"])
            .arg(says_file)
            .arg("--hear")
            .arg(folder.path().join("heard.wav"))
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let lines = place::lines_of("aiortc", child.stdout.take().unwrap());
        let mut peer = Self {
            child,
            stdin,
            lines,
            seen: Vec::new(),
            address: address.to_owned(),
            folder,
        };
        peer.wait("listening");
        peer
    }

    /// Its address, to be called.
    pub(crate) fn uri(&self) -> String {
        format!("sip:aiortc@{}:{PORT}", self.address)
    }

    /// Tells it what to do in its call: `hold`, `resume` or `hangup`.
    pub(crate) fn command(&mut self, word: &str) {
        writeln!(self.stdin, "{word}").unwrap();
        self.stdin.flush().unwrap();
    }

    /// Waits for the next event of this name.
    pub(crate) fn wait(&mut self, name: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                let errors = std::fs::read_to_string(self.folder.path().join("errors"));
                panic!("aiortc says no `{name}`, but: {:#?}\n{errors:?}", self.seen);
            };
            let event: Value = serde_json::from_str(&line).unwrap();
            self.seen.push(line);
            if event["event"] == name {
                return event;
            }
        }
    }

    /// Waits until its call is over; gives what it heard, and how many packets of sound that were.
    pub(crate) fn heard(mut self) -> (Sound, u64) {
        let packets = self.wait("ended")["packets"].as_u64().unwrap();
        let _status = self.child.wait().unwrap();
        let heard = audio::read(&self.folder.path().join("heard.wav")).remove(0);
        (heard, packets)
    }
}

impl Drop for Aiortc {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The Python that has aiortc.
pub(crate) fn python() -> PathBuf {
    let python = place::root().join("target/aiortc/bin/python");
    assert!(
        python.exists(),
        "aiortc is not installed: `make test` installs what the tests need"
    );
    python
}
