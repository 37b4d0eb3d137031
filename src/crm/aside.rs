//! Calls that begin while the writer is busy for long, and what happens in calls meanwhile, in a small file
//! beside the database.
//!
//! Only one connection can write, and an import, its undo or a compaction keeps it busy for seconds. A call
//! that begins, is answered or ends meanwhile must not wait for that, nor be in memory alone. So it is put into this file, a line
//! for each, which costs one flush as the page of arrivals does. As soon as the writer is free it takes the
//! lines over into the arrivals and empties the file; where it never was again, the next start does.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::crm::arrivals::News;
use crate::crm::open;

/// The file in the data folder.
pub(crate) const FILE: &str = "ringdesk.arrivals";

/// More than that, in bytes, no writer leaves there: a longer file is not ours.
const LONGEST: u64 = 64 << 20;

/// The file, and what is in it.
#[derive(Debug)]
pub(crate) struct Aside {
    path: PathBuf,
    /// None until something takes long for the first time.
    file: Option<File>,
    /// Its bytes that are synced and ours; what lies behind them counts for nothing.
    length: u64,
    /// News of calls as JSON, one for each line.
    lines: Vec<String>,
}

impl Aside {
    /// Reads what an earlier phone could not take over, where there is a file.
    pub(crate) fn open(data_dir: &Path) -> io::Result<Self> {
        let mut aside = Self {
            path: data_dir.join(FILE),
            file: None,
            length: 0,
            lines: Vec::new(),
        };
        if !aside.path.exists() {
            return Ok(aside);
        }
        let mut text = Vec::new();
        let file = aside.file()?;
        file.take(LONGEST).read_to_end(&mut text)?;
        // Of a line that was cut off nobody was told.
        let last = text.iter().rposition(|byte| *byte == b'\n');
        text.truncate(last.map_or(0, |last| last + 1));
        aside.length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        aside.lines = text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .filter_map(|line| std::str::from_utf8(line).ok().map(str::to_owned))
            .collect();
        Ok(aside)
    }

    /// Makes the file where there is none yet, so that no caller waits for that.
    pub(crate) fn prepare(&mut self) -> io::Result<()> {
        self.file().map(drop)
    }

    fn file(&mut self) -> io::Result<&File> {
        if self.file.is_none() {
            let is_new = !self.path.exists();
            let file = open::private_file(&self.path)?;
            if is_new {
                // A call would else be safe in a file that has no name after a power loss.
                open::sync_name(&self.path)?;
            }
            self.file = Some(file);
        }
        self.file
            .as_ref()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Puts news of calls into the file; once that is done they survive a power loss.
    pub(crate) fn keep(&mut self, news: &[News<'_>]) -> io::Result<()> {
        let mut lines = news
            .iter()
            .map(serde_json::to_string)
            .collect::<Result<Vec<String>, _>>()?;
        let mut text = lines.join("\n");
        text.push('\n');
        // Where an earlier attempt failed, this one comes in its place.
        let length = self.length;
        let file = self.file()?;
        write_at(file, text.as_bytes(), length)?;
        file.sync_data()?;
        self.length += u64::try_from(text.len()).unwrap_or_default();
        self.lines.append(&mut lines);
        Ok(())
    }

    /// Empties the file, once its calls are in the database.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        if let Some(file) = &self.file
            && file.metadata()?.len() > 0
        {
            file.set_len(0)?;
            // Else a call that somebody erased meanwhile could come back.
            file.sync_all()?;
        }
        self.length = 0;
        self.lines.clear();
        Ok(())
    }

    /// What is in the file, as JSON.
    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    use std::io::{Seek as _, SeekFrom, Write as _};
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::CallId;
    use crate::crm::row::CallRow;

    fn call(number: u64) -> CallRow {
        let id = CallId::new(number, [7; 10]);
        CallRow::ringing(id, "0301234567", jiff::Timestamp::UNIX_EPOCH)
    }

    fn calls(aside: &Aside) -> Vec<CallRow> {
        let read = |line: &String| serde_json::from_str(line).unwrap();
        aside.lines().iter().map(read).collect()
    }

    #[test]
    fn what_was_put_aside_is_there_until_it_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let mut aside = Aside::open(folder.path()).unwrap();
        assert!(aside.lines().is_empty());
        aside
            .keep(&[News::Beginning(&call(1)), News::Beginning(&call(2))])
            .unwrap();
        aside.keep(&[News::Beginning(&call(3))]).unwrap();
        let three = [call(1), call(2), call(3)];
        assert_eq!(calls(&aside), three);
        let mut again = Aside::open(folder.path()).unwrap();
        assert_eq!(calls(&again), three);
        again.clear().unwrap();
        again.keep(&[News::Beginning(&call(4))]).unwrap();
        assert_eq!(calls(&Aside::open(folder.path()).unwrap()), [call(4)]);
    }

    #[test]
    fn a_line_that_was_cut_off_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut aside = Aside::open(folder.path()).unwrap();
        aside
            .keep(&[News::Beginning(&call(1)), News::Beginning(&call(2))])
            .unwrap();
        let file = folder.path().join(FILE);
        let whole = std::fs::read(&file).unwrap();
        for cut in 1..whole.len() / 2 {
            std::fs::write(&file, &whole[..whole.len() - cut]).unwrap();
            let mut aside = Aside::open(folder.path()).unwrap();
            assert_eq!(calls(&aside), [call(1)], "without {cut} bytes");
            // And it does not spoil the next one.
            aside.keep(&[News::Beginning(&call(3))]).unwrap();
            let aside = Aside::open(folder.path()).unwrap();
            assert_eq!(calls(&aside), [call(1), call(3)]);
        }
    }
}
