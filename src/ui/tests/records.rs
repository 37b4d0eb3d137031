//! Calls, contacts, organizations, accounts: what is shown and what is saved.

use egui_kittest::kittest::Queryable as _;

use super::fixture::*;
use crate::base::id::ContactId;
use crate::config::settings::ThemeChoice;
use crate::config::voice::{VoiceProfile, VoiceSettings};
use crate::control::{Command, Snapshot};
use crate::crm::row::{CallDirection, CallFilter, CallRow, ContactRow, MatchLevel, NumberProof};
use crate::ui::state::View;

fn log() -> Rows {
    Rows {
        calls: vec![
            row(1, Some(("Amelia Hart", MatchLevel::Known))),
            row(2, Some(("Priya Nair", MatchLevel::Weak))),
            row(3, None),
        ],
        contacts: vec![contact(1, "Amelia Hart"), contact(2, "Priya Nair")],
        ..Rows::default()
    }
}

#[test]
fn to_call_back_is_the_first_tab_and_has_the_only_badge() {
    let snapshot = Snapshot {
        to_call_back: 3,
        ..registered()
    };
    let mut shown = desk(snapshot, log(), |state| state.view = View::Calls);
    assert_eq!(shown.state().state.calls.filter, CallFilter::ToCallBack);
    shown.get_by_label("To call back, 3");
    shown.get_by_label("Missed").click();
    shown.run();
    assert_eq!(shown.state().state.calls.filter, CallFilter::Missed);
}

#[test]
fn a_missed_call_is_called_back_from_its_row() {
    let mut shown = desk(registered(), log(), |state| state.view = View::Calls);
    shown.get_by_label("Call Amelia Hart").click();
    shown.run();
    assert_eq!(
        shown.state_mut().told(),
        ["Call(CallTarget { text: \"+14155550134\", account: Some(AccountId(0)) })"],
        "from the line that the call came to"
    );
    assert!(shown.state().state.detail.is_none());
}

#[test]
fn a_number_that_waits_several_times_says_how_often() {
    let rows = Rows {
        waiting: vec![4],
        ..log()
    };
    let shown = desk(registered(), rows, |state| state.view = View::Calls);
    shown.get_by_label_contains("Amelia Hart, Inbound, Missed ×4");
}

/// A call that the agent made to an address of no contact was told as one of an "Unknown caller".
#[test]
fn whom_the_agent_dialled_is_no_unknown_caller() {
    let dialled = |number, remote: &str, e164: Option<&str>| CallRow {
        direction: CallDirection::Outbound,
        remote: remote.to_owned(),
        e164: e164.map(str::to_owned),
        ..row(number, None)
    };
    for (call, title) in [
        (dialled(1, "sip:bob@pbx.example", None), "bob@pbx.example"),
        (
            dialled(1, "+14155550134", Some("+14155550134")),
            "+1 415-555-0134",
        ),
        (dialled(1, "201", None), "201"),
    ] {
        for open in [false, true] {
            let rows = Rows {
                calls: vec![call.clone()],
                ..Rows::default()
            };
            let shown = desk(registered(), rows, |state| {
                state.view = View::Calls;
                state.calls.filter = CallFilter::All;
                state.detail = open.then(|| call_id(1));
            });
            let painted: Vec<String> = texts(&shown).into_iter().map(|(text, ..)| text).collect();
            let times = |wanted: &str| painted.iter().filter(|text| *text == wanted).count();
            assert_eq!(times("Unknown caller"), 0, "{painted:?}");
            // In the row, and in the head and the facts of the open call.
            assert_eq!(times(title), if open { 3 } else { 1 }, "{painted:?}");
        }
    }
    let rows = Rows {
        calls: vec![row(1, None)],
        ..Rows::default()
    };
    let shown = desk(registered(), rows, |state| {
        state.view = View::Calls;
        state.calls.filter = CallFilter::All;
    });
    assert!(
        texts(&shown)
            .iter()
            .any(|(text, ..)| text == "Unknown caller")
    );
}

#[test]
fn a_weak_match_in_the_log_has_the_number_as_its_title() {
    let shown = desk(registered(), log(), |state| state.view = View::Calls);
    let rows = shown.query_all_by_label_contains("+1 415-555-0134, Inbound, Missed");
    assert_eq!(rows.count(), 2);
    shown.get_by_label_contains("+1 415-555-0134, Inbound, Missed, may be Priya Nair");
    shown.get_by_label_contains("Amelia Hart, Inbound, Missed");
}

#[test]
fn a_row_opens_the_call_with_its_reason_and_notes() {
    let mut shown = desk(registered(), log(), |state| state.view = View::Calls);
    shown.get_by_label_contains("Amelia Hart, Inbound").click();
    shown.run();
    shown.get_by_label("The caller gave up");
    shown.get_by_label("Same number");
    shown.get_by_label("487");
    shown.get_by_label("Notes").focus();
    shown.run();
    shown.get_by_label("Notes").type_text("wants a quote");
    shown.run();
    // Escape leaves the field first, and closes the call only then.
    shown.key_press(egui::Key::Escape);
    shown.run();
    shown.get_by_label("Mark as done").click();
    shown.run();
    let told = shown.state_mut().told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("Notes(") && told[0].contains("wants a quote"));
    assert!(told[1].starts_with("MarkDone(") && told[1].ends_with("true)"));
    shown.get_by_label("Close").click();
    shown.run();
    assert!(shown.state().state.detail.is_none());
}

#[test]
fn a_call_tells_who_sent_it_here_where_it_went_and_what_the_network_claims() {
    let rows = Rows {
        calls: vec![CallRow {
            transferred_by: Some("sip:desk@pbx.example".to_owned()),
            transferred_to: Some("+49 30 901820".to_owned()),
            via: Some("sip:sales@pbx.example".to_owned()),
            number_proof: Some(NumberProof::Failed),
            ..row(1, None)
        }],
        ..Rows::default()
    };
    let shown = desk(registered(), rows, |state| {
        state.view = View::Calls;
        state.detail = Some(call_id(1));
    });
    for (name, value) in [
        ("Transferred by", "desk@pbx.example"),
        ("Transferred to", "+49 30 901820"),
        ("Via", "sales@pbx.example"),
        ("Caller ID", "Number may be forged, says the network"),
    ] {
        let (name, value) = (shown.get_by_label(name), shown.get_by_label(value));
        assert!((name.rect().top() - value.rect().top()).abs() < 4.0);
    }
}

#[test]
fn an_unreadable_log_says_why() {
    let rows = Rows {
        failing: true,
        ..Rows::default()
    };
    let shown = desk(registered(), rows, |state| state.view = View::Calls);
    shown.get_by_label("The call log is closed");
}

#[test]
fn a_contact_is_edited_with_another_number_and_saved() {
    let mut shown = desk(registered(), log(), |state| state.view = View::Contacts);
    shown.get_by_label("Amelia Hart").click();
    shown.run();
    shown.get_by_label("Edit…").click();
    shown.run();
    shown.get_by_label("Add a number").click();
    shown.run();
    let field = shown.get_all_by_label("Number").nth(1).unwrap();
    field.focus();
    shown.run();
    let field = shown.get_all_by_label("Number").nth(1).unwrap();
    field.type_text("030 901820");
    shown.run();
    shown.get_by_label("Save").click();
    shown.run();
    let sent = shown.state_mut().sent();
    let [Command::SaveContact(row)] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    let raws: Vec<&str> = row.numbers.iter().map(|n| n.raw.as_str()).collect();
    assert_eq!(raws, ["+1 415 555 0134", "030 901820"]);
    assert_eq!(row.organization_name.as_deref(), Some("Northwind Traders"));
}

#[test]
fn a_contact_without_a_name_is_not_saved() {
    let mut shown = desk(registered(), log(), |state| state.view = View::Contacts);
    shown.get_by_label("New contact…").click();
    shown.run();
    shown.get_by_label("Save").click();
    shown.run();
    shown.get_by_label("Give the contact a name.");
    assert!(shown.state_mut().sent().is_empty());
}

#[test]
fn a_contact_is_deleted_only_after_a_second_click() {
    let mut shown = desk(registered(), log(), |state| state.view = View::Contacts);
    shown.get_by_label("Priya Nair").click();
    shown.run();
    shown.get_by_label("Delete…").click();
    shown.run();
    assert!(shown.state_mut().sent().is_empty());
    shown.get_by_label("Delete for good").click();
    shown.run();
    assert_eq!(shown.state_mut().told(), ["DeleteContact(ContactId(2))"]);
}

#[test]
fn an_organization_is_added() {
    let mut shown = desk(registered(), log(), |state| {
        state.view = View::Organizations;
        state.organizations.name = " Carmel Tech ".to_owned();
    });
    shown.get_by_label("Add").click();
    shown.run();
    assert!(matches!(
        shown.state_mut().sent().as_slice(),
        [Command::SaveOrganization(row)] if row.name == "Carmel Tech" && row.id.0 == 0
    ));
}

#[test]
fn an_account_is_saved_with_its_password_which_is_not_kept_in_the_form() {
    let mut shown = desk(registered(), Rows::default(), |state| {
        state.view = View::Settings;
    });
    shown.get_by_label("Add an account…").click();
    shown.run();
    for (field, text) in [("SIP address", "bob@pbx.example"), ("Password", "hunter2")] {
        shown.get_by_label(field).focus();
        shown.run();
        shown.get_by_label(field).type_text(text);
        shown.run();
    }
    let typed = format!("{:?}", shown.state().state.settings);
    assert!(!typed.contains("hunter2"));
    shown.get_by_label("Save").click();
    shown.run();
    let sent = shown.state_mut().sent();
    let [
        Command::SaveAccount {
            id: None,
            account,
            password: Some(password),
            turn_password: None,
            password_file_consent: false,
        },
    ] = sent.as_slice()
    else {
        panic!("{sent:?}");
    };
    assert_eq!(account.address, "sip:bob@pbx.example");
    assert_eq!(password.expose(), "hunter2");
    assert!(shown.state().state.settings.form.is_none());
}

#[test]
fn an_account_is_registered_now_and_removed_after_a_second_click() {
    let mut shown = desk(registered(), Rows::default(), |state| {
        state.view = View::Settings;
    });
    shown.get_by_label("Register now").click();
    shown.run();
    shown.get_by_label("Remove…").click();
    shown.run();
    shown.get_by_label("Remove account and password").click();
    shown.run();
    assert_eq!(
        shown.state_mut().told(),
        ["RegisterNow(AccountId(0))", "RemoveAccount(AccountId(0))"]
    );
}

#[test]
fn a_switch_is_turned_by_its_words() {
    let mut shown = desk(registered(), Rows::default(), |state| {
        state.view = View::Settings;
    });
    let words = "Record each call from its answer";
    shown.get_by_label(words).click_accesskit();
    shown.run();
    assert!(matches!(
        shown.state_mut().sent().first(),
        Some(Command::SaveSettings(settings)) if settings.record_calls
    ));
}

#[test]
fn what_is_done_to_the_voice_is_chosen_as_a_profile_or_part_by_part() {
    let mut shown = desk(registered(), Rows::default(), |state| {
        state.view = View::Settings;
    });
    let words = "Take the other side's voice out of my microphone";
    shown.get_by_label(words).click_accesskit();
    shown.run();
    assert!(matches!(
        shown.state_mut().sent().first(),
        Some(Command::SaveSettings(settings)) if settings.voice.echo_cancellation == Some(false)
    ));
    shown
        .get_by_label("Tell me when I talk and am muted")
        .click_accesskit();
    shown.run();
    assert!(matches!(
        shown.state_mut().sent().last(),
        Some(Command::SaveSettings(settings)) if settings.voice.muted_hint == Some(false)
    ));
    shown.get_by_label("I talk with").click_accesskit();
    shown.run();
    shown.get_by_label("Headset").click_accesskit();
    shown.run();
    assert!(matches!(
        shown.state_mut().sent().last(),
        Some(Command::SaveSettings(settings))
            if settings.voice == VoiceSettings::of(VoiceProfile::Headset)
    ));
}

#[test]
fn hold_music_is_saved_when_its_field_is_left_and_what_is_wrong_stands_below() {
    let mut shown = desk(registered(), Rows::default(), |state| {
        state.view = View::Settings;
    });
    shown.get_by_label("Hold music").focus();
    shown.run();
    shown
        .get_by_label("Hold music")
        .type_text(" /music/wait.wav ");
    shown.run();
    assert!(shown.state_mut().sent().is_empty(), "not at each key");
    shown.key_press(egui::Key::Enter);
    shown.run();
    assert!(matches!(
        shown.state_mut().sent().first(),
        Some(Command::SaveSettings(settings)) if settings.hold_music == "/music/wait.wav"
    ));
    let why = "held callers hear silence: cannot read /music/wait.wav";
    shown
        .state()
        .change(|snapshot| snapshot.devices.hold_music_problem = Some(why.to_owned()));
    shown.run();
    shown.get_by_label_contains("Held callers hear silence: cannot read /music/wait.wav");
    let words = "Hold the other call by itself";
    shown.get_by_label(words).click_accesskit();
    shown.run();
    assert!(matches!(
        shown.state_mut().sent().first(),
        Some(Command::SaveSettings(settings)) if !settings.hold_on_answer
    ));
}

#[test]
fn a_setting_is_saved_when_it_is_changed_and_only_then() {
    let mut shown = desk(registered(), Rows::default(), |state| {
        state.view = View::Settings;
    });
    assert!(shown.state_mut().sent().is_empty());
    shown.get_by_label("Light").click_accesskit();
    shown.run();
    let sent = shown.state_mut().sent();
    assert!(
        sent.iter().all(|command| matches!(
            command,
            Command::SaveSettings(settings) if settings.theme == ThemeChoice::Light
        )) && !sent.is_empty(),
        "{sent:?}"
    );
}

#[test]
fn the_log_goes_on_while_scrolling_and_stays_where_it_is_when_a_call_comes_in() {
    let live = LiveRows::default();
    let numbered = |n: u8| CallRow {
        remote: format!("+1415555{:04}", 1000 + u16::from(n)),
        e164: None,
        ..row(n, None)
    };
    live.0.lock().unwrap().calls = (0..250).map(numbered).collect();
    let mut shown = desk(registered(), live.clone(), |state| {
        state.view = View::Calls;
        state.calls.filter = CallFilter::All;
    });
    shown.get_by_label("250 total");
    let first = shown.get_by_label_contains("415-555-1000, Inbound").rect();
    shown.hover_at(first.center());
    for _ in 0..40 {
        shown.event(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, -400.0),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Wheel,
            modifiers: egui::Modifiers::NONE,
        });
        shown.run_steps(4);
    }
    let last = shown.get_by_label_contains("415-555-1249, Inbound").rect();
    live.0.lock().unwrap().calls.insert(0, row(255, None));
    shown
        .state()
        .change(|snapshot| snapshot.store_revision += 1);
    shown.run();
    assert_eq!(
        shown.get_by_label_contains("415-555-1249, Inbound").rect(),
        last
    );
}

#[test]
fn the_contacts_go_on_while_scrolling() {
    let live = LiveRows::default();
    let numbered = |n: i64| ContactRow {
        id: ContactId(n),
        ..ContactRow::named(&format!("Person {n:03}"))
    };
    live.0.lock().unwrap().contacts = (1..=250).map(numbered).collect();
    let mut shown = desk(registered(), live, |state| state.view = View::Contacts);
    shown.get_by_label("250 total");
    let first = shown.get_by_label("Person 001").rect();
    shown.hover_at(first.center());
    for _ in 0..40 {
        shown.event(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, -400.0),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Wheel,
            modifiers: egui::Modifiers::NONE,
        });
        shown.run_steps(4);
    }
    shown.get_by_label("Person 250");
}

#[test]
fn why_the_phone_did_not_start_is_shown_and_closed() {
    let closed = std::rc::Rc::new(std::cell::Cell::new(false));
    let told = std::rc::Rc::clone(&closed);
    let mut shown = egui_kittest::Harness::builder()
        .with_context_setup(crate::ui::theme::install)
        .build_ui(move |ui| {
            if crate::ui::failure::failure_ui(ui, "the data folder is in use") {
                told.set(true);
            }
        });
    shown.get_by_label("The data folder is in use");
    assert!(!closed.get());
    shown.get_by_label("Close").click();
    shown.run();
    assert!(closed.get());
}

#[test]
fn a_finished_call_shows_its_sound_by_time_in_both_themes() {
    use crate::crm::row::{CallQuality, Millis, Mos, QualitySpan, Share};
    let spans = (0..90).map(|at| QualitySpan {
        at,
        seconds: 1,
        received: 49,
        lost: u32::from(at == 50),
        jitter_ms: Some(Millis::of(if at == 50 { 30.0 } else { 4.0 })),
        mos: (at > 5).then(|| Mos::of(4.3)),
        held_up_ms: if at == 60 { 180 } else { 0 },
        ..QualitySpan::default()
    });
    let rows = Rows {
        calls: vec![CallRow {
            quality: Some(CallQuality {
                seconds: 90,
                loss: Some(Share::of(0.004)),
                mos: Some(Mos::of(4.3)),
                held_up_ms: 180,
                ..CallQuality::default()
            }),
            sound_problem: Some("you speak, and you are muted, for 8 s".to_owned()),
            ..row(1, None)
        }],
        spans: spans.collect(),
        ..Rows::default()
    };
    for dark in [true, false] {
        let size = egui::Vec2::new(1440.0, 1000.0);
        let mut shown = window(size, true, registered(), rows.clone(), |state| {
            state.view = View::Calls;
            state.detail = Some(call_id(1));
        });
        let theme = if dark {
            egui::Theme::Dark
        } else {
            egui::Theme::Light
        };
        shown.ctx.set_theme(theme);
        shown.run_steps(3);
        shown.get_by_label("You speak, and you are muted, for 8 s");
        shown.get_by_label("Jitter by time: 4 ms on average, 30 ms at worst");
        shown.get_by_label("Score by time: 4.3 on average, 4.3 at worst");
        // What broke here is drawn, and only that.
        shown.get_by_label("Held up here by time: 2 ms on average, 180 ms at worst");
        shown.get_by_label("0.2 s");
        assert!(shown.query_by_label_contains("Speaker ran dry").is_none());
        // Nobody reported a round trip: it is not made up.
        shown.get_by_label("Round trip by time: unknown");
        let lines = shown
            .output()
            .shapes
            .iter()
            .filter(|clipped| matches!(clipped.shape, egui::Shape::Path(_)))
            .count();
        assert!(lines >= 3, "{lines}");
    }
}

#[test]
fn a_recordings_gaps_are_told_with_it() {
    use crate::crm::row::{RecordingGap, RecordingGapCause};
    let gap = |start_millis, length_millis| RecordingGap {
        cause: RecordingGapCause::Paused,
        start_millis,
        length_millis,
    };
    let lost = RecordingGap {
        cause: RecordingGapCause::DiskBehind,
        ..gap(50_000, Some(4_000))
    };
    let rows = Rows {
        calls: vec![CallRow {
            recording: Some("/tmp/a.wav".to_owned()),
            recording_gaps: vec![gap(12_000, Some(34_400)), lost, gap(61_000, None)],
            ..row(1, None)
        }],
        ..Rows::default()
    };
    let shown = desk(registered(), rows, |state| {
        state.view = View::Calls;
        state.detail = Some(call_id(1));
    });
    shown.get_by_label("Gaps in it");
    shown.get_by_label(
        "at 00:12 for 00:34; at 00:50 for 00:04 (lost, because the disk did not keep up); \
         from 01:01 on",
    );
}
