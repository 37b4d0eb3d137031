//! A part of a record changed, and the rest as it was.

use super::*;
use crate::base::id::{CallTypeId, NoteId, TicketId};
use crate::crm::row::{
    CallTypeRow, ContactEdit, LeadStage, Membership, NoteRow, NumbersEdit, OrganizationEdit,
    StageEdit, TicketChange,
};

#[test]
fn a_part_of_a_contact_is_changed_and_the_rest_stays() {
    let desk = Desk::open();
    let call = desk.insert(&inbound(1, "0309876543"));
    let mut lead = contact("Lea", &[("Mobile", "030 1234567")]);
    lead.stage = Some(LeadStage::New);
    lead.role = Some("Buyer".to_owned());
    let id = desk.save(&lead).0;
    let edit = |edit: ContactEdit| wait(desk.store.write(Write::EditContact(id, Box::new(edit))));
    let numbers = NumbersEdit {
        add: contact("", &[("Work", "030/9876543")]).numbers,
        remove: Vec::new(),
    };
    let joined = Membership {
        organization: None,
        organization_name: "Choir".to_owned(),
        role: Some("Alto".to_owned()),
    };
    let done = edit(ContactEdit {
        numbers,
        stage: Some(StageEdit::Lead(LeadStage::Qualified)),
        organization: Some("Example AG".to_owned()),
        notes: Some("likes tea".to_owned()),
        join: vec![joined],
        ..ContactEdit::default()
    });
    assert_eq!(
        done,
        Ok(Written::Contact(id, 1)),
        "the call follows the number"
    );
    assert_eq!(desk.call(call).contact, Some(id));
    let row = || wait(desk.store.contact(id)).unwrap().unwrap();
    let changed = row();
    assert_eq!((changed.name.as_str(), changed.numbers.len()), ("Lea", 2));
    assert_eq!(changed.stage, Some(LeadStage::Qualified));
    assert_eq!(changed.role.as_deref(), Some("Buyer"));
    assert_eq!(changed.organization_name.as_deref(), Some("Example AG"));
    assert_eq!(changed.memberships[0].organization_name, "Choir");
    // A number is known in any spelling; a contact is no lead.
    let numbers = NumbersEdit {
        add: contact("", &[("Desk", "+49 30 9876543")]).numbers,
        remove: vec!["+49 (0)30 1234567".to_owned()],
    };
    edit(ContactEdit {
        numbers,
        stage: Some(StageEdit::Contact),
        organization: Some(String::new()),
        leave: vec!["choir".to_owned()],
        ..ContactEdit::default()
    })
    .unwrap();
    let changed = row();
    assert_eq!(
        changed.numbers,
        [ContactNumber {
            label: "Desk".to_owned(),
            raw: "+49 30 9876543".to_owned(),
            e164: Some("+49309876543".to_owned()),
        }]
    );
    assert_eq!((changed.stage, changed.organization), (None, None));
    assert_eq!(
        (changed.memberships.len(), changed.notes.as_str()),
        (0, "likes tea")
    );
    // What cannot be taken away changes nothing.
    for wrong in [
        ContactEdit {
            name: Some("Nobody".to_owned()),
            numbers: NumbersEdit {
                remove: vec!["030 1234567".to_owned()],
                ..NumbersEdit::default()
            },
            ..ContactEdit::default()
        },
        ContactEdit {
            name: Some("Nobody".to_owned()),
            leave: vec!["Choir".to_owned()],
            ..ContactEdit::default()
        },
    ] {
        assert!(matches!(edit(wrong), Err(StoreError::Refused(_))));
    }
    assert_eq!(row(), changed);
    let gone = Write::EditContact(ContactId(99), Box::default());
    assert_eq!(
        wait(desk.store.write(gone)),
        Err(StoreError::Missing("contact"))
    );
}

/// A main number that was added took the place of an extension behind it, and so did one extension of another's.
#[test]
fn an_extension_and_its_main_number_are_two_numbers() {
    let desk = Desk::open();
    let id = desk.contact("Anna", "+1 212 555 0123 x45");
    let edit = |add: &[(&str, &str)], remove: &[&str]| {
        let edit = ContactEdit {
            numbers: NumbersEdit {
                add: contact("", add).numbers,
                remove: remove.iter().map(|raw| (*raw).to_owned()).collect(),
            },
            ..ContactEdit::default()
        };
        wait(desk.store.write(Write::EditContact(id, Box::new(edit))))
    };
    let numbers = || -> Vec<(String, String)> {
        let row = wait(desk.store.contact(id)).unwrap().unwrap();
        (row.numbers.into_iter())
            .map(|number| (number.label, number.raw))
            .collect()
    };
    let pair = |label: &str, raw: &str| (label.to_owned(), raw.to_owned());
    edit(
        &[("Work", "+1 212 555 0123"), ("", "+1 212 555 0123 x46")],
        &[],
    )
    .unwrap();
    let all = [
        pair("Mobile", "+1 212 555 0123 x45"),
        pair("Work", "+1 212 555 0123"),
        pair("Phone", "+1 212 555 0123 x46"),
    ];
    assert_eq!(numbers(), all);
    // One that is there keeps its label where none is given.
    edit(&[("", "+12125550123 ext. 45")], &[]).unwrap();
    let first = pair("Mobile", "+12125550123 ext. 45");
    assert_eq!(numbers()[0], first);
    edit(&[], &["(212) 555-0123".replace("(212)", "+1 212").as_str()]).unwrap();
    assert_eq!(numbers(), [first.clone(), all[2].clone()]);
    let gone = edit(&[], &["+1 212 555 0123"]);
    assert!(matches!(gone, Err(StoreError::Refused(_))), "{gone:?}");
    edit(&[], &["+1 212 555 0123 x46"]).unwrap();
    assert_eq!(numbers(), [first]);

    let example = desk.organization("Example AG", "+1 212 555 0199 x45");
    assert_eq!(desk.organization("Example AG", "+1 212 555 0199"), example);
    assert_eq!(desk.organization("Example AG", "+12125550199"), example);
    let row = desk.read(move |reader| reader.organization(example));
    assert_eq!(row.unwrap().numbers.len(), 2);
}

/// Rows without a title were written, and two organizations got one name.
#[test]
fn a_record_needs_a_name_and_an_organization_one_of_its_own() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0305550100");
    let example = desk.organization("Example AG", "030 1234567");
    let choir = desk.organization("Choir", "030 7654321");
    let ticket = desk.ticket("Printer", Some(anna));
    let named = |name: &str| ContactEdit {
        name: Some(name.to_owned()),
        ..ContactEdit::default()
    };
    let organization = |name: &str| OrganizationEdit {
        name: Some(name.to_owned()),
        ..OrganizationEdit::default()
    };
    let call_type = CallTypeRow {
        id: CallTypeId(0),
        name: " ".to_owned(),
        active: true,
        place: 0,
    };
    let title = TicketChange {
        title: Some(" ".to_owned()),
        ..TicketChange::default()
    };
    for (wrong, why) in [
        (Write::SaveContact(Box::new(contact("", &[]))), "name"),
        (Write::EditContact(anna, Box::new(named(" "))), "name"),
        (Write::EditOrganization(example, organization("")), "name"),
        (
            Write::SaveTicket(Box::new(records::ticket(" ", None))),
            "title",
        ),
        (Write::ChangeTicket(ticket, Box::new(title)), "title"),
        (Write::SaveTask(Box::new(records::task("", None))), "title"),
        (Write::SaveCallType(call_type), "name"),
        (
            Write::EditOrganization(choir, organization("EXAMPLE ag")),
            "organization 1 is named “Example AG” already",
        ),
    ] {
        let told = format!("{wrong:?}");
        let refused = wait(desk.store.write(wrong));
        assert!(
            matches!(&refused, Err(StoreError::Refused(said)) if said.contains(why)),
            "{told}: {refused:?}"
        );
    }
    // Its own name in other letters is no other's.
    desk.write(Write::EditOrganization(choir, organization("CHOIR")));
    let row = wait(desk.store.contact(anna)).unwrap().unwrap();
    assert_eq!(row.name, "Anna");
}

/// The link went and the call still showed the person, whose timeline had it no more.
#[test]
fn whom_a_call_shows_is_not_unlinked_behind_its_back() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0301234567");
    let bert = desk.contact("Bert", "0307777777");
    let call = desk.insert(&inbound(1, "0301234567"));
    let linked = || {
        let links = wait(desk.store.links(call)).unwrap();
        let linked = links.into_iter().map(|link| link.subject);
        linked.collect::<Vec<_>>()
    };
    let (anna, bert) = (Subject::Contact(anna), Subject::Contact(bert));
    desk.change(call, CallChange::Link(bert));
    let unlink = |subject| {
        wait(
            desk.store
                .write(Write::ChangeCall(call, CallChange::Unlink(subject))),
        )
    };
    let refused = unlink(anna);
    assert!(
        matches!(&refused, Err(StoreError::Refused(why)) if why.contains("another caller, or none")),
        "{refused:?}"
    );
    assert_eq!(linked(), [bert, anna]);
    unlink(bert).unwrap();
    assert_eq!(linked(), [anna]);
    desk.change(call, CallChange::Subject(None));
    unlink(anna).unwrap();
    assert_eq!(linked(), []);
}

#[test]
fn a_part_of_an_organization_and_a_note_are_changed() {
    let desk = Desk::open();
    let example = desk.organization("Example AG", "030 1234567");
    let edit = OrganizationEdit {
        name: Some("Example GmbH".to_owned()),
        numbers: NumbersEdit {
            add: contact("", &[("Fax", "030 1234568")]).numbers,
            remove: Vec::new(),
        },
    };
    desk.write(Write::EditOrganization(example, edit));
    let row = desk
        .read(move |reader| reader.organization(example))
        .unwrap();
    assert_eq!((row.name.as_str(), row.numbers.len()), ("Example GmbH", 2));
    let anna = desk.contact("Anna", "0305550100");
    let note = NoteRow {
        id: NoteId(0),
        about: Subject::Contact(anna),
        at: second(0),
        author: String::new(),
        text: "likes tea".to_owned(),
    };
    let Written::Note(id) = desk.write(Write::SaveNote(note)) else {
        panic!("no note");
    };
    desk.write(Write::ChangeNote(id, "likes coffee".to_owned()));
    let found = desk.read(|reader| reader.search("coffee", 5)).notes;
    assert_eq!((found.len(), found[0].id), (1, id));
    let gone = wait(
        desk.store
            .write(Write::ChangeNote(NoteId(9), String::new())),
    );
    assert_eq!(gone, Err(StoreError::Missing("note")));
}

#[test]
fn several_changes_of_a_call_are_made_all_or_none() {
    let desk = Desk::open();
    let call = desk.insert(&inbound(1, "0301234567"));
    let before = desk.call(call);
    let changes = vec![
        CallChange::Notes("wants an offer".to_owned()),
        CallChange::Done(true),
        CallChange::Link(Subject::Ticket(TicketId(7))),
    ];
    let refused = wait(desk.store.write(Write::EditCall(call, changes.clone())));
    assert_eq!(refused, Err(StoreError::Missing("ticket")));
    assert_eq!(desk.call(call), before);
    assert_eq!(desk.read(|reader| reader.audit(None, None, 9)), []);
    desk.write(Write::EditCall(call, changes[..2].to_vec()));
    let changed = desk.call(call);
    assert_eq!(
        (changed.notes.as_str(), changed.done),
        ("wants an offer", true)
    );
}
