use super::*;

fn people(file: &str) -> People {
    let mut people = People::default();
    read(file.as_bytes(), &mut people);
    people
}

fn only(file: &str) -> ContactRow {
    let mut read = people(file);
    assert_eq!(read.faults.lines, []);
    assert_eq!(read.people.len(), 1);
    read.people.remove(0).row
}

fn numbers(row: &ContactRow) -> Vec<(&str, &str)> {
    row.numbers
        .iter()
        .map(|number| (number.label.as_str(), number.raw.as_str()))
        .collect()
}

/// As an old Android phone wrote it.
#[test]
fn a_card_of_version_2_1_in_quoted_printable() {
    let row = only(
        "BEGIN:VCARD\r\nVERSION:2.1\r\n\
             N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=BCrgen;;Dr.;\r\n\
             FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Dr. J=C3=BCrgen M=C3=BCller\r\n\
             TEL;CELL;PREF:+491712345678\r\nTEL;WORK;FAX:030-1234568\r\nTEL;X-Zentrale:030-1234567\r\n\
             EMAIL;HOME:jm@example.com\r\nORG:Example AG;Vertrieb\r\nTITLE:Leiter\r\n\
             ADR;HOME;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:;;Stra=C3=9Fe 1;Berlin;;10115;\r\n\
             NOTE;ENCODING=QUOTED-PRINTABLE:eins=0D=0Azwei=\r\n drei\r\n\
             PHOTO;ENCODING=BASE64;JPEG:/9j/4AAQSkZJRgABAQ\r\n AAAA\r\n\r\nEND:VCARD\r\n",
    );
    assert_eq!(row.name, "Dr. Jürgen Müller");
    assert_eq!(row.organization_name.as_deref(), Some("Example AG"));
    assert_eq!(row.role.as_deref(), Some("Leiter"));
    assert_eq!(row.email.as_deref(), Some("jm@example.com"));
    assert_eq!(
        numbers(&row),
        [
            ("Mobile", "+491712345678"),
            ("Work fax", "030-1234568"),
            ("Zentrale", "030-1234567")
        ]
    );
    assert_eq!(
        row.notes,
        "eins\nzwei drei\nDepartment: Vertrieb\nAddress (Home): Straße 1, Berlin, 10115"
    );
}

/// As an iPhone writes it.
#[test]
fn a_card_of_version_3_with_groups_and_own_labels() {
    let row = only(
        "BEGIN:VCARD\nVERSION:3.0\nPRODID:-//Apple Inc.//iPhone OS 17.0//EN\nN:Muster;Anna;;;\n\
             FN:Anna Muster\nNICKNAME:Anni\nORG:Example\\, Söhne\\; Co;\n\
             item1.EMAIL;type=INTERNET;type=pref:anna@example.com\nitem1.X-ABLabel:Verein\n\
             EMAIL;type=INTERNET;type=HOME:home@example.com\n\
             TEL;type=CELL;type=VOICE:0171 2345678\nTEL;type=IPHONE;type=CELL;type=VOICE;type=pref:0172 1\n\
             item2.TEL:030 1234567\nitem2.X-ABLabel:_$!<Main>!$_\nTEL;type=HOME;type=FAX:030 2\n\
             TEL;type=WORK;type=CELL:0173 1\nIMPP;X-SERVICE-TYPE=x:sip:anna@pbx.example.com\n\
             IMPP:xmpp:anna@example.com\nitem3.URL:https://example.com\nitem3.X-ABLabel:_$!<HomePage>!$_\n\
             BDAY:1980-02-03\nNOTE:one\\ntwo\\, three\nUID:9B2-1\nEND:VCARD\n",
    );
    assert_eq!(row.organization_name.as_deref(), Some("Example, Söhne; Co"));
    assert_eq!(
        numbers(&row),
        [
            ("iPhone", "0172 1"),
            ("Mobile", "0171 2345678"),
            ("Main", "030 1234567"),
            ("Home fax", "030 2"),
            ("Work mobile", "0173 1"),
            ("SIP", "sip:anna@pbx.example.com"),
        ]
    );
    assert_eq!(row.email.as_deref(), Some("anna@example.com"));
    assert_eq!(
        row.notes,
        "one\ntwo, three\nE-mail (Home): home@example.com\nWeb (HomePage): https://example.com\n\
             Birthday: 1980-02-03\nNickname: Anni"
    );
}

#[test]
fn a_card_of_version_4_with_tel_uris() {
    let read = people(
        "BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:individual\r\nFN:Simon Perreault\r\nN:Perreault;Simon;;;ing. jr,M.Sc.\r\n\
             TEL;VALUE=uri;TYPE=\"work,voice\";PREF=2:tel:+1-418-656-9254;ext=102\r\n\
             TEL;VALUE=uri;PREF=1;TYPE=\"cell\":tel:+1-418-262-6501\r\n\
             TEL;VALUE=uri:tel:9254;phone-context=+1418656\r\n\
             EMAIL;TYPE=work:simon@example.com\r\nUID:urn:uuid:4fbe8971\r\nEND:VCARD\r\n",
    );
    let person = &read.people[0];
    assert_eq!(person.uid.as_deref(), Some("urn:uuid:4fbe8971"));
    assert_eq!((person.line, &person.number_lines), (1, &vec![7, 6, 8]));
    assert_eq!(
        numbers(&person.row),
        [
            ("Mobile", "+1-418-262-6501"),
            ("Work", "+1-418-656-9254 ext. 102"),
            ("Phone", "tel:9254;phone-context=+1418656")
        ]
    );
}

#[test]
fn who_has_no_formatted_name_gets_one() {
    for (lines, name) in [
        ("N:Muster;Anna;Maria;Dr.;MdB", "Dr. Anna Maria Muster MdB"),
        ("FN:\nN:Muster;;;;", "Muster"),
        ("X-ABShowAs:COMPANY\nN:;;;;\nORG:Example AG;", "Example AG"),
        ("NICKNAME:Anni", "Anni"),
        ("ORG:Example AG", "Example AG"),
        ("EMAIL:anna@example.com", "anna@example.com"),
        ("TEL:030 1", "030 1"),
    ] {
        let file = format!("BEGIN:VCARD\nVERSION:3.0\n{lines}\nEND:VCARD\n");
        assert_eq!(only(&file).name, name, "{lines}");
    }
}

#[test]
fn groups_agents_and_empty_cards_are_no_people() {
    let read = people(
        "BEGIN:VCARD\nVERSION:2.1\nFN:Boss\nAGENT:\nBEGIN:VCARD\nFN:Secretary\nTEL:9\nEND:VCARD\nTEL:1\nEND:VCARD\n\
             BEGIN:VCARD\nVERSION:4.0\nKIND:group\nFN:All\nMEMBER:urn:uuid:1\nEND:VCARD\n\
             BEGIN:VCARD\nVERSION:3.0\nN:;;;;\nFN:\nEND:VCARD\n",
    );
    assert_eq!(read.faults.lines, []);
    assert_eq!(read.people.len(), 1);
    assert_eq!(numbers(&read.people[0].row), [("Phone", "1")]);
    let remarks: Vec<_> = read.remarks.lines.iter().map(|note| note.line).collect();
    assert_eq!(remarks, [11, 17]);
}

#[test]
fn each_fault_is_told_with_its_line_and_the_other_cards_are_read() {
    let read = people(
        "hello: world\nBEGIN:VCARD\nVERSION:3.0\nFN:A\nno colon\nEND:VCARD\nBEGIN:VCARD\nVERSION:7.0\nFN:B\nEND:VCARD\n\
             BEGIN:VCARD\nVERSION:3.0\nFN:C\nBEGIN:VCARD\nVERSION:3.0\nFN:D\nEND:VCARD\nBEGIN:VCARD\nFN:E\n",
    );
    let faults: Vec<(u64, &str)> = read
        .faults
        .lines
        .iter()
        .map(|note| (note.line, note.what.as_str()))
        .collect();
    assert_eq!(
        faults,
        [
            (1, "the line belongs to no card"),
            (5, "the line has no colon"),
            (8, "vCard version 7.0 is not known; 2.1, 3.0 and 4.0 are"),
            (11, NO_END),
            (18, NO_END),
        ]
    );
    let names: Vec<_> = read.people.iter().map(|it| it.row.name.as_str()).collect();
    assert_eq!(names, ["D"]);
}

#[test]
fn a_card_without_end_does_not_grow_for_ever() {
    let mut file = "BEGIN:VCARD\nVERSION:3.0\nFN:A\n".to_owned();
    file.push_str(&"TEL:1\n".repeat(5000));
    let read = people(&file);
    let told: Vec<u64> = read.faults.lines.iter().map(|note| note.line).collect();
    assert_eq!(told, [1, 1]);
}
