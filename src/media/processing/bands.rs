//! Three bands of 8 kHz each, in which echo and noise are worked on.

use sonora::three_band_filter_bank::{NUM_BANDS, SPLIT_BAND_SIZE, ThreeBandFilterBank};

use crate::media::frame::{Frame, SILENCE};

/// Full scale where `sonora` works: that of 16-bit samples.
pub(super) const FULL_SCALE: f32 = 32_768.0;

/// 10 ms of one band, at 16 kHz.
pub(super) type Band = [f32; SPLIT_BAND_SIZE];
/// 10 ms in three bands, the lowest first; full scale is that of 16-bit samples.
pub(super) type Bands = [Band; NUM_BANDS];

/// Bands in which nothing is heard.
pub(super) const SILENT_BANDS: Bands = [[0.0; SPLIT_BAND_SIZE]; NUM_BANDS];

/// Splits frames. Splitting and joining add 1 ms together.
#[derive(Default)]
pub(super) struct Splitter(ThreeBandFilterBank);

impl Splitter {
    /// Splits a frame.
    pub(super) fn split(&mut self, frame: &Frame) -> Bands {
        let mut bands = SILENT_BANDS;
        self.0
            .analysis(&frame.map(|sample| sample * FULL_SCALE), &mut bands);
        bands
    }

    /// Joins what was split.
    pub(super) fn join(&mut self, bands: &Bands) -> Frame {
        let mut frame = SILENCE;
        self.0.synthesis(bands, &mut frame);
        frame.map(|sample| sample / FULL_SCALE)
    }
}
