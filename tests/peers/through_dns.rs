//! Servers found by name: NAPTR, SRV and addresses from dnsmasq, calls to SIPp, registration at
//! Kamailio.

use std::net::UdpSocket;
use std::time::Duration;

use tempfile::TempDir;

use crate::kamailio::Kamailio;
use crate::names::Dnsmasq;
use crate::phone::Phone;
use crate::place;
use crate::sipp::Sipp;

/// One host of a service: priority, weight, port.
fn srv(service: &str, port: u16, priority: u16, weight: u16) -> String {
    format!("--srv-host={service}.lab.example,pbx.lab.example,{port},{priority},{weight}")
}

fn host() -> String {
    "--host-record=pbx.lab.example,127.0.0.1".to_owned()
}

fn call_by_name(dns: &Dnsmasq) {
    let ended = Phone::start(&[
        "--no-register",
        "--name-server",
        &dns.address(),
        "--call",
        "sip:sipp@lab.example",
        "--hangup-after",
        "1",
        "--exit-after-calls",
        "1",
    ])
    .ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.only_call()["state"], "completed");
}

#[test]
fn naptr_and_srv_lead_to_the_server_of_the_lowest_priority() {
    let sipp = Sipp::called("call-out", &[]);
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let dns = Dnsmasq::start(&[
        "--naptr-record=lab.example,20,10,s,SIP+D2T,,_sip._tcp.lab.example".to_owned(),
        "--naptr-record=lab.example,10,10,s,SIP+D2U,,_voice._udp.lab.example".to_owned(),
        srv("_voice._udp", silent.local_addr().unwrap().port(), 20, 100),
        srv("_voice._udp", sipp.port(), 10, 0),
        host(),
    ]);
    call_by_name(&dns);
    sipp.passes();
    let log = dns.log();
    for asked in [
        "query[NAPTR] lab.example",
        "query[SRV] _voice._udp.lab.example",
    ] {
        assert!(log.contains(asked), "{asked}: {log}");
    }
    silent.set_nonblocking(true).unwrap();
    assert!(silent.recv(&mut [0; 2048]).is_err(), "the spare was called");
}

#[test]
fn the_second_server_takes_the_call_when_the_first_is_down() {
    let sipp = Sipp::called("call-out", &[]);
    // Nobody listens there: the machine says so by ICMP.
    let down = place::ports(1);
    let dns = Dnsmasq::start(&[
        srv("_sip._udp", down, 10, 0),
        srv("_sip._udp", sipp.port(), 20, 0),
        host(),
    ]);
    call_by_name(&dns);
    sipp.passes();
}

#[test]
fn phones_spread_over_servers_by_their_weights() {
    const PHONES: usize = 24;
    let servers = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    for server in &servers {
        server.set_nonblocking(true).unwrap();
    }
    let [heavy, light] = [0, 1].map(|n| servers[n].local_addr().unwrap().port());
    let dns = Dnsmasq::start(&[
        srv("_sip._udp", heavy, 10, 75),
        srv("_sip._udp", light, 10, 25),
        host(),
    ]);
    let mut counts = [0; 2];
    for _ in 0..PHONES {
        let options = [
            "--no-register",
            "--name-server",
            &dns.address(),
            "--call",
            "sip:anyone@lab.example",
        ];
        let phone = Phone::spawn(TempDir::new().unwrap(), &options);
        let first = place::until("no server is called", || {
            let mut buffer = [0; 4096];
            (0..2).find(|n| servers[*n].recv(&mut buffer).is_ok())
        });
        counts[first] += 1;
        drop(phone);
        // Repetitions of an INVITE that is nobody's any more.
        for server in &servers {
            while server.recv(&mut [0; 4096]).is_ok() {}
        }
    }
    println!(
        "{} of {PHONES} phones drew the server of weight 75",
        counts[0]
    );
    // Outside of this once in about 700 runs, were the weights obeyed.
    assert!((10..PHONES).contains(&counts[0]), "{counts:?}");
}

fn register_by_name(records: &[String]) -> Phone {
    let dns = Dnsmasq::start(records);
    let mut phone = Phone::start(&[
        "--name-server",
        &dns.address(),
        "--account",
        "sip:alice@lab.example",
        "--password-env",
        "RINGDESK_TEST_PASSWORD",
    ]);
    phone.wait("registered");
    phone
}

#[test]
fn a_registrar_is_found_by_srv() {
    let kamailio = Kamailio::start(&[]);
    let port = kamailio.port();
    let phone = register_by_name(&[srv("_sip._udp", port, 10, 0), host()]);
    assert_eq!(phone.stop().code, Some(0));
    // Over TCP, because the domain says that it prefers it.
    let phone = register_by_name(&[
        "--naptr-record=lab.example,10,10,s,SIP+D2T,,_sip._tcp.lab.example".to_owned(),
        srv("_sip._tcp", port, 10, 0),
        host(),
    ]);
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn a_registration_goes_to_the_second_registrar_when_the_first_is_down() {
    let kamailio = Kamailio::start(&[]);
    for service in ["_sip._udp", "_sip._tcp"] {
        let phone = register_by_name(&[
            srv(service, place::ports(1), 10, 0),
            srv(service, kamailio.port(), 20, 0),
            host(),
        ]);
        assert_eq!(phone.stop().code, Some(0));
    }
}

#[test]
fn a_name_that_does_not_exist_is_told_with_its_remedy() {
    let dns = Dnsmasq::start(&[host()]);
    let mut phone = Phone::start(&[
        "--name-server",
        &dns.address(),
        "--account",
        "sip:alice@nowhere.example",
    ]);
    let failed = phone.wait("registration_failed");
    let reason = failed["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("nowhere.example"), "{failed}");
    assert!(reason.contains("does not exist"), "{failed}");
    let ended = phone.ended();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let told = format!("alice@nowhere.example is not registered: {reason}");
    assert!(ended.stderr.contains(&told), "{}", ended.stderr);
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut phone = Phone::start(&[
        "--name-server",
        &silent.local_addr().unwrap().to_string(),
        "--account",
        "sip:alice@lab.example",
    ]);
    let any = |event: &serde_json::Value| event["event"] == "registration_failed";
    let failed = phone.wait_for("registration_failed", Duration::from_secs(30), any);
    let reason = failed["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("no name server answered"), "{failed}");
}
