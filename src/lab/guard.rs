//! Who may register and call: digest authentication from the server's side (RFC 7616, RFC 8760).

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::base::random::Random;
use crate::base::redact::Secret;
use crate::base::uri::Uri;
use crate::sip::digest::{self, Algorithm};
use crate::sip::message::Message;
use crate::sip::parse::{self, AuthFields};

/// How many nonces are remembered; the oldest is forgotten first, which makes it stale.
const MAX_NONCES: usize = 1024;

/// Asks for passwords and checks them.
pub(crate) struct Guard {
    realm: String,
    users: BTreeMap<String, Secret>,
    algorithms: Vec<Algorithm>,
    nonce_lifetime: Duration,
    nonces: BTreeMap<String, Nonce>,
    /// The same nonces, oldest first.
    by_age: VecDeque<String>,
}

/// What the guard says about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It comes from this user.
    Granted(String),
    /// It must prove who it is: the challenges, the preferred one first.
    Challenged(Vec<String>),
}

struct Nonce {
    issued: Instant,
    /// The highest count seen; a lower or equal one is a replay.
    count: u32,
    /// The request that had it: once more, it is a retransmission.
    used_by: String,
}

impl Guard {
    pub(crate) fn new(
        realm: String,
        users: BTreeMap<String, Secret>,
        algorithms: Vec<Algorithm>,
        nonce_lifetime: Duration,
    ) -> Self {
        Self {
            realm,
            users,
            algorithms,
            nonce_lifetime,
            nonces: BTreeMap::new(),
            by_age: VecDeque::new(),
        }
    }

    pub(crate) fn knows(&self, user: &str) -> bool {
        self.users.contains_key(user)
    }

    /// Judges the credentials in the header field of that name. A wrong password, an unknown user
    /// and no credentials at all look alike from outside. `transaction` is what a request has in
    /// common with its retransmissions.
    pub(crate) fn judge(
        &mut self,
        now: Instant,
        request: &Message,
        transaction: &str,
        field: &str,
        random: &mut dyn Random,
    ) -> Verdict {
        let ours = request
            .headers
            .values(field)
            .filter_map(|value| parse::credentials(value).ok())
            .find(|credentials| credentials.value("realm") == Some(self.realm.as_str()));
        let stale = match ours {
            None => false,
            Some(credentials) => match self.user_of(request, &credentials) {
                None => false,
                Some(user) if self.count(now, transaction, &credentials) => {
                    return Verdict::Granted(user);
                }
                Some(_) => true,
            },
        };
        Verdict::Challenged(self.challenges(now, stale, random))
    }

    /// The user whose password made these credentials for this very request.
    fn user_of(&self, request: &Message, credentials: &AuthFields) -> Option<String> {
        let algorithm = match credentials.value("algorithm") {
            Some(name) => Algorithm::parse(name)?,
            None => Algorithm::MD5,
        };
        if !self.algorithms.contains(&algorithm) || !names_request(request, credentials) {
            return None;
        }
        let user = credentials.value("username")?;
        let password = self.users.get(user)?;
        let method = request.method()?;
        digest::verify(credentials, &self.realm, password, method, &request.body).ok()?;
        Some(user.to_owned())
    }

    /// Whether the nonce is fresh and its count has not been used; then it is used now. Clients
    /// that know no `qop` send no count (RFC 7616 section 3.4).
    fn count(&mut self, now: Instant, transaction: &str, credentials: &AuthFields) -> bool {
        let given = credentials.value("nonce").unwrap_or_default();
        let Some(nonce) = self.nonces.get_mut(given) else {
            return false;
        };
        if now.saturating_duration_since(nonce.issued) >= self.nonce_lifetime {
            return false;
        }
        match credentials.value("nc") {
            None => true,
            Some(count) => match u32::from_str_radix(count, 16) {
                Ok(count) if count > nonce.count => {
                    nonce.count = count;
                    transaction.clone_into(&mut nonce.used_by);
                    true
                }
                Ok(count) if count == nonce.count => nonce.used_by == transaction,
                Ok(_) | Err(_) => false,
            },
        }
    }

    fn challenges(&mut self, now: Instant, stale: bool, random: &mut dyn Random) -> Vec<String> {
        if self.by_age.len() >= MAX_NONCES
            && let Some(oldest) = self.by_age.pop_front()
        {
            self.nonces.remove(&oldest);
        }
        let nonce = random.hex(16);
        let fresh = Nonce {
            issued: now,
            count: 0,
            used_by: String::new(),
        };
        self.nonces.insert(nonce.clone(), fresh);
        self.by_age.push_back(nonce.clone());
        self.algorithms
            .iter()
            .map(|algorithm| digest::challenge(&self.realm, &nonce, *algorithm, stale))
            .collect()
    }
}

/// Credentials hold for one Request-URI only (RFC 7616 section 3.4.6); elements on the way may
/// have changed how it is written.
fn names_request(request: &Message, credentials: &AuthFields) -> bool {
    let (Some(asked), Some(named)) = (request.uri(), credentials.value("uri")) else {
        return false;
    };
    match (asked, Uri::parse(named)) {
        (Uri::Sip(asked), Ok(Uri::Sip(named))) => asked.equivalent(&named),
        (asked, Ok(named)) => *asked == named,
        (_, Err(_)) => false,
    }
}
