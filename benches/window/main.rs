//! The real window on a display of its own, drawn by the processor, with a million contacts and a million
//! calls: `make bench`.
//!
//! What is on the display is looked at from outside, a thousand times a second; the contacts are made
//! once, in `target/tmp`. `RINGDESK_BENCH_CONTACTS` makes fewer.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_precision_loss,
    unreachable_pub,
    reason = "a measurement, not the product"
)]

#[cfg(target_os = "linux")]
mod exchange;
#[cfg(target_os = "linux")]
mod eyes;
#[cfg(target_os = "linux")]
mod phone;
#[cfg(target_os = "linux")]
mod wake;

#[path = "../store/around.rs"]
mod around;
#[path = "../whole/figure.rs"]
#[expect(dead_code, reason = "the whole phone has further kinds of limits")]
mod figure;
#[path = "../store/filling.rs"]
mod filling;
#[path = "../store/people.rs"]
mod people;
#[path = "../../tests/peers/place.rs"]
#[expect(dead_code, reason = "the tests wait for more")]
mod place;
#[path = "../../tests/peers/screen.rs"]
#[expect(dead_code, reason = "the tests do more on a display")]
mod screen;
#[path = "../whole/surroundings.rs"]
mod surroundings;

use std::process::ExitCode;

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    println!("the window is measured on Linux");
    ExitCode::SUCCESS
}

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    use crate::surroundings::surroundings;

    if std::env::args().any(|word| word == wake::CHILD) {
        wake::child();
        return ExitCode::SUCCESS;
    }
    let contacts =
        std::env::var("RINGDESK_BENCH_CONTACTS").map_or(1_000_000, |text| text.parse().unwrap());
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let folder = folder.join(format!("window-{contacts}"));
    filling::fill(&folder, contacts, contacts);
    surroundings("before");
    let mut figures = vec![wake::wake_up()];
    figures.extend(phone::measured(&folder));
    surroundings("after");
    figure::print(&[("window".to_owned(), figures)])
}
