//! The two ADPCM bands of ITU-T G.722 at 64 kbit/s, bit for bit as its fixed-point blocks say.
//!
//! ```text
//!  16 kHz -> analysis -> low band  -> 6 bits -+-> one octet for each two samples
//!                     -> high band -> 2 bits -+
//! ```
//!
//! Own code, because the crates that there are start from another state than the recommendation
//! (Δ is 32 and 8, ∇ is 0) and allocate for each packet.

#![expect(
    clippy::indexing_slicing,
    reason = "indices are masked or bounded by the tables' lengths"
)]

use std::ops::Neg;

/// QMF coefficients, table 11, in units of 2⁻¹³; the second half mirrors the first.
const QMF: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];
/// Samples that the filters look at.
const QMF_LENGTH: usize = 2 * QMF.len();

/// Decision levels of the 60-level quantizer, table 14, beginning with 0.
const Q6: [i32; 30] = [
    0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940,
    1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];
/// Output of the 6-bit inverse quantizer by code word, table 17; the first four stand for words
/// that an encoder does not make.
const QM6: [i32; 64] = [
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232,
    -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776,
    -2400, -2032, -1688, -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280,
    11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776,
    2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];
/// Output of the 4-bit inverse quantizer, table 19.
const QM4: [i32; 16] = [
    0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584,
    1200, 0,
];
/// Output of the 2-bit inverse quantizer, table 21.
const QM2: [i32; 4] = [-7408, -1616, 7408, 1616];
/// Steps of the low band's logarithmic scale factor by 4-bit code word, tables 20 and 18.
const W4: [i32; 16] = [
    -60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60,
];
/// The same of the high band by 2-bit code word, table 22.
const W2: [i32; 4] = [798, -214, 798, -214];
/// The inverse logarithm, table 23.
const ILB: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
    2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

/// One band: its predictor and its scale factor.
#[derive(Debug, Clone)]
struct Band {
    /// The prediction of the next sample.
    predicted: i32,
    /// The zero section's part of it.
    from_zeros: i32,
    /// The last two reconstructed samples.
    reconstructed: [i32; 2],
    /// The last two partially reconstructed samples.
    partial: [i32; 2],
    /// The last six quantized differences.
    differences: [i32; 6],
    poles: [i32; 2],
    zeros: [i32; 6],
    /// The logarithmic scale factor ∇.
    log_scale: i32,
    /// The scale factor Δ.
    scale: i32,
}

impl Band {
    fn new(scale: i32) -> Self {
        Self {
            predicted: 0,
            from_zeros: 0,
            reconstructed: [0; 2],
            partial: [0; 2],
            differences: [0; 6],
            poles: [0; 2],
            zeros: [0; 6],
            log_scale: 0,
            scale,
        }
    }

    /// Blocks LOGSCL/LOGSCH and SCALEL/SCALEH.
    fn rescale(&mut self, step: i32, most: i32, shift: i32) {
        self.log_scale = (((self.log_scale * 127) >> 7) + step).clamp(0, most);
        let base = ILB[usize::try_from((self.log_scale >> 6) & 31).unwrap_or(0)];
        let shift = shift - (self.log_scale >> 11);
        let scale = if shift < 0 {
            base << -shift
        } else {
            base >> shift
        };
        self.scale = scale << 2;
    }

    /// Block 4: the predictor follows one quantized difference.
    fn adapt(&mut self, difference: i32) {
        let reconstructed = saturate(self.predicted + difference);
        let partial = saturate(self.from_zeros + difference);
        let same = |earlier: i32| (partial < 0) == (earlier < 0);

        // UPPOL2, then UPPOL1.
        let wide = saturate(self.poles[0] << 2);
        let wide = towards(!same(self.partial[0]), wide).min(32_767);
        let second =
            (wide >> 7) + towards(same(self.partial[1]), 128) + ((self.poles[1] * 32_512) >> 15);
        let second = second.clamp(-12_288, 12_288);
        let first =
            saturate(towards(same(self.partial[0]), 192) + ((self.poles[0] * 32_640) >> 15));
        let limit = 15_360 - second;
        self.poles = [first.clamp(-limit, limit), second];

        // UPZERO.
        let step = if difference == 0 { 0 } else { 128 };
        for (zero, earlier) in self.zeros.iter_mut().zip(&self.differences) {
            let same = (difference < 0) == (*earlier < 0);
            *zero = saturate(towards(same, step) + ((*zero * 32_640) >> 15));
        }

        // DELAYA.
        self.differences.copy_within(0..5, 1);
        self.differences[0] = difference;
        self.reconstructed = [reconstructed, self.reconstructed[0]];
        self.partial = [partial, self.partial[0]];

        // FILTEP, FILTEZ, PREDIC.
        let filter = |coefficients: &[i32], values: &[i32]| -> i32 {
            let pairs = coefficients.iter().zip(values);
            pairs.map(|(c, v)| (c * saturate(v + v)) >> 15).sum()
        };
        let from_poles = saturate(filter(&self.poles, &self.reconstructed));
        self.from_zeros = saturate(filter(&self.zeros, &self.differences));
        self.predicted = saturate(from_poles + self.from_zeros);
    }
}

/// Both bands, of an encoder or a decoder.
#[derive(Debug, Clone)]
struct Bands {
    low: Band,
    high: Band,
}

impl Bands {
    fn new() -> Self {
        Self {
            low: Band::new(32),
            high: Band::new(8),
        }
    }

    /// Quantizes a sample of each band.
    fn quantize(&self, low: i32, high: i32) -> u8 {
        // QUANTL.
        let error = saturate(low - self.low.predicted);
        let size = if error >= 0 { error } else { -(error + 1) };
        let level = (1..Q6.len())
            .find(|level| size < (Q6[*level] * self.low.scale) >> 12)
            .unwrap_or(Q6.len());
        // Table 16: 31 down to 4 with the sign in front; the two smallest of the negative levels and
        // of the positive ones stand at the end.
        let code = match (error < 0, level) {
            (true, 1 | 2) => 64 - level,
            (true, _) => 34 - level,
            (false, _) => 62 - level,
        };
        // QUANTH.
        let error = saturate(high - self.high.predicted);
        let size = if error >= 0 { error } else { -(error + 1) };
        let inner = size < (564 * self.high.scale) >> 12;
        let sign = if error < 0 { 0 } else { 2 };
        let high = sign + usize::from(inner);
        u8::try_from(high << 6 | code).unwrap_or(0)
    }

    /// Follows one code word; gives the reconstructed sample of each band.
    fn follow(&mut self, code: u8) -> (i32, i32) {
        let low = usize::from(code & 0x3f);
        let high = usize::from(code >> 6);
        let fine = (self.low.scale * QM6[low]) >> 15;
        let out_low = (self.low.predicted + fine).clamp(-16_384, 16_383);
        // The predictor sees four bits only, so that the lower ones may be lost on the way.
        let coarse = (self.low.scale * QM4[low >> 2]) >> 15;
        self.low.rescale(W4[low >> 2], 18_432, 8);
        self.low.adapt(coarse);
        let difference = (self.high.scale * QM2[high]) >> 15;
        let out_high = (self.high.predicted + difference).clamp(-16_384, 16_383);
        self.high.rescale(W2[high], 22_528, 10);
        self.high.adapt(difference);
        (out_low, out_high)
    }
}

/// The last samples of a filter, oldest first.
type History = [i32; QMF_LENGTH];

/// The sums of the even and of the odd taps.
fn filter(history: &History) -> (i32, i32) {
    let mut sums = (0, 0);
    for (pair, (back, forth)) in history
        .chunks_exact(2)
        .zip(QMF.iter().rev().zip(QMF.iter()))
    {
        sums.0 += pair[0] * forth;
        sums.1 += pair[1] * back;
    }
    sums
}

fn shift_in(history: &mut History, first: i32, second: i32) {
    history.copy_within(2.., 0);
    history[QMF_LENGTH - 2] = first;
    history[QMF_LENGTH - 1] = second;
}

/// The sending half.
#[derive(Debug, Clone)]
pub(super) struct AdpcmEncoder {
    bands: Bands,
    history: History,
}

impl AdpcmEncoder {
    pub(super) fn new() -> Self {
        Self {
            bands: Bands::new(),
            history: [0; QMF_LENGTH],
        }
    }

    /// Encodes two samples at 16 kHz.
    pub(super) fn encode(&mut self, pair: [i16; 2]) -> u8 {
        // The analysis filter gives one sample of each band.
        shift_in(&mut self.history, i32::from(pair[0]), i32::from(pair[1]));
        let (odd, even) = filter(&self.history);
        let (low, high) = ((even + odd) >> 14, (even - odd) >> 14);
        let code = self.bands.quantize(low, high);
        self.bands.follow(code);
        code
    }
}

/// The receiving half.
#[derive(Debug, Clone)]
pub(super) struct AdpcmDecoder {
    bands: Bands,
    history: History,
}

impl AdpcmDecoder {
    pub(super) fn new() -> Self {
        Self {
            bands: Bands::new(),
            history: [0; QMF_LENGTH],
        }
    }

    /// Decodes an octet into two samples at 16 kHz.
    pub(super) fn decode(&mut self, code: u8) -> [i16; 2] {
        let (low, high) = self.bands.follow(code);
        shift_in(&mut self.history, low + high, low - high);
        let (second, first) = filter(&self.history);
        [first >> 11, second >> 11].map(to_16_bits)
    }
}

fn saturate(value: i32) -> i32 {
    value.clamp(-32_768, 32_767)
}

fn to_16_bits(value: i32) -> i16 {
    i16::try_from(saturate(value)).unwrap_or(0)
}

fn towards<T: Neg<Output = T>>(positive: bool, step: T) -> T {
    if positive { step } else { -step }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two seconds with all that can go wrong: a glide, noise of eight levels, silence, full scale.
    fn signal() -> Vec<i16> {
        let (mut random, mut phase) = (12_345_u32, 0_i32);
        (0..32_000)
            .map(|n| {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = i32::try_from(random >> 16).unwrap() - 32_768;
                phase = (phase + 200 + n / 4) & 0xffff;
                let triangle = phase.min(65_535 - phase) * 2 - 32_768;
                let level = 1 + n / 2_000 % 8;
                let sum = (triangle * level).div_euclid(10) + (noise * level).div_euclid(80);
                match n {
                    20_000..21_000 => 0,
                    24_000..24_500 if n / 7 % 2 == 1 => i16::MAX,
                    24_000..24_500 => i16::MIN,
                    _ => to_16_bits(sum),
                }
            })
            .collect()
    }

    /// Fowler, Noll and Vo's FNV-1a.
    fn hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
        bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    /// Made by `FFmpeg` 5.1: `ffmpeg -f s16le -ar 16000 -i SIGNAL -c:a g722 -f g722 CODED`, and
    /// `ffmpeg -f g722 -i CODED -f s16le DECODED`. `SpanDSP` 0.0.6 codes the same octets, and decodes
    /// the same samples but for 87 at full scale, where it wraps.
    #[test]
    fn each_bit_is_as_another_implementation_has_it() {
        let mut encoder = AdpcmEncoder::new();
        let coded: Vec<u8> = signal()
            .as_chunks::<2>()
            .0
            .iter()
            .map(|pair| encoder.encode(*pair))
            .collect();
        assert_eq!(
            coded[..16],
            [
                55, 142, 32, 134, 34, 132, 4, 15, 16, 147, 147, 22, 22, 152, 153, 218
            ]
        );
        assert_eq!(hash(coded.iter().copied()), 0x3142_3543_7133_5876);
        let mut decoder = AdpcmDecoder::new();
        let decoded: Vec<i16> = coded
            .iter()
            .flat_map(|code| decoder.decode(*code))
            .collect();
        assert_eq!(decoded[..8], [0, 0, -1, 0, 0, -1, -1, 1]);
        let bytes = decoded.iter().flat_map(|sample| sample.to_le_bytes());
        assert_eq!(hash(bytes), 0xb143_b423_c5e5_ee8f);
    }

    #[test]
    fn any_octets_decode_and_a_far_end_that_begins_anew_is_soon_understood() {
        let mut decoder = AdpcmDecoder::new();
        let mut random = 1_u32;
        for _ in 0..200_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            decoder.decode(random.to_le_bytes()[3]);
        }
        let mut encoder = AdpcmEncoder::new();
        let mut fresh = AdpcmDecoder::new();
        let signal = signal();
        let mut worst = 0;
        for (n, pair) in signal.as_chunks::<2>().0.iter().enumerate() {
            let code = encoder.encode(*pair);
            let [ours, _] = decoder.decode(code);
            let [theirs, _] = fresh.decode(code);
            // After 100 ms.
            if n > 800 {
                worst = worst.max((i32::from(ours) - i32::from(theirs)).abs());
            }
        }
        assert!(worst < 300, "{worst}");
    }
}
