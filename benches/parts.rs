//! What the phone's inner loops cost: `make bench`.
//!
//! Each figure is the median of five runs. The calibration loop is the same work in each run of
//! each machine: compare its time before comparing anything else.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a measurement, not the product"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use ringdesk::base::id::{CallId, ContactId};
use ringdesk::base::phone_number::PhoneNumber;
use ringdesk::crm::Store;
use ringdesk::crm::row::{CallDirection, CallRow, CallState, ContactNumber, ContactRow};
use ringdesk::crm::store::Write;
use ringdesk::sdp::{Codec, Direction, LocalMedia, SessionDescription, answer, offer};

const RUNS: usize = 5;

fn main() {
    figure("calibration: 10 million multiplications", 1, || {
        let mut x = 1_u64;
        for i in 0..10_000_000_u64 {
            x = black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(i));
        }
        black_box(x);
    });
    figure("phone number parsed", 10_000, || {
        for _ in 0..10_000 {
            black_box(PhoneNumber::parse(black_box("(030) 901-820"), "DE"));
        }
    });
    offer_and_answer();
    store();
}

fn offer_and_answer() {
    let local = LocalMedia {
        session_id: 1,
        version: 1,
        address: "127.0.0.1".parse().unwrap(),
        rtp_port: 4000,
        codecs: vec![Codec::Opus, Codec::Pcmu, Codec::Pcma],
        ptime_millis: 20,
        direction: Direction::SendRecv,
    };
    let text = offer(&local).to_string();
    figure("offer parsed and answered", 10_000, || {
        for _ in 0..10_000 {
            let offered = SessionDescription::parse(black_box(text.as_bytes())).unwrap();
            black_box(answer(&local, &offered).unwrap().0.to_string());
        }
    });
}

fn store() {
    const CONTACTS: i64 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), "US").unwrap();
    // As many at once as the store's queue surely takes.
    for begin in (0..CONTACTS).step_by(500) {
        let waiting: Vec<_> = (begin..begin + 500)
            .map(|number| store.write(Write::SaveContact(Box::new(contact(number)))))
            .collect();
        for written in waiting {
            written.blocking_recv().unwrap().unwrap();
        }
    }
    figure(
        &format!("caller looked up among {CONTACTS} contacts"),
        1_000,
        || {
            for number in 0..1_000 {
                let text = format!("+1415{:07}", 2_000_000 + number * 7);
                black_box(store.identify(&text).blocking_recv().unwrap().unwrap());
            }
        },
    );
    let mut next = 0_u64;
    figure("call row on disk, one by one", 200, || {
        for _ in 0..200 {
            next += 1;
            let row = Write::InsertCall(Box::new(call(next)));
            store.write(row).blocking_recv().unwrap().unwrap();
        }
    });
    figure("call row on disk, 200 at once", 200, || {
        let waiting: Vec<_> = (0..200)
            .map(|_| {
                next += 1;
                store.write(Write::InsertCall(Box::new(call(next))))
            })
            .collect();
        for written in waiting {
            written.blocking_recv().unwrap().unwrap();
        }
    });
}

/// Prints the median time of one of `count` operations.
fn figure(name: &str, count: u32, mut work: impl FnMut()) {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed() / count
        })
        .collect();
    times.sort();
    println!(
        "{name:<44} {:>12.2?}   ({:.2?} to {:.2?})",
        times[RUNS / 2],
        times[0],
        times[RUNS - 1]
    );
}

fn contact(number: i64) -> ContactRow {
    ContactRow {
        id: ContactId(0),
        name: format!("Contact {number}"),
        organization: None,
        organization_name: None,
        role: None,
        email: None,
        notes: String::new(),
        numbers: vec![ContactNumber {
            label: "Work".to_owned(),
            raw: format!("+1415{:07}", 2_000_000 + number),
            e164: None,
        }],
    }
}

fn call(number: u64) -> CallRow {
    let mut random = [0; 10];
    random[..8].copy_from_slice(&number.to_be_bytes());
    CallRow {
        id: CallId::new(number, random),
        direction: CallDirection::Inbound,
        state: CallState::Ringing,
        remote: "+14152000001".to_owned(),
        e164: Some("+14152000001".to_owned()),
        remote_name: None,
        local: "sip:alice@example.com".to_owned(),
        via: None,
        number_proof: None,
        contact: None,
        contact_name: None,
        organization: None,
        level: None,
        match_reason: None,
        started_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        answered_at: None,
        ended_at: None,
        waiting_millis: None,
        talking_millis: None,
        sip_status: None,
        end_reason: None,
        sip_call_id: None,
        recording: None,
        notes: String::new(),
        done: false,
        transferred_to: None,
        transferred_by: None,
    }
}
