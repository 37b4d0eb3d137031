//! `ringdesk trace`: the ladder of a call as a picture, as JSON and as a capture that tshark reads.

use std::ffi::OsString;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::calls_out::called_with_digest;
use crate::phone::{Phone, run};
use crate::place::{self, PATIENCE};
use crate::sipp::Sipp;

/// What no trace may show.
const SECRETS: [&str; 5] = [
    "open sesame",
    "dGhpcyBpcyBubyBrZXk",
    "0a1b2c3d4e5f",
    "p4ssw0rd",
    "Signal=7",
];

/// Runs `ringdesk trace` and gives its stdout.
fn trace(folder: &Path, call: &str, options: &[&str]) -> String {
    let mut arguments: Vec<OsString> = vec!["trace".into(), call.into()];
    arguments.extend(options.iter().map(OsString::from));
    arguments.extend(["--data-dir".into(), folder.into()]);
    let (code, stdout, stderr) = run(&arguments);
    assert_eq!(code, Some(0), "ringdesk trace: {stderr}");
    stdout
}

/// The ladder as JSON: whether we sent it, and method or status.
fn ladder(folder: &Path, call: &str) -> Vec<(bool, String)> {
    trace(folder, call, &["--json"])
        .lines()
        .map(|line| {
            let message: Value = serde_json::from_str(line).unwrap();
            let first = message["text"].as_str().unwrap().lines().next().unwrap();
            let mut words = first.split(' ');
            let word = match words.next().unwrap() {
                "SIP/2.0" => words.next().unwrap(),
                method => method,
            };
            (message["sent"] == true, word.to_owned())
        })
        .collect()
}

/// What tshark makes of the capture: addresses, ports, and method or status of each packet.
fn decoded(folder: &Path, call: &str) -> (Vec<String>, Vec<String>) {
    place::need("tshark");
    let target = TempDir::new().unwrap();
    let file = target.path().join("call.pcapng");
    trace(folder, call, &["--pcap", &file.to_string_lossy()]);
    let bytes = std::fs::read(&file).unwrap();
    assert_no_secrets(&String::from_utf8_lossy(&bytes));
    let fields =
        "ip.src ipv6.src udp.srcport ip.dst ipv6.dst udp.dstport sip.Method sip.Status-Code";
    let mut command = Command::new("tshark");
    command
        .arg("-r")
        .arg(&file)
        .args(["-n", "-T", "fields", "-E", "separator=,"]);
    // A wrong checksum or length would be told.
    command.args([
        "-o",
        "udp.check_checksum:TRUE",
        "-o",
        "ip.check_checksum:TRUE",
    ]);
    for field in fields.split(' ') {
        command.args(["-e", field]);
    }
    let output = command.args(["-e", "_ws.expert.message"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    for row in &rows {
        let faults: String = row[8..].join(",");
        assert!(!faults.to_lowercase().contains("checksum"), "{text}");
        assert!(!faults.to_lowercase().contains("malformed"), "{text}");
    }
    let words = rows
        .iter()
        .map(|row| format!("{}{}", row[6], row[7]))
        .collect();
    let ends = rows
        .iter()
        .map(|row| {
            format!(
                "{}{} {} > {}{} {}",
                row[0], row[1], row[2], row[3], row[4], row[5]
            )
        })
        .collect();
    (words, ends)
}

fn assert_no_secrets(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn the_ladder_of_a_call_with_digest_is_kept_without_password_and_response() {
    let sipp = Sipp::called("call-out-with-digest", &[]);
    let ended = called_with_digest(&sipp, &["--hangup-after", "1"]);
    sipp.passes();
    let row = ended.only_call();
    let (call, pbx_id) = (
        row["id"].as_str().unwrap(),
        row["sip_call_id"].as_str().unwrap(),
    );
    let folder = ended.into_folder();
    let words: Vec<String> = ladder(folder.path(), call)
        .into_iter()
        .map(|rung| rung.1)
        .collect();
    let (first, rest) = words.split_first().unwrap();
    assert_eq!(first, "INVITE");
    assert!(
        rest.contains(&"INVITE".to_owned()),
        "the one with credentials: {words:?}"
    );
    for word in ["407", "ACK", "200", "BYE"] {
        assert!(
            words.contains(&word.to_owned()) || word == "407" && words.contains(&"401".to_owned()),
            "{word}: {words:?}"
        );
    }
    assert_eq!(words.last().unwrap(), "200");
    let (decoded, ends) = decoded(folder.path(), call);
    assert_eq!(decoded, words);
    assert!(
        ends.iter()
            .all(|end| end.matches("127.0.0.1 ").count() == 2),
        "{ends:?}"
    );
    // A PBX names the call by its SIP Call-ID.
    let picture = trace(folder.path(), pbx_id, &[]);
    assert!(
        picture.contains("INVITE (SDP) sip:sipp@127.0.0.1"),
        "{picture}"
    );
    assert!(picture.contains("|<- 200 OK (BYE)"), "{picture}");
    assert_no_secrets(&picture);
    let json = trace(folder.path(), call, &["--json"]);
    let proof = format!(r#"response=\"{}\""#, "x".repeat(64));
    assert!(json.contains(&proof), "{json}");
    assert_eq!(
        json.matches("response=").count(),
        json.matches(&proof).count()
    );
    assert_no_secrets(&json);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            assert_no_secrets(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
        }
    }
}

/// A peer by hand, that puts secrets wherever they can be.
struct Peer {
    socket: UdpSocket,
    phone: SocketAddr,
    to: String,
}

impl Peer {
    fn new(ip: &str, phone: SocketAddr) -> Self {
        let socket = UdpSocket::bind((ip.trim_matches(['[', ']']), 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            socket,
            phone,
            to: "<sip:bob@phone.example>".to_owned(),
        }
    }

    fn request(&self, method: &str, number: u32, fields: &str, body: &str) {
        let own = self.socket.local_addr().unwrap();
        let text = format!(
            "{method} sip:bob:p4ssw0rd@{} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{method}{number}\r\nMax-Forwards: 70\r\nFrom: <sip:eve@{own}>;tag=1\r\nTo: {}\r\nCall-ID: by-hand@{own}\r\nCSeq: {number} {method}\r\nContact: <sip:eve@{own}>\r\nAuthorization: Digest username=\"eve\", response=\"0a1b2c3d4e5f\"\r\n{fields}Content-Length: {}\r\n\r\n{body}",
            self.phone,
            self.to,
            body.len()
        );
        self.socket.send_to(text.as_bytes(), self.phone).unwrap();
    }

    /// Waits for a final answer with this status.
    fn answered(&mut self, status: &str) {
        let mut buffer = [0; 4096];
        loop {
            let (length, _) = self.socket.recv_from(&mut buffer).unwrap();
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if text.starts_with("SIP/2.0 1") {
                continue;
            }
            assert!(text.starts_with(&format!("SIP/2.0 {status}")), "{text}");
            let to = text
                .lines()
                .find_map(|line| line.strip_prefix("To: "))
                .unwrap();
            self.to = to.to_owned();
            return;
        }
    }
}

/// A call with secrets in each place, over one address family.
fn call_with_secrets(ip: &str) {
    let bind = format!("{ip}:{}", place::ports(1));
    let mut phone = Phone::start(&["--no-register", "--auto-answer", "--bind", &bind]);
    let mut peer = Peer::new(ip, bind.parse().unwrap());
    let family = if ip.starts_with('[') { "IP6" } else { "IP4" };
    let address = ip.trim_matches(['[', ']']);
    let sdp = format!(
        "v=0\r\no=- 1 1 IN {family} {address}\r\ns=-\r\nc=IN {family} {address}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:dGhpcyBpcyBubyBrZXkgYXQgYWxsLCByZWFsbHku\r\n"
    );
    peer.request("INVITE", 1, "Content-Type: application/sdp\r\n", &sdp);
    peer.answered("200");
    peer.request("ACK", 1, "", "");
    let call = phone.wait("answered")["call_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let digits = "Signal=7\r\nDuration=160\r\n";
    peer.request(
        "INFO",
        2,
        "Content-Type: application/dtmf-relay\r\n",
        digits,
    );
    peer.answered("200");
    // An open call can be traced too, through the running phone.
    let open = ladder(phone.folder(), &call);
    assert!(open.contains(&(false, "INFO".to_owned())), "{open:?}");
    peer.request("BYE", 3, "", "");
    peer.answered("200");
    phone.wait("ended");
    let words: Vec<String> = ladder(phone.folder(), &call)
        .into_iter()
        .map(|rung| rung.1)
        .collect();
    let expected = [
        "INVITE", "100", "180", "200", "ACK", "INFO", "200", "BYE", "200",
    ];
    assert_eq!(words, expected);
    for options in [&[][..], &["--json"]] {
        let text = trace(phone.folder(), &call, options);
        assert_no_secrets(&text);
        assert!(text.contains(&bind), "{text}");
    }
    let (seen, ends) = decoded(phone.folder(), &call);
    assert_eq!(seen, expected);
    let theirs = peer.socket.local_addr().unwrap();
    let end = |at: SocketAddr| format!("{} {}", at.ip(), at.port());
    let (ours, theirs) = (end(peer.phone), end(theirs));
    assert_eq!(ends[0], format!("{theirs} > {ours}"));
    assert_eq!(ends[3], format!("{ours} > {theirs}"));
    let folder = phone.stop().into_folder();
    assert_eq!(decoded(folder.path(), &call).0, expected);
}

#[test]
fn a_trace_hides_each_secret_and_decodes_over_ipv4() {
    call_with_secrets("127.0.0.1");
}

#[test]
fn a_trace_hides_each_secret_and_decodes_over_ipv6() {
    call_with_secrets("[::1]");
}

#[test]
fn a_call_that_is_unknown_or_keeps_no_ladder_is_said_so() {
    let mut phone = Phone::start(&["--no-register", "--reject", "603", "--ladder-days", "0"]);
    Sipp::to(phone.address(), "decline", &[]).passes();
    let call = phone.wait("ended")["call_id"].as_str().unwrap().to_owned();
    let folder = phone.stop().into_folder();
    let picture = trace(folder.path(), &call, &[]);
    assert!(picture.contains("no SIP messages are kept"), "{picture}");
    let data = folder.path().as_os_str();
    let arguments = [
        "trace".into(),
        "nobody@nowhere".into(),
        "--data-dir".into(),
        data.into(),
    ];
    let (code, _, stderr) = run(&arguments);
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("there is no call nobody@nowhere"),
        "{stderr}"
    );
}
