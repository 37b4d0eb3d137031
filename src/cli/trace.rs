//! `ringdesk trace`: the SIP ladder of a call, as a picture, as JSON or as a capture file.

use anyhow::{Context as _, bail};

use crate::app::pcap;
use crate::cli::args::TraceArgs;
use crate::cli::headless::print_line;
use crate::cli::run::Exit;
use crate::cli::single_instance::{Reply, Request};
use crate::cli::{records, setup};
use crate::control::ladder;

/// Prints or exports the ladder of a call.
pub(super) async fn run(args: TraceArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.records.data_dir.as_deref())?;
    let found = match records::ask(&paths, Request::Ladder(args.call_id.clone())).await? {
        Reply::Ladder(found) => found,
        other => bail!("unexpected answer: {other:?}"),
    };
    let Some(found) = found else {
        bail!(
            "there is no call {} in the call log; `ringdesk calls --json` shows their ids",
            args.call_id
        );
    };
    if args.json {
        for message in &found.messages {
            print_line(&serde_json::to_string(message)?);
        }
    } else if args.pcap.is_none() {
        for line in ladder::picture(&found) {
            print_line(&line);
        }
    }
    if let Some(path) = &args.pcap {
        pcap::write(path, &found.messages)
            .with_context(|| format!("the capture {} cannot be written", path.display()))?;
    }
    Ok(Exit::Done)
}
