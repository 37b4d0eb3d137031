//! Whatever an offer says, answering it never fails otherwise than by a word, and our answer can be
//! read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringdesk::sdp::{Codec, Direction, LocalMedia, SessionDescription, accept, answer};

fuzz_target!(|bytes: &[u8]| {
    let Ok(description) = SessionDescription::parse(bytes) else {
        return;
    };
    let local = LocalMedia {
        session_id: 1,
        version: 1,
        address: [127, 0, 0, 1].into(),
        rtp_port: 4000,
        codecs: vec![Codec::Opus, Codec::Pcmu, Codec::Pcma],
        ptime_millis: 20,
        direction: Direction::SendRecv,
    };
    drop(accept(&local, &description));
    if let Ok((ours, _)) = answer(&local, &description) {
        SessionDescription::parse(ours.to_string().as_bytes()).expect("our answer can be read");
    }
});
