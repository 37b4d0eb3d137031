//! The engine task: one select loop that carries bytes, events and commands between the rooms.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use crate::app::accounts::LiveAccount;
use crate::app::agent::Agent;
use crate::app::call_sound::UnsavedQuality;
use crate::app::care::{Care, Told};
use crate::app::ice::IceNames;
use crate::app::journal::Journal;
use crate::app::ladders::SharedLadders;
use crate::app::live_call::LiveCall;
use crate::app::messages::Messages;
use crate::app::options::EngineOptions;
use crate::app::outbound_rules::OutboundRules;
use crate::app::pages::PageCache;
use crate::app::player::{Player, PlayerTidings};
use crate::app::profiles::Profiles;
use crate::app::provisioning::{Fetched, Provision};
use crate::app::publishing::Published;
use crate::app::tidings::{Ticket, Tidings};
use crate::app::watched::{Mailbox, Watched};
use crate::base::clock;
use crate::base::flow::Input;
use crate::base::id::{AccountId, CallId};
use crate::base::random::{OsRandom, Random as _};
use crate::control::{
    Command, DevicesView, DialRequest, DiskView, Event, ExportView, Notice, Snapshot,
    SoundCheckView, SupportBundle, TrialOutcome, TrialView,
};
use crate::crm::routing::ArrivalFacts;
use crate::crm::row::{Identification, OnAnswer, QueueCodes};
use crate::crm::store::{Ack, Write, Written};
use crate::crm::{Store, StoreError};
use crate::media::{MediaEngine, MediaEvent, Tone};
use crate::net::{Net, NetChange, NetWatch};
use crate::sip::{Endpoint, SessionId};

/// How many tidings from the sockets are taken in a row: a burst is taken as a whole, a flood must not
/// keep commands and timers waiting.
const BURST: usize = 256;
/// A snapshot at most so often (one frame at 60 Hz).
pub(super) const SNAPSHOT_INTERVAL: Duration = Duration::from_millis(16);

/// Wakes a window; set once there is one.
#[derive(Clone, Default)]
pub struct Waker(Arc<OnceLock<Arc<dyn Fn() + Send + Sync>>>);

impl Waker {
    /// Names the function to call whenever there is something new to draw.
    pub fn set(&self, wake: Arc<dyn Fn() + Send + Sync>) {
        // A second window would be a second engine.
        drop(self.0.set(wake));
    }

    /// Whether there is a window.
    pub(super) fn is_set(&self) -> bool {
        self.0.get().is_some()
    }

    pub(super) fn wake(&self) {
        if let Some(wake) = self.0.get() {
            wake();
        }
    }
}

/// What helpers answer.
#[derive(Debug)]
pub(super) enum Internal {
    Identified(CallId, Result<Identification, StoreError>),
    /// What is set up for a call that arrives.
    Arrived(CallId, Box<Result<ArrivalFacts, StoreError>>),
    /// What a break that began (or ended) dials.
    PauseCodes(bool, Result<Vec<QueueCodes>, StoreError>),
    DialIdentified(String, Result<Identification, StoreError>),
    /// What is waited for would survive a power loss.
    Kept(Kept),
    Written {
        write: Box<Write>,
        result: Result<Written, StoreError>,
        retry: bool,
        event: Option<Ticket>,
    },
    ToCallBack(Option<u64>),
    /// What opens when a call was answered.
    Opens(CallId, Result<OnAnswer, StoreError>),
    /// Why the page of a call could not be opened.
    PageNotOpened(CallId, String),
    DeviceNames(Vec<String>, Vec<String>),
    /// Recordings that a crash left without their call.
    RecordingsFound(Vec<(CallId, PathBuf)>),
    Player(PlayerTidings),
    /// Why the announcement of recordings cannot be played.
    AnnouncementRead(Option<String>),
    Saved(Result<(), String>),
    /// Whether the log file is written; else what is wrong and what to do.
    LogStands(Option<String>),
    /// Settings of an administrator were read.
    Provisioning {
        number: u64,
        source: String,
        fetched: Box<Fetched>,
        at_start: bool,
    },
    /// An account was tried; the newest trial counts.
    Tried(u64, Box<TrialOutcome>),
    /// Whether there is room on the disk.
    DiskStands(Option<DiskView>),
    LaddersWritten,
    QualityWritten,
    Exported(ExportView),
    /// The data was cared for: whether rows went, and what there is to say.
    CaredFor {
        changed: bool,
        told: Vec<Told>,
    },
}

/// What would survive a power loss, though no page shows it yet.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kept {
    /// The row of a call that begins.
    Beginning(CallId),
    /// That it ended.
    End(CallId),
    /// What an event tells.
    Event(Ticket),
}

/// One write whose acknowledgement is awaited.
pub(super) struct Awaited {
    pub(super) write: Write,
    pub(super) written: Ack,
    pub(super) retry: bool,
    /// The event that waits for it.
    pub(super) event: Option<Ticket>,
}

/// The state of the engine task.
pub(super) struct Engine {
    pub(super) options: EngineOptions,
    pub(super) endpoint: Endpoint,
    pub(super) net: Net,
    /// Settings of connections, by the number of their `ProfileId`.
    pub(super) profiles: Profiles,
    /// Where SIP is bound.
    pub(super) bound: SocketAddr,
    pub(super) media: MediaEngine,
    /// Servers of ICE, and calls that wait for them.
    pub(super) ice: IceNames,
    /// When commands that the sound thread could not take are offered again.
    pub(super) sound_waits: Option<Instant>,
    pub(super) store: Arc<Store>,
    pub(super) journal: Journal,
    /// Old data, files to remove, looking for damage.
    pub(super) care: Care,
    /// Figures of calls that wait to be written.
    pub(super) unsaved_quality: UnsavedQuality,
    pub(super) ladders: SharedLadders,
    pub(super) pages: Arc<PageCache>,
    pub(super) accounts: Vec<LiveAccount>,
    pub(super) calls: BTreeMap<CallId, LiveCall>,
    pub(super) sessions: HashMap<SessionId, CallId>,
    /// What the person at the phone does.
    pub(super) agent: Agent,
    pub(super) watched: Vec<Watched>,
    pub(super) mailboxes: Vec<Mailbox>,
    pub(super) notices: VecDeque<Notice>,
    pub(super) messages: Messages,
    pub(super) next_notice: u64,
    pub(super) devices: DevicesView,
    pub(super) sound_check: SoundCheckView,
    /// The recording that is shown.
    pub(super) player: Player,
    pub(super) dial_request: Option<DialRequest>,
    /// The accounts that gave up their registrations because the machine sleeps.
    pub(super) asleep: Vec<AccountId>,
    /// Until when an emergency service may call back whatever the rules say.
    pub(super) helped_until: Option<Instant>,
    /// When what was refused unheard is written down.
    pub(super) refusals_due: Option<Instant>,
    pub(super) refusals_written: Option<Instant>,
    /// What others than the agent placed lately.
    pub(super) outbound: OutboundRules,
    pub(super) to_call_back: u64,
    /// Whether rows changed since the last count of them.
    pub(super) recount: bool,
    pub(super) counting: bool,
    pub(super) store_revision: u64,
    pub(super) raised: u64,
    /// What became of the last file that somebody took out.
    pub(super) exported: Option<ExportView>,
    /// Settings of an administrator.
    pub(super) provision: Provision,
    /// An account that is tried, and how many were.
    pub(super) trial: Option<TrialView>,
    pub(super) trials: u64,
    /// What is wrong with the way to other machines.
    pub(super) network_problem: Option<String>,
    /// How the disk stands, where it has little room.
    pub(super) disk: Option<DiskView>,
    /// Why the log file is not written.
    pub(super) log_problem: Option<String>,
    /// What was gathered for somebody who helps.
    pub(super) support: Option<Arc<SupportBundle>>,
    pub(super) lab: bool,
    pub(super) tone: Option<Tone>,
    pub(super) tone_until: Option<(Tone, Instant)>,
    pub(super) focus: Vec<CallId>,
    /// When the farewell is over at the latest; set once the end was asked for.
    pub(super) ending: Option<Instant>,
    pub(super) dirty: bool,
    pub(super) internal: mpsc::Sender<Internal>,
    pub(super) acks: mpsc::Sender<Awaited>,
    pub(super) events: mpsc::Sender<Event>,
    /// Events that wait for their rows.
    pub(super) tidings: Tidings,
    pub(super) missing: u64,
    pub(super) snapshot: watch::Sender<Arc<Snapshot>>,
    pub(super) published: Published,
    pub(super) waker: Waker,
}

/// The receiving ends of the loop.
pub(super) struct Inlets {
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) net: mpsc::Receiver<Input>,
    pub(super) media: mpsc::Receiver<MediaEvent>,
    pub(super) internal: mpsc::Receiver<Internal>,
}

impl Engine {
    /// What happens once, before the first input.
    pub(super) fn begin(&mut self, now: Instant, without_tls: Option<String>) {
        if let Some(text) = without_tls {
            self.problem(None, text);
        }
        self.set_direct_profile();
        for notice in std::mem::take(&mut self.options.notices) {
            self.notice(notice);
        }
        for account in std::mem::take(&mut self.options.accounts) {
            self.add_account(now, account);
        }
        self.tell_numbering();
        self.store.set_agent(&self.options.settings.agent);
        let colleagues = self.options.settings.colleagues.clone();
        self.set_colleagues(now, &colleagues);
        self.begin_watching(now, None);
        self.begin_agent();
        self.warm_up_look_ups();
        self.count_to_call_back();
        self.look_for_recordings();
        self.read_announcement();
        self.tidy_player();
        if self.options.devices.any() {
            self.look_for_devices();
        }
        self.set_up_sound();
        self.begin_provisioning();
        self.look_for_network();
        self.settle(now);
    }

    pub(super) async fn run(mut self, mut inlets: Inlets) {
        let mut surroundings = NetWatch::new();
        loop {
            let deadline = self.deadline();
            let timer = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(event) = inlets.net.recv() => {
                    let now = clock::monotonic_now();
                    for event in burst(event, &mut inlets.net) {
                        self.handle_net(now, event);
                    }
                }
                Some(internal) = inlets.internal.recv() => {
                    self.handle_internal(clock::monotonic_now(), internal);
                }
                command = inlets.commands.recv() => match command {
                    Some(command) => self.handle_command(clock::monotonic_now(), command),
                    // Every handle is gone: nobody can ask for anything any more.
                    None => self.handle_command(clock::monotonic_now(), Command::Quit),
                },
                Some(event) = inlets.media.recv() => {
                    self.handle_media(clock::monotonic_now(), event);
                }
                change = surroundings.changed() => {
                    self.handle_net_change(clock::monotonic_now(), change);
                }
                () = timer => {}
            }
            let now = clock::monotonic_now();
            self.handle_timeouts(now);
            self.settle(now);
            self.publish(now);
            if self.farewell_over(now) {
                break;
            }
        }
        self.care.end().await;
        self.write_all_ladders();
        self.write_all_quality();
    }

    /// Drains the SIP core until it is quiet, and carries out what calls want.
    pub(super) fn settle(&mut self, now: Instant) {
        loop {
            let mut moved = false;
            // A call's row goes to the disk first; its 100 is sent meanwhile.
            while let Some(event) = self.endpoint.poll_event() {
                moved = true;
                self.handle_sip(now, event);
            }
            if !self.send_out() && !moved {
                break;
            }
        }
        self.route_sound(now);
    }

    /// Hands to the sockets what the SIP core wants sent; false if that is nothing.
    pub(super) fn send_out(&mut self) -> bool {
        let mut moved = false;
        while let Some(output) = self.endpoint.poll_output() {
            moved = true;
            self.net.perform(output);
        }
        moved
    }

    fn handle_net(&mut self, now: Instant, event: Input) {
        if let Input::Resolved { id, answer } = &event
            && self.takes_server(now, *id, answer)
        {
            return;
        }
        self.endpoint.handle_input(now, event);
        self.settle(now);
    }

    /// Another network or a wake-up: what the registrars know of this phone may be wrong.
    pub(super) fn handle_net_change(&mut self, now: Instant, change: NetChange) {
        tracing::info!("the network may be another: {change:?}");
        self.net.handle_network_change();
        self.ice.forget();
        let net = &self.net;
        let woke = change == NetChange::Woke;
        self.endpoint
            .handle_network_change(now, woke, &|remote| net.local_ip_towards(remote));
        if woke {
            self.wake_up(now);
        }
        self.look_for_network();
        self.dirty = true;
    }

    fn handle_internal(&mut self, now: Instant, internal: Internal) {
        self.dirty = true;
        match internal {
            Internal::Identified(call, found) => self.handle_identified(now, call, found),
            Internal::Arrived(call, found) => self.handle_arrived(now, call, *found),
            Internal::PauseCodes(pause, codes) => self.handle_codes(pause, codes),
            Internal::DialIdentified(link, found) => {
                if let Some(request) = &mut self.dial_request
                    && request.link == link
                {
                    request.identification = found.ok();
                }
            }
            Internal::Kept(what) => self.handle_kept(now, what),
            Internal::Written {
                write,
                result,
                retry,
                event,
            } => {
                if let Some(event) = event {
                    self.tidings.answered(event, result.is_ok());
                    self.tell_due(now);
                }
                self.handle_written(now, *write, result, retry);
            }
            Internal::ToCallBack(count) => {
                self.to_call_back = count.unwrap_or(self.to_call_back);
                self.counting = false;
            }
            Internal::Opens(call, decision) => self.handle_opens(call, decision),
            Internal::PageNotOpened(call, problem) => self.problem(Some(call), problem),
            Internal::DeviceNames(microphones, speakers) => {
                self.devices.microphones = microphones;
                self.devices.speakers = speakers;
            }
            Internal::RecordingsFound(found) => self.tie_recordings(found),
            Internal::Player(tidings) => self.handle_player(tidings),
            Internal::AnnouncementRead(problem) => self.devices.announcement_problem = problem,
            Internal::LaddersWritten => {
                self.ladders.lock().written();
                self.pages.invalidate_ladders();
            }
            Internal::QualityWritten => self.pages.invalidate_ladders(),
            Internal::Exported(export) => self.exported = Some(export),
            Internal::CaredFor { changed, told } => self.handle_cared_for(changed, told),
            Internal::LogStands(problem) => {
                if let Some(problem) = &problem {
                    self.problem(None, problem.clone());
                }
                self.log_problem = problem;
            }
            Internal::Tried(number, outcome) => {
                // Another one, or none, is wanted by now.
                if number == self.trials && self.trial.is_some() {
                    self.trial = Some(TrialView::Over(outcome));
                }
            }
            Internal::Provisioning {
                number,
                source,
                fetched,
                at_start,
            } => self.handle_provisioning(number, source, *fetched, at_start),
            Internal::DiskStands(disk) => self.disk = disk,
            Internal::Saved(Ok(())) => {}
            Internal::Saved(Err(problem)) => self.problem(None, problem),
        }
    }

    fn handle_timeouts(&mut self, now: Instant) {
        if self.endpoint.poll_timeout().is_some_and(|at| at <= now) {
            self.endpoint.handle_timeout(now);
        }
        self.retry_writes(now);
        self.tell_due(now);
        self.sound_waits = self.media.flush(now);
        self.handle_call_timeouts(now);
        self.handle_ice_timeouts(now);
        self.handle_agent_timeouts(now);
        self.write_refusals(now);
        self.write_ladders(now);
        self.write_quality(now);
        self.take_care(now);
    }

    fn deadline(&self) -> Option<Instant> {
        let snapshot = self.to_publish().then(|| self.published.next());
        let calls = self.calls.values().filter_map(LiveCall::deadline).min();
        let tone = self.tone_until.map(|(_, until)| until);
        [
            self.endpoint.poll_timeout(),
            self.journal.retry_at(),
            self.tidings.deadline(),
            self.sound_waits,
            calls,
            snapshot,
            tone,
            self.refusals_due,
            self.agent.deadline(),
            self.ending,
            self.ice.deadline(),
            self.ladders_due(),
            self.care.due(),
            self.unsaved_quality
                .due()
                .filter(|_| self.journal.is_empty()),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(super) fn new_call_id() -> CallId {
        let millis = u64::try_from(clock::wall_now().as_millisecond()).unwrap_or_default();
        let mut random = [0; 10];
        OsRandom.fill(&mut random);
        CallId::new(millis, random)
    }

    /// Counts who is to be called back, unless that is being done or nobody sees it.
    pub(super) fn count_to_call_back(&mut self) {
        if !self.options.attended || std::mem::replace(&mut self.counting, true) {
            return;
        }
        self.recount = false;
        let count = self.store.to_call_back();
        let internal = self.internal.clone();
        tokio::spawn(async move {
            let count = count.await.ok().and_then(Result::ok);
            drop(internal.send(Internal::ToCallBack(count)).await);
        });
    }
}

/// What has come by now, as far as it is taken in a row.
fn burst<T>(first: T, inlet: &mut mpsc::Receiver<T>) -> impl Iterator<Item = T> + '_ {
    let more = std::iter::from_fn(move || inlet.try_recv().ok());
    std::iter::once(first).chain(more).take(BURST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who sent faster than we read once kept us from hanging up.
    #[test]
    fn a_flood_is_taken_in_bursts_and_nothing_of_it_is_lost() {
        let (sender, mut inlet) = mpsc::channel(1000);
        sender.try_send(0).unwrap();
        let mut taken = Vec::new();
        while let Ok(first) = inlet.try_recv() {
            let before = taken.len();
            for number in burst(first, &mut inlet) {
                taken.push(number);
                // As fast as it is read, and for a while only.
                if number < 900 {
                    sender.try_send(number + 1).unwrap();
                }
            }
            assert!(taken.len() - before <= BURST);
        }
        assert_eq!(taken, (0..=900).collect::<Vec<_>>());
    }
}
