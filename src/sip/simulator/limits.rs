//! Every named limit of the endpoint holds, and what lies beyond it is refused and counted.

use std::net::SocketAddr;
use std::time::Duration;

use super::bench::{Bench, TO_US, US, codes, invite, request};
use crate::base::flow::{ConnectionId, Input, NotAccepted, Output, Transport};
use crate::base::id::AccountId;
use crate::base::uri::Uri;
use crate::sip::message::{Message, Method};
use crate::sip::refusals::{Refused, Why};
use crate::sip::{AccountSetup, Body, Census, OutgoingCall, SipError};

/// Lets a source open a stream; whether it stays open.
fn open(bench: &mut Bench, number: u64, source: [u8; 4]) -> bool {
    let connection = ConnectionId(number * 2);
    let port = 1024 + u16::try_from(number).unwrap();
    let remote = SocketAddr::from((source, port));
    let local = "10.0.0.1:5060".parse().unwrap();
    bench
        .endpoint
        .handle_accepted(bench.now, connection, Transport::Tcp, remote, local);
    !bench.drain().iter().any(
        |output| matches!(output, Output::Close { connection: closed } if *closed == connection),
    )
}

/// An OPTIONS of a dialog of its own.
fn options(number: &str) -> String {
    request("OPTIONS", US, number, TO_US, 1, "").replace("call-1", &format!("call-{number}"))
}

/// How often the reason was counted since it was last asked for.
fn counted(bench: &mut Bench, why: Why) -> u64 {
    let refused = bench.endpoint.take_refusals();
    let fits = refused.iter().filter(|refused| refused.why == why);
    fits.map(|refused| refused.count).sum()
}

#[test]
fn one_source_cannot_take_all_streams() {
    let mut bench = Bench::new();
    let greedy = (0..100)
        .filter(|n| open(&mut bench, *n, [10, 0, 0, 66]))
        .count();
    assert_eq!(greedy, 64);
    assert_eq!(counted(&mut bench, Why::TooManyStreams), 36);
    assert!(
        open(&mut bench, 100, [10, 0, 0, 67]),
        "another source is heard"
    );
    // A place that is free again is given again.
    bench
        .endpoint
        .handle_connection_closed(bench.now, ConnectionId(0), None);
    assert!(open(&mut bench, 101, [10, 0, 0, 66]));
    assert!(!open(&mut bench, 102, [10, 0, 0, 66]));
}

#[test]
fn all_sources_together_leave_room_for_our_own_streams() {
    let mut bench = Bench::new();
    let many = (0..=255)
        .filter(|n| open(&mut bench, *n, [10, 0, 1, n.to_le_bytes()[0]]))
        .count();
    assert_eq!(many, 192);
    bench.call(None, "sip:peer@10.0.0.200;transport=tcp");
    let opened = bench.drain();
    assert!(
        opened
            .iter()
            .any(|output| matches!(output, Output::Connect { .. })),
        "{opened:?}"
    );
}

/// A call for help was cancelled by the ring limit, and refused by a phone at its limit.
#[test]
fn a_call_for_help_knows_neither_the_limit_of_calls_nor_that_of_ringing() {
    let mut bench = Bench::with_sessions(1);
    let target = Uri::parse("sip:112@10.0.0.200").unwrap();
    let ordinary = OutgoingCall {
        account: None,
        target: &target,
        headers: &[],
        urgent: false,
    };
    let now = bench.now;
    bench.endpoint.place(now, &ordinary).unwrap();
    bench.drain();
    let second = bench.endpoint.place(now, &ordinary);
    assert!(matches!(second, Err(SipError::Limit(_))), "{second:?}");
    let urgent = true;
    let help = OutgoingCall { urgent, ..ordinary };
    let call = bench.endpoint.place(now, &help).unwrap();
    bench.drain();
    bench.endpoint.offer(now, call, Body::sdp("v=0")).unwrap();
    let invite = bench.sent().remove(0);
    let ringing = Message::response(&invite, 183, "Please wait", Some("queue"));
    bench.datagram_bytes(&ringing.to_bytes());
    // The ring limit of the bench is two minutes.
    let sent = bench.wait(Duration::from_secs(1800));
    assert!(sent.is_empty(), "{sent:?}");
    assert_eq!(bench.end(), None, "it waits in its queue");
    bench.endpoint.hang_up(bench.now, call).unwrap();
    let cancel = bench.sent().remove(0);
    assert_eq!(
        cancel.method(),
        Some(&Method::Cancel),
        "who called may give up"
    );
}

#[test]
fn a_message_of_64_kib_is_the_largest() {
    let sized = |body: usize| {
        let text = request(
            "MESSAGE",
            US,
            "m",
            TO_US,
            1,
            "Content-Type: text/plain\r\n\r\n",
        );
        text.replace("Content-Length: 0", &format!("Content-Length: {body}"))
            .replace("/UDP", "/TCP")
            + &"x".repeat(body)
    };
    let head = sized(10_000).len() - 10_000;
    for (length, code) in [(64 * 1024, "SIP/2.0 200"), (64 * 1024 + 1, "SIP/2.0 513")] {
        let mut bench = Bench::new();
        let connection = bench.accept_stream();
        let (written, closed) = bench.stream(connection, &sized(length - head));
        assert!(written.starts_with(code), "{length}: {written}");
        assert_eq!(closed, code.ends_with("513"), "{length}");
        assert_eq!(
            counted(&mut bench, Why::Malformed("Message Too Large")),
            u64::from(closed)
        );
    }
}

/// Over a WebSocket each message has a frame of its own, so none can spoil the next (RFC 7118).
#[test]
fn no_message_ends_a_websocket() {
    let mut bench = Bench::new();
    let connection = ConnectionId(2);
    let (remote, local) = ("10.0.0.200:4000", "10.0.0.1:5060");
    bench.endpoint.handle_accepted(
        bench.now,
        connection,
        Transport::Ws,
        remote.parse().unwrap(),
        local.parse().unwrap(),
    );
    let by_ws = |text: &str| text.replace("/UDP", "/WS");
    let unknown_length = by_ws(&options("1")).replace("Content-Length: 0", "Content-Length: -1");
    let large = by_ws(&options("2")) + &"x".repeat(64 * 1024);
    let nonsense = "{\"method\": \"REGISTER\"}\r\n\r\n";
    for (text, starts) in [
        (nonsense, ""),
        ("\r\n", ""),
        (&unknown_length, "SIP/2.0 400"),
        (&large, "SIP/2.0 513"),
    ] {
        let (written, closed) = bench.stream(connection, text);
        assert!(written.starts_with(starts), "{written}");
        assert_eq!(written.is_empty(), starts.is_empty(), "{written}");
        assert!(!closed, "{written}");
    }
    let refused = bench.endpoint.take_refusals();
    let malformed = |refused: &&Refused| matches!(refused.why, Why::Malformed(_));
    let malformed = refused.iter().filter(malformed);
    assert_eq!(malformed.map(|refused| refused.count).sum::<u64>(), 3);
    let (written, closed) = bench.stream(connection, &by_ws(&options("3")));
    assert!(written.starts_with("SIP/2.0 200") && !closed, "{written}");
}

#[test]
fn header_fields_beyond_256_are_refused() {
    let with = |fields: usize| {
        let more = "X-More: 1\r\n".repeat(fields);
        options(&fields.to_string()).replace("Content-Length", &format!("{more}Content-Length"))
    };
    let mut bench = Bench::new();
    let own = 7;
    assert_eq!(bench.codes(&with(256 - own - 1)), [200]);
    assert_eq!(bench.codes(&with(256 - own + 1)), [400]);
    assert_eq!(bench.codes(&with(5_000)), [400]);
    assert_eq!(
        counted(&mut bench, Why::Malformed("number of header fields")),
        2
    );
}

/// The codes that answer a datagram from another place.
fn codes_to(bench: &mut Bench, from: [u8; 4], text: &str) -> Vec<u16> {
    let from = SocketAddr::from((from, 5060));
    let local = [10, 0, 0, 1].into();
    bench
        .endpoint
        .handle_datagram(bench.now, from, local, text.as_bytes());
    codes(&bench.sent())
}

/// Lets a source send requests until one is refused; how many were taken.
fn greedy(bench: &mut Bench, from: [u8; 4], uri: &str) -> usize {
    let [.., last] = from;
    (0..100_000)
        .position(|number| {
            let text = options(&format!("{last}-{number}")).replace(US, uri);
            codes_to(bench, from, &text) == [503]
        })
        .expect("there is a limit")
}

#[test]
fn transactions_beyond_the_limit_are_told_when_to_come_back() {
    let mut bench = Bench::new();
    let source = [10, 0, 0, 200];
    let taken = greedy(&mut bench, source, US);
    let held = bench.endpoint.census().transactions;
    assert_eq!(held, taken);
    let refused = bench.datagram(&options("again")).remove(0);
    assert!(refused.header("Retry-After").is_some());
    assert_eq!(counted(&mut bench, Why::TooBusy), 2);
    for number in 0..100 {
        assert_eq!(bench.codes(&options(&format!("x{number}"))), [503]);
    }
    assert_eq!(bench.endpoint.census().transactions, held);
    // Timer J ends them.
    bench.wait(Duration::from_secs(33));
    assert_eq!(bench.codes(&options("late")), [200]);
}

/// One source once took all of the table in 21 s, and the own PBX and our calls for help had none.
#[test]
fn one_source_cannot_take_all_transactions() {
    let mut bench = Bench::new();
    let taken = greedy(&mut bench, [10, 0, 0, 66], US);
    assert!(taken < 4096, "{taken}");
    for other in 70..80 {
        let call = invite(&format!("o{other}")).replace("call-1", &format!("call-{other}"));
        assert_eq!(codes_to(&mut bench, [10, 0, 0, other], &call), [100]);
    }
}

#[test]
fn all_strangers_together_leave_room_for_calls_for_the_own_servers_and_for_us() {
    let mut bench = Bench::for_accounts(None);
    let account = AccountSetup {
        registrar: Some(Uri::parse("sip:sim.example").unwrap()),
        ..super::scenarios::account("bob")
    };
    let id = AccountId(3);
    bench.endpoint.add_account(bench.now, id, account);
    let contact = bench.sent()[0].contact().unwrap().uri;
    let uri = format!("sip:{}@10.0.0.1", contact.user_decoded().unwrap());
    // One who calls us by our Contact, before the crowd comes.
    let caller = [10, 0, 0, 50];
    let text = invite("c").replace(US, &uri);
    assert_eq!(codes_to(&mut bench, caller, &text), [100]);
    let to = bench.answer().header("To").unwrap().to_owned();
    codes_to(&mut bench, caller, &request("ACK", &uri, "a", &to, 1, ""));
    let crowd: usize = (100..120)
        .map(|last| greedy(&mut bench, [10, 0, 0, last], &uri))
        .sum();
    assert!((2048..4096).contains(&crowd), "{crowd}");
    assert_eq!(greedy(&mut bench, [10, 0, 0, 120], &uri), 0);
    // The BYE of that call.
    let bye = request("BYE", &uri, "b", &to, 2, "");
    assert_eq!(codes_to(&mut bench, caller, &bye), [200]);
    // The own server: INVITE, CANCEL, and many more.
    let server = [10, 0, 0, 201];
    let call = invite("s").replace("call-1", "call-s");
    assert_eq!(codes_to(&mut bench, server, &call), [100]);
    let cancel = request("CANCEL", US, "s", TO_US, 1, "").replace("call-1", "call-s");
    assert_eq!(codes_to(&mut bench, server, &cancel), [200, 487]);
    for number in 0..500 {
        let text = options(&format!("s{number}"));
        assert_eq!(codes_to(&mut bench, server, &text), [200], "{number}");
    }
    // Not even the own server keeps us from calling.
    greedy(&mut bench, server, US);
    bench.call(Some(id), "sip:112@sim.example");
    assert!(bench.sent()[0].to_bytes().starts_with(b"INVITE sip:112@"));
}

/// Whether a call for help may start is for the owner to say, not for those who call us.
#[test]
fn calls_that_we_get_leave_room_for_one_that_we_make() {
    let mut bench = Bench::with_sessions(3);
    for number in 0..10 {
        let text = invite(&number.to_string()).replace("call-1", &format!("call-{number}"));
        bench.datagram(&text);
    }
    assert_eq!(bench.endpoint.census().sessions, 3);
    let help = Uri::parse("sip:112@10.0.0.200").unwrap();
    let mut start = |urgent| {
        let call = OutgoingCall {
            account: None,
            target: &help,
            headers: &[],
            urgent,
        };
        bench.endpoint.place(bench.now, &call)
    };
    assert!(matches!(start(false), Err(SipError::Limit(_))));
    assert!(start(true).is_ok());
}

#[test]
fn no_call_is_made_while_4096_requests_of_ours_wait_but_for_help() {
    let mut bench = Bench::new();
    let begins = |bench: &mut Bench, urgent| {
        let target = Uri::parse("sip:112@10.0.0.200").unwrap();
        let call = OutgoingCall {
            account: None,
            target: &target,
            headers: &[],
            urgent,
        };
        let begun = bench.endpoint.place(bench.now, &call);
        bench.drain();
        begun
    };
    for number in 0..4_096 {
        assert!(number != 4_095 || begins(&mut bench, false).is_ok());
        let setup = AccountSetup {
            registrar: Some(Uri::parse("sip:10.0.0.200").unwrap()),
            ..super::scenarios::account("bob")
        };
        let id = AccountId(number);
        bench.endpoint.add_account(bench.now, id, setup);
        bench.drain();
    }
    assert!(matches!(begins(&mut bench, false), Err(SipError::Limit(_))));
    assert!(begins(&mut bench, true).is_ok());
}

#[test]
fn calls_beyond_the_limit_are_busy_and_leave_nothing() {
    let mut bench = Bench::with_sessions(3);
    for number in 0..50 {
        let text = invite(&number.to_string()).replace("call-1", &format!("call-{number}"));
        bench.datagram(&text);
        assert!(bench.endpoint.census().sessions <= 3);
    }
    bench.wait(Duration::from_secs(400));
    assert_eq!(bench.endpoint.census(), Census::default());
}

#[test]
fn dialogs_of_one_call_beyond_32_are_not_kept() {
    let mut bench = Bench::new();
    let call = bench.call(None, "sip:peer@10.0.0.200");
    let sent = bench.sent().remove(0);
    for fork in 0..200 {
        let tag = format!("fork-{fork}");
        let mut ringing = Message::response(&sent, 180, "x", Some(&tag));
        ringing
            .headers
            .push("Contact", "<sip:peer@10.0.0.200:5070>");
        bench.datagram_bytes(&ringing.to_bytes());
        assert!(bench.endpoint.census().dialogs <= 32);
    }
    assert_eq!(bench.endpoint.census().dialogs, 32);
    bench.endpoint.hang_up(bench.now, call).unwrap();
    bench.wait(Duration::from_secs(100));
    assert_eq!(bench.endpoint.census(), Census::default());
}

#[test]
fn a_stream_whose_message_never_ends_is_closed_and_counted() {
    let mut bench = Bench::new();
    let connection = bench.accept_stream();
    bench.stream(connection, "OPTIONS sip:us@10.0.0.1 SIP/2.0\r\n");
    // An octet now and then gains nothing.
    for _ in 0..6 {
        bench.wait(Duration::from_secs(5));
        assert_eq!(bench.stream(connection, "x"), (String::new(), false));
    }
    bench
        .endpoint
        .handle_timeout(bench.now + Duration::from_secs(3));
    assert_eq!(bench.drain(), [Output::Close { connection }]);
    assert_eq!(counted(&mut bench, Why::Slow), 1);
}

/// Each attempt to take our streams must be seen, also where it never came as far as a message.
#[test]
fn streams_that_were_never_accepted_are_counted_by_source_and_reason() {
    let mut bench = Bench::new();
    for (last, why) in [
        (1, NotAccepted::TooMany),
        (1, NotAccepted::TooMany),
        (2, NotAccepted::Handshake),
        (3, NotAccepted::Slow),
    ] {
        let source = [10, 0, 3, last].into();
        let input = Input::NotAccepted { source, why };
        bench.endpoint.handle_input(bench.now, input);
    }
    let counts: Vec<_> = bench
        .endpoint
        .take_refusals()
        .into_iter()
        .map(|it| (it.source.to_string(), it.why.word(), it.count))
        .collect();
    let counted = |last, word: &str, count| (format!("10.0.3.{last}"), word.to_owned(), count);
    assert_eq!(
        counts,
        [
            counted(1, "too-many-streams", 2),
            counted(2, "no-handshake", 1),
            counted(3, "slow", 1),
        ]
    );
}

/// Octets that come by a stream.
fn says(bench: &mut Bench, number: u64, text: &str) {
    let connection = ConnectionId(number * 2);
    let now = bench.now;
    bench
        .endpoint
        .handle_stream(now, connection, text.as_bytes());
    bench.drain();
}

/// The streams that are closed for one that a source opens; none when it is refused.
fn closed_for(bench: &mut Bench, number: u64, source: [u8; 4]) -> Option<Vec<u64>> {
    let connection = ConnectionId(number * 2);
    let (remote, local) = (SocketAddr::from((source, 9)), "10.0.0.1:5060");
    let (now, local) = (bench.now, local.parse().unwrap());
    bench
        .endpoint
        .handle_accepted(now, connection, Transport::Tcp, remote, local);
    let closed = bench.drain().into_iter().filter_map(|output| match output {
        Output::Close { connection } => Some(connection.0 / 2),
        _ => None,
    });
    let closed: Vec<u64> = closed.collect();
    (!closed.contains(&number)).then_some(closed)
}

/// Such streams once stayed for ever, so that 192 of them kept everybody else out.
#[test]
fn a_stream_that_says_nothing_is_closed_and_counted() {
    let mut bench = Bench::new();
    let connection = bench.accept_stream();
    for _ in 0..6 {
        bench.wait(Duration::from_secs(5));
        // A keep-alive is no message.
        let (written, closed) = bench.stream(connection, "\r\n\r\n");
        assert_eq!((written.as_str(), closed), ("\r\n", false));
    }
    bench
        .endpoint
        .handle_timeout(bench.now + Duration::from_secs(3));
    assert_eq!(bench.drain(), [Output::Close { connection }]);
    assert_eq!(counted(&mut bench, Why::Slow), 1);
    // One that said something stays.
    let connection = bench.accept_stream();
    bench.stream(connection, &options("1").replace("/UDP", "/TCP"));
    bench.wait(Duration::from_secs(600));
    assert!(!bench.stream(connection, "\r\n\r\n").1);
}

fn tcp(text: String) -> String {
    text.replace("/UDP", "/TCP")
}

/// All streams that strangers may open; the first one begins with a message of its own.
fn crowded(first: &str) -> Bench {
    let mut bench = Bench::new();
    let account = AccountSetup {
        registrar: Some(Uri::parse("sip:sim.example").unwrap()),
        ..super::scenarios::account("bob")
    };
    let id = AccountId(3);
    bench.endpoint.add_account(bench.now, id, account);
    bench.drain();
    for number in 0..192 {
        let source = [10, 0, 1, u8::try_from(number).unwrap()];
        assert_eq!(closed_for(&mut bench, number, source), Some(Vec::new()));
        let text = match number {
            0 => first.to_owned(),
            _ => tcp(options(&number.to_string())),
        };
        says(&mut bench, number, &text);
        bench.wait(Duration::from_millis(10));
    }
    bench
}

#[test]
fn a_stream_on_which_a_refusal_waits_for_its_ack_is_not_idle() {
    let refused = tcp(invite("refused")).replace("CSeq:", "Require: nothing-known\r\nCSeq:");
    let mut bench = crowded(&refused);
    assert_eq!(bench.endpoint.census().sessions, 0);
    let server = [10, 0, 0, 201];
    assert_eq!(closed_for(&mut bench, 201, server), Some(vec![1]));
    says(&mut bench, 201, &tcp(options("server")));
    bench.wait(Duration::from_secs(33));
    assert_eq!(closed_for(&mut bench, 202, server), Some(vec![0]));
}

#[test]
fn an_idle_stream_of_a_stranger_makes_room_for_the_own_server() {
    let mut bench = crowded(&tcp(options("0")));
    // The first one calls, the second one said something just now.
    says(&mut bench, 0, &tcp(invite("call")));
    says(&mut bench, 1, &tcp(options("again")));
    assert_eq!(closed_for(&mut bench, 200, [10, 0, 2, 1]), None);
    let server = [10, 0, 0, 201];
    assert_eq!(closed_for(&mut bench, 201, server), Some(vec![2]));
    says(&mut bench, 201, &tcp(options("server")));
    assert_eq!(closed_for(&mut bench, 202, server), Some(vec![3]));
    says(&mut bench, 202, &tcp(options("server-2")));
    assert_eq!(counted(&mut bench, Why::TooManyStreams), 3);
    // Strangers must wait until one was silent for a while; the server's own stay.
    bench.wait(Duration::from_secs(31));
    assert_eq!(closed_for(&mut bench, 203, [10, 0, 2, 1]), Some(vec![4]));
    let (now, session) = (bench.now, bench.session());
    let answer = bench.endpoint.answer(now, session, Body::sdp("v=0"));
    answer.unwrap();
    bench.wait(Duration::from_secs(31));
    let closed: Vec<u64> = (0..60)
        .flat_map(|n| closed_for(&mut bench, 300 + n, [10, 0, 2, 2]).unwrap_or_default())
        .collect();
    assert_eq!(closed.len(), 60);
    assert!(closed.iter().all(|it| !matches!(it, 0 | 201 | 202)));
}

#[test]
fn what_nobody_can_be_told_of_is_counted() {
    let mut bench = Bench::new();
    bench.datagram("rubbish\r\n\r\n");
    bench.datagram(
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n\
         To: <sip:b@c>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n",
    );
    assert_eq!(bench.endpoint.discarded(), 2);
    let refused = bench.endpoint.take_refusals();
    assert_eq!(refused.len(), 1, "a late answer is no offence: {refused:?}");
    assert!(matches!(refused[0].why, Why::Malformed(_)));
}

/// With IPv6 one machine has more addresses than anybody can count.
#[test]
fn a_network_of_64_bits_is_one_source_of_streams() {
    let mut bench = Bench::new();
    let local = "[2001:db8::1]:5060".parse().unwrap();
    let mut taken = 0;
    for number in 0..200_u16 {
        let connection = ConnectionId(u64::from(number) * 2);
        let remote = format!("[2001:db8:1:2::{:x}]:1024", number + 1);
        let remote = remote.parse().unwrap();
        bench
            .endpoint
            .handle_accepted(bench.now, connection, Transport::Tcp, remote, local);
        let refused = bench
            .drain()
            .iter()
            .any(|output| matches!(output, Output::Close { .. }));
        taken += u32::from(!refused);
    }
    assert_eq!(taken, 64);
}
