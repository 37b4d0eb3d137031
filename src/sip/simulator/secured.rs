//! TLS, WebSocket and `sips:`: what we call ourselves, whom a connection leads to, and that nothing
//! falls back to a way in the clear.

use std::time::Duration;

use super::bench::{Bench, OURS, SDP_BODY, TO_US, peer, request};
use super::scenarios::account;
use crate::base::flow::{ConnectionId, Output, ProfileId, Resolved, Transport};
use crate::base::id::AccountId;
use crate::base::uri::{Host, Uri};
use crate::sip::message::Message;
use crate::sip::{AccountSetup, RegistrationState, SipError, SipEvent, parse};

const ME: AccountId = AccountId(1);
const ACCEPTED: ConnectionId = ConnectionId(2);

fn setup(transport: Transport) -> AccountSetup {
    AccountSetup {
        transport: Some(transport),
        credentials: None,
        ..account("us")
    }
}

/// What was opened: the transport, the first domain and the profile of each connection.
fn opened(outputs: &[Output]) -> Vec<(Transport, Option<(Host, ProfileId)>)> {
    let connects = outputs.iter().filter_map(|output| match output {
        Output::Connect {
            transport, peer, ..
        } => Some((*transport, peer.clone())),
        _ => None,
    });
    connects
        .map(|(transport, peer)| {
            let named = peer.map(|peer| (peer.domains[0].clone(), peer.profile));
            (transport, named)
        })
        .collect()
}

/// The messages that were written to streams; there must be no datagram beside them.
fn written(outputs: &[Output]) -> Vec<(ConnectionId, Message)> {
    let mut messages = Vec::new();
    for output in outputs {
        match output {
            Output::Stream { connection, bytes } => {
                messages.push((*connection, parse::message(bytes).unwrap()));
            }
            Output::Datagram { bytes, .. } => {
                panic!("in the clear: {}", String::from_utf8_lossy(bytes))
            }
            Output::Connect { .. } | Output::Close { .. } | Output::Resolve { .. } => {}
        }
    }
    messages
}

fn answer(bench: &mut Bench, (connection, request): &(ConnectionId, Message), more: &str) {
    let mut response = Message::response(request, 200, "OK", Some("far"));
    for field in more.lines() {
        let (name, value) = field.split_once(": ").unwrap();
        response.headers.push(name.to_owned(), value.to_owned());
    }
    let bytes = response.to_bytes();
    bench.endpoint.handle_stream(bench.now, *connection, &bytes);
}

/// Registers an account; gives the REGISTER and its connection.
fn registered(bench: &mut Bench, id: AccountId, setup: AccountSetup) -> (ConnectionId, Message) {
    bench.endpoint.add_account(bench.now, id, setup);
    let register = written(&bench.drain()).remove(0);
    let local = (OURS, 40_000).into();
    bench
        .endpoint
        .handle_connected(bench.now, register.0, local);
    let contact = register.1.header("Contact").unwrap().to_owned();
    answer(bench, &register, &format!("Contact: {contact}"));
    bench.drain();
    let state = bench.events.iter().rev().find_map(|event| match event {
        SipEvent::Registration { account, state } if *account == id => Some(state.clone()),
        _ => None,
    });
    assert!(matches!(state, Some(RegistrationState::Registered { .. })));
    register
}

#[test]
fn a_phone_on_tls_names_its_transport_and_demands_the_accounts_domain() {
    let mut bench = Bench::new();
    bench
        .endpoint
        .add_account(bench.now, ME, setup(Transport::Tls));
    let outputs = bench.drain();
    let domain = Host::parse("sim.example").unwrap();
    let whom = Some((domain, ProfileId::default()));
    assert_eq!(opened(&outputs), [(Transport::Tls, whom)]);
    let (_, register) = written(&outputs).remove(0);
    let via = register.header("Via").unwrap();
    assert!(via.starts_with("SIP/2.0/TLS 10.0.0.1:"), "{via}");
    let contact = register.header("Contact").unwrap();
    assert!(contact.contains(";transport=tls>"), "{contact}");
}

#[test]
fn an_address_as_proxy_may_show_a_certificate_of_the_accounts_domain() {
    let mut bench = Bench::new();
    let mut setup = setup(Transport::Tls);
    setup.outbound_proxy = Some(Uri::parse("sip:10.0.0.90;transport=tls;lr").unwrap());
    bench.endpoint.add_account(bench.now, ME, setup);
    let outputs = bench.drain();
    let peer = outputs.iter().find_map(|output| match output {
        Output::Connect { peer, .. } => peer.clone(),
        _ => None,
    });
    let domains = ["10.0.0.90", "sim.example"].map(|it| Host::parse(it).unwrap());
    assert_eq!(peer.unwrap().domains, domains);
}

#[test]
fn a_phone_on_websocket_names_nowhere_and_leaves_keep_alive_to_pings() {
    for transport in [Transport::Ws, Transport::Wss] {
        let mut bench = Bench::new();
        let (_, register) = registered(&mut bench, ME, setup(transport));
        let via = register.header("Via").unwrap();
        let nowhere = via.split([' ', ';']).nth(1).unwrap();
        assert!(via.starts_with(&format!("SIP/2.0/{transport} ")), "{via}");
        assert!(nowhere.ends_with(".invalid"), "{via}");
        let contact = register.header("Contact").unwrap();
        assert!(
            contact.contains(&format!("@{nowhere};transport=ws>")),
            "{contact}"
        );
        bench
            .endpoint
            .handle_timeout(bench.now + Duration::from_secs(1800));
        assert_eq!(bench.drain(), [], "no keep-alive");
    }
    let mut bench = Bench::new();
    let (connection, _) = registered(&mut bench, ME, setup(Transport::Tls));
    bench
        .endpoint
        .handle_timeout(bench.now + Duration::from_secs(101));
    let ping = Output::Stream {
        connection,
        bytes: b"\r\n\r\n".to_vec(),
    };
    assert_eq!(bench.drain(), [ping]);
}

/// The flow of a registration by a stream was forgotten with its transaction, which ends with its
/// answer: no keep-alive, and no new registration when the stream was gone.
#[test]
fn a_registration_whose_stream_is_gone_is_made_anew_by_another_one() {
    for transport in [Transport::Tcp, Transport::Tls, Transport::Wss] {
        let mut bench = Bench::new();
        let (connection, _) = registered(&mut bench, ME, setup(transport));
        let gone = Some("the peer is gone".to_owned());
        bench
            .endpoint
            .handle_connection_closed(bench.now, connection, gone);
        bench.now += Duration::from_secs(3);
        bench.endpoint.handle_timeout(bench.now);
        let outputs = bench.drain();
        assert_eq!(opened(&outputs).len(), 1, "{transport}");
        let (_, register) = written(&outputs).remove(0);
        assert_eq!(register.method().unwrap().to_string(), "REGISTER");
    }
}

#[test]
fn connections_are_shared_where_far_end_name_and_settings_are_the_same() {
    let mut bench = Bench::new();
    registered(&mut bench, ME, setup(Transport::Tls));
    let same = AccountSetup {
        transport: Some(Transport::Tls),
        credentials: None,
        ..account("other")
    };
    bench
        .endpoint
        .add_account(bench.now, AccountId(2), same.clone());
    assert_eq!(opened(&bench.drain()), []);
    let other_settings = AccountSetup {
        profile: ProfileId(3),
        ..same.clone()
    };
    bench
        .endpoint
        .add_account(bench.now, AccountId(3), other_settings);
    assert_eq!(opened(&bench.drain()).len(), 1);
    let other_name = AccountSetup {
        address: Uri::parse("sip:us@other.example").unwrap(),
        registrar: Some(Uri::parse("sip:other.example").unwrap()),
        ..same
    };
    bench
        .endpoint
        .add_account(bench.now, AccountId(4), other_name);
    assert_eq!(opened(&bench.drain()).len(), 1);
}

#[test]
fn a_sips_call_goes_by_tls_and_says_so_in_its_contact() {
    let mut bench = Bench::new();
    bench.call(None, "sips:bob@example.net");
    let outputs = bench.drain();
    let domain = Host::parse("example.net").unwrap();
    let whom = Some((domain, ProfileId::default()));
    assert_eq!(opened(&outputs), [(Transport::Tls, whom)]);
    let (_, invite) = written(&outputs).remove(0);
    assert_eq!(invite.uri().unwrap().to_string(), "sips:bob@example.net");
    let contact = invite.header("Contact").unwrap();
    assert!(contact.starts_with("<sips:"), "{contact}");
    assert!(!contact.contains("transport"), "{contact}");
}

#[test]
fn a_sips_call_of_an_account_in_the_clear_is_refused_and_sends_nothing() {
    let target = Uri::parse("sips:bob@sim.example").unwrap();
    let mut by_proxy = account("us");
    by_proxy.outbound_proxy = Some(Uri::parse("sip:10.0.0.90;transport=tcp;lr").unwrap());
    for setup in [setup(Transport::Udp), setup(Transport::Ws), by_proxy] {
        let mut bench = Bench::new();
        bench.endpoint.add_account(bench.now, ME, setup);
        bench.drain();
        let refused = bench.endpoint.invite(bench.now, Some(ME), &target, &[]);
        assert_eq!(refused, Err(SipError::NotEncrypted(target.to_string())));
        assert_eq!(bench.drain(), []);
    }
}

#[test]
fn a_server_without_encryption_is_not_registered_with() {
    let mut bench = Bench::new();
    bench
        .endpoint
        .add_account(bench.now, ME, setup(Transport::Tls));
    let Some(Output::Resolve { id, .. }) = bench.endpoint.poll_output() else {
        panic!("no question");
    };
    let plain = [Transport::Tcp, Transport::Udp].map(|transport| Resolved {
        transport,
        remote: peer(),
        local_ip: OURS,
    });
    let places = Ok(plain.to_vec());
    bench.endpoint.handle_resolved(bench.now, id, places);
    assert_eq!(bench.drain(), []);
    assert!(
        reason(&bench).contains("offers no encrypted way"),
        "{}",
        reason(&bench)
    );
}

/// Why the last registration failed.
fn reason(bench: &Bench) -> String {
    let failed = bench.events.iter().rev().find_map(|event| match event {
        SipEvent::Registration {
            state: RegistrationState::Failed { reason, .. },
            ..
        } => Some(reason.clone()),
        _ => None,
    });
    failed.expect("it failed")
}

#[test]
fn a_refused_certificate_is_the_reason_and_nothing_goes_another_way() {
    let mut bench = Bench::new();
    bench
        .endpoint
        .add_account(bench.now, ME, setup(Transport::Tls));
    let (connection, _) = written(&bench.drain()).remove(0);
    let why = "the certificate is for a.example, not for sim.example; write another name";
    bench
        .endpoint
        .handle_connection_closed(bench.now, connection, Some(why.to_owned()));
    assert_eq!(bench.drain(), []);
    let told = format!("the registrar cannot be reached: {why}");
    assert_eq!(reason(&bench), told);
}

/// What a call by TLS sends after its answer.
fn call_by_tls(record_route: &str, contact: &str) -> Vec<(ConnectionId, Message)> {
    let mut bench = Bench::new();
    registered(&mut bench, ME, setup(Transport::Tls));
    let session = bench.call(Some(ME), "sip:bob@sim.example");
    let invite = written(&bench.drain()).remove(0);
    let more = format!("Record-Route: {record_route}\nContact: {contact}");
    answer(&mut bench, &invite, &more);
    let mut sent = written(&bench.drain());
    bench.endpoint.hang_up(bench.now, session).unwrap();
    sent.extend(written(&bench.drain()));
    sent
}

#[test]
fn a_route_in_the_clear_does_not_lower_a_call_by_tls() {
    for (record_route, contact) in [
        ("<sip:10.0.0.201;transport=udp;lr>", "<sip:bob@10.0.0.9>"),
        ("<sip:10.0.0.201;transport=tcp;lr>", "<sip:bob@10.0.0.9>"),
        ("<sip:10.0.0.201;lr>", "<sip:bob@10.0.0.9;transport=udp>"),
        ("<sips:10.0.0.201;lr>", "<sips:bob@10.0.0.9>"),
    ] {
        let sent = call_by_tls(record_route, contact);
        let methods: Vec<String> = sent
            .iter()
            .map(|(_, message)| message.method().unwrap().to_string())
            .collect();
        assert_eq!(methods, ["ACK", "BYE"], "{record_route}");
        for (_, message) in sent {
            let via = message.header("Via").unwrap();
            assert!(via.starts_with("SIP/2.0/TLS "), "{record_route}: {via}");
        }
    }
}

#[test]
fn a_sender_that_adds_an_octet_now_and_then_is_cut_off() {
    let mut bench = Bench::new();
    let connection = bench.accept_stream();
    let text = super::streams::options("1");
    let mut octets = text.bytes();
    let mut closed_after = None;
    for seconds in 0..60 {
        let Some(octet) = octets.next() else { break };
        bench
            .endpoint
            .handle_stream(bench.now, connection, &[octet]);
        bench.now += Duration::from_secs(1);
        bench.endpoint.handle_timeout(bench.now);
        if bench.drain() == [Output::Close { connection }] {
            closed_after = Some(seconds + 1);
            break;
        }
    }
    assert_eq!(closed_after, Some(32), "64*T1");
}

fn accepted(bench: &mut Bench, transport: Transport) {
    let local = (OURS, 5061).into();
    bench
        .endpoint
        .handle_accepted(bench.now, ACCEPTED, transport, peer(), local);
}

#[test]
fn a_message_on_a_websocket_needs_no_length_and_a_bad_one_ends_nothing() {
    let mut bench = Bench::new();
    accepted(&mut bench, Transport::Ws);
    let options = super::streams::options("1").replace("/TCP", "/WS");
    let without = options.replace("Content-Length: 0\r\n", "");
    let (written, closed) = bench.stream(ACCEPTED, &without);
    assert!(written.starts_with("SIP/2.0 200"), "{written}");
    assert!(!closed);
    let large = options.replace("Subject: x", "") + &"x".repeat(70_000);
    let (written, closed) = bench.stream(ACCEPTED, &large);
    assert!(written.starts_with("SIP/2.0 513"), "{written}");
    assert!(!closed);
    let (written, closed) = bench.stream(ACCEPTED, "no SIP at all");
    assert!(written.is_empty() && !closed, "{written}");
    let (written, _) = bench.stream(ACCEPTED, &options.replace("bK1", "bK2"));
    assert!(written.starts_with("SIP/2.0 200"), "{written}");
}

fn call(uri: &str, transport: &str) -> String {
    let call = request("INVITE", uri, "c", TO_US, 1, SDP_BODY);
    call.replace("/UDP", &format!("/{transport}"))
}

/// RFC 5630 section 5.1.1.
#[test]
fn a_sips_request_by_a_way_in_the_clear_is_refused_with_a_warning() {
    let mut bench = Bench::new();
    let refused = bench.datagram(&call("sips:us@10.0.0.1", "UDP")).remove(0);
    assert_eq!(refused.code(), Some(480));
    let warning = refused.header("Warning").unwrap();
    assert!(warning.starts_with("380 "), "{warning}");
    assert!(bench.incoming().is_none());
}

#[test]
fn a_sips_request_by_tls_is_answered_with_a_sips_contact() {
    let mut bench = Bench::new();
    accepted(&mut bench, Transport::Tls);
    let (trying, _) = bench.stream(ACCEPTED, &call("sips:us@10.0.0.1", "TLS"));
    assert!(trying.starts_with("SIP/2.0 100"), "{trying}");
    let session = bench.session();
    bench.endpoint.ring(bench.now, session, None).unwrap();
    let (_, ringing) = written(&bench.drain()).remove(0);
    let contact = ringing.header("Contact").unwrap();
    assert!(contact.starts_with("<sips:"), "{contact}");
}

#[test]
fn a_sips_account_is_called_by_an_encrypted_way_only() {
    let mut bench = Bench::new();
    let secure = AccountSetup {
        address: Uri::parse("sips:us@sim.example").unwrap(),
        registrar: Some(Uri::parse("sips:sim.example").unwrap()),
        ..setup(Transport::Tls)
    };
    let (connection, register) = registered(&mut bench, ME, secure);
    let contact = register.header("Contact").unwrap();
    let ours = contact.trim_start_matches('<').split('>').next().unwrap();
    assert!(ours.starts_with("sips:"), "{contact}");
    let plain = ours.replacen("sips:", "sip:", 1);
    let refused = bench.datagram(&call(&plain, "UDP")).remove(0);
    assert_eq!(refused.code(), Some(480));
    let warning = refused.header("Warning").unwrap();
    assert!(warning.starts_with("381 "), "{warning}");
    let second = call(ours, "TLS")
        .replace("call-1", "call-2")
        .replace("bKc", "bKd");
    let (trying, _) = bench.stream(connection, &second);
    assert!(trying.starts_with("SIP/2.0 100"), "{trying}");
    assert_eq!(bench.incoming().unwrap().account, Some(ME));
}
