//! Tens of thousands of damaged messages, and then a normal call.
//!
//! `RINGDESK_SIM_MESSAGES` says how many. Virtual time passes between them, so that transactions end
//! as they do in the field and each message meets calls and dialogs, not a phone that is too busy.

use std::time::Duration;

use super::bench::{Bench, SDP_BODY, TO_US, US, established, invite, request};
use crate::base::flow::ConnectionId;
use crate::base::random::{Random as _, SeededRandom};
use crate::sip::{Body, Census};

const DEFAULT_MESSAGES: u32 = 30_000;

/// Texts that have broken readers before.
const SPLINTERS: [&str; 24] = [
    "\r\n",
    "\r\n\r\n",
    "\0",
    "\"",
    "\\\"",
    "<",
    ">",
    ";",
    ";;",
    ",",
    "=",
    "%",
    "%00",
    "@",
    ":",
    "[",
    "]",
    "SIP/2.0",
    "4294967296",
    "-1",
    "99999999999999999999",
    "\u{20ac}",
    " ",
    "\t",
];

fn seeds() -> Vec<String> {
    let tagged = "<sip:us@10.0.0.1>;tag=x";
    let digest = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth,auth-int\", \
        algorithm=SHA-256, opaque=\"\"\r\nProxy-Authenticate: Digest realm=\"q\"";
    let routed = format!(
        "Record-Route: <sip:10.0.0.9;lr>, \"x\" <sip:a%20b@[::1]:5070;transport=tcp;lr>;q=0.5\r\n\
         P-Asserted-Identity: <tel:+1>\r\nDiversion: <sip:d@e>;reason=busy\r\n\
         Require: a, b\r\nReason: SIP;cause=1\r\nm: <sip:x@y>;expires=5, *\r\n{SDP_BODY}"
    );
    let mut seeds = vec![
        invite("1"),
        request("INVITE", US, "2", TO_US, 1, &routed),
        request("CANCEL", US, "1", TO_US, 1, ""),
        request("ACK", US, "1", tagged, 1, ""),
        request("BYE", US, "3", tagged, 2, ""),
        request("OPTIONS", US, "4", TO_US, 1, ""),
        request("UPDATE", US, "5", tagged, 3, SDP_BODY),
        request(
            "INFO",
            US,
            "6",
            tagged,
            4,
            "Content-Type: application/dtmf-relay\r\n\r\nSignal=5",
        ),
        request(
            "MESSAGE",
            US,
            "7",
            TO_US,
            1,
            "Content-Type: text/plain\r\n\r\nhi",
        ),
        request("REGISTER", "sip:[::1]:5060;lr?a=b", "8", TO_US, 1, digest),
    ];
    for code in [
        "100", "183", "200", "302", "401", "407", "423", "486", "491", "503",
    ] {
        let response = request("INVITE", US, "9", tagged, 1, digest);
        let (_, rest) = response.split_once("\r\n").unwrap();
        seeds.push(format!("SIP/2.0 {code} Some\r\n{rest}"));
    }
    seeds
}

fn mutate(random: &mut SeededRandom, seed: &str) -> Vec<u8> {
    let mut bytes = seed.as_bytes().to_vec();
    for _ in 0..1 + random.next_u32() % 6 {
        let len = bytes.len().max(1);
        let at = random.next_u32() as usize % len;
        let span = (random.next_u32() as usize % 12).min(bytes.len() - at.min(bytes.len()));
        match random.next_u32() % 6 {
            0 => bytes[at.min(len - 1)] = random.next_u32().to_le_bytes()[0],
            1 => drop(bytes.drain(at..at + span)),
            2 => {
                let piece: Vec<u8> = bytes[at..at + span].to_vec();
                let to = random.next_u32() as usize % (bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            3 => bytes.truncate(at),
            _ => {
                let pick = random.next_u32() as usize % SPLINTERS.len();
                bytes.splice(at..at, SPLINTERS[pick].bytes());
            }
        }
        if bytes.is_empty() {
            bytes.push(b'x');
        }
    }
    bytes
}

/// Makes each message of a run a stranger to the last, so that the tables fill.
fn vary(random: &mut SeededRandom, seed: &str) -> String {
    let number = random.next_u32() % 500;
    seed.replace("call-1", &format!("call-{number}"))
        .replace("z9hG4bK", &format!("z9hG4bK{number}"))
}

fn a_call_works(bench: &mut Bench) {
    bench.events.clear();
    bench.traces.clear();
    let fresh = |text: String| text.replace("call-1", "the-good-call");
    assert_eq!(bench.codes(&fresh(invite("good"))), [100]);
    let ok = bench.answer();
    let to = ok.header("To").unwrap().to_owned();
    bench.datagram(&fresh(request("ACK", US, "good-ack", &to, 1, "")));
    let session = bench.session();
    bench.endpoint.hang_up(bench.now, session).unwrap();
    let bye = bench.sent().remove(0);
    assert_eq!(bye.method().unwrap().as_str(), "BYE");
}

#[test]
fn damaged_datagrams_neither_break_the_endpoint_nor_stay_in_it() {
    let messages = std::env::var("RINGDESK_SIM_MESSAGES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(DEFAULT_MESSAGES);
    let mut random = SeededRandom::new(4);
    let seeds = seeds();
    let mut bench = Bench::with_sessions(50);
    established(&mut bench);
    let talking = bench.session();
    let (mut answered, mut dialogs) = (0, 0);
    for number in 0..messages {
        let seed = &seeds[random.next_u32() as usize % seeds.len()];
        let varied = vary(&mut random, seed);
        bench.datagram_bytes(&mutate(&mut random, &varied));
        if number % 50 == 0 {
            bench.wait(Duration::from_secs(1));
            bench.events.clear();
            bench.traces.clear();
        }
        let census = bench.endpoint.census();
        assert!(census.sessions <= 50 && census.transactions < 4096 && census.requests <= 200);
        // Somebody picks up now and then, so that there are dialogs to be damaged.
        if number % 7 == 0
            && let Some(call) = bench.incoming().map(|call| call.session)
            && bench
                .endpoint
                .answer(bench.now, call, Body::sdp("v=0"))
                .is_ok()
        {
            answered += 1;
            bench.drain();
        }
        if census.dialogs > 1 {
            dialogs += 1;
        }
    }
    assert!(
        answered > messages / 1000,
        "only {answered} calls were answered"
    );
    assert!(
        dialogs > messages / 2,
        "only {dialogs} of {messages} messages met a dialog"
    );
    bench.endpoint.hang_up(bench.now, talking).unwrap();
    bench.wait(Duration::from_secs(400));
    assert_eq!(bench.endpoint.census(), Census::default());
    a_call_works(&mut bench);
}

#[test]
fn damaged_answers_to_our_own_call_do_not_break_it() {
    let mut random = SeededRandom::new(5);
    let mut bench = Bench::new();
    for round in 0..2000 {
        let call = bench.call(None, "sip:peer@10.0.0.200");
        let sent = bench.sent().remove(0);
        for code in [180, 183, 200, 401, 486, 200] {
            let mut answer = crate::sip::message::Message::response(&sent, code, "x", Some("t"));
            answer.headers.push("Contact", "<sip:peer@10.0.0.200:5070>");
            answer
                .headers
                .push("Record-Route", "<sip:10.0.0.9:5060;lr>");
            let text = String::from_utf8(answer.to_bytes()).unwrap();
            let bytes = if random.next_u32().is_multiple_of(3) {
                text.into_bytes()
            } else {
                mutate(&mut random, &text)
            };
            bench.datagram_bytes(&bytes);
        }
        // It may be over already.
        let over = bench.endpoint.hang_up(bench.now, call).is_err();
        bench.sent();
        if round % 20 == 0 || over {
            bench.wait(Duration::from_secs(300));
            assert_eq!(bench.endpoint.census(), Census::default(), "round {round}");
        }
        bench.events.clear();
        bench.traces.clear();
        bench.wait(Duration::from_secs(70));
    }
    a_call_works(&mut bench);
}

#[test]
fn damaged_streams_end_at_most_themselves() {
    let mut random = SeededRandom::new(6);
    let seeds = seeds();
    let mut bench = Bench::with_sessions(50);
    for number in 0..3000 {
        let connection = ConnectionId(number * 2);
        let remote = "10.0.1.1:7000".parse().unwrap();
        let local = "10.0.0.1:5060".parse().unwrap();
        let transport = crate::base::flow::Transport::Tcp;
        bench
            .endpoint
            .handle_accepted(bench.now, connection, transport, remote, local);
        for _ in 0..4 {
            let seed = &seeds[random.next_u32() as usize % seeds.len()];
            let varied = vary(&mut random, seed).replace("/UDP", "/TCP");
            let bytes = mutate(&mut random, &varied);
            for piece in bytes.chunks(1 + random.next_u32() as usize % 300) {
                bench.endpoint.handle_stream(bench.now, connection, piece);
                bench.drain();
            }
        }
        bench
            .endpoint
            .handle_connection_closed(bench.now, connection, None);
        bench.drain();
        bench.wait(Duration::from_secs(1));
        bench.events.clear();
        bench.traces.clear();
    }
    bench.wait(Duration::from_secs(400));
    assert_eq!(bench.endpoint.census(), Census::default());
    a_call_works(&mut bench);
}
