//! `ringdesk trace`: the SIP ladder of a call, as a picture, as JSON or as a capture file.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::cli::args::TraceArgs;
use crate::cli::headless::print_line;
use crate::cli::run::Exit;
use crate::cli::single_instance::{Reply, Request};
use crate::cli::{ladder, pcap, records, setup};

/// Prints or exports the ladder of a call.
pub(super) async fn run(args: TraceArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.records.data_dir.as_deref())?;
    let found = match records::ask(&paths, Request::Ladder(args.call_id.clone())).await? {
        Reply::Ladder(found) => found,
        other => bail!("unexpected answer: {other:?}"),
    };
    let Some(found) = found else {
        bail!(
            "there is no call {} in the call log; ringdesk calls --json shows their ids",
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
        write_private(path, &pcap::capture(&found.messages))
            .with_context(|| format!("the capture {} cannot be written", path.display()))?;
    }
    Ok(Exit::Done)
}

/// Who called whom is nobody else's business.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)?.write_all(bytes)
}
