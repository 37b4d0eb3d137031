//! What the phone does by rule, whom it believes, and whom it does not hear.

use std::net::{TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use crate::junit::scenario;
use crate::phone::{self, Phone};
use crate::place;
use crate::sipp::Sipp;

/// SIPp calls a phone that takes direct calls; its row, and the event of its arrival.
fn called(name: &str, phone_options: &[&str], sipp_options: &[&str]) -> (Value, Value) {
    let options = [&["--no-register"], phone_options].concat();
    let mut phone = Phone::start(&options);
    Sipp::to(phone.address(), name, sipp_options).passes();
    let ended = phone.wait("ended");
    let row = phone.only_call();
    assert_eq!(phone.stop().code, Some(0));
    (row, ended)
}

#[test]
fn do_not_disturb() {
    scenario("do-not-disturb", || {
        let (row, _) = called("do-not-disturb", &["--dnd"], &[]);
        assert_eq!(row["state"], "rejected", "{row:#}");
        assert_eq!(row["end_reason"], "rejected by do not disturb", "{row:#}");
        assert_eq!(
            row["done"], false,
            "somebody may want to call back: {row:#}"
        );
    });
}

#[test]
fn do_not_disturb_comes_and_goes_by_command() {
    let mut phone = Phone::start(&["--no-register"]);
    phone.send(&json!({"command": "dnd", "on": true}));
    let rules = phone.wait("rules");
    assert_eq!(rules["do_not_disturb"], true, "{rules:#}");
    Sipp::to(phone.address(), "do-not-disturb", &[]).passes();
    phone.wait("ended");
    phone.send(&json!({"command": "dnd", "on": false}));
    phone.wait_for("rules", Duration::from_secs(5), |event| {
        event["event"] == "rules" && event["do_not_disturb"] == false
    });
    Sipp::to(phone.address(), "cancel-after-180", &[]).passes();
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn forward_no_answer() {
    scenario("forward-no-answer", || {
        let options = [
            "--forward-no-answer",
            "sip:mailbox@192.0.2.7",
            "--forward-after",
            "1",
        ];
        let (row, _) = called("forward-no-answer", &options, &[]);
        assert_eq!(row["state"], "forwarded", "{row:#}");
        let words = "forwarded to sip:mailbox@192.0.2.7 (no answer)";
        assert_eq!(row["end_reason"], words, "{row:#}");
        assert_eq!(row["done"], true, "{row:#}");
    });
}

/// Who was sent to a machine was as good as talked with.
#[test]
fn a_caller_whom_the_voice_mail_takes_waits_for_a_call_back() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("config.toml"),
        "[[accounts]]\naddress = \"sip:alice@127.0.0.1\"\nvoicemail = \"sip:mailbox@192.0.2.7\"\n\
         rules = { forward_no_answer = \"sip:mailbox@192.0.2.7\", forward_no_answer_seconds = 1 }\n",
    )
    .unwrap();
    let registrar = Sipp::called("register-with-digest", &[]);
    let address = format!("127.0.0.1:{}", registrar.port());
    let account = ["--account", "sip:alice@127.0.0.1", "--registrar", &address];
    let password = ["--password-env", "RINGDESK_TEST_PASSWORD"];
    let mut phone = Phone::spawn(folder, &[&account[..], &password[..]].concat());
    phone.wait("registered");
    Sipp::to(phone.address(), "forward-no-answer", &[]).passes();
    phone.wait("missed");
    assert_eq!(phone.wait("ended")["state"], "voicemail");
    let row = phone.only_call();
    assert_eq!(row["done"], false, "{row:#}");
    let words = "forwarded to sip:mailbox@192.0.2.7 (no answer)";
    assert_eq!(row["end_reason"], words, "{row:#}");
    assert_eq!(phone.stop().code, Some(0));
    registrar.passes();
}

#[test]
fn forward_always() {
    let options = ["--forward-always", "sip:mailbox@192.0.2.7"];
    let (row, _) = called("redirect", &options, &[]);
    assert_eq!(
        row["end_reason"], "forwarded to sip:mailbox@192.0.2.7 (always)",
        "{row:#}"
    );
}

#[test]
fn forward_busy() {
    scenario("forward-busy", || {
        let registrar = Registrar::start();
        let address = format!("sip:alice@127.0.0.1:{}", registrar.port);
        let account = ["--account", &address, "--auto-answer", "--no-call-waiting"];
        let rule = ["--forward-busy", "sip:mailbox@192.0.2.7"];
        let mut phone = Phone::start(&[&account[..], &rule[..]].concat());
        phone.wait("registered");
        let first = Sipp::to(phone.address(), "bye-from-phone", &[]);
        phone.wait("answered");
        Sipp::to(phone.address(), "forward-busy", &[]).passes();
        let sent = phone.wait("ended");
        assert_eq!(sent["state"], "forwarded", "{sent:#}");
        let words = "forwarded to sip:mailbox@192.0.2.7 (busy)";
        assert_eq!(sent["reason"], words, "{sent:#}");
        phone.command("hangup");
        first.passes();
        phone.wait("ended");
        assert_eq!(phone.stop().code, Some(0));
    });
}

#[test]
fn redirect_by_agent() {
    scenario("redirect-by-agent", || {
        let registrar = Registrar::start();
        let address = format!("sip:alice@127.0.0.1:{}", registrar.port);
        let mut phone = Phone::start(&["--account", &address]);
        phone.wait("registered");
        let caller = Sipp::to(phone.address(), "redirect-by-agent", &[]);
        phone.wait("incoming");
        phone.send(&json!({"command": "redirect", "uri": "sip:mailbox@192.0.2.7"}));
        caller.passes();
        let sent = phone.wait("ended");
        assert_eq!(sent["state"], "forwarded", "{sent:#}");
        assert_eq!(phone.stop().code, Some(0));
    });
}

#[test]
fn answer_by_header() {
    scenario("answer-by-header", || {
        let urls = TcpListener::bind("127.0.0.1:0").unwrap();
        urls.set_nonblocking(true).unwrap();
        let port = urls.local_addr().unwrap().port().to_string();
        let key = ["-key", "url_port", &port];
        let (row, _) = called("answer-by-header", &["--answer-by-header", "always"], &key);
        assert_eq!(row["state"], "completed", "{row:#}");
        let fetched = urls.accept();
        assert!(
            fetched.is_err(),
            "a URL of the call was fetched: {fetched:?}"
        );
    });
}

#[test]
fn a_caller_alone_cannot_make_the_phone_answer() {
    let mut phone = Phone::start(&["--no-register", "--answer-by-header", "trusted"]);
    let sipp = Sipp::to(
        phone.address(),
        "answer-by-header",
        &["-key", "url_port", "9"],
    );
    phone.wait("ringing");
    phone.command("answer");
    let answered = phone.wait("answered");
    assert_eq!(answered["by_wish"], Value::Null, "{answered:#}");
    sipp.passes();
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn picked_up_elsewhere() {
    scenario("picked-up-elsewhere", || {
        let (row, _) = called("picked-up-elsewhere", &[], &[]);
        assert_eq!(row["state"], "answered-elsewhere", "{row:#}");
        assert_eq!(
            row["end_reason"], "answered elsewhere by Ben Ode",
            "{row:#}"
        );
        assert_eq!(row["done"], true, "{row:#}");
    });
}

#[test]
fn diverted_call() {
    scenario("diverted-call", || {
        let (row, ended) = called("diverted-call", &[], &[]);
        assert_eq!(row["via"], "Sales queue (sip:queue@192.0.2.7)", "{row:#}");
        assert_eq!(
            ended["via"],
            json!(["Sales queue (sip:queue@192.0.2.7)"]),
            "{ended:#}"
        );
    });
}

#[test]
fn withheld_number() {
    scenario("withheld-number", || {
        let (row, ended) = called("withheld-number", &[], &[]);
        assert_eq!(row["remote"], "anonymous", "{row:#}");
        assert_eq!(row["remote_name"], Value::Null, "{row:#}");
        assert!(!row.to_string().contains("boss"), "{row:#}");
        assert_eq!(
            ended["from"], "sip:anonymous@anonymous.invalid",
            "{ended:#}"
        );
    });
}

#[test]
fn message_in() {
    scenario("message-in", || {
        let mut phone = Phone::start(&["--no-register"]);
        Sipp::to(phone.address(), "message-in", &[]).passes();
        let text = phone.wait("message");
        let words = text["text"].as_str().unwrap();
        assert_eq!(words.trim_end(), "The meeting is at ten.", "{text:#}");
        let from = text["from"].as_str().unwrap();
        assert!(from.starts_with("sip:service@127.0.0.1"), "{text:#}");
        let ended = phone.stop();
        assert_eq!(ended.code, Some(0));
        let texts = ended.events.iter().filter(|it| it["event"] == "message");
        assert_eq!(texts.count(), 1, "the picture is not shown");
    });
}

/// What the network may say of a number, in From or in P-Asserted-Identity.
const CLAIMS: [(&str, &str, Option<&str>); 5] = [
    (
        "+4930123456;verstat=TN-Validation-Passed",
        "X-Nothing: asserted",
        Some("passed"),
    ),
    (
        "+4930123456",
        "P-Asserted-Identity: <tel:+4930123456;verstat=TN-Validation-Passed>",
        Some("passed"),
    ),
    (
        "+4930123456;verstat=TN-Validation-Passed",
        "P-Asserted-Identity: <sip:+4930123456;verstat=TN-Validation-Failed@192.0.2.7;user=phone>",
        Some("failed"),
    ),
    (
        "+4930123456;verstat=No-TN-Validation",
        "X-Nothing: asserted",
        Some("none"),
    ),
    ("+4930123456", "X-Nothing: asserted", None),
];

/// The arrival of a call with claims about its number, and the call's row.
fn claimed(phone: &mut Phone, number: &str, claim: &str) -> (Value, Value) {
    let keys = ["-key", "number", number, "-key", "claim", claim];
    Sipp::to(phone.address(), "verstat", &keys).passes();
    let incoming = phone.wait("incoming");
    phone.wait("ended");
    let rows = phone.calls();
    let mut its = rows.iter().filter(|row| row["id"] == incoming["call_id"]);
    let row = its.next().unwrap_or_else(|| panic!("{rows:#?}")).clone();
    (incoming, row)
}

#[test]
fn verstat() {
    scenario("verstat", || {
        let registrar = Registrar::start();
        let address = format!("sip:alice@127.0.0.1:{}", registrar.port);
        let mut phone = Phone::start(&["--account", &address]);
        phone.wait("registered");
        for (number, claim, proof) in CLAIMS {
            let (incoming, row) = claimed(&mut phone, number, claim);
            for told in [&incoming, &row] {
                assert_eq!(
                    told["number_proof"],
                    json!(proof),
                    "{number} {claim}: {told:#}"
                );
            }
            assert_eq!(row["remote"], "+4930123456", "{row:#}");
        }
        // Whoever is not the own server may write what he likes.
        let mut phone = Phone::start(&["--no-register"]);
        for (number, claim, _) in CLAIMS {
            let (incoming, row) = claimed(&mut phone, number, claim);
            for told in [incoming, row] {
                assert_eq!(told["number_proof"], Value::Null, "{told:#}");
            }
        }
    });
}

#[test]
fn a_costly_number_is_not_dialled_for_a_program_without_a_yes() {
    let options = ["--no-register", "--calls-per-hour", "1"];
    let mut phone = Phone::start(&options);
    let costly = "sip:+19005550123@127.0.0.1:9";
    phone.send(&json!({"command": "call", "uri": costly}));
    let refused = phone.wait("error");
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains("may be expensive") && message.contains("--allow"),
        "{message}"
    );
    phone.send(&json!({"command": "call", "uri": costly, "confirm": true}));
    phone.wait("ended");
    phone.send(&json!({"command": "call", "uri": "sip:101@127.0.0.1:9"}));
    let refused = phone.wait_for("the limit", Duration::from_secs(5), |event| {
        event["event"] == "error" && event["target"] == "sip:101@127.0.0.1:9"
    });
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains("1 calls within the last hour"),
        "{message}"
    );
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn digits_by_info() {
    scenario("digits-by-info", || {
        let sipp = Sipp::called("digits-by-info", &[]);
        let uri = sipp.uri();
        let options = [
            "--no-register",
            "--call",
            &uri,
            "--exit-after-calls",
            "1",
            "--hangup-after",
            "1",
            "--dtmf",
            "5#",
            "--dtmf-by",
            "info",
        ];
        let ended = Phone::start(&options).ended();
        sipp.passes();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    });
}

/// Accepts every REGISTER until it is dropped.
struct Registrar {
    port: u16,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Registrar {
    fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        socket
            .set_read_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let thread = std::thread::Builder::new()
            .name("registrar".to_owned())
            .spawn(move || {
                let mut buffer = [0; 65_536];
                while !ends.load(Ordering::Relaxed) {
                    let Ok((length, from)) = socket.recv_from(&mut buffer) else {
                        continue;
                    };
                    let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                    if text.starts_with("REGISTER ") {
                        socket.send_to(accepted(&text).as_bytes(), from).unwrap();
                    }
                }
            })
            .unwrap();
        Self {
            port,
            over,
            thread: Some(thread),
        }
    }
}

impl Drop for Registrar {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn accepted(register: &str) -> String {
    let copied: String = register
        .lines()
        .filter(|line| {
            ["Via:", "From:", "Call-ID:", "CSeq:", "Contact:"]
                .iter()
                .any(|name| line.starts_with(name))
        })
        .map(|line| format!("{line}\r\n"))
        .collect();
    let to = register
        .lines()
        .find(|line| line.starts_with("To:"))
        .unwrap();
    format!("SIP/2.0 200 OK\r\n{copied}{to};tag=r\r\nContent-Length: 0\r\n\r\n")
}

#[test]
fn a_scanner_hears_little_and_the_doctor_tells_of_it() {
    let registrar = Registrar::start();
    let address = format!("sip:alice@127.0.0.1:{}", registrar.port);
    let mut phone = Phone::start(&["--account", &address]);
    phone.wait("registered");
    let to = phone.address();
    let scanner = UdpSocket::bind("127.0.0.2:0").unwrap();
    scanner
        .set_read_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    let from = scanner.local_addr().unwrap();
    let mut sent = 0;
    for number in 0..60 {
        let method = if number % 2 == 0 { "INVITE" } else { "OPTIONS" };
        let request = format!(
            "{method} sip:{number}@{to} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {from};rport;branch=z9hG4bK-scan-{number}\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:scanner@{from}>;tag=s\r\n\
             To: <sip:{number}@{to}>\r\n\
             Call-ID: scan-{number}\r\n\
             CSeq: 1 {method}\r\n\
             Contact: <sip:scanner@{from}>\r\n\
             Content-Length: 0\r\n\r\n"
        );
        sent += request.len();
        scanner.send_to(request.as_bytes(), to).unwrap();
    }
    scanner.send_to(b"nonsense\r\n\r\n", to).unwrap();
    let (mut answers, mut heard) = (0, 0);
    let mut buffer = [0; 65_536];
    while let Ok((length, _)) = scanner.recv_from(&mut buffer) {
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        assert!(text.starts_with("SIP/2.0 404 "), "{text}");
        answers += 1;
        heard += length;
    }
    assert_eq!(answers, 8);
    assert!(heard < sent, "{heard} octets for {sent}");
    assert_eq!(phone.calls(), Vec::<Value>::new(), "it never rang");

    let folder = phone.folder().to_owned();
    let doctor = || {
        let arguments = ["doctor", "--json", "--data-dir"].map(Into::into);
        let arguments = [&arguments[..], &[folder.clone().into()]].concat();
        let (code, out, _) = phone::run(&arguments);
        let checks: Vec<Value> = out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        (code, checks)
    };
    let find = |checks: &[Value], name: &str| {
        let found = checks.iter().find(|check| check["check"] == name);
        found
            .unwrap_or_else(|| panic!("{name}: {checks:#?}"))
            .clone()
    };
    let checks = place::until("the doctor does not tell of the scanner", || {
        let (_, checks) = doctor();
        let refused = find(&checks, "refused");
        (refused["sources"][0]["source"] == "127.0.0.2").then_some(checks)
    });
    let refused = find(&checks, "refused");
    assert_eq!(refused["sources"][0]["why"], "stranger", "{refused:#}");
    assert_eq!(refused["sources"][0]["requests"], 60, "{refused:#}");
    let malformed = find(&checks, "malformed");
    assert_eq!(malformed["sources"][0]["requests"], 1, "{malformed:#}");
    let registration = find(&checks, "registration");
    assert_eq!(registration["state"], "ok", "{registration:#}");
    assert!(
        registration["message"]
            .as_str()
            .unwrap()
            .contains("is registered")
    );
    for name in ["configuration", "store", "ports", "disk"] {
        assert_eq!(find(&checks, name)["state"], "ok", "{checks:#?}");
    }
    assert_eq!(doctor().0, Some(0));
    assert_eq!(phone.stop().code, Some(0));
}

/// The phone has as many calls as it may: an ordinary one more is refused, one for help goes out.
#[test]
fn a_call_for_help_goes_out_at_the_limit_of_calls() {
    scenario("call-out", || {
        let other = Sipp::called("call-out", &[]);
        let help = Sipp::called("call-out", &[]);
        let at = |user: &str, sipp: &Sipp| format!("sip:{user}@127.0.0.1:{}", sipp.port());
        let options = ["--no-register", "--max-calls", "1", "--hide-number"];
        let mut phone = Phone::start(&[&options[..], &["--call", &at("sipp", &other)]].concat());
        let first = phone.wait("answered")["call_id"].clone();
        phone.send(&json!({"command": "call", "uri": at("bob", &help)}));
        let refused = phone.wait_for("a refusal", Duration::from_secs(5), |event| {
            event["event"] == "error"
        });
        let words = refused["message"].as_str().unwrap();
        assert!(words.contains("the limit"), "{refused:#}");
        phone.send(&json!({"command": "call", "uri": at("112", &help)}));
        let call = phone.wait_for("the call for help", Duration::from_secs(20), |event| {
            event["event"] == "answered" && event["call_id"] != first
        });
        for call in [&call["call_id"], &first] {
            phone.send(&json!({"command": "hangup", "call_id": call}));
        }
        help.passes();
        other.passes();
        assert_eq!(phone.stop().code, Some(0));
    });
}

#[test]
fn a_call_in_which_nothing_is_heard_ends_by_itself() {
    let sipp = Sipp::called("record-route-out", &[]);
    let proxy = format!("sip:127.0.0.1:{};lr", sipp.port());
    let way = ["--outbound-proxy", &proxy, "--call", "sip:sipp@192.0.2.7"];
    let options = ["--no-register", "--silence-limit", "10"];
    let mut phone = Phone::start(&[&options[..], &way[..]].concat());
    phone.wait("answered");
    let warned = phone.wait_for("a warning", Duration::from_secs(20), |event| {
        event["event"] == "error"
    });
    let words = warned["message"].as_str().unwrap();
    assert!(words.contains("nothing was heard"), "{warned:#}");
    let ended = phone.wait("ended");
    let words = "ended by itself: nothing was heard from the far end for 10 s";
    assert_eq!(ended["reason"], words, "{ended:#}");
    sipp.passes();
    let row = phone.only_call();
    assert_eq!(row["end_reason"], words, "{row:#}");
    assert_eq!(row["state"], "completed", "{row:#}");
}

/// Each way by which a program could send callers to a number that costs.
#[test]
fn a_program_sends_nobody_to_a_costly_number_without_a_question() {
    let mut phone = Phone::start(&["--no-register", "--control", "stdin"]);
    let costly = "tel:+882991234567";
    phone.send(&json!({"command": "forward", "uri": costly}));
    let error = phone.wait("error");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("\"confirm\": true"),
        "{error:#}"
    );
    let sipp = Sipp::to(phone.address(), "redirect", &[]);
    let ringing = phone.wait("ringing");
    let redirect = json!({"command": "redirect", "call_id": ringing["call_id"], "uri": costly});
    phone.send(&redirect);
    phone.wait_for("error", Duration::from_secs(5), |event| {
        event["event"] == "error" && event["call_id"] == ringing["call_id"]
    });
    let pickup = json!({
        "command": "pickup", "uri": "sip:+882991234567@127.0.0.1:9",
        "sip_call_id": "a", "local_tag": "b", "remote_tag": "c",
    });
    phone.send(&pickup);
    phone.wait_for("error", Duration::from_secs(5), |event| {
        event["event"] == "error"
            && event["message"]
                .as_str()
                .unwrap()
                .contains("where it rings")
    });
    // With a yes it goes there.
    let mut redirect = redirect;
    redirect["confirm"] = true.into();
    phone.send(&redirect);
    let ended = phone.wait("ended");
    assert_eq!(ended["status"], 302, "{ended:#}");
    // Its scenario wants another address.
    drop(sipp);
    assert_eq!(phone.calls().len(), 1);
    assert_eq!(phone.stop().code, Some(0));
}
