//! What the phone is told of requests from beside it.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::*;
use crate::app::desk::DeskRequest;
use crate::app::lists::ListRequest;
use crate::base::id::{ContactId, NoteId};
use crate::control::handle::PageSource;
use crate::control::{Command, Page, PageRequest, Snapshot};
use crate::crm::row::{ContactEdit, ContactRow, NoteRow, Subject};

struct NoPages;

impl PageSource for NoPages {
    fn page(&self, _: &PageRequest) -> Option<Arc<Page>> {
        None
    }
}

/// The window showed the old name until something else was written.
#[tokio::test]
async fn the_phone_is_told_of_each_change_that_comes_from_beside_it_and_of_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::open(folder.path(), "DE").unwrap();
    let (outlet, mut commands) = mpsc::channel(8);
    let (_snapshots, snapshot) = watch::channel(Arc::new(Snapshot::default()));
    let handle = Handle::new(outlet, snapshot, Arc::new(NoPages));
    let save = || Request::SaveContact(Box::new(ContactRow::named("Anna")));
    let edit = ContactEdit {
        name: Some("Anna Muster".to_owned()),
        ..ContactEdit::default()
    };
    let desk = |request| Request::Desk(Box::new(request));
    let note = NoteRow {
        id: NoteId(0),
        about: Subject::Contact(ContactId(1)),
        at: jiff::Timestamp::UNIX_EPOCH,
        author: String::new(),
        text: "calls again".to_owned(),
    };
    let list = ListRequest::Contacts {
        leads: false,
        search: String::new(),
        after: None,
        limit: 10,
    };
    for (request, changes) in [
        (save(), true),
        (save(), true),
        (
            desk(DeskRequest::EditContact(ContactId(1), Box::new(edit))),
            true,
        ),
        (desk(DeskRequest::SaveNote(note)), true),
        (desk(DeskRequest::List(list)), false),
        (desk(DeskRequest::UndoSteps), false),
        (Request::Merge(vec![ContactId(1), ContactId(2)]), true),
        (Request::UndoLastExchange, true),
        (Request::Routing, false),
    ] {
        let what = format!("{request:?}");
        let reply = carry_out(request, &handle, &records).await;
        assert!(!matches!(reply, Reply::Impossible(_)), "{what}: {reply:?}");
        let told = matches!(commands.try_recv(), Ok(Command::RecordsChanged));
        assert_eq!(told, changes, "{what}");
    }
}
