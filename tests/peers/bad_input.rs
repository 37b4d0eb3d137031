//! Damaged or missing surroundings: each ends with a sentence that says what is wrong, an exit
//! code, and nothing lost.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::phone::{Ended, Phone, calls, run};
use crate::place;
use crate::sipp::Sipp;

/// The database in a data folder.
fn database(folder: &Path) -> PathBuf {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3")))
        .unwrap()
}

/// A phone that ends by itself.
fn ended(options: &[&str]) -> Ended {
    Phone::spawn(TempDir::new().unwrap(), options).ended()
}

/// A sentence for a person: it names what is wrong, on stderr, and nothing panicked.
fn assert_says(stderr: &str, words: &[&str]) {
    for word in words {
        assert!(
            stderr.to_lowercase().contains(&word.to_lowercase()),
            "no `{word}` in: {stderr}"
        );
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
}

fn account<'a>(address: &'a str, registrar: &'a str) -> [&'a str; 6] {
    let variable = "RINGDESK_TEST_PASSWORD";
    [
        "--account",
        address,
        "--registrar",
        registrar,
        "--password-env",
        variable,
    ]
}

#[test]
fn an_unreachable_registrar_ends_with_exit_code_3() {
    // A port that was free a moment ago, and is refused.
    let registrar = format!("127.0.0.1:{}", place::ports(1));
    let options = [
        &account("sip:alice@lab.example", &registrar)[..],
        &["--transport", "tcp"],
    ];
    let ended = ended(&options.concat());
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert_says(&ended.stderr, &["alice@lab.example", "registrar"]);
}

#[test]
fn an_unknown_host_ends_with_exit_code_3() {
    let ended = ended(&account("sip:alice@lab.example", "no-such-host.invalid"));
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert_says(&ended.stderr, &["no-such-host.invalid"]);
}

#[test]
fn a_damaged_configuration_is_named_and_left_as_it_is() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("phone.toml");
    let damaged = "[settings\nmax_calls = \"many";
    std::fs::write(&file, damaged).unwrap();
    let ended = ended(&["--no-register", "--config", &file.to_string_lossy()]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_says(&ended.stderr, &["phone.toml"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), damaged);
}

#[test]
fn a_configuration_that_does_not_exist_is_named() {
    let ended = ended(&["--no-register", "--config", "/no/such/phone.toml"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_says(&ended.stderr, &["/no/such/phone.toml"]);
}

#[test]
fn a_damaged_database_is_named_and_left_as_it_is() {
    let phone = Phone::start(&["--no-register"]);
    let ended = phone.stop();
    let folder = ended.into_folder();
    let file = database(folder.path());
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let mut damaged = std::fs::read(&file).unwrap();
    damaged[..512].fill(b'?');
    std::fs::write(&file, &damaged).unwrap();
    // A log that is left would heal the page.
    for suffix in ["-wal", "-shm"] {
        let _absent = std::fs::remove_file(file.with_file_name(format!("{name}{suffix}")));
    }

    let arguments: Vec<OsString> = vec![
        "calls".into(),
        "--json".into(),
        "--data-dir".into(),
        folder.path().into(),
    ];
    let (code, stdout, stderr) = run(&arguments);
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    assert_says(&stderr, &[&name]);

    let ended = Phone::spawn(folder, &["--no-register"]).ended();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_says(&ended.stderr, &[&name]);
    assert_eq!(std::fs::read(&file).unwrap(), damaged);
}

#[test]
fn a_sound_file_that_is_none_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("greeting.wav");
    std::fs::write(&file, "RIFF, but no sound").unwrap();
    for path in [file.to_string_lossy().as_ref(), "/no/such/greeting.wav"] {
        for option in ["--play", "--hold-music"] {
            let ended = ended(&["--no-register", option, path]);
            assert_eq!(ended.code, Some(1), "{}", ended.stderr);
            assert_says(&ended.stderr, &["greeting.wav"]);
        }
    }
}

#[test]
fn a_number_that_cannot_be_dialled_is_refused_with_exit_code_4() {
    for number in ["hello world", "+49"] {
        let ended = ended(&["--no-register", "--call", number, "--exit-after-calls", "1"]);
        assert_eq!(ended.code, Some(4), "{number}: {}", ended.stderr);
        assert_says(&ended.stderr, &[number]);
    }
}

#[test]
fn a_second_phone_on_one_data_folder_is_refused() {
    let first = Phone::start(&["--no-register"]);
    // The folder stays the first one's.
    let arguments: Vec<OsString> = vec![
        "headless".into(),
        "--no-register".into(),
        "--data-dir".into(),
        first.folder().into(),
    ];
    let (code, _, stderr) = run(&arguments);
    assert_eq!(code, Some(1), "{stderr}");
    assert_says(&stderr, &["data-dir"]);
    assert_eq!(first.stop().code, Some(0));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, place::ports(1))).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = TempDir::new().unwrap();
    let arguments: Vec<OsString> = vec![
        "headless".into(),
        "--no-register".into(),
        "--bind".into(),
        address.clone().into(),
        "--data-dir".into(),
        folder.path().into(),
    ];
    let (code, _, stderr) = run(&arguments);
    assert_eq!(code, Some(1), "{stderr}");
    assert_says(&stderr, &[&address]);
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for options in [
        &["--no-such-option"][..],
        &["--reject", "200"],
        &["--max-calls", "many"],
        &[],
    ] {
        let ended = ended(options);
        assert_eq!(ended.code, Some(2), "{options:?}: {}", ended.stderr);
    }
}

#[test]
fn a_line_of_control_that_is_none_is_answered_by_an_error() {
    let mut phone = Phone::start(&["--no-register"]);
    phone.command("dance");
    let error = phone.wait("error");
    assert!(
        error["message"].as_str().unwrap().contains("dance"),
        "{error}"
    );
    phone.command("hangup");
    phone.wait("error");
    assert_eq!(phone.stop().code, Some(0));
}

/// A file system of its own, which is small; needs user namespaces or root, as on any Linux with
/// the usual settings.
pub(crate) fn small_disk(mebibytes: u32, inside: &Path) -> Vec<OsString> {
    let script = format!(
        "mount -t tmpfs -o size={mebibytes}m none '{0}' && \"$@\"; code=$?; \
         cp -a '{0}/.' '{0}.saved'; exit $code",
        inside.display()
    );
    [
        "unshare",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        &script,
        "sh",
    ]
    .map(OsString::from)
    .to_vec()
}

#[test]
fn a_full_disk_loses_no_call() {
    let outer = TempDir::new().unwrap();
    let disk = outer.path().join("disk");
    let saved = outer.path().join("disk.saved");
    std::fs::create_dir(&disk).unwrap();
    std::fs::create_dir(&saved).unwrap();
    let records = disk.join("recordings");
    let mut phone = Phone::behind(
        &small_disk(4, &disk),
        &disk,
        &[
            "--no-register",
            "--auto-answer",
            "--record-dir",
            &records.to_string_lossy(),
        ],
    );
    let started = phone.wait("started");
    // From outside, the small disk is seen through the phone's own process.
    let seen = Path::new("/proc")
        .join(started["pid"].to_string())
        .join("root")
        .join(disk.strip_prefix("/").unwrap());
    let filler = seen.join("filler");
    let full = std::fs::write(&filler, vec![0; 8 << 20]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);

    // The page that keeps the first call may still find room; its row in the log finds none.
    Sipp::to(phone.address(), "bye-from-caller", &[]).passes();
    let ended = phone.wait("ended");
    assert_eq!(ended["durable"], false, "{ended}");
    Sipp::to(phone.address(), "bye-from-caller", &[]).passes();
    let incoming = phone.wait("incoming");
    assert_eq!(
        incoming["durable"], false,
        "the row is not on disk, and that is said: {incoming}"
    );
    phone.wait("ended");

    std::fs::remove_file(&filler).unwrap();
    phone.command("quit");
    let ended = phone.ended();
    assert_says(&ended.stderr, &["disk"]);
    let rows = calls(&saved);
    assert_eq!(rows.len(), 2, "{rows:#?}");
    for row in rows {
        assert_eq!(row["state"], Value::from("completed"));
    }
}

#[test]
fn ctrl_c_is_exit_code_130() {
    let phone = Phone::start(&["--no-register"]);
    assert_eq!(phone.interrupt().code, Some(130));
}

#[test]
fn nothing_is_recorded_unless_somebody_asks() {
    let mut phone = Phone::start(&["--no-register", "--auto-answer"]);
    Sipp::to(phone.address(), "bye-from-caller", &[]).passes();
    phone.wait("ended");
    assert_eq!(phone.only_call()["recording"], Value::Null);
    let recordings = std::fs::read_dir(phone.folder().join("recordings"));
    assert_eq!(recordings.map_or(0, Iterator::count), 0);
}

/// Where nobody could be answered, `ringdesk doctor` is the only one who tells.
#[test]
fn malformed_messages_are_counted_for_the_doctor_by_source_and_reason() {
    let phone = Phone::start(&["--no-register"]);
    let to = phone.address();
    let by_datagram = UdpSocket::bind((Ipv4Addr::new(127, 0, 0, 3), 0)).unwrap();
    for _ in 0..3 {
        by_datagram.send_to(b"nonsense\r\n\r\n", to).unwrap();
    }
    // No Via says where an answer would go.
    let headless =
        b"OPTIONS sip:phone@127.0.0.1 SIP/2.0\r\nCall-ID: x\r\nContent-Length: 0\r\n\r\n";
    by_datagram.send_to(headless, to).unwrap();
    // On a stream each message is one, and the next is still read.
    let mut stream = TcpStream::connect(to).unwrap();
    stream.write_all(headless).unwrap();
    stream.write_all(headless).unwrap();
    let from = stream.local_addr().unwrap();
    let sane = format!(
        "OPTIONS sip:phone@{to} SIP/2.0\r\nVia: SIP/2.0/TCP {from};branch=z9hG4bK-sane\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@{from}>;tag=a\r\nTo: <sip:phone@{to}>\r\n\
         Call-ID: sane\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(sane.as_bytes()).unwrap();
    stream.set_read_timeout(Some(place::PATIENCE)).unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"SIP/2.0 200 ");

    let folder = phone.folder().to_owned();
    let counted = place::until("the doctor counts no malformed messages", || {
        let arguments = ["doctor", "--json", "--data-dir"].map(OsString::from);
        let (_, out, _) = run(&[&arguments[..], &[folder.clone().into()]].concat());
        let checks = out.lines().map(|line| serde_json::from_str(line).unwrap());
        let malformed: Value = checks
            .into_iter()
            .find(|check: &Value| check["check"] == "malformed")?;
        let sources = malformed["sources"].as_array()?.clone();
        let all = sources.iter().filter_map(|row| row["requests"].as_u64());
        (all.sum::<u64>() == 6).then_some(sources)
    });
    for source in ["127.0.0.3", "127.0.0.1"] {
        let rows = counted.iter().filter(|row| row["source"] == source);
        let rows: Vec<&Value> = rows.collect();
        let why = |row: &&Value| row["why"].as_str().unwrap().starts_with("malformed: ");
        assert!(!rows.is_empty() && rows.iter().all(why), "{counted:#?}");
    }
    assert_eq!(phone.stop().code, Some(0));
}
