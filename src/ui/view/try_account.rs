//! An account from its address and password alone: tried before it is kept.

use egui::{Key, Ui};

use super::account_form;
use crate::base::redact::Secret;
use crate::config::Account;
use crate::config::account::TransportChoice;
use crate::control::{Command, TrialOutcome, TrialView};
use crate::ui::scene::Scene;
use crate::ui::state::{FirstRunState, FormProblem, ViewState};
use crate::ui::theme::{BODY, SMALL, Theme};
use crate::ui::widget::{Button, Field, Look, paragraph_ui, switch_ui};
use crate::ui::{format, text};

/// Draws the two fields, and what came of the trial.
pub(super) fn try_account_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    let trial = scene.snapshot.trial.clone();
    let trying = matches!(trial, Some(TrialView::Trying(_)));
    let form = &mut state.first_run;
    let address = Field::labelled(text::ADDRESS, &mut form.address)
        .hint(text::PLAIN_ADDRESS_HINT)
        .checked(&mut form.problem)
        .show(ui);
    let password = Field::labelled(text::PASSWORD, &mut form.password.0)
        .password()
        .show(ui);
    if address.changed() || password.changed() {
        form.problem = None;
        // What was found holds for what was typed before.
        if trial.is_some() {
            scene.send(Command::DropTrial);
        }
    }
    let entered = [&address, &password].iter().any(|field| field.lost_focus())
        && ui.input(|input| input.key_pressed(Key::Enter));
    let words = if trying {
        text::CONNECTING
    } else {
        text::CONNECT
    };
    let typed = !form.address.trim().is_empty();
    let connect = Button::new(words)
        .look(Look::Outlined)
        .width(240.0)
        .height(40.0)
        .enabled(typed && !trying)
        .show(ui);
    if (connect.clicked() || entered) && typed && !trying {
        connect_now(scene, form);
    }
    if let Some(TrialView::Over(outcome)) = &trial {
        outcome_ui(ui, scene, state, outcome);
    }
}

/// The account that is meant.
fn account(typed: &str) -> Result<Account, String> {
    Account::at(typed).map_err(|_problem| text::not_an_address(typed.trim()))
}

fn connect_now(scene: &mut Scene<'_>, form: &mut FirstRunState) {
    match account(&form.address) {
        Ok(account) => {
            let password = &form.password.0;
            scene.send(Command::TryAccount {
                account: Box::new(account),
                password: (!password.is_empty()).then(|| Secret::new(password.clone())),
            });
        }
        Err(sentence) => {
            form.problem = Some(FormProblem {
                field: Some(text::ADDRESS),
                sentence,
                fresh: true,
            });
        }
    }
}

fn outcome_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState, outcome: &TrialOutcome) {
    let colours = &Theme::of(ui).colours;
    let address = format::bare_address(&outcome.account.address);
    for step in &outcome.steps {
        match &step.result {
            Ok(reached) => {
                let server = reached.server.to_string();
                let words = text::reached(address, reached.transport, &server);
                paragraph_ui(ui, &words, BODY, colours.good.text);
            }
            Err(reason) => {
                let words = text::way_failed(way(step.transport), &format::sentence(reason));
                paragraph_ui(ui, &words, SMALL, colours.bad.text);
            }
        }
    }
    let works = outcome.reached().is_some();
    if works && !outcome.account.is_encrypted() {
        paragraph_ui(ui, text::IN_THE_CLEAR, SMALL, colours.warn.text);
    }
    switch_ui(ui, &mut state.first_run.consent, text::CONSENT);
    ui.horizontal_wrapped(|ui| {
        let (words, look) = if works {
            (text::SAVE_ACCOUNT, Look::Primary)
        } else {
            (text::SAVE_ANYWAY, Look::Outlined)
        };
        if Button::new(words).look(look).show(ui).clicked() {
            let form = std::mem::take(&mut state.first_run);
            let password = form.password.0;
            scene.send(Command::SaveAccount {
                id: None,
                account: Box::new(outcome.account.clone()),
                password: (!password.is_empty()).then(|| Secret::new(password)),
                turn_password: None,
                password_file_consent: form.consent,
            });
            scene.send(Command::DropTrial);
        } else if Button::new(text::CHANGE_ACCOUNT).show(ui).clicked() {
            let mut form = account_form::with(outcome.account.clone());
            form.password = std::mem::take(&mut state.first_run.password);
            state.open_phone_settings();
            state.settings.form = Some(form);
            scene.send(Command::DropTrial);
        }
    });
}

fn way(transport: TransportChoice) -> &'static str {
    match transport {
        TransportChoice::Auto => text::WAY_AUTO,
        TransportChoice::Udp => "UDP",
        TransportChoice::Tcp => "TCP",
        TransportChoice::Tls => "TLS",
        TransportChoice::Ws => "WebSocket",
        TransportChoice::Wss => text::WAY_WSS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_as_people_write_it() {
        for (typed, address) in [
            (" alice@example.com ", "sip:alice@example.com"),
            ("sips:alice@example.com", "sips:alice@example.com"),
            ("sip:alice@192.0.2.1:5070", "sip:alice@192.0.2.1:5070"),
        ] {
            assert_eq!(account(typed).unwrap().address, address);
        }
        for typed in ["alice", "@", "http://x@y", "a b@example.com"] {
            assert!(
                account(typed).unwrap_err().contains("is no address"),
                "{typed}"
            );
        }
    }
}
