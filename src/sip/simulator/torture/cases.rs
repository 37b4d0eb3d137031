//! The table of the cases: what is sent, and the reaction to it.

/// The reaction to a request.
pub(super) enum Reaction {
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
pub(super) fn fill(case: &str, text: &str) -> Vec<u8> {
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
pub(super) fn requests() -> Vec<(&'static str, &'static str, Reaction)> {
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
pub(super) const LONG_REQUEST: &str = "LONG";

pub(super) fn long_request() -> String {
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

/// Each response: its start line, what stands in it beside the usual fields, a field that it has in
/// place of the usual one, and whether it is taken.
pub(super) fn responses() -> Vec<(&'static str, &'static str, &'static str, bool)> {
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
fn all_49_cases_are_here() {
    let mut names: Vec<&str> = requests().iter().map(|(case, _, _)| *case).collect();
    names.retain(|case| *case != "insuf-without-via");
    assert_eq!(names, REQUESTS);
    let mut names: Vec<&str> = responses().iter().map(|(case, ..)| *case).collect();
    names.dedup();
    assert_eq!(names, RESPONSES);
    assert_eq!(REQUESTS.len() + RESPONSES.len(), 49);
}
