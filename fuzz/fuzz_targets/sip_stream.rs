//! However a stream is split, it holds the same messages.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringdesk::sip::wire::{Frame, StreamFramer};

fn frames(bytes: &[u8], piece: usize) -> Vec<String> {
    let mut framer = StreamFramer::default();
    let mut frames = Vec::new();
    for piece in bytes.chunks(piece.max(1)) {
        framer.push(piece);
        while let Some(frame) = framer.next_frame() {
            frames.push(match frame {
                // How much of a broken head was there depends on the pieces.
                Frame::Broken { code, .. } => format!("broken {code}"),
                whole => format!("{whole:?}"),
            });
        }
    }
    frames
}

fuzz_target!(|input: (u8, &[u8])| {
    let (piece, bytes) = input;
    assert_eq!(frames(bytes, usize::from(piece)), frames(bytes, bytes.len()));
});
