//! The phone without a window: events on stdout, commands on stdin, exit codes for scripts.

use std::collections::VecDeque;
use std::io::Write as _;
use std::time::{Duration, Instant};

use clap::ArgMatches;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::sync::mpsc;

use crate::app::{self, Running};
use crate::base::clock;
use crate::base::id::CallId;
use crate::base::printable::printable;
use crate::cli::args::{ControlArg, EventsArg, HeadlessArgs};
use crate::cli::printer::{Line, Printer};
use crate::cli::run::Exit;
use crate::cli::{control_line, setup, single_instance};
use crate::control::{Asker, CallTarget, Command, Event, Handle};
use crate::crm::row::{CallDirection, CallState};

/// Lines of standard input that may wait.
const LINES: usize = 64;

/// Runs until the script is done, a signal comes or standard input says quit.
pub(super) async fn run(args: HeadlessArgs, matches: &ArgMatches) -> anyhow::Result<Exit> {
    let options = setup::headless(&args, matches)?;
    if let Some(path) = &args.play {
        app::check_source(path)?;
    }
    if let Some(path) = &args.hold_music {
        app::check_hold_music(path)?;
    }
    if let Some(path) = &args.recording_announcement {
        app::check_announcement(path)?;
    }
    let accounts = options
        .accounts
        .iter()
        .filter(|options| options.account.register)
        .count();
    let paths = options.paths.clone();
    let running = app::start(options).await?;
    let server = single_instance::serve(&paths, running.handle.clone(), running.records.clone());
    let mut signals = Signals::new()?;
    let mut lines = args.control.map(|ControlArg::Stdin| read_lines());
    let Running {
        handle,
        mut events,
        bound,
        tls_port,
        task,
        records,
        waker: _,
    } = running;
    drop(records);
    let printer = Printer::start(args.events)?;
    let mut driver = Driver::new(&args, handle.clone(), accounts, &printer);
    driver.started(bound, tls_port).await;
    loop {
        driver.place_due_calls(clock::monotonic_now());
        let wake = driver.next_call_at();
        let timer = async {
            match wake {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            exit = signals.recv() => {
                driver.exit = Some(exit);
                driver.quit();
            }
            // Before a line that means "the only call": whoever wrote it saw the other end ring.
            event = next_event(&mut events, &printer) => match event {
                Some((event, room)) => {
                    driver.handle(&event);
                    if let Some(room) = room {
                        room.send(Line::Event(clock::wall_now(), Box::new(event)));
                    }
                }
                None => break,
            },
            line = next_line(&mut lines) => match line {
                Some(line) => driver.control(&line).await,
                // A script that closes our input is done with us.
                None => { lines = None; driver.quit(); }
            },
            () = timer => {}
        }
    }
    // The engine has ended; what it still told is already printed.
    task.await?;
    if let Some(server) = server {
        server.stop().await;
    }
    let exit = driver.exit.unwrap_or(Exit::Done);
    printer.finish().await;
    Ok(exit)
}

/// The next event, once there is room to print it: what nobody reads piles up in the engine's
/// queue, which is bounded and tells what is missing.
async fn next_event<'p>(
    events: &mut mpsc::Receiver<Event>,
    printer: &'p Printer,
) -> Option<(Event, Option<mpsc::Permit<'p, Line>>)> {
    let room = printer.room().await;
    Some((events.recv().await?, room))
}

/// What the options ask for over time.
struct Driver<'a> {
    args: &'a HeadlessArgs,
    printer: &'a Printer,
    handle: Handle,
    /// Accounts that have not answered for the first time.
    undecided: usize,
    registered: bool,
    calls: VecDeque<&'a str>,
    next_at: Option<Instant>,
    /// Whether the next call waits for the end of the one before.
    waiting: bool,
    /// Calls that are not over: the events run ahead of the snapshot.
    open: Vec<CallId>,
    ended: u64,
    failed: bool,
    exit: Option<Exit>,
    quitting: bool,
}

impl<'a> Driver<'a> {
    fn new(args: &'a HeadlessArgs, handle: Handle, accounts: usize, printer: &'a Printer) -> Self {
        let repeat = usize::try_from(args.repeat).unwrap_or(usize::MAX);
        let calls = std::iter::repeat_n(&args.call, repeat)
            .flatten()
            .map(String::as_str);
        let direct = args.no_register || accounts == 0;
        Self {
            args,
            printer,
            handle,
            undecided: if direct { 0 } else { accounts },
            registered: direct,
            calls: calls.collect(),
            next_at: None,
            waiting: false,
            open: Vec::new(),
            ended: 0,
            failed: false,
            exit: None,
            quitting: false,
        }
    }

    async fn started(&self, bound: std::net::SocketAddr, tls_port: Option<u16>) {
        self.print(
            "started",
            &json!({
                "sip": bound.to_string(),
                "udp_port": bound.port(),
                "tcp_port": bound.port(),
                "tls_port": tls_port,
                "pid": std::process::id(),
                "version": env!("CARGO_PKG_VERSION"),
            }),
        )
        .await;
    }

    fn handle(&mut self, event: &Event) {
        match event {
            Event::Registered { .. } => {
                self.registered = true;
                self.undecided = self.undecided.saturating_sub(1);
            }
            Event::RegistrationFailed {
                address, reason, ..
            } => {
                self.undecided = self.undecided.saturating_sub(1);
                print_error(&format!("{address} is not registered: {reason}"));
                if !self.registered && self.undecided == 0 && !self.quitting {
                    self.exit = Some(Exit::NotRegistered);
                    self.quit();
                }
            }
            Event::Incoming { call, .. } | Event::Outgoing { call, .. } => {
                self.open.push(call.call);
            }
            Event::Ended {
                call,
                state,
                status,
                reason,
                ..
            } => {
                self.open.retain(|open| *open != call.call);
                let placed = call.direction == CallDirection::Outbound;
                if placed && *state != CallState::Completed {
                    self.failed = true;
                    print_error(&format!(
                        "the call to {} failed: {reason} ({status})",
                        call.to
                    ));
                }
                self.call_over();
            }
            Event::Transferred {
                to, status, reason, ..
            } if *status >= 300 => {
                self.failed = true;
                print_error(&format!("the transfer to {to} failed: {reason} ({status})"));
            }
            Event::CallRefused { text, .. } => {
                self.failed = true;
                print_error(text);
                self.call_over();
            }
            Event::Error { text, .. } => print_error(text),
            _ => {}
        }
    }

    fn call_over(&mut self) {
        self.ended += 1;
        self.waiting = false;
        if self
            .args
            .exit_after_calls
            .is_some_and(|limit| self.ended >= limit)
        {
            let exit = if self.failed {
                Exit::CallFailed
            } else {
                Exit::Done
            };
            self.exit.get_or_insert(exit);
            self.quit();
        }
    }

    /// Places what is due: after registration, one by one or by the rate.
    fn place_due_calls(&mut self, now: Instant) {
        if !self.registered || self.quitting {
            return;
        }
        while let Some(target) = self.calls.front() {
            let due = match (self.args.rate, self.next_at) {
                (None, _) => !self.waiting,
                (Some(_), None) => true,
                (Some(_), Some(at)) => at <= now,
            };
            if !due {
                break;
            }
            let target = CallTarget {
                text: (*target).to_owned(),
                account: None,
            };
            // The command line is the tester's own wish: nobody is asked, nothing is counted.
            let call = Command::CallFor {
                target,
                asker: Asker::CommandLine,
                confirmed: true,
            };
            if !self.handle.send(call) {
                self.next_at = Some(now + Duration::from_millis(10));
                break;
            }
            self.calls.pop_front();
            self.waiting = true;
            self.next_at = self
                .args
                .rate
                .map(|rate| self.next_at.unwrap_or(now) + Duration::from_secs_f64(1.0 / rate));
        }
    }

    fn next_call_at(&self) -> Option<Instant> {
        if !self.registered || self.quitting || self.calls.is_empty() {
            return None;
        }
        self.next_at
    }

    async fn control(&self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        match control_line::parse(line, &self.open, &self.handle.snapshot()) {
            Ok((name, command)) => {
                let taken = self.handle.send(command);
                self.print("control", &json!({"command": name, "ok": taken}))
                    .await;
            }
            Err(message) => {
                self.print("error", &json!({"message": message})).await;
                print_error(&message);
            }
        }
    }

    fn quit(&mut self) {
        if !self.quitting {
            self.quitting = true;
            // A full queue empties within milliseconds; the engine also ends when we are gone.
            if !self.handle.send(Command::Quit) {
                self.quitting = false;
            }
        }
    }

    /// Prints an event of our own.
    async fn print(&self, name: &str, fields: &serde_json::Value) {
        let at = clock::wall_now();
        match self.args.events {
            EventsArg::Json => {
                let mut line = json!({"at": format!("{at:.6}"), "event": name});
                if let (Some(line), Some(fields)) = (line.as_object_mut(), fields.as_object()) {
                    line.extend(fields.clone());
                }
                self.printer.print(line.to_string()).await;
            }
            EventsArg::Text => {
                let line = format!("{at:.3} {name} {fields}");
                self.printer.print(line).await;
            }
            EventsArg::Off => {}
        }
    }
}

/// SIGINT (somebody interrupts) and SIGTERM (a supervisor asks it to end in order).
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    #[cfg(not(unix))]
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for a signal and says how the program ends by it.
    #[cfg(unix)]
    pub(super) async fn recv(&mut self) -> Exit {
        tokio::select! {
            _ = self.terminate.recv() => Exit::Done,
            _ = self.interrupt.recv() => Exit::Interrupted,
        }
    }

    /// Waits for a signal and says how the program ends by it.
    #[cfg(not(unix))]
    pub(super) async fn recv(&mut self) -> Exit {
        // Without a handler there is nothing to wait for.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Exit::Interrupted
    }
}

/// Reads standard input line by line; a line that is too long is cut, and then refused as no JSON.
fn read_lines() -> mpsc::Receiver<String> {
    let (outlet, lines) = mpsc::channel(LINES);
    tokio::spawn(async move {
        let mut input = BufReader::new(tokio::io::stdin());
        loop {
            let mut line = Vec::new();
            let limit = u64::try_from(control_line::LINE_LIMIT).unwrap_or(u64::MAX);
            match (&mut input).take(limit).read_until(b'\n', &mut line).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {
                    let line = String::from_utf8_lossy(&line).into_owned();
                    if outlet.send(line).await.is_err() {
                        break;
                    }
                }
            }
        }
    });
    lines
}

async fn next_line(lines: &mut Option<mpsc::Receiver<String>>) -> Option<String> {
    match lines {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}

/// Writes one line to stdout; a closed pipe is no reason to end calls.
pub(super) fn print_line(line: &str) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{line}").and_then(|()| out.flush()));
}

/// Writes one line to stderr.
pub(super) fn print_error(text: &str) {
    drop(writeln!(std::io::stderr(), "ringdesk: {}", printable(text)));
}
