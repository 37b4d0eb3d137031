//! Lists that may be longer than one answer: they are asked for part by part.

use anyhow::bail;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::app::desk::DeskRequest;
use crate::app::lists::PART;
use crate::cli::records::ask;
use crate::cli::single_instance::{Reply, Request};
use crate::config::paths::Paths;

/// A part of a list, and where it goes on.
#[derive(Deserialize)]
struct Part {
    rows: Vec<Value>,
    next: Option<Value>,
}

/// How many rows are listed: so many as are asked for, else as the settings say.
pub(super) fn length(paths: &Paths, asked: Option<u32>) -> anyhow::Result<usize> {
    let length = match asked {
        Some(asked) => asked,
        None => {
            let config = crate::config::file::load(&paths.config_file)?;
            config.validate()?;
            config.settings.list_length
        }
    };
    Ok(usize::try_from(length)?)
}

/// Hands each row of a list to `each`, at most so many, from the place where it begins.
pub(super) async fn each_row<After: DeserializeOwned>(
    paths: &Paths,
    length: usize,
    first: Option<After>,
    request: impl Fn(Option<After>, usize) -> DeskRequest,
    mut each: impl FnMut(Value) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (mut left, mut after) = (length, first);
    loop {
        let request = request(after, left.min(PART));
        let part: Part = match ask(paths, Request::Desk(Box::new(request))).await? {
            Reply::Desk(answer) => serde_json::from_value(answer)?,
            other => bail!("unexpected answer: {other:?}"),
        };
        left = left.saturating_sub(part.rows.len());
        part.rows.into_iter().try_for_each(&mut each)?;
        match part.next {
            Some(next) if left > 0 => after = Some(serde_json::from_value(next)?),
            Some(_) | None => return Ok(()),
        }
    }
}
