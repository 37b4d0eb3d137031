//! Servers that fail and come back, and another network under the phone.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::bench::{Bench, OURS, established, invite};
use super::scenarios::account;
use super::subscriptions::notify;
use crate::base::flow::{ConnectionId, Output, Transport};
use crate::base::id::AccountId;
use crate::sip::message::{Message, Method};
use crate::sip::{Body, RegistrationState, SipEvent, SubscriptionSetup, parse};

const ID: AccountId = AccountId(0);
const SECOND: Duration = Duration::from_secs(1);
const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 5, 0, 1));

fn server(last: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, last], 5060))
}

/// A bench whose registrar `sim.example` is two servers.
fn two_servers() -> Bench {
    let mut bench = Bench::new();
    let places = [201, 202].map(|last| (Transport::Udp, server(last)));
    bench.names.insert("sim.example".to_owned(), places.into());
    bench
}

/// The datagrams that leave: where to, and what.
fn datagrams(bench: &mut Bench) -> Vec<(SocketAddr, Message)> {
    let messages = bench.drain().into_iter().filter_map(|output| match output {
        Output::Datagram { remote, bytes } => Some((remote, parse::message(&bytes).ok()?)),
        _ => None,
    });
    messages.collect()
}

fn answer(bench: &mut Bench, (from, request): &(SocketAddr, Message), code: u16, more: &[&str]) {
    let mut response = Message::response(request, code, "Answer", Some("r1"));
    for contact in request.headers.values("Contact").take(1) {
        response.headers.push("Contact", contact);
    }
    for field in more {
        let (name, value) = field.split_once(": ").unwrap();
        response.headers.push(name, value);
    }
    let bytes = response.to_bytes();
    bench
        .endpoint
        .handle_datagram(bench.now, *from, bench.ours, &bytes);
}

fn states(bench: &Bench) -> Vec<RegistrationState> {
    let states = bench.events.iter().filter_map(|event| match event {
        SipEvent::Registration { state, .. } => Some(state.clone()),
        _ => None,
    });
    states.collect()
}

fn is_bound(bench: &Bench) -> bool {
    matches!(
        states(bench).last(),
        Some(RegistrationState::Registered { .. })
    )
}

/// Lets time pass until something leaves.
fn next(bench: &mut Bench) -> (SocketAddr, Message) {
    for _ in 0..10_000 {
        if let Some(first) = datagrams(bench).into_iter().next() {
            return first;
        }
        let due = bench.endpoint.poll_timeout().expect("something is due");
        bench.now = due.max(bench.now);
        bench.endpoint.handle_timeout(bench.now);
    }
    panic!("nothing leaves");
}

#[test]
fn a_registration_goes_to_the_next_server_after_503_and_back_when_the_first_may_be_well() {
    let mut bench = two_servers();
    bench.endpoint.add_account(bench.now, ID, account("anna"));
    let first = next(&mut bench);
    assert_eq!(first.0, server(201));
    answer(&mut bench, &first, 503, &["Retry-After: 40"]);
    let second = next(&mut bench);
    assert_eq!(second.0, server(202));
    answer(&mut bench, &second, 200, &["Expires: 3600"]);
    let start = bench.now;
    let again = next_request(&mut bench, &Method::Register);
    let after = bench.now - start;
    assert!(is_bound(&bench));
    // Not after an hour, but when Retry-After is over.
    assert!(after >= SECOND * 40 && after < SECOND * 50, "{after:?}");
    assert_eq!(again.0, server(201));
    answer(&mut bench, &again, 200, &["Expires: 3600"]);
    let start = bench.now;
    assert_eq!(next_request(&mut bench, &Method::Register).0, server(201));
    assert!(bench.now - start > SECOND * 3000);
}

/// The next request of a method; keep-alives and others pass.
fn next_request(bench: &mut Bench, method: &Method) -> (SocketAddr, Message) {
    loop {
        let found = next(bench);
        if found.1.method() == Some(method) {
            return found;
        }
    }
}

#[test]
fn a_server_that_cannot_be_reached_or_is_silent_stands_last_for_the_next_request() {
    let mut bench = two_servers();
    bench.endpoint.add_account(bench.now, ID, account("anna"));
    let first = next(&mut bench);
    assert_eq!(first.0, server(201));
    bench
        .endpoint
        .handle_send_error(bench.now, first.0, "no program listens there");
    let second = next(&mut bench);
    assert_eq!(second.0, server(202));
    answer(&mut bench, &second, 200, &["Expires: 3600"]);
    bench.drain();
    // A call at the same time asks the server that works.
    bench.call(Some(ID), "sip:bob@sim.example");
    let invite = next(&mut bench);
    assert_eq!(invite.1.method(), Some(&Method::Invite));
    assert_eq!(invite.0, server(202));
    // It falls silent: after 32 s the INVITE goes to the other one, though that failed before.
    let other = loop {
        let sent = next_request(&mut bench, &Method::Invite);
        if sent.0 != server(202) {
            break sent;
        }
    };
    assert_eq!(other.0, server(201));
    answer(&mut bench, &other, 100, &[]);
}

#[test]
fn a_request_inside_a_call_goes_where_the_call_went_whatever_stands_first() {
    let mut bench = two_servers();
    let call = bench.call(None, "sip:bob@sim.example");
    let first = next(&mut bench);
    answer(&mut bench, &first, 503, &[]);
    let second = next_request(&mut bench, &Method::Invite);
    assert_eq!(second.0, server(202));
    let mut ok = Message::response(&second.1, 200, "OK", Some("b"));
    ok.headers.push("Contact", "<sip:bob@sim.example>");
    ok.set_body(&Body::sdp("v=0"));
    let bytes = ok.to_bytes();
    bench
        .endpoint
        .handle_datagram(bench.now, second.0, OURS, &bytes);
    assert_eq!(next_request(&mut bench, &Method::Ack).0, server(202));
    // Long after the first server may be well again.
    bench.wait(SECOND * 600);
    bench.endpoint.hang_up(bench.now, call).unwrap();
    assert_eq!(next_request(&mut bench, &Method::Bye).0, server(202));
}

/// The machine's routes begin at `ours`, wherever they lead.
fn change(bench: &mut Bench, ours: Option<IpAddr>, woke: bool) {
    if let Some(ours) = ours {
        bench.ours = ours;
    }
    bench
        .endpoint
        .handle_network_change(bench.now, woke, &|_| ours);
}

fn registered(transport: Option<Transport>) -> Bench {
    let mut bench = two_servers();
    let setup = crate::sip::AccountSetup {
        transport,
        ..account("anna")
    };
    bench.endpoint.add_account(bench.now, ID, setup);
    bench
}

#[test]
fn a_binding_follows_to_another_address_and_the_old_one_is_removed() {
    let mut bench = registered(None);
    let first = next(&mut bench);
    answer(&mut bench, &first, 200, &["Expires: 3600"]);
    bench.drain();
    change(&mut bench, Some(OURS), false);
    assert!(bench.drain().is_empty(), "nothing changed");
    change(&mut bench, Some(ELSEWHERE), false);
    let again = next(&mut bench);
    let contacts: Vec<_> = again.1.headers.values("Contact").collect();
    assert_eq!(contacts.len(), 2, "{contacts:?}");
    assert!(contacts[0].contains("@10.5.0.1:5060>;expires=3600"));
    assert!(contacts[1].contains("@10.0.0.1:5060>;expires=0"));
    assert!(again.1.header("Via").unwrap().contains("10.5.0.1"));
    let told = RegistrationState::Registering {
        why: Some("the network changed"),
    };
    assert_eq!(states(&bench).last(), Some(&told));
    answer(&mut bench, &again, 200, &["Expires: 3600"]);
    bench.drain();
    assert!(is_bound(&bench));
    // After sleep the binding is worth nothing, whatever the address.
    change(&mut bench, Some(ELSEWHERE), true);
    assert_eq!(next(&mut bench).1.method(), Some(&Method::Register));
}

#[test]
fn a_registration_that_was_refused_is_not_tried_again_by_every_change() {
    let mut bench = registered(None);
    let first = next(&mut bench);
    let challenge = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=UNKNOWN";
    answer(&mut bench, &first, 401, &[challenge]);
    bench.drain();
    assert!(matches!(
        states(&bench).last(),
        Some(RegistrationState::Failed { retry_in: None, .. })
    ));
    change(&mut bench, Some(OURS), false);
    assert!(bench.drain().is_empty());
}

#[test]
fn a_registration_that_waits_for_better_times_is_tried_at_once() {
    let mut bench = registered(None);
    for last in [201, 202] {
        assert_eq!(next(&mut bench).0, server(last));
        bench
            .endpoint
            .handle_send_error(bench.now, server(last), "network is unreachable");
    }
    bench.drain();
    assert!(matches!(
        states(&bench).last(),
        Some(RegistrationState::Failed {
            retry_in: Some(_),
            ..
        })
    ));
    change(&mut bench, Some(OURS), false);
    assert_eq!(next(&mut bench).0, server(201));
}

#[test]
fn streams_from_a_dead_address_are_closed_and_their_requests_repeated() {
    let mut bench = registered(Some(Transport::Tcp));
    let places = [(Transport::Tcp, server(201))];
    bench.names.insert("sim.example".to_owned(), places.into());
    let opened = |outputs: &[Output]| {
        outputs.iter().find_map(|output| match output {
            Output::Connect { connection, .. } => Some(*connection),
            _ => None,
        })
    };
    let written = |outputs: &[Output], on: ConnectionId| {
        outputs.iter().find_map(|output| match output {
            Output::Stream { connection, bytes } if *connection == on => parse::message(bytes).ok(),
            _ => None,
        })
    };
    let outputs = bench.drain();
    let first = opened(&outputs).expect("a stream is opened");
    let register = written(&outputs, first).expect("REGISTER is written");
    let local = SocketAddr::new(OURS, 40_000);
    bench.endpoint.handle_connected(bench.now, first, local);
    let mut ok = Message::response(&register, 200, "OK", Some("r1"));
    ok.headers
        .push("Contact", register.header("Contact").unwrap());
    let bytes = ok.to_bytes();
    bench.endpoint.handle_stream(bench.now, first, &bytes);
    bench.drain();
    assert!(is_bound(&bench));
    // RFC 5626 section 4.4.1: the stream is kept alive; it once was not.
    bench.wait(SECOND * 90);
    bench.now += SECOND * 20;
    bench.endpoint.handle_timeout(bench.now);
    let kept = bench.drain();
    assert!(
        kept.contains(&Output::Stream {
            connection: first,
            bytes: b"\r\n\r\n".to_vec()
        }),
        "{kept:?}"
    );

    change(&mut bench, Some(ELSEWHERE), false);
    let outputs = bench.drain();
    assert!(outputs.contains(&Output::Close { connection: first }));
    let second = opened(&outputs).expect("another stream is opened");
    let again = written(&outputs, second).expect("REGISTER is written");
    let contacts: Vec<_> = again.headers.values("Contact").collect();
    assert!(contacts[0].contains("@10.5.0.1"), "{contacts:?}");
    assert!(contacts[1].contains("@10.0.0.1") && contacts[1].ends_with("expires=0"));

    // It moves again before that was answered: the request goes by a third stream.
    let local = SocketAddr::new(ELSEWHERE, 40_000);
    bench.endpoint.handle_connected(bench.now, second, local);
    change(&mut bench, Some(OURS), false);
    let outputs = bench.drain();
    let third = opened(&outputs).expect("a third stream is opened");
    assert!(written(&outputs, third).is_some());
}

/// A call by a stream, tried at two servers; the stream and the INVITE that is written to it.
fn called_by_stream(bench: &mut Bench) -> (ConnectionId, Vec<Output>) {
    let places = [201, 202].map(|last| (Transport::Tcp, server(last)));
    bench.names.insert("sim.example".to_owned(), places.into());
    bench.call(None, "sip:bob@sim.example");
    let outputs = bench.drain();
    let opened = outputs.iter().find_map(|output| match output {
        Output::Connect { connection, .. } => Some(*connection),
        _ => None,
    });
    (opened.expect("a stream is opened"), outputs)
}

fn invites(outputs: &[Output]) -> usize {
    let is_invite = |output: &&Output| matches!(output, Output::Stream { bytes, .. } if bytes.starts_with(b"INVITE "));
    outputs.iter().filter(is_invite).count()
}

/// It once went to the next server too, and rang there a second time.
#[test]
fn an_invite_that_may_have_arrived_by_a_stream_that_is_left_goes_nowhere_else() {
    let mut bench = two_servers();
    let (stream, outputs) = called_by_stream(&mut bench);
    assert_eq!(invites(&outputs), 1);
    let local = SocketAddr::new(OURS, 40_000);
    bench.endpoint.handle_connected(bench.now, stream, local);
    change(&mut bench, Some(ELSEWHERE), false);
    let outputs = bench.drain();
    assert_eq!(invites(&outputs), 0, "{outputs:?}");
    match bench.end() {
        Some(SipEvent::Ended { status, .. }) => {
            assert_eq!(status.phrase, "the network changed");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_invite_whose_stream_never_opened_goes_out_by_another() {
    let mut bench = two_servers();
    let (stream, _) = called_by_stream(&mut bench);
    change(&mut bench, Some(ELSEWHERE), true);
    let outputs = bench.drain();
    assert!(outputs.contains(&Output::Close { connection: stream }));
    assert_eq!(invites(&outputs), 1, "{outputs:?}");
}

/// A move that the far end did not take once waited until somebody pressed hold: the sound went to
/// the old address.
#[test]
fn a_change_that_was_refused_may_be_made_again_after_a_while_ever_longer() {
    let mut bench = Bench::new();
    established(&mut bench);
    let session = bench.session();
    let mut pauses = Vec::new();
    for _ in 0..7 {
        bench.events.clear();
        let (now, offer) = (bench.now, Body::sdp("v=0"));
        bench.endpoint.reinvite(now, session, offer).unwrap();
        let reinvite = bench.sent().remove(0);
        let refusal = Message::response(&reinvite, 488, "Not now", None);
        bench.datagram_bytes(&refusal.to_bytes());
        let possible = |bench: &Bench| {
            let possible = |event: &SipEvent| matches!(event, SipEvent::ChangePossible { .. });
            bench.events.iter().any(possible)
        };
        let mut seconds = 0;
        while !possible(&bench) && seconds < 100 {
            bench.wait(SECOND);
            seconds += 1;
        }
        pauses.push(seconds);
    }
    assert_eq!(pauses, [2, 4, 8, 16, 32, 32, 32]);
    // It begins anew after one that was taken.
    let (now, offer) = (bench.now, Body::sdp("v=0"));
    bench.endpoint.reinvite(now, session, offer).unwrap();
    let reinvite = bench.sent().remove(0);
    let mut ok = Message::response(&reinvite, 200, "OK", None);
    ok.set_body(&Body::sdp("v=0"));
    bench.datagram_bytes(&ok.to_bytes());
    bench.events.clear();
    bench.wait(SECOND * 100);
    assert!(bench.events.is_empty(), "{:?}", bench.events);
    // The end of the call ends it too.
    let (now, offer) = (bench.now, Body::sdp("v=0"));
    bench.endpoint.reinvite(now, session, offer).unwrap();
    let reinvite = bench.sent().remove(0);
    let refusal = Message::response(&reinvite, 488, "Not now", None);
    bench.datagram_bytes(&refusal.to_bytes());
    bench.endpoint.hang_up(bench.now, session).unwrap();
    bench.wait(SECOND * 100);
    assert_eq!(bench.endpoint.census(), crate::sip::Census::default());
}

#[test]
fn a_call_that_moved_is_told_once_and_offers_its_new_address() {
    let mut bench = Bench::new();
    established(&mut bench);
    let session = bench.session();
    change(&mut bench, Some(OURS), false);
    change(&mut bench, None, false);
    bench.drain();
    let moved = |bench: &Bench| {
        let moved = bench.events.iter().filter_map(|event| match event {
            SipEvent::Moved { local_ip, .. } => Some(*local_ip),
            _ => None,
        });
        moved.collect::<Vec<_>>()
    };
    assert!(moved(&bench).is_empty(), "it has not moved");
    change(&mut bench, Some(ELSEWHERE), false);
    change(&mut bench, Some(ELSEWHERE), false);
    bench.drain();
    assert_eq!(moved(&bench), [ELSEWHERE]);
    bench
        .endpoint
        .reinvite(bench.now, session, Body::sdp("v=0"))
        .unwrap();
    let reinvite = bench.sent().remove(0);
    assert_eq!(reinvite.method(), Some(&Method::Invite));
    assert!(reinvite.header("Contact").unwrap().contains("@10.5.0.1"));
    assert!(reinvite.header("Via").unwrap().contains("10.5.0.1"));
}

#[test]
fn a_call_that_rings_answers_with_its_new_contact() {
    let mut bench = Bench::new();
    bench.datagram(&invite("i"));
    change(&mut bench, Some(ELSEWHERE), false);
    let ok = bench.answer();
    assert!(ok.header("Contact").unwrap().contains("@10.5.0.1"));
}

/// A subscription that is active; its SUBSCRIBE.
fn subscribed(bench: &mut Bench, account: Option<AccountId>) -> Message {
    let setup = SubscriptionSetup {
        target: crate::base::uri::Uri::parse("sip:bob@sim.example").unwrap(),
        event: "dialog",
        accept: "application/dialog-info+xml",
        expires: SECOND * 600,
        forks: true,
    };
    bench.endpoint.subscribe(bench.now, account, setup).unwrap();
    let subscribe = next_request(bench, &Method::Subscribe);
    answer(bench, &subscribe, 200, &["Expires: 600"]);
    let text = notify(&subscribe.1, "n1", 1, "active;expires=600", "<a/>");
    assert_eq!(bench.codes(&text), [200]);
    // Past the pause that keeps refreshes apart.
    bench.wait(SECOND * 20);
    subscribe.1
}

/// The news find the phone at its new address: the refresh names it, inside the dialog.
fn assert_follows(bench: &mut Bench, before: &Message) {
    let refresh = next_request(bench, &Method::Subscribe);
    assert_eq!(refresh.1.to_tag(), "n1", "the same dialog");
    assert_eq!(refresh.1.call_id(), before.call_id());
    for field in ["Contact", "Via"] {
        let value = refresh.1.header(field).unwrap();
        assert!(value.contains("10.5.0.1"), "{field}: {value}");
    }
    answer(bench, &refresh, 200, &["Expires: 600"]);
    let text = notify(&refresh.1, "n1", 2, "active;expires=600", "<b/>");
    assert_eq!(bench.codes(&text), [200]);
    let told = bench.events.iter().filter_map(|event| match event {
        SipEvent::News { body, .. } => body.as_ref().map(|body| body.bytes.clone()),
        _ => None,
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [b"<a/>".to_vec(), b"<b/>".to_vec()]
    );
}

#[test]
fn a_subscription_follows_its_binding_to_another_address() {
    let mut bench = registered(None);
    let first = next(&mut bench);
    answer(&mut bench, &first, 200, &["Expires: 3600"]);
    let subscribe = subscribed(&mut bench, Some(ID));
    change(&mut bench, Some(OURS), false);
    assert!(bench.drain().is_empty(), "nothing changed");
    change(&mut bench, Some(ELSEWHERE), false);
    let register = next(&mut bench);
    assert_eq!(
        register.1.method(),
        Some(&Method::Register),
        "it comes first"
    );
    answer(&mut bench, &register, 200, &["Expires: 3600"]);
    assert_follows(&mut bench, &subscribe);
}

/// It once waited for its next refresh, minutes later, and heard nothing until then.
#[test]
fn a_subscription_without_a_registration_follows_at_once() {
    let mut bench = two_servers();
    let subscribe = subscribed(&mut bench, None);
    change(&mut bench, Some(OURS), false);
    assert!(bench.drain().is_empty(), "nothing changed");
    let since = bench.now;
    change(&mut bench, Some(ELSEWHERE), false);
    assert_follows(&mut bench, &subscribe);
    assert!(bench.now - since < SECOND, "{:?}", bench.now - since);
}

/// The name servers fail while the registrar is well: the phone says that it is registered, and a call
/// for help must not end before it began.
#[test]
fn a_call_goes_to_the_server_that_has_the_binding_when_its_name_leads_nowhere() {
    let mut bench = registered(None);
    let first = next(&mut bench);
    answer(&mut bench, &first, 200, &["Expires: 3600"]);
    bench.drain();
    bench.names.insert("sim.example".to_owned(), Vec::new());
    let call = |bench: &mut Bench, target: &str| {
        let target = crate::base::uri::Uri::parse(target).unwrap();
        let now = bench.now;
        let session = bench.endpoint.invite(now, Some(ID), &target, &[]).unwrap();
        bench.drain();
        bench.endpoint.offer(now, session, Body::sdp("v=0")).ok()?;
        Some(next(bench))
    };
    let (to, invite) = call(&mut bench, "sip:112@sim.example").unwrap();
    assert_eq!((to, invite.method()), (first.0, Some(&Method::Invite)));
    // A foreign host is none of its business.
    bench.names.insert("far.example".to_owned(), Vec::new());
    assert!(call(&mut bench, "sip:carol@far.example").is_none());
}

/// A NAT forgot the way of the sound, or the far end's proxy the call; only a re-INVITE finds out.
#[test]
fn running_calls_are_renewed_after_sleep_whatever_the_address() {
    let mut bench = Bench::new();
    established(&mut bench);
    change(&mut bench, Some(OURS), true);
    bench.drain();
    let moved = |event: &SipEvent| matches!(event, SipEvent::Moved { local_ip: OURS, .. });
    assert_eq!(bench.events.iter().filter(|event| moved(event)).count(), 1);
    // One that rings has nothing to renew.
    let mut bench = Bench::new();
    bench.datagram(&invite("i"));
    change(&mut bench, Some(OURS), true);
    bench.drain();
    assert!(!bench.events.iter().any(moved));
}
