//! Volumes, levels, and the test of the sound devices.

use egui::{Key, Role, Vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::call_card::{known, with};
use super::fixture::{Rows, desk, registered, talking, window};
use crate::control::{
    Command, LatencyView, LevelView, LevelsView, Snapshot, SoundCheck, SoundCheckStage,
    SoundCheckView,
};
use crate::ui::state::View;

fn levels() -> LevelsView {
    LevelsView {
        microphone: LevelView {
            peak: -12,
            mean: -21,
        },
        speaker: LevelView {
            peak: -60,
            mean: -60,
        },
    }
}

fn tested(check: SoundCheckView) -> Snapshot {
    Snapshot {
        sound_check: check,
        ..registered()
    }
}

fn value_of(shown: &egui_kittest::Harness<'_, super::fixture::Stage>, name: &str) -> String {
    let node = shown.get_by_role_and_label(Role::Meter, name);
    node.accesskit_node().value().unwrap_or_default()
}

#[test]
fn the_sound_is_tested_from_the_settings() {
    let mut shown = desk(registered(), Rows::default(), |state| {
        state.view = View::Settings;
    });
    assert!(
        shown
            .query_by_role_and_label(Role::Meter, "Microphone level")
            .is_none()
    );
    shown.get_by_label("Test the sound…").click();
    shown.run_steps(2);
    let sent = shown.state_mut().sent();
    assert!(
        matches!(
            sent.as_slice(),
            [Command::CheckSound(Some(SoundCheck::Listen))]
        ),
        "{sent:?}"
    );
    let check = SoundCheckView {
        on: true,
        levels: Some(levels()),
        ..SoundCheckView::default()
    };
    for (button, expected) in [
        ("Record and play back", Some(SoundCheck::Record)),
        ("Measure the delay", Some(SoundCheck::Latency)),
        ("Ring", Some(SoundCheck::Ring)),
        ("End the test", None),
    ] {
        let mut shown = desk(tested(check), Rows::default(), |state| {
            state.view = View::Settings;
        });
        assert_eq!(value_of(&shown, "Microphone level"), "−12 dB of full scale");
        assert_eq!(value_of(&shown, "Speaker level"), "silent");
        shown.get_by_role_and_label(Role::Button, button).click();
        shown.run_steps(2);
        let sent = shown.state_mut().sent();
        assert!(
            matches!(sent.as_slice(), [Command::CheckSound(test)] if *test == expected),
            "{button}: {sent:?}"
        );
        assert!(shown.unnamed_widgets().is_empty());
    }
}

#[test]
fn a_test_says_what_it_does_and_what_it_found() {
    let on = SoundCheckView {
        on: true,
        ..SoundCheckView::default()
    };
    for (check, words) in [
        (
            SoundCheckView {
                stage: Some(SoundCheckStage::Recording),
                ..on
            },
            "speak for three seconds",
        ),
        (
            SoundCheckView {
                no_microphone: true,
                ..on
            },
            "There is no microphone",
        ),
        (
            SoundCheckView {
                latency: Some(LatencyView::Heard(58)),
                ..on
            },
            "58 ms",
        ),
        (
            SoundCheckView {
                latency: Some(LatencyView::Heard(246)),
                ..on
            },
            "That is much",
        ),
        (
            SoundCheckView {
                latency: Some(LatencyView::NotHeard),
                ..on
            },
            "does not hear the speaker",
        ),
    ] {
        let mut shown = desk(tested(check), Rows::default(), |state| {
            state.view = View::Settings;
        });
        shown.get_by_label_contains(words);
        // While one runs no other begins, but it can be ended.
        shown.get_by_role_and_label(Role::Button, "Ring").click();
        shown.run_steps(2);
        let begun = shown.state_mut().sent().len();
        assert_eq!(begun, usize::from(check.stage.is_none()));
    }
}

#[test]
fn nobody_leaves_the_microphone_open_by_going_elsewhere() {
    let check = SoundCheckView {
        on: true,
        ..SoundCheckView::default()
    };
    let mut shown = desk(tested(check), Rows::default(), |state| {
        state.view = View::Calls;
    });
    let sent = shown.state_mut().sent();
    assert!(
        matches!(sent.first(), Some(Command::CheckSound(None))),
        "{sent:?}"
    );
}

#[test]
fn a_volume_is_kept_in_the_settings() {
    let mut shown = desk(registered(), Rows::default(), |state| {
        state.view = View::Settings;
    });
    for (name, of) in [
        ("Volume of the microphone", 0),
        ("Volume of the speaker", 1),
        ("Volume of the ring tone", 2),
    ] {
        shown.get_by_role_and_label(Role::Slider, name).focus();
        shown.run_steps(2);
        shown.key_press(Key::ArrowLeft);
        shown.run_steps(2);
        let sent = shown.state_mut().sent();
        let [Command::SaveSettings(settings)] = sent.as_slice() else {
            panic!("{name}: {sent:?}");
        };
        let mut expected = [100; 3];
        expected[of] = 95;
        let volumes = [
            settings.microphone_volume,
            settings.speaker_volume,
            settings.ringer_volume,
        ];
        assert_eq!(volumes, expected, "{name}");
    }
}

#[test]
fn a_call_shows_both_levels_and_no_microphone_while_it_is_muted() {
    for (muted, expected) in [(false, "−12 dB of full scale"), (true, "unknown")] {
        let mut call = talking(1, known());
        call.muted = muted;
        let snapshot = Snapshot {
            sound_check: SoundCheckView {
                levels: Some(levels()),
                ..SoundCheckView::default()
            },
            ..with(call)
        };
        for size in [Vec2::new(900.0, 600.0), Vec2::new(1440.0, 900.0)] {
            let shown = window(size, muted, snapshot.clone(), Rows::default(), |_| {});
            assert_eq!(value_of(&shown, "Microphone level"), expected);
            assert_eq!(value_of(&shown, "Speaker level"), "silent");
        }
        let shown = desk(snapshot, Rows::default(), |state| {
            state.view = View::Settings;
        });
        shown.get_by_label_contains("A call has the sound devices");
        assert!(shown.query_by_label("Test the sound…").is_none());
    }
}

#[test]
fn an_announcement_that_cannot_be_played_is_told_where_it_is_chosen() {
    let mut snapshot = registered();
    snapshot.settings.recording_announcement = "/tmp/none.wav".to_owned();
    snapshot.devices.announcement_problem = Some("no call is recorded: it is gone".to_owned());
    let shown = desk(snapshot, Rows::default(), |state| {
        state.view = View::Settings;
    });
    shown.get_by_label("Announcement before a recording");
    shown.get_by_label_contains("o call is recorded: it is gone");
}

#[test]
fn the_settings_leave_the_card_of_a_call_its_place() {
    let size = Vec2::new(900.0, 600.0);
    let mut shown = window(
        size,
        false,
        with(talking(1, known())),
        Rows::default(),
        |state| {
            state.view = View::Settings;
        },
    );
    shown.run_steps(2);
    let card = shown.get_by_label("Mute").rect().left();
    let widest = shown.get_by_label_contains("A change is heard at once");
    assert!(widest.rect().right() < card, "{:?} {card}", widest.rect());
}
