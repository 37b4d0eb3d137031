//! Noise suppression: that of WebRTC, as `sonora` has it.

use sonora_ns::config::{NsConfig, SuppressionLevel};
use sonora_ns::noise_suppressor::NoiseSuppressor;

use crate::media::processing::NoiseSuppression;
use crate::media::processing::bands::Bands;

/// Lowers steady noise; it adds 6 ms.
pub(super) struct NoiseReducer(NoiseSuppressor);

impl NoiseReducer {
    /// Prepares one; none where it is off.
    pub(super) fn new(choice: NoiseSuppression) -> Option<Self> {
        let target_level = match choice {
            NoiseSuppression::Off => return None,
            NoiseSuppression::Light => SuppressionLevel::K6dB,
            NoiseSuppression::Full => SuppressionLevel::K18dB,
        };
        let bands = sonora::three_band_filter_bank::NUM_BANDS;
        let config = NsConfig { target_level };
        Some(Self(NoiseSuppressor::new_with_bands(config, bands)))
    }

    /// Learns the noise from what is captured, before the echo is taken out.
    pub(super) fn learn(&mut self, [low, ..]: &Bands) {
        self.0.analyze(low);
    }

    /// Lowers it.
    pub(super) fn capture(&mut self, bands: &mut Bands) {
        let [low, upper @ ..] = bands;
        self.0.process(low);
        let gain = self.0.upper_band_gain();
        for (number, band) in upper.iter_mut().enumerate() {
            self.0.process_upper_band(band, number, gain);
            NoiseSuppressor::clamp_frame(band);
        }
    }
}
