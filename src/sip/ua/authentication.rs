//! Challenges to our requests (RFC 3261 section 22, RFC 7616, RFC 8760).

use std::collections::VecDeque;

use super::outgoing::{OutgoingId, Owner};
use crate::base::flow::Resolved;
use crate::base::id::AccountId;
use crate::base::uri::Uri;
use crate::sip::digest::{Challenge, Hash, Subject};
use crate::sip::endpoint::Endpoint;
use crate::sip::event::SipEvent;
use crate::sip::message::{Message, Method};
use crate::sip::parse::{self, AuthFields};

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
}

/// How many nonces one account counts: those of its challenges, and some that may come again.
const MAX_NONCES: usize = 32;

/// How many requests were sent with each nonce, whatever for (RFC 7616 section 3.4): a server takes
/// a count that comes twice for a replay. The nonce that was used last stands last.
#[derive(Debug, Clone, Default)]
pub(crate) struct NonceCounts(VecDeque<(String, u32)>);

impl NonceCounts {
    /// The count for the next request with a nonce, from 1.
    fn next(&mut self, nonce: &str) -> u32 {
        let at = self.0.iter().position(|(known, _)| known == nonce);
        let known = at.and_then(|at| self.0.remove(at));
        let (nonce, used) = known.unwrap_or_else(|| (nonce.to_owned(), 0));
        let count = used.saturating_add(1);
        if self.0.len() >= MAX_NONCES {
            self.0.pop_front();
        }
        self.0.push_back((nonce, count));
        count
    }
}

impl Endpoint {
    /// Learns the challenges of a 401 or 407 and prepares the request for its next attempt.
    /// `false` says that the response is final.
    pub(crate) fn learn_challenge(&mut self, id: OutgoingId, response: &Message) -> bool {
        let by_proxy = response.code() == Some(407);
        let (chosen, kept) = self.answerable(id, response);
        if let Some(outgoing) = self.outgoing.get_mut(&id) {
            outgoing.kept_back = kept;
        }
        let Some(outgoing) = self.outgoing.get_mut(&id) else {
            return false;
        };
        let is_last = outgoing.count_challenge() >= LAST_CHALLENGE;
        let account = outgoing.account;
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
            if let Some(outgoing) = self.outgoing.get_mut(&id) {
                if !has_credentials {
                    outgoing.kept_back = Some(KeptBack::NoPassword);
                } else if is_last && outgoing.kept_back.is_none() {
                    let stale = chosen.iter().any(|challenge| challenge.stale);
                    outgoing.kept_back = Some(if stale {
                        KeptBack::Stale
                    } else {
                        KeptBack::Refused
                    });
                }
            }
            return false;
        }
        known.extend(chosen.into_iter().map(|challenge| KnownChallenge {
            challenge,
            by_proxy,
            for_register,
        }));
        if known.len() > MAX_REALMS {
            known.drain(..known.len() - MAX_REALMS);
        }
        self.renumber(id)
    }

    /// Gives a request the next number of its dialog: another attempt after a refusal is a new
    /// request (RFC 3261 sections 8.1.3.5 and 22.2).
    pub(crate) fn renumber(&mut self, id: OutgoingId) -> bool {
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
        let (owner, tag) = (outgoing.owner, outgoing.request.to_tag());
        self.used_cseq(owner, &tag, number);
        true
    }

    /// The challenges of a response that may be answered, or why none may.
    fn answerable(
        &mut self,
        id: OutgoingId,
        response: &Message,
    ) -> (Vec<Challenge>, Option<KeptBack>) {
        let fields = challenge_fields(response);
        let all = Challenge::choose(&fields);
        let Some(outgoing) = self.outgoing.get(&id) else {
            return (Vec::new(), None);
        };
        if all.is_empty() {
            return (Vec::new(), Some(KeptBack::Unsupported(asked_for(&fields))));
        }
        let place = outgoing.place();
        let own_stream = outgoing.stream.map(|(connection, _)| connection);
        let registers = outgoing.request.method() == Some(&Method::Register);
        let target = outgoing.request.uri().and_then(Uri::as_sip).cloned();
        let account_id = outgoing.account;
        let own_call = self.is_in_own_call(id);
        let Some(account) = account_id.and_then(|id| self.accounts.get_mut(&id)) else {
            return (Vec::new(), Some(KeptBack::NoPassword));
        };
        let own_hop = own_call || account.is_own_way(place, own_stream);
        // Whatever the way, a call within the own domain is challenged by the own side.
        let own_target = registers || target.is_some_and(|uri| account.is_own_host(&uri.host));
        let mut chosen = Vec::new();
        let mut kept = None;
        for challenge in all {
            let realm = challenge.realm.clone();
            let own_realm = own_target || account.is_own_realm(&realm);
            if !own_hop || !own_realm {
                kept = Some(KeptBack::Foreign(realm));
                continue;
            }
            let strong = fields
                .iter()
                .filter_map(Challenge::from_fields)
                .find(|offered| offered.realm == realm && offered.algorithm.hash != Hash::Md5);
            let rules = &mut account.setup.digest;
            let was_strong = rules.strong_realms.contains(&realm);
            if strong.is_some() && !was_strong {
                if rules.strong_realms.len() >= MAX_REALMS {
                    rules.strong_realms.remove(0);
                }
                rules.strong_realms.push(realm.clone());
                if let Some(account) = account_id {
                    let realm = realm.clone();
                    self.border.event(SipEvent::StrongRealm { account, realm });
                }
            }
            let challenge = match strong {
                _ if rules.allow_md5 => challenge,
                // Whatever stands above it: an MD5 challenge may have been put there on the way.
                Some(strong) => strong,
                None if was_strong => {
                    kept = Some(KeptBack::Weaker(realm));
                    continue;
                }
                None => challenge,
            };
            account.learn_realm(realm);
            chosen.push(challenge);
        }
        let kept = kept.filter(|_| chosen.is_empty());
        (chosen, kept)
    }

    /// Tells why a call's challenge was not answered.
    pub(crate) fn tell_kept_back(&mut self, id: OutgoingId) {
        let Some(outgoing) = self.outgoing.get(&id) else {
            return;
        };
        let (Owner::Invite(session), Some(kept)) = (outgoing.owner, &outgoing.kept_back) else {
            return;
        };
        let why = kept.sentence("the far end");
        self.border
            .event(SipEvent::CredentialsKept { session, why });
    }

    /// Whether credentials may go with the next attempt of a request: a target that the far end chose,
    /// or that was typed, must not get what the own server asked for. A call that went or came by
    /// the own server goes on by a way that it chose, which may lead by its other machines.
    pub(crate) fn may_carry_credentials(&self, id: OutgoingId, place: Resolved) -> bool {
        let Some(outgoing) = self.outgoing.get(&id) else {
            return false;
        };
        let Some(account) = outgoing.account.and_then(|id| self.accounts.get(&id)) else {
            return false;
        };
        let stream = outgoing.stream.map(|(connection, _)| connection);
        account.is_own_way(Some(place), stream) || self.is_in_own_call(id)
    }

    /// Whether a request belongs to a call that goes by its account's own server: what stands further
    /// on the way may be another machine of the provider's.
    fn is_in_own_call(&self, id: OutgoingId) -> bool {
        let Some(outgoing) = self.outgoing.get(&id) else {
            return false;
        };
        let Some(account) = outgoing.account.and_then(|id| self.accounts.get(&id)) else {
            return false;
        };
        let call = match outgoing.owner {
            Owner::Change(id)
            | Owner::Refresh(id)
            | Owner::Prack(id)
            | Owner::Bye(id)
            | Owner::Information(id)
            | Owner::Refer(id)
            | Owner::ReferNews(id) => self.sessions.get(&id),
            Owner::Register(_)
            | Owner::Invite(_)
            | Owner::Subscribe(_)
            | Owner::Resubscribe(..)
            | Owner::Nobody => None,
        };
        let connection = |(connection, _)| connection;
        call.is_some_and(|call| account.is_own_way(call.place, call.stream.map(connection)))
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
        let cnonce = self.random.hex(8);
        let Some(account) = account.and_then(|id| self.accounts.get_mut(&id)) else {
            return;
        };
        let Some(credentials) = &account.setup.credentials else {
            return;
        };
        for known in &account.challenges {
            // Without a challenge to this request, credentials go only where the last request of
            // the same kind needed them.
            if known.for_register != for_register && !(challenged && known.by_proxy) {
                continue;
            }
            let count = account.nonces.next(&known.challenge.nonce);
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
                count,
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
    fn used_cseq(&mut self, owner: Owner, tag: &str, number: u32) {
        match owner {
            Owner::Register(id) => {
                if let Some(account) = self.accounts.get_mut(&id) {
                    account.cseq = account.cseq.max(number);
                }
            }
            Owner::Change(id)
            | Owner::Refresh(id)
            | Owner::Prack(id)
            | Owner::Information(id)
            | Owner::Refer(id)
            | Owner::ReferNews(id)
            | Owner::Bye(id) => {
                let session = self.sessions.get_mut(&id);
                if let Some(dialog) = session.and_then(|session| session.dialog_mut(tag)) {
                    dialog.used_cseq(number);
                }
            }
            Owner::Subscribe(id) => {
                if let Some(subscription) = self.subscriptions.get_mut(&id) {
                    subscription.cseq = subscription.cseq.max(number);
                }
            }
            Owner::Resubscribe(id, notifier) => {
                let subscription = self.subscriptions.get_mut(&id);
                if let Some(known) = subscription.and_then(|it| it.notifier_mut(notifier)) {
                    known.dialog.used_cseq(number);
                }
            }
            // The dialog is made from the INVITE that was sent last.
            Owner::Invite(_) | Owner::Nobody => {}
        }
    }
}

/// Why a challenge was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeptBack {
    /// There is no password.
    NoPassword,
    /// It asks for what we do not have; what that is.
    Unsupported(String),
    /// It comes from somebody else than the account's own server; the realm.
    Foreign(String),
    /// It asks for less than before; the realm.
    Weaker(String),
    /// The credentials were given and refused.
    Refused,
    /// They were given, and each time another proof of them was asked for.
    Stale,
}

impl KeptBack {
    /// The reason and what to do, with a name for the one who asks.
    pub(crate) fn sentence(&self, who: &str) -> String {
        match self {
            Self::NoPassword => {
                format!("{who} asks for a password, and none is set for this account")
            }
            Self::Unsupported(what) => format!(
                "{who} asks for credentials by {what}, which is not supported; it must offer Digest with SHA-256, SHA-512-256 or MD5"
            ),
            Self::Foreign(realm) => format!(
                "{who} asks for the password of \"{realm}\", which is not this account's own server; the password was not used"
            ),
            Self::Weaker(realm) => format!(
                "{who} asks by MD5 alone, though \"{realm}\" offered SHA-256 before: somebody may listen between; allow MD5 for this account only if the server was changed"
            ),
            Self::Refused => {
                format!("{who} refuses the user name or the password; check both")
            }
            Self::Stale => format!(
                "{who} calls each proof of the password outdated and asks for another, without end; its clock or the lifetime of its challenges is wrong, so ask its administrator"
            ),
        }
    }
}

fn challenge_fields(response: &Message) -> Vec<AuthFields> {
    let header = if response.code() == Some(407) {
        "Proxy-Authenticate"
    } else {
        "WWW-Authenticate"
    };
    response
        .headers
        .values(header)
        .filter_map(|value| parse::challenges(value).ok())
        .flatten()
        .collect()
}

/// What challenges that cannot be answered ask for.
fn asked_for(fields: &[AuthFields]) -> String {
    const SHOWN: usize = 40;
    let named: Vec<String> = fields
        .iter()
        .map(|field| {
            let what = match field.value("algorithm").or_else(|| field.value("qop")) {
                Some(what) if field.is_digest() => what,
                Some(_) | None => field.scheme.as_str(),
            };
            what.chars().take(SHOWN).collect()
        })
        .take(3)
        .collect();
    if named.is_empty() {
        "a challenge that cannot be read".to_owned()
    } else {
        named.join(" or ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_are_counted_apart_and_few_are_remembered() {
        let mut counts = NonceCounts::default();
        assert_eq!((counts.next("a"), counts.next("a")), (1, 2));
        for number in 0..200 {
            assert_eq!(counts.next(&number.to_string()), 1);
            // The one that is in use stays.
            assert_eq!(counts.next("a"), number + 3);
        }
        assert_eq!(counts.0.len(), MAX_NONCES);
    }
}
