//! All transactions, and which one a message belongs to (RFC 3261 sections 17.1.3 and 17.2.3).

use std::collections::HashMap;
use std::net::IpAddr;

use super::client_invite::ClientInvite;
use super::client_non_invite::ClientNonInvite;
use super::server_invite::ServerInvite;
use super::server_key::ServerKey;
use super::server_non_invite::ServerNonInvite;
use super::shares::{Shares, Standing};
use super::{ClientInput, ServerInput, Step, Steps, TransactionId, TransactionTimer};
use crate::base::flow::ConnectionId;
use crate::sip::connection::Flow;
use crate::sip::event::SessionId;
use crate::sip::message::{Message, Method};
use crate::sip::ua::OutgoingId;

/// How many transactions of a person's phone may live at once, of those that others begin and of
/// those that we begin: nobody outside keeps us from calling.
const LIMIT: usize = 4_096;

/// The same for a phone that may have thousands of calls.
const BUSY_LIMIT: usize = 131_072;

/// Who started a client transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientOwner {
    /// An outgoing request.
    Outgoing(OutgoingId),
    /// The CANCEL of a session's INVITE.
    Cancel(SessionId),
}

/// What a merged request has in common with its twin (RFC 3261 section 8.2.2.2).
type MergeKey = (String, String, Option<(u32, Method)>);

#[derive(Debug)]
enum ClientMachine {
    Invite(ClientInvite),
    Other(ClientNonInvite),
}

#[derive(Debug)]
struct Client {
    machine: ClientMachine,
    key: (String, Method),
    flow: Flow,
    owner: ClientOwner,
    /// The request, from which ACK and CANCEL are made.
    request: Message,
}

#[derive(Debug)]
enum ServerMachine {
    Invite(ServerInvite),
    Other(ServerNonInvite),
}

#[derive(Debug)]
struct Server {
    machine: ServerMachine,
    key: ServerKey,
    merge_key: MergeKey,
    flow: Flow,
    /// Whose share it takes from; none for the own servers, which have none.
    source: Option<IpAddr>,
    /// The tag that its answers gave To.
    to_tag: Option<String>,
    /// The request, until the final answer: what repeats it needs only that answer.
    request: Option<Message>,
}

/// What the endpoint must do after a transaction moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Send on the transaction's flow.
    Send(Flow, Vec<u8>),
    /// Set a timer.
    Start(TransactionId, TransactionTimer, std::time::Duration),
    /// Cancel a timer.
    Stop(TransactionId, TransactionTimer),
    /// Give the message to the user agent.
    Pass,
    /// Tell the user agent that a client transaction got no final answer.
    ClientTimedOut(TransactionId, ClientOwner),
    /// A client transaction is over.
    ClientEnded(TransactionId, ClientOwner),
}

/// What an incoming request is to the transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// It belongs to a transaction, which has dealt with it.
    Known,
    /// It is new.
    New,
}

/// All transactions.
#[derive(Debug)]
pub(crate) struct Transactions {
    /// How many of each kind may live at once, those included that only absorb repetitions.
    limit: usize,
    /// Who began those of the servers.
    shares: Shares,
    clients: HashMap<TransactionId, Client>,
    client_keys: HashMap<(String, Method), TransactionId>,
    servers: HashMap<TransactionId, Server>,
    server_keys: HashMap<ServerKey, TransactionId>,
    merge_keys: HashMap<MergeKey, TransactionId>,
    last_id: u64,
}

impl Transactions {
    /// Makes an empty table for a phone with so many calls at once: a busy one ends a thousand
    /// calls a second, and each leaves two transactions for 32 s (timers J and L).
    pub(crate) fn new(max_sessions: usize) -> Self {
        Self {
            limit: max_sessions.saturating_mul(2).clamp(LIMIT, BUSY_LIMIT),
            shares: Shares::default(),
            clients: HashMap::new(),
            client_keys: HashMap::new(),
            servers: HashMap::new(),
            server_keys: HashMap::new(),
            merge_keys: HashMap::new(),
            last_id: 0,
        }
    }

    /// How many live.
    pub(crate) fn len(&self) -> usize {
        self.clients.len() + self.servers.len()
    }

    /// Whether we may begin no more.
    pub(crate) fn is_full(&self) -> bool {
        self.clients.len() >= self.limit
    }

    /// Whether a source may begin another one.
    pub(crate) fn has_room(&self, source: IpAddr, standing: Standing) -> bool {
        let taken = self.servers.len();
        self.shares.has_room(self.limit, taken, source, standing)
    }

    /// Sends a request whose top Via names a new branch.
    pub(crate) fn start_client(
        &mut self,
        request: Message,
        flow: Flow,
        owner: ClientOwner,
        out: &mut Vec<Outcome>,
    ) -> TransactionId {
        let id = self.new_id();
        let method = request.method().cloned().unwrap_or(Method::Options);
        let bytes = request.to_bytes();
        let mut steps = Steps::default();
        let reliable = flow.reliable();
        let machine = if method == Method::Invite {
            ClientMachine::Invite(ClientInvite::start(&bytes, reliable, &mut steps))
        } else {
            ClientMachine::Other(ClientNonInvite::start(&bytes, reliable, &mut steps))
        };
        let key = (request.branch(), method);
        self.client_keys.insert(key.clone(), id);
        write_out(id, &flow, owner, steps, out);
        self.clients.insert(
            id,
            Client {
                machine,
                key,
                flow,
                owner,
                request,
            },
        );
        id
    }

    /// Finds the client transaction of a response and moves it; `Pass` says that the user agent
    /// must see the response.
    pub(crate) fn handle_response(
        &mut self,
        response: &Message,
        out: &mut Vec<Outcome>,
    ) -> Option<(TransactionId, ClientOwner)> {
        let (_, method) = response.cseq()?;
        let id = *self.client_keys.get(&(response.branch(), method))?;
        let code = response.code()?;
        let client = self.clients.get(&id)?;
        let owner = client.owner;
        let ack = match client.machine {
            ClientMachine::Invite(_) if code >= 300 => ack_of(&client.request, response)
                .map(|ack| ack.to_bytes())
                .unwrap_or_default(),
            ClientMachine::Invite(_) | ClientMachine::Other(_) => Vec::new(),
        };
        self.move_client(id, ClientInput::Response { code, ack: &ack }, out);
        Some((id, owner))
    }

    /// Makes a server transaction for a new request.
    pub(crate) fn start_server(
        &mut self,
        key: ServerKey,
        request: Message,
        flow: Flow,
        standing: Standing,
    ) -> TransactionId {
        let id = self.new_id();
        let source = self.shares.take(flow.remote().ip(), standing);
        let machine = if request.method() == Some(&Method::Invite) {
            ServerMachine::Invite(ServerInvite::start())
        } else {
            ServerMachine::Other(ServerNonInvite::start())
        };
        let merge_key = merge_key(&request);
        self.server_keys.insert(key.clone(), id);
        self.merge_keys.entry(merge_key.clone()).or_insert(id);
        self.servers.insert(
            id,
            Server {
                machine,
                key,
                merge_key,
                flow,
                source,
                to_tag: None,
                request: Some(request),
            },
        );
        id
    }

    /// Gives a request (ACK included) to the transaction that it repeats or acknowledges.
    pub(crate) fn handle_request(
        &mut self,
        key: &ServerKey,
        request: &Message,
        out: &mut Vec<Outcome>,
    ) -> Incoming {
        let Some(id) = self.server_keys.get(key).copied() else {
            return Incoming::New;
        };
        let input = if request.method() == Some(&Method::Ack) {
            ServerInput::Ack
        } else {
            ServerInput::Again
        };
        let before = out.len();
        self.move_server(id, input, out);
        // An ACK of a 2xx on the INVITE's branch is for the user agent.
        let passed = out.split_off(before);
        let is_new = passed.contains(&Outcome::Pass);
        out.extend(passed.into_iter().filter(|step| *step != Outcome::Pass));
        if is_new {
            Incoming::New
        } else {
            Incoming::Known
        }
    }

    /// Answers the request of a server transaction; nothing happens when it is over.
    pub(crate) fn respond(
        &mut self,
        id: TransactionId,
        response: &Message,
        out: &mut Vec<Outcome>,
    ) {
        let bytes = response.to_bytes();
        let code = response.code().unwrap_or(500);
        if let Some(server) = self.servers.get_mut(&id) {
            server.to_tag = Some(response.to_tag()).filter(|tag| !tag.is_empty());
        }
        self.move_server(
            id,
            ServerInput::Respond {
                code,
                bytes: &bytes,
            },
            out,
        );
    }

    /// Runs a timer.
    pub(crate) fn handle_timer(
        &mut self,
        id: TransactionId,
        timer: TransactionTimer,
        out: &mut Vec<Outcome>,
    ) {
        if self.clients.contains_key(&id) {
            self.move_client(id, ClientInput::Timer(timer), out);
        } else {
            self.move_server(id, ServerInput::Timer(timer), out);
        }
    }

    /// Ends a client transaction without a word, because its flow broke or nobody waits for it.
    pub(crate) fn drop_client(&mut self, id: TransactionId, out: &mut Vec<Outcome>) {
        if let Some(client) = self.clients.remove(&id) {
            self.client_keys.remove(&client.key);
            stop_all(id, out);
        }
    }

    /// The server transaction that a CANCEL means.
    pub(crate) fn server(&self, key: &ServerKey) -> Option<TransactionId> {
        self.server_keys.get(key).copied()
    }

    /// The tag that the answers to a server transaction gave To.
    pub(crate) fn server_tag(&self, id: TransactionId) -> Option<&str> {
        self.servers.get(&id)?.to_tag.as_deref()
    }

    /// Whether the same request lives in another transaction (RFC 3261 section 8.2.2.2).
    pub(crate) fn is_merged(&self, request: &Message) -> bool {
        self.merge_keys.contains_key(&merge_key(request))
    }

    /// The request of a server transaction, until it has its final answer.
    pub(crate) fn server_request(&self, id: TransactionId) -> Option<&Message> {
        self.servers.get(&id)?.request.as_ref()
    }

    /// The request and the flow of a client transaction.
    pub(crate) fn client_request(&self, id: TransactionId) -> Option<(&Message, &Flow)> {
        let client = self.clients.get(&id)?;
        Some((&client.request, &client.flow))
    }

    /// The streams that transactions go by.
    pub(crate) fn connections(&self) -> impl Iterator<Item = ConnectionId> {
        let clients = self.clients.values().map(|client| &client.flow);
        let servers = self.servers.values().map(|server| &server.flow);
        clients.chain(servers).filter_map(Flow::connection)
    }

    /// The client transactions whose flow fits, in order of their ids.
    pub(crate) fn clients_on(
        &self,
        fits: impl Fn(&Flow) -> bool,
    ) -> Vec<(TransactionId, ClientOwner)> {
        let mut found: Vec<_> = self
            .clients
            .iter()
            .filter(|(_, client)| fits(&client.flow) && client.waits())
            .map(|(id, client)| (*id, client.owner))
            .collect();
        found.sort_by_key(|(id, _)| *id);
        found
    }

    fn new_id(&mut self) -> TransactionId {
        self.last_id += 1;
        TransactionId(self.last_id)
    }

    fn move_client(&mut self, id: TransactionId, input: ClientInput<'_>, out: &mut Vec<Outcome>) {
        let Some(mut client) = self.clients.remove(&id) else {
            return;
        };
        let reliable = client.flow.reliable();
        let mut steps = Steps::default();
        let ended;
        (client.machine, ended) = match client.machine {
            ClientMachine::Invite(machine) => {
                let machine = machine.handle(input, reliable, &mut steps);
                let ended = matches!(machine, ClientInvite::Terminated);
                (ClientMachine::Invite(machine), ended)
            }
            ClientMachine::Other(machine) => {
                let machine = machine.handle(input, reliable, &mut steps);
                let ended = matches!(machine, ClientNonInvite::Terminated);
                (ClientMachine::Other(machine), ended)
            }
        };
        write_out(id, &client.flow, client.owner, steps, out);
        if ended {
            self.client_keys.remove(&client.key);
            stop_all(id, out);
            out.push(Outcome::ClientEnded(id, client.owner));
        } else {
            self.clients.insert(id, client);
        }
    }

    fn move_server(&mut self, id: TransactionId, input: ServerInput<'_>, out: &mut Vec<Outcome>) {
        let Some(mut server) = self.servers.remove(&id) else {
            return;
        };
        let reliable = server.flow.reliable();
        let mut steps = Steps::default();
        let ended;
        (server.machine, ended) = match server.machine {
            ServerMachine::Invite(machine) => {
                let machine = machine.handle(input, reliable, &mut steps);
                let ended = matches!(machine, ServerInvite::Terminated);
                (ServerMachine::Invite(machine), ended)
            }
            ServerMachine::Other(machine) => {
                let machine = machine.handle(input, reliable, &mut steps);
                let ended = matches!(machine, ServerNonInvite::Terminated);
                (ServerMachine::Other(machine), ended)
            }
        };
        for step in steps.0 {
            out.push(match step {
                Step::Send(bytes) => Outcome::Send(server.flow.clone(), bytes),
                Step::Start(timer, after) => Outcome::Start(id, timer, after),
                Step::Stop(timer) => Outcome::Stop(id, timer),
                Step::Pass => Outcome::Pass,
                // A refusal that nobody acknowledged (timer H): there is nothing left to do.
                Step::TimedOut => continue,
            });
        }
        if ended {
            self.server_keys.remove(&server.key);
            if self.merge_keys.get(&server.merge_key) == Some(&id) {
                self.merge_keys.remove(&server.merge_key);
            }
            self.shares.give_back(server.source);
            stop_all(id, out);
        } else {
            if server.machine.finished() {
                server.request = None;
            }
            self.servers.insert(id, server);
        }
    }
}

impl ServerMachine {
    /// Whether the final answer was given.
    fn finished(&self) -> bool {
        match self {
            Self::Invite(machine) => match machine {
                ServerInvite::Proceeding { .. } => false,
                ServerInvite::Completed { .. }
                | ServerInvite::Confirmed
                | ServerInvite::Accepted
                | ServerInvite::Terminated => true,
            },
            Self::Other(machine) => match machine {
                ServerNonInvite::Trying | ServerNonInvite::Proceeding { .. } => false,
                ServerNonInvite::Completed { .. } | ServerNonInvite::Terminated => true,
            },
        }
    }
}

impl Client {
    /// Whether a broken flow ends it (RFC 3261 section 17.1.4). An INVITE that was provisionally
    /// answered sends nothing any more, and its answer may come by a new connection (18.2.2).
    fn waits(&self) -> bool {
        match &self.machine {
            ClientMachine::Invite(machine) => match machine {
                ClientInvite::Calling { .. } => true,
                ClientInvite::Proceeding
                | ClientInvite::Completed { .. }
                | ClientInvite::Accepted
                | ClientInvite::Terminated => false,
            },
            ClientMachine::Other(machine) => match machine {
                ClientNonInvite::Trying { .. } | ClientNonInvite::Proceeding { .. } => true,
                ClientNonInvite::Completed | ClientNonInvite::Terminated => false,
            },
        }
    }
}

fn write_out(
    id: TransactionId,
    flow: &Flow,
    owner: ClientOwner,
    steps: Steps,
    out: &mut Vec<Outcome>,
) {
    for step in steps.0 {
        out.push(match step {
            Step::Send(bytes) => Outcome::Send(flow.clone(), bytes),
            Step::Start(timer, after) => Outcome::Start(id, timer, after),
            Step::Stop(timer) => Outcome::Stop(id, timer),
            Step::Pass => Outcome::Pass,
            Step::TimedOut => Outcome::ClientTimedOut(id, owner),
        });
    }
}

fn stop_all(id: TransactionId, out: &mut Vec<Outcome>) {
    for timer in TransactionTimer::ALL {
        out.push(Outcome::Stop(id, timer));
    }
}

fn merge_key(request: &Message) -> MergeKey {
    (
        request.from_tag(),
        request.call_id().to_owned(),
        request.cseq(),
    )
}

/// The ACK of a refused INVITE: same branch and Route (RFC 3261 section 17.1.1.3).
pub(crate) fn ack_of(invite: &Message, response: &Message) -> Option<Message> {
    let mut ack = Message::request(Method::Ack, invite.uri()?.clone());
    for (name, value) in invite.headers.iter() {
        let lower = name.to_ascii_lowercase();
        match lower.as_str() {
            "via" | "route" | "from" | "call-id" | "max-forwards" | "user-agent" => {
                ack.headers.push(name, value);
            }
            "to" => ack
                .headers
                .push(name, response.header("To").unwrap_or(value)),
            "cseq" => {
                let number = invite.cseq().map_or(0, |(number, _)| number);
                ack.headers.push(name, format!("{number} ACK"));
            }
            _ => {}
        }
    }
    Some(ack)
}
