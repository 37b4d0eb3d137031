//! Via.

use ringdesk::sip::parse;

/// A hop that can be read is written back so that it reads the same, also with what was seen.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if text.contains(['\r', '\n']) {
        return;
    }
    let Ok(mut via) = parse::via(text) else {
        return;
    };
    let written = via.to_string();
    assert_eq!(parse::via(&written).as_ref(), Ok(&via), "{written:?}");
    let _seen = (via.received(), via.rport(), via.wants_rport());
    via.set("received", "2001:db8::1".to_owned());
    via.set("rport", "5062".to_owned());
    let written = via.to_string();
    let again = parse::via(&written).expect("what we add can be read");
    assert_eq!(again, via);
    assert_eq!(again.rport(), Some(5062));
}
