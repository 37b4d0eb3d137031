//! `ringdesk calls play`: a recording is heard without the window.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::app::{PlayedAlone, devices};
use crate::cli::args::AnswerArgs;
use crate::cli::headless::{Signals, print_line};
use crate::cli::run::Exit;
use crate::cli::single_instance::{Reply, Request};
use crate::cli::{records, setup};
use crate::config::file;

/// Options of `ringdesk calls play`.
#[derive(Debug, Args)]
pub(super) struct CallPlayArgs {
    /// The call: its id in events and in `ringdesk calls --json`, or its SIP Call-ID.
    #[arg(value_name = "CALL_ID")]
    call_id: String,
    /// From there on.
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0, value_parser = begin)]
    from: f64,
    /// How fast, at the same pitch: 0.5 to 2.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// Sound device: null, default or a name (default: the speaker of the settings).
    #[arg(long, value_name = "NAME")]
    audio: Option<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

fn begin(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|it| (0.0..=1e6).contains(it));
    seconds.ok_or_else(|| "a time in seconds, from 0 on".to_owned())
}

fn speed(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|it| (0.5..=2.0).contains(it));
    factor.ok_or_else(|| "a factor from 0.5 to 2".to_owned())
}

/// Plays the recording of a call to its end.
pub(super) async fn run(args: CallPlayArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.answer.records.data_dir.as_deref())?;
    let found = match records::ask(&paths, Request::Quality(args.call_id.clone())).await? {
        Reply::Quality(found) => found,
        other => bail!("unexpected answer: {other:?}"),
    };
    let call = found.map(|found| found.call).with_context(|| {
        let id = &args.call_id;
        format!("there is no call {id} in the call log; `ringdesk calls --json` shows their ids")
    })?;
    let mut settings = file::load(&paths.config_file)?.settings;
    if let Some(name) = args.audio {
        settings.speaker = name;
    }
    let mut signals = Signals::new()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 50 to 200"
    )]
    let percent = (args.speed * 100.0).round() as u32;
    let from = Duration::from_secs_f64(args.from);
    let played = PlayedAlone {
        call: call.id,
        recording: call.recording,
        folder: setup::record_dir(&paths, None, &settings.record_dir)?,
        fetched: paths.data_dir.join("fetched"),
        devices: devices(&settings),
    };
    let length = tokio::select! {
        length = played.play(from, percent) => length?,
        exit = signals.recv() => return Ok(exit),
    };
    if args.answer.json {
        let told = serde_json::json!({"call_id": call.id, "length_ms": length.as_millis()});
        print_line(&told.to_string());
    }
    Ok(Exit::Done)
}
