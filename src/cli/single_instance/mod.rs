//! One phone for each data folder: links and record commands go through the running one.
//!
//! The running phone listens on a local socket in its runtime folder, which only its user can
//! enter. One line of JSON in, one line out.

mod carry_out;
mod health;
mod request;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use interprocess::local_socket::tokio::{Listener, Stream, prelude::*};
use interprocess::local_socket::{GenericFilePath, ListenerOptions, Name};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::task::{JoinHandle, JoinSet};

use crate::app::Records;
use crate::config::paths::Paths;
use crate::control::Handle;

use self::carry_out::carry_out;
pub(super) use self::carry_out::carry_out_on_records;
pub(super) use self::health::{Health, health};
pub(super) use self::request::{Reply, Request};

/// How long the other side may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// How long a question may be.
const QUESTION_LIMIT: u64 = 256 * 1024;

/// How long an answer may be: 100,000 rows of calls.
const ANSWER_LIMIT: u64 = 256 * 1024 * 1024;

/// Asks the running phone; none when no phone runs on this data folder.
///
/// # Errors
///
/// Fails when a phone runs but does not answer.
pub(super) async fn ask(paths: &Paths, request: &Request) -> io::Result<Option<Reply>> {
    let path = socket_path(paths);
    let Ok(name) = name(&path) else {
        return Ok(None);
    };
    let Ok(stream) = Stream::connect(name).await else {
        return Ok(None);
    };
    let exchange = async {
        let mut writer = &stream;
        let mut question = serde_json::to_vec(request)?;
        question.push(b'\n');
        writer.write_all(&question).await?;
        let mut answer = Vec::new();
        BufReader::new((&stream).take(ANSWER_LIMIT))
            .read_until(b'\n', &mut answer)
            .await?;
        serde_json::from_slice(&answer).map_err(io::Error::from)
    };
    match tokio::time::timeout(request.deadline(), exchange).await {
        Ok(reply) => reply.map(Some),
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the running Ringdesk does not answer; end it and start it again",
        )),
    }
}

/// Listens for other processes until dropped; without a socket the phone works, only links and
/// record commands do not reach it.
pub(super) fn serve(paths: &Paths, handle: Handle, records: Records) -> Option<Server> {
    let path = socket_path(paths);
    // The store's lock says that we are the only phone: a socket file here is a dead one's.
    drop(std::fs::remove_file(&path));
    let listener = name(&path).and_then(|name| ListenerOptions::new().name(name).create_tokio());
    match listener {
        Ok(listener) => {
            let task = tokio::spawn(accept(listener, handle, records));
            Some(Server { task, path })
        }
        Err(error) => {
            tracing::warn!(
                "links will not reach this phone: {}: {error}",
                path.display()
            );
            None
        }
    }
}

/// The listening socket; it goes with this.
pub(super) struct Server {
    task: JoinHandle<()>,
    path: PathBuf,
}

impl Server {
    /// Stops listening and lets go of the records, so that the store can close in order.
    pub(super) async fn stop(mut self) {
        self.task.abort();
        // An aborted task answers with that; it is what was asked for.
        drop((&mut self.task).await);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        drop(std::fs::remove_file(&self.path));
    }
}

async fn accept(listener: Listener, handle: Handle, records: Records) {
    // One at a time: each takes milliseconds, and nobody can pile them up. What takes longer goes on
    // beside them, one at a time too; it ends with this.
    let mut long = JoinSet::new();
    loop {
        let Ok(stream) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        while long.try_join_next().is_some() {}
        let busy = !long.is_empty();
        let exchange = async {
            let reply = match question(&stream).await? {
                Ok(request) if request.is_long() && !busy => return Ok(Some(request)),
                Ok(request) if request.is_long() => {
                    Reply::Impossible("the running Ringdesk is still at another import, merge, backup, export or erasure; wait until it is done".to_owned())
                }
                Ok(request) => carry_out(request, &handle, &records).await,
                Err(impossible) => impossible,
            };
            answer(&stream, &reply).await?;
            Ok::<_, io::Error>(None)
        };
        match tokio::time::timeout(DEADLINE, exchange).await {
            Ok(Ok(Some(request))) => {
                let (handle, records) = (handle.clone(), records.clone());
                long.spawn(async move {
                    let reply = carry_out(request, &handle, &records).await;
                    if let Err(error) = answer(&stream, &reply).await {
                        tracing::debug!("another process did not wait for its answer: {error}");
                    }
                });
            }
            Ok(Err(error)) => tracing::debug!("another process asked in vain: {error}"),
            Ok(Ok(None)) | Err(_) => {}
        }
    }
}

/// Reads what another process asks, or why it cannot be understood.
async fn question(stream: &Stream) -> io::Result<Result<Request, Reply>> {
    let mut question = Vec::new();
    BufReader::new(stream.take(QUESTION_LIMIT))
        .read_until(b'\n', &mut question)
        .await?;
    Ok(serde_json::from_slice(&question).map_err(|error| {
        Reply::Impossible(format!("the running Ringdesk does not know that: {error}"))
    }))
}

async fn answer(stream: &Stream, reply: &Reply) -> io::Result<()> {
    let mut writer = stream;
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    writer.write_all(&line).await
}

fn socket_path(paths: &Paths) -> PathBuf {
    paths.runtime_dir.join("phone.sock")
}

fn name(path: &std::path::Path) -> io::Result<Name<'_>> {
    path.to_fs_name::<GenericFilePath>()
}

#[cfg(test)]
mod tests;
