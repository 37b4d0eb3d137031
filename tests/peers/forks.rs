//! Two phones that ring at once, each with a key of its own and heard before the answer
//! (`forked_peer.py`).

use std::process::{Child, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Instant;

use serde_json::Value;

use crate::aiortc::python;
use crate::place::{self, PATIENCE};
use crate::tones::Tones;

/// Both phones, and the proxy before them.
#[derive(Debug)]
struct Forks {
    child: Child,
    lines: Receiver<String>,
    port: u16,
}

impl Forks {
    fn start() -> Self {
        let port = place::ports(1);
        let mut child = place::command(&[], python())
            .arg(place::root().join("tests/peers/forked_peer.py"))
            .args(["--port", &port.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = place::lines_of("forks", child.stdout.take().unwrap());
        let forks = Self { child, lines, port };
        forks.wait("listening");
        forks
    }

    /// Waits for the next thing that happens, which is this one.
    fn wait(&self, event: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        let left = deadline.saturating_duration_since(Instant::now());
        let line = self.lines.recv_timeout(left).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(told["event"], event);
        told
    }
}

impl Drop for Forks {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn the_one_that_answers_brings_its_own_key_back_though_another_was_heard_meanwhile() {
    let forks = Forks::start();
    // The first one says 440 Hz; our side says 1000 Hz, as does the second one.
    let [_, call] = Tones::pair("pcma");
    let uri = format!("sip:forks@127.0.0.1:{}", forks.port);
    let mut phone = call.phone(&[], &["--srtp", "required", "--call", &uri]);
    for event in ["first heard", "second heard", "first answered"] {
        let told = forks.wait(event);
        assert!(told["read"].as_u64().unwrap() >= 25, "{told}");
        assert_eq!(told["unread"], 0, "{told}");
    }
    phone.command("hangup");
    forks.wait("over");
    let ended = phone.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.event("ended")["state"], "completed");
    call.assert_recorded();
}
