//! People come in from files: read, compared with who is there, written, indexed.

use std::fmt::Write as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use ringdesk::crm::Store;
use ringdesk::crm::import::{self, ImportBatch};
use ringdesk::crm::row::{Existing, ImportOptions};
use ringdesk::crm::store::{Write, Written};
use rusqlite::Connection;

use crate::figure::{Figure, Limit};
use crate::long_run::resident;
use crate::people::{mixed, name, organization};

/// Contacts of a file.
const PEOPLE: u64 = 100_000;

/// Contacts a second, from the bytes of the file to the commit.
const LIMIT: f64 = 50_000.0;

#[derive(Clone, Copy)]
enum Kind {
    Vcard,
    Csv,
}

/// A file of people who are in no store yet.
fn file(kind: Kind) -> String {
    let mut file = match kind {
        Kind::Vcard => String::new(),
        Kind::Csv => "name,organization,email,work,mobile\r\n".to_owned(),
    };
    for person in 0..PEOPLE {
        let (name, organization) = (name(person ^ 0x69_6d70), organization(person / 20));
        let (work, mobile) = (20_000_000 + person, 3_000_000 + mixed(person) % 6_000_000);
        match kind {
            Kind::Vcard => write!(
                file,
                "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:bench-{person}\r\nFN:{name}\r\nORG:{organization}\r\n\
                 EMAIL:new{person}@example.org\r\nTEL;TYPE=WORK:+49 341 {work}\r\n\
                 TEL;TYPE=CELL:0152 {mobile}\r\nEND:VCARD\r\n"
            ),
            Kind::Csv => write!(
                file,
                "{name},{organization},new{person}@example.org,+49 341 {work},0152 {mobile}\r\n"
            ),
        }
        .unwrap();
    }
    file
}

/// Into an empty store and into the large one, which has them taken back.
pub(crate) fn imported(store: &Store, scratch: &Path) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (kind, empty, large) in [
        (
            Kind::Vcard,
            "contacts a second from a vCard file, empty store",
            "contacts a second from a vCard file, large store",
        ),
        (
            Kind::Csv,
            "contacts a second from a CSV file, empty store",
            "contacts a second from a CSV file, large store",
        ),
    ] {
        let file = file(kind);
        if scratch.exists() {
            std::fs::remove_dir_all(scratch).unwrap();
        }
        let fresh = Store::open(scratch, "DE").unwrap();
        figures.push(import(&fresh, &file, empty));
        until_indexed(&fresh);
        drop(fresh);
        std::fs::remove_dir_all(scratch).unwrap();
        figures.push(import(store, &file, large));
        until_indexed(store);
        let begun = Instant::now();
        let undone = store.write(Write::UndoLastExchange);
        let undone = undone.blocking_recv().unwrap().unwrap();
        println!("  {undone:?} in {:.1?}", begun.elapsed());
    }
    figures
}

/// Waits until the full-text index has everybody; a search finds them before that, too.
fn until_indexed(store: &Store) {
    let begun = Instant::now();
    let file = store.data_dir().join("ringdesk.db");
    let connection = Connection::open(file).unwrap();
    let mut waits = connection
        .prepare("SELECT 1 FROM contacts_to_index")
        .unwrap();
    while waits.exists([]).unwrap() {
        thread::sleep(Duration::from_millis(20));
    }
    println!("  in the index {:.2?} later", begun.elapsed());
}

/// The processor time of this process so far.
fn worked_until_now() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // Behind the name, which may hold blanks: user and system time, in hundredths.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2);
    Duration::from_millis(ticks.map(|it| it.parse::<u64>().unwrap() * 10).sum())
}

fn import(store: &Store, file: &str, name: &'static str) -> Figure {
    let (begun, worked) = (Instant::now(), worked_until_now());
    let reading = import::read(file.as_bytes(), &ImportOptions::default()).unwrap();
    let read = begun.elapsed();
    let written = store.write(Write::Import(Box::new(ImportBatch {
        label: "import of the bench".to_owned(),
        existing: Existing::Skip,
        reading,
    })));
    let Written::Imported(report) = written.blocking_recv().unwrap().unwrap() else {
        unreachable!("an import tells of one");
    };
    let all = begun.elapsed();
    println!(
        "{name}: {} added; read in {read:.2?}, written at {all:.2?}, {:.2?} of processor \
         time, {} MB resident",
        report.added,
        worked_until_now() - worked,
        resident() >> 20
    );
    assert_eq!(report.added, PEOPLE);
    let a_second = report.added as f64 / all.as_secs_f64();
    Figure::alone(name, "", a_second, Limit::AtLeast(LIMIT))
}
