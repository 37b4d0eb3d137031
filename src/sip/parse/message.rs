//! From the octets of one message to a [`Message`] (RFC 3261 sections 7 and 18.3).

use std::borrow::Cow;

use super::scan::{self, Malformed};
use super::{address, contact, cseq, via};
use crate::base::uri::Uri;
use crate::sip::message::{Headers, Message, Method, StartLine};

/// How many header fields a message may have, list elements counted.
const MAX_HEADERS: usize = 256;

/// What is left of a message that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// A request that can be refused: the status, and what could be read of it.
    Answer {
        /// 400 or 505.
        code: u16,
        /// What is wrong, for the reason phrase.
        phrase: &'static str,
        /// The request's skeleton, good for [`Message::response`] only.
        request: Box<Message>,
    },
    /// Nothing that an answer could be sent to.
    Discard(&'static str),
}

/// The head of a message whose end is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// Its length in octets, the empty line included.
    pub len: usize,
    /// Content-Length, where it is given.
    pub content_length: Result<Option<usize>, Malformed>,
}

/// Finds the end of the head; `from` says how far was searched before, and learns it.
pub(crate) fn scan_head(bytes: &[u8], from: &mut usize) -> Option<Head> {
    let len = head_len(bytes, *from);
    // The empty line may have begun up to two octets before the end.
    *from = bytes.len().saturating_sub(2);
    let len = len?;
    let fields = Fields::read(bytes.get(..len).unwrap_or_default());
    Some(Head {
        len,
        content_length: fields.content_length(),
    })
}

/// Reads one message: a datagram, or what was framed on a stream. Octets beyond Content-Length
/// are left out; without Content-Length the body ends with the octets.
///
/// # Errors
///
/// Fails when it is not well-formed; a request may still be answered.
pub fn message(bytes: &[u8]) -> Result<Message, Unreadable> {
    let message = message_in_transit(bytes)?;
    if message.code().is_some() && message.headers.values("Via").count() != 1 {
        // We are the one who asked, so only our own Via is left (RFC 3261 section 8.1.3.3).
        return Err(Unreadable::Discard("Via"));
    }
    Ok(message)
}

/// Reads one message as a proxy does: a response may be for somebody further back on its way.
///
/// # Errors
///
/// Fails like [`message`].
pub fn message_in_transit(bytes: &[u8]) -> Result<Message, Unreadable> {
    let bytes = without_leading_crlf(bytes);
    let Some(head_len) = head_len(bytes, 0) else {
        return read(Fields::read(bytes), &[], Some("end of the header"));
    };
    let (head, body) = bytes.split_at_checked(head_len).unwrap_or((bytes, &[]));
    let fields = Fields::read(head);
    let (body, defect) = match fields.content_length() {
        Ok(None) => (body, None),
        Ok(Some(len)) => match body.get(..len) {
            Some(body) => (body, None),
            None => (body, Some("Content-Length beyond the datagram")),
        },
        Err(Malformed(what)) => (body, Some(what)),
    };
    read(fields, body, defect)
}

/// Drops the empty lines that may stand before a start line (RFC 3261 section 7.5).
pub(crate) fn without_leading_crlf(bytes: &[u8]) -> &[u8] {
    let start = bytes
        .iter()
        .position(|byte| !matches!(byte, b'\r' | b'\n'))
        .unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default()
}

fn head_len(bytes: &[u8], from: usize) -> Option<usize> {
    let tail = bytes.get(from..)?;
    let line_ends = tail.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    for (at, _) in line_ends {
        match tail.get(at + 1..) {
            Some([b'\n', ..]) => return Some(from + at + 2),
            Some([b'\r', b'\n', ..]) => return Some(from + at + 3),
            Some(_) | None => {}
        }
    }
    None
}

/// A head cut into its lines, unfolded and decoded, names written out.
struct Fields {
    start: String,
    fields: Vec<(String, String)>,
    defect: Option<&'static str>,
}

impl Fields {
    fn read(head: &[u8]) -> Self {
        let mut lines: Vec<Cow<'_, str>> = Vec::new();
        let mut defect = None;
        for line in head.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                continue;
            }
            if line.contains(&b'\r') {
                defect = defect.or(Some("line end"));
            }
            let text = decode(line);
            match lines.last_mut() {
                // Folding (RFC 3261 section 7.3.1); the request line itself cannot be folded.
                Some(folded) if line.starts_with(b" ") || line.starts_with(b"\t") => {
                    let folded = folded.to_mut();
                    folded.push(' ');
                    folded.push_str(text.trim());
                }
                Some(_) | None => lines.push(text),
            }
            if lines.len() > MAX_HEADERS + 1 {
                defect = Some("number of header fields");
                lines.pop();
                break;
            }
        }
        let mut lines = lines.into_iter();
        let start = lines.next().unwrap_or_default().into_owned();
        let mut fields = Vec::with_capacity(lines.len());
        for line in lines {
            match line.split_once(':') {
                Some((name, value)) if scan::is_token(name.trim_end_matches([' ', '\t'])) => {
                    let name = name.trim_end_matches([' ', '\t']);
                    fields.push((full_name(name), value.trim().to_owned()));
                }
                Some(_) | None => defect = defect.or(Some("header field")),
            }
        }
        Self {
            start,
            fields,
            defect,
        }
    }

    /// The one value of Content-Length, however often it is repeated.
    fn content_length(&self) -> Result<Option<usize>, Malformed> {
        const BROKEN: Malformed = Malformed("Content-Length");
        let mut known = None;
        let values = self
            .fields
            .iter()
            .filter(|(name, _)| is_content_length(name));
        for (_, value) in values {
            if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(BROKEN);
            }
            let Ok(len) = value.parse::<usize>() else {
                return Err(BROKEN);
            };
            if known.is_some_and(|known| known != len) {
                return Err(BROKEN);
            }
            known = Some(len);
        }
        Ok(known)
    }
}

fn is_content_length(name: &str) -> bool {
    name.eq_ignore_ascii_case("Content-Length")
}

/// UTF-8, or else Latin-1, which some gateways send.
fn decode(line: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => line.iter().copied().map(char::from).collect(),
    }
}

/// Writes compact names out.
fn full_name(name: &str) -> String {
    let mut known = COMPACT_NAMES.iter();
    let full = match name.len() {
        1 => known.find(|(compact, _)| name.eq_ignore_ascii_case(compact)),
        _ => None,
    };
    full.map_or(name, |(_, full)| full).to_owned()
}

/// The compact names of header fields, lower-case, with what they stand for (RFC 3261 section 7.3.3
/// and the extensions' registry).
pub const COMPACT_NAMES: [(&str, &str); 19] = [
    ("a", "Accept-Contact"),
    ("b", "Referred-By"),
    ("c", "Content-Type"),
    ("d", "Request-Disposition"),
    ("e", "Content-Encoding"),
    ("f", "From"),
    ("i", "Call-ID"),
    ("j", "Reject-Contact"),
    ("k", "Supported"),
    ("l", "Content-Length"),
    ("m", "Contact"),
    ("o", "Event"),
    ("r", "Refer-To"),
    ("s", "Subject"),
    ("t", "To"),
    ("u", "Allow-Events"),
    ("v", "Via"),
    ("x", "Session-Expires"),
    ("y", "Identity"),
];

/// Fields whose value is a list of addresses or hops; each element becomes a field of its own.
const LISTS: [&str; 8] = [
    "Via",
    "Route",
    "Record-Route",
    "Contact",
    "Path",
    "Service-Route",
    "P-Asserted-Identity",
    "Diversion",
];

/// Fields that may stand only once.
const SINGLE: [&str; 8] = [
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Max-Forwards",
    "Expires",
    "Content-Type",
    "Event",
];

fn read(raw: Fields, body: &[u8], defect: Option<&'static str>) -> Result<Message, Unreadable> {
    let mut defect = raw.defect.or(defect);
    let mut headers = Headers::default();
    for (name, value) in raw.fields {
        if is_content_length(&name) {
            continue;
        }
        if LISTS.iter().any(|list| list.eq_ignore_ascii_case(&name)) {
            match scan::split_outside(&value, ',') {
                Ok(elements) => {
                    for element in elements {
                        headers.push(name.clone(), element);
                    }
                }
                Err(Malformed(what)) => {
                    defect = defect.or(Some(what));
                    headers.push(name, value);
                }
            }
        } else {
            headers.push(name, value);
        }
    }
    if headers.len() > MAX_HEADERS {
        defect = defect.or(Some("number of header fields"));
    }
    let is_response = raw
        .start
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("SIP/"));
    if is_response {
        return read_response(&raw.start, headers, body, defect);
    }
    let (start, code, start_defect) = request_line(&raw.start);
    let request = Message {
        start,
        headers,
        body: body.to_vec(),
    };
    let defect = start_defect
        .or(defect)
        .or_else(|| missing_or_malformed(&request).err());
    let Some(phrase) = defect else {
        return Ok(request);
    };
    let answerable = request.header("Via").is_some() && request.method() != Some(&Method::Ack);
    if answerable {
        Err(Unreadable::Answer {
            code,
            phrase,
            request: Box::new(request),
        })
    } else {
        Err(Unreadable::Discard(phrase))
    }
}

fn read_response(
    start: &str,
    headers: Headers,
    body: &[u8],
    defect: Option<&'static str>,
) -> Result<Message, Unreadable> {
    let mut words = start.splitn(3, ' ');
    let version = words.next().unwrap_or_default();
    let code = words.next().unwrap_or_default();
    let phrase = words.next().unwrap_or_default().trim();
    let code = match code.parse::<u16>() {
        Ok(number) if code.len() == 3 && (100..700).contains(&number) => number,
        Ok(_) | Err(_) => return Err(Unreadable::Discard("status code")),
    };
    if !version.eq_ignore_ascii_case("SIP/2.0") {
        return Err(Unreadable::Discard("version"));
    }
    let response = Message {
        start: StartLine::Response {
            code,
            phrase: phrase.to_owned(),
        },
        headers,
        body: body.to_vec(),
    };
    match defect.or_else(|| missing_or_malformed(&response).err()) {
        Some(what) => Err(Unreadable::Discard(what)),
        None => Ok(response),
    }
}

/// Reads `METHOD URI SIP/2.0`; gives a skeleton, the refusal's code and what is wrong.
fn request_line(line: &str) -> (StartLine, u16, Option<&'static str>) {
    let mut words = line.splitn(3, ' ');
    let method = words.next().unwrap_or_default();
    let uri = words.next().unwrap_or_default();
    let version = words.next().unwrap_or_default();
    let skeleton = |uri: Option<Uri>| StartLine::Request {
        method: Method::parse(method),
        uri: uri.unwrap_or(Uri::Other {
            scheme: String::new(),
            rest: String::new(),
        }),
    };
    // Headers do not belong there, and are passed over (RFC 3261 section 19.1.1, RFC 4475 section
    // 3.1.2.11): baresip 1.0 calls the whole Refer-To, Replaces and all.
    let parsed = Uri::parse(uri).ok().map(without_headers);
    let other_version = version
        .get(..4)
        .is_some_and(|name| name.eq_ignore_ascii_case("SIP/"))
        && !version.contains(' ')
        && !version.eq_ignore_ascii_case("SIP/2.0");
    if scan::is_token(method) && other_version {
        return (skeleton(parsed), 505, Some("Version Not Supported"));
    }
    let defect = if !scan::is_token(method) || !version.eq_ignore_ascii_case("SIP/2.0") {
        Some("request line")
    } else if parsed.is_none() {
        Some("Request-URI")
    } else {
        None
    };
    (skeleton(parsed), 400, defect)
}

fn without_headers(mut uri: Uri) -> Uri {
    if let Uri::Sip(sip) = &mut uri {
        sip.headers.clear();
    }
    uri
}

/// Checks the fields without which no message can be handled (RFC 3261 section 8.1.1), and the
/// ranges of numbers.
fn missing_or_malformed(message: &Message) -> Result<(), &'static str> {
    let headers = &message.headers;
    if let Some(name) = SINGLE
        .into_iter()
        .find(|name| headers.values(name).nth(1).is_some())
    {
        return Err(name);
    }
    let first = |name: &'static str| headers.first(name).ok_or(name);
    let call_id = first("Call-ID")?;
    if call_id.is_empty() || call_id.contains(char::is_whitespace) {
        return Err("Call-ID");
    }
    address(first("From")?).or(Err("From"))?;
    address(first("To")?).or(Err("To"))?;
    let (_, cseq_method) = cseq(first("CSeq")?).or(Err("CSeq"))?;
    if message
        .method()
        .is_some_and(|method| *method != cseq_method)
    {
        return Err("CSeq method");
    }
    first("Via")?;
    for value in headers.values("Via") {
        via(value).or(Err("Via"))?;
    }
    for name in ["Route", "Record-Route"] {
        for value in headers.values(name) {
            address(value).or(Err(name))?;
        }
    }
    for value in headers.values("Contact") {
        contact(value).or(Err("Contact"))?;
    }
    let in_range = |name: &'static str, max: u32| match headers.first(name) {
        Some(value) => match value.parse::<u32>() {
            Ok(number) if number <= max => Ok(()),
            Ok(_) | Err(_) => Err(name),
        },
        None => Ok(()),
    };
    in_range("Max-Forwards", 255)?;
    in_range("Expires", u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "INVITE sip:bob@example.com SIP/2.0\r\n\
        v: SIP/2.0/UDP a.example.com;branch=z9hG4bK1, SIP/2.0/TCP b ;branch=x\r\n\
        TO :\r\n <sip:bob@example.com>\r\n\
        f: Alice <sip:alice@example.com>\r\n\t;tag=1\r\n\
        CALL-ID: abc@a\r\n\
        CSeq: 0009\r\n  INVITE\r\n\
        m: <sip:a@a>, \"x,y\" <sip:b@b>\r\n\
        l: 3\r\n\r\nabcdef";

    #[test]
    fn folding_compact_names_lists_and_extra_octets_are_handled() {
        let read = message(GOOD.as_bytes()).unwrap();
        assert_eq!(read.headers.values("via").count(), 2);
        assert_eq!(read.cseq(), Some((9, Method::Invite)));
        assert_eq!(read.from_tag(), "1");
        assert_eq!(read.contacts().len(), 2);
        assert_eq!(read.body, b"abc");
        assert_eq!(read.header("content-length"), None);
    }

    #[test]
    fn latin_1_octets_are_read() {
        let mut bytes = GOOD.as_bytes().to_vec();
        let at = GOOD.find("Alice").unwrap();
        bytes[at] = 0xe9;
        let read = message(&bytes).unwrap();
        assert_eq!(read.from().unwrap().display_name.as_deref(), Some("élice"));
    }

    #[test]
    fn what_can_be_answered_is_answered() {
        for (from, to, code) in [
            ("SIP/2.0\r\nv", "SIP/7.0\r\nv", 505),
            ("CSeq: 0009\r\n  INVITE", "CSeq: 9 OPTIONS", 400),
            ("CALL-ID: abc@a\r\n", "", 400),
            ("CALL-ID", "NoId", 400),
            ("l: 3", "l: 300", 400),
            ("l: 3", "l: -3", 400),
            ("l: 3", "l: 99999999999999999999999", 400),
            ("l: 3", "l: 3\r\nContent-Length: 4", 400),
            ("Alice", "\"Alice", 400),
            ("sip:bob@example.com SIP", "<sip:bob@example.com> SIP", 400),
            ("sip:bob@example.com SIP", "sip:bob; x@example.com SIP", 400),
            ("INVITE sip", "INVITE  sip", 400),
            ("SIP/2.0\r\nv", "SIP/2.0 \r\nv", 400),
            ("l: 3", "Max-Forwards: 300\r\nl: 3", 400),
            ("l: 3", "Max-Forwards: 1\r\nMax-Forwards: 2\r\nl: 3", 400),
            ("<sip:a@a>,", "<sip:a@a>,,", 400),
            ("l: 3", "no colon here\r\nl: 3", 400),
        ] {
            assert!(GOOD.contains(from), "{from}");
            match message(GOOD.replacen(from, to, 1).as_bytes()) {
                Err(Unreadable::Answer { code: got, .. }) => assert_eq!(got, code, "{to}"),
                other => panic!("{to}: {other:?}"),
            }
        }
    }

    #[test]
    fn headers_of_a_request_uri_are_passed_over() {
        let text = GOOD.replacen("sip:bob@example.com SIP", "sip:bob@example.com?a=b SIP", 1);
        let read = message(text.as_bytes()).unwrap();
        let plain = message(GOOD.as_bytes()).unwrap();
        assert_eq!(read.start, plain.start);
    }

    #[test]
    fn what_cannot_be_answered_is_discarded() {
        for text in [
            String::new(),
            "\r\n\r\n".to_owned(),
            "hello".to_owned(),
            GOOD.replace("INVITE", "ACK").replace("l: 3", "l: x"),
            GOOD.replace("v:", "not-via:"),
            "SIP/2.0 200 OK\r\n\r\n".to_owned(),
            "SIP/2.0 4294967301 better\r\n\r\n".to_owned(),
        ] {
            assert!(
                matches!(message(text.as_bytes()), Err(Unreadable::Discard(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn a_response_keeps_its_phrase_and_has_one_via() {
        let text = "SIP/2.0 200 = 2**3 \u{43d}\u{435}\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n\
             From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n";
        let read = message(text.as_bytes()).unwrap();
        assert_eq!(read.phrase(), Some("= 2**3 \u{43d}\u{435}"));
        let no_phrase = text.replace(" = 2**3 \u{43d}\u{435}", "");
        assert_eq!(message(no_phrase.as_bytes()).unwrap().phrase(), Some(""));
        let two_vias = text.replace("From:", "Via: SIP/2.0/UDP 255.255.255.255\r\nFrom:");
        assert!(message(two_vias.as_bytes()).is_err());
        assert!(message_in_transit(two_vias.as_bytes()).is_ok());
    }

    #[test]
    fn too_many_header_fields_are_refused() {
        let many = "X: y\r\n".repeat(MAX_HEADERS + 1);
        let text = GOOD.replace("l: 3", &format!("{many}l: 3"));
        assert!(message(text.as_bytes()).is_err());
        let list = vec!["<sip:a@a>"; MAX_HEADERS].join(",");
        let text = GOOD.replace("l: 3", &format!("Contact: {list}\r\nl: 3"));
        assert!(message(text.as_bytes()).is_err());
    }

    #[test]
    fn the_end_of_the_head_is_found_at_any_split() {
        let bytes = GOOD.as_bytes();
        let whole = scan_head(bytes, &mut 0).unwrap();
        assert_eq!(whole.content_length, Ok(Some(3)));
        let mut from = 0;
        let at = (1..=bytes.len()).find(|at| scan_head(&bytes[..*at], &mut from).is_some());
        assert_eq!(at, Some(whole.len));
    }
}
