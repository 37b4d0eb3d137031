//! The requests, each in a datagram.

use std::time::Duration;

use super::cases::Reaction::{Answer, Silence};
use super::cases::{LONG_REQUEST, fill, long_request, requests};
use crate::base::flow::Output;
use crate::sip::parse::{self, Unreadable};
use crate::sip::simulator::bench::{Bench, OURS, peer};
use crate::sip::{Census, SipEvent};

#[test]
fn requests_get_the_reaction_of_the_table() {
    let mut seen = 0;
    for (case, text, reaction) in requests() {
        let mut bench = Bench::new();
        let text = if text == LONG_REQUEST {
            long_request()
        } else {
            text.to_owned()
        };
        let bytes = fill(case, &text);
        bench
            .endpoint
            .handle_datagram(bench.now, peer(), OURS, &bytes);
        let answers: Vec<Vec<u8>> = bench
            .drain()
            .into_iter()
            .map(|output| match output {
                Output::Datagram { bytes, .. } => bytes,
                other => panic!("{case}: {other:?}"),
            })
            .collect();
        // Not read back by our reader: a refusal carries the peer's own faults.
        let first = answers
            .first()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let code: Option<u16> = first
            .as_deref()
            .and_then(|text| text.split(' ').nth(1)?.parse().ok());
        match reaction {
            Answer(expected) => {
                let code = code.unwrap_or_else(|| panic!("{case}: no answer"));
                assert!(expected.contains(&code), "{case}: {first:?}");
            }
            Silence => assert_eq!(first, None, "{case}"),
        }
        if code == Some(420) {
            let shown = first.unwrap();
            assert!(shown.contains("Unsupported: nothingSupportsThis, nothingSupportsThisEither"));
            assert!(!shown.contains("noProxies"));
        }
        if case == "mpart01" {
            let whole = bench.events.iter().any(
                |event| matches!(event, SipEvent::Message { body, .. } if body.bytes.contains(&0)),
            );
            assert!(whole, "the body is untouched");
        }
        seen += 1;
    }
    assert_eq!(seen, requests().len());
}

#[test]
fn escapes_are_compared_decoded_and_written_back_unchanged() {
    let mut bench = Bench::new();
    let (_, text, _) = requests()
        .into_iter()
        .find(|(c, _, _)| *c == "esc01")
        .unwrap();
    bench.datagram_bytes(&fill("esc01", text));
    let call = bench.incoming().unwrap();
    assert_eq!(
        call.request_uri.user_decoded().as_deref(),
        Some("sip:us@home.example")
    );
    assert_eq!(call.to.uri.user_decoded().as_deref(), Some("us"));
    let session = call.session;
    bench.answer();
    bench.wait(Duration::from_secs(40));
    assert!(
        bench.traces.iter().any(|text| text
            .starts_with("BYE sip:cal%6Cer@10.0.0.200:5070;%6C%72;n%61me=v%61lue%25%34%31 ")),
        "the Contact is the target as it was written"
    );
    assert!(bench.endpoint.hang_up(bench.now, session).is_err());
}

#[test]
fn nothing_of_the_torture_stays() {
    let mut bench = Bench::new();
    for (case, text, _) in requests() {
        if text != LONG_REQUEST {
            bench.datagram_bytes(&fill(case, text));
        }
    }
    bench.wait(Duration::from_secs(300));
    assert_eq!(bench.endpoint.census(), Census::default());
    assert!(matches!(
        parse::message(b"\r\n"),
        Err(Unreadable::Discard(_))
    ));
}
