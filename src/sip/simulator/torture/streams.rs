//! The requests over a stream, where the length says where each one ends.

use std::time::Duration;

use super::cases::Reaction::{Answer, Silence};
use super::cases::{LONG_REQUEST, fill, long_request, requests};
use crate::base::flow::{ConnectionId, Output};
use crate::sip::simulator::bench::{Bench, US, request};

/// Gives a message that says no length, which over a stream it must, the length that it has.
fn with_length(text: &str) -> String {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let has_length = head.lines().any(|line| {
        let name = line.split(':').next().unwrap_or_default().trim();
        name.eq_ignore_ascii_case("Content-Length") || name.eq_ignore_ascii_case("l")
    });
    if has_length {
        return text.to_owned();
    }
    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// A case as it goes over a stream, and the bench with that stream.
fn streamed(case: &str, text: &str) -> (Bench, ConnectionId, String) {
    let text = if text == LONG_REQUEST {
        long_request()
    } else {
        text.to_owned()
    };
    let text = String::from_utf8(fill(case, &text)).unwrap();
    let mut bench = Bench::new();
    let connection = bench.accept_stream();
    (
        bench,
        connection,
        with_length(&text.replace("/UDP", "/TCP")),
    )
}

#[test]
fn over_a_stream_requests_get_the_same_reaction_and_the_stream_goes_on() {
    for (case, text, reaction) in requests() {
        if ["clerr", "ncl", "mcl01", "dblreq"].contains(&case) {
            continue;
        }
        let (mut bench, connection, text) = streamed(case, text);
        let (written, closed) = bench.stream(connection, &text);
        assert!(!closed, "{case}: one bad message never ends a stream");
        let code: Option<u16> = written.split(' ').nth(1).and_then(|code| code.parse().ok());
        match reaction {
            Answer(expected) => {
                let code = code.unwrap_or_else(|| panic!("{case}: no answer"));
                assert!(expected.contains(&code), "{case}: {written}");
            }
            Silence => assert_eq!(written, "", "{case}"),
        }
        let next = request("OPTIONS", US, "n", "<sip:us@h>", 1, "");
        let (written, _) = bench.stream(connection, &next.replace("/UDP", "/TCP"));
        assert!(
            written.starts_with("SIP/2.0 200 "),
            "after {case}: {written}"
        );
    }
}

/// What cannot be framed ends a stream, what is not there yet is waited for.
#[test]
fn over_a_stream_unframed_cases_close_and_two_requests_are_two() {
    let text_of = |case: &str| {
        requests()
            .into_iter()
            .find(|(c, _, _)| *c == case)
            .unwrap()
            .1
    };
    for case in ["ncl", "mcl01"] {
        let (mut bench, connection, text) = streamed(case, text_of(case));
        let (written, closed) = bench.stream(connection, &text);
        assert!(written.starts_with("SIP/2.0 400") && closed, "{case}");
    }
    let (mut bench, connection, text) = streamed("clerr", text_of("clerr"));
    assert_eq!(bench.stream(connection, &text), (String::new(), false));
    bench.now += Duration::from_secs(33);
    bench.endpoint.handle_timeout(bench.now);
    assert_eq!(
        bench.drain(),
        [Output::Close { connection }],
        "it waits and times out"
    );

    let (mut bench, connection, text) = streamed("dblreq", text_of("dblreq"));
    let (first, _) = text.split_once("INVITE").unwrap();
    let second = first
        .replace("z9hG4bK-", "z9hG4bK-second")
        .replace("CSeq: 8", "CSeq: 9");
    let (written, closed) = bench.stream(connection, &format!("{first}{second}"));
    assert_eq!(written.matches("SIP/2.0 200").count(), 2, "{written}");
    assert!(!closed);
}
