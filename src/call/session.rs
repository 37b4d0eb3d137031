//! The state machine of one call.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use crate::call::action::{Action, CallError, Edge, SipAction};
use crate::call::fork::Forks;
use crate::call::hold::Hold;
use crate::call::negotiation::{MediaPreferences, Negotiation};
use crate::call::phase::Phase;
use crate::call::transfer::Transfer;
use crate::sdp::{Candidate, IceCredentials, IceSeed, MediaPlan};
use crate::sip::{Body, EarlyMedia, EndedBy, Status};

/// RFC 6228.
const EARLY_DIALOG_TERMINATED: u16 = 199;

/// What waits for the sockets to be bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnOpen {
    Offer,
    EarlyMedia,
    Answer,
    Move,
}

/// One call; see the module's picture.
#[derive(Debug)]
pub struct Call {
    pub(super) phase: Phase,
    preferences: MediaPreferences,
    pub(super) media: Option<Negotiation>,
    /// Incoming: the offer, until it is answered. None asks us to offer.
    offer: Option<Body>,
    /// Incoming: the local address towards the caller.
    local_ip: Option<IpAddr>,
    on_open: Option<OnOpen>,
    /// By what the checks of the sockets that are being opened are known.
    pub(super) credentials: Option<IceCredentials>,
    pub(super) hold: Hold,
    /// The transfer that our side asked for.
    pub(super) transfer: Transfer,
    /// Whether our re-INVITE is on its way.
    pub(super) reinviting: bool,
    /// Whether the far end is still to be told that we are to be reached elsewhere.
    pub(super) moved: bool,
    /// Whether the change that is on its way says so.
    pub(super) announcing: bool,
    /// Why the far end last refused to hear of it.
    pub(super) refused: Option<String>,
    /// Outgoing: what the phones that ring have answered.
    pub(super) forks: Forks,
    /// What was last applied.
    applied: Option<MediaPlan>,
    /// What our side found wrong, for the end's reason.
    problem: Option<String>,
    actions: VecDeque<Action>,
}

impl Call {
    /// Begins an outgoing call; the SIP layer resolves its target.
    pub fn outgoing(preferences: MediaPreferences) -> Self {
        Self::new(Phase::Dialling, preferences, None, None)
    }

    /// Takes an incoming call. An offer that can never be answered is refused at once with 488.
    pub fn incoming(preferences: MediaPreferences, local_ip: IpAddr, offer: Option<Body>) -> Self {
        // Any port serves to find out whether there is a common codec.
        let probe = SocketAddr::new(local_ip, 9);
        let check = offer
            .as_ref()
            .map_or(Ok(()), |body| Negotiation::check(&preferences, probe, body));
        let mut call = Self::new(Phase::Arriving, preferences, offer, Some(local_ip));
        if let Err(error) = check {
            call.refuse(&error.to_string());
        }
        call
    }

    /// Lets an incoming call ring: 180.
    ///
    /// # Errors
    ///
    /// Fails unless the call has just arrived.
    pub fn ring(&mut self) -> Result<(), CallError> {
        self.expect(&[Phase::Arriving])?;
        self.phase = Phase::Ringing;
        self.sip(SipAction::Ring(None));
        self.tell(Edge::Ringing {
            status: 180,
            early_media: false,
        });
        Ok(())
    }

    /// Answers an incoming call with sound before it is accepted: 183.
    ///
    /// # Errors
    ///
    /// Fails unless the call arrives or rings.
    pub fn ring_with_media(&mut self) -> Result<(), CallError> {
        self.expect(&[Phase::Arriving, Phase::Ringing])?;
        self.phase = Phase::Ringing;
        self.open(OnOpen::EarlyMedia);
        Ok(())
    }

    /// Accepts an incoming call.
    ///
    /// # Errors
    ///
    /// Fails unless the call arrives or rings.
    pub fn answer(&mut self) -> Result<(), CallError> {
        self.expect(&[Phase::Arriving, Phase::Ringing])?;
        self.phase = Phase::Answering;
        if self.media.is_some() {
            self.send_answer();
        } else {
            self.open(OnOpen::Answer);
        }
        Ok(())
    }

    /// Refuses an incoming call.
    ///
    /// # Errors
    ///
    /// Fails unless the call arrives or rings.
    pub fn reject(
        &mut self,
        status: Status,
        headers: Vec<(String, String)>,
    ) -> Result<(), CallError> {
        self.expect(&[Phase::Arriving, Phase::Ringing])?;
        self.sip(SipAction::Reject(status, headers));
        Ok(())
    }

    /// Ends the call in whatever phase it is; `Ended` follows from the SIP layer.
    ///
    /// # Errors
    ///
    /// Fails when it is already over.
    pub fn hang_up(&mut self) -> Result<(), CallError> {
        match self.phase {
            Phase::Ending | Phase::Ended => Err(CallError::WrongPhase(self.phase.word())),
            // Nothing that the far end must confirm.
            Phase::Arriving | Phase::Ringing => {
                self.sip(SipAction::HangUp);
                Ok(())
            }
            Phase::Dialling | Phase::Offered | Phase::Answering | Phase::Established => {
                self.leave();
                Ok(())
            }
        }
    }

    /// Holds or resumes; while a change is on its way the newest wish waits for its turn.
    ///
    /// # Errors
    ///
    /// Fails unless the call is connected.
    pub fn set_hold(&mut self, wanted: bool) -> Result<(), CallError> {
        self.expect(&[Phase::Answering, Phase::Established])?;
        self.want_hold(wanted);
        Ok(())
    }

    /// Another call took this one's place: it is over, and the SIP layer already says so.
    pub fn give_way(&mut self) {
        if !matches!(self.phase, Phase::Ending | Phase::Ended) {
            self.phase = Phase::Ending;
            self.on_open = None;
            self.tell(Edge::HungUp { problem: None });
        }
    }

    /// Learns where the sockets are bound.
    pub fn handle_media_opened(&mut self, rtp: SocketAddr) {
        self.opened(rtp, None);
    }

    pub(super) fn opened(
        &mut self,
        rtp: SocketAddr,
        ice: Option<(IceCredentials, Vec<Candidate>)>,
    ) {
        if self.on_open == Some(OnOpen::Move) {
            self.on_open = None;
            if let Some(media) = &mut self.media {
                media.move_to(rtp, ice.as_ref());
                self.forks.move_to(rtp, ice.as_ref());
                self.moved = true;
                self.tell(Edge::Moved(rtp));
                self.reinvite_if_needed();
            }
            return;
        }
        let mut media = Negotiation::new(&mut self.preferences, rtp);
        if let Some((credentials, candidates)) = ice {
            media.bring(credentials, candidates);
        }
        match self.on_open.take() {
            None | Some(OnOpen::Move) => {}
            Some(OnOpen::Offer) => {
                let offer = media.offer(self.hold.direction());
                self.media = Some(media);
                self.phase = Phase::Offered;
                self.expect_handshake();
                self.sip(SipAction::Offer(offer));
            }
            Some(OnOpen::EarlyMedia) => {
                self.media = Some(media);
                self.send_early_answer();
            }
            Some(OnOpen::Answer) => {
                self.media = Some(media);
                self.send_answer();
            }
        }
    }

    /// Learns that no socket could be bound: the call cannot be.
    pub fn handle_media_failed(&mut self, problem: &str) {
        if self.on_open.take() == Some(OnOpen::Move) {
            // The old sockets are as good as none, but the next address may be better.
            self.tell(Edge::Problem(problem.to_owned()));
            return;
        }
        self.problem = Some(problem.to_owned());
        match self.phase {
            Phase::Arriving | Phase::Ringing | Phase::Answering => {
                self.sip(SipAction::Reject(Status::new(500, "No Media"), Vec::new()));
            }
            Phase::Dialling | Phase::Offered | Phase::Established => self.leave(),
            Phase::Ending | Phase::Ended => {}
        }
    }

    /// Learns that the agreed sound can be neither sent nor heard, for want of keys or of a codec: so
    /// the call ends.
    pub fn handle_no_sound(&mut self, problem: &str) {
        match self.phase {
            Phase::Dialling | Phase::Offered | Phase::Answering | Phase::Established => {
                self.give_up(problem.to_owned());
            }
            Phase::Arriving | Phase::Ringing => self.refuse(problem),
            Phase::Ending | Phase::Ended => {}
        }
    }

    /// The target is resolved: an offer is due.
    pub fn handle_offer_needed(&mut self, local_ip: IpAddr) {
        if self.phase == Phase::Dialling {
            self.local_ip = Some(local_ip);
            self.open(OnOpen::Offer);
        }
    }

    /// The far end sends the call elsewhere: whoever rang has no part in it any more, and the next
    /// one gets an offer of its own.
    pub fn handle_redirected(&mut self) {
        if matches!(self.phase, Phase::Dialling | Phase::Offered) {
            self.phase = Phase::Dialling;
            self.media = None;
            self.applied = None;
            self.on_open = None;
            self.forks.clear();
        }
    }

    /// The way to the far end begins at another address of ours now: media moves there, and the
    /// far end is told as soon as the call allows.
    pub fn handle_moved(&mut self, local_ip: IpAddr) {
        self.local_ip = Some(local_ip);
        if self.media.is_some() && self.phase != Phase::Ended {
            self.open(OnOpen::Move);
        }
    }

    /// A provisional answer came from one of the phones that ring.
    pub fn handle_progress(
        &mut self,
        fork: &str,
        status: &Status,
        body: Option<&Body>,
        early_media: EarlyMedia,
    ) {
        if self.phase == Phase::Ending {
            return;
        }
        // One phone stopped ringing, others may go on.
        if status.code == EARLY_DIALOG_TERMINATED {
            self.forks.remove(fork);
        } else {
            // An early answer that cannot be used is no reason to end a call that may yet be
            // answered well.
            let agreed = body.and_then(|body| {
                let mut media = self.media.clone()?;
                media.accept(body).ok()?;
                Some(media)
            });
            self.forks.progress(fork, agreed, early_media);
        }
        let heard = self.forks.heard().cloned();
        let early_media = heard.is_some();
        if let Some(plan) = heard {
            self.apply(plan);
        }
        if status.code == EARLY_DIALOG_TERMINATED && self.forks.is_empty() {
            self.tell(Edge::RingingOver);
        } else if status.code > 100 {
            self.tell(Edge::Ringing {
                status: status.code,
                early_media,
            });
        }
    }

    /// One of the phones accepted.
    pub fn handle_answered(&mut self, fork: &str, body: Option<&Body>) {
        if self.phase == Phase::Ending {
            return;
        }
        self.phase = Phase::Established;
        // The answer may have come in a provisional response alone (RFC 3261 section 13.2.1).
        let early = self.forks.take(fork);
        self.forks.clear();
        let agreed = early.is_some();
        if agreed {
            self.media = early;
        }
        let taken = match body {
            Some(body) => self.take_answer(body),
            None if agreed => {
                self.apply_agreed();
                Ok(())
            }
            None => Err("the far end accepted without saying what it can hear".to_owned()),
        };
        match taken {
            Ok(()) => {
                self.tell(Edge::Answered);
                self.tell_remote_hold();
                self.reinvite_if_needed();
            }
            Err(problem) => self.give_up(problem),
        }
    }

    /// Our acceptance was acknowledged; after a late offer the ACK carries the answer.
    pub fn handle_confirmed(&mut self, body: Option<&Body>) {
        if self.phase != Phase::Answering {
            return;
        }
        self.phase = Phase::Established;
        let agreed = self
            .media
            .as_ref()
            .is_some_and(|media| media.plan().is_some());
        match body {
            Some(body) if !agreed => {
                if let Err(problem) = self.take_answer(body) {
                    self.give_up(problem);
                }
            }
            None if !agreed => {
                self.give_up("the far end did not answer the offer of this phone".to_owned());
            }
            Some(_) | None => {}
        }
        self.reinvite_if_needed();
    }

    /// The SIP session is over.
    pub fn handle_ended(&mut self, by: EndedBy, status: Status, reason: Option<String>) {
        self.phase = Phase::Ended;
        self.end_transfer(by == EndedBy::Remote);
        let problem = self.problem.take();
        self.tell(Edge::Ended {
            by,
            status,
            reason,
            problem,
        });
    }

    /// The next wish or message.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Where the call stands.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether we hold, as agreed.
    pub fn held(&self) -> bool {
        self.hold.applied
    }

    /// Whether we hold, or have asked for it.
    pub fn wants_hold(&self) -> bool {
        self.hold.wanted
    }

    /// Whether the far end holds us.
    pub fn held_by_remote(&self) -> bool {
        self.hold.remote
    }

    /// Our RTP address, once bound.
    pub fn local_rtp(&self) -> Option<SocketAddr> {
        self.media.as_ref().map(Negotiation::rtp)
    }

    fn new(
        phase: Phase,
        preferences: MediaPreferences,
        offer: Option<Body>,
        local_ip: Option<IpAddr>,
    ) -> Self {
        Self {
            phase,
            preferences,
            media: None,
            offer,
            local_ip,
            on_open: None,
            credentials: None,
            hold: Hold::default(),
            transfer: Transfer::None,
            reinviting: false,
            moved: false,
            announcing: false,
            refused: None,
            forks: Forks::default(),
            applied: None,
            problem: None,
            actions: VecDeque::new(),
        }
    }

    pub(super) fn want_hold(&mut self, wanted: bool) {
        self.hold.wanted = wanted;
        self.reinvite_if_needed();
    }

    pub(super) fn expect(&self, phases: &[Phase]) -> Result<(), CallError> {
        if phases.contains(&self.phase) {
            Ok(())
        } else {
            Err(CallError::WrongPhase(self.phase.word()))
        }
    }

    fn open(&mut self, on_open: OnOpen) {
        self.on_open = Some(on_open);
        self.credentials = self.preferences.ice.as_mut().map(IceSeed::draw);
        if let Some(local_ip) = self.local_ip {
            self.actions.push_back(Action::OpenMedia(local_ip));
        }
    }

    fn send_early_answer(&mut self) {
        match self.first_answer() {
            Ok(body) => {
                self.sip(SipAction::Ring(Some(body)));
                self.tell(Edge::Ringing {
                    status: 183,
                    early_media: true,
                });
            }
            Err(problem) => self.refuse(&problem),
        }
    }

    fn send_answer(&mut self) {
        match self.first_answer() {
            Ok(body) => {
                self.sip(SipAction::Answer(body));
                self.tell(Edge::Answered);
                self.tell_remote_hold();
            }
            Err(problem) => self.refuse(&problem),
        }
    }

    /// The body of 183 and 200: the same answer in both, or our offer after a late offer.
    fn first_answer(&mut self) -> Result<Body, String> {
        let Some(media) = &mut self.media else {
            return Err("no sound path is open".to_owned());
        };
        if let Some(written) = media.written() {
            return Ok(written);
        }
        match &self.offer {
            None => {
                let offer = media.offer(self.hold.direction());
                self.expect_handshake();
                Ok(offer)
            }
            Some(offer) => match media.answer(offer, self.hold.direction()) {
                Ok((body, plan)) => {
                    self.agreed(plan);
                    Ok(body)
                }
                Err(error) => Err(error.to_string()),
            },
        }
    }

    /// Lets the media take a handshake that the offer of ours invites to.
    fn expect_handshake(&mut self) {
        if self
            .media
            .as_ref()
            .is_some_and(Negotiation::offers_handshake)
        {
            self.actions.push_back(Action::ExpectHandshake);
        }
    }

    pub(super) fn take_answer(&mut self, body: &Body) -> Result<(), String> {
        let media = self
            .media
            .as_mut()
            .ok_or_else(|| "no sound path is open".to_owned())?;
        let plan = media.accept(body).map_err(|error| error.to_string())?;
        self.apply(plan);
        Ok(())
    }

    fn apply_agreed(&mut self) {
        let plan = self.media.as_ref().and_then(Negotiation::plan).cloned();
        if let Some(plan) = plan {
            self.apply(plan);
        }
    }

    /// Applies a plan unless it is the running one.
    fn apply(&mut self, plan: MediaPlan) {
        if self.applied.as_ref() != Some(&plan) {
            self.agreed(plan);
        }
    }

    pub(super) fn agreed(&mut self, plan: MediaPlan) {
        self.applied = Some(plan.clone());
        self.actions
            .push_back(Action::Apply(Box::new(plan.clone())));
        self.tell(Edge::Media(Box::new(plan)));
    }

    /// Nothing can be agreed: 488, with the reason for the agent.
    fn refuse(&mut self, problem: &str) {
        self.problem = Some(problem.to_owned());
        let status = Status::new(488, "Not Acceptable Here");
        self.sip(SipAction::Reject(status, Vec::new()));
    }

    /// The session stands but no media can: end it.
    fn give_up(&mut self, problem: String) {
        self.problem = Some(problem);
        self.leave();
    }

    /// Hangs up; for our side the call is over.
    pub(super) fn leave(&mut self) {
        self.phase = Phase::Ending;
        self.on_open = None;
        let problem = self.problem.take();
        self.tell(Edge::HungUp { problem });
        self.sip(SipAction::HangUp);
    }

    pub(super) fn sip(&mut self, action: SipAction) {
        self.actions.push_back(Action::Sip(action));
    }

    pub(super) fn tell(&mut self, edge: Edge) {
        self.actions.push_back(Action::Tell(edge));
    }
}
