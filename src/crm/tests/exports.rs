//! What goes out comes back as it was.

use crate::base::id::{CallId, CallTypeId};
use crate::crm::Reader;
use crate::crm::exchange_row::Existing;
use crate::crm::export::{self, ExportError, ExportFormat};
use crate::crm::import;
use crate::crm::import::tests::Desk;
use crate::crm::row::{
    CallCriteria, CallFilter, CallRow, CallState, CallTypeRow, ContactNumber, ContactRow,
};
use crate::crm::store::CallChange;
use crate::crm::{call_types, calls};

fn odd() -> ContactRow {
    let mut row = ContactRow::named("");
    row.name = "=cmd|' /C calc'!A0".to_owned();
    row.organization_name = Some("Söhne; \"Co\", KG".to_owned());
    row.role = Some("-1+2".to_owned());
    row.email = Some("@home@example.com".to_owned());
    row.notes = "'=quoted\nsecond, \\line; with a very long end that goes over the fold of a card, more than once, in München".to_owned();
    row.numbers = [
        ("Mobile", "+49 171 2345678"),
        ("Zentrale", "030 1234567"),
        ("Work fax", "101"),
        ("SIP", "sip:anna@example.com"),
    ]
    .map(|(label, raw)| ContactNumber {
        label: label.to_owned(),
        raw: raw.to_owned(),
        e164: None,
    })
    .to_vec();
    row
}

fn contacts(desk: &Desk, search: &str, format: ExportFormat) -> (u64, String) {
    let reader = Reader::open(desk.folder.path()).unwrap();
    let mut out = Vec::new();
    let count = export::contacts(&reader, false, search, format, &mut out).unwrap();
    (count, String::from_utf8(out).unwrap())
}

#[test]
fn contacts_go_out_and_come_back_as_they_were() {
    let mut desk = Desk::open();
    desk.save(&odd());
    desk.import(
        "BEGIN:VCARD\nVERSION:3.0\nUID:urn:x:1\nFN:Anna\nEND:VCARD\n",
        Existing::Add,
    );
    for number in 0..1200 {
        let mut row = ContactRow::named("");
        row.name = format!("Person {number}");
        desk.save(&row);
    }
    let before = desk.all_of(2000);
    for format in [ExportFormat::Csv, ExportFormat::Vcard] {
        let (count, text) = contacts(&desk, "", format);
        assert_eq!(count, 1202);
        let mut other = Desk::open();
        let report = other.import(&text, Existing::Add);
        assert_eq!((report.added, report.remarks.count), (1202, 0));
        let after = other.all_of(2000);
        for (left, right) in before.iter().zip(&after) {
            assert_eq!(left.name, right.name);
            assert_eq!(left.organization_name, right.organization_name);
            assert_eq!(
                (&left.role, &left.email, &left.notes),
                (&right.role, &right.email, &right.notes)
            );
            assert_eq!(left.numbers, right.numbers);
        }
        let again = desk.import(&text, Existing::Skip);
        assert_eq!(
            (again.added, again.skipped),
            (0, 1202),
            "everybody is known again"
        );
    }
    let (count, json) = contacts(&desk, "", ExportFormat::Json);
    assert_eq!(count, 1202);
    let first: ContactRow = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(first, before[0]);
}

/// A table has as many columns of numbers as the contact with most of them needs; all numbers were looked at in
/// one read, whose snapshot held up a large store.
#[test]
fn the_most_numbers_of_a_contact_are_found_piece_by_piece() {
    let mut desk = Desk::open();
    let most = |desk: &Desk, limit| {
        let reader = Reader::open(desk.folder.path()).unwrap();
        reader.most_numbers(limit).unwrap()
    };
    assert_eq!(most(&desk, 50), 0);
    for count in [1, 0, 2, 4, 1, 1] {
        let mut row = odd();
        row.numbers.truncate(count);
        desk.save(&row);
    }
    assert_eq!((most(&desk, 50), most(&desk, 3)), (4, 3));
}

#[test]
fn no_cell_of_a_table_begins_a_formula() {
    let mut desk = Desk::open();
    desk.save(&odd());
    let (_, table) = contacts(&desk, "", ExportFormat::Csv);
    let mut lines = table.lines();
    assert_eq!(
        lines.next().unwrap(),
        "Name,Organization,Role,E-mail,Notes,UID,Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value,Phone 3 - Label,Phone 3 - Value,Phone 4 - Label,Phone 4 - Value"
    );
    assert!(lines.next().unwrap().starts_with(
        "'=cmd|' /C calc'!A0,\"Söhne; \"\"Co\"\", KG\",'-1+2,'@home@example.com,\"''=quoted"
    ));
    let call = CallRow {
        remote_name: Some("=HYPERLINK(\"http://example.com\")".to_owned()),
        notes: "+1".to_owned(),
        ..CallRow::ringing(CallId::new(1, [1; 10]), "+4930", import::tests::second(0))
    };
    desk.write(|it, numbering| calls::insert(it, &call, numbering).unwrap());
    let reader = Reader::open(desk.folder.path()).unwrap();
    let mut out = Vec::new();
    let all = CallCriteria::default();
    let format = ExportFormat::Csv;
    let count = export::calls(&reader, CallFilter::All, &all, "", format, &mut out).unwrap();
    assert_eq!(count, 1);
    for cell in csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(out.as_slice())
        .records()
        .flat_map(|record| {
            record
                .unwrap()
                .iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
    {
        assert!(
            !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
            "{cell}"
        );
    }
}

#[test]
fn what_is_searched_or_filtered_goes_out_alone_and_whole() {
    let mut desk = Desk::open();
    for number in 0..1203 {
        desk.call(
            number,
            if number % 3 == 0 {
                "0301234567"
            } else {
                "0171 2345678"
            },
        );
    }
    desk.import("Name;Tel\nAnna;030 1234567\nBert;040 1\n", Existing::Add);
    let (count, text) = contacts(&desk, "anna", ExportFormat::Json);
    assert_eq!(count, 1);
    assert!(text.contains("\"Anna\""));
    let reader = Reader::open(desk.folder.path()).unwrap();
    let take = |filter, search, format| {
        let mut out = Vec::new();
        let all = CallCriteria::default();
        let count = export::calls(&reader, filter, &all, search, format, &mut out);
        (count, String::from_utf8(out).unwrap())
    };
    let (count, text) = take(CallFilter::All, "", ExportFormat::Json);
    assert_eq!(count.unwrap(), 1203);
    let rows: Vec<CallRow> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        rows.windows(2)
            .all(|pair| pair[0].started_at > pair[1].started_at)
    );
    assert_eq!(
        take(CallFilter::Inbound, "anna", ExportFormat::Csv)
            .0
            .unwrap(),
        401
    );
    assert_eq!(
        take(CallFilter::Outbound, "", ExportFormat::Csv).0.unwrap(),
        0
    );
    let ringing = CallCriteria {
        state: Some(CallState::Ringing),
        ..CallCriteria::default()
    };
    let format = ExportFormat::Csv;
    let mut out = Vec::new();
    let count = export::calls(&reader, CallFilter::All, &ringing, "anna", format, &mut out);
    assert_eq!(count.unwrap(), 401);
    let refused = take(CallFilter::All, "", ExportFormat::Vcard);
    assert!(matches!(refused.0, Err(ExportError::NoCards)));
}

/// Who had the call, its queue, what it was about and how long the agent wrote: the last four columns.
#[test]
fn a_table_of_calls_tells_agent_queue_call_type_and_wrap_up() {
    let mut desk = Desk::open();
    let sales = CallTypeRow {
        id: CallTypeId(0),
        name: "Sales; \"new\"".to_owned(),
        active: true,
        place: 0,
    };
    let sales = desk.write(|it, _| call_types::save(it, &sales).unwrap());
    let call = |number: u64, queue: Option<&str>| CallRow {
        agent: queue.map(|_| "anna".to_owned()),
        queue: queue.map(str::to_owned),
        ..CallRow::ringing(
            CallId::new(number, [1; 10]),
            "030 1234567",
            import::tests::second(i64::try_from(number).unwrap()),
        )
    };
    let (first, second) = (call(1, None), call(2, Some("=Support")));
    desk.write(|it, numbering| {
        for row in [&first, &second] {
            calls::insert(it, row, numbering).unwrap();
        }
        let changes = [
            CallChange::CallType(Some(sales)),
            CallChange::WrappedUp { millis: 12_349 },
        ];
        for change in changes {
            calls::change(it, second.id, &change).unwrap();
        }
    });
    let reader = Reader::open(desk.folder.path()).unwrap();
    let mut out = Vec::new();
    let all = CallCriteria::default();
    let format = ExportFormat::Csv;
    export::calls(&reader, CallFilter::All, &all, "", format, &mut out).unwrap();
    let mut table = csv::Reader::from_reader(out.as_slice());
    let names = ["Agent", "Queue", "Call type", "Wrap-up seconds"];
    let heads = table.headers().unwrap().clone();
    assert!(heads.iter().skip(heads.len() - names.len()).eq(names));
    let rows: Vec<Vec<String>> = table
        .records()
        .map(|row| {
            let row = row.unwrap();
            let last = row.iter().skip(row.len() - names.len());
            last.map(str::to_owned).collect()
        })
        .collect();
    assert_eq!(
        rows,
        [
            ["anna", "'=Support", "Sales; \"new\"", "12.3"].map(str::to_owned),
            [""; 4].map(str::to_owned),
        ]
    );
}
