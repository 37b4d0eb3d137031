//! Notices that the machine moved to another network or woke from sleep, after which registrations
//! are worth nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::base::clock::{monotonic_now, wall_now};
use crate::net::route::ask_routes;

/// How often it looks; looking costs a few system calls and sends nothing.
const PERIOD: Duration = Duration::from_secs(3);

/// The wall clock runs during sleep, the monotonic one does not: so much difference means sleep,
/// or a clock that was set by hand, which does no harm.
const SLEPT: Duration = Duration::from_secs(10);

/// Addresses for documentation (RFC 5737, RFC 3849): the routes to them are the default ones.
const FAR: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];

/// What changed around the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetChange {
    /// The machine has other addresses towards the world, or none any more.
    Addresses,
    /// The machine slept.
    Woke,
}

/// Watches the machine's default routes and its sleep.
#[derive(Debug)]
pub struct NetWatch {
    ticks: Interval,
    seen: Seen,
}

/// What was seen last.
#[derive(Debug, Clone, Copy)]
struct Seen {
    now: Instant,
    wall: Timestamp,
    addresses: [Option<IpAddr>; 2],
}

impl NetWatch {
    /// Remembers how things are now. Must be called within a tokio runtime.
    pub fn new() -> Self {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            ticks,
            seen: Seen::look(),
        }
    }

    /// Waits for the next change; nothing is lost when the wait is given up.
    pub async fn changed(&mut self) -> NetChange {
        loop {
            self.ticks.tick().await;
            if let Some(change) = self.seen.compare(Seen::look()) {
                return change;
            }
        }
    }
}

impl Default for NetWatch {
    fn default() -> Self {
        Self::new()
    }
}

impl Seen {
    fn look() -> Self {
        Self {
            now: monotonic_now(),
            wall: wall_now(),
            addresses: FAR.map(|far| ask_routes(far).ok()),
        }
    }

    /// Takes the newer sight in place of this one.
    fn compare(&mut self, newer: Self) -> Option<NetChange> {
        let older = std::mem::replace(self, newer);
        let awake = newer.now.saturating_duration_since(older.now);
        // A wall clock that was set back gives nothing.
        let passed = Duration::try_from(newer.wall.duration_since(older.wall)).unwrap_or_default();
        if passed > awake.saturating_add(SLEPT) {
            Some(NetChange::Woke)
        } else if newer.addresses != older.addresses {
            Some(NetChange::Addresses)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: [Option<IpAddr>; 2] = [Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7))), None];

    /// A sight after so many seconds by the monotonic and by the wall clock.
    fn sight(start: Instant, awake: u64, wall: i64, addresses: [Option<IpAddr>; 2]) -> Seen {
        Seen {
            now: start + Duration::from_secs(awake),
            wall: Timestamp::from_second(1_700_000_000 + wall).unwrap(),
            addresses,
        }
    }

    #[test]
    fn another_address_and_no_address_are_changes_once() {
        let start = monotonic_now();
        let mut seen = sight(start, 0, 0, HOME);
        assert_eq!(seen.compare(sight(start, 3, 3, HOME)), None);
        let away = [Some(IpAddr::V4(Ipv4Addr::new(172, 16, 0, 9))), None];
        for addresses in [away, [None, None], HOME] {
            let change = seen.compare(sight(start, 6, 6, addresses));
            assert_eq!(change, Some(NetChange::Addresses));
            assert_eq!(seen.compare(sight(start, 6, 6, addresses)), None);
        }
    }

    #[test]
    fn sleep_is_seen_by_the_wall_clock() {
        let start = monotonic_now();
        let mut seen = sight(start, 0, 0, HOME);
        let change = seen.compare(sight(start, 3, 3600, HOME));
        assert_eq!(change, Some(NetChange::Woke));
        assert_eq!(seen.compare(sight(start, 6, 3603, HOME)), None);
        assert_eq!(seen.compare(sight(start, 9, 10, HOME)), None, "set back");
        assert_eq!(
            seen.compare(sight(start, 600, 601, HOME)),
            None,
            "a late look"
        );
    }

    #[tokio::test]
    async fn the_routes_of_this_machine_can_be_read() {
        let mut watch = NetWatch::new();
        let seen = watch.seen;
        assert_eq!(watch.seen.compare(seen), None);
        for address in seen.addresses.into_iter().flatten() {
            assert!(!address.is_unspecified());
        }
    }
}
