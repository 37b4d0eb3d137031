//! The configuration file: TOML that a person may edit.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::config::replace::replace_file;
use crate::config::settings::Config;
use crate::config::validate::Problem;

/// More bytes than any real configuration has; a longer file is not read.
const MAX_BYTES: usize = 1 << 20;

/// Why the configuration could not be read or written. The file on disk is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The system did not give it.
    #[error(
        "the settings file {} cannot be read ({source}); make it readable, or name another one with --config FILE",
        path.display()
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It is not TOML, or holds a word or a value that is not a setting.
    #[error(
        "the settings file {} is damaged at line {line}, column {column}: {reason}; correct that place, or move the file away to begin anew (it was left as it is)",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1 in characters.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// It can be read, but the phone cannot work with it.
    #[error("in the settings file {}: {problem}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        #[source]
        problem: Problem,
    },
    /// A value cannot be written as TOML.
    #[error("the settings cannot be written: {0}")]
    Unwritable(#[from] toml::ser::Error),
    /// The system did not take it.
    #[error(
        "the settings file {} cannot be written ({source}); the change is not saved: free some space or make the folder writable, and save again",
        path.display()
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Reads the configuration; where there is no file, the default.
///
/// # Errors
///
/// Fails when the file cannot be read, is damaged or holds what the phone cannot work with.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    let bytes = match read_limited(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Config::default()),
        Err(source) => {
            let path = path.to_owned();
            return Err(ConfigError::Read { path, source });
        }
    };
    let config = parse(&bytes).map_err(|damage| ConfigError::Damaged {
        path: path.to_owned(),
        line: damage.line,
        column: damage.column,
        reason: damage.reason,
    })?;
    config.validate().map_err(|problem| ConfigError::Invalid {
        path: path.to_owned(),
        problem,
    })?;
    Ok(config)
}

/// Writes the configuration, readable by its owner alone; after a crash the old or the new one is
/// there, whole.
///
/// # Errors
///
/// Fails when the configuration is not valid (nothing is written then) or the file cannot be
/// written.
pub fn save(path: &Path, config: &Config) -> Result<(), ConfigError> {
    config.validate().map_err(|problem| ConfigError::Invalid {
        path: path.to_owned(),
        problem,
    })?;
    let text = toml::to_string_pretty(config)?;
    replace_file(path, text.as_bytes()).map_err(|source| ConfigError::Write {
        path: path.to_owned(),
        source,
    })
}

struct Damage {
    line: usize,
    column: usize,
    reason: String,
}

fn read_limited(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    let mut file = std::fs::File::open(path)?.take(limit.saturating_add(1));
    file.read_to_end(&mut bytes)?;
    if bytes.len() > MAX_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is larger than 1 MiB",
        ));
    }
    Ok(bytes)
}

fn parse(bytes: &[u8]) -> Result<Config, Damage> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let sound = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let (line, column) = place(&String::from_utf8_lossy(sound), usize::MAX);
        let reason = "it is not UTF-8 text".to_owned();
        Damage {
            line,
            column,
            reason,
        }
    })?;
    toml::from_str(text).map_err(|error| {
        let (line, column) = place(text, error.span().map_or(0, |span| span.start));
        // One line, since it becomes part of a sentence.
        let reason = error.message().replace('\n', ", ");
        Damage {
            line,
            column,
            reason,
        }
    })
}

/// Line and column, both from 1, of a byte offset; past the end, of the end.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset = offset.saturating_sub(1);
    }
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let last = before.rsplit('\n').next().unwrap_or_default();
    (line, last.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::account::Account;

    fn file(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        fs::write(&path, content).unwrap();
        (dir, path)
    }

    #[test]
    fn no_file_means_the_default() {
        let dir = tempfile::tempdir().unwrap();
        let loaded = load(&dir.path().join("config.toml")).unwrap();
        assert_eq!(loaded, Config::default());
    }

    #[test]
    fn what_was_saved_is_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let mut config = Config::default();
        config.settings.record_calls = true;
        config.accounts.push(Account {
            address: "sip:alice@example.com".to_owned(),
            display_name: "Alice \"Ace\" Müller".to_owned(),
            ..Account::default()
        });
        save(&path, &config).unwrap();
        assert_eq!(load(&path).unwrap(), config);
    }

    #[test]
    fn damage_is_named_by_line_and_column_and_the_file_is_left() {
        let content = "[settings]\nmax_calls = 3\nregion = \"DE\nrecord_calls = true\n";
        let (_dir, path) = file(content.as_bytes());
        let error = load(&path).unwrap_err();
        let ConfigError::Damaged { line, column, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!((*line, *column > 1), (3, true), "{error}");
        let sentence = error.to_string();
        assert!(sentence.contains("config.toml") && sentence.contains("line 3"));
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }

    #[test]
    fn an_unknown_word_is_named_but_never_its_value() {
        let content = "[[accounts]]\naddress = \"sip:a@example.com\"\npassword = \"hunter2\"\n";
        let (_dir, path) = file(content.as_bytes());
        let sentence = load(&path).unwrap_err().to_string();
        assert!(sentence.contains("line 3, column 1"), "{sentence}");
        assert!(sentence.contains("password"), "{sentence}");
        assert!(!sentence.contains("hunter2"), "{sentence}");
    }

    #[test]
    fn bytes_that_are_no_text_are_named_by_place() {
        let (_dir, path) = file(b"[settings]\nregion = \"\xff\"\n");
        let sentence = load(&path).unwrap_err().to_string();
        assert!(sentence.contains("line 2, column 11"), "{sentence}");
    }

    #[test]
    fn a_value_that_cannot_work_is_refused_by_load_and_by_save() {
        let (_dir, path) = file(b"[settings]\nmax_calls = 0\n");
        let sentence = load(&path).unwrap_err().to_string();
        assert!(sentence.contains("max_calls is 0"), "{sentence}");
        let mut config = Config::default();
        config.settings.max_calls = 0;
        assert!(matches!(
            save(&path, &config),
            Err(ConfigError::Invalid { .. })
        ));
        assert!(fs::read_to_string(&path).unwrap().contains("max_calls = 0"));
    }

    #[test]
    fn a_folder_in_the_place_of_the_file_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let error = load(dir.path()).unwrap_err();
        assert!(matches!(error, ConfigError::Read { .. }), "{error}");
    }

    #[test]
    fn a_huge_file_is_not_read() {
        let (_dir, path) = file(&vec![b'#'; MAX_BYTES + 1]);
        let sentence = load(&path).unwrap_err().to_string();
        assert!(sentence.contains("1 MiB"), "{sentence}");
    }
}
