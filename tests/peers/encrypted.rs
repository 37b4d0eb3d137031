//! Registration and calls through Kamailio over TLS and WebSocket, and the certificates that the
//! phone must refuse.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::Duration;

use rcgen::date_time_ymd;
use serde_json::json;
use tempfile::TempDir;

use crate::certificates::{Authority, Pair};
use crate::kamailio::{Kamailio, Secured};
use crate::phone::{Ended, Phone};
use crate::place::PATIENCE;

fn with<'a>(options: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    let options = options.iter().map(String::as_str);
    options.chain(more.iter().copied()).collect()
}

fn registered(options: &[String], more: &[&str]) -> Phone {
    let mut phone = Phone::start(&with(options, more));
    phone.wait("registered");
    phone
}

/// What becomes of a phone that cannot register.
fn refused(options: &[String], more: &[&str]) -> Ended {
    let ended = Phone::spawn(TempDir::new().unwrap(), &with(options, more)).ended();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    ended
}

/// The reason stands in the event and on stderr.
fn told(ended: &Ended, words: &[&str]) {
    let reason = ended.event("registration_failed")["reason"].clone();
    let reason = reason.as_str().unwrap().to_owned();
    for word in words {
        assert!(reason.contains(word), "no `{word}` in: {reason}");
        assert!(ended.stderr.contains(word), "{}", ended.stderr);
    }
}

/// Bob answers; alice holds and resumes, and one of them hangs up.
fn two_phones_talk(alices_transport: &str, bobs_transport: &str, bob_hangs_up: bool) {
    let authority = Authority::new("lab authority");
    let secured = Secured::by(&authority.issue("lab.example"));
    let kamailio = Kamailio::start_secured(&[], &secured);
    let ca = authority.file();
    let bobs = kamailio.secured_options("bob", bobs_transport, &ca);
    let mut bob = registered(&bobs, &["--auto-answer=100"]);
    let alices = kamailio.secured_options("alice", alices_transport, &ca);
    let more = ["--call", "sip:bob@lab.example", "--exit-after-calls", "1"];
    let mut alice = registered(&alices, &more);
    alice.wait("answered");
    bob.wait("answered");
    alice.command("hold");
    alice.wait("held");
    alice.command("resume");
    alice.wait("resumed");
    if bob_hangs_up {
        bob.command("hangup");
    } else {
        alice.command("hangup");
    }
    bob.wait("ended");
    let ended = alice.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.only_call()["state"], "completed");
    assert_eq!(bob.only_call()["state"], "completed");
    assert_eq!(bob.stop().code, Some(0));
}

#[test]
fn a_phone_on_tls_calls_one_on_udp_through_kamailio() {
    two_phones_talk("tls", "udp", true);
}

#[test]
fn a_phone_on_udp_calls_one_on_tls_through_kamailio() {
    two_phones_talk("udp", "tls", false);
}

#[test]
fn a_phone_on_wss_calls_one_on_tls_through_kamailio() {
    two_phones_talk("wss", "tls", true);
}

#[test]
fn a_phone_on_tls_calls_one_on_ws_through_kamailio() {
    two_phones_talk("tls", "ws", false);
}

#[test]
fn a_phone_on_tls_registers_by_the_systems_trust_store() {
    let authority = Authority::new("lab authority");
    let secured = Secured::by(&authority.issue("lab.example"));
    let kamailio = Kamailio::start_secured(&[], &secured);
    let mut options = kamailio.secured_options("alice", "tls", "");
    let own = options.iter().position(|it| it == "--tls-ca").unwrap();
    options.drain(own..own + 2);
    // So the system's store counts, which this variable names.
    let env = [
        "env".into(),
        format!("SSL_CERT_FILE={}", authority.file()).into(),
    ];
    let folder = TempDir::new().unwrap();
    let mut phone = Phone::behind(&env, folder.path(), &with(&options, &[]));
    phone.wait("registered");
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn a_server_of_an_unknown_authority_is_refused_unless_its_certificate_is_pinned() {
    let (stranger, trusted) = (Authority::new("stranger"), Authority::new("trusted"));
    let pair = stranger.issue("lab.example");
    let kamailio = Kamailio::start_secured(&[], &Secured::by(&pair));
    for transport in ["tls", "wss"] {
        let options = kamailio.secured_options("alice", transport, &trusted.file());
        let ended = refused(&options, &[]);
        told(
            &ended,
            &["CN=stranger", "not trusted", "ca_file", &pair.fingerprint],
        );
        let phone = registered(&options, &["--tls-pin", &pair.fingerprint]);
        assert_eq!(phone.stop().code, Some(0));
        let other = trusted.issue("lab.example").fingerprint;
        let ended = refused(&options, &["--tls-pin", &other]);
        told(&ended, &["another certificate", "than the pinned one"]);
    }
}

#[test]
fn a_certificate_for_another_name_is_refused_with_the_names_that_it_has() {
    let authority = Authority::new("lab authority");
    let secured = Secured::by(&authority.issue("sip.other.example"));
    let kamailio = Kamailio::start_secured(&[], &secured);
    let options = kamailio.secured_options("alice", "tls", &authority.file());
    let ended = refused(&options, &[]);
    told(&ended, &["is for sip.other.example, not for 127.0.0.1"]);
}

#[test]
fn an_expired_certificate_is_refused_with_its_date() {
    let authority = Authority::new("lab authority");
    let expired = authority.issue_with("lab.example", |params| {
        params.not_after = date_time_ymd(2020, 2, 29);
    });
    let kamailio = Kamailio::start_secured(&[], &Secured::by(&expired));
    let options = kamailio.secured_options("alice", "tls", &authority.file());
    let ended = refused(&options, &[]);
    told(&ended, &["expired on 2020-02-29", "must renew it"]);
}

#[test]
fn a_server_that_demands_a_certificate_is_shown_one() {
    let authority = Authority::new("lab authority");
    let secured = Secured {
        clients: Some(authority.file()),
        ..Secured::by(&authority.issue("lab.example"))
    };
    let kamailio = Kamailio::start_secured(&[], &secured);
    let options = kamailio.secured_options("alice", "tls", &authority.file());
    told(
        &refused(&options, &[]),
        &["demands a certificate", "client_certificate"],
    );
    let shown = |pair: &Pair| {
        let words = [&pair.certificate, &pair.key].map(|it| it.to_string_lossy().into_owned());
        let [certificate, key] = words;
        [
            "--tls-certificate".to_owned(),
            certificate,
            "--tls-key".to_owned(),
            key,
        ]
    };
    let own = shown(&authority.issue("alice.example"));
    let phone = registered(&options, &own.each_ref().map(String::as_str));
    assert_eq!(phone.stop().code, Some(0));
    let foreign = shown(&Authority::new("stranger").issue("alice.example"));
    let ended = refused(&options, &foreign.each_ref().map(String::as_str));
    // Its files went with the authority's folder.
    told(&ended, &["cannot be read"]);
}

#[test]
fn a_server_of_tls_1_0_is_refused_with_an_explanation() {
    // ServerHello of TLS 1.0: no session, AES-128-CBC, no compression.
    const HELLO: &[u8] = b"\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01\
        0123456789abcdef0123456789abcdef\x00\x00\x2f\x00";
    let authority = Authority::new("lab authority");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        assert!(stream.read(&mut [0; 4000]).unwrap() > 0);
        stream.write_all(HELLO).unwrap();
        // Until the phone leaves.
        let _end = stream.read_to_end(&mut Vec::new());
    });
    let address = address.to_string();
    let proxy = format!("sip:{address};transport=tls;lr");
    let ca = authority.file();
    let options: Vec<String> = [
        "--account",
        "sip:alice@lab.example",
        "--outbound-proxy",
        &proxy,
        "--transport",
        "tls",
        "--tls-ca",
        &ca,
    ]
    .map(str::to_owned)
    .to_vec();
    told(
        &refused(&options, &[]),
        &["only TLS 1.0 or 1.1", "switch TLS 1.2 on"],
    );
    server.join().unwrap();
}

#[test]
fn a_websocket_at_another_path_is_told() {
    let authority = Authority::new("lab authority");
    let secured = Secured::by(&authority.issue("lab.example"));
    let kamailio = Kamailio::start_secured(&[], &secured);
    let options = kamailio.secured_options("alice", "wss", &authority.file());
    let ended = refused(&options, &["--websocket-path", "/elsewhere"]);
    told(&ended, &["HTTP 404 at /elsewhere", "websocket_path"]);
}

/// Two phones without a server between them, each with a certificate of the same authority.
#[test]
fn a_direct_call_by_tls_is_taken_where_there_is_a_certificate() {
    let authority = Authority::new("lab authority");
    let pair = authority.issue_with("127.0.0.1", |params| {
        params.subject_alt_names = vec![rcgen::SanType::IpAddress(Ipv4Addr::LOCALHOST.into())];
    });
    let (certificate, key) = (
        pair.certificate.to_string_lossy(),
        pair.key.to_string_lossy(),
    );
    let mut callee = Phone::spawn(
        TempDir::new().unwrap(),
        &[
            "--no-register",
            "--auto-answer",
            "--tls-certificate",
            &certificate,
            "--tls-key",
            &key,
        ],
    );
    let started = callee.wait("started");
    let port = started["tls_port"].as_u64().unwrap();
    let ca = authority.file();
    for target in [
        format!("sip:bob@127.0.0.1:{port};transport=tls"),
        format!("sips:bob@127.0.0.1:{port}"),
    ] {
        let caller = Phone::start(&[
            "--no-register",
            "--tls-ca",
            &ca,
            "--call",
            &target,
            "--hangup-after",
            "0.5",
            "--exit-after-calls",
            "1",
        ]);
        let ended = caller.ended();
        assert_eq!(ended.code, Some(0), "{target}: {}", ended.stderr);
        assert_eq!(ended.only_call()["state"], json!("completed"));
        callee.wait_for("ended", Duration::from_secs(20), |event| {
            event["event"] == "ended"
        });
    }
    assert_eq!(callee.stop().code, Some(0));
}
