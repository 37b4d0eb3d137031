//! A contact as a card of vCard 4.0 (RFC 6350), which our own import reads back as it was.

use std::io::{self, Write};

use crate::crm::row::ContactRow;

/// A line is folded before it has more octets (RFC 6350 section 3.2).
const FOLD: usize = 75;

/// Writes a card.
pub(crate) fn write(
    out: &mut impl Write,
    contact: &ContactRow,
    uid: Option<&str>,
) -> io::Result<()> {
    let mut lines = vec![
        "BEGIN:VCARD".to_owned(),
        "VERSION:4.0".to_owned(),
        format!("FN:{}", escaped(&contact.name)),
    ];
    if let Some(uid) = uid {
        lines.push(format!("UID:{}", escaped(uid)));
    }
    for (property, value) in [
        ("ORG", &contact.organization_name),
        ("TITLE", &contact.role),
        ("EMAIL", &contact.email),
    ] {
        if let Some(value) = value {
            lines.push(format!("{property}:{}", escaped(value)));
        }
    }
    for (number, place) in contact.numbers.iter().zip(1_u32..) {
        let raw = escaped(&number.raw);
        match types(&number.label) {
            // The order of the numbers is that of their preference.
            Some(types) => lines.push(format!(
                "TEL;PREF={};TYPE=\"{types}\":{raw}",
                place.min(100)
            )),
            None => {
                lines.push(format!("item{place}.TEL;PREF={}:{raw}", place.min(100)));
                lines.push(format!("item{place}.X-ABLabel:{}", escaped(&number.label)));
            }
        }
    }
    if !contact.notes.is_empty() {
        lines.push(format!("NOTE:{}", escaped(&contact.notes)));
    }
    lines.push("END:VCARD".to_owned());
    for line in lines {
        folded(out, &line)?;
    }
    Ok(())
}

/// The types that our import reads as this label (RFC 6350 section 6.4.1); none for another label.
fn types(label: &str) -> Option<&'static str> {
    Some(match label {
        "Phone" => "voice",
        "Work" => "work,voice",
        "Home" => "home,voice",
        "Mobile" => "cell",
        "Work mobile" => "work,cell",
        "Fax" => "fax",
        "Work fax" => "work,fax",
        "Home fax" => "home,fax",
        "Pager" => "pager",
        _ => return None,
    })
}

/// Escapes a text (RFC 6350 section 3.4).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.replace("\r\n", "\n").chars() {
        match character {
            '\n' | '\r' => escaped.push_str("\\n"),
            ',' | ';' | '\\' => escaped.extend(['\\', character]),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Writes a line in pieces, never within a character.
fn folded(out: &mut impl Write, line: &str) -> io::Result<()> {
    let mut length = 0;
    let mut buffer = [0; 4];
    for character in line.chars() {
        if length + character.len_utf8() > FOLD {
            out.write_all(b"\r\n ")?;
            length = 1;
        }
        length += character.len_utf8();
        out.write_all(character.encode_utf8(&mut buffer).as_bytes())?;
    }
    out.write_all(b"\r\n")
}
