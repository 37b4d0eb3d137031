//! A disk that may lose what it was not told to sync, and do the rest in any order.
//!
//! A file's bytes and its length are safe once it was synced, a name once the folder was, in which it is;
//! a folder's own name once the folder around it was. Of what was written since, any part may be there, in
//! any order, and of a write any sectors. Only names come in order, as they do on each journalling file
//! system.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::random::Random;
use crate::trace::Event;

/// Bytes that a disk writes whole or not at all.
const SECTOR: usize = 512;

/// What is left of the writes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// None of them.
    All,
    /// All of them, as when the program alone is killed.
    None,
    /// Those from some moment on.
    Late,
    /// Any.
    Some,
    /// Any, in another order.
    Reordered,
    /// Any, in another order, of some only some sectors.
    Torn,
}

pub(crate) const LOSSES: [(Loss, &str); 6] = [
    (Loss::All, "all lost"),
    (Loss::None, "none lost"),
    (Loss::Late, "late ones lost"),
    (Loss::Some, "some lost"),
    (Loss::Reordered, "reordered"),
    (Loss::Torn, "torn"),
];

/// The files of a data folder; none where the folder itself is lost.
pub(crate) type Image = Option<BTreeMap<String, Vec<u8>>>;

/// What waits to be synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Waiting {
    Nothing,
    /// Pages of the log, or calls that are put aside: a commit.
    Log,
    /// Pages of the database: a checkpoint.
    Database,
}

/// The disk with one data folder.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
    is_there: bool,
    is_safe: bool,
    files: Vec<FileOnDisk>,
    names: BTreeMap<String, usize>,
    safe_names: BTreeMap<String, usize>,
    /// What became of names since then.
    changes: Vec<Renamed>,
}

#[derive(Debug)]
struct Renamed {
    name: String,
    /// What has it; none where it was removed.
    file: Option<usize>,
    /// The name that this had before.
    from: Option<String>,
}

#[derive(Debug, Default)]
struct FileOnDisk {
    safe: Vec<u8>,
    changes: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

impl Disk {
    /// The folder as it is now, all safe.
    pub(crate) fn of(folder: &Path, files: &[&str]) -> Self {
        let mut disk = Self {
            folder: folder.to_owned(),
            is_there: folder.exists(),
            is_safe: folder.exists(),
            files: Vec::new(),
            names: BTreeMap::new(),
            safe_names: BTreeMap::new(),
            changes: Vec::new(),
        };
        for name in files {
            if let Ok(safe) = std::fs::read(folder.join(name)) {
                disk.names.insert((*name).to_owned(), disk.files.len());
                disk.files.push(FileOnDisk {
                    safe,
                    changes: Vec::new(),
                });
            }
        }
        disk.safe_names.clone_from(&disk.names);
        disk
    }

    /// Does what the driver did.
    pub(crate) fn apply(&mut self, event: &Event) {
        match event {
            Event::MakeFolder(path) => self.is_there |= *path == self.folder,
            Event::Create(path) => {
                if let Some(name) = self.name(path)
                    && !self.names.contains_key(&name)
                {
                    self.changes.push(Renamed {
                        name: name.clone(),
                        file: Some(self.files.len()),
                        from: None,
                    });
                    self.names.insert(name, self.files.len());
                    self.files.push(FileOnDisk::default());
                }
            }
            Event::Remove(path) => {
                if let Some(name) = self.name(path) {
                    self.names.remove(&name);
                    self.changes.push(Renamed {
                        name,
                        file: None,
                        from: None,
                    });
                }
            }
            Event::Rename(from, to) => {
                if let (Some(from), Some(to)) = (self.name(from), self.name(to))
                    && let Some(file) = self.names.remove(&from)
                {
                    self.names.insert(to.clone(), file);
                    self.changes.push(Renamed {
                        name: to,
                        file: Some(file),
                        from: Some(from),
                    });
                }
            }
            Event::Write { path, at, bytes } => {
                if let Some(file) = self.file(path) {
                    file.changes.push(Change::Write {
                        at: *at,
                        bytes: bytes.clone(),
                    });
                }
            }
            Event::Truncate(path, length) => {
                if let Some(file) = self.file(path) {
                    file.changes.push(Change::Truncate(*length));
                }
            }
            Event::Sync(path) if *path == self.folder => {
                self.changes.clear();
                self.safe_names.clone_from(&self.names);
            }
            Event::Sync(path) if self.folder.parent() == Some(path) => self.is_safe = self.is_there,
            Event::Sync(path) => {
                if let Some(file) = self.file(path) {
                    for change in std::mem::take(&mut file.changes) {
                        change.apply(&mut file.safe, |_| true);
                    }
                }
            }
            Event::Say(_) => {}
        }
    }

    /// What a power loss at this moment may leave.
    pub(crate) fn image(&self, loss: Loss, random: &mut Random) -> Image {
        let folder_is_left = match loss {
            Loss::All => self.is_safe,
            Loss::None => self.is_there,
            _ => self.is_safe || (self.is_there && random.below(2) == 0),
        };
        if !folder_is_left {
            return None;
        }
        let kept = match loss {
            Loss::All => 0,
            Loss::None => self.changes.len(),
            _ => random.below(self.changes.len() + 1),
        };
        let mut names = self.safe_names.clone();
        for Renamed { name, file, from } in &self.changes[..kept] {
            if let Some(from) = from {
                names.remove(from);
            }
            match file {
                Some(file) => names.insert(name.clone(), *file),
                None => names.remove(name),
            };
        }
        let files = names.into_iter();
        Some(
            files
                .map(|(name, file)| (name, self.files[file].left(loss, random)))
                .collect(),
        )
    }

    /// What waits to be synced.
    pub(crate) fn waiting(&self) -> Waiting {
        let waiting = self.names.iter().filter_map(|(name, file)| {
            let waits = !self.files[*file].changes.is_empty();
            let is_commit = name.ends_with("-wal") || name.ends_with(".arrivals");
            waits.then_some(if is_commit {
                Waiting::Log
            } else {
                Waiting::Database
            })
        });
        waiting.max().unwrap_or(Waiting::Nothing)
    }

    /// The name of a file in the folder; none of the memory that is shared beside the log, which
    /// nobody reads after a power loss.
    fn name(&self, path: &Path) -> Option<String> {
        let name = path.file_name()?.to_str()?;
        (path.parent()? == self.folder && !name.ends_with("-shm")).then(|| name.to_owned())
    }

    fn file(&mut self, path: &Path) -> Option<&mut FileOnDisk> {
        let name = self.name(path)?;
        let file = *self.names.get(&name)?;
        Some(&mut self.files[file])
    }
}

impl FileOnDisk {
    fn left(&self, loss: Loss, random: &mut Random) -> Vec<u8> {
        let mut left: Vec<&Change> = self.changes.iter().collect();
        match loss {
            Loss::All => left.clear(),
            Loss::None => {}
            Loss::Late => left.truncate(random.below(left.len() + 1)),
            Loss::Some => left.retain(|_| random.below(2) == 0),
            Loss::Reordered | Loss::Torn => {
                left.retain(|_| random.below(4) > 0);
                for last in (1..left.len()).rev() {
                    left.swap(last, random.below(last + 1));
                }
            }
        }
        let mut bytes = self.safe.clone();
        for change in left {
            let torn = loss == Loss::Torn && random.below(2) == 0;
            change.apply(&mut bytes, |_| !torn || random.below(2) == 0);
        }
        bytes
    }
}

impl Change {
    /// Does it, in those sectors that `reaches` names by their number.
    fn apply(&self, file: &mut Vec<u8>, mut reaches: impl FnMut(usize) -> bool) {
        match self {
            Self::Truncate(length) => file.resize(*length, 0),
            Self::Write { at, bytes } => {
                let mut done = 0;
                while done < bytes.len() {
                    let begin = at + done;
                    let sector = begin / SECTOR;
                    let length = ((sector + 1) * SECTOR - begin).min(bytes.len() - done);
                    if reaches(sector) {
                        let end = begin + length;
                        file.resize(file.len().max(end), 0);
                        file[begin..end].copy_from_slice(&bytes[done..done + length]);
                    }
                    done += length;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(at: usize, byte: u8, length: usize) -> Event {
        Event::Write {
            path: "/r/data/a".into(),
            at,
            bytes: vec![byte; length],
        }
    }

    fn disk(events: &[Event]) -> Disk {
        let mut disk = Disk::of(Path::new("/r/data"), &[]);
        events.iter().for_each(|event| disk.apply(event));
        disk
    }

    #[test]
    fn what_was_synced_stays_and_the_rest_may_go() {
        let folder = || Event::MakeFolder("/r/data".into());
        let create = || Event::Create("/r/data/a".into());
        let mut random = Random(1);
        let begun = disk(&[folder(), create(), write(0, 1, 3)]);
        assert_eq!(begun.image(Loss::All, &mut random), None);
        let all = begun.image(Loss::None, &mut random).unwrap();
        assert_eq!(all["a"], [1; 3]);
        // The file was synced, and its name was not.
        let nameless = disk(&[
            folder(),
            Event::Sync("/r".into()),
            create(),
            write(0, 1, 3),
            Event::Sync("/r/data/a".into()),
        ]);
        assert_eq!(
            nameless.image(Loss::All, &mut random),
            Some(BTreeMap::new())
        );
        // Renamed, and the new name was not synced.
        let renamed = disk(&[
            folder(),
            Event::Sync("/r".into()),
            create(),
            write(0, 1, 3),
            Event::Sync("/r/data/a".into()),
            Event::Sync("/r/data".into()),
            Event::Rename("/r/data/a".into(), "/r/data/b".into()),
        ]);
        for (loss, name) in [(Loss::All, "a"), (Loss::None, "b")] {
            let image = renamed.image(loss, &mut random).unwrap();
            assert_eq!(image, BTreeMap::from([(name.to_owned(), vec![1; 3])]));
        }
        let named = [
            folder(),
            Event::Sync("/r".into()),
            create(),
            write(0, 1, 1500),
            Event::Sync("/r/data/a".into()),
            Event::Sync("/r/data".into()),
            write(500, 2, 1000),
            Event::Truncate("/r/data/a".into(), 10),
        ];
        let disk = disk(&named);
        assert_eq!(disk.waiting(), Waiting::Database);
        let none = disk.image(Loss::All, &mut random).unwrap();
        assert_eq!(none["a"], [1; 1500]);
        let torn: std::collections::BTreeSet<Vec<u8>> = (0..1000)
            .map(|_| disk.image(Loss::Torn, &mut random).unwrap()["a"].clone())
            .collect();
        // Three sectors each old or new, before, after or without the shortening.
        assert!(torn.contains(&[&[1; 512][..], &[2; 512], &[1; 476]].concat()));
        assert!(torn.contains(&vec![1; 10]));
        assert!(torn.len() > 10, "{}", torn.len());
    }
}
