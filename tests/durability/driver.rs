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

use ringdesk::base::id::{CallId, ContactId, NoteId, OrganizationId, TaskId, TicketId};
use ringdesk::crm::erase::EraseOrder;
use ringdesk::crm::import::{self, ImportBatch};
use ringdesk::crm::row::{ErasedCalls, Existing, ImportOptions, NoteRow, OrganizationRow, Subject};
use ringdesk::crm::store::{CallChange, Write, Written};
use ringdesk::crm::{Store, StoreError};
use serde::{Deserialize, Serialize};

use crate::expected::Expected;
use crate::look;
use crate::record::Record;
use crate::script::{Edit, Script, Step};

/// Holds a driver's task.
const TASK: &str = "RINGDESK_STORE_TASK";

/// The test that becomes the driver.
const DRIVER: &str = "driver::a_script_is_kept_to_its_last_step";

/// What is said of a step for which an earlier one is missing.
const DEPENDS: &str = "what it depends on was refused";

/// Longer than that nothing may take; an erasure, which looks through the whole database, may not rest so long.
pub(crate) const HANGS: Duration = Duration::from_secs(5);

/// So many times that long an erasure may take in all: nothing waits for it.
const ERASES: u32 = 12;

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
    /// The steps that erase.
    erasures: Vec<usize>,
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
            erasures: (0..)
                .zip(task.script().steps)
                .filter(|(_, step)| matches!(step.edit, Edit::Erase(_)))
                .map(|(number, _)| number)
                .collect(),
            errors,
        }
    }

    /// The next line; none after the last one.
    pub(crate) fn next(&mut self) -> Option<Line> {
        let erases =
            matches!(self.said.last(), Some(Line::Begin(step)) if self.erasures.contains(step));
        let mut moved = self.moved();
        for _ in 0..if erases { ERASES } else { 1 } {
            match self.lines.recv_timeout(HANGS) {
                Ok(line) => {
                    self.said.push(line.clone());
                    return Some(line);
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    let before = std::mem::replace(&mut moved, self.moved());
                    if moved == before {
                        break;
                    }
                }
            }
        }
        self.child.kill().ok();
        panic!("the store hangs after {:?}", self.said.last());
    }

    /// How many octets it read and wrote; of one behind strace, what strace wrote of it is counted.
    fn moved(&self) -> Option<u64> {
        let counts = std::fs::read_to_string(format!("/proc/{}/io", self.child.id())).ok()?;
        let octets = |name: &str| -> Option<u64> {
            let mut lines = counts.lines();
            lines.find_map(|line| line.strip_prefix(name)?.parse().ok())
        };
        Some(octets("rchar: ")? + octets("wchar: ")?)
    }

    /// Reads on to a line of that kind, which must come.
    pub(crate) fn read_to(&mut self, wanted: impl Fn(&Line) -> bool) {
        while let Some(line) = self.next() {
            if wanted(&line) {
                return;
            }
        }
        let errors = std::fs::read_to_string(&self.errors).unwrap();
        panic!("the driver ended: {errors}\nafter {:?}", self.said);
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
            // A file is read before: what is begun is its write.
            let write = ids.write(&store, step);
            say(&Line::Begin(number));
            if let Edit::Erase(proof) = step.edit {
                say(&match ids.erase(&store, &step.record, proof) {
                    Some(Ok(())) => Line::Done(number),
                    Some(Err(error)) => Line::Refused(number, error.to_string()),
                    None => Line::Refused(number, DEPENDS.to_owned()),
                });
                continue;
            }
            let Some(write) = write else {
                say(&Line::Refused(number, DEPENDS.to_owned()));
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
                    ids.learn(&script.steps[number], written);
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
    tickets: BTreeMap<Record, TicketId>,
    tasks: BTreeMap<Record, TaskId>,
    notes: BTreeMap<Record, NoteId>,
    /// The last import or merge, as long as it was not taken back.
    exchange: Option<Record>,
}

impl Ids {
    fn learn(&mut self, step: &Step, written: Written) {
        let record = step.record.clone();
        match written {
            Written::Contact(id, _) => {
                self.contacts.insert(record, id);
            }
            Written::Organization(id, _) => {
                self.organizations.insert(record, id);
            }
            Written::Ticket(id) => {
                self.tickets.insert(record, id);
            }
            Written::Task(id) => {
                self.tasks.insert(record, id);
            }
            Written::Note(id) => {
                self.notes.insert(record, id);
            }
            Written::Imported(_) | Written::Merged(_) => self.exchange = Some(record),
            Written::Undone(_) => self.exchange = None,
            _ => {}
        }
    }

    /// Erases a person; none where it was never there.
    fn erase(&self, store: &Store, record: &Record, id: i64) -> Option<Result<(), StoreError>> {
        let order = EraseOrder {
            who: self.contacts.get(record)?.0.to_string(),
            calls: ErasedCalls::Anonymise,
            at: jiff::Timestamp::UNIX_EPOCH,
            by: "agent".to_owned(),
            id,
            salt: "salt".to_owned(),
            alone: false,
        };
        Some(store.erase(&order).map(|_| ()))
    }

    /// The write of a step; none where it needs an id that was never given.
    fn write(&self, store: &Store, step: &Step) -> Option<Write> {
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
            Edit::SaveTicket(row) => {
                let mut row = row.clone();
                row.id = self.tickets.get(&step.record).copied().unwrap_or(row.id);
                Write::SaveTicket(row)
            }
            Edit::AddArticle(row) => {
                Write::AddArticle(*self.tickets.get(&step.record)?, row.clone())
            }
            Edit::DeleteTicket => Write::DeleteTicket(*self.tickets.get(&step.record)?),
            Edit::SaveTask(row) => Write::SaveTask(row.clone()),
            Edit::TaskDone(done) => Write::TaskDone(*self.tasks.get(&step.record)?, *done),
            Edit::DeleteTask => Write::DeleteTask(*self.tasks.get(&step.record)?),
            Edit::SaveNote(about, text) => Write::SaveNote(NoteRow {
                id: self.notes.get(&step.record).copied().unwrap_or(NoteId(0)),
                about: Subject::Contact(*self.contacts.get(about)?),
                at: jiff::Timestamp::UNIX_EPOCH,
                author: String::new(),
                text: text.clone(),
            }),
            Edit::DeleteNote => Write::DeleteNote(*self.notes.get(&step.record)?),
            Edit::Draft(Record::Call(id)) => Write::DraftTicket(CallId::parse(id).unwrap()),
            Edit::Draft(other) => panic!("{other:?}"),
            Edit::WrapUp(said) => {
                let Record::Call(id) = &step.record else {
                    panic!("{step:?}");
                };
                // Else its draft would not be there.
                self.tickets.get(&Record::Draft(id.clone()))?;
                Write::WrapUp(CallId::parse(id).unwrap(), said.clone())
            }
            Edit::Import(file) => {
                let reading = import::read(file.as_bytes(), &ImportOptions::default()).unwrap();
                Write::Import(Box::new(ImportBatch {
                    label: "import of people.csv".to_owned(),
                    existing: Existing::Skip,
                    reading,
                }))
            }
            Edit::Merge(other) => Write::MergeContacts(vec![
                *self.contacts.get(&step.record)?,
                *self.contacts.get(other)?,
            ]),
            Edit::UndoExchange => {
                self.exchange.as_ref().filter(|it| **it == step.record)?;
                Write::UndoLastExchange
            }
            Edit::UndoDeletion(name) => {
                let steps = store.read(|reader| reader.undo_steps());
                let steps = steps.blocking_recv().ok()?.ok()?;
                let label = format!("deleted {name}");
                Write::Undo(steps.iter().find(|step| step.label == label)?.id)
            }
            Edit::Erase(_) => return None,
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
