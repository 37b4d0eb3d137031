//! Numbers in any spelling, extensions, own lines, and the regions of accounts.

use rusqlite::Connection;

use super::*;
use crate::base::id::OrganizationId;
use crate::base::phone_number::spellings::Spelling;
use crate::crm::Reader;
use crate::crm::open::DATABASE;
use crate::crm::row::MatchLevel::{self, Known, Weak};
use crate::crm::row::OrganizationRow;

fn found(identification: &Identification) -> Vec<(&str, MatchLevel, &str)> {
    let matches = identification.matches.iter();
    matches
        .map(|found| (found.name.as_str(), found.level, found.reason.as_str()))
        .collect()
}

impl Desk {
    fn identify_in(&self, number: &str, region: &str) -> Identification {
        wait(self.store.identify_in(number, region)).unwrap()
    }
}

#[test]
fn each_spelling_finds_whom_the_international_form_was_saved_for() {
    let desk = Desk::open();
    let rows: Vec<Spelling> = Spelling::all();
    let mut numbers: Vec<&str> = rows.iter().filter_map(Spelling::e164).collect();
    numbers.sort_unstable();
    numbers.dedup();
    for number in &numbers {
        desk.contact(number, number);
    }
    for row in rows.iter().filter(|row| row.e164().is_some()) {
        let identified = desk.identify_in(&row.written, row.region);
        let best = &identified.matches[0];
        assert_eq!(
            (Some(best.name.as_str()), best.level),
            (row.e164(), Known),
            "{:?} in {}",
            row.written,
            row.region
        );
    }
}

#[test]
fn the_international_form_finds_whom_a_spelling_was_saved_for() {
    let desk = Desk::open();
    let german = |row: &&Spelling| row.region == "DE" && row.extension.is_none();
    for row in Spelling::all().iter().filter(german) {
        let Some(number) = row.e164() else { continue };
        let id = desk.contact("Anna", &row.written);
        let identified = desk.identify(number);
        assert_eq!(
            identified.matches[0].subject.contact(),
            Some(id),
            "{:?}",
            row.written
        );
        assert_eq!(identified.matches[0].level, Known, "{:?}", row.written);
        desk.write(Write::DeleteContact(id));
    }
}

/// Whoever has an extension is found by its own number; by another number of the company only as a guess.
#[test]
fn an_extension_and_its_company_find_each_other_for_a_reason() {
    let desk = Desk::open();
    type Row = (
        &'static str,
        &'static str,
        Option<(MatchLevel, &'static str)>,
    );
    let rows: &[Row] = &[
        (
            "+49 30 1234-56",
            "030 123456",
            Some((Known, "same number in international form, \"Mobile\"")),
        ),
        (
            "+49 30 1234-56",
            "+493012340",
            Some((Weak, "the main number of \"Mobile\" +49 30 1234-56")),
        ),
        (
            "+49 30 1234-56",
            "+4930123499",
            Some((
                Weak,
                "extension 99 of the same company as \"Mobile\" +49 30 1234-56",
            )),
        ),
        (
            "030 1234-0",
            "+4930123456",
            Some((Weak, "extension 56 of \"Mobile\" 030 1234-0")),
        ),
        (
            "+43 1 58800 DW 12",
            "+4315880012",
            Some((Known, "direct line of \"Mobile\" +43 1 58800 DW 12")),
        ),
        (
            "+43 1 58800-0 DW 12",
            "+4315880012",
            Some((Known, "direct line of \"Mobile\" +43 1 58800-0 DW 12")),
        ),
        (
            "+43 1 58800 DW 12",
            "+43158800",
            Some((
                Weak,
                "the main number of \"Mobile\" +43 1 58800 DW 12, without the extension",
            )),
        ),
        (
            "+43 1 58800 DW 12",
            "+431588000",
            Some((Weak, "the main number of \"Mobile\" +43 1 58800 DW 12")),
        ),
        (
            "+1 212 555 0123 x45",
            "+12125550123",
            Some((
                Weak,
                "the main number of \"Mobile\" +1 212 555 0123 x45, without the extension",
            )),
        ),
        (
            "+1 212 555 0123 x45",
            "tel:+1-212-555-0123;ext=45",
            Some((Known, "same number in international form, \"Mobile\"")),
        ),
        (
            "+1 212 555 0123 x45",
            "tel:+1-212-555-0123;ext=46",
            Some((
                Weak,
                "the main number of \"Mobile\" +1 212 555 0123 x45, without the extension",
            )),
        ),
        // The hyphen of a mobile is for the eye; that behind an area code is no extension's.
        ("0171/39200-12", "+491713920099", None),
        ("030-1234", "+49309876", None),
        ("+49 30 1234-56", "+49301299999", None),
        // Other countries divide their numbers by hyphens.
        ("212-555-0123", "+12125550199", None),
    ];
    for (written, caller, expected) in rows {
        let id = desk.contact("Anna", written);
        let identified = desk.identify(caller);
        let best = found(&identified)
            .first()
            .map(|(_, level, reason)| (*level, *reason));
        assert_eq!(best, *expected, "{written} called by {caller}");
        desk.write(Write::DeleteContact(id));
    }
}

#[test]
fn who_has_the_number_itself_comes_before_those_with_an_extension_of_it() {
    let desk = Desk::open();
    desk.contact("Desk 45", "+1 212 555 0123 ext. 45");
    desk.contact("Company", "+1 212 555 0123");
    let names = |number| -> Vec<String> {
        let matches = desk.identify(number).matches;
        matches.into_iter().map(|found| found.name).collect()
    };
    assert_eq!(names("+12125550123"), ["Company"]);
    assert_eq!(names("+12125550123;ext=45"), ["Company", "Desk 45"]);
}

#[test]
fn of_many_desks_only_the_organization_is_named() {
    let desk = Desk::open();
    desk.write(Write::SaveOrganization(OrganizationRow {
        name: "Example AG".to_owned(),
        numbers: vec![ContactNumber {
            label: "Exchange".to_owned(),
            raw: "+49 30 1234-0".to_owned(),
            e164: None,
        }],
        id: OrganizationId(0),
        contacts: 0,
    }));
    for number in 10..18 {
        desk.contact(&format!("Desk {number}"), &format!("+49 30 1234-{number}"));
    }
    let identified = desk.identify("+4930123499");
    assert_eq!(
        found(&identified),
        [(
            "Example AG",
            Weak,
            "extension 99 of \"Exchange\" +49 30 1234-0"
        )]
    );
}

#[test]
fn earlier_calls_from_a_direct_line_are_linked() {
    let desk = Desk::open();
    let id = desk.insert(&missed(1, "+4315880012"));
    let exchange = desk.insert(&missed(2, "+431588000"));
    let (anna, linked) = desk.save(&contact("Anna", &[("", "01 588 00-0 DW 12")]));
    assert_eq!(
        (linked, desk.call(id).contact),
        (0, None),
        "it is a number of Berlin here"
    );
    let mut row = contact("Anna", &[("", "+43 1 588 00-0 DW 12")]);
    row.id = anna;
    assert_eq!(desk.save(&row).1, 1);
    assert_eq!(desk.call(id).contact, Some(anna));
    assert_eq!(desk.call(exchange).contact, None, "the exchange is a guess");
}

#[test]
fn own_lines_are_nobodys_in_any_spelling() {
    let own = "+493023125123";
    let desk = Desk::open();
    desk.store.set_own_numbers(&[own.to_owned()]);
    desk.contact("Me", "030 23125-123");
    let rows = Spelling::all();
    let mine: Vec<_> = rows.iter().filter(|row| row.e164() == Some(own)).collect();
    assert!(mine.len() > 50);
    for (number, row) in (1..).zip(mine) {
        let identified = desk.identify_in(&row.written, row.region);
        assert_eq!(identified.matches, [], "{:?}", row.written);
        assert_eq!(
            identified.no_match.as_deref(),
            Some("this is one of your own lines")
        );
        let mut call = missed(number, &row.written);
        call.e164 = identified.e164;
        let id = desk.insert(&call);
        assert_eq!(desk.call(id).contact, None);
        assert_eq!(wait(desk.store.links(id)).unwrap(), []);
    }
    // Nor do earlier calls go to who is saved later.
    assert_eq!(desk.save(&contact("Myself", &[("", own)])).1, 0);
    // A stranger's number that ends alike, or of another desk of the own company, is not Me.
    assert_eq!(desk.identify("+49 89 23125123").matches, []);
    assert_eq!(desk.identify("+49 30 23125-99").matches, []);
}

#[test]
fn the_file_knows_the_own_lines_before_the_phone_tells_them_again() {
    let desk = Desk::open();
    desk.store.set_own_numbers(&["+4930123456".to_owned()]);
    desk.contact("Me", "+49 30 1234-56");
    desk.write(Write::Settle);
    let reader = Reader::open(desk.folder.path()).unwrap();
    assert_eq!(reader.identify("030 123456").unwrap().matches, []);
    let desk = desk.again();
    // As a command does that finds no running phone.
    let id = desk.insert(&missed(1, "030 123456"));
    assert_eq!(desk.call(id).contact, None);
    assert_eq!(desk.identify("0049 30 1234 56").matches, []);
    // An account that is removed is no own line any longer.
    desk.store.set_own_numbers(&[]);
    assert_eq!(desk.identify("030 123456").matches.len(), 1);
    let desk = desk.again();
    assert_eq!(desk.identify("030 123456").matches.len(), 1);
}

#[test]
fn a_call_is_read_as_its_account_writes_numbers() {
    let desk = Desk::open();
    desk.contact("Bob", "+1 212 555 0123");
    desk.contact("Ines", "+39 06 6982 0000");
    for (number, region, name) in [
        ("2125550123", "US", "Bob"),
        ("sip:12125550123@trunk.example.com", "US", "Bob"),
        ("0669820000", "IT", "Ines"),
    ] {
        let identified = desk.identify_in(number, region);
        let first = identified.matches.first();
        let named = first.map_or("", |found| found.name.as_str());
        assert_eq!(named, name, "{number} in {region}");
    }
    let own = "2125550199";
    desk.store.set_own_numbers(&["+12125550199".to_owned()]);
    let identified = desk.identify_in(own, "US");
    assert_eq!(
        identified.no_match.as_deref(),
        Some("this is one of your own lines")
    );
}

#[test]
fn a_file_whose_numbers_were_read_otherwise_is_read_again() {
    let desk = Desk::open();
    desk.contact("Anna", "+43 1 58800 DW 12");
    let Desk { store, folder } = desk;
    drop(store);
    Connection::open(folder.path().join(DATABASE))
        .unwrap()
        .execute_batch(
            "UPDATE contact_numbers SET stem = NULL, extension = NULL, e164 = NULL;
             DELETE FROM store_settings WHERE name = 'reading';",
        )
        .unwrap();
    let desk = Desk {
        store: Store::open(folder.path(), "DE").unwrap(),
        folder,
    };
    assert_eq!(desk.identify("+4315880012").matches[0].level, Known);
}
