//! A domain whose TLS servers are found by NAPTR and SRV, at Kamailio: the certificate has to name the
//! domain, whatever names and addresses the name server answers with (RFC 5922 section 7.2).

use tempfile::TempDir;

use crate::certificates::Authority;
use crate::kamailio::{Kamailio, Secured};
use crate::names::Dnsmasq;
use crate::phone::Phone;

/// A Kamailio with a certificate for one name, and the name server that leads there.
struct Domain {
    authority: Authority,
    _kamailio: Kamailio,
    dns: Dnsmasq,
}

impl Domain {
    fn with_certificate_for(name: &str) -> Self {
        let authority = Authority::new("lab authority");
        let secured = Secured::by(&authority.issue(name));
        let kamailio = Kamailio::start_secured(&["ROUTE_BY_DOMAIN"], &secured);
        let port = kamailio.tls_port().unwrap();
        let dns = Dnsmasq::start(&[
            "--naptr-record=lab.example,10,10,s,SIPS+D2T,,_phones._tcp.lab.example".to_owned(),
            format!("--srv-host=_phones._tcp.lab.example,pbx.lab.example,{port},10,0"),
            format!("--srv-host=_sips._tcp.lab.example,pbx.lab.example,{port},10,0"),
            "--host-record=pbx.lab.example,127.0.0.1".to_owned(),
        ]);
        Self {
            authority,
            _kamailio: kamailio,
            dns,
        }
    }

    /// A user's phone that knows the domain alone.
    fn phone(&self, user: &str, more: &[&str]) -> Phone {
        let account = format!("sip:{user}@lab.example");
        let (servers, ca) = (self.dns.address(), self.authority.file());
        let options = [
            "--account",
            &account,
            "--name-server",
            &servers,
            "--tls-ca",
            &ca,
            "--password-env",
            "RINGDESK_TEST_PASSWORD",
        ];
        Phone::spawn(TempDir::new().unwrap(), &[&options[..], more].concat())
    }

    fn asked(&self, question: &str) -> bool {
        self.dns.log().contains(question)
    }
}

#[test]
fn two_phones_that_know_only_their_domain_talk_over_tls() {
    let domain = Domain::with_certificate_for("lab.example");
    // His account leaves the transport to the domain, hers names it.
    let mut bob = domain.phone("bob", &["--auto-answer=100"]);
    bob.wait("registered");
    let call = ["--call", "sip:bob@lab.example", "--exit-after-calls", "1"];
    let mut alice = domain.phone("alice", &[&call[..], &["--transport", "tls"]].concat());
    alice.wait("answered");
    bob.wait("answered");
    // Both ways along the recorded route: a change by one side, the end by the other.
    alice.command("hold");
    alice.wait("held");
    bob.wait("held");
    alice.command("resume");
    alice.wait("resumed");
    bob.command("hangup");
    bob.wait("ended");
    let alice = alice.ended();
    assert_eq!(alice.code, Some(0), "{}", alice.stderr);
    assert_eq!(alice.only_call()["state"], "completed");
    assert_eq!(bob.only_call()["state"], "completed");
    assert_eq!(bob.stop().code, Some(0));
    for question in [
        "query[NAPTR] lab.example",
        "query[SRV] _phones._tcp.lab.example",
        "query[SRV] _sips._tcp.lab.example",
        "query[A] pbx.lab.example",
    ] {
        assert!(domain.asked(question), "{question}: {}", domain.dns.log());
    }
}

#[test]
fn a_certificate_for_the_host_that_srv_names_is_not_one_for_the_domain() {
    let domain = Domain::with_certificate_for("pbx.lab.example");
    for transport in [&["--transport", "tls"][..], &[]] {
        let alice = domain.phone("alice", transport).ended();
        assert_eq!(alice.code, Some(3), "{}", alice.stderr);
        let reason = alice.event("registration_failed")["reason"].clone();
        let words = "is for pbx.lab.example, not for lab.example";
        assert!(reason.as_str().unwrap().contains(words), "{reason}");
        assert!(alice.stderr.contains(words), "{}", alice.stderr);
    }
    assert!(domain.asked("query[SRV] _phones._tcp.lab.example"));
    assert!(domain.asked("query[SRV] _sips._tcp.lab.example"));
}
