//! What must be true of the subscriptions, digits and messages of every run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::agent::Record;
use super::checks::branch;
use super::witness::field;
use super::world::World;
use crate::sip::timer::TIMEOUT;
use crate::sip::{NotifierId, SipEvent, SubscriptionState};

/// How much of a run was about this.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Subscriptions that lived.
    pub(super) active: usize,
    /// Refreshes that were granted.
    pub(super) refreshed: usize,
    /// Digits that came by INFO.
    pub(super) digits: usize,
    /// Messages and news that nobody asked for.
    pub(super) written: usize,
}

impl Seen {
    pub(super) fn add(&mut self, more: Self) {
        self.active += more.active;
        self.refreshed += more.refreshed;
        self.digits += more.digits;
        self.written += more.written;
    }
}

/// Checks that every subscription was refreshed in time and ended once, that each notifier whose news
/// came was told as gone, that digits kept their order, and that what came got one answer.
pub(super) fn check_watching(world: &World, seed: u64) -> Seen {
    let mut seen = Seen::default();
    for (number, agent) in world.agents.iter().enumerate() {
        for (id, told) in &agent.watched {
            if told.iter().any(is_active) {
                seen.active += 1;
            }
            if let Err(why) = check_told(told) {
                panic!("seed {seed}: agent {number}: {id:?} {why}: {told:#?}");
            }
        }
        seen.refreshed += check_refreshes(world, number, seed);
        seen.written += check_answers(world, number, seed);
        seen.digits += agent.records.values().map(|r| r.heard.len()).sum::<usize>();
    }
    check_digits(world, seed);
    seen
}

fn is_active(event: &SipEvent) -> bool {
    matches!(
        event,
        SipEvent::Subscription {
            state: SubscriptionState::Active { .. },
            ..
        }
    )
}

/// What the owner of a subscription heard, from its beginning to when it gave it up.
fn check_told(told: &[SipEvent]) -> Result<(), &'static str> {
    let mut notifiers: BTreeSet<NotifierId> = BTreeSet::new();
    let mut gone: BTreeSet<NotifierId> = BTreeSet::new();
    let mut given_up = false;
    for event in told {
        if given_up {
            return Err("goes on after it was given up");
        }
        match event {
            SipEvent::News { notifier, .. } if gone.contains(notifier) => {
                return Err("has news of a notifier that is gone");
            }
            SipEvent::News { notifier, .. } => {
                notifiers.insert(*notifier);
            }
            SipEvent::NotifierGone { notifier, .. } if gone.contains(notifier) => {
                return Err("lost a notifier twice");
            }
            SipEvent::NotifierGone { notifier, .. } => {
                gone.insert(*notifier);
            }
            SipEvent::Subscription {
                state:
                    SubscriptionState::Ended {
                        status: None,
                        reason,
                    },
                ..
            } => given_up = reason == "it was ended on request",
            _ => {}
        }
    }
    if !given_up {
        Err("did not end when it was given up")
    } else if !notifiers.is_subset(&gone) {
        Err("kept a notifier")
    } else {
        Ok(())
    }
}

/// The last SUBSCRIBE of a Call-ID, and what is known of it.
#[derive(Debug)]
struct Asked<'t> {
    cseq: &'t str,
    sent: Instant,
    /// When the notifier forgets us, once it said so.
    until: Option<Instant>,
    /// Whether its news came, without which the subscription is given up (timer N).
    told: bool,
}

/// Each lifetime that was granted is followed by another SUBSCRIBE, which refreshes or ends it, unless
/// the notifier ended it first. Gives how many were refreshed.
fn check_refreshes(world: &World, number: usize, seed: u64) -> usize {
    let mut asked: BTreeMap<&str, Asked<'_>> = BTreeMap::new();
    let mut news: BTreeMap<&str, &str> = BTreeMap::new();
    let mut refreshed = 0;
    let overdue =
        |asked: &Asked<'_>, now: Instant| asked.told && asked.until.is_some_and(|it| it < now);
    for (at, sent, _, text) in &world.agents[number].ladder {
        let cseq = field(text, "CSeq");
        if !cseq.ends_with(" SUBSCRIBE") && !cseq.ends_with(" NOTIFY") {
            continue;
        }
        let call = field(text, "Call-ID");
        let fail = |what: &str| -> ! {
            let shown = world.show_call_id(number, call);
            panic!("seed {seed}: agent {number}: a subscription was {what}\n{shown}")
        };
        if *sent && text.starts_with("SUBSCRIBE ") {
            let last = asked.get(call);
            if last.is_some_and(|last| last.cseq == cseq) {
                // Sent again by its transaction.
                continue;
            }
            if last.is_some_and(|last| overdue(last, *at)) {
                fail("refreshed too late");
            }
            refreshed += usize::from(last.is_some_and(|last| last.told));
            let new = Asked {
                cseq,
                sent: *at,
                until: None,
                told: false,
            };
            asked.insert(call, new);
        } else if !*sent && text.starts_with("SIP/2.0 2") {
            // One that comes after 64*T1 comes to nobody (timer F).
            if let Some(last) = asked.get_mut(call)
                && last.cseq == cseq
                && *at < last.sent + TIMEOUT
            {
                let seconds = field(text, "Expires").parse().unwrap_or(0);
                last.until = (seconds > 0).then(|| *at + Duration::from_secs(seconds));
            }
        } else if !*sent && text.starts_with("NOTIFY ") {
            news.insert(branch(text), field(text, "Subscription-State"));
        } else if *sent && text.starts_with("SIP/2.0 ") && cseq.ends_with(" NOTIFY") {
            let ended = news
                .get(branch(text))
                .is_some_and(|state| state.starts_with("terminated"));
            if ended || !text.starts_with("SIP/2.0 200") {
                if ended {
                    asked.remove(call);
                }
            } else if let Some(last) = asked.get_mut(call) {
                last.told = true;
            }
        }
    }
    for (call, last) in &asked {
        assert!(
            !last.told || last.until.is_none(),
            "seed {seed}: agent {number}: a subscription was neither refreshed nor ended\n{}",
            world.show_call_id(number, call)
        );
    }
    refreshed
}

/// Each MESSAGE, INFO and NOTIFY that comes is answered at once, and all its copies alike. Gives how
/// many came outside of calls and subscriptions.
fn check_answers(world: &World, number: usize, seed: u64) -> usize {
    let ladder = &world.agents[number].ladder;
    let mut answers: BTreeMap<(&str, &str), (Instant, &str)> = BTreeMap::new();
    for (at, sent, _, text) in ladder {
        let cseq = field(text, "CSeq");
        let code = text.strip_prefix("SIP/2.0 ").and_then(|it| it.get(..3));
        if let Some(code) = code.filter(|_| *sent && is_short(cseq)) {
            let key = (branch(text), cseq);
            let (when, first) = *answers.entry(key).or_insert((*at, code));
            // A copy that comes after 64*T1 is a new request (timer J).
            assert!(
                first == code || *at >= when + TIMEOUT,
                "seed {seed}: agent {number} answers twice: {first} and {code}\n{}",
                world.show_call_id(number, field(text, "Call-ID"))
            );
        }
    }
    let mut written = BTreeSet::new();
    for (at, sent, _, text) in ladder {
        if *sent || !is_short(text.split(' ').next().unwrap_or_default()) {
            continue;
        }
        let cseq = field(text, "CSeq");
        let answer = answers.get(&(branch(text), cseq));
        assert!(
            answer.is_some_and(|(when, _)| when <= at),
            "seed {seed}: agent {number} does not answer\n{text}\n{}",
            world.show_call_id(number, field(text, "Call-ID"))
        );
        if field(text, "Call-ID").starts_with("written-") {
            written.insert(branch(text));
        }
    }
    written.len()
}

/// Whether a request is one that no person answers.
fn is_short(cseq: &str) -> bool {
    ["MESSAGE", "INFO", "NOTIFY"]
        .iter()
        .any(|method| cseq.ends_with(method))
}

/// Digits come in the order in which they were pressed, none of them twice, whatever the network does.
fn check_digits(world: &World, seed: u64) {
    let mut by_label: BTreeMap<&str, Vec<(usize, &Record)>> = BTreeMap::new();
    for (number, agent) in world.agents.iter().enumerate() {
        for record in agent.records.values() {
            let sides = by_label.entry(&record.label).or_default();
            sides.push((number, record));
        }
    }
    let lost = world.agents.iter().flat_map(|agent| &agent.lost);
    let lost: BTreeSet<&str> = lost.map(|(label, ..)| label.as_str()).collect();
    for (label, sides) in by_label {
        if lost.contains(label) {
            continue;
        }
        for (number, record) in &sides {
            let mut others = sides
                .iter()
                .filter(|(_, it)| it.outgoing != record.outgoing);
            assert!(
                record.heard.is_empty()
                    || others.any(|(_, other)| is_part(&record.heard, &other.pressed)),
                "seed {seed}: {label}: agent {number} heard {}, of {:?}\n{}",
                record.heard,
                sides.iter().map(|(_, it)| &it.pressed).collect::<Vec<_>>(),
                world.show_call(*number, label)
            );
        }
    }
}

/// Whether the digits are some of those that were pressed, in their order.
fn is_part(heard: &str, pressed: &str) -> bool {
    let mut pressed = pressed.chars();
    heard.chars().all(|digit| pressed.any(|it| it == digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_that_are_lost_are_allowed_and_digits_that_are_turned_round_or_doubled_are_not() {
        for (heard, pressed, part) in [
            ("", "", true),
            ("13", "123", true),
            ("123", "123", true),
            ("21", "123", false),
            ("112", "123", false),
            ("1", "", false),
        ] {
            assert_eq!(is_part(heard, pressed), part, "{heard} of {pressed}");
        }
    }
}
