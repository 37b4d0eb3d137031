//! The ACK of a 2xx (RFC 3261 section 13.2.2.4): no transaction, sent again for each repetition.

use std::time::Instant;

use super::lookup::Asked;
use super::outgoing::OutgoingId;
use crate::base::flow::Resolved;
use crate::sip::connection::Flow;
use crate::sip::endpoint::Endpoint;
use crate::sip::message::Message;
use crate::sip::route::Hop;
use crate::sip::transaction::ack_of;

/// The ACK of one 2xx, kept to answer each repetition (RFC 3261 section 13.2.2.4).
#[derive(Debug)]
pub(crate) struct Ack {
    message: Message,
    hop: Option<Hop>,
    /// Where it went; none while its hop is being resolved.
    sent: Option<(Flow, Vec<u8>)>,
}

impl Endpoint {
    /// Sends the ACK of a 2xx, and keeps it for repetitions.
    pub(crate) fn send_ack(
        &mut self,
        now: Instant,
        id: OutgoingId,
        tag: &str,
        mut ack: Message,
        hop: Option<Hop>,
    ) {
        self.name_session(&mut ack);
        // Credentials are those of the INVITE (section 22.1).
        if let Some(invite) = self.sent_invite(id) {
            for name in ["Authorization", "Proxy-Authorization"] {
                for value in invite.headers.values(name) {
                    ack.headers.push(name, value);
                }
            }
        }
        let Some(outgoing) = self.outgoing.get_mut(&id) else {
            return;
        };
        let transport = outgoing
            .account
            .and_then(|account| self.accounts.get(&account))
            .and_then(|account| account.setup.transport);
        let hop = hop.map(|hop| hop.or_transport(transport.or_else(|| outgoing.secure_way())));
        let local_ip = outgoing.place().map(|place| place.local_ip);
        // An ACK is never answered, so its Via needs no exact address and a literal hop no
        // resolver; the first hop of the INVITE is known already.
        let same_hop = hop.as_ref().is_some_and(|hop| {
            hop.host == outgoing.hop.host
                && hop.port == outgoing.hop.port
                && hop.transport.or(outgoing.hop.transport) == outgoing.hop.transport
        });
        let place = if same_hop {
            outgoing.place()
        } else {
            hop.as_ref().and_then(|hop| hop.literal(local_ip?))
        };
        outgoing.acks.insert(
            tag.to_owned(),
            Ack {
                message: ack,
                hop: hop.clone(),
                sent: None,
            },
        );
        match (place, hop) {
            (Some(place), _) => self.send_resolved_ack(now, id, tag, place),
            (None, Some(hop)) => self.ask(now, Asked::Ack(id, tag.to_owned()), &hop),
            // A Contact that cannot be reached: the peer will end the call itself.
            (None, None) => {}
        }
    }

    /// Acknowledges a 2xx to our re-INVITE whose call ended meanwhile: the far end repeats it until
    /// then.
    pub(crate) fn ack_after_end(&mut self, now: Instant, id: OutgoingId, response: &Message) {
        let invite = self.sent_invite(id);
        let hop = self.outgoing.get(&id).map(|outgoing| outgoing.hop.clone());
        if let Some(mut ack) = invite.and_then(|invite| ack_of(&invite, response)) {
            ack.headers.remove("Via");
            self.send_ack(now, id, &response.to_tag(), ack, hop);
        }
    }

    /// Whether a 2xx of that tag was acknowledged before; if so, it is acknowledged again.
    pub(crate) fn repeat_ack(&mut self, now: Instant, id: OutgoingId, tag: &str) -> bool {
        let Some(ack) = self.outgoing.get(&id).and_then(|o| o.acks.get(tag)) else {
            return false;
        };
        let hop = ack.hop.clone();
        let question = Asked::Ack(id, tag.to_owned());
        match (ack.sent.clone(), hop) {
            (Some((flow, bytes)), _) => self.send(now, &flow, bytes),
            // The resolver failed the first time.
            (None, Some(hop)) if !self.resolving.values().any(|asked| *asked == question) => {
                self.ask(now, question, &hop);
            }
            (None, _) => {}
        }
        true
    }

    /// How many 2xx of one INVITE are acknowledged.
    pub(crate) fn ack_count(&self, id: OutgoingId) -> usize {
        self.outgoing.get(&id).map_or(0, |o| o.acks.len())
    }

    /// Sends an ACK whose hop is known now.
    pub(crate) fn send_resolved_ack(
        &mut self,
        now: Instant,
        id: OutgoingId,
        tag: &str,
        place: Resolved,
    ) {
        let branch = format!("z9hG4bK{}", self.random.hex(12));
        let via = self.via(&place, &branch);
        let Some(outgoing) = self.outgoing.get(&id) else {
            return;
        };
        let hop = outgoing.acks.get(tag).and_then(|ack| ack.hop.as_ref());
        let host = hop.map_or_else(|| outgoing.hop.host.clone(), |hop| hop.host.clone());
        let (stream, account) = (outgoing.stream, outgoing.account);
        let flow = self.flow_to(now, &place, stream, &host, account);
        let Some(ack) = self.outgoing.get_mut(&id).and_then(|o| o.acks.get_mut(tag)) else {
            return;
        };
        let mut message = ack.message.clone();
        message.headers.prepend("Via", via);
        let bytes = message.to_bytes();
        ack.sent = Some((flow.clone(), bytes.clone()));
        self.send(now, &flow, bytes);
    }
    /// The INVITE as its last attempt sent it.
    pub(crate) fn sent_invite(&self, outgoing: OutgoingId) -> Option<Message> {
        let transaction = self.outgoing.get(&outgoing)?.current()?;
        let (request, _) = self.transactions.client_request(transaction)?;
        Some(request.clone())
    }
}
