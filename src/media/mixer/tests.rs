//! Calls through a sound card that a test feeds.

use std::f32::consts::PI;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rtrb::{Producer, RingBuffer};

use super::*;
use crate::base::clock::monotonic_now;
use crate::media::call_recording::Wanted;
use crate::media::command::DeviceChoice;
use crate::media::device::{Asked, MicrophoneEnd, SpeakerEnd};
use crate::media::feed::Loader;
use crate::media::frame::{FRAME_SAMPLES, FRAME_TIME, SAMPLE_RATE, to_pcm16};
use crate::media::one_way::Cause;
use crate::media::outgoing::StreamSeed;
use crate::media::processing::Processing;
use crate::media::processing::acoustics::{Noise, speech};
use crate::media::session::{Session, SessionSeed};
use crate::media::simulation::world::share_of;
use crate::media::transport::SparePair;
use crate::sdp::{Codec, Direction, LocalMedia, LocalSrtp, accept, answer, offer};

/// The agent with a card, and far ends that talk.
struct Desk {
    now: Instant,
    mixer: Mixer,
    capture: Producer<f32>,
    calls: Vec<Box<Leg>>,
    far_ends: Vec<FarEnd>,
    told: Vec<MediaEvent>,
}

/// The other side of a call.
struct FarEnd {
    session: Session,
    /// The tone that it sends all the time, in hertz.
    hertz: f32,
    sent: u32,
    heard: Vec<f32>,
}

impl FarEnd {
    fn hum(&mut self, now: Instant) {
        let mut frame = SILENCE;
        for sample in &mut frame {
            let phase = 2.0 * PI * self.hertz * self.sent as f32 / 48_000.0;
            *sample = 0.2 * phase.sin();
            // Each tone has whole periods in a second.
            self.sent = (self.sent + 1) % 48_000;
        }
        self.session.capture(now, &mut frame, None);
        self.session.tick(now);
    }
}

impl Desk {
    fn new(calls: u8, processing: Processing) -> Self {
        let now = monotonic_now();
        let devices = Devices {
            microphone: DeviceChoice::Null,
            speaker: DeviceChoice::Null,
            ringer: DeviceChoice::Null,
        };
        let mut mixer = Mixer::start(now, devices).unwrap();
        let (capture, captured) = RingBuffer::new(FRAME_SAMPLES * 4);
        let (played, _) = RingBuffer::new(FRAME_SAMPLES * 4);
        let microphone = MicrophoneEnd::new(captured, SAMPLE_RATE).unwrap();
        let asked = Arc::new(Asked::new(now));
        let speaker = SpeakerEnd::new(played, SAMPLE_RATE, 480, asked).unwrap();
        mixer.cards.plug(microphone, speaker);
        mixer.microphone.choose(processing);
        let sides = (1..=calls).map(|number| call(now, number)).unzip();
        Self {
            now,
            mixer,
            capture,
            calls: sides.0,
            far_ends: sides.1,
            told: Vec::new(),
        }
    }

    /// Lets 10 ms pass in which the card gives that frame, or none; the far ends send their tones.
    fn tick(&mut self, frame: Option<&[f32]>) {
        for sample in frame.into_iter().flatten() {
            self.capture.push(*sample).unwrap();
        }
        for (call, far) in self.calls.iter_mut().zip(&mut self.far_ends) {
            far.hum(self.now);
            while let Some(transmit) = far.session.poll_transmit() {
                let bytes = transmit.bytes;
                call.session.handle_rtp(self.now, FAR, &bytes);
            }
        }
        let focus: Vec<CallId> = self.calls.iter().map(|call| call.id).collect();
        self.mixer.tick(self.now, &mut self.calls, &focus);
        for (call, far) in self.calls.iter_mut().zip(&mut self.far_ends) {
            while let Some(transmit) = call.session.poll_transmit() {
                far.session.handle_rtp(self.now, HERE, &transmit.bytes);
            }
            let mut heard = SILENCE;
            far.session.playout(self.now, &mut heard);
            far.heard.extend(heard);
            call.flush(self.now);
            self.told.extend(call.take_news());
        }
        self.now += FRAME_TIME;
    }

    /// Lets the card give all of that.
    fn hear(&mut self, sound: &[f32]) {
        for frame in sound.chunks_exact(FRAME_SAMPLES) {
            self.tick(Some(frame));
        }
    }

    /// What was told of why one side is not heard; none for each that is over.
    fn causes(&self) -> Vec<Option<Cause>> {
        let cause = |event: &MediaEvent| match event {
            MediaEvent::OneWay { cause, over, .. } => Some((!over).then_some(*cause)),
            _ => None,
        };
        self.told.iter().filter_map(cause).collect()
    }
}

/// Where sound goes: nobody is there, for the datagrams are handed over.
const HERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);
const FAR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 11);

/// The first one's tone is 500 Hz, the second one's 600 Hz.
fn call(now: Instant, number: u8) -> (Box<Leg>, FarEnd) {
    let (ports, _) = SparePair::default().take(now, HERE.ip()).unwrap();
    let session = |ssrc: u8| {
        let seed = SessionSeed {
            stream: StreamSeed {
                ssrc: ssrc.into(),
                sequence: 1,
                timestamp: 1,
            },
            ntp_time: 0,
            spread: 1,
        };
        Session::new(now, &seed)
    };
    let local = |address: SocketAddr| LocalMedia {
        session_id: 1,
        version: 1,
        address: address.ip(),
        rtp_port: address.port(),
        codecs: vec![Codec::Pcma],
        ptime_millis: 20,
        direction: Direction::SendRecv,
        silence_suppression: false,
        ice: None,
        srtp: LocalSrtp::default(),
    };
    let (answered, theirs) = answer(&local(FAR), &offer(&local(HERE))).unwrap();
    let ours = accept(&local(HERE), &answered).unwrap();
    let id = CallId::new(number.into(), [7; 10]);
    let mut leg = Box::new(Leg::new(now, id, ports, session(number)));
    leg.apply(now, Box::new(ours));
    let mut far = FarEnd {
        session: session(100 + number),
        hertz: 400.0 + 100.0 * f32::from(number),
        sent: 0,
        heard: Vec::new(),
    };
    far.session.apply(now, &theirs).unwrap();
    (leg, far)
}

fn seconds(count: usize) -> usize {
    48_000 * count
}

/// A quiet room.
fn room(length: usize) -> Vec<f32> {
    Noise::new(3).steady(length, 0.004)
}

/// What the canceller makes of silence is none, so that nobody was told while the far end talked.
#[test]
fn a_microphone_of_zeros_is_told_while_the_far_end_talks() {
    for processing in [Processing::SPEAKER, Processing::OFF] {
        let mut desk = Desk::new(1, processing);
        desk.hear(&room(seconds(3)));
        assert_eq!(desk.causes(), []);
        desk.hear(&vec![0.0; seconds(3)]);
        assert_eq!(desk.causes(), [Some(Cause::SilentMicrophone)]);
        desk.hear(&room(seconds(1)));
        assert_eq!(desk.causes(), [Some(Cause::SilentMicrophone), None]);
    }
}

/// The timer goes on without a card that has stopped: its silence was taken for the microphone's.
#[test]
fn a_microphone_that_gives_nothing_is_told_from_one_that_gives_zeros() {
    let mut desk = Desk::new(1, Processing::SPEAKER);
    desk.hear(&room(seconds(3)));
    for _ in 0..500 {
        desk.tick(None);
    }
    assert_eq!(desk.causes(), [Some(Cause::NoFrames)]);
    desk.hear(&room(seconds(1)));
    assert_eq!(desk.causes(), [Some(Cause::NoFrames), None]);
}

/// What a muted call sends is silence, which was taken for that of a dead microphone.
#[test]
fn who_is_muted_has_no_dead_microphone_and_is_told_when_he_speaks() {
    for processing in [Processing::SPEAKER, Processing::OFF] {
        let mut desk = Desk::new(1, processing);
        desk.hear(&room(seconds(1)));
        desk.calls[0].mute(true);
        desk.hear(&room(seconds(5)));
        assert_eq!(desk.causes(), []);
        // A headset may give zeros while nobody speaks.
        desk.hear(&vec![0.0; seconds(4)]);
        assert_eq!(desk.causes(), []);
        desk.hear(&speech(5, 6, 0.2));
        let cancels = processing.echo_cancellation;
        // Where the speaker is not taken out, it may be the far end that is heard.
        let told = if cancels {
            vec![Some(Cause::SpeaksMuted)]
        } else {
            Vec::new()
        };
        assert_eq!(desk.causes(), told);
        desk.calls[0].mute(false);
        desk.hear(&room(seconds(1)));
        assert_eq!(desk.causes().last(), cancels.then_some(&None));
    }
}

/// Has the first call recorded, told by that tone or announcement.
fn record(desk: &mut Desk, path: &Path, tone: bool, announcement: Option<PathBuf>) {
    let (outlet, events) = tokio::sync::mpsc::channel(64);
    // Nobody listens.
    drop(events);
    let mut loader = Loader::new();
    let loads = announcement.is_some();
    let wanted = Wanted::new(1, path.to_owned(), tone, outlet);
    let first = &mut desk.calls[0];
    first.recording.start(wanted, announcement, &mut loader);
    if !loads {
        return;
    }
    let deadline = monotonic_now() + Duration::from_secs(20);
    let loaded = loop {
        if let Some(loaded) = loader.poll() {
            break loaded;
        }
        assert!(monotonic_now() < deadline);
        std::thread::yield_now();
    };
    assert!(first.take_loaded(loaded).is_none());
}

/// Both sides of what was recorded.
fn recorded(desk: &mut Desk, path: &Path) -> [Vec<f32>; 2] {
    desk.calls[0].recording.stop().unwrap().join().unwrap();
    let mut reader = hound::WavReader::open(path).unwrap();
    let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    let side = |side: usize| {
        let samples = samples.iter().skip(side).step_by(2);
        samples.map(|sample| f32::from(*sample)).collect()
    };
    [side(0), side(1)]
}

/// A tone for so many seconds.
fn write_tone(path: &Path, hertz: f32, seconds: u16) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..48_000 * u32::from(seconds) {
        let wave = 0.2 * (2.0 * PI * hertz * n as f32 / 48_000.0).sin();
        writer.write_sample(to_pcm16(wave)).unwrap();
    }
    writer.finalize().unwrap();
}

/// The most that a tone is of any piece of 100 ms.
fn loudest(heard: &[f32], hertz: f32) -> f32 {
    let pieces = heard.chunks_exact(4_800);
    pieces
        .map(|piece| share_of(piece, hertz))
        .fold(0.0, f32::max)
}

/// Their voices are in the recording of the one, and they heard nothing of it.
#[test]
fn all_members_of_a_conference_hear_the_tone_of_the_one_that_is_recorded() {
    for tone in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.wav");
        let mut desk = Desk::new(2, Processing::OFF);
        desk.hear(&vec![0.0; seconds(1)]);
        record(&mut desk, &path, tone, None);
        desk.hear(&vec![0.0; seconds(1)]);
        for far in &desk.far_ends {
            let share = loudest(&far.heard, 1_400.0);
            assert_eq!(share > 0.1, tone, "{} Hz: {share}", far.hertz);
        }
        let [agent, far_end] = recorded(&mut desk, &path);
        assert!(share_of(&agent[12_000..], 600.0) > 0.5, "the other member");
        assert!(share_of(&far_end[12_000..], 500.0) > 0.9);
    }
}

/// Who joined a recorded call was recorded, and had not heard the announcement.
#[test]
fn who_joins_a_recorded_call_is_in_its_recording_only_behind_the_announcement() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("call.wav");
    let announcement = folder.path().join("announcement.wav");
    write_tone(&announcement, 1_100.0, 1);
    let mut desk = Desk::new(2, Processing::OFF);
    // The second one is not heard together with the first yet.
    let second = (desk.calls.pop().unwrap(), desk.far_ends.pop().unwrap());
    record(&mut desk, &path, false, Some(announcement));
    desk.hear(&vec![0.0; seconds(2)]);
    assert!(loudest(&desk.far_ends[0].heard, 1_100.0) > 0.9);
    desk.calls.push(second.0);
    desk.far_ends.push(second.1);
    desk.hear(&vec![0.0; seconds(3)]);
    assert!(
        loudest(&desk.far_ends[1].heard, 1_100.0) > 0.4,
        "it is told"
    );
    assert!(
        loudest(&desk.far_ends[1].heard, 500.0) > 0.9,
        "it hears meanwhile"
    );
    assert!(loudest(&desk.far_ends[0].heard, 600.0) > 0.9, "it is heard");
    let [agent, _] = recorded(&mut desk, &path);
    // One second before it came, one for the announcement, and two behind it.
    let (before, behind) = agent.split_at(48_000 * 2);
    assert!(loudest(before, 600.0) < 0.01, "it had not been told");
    assert!(share_of(&behind[12_000..], 600.0) > 0.9);
}
