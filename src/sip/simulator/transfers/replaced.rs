//! Who is reached: a call takes the place of the one that it names (RFC 3891), at last with all three
//! roles over a bad network.

use std::time::Duration;

use super::{CAROL, LONG, answer, to};
use crate::sip::message::Method;
use crate::sip::simulator::agent::{Act, Record};
use crate::sip::simulator::bench::{Bench, SDP_BODY, TO_US, US, established, request};
use crate::sip::simulator::world::{Link, World};
use crate::sip::{Body, EndedBy, ReferTarget, ReferralAnswer, SessionId, SipEvent};

fn invite_in_place(branch: &str, replaces: &str) -> String {
    let more = format!("Require: replaces\r\nReplaces: {replaces}\r\n{SDP_BODY}");
    request("INVITE", US, branch, TO_US, 1, &more)
        .replace("Call-ID: call-1", &format!("Call-ID: new-{branch}"))
}

#[test]
fn a_call_takes_the_place_of_exactly_the_one_that_it_names() {
    let mut bench = Bench::new();
    let to = established(&mut bench);
    let old = bench.session();
    let ours = to.split_once("tag=").unwrap().1.to_owned();
    for (number, (replaces, code)) in [
        (format!("call-9;to-tag={ours};from-tag=p1"), 481),
        ("call-1;to-tag=other;from-tag=p1".to_owned(), 481),
        (format!("call-1;to-tag={ours};from-tag=p9"), 481),
        (format!("call-1;to-tag={ours};from-tag=p1;early-only"), 486),
        (format!("call-1;to-tag={ours}"), 400),
        (
            format!("call-1;to-tag={ours};from-tag=p1\r\nReplaces: a;to-tag=1;from-tag=2"),
            400,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let invite = invite_in_place(&format!("b{number}"), &replaces);
        assert_eq!(bench.codes(&invite), [code], "{replaces}");
    }
    bench.datagram(&invite_in_place(
        "c",
        &format!("call-1;to-tag={ours};from-tag=p1"),
    ));
    let call = bench.incoming().unwrap().clone();
    assert_eq!(call.replaces, Some(old));
    assert!(bench.end().is_none(), "nothing ends before it is accepted");
    bench
        .endpoint
        .answer(bench.now, call.session, Body::sdp("v=0"))
        .unwrap();
    let sent = bench.sent();
    assert_eq!(sent[0].code(), Some(200));
    assert_eq!(sent[1].method(), Some(&Method::Bye));
    assert_eq!(sent[1].call_id(), "call-1");
    let late = invite_in_place("d", &format!("call-1;to-tag={ours};from-tag=p1"));
    assert_eq!(bench.codes(&late), [603], "its place is taken already");
    answer(&mut bench, &sent[1], 200, &[]);
    let Some(SipEvent::Ended { session, by, .. }) = bench.end() else {
        panic!("{:?}", bench.events)
    };
    assert_eq!((*session, *by), (old, EndedBy::Replaced));
}

#[test]
fn only_an_early_call_that_we_made_is_picked_up() {
    let mut bench = Bench::new();
    // One that rings here was begun by the other side.
    bench.datagram(&request("INVITE", US, "i", TO_US, 1, SDP_BODY));
    let ringing = bench.session();
    bench.endpoint.ring(bench.now, ringing, None).unwrap();
    let ours = bench.sent().remove(0).to_tag();
    let invite = invite_in_place("a", &format!("call-1;to-tag={ours};from-tag=p1"));
    assert_eq!(bench.codes(&invite), [481]);

    let call = bench.call(None, CAROL);
    let out = bench.sent().remove(0);
    answer(
        &mut bench,
        &out,
        180,
        &[("Contact", "<sip:carol@10.0.0.203>")],
    );
    let names = format!(
        "{};to-tag={};from-tag=p1;early-only",
        out.call_id(),
        out.from_tag()
    );
    bench.datagram(&invite_in_place("b", &names));
    let pickup = bench.incoming().unwrap().clone();
    assert_eq!(pickup.replaces, Some(call));
    bench
        .endpoint
        .answer(bench.now, pickup.session, Body::sdp("v=0"))
        .unwrap();
    let sent = bench.sent();
    assert_eq!(sent[0].code(), Some(200));
    assert_eq!(sent[1].method(), Some(&Method::Cancel));
    answer(&mut bench, &sent[1], 200, &[]);
    answer(&mut bench, &out, 487, &[]);
    let replaced = bench.events.iter().any(|event| {
        matches!(event, SipEvent::Ended { session, by: EndedBy::Replaced, .. } if *session == call)
    });
    assert!(replaced, "{:?}", bench.events);
}

/// Two agents talk; the first also talks with a third. Gives the sessions of the first.
fn three(world: &mut World) -> (SessionId, SessionId) {
    for _ in 0..3 {
        let agent = world.add_agent(true);
        world.agents[agent].script = Some(|_, event| match event {
            SipEvent::OfferNeeded { .. } => vec![(Duration::ZERO, Act::Offer)],
            SipEvent::Incoming(_) => vec![(Duration::from_millis(50), Act::Answer)],
            _ => Vec::new(),
        });
    }
    let (bob, carol) = (world.uri(1), world.uri(2));
    let with_bob = world.call(0, None, &bob, "bob");
    let with_carol = world.call(0, None, &carol, "carol");
    world.run_for(Duration::from_secs(60));
    (with_bob, with_carol)
}

#[test]
fn an_attended_transfer_joins_the_other_two_over_a_bad_network() {
    let mut joined = 0;
    for seed in 0..20 {
        let link = Link {
            loss: 150,
            duplicates: 100,
            min_delay: Duration::from_millis(20),
            jitter: Duration::from_millis(40),
        };
        let mut world = World::new(seed, link);
        let (with_bob, with_carol) = three(&mut world);
        let established = |world: &World, agent: usize| {
            let records = world.agents[agent].records.values();
            records
                .filter(|r| r.established.is_some() && r.ended.is_empty())
                .count()
        };
        if established(&world, 0) != 2 || established(&world, 1) != 1 || established(&world, 2) != 1
        {
            continue;
        }
        let now = world.now;
        world.agents[0]
            .endpoint
            .transfer(now, with_bob, &ReferTarget::Call(with_carol))
            .unwrap();
        world.drain(0);
        let mut decided = None;
        for _ in 0..800 {
            world.run_for(Duration::from_millis(100));
            let wish = world.agents[1]
                .events
                .iter()
                .find_map(|(_, event)| match event {
                    SipEvent::Referral(wish) => Some((wish.session, wish.target.clone())),
                    _ => None,
                });
            if let (Some((session, target)), None) = (wish, decided) {
                let now = world.now;
                let bob = &mut world.agents[1];
                bob.endpoint
                    .answer_referral(now, session, &ReferralAnswer::Follow)
                    .unwrap();
                let call = bob
                    .endpoint
                    .invite_referred(now, session, &to(&target))
                    .unwrap();
                bob.records.insert(call, Record::outgoing("new"));
                decided = Some(call);
                world.drain(1);
            }
        }
        let last = world.agents[0]
            .events
            .iter()
            .rev()
            .find_map(|(_, event)| match event {
                SipEvent::Transfer {
                    status, done: true, ..
                } => Some(status.code),
                _ => None,
            });
        let code = last.unwrap_or_else(|| panic!("seed {seed}: no last word\n{}", world.show(0)));
        if code != 200 {
            continue;
        }
        // Carol talks with Bob now, and with nobody else.
        assert_eq!(established(&world, 2), 1, "seed {seed}\n{}", world.show(2));
        let replaced = world.saw(2, |event| {
            matches!(
                event,
                SipEvent::Ended {
                    by: EndedBy::Replaced | EndedBy::Unreachable,
                    ..
                }
            )
        });
        assert!(replaced, "seed {seed}\n{}", world.show(2));
        world.act(0, with_bob, Act::HangUp);
        world.run_for(Duration::from_secs(40));
        assert_eq!(established(&world, 1), 1, "seed {seed}\n{}", world.show(1));
        let new = decided.unwrap();
        world.act(1, new, Act::HangUp);
        assert!(world.run_until_quiet(LONG), "seed {seed}");
        joined += 1;
    }
    assert!(joined >= 15, "only {joined} of 20 came to their end");
}
