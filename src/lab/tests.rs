//! A phone at the lab over real sockets on loopback.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::sync::mpsc;

use super::hub::until;
use super::*;
use crate::base::clock::{monotonic_now, wall_now};
use crate::base::flow::{Input, ProfileId, Transport};
use crate::base::id::{AccountId, CallId};
use crate::base::random::{OsRandom, Random as _};
use crate::base::redact::Secret;
use crate::base::uri::Uri;
use crate::call::{Action, Call, MediaPreferences, SipAction, SrtpPreferences};
use crate::media::{
    DeviceChoice, Devices, MediaCommand, MediaEngine, MediaEvent, RecordingNotice, Source,
};
use crate::net::{Net, NetOptions};
use crate::sdp::Codec;
use crate::sip::{
    AccountSetup, Credentials, EndedBy, Endpoint, EndpointConfig, IncomingCall, RegistrationState,
    SessionId, SipEvent,
};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const ACCOUNT: AccountId = AccountId(0);

/// A phone without an agent: what it does is in the test.
struct Phone {
    endpoint: Endpoint,
    net: Net,
    net_events: mpsc::Receiver<Input>,
    media: MediaEngine,
    media_events: mpsc::Receiver<MediaEvent>,
    call: Option<(SessionId, CallId, Call)>,
    source: Source,
}

/// What a test waits for.
#[derive(Debug)]
enum News {
    Sip(SipEvent),
    Media(MediaEvent),
}

async fn lab(options: LabOptions) -> (Lab, mpsc::Receiver<LabEvent>) {
    let (sender, events) = mpsc::channel(64);
    (Lab::start(options, sender).await.unwrap(), events)
}

async fn next(events: &mut mpsc::Receiver<LabEvent>) -> LabEvent {
    let waited = tokio::time::timeout(Duration::from_secs(20), events.recv());
    waited.await.expect("the lab tells").expect("the lab lives")
}

impl Phone {
    async fn new() -> Self {
        let (sender, net_events) = mpsc::channel(64);
        let options = NetOptions {
            ip: Some(LOOPBACK),
            ..NetOptions::default()
        };
        let net = Net::bind(options, sender).await.unwrap();
        let port = net.local().port();
        let config = EndpointConfig {
            udp_port: port,
            tcp_port: Some(port),
            tls_port: None,
            accept_direct_calls: false,
            user_agent: "test".to_owned(),
            max_sessions: 2,
            direct_ring_limit: Duration::from_secs(120),
            requests_per_second: None,
            direct_extensions: crate::sip::CallExtensions::default(),
        };
        let (sender, media_events) = mpsc::channel(256);
        let devices = Devices {
            microphone: DeviceChoice::Null,
            speaker: DeviceChoice::Null,
            ringer: DeviceChoice::Null,
        };
        Self {
            endpoint: Endpoint::new(config, Box::new(OsRandom)),
            net,
            net_events,
            media: MediaEngine::start(devices, sender).unwrap(),
            media_events,
            call: None,
            source: Source::Microphone,
        }
    }

    async fn registered(lab: &Lab, transport: Transport) -> Self {
        let mut phone = Self::new().await;
        phone.add_account(lab, transport, lab.users()[0].password.clone());
        let state = phone.registration().await;
        assert!(
            matches!(state, RegistrationState::Registered { .. }),
            "{state:?}"
        );
        phone
    }

    fn add_account(&mut self, lab: &Lab, transport: Transport, password: Secret) {
        let user = &lab.users()[0];
        let setup = AccountSetup {
            address: Uri::parse(&user.address).unwrap(),
            display_name: None,
            registrar: Some(Uri::parse(&format!("sip:{}", lab.address())).unwrap()),
            outbound_proxy: None,
            transport: Some(transport),
            profile: ProfileId::default(),
            credentials: Some(Credentials {
                username: user.name.clone(),
                password,
            }),
            digest: crate::sip::DigestRules::default(),
            expires: Duration::from_secs(3600),
            ring_limit: Duration::from_secs(60),
            extensions: crate::sip::CallExtensions::default(),
        };
        self.endpoint.add_account(monotonic_now(), ACCOUNT, setup);
    }

    /// The next state of the registration that is an outcome.
    async fn registration(&mut self) -> RegistrationState {
        loop {
            if let News::Sip(SipEvent::Registration { state, .. }) = self.news().await
                && state != (RegistrationState::Registering { why: None })
            {
                return state;
            }
        }
    }

    fn dial(&mut self, uri: &str) {
        let target = Uri::parse(uri).unwrap();
        let now = monotonic_now();
        let session = self.endpoint.invite(now, Some(ACCOUNT), &target, &[]);
        let call = Call::outgoing(preferences());
        self.call = Some((session.unwrap(), call_id(), call));
    }

    fn take(&mut self, incoming: &IncomingCall) {
        let offer = incoming.offer.clone();
        let call = Call::incoming(preferences(), incoming.local_ip, offer);
        self.call = Some((incoming.session, call_id(), call));
    }

    fn call(&mut self) -> &mut Call {
        &mut self.call.as_mut().unwrap().2
    }

    /// Runs until something happens that is more than a trace.
    async fn news(&mut self) -> News {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(event) = self.drain() {
                return News::Sip(event);
            }
            let due = self.endpoint.poll_timeout();
            tokio::select! {
                event = self.net_events.recv() => {
                    self.endpoint.handle_input(monotonic_now(), event.unwrap());
                }
                Some(event) = self.media_events.recv() => return News::Media(event),
                () = until(due) => self.endpoint.handle_timeout(monotonic_now()),
                () = tokio::time::sleep_until(deadline) => panic!("nothing happens"),
            }
        }
    }

    async fn sip(&mut self, wanted: impl Fn(&SipEvent) -> bool) -> SipEvent {
        loop {
            if let News::Sip(event) = self.news().await
                && wanted(&event)
            {
                return event;
            }
        }
    }

    async fn media(&mut self, wanted: impl Fn(&MediaEvent) -> bool) -> MediaEvent {
        loop {
            if let News::Media(event) = self.news().await
                && wanted(&event)
            {
                return event;
            }
        }
    }

    async fn incoming(&mut self) -> IncomingCall {
        match self.sip(|it| matches!(it, SipEvent::Incoming(_))).await {
            SipEvent::Incoming(incoming) => *incoming,
            other => panic!("{other:?}"),
        }
    }

    async fn ended(&mut self) -> (EndedBy, u16) {
        match self.sip(|it| matches!(it, SipEvent::Ended { .. })).await {
            SipEvent::Ended { by, status, .. } => (by, status.code),
            other => panic!("{other:?}"),
        }
    }

    fn drain(&mut self) -> Option<SipEvent> {
        let now = monotonic_now();
        let event = loop {
            match self.endpoint.poll_event() {
                Some(SipEvent::Trace { .. }) => {}
                event => break event,
            }
        };
        if let (Some(event), Some((_, _, call))) = (&event, &mut self.call) {
            match event {
                SipEvent::OfferNeeded { local_ip, .. } => call.handle_offer_needed(*local_ip),
                SipEvent::Answered { fork, body, .. } => {
                    call.handle_answered(fork, body.as_ref());
                }
                SipEvent::Confirmed { body, .. } => call.handle_confirmed(body.as_ref()),
                _ => {}
            }
        }
        while let Some(action) = self
            .call
            .as_mut()
            .and_then(|(_, _, call)| call.poll_action())
        {
            let (session, id, call) = self.call.as_mut().unwrap();
            let endpoint = &mut self.endpoint;
            match action {
                Action::OpenMedia(ip) => {
                    call.handle_media_opened(self.media.open(monotonic_now(), *id, ip).unwrap());
                    let source = self.source.clone();
                    let command = MediaCommand::Source { call: *id, source };
                    self.media.send(command).unwrap();
                }
                Action::ExpectHandshake => {
                    let command = MediaCommand::ExpectHandshake { call: *id };
                    self.media.send(command).unwrap();
                }
                Action::Apply(plan) => {
                    let command = MediaCommand::Apply { call: *id, plan };
                    self.media.send(command).unwrap();
                }
                Action::Sip(SipAction::Offer(body)) => {
                    endpoint.offer(now, *session, body).unwrap();
                }
                Action::Sip(SipAction::Ring(body)) => endpoint.ring(now, *session, body).unwrap(),
                Action::Sip(SipAction::Answer(body)) => {
                    endpoint.answer(now, *session, body).unwrap();
                }
                Action::Sip(SipAction::Reject(status, headers)) => {
                    endpoint.reject(now, *session, status, &headers).unwrap();
                }
                Action::Sip(SipAction::HangUp) => endpoint.hang_up(now, *session).unwrap(),
                Action::Sip(other) => panic!("{other:?}"),
                Action::Tell(_) => {}
            }
        }
        while let Some(output) = self.endpoint.poll_output() {
            self.net.perform(output);
        }
        event
    }
}

fn preferences() -> MediaPreferences {
    MediaPreferences {
        codecs: vec![Codec::Opus, Codec::Pcmu],
        ptime_millis: 20,
        silence_suppression: false,
        session_id: 1,
        srtp: SrtpPreferences::off(),
        ice: None,
    }
}

fn call_id() -> CallId {
    let mut random = [0; 10];
    OsRandom.fill(&mut random);
    CallId::new(u64::try_from(wall_now().as_millisecond()).unwrap(), random)
}

#[tokio::test]
async fn a_phone_registers_and_leaves_by_udp_and_by_tcp() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let (lab, mut events) = lab(LabOptions::default()).await;
        let mut phone = Phone::registered(&lab, transport).await;
        let LabEvent::Registered { user, contact } = next(&mut events).await else {
            panic!("no registration");
        };
        assert_eq!(user, "alice");
        assert!(
            contact.contains(&phone.net.local().to_string()),
            "{contact}"
        );
        phone.endpoint.unregister_all(monotonic_now());
        assert_eq!(phone.registration().await, RegistrationState::Unregistered);
        let user = "alice".to_owned();
        assert_eq!(next(&mut events).await, LabEvent::Unregistered { user });
        lab.stop().await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_as_such() {
    let (lab, _events) = lab(LabOptions::default()).await;
    let mut phone = Phone::new().await;
    phone.add_account(&lab, Transport::Udp, Secret::new("guess"));
    let state = phone.registration().await;
    assert!(
        matches!(&state, RegistrationState::Failed { reason, .. } if reason.contains("password")),
        "{state:?}"
    );
}

#[tokio::test]
async fn busy_declining_and_missing_peers_say_so() {
    let (lab, _events) = lab(LabOptions::default()).await;
    let mut phone = Phone::registered(&lab, Transport::Udp).await;
    for (user, status) in [("busy", 486), ("603", 603), ("bob", 480), ("nobody", 404)] {
        phone.dial(&format!("sip:{user}@{}", lab.address()));
        assert_eq!(phone.ended().await, (EndedBy::Remote, status), "{user}");
    }
}

#[tokio::test]
async fn a_peer_that_never_answers_rings_until_it_is_cancelled() {
    let (lab, _events) = lab(LabOptions::default()).await;
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut phone = Phone::registered(&lab, transport).await;
        phone.dial(&lab.uri_of(Peer::Never));
        let ringing =
            |it: &SipEvent| matches!(it, SipEvent::Progress { status, .. } if status.code == 180);
        phone.sip(ringing).await;
        phone.call().hang_up().unwrap();
        assert_eq!(phone.ended().await, (EndedBy::Local, 487));
    }
}

#[tokio::test]
async fn the_echo_sends_back_the_voice_that_it_hears() {
    let options = LabOptions {
        answer_after: Duration::from_millis(1),
        ..LabOptions::default()
    };
    let (lab, _events) = lab(options).await;
    let voice = VoiceFile::write().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("call.wav");
    let mut phone = Phone::registered(&lab, Transport::Udp).await;
    phone.source = Source::File {
        path: voice.path().to_owned(),
        repeat: true,
    };
    phone.dial(&lab.uri_of(Peer::Echo));
    phone
        .sip(|it| matches!(it, SipEvent::Answered { .. }))
        .await;
    let call = phone.call.as_ref().unwrap().1;
    let record = MediaCommand::StartRecording {
        call,
        number: 1,
        path: path.clone(),
        notice: RecordingNotice::default(),
    };
    phone.drain();
    phone.media.send(record).unwrap();
    let flowing = |it: &MediaEvent| matches!(it, MediaEvent::Flowing { .. });
    phone.media(flowing).await;
    let heard = |it: &MediaEvent| matches!(it, MediaEvent::Quality { quality, .. } if quality.received > 100);
    phone.media(heard).await;
    phone
        .media
        .send(MediaCommand::StopRecording { call })
        .unwrap();
    let stopped = |it: &MediaEvent| matches!(it, MediaEvent::RecordingStopped { .. });
    phone.media(stopped).await;
    phone.call().hang_up().unwrap();
    assert_eq!(phone.ended().await, (EndedBy::Local, 200));

    let mut reader = hound::WavReader::open(&path).unwrap();
    let frame = usize::try_from(reader.spec().sample_rate / 50).unwrap() * 2;
    let samples: Vec<f32> = reader
        .samples::<i32>()
        .map(|it| f32::from(i16::try_from(it.unwrap()).unwrap()))
        .collect();
    let levels = |channel| -> Vec<f32> {
        let level = |frame: &[f32]| {
            frame
                .iter()
                .skip(channel)
                .step_by(2)
                .map(|it| it * it)
                .sum()
        };
        samples
            .chunks_exact(frame)
            .map(level)
            .map(f32::sqrt)
            .collect()
    };
    let (sent, heard) = (levels(0), levels(1));
    let delays = 1..40.min(sent.len());
    let likeness = delays.map(|delay| correlation(&sent[..sent.len() - delay], &heard[delay..]));
    let best = likeness.fold(0.0, f32::max);

    assert!(best > 0.8, "what comes back is what was sent, {best}");
    lab.stop().await;
}

/// Pearson's correlation: 1.0 when two courses of loudness rise and fall together.
fn correlation(one: &[f32], other: &[f32]) -> f32 {
    let centred = |levels: &[f32]| -> Vec<f32> {
        let mean = levels.iter().sum::<f32>() / levels.iter().map(|_| 1.0).sum::<f32>();
        levels.iter().map(|it| it - mean).collect()
    };
    let product = |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    let (one, other) = (centred(one), centred(other));
    let norm = (product(&one, &one) * product(&other, &other)).sqrt();
    if norm > 0.0 {
        product(&one, &other) / norm
    } else {
        0.0
    }
}

#[tokio::test]
async fn each_caller_calls_from_its_number_and_talks() {
    for (transport, record_route) in [
        (Transport::Udp, false),
        (Transport::Tcp, false),
        (Transport::Udp, true),
        (Transport::Tcp, true),
    ] {
        let options = LabOptions {
            talk_for: Duration::from_millis(300),
            server: ServerOptions {
                record_route,
                ..ServerOptions::default()
            },
            ..LabOptions::default()
        };
        let (lab, mut events) = lab(options).await;
        let mut phone = Phone::registered(&lab, transport).await;
        assert!(matches!(
            next(&mut events).await,
            LabEvent::Registered { .. }
        ));
        for caller in Caller::ALL {
            lab.call(caller, "alice").unwrap();
            let incoming = phone.incoming().await;
            let from = incoming.from.uri.user_decoded();
            assert_eq!(from.as_deref(), Some(caller.number()));
            assert_eq!(incoming.account, Some(ACCOUNT));
            phone.take(&incoming);
            phone.call().ring().unwrap();
            phone.call().answer().unwrap();
            let flowing = |it: &MediaEvent| matches!(it, MediaEvent::Flowing { .. });
            phone.media(flowing).await;
            assert_eq!(next(&mut events).await, LabEvent::CallerAnswered(caller));
            assert_eq!(phone.ended().await, (EndedBy::Remote, 200));
        }
    }
}

#[tokio::test]
async fn a_caller_that_is_declined_or_finds_nobody_is_told() {
    let (lab, mut events) = lab(LabOptions::default()).await;
    lab.call(Caller::Known, "bob").unwrap();
    let refused = |status| LabEvent::CallerRefused {
        caller: Caller::Known,
        status,
    };
    assert_eq!(next(&mut events).await, refused(480));
    assert!(matches!(
        lab.call(Caller::Known, "mallory"),
        Err(LabError::NoSuchUser(..))
    ));
    let mut phone = Phone::registered(&lab, Transport::Udp).await;
    assert!(matches!(
        next(&mut events).await,
        LabEvent::Registered { .. }
    ));
    lab.call(Caller::Known, "alice").unwrap();
    let incoming = phone.incoming().await;
    phone.take(&incoming);
    let status = crate::sip::Status::new(603, "Decline");
    phone.call().reject(status, Vec::new()).unwrap();
    phone.ended().await;
    assert_eq!(next(&mut events).await, refused(603));
}

#[tokio::test]
async fn the_lab_stays_on_loopback_and_tells_a_taken_port() {
    let start = |address: SocketAddr| {
        let options = LabOptions {
            address,
            ..LabOptions::default()
        };
        Lab::start(options, mpsc::channel(1).0)
    };
    let everywhere = "0.0.0.0:0".parse().unwrap();
    assert!(matches!(
        start(everywhere).await,
        Err(LabError::NotLoopback(_))
    ));
    let first = start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let error = start(first.address()).await.unwrap_err();
    assert!(error.to_string().contains("choose another"), "{error}");
}
