//! What was written, so that just that can be taken away again.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{InstallError, failed, replace};

/// The files that were written, each with the SHA-256 of its bytes, and what had to be made for them.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Receipt {
    #[serde(default)]
    files: BTreeMap<PathBuf, String>,
    /// Folders that were not there before.
    #[serde(default)]
    folders: Vec<PathBuf>,
    /// Whether there was no list of associations before.
    #[serde(default)]
    pub(super) made_associations: bool,
}

impl Receipt {
    /// Reads what was noted. A receipt that cannot be understood counts as none: then files with other
    /// contents count as somebody else's and stay.
    pub(super) fn load(path: &Path) -> Result<Self, InstallError> {
        match fs::read(path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(failed(path, "read", source)),
        }
    }

    pub(super) fn save(&self, path: &Path) -> Result<(), InstallError> {
        let bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| failed(path, "written", error.into()))?;
        replace(path, &bytes)
    }

    /// Notes which of the folders above a new file are not there yet.
    pub(super) fn note_folders(&mut self, file: &Path) {
        let missing = file
            .ancestors()
            .skip(1)
            .take_while(|folder| !folder.exists());
        for folder in missing {
            if !self.folders.iter().any(|noted| noted == folder) {
                self.folders.push(folder.to_owned());
            }
        }
    }

    pub(super) fn note(&mut self, file: &Path, bytes: &[u8]) {
        let _before = self.files.insert(file.to_owned(), sum(bytes));
    }

    pub(super) fn forget(&mut self, file: &Path) {
        let _noted = self.files.remove(file);
    }

    /// Removes the folders that were made, where nothing is left in them.
    pub(super) fn remove_folders(&mut self) {
        // The longest first, so that what lies inside goes before what it lies in.
        self.folders
            .sort_by_key(|folder| std::cmp::Reverse(folder.components().count()));
        for folder in &self.folders {
            // One that holds something of somebody else stays.
            drop(fs::remove_dir(folder));
        }
    }

    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.files.keys().cloned().collect()
    }

    /// Whether a file with these bytes is as it was written.
    pub(super) fn wrote(&self, file: &Path, bytes: &[u8]) -> bool {
        self.files
            .get(file)
            .is_some_and(|noted| *noted == sum(bytes))
    }
}

fn sum(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}
