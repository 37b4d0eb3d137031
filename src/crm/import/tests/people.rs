//! Who a person of a file is: somebody new, or one of those who are there.

use super::*;

#[test]
fn who_is_there_already_is_left_changed_or_added_again() {
    let again = "Name;Funktion;Telefon;Mobil;Notizen\r\n\
        Muster, Anna;Leiterin;0049 30 1234567;0172 1;neu\r\n\
        Carl Neu;;030 1234567;;\r\n";
    let mut desk = Desk::open();
    desk.import(THREE, Existing::Skip);
    let before = desk.dump();
    let (report, step) = desk.imported(again, Existing::Skip);
    assert_eq!((report.added, report.updated, report.skipped), (1, 0, 1));
    let told: Vec<_> = report
        .remarks
        .lines
        .iter()
        .map(|note| (note.line, note.what.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                2,
                "Muster, Anna is there already: Anna Muster (contact 1) has the same number"
            ),
            (
                3,
                "Carl Neu was added, and shares a number or e-mail address with Anna Muster (contact 1)"
            ),
        ]
    );
    assert_eq!(desk.undo(step), 0);
    assert_eq!(desk.dump(), before);

    let (report, step) = desk.imported(again, Existing::Update);
    assert_eq!((report.added, report.updated, report.skipped), (1, 1, 0));
    let anna = desk.named("Muster, Anna");
    assert_eq!(anna.role.as_deref(), Some("Leiterin"));
    assert_eq!(
        anna.email.as_deref(),
        Some("anna@example.com"),
        "what is not said stays"
    );
    let numbers: Vec<_> = anna
        .numbers
        .iter()
        .map(|it| (it.label.as_str(), it.raw.as_str()))
        .collect();
    assert_eq!(numbers, [("Phone", "030 1234567"), ("Mobile", "0172 1")]);
    let (second, nothing) = desk.imported(again, Existing::Update);
    assert_eq!((second.added, second.updated, second.skipped), (0, 0, 2));
    assert_eq!(nothing, None, "nothing to take back");
    assert_eq!(desk.undo(step), 0);
    assert_eq!(desk.dump(), before);

    let report = desk.import(again, Existing::Add);
    assert_eq!((report.added, report.skipped), (2, 0));
}

#[test]
fn a_uid_finds_a_person_whatever_else_changed() {
    let card = |name: &str, number: &str| {
        format!("BEGIN:VCARD\nVERSION:3.0\nUID:urn:x:1\nFN:{name}\nTEL:{number}\nEND:VCARD\n")
    };
    let mut desk = Desk::open();
    desk.import(&card("Anna Muster", "030 1"), Existing::Skip);
    let report = desk.import(&card("Anna Ehe", "030 2"), Existing::Update);
    assert_eq!((report.updated, report.added), (1, 0));
    assert_eq!(desk.named("Anna Ehe").numbers.len(), 2);
    // A contact typed by hand gets the UID of the card that it is.
    let mut desk = Desk::open();
    let mut row = ContactRow::named("");
    row.name = "Anna Muster".to_owned();
    row.numbers = read(
        card("x", "030 1234567").as_bytes(),
        &ImportOptions::default(),
    )
    .unwrap()
    .people
    .people[0]
        .row
        .numbers
        .clone();
    desk.save(&row);
    let before = desk.dump();
    let (report, step) = desk.imported(&card("Anna Muster", "030 1234567"), Existing::Update);
    assert_eq!(report.updated, 1);
    assert_eq!(
        desk.import(&card("Berta", "040 1"), Existing::Update)
            .updated,
        1
    );
    let last = desk.all();
    assert_eq!(last.len(), 1);
    assert_eq!(desk.undo(step), 1);
    assert_eq!(
        desk.all()[0].name,
        "Berta",
        "it was changed since by another import"
    );
    drop(before);
}

#[test]
fn own_lines_never_become_customers_and_doubles_in_one_entry_go() {
    let mut desk = Desk::open();
    desk.numbering.set_own(&["030 1234567".to_owned()]);
    let report = desk.import(
        "BEGIN:VCARD\nVERSION:3.0\nFN:Me\nTEL:+49 30 1234567\nTEL;TYPE=CELL:0171 1\nTEL:0171/1\nTEL:call Bob\nEND:VCARD\n",
        Existing::Skip,
    );
    assert_eq!(report.own_lines, 1);
    let me = desk.named("Me");
    assert_eq!(me.numbers.len(), 1);
    assert_eq!(me.notes, "Phone: call Bob");
    let told: Vec<_> = report
        .remarks
        .lines
        .iter()
        .map(|note| (note.line, note.what.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                4,
                "+49 30 1234567 is one of your own lines and was left out"
            ),
            (7, "\"call Bob\" is no number; it is kept in the notes"),
        ]
    );
}

/// They were read as the country of the settings writes them, and were nobody's or other people's.
#[test]
fn numbers_of_a_file_from_another_country_are_those_of_that_country() {
    let mut desk = Desk::open();
    desk.numbering.set_own(&["+12125550199".to_owned()]);
    let file = "Name,Phone\nBob,212-555-0123\nIvy,(212) 555-0124 ext. 12\nEmil,101\nOwn,212 555 0199\n\
        Ines,+39 06 6982 0000\n";
    let options = ImportOptions {
        region: Some("us".to_owned()),
        ..ImportOptions::default()
    };
    let reading = || read(file.as_bytes(), &options).unwrap();
    let preview = reading().preview(&desk.numbering);
    assert_eq!(preview.region, "US");
    assert_eq!(
        preview.first[0].numbers[0].e164.as_deref(),
        Some("+12125550123")
    );
    let plain = read(file.as_bytes(), &ImportOptions::default()).unwrap();
    assert_eq!(plain.preview(&desk.numbering).region, "DE");

    let call = desk.call(1, "+1 212 555 0123");
    let batch = ImportBatch {
        label: "import of a file".to_owned(),
        existing: Existing::Skip,
        reading: reading(),
    };
    let (report, _) =
        desk.write(|it, numbering| write(it, second(100), &batch, numbering).unwrap());
    assert_eq!((report.added, report.own_lines), (5, 1));
    assert_eq!(desk.shown(call).contact_name.as_deref(), Some("Bob"));
    // What is read again at another start is the same, and what is dialled too.
    let raw = |desk: &Desk, name: &str| desk.named(name).numbers[0].raw.clone();
    assert_eq!(raw(&desk, "Bob"), "+1 212-555-0123");
    assert_eq!(raw(&desk, "Ivy"), "+1 212-555-0124 ext. 12");
    assert_eq!(
        raw(&desk, "Emil"),
        "101",
        "an internal number has no country"
    );
    assert_eq!(raw(&desk, "Ines"), "+39 06 6982 0000");
    let again = desk.dump();
    desk.write(|it, numbering| contact_numbers::read_again(it, &numbering.region()).unwrap());
    assert_eq!(desk.dump(), again);

    let nowhere = ImportOptions {
        region: Some("Germany".to_owned()),
        ..ImportOptions::default()
    };
    let refused = read(file.as_bytes(), &nowhere).unwrap_err().to_string();
    assert_eq!(
        refused,
        "--region \"Germany\" is no country; say it in two letters, such as US or DE"
    );
}

/// Who is looked at closer is decided for all of a file at once; that must leave nobody out.
#[test]
fn who_is_known_by_anything_is_found_among_many() {
    let mut desk = Desk::open();
    let card = |name: &str, rest: &str| {
        format!("BEGIN:VCARD\nVERSION:3.0\nFN:{name}\n{rest}\nEND:VCARD\n")
    };
    let known = [
        card("Anna Muster", "UID:urn:x:1"),
        card("Bert Muster", "TEL:030 1234567"),
        card("Carl Muster", "TEL:22"),
        card("Dora Muster", "EMAIL:Dora@Example.com"),
        card("Emil Muster", "X-SIP:sip:emil@example.com"),
        card("Fritz Muster", "NOTE:of whom nothing but a name is known"),
    ];
    desk.import(&known.concat(), Existing::Skip);
    let mut file = String::new();
    for stranger in 0..300 {
        file += &card(
            &format!("Stranger {stranger}"),
            &format!("TEL:040 {:07}", 1_000_000 + stranger),
        );
        if stranger % 50 == 0 {
            file += &known[stranger / 50];
        }
    }
    let report = desk.import(&file, Existing::Skip);
    assert_eq!((report.added, report.skipped), (300, 6));
}
