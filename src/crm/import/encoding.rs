//! Which characters a file's octets mean: by its mark, else by what it holds.

use std::borrow::Cow;

/// So many octets decide whether a file without a mark is UTF-16.
const LOOKED_AT: usize = 1024;

/// What Windows-1252 has in place of the control characters from 0x80 on; the others are as in
/// ISO 8859-1 (<https://encoding.spec.whatwg.org/#windows-1252>).
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// An encoding that files of contacts come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    Windows1252,
}

impl Encoding {
    /// Finds the encoding of a file, and its octets without their mark.
    pub(super) fn of(bytes: &[u8]) -> (Self, &[u8]) {
        if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
            return (Self::Utf8, rest);
        }
        if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
            return (Self::Utf16Le, rest);
        }
        if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
            return (Self::Utf16Be, rest);
        }
        let looked_at = bytes.get(..LOOKED_AT).unwrap_or(bytes);
        let pairs = looked_at.as_chunks::<2>().0;
        let zeros = |place: usize| {
            let zero = |pair: &&[u8; 2]| pair.get(place) == Some(&0);
            pairs.iter().filter(zero).count()
        };
        // Latin letters have a zero in every other octet.
        let many = pairs.len() / 4 + 1;
        if zeros(1) >= many && zeros(0) < many {
            (Self::Utf16Le, bytes)
        } else if zeros(0) >= many && zeros(1) < many {
            (Self::Utf16Be, bytes)
        } else if std::str::from_utf8(bytes).is_ok() {
            (Self::Utf8, bytes)
        } else {
            (Self::Windows1252, bytes)
        }
    }

    /// The encoding that a vCard names, as far as it is one of these (RFC 2425 section 5.8.1).
    pub(super) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" | "us-ascii" | "ascii" => Some(Self::Utf8),
            "iso-8859-1" | "iso8859-1" | "latin1" | "windows-1252" | "cp1252" => {
                Some(Self::Windows1252)
            }
            _ => None,
        }
    }

    /// Its name for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le | Self::Utf16Be => "UTF-16",
            Self::Windows1252 => "Windows-1252",
        }
    }

    /// Reads octets; what means nothing becomes U+FFFD.
    pub(super) fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes),
            Self::Utf16Le => utf_16(bytes, u16::from_le_bytes).into(),
            Self::Utf16Be => utf_16(bytes, u16::from_be_bytes).into(),
            Self::Windows1252 => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
        }
    }
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let mut text: String = char::decode_utf16(units)
        .map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    if !odd.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    text
}

fn windows_1252(byte: u8) -> char {
    let place = byte.checked_sub(0x80).map(usize::from);
    place
        .and_then(|place| WINDOWS_1252.get(place))
        .copied()
        .unwrap_or_else(|| char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_is_found_with_and_without_its_mark() {
        let text = "Name;Telefon\r\nMüller & Söhne €;030\r\n";
        let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf_16_be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let with = |mark: &[u8], rest: &[u8]| [mark, rest].concat();
        let windows = b"Name;Telefon\r\nM\xfcller & S\xf6hne \x80;030\r\n".to_vec();
        for (bytes, encoding) in [
            (text.as_bytes().to_vec(), Encoding::Utf8),
            (with(b"\xef\xbb\xbf", text.as_bytes()), Encoding::Utf8),
            (with(b"\xff\xfe", &utf_16), Encoding::Utf16Le),
            (with(b"\xfe\xff", &utf_16_be), Encoding::Utf16Be),
            (utf_16, Encoding::Utf16Le),
            (utf_16_be, Encoding::Utf16Be),
            (windows, Encoding::Windows1252),
        ] {
            let (found, rest) = Encoding::of(&bytes);
            assert_eq!(found, encoding);
            assert_eq!(found.decode(rest), text);
        }
    }

    #[test]
    fn what_means_nothing_is_seen() {
        let lone: Vec<u8> = [0xd800_u16, 0x41]
            .into_iter()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(Encoding::Utf16Le.decode(&lone), "\u{fffd}A");
        assert_eq!(Encoding::Utf16Le.decode(b"A\0B"), "A\u{fffd}");
        assert_eq!(Encoding::Utf8.decode(b"\xef\xbb"), "\u{fffd}");
        assert_eq!(Encoding::of(b"").0, Encoding::Utf8);
        assert_eq!(Encoding::of(b"A").0, Encoding::Utf8);
    }
}
