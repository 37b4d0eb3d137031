//! What was measured of a call's sound, as it is kept: spans of one second and more, and their sum.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// So many spans of a call are kept: twenty minutes by the second, eight hours by half a minute.
const SPANS: usize = 1_200;

/// A figure with so many steps to one, which is shown and written as a decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Fixed<const STEPS: u16>(pub u32);

/// A mean opinion score, 1.00 to 4.50.
pub type Mos = Fixed<100>;
/// Milliseconds, with one digit behind the point.
pub type Millis = Fixed<10>;
/// A share, 0.000 to 1.000.
pub type Share = Fixed<1000>;

impl<const STEPS: u16> Fixed<STEPS> {
    /// The nearest figure; what is below zero or no number is zero.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float cast saturates, and not-a-number becomes 0"
    )]
    pub fn of(value: f64) -> Self {
        Self((value * f64::from(STEPS)).round() as u32)
    }

    /// The figure as a number.
    pub fn value(self) -> f64 {
        f64::from(self.0) / f64::from(STEPS)
    }
}

impl<const STEPS: u16> Serialize for Fixed<STEPS> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.value())
    }
}

impl<'de, const STEPS: u16> Deserialize<'de> for Fixed<STEPS> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self::of)
    }
}

/// What was measured in one second or more; none is unknown. Of several seconds the counts are
/// sums, and the other figures those of the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QualitySpan {
    /// Seconds from the beginning of the call's sound to the beginning of the span.
    pub at: u32,
    /// How many seconds it has.
    pub seconds: u32,
    /// Packets received.
    pub received: u32,
    /// Packets that never came.
    pub lost: u32,
    /// Packets that came too late to be played.
    pub late: u32,
    /// Interarrival jitter.
    pub jitter_ms: Option<Millis>,
    /// Delay of the jitter buffer.
    pub playout_ms: Option<Millis>,
    /// Sound that concealment made up, in milliseconds.
    pub concealed_ms: u32,
    /// Sound left out to lower the delay, in milliseconds.
    pub left_out_ms: u32,
    /// Sound repeated to raise the delay, in milliseconds.
    pub repeated_ms: u32,
    /// The far end's peak level, 0 to 1 of full scale; of several seconds the highest.
    pub level_in: Share,
    /// The score of what was heard here.
    pub mos: Option<Mos>,
    /// Whether that is of the wideband scale.
    pub wideband: bool,
    /// Whether that is an estimate.
    pub mos_estimate: bool,
    /// Packets sent.
    pub sent: u32,
    /// The share of them that the far end reports as lost.
    pub remote_loss: Option<Share>,
    /// The jitter that the far end reports.
    pub remote_jitter_ms: Option<Millis>,
    /// The delay inside of the far end that it reports.
    pub remote_delay_ms: Option<Millis>,
    /// Our peak level, 0 to 1 of full scale; of several seconds the highest.
    pub level_out: Share,
    /// The score of what was heard there, by the far end's own measurement.
    pub remote_mos: Option<Mos>,
    /// Round trip.
    pub round_trip_ms: Option<Millis>,
    /// How often the speaker had nothing to play.
    #[serde(default)]
    pub speaker_dry: u32,
    /// Sound of both directions that this machine left out, in milliseconds.
    #[serde(default)]
    pub held_up_ms: u32,
}

impl QualitySpan {
    /// The share of what should have been played and was not, 0.0 to 1.0; none without packets.
    pub fn loss(&self) -> Option<f64> {
        let gone = u64::from(self.lost) + u64::from(self.late);
        share(gone, u64::from(self.received) + u64::from(self.lost))
    }

    /// The numbers of the span in the order in which they are stored; new ones go to the end.
    pub(crate) fn numbers(&self) -> [Option<u32>; 23] {
        let tenths = |value: Option<Millis>| value.map(|value| value.0);
        [
            Some(self.at),
            Some(self.seconds),
            Some(self.received),
            Some(self.lost),
            Some(self.late),
            tenths(self.jitter_ms),
            tenths(self.playout_ms),
            Some(self.concealed_ms),
            Some(self.left_out_ms),
            Some(self.repeated_ms),
            Some(self.level_in.0),
            self.mos.map(|mos| mos.0),
            Some(self.wideband.into()),
            Some(self.mos_estimate.into()),
            Some(self.sent),
            self.remote_loss.map(|loss| loss.0),
            tenths(self.remote_jitter_ms),
            tenths(self.remote_delay_ms),
            Some(self.level_out.0),
            self.remote_mos.map(|mos| mos.0),
            tenths(self.round_trip_ms),
            Some(self.speaker_dry),
            Some(self.held_up_ms),
        ]
    }

    /// The span of such numbers; what an older version did not write is unknown.
    pub(crate) fn of_numbers(numbers: &[Option<u32>]) -> Self {
        let known = |place: usize| numbers.get(place).copied().flatten();
        let count = |place| known(place).unwrap_or_default();
        Self {
            at: count(0),
            seconds: count(1),
            received: count(2),
            lost: count(3),
            late: count(4),
            jitter_ms: known(5).map(Fixed),
            playout_ms: known(6).map(Fixed),
            concealed_ms: count(7),
            left_out_ms: count(8),
            repeated_ms: count(9),
            level_in: Fixed(count(10)),
            mos: known(11).map(Fixed),
            wideband: count(12) != 0,
            mos_estimate: count(13) != 0,
            sent: count(14),
            remote_loss: known(15).map(Fixed),
            remote_jitter_ms: known(16).map(Fixed),
            remote_delay_ms: known(17).map(Fixed),
            level_out: Fixed(count(18)),
            remote_mos: known(19).map(Fixed),
            round_trip_ms: known(20).map(Fixed),
            speaker_dry: count(21),
            held_up_ms: count(22),
        }
    }

    /// The span of this one and the next.
    fn with(self, next: Self) -> Self {
        let worst = |one: Option<Millis>, other: Option<Millis>| one.max(other);
        let lowest = |one: Option<Mos>, other: Option<Mos>| one.into_iter().chain(other).min();
        Self {
            at: self.at,
            seconds: self.seconds.saturating_add(next.seconds),
            received: self.received.saturating_add(next.received),
            lost: self.lost.saturating_add(next.lost),
            late: self.late.saturating_add(next.late),
            jitter_ms: worst(self.jitter_ms, next.jitter_ms),
            playout_ms: worst(self.playout_ms, next.playout_ms),
            concealed_ms: self.concealed_ms.saturating_add(next.concealed_ms),
            left_out_ms: self.left_out_ms.saturating_add(next.left_out_ms),
            repeated_ms: self.repeated_ms.saturating_add(next.repeated_ms),
            level_in: self.level_in.max(next.level_in),
            mos: lowest(self.mos, next.mos),
            wideband: self.wideband || next.wideband,
            mos_estimate: self.mos_estimate || next.mos_estimate,
            sent: self.sent.saturating_add(next.sent),
            remote_loss: self.remote_loss.max(next.remote_loss),
            remote_jitter_ms: worst(self.remote_jitter_ms, next.remote_jitter_ms),
            remote_delay_ms: worst(self.remote_delay_ms, next.remote_delay_ms),
            level_out: self.level_out.max(next.level_out),
            remote_mos: lowest(self.remote_mos, next.remote_mos),
            round_trip_ms: worst(self.round_trip_ms, next.round_trip_ms),
            speaker_dry: self.speaker_dry.saturating_add(next.speaker_dry),
            held_up_ms: self.held_up_ms.saturating_add(next.held_up_ms),
        }
    }
}

/// The sum of a call's spans; none is what was never measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CallQuality {
    /// Seconds that were measured.
    pub seconds: u32,
    /// Packets received.
    pub received: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Packets that came too late to be played.
    pub late: u64,
    /// The share that was lost or late.
    pub loss: Option<Share>,
    /// Interarrival jitter, the mean.
    pub jitter_ms: Option<Millis>,
    /// The same, the worst second.
    pub jitter_max_ms: Option<Millis>,
    /// Delay of the jitter buffer, the mean.
    pub playout_ms: Option<Millis>,
    /// Sound that concealment made up, in milliseconds.
    pub concealed_ms: u64,
    /// Sound left out or repeated to follow the network's delay, in milliseconds.
    pub stretched_ms: u64,
    /// The score of what was heard here, the mean.
    pub mos: Option<Mos>,
    /// The same, the worst second.
    pub mos_min: Option<Mos>,
    /// Whether the score is of the wideband scale.
    pub wideband: bool,
    /// Whether the score is an estimate.
    pub mos_estimate: bool,
    /// Packets sent.
    pub sent: u64,
    /// The share of them that the far end reports as lost, the mean.
    pub remote_loss: Option<Share>,
    /// The jitter that the far end reports, the mean.
    pub remote_jitter_ms: Option<Millis>,
    /// The score of what was heard there, the mean.
    pub remote_mos: Option<Mos>,
    /// Round trip, the mean.
    pub round_trip_ms: Option<Millis>,
    /// The same, the worst second.
    pub round_trip_max_ms: Option<Millis>,
    /// How often the speaker had nothing to play.
    #[serde(default)]
    pub speaker_dry: u64,
    /// Sound of both directions that this machine left out, in milliseconds.
    #[serde(default)]
    pub held_up_ms: u64,
}

/// A figure of many seconds.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    sum: u64,
    count: u64,
    least: Option<u32>,
    most: Option<u32>,
}

impl Tally {
    fn add<const STEPS: u16>(&mut self, value: Option<Fixed<STEPS>>) {
        if let Some(Fixed(value)) = value {
            self.sum += u64::from(value);
            self.count += 1;
            self.least = Some(self.least.map_or(value, |least| least.min(value)));
            self.most = self.most.max(Some(value));
        }
    }

    fn mean<const STEPS: u16>(&self) -> Option<Fixed<STEPS>> {
        let mean = (self.sum + self.count / 2).checked_div(self.count)?;
        u32::try_from(mean).ok().map(Fixed)
    }
}

/// The spans of a call in memory. It never grows past a limit: then two neighbours become one, and
/// each further span has twice as many seconds.
#[derive(Debug, Clone, Default)]
pub struct QualitySeries {
    spans: Vec<QualitySpan>,
    /// Seconds of a span; 0 is 1.
    width: u32,
    seconds: u32,
    sums: CallQuality,
    jitter: Tally,
    playout: Tally,
    mos: Tally,
    remote_loss: Tally,
    remote_jitter: Tally,
    remote_mos: Tally,
    round_trip: Tally,
}

impl QualitySeries {
    /// Takes one second; its place in time is the series'.
    pub fn push(&mut self, mut second: QualitySpan) {
        second.at = self.seconds;
        second.seconds = 1;
        self.seconds = self.seconds.saturating_add(1);
        self.sum_up(&second);
        let width = self.width.max(1);
        match self.spans.last_mut() {
            Some(last) if last.seconds < width => *last = last.with(second),
            Some(_) | None => self.spans.push(second),
        }
        if self.spans.len() >= SPANS {
            self.spans = self
                .spans
                .chunks(2)
                .filter_map(|pair| pair.iter().copied().reduce(QualitySpan::with))
                .collect();
            self.width = width.saturating_mul(2);
        }
    }

    /// How many seconds there are.
    pub fn seconds(&self) -> u32 {
        self.seconds
    }

    /// The spans in order.
    pub fn spans(&self) -> &[QualitySpan] {
        &self.spans
    }

    /// The sum of all; none when nothing was measured.
    pub fn summary(&self) -> Option<CallQuality> {
        let most = |tally: &Tally| tally.most.map(Fixed);
        let sums = self.sums;
        (self.seconds > 0).then(|| CallQuality {
            seconds: self.seconds,
            loss: share(sums.lost + sums.late, sums.received + sums.lost).map(Share::of),
            jitter_ms: self.jitter.mean(),
            jitter_max_ms: most(&self.jitter),
            playout_ms: self.playout.mean(),
            mos: self.mos.mean(),
            mos_min: self.mos.least.map(Fixed),
            remote_loss: self.remote_loss.mean(),
            remote_jitter_ms: self.remote_jitter.mean(),
            remote_mos: self.remote_mos.mean(),
            round_trip_ms: self.round_trip.mean(),
            round_trip_max_ms: most(&self.round_trip),
            ..sums
        })
    }

    fn sum_up(&mut self, second: &QualitySpan) {
        let sums = &mut self.sums;
        sums.received += u64::from(second.received);
        sums.lost += u64::from(second.lost);
        sums.late += u64::from(second.late);
        sums.concealed_ms += u64::from(second.concealed_ms);
        sums.stretched_ms += u64::from(second.left_out_ms) + u64::from(second.repeated_ms);
        sums.sent += u64::from(second.sent);
        sums.speaker_dry += u64::from(second.speaker_dry);
        sums.held_up_ms += u64::from(second.held_up_ms);
        sums.wideband |= second.wideband;
        sums.mos_estimate |= second.mos_estimate;
        self.jitter.add(second.jitter_ms);
        self.playout.add(second.playout_ms);
        self.mos.add(second.mos);
        self.remote_loss.add(second.remote_loss);
        self.remote_jitter.add(second.remote_jitter_ms);
        self.remote_mos.add(second.remote_mos);
        self.round_trip.add(second.round_trip_ms);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a ratio of counts needs no 53 bits"
)]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(number: u32) -> QualitySpan {
        QualitySpan {
            received: 49,
            lost: u32::from(number.is_multiple_of(10)),
            speaker_dry: u32::from(number.is_multiple_of(100)),
            held_up_ms: 10 * u32::from(number.is_multiple_of(50)),
            jitter_ms: Some(Millis::of(f64::from(number % 7))),
            mos: (number > 4).then(|| Mos::of(4.4 - f64::from(number % 3) / 10.0)),
            ..QualitySpan::default()
        }
    }

    #[test]
    fn a_figure_is_written_as_a_decimal_number_and_read_back() {
        for (mos, text) in [(Mos::of(4.336), "4.34"), (Mos::of(1.0), "1.0")] {
            assert_eq!(serde_json::to_string(&mos).unwrap(), text);
            assert_eq!(serde_json::from_str::<Mos>(text).unwrap(), mos);
        }
        assert_eq!(Share::of(-1.0), Share::of(f64::NAN));
        assert_eq!(Millis::of(3.64).value(), 3.6);
    }

    #[test]
    fn spans_survive_their_numbers() {
        let mut span = second(5);
        span.remote_loss = Some(Share::of(0.25));
        span.wideband = true;
        (span.speaker_dry, span.held_up_ms) = (2, 130);
        assert_eq!(QualitySpan::of_numbers(&span.numbers()), span);
        // An older version wrote fewer.
        let older = QualitySpan::of_numbers(&span.numbers()[..6]);
        assert_eq!((older.received, older.mos), (49, None));
    }

    #[test]
    fn eight_hours_stay_bounded_and_lose_no_count() {
        let mut series = QualitySeries::default();
        let seconds = 8 * 3_600;
        for number in 0..seconds {
            series.push(second(number));
            assert!(series.spans().len() < SPANS);
        }
        let spans = series.spans();
        assert!(spans.len() > SPANS / 2 - 2, "{}", spans.len());
        assert_eq!(spans.iter().map(|s| s.seconds).sum::<u32>(), seconds);
        assert_eq!(spans.iter().map(|s| s.lost).sum::<u32>(), seconds / 10);
        for pair in spans.windows(2) {
            assert_eq!(pair[0].at + pair[0].seconds, pair[1].at);
        }
        // A merged span keeps the worst of its seconds.
        assert_eq!(spans[3].jitter_ms, Some(Millis::of(6.0)));
        assert_eq!(spans[3].mos, Some(Mos::of(4.2)));
        let summary = series.summary().unwrap();
        assert_eq!((summary.seconds, summary.lost), (seconds, 2_880));
        assert_eq!((summary.speaker_dry, summary.held_up_ms), (288, 5_760));
        assert_eq!(summary.jitter_ms, Some(Millis::of(3.0)));
        assert_eq!(summary.mos_min, Some(Mos::of(4.2)));
        assert_eq!(summary.mos, Some(Mos::of(4.3)));
        assert_eq!(summary.round_trip_ms, None);
    }

    #[test]
    fn nothing_measured_has_no_sum() {
        assert_eq!(QualitySeries::default().summary(), None);
        let mut series = QualitySeries::default();
        series.push(QualitySpan::default());
        let summary = series.summary().unwrap();
        assert_eq!(
            (summary.loss, summary.jitter_ms, summary.mos),
            (None, None, None)
        );
    }
}
