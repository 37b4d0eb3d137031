//! An account being written.

use egui::Ui;

use super::rules_form::rules_form_ui;
use crate::base::redact::Secret;
use crate::base::uri::Uri;
use crate::base::zone::without_zones;
use crate::config::Account;
use crate::config::account::TransportChoice;
use crate::control::{AccountView, Command};
use crate::ui::scene::Scene;
use crate::ui::state::{AccountForm, PasswordField, SettingsState};
use crate::ui::text;
use crate::ui::theme::{SMALL, Theme, Weight, font};
use crate::ui::widget::{Button, Field, Look, choice_ui, line_ui, switch_ui};

/// A form for a new account.
pub(crate) fn empty() -> AccountForm {
    AccountForm {
        id: None,
        account: Account::default(),
        password: PasswordField::default(),
        has_password: false,
        consent: false,
        problem: None,
    }
}

/// A form with what is stored; the password stays where it is.
pub(crate) fn of(view: &AccountView) -> AccountForm {
    AccountForm {
        id: Some(view.id),
        account: view.account.clone(),
        has_password: view.has_password,
        ..empty()
    }
}

/// Whether a text can be an ISO 3166 code of two letters.
pub(crate) fn is_region(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Draws the form.
pub(crate) fn account_form_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut SettingsState) {
    let Some(form) = &mut state.form else { return };
    let theme = Theme::of(ui);
    let title = if form.id.is_some() {
        text::ACCOUNT_TITLE
    } else {
        text::NEW_ACCOUNT_TITLE
    };
    line_ui(ui, title, font(14.0, Weight::SemiBold), theme.colours.text);
    fields_ui(ui, form);
    egui::CollapsingHeader::new(text::ADVANCED)
        .id_salt("more options")
        .show_unindented(ui, |ui| more_ui(ui, &mut form.account));
    egui::CollapsingHeader::new(text::RULES)
        .id_salt("rules")
        .show_unindented(ui, |ui| rules_form_ui(ui, &mut form.account.rules));
    if let Some(problem) = form.problem {
        line_ui(ui, problem, SMALL, theme.colours.bad.text);
    }
    let mut over = false;
    ui.horizontal(|ui| {
        let save = Button::new(text::SAVE)
            .look(Look::Primary)
            .width(110.0)
            .show(ui);
        if save.clicked() {
            match checked(&form.account) {
                Ok(account) => {
                    let password = std::mem::take(&mut form.password.0);
                    scene.send(Command::SaveAccount {
                        id: form.id,
                        account: Box::new(account),
                        password: (!password.is_empty()).then(|| Secret::new(password)),
                        password_file_consent: form.consent,
                    });
                    over = true;
                }
                Err(problem) => form.problem = Some(problem),
            }
        }
        over |= Button::new(text::CANCEL).width(110.0).show(ui).clicked();
    });
    if over {
        state.form = None;
    }
}

fn fields_ui(ui: &mut Ui, form: &mut AccountForm) {
    let account = &mut form.account;
    Field::labelled(text::ADDRESS, &mut account.address)
        .hint(text::ADDRESS_HINT)
        .show(ui);
    Field::labelled(text::DISPLAY_NAME, &mut account.display_name)
        .hint(text::DISPLAY_NAME_HINT)
        .show(ui);
    let hint = if form.has_password {
        text::PASSWORD_KEPT
    } else {
        ""
    };
    Field::labelled(text::PASSWORD, &mut form.password.0)
        .hint(hint)
        .password()
        .show(ui);
    switch_ui(ui, &mut form.consent, text::CONSENT);
    switch_ui(ui, &mut account.register, text::REGISTER);
    ui.add_space(4.0);
}

fn more_ui(ui: &mut Ui, account: &mut Account) {
    Field::labelled(text::REGISTRAR, &mut account.registrar)
        .hint(text::REGISTRAR_HINT)
        .show(ui);
    Field::labelled(text::AUTH_USER, &mut account.auth_user)
        .hint(text::AUTH_USER_HINT)
        .show(ui);
    Field::labelled(text::PROXY, &mut account.outbound_proxy)
        .hint(text::PROXY_HINT)
        .show(ui);
    Field::labelled(text::VOICEMAIL_NUMBER, &mut account.voicemail)
        .hint(text::VOICEMAIL_HINT)
        .show(ui);
    let transports = [
        (TransportChoice::Auto, text::TRANSPORT_AUTO.to_owned()),
        (TransportChoice::Udp, "UDP".to_owned()),
        (TransportChoice::Tcp, "TCP".to_owned()),
        (TransportChoice::Tls, "TLS".to_owned()),
        (TransportChoice::Ws, "WebSocket".to_owned()),
        (TransportChoice::Wss, "WebSocket over TLS".to_owned()),
    ];
    if let Some(choice) = choice_ui(ui, text::TRANSPORT, &account.transport, &transports) {
        account.transport = choice;
    }
    transport_ui(ui, account);
    Field::labelled(text::DIAL_REGION, &mut account.dial_plan.region)
        .width(60.0)
        .show(ui);
    Field::labelled(text::OUTSIDE_PREFIX, &mut account.dial_plan.outside_prefix)
        .width(60.0)
        .show(ui);
    switch_ui(ui, &mut account.dial_plan.e164, text::SEND_E164);
    ui.add_space(4.0);
}

/// What only some transports need.
fn transport_ui(ui: &mut Ui, account: &mut Account) {
    let (tls, websocket) = match account.transport {
        TransportChoice::Udp | TransportChoice::Tcp => (false, false),
        TransportChoice::Auto => (account.address.trim().starts_with("sips:"), false),
        TransportChoice::Tls => (true, false),
        TransportChoice::Ws => (false, true),
        TransportChoice::Wss => (true, true),
    };
    if websocket {
        Field::labelled(text::WEBSOCKET_PATH, &mut account.websocket_path).show(ui);
    }
    if tls {
        for (label, hint, value) in [
            (text::CA_FILE, text::CA_FILE_HINT, &mut account.tls.ca_file),
            (
                text::PINNED,
                text::PINNED_HINT,
                &mut account.tls.pinned_certificate,
            ),
            (
                text::CLIENT_CERTIFICATE,
                text::NONE_HINT,
                &mut account.tls.client_certificate,
            ),
            (
                text::CLIENT_KEY,
                text::NONE_HINT,
                &mut account.tls.client_key,
            ),
        ] {
            Field::labelled(label, value).hint(hint).show(ui);
        }
    }
}

/// The account as it can be saved: with a scheme, a user, a domain and a region.
fn checked(typed: &Account) -> Result<Account, &'static str> {
    let mut account = typed.clone();
    let address = account.address.trim();
    let address = if address.starts_with("sip:") || address.starts_with("sips:") {
        address.to_owned()
    } else {
        format!("sip:{address}")
    };
    let uri = Uri::parse(&without_zones(&address).0).map_err(|_unreadable| text::ADDRESS_WRONG)?;
    let sip = uri.as_sip().ok_or(text::ADDRESS_WRONG)?;
    if sip.user.as_deref().is_none_or(str::is_empty) {
        return Err(text::ADDRESS_WRONG);
    }
    if account.dial_plan.domain.is_empty() || typed.dial_plan.domain == domain_before(typed) {
        account.dial_plan.domain = domain_of(&address);
    }
    account.address = address;
    account.dial_plan.region = account.dial_plan.region.trim().to_ascii_uppercase();
    if !is_region(&account.dial_plan.region) {
        return Err(text::REGION_WRONG);
    }
    for field in [
        &mut account.registrar,
        &mut account.auth_user,
        &mut account.outbound_proxy,
        &mut account.voicemail,
        &mut account.display_name,
        &mut account.rules.forward_always,
        &mut account.rules.forward_busy,
        &mut account.rules.forward_no_answer,
    ] {
        *field = field.trim().to_owned();
    }
    Ok(account)
}

/// What follows the `@`, with the port.
fn domain_of(address: &str) -> String {
    let rest = address.split_once('@').map_or("", |(_, domain)| domain);
    rest.split([';', '?']).next().unwrap_or_default().to_owned()
}

fn domain_before(account: &Account) -> String {
    domain_of(&account.address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(address: &str) -> Account {
        Account {
            address: address.to_owned(),
            ..Account::default()
        }
    }

    #[test]
    fn an_address_gets_its_scheme_and_its_domain_dials() {
        let saved = checked(&account(" alice@pbx.example:5070 ")).unwrap();
        assert_eq!(saved.address, "sip:alice@pbx.example:5070");
        assert_eq!(saved.dial_plan.domain, "pbx.example:5070");
    }

    #[test]
    fn an_address_without_user_or_domain_is_refused() {
        for wrong in ["", "alice", "sip:pbx.example", "tel:+123"] {
            assert_eq!(
                checked(&account(wrong)),
                Err(text::ADDRESS_WRONG),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_region_is_two_letters() {
        let mut typed = account("sip:a@b");
        typed.dial_plan.region = " de".to_owned();
        assert_eq!(checked(&typed).unwrap().dial_plan.region, "DE");
        typed.dial_plan.region = "Germany".to_owned();
        assert_eq!(checked(&typed), Err(text::REGION_WRONG));
    }
}
