//! Who calls? With the last calls and tickets, while a writer commits.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ringdesk::base::id::CallId;
use ringdesk::crm::Store;
use ringdesk::crm::row::{CallDirection, CallRow, CallState};
use ringdesk::crm::store::{CallChange, Write};

use crate::around::{GUESS_EACH, TICKET_EACH, exchange, guess};
use crate::figure::Figure;
use crate::people::{COLLEAGUES, caller, mixed, numbers};
use crate::times::Times;

const ASKED: u64 = 20_000;

/// A kind of caller, with its number, for a draw.
pub(crate) fn number(asked: u64, contacts: u64) -> (&'static str, String) {
    let draw = mixed(asked ^ 0x77_686f);
    let person = draw % contacts;
    match asked % 10 {
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
        4 => ("an organization's exchange", exchange(person / COLLEAGUES)),
        5 => ("a guess", guess(person / GUESS_EACH * GUESS_EACH)),
        6 => {
            // Whose tickets are shown; the first contact's id is 1.
            let person = (person / TICKET_EACH * TICKET_EACH + TICKET_EACH - 1) % contacts;
            ("somebody with a ticket", numbers(person).pop().unwrap())
        }
        _ => ("somebody's number", numbers(person).pop().unwrap()),
    }
}

/// While 20 calls a second are written, each with its beginning, answer and end.
pub(crate) fn identified(store: &Store, contacts: u64) -> Vec<Figure> {
    let over = AtomicBool::new(false);
    let (mut missing, mut tickets) = (Vec::new(), 0);
    let mut times: BTreeMap<&'static str, Times> = BTreeMap::new();
    let written = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut count = 0;
            while !over.load(Ordering::Relaxed) {
                let begun = Instant::now();
                count += 1;
                write_call(store, contacts, count);
                std::thread::sleep(Duration::from_millis(50).saturating_sub(begun.elapsed()));
            }
            count
        });
        for asked in 0..ASKED {
            let (kind, number) = number(asked, contacts);
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
            tickets += u64::from(!found.tickets.is_empty());
            // About as often as a busy switchboard rings, so that the writer has its turn.
            std::thread::sleep(Duration::from_micros(200));
        }
        over.store(true, Ordering::Relaxed);
        writer.join().unwrap()
    });
    println!("{written} calls were written meanwhile");
    assert!(missing.is_empty(), "not found: {missing:?}");
    assert!(
        tickets > ASKED / 20,
        "of {ASKED} answers only {tickets} have tickets"
    );
    let mut all = Times::default();
    for (kind, mut times) in times {
        times.print(kind);
        all.0.append(&mut times.0);
    }
    vec![all.figure(
        "who calls, with the last calls and tickets, while a writer commits, 99 of 100",
        1.0,
    )]
}

/// Writes a call with its beginning, answer and end.
pub(crate) fn write_call(store: &Store, contacts: u64, number: u64) {
    let now = jiff::Timestamp::now();
    let millis = now.as_millisecond().cast_unsigned() + number;
    let mut random = [1; 10];
    random[2..].copy_from_slice(&mixed(millis).to_be_bytes());
    let id = CallId::new(millis, random);
    let row = CallRow {
        remote: format!("+{}", caller(number, contacts).1),
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
}
