//! Who calls: the rules in their order.

use super::*;
use crate::crm::row::MatchLevel::{self, Known, Manual, Weak};

#[test]
fn each_rule_finds_whom_it_should_and_says_why() {
    let desk = Desk::open();
    for (name, label, number) in [
        ("Anna", "Mobile", "0171 2345678"),
        ("Bert", "Work", "+49 (0)30 / 123 45 67"),
        ("Carl", "Desk", "101"),
        ("Dora", "SIP", "sip:dora@example.com"),
        ("Emil", "Paris", "01 23 45 67 89"),
        ("Fred", "Old", "7654321"),
        ("Gina", "Code", "*62#"),
        ("Hans", "", "06221 555555"),
        ("Ines", "Rome", "+39 06 6982 0000"),
    ] {
        desk.save(&contact(name, &[(label, number)]));
    }
    type Expected = [(&'static str, MatchLevel, &'static str)];
    let rows: &[(&str, &Expected)] = &[
        (
            "+491712345678",
            &[(
                "Anna",
                Known,
                "same number in international form, \"Mobile\"",
            )],
        ),
        (
            "sip:01712345678@pbx.example.com;user=phone",
            &[(
                "Anna",
                Known,
                "same number in international form, \"Mobile\"",
            )],
        ),
        (
            "0049 30 1234567",
            &[("Bert", Known, "same number in international form, \"Work\"")],
        ),
        ("101", &[("Carl", Known, "same internal number, \"Desk\"")]),
        (
            "sip:101@192.0.2.1:5060",
            &[("Carl", Known, "same internal number, \"Desk\"")],
        ),
        (
            "sip:Dora@Example.com:5070;transport=tcp",
            &[("Dora", Known, "same SIP address, \"SIP\"")],
        ),
        (
            "7654321",
            &[("Fred", Known, "same number in national form, \"Old\"")],
        ),
        ("*62#", &[("Gina", Known, "same internal number, \"Code\"")]),
        (
            "+496221555555",
            &[("Hans", Known, "same number in international form")],
        ),
        (
            "0669820000",
            &[(
                "Ines",
                Weak,
                "only the last 9 digits agree with \"Rome\" +39 06 6982 0000",
            )],
        ),
        (
            "+43 1 7654321",
            &[(
                "Fred",
                Weak,
                "only the last 7 digits agree with \"Old\" 7654321",
            )],
        ),
        (
            "1234567",
            &[(
                "Bert",
                Weak,
                "only the last 7 digits agree with \"Work\" +49 (0)30 / 123 45 67",
            )],
        ),
    ];
    for (number, expected) in rows {
        let found = desk.identify(number);
        let found_matches: Vec<_> = found
            .matches
            .iter()
            .map(|found| (found.name.as_str(), found.level, found.reason.as_str()))
            .collect();
        assert_eq!(&found_matches, expected, "{number}");
        assert_eq!(found.no_match, None, "{number}");
    }
}

#[test]
fn who_is_not_found_is_not_found_for_a_reason() {
    let desk = Desk::open();
    desk.store.set_own_numbers(&["030 1234567".to_owned()]);
    desk.contact("Myself", "+49 30 1234567");
    desk.contact("Desk", "1012");
    desk.contact("Dora", "dora@example.com");
    for (number, reason) in [
        (
            "0171 2345678",
            "no contact has this number, nor one ending in 2345678; no note, ticket or mail names it",
        ),
        ("101", "no contact has the internal number 101"),
        ("012", "no contact has the internal number 012"),
        (
            "sip:dora@example.org",
            "no contact has the SIP address dora@example.org",
        ),
        (
            "sip:dor@example.com",
            "no contact has the SIP address dor@example.com",
        ),
        ("anonymous", "the caller hides the number"),
        (
            "sip:anonymous@anonymous.invalid",
            "the caller hides the number",
        ),
        ("0049301234567", "this is one of your own lines"),
    ] {
        let found = desk.identify(number);
        assert_eq!(found.matches, [], "{number}");
        assert_eq!(found.no_match.as_deref(), Some(reason), "{number}");
    }
}

#[test]
fn the_number_itself_is_understood() {
    let desk = Desk::open();
    let found = desk.identify("sip:0301234567@pbx");
    assert_eq!(found.e164.as_deref(), Some("+49301234567"));
    assert_eq!(found.display_number, "+49 30 1234567");
    assert_eq!(found.country.as_deref(), Some("Germany"));
}

#[test]
fn an_unsure_number_matches_by_its_national_form() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk {
        store: Store::open(folder.path(), "US").unwrap(),
        folder,
    };
    desk.save(&contact("Bert", &[("Work", "+49 30 1234567")]));
    let found = desk.identify("0301234567");
    assert_eq!(found.matches[0].level, Known);
    assert_eq!(
        found.matches[0].reason,
        "same number in national form, \"Work\""
    );
}

#[test]
fn seven_digits_are_the_least_for_a_weak_match_and_more_rank_higher() {
    let desk = Desk::open();
    let seven = desk.contact("Seven", "+43 1 1234567");
    let nine = desk.contact("Nine", "+49 89 771234567");
    desk.contact("Six", "+43 1 9234567");
    let found = desk.identify("+49 30 771234567");
    let ranked: Vec<_> = found
        .matches
        .iter()
        .map(|found| (found.subject.contact().unwrap(), found.level))
        .collect();
    assert_eq!(ranked, [(nine, Weak), (seven, Weak)]);
}

#[test]
fn each_number_of_a_contact_finds_it() {
    let desk = Desk::open();
    let numbers = [
        ("Work", "030 1234567"),
        ("Mobile", "0171/2345678"),
        ("Private", "+43 1 58800 DW 12"),
        ("Desk", "101"),
        ("SIP", "sip:Anna@example.com"),
    ];
    let (anna, _) = desk.save(&contact("Anna", &numbers));
    for (number, label) in [
        ("+49301234567", "Work"),
        ("+491712345678", "Mobile"),
        ("+4315880012", "Private"),
        ("101", "Desk"),
        ("sip:anna@example.com", "SIP"),
    ] {
        let found = desk.identify(number).matches;
        let subjects: Vec<_> = found.iter().map(|found| found.subject.contact()).collect();
        assert_eq!(subjects, [Some(anna)], "{number}");
        assert_eq!(found[0].level, Known, "{number}");
        assert!(found[0].reason.contains(label), "{}", found[0].reason);
    }
}

#[test]
fn a_shared_number_lists_everybody_and_the_last_spoken_with_first() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0301234567");
    let bert = desk.contact("Bert", "0301234567");
    let names = |desk: &Desk| -> Vec<ContactId> {
        let found = desk.identify("0301234567").matches;
        assert!(found.iter().all(|found| found.level == Known));
        found
            .iter()
            .filter_map(|found| found.subject.contact())
            .collect()
    };
    assert_eq!(names(&desk), [anna, bert]);
    let other = desk.insert(&CallRow {
        contact: Some(bert),
        contact_name: Some("Bert".to_owned()),
        ..missed(1, "0309876543")
    });
    assert_eq!(desk.call(other).contact, Some(bert));
    assert_eq!(names(&desk), [bert, anna]);
}

#[test]
fn a_choice_ranks_first_the_next_time_and_can_be_taken_back() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0301234567");
    let bert = desk.contact("Bert", "0301234567");
    let zoe = desk.contact("Zoe", "0309999999");
    let id = desk.insert(&inbound(1, "0301234567"));
    desk.change(id, CallChange::Subject(Some(Subject::Contact(zoe))));
    let ranked = |desk: &Desk| -> Vec<(ContactId, MatchLevel)> {
        let found = desk.identify("+49 30 1234567").matches;
        found
            .iter()
            .map(|found| (found.subject.contact().unwrap(), found.level))
            .collect()
    };
    assert_eq!(ranked(&desk), [(zoe, Manual), (anna, Known), (bert, Known)]);
    desk.change(id, CallChange::Subject(Some(Subject::Contact(bert))));
    assert_eq!(ranked(&desk), [(bert, Manual), (anna, Known)]);
    desk.change(id, CallChange::Subject(None));
    assert_eq!(ranked(&desk), [(anna, Known), (bert, Known)]);
    assert_eq!(desk.call(id).contact, None);
    desk.change(id, CallChange::Subject(Some(Subject::Contact(zoe))));
    desk.write(Write::DeleteContact(zoe));
    assert_eq!(ranked(&desk), [(anna, Known), (bert, Known)]);
}

/// Whom somebody chose for a number once was written as chosen for each later call, which no edit and no undo
/// took away.
#[test]
fn a_remembered_choice_is_nobodys_choice_of_a_later_call() {
    const NUMBER: &str = "0301234567";
    let desk = Desk::open();
    let carla = desk.contact("Carla", "0309999999");
    let earlier = desk.insert(&inbound(1, NUMBER));
    let chosen = desk.insert(&inbound(2, NUMBER));
    let who = Subject::Contact(carla);
    desk.change(chosen, CallChange::Subject(Some(who)));
    let level = |call| desk.call(call).level;
    let links = |call| -> Vec<MatchLevel> {
        let links = wait(desk.store.links(call)).unwrap();
        links.into_iter().map(|link| link.level).collect()
    };
    // She ranks first, and does not have the number.
    let found = desk.identify(NUMBER).matches;
    assert_eq!((found[0].subject, found[0].level), (who, Manual));
    let as_shown = CallRow {
        contact: Some(carla),
        contact_name: Some("Carla".to_owned()),
        level: Some(Manual),
        match_reason: Some(found[0].reason.clone()),
        ..inbound(4, NUMBER)
    };
    let next = desk.insert(&inbound(3, NUMBER));
    for call in [next, desk.insert(&as_shown)] {
        let row = desk.call(call);
        assert_eq!((row.contact, row.level), (Some(carla), Some(Weak)));
        assert_eq!(row.match_reason.as_ref(), Some(&found[0].reason));
        assert_eq!(links(call), [Weak]);
    }
    let with = |numbers: &[(&str, &str)]| {
        desk.save(&ContactRow {
            id: carla,
            ..contact("Carla", numbers)
        })
    };
    // What she gets with the number, she gets by the number, and an undo takes it back.
    with(&[("Mobile", "0309999999"), ("Work", NUMBER)]);
    let later = desk.insert(&inbound(5, NUMBER));
    for call in [earlier, next, later] {
        assert_eq!((level(call), links(call)), (Some(Known), vec![Known]));
    }
    assert_eq!((level(chosen), links(chosen)), (Some(Manual), vec![Manual]));
    assert_eq!(desk.undo().left, 0);
    assert_eq!((level(earlier), links(earlier)), (None, vec![]));
    assert_eq!((level(next), links(next)), (Some(Weak), vec![Weak]));
    assert_eq!((level(chosen), links(chosen)), (Some(Manual), vec![Manual]));
    // Without the number she loses all calls but the one that she was chosen for.
    with(&[("Mobile", "0309999999")]);
    assert_eq!((level(later), links(later)), (None, vec![]));
    assert_eq!((level(chosen), links(chosen)), (Some(Manual), vec![Manual]));
}

#[test]
fn at_most_twenty_candidates_are_shown() {
    let desk = Desk::open();
    for number in 0..30 {
        desk.contact(&format!("Colleague {number:02}"), "0301234567");
    }
    let found = desk.identify("0301234567").matches;
    assert_eq!(found.len(), 20);
    assert_eq!(found[0].name, "Colleague 00");
}

#[test]
fn the_last_calls_are_those_with_the_number_or_its_contact() {
    let desk = Desk::open();
    let anna = desk
        .save(&contact(
            "Anna",
            &[("Work", "0301234567"), ("Mobile", "01712345678")],
        ))
        .0;
    for number in 1..=8 {
        let remote = if number % 2 == 0 {
            "0301234567"
        } else {
            "01712345678"
        };
        desk.insert(&missed(number, remote));
    }
    desk.insert(&missed(9, "0305555555"));
    assert_eq!(desk.call(call_id(1)).contact, Some(anna));
    let found = desk.identify("0301234567");
    let last: Vec<_> = found.last_calls.iter().map(|call| call.id).collect();
    assert_eq!(last, [8, 7, 6, 5, 4].map(call_id));
    let stranger = desk.identify("0305555555");
    assert_eq!(stranger.last_calls.len(), 1);
    assert_eq!(desk.identify("anonymous").last_calls, []);
}
