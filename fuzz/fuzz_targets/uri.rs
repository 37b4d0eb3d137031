//! A URI that can be read is written back so that it reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringdesk::base::uri::Uri;

fuzz_target!(|text: &str| {
    if let Ok(uri) = Uri::parse(text) {
        let written = uri.to_string();
        assert_eq!(Uri::parse(&written).as_ref(), Ok(&uri), "{written}");
    }
});
