//! The command line: arguments, the window, headless mode, the lab, links and records.

mod args;
mod care;
mod care_args;
mod control_line;
mod deferred;
mod demo;
mod desk;
mod desk_args;
#[cfg(feature = "gui")]
mod desktop;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod desktop_entry;
mod dial_again;
mod doctor;
mod edit_args;
mod event_line;
mod exchange;
mod exchange_args;
mod extension_args;
mod headless;
mod hint_args;
mod hints;
mod ice_args;
mod lab;
mod lab_guests;
mod lists;
mod log;
mod moment;
#[cfg(test)]
mod named_commands;
#[cfg(feature = "gui")]
mod pages;
mod play;
mod printer;
mod quality;
mod records;
mod routing;
mod routing_args;
mod rule_args;
mod run;
mod set_up;
mod setup;
mod single_instance;
mod support;
mod tls_args;
mod trace;
mod voice_args;

pub use run::main;
