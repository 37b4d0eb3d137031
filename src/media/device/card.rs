//! Sound cards by `cpal`.
//!
//! Each stream has a `Host` of its own: one PulseAudio host cannot play on two devices. Questions go through
//! one that is kept. The buffer
//! size is always asked for, because the default may be two seconds. The first fatal error of a
//! stream is kept, and later ones are ignored: some systems repeat it a million times.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cpal::traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _};
use cpal::{
    BufferSize, Device, Error, ErrorKind, FromSample, Host, I24, SampleFormat, SizedSample,
    StreamConfig, SupportedBufferSize, SupportedStreamConfig,
};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::base::clock::monotonic_now;
use crate::media::command::DeviceChoice;
use crate::media::device::{Asked, MicrophoneEnd, SpeakerEnd, callbacks};

/// How long a sound server may take to open a stream.
const OPEN_TIMEOUT: Duration = Duration::from_secs(3);
/// Parts of a second that a ring holds: 250 ms.
const RING_PARTS: u32 = 4;

/// A running stream; it ends when dropped.
pub(super) struct Stream {
    _stream: cpal::Stream,
    errors: Receiver<String>,
}

impl Stream {
    /// Why it has ended, once.
    pub(super) fn failure(&self) -> Option<String> {
        self.errors.try_recv().ok()
    }
}

/// Opens a microphone; gives it with its name, or the reason why not.
pub(super) fn open_microphone(
    choice: &DeviceChoice,
) -> Result<(Stream, MicrophoneEnd, String), String> {
    let device = find(
        choice,
        |host| host.default_input_device(),
        |host| host.input_devices().map(Iterator::collect),
    )?;
    let supported = device.default_input_config().map_err(text)?;
    let config = config_of(&supported);
    let (producer, consumer) = RingBuffer::new(ring_size(&config));
    let (stream, errors) = build_input(&device, &supported, config, producer)?;
    stream.play().map_err(text)?;
    let end = MicrophoneEnd::new(consumer, config.sample_rate).map_err(|e| e.to_string())?;
    Ok((running(stream, errors), end, name_of(&device)))
}

/// Opens a speaker; gives it with its name, or the reason why not.
pub(super) fn open_speaker(choice: &DeviceChoice) -> Result<(Stream, SpeakerEnd, String), String> {
    let device = find(
        choice,
        |host| host.default_output_device(),
        |host| host.output_devices().map(Iterator::collect),
    )?;
    let supported = device.default_output_config().map_err(text)?;
    let config = config_of(&supported);
    let (producer, consumer) = RingBuffer::new(ring_size(&config));
    let asked = Arc::new(Asked::new(monotonic_now()));
    let callback = (consumer, Arc::clone(&asked));
    let (stream, errors) = build_output(&device, &supported, config, callback)?;
    stream.play().map_err(text)?;
    let usual = config.sample_rate / 100;
    let period = stream.buffer_size().unwrap_or(usual).max(usual);
    let end =
        SpeakerEnd::new(producer, config.sample_rate, period, asked).map_err(|e| e.to_string())?;
    Ok((running(stream, errors), end, name_of(&device)))
}

/// Names of the microphones and speakers that exist now; none where the sound system does not say.
pub(super) fn list() -> Option<(Vec<String>, Vec<String>)> {
    let names = |devices: Vec<Device>| {
        let mut names: Vec<String> = devices.iter().map(name_of).collect();
        names.sort();
        names.dedup();
        names
    };
    let ask = |host: &Host| {
        let microphones = host.input_devices()?.collect();
        let speakers = host.output_devices()?.collect();
        Ok((names(microphones), names(speakers)))
    };
    match with_host(ask) {
        Ok(listed) => Some(listed),
        Err(Silent::NoHost(_)) => Some((Vec::new(), Vec::new())),
        Err(Silent::NoAnswer(why)) => {
            tracing::warn!(%why, "the sound system does not say which cards there are");
            None
        }
    }
}

fn running(stream: cpal::Stream, errors: Receiver<String>) -> Stream {
    Stream {
        _stream: stream,
        errors,
    }
}

/// Finds a card on a connection of its own, once it is known to be there.
fn find(
    choice: &DeviceChoice,
    default: impl Fn(&Host) -> Option<Device>,
    all: impl Fn(&Host) -> Result<Vec<Device>, Error>,
) -> Result<Device, String> {
    let missing = match choice {
        DeviceChoice::Null => return Err("the null device was chosen".to_owned()),
        DeviceChoice::Default => "the system has no default sound card",
        DeviceChoice::Named(_) => "it is not connected",
    };
    let find_on = |host: &Host| match choice {
        DeviceChoice::Named(name) => {
            let mut cards = all(host)?.into_iter();
            Ok(cards.find(|device| name_of(device) == *name))
        }
        DeviceChoice::Default | DeviceChoice::Null => Ok(default(host)),
    };
    let known = with_host(|host| find_on(host).map(|card| card.is_some()));
    if !known.map_err(Silent::into_text)? {
        return Err(missing.to_owned());
    }
    find_on(&host()?)
        .map_err(text)?
        .ok_or_else(|| missing.to_owned())
}

/// Why the sound system did not answer.
enum Silent {
    /// There is none.
    NoHost(String),
    /// It did not say.
    NoAnswer(String),
}

impl Silent {
    fn into_text(self) -> String {
        match self {
            Self::NoHost(why) | Self::NoAnswer(why) => why,
        }
    }
}

/// The connection to a sound server, kept for the next question: each new one may stay open, with a thread
/// here and one of the 64 places that PulseAudio has for all programs.
static SERVER: Mutex<Option<Host>> = Mutex::new(None);

/// Asks the sound system; a connection that does not answer is made anew once.
fn with_host<T>(ask: impl Fn(&Host) -> Result<T, Error>) -> Result<T, Silent> {
    let mut kept = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(host) = kept.take()
        && let Ok(answer) = ask(&host)
    {
        *kept = Some(host);
        return Ok(answer);
    }
    let host = host().map_err(Silent::NoHost)?;
    let answer = ask(&host).map_err(|error| Silent::NoAnswer(text(error)))?;
    // Without a server there is nothing to keep, and one may start at any time.
    if !is_alsa(&host) {
        *kept = Some(host);
    }
    Ok(answer)
}

/// Connects to the sound system.
///
/// ALSA fills standard error with its search for a card that is not there: on a machine without one
/// it is not asked.
fn host() -> Result<Host, String> {
    let host = cpal::default_host();
    if is_alsa(&host) && !has_alsa_card() {
        return Err("this machine has no sound card, and no sound server runs".to_owned());
    }
    Ok(host)
}

fn is_alsa(host: &Host) -> bool {
    host.id().name().eq_ignore_ascii_case("alsa")
}

/// Whether the kernel knows a sound card.
fn has_alsa_card() -> bool {
    std::fs::read_to_string("/proc/asound/cards")
        .is_ok_and(|cards| cards.contains('[') && !cards.contains("no soundcards"))
}

fn name_of(device: &Device) -> String {
    device
        .description()
        .map_or_else(|_| device.to_string(), |known| known.name().to_owned())
}

/// The card's own rate and channels, with a period of 10 ms or the nearest that it can.
fn config_of(supported: &SupportedStreamConfig) -> StreamConfig {
    let asked = supported.sample_rate() / 100;
    let period = match supported.buffer_size() {
        SupportedBufferSize::Range { min, max } => asked.clamp(*min, (*max).max(*min)),
        SupportedBufferSize::Unknown => asked,
    };
    StreamConfig {
        channels: supported.channels(),
        sample_rate: supported.sample_rate(),
        buffer_size: BufferSize::Fixed(period),
    }
}

fn ring_size(config: &StreamConfig) -> usize {
    usize::try_from(config.sample_rate / RING_PARTS).unwrap_or(12_000)
}

fn text(error: Error) -> String {
    match error.kind() {
        ErrorKind::HostUnavailable => "no sound system is running".to_owned(),
        ErrorKind::DeviceNotAvailable => "it is not connected".to_owned(),
        ErrorKind::PermissionDenied => "the system does not allow its use".to_owned(),
        ErrorKind::DeviceBusy => "another program uses it".to_owned(),
        _ => error.to_string(),
    }
}

/// Keeps the first error that ends a stream.
fn keep_first(errors: SyncSender<String>) -> impl FnMut(Error) + Send + 'static {
    let mut kept = false;
    move |error| {
        let harmless = matches!(
            error.kind(),
            ErrorKind::DeviceChanged | ErrorKind::Xrun | ErrorKind::RealtimeDenied
        );
        if !harmless && !kept {
            kept = errors.try_send(text(error)).is_ok();
        }
    }
}

type Built = Result<(cpal::Stream, Receiver<String>), String>;

fn build_input(
    device: &Device,
    supported: &SupportedStreamConfig,
    config: StreamConfig,
    ring: Producer<f32>,
) -> Built {
    fn typed<T: SizedSample>(device: &Device, config: StreamConfig, ring: Producer<f32>) -> Built
    where
        f32: FromSample<T>,
    {
        let (sender, errors) = sync_channel(1);
        let mut capture = callbacks::capture(config.channels, ring);
        device
            .build_input_stream(
                config,
                move |samples: &[T], _| capture(samples),
                keep_first(sender),
                Some(OPEN_TIMEOUT),
            )
            .map(|stream| (stream, errors))
            .map_err(text)
    }
    match supported.sample_format() {
        SampleFormat::I8 => typed::<i8>(device, config, ring),
        SampleFormat::I16 => typed::<i16>(device, config, ring),
        SampleFormat::I24 => typed::<I24>(device, config, ring),
        SampleFormat::I32 => typed::<i32>(device, config, ring),
        SampleFormat::U8 => typed::<u8>(device, config, ring),
        SampleFormat::U16 => typed::<u16>(device, config, ring),
        SampleFormat::U32 => typed::<u32>(device, config, ring),
        SampleFormat::F32 => typed::<f32>(device, config, ring),
        SampleFormat::F64 => typed::<f64>(device, config, ring),
        other => Err(format!(
            "it gives samples as {other}, which is not known here"
        )),
    }
}

fn build_output(
    device: &Device,
    supported: &SupportedStreamConfig,
    config: StreamConfig,
    (ring, asked): (Consumer<f32>, Arc<Asked>),
) -> Built {
    fn typed<T>(
        device: &Device,
        config: StreamConfig,
        ring: Consumer<f32>,
        asked: Arc<Asked>,
    ) -> Built
    where
        T: SizedSample + FromSample<f32>,
    {
        let (sender, errors) = sync_channel(1);
        let mut play = callbacks::play(config.channels, ring, asked);
        device
            .build_output_stream(
                config,
                move |samples: &mut [T], _| play(samples),
                keep_first(sender),
                Some(OPEN_TIMEOUT),
            )
            .map(|stream| (stream, errors))
            .map_err(text)
    }
    match supported.sample_format() {
        SampleFormat::I8 => typed::<i8>(device, config, ring, asked),
        SampleFormat::I16 => typed::<i16>(device, config, ring, asked),
        SampleFormat::I24 => typed::<I24>(device, config, ring, asked),
        SampleFormat::I32 => typed::<i32>(device, config, ring, asked),
        SampleFormat::U8 => typed::<u8>(device, config, ring, asked),
        SampleFormat::U16 => typed::<u16>(device, config, ring, asked),
        SampleFormat::U32 => typed::<u32>(device, config, ring, asked),
        SampleFormat::F32 => typed::<f32>(device, config, ring, asked),
        SampleFormat::F64 => typed::<f64>(device, config, ring, asked),
        other => Err(format!(
            "it takes samples as {other}, which is not known here"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_fatal_error_is_kept() {
        let (sender, errors) = sync_channel(1);
        let mut keep = keep_first(sender);
        keep(Error::from(ErrorKind::Xrun));
        assert!(errors.try_recv().is_err());
        for _ in 0..1_000 {
            keep(Error::from(ErrorKind::DeviceNotAvailable));
        }
        assert_eq!(errors.try_iter().count(), 1);
    }
}
