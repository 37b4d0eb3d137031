//! Text messages that came (RFC 3428): told as events, and shown until they are dismissed.

use std::collections::VecDeque;

use crate::app::call_begin::{Shown, shown_caller};
use crate::app::engine::Engine;
use crate::base::clock;
use crate::base::id::AccountId;
use crate::control::{Event, TextMessage};
use crate::sip::{Body, Caller, NameAddr};

/// How many messages of one account are shown; an older one gives way.
const SHOWN: usize = 5;
/// How many characters of each are shown.
const LONGEST: usize = 1_000;

/// The messages that are shown, oldest first.
#[derive(Debug, Default)]
pub(super) struct Messages(VecDeque<TextMessage>);

impl Messages {
    /// Keeps a message; the same text by the same sender (a network may repeat it) is shown once.
    pub(super) fn add(&mut self, mut message: TextMessage) {
        if let Some((end, _)) = message.text.char_indices().nth(LONGEST) {
            message.text.truncate(end);
            message.text.push('…');
        }
        self.0.retain(|known| {
            (known.account, &known.from, &known.text)
                != (message.account, &message.from, &message.text)
        });
        let account = message.account;
        self.0.push_back(message);
        let of_account = |known: &TextMessage| known.account == account;
        if self.0.iter().filter(|known| of_account(known)).count() > SHOWN
            && let Some(oldest) = self.0.iter().position(of_account)
        {
            self.0.remove(oldest);
        }
    }

    pub(super) fn dismiss(&mut self, id: u64) {
        self.0.retain(|message| message.id != id);
    }

    pub(super) fn view(&self) -> Vec<TextMessage> {
        self.0.iter().cloned().collect()
    }
}

impl Engine {
    /// A message came: who wrote it is judged as who calls is.
    pub(super) fn tell_message(
        &mut self,
        account: Option<AccountId>,
        from: &NameAddr,
        caller: &Caller,
        body: &Body,
    ) {
        let text = read(&body.bytes);
        let Shown { remote, name, from } = shown_caller(from, caller, &self.rules_of(account));
        self.messages.add(TextMessage {
            id: self.next_notice,
            at: clock::wall_now(),
            account,
            from: remote,
            from_name: name,
            text: text.clone(),
        });
        self.next_notice += 1;
        self.tell(Event::Message { from, text });
    }
}

/// The words of a message. Many phones end them with a line break or several, as if lines followed.
fn read(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim_end_matches(['\r', '\n']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: u64, account: u32, text: &str) -> TextMessage {
        TextMessage {
            id,
            at: clock::wall_now(),
            account: Some(AccountId(account)),
            from: "sip:bob@example.com".to_owned(),
            from_name: None,
            text: text.to_owned(),
        }
    }

    fn ids(messages: &Messages) -> Vec<u64> {
        messages.view().iter().map(|message| message.id).collect()
    }

    #[test]
    fn the_last_messages_of_each_account_are_shown_until_they_are_dismissed() {
        let mut messages = Messages::default();
        messages.add(message(1, 7, "of another account"));
        for id in 2..10 {
            messages.add(message(id, 3, &id.to_string()));
        }
        assert_eq!(ids(&messages), [1, 5, 6, 7, 8, 9]);
        messages.dismiss(7);
        assert_eq!(ids(&messages), [1, 5, 6, 8, 9]);
        messages.add(message(10, 3, "5"));
        assert_eq!(ids(&messages), [1, 6, 8, 9, 10], "it is said again");
    }

    #[test]
    fn no_empty_line_follows_the_words_of_a_message() {
        for (bytes, text) in [
            (&b"call me\r\n"[..], "call me"),
            (b"first\r\n\r\nsecond\n\n", "first\r\n\r\nsecond"),
            (b"  a list:\n  one  ", "  a list:\n  one  "),
            (b"\xff\n", "\u{fffd}"),
            (b"\r\n", ""),
        ] {
            assert_eq!(read(bytes), text);
        }
    }

    #[test]
    fn a_long_message_is_cut() {
        let mut messages = Messages::default();
        messages.add(message(1, 3, &"ä".repeat(60_000)));
        let shown = messages.view().remove(0).text;
        assert_eq!(shown.chars().count(), LONGEST + 1);
        assert!(shown.ends_with('…'));
    }
}
