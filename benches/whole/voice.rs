//! The microphone's processing with real speech: how far an echo is lowered, and what is left of a
//! voice in double talk, by wideband PESQ.
//!
//! The speech is read by people (`LibriVox`, by way of pocketsphinx's test data); the echo is that of a
//! simulated room.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ringdesk::media::device::{Asked, SpeakerEnd};
use ringdesk::media::frame::{FRAME_SAMPLES, FRAME_TIME};
use ringdesk::media::processing::{Processing, VoiceProcessor};
use ringdesk::media::rate::RateConverter;
use rtrb::RingBuffer;

use crate::acoustics::{Noise, Room, active_level, db, rms};
use crate::figure::{Figure, Limit};
use crate::speech::pesq;

const SECOND: usize = 48_000;
/// Where Debian's pocketsphinx-testdata has read books, in the public domain.
const BOOK: &str =
    "/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb";
/// Samples by which everything on is late: 13 ms.
const LATE: usize = 622;
/// How far below the near end's voice the echo lies, in dB.
const BELOW: f32 = 12.0;

/// Measures all scenes.
pub fn voice() -> Vec<Figure> {
    let (far, near) = (speech(&["0930", "0890"], 24), speech(&["0870", "0920"], 24));
    let mut figures = Vec::new();
    for (kind, limit, echo, talk) in [
        (
            Kind::Room,
            Limit::AtLeast(2.5),
            "echo lower after 3 s: 60 ms of reverberation",
            "PESQ-WB of the near end in double talk, echo 12 dB below it",
        ),
        (
            Kind::Cards,
            Limit::AtLeast(2.5),
            "echo lower after 3 s: 90 ms, clipping speaker, cards 100 ppm apart",
            "PESQ-WB in double talk with clipping and cards 100 ppm apart",
        ),
        (
            Kind::Unsteered,
            // Here even the unprocessed voice has 1.7.
            Limit::None,
            "echo lower after 3 s: the same, and nothing follows the card",
            "PESQ-WB in double talk, the same, and nothing follows the card",
        ),
    ] {
        let scene = Scene::new(&far, &near, kind);
        figures.push(Figure::alone(
            echo,
            "dB",
            scene.echo_lower(),
            Limit::AtLeast(35.0),
        ));
        let (ours, raw) = scene.double_talk();
        println!("PESQ-WB in double talk, {kind:?}: unprocessed {raw:.2}, ours {ours:.2}");
        figures.push(Figure::alone(talk, "", ours, limit));
    }
    figures
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A room alone.
    Room,
    /// A larger one, a speaker that clips, and two cards whose clocks differ, with what the phone puts
    /// between itself and a card: the speaker's rate follows the filling of its ring.
    Cards,
    /// The same without that.
    Unsteered,
}

/// What a card plays of the frames of the media thread, whose clock is the microphone's, when its own runs
/// so much faster.
fn through_a_card(frames: &[f32], drift: f64) -> Vec<f32> {
    let (producer, mut consumer) = RingBuffer::new(SECOND / 4);
    let begun = Instant::now();
    let asked = Arc::new(Asked::new(begun));
    let period = u32::try_from(FRAME_SAMPLES).unwrap();
    let mut end = SpeakerEnd::new(producer, 48_000, period, Arc::clone(&asked)).unwrap();
    let (mut played, mut due) = (Vec::new(), 0.0);
    for (n, frame) in (0_u32..).zip(frames.as_chunks::<FRAME_SAMPLES>().0) {
        let now = begun + FRAME_TIME * (n + 1);
        due += FRAME_SAMPLES as f64 * (1.0 + drift);
        // It takes its samples some 4 ms before the next frame comes.
        while due >= FRAME_SAMPLES as f64 * 0.6 {
            due -= FRAME_SAMPLES as f64;
            let late = Duration::from_secs_f64((due / 48_000.0 + 0.004).max(0.0));
            asked.mark(now.checked_sub(late).unwrap_or(now), FRAME_SAMPLES);
            played.extend((0..FRAME_SAMPLES).map(|_| consumer.pop().unwrap_or(0.0)));
        }
        end.add(now, frame);
    }
    played.resize(frames.len(), 0.0);
    played
}

struct Scene {
    far: Vec<f32>,
    echo: Vec<f32>,
    near: Vec<f32>,
    /// From where on the near end talks.
    talks: usize,
}

impl Scene {
    fn new(far: &[f32], near: &[f32], kind: Kind) -> Self {
        let mut noise = Noise::new(7);
        let harsh = kind != Kind::Room;
        let mut room = Room::new(&mut noise, if harsh { 90 } else { 60 }, 40);
        if harsh {
            room.drift = 100e-6;
            // The loudest tenth of each wave is cut.
            room.clips_at = far.iter().fold(0.0_f32, |peak, s| peak.max(s.abs())) * 0.6;
        }
        let mut echo = if kind == Kind::Cards {
            room.echo(&through_a_card(far, -room.drift))
        } else {
            room.echo(far)
        };
        let loudness = active_level(near) / active_level(&echo) / 10.0_f32.powf(BELOW / 20.0);
        let hiss = noise.steady(far.len(), 0.0001);
        for (sample, hiss) in echo.iter_mut().zip(hiss) {
            *sample = *sample * loudness + hiss;
        }
        let talks = 6 * SECOND;
        let near = std::iter::repeat_n(0.0, talks).chain(near.iter().copied());
        Self {
            far: far.to_vec(),
            near: near.take(far.len()).collect(),
            echo,
            talks,
        }
    }

    fn process(&self, captured: &[f32]) -> Vec<f32> {
        let mut processor = VoiceProcessor::default();
        processor.choose(Processing {
            gain_control: false,
            ..Processing::SPEAKER
        });
        let far = self.far.as_chunks::<FRAME_SAMPLES>().0;
        let captured = captured.as_chunks::<FRAME_SAMPLES>().0;
        let mut sent = Vec::new();
        for (played, captured) in far.iter().zip(captured) {
            let mut frame = *captured;
            processor.play(played);
            processor.capture(&mut frame);
            sent.extend_from_slice(&frame);
        }
        sent
    }

    fn echo_lower(&self) -> f64 {
        let sent = self.process(&self.echo);
        let settled = 3 * SECOND;
        f64::from(db(
            rms(&self.echo[settled..sent.len()]) / rms(&sent[settled..])
        ))
    }

    /// PESQ-WB of what is sent, and of what the microphone hears.
    fn double_talk(&self) -> (f64, f64) {
        let heard: Vec<f32> = self
            .echo
            .iter()
            .zip(&self.near)
            .map(|(a, b)| a + b)
            .collect();
        let sent = self.process(&heard);
        let near = &self.near[self.talks..sent.len() - LATE];
        let ours = pesq(near, &sent[self.talks + LATE..]);
        let raw = pesq(near, &heard[self.talks..sent.len() - LATE]);
        (ours, raw)
    }
}

/// So many seconds of a book at 48 kHz, again and again, at −20 dBFS while it is read.
fn speech(parts: &[&str], seconds: usize) -> Vec<f32> {
    let mut narrow = Vec::new();
    for part in parts {
        let mut reader = hound::WavReader::open(format!("{BOOK}-{part}.wav"))
            .unwrap_or_else(|error| panic!("{BOOK}: {error}; `.ci/setup bench` installs it"));
        assert_eq!(reader.spec().sample_rate, 16_000);
        let samples = reader.samples::<i16>().map(Result::unwrap);
        narrow.extend(samples.map(|sample| f32::from(sample) / 32_768.0));
    }
    let mut wide = Vec::new();
    let mut converter = RateConverter::new(16_000, 48_000).unwrap();
    converter.process(&narrow, |samples| wide.extend_from_slice(samples));
    let wide: Vec<f32> = wide
        .iter()
        .copied()
        .cycle()
        .take(seconds * SECOND)
        .collect();
    let louder = 0.1 / active_level(&wide);
    wide.iter().map(|sample| sample * louder).collect()
}
