//! What our encoder does about the network, by what the far end reports of it, sans-IO.
//!
//! Input: `report` for each reception report of our stream (RFC 3550 section 6.4.1). Output: the course that
//! the encoder takes from there on.
//!
//! - **Redundancy for loss.** The loss that is believed follows a rise at once and a fall slowly, because
//!   loss comes in spells. After some reports without any, in-band FEC is switched off and its bits are
//!   sound again. More is prepared for than is believed: what brings a packet back is the finer.
//! - **DRED for bursts.** FEC brings back the one packet before the next; where more than that is lost, each
//!   packet carries the last eighth of a second again. Nothing in SDP tells whether a far end reads it;
//!   it lies in the padding, which every decoder skips, and takes its bits from the sound's.
//! - **Fewer bits for a full line.** A round trip that grows is a queue that fills: the bitrate falls by a
//!   fifth with each report of it, until the longer one has lasted and counts as the way's own. Loss that lasts may be a full line or a bad radio link: the bitrate
//!   falls once, and stays there only where the loss falls with it. It rises again slowly.

use std::time::{Duration, Instant};

use crate::media::codec::Course;
use crate::media::codec::opus::{LEAST_EXPECTED_LOSS, most_bitrate};
use crate::sdp::OpusParameters;

/// The loss that is believed before the far end has reported, in percent.
const FIRST_LOSS: u8 = 3;
/// What is prepared for beyond the loss that is believed, in percent: FEC that is made for more has more bits,
/// which is worth 0.03 of PESQ at a loss of 5 %.
const MARGIN: u8 = 5;
/// The most loss that is prepared for, in percent: beyond it nothing but redundancy would be sent.
const MOST_EXPECTED_LOSS: u8 = 30;
/// Loss from which on two packets in a row go often enough for DRED, in percent.
const BURSTY_LOSS: u8 = 10;
/// Loss below which it is not worth its bits, in percent.
const SPARSE_LOSS: u8 = 4;
/// So long DRED stays after the last burst.
const BURST_MEMORY: Duration = Duration::from_secs(30);
/// What DRED covers, in steps of 10 ms: no phone that talks waits longer for a packet, and what is farther
/// back takes bits from what is needed.
const REDUNDANCY: u8 = 12;
/// What a full line leaves of the bitrate each time.
const CUT: f32 = 0.8;
/// What is left at least.
const LEAST_SHARE: f32 = 0.3;
/// What comes back with each report without trouble.
const RISE: f32 = 0.05;
/// A round trip so much above the shortest of the last ones is a queue that fills.
const QUEUE: Duration = Duration::from_millis(150);
/// The shortest round trip counts for so long, and at most twice as long: what lasts is no queue, but a way
/// that became longer.
const SHORTEST_FOR: Duration = Duration::from_secs(20);
/// Loss that may be a full line, 0.0 to 1.0.
const HEAVY_LOSS: f32 = 0.1;
/// So many reports in a row of it are answered by fewer bits.
const SUSTAINED: u32 = 3;
/// So many reports later it is clear what that brought.
const VERDICT: u32 = 2;
/// Fewer bits have helped where the loss has fallen to this share.
const HELPED: f32 = 0.6;
/// So many reports pass before fewer bits are tried again where they did not help.
const TRIED: u32 = 24;

/// When DRED is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Redundancy {
    /// Never.
    Off,
    /// Where bursts are lost.
    #[default]
    OnBursts,
    /// Always.
    Always,
}

/// What one report of the far end says of our stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathReport {
    /// The share lost since the report before, 0.0 to 1.0.
    pub loss: f32,
    /// The round trip, where it could be measured.
    pub round_trip: Option<Duration>,
    /// Whether packets are known to be lost in bursts.
    pub bursts: bool,
}

/// What fewer bits are tried for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Trial {
    /// Nothing; so many reports of heavy loss came in a row.
    Watching(u32),
    /// The bitrate was cut at that loss; so many reports are awaited.
    Cut { loss: f32, awaited: u32 },
    /// It did not help; so many reports pass before the next time.
    InVain(u32),
}

/// The shortest round trip of the last time.
#[derive(Debug, Clone, Copy, Default)]
struct ShortestTrip {
    /// Of the span that goes on, with its beginning.
    current: Option<(Instant, Duration)>,
    /// Of the span before.
    before: Option<Duration>,
}

impl ShortestTrip {
    /// Takes a round trip; gives the shortest, it among them.
    fn note(&mut self, now: Instant, trip: Duration) -> Duration {
        let (since, shortest) = match self.current {
            Some((since, shortest)) if now.saturating_duration_since(since) < SHORTEST_FOR => {
                (since, shortest.min(trip))
            }
            over => {
                self.before = over.map(|(_, shortest)| shortest);
                (now, trip)
            }
        };
        self.current = Some((since, shortest));
        self.before.map_or(shortest, |before| before.min(shortest))
    }
}

/// The steering of one stream.
#[derive(Debug)]
pub struct Steering {
    /// Bits a second on a line that takes them.
    most: u32,
    redundancy: Redundancy,
    /// The loss that is believed, in percent.
    loss: u8,
    burst_at: Option<Instant>,
    protected: bool,
    /// What a full line leaves of the bitrate.
    share: f32,
    shortest_trip: ShortestTrip,
    trial: Trial,
}

impl Steering {
    /// Begins for a far end that asked for that.
    pub fn new(wanted: &OpusParameters, redundancy: Redundancy) -> Self {
        Self {
            most: most_bitrate(wanted),
            redundancy,
            loss: FIRST_LOSS,
            burst_at: None,
            protected: redundancy == Redundancy::Always,
            share: 1.0,
            shortest_trip: ShortestTrip::default(),
            trial: Trial::Watching(0),
        }
    }

    /// Takes a report.
    pub fn report(&mut self, now: Instant, report: PathReport) {
        self.loss = percent(report.loss)
            .max(self.loss - self.loss.div_ceil(3))
            .min(MOST_EXPECTED_LOSS);
        if report.bursts || self.loss >= BURSTY_LOSS {
            self.burst_at = Some(now);
        }
        self.protected = match self.redundancy {
            Redundancy::Off => false,
            Redundancy::Always => true,
            Redundancy::OnBursts => self.burst_at.is_some_and(|at| {
                self.loss >= SPARSE_LOSS || now.saturating_duration_since(at) < BURST_MEMORY
            }),
        };
        self.follow_line(now, report);
    }

    /// The far end is reached by another way, or is another one: its round trips are others.
    pub fn forget_way(&mut self) {
        self.shortest_trip = ShortestTrip::default();
    }

    /// What the encoder does now.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive share of 64,000"
    )]
    pub fn course(&self) -> Course {
        Course {
            bitrate: (self.most as f32 * self.share) as u32,
            expected_loss: match self.loss {
                0 => 0,
                loss => (loss + MARGIN).clamp(LEAST_EXPECTED_LOSS, MOST_EXPECTED_LOSS),
            },
            redundancy: if self.protected { REDUNDANCY } else { 0 },
        }
    }

    /// Fewer bits for a line that is full, and more where it is not.
    fn follow_line(&mut self, now: Instant, report: PathReport) {
        let trip = report.round_trip;
        let queued = trip.is_some_and(|trip| trip - self.shortest_trip.note(now, trip) > QUEUE);
        if queued {
            self.cut();
            return;
        }
        let heavy = report.loss >= HEAVY_LOSS;
        self.trial = match self.trial {
            Trial::Watching(count) if heavy && count + 1 >= SUSTAINED => {
                self.cut();
                Trial::Cut {
                    loss: report.loss,
                    awaited: VERDICT,
                }
            }
            Trial::Watching(count) => {
                if !heavy {
                    self.rise();
                }
                Trial::Watching(if heavy { count + 1 } else { 0 })
            }
            Trial::Cut { loss, awaited } if awaited > 1 => Trial::Cut {
                loss,
                awaited: awaited - 1,
            },
            // The line was full: what is left of the loss is watched anew.
            Trial::Cut { loss, .. } if report.loss <= loss * HELPED => Trial::Watching(0),
            Trial::Cut { .. } => {
                self.share = (self.share / CUT).min(1.0);
                Trial::InVain(TRIED)
            }
            Trial::InVain(reports) => {
                if !heavy {
                    self.rise();
                }
                if reports > 1 {
                    Trial::InVain(reports - 1)
                } else {
                    Trial::Watching(0)
                }
            }
        };
    }

    fn cut(&mut self) {
        self.share = (self.share * CUT).max(LEAST_SHARE);
    }

    fn rise(&mut self) {
        self.share = (self.share + RISE).min(1.0);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "0 to 100"
)]
fn percent(share: f32) -> u8 {
    (share.clamp(0.0, 1.0) * 100.0).ceil() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;

    const WANTED: OpusParameters = OpusParameters {
        fec: true,
        max_bitrate: None,
        max_playback_rate: None,
        constant_bitrate: false,
        dtx: false,
    };

    /// A call whose far end reports each five seconds.
    struct Call {
        now: Instant,
        steering: Steering,
    }

    impl Call {
        fn new(wanted: &OpusParameters, redundancy: Redundancy) -> Self {
            Self {
                now: monotonic_now(),
                steering: Steering::new(wanted, redundancy),
            }
        }

        fn after(&mut self, loss: f32, trip_millis: u64, bursts: bool) -> Course {
            self.now += Duration::from_secs(5);
            let report = PathReport {
                loss,
                round_trip: Some(Duration::from_millis(trip_millis)),
                bursts,
            };
            self.steering.report(self.now, report);
            self.steering.course()
        }

        fn losing(&mut self, reports: usize, loss: f32) -> Vec<Course> {
            (0..reports).map(|_| self.after(loss, 40, false)).collect()
        }
    }

    fn bitrates(courses: &[Course]) -> Vec<u32> {
        courses.iter().map(|course| course.bitrate).collect()
    }

    #[test]
    fn fec_follows_a_rise_at_once_and_goes_after_some_reports_without_loss() {
        let mut call = Call::new(&WANTED, Redundancy::Off);
        assert_eq!(call.steering.course().expected_loss, 8);
        assert_eq!(call.after(0.08, 40, false).expected_loss, 13);
        let clean: Vec<u8> = call
            .losing(7, 0.0)
            .iter()
            .map(|course| course.expected_loss)
            .collect();
        assert_eq!(clean, [10, 8, 8, 8, 0, 0, 0]);
        assert_eq!(call.after(0.01, 40, false).expected_loss, 8);
        assert_eq!(call.after(0.9, 40, false).expected_loss, 30);
    }

    #[test]
    fn dred_comes_with_bursts_and_with_loss_that_makes_them_and_goes_after_them() {
        let mut call = Call::new(&WANTED, Redundancy::OnBursts);
        let sparse = call.losing(4, 0.05);
        assert!(sparse.iter().all(|course| course.redundancy == 0));
        let burst = call.after(0.03, 40, true);
        assert_eq!((burst.redundancy, burst.bitrate), (12, 64_000));
        let after = call.losing(12, 0.0);
        let kept = after.iter().filter(|course| course.redundancy > 0).count();
        assert_eq!(kept, 5, "half a minute");
        assert_eq!(call.after(0.12, 40, false).redundancy, 12);
        let mut off = Call::new(&WANTED, Redundancy::Off);
        assert_eq!(off.after(0.2, 40, true).redundancy, 0);
        let always = Call::new(&WANTED, Redundancy::Always);
        assert_eq!(always.steering.course().redundancy, 12);
    }

    #[test]
    fn no_more_bits_than_the_far_end_takes() {
        let wanted = OpusParameters {
            max_bitrate: Some(20_000),
            ..WANTED
        };
        let mut call = Call::new(&wanted, Redundancy::OnBursts);
        assert_eq!(call.steering.course().bitrate, 20_000);
        assert_eq!(call.after(0.3, 40, true).bitrate, 20_000);
    }

    #[test]
    fn a_growing_round_trip_lowers_the_bitrate_which_rises_slowly() {
        let mut call = Call::new(&WANTED, Redundancy::Off);
        call.losing(2, 0.0);
        let growing: Vec<Course> = [100, 180, 260, 400, 700, 900]
            .map(|trip| call.after(0.0, trip, false))
            .into();
        assert_eq!(
            bitrates(&growing),
            [64_000, 64_000, 51_200, 40_960, 32_768, 26_214]
        );
        for trip in [900; 3] {
            call.after(0.0, trip, false);
        }
        assert_eq!(call.steering.course().bitrate, 19_200);
        let calm = call.losing(14, 0.0);
        assert_eq!(calm[0].bitrate, 22_400);
        assert!(calm[12].bitrate < 64_000);
        assert_eq!(calm[13].bitrate, 64_000);
    }

    /// It stayed at the least for the rest of the call.
    #[test]
    fn a_way_that_became_longer_has_all_bits_again_after_a_while() {
        let mut call = Call::new(&WANTED, Redundancy::Off);
        call.losing(12, 0.0);
        let longer: Vec<Course> = (0..24).map(|_| call.after(0.0, 250, false)).collect();
        let bitrates = bitrates(&longer);
        assert_eq!(bitrates[0], 51_200, "it may be a queue");
        assert_eq!(bitrates[23], 64_000, "{bitrates:?}");
        // Where it is known to be another way, nothing is cut.
        call.losing(12, 0.0);
        call.steering.forget_way();
        for _ in 0..4 {
            assert_eq!(call.after(0.0, 250, false).bitrate, 64_000);
        }
    }

    #[test]
    fn loss_that_lasts_lowers_the_bitrate_only_where_that_helps() {
        // A bad radio link: the same loss whatever is sent.
        let mut radio = Call::new(&WANTED, Redundancy::Off);
        let courses = radio.losing(20, 0.2);
        let full = courses.iter().filter(|course| course.bitrate == 64_000);
        assert_eq!(full.count(), 18, "{:?}", bitrates(&courses));
        assert_eq!(courses[2].bitrate, 51_200);
        assert_eq!(courses[4].bitrate, 64_000);
        // A full line of 48 kbit/s, which loses what is above.
        let mut line = Call::new(&WANTED, Redundancy::Off);
        let mut bitrate = 64_000;
        for _ in 0..8 {
            let loss = 1.0 - 48_000.0 / bitrate.max(48_000) as f32;
            bitrate = line.after(loss, 40, false).bitrate;
        }
        assert!(bitrate < 56_000, "{bitrate}");
    }
}
