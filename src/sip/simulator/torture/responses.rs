//! The responses, to a call of ours, over UDP and over a stream.

use super::cases::responses;
use crate::base::flow::{ConnectionId, Output, Transport};
use crate::sip::simulator::bench::{Bench, OURS};
use crate::sip::{SipEvent, parse};

/// A call of ours that waits for its answer, and the start of a response to it.
fn calling(transport: Transport) -> (Bench, Option<ConnectionId>, String) {
    let mut bench = Bench::new();
    let by = transport.to_string().to_ascii_lowercase();
    bench.call(None, &format!("sip:peer@10.0.0.200;transport={by}"));
    let (mut stream, mut invite) = (None, None);
    for output in bench.drain() {
        match output {
            Output::Connect { connection, .. } => {
                let local = (OURS, 40_000).into();
                bench
                    .endpoint
                    .handle_connected(bench.now, connection, local);
                stream = Some(connection);
            }
            Output::Datagram { bytes, .. } | Output::Stream { bytes, .. } => {
                invite = parse::message(&bytes).ok();
            }
            Output::Close { .. } | Output::Resolve { .. } => {}
        }
    }
    let invite = invite.unwrap();
    let fields: String = ["Via", "From", "Call-ID", "CSeq"]
        .iter()
        .map(|name| format!("{name}: {}\r\n", invite.header(name).unwrap()))
        .collect();
    (
        bench,
        stream,
        format!("{fields}To: <sip:peer@10.0.0.200>;tag=t\r\n"),
    )
}

#[test]
fn wrong_responses_are_discarded_and_odd_ones_taken() {
    for transport in [Transport::Udp, Transport::Tcp] {
        for (case, line, more, taken) in responses() {
            let (mut bench, stream, fields) = calling(transport);
            let fields = if more.starts_with("CSeq") {
                fields.replace("CSeq: 1 INVITE\r\n", more)
            } else {
                format!("{fields}{more}")
            };
            let text = format!("{line}\r\n{fields}Content-Length: 0\r\n\r\n");
            match stream {
                Some(connection) => {
                    let (_, closed) = bench.stream(connection, &text);
                    assert!(!closed, "{case}: one bad message never ends a stream");
                }
                None => drop(bench.datagram(&text)),
            }
            let discarded = bench.endpoint.discarded();
            assert_eq!(discarded, u64::from(!taken), "{case}: {line}");
            let answered = bench
                .events
                .iter()
                .any(|event| matches!(event, SipEvent::Answered { .. }));
            assert_eq!(answered, taken && line.contains("200"), "{case}: {line}");
            if case == "unreason" {
                let read = parse::message(text.as_bytes()).unwrap();
                assert!(read.phrase().unwrap().ends_with("\u{441}\u{442}\u{43e}"));
            }
        }
    }
}
