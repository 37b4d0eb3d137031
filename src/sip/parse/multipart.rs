//! Bodies of several parts (RFC 2046 section 5.1, RFC 5621): gateways and emergency services put
//! the session description beside other things.

use super::media_type;
use super::scan;

/// How many parts are looked at.
const MAX_PARTS: usize = 16;

/// Finds the first part of a type in a `multipart` body; `content_type` is the whole value of
/// Content-Type. Parts inside parts are not searched.
pub fn part<'b>(content_type: &str, body: &'b [u8], wanted: &str) -> Option<&'b [u8]> {
    let (_, params) = content_type.split_once(';')?;
    let params = scan::params(params).ok()?;
    let boundary = params
        .iter()
        .find(|param| param.name.eq_ignore_ascii_case("boundary"))
        .and_then(|param| param.value.as_deref())
        .filter(|boundary| !boundary.is_empty())?;
    let delimiter = format!("--{boundary}");
    let mut rest = after(body, delimiter.as_bytes())?;
    for _ in 0..MAX_PARTS {
        if rest.starts_with(b"--") {
            return None;
        }
        let end = find(rest, delimiter.as_bytes())?;
        let (whole, next) = rest.split_at_checked(end)?;
        if let Some(found) = content_of(whole, wanted) {
            return Some(found);
        }
        rest = next.get(delimiter.len()..)?;
    }
    None
}

/// The content of a part when it is of the type; the line end before the next delimiter belongs
/// to the delimiter.
fn content_of<'b>(part: &'b [u8], wanted: &str) -> Option<&'b [u8]> {
    let part = after_line_end(part);
    let (head, content) = match find(part, b"\r\n\r\n") {
        Some(at) => (part.get(..at)?, part.get(at + 4..)?),
        None => return None,
    };
    let head = String::from_utf8_lossy(head);
    let is_wanted = head.lines().any(|line| {
        line.split_once(':').is_some_and(|(name, value)| {
            let name = name.trim();
            (name.eq_ignore_ascii_case("Content-Type") || name.eq_ignore_ascii_case("c"))
                && media_type(value) == wanted
        })
    });
    is_wanted.then(|| content.strip_suffix(b"\r\n").unwrap_or(content))
}

fn after_line_end(bytes: &[u8]) -> &[u8] {
    match find(bytes, b"\n") {
        Some(at) => bytes.get(at + 1..).unwrap_or_default(),
        None => &[],
    }
}

fn after<'b>(bytes: &'b [u8], needle: &[u8]) -> Option<&'b [u8]> {
    bytes.get(find(bytes, needle)? + needle.len()..)
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"preamble\r\n--b1\r\nContent-Type: application/isup\r\n\r\n\0\x01\r\n\
        --b1\r\ncontent-type : Application/SDP\r\nContent-Disposition: session\r\n\r\nv=0\r\no=x\r\n\r\n--b1--\r\n";

    #[test]
    fn the_session_description_is_found_among_other_parts() {
        for kind in [
            "multipart/mixed;boundary=b1",
            "multipart/mixed ; charset=x; boundary=\"b1\"",
        ] {
            assert_eq!(
                part(kind, BODY, "application/sdp"),
                Some(b"v=0\r\no=x\r\n".as_slice())
            );
        }
    }

    #[test]
    fn damaged_bodies_hold_nothing() {
        let kind = "multipart/mixed;boundary=b1";
        assert_eq!(part(kind, BODY, "text/plain"), None);
        assert_eq!(part("multipart/mixed", BODY, "application/sdp"), None);
        assert_eq!(
            part("multipart/mixed;boundary=\"\"", BODY, "application/sdp"),
            None
        );
        for len in 0..BODY.len() - 8 {
            assert_eq!(part(kind, &BODY[..len], "application/sdp"), None, "{len}");
        }
    }
}
