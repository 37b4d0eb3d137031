//! A disk that fails once: each write and each sync of a script in turn, with an input/output error and
//! with no space left.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use crate::driver::{Driver, Line, Task, data_folder, desk_in_memory};
use crate::expected::Expected;
use crate::look::{self, FILES};
use crate::script::Script;

/// What writes or syncs.
const CALLS: [&str; 4] = ["pwrite64", "fdatasync", "fsync", "ftruncate"];

const ERRORS: [&str; 2] = ["EIO", "ENOSPC"];

/// So many of each kind fail when nobody asks for all.
const SAMPLE: usize = 3;

/// Scripts that run at once.
const WORKERS: usize = 2;

/// One call that fails: strace counts them for each thread.
#[derive(Debug, Clone, Copy)]
struct Fault {
    call: &'static str,
    error: &'static str,
    number: usize,
    /// Whether the store has to be made first.
    fresh: bool,
}

/// What became of a script with a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// The store did not open, and said why.
    NotOpened,
    /// Something was refused, and the store went on.
    Refused,
    /// Nothing was refused: it was no write that somebody waited for.
    Unnoticed,
    /// More writes shared a commit than when they were counted.
    NotMet,
}

#[test]
fn a_write_or_sync_that_fails_once_is_said_and_nothing_else_is_lost() {
    let all = std::env::var("RINGDESK_STORE_FAULTS").is_ok_and(|word| word == "all");
    let mut faults = Vec::new();
    let before = [true, false].map(|fresh| (fresh, Before::new(fresh)));
    for (fresh, before) in &before {
        for call in CALLS {
            let count = before.count(call);
            let step = if all {
                1
            } else {
                count.div_ceil(SAMPLE).max(1)
            };
            for number in (1..=count).step_by(step) {
                faults.extend(ERRORS.map(|error| Fault {
                    call,
                    error,
                    number,
                    fresh: *fresh,
                }));
            }
        }
    }
    println!("{} faults", faults.len());
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(BTreeMap::<_, u64>::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (_, before) = before
                        .iter()
                        .find(|(fresh, _)| *fresh == fault.fresh)
                        .unwrap();
                    let outcome = before.suffer(*fault);
                    let key = (fault.call, fault.error, outcome);
                    *outcomes.lock().unwrap().entry(key).or_default() += 1;
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().unwrap();
    for ((call, error, outcome), count) in &outcomes {
        println!("{call:>10} {error:>6} {outcome:?}: {count}");
    }
    let kinds = |wanted| outcomes.iter().filter(move |((_, _, it), _)| *it == wanted);
    let not_met: u64 = kinds(Outcome::NotMet).map(|(_, count)| count).sum();
    assert!(
        not_met * 10 < u64::try_from(faults.len()).unwrap(),
        "{not_met} faults were not met"
    );
    for wanted in [Outcome::NotOpened, Outcome::Refused] {
        assert!(kinds(wanted).count() > 0, "{wanted:?} is not among them");
    }
}

fn task(folder: &Path, run: u64) -> Task {
    Task {
        folder: folder.to_owned(),
        run,
        seed: 0,
        episodes: None,
        pauses: Vec::new(),
    }
}

/// What a script with a fault begins with: nothing, or a store that has been used.
struct Before {
    desk: TempDir,
    expected: Expected,
}

impl Before {
    fn new(fresh: bool) -> Self {
        let desk = desk_in_memory();
        let mut expected = Expected::default();
        if !fresh {
            let task = task(&data_folder(&desk), 1);
            let said = Driver::start(&task, &[]).finish();
            expected.take(&task.script(), &said);
        }
        Self { desk, expected }
    }

    /// Runs the script in a copy, behind strace. Gives its folder, what it said, and the trace.
    fn run(&self, call: &str, more: &[&str]) -> (TempDir, Vec<Line>, String) {
        let desk = desk_in_memory();
        let (from, folder) = (data_folder(&self.desk), data_folder(&desk));
        for name in FILES.iter().filter(|name| from.join(name).exists()) {
            fs::create_dir_all(&folder).unwrap();
            fs::copy(from.join(name), folder.join(name)).unwrap();
        }
        let into = desk.path().join("trace");
        let trace = format!("trace={call}");
        let words = ["strace", "-f", "--seccomp-bpf", "-s", "0", "-e", &trace];
        let mut command: Vec<OsString> = words.iter().chain(more).map(OsString::from).collect();
        command.extend(["-o".into(), into.as_os_str().to_owned()]);
        let said = Driver::start(&task(&folder, 2), &command).finish();
        let trace = fs::read_to_string(into).unwrap();
        (desk, said, trace)
    }

    /// How often the thread that does it most does a call.
    fn count(&self, call: &str) -> usize {
        let (_, _, trace) = self.run(call, &[]);
        let mut threads: BTreeMap<&str, usize> = BTreeMap::new();
        for line in trace
            .lines()
            .filter(|line| line.contains(&format!(" {call}(")))
        {
            *threads.entry(line.split(' ').next().unwrap()).or_default() += 1;
        }
        threads.into_values().max().unwrap_or_default()
    }

    /// Runs the script with one fault, and looks at what is left.
    fn suffer(&self, fault: Fault) -> Outcome {
        let Fault {
            call,
            error,
            number,
            ..
        } = fault;
        let inject = format!("inject={call}:error={error}:when={number}");
        let (desk, said, trace) = self.run(call, &["-e", &inject]);
        let folder = data_folder(&desk);
        let script = task(&folder, 2).script();
        let mut expected = self.expected.clone();
        expected.take(&script, &said);
        look::check(&folder, &expected).unwrap_or_else(|why| panic!("{fault:?}: {why}\n{said:?}"));
        if trace.contains("(INJECTED)") {
            outcome(fault, &script, &said)
        } else {
            Outcome::NotMet
        }
    }
}

fn outcome(fault: Fault, script: &Script, said: &[Line]) -> Outcome {
    let sentence = |why: &str| {
        let words = [
            "disk I/O error",
            "Input/output error",
            "disk is full",
            "call log is full",
            "No space left",
            // What follows from a refused step.
            "not in the call log",
            "was refused",
        ];
        assert!(
            words.iter().any(|word| why.contains(word)),
            "{fault:?}: {why}"
        );
    };
    let mut outcome = Outcome::Unnoticed;
    for line in said {
        match line {
            Line::NotOpened(why) => {
                sentence(why);
                return Outcome::NotOpened;
            }
            Line::Refused(_, why) => {
                sentence(why);
                outcome = Outcome::Refused;
            }
            _ => {}
        }
    }
    // The last two calls need nothing before them: at most one of them can have met the fault.
    let last = script.steps.len() - 2..script.steps.len();
    let done = last.filter(|step| said.contains(&Line::Done(*step)));
    assert!(
        done.count() > 0,
        "{fault:?}: the store does not go on: {said:?}"
    );
    assert_eq!(said.last(), Some(&Line::Closed), "{fault:?}");
    outcome
}
