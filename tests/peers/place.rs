//! Ports, programs and waiting.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take that ought to take milliseconds; generous, for busy machines.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The project's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The phone that is tested.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("RINGDESK_BINARY").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_ringdesk")),
        PathBuf::from,
    )
}

/// Fails with the remedy when another program is missing.
pub(crate) fn need(program: &str) {
    let found = std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path)
            .chain(["/usr/sbin".into(), "/sbin".into()])
            .any(|folder| folder.join(program).exists())
    });
    assert!(
        found,
        "{program} is not installed: `make test` installs what the tests need"
    );
}

/// The first of `count` neighbouring ports on 127.0.0.1 that nobody uses over UDP or TCP.
///
/// They lie below the range from which systems hand out ports themselves, and each is given once. The
/// kernel is asked who uses them: a socket bound only to see whether it can be would live on in
/// every program that another test starts at that moment, until that program's `exec`.
pub(crate) fn ports(count: u16) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 12_000;
    const RANGE: u16 = 18_000;
    // Two test processes start at different places.
    let offset = u16::try_from(std::process::id() % 90).unwrap() * 200;
    for _ in 0..RANGE / count {
        let step = NEXT.fetch_add(count, Ordering::Relaxed);
        let first = FIRST + (offset + step) % (RANGE - count);
        let used = used_ports();
        if (first..first + count).all(|port| !used.contains(&port)) {
            return first;
        }
    }
    panic!("no free ports on 127.0.0.1");
}

fn used_ports() -> Vec<u16> {
    let tables = ["udp", "udp6", "tcp", "tcp6"]
        .map(|table| std::fs::read_to_string(format!("/proc/self/net/{table}")));
    let lines = tables.iter().flatten().flat_map(|table| table.lines());
    lines
        .filter_map(|line| {
            let (_, port) = line.split_whitespace().nth(1)?.rsplit_once(':')?;
            u16::from_str_radix(port, 16).ok()
        })
        .collect()
}

/// Asks again and again until `condition` gives something, or fails.
pub(crate) fn until<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    until_within(PATIENCE, what, condition)
}

/// The same with another patience.
pub(crate) fn until_within<T>(
    patience: Duration,
    what: &str,
    mut condition: impl FnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(
            Instant::now() < deadline,
            "waited {patience:?} in vain: {what}"
        );
        // Foreign processes tell nobody when they are ready; this is the polling interval.
        thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until somebody listens on a UDP port of this machine.
pub(crate) fn until_udp_bound(port: u16) {
    until_udp_bound_by(std::process::id(), port);
}

/// Waits until somebody listens on a UDP port in the network namespace of a process.
pub(crate) fn until_udp_bound_by(pid: u32, port: u16) {
    let wanted = format!(":{port:04X} ");
    until(&format!("nobody listens on UDP port {port}"), || {
        let tables = ["udp", "udp6"];
        let read = |table| std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).ok();
        let mut lines = tables.into_iter().filter_map(read);
        lines.any(|table| table.contains(&wanted)).then_some(())
    });
}

/// Waits until somebody listens on a TCP port in the network namespace of a process.
pub(crate) fn until_tcp_listens_by(pid: u32, port: u16) {
    // The state LISTEN of the kernel's tables.
    const LISTENS: &str = "0A";
    let wanted = format!(":{port:04X}");
    until(&format!("nobody listens on TCP port {port}"), || {
        let tables = ["tcp", "tcp6"];
        let read = |table| std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).ok();
        let listens = |line: &str| {
            let mut words = line.split_whitespace().skip(1);
            let local = words.next().is_some_and(|local| local.ends_with(&wanted));
            local && words.nth(1) == Some(LISTENS)
        };
        let mut tables = tables.into_iter().filter_map(read);
        tables.any(|table| table.lines().any(listens)).then_some(())
    });
}

/// What a program writes, line by line.
pub(crate) fn lines_of(name: &str, output: ChildStdout) -> Receiver<String> {
    let (sender, lines) = sync_channel(4096);
    let output = BufReader::new(output);
    let _reader = thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        })
        .unwrap();
    lines
}

/// A program, or another one that starts it: `prefix` is that one with its arguments.
pub(crate) fn command(prefix: &[OsString], program: impl AsRef<OsStr>) -> Command {
    match prefix {
        [] => Command::new(program),
        [first, arguments @ ..] => {
            let mut command = Command::new(first);
            command.args(arguments).arg(program);
            command
        }
    }
}

/// Asks a process that we started to end.
pub(crate) fn terminate(pid: u32) {
    signal("TERM", pid);
}

/// Sends a process that we started a signal.
pub(crate) fn signal(name: &str, pid: u32) {
    let _sent = Command::new("kill")
        .args(["-s", name])
        .arg(pid.to_string())
        .status();
}
