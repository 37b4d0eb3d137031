//! What a driver did to its files, system call by system call, as strace wrote it down.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use crate::driver::Line;

/// What changes files, or says that it did.
const CALLS: &str = "trace=mkdir,openat,write,pwrite64,fdatasync,fsync,ftruncate,unlink,rename";

/// No write of a database is longer, in bytes: else strace would cut it.
const LONGEST: usize = 1 << 20;

/// One thing that a driver did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    MakeFolder(PathBuf),
    Create(PathBuf),
    Write {
        path: PathBuf,
        at: usize,
        bytes: Vec<u8>,
    },
    Truncate(PathBuf, usize),
    /// The disk has what was written there before.
    Sync(PathBuf),
    Remove(PathBuf),
    /// A file gets another name, in whose place it comes.
    Rename(PathBuf, PathBuf),
    Say(Line),
}

/// The command that runs another one and writes its trace into a file.
pub(crate) fn command(into: &Path) -> Vec<OsString> {
    let longest = LONGEST.to_string();
    // Of all strings each byte in hexadecimal: no quoting, no encoding.
    let words = [
        "strace", "-f", "-y", "-xx", "-s", &longest, "-e", CALLS, "-o",
    ];
    let mut command: Vec<OsString> = words.iter().map(OsString::from).collect();
    command.push(into.as_os_str().to_owned());
    command
}

/// Reads a trace; only what happens below `root` counts.
pub(crate) fn read(file: &Path, root: &Path) -> Vec<Event> {
    let mut lines = BufReader::new(File::open(file).unwrap());
    let mut events = Vec::new();
    // What a thread began, while another one came in between.
    let mut begun: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).unwrap() == 0 {
            break;
        }
        let text = line.trim_ascii();
        let space = text.iter().position(|byte| *byte == b' ').unwrap();
        let (thread, call) = (&text[..space], text[space..].trim_ascii());
        if call.starts_with(b"+++") || call.starts_with(b"---") {
            continue;
        }
        if let Some(start) = call.strip_suffix(b"<unfinished ...>") {
            // Who reads a line may have it as soon as it is being written.
            say(start, &mut events);
            begun.insert(thread.to_vec(), start.trim_ascii().to_vec());
            continue;
        }
        let whole;
        let call = if call.starts_with(b"<... ") {
            let end = b"resumed>";
            let rest = call.windows(end.len()).position(|it| it == end).unwrap();
            let mut start = begun.remove(thread).unwrap();
            start.extend(&call[rest + end.len()..]);
            whole = start;
            &whole[..]
        } else {
            say(call, &mut events);
            call
        };
        events.extend(event(call).filter(|event| is_below(event, root)));
    }
    assert!(
        events.iter().any(|event| matches!(event, Event::Say(_))),
        "there is nothing in {}",
        file.display()
    );
    events
}

fn is_below(event: &Event, root: &Path) -> bool {
    match event {
        Event::MakeFolder(path)
        | Event::Create(path)
        | Event::Write { path, .. }
        | Event::Truncate(path, _)
        | Event::Sync(path)
        | Event::Remove(path)
        | Event::Rename(path, _) => path.starts_with(root),
        Event::Say(_) => true,
    }
}

/// Adds the lines that are written to the standard output.
fn say(call: &[u8], events: &mut Vec<Event>) {
    if let Some(arguments) = call.strip_prefix(b"write(1<") {
        let mut words = Words(arguments);
        words.path();
        let text = String::from_utf8(words.string()).unwrap();
        events.extend(text.lines().filter_map(Line::parse).map(Event::Say));
    }
}

/// Reads a finished call; none where it failed, or changes no file.
fn event(call: &[u8]) -> Option<Event> {
    let open = call.iter().position(|byte| *byte == b'(')?;
    let (name, mut words) = (&call[..open], Words(&call[open + 1..]));
    // Between the two, strace fills up with spaces.
    let result = call.windows(3).rposition(|it| it == b" = ").unwrap();
    assert!(call[..result].trim_ascii_end().ends_with(b")"));
    let failed = call[result + 3..].starts_with(b"-");
    if name == b"write" || failed {
        assert!(
            !failed || !matches!(name, b"pwrite64" | b"fdatasync" | b"fsync"),
            "{}",
            String::from_utf8_lossy(&call[..open])
        );
        return None;
    }
    Some(match name {
        b"mkdir" => Event::MakeFolder(words.string_path()),
        b"unlink" => Event::Remove(words.string_path()),
        b"rename" => Event::Rename(words.string_path(), words.string_path()),
        b"openat" => {
            // AT_FDCWD and where that is.
            words.path();
            let path = words.string_path();
            words.0.windows(7).find(|it| *it == b"O_CREAT")?;
            Event::Create(path)
        }
        b"pwrite64" => {
            let path = words.file()?;
            let bytes = words.string();
            assert_eq!(words.number(), bytes.len(), "strace cut a write");
            let at = words.number();
            Event::Write { path, at, bytes }
        }
        b"ftruncate" => Event::Truncate(words.file()?, words.number()),
        b"fdatasync" | b"fsync" => Event::Sync(words.file()?),
        other => panic!("{}", String::from_utf8_lossy(other)),
    })
}

/// The arguments of a call, from the left.
struct Words<'a>(&'a [u8]);

impl Words<'_> {
    /// Skips to behind the next such byte.
    fn behind(&mut self, byte: u8) {
        let at = self.0.iter().position(|it| *it == byte).unwrap();
        self.0 = &self.0[at + 1..];
    }

    /// The path of a descriptor whose number and bracket were read.
    fn path(&mut self) -> PathBuf {
        let path = self.bytes();
        self.behind(b'>');
        PathBuf::from(OsString::from_vec(path))
    }

    /// The path of the next descriptor; none where the file was removed.
    fn file(&mut self) -> Option<PathBuf> {
        self.behind(b'<');
        let path = self.path();
        (!self.0.starts_with(b"(deleted)")).then_some(path)
    }

    fn string(&mut self) -> Vec<u8> {
        self.behind(b'"');
        let bytes = self.bytes();
        self.behind(b'"');
        bytes
    }

    fn string_path(&mut self) -> PathBuf {
        PathBuf::from(OsStr::from_bytes(&self.string()))
    }

    /// Bytes as `\x61\x62`.
    fn bytes(&mut self) -> Vec<u8> {
        let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
        let mut bytes = Vec::new();
        while let [b'\\', b'x', high, low, rest @ ..] = self.0 {
            bytes.push(digit(*high) << 4 | digit(*low));
            self.0 = rest;
        }
        bytes
    }

    /// The next number, behind a comma.
    fn number(&mut self) -> usize {
        self.behind(b',');
        let text = self.0.trim_ascii_start();
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.0 = &text[digits..];
        std::str::from_utf8(&text[..digits])
            .unwrap()
            .parse()
            .unwrap()
    }
}

#[test]
fn a_trace_is_read_though_threads_cut_each_other_short() {
    let desk = tempfile::tempdir().unwrap();
    let file = desk.path().join("trace");
    let hex =
        |text: &str| -> String { text.bytes().map(|byte| format!("\\x{byte:02x}")).collect() };
    let (folder, log, line) = (hex("/d"), hex("/d/a log"), hex("done 7\n"));
    let elsewhere = hex("/e");
    let text = format!(
        "1 openat(AT_FDCWD<{elsewhere}>, \"{log}\", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 5<{log}>
1 openat(AT_FDCWD<{elsewhere}>, \"{log}\", O_RDONLY) = 6<{log}>
1 pwrite64(5<{log}>, \"\\x22\\x0a\", 2, 4096 <unfinished ...>
2 write(1<{elsewhere}>, \"{line}\", 7 <unfinished ...>
1 <... pwrite64 resumed>)             = 2
2 <... write resumed>)                = 7
1 fdatasync(5<{log}>) = 0
1 ftruncate(5<{log}>, 0) = -1 EIO (Input/output error)
1 fsync(9<{elsewhere}>) = 0
1 pwrite64(5<{log}>(deleted), \"\\x22\", 1, 0) = 1
1 fsync(8<{folder}>) = 0
1 rename(\"{log}\", \"{folder}\") = 0
2 +++ exited with 0 +++
"
    );
    std::fs::write(&file, text).unwrap();
    let log = PathBuf::from("/d/a log");
    assert_eq!(
        read(&file, Path::new("/d")),
        [
            Event::Create(log.clone()),
            Event::Say(Line::Done(7)),
            Event::Write {
                path: log.clone(),
                at: 4096,
                bytes: b"\"\n".to_vec()
            },
            Event::Sync(log.clone()),
            Event::Sync(PathBuf::from("/d")),
            Event::Rename(log, PathBuf::from("/d")),
        ]
    );
}
