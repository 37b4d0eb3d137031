//! What happens to calls: from the SIP core, the store's acknowledgements and the clock.

use std::time::{Duration, Instant};

use crate::app::call_end::millis;
use crate::app::engine::Engine;
use crate::app::live_call::{Gate, LiveCall, RowState};
use crate::app::outcome::outcome;
use crate::app::script;
use crate::base::clock;
use crate::base::id::CallId;
use crate::call::{Action, Edge, SipAction};
use crate::control::{Event, KeyOrigin, MediaSecurity};
use crate::crm::row::CallState;
use crate::crm::store::{CallChange, Write};
use crate::media::MediaCommand;
use crate::sdp::MediaPlan;
use crate::sip::{EndedBy, SessionId, SipEvent, Status};

impl Engine {
    /// Routes one event of the SIP core.
    #[expect(clippy::too_many_lines, reason = "a table: one arm for each event")]
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
                fork,
                status,
                body,
                early_media,
            } => {
                self.with_session(now, session, |call| {
                    (call.call).handle_progress(&fork, &status, body.as_ref(), early_media);
                });
            }
            SipEvent::Answered {
                session,
                fork,
                body,
                answered_by,
            } => {
                let trusts = self.trusts_identity(session);
                self.with_session(now, session, |call| {
                    call.take_answerer(answered_by.as_ref().filter(|_| trusts));
                    call.call.handle_answered(&fork, body.as_ref());
                });
            }
            SipEvent::Confirmed { session, body } => {
                self.with_session(now, session, |call| {
                    call.confirmed = true;
                    call.call.handle_confirmed(body.as_ref());
                });
                if let Some(id) = self.sessions.get(&session).copied() {
                    self.begin_scripted_transfer(now, id);
                }
            }
            SipEvent::Reinvite {
                session,
                fork,
                offer,
            } => {
                self.with_session(now, session, |call| {
                    call.call.handle_reinvite(&fork, offer.as_ref());
                });
            }
            SipEvent::ChangeDeferred { session } => {
                self.with_session(now, session, |call| call.call.handle_change_deferred());
            }
            SipEvent::ChangePossible { session } => {
                self.with_session(now, session, |call| call.call.handle_change_possible());
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
            SipEvent::Transfer {
                session,
                status,
                done,
            } => {
                let id = self.sessions.get(&session);
                let busy = id.is_some_and(|id| self.busy_elsewhere(*id));
                self.with_session(now, session, |call| {
                    // Whether it comes back is decided once, at the end.
                    if done && busy {
                        call.call.stay_held();
                    }
                    call.call.handle_transfer(&status, done);
                });
            }
            SipEvent::Referral(referral) => self.handle_referral(now, &referral),
            SipEvent::ReferralOver { session } => self.handle_referral_over(session),
            SipEvent::Redirected {
                session,
                status,
                targets,
            } => self.handle_redirected(now, session, &status, &targets),
            SipEvent::Redirecting { session, target } => {
                self.handle_redirecting(now, session, &target);
            }
            SipEvent::NotFollowed { session, why } => {
                self.with_session(now, session, |call| call.not_followed = Some(why));
            }
            SipEvent::Moved { session, local_ip } => {
                self.with_session(now, session, |call| call.call.handle_moved(local_ip));
            }
            SipEvent::InfoDigit { session, digit } => self.tell_digit(now, session, digit),
            SipEvent::InformationRefused { session, status } => {
                self.digits_refused(session, &status);
            }
            SipEvent::StrongRealm { account, realm } => self.remember_strong(account, realm),
            SipEvent::CredentialsKept { session, why } => {
                self.with_session(now, session, |call| call.credentials_kept = Some(why));
            }
            SipEvent::Message {
                account,
                from,
                caller,
                body,
            } => self.tell_message(account, &from, &caller, &body),
            SipEvent::Ended {
                session,
                by,
                status,
                reason,
            } => {
                self.handle_session_end(now, session, by, status, reason);
            }
            SipEvent::Subscription {
                subscription,
                state,
            } => self.handle_subscription_state(subscription, &state),
            SipEvent::News {
                subscription,
                notifier,
                body,
            } => {
                if let Some(body) = body {
                    self.handle_news(now, subscription, notifier, &body);
                }
            }
            SipEvent::NotifierGone {
                subscription,
                notifier,
            } => self.handle_notifier_gone(subscription, notifier),
            SipEvent::UnsolicitedNews(news) => self.handle_unsolicited(&news),
            traced @ SipEvent::Trace { .. } => self.trace(now, traced),
        }
    }

    fn tell_digit(&mut self, now: Instant, session: SessionId, digit: char) {
        let Some(id) = self.sessions.get(&session).copied() else {
            return;
        };
        if !self.is_unheard(now, id, Duration::ZERO)
            && let Some(call) = self.calls.get(&id)
        {
            let call = call.context();
            self.tell(Event::Dtmf { call, digit });
        }
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
                Action::OpenMedia(local_ip) => match self.media.open(now, id, local_ip) {
                    Ok(rtp) => {
                        let moves = self
                            .calls
                            .get(&id)
                            .is_some_and(|call| call.call.local_rtp().is_some());
                        if !moves {
                            let source = self.options.script.source.clone();
                            self.sound(MediaCommand::Source { call: id, source });
                            // A redirected call opens its sound again.
                            if self.calls.get(&id).is_some_and(|call| call.muted) {
                                self.sound(MediaCommand::Mute {
                                    call: id,
                                    muted: true,
                                });
                            }
                        }
                        if !self.begins_ice(now, id, rtp)
                            && let Some(call) = self.calls.get_mut(&id)
                        {
                            call.call.handle_media_opened(rtp);
                        }
                    }
                    Err(error) => {
                        if let Some(call) = self.calls.get_mut(&id) {
                            call.call.handle_media_failed(&error.to_string());
                        }
                    }
                },
                Action::ExpectHandshake => self.sound(MediaCommand::ExpectHandshake { call: id }),
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
        let change = matches!(action, SipAction::Reinvite(_));
        let refer = matches!(action, SipAction::Refer(_));
        let endpoint = &mut self.endpoint;
        let done = match action {
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
        };
        // The far end may have ended the call a moment before; its end follows by event.
        if let Err(error) = done {
            tracing::debug!("{id}: {error}");
            if change && let Some(call) = self.calls.get_mut(&id) {
                call.call.handle_change_deferred();
            } else if refer && let Some(call) = self.calls.get_mut(&id) {
                let status = Status::new(500, error.to_string());
                call.call.handle_transfer(&status, true);
            }
        }
    }

    /// Tells others what happened in a call.
    fn handle_edge(&mut self, now: Instant, id: CallId, edge: Edge) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        // What a call does after its end, until the far end confirms it, concerns nobody.
        if call.ended.is_some() {
            return;
        }
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
            Edge::RingingOver => call.stop_ringing(),
            Edge::Answered => self.handle_answer_edge(now, id),
            Edge::Held { by_remote } => self.handle_hold_edge(id, Some(by_remote)),
            Edge::Resumed => self.handle_hold_edge(id, None),
            Edge::Media(plan) => self.handle_plan(now, id, &plan),
            Edge::Moved(rtp) => {
                let local = rtp.to_string();
                self.tell(Event::Moved {
                    call: context,
                    local,
                });
            }
            Edge::Problem(text) => self.problem(Some(id), text),
            Edge::Transferring { status } => self.handle_transferring(id, status),
            Edge::Transferred { status } => self.handle_transferred(now, id, &status),
            Edge::HungUp { problem } => {
                let by = if call.gave_way {
                    EndedBy::Replaced
                } else {
                    EndedBy::Local
                };
                let code = if call.answered.is_some() { 200 } else { 487 };
                let judged = outcome(
                    call.direction,
                    call.reached(),
                    by,
                    &Status::new(code, ""),
                    None,
                    problem.as_deref(),
                );
                let judged = match call.ended_by_rule.take() {
                    Some((state, words)) => judged.by_rule(state, words),
                    None => judged,
                };
                self.end(now, id, judged, code);
            }
            Edge::Ended {
                by,
                status,
                reason,
                problem,
            } => {
                let judged = outcome(
                    call.direction,
                    call.reached(),
                    by,
                    &status,
                    reason.as_deref(),
                    problem.as_deref(),
                );
                let judged = match call.ended_by_rule.take() {
                    Some((state, words)) if by == EndedBy::Local => judged.by_rule(state, words),
                    Some(_) | None => match (status.code, call.explained_end(status.code)) {
                        (300..=399, Some(why)) => judged.by_rule(CallState::Forwarded, why),
                        (_, Some(why)) => judged.by_rule(CallState::Failed, why),
                        (_, None) => judged,
                    },
                };
                self.end(now, id, judged, status.code);
            }
        }
    }

    /// One side holds, the far end or ours; or none does any more.
    fn handle_hold_edge(&mut self, id: CallId, by_remote: Option<bool>) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let words = match by_remote {
            Some(true) => "held by the far end",
            Some(false) => "on hold",
            None => "talking",
        };
        words.clone_into(&mut call.status);
        let held = by_remote.is_some() || call.call.held() || call.call.held_by_remote();
        // Told with what becomes of the row.
        let (call, durable) = (call.context(), false);
        let event = match by_remote {
            Some(by_remote) => Event::Held {
                call,
                by_remote,
                durable,
            },
            None => Event::Resumed { call, durable },
        };
        self.record_and_tell(Write::ChangeCall(id, CallChange::Held(held)), event);
    }

    fn handle_answer_edge(&mut self, now: Instant, id: CallId) {
        let script = self.options.script.clone();
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.answered = Some(now);
        call.heard_since = Some(now);
        call.silence_ends = None;
        call.answer_at = None;
        call.forward = None;
        let by_wish = call.answers_by.take();
        call.hang_up_at = script::hang_up_at(&script, now);
        call.status = match by_wish {
            Some(header) => format!("answered by itself, as the caller asked ({header})"),
            None => "talking".to_owned(),
        };
        let waiting_millis = millis(now.duration_since(call.started));
        let context = call.context();
        let answered_by = call.answered_by.clone();
        let at = clock::wall_now();
        if let Some(who) = &answered_by {
            self.record(Write::ChangeCall(id, CallChange::AnsweredBy(who.clone())));
        }
        if by_wish.is_some() {
            self.beep(now);
        }
        let event = Event::Answered {
            call: context,
            by_wish,
            answered_by,
            durable: false,
        };
        let answered = CallChange::Answered { at, waiting_millis };
        self.record_and_tell(Write::ChangeCall(id, answered), event);
        self.look_what_opens(id);
        self.open_page_by_itself(id);
        self.leave_wrap_up();
        if self.records_by_itself(id) {
            self.set_recording(now, id, true);
        }
        if let Some(digits) = script.dtmf {
            self.send_digits(now, id, &digits);
        }
        let old = self.calls.get(&id).and_then(|call| call.takes_place_of);
        let held = |old: CallId| {
            let old = self.calls.get(&old);
            old.is_some_and(|call| call.ended.is_none() && call.call.wants_hold())
        };
        let was_held = old.is_some_and(held);
        if let Some(old) = old {
            self.take_place(now, old);
        }
        if was_held {
            // Who takes the place of a held call waits in its place.
            self.set_hold(now, id, true);
        } else {
            self.hold_for(now, Some(id));
        }
        self.begin_scripted_transfer(now, id);
    }

    /// Trying the phone out should leave something to listen to: calls of the lab are recorded.
    pub(super) fn is_lab_call(&self, id: CallId) -> bool {
        let account = self.calls.get(&id).and_then(|call| call.account);
        account
            .and_then(|account| self.account(account))
            .is_some_and(|account| !account.stored)
    }

    fn handle_plan(&mut self, now: Instant, id: CallId, plan: &MediaPlan) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.codec = Some(plan.codec.to_string());
        let hidden = call.session.and_then(|it| self.endpoint.is_encrypted(it));
        let keys = plan.srtp.as_ref();
        let signalling = keys.map(|_| KeyOrigin::Signalling);
        let handshake = plan.dtls.as_ref().map(|_| KeyOrigin::Handshake);
        let origin = signalling.or(handshake);
        call.security = MediaSecurity::of(origin, hidden.unwrap_or(false));
        call.sound.remote = plan.remote_rtp;
        // A hold, a move or another codec: the far end gets its time anew.
        call.heard_since = Some(now);
        call.silence_ends = None;
        let local = call
            .local_rtp()
            .map(|rtp| rtp.to_string())
            .unwrap_or_default();
        let event = Event::Media {
            call: call.context(),
            codec: plan.codec.to_string(),
            local,
            remote: plan.remote_rtp.map(|rtp| rtp.to_string()),
            security: call.security,
            suite: keys.map(|keys| keys.send.suite().name()),
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
                Gate::Identifying(until) if until <= now => self.leave_identifying(now, id),
                Gate::Writing(until) if until <= now => {
                    call.durable &= call.row == RowState::Answered;
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
            if call.leaves(now) {
                self.calls.remove(&id);
                self.dirty = true;
                continue;
            }
            if let Some((forward, _)) = call.forward.take_if(|(_, at)| *at <= now)
                && call.rings_here()
            {
                self.forward(now, id, &forward);
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
            if call.silence_ends.is_some_and(|at| at <= now) {
                self.end_of_silence(now, id);
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
}
