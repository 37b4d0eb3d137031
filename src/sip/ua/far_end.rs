//! What the answers to our INVITE say of the far end.

use super::outgoing::{Outgoing, OutgoingId};
use crate::base::id::AccountId;
use crate::sip::caller;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{EarlyMedia, NameAddr};
use crate::sip::message::Message;

impl Endpoint {
    /// Who answered, where the account's own server says so (P-Asserted-Identity in the 2xx, RFC 3325
    /// section 5); what anybody else writes there is worth nothing.
    pub(super) fn answered_by(
        &self,
        outgoing: OutgoingId,
        account: Option<AccountId>,
        response: &Message,
    ) -> Option<NameAddr> {
        let transaction = self.outgoing.get(&outgoing).and_then(Outgoing::current)?;
        let (_, flow) = self.transactions.client_request(transaction)?;
        let trusted = self.is_from_own_server(account, flow);
        trusted.then(|| caller::asserted(response)).flatten()
    }
}

/// P-Early-Media (RFC 5009 section 8): sound comes to the caller by `sendrecv` or `sendonly`.
pub(super) fn early_media(response: &Message) -> EarlyMedia {
    let said = response.tokens("P-Early-Media");
    let says = |word: &str| said.iter().any(|it| it.eq_ignore_ascii_case(word));
    if says("sendrecv") || says("sendonly") {
        EarlyMedia::Allowed
    } else if says("inactive") || says("recvonly") {
        EarlyMedia::Withheld
    } else {
        EarlyMedia::Unsaid
    }
}
