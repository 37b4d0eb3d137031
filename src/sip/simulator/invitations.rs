//! How long an invitation lasts, and what a far end says twice while it rings.

use std::time::Duration;

use super::bench::{Bench, invite};
use crate::sip::EndedBy;
use crate::sip::message::{Message, Method};

/// RFC 3261 section 13.3.1.
#[test]
fn a_call_whose_invitation_expires_gets_487() {
    for (expires, after, code) in [("10", 10, 487), ("999", 120, 480), ("0", 120, 480)] {
        let mut bench = Bench::new();
        let fields = format!("Expires: {expires}\r\nCSeq:");
        bench.datagram(&invite("i").replacen("CSeq:", &fields, 1));
        bench
            .endpoint
            .ring(bench.now, bench.session(), None)
            .unwrap();
        bench.sent();
        bench.wait(Duration::from_millis(after * 1000 - 100));
        assert_eq!(bench.ended(), None, "{expires}");
        let sent = bench.wait(Duration::from_millis(200));
        assert_eq!(bench.ended(), Some((EndedBy::RingLimit, code)));
        assert!(sent.iter().any(|it| it.code() == Some(code)), "{sent:?}");
    }
}

#[test]
fn an_answered_call_does_not_end_with_its_invitation() {
    let mut bench = Bench::new();
    bench.datagram(&invite("i").replacen("CSeq:", "Expires: 5\r\nCSeq:", 1));
    bench.answer();
    bench.wait(Duration::from_secs(10));
    assert_eq!(bench.ended(), None);
}

/// A proxy on the way names itself in the 183 alone; PRACK must still go by it.
#[test]
fn a_further_provisional_answer_without_record_route_keeps_the_way() {
    let mut bench = Bench::new();
    bench.call(None, "sip:bob@10.0.0.200:5070");
    let invite = bench.sent().remove(0);
    let mut said = |code: u16, rseq: &str, route: Option<&str>| {
        let mut answer = Message::response(&invite, code, "Said", Some("b"));
        answer.headers.push("Contact", "<sip:bob@10.0.0.200:5070>");
        answer.headers.push("Require", "100rel");
        answer.headers.push("RSeq", rseq);
        if let Some(route) = route {
            answer.headers.push("Record-Route", route);
        }
        let sent = bench.datagram_bytes(&answer.to_bytes());
        let prack = sent
            .into_iter()
            .find(|it| it.method() == Some(&Method::Prack));
        let prack = prack.unwrap();
        let ok = Message::response(&prack, 200, "OK", None);
        bench.datagram_bytes(&ok.to_bytes());
        prack.header("Route").map(str::to_owned)
    };
    let proxy = Some("<sip:10.0.0.200:5070;lr>");
    assert_eq!(said(183, "1", proxy).as_deref(), proxy);
    assert_eq!(said(180, "2", None).as_deref(), proxy);
    let other = Some("<sip:10.0.0.200:5070;lr;other>");
    assert_eq!(said(180, "3", other).as_deref(), other);
}
