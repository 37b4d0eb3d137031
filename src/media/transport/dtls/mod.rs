//! The keys of a call's sound by a handshake on its own way (DTLS-SRTP, RFC 5763 and RFC 5764),
//! sans-IO but for the random numbers, which `rtc::dtls` draws itself.
//!
//! Input: `expect`, `apply` and `route`, `handle` for what comes, `handle_timeout`. Output: after each of them
//! `poll_transmit` and `poll_event` until they are empty.
//!
//! Anybody can begin a handshake with an open port, and whoever answers our offer may do so before the
//! answer says who it is. So several are done side by side, one for each source, each with bounds of
//! its own; and keys are taken only of the one whose certificate has the fingerprint of the answer.
//!
//! Nor does anybody end it for the far end: only a certificate that is the wrong one, at the very address where
//! the far end said that it is, is its last word. What else goes wrong is a try that failed, of which there
//! is another; its cause is told where none succeeds in time.

mod association;
mod identity;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use association::{Association, Broken};
pub use identity::{Identity, IdentityError};

use crate::sdp::{DtlsPlan, DtlsRole, SrtpKeys};

/// After so long without keys the call is over: nobody can be heard in it.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two handshakes that we begin.
const PAUSE: Duration = Duration::from_secs(1);
/// Who is asked has so long to answer before an answer from another port of its host is taken.
const ELSEWHERE_AFTER: Duration = Duration::from_secs(2);
/// Sources whose handshakes are done side by side.
const MAX_ATTEMPTS: usize = 4;
/// Datagrams that wait to be polled.
const MAX_WAITING: usize = 64;

/// Why a call gets no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DtlsFailure {
    /// The far end's certificate is another one.
    #[error(
        "the certificate at the far end is not the one that its session description names: somebody may sit in between; call again, and tell whoever runs the server if it stays so"
    )]
    Fingerprint,
    /// The far end broke it off.
    #[error(
        "the far end broke off the handshake for the keys of the sound (DTLS-SRTP); let it use TLS 1.2 ciphers with ECDHE and AES-GCM"
    )]
    Refused,
    /// It is no handshake that we can do.
    #[error("the handshake for the keys of the sound (DTLS-SRTP) went wrong at the far end")]
    Broken,
    /// It did not come to an end.
    #[error(
        "the far end did not do its part of the handshake for the keys of the sound (DTLS-SRTP) within 30 seconds; a firewall on the way may hold it back"
    )]
    Timeout,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DtlsEvent {
    /// The keys of a far end whose certificate is the right one.
    Keys(SrtpKeys),
    /// None will come.
    Failed(DtlsFailure),
}

/// A handshake with one source.
struct Attempt {
    peer: SocketAddr,
    /// Who was the first to answer; only that is heard from then on.
    source: Option<SocketAddr>,
    began: Instant,
    /// What its client began with, where that is the far end.
    hello: Vec<u8>,
    association: Association,
}

impl Attempt {
    /// Whether what comes from there belongs to it. Some answer from another port than the one that is
    /// asked; but that may be anybody's, so the one that is asked has its time first.
    fn hears(&self, now: Instant, from: SocketAddr) -> bool {
        let late = now.saturating_duration_since(self.began) >= ELSEWHERE_AFTER;
        match self.source {
            Some(source) => source == from,
            None => self.peer == from || (late && self.peer.ip() == from.ip()),
        }
    }
}

/// The handshakes of a call.
#[derive(Default)]
pub struct DtlsTransport {
    identity: Option<Identity>,
    /// Whether our offer invites to a handshake.
    expects: bool,
    plan: Option<DtlsPlan>,
    /// Where the far end said that it is.
    remote: Option<SocketAddr>,
    /// Whether it was told that no keys come.
    failed: bool,
    /// Until when there must be keys.
    deadline: Option<Instant>,
    /// When our side begins, or begins again.
    begins: Option<Instant>,
    attempts: Vec<Attempt>,
    /// Why the far end's last attempt failed.
    fault: Option<DtlsFailure>,
    transmits: VecDeque<(SocketAddr, Vec<u8>)>,
    events: VecDeque<DtlsEvent>,
}

impl DtlsTransport {
    /// Takes the certificate that handshakes are done with; without one none is done.
    pub fn identify(&mut self, identity: Option<Identity>) {
        self.identity = identity;
    }

    /// Takes handshakes from now on, though it is not agreed yet whose is the right one.
    pub fn expect(&mut self) {
        self.expects = true;
    }

    /// Takes what was agreed on, or that there is no handshake. `remote` is where the far end is; while
    /// that is not known, our side does not begin. True when new keys are to be waited for; a plan that
    /// says the same again keeps the association, wherever the far end is by now.
    pub fn apply(
        &mut self,
        now: Instant,
        plan: Option<&DtlsPlan>,
        remote: Option<SocketAddr>,
    ) -> bool {
        let Some(plan) = plan else {
            let identity = self.identity.take();
            *self = Self {
                identity,
                ..Self::default()
            };
            return false;
        };
        self.remote = remote;
        if self.plan.as_ref() == Some(plan) {
            return false;
        }
        self.fault = None;
        self.failed = false;
        self.deadline = Some(now + PATIENCE);
        self.begins = None;
        match plan.role {
            DtlsRole::Active => {
                self.attempts.clear();
                self.begins = Some(now);
            }
            DtlsRole::Passive => {}
        }
        self.plan = Some(plan.clone());
        self.handle_timeout(now);
        // Who began before the answer came may be done by now.
        let mut at = 0;
        while let Some(attempt) = self.attempts.get(at) {
            let stays = !attempt.association.is_complete() || self.settle(at);
            at += usize::from(stays);
        }
        true
    }

    /// Takes where the far end is by now, or that it is nowhere: what ICE has found out, in whose sessions
    /// nobody else can take part. What waited for a way begins at the next `handle_timeout`; handshakes
    /// that are under way go on there.
    pub fn route(&mut self, remote: Option<SocketAddr>) {
        self.remote = remote;
        if let Some(remote) = remote {
            for attempt in &mut self.attempts {
                attempt.peer = remote;
                attempt.source = None;
            }
        }
    }

    /// Takes a datagram of DTLS; false when it is of no use: it belongs to no handshake, or broke one.
    pub fn handle(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) -> bool {
        if self.failed {
            return false;
        }
        let known = self.attempts.iter().rposition(|a| a.hears(now, from));
        let known = known.filter(|at| !self.is_begun_anew(*at, datagram));
        let at = match (known, self.plan.as_ref().map(|plan| plan.role)) {
            (Some(at), _) => Some(at),
            (None, Some(DtlsRole::Active)) => None,
            (None, Some(DtlsRole::Passive)) => self.admit(now, from, datagram),
            (None, None) => {
                let invited = Some(()).filter(|()| self.expects);
                invited.and_then(|()| self.admit(now, from, datagram))
            }
        };
        let Some(at) = at else {
            return false;
        };
        let Some(attempt) = self.attempts.get_mut(at) else {
            return false;
        };
        attempt.source = Some(from);
        // Who has the keys may close what gave them.
        let complete = attempt.association.is_complete();
        self.step(now, at, |association| association.handle(now, datagram)) || complete
    }

    /// Does what time asks for.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.fail(self.fault.unwrap_or(DtlsFailure::Timeout));
        }
        self.attempts.retain(|attempt| {
            attempt.association.is_complete()
                || now.saturating_duration_since(attempt.began) < PATIENCE
        });
        let mut at = 0;
        while let Some(attempt) = self.attempts.get(at) {
            let due = attempt.association.poll_timeout();
            let stays = due.is_none_or(|due| now < due)
                || self.step(now, at, |association| association.handle_timeout(now));
            at += usize::from(stays);
        }
        if self.begins.is_some_and(|begins| begins <= now)
            && let (Some(remote), Some(identity)) = (self.remote, &self.identity)
        {
            self.begins = None;
            match Association::begin(now, identity, DtlsRole::Active) {
                Ok(association) => {
                    self.attempts.push(Attempt {
                        peer: remote,
                        source: None,
                        began: now,
                        hello: Vec::new(),
                        association,
                    });
                    self.drain(self.attempts.len().saturating_sub(1));
                }
                Err(_) => self.fail(DtlsFailure::Broken),
            }
        }
    }

    /// When `handle_timeout` is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let attempts = self.attempts.iter();
        let attempts = attempts.filter_map(|attempt| attempt.association.poll_timeout());
        let begins = self.begins.filter(|_| self.remote.is_some());
        attempts.chain(self.deadline).chain(begins).min()
    }

    /// The next datagram to send, and where to.
    pub fn poll_transmit(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        self.transmits.pop_front()
    }

    /// What came of it.
    pub fn poll_event(&mut self) -> Option<DtlsEvent> {
        self.events.pop_front()
    }

    /// Whether a datagram is the first one of another handshake than that with the same far end.
    fn is_begun_anew(&self, at: usize, datagram: &[u8]) -> bool {
        let Some(attempt) = self.attempts.get(at).filter(|a| !a.hello.is_empty()) else {
            return false;
        };
        Association::hello_in(datagram).is_some_and(|hello| hello != attempt.hello)
    }

    /// Makes room for a source that begins; none when it does not, or there are too many.
    fn admit(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) -> Option<usize> {
        let identity = self.identity.as_ref()?;
        let hello = Association::hello_in(datagram)?.to_vec();
        // Who begins anew has given its former try up; its keys, if there are any, go on until then.
        self.attempts
            .retain(|a| a.peer != from || a.association.is_complete());
        // The last place is the far end's, whoever else was quicker.
        let is_remote = self.remote.is_none_or(|remote| remote == from);
        let room = MAX_ATTEMPTS - usize::from(!is_remote);
        if self.attempts.len() >= room {
            return None;
        }
        let association = Association::begin(now, identity, DtlsRole::Passive).ok()?;
        self.attempts.push(Attempt {
            peer: from,
            source: Some(from),
            began: now,
            hello,
            association,
        });
        Some(self.attempts.len() - 1)
    }

    /// Moves one handshake on; false when it is gone.
    fn step(
        &mut self,
        now: Instant,
        at: usize,
        step: impl FnOnce(&mut Association) -> Result<(), Broken>,
    ) -> bool {
        let Some(attempt) = self.attempts.get_mut(at) else {
            return false;
        };
        let was_complete = attempt.association.is_complete();
        let done = step(&mut attempt.association);
        let complete = attempt.association.is_complete();
        self.drain(at);
        match done {
            Ok(()) if complete && !was_complete && self.plan.is_some() => self.settle(at),
            Ok(()) => true,
            // The keys go on as they are: what ends the call is told in SIP.
            Err(_) if was_complete => {
                self.attempts.remove(at);
                false
            }
            Err(broken) => {
                self.give_up(now, at, broken);
                false
            }
        }
    }

    /// Takes the keys of a handshake that is done, if it is the right far end's; false when it is not.
    fn settle(&mut self, at: usize) -> bool {
        let (Some(plan), Some(attempt)) = (&self.plan, self.attempts.get(at)) else {
            return false;
        };
        let certificate = attempt.association.certificate();
        let keys = attempt.association.keys();
        if !certificate.is_some_and(|certificate| plan.trusts(certificate)) {
            let attempt = self.attempts.remove(at);
            self.refuse(&attempt, DtlsFailure::Fingerprint);
            return false;
        }
        match keys {
            Some(keys) => {
                self.deadline = None;
                self.begins = None;
                let peer = attempt.peer;
                let mut others = 0..self.attempts.len();
                self.attempts
                    .retain(|a| others.next() == Some(at) || a.peer != peer);
                self.events.push_back(DtlsEvent::Keys(keys));
                true
            }
            // It agreed to no use of SRTP (RFC 5764 section 4.1.1).
            None => {
                let attempt = self.attempts.remove(at);
                self.refuse(&attempt, DtlsFailure::Refused);
                false
            }
        }
    }

    fn give_up(&mut self, now: Instant, at: usize, broken: Broken) {
        let attempt = self.attempts.remove(at);
        let begins = self
            .plan
            .as_ref()
            .is_some_and(|p| p.role == DtlsRole::Active);
        // Damage on the way, or by somebody else, who can write an alert in the clear, too: there is time
        // for another try.
        if self.is_remote(&attempt) {
            self.fault = match broken {
                Broken::Refused => Some(DtlsFailure::Refused),
                Broken::Failed => Some(DtlsFailure::Broken),
                Broken::Silent => self.fault,
            };
        }
        if begins && self.deadline.is_some() {
            self.begins = Some(now + PAUSE);
        }
    }

    /// The far end itself will not do; anybody else's failure is nobody's concern.
    fn refuse(&mut self, attempt: &Attempt, why: DtlsFailure) {
        if self.is_remote(attempt) {
            self.fail(why);
        } else {
            self.fault = Some(why);
        }
    }

    /// Whether its other side is the very place where the far end is. Another port of the same host may
    /// be anybody's: behind one NAT or one server there are many.
    fn is_remote(&self, attempt: &Attempt) -> bool {
        self.remote == attempt.source.or(Some(attempt.peer))
    }

    /// Tells that no keys come, once.
    fn fail(&mut self, why: DtlsFailure) {
        if self.deadline.take().is_some() {
            self.begins = None;
            self.failed = true;
            self.attempts.clear();
            self.events.push_back(DtlsEvent::Failed(why));
        }
    }

    fn drain(&mut self, at: usize) {
        let Some(attempt) = self.attempts.get_mut(at) else {
            return;
        };
        while let Some(bytes) = attempt.association.poll_transmit() {
            if self.transmits.len() < MAX_WAITING {
                self.transmits.push_back((attempt.peer, bytes));
            }
        }
    }
}

#[cfg(test)]
mod tests;
