//! The handle to the media thread.

use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;
use std::sync::mpsc::sync_channel;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::base::id::CallId;
use crate::base::port_range::PortRange;
use crate::base::priority::prefer_this_thread;
use crate::media::command::{Devices, MediaCommand, MediaError, MediaEvent};
use crate::media::device;
use crate::media::outlet::Outlet;
use crate::media::transport::{Identity, SparePair};
use crate::media::worker::Worker;
use crate::sdp::Fingerprint;

/// Commands that may wait for the thread, which takes them every few milliseconds; what comes on top of
/// them the outlet keeps.
const MAX_WAITING: usize = 128;

/// How soon the thread is offered again what it could not take.
const RETRY: Duration = Duration::from_millis(5);

/// The handle to the media threads; they end when it is dropped, after the recordings are closed.
pub struct MediaEngine {
    outlet: Option<Outlet>,
    thread: Option<JoinHandle<()>>,
    spare: SparePair,
    /// Made by the first call that may need it.
    identity: OnceLock<Option<Identity>>,
}

impl MediaEngine {
    /// Starts the media thread and opens the devices; a device that cannot be opened is told by
    /// `MediaEvent::Device` and replaced by the null device.
    ///
    /// # Errors
    ///
    /// Fails when no thread can be started.
    pub fn start(devices: Devices, events: mpsc::Sender<MediaEvent>) -> Result<Self, MediaError> {
        let (messages, inbox) = sync_channel(MAX_WAITING);
        let worker = Worker::new(devices, events, inbox)?;
        let thread = Builder::new()
            .name("ringdesk-media".to_owned())
            .spawn(move || {
                prefer_this_thread();
                worker.run();
            })
            .map_err(MediaError::Thread)?;
        Ok(Self {
            outlet: Some(Outlet::new(messages)),
            thread: Some(thread),
            spare: SparePair::default(),
            identity: OnceLock::new(),
        })
    }

    /// Takes the ports of calls from that range from now on, or as the system gives them.
    pub fn set_ports(&mut self, range: Option<PortRange>) {
        self.spare.within(range);
    }

    /// The fingerprint of the certificate that handshakes of calls are done with, for what is offered
    /// and answered; the certificate is made now if there is none yet. None when that fails, which is
    /// logged.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        let made = || {
            let made = Identity::make();
            made.inspect_err(|error| tracing::error!(%error)).ok()
        };
        let identity = self.identity.get_or_init(made).as_ref();
        identity.map(|identity| identity.fingerprint().clone())
    }

    /// Binds the pair for a call that is going to be opened in a moment, while it waits for the disk.
    /// What fails is told by `open`. Never blocks.
    pub fn prepare(&mut self, now: Instant, local_ip: IpAddr) {
        self.spare.prepare(now, local_ip);
    }

    /// Binds an RTP/RTCP pair for a call (even and next port) and gives the RTP address. A call
    /// that has one already goes on with the new one. Never blocks.
    ///
    /// # Errors
    ///
    /// Fails when no port is free or the thread does not take the sockets.
    pub fn open(
        &mut self,
        now: Instant,
        call: CallId,
        local_ip: IpAddr,
    ) -> Result<SocketAddr, MediaError> {
        let (ports, address) = self.spare.take(now, local_ip)?;
        let outlet = self.outlet.as_mut().ok_or(MediaError::Overloaded)?;
        outlet.open(call, ports, self.identity.get().cloned().flatten())?;
        Ok(address)
    }

    /// Hands a command to the media thread; never blocks. While the thread does not keep up the
    /// command waits, in order, until `flush`.
    ///
    /// # Errors
    ///
    /// Fails when thousands of commands wait; `Close` is always kept.
    pub fn send(&mut self, command: MediaCommand) -> Result<(), MediaError> {
        let outlet = self.outlet.as_mut().ok_or(MediaError::Overloaded)?;
        outlet.send(command)
    }

    /// Hands over what waits; gives the time at which to try again when something still does.
    pub fn flush(&mut self, now: Instant) -> Option<Instant> {
        let outlet = self.outlet.as_mut()?;
        outlet.flush();
        outlet.waits().then(|| now + RETRY)
    }
}

impl Drop for MediaEngine {
    fn drop(&mut self) {
        // The thread ends when nobody can send to it any more.
        self.outlet = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the media thread had panicked");
        }
    }
}

/// Names of the microphones and speakers that exist now, for the settings; may take 100 ms and
/// more, so never on the engine.
pub fn devices() -> (Vec<String>, Vec<String>) {
    device::list()
}

#[cfg(test)]
mod tests {
    use std::f32::consts::PI;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::base::clock::monotonic_now;
    use crate::media::command::{DeviceChoice, RecordingNotice, Source};
    use crate::media::frame::to_pcm16;
    use crate::media::simulation::world::share_of;
    use crate::sdp::{Codec, Direction, LocalMedia, LocalSrtp, MediaPlan, accept, answer, offer};

    const CALL: fn(u8) -> CallId = |n| CallId::new(1, [n; 10]);

    fn null_devices() -> Devices {
        Devices {
            microphone: DeviceChoice::Null,
            speaker: DeviceChoice::Null,
            ringer: DeviceChoice::Null,
        }
    }

    struct Side {
        engine: MediaEngine,
        events: mpsc::Receiver<MediaEvent>,
        call: CallId,
        address: SocketAddr,
        runtime: tokio::runtime::Runtime,
    }

    impl Side {
        fn new(call: CallId) -> Self {
            let (sender, events) = mpsc::channel(256);
            Self::with(
                call,
                MediaEngine::start(null_devices(), sender).unwrap(),
                events,
            )
        }

        fn with(call: CallId, mut engine: MediaEngine, events: mpsc::Receiver<MediaEvent>) -> Self {
            let address = engine
                .open(monotonic_now(), call, [127, 0, 0, 1].into())
                .unwrap();
            Self {
                engine,
                events,
                call,
                address,
                runtime: tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .build()
                    .unwrap(),
            }
        }

        fn local(&self, codec: Codec) -> LocalMedia {
            LocalMedia {
                session_id: 1,
                version: 1,
                address: self.address.ip(),
                rtp_port: self.address.port(),
                codecs: vec![codec],
                ptime_millis: 20,
                direction: Direction::SendRecv,
                srtp: LocalSrtp::default(),
                silence_suppression: false,
                ice: None,
            }
        }

        fn apply(&mut self, plan: MediaPlan) {
            let (call, plan) = (self.call, Box::new(plan));
            self.engine
                .send(MediaCommand::Apply { call, plan })
                .unwrap();
        }

        fn play(&mut self, path: &Path) {
            let source = Source::File {
                path: path.to_path_buf(),
                repeat: true,
            };
            let call = self.call;
            self.engine
                .send(MediaCommand::Source { call, source })
                .unwrap();
        }

        /// Waits for the event that is looked for; others pass.
        fn wait<T>(&mut self, mut look: impl FnMut(&MediaEvent) -> Option<T>) -> T {
            let events = &mut self.events;
            self.runtime
                .block_on(async {
                    let search = async {
                        loop {
                            let event = events.recv().await.unwrap();
                            if let Some(found) = look(&event) {
                                return found;
                            }
                        }
                    };
                    tokio::time::timeout(Duration::from_secs(20), search).await
                })
                .unwrap()
        }
    }

    fn write_tone(path: &Path, hertz: f32) {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 16_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(path, spec).unwrap();
        for n in 0..16_000 {
            let sample = (2.0 * PI * hertz * n as f32 / 16_000.0).sin() * 0.25;
            writer.write_sample(to_pcm16(sample)).unwrap();
        }
        writer.finalize().unwrap();
    }

    fn read(path: &PathBuf) -> [Vec<f32>; 2] {
        let mut reader = hound::WavReader::open(path).unwrap();
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        [0, 1].map(|side| {
            samples
                .chunks(2)
                .map(|pair| f32::from(pair[side]))
                .collect()
        })
    }

    #[test]
    fn two_engines_talk_and_record_each_other() {
        for codec in [Codec::Opus, Codec::Pcma] {
            let folder = tempfile::tempdir().unwrap();
            let mut sides = [Side::new(CALL(1)), Side::new(CALL(2))];
            let tones = [400.0, 1_000.0];
            for (side, hertz) in sides.iter_mut().zip(tones) {
                let path = folder.path().join(format!("{hertz}.wav"));
                write_tone(&path, hertz);
                side.play(&path);
            }
            let locals = [sides[0].local(codec), sides[1].local(codec)];
            let (answered, far_plan) = answer(&locals[1], &offer(&locals[0])).unwrap();
            sides[1].apply(far_plan);
            sides[0].apply(accept(&locals[0], &answered).unwrap());
            let addresses = [sides[1].address, sides[0].address];
            for (side, from) in sides.iter_mut().zip(addresses) {
                let remote = side.wait(|event| match event {
                    MediaEvent::Flowing { remote, .. } => Some(*remote),
                    _ => None,
                });
                assert_eq!(remote, from);
                let path = folder.path().join("recording").join(side.call.to_string());
                let call = side.call;
                side.engine
                    .send(MediaCommand::StartRecording {
                        call,
                        number: 1,
                        path,
                        notice: RecordingNotice::default(),
                    })
                    .unwrap();
            }
            // Two reports of quality: more than a second of sound.
            for side in &mut sides {
                for _ in 0..2 {
                    let quality = side.wait(|event| match event {
                        MediaEvent::Quality { quality, .. } => Some(**quality),
                        _ => None,
                    });
                    assert!(quality.sent > 0 && quality.received > 0 && quality.lost == 0);
                    assert!(quality.level_out > 0.1, "{quality:?}");
                }
            }
            for (side, index) in sides.iter_mut().zip([0, 1]) {
                let call = side.call;
                side.engine
                    .send(MediaCommand::StopRecording { call })
                    .unwrap();
                let (path, duration) = side.wait(|event| match event {
                    MediaEvent::RecordingStopped { path, duration, .. } => {
                        Some((path.clone(), *duration))
                    }
                    _ => None,
                });
                assert!(duration > Duration::from_millis(900), "{duration:?}");
                let [left, right] = read(&path);
                let middle = left.len() / 4..left.len() * 3 / 4;
                let (own, other) = (tones[index], tones[1 - index]);
                let heard = [&left[middle.clone()], &right[middle]];
                assert!(share_of(heard[0], own) > 0.9, "{codec}");
                // A machine that stops the thread for a while may cost a piece.
                assert!(
                    share_of(heard[1], other) > 0.6,
                    "{codec}: {}",
                    share_of(heard[1], other)
                );
                assert!(share_of(heard[1], own) < 0.1, "{codec}");
            }
        }
    }

    #[test]
    fn a_held_far_end_hears_music_that_is_neither_muted_nor_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let [voice, music, ours, theirs] =
            ["voice", "music", "ours", "theirs"].map(|name| folder.path().join(name));
        write_tone(&voice, 400.0);
        write_tone(&music, 1_000.0);
        let mut sides = [Side::new(CALL(1)), Side::new(CALL(2))];
        let missing = MediaCommand::HoldMusic(Some(folder.path().join("none.wav")));
        sides[0].engine.send(missing).unwrap();
        let told = |event: &MediaEvent| match event {
            MediaEvent::HoldMusic { problem } => Some(problem.clone()),
            _ => None,
        };
        let problem = sides[0].wait(told).unwrap();
        assert!(
            problem.contains("none.wav") && problem.contains("choose"),
            "{problem}"
        );
        let found = MediaCommand::HoldMusic(Some(music));
        sides[0].engine.send(found).unwrap();
        assert_eq!(sides[0].wait(told), None);
        sides[0].play(&voice);
        let mut locals = [sides[0].local(Codec::Pcma), sides[1].local(Codec::Pcma)];
        locals[0].direction = Direction::SendOnly;
        let (answered, far_plan) = answer(&locals[1], &offer(&locals[0])).unwrap();
        sides[1].apply(far_plan);
        let call = sides[0].call;
        let muted = MediaCommand::Mute { call, muted: true };
        sides[0].engine.send(muted).unwrap();
        let hold = MediaCommand::Hold { call, held: true };
        sides[0].engine.send(hold).unwrap();
        sides[0].apply(accept(&locals[0], &answered).unwrap());
        sides[1].wait(|event| matches!(event, MediaEvent::Flowing { .. }).then_some(()));
        for (side, path) in sides.iter_mut().zip([&ours, &theirs]) {
            let (call, path) = (side.call, path.clone());
            side.engine
                .send(MediaCommand::StartRecording {
                    call,
                    number: 1,
                    path,
                    notice: RecordingNotice::default(),
                })
                .unwrap();
        }
        for _ in 0..2 {
            sides[1].wait(|event| matches!(event, MediaEvent::Quality { .. }).then_some(()));
        }
        for side in &mut sides {
            let call = side.call;
            side.engine
                .send(MediaCommand::StopRecording { call })
                .unwrap();
            side.wait(|event| matches!(event, MediaEvent::RecordingStopped { .. }).then_some(()));
        }
        let [_, heard] = read(&theirs);
        let heard = &heard[heard.len() / 4..heard.len() * 3 / 4];
        let share = share_of(heard, 1_000.0);
        assert!(share > 0.6, "the music is heard: {share}");
        assert!(share_of(heard, 400.0) < 0.1, "the voice is not");
        let [own, _] = read(&ours);
        assert!(own.len() > 40_000 && own.iter().all(|sample| *sample == 0.0));
    }

    #[test]
    fn digits_echo_and_mistakes_are_told() {
        let mut caller = Side::new(CALL(1));
        let mut echo = Side::new(CALL(2));
        let locals = [caller.local(Codec::Pcmu), echo.local(Codec::Pcmu)];
        let (answered, far_plan) = answer(&locals[1], &offer(&locals[0])).unwrap();
        echo.apply(far_plan);
        caller.apply(accept(&locals[0], &answered).unwrap());
        let call = echo.call;
        let source = Source::Echo;
        echo.engine
            .send(MediaCommand::Source { call, source })
            .unwrap();
        let call = caller.call;
        caller.play(Path::new("/nowhere/at/all.wav"));
        let message = caller.wait(|event| match event {
            MediaEvent::SourceFailed { message, .. } => Some(message.clone()),
            _ => None,
        });
        assert!(message.contains("/nowhere/at/all.wav"), "{message}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.wav");
        write_tone(&path, 700.0);
        caller.play(&path);
        let loudest = caller.wait(|event| match event {
            MediaEvent::Quality { quality, .. } if quality.level_in > 0.05 => {
                Some(quality.level_in)
            }
            _ => None,
        });
        assert!(loudest < 0.5);
        let digits = "4#".to_owned();
        caller
            .engine
            .send(MediaCommand::Dtmf { call, digits })
            .unwrap();
        let mut heard = String::new();
        while heard.len() < 2 {
            heard.push(echo.wait(|event| match event {
                MediaEvent::Dtmf { digit, .. } => Some(*digit),
                _ => None,
            }));
        }
        assert_eq!(heard, "4#");
        // A closed call ends its recording; the engine may be dropped at any time.
        let path = folder.path().join("short.wav");
        caller
            .engine
            .send(MediaCommand::StartRecording {
                call,
                number: 1,
                path,
                notice: RecordingNotice::default(),
            })
            .unwrap();
        caller.wait(|event| matches!(event, MediaEvent::RecordingStarted { .. }).then_some(()));
        caller.engine.send(MediaCommand::Close { call }).unwrap();
        caller.wait(|event| matches!(event, MediaEvent::RecordingStopped { .. }).then_some(()));
    }

    #[test]
    fn a_dropped_engine_closes_its_recordings() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.wav");
        let mut side = Side::new(CALL(1));
        let call = side.call;
        let recording = path.clone();
        side.engine
            .send(MediaCommand::StartRecording {
                call,
                number: 1,
                path,
                notice: RecordingNotice::default(),
            })
            .unwrap();
        side.wait(|event| matches!(event, MediaEvent::RecordingStarted { .. }).then_some(()));
        drop(side.engine);
        assert!(hound::WavReader::open(recording).is_ok());
    }

    #[test]
    fn a_sound_card_that_is_missing_is_told_with_its_remedy() {
        let (sender, events) = mpsc::channel(256);
        let devices = Devices {
            microphone: DeviceChoice::Named("no such microphone".to_owned()),
            ..null_devices()
        };
        let mut side = Side::with(
            CALL(1),
            MediaEngine::start(devices, sender).unwrap(),
            events,
        );
        let (speaker, problem) = side.wait(|event| match event {
            MediaEvent::Device {
                speaker, problem, ..
            } => Some((speaker.clone(), problem.clone())),
            _ => None,
        });
        assert_eq!(speaker, "null device");
        let problem = problem.unwrap();
        assert!(problem.contains("“no such microphone”"), "{problem}");
        assert!(problem.contains("settings"), "{problem}");
    }

    #[test]
    fn the_null_device_is_told_at_once() {
        let mut side = Side::new(CALL(1));
        let (microphone, problem) = side.wait(|event| match event {
            MediaEvent::Device {
                microphone,
                problem,
                ..
            } => Some((microphone.clone(), problem.clone())),
            _ => None,
        });
        assert_eq!((microphone.as_str(), problem), ("null device", None));
    }
}
