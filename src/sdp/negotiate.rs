//! Offer and answer (RFC 3264) for one audio stream.
//!
//! The answer keeps the offerer's payload types, its order of codecs and its order of streams;
//! streams beside the first usable audio stream are refused with port 0. A stream that demands
//! SRTP is refused by a typed error. An address where media must not go (unspecified, multicast,
//! broadcast, a name) gives a plan without one; an unspecified address counts as hold
//! (RFC 3264 section 8.4, the form of RFC 2543).

use std::net::{IpAddr, SocketAddr};

use crate::sdp::codec::Codec;
use crate::sdp::description::{Direction, Host, Origin, SessionDescription};
use crate::sdp::media_description::{MediaDescription, PayloadFormat};

/// The payload type that our offers give Opus.
const OPUS_PAYLOAD_TYPE: u8 = 111;
/// Our offers' payload types of telephone-event, by clock rate in hertz (RFC 4733).
const EVENT_PAYLOAD_TYPES: [(u32, u8); 2] = [(48_000, 110), (8_000, 101)];
/// The encoding name of RFC 4733.
const EVENT_NAME: &str = "telephone-event";
/// The packet times that both codecs can carry, in milliseconds.
const PACKET_TIMES: [u32; 4] = [60, 40, 20, 10];

/// What our side can and wants; the input of each offer and answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalMedia {
    /// `o=` session id, the same for the whole call.
    pub session_id: u64,
    /// `o=` version, one more for each changed description (RFC 3264 section 8).
    pub version: u64,
    /// The address in `o=` and `c=`.
    pub address: IpAddr,
    /// The RTP port; RTCP is on the next one unless multiplexed.
    pub rtp_port: u16,
    /// Codecs in order of preference.
    pub codecs: Vec<Codec>,
    /// The packet time to ask for, in milliseconds.
    pub ptime_millis: u32,
    /// What our side wants: `SendRecv`, or `SendOnly`/`Inactive` to hold.
    pub direction: Direction,
}

/// The outcome of offer and answer: what the media room carries out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPlan {
    /// Where RTP goes; none when the far end gave no usable address (0.0.0.0, multicast …).
    pub remote_rtp: Option<SocketAddr>,
    /// Where RTCP goes.
    pub remote_rtcp: Option<SocketAddr>,
    /// Whether RTP and RTCP share a port (RFC 5761).
    pub rtcp_mux: bool,
    /// The codec to send.
    pub codec: Codec,
    /// The payload type to send it with.
    pub send_payload_type: u8,
    /// Every codec that may arrive, with the payload type it has here.
    pub receive: Vec<(u8, Codec)>,
    /// The payload type of telephone-event (RFC 4733) to send, where the far end takes it.
    pub telephone_event_send: Option<u8>,
    /// The clock rate of that payload type in hertz; the codec's where the far end has that.
    pub telephone_event_rate: u32,
    /// The payload types of telephone-event that may arrive, with their clock rates in hertz.
    pub telephone_event_receive: Vec<(u8, u32)>,
    /// The packet time to send, in milliseconds.
    pub ptime_millis: u32,
    /// What our side does: `SendOnly` and `Inactive` when we hold, `RecvOnly` and `Inactive` when
    /// we are held.
    pub direction: Direction,
    /// Whether Opus may use in-band FEC towards the far end (`useinbandfec=1`).
    pub opus_fec: bool,
    /// The most bits a second that the far end takes of Opus (`maxaveragebitrate`).
    pub opus_max_bitrate: Option<u32>,
}

/// Why offer and answer gave no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NegotiationError {
    /// No audio stream in it: 488.
    #[error("the far end offers no audio")]
    NoAudio,
    /// No codec in common: 488.
    #[error("the far end speaks none of our codecs; it offers {0}")]
    NoCommonCodec(String),
    /// The stream needs something that we do not have, such as SRTP: 488.
    #[error("the far end demands {0}, which this phone does not speak")]
    Profile(String),
}

/// Writes an offer.
pub fn offer(local: &LocalMedia) -> SessionDescription {
    let mut session = session_of(local);
    session.media.push(offered_audio(local));
    session
}

/// Writes an offer within a session: each stream that `current` has stays in its place, refused
/// where it is not our audio (RFC 3264 section 8).
///
/// `current` is the last description that either side sent.
pub fn offer_again(local: &LocalMedia, current: &SessionDescription) -> SessionDescription {
    let mut session = session_of(local);
    let audio = current
        .media
        .iter()
        .position(MediaDescription::is_live_audio);
    for (index, media) in current.media.iter().enumerate() {
        session.media.push(if Some(index) == audio {
            offered_audio(local)
        } else {
            media.refused()
        });
    }
    if audio.is_none() {
        session.media.push(offered_audio(local));
    }
    session
}

/// Answers an offer.
///
/// # Errors
///
/// Fails when there is nothing that both sides can do; answer 488 then.
pub fn answer(
    local: &LocalMedia,
    offer: &SessionDescription,
) -> Result<(SessionDescription, MediaPlan), NegotiationError> {
    let (chosen, codecs) = choose_stream(local, offer)?;
    let media = offer.media.get(chosen).ok_or(NegotiationError::NoAudio)?;
    let rates: Vec<u32> = codecs.iter().map(|(_, c)| c.clock_rate()).collect();
    let mut events = events_of(media);
    if events.iter().any(|(_, rate)| rates.contains(rate)) {
        events.retain(|(_, rate)| rates.contains(rate));
    }

    let mut ours = MediaDescription::new("audio", local.rtp_port, &media.protocol);
    for (payload_type, codec) in &codecs {
        ours.push(payload_format(*payload_type, *codec));
    }
    for (payload_type, rate) in &events {
        ours.push(event_format(*payload_type, *rate));
    }
    ours.rtcp_mux = media.rtcp_mux;
    ours.ptime_millis = Some(local.ptime_millis);
    let plan = plan_of(local, offer, media, &codecs, codecs.clone(), events)?;
    ours.direction = Some(plan.direction);

    let mut session = session_of(local);
    for (index, theirs) in offer.media.iter().enumerate() {
        session.media.push(if index == chosen {
            ours.clone()
        } else {
            theirs.refused()
        });
    }
    Ok((session, plan))
}

/// Draws the plan from our offer and the far end's answer.
///
/// # Errors
///
/// Fails when the answer refuses the audio or names no codec of the offer.
pub fn accept(
    local: &LocalMedia,
    answer: &SessionDescription,
) -> Result<MediaPlan, NegotiationError> {
    let (chosen, codecs) = choose_stream(local, answer)?;
    let media = answer.media.get(chosen).ok_or(NegotiationError::NoAudio)?;
    let offered = offered_audio(local);
    let mut receive = codecs_of(local, &offered);
    let mut events = events_of(&offered);
    // A far end that answers with numbers of its own is known to send with them too.
    for (payload_type, codec) in &codecs {
        if !is_taken(*payload_type, &receive, &events) {
            receive.push((*payload_type, *codec));
        }
    }
    for (payload_type, rate) in events_of(media) {
        if !is_taken(payload_type, &receive, &events) {
            events.push((payload_type, rate));
        }
    }
    plan_of(local, answer, media, &codecs, receive, events)
}

fn is_taken(payload_type: u8, codecs: &[(u8, Codec)], events: &[(u8, u32)]) -> bool {
    codecs.iter().any(|(taken, _)| *taken == payload_type)
        || events.iter().any(|(taken, _)| *taken == payload_type)
}

/// The first audio stream that both sides can do, with its codecs in the far end's order.
fn choose_stream(
    local: &LocalMedia,
    theirs: &SessionDescription,
) -> Result<(usize, Vec<(u8, Codec)>), NegotiationError> {
    let mut refusal = NegotiationError::NoAudio;
    for (index, media) in theirs.media.iter().enumerate() {
        if !media.is_live_audio() {
            continue;
        }
        if !is_plain_rtp(&media.protocol) {
            if refusal == NegotiationError::NoAudio {
                refusal = NegotiationError::Profile(profile_name(&media.protocol));
            }
            continue;
        }
        let codecs = codecs_of(local, media);
        if !codecs.is_empty() {
            return Ok((index, codecs));
        }
        refusal = NegotiationError::NoCommonCodec(codec_names(media));
    }
    Err(refusal)
}

fn plan_of(
    local: &LocalMedia,
    theirs: &SessionDescription,
    media: &MediaDescription,
    codecs: &[(u8, Codec)],
    receive: Vec<(u8, Codec)>,
    telephone_event_receive: Vec<(u8, u32)>,
) -> Result<MediaPlan, NegotiationError> {
    let (send_payload_type, codec) = codecs
        .first()
        .copied()
        .ok_or_else(|| NegotiationError::NoCommonCodec(codec_names(media)))?;
    let host = theirs.connection_of(media);
    let remote = theirs.direction_of(media);
    let wants_sound = remote.receives() && !is_unspecified(host);
    let rtcp_mux = media.rtcp_mux;
    let remote_rtp = usable(local, host, media.port);
    let remote_rtcp = if rtcp_mux {
        remote_rtp
    } else if let Some(rtcp) = &media.rtcp {
        usable(local, rtcp.host.as_ref().or(host), rtcp.port)
    } else {
        let next = media.port.checked_add(1);
        next.and_then(|port| usable(local, host, port))
    };
    let events = events_of(media);
    let event = events
        .iter()
        .find(|(_, rate)| *rate == codec.clock_rate())
        .or_else(|| events.first())
        .copied();
    let opus = payload_of(media, send_payload_type).filter(|_| codec == Codec::Opus);
    Ok(MediaPlan {
        remote_rtp,
        remote_rtcp,
        rtcp_mux,
        codec,
        send_payload_type,
        receive,
        telephone_event_send: event.map(|(payload_type, _)| payload_type),
        telephone_event_rate: event.map_or_else(|| codec.clock_rate(), |(_, rate)| rate),
        telephone_event_receive,
        ptime_millis: packet_time(local, media),
        direction: Direction::of(
            local.direction.sends() && wants_sound,
            local.direction.receives() && remote.sends(),
        ),
        opus_fec: opus.is_some_and(|format| format.parameter("useinbandfec") == Some("1")),
        opus_max_bitrate: opus
            .and_then(|format| format.parameter("maxaveragebitrate"))
            .and_then(|rate| rate.parse().ok()),
    })
}

fn session_of(local: &LocalMedia) -> SessionDescription {
    let address = Host::Ip(local.address);
    SessionDescription {
        origin: Some(Origin {
            session_id: local.session_id.to_string(),
            version: local.version.to_string(),
            address: address.clone(),
        }),
        connection: Some(address),
        direction: None,
        media: Vec::new(),
    }
}

fn offered_audio(local: &LocalMedia) -> MediaDescription {
    let mut media = MediaDescription::new("audio", local.rtp_port, "RTP/AVP");
    for codec in &local.codecs {
        let payload_type = codec.static_payload_type().unwrap_or(OPUS_PAYLOAD_TYPE);
        media.push(payload_format(payload_type, *codec));
    }
    for (rate, payload_type) in EVENT_PAYLOAD_TYPES {
        if local.codecs.iter().any(|codec| codec.clock_rate() == rate) {
            media.push(event_format(payload_type, rate));
        }
    }
    media.rtcp_mux = true;
    media.ptime_millis = Some(local.ptime_millis);
    media.direction = Some(local.direction);
    media
}

/// A codec as our side writes it. RFC 7587 sections 6.1 and 7: Opus is always written with two
/// channels; without `stereo` and `sprop-stereo` it is mono in both directions.
fn payload_format(payload_type: u8, codec: Codec) -> PayloadFormat {
    let (channels, parameters) = match codec {
        Codec::Opus => (2, "useinbandfec=1"),
        Codec::Pcmu | Codec::Pcma => (1, ""),
    };
    PayloadFormat {
        payload_type,
        name: codec.encoding_name().to_owned(),
        clock_rate: codec.clock_rate(),
        channels,
        parameters: parameters.to_owned(),
    }
}

fn event_format(payload_type: u8, clock_rate: u32) -> PayloadFormat {
    PayloadFormat {
        payload_type,
        name: EVENT_NAME.to_owned(),
        clock_rate,
        channels: 1,
        parameters: "0-15".to_owned(),
    }
}

fn payload_of(media: &MediaDescription, payload_type: u8) -> Option<&PayloadFormat> {
    media
        .payloads
        .iter()
        .find(|payload| payload.payload_type == payload_type)
}

/// The codecs of a stream that our side has, each once, in the stream's order.
fn codecs_of(local: &LocalMedia, media: &MediaDescription) -> Vec<(u8, Codec)> {
    let mut found: Vec<(u8, Codec)> = Vec::new();
    for payload in &media.payloads {
        let Some(codec) = Codec::from_name(&payload.name) else {
            continue;
        };
        let mono_or_opus = payload.channels == 1 || codec == Codec::Opus;
        if payload.clock_rate == codec.clock_rate()
            && mono_or_opus
            && local.codecs.contains(&codec)
            && found.iter().all(|(_, known)| *known != codec)
        {
            found.push((payload.payload_type, codec));
        }
    }
    found
}

/// The telephone-event payload types of a stream at clock rates that our codecs have.
fn events_of(media: &MediaDescription) -> Vec<(u8, u32)> {
    media
        .payloads
        .iter()
        .filter(|payload| payload.name.eq_ignore_ascii_case(EVENT_NAME))
        .map(|payload| (payload.payload_type, payload.clock_rate))
        .filter(|(_, rate)| EVENT_PAYLOAD_TYPES.iter().any(|(known, _)| known == rate))
        .collect()
}

fn codec_names(media: &MediaDescription) -> String {
    let names: Vec<&str> = media
        .payloads
        .iter()
        .map(|payload| payload.name.as_str())
        .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(EVENT_NAME))
        .take(16)
        .collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

fn is_plain_rtp(protocol: &str) -> bool {
    ["RTP/AVP", "RTP/AVPF"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(protocol))
}

fn profile_name(protocol: &str) -> String {
    let upper = protocol.to_ascii_uppercase();
    let what = if upper.contains("TLS") {
        "DTLS-SRTP"
    } else if upper.contains("SAVP") {
        "SRTP"
    } else {
        "the profile"
    };
    format!("{what} ({})", protocol.chars().take(40).collect::<String>())
}

/// What the far end asks to be sent, where our codecs can, else what our side prefers.
fn packet_time(local: &LocalMedia, media: &MediaDescription) -> u32 {
    let asked = media.ptime_millis.unwrap_or(local.ptime_millis);
    let asked = asked.min(media.max_ptime_millis.unwrap_or(u32::MAX));
    PACKET_TIMES
        .into_iter()
        .find(|millis| *millis <= asked)
        .unwrap_or(10)
}

fn is_unspecified(host: Option<&Host>) -> bool {
    match host {
        Some(Host::Ip(ip)) => ip.to_canonical().is_unspecified(),
        Some(Host::Name(_)) | None => false,
    }
}

/// The address and port, unless media must not go there.
fn usable(local: &LocalMedia, host: Option<&Host>, port: u16) -> Option<SocketAddr> {
    let Some(Host::Ip(ip)) = host else {
        return None;
    };
    let ip = ip.to_canonical();
    let allowed = match ip {
        // 0/8 is "this network"; from 224 on: multicast, reserved, broadcast (RFC 6890).
        IpAddr::V4(v4) => !matches!(v4.octets(), [0 | 224..=255, ..]),
        IpAddr::V6(v6) => !v6.is_unspecified() && !v6.is_multicast(),
    };
    let same_family = ip.is_ipv4() == local.address.to_canonical().is_ipv4();
    (allowed && same_family && port != 0).then_some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{Random as _, SeededRandom};

    fn local() -> LocalMedia {
        LocalMedia {
            session_id: 42,
            version: 1,
            address: "192.0.2.7".parse().unwrap(),
            rtp_port: 40_000,
            codecs: vec![Codec::Opus, Codec::Pcmu, Codec::Pcma],
            ptime_millis: 20,
            direction: Direction::SendRecv,
        }
    }

    fn read(media: &str) -> SessionDescription {
        let text = format!(
            "v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n{media}"
        );
        SessionDescription::parse(text.as_bytes()).unwrap()
    }

    fn remote(port: u16) -> SocketAddr {
        SocketAddr::new("198.51.100.9".parse().unwrap(), port)
    }

    #[test]
    fn an_offer_is_written_line_by_line() {
        assert_eq!(
            offer(&local()).to_string(),
            "v=0\r\no=- 42 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n\
         m=audio 40000 RTP/AVP 111 0 8 110 101\r\n\
         a=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-15\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n\
         a=rtcp-mux\r\na=ptime:20\r\na=sendrecv\r\n"
        );
    }

    #[test]
    fn two_of_our_own_sides_agree_on_opus_with_fec() {
        let mut far = local();
        far.address = "192.0.2.8".parse().unwrap();
        far.rtp_port = 50_000;
        let offered = offer(&local());
        let (answered, their_plan) = answer(&far, &offered).unwrap();
        let our_plan = accept(&local(), &answered).unwrap();
        for plan in [&our_plan, &their_plan] {
            assert_eq!(plan.codec, Codec::Opus);
            assert_eq!(plan.send_payload_type, 111);
            assert_eq!(plan.telephone_event_send, Some(110));
            assert_eq!(plan.telephone_event_rate, 48_000);
            assert!(plan.rtcp_mux && plan.opus_fec);
            assert_eq!(plan.direction, Direction::SendRecv);
            assert_eq!(plan.remote_rtp, plan.remote_rtcp);
        }
        assert_eq!(our_plan.remote_rtp.unwrap().to_string(), "192.0.2.8:50000");
        assert_eq!(
            their_plan.remote_rtp.unwrap().to_string(),
            "192.0.2.7:40000"
        );
    }

    #[test]
    fn an_answer_keeps_the_offerers_payload_types_and_order() {
        let offered = read(
            "m=audio 30000 RTP/AVP 9 8 98 96 97\r\na=rtpmap:98 opus/48000/2\r\n\
         a=fmtp:98 maxaveragebitrate=20000; useinbandfec=0\r\na=rtpmap:96 telephone-event/8000\r\n\
         a=rtpmap:97 telephone-event/48000\r\n",
        );
        let (answered, plan) = answer(&local(), &offered).unwrap();
        assert_eq!(answered.media[0].formats, ["8", "98", "96", "97"]);
        assert_eq!(plan.codec, Codec::Pcma);
        assert_eq!(plan.receive, [(8, Codec::Pcma), (98, Codec::Opus)]);
        assert_eq!(plan.telephone_event_send, Some(96));
        assert_eq!(plan.telephone_event_receive, [(96, 8_000), (97, 48_000)]);
        assert!(!plan.rtcp_mux);
        assert_eq!(plan.remote_rtcp, Some(remote(30_001)));
    }

    #[test]
    fn opus_limits_of_the_far_end_reach_the_plan() {
        let offered = read(
            "m=audio 30000 RTP/AVP 98\r\na=fmtp:98 maxaveragebitrate=20000; useinbandfec=1\r\n\
         a=rtpmap:98 OPUS/48000/2\r\n",
        );
        let (_, plan) = answer(&local(), &offered).unwrap();
        assert!(plan.opus_fec);
        assert_eq!(plan.opus_max_bitrate, Some(20_000));
        assert_eq!(plan.telephone_event_send, None);
    }

    #[test]
    fn an_answer_with_other_numbers_is_sent_with_its_numbers_and_received_with_ours() {
        let answered = read(
            "m=audio 30000 RTP/AVP 120 99\r\na=rtpmap:120 opus/48000/2\r\n\
         a=rtpmap:99 telephone-event/48000\r\n",
        );
        let plan = accept(&local(), &answered).unwrap();
        assert_eq!(plan.send_payload_type, 120);
        assert_eq!(plan.telephone_event_send, Some(99));
        assert!(plan.receive.contains(&(111, Codec::Opus)));
        assert!(plan.receive.contains(&(120, Codec::Opus)));
        assert!(plan.receive.contains(&(0, Codec::Pcmu)));
        assert!(plan.telephone_event_receive.contains(&(110, 48_000)));
        assert!(plan.telephone_event_receive.contains(&(99, 48_000)));
    }

    #[test]
    fn a_number_of_theirs_never_takes_the_place_of_one_of_ours() {
        let answered = read("m=audio 30000 RTP/AVP 101\r\na=rtpmap:101 opus/48000/2\r\n");
        let plan = accept(&local(), &answered).unwrap();
        assert_eq!(plan.send_payload_type, 101);
        assert!(!plan.receive.contains(&(101, Codec::Opus)));
        assert!(plan.telephone_event_receive.contains(&(101, 8_000)));
    }

    #[test]
    fn opus_with_events_of_8000_hertz_only_uses_those() {
        let offered = read(
            "m=audio 30000 RTP/AVP 107 101\r\na=rtpmap:107 opus/48000/2\r\n\
         a=rtpmap:101 telephone-event/8000\r\n",
        );
        let (answered, plan) = answer(&local(), &offered).unwrap();
        assert_eq!(answered.media[0].formats, ["107", "101"]);
        assert_eq!(
            (plan.telephone_event_send, plan.telephone_event_rate),
            (Some(101), 8_000)
        );
    }

    #[test]
    fn other_streams_are_refused_in_their_place() {
        let offered = read(
            "m=video 6000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\nm=audio 30000 RTP/AVP 0\r\n\
         m=audio 30010 RTP/AVP 8\r\nm=application 9 UDP/BFCP *\r\n",
        );
        let (answered, _) = answer(&local(), &offered).unwrap();
        let ports: Vec<_> = answered
            .media
            .iter()
            .map(|m| (m.kind.as_str(), m.port))
            .collect();
        assert_eq!(
            ports,
            [
                ("video", 0),
                ("audio", 40_000),
                ("audio", 0),
                ("application", 0)
            ]
        );
        assert_eq!(answered.media[3].formats, ["*"]);
        let again = offer_again(&local(), &offered);
        let ports: Vec<_> = again.media.iter().map(|m| m.port).collect();
        assert_eq!(ports, [0, 40_000, 0, 0]);
        assert_eq!(offer_again(&local(), &offer(&local())), offer(&local()));
    }

    #[test]
    fn srtp_and_dtls_are_refused_by_name_unless_a_plain_stream_stands_beside() {
        for (protocol, name) in [
            ("RTP/SAVP", "SRTP"),
            ("RTP/SAVPF", "SRTP"),
            ("UDP/TLS/RTP/SAVPF", "DTLS-SRTP"),
            ("TCP/MSRP", "the profile"),
        ] {
            let offered = read(&format!("m=audio 30000 {protocol} 0\r\n"));
            let error = answer(&local(), &offered).unwrap_err();
            assert_eq!(
                error,
                NegotiationError::Profile(format!("{name} ({protocol})"))
            );
        }
        let offered = read("m=audio 30000 RTP/SAVP 0\r\nm=audio 30002 RTP/AVP 0\r\n");
        let (answered, plan) = answer(&local(), &offered).unwrap();
        assert_eq!(answered.media[0].port, 0);
        assert_eq!(answered.media[1].port, 40_000);
        assert_eq!(plan.remote_rtp, Some(remote(30_002)));
    }

    #[test]
    fn nothing_in_common_names_what_is_offered() {
        let offered =
            read("m=audio 30000 RTP/AVP 9 18 101\r\na=rtpmap:101 telephone-event/8000\r\n");
        assert_eq!(
            answer(&local(), &offered).unwrap_err(),
            NegotiationError::NoCommonCodec("G722, G729".to_owned())
        );
        let video = read("m=video 30000 RTP/AVP 96\r\nm=audio 0 RTP/AVP 0\r\n");
        assert_eq!(
            answer(&local(), &video).unwrap_err(),
            NegotiationError::NoAudio
        );
        let refused = read("m=audio 0 RTP/AVP 0\r\n");
        assert_eq!(
            accept(&local(), &refused).unwrap_err(),
            NegotiationError::NoAudio
        );
    }

    #[test]
    fn codecs_at_other_rates_or_channels_are_not_ours() {
        let offered = read(
            "m=audio 30000 RTP/AVP 0 96 97\r\na=rtpmap:0 PCMU/16000\r\na=rtpmap:96 PCMA/8000/2\r\n\
         a=rtpmap:97 opus/16000\r\n",
        );
        assert!(matches!(
            answer(&local(), &offered),
            Err(NegotiationError::NoCommonCodec(_))
        ));
    }

    #[test]
    fn directions_are_mirrored() {
        use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
        for (theirs, wanted, expected) in [
            (SendRecv, SendRecv, SendRecv),
            (SendOnly, SendRecv, RecvOnly),
            (RecvOnly, SendRecv, SendOnly),
            (Inactive, SendRecv, Inactive),
            (SendRecv, SendOnly, SendOnly),
            (SendOnly, SendOnly, Inactive),
            (RecvOnly, SendOnly, SendOnly),
            (SendRecv, Inactive, Inactive),
        ] {
            let mut side = local();
            side.direction = wanted;
            let text = format!("m=audio 30000 RTP/AVP 0\r\na={}\r\n", theirs.attribute());
            let (answered, plan) = answer(&side, &read(&text)).unwrap();
            assert_eq!(
                answered.media[0].direction,
                Some(expected),
                "{theirs:?} {wanted:?}"
            );
            assert_eq!(plan.direction, expected);
            assert_eq!(accept(&side, &read(&text)).unwrap().direction, expected);
        }
    }

    #[test]
    fn hold_by_an_unspecified_address_is_answered_with_recvonly() {
        let offered = read("m=audio 30000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n");
        let (answered, plan) = answer(&local(), &offered).unwrap();
        assert_eq!(answered.media[0].direction, Some(Direction::RecvOnly));
        assert_eq!((plan.remote_rtp, plan.remote_rtcp), (None, None));
    }

    #[test]
    fn media_never_goes_to_multicast_broadcast_or_foreign_addresses() {
        for address in [
            "IP4 224.1.1.1/127",
            "IP4 255.255.255.255",
            "IP4 0.1.2.3",
            "IP4 240.0.0.1",
            "IP6 ff02::1",
            "IP6 ::",
            "IP6 ::ffff:224.0.0.1",
            "IP6 2001:db8::1",
            "IP4 phone.example.com",
        ] {
            let offered = read(&format!("m=audio 30000 RTP/AVP 0\r\nc=IN {address}\r\n"));
            let (_, plan) = answer(&local(), &offered).unwrap();
            assert_eq!(plan.remote_rtp, None, "{address}");
            assert_eq!(plan.remote_rtcp, None, "{address}");
        }
    }

    #[test]
    fn rtcp_goes_where_the_far_end_says() {
        for (attributes, expected) in [
            ("", Some(remote(30_001))),
            ("a=rtcp:31000\r\n", Some(remote(31_000))),
            (
                "a=rtcp:31000 IN IP4 198.51.100.10\r\n",
                Some("198.51.100.10:31000".parse().unwrap()),
            ),
            ("a=rtcp:31000 IN IP4 239.0.0.1\r\n", None),
            ("a=rtcp:31000\r\na=rtcp-mux\r\n", Some(remote(30_000))),
        ] {
            let offered = read(&format!("m=audio 30000 RTP/AVP 0\r\n{attributes}"));
            let (answered, plan) = answer(&local(), &offered).unwrap();
            assert_eq!(plan.remote_rtcp, expected, "{attributes}");
            assert_eq!(answered.media[0].rtcp_mux, plan.rtcp_mux);
        }
        let last = read("m=audio 65535 RTP/AVP 0\r\n");
        assert_eq!(answer(&local(), &last).unwrap().1.remote_rtcp, None);
    }

    #[test]
    fn the_packet_time_follows_the_far_end_within_what_the_codecs_can() {
        for (attributes, expected) in [
            ("", 20),
            ("a=ptime:40\r\n", 40),
            ("a=ptime:30\r\n", 20),
            ("a=ptime:5\r\n", 10),
            ("a=ptime:0\r\n", 10),
            ("a=ptime:9999\r\n", 60),
            ("a=ptime:60\r\na=maxptime:40\r\n", 40),
        ] {
            let offered = read(&format!("m=audio 30000 RTP/AVP 0\r\n{attributes}"));
            assert_eq!(answer(&local(), &offered).unwrap().1.ptime_millis, expected);
        }
    }

    #[test]
    fn mutated_offers_never_panic_and_an_answer_repeats_each_stream() {
        let base = offer(&local()).to_string().into_bytes();
        let mut random = SeededRandom::new(11);
        let mut answered_count = 0;
        for _ in 0..20_000 {
            let mut body = base.clone();
            for _ in 0..4 {
                let at = usize::try_from(random.next_u64()).unwrap() % body.len();
                body[at] = random.next_u64().to_le_bytes()[0];
            }
            let Ok(offered) = SessionDescription::parse(&body) else {
                continue;
            };
            if let Ok((answered, _)) = answer(&local(), &offered) {
                assert_eq!(answered.media.len(), offered.media.len());
                answered_count += 1;
            }
            drop(accept(&local(), &offered));
        }
        assert!(answered_count > 1_000, "{answered_count}");
    }
}
