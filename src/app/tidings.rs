//! Events on their way out, in the order in which they happened.
//!
//! What tells of a row waits until that is on disk, and what comes after it waits behind it: who reads an
//! event may count on the row, and on the order. Patience with the disk has an end; what is told then says
//! that it is not durable. Nobody else waits: the far end has its answer, the window its picture.

use std::collections::VecDeque;
use std::time::Instant;

use crate::control::Event;

/// So many may wait; past it the first is told as it is. A slow disk lets a busy phone gather some hundreds.
const MOST: usize = 1024;

/// The row that an event waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// Whether an event may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    /// It tells of none.
    None,
    /// It is being written; at the latest until then.
    Awaited(Ticket, Instant),
    /// It is on disk, or was refused.
    Answered(bool),
}

/// What waits to be told.
#[derive(Debug, Default)]
pub(super) struct Tidings {
    waiting: VecDeque<(Event, Row)>,
    next: u64,
}

impl Tidings {
    /// Takes an event that tells of no row.
    pub(super) fn push(&mut self, event: Event) {
        self.waiting.push_back((event, Row::None));
    }

    /// Takes an event that tells of a row, and how long that is waited for.
    pub(super) fn push_awaiting(&mut self, event: Event, until: Instant) -> Ticket {
        let ticket = Ticket(self.next);
        self.next += 1;
        self.waiting.push_back((event, Row::Awaited(ticket, until)));
        ticket
    }

    /// A row is on disk, or was refused.
    pub(super) fn answered(&mut self, ticket: Ticket, durable: bool) {
        let waits =
            |(_, row): &&mut (Event, Row)| matches!(row, Row::Awaited(it, _) if *it == ticket);
        if let Some((_, row)) = self.waiting.iter_mut().find(waits) {
            *row = Row::Answered(durable);
        }
    }

    /// Gives the next event that may be told; with whether its row is on disk, where it tells of one.
    pub(super) fn poll(&mut self, now: Instant) -> Option<(Event, Option<bool>)> {
        let (_, row) = self.waiting.front()?;
        let durable = match *row {
            Row::None => None,
            Row::Answered(durable) => Some(durable),
            Row::Awaited(_, until) if until <= now || self.waiting.len() > MOST => Some(false),
            Row::Awaited(..) => return None,
        };
        let (event, _) = self.waiting.pop_front()?;
        Some((event, durable))
    }

    /// When patience with the first is over.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.waiting.front()?.1 {
            Row::Awaited(_, until) => Some(until),
            Row::None | Row::Answered(_) => None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::clock::monotonic_now;

    fn event(number: usize) -> Event {
        Event::Error {
            call: None,
            text: number.to_string(),
        }
    }

    fn told(tidings: &mut Tidings, now: Instant) -> Vec<(String, Option<bool>)> {
        let next = std::iter::from_fn(|| tidings.poll(now));
        next.map(|(event, durable)| match event {
            Event::Error { text, .. } => (text, durable),
            other => panic!("{other:?}"),
        })
        .collect()
    }

    /// "answered" was told before its row was written: a kill in between left a missed call.
    #[test]
    fn what_tells_of_a_row_waits_for_it_and_keeps_the_order() {
        let (now, mut tidings) = (monotonic_now(), Tidings::default());
        let until = now + Duration::from_millis(60);
        let first = tidings.push_awaiting(event(1), until);
        tidings.push(event(2));
        let third = tidings.push_awaiting(event(3), until);
        assert!(told(&mut tidings, now).is_empty());
        assert_eq!(tidings.deadline(), Some(until));
        tidings.answered(third, true);
        assert!(told(&mut tidings, now).is_empty(), "behind the first");
        tidings.answered(first, true);
        let all = [("1", Some(true)), ("2", None), ("3", Some(true))];
        let all = all.map(|(text, durable)| (text.to_owned(), durable));
        assert_eq!(told(&mut tidings, now), all);
        assert_eq!(tidings.deadline(), None);
        tidings.answered(first, false);
        assert!(tidings.is_empty());
    }

    #[test]
    fn what_the_disk_refuses_or_is_too_slow_for_is_told_as_not_durable() {
        let (now, mut tidings) = (monotonic_now(), Tidings::default());
        let until = now + Duration::from_millis(60);
        let refused = tidings.push_awaiting(event(1), until);
        let slow = tidings.push_awaiting(event(2), until);
        tidings.answered(refused, false);
        assert_eq!(told(&mut tidings, now), [("1".to_owned(), Some(false))]);
        let just_before = until - Duration::from_millis(1);
        assert!(told(&mut tidings, just_before).is_empty());
        assert_eq!(told(&mut tidings, until), [("2".to_owned(), Some(false))]);
        // The disk answers at last.
        tidings.answered(slow, true);
        assert!(told(&mut tidings, until).is_empty());
    }

    #[test]
    fn what_waits_is_limited() {
        let (now, mut tidings) = (monotonic_now(), Tidings::default());
        let until = now + Duration::from_millis(60);
        for number in 0..MOST + 10 {
            tidings.push_awaiting(event(number), until);
        }
        let told = told(&mut tidings, now);
        assert_eq!(told.len(), 10);
        assert_eq!(told.first(), Some(&("0".to_owned(), Some(false))));
    }
}
