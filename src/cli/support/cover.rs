//! Takes secrets and people out of what goes into a bundle.

use super::Phone;
use crate::base::scrub::{self, People};
use crate::config::Config;

/// Takes secrets and people out of a text.
pub(super) struct Cover {
    people: Option<People>,
    home: Option<String>,
}

impl Cover {
    pub(super) fn new(config: Option<&Config>, phone: &Phone, people: bool) -> Self {
        let mut known = phone.people.clone();
        if let Some(config) = config {
            known.push(config.settings.agent.clone());
            known.extend(config.settings.colleagues.iter().map(|it| it.name.clone()));
            known.extend(config.accounts.iter().map(|it| it.display_name.clone()));
        }
        let home = std::env::home_dir().map(|home| home.to_string_lossy().into_owned());
        Self {
            people: (!people).then(|| People::new(known)),
            home: home.filter(|home| home.len() > 1),
        }
    }

    pub(super) fn over(&self, text: &str) -> String {
        let mut text = scrub::secrets(text);
        if let Some(people) = &self.people {
            // The user's own name stands in the path of their folder.
            if let Some(home) = &self.home {
                text = text.replace(home.as_str(), "~");
            }
            text = people.shorten(&names(&text));
        }
        text
    }
}

/// Shortens the values of settings that name somebody, in a file that the phone itself cannot read too.
fn names(text: &str) -> String {
    let lines = text
        .split_inclusive('\n')
        .map(|line| match line.split_once('=') {
            Some((key, value)) if matches!(key.trim(), "agent" | "display_name" | "name") => {
                let value = scrub::short(value.trim().trim_matches('"'));
                format!("{} = \"{value}\"\n", key.trim_end())
            }
            _ => line.to_owned(),
        });
    lines.collect()
}
