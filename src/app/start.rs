//! How the engine starts: its store, its sockets, its sound and its queues.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::app::accounts;
use crate::app::agent::Agent;
use crate::app::call_sound::UnsavedQuality;
use crate::app::care::Care;
use crate::app::engine::{Awaited, Engine, Inlets, Internal, Waker};
use crate::app::ice::IceNames;
use crate::app::journal::{Journal, MOST_AWAITED};
use crate::app::ladders::SharedLadders;
use crate::app::messages::Messages;
use crate::app::options::EngineOptions;
use crate::app::outbound_rules::OutboundRules;
use crate::app::pages::PageCache;
use crate::app::player::Player;
use crate::app::profiles::Profiles;
use crate::app::provisioning::Provision;
use crate::app::publishing::Published;
use crate::app::records::Records;
use crate::app::surroundings::watch_disk;
use crate::app::tidings::Tidings;
use crate::app::transports;
use crate::base::clock;
use crate::base::random::OsRandom;
use crate::control::{DevicesView, Event, Handle, Snapshot, SoundCheckView};
use crate::crm::{Store, StoreError};
use crate::media::MediaEngine;
use crate::sip::{Endpoint, EndpointConfig};

/// Commands that may wait: a person types slower, a script is told when it is full.
const COMMANDS: usize = 256;
/// Events that may wait for a slow reader; past that they are counted as lagged.
const EVENTS: usize = 4096;
/// Packets and other tidings from the sockets.
const NET_EVENTS: usize = 4096;
/// Tidings from the sound threads.
const MEDIA_EVENTS: usize = 1024;
/// Answers of the store, the resolver and other helpers.
const INTERNAL: usize = 4096;
/// So many calls beyond the limit are written down and refused; further ones only refused.
const SURPLUS: usize = 16;

/// A started engine.
pub struct Running {
    /// The way to it.
    pub handle: Handle,
    /// What happens, in order.
    pub events: mpsc::Receiver<Event>,
    /// Wakes the window.
    pub waker: Waker,
    /// Where SIP is bound.
    pub bound: SocketAddr,
    /// The port at which TLS is accepted, when it is.
    pub tls_port: Option<u16>,
    /// The records, for commands of scripts that come through the running phone.
    pub records: Records,
    /// Ends when the engine has ended.
    pub task: JoinHandle<()>,
}

/// Opens the store, binds the sockets, starts the sound and the engine task.
///
/// # Errors
///
/// Fails when the store cannot be opened, the address cannot be bound or a thread not started; the
/// message says what to do.
#[expect(clippy::too_many_lines, reason = "a table: each field once")]
pub async fn start(options: EngineOptions) -> anyhow::Result<Running> {
    options.paths.create()?;
    if let Some(log) = &options.log {
        log.set_level(options.settings.log_level);
    }
    let data_dir = options.paths.data_dir.clone();
    let region = options.region();
    // Nothing runs beside it yet, so it need not be on a thread of its own.
    let store = Arc::new(Store::open(&data_dir, &region)?);
    tracing::info!(
        "Ringdesk {} starts on {} in {}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        data_dir.display()
    );
    let (net_events, net) = mpsc::channel(NET_EVENTS);
    let (sockets, without_tls) = transports::bind(&options, net_events).await?;
    let tls_port = sockets.tls_port();
    let bound = sockets.local();
    let (media_events, media_inlet) = mpsc::channel(MEDIA_EVENTS);
    let mut media = MediaEngine::start(options.devices.clone(), media_events)?;
    // What is written there was looked at when it was read.
    media.set_ports(options.settings.port_range().unwrap_or_default());
    let endpoint = Endpoint::new(
        endpoint_config(&options, bound, tls_port),
        Box::new(OsRandom),
    );
    let (command_outlet, commands) = mpsc::channel(COMMANDS);
    let (internal_outlet, internal) = mpsc::channel(INTERNAL);
    let (ack_outlet, acks) = mpsc::channel(MOST_AWAITED + 1);
    let (event_outlet, events) = mpsc::channel(EVENTS);
    let (snapshot_outlet, snapshot) = watch::channel(Arc::new(Snapshot::default()));
    tokio::spawn(await_acks(acks, internal_outlet.clone()));
    tokio::spawn(watch_disk(data_dir.clone(), internal_outlet.clone()));
    if let Some(log) = &options.log {
        let internal = internal_outlet.clone();
        // A full queue keeps nobody from logging; the next change is told again.
        log.listen(move |problem| drop(internal.try_send(Internal::LogStands(problem))));
    }
    let waker = Waker::default();
    let ladders = SharedLadders::default();
    let records = Records::of(store.clone(), ladders.clone());
    let records = records.with_recordings(options.record_dir.clone());
    let pages = PageCache::start(&store, ladders.clone(), waker.clone());
    let handle = Handle::new(command_outlet, snapshot, Arc::clone(&pages) as _);
    let mut engine = Engine {
        endpoint,
        net: sockets,
        profiles: Profiles::default(),
        bound,
        media,
        sound_waits: None,
        journal: Journal::new(Arc::clone(&store)),
        ladders,
        care: Care::default(),
        unsaved_quality: UnsavedQuality::default(),
        store,
        pages,
        ice: IceNames::default(),
        accounts: Vec::new(),
        calls: BTreeMap::new(),
        sessions: HashMap::new(),
        agent: Agent::default(),
        watched: Vec::new(),
        mailboxes: Vec::new(),
        notices: VecDeque::new(),
        messages: Messages::default(),
        next_notice: 1,
        devices: DevicesView::default(),
        sound_check: SoundCheckView::default(),
        player: Player::default(),
        dial_request: None,
        asleep: Vec::new(),
        helped_until: None,
        refusals_due: None,
        refusals_written: None,
        outbound: OutboundRules::default(),
        to_call_back: 0,
        recount: false,
        counting: false,
        store_revision: 0,
        raised: 0,
        exported: None,
        provision: Provision::default(),
        trial: None,
        trials: 0,
        network_problem: None,
        disk: None,
        log_problem: None,
        support: None,
        lab: false,
        tone: None,
        tone_until: None,
        focus: Vec::new(),
        ending: None,
        dirty: true,
        internal: internal_outlet,
        acks: ack_outlet,
        events: event_outlet,
        tidings: Tidings::default(),
        missing: 0,
        snapshot: snapshot_outlet,
        published: Published::default(),
        waker: waker.clone(),
        options,
    };
    engine.begin(clock::monotonic_now(), without_tls);
    let task = tokio::spawn(engine.run(Inlets {
        commands,
        net,
        media: media_inlet,
        internal,
    }));
    Ok(Running {
        handle,
        events,
        waker,
        bound,
        tls_port,
        records,
        task,
    })
}

/// What the SIP core is told.
fn endpoint_config(
    options: &EngineOptions,
    bound: SocketAddr,
    tls_port: Option<u16>,
) -> EndpointConfig {
    EndpointConfig {
        udp_port: bound.port(),
        tcp_port: Some(bound.port()),
        tls_port,
        accept_direct_calls: options.accept_direct_calls,
        user_agent: concat!("Ringdesk/", env!("CARGO_PKG_VERSION")).to_owned(),
        max_sessions: options.max_calls.saturating_add(SURPLUS),
        direct_ring_limit: options.script.ring_limit,
        requests_per_second: Some(options.settings.requests_per_second).filter(|limit| *limit > 0),
        direct_extensions: accounts::extensions(options.script.extensions),
    }
}

/// Awaits acknowledgements in the order of the writes, so that what was refused stays in order.
async fn await_acks(mut acks: mpsc::Receiver<Awaited>, internal: mpsc::Sender<Internal>) {
    while let Some(awaited) = acks.recv().await {
        let Awaited {
            write,
            written,
            retry,
            event,
        } = awaited;
        let result = written.await.unwrap_or(Err(StoreError::Closed));
        let told = Internal::Written {
            write: Box::new(write),
            result,
            retry,
            event,
        };
        if internal.send(told).await.is_err() {
            break;
        }
    }
}
