//! The media of one call: a stream of datagrams in, sound out.

use std::net::SocketAddr;
use std::time::Duration;

use ringdesk::base::clock;
use ringdesk::media::frame::Frame;
use ringdesk::media::outgoing::StreamSeed;
use ringdesk::media::session::{Session, SessionSeed};
use ringdesk::sdp::{Codec, Direction, LocalMedia, LocalSrtp, SessionDescription, answer};

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 40000 RTP/AVP 96 8 0 101\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\n\
    a=rtpmap:101 telephone-event/8000\r\n";
/// The longest input is some seconds of sound.
const MOST_DATAGRAMS: usize = 200;

/// Whatever datagrams a call gets, it goes on playing frames, and nothing piles up.
///
/// Each datagram begins with a byte for the ticks before it and one for its length and kind.
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

    let mut rest = bytes;
    for _ in 0..MOST_DATAGRAMS {
        let [ticks, kind, after @ ..] = rest else {
            break;
        };
        let (datagram, after) = after.split_at(usize::from(kind >> 1).min(after.len()));
        rest = after;
        let from = SocketAddr::from(([127, 0, 0, 1], if kind & 1 == 0 { 40_000 } else { 40_001 }));
        for _ in 0..ticks & 0x0f {
            tick(&mut session, now);
            now += Duration::from_millis(10);
        }
        if kind & 1 == 0 {
            session.handle_rtp(now, from, datagram);
        } else {
            session.handle_rtcp(now, from, datagram);
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
