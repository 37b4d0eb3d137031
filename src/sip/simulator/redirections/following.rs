//! A 3xx that is followed, or not: what the new INVITE keeps, who decides, and how the call ends.

use std::time::Duration;

use super::{CAROL, DAVE, LONG, answer, follow, is_invite, next_invite, offered, settles, uri};
use crate::base::uri::Uri;
use crate::sip::message::{Message, Method};
use crate::sip::simulator::agent::Act;
use crate::sip::simulator::bench::{Bench, Caller, US, established, request};
use crate::sip::simulator::world::{Link, World};
use crate::sip::{Body, Census, EndedBy, OutgoingCall, ReferralAnswer, SipError, SipEvent, Status};

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
    assert_eq!(bench.ended(), Some((EndedBy::Remote, 300)));
    settles(bench);
    // Nobody decides: the ring limit of two minutes ends it.
    let mut caller = Caller::new();
    let bench = &mut caller.bench;
    answer(bench, &caller.invite, 301, &["<sip:carol@10.0.0.203>"]);
    bench.wait(Duration::from_secs(119));
    assert_eq!(bench.ended(), None);
    bench.wait(Duration::from_secs(2));
    assert_eq!(bench.ended(), Some((EndedBy::Remote, 301)));
    settles(bench);
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
        assert_eq!(bench.ended(), Some((EndedBy::Local, 487)), "{stage}");
        let later = bench.wait(LONG);
        assert!(!later.iter().any(is_invite), "{stage}");
        assert_eq!(bench.endpoint.census(), Census::default());
    }
}

#[test]
fn a_transfer_that_is_redirected_tells_its_asker_only_the_end() {
    let mut bench = Bench::new();
    let to = established(&mut bench);
    let session = bench.session();
    let refer = request(
        "REFER",
        US,
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
