//! IPv6: SIPp over `::1` and over link-local addresses, Kamailio as registrar, and a phone between a
//! peer that has IPv6 alone and one that has IPv4 alone.

use std::ffi::OsString;
use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::audio::{Sound, read_recording};
use crate::kamailio::Kamailio;
use crate::namespace::{Namespaces, unix_now};
use crate::phone::{Phone, only_recording};
use crate::place;
use crate::sipp::Sipp;

/// The tone that SIPp sends.
const FAR_TONE: f64 = 440.0;

/// A phone at an address of its own choice, and where it takes SIP.
fn phone_at(prefix: &[OsString], bind: &str, options: &[&str]) -> (Phone, SocketAddr, TempDir) {
    let folder = TempDir::new().unwrap();
    let all = [&["--bind", bind][..], options].concat();
    let mut phone = Phone::behind(prefix, folder.path(), &all);
    let started = phone.wait("started");
    let address = started["sip"].as_str().unwrap().parse().unwrap();
    (phone, address, folder)
}

/// All of it is there.
fn assert_holds(messages: &str, wanted: &[&str]) {
    for words in wanted {
        assert!(messages.contains(words), "no `{words}`: {messages}");
    }
}

/// SIPp's tone is on the right side of the only recording.
fn assert_heard(records: &Path) {
    let (_, right) = read_recording(&only_recording(records));
    let share = right.share_of_tone(FAR_TONE);
    assert!(share > 0.7, "{share} of what was heard is the tone");
}

#[test]
fn sipp_calls_over_ipv6() {
    for (scenario, options) in [("call-in", &[][..]), ("tcp-call-in", &["-t", "t1"])] {
        let own = ["--no-register", "--auto-answer=100"];
        let (mut phone, address, _folder) = phone_at(&[], "::1", &own);
        let sipp = Sipp::from(&[], "::1", &address.to_string(), scenario, options);
        let ended = phone.wait("ended");
        assert_eq!(ended["state"], "completed", "{scenario}: {ended}");
        let contact = format!("@[::1]:{}", address.port());
        assert_holds(&sipp.messages(), &[&contact, "c=IN IP6 ::1\r\n"]);
        sipp.passes();
        assert_eq!(phone.stop().code, Some(0));
    }
}

#[test]
fn sipp_is_called_over_ipv6_and_heard() {
    for transport in ["udp", "tcp"] {
        let records = TempDir::new().unwrap();
        let options: &[&str] = if transport == "tcp" {
            &["-t", "t1"]
        } else {
            &[]
        };
        let sipp = Sipp::called_at(&[], "::1", "call-out", options);
        let uri = format!("sip:sipp@[::1]:{};transport={transport}", sipp.port());
        let folder = records.path().to_string_lossy();
        let own = ["--no-register", "--call", &uri, "--record-dir", &folder];
        let more = ["--hangup-after", "3", "--exit-after-calls", "1"];
        let (phone, address, _folder) = phone_at(&[], "::1", &[&own[..], &more].concat());
        let ended = phone.ended();
        assert_eq!(ended.code, Some(0), "{transport}: {}", ended.stderr);
        let via = format!(
            "Via: SIP/2.0/{} [::1]:{};rport;",
            transport.to_uppercase(),
            address.port()
        );
        let contact = format!("@[::1]:{}", address.port());
        let sdp = "c=IN IP6 ::1\r\n";
        assert_holds(&sipp.messages(), &[&via, &contact, sdp]);
        sipp.passes();
        assert_heard(records.path());
    }
}

/// RFC 3261 section 18.2.1 and RFC 3581 section 4.
#[test]
fn received_and_rport_are_ipv6_too() {
    let (phone, address, _folder) = phone_at(&[], "::1", &["--no-register"]);
    let socket = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(place::PATIENCE)).unwrap();
    let port = socket.local_addr().unwrap().port();
    let rows = [
        // From behind a NAT: the answer comes to where the request was seen.
        (
            "[2001:db8::9]:5999;rport",
            format!("received=::1;rport={port}"),
        ),
        ("[2001:db8::9]:PORT", "received=::1".to_owned()),
        ("[::1]:PORT;rport", format!("rport={port}")),
    ];
    for (number, (sent_by, wanted)) in rows.into_iter().enumerate() {
        let sent_by = sent_by.replace("PORT", &port.to_string());
        let request = format!(
            "OPTIONS sip:phone@{address} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {sent_by};branch=z9hG4bK-v6-{number}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:a@[::1]>;tag=a\r\nTo: <sip:phone@{address}>\r\n\
             Call-ID: v6-{number}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        );
        socket.send_to(request.as_bytes(), address).unwrap();
        let mut buffer = [0; 4096];
        let (length, _) = socket.recv_from(&mut buffer).unwrap();
        let text = String::from_utf8_lossy(&buffer[..length]);
        assert!(text.starts_with("SIP/2.0 200 "), "{text}");
        let via = text.lines().find(|line| line.starts_with("Via: ")).unwrap();
        for part in wanted.split(';') {
            assert!(via.split(';').any(|it| it == part), "no `{part}`: {via}");
        }
        assert!(
            via.contains("[2001:db8::9]") || via.contains("[::1]"),
            "{via}"
        );
    }
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn two_phones_register_and_talk_through_kamailio_over_ipv6() {
    let port = place::ports(1);
    let kamailio = Kamailio::start_at(&[], "[::1]", port, &[]);
    for transport in ["udp", "tcp"] {
        let registrar = format!("[::1]:{port}");
        let proxy = format!("sip:[::1]:{port};transport={transport};lr");
        let options = |user: &str| {
            [
                "--account",
                &format!("sip:{user}@lab.example"),
                "--registrar",
                &registrar,
                "--outbound-proxy",
                &proxy,
                "--transport",
                transport,
                "--password-env",
                "RINGDESK_TEST_PASSWORD",
            ]
            .map(str::to_owned)
        };
        let start = |user: &str, more: &[&str]| {
            let own = options(user);
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            let (mut phone, _, folder) = phone_at(&[], "::1", &[&own[..], more].concat());
            phone.wait("registered");
            (phone, folder)
        };
        let (mut bob, _bobs) = start("bob", &["--auto-answer"]);
        let call = ["--call", "sip:bob@lab.example", "--hangup-after", "1"];
        let more = [&call[..], &["--exit-after-calls", "1"]].concat();
        let (alice, _alices) = start("alice", &more);
        let ended = alice.ended();
        assert_eq!(ended.code, Some(0), "{transport}: {}", ended.stderr);
        bob.wait("ended");
        assert_eq!(bob.stop().code, Some(0));
    }
    drop(kamailio);
}

/// The phone and the far end reach each other by both families, and by link-local addresses that are
/// the same on both cables.
fn both_families() -> Namespaces {
    let spaces = Namespaces::new();
    for cable in [1, 2] {
        spaces.plug(cable, u32::from(cable) * 100);
        spaces.phone(&format!("addr add fe80::2/64 dev cable{cable} nodad"));
        spaces.far(&format!("addr add fe80::1/64 dev end{cable} nodad"));
    }
    spaces.phone("addr add fd71:1::2/64 dev cable1 nodad");
    spaces
}

#[test]
fn a_peer_without_ipv4_and_one_without_ipv6_talk_to_one_phone_at_once() {
    let spaces = both_families();
    let far = spaces.in_far();
    let v4 = Sipp::called_at(&far, "10.71.1.1", "call-out", &[]);
    let v6 = Sipp::called_at(&far, "fd71:1::1", "call-out", &[]);
    let own = [
        "--no-register",
        "--hangup-after",
        "3",
        "--exit-after-calls",
        "2",
    ];
    let (mut phone, bound, _folder) = phone_at(&spaces.in_phone(), "::", &own);
    assert!(bound.is_ipv6(), "one socket for both: {bound}");
    for uri in [
        format!("sip:sipp@10.71.1.1:{}", v4.port()),
        format!("sip:sipp@[fd71:1::1]:{}", v6.port()),
    ] {
        phone.send(&json!({ "command": "call", "uri": uri }));
    }
    for _ in 0..2 {
        phone.wait("answered");
    }
    let ended = phone.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for (sipp, wanted, foreign) in [
        (
            v4,
            [
                "Via: SIP/2.0/UDP 10.71.1.2:",
                "@10.71.1.2:",
                "c=IN IP4 10.71.1.2\r\n",
            ],
            "fd71:1::2",
        ),
        (
            v6,
            [
                "Via: SIP/2.0/UDP [fd71:1::2]:",
                "@[fd71:1::2]:",
                "c=IN IP6 fd71:1::2\r\n",
            ],
            "10.71.1.2",
        ),
    ] {
        let messages = sipp.messages();
        assert_holds(&messages, &wanted);
        assert!(!messages.contains(foreign), "{messages}");
        sipp.passes();
    }
}

/// No zone of the phone's side is in what the far end received; SIPp writes its own zone.
fn assert_no_zone(messages: &str) {
    for zone in ["%cable", "%25"] {
        assert!(!messages.contains(zone), "a zone was sent: {messages}");
    }
}

/// The far end has the same address on both cables, so only the zone says which is meant.
#[test]
fn a_link_local_peer_is_called_by_its_zone() {
    let spaces = both_families();
    let wire = spaces.listen();
    for (cable, transport) in [(1, "udp"), (2, "udp"), (2, "tcp")] {
        let options: &[&str] = if transport == "tcp" {
            &["-t", "t1"]
        } else {
            &[]
        };
        let address = format!("fe80::1%end{cable}");
        let sipp = Sipp::called_at(&spaces.in_far(), &address, "call-out", options);
        let uri = format!(
            "sip:sipp@[fe80::1%cable{cable}]:{};transport={transport}",
            sipp.port()
        );
        let own = ["--no-register", "--call", &uri];
        let more = ["--hangup-after", "3", "--exit-after-calls", "1"];
        let all = [&own[..], &more].concat();
        let since = unix_now();
        let (phone, _, _folder) = phone_at(&spaces.in_phone(), "::", &all);
        let ended = phone.ended();
        assert_eq!(ended.code, Some(0), "{uri}: {}", ended.stderr);
        let messages = sipp.messages();
        assert_holds(
            &messages,
            &["INVITE sip:sipp@[fe80::1]:", "c=IN IP6 fe80::2\r\n"],
        );
        assert_no_zone(&messages);
        let sound = wire.first_sound(since, "fe80::2.", "fe80::1.");
        assert!(sound.is_some(), "no sound went to {uri}");
        sipp.passes();
    }
}

/// SIPp plays no sound to a link-local address, so it is another phone that echoes.
#[test]
fn sound_passes_both_ways_between_link_local_addresses() {
    let spaces = both_families();
    let own = ["--no-register", "--auto-answer", "--echo"];
    let (mut far, bound, _far) = phone_at(&spaces.in_far(), "[fe80::1%end1]:0", &own);
    let tone = TempDir::new().unwrap();
    let file = tone.path().join("tone.wav");
    Sound::tone(FAR_TONE, 10, 48_000).write(&file);
    let file = file.to_string_lossy();
    let uri = format!("sip:echo@[fe80::1%cable1]:{}", bound.port());
    let own = ["--no-register", "--call", &uri, "--play", &file];
    let records = tone.path().join("recordings");
    std::fs::create_dir(&records).unwrap();
    let records = records.to_string_lossy();
    let more = ["--record-dir", &records, "--hangup-after", "3"];
    let all = [&own[..], &more, &["--exit-after-calls", "1"]].concat();
    let (phone, _, _near) = phone_at(&spaces.in_phone(), "::", &all);
    let ended = phone.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_heard(records.as_ref().as_ref());
    far.wait("ended");
    assert_eq!(far.stop().code, Some(0));
}

#[test]
fn a_link_local_peer_calls_and_is_answered_on_its_link() {
    let spaces = both_families();
    let own = ["--no-register", "--auto-answer=100"];
    let (mut phone, bound, _folder) = phone_at(&spaces.in_phone(), "::", &own);
    for cable in [2, 1] {
        let target = format!("[fe80::2%end{cable}]:{}", bound.port());
        let from = format!("fe80::1%end{cable}");
        let sipp = Sipp::from(&spaces.in_far(), &from, &target, "call-in", &[]);
        let ended = phone.wait("ended");
        assert_eq!(ended["state"], "completed", "{ended}");
        assert_holds(&sipp.messages(), &["c=IN IP6 fe80::2\r\n"]);
        assert_no_zone(&sipp.messages());
        sipp.passes();
    }
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn a_phone_registers_at_a_link_local_registrar() {
    let spaces = both_families();
    let far = spaces.in_far();
    let sipp = Sipp::called_at(&far, "fe80::1%end2", "register-with-digest", &[]);
    let registrar = format!("[fe80::1%cable2]:{}", sipp.port());
    let own = ["--account", "sip:alice@lab.example", "--registrar"];
    let more = [&registrar, "--password-env", "RINGDESK_TEST_PASSWORD"];
    let all = [&own[..], &more].concat();
    let (mut phone, _, _folder) = phone_at(&spaces.in_phone(), "::", &all);
    phone.wait("registered");
    assert_eq!(phone.stop().code, Some(0));
    assert_no_zone(&sipp.messages());
    sipp.passes();
}

#[test]
fn a_link_local_address_without_its_network_is_told_with_the_remedy() {
    let spaces = both_families();
    let own = [
        "--account",
        "sip:alice@lab.example",
        "--registrar",
        "[fe80::1]",
    ];
    let (mut phone, _, _folder) = phone_at(&spaces.in_phone(), "::", &own);
    let any = |event: &Value| event["event"] == "registration_failed";
    let failed = phone.wait_for("registration_failed", Duration::from_secs(10), any);
    let reason = failed["reason"].as_str().unwrap();
    assert!(
        reason.contains("fe80::1 is a link-local address"),
        "{failed}"
    );
    assert!(reason.contains("such as [fe80::1%eth0]"), "{failed}");
    assert_eq!(phone.ended().code, Some(3));
}
