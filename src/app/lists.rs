//! Lists of the records for scripts: a part at a time, by key, each with the place where the next one begins.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::Records;
use crate::base::id::{CallId, ContactId, HintId, OrganizationId, TaskId, TicketId};
use crate::crm::row::{
    CallCriteria, CallCursor, CallFilter, CallRow, HintCursor, HintFilter, NameCursor, Subject,
    TaskCursor, TaskFilter, TicketFilter,
};
use crate::crm::{Reader, StoreError};

/// A part of a list has at most so many rows.
pub const PART: usize = 1_000;

/// So many pages are read for one part where few rows are wanted; who asks goes on from there.
const PAGES: usize = 80;

/// Which calls, newest first.
#[derive(Debug, Serialize, Deserialize)]
pub struct CallsRequest {
    /// Which.
    pub filter: CallFilter,
    /// More narrowly.
    pub criteria: CallCriteria,
    /// Name or number.
    pub search: String,
    /// Where the list goes on.
    pub after: Option<After<CallId, CallCursor>>,
    /// How many at most.
    pub limit: usize,
}

/// Which rows of another list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListRequest {
    /// The numbers to call back.
    Callbacks {
        /// Where it goes on.
        after: Option<After<CallId, CallCursor>>,
        /// How many at most.
        limit: usize,
    },
    /// Contacts and leads, or leads only, by name.
    Contacts {
        /// Whether only leads.
        leads: bool,
        /// Name, organization or number.
        search: String,
        /// Where it goes on.
        after: Option<After<ContactId, NameCursor>>,
        /// How many at most.
        limit: usize,
    },
    /// Organizations by name.
    Organizations {
        /// Beginnings of words of the name, or a number.
        search: String,
        /// Where it goes on.
        after: Option<After<OrganizationId, NameCursor>>,
        /// How many at most.
        limit: usize,
    },
    /// Tickets, the last changed first.
    Tickets {
        /// Which.
        filter: TicketWord,
        /// Words of the title or of articles.
        search: String,
        /// Where it goes on.
        after: Option<After<TicketId, (Timestamp, TicketId)>>,
        /// How many at most.
        limit: usize,
    },
    /// Tasks, those that are due first.
    Tasks {
        /// Done ones.
        done: bool,
        /// Only those that are due until then.
        due_until: Option<Timestamp>,
        /// Where it goes on.
        after: Option<After<TaskId, TaskCursor>>,
        /// How many at most.
        limit: usize,
    },
    /// Guesses of whose a number is, those of the newest texts first.
    Hints {
        /// Which.
        filter: HintFilter,
        /// Where it goes on.
        after: Option<After<HintId, HintCursor>>,
        /// How many at most.
        limit: usize,
    },
    /// Who changed what, the newest first.
    Audit {
        /// Only of that record.
        subject: Option<Subject>,
        /// Where it goes on.
        after: Option<After<i64, i64>>,
        /// How many at most.
        limit: usize,
    },
}

/// Which tickets, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TicketWord {
    /// Those that are not closed.
    NotClosed,
    /// Drafts.
    Drafts,
    /// All.
    All,
}

impl From<TicketWord> for TicketFilter {
    fn from(word: TicketWord) -> Self {
        match word {
            TicketWord::NotClosed => Self::NotClosed,
            TicketWord::Drafts => Self::Drafts,
            TicketWord::All => Self::All,
        }
    }
}

/// Where a list goes on.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum After<Row, Place> {
    /// Behind this row.
    Row(Row),
    /// At the place that the part before told; its last row may be gone.
    Place(Place),
}

impl<Row, Place> After<Row, Place> {
    fn place(
        self,
        find: impl FnOnce(Row) -> Result<Place, StoreError>,
    ) -> Result<Place, StoreError> {
        match self {
            Self::Row(row) => find(row),
            Self::Place(place) => Ok(place),
        }
    }
}

/// Finds where a list goes on, if not at its beginning.
fn begin<Row, Place>(
    after: Option<After<Row, Place>>,
    find: impl FnOnce(Row) -> Result<Place, StoreError>,
) -> Result<Option<Place>, StoreError> {
    after.map(|after| after.place(find)).transpose()
}

/// A part of a list, as the answer to a request.
fn part(rows: impl Serialize, next: Option<impl Serialize>) -> Value {
    json!({"rows": rows, "next": next.map(After::<(), _>::Place)})
}

/// A part whose last row says where the next one begins, where there may be more.
fn full_part<Row: Serialize, Place: Serialize>(
    rows: Vec<Row>,
    limit: usize,
    place: impl FnOnce(&Row) -> Place,
) -> Value {
    let next = rows.last().filter(|_| rows.len() >= limit).map(place);
    part(&rows, next)
}

impl Records {
    /// Reads a part of a list; the answer has its `rows`, and `next`: where it goes on, null at the end.
    ///
    /// # Errors
    ///
    /// Fails when the store refuses, or where the row after which it is to begin is not there.
    pub async fn list(&self, request: ListRequest) -> Result<Value, StoreError> {
        self.read(move |reader| read(reader, request)).await
    }

    /// Reads a part of the call log, as [`list`](Self::list) does: page by page, until there are enough rows or
    /// enough was looked at.
    ///
    /// # Errors
    ///
    /// Fails when the store refuses, or where the call after which it is to begin is not there.
    pub async fn list_calls(&self, request: CallsRequest) -> Result<Value, StoreError> {
        self.settle().await;
        let request = Arc::new(request);
        let mut after = match request.after {
            Some(After::Row(id)) => Some(self.read(move |reader| reader.after_call(id)).await?),
            Some(After::Place(place)) => Some(place),
            None => None,
        };
        let limit = request.limit.min(PART);
        let mut found: Vec<CallRow> = Vec::new();
        for _ in 0..PAGES {
            let (wanted, left) = (Arc::clone(&request), limit - found.len());
            let page = self.read(move |reader| {
                let CallsRequest {
                    filter,
                    criteria,
                    search,
                    ..
                } = wanted.as_ref();
                if criteria.is_empty() {
                    reader.call_rows(*filter, search, after, left)
                } else {
                    reader.calls_where(*filter, criteria, search, after, left)
                }
            });
            let (rows, next) = page.await?;
            found.extend(rows);
            after = next;
            if after.is_none() || found.len() >= limit {
                break;
            }
        }
        Ok(part(found, after))
    }
}

/// Reads a part of a list that is one page.
fn read(reader: &Reader, request: ListRequest) -> Result<Value, StoreError> {
    Ok(match request {
        ListRequest::Callbacks { after, limit } => {
            let after = begin(after, |id| reader.after_call(id))?;
            let page = reader.callbacks("", after, limit.min(PART))?;
            part(page.rows, page.next)
        }
        ListRequest::Contacts {
            leads,
            search,
            after,
            limit,
        } => {
            let after = begin(after, |id| reader.after_contact(id))?;
            let page = if leads {
                reader.leads(None, &search, after.as_ref(), limit)?
            } else {
                reader.contacts(&search, after.as_ref(), limit)?
            };
            part(page.rows, page.next)
        }
        ListRequest::Organizations {
            search,
            after,
            limit,
        } => {
            let after = begin(after, |id| reader.after_organization(id))?;
            let page = reader.organizations(&search, after.as_ref(), limit)?;
            part(page.rows, page.next)
        }
        ListRequest::Tickets {
            filter,
            search,
            after,
            limit,
        } => {
            let limit = limit.min(PART);
            let after = begin(after, |id| reader.after_ticket(id))?;
            let rows = reader.tickets(filter.into(), &search, after, limit)?;
            full_part(rows, limit, |row| (row.updated_at, row.id))
        }
        ListRequest::Tasks {
            done,
            due_until,
            after,
            limit,
        } => {
            let filter = match (done, due_until) {
                (true, _) => TaskFilter::Done,
                (false, Some(until)) => TaskFilter::DueUntil(until),
                (false, None) => TaskFilter::ToDo,
            };
            let limit = limit.min(PART);
            let after = begin(after, |id| reader.after_task(id))?;
            let count = u32::try_from(limit).unwrap_or(u32::MAX);
            let rows = reader.tasks(filter, after, count)?;
            full_part(rows, limit, |row| TaskCursor {
                due_micros: row.due_at.map(Timestamp::as_microsecond),
                id: row.id,
            })
        }
        ListRequest::Hints {
            filter,
            after,
            limit,
        } => {
            let limit = limit.min(PART);
            let after = begin(after, |id| reader.after_hint(id))?;
            let rows = reader.hints(&filter, after, limit)?;
            full_part(rows, limit, |row| HintCursor {
                said_micros: row.said_at.as_microsecond(),
                id: row.id,
            })
        }
        ListRequest::Audit {
            subject,
            after,
            limit,
        } => {
            let limit = limit.min(PART);
            // The id is the place.
            let after = begin(after, Ok)?;
            let count = u32::try_from(limit).unwrap_or(u32::MAX);
            let rows = reader.audit(subject, after, count)?;
            full_part(rows, limit, |row| row.id)
        }
    })
}
