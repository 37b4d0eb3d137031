//! Whether writes come so fast that it is worth to gather them.

use std::time::Duration;

/// A pause between two writes that is not shorter says that there is no rush.
const CALM: Duration = Duration::from_millis(1);

/// So many transactions without such a pause are a rush: one call makes three.
const RUSH_AFTER: u32 = 8;

/// Fewer writes than that were not worth the wait.
const GATHERED: usize = 4;

/// Tells a rush of calls from a single one, and from somebody who writes one by one.
#[derive(Debug, Default)]
pub(super) struct Rush {
    /// Transactions since the last pause.
    without_pause: u32,
}

impl Rush {
    /// Takes note of a write that came after so long; true asks to gather further ones.
    pub(super) fn gathers(&mut self, waited: Duration) -> bool {
        self.without_pause = if waited >= CALM {
            0
        } else {
            self.without_pause.saturating_add(1)
        };
        self.without_pause >= RUSH_AFTER
    }

    /// Takes note of how many writes were gathered.
    pub(super) fn gathered(&mut self, writes: usize) {
        if writes < GATHERED {
            self.without_pause = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::ZERO;

    #[test]
    fn neither_a_single_call_nor_one_write_after_the_other_waits_for_more() {
        let mut rush = Rush::default();
        for _ in 0..100 {
            assert!(!rush.gathers(CALM));
            assert!(!rush.gathers(AT_ONCE));
            assert!(!rush.gathers(AT_ONCE));
        }
        let mut waits = 0;
        for _ in 0..100 {
            if rush.gathers(AT_ONCE) {
                waits += 1;
                rush.gathered(1);
            }
        }
        assert!(waits <= 13, "{waits} of 100");
    }

    #[test]
    fn a_rush_gathers_until_it_pauses() {
        let mut rush = Rush::default();
        for _ in 1..RUSH_AFTER {
            assert!(!rush.gathers(AT_ONCE));
        }
        for _ in 0..100 {
            assert!(rush.gathers(AT_ONCE));
            rush.gathered(GATHERED);
        }
        assert!(!rush.gathers(CALM));
    }
}
