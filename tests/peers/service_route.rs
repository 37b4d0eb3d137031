//! The way that a registrar names for its phones, against two of SIPp.

use crate::junit::scenario;
use crate::phone::Phone;
use crate::sipp::Sipp;

#[test]
fn service_route() {
    scenario("service-route", || {
        let proxy = Sipp::called("service-route", &[]);
        let port = proxy.port().to_string();
        let key = ["-key", "route_port", port.as_str()];
        let registrar = Sipp::called("register-service-route", &key);
        let address = format!("127.0.0.1:{}", registrar.port());
        let account = ["--account", "sip:alice@127.0.0.1", "--registrar", &address];
        let call = ["--call", "sip:bob@192.0.2.7", "--exit-after-calls", "1"];
        // SIPp takes no TCP, which so large a request would try first.
        let more = ["--transport", "udp", "--hangup-after", "1"];
        let ended = Phone::start(&[&account[..], &call[..], &more[..]].concat()).ended();
        proxy.passes();
        registrar.passes();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(ended.only_call()["state"], "completed");
    });
}
