//! Reads a mailbox file (RFC 4155, with the quoting of mboxo and mboxrd) or a single mail, one
//! message at a time: a mailbox of many gigabytes takes no more memory than one message.

use std::io::{self, BufRead, Read as _};

/// So many bytes of a message are kept. The text of a mail stands before what is attached to it, so
/// what is cut off is the end of an attachment.
const MESSAGE_LIMIT: usize = 8 << 20;

/// So many bytes of a line are looked at together; longer lines are none of a mailbox's own.
const LINE_LIMIT: u64 = 64 * 1024;

/// The messages of a mailbox, or the only one of a mail file.
#[derive(Debug)]
pub struct Messages<R> {
    source: R,
    /// Whether the file begins as a mailbox does; known after its first line.
    mailbox: Option<bool>,
    /// Whether the line before was empty: only behind one a message begins.
    after_blank: bool,
    /// Whether the next bytes begin a line.
    at_line_start: bool,
    ended: bool,
}

impl<R: BufRead> Messages<R> {
    /// Begins to read.
    pub fn new(source: R) -> Self {
        Self {
            source,
            mailbox: None,
            after_blank: true,
            at_line_start: true,
            ended: false,
        }
    }

    /// Reads the next message, without the quoting of the mailbox.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be read.
    pub fn next_message(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut message = Vec::new();
        let mut line = Vec::new();
        while !self.ended {
            line.clear();
            let mut part = self.source.by_ref().take(LINE_LIMIT);
            let read = part.read_until(b'\n', &mut line)?;
            if read == 0 {
                self.ended = true;
                break;
            }
            if self.mailbox.is_none() {
                let begin = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line).to_vec();
                line = begin;
                self.mailbox = Some(is_postmark(&line));
            }
            let begins_line = std::mem::replace(&mut self.at_line_start, line.ends_with(b"\n"));
            let mailbox = self.mailbox == Some(true) && begins_line;
            if mailbox && self.after_blank && is_postmark(&line) {
                self.after_blank = false;
                if message.is_empty() {
                    continue;
                }
                return Ok(Some(message));
            }
            self.after_blank = begins_line && matches!(line.as_slice(), b"\n" | b"\r\n");
            let kept = if mailbox { unquoted(&line) } else { &line };
            let room = MESSAGE_LIMIT.saturating_sub(message.len());
            message.extend(kept.iter().take(room));
        }
        Ok((!message.is_empty()).then_some(message))
    }
}

impl<R: BufRead> Iterator for Messages<R> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_message().transpose();
        // What cannot be read once is not asked for again.
        self.ended |= matches!(next, Some(Err(_)));
        next
    }
}

/// Whether a line begins a message: `From`, an address, and a time (`asctime`, RFC 4155 appendix A).
/// A line of a text that begins with "From" has none.
fn is_postmark(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else {
        return false;
    };
    let words = rest.split(u8::is_ascii_whitespace);
    let (mut time, mut year) = (false, false);
    for word in words.take(16) {
        time |=
            word.len() >= 4 && word.contains(&b':') && word.first().is_some_and(u8::is_ascii_digit);
        year |= word.len() == 4 && word.iter().all(u8::is_ascii_digit);
    }
    time && year
}

/// Takes one `>` from `>From `, `>>From ` … (mboxrd; mboxo quotes only the first of these).
fn unquoted(line: &[u8]) -> &[u8] {
    let marks = line.iter().take_while(|byte| **byte == b'>').count();
    match line.split_first() {
        Some((b'>', rest))
            if line
                .get(marks..)
                .is_some_and(|text| text.starts_with(b"From ")) =>
        {
            rest
        }
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mailbox: &str) -> Vec<String> {
        Messages::new(mailbox.as_bytes())
            .map(|message| String::from_utf8(message.unwrap()).unwrap())
            .collect()
    }

    #[test]
    fn a_mailbox_is_read_message_by_message_without_its_quoting() {
        let messages = read(
            "From anna@example.com Mon May  4 10:12:00 2026\nSubject: one\n\n>From here on\n>>From there\n> quoted\n\n\
             From the beginning nobody knew\n\nFrom - Tue May 05 08:00:00 2026\r\nSubject: two\r\n\r\ntext\r\n",
        );
        assert_eq!(
            messages,
            [
                "Subject: one\n\nFrom here on\n>From there\n> quoted\n\nFrom the beginning nobody knew\n\n",
                "Subject: two\r\n\r\ntext\r\n"
            ]
        );
    }

    #[test]
    fn a_single_mail_is_one_message_and_keeps_its_lines() {
        let mail = "\u{feff}Subject: one\n\n>From here\n\nFrom anna@example.com Mon May  4 10:12:00 2026\n";
        assert_eq!(read(mail), [mail.trim_start_matches('\u{feff}')]);
        assert_eq!(read(""), [""; 0]);
        assert_eq!(read("From a Mon May  4 10:12:00 2026\n"), [""; 0]);
    }

    #[test]
    fn a_message_that_is_too_large_is_cut_and_the_next_one_is_whole() {
        let postmark = "From a Mon May  4 10:12:00 2026\n";
        let line = "x".repeat(200 * 1024);
        let large = format!("{postmark}Subject: large\n\n{}\n\n", line.repeat(60));
        let messages = read(&format!("{large}{postmark}Subject: next\n\n"));
        assert_eq!(messages.len(), 2);
        assert_eq!(messages[0].len(), MESSAGE_LIMIT);
        assert_eq!(messages[1], "Subject: next\n\n");
    }
}
