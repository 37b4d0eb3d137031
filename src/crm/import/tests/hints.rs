//! Guesses from notes that come with an import.

use super::*;

#[test]
fn a_number_in_imported_notes_is_a_guess_that_goes_with_the_import() {
    let mut desk = Desk::open();
    let file = "name,number,notes\nAnna,030 1234567,\"her mobile: 0171 2345678\"\n";
    let (_, step) = desk.imported(file, Existing::Add);
    let guesses = |desk: &Desk| -> i64 {
        let query = "SELECT count(*) FROM number_hints WHERE raw LIKE '0171%'";
        let counted = desk.connection.query_row(query, [], |row| row.get(0));
        counted.unwrap()
    };
    assert_eq!(guesses(&desk), 1);
    desk.undo(step);
    assert_eq!(guesses(&desk), 0);
}

/// They were mined as numbers of the phone's own country are written, so that none was found, or another one.
#[test]
fn a_number_in_notes_of_a_file_from_abroad_is_one_of_that_country() {
    let mut desk = Desk::open();
    let options = ImportOptions {
        region: Some("US".to_owned()),
        ..ImportOptions::default()
    };
    let mut import = |file: &str, existing| {
        let reading = read(file.as_bytes(), &options).unwrap();
        let batch = ImportBatch {
            label: "import of a file".to_owned(),
            existing,
            reading,
        };
        desk.write(|transaction, numbering| {
            write(transaction, second(100), &batch, numbering).unwrap()
        });
        let query = "SELECT number FROM number_hints ORDER BY id";
        let mut query = desk.connection.prepare(query).unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<Vec<String>, _>>().unwrap()
    };
    let file = "name,email,notes\nAnna,anna@example.com,\"mobile: (212) 736-5000\"\n";
    assert_eq!(import(file, Existing::Add), ["+12127365000"]);
    let file = "name,email,notes\nAnna,anna@example.com,\"fax: (212) 736-5001\"\n";
    // The first is of the phone's own country as far as anybody knows by now.
    assert!(import(file, Existing::Update).contains(&"+12127365001".to_owned()));
}

/// Guesses of notes that an update brought stayed away, and those of the notes before did not come back.
#[test]
fn guesses_follow_the_notes_of_an_update_and_of_its_undo() {
    let mut desk = Desk::open();
    let guesses = |desk: &Desk| -> Vec<String> {
        let query = "SELECT raw FROM number_hints ORDER BY raw";
        let mut query = desk.connection.prepare(query).unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let file = |notes: &str| format!("name,number,notes\nAnna,030 1234567,\"{notes}\"\n");
    desk.import(&file("her mobile: 0171 2345678"), Existing::Skip);
    assert_eq!(guesses(&desk), ["0171 2345678"]);
    let (report, step) = desk.imported(&file("her fax: 030 7654321"), Existing::Update);
    assert_eq!(report.updated, 1);
    assert_eq!(guesses(&desk), ["0171 2345678", "030 7654321"]);
    assert_eq!(desk.undo(step), 0);
    assert_eq!(guesses(&desk), ["0171 2345678"]);
}
