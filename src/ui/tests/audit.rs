//! What is wrong with a picture of the window: for who sees it, who hears it, and who has no mouse.
//!
//! * What is heard: each control has a role and a name, and no text is a glyph of the icon font.
//! * What is seen: no two texts or controls lie on each other, none is cut off, and texts differ enough
//!   from what they are painted on.
//! * What is reached: Tab comes to each control in the order in which it is read, brings it into sight,
//!   and a ring shows where it is.

use std::collections::{BTreeMap, BTreeSet};

use egui::{Color32, Id, Rect, Role, Shape, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT as _;

use super::fixture::Stage;
use crate::ui::display_text::is_right_to_left;
use crate::ui::theme::Theme;
use crate::ui::theme::contrast::{blend, contrast};

/// Texts that touch by less than this, in points, do not lie on each other.
const TOUCH: f32 = 1.0;
/// WCAG 2.1, 1.4.3: of texts.
const TEXT_CONTRAST: f64 = 4.5;
/// WCAG 2.1, 1.4.11: of icons.
const ICON_CONTRAST: f64 = 3.0;
/// More steps than any window has.
const MOST_STEPS: usize = 600;

/// Something to press or to type in.
#[derive(Debug, Clone)]
struct Control {
    id: Id,
    role: Option<Role>,
    name: String,
    /// All of it, and what is seen of it.
    place: Rect,
    seen: Rect,
    layer: egui::LayerId,
}

/// A text as it is painted.
#[derive(Debug)]
struct Painted {
    words: String,
    /// Around its letters.
    ink: Rect,
    clip: Rect,
    /// Its place among all that is painted.
    order: usize,
    colours: Vec<Color32>,
    /// Whether it ends before its end.
    shortened: bool,
}

impl Painted {
    fn is_icon(&self) -> bool {
        self.words.chars().all(is_private)
    }

    fn seen(&self) -> Rect {
        self.ink.intersect(self.clip)
    }
}

/// Something that is filled with a colour.
struct Fill {
    place: Rect,
    round: bool,
    colour: Color32,
    order: usize,
}

impl Fill {
    fn covers(&self, point: egui::Pos2) -> bool {
        if self.round {
            self.place.center().distance(point) <= self.place.width() / 2.0
        } else {
            self.place.contains(point)
        }
    }
}

fn is_private(letter: char) -> bool {
    matches!(letter, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

/// All that is painted, in its order, with the shapes inside of others taken out of them.
fn painted<'h>(shown: &'h Harness<'_, Stage>) -> Vec<(Rect, &'h Shape)> {
    fn gather<'s>(clip: Rect, shape: &'s Shape, all: &mut Vec<(Rect, &'s Shape)>) {
        match shape {
            Shape::Vec(inner) => inner.iter().for_each(|shape| gather(clip, shape, all)),
            shape => all.push((clip, shape)),
        }
    }
    let mut all = Vec::new();
    for clipped in &shown.output().shapes {
        gather(clipped.clip_rect, &clipped.shape, &mut all);
    }
    all
}

fn texts_and_fills(shown: &Harness<'_, Stage>) -> (Vec<Painted>, Vec<Fill>) {
    let (mut texts, mut fills) = (Vec::new(), Vec::new());
    for (order, (clip, shape)) in painted(shown).into_iter().enumerate() {
        match shape {
            Shape::Text(text) => {
                let rows = text.galley.rows.iter();
                let words: String = rows
                    .flat_map(|row| row.glyphs.iter().map(|glyph| glyph.chr))
                    .collect();
                if words.trim().is_empty() || text.opacity_factor < 0.99 {
                    continue;
                }
                let ink = text.galley.mesh_bounds.translate(text.pos.to_vec2());
                let colour_of = |section: &egui::text::LayoutSection| {
                    let own = section.format.color;
                    let own = if own == Color32::PLACEHOLDER {
                        text.fallback_color
                    } else {
                        own
                    };
                    text.override_text_color.unwrap_or(own)
                };
                let mut colours: Vec<Color32> =
                    text.galley.job.sections.iter().map(colour_of).collect();
                colours.dedup();
                // One that is read from right to left is shortened before it is laid out, and what the
                // pseudo-locale begins it must end.
                let turned = words.contains('…') && words.chars().any(is_right_to_left);
                let open = words.matches('«').count() != words.matches('»').count();
                texts.push(Painted {
                    shortened: text.galley.elided || turned || open,
                    words,
                    ink,
                    clip,
                    order,
                    colours,
                });
            }
            Shape::Rect(rect) if rect.fill.a() > 0 => fills.push(Fill {
                place: rect.rect.intersect(clip),
                round: false,
                colour: rect.fill,
                order,
            }),
            Shape::Circle(circle) if circle.fill.a() > 0 => fills.push(Fill {
                place: Rect::from_center_size(circle.center, Vec2::splat(2.0 * circle.radius)),
                round: true,
                colour: circle.fill,
                order,
            }),
            _ => {}
        }
    }
    (texts, fills)
}

/// Where something lies over the window: questions, menus, what can be taken back.
fn overlays(shown: &Harness<'_, Stage>) -> Vec<Rect> {
    shown.ctx.memory(|memory| {
        let layers = memory.areas().visible_layer_ids();
        let above = layers
            .into_iter()
            .filter(|layer| layer.order != egui::Order::Background);
        above
            .filter_map(|layer| memory.area_rect(layer.id))
            .collect()
    })
}

/// Everything that takes the keyboard, in the order in which it was added.
fn controls(shown: &Harness<'_, Stage>) -> Vec<Control> {
    let nodes: BTreeMap<u64, _> = shown
        .root()
        .children_recursive()
        .map(|node| node.accesskit_node())
        .map(|node| (node.locate().0.0, node))
        .collect();
    shown.ctx.viewport(|viewport| {
        let mut all = Vec::new();
        for (layer, widgets) in viewport.prev_pass.widgets.layers() {
            for widget in widgets {
                let takes = widget.enabled && widget.visible && widget.sense.is_focusable();
                if !takes {
                    continue;
                }
                let node = nodes.get(&widget.id.accesskit_id().0);
                all.push(Control {
                    id: widget.id,
                    role: node.map(|node| node.role()),
                    name: node.and_then(|node| node.label()).unwrap_or_default(),
                    place: widget.rect,
                    seen: widget.interact_rect,
                    layer: *layer,
                });
            }
        }
        all
    })
}

fn overlap(one: Rect, other: Rect) -> bool {
    let both = one.intersect(other);
    both.width() > TOUCH && both.height() > TOUCH
}

fn inside(inner: Rect, outer: Rect) -> bool {
    outer.expand(TOUCH).contains_rect(inner)
}

/// What is wrong with what stands there, whatever has the keyboard.
pub(super) fn faults(shown: &Harness<'_, Stage>, size: Vec2) -> Vec<String> {
    let mut faults = unheard(shown);
    faults.extend(unseen(shown, size));
    faults
}

/// What a screen reader cannot say.
fn unheard(shown: &Harness<'_, Stage>) -> Vec<String> {
    let mut faults = Vec::new();
    for node in shown.root().children_recursive() {
        let node = node.accesskit_node();
        let said = [node.label(), node.value(), node.description()];
        if let Some(said) = said.iter().flatten().find(|said| said.contains(is_private)) {
            faults.push(format!("a glyph is read out as {said:?}"));
        }
    }
    for control in controls(shown) {
        let named = !control.name.trim().is_empty();
        match control.role {
            None | Some(Role::Unknown | Role::GenericContainer | Role::ScrollView) => {
                faults.push(format!("no role: {} at {:?}", control.name, control.place));
            }
            Some(role) if !named => {
                faults.push(format!("no name: a {role:?} at {:?}", control.place));
            }
            Some(_) => {}
        }
    }
    faults
}

/// What lies on something else, is cut off, or is too faint.
fn unseen(shown: &Harness<'_, Stage>, size: Vec2) -> Vec<String> {
    let window = Rect::from_min_size(egui::Pos2::ZERO, size);
    let overlays = overlays(shown);
    let (texts, fills) = texts_and_fills(shown);
    let controls = controls(shown);
    let told = told(shown);
    let mut faults = Vec::new();
    let mut seen: Vec<&Painted> = Vec::new();
    for text in &texts {
        let place = text.seen();
        if !(place.width() > TOUCH && place.height() > TOUCH) {
            let lost = !window.contains_rect(text.ink) && text.clip.bottom() >= window.bottom();
            if lost && text.ink.top() < text.clip.bottom() + 400.0 {
                faults.push(format!("outside of the window: {:?}", text.words));
            }
            continue;
        }
        let over = fills.iter().filter(|fill| fill.order > text.order);
        let hiding = |fill: &&Fill| {
            fill.covers(place.center()) && (fill.colour.a() > 200 || inside(window, fill.place))
        };
        if over.clone().any(|fill| hiding(&fill)) {
            continue;
        }
        let mut partly = over.filter(|fill| fill.colour.a() > 200 && overlap(fill.place, place));
        // A count lies on the corner of its icon.
        if let Some(fill) = partly.next().filter(|_| !text.is_icon()) {
            if !overlays.iter().any(|area| overlap(*area, place)) {
                faults.push(format!("{:?} is covered at {:?}", text.words, fill.place));
            }
            continue;
        }
        seen.push(text);
        faults.extend(cut(text, window, &controls));
        faults.extend(lost(text, &told));
        faults.extend(faint(text, &fills, shown));
    }
    for (place, text) in seen.iter().enumerate() {
        for other in seen.iter().skip(place + 1) {
            if overlap(text.seen(), other.seen()) {
                let (one, other) = (&text.words, &other.words);
                faults.push(format!("{one:?} and {other:?} lie on each other"));
            }
        }
    }
    faults.extend(crowded(&seen, &controls, &overlays));
    faults
}

/// What is wrong with where the controls are.
fn crowded(texts: &[&Painted], controls: &[Control], overlays: &[Rect]) -> Vec<String> {
    let mut faults = Vec::new();
    let there = |control: &&Control| control.seen.is_positive();
    for (number, control) in controls.iter().enumerate().filter(|(_, c)| there(c)) {
        let name = &control.name;
        let cut = control.seen.width() < control.place.width() - TOUCH;
        if cut && !is_typed_in(control.role) {
            faults.push(format!("the control {name:?} is cut at its side"));
        }
        for other in controls.iter().skip(number + 1).filter(there) {
            let apart = control.layer != other.layer
                || !overlap(control.seen, other.seen)
                || inside(other.seen, control.seen)
                || inside(control.seen, other.seen);
            if !apart {
                let other = &other.name;
                faults.push(format!(
                    "the controls {name:?} and {other:?} lie on each other"
                ));
            }
        }
        for text in texts {
            let seen = text.seen();
            let beside = overlays.iter().any(|area| overlap(*area, seen));
            if !beside && overlap(seen, control.seen.shrink(2.0)) && !inside(seen, control.place) {
                faults.push(format!(
                    "{:?} lies half on the control {name:?}",
                    text.words
                ));
            }
        }
    }
    faults
}

fn is_typed_in(role: Option<Role>) -> bool {
    matches!(
        role,
        Some(Role::TextInput | Role::MultilineTextInput | Role::PasswordInput | Role::SearchInput)
    )
}

/// Whether a text that is seen is cut at a side, or below where nothing scrolls.
fn cut(text: &Painted, window: Rect, controls: &[Control]) -> Option<String> {
    let words = &text.words;
    let typed = controls
        .iter()
        .filter(|control| is_typed_in(control.role))
        .any(|control| control.place.expand(4.0).contains(text.seen().center()));
    let aside = text.ink.left() < text.clip.left() - TOUCH
        || text.ink.right() > text.clip.right().min(window.right()) + TOUCH;
    if aside && !typed {
        return Some(format!("{words:?} is cut at its side"));
    }
    let below =
        text.ink.bottom() > window.bottom() + TOUCH && text.clip.bottom() >= window.bottom();
    if below && !typed {
        return Some(format!("{words:?} is cut below"));
    }
    None
}

/// Whether a text is shortened of which nobody is told the whole: the tree has it, or a field, whose owner
/// sees what follows by typing.
fn lost(text: &Painted, told: &[String]) -> Option<String> {
    if !text.shortened {
        return None;
    }
    let words = &text.words;
    // A text that is read from right to left is ordered for display, and here perhaps letter by letter: its
    // words are looked for one by one.
    let kept: Vec<[String; 2]> = words
        .split(|letter: char| letter.is_whitespace() || letter == '…')
        .map(|word| word.trim_matches(|letter: char| !letter.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .map(|word| [word.to_owned(), word.chars().rev().collect()])
        .collect();
    let has = |node: &str, word: &[String; 2]| word.iter().any(|word| node.contains(word));
    let tells = |node: &str| kept.iter().all(|word| has(node, word));
    let found = told.iter().any(|node| tells(node));
    (!found).then(|| format!("{words:?} is shortened, and nothing tells the whole"))
}

/// Everything that the tree says.
fn told(shown: &Harness<'_, Stage>) -> Vec<String> {
    let nodes = shown.root().children_recursive();
    let said = nodes.map(|node| {
        let node = node.accesskit_node();
        let parts = [
            node.label(),
            node.value(),
            node.description(),
            node.placeholder().map(str::to_owned),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    said.collect()
}

/// Whether a text differs too little from what it is painted on.
fn faint(text: &Painted, fills: &[Fill], shown: &Harness<'_, Stage>) -> Option<String> {
    let theme = Theme::by(shown.ctx.theme() == egui::Theme::Dark);
    let centre = text.seen().center();
    let below = fills
        .iter()
        .filter(|fill| fill.order < text.order && fill.covers(centre));
    let ground = below.fold(theme.colours.window, |ground, fill| {
        blend(fill.colour, ground)
    });
    let least = if text.is_icon() {
        ICON_CONTRAST
    } else {
        TEXT_CONTRAST
    };
    let worst = text
        .colours
        .iter()
        .map(|colour| contrast(blend(*colour, ground), ground))
        .fold(f64::INFINITY, f64::min);
    (worst < least).then(|| {
        let (words, colours) = (&text.words, &text.colours);
        format!("{words:?} has a contrast of {worst:.2}: {colours:?} on {ground:?}")
    })
}

/// What is wrong with going through the window by Tab.
pub(super) fn tab_faults(shown: &mut Harness<'_, Stage>) -> Vec<String> {
    let mut faults = BTreeSet::new();
    let question = asks(shown);
    let mut waiting: BTreeMap<u64, Control> = BTreeMap::new();
    let mut went: Vec<Id> = Vec::new();
    for _ in 0..MOST_STEPS {
        let before = focused(shown);
        shown.key_press(egui::Key::Tab);
        shown.run_steps(3);
        let Some(now) = focused(shown) else {
            // Behind the last one it begins anew.
            if before.is_none() {
                faults.insert("Tab goes nowhere".to_owned());
                break;
            }
            continue;
        };
        let all = controls(shown);
        for control in &all {
            let beneath = question && control.layer.order == egui::Order::Background;
            if !beneath && !went.contains(&control.id) {
                waiting
                    .entry(control.id.value())
                    .or_insert_with(|| control.clone());
            }
        }
        waiting.remove(&now.value());
        if went.contains(&now) {
            break;
        }
        let Some(control) = all.iter().find(|control| control.id == now) else {
            faults.insert(format!("what has the keyboard is not there: {now:?}"));
            continue;
        };
        let last = went.last();
        let last = last.and_then(|id| all.iter().find(|it| it.id == *id));
        faults.extend(
            last.filter(|last| last.layer == control.layer)
                .and_then(|last| backwards(last, control)),
        );
        went.push(now);
        let hidden = control.seen.height() < control.place.height().min(60.0) - TOUCH;
        if hidden {
            faults.insert(format!("{:?} has the keyboard out of sight", control.name));
        } else if !ringed(shown, control) {
            faults.insert(format!(
                "nothing shows that {:?} has the keyboard",
                control.name
            ));
        }
    }
    // Of a list without end only the rows in sight exist.
    for control in waiting
        .values()
        .filter(|control| control.seen.is_positive())
    {
        faults.insert(format!("Tab does not reach {:?}", control.name));
    }
    faults.into_iter().collect()
}

/// Whether a question shades the window, which is asked before anything else.
fn asks(shown: &Harness<'_, Stage>) -> bool {
    let window = shown.ctx.content_rect();
    let (_, fills) = texts_and_fills(shown);
    let shade = |fill: &Fill| fill.colour.a() < 200 && inside(window, fill.place);
    fills.iter().any(shade)
}

fn focused(shown: &Harness<'_, Stage>) -> Option<Id> {
    shown.ctx.memory(|memory| memory.focused())
}

/// Whether the second is read before the first.
fn backwards(first: &Control, second: &Control) -> Option<String> {
    let (one, other) = (first.place, second.place);
    let in_column = one.x_range().intersection(other.x_range()).span() > TOUCH;
    let rows = one.y_range().intersection(other.y_range()).span();
    let in_row = rows > 0.6 * one.height().min(other.height());
    let up = in_column && other.bottom() <= one.top() + TOUCH;
    let left = in_row && other.right() <= one.left() + TOUCH;
    // From the end of one part of the window to the beginning of the next.
    let near = one.left() - other.right() < 200.0;
    ((up && other.top() > one.top() - 400.0) || (left && near))
        .then(|| format!("Tab goes back from {:?} to {:?}", first.name, second.name))
}

/// Whether a line around the control, in the colour of focus, is painted.
fn ringed(shown: &Harness<'_, Stage>, control: &Control) -> bool {
    let theme = Theme::by(shown.ctx.theme() == egui::Theme::Dark);
    let colour = theme.focus().color;
    let around = control.place.expand(6.0);
    painted(shown).into_iter().any(|(_, shape)| match shape {
        Shape::Rect(rect) => {
            let ring = rect.rect;
            // A slider's goes around its figure, too.
            let along = ring.contains(control.place.center())
                && around.y_range().contains(ring.top())
                && around.y_range().contains(ring.bottom());
            rect.stroke.color == colour
                && rect.stroke.width >= 1.0
                && (along || around.contains_rect(ring))
        }
        Shape::Circle(circle) => circle.stroke.color == colour && around.contains(circle.center),
        _ => false,
    })
}
