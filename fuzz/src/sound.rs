//! The media of one call: a stream of datagrams in, sound out.

use std::net::SocketAddr;
use std::time::Duration;

use ringdesk::base::clock;
use ringdesk::media::frame::Frame;
use ringdesk::media::outgoing::StreamSeed;
use ringdesk::media::session::{Session, SessionSeed};
use ringdesk::media::transport::Protector;
use ringdesk::sdp::{
    Codec, Direction, LocalMedia, LocalSrtp, MediaPlan, SessionDescription, SrtpKey, SrtpKeys,
    SrtpSeed, SrtpSuite, answer,
};

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 40000 RTP/AVP 96 8 0 101\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\n\
    a=rtpmap:101 telephone-event/8000\r\n";
/// The longest input is some seconds of sound.
const MOST_DATAGRAMS: usize = 200;

/// Whatever datagrams a call gets, it goes on playing frames, and nothing piles up.
///
/// Each datagram begins with a byte for what goes before it and one for its length and kind. The lower half of
/// the first byte is ticks; then come two bits for the source and two for a change of the plan.
pub(crate) fn check(bytes: &[u8]) {
    let mut now = clock::monotonic_now();
    let seed = SessionSeed {
        stream: StreamSeed {
            ssrc: 1,
            sequence: 65_530,
            timestamp: u32::MAX - 1000,
        },
        ntp_time: 1,
        spread: 1,
    };
    let mut session = Session::new(now, &seed);
    let local = LocalMedia {
        session_id: 1,
        version: 1,
        address: [127, 0, 0, 1].into(),
        rtp_port: 4000,
        codecs: Codec::ALL.to_vec(),
        ptime_millis: 20,
        direction: Direction::SendRecv,
        srtp: LocalSrtp::default(),
        silence_suppression: true,
        ice: None,
    };
    let offer = SessionDescription::parse(OFFER.as_bytes()).expect("our offer can be read");
    let (_, plan) = answer(&local, &offer).expect("our offer can be answered");
    session.apply(now, &plan).expect("codecs can be made");
    let mut world = World {
        plan,
        seed: SrtpSeed::new([7; 32]),
        far_end: None,
    };

    let mut rest = bytes;
    for _ in 0..MOST_DATAGRAMS {
        let [ticks, kind, after @ ..] = rest else {
            break;
        };
        let (datagram, after) = after.split_at(usize::from(kind >> 1).min(after.len()));
        rest = after;
        let reports = kind & 1 == 1;
        let from = source(ticks >> 4 & 3, reports);
        for _ in 0..ticks & 0x0f {
            tick(&mut session, now);
            now += Duration::from_millis(10);
        }
        if let Some(plan) = world.change(ticks >> 6) {
            session.apply(now, plan).expect("codecs can be made");
        }
        let protected = world.protect(reports, datagram);
        let datagram = protected.as_deref().unwrap_or(datagram);
        if reports {
            session.handle_rtcp(now, from, datagram);
        } else {
            session.handle_rtp(now, from, datagram);
        }
        drain(&mut session);
    }
    for _ in 0..20 {
        tick(&mut session, now);
        now += Duration::from_millis(10);
    }
    session.close(now);
    drain(&mut session);
}

/// The far end's ports, others of its host, those of another host, and one whose port is what the far
/// end's reports come from.
fn source(choice: u8, reports: bool) -> SocketAddr {
    let (host, port) = match choice {
        0 => (1, 40_000),
        1 => (1, 50_000),
        2 => (2, 40_000),
        _ => (1, 40_001),
    };
    SocketAddr::from(([127, 0, 0, host], port + u16::from(reports)))
}

/// What was agreed, and the far end's side of its keys.
struct World {
    plan: MediaPlan,
    seed: SrtpSeed,
    far_end: Option<Protector>,
}

impl World {
    /// A re-INVITE: a hold or its end, another codec and another far end, or keys and their end.
    fn change(&mut self, choice: u8) -> Option<&MediaPlan> {
        let plan = &mut self.plan;
        match choice {
            0 => return None,
            1 => {
                plan.direction = if plan.direction == Direction::SendRecv {
                    Direction::Inactive
                } else {
                    Direction::SendRecv
                };
            }
            2 => {
                let opus = plan.codec == Codec::Opus;
                plan.codec = if opus { Codec::Pcma } else { Codec::Opus };
                plan.send_payload_type = if opus { 8 } else { 96 };
                let port = if opus { 50_000 } else { 40_000 };
                plan.remote_rtp = Some(SocketAddr::from(([127, 0, 0, 1], port)));
                plan.remote_rtcp = Some(SocketAddr::from(([127, 0, 0, 1], port + 1)));
            }
            _ => {
                let mut draw = || -> SrtpKey { self.seed.draw(SrtpSuite::AeadAes128Gcm) };
                plan.srtp = if plan.srtp.is_some() {
                    None
                } else {
                    Some(SrtpKeys {
                        send: draw(),
                        receive: draw(),
                    })
                };
                let receive = plan.srtp.as_ref().map(|keys| &keys.receive);
                self.far_end = receive.map(|key| Protector::new(key).expect("the key fits"));
            }
        }
        Some(&self.plan)
    }

    /// A datagram as the far end protects it, where it can: of the others none has the key, but what they
    /// send is to get farther than the check.
    fn protect(&mut self, reports: bool, datagram: &[u8]) -> Option<Vec<u8>> {
        let far_end = self.far_end.as_mut()?;
        if reports {
            far_end.rtcp(datagram)
        } else {
            far_end.rtp(datagram)
        }
    }
}

fn tick(session: &mut Session, now: std::time::Instant) {
    let mut frame: Frame = [0.0; 480];
    session.playout(now, &mut frame);
    assert!(frame.iter().all(|sample| sample.is_finite()));
    session.capture(now, &mut frame, None);
    session.tick(now);
    drain(session);
}

fn drain(session: &mut Session) {
    let mut drained = 0;
    while let Some(transmit) = session.poll_transmit() {
        assert!(transmit.bytes.len() <= 1_500);
        drained += 1;
    }
    while session.poll_event().is_some() {
        drained += 1;
    }
    assert!(drained <= 128, "{drained}");
}
