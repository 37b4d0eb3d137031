//! The screens: one file each, drawn from a [`Scene`](super::scene::Scene) and leaving commands.

mod account_form;
mod agent_state;
mod banners;
mod call_card;
mod call_controls;
mod call_detail;
mod call_row;
mod call_sound;
mod call_who;
mod callbacks;
mod calls;
mod codecs_form;
mod colleague_settings;
mod colleagues;
mod contact_detail;
mod contact_form;
mod contacts;
mod desk;
mod desktop_settings;
mod diagnostics;
mod dial_question;
mod dialer;
mod extensions_form;
mod figures_export;
mod first_run;
mod form_problem;
mod goto;
mod guesses;
mod ice_form;
mod keypad;
mod ladder;
mod ladder_rungs;
mod last_calls;
mod navigation;
mod notes;
mod organization_detail;
mod organization_form;
mod organizations;
mod picker;
mod player;
mod player_marks;
mod provisioning;
mod quality_graph;
mod routing;
mod rules_form;
mod settings;
mod sound_check;
mod statistics;
mod statistics_plots;
mod suggestions;
mod tasks;
mod ticket_detail;
mod tickets;
mod timeline;
mod tls_form;
mod transfer_panel;
mod try_account;
mod typed_setting;
mod undo;
mod voice_settings;
mod waiting;
mod wish;
mod wrap_up;

pub(crate) use call_controls::reach;
pub(crate) use desk::desk_ui;
pub(crate) use last_calls::last_calls_ui;
pub(crate) use navigation::VIEWS;
pub(crate) use tickets::shown_title;
pub(crate) use transfer_panel::{claim, joinable, joined};
pub(crate) use undo::{step as undo_step, take_back};
pub(crate) use wrap_up::{call_types, save_wrap_up, state_of as wrap_up_of};

/// What the tests open: each form and detail.
#[cfg(test)]
pub(crate) fn test_forms() -> Vec<fn(&mut super::state::ViewState)> {
    use self::contacts::People;
    use super::state::{Merging, View};
    use crate::base::id::{CallId, ContactId};
    vec![
        |state| contacts::open(state, ContactId(1)),
        |state| contacts::create(state, People::Contacts, "+1 415 555 0134", Some("Somebody")),
        |state| contacts::create(state, People::Leads, "", None),
        |state| {
            state.view = View::Leads;
            state.leads.show(Some(ContactId(1)));
            state.leads.merging = Some(Merging::default());
        },
        |state| organization_form::create(state, "+1 415 555 0134", Some("Somebody")),
        |state| {
            state.view = View::Calls;
            state.card.known = (1..=3)
                .map(|n| CallId::new(1_700_000_000_000, [n; 10]))
                .collect();
            state.detail = Some(CallId::new(1_700_000_000_000, [4; 10]));
        },
        |state| {
            let call = CallId::new(1_700_000_000_000, [4; 10]);
            state.view = View::Calls;
            state.detail = Some(call);
            let mut ladder = super::state::LadderState::of(call);
            ladder.open.insert(1);
            ladder.file = Some("/home/sam/Downloads/call.pcapng".to_owned());
            state.ladder = Some(ladder);
        },
        |state| {
            state.view = View::Settings;
            state.settings.form = Some(account_form::empty());
        },
    ]
}
