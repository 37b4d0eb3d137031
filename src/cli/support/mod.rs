//! The support bundle: what somebody who helps from afar needs to know, without a secret, and with people at
//! full length only where the agent says so.
//!
//! Everything passes [`Cover`] on its way into a file, whatever was done to it before.

mod contents;
mod cover;
mod messages;
mod phone;

use std::path::Path;

use crate::app::{self, Records};
use crate::base::{clock, scrub};
use crate::cli::doctor::{self, Check};
use crate::cli::headless::{print_error, print_line};
use crate::cli::single_instance::{self, Reply, Request};
use crate::config::file;
use crate::config::numbering::default_region;
use crate::config::paths::Paths;
use crate::control::{SupportBundle, SupportFile};

use self::cover::Cover;
use self::phone::of_records;
pub(super) use self::phone::{Phone, phone};

/// The file about the store.
const STORE: &str = "store.txt";

/// Gathers everything.
pub(super) async fn gather(
    paths: &Paths,
    checks: &[Check],
    phone: Phone,
    people: bool,
) -> SupportBundle {
    let config = file::load(&paths.config_file);
    let cover = Cover::new(config.as_ref().ok(), &phone, people);
    let mut bundle = SupportBundle {
        people,
        ..SupportBundle::default()
    };
    let mut add = |name: &str, text: &str| {
        bundle.files.push(SupportFile {
            name: name.to_owned(),
            // Of the store there are counts alone, which look like numbers of people.
            text: if name == STORE {
                text.to_owned()
            } else {
                cover.over(text)
            },
        });
    };
    add("about.txt", &contents::about(people));
    let lines: Vec<String> = checks.iter().map(doctor::line).collect();
    add("doctor.txt", &(lines.join("\n") + "\n"));
    add("config.toml", &contents::settings(paths, config));
    add("accounts.txt", &contents::accounts(&phone));
    add("devices.txt", &(phone.devices.join("\n") + "\n"));
    add("network.txt", &contents::network());
    add(STORE, &contents::store(paths).await);
    for (address, messages) in &phone.registrations {
        let user = scrub::short(address.rsplit(':').next().unwrap_or_default());
        add(
            &format!("sip/registration of {}.txt", plain(&user)),
            &messages::ladder(messages),
        );
    }
    for told in &phone.ladders {
        add(
            &format!("sip/call {}.txt", told.call.id),
            &messages::of_call(told),
        );
    }
    for (name, text) in contents::log_files(&paths.log_dir) {
        add(&format!("log/{name}"), &text);
    }
    bundle
}

/// The letters and digits of a text, for the name of a file.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '.' | '-'))
        .collect()
}

/// Gathers a bundle for the command line, lists what is in it and writes it.
pub(super) async fn write(
    paths: &Paths,
    checks: &[Check],
    file: &Path,
    people: bool,
    json: bool,
) -> anyhow::Result<()> {
    let phone = match single_instance::ask(paths, &Request::Support).await {
        Ok(Some(Reply::Support(phone))) => *phone,
        Ok(Some(_)) | Err(_) => Phone::default(),
        Ok(None) => without_phone(paths).await,
    };
    let bundle = gather(paths, checks, phone, people).await;
    let written = app::save_support_bundle(&bundle, file, clock::wall_now());
    let written = written.map_err(|error| {
        anyhow::anyhow!(
            "the support bundle {} cannot be written ({error}); name another file",
            file.display()
        )
    })?;
    // The checks are on stdout, for scripts.
    for file in &bundle.files {
        print_error(&format!("{:>9} octets  {}", file.text.len(), file.name));
    }
    let done = format!(
        "The support bundle is {}; look through it before you send it.",
        written.display()
    );
    if json {
        print_error(&done);
    } else {
        print_line(&done);
    }
    Ok(())
}

async fn without_phone(paths: &Paths) -> Phone {
    let config = file::load(&paths.config_file).unwrap_or_default();
    let region = default_region(config.accounts.iter(), &config.settings);
    if !paths.data_dir.exists() {
        return Phone::default();
    }
    match Records::open(&paths.data_dir, region) {
        Ok(records) => of_records(&records).await,
        Err(_) => Phone::default(),
    }
}

#[cfg(test)]
mod tests;
