//! libopus behind a safe interface: mono at 48 kHz.
//!
//! This is the only unsafe code of the project. The safe bindings that exist keep their pointers to
//! themselves and lack what fills a loss best: the decoder's complexity, which chooses its neural
//! networks, and DRED (deep redundancy, draft-ietf-mlcodec-opus-dred), which brings a second of sound
//! back from the packet behind a burst.
//!
//! What makes it sound, everywhere below:
//!
//! - Each pointer comes from libopus' own constructor, is never null, is owned by exactly one value, and
//!   is freed once, when that is dropped.
//! - Each slice is handed over with its own length, which libopus never passes.
//! - A method that changes a state takes `&mut self`, so no two threads are ever in the same one. A state
//!   is plain memory, bound to no thread, and may therefore move between threads.

#![expect(unsafe_code, reason = "libopus is C; see the module's documentation")]

use std::ffi::c_int;
use std::ptr::{self, NonNull};

use opusic_sys as ffi;

use crate::media::frame::SAMPLE_RATE;

/// What libopus calls 48 kHz.
const RATE: i32 = SAMPLE_RATE.cast_signed();
const MONO: c_int = 1;

/// What libopus says when it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("libopus refuses {action} with its code {code}")]
pub struct OpusError {
    action: &'static str,
    code: i32,
}

/// Gives what is not negative.
fn checked(action: &'static str, code: c_int) -> Result<usize, OpusError> {
    usize::try_from(code).map_err(|_negative| OpusError { action, code })
}

/// Gives what a constructor made.
fn made<T>(action: &'static str, state: *mut T, code: c_int) -> Result<NonNull<T>, OpusError> {
    checked(action, code)?;
    NonNull::new(state).ok_or(OpusError { action, code })
}

/// A slice's length, as libopus counts; more than it can count is cut.
fn count<T>(slice: &[T]) -> c_int {
    c_int::try_from(slice.len()).unwrap_or(c_int::MAX)
}

/// The widest band that is encoded (RFC 6716 section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bandwidth {
    /// 4 kHz.
    Narrow,
    /// 6 kHz.
    Medium,
    /// 8 kHz.
    Wide,
    /// 12 kHz.
    SuperWide,
    /// 20 kHz.
    Full,
}

/// What can be changed in an encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    /// Bits a second.
    Bitrate(u32),
    /// The widest band.
    Bandwidth(Bandwidth),
    /// How much is computed, 0 to 10.
    Complexity(u8),
    /// Whether packets may differ in size.
    VariableBitrate(bool),
    /// Whether a packet may carry the one before it again.
    InbandFec(bool),
    /// The loss that is prepared for, in percent.
    ExpectedLoss(u8),
    /// Whether nothing is sent in silence.
    Dtx(bool),
    /// How much sound a packet carries again as DRED, in steps of 10 ms, 0 to 104.
    Redundancy(u8),
}

impl Setting {
    /// The request of `opus_encoder_ctl` and its value, each of which is one `opus_int32`.
    fn request(self) -> (c_int, i32) {
        match self {
            Self::Bitrate(bits) => (
                ffi::OPUS_SET_BITRATE_REQUEST,
                i32::try_from(bits).unwrap_or(i32::MAX),
            ),
            Self::Bandwidth(band) => (
                ffi::OPUS_SET_MAX_BANDWIDTH_REQUEST,
                match band {
                    Bandwidth::Narrow => ffi::OPUS_BANDWIDTH_NARROWBAND,
                    Bandwidth::Medium => ffi::OPUS_BANDWIDTH_MEDIUMBAND,
                    Bandwidth::Wide => ffi::OPUS_BANDWIDTH_WIDEBAND,
                    Bandwidth::SuperWide => ffi::OPUS_BANDWIDTH_SUPERWIDEBAND,
                    Bandwidth::Full => ffi::OPUS_BANDWIDTH_FULLBAND,
                },
            ),
            Self::Complexity(level) => (ffi::OPUS_SET_COMPLEXITY_REQUEST, level.into()),
            Self::VariableBitrate(on) => (ffi::OPUS_SET_VBR_REQUEST, on.into()),
            Self::InbandFec(on) => (ffi::OPUS_SET_INBAND_FEC_REQUEST, on.into()),
            Self::ExpectedLoss(percent) => (ffi::OPUS_SET_PACKET_LOSS_PERC_REQUEST, percent.into()),
            Self::Dtx(on) => (ffi::OPUS_SET_DTX_REQUEST, on.into()),
            Self::Redundancy(steps) => (ffi::OPUS_SET_DRED_DURATION_REQUEST, steps.into()),
        }
    }
}

/// The sending half.
pub(super) struct Encoder(NonNull<ffi::OpusEncoder>);

// SAFETY: see the module's documentation.
unsafe impl Send for Encoder {}

impl Encoder {
    /// Makes one for speech.
    ///
    /// # Errors
    ///
    /// Fails when there is no memory.
    pub(super) fn new() -> Result<Self, OpusError> {
        let mut code = 0;
        // SAFETY: `code` lives through the call, which keeps no pointer to it.
        let state = unsafe {
            ffi::opus_encoder_create(RATE, MONO, ffi::OPUS_APPLICATION_VOIP, &raw mut code)
        };
        made("an encoder", state, code).map(Self)
    }

    /// Changes what it does from the next packet on.
    ///
    /// # Errors
    ///
    /// Fails when libopus does not know the value.
    pub(super) fn set(&mut self, setting: Setting) -> Result<(), OpusError> {
        let (request, value) = setting.request();
        // SAFETY: the state is ours, and each of these requests takes one `opus_int32`.
        let code = unsafe { ffi::opus_encoder_ctl(self.0.as_ptr(), request, value) };
        checked("a setting", code).map(drop)
    }

    /// Encodes a packet; gives the bytes that it has in `payload`.
    ///
    /// # Errors
    ///
    /// Fails when the samples are no packet's, or the payload does not fit.
    pub(super) fn encode(
        &mut self,
        samples: &[f32],
        payload: &mut [u8],
    ) -> Result<usize, OpusError> {
        // SAFETY: the state is ours; both slices go with their lengths, in mono one sample is one frame.
        let code = unsafe {
            ffi::opus_encode_float(
                self.0.as_ptr(),
                samples.as_ptr(),
                count(samples),
                payload.as_mut_ptr(),
                count(payload),
            )
        };
        checked("a packet's sound", code)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: the state is ours, and this is its last use.
        unsafe { ffi::opus_encoder_destroy(self.0.as_ptr()) }
    }
}

/// The receiving half; stereo is mixed down.
pub(super) struct Decoder(NonNull<ffi::OpusDecoder>);

// SAFETY: see the module's documentation.
unsafe impl Send for Decoder {}

impl Decoder {
    /// Makes one.
    ///
    /// # Errors
    ///
    /// Fails when there is no memory.
    pub(super) fn new() -> Result<Self, OpusError> {
        let mut code = 0;
        // SAFETY: `code` lives through the call, which keeps no pointer to it.
        let state = unsafe { ffi::opus_decoder_create(RATE, MONO, &raw mut code) };
        made("a decoder", state, code).map(Self)
    }

    /// Changes how much is computed, 0 to 10: from 5 on a network makes up what is lost, at 6 LACE and
    /// from 7 on `NoLACE` clears speech of low bitrates.
    ///
    /// # Errors
    ///
    /// Fails above 10.
    pub(super) fn set_complexity(&mut self, complexity: u8) -> Result<(), OpusError> {
        let complexity = i32::from(complexity);
        // SAFETY: the state is ours, and the request takes one `opus_int32`.
        let code = unsafe {
            let request = ffi::OPUS_SET_COMPLEXITY_REQUEST;
            ffi::opus_decoder_ctl(self.0.as_ptr(), request, complexity)
        };
        checked("a complexity", code).map(drop)
    }

    /// Decodes a packet; gives how many samples it had.
    ///
    /// # Errors
    ///
    /// Fails when the packet is damaged or has more samples than fit.
    pub(super) fn decode(
        &mut self,
        payload: &[u8],
        output: &mut [f32],
    ) -> Result<usize, OpusError> {
        self.run(payload, output, 0)
    }

    /// Decodes what a packet carries of the one before it.
    ///
    /// # Errors
    ///
    /// Fails when the packet is damaged, or the output no multiple of 2.5 ms.
    pub(super) fn decode_fec(
        &mut self,
        next: &[u8],
        output: &mut [f32],
    ) -> Result<usize, OpusError> {
        self.run(next, output, 1)
    }

    /// Makes up what comes next.
    ///
    /// # Errors
    ///
    /// Fails when the output is no multiple of 2.5 ms.
    pub(super) fn conceal(&mut self, output: &mut [f32]) -> Result<usize, OpusError> {
        self.run(&[], output, 0)
    }

    /// Makes up what comes next from what a later packet carries of it: the sound that begins `before`
    /// samples before that packet's own.
    ///
    /// # Errors
    ///
    /// Fails when the output is no multiple of 2.5 ms.
    pub(super) fn decode_redundancy(
        &mut self,
        redundancy: &Redundancy,
        before: usize,
        output: &mut [f32],
    ) -> Result<usize, OpusError> {
        let before = i32::try_from(before).unwrap_or(i32::MAX);
        // SAFETY: both states are ours, and the output goes with its length.
        let code = unsafe {
            ffi::opus_decoder_dred_decode_float(
                self.0.as_ptr(),
                redundancy.sound.as_ptr(),
                before,
                output.as_mut_ptr(),
                count(output),
            )
        };
        checked("redundant sound", code)
    }

    fn run(&mut self, payload: &[u8], output: &mut [f32], fec: c_int) -> Result<usize, OpusError> {
        let data = if payload.is_empty() {
            ptr::null()
        } else {
            payload.as_ptr()
        };
        // SAFETY: the state is ours; both slices go with their lengths, and no payload is null, as
        // libopus wants it for a loss.
        let code = unsafe {
            ffi::opus_decode_float(
                self.0.as_ptr(),
                data,
                count(payload),
                output.as_mut_ptr(),
                count(output),
                fec,
            )
        };
        checked("a payload", code)
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: the state is ours, and this is its last use.
        unsafe { ffi::opus_decoder_destroy(self.0.as_ptr()) }
    }
}

/// What the DRED of one packet holds of the sound before it.
pub(super) struct Redundancy {
    reader: NonNull<ffi::OpusDREDDecoder>,
    sound: NonNull<ffi::OpusDRED>,
}

// SAFETY: see the module's documentation.
unsafe impl Send for Redundancy {}

impl Redundancy {
    /// Makes one that holds nothing.
    ///
    /// # Errors
    ///
    /// Fails when there is no memory.
    pub(super) fn new() -> Result<Self, OpusError> {
        let mut code = 0;
        // SAFETY: `code` lives through the call, which keeps no pointer to it.
        let reader = unsafe { ffi::opus_dred_decoder_create(&raw mut code) };
        let reader = made("a reader of redundancy", reader, code)?;
        // SAFETY: as above.
        let sound = unsafe { ffi::opus_dred_alloc(&raw mut code) };
        match made("room for redundancy", sound, code) {
            Ok(sound) => {
                // SAFETY: so many bytes were allocated; zeros in each field are a state that holds
                // nothing, where libopus leaves what lay there before.
                unsafe {
                    let size = usize::try_from(ffi::opus_dred_get_size()).unwrap_or(0);
                    ptr::write_bytes(sound.as_ptr().cast::<u8>(), 0, size);
                }
                Ok(Self { reader, sound })
            }
            Err(error) => {
                // SAFETY: the reader is ours, and this is its last use.
                unsafe { ffi::opus_dred_decoder_destroy(reader.as_ptr()) };
                Err(error)
            }
        }
    }

    /// Reads what a packet holds of the `wanted` samples before it, at most one second; gives from how
    /// many samples before the packet to how many before it that reaches, `(0, 0)` for nothing.
    ///
    /// # Errors
    ///
    /// Fails when the packet is damaged.
    pub(super) fn read(
        &mut self,
        payload: &[u8],
        wanted: usize,
    ) -> Result<(usize, usize), OpusError> {
        self.parse(payload, wanted, 0)
    }

    /// From how many samples before a packet on its sound is held; 0 for none. Costs little; what was
    /// read before is forgotten.
    ///
    /// # Errors
    ///
    /// Fails when the packet is damaged.
    pub(super) fn reach(&mut self, payload: &[u8]) -> Result<usize, OpusError> {
        let second = usize::try_from(SAMPLE_RATE).unwrap_or(0);
        self.parse(payload, second, 1).map(|(begin, _)| begin)
    }

    fn parse(
        &mut self,
        payload: &[u8],
        wanted: usize,
        defer_network: c_int,
    ) -> Result<(usize, usize), OpusError> {
        let wanted = i32::try_from(wanted).unwrap_or(RATE).min(RATE);
        let mut end = 0;
        // SAFETY: both states are ours, the payload goes with its length, and `end` lives through the
        // call, which keeps no pointer to it.
        let code = unsafe {
            ffi::opus_dred_parse(
                self.reader.as_ptr(),
                self.sound.as_ptr(),
                payload.as_ptr(),
                count(payload),
                wanted,
                RATE,
                &raw mut end,
                defer_network,
            )
        };
        let begin = checked("redundancy", code)?;
        Ok((begin, usize::try_from(end).unwrap_or(0)))
    }
}

impl Drop for Redundancy {
    fn drop(&mut self) {
        // SAFETY: both states are ours, and this is their last use.
        unsafe {
            ffi::opus_dred_free(self.sound.as_ptr());
            ffi::opus_dred_decoder_destroy(self.reader.as_ptr());
        }
    }
}

/// How many samples a packet has; none when it is damaged.
pub(super) fn samples_in(payload: &[u8]) -> Option<usize> {
    opus::packet::get_nb_samples(payload, SAMPLE_RATE).ok()
}

/// Whether a packet carries the one before it again (the LBRR flag of RFC 6716 section 4.2.4).
pub(super) fn has_fec(payload: &[u8]) -> bool {
    // SAFETY: the payload is not empty, and goes with its length.
    !payload.is_empty()
        && unsafe { ffi::opus_packet_has_lbrr(payload.as_ptr(), count(payload)) } == 1
}

/// The band of a packet, from its first byte; none without one.
#[cfg(test)]
pub(super) fn band_of(payload: &[u8]) -> Option<Bandwidth> {
    // RFC 6716 section 3.1, table 2.
    Some(match payload.first()? >> 3 {
        0..4 | 16..20 => Bandwidth::Narrow,
        4..8 => Bandwidth::Medium,
        8..12 | 20..24 => Bandwidth::Wide,
        12..14 | 24..28 => Bandwidth::SuperWide,
        _ => Bandwidth::Full,
    })
}
