//! A text with phone numbers.

use ringdesk::base::phone_number::PhoneNumber;
use ringdesk::crm::mining::numbers::{FOUND_LIMIT, find};

/// Each number stands where it is said to, and is the number that the plans read there.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    for region in ["DE", "US"] {
        let found = find(text, region);
        assert!(found.len() <= FOUND_LIMIT);
        for number in found {
            assert_eq!(text.get(number.place), Some(number.raw.as_str()));
            let read = PhoneNumber::parse(&number.raw, region);
            assert_eq!(read.e164, Some(number.e164), "{:?}", number.raw);
        }
    }
}
