//! Who is where: the bindings that REGISTER makes (RFC 3261 section 10.3).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::base::flow::Transport;
use crate::base::uri::{SipUri, Uri};
use crate::lab::hop::flow_to;
use crate::sip::message::Message;
use crate::sip::parse::{AddressField, ContactField};

/// How many addresses one user may have at once.
const MAX_BINDINGS: usize = 16;

/// A path to a phone: the far end of a datagram or of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Flow {
    pub(crate) transport: Transport,
    pub(crate) remote: SocketAddr,
}

/// The lifetimes that the registrar grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// A shorter wish is refused with 423.
    pub min: Duration,
    /// What is granted when nothing is wished.
    pub usual: Duration,
    /// A longer wish is cut to this.
    pub max: Duration,
}

/// Where a user can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    /// The Contact as registered, its parameters too, without `expires`.
    pub(crate) contact: AddressField,
    /// The way the registration came, which leads back through any NAT.
    pub(crate) flow: Flow,
    pub(crate) expires_at: Instant,
    call_id: String,
    cseq: u32,
}

/// The bindings of all users.
#[derive(Debug, Default)]
pub(crate) struct Registrar {
    lifetimes: Lifetimes,
    /// The most recent binding of a user comes last.
    bindings: BTreeMap<String, Vec<Binding>>,
}

/// Why a REGISTER changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 400: the request makes no sense.
    Malformed(&'static str),
    /// 423: the wish is too short.
    TooBrief,
    /// 500: it is older than what it would change.
    OutOfOrder,
    /// 403: there are too many bindings.
    TooMany,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            min: Duration::from_secs(10),
            usual: Duration::from_secs(3600),
            max: Duration::from_secs(7200),
        }
    }
}

impl Registrar {
    pub(crate) fn new(lifetimes: Lifetimes) -> Self {
        Self {
            lifetimes,
            bindings: BTreeMap::new(),
        }
    }

    pub(crate) fn lifetimes(&self) -> Lifetimes {
        self.lifetimes
    }

    /// Carries out a REGISTER of a user who has proved to be that user. All of it happens, or
    /// nothing does.
    pub(crate) fn register(
        &mut self,
        now: Instant,
        user: &str,
        request: &Message,
        flow: Flow,
    ) -> Result<(), Refusal> {
        self.expire(now);
        let (cseq, _) = request.cseq().ok_or(Refusal::Malformed("CSeq"))?;
        let call_id = request.call_id();
        let wished = request.seconds("Expires");
        let contacts = request.contacts();
        if contacts.len() < request.headers.values("Contact").count() {
            return Err(Refusal::Malformed("Contact"));
        }
        let old = self.bindings.get(user).cloned().unwrap_or_default();
        let outdated = |binding: &Binding| binding.call_id == call_id && binding.cseq >= cseq;
        if contacts.contains(&ContactField::All) {
            if contacts.len() > 1 || wished != Some(0) {
                return Err(Refusal::Malformed("Contact"));
            }
            if old.iter().any(outdated) {
                return Err(Refusal::OutOfOrder);
            }
            self.bindings.remove(user);
            return Ok(());
        }
        let mut changed = old;
        for contact in contacts {
            let ContactField::Address(mut contact) = contact else {
                continue;
            };
            let lifetime = self.lifetime(contact.expires().or(wished))?;
            contact
                .params
                .retain(|param| !param.name.eq_ignore_ascii_case("expires"));
            if let Some(place) = changed.iter().position(|it| same(&it.contact, &contact)) {
                if changed.get(place).is_some_and(outdated) {
                    return Err(Refusal::OutOfOrder);
                }
                changed.remove(place);
            }
            if lifetime.is_zero() {
                continue;
            }
            if changed.len() >= MAX_BINDINGS {
                return Err(Refusal::TooMany);
            }
            changed.push(Binding {
                contact,
                flow,
                expires_at: now + lifetime,
                call_id: call_id.to_owned(),
                cseq,
            });
        }
        if changed.is_empty() {
            self.bindings.remove(user);
        } else {
            self.bindings.insert(user.to_owned(), changed);
        }
        Ok(())
    }

    /// Removes what has run out; tells whose last binding it was.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<String> {
        let mut gone = Vec::new();
        self.bindings.retain(|user, bindings| {
            bindings.retain(|binding| binding.expires_at > now);
            if bindings.is_empty() {
                gone.push(user.clone());
            }
            !bindings.is_empty()
        });
        gone
    }

    /// Learns that a stream is closed: what came over it is reached at its Contact from now on.
    pub(crate) fn forget_stream(&mut self, remote: SocketAddr) {
        for binding in self.bindings.values_mut().flatten() {
            let gone = binding.flow.transport == Transport::Tcp && binding.flow.remote == remote;
            if gone
                && let Uri::Sip(contact) = &binding.contact.uri
                && let Some(flow) = flow_to(contact)
            {
                binding.flow = flow;
            }
        }
    }

    /// The bindings of a user that hold now, the most recent first.
    pub(crate) fn bindings(&self, now: Instant, user: &str) -> impl Iterator<Item = &Binding> {
        self.bindings
            .get(user)
            .into_iter()
            .flatten()
            .rev()
            .filter(move |binding| binding.expires_at > now)
    }

    /// The flow of the phone that registered exactly this Contact.
    pub(crate) fn flow_of(&self, now: Instant, contact: &SipUri) -> Option<Flow> {
        self.bindings
            .values()
            .flatten()
            .filter(|binding| binding.expires_at > now)
            .find(
                |binding| matches!(&binding.contact.uri, Uri::Sip(uri) if uri.equivalent(contact)),
            )
            .map(|binding| binding.flow)
    }

    /// When the next binding runs out.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let all = self.bindings.values().flatten();
        all.map(|binding| binding.expires_at).min()
    }

    fn lifetime(&self, wished: Option<u32>) -> Result<Duration, Refusal> {
        let Lifetimes { min, usual, max } = self.lifetimes;
        let wished = wished.map_or(usual, |seconds| Duration::from_secs(seconds.into()));
        if wished.is_zero() || wished >= min {
            Ok(wished.min(max))
        } else {
            Err(Refusal::TooBrief)
        }
    }
}

fn same(ours: &AddressField, theirs: &AddressField) -> bool {
    match (&ours.uri, &theirs.uri) {
        (Uri::Sip(ours), Uri::Sip(theirs)) => ours.equivalent(theirs),
        (ours, theirs) => ours == theirs,
    }
}
