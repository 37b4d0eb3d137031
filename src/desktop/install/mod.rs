//! Ringdesk among a user's programs: the menu entry, the icons, the links it opens, the start with
//! the session.
//!
//! All lies below the user's own folders (XDG base directories 0.8, desktop entries 1.5, icon themes
//! 0.13, associations of applications 1.0.1, autostart 0.5). What was written is noted, so that it
//! can be taken away again, and nothing else.

mod associations;
mod entry;
mod icons;
mod receipt;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use receipt::Receipt;

use crate::config::replace::replace_file;

/// The name of the entry, and of the icons.
const NAME: &str = "ringdesk";
/// The entry's file, by which associations name it.
const ENTRY: &str = "ringdesk.desktop";

/// The folders of a user that the desktop looks into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// `$XDG_DATA_HOME`: entries and icons.
    pub data: PathBuf,
    /// `$XDG_CONFIG_HOME`: associations and autostart.
    pub config: PathBuf,
    /// Where what was written is noted.
    pub receipt: PathBuf,
}

/// Why something could not be installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The environment names no home.
    #[error("HOME is not set, so there is no folder for a menu entry; set it")]
    NoHome,
    /// The program lies where a menu entry cannot name it.
    #[error(
        "the program's path {} cannot stand in a menu entry; move it to a path of plain characters",
        .0.display()
    )]
    Program(PathBuf),
    /// A file could not be read, written or removed.
    #[error("{} cannot be {what} ({source}); make it writable, and try again", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// `read`, `written` or `removed`.
        what: &'static str,
        /// The system's reason.
        source: io::Error,
    },
}

/// One thing that was done, or was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A file was written.
    Wrote(PathBuf),
    /// A file was as it should be.
    Stands(PathBuf),
    /// A file was removed.
    Removed(PathBuf),
    /// A file is somebody else's, or was changed since; it was left as it is.
    Left(PathBuf),
    /// Links of this kind open Ringdesk from now on.
    Opens(&'static str),
    /// They no longer do.
    OpensNoMore(&'static str),
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Wrote(path) => write!(f, "wrote {}", path.display()),
            Self::Stands(path) => write!(f, "{} is up to date", path.display()),
            Self::Removed(path) => write!(f, "removed {}", path.display()),
            Self::Left(path) => write!(
                f,
                "left {} as it is: Ringdesk did not write it, or it was changed since",
                path.display()
            ),
            Self::Opens(scheme) => write!(f, "{scheme}: links open Ringdesk"),
            Self::OpensNoMore(scheme) => write!(f, "{scheme}: links no longer open Ringdesk"),
        }
    }
}

impl Folders {
    /// Those of the user who runs the program. A relative path in a variable is ignored, as is an
    /// empty one.
    ///
    /// # Errors
    ///
    /// Fails when the environment names no home.
    pub fn user() -> Result<Self, InstallError> {
        Self::by_environment(|name| std::env::var_os(name).map(PathBuf::from))
    }

    fn by_environment(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Self, InstallError> {
        let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
        let base = |name: &str, below_home: &str| {
            absolute(name)
                .or_else(|| absolute("HOME").map(|home| home.join(below_home)))
                .ok_or(InstallError::NoHome)
        };
        let data = base("XDG_DATA_HOME", ".local/share")?;
        Ok(Self {
            config: base("XDG_CONFIG_HOME", ".config")?,
            receipt: data.join(NAME).join("desktop-files.json"),
            data,
        })
    }

    fn entry(&self) -> PathBuf {
        self.data.join("applications").join(ENTRY)
    }

    fn autostart_entry(&self) -> PathBuf {
        self.config.join("autostart").join(ENTRY)
    }

    fn associations(&self) -> PathBuf {
        self.config.join("mimeapps.list")
    }
}

/// Puts the program among the user's programs and makes it open links; with `autostart` it starts
/// with the session too. Done twice, the second time changes nothing.
///
/// # Errors
///
/// Fails when a file cannot be written; what was written until then is noted.
pub fn install(
    folders: &Folders,
    program: &Path,
    autostart: bool,
) -> Result<Vec<Step>, InstallError> {
    let mut receipt = Receipt::load(&folders.receipt)?;
    receipt.note_folders(&folders.receipt);
    let mut steps = Vec::new();
    let menu = entry::menu(program)?;
    let mut files = vec![(folders.entry(), menu.into_bytes())];
    files.extend(icons::all(&folders.data));
    if autostart {
        files.push((
            folders.autostart_entry(),
            entry::autostart(program)?.into_bytes(),
        ));
    }
    for (path, bytes) in files {
        steps.push(write(&mut receipt, path, &bytes)?);
        // A crash, or a file that cannot be written, leaves nothing that nobody knows of.
        receipt.save(&folders.receipt)?;
    }
    let path = folders.associations();
    let before = read(&path)?;
    let after = associations::with(before.as_deref().unwrap_or_default(), ENTRY);
    receipt.note_folders(&path);
    receipt.save(&folders.receipt)?;
    if before.as_deref() != Some(after.as_str()) {
        replace(&path, after.as_bytes())?;
    }
    receipt.made_associations |= before.is_none();
    receipt.save(&folders.receipt)?;
    steps.extend(associations::SCHEMES.map(Step::Opens));
    Ok(steps)
}

/// Takes away what [`install`] and [`set_autostart`] wrote, and nothing else.
///
/// # Errors
///
/// Fails when a file cannot be removed.
pub fn uninstall(folders: &Folders) -> Result<Vec<Step>, InstallError> {
    let mut receipt = Receipt::load(&folders.receipt)?;
    let mut steps = Vec::new();
    for path in receipt.files() {
        steps.extend(remove(&mut receipt, &path)?);
        receipt.save(&folders.receipt)?;
    }
    let path = folders.associations();
    if let Some(before) = read(&path)? {
        let after = associations::without(&before, ENTRY);
        if after.trim().is_empty() && receipt.made_associations {
            fs::remove_file(&path).map_err(|source| failed(&path, "removed", source))?;
        } else if after != before {
            replace(&path, after.as_bytes())?;
        }
        if after != before {
            steps.extend(associations::SCHEMES.map(Step::OpensNoMore));
        }
    }
    match fs::remove_file(&folders.receipt) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(failed(&folders.receipt, "removed", source));
        }
        Ok(()) | Err(_) => receipt.remove_folders(),
    }
    Ok(steps)
}

/// Whether the phone starts with the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Autostart {
    /// There is an entry.
    On,
    /// There is none.
    Off,
    /// There was one, which somebody took away.
    TakenAway,
}

/// Says whether the phone starts with the session.
///
/// # Errors
///
/// Fails when what was written cannot be read.
pub fn autostart(folders: &Folders) -> Result<Autostart, InstallError> {
    let entry = folders.autostart_entry();
    if entry.exists() {
        return Ok(Autostart::On);
    }
    let noted = Receipt::load(&folders.receipt)?.files().contains(&entry);
    Ok(if noted {
        Autostart::TakenAway
    } else {
        Autostart::Off
    })
}

/// Makes the phone start with the session, or not.
///
/// # Errors
///
/// Fails when the entry cannot be written or removed.
pub fn set_autostart(folders: &Folders, program: &Path, on: bool) -> Result<(), InstallError> {
    let mut receipt = Receipt::load(&folders.receipt)?;
    receipt.note_folders(&folders.receipt);
    let path = folders.autostart_entry();
    if on {
        write(&mut receipt, path, entry::autostart(program)?.as_bytes())?;
    } else {
        // The person wants none, whoever wrote it.
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(failed(&path, "removed", source));
            }
            Ok(()) | Err(_) => receipt.forget(&path),
        }
    }
    receipt.save(&folders.receipt)
}

/// Writes a file, unless it stands there or is somebody else's.
fn write(receipt: &mut Receipt, path: PathBuf, bytes: &[u8]) -> Result<Step, InstallError> {
    match fs::read(&path) {
        Ok(there) if there == bytes => {
            return Ok(Step::Stands(path));
        }
        Ok(there) if !receipt.wrote(&path, &there) => return Ok(Step::Left(path)),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(failed(&path, "read", source)),
    }
    receipt.note_folders(&path);
    replace(&path, bytes)?;
    receipt.note(&path, bytes);
    Ok(Step::Wrote(path))
}

/// Removes a file that is as it was written; none where it is gone already.
fn remove(receipt: &mut Receipt, path: &Path) -> Result<Option<Step>, InstallError> {
    let step = match fs::read(path) {
        Ok(there) if receipt.wrote(path, &there) => {
            fs::remove_file(path).map_err(|source| failed(path, "removed", source))?;
            Some(Step::Removed(path.to_owned()))
        }
        Ok(_) => Some(Step::Left(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(failed(path, "read", source)),
    };
    receipt.forget(path);
    Ok(step)
}

fn read(path: &Path) -> Result<Option<String>, InstallError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed(path, "read", source)),
    }
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), InstallError> {
    replace_file(path, bytes).map_err(|source| failed(path, "written", source))
}

fn failed(path: &Path, what: &'static str, source: io::Error) -> InstallError {
    InstallError::File {
        path: path.to_owned(),
        what,
        source,
    }
}

#[cfg(test)]
mod tests;
