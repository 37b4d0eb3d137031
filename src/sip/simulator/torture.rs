//! What RFC 4475 tortures a reader with: each of its 49 cases by a message of our own, and the
//! reaction of a phone.

use std::time::Duration;

use super::bench::Bench;
use crate::base::flow::{ConnectionId, Output, Transport};
use crate::base::uri::Uri;
use crate::sip::parse::{self, Unreadable};
use crate::sip::{Body, Census, SipEvent};

/// The reaction to a request.
enum Reaction {
    /// The first answer has one of these codes.
    Answer(&'static [u16]),
    /// No answer at all.
    Silence,
}
use Reaction::{Answer, Silence};

const ALLOWED: &[u16] = &[405, 501];
const BAD: &[u16] = &[400];
const TRYING: &[u16] = &[100];

/// The requests of RFC 4475 section 3, by its names.
const REQUESTS: [&str; 44] = [
    "wsinv",
    "intmeth",
    "esc01",
    "escnull",
    "esc02",
    "lwsdisp",
    "longreq",
    "dblreq",
    "semiuri",
    "transports",
    "mpart01",
    "badinv01",
    "clerr",
    "ncl",
    "scalar02",
    "quotbal",
    "ltgtruri",
    "lwsruri",
    "lwsstart",
    "trws",
    "escruri",
    "baddate",
    "regbadct",
    "badaspec",
    "baddn",
    "badvers",
    "mismatch01",
    "mismatch02",
    "badbranch",
    "insuf",
    "unkscm",
    "novelsc",
    "unksm2",
    "bext01",
    "invut",
    "regaut01",
    "multi01",
    "mcl01",
    "zeromf",
    "cparam01",
    "cparam02",
    "regescrt",
    "sdp01",
    "inv2543",
];

/// Its responses.
const RESPONSES: [&str; 5] = ["unreason", "noreason", "scalarlg", "bigcode", "bcast"];

/// Writes a text with CRLF line ends; each case names the fields that matter and takes the rest
/// from here: `{via}`, `{from}`, `{to}`, `{id}`, `{contact}`, `{sdp}`.
fn fill(case: &str, text: &str) -> Vec<u8> {
    let sdp = "Content-Type: application/sdp\nContent-Length: 5\n\nv=0\n\n";
    let filled = text
        .replace(
            "{via}",
            &format!("Via: SIP/2.0/UDP 10.0.0.200:5070;rport;branch=z9hG4bK-{case}"),
        )
        .replace("{from}", "From: <sip:caller@home.example>;tag=f1")
        .replace("{to}", "To: <sip:us@10.0.0.1>")
        .replace(
            "{id}",
            &format!("Call-ID: {case}@torture\nMax-Forwards: 70"),
        )
        .replace("{contact}", "Contact: <sip:caller@10.0.0.200:5070>")
        .replace("{sdp}", sdp);
    // Line ends become CRLF in the head and stay in bodies of the same length.
    let (head, body) = filled.split_once("\n\n").unwrap_or((&filled, ""));
    let mut bytes = head.replace('\n', "\r\n").into_bytes();
    bytes.extend_from_slice(b"\r\n\r\n");
    bytes.extend_from_slice(body.as_bytes());
    bytes
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn requests() -> Vec<(&'static str, &'static str, Reaction)> {
    vec![
        (
            "wsinv",
            "INVITE sip:us@10.0.0.1;unknown SIP/2.0\nTO :\n sip:us@10.0.0.1 ;   tag    = 77n\n\
             from   : \"C \\\\\\\"aller\\\"\"       <sip:caller@home.example>\n  ;\n  tag = 98\n\
             MaX-fOrWaRdS: 0068\nCall-ID: wsinv.x\nCSeq: 0009\n  INVITE\n\
             Via  : SIP  /   2.0\n /UDP\n    10.0.0.200;branch=390skdjuw\ns :\n\
             Unknown: newfangled value\n  continued ;;,,;;,;\n\
             V: SIP  / 2.0  / TCP     other.example ;\n  branch  =   z9hG4bK9ikj8  ,\n \
             SIP  /    2.0   / UDP  10.1.1.1   ; branch= z9hG4bK30239\n\
             m:\"Quoted \\\"\\\"\" <sip:x@10.0.0.200> ; newparam =\n   newvalue ;\n  secondparam ; q = 0.33\n\
             c: application/sdp\nl:0\n\n",
            Answer(&[481]),
        ),
        (
            "intmeth",
            "!odd-Method0123456789_*+`.%word'~ sip:1_odd.URI~(x)&it$/crazy?,/;;*:&it+a,b*pw.(y)@home.example SIP/2.0\n\
             {via}\nTo: \"BEL:\\\u{7} NUL:\\\0 DEL:\\\u{7f}\" <sip:1_odd.URI~(x)&it$/crazy?,/;;*@home.example>\n\
             From: tok1~` tok2'+_ tok3*%!.- <sip:m@home.example>;par''~+*_!.-%=\"\u{440}\u{430}\";tag=_tok~1'+`*%!-.\n\
             {id}\nCSeq: 13 !odd-Method0123456789_*+`.%word'~\next-!.%*+_`'~:\u{fffd}\n\n",
            Answer(ALLOWED),
        ),
        (
            "esc01",
            "INVITE sip:sip%3Aus%40home.example@10.0.0.1;other-param=summit SIP/2.0\n{via}\n\
             To: sip:%75s@10.0.0.1\n{from}\n{id}\nCSeq: 1 INVITE\n\
             Contact: <sip:cal%6Cer@10.0.0.200:5070;%6C%72;n%61me=v%61lue%25%34%31>\n{sdp}",
            Answer(TRYING),
        ),
        (
            "escnull",
            "OPTIONS sip:null-%00-null@10.0.0.1 SIP/2.0\n{via}\nTo: sip:null-%00-null@10.0.0.1\n{from}\n{id}\n\
             CSeq: 1 OPTIONS\nContact: <sip:%00@10.0.0.200>, <sip:%00%00@10.0.0.200>\n\n",
            Answer(&[200]),
        ),
        (
            "esc02",
            "RE%47IST%45R sip:us@10.0.0.1 SIP/2.0\n{via}\nTo: \"%Z%45\" <sip:us@10.0.0.1>\n{from}\n{id}\n\
             CSeq: 2 RE%47IST%45R\nC%6Fntact: <sip:x@y>\n{contact}\n\n",
            Answer(ALLOWED),
        ),
        (
            "lwsdisp",
            "OPTIONS sip:us@10.0.0.1 SIP/2.0\n{via}\n{to}\nFrom: caller<sip:caller@home.example>;tag=3\n{id}\n\
             CSeq: 1 OPTIONS\n\n",
            Answer(&[200]),
        ),
        ("longreq", LONG_REQUEST, Answer(TRYING)),
        (
            "dblreq",
            "OPTIONS sip:us@10.0.0.1 SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 8 OPTIONS\nContent-Length: 0\n\n\
             INVITE sip:us@10.0.0.1 SIP/2.0\nrest of the datagram\n",
            Answer(&[200]),
        ),
        (
            "semiuri",
            "OPTIONS sip:us;par=u%40home.example@10.0.0.1 SIP/2.0\n{via}\n\
             To: sip:us;par=u%40home.example@10.0.0.1\n{from}\n{id}\nCSeq: 8 OPTIONS\n\n",
            Answer(&[200]),
        ),
        (
            "transports",
            "OPTIONS sip:us@10.0.0.1 SIP/2.0\n{via}\nVia: SIP/2.0/SCTP a.example;branch=z9hG4bK1\n\
             Via: SIP/2.0/NEVERHEARD b.example;branch=z9hG4bK2\nVia: SIP/2.0/TLS c.example;branch=z9hG4bK3\n\
             {to}\n{from}\n{id}\nCSeq: 1 OPTIONS\n\n",
            Answer(&[200]),
        ),
        (
            "mpart01",
            "MESSAGE sip:us@10.0.0.1 SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 1 MESSAGE\n\
             Content-Type: multipart/mixed;boundary=7a9\nContent-Length: 61\n\n\
             --7a9\r\nContent-Type: text/plain\r\n\r\nHello\r\n--7a9\r\n\0\u{1}\u{2}\r\n--7a9--",
            Answer(&[200]),
        ),
        (
            "badinv01",
            "INVITE sip:us@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.200:5070;;,;,,\n{to}\n\
             From: <sip:caller@home.example>;;;;\n{id}\nCSeq: 8 INVITE\nContact: \"Joe\" <sip:joe@h>;;;;,;;,\n{sdp}",
            Answer(BAD),
        ),
        (
            "clerr",
            "INVITE sip:us@10.0.0.1 SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 8 INVITE\n{contact}\n\
             Content-Type: application/sdp\nContent-Length: 9999\n\nv=0\n",
            Answer(BAD),
        ),
        (
            "ncl",
            "INVITE sip:us@10.0.0.1 SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 8 INVITE\n{contact}\n\
             Content-Type: application/sdp\nContent-Length: -999\n\nv=0\n",
            Answer(BAD),
        ),
        (
            "scalar02",
            "REGISTER sip:10.0.0.1 SIP/2.0\n{via}\n{to}\n{from}\nCall-ID: scalar02@torture\n\
             CSeq: 36893488147419103232 REGISTER\nMax-Forwards: 300\nExpires: 10000000000000\n\
             Contact: <sip:x@y>;expires=280297596632815\n\n",
            // Its CSeq cannot be written back: the refusal goes out as it came.
            Answer(BAD),
        ),
        (
            "quotbal",
            "INVITE sip:us@10.0.0.1 SIP/2.0\n{via}\nTo: \"Mr. J. User <sip:us@10.0.0.1>\n{from}\n{id}\n\
             CSeq: 1 INVITE\n{contact}\n{sdp}",
            Answer(BAD),
        ),
        (
            "ltgtruri",
            "INVITE <sip:us@10.0.0.1> SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 1 INVITE\n{contact}\n{sdp}",
            Answer(BAD),
        ),
        (
            "lwsruri",
            "INVITE sip:us@10.0.0.1; lr SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 1 INVITE\n{contact}\n{sdp}",
            Answer(BAD),
        ),
        (
            "lwsstart",
            "INVITE  sip:us@10.0.0.1  SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 1 INVITE\n{contact}\n{sdp}",
            Answer(BAD),
        ),
        (
            "trws",
            "OPTIONS sip:us@10.0.0.1 SIP/2.0  \n{via}\n{to}\n{from}\n{id}\nCSeq: 1 OPTIONS\n\n",
            Answer(BAD),
        ),
        (
            "escruri",
            "INVITE sip:us@10.0.0.1?Route=%3Csip:x.example%3E SIP/2.0\n{via}\n{to}\n{from}\n{id}\n\
             CSeq: 1 INVITE\n{contact}\n{sdp}",
            // Its headers are passed over.
            Answer(TRYING),
        ),
        (
            "baddate",
            "INVITE sip:us@10.0.0.1 SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 1 INVITE\n\
             Date: Fri, 01 Jan 2010 16:00:00 EST\n{contact}\n{sdp}",
            Answer(TRYING),
        ),
        (
            "regbadct",
            "REGISTER sip:10.0.0.1 SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 1 REGISTER\n\
             Contact: sip:caller@home.example?Route=%3Csip:x.example%3E\n\n",
            Answer(BAD),
        ),
        (
            "badaspec",
            "OPTIONS sip:us@10.0.0.1 SIP/2.0\n{via}\nTo: \"Watson, Thomas\" < sip:us@10.0.0.1 >\n{from}\n{id}\n\
             CSeq: 1 OPTIONS\n\n",
            Answer(BAD),
        ),
        (
            "baddn",
            "OPTIONS sip:us@10.0.0.1 SIP/2.0\n{via}\n{to}\nFrom: Bell, Alexander <sip:a.g.bell@home.example>;tag=43\n\
             {id}\nCSeq: 1 OPTIONS\n\n",
            Answer(&[400, 200]),
        ),
        (
            "badvers",
            "OPTIONS sip:us@10.0.0.1 SIP/7.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 1 OPTIONS\n\n",
            Answer(&[505]),
        ),
        (
            "mismatch01",
            "OPTIONS sip:us@10.0.0.1 SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 8 INVITE\n\n",
            Answer(BAD),
        ),
        (
            "mismatch02",
            "NEWMETHOD sip:us@10.0.0.1 SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 8 INVITE\n\n",
            Answer(&[501, 400]),
        ),
        (
            "badbranch",
            "OPTIONS sip:us@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.200:5070;rport;branch=z9hG4bK\n{to}\n{from}\n\
             {id}\nCSeq: 8 OPTIONS\n\n",
            Answer(&[200]),
        ),
        (
            "insuf",
            "INVITE sip:us@10.0.0.1 SIP/2.0\n{via}\nMax-Forwards: 70\nCSeq: 193942 INVITE\n{sdp}",
            Answer(BAD),
        ),
        (
            "insuf-without-via",
            "INVITE sip:us@10.0.0.1 SIP/2.0\nCSeq: 193942 INVITE\n{sdp}",
            Silence,
        ),
        (
            "unkscm",
            "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 3 OPTIONS\n\n",
            Answer(&[416]),
        ),
        (
            "novelsc",
            "OPTIONS soap.beep://10.0.0.103:3002 SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 3 OPTIONS\n\n",
            Answer(&[416]),
        ),
        (
            "unksm2",
            "REGISTER sip:10.0.0.1 SIP/2.0\n{via}\nTo: isbn:2983792873\nFrom: <http://www.example.com>;tag=2\n{id}\n\
             CSeq: 2 REGISTER\nContact: <name:John_Smith>\n\n",
            Answer(ALLOWED),
        ),
        (
            "bext01",
            "OPTIONS sip:us@10.0.0.1 SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 8 OPTIONS\n\
             Require: nothingSupportsThis, nothingSupportsThisEither\nProxy-Require: noProxiesSupportThis\n\n",
            Answer(&[420]),
        ),
        (
            "invut",
            "INVITE sip:us@10.0.0.1 SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 8 INVITE\n{contact}\n\
             Content-Type: application/unknownformat\nContent-Length: 3\n\n<x>",
            Answer(&[415]),
        ),
        (
            "regaut01",
            "OPTIONS sip:us@10.0.0.1 SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 8 OPTIONS\n\
             Authorization: NoOneKnowsThisScheme opaque-data=here\n\n",
            Answer(&[200]),
        ),
        (
            "multi01",
            "INVITE sip:us@10.0.0.1 SIP/2.0\n{via}\n{to}\n{to}\n{from}\n{from}\n{id}\nCall-ID: another\n\
             CSeq: 5 INVITE\nCSeq: 59 INVITE\nMax-Forwards: 5\n{contact}\n{sdp}",
            Answer(BAD),
        ),
        (
            "mcl01",
            "OPTIONS sip:us@10.0.0.1 SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 5 OPTIONS\n\
             Content-Length: 13\nContent-Length: 5\n\nThere's no way\n",
            Answer(BAD),
        ),
        (
            "zeromf",
            "OPTIONS sip:us@10.0.0.1 SIP/2.0\n{via}\n{to}\n{from}\nCall-ID: zeromf\nMax-Forwards: 0\nCSeq: 39 OPTIONS\n\n",
            Answer(&[200]),
        ),
        (
            "cparam01",
            "REGISTER sip:10.0.0.1 SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 1 REGISTER\n\
             Contact: sip:+19725552222@10.0.0.200;unknownparam\n\n",
            Answer(ALLOWED),
        ),
        (
            "cparam02",
            "REGISTER sip:10.0.0.1 SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 1 REGISTER\n\
             Contact: <sip:+19725552222@10.0.0.200;unknownparam>\n\n",
            Answer(ALLOWED),
        ),
        (
            "regescrt",
            "REGISTER sip:10.0.0.1 SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 1 REGISTER\n\
             Contact: <sip:caller@home.example?Route=%3Csip:x.example%3E>\n\n",
            Answer(ALLOWED),
        ),
        (
            "sdp01",
            "INVITE sip:us@10.0.0.1 SIP/2.0\n{via}\n{to}\n{from}\n{id}\nCSeq: 1 INVITE\n{contact}\n\
             Accept: text/nobodyKnowsThis\n{sdp}",
            Answer(&[406]),
        ),
        (
            "inv2543",
            "INVITE sip:us@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.200:5070\nFrom: <sip:caller@home.example>\n\
             To: sip:us@10.0.0.1\nCall-ID: inv2543\nCSeq: 56 INVITE\n{contact}\n{sdp}",
            Answer(TRYING),
        ),
    ]
}

/// Parameters, names and values of several hundred octets each.
const LONG_REQUEST: &str = "LONG";

fn long_request() -> String {
    let word = "longword".repeat(40);
    let vias: String = (0..30)
        .map(|n| format!("Via: SIP/2.0/TCP host{n}.example;branch=z9hG4bK{word};p{word}=v{word}\n"))
        .collect();
    format!(
        "INVITE sip:us@10.0.0.1;{word}={word} SIP/2.0\n{{via}}\n{vias}\
         To: \"{word}\" <sip:us@10.0.0.1>;{word}\nFrom: {word} <sip:caller@home.example>;{word}={word};tag={word}\n\
         Call-ID: {word}\nMax-Forwards: 70\nCSeq: 3882340 INVITE\nX{word}: {word}\n{{contact}}\n{{sdp}}"
    )
}

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
            .handle_datagram(bench.now, super::bench::peer(), super::bench::OURS, &bytes);
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
fn all_49_cases_are_here() {
    let mut names: Vec<&str> = requests().iter().map(|(case, _, _)| *case).collect();
    names.retain(|case| *case != "insuf-without-via");
    assert_eq!(names, REQUESTS);
    let mut names: Vec<&str> = responses().iter().map(|(case, ..)| *case).collect();
    names.dedup();
    assert_eq!(names, RESPONSES);
    assert_eq!(REQUESTS.len() + RESPONSES.len(), 49);
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

/// A call of ours that waits for its answer, and the start of a response to it.
fn calling(transport: Transport) -> (Bench, Option<ConnectionId>, String) {
    let mut bench = Bench::new();
    let by = transport.to_string().to_ascii_lowercase();
    let target = Uri::parse(&format!("sip:peer@10.0.0.200;transport={by}")).unwrap();
    let call = bench
        .endpoint
        .invite(bench.now, None, &target, &[])
        .unwrap();
    bench.drain();
    bench
        .endpoint
        .offer(bench.now, call, Body::sdp("v=0"))
        .unwrap();
    let (mut stream, mut invite) = (None, None);
    for output in bench.drain() {
        match output {
            Output::Connect { connection, .. } => {
                let local = (super::bench::OURS, 40_000).into();
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

/// Each response: its start line, what stands in it beside the usual fields, a field that it has in
/// place of the usual one, and whether it is taken.
fn responses() -> Vec<(&'static str, &'static str, &'static str, bool)> {
    vec![
        (
            "unreason",
            "SIP/2.0 200 = 2**3 * 5**2 \u{43d}\u{43e} \u{441}\u{442}\u{43e}",
            "",
            true,
        ),
        ("noreason", "SIP/2.0 100 ", "", true),
        ("noreason", "SIP/2.0 200", "", true),
        (
            "scalarlg",
            "SIP/2.0 503 No",
            "Expires: 99999999999999999\r\n",
            false,
        ),
        (
            "scalarlg",
            "SIP/2.0 200 OK",
            "Contact: <sip:x@y>;expires=9999999999\r\n",
            false,
        ),
        (
            "scalarlg",
            "SIP/2.0 503 No",
            "CSeq: 9292394834772304023312 INVITE\r\n",
            false,
        ),
        (
            "bigcode",
            "SIP/2.0 4294967301 better not break the receiver",
            "",
            false,
        ),
        ("bigcode", "SIP/2.0 700 No", "", false),
        (
            "bcast",
            "SIP/2.0 200 OK",
            "Via: SIP/2.0/UDP 255.255.255.255;branch=1\r\n",
            false,
        ),
    ]
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
        let next = super::bench::request("OPTIONS", "sip:us@10.0.0.1", "n", "<sip:us@h>", 1, "");
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
