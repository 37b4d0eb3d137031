//! What may be found of each record, from what the driver said.

use std::collections::{BTreeMap, BTreeSet};

use crate::driver::Line;
use crate::record::{Record, Row};
use crate::script::{Edit, Script};

/// Each record with all that may be found of it: one thing where its last step was acknowledged, and
/// more where a step was begun and not answered, or refused, which may have come to the disk or not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    states: BTreeMap<Record, States>,
    /// Writes of several records that were begun and not answered: all or nothing of each may be found.
    open: Vec<Open>,
    /// What may never have come to the disk, and so cannot come back with what it belongs to.
    doubtful: BTreeSet<Record>,
}

type States = BTreeSet<Option<Row>>;

/// Such a write: each of its records, with what may be found of it before and after.
type Open = Vec<(Record, States, States)>;

impl Expected {
    /// Exactly these rows.
    pub(crate) fn of(rows: &BTreeMap<Record, Row>) -> Self {
        let states = rows
            .iter()
            .map(|(record, row)| (record.clone(), BTreeSet::from([Some(row.clone())])))
            .collect();
        Self {
            states,
            ..Self::default()
        }
    }

    /// These rows, on which the store is about to start.
    pub(crate) fn of_what_starts(rows: &BTreeMap<Record, Row>) -> Self {
        let states = rows
            .iter()
            .map(|(record, row)| {
                let states = BTreeSet::from([Some(row.clone()), Some(row.after_start())]);
                (record.clone(), states)
            })
            .collect();
        Self {
            states,
            ..Self::default()
        }
    }

    /// Takes note of what a driver said of its script.
    pub(crate) fn take(&mut self, script: &Script, said: &[Line]) {
        let mut acknowledged = BTreeSet::new();
        let mut begun = Vec::new();
        for line in said {
            match line {
                Line::Begin(step) => begun.push(*step),
                Line::Kept(step) | Line::Done(step) => {
                    acknowledged.insert(*step);
                }
                _ => {}
            }
        }
        for number in begun {
            let step = &script.steps[number];
            let changes: Open = step
                .records()
                .map(|record| {
                    let nothing = || BTreeSet::from([None]);
                    let before = self.states.get(record).cloned().unwrap_or_else(nothing);
                    let after = before
                        .iter()
                        .filter_map(|state| step.apply(record, state.as_ref()))
                        .collect();
                    (record.clone(), before, after)
                })
                .collect();
            // Of what is changed again, an earlier state may be found in another way.
            let again = |open: &Open| open.iter().any(|(it, ..)| step.records().any(|r| r == it));
            self.open.retain(|open| !again(open));
            let is_acknowledged = acknowledged.contains(&number);
            for (record, before, after) in &changes {
                let mut states = after.clone();
                assert!(
                    !is_acknowledged || !after.is_empty(),
                    "acknowledged, though nothing was there: {step:?}"
                );
                if !is_acknowledged {
                    self.doubtful.insert(record.clone());
                }
                let comes_back = matches!(step.edit, Edit::UndoDeletion(_));
                if !is_acknowledged || (comes_back && self.doubtful.contains(record)) {
                    states.extend(before.iter().cloned());
                }
                self.states.insert(record.clone(), states);
            }
            if !is_acknowledged && changes.len() > 1 {
                self.open.push(changes);
            }
        }
    }

    /// Compares; the error names the record.
    pub(crate) fn compare(&self, found: &BTreeMap<Record, Row>) -> Result<(), String> {
        for (record, states) in &self.states {
            let row = found.get(record).cloned();
            if !states.contains(&row) {
                return Err(format!("{record:?} is {row:#?}, not one of {states:#?}"));
            }
        }
        for open in &self.open {
            let is = |states: &States, record| states.contains(&found.get(record).cloned());
            let nothing = open.iter().all(|(record, before, _)| is(before, record));
            let all = open.iter().all(|(record, _, after)| is(after, record));
            if !nothing && !all {
                let records: Vec<&Record> = open.iter().map(|(record, ..)| record).collect();
                return Err(format!("a write was half done: {records:?}"));
            }
        }
        match found
            .keys()
            .find(|record| !self.states.contains_key(record))
        {
            Some(stranger) => Err(format!("nobody wrote {stranger:?}")),
            None => Ok(()),
        }
    }

    /// Whether each record can be in one way only.
    pub(crate) fn is_certain(&self) -> bool {
        self.states.values().all(|states| states.len() == 1)
    }
}
