//! What others tell: SIPp as the notifier of each SIPp scenario, and Kamailio as a presence server
//! that aggregates what is published.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use serde_json::{Value, json};

use crate::junit::scenario;
use crate::kamailio::Kamailio;
use crate::phone::Phone;
use crate::place;
use crate::sipp::Sipp;

/// How long news may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until a watched colleague is in that state.
fn until_state(phone: &mut Phone, state: &str) -> Value {
    phone.wait_for(&format!("watched, {state}"), PATIENCE, |event| {
        event["event"] == "watched" && event["state"] == state
    })
}

#[test]
fn watch_colleague() {
    scenario("watch-colleague", || {
        let sipp = Sipp::called("watch-colleague", &[]);
        let uri = format!("sip:bob@127.0.0.1:{}", sipp.port());
        let mut phone = Phone::start(&["--no-register", "--watch", &uri]);
        until_state(&mut phone, "free");
        let ringing = until_state(&mut phone, "ringing");
        assert_eq!(ringing["detail"], "Anna (anna@example.com)");
        assert_eq!(ringing["uri"], uri);
        assert_eq!(ringing["pickup"]["remote_tag"], "caller-tag");
        let talking = until_state(&mut phone, "talking");
        assert_eq!(talking["pickup"], Value::Null);
        assert_eq!(phone.stop().code, Some(0));
        sipp.passes();
    });
}

#[test]
fn pick_up() {
    scenario("pick-up", || {
        let caller = Sipp::called("pick-up", &[]);
        let port = caller.port().to_string();
        let notifier = Sipp::called("watch-ringing", &["-key", "caller", &port]);
        let uri = format!("sip:bob@127.0.0.1:{}", notifier.port());
        let options = ["--no-register", "--watch", &uri, "--control", "stdin"];
        let mut phone = Phone::start(&options);
        let ringing = until_state(&mut phone, "ringing");
        notifier.passes();
        let mut command = ringing["pickup"].clone();
        command["command"] = json!("pickup");
        phone.send(&command);
        phone.wait("answered");
        phone.command("hangup");
        phone.wait("ended");
        caller.passes();
        assert_eq!(phone.only_call()["state"], "completed");
    });
}

#[test]
fn message_waiting_unasked() {
    scenario("message-waiting-unasked", || {
        let mut phone = Phone::start(&["--no-register"]);
        Sipp::to(phone.address(), "message-waiting-unasked", &[]).passes();
        let waiting = phone.wait("message_waiting");
        assert_eq!(waiting["waiting"], true);
        assert_eq!(
            waiting["counts"]["voice"],
            json!({"new": 2, "old": 5, "new_urgent": 1, "old_urgent": 0})
        );
        assert_eq!(waiting["voicemail"], "sip:*97@example.com");
    });
}

#[test]
fn notify_of_nothing() {
    scenario("notify-of-nothing", || {
        let phone = Phone::start(&["--no-register"]);
        Sipp::to(phone.address(), "notify-of-nothing", &[]).passes();
        assert_eq!(phone.calls(), Vec::<Value>::new());
        assert_eq!(phone.stop().code, Some(0));
    });
}

/// Publishes a state of bob's at Kamailio, as his phone would (RFC 3903).
struct Publisher {
    socket: UdpSocket,
    to: String,
    number: u32,
}

impl Publisher {
    fn new(kamailio: &Kamailio) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.connect(kamailio.address()).unwrap();
        Self {
            socket,
            to: "sip:bob@lab.example".to_owned(),
            number: 0,
        }
    }

    /// Publishes; `etag` names the state that this one takes the place of.
    fn publish(&mut self, event: &str, kind: &str, body: &str, etag: Option<&str>) -> String {
        self.number += 1;
        let own = self.socket.local_addr().unwrap();
        let (to, number) = (&self.to, self.number);
        let fresh = etag.map_or_else(String::new, |etag| format!("SIP-If-Match: {etag}\r\n"));
        let request = format!(
            "PUBLISH {to} SIP/2.0\r\nVia: SIP/2.0/UDP {own};rport;branch=z9hG4bKp{number}\r\n\
             Max-Forwards: 70\r\nFrom: <{to}>;tag=p{number}\r\nTo: <{to}>\r\n\
             Call-ID: publish-{number}@{own}\r\nCSeq: 1 PUBLISH\r\nEvent: {event}\r\n\
             Expires: 600\r\n{fresh}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.socket.send(request.as_bytes()).unwrap();
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).unwrap();
        let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
        assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
        let etag = answer
            .lines()
            .find_map(|line| line.strip_prefix("SIP-ETag: "));
        etag.unwrap().trim().to_owned()
    }
}

/// Alice's phone at a Kamailio that is a presence server.
fn alice(kamailio: &Kamailio, more: &[&str]) -> Phone {
    let address = kamailio.address();
    let proxy = format!("sip:{address};lr");
    let mut options = vec![
        "--account",
        "sip:alice@lab.example",
        "--registrar",
        &address,
        "--outbound-proxy",
        &proxy,
        "--password-env",
        "RINGDESK_TEST_PASSWORD",
    ];
    options.extend(more);
    let mut phone = Phone::start(&options);
    phone.wait("registered");
    phone
}

fn presence(basic: &str, inner: &str) -> String {
    format!(
        "<?xml version='1.0'?><presence xmlns='urn:ietf:params:xml:ns:pidf' \
         xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' \
         xmlns:rpid='urn:ietf:params:xml:ns:pidf:rpid' entity='sip:bob@lab.example'>\
         <tuple id='t1'><status><basic>{basic}</basic></status></tuple>{inner}</presence>"
    )
}

fn dialog(state: &str) -> String {
    format!(
        "<?xml version='1.0'?><dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info' version='1' \
         state='full' entity='sip:bob@lab.example'><dialog id='d7' call-id='c7' local-tag='l7' \
         remote-tag='r7' direction='recipient'><state>{state}</state>\
         <remote><identity>sip:carol@lab.example</identity>\
         <target uri='sip:carol@127.0.0.1:9'/></remote></dialog></dialog-info>"
    )
}

#[test]
fn presence_comes_through_kamailio() {
    place::need("kamailio");
    let kamailio = Kamailio::start(&["WITH_PRESENCE"]);
    let mut bob = Publisher::new(&kamailio);
    let mut phone = alice(&kamailio, &["--presence", "sip:bob@lab.example"]);
    let kind = "application/pidf+xml";
    let etag = bob.publish("presence", kind, &presence("open", ""), None);
    until_state(&mut phone, "available");
    let meeting = "<dm:person id='p1'><rpid:activities><rpid:meeting/></rpid:activities>\
                   <dm:note>Until noon</dm:note></dm:person>";
    bob.publish("presence", kind, &presence("open", meeting), Some(&etag));
    let busy = until_state(&mut phone, "busy");
    assert_eq!(busy["detail"], "Until noon");
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn a_colleagues_phone_is_watched_through_kamailio() {
    let kamailio = Kamailio::start(&["WITH_PRESENCE"]);
    let mut bob = Publisher::new(&kamailio);
    let mut phone = alice(&kamailio, &["--watch", "bob"]);
    let kind = "application/dialog-info+xml";
    let etag = bob.publish("dialog", kind, &dialog("early"), None);
    let ringing = until_state(&mut phone, "ringing");
    assert_eq!(ringing["uri"], "sip:bob@lab.example");
    assert_eq!(ringing["detail"], "carol@lab.example");
    assert_eq!(ringing["pickup"]["uri"], "sip:carol@127.0.0.1:9");
    let etag = bob.publish("dialog", kind, &dialog("confirmed"), Some(&etag));
    until_state(&mut phone, "talking");
    bob.publish("dialog", kind, &dialog("terminated"), Some(&etag));
    until_state(&mut phone, "free");
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn waiting_messages_come_through_kamailio() {
    let kamailio = Kamailio::start(&["WITH_PRESENCE"]);
    let mut mailbox = Publisher::new(&kamailio);
    mailbox.to = "sip:alice@lab.example".to_owned();
    let mut phone = alice(&kamailio, &["--message-waiting"]);
    let body = "Messages-Waiting: yes\r\nMessage-Account: sip:8000@lab.example\r\n\
                Voice-Message: 4/1 (0/0)\r\n";
    mailbox.publish(
        "message-summary",
        "application/simple-message-summary",
        body,
        None,
    );
    let waiting = phone.wait("message_waiting");
    assert_eq!(waiting["account"], "sip:alice@lab.example");
    assert_eq!(waiting["counts"]["voice"]["new"], 4);
    assert_eq!(waiting["voicemail"], "sip:8000@lab.example");
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn a_server_without_presence_says_why_nothing_is_known() {
    let kamailio = Kamailio::start(&[]);
    let mut phone = alice(&kamailio, &["--watch", "bob"]);
    let told = phone.wait_for("watched with a problem", PATIENCE, |event| {
        event["event"] == "watched" && event["problem"] != Value::Null
    });
    assert_eq!(told["state"], "unknown");
    let problem = told["problem"].as_str().unwrap();
    assert!(
        problem.contains("knows nobody by this address"),
        "{problem}"
    );
    assert!(problem.contains("tried again"), "{problem}");
}
