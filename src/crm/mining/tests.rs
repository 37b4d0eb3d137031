//! Mining in texts as people write them.

use crate::base::phone_number::PhoneNumber;
use crate::base::random::{Random as _, SeededRandom};
use crate::crm::mining::numbers::{self, Found};
use crate::crm::mining::of_letter;

/// The international forms, each fax with an `f` before it.
fn found(text: &str, region: &str) -> Vec<String> {
    let found = numbers::find(text, region);
    for Found { place, raw, .. } in &found {
        assert_eq!(text.get(place.clone()), Some(raw.as_str()), "{text}");
    }
    let shown = |found: Found| format!("{}{}", if found.fax { "f" } else { "" }, found.e164);
    found.into_iter().map(shown).collect()
}

/// Compares all rows before it tells which are wrong.
fn check(rows: &[(&str, &str, &[&str])]) {
    let wrong: Vec<String> = rows
        .iter()
        .map(|(region, text, expected)| (region, text, expected, found(text, region)))
        .filter(|(_, _, expected, found)| found != *expected)
        .map(|(region, text, expected, found)| {
            format!("{region}: {text}\n  {found:?} in place of {expected:?}")
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn separators_of_all_kinds_part_one_number() {
    check(&[
        ("DE", "030/1234567", &["+49301234567"]),
        ("DE", "030 / 123 45 67", &["+49301234567"]),
        ("DE", "030.123.45.67", &["+49301234567"]),
        ("DE", "030-1234567", &["+49301234567"]),
        ("DE", "(030) 1234567", &["+49301234567"]),
        ("DE", "(030 / 1234567)", &["+49301234567"]),
        ("DE", "+49 (0)30 / 123-45 67", &["+49301234567"]),
        ("DE", "+49(30)1234567", &["+49301234567"]),
        ("DE", "(+49) 30 1234567", &["+49301234567"]),
        ("DE", "0049 30 1234567", &["+49301234567"]),
        // NBSP, thin blanks, narrow NBSP, Unicode hyphens, minus.
        ("DE", "030\u{a0}123\u{2009}45\u{202f}67", &["+49301234567"]),
        (
            "DE",
            "030\u{2011}123\u{2010}45\u{2212}67",
            &["+49301234567"],
        ),
        ("DE", "\u{200e}+49 30 1234567\u{200f}", &["+49301234567"]),
        ("DE", "tel:+4930-1234567", &["+49301234567"]),
        ("DE", "<tel:+49301234567>", &["+49301234567"]),
        ("EG", "هاتف: ٠٢ ٢٧٣٥ ١٢٣٤", &["+20227351234"]),
        ("US", "Call 415.555.0134 x12 today", &["+14155550134"]),
        ("DE", "Tel. 030 1234567 Durchwahl 12", &["+49301234567"]),
    ]);
}

#[test]
fn two_numbers_stay_two() {
    check(&[
        (
            "DE",
            "030 1234567 / 0171 2345678",
            &["+49301234567", "+491712345678"],
        ),
        (
            "DE",
            "030 1234567/0171 2345678",
            &["+49301234567", "+491712345678"],
        ),
        (
            "DE",
            "030 1234567, 0171 2345678",
            &["+49301234567", "+491712345678"],
        ),
        (
            "DE",
            "030 1234567 | 0171 2345678",
            &["+49301234567", "+491712345678"],
        ),
        (
            "DE",
            "030 1234567 +49 171 2345678",
            &["+49301234567", "+491712345678"],
        ),
        (
            "DE",
            "T 030 1234567 F 030 1234568",
            &["+49301234567", "f+49301234568"],
        ),
        ("DE", "Tel. 030/1234567/-68", &["+49301234567"]),
        (
            "FR",
            "01 42 68 53 00 / 06 12 34 56 78",
            &["+33142685300", "+33612345678"],
        ),
        ("DE", "030 1234567 oder 030 1234567", &["+49301234567"]),
        ("DE", "Fax 030 1234567, Tel. 030 1234567", &["+49301234567"]),
        ("DE", "Termin 12.05.2026 030 1234567", &["+49301234567"]),
        ("DE", "030 1234567 12.05.2026", &["+49301234567"]),
    ]);
}

#[test]
fn labels_of_many_languages_say_what_a_number_is() {
    check(&[
        ("DE", "Telefon:\n030 1234567", &["+49301234567"]),
        ("DE", "Telefax:\n030 1234567", &["f+49301234567"]),
        ("DE", "Tel./Fax: 030 1234567", &["+49301234567"]),
        ("DE", "Mobil 171 2345678", &["+491712345678"]),
        (
            "CN",
            "电话：010-62345678 传真：010-62345679",
            &["+861062345678", "f+861062345679"],
        ),
        ("CN", "电话010-62345678转", &["+861062345678"]),
        ("JP", "TEL03-3212-3456", &["+81332123456"]),
        (
            "RU",
            "тел. 8 (495) 123-45-67, факс 8 (495) 123-45-68",
            &["+74951234567", "f+74951234568"],
        ),
        ("GR", "Τηλ. 210 3234567", &["+302103234567"]),
        ("TH", "โทร 02-123-4567", &["+6621234567"]),
        ("IL", "טל: 03-6123456", &["+97236123456"]),
    ]);
}

/// Signatures as they are written in ten languages; the address, the register and the bank stand
/// beside the numbers.
#[test]
fn signatures_give_their_numbers_and_nothing_else() {
    let rows: &[(&str, &str, &[&str])] = &[
        (
            "DE",
            "Anna Schmidt\nVertrieb\nMuster GmbH · Hauptstraße 12 · 10115 Berlin\nTel. +49 (0) 30 / 123 45 67-0 | Mobil 0171 / 234 56 78\n\
             Fax: 030/1234568\nAmtsgericht Charlottenburg HRB 123456 B · USt-IdNr. DE123456789\n\
             IBAN DE89 3704 0044 0532 0130 00 · BIC COBADEFFXXX\nwww.example.de/030/1234567",
            &["+493012345670", "+491712345678", "f+49301234568"],
        ),
        (
            "GB",
            "John Doe | Example Ltd\n10 Downing Street, London SW1A 2AA\nT: 020 7946 0123  M: 07911 123456  F: 020 7946 0124\n\
             Registered in England No. 01234567. VAT GB 123 4567 89",
            &["+442079460123", "+447911123456", "f+442079460124"],
        ),
        (
            "US",
            "Jane Roe, CPA\nDirect: (415) 555-0134 ext. 204\nCell 415.555.0199\nFax 415-555-0135\n1600 Market St, San Francisco, CA 94102-1234",
            &["+14155550134", "+14155550199", "f+14155550135"],
        ),
        (
            "FR",
            "Luc Martin\nSociété Exemple – SIRET 732 829 320 00074\nTél. : 01 42 68 53 00 – Port. : 06.12.34.56.78\nTélécopie : 01 42 68 53 01\nTVA FR 40 303 265 045",
            &["+33142685300", "+33612345678", "f+33142685301"],
        ),
        (
            "ES",
            "Inés García\nTeléfono: 91 123 45 67 · Móvil: 612 345 678\nFax: 911 234 568\nC.I.F. B12345678 · 28013 Madrid",
            &["+34911234567", "+34612345678", "f+34911234568"],
        ),
        (
            "IT",
            "Paolo Rossi\nTel. 06 6982 0000 - Cell. 347 123 4567\nFax 06 6982 0001\nP.IVA 01234567890 - 00186 Roma",
            &["+390669820000", "+393471234567", "f+390669820001"],
        ),
        (
            "NL",
            "Jan de Vries\nTel: 020-123 4567 / mob. 06-12345678\nKvK 12345678, BTW NL123456789B01\nIBAN NL91ABNA0417164300",
            &["+31201234567", "+31612345678"],
        ),
        (
            "PL",
            "Piotr Nowak\ntel. 22 123 45 67, kom. 600 700 800, faks 22 123 45 68\nNIP 123-456-78-19, REGON 123456785, KRS 0000123456",
            &["+48221234567", "+48600700800", "f+48221234568"],
        ),
        (
            "RU",
            "С уважением, Иван Петров\nТел.: +7 (495) 123-45-67 доб. 12\nМоб.: 8 916 123-45-67\nИНН 7701234567 КПП 770101001 р/с 40702810900000001234",
            &["+74951234567", "+79161234567"],
        ),
        (
            "SE",
            "Karin Svensson\nTelefon 08-123 456 78\nMobil 070-123 45 67\nOrg.nr 556123-4567",
            &["+46812345678", "+46701234567"],
        ),
        (
            "JP",
            "山田太郎\n〒100-0001 東京都千代田区千代田1-1\n電話：03-3212-3456\n携帯：090-1234-5678\nFAX：03-3212-3457",
            &["+81332123456", "+819012345678", "f+81332123457"],
        ),
        (
            "BR",
            "João Silva\nTelefone: (11) 3123-4567 | Celular: (11) 91234-5678\nCNPJ 12.345.678/0001-95 CEP 01310-100",
            &["+551131234567", "+5511912345678"],
        ),
        (
            "TR",
            "Ayşe Yılmaz\nTel: 0212 123 45 67\nGSM: 0532 123 45 67\nFaks: 0212 123 45 68",
            &["+902121234567", "+905321234567", "f+902121234568"],
        ),
        (
            "CH",
            "Reto Meier\nDirekt +41 44 123 12 12\nNatel 079 123 45 67\nCHE-123.456.789 MWST",
            &["+41441231212", "+41791234567"],
        ),
    ];
    check(rows);
}

/// What an accountant gets by mail, in five languages: of all these figures none is a number to call.
#[test]
fn invoices_give_no_number() {
    let rows = [
        (
            "DE",
            "Rechnung Nr. 2026-0512345 vom 12.05.2026\nKundennummer: 0301234567\nBestellnr. 030 1234567\nLieferschein 0171 2345678\n\
                Leistungszeitraum 01.05.2026 - 31.05.2026\nPos. 1  12345678  3 Stk  1.234.567,89 EUR\nPos. 2  0123456789  10  12.345.678 €\n\
                Betrag 030.123.456 €\nBitte überweisen Sie auf IBAN DE89 3704 0044 0532 0130 00, Kto. 0301234567, BLZ 370 400 44\n\
                Steuernummer 30/123/45678, USt-IdNr. DE 301234567\nUhrzeit 12:30:45, Öffnung 8.00 - 17.30 Uhr\n\
                Zeitraum 2019 - 2024, 2019-2024\nServer 192.168.178.100, 10.0.0.138:5060\nEAN 4006381333931\nSendung 00340434161094012345",
        ),
        (
            "US",
            "Invoice 4155550134\nOrder # 415-555-0134\nDate 05/12/2026, due 2026-06-12 10:30\nAmount $4,155,550.13, USD 4155550134\n\
                Routing 021000021 Account 4155550134\nTracking 1Z 999 AA1 01 2345 6784\nQty 12 4155550134 99.95\n\
                https://example.com/4155550134/item?id=2125550123\nuser4155550134@example.com\nFile INV-4155550134.pdf\nv4.155.555.0134",
        ),
        (
            "FR",
            "Facture n° 01 42 68 53 00\nCommande 0142685300\nSIRET 732 829 320 00074\nDu 01.02.2026 au 28.02.2026\nTotal 1 234 567,89 €\nMontant 142 685 300 €",
        ),
        (
            "ES",
            "Factura 912345678\nPedido: 612 345 678\nFecha 12-05-2026\nImporte 912.345.678,00 €\nTotal 612.345.678 €\nCuenta ES91 2100 0418 4502 0005 1332",
        ),
        (
            "PL",
            "Faktura 600700800\nZamówienie nr 600 700 800\nNIP 600-700-80-01\nKwota 600.700.800 zł\nKonto PL61 1090 1014 0000 0712 1981 2874",
        ),
    ];
    let mut figures = 0;
    let mut wrong = Vec::new();
    for (region, text) in rows {
        for line in text.lines() {
            figures += usize::from(line.contains(|letter: char| letter.is_ascii_digit()));
            wrong.extend(
                found(line, region)
                    .into_iter()
                    .map(|found| format!("{line}: {found}")),
            );
        }
        wrong.extend(found(text, region));
    }
    assert!(figures >= 40, "{figures}");
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn what_another_country_writes_is_read_as_that_country_does() {
    check(&[
        ("DE", "Tel. 01 42 68", &[]),
        ("FR", "Tel. 01 42 68 53 00", &["+33142685300"]),
        ("US", "Tel. +33 1 42 68 53 00", &["+33142685300"]),
        (
            "",
            "Tel. +33 1 42 68 53 00 und 030 1234567",
            &["+33142685300"],
        ),
    ]);
}

#[test]
fn a_text_of_any_size_is_bounded() {
    let mut text = String::new();
    for number in 0..100 {
        text.push_str(&format!("Tel. 030 1{number:06}\n"));
    }
    assert_eq!(numbers::find(&text, "DE").len(), numbers::FOUND_LIMIT);
    // A text of figures ends the search, however long it is.
    let figures = "0 1 2 3 4 5 6 7 8 9 ".repeat(20_000);
    assert_eq!(numbers::find(&figures, "DE"), []);
    let digits = "1".repeat(1_000_000);
    assert_eq!(numbers::find(&digits, "DE"), []);
}

#[test]
fn only_the_senders_own_words_count() {
    let mail = "Bitte rufen Sie Bert an: 0171 2345678.\nMit freundlichen Grüßen\nAnna\nTel. 030 1234567\n\n\
                Am 12.05.2026 um 10:00 schrieb Carl <c@example.com>:\n> Meine Nummer ist 089 1234567\n> -- \n> Carl, Tel. 089 7654321\n";
    let found = of_letter(mail, "DE");
    let shown: Vec<_> = found
        .iter()
        .map(|found| (found.e164.as_str(), found.signature))
        .collect();
    assert_eq!(shown, [("+491712345678", false), ("+49301234567", true)]);
}

/// The extension was joined to digits before it, and the number behind that was another one than was kept.
#[test]
fn what_is_kept_of_a_number_is_what_its_writing_says() {
    for text in [
        "Tel. ) 30 / 123 45 67-0Tel.  123o",
        "Tel. 030 1234567-0 ext. 12",
        "Tel. 030 1234567 Durchwahl 12",
    ] {
        for Found { raw, e164, .. } in numbers::find(text, "DE") {
            assert_eq!(PhoneNumber::parse(&raw, "DE").e164, Some(e164), "{raw}");
        }
    }
}

/// Whatever stands in a text, each place is inside it, and each number is one.
#[test]
fn any_text_is_survived() {
    const PIECES: &[&str] = &[
        "0", "1", "49", "030", "1234567", "+", "(", ")", "/", ".", "-", " ", "\u{a0}", "\u{200e}",
        "٣", "７", "Tel", "Fax:", "IBAN", "DE89", "@", "://", "\n", "\u{2028}", ",", ":", "€",
        "电话", "ext", "x", "#", "é", "🖷", "\t",
    ];
    let mut random = SeededRandom::new(11);
    let mut drawn = || usize::try_from(random.next_u32()).unwrap();
    for _ in 0..500 {
        let length = drawn() % 40;
        let text: String = (0..length)
            .map(|_| PIECES[drawn() % PIECES.len()])
            .collect();
        for region in ["DE", "US"] {
            let numbers = found(&text, region);
            assert!(numbers.len() <= numbers::FOUND_LIMIT);
        }
        drop(of_letter(&text, "DE"));
    }
}
