//! Sound before the answer, as far as SIP says whether it may be heard (RFC 5009).

use super::bench::Caller;
use crate::sip::{EarlyMedia, SipEvent};

#[test]
fn what_the_network_says_of_sound_before_the_answer_is_passed_on() {
    for (said, told) in [
        ("sendrecv", EarlyMedia::Allowed),
        ("SendOnly, gated", EarlyMedia::Allowed),
        ("inactive", EarlyMedia::Withheld),
        ("recvonly", EarlyMedia::Withheld),
        ("supported", EarlyMedia::Unsaid),
        ("", EarlyMedia::Unsaid),
    ] {
        let mut caller = Caller::new();
        let mut sounds = caller.answer(183, "gateway", None, "v=early");
        if !said.is_empty() {
            sounds.headers.push("P-Early-Media", said);
        }
        caller.take(&sounds);
        let progress = caller.bench.events.iter().find_map(|event| match event {
            SipEvent::Progress {
                status,
                early_media,
                ..
            } if status.code == 183 => Some(*early_media),
            _ => None,
        });
        assert_eq!(progress, Some(told), "{said}");
    }
}
