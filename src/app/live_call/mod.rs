//! A call with everything that the engine keeps around it.

mod caller;
mod questions;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::app::call_begin;
use crate::app::call_sound::CallSound;
use crate::app::outcome::Reached;
use crate::app::popups::{Reception, STAYS};
use crate::app::recorded::Recorded;
use crate::app::redirections::first_of;
use crate::app::rules::Forward;
use crate::app::tones::Sounding;
use crate::base::id::{AccountId, CallId};
use crate::call::{Call, Phase};
use crate::control::event::CallContext;
use crate::control::{CallStage, CallView, MediaSecurity, QualityView};
use crate::crm::row::{
    CallDirection, CallRow, CallState, Identification, NumberProof, OnAnswer, Subject,
};
use crate::media::MediaEvent;
use crate::sip::reason::names_voice_mail;
use crate::sip::{Caller, NameAddr, SessionId};

pub(super) use questions::{RedirectionQuestion, RedirectionTarget, ReferralQuestion};

/// What a call waits for before it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// The caller is being looked up; at the latest until then. The row of an incoming call is
    /// written meanwhile.
    Identifying(Instant),
    /// The row is being written; at the latest until then.
    Writing(Instant),
    /// Nothing any more.
    Open,
}

/// How far the row of a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowState {
    /// Not handed to the store.
    None,
    /// On its way.
    Sent,
    /// On disk, or refused.
    Answered,
}

/// One call, from its first sign until the agent takes it off the screen.
pub(super) struct LiveCall {
    pub(super) id: CallId,
    pub(super) call: Call,
    pub(super) session: Option<SessionId>,
    pub(super) account: Option<AccountId>,
    pub(super) direction: CallDirection,
    pub(super) from: String,
    pub(super) to: String,
    /// Outgoing: the exact URI.
    pub(super) uri: Option<String>,
    /// Outgoing: the dialog that it takes the place of (RFC 3891), as the INVITE names it.
    pub(super) replaces: Option<String>,
    /// The far end's number or address as signalled.
    pub(super) remote: String,
    pub(super) remote_name: Option<String>,
    pub(super) local: String,
    /// For whom it was before, the last one first; as a person reads it.
    pub(super) via: Vec<String>,
    /// What the network says of the number.
    pub(super) number_proof: Option<NumberProof>,
    /// What was said of the caller; for the rules.
    pub(super) caller: Caller,
    /// Incoming: what is set up for it, and what comes of that.
    pub(super) reception: Reception,
    /// Outgoing: whether it dials a code that nobody talks with.
    pub(super) is_code: bool,
    /// How its end is remembered when a rule ended it.
    pub(super) ended_by_rule: Option<(CallState, String)>,
    /// Why the account's password was not used for it.
    pub(super) credentials_kept: Option<String>,
    /// The header field by whose wish it is answered without a person.
    pub(super) answers_by: Option<&'static str>,
    /// Where it goes when nobody answers in time.
    pub(super) forward: Option<(Forward, Instant)>,
    pub(super) sip_call_id: Option<String>,
    pub(super) identification: Option<Identification>,
    pub(super) chosen: Option<usize>,
    /// Whom the agent chose, where they did; none inside for nobody who is known.
    pub(super) said: Option<Option<Subject>>,
    pub(super) gate: Gate,
    pub(super) durable: bool,
    /// How many of its changes that are told are not on disk yet.
    pub(super) unwritten: u32,
    /// How far its row is.
    pub(super) row: RowState,
    pub(super) started: Instant,
    pub(super) started_at: Timestamp,
    pub(super) answered: Option<Instant>,
    /// Incoming: whether our answer was acknowledged.
    pub(super) confirmed: bool,
    /// Incoming: it came while the phone had as many calls as it may.
    pub(super) surplus: bool,
    pub(super) ended: Option<Instant>,
    pub(super) ringing: bool,
    pub(super) early_media: bool,
    /// Whether sound of the far end arrives.
    pub(super) flowing: bool,
    pub(super) status: String,
    pub(super) muted: bool,
    /// When the agent last talked while muted.
    pub(super) muted_talk: Option<Instant>,
    /// Whether the sound thread knows that we hold it.
    pub(super) music: bool,
    pub(super) recorded: Recorded,
    pub(super) codec: Option<String>,
    pub(super) security: MediaSecurity,
    pub(super) quality: Option<QualityView>,
    /// What was measured of its sound, and why one side is not heard.
    pub(super) sound: CallSound,
    pub(super) notes: String,
    /// When the script answers it.
    pub(super) answer_at: Option<Instant>,
    /// When it leaves the screen by itself; notes keep it there.
    pub(super) leave_at: Option<Instant>,
    /// Since when its far end should be heard: its answer, or the last change of the sound's plan.
    pub(super) heard_since: Option<Instant>,
    /// When it ends because nothing is heard of its far end.
    pub(super) silence_ends: Option<Instant>,
    /// When the script ends it.
    pub(super) hang_up_at: Option<Instant>,
    /// Whether the agent said what is to be said of it.
    pub(super) wrapped_up: bool,
    /// What opened when it was answered.
    pub(super) opens: Option<OnAnswer>,
    /// The ended state, while its row is being written: the event waits for it.
    pub(super) ending: Option<Ending>,
    /// The transfer that our side asked for.
    pub(super) transfer: Option<TransferUnderWay>,
    /// Why the last one failed.
    pub(super) transfer_problem: Option<String>,
    /// Where its far end went.
    pub(super) transferred_to: Option<String>,
    /// Who sent it here.
    pub(super) transferred_by: Option<String>,
    /// The call that this one announces.
    pub(super) consult_for: Option<CallId>,
    /// Outgoing: the call that was talked and that we hold for the sake of this one.
    pub(super) waiting: Option<CallId>,
    /// A wish of the far end that waits for the agent.
    pub(super) referral: Option<ReferralQuestion>,
    /// The costly number that the agent wants to transfer to, and is asked about.
    pub(super) transfer_asked: Option<String>,
    /// Whether its far end hears those of the others that are joined.
    pub(super) joined: bool,
    /// The call in which somebody asked for this one.
    pub(super) referrer: Option<SessionId>,
    /// Outgoing: who answered in place of the one that was called.
    pub(super) answered_by: Option<String>,
    /// The call that ends when this one is answered.
    pub(super) takes_place_of: Option<CallId>,
    /// Whether another call took its place.
    pub(super) gave_way: bool,
    /// Whether the script's transfer was begun.
    pub(super) scripted: bool,
    /// Outgoing: whether it is a call for help.
    pub(super) emergency: bool,
    /// Outgoing: the far end asks to be called elsewhere, and somebody decides.
    pub(super) redirection: Option<RedirectionQuestion>,
    /// Outgoing: where the far end sent it.
    pub(super) redirected_to: Option<String>,
    /// Outgoing: why the far end's wish to be called elsewhere was not followed.
    pub(super) not_followed: Option<String>,
}

/// A transfer that our side asked for.
#[derive(Debug, Clone)]
pub(super) struct TransferUnderWay {
    /// Where to, as a person reads it.
    pub(super) to: String,
    /// The call that is joined, when it is attended.
    pub(super) consult: Option<CallId>,
    /// Whether the new call is to take that call's place (RFC 3891).
    pub(super) replaces: bool,
}

/// An end that is not told yet.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    pub(super) state: CallState,
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) waiting: Duration,
    pub(super) talking: Option<Duration>,
    /// When it is told even if the row is not yet on disk.
    pub(super) until: Instant,
}

/// What is known of a call when it begins.
pub(super) struct Beginning {
    pub(super) id: CallId,
    pub(super) call: Call,
    pub(super) account: Option<AccountId>,
    pub(super) direction: CallDirection,
    pub(super) remote: String,
    pub(super) remote_name: Option<String>,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) local: String,
    pub(super) now: Instant,
    pub(super) wall: Timestamp,
    pub(super) look_up_until: Instant,
}

impl LiveCall {
    pub(super) fn new(beginning: Beginning) -> Self {
        let Beginning {
            id,
            call,
            account,
            direction,
            remote,
            remote_name,
            from,
            to,
            local,
            now,
            wall,
            look_up_until,
        } = beginning;
        Self {
            id,
            call,
            session: None,
            account,
            direction,
            from,
            to,
            uri: None,
            replaces: None,
            remote,
            remote_name,
            local,
            via: Vec::new(),
            number_proof: None,
            caller: Caller::default(),
            reception: Reception::default(),
            is_code: false,
            ended_by_rule: None,
            credentials_kept: None,
            answers_by: None,
            forward: None,
            sip_call_id: None,
            identification: None,
            chosen: None,
            said: None,
            gate: Gate::Identifying(look_up_until),
            durable: true,
            unwritten: 0,
            row: RowState::None,
            started: now,
            started_at: wall,
            answered: None,
            confirmed: false,
            surplus: false,
            ended: None,
            wrapped_up: false,
            opens: None,
            ringing: false,
            early_media: false,
            flowing: false,
            status: String::new(),
            muted: false,
            muted_talk: None,
            music: false,
            recorded: Recorded::default(),
            codec: None,
            security: MediaSecurity::None,
            quality: None,
            sound: CallSound::default(),
            notes: String::new(),
            answer_at: None,
            leave_at: None,
            heard_since: None,
            silence_ends: None,
            hang_up_at: None,
            ending: None,
            transfer: None,
            transfer_problem: None,
            transferred_to: None,
            transferred_by: None,
            consult_for: None,
            waiting: None,
            referral: None,
            transfer_asked: None,
            joined: false,
            referrer: None,
            answered_by: None,
            takes_place_of: None,
            gave_way: false,
            scripted: false,
            emergency: false,
            redirection: None,
            redirected_to: None,
            not_followed: None,
        }
    }

    /// The row as it is inserted, as a call of this agent.
    pub(super) fn row(&self, agent: Option<String>) -> CallRow {
        let best = self.best_match();
        CallRow {
            remote: self.remote.clone(),
            e164: self
                .identification
                .as_ref()
                .and_then(|known| known.e164.clone()),
            remote_name: self.remote_name.clone(),
            local: self.local.clone(),
            via: self.via_text(),
            number_proof: self.number_proof,
            contact: best.and_then(|found| found.subject.contact()),
            organization_id: best.and_then(|found| found.subject.organization()),
            contact_name: best.map(|found| found.name.clone()),
            organization: best.and_then(|found| found.organization.clone()),
            level: best.map(|found| found.level),
            match_reason: best.map(|found| found.reason.clone()),
            sip_call_id: self.sip_call_id.clone(),
            transferred_by: self.transferred_by.clone(),
            redirected_to: self.redirected_to.clone(),
            answered_by: self.answered_by.clone(),
            agent,
            queue: self.reception.queue(),
            ..CallRow::begun(self.id, self.direction, self.started_at)
        }
    }

    /// What is known of the reason for an end with this status, beside the status itself.
    pub(super) fn explained_end(&mut self, code: u16) -> Option<String> {
        match code {
            401 | 407 => self.credentials_kept.take(),
            300..=399 => self.not_followed.take().or_else(|| {
                let to = first_of(&self.redirection.as_ref()?.targets);
                Some(format!(
                    "the far end asks to call {to} instead; nobody decided in time"
                ))
            }),
            _ => None,
        }
    }

    /// How far it came.
    pub(super) fn reached(&self) -> Reached {
        match (self.answered, self.direction) {
            (None, _) => Reached::Ringing,
            (Some(_), CallDirection::Inbound) if !self.confirmed => Reached::Answered,
            (Some(_), _) => Reached::Talking,
        }
    }

    pub(super) fn context(&self) -> CallContext {
        CallContext {
            call: self.id,
            direction: self.direction,
            from: self.from.clone(),
            to: self.to.clone(),
            contact: self.best_match().cloned(),
            via: self.via.clone(),
            queue: self.reception.queue(),
            number_proof: self.number_proof,
        }
    }

    /// A change that is told is on disk, and with it all before it.
    pub(super) fn written(&mut self) {
        self.unwritten = self.unwritten.saturating_sub(1);
        self.durable |= self.unwritten == 0;
    }

    /// The way of the call before it came here, for its row.
    fn via_text(&self) -> Option<String> {
        (!self.via.is_empty()).then(|| self.via.join(", "))
    }

    pub(super) fn stage(&self) -> CallStage {
        match self.call.phase() {
            Phase::Ending => CallStage::Ending,
            Phase::Ended => CallStage::Ended,
            _ if self.ended.is_some() => CallStage::Ended,
            Phase::Dialling | Phase::Offered if !self.ringing => CallStage::Calling,
            Phase::Dialling | Phase::Offered | Phase::Arriving | Phase::Ringing => {
                CallStage::Ringing
            }
            Phase::Answering | Phase::Established => {
                if self.call.held() {
                    CallStage::Held
                } else if self.call.held_by_remote() {
                    CallStage::HeldByRemote
                } else {
                    CallStage::Talking
                }
            }
        }
    }

    /// Whether it rings here and may be answered.
    pub(super) fn rings_here(&self) -> bool {
        self.direction == CallDirection::Inbound
            && self.ended.is_none()
            && self.call.phase() == Phase::Ringing
    }

    /// Whether an emergency service calls back, by the account's own server's word.
    pub(super) fn is_urgent(&self) -> bool {
        self.caller.emergency_callback && self.caller.trusted
    }

    /// Whether it is a call that the line is busy with: it rings here, is being made or is talked.
    /// What has only just come, and is still being looked up, may yet be refused itself.
    pub(super) fn engages(&self) -> bool {
        self.ended.is_none()
            && (self.direction == CallDirection::Outbound || self.call.phase() != Phase::Arriving)
    }

    pub(super) fn connected(&self) -> bool {
        self.ended.is_none() && matches!(self.call.phase(), Phase::Answering | Phase::Established)
    }

    /// What is heard of it, for the tone that fits.
    pub(super) fn sounding(&self) -> Sounding {
        Sounding {
            direction: self.direction,
            stage: self.stage(),
            rings_here: self.rings_here(),
            connected: self.connected(),
            heard_early: self.early_media && self.flowing,
        }
    }

    pub(super) fn local_rtp(&self) -> Option<SocketAddr> {
        self.call.local_rtp()
    }

    /// Takes the network's word of who answered; nothing is said where that is who was called.
    pub(super) fn take_answerer(&mut self, who: Option<&NameAddr>) {
        let called = |who: &NameAddr| {
            let number = call_begin::who(who);
            number == self.remote || self.uri.as_deref() == Some(who.uri.to_string().as_str())
        };
        self.answered_by = who.filter(|who| !called(who)).map(call_begin::with_name);
    }

    /// Whether a machine answered in place of the one that was called, by the network's word.
    pub(super) fn reached_voice_mail(&self) -> bool {
        self.direction == CallDirection::Outbound
            && self.answered_by.as_deref().is_some_and(names_voice_mail)
    }

    /// Ends, where that says that its sound can be neither sent nor heard.
    pub(super) fn lose_sound(&mut self, event: &MediaEvent) {
        match event {
            MediaEvent::KeysFailed { failure, .. } => {
                self.call.handle_no_sound(&failure.to_string());
            }
            MediaEvent::PlanFailed { message, .. } => self.call.handle_no_sound(message),
            // Nothing else says so.
            _ => {}
        }
    }

    /// It is over: nothing is due of it any more but its leave.
    pub(super) fn close(&mut self, now: Instant) {
        self.ended = Some(now);
        self.referral = None;
        self.redirection = None;
        self.answer_at = None;
        self.hang_up_at = None;
        self.silence_ends = None;
        self.leave_at = Some(now + STAYS);
    }

    /// Whether it leaves the screen now, of which it is asked once; text that was typed keeps it there.
    pub(super) fn leaves(&mut self, now: Instant) -> bool {
        let due = self.leave_at.take_if(|at| *at <= now).is_some();
        due && self.ending.is_none() && self.notes.is_empty()
    }

    /// Whether text was typed that nobody said to be all.
    pub(super) fn is_written_about(&self) -> bool {
        !self.notes.is_empty() && !self.wrapped_up
    }

    /// When something is due by itself.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let gate = match self.gate {
            Gate::Identifying(until) | Gate::Writing(until) => Some(until),
            Gate::Open => None,
        };
        let ending = self.ending.as_ref().map(|ending| ending.until);
        let forward = self.forward.as_ref().map(|(_, at)| *at);
        [
            gate,
            ending,
            forward,
            self.answer_at,
            self.hang_up_at,
            self.silence_ends,
            self.leave_at,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Nobody rings any more; somebody else is called.
    pub(super) fn stop_ringing(&mut self) {
        self.ringing = false;
        self.early_media = false;
        self.flowing = false;
        self.status = "calling".to_owned();
    }

    /// The far end's number or address, as a person reads it.
    pub(super) fn shown_remote(&self) -> String {
        self.identification
            .as_ref()
            .map(|known| known.display_number.clone())
            .filter(|shown| !shown.is_empty())
            .unwrap_or_else(|| self.remote.clone())
    }

    pub(super) fn view(&self) -> CallView {
        CallView {
            id: self.id,
            account: self.account,
            direction: self.direction,
            stage: self.stage(),
            remote: self.shown_remote(),
            remote_name: self.remote_name.clone(),
            local: self.local.clone(),
            diverted_from: self.via.first().cloned(),
            queue: self.reception.queue(),
            number_proof: self.number_proof,
            identification: self.identification.clone(),
            chosen: self.chosen,
            nobody: self.said == Some(None),
            started: self.started,
            started_at: self.started_at,
            answered: self.answered,
            ended: self.ended,
            opens: self.opens.clone(),
            // The queue and the account say it.
            script: None,
            status: self.status.clone(),
            muted: self.muted,
            muted_talk: self.muted_talk,
            recording: self.recorded.view(),
            recording_loss: self.recorded.loss(),
            codec: self.codec.clone(),
            security: self.security,
            quality: self.quality,
            sound_faults: self.sound.faults(),
            notes: self.notes.clone(),
            durable: self.durable,
            no_popup: self.reception.no_popup.clone(),
            joined: self.joined,
            transferring_to: self.transfer.as_ref().map(|transfer| transfer.to.clone()),
            transfer_problem: self.transfer_problem.clone(),
            consult_for: self.consult_for,
            transferred_by: self.transferred_by.clone(),
            answered_by: self.answered_by.clone(),
            takes_place_of: self.takes_place_of,
            referral: self.referral.as_ref().map(ReferralQuestion::view),
            redirected_to: self.redirected_to.clone(),
            redirection: self.redirection.as_ref().map(RedirectionQuestion::view),
        }
    }
}

#[cfg(test)]
mod tests;
