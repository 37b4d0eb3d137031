use std::f32::consts::PI;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{SyncSender, sync_channel};

use super::*;
use crate::media::command::{DeviceChoice, RecordingNotice};
use crate::media::frame::{FRAME_TIME, to_pcm16};
use crate::media::simulation::world::share_of;
use crate::media::transport::SparePair;
use crate::sdp::{Codec, Direction, LocalMedia, LocalSrtp, accept, answer, offer};

/// More than one thread carries alone.
const CALLS: u8 = 12;

/// A media thread that does what is said here, in a time of its own: calls in pairs, of which each is the
/// other's far end, and each plays a tone.
struct Desk {
    worker: Worker,
    _messages: SyncSender<Message>,
    events: mpsc::Receiver<MediaEvent>,
    addresses: Vec<SocketAddr>,
    at: Instant,
}

fn id(call: u8) -> CallId {
    CallId::new(1, [call; 10])
}

/// What that call plays.
fn hertz(call: u8) -> f32 {
    300.0 + 100.0 * f32::from(call)
}

fn write_tone(folder: &std::path::Path, call: u8) -> PathBuf {
    let path = folder.join(format!("{call}.wav"));
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for n in 0..48_000 {
        let wave = (2.0 * PI * hertz(call) * n as f32 / 48_000.0).sin() * 0.25;
        writer.write_sample(to_pcm16(wave)).unwrap();
    }
    writer.finalize().unwrap();
    path
}

impl Desk {
    fn new(codec: Codec) -> Self {
        let (messages, inbox) = sync_channel(1);
        let (outlet, events) = mpsc::channel(256);
        let devices = Devices {
            microphone: DeviceChoice::Null,
            speaker: DeviceChoice::Null,
            ringer: DeviceChoice::Null,
        };
        let mut desk = Self {
            worker: Worker::new(devices, outlet, inbox).unwrap(),
            _messages: messages,
            events,
            addresses: Vec::new(),
            at: monotonic_now(),
        };
        for call in 0..CALLS {
            let address = desk.open(call);
            desk.addresses.push(address);
        }
        let folder = tempfile::tempdir().unwrap();
        for call in 0..CALLS {
            let path = write_tone(folder.path(), call);
            let source = Source::File { path, repeat: true };
            desk.order(MediaCommand::Source {
                call: id(call),
                source,
            });
        }
        let plays = |feed: &Feed| matches!(feed, Feed::Playing(_));
        while desk.worker.calls.iter().any(|call| !plays(&call.feed)) {
            std::thread::yield_now();
            desk.worker.take_loaded();
        }
        for call in (0..CALLS).step_by(2) {
            desk.connect(codec, call);
        }
        desk.at = monotonic_now();
        desk
    }

    fn open(&mut self, call: u8) -> SocketAddr {
        let (ports, address) = SparePair::default()
            .take(self.at, [127, 0, 0, 1].into())
            .unwrap();
        self.worker.take(Message::Open {
            call: id(call),
            ports,
            identity: None,
        });
        address
    }

    /// Lets a call and the one after it talk to each other.
    fn connect(&mut self, codec: Codec, call: u8) {
        let [near, far] = [call, call + 1].map(|call| LocalMedia {
            session_id: 1,
            version: 1,
            address: self.addresses[usize::from(call)].ip(),
            rtp_port: self.addresses[usize::from(call)].port(),
            codecs: vec![codec],
            ptime_millis: 20,
            direction: Direction::SendRecv,
            srtp: LocalSrtp::default(),
            silence_suppression: false,
            ice: None,
        });
        let (answered, far_plan) = answer(&far, &offer(&near)).unwrap();
        let near_plan = accept(&near, &answered).unwrap();
        for (call, plan) in [(call, near_plan), (call + 1, far_plan)] {
            self.order(MediaCommand::Apply {
                call: id(call),
                plan: Box::new(plan),
            });
        }
    }

    fn order(&mut self, command: MediaCommand) {
        self.worker.take(Message::Command(command));
    }

    /// Makes so many ticks; gives what each call hears in them.
    fn ticks(&mut self, count: u32) -> Vec<Vec<f32>> {
        let mut heard = vec![Vec::new(); usize::from(CALLS)];
        for _ in 0..count {
            let due = Due {
                at: self.at,
                now: self.at,
                came: true,
            };
            self.worker.tick(due);
            self.worker.flush(self.at);
            for call in &self.worker.calls {
                let place = (0..CALLS).position(|number| id(number) == call.id).unwrap();
                heard[place].extend_from_slice(&call.heard);
            }
            self.at += FRAME_TIME;
        }
        heard
    }
}

fn two_processors() -> bool {
    std::thread::available_parallelism().is_ok_and(|processors| processors.get() > 1)
}

#[test]
fn many_calls_share_two_threads_and_each_hears_its_far_end() {
    for codec in [Codec::Pcmu, Codec::Opus] {
        let mut desk = Desk::new(codec);
        assert!(desk.worker.second.is_none(), "nothing was to be done yet");
        desk.ticks(100);
        assert_eq!(desk.worker.second.is_some(), two_processors());
        let heard = desk.ticks(100);
        for call in 0..CALLS {
            let sound = &heard[usize::from(call)];
            assert_eq!(sound.len(), 100 * 480);
            let share = share_of(sound, hertz(call ^ 1));
            assert!(share > 0.9, "{codec}, call {call}: {share}");
        }
        let ids = desk.worker.calls.iter().map(|call| call.id);
        assert!(ids.eq((0..CALLS).map(id)), "each at its own place");
    }
}

#[test]
fn few_calls_are_made_by_one_thread() {
    let mut desk = Desk::new(Codec::Pcmu);
    // What the devices belong to is mixed here in any case.
    desk.order(MediaCommand::Focus((0..4).map(id).collect()));
    desk.ticks(20);
    assert!(desk.worker.second.is_none());
}

/// The largest step from one sample to the next.
fn steepest(sound: &[f32]) -> f32 {
    sound
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).abs())
        .fold(0.0, f32::max)
}

#[test]
fn calls_that_get_the_devices_hear_each_other_and_go_on_without_a_click() {
    let mut desk = Desk::new(Codec::Pcmu);
    let mut heard = desk.ticks(100);
    let apart = desk.ticks(50);
    desk.order(MediaCommand::Focus(vec![id(0), id(2)]));
    let changed = desk.ticks(50);
    let together = desk.ticks(50);
    desk.order(MediaCommand::Focus(Vec::new()));
    let again = desk.ticks(50);
    // The far end of call 0 is call 1; what call 2 hears comes from call 3.
    let of_other = |sound: &[Vec<f32>]| share_of(&sound[1], hertz(3));
    assert!(of_other(&apart) < 0.01, "{}", of_other(&apart));
    assert!(of_other(&together) > 0.3, "{}", of_other(&together));
    for part in [apart, changed, together, again] {
        for (all, sound) in heard.iter_mut().zip(part) {
            all.extend(sound);
        }
    }
    for call in [0, 2] {
        let sound = &heard[usize::from(call)];
        assert_eq!(sound.len(), 300 * 480, "nothing is left out or made twice");
        let sound = &sound[50 * 480..];
        assert!(share_of(sound, hertz(call + 1)) > 0.9);
        let wave = 0.25 * 2.0 * PI * hertz(call + 1) / 48_000.0;
        assert!(steepest(sound) < wave * 1.5, "{}", steepest(sound));
    }
}

#[test]
fn what_is_asked_of_a_call_among_many_holds_its_order_and_its_end_is_final() {
    let mut desk = Desk::new(Codec::Pcmu);
    let folder = tempfile::tempdir().unwrap();
    desk.ticks(50);
    let path = folder.path().join("call.wav");
    desk.order(MediaCommand::StartRecording {
        call: id(4),
        number: 1,
        path: path.clone(),
        notice: RecordingNotice::default(),
    });
    for muted in [true, false, true] {
        let call = id(4);
        desk.order(MediaCommand::Mute { call, muted });
    }
    desk.ticks(30);
    let muted = desk.ticks(50);
    assert!(
        muted[5].iter().all(|sample| sample.abs() < 0.001),
        "the last one counts"
    );
    let call = id(4);
    desk.order(MediaCommand::Mute { call, muted: false });
    desk.order(MediaCommand::Close { call });
    desk.order(MediaCommand::Mute { call, muted: true });
    desk.order(MediaCommand::Source {
        call,
        source: Source::Echo,
    });
    let _free_again = UdpSocket::bind(desk.addresses[4]).unwrap();
    let after = desk.ticks(50);
    assert!(after[4].is_empty(), "it has no turns any more");
    assert_eq!(after[6].len(), 50 * 480, "the others have");
    // A call that takes its place is another one.
    desk.addresses[4] = desk.open(4);
    desk.order(MediaCommand::Source {
        call,
        source: Source::Echo,
    });
    desk.connect(Codec::Pcmu, 4);
    desk.ticks(50);
    let anew = desk.ticks(50);
    assert!(share_of(&anew[4], hertz(5)) > 0.9);
    let ids = desk.worker.calls.iter().map(|call| call.id);
    assert!(ids.eq((0..CALLS).map(id)));
    desk.worker.end();
    let mut stopped = false;
    while let Ok(event) = desk.events.try_recv() {
        stopped |= matches!(event, MediaEvent::RecordingStopped { call, .. } if call == id(4));
    }
    assert!(stopped);
    assert!(hound::WavReader::open(path).unwrap().duration() > 70 * 480);
}
