//! The page with a call's SIP messages.

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::fixture::*;
use crate::control::{ExportView, ExportedWhat, Snapshot};
use crate::crm::row::LadderMessage;
use crate::ui::state::{LadderState, View};

fn phone() -> Snapshot {
    Snapshot {
        export_dir: "/home/sam/Downloads".to_owned(),
        ..registered()
    }
}

/// The page of a call with these messages.
fn page(snapshot: Snapshot, messages: Vec<LadderMessage>) -> Harness<'static, Stage> {
    let rows = Rows {
        calls: vec![row(1, None)],
        messages,
        ..Rows::default()
    };
    desk(snapshot, rows, |state| {
        state.view = View::Calls;
        state.detail = Some(call_id(1));
        state.ladder = Some(LadderState::of(call_id(1)));
    })
}

/// What was put on the clipboard in the last frame.
fn copied(shown: &Harness<'_, Stage>) -> String {
    let commands = &shown.output().platform_output.commands;
    let mut texts = commands.iter().filter_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    });
    texts.next_back().unwrap_or_default()
}

#[test]
fn a_call_opens_its_messages_and_closes_them_before_itself() {
    let rows = Rows {
        calls: vec![row(1, None)],
        messages: exchange("Anna"),
        ..Rows::default()
    };
    let mut shown = desk(phone(), rows, |state| {
        state.view = View::Calls;
        state.detail = Some(call_id(1));
    });
    shown.get_by_label("SIP messages").click();
    shown.run();
    shown.get_by_label_contains("5 messages");
    shown.get_by_label("0.000 s, received, INVITE (SDP) sip:sam@192.0.2.17");
    shown.get_by_label("0.012 s, sent, 180 Ringing (INVITE)");
    shown.get_by_label("9.000 s, received, BYE sip:sam@192.0.2.17");
    shown.key_press(egui::Key::Escape);
    shown.run();
    assert!(shown.state().state.ladder.is_none());
    assert!(shown.state().state.detail.is_some());
    shown.get_by_label("SIP messages").click();
    shown.run();
    shown.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Num3);
    shown.run();
    assert!(shown.state().state.ladder.is_none());
}

#[test]
fn a_message_opens_with_its_whole_text_and_is_copied() {
    let mut shown = page(phone(), exchange("Anna"));
    assert!(shown.query_by_label_contains("From: ").is_none());
    shown.get_by_label_contains("180 Ringing").click();
    shown.run();
    shown.get_by_label_contains("From: \"Anna\"");
    shown.get_by_label("Copy this message").click();
    shown.step();
    assert!(copied(&shown).starts_with("SIP/2.0 180 Ringing\r\n"));
    shown.run();
    shown.get_by_label("Copy").click();
    shown.step();
    let copy = copied(&shown);
    assert!(
        copy.contains("|<- INVITE (SDP) sip:sam@192.0.2.17 --"),
        "{copy}"
    );
    assert!(
        copy.contains("CSeq: 1 INVITE") && !copy.contains("CSeq: 1 BYE"),
        "{copy}"
    );
    shown.run();
    shown.get_by_label_contains("180 Ringing (INVITE)").click();
    shown.run();
    assert!(shown.query_by_label_contains("From: ").is_none());
}

#[test]
fn the_messages_are_exported_to_a_file_that_is_proposed_and_told_afterwards() {
    let mut shown = page(phone(), exchange("Anna"));
    shown.get_by_label("Export for Wireshark…").click();
    shown.run();
    shown.get_by_label("Export").click();
    shown.run();
    let told = shown.state_mut().told();
    let file = "/home/sam/Downloads/ringdesk-2025-11-21-145000.pcapng";
    assert_eq!(told, [format!("ExportLadder({:?}, {file:?})", call_id(1))]);
    assert!(shown.query_by_label("Export").is_none());
    for (outcome, words) in [
        (Ok(file.to_owned()), format!("Written to {file}")),
        (
            Err("the disk is full".to_owned()),
            "The disk is full".to_owned(),
        ),
    ] {
        shown.state().change(|snapshot| {
            snapshot.exported = Some(ExportView {
                what: ExportedWhat::Ladder(call_id(1)),
                outcome,
            });
        });
        shown.run();
        shown.get_by_label(&words);
    }
    shown.get_by_label("Export for Wireshark…").click();
    shown.run();
    assert!(shown.query_by_label("The disk is full").is_none());
    shown.get_by_label("Cancel").click();
    shown.run();
    assert!(shown.state_mut().told().is_empty());
}

#[test]
fn a_very_long_ladder_draws_only_what_is_in_sight() {
    let messages = (0..5_000)
        .map(|n| {
            message(
                n * 10,
                n % 2 == 0,
                &format!("OPTIONS sip:{n}@pbx SIP/2.0\r\n\r\n"),
            )
        })
        .collect();
    let mut shown = page(phone(), messages);
    shown.get_by_label_contains("5000 messages");
    let arrows = |shown: &Harness<'_, Stage>| {
        let all = shown.root().children_recursive();
        all.filter(|node| {
            let label = node.accesskit_node().label().unwrap_or_default();
            label.contains("OPTIONS sip:")
        })
        .count()
    };
    assert!((5..60).contains(&arrows(&shown)), "{}", arrows(&shown));
    let first = shown.get_by_label_contains("OPTIONS sip:0@pbx").rect();
    shown.hover_at(first.center());
    shown.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, -1.0e6),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: egui::Modifiers::NONE,
    });
    shown.run_steps(40);
    shown.get_by_label("49.990 s, received, OPTIONS sip:4999@pbx");
    assert!((5..60).contains(&arrows(&shown)), "{}", arrows(&shown));
}

#[test]
fn a_call_without_messages_says_why_and_what_to_do() {
    let shown = page(phone(), Vec::new());
    shown.get_by_label("It is older than the settings keep them, it never reached the network, or the phone was killed before they were written.");
    assert!(shown.query_by_label("Copy").is_none());
    let mut off = phone();
    off.settings.ladder_days = 0;
    let mut shown = page(off, Vec::new());
    shown.get_by_label("Open the settings").click();
    shown.run();
    assert_eq!(shown.state().state.view, View::Settings);
    assert!(shown.state().state.ladder.is_none());
}

#[test]
fn an_unreadable_ladder_says_why() {
    let rows = Rows {
        failing: true,
        ..Rows::default()
    };
    let shown = desk(phone(), rows, |state| {
        state.view = View::Calls;
        state.detail = Some(call_id(1));
        state.ladder = Some(LadderState::of(call_id(1)));
    });
    shown.get_by_label("The call log does not write");
}
