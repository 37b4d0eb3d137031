//! The name of a session over all its hops: Session-ID (RFC 7989). Exchanges in the middle rewrite
//! Call-ID and tags; this one they leave, so that the traces of both ends can be laid side by side.

use crate::sip::endpoint::Endpoint;
use crate::sip::message::Message;

/// What stands for a far end that has not said its name (RFC 7989 section 5).
const NIL: &str = "00000000000000000000000000000000";

/// The two halves of a session's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionIdent {
    local: String,
    remote: Option<String>,
}

impl SessionIdent {
    /// A name whose own half is drawn at random: 32 hexadecimal digits.
    pub(crate) fn new(local: String) -> Self {
        Self {
            local,
            remote: None,
        }
    }

    /// Learns the far end's half of a message; a changed one (another phone took over) counts.
    pub(crate) fn learn(&mut self, message: &Message) {
        let Some(value) = message.header("Session-ID") else {
            return;
        };
        let named = value.split(';').next().unwrap_or_default().trim();
        let is_name = named.len() == NIL.len()
            && named.bytes().all(|byte| byte.is_ascii_hexdigit())
            && named != NIL;
        if is_name {
            self.remote = Some(named.to_ascii_lowercase());
        }
    }

    /// Forgets the far end's half: whoever is asked next is another (RFC 7989 section 6).
    pub(crate) fn meet_another(&mut self) {
        self.remote = None;
    }

    /// The value that our messages carry.
    pub(crate) fn value(&self) -> String {
        let remote = self.remote.as_deref().unwrap_or(NIL);
        format!("{};remote={remote}", self.local)
    }
}

impl Endpoint {
    /// Writes the session's name into a message that belongs to one, by our tag in it.
    pub(crate) fn name_session(&self, message: &mut Message) {
        let own_tag = if message.method().is_some() {
            message.from_tag()
        } else {
            message.to_tag()
        };
        let key = (message.call_id().to_owned(), own_tag);
        let session = self
            .by_dialog
            .get(&key)
            .and_then(|id| self.sessions.get(id));
        if let Some(session) = session {
            message.headers.set("Session-ID", session.ident.value());
        }
    }

    /// Learns the far end's half of the name from a message of theirs.
    pub(crate) fn learn_session_name(&mut self, message: &Message) {
        if message.header("Session-ID").is_none() {
            return;
        }
        let own_tag = if message.method().is_some() {
            message.to_tag()
        } else {
            message.from_tag()
        };
        let key = (message.call_id().to_owned(), own_tag);
        let id = self.by_dialog.get(&key).copied();
        if let Some(session) = id.and_then(|id| self.sessions.get_mut(&id)) {
            session.ident.learn(message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::simulator::bench::{Bench, SDP_BODY, TO_US, request};
    use super::*;
    use crate::sip::message::Method;

    const THEIRS: &str = "ab30317f1a784dc48ff824d0d3715d86";

    fn halves(message: &Message) -> (String, String) {
        let value = message.header("Session-ID").unwrap();
        let (local, remote) = value.split_once(";remote=").unwrap();
        assert_eq!(local.len(), NIL.len(), "{value}");
        (local.to_owned(), remote.to_owned())
    }

    #[test]
    fn a_call_keeps_one_name_from_its_first_answer_to_its_end() {
        let mut bench = Bench::new();
        let more = format!("Session-ID: {THEIRS};remote={NIL}\r\n{SDP_BODY}");
        bench.datagram(&request("INVITE", "sip:us@10.0.0.1", "1", TO_US, 1, &more));
        let ok = bench.answer();
        let (ours, theirs) = halves(&ok);
        assert_eq!(theirs, THEIRS);
        let to = ok.header("To").unwrap().to_owned();
        bench.datagram(&request("ACK", "sip:us@10.0.0.1", "2", &to, 1, ""));
        let session = bench.session();
        bench.endpoint.hang_up(bench.now, session).unwrap();
        let bye = bench.sent().remove(0);
        assert_eq!(bye.method(), Some(&Method::Bye));
        assert_eq!(halves(&bye), (ours, THEIRS.to_owned()));
    }

    #[test]
    fn a_far_end_without_a_name_is_nil_and_a_wrong_one_is_no_name() {
        let mut ident = SessionIdent::new(THEIRS.to_owned());
        assert_eq!(ident.value(), format!("{THEIRS};remote={NIL}"));
        for wrong in ["", "xyz", NIL, &"a".repeat(400), "\"\r\nVia: x\""] {
            let mut message = Message::request(
                Method::Bye,
                crate::base::uri::Uri::parse("sip:a@h").unwrap(),
            );
            message.headers.push("Session-ID", wrong);
            ident.learn(&message);
            assert_eq!(ident.remote, None, "{wrong}");
        }
    }
}
