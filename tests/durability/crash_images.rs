//! What a power loss leaves: the writes and syncs of a driver are recorded, and replayed onto a disk that
//! loses, reorders and tears what was not synced.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::disk::{Disk, Image, LOSSES, Waiting};
use crate::driver::{Driver, Line, Task, data_folder, desk_in_memory};
use crate::expected::Expected;
use crate::look::{self, FILES};
use crate::old_file;
use crate::random::{Random, number_from};
use crate::script::Script;
use crate::trace::{self, Event};

/// How many are looked at when nobody says.
const SAMPLE: u64 = 100;

/// So many come from one recorded run at most.
const OF_A_RUN: u64 = 500;

/// So many episodes has a recorded run.
const EPISODES: usize = 12;

/// So many runs are recorded and replayed at once.
const WORKERS: usize = 2;

/// The runs that prepare another one's folder have numbers from here.
const RUNS_BEFORE: u64 = 1_000_000;

/// Where in its life the store was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Start,
    Commit,
    Checkpoint,
    Rest,
    Close,
}

#[derive(Default)]
struct Tally {
    images: BTreeMap<(usize, Place), u64>,
    acknowledgements: usize,
    edits: usize,
    events: usize,
}

#[test]
fn a_power_loss_at_any_moment_takes_nothing_that_was_acknowledged() {
    let count = number_from("RINGDESK_STORE_IMAGES").unwrap_or(SAMPLE);
    let seed = crate::seed();
    println!("{count} images, RINGDESK_SEED={seed}");
    let runs = count.div_ceil(OF_A_RUN).max(3);
    let next = AtomicU64::new(0);
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let run = next.fetch_add(1, Ordering::Relaxed);
                    if run >= runs {
                        break;
                    }
                    let images = count / runs + u64::from(run < count % runs);
                    let seen = Recorded::new(run, seed).replay(images).unwrap();
                    tally.lock().unwrap().add(&seen);
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap();
    print(&tally, runs);
    assert_eq!(tally.images.values().sum::<u64>(), count);
}

/// The test can fail: it sees what a store without syncs would lose.
#[test]
fn a_store_that_does_not_wait_for_the_disk_would_be_found_out() {
    let mut recorded = Recorded::new(0, crate::seed());
    let is_log = |path: &Path| path.extension().is_some_and(|end| end == "db-wal");
    recorded
        .events
        .retain(|event| !matches!(event, Event::Sync(path) if is_log(path)));
    let lost = recorded.replay(40).map(|_| ()).unwrap_err();
    // What was acknowledged is gone, or gone without what an edit in doubt takes along with it.
    let losses = [" is None, not one of", "a write was half done"];
    assert!(losses.iter().any(|loss| lost.contains(loss)), "{lost}");
}

fn print(tally: &Tally, runs: u64) {
    println!(
        "{runs} runs, {} calls and edits, {} writes, syncs and lines, {} acknowledgements looked for",
        tally.edits, tally.events, tally.acknowledgements
    );
    for (index, (_, name)) in LOSSES.iter().enumerate() {
        let places = tally.images.iter().filter(|((loss, _), _)| *loss == index);
        let counts: Vec<String> = places
            .map(|((_, place), count)| format!("{place:?} {count}"))
            .collect();
        println!("{name:>15}: {}", counts.join(", "));
    }
}

/// A run with what it did to the disk.
struct Recorded {
    run: u64,
    seed: u64,
    script: Script,
    /// What was there before it.
    before: Expected,
    disk: Disk,
    events: Vec<Event>,
}

impl Recorded {
    fn new(run: u64, seed: u64) -> Self {
        let desk = desk_in_memory();
        let folder = data_folder(&desk);
        let task = |run| Task {
            folder: folder.clone(),
            run,
            seed,
            episodes: Some(EPISODES),
            pauses: Vec::new(),
        };
        // A third begins with nothing, a third with an older file, and a third with what a kill left.
        let before = match run % 3 {
            0 => Expected::default(),
            1 => {
                old_file::write(&folder);
                Expected::of(&look::look(&folder).unwrap().rows)
            }
            _ => killed(&task(run + RUNS_BEFORE)),
        };
        let disk = Disk::of(&folder, &FILES);
        let task = task(run);
        let file = desk.path().join("trace");
        let said = Driver::start(&task, &trace::command(&file)).finish();
        let script = task.script();
        let done = said.iter().filter(|line| matches!(line, Line::Done(_)));
        assert_eq!(done.count(), script.steps.len(), "{said:?}");
        Self {
            run,
            seed,
            script,
            before,
            disk,
            events: trace::read(&file, desk.path()),
        }
    }

    /// Lets the power go so many times; the error says what was lost.
    fn replay(mut self, images: u64) -> Result<Tally, String> {
        let mut tally = Tally {
            edits: self.script.steps.len(),
            events: self.events.len(),
            ..Tally::default()
        };
        let mut random = Random(self.seed ^ (self.run << 32));
        let desk = desk_in_memory();
        let folder = data_folder(&desk);
        let mut heard: Vec<Line> = Vec::new();
        let mut cuts = cuts(&self.events, images, &mut random)
            .into_iter()
            .peekable();
        let mut losses = (0..LOSSES.len()).cycle();
        for (number, event) in self.events.iter().enumerate() {
            while cuts.next_if_eq(&number).is_some() {
                let index = losses.next().unwrap();
                let (loss, _) = LOSSES[index];
                let place = place(&self.disk, &heard);
                let mut expected = self.before.clone();
                expected.take(&self.script, &heard);
                write(&folder, &self.disk.image(loss, &mut random));
                look::check(&folder, &expected).map_err(|why| {
                    format!(
                        "run {}, before event {number}, {place:?}, {loss:?}, after {:?}: {why}",
                        self.run,
                        heard.last()
                    )
                })?;
                *tally.images.entry((index, place)).or_default() += 1;
                let acknowledged = |line: &&Line| matches!(line, Line::Done(_) | Line::Kept(_));
                tally.acknowledgements += heard.iter().filter(acknowledged).count();
            }
            self.disk.apply(event);
            if let Event::Say(line) = event {
                heard.push(line.clone());
            }
        }
        Ok(tally)
    }
}

/// Lets a driver work in the folder of another one, and kills it in the midst of it.
fn killed(task: &Task) -> Expected {
    let mut driver = Driver::start(task, &[]);
    while !matches!(driver.next(), Some(Line::Done(step)) if step > 30) {}
    let said = driver.kill();
    let mut expected = Expected::default();
    expected.take(&task.script(), &said);
    let found = look::look(&task.folder).unwrap();
    expected.compare(&found.rows).unwrap();
    Expected::of_what_starts(&found.rows)
}

impl Tally {
    fn add(&mut self, other: &Self) {
        for (key, count) in &other.images {
            *self.images.entry(*key).or_default() += count;
        }
        self.acknowledgements += other.acknowledgements;
        self.edits += other.edits;
        self.events += other.events;
    }
}

/// The events before which the power goes, in order: a third of them right behind an acknowledgement,
/// a third right before a sync, when the most is not yet on the disk, and a third anywhere.
fn cuts(events: &[Event], images: u64, random: &mut Random) -> Vec<usize> {
    let behind_lines: Vec<usize> = (1..events.len())
        .filter(|number| {
            matches!(
                events[number - 1],
                Event::Say(Line::Done(_) | Line::Kept(_) | Line::Opened)
            )
        })
        .collect();
    let before_syncs: Vec<usize> = (0..events.len())
        .filter(|number| matches!(events[*number], Event::Sync(_)))
        .collect();
    let mut cuts: Vec<usize> = (0..images)
        .map(|image| match image % 3 {
            0 => behind_lines[random.below(behind_lines.len())],
            1 => before_syncs[random.below(before_syncs.len())],
            _ => random.below(events.len()),
        })
        .collect();
    cuts.sort_unstable();
    cuts
}

fn place(disk: &Disk, heard: &[Line]) -> Place {
    match (disk.waiting(), heard.last()) {
        (_, None | Some(Line::Start)) => Place::Start,
        (_, Some(Line::Closing | Line::Closed)) => Place::Close,
        (Waiting::Database, _) => Place::Checkpoint,
        (Waiting::Log, _) => Place::Commit,
        (Waiting::Nothing, _) => Place::Rest,
    }
}

fn write(folder: &Path, image: &Image) {
    if folder.exists() {
        fs::remove_dir_all(folder).unwrap();
    }
    if let Some(files) = image {
        fs::create_dir(folder).unwrap();
        for (name, bytes) in files {
            fs::write(folder.join(name), bytes).unwrap();
        }
    }
}
