//! The rules of an account being written: what happens to its calls by themselves.

use egui::Ui;

use crate::config::TransferPolicy;
use crate::config::call_rules::{AutoAnswer, CallRules, SendDigits};
use crate::ui::state::FormProblem;
use crate::ui::text;
use crate::ui::widget::{Field, choice_ui, explained_choice_ui, explained_switch_ui, switch_ui};

/// Draws the rules.
pub(crate) fn rules_form_ui(ui: &mut Ui, rules: &mut CallRules, problem: &mut Option<FormProblem>) {
    disturb_ui(ui, rules);
    switch_ui(ui, &mut rules.call_waiting, text::CALL_WAITING);
    forwarding_ui(ui, rules, problem);
    auto_answer_ui(ui, rules);
    transfers_ui(ui, rules);
    redirects_ui(ui, rules);
    digits_ui(ui, rules);
    switch_ui(ui, &mut rules.hide_number, text::HIDE_NUMBER);
    switch_ui(ui, &mut rules.trust_identity, text::TRUST_IDENTITY);
    explained_switch_ui(
        ui,
        &mut rules.allow_md5,
        text::ALLOW_MD5,
        text::ALLOW_MD5_WHY,
    );
    ui.add_space(4.0);
}

fn disturb_ui(ui: &mut Ui, rules: &mut CallRules) {
    switch_ui(ui, &mut rules.do_not_disturb, text::DO_NOT_DISTURB);
    let statuses = [
        (480, text::DISTURB_480.to_owned()),
        (486, text::DISTURB_486.to_owned()),
    ];
    let status = choice_ui(
        ui,
        text::DISTURB_STATUS,
        &rules.do_not_disturb_status,
        &statuses,
    );
    if let Some(status) = status {
        rules.do_not_disturb_status = status;
    }
}

fn forwarding_ui(ui: &mut Ui, rules: &mut CallRules, problem: &mut Option<FormProblem>) {
    for (name, target) in [
        (text::FORWARD_ALWAYS, &mut rules.forward_always),
        (text::FORWARD_BUSY, &mut rules.forward_busy),
        (text::FORWARD_NO_ANSWER, &mut rules.forward_no_answer),
    ] {
        Field::labelled(name, target)
            .hint(text::FORWARD_HINT)
            .checked(problem)
            .show(ui);
    }
    let seconds = [5, 10, 15, 20, 30, 45, 60].map(|it: u32| (it, text::after_seconds(it)));
    let after = rules.forward_no_answer_seconds;
    if let Some(choice) = choice_ui(ui, text::FORWARD_AFTER, &after, &seconds) {
        rules.forward_no_answer_seconds = choice;
    }
}

fn auto_answer_ui(ui: &mut Ui, rules: &mut CallRules) {
    let answers = [
        (AutoAnswer::Never, text::AUTO_ANSWER_NEVER.to_owned()),
        (AutoAnswer::Trusted, text::AUTO_ANSWER_TRUSTED.to_owned()),
        (AutoAnswer::Always, text::AUTO_ANSWER_ALWAYS.to_owned()),
    ];
    if let Some(choice) = explained_choice_ui(
        ui,
        text::AUTO_ANSWER,
        text::AUTO_ANSWER_WHY,
        &rules.auto_answer,
        &answers,
    ) {
        rules.auto_answer = choice;
    }
}

/// Whether a far end may send our calls elsewhere.
fn transfers_ui(ui: &mut Ui, rules: &mut CallRules) {
    let policies = [
        (TransferPolicy::Never, text::TRANSFERS_NEVER.to_owned()),
        (TransferPolicy::Ask, text::TRANSFERS_ASK.to_owned()),
        (TransferPolicy::Always, text::TRANSFERS_ALWAYS.to_owned()),
    ];
    if let Some(choice) = explained_choice_ui(
        ui,
        text::TRANSFERS,
        text::TRANSFERS_WHY,
        &rules.transfers,
        &policies,
    ) {
        rules.transfers = choice;
    }
}

fn digits_ui(ui: &mut Ui, rules: &mut CallRules) {
    let ways = [
        (SendDigits::Sound, text::DIGITS_SOUND.to_owned()),
        (SendDigits::Info, text::DIGITS_INFO.to_owned()),
        (SendDigits::InfoPlain, text::DIGITS_INFO_PLAIN.to_owned()),
    ];
    if let Some(choice) = choice_ui(ui, text::SEND_DIGITS, &rules.send_digits, &ways) {
        rules.send_digits = choice;
    }
}

/// Whether calls go elsewhere when the far end asks so.
fn redirects_ui(ui: &mut Ui, rules: &mut CallRules) {
    let policies = [
        (TransferPolicy::Never, text::REDIRECTS_NEVER.to_owned()),
        (TransferPolicy::Ask, text::REDIRECTS_ASK.to_owned()),
        (TransferPolicy::Always, text::REDIRECTS_ALWAYS.to_owned()),
    ];
    if let Some(choice) = choice_ui(ui, text::REDIRECTS, &rules.redirects, &policies) {
        rules.redirects = choice;
    }
}
