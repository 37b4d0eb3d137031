//! The border to `rsip`: our messages become its types, and it writes the head.
//!
//! Bodies are appended by us, because `rsip` turns octets into text. Reason phrases go through
//! `StatusCode::Other`, hosts through `Host::Domain` (it writes no brackets around IPv6), header
//! fields that it would rename through `Header::Other`. A method or a Request-URI that it has no
//! type for is written by hand.

use rsip::common::uri::param::{OtherParam, OtherParamValue};
use rsip::headers::{self, UntypedHeader as _};

use crate::base::uri::{SipUri, Uri};
use crate::sip::message::{Headers, Message, Method, StartLine};
use crate::sip::parse;
use crate::sip::route::MAX_DATAGRAM_REQUEST;

impl Message {
    /// Writes the whole message; Content-Length is always added.
    ///
    /// One that would be too large for a datagram has compact names (RFC 3261 section 7.3.3): a
    /// request with credentials and an offer often passes that limit by a few octets, and many
    /// exchanges take no other transport.
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = self.written(Names::Full);
        if bytes.len() <= MAX_DATAGRAM_REQUEST {
            return bytes;
        }
        self.written(Names::Compact)
    }

    fn written(&self, names: Names) -> Vec<u8> {
        let headers = rsip_headers(&self.headers, self.body.len(), names);
        let head = match &self.start {
            StartLine::Request { method, uri } => match (rsip_method(method), rsip_uri(uri)) {
                (Some(method), Some(uri)) => rsip::Request {
                    method,
                    uri,
                    version: rsip::Version::V2,
                    headers,
                    body: Vec::new(),
                }
                .to_string(),
                (Some(_) | None, _) => format!("{method} {uri} SIP/2.0\r\n{headers}\r\n"),
            },
            StartLine::Response { code, phrase } => rsip::Response {
                status_code: rsip::StatusCode::Other(*code, one_line(phrase)),
                version: rsip::Version::V2,
                headers,
                body: Vec::new(),
            }
            .to_string(),
        };
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

fn rsip_method(method: &Method) -> Option<rsip::Method> {
    Some(match method {
        Method::Invite => rsip::Method::Invite,
        Method::Ack => rsip::Method::Ack,
        Method::Bye => rsip::Method::Bye,
        Method::Cancel => rsip::Method::Cancel,
        Method::Register => rsip::Method::Register,
        Method::Options => rsip::Method::Options,
        Method::Message => rsip::Method::Message,
        Method::Info => rsip::Method::Info,
        Method::Notify => rsip::Method::Notify,
        Method::Update => rsip::Method::Update,
        Method::Prack => rsip::Method::PRack,
        Method::Refer => rsip::Method::Refer,
        Method::Subscribe => rsip::Method::Subscribe,
        Method::Publish => rsip::Method::Publish,
        Method::Other(_) => return None,
    })
}

fn rsip_uri(uri: &Uri) -> Option<rsip::Uri> {
    let Uri::Sip(SipUri {
        secure,
        user,
        password,
        host,
        port,
        params,
        headers,
    }) = uri
    else {
        return None;
    };
    if !headers.is_empty() {
        return None;
    }
    let param = |name: &str, value: Option<&str>| {
        rsip::Param::Other(OtherParam::new(name), value.map(OtherParamValue::new))
    };
    Some(rsip::Uri {
        scheme: Some(if *secure {
            rsip::Scheme::Sips
        } else {
            rsip::Scheme::Sip
        }),
        auth: user.as_ref().map(|user| rsip::Auth {
            user: user.clone(),
            password: password.clone(),
        }),
        host_with_port: rsip::HostWithPort {
            host: rsip::Host::Domain(host.to_string().into()),
            port: port.map(rsip::Port::from),
        },
        params: params
            .iter()
            .map(|p| param(&p.name, p.value.as_deref()))
            .collect(),
        headers: Vec::new(),
    })
}

fn rsip_headers(ours: &Headers, body_len: usize, names: Names) -> rsip::Headers {
    let mut headers: Vec<rsip::Header> = ours
        .iter()
        .map(|(name, value)| rsip_header(names.of(name), one_line(value)))
        .collect();
    let length = body_len.to_string();
    headers.push(rsip_header(names.of("Content-Length"), length));
    headers.into()
}

/// How the names of header fields are written.
#[derive(Debug, Clone, Copy)]
enum Names {
    Full,
    Compact,
}

impl Names {
    fn of(self, name: &str) -> &str {
        let mut known = parse::COMPACT_NAMES.iter();
        match self {
            Self::Full => name,
            Self::Compact => known
                .find(|(_, full)| name.eq_ignore_ascii_case(full))
                .map_or(name, |(compact, _)| compact),
        }
    }
}

fn rsip_header(name: &str, value: String) -> rsip::Header {
    match name {
        "Via" => headers::Via::new(value).into(),
        "From" => headers::From::new(value).into(),
        "To" => headers::To::new(value).into(),
        "CSeq" => headers::CSeq::new(value).into(),
        "Contact" => headers::Contact::new(value).into(),
        "Route" => headers::Route::new(value).into(),
        "Record-Route" => headers::RecordRoute::new(value).into(),
        "Max-Forwards" => headers::MaxForwards::new(value).into(),
        "Content-Length" => headers::ContentLength::new(value).into(),
        "Content-Type" => headers::ContentType::new(value).into(),
        "Expires" => headers::Expires::new(value).into(),
        "Authorization" => headers::Authorization::new(value).into(),
        "User-Agent" => headers::UserAgent::new(value).into(),
        _ => rsip::Header::Other(one_line(name), value),
    }
}

/// A line break inside a value would begin a header field of somebody else's choice.
fn one_line(text: &str) -> String {
    if text.bytes().any(|byte| matches!(byte, b'\r' | b'\n')) {
        text.replace(['\r', '\n'], " ")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(start: StartLine, contact: &str, body: &[u8]) -> Message {
        let method = match &start {
            StartLine::Request { method, .. } => method.clone(),
            StartLine::Response { .. } => Method::Invite,
        };
        let mut message = Message {
            start,
            headers: Headers::default(),
            body: body.to_vec(),
        };
        let headers = &mut message.headers;
        headers.push(
            "Via",
            "SIP/2.0/UDP [2001:db8::1]:5060;rport;branch=z9hG4bK1",
        );
        headers.push("Route", "<sip:[::1];lr>");
        headers.push("From", "\"J\u{f6}rg \\\"X\\\"\" <sip:a%20b@h>;tag=1");
        headers.push("To", "<tel:+15550100>");
        headers.push("Call-ID", "c@h");
        headers.push("CSeq", format!("7 {method}"));
        headers.push("Contact", contact);
        headers.push("X-Odd", "a, \"b\"; c");
        message
    }

    #[test]
    fn what_is_written_is_read_back_the_same() {
        for uri in [
            "sip:bob@example.com",
            "sips:bob:pw@[2001:db8::1]:5061;transport=tcp;lr;;x=",
            "sip:a%20b;x=1@10.0.0.1:5070;n%61me=v%61lue%25%34%31",
            "tel:+1-555-0100;phone-context=x",
            "urn:service:sos",
        ] {
            for method in ["INVITE", "PRACK", "X-NEW"] {
                let start = StartLine::Request {
                    method: Method::parse(method),
                    uri: Uri::parse(uri).unwrap(),
                };
                let message = written(
                    start,
                    "<sip:x@[::1]>;+sip.instance=\"<urn:x>\"",
                    b"a\0\xff\r\n",
                );
                let bytes = message.to_bytes();
                assert_eq!(parse::message(&bytes).as_ref(), Ok(&message), "{uri}");
                assert!(bytes.starts_with(format!("{method} {uri} SIP/2.0\r\n").as_bytes()));
            }
        }
        for (code, phrase) in [
            (100, "Trying"),
            (200, ""),
            (480, "Gone fishing"),
            (699, "x"),
        ] {
            let start = StartLine::Response {
                code,
                phrase: phrase.to_owned(),
            };
            let message = written(start, "<sip:x@h>", b"");
            let bytes = message.to_bytes();
            assert_eq!(parse::message(&bytes).as_ref(), Ok(&message));
            assert!(bytes.ends_with(b"Content-Length: 0\r\n\r\n"));
        }
    }

    #[test]
    fn a_line_break_in_a_value_begins_no_header_field() {
        let start = StartLine::Response {
            code: 200,
            phrase: "OK\r\nEvil: 1".to_owned(),
        };
        let mut message = written(start, "<sip:x@h>", b"");
        message.headers.push("X-A", "b\r\nEvil: 2");
        let text = String::from_utf8(message.to_bytes()).unwrap();
        assert!(!text.contains("\nEvil"), "{text}");
    }

    #[test]
    fn a_message_too_large_for_a_datagram_has_compact_names() {
        let start = StartLine::Request {
            method: Method::Invite,
            uri: Uri::parse("sip:bob@example.com").unwrap(),
        };
        let mut message = written(start, "<sip:x@h>", b"");
        message.headers.push("X-Filler", "");
        let filler = MAX_DATAGRAM_REQUEST - message.to_bytes().len();
        message.headers.set("X-Filler", "x".repeat(filler));
        let fits = message.to_bytes();
        assert_eq!(fits.len(), MAX_DATAGRAM_REQUEST);
        assert!(!fits.windows(3).any(|octets| octets == b"\nv:"));

        message.headers.set("X-Filler", "x".repeat(filler + 1));
        let bytes = message.to_bytes();
        assert!(bytes.len() <= MAX_DATAGRAM_REQUEST - 30, "{}", bytes.len());
        let text = String::from_utf8_lossy(&bytes);
        for line in [
            "\nv: ", "\nf: ", "\nt: ", "\ni: ", "\nm: ", "\nl: ", "\nCSeq: ",
        ] {
            assert!(text.contains(line), "{line:?} in {text}");
        }
        assert_eq!(parse::message(&bytes).as_ref(), Ok(&message));
    }
}
