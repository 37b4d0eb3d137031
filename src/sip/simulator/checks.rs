//! What must be true of every run.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::world::{Record, World, field};
use crate::sip::timer::TIMEOUT;
use crate::sip::{Census, EndedBy, SipEvent};

/// Checks that nothing is left over, that every call ended once, that every 2xx was acknowledged
/// or its call ended by BYE, and that both sides agree or say that the other is unreachable.
pub(super) fn check(world: &World, seed: u64) {
    for (number, agent) in world.agents.iter().enumerate() {
        assert_eq!(
            agent.endpoint.census(),
            Census::default(),
            "seed {seed}: agent {number} is not quiet\n{}",
            world.show(number)
        );
        for record in agent.records.values() {
            assert_eq!(
                record.ended.len(),
                1,
                "seed {seed}: agent {number}: {record:?}\n{}",
                world.show(number)
            );
        }
        check_acks(world, number, seed);
    }
    check_agreement(world, seed);
}

/// Every 2xx to an INVITE that was sent is followed by an ACK or by a BYE of that call.
fn check_acks(world: &World, number: usize, seed: u64) {
    let mut open: BTreeMap<String, Instant> = BTreeMap::new();
    for (at, sent, _, text) in &world.agents[number].ladder {
        let call = field(text, "Call-ID").to_owned() + tag(text, *sent);
        let cseq = field(text, "CSeq");
        if *sent && text.starts_with("SIP/2.0 2") && cseq.ends_with("INVITE") {
            open.insert(call, *at);
        } else if (!*sent && text.starts_with("ACK")) || text.starts_with("BYE") {
            open.remove(&call);
        } else if !*sent && text.starts_with("INVITE") && !open.is_empty() {
            // A re-INVITE of the far end proves that the 2xx arrived.
            open.remove(&call);
        }
    }
    assert!(
        open.is_empty(),
        "seed {seed}: agent {number} has 2xx without ACK or BYE: {open:?}\n{}",
        world.show(number)
    );
}

/// Our own tag: that of To in what we answer and receive as requests, else that of From.
fn tag(text: &str, sent: bool) -> &str {
    let ours = if text.starts_with("SIP/2.0") == sent {
        "To"
    } else {
        "From"
    };
    field(text, ours).split(";tag=").nth(1).unwrap_or_default()
}

fn check_agreement(world: &World, seed: u64) {
    let mut by_label: BTreeMap<&str, Vec<(usize, &Record)>> = BTreeMap::new();
    for (number, agent) in world.agents.iter().enumerate() {
        for record in agent.records.values() {
            by_label
                .entry(&record.label)
                .or_default()
                .push((number, record));
        }
    }
    for (label, sides) in by_label {
        // One side forgot the call: with a session timer the other one ends it in time, without
        // it ends it some day, which is checked above.
        let lost = world.agents.iter().flat_map(|agent| &agent.lost);
        let mut lost = lost.filter(|(lost, _, _)| lost == label).peekable();
        if lost.peek().is_some() {
            let Some((_, at, _)) = lost.find(|(_, _, talked)| *talked) else {
                continue;
            };
            for (number, record) in sides {
                if record.established.is_some_and(|since| since <= *at)
                    && let Some(interval) = world.interval(number, label)
                {
                    let (over, _) = end(record);
                    assert!(
                        over <= *at + interval + TIMEOUT,
                        "seed {seed}: {label} outlived a restart by {:?}\n{}",
                        over - *at,
                        world.show_call(number, label)
                    );
                }
            }
            continue;
        }
        let Some((caller_number, caller)) = sides.iter().find(|(_, record)| record.outgoing) else {
            panic!("seed {seed}: {label} was never made");
        };
        let Some(talked_at) = caller.established else {
            continue;
        };
        assert!(
            sides.iter().any(|(_, record)| record.accepted.is_some()),
            "seed {seed}: {label} was answered by nobody"
        );
        let (caller_end, caller_by) = end(caller);
        assert!(caller_end >= talked_at);
        for (number, callee) in sides.iter().filter(|(_, r)| !r.outgoing) {
            if callee.established.is_none() {
                continue;
            }
            let (callee_end, callee_by) = end(callee);
            let apart = if callee_end > caller_end {
                callee_end - caller_end
            } else {
                caller_end - callee_end
            };
            let flagged = caller_by == EndedBy::Unreachable || callee_by == EndedBy::Unreachable;
            assert!(
                apart <= TIMEOUT + Duration::from_secs(1) || flagged,
                "seed {seed}: {label} ended {apart:?} apart\n{}{}",
                world.show_call(*caller_number, label),
                world.show_call(*number, label)
            );
        }
    }
}

fn end(record: &Record) -> (Instant, EndedBy) {
    match record.ended.first() {
        Some((at, SipEvent::Ended { by, .. })) => (*at, *by),
        other => panic!("{}: {other:?}", record.label),
    }
}
