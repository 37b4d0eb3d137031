//! Cells of tables that spreadsheets open: what would be taken for a formula is neutralised.
//!
//! Excel and others run a cell that begins with `=`, `+`, `-`, `@`, a tab or a line's end as a formula
//! (OWASP, "CSV injection"): whoever calls under a crafted name would run it on the desk of who
//! opens the list. An apostrophe in front makes it text. It also keeps a number such as
//! `+49 30 1234567` from being computed to `4.93E+11`. [`plain`] takes exactly that apostrophe away
//! again, so what is exported and imported stays the same.

use std::borrow::Cow;

/// What a formula begins with.
fn begins_formula(text: &str) -> bool {
    text.trim_start_matches('\'')
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

/// Puts an apostrophe before what a spreadsheet would run.
pub(crate) fn neutral(text: &str) -> Cow<'_, str> {
    // What has one already gets another: else it could not be told from ours.
    if begins_formula(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Takes the apostrophe of [`neutral`] away.
pub(crate) fn plain(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if begins_formula(rest) => rest,
        Some(_) | None => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_neutralised_and_come_back_as_they_were() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("+49 30 1234567", "'+49 30 1234567"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("'=1", "''=1"),
            ("'n Beetje", "'n Beetje"),
            ("030 1234567", "030 1234567"),
            ("a=b", "a=b"),
            ("", ""),
            ("'", "'"),
        ] {
            assert_eq!(neutral(text), cell);
            assert_eq!(plain(cell), text);
        }
    }
}
