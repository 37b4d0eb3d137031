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

mod around;
mod calling;
mod filling;
mod imports;
mod lists;
mod long_run;
mod people;
mod times;
mod typing;

#[path = "../whole/figure.rs"]
#[expect(dead_code, reason = "the whole phone has further kinds of limits")]
mod figure;
#[path = "../whole/surroundings.rs"]
mod surroundings;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use ringdesk::crm::Store;

use crate::figure::Figure;
use crate::surroundings::surroundings;
use crate::times::Times;

/// Calls for each contact.
const CALLS: u64 = 5;

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
    // `-- imports searches` measures these alone.
    let named: Vec<String> = std::env::args().skip(1).collect();
    let any = named.iter().any(|part| !part.starts_with("--"));
    let wanted = |part: &str| !any || named.iter().any(|named| named == part);
    if wanted("callers") {
        figures.extend(calling::identified(&store, contacts));
    }
    if wanted("lists") {
        figures.extend(lists::paged(&store));
        figures.extend(lists::narrowed(&store));
        figures.extend(lists::timelines(&store, contacts));
    }
    if wanted("searches") {
        figures.extend(typing::searched(&store));
    }
    if wanted("memory") {
        figures.extend(long_run::flat(&store, contacts));
    }
    if wanted("imports") {
        let scratch = folder.with_extension("import");
        figures.extend(imports::imported(&store, &scratch));
    }
    surroundings("after");
    figure::print(&[("store".to_owned(), figures)])
}

fn open(folder: &Path) -> Figure {
    let mut times = Times::default();
    for _ in 0..20 {
        let store = times.measure(|| Store::open(folder, "DE").unwrap());
        drop(store);
    }
    times.figure("store opened, 99 of 100", 50.0)
}
