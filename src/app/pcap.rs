//! A call's SIP messages as a capture file (pcapng) for Wireshark, tshark and sngrep.
//!
//! The packets are made here: IP and UDP headers around each message, whatever its transport was;
//! that is said in a comment on the packet. The format is that of draft-ietf-opsawg-pcapng.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::crm::row::LadderMessage;

/// Raw IP, version 4 or 6 by its first four bits (`LINKTYPE_RAW`).
const LINK_TYPE: u16 = 101;
/// The longest payload of a UDP datagram over IPv4.
const MAX_PAYLOAD: usize = 65_507;
const UDP: u8 = 17;
const OPTION_COMMENT: u16 = 1;
const OPTION_END: u16 = 0;

/// How many files of one name are tried.
const NUMBERS: u32 = 1_000;

/// Writes a capture file that only the user can read, in place of what stood there.
///
/// # Errors
///
/// Fails when the system refuses.
pub fn write(path: &Path, messages: &[LadderMessage]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    private(&mut options)
        .open(path)?
        .write_all(&capture(messages))
}

/// Writes a capture file that only the user can read beside what is there: where the name is taken,
/// the new file gets a number. Gives its path.
///
/// # Errors
///
/// Fails when the system refuses.
pub fn write_new(path: &Path, messages: &[LadderMessage]) -> io::Result<PathBuf> {
    write_octets(path, &capture(messages))
}

/// Writes a private file under that name, or under the next one that is free.
pub(super) fn write_octets(path: &Path, octets: &[u8]) -> io::Result<PathBuf> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let mut free = path.to_owned();
    for number in 2..NUMBERS {
        match private(&mut options).open(&free) {
            Ok(mut file) => {
                file.write_all(octets)?;
                return Ok(free);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let end = path.extension().unwrap_or_default().to_string_lossy();
        free.set_file_name(format!("{stem}-{number}.{end}"));
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Who called whom is nobody else's business.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// A capture file with one packet for each message.
fn capture(messages: &[LadderMessage]) -> Vec<u8> {
    let mut file = Vec::new();
    // Section header: byte order, version 1.0, length unknown.
    let mut section = Vec::new();
    section.extend(0x1a2b_3c4d_u32.to_le_bytes());
    section.extend([1, 0, 0, 0]);
    section.extend([0xff; 8]);
    block(&mut file, 0x0a0d_0d0a, &section);
    let mut interface = Vec::new();
    interface.extend(u32::from(LINK_TYPE).to_le_bytes());
    interface.extend(0_u32.to_le_bytes());
    block(&mut file, 1, &interface);
    for message in messages {
        block(&mut file, 6, &packet_block(message));
    }
    file
}

/// An enhanced packet block without its frame.
fn packet_block(message: &LadderMessage) -> Vec<u8> {
    let (from, to) = if message.sent {
        (message.local, message.remote)
    } else {
        (message.remote, message.local)
    };
    let mut payload = message.text.as_bytes();
    payload = payload.get(..MAX_PAYLOAD).unwrap_or(payload);
    let packet = packet(from, to, payload);
    let micros = u64::try_from(message.at.as_microsecond()).unwrap_or_default();
    let length = u32::try_from(packet.len())
        .unwrap_or(u32::MAX)
        .to_le_bytes();
    let mut body = Vec::new();
    body.extend(0_u32.to_le_bytes());
    // High half first, whatever the byte order.
    for half in [micros >> 32, micros & u64::from(u32::MAX)] {
        body.extend(u32::try_from(half).unwrap_or(u32::MAX).to_le_bytes());
    }
    body.extend(length);
    body.extend(length);
    body.extend(&packet);
    pad(&mut body);
    option(
        &mut body,
        OPTION_COMMENT,
        format!("over {}", message.transport).as_bytes(),
    );
    option(&mut body, OPTION_END, b"");
    body
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_le_bytes());
    body.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    body.extend(value);
    pad(body);
}

fn block(file: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let length = u32::try_from(body.len() + 12)
        .unwrap_or(u32::MAX)
        .to_le_bytes();
    file.extend(kind.to_le_bytes());
    file.extend(length);
    file.extend(body);
    file.extend(length);
}

/// Fills up to the next multiple of four.
fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// An IP packet with a UDP datagram. Ends of different families are both written as IPv6.
fn packet(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).unwrap_or(u16::MAX);
    let mut udp = Vec::with_capacity(payload.len() + 8);
    udp.extend(from.port().to_be_bytes());
    udp.extend(to.port().to_be_bytes());
    udp.extend(length.to_be_bytes());
    udp.extend([0, 0]);
    udp.extend(payload);
    let (addresses, mut packet) = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let addresses = [from.octets(), to.octets()].concat();
            (addresses.clone(), header_v4(length, &addresses))
        }
        (from, to) => {
            let octets = |ip: IpAddr| match ip {
                IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
                IpAddr::V6(ip) => ip.octets(),
            };
            let addresses = [octets(from), octets(to)].concat();
            (addresses.clone(), header_v6(length, &addresses))
        }
    };
    // RFC 768: over a pseudo header of addresses, protocol and length.
    let mut summed = addresses;
    summed.extend([0, UDP]);
    summed.extend(length.to_be_bytes());
    summed.extend(&udp);
    let sum = match checksum(&summed) {
        0 => u16::MAX,
        sum => sum,
    };
    if let Some(place) = udp.get_mut(6..8) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
    packet.extend(udp);
    packet
}

/// RFC 791 section 3.1.
fn header_v4(udp_length: u16, addresses: &[u8]) -> Vec<u8> {
    let mut header = vec![0x45, 0];
    header.extend(udp_length.saturating_add(20).to_be_bytes());
    header.extend([0, 0, 0x40, 0, 64, UDP, 0, 0]);
    header.extend(addresses);
    let sum = checksum(&header).to_be_bytes();
    if let Some(place) = header.get_mut(10..12) {
        place.copy_from_slice(&sum);
    }
    header
}

/// RFC 8200 section 3.
fn header_v6(udp_length: u16, addresses: &[u8]) -> Vec<u8> {
    let mut header = vec![0x60, 0, 0, 0];
    header.extend(udp_length.to_be_bytes());
    header.extend([UDP, 64]);
    header.extend(addresses);
    header
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u64 = bytes
        .chunks(2)
        .map(|pair| {
            let high = pair.first().copied().unwrap_or(0);
            let low = pair.get(1).copied().unwrap_or(0);
            u64::from(u16::from_be_bytes([high, low]))
        })
        .sum();
    while sum > u64::from(u16::MAX) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_as_the_standards_say() {
        // The example of many textbooks for the checksum of an IPv4 header.
        let known = [
            0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0, 0, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0,
            0xc7,
        ];
        assert_eq!(checksum(&known), 0xb861);
        let from = "192.0.2.1:5060".parse().unwrap();
        let to = "192.0.2.2:5070".parse().unwrap();
        let packet_v4 = packet(from, to, b"abc");
        assert_eq!(packet_v4.len(), 20 + 8 + 3);
        assert_eq!(checksum(&packet_v4[..20]), 0);
        let to = "[2001:db8::2]:5070".parse().unwrap();
        let packet_v6 = packet(from, to, b"abc");
        assert_eq!((packet_v6[0], packet_v6.len()), (0x60, 40 + 8 + 3));
    }
}
