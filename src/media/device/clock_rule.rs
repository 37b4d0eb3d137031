//! How a speaker's rate follows its clock.
//!
//! What waits for the card is looked at 100 times a second and is off by a millisecond or so each time,
//! for threads run when they can. An echo canceller hears a delay that moves by a few microseconds a
//! second while both sides talk: at 5 parts in a million between what is played and what is heard, a voice in
//! double talk loses 0.2 of its PESQ, at 20 all that the canceller gave (`benches/whole/voice.rs`). So a
//! line is fitted to all looks, by least squares and one at a time (the g-h filter, as in Brookner, Tracking and
//! Kalman Filtering Made Easy, 1998, chapter 1): its slope is how much the clocks differ. A delay that is
//! off by less than it matters stays as it is.

use crate::media::frame::FRAME_TIME;

/// Looks that are remembered: 60 s. Crystals change with their warmth, in minutes.
const MOST_LOOKS: f64 = 6_000.0;
/// So many looks make a slope: 1 s.
const BELIEVED: f64 = 100.0;
/// A look that is off by more than that was made by a thread that was held up, in seconds.
const HELD_UP: f64 = 0.005;
/// So many such looks in a row are a change of what waits, where less waits than foretold.
const CHANGED: u32 = 50;
/// So many that agree are one where more waits: who is held up sees less.
const GROWN: u32 = 5;
/// The most that clocks differ: five times what a cheap crystal may be off.
const MOST_APART: f64 = 0.000_5;
/// What waits may be off by so much for ever, in seconds.
const NEAR: f64 = 0.001;
/// What is off by more is worked off down to that.
const CLOSE: f64 = 0.000_2;
/// The part of what it is off by more that is worked off in a second.
const PULL: f64 = 0.3;
/// The most that the rate is steered: three hundredths of a semitone, which nobody hears.
const MOST: f64 = 0.002;

/// The rule of one speaker.
#[derive(Debug, Default)]
pub(super) struct ClockRule {
    /// How much more waits than shall, by the line, in seconds.
    excess: f64,
    /// How much slower than ours the card's clock is, by the line, as a part of one.
    apart: f64,
    looks: f64,
    held_up: u32,
    /// What the first of those saw that agree, in seconds.
    seen: f64,
    /// How many agree.
    agree: u32,
    /// Whether what waits is brought nearer to what shall.
    mending: bool,
    /// What was steered last.
    steered: f64,
}

impl ClockRule {
    /// How much more waits than shall, in seconds; none while that is near enough.
    pub(super) fn far(&self) -> f64 {
        if self.mending || self.excess.abs() > NEAR {
            self.excess
        } else {
            0.0
        }
    }

    /// How much more waits than shall, by the line, in seconds.
    pub(super) fn excess(&self) -> f64 {
        self.excess
    }

    /// Whether what waits is brought nearer to what shall.
    pub(super) fn is_mending(&self) -> bool {
        self.mending
    }

    /// How much less waits than usual, as it looks.
    pub(super) fn late(&self, seen: f64) -> f64 {
        (self.excess - seen).max(0.0)
    }

    /// What waits has nothing to do with what waited before; the clocks are the same.
    pub(super) fn settle(&mut self) {
        self.looks = 0.0;
    }

    /// What waits, or what shall wait, has changed by so many seconds.
    pub(super) fn leap(&mut self, by: f64) {
        self.excess += by;
    }

    /// By which part of one fewer samples shall be made of the next frame, when so many seconds more
    /// wait than shall, as it looks.
    pub(super) fn steer(&mut self, seen: f64) -> f64 {
        let passed = FRAME_TIME.as_secs_f64();
        self.excess += (self.apart - self.steered) * passed;
        if self.looks == 0.0 {
            self.excess = seen;
        }
        let off = seen - self.excess;
        if off.abs() < HELD_UP {
            (self.held_up, self.agree) = (0, 0);
            let looks = (self.looks + 1.0).min(MOST_LOOKS);
            self.looks = looks;
            self.excess += off * 2.0 * (2.0 * looks - 1.0) / (looks * (looks + 1.0));
            if looks > 1.0 {
                let slope = off * 6.0 / (looks * (looks + 1.0)) / passed;
                self.apart = (self.apart + slope).clamp(-MOST_APART, MOST_APART);
            }
        } else {
            self.held_up += 1;
            if (seen - self.seen).abs() < HELD_UP {
                self.agree += 1;
            } else {
                (self.seen, self.agree) = (seen, 1);
            }
            let grown = off > 0.0 && self.agree >= GROWN;
            if grown || self.held_up >= CHANGED {
                (self.excess, self.looks, self.held_up) = (seen, 1.0, 0);
            }
        }
        let apart = if self.looks < BELIEVED {
            0.0
        } else {
            self.apart
        };
        let near = if self.mending { CLOSE } else { NEAR };
        self.mending = self.excess.abs() > near;
        self.steered = (apart + PULL * self.far()).clamp(-MOST, MOST);
        self.steered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{Random as _, SeededRandom};

    /// A card whose clock is slower by so much, with looks that are off by up to `noise` seconds.
    struct World {
        rule: ClockRule,
        random: SeededRandom,
        apart: f64,
        noise: f64,
        excess: f64,
    }

    impl World {
        fn new(apart: f64, noise: f64) -> Self {
            Self {
                rule: ClockRule::default(),
                random: SeededRandom::new(9),
                apart,
                noise,
                excess: 0.0,
            }
        }

        /// Lets seconds pass; gives by how many microseconds the delay moved in each of them, at most.
        fn pass(&mut self, seconds: u32) -> f64 {
            let mut most = 0.0_f64;
            for _ in 0..seconds {
                let before = self.excess;
                for _ in 0..100 {
                    let share = f64::from(self.random.next_u32()) / f64::from(u32::MAX);
                    let off = (share - 0.5) * 2.0 * self.noise;
                    let steer = self.rule.steer(self.excess + off);
                    self.excess += (self.apart - steer) * 0.01;
                }
                most = most.max((self.excess - before).abs() * 1e6);
            }
            most
        }
    }

    #[test]
    fn the_difference_of_two_clocks_is_learned_at_once_and_exactly() {
        for apart in [-300e-6, -100e-6, 20e-6, 300e-6] {
            let mut world = World::new(apart, 0.0);
            world.pass(1);
            let moved = world.pass(60);
            assert!(moved < 0.1, "{apart}: {moved}");
        }
    }

    #[test]
    fn looks_that_are_off_by_a_millisecond_move_the_delay_by_a_few_microseconds() {
        let mut world = World::new(100e-6, 0.001);
        world.pass(20);
        let moved = world.pass(40);
        assert!(moved < 6.0, "{moved}");
        let moved = world.pass(600);
        assert!(moved < 2.0, "{moved}");
        assert!(world.excess.abs() < NEAR * 1.1, "{}", world.excess);
    }

    #[test]
    fn that_more_waits_is_believed_after_five_looks_and_that_less_does_after_half_a_second() {
        for (more, looks) in [(0.030, GROWN), (-0.030, CHANGED)] {
            let mut world = World::new(0.0, 0.000_5);
            world.pass(5);
            for look in 1..=looks {
                assert!(world.rule.excess().abs() < 0.001, "{more} {look}");
                // One that does not agree, of a card that took two pieces at once.
                let first = if look == 1 { more * 1.5 } else { more };
                world.rule.steer(first);
            }
            world.rule.steer(more);
            assert!((world.rule.excess() - more).abs() < 0.001, "{more}");
        }
    }

    #[test]
    fn a_change_is_followed_within_seconds_and_teaches_nothing_of_the_clocks() {
        let mut world = World::new(100e-6, 0.001);
        world.pass(30);
        for told in [true, false] {
            world.excess -= 0.02;
            if told {
                world.rule.leap(-0.02);
            }
            world.pass(30);
            assert!(world.excess.abs() < NEAR * 1.2, "{told}: {}", world.excess);
            let moved = world.pass(30);
            assert!(moved < 8.0, "{told}: {moved}");
        }
    }
}
