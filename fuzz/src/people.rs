//! Files of people: vCard and CSV.

use ringdesk::crm::import;
use ringdesk::crm::row::ImportOptions;

/// Who is read has a name and numbers that are not empty; a fault names a line of the file.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(reading) = import::read(bytes, &ImportOptions::default()) else {
        return;
    };
    for person in reading.people() {
        let row = person.row();
        assert!(!row.name.trim().is_empty(), "{row:?}");
        assert!(row.numbers.iter().all(|it| !it.raw.is_empty()), "{row:?}");
    }
    let ends = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r'));
    let lines = u64::try_from(ends.count()).unwrap_or(u64::MAX) + 1;
    for note in &reading.faults().lines {
        assert!((1..=lines).contains(&note.line), "{note:?} of {lines}");
    }
}
