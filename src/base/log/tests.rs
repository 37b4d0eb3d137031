use std::fs;
use std::io::Write as _;

use super::*;

const SMALL: Limits = Limits {
    octets: 1_000,
    files: 4,
};

fn all(folder: &Path) -> String {
    let parts = files(folder).into_iter();
    parts
        .map(|file| fs::read_to_string(file).unwrap())
        .collect()
}

fn log(log: &Log, text: &str) {
    log.make_writer().write_all(text.as_bytes()).unwrap();
}

#[test]
fn turning_over_loses_no_line_and_keeps_so_many_files() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("state/log");
    let mut lines = Vec::new();
    // Closed and opened again in between, as by starts of the phone.
    for start in 0..4 {
        let mut file = LogFile::open(&folder, SMALL).unwrap();
        for number in 0..50 {
            let line = format!("{start} {number} {}\n", "x".repeat(number));
            file.write(line.as_bytes()).unwrap();
            lines.push(line);
        }
    }
    let kept = all(&folder);
    assert!(lines.concat().ends_with(&kept), "{kept}");
    let found = files(&folder);
    assert_eq!(found.len(), SMALL.files);
    for file in &found {
        let about = file.metadata().unwrap();
        assert!(about.len() <= SMALL.octets);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(about.permissions().mode() & 0o777, 0o600);
        }
    }
    // All but the newest are as full as they get.
    assert!(kept.len() > 2_500, "{}", kept.len());
}

#[test]
fn a_smaller_bound_takes_older_files_away() {
    let folder = tempfile::tempdir().unwrap();
    for files in [6, 2] {
        let mut file = LogFile::open(folder.path(), Limits { files, ..SMALL }).unwrap();
        for _ in 0..10 {
            file.write(&[b'x'; 900]).unwrap();
        }
        assert_eq!(super::files(folder.path()).len(), files);
    }
}

#[test]
fn a_log_has_one_writer() {
    let folder = tempfile::tempdir().unwrap();
    let first = LogFile::open(folder.path(), SMALL).unwrap();
    let second = LogFile::open(folder.path(), SMALL).unwrap_err();
    assert!(second.to_string().contains("another Ringdesk"), "{second}");
    drop(first);
    LogFile::open(folder.path(), SMALL).unwrap();
}

#[test]
fn lines_of_several_threads_are_all_there_each_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits {
        octets: 2_000,
        files: 90,
    };
    let whole = Log::start(folder.path(), limits).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let whole = &whole;
            scope.spawn(move || {
                for number in 0..200 {
                    log(whole, &format!("thread {thread} line {number}\n"));
                }
            });
        }
    });
    whole.flush();
    let text = all(folder.path());
    for thread in 0..4 {
        let found = text.lines().filter_map(|line| {
            line.strip_prefix(&format!("thread {thread} line "))?
                .parse()
                .ok()
        });
        assert_eq!(found.collect::<Vec<u32>>(), (0..200).collect::<Vec<_>>());
    }
    assert_eq!(whole.problem(), None);
}

#[test]
fn a_folder_that_cannot_be_written_is_told_and_nobody_waits() {
    let folder = tempfile::tempdir().unwrap();
    // A file stands where the folder should be: that stops also a test that runs as root.
    let place = folder.path().join("taken");
    fs::write(&place, "x").unwrap();
    let whole = Log::start(&place, SMALL).unwrap();
    let (tell, told) = sync_channel(8);
    whole.listen(move |problem| tell.try_send(problem).unwrap());
    assert_eq!(told.recv().unwrap(), None);
    for number in 0..20_000 {
        log(&whole, &format!("{number}\n"));
    }
    let problem = told.recv().unwrap().unwrap();
    assert!(problem.contains("taken writable"), "{problem}");
    assert_eq!(whole.problem(), Some(problem));
}

/// Linux has a device that is always full.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_takes_no_half_line_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("ringdesk.log")).unwrap();
    let whole = Log::start(folder.path(), SMALL).unwrap();
    let (tell, told) = sync_channel(8);
    whole.listen(move |problem| tell.try_send(problem).unwrap());
    assert_eq!(told.recv().unwrap(), None);
    log(&whole, "one\n");
    let problem = told.recv().unwrap().unwrap();
    assert!(problem.contains("space"), "{problem}");
}

#[test]
fn what_found_no_room_is_counted_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let whole = Log::start(folder.path(), SMALL).unwrap();
    whole.0.lost.fetch_add(7, Ordering::Relaxed);
    log(&whole, "after\n");
    whole.flush();
    let text = all(folder.path());
    let mut lines = text.lines();
    assert!(lines.next().unwrap().ends_with("7 lines are missing here"));
    assert_eq!(lines.next(), Some("after"));
}

#[test]
fn secrets_and_forged_lines_do_not_reach_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let whole = Log::start(folder.path(), SMALL).unwrap();
    log(&whole, "password=hunter2\n2026-01-01 forged \x1b[31mred\n");
    log(&whole, &"long ".repeat(10_000));
    whole.flush();
    let text = all(folder.path());
    assert!(
        !text.contains("hunter2") && !text.contains('\x1b'),
        "{text}"
    );
    assert!(text.contains("\n    2026-01-01 forged"), "{text}");
    assert!(text.ends_with("…\n"));
    assert!(text.len() < 17 * 1024);
}
