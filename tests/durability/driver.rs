//! The driver: a process that writes the script into a store and says what was acknowledged.
//!
//! It is this test program again, with a task in its environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use ringdesk::base::id::{CallId, ContactId, OrganizationId};
use ringdesk::crm::Store;
use ringdesk::crm::row::{OrganizationRow, Subject};
use ringdesk::crm::store::{CallChange, Write, Written};
use serde::{Deserialize, Serialize};

use crate::expected::Expected;
use crate::look;
use crate::record::Record;
use crate::script::{Edit, Script, Step};

/// Holds a driver's task.
const TASK: &str = "RINGDESK_STORE_TASK";

/// The test that becomes the driver.
const DRIVER: &str = "driver::a_script_is_kept_to_its_last_step";

/// Longer than that nothing may take.
pub(crate) const HANGS: Duration = Duration::from_secs(5);

/// What a driver does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) folder: PathBuf,
    pub(crate) run: u64,
    pub(crate) seed: u64,
    /// None for the short script with each kind of edit.
    pub(crate) episodes: Option<usize>,
    /// Before these steps it waits for a word of the test.
    pub(crate) pauses: Vec<usize>,
}

impl Task {
    pub(crate) fn script(&self) -> Script {
        match self.episodes {
            Some(episodes) => Script::new(self.run, self.seed, episodes),
            None => Script::of_each_kind(self.run),
        }
    }
}

/// What a driver says, line by line; the numbers are those of the steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// The store is about to be opened.
    Start,
    Opened,
    NotOpened(String),
    /// A step is about to be written.
    Begin(usize),
    /// A call that begins would survive a power loss.
    Kept(usize),
    Done(usize),
    Refused(usize, String),
    /// The store is about to be closed.
    Closing,
    Closed,
}

impl Line {
    fn text(&self) -> String {
        match self {
            Self::Start => "start".to_owned(),
            Self::Opened => "opened".to_owned(),
            Self::NotOpened(why) => format!("not-opened {why}"),
            Self::Begin(step) => format!("begin {step}"),
            Self::Kept(step) => format!("kept {step}"),
            Self::Done(step) => format!("done {step}"),
            Self::Refused(step, why) => format!("refused {step} {why}"),
            Self::Closing => "closing".to_owned(),
            Self::Closed => "closed".to_owned(),
        }
    }

    /// Reads a line; none of what the test harness says.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let number = || rest.parse().ok();
        Some(match word {
            "start" => Self::Start,
            "opened" => Self::Opened,
            "not-opened" => Self::NotOpened(rest.to_owned()),
            "begin" => Self::Begin(number()?),
            "kept" => Self::Kept(number()?),
            "done" => Self::Done(number()?),
            "refused" => {
                let (step, why) = rest.split_once(' ')?;
                Self::Refused(step.parse().ok()?, why.to_owned())
            }
            "closing" => Self::Closing,
            "closed" => Self::Closed,
            _ => return None,
        })
    }
}

/// A running driver.
pub(crate) struct Driver {
    child: Child,
    lines: Receiver<Line>,
    said: Vec<Line>,
    errors: PathBuf,
}

impl Driver {
    /// Starts one, behind another program if `before` names one.
    pub(crate) fn start(task: &Task, before: &[OsString]) -> Self {
        let program = std::env::current_exe().unwrap();
        let mut command = match before {
            [] => Command::new(program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        let errors = task.folder.with_extension("errors");
        let mut child = command
            .args(["--exact", "--nocapture", "--test-threads=1", DRIVER])
            .env(TASK, serde_json::to_string(task).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&errors).unwrap())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = sync_channel(100_000);
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if let Some(line) = Line::parse(&line)
                    && sender.send(line).is_err()
                {
                    break;
                }
            }
        });
        Self {
            child,
            lines,
            said: Vec::new(),
            errors,
        }
    }

    /// The next line; none after the last one.
    pub(crate) fn next(&mut self) -> Option<Line> {
        match self.lines.recv_timeout(HANGS) {
            Ok(line) => {
                self.said.push(line.clone());
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                self.child.kill().ok();
                panic!("the store hangs after {:?}", self.said.last());
            }
        }
    }

    /// Lets it go on behind a pause.
    pub(crate) fn release(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// Ends it as `kill -9` does; gives all that it said until then.
    pub(crate) fn kill(mut self) -> Vec<Line> {
        self.child.kill().unwrap();
        while self.next().is_some() {}
        self.child.wait().unwrap();
        self.said
    }

    /// Waits for its end, which must be a good one; gives all that it said.
    pub(crate) fn finish(mut self) -> Vec<Line> {
        while self.next().is_some() {}
        let status = self.child.wait().unwrap();
        let errors = std::fs::read_to_string(&self.errors).unwrap();
        assert!(
            status.success() && !errors.contains("panicked"),
            "{status} (signal {:?}): {errors}\nafter {:?}",
            status.signal(),
            self.said.last()
        );
        self.said
    }
}

fn say(line: &Line) {
    // One write for each line, so that each is whole or not there.
    std::io::stdout()
        .write_all(format!("{}\n", line.text()).as_bytes())
        .unwrap();
}

/// Writes the script, in the driver's own process.
fn drive(task: &Task) {
    println!();
    say(&Line::Start);
    let store = match Store::open(&task.folder, "DE") {
        Ok(store) => store,
        Err(error) => return say(&Line::NotOpened(error.to_string())),
    };
    say(&Line::Opened);
    let script = task.script();
    let mut ids = Ids::default();
    for group in script.groups {
        let mut waiting = Vec::new();
        for number in group {
            let step = &script.steps[number];
            if task.pauses.contains(&number) {
                std::io::stdin().read_line(&mut String::new()).unwrap();
            }
            say(&Line::Begin(number));
            let Some(write) = ids.write(step) else {
                let why = "what it depends on was refused".to_owned();
                say(&Line::Refused(number, why));
                continue;
            };
            let answer = if matches!(step.edit, Edit::Keep(_)) {
                let pending = store.keep(write);
                if pending.kept.blocking_recv().is_ok() {
                    say(&Line::Kept(number));
                }
                pending.written
            } else {
                store.write(write)
            };
            waiting.push((number, answer));
        }
        for (number, answer) in waiting {
            match answer.blocking_recv().unwrap() {
                Ok(written) => {
                    ids.learn(&script.steps[number].record, written);
                    say(&Line::Done(number));
                }
                Err(error) => say(&Line::Refused(number, error.to_string())),
            }
        }
    }
    say(&Line::Closing);
    drop(store);
    say(&Line::Closed);
}

/// The ids that the store gave.
#[derive(Default)]
struct Ids {
    contacts: BTreeMap<Record, ContactId>,
    organizations: BTreeMap<Record, OrganizationId>,
}

impl Ids {
    fn learn(&mut self, record: &Record, written: Written) {
        match written {
            Written::Contact(id, _) => {
                self.contacts.insert(record.clone(), id);
            }
            Written::Organization(id, _) => {
                self.organizations.insert(record.clone(), id);
            }
            _ => {}
        }
    }

    /// The write of a step; none where it needs an id that was never given.
    fn write(&self, step: &Step) -> Option<Write> {
        let change = |change| {
            let Record::Call(id) = &step.record else {
                panic!("{step:?}");
            };
            Write::ChangeCall(CallId::parse(id).unwrap(), change)
        };
        Some(match &step.edit {
            Edit::Keep(row) | Edit::Insert(row) => Write::InsertCall(row.clone()),
            Edit::Change(edit) => change(edit.clone()),
            Edit::Choose(contact, _) => {
                let chosen = Subject::Contact(*self.contacts.get(contact)?);
                change(CallChange::Subject(Some(chosen)))
            }
            Edit::SaveContact(row) => {
                let mut row = row.clone();
                if let Some(id) = self.contacts.get(&step.record) {
                    row.id = *id;
                }
                Write::SaveContact(row)
            }
            Edit::DeleteContact => Write::DeleteContact(*self.contacts.get(&step.record)?),
            Edit::NameOrganization(name) => Write::SaveOrganization(OrganizationRow {
                id: *self
                    .organizations
                    .get(&step.record)
                    .unwrap_or(&OrganizationId(0)),
                name: name.clone(),
                contacts: 0,
                numbers: Vec::new(),
            }),
        })
    }
}

/// A folder of this name in a folder of its own.
pub(crate) fn data_folder(desk: &tempfile::TempDir) -> PathBuf {
    desk.path().join("data")
}

/// In memory where the system has such a place: the disk is no part of it.
pub(crate) fn desk_in_memory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

#[test]
fn a_script_is_kept_to_its_last_step() {
    if let Ok(task) = std::env::var(TASK) {
        return drive(&serde_json::from_str(&task).unwrap());
    }
    let desk = desk_in_memory();
    let task = Task {
        folder: data_folder(&desk),
        run: 0,
        seed: crate::seed(),
        episodes: Some(25),
        pauses: Vec::new(),
    };
    let script = task.script();
    let said = Driver::start(&task, &[]).finish();
    let done = said.iter().filter(|line| matches!(line, Line::Done(_)));
    assert_eq!(done.count(), script.steps.len());
    let mut expected = Expected::default();
    expected.take(&script, &said);
    assert!(expected.is_certain());
    look::check(&task.folder, &expected).unwrap();
    // And the look itself sees what is missing: a change that nobody wrote.
    let last = Line::Done(script.steps.len());
    let mut longer = script;
    longer.steps.push(longer.steps[0].clone());
    longer.steps.last_mut().unwrap().record = Record::Call("nobody's".to_owned());
    let mut lost = expected.clone();
    lost.take(&longer, &[Line::Begin(longer.steps.len() - 1), last]);
    let missing = look::check(&task.folder, &lost).unwrap_err();
    assert!(missing.contains("nobody's"), "{missing}");
}
