//! SQLite's file, read page by page without SQLite: for a file that SQLite itself refuses.
//!
//! The format is that of <https://www.sqlite.org/fileformat2.html>: sections 1.2 to 1.6 (header,
//! b-tree pages, cells, overflow), 2.1 (records) and 4 (the write-ahead log). Nothing is written, and
//! nothing that stands in the file is believed: each length and page number is checked against what is
//! there, and each chain is followed once.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use rusqlite::types::Value;

/// What every SQLite file begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The size of pages, in bytes, where the file's own word for it is lost: SQLite's default, which is
/// ours.
const USUAL_PAGE: usize = 4096;
/// The header before the first page's tree, in bytes.
const HEADER: usize = 100;
/// The header of the log, and of each page in it, in bytes.
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// A record with more columns than that is none of ours.
const COLUMNS: usize = 256;

/// One row: its key, where it has one, and its values.
pub(super) type Record = Vec<Value>;

/// What a page holds.
#[derive(Debug)]
pub(super) enum Page {
    /// Rows of a table with their keys.
    TableLeaf(Vec<(i64, Record)>),
    /// The pages below, of a table.
    TableInner(Vec<u32>),
    /// Rows of an index, or of a table without row ids.
    IndexLeaf(Vec<Record>),
    /// Rows, and the pages below, of an index.
    IndexInner(Vec<u32>, Vec<Record>),
}

/// A page, and how many of its cells cannot be read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) page: Page,
    pub(super) unreadable: u64,
}

/// The pages of a database file with its log.
pub(super) struct Pages {
    file: File,
    log: Option<File>,
    /// Where the newest committed form of a page stands in the log.
    in_log: HashMap<u32, u64>,
    size: usize,
    usable: usize,
    count: u32,
}

impl Pages {
    /// Opens a file and the log beside it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut header = [0; HEADER];
        let length = file.metadata()?.len();
        if length >= HEADER as u64 {
            file.read_exact(&mut header)?;
        }
        let mut pages = Self {
            file,
            log: None,
            in_log: HashMap::new(),
            size: USUAL_PAGE,
            usable: USUAL_PAGE,
            count: 0,
        };
        if let Some(size) = page_size(&header) {
            pages.size = size;
        }
        let mut after_log = 0;
        if let Ok(log) = File::open(path.with_extension("db-wal")) {
            after_log = pages.read_log(log)?;
        }
        let size = u64::try_from(pages.size).unwrap_or(u64::MAX);
        let in_file = u32::try_from(length.div_ceil(size)).unwrap_or(u32::MAX);
        pages.count = in_file.max(after_log);
        // What each page keeps free at its end: nothing, unless the header says so credibly.
        pages.usable = pages.size;
        if let Ok(first) = pages.bytes(1)
            && first.starts_with(MAGIC)
            && let Some(reserved) = first.get(20).map(|it| usize::from(*it))
            && reserved <= 32
        {
            pages.usable = pages.size.saturating_sub(reserved);
        }
        Ok(pages)
    }

    /// How many pages there are; they are numbered from 1.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// A number of four bytes in the file's header; none where the header is lost.
    pub(super) fn header(&self, at: usize) -> Option<u32> {
        let first = self.bytes(1).ok()?;
        first.starts_with(MAGIC).then(|| be32(&first, at))?
    }

    /// The pages that hold nothing, as far as their list can be read.
    pub(super) fn free(&self) -> Vec<u32> {
        let mut free = Vec::new();
        let mut trunk = self.header(32).unwrap_or(0);
        while trunk != 0 && trunk <= self.count && free.len() < self.count as usize {
            let Ok(bytes) = self.bytes(trunk) else { break };
            free.push(trunk);
            let leaves = be32(&bytes, 4).unwrap_or(0) as usize;
            let most = self.usable / 4;
            for leaf in 0..leaves.min(most.saturating_sub(2)) {
                free.extend(be32(&bytes, 8 + 4 * leaf).filter(|page| *page <= self.count));
            }
            trunk = be32(&bytes, 0).unwrap_or(0);
        }
        free
    }

    /// Reads a page of a tree; none when it is no such page. `overflow` is told each page that a long
    /// value goes on in.
    pub(super) fn read(&self, number: u32, overflow: &mut dyn FnMut(u32)) -> Option<Read> {
        let bytes = self.bytes(number).ok()?;
        let start = if number == 1 { HEADER } else { 0 };
        let kind = *bytes.get(start)?;
        let cells = usize::from(be16(&bytes, start + 3)?);
        let inner = matches!(kind, 0x02 | 0x05);
        let pointers = start + if inner { 12 } else { 8 };
        // A cell takes four bytes at least, and two for its place.
        if !matches!(kind, 0x02 | 0x05 | 0x0a | 0x0d) || cells > self.usable / 6 + 1 {
            return None;
        }
        let mut unreadable = 0;
        let mut rows = Vec::new();
        let mut keyed = Vec::new();
        let mut below = Vec::new();
        for cell in 0..cells {
            let place = be16(&bytes, pointers + 2 * cell).map(usize::from);
            let mut at =
                place.filter(|place| *place >= pointers + 2 * cells && *place < self.usable);
            let read = at.as_mut().and_then(|at| {
                if inner {
                    below.push(be32(&bytes, *at).filter(|page| self.is_page(*page))?);
                    *at += 4;
                }
                match kind {
                    0x05 => Some(()),
                    0x0d => {
                        let length = varint(&bytes, at)?;
                        let key = varint(&bytes, at)?;
                        let payload = self.payload(&bytes, *at, length, false, overflow)?;
                        keyed.push((key, record(&payload)?));
                        Some(())
                    }
                    _ => {
                        let length = varint(&bytes, at)?;
                        let payload = self.payload(&bytes, *at, length, true, overflow)?;
                        rows.push(record(&payload)?);
                        Some(())
                    }
                }
            });
            if read.is_none() {
                unreadable += 1;
            }
        }
        if inner {
            match be32(&bytes, start + 8).filter(|page| self.is_page(*page)) {
                Some(last) => below.push(last),
                None => unreadable += 1,
            }
        }
        let page = match kind {
            0x05 => Page::TableInner(below),
            0x02 => Page::IndexInner(below, rows),
            0x0d => Page::TableLeaf(keyed),
            _ => Page::IndexLeaf(rows),
        };
        Some(Read { page, unreadable })
    }

    fn is_page(&self, number: u32) -> bool {
        (1..=self.count).contains(&number)
    }

    /// The bytes of a page, as the last committed transaction left it.
    fn bytes(&self, number: u32) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; self.size];
        match (&self.log, self.in_log.get(&number)) {
            (Some(log), Some(at)) => read_at(log, *at, &mut bytes)?,
            (Some(_) | None, _) => {
                let at = u64::from(number.saturating_sub(1)) * self.size as u64;
                // The last page of a file that was cut is what there is of it.
                let left = self.file.metadata()?.len().saturating_sub(at);
                let there = usize::try_from(left).unwrap_or(usize::MAX).min(self.size);
                if there == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                if let Some(part) = bytes.get_mut(..there) {
                    read_at(&self.file, at, part)?;
                }
            }
        }
        Ok(bytes)
    }

    /// Gathers a payload from its page and those it goes on in (section 1.6 and 1.5, "X", "M" and "K").
    fn payload(
        &self,
        page: &[u8],
        at: usize,
        length: i64,
        index: bool,
        overflow: &mut dyn FnMut(u32),
    ) -> Option<Vec<u8>> {
        let length = usize::try_from(length).ok()?;
        if length as u64 > u64::from(self.count) * self.size as u64 {
            return None;
        }
        let usable = self.usable;
        let most = if index {
            (usable - 12) * 64 / 255 - 23
        } else {
            usable - 35
        };
        if length <= most {
            return page.get(at..at + length).map(<[u8]>::to_vec);
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let wished = least + (length - least) % (usable - 4);
        let local = if wished <= most { wished } else { least };
        let mut payload = page.get(at..at + local)?.to_vec();
        let mut next = be32(page, at + local)?;
        while payload.len() < length {
            if !self.is_page(next) {
                return None;
            }
            let bytes = self.bytes(next).ok()?;
            overflow(next);
            let part = (length - payload.len()).min(usable - 4);
            payload.extend_from_slice(bytes.get(4..4 + part)?);
            next = be32(&bytes, 0)?;
        }
        Some(payload)
    }

    /// Takes note of the committed pages in a log; gives how many pages the file has after them.
    fn read_log(&mut self, mut log: File) -> io::Result<u32> {
        let mut header = [0; LOG_HEADER];
        if log.metadata()?.len() < LOG_HEADER as u64 {
            return Ok(0);
        }
        log.read_exact(&mut header)?;
        let word = |at| be32(&header, at).unwrap_or(0);
        let big_endian = match word(0) {
            0x377f_0682 => false,
            0x377f_0683 => true,
            _ => return Ok(0),
        };
        let size = word(8) as usize;
        if !(512..=65_536).contains(&size) || !size.is_power_of_two() {
            return Ok(0);
        }
        let head = header.get(..24).unwrap_or_default();
        let mut sum = checksum(big_endian, (0, 0), head);
        if sum != (word(24), word(28)) {
            return Ok(0);
        }
        let mut uncommitted = HashMap::new();
        let mut count = 0;
        let mut at = LOG_HEADER as u64;
        let mut frame = vec![0; FRAME_HEADER + size];
        // What stands behind the last valid frame is of an earlier turn of the log.
        while log.read_exact(&mut frame).is_ok() {
            let (head, page) = frame.split_at(FRAME_HEADER);
            let word = |at| be32(head, at).unwrap_or(0);
            sum = checksum(big_endian, sum, head.get(..8).unwrap_or_default());
            sum = checksum(big_endian, sum, page);
            let salts = (word(8), word(12));
            let expected = (be32(&header, 16), be32(&header, 20));
            if (Some(salts.0), Some(salts.1)) != expected || sum != (word(16), word(20)) {
                break;
            }
            uncommitted.insert(word(0), at + FRAME_HEADER as u64);
            if word(4) != 0 {
                count = word(4);
                self.in_log.extend(uncommitted.drain());
            }
            at += frame.len() as u64;
        }
        if !self.in_log.is_empty() {
            self.size = size;
        }
        self.log = Some(log);
        Ok(count)
    }
}

fn page_size(header: &[u8]) -> Option<usize> {
    let size = match be16(header, 16)? {
        1 => 65_536,
        size => usize::from(size),
    };
    let possible = (512..=65_536).contains(&size) && size.is_power_of_two();
    (header.starts_with(MAGIC) && possible).then_some(size)
}

fn read_at(mut file: &File, at: u64, bytes: &mut [u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(bytes)
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(two.try_into().ok()?))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}

/// The log's checksum (section 4.2).
fn checksum(big_endian: bool, (mut first, mut second): (u32, u32), bytes: &[u8]) -> (u32, u32) {
    for eight in bytes.chunks_exact(8) {
        let (left, right) = eight.split_at(4);
        let word = |four: &[u8]| {
            let four = four.try_into().unwrap_or_default();
            if big_endian {
                u32::from_be_bytes(four)
            } else {
                u32::from_le_bytes(four)
            }
        };
        first = first.wrapping_add(word(left)).wrapping_add(second);
        second = second.wrapping_add(word(right)).wrapping_add(first);
    }
    (first, second)
}

/// Reads a number of one to nine bytes.
fn varint(bytes: &[u8], at: &mut usize) -> Option<i64> {
    let mut value: u64 = 0;
    for place in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if place == 8 {
            value = value << 8 | u64::from(byte);
            break;
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(i64::from_ne_bytes(value.to_ne_bytes()))
}

/// Reads a record (section 2.1); none unless it is whole and its text is UTF-8.
fn record(payload: &[u8]) -> Option<Record> {
    let mut at = 0;
    let header = usize::try_from(varint(payload, &mut at)?).ok()?;
    if header < at || header > payload.len() {
        return None;
    }
    let mut body = header;
    let mut values = Vec::new();
    while at < header {
        let kind = varint(payload, &mut at)?;
        let length = usize::try_from(match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            12.. => (kind - 12) / 2,
            _ => return None,
        })
        .ok()?;
        let bytes = payload.get(body..body.checked_add(length)?)?;
        body += length;
        values.push(match kind {
            0 => Value::Null,
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            7 => Value::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
            1..=6 => Value::Integer(integer(bytes)),
            _ if kind % 2 == 0 => Value::Blob(bytes.to_vec()),
            _ => Value::Text(String::from_utf8(bytes.to_vec()).ok()?),
        });
        if values.len() > COLUMNS {
            return None;
        }
    }
    // A record fills its payload: what does not is none.
    (at == header && body == payload.len() && !values.is_empty()).then_some(values)
}

fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let start: i64 = if negative { -1 } else { 0 };
    bytes
        .iter()
        .fold(start, |value, byte| value << 8 | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// All rows of the table whose tree begins on that page.
    fn rows(pages: &Pages, root: u32) -> Vec<(i64, Record)> {
        let read = pages.read(root, &mut |_| {}).unwrap();
        assert_eq!(read.unreadable, 0);
        match read.page {
            Page::TableLeaf(rows) => rows,
            Page::TableInner(below) => below.iter().flat_map(|page| rows(pages, *page)).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_value_is_read_as_sqlite_wrote_it_from_the_file_and_from_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ringdesk.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = wal; CREATE TABLE t (id INTEGER PRIMARY KEY, a, b);",
            )
            .unwrap();
        let long = "ü".repeat(30_000);
        let values = [
            Value::Null,
            Value::Integer(0),
            Value::Integer(1),
            Value::Integer(-2),
            Value::Integer(300),
            Value::Integer(-70_000),
            Value::Integer(1 << 30),
            Value::Integer(-(1 << 44)),
            Value::Integer(i64::MIN),
            Value::Real(-1.5),
            Value::Text(long),
            Value::Text(String::new()),
            Value::Blob(vec![7; 5000]),
        ];
        for (row, value) in values.iter().enumerate() {
            let id = i64::try_from(row).unwrap() * 1_000_003 - 5;
            connection
                .execute("INSERT INTO t VALUES (?1, ?2, 'x')", (id, value))
                .unwrap();
        }
        let root: u32 = connection
            .query_row("SELECT rootpage FROM sqlite_schema", [], |row| row.get(0))
            .unwrap();
        for in_log in [true, false] {
            if !in_log {
                let truncate = "PRAGMA wal_checkpoint(TRUNCATE)";
                connection.query_row(truncate, [], |_| Ok(())).unwrap();
            }
            let pages = Pages::open(&path).unwrap();
            assert_eq!(!pages.in_log.is_empty(), in_log);
            let read = rows(&pages, root);
            assert_eq!(read.len(), values.len());
            for (row, (id, record)) in read.into_iter().enumerate() {
                assert_eq!(id, i64::try_from(row).unwrap() * 1_000_003 - 5);
                assert_eq!(record[1], values[row]);
                assert_eq!(record[2], Value::Text("x".to_owned()));
            }
        }
    }

    #[test]
    fn what_was_not_committed_is_not_read_from_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ringdesk.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = wal; CREATE TABLE t (a); INSERT INTO t VALUES (1);
                 INSERT INTO t VALUES (2);",
            )
            .unwrap();
        let log = path.with_extension("db-wal");
        let whole = std::fs::read(&log).unwrap();
        // The last frame, and with it the second row's commit, is torn.
        let copy = folder.path().join("copy.db");
        std::fs::copy(&path, &copy).unwrap();
        std::fs::write(copy.with_extension("db-wal"), &whole[..whole.len() - 100]).unwrap();
        assert_eq!(rows(&Pages::open(&copy).unwrap(), 2).len(), 1);
        assert_eq!(rows(&Pages::open(&path).unwrap(), 2).len(), 2);
    }

    #[test]
    fn no_bytes_panic() {
        use crate::base::random::{Random as _, SeededRandom};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ringdesk.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE t (a, b); CREATE INDEX i ON t (a, b);
                 WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 500)
                 INSERT INTO t SELECT n, hex(randomblob(40)) FROM n;
                 INSERT INTO t VALUES (1, hex(randomblob(9000)));",
            )
            .unwrap();
        let whole = std::fs::read(&path).unwrap();
        let mut random = SeededRandom::new(7);
        for _ in 0..300 {
            let mut bytes = whole.clone();
            for _ in 0..20 {
                let place = usize::try_from(random.next_u32()).unwrap() % bytes.len();
                bytes[place] = random.next_u64().to_le_bytes()[0];
            }
            std::fs::write(&path, &bytes).unwrap();
            let pages = Pages::open(&path).unwrap();
            pages.free();
            for page in 0..=pages.count() {
                pages.read(page, &mut |_| {});
            }
        }
    }
}
