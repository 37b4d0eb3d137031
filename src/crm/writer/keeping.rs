//! What begins or happens in calls is made safe before the log has it: on a page of its own, or aside while
//! something takes long.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::commit::begin;
use super::{BATCH, Queued};
use crate::crm::arrivals::{self, News};
use crate::crm::aside::Aside;

/// So long the thread beside a long work waits for a call, until it looks whether the work is done.
const LOOKS_UP: Duration = Duration::from_millis(1);

/// So many writes are taken from the queue during a long work; what comes then is refused once the
/// queue is full, too.
const WAITING: usize = 1024;

/// Who waits for news of a call to be kept.
type Waits<'a> = &'a mut Option<oneshot::Sender<()>>;

/// The calls that begin and that somebody waits for; and, before a long work, what happened in calls.
fn news(batch: &mut [Box<Queued>], before_long: bool) -> (Vec<News<'_>>, Vec<Waits<'_>>) {
    let both = batch.iter_mut().filter_map(|queued| {
        let Queued { write, kept, .. } = queued.as_mut();
        let awaited = kept.as_ref().is_some_and(|it| !it.is_closed());
        let news = News::of(write).filter(|news| match news {
            News::Beginning(_) => awaited,
            News::Change { .. } => before_long && kept.is_some(),
        });
        news.map(|news| (news, kept))
    });
    both.unzip()
}

fn tell_kept(waits: Vec<Waits<'_>>) {
    for waits in waits.into_iter().filter_map(Option::take) {
        waits.send(()).ok();
    }
}

/// Keeps the calls that begin, if somebody waits for that, and before a long work what happened in calls;
/// true if there was something. What cannot be kept cannot be written either, which its answer will tell.
pub(super) fn keep(
    connection: &Connection,
    batch: &mut [Box<Queued>],
    before_long: bool,
    commits: &AtomicU64,
) -> bool {
    let (kept, waits) = news(batch, before_long);
    if kept.is_empty() {
        return false;
    }
    let commit = || {
        let transaction = begin(connection)?;
        for news in kept {
            arrivals::keep(&transaction, news)?;
        }
        transaction.commit()
    };
    match commit() {
        Ok(()) => {
            commits.fetch_add(1, Ordering::Relaxed);
            tell_kept(waits);
            true
        }
        Err(error) => {
            tracing::warn!("a call that begins could not be kept: {error}");
            false
        }
    }
}

/// Does what may take long, and meanwhile takes what comes from the queue and puts the calls that begin
/// aside, and what happens in calls.
pub(super) fn meanwhile<T>(
    queue: &mut Receiver<Box<Queued>>,
    waiting: &mut VecDeque<Box<Queued>>,
    aside: &mut Aside,
    work: impl FnOnce() -> T,
) -> T {
    thread::scope(|scope| {
        // Dropped when the work is done, also by a panic.
        let (works, done) = sync_channel::<()>(0);
        let beside = thread::Builder::new().name("ringdesk-store-arrivals".to_owned());
        let beside = beside.spawn_scoped(scope, move || look_after(queue, waiting, aside, &done));
        if let Err(error) = beside {
            tracing::warn!("calls that begin wait for a long write: {error}");
        }
        let result = work();
        drop(works);
        result
    })
}

/// Takes what comes, until the work is done or too much waits.
fn look_after(
    queue: &Receiver<Box<Queued>>,
    waiting: &mut VecDeque<Box<Queued>>,
    aside: &mut Aside,
    done: &Receiver<()>,
) {
    if let Err(error) = aside.prepare() {
        tracing::warn!("calls that begin cannot be put aside: {error}");
    }
    // What happens in a call is safe only with its beginning: after one failure nothing more is.
    let mut fails = false;
    while waiting.len() < WAITING && done.try_recv() != Err(TryRecvError::Disconnected) {
        let first = match queue.recv_timeout(LOOKS_UP) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let mut came = vec![first];
        came.extend(queue.try_iter().take(BATCH));
        let (kept, waits) = news(&mut came, true);
        if !kept.is_empty() && !fails {
            match aside.keep(&kept) {
                Ok(()) => tell_kept(waits),
                Err(error) => {
                    fails = true;
                    tracing::warn!("a call that begins could not be put aside: {error}");
                }
            }
        }
        waiting.extend(came);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::CallId;
    use crate::crm::Store;
    use crate::crm::row::{CallRow, CallState};
    use crate::crm::store::{CallChange, Write};

    /// A caller during an import rang as not durable, and a kill took its row along.
    #[test]
    fn a_call_that_begins_during_a_long_work_is_safe_before_that_ends() {
        let folder = tempfile::tempdir().unwrap();
        let mut aside = Aside::open(folder.path()).unwrap();
        let (sender, mut queue) = sync_channel(10);
        let mut waiting = VecDeque::new();
        let (ids, _answers): (Vec<CallId>, Vec<_>) =
            meanwhile(&mut queue, &mut waiting, &mut aside, || {
                (1..=3)
                    .map(|number| {
                        let id = CallId::new(number, [7; 10]);
                        let call = CallRow::ringing(id, "0301234567", jiff::Timestamp::UNIX_EPOCH);
                        let (kept, told) = oneshot::channel();
                        let (answer, answered) = oneshot::channel();
                        let queued = Queued {
                            write: Write::InsertCall(Box::new(call)),
                            kept: Some(kept),
                            answer,
                        };
                        sender.send(Box::new(queued)).unwrap();
                        // The work goes on as long as nobody says this.
                        assert_eq!(told.blocking_recv(), Ok(()));
                        (id, answered)
                    })
                    .unzip()
            });
        let in_file = Aside::open(folder.path()).unwrap();
        let in_file = in_file.lines().iter();
        let in_file = in_file.map(|line| serde_json::from_str::<CallRow>(line).unwrap().id);
        assert_eq!(in_file.collect::<Vec<_>>(), ids);
        let order = waiting.iter().map(|queued| match &queued.write {
            Write::InsertCall(call) => call.id,
            other => panic!("{other:?}"),
        });
        assert_eq!(order.collect::<Vec<_>>(), ids);
    }

    /// An answer that was told waited for the import: after a kill the talk was a missed call.
    #[test]
    fn what_happens_in_a_call_during_a_long_work_is_safe_before_that_ends() {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open(folder.path(), "DE").unwrap());
        let mut aside = Aside::open(folder.path()).unwrap();
        let (sender, mut queue) = sync_channel(10);
        let mut waiting = VecDeque::new();
        let id = CallId::new(1, [7; 10]);
        let call = CallRow::ringing(id, "0301234567", jiff::Timestamp::UNIX_EPOCH);
        let at = jiff::Timestamp::from_second(5).unwrap();
        let answered = CallChange::Answered {
            at,
            waiting_millis: 5_000,
        };
        let notes = CallChange::Notes("calls again".to_owned());
        let writes = [
            Write::InsertCall(Box::new(call)),
            Write::ChangeCall(id, answered),
            Write::ChangeCall(id, CallChange::Held(true)),
            Write::ChangeCall(id, notes),
            // Nobody waits for that one.
            Write::ChangeCall(id, CallChange::Done(false)),
        ];
        let _answers: Vec<_> = meanwhile(&mut queue, &mut waiting, &mut aside, || {
            let sent = writes.map(|write| {
                let (kept, told) = oneshot::channel();
                let (answer, answered) = oneshot::channel();
                let safe = News::of(&write).is_some();
                let queued = Queued {
                    write,
                    kept: Some(kept),
                    answer,
                };
                sender.send(Box::new(queued)).unwrap();
                if safe {
                    assert_eq!(told.blocking_recv(), Ok(()));
                }
                answered
            });
            sent.into_iter().collect()
        });
        // The phone is killed there: nothing of what waits is written.
        drop(waiting);
        drop(aside);
        let store = Store::open(folder.path(), "DE").unwrap();
        let row = store.call(id).blocking_recv().unwrap().unwrap().unwrap();
        assert_eq!(row.state, CallState::Interrupted);
        assert_eq!(row.answered_at, Some(at));
        assert_eq!((row.done, row.notes.as_str()), (true, "calls again"));
    }
}
