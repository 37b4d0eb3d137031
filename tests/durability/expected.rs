//! What may be found of each record, from what the driver said.

use std::collections::{BTreeMap, BTreeSet};

use crate::driver::Line;
use crate::record::{Record, Row};
use crate::script::Script;

/// Each record with all that may be found of it: one thing where its last step was acknowledged, and
/// more where a step was begun and not answered, or refused, which may have come to the disk or not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    states: BTreeMap<Record, BTreeSet<Option<Row>>>,
}

impl Expected {
    /// Exactly these rows.
    pub(crate) fn of(rows: &BTreeMap<Record, Row>) -> Self {
        let states = rows
            .iter()
            .map(|(record, row)| (record.clone(), BTreeSet::from([Some(row.clone())])))
            .collect();
        Self { states }
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
        Self { states }
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
            let states = self
                .states
                .entry(step.record.clone())
                .or_insert_with(|| BTreeSet::from([None]));
            let after: BTreeSet<_> = states
                .iter()
                .filter_map(|state| step.apply(state.as_ref()))
                .collect();
            if acknowledged.contains(&number) {
                assert!(
                    !after.is_empty(),
                    "acknowledged, though nothing was there: {step:?}"
                );
                *states = after;
            } else {
                states.extend(after);
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
