//! One stream of a session description: an `m=` line and what follows it (RFC 8866 section 5.14).

use std::fmt;

use crate::sdp::description::{Direction, Host};
use crate::sdp::dtls::DtlsAttributes;
use crate::sdp::grouping::read_mid;
use crate::sdp::ice::IceAttributes;
use crate::sdp::srtp::CryptoAttribute;

/// Formats of one media line that are kept.
const MAX_FORMATS: usize = 128;

/// Keys of one stream that are kept; who offers each suite twice has ten.
const MAX_KEYS: usize = 16;

/// A payload type and what it means (RFC 8866 section 6.6 and 6.15).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadFormat {
    /// The RTP payload type, 0 to 127.
    pub payload_type: u8,
    /// The encoding name as written; empty for a dynamic type without `a=rtpmap`.
    pub name: String,
    /// The RTP clock rate in hertz.
    pub clock_rate: u32,
    /// Channels; 1 where none are written.
    pub channels: u8,
    /// The text of `a=fmtp`; empty where there is none.
    pub parameters: String,
}

impl PayloadFormat {
    /// The value of one `key=value` of the `a=fmtp` text.
    pub fn parameter(&self, key: &str) -> Option<&str> {
        self.parameters.split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case(key)
                .then_some(value.trim())
        })
    }
}

/// Where RTCP goes, when `a=rtcp` says so (RFC 3605).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtcpAddress {
    /// The port.
    pub port: u16,
    /// The address, where it is not that of the stream.
    pub host: Option<Host>,
}

/// One stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaDescription {
    /// The name by which its offerer knows it again (`a=mid`, RFC 5888).
    pub mid: Option<String>,
    /// `audio`, `video` …
    pub kind: String,
    /// The port; 0 refuses the stream.
    pub port: u16,
    /// `RTP/AVP` …
    pub protocol: String,
    /// The formats as written.
    pub formats: Vec<String>,
    /// The formats that are RTP payload types, with what is known of them.
    pub payloads: Vec<PayloadFormat>,
    /// Its own `c=` line.
    pub connection: Option<Host>,
    /// Its own direction.
    pub direction: Option<Direction>,
    /// Its `a=rtcp`.
    pub rtcp: Option<RtcpAddress>,
    /// Whether `a=rtcp-mux` is there (RFC 5761).
    pub rtcp_mux: bool,
    /// Its `a=crypto` lines that can be used, in order (RFC 4568).
    pub crypto: Vec<CryptoAttribute>,
    /// Its own attributes of DTLS.
    pub dtls: DtlsAttributes,
    /// What it says of ICE (RFC 8839).
    pub ice: IceAttributes,
    /// `a=ptime` in milliseconds.
    pub ptime_millis: Option<u32>,
    /// `a=maxptime` in milliseconds.
    pub max_ptime_millis: Option<u32>,
}

impl MediaDescription {
    /// An empty stream of that kind.
    pub fn new(kind: &str, port: u16, protocol: &str) -> Self {
        Self {
            mid: None,
            kind: kind.to_owned(),
            port,
            protocol: protocol.to_owned(),
            formats: Vec::new(),
            payloads: Vec::new(),
            connection: None,
            direction: None,
            rtcp: None,
            rtcp_mux: false,
            crypto: Vec::new(),
            dtls: DtlsAttributes::default(),
            ice: IceAttributes::default(),
            ptime_millis: None,
            max_ptime_millis: None,
        }
    }

    /// The refusal of this stream: the same line with port 0 (RFC 3264 section 6).
    pub fn refused(&self) -> Self {
        Self {
            mid: self.mid.clone(),
            formats: self.formats.clone(),
            ..Self::new(&self.kind, 0, &self.protocol)
        }
    }

    /// Adds a payload type to its formats.
    pub fn push(&mut self, payload: PayloadFormat) {
        self.formats.push(payload.payload_type.to_string());
        self.payloads.push(payload);
    }

    /// Whether it is an audio stream that is not refused.
    pub fn is_live_audio(&self) -> bool {
        self.kind.eq_ignore_ascii_case("audio") && self.port != 0
    }

    /// Reads the value of an `m=` line.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_whitespace();
        let kind = words.next()?;
        // Ours to write, so that an answer and the next offer name the stream alike.
        let kind = Some("audio")
            .filter(|audio| kind.eq_ignore_ascii_case(audio))
            .unwrap_or(kind);
        let port = words.next()?;
        let port = port.split('/').next()?.parse().ok()?;
        let mut media = Self::new(kind, port, words.next()?);
        for format in words.take(MAX_FORMATS) {
            media.formats.push(format.to_owned());
            let Some(payload_type) = format.parse().ok().filter(|pt| *pt < 128) else {
                continue;
            };
            let known = media.payloads.iter();
            if known.map(|p| p.payload_type).all(|pt| pt != payload_type) {
                media.payloads.push(static_payload(payload_type));
            }
        }
        Some(media)
    }

    /// Reads the value of an `a=` line that belongs to this stream.
    pub(crate) fn read_attribute(&mut self, attribute: &str) {
        if let Some(direction) = Direction::from_attribute(attribute) {
            self.direction = Some(direction);
            return;
        }
        let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
        let value = value.trim();
        let name = name.trim().to_ascii_lowercase();
        if self.ice.read(&name, value) || self.dtls.read(&name, value) {
            return;
        }
        match name.as_str() {
            "rtpmap" => self.read_rtpmap(value),
            "fmtp" => {
                if let Some((payload, parameters)) = self.split_payload(value) {
                    payload.parameters = parameters.to_owned();
                }
            }
            "rtcp" => {
                let (port, host) = value.split_once(' ').unwrap_or((value, ""));
                self.rtcp = port.parse().ok().map(|port| RtcpAddress {
                    port,
                    host: Host::parse(host),
                });
            }
            "crypto" if self.crypto.len() < MAX_KEYS => {
                self.crypto.extend(CryptoAttribute::parse(value));
            }
            "mid" => self.mid = read_mid(value),
            "rtcp-mux" => self.rtcp_mux = true,
            "ptime" => self.ptime_millis = read_millis(value),
            "maxptime" => self.max_ptime_millis = read_millis(value),
            _ => {}
        }
    }

    fn read_rtpmap(&mut self, value: &str) {
        let Some((payload, encoding)) = self.split_payload(value) else {
            return;
        };
        let mut parts = encoding.split('/').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty());
        let clock_rate = parts.next().and_then(|rate| rate.parse().ok());
        if let (Some(name), Some(clock_rate)) = (name, clock_rate) {
            name.clone_into(&mut payload.name);
            payload.clock_rate = clock_rate;
            payload.channels = parts.next().and_then(|n| n.parse().ok()).unwrap_or(1);
        }
    }

    /// The payload type at the start of a `value`, with the text behind it.
    fn split_payload<'a, 'v>(
        &'a mut self,
        value: &'v str,
    ) -> Option<(&'a mut PayloadFormat, &'v str)> {
        let (number, rest) = value.split_once(|c: char| c.is_ascii_whitespace())?;
        let number: u8 = number.parse().ok()?;
        let payload = self
            .payloads
            .iter_mut()
            .find(|payload| payload.payload_type == number)?;
        Some((payload, rest.trim()))
    }
}

impl fmt::Display for MediaDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={} {} {}", self.kind, self.port, self.protocol)?;
        for format in &self.formats {
            write!(f, " {format}")?;
        }
        f.write_str("\r\n")?;
        if let Some(connection) = &self.connection {
            write!(f, "c={connection}\r\n")?;
        }
        if let Some(mid) = &self.mid {
            write!(f, "a=mid:{mid}\r\n")?;
        }
        for payload in self.payloads.iter().filter(|p| !p.name.is_empty()) {
            let PayloadFormat {
                payload_type,
                name,
                clock_rate,
                ..
            } = payload;
            write!(f, "a=rtpmap:{payload_type} {name}/{clock_rate}")?;
            if payload.channels != 1 {
                write!(f, "/{}", payload.channels)?;
            }
            f.write_str("\r\n")?;
            if !payload.parameters.is_empty() {
                write!(f, "a=fmtp:{payload_type} {}\r\n", payload.parameters)?;
            }
        }
        if let Some(rtcp) = &self.rtcp {
            write!(f, "a=rtcp:{}", rtcp.port)?;
            if let Some(host) = &rtcp.host {
                write!(f, " {host}")?;
            }
            f.write_str("\r\n")?;
        }
        if self.rtcp_mux {
            f.write_str("a=rtcp-mux\r\n")?;
        }
        fmt::Display::fmt(&self.ice, f)?;
        for crypto in &self.crypto {
            write!(f, "a=crypto:{crypto}\r\n")?;
        }
        fmt::Display::fmt(&self.dtls, f)?;
        if let Some(millis) = self.ptime_millis {
            write!(f, "a=ptime:{millis}\r\n")?;
        }
        if let Some(millis) = self.max_ptime_millis {
            write!(f, "a=maxptime:{millis}\r\n")?;
        }
        if let Some(direction) = self.direction {
            write!(f, "a={}\r\n", direction.attribute())?;
        }
        Ok(())
    }
}

/// Reads milliseconds, of which some phones write fractions.
fn read_millis(value: &str) -> Option<u32> {
    value.split('.').next()?.trim().parse().ok()
}

/// What RFC 3551 tables 4 and 5 say of a payload type.
fn static_payload(payload_type: u8) -> PayloadFormat {
    let (name, clock_rate, channels) = match payload_type {
        0 => ("PCMU", 8_000, 1),
        3 => ("GSM", 8_000, 1),
        4 => ("G723", 8_000, 1),
        5 => ("DVI4", 8_000, 1),
        6 => ("DVI4", 16_000, 1),
        7 => ("LPC", 8_000, 1),
        8 => ("PCMA", 8_000, 1),
        9 => ("G722", 8_000, 1),
        10 => ("L16", 44_100, 2),
        11 => ("L16", 44_100, 1),
        12 => ("QCELP", 8_000, 1),
        13 => ("CN", 8_000, 1),
        14 => ("MPA", 90_000, 1),
        15 => ("G728", 8_000, 1),
        16 => ("DVI4", 11_025, 1),
        17 => ("DVI4", 22_050, 1),
        18 => ("G729", 8_000, 1),
        26 => ("JPEG", 90_000, 1),
        31 => ("H261", 90_000, 1),
        32 => ("MPV", 90_000, 1),
        33 => ("MP2T", 90_000, 1),
        34 => ("H263", 90_000, 1),
        _ => ("", 0, 1),
    };
    PayloadFormat {
        payload_type,
        name: name.to_owned(),
        clock_rate,
        channels,
        parameters: String::new(),
    }
}
