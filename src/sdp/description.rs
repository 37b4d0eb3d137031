//! A session description (RFC 8866): lenient to read, strict to write.
//!
//! Read, beside what the RFC allows: bare CR or LF, a missing `v=`, `o=`, `s=` or `t=`, `o=` ids of
//! any length, unknown lines and attributes, spaces where none belong, text that is no UTF-8,
//! static payload types without `a=rtpmap`. What is not understood is dropped.

use std::fmt;
use std::net::IpAddr;

use crate::base::zone;
use crate::sdp::dtls::DtlsAttributes;
use crate::sdp::grouping::Bundle;
use crate::sdp::ice::IceAttributes;
use crate::sdp::media_description::MediaDescription;

/// The longest body that is read, in bytes; a browser's offer with all its candidates has a tenth.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// Lines that are read; the rest is ignored.
const MAX_LINES: usize = 2_000;
/// Media lines that are taken; a body with more is refused, because an answer must repeat each.
pub const MAX_MEDIA_LINES: usize = 32;

/// A media direction, seen from the side that wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Sends and receives.
    SendRecv,
    /// Only sends.
    SendOnly,
    /// Only receives.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// Puts a direction together from its two halves.
    pub fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether that side sends.
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }
    /// Whether that side receives.
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The attribute's name.
    pub fn attribute(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// Reads the attribute's name, whatever its case.
    pub fn from_attribute(name: &str) -> Option<Self> {
        [
            Self::SendRecv,
            Self::SendOnly,
            Self::RecvOnly,
            Self::Inactive,
        ]
        .into_iter()
        .find(|direction| direction.attribute().eq_ignore_ascii_case(name))
    }
}

/// Why bytes are no session description.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SdpError {
    /// It is not text in lines of `x=value`.
    #[error("the far end's session description is damaged: {0}")]
    Damaged(&'static str),
}

/// The address of a `c=`, `o=` or `a=rtcp` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A literal address.
    Ip(IpAddr),
    /// A name, which media never resolves.
    Name(String),
}

impl Host {
    /// Reads `IN IP4 192.0.2.1`, with a time to live behind a slash where there is one. An IPv6 address
    /// may stand in brackets, and with a zone of its sender: some write it so (`SIPp` does).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let address = text.split_whitespace().nth(2)?;
        let address = address.split('/').next().filter(|host| !host.is_empty())?;
        if let Ok(ip) = address.parse() {
            return Some(Self::Ip(ip));
        }
        let inner = address
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        Some(match zone::parse_v6(inner.unwrap_or(address)) {
            Some(ip) => Self::Ip(ip.into()),
            None => Self::Name(address.to_owned()),
        })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V4(ip)) => write!(f, "IN IP4 {ip}"),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "IN IP6 {ip}"),
            Self::Name(name) => write!(f, "IN IP4 {name}"),
        }
    }
}

/// The `o=` line, which names the session and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The session id: text, because real ones pass 64 bits.
    pub session_id: String,
    /// The version: text, for the same reason.
    pub version: String,
    /// The address of who made it.
    pub address: Host,
}

/// A session description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDescription {
    /// The `o=` line.
    pub origin: Option<Origin>,
    /// The `c=` line for media that have none of their own.
    pub connection: Option<Host>,
    /// The direction for media that have none of their own.
    pub direction: Option<Direction>,
    /// The attributes of DTLS for media that have none of their own.
    pub dtls: DtlsAttributes,
    /// What it says of ICE for all streams (RFC 8839).
    pub ice: IceAttributes,
    /// Which streams share one way.
    pub bundle: Bundle,
    /// The streams, in order.
    pub media: Vec<MediaDescription>,
}

impl SessionDescription {
    /// Reads one from a message body.
    ///
    /// # Errors
    ///
    /// Fails when no media can be understood from it.
    pub fn parse(bytes: &[u8]) -> Result<Self, SdpError> {
        if bytes.len() > MAX_BODY_BYTES {
            return Err(SdpError::Damaged("it is longer than 64 KiB"));
        }
        let mut session = Self {
            origin: None,
            connection: None,
            direction: None,
            dtls: DtlsAttributes::default(),
            ice: IceAttributes::default(),
            bundle: Bundle::default(),
            media: Vec::new(),
        };
        let lines = bytes
            .split(|byte| matches!(byte, b'\r' | b'\n'))
            .filter(|line| !line.is_empty());
        for line in lines.take(MAX_LINES) {
            let line = String::from_utf8_lossy(line);
            if let Some((kind, value)) = line.trim().split_once('=') {
                session.read_line(kind.trim_end(), value.trim())?;
            }
        }
        if session.media.is_empty() {
            return Err(SdpError::Damaged("it has no media line"));
        }
        Ok(session)
    }

    /// The direction of one of its streams, with the session's as the default.
    pub fn direction_of(&self, media: &MediaDescription) -> Direction {
        media
            .direction
            .or(self.direction)
            .unwrap_or(Direction::SendRecv)
    }

    /// The address of one of its streams, with the session's as the default.
    pub fn connection_of<'a>(&'a self, media: &'a MediaDescription) -> Option<&'a Host> {
        media.connection.as_ref().or(self.connection.as_ref())
    }

    /// The attributes of DTLS of one of its streams, with the session's as the default.
    pub fn dtls_of(&self, media: &MediaDescription) -> DtlsAttributes {
        media.dtls.or(&self.dtls)
    }

    fn read_line(&mut self, kind: &str, value: &str) -> Result<(), SdpError> {
        match kind {
            "m" => {
                if self.media.len() == MAX_MEDIA_LINES {
                    return Err(SdpError::Damaged("it has more than 32 media lines"));
                }
                let media = MediaDescription::parse(value)
                    .ok_or(SdpError::Damaged("a media line cannot be read"))?;
                self.media.push(media);
            }
            "c" => {
                let host = Host::parse(value);
                match self.media.last_mut() {
                    Some(media) => media.connection = host.or_else(|| media.connection.take()),
                    None => self.connection = host.or_else(|| self.connection.take()),
                }
            }
            "a" => match self.media.last_mut() {
                Some(media) => media.read_attribute(value),
                None => self.read_attribute(value),
            },
            "o" => self.origin = parse_origin(value),
            _ => {}
        }
        Ok(())
    }

    /// Reads the value of an `a=` line that stands before all streams.
    fn read_attribute(&mut self, attribute: &str) {
        self.direction = Direction::from_attribute(attribute).or(self.direction);
        let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if name == "group" {
            self.bundle.read(value);
        } else if !self.ice.read(&name, value) {
            self.dtls.read(&name, value);
        }
    }
}

fn parse_origin(value: &str) -> Option<Origin> {
    let mut words = value.splitn(4, ' ');
    let _user = words.next()?;
    let session_id = words.next()?.to_owned();
    let version = words.next()?.to_owned();
    let address = Host::parse(words.next()?)?;
    Some(Origin {
        session_id,
        version,
        address,
    })
}

impl fmt::Display for SessionDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("v=0\r\n")?;
        match &self.origin {
            Some(origin) => write!(
                f,
                "o=- {} {} {}\r\n",
                origin.session_id, origin.version, origin.address
            )?,
            None => f.write_str("o=- 0 0 IN IP4 0.0.0.0\r\n")?,
        }
        f.write_str("s=-\r\n")?;
        if let Some(connection) = &self.connection {
            write!(f, "c={connection}\r\n")?;
        }
        f.write_str("t=0 0\r\n")?;
        if let Some(direction) = self.direction {
            write!(f, "a={}\r\n", direction.attribute())?;
        }
        fmt::Display::fmt(&self.bundle, f)?;
        fmt::Display::fmt(&self.dtls, f)?;
        fmt::Display::fmt(&self.ice, f)?;
        self.media
            .iter()
            .try_for_each(|media| fmt::Display::fmt(media, f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{Random as _, SeededRandom};

    const PHONE: &str = "v=0\r\no=- 20518 0 IN IP4 203.0.113.1\r\ns= \r\nc=IN IP4 203.0.113.1\r\n\
        t=0 0\r\nm=audio 54400 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-11,16\r\na=ptime:20\r\na=sendrecv\r\n";

    #[test]
    fn a_phones_description_is_read() {
        let session = SessionDescription::parse(PHONE.as_bytes()).unwrap();
        let media = &session.media[0];
        assert_eq!((media.kind.as_str(), media.port), ("audio", 54400));
        assert_eq!(media.ptime_millis, Some(20));
        assert_eq!(session.direction_of(media), Direction::SendRecv);
        assert_eq!(
            session.connection_of(media),
            Some(&Host::Ip("203.0.113.1".parse().unwrap()))
        );
        assert_eq!(media.payloads.len(), 3);
        assert_eq!(media.payloads[2].name, "telephone-event");
        assert_eq!(media.payloads[2].parameters, "0-11,16");
    }

    /// Else there would be silence towards whoever writes it so.
    #[test]
    fn an_ipv6_address_is_read_in_brackets_and_with_its_senders_zone() {
        for (text, ip) in [
            ("IN IP6 2001:db8::1", "2001:db8::1"),
            ("IN IP6 [2001:db8::1]", "2001:db8::1"),
            ("IN IP6 fe80::1%eth0", "fe80::1"),
            ("IN IP6 [fe80::1%eth0]", "fe80::1"),
        ] {
            let host = Host::parse(text).unwrap();
            assert_eq!(host, Host::Ip(ip.parse().unwrap()));
            assert_eq!(host.to_string(), format!("IN IP6 {ip}"));
        }
        assert!(matches!(Host::parse("IN IP6 [::1"), Some(Host::Name(_))));
    }

    #[test]
    fn line_ends_of_any_kind_are_read() {
        let expected = SessionDescription::parse(PHONE.as_bytes()).unwrap();
        for end in ["\n", "\r", "\n\r", "\r\n\r\n"] {
            let text = PHONE.replace("\r\n", end);
            assert_eq!(
                SessionDescription::parse(text.as_bytes()).unwrap(),
                expected
            );
        }
    }

    #[test]
    fn missing_lines_unknown_lines_and_huge_ids_are_read() {
        let text = "o=x 99999999999999999999999999 123456789012345678901234567890 IN IP4 10.0.0.1\n\
            zzz\nx-odd=1\nb=AS:84\n=\na=\na=group:BUNDLE 0\n\
            m=audio 4000 RTP/AVP 8 0\nc=IN IP4 10.0.0.2/127\na=unknown:1\na=ptime:junk\na=rtpmap:\n";
        let session = SessionDescription::parse(text.as_bytes()).unwrap();
        assert_eq!(
            session.origin.as_ref().unwrap().session_id,
            "99999999999999999999999999"
        );
        assert_eq!(session.media[0].payloads[0].name, "PCMA");
        assert_eq!(
            session.connection_of(&session.media[0]),
            Some(&Host::Ip("10.0.0.2".parse().unwrap()))
        );
    }

    #[test]
    fn the_direction_of_the_session_counts_until_the_stream_has_its_own() {
        let text = "v=0\na=sendonly\nm=audio 1 RTP/AVP 0\nm=audio 2 RTP/AVP 0\na=inactive\n";
        let session = SessionDescription::parse(text.as_bytes()).unwrap();
        assert_eq!(session.direction_of(&session.media[0]), Direction::SendOnly);
        assert_eq!(session.direction_of(&session.media[1]), Direction::Inactive);
    }

    #[test]
    fn text_without_media_and_oversized_bodies_are_refused() {
        for body in [
            &b""[..],
            b"hello",
            b"v=0\r\ns=-\r\n",
            b"m=\r\n",
            b"m=audio",
            b"m=audio x RTP/AVP 0\r\n",
            b"m=audio 99999 RTP/AVP 0\r\n",
        ] {
            assert!(SessionDescription::parse(body).is_err(), "{body:?}");
        }
        let mut long = PHONE.as_bytes().to_vec();
        long.resize(MAX_BODY_BYTES + 1, b'\n');
        assert!(SessionDescription::parse(&long).is_err());
        assert!(SessionDescription::parse("m=audio 1 RTP/AVP 0\n".repeat(33).as_bytes()).is_err());
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let session = SessionDescription::parse(PHONE.as_bytes()).unwrap();
        let text = session.to_string();
        assert!(text.ends_with("\r\n"));
        assert_eq!(SessionDescription::parse(text.as_bytes()).unwrap(), session);
    }

    #[test]
    fn mutated_bodies_never_panic_and_what_is_read_writes_and_reads_again() {
        let mut random = SeededRandom::new(7);
        let pick = |random: &mut SeededRandom, below: usize| {
            usize::try_from(random.next_u64() % u64::try_from(below).unwrap()).unwrap()
        };
        for _ in 0..20_000 {
            let mut body = PHONE.as_bytes().to_vec();
            for _ in 0..=pick(&mut random, 6) {
                let at = pick(&mut random, body.len());
                match pick(&mut random, 4) {
                    0 => body[at] = random.next_u64().to_le_bytes()[0],
                    1 => drop(body.remove(at)),
                    2 => body.truncate(at.max(9)),
                    _ => {
                        let piece = body[at..(at + 9).min(body.len())].to_vec();
                        let to = pick(&mut random, body.len());
                        body.splice(to..to, piece);
                    }
                }
            }
            if let Ok(session) = SessionDescription::parse(&body) {
                let again = SessionDescription::parse(session.to_string().as_bytes());
                assert_eq!(again.map(|s| s.media.len()), Ok(session.media.len()));
            }
        }
    }
}
