//! Offer and answer (RFC 3264) for one audio stream.
//!
//! The answer keeps the offerer's payload types, its order of codecs and its order of streams;
//! streams beside the first usable audio stream are refused with port 0. Keys of SRTP are agreed by
//! SDES (RFC 4568) or by a handshake (DTLS-SRTP, RFC 5763), in `RTP/SAVP` and `UDP/TLS/RTP/SAVP` and,
//! where neither side demands them, in `RTP/AVP` (RFC 8643); a stream with keys is preferred to one
//! without. ICE is used where both sides speak of it. An address where media must not go (unspecified, multicast,
//! broadcast, a name) gives a plan without one; an unspecified address counts as hold
//! (RFC 3264 section 8.4, the form of RFC 2543).

use std::net::{IpAddr, SocketAddr};

use crate::sdp::codec::Codec;
use crate::sdp::description::{Direction, Host, Origin, SessionDescription};
use crate::sdp::dtls::{DtlsAttributes, DtlsPlan};
use crate::sdp::grouping::Bundle;
use crate::sdp::ice::{
    Agreement, IceAttributes, IcePlan, LocalIce, RTP, agreed_ice, is_unicast, written_ice,
};
use crate::sdp::media_description::{MediaDescription, PayloadFormat};
use crate::sdp::opus::{OpusParameters, least_packet_time};
use crate::sdp::protection::{
    Agreed, LocalSrtp, SrtpKeys, offer_protection, protection_of_answer, protection_of_offer,
};

/// The payload type that our offers give Opus.
const OPUS_PAYLOAD_TYPE: u8 = 111;
/// Our offers' payload types of telephone-event, by clock rate in hertz (RFC 4733).
const EVENT_PAYLOAD_TYPES: [(u32, u8); 2] = [(48_000, 110), (8_000, 101)];
/// The encoding name of RFC 4733.
const EVENT_NAME: &str = "telephone-event";
/// The static payload type of comfort noise (RFC 3389 section 4).
const NOISE_PAYLOAD_TYPE: u8 = 13;
/// Its encoding name and its clock rate in hertz.
const NOISE: (&str, u32) = ("CN", 8_000);
/// The packet times that Opus can carry (RFC 6716 section 2.1.4), in milliseconds.
const OPUS_PACKET_TIMES: [u32; 4] = [60, 40, 20, 10];
/// Those of the codecs that know samples alone, where any number of our frames fits in.
const PACKET_TIMES: [u32; 6] = [60, 50, 40, 30, 20, 10];

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
    /// What our side does about SRTP.
    pub srtp: LocalSrtp,
    /// Whether little or nothing is sent while our side is silent (RFC 3389, `usedtx`).
    pub silence_suppression: bool,
    /// What our side brings to ICE; none where it has none of it.
    pub ice: Option<LocalIce>,
}

impl LocalMedia {
    /// Where RTP is to be sent by who has no ICE: what the connection line and the media line say.
    pub fn default_rtp(&self) -> SocketAddr {
        let candidate = self.ice.as_ref().and_then(|ice| ice.default_address(RTP));
        candidate.unwrap_or_else(|| SocketAddr::new(self.address, self.rtp_port))
    }
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
    /// The keys of SRTP, where the descriptions carry them.
    pub srtp: Option<SrtpKeys>,
    /// The handshake that gives them, where they do not. With neither it is plain RTP.
    pub dtls: Option<DtlsPlan>,
    /// What ICE works with; without it media goes to the addresses above.
    pub ice: Option<IcePlan>,
    /// The payload type of comfort noise to send (RFC 3389): where our side suppresses silence, the
    /// far end takes it and the codec has its clock rate.
    pub comfort_noise_send: Option<u8>,
    /// The payload types of comfort noise that may arrive.
    pub comfort_noise_receive: Vec<u8>,
    /// What the far end asks of Opus.
    pub opus: OpusParameters,
}

impl MediaPlan {
    /// Whether nothing is sent or taken in the clear.
    pub fn is_protected(&self) -> bool {
        self.srtp.is_some() || self.dtls.is_some()
    }
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
    /// The stream needs something that we do not have, or do not want: 488.
    #[error("the far end demands {0}, which this phone does not speak here")]
    Profile(String),
    /// Its keys are for suites that we do not have: 488.
    #[error("the far end encrypts by none of our suites; let it use AES_CM_128_HMAC_SHA1_80")]
    NoCommonSuite,
    /// It wants a handshake and says nothing by which its certificate can be known: 488.
    #[error(
        "the far end demands DTLS-SRTP without a fingerprint that can be trusted; let it use sha-256"
    )]
    NoFingerprint,
    /// We demand SRTP and it has none: 488.
    #[error("this account demands encrypted sound (SRTP), and the far end sends it in the clear")]
    Unprotected,
}

/// Writes an offer.
pub fn offer(local: &LocalMedia) -> SessionDescription {
    let mut session = session_of(local);
    session.media.push(offered_audio(local, None));
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
    let named = audio.and_then(|index| current.media.get(index)?.mid.as_ref());
    session.bundle = current.bundle.only(named);
    for (index, media) in current.media.iter().enumerate() {
        session.media.push(if Some(index) == audio {
            offered_audio(local, Some(media))
        } else {
            media.refused()
        });
    }
    if audio.is_none() {
        session.media.push(offered_audio(local, None));
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
    let (chosen, codecs, keys) = choose_stream(local, offer, |media| {
        protection_of_offer(&local.srtp, media, &offer.dtls_of(media))
    })?;
    let media = offer.media.get(chosen).ok_or(NegotiationError::NoAudio)?;
    let rates: Vec<u32> = codecs.iter().map(|(_, c)| c.clock_rate()).collect();
    let mut events = events_of(media);
    if events.iter().any(|(_, rate)| rates.contains(rate)) {
        events.retain(|(_, rate)| rates.contains(rate));
    }

    let port = local.default_rtp().port();
    let mut ours = MediaDescription::new("audio", port, &media.protocol);
    ours.mid.clone_from(&media.mid);
    for (payload_type, codec) in &codecs {
        ours.push(payload_format(*payload_type, *codec, local));
    }
    if rates.contains(&NOISE.1)
        && let Some(payload_type) = noise_of(media)
    {
        ours.push(noise_format(payload_type));
    }
    for (payload_type, rate) in &events {
        ours.push(event_format(*payload_type, *rate));
    }
    ours.rtcp_mux = media.rtcp_mux;
    ours.ptime_millis = Some(local.ptime_millis);
    let mut plan = plan_of(local, offer, media, &codecs, codecs.clone(), events)?;
    match agreed_ice(local.ice.as_ref(), offer, media) {
        Agreement::None => {}
        Agreement::Mismatch => ours.ice.mismatch = true,
        Agreement::Ice(_) => {
            if let Some(ice) = &local.ice {
                written_ice(ice, &mut ours, media.rtcp_mux);
            }
        }
    }
    if let Some(agreed) = keys {
        agreed.answer(&local.srtp, &mut ours);
        agreed.enter(&mut plan);
    }
    ours.direction = Some(plan.direction);

    let mut session = session_of(local);
    session.bundle = offer.bundle.only(media.mid.as_ref());
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
    let (chosen, codecs, keys) = choose_stream(local, answer, |media| {
        protection_of_answer(&local.srtp, media, &answer.dtls_of(media))
    })?;
    let media = answer.media.get(chosen).ok_or(NegotiationError::NoAudio)?;
    let offered = offered_audio(local, None);
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
    let mut plan = plan_of(local, answer, media, &codecs, receive, events)?;
    if let Some(agreed) = keys {
        agreed.enter(&mut plan);
    }
    Ok(plan)
}

fn is_taken(payload_type: u8, codecs: &[(u8, Codec)], events: &[(u8, u32)]) -> bool {
    codecs.iter().any(|(taken, _)| *taken == payload_type)
        || events.iter().any(|(taken, _)| *taken == payload_type)
}

/// A stream that both sides can do: its place, its codecs in the far end's order, and its keys.
type Choice = (usize, Vec<(u8, Codec)>, Option<Agreed>);

/// The first audio stream that both sides can do, of those with keys where there are any.
fn choose_stream(
    local: &LocalMedia,
    theirs: &SessionDescription,
    protection: impl Fn(&MediaDescription) -> Result<Option<Agreed>, NegotiationError>,
) -> Result<Choice, NegotiationError> {
    let mut refusal = NegotiationError::NoAudio;
    let mut plain = None;
    for (index, media) in theirs.media.iter().enumerate() {
        if !media.is_live_audio() {
            continue;
        }
        let keys = match protection(media) {
            Ok(keys) => keys,
            Err(why) => {
                if refusal == NegotiationError::NoAudio {
                    refusal = why;
                }
                continue;
            }
        };
        let codecs = codecs_of(local, media);
        if codecs.is_empty() {
            refusal = NegotiationError::NoCommonCodec(codec_names(media));
        } else if keys.is_some() {
            return Ok((index, codecs, keys));
        } else if plain.is_none() {
            plain = Some((index, codecs, None));
        }
    }
    plain.ok_or(refusal)
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
    let ice = match agreed_ice(local.ice.as_ref(), theirs, media) {
        Agreement::Ice(plan) => Some(plan),
        Agreement::None | Agreement::Mismatch => None,
    };
    // Who trickles has no default address yet, and holds nobody.
    let wants_sound = remote.receives() && (ice.is_some() || !is_unspecified(host));
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
    let noise = noise_of(media);
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
        ptime_millis: packet_time(local, media, codec, opus.and_then(least_packet_time)),
        direction: Direction::of(
            local.direction.sends() && wants_sound,
            local.direction.receives() && remote.sends(),
        ),
        srtp: None,
        dtls: None,
        ice,
        comfort_noise_send: noise
            .filter(|_| local.silence_suppression && codec.clock_rate() == NOISE.1),
        // Many send it unasked.
        comfort_noise_receive: [NOISE_PAYLOAD_TYPE]
            .into_iter()
            .chain(noise.filter(|dynamic| *dynamic != NOISE_PAYLOAD_TYPE))
            .collect(),
        opus: opus
            .map(|format| OpusParameters::read(format, local.silence_suppression))
            .unwrap_or_default(),
    })
}

fn session_of(local: &LocalMedia) -> SessionDescription {
    let address = Host::Ip(local.default_rtp().ip());
    SessionDescription {
        origin: Some(Origin {
            session_id: local.session_id.to_string(),
            version: local.version.to_string(),
            address: address.clone(),
        }),
        connection: Some(address),
        direction: None,
        ice: IceAttributes::default(),
        dtls: DtlsAttributes::default(),
        bundle: Bundle::default(),
        media: Vec::new(),
    }
}

/// Our audio, under the profile that a protected stream has already.
fn offered_audio(local: &LocalMedia, current: Option<&MediaDescription>) -> MediaDescription {
    let agreed = current.and_then(MediaDescription::protected_profile);
    let protocol = agreed.unwrap_or_else(|| local.srtp.profile());
    let mut media = MediaDescription::new("audio", local.default_rtp().port(), protocol);
    media.mid = current.and_then(|current| current.mid.clone());
    for codec in &local.codecs {
        let payload_type = codec.static_payload_type().unwrap_or(OPUS_PAYLOAD_TYPE);
        media.push(payload_format(payload_type, *codec, local));
    }
    if local.codecs.iter().any(|it| it.clock_rate() == NOISE.1) {
        media.push(noise_format(NOISE_PAYLOAD_TYPE));
    }
    for (rate, payload_type) in EVENT_PAYLOAD_TYPES {
        if local.codecs.iter().any(|codec| codec.clock_rate() == rate) {
            media.push(event_format(payload_type, rate));
        }
    }
    media.rtcp_mux = true;
    if let Some(ice) = local.ice.as_ref().filter(|ice| ice.offers) {
        written_ice(ice, &mut media, false);
    }
    offer_protection(&local.srtp, &mut media);
    media.ptime_millis = Some(local.ptime_millis);
    media.direction = Some(local.direction);
    media
}

/// A codec as our side writes it. RFC 7587 sections 6.1 and 7: Opus is always written with two
/// channels; without `stereo` and `sprop-stereo` it is mono in both directions.
fn payload_format(payload_type: u8, codec: Codec, local: &LocalMedia) -> PayloadFormat {
    let (channels, parameters) = match codec {
        Codec::Opus if local.silence_suppression => (2, "useinbandfec=1;usedtx=1"),
        Codec::Opus => (2, "useinbandfec=1"),
        Codec::G722 | Codec::Pcmu | Codec::Pcma => (1, ""),
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

fn noise_format(payload_type: u8) -> PayloadFormat {
    let (name, clock_rate) = NOISE;
    PayloadFormat {
        payload_type,
        name: name.to_owned(),
        clock_rate,
        channels: 1,
        parameters: String::new(),
    }
}

/// The payload type of comfort noise of a stream.
fn noise_of(media: &MediaDescription) -> Option<u8> {
    let is_noise = |format: &&PayloadFormat| {
        format.name.eq_ignore_ascii_case(NOISE.0) && format.clock_rate == NOISE.1
    };
    let found = media.payloads.iter().find(is_noise);
    found.map(|format| format.payload_type)
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
        .filter(|name| !name.is_empty())
        .filter(|name| {
            ![EVENT_NAME, NOISE.0]
                .iter()
                .any(|it| it.eq_ignore_ascii_case(name))
        })
        .take(16)
        .collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

/// What the far end asks to be sent, where the codec can, else what our side prefers; `least` is
/// the shortest that it takes of the codec.
fn packet_time(
    local: &LocalMedia,
    media: &MediaDescription,
    codec: Codec,
    least: Option<u32>,
) -> u32 {
    let times: &[u32] = match codec {
        Codec::Opus => &OPUS_PACKET_TIMES,
        Codec::G722 | Codec::Pcmu | Codec::Pcma => &PACKET_TIMES,
    };
    let times = || times.iter().copied();
    let least = least.unwrap_or(0);
    let most = media.max_ptime_millis.unwrap_or(u32::MAX);
    let asked = media.ptime_millis.unwrap_or(local.ptime_millis).max(least);
    let asked = asked.min(most);
    match times().find(|millis| *millis <= asked) {
        Some(millis) if millis >= least => millis,
        // Between two of ours: the longer one, unless the far end forbids it.
        Some(millis) => times()
            .rev()
            .find(|longer| *longer >= least)
            .filter(|longer| *longer <= most)
            .unwrap_or(millis),
        None => 10,
    }
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
    let same_family = ip.is_ipv4() == local.address.to_canonical().is_ipv4();
    (is_unicast(ip) && same_family && port != 0).then_some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests;
