//! The screens: one file each, drawn from a [`Scene`](super::scene::Scene) and leaving commands.

mod account_form;
mod banners;
mod call_card;
mod call_detail;
mod call_row;
mod calls;
mod contact_form;
mod contacts;
mod desk;
mod dial_question;
mod dialer;
mod first_run;
mod keypad;
mod last_calls;
mod navigation;
mod notes;
mod organizations;
mod settings;

pub(crate) use desk::desk_ui;
pub(crate) use last_calls::last_calls_ui;
