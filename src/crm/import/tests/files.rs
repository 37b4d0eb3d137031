//! Files of all kinds are read.

use super::*;

#[test]
fn files_in_all_encodings_give_the_same_people() {
    let text = "Name;Telefon\r\nJürgen Müller;030\r\n";
    let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Jürgen Müller\r\nEND:VCARD\r\n";
    for text in [text, card] {
        let windows: Vec<u8> = text
            .chars()
            .map(|it| u8::try_from(u32::from(it)).unwrap())
            .collect();
        let utf_16: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        for file in [text.as_bytes().to_vec(), windows, utf_16] {
            let reading = read(&file, &ImportOptions::default()).unwrap();
            assert_eq!(reading.people()[0].row.name, "Jürgen Müller");
        }
    }
    assert_eq!(
        read(b"", &ImportOptions::default()).unwrap_err(),
        ImportError::Empty
    );
}

/// Whatever is in a file, reading it ends, and what it gives fits the limits.
#[test]
fn any_octets_are_read_without_harm() {
    let mut seed = 7_u64;
    let mut random = move |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    const PIECES: [&[u8]; 24] = [
        b"BEGIN:VCARD\r\n",
        b"END:VCARD\r\n",
        b"VERSION:2.1\n",
        b"VERSION:4.0\r\n",
        b"N:;;",
        b"FN",
        b";CHARSET=",
        b"ENCODING=QUOTED-PRINTABLE",
        b"=C3=BC",
        b"=\r\n",
        b"\r\n ",
        b":",
        b";",
        b",",
        b"\"",
        b"\n",
        b"\t",
        b"\xff\xfe",
        b"\xc3\xbc",
        b"\\n",
        b"TEL;TYPE=CELL:+4930",
        b"Name;Telefon\n",
        b"item1.X-ABLabel:_$!<",
        b"\0",
    ];
    for _ in 0..4000 {
        let mut file: Vec<u8> = match random(3) {
            0 => b"BEGIN:VCARD\nVERSION:3.0\n".to_vec(),
            1 => b"Name,Telefon,Notizen\n".to_vec(),
            _ => Vec::new(),
        };
        for _ in 0..random(40) {
            if random(4) == 0 {
                file.push(u8::try_from(random(256)).unwrap());
            } else {
                file.extend_from_slice(PIECES[random(PIECES.len())]);
            }
        }
        let Ok(reading) = read(&file, &ImportOptions::default()) else {
            continue;
        };
        for person in reading.people() {
            assert!(!person.row.name.is_empty());
            assert!(
                person
                    .row
                    .numbers
                    .iter()
                    .all(|number| !number.raw.is_empty())
            );
        }
        let lines = file
            .iter()
            .filter(|byte| matches!(byte, b'\n' | b'\r'))
            .count()
            + 1;
        let within = |note: &crate::crm::row::LineNote| note.line <= u64::try_from(lines).unwrap();
        assert!(
            reading.faults().lines.iter().all(within),
            "{:?}",
            reading.faults()
        );
    }
}
