//! Datagrams of STUN and TURN: what comes to the sockets of a call with ICE, of its servers and of
//! strangers.

use std::net::SocketAddr;
use std::time::Instant;

use ringdesk::base::random::SeededRandom;
use ringdesk::base::redact::Secret;
use ringdesk::media::transport::ice::{IceEvent, IceServers, IceSession, TurnServer};
use ringdesk::sdp::ice::{RTCP, RTP};
use ringdesk::sdp::{
    Codec, Direction, IceSeed, LocalIce, LocalMedia, LocalSrtp, SessionDescription, answer,
};

const SERVER: &str = "198.51.100.1:3478";
const FRIEND: &str = "198.51.100.7:5000";
const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n\
    m=audio 5000 RTP/AVP 0\r\na=rtcp-mux\r\na=ice-ufrag:friend\r\na=ice-pwd:passwordofthefriend000\r\n\
    a=candidate:1 1 UDP 2130706431 198.51.100.7 5000 typ host\r\n";

/// The bytes are datagrams: an octet of where from and to which socket, one of the length, and the
/// octets. Nobody among the strangers knows a password, so no path is found, nothing of theirs is
/// taken for media, and what is sent in answer is bounded.
pub(crate) fn check(bytes: &[u8]) {
    let now = start();
    let sockets = [5000, 5001].map(|port| SocketAddr::from(([192, 0, 2, 2], port)));
    let server: SocketAddr = SERVER.parse().expect("it is an address");
    let servers = IceServers {
        stun: Some(server),
        turn: Some(TurnServer {
            address: server,
            user: "agent".to_owned(),
            password: Secret::new("sesame"),
        }),
        relay_only: false,
    };
    let credentials = IceSeed::new([1; 32]).draw();
    let random = Box::new(SeededRandom::new(1));
    let mut session = IceSession::begin(now, random, &servers, credentials.clone(), sockets);
    let mut sent = drain(&mut session);
    let mut taken = 0;
    let mut rest = bytes;
    while let Some((&[place, length], more)) = rest.split_first_chunk::<2>() {
        let (datagram, more) = more.split_at(usize::from(length).min(more.len()));
        rest = more;
        if place & 0x80 != 0 {
            // The servers have been waited for long enough, and the far end's offer is answered.
            session.handle_timeout(now + std::time::Duration::from_millis(600));
            let candidates = std::iter::from_fn(|| session.poll_event()).find_map(|event| {
                let IceEvent::Gathered { candidates, .. } = event else {
                    return None;
                };
                Some(candidates)
            });
            if let Some(candidates) = candidates {
                let local = local(credentials.clone(), candidates);
                let offer = SessionDescription::parse(OFFER.as_bytes()).expect("it is one");
                let (_, plan) = answer(&local, &offer).expect("both speak PCMU");
                session.apply(now, &plan);
            }
        }
        let from = match place & 3 {
            0 => SERVER,
            1 => FRIEND,
            _ => "203.0.113.66:666",
        };
        let component = if place & 4 == 0 { RTP } else { RTCP };
        let from: SocketAddr = from.parse().expect("it is an address");
        let media = session.handle(now, component, from, datagram);
        assert_eq!(media, None, "nobody has proven who he is");
        taken += 1;
        sent += drain(&mut session);
        assert_eq!(session.remote(RTP), None);
        assert!(sent <= 8 * (taken + 8), "{sent} datagrams for {taken}");
    }
}

/// How many datagrams it wants sent.
fn drain(session: &mut IceSession) -> usize {
    std::iter::from_fn(|| session.poll_transmit()).count()
}

fn local(
    credentials: ringdesk::sdp::IceCredentials,
    candidates: Vec<ringdesk::sdp::Candidate>,
) -> LocalMedia {
    LocalMedia {
        session_id: 1,
        version: 1,
        address: [192, 0, 2, 2].into(),
        rtp_port: 5000,
        codecs: vec![Codec::Pcmu],
        ptime_millis: 20,
        direction: Direction::SendRecv,
        srtp: LocalSrtp::default(),
        silence_suppression: false,
        ice: Some(LocalIce {
            credentials,
            candidates,
            offers: true,
            offered: false,
            settled: Vec::new(),
        }),
    }
}

fn start() -> Instant {
    ringdesk::base::clock::monotonic_now()
}
