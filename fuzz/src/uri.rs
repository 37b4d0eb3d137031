//! A URI.

use ringdesk::base::uri::{Uri, percent_decode};

/// A URI that can be read is written back so that it reads the same, and is equivalent to itself.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    drop(percent_decode(text));
    let Ok(uri) = Uri::parse(text) else {
        return;
    };
    let written = uri.to_string();
    assert_eq!(Uri::parse(&written).as_ref(), Ok(&uri), "{written:?}");
    assert!(!written.contains(['\r', '\n']), "{written:?}");
    drop(uri.user_decoded());
    if let Some(sip) = uri.as_sip() {
        assert!(sip.equivalent(sip), "{written:?}");
    }
}
