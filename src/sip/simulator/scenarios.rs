//! Calls and registrations step by step.

use std::time::Duration;

use super::checks::check;
use super::registrar::Registrar;
use super::world::{Act, Link, World};
use crate::base::id::AccountId;
use crate::base::redact::Secret;
use crate::base::uri::Uri;
use crate::sip::{AccountSetup, Credentials, EndedBy, RegistrationState, SipEvent};

const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(3600);

pub(super) fn account(user: &str) -> AccountSetup {
    AccountSetup {
        address: Uri::parse(&format!("sip:{user}@sim.example")).unwrap(),
        display_name: Some(user.to_owned()),
        registrar: Some(Uri::parse("sip:sim.example").unwrap()),
        outbound_proxy: None,
        transport: None,
        credentials: Some(Credentials {
            username: user.to_owned(),
            password: Secret::new("secret"),
        }),
        expires: Duration::from_secs(3600),
        ring_limit: Duration::from_secs(60),
    }
}

pub(super) fn world_with_registrar(seed: u64, link: Link) -> World {
    let mut world = World::new(seed, link);
    world.names.insert(
        "sim.example".to_owned(),
        vec![(crate::sip::Transport::Udp, Registrar::address())],
    );
    world
}

fn is_registered(event: &SipEvent) -> bool {
    matches!(
        event,
        SipEvent::Registration {
            state: RegistrationState::Registered { .. },
            ..
        }
    )
}

fn ended_by(world: &World, agent: usize) -> Vec<(EndedBy, u16)> {
    world.agents[agent]
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            SipEvent::Ended { by, status, .. } => Some((*by, status.code)),
            _ => None,
        })
        .collect()
}

#[test]
fn two_registered_phones_call_talk_and_hang_up() {
    let mut world = world_with_registrar(1, Link::PERFECT);
    for user in ["alice", "bob"] {
        let agent = world.add_agent(false);
        world.add_account(agent, account(user));
    }
    world.run_for(SECOND);
    for agent in [0, 1] {
        assert!(world.saw(agent, is_registered), "{}", world.show(agent));
    }
    let bob = Uri::parse("sip:bob@sim.example").unwrap();
    let call = world.call(0, Some(AccountId(0)), &bob, "call");
    world.run_for(SECOND);
    assert!(world.saw(0, |e| matches!(e, SipEvent::OfferNeeded { .. })));
    world.act(0, call, Act::Offer);
    world.run_for(SECOND);
    let incoming = world.incoming(1, "call").expect("the call arrives");
    assert_eq!(incoming.account, Some(AccountId(0)));
    assert_eq!(incoming.from.display_name.as_deref(), Some("alice"));
    assert!(incoming.offer.is_some());
    world.act(1, incoming.session, Act::Ring);
    world.run_for(SECOND);
    assert!(world.saw(
        0,
        |e| matches!(e, SipEvent::Progress { status, .. } if status.code == 180)
    ));
    world.act(1, incoming.session, Act::Answer);
    world.run_for(SECOND);
    assert!(world.saw(0, |e| matches!(e, SipEvent::Answered { body: Some(_), .. })));
    assert!(world.saw(1, |e| matches!(e, SipEvent::Confirmed { .. })));
    world.act(0, call, Act::HangUp);
    assert!(world.run_until_quiet(LONG), "{}", world.show(0));
    assert_eq!(ended_by(&world, 0), [(EndedBy::Local, 200)]);
    assert_eq!(ended_by(&world, 1), [(EndedBy::Remote, 200)]);
    check(&world, 1);
}
