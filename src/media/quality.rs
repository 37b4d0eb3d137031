//! What is measured of a call in each second, sans-IO.
//!
//! What we receive is counted here; of what we send only the far end's reports tell (RTCP, RFC 3550
//! section 6.4; VoIP metrics, RFC 3611 section 4.7). What nobody measured, or what was reported so
//! long ago that it says nothing of now, is none: no figure is made up.

use std::time::{Duration, Instant};

use crate::media::emodel::{self, Conditions, Score};
use crate::media::frame::duration_of;
use crate::media::jitter::JitterFigures;
use crate::media::rtcp_xr::VoipMetrics;
use crate::sdp::Codec;

/// Sequence numbers for which a packet is awaited before it counts as lost: 640 ms of 20 ms.
const AWAITED: u32 = u32::BITS;
/// A leap of the sequence number that is another stream, and no loss.
const LEAP: u16 = 3_000;
/// Seconds that a score looks back: one of a single second would mean nothing.
const WINDOW: usize = 8;
/// Packets in the window from which on there is a score.
const LEAST_PACKETS: u32 = 25;
/// So long a report of the far end is believed: three of its intervals and some loss.
const BELIEVED: Duration = Duration::from_secs(20);

/// What was measured in one second, both directions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Second {
    /// What the far end sends and we play.
    pub incoming: IncomingSecond,
    /// What we send and the far end plays.
    pub outgoing: OutgoingSecond,
    /// Round trip by RTCP, without the time that either side held it.
    pub round_trip: Option<Duration>,
    /// What this machine broke.
    pub breaks: Breaks,
}

/// What this machine broke of a call's sound, whatever the network did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Breaks {
    /// How often the speaker had nothing to play.
    pub speaker_dry: u32,
    /// Sound of both directions that was left out because the threads of sound did not run.
    pub held_up: Duration,
}

impl Breaks {
    /// What was added to those before.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            speaker_dry: self.speaker_dry.saturating_sub(before.speaker_dry),
            held_up: self.held_up.saturating_sub(before.held_up),
        }
    }
}

/// A second of what we receive.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct IncomingSecond {
    /// Packets received.
    pub received: u32,
    /// Packets of which it became clear that they never came.
    pub lost: u32,
    /// Packets that came too late to be played.
    pub late: u32,
    /// Interarrival jitter (RFC 3550 section 6.4.1).
    pub jitter: Option<Duration>,
    /// How much later than at once the sound is played.
    pub playout_delay: Option<Duration>,
    /// Sound that concealment made up.
    pub concealed: Duration,
    /// Sound left out to lower the delay.
    pub left_out: Duration,
    /// Sound repeated to raise the delay.
    pub repeated: Duration,
    /// The level, 0.0 to 1.0 of full scale.
    pub level: f32,
    /// What a person would say of it.
    pub score: Option<Score>,
}

/// A second of what we send.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OutgoingSecond {
    /// Packets sent.
    pub sent: u32,
    /// The share that the far end missed, 0.0 to 1.0.
    pub loss: Option<f32>,
    /// Jitter that the far end reports.
    pub jitter: Option<Duration>,
    /// Delay inside of the far end (its VoIP metrics).
    pub far_delay: Option<Duration>,
    /// The level, 0.0 to 1.0 of full scale.
    pub level: f32,
    /// What a person there would say of it; only where the far end reports its delay, too.
    pub score: Option<Score>,
}

/// Packets of which the fate is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Fates {
    expected: u32,
    lost: u32,
    late: u32,
    /// Runs of packets that were not played.
    runs: u32,
}

/// Follows one stream by its sequence numbers: which packets came in time, late or never.
#[derive(Debug, Default)]
pub(super) struct ArrivalRecord {
    highest: Option<u16>,
    /// Bit n: the packet n before the highest came; the other: in time to be played.
    came: u32,
    in_time: u32,
    /// How many of the bits stand for a packet.
    filled: u32,
    /// Whether the last packet whose fate is known was not played.
    in_run: bool,
    settled: Fates,
}

impl ArrivalRecord {
    /// Begins with another stream; what is settled stays counted.
    pub(super) fn restart(&mut self) {
        *self = Self {
            settled: self.settled,
            ..Self::default()
        };
    }

    /// Takes note of a packet.
    pub(super) fn add(&mut self, sequence: u16, in_time: bool) {
        let ahead = self
            .highest
            .map_or(1, |highest| sequence.wrapping_sub(highest));
        let behind = ahead.wrapping_neg();
        if ahead != 0 && ahead < 0x8000 {
            if ahead > LEAP {
                self.restart();
            }
            // Past the whole record, each further one is as lost as the last.
            for _ in 0..ahead.min(LEAP) {
                self.advance(self.highest.is_some());
                if self.highest.is_none() {
                    break;
                }
            }
            self.highest = Some(sequence);
        } else if u32::from(behind) >= AWAITED {
            return;
        }
        let bit = if ahead < 0x8000 {
            1
        } else {
            1 << u32::from(behind)
        };
        self.came |= bit;
        if in_time {
            self.in_time |= bit;
        }
    }

    /// What became known since the last time.
    fn take(&mut self) -> Fates {
        std::mem::take(&mut self.settled)
    }

    /// Makes room for the next packet; the oldest one's fate is sealed.
    fn advance(&mut self, known: bool) {
        if known && self.filled == AWAITED {
            let top = 1 << (AWAITED - 1);
            let (came, in_time) = (self.came & top != 0, self.in_time & top != 0);
            self.settled.expected += 1;
            self.settled.lost += u32::from(!came);
            self.settled.late += u32::from(came && !in_time);
            self.settled.runs += u32::from(!in_time && !self.in_run);
            self.in_run = !in_time;
        }
        self.came <<= 1;
        self.in_time <<= 1;
        self.filled = (self.filled + 1).min(AWAITED);
    }
}

/// Counters since the beginning of a call.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) jitter: JitterFigures,
}

/// How things are now.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct State {
    /// The codec that comes and that we send.
    pub(super) codecs: Option<(Codec, Codec)>,
    pub(super) jitter: Option<Duration>,
    pub(super) playout_delay: Option<Duration>,
    /// The length of a packet that comes, and of one that we send.
    pub(super) packets: (Duration, Duration),
    pub(super) levels: (f32, f32),
}

/// What the far end reported last, with the time at which it did.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FarReports {
    pub(super) loss: Option<(Instant, f32)>,
    pub(super) jitter: Option<(Instant, Duration)>,
    pub(super) round_trip: Option<(Instant, Duration)>,
    pub(super) voip: Option<(Instant, VoipMetrics)>,
}

/// Makes the seconds of a call.
#[derive(Debug, Default)]
pub(super) struct QualityMeter {
    before: Totals,
    window: [Fates; WINDOW],
    /// Packets of each of these seconds that redundancy brought back.
    recovered: [u32; WINDOW],
    place: usize,
}

impl QualityMeter {
    /// Gives what was measured since the last time.
    pub(super) fn second(
        &mut self,
        now: Instant,
        totals: Totals,
        record: &mut ArrivalRecord,
        state: &State,
        reports: &FarReports,
    ) -> Second {
        let before = std::mem::replace(&mut self.before, totals);
        let fates = record.take();
        if let Some(slot) = self.window.get_mut(self.place) {
            *slot = fates;
        }
        if let Some(slot) = self.recovered.get_mut(self.place) {
            *slot = step(totals.jitter.recovered, before.jitter.recovered);
        }
        self.place = (self.place + 1) % WINDOW;
        let round_trip = believed(now, reports.round_trip);
        let voip = believed(now, reports.voip);
        let samples = |now: u64, before: u64| duration_of(now.saturating_sub(before));
        let (jitter, old) = (totals.jitter, before.jitter);
        Second {
            incoming: IncomingSecond {
                received: step(totals.received, before.received),
                lost: fates.lost,
                late: fates.late,
                jitter: state.jitter,
                playout_delay: state.playout_delay,
                concealed: samples(jitter.concealed_samples, old.concealed_samples),
                left_out: samples(jitter.left_out_samples, old.left_out_samples),
                repeated: samples(jitter.repeated_samples, old.repeated_samples),
                level: state.levels.0,
                score: self.incoming_score(state, round_trip),
            },
            outgoing: OutgoingSecond {
                sent: step(totals.sent, before.sent),
                loss: believed(now, reports.loss),
                jitter: believed(now, reports.jitter),
                far_delay: voip.and_then(|voip| voip.end_system_delay),
                level: state.levels.1,
                score: outgoing_score(state, round_trip, voip),
            },
            round_trip,
            breaks: Breaks::default(),
        }
    }

    /// The score of what we hear: loss behind the jitter buffer, and from mouth to ear a packet of
    /// the far end, half the round trip, and our buffer.
    fn incoming_score(&self, state: &State, round_trip: Option<Duration>) -> Option<Score> {
        let sum = |count: fn(&Fates) -> u32| self.window.iter().map(count).sum::<u32>();
        let expected = sum(|fates| fates.expected);
        if expected < LEAST_PACKETS {
            return None;
        }
        let gone = f64::from(sum(|fates| fates.lost + fates.late));
        let share = gone / f64::from(expected);
        // By chance alone a run of losses has 1 / (1 - share) packets.
        let runs = f64::from(sum(|fates| fates.runs).max(1));
        let conditions = Conditions {
            loss_percent: share * 100.0,
            burst_ratio: (gone / runs * (1.0 - share)).max(1.0),
            delay: state.packets.0 + round_trip? / 2 + state.playout_delay?,
        };
        // Half of it is enough: behind a long run nothing has all.
        let recovered: u32 = self.recovered.iter().sum();
        let repaired = f64::from(recovered) >= gone / 2.0;
        let codec = emodel::impairment(state.codecs?.0, repaired);
        Some(emodel::score(&codec, &conditions))
    }
}

/// The score of what the far end hears, where it measures all that is needed.
fn outgoing_score(
    state: &State,
    round_trip: Option<Duration>,
    voip: Option<VoipMetrics>,
) -> Option<Score> {
    let voip = voip?;
    let conditions = Conditions {
        loss_percent: f64::from(voip.loss + voip.discarded) * 100.0,
        burst_ratio: 1.0,
        delay: state.packets.1 + round_trip? / 2 + voip.end_system_delay?,
    };
    // What is lost on the way there, steering answers with redundancy.
    let codec = emodel::impairment(state.codecs?.1, true);
    Some(emodel::score(&codec, &conditions))
}

fn believed<T>(now: Instant, report: Option<(Instant, T)>) -> Option<T> {
    report
        .filter(|(at, _)| now.saturating_duration_since(*at) < BELIEVED)
        .map(|(_, value)| value)
}

fn step(now: u64, before: u64) -> u32 {
    u32::try_from(now.saturating_sub(before)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;

    /// What became of packets, one letter each: `.` in time, `l` late, `x` lost.
    fn fates(pattern: &str, first: u16) -> Fates {
        let mut record = ArrivalRecord::default();
        let padding = ".".repeat(AWAITED as usize + 1);
        for (letter, sequence) in pattern.chars().chain(padding.chars()).zip(0_u16..) {
            let sequence = first.wrapping_add(sequence);
            match letter {
                '.' => record.add(sequence, true),
                'l' => record.add(sequence, false),
                _ => {}
            }
        }
        record.take()
    }

    #[test]
    fn lost_and_late_packets_are_told_apart_and_their_runs_counted() {
        for first in [100, 65_530] {
            for (pattern, lost, late, runs) in [
                ("......", 0, 0, 0),
                (".x....", 1, 0, 1),
                (".xx.x.", 3, 0, 2),
                (".xlx..", 2, 1, 1),
                (".l.l.l", 0, 3, 3),
            ] {
                let found = fates(pattern, first);
                assert_eq!((found.lost, found.late, found.runs), (lost, late, runs));
                assert_eq!(found.expected, 7, "{pattern}");
            }
        }
    }

    #[test]
    fn a_packet_that_comes_out_of_order_is_not_lost_and_one_twice_is_one() {
        let mut record = ArrivalRecord::default();
        for sequence in [5, 7, 7, 6, 9, 8, 10] {
            record.add(sequence, true);
        }
        for sequence in 11..=11 + 32 {
            record.add(sequence, true);
        }
        let found = record.take();
        assert_eq!((found.lost, found.late, found.expected), (0, 0, 7));
        assert_eq!(record.take(), Fates::default());
    }

    #[test]
    fn a_leap_is_another_stream_and_no_loss() {
        let mut record = ArrivalRecord::default();
        for sequence in (0..100).chain(20_000..20_100) {
            record.add(sequence, true);
        }
        assert_eq!(record.take().lost, 0);
    }

    struct Call {
        meter: QualityMeter,
        record: ArrivalRecord,
        sequence: u16,
        now: Instant,
    }

    fn state(codec: Codec) -> State {
        State {
            codecs: Some((codec, codec)),
            jitter: Some(Duration::from_millis(2)),
            playout_delay: Some(Duration::from_millis(40)),
            packets: (Duration::from_millis(20), Duration::from_millis(20)),
            levels: (0.5, 0.25),
        }
    }

    impl Call {
        fn new() -> Self {
            Self {
                meter: QualityMeter::default(),
                record: ArrivalRecord::default(),
                sequence: 0,
                now: monotonic_now(),
            }
        }

        /// Ten seconds of 50 packets, of which the pattern says which come; gives the last.
        fn run(&mut self, pattern: &str, state: &State, reports: &FarReports) -> Second {
            let mut last = Second::default();
            let mut letters = pattern.chars().cycle();
            for _ in 0..10 {
                for _ in 0..50 {
                    if letters.next() == Some('.') {
                        self.record.add(self.sequence, true);
                    }
                    self.sequence = self.sequence.wrapping_add(1);
                }
                self.now += Duration::from_secs(1);
                let totals = Totals::default();
                last = self
                    .meter
                    .second(self.now, totals, &mut self.record, state, reports);
            }
            last
        }

        fn reports(&self) -> FarReports {
            FarReports {
                round_trip: Some((self.now, Duration::from_millis(80))),
                ..FarReports::default()
            }
        }
    }

    #[test]
    fn a_score_needs_loss_and_delay_and_ages_with_the_report() {
        let mut call = Call::new();
        let state = state(Codec::Pcmu);
        assert_eq!(
            call.run(".", &state, &FarReports::default()).incoming.score,
            None
        );
        let reports = call.reports();
        let score = call.run(".", &state, &reports).incoming.score.unwrap();
        // 20 ms of packet, 40 ms of way, 40 ms of buffer: nearly the 4.41 of no delay at all.
        assert!(
            (4.3..4.41).contains(&score.mos) && !score.estimate,
            "{score:?}"
        );
        let unplayed = State {
            playout_delay: None,
            ..state
        };
        assert_eq!(call.run(".", &unplayed, &reports).incoming.score, None);
        // Ten more seconds: the report says nothing any more.
        let old = call.run(".", &state, &reports);
        assert_eq!((old.round_trip, old.incoming.score), (None, None));
    }

    #[test]
    fn bursts_are_worse_than_the_same_loss_by_chance() {
        let spread = {
            let mut call = Call::new();
            let reports = call.reports();
            call.run(".........x", &state(Codec::Pcma), &reports)
        };
        let bursty = {
            let mut call = Call::new();
            let reports = call.reports();
            call.run(
                "....................................xxxx",
                &state(Codec::Pcma),
                &reports,
            )
        };
        let [spread, bursty] = [spread, bursty].map(|second| second.incoming.score.unwrap().mos);
        assert!(spread < 3.6 && bursty < spread - 0.2, "{spread} {bursty}");
    }

    #[test]
    fn what_the_far_end_hears_is_scored_only_by_its_own_metrics() {
        let mut call = Call::new();
        let mut reports = call.reports();
        reports.loss = Some((call.now, 0.02));
        let second = call.run(".", &state(Codec::Pcma), &reports);
        assert_eq!(second.outgoing.loss, Some(0.02));
        assert_eq!(second.outgoing.score, None);
        let metrics = VoipMetrics {
            ssrc: 1,
            loss: 0.02,
            discarded: 0.01,
            burst_density: 0.0,
            round_trip: None,
            end_system_delay: Some(Duration::from_millis(70)),
            mos: None,
        };
        let mut reports = call.reports();
        reports.voip = Some((call.now, metrics));
        let second = call.run(".", &state(Codec::Pcma), &reports);
        let score = second.outgoing.score.unwrap();
        assert!((4.0..4.2).contains(&score.mos), "{score:?}");
        assert_eq!(second.outgoing.far_delay, Some(Duration::from_millis(70)));
    }

    #[test]
    fn counters_are_told_as_what_a_second_added() {
        let mut call = Call::new();
        let mut totals = Totals {
            received: 50,
            sent: 49,
            ..Totals::default()
        };
        totals.jitter.concealed_samples = 960;
        let state = state(Codec::Opus);
        let mut second = |totals| {
            let reports = FarReports::default();
            call.meter
                .second(call.now, totals, &mut call.record, &state, &reports)
        };
        let first = second(totals);
        assert_eq!((first.incoming.received, first.outgoing.sent), (50, 49));
        assert_eq!(first.incoming.concealed, Duration::from_millis(20));
        totals.received = 90;
        totals.jitter.left_out_samples = 480;
        let next = second(totals);
        assert_eq!((next.incoming.received, next.outgoing.sent), (40, 0));
        assert_eq!(next.incoming.concealed, Duration::ZERO);
        assert_eq!(next.incoming.left_out, Duration::from_millis(10));
    }
}
