//! A SIP message as the rest of the house sees it (RFC 3261 section 7).
//!
//! Header values are kept as they were read (unfolded, compact names written out, lists of
//! addresses split into one field each) and understood on demand by the accessors.

use std::fmt;

use crate::base::uri::Uri;
use crate::sip::event::{Body, NameAddr};
use crate::sip::parse::{self, AddressField, ContactField, Via};

/// A request method (RFC 3261 section 7.1 and the extensions' registry).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Method {
    /// Starts or changes a session.
    Invite,
    /// Acknowledges a final answer to INVITE.
    Ack,
    /// Ends a session.
    Bye,
    /// Ends a pending INVITE.
    Cancel,
    /// Binds an address.
    Register,
    /// Asks for capabilities.
    Options,
    /// An instant message (RFC 3428).
    Message,
    /// Information inside a session (RFC 6086).
    Info,
    /// News of a subscription (RFC 6665).
    Notify,
    /// Changes a session without a new INVITE (RFC 3311).
    Update,
    /// Acknowledges a provisional answer (RFC 3262).
    Prack,
    /// Asks to call somebody else (RFC 3515).
    Refer,
    /// Subscribes to news (RFC 6665).
    Subscribe,
    /// Publishes a state (RFC 3903).
    Publish,
    /// Any other token; methods are case-sensitive.
    Other(String),
}

impl Method {
    /// Reads a method; every token is one.
    pub fn parse(text: &str) -> Self {
        match text {
            "INVITE" => Self::Invite,
            "ACK" => Self::Ack,
            "BYE" => Self::Bye,
            "CANCEL" => Self::Cancel,
            "REGISTER" => Self::Register,
            "OPTIONS" => Self::Options,
            "MESSAGE" => Self::Message,
            "INFO" => Self::Info,
            "NOTIFY" => Self::Notify,
            "UPDATE" => Self::Update,
            "PRACK" => Self::Prack,
            "REFER" => Self::Refer,
            "SUBSCRIBE" => Self::Subscribe,
            "PUBLISH" => Self::Publish,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The method as it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Invite => "INVITE",
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Cancel => "CANCEL",
            Self::Register => "REGISTER",
            Self::Options => "OPTIONS",
            Self::Message => "MESSAGE",
            Self::Info => "INFO",
            Self::Notify => "NOTIFY",
            Self::Update => "UPDATE",
            Self::Prack => "PRACK",
            Self::Refer => "REFER",
            Self::Subscribe => "SUBSCRIBE",
            Self::Publish => "PUBLISH",
            Self::Other(name) => name,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The first line of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartLine {
    /// A request line.
    Request {
        /// The method.
        method: Method,
        /// The Request-URI.
        uri: Uri,
    },
    /// A status line.
    Response {
        /// The status code, 100 to 699.
        code: u16,
        /// The reason phrase; may be empty.
        phrase: String,
    },
}

/// The header fields of a message, in order; names compare without case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Adds a field at the end.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Adds a field before all others.
    pub fn prepend(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(0, (name.into(), value.into()));
    }

    /// Replaces all fields of that name by one at the place of the first, or adds it at the end.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let place = self
            .0
            .iter()
            .position(|(n, _)| n.eq_ignore_ascii_case(name));
        self.remove(name);
        let field = (name.to_owned(), value.into());
        match place {
            Some(place) if place <= self.0.len() => self.0.insert(place, field),
            Some(_) | None => self.0.push(field),
        }
    }

    /// Replaces the first field of that name only.
    pub fn set_first(&mut self, name: &str, value: impl Into<String>) {
        let first = self
            .0
            .iter_mut()
            .find(|(n, _)| n.eq_ignore_ascii_case(name));
        if let Some((_, old)) = first {
            *old = value.into();
        }
    }

    /// Removes all fields of that name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// The first value of that name.
    pub fn first(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// All values of that name, in order.
    pub fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h str> {
        self.0
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// All fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A whole message: start line, header fields, body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The first line.
    pub start: StartLine,
    /// The header fields without Content-Length, which the writer adds.
    pub headers: Headers,
    /// The body's octets.
    pub body: Vec<u8>,
}

impl Message {
    /// Starts a request without any header field.
    pub fn request(method: Method, uri: Uri) -> Self {
        Self {
            start: StartLine::Request { method, uri },
            headers: Headers::default(),
            body: Vec::new(),
        }
    }

    /// Starts a response to `request` (RFC 3261 section 8.2.6.2): Via, From, To, Call-ID, `CSeq`
    /// copied, and Record-Route where the answer makes a dialog. `to_tag` is added to a To without
    /// one, except for 100.
    pub fn response(request: &Self, code: u16, phrase: &str, to_tag: Option<&str>) -> Self {
        let mut headers = Headers::default();
        let makes_dialog = (101..300).contains(&code)
            && matches!(request.method(), Some(Method::Invite | Method::Subscribe));
        for (name, value) in request.headers.iter() {
            let copied = ["Via", "From", "Call-ID", "CSeq"]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
                || (code == 100 && name.eq_ignore_ascii_case("Timestamp"))
                || (makes_dialog && name.eq_ignore_ascii_case("Record-Route"));
            if copied {
                headers.push(name, value);
            } else if name.eq_ignore_ascii_case("To") {
                let untagged = request.to().is_none_or(|to| to.tag().is_none());
                match to_tag {
                    Some(tag) if untagged && code > 100 => {
                        headers.push(name, format!("{value};tag={tag}"));
                    }
                    Some(_) | None => headers.push(name, value),
                }
            }
        }
        Self {
            start: StartLine::Response {
                code,
                phrase: phrase.to_owned(),
            },
            headers,
            body: Vec::new(),
        }
    }

    /// Puts a body and its type in.
    pub fn set_body(&mut self, body: &Body) {
        self.headers.set("Content-Type", body.content_type.clone());
        self.body.clone_from(&body.bytes);
    }

    /// Takes the body and its type out.
    pub fn clear_body(&mut self) {
        self.headers.remove("Content-Type");
        self.body.clear();
    }

    /// The method of a request.
    pub fn method(&self) -> Option<&Method> {
        match &self.start {
            StartLine::Request { method, .. } => Some(method),
            StartLine::Response { .. } => None,
        }
    }

    /// The Request-URI of a request.
    pub fn uri(&self) -> Option<&Uri> {
        match &self.start {
            StartLine::Request { uri, .. } => Some(uri),
            StartLine::Response { .. } => None,
        }
    }

    /// The status code of a response, 100 to 699.
    pub fn code(&self) -> Option<u16> {
        match &self.start {
            StartLine::Request { .. } => None,
            StartLine::Response { code, .. } => Some(*code),
        }
    }

    /// The reason phrase of a response.
    pub fn phrase(&self) -> Option<&str> {
        match &self.start {
            StartLine::Request { .. } => None,
            StartLine::Response { phrase, .. } => Some(phrase),
        }
    }

    /// The first value of a header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.first(name)
    }

    /// The topmost Via.
    pub fn top_via(&self) -> Option<Via> {
        parse::via(self.header("Via")?).ok()
    }

    /// The branch of the topmost Via; empty when it has none.
    pub fn branch(&self) -> String {
        self.top_via()
            .and_then(|via| via.branch().map(str::to_owned))
            .unwrap_or_default()
    }

    /// The Call-ID.
    pub fn call_id(&self) -> &str {
        self.header("Call-ID").unwrap_or_default()
    }

    /// `CSeq`: its number and method.
    pub fn cseq(&self) -> Option<(u32, Method)> {
        parse::cseq(self.header("CSeq")?).ok()
    }

    /// From.
    pub fn from(&self) -> Option<AddressField> {
        parse::address(self.header("From")?).ok()
    }

    /// To.
    pub fn to(&self) -> Option<AddressField> {
        parse::address(self.header("To")?).ok()
    }

    /// The tag of From; empty when it has none (RFC 2543 peers).
    pub fn from_tag(&self) -> String {
        tag_of(self.from())
    }

    /// The tag of To; empty when it has none.
    pub fn to_tag(&self) -> String {
        tag_of(self.to())
    }

    /// All Contacts that can be read; `*` is one of them.
    pub fn contacts(&self) -> Vec<ContactField> {
        self.headers
            .values("Contact")
            .filter_map(|value| parse::contact(value).ok())
            .collect()
    }

    /// The first Contact that is an address.
    pub fn contact(&self) -> Option<AddressField> {
        self.contacts()
            .into_iter()
            .find_map(|contact| match contact {
                ContactField::Address(address) => Some(address),
                ContactField::All => None,
            })
    }

    /// All addresses of a header field such as Route, Record-Route, Path or P-Asserted-Identity.
    pub fn addresses(&self, name: &str) -> Vec<AddressField> {
        self.headers
            .values(name)
            .filter_map(|value| parse::address(value).ok())
            .collect()
    }

    /// The first address of a header field, without its parameters.
    pub fn name_addr(&self, name: &str) -> Option<NameAddr> {
        let field = parse::address(self.header(name)?).ok()?;
        Some(field.name_addr())
    }

    /// A whole number of seconds, such as Expires, Min-Expires or Retry-After (whose comment and
    /// parameters are left out).
    pub fn seconds(&self, name: &str) -> Option<u32> {
        let value = self.header(name)?;
        let digits = value.split([';', '(', ' ', '\t']).next()?;
        digits.parse().ok()
    }

    /// The tokens of list header fields such as Require, Supported or Allow.
    pub fn tokens(&self, name: &str) -> Vec<String> {
        self.headers
            .values(name)
            .flat_map(|value| value.split(','))
            .map(|token| token.trim().to_owned())
            .filter(|token| !token.is_empty())
            .collect()
    }

    /// The session description, when the body is one or a multipart body holds one.
    pub fn session_description(&self) -> Option<Body> {
        const SDP: &str = "application/sdp";
        if self.body.is_empty() {
            return None;
        }
        let content_type = self.header("Content-Type")?;
        let kind = parse::media_type(content_type);
        let bytes = if kind == SDP {
            self.body.as_slice()
        } else if kind.starts_with("multipart/") {
            parse::part(content_type, &self.body, SDP)?
        } else {
            return None;
        };
        Some(Body::sdp(bytes))
    }

    /// The body with its type, when there is one.
    pub fn content(&self) -> Option<Body> {
        if self.body.is_empty() {
            return None;
        }
        Some(Body {
            content_type: self.header("Content-Type").unwrap_or_default().to_owned(),
            bytes: self.body.clone(),
        })
    }
}

fn tag_of(field: Option<AddressField>) -> String {
    field
        .and_then(|field| field.tag().map(str::to_owned))
        .unwrap_or_default()
}
