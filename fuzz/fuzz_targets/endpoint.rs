//! Whatever arrives, the endpoint neither panics nor grows without limit.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use ringdesk::base::clock;
use ringdesk::base::random::OsRandom;
use ringdesk::sip::{Body, Endpoint, EndpointConfig, SipEvent};

fuzz_target!(|datagrams: Vec<&[u8]>| {
    let mut now = clock::monotonic_now();
    let config = EndpointConfig {
        udp_port: 5060,
        tcp_port: Some(5060),
        tls_port: None,
        accept_direct_calls: true,
        user_agent: "Ringdesk".to_owned(),
        max_sessions: 4,
        direct_ring_limit: Duration::from_secs(120),
        requests_per_second: None,
        direct_extensions: ringdesk::sip::CallExtensions::default(),
    };
    let mut endpoint = Endpoint::new(config, Box::new(OsRandom));
    let remote = ([127, 0, 0, 1], 5070).into();
    for datagram in datagrams {
        endpoint.handle_datagram(now, remote, [127, 0, 0, 1].into(), datagram);
        while endpoint.poll_output().is_some() {}
        while let Some(event) = endpoint.poll_event() {
            if let SipEvent::Incoming(call) = event {
                drop(endpoint.answer(now, call.session, Body::sdp("v=0\r\n")));
            }
        }
        now += Duration::from_millis(100);
        endpoint.handle_timeout(now);
    }
    assert!(endpoint.census().sessions <= 4);
});
