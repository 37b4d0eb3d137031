//! Who works at this phone: in whose name the trail notes changes, and whose calls the log shows.

use std::sync::{PoisonError, RwLock};

use rusqlite::Connection;

use crate::crm::agents;
use crate::crm::number_key::Numbering;

/// The agent of this phone, as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct ActingAgent(RwLock<Names>);

#[derive(Debug, Default)]
struct Names {
    /// The one whom the settings name; empty where they name nobody.
    named: String,
    /// The only one whose lines the phone has; empty where there are none or several.
    at_lines: String,
}

impl ActingAgent {
    /// Takes the name of the settings, which goes before the tables; an empty one takes it away.
    pub(crate) fn set_name(&self, name: &str) {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        name.trim().clone_into(&mut names.named);
    }

    /// Reads again whose lines the phone has, after lines or agents changed.
    pub(crate) fn read_lines(
        &self,
        connection: &Connection,
        numbering: &Numbering,
    ) -> rusqlite::Result<()> {
        let agents = agents::of_lines(connection, numbering)?;
        let only = match agents.as_slice() {
            [only] => only.name.as_str(),
            _ => "",
        };
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        only.clone_into(&mut names.at_lines);
        Ok(())
    }

    /// The name; empty where nobody is known.
    pub(crate) fn name(&self) -> String {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if names.named.is_empty() {
            names.at_lines.clone()
        } else {
            names.named.clone()
        }
    }
}
