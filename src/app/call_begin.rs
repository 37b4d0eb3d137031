//! How calls begin: looked up and written down before they ring or are dialled.

use std::time::{Duration, Instant};

use crate::app::engine::Engine;
use crate::app::journal::PATIENCE;
use crate::app::live_call::{Beginning, Gate, LiveCall, RowState};
use crate::app::rules::CALL_BACK;
use crate::app::script::{self, Reaction, phrase};
use crate::app::{outbound_rules, popups};
use crate::base::clock;
use crate::base::dial_class::DialClass;
use crate::base::dial_plan::DialPreview;
use crate::base::id::{AccountId, CallId};
use crate::base::phone_number::PhoneNumber;
use crate::base::random::{OsRandom, Random as _};
use crate::base::uri::Uri;
use crate::base::zone;
use crate::call::{Call, MediaPreferences, SrtpPreferences};
use crate::config::call_extensions::{KeyingChoice, SrtpChoice};
use crate::config::call_rules::CallRules;
use crate::control::Event;
use crate::crm::row::{CallDirection, NumberProof};
use crate::crm::store::{CallChange, Write, Written};
use crate::sdp::{Codec, IceSeed, SrtpSeed};
use crate::sip::caller::Verification;
use crate::sip::{Caller, EndedBy, IncomingCall, NameAddr, OutgoingCall, ReferralAnswer, Status};

/// How long a call may wait for the look-up of its caller; a look-up takes microseconds.
const LOOK_UP: Duration = Duration::from_millis(20);

impl Engine {
    /// A call arrives: it is looked up and written down, at the same time, before it rings.
    pub(super) fn handle_incoming(&mut self, now: Instant, incoming: IncomingCall) {
        let id = Self::new_call_id();
        let preferences = self.media_preferences(incoming.account);
        let call = Call::incoming(preferences, incoming.local_ip, incoming.offer.clone());
        let rules = self.rules_of(incoming.account);
        let shown = shown_caller(&incoming.from, &incoming.caller, &rules);
        let remote = shown.remote.clone();
        let line = incoming.account.and_then(|id| self.account_address(id));
        let arrival = popups::arrival(
            &incoming,
            &remote,
            line.as_deref(),
            self.region_of(incoming.account),
        );
        let mut live = LiveCall::new(Beginning {
            id,
            call,
            account: incoming.account,
            direction: CallDirection::Inbound,
            remote: remote.clone(),
            remote_name: shown.name,
            from: shown.from,
            to: incoming.to.uri.to_string(),
            local: incoming.to.uri.to_string(),
            now,
            wall: clock::wall_now(),
            look_up_until: now + LOOK_UP,
        });
        let open = self
            .calls
            .values()
            .filter(|call| call.ended.is_none())
            .count();
        live.surplus = open >= self.options.max_calls;
        live.session = Some(incoming.session);
        self.ladders.lock().belongs(&incoming.sip_call_id, id);
        live.sip_call_id = Some(incoming.sip_call_id);
        live.transferred_by = incoming.referred_by.as_ref().map(who);
        if let Some(old) = incoming.replaces.and_then(|old| self.sessions.get(&old)) {
            // It takes a place that is taken already.
            live.surplus = false;
            live.takes_place_of = Some(*old);
            if live.transferred_by.is_none() {
                live.transferred_by = self.calls.get(old).map(|call| call.remote.clone());
            }
        }
        live.via = incoming
            .caller
            .via
            .iter()
            .map(|step| with_name(&step.by))
            .collect();
        live.number_proof = incoming.caller.verification.map(proof);
        live.caller = incoming.caller;
        self.sessions.insert(incoming.session, id);
        self.calls.insert(id, live);
        // Side by side: the store finds the contact for the row itself, and each wait for another
        // thread is a wait of the caller. The disk is the slower one.
        self.write_row(id);
        self.look_up_arrival(id, arrival);
        self.look_up(id);
        if script::answers_at_once(&self.options.script) {
            self.media.prepare(now, incoming.local_ip);
        }
    }

    /// Begins an outgoing call; it is looked up and written down before its INVITE.
    pub(super) fn begin_outgoing(
        &mut self,
        now: Instant,
        account: Option<AccountId>,
        preview: &DialPreview,
    ) -> CallId {
        let id = Self::new_call_id();
        self.net
            .suppose_zones(zone::without_zones(&preview.original).1);
        let local = account
            .and_then(|id| self.account_address(id))
            .unwrap_or_else(|| format!("sip:{}", self.bound));
        let remote = preview.called.clone();
        let mut live = LiveCall::new(Beginning {
            id,
            call: Call::outgoing(self.media_preferences(account)),
            account,
            direction: CallDirection::Outbound,
            remote: remote.clone(),
            remote_name: None,
            from: local.clone(),
            to: preview.uri.clone(),
            local,
            now,
            wall: clock::wall_now(),
            look_up_until: now + LOOK_UP,
        });
        live.uri = Some(preview.uri.clone());
        live.emergency = preview.class == DialClass::Emergency;
        if live.emergency {
            self.helped_until = Some(now + CALL_BACK);
        }
        self.calls.insert(id, live);
        self.look_up(id);
        id
    }

    /// The look-up answered, or it is not waited for any longer: the call waits for its row.
    pub(super) fn leave_identifying(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        if !matches!(call.gate, Gate::Identifying(_)) {
            return;
        }
        // Patience counts from the arrival, so that the look-up's time is part of it.
        call.gate = Gate::Writing((call.started + PATIENCE).max(now));
        match call.row {
            RowState::None => self.write_row(id),
            RowState::Sent => {}
            // Who is blocked must not ring meanwhile.
            RowState::Answered if call.reception.awaits_facts => {}
            RowState::Answered => self.open_gate(now, id),
        }
    }

    fn write_row(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.row = RowState::Sent;
        let (mut row, account) = (call.row(self.store.agent()), call.account);
        if row.e164.is_none() {
            // The store reads it as the first account would.
            row.e164 = PhoneNumber::parse(&row.remote, self.region_of(account)).e164;
        }
        self.record(Write::InsertCall(Box::new(row)));
    }

    /// The row of a call is on disk, or was refused: nothing is to be waited for.
    pub(super) fn handle_row_answered(&mut self, now: Instant, id: CallId, durable: bool) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        // What was once on disk stays there.
        call.durable |= durable;
        call.row = RowState::Answered;
        if matches!(call.gate, Gate::Writing(_)) && !call.reception.awaits_facts {
            self.open_gate(now, id);
        }
    }

    /// The store answered a write of a call: with what it wrote, or with none where it refused.
    pub(super) fn handle_call_written(
        &mut self,
        now: Instant,
        write: &Write,
        written: Option<&Written>,
    ) {
        let durable = written.is_some();
        match write {
            Write::InsertCall(row) => self.handle_row_answered(now, row.id, durable),
            Write::ChangeCall(id, CallChange::Ended { .. }) => {
                self.tell_ended(*id, durable);
                if let Some(call) = self.calls.get_mut(id) {
                    call.durable |= durable;
                }
            }
            Write::ChangeCall(id, CallChange::Answered { .. } | CallChange::Held(_))
            | Write::SavePopup(id, _)
                if durable =>
            {
                if let Some(call) = self.calls.get_mut(id) {
                    call.written();
                }
            }
            Write::ChangeCall(id, CallChange::Subject(_)) if durable => self.handle_chosen(*id),
            Write::WrapUp(id, _) | Write::WrapUpWithType(id, _) => {
                if let Some(written) = written {
                    self.handle_wrapped_up(*id, written);
                }
            }
            // The other records are no part of a call's way.
            _ => {}
        }
    }

    /// The row is on disk, or patience is over: the call goes on.
    pub(super) fn open_gate(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.gate = Gate::Open;
        let durable = call.durable;
        let context = call.context();
        match call.direction {
            CallDirection::Inbound => {
                let found = call.identification.as_ref();
                let country = found.and_then(|found| found.country.clone());
                let no_match = found.and_then(|found| found.no_match.clone());
                self.tell(Event::Incoming {
                    call: context,
                    durable,
                    country,
                    no_match,
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
        let Some(call) = self.calls.get(&id) else {
            return;
        };
        let (referrer, replaces) = (call.referrer, call.replaces.clone());
        let urgent = call.emergency;
        let e164 = call.identification.as_ref();
        let e164 = e164.and_then(|known| known.e164.as_deref());
        let user = Uri::parse(uri).ok().and_then(|uri| uri.user_decoded());
        let spellings = e164.into_iter().chain(user.as_deref());
        let called: Vec<&str> = spellings.chain([call.remote.as_str()]).collect();
        let (rules, address) = (self.rules_of(account), account);
        let address = address.and_then(|id| self.account_address(id));
        let address = address.as_deref();
        let mut headers = outbound_rules::privacy_headers(&rules, urgent);
        let identity = outbound_rules::identity_header(&rules, address, &called, urgent);
        headers.extend(identity);
        headers.extend(replaces.map(|replaces| ("Replaces".to_owned(), replaces)));
        let sent = Uri::parse(uri)
            .map_err(|error| error.to_string())
            .and_then(|target| {
                let wanted = OutgoingCall {
                    account,
                    target: &target,
                    headers: &headers,
                    urgent,
                };
                let sent = match referrer {
                    Some(referrer) => self.endpoint.invite_referred(now, referrer, &wanted),
                    None => self.endpoint.place(now, &wanted),
                };
                sent.map_err(|error| error.to_string())
            });
        match sent {
            Ok(session) => {
                self.sessions.insert(session, id);
                if let Some(call) = self.calls.get_mut(&id) {
                    call.session = Some(session);
                    call.status = "calling".to_owned();
                }
                if let Some(sip_call_id) = self.endpoint.sip_call_id(session).map(str::to_owned) {
                    self.ladders.lock().belongs(&sip_call_id, id);
                    self.record(Write::ChangeCall(id, CallChange::Dialled(sip_call_id)));
                }
            }
            Err(problem) => {
                if let Some(referrer) = referrer {
                    let refusal = ReferralAnswer::Refuse(Status::new(503, "Service Unavailable"));
                    self.decide(now, referrer, &refusal);
                }
                self.problem(Some(id), problem);
                self.end_without_session(now, id, EndedBy::Unreachable, 500);
            }
        }
    }

    fn react(&mut self, now: Instant, id: CallId) {
        // A call too many is busy, but it is written down: somebody wanted something.
        let reaction = match self.reaction_to_replacing(id) {
            Some(reaction) => reaction,
            None => match self.apply_rules(now, id) {
                Some(reaction) => reaction,
                None => return self.publish_now(now),
            },
        };
        if matches!(reaction, Reaction::Ring(_)) {
            self.decide_popup(now, id);
        }
        let elsewhere = match &reaction {
            Reaction::Redirect(target) => self.elsewhere(id, target, "unconditional"),
            Reaction::Ring(_)
            | Reaction::TakePlace
            | Reaction::EarlyMedia
            | Reaction::Refuse(_) => Vec::new(),
        };
        self.with_call(now, id, |call| {
            // A call that is already refused or gone cannot be rung; that is no fault.
            match reaction {
                Reaction::Ring(answer_at) => {
                    if call.call.ring().is_ok() {
                        call.answer_at = answer_at;
                    }
                }
                // Who is replaced has answered long ago (RFC 3891 section 3).
                Reaction::TakePlace => drop(call.call.answer()),
                Reaction::EarlyMedia => drop(call.call.ring_with_media()),
                Reaction::Refuse(status) => drop(call.call.reject(status, Vec::new())),
                Reaction::Redirect(_) => {
                    let moved = Status::new(302, phrase(302));
                    call.call.reject(moved, elsewhere).ok();
                }
            }
        });
        // The caller has waited for the disk; then the window, which must not wait for its next frame.
        self.send_out();
        self.publish_edge(now);
    }

    fn media_preferences(&self, account: Option<AccountId>) -> MediaPreferences {
        let live = account.and_then(|id| self.account(id));
        let script = &self.options.script;
        let ice = live.map_or(self.options.direct_ice.options.enabled, |live| {
            live.account.ice.enabled
        });
        let (named, extensions) = live.map_or((&script.codecs, script.extensions), |live| {
            (&live.account.codecs, live.account.extensions)
        });
        let (silence_suppression, ptime_millis) = live
            .map_or((script.silence_suppression, script.packet_millis), |live| {
                (live.account.silence_suppression, live.account.packet_millis)
            });
        let (srtp, keying) = (extensions.srtp, extensions.keying);
        let mut codecs: Vec<Codec> = named
            .iter()
            .filter_map(|name| Codec::from_name(name))
            .collect();
        if codecs.is_empty() {
            codecs = Codec::ALL.to_vec();
        }
        let hides_keys = live.is_some_and(|live| live.account.is_encrypted());
        let handshakes = srtp != SrtpChoice::Off && keying != KeyingChoice::Sdes;
        let fingerprint = handshakes.then(|| self.media.fingerprint()).flatten();
        let mut seed = [0; 32];
        OsRandom.fill(&mut seed);
        let mut ice_seed = [0; 32];
        OsRandom.fill(&mut ice_seed);
        // 62 bits: some parsers read `o=` ids as signed numbers.
        let session_id = OsRandom.next_u64() >> 2;
        MediaPreferences {
            codecs,
            ptime_millis,
            silence_suppression,
            session_id,
            srtp: SrtpPreferences {
                offers: match srtp {
                    SrtpChoice::Off => false,
                    // A fingerprint gives nothing away, whoever sees it.
                    SrtpChoice::Optional => hides_keys || keying == KeyingChoice::Dtls,
                    SrtpChoice::Required => true,
                },
                accepts: srtp != SrtpChoice::Off,
                requires: srtp == SrtpChoice::Required,
                sdes: keying != KeyingChoice::Dtls,
                fingerprint,
                seed: SrtpSeed::new(seed),
            },
            ice: ice.then(|| IceSeed::new(ice_seed)),
        }
    }
}

/// Whom a call or a message is shown and looked up as.
pub(super) struct Shown {
    pub(super) remote: String,
    pub(super) name: Option<String>,
    pub(super) from: String,
}

/// Who calls: by the network's word where the account trusts it, else by the caller's own.
pub(super) fn shown_caller(from: &NameAddr, caller: &Caller, rules: &CallRules) -> Shown {
    const WITHHELD: &str = "anonymous";
    if caller.anonymous {
        return Shown {
            remote: WITHHELD.to_owned(),
            name: None,
            from: "sip:anonymous@anonymous.invalid".to_owned(),
        };
    }
    let asserted = caller.asserted.as_ref().filter(|_| rules.trust_identity);
    let by = asserted.unwrap_or(from);
    let name = by.display_name.clone();
    Shown {
        remote: who(by),
        name: name.or_else(|| from.display_name.clone()),
        from: by.uri.to_string(),
    }
}

/// Somebody with name and number, as a person reads it.
pub(super) fn with_name(by: &NameAddr) -> String {
    let address = who(by);
    match &by.display_name {
        Some(name) if *name != address => format!("{name} ({address})"),
        Some(_) | None => address,
    }
}

fn proof(claim: Verification) -> NumberProof {
    match claim {
        Verification::Passed => NumberProof::Passed,
        Verification::Failed => NumberProof::Failed,
        Verification::NotDone => NumberProof::None,
    }
}

/// The number or address to look up and to show: the user part where there is one.
pub(super) fn who(address: &NameAddr) -> String {
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
