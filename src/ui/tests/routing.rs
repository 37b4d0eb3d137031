//! The settings of agents, queues, holidays, call types and the block list.

use egui::Vec2;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::fixture::*;
use super::people::changes;
use crate::base::id::{AgentId, BlockId, CallTypeId, QueueId};
use crate::control::{Command, RecordChange};
use crate::crm::row::{
    AgentRow, BlockKind, BlockedRow, CallTypeRow, HolidayRow, PopupDecision, QueueRow,
    RoutingChange, RoutingTables, Slot, TimeSlot,
};
use crate::ui::routing_state::{BlockForm, SettingsTab};
use crate::ui::state::{View, ViewState};

pub(super) fn tables(name: &str) -> RoutingTables {
    let slots = Slot::parse("sat,sun 22:00-06:00").unwrap();
    RoutingTables {
        agents: vec![AgentRow {
            id: AgentId(1),
            name: name.to_owned(),
            login: String::new(),
            active: true,
            panel: false,
            numbers: vec!["201".to_owned()],
            groups: vec!["Night".to_owned()],
        }],
        queues: vec![QueueRow {
            id: QueueId(4),
            name: name.to_owned(),
            medium: String::new(),
            zone: "Europe/Berlin".to_owned(),
            numbers: vec!["030 12345*".to_owned()],
            slots: slots
                .into_iter()
                .map(|slot| TimeSlot {
                    slot,
                    group: "Night".to_owned(),
                })
                .collect(),
            pause_code: "*45".to_owned(),
            unpause_code: String::new(),
            script: String::new(),
            page: String::new(),
        }],
        holidays: vec![HolidayRow {
            date: "2026-12-25".parse().unwrap(),
            queue: None,
            name: name.to_owned(),
        }],
        blocked: vec![BlockedRow {
            id: BlockId(9),
            kind: BlockKind::Prefix,
            number: "+4990".to_owned(),
            status: 603,
            note: name.to_owned(),
            since: "2025-11-01T08:00:00Z".parse().unwrap(),
            hits: 3,
            last_hit: Some("2025-11-21T14:58:00Z".parse().unwrap()),
        }],
    }
}

fn rows(name: &str) -> Rows {
    let kind = |id, name: &str, active| CallTypeRow {
        id: CallTypeId(id),
        name: name.to_owned(),
        active,
        place: u32::try_from(id).unwrap(),
    };
    Rows {
        routing: tables(name),
        call_types: vec![kind(1, "Order", true), kind(2, "Complaint", false)],
        decision: PopupDecision {
            shown: true,
            queue: Some(name.to_owned()),
            scheduled: vec!["Anna".to_owned()],
            to: vec!["Anna".to_owned()],
            ..PopupDecision::default()
        },
        ..Rows::default()
    }
}

fn at(tab: SettingsTab) -> impl FnOnce(&mut ViewState) {
    move |state| {
        state.view = View::Settings;
        state.settings.tab = tab;
    }
}

fn page(tab: SettingsTab) -> Harness<'static, Stage> {
    desk(registered(), rows("Sales"), at(tab))
}

fn routing(shown: &mut Harness<'_, Stage>) -> Vec<RoutingChange> {
    let of = |command| match command {
        Command::ChangeRouting(change) => Some(*change),
        _ => None,
    };
    shown
        .state_mut()
        .sent()
        .into_iter()
        .filter_map(of)
        .collect()
}

#[test]
fn the_tabs_lead_to_each_page_and_back() {
    let mut shown = page(SettingsTab::Phone);
    for (tab, sees) in [
        ("Agents", "Sales, Pop-ups off"),
        ("Queues", "Who would see a call now?"),
        ("Holidays", "Fri 25 Dec 2026"),
        ("Call types", "Complaint, Hidden"),
        ("Block list", "Numbers that begin with +4990, Declined"),
        ("Phone", "Accounts"),
    ] {
        shown.get_by_label(tab).click();
        shown.run();
        shown.get_by_label(sees);
    }
}

#[test]
fn an_agent_is_changed_with_numbers_and_groups_between_commas() {
    let mut shown = page(SettingsTab::Agents);
    shown.get_by_label("Sales, Pop-ups off").click();
    shown.run();
    shown.get_by_label("Groups").focus();
    shown.run();
    shown.get_by_label("Groups").type_text(" ,Day , ");
    shown.run();
    shown
        .get_by_label("Calls may pop up at this agent's phone")
        .click();
    shown.run();
    shown.get_by_label("Save").click();
    shown.run();
    let told = routing(&mut shown);
    let [RoutingChange::SaveAgent(row)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!((row.id, row.panel), (AgentId(1), true));
    let mut groups = row.groups.clone();
    groups.sort();
    assert_eq!(groups, ["Day", "Night"]);
    assert_eq!(row.numbers, ["201"]);
}

#[test]
fn an_agent_needs_a_name_and_is_deleted_after_a_second_look() {
    let mut shown = page(SettingsTab::Agents);
    shown.get_by_label("New agent…").click();
    shown.run();
    shown.get_by_label("Save").click();
    shown.run();
    shown.get_by_label("Give the agent a name.");
    shown.get_by_label("Cancel").click();
    shown.run();
    shown.get_by_label("Delete Sales").click();
    shown.run();
    assert!(routing(&mut shown).is_empty());
    shown.get_by_label("Delete for good").click();
    shown.run();
    assert_eq!(
        routing(&mut shown),
        [RoutingChange::RemoveAgent(AgentId(1))]
    );
}

#[test]
fn a_queue_gets_slots_also_over_midnight_and_none_that_overlap() {
    let mut shown = page(SettingsTab::Queues);
    shown
        .get_by(|node| {
            node.label().as_deref() == Some("Sales") && node.role() == egui::Role::Button
        })
        .click();
    shown.run();
    shown.get_by_label("Saturday 22:00 to 06:00 on the next day · Night");
    // Monday to Friday are chosen, 08:00 to 17:00.
    shown.get_by_label("Add slots").click_accesskit();
    shown.run();
    shown.get_by_label("Name the group of agents who take the calls.");
    shown.get_by_label("Group of agents").focus();
    shown.run();
    shown.get_by_label("Group of agents").type_text("Day");
    shown.run();
    shown.get_by_label("Add slots").click_accesskit();
    shown.run();
    shown.get_by_label("Monday 08:00 to 17:00 · Day");
    shown
        .get_by_label("Remove Sunday 22:00 to 06:00 on the next day")
        .click_accesskit();
    shown.run();
    shown.get_by_label("Group of agents").focus();
    shown.run();
    shown.get_by_label("Group of agents").type_text("Late");
    shown.run();
    shown.get_by_label("Add slots").click_accesskit();
    shown.run();
    shown.get_by_label("Save").click_accesskit();
    shown.run();
    shown.get_by_label_contains("overlap; let one end where the other begins.");
    assert!(routing(&mut shown).is_empty());
    for day in ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"] {
        let name = format!("Remove {day} 08:00 to 17:00");
        shown
            .get_all_by_label(&name)
            .last()
            .unwrap()
            .click_accesskit();
        shown.run();
    }
    shown.get_by_label("Save").click_accesskit();
    shown.run();
    let told = routing(&mut shown);
    let [RoutingChange::SaveQueue(row)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(row.slots.len(), 6);
    assert_eq!(row.slots[5].slot.to_string(), "sat 22:00-06:00");
    assert_eq!(row.pause_code, "*45");
}

#[test]
fn an_unknown_time_zone_is_refused_with_what_to_write() {
    let mut shown = desk(registered(), rows("Sales"), |state| {
        at(SettingsTab::Queues)(state);
    });
    shown.get_by_label("New queue…").click();
    shown.run();
    shown.get_by_label("Name of the queue").type_text("Support");
    shown.run();
    shown.get_by_label("Time zone").focus();
    shown.run();
    shown.get_by_label("Time zone").type_text("Mars/Base");
    shown.run();
    shown.get_by_label("Save").click_accesskit();
    shown.run();
    shown.get_by_label_contains("There is no time zone \"Mars/Base\"");
    assert!(routing(&mut shown).is_empty());
}

#[test]
fn who_would_see_a_call_is_told_with_each_reason() {
    let mut shown = page(SettingsTab::Queues);
    shown.get_by_label("Would pop up");
    shown.get_by_label("• Asked for sip:sam@pbx.example");
    shown.get_by_label("Called").click();
    shown.run();
    shown.get_all_by_label("Sales").last().unwrap().click();
    shown.run();
    // A star of the queue's number stands for nothing here.
    shown.get_by_label("• Asked for 030 12345");
    let painted = texts(&shown);
    assert!(
        painted.iter().any(|(text, ..)| text.contains("now Anna")),
        "the list tells it, too"
    );
}

#[test]
fn a_holiday_is_added_for_all_queues_and_a_wrong_date_is_told() {
    let mut shown = page(SettingsTab::Holidays);
    for (typed, problem) in [("Christmas", true), ("2026-12-26", false)] {
        shown.state_mut().state.settings.routing.holiday.date = typed.to_owned();
        shown.get_by_label("Save holiday").click();
        shown.run();
        let told = shown.query_by_label_contains("is no date").is_some();
        assert_eq!(told, problem, "{typed}");
    }
    let told = routing(&mut shown);
    let [RoutingChange::SaveHoliday(row)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(
        (row.date.to_string().as_str(), &row.queue),
        ("2026-12-26", &None)
    );
}

#[test]
fn call_types_are_moved_hidden_and_asked_for() {
    let mut shown = page(SettingsTab::CallTypes);
    shown.get_by_label("Move Complaint up").click();
    shown.run();
    shown.get_by_label("Complaint, Hidden").click();
    shown.run();
    shown.get_by_label("Can be chosen").click();
    shown.run();
    shown.get_by_label("Save").click();
    shown.run();
    let told = changes(shown.state_mut().sent());
    let places: Vec<_> = told
        .iter()
        .map(|change| match change {
            RecordChange::SaveCallType(row) => (row.id.0, row.place, row.active),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(places, [(2, 1, false), (1, 2, true), (2, 2, true)]);
    shown
        .get_by_label("Ask for a call type before a call is wrapped up")
        .click();
    shown.run();
    let sent = shown.state_mut().sent();
    assert!(
        matches!(
            sent.as_slice(),
            [Command::SaveSettings(settings)] if settings.call_type_required
        ),
        "{sent:?}"
    );
}

#[test]
fn a_blocked_number_is_changed_in_its_place() {
    let mut shown = page(SettingsTab::Blocked);
    shown
        .get_by_label("Numbers that begin with +4990, Declined")
        .click();
    shown.run();
    let form = &mut shown.state_mut().state.settings.routing.blocked;
    assert_eq!(form.number, "+4990*");
    form.number = "anonymous".to_owned();
    shown.run();
    shown.get_by_label("Save entry").click();
    shown.run();
    let told = routing(&mut shown);
    let [RoutingChange::Block(new), RoutingChange::Unblock(old)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!((new.kind, *old), (BlockKind::Withheld, BlockId(9)));
    assert_eq!(new.note, "Sales");
}

#[test]
fn every_page_draws_empty_and_with_long_and_turned_names_small_and_in_both_themes() {
    let pages = [
        SettingsTab::Agents,
        SettingsTab::Queues,
        SettingsTab::Holidays,
        SettingsTab::CallTypes,
        SettingsTab::Blocked,
    ];
    for tab in pages {
        for dark in [true, false] {
            for name in ["A name without end ".repeat(9), "محمد العلي".to_owned()] {
                for (failing, empty) in [(false, false), (false, true), (true, true)] {
                    let rows = Rows {
                        failing,
                        ..if empty { Rows::default() } else { rows(&name) }
                    };
                    let size = Vec2::new(900.0, 600.0);
                    let shown = window(size, dark, registered(), rows, |state| {
                        at(tab)(state);
                        state.settings.routing.blocked = BlockForm {
                            number: name.clone(),
                            ..BlockForm::default()
                        };
                    });
                    super::views::nothing_sticks_out(&shown, size.x, &format!("{tab:?} {name}"));
                    assert!(shown.unnamed_widgets().is_empty(), "{tab:?}");
                }
            }
        }
    }
}
