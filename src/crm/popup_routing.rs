//! To whom a call pops up, or why to nobody. Pure: facts, moment and zone are arguments.
//!
//! A call pops up at the agents who are scheduled for its queue and whose number is the line on which
//! it came. What is not set up restricts nothing: without a queue, a schedule or agents, this phone's
//! own calls always pop up.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::crm::agent_state::Presence;
use crate::crm::routing_row::{AgentRow, HolidayRow, PopupDecision, QueueRow};
use crate::crm::schedule::{Day, Slot, next_shift};

/// What the tables say of a call when it arrives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoutingFacts {
    /// The queue that it is for.
    pub queue: Option<QueueFacts>,
    /// The agents of the line on which it came.
    pub agents: Vec<AgentRow>,
    /// Whether there are agents at all.
    pub any_agents: bool,
}

/// What the tables say of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueFacts {
    /// The queue.
    pub row: QueueRow,
    /// The called number by which it was recognized, as signalled.
    pub called: String,
    /// Its holidays.
    pub holidays: Vec<HolidayRow>,
    /// Who is in the groups of its slots, by the group's name.
    pub members: BTreeMap<String, Vec<AgentRow>>,
}

/// A call that arrives, and this phone.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// What the tables say; none when they could not be read in time.
    pub facts: Option<&'a RoutingFacts>,
    /// The line on which it came, as a person reads it.
    pub line: &'a str,
    /// When.
    pub now: Timestamp,
    /// The zone of queues that name none.
    pub zone: &'a TimeZone,
    /// The agent's own switch.
    pub switch_on: bool,
    /// What the agent does.
    pub presence: &'a Presence,
    /// Whether an emergency service may be calling back: nothing stands in its way.
    pub urgent: bool,
}

/// Decides to whom a call pops up.
pub fn decide(situation: &Situation<'_>) -> PopupDecision {
    let mut decision = PopupDecision::default();
    if situation.urgent {
        decision.shown = true;
        decision
            .reasons
            .push("an emergency service may be calling back".to_owned());
        return decision;
    }
    let nothing = RoutingFacts::default();
    let facts = situation.facts.unwrap_or(&nothing);
    if situation.facts.is_none() {
        decision.reasons.push(
            "agents, queues and schedules could not be read in time, so none of them restricts it"
                .to_owned(),
        );
    }
    let scheduled = match &facts.queue {
        Some(queue) => scheduled(queue, situation, &mut decision),
        None => None,
    };
    decision.matching = names(&facts.agents);
    let here = here(facts, scheduled.as_deref(), situation.line, &mut decision);
    decision.shown = here.is_some() && !silenced(situation, &mut decision);
    if decision.shown {
        decision.to = here.unwrap_or_default();
        if decision.reasons.is_empty() {
            decision.reasons.push(UNRESTRICTED.to_owned());
        }
    }
    decision
}

/// Nobody was asked: a rule ended the call before. Whose call it was, and of which queue, is kept all
/// the same: the calls that a queue loses are those that are looked for.
pub fn by_rule(words: &str, facts: Option<&RoutingFacts>) -> PopupDecision {
    let queue = facts.and_then(|facts| facts.queue.as_ref());
    PopupDecision {
        queue: queue.map(|queue| queue.row.name.clone()),
        matching: facts.map_or_else(Vec::new, |facts| names(&facts.agents)),
        reasons: vec![words.to_owned()],
        ..PopupDecision::default()
    }
}

/// The reason where nothing is set up.
pub const UNRESTRICTED: &str =
    "no queue, schedule or agent restricts it: this phone's own calls always pop up";

/// Who is scheduled for the queue now; none where it has no schedule.
fn scheduled(
    queue: &QueueFacts,
    situation: &Situation<'_>,
    decision: &mut PopupDecision,
) -> Option<Vec<AgentRow>> {
    let row = &queue.row;
    decision.queue = Some(row.name.clone());
    decision.reasons.push(format!(
        "{} was called, which is a number of the queue {}",
        queue.called, row.name
    ));
    if row.slots.is_empty() {
        decision.reasons.push(format!(
            "the queue {} has no schedule: everybody takes its calls at all times",
            row.name
        ));
        return None;
    }
    let zone = match row.zone.as_str() {
        "" => situation.zone.clone(),
        name => TimeZone::get(name).unwrap_or_else(|_| {
            // The file may come from another system; a wrong hour is better than no calls at all.
            decision.reasons.push(format!(
                "this system does not know the time zone {name}, so its own is used"
            ));
            situation.zone.clone()
        }),
    };
    let local = zone.to_datetime(situation.now);
    let moment = format!(
        "{} {:02}:{:02}{}",
        Day::of(local.date()).name(),
        local.hour(),
        local.minute(),
        zone.iana_name()
            .map(|name| format!(" in {name}"))
            .unwrap_or_default()
    );
    let shift = row.slots.iter().find_map(|slot| {
        let shift = slot.slot.shift_at(&zone, situation.now)?;
        Some((slot, shift))
    });
    let holiday = |date| queue.holidays.iter().find(|holiday| holiday.date == date);
    let nobody = |decision: &mut PopupDecision, why: String| {
        decision.nobody_scheduled = true;
        let slots: Vec<Slot> = row.slots.iter().map(|slot| slot.slot).collect();
        let next = next_shift(&slots, &zone, situation.now, &|date| {
            holiday(date).is_some()
        });
        let next = next.map_or_else(String::new, |next| {
            let begins = zone.to_datetime(next.begins);
            format!(
                "; the next slot begins on {} {} at {:02}:{:02}",
                Day::of(begins.date()).name(),
                begins.date(),
                begins.hour(),
                begins.minute()
            )
        });
        decision.reasons.push(format!(
            "nobody is scheduled for {} now ({moment}): {why}{next}",
            row.name
        ));
        Some(Vec::new())
    };
    let Some((slot, shift)) = shift else {
        return nobody(decision, "no slot holds this time".to_owned());
    };
    if let Some(holiday) = holiday(shift.date) {
        let why = format!("{} is a holiday ({})", holiday.date, holiday.name);
        return nobody(decision, why);
    }
    let group = queue
        .members
        .get(&slot.group)
        .map_or(&[][..], Vec::as_slice);
    let active: Vec<AgentRow> = group.iter().filter(|agent| agent.active).cloned().collect();
    if active.is_empty() {
        let why = format!(
            "the group {} of {} has no active agent",
            slot.group, slot.slot
        );
        return nobody(decision, why);
    }
    decision.scheduled = names(&active);
    decision.reasons.push(format!(
        "scheduled for {} now ({moment}, {}): {} (group {})",
        row.name,
        slot.slot,
        decision.scheduled.join(", "),
        slot.group
    ));
    Some(active)
}

/// The agents of this phone at whom it pops up, where it does; nobody's name where no agent is set up.
fn here(
    facts: &RoutingFacts,
    scheduled: Option<&[AgentRow]>,
    line: &str,
    decision: &mut PopupDecision,
) -> Option<Vec<String>> {
    if facts.agents.is_empty() {
        // Where nothing says who is scheduled, nobody need be known.
        if scheduled.is_none() {
            return Some(Vec::new());
        }
        decision.reasons.push(if facts.any_agents {
            format!("no agent has the line {line} as an own number, so nobody here is scheduled")
        } else {
            format!("no agent is set up for the line {line}, so nobody here is scheduled")
        });
        return None;
    }
    let mut to = Vec::new();
    let mut why = Vec::new();
    for agent in &facts.agents {
        let name = &agent.name;
        if !agent.active {
            why.push(format!("{name} is not an active agent"));
        } else if scheduled.is_some_and(|all| all.iter().all(|other| other.id != agent.id)) {
            // "Nobody is scheduled" says it of all at once.
            if !decision.nobody_scheduled {
                why.push(format!(
                    "{name}, whose line {line} is, is not scheduled now"
                ));
            }
        } else if agent.panel {
            to.push(name.clone());
        } else {
            why.push(format!(
                "an administrator switched the phone panel of {name} off"
            ));
        }
    }
    decision.reasons.extend(why);
    (!to.is_empty()).then_some(to)
}

/// Whether the agent does not want it to pop up.
fn silenced(situation: &Situation<'_>, decision: &mut PopupDecision) -> bool {
    let switched = (!situation.switch_on).then(|| "you switched pop-ups off".to_owned());
    let before = decision.reasons.len();
    decision
        .reasons
        .extend(switched.into_iter().chain(situation.presence.silences()));
    decision.reasons.len() > before
}

fn names(agents: &[AgentRow]) -> Vec<String> {
    agents.iter().map(|agent| agent.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{AgentId, QueueId};
    use crate::crm::agent_state::AgentState;
    use crate::crm::routing_row::TimeSlot;

    fn agent(id: i64, name: &str) -> AgentRow {
        AgentRow {
            id: AgentId(id),
            name: name.to_owned(),
            login: String::new(),
            active: true,
            panel: true,
            numbers: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// A queue whose group `Day` takes calls from Monday to Friday, 08:00 to 17:00 in Berlin.
    fn sales(members: Vec<AgentRow>) -> QueueFacts {
        let slots = Slot::parse("mon-fri 08:00-17:00").unwrap();
        let slots = slots.into_iter().map(|slot| TimeSlot {
            slot,
            group: "Day".to_owned(),
        });
        QueueFacts {
            row: QueueRow {
                id: QueueId(1),
                name: "Sales".to_owned(),
                medium: String::new(),
                zone: "Europe/Berlin".to_owned(),
                numbers: vec!["030 1234500".to_owned()],
                slots: slots.collect(),
                pause_code: String::new(),
                unpause_code: String::new(),
                script: String::new(),
                page: String::new(),
            },
            called: "+49301234500".to_owned(),
            holidays: Vec::new(),
            members: BTreeMap::from([("Day".to_owned(), members)]),
        }
    }

    struct Case {
        facts: RoutingFacts,
        now: &'static str,
        switch_on: bool,
        presence: Presence,
        urgent: bool,
    }

    /// Monday 09:12 in Berlin.
    const AT_WORK: &str = "2026-11-30T08:12:00Z";
    const SUNDAY: &str = "2026-11-29T08:12:00Z";

    fn case() -> Case {
        Case {
            facts: RoutingFacts::default(),
            now: AT_WORK,
            switch_on: true,
            presence: Presence::default(),
            urgent: false,
        }
    }

    /// Anna and Bob are scheduled; this is Anna's line.
    fn annas() -> Case {
        let anna = agent(1, "Anna");
        Case {
            facts: RoutingFacts {
                queue: Some(sales(vec![anna.clone(), agent(2, "Bob")])),
                agents: vec![anna],
                any_agents: true,
            },
            ..case()
        }
    }

    impl Case {
        fn decision(&self) -> PopupDecision {
            decide(&Situation {
                facts: Some(&self.facts),
                line: "sip:anna@example.com",
                now: self.now.parse().unwrap(),
                zone: &TimeZone::UTC,
                switch_on: self.switch_on,
                presence: &self.presence,
                urgent: self.urgent,
            })
        }

        /// That it pops up to nobody, and the last reason.
        fn silent(&self) -> String {
            let decision = self.decision();
            assert!(!decision.shown && decision.to.is_empty(), "{decision:?}");
            decision.reasons.last().unwrap().clone()
        }
    }

    #[test]
    fn where_nothing_is_set_up_each_call_pops_up() {
        let decision = case().decision();
        assert!(decision.shown);
        assert_eq!(decision.reasons, [UNRESTRICTED]);
    }

    #[test]
    fn it_pops_up_at_who_is_scheduled_and_has_the_line() {
        let decision = annas().decision();
        assert!(decision.shown);
        assert_eq!(decision.queue.as_deref(), Some("Sales"));
        assert_eq!(decision.scheduled, ["Anna", "Bob"]);
        assert_eq!(decision.matching, ["Anna"]);
        assert_eq!(decision.to, ["Anna"]);
        assert_eq!(
            decision.reasons,
            [
                "+49301234500 was called, which is a number of the queue Sales",
                "scheduled for Sales now (Monday 09:12 in Europe/Berlin, mon 08:00-17:00): Anna, Bob (group Day)",
            ]
        );
    }

    #[test]
    fn nobody_scheduled_is_said_with_the_next_slot() {
        let mut it = annas();
        it.now = SUNDAY;
        assert_eq!(
            it.silent(),
            "nobody is scheduled for Sales now (Sunday 09:12 in Europe/Berlin): no slot holds this time; \
             the next slot begins on Monday 2026-11-30 at 08:00"
        );
        let decision = it.decision();
        assert!(decision.nobody_scheduled);
        assert_eq!(decision.matching, ["Anna"], "who would have been asked");
    }

    #[test]
    fn on_a_holiday_nobody_is_scheduled() {
        let mut it = annas();
        if let Some(queue) = &mut it.facts.queue {
            queue.holidays = vec![HolidayRow {
                date: jiff::civil::date(2026, 11, 30),
                queue: None,
                name: "St Andrew's Day".to_owned(),
            }];
        }
        assert!(it.decision().nobody_scheduled);
        assert!(
            it.silent().contains(
                "2026-11-30 is a holiday (St Andrew's Day); the next slot begins on Tuesday 2026-12-01"
            ),
            "{}",
            it.silent()
        );
    }

    #[test]
    fn a_group_without_an_active_agent_is_nobody() {
        let mut it = annas();
        it.facts.queue = Some(sales(Vec::new()));
        assert!(
            it.silent()
                .contains("the group Day of mon 08:00-17:00 has no active agent")
        );
        let mut away = agent(1, "Anna");
        away.active = false;
        it.facts.queue = Some(sales(vec![away]));
        assert!(it.decision().nobody_scheduled);
    }

    #[test]
    fn who_is_not_scheduled_is_not_asked() {
        let mut it = annas();
        it.facts.queue = Some(sales(vec![agent(2, "Bob")]));
        assert_eq!(
            it.silent(),
            "Anna, whose line sip:anna@example.com is, is not scheduled now"
        );
        assert!(!it.decision().nobody_scheduled, "Bob is");
        it.facts.agents = Vec::new();
        assert!(it.silent().starts_with("no agent has the line"));
        it.facts.any_agents = false;
        assert!(it.silent().starts_with("no agent is set up for the line"));
    }

    #[test]
    fn a_queue_without_a_schedule_restricts_nothing() {
        let mut it = annas();
        if let Some(queue) = &mut it.facts.queue {
            queue.row.slots.clear();
        }
        it.now = SUNDAY;
        assert_eq!(it.decision().to, ["Anna"]);
        it.facts.agents.clear();
        assert!(it.decision().shown, "nobody need be known");
    }

    #[test]
    fn an_unknown_zone_is_told_and_the_systems_is_used() {
        let mut it = annas();
        if let Some(queue) = &mut it.facts.queue {
            "Mars/Olympus".clone_into(&mut queue.row.zone);
        }
        let decision = it.decision();
        assert!(decision.shown, "08:12 in UTC");
        assert!(
            decision
                .reasons
                .iter()
                .any(|why| why.contains("Mars/Olympus"))
        );
    }

    #[test]
    fn the_agents_switch_and_the_administrators_are_told_apart() {
        let mut it = annas();
        it.switch_on = false;
        assert_eq!(it.silent(), "you switched pop-ups off");
        let mut it = annas();
        it.facts.agents[0].panel = false;
        assert_eq!(
            it.silent(),
            "an administrator switched the phone panel of Anna off"
        );
        // Of two agents at one line the other one still is asked.
        it.facts.agents.push(agent(2, "Bob"));
        assert_eq!(it.decision().to, ["Bob"]);
        it.facts.agents.pop();
        // Without a queue too.
        it.facts.queue = None;
        assert!(!it.decision().shown);
        it.facts.agents[0].panel = true;
        it.facts.agents[0].active = false;
        assert_eq!(it.silent(), "Anna is not an active agent");
    }

    #[test]
    fn a_break_and_do_not_disturb_silence_and_a_wrap_up_does_not() {
        for (state, silent) in [
            (AgentState::Available, false),
            (AgentState::WrapUp, false),
            (AgentState::Break, true),
            (AgentState::DoNotDisturb, true),
        ] {
            for mut it in [case(), annas()] {
                it.presence.set(Timestamp::UNIX_EPOCH, state, "lunch");
                assert_eq!(!it.decision().shown, silent, "{state:?}");
            }
        }
        let mut it = case();
        it.presence
            .set(Timestamp::UNIX_EPOCH, AgentState::Break, "lunch");
        assert_eq!(it.silent(), "you are on a break (lunch)");
    }

    #[test]
    fn nothing_stands_in_the_way_of_a_call_for_help() {
        let mut it = annas();
        it.now = SUNDAY;
        it.switch_on = false;
        it.facts.agents[0].panel = false;
        it.urgent = true;
        assert!(it.decision().shown);
    }

    #[test]
    fn without_facts_it_pops_up_and_says_so() {
        let presence = Presence::default();
        let decision = decide(&Situation {
            facts: None,
            line: "sip:anna@example.com",
            now: AT_WORK.parse().unwrap(),
            zone: &TimeZone::UTC,
            switch_on: true,
            presence: &presence,
            urgent: false,
        });
        assert!(decision.shown);
        assert!(decision.reasons[0].contains("could not be read in time"));
    }
}
