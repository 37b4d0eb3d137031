//! What is said to who does not see the window, and what moves for nobody.

use egui::accesskit::Live;
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT as _;

use super::call_card::{known, with};
use super::fixture::*;
use crate::control::{CallStage, Registration};

/// The live regions, and how urgently each is said.
fn announced(shown: &Harness<'_, Stage>) -> Vec<(String, Live)> {
    let nodes = shown.root().children_recursive();
    let live = nodes.filter_map(|node| {
        let node = node.accesskit_node();
        let own = node.data().live()?;
        Some((node.label()?, own))
    });
    live.collect()
}

#[test]
fn who_calls_is_said_at_once_and_how_the_call_stands_in_its_turn() {
    let mut shown = desk(with(ringing(1, known())), Rows::default(), |_| {});
    let said = announced(&shown);
    let rings = "Incoming call: Amelia Hart, Northwind Traders";
    assert!(
        said.contains(&(rings.to_owned(), Live::Assertive)),
        "{said:?}"
    );
    for (stage, words) in [
        (CallStage::Talking, "In call: Amelia Hart"),
        (CallStage::Held, "On hold: Amelia Hart"),
        (CallStage::Ended, "Ended: Amelia Hart"),
    ] {
        shown.state().change(|snapshot| {
            snapshot.calls[0].stage = stage;
            snapshot.calls[0].answered = Some(start());
        });
        shown.run_steps(2);
        let said = announced(&shown);
        assert!(said.contains(&(words.to_owned(), Live::Polite)), "{said:?}");
    }
}

#[test]
fn that_calls_do_not_come_any_more_is_said_once_and_not_each_second() {
    let mut shown = desk(registered(), Rows::default(), |_| {});
    assert!(announced(&shown).contains(&("Ready".to_owned(), Live::Polite)));
    shown.state().change(|snapshot| {
        snapshot.accounts[0].registration = Registration::Failed {
            reason: "the registrar cannot be reached".to_owned(),
            retry_at: Some(start() + std::time::Duration::from_secs(30)),
        };
    });
    shown.run_steps(2);
    let lost = announced(&shown);
    assert!(
        lost.contains(&("Not registered".to_owned(), Live::Polite)),
        "{lost:?}"
    );
    shown.state_mut().pass(std::time::Duration::from_secs(5));
    shown.run_steps(2);
    assert_eq!(announced(&shown), lost);
}
