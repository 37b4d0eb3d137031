//! Gain control: the adaptive digital gain of WebRTC's AGC2, as `sonora` has it, and a limiter.

use sonora_agc2::adaptive_digital_gain_controller::{AdaptiveDigitalGainController, FrameInfo};
use sonora_agc2::common::{
    ADJACENT_SPEECH_FRAMES_THRESHOLD, SATURATION_PROTECTOR_INITIAL_HEADROOM_DB,
    VAD_RESET_PERIOD_MS, float_s16_to_dbfs,
};
use sonora_agc2::fixed_digital_level_estimator::FixedDigitalLevelEstimator;
use sonora_agc2::interpolated_gain_curve::InterpolatedGainCurve;
use sonora_agc2::noise_level_estimator::NoiseLevelEstimator;
use sonora_agc2::saturation_protector::SaturationProtector;
use sonora_agc2::speech_level_estimator::{AdaptiveDigitalConfig, SpeechLevelEstimator};
use sonora_agc2::vad_wrapper::VoiceActivityDetectorWrapper;

use crate::media::frame::{FRAME_SAMPLES, Frame};
use crate::media::processing::bands::FULL_SCALE;

/// The most that a soft voice is raised, in dB. More would raise the room.
const MAX_GAIN_DB: f32 = 30.0;
/// The gain that a call begins with, in dB.
const INITIAL_GAIN_DB: f32 = 3.0;
/// How fast the gain changes, in dB a second: slower than syllables, so that it does not pump.
const GAIN_DB_PER_SECOND: f32 = 6.0;
/// Noise is not raised above that, in dB of full scale.
const MAX_NOISE_DBFS: f32 = -50.0;
/// The loudest peaks come to lie so far below full scale, in dB.
const HEADROOM_DB: f32 = 2.0;
/// Samples that share a level: `sonora` gives 20 for each frame.
const PART: usize = FRAME_SAMPLES / 20;

/// Brings a voice to an even level; it adds no delay.
pub(super) struct GainControl {
    activity: VoiceActivityDetectorWrapper,
    noise: NoiseLevelEstimator,
    speech: SpeechLevelEstimator,
    saturation: SaturationProtector,
    controller: AdaptiveDigitalGainController,
    limiter: Limiter,
}

impl GainControl {
    pub(super) fn new() -> Self {
        let config = AdaptiveDigitalConfig {
            headroom_db: HEADROOM_DB,
            max_gain_db: MAX_GAIN_DB,
            initial_gain_db: INITIAL_GAIN_DB,
            max_gain_change_db_per_second: GAIN_DB_PER_SECOND,
            max_output_noise_level_dbfs: MAX_NOISE_DBFS,
        };
        let adjacent = ADJACENT_SPEECH_FRAMES_THRESHOLD;
        Self {
            activity: VoiceActivityDetectorWrapper::with_reset_period(
                VAD_RESET_PERIOD_MS,
                sonora_simd::detect_backend(),
                48_000,
            ),
            noise: NoiseLevelEstimator::default(),
            speech: SpeechLevelEstimator::new(&config, adjacent),
            saturation: SaturationProtector::new(
                SATURATION_PROTECTOR_INITIAL_HEADROOM_DB,
                adjacent,
            ),
            controller: AdaptiveDigitalGainController::new(config, adjacent),
            limiter: Limiter::new(),
        }
    }

    /// Raises or lowers what is captured; where it is what is left of an echo, nothing is learned
    /// from it.
    pub(super) fn capture(&mut self, frame: &mut Frame, echo: bool) {
        for sample in frame.iter_mut() {
            *sample *= FULL_SCALE;
        }
        let likely = self.activity.analyze(frame);
        let speech_probability = if echo { 0.0 } else { likely };
        let peak = frame.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
        let power = frame.iter().map(|s| s * s).sum::<f32>() / FRAME_SAMPLES as f32;
        let noise_rms_dbfs = self.noise.analyze(&[frame.as_slice()]);
        self.speech
            .update(float_s16_to_dbfs(power.sqrt()), speech_probability);
        let speech_level_dbfs = self.speech.level_dbfs();
        self.saturation.analyze(
            speech_probability,
            float_s16_to_dbfs(peak),
            speech_level_dbfs,
        );
        let info = FrameInfo {
            speech_probability,
            speech_level_dbfs,
            speech_level_reliable: self.speech.is_confident(),
            noise_rms_dbfs,
            headroom_db: self.saturation.headroom_db(),
            limiter_envelope_dbfs: float_s16_to_dbfs(self.limiter.level()),
        };
        self.controller.process(&info, &mut [frame.as_mut_slice()]);
        self.limiter.run(frame);
        for sample in frame.iter_mut() {
            *sample /= FULL_SCALE;
        }
    }
}

/// Bends what comes near full scale. That of `sonora` allocates.
struct Limiter {
    levels: FixedDigitalLevelEstimator,
    curve: InterpolatedGainCurve,
    /// The gain at the end of the frame before.
    last: f32,
}

impl Limiter {
    fn new() -> Self {
        Self {
            levels: FixedDigitalLevelEstimator::new(FRAME_SAMPLES),
            curve: InterpolatedGainCurve::default(),
            last: 1.0,
        }
    }

    /// The level that it saw last; full scale is that of 16-bit samples.
    fn level(&self) -> f32 {
        self.levels.last_audio_level()
    }

    fn run(&mut self, frame: &mut Frame) {
        let levels = self.levels.compute_level(&[frame.as_slice()]);
        for (part, level) in frame.chunks_exact_mut(PART).zip(levels) {
            let gain = self.curve.look_up_gain_to_apply(level);
            // A sudden sound is bent at once, and what follows is let go slowly.
            let from = self.last.min(gain);
            let step = (gain - from) / PART as f32;
            let mut now = from;
            for sample in part {
                now += step;
                *sample = (*sample * now).clamp(-FULL_SCALE, FULL_SCALE);
            }
            self.last = gain;
        }
    }
}
