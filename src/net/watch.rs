//! Notices that the machine moved to another network or woke from sleep, after which registrations
//! and running calls may be worth nothing.
//!
//! On Linux the kernel tells of each change of links, addresses and routes; elsewhere, and as a
//! safeguard, they are looked at from time to time.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::time::{Interval, MissedTickBehavior, interval, sleep_until};

use crate::base::clock::{monotonic_now, uptime};
#[cfg(target_os = "linux")]
use crate::net::kernel_news::KernelNews;
use crate::net::route::{ANY_PORT, ask_routes};

/// How often the clocks are looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// Each so many periods the routes are looked at, whether the kernel told something or not.
const LOOK_EACH: u32 = if cfg!(target_os = "linux") { 15 } else { 2 };

/// Changes come in bursts (link, address, routes): the burst is over after so long a pause, and
/// acted on after so long at the latest.
const PAUSE: Duration = Duration::from_millis(250);
const BURST: Duration = Duration::from_millis(800);

/// The clock that counts sleep is so far ahead of the one that does not, or nothing ran for so
/// long: the machine slept, or this program was stopped.
const SLEPT: Duration = Duration::from_secs(8);

/// Addresses for documentation (RFC 5737, RFC 3849): the routes to them are the default ones.
const FAR: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];

/// What changed around the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetChange {
    /// A link, an address or a route changed; the ways to the servers may be others.
    Routes,
    /// The machine slept.
    Woke,
}

/// Watches the machine's network and its sleep.
#[derive(Debug)]
pub struct NetWatch {
    ticks: Interval,
    ticked: u32,
    seen: Seen,
    #[cfg(target_os = "linux")]
    news: Option<KernelNews>,
    burst: Option<Burst>,
}

/// A burst of changes that is not over.
#[derive(Debug, Clone, Copy)]
struct Burst {
    began: Instant,
    due: Instant,
}

/// What was seen last.
#[derive(Debug, Clone, Copy)]
struct Seen {
    now: Instant,
    /// Time since the machine started, sleep included, where the system tells it.
    uptime: Option<Duration>,
    addresses: [Option<IpAddr>; 2],
}

impl NetWatch {
    /// Remembers how things are now. Must be called within a tokio runtime.
    pub fn new() -> Self {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            ticks,
            ticked: 0,
            seen: Seen::look(),
            #[cfg(target_os = "linux")]
            news: KernelNews::open()
                .inspect_err(
                    |error| tracing::warn!(%error, "the kernel tells no news of the network"),
                )
                .ok(),
            burst: None,
        }
    }

    /// Waits for the next change; nothing is lost when the wait is given up.
    pub async fn changed(&mut self) -> NetChange {
        loop {
            let due = self.burst.map(|burst| burst.due);
            let pause = async {
                match due {
                    Some(due) => sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = told(#[cfg(target_os = "linux")] &mut self.news) => {
                    self.burst = Some(Burst::with(self.burst, monotonic_now()));
                }
                () = pause => {
                    self.burst = None;
                    self.seen.addresses = Seen::addresses();
                    return NetChange::Routes;
                }
                _ = self.ticks.tick() => {
                    if let Some(change) = self.tick() {
                        return change;
                    }
                }
            }
        }
    }

    fn tick(&mut self) -> Option<NetChange> {
        self.ticked = (self.ticked + 1) % LOOK_EACH;
        let addresses = if self.ticked == 0 {
            Seen::addresses()
        } else {
            self.seen.addresses
        };
        self.seen.compare(Seen {
            now: monotonic_now(),
            uptime: uptime(),
            addresses,
        })
    }
}

#[cfg(target_os = "linux")]
async fn told(news: &mut Option<KernelNews>) {
    match news {
        Some(open) => {
            if let Err(error) = open.next().await {
                tracing::warn!(%error, "the kernel tells no more news of the network");
                *news = None;
            }
        }
        None => std::future::pending().await,
    }
}

/// Only looking helps here.
#[cfg(not(target_os = "linux"))]
async fn told() {
    std::future::pending().await
}

impl Default for NetWatch {
    fn default() -> Self {
        Self::new()
    }
}

impl Burst {
    fn with(running: Option<Self>, now: Instant) -> Self {
        let began = running.map_or(now, |burst| burst.began);
        Self {
            began,
            due: (now + PAUSE).min(began + BURST),
        }
    }
}

impl Seen {
    fn look() -> Self {
        Self {
            now: monotonic_now(),
            uptime: uptime(),
            addresses: Self::addresses(),
        }
    }

    /// Our addresses towards the world.
    fn addresses() -> [Option<IpAddr>; 2] {
        FAR.map(|far| ask_routes(SocketAddr::new(far, ANY_PORT)).ok())
    }

    /// Takes the newer sight in place of this one.
    fn compare(&mut self, newer: Self) -> Option<NetChange> {
        let older = std::mem::replace(self, newer);
        let awake = newer.now.saturating_duration_since(older.now);
        let passed = match (older.uptime, newer.uptime) {
            (Some(older), Some(newer)) => newer.saturating_sub(older),
            (_, _) => awake,
        };
        if awake > SLEPT || passed > awake.saturating_add(SLEPT) {
            Some(NetChange::Woke)
        } else if newer.addresses != older.addresses {
            Some(NetChange::Routes)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: [Option<IpAddr>; 2] = [Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7))), None];

    /// A sight after so many seconds by the clock that rests in sleep and by the one that does not.
    fn sight(start: Instant, awake: u64, up: u64, addresses: [Option<IpAddr>; 2]) -> Seen {
        Seen {
            now: start + Duration::from_secs(awake),
            uptime: Some(Duration::from_secs(5000 + up)),
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
            assert_eq!(change, Some(NetChange::Routes));
            assert_eq!(seen.compare(sight(start, 6, 6, addresses)), None);
        }
    }

    #[test]
    fn sleep_is_seen_by_the_clock_that_counts_it_and_a_halt_by_the_gap() {
        let start = monotonic_now();
        let mut seen = sight(start, 0, 0, HOME);
        let change = seen.compare(sight(start, 1, 3600, HOME));
        assert_eq!(change, Some(NetChange::Woke));
        assert_eq!(seen.compare(sight(start, 2, 3601, HOME)), None);
        let late = seen.compare(sight(start, 5, 3604, HOME));
        assert_eq!(late, None, "a busy machine");
        let halted = seen.compare(sight(start, 65, 3664, HOME));
        assert_eq!(halted, Some(NetChange::Woke), "stopped for a minute");
        let unknown = Seen {
            uptime: None,
            ..sight(start, 66, 0, HOME)
        };
        assert_eq!(seen.compare(unknown), None);
    }

    #[test]
    fn a_burst_ends_with_a_pause_and_never_lasts_long() {
        let start = monotonic_now();
        let mut burst = Burst::with(None, start);
        assert_eq!(burst.due, start + PAUSE);
        for millis in [200, 400, 600, 700] {
            burst = Burst::with(Some(burst), start + Duration::from_millis(millis));
        }
        assert_eq!(burst.due, start + BURST);
    }

    #[tokio::test]
    async fn the_routes_of_this_machine_can_be_read() {
        let mut watch = NetWatch::new();
        let seen = watch.seen;
        assert_eq!(watch.seen.compare(seen), None);
        for address in seen.addresses.into_iter().flatten() {
            assert!(!address.is_unspecified());
        }
        #[cfg(target_os = "linux")]
        assert!(watch.news.is_some(), "the kernel tells its news");
    }
}
