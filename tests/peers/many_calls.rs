//! Many calls at once, whose sound two threads share, with SIPp as each far end.

use std::fs;
use std::path::PathBuf;
use std::thread::available_parallelism;

use tempfile::TempDir;

use crate::audio::read_recording;
use crate::phone::Phone;
use crate::place;
use crate::sipp::Sipp;

/// One has the devices; the others are more than one thread carries.
const CALLS: usize = 12;
/// What SIPp's tone has, in hertz.
const TONE: f64 = 440.0;

/// Whether the phone has its second media thread.
fn is_shared(phone: &Phone) -> bool {
    let threads = fs::read_dir(format!("/proc/{}/task", phone.id())).unwrap();
    threads.flatten().any(|thread| {
        // A thread that ends meanwhile has no name.
        fs::read_to_string(thread.path().join("comm"))
            .is_ok_and(|name| name.trim() == "ringdesk-media2")
    })
}

#[test]
fn a_second_thread_takes_its_share_of_many_calls_and_each_is_heard() {
    let folder = TempDir::new().unwrap();
    let records = folder.path().to_str().unwrap();
    let options = ["--no-register", "--auto-answer", "--rate-limit", "off"];
    let more = ["--max-calls", "20", "--record-dir", records];
    let mut phone = Phone::start(&[&options[..], &more[..]].concat());
    assert!(!is_shared(&phone), "a phone that waits has one");
    let sipps: Vec<Sipp> = (0..CALLS)
        .map(|_| Sipp::to(phone.address(), "sound-from-elsewhere", &[]))
        .collect();
    for _ in 0..CALLS {
        phone.wait("answered");
    }
    if available_parallelism().unwrap().get() > 1 {
        place::until("one thread carries all calls", || {
            is_shared(&phone).then_some(())
        });
    }
    for sipp in sipps {
        sipp.passes();
    }
    for _ in 0..CALLS {
        phone.wait("ended");
    }
    place::until("the second thread stays", || {
        (!is_shared(&phone)).then_some(())
    });
    assert_eq!(phone.stop().code, Some(0));
    let files: Vec<PathBuf> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wav"))
        .collect();
    assert_eq!(files.len(), CALLS);
    for file in files {
        let (_, heard) = read_recording(&file);
        let share = heard.share_of_tone(TONE);
        assert!(share > 0.5, "{}: {share}", file.display());
    }
}
