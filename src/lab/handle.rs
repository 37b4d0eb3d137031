//! The lab as its owner sees it: start, let somebody call, stop.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::base::clock::monotonic_now;
use crate::base::flow::Input;
use crate::base::random::{OsRandom, Random as _};
use crate::base::redact::Secret;
use crate::lab::hub::{Hub, Streams};
use crate::lab::peers::{Manners, Order, Peers};
use crate::lab::server::{Server, ServerOptions};
use crate::lab::voice::VoiceFile;
use crate::media::{DeviceChoice, Devices, MediaEngine, MediaError};
use crate::net::{Net, NetError, NetOptions};
use crate::sip::{Endpoint, EndpointConfig};

/// How many events of sockets or sound wait.
const QUEUE: usize = 1024;

/// How many orders wait.
const ORDERS: usize = 16;

/// How many calls the peers take part in at once.
const MAX_CALLS: usize = 64;

/// How long stopping waits for the calls to end.
const STOP_DEADLINE: Duration = Duration::from_secs(1);

/// What the lab shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabOptions {
    /// Where the registrar listens, by UDP and TCP; a loopback address, port 0 for any.
    pub address: SocketAddr,
    /// How the registrar behaves.
    pub server: ServerOptions,
    /// The users that may register; each gets a random password.
    pub users: Vec<String>,
    /// How long the echo lets it ring before it answers.
    pub answer_after: Duration,
    /// How long the callers talk before they hang up.
    pub talk_for: Duration,
}

/// A user of the lab, for an account's settings.
#[derive(Debug, Clone)]
pub struct LabUser {
    /// The user name, also for authentication.
    pub name: String,
    /// The address of record, such as `sip:alice@127.0.0.1:5060`.
    pub address: String,
    /// The password.
    pub password: Secret,
}

/// A phone of the lab that can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Answers and sends back what it hears.
    Echo,
    /// Is busy: 486.
    Busy,
    /// Rings and never answers.
    Never,
    /// Declines: 603.
    Decline,
}

/// A phone of the lab that calls on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// From the number of a demo contact.
    Known,
    /// From a number that no contact has.
    Unknown,
    /// From a number of which only the last digits agree with a demo contact's.
    Maybe,
}

/// What happens in the lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabEvent {
    /// A phone registered, or changed its address.
    Registered {
        /// The user.
        user: String,
        /// Its most recent Contact.
        contact: String,
    },
    /// A user has no phone any more.
    Unregistered {
        /// The user.
        user: String,
    },
    /// A caller's call was answered.
    CallerAnswered(Caller),
    /// A caller's call ended without an answer.
    CallerRefused {
        /// Who called.
        caller: Caller,
        /// The final status: 486, 603, 480, 487 …
        status: u16,
    },
    /// Something in the lab went wrong; what is wrong, for a person.
    Problem(String),
}

/// Why the lab cannot be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// Its address is not of this machine alone.
    #[error("the lab runs on loopback only, and {0} is not; choose an address such as 127.0.0.1")]
    NotLoopback(IpAddr),
    /// Its sockets cannot be bound.
    #[error("the lab cannot start: {0}")]
    Sockets(#[from] NetError),
    /// Its peers have no sound.
    #[error("the lab cannot start: {0}")]
    Sound(#[from] MediaError),
    /// The callers' voice cannot be written.
    #[error(
        "the lab cannot write its callers' voice to the folder for temporary files ({0}); free some space there"
    )]
    Voice(#[from] hound::Error),
    /// Nobody has that name.
    #[error("the lab has no user {0:?}; it has {1}")]
    NoSuchUser(String, String),
    /// The callers are busy or gone.
    #[error("the lab's callers are busy; try again in a moment")]
    Busy,
}

/// A running lab; it ends when it is dropped, and in good order by [`Lab::stop`].
#[derive(Debug)]
pub struct Lab {
    address: SocketAddr,
    users: Vec<LabUser>,
    orders: mpsc::Sender<Order>,
    peers: JoinSet<()>,
    /// Dropping it ends the server.
    _server: JoinSet<()>,
    _voice: VoiceFile,
}

impl Default for LabOptions {
    fn default() -> Self {
        Self {
            address: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0),
            server: ServerOptions::default(),
            users: ["alice", "bob", "carol"].map(str::to_owned).to_vec(),
            answer_after: Duration::from_millis(700),
            talk_for: Duration::from_secs(60),
        }
    }
}

impl Lab {
    /// Starts registrar and peers within the current tokio runtime. What happens there is told to
    /// `events` as far as that queue has room.
    ///
    /// # Errors
    ///
    /// Fails when the address is not loopback, or sockets or sound cannot be had.
    pub async fn start(
        options: LabOptions,
        events: mpsc::Sender<LabEvent>,
    ) -> Result<Self, LabError> {
        let ip = options.address.ip();
        if !ip.is_loopback() {
            return Err(LabError::NotLoopback(ip));
        }
        let voice = VoiceFile::write()?;
        let (server_net, server_events) = bind(ip, options.address.port()).await?;
        let (peer_net, peer_events) = bind(ip, 0).await?;
        let address = server_net.local();
        let peers_at = peer_net.local();

        let users: Vec<LabUser> = options
            .users
            .iter()
            .map(|name| LabUser {
                name: name.clone(),
                address: format!("sip:{name}@{address}"),
                password: Secret::new(OsRandom.hex(8)),
            })
            .collect();
        let passwords: BTreeMap<String, Secret> = users
            .iter()
            .map(|user| (user.name.clone(), user.password.clone()))
            .collect();
        let mut server = Server::new(options.server, address, passwords, Box::new(OsRandom));
        for peer in Peer::ALL {
            server.add_peer(peer.name(), peers_at);
            server.add_peer(peer.number(), peers_at);
        }

        let (media_sender, media_events) = mpsc::channel(QUEUE);
        let (orders, order_queue) = mpsc::channel(ORDERS);
        let endpoint = EndpointConfig {
            udp_port: peers_at.port(),
            tcp_port: Some(peers_at.port()),
            tls_port: None,
            accept_direct_calls: true,
            user_agent: "ringdesk-lab".to_owned(),
            max_sessions: MAX_CALLS,
            direct_ring_limit: Duration::from_secs(120),
            requests_per_second: None,
            direct_extensions: crate::sip::CallExtensions::default(),
        };
        let mut peers = Peers {
            endpoint: Endpoint::new(endpoint, Box::new(OsRandom)),
            net: peer_net,
            net_events: peer_events,
            media: MediaEngine::start(no_devices(), media_sender)?,
            media_events,
            orders: order_queue,
            events: events.clone(),
            calls: BTreeMap::new(),
            server: address,
            voice: voice.path().to_owned(),
            manners: Manners {
                answer_after: options.answer_after,
                talk_for: options.talk_for,
            },
        };
        peers.add_callers(monotonic_now());
        let hub = Hub {
            server,
            net: server_net,
            net_events: server_events,
            events,
            streams: Streams::default(),
        };
        let (mut peer_task, mut server_task) = (JoinSet::new(), JoinSet::new());
        peer_task.spawn(peers.run());
        server_task.spawn(hub.run());
        Ok(Self {
            address,
            users,
            orders,
            peers: peer_task,
            _server: server_task,
            _voice: voice,
        })
    }

    /// Ends the peers' calls, then the lab; takes a second at most.
    pub async fn stop(mut self) {
        if self.orders.send(Order::Stop).await.is_ok() {
            let ended = tokio::time::timeout(STOP_DEADLINE, self.peers.join_next()).await;
            if ended.is_err() {
                tracing::debug!("the lab's calls did not end in time");
            }
        }
    }

    /// Lets a caller call the phone that registered as `user`; what comes of it is an event.
    ///
    /// # Errors
    ///
    /// Fails when there is no such user, or when too many calls wait already.
    pub fn call(&self, caller: Caller, user: &str) -> Result<(), LabError> {
        if !self.users.iter().any(|known| known.name == user) {
            let names: Vec<&str> = self.users.iter().map(|it| it.name.as_str()).collect();
            return Err(LabError::NoSuchUser(user.to_owned(), names.join(", ")));
        }
        self.orders
            .try_send(Order::Call(caller, user.to_owned()))
            .or(Err(LabError::Busy))
    }

    /// Where the registrar listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Who may register.
    pub fn users(&self) -> &[LabUser] {
        &self.users
    }

    /// The address by which a peer is called, such as `sip:echo@127.0.0.1:5060`.
    pub fn uri_of(&self, peer: Peer) -> String {
        format!("sip:{}@{}", peer.name(), self.address)
    }
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Echo, Self::Busy, Self::Never, Self::Decline];

    /// The user name by which it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Busy => "busy",
            Self::Never => "never",
            Self::Decline => "decline",
        }
    }

    /// The extension by which it is called from a keypad.
    pub fn number(self) -> &'static str {
        match self {
            Self::Echo => "600",
            Self::Busy => "601",
            Self::Never => "602",
            Self::Decline => "603",
        }
    }

    /// What it does, for a person.
    pub fn manner(self) -> &'static str {
        match self {
            Self::Echo => "answers and sends back what it hears",
            Self::Busy => "is busy",
            Self::Never => "rings and never answers",
            Self::Decline => "declines",
        }
    }

    /// The one that is called by a name or an extension.
    pub(super) fn called(user: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|peer| peer.name().eq_ignore_ascii_case(user) || peer.number() == user)
    }
}

async fn bind(ip: IpAddr, port: u16) -> Result<(Net, mpsc::Receiver<Input>), NetError> {
    let (sender, events) = mpsc::channel(QUEUE);
    let options = NetOptions {
        ip: Some(ip),
        port,
        ..NetOptions::default()
    };
    Ok((Net::bind(options, sender).await?, events))
}

fn no_devices() -> Devices {
    Devices {
        microphone: DeviceChoice::Null,
        speaker: DeviceChoice::Null,
        ringer: DeviceChoice::Null,
    }
}
