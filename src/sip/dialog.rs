//! Dialogs (RFC 3261 section 12).

use super::message::{Message, Method};
use super::parse::AddressField;
use super::route::{self, Hop};
use crate::base::uri::Uri;

/// One dialog: what two user agents know of each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialog {
    call_id: String,
    /// Our address with our tag, as From carries it.
    local: String,
    /// Their address with their tag, as To carries it.
    remote: String,
    remote_tag: String,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    routes: Vec<AddressField>,
    target: Uri,
}

impl Dialog {
    /// The dialog that a response to our INVITE makes (section 12.1.2).
    pub(crate) fn of_client(invite: &Message, response: &Message) -> Option<Self> {
        let (local_cseq, _) = invite.cseq()?;
        let mut dialog = Self {
            call_id: invite.call_id().to_owned(),
            local: invite.header("From")?.to_owned(),
            remote: response.header("To")?.to_owned(),
            remote_tag: response.to_tag(),
            local_cseq,
            remote_cseq: None,
            routes: Vec::new(),
            target: invite.uri()?.clone(),
        };
        dialog.learn(response);
        Some(dialog)
    }

    /// The dialog that an INVITE makes with us (section 12.1.1).
    pub(crate) fn of_server(invite: &Message, local_tag: &str) -> Option<Self> {
        let (remote_cseq, _) = invite.cseq()?;
        let from = invite.from()?;
        Some(Self {
            call_id: invite.call_id().to_owned(),
            local: format!("{};tag={local_tag}", invite.header("To")?),
            remote: invite.header("From")?.to_owned(),
            remote_tag: invite.from_tag(),
            local_cseq: 0,
            remote_cseq: Some(remote_cseq),
            routes: invite.addresses("Record-Route"),
            target: invite.contact().map_or(from.uri, |contact| contact.uri),
        })
    }

    /// The dialog that a NOTIFY makes with the subscriber whose SUBSCRIBE had this number (RFC 6665
    /// section 4.4.1).
    pub(crate) fn of_notify(notify: &Message, local_cseq: u32) -> Option<Self> {
        let (remote_cseq, _) = notify.cseq()?;
        let from = notify.from()?;
        Some(Self {
            call_id: notify.call_id().to_owned(),
            local: notify.header("To")?.to_owned(),
            remote: notify.header("From")?.to_owned(),
            remote_tag: notify.from_tag(),
            local_cseq,
            remote_cseq: Some(remote_cseq),
            routes: notify.addresses("Record-Route"),
            target: notify.contact().map_or(from.uri, |contact| contact.uri),
        })
    }

    /// Takes route set and target from a 1xx or 2xx to our INVITE; the 2xx counts (section
    /// 13.2.2.4).
    pub(crate) fn learn(&mut self, response: &Message) {
        self.routes = response.addresses("Record-Route");
        self.routes.reverse();
        self.refresh(response);
    }

    /// Takes the target from a further 1xx to our INVITE; the route set only where it names one, since
    /// some say it once.
    pub(crate) fn learn_again(&mut self, response: &Message) {
        if response.header("Record-Route").is_some() {
            self.learn(response);
        } else {
            self.refresh(response);
        }
    }

    /// Takes the target from a Contact (target refresh, section 12.2).
    pub(crate) fn refresh(&mut self, message: &Message) {
        if let Some(contact) = message.contact() {
            self.target = contact.uri;
        }
    }

    /// Makes the next request, and says where it goes.
    pub(crate) fn request(&mut self, method: Method) -> (Message, Option<Hop>) {
        self.local_cseq = self.local_cseq.saturating_add(1);
        self.build(method, self.local_cseq)
    }

    /// Makes the ACK of a 2xx; it has the number of the INVITE.
    pub(crate) fn ack(&self, invite_cseq: u32) -> (Message, Option<Hop>) {
        self.build(Method::Ack, invite_cseq)
    }

    /// Learns that a request went out with a new number, after a challenge.
    pub(crate) fn used_cseq(&mut self, number: u32) {
        self.local_cseq = self.local_cseq.max(number);
    }

    /// Whether a request comes in order; remembers its number (section 12.2.2).
    pub(crate) fn in_order(&mut self, request: &Message) -> bool {
        let Some((number, _)) = request.cseq() else {
            return false;
        };
        if self.remote_cseq.is_some_and(|last| number < last) {
            return false;
        }
        self.remote_cseq = Some(number);
        true
    }

    /// Their address, without its tag and other parameters.
    pub(crate) fn remote_address(&self) -> Option<AddressField> {
        let field = super::parse::address(&self.remote).ok()?;
        Some(AddressField {
            params: Vec::new(),
            ..field
        })
    }

    /// Where requests go.
    pub(crate) fn target(&self) -> &Uri {
        &self.target
    }

    /// Their tag; empty for a peer of RFC 2543.
    pub(crate) fn remote_tag(&self) -> &str {
        &self.remote_tag
    }

    fn build(&self, method: Method, cseq: u32) -> (Message, Option<Hop>) {
        let mut request = Message::request(method.clone(), self.target.clone());
        let hop = route::apply(&mut request, &self.routes, &self.target);
        let headers = &mut request.headers;
        headers.push("Max-Forwards", "70");
        headers.push("From", self.local.clone());
        headers.push("To", self.remote.clone());
        headers.push("Call-ID", self.call_id.clone());
        headers.push("CSeq", format!("{cseq} {method}"));
        (request, hop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::parse;

    fn invite() -> Message {
        parse::message(
            b"INVITE sip:bob@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n\
              Record-Route: <sip:p2;lr>, <sip:p1;lr>\r\nFrom: <sip:alice@a>;tag=a1\r\n\
              To: <sip:bob@b>\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\nContact: <sip:alice@10.0.0.1>\r\n\r\n",
        )
        .unwrap()
    }

    #[test]
    fn the_caller_reverses_the_record_route_and_the_callee_does_not() {
        let invite = invite();
        let mut ok = Message::response(&invite, 200, "OK", Some("b1"));
        ok.headers.push("Contact", "<sip:bob@10.0.0.2>");
        let mut caller = Dialog::of_client(&invite, &ok).unwrap();
        let (bye, hop) = caller.request(Method::Bye);
        assert_eq!(
            bye.headers.values("Route").collect::<Vec<_>>(),
            ["<sip:p1;lr>", "<sip:p2;lr>"]
        );
        assert_eq!(hop.unwrap().host_text(), "p1");
        assert_eq!(bye.uri().unwrap().to_string(), "sip:bob@10.0.0.2");
        assert_eq!(bye.cseq(), Some((8, Method::Bye)));
        assert_eq!((bye.from_tag(), bye.to_tag()), ("a1".into(), "b1".into()));
        let them = caller.remote_address().unwrap();
        assert_eq!(
            (them.uri.to_string().as_str(), them.params.len()),
            ("sip:bob@b", 0)
        );

        let mut callee = Dialog::of_server(&invite, "b1").unwrap();
        let (bye, hop) = callee.request(Method::Bye);
        assert_eq!(hop.unwrap().host_text(), "p2");
        assert_eq!(bye.uri().unwrap().to_string(), "sip:alice@10.0.0.1");
        assert_eq!((bye.from_tag(), bye.to_tag()), ("b1".into(), "a1".into()));
    }

    #[test]
    fn the_ack_has_the_number_of_the_invite() {
        let invite = invite();
        let ok = Message::response(&invite, 200, "OK", Some("b1"));
        let dialog = Dialog::of_client(&invite, &ok).unwrap();
        let (ack, _) = dialog.ack(7);
        assert_eq!(ack.cseq(), Some((7, Method::Ack)));
        // Without a Contact in the answer the Request-URI stays the target.
        assert_eq!(ack.uri().unwrap().to_string(), "sip:bob@b");
    }

    #[test]
    fn a_lower_number_is_out_of_order() {
        let mut dialog = Dialog::of_server(&invite(), "b1").unwrap();
        let with = |number: u32| {
            let mut request = invite();
            request.headers.set("CSeq", format!("{number} INVITE"));
            request
        };
        assert!(dialog.in_order(&with(9)));
        assert!(!dialog.in_order(&with(8)));
        assert!(dialog.in_order(&with(20)));
    }
}
