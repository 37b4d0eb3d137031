#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ringdesk_fuzz::check("people", bytes));
