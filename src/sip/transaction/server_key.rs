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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::parse;

    fn key(method: &str, branch: &str, call: &str, cseq: u32) -> ServerKey {
        let text = format!(
            "{method} sip:alice@example.com SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.1:5060;branch={branch}\r\n\
             From: <sip:bob@example.com>;tag=1\r\nTo: <sip:alice@example.com>\r\n\
             Call-ID: {call}\r\nCSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n"
        );
        ServerKey::of(&parse::message(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn by_the_branch_alone_where_it_is_one_of_rfc_3261() {
        let branch = "z9hG4bK1";
        assert_eq!(key("INVITE", branch, "a", 1), key("ACK", branch, "a", 1));
        assert_eq!(key("INVITE", branch, "a", 1), key("INVITE", branch, "b", 2));
        assert_ne!(key("INVITE", branch, "a", 1), key("CANCEL", branch, "a", 1));
        let cancel = key("CANCEL", branch, "a", 1).invite_of_cancel();
        assert_eq!(cancel, key("INVITE", branch, "a", 1));
    }

    /// An RFC 2543 peer may give each of its requests the same branch, and so may one that knows but
    /// the cookie.
    #[test]
    fn by_the_call_and_its_number_where_the_branch_says_nothing() {
        for branch in ["1", "z9hG4bK"] {
            assert_eq!(key("INVITE", branch, "a", 1), key("ACK", branch, "a", 1));
            assert_ne!(key("INVITE", branch, "a", 1), key("INVITE", branch, "b", 1));
            assert_ne!(key("INVITE", branch, "a", 1), key("INVITE", branch, "a", 2));
        }
    }
}
