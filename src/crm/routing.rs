//! Who is told of a call, from the tables: the facts of a call that arrives, the lists as a whole, and
//! their changes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};
use tokio::sync::oneshot;

use crate::base::id::CallId;
use crate::crm::agent_states;
use crate::crm::number_key::Numbering;
use crate::crm::popup_routing::{QueueFacts, RoutingFacts};
use crate::crm::reader::Reader;
use crate::crm::routing_row::{
    BlockedRow, PopupDecision, QueueCodes, QueueRow, RoutingChange, RoutingTables, StateTotal,
};
use crate::crm::store::{Store, StoreError};
use crate::crm::writer::WriteError;
use crate::crm::{agents, block_list, call_popups, queues};

/// Where a call came in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arrival {
    /// The caller's number or address, as it is looked up.
    pub caller: String,
    /// The own line: the account's address, or what was called.
    pub line: String,
    /// What was called, and for whom the call was before, the last one first.
    pub called: Vec<String>,
    /// The region (ISO 3166) whose national form these numbers have: that of the account at which the call
    /// came in. None is the store's own.
    pub region: Option<String>,
}

/// What the tables say of a call that arrives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArrivalFacts {
    /// The entry of the block list that the caller falls under.
    pub blocked: Option<BlockedRow>,
    /// Its queue and the agents of its line.
    pub routing: RoutingFacts,
}

/// Reads what is set up for a call that arrives.
fn facts(
    connection: &Connection,
    arrival: &Arrival,
    numbering: &Numbering,
) -> Result<ArrivalFacts, StoreError> {
    let abroad = arrival.region.as_deref();
    let abroad = abroad.filter(|region| !region.eq_ignore_ascii_case(&numbering.region()));
    let abroad = abroad.map(|region| numbering.in_region(region));
    let at_line = abroad.as_ref().unwrap_or(numbering);
    let blocked = block_list::of(connection, &arrival.caller, at_line, numbering)?;
    let any_agents = agents::any(connection)?;
    // Whoever set up a queue or an agent may have written the own line as the account's country does or as the
    // others are written.
    let readings = std::iter::once(at_line).chain(abroad.is_some().then_some(numbering));
    let mut queue = None;
    let mut here = Vec::new();
    for reading in readings {
        if queue.is_none() {
            queue = queues::called(connection, &arrival.called, reading)?;
        }
        if let Some(key) = reading.keys(&arrival.line).key()
            && here.is_empty()
        {
            here = agents::with_number(connection, key)?;
        }
    }
    let queue = match queue {
        Some((row, called)) => Some(queue_facts(connection, row, called)?),
        None => None,
    };
    // Who is known by another line of this phone sits here too.
    if here.is_empty() {
        here = agents::of_lines(connection, numbering)?;
    }
    Ok(ArrivalFacts {
        blocked,
        routing: RoutingFacts {
            queue,
            agents: here,
            any_agents,
        },
    })
}

fn queue_facts(
    connection: &Connection,
    row: QueueRow,
    called: String,
) -> Result<QueueFacts, StoreError> {
    let mut members = BTreeMap::new();
    for slot in &row.slots {
        if !members.contains_key(&slot.group) {
            let group = agents::of_group(connection, &slot.group)?;
            members.insert(slot.group.clone(), group);
        }
    }
    Ok(QueueFacts {
        holidays: queues::holidays_of(connection, row.id)?,
        row,
        called,
        members,
    })
}

/// Reads all lists.
fn tables(connection: &Connection) -> Result<RoutingTables, StoreError> {
    Ok(RoutingTables {
        agents: agents::all(connection)?,
        queues: queues::all(connection)?,
        holidays: queues::holidays(connection)?,
        blocked: block_list::all(connection)?,
    })
}

/// Reads the codes of the queues that this phone's agents take calls of: those whose slots name one of
/// their groups, and those without slots. Where no agent is set up for this phone, all of them.
fn pause_codes(
    connection: &Connection,
    numbering: &Numbering,
) -> Result<Vec<QueueCodes>, StoreError> {
    let here = agents::of_lines(connection, numbering)?;
    let mut codes = Vec::new();
    for queue in queues::all(connection)? {
        let has_codes = !queue.pause_code.is_empty() || !queue.unpause_code.is_empty();
        let mine = queue.slots.iter().any(|slot| {
            let mut groups = here.iter().flat_map(|agent| &agent.groups);
            groups.any(|group| *group == slot.group)
        });
        if has_codes && (mine || here.is_empty() || queue.slots.is_empty()) {
            codes.push(QueueCodes {
                queue: queue.name,
                pause: queue.pause_code,
                unpause: queue.unpause_code,
            });
        }
    }
    Ok(codes)
}

/// Carries out a change; gives the id of what was saved or deleted, 0 for a holiday.
pub(crate) fn change(
    transaction: &Transaction<'_>,
    change: &RoutingChange,
    numbering: &Numbering,
) -> Result<i64, WriteError> {
    let id = match change {
        RoutingChange::SaveAgent(row) => agents::save(transaction, row, numbering)?.0,
        RoutingChange::RemoveAgent(id) => {
            agents::delete(transaction, *id)?;
            id.0
        }
        RoutingChange::SaveQueue(row) => queues::save(transaction, row, numbering)?.0,
        RoutingChange::RemoveQueue(id) => {
            queues::delete(transaction, *id)?;
            id.0
        }
        RoutingChange::SaveHoliday(row) => {
            queues::save_holiday(transaction, row)?;
            0
        }
        RoutingChange::RemoveHoliday { date, queue } => {
            queues::delete_holiday(transaction, *date, queue.as_deref())?;
            0
        }
        RoutingChange::Block(row) => block_list::save(transaction, row, numbering)?.0,
        RoutingChange::Unblock(id) => {
            block_list::delete(transaction, *id)?;
            id.0
        }
    };
    agents::drop_unused_groups(transaction)?;
    Ok(id)
}

/// A change in the words of the trail: what, and of whom.
pub(crate) fn words(change: &RoutingChange) -> (&'static str, String) {
    match change {
        RoutingChange::SaveAgent(row) => ("save agent", row.name.clone()),
        RoutingChange::RemoveAgent(id) => ("delete agent", id.0.to_string()),
        RoutingChange::SaveQueue(row) => ("save queue", row.name.clone()),
        RoutingChange::RemoveQueue(id) => ("delete queue", id.0.to_string()),
        RoutingChange::SaveHoliday(row) => ("save holiday", row.date.to_string()),
        RoutingChange::RemoveHoliday { date, .. } => ("delete holiday", date.to_string()),
        RoutingChange::Block(row) => ("block", row.words()),
        RoutingChange::Unblock(id) => ("unblock", id.0.to_string()),
    }
}

/// Makes all keys again, after the region for numbers without a country code changed.
pub(crate) fn read_again(transaction: &Transaction<'_>, region: &str) -> rusqlite::Result<()> {
    agents::read_again(transaction, region)?;
    queues::read_again(transaction, region)?;
    block_list::read_again(transaction, region)
}

impl Reader {
    /// Reads what is set up for a call that arrives.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn arrival(&self, arrival: &Arrival) -> Result<ArrivalFacts, StoreError> {
        facts(self.connection(), arrival, self.numbering())
    }

    /// Reads all agents, queues, holidays and the block list.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn routing(&self) -> Result<RoutingTables, StoreError> {
        tables(self.connection())
    }

    /// Reads why a call popped up or did not; none where nothing was set up or in the way.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn popup(&self, call: CallId) -> Result<Option<PopupDecision>, StoreError> {
        Ok(call_popups::of(self.connection(), call)?)
    }

    /// Reads what a break of this phone's agent dials.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn pause_codes(&self) -> Result<Vec<QueueCodes>, StoreError> {
        pause_codes(self.connection(), self.numbering())
    }

    /// Reads how long the agent was in each state from one moment to another, what goes on until `now`.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn state_totals(
        &self,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<StateTotal>, StoreError> {
        Ok(agent_states::totals(self.connection(), from, to, now)?)
    }
}

impl Store {
    /// Reads what is set up for a call that arrives. It never waits behind a page or a search.
    pub fn arrival(&self, arrival: Arrival) -> oneshot::Receiver<Result<ArrivalFacts, StoreError>> {
        self.look_up(move |reader| reader.arrival(&arrival))
    }

    /// Reads all agents, queues, holidays and the block list.
    pub fn routing(&self) -> oneshot::Receiver<Result<RoutingTables, StoreError>> {
        self.read(Reader::routing)
    }

    /// Reads why a call popped up or did not; none where nothing was set up or in the way.
    pub fn popup(
        &self,
        call: CallId,
    ) -> oneshot::Receiver<Result<Option<PopupDecision>, StoreError>> {
        self.read(move |reader| reader.popup(call))
    }

    /// Reads what a break of this phone's agent dials.
    pub fn pause_codes(&self) -> oneshot::Receiver<Result<Vec<QueueCodes>, StoreError>> {
        self.read(Reader::pause_codes)
    }

    /// Reads how long the agent was in each state from one moment to another, what goes on until `now`.
    pub fn state_totals(
        &self,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> oneshot::Receiver<Result<Vec<StateTotal>, StoreError>> {
        self.read(move |reader| reader.state_totals(from, to, now))
    }
}
