//! Where things lie: the XDG base directories, or one folder that holds everything.

use std::path::{Path, PathBuf};

use crate::base::private_dir;

/// The folder name below the system's base directories.
const FOLDER: &str = if cfg!(any(windows, target_os = "macos")) {
    "Ringdesk"
} else {
    "ringdesk"
};

/// The files and folders of one phone; two phones that run at once need two of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Accounts and settings.
    pub config_file: PathBuf,
    /// Passwords, where there is no keyring and the user agreed to a file.
    pub secrets_file: PathBuf,
    /// Everything that the phone keeps, the database too; one phone alone may use it at a time.
    pub data_dir: PathBuf,
    /// Recordings, unless the settings name another folder.
    pub recordings: PathBuf,
    /// Where files go that somebody takes out of the phone; made when the first one does.
    pub exports: PathBuf,
    /// What the phone notes of its work; made when there is something to note.
    pub log_dir: PathBuf,
    /// Sockets by which a second start finds the running phone. A socket's path may be no longer
    /// than 107 bytes on Linux.
    pub runtime_dir: PathBuf,
}

/// Why there are no paths.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PathsError {
    /// The environment names no home.
    #[error(
        "{variable} is not set, so there is no folder for settings and calls; set it, or start with --data-dir DIR"
    )]
    NoHome {
        /// The variable that would have said it.
        variable: &'static str,
    },
    /// A folder could not be made.
    #[error(
        "the folder {} cannot be created ({source}); make it writable, or start with --data-dir DIR",
        path.display()
    )]
    Create {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl Paths {
    /// The paths of the user who runs the program, by the environment: the XDG base directories
    /// (version 0.8), on macOS `~/Library/Application Support`, on Windows `%APPDATA%` and
    /// `%LOCALAPPDATA%`.
    ///
    /// # Errors
    ///
    /// Fails when the environment names no home.
    pub fn user() -> Result<Self, PathsError> {
        Self::by_environment(|name| std::env::var_os(name).map(PathBuf::from))
    }

    /// Everything, the configuration too, in one folder.
    pub fn in_data_dir(dir: &Path) -> Self {
        Self::in_folders(dir, dir, dir.join("log"), dir.to_owned())
    }

    /// Makes the folders that are missing, for nobody's eyes but the owner's (0700). A folder that
    /// stands already is left as it is.
    ///
    /// # Errors
    ///
    /// Fails when a folder cannot be made.
    pub fn create(&self) -> Result<(), PathsError> {
        let config_dir = self.config_file.parent().unwrap_or(&self.data_dir);
        for path in [
            config_dir,
            self.data_dir.as_path(),
            self.recordings.as_path(),
            self.runtime_dir.as_path(),
        ] {
            private_dir::create(path).map_err(|source| PathsError::Create {
                path: path.to_owned(),
                source,
            })?;
        }
        Ok(())
    }

    fn in_folders(
        config_dir: &Path,
        data_dir: &Path,
        log_dir: PathBuf,
        runtime_dir: PathBuf,
    ) -> Self {
        Self {
            config_file: config_dir.join("config.toml"),
            secrets_file: config_dir.join("secrets.toml"),
            data_dir: data_dir.to_owned(),
            recordings: data_dir.join("recordings"),
            exports: data_dir.join("exports"),
            log_dir,
            runtime_dir,
        }
    }

    /// People look for what they took out where browsers put it.
    fn with_downloads(mut self, home: Option<PathBuf>) -> Self {
        if let Some(home) = home.filter(|path| path.is_absolute()) {
            self.exports = home.join("Downloads");
        }
        self
    }

    #[cfg(windows)]
    fn by_environment(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Self, PathsError> {
        let base = |name: &'static str| {
            variable(name)
                .filter(|path| path.is_absolute())
                .map(|path| path.join(FOLDER))
                .ok_or(PathsError::NoHome { variable: name })
        };
        let (config, data) = (base("APPDATA")?, base("LOCALAPPDATA")?);
        let (log, runtime) = (data.join("log"), data.join("run"));
        let folders = Self::in_folders(&config, &data, log, runtime);
        Ok(folders.with_downloads(variable("USERPROFILE")))
    }

    #[cfg(target_os = "macos")]
    fn by_environment(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Self, PathsError> {
        let home = variable("HOME")
            .filter(|path| path.is_absolute())
            .ok_or(PathsError::NoHome { variable: "HOME" })?;
        let folder = home.join("Library/Application Support").join(FOLDER);
        let log = home.join("Library/Logs").join(FOLDER);
        let runtime = folder.join("run");
        Ok(Self::in_folders(&folder, &folder, log, runtime).with_downloads(Some(home)))
    }

    /// A relative path in one of the XDG variables is to be ignored, and so is an empty one.
    #[cfg(not(any(windows, target_os = "macos")))]
    fn by_environment(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Self, PathsError> {
        let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
        let base = |name: &str, below_home: &str| {
            absolute(name)
                .or_else(|| absolute("HOME").map(|home| home.join(below_home)))
                .map(|path| path.join(FOLDER))
                .ok_or(PathsError::NoHome { variable: "HOME" })
        };
        let config = base("XDG_CONFIG_HOME", ".config")?;
        let data = base("XDG_DATA_HOME", ".local/share")?;
        let log = base("XDG_STATE_HOME", ".local/state")?;
        let runtime =
            absolute("XDG_RUNTIME_DIR").map_or_else(|| data.join("run"), |dir| dir.join(FOLDER));
        Ok(Self::in_folders(&config, &data, log, runtime).with_downloads(absolute("HOME")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(not(any(windows, target_os = "macos")))]
    fn by(pairs: &[(&str, &str)]) -> Result<Paths, PathsError> {
        Paths::by_environment(|name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| PathBuf::from(value))
        })
    }

    #[cfg(not(any(windows, target_os = "macos")))]
    #[test]
    fn the_home_is_enough() {
        let paths = by(&[("HOME", "/home/ada")]).unwrap();
        assert_eq!(
            paths.config_file,
            Path::new("/home/ada/.config/ringdesk/config.toml")
        );
        assert_eq!(paths.data_dir, Path::new("/home/ada/.local/share/ringdesk"));
        assert_eq!(paths.recordings, paths.data_dir.join("recordings"));
        assert_eq!(paths.exports, Path::new("/home/ada/Downloads"));
        assert_eq!(paths.log_dir, Path::new("/home/ada/.local/state/ringdesk"));
        assert_eq!(paths.runtime_dir, paths.data_dir.join("run"));
    }

    #[cfg(not(any(windows, target_os = "macos")))]
    #[test]
    fn xdg_variables_win_unless_they_are_relative() {
        let paths = by(&[
            ("HOME", "/home/ada"),
            ("XDG_CONFIG_HOME", "/etc/ada"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_RUNTIME_DIR", "/run/user/7"),
        ])
        .unwrap();
        assert_eq!(
            paths.config_file,
            Path::new("/etc/ada/ringdesk/config.toml")
        );
        assert_eq!(paths.data_dir, Path::new("/home/ada/.local/share/ringdesk"));
        assert_eq!(paths.runtime_dir, Path::new("/run/user/7/ringdesk"));
    }

    #[cfg(not(any(windows, target_os = "macos")))]
    #[test]
    fn without_a_home_the_sentence_names_the_remedy() {
        let error = by(&[]).unwrap_err().to_string();
        assert!(
            error.contains("HOME") && error.contains("--data-dir"),
            "{error}"
        );
    }

    #[test]
    fn a_data_folder_holds_everything() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("phone");
        let paths = Paths::in_data_dir(&root);
        paths.create().unwrap();
        paths.create().unwrap();
        for path in [
            &paths.config_file,
            &paths.secrets_file,
            &paths.recordings,
            &paths.exports,
            &paths.log_dir,
            &paths.runtime_dir,
        ] {
            assert!(path.starts_with(&root), "{}", path.display());
        }
        assert!(paths.recordings.is_dir());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = root.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
    }
}
