//! The player of recordings in the detail of a call.

use std::time::Duration;

use egui::{Key, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::fixture::*;
use crate::control::{PlayerStage, PlayerView, Snapshot, WaveformView};
use crate::crm::row::{
    CallQuality, CallRow, MatchLevel, QualitySpan, RecordingGap, RecordingGapCause, TimelineEntry,
};
use crate::ui::state::View;

fn recorded(number: u8) -> CallRow {
    CallRow {
        recording: Some("/r/call.wav".to_owned()),
        talking_millis: Some(60_000),
        done: true,
        ..row(number, Some(("Amelia Hart", MatchLevel::Known)))
    }
}

/// A recording of a minute.
fn view(stage: PlayerStage) -> PlayerView {
    let side = |quiet: usize| {
        (0..600)
            .map(|n| if n / 60 % 2 == quiet { 5 } else { 90 })
            .collect::<Vec<u8>>()
    };
    PlayerView {
        call: call_id(1),
        stage,
        at: Duration::from_secs(20),
        length: Duration::from_secs(60),
        speed: 100,
        volume: 80,
        waveform: Some(WaveformView {
            parts: 600,
            near: side(0).into(),
            far: side(1).into(),
        }),
        gaps: Vec::new(),
        note: None,
    }
}

fn with(player: PlayerView) -> Snapshot {
    Snapshot {
        player: Some(player),
        ..registered()
    }
}

fn rows(calls: Vec<CallRow>) -> Rows {
    Rows {
        calls,
        ..Rows::default()
    }
}

/// The detail of a call whose recording shows itself like that.
fn shown(player: PlayerView) -> Harness<'static, Stage> {
    let mut shown = desk(with(player), rows(vec![recorded(1)]), |state| {
        state.view = View::Calls;
        state.detail = Some(call_id(1));
    });
    shown.run();
    shown.state_mut().sent();
    shown
}

fn told(shown: &mut Harness<'static, Stage>) -> Vec<String> {
    shown.run();
    shown.state_mut().told()
}

#[test]
fn an_open_call_asks_for_its_recording_once_and_leaves_it_when_it_closes() {
    let mut shown = desk(
        registered(),
        rows(vec![recorded(1), row(2, None)]),
        |state| {
            state.view = View::Calls;
            state.detail = Some(call_id(1));
        },
    );
    shown.run();
    shown.get_by_label("Looking for the recording…");
    let open = format!("Player(Open {{ call: {:?}, play: false }})", call_id(1));
    assert_eq!(told(&mut shown), [open]);
    shown.state().change(|snapshot| {
        snapshot.player = Some(view(PlayerStage::Paused));
    });
    assert!(told(&mut shown).is_empty());
    // A call without a recording is another reason to leave it.
    shown.state_mut().state.detail = Some(call_id(2));
    shown.step();
    assert!(
        shown
            .state_mut()
            .told()
            .contains(&"Player(Close)".to_owned())
    );
    shown.state().change(|snapshot| snapshot.player = None);
    assert!(told(&mut shown).is_empty());
}

#[test]
fn it_plays_and_pauses_by_its_button_and_by_a_key_from_anywhere() {
    let mut shown = shown(view(PlayerStage::Paused));
    shown.get_by_label("00:20 / 01:00");
    let painted: Vec<String> = texts(&shown).into_iter().map(|it| it.0).collect();
    for side in ["You", "Amelia Hart"] {
        assert!(painted.iter().any(|text| text == side), "{painted:?}");
    }
    shown.get_by_label("Play").click();
    assert_eq!(told(&mut shown), ["Player(Play)"]);
    shown.state().change(|snapshot| {
        snapshot.player = Some(view(PlayerStage::Playing));
    });
    shown.run();
    shown.get_by_label("Pause").click();
    assert_eq!(told(&mut shown), ["Player(Pause)"]);
    shown.key_press_modifiers(egui::Modifiers::COMMAND, Key::P);
    assert_eq!(told(&mut shown), ["Player(Pause)"]);
    shown.get_by_label("Back 5 seconds").click();
    shown.get_by_label("On 5 seconds").click();
    assert_eq!(told(&mut shown), ["Player(Seek(15s))", "Player(Seek(25s))"]);
    shown.get_by_label("Speed 1.5×").click();
    assert_eq!(told(&mut shown), ["Player(Speed(150))"]);
}

#[test]
fn the_time_is_gone_to_by_click_drag_and_keys() {
    let mut shown = shown(view(PlayerStage::Paused));
    let place = shown.get_by_label("Time in the recording").rect();
    let at = |share: f32| egui::pos2(place.left() + share * place.width(), place.center().y);
    shown.drag_at(at(0.25));
    shown.run();
    shown.drop_at(at(0.25));
    assert_eq!(told(&mut shown), ["Player(Seek(15s))"]);
    // While it is dragged the time follows, and is told once.
    shown.drag_at(at(0.25));
    shown.run();
    shown.hover_at(at(0.5));
    shown.run();
    shown.get_by_label("00:30 / 01:00");
    assert!(shown.state_mut().told().is_empty());
    shown.drop_at(at(0.75));
    assert_eq!(told(&mut shown), ["Player(Seek(45s))"]);
    shown.get_by_label("Time in the recording").focus();
    shown.run();
    for (key, wish) in [
        (Key::ArrowLeft, "Seek(15s)"),
        (Key::ArrowRight, "Seek(25s)"),
        (Key::Home, "Seek(0ns)"),
        (Key::End, "Seek(60s)"),
        (Key::ArrowUp, "Volume(90)"),
        (Key::ArrowDown, "Volume(70)"),
        (Key::Comma, "Speed(75)"),
        (Key::Period, "Speed(125)"),
        (Key::Space, "Play"),
    ] {
        shown.key_press(key);
        assert_eq!(told(&mut shown), [format!("Player({wish})")], "{key:?}");
        let slider = shown.get_by_label("Time in the recording");
        assert!(slider.accesskit_node().is_focused(), "{key:?}");
    }
    // Outside of the player the keys are somebody else's.
    shown.get_by_label("Close").focus();
    shown.run();
    for key in [Key::ArrowLeft, Key::Home, Key::Comma] {
        shown.key_press(key);
    }
    assert!(told(&mut shown).is_empty());
}

#[test]
fn gaps_and_lost_sound_are_marked_with_their_reasons_and_lead_there() {
    let gap = |cause, start_millis| RecordingGap {
        cause,
        start_millis,
        length_millis: Some(4_000),
    };
    let span = |at| QualitySpan {
        at,
        seconds: 1,
        lost: 12,
        concealed_ms: 240,
        ..QualitySpan::default()
    };
    let call = CallRow {
        recording_gaps: vec![
            gap(RecordingGapCause::Paused, 10_000),
            gap(RecordingGapCause::DiskBehind, 30_000),
        ],
        recording_start_seconds: Some(2),
        quality: Some(CallQuality::default()),
        ..recorded(1)
    };
    let rows = Rows {
        spans: vec![span(50), span(51)],
        ..rows(vec![call])
    };
    let mut shown = desk(with(view(PlayerStage::Playing)), rows, |state| {
        state.view = View::Calls;
        state.detail = Some(call_id(1));
    });
    shown.run();
    shown.state_mut().sent();
    let slider = shown.get_by_label("Time in the recording");
    assert_eq!(slider.value().as_deref(), Some("00:20 of 01:00, 3 marks"));
    shown.get_by_label("Paused at 00:10 for 00:04");
    shown.get_by_label("Network loss at 00:48 for 00:02");
    // They are told once.
    assert!(shown.query_by_label("Gaps in it").is_none());
    shown.get_by_label("Not kept at 00:30 for 00:04").click();
    assert_eq!(told(&mut shown), ["Player(Seek(30s))"]);
}

#[test]
fn a_recording_at_a_server_is_fetched_when_the_agent_says_so() {
    let host = || "pbx.example".to_owned();
    let remote = |problem: Option<&str>| PlayerStage::Remote {
        host: host(),
        problem: problem.map(str::to_owned),
    };
    let mut shown = shown(view(remote(None)));
    shown.get_by_label_contains("pbx.example keeps this recording");
    shown.get_by_label("Fetch and play").click();
    assert_eq!(told(&mut shown), ["Player(Play)"]);
    shown.state().change(|snapshot| {
        snapshot.player = Some(view(PlayerStage::Fetching {
            host: host(),
            got: 3 << 20,
            whole: Some(12 << 20),
        }));
    });
    shown.run();
    shown.get_by_label("3.0 of 12.0 MB from pbx.example");
    shown.get_by_label("Stop fetching").click();
    shown.step();
    assert_eq!(shown.state_mut().told(), ["Player(Close)"]);
    shown.state().change(|snapshot| {
        snapshot.player = Some(view(remote(Some("pbx.example broke off; try again"))));
    });
    shown.run();
    shown.get_by_label_contains("broke off; try again");
}

#[test]
fn what_is_wrong_is_a_sentence_and_can_be_tried_again() {
    let why = "the recording is not there any more: it was moved or deleted (/r/call.wav)";
    let mut shown = shown(view(PlayerStage::Failed(why.to_owned())));
    shown.get_by_label_contains("The recording is not there any more");
    shown.get_by_label("Try again").click();
    assert_eq!(told(&mut shown), ["Player(Play)"]);
    let noted = PlayerView {
        note: Some("stopped, because a call came".to_owned()),
        ..view(PlayerStage::Paused)
    };
    shown
        .state()
        .change(|snapshot| snapshot.player = Some(noted));
    shown.run();
    shown.get_by_label("Stopped, because a call came");
}

#[test]
fn a_row_of_calls_and_one_of_a_timeline_play_by_a_key() {
    let mut shown = desk(
        registered(),
        rows(vec![recorded(1), row(2, None)]),
        |state| {
            state.view = View::Calls;
            state.calls.filter = crate::crm::row::CallFilter::All;
        },
    );
    shown.run();
    shown
        .get_by_label("Play the recording of Amelia Hart")
        .click();
    let play = format!("Player(Open {{ call: {:?}, play: true }})", call_id(1));
    assert_eq!(told(&mut shown), std::slice::from_ref(&play));
    shown.key_press(Key::Escape);
    shown.run();
    shown.state_mut().sent();
    shown.get_by_label_contains("Amelia Hart, ").focus();
    shown.run();
    shown.key_press_modifiers(egui::Modifiers::COMMAND, Key::P);
    assert_eq!(told(&mut shown), std::slice::from_ref(&play));
    // The row that is open has the keyboard still: what plays is paused.
    shown.state().change(|snapshot| {
        snapshot.player = Some(view(PlayerStage::Playing));
    });
    shown.run();
    shown.key_press_modifiers(egui::Modifiers::COMMAND, Key::P);
    assert_eq!(told(&mut shown), ["Player(Pause)"]);

    let rows = Rows {
        contacts: vec![contact(1, "Amelia Hart")],
        timeline: vec![TimelineEntry::Call(Box::new(recorded(1)))],
        ..rows(vec![recorded(1)])
    };
    let mut shown = desk(registered(), rows, |state| {
        state.view = View::Contacts;
        state.contacts.shown = Some(crate::base::id::ContactId(1));
    });
    shown.run();
    shown.get_by_label_contains(", Missed, ").focus();
    shown.run();
    shown.key_press_modifiers(egui::Modifiers::COMMAND, Key::P);
    assert_eq!(told(&mut shown), [play]);
}

#[test]
fn the_player_fits_the_narrow_pane_in_both_themes() {
    let name = "Maximiliane Freifrau von und zu Hohenstein-Wallenberg";
    for (dark, name) in [(true, name), (false, "محمد عبد الرحمن العلي الخليجي")]
    {
        let call = CallRow {
            contact_name: Some(name.to_owned()),
            ..recorded(1)
        };
        let size = Vec2::new(900.0, 600.0);
        let mut shown = window(
            size,
            dark,
            with(view(PlayerStage::Playing)),
            rows(vec![call]),
            |state| {
                state.view = View::Calls;
                state.detail = Some(call_id(1));
            },
        );
        shown.run();
        let pane = egui::Rect::from_min_max(egui::pos2(580.0, 0.0), egui::pos2(900.0, 600.0));
        for label in [
            "Time in the recording",
            "Pause",
            "On 5 seconds",
            "00:20 / 01:00",
            "Speed 0.75×",
            "Speed 2×",
            "Volume of the recording",
        ] {
            let place = shown.get_by_label(label).rect();
            assert!(pane.contains_rect(place), "{label}: {place:?}");
        }
        let speed = shown.get_by_label("Speed 2×").rect();
        let volume = shown.get_by_label("Volume of the recording").rect();
        assert!(volume.left() > speed.right() && volume.width() > 20.0);
    }
}
