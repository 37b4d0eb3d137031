//! Reads what a mail says of its sender: name, address, date, subject, and the numbers in the
//! sender's own words (RFC 5322; the MIME parts of RFC 2045 to 2049 by the crate `mail-parser`).
//!
//! The text itself is not kept.

use std::borrow::Cow;

use jiff::Timestamp;
use mail_parser::MessageParser;

use crate::base::country;
use crate::base::phone_number::printable;
use crate::crm::mining::of_letter;
use crate::crm::row::MailHints;

/// So many characters of a subject are kept.
const SUBJECT_LIMIT: usize = 120;

/// So many characters of a name are kept.
const NAME_LIMIT: usize = 120;

/// So many characters of a Message-ID are kept; longer ones are hostile.
const MESSAGE_ID_LIMIT: usize = 256;

/// Longer addresses are none (RFC 5321 section 4.5.3.1.3).
const ADDRESS_LIMIT: usize = 254;

/// So many bytes of a mail's text are read.
const TEXT_LIMIT: usize = 256 * 1024;

/// Domains of a country's code that the whole world uses.
const WORLDLY: [&str; 14] = [
    "AI", "CC", "CO", "EU", "FM", "GG", "IO", "LA", "LY", "ME", "SH", "TO", "TV", "WS",
];

/// Why a mail says nothing of anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MailFault {
    /// It has no header that can be read.
    #[error("it is no mail: no header can be read")]
    NoMail,
    /// Its sender has no address.
    #[error("it has no sender with an address (the From line)")]
    NoSender,
}

/// Reads a mail. Numbers without a country code are read as the country of the sender's domain writes
/// them, else as `region` (ISO 3166) does.
///
/// # Errors
///
/// Fails for what is no mail, or one from nobody.
pub fn read(message: &[u8], region: &str) -> Result<MailHints, MailFault> {
    let mail = MessageParser::default()
        .parse(message)
        .ok_or(MailFault::NoMail)?;
    if mail.headers().is_empty() {
        return Err(MailFault::NoMail);
    }
    let sender = mail
        .from()
        .and_then(|from| from.first())
        .ok_or(MailFault::NoSender)?;
    let email = sender
        .address()
        .and_then(address)
        .ok_or(MailFault::NoSender)?;
    let name = sender
        .name()
        .map(|name| line(name, NAME_LIMIT))
        .filter(|name| !name.is_empty());
    let sent_at = mail
        .date()
        .filter(|date| date.is_valid())
        .and_then(|date| Timestamp::from_second(date.to_timestamp()).ok());
    let subject = line(mail.subject().unwrap_or_default(), SUBJECT_LIMIT);
    let own = country_of(&email);
    let region = own.as_deref().unwrap_or(region);
    let text = text_of(&mail);
    let numbers = of_letter(&text, region);
    let message = match mail.message_id() {
        Some(id) if !id.trim().is_empty() => line(id, MESSAGE_ID_LIMIT),
        _ => {
            let at = sent_at.map_or(0, Timestamp::as_second);
            format!("{at} {email} {subject}")
        }
    };
    Ok(MailHints {
        message,
        name,
        email,
        sent_at,
        subject,
        numbers,
    })
}

/// The mail's text parts; of a mail that is only HTML, the text in it.
fn text_of(mail: &mail_parser::Message<'_>) -> String {
    let mut text = String::new();
    for part in 0..mail.text_body_count() {
        let body = mail.body_text(part).unwrap_or(Cow::Borrowed(""));
        let room = TEXT_LIMIT.saturating_sub(text.len());
        let end = body.floor_char_boundary(room);
        text.push_str(body.get(..end).unwrap_or_default());
        text.push('\n');
        if end < body.len() {
            break;
        }
    }
    text
}

/// An address in lower case, if it can be one.
fn address(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let (user, host) = text.rsplit_once('@')?;
    let shown = text
        .chars()
        .all(|letter| !letter.is_whitespace() && !letter.is_control());
    let fits = text.len() <= ADDRESS_LIMIT && !user.is_empty() && !host.is_empty();
    (shown && fits).then_some(text)
}

/// The country whose domain an address has (ISO 3166).
fn country_of(address: &str) -> Option<String> {
    let (_, top) = address.rsplit_once('.')?;
    let code = match top.to_ascii_uppercase().as_str() {
        "UK" => "GB".to_owned(),
        code => code.to_owned(),
    };
    let known = code.len() == 2 && country::name(&code).is_some();
    (known && !WORLDLY.contains(&code.as_str())).then_some(code)
}

/// A header as one line that can be shown, with at most so many characters.
fn line(text: &str, limit: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    printable(&words.join(" ")).chars().take(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{Random as _, SeededRandom};
    use crate::crm::mining::mbox::Messages;

    const PLAIN: &str = "From: =?UTF-8?Q?Anna_Schm=C3=ADdt?= <Anna.Schmidt@Example.DE>\r\n\
        To: us@example.com\r\nDate: Tue, 12 May 2026 10:12:00 +0200\r\nMessage-ID: <one@example.de>\r\n\
        Subject: =?iso-8859-1?Q?R=FCckruf?=\r\n erbeten\r\nContent-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\n\
        Guten Tag,\r\nbitte rufen Sie zur=C3=BCck.\r\n\r\nMit freundlichen Gr=C3=BC=C3=9Fen\r\n\
        Anna\r\nTel. 030/123=\r\n4567\r\n\r\nAm 11.05.2026 um 9:00 schrieb Bert <b@example.com>:\r\n> Tel. 089 7654321\r\n";

    const HTML: &str = "From: luc@example.fr\nDate: Tue, 12 May 2026 10:12:00 +0200\nSubject: Bonjour\nMIME-Version: 1.0\n\
        Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html; charset=utf-8\n\n\
        <html><style>p{width:0142685399px}</style><p>Bonjour</p><p>Cordialement,<br>Luc<br>T&eacute;l.&nbsp;: 01&nbsp;42&nbsp;68&nbsp;53&nbsp;00</p></html>\n\
        --b\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename=a.bin\nContent-Transfer-Encoding: base64\n\n\
        MDE0MjY4NTMwMQ==\n--b--\n";

    #[test]
    fn a_mail_tells_its_sender_date_subject_and_numbers() {
        let mail = read(PLAIN.as_bytes(), "US").unwrap();
        assert_eq!(mail.name.as_deref(), Some("Anna Schmídt"));
        assert_eq!(mail.email, "anna.schmidt@example.de");
        assert_eq!(mail.message, "one@example.de");
        assert_eq!(mail.subject, "Rückruf erbeten");
        assert_eq!(mail.sent_at.unwrap().to_string(), "2026-05-12T08:12:00Z");
        let numbers: Vec<_> = mail
            .numbers
            .iter()
            .map(|number| (number.e164.as_str(), number.signature))
            .collect();
        assert_eq!(numbers, [("+49301234567", true)]);
    }

    #[test]
    fn the_text_in_html_is_read_as_the_senders_country_writes() {
        let mail = read(HTML.as_bytes(), "DE").unwrap();
        assert_eq!(mail.name, None);
        let numbers: Vec<_> = mail.numbers.iter().map(|number| &number.e164).collect();
        assert_eq!(numbers, ["+33142685300"]);
        assert!(mail.numbers[0].signature);
        assert_eq!(mail.message, "1778573520 luc@example.fr Bonjour");
    }

    #[test]
    fn what_is_no_mail_or_from_nobody_is_told() {
        for (text, fault) in [
            ("", MailFault::NoMail),
            ("\n\nTel. 030 1234567", MailFault::NoMail),
            ("Subject: x\n\nTel. 030 1234567", MailFault::NoSender),
            ("From: Anna\n\nTel. 030 1234567", MailFault::NoSender),
            ("From: <>\n\n", MailFault::NoSender),
            ("From: <a b@>\n\n", MailFault::NoSender),
        ] {
            assert_eq!(read(text.as_bytes(), "DE"), Err(fault), "{text}");
        }
    }

    #[test]
    fn hostile_headers_are_kept_short_and_on_one_line() {
        let long = "x".repeat(5000);
        let text = format!(
            "From: \"{long}\u{202e}\" <a@example.com>\nMessage-ID: <{long}@x>\nSubject: {long}\n\nTel. 030 1234567\n"
        );
        let mail = read(text.as_bytes(), "DE").unwrap();
        assert!(mail.message.chars().count() <= MESSAGE_ID_LIMIT);
        assert_eq!(mail.subject.chars().count(), SUBJECT_LIMIT);
        assert_eq!(mail.name.map(|name| name.chars().count()), Some(NAME_LIMIT));
        assert_eq!(mail.sent_at, None);
    }

    /// Damaged in any way, a mailbox neither ends the program nor gives more than it may.
    #[test]
    fn damaged_mailboxes_are_survived() {
        let mailbox = format!(
            "From a Tue May 12 10:12:00 2026\n{PLAIN}\n\nFrom b Tue May 12 10:12:00 2026\n{HTML}\n"
        );
        let mut random = SeededRandom::new(7);
        let mut below = |limit: usize| {
            let drawn = random.next_u64() % u64::try_from(limit.max(1)).unwrap();
            usize::try_from(drawn).unwrap()
        };
        for _ in 0..120 {
            let mut bytes = mailbox.clone().into_bytes();
            for _ in 0..=below(12) {
                let place = below(bytes.len());
                match below(4) {
                    0 => bytes[place] = u8::try_from(below(256)).unwrap(),
                    1 => bytes.truncate(place.max(1)),
                    2 => {
                        let until = (place + below(80)).min(bytes.len());
                        let copied = bytes[place..until].to_vec();
                        bytes.extend(copied);
                    }
                    _ => drop(bytes.remove(place)),
                }
                if bytes.len() < 2 {
                    break;
                }
            }
            for message in Messages::new(bytes.as_slice()) {
                if let Ok(mail) = read(&message.unwrap(), "DE") {
                    assert!(
                        mail.numbers
                            .iter()
                            .all(|number| number.e164.starts_with('+'))
                    );
                    assert!(mail.subject.chars().count() <= SUBJECT_LIMIT);
                    assert!(!mail.subject.contains(['\r', '\n']));
                }
            }
        }
    }
}
