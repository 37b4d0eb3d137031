//! STUN messages (RFC 8489) as ICE and TURN use them, around `rtc::stun`: read and written with the
//! checks that their receivers owe.
//!
//! A message is read only when it is whole, its FINGERPRINT, where it has one, is the last attribute
//! and fits, and it has no more attributes than any real one. Transaction ids are arguments.

use std::net::{IpAddr, SocketAddr};

use rtc::crypto::providers::RingCrypto;
use rtc::stun::attributes::{
    ATTR_ERROR_CODE, ATTR_FINGERPRINT, ATTR_MAPPED_ADDRESS, ATTR_MESSAGE_INTEGRITY, AttrType,
};
use rtc::stun::fingerprint::{FINGERPRINT, fingerprint_value};
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{
    CLASS_ERROR_RESPONSE, CLASS_INDICATION, CLASS_REQUEST, CLASS_SUCCESS_RESPONSE, Message,
    MessageType, Method, Setter as _, TransactionId,
};
use rtc::stun::xoraddr::XorMappedAddress;

/// Octets of the header.
const HEADER: usize = 20;
/// Octets of a FINGERPRINT with its own header.
const FINGERPRINT_OCTETS: usize = 8;
/// Attributes of one message; TURN's richest has a dozen.
const MAX_ATTRIBUTES: usize = 32;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Request,
    Indication,
    Success,
    Error,
}

/// By what a response is known to be that of a request.
pub(super) type Id = [u8; 12];

/// A message that was read.
#[derive(Debug)]
pub(super) struct Stun {
    message: Message,
}

impl Stun {
    /// Reads a datagram. None where it is no sound message.
    pub(super) fn read(datagram: &[u8]) -> Option<Self> {
        let length = datagram.get(2..4)?;
        let length = usize::from(u16::from_be_bytes(length.try_into().ok()?));
        let aligned = length % 4 == 0 && datagram.len() == HEADER + length;
        let first = datagram.first().is_some_and(|first| *first < 4);
        if !aligned || !first || count_attributes(datagram.get(HEADER..)?)? > MAX_ATTRIBUTES {
            return None;
        }
        let mut message = Message {
            raw: datagram.to_vec(),
            ..Message::default()
        };
        message.decode().ok()?;
        let mut attributes = message.attributes.0.iter();
        let place = attributes.position(|attribute| attribute.typ == ATTR_FINGERPRINT);
        if let Some(place) = place {
            let (before, _) = datagram.split_at_checked(datagram.len() - FINGERPRINT_OCTETS)?;
            let told = message.get(ATTR_FINGERPRINT).ok()?;
            let fits = told == fingerprint_value(before).to_be_bytes();
            if !fits || place + 1 != message.attributes.0.len() {
                return None;
            }
        }
        Some(Self { message })
    }

    /// Its class.
    pub(super) fn class(&self) -> Class {
        match self.message.typ.class {
            CLASS_REQUEST => Class::Request,
            CLASS_INDICATION => Class::Indication,
            CLASS_SUCCESS_RESPONSE => Class::Success,
            _ => Class::Error,
        }
    }

    /// Its method.
    pub(super) fn method(&self) -> Method {
        self.message.typ.method
    }

    /// Its transaction.
    pub(super) fn id(&self) -> Id {
        self.message.transaction_id.0
    }

    /// The value of an attribute; of several the first, and none behind MESSAGE-INTEGRITY, where
    /// nothing is authentic (RFC 8489 section 14.5).
    pub(super) fn get(&self, attribute: AttrType) -> Option<&[u8]> {
        let mut attributes = self.message.attributes.0.iter();
        let found = attributes
            .find(|it| it.typ == attribute || it.typ == ATTR_MESSAGE_INTEGRITY)
            .filter(|it| it.typ == attribute)?;
        Some(&found.value)
    }

    /// The value of an attribute that is text.
    pub(super) fn text(&self, attribute: AttrType) -> Option<&str> {
        std::str::from_utf8(self.get(attribute)?).ok()
    }

    /// The value of an attribute of four octets.
    pub(super) fn number(&self, attribute: AttrType) -> Option<u32> {
        Some(u32::from_be_bytes(self.get(attribute)?.try_into().ok()?))
    }

    /// The value of an attribute of eight octets.
    pub(super) fn long_number(&self, attribute: AttrType) -> Option<u64> {
        Some(u64::from_be_bytes(self.get(attribute)?.try_into().ok()?))
    }

    /// The value of an attribute that is an address under the mask.
    pub(super) fn address(&self, attribute: AttrType) -> Option<SocketAddr> {
        self.get(attribute)?;
        let mut read = XorMappedAddress::default();
        read.get_from_as(&self.message, attribute).ok()?;
        let ip: IpAddr = read.ip;
        Some(SocketAddr::new(ip.to_canonical(), read.port)).filter(|it| it.port() != 0)
    }

    /// The number of an ERROR-CODE, 300 to 699.
    pub(super) fn error(&self) -> Option<u16> {
        let value = self.get(ATTR_ERROR_CODE)?;
        let (class, number) = (*value.get(2)? & 7, *value.get(3)?);
        let sound = (3..=6).contains(&class) && number < 100;
        sound.then(|| u16::from(class) * 100 + u16::from(number))
    }

    /// Whether its MESSAGE-INTEGRITY is by this key.
    pub(super) fn is_by(&mut self, key: &[u8]) -> bool {
        let has = self.message.get(ATTR_MESSAGE_INTEGRITY);
        has.is_ok_and(|value| value.len() == 20)
            && MessageIntegrity::check(&mut self.message, key, &RingCrypto).is_ok()
    }

    /// Attributes that must be understood and are not among these (RFC 8489 section 5).
    pub(super) fn asks_more_than(&self, known: &[AttrType]) -> bool {
        let attributes = self.message.attributes.0.iter();
        let mut must = attributes.filter(|it| it.typ.required() && it.typ != ATTR_MAPPED_ADDRESS);
        must.any(|it| it.typ != ATTR_MESSAGE_INTEGRITY && !known.contains(&it.typ))
    }
}

/// How many attributes there are; none when they do not fill the body.
fn count_attributes(mut body: &[u8]) -> Option<usize> {
    let mut count = 0;
    while !body.is_empty() {
        let length = body.get(2..4)?;
        let length = usize::from(u16::from_be_bytes(length.try_into().ok()?));
        body = body.get(4 + length.next_multiple_of(4)..)?;
        count += 1;
    }
    Some(count)
}

/// A message that is written.
pub(super) struct Writing {
    message: Message,
}

impl Writing {
    /// Begins one.
    pub(super) fn new(class: Class, method: Method, id: Id) -> Self {
        let mut message = Message::new();
        message.transaction_id = TransactionId(id);
        message.set_type(MessageType::new(
            method,
            match class {
                Class::Request => CLASS_REQUEST,
                Class::Indication => CLASS_INDICATION,
                Class::Success => CLASS_SUCCESS_RESPONSE,
                Class::Error => CLASS_ERROR_RESPONSE,
            },
        ));
        message.write_header();
        Self { message }
    }

    /// Adds an attribute.
    pub(super) fn add(mut self, attribute: AttrType, value: &[u8]) -> Self {
        self.message.add(attribute, value);
        self
    }

    /// Adds an address under the mask.
    pub(super) fn address(mut self, attribute: AttrType, address: SocketAddr) -> Self {
        let masked = XorMappedAddress {
            ip: address.ip(),
            port: address.port(),
        };
        // An address always fits.
        if let Err(error) = masked.add_to_as(&mut self.message, attribute) {
            tracing::debug!(%error, "an address was not written");
        }
        self
    }

    /// Adds an ERROR-CODE.
    pub(super) fn error(self, code: u16) -> Self {
        let class = u8::try_from(code / 100).unwrap_or(0);
        let number = u8::try_from(code % 100).unwrap_or(0);
        self.add(ATTR_ERROR_CODE, &[0, 0, class, number])
    }

    /// Authenticates what was written by this key.
    pub(super) fn by(mut self, key: &[u8]) -> Self {
        let integrity = MessageIntegrity::new_raw_integrity_with_provider(key, &RingCrypto);
        // A message that lacks it is refused by who receives it.
        if let Err(error) = integrity.add_to(&mut self.message) {
            tracing::debug!(%error, "a STUN message was not authenticated");
        }
        self
    }

    /// The octets.
    pub(super) fn finish(self) -> Vec<u8> {
        self.message.raw
    }

    /// The octets with a FINGERPRINT, by which others tell them from media.
    pub(super) fn finish_with_fingerprint(mut self) -> Vec<u8> {
        if let Err(error) = FINGERPRINT.add_to(&mut self.message) {
            tracing::debug!(%error, "a STUN message has no fingerprint");
        }
        self.message.raw
    }
}

#[cfg(test)]
mod tests {
    use rtc::stun::attributes::{ATTR_USERNAME, ATTR_XORMAPPED_ADDRESS};
    use rtc::stun::message::METHOD_BINDING;

    use super::*;

    /// RFC 5769 section 2.1.
    const SAMPLE: &str = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";
    const PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";

    fn sample() -> Vec<u8> {
        data_encoding::HEXLOWER.decode(SAMPLE.as_bytes()).unwrap()
    }

    #[test]
    fn the_request_of_rfc_5769_is_read_and_authentic() {
        let mut read = Stun::read(&sample()).unwrap();
        assert_eq!(
            (read.class(), read.method()),
            (Class::Request, METHOD_BINDING)
        );
        assert_eq!(read.text(ATTR_USERNAME), Some("evtj:h6vY"));
        assert!(read.is_by(PASSWORD));
        assert!(!read.is_by(b"VOkJxbRl1RmTxUk/WvJxBu"));
    }

    #[test]
    fn a_message_that_was_changed_anywhere_is_not_believed() {
        let whole = sample();
        // What stands behind the integrity is not read, and the last attribute is only a checksum.
        for place in 0..whole.len() - FINGERPRINT_OCTETS {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            let believed = Stun::read(&changed).is_some_and(|mut read| read.is_by(PASSWORD));
            assert!(!believed, "octet {place}");
            assert!(Stun::read(&whole[..place]).is_none(), "cut at {place}");
        }
        let mut longer = whole;
        longer.extend([0; 4]);
        assert!(Stun::read(&longer).is_none());
    }

    #[test]
    fn what_stands_behind_the_integrity_is_not_read() {
        let [v4, v6] = ["192.0.2.1:3478", "[2001:db8::7]:9"].map(|it| it.parse().unwrap());
        for address in [v4, v6] {
            let bytes = Writing::new(Class::Success, METHOD_BINDING, [7; 12])
                .address(ATTR_XORMAPPED_ADDRESS, address)
                .by(b"key")
                .add(ATTR_USERNAME, b"slipped in")
                .finish_with_fingerprint();
            let mut read = Stun::read(&bytes).unwrap();
            assert!(read.is_by(b"key"));
            assert_eq!(read.address(ATTR_XORMAPPED_ADDRESS), Some(address));
            assert_eq!(read.text(ATTR_USERNAME), None);
        }
    }

    #[test]
    fn errors_and_unknown_attributes_are_told() {
        let bytes = Writing::new(Class::Error, METHOD_BINDING, [1; 12])
            .error(487)
            .add(AttrType(0x0019), &[17, 0, 0, 0])
            .finish();
        let read = Stun::read(&bytes).unwrap();
        assert_eq!((read.class(), read.error()), (Class::Error, Some(487)));
        assert!(read.asks_more_than(&[ATTR_ERROR_CODE]));
        assert!(!read.asks_more_than(&[ATTR_ERROR_CODE, AttrType(0x0019)]));
        let many = (0..33).fold(
            Writing::new(Class::Request, METHOD_BINDING, [1; 12]),
            |it, _| it.add(ATTR_USERNAME, b""),
        );
        assert!(Stun::read(&many.finish()).is_none());
    }
}
