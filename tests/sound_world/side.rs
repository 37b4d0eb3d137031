//! One end of a call, with real devices or none.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ringdesk::base::clock::monotonic_now;
use ringdesk::base::id::CallId;
use ringdesk::media::{DeviceChoice, Devices, MediaCommand, MediaEngine, MediaEvent, Source};
use ringdesk::sdp::{Codec, Direction, LocalMedia, LocalSrtp, MediaPlan, accept, answer, offer};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// One end of a call: a media engine with its devices.
pub(crate) struct Side {
    pub(crate) engine: MediaEngine,
    pub(crate) events: mpsc::Receiver<MediaEvent>,
    pub(crate) call: CallId,
    /// How much sound it wants in each packet.
    pub(crate) packet_millis: u32,
    address: SocketAddr,
    runtime: Runtime,
}

impl Side {
    pub(crate) fn new(number: u8, devices: Devices) -> Self {
        let (sender, events) = mpsc::channel(256);
        let mut engine = MediaEngine::start(devices, sender).unwrap();
        let call = CallId::new(1, [number; 10]);
        let address = engine
            .open(monotonic_now(), call, [127, 0, 0, 1].into())
            .unwrap();
        Self {
            engine,
            events,
            call,
            packet_millis: 20,
            address,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap(),
        }
    }

    pub(crate) fn local(&self) -> LocalMedia {
        LocalMedia {
            session_id: 1,
            version: 1,
            address: self.address.ip(),
            rtp_port: self.address.port(),
            codecs: vec![Codec::Opus],
            ptime_millis: self.packet_millis,
            direction: Direction::SendRecv,
            srtp: LocalSrtp::default(),
            silence_suppression: false,
            ice: None,
        }
    }

    pub(crate) fn apply(&mut self, plan: MediaPlan) {
        let (call, plan) = (self.call, Box::new(plan));
        self.engine
            .send(MediaCommand::Apply { call, plan })
            .unwrap();
    }

    /// Sends a file again and again.
    pub(crate) fn play(&mut self, path: PathBuf) {
        let call = self.call;
        let source = Source::File { path, repeat: true };
        self.engine
            .send(MediaCommand::Source { call, source })
            .unwrap();
    }

    /// Waits for the event that is looked for; others pass.
    pub(crate) fn wait<T>(&mut self, mut look: impl FnMut(&MediaEvent) -> Option<T>) -> T {
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
                tokio::time::timeout(Duration::from_secs(30), search).await
            })
            .unwrap()
    }
}

/// Agrees on a call between two ends, and gives `ours` the devices' focus.
pub(crate) fn connect(far: &mut Side, ours: &mut Side) {
    let locals = [far.local(), ours.local()];
    let (answered, our_plan) = answer(&locals[1], &offer(&locals[0])).unwrap();
    ours.apply(our_plan);
    far.apply(accept(&locals[0], &answered).unwrap());
    ours.engine
        .send(MediaCommand::Focus(vec![ours.call]))
        .unwrap();
}

/// What is told of devices: microphone, speaker, and what is wrong.
pub(crate) fn device(event: &MediaEvent) -> Option<(String, String, Option<String>)> {
    match event {
        MediaEvent::Device {
            microphone,
            speaker,
            problem,
        } => Some((microphone.clone(), speaker.clone(), problem.clone())),
        _ => None,
    }
}

/// No device at all.
pub(crate) fn null_devices() -> Devices {
    Devices {
        microphone: DeviceChoice::Null,
        speaker: DeviceChoice::Null,
        ringer: DeviceChoice::Null,
    }
}
