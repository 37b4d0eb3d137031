//! The phone without a window, driven by its command line, its events and its exit code.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::place::{self, PATIENCE};

/// A running `ringdesk headless`.
#[derive(Debug)]
pub(crate) struct Phone {
    child: Child,
    stdin: Option<ChildStdin>,
    events: Receiver<Value>,
    stderr: Option<thread::JoinHandle<String>>,
    seen: Vec<Value>,
    folder: TempDir,
    port: u16,
}

/// What is left of a phone that ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; none when a signal killed it.
    pub(crate) code: Option<i32>,
    /// All of its events, in order.
    pub(crate) events: Vec<Value>,
    /// What it wrote on stderr.
    pub(crate) stderr: String,
    folder: TempDir,
}

impl Phone {
    /// Starts a phone on a port and with a data folder of its own, and waits until it has started.
    pub(crate) fn start(options: &[&str]) -> Self {
        let mut phone = Self::spawn(TempDir::new().unwrap(), options);
        phone.wait("started");
        phone
    }

    /// The same without waiting, in a data folder that may hold something already.
    pub(crate) fn spawn(folder: TempDir, options: &[&str]) -> Self {
        let data = folder.path().to_owned();
        Self::spawn_in(folder, &[], &data, options)
    }

    /// A phone that another program starts, in a data folder that stays: `prefix` is that program with its
    /// arguments. Waits until it has started: who calls it before is refused at once.
    pub(crate) fn start_behind(prefix: &[OsString], data: &Path, options: &[&str]) -> Self {
        let mut phone = Self::behind(prefix, data, options);
        phone.wait("started");
        phone
    }

    /// The same without waiting.
    pub(crate) fn behind(prefix: &[OsString], data: &Path, options: &[&str]) -> Self {
        Self::spawn_in(TempDir::new().unwrap(), prefix, data, options)
    }

    fn spawn_in(folder: TempDir, prefix: &[OsString], data: &Path, options: &[&str]) -> Self {
        // The second is for TLS, where the phone has a certificate.
        let port = place::ports(2);
        let mut command = place::command(prefix, place::binary());
        command
            .arg("headless")
            .arg("--bind")
            .arg(format!("127.0.0.1:{port}"))
            .arg("--data-dir")
            .arg(data)
            .args(["--events", "json", "--control", "stdin"])
            .args(options)
            .env("RINGDESK_TEST_PASSWORD", "open sesame")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let (sender, events) = sync_channel(4096);
        let _reader = thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || {
                for line in stdout.lines().map_while(Result::ok) {
                    let event = serde_json::from_str(&line)
                        .unwrap_or_else(|error| panic!("no JSON on stdout: {line}: {error}"));
                    if sender.send(event).is_err() {
                        break;
                    }
                }
            })
            .unwrap();
        let stderr = thread::Builder::new()
            .name("stderr".to_owned())
            .spawn(move || {
                let mut bytes = Vec::new();
                let _read = stderr.read_to_end(&mut bytes);
                String::from_utf8_lossy(&bytes).into_owned()
            })
            .unwrap();
        Self {
            child,
            stdin,
            events,
            stderr: Some(stderr),
            seen: Vec::new(),
            folder,
            port,
        }
    }

    /// Waits for the next event of this name and returns it.
    pub(crate) fn wait(&mut self, name: &str) -> Value {
        self.wait_for(name, PATIENCE, |event| event["event"] == name)
    }

    /// Waits for the next event that `wanted` takes.
    pub(crate) fn wait_for(
        &mut self,
        what: &str,
        patience: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(event) => {
                    self.seen.push(event.clone());
                    if wanted(&event) {
                        return event;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!(
                        "no `{what}` within {patience:?}; seen: {}",
                        lines(&self.seen)
                    )
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let stderr = self.stderr.take().map(|thread| thread.join().unwrap());
                    panic!(
                        "the phone ended before `{what}`; seen: {}\nstderr: {}",
                        lines(&self.seen),
                        stderr.unwrap_or_default()
                    )
                }
            }
        }
    }

    /// Sends one command on stdin, such as `hold`, about the only open call.
    pub(crate) fn command(&mut self, name: &str) {
        self.send(&serde_json::json!({ "command": name }));
    }

    /// Sends a whole command on stdin.
    pub(crate) fn send(&mut self, command: &Value) {
        let stdin = self.stdin.as_mut().unwrap();
        writeln!(stdin, "{command}").unwrap();
        stdin.flush().unwrap();
    }

    /// The address at which it takes SIP.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// What others dial to reach it.
    pub(crate) fn uri(&self) -> String {
        format!("sip:phone@{}", self.address())
    }

    /// Takes in what it said meanwhile.
    pub(crate) fn drain(&mut self) -> &[Value] {
        self.seen.extend(self.events.try_iter());
        &self.seen
    }

    /// Lets a call go on for a second or two: figures come each second.
    pub(crate) fn pass(&mut self) {
        self.drain();
        self.wait("quality");
        self.wait("quality");
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its data folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The rows of its call log, asked for while it runs.
    pub(crate) fn calls(&self) -> Vec<Value> {
        calls(self.folder.path())
    }

    /// The row of its only call; one that was told before it was on disk (a slow disk) is waited for.
    pub(crate) fn only_call(&self) -> Value {
        let told_early = |event: &Value| event["event"] == "ended" && event["durable"] == false;
        if self.seen.iter().any(told_early) {
            let written = || self.calls().iter().all(|row| !row["ended_at"].is_null());
            place::until("the end is not on disk", || written().then_some(()));
        }
        only(self.calls())
    }

    /// Ends it by SIGTERM; it must be gone within two seconds (five, on a busy machine).
    pub(crate) fn stop(self) -> Ended {
        place::terminate(self.child.id());
        self.ended_within(Duration::from_secs(5))
    }

    /// Interrupts it as Ctrl+C does.
    pub(crate) fn interrupt(self) -> Ended {
        place::signal("INT", self.child.id());
        self.ended_within(Duration::from_secs(5))
    }

    /// Takes in what it says for a while.
    pub(crate) fn listen(&mut self, lasting: Duration) {
        let until = Instant::now() + lasting;
        while let Ok(event) = self
            .events
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            self.seen.push(event);
        }
    }

    /// Kills it as `kill -9` does; gives all that it had said.
    pub(crate) fn kill(mut self) -> Vec<Value> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.seen.extend(self.events.iter());
        std::mem::take(&mut self.seen)
    }

    /// Waits until it ends by itself.
    pub(crate) fn ended(self) -> Ended {
        self.ended_within(PATIENCE)
    }

    fn ended_within(mut self, patience: Duration) -> Ended {
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(event) => self.seen.push(event),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!(
                        "still there after {patience:?}; seen: {}",
                        lines(&self.seen)
                    )
                }
            }
        }
        let code = self.child.wait().unwrap().code();
        let stderr = self
            .stderr
            .take()
            .map(|thread| thread.join().unwrap())
            .unwrap_or_default();
        let events = std::mem::take(&mut self.seen);
        let folder = std::mem::replace(&mut self.folder, TempDir::new().unwrap());
        Ended {
            code,
            events,
            stderr,
            folder,
        }
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Ended {
    /// The first event of this name.
    pub(crate) fn event(&self, name: &str) -> &Value {
        find(&self.events, name)
    }

    /// The row of its only call.
    pub(crate) fn only_call(&self) -> Value {
        only(calls(self.folder.path()))
    }

    /// Its data folder, for another phone.
    pub(crate) fn into_folder(self) -> TempDir {
        self.folder
    }
}

/// The first event of this name.
pub(crate) fn find<'a>(events: &'a [Value], name: &str) -> &'a Value {
    events
        .iter()
        .find(|event| event["event"] == name)
        .unwrap_or_else(|| panic!("no `{name}` among: {}", lines(events)))
}

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("\n  {event}")).collect()
}

fn only(mut rows: Vec<Value>) -> Value {
    assert_eq!(rows.len(), 1, "one row for one call: {rows:#?}");
    rows.remove(0)
}

/// A command that ends by itself: its exit code, stdout and stderr.
pub(crate) fn run(arguments: &[OsString]) -> (Option<i32>, String, String) {
    let output = Command::new(place::binary())
        .args(arguments)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Runs `ringdesk` with these words on the phone's records; each line of its answer.
pub(crate) fn ringdesk(phone: &Phone, words: &[&str]) -> Vec<Value> {
    let mut arguments: Vec<_> = words.iter().map(Into::into).collect();
    arguments.extend(["--json".into(), "--data-dir".into(), phone.folder().into()]);
    let (code, stdout, stderr) = run(&arguments);
    assert_eq!(code, Some(0), "{words:?}: {stderr}");
    stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The call log in a data folder, by `ringdesk calls --json`.
pub(crate) fn calls(folder: &Path) -> Vec<Value> {
    let arguments = [
        "calls".into(),
        "--json".into(),
        "--data-dir".into(),
        folder.into(),
    ];
    let (code, stdout, stderr) = run(&arguments);
    assert_eq!(code, Some(0), "ringdesk calls: {stderr}");
    match serde_json::from_str(&stdout) {
        Ok(Value::Array(rows)) => rows,
        _ => stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}")))
            .collect(),
    }
}

/// The only WAV in a folder.
pub(crate) fn only_recording(folder: &Path) -> PathBuf {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wav"))
        .collect();
    assert_eq!(files.len(), 1, "one recording for one call: {files:?}");
    files.remove(0)
}
