//! Leads, organizations with numbers of their own, tickets, notes, tasks, and what is undone.

use super::*;
use crate::base::id::{ArticleId, NoteId, OrganizationId, TicketId};
use crate::crm::row::{
    ArticleKind, ArticleRow, ArticleSender, LeadStage, Membership, NoteRow, NumbersEdit, OnAnswer,
    OrganizationEdit, OrganizationRow, TaskFilter, TaskRow, TicketFilter, TicketRow, TicketState,
    TimelineEntry, Undone,
};
use crate::crm::{Reader, row::MatchLevel};

impl Desk {
    pub(super) fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        wait(self.store.read(read)).unwrap()
    }

    pub(super) fn organization(&self, name: &str, number: &str) -> OrganizationId {
        let row = OrganizationRow {
            id: OrganizationId(0),
            name: name.to_owned(),
            contacts: 0,
            numbers: contact("", &[("Main", number)]).numbers,
        };
        match self.write(Write::SaveOrganization(row)) {
            Written::Organization(id, _) => id,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn ticket(&self, title: &str, contact: Option<ContactId>) -> TicketId {
        match self.write(Write::SaveTicket(Box::new(ticket(title, contact)))) {
            Written::Ticket(id) => id,
            other => panic!("{other:?}"),
        }
    }

    /// Takes the newest step back.
    pub(super) fn undo(&self) -> Undone {
        let newest = self.read(Reader::undo_steps)[0].id;
        match self.write(Write::Undo(newest)) {
            Written::Undone(undone) => undone,
            other => panic!("{other:?}"),
        }
    }
}

pub(super) fn ticket(title: &str, contact: Option<ContactId>) -> TicketRow {
    TicketRow {
        id: TicketId(0),
        title: title.to_owned(),
        state: TicketState::New,
        contact,
        contact_name: None,
        organization: None,
        organization_name: None,
        agent: None,
        created_at: second(0),
        updated_at: second(0),
        closed_at: None,
        articles: Vec::new(),
    }
}

pub(super) fn article(body: &str, sender: ArticleSender) -> ArticleRow {
    ArticleRow {
        id: ArticleId(0),
        at: second(5),
        kind: ArticleKind::Phone,
        sender,
        internal: false,
        author: "Alice".to_owned(),
        body: body.to_owned(),
        call: None,
    }
}

#[test]
fn a_lead_is_found_and_linked_as_a_contact_is_and_listed_apart() {
    let desk = Desk::open();
    let call = desk.insert(&inbound(1, "0301234567"));
    let mut lead = contact("Lea", &[("Mobile", "030 1234567")]);
    lead.stage = Some(LeadStage::New);
    let (id, linked) = desk.save(&lead);
    assert_eq!(linked, 1);
    assert_eq!(desk.call(call).contact, Some(id));
    desk.contact("Anna", "0307654321");
    let leads = |desk: &Desk| desk.read(|reader| reader.leads(None, "", None, 10)).rows;
    assert_eq!(leads(&desk).len(), 1);
    assert_eq!(leads(&desk)[0].stage, Some(LeadStage::New));
    assert_eq!(
        desk.read(|reader| reader.leads(None, "anna", None, 10))
            .total,
        0
    );
    assert_eq!(desk.read(|reader| reader.contacts("", None, 10)).total, 2);
    // Becoming a contact keeps all that hangs on it.
    let customer = ContactRow {
        id,
        stage: None,
        ..lead
    };
    desk.save(&customer);
    assert!(leads(&desk).is_empty());
    assert_eq!(desk.call(call).contact, Some(id));
}

#[test]
fn the_leads_of_one_stage_are_listed_searched_and_counted_apart() {
    let desk = Desk::open();
    for (name, stage) in [
        ("Lea", Some(LeadStage::New)),
        ("Leo", Some(LeadStage::Contacted)),
        ("Lia", Some(LeadStage::New)),
        ("Anna", None),
    ] {
        let mut row = contact(name, &[]);
        row.stage = stage;
        desk.save(&row);
    }
    let of = |stage, search: &'static str| {
        let page = desk.read(move |reader| reader.leads(stage, search, None, 10));
        let names = page.rows.into_iter().map(|row| row.name);
        (names.collect::<Vec<_>>(), page.total)
    };
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(of(None, ""), (names(&["Lea", "Leo", "Lia"]), 3));
    let new = Some(LeadStage::New);
    assert_eq!(of(new, ""), (names(&["Lea", "Lia"]), 2));
    assert_eq!(of(new, "lia"), (names(&["Lia"]), 1));
    assert_eq!(of(Some(LeadStage::Lost), ""), (Vec::new(), 0));
    let after = desk.read(move |reader| {
        let first = reader.leads(new, "", None, 1)?;
        reader.leads(new, "", first.next.as_ref(), 1)
    });
    assert_eq!(after.rows[0].name, "Lia");
    assert_eq!(after.next, None);
}

#[test]
fn an_organization_is_known_by_its_own_number_and_a_person_goes_before_it() {
    let desk = Desk::open();
    let call = desk.insert(&inbound(1, "0301234567"));
    let example = desk.organization("Example AG", "030/123 45 67");
    let shown = desk.call(call);
    assert_eq!(shown.subject(), Some(Subject::Organization(example)));
    assert_eq!(shown.contact_name.as_deref(), Some("Example AG"));
    assert_eq!(shown.level, Some(MatchLevel::Known));
    let known = desk.identify("+49 30 1234567");
    assert_eq!(known.matches[0].subject, Subject::Organization(example));
    assert_eq!(
        known.matches[0].reason,
        "same number in international form, \"Main\""
    );
    assert_eq!(known.last_calls.len(), 1);
    // One person with that number is who calls; two are a question.
    let anna = desk.contact("Anna", "0301234567");
    assert_eq!(
        Match::best(&desk.identify("0301234567").matches).map(|best| best.subject),
        Some(Subject::Contact(anna))
    );
    desk.contact("Bert", "0301234567");
    let found = desk.identify("0301234567").matches;
    assert_eq!((found.len(), Match::best(&found)), (3, None));
    // Its end is guessed, as a person's.
    let weak = desk.identify("+43 1 1234567");
    assert!(
        weak.matches
            .iter()
            .any(|found| found.subject == Subject::Organization(example)
                && found.level == MatchLevel::Weak)
    );
}

#[test]
fn the_agent_can_choose_an_organization_and_it_ranks_first_next_time() {
    let desk = Desk::open();
    let example = desk.organization("Example AG", "0301234567");
    desk.contact("Anna", "0301234567");
    let call = desk.insert(&inbound(1, "0301234567"));
    desk.change(
        call,
        CallChange::Subject(Some(Subject::Organization(example))),
    );
    let row = desk.call(call);
    assert_eq!(
        (row.contact, row.organization_id),
        (None, Some(example)),
        "{row:?}"
    );
    let again = desk.identify("0301234567").matches;
    assert_eq!(again[0].subject, Subject::Organization(example));
    assert_eq!(again[0].level, MatchLevel::Manual);
    assert_eq!(again.len(), 2);
    // It is no proof: the person beside it does not take the next call without a question.
    let next = desk.insert(&inbound(2, "0301234567"));
    assert_eq!(desk.call(next).subject(), None);
    let opens = desk.read(move |reader| reader.on_answer(next, second(3), 30));
    let Some(OnAnswer::Choose { candidates }) = opens else {
        panic!("no question: {opens:?}");
    };
    assert_eq!(candidates, again);
}

#[test]
fn a_person_belongs_to_several_organizations() {
    let desk = Desk::open();
    let mut anna = contact("Anna", &[("Mobile", "0301234567")]);
    anna.organization_name = Some("Example AG".to_owned());
    anna.memberships = vec![Membership {
        organization: None,
        organization_name: "Choir".to_owned(),
        role: Some("Alto".to_owned()),
    }];
    let (id, _) = desk.save(&anna);
    let stored = wait(desk.store.contact(id)).unwrap().unwrap();
    assert_eq!(stored.memberships[0].organization_name, "Choir");
    assert_eq!(stored.memberships[0].role.as_deref(), Some("Alto"));
    let choir = stored.memberships[0].organization.unwrap();
    let call = desk.insert(&inbound(1, "0301234567"));
    let about = Subject::Organization(choir);
    let timeline = desk.read(move |reader| reader.timeline(about, None, 10)).0;
    assert!(
        matches!(timeline.as_slice(), [TimelineEntry::Call(row)] if row.id == call),
        "{timeline:?}"
    );
    let listed = wait(desk.store.organizations("choir", None, 9))
        .unwrap()
        .rows;
    assert_eq!(listed[0].contacts, 1);
}

#[test]
fn earlier_calls_leave_a_contact_that_loses_the_number_and_the_step_can_be_undone() {
    let desk = Desk::open();
    let (anna, _) = desk.save(&contact("Anna", &[("Work", "0301234567")]));
    let call = desk.insert(&inbound(1, "0301234567"));
    let corrected = ContactRow {
        id: anna,
        ..contact("Anna", &[("Work", "0309999999")])
    };
    desk.save(&corrected);
    let row = desk.call(call);
    assert_eq!((row.contact, row.level), (None, None));
    assert_eq!(row.contact_name.as_deref(), Some("Anna"));
    let undone = desk.undo();
    assert_eq!(undone.left, 0);
    assert_eq!(desk.call(call).contact, Some(anna));
    assert_eq!(desk.call(call).level, Some(MatchLevel::Known));
}

#[test]
fn what_an_agent_chose_outlives_the_number() {
    let desk = Desk::open();
    let (anna, _) = desk.save(&contact("Anna", &[("Work", "0301234567")]));
    let call = desk.insert(&inbound(1, "0301234567"));
    desk.change(call, CallChange::Subject(Some(Subject::Contact(anna))));
    desk.save(&ContactRow {
        id: anna,
        ..contact("Anna", &[("Work", "0309999999")])
    });
    let row = desk.call(call);
    assert_eq!(
        (row.contact, row.level),
        (Some(anna), Some(MatchLevel::Manual))
    );
}

#[test]
fn who_is_linked_by_mistake_is_unlinked_by_undoing_unless_the_agent_chose_since() {
    let desk = Desk::open();
    let first = desk.insert(&inbound(1, "0301234567"));
    let second_call = desk.insert(&inbound(2, "0301234567"));
    let anna = desk.contact("Anna", "0301234567");
    let bert = desk.contact("Bert", "0307777777");
    desk.change(
        second_call,
        CallChange::Subject(Some(Subject::Contact(bert))),
    );
    let steps = desk.read(Reader::undo_steps);
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].label, "earlier calls of Anna");
    let undone = desk.undo();
    assert_eq!(undone.left, 1);
    assert_eq!(desk.call(first).contact, None);
    assert_eq!(desk.call(second_call).contact, Some(bert));
    assert!(wait(desk.store.links(first)).unwrap().is_empty());
    assert!(wait(desk.store.contact(anna)).unwrap().is_some());
    // It cannot be undone twice.
    assert!(desk.read(Reader::undo_steps).is_empty());
    let again = wait(desk.store.write(Write::Undo(steps[0].id)));
    assert_eq!(again, Err(StoreError::Missing("step to undo")));
}

#[test]
fn a_deleted_person_comes_back_with_all_that_hung_on_them() {
    let desk = Desk::open();
    let mut anna = contact("Anna", &[("Work", "0301234567")]);
    anna.organization_name = Some("Example AG".to_owned());
    let (anna, _) = desk.save(&anna);
    let call = desk.insert(&inbound(1, "0301234567"));
    let ticket = desk.ticket("Printer", Some(anna));
    let about = Subject::Contact(anna);
    desk.write(Write::SaveNote(note(about, "likes tea")));
    desk.write(Write::SaveTask(Box::new(task("Send offer", Some(about)))));
    desk.write(Write::DeleteContact(anna));
    assert_eq!(desk.call(call).contact, None);
    assert_eq!(desk.call(call).contact_name.as_deref(), Some("Anna"));
    assert_eq!(
        desk.read(move |reader| reader.ticket(ticket))
            .unwrap()
            .contact,
        None
    );
    assert_eq!(
        desk.read(|reader| reader.tasks(TaskFilter::ToDo, None, 10))[0].about,
        None
    );
    desk.undo();
    let back = wait(desk.store.contact(anna)).unwrap().unwrap();
    assert_eq!(back.organization_name.as_deref(), Some("Example AG"));
    assert_eq!(desk.call(call).contact, Some(anna));
    assert_eq!(desk.identify("0301234567").matches[0].subject, about);
    assert_eq!(
        desk.read(move |reader| reader.ticket(ticket))
            .unwrap()
            .contact,
        Some(anna)
    );
    assert_eq!(
        desk.read(|reader| reader.tasks(TaskFilter::ToDo, None, 10))[0].about,
        Some(about)
    );
    let timeline = desk.read(move |reader| reader.timeline(about, None, 10)).0;
    assert_eq!(timeline.len(), 4, "{timeline:?}");
}

#[test]
fn calls_of_a_deleted_person_go_to_who_else_has_the_number() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0301234567");
    let call = desk.insert(&inbound(1, "0301234567"));
    assert_eq!(desk.call(call).contact, Some(anna));
    let bert = desk.contact("Bert", "0301234567");
    desk.write(Write::DeleteContact(anna));
    assert_eq!(desk.call(call).contact, Some(bert));
    // The name that was shown stays.
    assert_eq!(desk.call(call).contact_name.as_deref(), Some("Anna"));
    desk.undo();
    assert_eq!(desk.call(call).contact, Some(anna));
}

pub(super) fn note(about: Subject, text: &str) -> NoteRow {
    NoteRow {
        id: NoteId(0),
        about,
        at: second(0),
        author: String::new(),
        text: text.to_owned(),
    }
}

pub(super) fn task(title: &str, about: Option<Subject>) -> TaskRow {
    TaskRow {
        about,
        ..TaskRow::new(title, None, second(0))
    }
}

#[test]
fn a_ticket_keeps_its_articles_and_opens_again_when_the_customer_speaks() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0301234567");
    let id = desk.ticket("Printer", Some(anna));
    let call = desk.insert(&inbound(1, "0301234567"));
    let mut words = article("It does not print on A3", ArticleSender::Customer);
    words.call = Some(call);
    desk.write(Write::AddArticle(id, Box::new(words)));
    let mut stored = desk.read(move |reader| reader.ticket(id)).unwrap();
    assert_eq!(stored.articles.len(), 1);
    assert_eq!(stored.articles[0].call, Some(call));
    assert_eq!(stored.contact_name.as_deref(), Some("Anna"));
    stored.state = TicketState::Closed;
    desk.write(Write::SaveTicket(Box::new(stored.clone())));
    let closed = desk.read(move |reader| reader.ticket(id)).unwrap();
    assert_eq!(
        closed.articles.len(),
        1,
        "an article with an id is not added again"
    );
    assert!(closed.closed_at.is_some());
    desk.write(Write::AddArticle(
        id,
        Box::new(article("internal", ArticleSender::Agent)),
    ));
    let listed = |filter| {
        desk.read(move |reader| reader.tickets(filter, "", None, 10))
            .len()
    };
    assert_eq!(listed(TicketFilter::NotClosed), 0);
    desk.write(Write::AddArticle(
        id,
        Box::new(article("still broken", ArticleSender::Customer)),
    ));
    assert_eq!(listed(TicketFilter::NotClosed), 1);
    let open = desk.read(move |reader| reader.ticket(id)).unwrap();
    assert_eq!((open.state, open.closed_at), (TicketState::Open, None));
    // Found by the words of its articles, and shown with who calls.
    let found = desk.read(|reader| reader.tickets(TicketFilter::All, "a3 print", None, 10));
    assert_eq!(found.len(), 1);
    assert_eq!(desk.identify("0301234567").tickets.len(), 1);
    desk.write(Write::DeleteTicket(id));
    assert!(
        desk.read(|reader| reader.tickets(TicketFilter::All, "a3", None, 10))
            .is_empty()
    );
    let missing = Write::SaveTicket(Box::new(ticket("x", Some(ContactId(99)))));
    assert_eq!(
        wait(desk.store.write(missing)),
        Err(StoreError::Missing("contact"))
    );
}

#[test]
fn tasks_come_by_when_they_are_due() {
    let desk = Desk::open();
    let save = |title: &str, due: Option<i64>| {
        let row = TaskRow {
            due_at: due.map(second),
            ..task(title, None)
        };
        match desk.write(Write::SaveTask(Box::new(row))) {
            Written::Task(id) => id,
            other => panic!("{other:?}"),
        }
    };
    save("some day", None);
    save("late", Some(200));
    let soon = save("soon", Some(100));
    let titles = |filter| -> Vec<String> {
        let tasks = desk.read(move |reader| reader.tasks(filter, None, 10));
        tasks.into_iter().map(|task| task.title).collect()
    };
    assert_eq!(titles(TaskFilter::ToDo), ["soon", "late", "some day"]);
    assert_eq!(titles(TaskFilter::DueUntil(second(150))), ["soon"]);
    desk.write(Write::TaskDone(soon, true));
    assert_eq!(titles(TaskFilter::ToDo), ["late", "some day"]);
    assert_eq!(titles(TaskFilter::Done), ["soon"]);
    desk.write(Write::TaskDone(soon, false));
    desk.write(Write::DeleteTask(soon));
    assert_eq!(titles(TaskFilter::ToDo), ["late", "some day"]);
    let gone = wait(desk.store.write(Write::TaskDone(soon, true)));
    assert_eq!(gone, Err(StoreError::Missing("task")));
}

#[test]
fn one_search_finds_names_numbers_notes_and_tickets() {
    let desk = Desk::open();
    let anna = desk.contact("Anna Zebra", "0301234567");
    desk.organization("Zebra Crossings", "0307777777");
    desk.ticket("zebra costume", Some(anna));
    let about = Subject::Contact(anna);
    desk.write(Write::SaveNote(note(about, "saw a zébra today")));
    let call = desk.insert(&inbound(1, "0305555555"));
    desk.change(call, CallChange::Notes("asked for a ZEBRA".to_owned()));
    desk.insert(&inbound(2, "0301234567"));
    let found = desk.read(|reader| reader.search("zebra", 10));
    assert_eq!(found.contacts.len(), 1);
    assert_eq!(found.organizations.len(), 1);
    assert_eq!(found.tickets.len(), 1);
    assert_eq!(found.notes.len(), 1);
    assert_eq!(found.calls.len(), 2);
    let by_number = desk.read(|reader| reader.search("030 123", 10));
    assert_eq!((by_number.contacts.len(), by_number.calls.len()), (1, 1));
    // What is typed over is found no more.
    desk.change(call, CallChange::Notes("asked for a horse".to_owned()));
    assert_eq!(
        desk.read(|reader| reader.search("zebra", 10)).calls.len(),
        1
    );
    assert_eq!(
        desk.read(|reader| reader.search("", 10)),
        crate::crm::row::Found::default()
    );
}

#[test]
fn the_trail_says_who_changed_what() {
    let desk = Desk::open();
    desk.store.set_agent("Alice");
    let anna = desk.contact("Anna", "0301234567");
    desk.store.set_agent("Bob");
    let call = desk.insert(&inbound(1, "0301234567"));
    desk.change(call, CallChange::Done(true));
    desk.write(Write::DeleteContact(anna));
    let all = desk.read(|reader| reader.audit(None, None, 10));
    let words: Vec<_> = all
        .iter()
        .map(|row| (row.agent.as_str(), row.what.as_str()))
        .collect();
    assert_eq!(
        words,
        [
            ("Bob", "delete contact"),
            ("Bob", "call done"),
            ("Alice", "save contact")
        ]
    );
    let about = Some(Subject::Contact(anna));
    let of_anna = desk.read(move |reader| reader.audit(about, None, 10));
    assert_eq!(of_anna.len(), 2);
    let older = desk.read(move |reader| reader.audit(about, Some(of_anna[0].id), 10));
    assert_eq!(older[0].detail, "Anna");
}

/// Those that a search found were the oldest.
#[test]
fn of_too_many_tickets_a_search_has_the_newest() {
    let desk = Desk::open();
    let mut made: Vec<TicketId> = (0..25).map(|_| desk.ticket("Zebra", None)).collect();
    made.reverse();
    let ids = |found: Vec<TicketRow>| -> Vec<TicketId> {
        found.into_iter().map(|ticket| ticket.id).collect()
    };
    let listed = desk.read(|reader| reader.tickets(TicketFilter::All, "zebra", None, 100));
    assert_eq!(ids(listed), made[..20]);
    let found = desk.read(|reader| reader.search("zebra", 5)).tickets;
    assert_eq!(ids(found), made[..5]);
}

#[test]
fn one_search_finds_notes_on_people_numbers_of_organizations_and_further_organizations() {
    let desk = Desk::open();
    let mut anna = contact("Anna", &[("Mobile", "030 1234567")]);
    anna.notes = "met at the fair".to_owned();
    anna.memberships = vec![Membership {
        organization: None,
        organization_name: "Choir of Example".to_owned(),
        role: None,
    }];
    anna.id = desk.save(&anna).0;
    let example = desk.organization("Example AG", "0171 5550100");
    let found = |search: &str| {
        let search = search.to_owned();
        desk.read(move |reader| reader.search(&search, 5))
    };
    let people = |search: &str| -> Vec<ContactId> {
        found(search).contacts.iter().map(|row| row.id).collect()
    };
    let organizations = |search: &str| -> Vec<OrganizationId> {
        found(search)
            .organizations
            .iter()
            .map(|row| row.id)
            .collect()
    };
    assert_eq!(people("fair"), [anna.id]);
    assert_eq!(people("choir"), [anna.id]);
    for number in ["0171 555", "+49171555", "0100"] {
        assert_eq!(organizations(number), [example], "{number}");
    }
    // What is changed is found as it is now.
    let edit = OrganizationEdit {
        name: Some("Muster AG".to_owned()),
        numbers: NumbersEdit {
            add: contact("", &[("Main", "0172 5550100")]).numbers,
            remove: vec!["0171 5550100".to_owned()],
        },
    };
    desk.write(Write::EditOrganization(example, edit));
    assert_eq!(organizations("0171 555"), []);
    assert_eq!(organizations("0172 555"), [example]);
    assert_eq!(
        (organizations("example").len(), organizations("muster")),
        (1, vec![example])
    );
    let choir = found("choir").organizations[0].id;
    let edit = OrganizationEdit {
        name: Some("Opera".to_owned()),
        ..OrganizationEdit::default()
    };
    desk.write(Write::EditOrganization(choir, edit));
    assert_eq!((people("choir"), people("opera")), (vec![], vec![anna.id]));
    desk.write(Write::DeleteOrganization(choir));
    assert_eq!((people("opera"), organizations("opera")), (vec![], vec![]));
    anna.notes = "tea".to_owned();
    anna.memberships = Vec::new();
    desk.save(&anna);
    assert_eq!((people("fair"), people("tea")), (vec![], vec![anna.id]));
    desk.write(Write::DeleteContact(anna.id));
    assert_eq!(people("tea"), []);
    desk.undo();
    assert_eq!(people("tea"), [anna.id]);
}
