//! The page cache: the window asks at each frame, a worker reads.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use crate::app::engine::Waker;
use crate::app::ladders::SharedLadders;
use crate::app::popups;
use crate::app::records::Records;
use crate::control::handle::PageSource;
use crate::control::{Page, PageRequest, WorkPage, WorkRequest};
use crate::crm::{Reader, Store, StoreError};

/// How many pages are kept: a long scroll through the call log and back.
const CAPACITY: usize = 256;
/// Rows of one page.
const ROWS: usize = 100;
/// How many reads may wait; past that a frame simply asks again.
const QUEUE: usize = 64;

/// Pages by request, each with the store's revision that it shows.
pub(super) struct PageCache {
    pages: Mutex<HashMap<PageRequest, Entry>>,
    revision: AtomicU64,
    /// Grows with each SIP message of a call.
    ladders: AtomicU64,
    tick: AtomicU64,
    wanted: mpsc::Sender<(PageRequest, u64)>,
}

struct Entry {
    page: Option<Arc<Page>>,
    /// The revision that was read or is being read.
    revision: u64,
    /// When it was last asked for, to forget the oldest.
    used: u64,
}

impl PageCache {
    /// Starts the worker.
    pub(super) fn start(store: &Arc<Store>, ladders: SharedLadders, waker: Waker) -> Arc<Self> {
        let (wanted, mut requests) = mpsc::channel::<(PageRequest, u64)>(QUEUE);
        let cache = Arc::new(Self {
            pages: Mutex::new(HashMap::new()),
            revision: AtomicU64::new(0),
            ladders: AtomicU64::new(0),
            tick: AtomicU64::new(0),
            wanted,
        });
        let weak = Arc::downgrade(&cache);
        // The store closes when the engine and its scripts are done with it, not when this is.
        let store = Arc::downgrade(store);
        tokio::spawn(async move {
            while let Some((request, revision)) = requests.recv().await {
                let Some(store) = store.upgrade() else { break };
                let records = Records::of(store, ladders.clone());
                let page = Arc::new(read(&records, &request).await);
                drop(records);
                let Some(cache) = weak.upgrade() else { break };
                let mut pages = cache.pages.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(entry) = pages.get_mut(&request)
                    && entry.revision <= revision
                {
                    entry.page = Some(page);
                }
                drop(pages);
                waker.wake();
            }
        });
        cache
    }

    /// Rows changed: what is kept is shown until it is read again.
    pub(super) fn invalidate(&self, revision: u64) {
        self.revision.store(revision, Ordering::Release);
    }

    /// A SIP message of a call came or went, or ladders were written.
    pub(super) fn invalidate_ladders(&self) {
        self.ladders.fetch_add(1, Ordering::Release);
    }

    /// What a page must show to be the newest; it only grows.
    fn newest(&self, request: &PageRequest) -> u64 {
        let rows = self.revision.load(Ordering::Acquire);
        match request {
            PageRequest::Ladder(_) | PageRequest::Quality(_) => {
                rows + self.ladders.load(Ordering::Acquire)
            }
            PageRequest::Calls { .. }
            | PageRequest::Call(_)
            | PageRequest::Contacts { .. }
            | PageRequest::Contact(_)
            | PageRequest::Organizations { .. }
            | PageRequest::Identify(_)
            | PageRequest::Work(_) => rows,
        }
    }
}

impl PageSource for PageCache {
    fn page(&self, request: &PageRequest) -> Option<Arc<Page>> {
        let revision = self.newest(request);
        let used = self.tick.fetch_add(1, Ordering::Relaxed);
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let known = pages.get_mut(request);
        let fresh = known
            .as_ref()
            .is_some_and(|entry| entry.revision == revision);
        let page = known.and_then(|entry| {
            entry.used = used;
            entry.page.clone()
        });
        if !fresh && self.wanted.try_send((request.clone(), revision)).is_ok() {
            pages.insert(
                request.clone(),
                Entry {
                    page: page.clone(),
                    revision,
                    used,
                },
            );
            if pages.len() > CAPACITY {
                let oldest = pages
                    .iter()
                    .min_by_key(|(_, entry)| entry.used)
                    .map(|(key, _)| key.clone());
                if let Some(oldest) = oldest {
                    pages.remove(&oldest);
                }
            }
        }
        page
    }
}

async fn read(records: &Records, request: &PageRequest) -> Page {
    let store = records.store();
    const CLOSED: &str = "the call log is closed";
    macro_rules! rows {
        ($read:expr, $rows:ident => $page:expr) => {
            match $read.await {
                Ok(Ok($rows)) => $page,
                Ok(Err(error)) => Page::Failed(error.to_string()),
                Err(_) => Page::Failed(CLOSED.to_owned()),
            }
        };
    }
    match request {
        PageRequest::Calls {
            filter,
            search,
            after,
        } => {
            rows!(store.calls(*filter, search, *after, ROWS), page => Page::Calls(page))
        }
        PageRequest::Call(id) => rows!(store.call(*id), row => Page::Call(row.map(Box::new))),
        PageRequest::Ladder(id) => match records.ladder_of(*id).await {
            Ok(ladder) => Page::Ladder(ladder.map(Box::new)),
            Err(error) => Page::Failed(error.to_string()),
        },
        PageRequest::Quality(id) => {
            rows!(store.quality(*id), spans => Page::Quality(spans))
        }
        PageRequest::Contacts { search, after } => {
            rows!(store.contacts(search, after.clone(), ROWS), page => Page::Contacts(page))
        }
        PageRequest::Contact(id) => {
            rows!(store.contact(*id), row => Page::Contact(row.map(Box::new)))
        }
        PageRequest::Organizations { search, after } => {
            rows!(store.organizations(search, after.clone(), ROWS), page => Page::Organizations(page))
        }
        PageRequest::Identify(number) => {
            rows!(store.identify(number), found => Page::Identify(Box::new(found)))
        }
        PageRequest::Work(request) => {
            let request = request.clone();
            rows!(store.read(move |reader| read_work(reader, &request)), page => Page::Work(page))
        }
    }
}

/// Entries of one page of a timeline.
const ENTRIES: usize = 50;

/// So many records of each kind are found at once.
const FOUND: usize = 8;

/// So many guesses are listed: more are told by no number.
const HINTS: usize = 50;

/// So many tasks are listed.
const TASKS: u32 = 500;

fn read_work(reader: &Reader, request: &WorkRequest) -> Result<WorkPage, StoreError> {
    Ok(match request {
        WorkRequest::Leads {
            stage,
            search,
            after,
        } => WorkPage::Leads(reader.leads(*stage, search, after.as_ref(), ROWS)?),
        WorkRequest::Tickets {
            filter,
            search,
            after,
        } => WorkPage::Tickets(reader.tickets(*filter, search, *after, ROWS)?),
        WorkRequest::Ticket(id) => WorkPage::Ticket(reader.ticket(*id)?.map(Box::new)),
        WorkRequest::Tasks(filter) => WorkPage::Tasks(reader.tasks(*filter, None, TASKS)?),
        WorkRequest::Timeline { about, after } => {
            let (entries, next) = reader.timeline(*about, *after, ENTRIES)?;
            WorkPage::Timeline { entries, next }
        }
        WorkRequest::Organization(id) => {
            WorkPage::Organization(reader.organization(*id)?.map(Box::new))
        }
        WorkRequest::Find(text) => WorkPage::Found(Box::new(reader.search(text, FOUND)?)),
        WorkRequest::Callbacks { search, after } => {
            WorkPage::Callbacks(reader.callbacks(search, *after, ROWS)?)
        }
        WorkRequest::Hints(filter) => WorkPage::Hints(reader.hints(filter, None, HINTS)?),
        WorkRequest::CallTypes => WorkPage::CallTypes(reader.call_types()?),
        WorkRequest::UndoSteps => WorkPage::UndoSteps(reader.undo_steps()?),
        WorkRequest::Figures { since, until } => WorkPage::Figures(reader.figures(*since, *until)?),
        WorkRequest::Hours { since, until } => WorkPage::Hours(reader.hours(*since, *until)?),
        WorkRequest::Routing => WorkPage::Routing(Box::new(reader.routing()?)),
        WorkRequest::Preview(question) => {
            WorkPage::Preview(Box::new(popups::preview(reader, question)?))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::app::ladders::Traced;
    use crate::base::clock;
    use crate::base::flow::Transport;
    use crate::base::id::CallId;
    use crate::base::redact::WireMessage;
    use crate::crm::row::CallRow;
    use crate::crm::store::Write;

    fn invite(now: Instant, ladders: &SharedLadders) {
        let text = b"INVITE sip:a SIP/2.0\r\nCall-ID: one\r\nCSeq: 1 INVITE\r\n\r\n";
        let traced = Traced {
            sent: false,
            transport: Transport::Udp,
            local: None,
            remote: "10.0.0.2:5070".parse().unwrap(),
            message: WireMessage::new(text),
        };
        ladders
            .lock()
            .trace(now, jiff::Timestamp::UNIX_EPOCH, traced);
    }

    #[tokio::test]
    async fn a_ladder_is_read_again_when_a_message_comes_and_other_pages_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path(), "DE").unwrap());
        let call = CallId::new(1, [1; 10]);
        let row = CallRow::ringing(call, "0301", jiff::Timestamp::UNIX_EPOCH);
        let written = store.write(Write::InsertCall(Box::new(row)));
        written.await.unwrap().unwrap();
        let (waker, ladders) = (Waker::default(), SharedLadders::default());
        let read = Arc::new(tokio::sync::Notify::new());
        let told = Arc::clone(&read);
        waker.set(Arc::new(move || told.notify_one()));
        let cache = PageCache::start(&store, ladders.clone(), waker);
        let messages = || match cache.page(&PageRequest::Ladder(call)).as_deref() {
            Some(Page::Ladder(Some(ladder))) => Some(ladder.messages.len()),
            _ => None,
        };
        assert_eq!(messages(), None);
        read.notified().await;
        assert_eq!(messages(), Some(0));
        assert_eq!(cache.page(&PageRequest::Call(call)), None);
        read.notified().await;
        ladders.lock().belongs("one", call);
        invite(clock::monotonic_now(), &ladders);
        cache.invalidate_ladders();
        // What is known is shown until the newest is there; the call itself is as it was.
        assert_eq!(messages(), Some(0));
        read.notified().await;
        assert_eq!(messages(), Some(1));
        assert!(matches!(
            cache.page(&PageRequest::Call(call)).as_deref(),
            Some(Page::Call(Some(_)))
        ));
        assert!(cache.wanted.capacity() == QUEUE, "the call is read again");
    }
}
