//! The call card: controls, identity, notes.

use std::time::Duration;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;

use super::fixture::*;
use crate::control::{
    CallStage, CallView, Command, MediaSecurity, MosView, QualityView, RecordingView, Snapshot,
    SoundFaultView,
};
use crate::crm::row::{CallDirection, MatchLevel};
use crate::ui::state::View;

pub(super) fn with(call: CallView) -> Snapshot {
    Snapshot {
        calls: vec![call],
        ..registered()
    }
}

pub(super) fn known() -> Vec<crate::crm::row::Match> {
    vec![candidate(1, "Amelia Hart", MatchLevel::Known)]
}

#[test]
fn the_controls_send_what_they_say() {
    let mut shown = desk(with(talking(1, known())), Rows::default(), |_| {});
    for (button, command) in [
        ("Mute", "Mute("),
        ("Hold", "Hold("),
        ("Record", "Record("),
        ("Hang up", "HangUp("),
    ] {
        shown.get_by_label(button).click();
        shown.run_steps(2);
        let told = shown.state_mut().told();
        assert_eq!(told.len(), 1, "{button}: {told:?}");
        assert!(told[0].starts_with(command), "{told:?}");
    }
}

#[test]
fn who_talks_while_muted_is_told_so_for_a_moment() {
    let hint = "You are muted: nobody hears you.";
    let mut call = talking(1, known());
    call.muted = true;
    call.muted_talk = Some(start());
    let shown = desk(with(call.clone()), Rows::default(), |_| {});
    shown.get_by_label(hint);
    call.muted_talk = start().checked_sub(Duration::from_secs(6));
    let shown = desk(with(call.clone()), Rows::default(), |_| {});
    assert!(shown.query_by_label(hint).is_none());
    call.muted = false;
    call.muted_talk = Some(start());
    let shown = desk(with(call), Rows::default(), |_| {});
    assert!(shown.query_by_label(hint).is_none());
}

#[test]
fn the_controls_show_the_present_state() {
    let mut call = talking(1, known());
    call.muted = true;
    call.stage = CallStage::Held;
    call.recording = RecordingView::On("a.wav".to_owned());
    let mut shown = desk(with(call), Rows::default(), |_| {});
    for label in [
        "Unmute",
        "Resume",
        "Stop recording",
        "Muted",
        "REC",
        "On hold",
    ] {
        shown.get_by_label(label);
    }
    shown.get_by_label("Unmute").click();
    shown.run_steps(2);
    assert!(matches!(
        shown.state_mut().sent().as_slice(),
        [Command::Mute(_, false)]
    ));
}

#[test]
fn the_keys_do_the_same_while_notes_are_typed() {
    let mut shown = desk(with(talking(1, known())), Rows::default(), |_| {});
    shown.get_by_label("Notes").focus();
    shown.run_steps(2);
    for (key, command) in [
        (Key::M, "Mute("),
        (Key::H, "Hold("),
        (Key::R, "Record("),
        (Key::E, "HangUp("),
    ] {
        shown.key_press_modifiers(Modifiers::COMMAND, key);
        shown.run_steps(2);
        let told = shown.state_mut().told();
        assert!(told[0].starts_with(command), "{key:?}: {told:?}");
    }
}

#[test]
fn the_keypad_sends_tones() {
    let mut shown = desk(with(talking(1, known())), Rows::default(), |state| {
        state.view = View::Calls;
    });
    shown.get_by_label("Keypad").click();
    shown.run_steps(2);
    shown.get_by_label("Digit 5").click();
    shown.run_steps(2);
    assert!(matches!(
        shown.state_mut().sent().as_slice(),
        [Command::Dtmf(_, digits)] if digits == "5"
    ));
}

#[test]
fn digits_pressed_while_the_recording_is_paused_are_not_shown() {
    let mut shown = desk(with(talking(1, known())), Rows::default(), |state| {
        state.view = View::Calls;
    });
    shown.get_by_label("Keypad").click();
    shown.run_steps(2);
    for (paused, digit) in [(false, "5"), (true, "4"), (true, "7"), (false, "6")] {
        shown.state().change(|snapshot| {
            let path = "a.wav".to_owned();
            snapshot.calls[0].recording = if paused {
                RecordingView::Paused(path)
            } else {
                RecordingView::On(path)
            };
        });
        shown.run_steps(2);
        shown.get_by_label(&format!("Digit {digit}")).click();
        shown.run_steps(2);
    }
    shown.get_by_label("5••6");
    let sent = shown.state_mut().sent();
    let digits = sent.iter().filter_map(|command| match command {
        Command::Dtmf(_, digits) => Some(digits.as_str()),
        _ => None,
    });
    assert_eq!(digits.collect::<String>(), "5476");
}

#[test]
fn quality_is_measured_or_unknown() {
    let mut shown = desk(with(talking(1, known())), Rows::default(), |_| {});
    shown.get_by_label("Opus · quality unknown");
    shown.state().change(|snapshot| {
        snapshot.calls[0].quality = Some(QualityView {
            loss: Some(0.01),
            jitter_millis: Some(2.0),
            ..QualityView::default()
        });
    });
    shown.run_steps(2);
    shown.get_by_label("Opus · loss 1.0 % · jitter 2 ms");
    shown.get_by_label("Sound: unknown, score unknown");
    shown.state().change(|snapshot| {
        let quality = snapshot.calls[0].quality.as_mut().unwrap();
        quality.mos = Some(MosView {
            mos: 4.32,
            wideband: true,
            estimate: true,
        });
    });
    shown.run_steps(2);
    shown.get_by_label("Sound: Good, score 4.3 of 4.5 (wideband, estimate)");
    shown.get_by_label_contains("Sound: Good").hover();
    shown.run_steps(60);
    shown.get_by_label("What they hear, by their report");
    assert!(shown.query_all_by_label("unknown").count() >= 3);
}

#[test]
fn why_one_side_is_not_heard_stands_on_the_card_with_what_to_do() {
    let mut shown = desk(with(talking(1, known())), Rows::default(), |_| {});
    shown.state().change(|snapshot| {
        snapshot.calls[0].sound_faults = vec![SoundFaultView {
            cause: "nothing-received",
            incoming: true,
            text: "nothing at all arrives from the far end".to_owned(),
            advice: "allow UDP to this computer".to_owned(),
        }];
    });
    shown.run_steps(2);
    shown.get_by_label("Nothing at all arrives from the far end: allow UDP to this computer.");
    shown
        .state()
        .change(|snapshot| snapshot.calls[0].sound_faults.clear());
    shown.run_steps(2);
    assert!(shown.query_by_label_contains("allow UDP").is_none());
}

#[test]
fn notes_are_saved_as_typed_but_not_more_often_than_every_300_milliseconds() {
    let mut shown = desk(with(talking(1, known())), Rows::default(), |_| {});
    shown.get_by_label("Notes").focus();
    shown.run_steps(2);
    shown.get_by_label("Notes").type_text("a");
    shown.run_steps(2);
    shown.get_by_label("Notes").type_text("b");
    shown.run_steps(2);
    shown.state_mut().pass(Duration::from_millis(299));
    shown.get_by_label("Notes").type_text("c");
    shown.run_steps(2);
    assert!(matches!(
        shown.state_mut().sent().as_slice(),
        [Command::Notes(_, notes)] if notes == "a"
    ));
    shown.state_mut().pass(Duration::from_millis(2));
    shown.run_steps(2);
    assert!(matches!(
        shown.state_mut().sent().as_slice(),
        [Command::Notes(_, notes)] if notes == "abc"
    ));
}

#[test]
fn notes_are_saved_at_once_when_the_field_is_left() {
    let mut shown = desk(with(talking(1, known())), Rows::default(), |_| {});
    shown.get_by_label("Notes").focus();
    shown.run_steps(2);
    for text in ["a", "b"] {
        shown.get_by_label("Notes").type_text(text);
        shown.run_steps(2);
    }
    shown.state_mut().sent();
    shown.get_by_label("Settings").focus();
    shown.run_steps(3);
    assert!(matches!(
        shown.state_mut().sent().as_slice(),
        [Command::Notes(_, notes)] if notes == "ab"
    ));
}

#[test]
fn notes_that_were_not_due_yet_are_there_for_the_last_save() {
    let mut shown = desk(with(talking(1, known())), Rows::default(), |_| {});
    shown.get_by_label("Notes").focus();
    shown.run_steps(2);
    for text in ["a", "b"] {
        shown.get_by_label("Notes").type_text(text);
        shown.run_steps(2);
    }
    let notes = &mut shown.state_mut().state.notes;
    assert!(matches!(
        notes.take_unsent().as_slice(),
        [Command::Notes(_, notes)] if notes == "ab"
    ));
    assert!(notes.take_unsent().is_empty());
}

#[test]
fn an_old_echo_of_the_notes_does_not_undo_what_was_typed() {
    let mut shown = desk(with(talking(1, known())), Rows::default(), |_| {});
    shown.get_by_label("Notes").focus();
    shown.run_steps(2);
    shown.get_by_label("Notes").type_text("abc");
    shown.run_steps(2);
    shown
        .state()
        .change(|snapshot| snapshot.calls[0].notes = "a".to_owned());
    shown.run_steps(2);
    assert_eq!(shown.get_by_label("Notes").value().as_deref(), Some("abc"));
}

#[test]
fn a_shared_number_is_chosen_by_alt_and_a_digit_or_by_click() {
    let both = vec![
        candidate(1, "Amelia Hart", MatchLevel::Known),
        candidate(2, "Priya Nair", MatchLevel::Known),
    ];
    let mut shown = desk(with(talking(1, both)), Rows::default(), |_| {});
    shown.get_by_label("2 contacts share this number");
    shown.key_press_modifiers(Modifiers::ALT, Key::Num2);
    shown.run_steps(2);
    shown
        .get_by_label("1 Amelia Hart · Northwind Traders")
        .click();
    shown.run_steps(2);
    shown.get_by_label("Nobody of these").click();
    shown.run_steps(2);
    let told = shown.state_mut().told();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains("Some(Contact(ContactId(2)))"));
    assert!(told[1].contains("Some(Contact(ContactId(1)))"));
    assert!(told[2].ends_with("None)"));
}

#[test]
fn a_weak_match_is_asked_and_never_stated() {
    let weak = vec![candidate(1, "Amelia Hart", MatchLevel::Weak)];
    let shown = desk(with(talking(1, weak)), Rows::default(), |_| {});
    shown.get_by_label("may be Amelia Hart, Northwind Traders");
    shown.get_by_label("Who is it?");
    assert!(shown.query_by_label("Amelia Hart").is_none());
    assert!(shown.query_by_label("Open contact").is_none());
}

#[test]
fn an_unknown_caller_becomes_a_contact_with_the_number_filled_in() {
    let mut call = talking(1, Vec::new());
    call.remote_name = Some("Best Offers".to_owned());
    let mut shown = desk(with(call), Rows::default(), |_| {});
    shown.get_by_label("Create contact…").click();
    shown.run_steps(3);
    assert_eq!(shown.state().state.view, View::Contacts);
    shown.get_by_label("Save").click();
    shown.run_steps(2);
    let sent = shown.state_mut().sent();
    let [Command::SaveContact(row)] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    assert_eq!(row.name, "Best Offers");
    assert_eq!(row.numbers[0].raw, "+14155550134");
    assert_eq!(row.id.0, 0);
}

#[test]
fn an_ended_call_says_why_and_is_called_again_or_done() {
    let mut call = talking(1, known());
    call.stage = CallStage::Ended;
    call.ended = Some(start());
    call.status = "the far end hung up".to_owned();
    call.recording = RecordingView::Done("/tmp/a.wav".to_owned());
    let mut shown = desk(with(call), Rows::default(), |_| {});
    shown.get_by_label("The far end hung up");
    shown.get_by_label("Recorded to /tmp/a.wav");
    shown.get_by_label("Call again").click();
    shown.run_steps(2);
    shown.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    shown.run_steps(2);
    let told = shown.state_mut().told();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains("+14155550134"));
    assert!(told[1].starts_with("WrapUp("));
    assert!(told[2].starts_with("Dismiss("));
}

#[test]
fn a_call_that_was_hung_up_is_ending_and_does_not_stand_in_the_way_of_the_next() {
    let mut call = talking(1, known());
    call.stage = CallStage::Ending;
    call.ended = Some(start());
    call.status = "you hung up".to_owned();
    let mut shown = desk(with(call), Rows::default(), |_| {});
    shown.get_by_label("Ending");
    assert!(shown.query_by_label("Hang up").is_none());
    shown.get_by_label("Call again").click();
    shown.run_steps(2);
    shown
        .state()
        .change(|snapshot| snapshot.calls.push(ringing(2, Vec::new())));
    shown.run_steps(3);
    assert_eq!(shown.state().state.card.shown, Some(call_id(2)));
}

#[test]
fn a_call_that_rings_is_answered_by_button_and_key_but_not_by_space_or_enter() {
    let mut shown = desk(with(ringing(1, known())), Rows::default(), |_| {});
    for key in [Key::Space, Key::Enter] {
        shown.key_press(key);
        shown.run_steps(2);
    }
    assert!(shown.state_mut().sent().is_empty());
    shown.get_by_label("Answer").click();
    shown.run_steps(2);
    let both = Modifiers::COMMAND | Modifiers::SHIFT;
    shown.key_press_modifiers(both, Key::F9);
    shown.run_steps(2);
    shown.key_press_modifiers(both, Key::F10);
    shown.run_steps(2);
    let told = shown.state_mut().told();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with("Answer(") && told[1].starts_with("Answer("));
    assert!(told[2].starts_with("Decline("));
}

#[test]
fn the_keys_that_answer_and_decline_are_those_of_the_settings() {
    let mut snapshot = with(ringing(1, known()));
    snapshot.settings.desktop.answer_key = "Alt+A".parse().unwrap();
    snapshot.settings.desktop.decline_key = "Ctrl+Alt+F12".parse().unwrap();
    let mut shown = desk(snapshot, Rows::default(), |_| {});
    let usual = Modifiers::COMMAND | Modifiers::SHIFT;
    for (held, key) in [
        (usual, Key::F9),
        (Modifiers::ALT, Key::A),
        (Modifiers::COMMAND | Modifiers::ALT, Key::F12),
    ] {
        shown.key_press_modifiers(held, key);
        shown.run_steps(2);
    }
    let told = shown.state_mut().told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("Answer(") && told[1].starts_with("Decline("));
}

#[test]
fn a_second_call_does_not_push_away_the_one_that_is_talked_in() {
    let mut shown = desk(with(talking(1, known())), Rows::default(), |_| {});
    shown
        .state()
        .change(|snapshot| snapshot.calls.push(ringing(2, Vec::new())));
    shown.run_steps(3);
    shown.get_by_label("Hang up");
    shown.get_by_label_contains("· Incoming call").click();
    shown.run_steps(2);
    shown.get_by_label("Answer");
    // An own call is always shown.
    shown.state().change(|snapshot| {
        let mut own = talking(3, Vec::new());
        own.direction = CallDirection::Outbound;
        own.stage = CallStage::Calling;
        own.answered = None;
        snapshot.calls.push(own);
    });
    shown.run_steps(3);
    assert_eq!(shown.state().state.card.shown, Some(call_id(3)));
}

#[test]
fn a_call_that_rings_does_not_take_the_field_that_is_typed_into() {
    let mut over = talking(1, known());
    over.stage = CallStage::Ended;
    let mut shown = desk(with(over), Rows::default(), |_| {});
    shown.get_by_label("Notes").focus();
    shown.run_steps(2);
    shown.get_by_label("Notes").type_text("wants ");
    shown.run_steps(2);
    shown
        .state()
        .change(|snapshot| snapshot.calls.push(ringing(2, Vec::new())));
    shown.run_steps(3);
    shown.get_by_label("Notes").type_text("a quote");
    shown.run_steps(2);
    assert_eq!(
        shown.get_by_label("Notes").value().as_deref(),
        Some("wants a quote")
    );
    assert_eq!(shown.state().state.card.shown, Some(call_id(1)));
}

#[test]
fn a_row_that_is_not_on_disk_says_so() {
    let mut call = talking(1, known());
    call.durable = false;
    let shown = desk(with(call), Rows::default(), |_| {});
    shown.get_by_label("Not yet written to the call log");
}

#[test]
fn what_a_recording_lost_is_told_on_the_card() {
    let mut call = talking(1, known());
    call.recording = RecordingView::On("a.wav".to_owned());
    call.recording_loss = Some("3.2 s are missing in the recording".to_owned());
    let shown = desk(with(call), Rows::default(), |_| {});
    shown.get_by_label("3.2 s are missing in the recording");
}

#[test]
fn a_recording_is_paused_while_payment_data_is_named_and_says_so() {
    for (recording, button, paused) in [
        (
            RecordingView::On("a.wav".to_owned()),
            "Pause the recording",
            true,
        ),
        (
            RecordingView::Paused("a.wav".to_owned()),
            "Go on recording",
            false,
        ),
    ] {
        let mut call = talking(1, known());
        call.recording = recording;
        let mut shown = desk(with(call), Rows::default(), |_| {});
        if !paused {
            shown.get_by_label("REC paused");
            shown.get_by_label_contains("kept nowhere");
        }
        shown.get_by_label(button).click();
        shown.run_steps(2);
        let sent = shown.state_mut().sent();
        assert!(
            matches!(sent.as_slice(), [Command::PauseRecording(_, wanted)] if *wanted == paused),
            "{sent:?}"
        );
        shown.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::R);
        shown.run_steps(2);
        let sent = shown.state_mut().sent();
        assert!(
            matches!(sent.as_slice(), [Command::PauseRecording(_, wanted)] if *wanted == paused),
            "{sent:?}"
        );
    }
    let mut call = talking(1, known());
    call.recording = RecordingView::Announced;
    let mut shown = desk(with(call), Rows::default(), |_| {});
    shown.get_by_label("REC announced");
    shown.get_by_label("Pause the recording");
    shown.get_by_label("Stop recording").click();
    shown.run_steps(2);
    let sent = shown.state_mut().sent();
    assert!(
        matches!(sent.as_slice(), [Command::Record(_, false)]),
        "{sent:?}"
    );
    let mut shown = desk(with(talking(1, known())), Rows::default(), |_| {});
    assert!(shown.query_by_label("Pause the recording").is_none());
    shown.run_steps(1);
}

#[test]
fn the_lock_says_no_more_than_is_true() {
    for (security, label) in [
        (MediaSecurity::Encrypted, Some("Encrypted")),
        (MediaSecurity::KeyVisible, Some("Key visible")),
        (MediaSecurity::Unverified, Some("Not verified")),
        (MediaSecurity::None, None),
    ] {
        let mut call = talking(1, known());
        call.security = security;
        let shown = desk(with(call), Rows::default(), |_| {});
        for word in ["Encrypted", "Key visible"] {
            let there = shown.query_by_label(word).is_some();
            assert_eq!(there, Some(word) == label, "{security:?}: {word}");
        }
    }
}

#[test]
fn two_callers_are_talked_with_together_by_a_click_or_a_key() {
    let both = |joined: bool| {
        let mut calls = [1, 2].map(|number| talking(number, known()));
        calls[1].stage = CallStage::Held;
        for call in &mut calls {
            call.joined = joined;
        }
        let mut snapshot = with(calls[0].clone());
        snapshot.calls.push(calls[1].clone());
        snapshot
    };
    let mut shown = desk(both(false), Rows::default(), |_| {});
    shown.get_by_label_contains("Talk together with").click();
    shown.run_steps(2);
    let sent = shown.state_mut().sent();
    assert!(
        matches!(sent.as_slice(), [Command::Join(a, b)] if a != b),
        "{sent:?}"
    );
    shown.key_press_modifiers(Modifiers::COMMAND, Key::J);
    shown.run_steps(2);
    assert_eq!(shown.state_mut().sent().len(), 1);
    let shown = desk(both(true), Rows::default(), |_| {});
    shown.get_by_label_contains("hear each other");
    assert!(
        shown
            .query_by_label_contains("Talk together with")
            .is_none()
    );
}

/// Some click twice on everything, and what comes in the place of Answer holds, records or hangs up.
#[test]
fn the_second_click_on_answer_does_nothing_to_the_call() {
    let mut shown = desk(with(ringing(1, known())), Rows::default(), |_| {});
    shown.get_by_label("Answer").click();
    shown.run_steps(1);
    shown
        .state()
        .change(|snapshot| snapshot.calls = vec![talking(1, known())]);
    let answered = shown.state().now.mono;
    shown
        .state()
        .change(|snapshot| snapshot.calls[0].answered = Some(answered));
    shown.run_steps(2);
    for name in ["Mute", "Hold", "Record", "Hang up"] {
        shown.get_by_label(name).click();
        shown.run_steps(2);
    }
    assert_eq!(shown.state_mut().told().len(), 1, "only Answer");
    shown.state_mut().pass(Duration::from_millis(500));
    shown.get_by_label("Hold").click();
    shown.run_steps(2);
    assert!(shown.state_mut().told()[0].starts_with("Hold("));
}
