//! Every view and state at every size, looked at, read out and gone through by the keyboard.

use std::collections::BTreeMap;

use egui::Vec2;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::audit::{faults, tab_faults};
use super::fixture::*;
use super::scenes::{Scene, Stock, cards, details, popups, undo, views};

/// The smallest size in points that is promised, and a usual one.
const SMALL: Vec2 = Vec2::new(900.0, 600.0);
const USUAL: Vec2 = Vec2::new(1280.0, 800.0);
/// A large screen, in pixels.
const LARGE: Vec2 = Vec2::new(3840.0, 2160.0);
/// Pixels to a point.
const SCALES: [f32; 3] = [1.0, 1.5, 2.0];

/// What is wrong, and where.
#[derive(Default)]
struct Findings(BTreeMap<String, Vec<String>>);

impl Findings {
    fn add(&mut self, scene: &str, size: Vec2, scale: f32, faults: Vec<String>) {
        for fault in faults {
            let place = format!("{scene} at {}x{} × {scale}", size.x, size.y);
            self.0.entry(fault).or_default().push(place);
        }
    }

    fn none(self) {
        let told: Vec<String> = self
            .0
            .iter()
            .map(|(fault, places)| format!("{fault}: {} times, first {}", places.len(), places[0]))
            .collect();
        assert!(
            told.is_empty(),
            "{} faults:\n{}",
            told.len(),
            told.join("\n")
        );
    }
}

fn open(scene: &Scene, scale: f32, size: Vec2, dark: bool) -> Harness<'static, Stage> {
    let mut rows = scene.stock.rows();
    if scene.name.starts_with("Contacts, Full") {
        undo(&mut rows);
    }
    window_at(scale, size, dark, scene.snapshot.clone(), rows, |state| {
        (scene.prepare)(state);
    })
}

/// Each at all sizes, in turns dark and light, and both at one size.
fn look_at(scenes: Vec<Scene>) {
    let mut findings = Findings::default();
    for (number, scene) in scenes.into_iter().enumerate() {
        let dark = number % 2 == 0;
        let mut look = |scale: f32, dark: bool, sizes: &[Vec2]| {
            let mut shown = open(&scene, scale, sizes[0], dark);
            for size in sizes {
                shown.set_size(*size);
                shown.run_steps(3);
                findings.add(&scene.name, *size, scale, faults(&shown, *size));
            }
        };
        for scale in SCALES {
            look(scale, dark, &[SMALL, USUAL, LARGE / scale]);
        }
        look(1.0, !dark, &[USUAL]);
    }
    findings.none();
}

#[test]
fn nothing_overlaps_or_is_cut_or_faint_or_nameless_in_any_view() {
    look_at(views());
}

#[test]
fn nothing_overlaps_or_is_cut_or_faint_or_nameless_in_any_record_form_or_question() {
    look_at(details());
}

#[test]
fn nothing_overlaps_or_is_cut_or_faint_or_nameless_on_any_call_card() {
    look_at(cards());
}

#[test]
fn nothing_overlaps_or_is_cut_or_faint_or_nameless_in_any_pop_up() {
    let mut findings = Findings::default();
    for (name, snapshot) in popups() {
        let size = crate::ui::popup::popup_size(&snapshot);
        for dark in [true, false] {
            for scale in [1.0, 1.5, 2.0] {
                let shown = pop_up_at(scale, snapshot.clone(), dark);
                findings.add(&name, size, scale, faults(&shown, size));
            }
        }
    }
    findings.none();
}

#[test]
fn tab_goes_through_every_scene_in_reading_order_and_shows_where_it_is() {
    let mut findings = Findings::default();
    let walked = |scene: &Scene| matches!(scene.stock, Stock::Full | Stock::Empty);
    let scenes = views().into_iter().chain(details()).chain(cards());
    for scene in scenes.filter(walked) {
        for size in [SMALL, USUAL] {
            let mut shown = open(&scene, 1.0, size, true);
            findings.add(&scene.name, size, 1.0, tab_faults(&mut shown));
        }
    }
    findings.none();
}

/// A screen reader says the shortcut with the button.
#[test]
fn every_action_of_a_call_has_a_shortcut_that_is_told() {
    let told = |shown: &Harness<'_, Stage>, name: &str| {
        let node = shown.get_by_label(name);
        node.accesskit_node()
            .data()
            .keyboard_shortcut()
            .map(str::to_owned)
            .unwrap_or_else(|| panic!("{name} tells no shortcut"))
    };
    let card = |name: &str| {
        let scene = cards().into_iter().find(|scene| scene.name == name);
        open(&scene.unwrap(), 1.0, USUAL, true)
    };
    let talking = card("talking, Full");
    for (name, keys) in [
        (crate::ui::text::MUTE, "Ctrl+M"),
        (crate::ui::text::HOLD, "Ctrl+H"),
        (crate::ui::text::KEYPAD, "Ctrl+D"),
        (crate::ui::text::RECORD, "Ctrl+R"),
        (crate::ui::text::TRANSFER, "Ctrl+T"),
        (crate::ui::text::HANG_UP, "Ctrl+E"),
    ] {
        assert_eq!(told(&talking, name), keys);
    }
    let held = card("held, Full");
    assert_eq!(
        told(&held, crate::ui::text::RESUME_RECORDING),
        "Ctrl+Shift+R"
    );
    let rings = card("rings, Full");
    assert_eq!(told(&rings, crate::ui::text::ANSWER), "Ctrl+Shift+F9");
    assert_eq!(told(&rings, crate::ui::text::DECLINE), "Ctrl+Shift+F10");
}
