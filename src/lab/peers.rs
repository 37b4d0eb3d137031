//! The lab's own phones: those that can be called and those that call, behind one SIP endpoint.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::base::clock::{monotonic_now, wall_now};
use crate::base::flow::{Input, ProfileId, Transport};
use crate::base::id::{AccountId, CallId};
use crate::base::random::{OsRandom, Random as _};
use crate::base::uri::{Host, SipUri, Uri};
use crate::call::{Action, Call, Edge, MediaPreferences, SipAction, SrtpPreferences};
use crate::lab::demo;
use crate::lab::hub::until;
use crate::lab::{Caller, LabEvent, Peer};
use crate::media::{MediaCommand, MediaEngine, MediaEvent, Source};
use crate::net::Net;
use crate::sdp::{Codec, SrtpSeed};
use crate::sip::{
    AccountSetup, Endpoint, IncomingCall, OutgoingCall, Referral, ReferralAnswer, SessionId,
    SipError, SipEvent, Status,
};

/// No call of the lab lasts longer, even if the other phone vanished without a word.
const LONGEST_CALL: Duration = Duration::from_secs(3600);

/// How long a caller lets it ring.
const RING_LIMIT: Duration = Duration::from_secs(45);

/// The packet time that the lab asks for.
const PTIME_MILLIS: u32 = 20;

/// The peers with their sockets and their sound.
pub(super) struct Peers {
    pub(super) endpoint: Endpoint,
    pub(super) net: Net,
    pub(super) net_events: mpsc::Receiver<Input>,
    pub(super) media: MediaEngine,
    pub(super) media_events: mpsc::Receiver<MediaEvent>,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) events: mpsc::Sender<LabEvent>,
    pub(super) calls: BTreeMap<SessionId, PeerCall>,
    /// The server's address, which is the peers' proxy.
    pub(super) server: SocketAddr,
    pub(super) voice: PathBuf,
    pub(super) manners: Manners,
}

/// How the peers behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manners {
    /// How long the echo lets it ring.
    pub(super) answer_after: Duration,
    /// How long a caller talks before it hangs up.
    pub(super) talk_for: Duration,
}

/// What the owner wants of the peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Order {
    /// Let one of them call a user.
    Call(Caller, String),
    /// End all calls, then the peers.
    Stop,
}

/// One call of a peer.
pub(super) struct PeerCall {
    id: CallId,
    call: Call,
    part: Part,
    /// When the peer does its next thing.
    due: Instant,
}

/// Which part a peer plays in a call, and how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Rings; is to answer and send back what it hears.
    EchoRinging,
    /// Rings and never answers.
    Never,
    /// Called somebody.
    Caller(Caller),
    /// Talks, and is to hang up.
    Talking,
}

impl Peers {
    /// Gives each caller its number, as an account that does not register.
    pub(super) fn add_callers(&mut self, now: Instant) {
        for caller in Caller::ALL {
            let host = Host::from(self.server.ip());
            let number = SipUri::new(
                Some(caller.number()),
                host.clone(),
                Some(self.server.port()),
            );
            let proxy = SipUri::new(None, host, Some(self.server.port())).with_param("lr", None);
            let setup = AccountSetup {
                address: Uri::Sip(number),
                display_name: None,
                registrar: None,
                outbound_proxy: Some(Uri::Sip(proxy)),
                transport: Some(Transport::Udp),
                profile: ProfileId::default(),
                credentials: None,
                digest: crate::sip::DigestRules::default(),
                expires: Duration::from_secs(3600),
                ring_limit: RING_LIMIT,
                extensions: crate::sip::CallExtensions::default(),
            };
            self.endpoint.add_account(now, account_of(caller), setup);
        }
    }

    /// Plays until told to stop.
    pub(super) async fn run(mut self) {
        let mut stopping = false;
        loop {
            self.drain(monotonic_now());
            if stopping && self.calls.is_empty() {
                return;
            }
            let next = self.calls.values().map(|call| call.due).min();
            let sound = self.media.flush(monotonic_now());
            let due = [next, self.endpoint.poll_timeout(), sound]
                .into_iter()
                .flatten()
                .min();
            tokio::select! {
                event = self.net_events.recv() => match event {
                    Some(event) => self.endpoint.handle_input(monotonic_now(), event),
                    None => return,
                },
                Some(event) = self.media_events.recv() => self.handle_media(event),
                order = self.orders.recv(), if !stopping => match order {
                    Some(Order::Call(caller, user)) => self.place_call(caller, &user),
                    Some(Order::Stop) | None => {
                        stopping = true;
                        self.hang_up_all();
                    }
                },
                () = until(due) => {
                    let now = monotonic_now();
                    self.endpoint.handle_timeout(now);
                    self.act(now);
                }
            }
        }
    }

    /// Carries out everything that waits, until nothing does.
    fn drain(&mut self, now: Instant) {
        loop {
            let mut idle = true;
            while let Some(event) = self.endpoint.poll_event() {
                idle = false;
                self.handle_sip(now, event);
            }
            for session in self.calls.keys().copied().collect::<Vec<_>>() {
                while let Some(action) = self.poll_action(session) {
                    idle = false;
                    self.carry_out(now, session, action);
                }
            }
            while let Some(output) = self.endpoint.poll_output() {
                idle = false;
                self.net.perform(output);
            }
            if idle {
                return;
            }
        }
    }

    fn poll_action(&mut self, session: SessionId) -> Option<Action> {
        self.calls.get_mut(&session)?.call.poll_action()
    }

    fn place_call(&mut self, caller: Caller, user: &str) {
        let now = monotonic_now();
        let host = Host::from(self.server.ip());
        let target = Uri::Sip(SipUri::new(Some(user), host, Some(self.server.port())));
        match self
            .endpoint
            .invite(now, Some(account_of(caller)), &target, &[])
        {
            Ok(session) => {
                let call = Call::outgoing(self.preferences());
                self.add(now, session, call, Part::Caller(caller));
            }
            Err(error) => self.tell(LabEvent::Problem(format!(
                "the lab's caller cannot call {user}: {error}"
            ))),
        }
    }

    fn handle_sip(&mut self, now: Instant, event: SipEvent) {
        match event {
            SipEvent::Incoming(incoming) => self.take(now, &incoming),
            SipEvent::OfferNeeded { session, local_ip } => {
                self.with(session, |call| call.handle_offer_needed(local_ip));
            }
            SipEvent::Progress {
                session,
                fork,
                status,
                body,
                early_media,
            } => self.with(session, |call| {
                call.handle_progress(&fork, &status, body.as_ref(), early_media);
            }),
            SipEvent::Answered {
                session,
                fork,
                body,
                ..
            } => {
                self.with(session, |call| call.handle_answered(&fork, body.as_ref()));
            }
            SipEvent::Confirmed { session, body } => {
                self.with(session, |call| call.handle_confirmed(body.as_ref()));
            }
            SipEvent::Reinvite {
                session,
                fork,
                offer,
            } => {
                self.with(session, |call| call.handle_reinvite(&fork, offer.as_ref()));
            }
            SipEvent::ChangeDeferred { session } => {
                self.with(session, Call::handle_change_deferred);
            }
            SipEvent::ChangePossible { session } => {
                self.with(session, Call::handle_change_possible);
            }
            SipEvent::Moved { session, local_ip } => {
                self.with(session, |call| call.handle_moved(local_ip));
            }
            SipEvent::ReinviteConfirmed { session, body } => {
                self.with(session, |call| {
                    call.handle_reinvite_confirmed(body.as_ref());
                });
            }
            SipEvent::ReinviteAnswered {
                session,
                status,
                body,
            } => self.with(session, |call| {
                call.handle_reinvite_answered(&status, body.as_ref());
            }),
            SipEvent::Ended {
                session,
                by,
                status,
                reason,
            } => self.with(session, |call| call.handle_ended(by, status, reason)),
            SipEvent::Referral(referral) => self.follow(now, &referral),
            // The lab calls whom it wants, and nobody else.
            SipEvent::Redirected { session, .. } => {
                drop(self.endpoint.decline_redirection(now, session));
            }
            SipEvent::Registration { .. }
            | SipEvent::Redirecting { .. }
            | SipEvent::NotFollowed { .. }
            | SipEvent::Transfer { .. }
            | SipEvent::ReferralOver { .. }
            | SipEvent::InfoDigit { .. }
            | SipEvent::Message { .. }
            | SipEvent::StrongRealm { .. }
            | SipEvent::InformationRefused { .. }
            | SipEvent::CredentialsKept { .. }
            | SipEvent::Subscription { .. }
            | SipEvent::News { .. }
            | SipEvent::NotifierGone { .. }
            | SipEvent::UnsolicitedNews(_)
            | SipEvent::Trace { .. } => {}
        }
    }

    /// Lets itself be transferred: the peers of the lab have no will of their own.
    fn follow(&mut self, now: Instant, referral: &Referral) {
        let session = referral.session;
        let wanted = OutgoingCall {
            account: None,
            target: &referral.target,
            headers: &[],
            urgent: false,
        };
        let followed = self
            .endpoint
            .answer_referral(now, session, &ReferralAnswer::Follow)
            .and_then(|()| self.endpoint.invite_referred(now, session, &wanted));
        match followed {
            Ok(call) => self.add(now, call, Call::outgoing(self.preferences()), Part::Talking),
            Err(error) => {
                tracing::debug!(%error, "a peer of the lab cannot be transferred");
                let refusal = ReferralAnswer::Refuse(Status::new(503, "Service Unavailable"));
                drop(self.endpoint.answer_referral(now, session, &refusal));
            }
        }
    }

    /// Plays the part that was called.
    fn take(&mut self, now: Instant, incoming: &IncomingCall) {
        let user = incoming.request_uri.user_decoded().unwrap_or_default();
        let session = incoming.session;
        let refusal = match Peer::called(&user) {
            Some(Peer::Echo) => {
                let due = now + self.manners.answer_after;
                self.ring(now, incoming, Part::EchoRinging, due);
                return;
            }
            Some(Peer::Never) => {
                self.ring(now, incoming, Part::Never, now + LONGEST_CALL);
                return;
            }
            Some(Peer::Busy) => Status::new(486, "Busy Here"),
            Some(Peer::Decline) => Status::new(603, "Decline"),
            None => Status::new(404, "Not Found"),
        };
        if let Err(error) = self.endpoint.reject(now, session, refusal, &[]) {
            tracing::debug!(%error, "the lab could not refuse a call");
        }
    }

    fn ring(&mut self, now: Instant, incoming: &IncomingCall, part: Part, due: Instant) {
        let session = incoming.session;
        let offer = incoming.offer.clone();
        let mut call = Call::incoming(self.preferences(), incoming.local_ip, offer);
        if let Err(error) = call.ring() {
            tracing::debug!(%error, "the lab does not ring");
        }
        self.add(now, session, call, part);
        if let Some(call) = self.calls.get_mut(&session) {
            call.due = due;
        }
    }

    /// Does what is due in the calls.
    fn act(&mut self, now: Instant) {
        for call in self.calls.values_mut() {
            if call.due > now {
                continue;
            }
            call.due = now + LONGEST_CALL;
            let done = match call.part {
                Part::EchoRinging => {
                    call.part = Part::Talking;
                    call.call.answer()
                }
                Part::Never | Part::Caller(_) | Part::Talking => call.call.hang_up(),
            };
            if let Err(error) = done {
                tracing::debug!(%error, "a peer of the lab cannot go on");
            }
        }
    }

    fn hang_up_all(&mut self) {
        for call in self.calls.values_mut() {
            if let Err(error) = call.call.hang_up() {
                tracing::debug!(%error, "a call of the lab is over already");
            }
        }
    }

    fn carry_out(&mut self, now: Instant, session: SessionId, action: Action) {
        let Some(PeerCall { id, call, part, .. }) = self.calls.get_mut(&session) else {
            return;
        };
        let id = *id;
        match action {
            Action::OpenMedia(local_ip) => match self.media.open(now, id, local_ip) {
                Ok(rtp) => {
                    call.handle_media_opened(rtp);
                    let source = match part {
                        Part::EchoRinging | Part::Never | Part::Talking => Source::Echo,
                        Part::Caller(_) => Source::File {
                            path: self.voice.clone(),
                            repeat: true,
                        },
                    };
                    self.send_media(MediaCommand::Source { call: id, source });
                }
                Err(error) => call.handle_media_failed(&error.to_string()),
            },
            Action::ExpectHandshake => self.send_media(MediaCommand::ExpectHandshake { call: id }),
            Action::Apply(plan) => self.send_media(MediaCommand::Apply { call: id, plan }),
            Action::Sip(step) => {
                if let Err(error) = self.take_step(now, session, step) {
                    tracing::debug!(%error, "a step of a call in the lab was not possible");
                }
            }
            Action::Tell(edge) => self.handle_edge(now, session, edge),
        }
    }

    fn take_step(
        &mut self,
        now: Instant,
        session: SessionId,
        step: SipAction,
    ) -> Result<(), SipError> {
        let endpoint = &mut self.endpoint;
        match step {
            SipAction::Offer(body) => endpoint.offer(now, session, body),
            SipAction::Ring(body) => endpoint.ring(now, session, body),
            SipAction::Answer(body) => endpoint.answer(now, session, body),
            SipAction::Reject(status, headers) => endpoint.reject(now, session, status, &headers),
            SipAction::Refer(target) => endpoint.transfer(now, session, &target),
            SipAction::HangUp => endpoint.hang_up(now, session),
            SipAction::Reinvite(body) => endpoint.reinvite(now, session, body),
            SipAction::AnswerReinvite(status, body) => {
                endpoint.answer_reinvite(now, session, status, body)
            }
        }
    }

    fn handle_edge(&mut self, now: Instant, session: SessionId, edge: Edge) {
        let Some(call) = self.calls.get_mut(&session) else {
            return;
        };
        match edge {
            Edge::Answered => {
                if let Part::Caller(caller) = call.part {
                    call.part = Part::Talking;
                    call.due = now + self.manners.talk_for;
                    self.tell(LabEvent::CallerAnswered(caller));
                }
            }
            Edge::Ended { status, .. } => {
                let (id, part) = (call.id, call.part);
                self.calls.remove(&session);
                self.send_media(MediaCommand::Close { call: id });
                if let Part::Caller(caller) = part {
                    self.tell(LabEvent::CallerRefused {
                        caller,
                        status: status.code,
                    });
                }
            }
            Edge::Problem(text) => self.tell(LabEvent::Problem(text)),
            Edge::Ringing { .. }
            | Edge::RingingOver
            | Edge::Held { .. }
            | Edge::Resumed
            | Edge::Media(_)
            | Edge::Transferring { .. }
            | Edge::Transferred { .. }
            | Edge::Moved(_)
            | Edge::HungUp { .. } => {}
        }
    }

    fn preferences(&self) -> MediaPreferences {
        let mut seed = [0; 32];
        OsRandom.fill(&mut seed);
        MediaPreferences {
            codecs: Codec::ALL.to_vec(),
            ptime_millis: PTIME_MILLIS,
            silence_suppression: false,
            // RFC 8866 section 5.2: 64 bits, of which common parsers take 63.
            session_id: OsRandom.next_u64() >> 1,
            srtp: SrtpPreferences {
                accepts: true,
                seed: SrtpSeed::new(seed),
                fingerprint: self.media.fingerprint(),
                ..SrtpPreferences::off()
            },
            ice: None,
        }
    }

    fn handle_media(&self, event: MediaEvent) {
        match event {
            MediaEvent::SourceFailed { message, .. } => self.tell(LabEvent::Problem(message)),
            MediaEvent::Flowing { .. }
            | MediaEvent::Gathered { .. }
            | MediaEvent::GatheringFailed { .. }
            | MediaEvent::Settled { .. }
            | MediaEvent::NoPath { .. }
            | MediaEvent::Silent { .. }
            | MediaEvent::Heard { .. }
            | MediaEvent::OneWay { .. }
            | MediaEvent::Secured { .. }
            | MediaEvent::KeysFailed { .. }
            | MediaEvent::PlanFailed { .. }
            | MediaEvent::Dtmf { .. }
            | MediaEvent::Quality { .. }
            | MediaEvent::Dropped { .. }
            | MediaEvent::Microphone(_)
            | MediaEvent::MutedTalk { .. }
            | MediaEvent::Levels(_)
            | MediaEvent::SoundTest(_)
            | MediaEvent::Player(_)
            | MediaEvent::RecordingAnnounced { .. }
            | MediaEvent::RecordingGap { .. }
            | MediaEvent::RecordingStarted { .. }
            | MediaEvent::RecordingStopped { .. }
            | MediaEvent::RecordingFailed { .. }
            | MediaEvent::HoldMusic { .. }
            | MediaEvent::Device { .. } => {}
        }
    }

    fn add(&mut self, now: Instant, session: SessionId, call: Call, part: Part) {
        let call = PeerCall {
            id: new_call_id(),
            call,
            part,
            due: now + LONGEST_CALL,
        };
        self.calls.insert(session, call);
    }

    fn with(&mut self, session: SessionId, then: impl FnOnce(&mut Call)) {
        if let Some(call) = self.calls.get_mut(&session) {
            then(&mut call.call);
        }
    }

    fn send_media(&mut self, command: MediaCommand) {
        if let Err(error) = self.media.send(command) {
            tracing::warn!(%error, "the lab's sound does not keep up");
        }
    }

    fn tell(&self, event: LabEvent) {
        // Whoever does not keep up misses news; the lab goes on.
        drop(self.events.try_send(event));
    }
}

fn account_of(caller: Caller) -> AccountId {
    AccountId(match caller {
        Caller::Known => 0,
        Caller::Unknown => 1,
        Caller::Maybe => 2,
    })
}

impl Caller {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Known, Self::Unknown, Self::Maybe];

    /// The number that it calls from.
    pub fn number(self) -> &'static str {
        match self {
            Self::Known => demo::KNOWN,
            Self::Unknown => demo::UNKNOWN,
            Self::Maybe => demo::MAYBE,
        }
    }
}

fn new_call_id() -> CallId {
    let mut random = [0; 10];
    OsRandom.fill(&mut random);
    let millis = u64::try_from(wall_now().as_millisecond()).unwrap_or_default();
    CallId::new(millis, random)
}
