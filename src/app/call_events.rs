//! What happens to calls: from the SIP core, the store's acknowledgements and the clock.

use std::time::{Duration, Instant};

use crate::app::engine::{Engine, Internal};
use crate::app::journal::PATIENCE;
use crate::app::live_call::{Beginning, Ending, Gate, LiveCall};
use crate::app::outcome::outcome;
use crate::app::script::{self, Reaction};
use crate::base::clock;
use crate::base::id::{AccountId, CallId};
use crate::base::random::{OsRandom, Random as _};
use crate::base::uri::Uri;
use crate::call::{Action, Call, Edge, MediaPreferences, SipAction};
use crate::control::{Event, RecordingView};
use crate::crm::StoreError;
use crate::crm::row::{CallDirection, CallState, Identification};
use crate::crm::store::{CallChange, Write};
use crate::media::MediaCommand;
use crate::sdp::{Codec, MediaPlan};
use crate::sip::{IncomingCall, NameAddr, SessionId, SipEvent};

/// How long a call may wait for the look-up of its caller; a look-up takes microseconds.
const LOOK_UP: Duration = Duration::from_millis(20);
/// How many ended calls stay on the screen until the agent dismisses them.
const ENDED_SHOWN: usize = 8;

impl Engine {
    /// Routes one event of the SIP core.
    pub(super) fn handle_sip(&mut self, now: Instant, event: SipEvent) {
        match event {
            SipEvent::Registration { account, state } => {
                self.handle_registration(now, account, state);
            }
            SipEvent::Incoming(incoming) => self.handle_incoming(now, *incoming),
            SipEvent::OfferNeeded { session, local_ip } => {
                self.with_session(now, session, |call| call.call.handle_offer_needed(local_ip));
            }
            SipEvent::Progress {
                session,
                status,
                body,
            } => {
                self.with_session(now, session, |call| {
                    call.call.handle_progress(&status, body.as_ref());
                });
            }
            SipEvent::Answered {
                session,
                body,
                remote: _,
            } => {
                self.with_session(now, session, |call| {
                    call.call.handle_answered(body.as_ref())
                });
            }
            SipEvent::Confirmed { session, body } => {
                self.with_session(now, session, |call| {
                    call.call.handle_confirmed(body.as_ref())
                });
            }
            SipEvent::Reinvite { session, offer } => {
                self.with_session(now, session, |call| {
                    call.call.handle_reinvite(offer.as_ref())
                });
            }
            SipEvent::ReinviteConfirmed { session, body } => {
                self.with_session(now, session, |call| {
                    call.call.handle_reinvite_confirmed(body.as_ref());
                });
            }
            SipEvent::ReinviteAnswered {
                session,
                status,
                body,
            } => {
                self.with_session(now, session, |call| {
                    call.call.handle_reinvite_answered(&status, body.as_ref());
                });
            }
            SipEvent::InfoDigit { session, digit } => {
                if let Some(call) = self
                    .sessions
                    .get(&session)
                    .and_then(|id| self.calls.get(id))
                {
                    let call = call.context();
                    self.tell(Event::Dtmf { call, digit });
                }
            }
            SipEvent::Message { from, body } => {
                let text = String::from_utf8_lossy(&body.bytes).into_owned();
                self.tell(Event::Message {
                    from: from.uri.to_string(),
                    text,
                });
            }
            SipEvent::Ended {
                session,
                by,
                status,
                reason,
            } => {
                self.with_session(now, session, |call| {
                    call.call.handle_ended(by, status, reason)
                });
                self.sessions.remove(&session);
            }
            SipEvent::Trace {
                sent,
                remote,
                sip_call_id,
                text,
                ..
            } => {
                tracing::debug!(%remote, sent, "{text}");
                let remote = remote.to_string();
                self.tell(Event::Trace {
                    sip_call_id,
                    sent,
                    remote,
                    text,
                });
            }
        }
    }

    /// A call arrives: it is looked up and written down before it rings.
    fn handle_incoming(&mut self, now: Instant, incoming: IncomingCall) {
        let id = Self::new_call_id();
        let preferences = self.media_preferences(incoming.account);
        let call = Call::incoming(preferences, incoming.local_ip, incoming.offer.clone());
        // What a trusted network asserts would come first; trust is per account and off by default.
        let remote = who(&incoming.from);
        let mut live = LiveCall::new(Beginning {
            id,
            call,
            account: incoming.account,
            direction: CallDirection::Inbound,
            remote: remote.clone(),
            remote_name: incoming.from.display_name.clone(),
            from: incoming.from.uri.to_string(),
            to: incoming.to.uri.to_string(),
            local: incoming.to.uri.to_string(),
            now,
            wall: clock::wall_now(),
            look_up_until: now + LOOK_UP,
        });
        live.session = Some(incoming.session);
        live.sip_call_id = Some(incoming.sip_call_id);
        live.diverted_from = incoming.diversion.as_ref().map(who);
        self.sessions.insert(incoming.session, id);
        self.calls.insert(id, live);
        self.look_up(id, &remote);
    }

    /// Begins an outgoing call; it is looked up and written down before its INVITE.
    pub(super) fn begin_outgoing(
        &mut self,
        now: Instant,
        account: Option<AccountId>,
        uri: &Uri,
    ) -> CallId {
        let id = Self::new_call_id();
        let local = account
            .and_then(|id| self.account_address(id))
            .unwrap_or_default();
        let remote = NameAddr {
            display_name: None,
            uri: uri.clone(),
        };
        let remote = who(&remote);
        let mut live = LiveCall::new(Beginning {
            id,
            call: Call::outgoing(self.media_preferences(account)),
            account,
            direction: CallDirection::Outbound,
            remote: remote.clone(),
            remote_name: None,
            from: local.clone(),
            to: uri.to_string(),
            local,
            now,
            wall: clock::wall_now(),
            look_up_until: now + LOOK_UP,
        });
        live.uri = Some(uri.to_string());
        self.calls.insert(id, live);
        self.look_up(id, &remote);
        id
    }

    fn look_up(&mut self, id: CallId, remote: &str) {
        let found = self.store.identify(remote);
        let internal = self.internal.clone();
        tokio::spawn(async move {
            let found = found.await.unwrap_or(Err(StoreError::Closed));
            drop(internal.send(Internal::Identified(id, found)).await);
        });
        self.dirty = true;
    }

    /// The look-up answered.
    pub(super) fn handle_identified(
        &mut self,
        now: Instant,
        id: CallId,
        found: Result<Identification, StoreError>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        match found {
            Ok(found) => call.identification = Some(found),
            Err(error) => tracing::warn!("a caller could not be looked up: {error}"),
        }
        if matches!(call.gate, Gate::Identifying(_)) {
            self.write_row(now, id);
        }
    }

    fn write_row(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        // Patience counts from the arrival, so that the look-up's time is part of it.
        call.gate = Gate::Writing((call.started + PATIENCE).max(now));
        let row = call.row();
        self.record(Write::InsertCall(Box::new(row)));
    }

    /// The store answered a write of a call.
    pub(super) fn handle_call_written(&mut self, now: Instant, write: &Write, durable: bool) {
        match write {
            Write::InsertCall(row) => {
                let Some(call) = self.calls.get_mut(&row.id) else {
                    return;
                };
                call.durable = durable;
                if matches!(call.gate, Gate::Writing(_)) {
                    self.open_gate(now, row.id);
                }
            }
            Write::ChangeCall(id, CallChange::Ended { .. }) => self.tell_ended(*id, durable),
            Write::ChangeCall(..)
            | Write::SaveContact(_)
            | Write::DeleteContact(_)
            | Write::SaveOrganization(_) => {}
        }
    }

    /// The row is on disk, or patience is over: the call goes on.
    fn open_gate(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.gate = Gate::Open;
        let durable = call.durable;
        let context = call.context();
        match call.direction {
            CallDirection::Inbound => {
                self.tell(Event::Incoming {
                    call: context,
                    durable,
                });
                self.react(now, id);
            }
            CallDirection::Outbound => {
                let uri = call.uri.clone().unwrap_or_default();
                let account = call.account;
                let ended = call.ended.is_some();
                self.tell(Event::Outgoing {
                    call: context,
                    durable,
                    uri: uri.clone(),
                });
                if !ended {
                    self.send_invite(now, id, account, &uri);
                }
            }
        }
    }

    fn send_invite(&mut self, now: Instant, id: CallId, account: Option<AccountId>, uri: &str) {
        let sent = Uri::parse(uri)
            .map_err(|error| error.to_string())
            .and_then(|uri| {
                self.endpoint
                    .invite(now, account, &uri, &[])
                    .map_err(|error| error.to_string())
            });
        match sent {
            Ok(session) => {
                self.sessions.insert(session, id);
                if let Some(call) = self.calls.get_mut(&id) {
                    call.session = Some(session);
                    call.status = "calling".to_owned();
                }
            }
            Err(problem) => {
                self.problem(Some(id), problem);
                self.end_without_session(now, id, crate::sip::EndedBy::Unreachable, 500);
            }
        }
    }

    fn react(&mut self, now: Instant, id: CallId) {
        let reaction = script::on_incoming(&self.options.script, now);
        self.with_call(now, id, |call| {
            // A call that is already refused or gone cannot be rung; that is no fault.
            match reaction {
                Reaction::Ring(answer_at) => {
                    if call.call.ring().is_ok() {
                        call.answer_at = answer_at;
                    }
                }
                Reaction::EarlyMedia => drop(call.call.ring_with_media()),
                Reaction::Refuse(status, headers) => drop(call.call.reject(status, headers)),
            }
        });
        // The ring edge must not wait for the next frame.
        self.publish_now(now);
    }

    /// Lets a session's call take an input, and carries out what it wants.
    fn with_session(
        &mut self,
        now: Instant,
        session: SessionId,
        input: impl FnOnce(&mut LiveCall),
    ) {
        if let Some(id) = self.sessions.get(&session).copied() {
            self.with_call(now, id, input);
        }
    }

    /// Lets a call take an input, and carries out what it wants.
    pub(super) fn with_call(
        &mut self,
        now: Instant,
        id: CallId,
        input: impl FnOnce(&mut LiveCall),
    ) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        input(call);
        self.dirty = true;
        while let Some(action) = self
            .calls
            .get_mut(&id)
            .and_then(|call| call.call.poll_action())
        {
            match action {
                Action::OpenMedia(local_ip) => match self.media.open(id, local_ip) {
                    Ok(rtp) => {
                        let source = self.options.script.source.clone();
                        self.sound(MediaCommand::Source { call: id, source });
                        if let Some(call) = self.calls.get_mut(&id) {
                            call.call.handle_media_opened(rtp);
                        }
                    }
                    Err(error) => {
                        if let Some(call) = self.calls.get_mut(&id) {
                            call.call.handle_media_failed(&error.to_string());
                        }
                    }
                },
                Action::Apply(plan) => self.sound(MediaCommand::Apply { call: id, plan }),
                Action::Sip(action) => self.carry_out_sip(now, id, action),
                Action::Tell(edge) => self.handle_edge(now, id, edge),
            }
        }
    }

    fn carry_out_sip(&mut self, now: Instant, id: CallId, action: SipAction) {
        let Some(session) = self.calls.get(&id).and_then(|call| call.session) else {
            return;
        };
        let endpoint = &mut self.endpoint;
        let done = match action {
            SipAction::Offer(body) => endpoint.offer(now, session, body),
            SipAction::Ring(body) => endpoint.ring(now, session, body),
            SipAction::Answer(body) => endpoint.answer(now, session, body),
            SipAction::Reject(status, headers) => endpoint.reject(now, session, status, &headers),
            SipAction::HangUp => endpoint.hang_up(now, session),
            SipAction::Reinvite(body) => endpoint.reinvite(now, session, body),
            SipAction::AnswerReinvite(status, body) => {
                endpoint.answer_reinvite(now, session, status, body)
            }
        };
        // The far end may have ended the call a moment before; its end follows by event.
        if let Err(error) = done {
            tracing::debug!("{id}: {error}");
        }
    }

    /// Tells others what happened in a call.
    fn handle_edge(&mut self, now: Instant, id: CallId, edge: Edge) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let context = call.context();
        match edge {
            Edge::Ringing {
                status,
                early_media,
            } => {
                call.ringing = true;
                call.early_media = early_media;
                call.status = "ringing".to_owned();
                self.tell(Event::Ringing {
                    call: context,
                    status,
                });
            }
            Edge::Answered => self.handle_answer_edge(now, id),
            Edge::Held { by_remote } => {
                call.status = if by_remote {
                    "held by the far end"
                } else {
                    "on hold"
                }
                .to_owned();
                self.record(Write::ChangeCall(id, CallChange::Held(true)));
                self.tell(Event::Held {
                    call: context,
                    by_remote,
                });
            }
            Edge::Resumed => {
                call.status = "talking".to_owned();
                let held = call.call.held() || call.call.held_by_remote();
                self.record(Write::ChangeCall(id, CallChange::Held(held)));
                self.tell(Event::Resumed { call: context });
            }
            Edge::Media(plan) => self.handle_plan(id, &plan),
            Edge::Problem(text) => self.problem(Some(id), text),
            Edge::Ended {
                by,
                status,
                reason,
                problem,
            } => {
                let judged = outcome(
                    call.direction,
                    call.answered.is_some(),
                    by,
                    &status,
                    reason.as_deref(),
                    problem.as_deref(),
                );
                self.end(now, id, judged, status.code);
            }
        }
    }

    fn handle_answer_edge(&mut self, now: Instant, id: CallId) {
        let script = self.options.script.clone();
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.answered = Some(now);
        call.answer_at = None;
        call.hang_up_at = script::hang_up_at(&script, now);
        call.status = "talking".to_owned();
        let waiting_millis = millis(now.duration_since(call.started));
        let context = call.context();
        let at = clock::wall_now();
        self.record(Write::ChangeCall(
            id,
            CallChange::Answered { at, waiting_millis },
        ));
        self.tell(Event::Answered { call: context });
        if script.record || self.options.settings.record_calls {
            self.set_recording(id, true);
        }
        if let Some(digits) = script.dtmf {
            self.sound(MediaCommand::Dtmf { call: id, digits });
        }
        if self.options.one_at_a_time {
            self.hold_others(now, id);
        }
    }

    fn handle_plan(&mut self, id: CallId, plan: &MediaPlan) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.codec = Some(plan.codec.to_string());
        let local = call
            .local_rtp()
            .map(|rtp| rtp.to_string())
            .unwrap_or_default();
        let event = Event::Media {
            call: call.context(),
            codec: plan.codec.to_string(),
            local,
            remote: plan.remote_rtp.map(|rtp| rtp.to_string()),
            security: "none",
        };
        self.tell(event);
    }

    /// Ends a call that never reached the SIP layer.
    pub(super) fn end_without_session(
        &mut self,
        now: Instant,
        id: CallId,
        by: crate::sip::EndedBy,
        code: u16,
    ) {
        let status = crate::sip::Status::new(code, script::phrase(code));
        self.with_call(now, id, |call| call.call.handle_ended(by, status, None));
    }

    fn end(&mut self, now: Instant, id: CallId, judged: crate::app::outcome::Outcome, code: u16) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.ended = Some(now);
        call.answer_at = None;
        call.hang_up_at = None;
        call.status = judged.words.clone();
        let waiting = call.answered.unwrap_or(now).duration_since(call.started);
        let talking = call.answered.map(|answered| now.duration_since(answered));
        call.ending = Some(Ending {
            state: judged.state,
            status: code,
            reason: judged.words.clone(),
            waiting,
            talking,
            until: now + PATIENCE,
        });
        // The row may still wait for its look-up: it is written now, before its end.
        if matches!(call.gate, Gate::Identifying(_)) {
            self.write_row(now, id);
        }
        self.record(Write::ChangeCall(
            id,
            CallChange::Ended {
                state: judged.state,
                at: clock::wall_now(),
                waiting_millis: millis(waiting),
                talking_millis: talking.map(millis),
                sip_status: Some(code),
                end_reason: judged.words,
                done: judged.done,
            },
        ));
        self.sound(MediaCommand::Close { call: id });
        if judged.state == CallState::Busy {
            self.busy_tone(now);
        }
        self.forget_old_calls();
        self.publish_now(now);
    }

    /// Tells the end once its row is on disk, or patience is over.
    fn tell_ended(&mut self, id: CallId, durable: bool) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let Some(ending) = call.ending.take() else {
            return;
        };
        call.durable = durable;
        let event = Event::Ended {
            call: call.context(),
            state: ending.state,
            status: ending.status,
            reason: ending.reason,
            waiting: ending.waiting,
            talking: ending.talking,
            durable,
        };
        self.tell(event);
    }

    /// What is due by the clock: patience with the disk, the script's answers and ends.
    pub(super) fn handle_call_timeouts(&mut self, now: Instant) {
        let due: Vec<CallId> = self
            .calls
            .values()
            .filter(|call| call.deadline().is_some_and(|at| at <= now))
            .map(|call| call.id)
            .collect();
        for id in due {
            let Some(call) = self.calls.get_mut(&id) else {
                continue;
            };
            match call.gate {
                Gate::Identifying(until) if until <= now => self.write_row(now, id),
                Gate::Writing(until) if until <= now => {
                    call.durable = false;
                    self.open_gate(now, id);
                }
                Gate::Identifying(_) | Gate::Writing(_) | Gate::Open => {}
            }
            let Some(call) = self.calls.get_mut(&id) else {
                continue;
            };
            if call
                .ending
                .as_ref()
                .is_some_and(|ending| ending.until <= now)
            {
                self.tell_ended(id, false);
            }
            let Some(call) = self.calls.get_mut(&id) else {
                continue;
            };
            if call.answer_at.is_some_and(|at| at <= now) {
                call.answer_at = None;
                self.answer(now, id);
            }
            let Some(call) = self.calls.get_mut(&id) else {
                continue;
            };
            if call.hang_up_at.is_some_and(|at| at <= now) {
                call.hang_up_at = None;
                self.hang_up(now, id);
            }
        }
        if self.tone_until.is_some_and(|(_, until)| until <= now) {
            self.tone_until = None;
        }
    }

    /// Keeps the screen short: headless phones dismiss nothing.
    fn forget_old_calls(&mut self) {
        let told: Vec<CallId> = self
            .calls
            .values()
            .filter(|call| call.ended.is_some() && call.ending.is_none())
            .map(|call| call.id)
            .collect();
        let surplus = told.len().saturating_sub(ENDED_SHOWN);
        for id in told.into_iter().take(surplus) {
            self.calls.remove(&id);
        }
    }

    pub(super) fn recording_of(&self, id: CallId) -> Option<&RecordingView> {
        self.calls.get(&id).map(|call| &call.recording)
    }

    fn media_preferences(&self, account: Option<AccountId>) -> MediaPreferences {
        let named = account
            .and_then(|id| self.account(id))
            .map_or(&self.options.script.codecs, |account| {
                &account.account.codecs
            });
        let mut codecs: Vec<Codec> = named
            .iter()
            .filter_map(|name| Codec::from_name(name))
            .collect();
        if codecs.is_empty() {
            codecs = vec![Codec::Opus, Codec::Pcmu, Codec::Pcma];
        }
        // 62 bits: some parsers read `o=` ids as signed numbers.
        let session_id = OsRandom.next_u64() >> 2;
        MediaPreferences {
            codecs,
            ptime_millis: 20,
            session_id,
        }
    }
}

/// The number or address to look up and to show: the user part where there is one.
fn who(address: &NameAddr) -> String {
    match &address.uri {
        Uri::Sip(uri) => match address.uri.user_decoded() {
            // A name is only unique with its domain; a number is a number everywhere.
            Some(user) if user.chars().any(|c| c.is_ascii_alphabetic()) => address.uri.to_string(),
            Some(user) => user,
            None => format!("{}", Uri::Sip(uri.clone())),
        },
        Uri::Tel(uri) => uri.number.clone(),
        Uri::Other { .. } => address.uri.to_string(),
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
