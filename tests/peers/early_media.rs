//! What the caller hears before the answer, through a sound server whose loudspeaker is recorded: the far
//! end's own sound, or our tone of ringing where there is none.

use std::f64::consts::TAU;
use std::ffi::OsString;
use std::io::Read as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tempfile::TempDir;

use crate::audio::Sound;
use crate::junit::scenario;
use crate::phone::Phone;
use crate::place;
use crate::sipp::Sipp;
use crate::sound_server::SoundServer;

/// What SIPp sends, in hertz: sipp-scenarios/tone-440hz.pcma.
const FAR_TONE: f64 = 440.0;
/// The tone of ringing, one second of each five.
const RINGBACK: f64 = 425.0;
const RATE: u32 = 48_000;
/// A piece of 0.2 s has whole periods of both tones, so that one says nothing of the other.
const PIECE: usize = 9_600;
/// So many pieces are one burst of ringing.
const BURST: usize = 5;
/// What is so loud for a second is there, and what is softer is not: the tone of ringing has 0.12, SIPp's
/// tone 0.37.
const THERE: f64 = 0.085;

/// One call at a time: a sound that breaks off on a busy machine has a little of each frequency.
static ALONE: Mutex<()> = Mutex::new(());

/// How loud the far end's tone and the tone of ringing are before the answer, each in its best second.
fn heard_before_the_answer(name: &str) -> [f64; 2] {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    place::need("pulseaudio");
    let server = SoundServer::start(&[
        "module-null-sink sink_name=headset rate=48000 channels=2 sink_properties=device.description=headset",
    ]);
    let sipp = Sipp::called(name, &[]);
    let uri = sipp.uri();
    let folder = TempDir::new().unwrap();
    let recording = Recording::start(&server);
    let mut phone = Phone::behind(
        &surroundings(&server),
        folder.path(),
        &[
            "--no-register",
            "--audio",
            "default",
            "--voice",
            "off",
            "--call",
            &uri,
            "--hangup-after",
            "1",
            "--exit-after-calls",
            "1",
        ],
    );
    phone.wait("answered");
    let heard = recording.end();
    let ended = phone.ended();
    sipp.passes();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let pieces: Vec<&[f64]> = heard.samples.chunks_exact(PIECE).collect();
    [FAR_TONE, RINGBACK].map(|hertz| {
        let loud: Vec<f64> = pieces.iter().map(|it| amplitude(it, hertz)).collect();
        let middle = |second: &[f64]| {
            let mut second = second.to_vec();
            second.sort_by(f64::total_cmp);
            second[BURST / 2]
        };
        loud.windows(BURST).map(middle).fold(0.0, f64::max)
    })
}

/// A program that starts another one in the environment of a sound server.
fn surroundings(server: &SoundServer) -> Vec<OsString> {
    let mut prefix = vec![OsString::from("env")];
    let command = server.command("env");
    for (name, _) in command.get_envs().filter(|(_, value)| value.is_none()) {
        prefix.extend([OsString::from("-u"), name.to_owned()]);
    }
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            let mut assignment = name.to_owned();
            assignment.push("=");
            assignment.push(value);
            prefix.push(assignment);
        }
    }
    prefix
}

/// What a loudspeaker plays, from the beginning on.
struct Recording {
    over: Arc<AtomicBool>,
    thread: thread::JoinHandle<Sound>,
}

impl Recording {
    /// Begins; it has begun when this returns.
    fn start(server: &SoundServer) -> Self {
        let mut child = server
            .command("parec")
            .args(["--raw", "--format=s16le", "--rate=48000", "--channels=1"])
            .args(["--latency-msec=10", "--device=headset.monitor"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdout.take().unwrap();
        let mut buffer = [0; 4_096];
        pipe.read_exact(&mut buffer).unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let thread = thread::Builder::new()
            .name("recording".to_owned())
            .spawn(move || {
                let mut bytes = buffer.to_vec();
                while !ends.load(Ordering::Relaxed) {
                    let length = pipe.read(&mut buffer).unwrap();
                    assert!(length > 0, "the recording ended");
                    bytes.extend_from_slice(&buffer[..length]);
                }
                child.kill().unwrap();
                child.wait().unwrap();
                let pairs = bytes.chunks_exact(2);
                let samples = pairs.map(|b| f64::from(i16::from_le_bytes([b[0], b[1]])) / 32_768.0);
                Sound {
                    samples: samples.collect(),
                    rate: RATE,
                }
            })
            .unwrap();
        Self { over, thread }
    }

    fn end(self) -> Sound {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// How loud that frequency is, 0 to 1.
fn amplitude(samples: &[f64], hertz: f64) -> f64 {
    let (mut real, mut imaginary) = (0.0, 0.0);
    let mut angle = 0.0_f64;
    for sample in samples {
        real += sample * angle.cos();
        imaginary += sample * angle.sin();
        angle += TAU * hertz / f64::from(RATE);
    }
    let periods = samples.len().max(1);
    2.0 * real.hypot(imaginary) / f64::from(u32::try_from(periods).unwrap())
}

#[test]
fn early_media_is_heard() {
    scenario("early-media-heard", || {
        let [far, ringback] = heard_before_the_answer("early-media-heard");
        assert!(far > THERE, "the far end's tone has {far}");
        assert!(ringback < THERE, "the tone of ringing has {ringback}");
    });
}

#[test]
fn early_media_is_promised_and_never_comes() {
    scenario("early-media-promised", || {
        let [far, ringback] = heard_before_the_answer("early-media-promised");
        assert!(far < THERE, "the far end's tone has {far}");
        assert!(ringback > THERE, "the tone of ringing has {ringback}");
    });
}
