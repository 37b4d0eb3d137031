//! The care of the data while the phone works: what is too old goes once a day, files whose rows are gone
//! are removed, and a large database is looked through after a crash.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::app::engine::{Engine, Internal};
use crate::base::clock;
use crate::config::Settings;
use crate::crm::files_to_remove::FileToRemove;
use crate::crm::row::Retention;
use crate::crm::{Store, StoreError};
use crate::media::recorder::numbered;

/// So long after the start: registering and the first call come before.
const SOON: Duration = Duration::from_secs(5);
/// How often.
const DAILY: Duration = Duration::from_secs(24 * 3600);
/// The pause between two pieces of a check: it takes half of a core at most, and nobody waits for it.
const PAUSE: Duration = Duration::from_millis(20);
/// Files that are removed before the store is told.
const FILES: u32 = 100;

/// When the data is cared for, and the work that goes on.
#[derive(Debug, Default)]
pub(super) struct Care {
    due: Option<Instant>,
    /// Whether the database was looked through, or need not be.
    checked: bool,
    stop: Arc<AtomicBool>,
    work: Option<JoinHandle<()>>,
}

impl Care {
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Waits for the piece of work that goes on: the store closes in order after it.
    pub(super) async fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(work) = self.work.take() {
            // A panic was told already.
            drop(work.await);
        }
    }
}

impl Engine {
    /// Takes care of the data when it is time for that.
    pub(super) fn take_care(&mut self, now: Instant) {
        let due = *self.care.due.get_or_insert(now + SOON);
        if due > now {
            return;
        }
        self.care.due = Some(now + DAILY);
        if self
            .care
            .work
            .as_ref()
            .is_some_and(|work| !work.is_finished())
        {
            return;
        }
        let task = Task {
            store: Arc::clone(&self.store),
            retention: retention(&self.options.settings),
            record_dir: self.options.record_dir.clone(),
            check: !std::mem::replace(&mut self.care.checked, true) && self.store.is_unchecked(),
            stop: Arc::clone(&self.care.stop),
        };
        let internal = self.internal.clone();
        let work = tokio::task::spawn_blocking(move || {
            let (changed, told) = task.run(clock::wall_now());
            // A full queue tells of it another day.
            drop(internal.try_send(Internal::CaredFor { changed, told }));
        });
        self.care.work = Some(work);
    }

    /// The data was cared for: what there is to say of it.
    pub(super) fn handle_cared_for(&mut self, changed: bool, told: Vec<Told>) {
        if changed {
            self.rows_changed();
            self.recount = true;
        }
        for told in told {
            match told {
                Told::Well(text) => self.notice(text),
                Told::Problem(text) => self.problem(None, text),
            }
        }
    }
}

/// What there is to say.
#[derive(Debug)]
pub(super) enum Told {
    Well(String),
    Problem(String),
}

/// What is done beside the engine.
struct Task {
    store: Arc<Store>,
    retention: Retention,
    record_dir: PathBuf,
    check: bool,
    stop: Arc<AtomicBool>,
}

impl Task {
    /// Gives whether rows went, and what there is to say.
    fn run(self, now: jiff::Timestamp) -> (bool, Vec<Told>) {
        let mut told = Vec::new();
        let goes_on = || !self.stop.load(Ordering::Relaxed);
        let removed = self.store.retain(&self.retention, now, &goes_on);
        let changed = *removed.as_ref().unwrap_or(&0) > 0;
        let files = remove_files(&self.store, &self.record_dir);
        for error in [removed.err(), files.as_ref().err().cloned()]
            .into_iter()
            .flatten()
        {
            if error != StoreError::Closed {
                told.push(Told::Problem(format!(
                    "what is too old was not all removed: {error}"
                )));
            }
        }
        if let Some(file) = files.unwrap_or_default().first() {
            told.push(Told::Problem(format!(
                "the recording {file} is to be removed and cannot be; remove it yourself, or make its folder writable"
            )));
        }
        if self.check {
            let slowly = || {
                std::thread::sleep(PAUSE);
                goes_on()
            };
            told.extend(checked(&self.store, &slowly));
        }
        (changed, told)
    }
}

/// Looks the database through; nothing is said where that was broken off.
fn checked(store: &Store, goes_on: &dyn Fn() -> bool) -> Option<Told> {
    const REMEDY: &str = "end the phone and run: ringdesk recover (it saves what is whole and keeps the damaged file)";
    match store.check(goes_on) {
        Ok(damage) => match damage.first() {
            Some(first) => Some(Told::Problem(format!(
                "the phone did not end in order the last time, and its database is damaged ({first}); {REMEDY}"
            ))),
            None => goes_on().then(|| {
                let well = "the phone did not end in order the last time; its database was looked through and is sound";
                Told::Well(well.to_owned())
            }),
        },
        Err(StoreError::Closed) => None,
        Err(error) => Some(Told::Problem(format!("the database cannot be looked through: {error}; {REMEDY}"))),
    }
}

/// For how long what is kept, by the settings.
fn retention(settings: &Settings) -> Retention {
    let days = |days: u32| (days > 0).then_some(days);
    Retention {
        calls: days(settings.retention.calls_days),
        notes: days(settings.retention.notes_days),
        recordings: days(settings.retention.recordings_days),
        quality: days(settings.retention.quality_days),
        audit: days(settings.retention.audit_days),
        tickets: days(settings.retention.tickets_days),
        tasks: days(settings.retention.tasks_days),
        guesses: days(settings.retention.guesses_days),
        agent_states: days(settings.retention.agent_states_days),
        undo: days(settings.retention.undo_days),
        // Of these, none means none.
        ladders: Some(settings.ladder_days),
    }
}

/// Removes the recordings whose rows are gone; gives those that cannot be.
pub(super) fn remove_files(store: &Store, record_dir: &Path) -> Result<Vec<String>, StoreError> {
    let mut left = Vec::new();
    let mut after = 0;
    loop {
        let files = store.files_to_remove(after, FILES)?;
        let Some(last) = files.last() else {
            return Ok(left);
        };
        after = last.seq;
        let mut removed = Vec::new();
        for file in files {
            match remove(&file, record_dir) {
                Ok(()) => removed.push(file.seq),
                Err(path) => left.push(path.display().to_string()),
            }
        }
        store.forget_files(removed)?;
    }
}

/// Removes a recording and the further ones of its call. What does not carry the call's id is no file of
/// ours.
fn remove(file: &FileToRemove, record_dir: &Path) -> Result<(), PathBuf> {
    let call = file.call.to_string();
    let first = record_dir.join(format!("{call}.wav"));
    let named = file.file.as_ref().map(PathBuf::from);
    let foreign = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !name.starts_with(&call)
    };
    if let Some(path) = named.as_ref().filter(|path| foreign(path)) {
        return Err(path.clone());
    }
    let beside = named
        .as_ref()
        .map(|path| path.with_file_name(format!("{call}.wav")));
    let further = (2..)
        .map(|number| numbered(&first, number))
        .take_while(|path| path.exists())
        .collect::<Vec<_>>();
    for path in named
        .into_iter()
        .chain(beside)
        .chain([first])
        .chain(further)
    {
        if let Err(error) = std::fs::remove_file(&path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::CallId;
    use crate::crm::OpenError;
    use crate::crm::row::ContactRow;
    use crate::crm::store::Write;

    /// A database that a phone closed, with some pages in each of its tables that matter.
    fn database() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), "DE").unwrap();
        for number in 0..300 {
            let contact = ContactRow {
                notes: "likes tulips ".repeat(20),
                ..ContactRow::named(&format!("Contact {number}"))
            };
            let written = store.write(Write::SaveContact(Box::new(contact)));
            written.blocking_recv().unwrap().unwrap();
        }
        drop(store);
        std::fs::read(folder.path().join("ringdesk.db")).unwrap()
    }

    /// Starts on a file that a crash left and that counts as too large to be read through before, and takes
    /// care of it.
    fn after_crash(bytes: &[u8]) -> Result<Vec<Told>, OpenError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ringdesk.db"), bytes).unwrap();
        // A log that was begun: a phone that ends in order leaves none.
        std::fs::write(folder.path().join("ringdesk.db-wal"), [0; 32]).unwrap();
        let store = Arc::new(Store::open_checking(folder.path(), "DE", 0)?);
        assert!(store.is_unchecked());
        let task = Task {
            store,
            retention: Retention::default(),
            record_dir: folder.path().to_owned(),
            check: true,
            stop: Arc::default(),
        };
        Ok(task.run(clock::wall_now()).1)
    }

    #[test]
    fn a_large_database_is_looked_through_behind_the_start_after_a_crash() {
        let whole = database();
        match after_crash(&whole).unwrap().as_slice() {
            [Told::Well(text)] => assert!(text.contains("is sound"), "{text}"),
            other => panic!("{other:?}"),
        }
        let pages = whole.len() / 4096;
        let mut found = 0;
        for page in (pages / 2..pages).step_by(pages / 16) {
            let mut damaged = whole.clone();
            damaged[page * 4096..][..4096].fill(0x55);
            match after_crash(&damaged) {
                // What the start itself reads it does not believe either.
                Err(OpenError::Damaged { .. }) => {}
                Err(other) => panic!("page {page}: {other}"),
                Ok(told) => {
                    let problems = told.iter().filter(|told| {
                        matches!(told, Told::Problem(text) if text.contains("ringdesk recover"))
                    });
                    assert_eq!(problems.count(), 1, "page {page}: {told:?}");
                    found += 1;
                }
            }
        }
        assert!(found >= 4, "{found}");
    }

    #[test]
    fn all_recordings_of_a_call_go_and_no_other_file() {
        let folder = tempfile::tempdir().unwrap();
        let call = CallId::new(1, [7; 10]);
        let other = CallId::new(2, [7; 10]);
        let path = |name: String| folder.path().join(name);
        for name in [
            format!("{call}.wav"),
            format!("{call}-2.wav"),
            format!("{call}-3.wav"),
            format!("{other}.wav"),
            "mine.wav".to_owned(),
        ] {
            std::fs::write(path(name), "RIFF").unwrap();
        }
        let to_remove = |name: String| FileToRemove {
            seq: 1,
            call,
            file: Some(path(name).display().to_string()),
        };
        assert_eq!(
            remove(&to_remove(format!("{call}-3.wav")), folder.path()),
            Ok(())
        );
        let mine = path("mine.wav".to_owned());
        assert_eq!(
            remove(&to_remove("mine.wav".to_owned()), folder.path()),
            Err(mine)
        );
        let mut left: Vec<String> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        left.sort();
        assert_eq!(left, [format!("{other}.wav"), "mine.wav".to_owned()]);
    }
}
