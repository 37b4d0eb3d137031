//! The lines of a vCard: folded ones joined, each taken apart into group, name, parameters, value.
//!
//! RFC 6350 sections 3.2 and 3.3, RFC 2426, and vCard 2.1 of the Versit Consortium (1996). Lines are
//! joined as octets, because a fold may split a character.

use std::borrow::Cow;

use crate::crm::import::encoding::Encoding;

/// A longer line, in octets, is no text about a person. Pictures, sounds and keys may be longer; they
/// are skipped.
const LINE_LIMIT: usize = 64 << 10;

/// More parameters are in no real card.
const PARAMETERS: usize = 64;

/// What is long, holds no text and is skipped.
const BINARY: [&str; 5] = ["PHOTO", "LOGO", "SOUND", "KEY", "X-MS-CARDPICTURE"];

/// One line of a card.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ContentLine {
    /// The line of the file in which it begins, from 1.
    pub(super) line: u64,
    /// What ties it to other lines, such as `item1`.
    pub(super) group: Option<String>,
    /// Its name in upper case.
    pub(super) name: String,
    /// Names in upper case and values; those without a name, as in vCard 2.1, are types or encodings.
    pub(super) parameters: Vec<(String, String)>,
    /// The value with its escapes; empty when it is skipped.
    pub(super) value: String,
}

impl ContentLine {
    /// The values of a parameter; a list is taken apart.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.parameters
            .iter()
            .filter(move |(key, _)| key == name)
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
    }

    /// Whether a parameter has a value.
    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        self.values(name)
            .any(|found| found.eq_ignore_ascii_case(value))
    }
}

/// Why a line is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LineFault {
    pub(super) line: u64,
    pub(super) what: String,
}

/// Takes a file apart, line by line.
pub(super) struct ContentLines<'a> {
    rest: &'a [u8],
    /// How many lines of the file were read.
    read: u64,
    /// vCard 2.1 keeps the blank that a folded line begins with.
    pub(super) keeps_blanks: bool,
    /// Whether the line before was binary: what follows without a colon is more of it.
    binary: bool,
}

impl<'a> ContentLines<'a> {
    pub(super) fn new(file: &'a [u8]) -> Self {
        Self {
            rest: file,
            read: 0,
            keeps_blanks: false,
            binary: false,
        }
    }

    /// One line of the file.
    fn physical(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.read += 1;
        let end = self
            .rest
            .iter()
            .position(|byte| matches!(byte, b'\n' | b'\r'));
        let (line, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = match rest {
            [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
            [] => &[],
        };
        Some(line)
    }

    /// A line with all that is folded into it; none at the end.
    fn logical(&mut self) -> Option<(u64, Joined<'a>)> {
        let first = loop {
            let line = self.physical()?;
            if !line.iter().all(u8::is_ascii_whitespace) {
                break line;
            }
        };
        let number = self.read;
        let head = head(first);
        let name = name_of(head);
        let binary = BINARY
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
        let mut joined = Joined {
            bytes: Cow::Borrowed(&[]),
            binary,
            too_long: false,
        };
        joined.add(first);
        let quoted_printable = head
            .windows(16)
            .any(|word| word.eq_ignore_ascii_case(b"QUOTED-PRINTABLE"));
        loop {
            let soft = quoted_printable && joined.bytes.last() == Some(&b'=');
            match self.rest {
                // A value that ends with = by mistake must not swallow the end of the card.
                _ if soft && !begins_with(self.rest, b"END:") && !self.rest.is_empty() => {
                    joined.bytes.to_mut().pop();
                    let line = self.physical()?;
                    joined.add(line);
                }
                [b' ' | b'\t', ..] => {
                    let line = self.physical()?;
                    let skipped = usize::from(!self.keeps_blanks || binary);
                    joined.add(line.get(skipped..).unwrap_or_default());
                }
                _ => return Some((number, joined)),
            }
        }
    }
}

impl Iterator for ContentLines<'_> {
    type Item = Result<ContentLine, LineFault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (line, joined) = self.logical()?;
            if joined.too_long {
                self.binary = false;
                let what = format!("the line is longer than {LINE_LIMIT} octets");
                return Some(Err(LineFault { line, what }));
            }
            let mut read = match taken_apart(&joined.bytes) {
                // Base64 that was broken into lines without a fold.
                Err(_) if self.binary && joined.bytes.iter().all(is_base64) => continue,
                Err(what) => return Some(Err(LineFault { line, what })),
                Ok(read) => read,
            };
            read.line = line;
            self.binary = joined.binary;
            if joined.binary {
                read.value.clear();
            }
            return Some(Ok(read));
        }
    }
}

/// A line as it grows; one that nothing is folded into stays where it is in the file.
struct Joined<'a> {
    bytes: Cow<'a, [u8]>,
    binary: bool,
    too_long: bool,
}

impl<'a> Joined<'a> {
    fn add(&mut self, bytes: &'a [u8]) {
        let room = LINE_LIMIT.saturating_sub(self.bytes.len());
        let fits = match bytes.split_at_checked(room) {
            Some((fits, _)) => {
                self.too_long |= !self.binary;
                fits
            }
            None => bytes,
        };
        if self.bytes.is_empty() {
            self.bytes = Cow::Borrowed(fits);
        } else {
            self.bytes.to_mut().extend_from_slice(fits);
        }
    }
}

fn begins_with(bytes: &[u8], word: &[u8]) -> bool {
    bytes
        .get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b' ' | b'\t')
}

/// What stands before the colon; a colon between quotes is none.
fn head(line: &[u8]) -> &[u8] {
    let mut quoted = false;
    let end = line.iter().position(|byte| {
        quoted ^= *byte == b'"';
        *byte == b':' && !quoted
    });
    line.get(..end.unwrap_or(line.len())).unwrap_or_default()
}

/// The name of a line that begins so, without the group before it.
fn name_of(head: &[u8]) -> &[u8] {
    let named = head.split(|byte| *byte == b';').next().unwrap_or_default();
    named
        .rsplit(|byte| *byte == b'.')
        .next()
        .unwrap_or_default()
}

fn taken_apart(line: &[u8]) -> Result<ContentLine, String> {
    let head = head(line);
    let Some(value) = line.get(head.len() + 1..) else {
        return Err("the line has no colon".to_owned());
    };
    let head = match std::str::from_utf8(head) {
        Ok(head) => head.into(),
        Err(_) => Encoding::Windows1252.decode(head),
    };
    let mut parts = unquoted(&head, ';');
    let named = parts.next().unwrap_or_default();
    let (group, name) = match named.rsplit_once('.') {
        Some((group, name)) => (Some(group.trim().to_owned()), name),
        None => (None, named),
    };
    let name = name.trim().to_ascii_uppercase();
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if !is_name(&name) {
        return Err("the line does not begin with the name of a property".to_owned());
    }
    let mut read = ContentLine {
        group,
        name,
        ..ContentLine::default()
    };
    for parameter in parts.take(PARAMETERS) {
        let (key, value) = match parameter.split_once('=') {
            Some((key, value)) => (key.trim().to_ascii_uppercase(), without_carets(value)),
            None => bare(parameter.trim()),
        };
        read.parameters.push((key, value));
    }
    read.value = decoded(&read, value)?;
    Ok(read)
}

/// A parameter without a name, as vCard 2.1 has them.
fn bare(word: &str) -> (String, String) {
    let key = match word.to_ascii_uppercase().as_str() {
        "QUOTED-PRINTABLE" | "BASE64" | "8BIT" | "7BIT" => "ENCODING",
        "INLINE" | "URL" | "CONTENT-ID" => "VALUE",
        _ => "TYPE",
    };
    (key.to_owned(), word.to_owned())
}

/// Takes a text apart at a character that does not stand between quotes.
fn unquoted(text: &str, at: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |character| {
        quoted ^= character == '"';
        character == at && !quoted
    })
}

/// A parameter's value without its quotes and the escapes of RFC 6868.
fn without_carets(value: &str) -> String {
    let mut read = String::with_capacity(value.len());
    let mut rest = value
        .chars()
        .filter(|character| *character != '"')
        .peekable();
    while let Some(character) = rest.next() {
        let escaped = match (character, rest.peek()) {
            ('^', Some('n')) => Some('\n'),
            ('^', Some('^')) => Some('^'),
            ('^', Some('\'')) => Some('"'),
            _ => None,
        };
        if escaped.is_some() {
            rest.next();
        }
        read.push(escaped.unwrap_or(character));
    }
    read
}

fn decoded(line: &ContentLine, value: &[u8]) -> Result<String, String> {
    let unpacked;
    let value = if line.has("ENCODING", "QUOTED-PRINTABLE") {
        unpacked = quoted_printable(value);
        unpacked.as_slice()
    } else {
        value
    };
    let Some(name) = line.values("CHARSET").next() else {
        return Ok(match std::str::from_utf8(value) {
            Ok(text) => text.to_owned(),
            Err(_) => Encoding::Windows1252.decode(value).into_owned(),
        });
    };
    match (Encoding::named(name), std::str::from_utf8(value)) {
        (Some(Encoding::Utf8) | None, Ok(text)) => Ok(text.to_owned()),
        // Some phones name UTF-8 and write what their maker's country writes.
        (Some(Encoding::Utf8), Err(_)) => Ok(Encoding::Windows1252.decode(value).into_owned()),
        (Some(encoding), _) => Ok(encoding.decode(value).into_owned()),
        (None, Err(_)) => Err(format!(
            "the character set {name} is not known; save the cards as UTF-8"
        )),
    }
}

/// Decodes quoted-printable (RFC 2045 section 6.7); what is no escape stays as it is.
fn quoted_printable(value: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [byte, after @ ..] = rest {
        if let (b'=', [high, low, after @ ..]) = (byte, after)
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            decoded.push(high << 4 | low);
            rest = after;
        } else {
            decoded.push(*byte);
            rest = after;
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(file: &[u8]) -> Vec<Result<ContentLine, LineFault>> {
        ContentLines::new(file).collect()
    }

    fn values(file: &[u8]) -> Vec<(u64, String, String)> {
        lines(file)
            .into_iter()
            .map(|line| line.unwrap())
            .map(|line| (line.line, line.name, line.value))
            .collect()
    }

    #[test]
    fn folded_lines_are_joined_and_keep_their_number() {
        let file = "FN:Anna\r\n  Mu\r\n\tster\r\n\r\nNOTE:x\nTEL:1\rTITLE:\r\n";
        assert_eq!(
            values(file.as_bytes()),
            [
                (1, "FN".to_owned(), "Anna Muster".to_owned()),
                (5, "NOTE".to_owned(), "x".to_owned()),
                (6, "TEL".to_owned(), "1".to_owned()),
                (7, "TITLE".to_owned(), String::new()),
            ]
        );
        // A fold within a character.
        let split = b"FN:M\xc3\r\n \xbcller\r\n";
        assert_eq!(values(split)[0].2, "Müller");
        let mut kept = ContentLines::new(b"NOTE:one\r\n two");
        kept.keeps_blanks = true;
        assert_eq!(kept.next().unwrap().unwrap().value, "one two");
    }

    #[test]
    fn groups_parameters_and_quotes_are_taken_apart() {
        let file = b"item1.TEL;type=\"work,voice\";TYPE=pref;X-A=a^nb^^c^'d;CELL:tel:+49;ext=1\n";
        let read = lines(file).remove(0).unwrap();
        assert_eq!(read.group.as_deref(), Some("item1"));
        assert_eq!(read.name, "TEL");
        let types: Vec<&str> = read.values("TYPE").collect();
        assert_eq!(types, ["work", "voice", "pref", "CELL"]);
        assert_eq!(read.values("X-A").next(), Some("a\nb^c\"d"));
        assert_eq!(read.value, "tel:+49;ext=1");
        let quoted = lines(b"ADR;LABEL=\"a: b; c\":;;Street\n")
            .remove(0)
            .unwrap();
        assert_eq!(quoted.value, ";;Street");
    }

    #[test]
    fn quoted_printable_goes_over_lines_and_knows_its_character_set() {
        let file = b"N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BC=\r\nller;=41nna\r\n\
            FN;QUOTED-PRINTABLE;CHARSET=ISO-8859-1:M=FCller =zz\r\n\
            NOTE;ENCODING=QUOTED-PRINTABLE:ends with=\r\nEND:VCARD\r\n";
        let read: Vec<String> = values(file)
            .into_iter()
            .map(|(_, _, value)| value)
            .collect();
        assert_eq!(read, ["Müller;Anna", "Müller =zz", "ends with=", "VCARD"]);
        let unknown = lines(b"FN;CHARSET=SHIFT_JIS:\x83\x41\r\nFN;CHARSET=SHIFT_JIS:Anna\r\n");
        assert_eq!(
            unknown[0].as_ref().unwrap_err().what,
            "the character set SHIFT_JIS is not known; save the cards as UTF-8"
        );
        assert_eq!(unknown[1].as_ref().unwrap().value, "Anna");
    }

    #[test]
    fn pictures_are_skipped_however_they_are_broken_into_lines() {
        let mut file = b"PHOTO;ENCODING=b:".to_vec();
        file.extend(std::iter::repeat_n(b'A', 200_000));
        file.extend_from_slice(b"\r\n AAAA\r\nBBBB\r\nCCCC==\r\n\r\nTEL:1\r\n");
        assert_eq!(
            values(&file),
            [
                (1, "PHOTO".to_owned(), String::new()),
                (6, "TEL".to_owned(), "1".to_owned())
            ]
        );
    }

    #[test]
    fn faults_name_their_line() {
        let mut file = b"FN:Anna\nno property\n b\nNOTE:".to_vec();
        file.extend(std::iter::repeat_n(b'A', 70_000));
        file.extend_from_slice(b"\n;X:1\nTEL:1\n");
        let read = lines(&file);
        let faults: Vec<(u64, &str)> = read
            .iter()
            .filter_map(|line| line.as_ref().err())
            .map(|fault| (fault.line, fault.what.as_str()))
            .collect();
        assert_eq!(
            faults,
            [
                (2, "the line has no colon"),
                (4, "the line is longer than 65536 octets"),
                (5, "the line does not begin with the name of a property"),
            ]
        );
        assert_eq!(read.len(), 5);
    }
}
