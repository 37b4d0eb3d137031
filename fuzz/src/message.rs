//! One message, as a datagram brings it.

use ringdesk::base::redact;
use ringdesk::sip::message::Message;
use ringdesk::sip::parse::{self, Unreadable};

/// A message that can be read is written so that it reads the same; what cannot be read is refused
/// by a message that does not carry more than the refused one did.
pub(crate) fn check(bytes: &[u8]) {
    drop(redact::sip_message(bytes));
    match parse::message_in_transit(bytes) {
        Ok(message) => {
            reads_back(&message);
            look_into(&message);
            if message.method().is_some() {
                let answer = Message::response(&message, 200, "OK", Some("tag"));
                let written = answer.to_bytes();
                let read = parse::message_in_transit(&written);
                assert!(read.is_ok(), "{read:?}: {}", shown(&written));
            }
        }
        Err(Unreadable::Answer {
            code,
            phrase,
            request,
        }) => {
            assert!((400..700).contains(&code));
            let answer = Message::response(&request, code, phrase, Some("tag"));
            let written = answer.to_bytes();
            let fields = answer.headers.len() + 1;
            let text = shown(&written);
            let (head, _) = text.split_once("\r\n\r\n").expect("a refusal has a head");
            assert_eq!(head.split("\r\n").count(), fields + 1, "{head}");
            assert!(!head.replace("\r\n", "").contains(['\r', '\n']), "{head}");
        }
        Err(Unreadable::Discard(_)) => {}
    }
}

fn reads_back(message: &Message) {
    let written = message.to_bytes();
    let again = parse::message_in_transit(&written)
        .unwrap_or_else(|error| panic!("{error:?}: {}", shown(&written)));
    assert_eq!(again.start, message.start, "{}", shown(&written));
    assert_eq!(again.body, message.body, "{}", shown(&written));
    assert_eq!(fields(&again), fields(message), "{}", shown(&written));
    assert_eq!(again.to_bytes(), written);
}

/// The header fields in order; names are the same in whatever case.
fn fields(message: &Message) -> Vec<(String, String)> {
    let fields = message.headers.iter();
    fields
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect()
}

/// Asks all that the user agent asks of a message.
fn look_into(message: &Message) {
    drop((message.top_via(), message.branch(), message.cseq()));
    drop((message.from(), message.from_tag()));
    drop((message.to(), message.to_tag()));
    drop((message.contact(), message.contacts()));
    for name in ["Route", "Record-Route", "P-Asserted-Identity", "Diversion"] {
        for address in message.addresses(name) {
            drop(address.name_addr());
        }
    }
    for name in ["Require", "Supported", "Accept", "Allow"] {
        drop(message.tokens(name));
    }
    let _seconds = (message.seconds("Expires"), message.seconds("Min-Expires"));
    drop((message.session_description(), message.content()));
    for name in ["WWW-Authenticate", "Authorization"] {
        for value in message.headers.values(name) {
            drop(parse::challenges(value));
        }
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
