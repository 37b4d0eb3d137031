//! Where log lines go: to stderr, and of a phone to the log file.

use std::path::Path;
use std::sync::OnceLock;

use tracing::Level;
use tracing_subscriber::filter::{EnvFilter, LevelFilter, Targets};
use tracing_subscriber::layer::{Filter, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, fmt, reload};

use crate::base::log::{Limits, Log, LogLevel};

/// Says what is logged in place of the settings, such as `ringdesk=debug`.
pub(super) const VARIABLE: &str = "RINGDESK_LOG";

/// The log file of this process: there is one subscriber, too.
static LOG: OnceLock<Log> = OnceLock::new();

/// Starts logging: to stderr what went wrong, and into a folder, where one is named, as much as the settings
/// say; to both what `RINGDESK_LOG` asks for.
pub(super) fn start(folder: Option<&Path>) {
    let log = folder.and_then(|folder| Log::start(folder, Limits::default()).ok());
    let stderr: Box<dyn Filter<_> + Send + Sync> = match wanted() {
        Some(wanted) => Box::new(wanted),
        None => Box::new(of_level(LevelFilter::ERROR)),
    };
    tracing_subscriber::registry()
        .with(log.clone().map(file))
        .with(
            fmt::layer()
                .with_writer(std::io::stderr)
                .with_filter(stderr),
        )
        .init();
    if let Some(log) = log {
        note_panics();
        // Only one start of the program takes place in a process.
        drop(LOG.set(log));
    }
}

/// The log file, where this process has one.
pub(super) fn started() -> Option<Log> {
    LOG.get().cloned()
}

/// Waits until the file has what was logged.
pub(super) fn finish() {
    if let Some(log) = LOG.get() {
        log.flush();
    }
}

fn wanted() -> Option<EnvFilter> {
    EnvFilter::try_from_env(VARIABLE).ok()
}

/// The layer that writes the file. The settings are read later and may change.
fn file(log: Log) -> Box<dyn Layer<Registry> + Send + Sync> {
    let filter: Box<dyn Filter<Registry> + Send + Sync> = match wanted() {
        Some(wanted) => Box::new(wanted),
        None => {
            let (filter, change) = reload::Layer::new(of_level(LevelFilter::INFO));
            log.on_level(move |level| {
                let level = match level {
                    LogLevel::Error => Level::ERROR,
                    LogLevel::Warn => Level::WARN,
                    LogLevel::Info => Level::INFO,
                    LogLevel::Debug => Level::DEBUG,
                };
                // It fails only when the subscriber is gone, and with it the log.
                change.reload(of_level(level.into())).ok();
            });
            Box::new(filter)
        }
    };
    let layer = fmt::layer().with_ansi(false).with_writer(log);
    layer.with_filter(filter).boxed()
}

/// Ours up to a level, errors of others.
fn of_level(level: LevelFilter) -> Targets {
    Targets::new()
        .with_default(Level::ERROR)
        .with_target("ringdesk", level)
        // The sound server's client calls each of its ends an error; ours tell what matters.
        .with_target("pulseaudio", LevelFilter::OFF)
}

/// A panic is a bug that somebody will want to read of.
fn note_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        before(panic);
        // Stderr has it already: the level keeps it from there unless somebody asks for more.
        tracing::warn!("a thread panicked: {panic}");
    }));
}
