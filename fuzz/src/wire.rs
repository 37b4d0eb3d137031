//! A stream of messages.

use ringdesk::sip::parse;
use ringdesk::sip::wire::{Frame, MAX_MESSAGE, StreamFramer};

/// However a stream is split, it holds the same messages, and each is as long as it says.
pub(crate) fn check(bytes: &[u8]) {
    let whole = frames(bytes, [bytes.len()]);
    assert_eq!(frames(bytes, [1]), whole, "octet by octet");
    // Pieces whose lengths come from the bytes themselves.
    let lengths = bytes.iter().take(8).map(|byte| usize::from(*byte) % 61);
    let lengths: Vec<usize> = lengths.collect();
    assert_eq!(frames(bytes, lengths), whole, "in pieces");
    for frame in whole {
        let Frame::Message(message) = frame else {
            continue;
        };
        assert!(message.len() <= MAX_MESSAGE);
        if let Ok(read) = parse::message_in_transit(&message) {
            assert!(message.ends_with(&read.body), "the body ends the frame");
            let body = message.len() - read.body.len();
            let head = message.get(..body).unwrap_or_default();
            assert!(
                head.ends_with(b"\n\n") || head.ends_with(b"\n\r\n"),
                "the frame ends with the body"
            );
        }
    }
}

fn frames(bytes: &[u8], lengths: impl IntoIterator<Item = usize, IntoIter: Clone>) -> Vec<Frame> {
    let mut framer = StreamFramer::default();
    let mut frames = Vec::new();
    let mut rest = bytes;
    for length in lengths.into_iter().cycle().chain([1]) {
        let (piece, after) = rest.split_at(length.clamp(1, rest.len().max(1)).min(rest.len()));
        framer.push(piece);
        while let Some(frame) = framer.next_frame() {
            frames.push(match frame {
                // How much of a broken head was there depends on the pieces.
                Frame::Broken { code, phrase, .. } => Frame::Broken {
                    head: Vec::new(),
                    code,
                    phrase,
                },
                whole => whole,
            });
        }
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    frames
}
