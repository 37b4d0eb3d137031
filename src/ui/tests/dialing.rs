//! Dialling: what Enter does, and what a link may do.

use std::time::Duration;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::fixture::*;
use crate::base::dial_class::DialClass;
use crate::base::dial_plan::DialPreview;
use crate::control::{Asker, DialRequest, Snapshot};
use crate::crm::row::{Identification, MatchLevel};

const FIELD: &str = "Name, number or SIP address";

fn people() -> Rows {
    Rows {
        contacts: vec![contact(1, "Amelia Hart"), contact(2, "Amelie Roth")],
        ..Rows::default()
    }
}

fn typing(text: &str) -> Harness<'static, Stage> {
    let mut shown = desk(registered(), people(), |state| state.dialer.focus = true);
    shown.run();
    shown.get_by_label(FIELD).type_text(text);
    shown.run();
    shown
}

#[test]
fn digits_show_the_exact_uri_and_the_rule_and_enter_dials() {
    let mut shown = typing("415 555 0134");
    shown.get_by_label("Dials sip:+14155550134@pbx.example");
    shown.get_by_label_contains("US");
    shown.key_press(Key::Enter);
    shown.run();
    assert_eq!(
        shown.state_mut().told(),
        ["Call(CallTarget { text: \"415 555 0134\", account: None })"]
    );
    assert!(shown.state().state.dialer.text.is_empty());
}

#[test]
fn a_name_means_the_first_contact_and_the_preview_says_so() {
    let mut shown = typing("Amelia");
    shown.get_by_label("Dials sip:+14155550134@pbx.example");
    shown.key_press(Key::Enter);
    shown.run();
    assert_eq!(
        shown.state_mut().told(),
        ["Call(CallTarget { text: \"+14155550134\", account: None })"]
    );
}

#[test]
fn the_arrow_up_goes_back_to_what_was_typed() {
    let mut shown = typing("Amelia");
    shown.key_press(Key::ArrowUp);
    shown.run();
    shown.get_by_label("Dials sip:Amelia@pbx.example");
    shown.key_press(Key::ArrowDown);
    shown.run();
    shown.get_by_label("Dials sip:+14155550134@pbx.example");
}

#[test]
fn what_is_typed_in_the_same_frame_as_enter_is_dialled_whole() {
    let mut shown = typing("10");
    let events = &mut shown.input_mut().events;
    events.push(egui::Event::Text("1".to_owned()));
    events.push(egui::Event::Key {
        key: Key::Enter,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::NONE,
    });
    shown.run();
    assert_eq!(
        shown.state_mut().told(),
        ["Call(CallTarget { text: \"101\", account: None })"]
    );
}

#[test]
fn a_name_is_not_dialled_before_the_contacts_are_read() {
    let live = LiveRows::default();
    live.0.lock().unwrap().reading = true;
    let mut shown = desk(registered(), live.clone(), |state| {
        state.dialer.focus = true;
    });
    shown.run();
    shown.get_by_label(FIELD).type_text("Amelia");
    shown.run();
    shown.key_press(Key::Enter);
    shown.run();
    assert!(shown.state_mut().sent().is_empty());
    *live.0.lock().unwrap() = people();
    shown.run();
    shown.key_press(Key::Enter);
    shown.run();
    assert_eq!(
        shown.state_mut().told(),
        ["Call(CallTarget { text: \"+14155550134\", account: None })"]
    );
}

#[test]
fn the_keypad_types_and_the_button_calls() {
    let mut shown = desk(registered(), Rows::default(), |_| {});
    for digit in ["1", "0", "1"] {
        shown.get_by_label(&format!("Digit {digit}")).click();
        shown.run();
    }
    shown.get_by_label("Call").click();
    shown.run();
    assert_eq!(
        shown.state_mut().told(),
        ["Call(CallTarget { text: \"101\", account: None })"]
    );
}

#[test]
fn nothing_is_dialled_without_a_text() {
    let mut shown = typing("");
    shown.key_press(Key::Enter);
    shown.run();
    assert!(shown.state_mut().sent().is_empty());
}

fn question(caution: Option<&str>) -> Harness<'static, Stage> {
    let snapshot = Snapshot {
        dial_request: Some(DialRequest {
            asker: Asker::Link,
            link: "tel:+1-415-555-0134".to_owned(),
            preview: Ok(DialPreview {
                original: "tel:+1-415-555-0134".to_owned(),
                uri: "sip:+14155550134@pbx.example".to_owned(),
                rule: "number of US, sent in international form".to_owned(),
                called: "+14155550134".to_owned(),
                display: "+1 415-555-0134".to_owned(),
                caution: caution.map(str::to_owned),
                class: DialClass::Ordinary,
            }),
            identification: Some(Identification {
                matches: vec![candidate(1, "Amelia Hart", MatchLevel::Known)],
                display_number: "+1 415-555-0134".to_owned(),
                ..Identification::default()
            }),
            asked: start(),
        }),
        ..registered()
    };
    let asked = snapshot.dial_request.as_ref().map(|request| request.asked);
    let mut shown = desk(snapshot, Rows::default(), |_| {});
    if let Some(asked) = asked {
        shown.state_mut().now.mono = asked;
    }
    shown.run();
    shown
}

#[test]
fn a_link_asks_with_person_uri_rule_and_link_before_it_dials() {
    let shown = question(None);
    for words in [
        "Dial this?",
        "Amelia Hart",
        "sip:+14155550134@pbx.example",
        "Number of US, sent in international form",
        "tel:+1-415-555-0134",
    ] {
        shown.get_by_label(words);
    }
}

#[test]
fn a_plain_number_has_the_focus_on_dial_and_enter_dials() {
    let mut shown = question(None);
    assert!(shown.get_by_label("Dial").is_focused());
    shown.state_mut().pass(Duration::from_millis(501));
    shown.key_press(Key::Enter);
    shown.run();
    let told = shown.state_mut().told();
    assert_eq!(
        told,
        [
            "Call(CallTarget { text: \"tel:+1-415-555-0134\", account: None })",
            "CloseDialRequest"
        ]
    );
}

#[test]
fn anything_odd_has_the_focus_on_cancel_and_says_why() {
    let mut shown = question(Some("The link carries headers."));
    shown.get_by_label("The link carries headers.");
    assert!(shown.get_by_label("Cancel").is_focused());
    shown.state_mut().pass(Duration::from_millis(501));
    shown.key_press(Key::Enter);
    shown.run();
    assert_eq!(shown.state_mut().told(), ["CloseDialRequest"]);
}

#[test]
fn keys_in_the_first_half_second_do_nothing() {
    let mut shown = question(None);
    shown.state_mut().pass(Duration::from_millis(400));
    for key in [Key::Enter, Key::Space, Key::Escape] {
        shown.key_press(key);
        shown.run();
    }
    assert!(shown.state_mut().sent().is_empty());
}

#[test]
fn escape_closes_the_question_and_dials_nothing() {
    let mut shown = question(None);
    shown.state_mut().pass(Duration::from_millis(501));
    shown.key_press(Key::Escape);
    shown.run();
    assert_eq!(shown.state_mut().told(), ["CloseDialRequest"]);
}

#[test]
fn no_shortcut_works_behind_the_question() {
    let mut shown = question(None);
    shown.state_mut().pass(Duration::from_millis(501));
    shown.key_press_modifiers(Modifiers::COMMAND, Key::Num2);
    shown.run();
    assert_eq!(shown.state().state.view, crate::ui::View::Dialer);
}
