//! A driver is killed, as by `kill -9`, in each phase of its calls and edits.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::driver::{Driver, Line, Task, data_folder};
use crate::expected::Expected;
use crate::look::{self, Found};
use crate::old_file;
use crate::random::{Random, number_from};
use crate::script::{Edit, Phase, Script};

/// How many are killed in each phase when nobody says.
const SAMPLE: u64 = 2;

/// Drivers that live at once.
const WORKERS: usize = 2;

/// So many kills one data folder lives through.
const OF_A_FOLDER: u64 = 20;

/// So many episodes has a driver's script; none comes to its end.
const EPISODES: usize = 80;

/// So long after a burst has begun its pages are being moved into the database, at the latest.
const MOVED_WITHIN: Duration = Duration::from_millis(200);

/// So many calls and edits are cut off at least, where all phases are wanted often.
const EDITS: u64 = 1_000;

const PHASES: [(Phase, &str); 15] = [
    (Phase::Start, "start, migration"),
    (Phase::BeforeInsert, "before it is kept"),
    (Phase::Kept, "kept, not in the log"),
    (Phase::Inserted, "in the log"),
    (Phase::Answered, "answered"),
    (Phase::Held, "held, resumed"),
    (Phase::Ended, "ended"),
    (Phase::Notes, "notes"),
    (Phase::Contact, "contact saved"),
    (Phase::Ticket, "ticket, task, note"),
    (Phase::WrapUp, "wrap-up"),
    (Phase::Exchange, "import, merge, undo"),
    (Phase::Aside, "kept aside, importing"),
    (Phase::Erase, "erasure"),
    (Phase::Checkpoint, "checkpoint"),
];

#[derive(Default)]
struct Tally {
    kills: BTreeMap<Phase, u64>,
    edits: u64,
}

impl Tally {
    /// The phase that lacks kills most; none once each has enough.
    fn wanted(&self, each: u64) -> Option<Phase> {
        let kills = |phase| self.kills.get(&phase).copied().unwrap_or_default();
        let (phase, _) = PHASES.iter().min_by_key(|(phase, _)| kills(*phase))?;
        let edits_are_enough = self.edits >= EDITS.min(each * 50);
        (kills(*phase) < each || !edits_are_enough).then_some(*phase)
    }
}

#[test]
fn a_kill_in_any_phase_takes_nothing_that_was_acknowledged() {
    let each = number_from("RINGDESK_STORE_KILLS").unwrap_or(SAMPLE);
    let seed = crate::seed();
    println!("{each} kills in each phase, RINGDESK_SEED={seed}");
    let tally = Mutex::new(Tally::default());
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| work(each, seed, &next, &tally));
        }
    });
    let tally = tally.into_inner().unwrap();
    println!(
        "{} kills, {} calls and edits acknowledged before them",
        tally.kills.values().sum::<u64>(),
        tally.edits
    );
    for (phase, name) in PHASES {
        let kills = tally.kills.get(&phase).copied().unwrap_or_default();
        println!("{name:>21}: {kills:>3} kills");
        assert!(kills >= each);
    }
}

/// Kills until there were enough, in folders that live through several kills.
fn work(each: u64, seed: u64, next: &AtomicU64, tally: &Mutex<Tally>) {
    loop {
        let desk = tempfile::tempdir().unwrap();
        let folder = data_folder(&desk);
        let mut expected = Expected::default();
        for number in 0..OF_A_FOLDER {
            let Some(wanted) = tally.lock().unwrap().wanted(each) else {
                return;
            };
            let run = next.fetch_add(1, Ordering::Relaxed);
            // A hit cannot be ordered, least of all a checkpoint's; but it must come.
            assert!(run < 200 + each * 200, "{wanted:?} is never hit");
            if number == 0 && run.is_multiple_of(2) {
                old_file::write(&folder);
                expected = Expected::of(&look::look(&folder).unwrap().rows);
            }
            let task = Task {
                folder: folder.clone(),
                run,
                seed,
                episodes: Some(EPISODES),
                pauses: Vec::new(),
            };
            let (said, moving) = kill(task.clone(), wanted);
            let script = task.script();
            expected.take(&script, &said);
            let (before, after) = look::check(&folder, &expected)
                .unwrap_or_else(|why| panic!("run {run}, after {:?}: {why}", said.last()));
            let hit = phase(&script, &said, moving, &before);
            expected = Expected::of(&after.rows);
            let mut tally = tally.lock().unwrap();
            *tally.kills.entry(hit).or_default() += 1;
            let done = said.iter().filter(|line| matches!(line, Line::Done(_)));
            tally.edits += u64::try_from(done.count()).unwrap();
        }
    }
}

/// Kills a driver, aiming at a phase. Gives what it said, and whether its log was being moved into the
/// database.
fn kill(mut task: Task, wanted: Phase) -> (Vec<Line>, bool) {
    let script = task.script();
    let mut random = Random(task.seed ^ (task.run << 20));
    let aim = aim(wanted, &script, &mut random);
    // And before the one behind it.
    task.pauses = aim.into_iter().flat_map(|step| [step, step + 1]).collect();
    if wanted == Phase::Aside {
        // The call comes while its import goes on.
        task.pauses.truncate(1);
    }
    let shared = task.folder.join("ringdesk.db-shm");
    let mut driver = Driver::start(&task, &[]);
    // The driver waits where it is aimed at: a busy machine would let it run ahead.
    let reached = match aim {
        None => Line::Start,
        Some(0) => Line::Opened,
        Some(step) if wanted == Phase::Checkpoint => Line::Begin(step - 1),
        Some(step) => Line::Done(step - 1),
    };
    let is_reached = |line: &Line| match (line, &reached) {
        // On a busy machine a search for a person may take longer than it may.
        (Line::Refused(step, _), Line::Done(wanted)) => step == wanted,
        (line, reached) => line == reached,
    };
    driver.read_to(is_reached);
    // So long the phase lasts, about, in microseconds.
    let lasts = match wanted {
        Phase::Start => 30_000,
        Phase::Inserted | Phase::Checkpoint => 500,
        Phase::Exchange | Phase::Aside | Phase::Erase => 20_000,
        _ => 1_500,
    };
    match wanted {
        Phase::Start | Phase::Inserted => {}
        // This script has no such step: any moment will do.
        _ if aim.is_none() => {}
        // The writer moves its log once it has answered a burst.
        Phase::Checkpoint => {
            let begun = Instant::now();
            while !is_being_moved(&shared) && begun.elapsed() < MOVED_WITHIN {}
        }
        _ => {
            driver.release();
            // The call comes right behind the file.
            let begins = aim.map(|step| step + usize::from(wanted == Phase::Aside));
            driver.read_to(|line| matches!(line, Line::Begin(step) if Some(*step) == begins));
        }
    }
    let until = Instant::now() + Duration::from_micros(random.next() % lasts);
    // Asleep it would wake too late.
    while Instant::now() < until {
        std::hint::spin_loop();
    }
    let said = driver.kill();
    let moving = is_being_moved(&shared);
    (said, moving)
}

/// The step before which the driver waits for its kill: one of the first dozen that lead to the phase.
fn aim(wanted: Phase, script: &Script, random: &mut Random) -> Option<usize> {
    let leads = |step: &usize| {
        let before = step.checked_sub(1).map(|before| &script.steps[before]);
        match wanted {
            Phase::Start => false,
            Phase::Inserted => {
                let ends_a_group = script.groups.iter().any(|group| group.start == *step);
                ends_a_group && before.is_some_and(|it| matches!(it.edit, Edit::Keep(_)))
            }
            Phase::Checkpoint => {
                let burst = |group: &Range<usize>| group.end == *step && group.len() > 64;
                script.groups.iter().any(burst)
            }
            Phase::Kept => {
                let begins = script.groups.iter().any(|group| group.start == *step);
                begins && matches!(script.steps[*step].edit, Edit::Keep(_))
            }
            Phase::Aside => matches!(script.steps[*step].edit, Edit::Import(_)),
            phase => {
                let alone = script.groups.iter().any(|group| group.start == *step);
                alone && script.steps[*step].phase() == phase
            }
        }
    };
    let found: Vec<usize> = (0..script.steps.len()).filter(leads).take(12).collect();
    (!found.is_empty()).then(|| found[random.below(found.len())])
}

/// In which phase a kill came: by what the driver said last, and by what it left.
fn phase(script: &Script, said: &[Line], moving: bool, left: &Found) -> Phase {
    if !said.contains(&Line::Opened) {
        return Phase::Start;
    }
    if moving {
        return Phase::Checkpoint;
    }
    let begun = said.iter().rev().find_map(|line| match line {
        Line::Begin(step) => Some(*step),
        _ => None,
    });
    let Some(step) = begun.map(|step| &script.steps[step]) else {
        return Phase::Other;
    };
    match step.phase() {
        Phase::BeforeInsert if left.aside.contains(&step.record) => Phase::Aside,
        Phase::BeforeInsert if left.arrivals.contains(&step.record) => Phase::Kept,
        Phase::BeforeInsert if left.rows.contains_key(&step.record) => Phase::Inserted,
        phase => phase,
    }
}

/// Whether the log was being moved into the database: the memory that the connections share
/// says how many pages of the log were moved (`nBackfill`, at byte 96) and up to where somebody had
/// begun to (`nBackfillAttempted`, at byte 128); <https://www.sqlite.org/walformat.html#the_wal_index_file_format>.
fn is_being_moved(shared: &Path) -> bool {
    let mut begin = [0; 132];
    let read = File::open(shared).and_then(|file| file.read_exact_at(&mut begin, 0));
    let number = |at: usize| u32::from_ne_bytes(begin[at..at + 4].try_into().unwrap());
    read.is_ok() && number(128) > number(96)
}
