//! ICE of calls: which servers are asked where a call's sockets may be reached, and what became of it.
//!
//! Names of servers are looked up when a call needs them. A call waits a second for that at most, and
//! then goes on without the server.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::app::engine::Engine;
use crate::app::options::IceAccess;
use crate::base::flow::{Output, ResolveId, Resolved, Transport};
use crate::base::id::CallId;
use crate::control::Event;
use crate::crm::row::CallState;
use crate::media::{IceFault, IceServers, MediaCommand, TurnFault, TurnServer};
use crate::sdp::Candidate;
use crate::sdp::ice::{RTP, Settled};

/// How long a call waits for a server's name.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long an answer is believed before it is asked for again.
const FRESH: Duration = Duration::from_secs(300);
/// Names that are remembered: two for each account.
const MAX_NAMES: usize = 64;
/// The questions of this room; those of the SIP core count from zero.
const FIRST_QUESTION: u64 = 1 << 63;

/// A server by name.
type Name = (String, u16);

/// What is known of a name.
#[derive(Debug, Clone, Copy)]
enum Known {
    Asked(ResolveId),
    Answered(Option<SocketAddr>, Instant),
}

/// A call that waits for its candidates.
#[derive(Debug)]
struct Gathering {
    rtp: SocketAddr,
    /// Until when it waits for names; none once the sound thread gathers.
    until: Option<Instant>,
}

/// What is known of servers, and which calls wait.
#[derive(Debug, Default)]
pub(super) struct IceNames {
    names: BTreeMap<Name, Known>,
    questions: u64,
    gathering: BTreeMap<CallId, Gathering>,
}

impl IceNames {
    /// When a call has waited long enough.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.gathering.values().filter_map(|it| it.until).min()
    }

    /// Forgets addresses: the network is another.
    pub(super) fn forget(&mut self) {
        self.names
            .retain(|_, known| matches!(known, Known::Asked(_)));
    }

    /// The address of a server; none while it is being asked for.
    fn address(&self, now: Instant, name: &Name) -> Option<Option<SocketAddr>> {
        if let Ok(ip) = name.0.parse() {
            return Some(Some(SocketAddr::new(ip, name.1)));
        }
        match self.names.get(name) {
            Some(Known::Answered(address, at)) if now.saturating_duration_since(*at) < FRESH => {
                Some(*address)
            }
            Some(_) | None => None,
        }
    }

    /// A question to be asked, unless it is.
    fn ask(&mut self, name: &Name) -> Option<ResolveId> {
        if matches!(self.names.get(name), Some(Known::Asked(_))) {
            return None;
        }
        if self.names.len() >= MAX_NAMES {
            self.names.pop_first();
        }
        self.questions += 1;
        let id = ResolveId(FIRST_QUESTION + self.questions);
        self.names.insert(name.clone(), Known::Asked(id));
        Some(id)
    }
}

impl Engine {
    /// A call's sockets are bound: finds out where they may be reached, where the call has ICE.
    /// Says whether it does, and the call waits for it.
    pub(super) fn begins_ice(&mut self, now: Instant, id: CallId, rtp: SocketAddr) -> bool {
        let call = self.calls.get(&id);
        if call.is_none_or(|call| call.call.credentials().is_none()) {
            return false;
        }
        let access = self.ice_access(id);
        for name in [access.options.stun_server(), access.options.turn_server()] {
            let Some(name) = name.filter(|name| self.ice.address(now, name).is_none()) else {
                continue;
            };
            if let Some(question) = self.ice.ask(&name) {
                self.net.perform(Output::Resolve {
                    id: question,
                    host: name.0,
                    port: Some(name.1),
                    transport: Some(Transport::Udp),
                    secure: false,
                });
            }
        }
        let calls = &self.calls;
        self.ice.gathering.retain(|id, _| calls.contains_key(id));
        let until = Some(now + PATIENCE);
        self.ice.gathering.insert(id, Gathering { rtp, until });
        self.gather(now, id);
        true
    }

    /// A name was looked up; says whether it was one of these.
    pub(super) fn takes_server(
        &mut self,
        now: Instant,
        id: ResolveId,
        answer: &Result<Vec<Resolved>, String>,
    ) -> bool {
        if id.0 < FIRST_QUESTION {
            return false;
        }
        let mut names = self.ice.names.iter_mut();
        let asked = names.find(|(_, known)| matches!(known, Known::Asked(asked) if *asked == id));
        let Some((name, known)) = asked else {
            return true;
        };
        let address = answer.as_ref().ok().and_then(|it| it.first());
        *known = Known::Answered(address.map(|it| it.remote), now);
        if let Err(problem) = answer {
            let text = format!("calls go without the server {}: {problem}", name.0);
            self.problem(None, text);
        }
        let waiting: Vec<CallId> = self.ice.gathering.keys().copied().collect();
        for call in waiting {
            self.gather(now, call);
        }
        true
    }

    /// Calls that have waited long enough go on.
    pub(super) fn handle_ice_timeouts(&mut self, now: Instant) {
        let due = |it: &Gathering| it.until.is_some_and(|until| until <= now);
        let gathering = self.ice.gathering.iter();
        let due: Vec<CallId> = gathering
            .filter(|(_, it)| due(it))
            .map(|(id, _)| *id)
            .collect();
        for call in due {
            self.gather(now, call);
        }
    }

    /// The sound thread has found out where a call's sockets may be reached.
    pub(super) fn handle_gathered(
        &mut self,
        now: Instant,
        id: CallId,
        candidates: Vec<Candidate>,
        problem: Option<TurnFault>,
    ) {
        let Some(Gathering { rtp, .. }) = self.ice.gathering.remove(&id) else {
            return;
        };
        if let Some(problem) = problem {
            self.problem(Some(id), problem.to_string());
        }
        self.with_call(now, id, |call| {
            if candidates.is_empty() {
                call.call.handle_media_failed(
                    "sound may go by the TURN server alone, and it gives no address; correct the account's TURN server, or allow other ways",
                );
            } else {
                call.call.handle_gathered(rtp, candidates);
            }
        });
    }

    /// A call's sockets cannot be used: nobody waits for their addresses any more.
    pub(super) fn handle_gathering_failed(&mut self, now: Instant, id: CallId, why: &str) {
        if self.ice.gathering.remove(&id).is_some() {
            self.with_call(now, id, |call| call.call.handle_media_failed(why));
        }
    }

    /// The way of a call's sound was chosen.
    pub(super) fn handle_settled(&mut self, now: Instant, id: CallId, pairs: Vec<Settled>) {
        let rtp = pairs.iter().find(|pair| pair.component == RTP).copied();
        if let (Some(call), Some(pair)) = (self.calls.get_mut(&id), rtp) {
            call.sound.remote = Some(pair.remote);
            let event = Event::Path {
                call: call.context(),
                local: pair.local.to_string(),
                remote: pair.remote.to_string(),
            };
            self.tell(event);
        }
        self.with_call(now, id, |call| call.call.handle_settled(pairs));
    }

    /// A call's sound has no way to its far end: the call ends, with a sentence.
    pub(super) fn handle_no_path(&mut self, now: Instant, id: CallId, fault: IceFault) {
        let words = fault.to_string();
        self.problem(Some(id), words.clone());
        if let Some(call) = self.calls.get_mut(&id)
            && call.ended.is_none()
        {
            let state = if call.answered.is_some() {
                CallState::Completed
            } else {
                CallState::Failed
            };
            call.ended_by_rule = Some((state, words));
            self.hang_up(now, id);
        }
    }

    /// Lets the sound thread gather once all names are known or the call has waited long enough.
    fn gather(&mut self, now: Instant, id: CallId) {
        let access = self.ice_access(id);
        let credentials = self.calls.get(&id).and_then(|call| call.call.credentials());
        let Some(gathering) = self.ice.gathering.get(&id) else {
            return;
        };
        let (Some(until), Some(credentials)) = (gathering.until, credentials.cloned()) else {
            return;
        };
        let stun = access.options.stun_server();
        let turn = access.options.turn_server();
        let known = |name: &Option<Name>| match name {
            Some(name) => self.ice.address(now, name),
            None => Some(None),
        };
        let (stun, turn) = (known(&stun), known(&turn));
        if now < until && (stun.is_none() || turn.is_none()) {
            return;
        }
        let servers = IceServers {
            stun: stun.flatten(),
            turn: turn.flatten().map(|address| TurnServer {
                address,
                user: access.options.turn_user.clone(),
                password: access.turn_password.clone().unwrap_or_default(),
            }),
            relay_only: access.options.relay_only,
        };
        if let Some(gathering) = self.ice.gathering.get_mut(&id) {
            gathering.until = None;
        }
        self.sound(MediaCommand::Gather {
            call: id,
            credentials,
            servers: Box::new(servers),
        });
    }

    /// What a call may use.
    fn ice_access(&self, id: CallId) -> IceAccess {
        let account = self.calls.get(&id).and_then(|call| call.account);
        account
            .and_then(|account| self.account(account))
            .map_or_else(
                || self.options.direct_ice.clone(),
                |live| IceAccess {
                    options: live.account.ice.clone(),
                    turn_password: live.turn_password.clone(),
                },
            )
    }
}
