//! Calls of ours that the far end sends elsewhere (RFC 3261 sections 8.1.3.4, 19.1.5, 21.3).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::agent::Act;
use super::bench::{Bench, Caller, OURS, established, peer, request};
use super::scenarios::account;
use super::world::{Link, World};
use crate::base::id::AccountId;
use crate::base::uri::Uri;
use crate::sip::message::{Message, Method};
use crate::sip::{
    AccountSetup, Body, Census, EndedBy, OutgoingCall, ReferralAnswer, SessionId, SipError,
    SipEvent, Status,
};

const ANNA: AccountId = AccountId(7);
const LONG: Duration = Duration::from_secs(700);
const CAROL: &str = "sip:carol@10.0.0.203:5060";
const DAVE: &str = "sip:dave@10.0.0.204:5060";

fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap()
}

/// Answers a request of ours; what is sent then.
fn answer(bench: &mut Bench, invite: &Message, code: u16, contacts: &[&str]) -> Vec<Message> {
    let mut response = Message::response(invite, code, "Answer", Some("t"));
    for contact in contacts {
        response.headers.push("Contact", *contact);
    }
    bench.datagram_bytes(&response.to_bytes())
}

fn answer_from(
    bench: &mut Bench,
    from: SocketAddr,
    request: &Message,
    code: u16,
    fields: &[(&str, &str)],
) -> Vec<Message> {
    let mut response = Message::response(request, code, "Answer", Some("t"));
    for (name, value) in fields {
        response.headers.push(*name, *value);
    }
    let now = bench.now;
    let bytes = response.to_bytes();
    bench.endpoint.handle_datagram(now, from, OURS, &bytes);
    bench.sent()
}

/// The offered targets of each 3xx.
fn offered(bench: &Bench) -> Vec<Vec<String>> {
    let of = |event: &SipEvent| match event {
        SipEvent::Redirected { targets, .. } => {
            Some(targets.iter().map(ToString::to_string).collect())
        }
        _ => None,
    };
    bench.events.iter().filter_map(of).collect()
}

/// Says yes to what was offered last; the INVITE, or nothing.
fn follow(bench: &mut Bench, session: SessionId) -> Option<Message> {
    let targets = bench.events.iter().rev().find_map(|event| match event {
        SipEvent::Redirected { targets, .. } => Some(targets.clone()),
        _ => None,
    });
    let now = bench.now;
    bench
        .endpoint
        .follow_redirection(now, session, &targets.unwrap())
        .unwrap();
    next_invite(bench, session)
}

/// Gives the offer that is asked for; the INVITE.
fn next_invite(bench: &mut Bench, session: SessionId) -> Option<Message> {
    bench.sent();
    let now = bench.now;
    bench
        .endpoint
        .offer(now, session, Body::sdp("v=again"))
        .ok()?;
    bench.sent().into_iter().find(is_invite)
}

fn is_invite(message: &Message) -> bool {
    message.method() == Some(&Method::Invite)
}

fn ended(bench: &Bench) -> Option<(EndedBy, u16)> {
    match bench.end() {
        Some(SipEvent::Ended { by, status, .. }) => Some((*by, status.code)),
        _ => None,
    }
}

fn why_not(bench: &Bench) -> String {
    let of = |event: &SipEvent| match event {
        SipEvent::NotFollowed { why, .. } => Some(why.clone()),
        _ => None,
    };
    bench.events.iter().rev().find_map(of).unwrap_or_default()
}

/// Everything is forgotten in the end.
fn settles(bench: &mut Bench) {
    bench.wait(LONG);
    assert_eq!(bench.endpoint.census(), Census::default());
}

#[test]
fn a_redirected_call_keeps_its_names_and_changes_its_target() {
    let Caller {
        mut bench,
        session,
        invite,
    } = Caller::new();
    let mut moved = Message::response(&invite, 302, "Moved", Some("t"));
    moved
        .headers
        .push("Contact", format!("<{CAROL}?Priority=urgent>"));
    moved.headers.push(
        "Session-ID",
        "ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000",
    );
    let sent = bench.datagram_bytes(&moved.to_bytes());
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].method(), Some(&Method::Ack));
    assert_eq!(offered(&bench), [[CAROL]]);
    assert!(bench.end().is_none(), "somebody decides");
    let again = follow(&mut bench, session).unwrap();
    assert_eq!(again.uri().unwrap().to_string(), CAROL);
    for name in ["To", "From", "Call-ID"] {
        assert_eq!(again.header(name), invite.header(name), "{name}");
    }
    assert_eq!(again.cseq(), Some((2, Method::Invite)));
    assert_ne!(again.branch(), invite.branch());
    assert_eq!(again.header("Priority"), None);
    assert_eq!(again.body, b"v=again");
    // RFC 7989 section 6: our half stays, and whom we meet now has not said its own.
    let halves = |message: &Message| {
        let value = message.header("Session-ID").unwrap().to_owned();
        let (ours, theirs) = value.split_once(";remote=").unwrap();
        (ours.to_owned(), theirs.to_owned())
    };
    assert_eq!(halves(&again).0, halves(&invite).0);
    assert_eq!(halves(&again).1, "0".repeat(32));
    let mut ok = Message::response(&again, 200, "OK", Some("c"));
    ok.headers.push("Contact", "<sip:carol@10.0.0.203:5062>");
    ok.set_body(&Body::sdp("v=answer"));
    let sent = bench.datagram_bytes(&ok.to_bytes());
    assert_eq!(sent[0].cseq(), Some((2, Method::Ack)));
    bench.endpoint.hang_up(bench.now, session).unwrap();
    let bye = bench.sent().remove(0);
    assert_eq!(bye.cseq(), Some((3, Method::Bye)));
    assert_eq!(bye.uri().unwrap().to_string(), "sip:carol@10.0.0.203:5062");
    answer(&mut bench, &bye, 200, &[]);
    settles(&mut bench);
}

#[test]
fn who_says_no_or_nothing_leaves_the_call_where_it_is() {
    let mut caller = Caller::new();
    let bench = &mut caller.bench;
    let early = bench
        .endpoint
        .decline_redirection(bench.now, caller.session);
    assert!(matches!(early, Err(SipError::WrongState(_))), "{early:?}");
    answer(bench, &caller.invite, 300, &["<sip:carol@10.0.0.203>"]);
    bench
        .endpoint
        .decline_redirection(bench.now, caller.session)
        .unwrap();
    bench.drain();
    assert_eq!(ended(bench), Some((EndedBy::Remote, 300)));
    settles(bench);
    // Nobody decides: the ring limit of two minutes ends it.
    let mut caller = Caller::new();
    let bench = &mut caller.bench;
    answer(bench, &caller.invite, 301, &["<sip:carol@10.0.0.203>"]);
    bench.wait(Duration::from_secs(119));
    assert_eq!(ended(bench), None);
    bench.wait(Duration::from_secs(2));
    assert_eq!(ended(bench), Some((EndedBy::Remote, 301)));
    settles(bench);
}

#[test]
fn targets_are_called_in_order_until_one_refuses_for_all() {
    let contacts = [
        "<sip:last@10.0.0.209>;q=0.1",
        "<sip:carol@10.0.0.203:5060>",
        "<sip:gone@name.invalid>;q=0.7",
        "<sip:dave@10.0.0.204:5060>;q=0.5",
    ];
    for (code, end) in [(486, None), (603, Some((EndedBy::Remote, 603)))] {
        let mut caller = Caller::new();
        let bench = &mut caller.bench;
        answer(bench, &caller.invite, 302, &contacts);
        let first = follow(bench, caller.session).unwrap();
        assert_eq!(first.uri().unwrap().to_string(), CAROL);
        answer(bench, &first, code, &[]);
        assert_eq!(ended(bench), end, "{code}");
        let Some(second) = next_invite(bench, caller.session) else {
            assert!(end.is_some());
            settles(bench);
            continue;
        };
        // A name that leads nowhere was passed over on the way.
        assert_eq!(second.uri().unwrap().to_string(), DAVE);
        assert_eq!(second.cseq(), Some((4, Method::Invite)));
        // No answer at all is a failure too.
        bench.wait(Duration::from_secs(33));
        let third = next_invite(bench, caller.session).unwrap();
        assert_eq!(third.uri().unwrap().to_string(), "sip:last@10.0.0.209");
        answer(bench, &third, 480, &[]);
        assert_eq!(ended(bench), Some((EndedBy::Remote, 480)), "the last word");
        settles(bench);
    }
}

#[test]
fn nobody_is_called_twice_and_no_more_than_ten_in_all() {
    // Two that send to each other.
    let mut caller = Caller::new();
    let bench = &mut caller.bench;
    answer(bench, &caller.invite, 302, &["<sip:carol@10.0.0.203:5060>"]);
    let second = follow(bench, caller.session).unwrap();
    answer(bench, &second, 302, &["<sip:x@10.0.0.200:5070>"]);
    assert_eq!(ended(bench), Some((EndedBy::Remote, 302)));
    assert!(why_not(bench).contains("circle"), "{}", why_not(bench));
    settles(bench);
    // A chain without an end.
    let mut caller = Caller::new();
    let bench = &mut caller.bench;
    let mut invite = caller.invite.clone();
    let mut hops = 0;
    loop {
        let next = format!("<sip:hop{hops}@10.0.0.203:5060>");
        answer(bench, &invite, 302, &[&next]);
        if ended(bench).is_some() {
            break;
        }
        invite = follow(bench, caller.session).unwrap();
        hops += 1;
    }
    assert_eq!(hops, 10);
    assert!(
        why_not(bench).contains("more than 10"),
        "{}",
        why_not(bench)
    );
    settles(bench);
    // More than that at once.
    let mut caller = Caller::new();
    let bench = &mut caller.bench;
    let many: Vec<String> = (0..30).map(|n| format!("<sip:{n}@10.0.0.203>")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    answer(bench, &caller.invite, 302, &many);
    assert_eq!(offered(bench)[0].len(), 10);
    // What an owner adds of its own is held to the same.
    let twice = vec![uri(CAROL); 40];
    let now = bench.now;
    bench
        .endpoint
        .follow_redirection(now, caller.session, &twice)
        .unwrap();
    let only = next_invite(bench, caller.session).unwrap();
    answer(bench, &only, 486, &[]);
    assert_eq!(ended(bench), Some((EndedBy::Remote, 486)));
    settles(bench);
}

#[test]
fn a_second_redirection_goes_before_the_targets_that_wait() {
    let mut caller = Caller::new();
    let bench = &mut caller.bench;
    let both = [
        "<sip:carol@10.0.0.203:5060>",
        "<sip:dave@10.0.0.204:5060>;q=0.5",
    ];
    answer(bench, &caller.invite, 302, &both);
    let first = follow(bench, caller.session).unwrap();
    answer(
        bench,
        &first,
        302,
        &["<sip:eve@10.0.0.205>", "<sip:dave@10.0.0.204:5060>"],
    );
    assert_eq!(
        offered(bench)[1],
        ["sip:eve@10.0.0.205"],
        "Dave waits already"
    );
    let second = follow(bench, caller.session).unwrap();
    assert_eq!(second.uri().unwrap().to_string(), "sip:eve@10.0.0.205");
    // 305 is not followed; who waits is called all the same.
    answer(bench, &second, 305, &["<sip:proxy@10.0.0.66>"]);
    assert!(why_not(bench).contains("outbound proxy"));
    let third = next_invite(bench, caller.session).unwrap();
    assert_eq!(third.uri().unwrap().to_string(), DAVE);
}

#[test]
fn what_is_not_followed_ends_the_call_and_says_why() {
    for (code, contacts, why) in [
        (305, &["<sip:proxy@10.0.0.66>"][..], "outbound proxy"),
        (380, &["<sip:other@10.0.0.66>"], "another service"),
        (302, &[], "names no address"),
        (302, &["<mailto:carol@example.com>"], "names no address"),
    ] {
        let mut caller = Caller::new();
        let bench = &mut caller.bench;
        answer(bench, &caller.invite, code, contacts);
        assert_eq!(ended(bench), Some((EndedBy::Remote, code)));
        assert!(offered(bench).is_empty());
        assert!(why_not(bench).contains(why), "{code}: {}", why_not(bench));
        settles(bench);
    }
}

#[test]
fn hanging_up_ends_a_redirected_call_wherever_it_is() {
    // While somebody is asked, while the name is looked up, while the next one rings.
    for stage in 0..3 {
        let mut caller = Caller::new();
        let bench = &mut caller.bench;
        answer(
            bench,
            &caller.invite,
            302,
            &["<sip:carol@host.silent>", "<sip:d@10.0.0.204>"],
        );
        match stage {
            0 => {}
            1 => assert_eq!(follow(bench, caller.session), None),
            _ => {
                let now = bench.now;
                let dave = [uri(DAVE), uri(CAROL)];
                bench
                    .endpoint
                    .follow_redirection(now, caller.session, &dave)
                    .unwrap();
                let invite = next_invite(bench, caller.session).unwrap();
                answer(bench, &invite, 180, &[]);
                bench.endpoint.hang_up(bench.now, caller.session).unwrap();
                let cancel = bench.sent().remove(0);
                assert_eq!(cancel.method(), Some(&Method::Cancel));
                assert_eq!(cancel.uri(), invite.uri());
                assert_eq!(cancel.cseq(), Some((2, Method::Cancel)));
                answer(bench, &cancel, 200, &[]);
                // Whatever ends the INVITE: the other target is not called, a 3xx not followed.
                let sent = answer(bench, &invite, 302, &["<sip:eve@10.0.0.205>"]);
                assert!(sent.iter().all(|message| !is_invite(message)));
            }
        }
        if stage < 2 {
            bench.endpoint.hang_up(bench.now, caller.session).unwrap();
            bench.drain();
        }
        assert_eq!(ended(bench), Some((EndedBy::Local, 487)), "{stage}");
        let later = bench.wait(LONG);
        assert!(!later.iter().any(is_invite), "{stage}");
        assert_eq!(bench.endpoint.census(), Census::default());
    }
}

/// Where the bench's resolver sends the account's names.
fn server() -> SocketAddr {
    (IpAddr::from([10, 0, 0, 201]), 5060).into()
}

/// A registered phone whose server has challenged a call, and that call as it was sent then.
fn challenged(setup: AccountSetup, target: &str) -> (Bench, SessionId, Message) {
    const CHALLENGE: &str = "Digest realm=\"sim.example\", nonce=\"n\", qop=\"auth\"";
    let mut bench = Bench::for_accounts(None);
    bench.endpoint.add_account(bench.now, ANNA, setup);
    let register = bench.sent().remove(0);
    answer_from(&mut bench, server(), &register, 200, &[]);
    let session = bench
        .endpoint
        .invite(bench.now, Some(ANNA), &uri(target), &[])
        .unwrap();
    let invite = next_invite(&mut bench, session).unwrap();
    let challenge = [("Proxy-Authenticate", CHALLENGE)];
    let sent = answer_from(&mut bench, server(), &invite, 407, &challenge);
    let again = sent.into_iter().find(is_invite).unwrap();
    assert!(again.header("Proxy-Authorization").is_some());
    (bench, session, again)
}

#[test]
fn a_foreign_host_never_gets_the_digest_that_the_own_server_asked_for() {
    let (mut bench, session, invite) = challenged(account("anna"), "sip:bob@sim.example");
    let foreign = [("Contact", "<sip:bob@10.0.0.200:5070>")];
    answer_from(&mut bench, server(), &invite, 302, &foreign);
    let sent = follow(&mut bench, session).unwrap();
    let credentials = |message: &Message| {
        message.header("Authorization").is_some() || message.header("Proxy-Authorization").is_some()
    };
    assert_eq!(sent.cseq(), Some((3, Method::Invite)));
    assert!(!credentials(&sent), "{}", sent.to_bytes().escape_ascii());
    // Nor when it asks, by whatever name.
    for header in ["WWW-Authenticate", "Proxy-Authenticate"] {
        let code = if header.starts_with('W') { 401 } else { 407 };
        let ask = [(header, "Digest realm=\"sim.example\", nonce=\"x\"")];
        let later = answer_from(&mut bench, peer(), &sent, code, &ask);
        assert!(!later.iter().any(credentials));
    }
    assert_eq!(ended(&bench), Some((EndedBy::Remote, 401)));
    // A call that is dialled to a foreign host gets none either.
    let target = uri("sip:x@10.0.0.200:5070");
    let now = bench.now;
    let other = bench
        .endpoint
        .invite(now, Some(ANNA), &target, &[])
        .unwrap();
    let direct = next_invite(&mut bench, other).unwrap();
    assert!(!credentials(&direct));
    // Nor what follows in that call.
    let accepted = [("Contact", "<sip:x@10.0.0.200:5070>")];
    let acks = answer_from(&mut bench, peer(), &direct, 200, &accepted);
    assert!(acks.iter().any(|ack| ack.method() == Some(&Method::Ack)));
    bench.endpoint.hang_up(bench.now, other).unwrap();
    let bye = bench.sent().remove(0);
    assert_eq!(bye.method(), Some(&Method::Bye));
    assert!(!acks.iter().chain([&bye]).any(credentials));
    // The own server gets them at once.
    let home = uri("sip:carol@sim.example");
    let third = bench.endpoint.invite(now, Some(ANNA), &home, &[]).unwrap();
    assert!(credentials(&next_invite(&mut bench, third).unwrap()));
}

#[test]
fn a_redirected_call_takes_the_way_of_any_call_of_its_account() {
    let proxied = AccountSetup {
        outbound_proxy: Some(uri("sip:proxy.sim.example")),
        ..account("anna")
    };
    let (mut bench, session, invite) = challenged(proxied, "sip:bob@sim.example");
    let both = [
        ("Contact", "<sip:carol@sim.example>"),
        ("Contact", "<sip:carol@elsewhere.example>;q=0.5"),
    ];
    answer_from(&mut bench, server(), &invite, 302, &both);
    let home = follow(&mut bench, session).unwrap();
    answer_from(&mut bench, server(), &home, 480, &[]);
    let abroad = next_invite(&mut bench, session).unwrap();
    for (sent, target) in [
        (home, "sip:carol@sim.example"),
        (abroad, "sip:carol@elsewhere.example"),
    ] {
        let routes: Vec<&str> = sent.headers.values("Route").collect();
        assert_eq!(routes, ["<sip:proxy.sim.example;lr>"], "{target}");
        assert_eq!(sent.uri().unwrap().to_string(), target);
        // The proxy asked for them, whatever lies behind it.
        assert!(sent.header("Proxy-Authorization").is_some(), "{target}");
    }
}

#[test]
fn a_target_that_demands_encryption_is_not_called_by_a_plain_way() {
    // That no Contact of `sip:` is offered after `sips:` is tested with the list itself; here the
    // account's own way is too weak for what is asked.
    let plain = AccountSetup {
        transport: Some(crate::base::flow::Transport::Udp),
        ..account("anna")
    };
    let (mut bench, session, invite) = challenged(plain, "sip:bob@sim.example");
    let secure = [("Contact", "<sips:carol@sim.example>")];
    answer_from(&mut bench, server(), &invite, 302, &secure);
    assert_eq!(follow(&mut bench, session), None);
    assert_eq!(ended(&bench), Some((EndedBy::Remote, 302)));
    let why = why_not(&bench);
    assert!(why.contains("demands an encrypted way"), "{why}");
}

#[test]
fn a_transfer_that_is_redirected_tells_its_asker_only_the_end() {
    let mut bench = Bench::new();
    let to = established(&mut bench);
    let session = bench.session();
    let refer = request(
        "REFER",
        "sip:us@10.0.0.1",
        "r",
        &to,
        2,
        "Refer-To: <sip:bob@10.0.0.200:5070>",
    );
    bench.datagram(&refer);
    let now = bench.now;
    bench
        .endpoint
        .answer_referral(now, session, &ReferralAnswer::Follow)
        .unwrap();
    let target = Uri::parse("sip:bob@10.0.0.200:5070").unwrap();
    let wanted = OutgoingCall {
        account: None,
        target: &target,
        headers: &[],
        urgent: false,
    };
    let call = bench
        .endpoint
        .invite_referred(now, session, &wanted)
        .unwrap();
    let news = |sent: &[Message]| -> Vec<String> {
        sent.iter()
            .filter(|message| message.method().is_some_and(|it| it.as_str() == "NOTIFY"))
            .map(|notify| String::from_utf8_lossy(&notify.body).trim().to_owned())
            .collect()
    };
    let first = bench.sent();
    for notify in first.iter().filter(|message| message.method().is_some()) {
        answer(&mut bench, notify, 200, &[]);
    }
    let invite = next_invite(&mut bench, call).unwrap();
    let sent = answer(&mut bench, &invite, 302, &["<sip:carol@10.0.0.203:5060>"]);
    assert_eq!(news(&sent), [""; 0], "it goes on");
    let again = follow(&mut bench, call).unwrap();
    let sent = answer(&mut bench, &again, 486, &[]);
    assert_eq!(news(&sent), ["SIP/2.0 486 Answer"]);
}

#[test]
fn redirected_calls_come_through_a_bad_network() {
    let mut through = 0;
    for seed in 0..30 {
        let link = Link {
            loss: 250,
            duplicates: 150,
            min_delay: Duration::from_millis(20),
            jitter: Duration::from_millis(300),
        };
        let mut world = World::new(seed, link);
        for _ in 0..4 {
            world.add_agent(true);
        }
        world.agents[0].script = Some(|_, event| match event {
            SipEvent::OfferNeeded { .. } => vec![(Duration::ZERO, Act::Offer)],
            _ => Vec::new(),
        });
        // The third one is busy, the fourth one answers.
        world.agents[2].script = Some(|_, event| match event {
            SipEvent::Incoming(_) => vec![(Duration::from_secs(1), Act::Reject(486))],
            _ => Vec::new(),
        });
        world.agents[3].script = Some(|_, event| match event {
            SipEvent::Incoming(_) => vec![
                (Duration::from_millis(300), Act::Ring),
                (Duration::from_secs(3), Act::Answer),
            ],
            _ => Vec::new(),
        });
        let target = world.uri(1);
        let session = world.call(0, None, &target, "r");
        let elsewhere = [
            ("Contact".to_owned(), format!("<{}>;q=0.4", world.uri(3))),
            ("Contact".to_owned(), format!("<{}>;q=0.9", world.uri(2))),
        ];
        let (mut sent_on, mut followed) = (false, false);
        for _ in 0..1_200 {
            world.run_for(Duration::from_millis(100));
            let now = world.now;
            if !sent_on && let Some(call) = world.incoming(1, "r") {
                let moved = Status::new(302, "Moved Temporarily");
                let endpoint = &mut world.agents[1].endpoint;
                sent_on = endpoint
                    .reject(now, call.session, moved, &elsewhere)
                    .is_ok();
                world.drain(1);
            }
            let wish = world.agents[0].events.iter().find_map(|(_, e)| match e {
                SipEvent::Redirected { targets, .. } => Some(targets.clone()),
                _ => None,
            });
            if !followed && let Some(targets) = wish {
                let order: Vec<Uri> = vec![world.uri(2), world.uri(3)];
                assert_eq!(targets, order, "seed {seed}");
                let endpoint = &mut world.agents[0].endpoint;
                followed = endpoint.follow_redirection(now, session, &targets).is_ok();
                world.drain(0);
            }
        }
        let record = &world.agents[0].records[&session];
        if record.established.is_some() {
            through += 1;
            assert!(
                world.saw(3, |e| matches!(e, SipEvent::Confirmed { .. })),
                "seed {seed}"
            );
            world.act(0, session, Act::HangUp);
        }
        assert!(world.run_until_quiet(LONG), "seed {seed}");
        for agent in 0..4 {
            let census = world.agents[agent].endpoint.census();
            assert_eq!(census, Census::default(), "seed {seed}, agent {agent}");
            for record in world.agents[agent].records.values() {
                assert_eq!(record.ended.len(), 1, "seed {seed}, agent {agent}");
            }
        }
    }
    assert!(through >= 24, "{through} of 30");
}
