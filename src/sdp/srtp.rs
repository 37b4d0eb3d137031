//! SRTP keys and the suites that they are for, as session descriptions carry them (SDES, RFC 4568).

use std::fmt;

use data_encoding::{BASE64, BASE64_NOPAD};
use sha2::{Digest as _, Sha256};

use crate::base::redact::Secret;

/// A crypto suite: how packets are encrypted and authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SrtpSuite {
    /// AES-256 in Galois/Counter mode (RFC 7714).
    AeadAes256Gcm,
    /// AES-128 in Galois/Counter mode (RFC 7714).
    AeadAes128Gcm,
    /// AES-256 in counter mode, authenticated by 80 bits (RFC 6188).
    Aes256CmHmacSha1_80,
    /// AES-128 in counter mode, authenticated by 80 bits (RFC 4568): what every device speaks.
    Aes128CmHmacSha1_80,
    /// The same by 32 bits for RTP, and by 80 for RTCP.
    Aes128CmHmacSha1_32,
}

impl SrtpSuite {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 5] = [
        Self::AeadAes256Gcm,
        Self::AeadAes128Gcm,
        Self::Aes256CmHmacSha1_80,
        Self::Aes128CmHmacSha1_80,
        Self::Aes128CmHmacSha1_32,
    ];

    /// The name in `a=crypto` (RFC 4568 section 6.2, RFC 6188 section 4, RFC 7714 section 14.2).
    pub fn name(self) -> &'static str {
        match self {
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::Aes256CmHmacSha1_80 => "AES_256_CM_HMAC_SHA1_80",
            Self::Aes128CmHmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::Aes128CmHmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    /// Reads the name, whatever its case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|suite| suite.name().eq_ignore_ascii_case(name))
    }

    /// The octets of the master key.
    pub fn key_length(self) -> usize {
        match self {
            Self::AeadAes256Gcm | Self::Aes256CmHmacSha1_80 => 32,
            Self::AeadAes128Gcm | Self::Aes128CmHmacSha1_80 | Self::Aes128CmHmacSha1_32 => 16,
        }
    }

    /// The octets of the master salt.
    pub fn salt_length(self) -> usize {
        match self {
            Self::AeadAes256Gcm | Self::AeadAes128Gcm => 12,
            Self::Aes256CmHmacSha1_80 | Self::Aes128CmHmacSha1_80 | Self::Aes128CmHmacSha1_32 => 14,
        }
    }
}

impl fmt::Display for SrtpSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A master key with its salt. It shows itself only where it is written into a description.
#[derive(Clone)]
pub struct SrtpKey {
    suite: SrtpSuite,
    /// Key and salt, in Base64.
    inline: Secret,
    /// How many octets of a master key identifier each packet has before its tag (RFC 3711 section
    /// 3.1), and what they say.
    mki: Option<Mki>,
}

/// A master key identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mki {
    /// The number that names the key.
    pub value: u32,
    /// The octets that it takes in a packet, 1 to 128.
    pub length: u8,
}

impl SrtpKey {
    /// A key that both sides computed; none when key and salt have not the lengths of the suite.
    pub fn new(suite: SrtpSuite, key: &[u8], salt: &[u8]) -> Option<Self> {
        let fits = (key.len(), salt.len()) == (suite.key_length(), suite.salt_length());
        fits.then(|| Self {
            suite,
            inline: Secret::new(BASE64.encode(&[key, salt].concat())),
            mki: None,
        })
    }

    /// A key that has not the length of its suite, which no description and no handshake gives.
    #[cfg(test)]
    pub(crate) fn cut(suite: SrtpSuite) -> Self {
        Self {
            suite,
            inline: Secret::new(BASE64.encode(&[0; 3])),
            mki: None,
        }
    }

    /// For what it is.
    pub fn suite(&self) -> SrtpSuite {
        self.suite
    }

    /// The identifier that packets name it by.
    pub fn mki(&self) -> Option<Mki> {
        self.mki
    }

    /// Key and salt.
    pub fn expose(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut key = decoded(self.inline.expose())?;
        let fits = key.len() == self.suite.key_length() + self.suite.salt_length();
        let salt = fits.then(|| key.split_off(self.suite.key_length()))?;
        Some((key, salt))
    }
}

impl PartialEq for SrtpKey {
    fn eq(&self, other: &Self) -> bool {
        (self.suite, self.mki, self.inline.expose())
            == (other.suite, other.mki, other.inline.expose())
    }
}

impl Eq for SrtpKey {}

impl fmt::Debug for SrtpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SrtpKey({}, ..)", self.suite)
    }
}

/// Random octets of which a call draws its keys, each once.
#[derive(Clone)]
pub struct SrtpSeed {
    seed: Secret,
    drawn: u32,
}

impl SrtpSeed {
    /// Takes random octets into custody.
    pub fn new(random: [u8; 32]) -> Self {
        Self {
            seed: Secret::new(BASE64_NOPAD.encode(&random)),
            drawn: 0,
        }
    }

    /// The next key. No two are the same, so that none is ever used for two streams (RFC 3711 section
    /// 9.1).
    pub fn draw(&mut self, suite: SrtpSuite) -> SrtpKey {
        self.drawn = self.drawn.wrapping_add(1);
        let mut octets = Vec::with_capacity(64);
        for part in 0..2_u8 {
            let mut hash = Sha256::new();
            hash.update(self.seed.expose());
            hash.update(self.drawn.to_be_bytes());
            hash.update([part]);
            octets.extend_from_slice(&hash.finalize());
        }
        octets.truncate(suite.key_length() + suite.salt_length());
        SrtpKey {
            suite,
            inline: Secret::new(BASE64.encode(&octets)),
            mki: None,
        }
    }

    /// Another seed, of which other keys are drawn: for who must not know those of this one.
    pub fn split(&mut self) -> Self {
        self.drawn = self.drawn.wrapping_add(1);
        let mut hash = Sha256::new();
        hash.update(b"split");
        hash.update(self.seed.expose());
        hash.update(self.drawn.to_be_bytes());
        Self::new(hash.finalize().into())
    }
}

impl fmt::Debug for SrtpSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SrtpSeed(.., {} drawn)", self.drawn)
    }
}

impl PartialEq for SrtpSeed {
    fn eq(&self, other: &Self) -> bool {
        (self.drawn, self.seed.expose()) == (other.drawn, other.seed.expose())
    }
}

impl Eq for SrtpSeed {}

/// One `a=crypto` line (RFC 4568 section 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CryptoAttribute {
    /// Its number: an answer repeats that of the line that it takes.
    pub tag: u32,
    /// The key by which its writer sends.
    pub key: SrtpKey,
}

impl CryptoAttribute {
    /// Reads the value of the attribute. None where the suite is unknown, the key has not its length,
    /// or a session parameter asks for less protection or for another derivation of keys than the
    /// usual (RFC 4568 section 6.3).
    pub fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next()?;
        let tag = Some(tag)
            .filter(|tag| tag.len() <= 9 && tag.bytes().all(|b| b.is_ascii_digit()))?
            .parse()
            .ok()?;
        let suite = SrtpSuite::parse(words.next()?)?;
        let key = read_key(suite, words.next()?)?;
        let harmless = |parameter: &str| {
            let upper = parameter.to_ascii_uppercase();
            // A hint for the size of the replay window, and what a receiver may ignore.
            upper.starts_with("WSH=") || upper.starts_with('-')
        };
        words.all(harmless).then_some(Self { tag, key })
    }
}

impl fmt::Display for CryptoAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tag, key } = self;
        write!(f, "{tag} {} inline:{}", key.suite, key.inline.expose())?;
        if let Some(Mki { value, length }) = key.mki {
            write!(f, "|{value}:{length}")?;
        }
        Ok(())
    }
}

/// Reads `inline:KEY|LIFETIME|MKI:LENGTH`; of several keys the first, by which packets begin.
fn read_key(suite: SrtpSuite, parameters: &str) -> Option<SrtpKey> {
    let first = parameters.split(';').next()?;
    let (method, rest) = first.split_once(':')?;
    if !method.eq_ignore_ascii_case("inline") {
        return None;
    }
    let mut parts = rest.split('|');
    let inline = parts.next()?;
    let length = decoded(inline)?.len();
    if length != suite.key_length() + suite.salt_length() {
        return None;
    }
    let mut mki = None;
    for part in parts {
        // A lifetime is longer than any call: 2^31 packets at least, unless somebody means harm.
        if let Some((value, length)) = part.split_once(':') {
            let length = length
                .parse()
                .ok()
                .filter(|length| (1..=128).contains(length));
            mki = Some(Mki {
                value: value.parse().ok()?,
                length: length?,
            });
        }
    }
    Some(SrtpKey {
        suite,
        inline: Secret::new(inline),
        mki,
    })
}

/// Some leave the padding out.
fn decoded(inline: &str) -> Option<Vec<u8>> {
    let bare = inline.trim_end_matches('=').as_bytes();
    BASE64_NOPAD.decode(bare).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4568 section 9.1.
    const LINE: &str = "1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4 -FEC_ORDER=FEC_SRTP";

    #[test]
    fn the_lines_of_the_rfc_are_read() {
        let read = CryptoAttribute::parse(LINE).unwrap();
        assert_eq!(read.tag, 1);
        assert_eq!(read.key.suite(), SrtpSuite::Aes128CmHmacSha1_80);
        let (value, length) = (1, 4);
        assert_eq!(read.key.mki(), Some(Mki { value, length }));
        let (key, salt) = read.key.expose().unwrap();
        assert_eq!((key.len(), salt.len()), (16, 14));
        assert_eq!(&key[..6], b"YS___s");
        let again = CryptoAttribute::parse(&read.to_string()).unwrap();
        assert_eq!(again, read);
    }

    #[test]
    fn what_weakens_or_cannot_be_done_is_not_taken() {
        for (wrong, why) in [
            (LINE.replace("AES_CM_128", "F8_128"), "suite"),
            (LINE.replace("inline:", "uri:"), "method"),
            (LINE.replace("WVNf", ""), "short key"),
            (LINE.replace("WVNf", "%%%%"), "no Base64"),
            (LINE.replace("1:4", "1:129"), "long identifier"),
            (LINE.replace("1:4", "x:4"), "identifier"),
            (
                LINE.replace("-FEC_ORDER=FEC_SRTP", "UNENCRYPTED_SRTP"),
                "clear",
            ),
            (
                LINE.replace("-FEC_ORDER=FEC_SRTP", "UNAUTHENTICATED_SRTP"),
                "open",
            ),
            (LINE.replace("-FEC_ORDER=FEC_SRTP", "KDR=5"), "derivation"),
            (LINE.replacen('1', "1234567890", 1), "tag"),
            (String::new(), "nothing"),
        ] {
            assert_eq!(CryptoAttribute::parse(&wrong), None, "{why}");
        }
        assert!(CryptoAttribute::parse(&LINE.replace("-FEC_ORDER=FEC_SRTP", "WSH=64")).is_some());
    }

    #[test]
    fn keys_are_drawn_once_fit_their_suites_and_do_not_show_themselves() {
        let mut seed = SrtpSeed::new([7; 32]);
        let mut seen = Vec::new();
        for suite in SrtpSuite::ALL.into_iter().chain(SrtpSuite::ALL) {
            let key = seed.draw(suite);
            let (bytes, salt) = key.expose().unwrap();
            assert_eq!(
                (bytes.len(), salt.len()),
                (suite.key_length(), suite.salt_length())
            );
            assert!(!seen.contains(&bytes));
            seen.push(bytes);
            let line = CryptoAttribute { tag: 1, key };
            let shown = format!("{line:?} {seed:?}");
            let inline = line.to_string();
            let inline = inline.rsplit(':').next().unwrap();
            assert!(!shown.contains(inline), "{shown}");
            assert_eq!(CryptoAttribute::parse(&line.to_string()), Some(line));
            assert_eq!(SrtpSuite::parse(&suite.name().to_lowercase()), Some(suite));
        }
        assert_eq!(
            SrtpSeed::new([7; 32])
                .draw(SrtpSuite::ALL[0])
                .expose()
                .unwrap()
                .0,
            seen[0]
        );
        assert_ne!(
            SrtpSeed::new([8; 32])
                .draw(SrtpSuite::ALL[0])
                .expose()
                .unwrap()
                .0,
            seen[0]
        );
    }
}
