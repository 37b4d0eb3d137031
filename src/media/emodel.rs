//! The E-model: what people would say of a call's sound, from what was measured.
//!
//! - Narrowband: ITU-T G.107 (06/2015) with its default values, but for delay, loss and codec.
//! - Wideband: ITU-T G.107.1 (06/2019), whose rating goes to 129; it becomes a mean opinion score by
//!   R / 1.29 in the formula of G.107 Annex B. The scores of the two scales are not compared: a
//!   wideband 4.3 sounds better than a narrowband 4.4.
//! - Codecs: ITU-T G.113 Appendices I and IV. What is not in them is ours, and makes the score an
//!   estimate.
//!
//! Echo is that of G.107's defaults (TELR 65 dB, WEPL 110 dB) in the narrowband; the wideband model
//! takes it as cancelled.

use std::time::Duration;

use crate::sdp::Codec;

/// The rating of a wideband connection without any impairment (G.107.1 section 7.2).
const WIDEBAND_BASE: f64 = 129.0;

/// Send and receive loudness rating, in decibels (G.107 table 2, as all up to the sidetone).
const SLR: f64 = 8.0;
const RLR: f64 = 2.0;
/// D-values of the telephone at the send side, in decibels.
const DS: f64 = 3.0;
/// Listener sidetone rating: sidetone masking rating 15 dB and D-value 3 dB.
const LSTR: f64 = 18.0;
const STMR: f64 = 15.0;
/// Talker echo loudness rating and weighted echo path loss, in decibels.
const TELR: f64 = 65.0;
const WEPL: f64 = 110.0;
/// Circuit noise and noise floor, in dBm0p and dBmp.
const NC: f64 = -70.0;
const NFOR: f64 = -64.0;
/// Room noise at both sides, in dB(A).
const ROOM: f64 = 35.0;

/// What a score is a score of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// 300 to 3,400 Hz (G.107): at best 4.41.
    Narrowband,
    /// 50 to 7,000 Hz (G.107.1): at best 4.50.
    Wideband,
}

/// What a codec does to speech.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Impairment {
    /// The scale of its figures.
    pub scale: Scale,
    /// The equipment impairment factor without loss, Ie.
    pub factor: f64,
    /// The robustness against loss, Bpl: so many percent of loss cost half of what is left.
    pub robustness: f64,
    /// Whether `factor` is ours, and not G.113's.
    pub own_factor: bool,
    /// Whether `robustness` is ours, and not G.113's.
    pub own_robustness: bool,
}

/// G.711 with concealment of loss (G.113 Appendix I table I.4: Appendix I of G.711, 10 ms).
pub const G711: Impairment = Impairment {
    scale: Scale::Narrowband,
    factor: 0.0,
    robustness: 25.1,
    own_factor: false,
    own_robustness: false,
};

/// G.711 whose losses are played as silence (G.113 Appendix I table I.4).
pub const G711_WITHOUT_CONCEALMENT: Impairment = Impairment {
    robustness: 4.3,
    ..G711
};

/// G.722 at 64 kbit/s: the factor of G.113 Appendix IV. The robustness is ours, and cautious: that
/// of speech whose losses are not concealed.
pub const G722: Impairment = Impairment {
    scale: Scale::Wideband,
    factor: 13.0,
    robustness: 4.3,
    own_factor: false,
    own_robustness: true,
};

/// Opus whose losses are brought back by in-band FEC or DRED. No recommendation has its figures (G.107.2
/// with G.113 has none of it either), so they are derived from an instrumental model, as ITU-T P.834.1
/// does: the scores of PESQ-WB (P.862.2) in docs/BENCHMARKS.md, "Speech over a bad network", at
/// 64 kbit/s become ratings by G.107 equation B-4 backwards, and these become Ie,eff. Least squares
/// over the four scores without jitter give Ie 0 and Bpl 21.5:
///
/// | loss | PESQ-WB | Ie,eff | score |
/// |---|---|---|---|
/// | 0 % | 4.51 | 0.2 | 4.50 |
/// | 5 % | 4.26 | 16.7 | 4.23 |
/// | 10 % | 3.90 | 29.9 | 3.89 |
/// | 20 % | 3.31 | 46.3 | 3.33 |
///
/// Fewer bits have weaker FEC: at 24 kbit/s Bpl would be about 9.
pub const OPUS: Impairment = Impairment {
    scale: Scale::Wideband,
    factor: 0.0,
    robustness: 21.5,
    own_factor: true,
    own_robustness: true,
};

/// Opus whose losses are concealed, and not brought back. For super-wideband Opus without redundancy and
/// random loss, Alahmadi, Pocta and Melvin ("An Adaptive Bitrate Switching Algorithm for Speech
/// Applications in Context of WebRTC", ACM TOMM 17(4), 2021) derived Bpl from 9.8 to 11.3 at 22 to
/// 40 kbit/s. (Their Ie, 20 at 22 kbit/s and 11 at 40, are of another scale.)
pub const OPUS_WITHOUT_REDUNDANCY: Impairment = Impairment {
    robustness: 10.0,
    ..OPUS
};

/// What a call's sound goes through, one way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditions {
    /// Packets that were not played, lost or late, in percent: 0 to 100.
    pub loss_percent: f64,
    /// How much longer the runs of lost packets are than chance alone would make them: 1 for chance.
    pub burst_ratio: f64,
    /// From mouth to ear.
    pub delay: Duration,
}

/// A mean opinion score, as the conversation would get it (MOS-CQE).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// 1.0, bad, to 4.5, as good as the scale goes.
    pub mos: f32,
    /// What it is a score of.
    pub scale: Scale,
    /// Whether figures of ours stand in it.
    pub estimate: bool,
}

/// What is known of a codec, whose losses are `repaired` or only concealed. A new one gets its row here.
pub fn impairment(codec: Codec, repaired: bool) -> Impairment {
    match codec {
        Codec::Pcmu | Codec::Pcma => G711,
        Codec::G722 => G722,
        Codec::Opus if repaired => OPUS,
        Codec::Opus => OPUS_WITHOUT_REDUNDANCY,
    }
}

/// Gives the score of a codec under these conditions.
pub fn score(codec: &Impairment, conditions: &Conditions) -> Score {
    let rating = match codec.scale {
        Scale::Narrowband => rating(codec, conditions),
        Scale::Wideband => wideband_rating(codec, conditions) / 1.29,
    };
    Score {
        mos: mean_opinion(rating),
        scale: codec.scale,
        estimate: codec.own_factor || (codec.own_robustness && conditions.loss_percent > 0.0),
    }
}

/// The transmission rating factor R (G.107 equation 7-1), 0 to about 93.
pub fn rating(codec: &Impairment, conditions: &Conditions) -> f64 {
    let delay = millis(conditions.delay);
    let noise = noise();
    let base = 15.0 - 1.5 * (SLR + noise);
    base - simultaneous(base, noise, delay)
        - talker_echo(noise, delay)
        - listener_echo(base, delay)
        - long_delay(delay)
        - equipment(codec, conditions)
}

/// The wideband rating factor (G.107.1 equation 7-1), 0 to 129.
pub fn wideband_rating(codec: &Impairment, conditions: &Conditions) -> f64 {
    WIDEBAND_BASE - long_delay(millis(conditions.delay)) - equipment(codec, conditions)
}

/// The mean opinion score of a rating (G.107 equation B-4).
#[expect(
    clippy::cast_possible_truncation,
    reason = "1.0 to 4.5; two digits are shown"
)]
pub fn mean_opinion(rating: f64) -> f32 {
    if rating >= 100.0 {
        return 4.5;
    }
    // The formula dips below 1 between R 0 and 6.5.
    let rating = rating.max(0.0);
    let mos = 1.0 + 0.035 * rating + rating * (rating - 60.0) * (100.0 - rating) * 7e-6;
    mos.max(1.0) as f32
}

/// Ie,eff (G.107 equation 7-29).
fn equipment(codec: &Impairment, conditions: &Conditions) -> f64 {
    let loss = conditions.loss_percent.clamp(0.0, 100.0);
    let spread = loss / conditions.burst_ratio.max(1.0);
    codec.factor + (95.0 - codec.factor) * loss / (spread + codec.robustness)
}

/// The sum of all noise, No, in dBm0p (equations 7-3 to 7-7).
fn noise() -> f64 {
    let olr = SLR + RLR;
    let send = ROOM - SLR - DS - 100.0 + 0.004 * (ROOM - olr - DS - 14.0).powi(2);
    let through_sidetone = ROOM + 10.0 * (1.0 + 10.0_f64.powf((10.0 - LSTR) / 10.0)).log10();
    let receive = RLR - 121.0 + through_sidetone + 0.008 * (through_sidetone - 35.0).powi(2);
    let powers: f64 = [NC, send, receive, NFOR + RLR]
        .iter()
        .map(|level| 10.0_f64.powf(level / 10.0))
        .sum();
    10.0 * powers.log10()
}

/// Is: what comes along with the voice (equations 7-8 to 7-18), with one quantizing distortion unit.
fn simultaneous(base: f64, noise: f64, delay: f64) -> f64 {
    let loud = SLR + RLR + 0.2 * (64.0 + noise - RLR);
    let too_loud = 20.0 * ((1.0 + (loud / 8.0).powi(8)).powf(0.125) - loud / 8.0);
    let echo = (-delay / 4.0).exp() * 10.0_f64.powf(-TELR / 10.0);
    let sidetone = -10.0 * (10.0_f64.powf(-STMR / 10.0) + echo).log10();
    let sidetone = 12.0 * (1.0 + ((sidetone - 13.0) / 6.0).powi(8)).powf(0.125)
        - 28.0 * (1.0 + ((sidetone + 1.0) / 19.4).powi(35)).powf(1.0 / 35.0)
        - 13.0 * (1.0 + ((sidetone - 3.0) / 33.0).powi(13)).powf(1.0 / 13.0)
        + 29.0;
    // Q is 37 for one unit.
    let g = 1.07 + 0.258 * 37.0 + 0.0602 * 37.0 * 37.0;
    let y = (base - 100.0) / 15.0 + 46.0 / 8.4 - g / 9.0;
    let z = 46.0 / 30.0 - g / 40.0;
    let quantizing = 15.0 * (1.0 + 10.0_f64.powf(y) + 10.0_f64.powf(z)).log10();
    too_loud + sidetone + quantizing
}

/// Idte (equations 7-20 to 7-24).
fn talker_echo(noise: f64, delay: f64) -> f64 {
    if delay < 1.0 {
        return 0.0;
    }
    let base = -1.5 * (noise - RLR);
    let loss = TELR - 40.0 * ((1.0 + delay / 10.0) / (1.0 + delay / 150.0)).log10()
        + 6.0 * (-0.3 * delay * delay).exp();
    let echo = 80.0 + 2.5 * (loss - 14.0);
    let half = (base - echo) / 2.0;
    (half + (half * half + 100.0).sqrt() - 1.0) * (1.0 - (-delay).exp())
}

/// Idle (equations 7-25 and 7-26); the four-wire loop takes twice the way.
fn listener_echo(base: f64, delay: f64) -> f64 {
    let echo = 10.5 * (WEPL + 7.0) * (2.0 * delay + 1.0).powf(-0.25);
    let half = (base - echo) / 2.0;
    half + (half * half + 169.0).sqrt()
}

/// Idd (equations 7-27 and 7-28), with the default sensitivity (sT 1, mT 100 ms).
fn long_delay(delay: f64) -> f64 {
    if delay <= 100.0 {
        return 0.0;
    }
    let x = (delay / 100.0).log2();
    let root = |x: f64| (1.0 + x.powi(6)).powf(1.0 / 6.0);
    25.0 * (root(x) - 3.0 * root(x / 3.0) + 2.0)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(loss_percent: f64, burst_ratio: f64, millis: u64) -> Conditions {
        Conditions {
            loss_percent,
            burst_ratio,
            delay: Duration::from_millis(millis),
        }
    }

    const CLEAN: Conditions = Conditions {
        loss_percent: 0.0,
        burst_ratio: 1.0,
        delay: Duration::ZERO,
    };

    #[test]
    fn the_default_values_give_93_2_and_4_41() {
        // G.107 section 7.7: "the default values ... R = 93.2".
        let rating = rating(&G711, &CLEAN);
        assert!((rating - 93.2).abs() < 0.05, "{rating}");
        let score = score(&impairment(Codec::Pcma, false), &CLEAN);
        assert!((score.mos - 4.41).abs() < 0.005, "{score:?}");
        assert_eq!((score.scale, score.estimate), (Scale::Narrowband, false));
    }

    #[test]
    fn ratings_become_the_opinions_of_annex_b() {
        // G.107 table B.1, and its ends.
        for (rating, mos) in [
            (-5.0, 1.0),
            (0.0, 1.0),
            (3.0, 1.0),
            (50.0, 2.58),
            (60.0, 3.10),
            (70.0, 3.60),
            (80.0, 4.03),
            (90.0, 4.34),
            (93.2, 4.41),
            (100.0, 4.5),
            (129.0, 4.5),
        ] {
            let found = mean_opinion(rating);
            assert!((found - mos).abs() < 0.007, "{rating}: {found}");
        }
    }

    #[test]
    fn loss_costs_what_bpl_says() {
        // G.113: Ie,eff is 95 · Ppl / (Ppl + Bpl) for G.711.
        for (codec, loss, impaired) in [
            (G711, 1.0, 3.640),
            (G711, 3.0, 10.142),
            (G711, 10.0, 27.066),
            (G711_WITHOUT_CONCEALMENT, 1.0, 17.925),
            (G711_WITHOUT_CONCEALMENT, 5.0, 51.075),
        ] {
            let cost = rating(&codec, &CLEAN) - rating(&codec, &conditions(loss, 1.0, 0));
            assert!((cost - impaired).abs() < 0.001, "{loss} %: {cost}");
        }
        // Twice as bursty: 95 · 2 / (1 + 25.1).
        let cost = rating(&G711, &CLEAN) - rating(&G711, &conditions(2.0, 2.0, 0));
        assert!((cost - 7.280).abs() < 0.001, "{cost}");
    }

    #[test]
    fn delay_costs_little_up_to_150_ms_and_then_much() {
        // By hand from equations 7-20 to 7-28: Idd, and R with the echo of the defaults.
        for (delay, impaired) in [(100, 0.0), (150, 0.163), (300, 14.76), (400, 24.07)] {
            let cost = long_delay(f64::from(delay));
            assert!((cost - impaired).abs() < 0.02, "{delay} ms: {cost}");
        }
        let at = |millis| rating(&G711, &conditions(0.0, 1.0, millis));
        assert!((at(150) - 89.5).abs() < 0.1, "{}", at(150));
        for millis in (0..600).step_by(10) {
            assert!(at(millis + 10) < at(millis) + 0.05, "{millis}");
        }
    }

    #[test]
    fn wideband_is_scored_on_its_own_scale() {
        // G.107.1: 129 without impairment; G.722 at 64 kbit/s costs 13 of it.
        let clear = Impairment {
            factor: 0.0,
            ..G722
        };
        assert!((wideband_rating(&clear, &CLEAN) - 129.0).abs() < 1e-9);
        assert!((wideband_rating(&G722, &CLEAN) - 116.0).abs() < 1e-9);
        let clean = score(&G722, &CLEAN);
        // 116 / 1.29 is 89.92.
        assert!((clean.mos - 4.34).abs() < 0.006, "{clean:?}");
        assert_eq!((clean.scale, clean.estimate), (Scale::Wideband, false));
        let lossy = score(&G722, &conditions(2.0, 1.0, 0));
        assert!(lossy.estimate && lossy.mos < 3.6, "{lossy:?}");
    }

    #[test]
    fn opus_is_always_an_estimate() {
        let [whole, torn] = [true, false].map(|repaired| impairment(Codec::Opus, repaired));
        // What PESQ-WB said at 64 kbit/s, see docs/BENCHMARKS.md.
        for (loss, pesq) in [(0.0, 4.51), (5.0, 4.26), (10.0, 3.90), (20.0, 3.31)] {
            let found = score(&whole, &conditions(loss, 1.0, 0));
            assert!((found.mos - pesq).abs() < 0.035, "{loss} %: {found:?}");
            assert!(found.estimate);
            let concealed = score(&torn, &conditions(loss, 1.0, 0));
            assert!(concealed.estimate);
            assert!(
                loss == 0.0 || concealed.mos < found.mos - 0.3,
                "{concealed:?}"
            );
        }
    }

    #[test]
    fn no_figure_leads_out_of_the_scale() {
        for loss in [-3.0, 0.0, 50.0, 100.0, 1e9] {
            for burst in [0.0, 1.0, 1e9, f64::NAN] {
                for millis in [0, 1, 99, 101, 10_000_000] {
                    for codec in [G711, G722, OPUS] {
                        let mos = score(&codec, &conditions(loss, burst, millis)).mos;
                        assert!((1.0..=4.5).contains(&mos), "{loss} {burst} {millis}: {mos}");
                    }
                }
            }
        }
    }
}
