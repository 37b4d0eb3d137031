//! A phone that is killed at random moments of its calls, as by `kill -9`: what is left of them.
//!
//! `RINGDESK_KILLS` says how many; `make soak` kills 200. The moments are repeatable:
//! `RINGDESK_SEED` is printed and taken.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::audio::{Sound, read_recording};
use crate::phone::Phone;
use crate::place;
use crate::random::{Random, number_from};

/// How many are killed when nobody says: twice in each phase.
const SAMPLE: u64 = 14;
/// From so many kills on each phase must have had enough to say something.
const MANY: u64 = 140;
/// So many are enough.
const ENOUGH: u64 = 20;
/// Phones that live at once: most of a call is waiting.
const WORKERS: u64 = 4;
/// What a recording may lack, in seconds.
const MAY_LACK: f64 = 1.0;
/// What the agent says and what the far end says, in hertz.
const AGENT: f64 = 440.0;
const FAR_END: f64 = 1_000.0;

/// Where in its call a phone is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Ringing,
    Answered,
    Talking,
    Held,
    Paused,
    /// As a second recording of the same call begins.
    Again,
    Ending,
}

const PHASES: [(Phase, &str); 7] = [
    (Phase::Ringing, "ringing"),
    (Phase::Answered, "just answered"),
    (Phase::Talking, "talking"),
    (Phase::Held, "on hold"),
    (Phase::Paused, "recording paused"),
    (Phase::Again, "recording again"),
    (Phase::Ending, "ending"),
];

/// What was seen of the calls of one phase.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    kills: u64,
    files: u64,
    /// The most that a recording lacked, in seconds.
    lacked: f64,
}

/// One call that was cut off.
struct Victim {
    phase: Phase,
    call: String,
    /// Since when it was told to be recorded, until the kill.
    recorded: Option<Duration>,
    /// Whether its answer was told as written.
    answered: bool,
    /// Whether its end was told as written.
    ended: bool,
}

/// What the phones of one worker share.
struct Desk {
    data: TempDir,
    records: PathBuf,
    agent: PathBuf,
    far_end: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let data = TempDir::new().unwrap();
        let voice = |name: &str, hertz| {
            let path = data.path().join(name);
            Sound::tone(hertz, 2, 48_000).write(&path);
            path
        };
        let (agent, far_end) = (voice("agent.wav", AGENT), voice("far-end.wav", FAR_END));
        Self {
            records: data.path().join("records"),
            data,
            agent,
            far_end,
        }
    }

    fn options<'a>(voice: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
        let voice = voice.to_str().unwrap();
        let options = ["--no-register", "--codecs", "pcma", "--loop", "--play"];
        [&options[..], &[voice], more].concat()
    }

    /// The phone that will be killed, in the data folder of the one before.
    fn start(&self) -> Phone {
        let records = self.records.to_str().unwrap();
        let options = Self::options(&self.agent, &["--record-dir", records]);
        Phone::start_behind(&[], self.data.path(), &options)
    }

    /// Lets a call come to a phone, and kills it in a phase of that call.
    fn kill(&self, mut phone: Phone, phase: Phase, random: &mut Random) -> Victim {
        let target = phone.uri();
        let options = Self::options(&self.far_end, &["--call", &target]);
        let _caller = Phone::start(&options);
        let rings = phone.wait("incoming");
        let call = rings["call_id"].as_str().unwrap().to_owned();
        let recorded = (phase != Phase::Ringing).then(|| {
            phone.command("answer");
            phone.wait("answered");
        });
        let since = recorded.filter(|()| phase != Phase::Answered).map(|()| {
            let told = phone.wait("recording");
            assert_eq!(told["state"], "started", "{told}");
            Instant::now()
        });
        let millis = match phase {
            Phase::Ringing | Phase::Answered => 150,
            Phase::Talking => 2_500,
            Phase::Held | Phase::Paused => {
                phone.listen(Duration::from_millis(500));
                let (command, event) = match phase {
                    Phase::Held => ("hold", "held"),
                    _ => ("pause_recording", "recording"),
                };
                phone.command(command);
                phone.wait(event);
                1_200
            }
            Phase::Again => {
                phone.listen(Duration::from_millis(300));
                for (on, state) in [(false, "stopped"), (true, "")] {
                    phone.send(&json!({"command": "record", "on": on}));
                    if !state.is_empty() {
                        let told = phone.wait("recording");
                        assert_eq!(told["state"], state, "{told}");
                    }
                }
                60
            }
            Phase::Ending => {
                phone.listen(Duration::from_millis(300 + random.next() % 900));
                phone.command("hangup");
                40
            }
        };
        phone.listen(Duration::from_micros(random.next() % (millis * 1_000)));
        let until = Instant::now();
        let seen = phone.kill();
        let written = |name: &str| {
            let is_so = |event: &Value| event["event"] == name && event["durable"] == true;
            seen.iter().any(is_so)
        };
        Victim {
            phase,
            call,
            // Of a second recording nothing is told yet.
            recorded: since
                .filter(|_| phase != Phase::Again)
                .map(|since| until - since),
            answered: written("answered"),
            ended: written("ended"),
        }
    }

    /// The last recording of its call that has sound.
    fn file(&self, victim: &Victim) -> Option<PathBuf> {
        let further = (2..10).map(|number| format!("{}-{number}.wav", victim.call));
        let names = std::iter::once(format!("{}.wav", victim.call)).chain(further);
        let mut files = names.map(|name| self.records.join(name));
        let sound = |file: &PathBuf| std::fs::metadata(file).is_ok_and(|it| it.len() > 0);
        files.rfind(sound)
    }

    /// Looks at what a killed phone left of the recording: nothing has touched it since. Gives what it
    /// lacks, in seconds.
    fn look_at_recording(victim: &Victim, file: &Path) -> f64 {
        let (agent, far_end) = read_recording(file);
        assert_eq!(agent.samples.len(), far_end.samples.len());
        let expected = victim.recorded.unwrap_or_default().as_secs_f64();
        let lacks = (expected - agent.seconds()).max(0.0);
        let phase = victim.phase;
        assert!(
            lacks <= MAY_LACK,
            "{phase:?}: {lacks} s of {expected} s are missing"
        );
        // The measure takes half a second.
        if agent.seconds() > 1.0 {
            let tail = agent.seconds() - 0.51;
            let tails = [
                agent.from(tail).share_of_tone(AGENT),
                far_end.from(tail).share_of_tone(FAR_END),
            ];
            match phase {
                Phase::Talking => assert!(tails.iter().all(|share| *share > 0.7), "{tails:?}"),
                Phase::Paused if agent.seconds() > 1.6 => {
                    assert!(agent.from(tail).loudest() + far_end.from(tail).loudest() < 0.001);
                }
                Phase::Ringing
                | Phase::Answered
                | Phase::Held
                | Phase::Paused
                | Phase::Again
                | Phase::Ending => {}
            }
        }
        lacks
    }

    /// Looks at the row of a killed phone's call once the next one has started.
    fn look_at_row(&self, victim: &Victim) {
        let Victim { phase, call, .. } = victim;
        let row = || {
            let rows = crate::phone::calls(self.data.path());
            let row = rows.into_iter().find(|row| row["id"] == **call);
            row.unwrap_or_else(|| panic!("{phase:?}: the call is not in the log"))
        };
        let found = if let Some(file) = self.file(victim) {
            // The next phone looks for what was not written down any more.
            place::until("the recording is not tied to its call", || {
                let row = row();
                let tied = row["recording"].as_str().map(Path::new) == Some(&file);
                tied.then_some(row)
            })
        } else {
            let row = row();
            assert_eq!(row["recording"], Value::Null, "{row:#}");
            row
        };
        let states: &[&str] = match phase {
            Phase::Ending if victim.ended => &["completed"],
            Phase::Ending => &["completed", "interrupted"],
            _ => &["interrupted"],
        };
        let state = found["state"].as_str().unwrap();
        assert!(states.contains(&state), "{phase:?}: {found:#}");
        assert_ne!(found["ended_at"], Value::Null);
        if victim.answered {
            assert_ne!(found["answered_at"], Value::Null, "{phase:?}: {found:#}");
        }
        // Who was talked with is not called back, and who was not is.
        let talked = found["answered_at"] != Value::Null;
        assert_eq!(found["done"], talked, "{phase:?}: {found:#}");
    }
}

#[test]
fn a_phone_killed_at_any_moment_keeps_the_call_and_all_but_a_second_of_its_recording() {
    let count = number_from("RINGDESK_KILLS").unwrap_or(SAMPLE);
    let seed = number_from("RINGDESK_SEED").unwrap_or(20_261_128);
    println!("{count} kills, RINGDESK_SEED={seed}");
    let next = AtomicU64::new(0);
    let tallies = Mutex::new([Tally::default(); PHASES.len()]);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| work(count, seed, &next, &tallies));
        }
    });
    let mut table = String::new();
    for (tally, (phase, name)) in tallies.into_inner().unwrap().iter().zip(PHASES) {
        let Tally {
            kills,
            files,
            lacked,
        } = tally;
        let least = if count < MANY { 0 } else { ENOUGH };
        assert!(*kills >= least, "{name}: {kills} kills");
        // Nothing is recorded before somebody answers.
        assert!(phase != Phase::Ringing || *files == 0, "{files} files");
        writeln!(
            table,
            "{name:>17}: {kills:>3} kills, {files:>3} playable recordings, at most {lacked:.2} s missing"
        )
        .unwrap();
    }
    println!("{table}");
}

/// Takes kills until there are none left.
fn work(count: u64, seed: u64, next: &AtomicU64, tallies: &Mutex<[Tally; PHASES.len()]>) {
    let desk = Desk::new();
    let mut phone = desk.start();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            break;
        }
        let index = usize::try_from(number).unwrap() % PHASES.len();
        let mut random = Random(seed.wrapping_add(number));
        let victim = desk.kill(phone, PHASES[index].0, &mut random);
        let told = victim.recorded.is_some();
        let file = desk.file(&victim);
        let exists = file.is_some();
        assert!(exists || !told, "{:?}: no recording", victim.phase);
        let lacked = file.map_or(0.0, |file| Desk::look_at_recording(&victim, &file));
        phone = desk.start();
        desk.look_at_row(&victim);
        let mut tallies = tallies.lock().unwrap();
        let tally = &mut tallies[index];
        tally.kills += 1;
        tally.files += u64::from(exists);
        tally.lacked = tally.lacked.max(lacked);
    }
}
