//! Searches as people type, letter by letter, and what is hardest: calls, contacts, and everything at once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ringdesk::crm::Store;
use ringdesk::crm::row::CallFilter;

use crate::around::exchange;
use crate::figure::Figure;
use crate::lists::ROWS;
use crate::people::{mixed, name, numbers};
use crate::times::Times;

/// All searches keep to this, in milliseconds.
const LIMIT: f64 = 10.0;

/// The window shows so many of each kind in a search over everything.
const OF_EACH: usize = 20;

/// What is typed, with each beginning of it.
pub(crate) fn typed() -> Vec<String> {
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
    typed
}

/// What only the search over everything finds.
fn everywhere() -> Vec<String> {
    let mut typed: Vec<String> = [
        "invoice",
        "invoice wrong",
        "printer",
        "del",
        "delivery late",
        "polish",
        "gate code",
        "offer by friday",
        "wants",
        "week",
        "catalogue heart",
        "heating repair",
    ]
    .map(str::to_owned)
    .into();
    typed.extend((0..5).map(|organization| format!("+{}", exchange(organization * 997))));
    typed
}

pub(crate) fn searched(store: &Store) -> Vec<Figure> {
    let mut slowest: BTreeMap<Duration, String> = BTreeMap::new();
    let mut ask = |times: &mut Times, what: &str, text: &str, ask: &dyn Fn()| {
        let begun = Instant::now();
        times.measure(ask);
        slowest.insert(begun.elapsed(), format!("{what} {text:?}"));
    };
    let (mut calls, mut contacts, mut all) = (Times::default(), Times::default(), Times::default());
    let everything = |text: &str| {
        let text = text.to_owned();
        let found = store.read(move |reader| reader.search(&text, OF_EACH));
        drop(found.blocking_recv().unwrap().unwrap());
    };
    for text in &typed() {
        for _ in 0..3 {
            ask(&mut calls, "calls", text, &|| {
                let page = store.calls(CallFilter::All, text, None, ROWS);
                drop(page.blocking_recv().unwrap().unwrap());
            });
            ask(&mut contacts, "contacts", text, &|| {
                let page = store.contacts(text, None, ROWS);
                drop(page.blocking_recv().unwrap().unwrap());
            });
            ask(&mut all, "everything", text, &|| everything(text));
        }
    }
    for text in &everywhere() {
        for _ in 0..3 {
            ask(&mut all, "everything", text, &|| everything(text));
        }
    }
    for (time, text) in slowest.iter().rev().take(30) {
        println!("  {time:.2?} {text}");
    }
    vec![
        calls.figure("calls searched as one types, 99 of 100", LIMIT),
        contacts.figure("contacts searched as one types, 99 of 100", LIMIT),
        all.figure("everything searched as one types, 99 of 100", LIMIT),
    ]
}
