//! A message that can be read is written so that it reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringdesk::sip::parse;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = parse::message(bytes) {
        let written = message.to_bytes();
        let again = parse::message(&written).expect("what we write can be read");
        assert_eq!(again.to_bytes(), written);
    }
});
