//! Which server transaction a request belongs to (RFC 3261 section 17.2.3).

use crate::sip::message::{Message, Method};

/// The start of each branch of RFC 3261 (section 8.1.1.7).
const COOKIE: &str = "z9hG4bK";

/// What identifies a server transaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ServerKey {
    text: String,
    method: Method,
}

impl ServerKey {
    /// The key of a request; ACK has the one of its INVITE.
    pub(crate) fn of(request: &Message) -> Option<Self> {
        let method = match request.method()? {
            Method::Ack => Method::Invite,
            method => method.clone(),
        };
        let via = request.top_via()?;
        let sent_by = format!("{}:{}", via.host, via.port.unwrap_or_default());
        let text = match via.branch() {
            Some(branch) if branch.len() > COOKIE.len() && branch.starts_with(COOKIE) => {
                format!("{branch} {}", sent_by.to_ascii_lowercase())
            }
            // RFC 2543 peers, and a branch that is the cookie alone.
            Some(_) | None => {
                let (number, _) = request.cseq()?;
                let uri = request.uri()?;
                let (from_tag, call_id) = (request.from_tag(), request.call_id());
                let branch = via.branch().unwrap_or_default();
                format!("2543 {uri} {from_tag} {call_id} {number} {sent_by} {branch}")
            }
        };
        Some(Self { text, method })
    }

    /// The key of the INVITE that a CANCEL means.
    pub(crate) fn invite_of_cancel(self) -> Self {
        Self {
            text: self.text,
            method: Method::Invite,
        }
    }
}
