//! Records two sources at once and compares them.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const RATE: usize = 48_000;
/// Between two clicks.
const BETWEEN: usize = RATE / 2;
/// Samples of a click: a wave of 1 kHz that swells and fades in 6 ms.
const CLICK: usize = 288;
/// A steady tone, so that a break is heard.
const HUM_HERTZ: f32 = 300.0;
const HUM: f32 = 0.02;
const LOUD: f32 = 0.1;
/// A break is that many samples in which the tone is gone: 4 ms, longer than its wave.
const BREAK: usize = 192;

/// Ten minutes of clicks over a hum.
pub fn write_clicks(path: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for at in 0..RATE * 630 {
        let hum = (at % RATE) as f32 / RATE as f32 * HUM_HERTZ * std::f32::consts::TAU;
        let place = at % BETWEEN;
        let click = if place < CLICK {
            let part = place as f32 / CLICK as f32;
            0.5 * (std::f32::consts::PI * part).sin() * (std::f32::consts::TAU * 6.0 * part).sin()
        } else {
            0.0
        };
        let sample = (hum.sin() * HUM + click) * 32_767.0;
        #[expect(clippy::cast_possible_truncation, reason = "far below full scale")]
        writer.write_sample(sample as i16).unwrap();
    }
    writer.finalize().unwrap();
}

/// What two sources gave over the same time.
pub struct Listening {
    said: Vec<Instant>,
    heard: Vec<Instant>,
    gaps: usize,
}

impl Listening {
    pub fn to(mouth: &str, ear: &str, long: Duration) -> Self {
        let [mouth, ear] = [mouth, ear].map(|source| record(source, long));
        let [mouth, ear] = [mouth, ear].map(|thread| thread.join().unwrap());
        Self {
            said: mouth.clicks(),
            heard: ear.clicks(),
            // What the recording or the player left out is not the phone's.
            gaps: ear.gaps().saturating_sub(mouth.gaps()),
        }
    }

    /// From mouth to ear, in milliseconds: in the middle and at worst.
    pub fn delay_millis(&self) -> (f64, f64) {
        let mut delays = self.delays();
        assert!(
            delays.len() * 10 >= self.said.len() * 9 && !delays.is_empty(),
            "{} of {} clicks were heard",
            delays.len(),
            self.said.len()
        );
        delays.sort_by(f64::total_cmp);
        (delays[delays.len() / 2], delays[delays.len() - 1])
    }

    /// The same in the middle of each tenth of the time.
    pub fn course_millis(&self) -> Vec<f64> {
        middles(&self.delays())
    }

    fn delays(&self) -> Vec<f64> {
        let delay = |said: &Instant| {
            let heard = self.heard.iter().find(|heard| *heard > said)?;
            Some((*heard - *said).as_secs_f64() * 1e3)
        };
        let delays = self.said.iter().filter_map(delay);
        delays.filter(|millis| *millis < 450.0).collect()
    }

    /// How often the sound broke off.
    pub fn gaps(&self) -> usize {
        self.gaps
    }
}

/// The middle value of each tenth.
pub fn middles(values: &[f64]) -> Vec<f64> {
    let middle = |tenth: &[f64]| {
        let mut tenth = tenth.to_vec();
        tenth.sort_by(f64::total_cmp);
        tenth[tenth.len() / 2]
    };
    let tenths = values.chunks(values.len().div_ceil(10).max(1));
    tenths.map(middle).collect()
}

/// Samples, and when the first of them came at the latest.
struct Recorded {
    begun: Instant,
    samples: Vec<f32>,
}

/// Records in small pieces. A piece that is read late moves nothing: the earliest ones count.
fn record(source: &str, long: Duration) -> JoinHandle<Recorded> {
    let mut child = Command::new("parec")
        .args(["--raw", "--format=s16le", "--rate=48000", "--channels=1"])
        .args(["--latency-msec=2", "--device", source])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdout.take().unwrap();
    std::thread::spawn(move || {
        let mut samples = Vec::new();
        let mut begun: Option<Instant> = None;
        let mut buffer = [0; 4_096];
        let mut odd = Vec::new();
        while samples.len() < RATE * usize::try_from(long.as_secs()).unwrap() {
            let length = pipe.read(&mut buffer).unwrap();
            assert!(length > 0, "the recording ended");
            let came = Instant::now();
            odd.extend_from_slice(&buffer[..length]);
            let whole = odd.len() / 2 * 2;
            let pairs = odd[..whole].chunks_exact(2);
            samples.extend(pairs.map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32_768.0));
            odd.drain(..whole);
            let first = came - samples_long(samples.len());
            begun = Some(begun.map_or(first, |known| known.min(first)));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        Recorded {
            begun: begun.unwrap(),
            samples,
        }
    })
}

fn samples_long(count: usize) -> Duration {
    Duration::from_secs_f64(count as f64 / RATE as f64)
}

impl Recorded {
    /// The middle of each click: the centre of its energy.
    fn clicks(&self) -> Vec<Instant> {
        let mut clicks = Vec::new();
        let mut at = 0;
        while let Some(next) = self.samples[at..].iter().position(|s| s.abs() > LOUD) {
            let first = at + next;
            let last = (first + RATE / 50).min(self.samples.len());
            let (mut weight, mut moment) = (0.0, 0.0);
            for (place, sample) in self.samples[first..last].iter().enumerate() {
                let energy = f64::from(sample * sample);
                weight += energy;
                moment += energy * place as f64;
            }
            let middle = first as f64 + moment / weight;
            clicks.push(self.begun + Duration::from_secs_f64(middle / RATE as f64));
            at = last;
        }
        // One that was cut off at either end has its middle elsewhere.
        clicks.pop();
        clicks.drain(..1.min(clicks.len()));
        clicks
    }

    /// Breaks of the steady tone.
    fn gaps(&self) -> usize {
        let mut gaps = 0;
        let mut quiet = 0;
        for sample in &self.samples {
            quiet = if sample.abs() < HUM / 20.0 {
                quiet + 1
            } else {
                0
            };
            gaps += usize::from(quiet == BREAK);
        }
        gaps
    }
}
