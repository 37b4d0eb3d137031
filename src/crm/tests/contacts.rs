//! Contacts: saving, linking earlier calls again, lists and search.

use super::*;
use crate::base::id::OrganizationId;
use crate::crm::row::{MatchLevel, OrganizationRow};

fn read(desk: &Desk, id: ContactId) -> ContactRow {
    wait(desk.store.contact(id)).unwrap().unwrap()
}

fn names(desk: &Desk, search: &str) -> Vec<String> {
    let page = wait(desk.store.contacts(search, None, 100)).unwrap();
    let (rows, total) = (page.rows, page.total);
    assert_eq!(total, u64::try_from(rows.len()).unwrap());
    rows.into_iter().map(|row| row.name).collect()
}

#[test]
fn a_contact_is_saved_changed_and_deleted_with_its_numbers() {
    let desk = Desk::open();
    let mut row = contact(
        " Anna Muster ",
        &[("Mobile", "0171/2345678"), ("", " "), ("Desk", "101")],
    );
    row.organization_name = Some("Example AG".to_owned());
    row.role = Some(" ".to_owned());
    row.notes = "likes tea".to_owned();
    let (id, linked) = desk.save(&row);
    assert_eq!(linked, 0);
    let stored = read(&desk, id);
    assert_eq!(stored.name, "Anna Muster");
    assert_eq!(stored.organization_name.as_deref(), Some("Example AG"));
    assert_eq!(
        (stored.role.as_deref(), stored.notes.as_str()),
        (None, "likes tea")
    );
    let numbers: Vec<_> = stored
        .numbers
        .iter()
        .map(|number| (number.raw.as_str(), number.e164.as_deref()))
        .collect();
    assert_eq!(
        numbers,
        [("0171/2345678", Some("+491712345678")), ("101", None)]
    );

    let changed = ContactRow {
        name: "Anna Beispiel".to_owned(),
        numbers: contact("", &[("Work", "0301234567")]).numbers,
        ..stored
    };
    assert_eq!(desk.save(&changed).0, id);
    assert_eq!(read(&desk, id).numbers.len(), 1);
    assert!(desk.identify("101").matches.is_empty());
    assert_eq!(names(&desk, "muster"), [""; 0]);
    assert_eq!(names(&desk, "beispiel"), ["Anna Beispiel"]);

    desk.write(Write::DeleteContact(id));
    assert_eq!(wait(desk.store.contact(id)), Ok(None));
    assert_eq!(names(&desk, ""), [""; 0]);
    assert!(desk.identify("0301234567").matches.is_empty());
    for write in [
        Write::DeleteContact(id),
        Write::SaveContact(Box::new(changed)),
    ] {
        assert_eq!(
            wait(desk.store.write(write)),
            Err(StoreError::Missing("contact"))
        );
    }
    assert_ne!(desk.contact("New", "1"), id, "an id is never used again");
}

#[test]
fn a_new_contact_takes_its_earlier_calls() {
    let desk = Desk::open();
    for (number, remote) in [
        (1, "0301234567"),
        (2, "sip:+49301234567@pbx"),
        (3, "030/1234567"),
        (4, "0171 2345678"),
        (5, "0309999999"),
        (6, "101"),
        (7, "sip:anna@example.com"),
    ] {
        desk.insert(&missed(number, remote));
    }
    let (anna, linked) = desk.save(&contact(
        "Anna",
        &[
            ("Work", "+49 30 1234567"),
            ("Mobile", "0171 2345678"),
            ("Desk", "101"),
            ("SIP", "anna@example.com"),
        ],
    ));
    assert_eq!(linked, 6);
    for number in [1, 2, 3, 4, 6, 7] {
        let call = desk.call(call_id(number));
        assert_eq!(call.contact, Some(anna));
        assert_eq!(call.contact_name.as_deref(), Some("Anna"));
        assert_eq!(call.level, Some(MatchLevel::Known));
    }
    assert_eq!(desk.call(call_id(5)).contact, None);
    let again = desk.save(&read(&desk, anna));
    assert_eq!(again, (anna, 0), "nothing is linked twice");
}

#[test]
fn linking_again_never_takes_what_was_chosen_or_known() {
    let desk = Desk::open();
    let bert = desk.contact("Bert", "0309999999");
    let chosen = desk.insert(&missed(1, "0301234567"));
    desk.change(chosen, CallChange::Subject(Some(Subject::Contact(bert))));
    let nobody = desk.insert(&missed(2, "0301234567"));
    desk.change(nobody, CallChange::Subject(None));
    let known = desk.insert(&CallRow {
        contact: Some(bert),
        contact_name: Some("Bert".to_owned()),
        level: Some(MatchLevel::Known),
        ..missed(3, "0301234567")
    });
    let guessed = desk.insert(&CallRow {
        contact: Some(bert),
        contact_name: Some("Bert".to_owned()),
        level: Some(MatchLevel::Weak),
        ..missed(4, "0301234567")
    });
    let (anna, linked) = desk.save(&contact("Anna", &[("Work", "0301234567")]));
    assert_eq!(linked, 2);
    assert_eq!(desk.call(chosen).contact, Some(bert));
    assert_eq!(desk.call(known).contact, Some(bert));
    assert_eq!(desk.call(guessed).contact, Some(anna));
    assert_eq!(
        desk.call(nobody).contact,
        Some(anna),
        "\"none of the contacts\" was said before this one was there"
    );
    let links = wait(desk.store.links(known)).unwrap();
    assert!(
        links
            .iter()
            .any(|link| link.subject == Subject::Contact(anna))
    );
}

#[test]
fn none_of_the_contacts_holds_for_those_who_were_there() {
    let desk = Desk::open();
    let (anna, _) = desk.save(&contact("Anna", &[("Work", "0301234567")]));
    let id = desk.insert(&missed(1, "0301234567"));
    desk.change(id, CallChange::Subject(None));
    assert_eq!(desk.save(&read(&desk, anna)).1, 0);
    assert_eq!(desk.call(id).contact, None);
}

#[test]
fn a_second_owner_of_a_number_leaves_the_first_ones_calls_alone() {
    let desk = Desk::open();
    let id = desk.insert(&missed(1, "0301234567"));
    let anna = desk.contact("Anna", "0301234567");
    let (bert, linked) = desk.save(&contact("Bert", &[("", "0301234567")]));
    assert_eq!(linked, 0);
    assert_eq!(desk.call(id).contact, Some(anna));
    let links = wait(desk.store.links(id)).unwrap();
    let linked: Vec<_> = links
        .iter()
        .map(|link| link.subject.contact().unwrap())
        .collect();
    assert_eq!(linked, [anna, bert]);
}

#[test]
fn calls_keep_the_name_of_their_time() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0301234567");
    let id = desk.insert(&missed(1, "0301234567"));
    let renamed = ContactRow {
        name: "Anna Married".to_owned(),
        ..read(&desk, anna)
    };
    desk.save(&renamed);
    assert_eq!(desk.call(id).contact_name.as_deref(), Some("Anna"));
    desk.write(Write::DeleteContact(anna));
    let call = desk.call(id);
    assert_eq!(
        (call.contact, call.contact_name.as_deref()),
        (None, Some("Anna"))
    );
    // Who comes next takes the call, not its past.
    let (bert, linked) = desk.save(&contact("Bert", &[("", "0301234567")]));
    let call = desk.call(id);
    assert_eq!(linked, 1);
    assert_eq!(
        (call.contact, call.contact_name.as_deref()),
        (Some(bert), Some("Anna"))
    );
}

#[test]
fn own_lines_take_no_calls() {
    let desk = Desk::open();
    desk.store.set_own_numbers(&["+49301234567".to_owned()]);
    let id = desk.insert(&missed(1, "0301234567"));
    assert_eq!(desk.save(&contact("Me", &[("", "0301234567")])).1, 0);
    assert_eq!(desk.call(id).contact, None);
}

#[test]
fn contacts_are_listed_by_name_and_searched_by_word_organization_and_number() {
    let desk = Desk::open();
    for (name, organization, number) in [
        ("Zoë Östlund", "Nordic AB", "+46 8 123 456 78"),
        ("anna muster", "Example AG", "0171 2345678"),
        ("Émile Zola", "Example AG", "01 23 45 67 89"),
        ("Bert", "", "101"),
    ] {
        let mut row = contact(name, &[("", number)]);
        row.organization_name = Some(organization.to_owned());
        desk.save(&row);
    }
    assert_eq!(
        names(&desk, ""),
        ["anna muster", "Bert", "Émile Zola", "Zoë Östlund"]
    );
    for (search, expected) in [
        ("zo", vec!["Émile Zola", "Zoë Östlund"]),
        ("ostlund", vec!["Zoë Östlund"]),
        ("exam", vec!["anna muster", "Émile Zola"]),
        ("exam emile", vec!["Émile Zola"]),
        ("0171", vec!["anna muster"]),
        ("+49171", vec!["anna muster"]),
        ("5678", vec!["anna muster", "Zoë Östlund"]),
        ("101", vec!["Bert"]),
        ("nobody", vec![]),
    ] {
        assert_eq!(names(&desk, search), expected, "{search}");
    }
    // Pages go on behind a row, also where that row is gone meanwhile.
    let first = wait(desk.store.contacts("", None, 1)).unwrap();
    desk.write(Write::DeleteContact(first.rows[0].id));
    let page = wait(desk.store.contacts("", first.next, 2)).unwrap();
    assert_eq!((page.rows[0].name.as_str(), page.rows.len()), ("Bert", 2));
    assert_eq!((page.total, page.next.is_some()), (3, true));
    let first = wait(desk.store.contacts("exa", None, 1)).unwrap();
    assert_eq!(first.next, None);
}

#[test]
fn organizations_are_found_made_once_and_renamed() {
    let desk = Desk::open();
    let example = OrganizationRow {
        id: OrganizationId(0),
        name: "Example AG".to_owned(),
        contacts: 0,
        numbers: Vec::new(),
    };
    let id = match desk.write(Write::SaveOrganization(example.clone())) {
        Written::Organization(id, _) => id,
        other => panic!("{other:?}"),
    };
    let mut anna = contact("Anna", &[("", "0301234567")]);
    anna.organization_name = Some("EXAMPLE ag".to_owned());
    desk.save(&anna);
    let all = wait(desk.store.organizations("", None, 9)).unwrap();
    assert_eq!(
        all.rows,
        [OrganizationRow {
            id,
            contacts: 1,
            ..example.clone()
        }]
    );

    desk.write(Write::SaveOrganization(OrganizationRow {
        id,
        name: "Renamed GmbH".to_owned(),
        contacts: 0,
        numbers: Vec::new(),
    }));
    assert_eq!(names(&desk, "renamed"), ["Anna"]);
    assert_eq!(names(&desk, "example"), [""; 0]);
    assert_eq!(
        wait(desk.store.organizations("gmbh", None, 9))
            .unwrap()
            .rows
            .len(),
        1
    );
    let missing = Write::SaveOrganization(OrganizationRow {
        id: OrganizationId(99),
        ..example
    });
    assert_eq!(
        wait(desk.store.write(missing)),
        Err(StoreError::Missing("organization"))
    );
}

#[test]
fn another_region_reads_all_numbers_again() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk {
        store: Store::open(folder.path(), "US").unwrap(),
        folder,
    };
    desk.save(&contact("Bert", &[("Work", "030 1234567")]));
    let rule = |desk: &Desk| desk.identify("+49301234567").matches[0].reason.clone();
    assert_eq!(rule(&desk), "same number in national form, \"Work\"");
    assert_eq!(names(&desk, "4930"), [""; 0]);
    let desk = desk.again();
    assert_eq!(rule(&desk), "same number in international form, \"Work\"");
    assert_eq!(names(&desk, "4930"), ["Bert"]);
}

/// An account of another country was set up, and until the next start its numbers were nobody's.
#[test]
fn another_region_of_a_running_phone_reads_all_numbers_again() {
    let desk = Desk::open();
    desk.save(&contact("Bob", &[("Work", "212 555 0123")]));
    assert_eq!(
        desk.identify("+12125550123").e164.as_deref(),
        Some("+12125550123")
    );
    let known = |desk: &Desk| {
        let found = desk.identify("+12125550123").matches;
        found.first().map(|found| found.reason.clone())
    };
    let international = Some("same number in international form, \"Work\"".to_owned());
    assert_ne!(known(&desk), international);
    desk.store.set_region("US");
    wait(desk.store.write(Write::Settle)).unwrap();
    assert_eq!(known(&desk), international);
    assert_eq!(
        desk.identify("212 555 0123").e164.as_deref(),
        Some("+12125550123")
    );
    // What is typed from now on is read so, too.
    desk.save(&contact("Ivy", &[("Work", "212 555 0124")]));
    assert_eq!(desk.identify("+12125550124").matches[0].name, "Ivy");
    // Said again, it is no other one.
    desk.store.set_region("US");
    assert_eq!(known(&desk), international);
}
