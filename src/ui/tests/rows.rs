//! A store of rows in memory, for the window to ask.

use std::sync::Arc;

use crate::base::id::OrganizationId;
use crate::control::handle::PageSource;
use crate::control::{Page, PageRequest, WorkPage, WorkRequest};
use crate::crm::row::{
    CallCursor, CallDirection, CallFilter, CallLadder, CallPage, CallRow, CallTypeRow,
    CallbackPage, CallbackRow, ContactPage, ContactRow, Found, HintRow, HourFigures,
    Identification, LadderMessage, NameCursor, OrganizationPage, OrganizationRow, PopupDecision,
    QualitySpan, QueueFigures, RoutingTables, TaskFilter, TaskRow, TicketFilter, TicketRow,
    TicketState, TimelineEntry, UndoRow,
};

/// The rows that the fake store has.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    pub(super) calls: Vec<CallRow>,
    pub(super) contacts: Vec<ContactRow>,
    pub(super) leads: Vec<ContactRow>,
    pub(super) callbacks: Vec<CallbackRow>,
    pub(super) hints: Vec<HintRow>,
    pub(super) routing: RoutingTables,
    /// Who would see a call.
    pub(super) decision: PopupDecision,
    /// Who has each number.
    pub(super) identification: Identification,
    /// The SIP messages of each call.
    pub(super) messages: Vec<LadderMessage>,
    /// What was measured of each call's sound.
    pub(super) spans: Vec<QualitySpan>,
    pub(super) failing: bool,
    /// Whether everything is still being read.
    pub(super) reading: bool,
    /// How often each number waits.
    pub(super) waiting: Vec<u32>,
    pub(super) tickets: Vec<TicketRow>,
    pub(super) tasks: Vec<TaskRow>,
    /// What happened around each record.
    pub(super) timeline: Vec<TimelineEntry>,
    pub(super) call_types: Vec<CallTypeRow>,
    pub(super) undo: Vec<UndoRow>,
    pub(super) figures: Vec<QueueFigures>,
    pub(super) hours: Vec<HourFigures>,
}

/// Rows that a test changes while the window shows them.
#[derive(Debug, Clone, Default)]
pub(super) struct LiveRows(pub(super) Arc<std::sync::Mutex<Rows>>);

impl PageSource for LiveRows {
    fn page(&self, request: &PageRequest) -> Option<Arc<Page>> {
        self.0.lock().unwrap().page(request)
    }
}

impl Rows {
    fn contact_page(&self, search: &str, after: Option<&NameCursor>) -> ContactPage {
        let mut rows: Vec<ContactRow> = self
            .contacts
            .iter()
            .filter(|row| row.name.contains(search))
            .cloned()
            .collect();
        let total = rows.len() as u64;
        let skipped = after.map_or(0, |after| after.id);
        rows.drain(..usize::try_from(skipped).unwrap());
        let more = rows.len() > 100;
        rows.truncate(100);
        ContactPage {
            total,
            next: rows.last().filter(|_| more).map(|row| NameCursor {
                folded: row.name.clone(),
                id: skipped + 100,
            }),
            rows,
        }
    }
}

impl PageSource for Rows {
    fn page(&self, request: &PageRequest) -> Option<Arc<Page>> {
        if self.reading {
            return None;
        }
        if self.failing {
            return Some(Arc::new(Page::Failed("the call log is closed".to_owned())));
        }
        let page = match request {
            PageRequest::Calls {
                filter,
                search,
                after,
            } => {
                let mut rows: Vec<CallRow> = self
                    .calls
                    .iter()
                    .filter(|row| match filter {
                        CallFilter::All => true,
                        CallFilter::Inbound => row.direction == CallDirection::Inbound,
                        CallFilter::Outbound => row.direction == CallDirection::Outbound,
                        CallFilter::Missed | CallFilter::ToCallBack => !row.done,
                    })
                    .filter(|row| {
                        format!("{:?} {}", row.contact_name, row.remote).contains(search.as_str())
                    })
                    .cloned()
                    .collect();
                let total = rows.len() as u64;
                // A cursor counts the rows behind it, so that a new one at the top moves nothing.
                if let Some(after) = after {
                    let left = usize::try_from(after.seq).unwrap();
                    rows.drain(..rows.len() - left);
                }
                let behind = i64::try_from(rows.len().saturating_sub(100)).unwrap();
                let more = rows.len() > 100;
                rows.truncate(100);
                Page::Calls(CallPage {
                    total,
                    next: rows.last().filter(|_| more).map(|row| CallCursor {
                        started_micros: row.started_at.as_microsecond(),
                        seq: behind,
                    }),
                    rows,
                    waiting: self.waiting.clone(),
                })
            }
            PageRequest::Call(id) => {
                let row = self.calls.iter().find(|row| row.id == *id);
                Page::Call(row.cloned().map(Box::new))
            }
            PageRequest::Ladder(id) => {
                let row = self.calls.iter().find(|row| row.id == *id);
                Page::Ladder(row.map(|row| {
                    Box::new(CallLadder {
                        call: row.clone(),
                        messages: self.messages.clone(),
                    })
                }))
            }
            PageRequest::Quality(_) => Page::Quality(self.spans.clone()),
            PageRequest::Contacts { search, after } => {
                Page::Contacts(self.contact_page(search, after.as_ref()))
            }
            PageRequest::Contact(id) => {
                let mut people = self.contacts.iter().chain(&self.leads);
                let row = people.find(|row| row.id == *id);
                Page::Contact(row.cloned().map(Box::new))
            }
            PageRequest::Organizations { .. } => Page::Organizations(OrganizationPage {
                next: None,
                rows: self
                    .contacts
                    .iter()
                    .zip(1..)
                    .filter_map(|(row, id)| {
                        Some(OrganizationRow {
                            id: OrganizationId(id),
                            name: row.organization_name.clone()?,
                            contacts: 1,
                            numbers: Vec::new(),
                        })
                    })
                    .collect(),
            }),
            PageRequest::Identify(_) => Page::Identify(Box::new(self.identification.clone())),
            PageRequest::Work(request) => Page::Work(self.work(request)),
        };
        Some(Arc::new(page))
    }
}

impl Rows {
    /// The numbers to call back: the given ones, else those of the calls that are not done.
    fn waiting(&self) -> Vec<CallbackRow> {
        if !self.callbacks.is_empty() {
            return self.callbacks.clone();
        }
        let calls = self.calls.iter().filter(|call| !call.done).enumerate();
        calls
            .map(|(place, call)| CallbackRow {
                call: call.clone(),
                missed: self.waiting.get(place).copied().unwrap_or(1),
                attempts: 0,
                last_attempt: None,
                last_agent: None,
                last_note: None,
            })
            .collect()
    }

    fn work(&self, request: &WorkRequest) -> WorkPage {
        match request {
            WorkRequest::Leads { stage, search, .. } => {
                let leads = self.leads.iter();
                let rows = leads
                    .filter(|row| stage.is_none() || row.stage == *stage)
                    .filter(|row| row.name.contains(search.as_str()));
                let rows: Vec<ContactRow> = rows.cloned().collect();
                WorkPage::Leads(ContactPage {
                    total: rows.len() as u64,
                    rows,
                    next: None,
                })
            }
            WorkRequest::Tickets { filter, after, .. } => {
                let shown = |row: &&TicketRow| match filter {
                    TicketFilter::NotClosed => row.state != TicketState::Closed,
                    TicketFilter::Drafts => row.state == TicketState::Draft,
                    TicketFilter::All => true,
                };
                let rows = self.tickets.iter().filter(shown).cloned();
                WorkPage::Tickets(rows.filter(|_| after.is_none()).collect())
            }
            WorkRequest::Ticket(id) => {
                let row = self.tickets.iter().find(|row| row.id == *id);
                WorkPage::Ticket(row.cloned().map(Box::new))
            }
            WorkRequest::Tasks(filter) => {
                let done = *filter == TaskFilter::Done;
                let rows = self
                    .tasks
                    .iter()
                    .filter(|row| row.done_at.is_some() == done);
                WorkPage::Tasks(rows.cloned().collect())
            }
            WorkRequest::Timeline { .. } => WorkPage::Timeline {
                entries: self.timeline.clone(),
                next: None,
            },
            WorkRequest::Organization(id) => {
                WorkPage::Organization(Some(Box::new(OrganizationRow {
                    id: *id,
                    name: "Northwind Traders".to_owned(),
                    contacts: 1,
                    numbers: Vec::new(),
                })))
            }
            WorkRequest::Find(text) => {
                let people = self.contacts.iter().chain(&self.leads);
                let contacts = people.filter(|row| row.name.contains(text.as_str()));
                WorkPage::Found(Box::new(Found {
                    contacts: contacts.cloned().collect(),
                    ..Found::default()
                }))
            }
            WorkRequest::Callbacks { search, .. } => {
                let rows = self.waiting().into_iter();
                let rows = rows.filter(|row| row.call.remote.contains(search.as_str()));
                let rows: Vec<CallbackRow> = rows.collect();
                WorkPage::Callbacks(CallbackPage {
                    total: rows.len() as u64,
                    rows,
                    next: None,
                })
            }
            WorkRequest::Hints(filter) => {
                let rows = self.hints.iter();
                let rows = rows
                    .filter(|row| filter.contact.is_none() || row.contact == filter.contact)
                    .filter(|row| filter.number.as_ref().is_none_or(|it| row.number == *it));
                WorkPage::Hints(rows.cloned().collect())
            }
            WorkRequest::Preview(question) => WorkPage::Preview(Box::new(PopupDecision {
                reasons: vec![format!("asked for {}", question.called)],
                ..self.decision.clone()
            })),
            WorkRequest::CallTypes => WorkPage::CallTypes(self.call_types.clone()),
            WorkRequest::UndoSteps => WorkPage::UndoSteps(self.undo.clone()),
            WorkRequest::Figures { .. } => WorkPage::Figures(self.figures.clone()),
            WorkRequest::Hours { .. } => WorkPage::Hours(self.hours.clone()),
            WorkRequest::Routing => WorkPage::Routing(Box::new(self.routing.clone())),
        }
    }
}
