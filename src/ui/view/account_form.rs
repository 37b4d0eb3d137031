//! An account being written.

use egui::Ui;

use super::codecs_form::codecs_form_ui;
use super::extensions_form::{extensions_form_ui, session_timer};
use super::form_problem::of_account;
use super::ice_form::{FIELDS as FIREWALLS, ice_form_ui};
use super::rules_form::rules_form_ui;
use super::tls_form::tls_form_ui;
use crate::base::redact::Secret;
use crate::base::uri::Uri;
use crate::base::zone::without_zones;
use crate::config::Account;
use crate::config::account::{MessageWaiting, TransportChoice};
use crate::config::validate::Problem;
use crate::control::{AccountView, Command};
use crate::ui::scene::Scene;
use crate::ui::state::{AccountForm, FormProblem, PasswordField, SettingsState};
use crate::ui::theme::{SMALL, Theme, Weight, font};
use crate::ui::widget::{
    Button, Field, Look, choice_ui, explained_choice_ui, line_ui, paragraph_ui, ring_ui, switch_ui,
};
use crate::ui::{format, text};

/// A form for a new account.
pub(crate) fn empty() -> AccountForm {
    with(Account::default())
}

/// A form for a new account of which something is known.
pub(crate) fn with(account: Account) -> AccountForm {
    AccountForm {
        id: None,
        session_timer: account.extensions.session_expires.to_string(),
        account,
        password: PasswordField::default(),
        turn_password: PasswordField::default(),
        has_password: false,
        turn_secret: None,
        consent: false,
        problem: None,
    }
}

/// A form with what is stored; the password stays where it is.
pub(crate) fn of(view: &AccountView) -> AccountForm {
    AccountForm {
        id: Some(view.id),
        has_password: view.has_password,
        turn_secret: view
            .account
            .ice
            .secret_name()
            .filter(|_| view.has_turn_password),
        ..with(view.account.clone())
    }
}

/// Draws the form.
pub(crate) fn account_form_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut SettingsState) {
    let Some(form) = &mut state.form else { return };
    let theme = Theme::of(ui);
    let mut accounts = scene.snapshot.accounts.iter();
    let stored = accounts.find(|view| Some(view.id) == form.id);
    let title = match stored {
        Some(view) => text::account_title(format::bare_address(&view.account.address)),
        None => text::NEW_ACCOUNT_TITLE.to_owned(),
    };
    line_ui(ui, &title, font(14.0, Weight::SemiBold), theme.colours.text);
    fields_ui(ui, form);
    section_ui(ui, text::ADVANCED, &MORE, form, |ui, form| {
        more_ui(ui, &mut form.account, &mut form.problem);
    });
    section_ui(ui, text::CODECS, &[], form, |ui, form| {
        codecs_form_ui(ui, &mut form.account);
    });
    section_ui(
        ui,
        text::EXTENSIONS,
        &[text::SESSION_TIMER],
        form,
        |ui, form| {
            extensions_form_ui(ui, form);
        },
    );
    section_ui(ui, text::FIREWALLS, &FIREWALLS, form, ice_form_ui);
    section_ui(ui, text::RULES, &RULES, form, |ui, form| {
        rules_form_ui(ui, &mut form.account.rules, &mut form.problem);
    });
    if let Some(problem) = form.problem.as_ref().filter(|it| it.field.is_none()) {
        paragraph_ui(ui, &problem.sentence, SMALL, theme.colours.bad.text);
    }
    let mut over = false;
    ui.horizontal(|ui| {
        let save = Button::new(text::SAVE)
            .look(Look::Primary)
            .width(110.0)
            .show(ui);
        if save.clicked() {
            over = sent(scene, form);
        }
        over |= Button::new(text::CANCEL).width(110.0).show(ui).clicked();
    });
    if over {
        state.form = None;
    }
}

/// The fields of the sections that may be closed, to open the one with a fault in it.
const MORE: [&str; 9] = [
    text::REGISTRAR,
    text::PROXY,
    text::VOICEMAIL_NUMBER,
    text::WEBSOCKET_PATH,
    text::PINNED,
    text::CLIENT_CERTIFICATE,
    text::CLIENT_KEY,
    text::DIAL_REGION,
    text::OUTSIDE_PREFIX,
];
const RULES: [&str; 3] = [
    text::FORWARD_ALWAYS,
    text::FORWARD_BUSY,
    text::FORWARD_NO_ANSWER,
];

/// A section that opens by itself when one of its fields is wrong.
fn section_ui(
    ui: &mut Ui,
    title: &str,
    fields: &[&'static str],
    form: &mut AccountForm,
    content: impl FnOnce(&mut Ui, &mut AccountForm),
) {
    let wrong = form.problem.as_ref().is_some_and(|problem| {
        problem.fresh && problem.field.is_some_and(|name| fields.contains(&name))
    });
    let section = egui::CollapsingHeader::new(title)
        .id_salt(title)
        .open(wrong.then_some(true))
        .show_unindented(ui, |ui| content(ui, form));
    ring_ui(ui, &section.header_response);
}

/// Sends the account, or says why not; true when it was sent.
fn sent(scene: &mut Scene<'_>, form: &mut AccountForm) -> bool {
    let others = scene.snapshot.accounts.iter();
    let taken: Vec<&str> = others
        .filter(|view| Some(view.id) != form.id)
        .map(|view| view.account.address.as_str())
        .collect();
    match checked(form, &taken) {
        Ok(account) => {
            let [password, turn_password] = [&mut form.password, &mut form.turn_password]
                .map(|typed| std::mem::take(&mut typed.0))
                .map(|typed| (!typed.is_empty()).then(|| Secret::new(typed)));
            scene.send(Command::SaveAccount {
                id: form.id,
                account: Box::new(account),
                password,
                turn_password,
                password_file_consent: form.consent,
            });
            true
        }
        Err(problem) => {
            form.problem = Some(problem);
            false
        }
    }
}

fn fields_ui(ui: &mut Ui, form: &mut AccountForm) {
    let account = &mut form.account;
    Field::labelled(text::ADDRESS, &mut account.address)
        .hint(text::ADDRESS_HINT)
        .checked(&mut form.problem)
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

fn more_ui(ui: &mut Ui, account: &mut Account, problem: &mut Option<FormProblem>) {
    Field::labelled(text::REGISTRAR, &mut account.registrar)
        .hint(text::REGISTRAR_HINT)
        .why(text::REGISTRAR_WHY)
        .checked(problem)
        .show(ui);
    Field::labelled(text::AUTH_USER, &mut account.auth_user)
        .hint(text::AUTH_USER_HINT)
        .show(ui);
    Field::labelled(text::PROXY, &mut account.outbound_proxy)
        .hint(text::PROXY_HINT)
        .why(text::PROXY_WHY)
        .checked(problem)
        .show(ui);
    mailbox_ui(ui, account, problem);
    let transports = [
        (TransportChoice::Auto, text::TRANSPORT_AUTO.to_owned()),
        (TransportChoice::Udp, "UDP".to_owned()),
        (TransportChoice::Tcp, "TCP".to_owned()),
        (TransportChoice::Tls, "TLS".to_owned()),
        (TransportChoice::Ws, "WebSocket".to_owned()),
        (TransportChoice::Wss, text::WEBSOCKET_OVER_TLS.to_owned()),
    ];
    if let Some(choice) = choice_ui(ui, text::TRANSPORT, &account.transport, &transports) {
        account.transport = choice;
    }
    transport_ui(ui, account, problem);
    Field::labelled(text::DIAL_REGION, &mut account.dial_plan.region)
        .width(60.0)
        .why(text::DIAL_REGION_WHY)
        .checked(problem)
        .show(ui);
    Field::labelled(text::OUTSIDE_PREFIX, &mut account.dial_plan.outside_prefix)
        .width(60.0)
        .why(text::OUTSIDE_PREFIX_WHY)
        .checked(problem)
        .show(ui);
    switch_ui(ui, &mut account.dial_plan.e164, text::SEND_E164);
    ui.add_space(4.0);
}

/// The voice mail: how it is called, and whether it is asked what waits there; and what belongs to calls.
fn mailbox_ui(ui: &mut Ui, account: &mut Account, problem: &mut Option<FormProblem>) {
    Field::labelled(text::VOICEMAIL_NUMBER, &mut account.voicemail)
        .hint(text::VOICEMAIL_HINT)
        .why(text::VOICEMAIL_WHY)
        .checked(problem)
        .show(ui);
    Field::labelled(text::SCRIPT, &mut account.script)
        .why(text::SCRIPT_WHY)
        .rows(3)
        .show(ui);
    Field::labelled(text::PAGE, &mut account.page)
        .hint(text::PAGE_HINT)
        .why(text::PAGE_WHY)
        .checked(problem)
        .show(ui);
    let choices = [
        (MessageWaiting::Auto, text::MESSAGE_WAITING_AUTO.to_owned()),
        (MessageWaiting::Off, text::MESSAGE_WAITING_OFF.to_owned()),
    ];
    let chosen = &mut account.message_waiting;
    if let Some(choice) = explained_choice_ui(
        ui,
        text::MESSAGE_WAITING,
        text::MESSAGE_WAITING_WHY,
        chosen,
        &choices,
    ) {
        *chosen = choice;
    }
}

/// What only some transports need.
fn transport_ui(ui: &mut Ui, account: &mut Account, problem: &mut Option<FormProblem>) {
    let (tls, websocket) = match account.transport {
        TransportChoice::Udp | TransportChoice::Tcp => (false, false),
        TransportChoice::Auto => (account.address.trim().starts_with("sips:"), false),
        TransportChoice::Tls => (true, false),
        TransportChoice::Ws => (false, true),
        TransportChoice::Wss => (true, true),
    };
    if websocket {
        Field::labelled(text::WEBSOCKET_PATH, &mut account.websocket_path)
            .checked(problem)
            .show(ui);
    }
    if tls {
        tls_form_ui(ui, &mut account.tls, problem);
    }
}

/// The account as it can be saved: with a scheme, a domain that dials, and nothing that the phone
/// could not work with. `taken` are the addresses of the other accounts.
fn checked(form: &AccountForm, taken: &[&str]) -> Result<Account, FormProblem> {
    let typed = &form.account;
    let mut account = typed.clone();
    let address = account.address.trim();
    let address = if Uri::parse(&without_zones(address).0).is_ok_and(|uri| uri.as_sip().is_some()) {
        address.to_owned()
    } else {
        format!("sip:{address}")
    };
    if account.dial_plan.domain.is_empty() || typed.dial_plan.domain == domain_before(typed) {
        account.dial_plan.domain = domain_of(&address);
    }
    account.address = address;
    account.dial_plan.region = account.dial_plan.region.trim().to_ascii_uppercase();
    for field in [
        &mut account.registrar,
        &mut account.auth_user,
        &mut account.outbound_proxy,
        &mut account.voicemail,
        &mut account.script,
        &mut account.page,
        &mut account.display_name,
        &mut account.ice.stun,
        &mut account.ice.turn,
        &mut account.ice.turn_user,
        &mut account.websocket_path,
        &mut account.tls.ca_file,
        &mut account.tls.pinned_certificate,
        &mut account.tls.client_certificate,
        &mut account.tls.client_key,
        &mut account.dial_plan.outside_prefix,
        &mut account.rules.forward_always,
        &mut account.rules.forward_busy,
        &mut account.rules.forward_no_answer,
    ] {
        *field = field.trim().to_owned();
    }
    account.extensions.session_expires = session_timer(&form.session_timer)?;
    let sound = if taken.contains(&account.address.as_str()) {
        Err(Problem::SameAddress(account.address.clone()))
    } else {
        account.validate()
    };
    match sound {
        Ok(()) => Ok(account),
        Err(problem) => Err(of_account(&problem, &account)),
    }
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

    fn typed(address: &str) -> AccountForm {
        with(Account {
            address: address.to_owned(),
            ..Account::default()
        })
    }

    /// The field that is told to be wrong, and how.
    fn refused(form: &AccountForm) -> (&'static str, String) {
        let problem = checked(form, &["sip:taken@pbx.example"]).unwrap_err();
        assert!(problem.fresh);
        (problem.field.unwrap_or_default(), problem.sentence)
    }

    #[test]
    fn an_address_gets_its_scheme_and_its_domain_dials() {
        let saved = checked(&typed(" alice@pbx.example:5070 "), &[]).unwrap();
        assert_eq!(saved.address, "sip:alice@pbx.example:5070");
        assert_eq!(saved.dial_plan.domain, "pbx.example:5070");
        let zoned = "sip:alice@[fe80::1%eth0]";
        assert_eq!(checked(&typed(zoned), &[]).unwrap().address, zoned);
    }

    #[test]
    fn an_address_without_user_or_domain_is_refused() {
        for wrong in ["", "alice", "sip:pbx.example", "tel:+123"] {
            let (field, sentence) = refused(&typed(wrong));
            assert_eq!(field, text::ADDRESS, "{wrong}");
            assert!(sentence.contains("sip:name@example.com"), "{sentence}");
        }
        let (field, sentence) = refused(&typed("taken@pbx.example"));
        assert_eq!(field, text::ADDRESS);
        assert!(sentence.contains("two accounts"), "{sentence}");
    }

    #[test]
    fn a_region_is_two_letters() {
        let mut form = typed("sip:a@b");
        form.account.dial_plan.region = " de".to_owned();
        assert_eq!(checked(&form, &[]).unwrap().dial_plan.region, "DE");
        form.account.dial_plan.region = "Germany".to_owned();
        assert_eq!(refused(&form).0, text::DIAL_REGION);
    }

    #[test]
    fn each_fault_stands_at_its_field_in_the_words_of_the_window() {
        type Spoil = fn(&mut AccountForm);
        let rows: [(Spoil, &str, &str); 11] = [
            (
                |it| it.session_timer = "soon".into(),
                text::SESSION_TIMER,
                "The session timer \"soon\" is not a number",
            ),
            (
                |it| it.session_timer = "7".into(),
                text::SESSION_TIMER,
                "The session timer is 7; write 0 for none",
            ),
            (
                |it| it.account.voicemail = "my box".into(),
                text::VOICEMAIL_NUMBER,
                "The voice mail \"my box\"",
            ),
            (
                |it| it.account.registrar = "sip:pbx".into(),
                text::REGISTRAR,
                "The registrar \"sip:pbx\"",
            ),
            (
                |it| it.account.outbound_proxy = "pbx".into(),
                text::PROXY,
                "The outbound proxy",
            ),
            (
                |it| it.account.tls.pinned_certificate = "12".into(),
                text::PINNED,
                "The pinned certificate is not",
            ),
            (
                |it| it.account.tls.client_certificate = "me.pem".into(),
                text::CLIENT_KEY,
                "belong together",
            ),
            (
                |it| it.account.tls.client_key = "me.key".into(),
                text::CLIENT_CERTIFICATE,
                "belong together",
            ),
            (
                |it| it.account.websocket_path = "ws".into(),
                text::WEBSOCKET_PATH,
                "The WebSocket path is \"ws\"",
            ),
            (
                |it| it.account.rules.forward_busy = "sip:me@pbx.example".into(),
                text::FORWARD_BUSY,
                "to itself",
            ),
            (
                |it| {
                    it.account.address = "sips:me@pbx.example".into();
                    it.account.transport = TransportChoice::Udp;
                },
                "",
                "demands encryption",
            ),
        ];
        for (spoil, field, sentence) in rows {
            let mut form = typed("sip:me@pbx.example");
            spoil(&mut form);
            let (found, told) = refused(&form);
            assert_eq!(found, field, "{told}");
            assert!(told.contains(sentence), "{told}");
        }
    }
}
