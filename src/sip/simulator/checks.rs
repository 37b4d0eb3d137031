//! What must be true of every run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::agent::Record;
use super::witness::field;
use super::world::World;
use crate::sip::timer::TIMEOUT;
use crate::sip::{Census, EndedBy, SipEvent};

/// Checks that nothing is left over, that every call ended once, that every 2xx was acknowledged by
/// the one who got it, that nobody cancels too early, and that both sides end in time.
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
        check_acks_sent(world, number, seed);
        check_acks_got(world, number, seed);
        check_cancels(world, number, seed);
    }
    check_agreement(world, seed);
}

/// One 2xx to an INVITE: Call-ID, our tag and theirs, and the `CSeq` number.
type Accepted<'t> = (&'t str, &'t str, &'t str, &'t str);

fn accepted(text: &str, sent: bool) -> Accepted<'_> {
    let of = |name| field(text, name).split(";tag=").nth(1).unwrap_or_default();
    // Who sends a request, or gets its answer, stands in From.
    let ours_is_from = text.starts_with("SIP/2.0") != sent;
    let (ours, theirs) = if ours_is_from {
        (of("From"), of("To"))
    } else {
        (of("To"), of("From"))
    };
    let number = field(text, "CSeq").split(' ').next().unwrap_or_default();
    (field(text, "Call-ID"), ours, theirs, number)
}

fn is_2xx_of_invite(text: &str) -> bool {
    text.starts_with("SIP/2.0 2") && field(text, "CSeq").ends_with(" INVITE")
}

fn is_refusal_of_invite(text: &str) -> bool {
    let code = text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..1));
    matches!(code, Some("3" | "4" | "5" | "6")) && field(text, "CSeq").ends_with(" INVITE")
}

/// Every 2xx to an INVITE of ours is acknowledged at once, each time that it comes; no loss of the
/// network excuses it.
fn check_acks_sent(world: &World, number: usize, seed: u64) {
    /// A name that must be looked up first.
    const LOOK_UP: Duration = Duration::from_millis(20);
    let ladder = &world.agents[number].ladder;
    let mut invites: BTreeMap<&str, Instant> = BTreeMap::new();
    let mut alive: BTreeSet<&str> = BTreeSet::new();
    let mut refused: BTreeSet<&str> = BTreeSet::new();
    let mut first: BTreeMap<Accepted<'_>, Instant> = BTreeMap::new();
    for (place, (at, sent, _, text)) in ladder.iter().enumerate() {
        let branch = branch(text);
        if *sent && text.starts_with("INVITE ") {
            invites.entry(branch).or_insert(*at);
        }
        // An agent that restarted knows nothing of its earlier INVITE, and one that heard nothing
        // for 64*T1 has given it up (timer B).
        let Some(begun) = invites.get(branch) else {
            continue;
        };
        if !*sent && text.starts_with("SIP/2.0 ") && *at < *begun + TIMEOUT {
            alive.insert(branch);
        }
        if !*sent && is_refusal_of_invite(text) {
            refused.insert(branch);
        }
        // A far end that restarts may refuse a copy of what it accepted before; the first final
        // answer counts (RFC 3261 section 17.1.1.2, state Completed).
        if *sent || !is_2xx_of_invite(text) || !alive.contains(branch) || refused.contains(branch) {
            continue;
        }
        let answer = accepted(text, false);
        let since = *first.entry(answer).or_insert(*at);
        // By then the INVITE is forgotten (timer M), and its 2xx was acknowledged before.
        if *at >= since + TIMEOUT {
            continue;
        }
        let acknowledged = ladder[place..]
            .iter()
            .take_while(|(later, ..)| *later <= *at + LOOK_UP)
            .any(|(_, sent, _, text)| {
                *sent && text.starts_with("ACK ") && accepted(text, true) == answer
            });
        assert!(
            acknowledged,
            "seed {seed}: agent {number} did not acknowledge {answer:?}\n{}",
            world.show_call_id(number, answer.0)
        );
    }
}

/// Every 2xx to an INVITE of the far end is followed by its ACK, or by something that tells that
/// it arrived; where nothing came for 64*T1, by our BYE.
fn check_acks_got(world: &World, number: usize, seed: u64) {
    let mut open: BTreeMap<Accepted<'_>, Instant> = BTreeMap::new();
    let mut confirmed: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (at, sent, _, text) in &world.agents[number].ladder {
        let answer = accepted(text, *sent);
        let (call, ours, ..) = answer;
        let of_call = |(id, tag, ..): &Accepted<'_>| (*id, *tag) == (call, ours);
        if *sent && is_2xx_of_invite(text) {
            open.entry(answer).or_insert(*at);
        } else if !*sent && text.starts_with("ACK ") {
            open.remove(&answer);
            confirmed.insert((call, ours));
        } else if !*sent && (text.starts_with("BYE ") || text.starts_with("INVITE ")) {
            open.retain(|key, _| !of_call(key));
            confirmed.insert((call, ours));
        } else if *sent && text.starts_with("BYE ") {
            // Within a call a change may be overtaken by the end.
            let known = confirmed.contains(&(call, ours));
            open.retain(|key, since| !of_call(key) || !(known || *at >= *since + TIMEOUT));
        }
    }
    assert!(
        open.is_empty(),
        "seed {seed}: agent {number} has 2xx without ACK: {open:?}\n{}",
        (open.keys().next()).map_or_else(String::new, |(id, ..)| world.show_call_id(number, id))
    );
}

/// No CANCEL goes out before a provisional answer to the same attempt (RFC 3261 section 9.1).
fn check_cancels(world: &World, number: usize, seed: u64) {
    let mut provisional: BTreeSet<&str> = BTreeSet::new();
    for (_, sent, _, text) in &world.agents[number].ladder {
        if !*sent && text.starts_with("SIP/2.0 1") && field(text, "CSeq").ends_with(" INVITE") {
            provisional.insert(branch(text));
        } else if *sent && text.starts_with("CANCEL ") {
            assert!(
                provisional.contains(branch(text)),
                "seed {seed}: agent {number} cancels before a 1xx\n{}",
                world.show_call_id(number, field(text, "Call-ID"))
            );
        }
    }
}

/// The branch of the topmost Via.
pub(super) fn branch(text: &str) -> &str {
    let via = field(text, "Via");
    let (_, after) = via.split_once(";branch=").unwrap_or_default();
    after.split([';', ',']).next().unwrap_or_default()
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
            // One that never accepted was not talked with; one that was never confirmed was.
            if callee.accepted.is_none() {
                continue;
            }
            let (callee_end, callee_by) = end(callee);
            let (first, later) = (callee_end.min(caller_end), callee_end.max(caller_end));
            // Who heard nothing of the end finds out by its own request, or by the session timer.
            let interval = world.interval(*number, label).unwrap_or_default();
            assert!(
                later - first <= TIMEOUT.max(interval) + Duration::from_secs(1),
                "seed {seed}: {label} ended {:?} apart, {caller_by:?} and {callee_by:?}\n{}{}",
                later - first,
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
