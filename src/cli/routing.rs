//! `ringdesk agents`, `ringdesk queues`, `ringdesk blocked` and `ringdesk calls popup`: who is told of
//! calls, for scripts.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use jiff::ToSpan as _;
use jiff::tz::TimeZone;

use crate::base::clock;
use crate::base::id::{AgentId, QueueId};
use crate::base::printable::printable;
use crate::cli::headless::print_line;
use crate::cli::records::{ask, print_json};
use crate::cli::routing_args::{
    AgentArgs, AgentsArgs, AgentsTask, BlockedArgs, BlockedTask, CallPopupArgs, NamedArgs,
    QueueArgs, QueuesArgs, QueuesTask, TimeArgs,
};
use crate::cli::run::Exit;
use crate::cli::setup;
use crate::cli::single_instance::{Reply, Request};
use crate::crm::row::{
    AgentRow, BlockedRow, HolidayRow, PoppedCall, QueueRow, RoutingChange, RoutingTables, Slot,
    TimeSlot,
};

/// Lists, adds, changes or removes agents.
pub(super) async fn agents(args: AgentsArgs) -> anyhow::Result<Exit> {
    match args.task {
        None => {
            let agents = tables(&args.answer.records.data_dir).await?.agents;
            if args.answer.json {
                print_json(&agents)?;
            } else {
                agents
                    .iter()
                    .for_each(|agent| print_row(&agent_line(agent)));
            }
        }
        Some(AgentsTask::Add(args)) => save_agent(args, true).await?,
        Some(AgentsTask::Set(args)) => save_agent(args, false).await?,
        Some(AgentsTask::Remove(args)) => {
            let agents = tables(&args.answer.records.data_dir).await?.agents;
            let agent = named(&agents, &args.name, "agent", |agent| &agent.name)?;
            remove(&args, RoutingChange::RemoveAgent(agent.id), "agent").await?;
        }
        Some(AgentsTask::Time(args)) => time(args).await?,
    }
    Ok(Exit::Done)
}

/// Lists, adds, changes or removes queues and holidays.
pub(super) async fn queues(args: QueuesArgs) -> anyhow::Result<Exit> {
    match args.task {
        None => {
            let queues = tables(&args.answer.records.data_dir).await?.queues;
            if args.answer.json {
                print_json(&queues)?;
            } else {
                queues
                    .iter()
                    .for_each(|queue| print_row(&queue_line(queue)));
            }
        }
        Some(QueuesTask::Add(args)) => save_queue(args, true).await?,
        Some(QueuesTask::Set(args)) => save_queue(args, false).await?,
        Some(QueuesTask::Remove(args)) => {
            let queues = tables(&args.answer.records.data_dir).await?.queues;
            let queue = named(&queues, &args.name, "queue", |queue| &queue.name)?;
            remove(&args, RoutingChange::RemoveQueue(queue.id), "queue").await?;
        }
        Some(QueuesTask::Holidays(args)) => {
            let holidays = tables(&args.answer.records.data_dir).await?.holidays;
            if args.answer.json {
                print_json(&holidays)?;
            } else {
                holidays.iter().for_each(|it| print_row(&holiday_line(it)));
            }
        }
        Some(QueuesTask::Close(args)) => {
            let holiday = HolidayRow {
                date: args.date,
                queue: args.queue,
                name: args.name,
            };
            let line = holiday_line(&holiday);
            change(&args.records.data_dir, RoutingChange::SaveHoliday(holiday)).await?;
            print_row(&line);
        }
        Some(QueuesTask::Open(args)) => {
            let holiday = RoutingChange::RemoveHoliday {
                date: args.date,
                queue: args.queue,
            };
            change(&args.records.data_dir, holiday).await?;
            print_line(&format!("{} is open again", args.date));
        }
    }
    Ok(Exit::Done)
}

/// Lists, adds or removes entries of the block list.
pub(super) async fn blocked(args: BlockedArgs) -> anyhow::Result<Exit> {
    match args.task {
        None => {
            let blocked = tables(&args.answer.records.data_dir).await?.blocked;
            if args.answer.json {
                print_json(&blocked)?;
            } else {
                blocked
                    .iter()
                    .for_each(|entry| print_row(&block_line(entry)));
            }
        }
        Some(BlockedTask::Add(args)) => {
            let status = if args.busy { 486 } else { 603 };
            let entry = BlockedRow::typed(&args.number, status, &args.note, clock::wall_now());
            let words = entry.words();
            let id = change(&args.answer.records.data_dir, RoutingChange::Block(entry)).await?;
            saved(
                args.answer.json,
                id,
                &format!("{words} will be refused with {status}"),
            );
        }
        Some(BlockedTask::Remove(args)) => {
            let blocked = tables(&args.answer.records.data_dir).await?.blocked;
            let wanted = BlockedRow::typed(&args.name, 603, "", clock::wall_now());
            let entry = blocked
                .iter()
                .find(|it| it.kind == wanted.kind && it.number == wanted.number)
                .or_else(|| blocked.iter().find(|it| it.id.0.to_string() == args.name))
                .with_context(|| {
                    format!(
                        "{} is not on the block list; `ringdesk blocked` shows what is, and a number is \
                         removed as it is written there, or by its id",
                        args.name
                    )
                })?;
            remove(&args, RoutingChange::Unblock(entry.id), "entry").await?;
        }
    }
    Ok(Exit::Done)
}

/// Says why a call popped up or did not.
pub(super) async fn popup(args: CallPopupArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.answer.records.data_dir.as_deref())?;
    let found = match ask(&paths, Request::Popup(args.call_id.clone())).await? {
        Reply::Popup(found) => found,
        other => bail!("unexpected answer: {other:?}"),
    };
    let Some(found) = found else {
        bail!(
            "there is no call {} in the call log; `ringdesk calls --json` shows their ids",
            args.call_id
        );
    };
    if args.answer.json {
        print_line(&serde_json::to_string(&found)?);
    } else {
        popup_lines(&found).iter().for_each(|line| print_row(line));
    }
    Ok(Exit::Done)
}

async fn save_agent(args: AgentArgs, new: bool) -> anyhow::Result<()> {
    let mut agent = if new {
        AgentRow {
            id: AgentId(0),
            name: args.name,
            login: String::new(),
            active: true,
            panel: true,
            numbers: Vec::new(),
            groups: Vec::new(),
        }
    } else {
        let agents = tables(&args.answer.records.data_dir).await?.agents;
        named(&agents, &args.name, "agent", |agent| &agent.name)?.clone()
    };
    set(&mut agent.name, args.rename);
    set(&mut agent.login, args.login);
    set(&mut agent.active, args.active);
    set(&mut agent.panel, args.panel);
    set_list(&mut agent.numbers, args.number);
    set_list(&mut agent.groups, args.group);
    let words = format!("agent {} saved", agent.name);
    let id = change(
        &args.answer.records.data_dir,
        RoutingChange::SaveAgent(agent),
    )
    .await?;
    saved(args.answer.json, id, &words);
    Ok(())
}

async fn save_queue(args: QueueArgs, new: bool) -> anyhow::Result<()> {
    let mut queue = if new {
        QueueRow {
            id: QueueId(0),
            name: args.name,
            medium: String::new(),
            zone: String::new(),
            numbers: Vec::new(),
            slots: Vec::new(),
            pause_code: String::new(),
            unpause_code: String::new(),
            script: String::new(),
            page: String::new(),
        }
    } else {
        let queues = tables(&args.answer.records.data_dir).await?.queues;
        named(&queues, &args.name, "queue", |queue| &queue.name)?.clone()
    };
    set(&mut queue.name, args.rename);
    set(&mut queue.zone, args.zone);
    set(&mut queue.medium, args.medium);
    set(&mut queue.pause_code, args.pause_code);
    set(&mut queue.unpause_code, args.unpause_code);
    set(&mut queue.script, args.script);
    set(&mut queue.page, args.page);
    set_list(&mut queue.numbers, args.number);
    set_list(&mut queue.slots, slots(&args.slot)?);
    if args.no_slots {
        queue.slots.clear();
    }
    let words = format!("queue {} saved", queue.name);
    let id = change(
        &args.answer.records.data_dir,
        RoutingChange::SaveQueue(queue),
    )
    .await?;
    saved(args.answer.json, id, &words);
    Ok(())
}

async fn time(args: TimeArgs) -> anyhow::Result<()> {
    let paths = setup::paths(args.answer.records.data_dir.as_deref())?;
    let (zone, now) = (TimeZone::system(), clock::wall_now());
    let day = args.day.unwrap_or_else(|| zone.to_datetime(now).date());
    let from = day.to_zoned(zone)?;
    let to = from.checked_add(1.day())?.timestamp();
    let request = Request::StateTotals {
        from: from.timestamp(),
        to,
        now,
    };
    match ask(&paths, request).await? {
        Reply::StateTotals(totals) if args.answer.json => print_json(&totals)?,
        Reply::StateTotals(totals) => {
            for total in totals {
                let seconds = total.millis / 1000;
                let clock = format!(
                    "{}:{:02}:{:02}",
                    seconds / 3600,
                    seconds / 60 % 60,
                    seconds % 60
                );
                let state = total.state.as_str();
                print_row(&format!("{clock:>9}  {state:<14}  {}", total.reason));
            }
        }
        other => bail!("unexpected answer: {other:?}"),
    }
    Ok(())
}

/// Reads `mon-fri 08:00-17:00 Day`: all but the last words are the days and times.
fn slots(texts: &[String]) -> anyhow::Result<Vec<TimeSlot>> {
    let mut slots = Vec::new();
    for text in texts {
        let mut words = text.split_whitespace();
        let when: Vec<&str> = words.by_ref().take(2).collect();
        let group = words.collect::<Vec<_>>().join(" ");
        if group.is_empty() {
            bail!("\"{text}\" names no group; write for example \"mon-fri 08:00-17:00 Day\"");
        }
        let days = Slot::parse(&when.join(" ")).map_err(anyhow::Error::msg)?;
        slots.extend(days.into_iter().map(|slot| TimeSlot {
            slot,
            group: group.clone(),
        }));
    }
    Ok(slots)
}

async fn tables(data_dir: &Option<PathBuf>) -> anyhow::Result<RoutingTables> {
    let paths = setup::paths(data_dir.as_deref())?;
    match ask(&paths, Request::Routing).await? {
        Reply::Routing(tables) => Ok(*tables),
        other => bail!("unexpected answer: {other:?}"),
    }
}

async fn change(data_dir: &Option<PathBuf>, change: RoutingChange) -> anyhow::Result<i64> {
    let paths = setup::paths(data_dir.as_deref())?;
    match ask(&paths, Request::ChangeRouting(Box::new(change))).await? {
        Reply::Changed(id) => Ok(id),
        other => bail!("unexpected answer: {other:?}"),
    }
}

async fn remove(args: &NamedArgs, removal: RoutingChange, what: &str) -> anyhow::Result<()> {
    let id = change(&args.answer.records.data_dir, removal).await?;
    saved(
        args.answer.json,
        id,
        &format!("{what} {} removed", args.name),
    );
    Ok(())
}

/// Finds a row by its name, in whatever case.
fn named<'a, T>(
    rows: &'a [T],
    name: &str,
    what: &str,
    of: fn(&T) -> &String,
) -> anyhow::Result<&'a T> {
    let wanted = name.trim().to_lowercase();
    rows.iter()
        .find(|row| of(row).to_lowercase() == wanted)
        .with_context(|| format!("there is no {what} {name}; ringdesk {what}s shows their names"))
}

fn saved(json: bool, id: i64, words: &str) {
    if json {
        print_line(&serde_json::json!({ "id": id }).to_string());
    } else {
        print_row(words);
    }
}

/// A line whose parts came from people and files.
fn print_row(line: &str) {
    print_line(&printable(line));
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn set_list<T>(place: &mut Vec<T>, values: Vec<T>) {
    if !values.is_empty() {
        *place = values;
    }
}

fn agent_line(agent: &AgentRow) -> String {
    let mut marks = Vec::new();
    if !agent.active {
        marks.push("not active");
    }
    if !agent.panel {
        marks.push("phone panel off");
    }
    format!(
        "{}  {}  [{}]  {}",
        agent.name,
        agent.numbers.join(", "),
        agent.groups.join(", "),
        marks.join(", ")
    )
    .trim_end()
    .to_owned()
}

fn queue_line(queue: &QueueRow) -> String {
    let slots: Vec<String> = queue
        .slots
        .iter()
        .map(|slot| format!("{} {}", slot.slot, slot.group))
        .collect();
    let slots = if slots.is_empty() {
        "at all times".to_owned()
    } else {
        slots.join(", ")
    };
    let zone = if queue.zone.is_empty() {
        String::new()
    } else {
        format!("  ({})", queue.zone)
    };
    format!(
        "{}  {}  {slots}{zone}",
        queue.name,
        queue.numbers.join(", ")
    )
}

fn holiday_line(holiday: &HolidayRow) -> String {
    let queue = holiday.queue.as_deref().unwrap_or("all queues");
    format!("{}  {queue}  {}", holiday.date, holiday.name)
}

fn block_line(entry: &BlockedRow) -> String {
    let since = entry.since.strftime("%Y-%m-%d");
    format!(
        "{:>4}  {}  {}  since {since}  {} calls  {}",
        entry.id.0,
        entry.status,
        entry.words(),
        entry.hits,
        entry.note
    )
    .trim_end()
    .to_owned()
}

fn popup_lines(found: &PoppedCall) -> Vec<String> {
    let Some(decision) = &found.decision else {
        return vec![
            "nothing was set up or in the way: this phone's own calls always pop up".to_owned(),
        ];
    };
    let list = |names: &[String]| {
        if names.is_empty() {
            "nobody".to_owned()
        } else {
            names.join(", ")
        }
    };
    let mut lines = vec![format!(
        "{}; scheduled: {}; with this line: {}; shown to: {}",
        if decision.shown {
            "popped up"
        } else {
            "did not pop up"
        },
        list(&decision.scheduled),
        list(&decision.matching),
        if decision.shown && decision.to.is_empty() {
            "this phone".to_owned()
        } else {
            list(&decision.to)
        }
    )];
    lines.extend(decision.reasons.iter().map(|reason| format!("- {reason}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_written_with_its_group() {
        let read = slots(&["sat,sun 22:00-06:00 Night shift".to_owned()]).unwrap();
        let shown: Vec<String> = read.iter().map(|it| it.slot.to_string()).collect();
        assert_eq!(shown, ["sat 22:00-06:00", "sun 22:00-06:00"]);
        assert!(read.iter().all(|it| it.group == "Night shift"));
        for (text, says) in [
            ("mon-fri 08:00-17:00", "names no group"),
            ("sometimes 08:00-17:00 Day", "is no day"),
        ] {
            let error = slots(&[text.to_owned()]).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
