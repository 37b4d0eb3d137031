//! From, To, Contact, Route and their like.

use ringdesk::sip::parse::{self, ContactField};

/// An address that can be read is written back so that it reads the same.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    // The reader of a message has cut it at its line ends.
    if text.contains(['\r', '\n']) {
        return;
    }
    if let Ok(field) = parse::address(text) {
        let written = field.to_string();
        assert_eq!(parse::address(&written).as_ref(), Ok(&field), "{written:?}");
        assert_eq!(field.tag(), field.param("TAG"));
        drop(field.name_addr());
    }
    if let Ok(ContactField::Address(field)) = parse::contact(text) {
        let written = field.to_string();
        let again = parse::contact(&written);
        assert_eq!(again, Ok(ContactField::Address(field)), "{written:?}");
    }
}
