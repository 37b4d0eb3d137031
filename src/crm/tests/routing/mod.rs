//! Agents, queues, the block list and states, as the engine and the command line use them.

mod block_list;
mod states;

use std::path::Path;

use super::*;
use crate::base::id::{AgentId, BlockId, QueueId};
use crate::crm::routing::{Arrival, ArrivalFacts};
use crate::crm::row::{
    AgentRow, AgentState, BlockedRow, HolidayRow, PopupDecision, QueueRow, RoutingChange,
    RoutingTables, Slot, StateTotal, TimeSlot,
};

fn agent(name: &str, numbers: &[&str], groups: &[&str]) -> AgentRow {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    AgentRow {
        id: AgentId(0),
        name: name.to_owned(),
        login: String::new(),
        active: true,
        panel: true,
        numbers: owned(numbers),
        groups: owned(groups),
    }
}

/// A queue; its slots are written as on the command line, with the group behind a bar.
fn queue(name: &str, numbers: &[&str], slots: &[&str]) -> QueueRow {
    let slots = slots.iter().flat_map(|text| {
        let (slot, group) = text.split_once('|').unwrap();
        let slots = Slot::parse(slot).unwrap().into_iter();
        slots.map(move |slot| TimeSlot {
            slot,
            group: group.to_owned(),
        })
    });
    QueueRow {
        id: QueueId(0),
        name: name.to_owned(),
        medium: String::new(),
        zone: "Europe/Berlin".to_owned(),
        numbers: numbers.iter().map(|it| (*it).to_owned()).collect(),
        slots: slots.collect(),
        pause_code: String::new(),
        unpause_code: String::new(),
        script: String::new(),
        page: String::new(),
    }
}

fn entry(text: &str) -> BlockedRow {
    BlockedRow::typed(text, 603, "", second(0))
}

impl Desk {
    fn try_change(&self, change: RoutingChange) -> Result<i64, StoreError> {
        match wait(self.store.write(Write::Routing(Box::new(change))))? {
            Written::Routing(id) => Ok(id),
            other => panic!("{other:?}"),
        }
    }

    fn routed(&self, change: RoutingChange) -> i64 {
        self.try_change(change).unwrap()
    }

    fn refused(&self, change: RoutingChange) -> String {
        match self.try_change(change) {
            Err(StoreError::Refused(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    fn tables(&self) -> RoutingTables {
        wait(self.store.routing()).unwrap()
    }

    fn arrival(&self, caller: &str, line: &str, called: &[&str]) -> ArrivalFacts {
        let arrival = Arrival {
            caller: caller.to_owned(),
            line: line.to_owned(),
            called: called.iter().map(|it| (*it).to_owned()).collect(),
            region: None,
        };
        wait(self.store.arrival(arrival)).unwrap()
    }

    fn queue_of(&self, called: &[&str]) -> Option<String> {
        let queue = self
            .arrival("101", "sip:anna@example.com", called)
            .routing
            .queue;
        queue.map(|queue| queue.row.name)
    }

    /// The entry that refuses a caller, as typed.
    fn blocks(&self, caller: &str) -> Option<String> {
        let blocked = self.arrival(caller, "sip:anna@example.com", &[]).blocked;
        blocked.map(|entry| entry.number)
    }
}

#[test]
fn an_agent_is_kept_with_numbers_and_groups() {
    let desk = Desk::open();
    let anna = agent("Anna", &["201", "030 1234500"], &["Day", "Late"]);
    let id = AgentId(desk.routed(RoutingChange::SaveAgent(anna.clone())));
    let kept = AgentRow { id, ..anna };
    assert_eq!(desk.tables().agents, std::slice::from_ref(&kept));
    let changed = AgentRow {
        name: "Anna Berg".to_owned(),
        panel: false,
        numbers: vec!["202".to_owned()],
        groups: vec!["late".to_owned()],
        ..kept
    };
    desk.routed(RoutingChange::SaveAgent(changed.clone()));
    let groups = vec!["Late".to_owned()];
    assert_eq!(desk.tables().agents, [AgentRow { groups, ..changed }]);
    desk.routed(RoutingChange::RemoveAgent(id));
    assert_eq!(desk.tables(), RoutingTables::default());
    assert_eq!(
        desk.try_change(RoutingChange::RemoveAgent(id)),
        Err(StoreError::Missing("agent"))
    );
    // A group goes with its last member, so its name is free in another spelling.
    desk.routed(RoutingChange::SaveAgent(agent("Bob", &[], &["LATE"])));
    assert_eq!(desk.tables().agents[0].groups, ["LATE"]);
}

#[test]
fn two_agents_or_queues_never_share_a_name() {
    let desk = Desk::open();
    desk.routed(RoutingChange::SaveAgent(agent("Anna", &[], &[])));
    let why = desk.refused(RoutingChange::SaveAgent(agent("ANNA ", &[], &[])));
    assert!(why.contains("already"), "{why}");
    let why = desk.refused(RoutingChange::SaveAgent(agent(" ", &[], &[])));
    assert!(why.contains("needs a name"), "{why}");
    desk.routed(RoutingChange::SaveQueue(queue("Sales", &[], &[])));
    let why = desk.refused(RoutingChange::SaveQueue(queue("sales", &[], &[])));
    assert!(why.contains("already"), "{why}");
}

#[test]
fn slots_may_touch_and_not_overlap_and_nothing_is_half_written() {
    let desk = Desk::open();
    let slots = [
        "mon-fri 08:00-12:00|Day",
        "mon-fri 12:00-17:00|Late",
        "fri 22:00-06:00|Night",
    ];
    let sales = queue("Sales", &["030 1234500"], &slots);
    let id = QueueId(desk.routed(RoutingChange::SaveQueue(sales.clone())));
    let kept = QueueRow { id, ..sales };
    assert_eq!(desk.tables().queues, std::slice::from_ref(&kept));
    let mut wrong = kept.clone();
    wrong.numbers.clear();
    wrong.slots = queue("", &[], &["fri 16:00-23:00|Day", "fri 22:00-06:00|Day"]).slots;
    let why = desk.refused(RoutingChange::SaveQueue(wrong));
    assert!(
        why.contains("fri 16:00-23:00 and fri 22:00-06:00 overlap"),
        "{why}"
    );
    let mut wrong = kept.clone();
    "Europe/Atlantis".clone_into(&mut wrong.zone);
    let why = desk.refused(RoutingChange::SaveQueue(wrong));
    assert!(why.contains("no time zone \"Europe/Atlantis\""), "{why}");
    let mut wrong = kept.clone();
    wrong.slots[0].group.clear();
    let why = desk.refused(RoutingChange::SaveQueue(wrong));
    assert!(why.contains("needs a group"), "{why}");
    assert_eq!(desk.tables().queues, [kept]);
}

#[test]
fn a_queue_is_recognized_by_what_was_called_in_any_spelling() {
    let desk = Desk::open();
    let save = |row| desk.routed(RoutingChange::SaveQueue(row));
    save(queue(
        "Stars",
        &["+49 30 1234*", "*@sales.example.com"],
        &[],
    ));
    save(queue(
        "Sales",
        &["030 1234500", "600", "sip:sales@example.com"],
        &[],
    ));
    for (called, expected) in [
        (&["sip:+49301234500@trunk.example.net"][..], Some("Sales")),
        (&["tel:0049-30-1234500"], Some("Sales")),
        (&["sip:600@pbx.example.com;user=phone"], Some("Sales")),
        (&["sip:SALES@example.com:5080"], Some("Sales")),
        (&["sip:+49301234501@trunk.example.net"], Some("Stars")),
        (&["sip:030/123499@pbx"], Some("Stars")),
        (&["sip:bob@sales.example.com"], Some("Stars")),
        (&["sip:601@pbx.example.com"], None),
        // Forwarded to this phone from the queue's number.
        (
            &["sip:anna@example.com", "sip:600@pbx.example.com"],
            Some("Sales"),
        ),
        (&[], None),
    ] {
        assert_eq!(desk.queue_of(called).as_deref(), expected, "{called:?}");
    }
}

#[test]
fn the_facts_of_a_call_hold_who_is_scheduled_and_whose_line_it_is() {
    let desk = Desk::open();
    let own = [
        "sip:anna@example.com".to_owned(),
        "sip:201@example.com".to_owned(),
    ];
    desk.store.set_own_numbers(&own);
    for row in [
        agent("Anna", &["sip:anna@example.com"], &["Day"]),
        agent("Bob", &["201"], &["Night"]),
        agent("Carol", &["205"], &["Day"]),
    ] {
        desk.routed(RoutingChange::SaveAgent(row));
    }
    let slots = ["mon-fri 08:00-17:00|Day", "daily 22:00-06:00|Night"];
    desk.routed(RoutingChange::SaveQueue(queue("Sales", &["600"], &slots)));
    desk.routed(RoutingChange::SaveQueue(queue("Other", &[], &[])));
    for (date, queue) in [
        ("2026-12-25", None),
        ("2026-12-31", Some("sales")),
        ("2026-12-24", Some("Other")),
    ] {
        desk.routed(RoutingChange::SaveHoliday(HolidayRow {
            date: date.parse().unwrap(),
            queue: queue.map(str::to_owned),
            name: "closed".to_owned(),
        }));
    }
    let names = |agents: &[AgentRow]| -> Vec<String> {
        agents.iter().map(|agent| agent.name.clone()).collect()
    };
    let facts = desk
        .arrival("101", "sip:anna@example.com", &["sip:600@pbx"])
        .routing;
    assert!(facts.any_agents);
    assert_eq!(names(&facts.agents), ["Anna"]);
    let found = facts.queue.unwrap();
    assert_eq!(found.called, "sip:600@pbx");
    assert_eq!(names(&found.members["Day"]), ["Anna", "Carol"]);
    assert_eq!(names(&found.members["Night"]), ["Bob"]);
    let dates: Vec<String> = found
        .holidays
        .iter()
        .map(|it| it.date.to_string())
        .collect();
    assert_eq!(dates, ["2026-12-25", "2026-12-31"]);
    // A line that is nobody's is that of whoever sits at this phone.
    let facts = desk.arrival("101", "sip:spare@example.com", &[]).routing;
    let mut here = names(&facts.agents);
    here.sort_unstable();
    assert_eq!(here, ["Anna", "Bob"]);
    // A queue takes its holidays along.
    let sales = desk
        .tables()
        .queues
        .into_iter()
        .find(|it| it.name == "Sales")
        .unwrap();
    desk.routed(RoutingChange::RemoveQueue(sales.id));
    assert_eq!(desk.tables().holidays.len(), 2);
    desk.routed(RoutingChange::RemoveHoliday {
        date: "2026-12-25".parse().unwrap(),
        queue: None,
    });
    assert_eq!(desk.tables().holidays.len(), 1);
}

#[test]
fn why_a_call_popped_up_is_kept_with_it() {
    let desk = Desk::open();
    let id = desk.insert(&inbound(1, "030 1234567"));
    let popup = |id| wait(desk.store.popup(id)).unwrap();
    assert_eq!(popup(id), None);
    let decision = PopupDecision {
        nobody_scheduled: true,
        queue: Some("Sales".to_owned()),
        matching: vec!["Anna".to_owned()],
        reasons: vec!["nobody is scheduled".to_owned()],
        ..PopupDecision::default()
    };
    desk.write(Write::SavePopup(id, Box::new(decision.clone())));
    assert_eq!(popup(id), Some(decision));
    let row = desk.call(id);
    assert_eq!(row.queue.as_deref(), Some("Sales"));
    assert_eq!(row.agent.as_deref(), Some("Anna"));
    // Of a call that is not in the log nothing is kept.
    desk.write(Write::SavePopup(call_id(2), Box::default()));
    assert_eq!(popup(call_id(2)), None);
}

#[test]
fn a_break_dials_the_codes_of_the_own_queues() {
    let desk = Desk::open();
    let with_code = |name: &str, slots: &[&str], pause: &str| QueueRow {
        pause_code: pause.to_owned(),
        ..queue(name, &[], slots)
    };
    for row in [
        with_code("Sales", &["mon 08:00-09:00|Day"], "*451"),
        with_code("Support", &["mon 08:00-09:00|Night"], "*452"),
        with_code("Open", &[], "*453"),
        queue("Silent", &[], &["mon 08:00-09:00|Day"]),
    ] {
        desk.routed(RoutingChange::SaveQueue(row));
    }
    let codes = || -> Vec<String> {
        let codes = wait(desk.store.pause_codes()).unwrap();
        codes.into_iter().map(|it| it.pause).collect()
    };
    assert_eq!(
        codes(),
        ["*453", "*451", "*452"],
        "nobody is known here: all of them"
    );
    desk.store
        .set_own_numbers(&["sip:201@example.com".to_owned()]);
    desk.routed(RoutingChange::SaveAgent(agent("Anna", &["201"], &["Day"])));
    assert_eq!(codes(), ["*453", "*451"]);
}

#[test]
fn with_another_region_numbers_mean_other_people() {
    let desk = Desk::open();
    desk.routed(RoutingChange::Block(entry("030 1234567")));
    desk.routed(RoutingChange::SaveQueue(queue(
        "Sales",
        &["030 1234500"],
        &[],
    )));
    desk.routed(RoutingChange::SaveAgent(agent(
        "Anna",
        &["030 1234501"],
        &[],
    )));
    let Desk { store, folder } = desk;
    drop(store);
    let other = |path: &Path| Store::open(path, "NL").unwrap();
    let desk = Desk {
        store: other(folder.path()),
        folder,
    };
    assert_eq!(desk.blocks("+49301234567"), None);
    assert!(desk.blocks("+31301234567").is_some());
    assert_eq!(desk.queue_of(&["+31301234500"]).as_deref(), Some("Sales"));
    let line = desk.arrival("101", "+31 30 1234501", &[]).routing.agents;
    assert_eq!(line.len(), 1);
}

#[test]
fn who_works_here_is_the_one_of_the_settings_else_the_only_one_whose_lines_these_are() {
    let desk = Desk::open();
    assert_eq!(desk.store.agent(), None);
    desk.routed(RoutingChange::SaveAgent(agent(
        "Anna",
        &["sip:anna@example.com"],
        &[],
    )));
    assert_eq!(desk.store.agent(), None, "her line is elsewhere");
    desk.store
        .set_own_numbers(&["sip:anna@example.com".to_owned()]);
    desk.write(Write::Settle);
    assert_eq!(desk.store.agent().as_deref(), Some("Anna"));
    let id = desk.routed(RoutingChange::SaveAgent(agent(
        "Bob",
        &["sip:anna@example.com"],
        &[],
    )));
    assert_eq!(desk.store.agent(), None, "it may be either");
    desk.store.set_agent("Alice");
    assert_eq!(desk.store.agent().as_deref(), Some("Alice"));
    desk.store.set_agent("");
    desk.routed(RoutingChange::RemoveAgent(AgentId(id)));
    assert_eq!(desk.store.agent().as_deref(), Some("Anna"));
    // The file knows the lines, and so does the next start.
    let desk = desk.again();
    assert_eq!(desk.store.agent().as_deref(), Some("Anna"));
    desk.write(Write::AllDone);
    let trail = desk.read(|reader| reader.audit(None, None, 1));
    assert_eq!(trail[0].agent, "Anna");
}

#[test]
fn a_queue_keeps_what_is_said_in_its_calls_and_their_page() {
    let desk = Desk::open();
    let mut sales = QueueRow {
        script: "Hello {name}".to_owned(),
        page: " https://crm.example/?n={number} ".to_owned(),
        ..queue("Sales", &["030 100"], &[])
    };
    sales.id = QueueId(
        desk.try_change(RoutingChange::SaveQueue(sales.clone()))
            .unwrap(),
    );
    let stored = || desk.read(crate::crm::Reader::routing).queues.remove(0);
    assert_eq!(stored().script, "Hello {name}");
    assert_eq!(stored().page, "https://crm.example/?n={number}");
    let mut page = |page: &str| {
        page.clone_into(&mut sales.page);
        desk.try_change(RoutingChange::SaveQueue(sales.clone()))
    };
    for (wrong, says) in [
        ("javascript:alert({number})", "must begin with"),
        ("https://{name}/", "host written out"),
        ("https://crm.example/{phone}", "has {phone}"),
    ] {
        let refused = page(wrong).unwrap_err().to_string();
        assert!(refused.contains(says), "{refused}");
    }
    page("").unwrap();
    assert_eq!(stored().page, "");
}
