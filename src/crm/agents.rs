//! Agents, their own numbers and their groups.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::base::id::AgentId;
use crate::crm::number_key::{NumberKeys, Numbering};
use crate::crm::routing_row::AgentRow;
use crate::crm::search::folded;
use crate::crm::writer::WriteError;

/// An agent has at most so many numbers, and is in at most so many groups.
const MANY: usize = 100;

pub(crate) const CREATE: &str = "
-- Who takes calls at this phone and beside it. AUTOINCREMENT: an id is never used again. `panel` is
-- an administrator's word on whether calls may pop up there.
CREATE TABLE agents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    login TEXT NOT NULL,
    active INTEGER NOT NULL,
    panel INTEGER NOT NULL
) STRICT;
-- The own lines; `number` is the key that all spellings share.
CREATE TABLE agent_numbers (
    agent INTEGER NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    raw TEXT NOT NULL,
    number TEXT,
    PRIMARY KEY (agent, place)
) STRICT, WITHOUT ROWID;
-- Whose line is called? Asked before each call rings.
CREATE INDEX agent_numbers_by_number ON agent_numbers (number) WHERE number IS NOT NULL;
-- Groups are made by being named, and go with their last member and slot.
CREATE TABLE agent_groups (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE agent_group_members (
    agent_group INTEGER NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
    agent INTEGER NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    PRIMARY KEY (agent_group, agent)
) STRICT, WITHOUT ROWID;
-- An agent shows its groups, and takes its memberships along.
CREATE INDEX agent_group_members_by_agent ON agent_group_members (agent);
";

const COLUMNS: &str = "a.id, a.name, a.login, a.active, a.panel FROM agents a";

/// Reads all agents, by name.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<AgentRow>> {
    whole(connection, "ORDER BY a.folded", params![])
}

/// Whether there are any.
pub(crate) fn any(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM agents LIMIT 1")?
        .exists([])
}

/// Reads the agents with an own number of this key.
pub(crate) fn with_number(connection: &Connection, key: &str) -> rusqlite::Result<Vec<AgentRow>> {
    whole(
        connection,
        "WHERE a.id IN (SELECT agent FROM agent_numbers WHERE number = ?1) ORDER BY a.folded",
        params![key],
    )
}

/// Reads the members of a group, by name.
pub(crate) fn of_group(connection: &Connection, group: &str) -> rusqlite::Result<Vec<AgentRow>> {
    whole(
        connection,
        "WHERE a.id IN (SELECT m.agent FROM agent_group_members m
            JOIN agent_groups g ON g.id = m.agent_group WHERE g.folded = ?1)
         ORDER BY a.folded",
        params![folded(group.trim())],
    )
}

/// Reads the agents of this phone: those of whom an own number is one of its lines.
pub(crate) fn of_lines(
    connection: &Connection,
    numbering: &Numbering,
) -> rusqlite::Result<Vec<AgentRow>> {
    let mut agents = Vec::new();
    for key in numbering.own_keys() {
        for agent in with_number(connection, &key)? {
            if !agents.contains(&agent) {
                agents.push(agent);
            }
        }
    }
    Ok(agents)
}

/// Inserts (id 0) or changes an agent with all numbers and groups.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    row: &AgentRow,
    numbering: &Numbering,
) -> Result<AgentId, WriteError> {
    let name = row.name.trim();
    if name.is_empty() {
        return Err(WriteError::Refused("an agent needs a name".to_owned()));
    }
    if row.numbers.len() > MANY || row.groups.len() > MANY {
        return Err(WriteError::Refused(format!(
            "an agent has at most {MANY} numbers and {MANY} groups"
        )));
    }
    let namesake: Option<i64> = transaction
        .prepare_cached("SELECT id FROM agents WHERE folded = ?1")?
        .query_row([folded(name)], |found| found.get(0))
        .optional()?;
    if namesake.is_some_and(|id| id != row.id.0) {
        return Err(WriteError::Refused(format!(
            "there is an agent {name} already; change that one or choose another name"
        )));
    }
    let values = params![
        (row.id.0 != 0).then_some(row.id.0),
        name,
        folded(name),
        row.login.trim(),
        row.active,
        row.panel
    ];
    let id = if row.id.0 == 0 {
        transaction
            .prepare_cached(
                "INSERT INTO agents (id, name, folded, login, active, panel)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(values)?;
        AgentId(transaction.last_insert_rowid())
    } else {
        let changed = transaction
            .prepare_cached(
                "UPDATE agents SET name = ?2, folded = ?3, login = ?4, active = ?5, panel = ?6
                 WHERE id = ?1",
            )?
            .execute(values)?;
        if changed == 0 {
            return Err(WriteError::Missing("agent"));
        }
        row.id
    };
    for table in ["agent_numbers", "agent_group_members"] {
        transaction
            .prepare_cached(&format!("DELETE FROM {table} WHERE agent = ?1"))?
            .execute([id.0])?;
    }
    let numbers = row.numbers.iter().map(|raw| raw.trim());
    for (place, raw) in (0_i64..).zip(numbers.filter(|raw| !raw.is_empty())) {
        transaction
            .prepare_cached(
                "INSERT INTO agent_numbers (agent, place, raw, number) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![id.0, place, raw, numbering.keys(raw).key()])?;
    }
    for group in row.groups.iter().filter(|group| !group.trim().is_empty()) {
        let group = group_named(transaction, group)?;
        transaction
            .prepare_cached(
                "INSERT OR IGNORE INTO agent_group_members (agent_group, agent) VALUES (?1, ?2)",
            )?
            .execute([group, id.0])?;
    }
    Ok(id)
}

/// Deletes an agent.
pub(crate) fn delete(transaction: &Transaction<'_>, id: AgentId) -> Result<(), WriteError> {
    let deleted = transaction
        .prepare_cached("DELETE FROM agents WHERE id = ?1")?
        .execute([id.0])?;
    if deleted == 0 {
        return Err(WriteError::Missing("agent"));
    }
    Ok(())
}

/// Finds the group of a name, or inserts it.
pub(crate) fn group_named(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<i64> {
    let name = name.trim();
    transaction
        .prepare_cached("INSERT OR IGNORE INTO agent_groups (name, folded) VALUES (?1, ?2)")?
        .execute([name, &folded(name)])?;
    transaction
        .prepare_cached("SELECT id FROM agent_groups WHERE folded = ?1")?
        .query_row([folded(name)], |row| row.get(0))
}

/// Drops groups that nobody is in and no slot names.
pub(crate) fn drop_unused_groups(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "DELETE FROM agent_groups WHERE id NOT IN (SELECT agent_group FROM agent_group_members)
             AND id NOT IN (SELECT agent_group FROM time_slots)",
        )?
        .execute([])?;
    Ok(())
}

/// Makes all keys again, after the region for numbers without a country code changed.
pub(crate) fn read_again(transaction: &Transaction<'_>, region: &str) -> rusqlite::Result<()> {
    let mut all = transaction.prepare("SELECT agent, place, raw FROM agent_numbers")?;
    let mut change = transaction
        .prepare("UPDATE agent_numbers SET number = ?3 WHERE agent = ?1 AND place = ?2")?;
    // The keys may change while the table is read: they are not part of its order.
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        let (agent, place): (i64, i64) = (row.get(0)?, row.get(1)?);
        let keys = NumberKeys::of(&row.get::<_, String>(2)?, region);
        change.execute(params![agent, place, keys.key()])?;
    }
    Ok(())
}

fn whole(
    connection: &Connection,
    condition: &str,
    values: &[&dyn rusqlite::ToSql],
) -> rusqlite::Result<Vec<AgentRow>> {
    let mut query = connection.prepare_cached(&format!("SELECT {COLUMNS} {condition}"))?;
    let mut agents = query
        .query_map(values, read)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for agent in &mut agents {
        agent.numbers = texts(
            connection,
            "SELECT raw FROM agent_numbers WHERE agent = ?1 ORDER BY place",
            agent.id.0,
        )?;
        agent.groups = texts(
            connection,
            "SELECT g.name FROM agent_group_members m JOIN agent_groups g ON g.id = m.agent_group
             WHERE m.agent = ?1 ORDER BY g.folded",
            agent.id.0,
        )?;
    }
    Ok(agents)
}

/// Reads the texts that belong to a row.
pub(crate) fn texts(connection: &Connection, sql: &str, id: i64) -> rusqlite::Result<Vec<String>> {
    let mut query = connection.prepare_cached(sql)?;
    let rows = query.query_map([id], |row| row.get(0))?;
    rows.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<AgentRow> {
    Ok(AgentRow {
        id: AgentId(row.get(0)?),
        name: row.get(1)?,
        login: row.get(2)?,
        active: row.get(3)?,
        panel: row.get(4)?,
        numbers: Vec::new(),
        groups: Vec::new(),
    })
}
