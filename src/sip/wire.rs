//! Where a message begins and ends (RFC 3261 section 18.3, RFC 5626 section 3.5.1).

use std::collections::VecDeque;

use super::parse::{self, Malformed};

/// The largest message, head and body together, in octets.
pub const MAX_MESSAGE: usize = 64 * 1024;

/// What a datagram is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datagram {
    /// Empty, or line ends only: it keeps a NAT binding open.
    KeepAlive,
    /// Anything else.
    Message,
}

/// Tells keep-alives from messages.
pub fn datagram(bytes: &[u8]) -> Datagram {
    let is_keep_alive = bytes
        .iter()
        .all(|byte| matches!(byte, b'\r' | b'\n' | b'\0' | b' ' | b'\t'));
    if is_keep_alive {
        Datagram::KeepAlive
    } else {
        Datagram::Message
    }
}

/// What a stream brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// One whole message.
    Message(Vec<u8>),
    /// A double CRLF between messages, to be answered by a single one (RFC 5626 section 3.5.1).
    Ping,
    /// The end of a message cannot be known, or it is too large: a stream must be closed after a
    /// refusal; a WebSocket stays.
    Broken {
        /// The head, as far as it was read.
        head: Vec<u8>,
        /// The refusal's status code: 400 or 513.
        code: u16,
        /// The refusal's reason phrase.
        phrase: &'static str,
    },
}

/// Cuts a stream into messages. It never holds more than one message and what came with it.
#[derive(Debug, Default)]
pub struct StreamFramer {
    buffer: Vec<u8>,
    searched: usize,
    /// The length of the whole message, once its head is there.
    awaited: Option<usize>,
    broken: bool,
}

impl StreamFramer {
    /// Takes bytes, split anywhere; call [`Self::next_frame`] until it gives nothing.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.broken {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next whole thing, if it is there.
    pub fn next_frame(&mut self) -> Option<Frame> {
        if self.broken {
            return None;
        }
        if let Some(len) = self.awaited {
            return self.take_message(len);
        }
        if self.searched == 0 {
            let stray = stray_line_ends(&self.buffer);
            if stray > 0 {
                self.take(stray);
            }
            if self.buffer.starts_with(PING) {
                self.take(PING.len());
                return Some(Frame::Ping);
            }
            // The first half of a ping waits for its second half.
            if PING.starts_with(&self.buffer) {
                return None;
            }
        }
        let Some(head) = parse::scan_head(&self.buffer, &mut self.searched) else {
            return (self.buffer.len() > MAX_MESSAGE)
                .then(|| self.break_off(MAX_MESSAGE, 513, "Message Too Large"));
        };
        match head.content_length {
            Ok(Some(body)) => match head.len.checked_add(body) {
                Some(len) if len <= MAX_MESSAGE => {
                    self.awaited = Some(len);
                    self.take_message(len)
                }
                Some(_) | None => Some(self.break_off(head.len, 513, "Message Too Large")),
            },
            Ok(None) => Some(self.break_off(head.len, 400, "Missing Content-Length")),
            Err(Malformed(_)) => Some(self.break_off(head.len, 400, "Bad Content-Length")),
        }
    }

    /// Whether a message has begun and not ended.
    pub fn partial(&self) -> bool {
        !parse::without_leading_crlf(&self.buffer).is_empty()
    }

    fn take_message(&mut self, len: usize) -> Option<Frame> {
        (self.buffer.len() >= len).then(|| Frame::Message(self.take(len)))
    }

    fn take(&mut self, len: usize) -> Vec<u8> {
        self.searched = 0;
        self.awaited = None;
        let rest = self.buffer.split_off(len.min(self.buffer.len()));
        std::mem::replace(&mut self.buffer, rest)
    }

    fn break_off(&mut self, head_len: usize, code: u16, phrase: &'static str) -> Frame {
        self.broken = true;
        let mut head = std::mem::take(&mut self.buffer);
        head.truncate(head_len);
        Frame::Broken { head, code, phrase }
    }
}

/// A double CRLF between messages (RFC 5626 section 3.5.1).
const PING: &[u8] = b"\r\n\r\n";

/// How many octets of line ends stand before a start line, or before what is or may become a ping,
/// and are left out (RFC 3261 section 7.5). Each is judged by what follows it alone, so that it does
/// not matter how much has arrived.
fn stray_line_ends(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let [b'\r' | b'\n', after @ ..] = rest {
        if rest.starts_with(PING) || PING.starts_with(rest) {
            break;
        }
        rest = after;
    }
    bytes.len() - rest.len()
}

/// The messages of a WebSocket, one in each frame (RFC 7118 section 5).
#[derive(Debug, Default)]
pub struct MessageQueue {
    waiting: VecDeque<Vec<u8>>,
}

impl MessageQueue {
    /// Takes one frame; call [`Self::next_frame`] until it gives nothing.
    pub fn push(&mut self, frame: &[u8]) {
        self.waiting.push_back(frame.to_vec());
    }

    /// The next whole thing, if it is there. A message that is too large breaks nothing: the next
    /// one begins with its own frame.
    pub fn next_frame(&mut self) -> Option<Frame> {
        loop {
            let mut frame = self.waiting.pop_front()?;
            if frame == b"\r\n\r\n" {
                return Some(Frame::Ping);
            }
            match datagram(&frame) {
                Datagram::KeepAlive => {}
                Datagram::Message if frame.len() > MAX_MESSAGE => {
                    frame.truncate(MAX_MESSAGE);
                    return Some(Frame::Broken {
                        head: frame,
                        code: 513,
                        phrase: "Message Too Large",
                    });
                }
                Datagram::Message => return Some(Frame::Message(frame)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(framer: &mut StreamFramer) -> Vec<Frame> {
        std::iter::from_fn(|| framer.next_frame()).collect()
    }

    #[test]
    fn messages_split_at_every_octet_are_framed_alike() {
        let stream: &[u8] = b"\r\n\r\nOPTIONS a SIP/2.0\r\nContent-Length : 5\r\n\r\nhello\r\n\
            BYE b SIP/2.0\r\nL:\r\n 0\r\n\r\nINFO c SIP/2.0\nl: 2\n\nxy";
        let mut whole = StreamFramer::default();
        whole.push(stream);
        let expected = frames(&mut whole);
        assert_eq!(expected.len(), 4);
        assert_eq!(expected[0], Frame::Ping);
        assert!(matches!(&expected[1], Frame::Message(m) if m.ends_with(b"hello")));
        assert!(!whole.partial());
        for at in 0..stream.len() {
            let mut framer = StreamFramer::default();
            framer.push(&stream[..at]);
            let mut got = frames(&mut framer);
            framer.push(&stream[at..]);
            got.extend(frames(&mut framer));
            assert_eq!(got, expected, "split at {at}");
        }
        let mut framer = StreamFramer::default();
        let mut got = Vec::new();
        for byte in stream {
            framer.push(&[*byte]);
            got.extend(frames(&mut framer));
        }
        assert_eq!(got, expected);
    }

    /// A line feed alone before a ping was left out together with the ping, but only where both
    /// arrived at once.
    #[test]
    fn stray_line_ends_hide_no_ping_however_they_are_split() {
        for stream in [
            &b"\n\r\n\r\nBYE a SIP/2.0\r\nl: 0\r\n\r\n"[..],
            b"\r\r\n\r\n\r\n\r\n\r\n\r\nBYE a SIP/2.0\r\nl: 0\r\n\r\n",
            b"\r\n\n\r\n\r\n\r\nBYE a SIP/2.0\r\nl: 0\r\n\r\n\n\r\n\r\n",
        ] {
            let mut whole = StreamFramer::default();
            whole.push(stream);
            let expected = frames(&mut whole);
            assert!(expected.contains(&Frame::Ping));
            let mut framer = StreamFramer::default();
            let mut got = Vec::new();
            for byte in stream {
                framer.push(&[*byte]);
                got.extend(frames(&mut framer));
            }
            assert_eq!(got, expected, "{stream:?}");
        }
    }

    #[test]
    fn a_length_that_cannot_be_known_breaks_the_stream() {
        for (length, code) in [
            ("", 400),
            ("l: -1\r\n", 400),
            ("l: 5, 5\r\n", 400),
            ("l: 1\r\nContent-Length: 2\r\n", 400),
            ("l: 340282366920938463463374607431768211456\r\n", 400),
            ("l: 18446744073709551615\r\n", 513),
            ("l: 65536\r\n", 513),
        ] {
            let mut framer = StreamFramer::default();
            framer.push(format!("OPTIONS a SIP/2.0\r\n{length}\r\nbody").as_bytes());
            match framer.next_frame() {
                Some(Frame::Broken { code: got, .. }) => assert_eq!(got, code, "{length}"),
                other => panic!("{length}: {other:?}"),
            }
            framer.push(b"more");
            assert_eq!(framer.next_frame(), None);
            assert!(!framer.partial());
        }
    }

    #[test]
    fn an_endless_head_is_cut_off() {
        let mut framer = StreamFramer::default();
        let mut pushed = 0;
        let broken = loop {
            framer.push(&[b'x'; 1000]);
            pushed += 1000;
            if let Some(frame) = framer.next_frame() {
                break frame;
            }
            assert!(pushed < 2 * MAX_MESSAGE);
        };
        assert!(matches!(broken, Frame::Broken { code: 513, .. }));
    }

    #[test]
    fn a_websocket_frame_is_a_message_whatever_its_content_length() {
        let mut queue = MessageQueue::default();
        let text: &[u8] = b"OPTIONS a SIP/2.0\r\n\r\n";
        queue.push(b"\r\n");
        queue.push(b"\r\n\r\n");
        queue.push(&vec![b'x'; MAX_MESSAGE + 1]);
        queue.push(text);
        assert_eq!(queue.next_frame(), Some(Frame::Ping));
        let broken = queue.next_frame();
        assert!(matches!(broken, Some(Frame::Broken { code: 513, .. })));
        assert_eq!(queue.next_frame(), Some(Frame::Message(text.to_vec())));
        assert_eq!(queue.next_frame(), None);
    }

    #[test]
    fn keep_alives_are_no_messages() {
        assert_eq!(datagram(b"\r\n\r\n"), Datagram::KeepAlive);
        assert_eq!(datagram(b""), Datagram::KeepAlive);
        assert_eq!(datagram(b"\0"), Datagram::KeepAlive);
        assert_eq!(datagram(b"\r\nOPTIONS"), Datagram::Message);
    }
}
