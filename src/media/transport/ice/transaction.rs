//! When a request over UDP is sent again (RFC 8489 section 6.2.1).

use std::time::{Duration, Instant};

/// The shortest initial retransmission timeout (RFC 8445 section 14.3).
pub(super) const RTO: Duration = Duration::from_millis(500);
/// The same for the first requests to our own servers, which are few: a call waits for their answers.
pub(super) const RTO_OF_SERVERS: Duration = Duration::from_millis(200);
/// Requests in all (Rc).
const REQUESTS: u32 = 7;
/// How many timeouts the last one waits (Rm).
const LAST: u32 = 16;

/// The clock of one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Retransmission {
    timeout: Duration,
    sent: u32,
    next: Instant,
}

/// What time asks of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing yet.
    Later,
    /// The request is sent again.
    Again,
    /// Nobody answers.
    TimedOut,
}

impl Retransmission {
    /// The first request went just now.
    pub(super) fn begin(now: Instant, timeout: Duration) -> Self {
        Self {
            timeout,
            sent: 1,
            next: now + timeout,
        }
    }

    /// When something is due.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// What is due; counts what it asks for.
    pub(super) fn poll(&mut self, now: Instant) -> Due {
        if now < self.next {
            return Due::Later;
        }
        if self.sent >= REQUESTS {
            return Due::TimedOut;
        }
        self.sent += 1;
        let wait = if self.sent == REQUESTS {
            self.timeout * LAST
        } else {
            self.timeout * 2_u32.pow(self.sent - 1)
        };
        self.next = now + wait;
        Due::Again
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;

    /// The times of RFC 8489 section 6.2.1 for a timeout of 500 ms.
    #[test]
    fn the_intervals_double_and_the_last_one_is_sixteen_timeouts() {
        let start = monotonic_now();
        let mut clock = Retransmission::begin(start, RTO);
        for millis in [500, 1_500, 3_500, 7_500, 15_500, 31_500] {
            let due = start + Duration::from_millis(millis);
            assert_eq!(clock.next(), due);
            assert_eq!(clock.poll(due - Duration::from_millis(1)), Due::Later);
            assert_eq!(clock.poll(due), Due::Again);
        }
        let end = start + Duration::from_millis(39_500);
        assert_eq!(clock.next(), end);
        assert_eq!(clock.poll(end), Due::TimedOut);
    }
}
