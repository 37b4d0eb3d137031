//! Registrations over hours.

use std::time::Duration;

use super::registrar::Registrar;
use super::scenarios::{account, is_registered, world_with_registrar};
use super::world::{Link, World};
use crate::base::flow::Transport;
use crate::base::id::AccountId;
use crate::base::uri::Uri;
use crate::sip::{AccountSetup, RegistrationState, SipEvent};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const ID: AccountId = AccountId(0);

fn states(world: &World) -> Vec<RegistrationState> {
    world.agents[0]
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            SipEvent::Registration { state, .. } => Some(state.clone()),
            _ => None,
        })
        .collect()
}

fn one_phone(setup: AccountSetup, prepare: impl FnOnce(&mut World)) -> World {
    let mut world = world_with_registrar(3, Link::PERFECT);
    let agent = world.add_agent(false);
    prepare(&mut world);
    world.add_account(agent, setup);
    world.run_for(SECOND);
    world
}

#[test]
fn all_algorithms_and_the_topmost_supported_challenge_work() {
    for algorithm in ["MD5", "SHA-256", "SHA-512-256", "MD5-sess", "SHA-256-sess"] {
        let world = one_phone(account("anna"), |world| {
            world.registrar.algorithm = algorithm;
        });
        assert!(world.saw(0, is_registered), "{algorithm}");
        let text = &world.agents[0].ladder[2].3;
        assert!(text.contains("response=\"xxxxxxxx"), "{text}");
    }
}

#[test]
fn the_contact_has_a_random_user_of_64_bits() {
    let world = one_phone(account("anna"), |_| {});
    let bound = world.registrar.bound("anna", world.now);
    let uri = Uri::parse(&bound[0]).unwrap();
    let user = uri.user_decoded().unwrap();
    assert_eq!(user.len(), 16);
    assert!(user.bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[test]
fn a_binding_is_refreshed_for_hours_without_a_gap() {
    let mut world = one_phone(account("anna"), |_| {});
    for _ in 0..300 {
        world.run_for(MINUTE);
        assert_eq!(world.registrar.bound("anna", world.now).len(), 1);
    }
    assert!((5..=7).contains(&world.registrar.accepted));
    // The nonce is used again, so that a refresh needs no second round.
    assert_eq!(world.count(0, false, "SIP/2.0 401"), 1);
}

/// What a registrar granted below 10 s was taken as 10 s: no call came through for the rest of it.
#[test]
fn a_binding_of_seconds_is_refreshed_before_it_ends() {
    for granted in 2..=9 {
        let mut world = one_phone(account("anna"), |world| {
            world.registrar.max_expires = granted;
        });
        let expires = Duration::from_secs(granted.into());
        let told = states(&world);
        assert_eq!(
            told.last(),
            Some(&RegistrationState::Registered { expires })
        );
        for _ in 0..1200 {
            world.run_for(Duration::from_millis(50));
            let bound = world.registrar.bound("anna", world.now);
            assert_eq!(bound.len(), 1, "{granted} s");
        }
        let accepted = world.registrar.accepted;
        assert!(accepted <= 2 * 61 / granted + 2, "{granted} s: {accepted}");
    }
}

#[test]
fn a_registrar_that_grants_a_second_is_asked_once_a_second() {
    let mut world = one_phone(account("anna"), |world| {
        world.registrar.max_expires = 1;
    });
    world.run_for(MINUTE);
    let accepted = world.registrar.accepted;
    assert!((58..=62).contains(&accepted), "{accepted}");
}

/// A NAT that gives each request another port, and a binding of a second.
#[test]
fn a_contact_that_moves_at_each_answer_is_no_flood_where_bindings_are_short() {
    for granted in [1, 5, 9] {
        let mut world = one_phone(account("anna"), |world| {
            world.registrar.max_expires = granted;
        });
        for port in 0..600_u16 {
            let place = format!("192.0.2.9:{}", 20_000 + port);
            world.agents[0].nat = Some(place.parse().unwrap());
            world.run_for(Duration::from_millis(100));
        }
        let accepted = world.registrar.accepted;
        assert!(accepted <= 62, "{granted} s: {accepted}");
    }
}

#[test]
fn a_wrong_password_ends_after_three_challenges_and_says_so() {
    let mut world = one_phone(account("anna"), |world| {
        world.registrar.password = "other".to_owned();
    });
    world.run_for(MINUTE * 100);
    assert_eq!(world.count(0, true, "REGISTER"), 3);
    match states(&world).last() {
        Some(RegistrationState::Failed {
            status: Some(status),
            reason,
            retry_in: None,
        }) => {
            assert_eq!(status.code, 401);
            assert!(reason.contains("password"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    // The user corrects it and tries again.
    world.registrar.password = "secret".to_owned();
    let now = world.now;
    world.agents[0].endpoint.register_now(now, ID);
    world.drain(0);
    world.run_for(SECOND);
    assert!(world.saw(0, is_registered));
}

#[test]
fn a_registration_that_is_too_brief_is_asked_for_longer() {
    let mut setup = account("anna");
    setup.expires = Duration::from_secs(60);
    let world = one_phone(setup, |world| world.registrar.min_expires = 900);
    assert_eq!(
        states(&world).last(),
        Some(&RegistrationState::Registered {
            expires: Duration::from_secs(900)
        })
    );
}

#[test]
fn a_silent_registrar_is_tried_again_with_growing_pauses_until_it_is_back() {
    let mut world = one_phone(account("anna"), |world| {
        world.drop_if = Some(Box::new(|text| text.starts_with("REGISTER")));
    });
    world.run_for(MINUTE * 10);
    let pauses: Vec<Duration> = states(&world)
        .iter()
        .filter_map(|state| match state {
            RegistrationState::Failed { retry_in, .. } => *retry_in,
            _ => None,
        })
        .collect();
    assert!(pauses.len() >= 3);
    for (number, pause) in pauses.iter().enumerate() {
        let most = Duration::from_secs(30) * (1 << number);
        assert!((most / 2..=most).contains(pause), "{number}: {pause:?}");
    }
    world.drop_if = None;
    world.run_for(MINUTE * 30);
    assert!(world.saw(0, is_registered));
}

#[test]
fn an_unknown_name_is_told_to_the_user() {
    let mut setup = account("anna");
    setup.registrar = Some(Uri::parse("sip:nowhere.example").unwrap());
    let world = one_phone(setup, |_| {});
    match states(&world).last() {
        Some(RegistrationState::Failed {
            reason,
            retry_in: Some(_),
            ..
        }) => assert!(reason.contains("nowhere.example is unknown"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refusal_is_shown_with_its_status() {
    let world = one_phone(account("anna"), |world| {
        world.registrar.refuse_with = Some(403);
    });
    assert!(matches!(
        states(&world).last(),
        Some(RegistrationState::Failed { status: Some(s), retry_in: Some(_), .. }) if s.code == 403
    ));
}

#[test]
fn leaving_removes_the_binding() {
    let mut world = one_phone(account("anna"), |_| {});
    let now = world.now;
    world.agents[0].endpoint.unregister_all(now);
    world.drain(0);
    world.run_for(SECOND);
    assert!(world.registrar.bound("anna", world.now).is_empty());
    assert_eq!(
        states(&world).last(),
        Some(&RegistrationState::Unregistered)
    );
    assert!(world.agents[0].endpoint.poll_timeout().is_some());
    world.run_for(MINUTE);
    assert_eq!(world.agents[0].endpoint.poll_timeout(), None);
}

#[test]
fn removing_an_account_removes_its_binding_even_while_it_registers() {
    let mut world = world_with_registrar(3, Link::PERFECT);
    world.add_agent(false);
    world.add_account(0, account("anna"));
    world.run_for(Duration::from_millis(12));
    let now = world.now;
    world.agents[0].endpoint.remove_account(now, ID);
    world.drain(0);
    world.run_for(MINUTE * 2);
    assert!(world.registrar.bound("anna", world.now).is_empty());
    assert_eq!(
        states(&world).last(),
        Some(&RegistrationState::Unregistered)
    );
    assert_eq!(world.agents[0].endpoint.poll_timeout(), None);
}

#[test]
fn a_restarted_registrar_is_met_with_a_fresh_answer() {
    let mut world = one_phone(account("anna"), |_| {});
    world.registrar.restart();
    let now = world.now;
    world.agents[0].endpoint.register_now(now, ID);
    world.drain(0);
    world.run_for(SECOND);
    assert_eq!(world.registrar.bound("anna", world.now).len(), 1);
}

#[test]
fn a_changed_password_keeps_the_binding() {
    let mut world = one_phone(account("anna"), |_| {});
    let before = world.registrar.bound("anna", world.now);
    let mut setup = account("anna");
    setup.display_name = None;
    world.add_account(0, setup);
    world.run_for(SECOND);
    assert_eq!(world.registrar.bound("anna", world.now), before);
}

#[test]
fn the_nat_is_kept_open_and_the_contact_is_what_the_registrar_saw() {
    let public = "192.0.2.9:33333".parse().unwrap();
    let mut world = one_phone(account("anna"), |world| {
        world.agents[0].nat = Some(public);
    });
    let bound = world.registrar.bound("anna", world.now);
    assert_eq!(bound.len(), 1, "{bound:?}");
    assert!(bound[0].ends_with("@192.0.2.9:33333"), "{bound:?}");
    let before = world.keep_alives;
    world.run_for(MINUTE * 10);
    assert_eq!(world.keep_alives - before, 24);
    // The NAT forgets us and gives another port.
    world.agents[0].nat = Some("192.0.2.9:44444".parse().unwrap());
    let now = world.now;
    world.agents[0].endpoint.register_now(now, ID);
    world.drain(0);
    world.run_for(SECOND);
    let bound = world.registrar.bound("anna", world.now);
    assert_eq!(bound.len(), 1, "{bound:?}");
    assert!(bound[0].ends_with("@192.0.2.9:44444"), "{bound:?}");
}

#[test]
fn calls_from_behind_a_nat_carry_the_public_contact_and_arrive() {
    let mut world = world_with_registrar(5, Link::PERFECT);
    for (user, port) in [("anna", 40001), ("ben", 40002)] {
        let agent = world.add_agent(false);
        world.agents[agent].nat = Some(format!("192.0.2.9:{port}").parse().unwrap());
        world.add_account(agent, account(user));
    }
    world.run_for(SECOND);
    let ben = Uri::parse("sip:ben@sim.example").unwrap();
    let call = world.call(0, Some(ID), &ben, "call");
    world.run_for(SECOND);
    world.act(0, call, super::agent::Act::Offer);
    world.run_for(SECOND);
    let incoming = world.incoming(1, "call").unwrap();
    assert_eq!(incoming.account, Some(ID));
    let invite = &world.agents[1]
        .ladder
        .iter()
        .find(|(_, _, _, text)| text.starts_with("INVITE"))
        .unwrap()
        .3;
    assert!(invite.contains("@192.0.2.9:40001>"), "{invite}");
}

#[test]
fn an_outbound_proxy_is_the_first_hop_of_everything() {
    let mut setup = account("anna");
    setup.outbound_proxy = Some(Uri::parse("sip:10.0.0.100").unwrap());
    setup.registrar = Some(Uri::parse("sip:unresolvable.example").unwrap());
    let mut world = one_phone(setup, |world| {
        world.registrar.service_route = Some("<sip:10.0.0.100;lr>, <sip:inner.example;lr>".into());
    });
    assert!(world.saw(0, is_registered), "{}", world.show(0));
    let target = Uri::parse("sip:x@unresolvable.example").unwrap();
    let call = world.call(0, Some(ID), &target, "call");
    world.run_for(SECOND);
    world.act(0, call, super::agent::Act::Offer);
    let invite = world.agents[0].ladder.last().unwrap().3.clone();
    let routes: Vec<_> = invite.lines().filter(|l| l.starts_with("Route")).collect();
    assert_eq!(
        routes,
        [
            "Route: <sip:10.0.0.100;lr>",
            "Route: <sip:inner.example;lr>"
        ]
    );
    assert_eq!(
        world.agents[0].ladder.last().unwrap().2,
        Registrar::address()
    );
}

#[test]
fn an_account_without_registrar_is_off() {
    let mut setup = account("anna");
    setup.registrar = None;
    let world = one_phone(setup, |_| {});
    assert_eq!(states(&world), [RegistrationState::Off]);
    assert_eq!(world.agents[0].endpoint.poll_timeout(), None);
}

#[test]
fn a_registrar_that_is_down_fails_over_to_the_next() {
    let world = one_phone(account("anna"), |world| {
        let dead = world.add_agent(false);
        world.agents[dead].down = true;
        let dead = world.address(dead);
        world.names.insert(
            "sim.example".to_owned(),
            vec![
                (Transport::Udp, dead),
                (Transport::Udp, Registrar::address()),
            ],
        );
    });
    assert!(world.saw(0, is_registered), "{}", world.show(0));
}

#[test]
fn a_missing_password_is_told_as_such() {
    let mut setup = account("anna");
    setup.credentials = None;
    let world = one_phone(setup, |_| {});
    match states(&world).last() {
        Some(RegistrationState::Failed {
            reason,
            retry_in: None,
            ..
        }) => assert!(reason.contains("none is set"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_try_is_told_once_and_a_refresh_is_no_news() {
    let mut world = one_phone(account("anna"), |world| {
        world.registrar.min_expires = 7200;
    });
    world.run_for(MINUTE * 200);
    let told = states(&world);
    assert_eq!(told[0], RegistrationState::Registering { why: None });
    assert!(told.len() >= 2);
    assert!(
        told[1..]
            .iter()
            .all(|state| matches!(state, RegistrationState::Registered { .. }))
    );
    world.registrar.refuse_with = Some(500);
    world.run_for(MINUTE * 200);
    let told = states(&world);
    let tries = told
        .iter()
        .filter(|s| **s == RegistrationState::Registering { why: None });
    let failures = told
        .iter()
        .filter(|s| matches!(s, RegistrationState::Failed { .. }));
    let (tries, failures) = (tries.count(), failures.count());
    assert!(failures >= 3 && tries == failures, "{told:?}");
}

/// Its removal was given up for the new REGISTER: where one datagram was lost, or a challenge came, the
/// old binding stayed, and calls to it found nobody.
#[test]
fn an_account_that_gets_another_address_takes_the_old_binding_along() {
    let mut world = one_phone(account("anna"), |_| {});
    assert_eq!(world.registrar.bound("anna", world.now).len(), 1);
    let now = world.now;
    world.agents[0].endpoint.remove_account(now, ID);
    world.add_account(0, account("bob"));
    world.run_for(SECOND * 3);
    assert_eq!(world.registrar.bound("anna", world.now), [""; 0]);
    assert_eq!(world.registrar.bound("bob", world.now).len(), 1);
}

#[test]
fn a_registrar_that_is_gone_does_not_keep_the_next_address_waiting() {
    let mut world = one_phone(account("anna"), |_| {});
    world.registrar.silent = true;
    let now = world.now;
    world.agents[0].endpoint.remove_account(now, ID);
    world.add_account(0, account("bob"));
    world.run_for(SECOND * 3);
    world.registrar.silent = false;
    world.run_for(SECOND * 5);
    assert_eq!(world.registrar.bound("bob", world.now).len(), 1);
    // Removed while it waits, it never comes.
    let now = world.now;
    world.registrar.silent = true;
    world.agents[0].endpoint.remove_account(now, ID);
    world.add_account(0, account("carol"));
    let now = world.now;
    world.agents[0].endpoint.remove_account(now, ID);
    world.registrar.silent = false;
    world.run_for(MINUTE);
    assert_eq!(world.registrar.bound("carol", world.now), [""; 0]);
}
