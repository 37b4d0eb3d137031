//! The store with a million contacts and five million calls: `make bench`.
//!
//! The store is made once, in `target/tmp`, in some minutes; it takes 4 GB. `RINGDESK_BENCH_CONTACTS` makes
//! a smaller one, with five calls for each contact. Everything is asked as the window and the engine ask it,
//! through the store's threads.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_precision_loss,
    unreachable_pub,
    reason = "a measurement, not the product"
)]

mod filling;
mod people;

#[path = "../whole/figure.rs"]
#[expect(dead_code, reason = "the whole phone has further kinds of limits")]
mod figure;
#[path = "../whole/surroundings.rs"]
mod surroundings;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ringdesk::base::id::CallId;
use ringdesk::crm::Store;
use ringdesk::crm::row::{CallCursor, CallDirection, CallFilter, CallRow, CallState};
use ringdesk::crm::store::{CallChange, Write};

use crate::figure::{Figure, Limit, millis};
use crate::people::{caller, mixed, name, numbers};
use crate::surroundings::surroundings;

/// Calls for each contact.
const CALLS: u64 = 5;

/// So many rows has a page of the window.
const ROWS: usize = 100;

fn main() -> ExitCode {
    let contacts =
        std::env::var("RINGDESK_BENCH_CONTACTS").map_or(1_000_000, |text| text.parse().unwrap());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("store-{contacts}"));
    if filling::fill(&folder, contacts, contacts * CALLS) {
        // In a process whose memory did not make it.
        let again = Command::new(std::env::current_exe().unwrap()).status();
        return if again.unwrap().success() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    let bytes = fs::metadata(folder.join("ringdesk.db")).unwrap().len();
    println!(
        "{contacts} contacts, {} calls, {} MB",
        contacts * CALLS,
        bytes >> 20
    );
    surroundings("before");
    let mut figures = vec![open(&folder)];
    let store = Store::open(&folder, "DE").unwrap();
    let before = resident();
    figures.extend(identified(&store, contacts));
    figures.extend(paged(&store));
    figures.extend(searched(&store));
    figures.push(resident_figure("resident memory before", before));
    figures.push(resident_figure(
        "resident memory after all of that",
        resident(),
    ));
    surroundings("after");
    figure::print(&[("store".to_owned(), figures)])
}

/// Times of one kind of question.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn measure<T>(&mut self, ask: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let answer = ask();
        self.0.push(begun.elapsed());
        answer
    }

    /// The time that so many of a thousand keep to.
    fn part(&mut self, of_thousand: usize) -> Duration {
        self.0.sort_unstable();
        self.0[(self.0.len() * of_thousand / 1000).min(self.0.len() - 1)]
    }

    /// Prints all three, and gives the 99th of a hundred as a figure.
    fn figure(mut self, name: &'static str, limit_millis: f64) -> Figure {
        let [middle, most, all] = [500, 990, 1000].map(|part| millis(self.part(part)));
        println!(
            "{name}: {} times, half below {middle:.3} ms, 99 % below {most:.3} ms, the longest {all:.3} ms",
            self.0.len()
        );
        Figure::alone(name, "ms", most, Limit::AtMost(limit_millis))
    }
}

fn open(folder: &Path) -> Figure {
    let mut times = Times::default();
    for _ in 0..20 {
        let store = times.measure(|| Store::open(folder, "DE").unwrap());
        drop(store);
    }
    times.figure("store opened, 99 of 100", 50.0)
}

/// Who calls? While 20 calls a second are written, each with its beginning, answer and end.
fn identified(store: &Store, contacts: u64) -> Vec<Figure> {
    const ASKED: u64 = 20_000;
    let over = AtomicBool::new(false);
    let mut missing = Vec::new();
    let mut times: BTreeMap<&'static str, Times> = BTreeMap::new();
    let written = std::thread::scope(|scope| {
        let writer = scope.spawn(|| write(store, contacts, &over));
        for asked in 0..ASKED {
            let draw = mixed(asked ^ 0x77_686f);
            let person = draw % contacts;
            let (kind, number) = match asked % 8 {
                // Number, calls and person were asked for before.
                0 => ("a frequent caller", numbers(draw % 50)[0].clone()),
                1 => (
                    "a number of ten people",
                    numbers(person / 10 * 10)[0].clone(),
                ),
                2 => (
                    "nobody's number",
                    format!("4940{}", 20_000_000 + draw % 3_000_000),
                ),
                3 => (
                    "only the end agrees",
                    format!("4989{}", 20_000_000 + (person | 1)),
                ),
                _ => ("somebody's number", numbers(person).pop().unwrap()),
            };
            let found = times.entry(kind).or_default().measure(|| {
                store
                    .identify(&format!("+{number}"))
                    .blocking_recv()
                    .unwrap()
                    .unwrap()
            });
            if kind != "nobody's number" && found.matches.is_empty() {
                missing.push(number);
            }
            // About as often as a busy switchboard rings, so that the writer has its turn.
            std::thread::sleep(Duration::from_micros(200));
        }
        over.store(true, Ordering::Relaxed);
        writer.join().unwrap()
    });
    println!("{written} calls were written meanwhile");
    assert!(missing.is_empty(), "not found: {missing:?}");
    let mut all = Times::default();
    for (kind, mut times) in times {
        println!(
            "  {kind}: half below {:.3} ms, 99 % below {:.3} ms",
            millis(times.part(500)),
            millis(times.part(990))
        );
        all.0.append(&mut times.0);
    }
    vec![all.figure(
        "who calls, with the last calls, while a writer commits, 99 of 100",
        1.0,
    )]
}

/// Writes 20 calls a second until it is told to end; gives how many.
fn write(store: &Store, contacts: u64, over: &AtomicBool) -> u64 {
    let mut count = 0;
    let now = jiff::Timestamp::now();
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        count += 1;
        let mut random = [1; 10];
        random[2..]
            .copy_from_slice(&mixed(now.as_millisecond().cast_unsigned() + count).to_be_bytes());
        let id = CallId::new(now.as_millisecond().cast_unsigned() + count, random);
        let row = CallRow {
            remote: format!("+{}", caller(count, contacts).1),
            local: "sip:alice@example.com".to_owned(),
            ..CallRow::begun(id, CallDirection::Inbound, now)
        };
        let pending = store.keep(Write::InsertCall(Box::new(row)));
        pending.kept.blocking_recv().ok();
        let changes = [
            CallChange::Answered {
                at: now,
                waiting_millis: 3000,
            },
            CallChange::Ended {
                state: CallState::Completed,
                at: now,
                waiting_millis: 3000,
                talking_millis: Some(1000),
                sip_status: Some(200),
                end_reason: "the far end hung up".to_owned(),
                done: true,
            },
        ];
        for change in changes {
            let written = store.write(Write::ChangeCall(id, change));
            written.blocking_recv().unwrap().unwrap();
        }
        std::thread::sleep(Duration::from_millis(50).saturating_sub(begun.elapsed()));
    }
    count
}

/// The lists: their first pages, the next ones, and pages far below.
fn paged(store: &Store) -> Vec<Figure> {
    let (mut first, mut next) = (Times::default(), Times::default());
    let filters = [
        CallFilter::All,
        CallFilter::Inbound,
        CallFilter::Outbound,
        CallFilter::Missed,
        CallFilter::ToCallBack,
    ];
    for filter in filters {
        let mut of_filter = Times::default();
        let mut page = |times: &mut Times, after| {
            let begun = Instant::now();
            let page = times.measure(|| {
                let page = store.calls(filter, "", after, ROWS);
                page.blocking_recv().unwrap().unwrap()
            });
            of_filter.0.push(begun.elapsed());
            page
        };
        for _ in 0..20 {
            let mut after = page(&mut first, None).next;
            for _ in 0..10 {
                if after.is_some() {
                    after = page(&mut next, after).next;
                }
            }
        }
        // As who scrolls to years ago.
        for back in 1..20 {
            let after = CallCursor {
                started_micros: 1_795_000_000_000_000 - back * 1_000_000_000_000,
                seq: 0,
            };
            page(&mut next, Some(after));
        }
        let (half, most) = (of_filter.part(500), of_filter.part(990));
        println!("  {filter:?}: half below {half:.3?}, 99 % below {most:.3?}");
    }
    let mut people = Times::default();
    let mut after = None;
    for page in 0..50 {
        let times = if page % 5 == 0 { &mut first } else { &mut next };
        if page % 5 == 0 {
            after = None;
        }
        let begun = Instant::now();
        times.measure(|| {
            let page = store.contacts("", after.take(), ROWS);
            after = page.blocking_recv().unwrap().unwrap().next;
        });
        people.0.push(begun.elapsed());
    }
    println!("  contacts: half below {:.3?}", people.part(500));
    let mut waiting = Times::default();
    for _ in 0..100 {
        waiting.measure(|| store.to_call_back().blocking_recv().unwrap().unwrap());
    }
    vec![
        first.figure("first page of a list, 99 of 100", 2.0),
        next.figure("next page of a list, 99 of 100", 2.0),
        waiting.figure("numbers to call back counted, 99 of 100", 2.0),
    ]
}

/// What people type, letter by letter, and what is hardest.
fn searched(store: &Store) -> Vec<Figure> {
    let mut typed: Vec<String> = Vec::new();
    for person in 0..40 {
        let draw = mixed(person ^ 0x73_6561);
        let name = name(draw % 100_000);
        let number = numbers(draw % 100_000).pop().unwrap();
        let words = match person % 4 {
            0 => name,
            1 => name.split(' ').rev().collect::<Vec<_>>().join(" "),
            2 => format!("0{}", &number[2..]),
            _ => format!("+{number}"),
        };
        let ends = words.char_indices().skip(1).map(|(end, _)| &words[..end]);
        typed.extend(ends.map(str::to_owned));
        typed.push(words);
    }
    let hard = [
        "a",
        "mü",
        "an",
        "49",
        "0",
        "00",
        "4930",
        "030",
        "0171",
        "sch",
        "schn",
        "gmbh",
        "anna müller",
        "müller bau",
        "anna 0171",
        "example",
        "4567",
        "noël zimm",
        "zzzz",
    ];
    typed.extend(hard.map(str::to_owned));
    let mut slowest: BTreeMap<Duration, String> = BTreeMap::new();
    let (mut calls, mut contacts) = (Times::default(), Times::default());
    for text in &typed {
        for _ in 0..3 {
            let begun = Instant::now();
            calls.measure(|| {
                let page = store.calls(CallFilter::All, text, None, ROWS);
                page.blocking_recv().unwrap().unwrap()
            });
            slowest.insert(begun.elapsed(), format!("calls {text:?}"));
            let begun = Instant::now();
            contacts.measure(|| {
                let page = store.contacts(text, None, ROWS);
                page.blocking_recv().unwrap().unwrap()
            });
            slowest.insert(begun.elapsed(), format!("contacts {text:?}"));
        }
    }
    for (time, text) in slowest.iter().rev().take(30) {
        println!("  {time:.2?} {text}");
    }
    vec![
        calls.figure("calls searched as one types, 99 of 100", 10.0),
        contacts.figure("contacts searched as one types, 99 of 100", 10.0),
    ]
}

/// Bytes resident.
fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

fn resident_figure(name: &'static str, bytes: u64) -> Figure {
    Figure::alone(name, "MB", bytes as f64 / 1e6, Limit::None)
}
