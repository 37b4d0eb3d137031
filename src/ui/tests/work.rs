//! Tickets, tasks, what happened around a record, wrap-up and undo.

use egui::{Key, Modifiers, Vec2};
use egui_kittest::kittest::Queryable as _;

use super::call_card::{known, with};
use super::fixture::*;
use crate::base::id::{ArticleId, CallTypeId, ContactId, NoteId, TaskId, TicketId, UndoId};
use crate::control::{
    CallScript, CallStage, CallView, Command, ExportView, ExportedWhat, FiguresTable, RecordChange,
};
use crate::crm::row::{
    ArticleKind, ArticleRow, ArticleSender, CallTypeRow, HourFigures, MatchLevel, NoteRow,
    OnAnswer, QueueFigures, Subject, TaskRow, TicketRow, TicketState, TimelineEntry, UndoRow,
};
use crate::ui::state::View;

const NOW: &str = "2025-11-21T14:30:00Z";

pub(super) fn ticket(id: i64, title: &str, state: TicketState) -> TicketRow {
    TicketRow {
        id: TicketId(id),
        title: title.to_owned(),
        state,
        contact: Some(ContactId(1)),
        contact_name: Some("Amelia Hart".to_owned()),
        organization: None,
        organization_name: Some("Northwind Traders".to_owned()),
        agent: Some("Sam".to_owned()),
        created_at: NOW.parse().unwrap(),
        updated_at: NOW.parse().unwrap(),
        closed_at: None,
        articles: vec![ArticleRow {
            id: ArticleId(1),
            at: NOW.parse().unwrap(),
            kind: ArticleKind::Phone,
            sender: ArticleSender::Agent,
            internal: true,
            author: "Sam".to_owned(),
            body: "The parcel never came".to_owned(),
            call: Some(call_id(7)),
        }],
    }
}

pub(super) fn task(id: i64, title: &str, due: Option<&str>) -> TaskRow {
    TaskRow {
        id: TaskId(id),
        ..TaskRow::new(
            title,
            due.map(|due| due.parse().unwrap()),
            NOW.parse().unwrap(),
        )
    }
}

fn changes(sent: Vec<Command>) -> Vec<RecordChange> {
    let of = |command| match command {
        Command::ChangeRecords(change) => Some(change),
        _ => None,
    };
    sent.into_iter().filter_map(of).collect()
}

#[test]
fn a_ticket_is_found_by_its_tab_opened_and_moved_on() {
    let rows = Rows {
        tickets: vec![
            ticket(4812, "Delivery delayed", TicketState::Open),
            ticket(4700, "Invoice copy", TicketState::Closed),
        ],
        ..Rows::default()
    };
    let mut shown = desk(registered(), rows, |state| state.view = View::Tickets);
    assert!(
        shown
            .query_by_label("#4700, Invoice copy, Closed")
            .is_none()
    );
    shown.get_by_label("#4812, Delivery delayed, Open").click();
    shown.run();
    shown.get_by_label("The parcel never came");
    shown.get_by_label("Customer: Amelia Hart");
    shown.get_by_label("State").click();
    shown.run();
    shown.get_by_label("Closed").click();
    shown.run();
    let told = changes(shown.state_mut().sent());
    let [RecordChange::SaveTicket(saved)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(
        (saved.id, saved.state),
        (TicketId(4812), TicketState::Closed)
    );
    shown.get_by_label("All").click();
    shown.run();
    shown.get_by_label("#4700, Invoice copy, Closed");
}

#[test]
fn a_ticket_leads_to_its_call_and_its_customer() {
    let rows = Rows {
        tickets: vec![ticket(1, "Delivery delayed", TicketState::Open)],
        contacts: vec![contact(1, "Amelia Hart")],
        ..Rows::default()
    };
    let mut shown = desk(registered(), rows, |state| {
        state.view = View::Tickets;
        state.tickets.open(TicketId(1));
    });
    shown.get_by_label("Open call").click();
    shown.run();
    assert_eq!(shown.state().state.detail, Some(call_id(7)));
    shown.get_by_label("Customer: Amelia Hart").click();
    shown.run();
    assert_eq!(shown.state().state.view, View::Contacts);
    assert_eq!(shown.state().state.contacts.shown, Some(ContactId(1)));
}

#[test]
fn a_note_on_a_ticket_is_an_article_of_the_agent() {
    let mut snapshot = registered();
    snapshot.settings.agent = "Sam".to_owned();
    let rows = Rows {
        tickets: vec![ticket(1, "Delivery delayed", TicketState::Open)],
        ..Rows::default()
    };
    let mut shown = desk(snapshot, rows, |state| {
        state.view = View::Tickets;
        state.tickets.open(TicketId(1));
        state.tickets.article = "Called the carrier ".to_owned();
    });
    shown.get_all_by_label("Add note").last().unwrap().click();
    shown.run();
    let told = changes(shown.state_mut().sent());
    let [RecordChange::AddArticle(TicketId(1), article)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(article.body, "Called the carrier");
    assert_eq!(
        (article.author.as_str(), article.kind),
        ("Sam", ArticleKind::Note)
    );
    assert!(shown.state().state.tickets.article.is_empty());
}

#[test]
fn a_ticket_is_deleted_only_after_a_second_look() {
    let rows = Rows {
        tickets: vec![ticket(1, "Delivery delayed", TicketState::Open)],
        ..Rows::default()
    };
    let mut shown = desk(registered(), rows, |state| {
        state.view = View::Tickets;
        state.tickets.open(TicketId(1));
    });
    shown.get_by_label("Delete…").click();
    shown.run();
    assert!(shown.state_mut().sent().is_empty());
    shown.get_by_label("Delete for good").click();
    shown.run();
    let told = changes(shown.state_mut().sent());
    assert_eq!(told, [RecordChange::DeleteTicket(TicketId(1))]);
    assert_eq!(shown.state().state.tickets.shown, None);
}

#[test]
fn tasks_are_added_with_a_date_ticked_off_and_taken_away() {
    let rows = Rows {
        tasks: vec![
            task(1, "Send the quote", Some("2025-11-20T09:00:00Z")),
            task(2, "Ask for the serial number", None),
        ],
        ..Rows::default()
    };
    let mut shown = desk(registered(), rows, |state| {
        state.view = View::Tasks;
        state.tasks.title = "Call the carrier".to_owned();
    });
    shown.get_by_label("Tomorrow").click();
    shown.run();
    shown.get_by_label("Add").click();
    shown.run();
    let told = changes(shown.state_mut().sent());
    let [RecordChange::SaveTask(row)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(row.title, "Call the carrier");
    assert_eq!(row.due_at, Some("2025-11-22T09:00:00Z".parse().unwrap()));
    shown.get_by_label("Done: Send the quote").click();
    shown.run();
    shown
        .get_by_label("Delete Ask for the serial number")
        .click();
    shown.run();
    assert_eq!(
        changes(shown.state_mut().sent()),
        [
            RecordChange::TaskDone(TaskId(1), true),
            RecordChange::DeleteTask(TaskId(2))
        ]
    );
}

#[test]
fn what_is_overdue_says_so() {
    let rows = Rows {
        tasks: vec![task(1, "Send the quote", Some("2025-11-20T09:00:00Z"))],
        ..Rows::default()
    };
    let shown = desk(registered(), rows, |state| state.view = View::Tasks);
    assert!(texts(&shown).iter().any(|(text, _, _)| text == "Overdue"));
}

#[test]
fn a_contact_shows_what_happened_and_takes_a_note() {
    let about = Subject::Contact(ContactId(1));
    let rows = Rows {
        contacts: vec![contact(1, "Amelia Hart")],
        timeline: vec![
            TimelineEntry::Call(Box::new(row(7, Some(("Amelia Hart", MatchLevel::Known))))),
            TimelineEntry::Note(NoteRow {
                id: NoteId(3),
                about,
                at: NOW.parse().unwrap(),
                author: "Sam".to_owned(),
                text: "Prefers to be called after three".to_owned(),
            }),
            TimelineEntry::Ticket(ticket(9, "Delivery delayed", TicketState::Open)),
        ],
        tickets: vec![ticket(9, "Delivery delayed", TicketState::Open)],
        ..Rows::default()
    };
    let mut shown = desk(registered(), rows, |state| {
        state.view = View::Contacts;
        state.contacts.shown = Some(ContactId(1));
        state.contacts.timeline.about = Some(about);
        state.contacts.timeline.note = "Has moved".to_owned();
    });
    shown.get_by_label("Prefers to be called after three");
    shown.get_by_label("Add note").click();
    shown.run();
    let told = changes(shown.state_mut().sent());
    let [RecordChange::SaveNote(note)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!((note.about, note.text.as_str()), (about, "Has moved"));
    let open = shown.get_by(|node| {
        let label = node.label();
        label.is_some_and(|label| label.starts_with("Delivery delayed, Open"))
    });
    open.click();
    shown.run();
    assert_eq!(shown.state().state.view, View::Tickets);
    assert_eq!(shown.state().state.tickets.shown, Some(TicketId(9)));
}

fn talked(number: u8) -> CallView {
    CallView {
        stage: CallStage::Ended,
        ended: Some(start()),
        opens: Some(OnAnswer::Draft { subject: None }),
        ..talking(number, known())
    }
}

pub(super) fn types() -> Vec<CallTypeRow> {
    let kind = |id, name: &str, active| CallTypeRow {
        id: CallTypeId(id),
        name: name.to_owned(),
        active,
        place: u32::try_from(id).unwrap(),
    };
    vec![
        kind(1, "Order", true),
        kind(2, "Old", false),
        kind(3, "Complaint", true),
    ]
}

#[test]
fn a_call_is_wrapped_up_by_the_keyboard_alone() {
    let rows = Rows {
        call_types: types(),
        ..Rows::default()
    };
    let mut shown = desk(with(talked(1)), rows, |_| {});
    assert!(shown.query_by_label("Old").is_none());
    shown.key_press_modifiers(Modifiers::ALT, Key::Num2);
    shown.run_steps(2);
    shown.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    shown.run_steps(2);
    let told = shown.state_mut().sent();
    let [Command::WrapUp(call, wish), Command::Dismiss(gone)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!((*call, *gone), (call_id(1), call_id(1)));
    assert_eq!(wish.call_type.as_deref(), Some("Complaint"));
    assert!(wish.keep_ticket);
    assert_eq!(wish.follow_up, None);
}

#[test]
fn a_follow_up_has_a_date_and_an_unwanted_draft_goes() {
    let rows = Rows {
        call_types: types(),
        ..Rows::default()
    };
    let mut shown = desk(with(talked(1)), rows, |_| {});
    shown.get_by_label("Follow-up").focus();
    shown.run_steps(2);
    shown.get_by_label("Follow-up").type_text("Send the quote");
    shown.run_steps(2);
    shown.get_by_label("Next week").click();
    shown.run_steps(2);
    shown.get_by_label("Keep the ticket").click();
    shown.run_steps(2);
    shown.get_by_label("Save").click();
    shown.run_steps(2);
    let told = shown.state_mut().sent();
    let [Command::WrapUp(_, wish), Command::Dismiss(_)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(wish.follow_up.as_deref(), Some("Send the quote"));
    assert_eq!(wish.due, Some("2025-11-24T09:00:00Z".parse().unwrap()));
    assert!(!wish.keep_ticket);
}

#[test]
fn where_a_call_type_is_asked_for_nothing_is_saved_without() {
    let mut snapshot = with(talked(1));
    snapshot.settings.call_type_required = true;
    let rows = Rows {
        call_types: types(),
        ..Rows::default()
    };
    let mut shown = desk(snapshot, rows, |_| {});
    shown.get_by_label("Save").click();
    shown.run_steps(2);
    assert!(shown.state_mut().sent().is_empty());
    shown.get_by_label("Choose what the call was about, then save.");
    shown.get_by_label("Order").click();
    shown.run_steps(2);
    shown.get_by_label("Save").click();
    shown.run_steps(2);
    let told = shown.state_mut().sent();
    assert!(
        matches!(told.first(), Some(Command::WrapUp(..))),
        "{told:?}"
    );
}

#[test]
fn the_ticket_that_was_worked_on_lately_opens_from_the_card() {
    let call = CallView {
        opens: Some(OnAnswer::Profile {
            subject: Subject::Contact(ContactId(1)),
            ticket: Box::new(ticket(4812, "Delivery delayed", TicketState::Open)),
        }),
        ..talking(1, known())
    };
    let rows = Rows {
        tickets: vec![ticket(4812, "Delivery delayed", TicketState::Open)],
        ..Rows::default()
    };
    let mut shown = desk(with(call), rows, |_| {});
    shown.get_by_label("#4812 Delivery delayed").click();
    shown.run_steps(2);
    assert_eq!(shown.state().state.tickets.shown, Some(TicketId(4812)));
}

#[test]
fn what_is_said_stands_on_the_card_and_its_page_opens_by_a_click_alone() {
    let call = CallView {
        script: Some(CallScript {
            text: Some("Hello Ada\nHow can I help?".to_owned()),
            page: Some("https://crm.example/?n=1".to_owned()),
        }),
        ..talking(1, known())
    };
    let mut shown = desk(with(call), Rows::default(), |_| {});
    shown.get_by_label("Hello Ada");
    shown.get_by_label("How can I help?");
    assert!(shown.state_mut().sent().is_empty());
    shown.get_by_label("Open the page").click();
    shown.run_steps(2);
    let told = shown.state_mut().sent();
    let [Command::OpenPage(call)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(*call, call_id(1));
}

#[test]
fn what_was_just_done_can_be_taken_back_by_a_key_for_a_while() {
    let step = |at: &str| UndoRow {
        id: UndoId(5),
        at: at.parse().unwrap(),
        label: "deleted Amelia Hart".to_owned(),
    };
    let rows = |at| Rows {
        undo: vec![step(at)],
        ..Rows::default()
    };
    let mut shown = desk(registered(), rows("2025-11-21T14:59:55Z"), |_| {});
    shown.get_by_label("Deleted Amelia Hart");
    shown.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    shown.run_steps(2);
    let told = changes(shown.state_mut().sent());
    assert_eq!(told, [RecordChange::Undo(UndoId(5))]);
    assert!(shown.query_by_label("Undo").is_none());
    let shown = desk(registered(), rows("2025-11-21T14:59:00Z"), |_| {});
    assert!(shown.query_by_label("Undo").is_none());
}

/// What a queue and this phone's own line had to do.
pub(super) fn figures(name: &str) -> Vec<QueueFigures> {
    let queue = |name: Option<&str>, inbound, missed| QueueFigures {
        queue: name.map(str::to_owned),
        calls: inbound + 5,
        inbound,
        answered: inbound - missed,
        missed,
        called_back: 1,
        call_back_millis: Some(95_000),
        waiting_millis: None,
        talking_millis: 600_000,
        wrap_up_millis: Some(12_000),
    };
    vec![queue(Some(name), 30, 5), queue(None, 10, 5)]
}

pub(super) fn hours() -> Vec<HourFigures> {
    vec![HourFigures {
        hour: "2025-11-21T09:00:00Z".parse().unwrap(),
        answered: 30,
        missed: 10,
        outbound: 10,
    }]
}

#[test]
fn the_statistics_tell_how_many_were_answered_and_how_soon_called_back() {
    let rows = Rows {
        figures: figures("Sales"),
        hours: hours(),
        ..Rows::default()
    };
    let shown = desk(registered(), rows, |state| state.view = View::Statistics);
    shown.get_by_label("75 %");
    shown.get_by_label("Sales");
    // Heads were cut to the figures below them.
    let painted = texts(&shown);
    assert!(painted.iter().any(|(text, ..)| text == "Called back"));
    assert_eq!(shown.get_all_by_label("01:35").count(), 2);
    shown.get_by_label("Calls by hour of the day; most begin after 09:00");
}

#[test]
fn the_statistics_plot_what_was_answered_and_how_long_was_talked_and_written() {
    let rows = Rows {
        figures: figures("Sales"),
        hours: hours(),
        ..Rows::default()
    };
    let mut shown = desk(registered(), rows, |state| state.view = View::Statistics);
    shown.get_by_label("Answered by hour of the day").click();
    shown.run();
    shown.get_by_label("Answered by hour of the day; fewest after 09:00: 75 %");
    shown.get_by_label("Talk and wrap-up time").click();
    shown.run();
    // Ten minutes in 25 and in 5 answered calls.
    shown.get_by_label(
        "Talk and wrap-up time. Sales: talk 00:24, wrap-up 00:12; no queue: talk 02:00, wrap-up 00:12",
    );
    let painted = texts(&shown);
    assert!(painted.iter().any(|(text, ..)| text == "Sales"), "the axis");
}

#[test]
fn the_lists_draw_small_and_in_both_themes() {
    for dark in [true, false] {
        for view in [View::Tickets, View::Tasks] {
            let rows = Rows {
                tickets: (1..40)
                    .map(|id| ticket(id, &"A long title ".repeat(12), TicketState::Pending))
                    .collect(),
                tasks: (1..40)
                    .map(|id| task(id, &"long ".repeat(60), None))
                    .collect(),
                ..Rows::default()
            };
            let size = Vec2::new(900.0, 600.0);
            let shown = window(size, dark, with(talking(1, known())), rows, |state| {
                state.view = view;
                state.tickets.open(TicketId(1));
            });
            super::views::nothing_sticks_out(&shown, size.x, &format!("{view:?}"));
            assert!(shown.unnamed_widgets().is_empty());
        }
    }
}

#[test]
fn the_figures_that_are_shown_go_to_a_file_by_queue_or_by_hour() {
    let mut snapshot = registered();
    snapshot.export_dir = "/home/sam/Downloads".to_owned();
    let mut shown = desk(snapshot, Rows::default(), |state| {
        state.view = View::Statistics;
    });
    shown.get_by_label("Today").click();
    shown.run();
    shown.get_by_label("Export as CSV…").click();
    shown.run();
    shown.get_by_label("Table").click();
    shown.run();
    shown.get_by_label("One line for each hour").click();
    shown.run();
    shown.get_by_label("Export").click();
    shown.run();
    let sent = shown.state_mut().sent();
    let [Command::ExportFigures(table, file)] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    assert_eq!(file, "/home/sam/Downloads/ringdesk-figures-2025-11-21.csv");
    assert_eq!(
        *table,
        FiguresTable::Hours {
            since: "2025-11-21T00:00:00Z".parse().unwrap(),
            until: "2025-11-22T00:00:00Z".parse().unwrap(),
        }
    );
    for (outcome, told) in [
        (Ok("/tmp/a.csv".to_owned()), "Written to /tmp/a.csv"),
        (Err("the disk is full".to_owned()), "The disk is full"),
    ] {
        let what = ExportedWhat::Figures(*table);
        shown.state().change(|snapshot| {
            snapshot.exported = Some(ExportView { what, outcome });
        });
        shown.run();
        shown.get_by_label(told);
    }
}
