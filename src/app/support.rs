//! The support bundle: gathered by the outermost layer, which sees everything; shown, then saved.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::app::engine::{Engine, Internal};
use crate::app::exports::{path, write};
use crate::app::{pcap, zip};
use crate::base::clock;
use crate::control::{ExportView, ExportedWhat, SupportBundle};

/// What every system opens.
const ARCHIVE: &str = "zip";

impl Engine {
    /// Shows what was gathered.
    pub(super) fn take_bundle(&mut self, bundle: Arc<SupportBundle>) {
        self.support = Some(bundle);
        self.exported = None;
        self.dirty = true;
    }

    /// Lets go of it.
    pub(super) fn drop_bundle(&mut self) {
        self.support = None;
        self.dirty = true;
    }

    /// Writes what was shown to a file, beside the engine; a snapshot tells what became of it.
    pub(super) fn save_bundle(&mut self, file: &str) {
        let Some(bundle) = self.support.clone() else {
            return;
        };
        self.exported = None;
        let path = path(&self.options.paths.exports, file, ARCHIVE);
        let internal = self.internal.clone();
        tokio::spawn(async move {
            let at = clock::wall_now();
            let written = write(path, move |path| {
                pcap::write_octets(path, &pack(&bundle, at)?)
            });
            let outcome = written
                .await
                .map(|path| path.to_string_lossy().into_owned());
            let what = ExportedWhat::SupportBundle;
            let told = Internal::Exported(ExportView { what, outcome });
            drop(internal.send(told).await);
        });
    }
}

/// Writes a bundle to a new file, readable by its owner alone; gives its name, which has a number where the
/// one that was asked for is taken.
///
/// # Errors
///
/// Fails when the file cannot be written.
pub fn save_support_bundle(
    bundle: &SupportBundle,
    file: &Path,
    at: Timestamp,
) -> io::Result<PathBuf> {
    pcap::write_octets(file, &pack(bundle, at)?)
}

fn pack(bundle: &SupportBundle, at: Timestamp) -> io::Result<Vec<u8>> {
    let files: Vec<(&str, &[u8])> = bundle
        .files
        .iter()
        .map(|file| (file.name.as_str(), file.text.as_bytes()))
        .collect();
    zip::zip(&files, at)
}
