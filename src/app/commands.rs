//! What people and scripts ask for.

use std::time::Instant;

use crate::app::engine::Engine;
use crate::app::live_call::LiveCall;
use crate::app::record_changes;
use crate::app::script::phrase;
use crate::app::sound_check;
use crate::base::id::{AccountId, CallId};
use crate::base::uri::Uri;
use crate::control::{Command, Event, Registration, Wish};
use crate::crm::row::{CallState, notes_refused};
use crate::crm::store::{CallChange, Write};
use crate::media::MediaCommand;
use crate::net::NetChange;
use crate::sip::{EndedBy, Status};

impl Engine {
    /// Carries out one command; what cannot be done is told as an error event and a notice.
    #[expect(clippy::too_many_lines, reason = "a table: one arm for each command")]
    pub(super) fn handle_command(&mut self, now: Instant, command: Command) {
        self.dirty = true;
        match command {
            Command::Call(target) => self.place_wanted(now, &target),
            Command::CallFor {
                target,
                asker,
                confirmed,
            } => {
                self.place_call(now, &target, asker, confirmed);
            }
            Command::Pickup(pickup, wish) => self.pick_up(now, &pickup, wish),
            Command::RequestDial(link) => self.request_dial(now, link),
            Command::CloseDialRequest => self.dial_request = None,
            Command::Answer(id) => self.answer(now, id),
            Command::Decline(id) => self.refuse(now, id, 603),
            Command::Busy(id) => self.refuse(now, id, 486),
            Command::Reject(id, code) => self.refuse(now, id, code.clamp(300, 699)),
            Command::Redirect(id, target, wish) => self.redirect(now, id, &target, wish),
            Command::Transfer { call, to, wish } => self.transfer(now, call, &to, wish),
            Command::Consult { call, target, wish } => {
                self.consult(now, call, &target, wish);
            }
            Command::AnswerReferral(id, yes) => self.answer_referral(now, id, yes),
            Command::AnswerRedirection(id, yes) => self.answer_redirection(now, id, yes),
            Command::Join(one, other) => self.join(now, one, other),
            Command::Swap(held, resumed) => {
                self.set_hold(now, held, true);
                self.set_hold(now, resumed, false);
            }
            Command::HangUp(id) => self.hang_up(now, id),
            Command::Hold(id) => self.set_hold(now, id, true),
            Command::Resume(id) => self.resume(now, id),
            Command::Mute(id, muted) => self.mute(id, muted),
            Command::Dtmf(id, digits) => self.send_digits(now, id, &digits),
            Command::Record(id, on) => self.want_recording(now, id, on),
            Command::PauseRecording(id, paused) => self.pause_recording(now, id, paused),
            Command::Notes(id, notes) => self.set_notes(id, notes),
            Command::ChooseCaller(id, subject) => self.choose(id, subject),
            Command::CallerChosen(id, subject) => {
                self.show_chosen(id, subject);
                self.rows_changed();
                self.handle_chosen(id);
            }
            Command::OpenPage(id) => self.open_page(id),
            Command::RecordsChanged => {
                self.rows_changed();
                self.recount = true;
                self.look_all_up();
            }
            Command::Dismiss(id) => self.dismiss(id),
            Command::WrapUp(id, wish) => self.wrap_up(now, id, wish),
            Command::ExportLadder(id, file) => self.export_ladder(id, file),
            Command::ExportFigures(table, file) => self.export_figures(table, file),
            Command::MarkDone(id, done) => {
                self.record(Write::ChangeCall(id, CallChange::Done(done)));
            }
            Command::SaveContact(row) => self.record(Write::SaveContact(Box::new(row))),
            Command::DeleteContact(id) => self.record(Write::DeleteContact(id)),
            Command::ChangeRecords(change) => self.record(record_changes::write_of(change)),
            Command::SaveOrganization(row) => self.record(Write::SaveOrganization(row)),
            Command::SaveAccount {
                id,
                account,
                password,
                turn_password,
                password_file_consent,
            } => {
                let relay = turn_password.is_some();
                if self.may_save_account(id, &account) && (!relay || self.may_keep_turn_password())
                {
                    let passwords = [password, turn_password];
                    self.save_account(now, id, *account, passwords, password_file_consent);
                }
            }
            Command::FetchProvisioning(source) => self.fetch_provisioning(source, false),
            Command::ApplyProvisioning => self.apply_provisioning(now),
            Command::DropProvisioning => self.drop_provisioning(),
            Command::TryAccount { account, password } => self.try_account(*account, password),
            Command::DropTrial => self.trial = None,
            Command::UseLab { account, password } => self.use_lab(now, *account, password),
            Command::RemoveAccount(id) => {
                if self.may_remove_account(id) {
                    self.remove_account(now, id);
                }
            }
            Command::SetRule(account, rule, wish) => {
                if self.may_set(&rule) {
                    self.change_rule(now, account, &rule, wish);
                }
            }
            Command::SetAgentState(state, reason) => self.set_agent_state(now, state, &reason),
            Command::SetPopups(on) => {
                if self.may_change(|config| config.settings.popups = on) {
                    self.set_popups(on);
                }
            }
            Command::ChangeRouting(change) => self.record(Write::Routing(change)),
            Command::RegisterNow(id) => self.endpoint.register_now(now, id),
            Command::SaveSettings(settings) => {
                if self.may_change(|config| config.settings.clone_from(&settings)) {
                    self.save_settings(now, *settings);
                }
            }
            Command::GatherSupport(people) => self.tell(Event::SupportWanted { people }),
            Command::SupportGathered(bundle) => self.take_bundle(bundle),
            Command::SaveSupport(file) => self.save_bundle(&file),
            Command::DropSupport => self.drop_bundle(),
            Command::StartLab => self.tell(Event::LabWanted),
            Command::LabCall(caller) => self.tell(Event::LabCallWanted(caller)),
            Command::CheckSound(check) => self.check_sound(check),
            Command::Player(wish) => self.wish_player(wish),
            Command::RefreshDevices => self.look_for_devices(),
            Command::DismissNotice(id) => self.notices.retain(|notice| notice.id != id),
            Command::DismissMessage(id) => self.messages.dismiss(id),
            Command::Notice(text) => self.notice(text),
            Command::Raise => self.raised += 1,
            Command::FallAsleep => self.fall_asleep(now),
            Command::WakeUp => self.handle_net_change(now, NetChange::Woke),
            Command::Quit => self.begin_farewell(now),
        }
        self.settle(now);
    }

    pub(super) fn answer(&mut self, now: Instant, id: CallId) {
        // Whose place it takes is over in a moment.
        let stays = self.calls.get(&id).and_then(|call| call.takes_place_of);
        let old = stays.and_then(|old| self.calls.get(&old));
        // Who takes the place of a held call waits there, and disturbs nobody.
        let waits = old.is_some_and(|old| old.ended.is_none() && old.call.wants_hold());
        if !waits
            && self.calls.get(&id).is_some_and(LiveCall::rings_here)
            && let Err(why) = self.make_way(now, stays.or(Some(id)))
        {
            return self.problem(Some(id), why);
        }
        let mut problem = None;
        self.with_call(now, id, |call| {
            problem = call.call.answer().err();
        });
        self.report(id, problem);
    }

    pub(super) fn refuse(&mut self, now: Instant, id: CallId, code: u16) {
        let mut problem = None;
        self.with_call(now, id, |call| {
            problem = call
                .call
                .reject(Status::new(code, phrase(code)), Vec::new())
                .err();
        });
        self.report(id, problem);
    }

    fn redirect(&mut self, now: Instant, id: CallId, target: &str, wish: Wish) {
        let account = self.calls.get(&id).and_then(|call| call.account);
        if let Err(why) = self.may_send_to(now, account, target, wish) {
            return self.problem(Some(id), why);
        }
        // A number means what it means where a rule forwards to it.
        let uri = match account.and_then(|account| self.account(account)) {
            Some(live) => live
                .account
                .forward_uri(target)
                .map_err(|problem| problem.to_string()),
            None => Uri::parse(target)
                .map(|uri| uri.to_string())
                .map_err(|error| format!("{target}: {error}")),
        };
        let uri = match uri {
            Ok(uri) => uri,
            Err(problem) => return self.problem(Some(id), problem),
        };
        let headers = self.elsewhere(id, &uri, "deflection");
        let mut problem = None;
        if self.sent_to(account, &uri) == CallState::Voicemail {
            let words = "sent to the voice mail".to_owned();
            self.end_by_rule(id, CallState::Voicemail, words);
        }
        self.with_call(now, id, |call| {
            problem = call
                .call
                .reject(Status::new(302, phrase(302)), headers)
                .err();
            if problem.is_some() {
                call.ended_by_rule = None;
            }
        });
        self.report(id, problem);
    }

    pub(super) fn hang_up(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get(&id).filter(|call| call.ended.is_none()) else {
            // A script that means another call must hear of it.
            let text = "the call cannot be hung up: it is already over".to_owned();
            self.tell(Event::Error {
                call: Some(id),
                text,
            });
            return;
        };
        if call.session.is_none() {
            return self.end_without_session(now, id, EndedBy::Local, 487);
        }
        let mut problem = None;
        self.with_call(now, id, |call| problem = call.call.hang_up().err());
        self.report(id, problem);
    }

    pub(super) fn set_hold(&mut self, now: Instant, id: CallId, wanted: bool) {
        if wanted {
            self.leave_conference(id);
        } else {
            // Whoever holds it from now on does so for a reason of their own.
            for call in self.calls.values_mut() {
                call.waiting = call.waiting.filter(|waiting| *waiting != id);
            }
        }
        let mut problem = None;
        self.with_call(now, id, |call| problem = call.call.set_hold(wanted).err());
        self.report(id, problem);
    }

    fn resume(&mut self, now: Instant, id: CallId) {
        if self.calls.get(&id).is_some_and(LiveCall::connected)
            && let Err(why) = self.make_way(now, Some(id))
        {
            return self.problem(Some(id), why);
        }
        self.set_hold(now, id, false);
    }

    fn mute(&mut self, id: CallId, muted: bool) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.muted = muted;
            call.muted_talk = None;
            self.sound(MediaCommand::Mute { call: id, muted });
        }
    }

    fn set_notes(&mut self, id: CallId, notes: String) {
        if let Some(why) = notes_refused(&notes) {
            return self.problem(Some(id), why);
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.notes.clone_from(&notes);
        }
        self.record(Write::ChangeCall(id, CallChange::Notes(notes)));
    }

    fn dismiss(&mut self, id: CallId) {
        let over = self
            .calls
            .get(&id)
            .is_some_and(|call| call.ended.is_some() && call.ending.is_none());
        if over {
            self.calls.remove(&id);
        }
    }

    pub(super) fn save_settings(&mut self, now: Instant, settings: crate::config::Settings) {
        let devices = crate::app::sound::devices(&settings);
        if devices != self.options.devices {
            self.options.devices = devices.clone();
            self.sound(MediaCommand::Devices(devices));
        }
        let processing = crate::app::sound::processing(&settings);
        if processing != crate::app::sound::processing(&self.options.settings) {
            self.sound(MediaCommand::Processing(processing));
        }
        let hint = settings.voice.parts().muted_hint;
        if hint != self.options.settings.voice.parts().muted_hint {
            self.sound(MediaCommand::MutedHint(hint));
        }
        let volumes = sound_check::volumes(&settings);
        if volumes != sound_check::volumes(&self.options.settings) {
            self.sound(MediaCommand::Volumes(volumes));
        }
        if settings.redundancy != self.options.settings.redundancy {
            let redundancy = crate::app::sound::redundancy(&settings);
            self.sound(MediaCommand::Redundancy(redundancy));
        }
        self.store.set_agent(&settings.agent);
        self.change_hold_music(crate::app::sound::hold_music(&settings));
        if settings.colleagues != self.options.settings.colleagues {
            self.set_colleagues(now, &settings.colleagues);
            let ready: Vec<AccountId> = self
                .accounts
                .iter()
                .filter(|live| live.registration == Registration::Registered)
                .map(|live| live.id)
                .collect();
            for account in ready {
                self.begin_watching_colleagues(now, Some(account));
            }
        }
        if settings.rtp_ports != self.options.settings.rtp_ports {
            self.media
                .set_ports(settings.port_range().unwrap_or_default());
        }
        if settings.name_servers != self.options.settings.name_servers {
            self.net.set_name_servers(settings.name_server_addresses());
        }
        if settings.log_level != self.options.settings.log_level
            && let Some(log) = &self.options.log
        {
            log.set_level(settings.log_level);
        }
        let before = std::mem::replace(&mut self.options.settings, settings);
        if before.recording_announcement != self.options.settings.recording_announcement {
            self.read_announcement();
        }
        if before.region != self.options.settings.region {
            self.tell_numbering();
        }
        self.persist();
    }

    fn report(&mut self, id: CallId, problem: Option<crate::call::CallError>) {
        if let Some(problem) = problem {
            self.tell(Event::Error {
                call: Some(id),
                text: problem.to_string(),
            });
        }
    }
}
