//! Reliable provisional answers (RFC 3262) in both roles, and offers before the answer (RFC 3311).

mod callee;
mod caller;
mod early_offers;

use super::bench::{Bench, TO_US, US, request};
use crate::sip::message::Message;
use crate::sip::{Body, SessionId};

const SUPPORTED: &str = "Supported: 100rel\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n";

fn sdp(text: &str) -> Body {
    Body::sdp(text)
}

/// A call to us with these header fields, and our provisional answer.
fn rung(more: &str, body: Option<Body>) -> (Bench, SessionId, Message) {
    let mut bench = Bench::new();
    bench.datagram(&request("INVITE", US, "1", TO_US, 1, more));
    let session = bench.session();
    bench.endpoint.ring(bench.now, session, body).unwrap();
    let ringing = bench.sent().remove(0);
    (bench, session, ringing)
}

fn prack(answer: &Message, branch: &str, cseq: u32, more: &str) -> String {
    let rseq = answer.header("RSeq").unwrap();
    let to = answer.header("To").unwrap();
    let more = if more.is_empty() {
        format!("RAck: {rseq} 1 INVITE")
    } else {
        format!("RAck: {rseq} 1 INVITE\r\n{more}")
    };
    request("PRACK", US, branch, to, cseq, &more)
}

fn ack(answer: &Message, more: &str) -> String {
    request("ACK", US, "ack", answer.header("To").unwrap(), 1, more)
}
