//! Challenges to our requests (RFC 3261 section 22, RFC 7616, RFC 8760).

use super::outgoing::{OutgoingId, Owner};
use crate::base::id::AccountId;
use crate::sip::digest::{Challenge, Subject};
use crate::sip::endpoint::Endpoint;
use crate::sip::message::{Message, Method};
use crate::sip::parse;

/// The challenge that ends the attempt: the third one.
const LAST_CHALLENGE: u8 = 3;

/// How many realms one account answers to.
const MAX_REALMS: usize = 8;

/// A challenge that was answered, for the next request of the same kind.
#[derive(Debug)]
pub(crate) struct KnownChallenge {
    challenge: Challenge,
    /// Whether a proxy asked (407).
    by_proxy: bool,
    /// Whether REGISTER was challenged; a registrar's nonce is of no use for a call.
    for_register: bool,
    /// How many requests were sent with its nonce.
    used: u32,
}

impl Endpoint {
    /// Learns the challenges of a 401 or 407 and prepares the request for its next attempt.
    /// `false` says that the response is final.
    pub(crate) fn learn_challenge(&mut self, id: OutgoingId, response: &Message) -> bool {
        let by_proxy = response.code() == Some(407);
        let chosen = challenges(response);
        let Some(outgoing) = self.outgoing.get_mut(&id) else {
            return false;
        };
        let is_last = outgoing.count_challenge() >= LAST_CHALLENGE;
        let (account, owner) = (outgoing.account, outgoing.owner);
        let for_register = outgoing.request.method() == Some(&Method::Register);
        let has_credentials = account
            .and_then(|account| self.accounts.get(&account))
            .is_some_and(|account| account.setup.credentials.is_some());
        let Some(known) = self.known_challenges(account) else {
            return false;
        };
        for challenge in &chosen {
            known.retain(|old| {
                old.challenge.realm != challenge.realm
                    || old.by_proxy != by_proxy
                    || old.for_register != for_register
            });
        }
        if is_last || chosen.is_empty() || !has_credentials {
            return false;
        }
        known.extend(chosen.into_iter().map(|challenge| KnownChallenge {
            challenge,
            by_proxy,
            for_register,
            used: 0,
        }));
        if known.len() > MAX_REALMS {
            known.drain(..known.len() - MAX_REALMS);
        }
        // A new attempt is a new request (RFC 3261 section 22.2).
        let Some(outgoing) = self.outgoing.get_mut(&id) else {
            return false;
        };
        let Some((number, method)) = outgoing.request.cseq() else {
            return false;
        };
        let number = number.saturating_add(1);
        outgoing
            .request
            .headers
            .set("CSeq", format!("{number} {method}"));
        self.used_cseq(owner, number);
        true
    }

    /// Adds the credentials for all challenges that are known for such a request.
    pub(crate) fn add_credentials(
        &mut self,
        request: &mut Message,
        account: Option<AccountId>,
        challenged: bool,
    ) {
        let (Some(method), Some(uri)) = (request.method().cloned(), request.uri()) else {
            return;
        };
        let uri = uri.to_string();
        let for_register = method == Method::Register;
        let cnonce = self.random.hex(16);
        let Some(account) = account.and_then(|id| self.accounts.get_mut(&id)) else {
            return;
        };
        let Some(credentials) = &account.setup.credentials else {
            return;
        };
        for known in &mut account.challenges {
            // Without a challenge to this request, credentials go only where the last request of
            // the same kind needed them.
            if known.for_register != for_register && !(challenged && known.by_proxy) {
                continue;
            }
            known.used = known.used.saturating_add(1);
            let subject = Subject {
                method: &method,
                uri: &uri,
                body: &request.body,
            };
            let value = known.challenge.authorize(
                &credentials.username,
                &credentials.password,
                subject,
                &cnonce,
                known.used,
            );
            let header = if known.by_proxy {
                "Proxy-Authorization"
            } else {
                "Authorization"
            };
            request.headers.push(header, value);
        }
    }

    /// Lets the one who numbers the requests know that a challenge used up another number.
    fn used_cseq(&mut self, owner: Owner, number: u32) {
        match owner {
            Owner::Register(id) => {
                if let Some(account) = self.accounts.get_mut(&id) {
                    account.cseq = account.cseq.max(number);
                }
            }
            Owner::Reinvite(id) | Owner::Bye(id) => {
                let session = self.sessions.get_mut(&id);
                if let Some(dialog) = session.and_then(|session| session.dialog.as_mut()) {
                    dialog.used_cseq(number);
                }
            }
            // The dialog is made from the INVITE that was sent last.
            Owner::Invite(_) | Owner::Nobody => {}
        }
    }
}

/// Whether a 401 or 407 asks in a way that we can answer.
pub(crate) fn is_supported(response: &Message) -> bool {
    !challenges(response).is_empty()
}

fn challenges(response: &Message) -> Vec<Challenge> {
    let header = if response.code() == Some(407) {
        "Proxy-Authenticate"
    } else {
        "WWW-Authenticate"
    };
    let fields: Vec<_> = response
        .headers
        .values(header)
        .filter_map(|value| parse::challenges(value).ok())
        .flatten()
        .collect();
    Challenge::choose(&fields)
}
