//! Waiting messages (`application/simple-message-summary`, RFC 3842 section 5.2).

/// The largest document, in octets.
const MAX_BYTES: usize = 64 * 1024;

/// How many messages of one class wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Not heard yet.
    pub new: u32,
    /// Heard.
    pub old: u32,
    /// New and urgent.
    pub new_urgent: u32,
    /// Heard and urgent.
    pub old_urgent: u32,
}

/// A class of messages (RFC 3458).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MessageClass {
    /// Voice mail.
    Voice,
    /// Fax.
    Fax,
    /// Pages.
    Pager,
    /// Messages of several media.
    Multimedia,
    /// Text.
    Text,
    /// Anything else.
    None,
}

/// What waits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageSummary {
    /// Whether anything new waits.
    pub waiting: bool,
    /// Where the messages are fetched, as the server wrote it.
    pub account: Option<String>,
    /// The counts of the classes that were named, each once.
    pub counts: Vec<(MessageClass, Count)>,
}

impl MessageSummary {
    /// The counts of a class; none where it was not named.
    pub fn count(&self, class: MessageClass) -> Option<Count> {
        let (_, count) = self.counts.iter().find(|(known, _)| *known == class)?;
        Some(*count)
    }
}

/// Reads a summary; none where it does not say whether messages wait.
pub fn read(bytes: &[u8]) -> Option<MessageSummary> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let text = String::from_utf8_lossy(bytes);
    let mut waiting = None;
    let mut summary = MessageSummary::default();
    // What follows an empty line is about single messages.
    for line in text
        .trim_start()
        .lines()
        .take_while(|line| !line.trim().is_empty())
    {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        match name.as_str() {
            "messages-waiting" => waiting = Some(value.eq_ignore_ascii_case("yes")),
            "message-account" => {
                summary.account = (!value.is_empty()).then(|| value.to_owned());
            }
            _ => {
                if let (Some(class), Some(count)) = (class(&name), count(value))
                    && summary.count(class).is_none()
                {
                    summary.counts.push((class, count));
                }
            }
        }
    }
    summary.waiting = waiting?;
    Some(summary)
}

fn class(name: &str) -> Option<MessageClass> {
    match name {
        "voice-message" => Some(MessageClass::Voice),
        "fax-message" => Some(MessageClass::Fax),
        "pager-message" => Some(MessageClass::Pager),
        "multimedia-message" => Some(MessageClass::Multimedia),
        "text-message" => Some(MessageClass::Text),
        "none" => Some(MessageClass::None),
        _ => None,
    }
}

/// Reads `new/old` and, in brackets, the urgent ones among them.
fn count(value: &str) -> Option<Count> {
    let (all, urgent) = value.split_once('(').unwrap_or((value, ""));
    let (new, old) = pair(all)?;
    let (new_urgent, old_urgent) = pair(urgent.trim_end().trim_end_matches(')')).unwrap_or((0, 0));
    Some(Count {
        new,
        old,
        new_urgent,
        old_urgent,
    })
}

fn pair(text: &str) -> Option<(u32, u32)> {
    let (new, old) = text.split_once('/')?;
    Some((new.trim().parse().ok()?, old.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_is_read() {
        let summary = read(
            b"Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\n\
              Voice-Message: 2/8 (0/2)\r\nFax-Message: 1/0\r\n\r\nTo: <alice@atlanta.example.com>\r\n\
              Voice-Message: 9/9\r\n",
        )
        .unwrap();
        assert!(summary.waiting);
        assert_eq!(
            summary.account.as_deref(),
            Some("sip:alice@vmail.example.com")
        );
        let voice = summary.count(MessageClass::Voice).unwrap();
        assert_eq!(
            (voice.new, voice.old, voice.new_urgent, voice.old_urgent),
            (2, 8, 0, 2)
        );
        assert_eq!(summary.count(MessageClass::Fax).unwrap().new, 1);
        assert_eq!(summary.count(MessageClass::Text), None);
    }

    #[test]
    fn what_does_not_say_whether_messages_wait_is_none() {
        assert_eq!(read(b""), None);
        assert_eq!(read(b"Voice-Message: 1/0\r\n"), None);
        assert_eq!(read(&vec![b'a'; MAX_BYTES + 1]), None);
    }

    #[test]
    fn odd_counts_are_left_out() {
        let summary = read(
            b"messages-waiting:NO\nVoice-Message: -1/2\nFax-Message: 99999999999/1\n\
              Text-Message : 3/4(x)\nText-Message: 7/7\nnonsense",
        )
        .unwrap();
        assert!(!summary.waiting);
        assert_eq!(summary.counts.len(), 1);
        assert_eq!(summary.count(MessageClass::Text).unwrap().new, 3);
    }
}
