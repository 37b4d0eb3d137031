//! A mailbox or a mail.

use ringdesk::crm::mining::mail;
use ringdesk::crm::mining::mbox::Messages;
use ringdesk::crm::mining::numbers::FOUND_LIMIT;

/// Each message is read or refused; what is read is bounded, and of one line where a line is shown.
pub(crate) fn check(bytes: &[u8]) {
    let mut length = 0;
    for message in Messages::new(bytes) {
        let message = message.expect("memory can be read");
        length += message.len();
        let Ok(mail) = mail::read(&message, "DE") else {
            continue;
        };
        assert!(mail.numbers.len() <= FOUND_LIMIT, "{mail:?}");
        assert!(mail.email.contains('@'), "{mail:?}");
        for shown in [&mail.subject, &mail.message, &mail.email] {
            assert!(!shown.contains(['\r', '\n']), "{shown:?}");
        }
    }
    assert!(length <= bytes.len());
}
