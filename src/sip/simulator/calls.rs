//! Thousands of calls at random over a bad network.

use std::time::Duration;

use super::agent::{Act, Record, WatchAct};
use super::checks::check;
use super::notifier::Notifier;
use super::scenarios::{account, world_with_registrar};
use super::watching::{Seen, check_watching};
use super::world::{Link, World};
use crate::base::id::AccountId;
use crate::base::random::{Random as _, SeededRandom};
use crate::base::uri::Uri;
use crate::sip::{AccountSetup, CallExtensions, RegistrationState, Reliability, SipEvent};

const CALLS_PER_WORLD: u32 = 25;
const DEFAULT_CALLS: u32 = 2000;
/// How long a call lasts at most, whatever happened to its caller.
const PATIENCE: Duration = Duration::from_secs(450);

fn below(random: &mut SeededRandom, limit: u32) -> u32 {
    random.next_u32() % limit
}

fn millis(random: &mut SeededRandom, limit: u32) -> Duration {
    Duration::from_millis(below(random, limit).into())
}

/// A user who does anything that a user can do, at any time.
fn restless_user(random: &mut SeededRandom, event: &SipEvent) -> Vec<(Duration, Act)> {
    match event {
        SipEvent::OfferNeeded { .. } => {
            let mut acts = vec![(millis(random, 50), Act::Offer)];
            if below(random, 5) == 0 {
                acts.push((millis(random, 8000), Act::HangUp));
            }
            acts
        }
        SipEvent::Incoming(_) => {
            let mut acts = Vec::new();
            if below(random, 10) > 0 {
                let ring = if below(random, 4) == 0 {
                    Act::Early
                } else {
                    Act::Ring
                };
                acts.push((millis(random, 500), ring));
            }
            match below(random, 10) {
                0 => acts.push((millis(random, 5000), Act::Reject(486))),
                1 => acts.push((millis(random, 5000), Act::HangUp)),
                // It rings until somebody loses patience.
                2 => {}
                _ => acts.push((millis(random, 8000), Act::Answer)),
            }
            // An offer before the answer, where the first exchange is done by then.
            if below(random, 3) == 0 {
                acts.push((millis(random, 4000), Act::Reinvite));
            }
            // A caller that restarted never ends its call.
            acts.push((PATIENCE + millis(random, 30_000), Act::HangUp));
            // Some hang up before the ACK is there.
            if below(random, 8) == 0 {
                acts.push((millis(random, 9000), Act::HangUp));
            }
            acts
        }
        SipEvent::Answered { .. } | SipEvent::Confirmed { .. } => {
            let mut acts = Vec::new();
            for _ in 0..below(random, 4) {
                acts.push((millis(random, 20_000), Act::Reinvite));
            }
            if below(random, 2) == 0 {
                acts.push((millis(random, 30_000), Act::HangUp));
            }
            match below(random, 8) {
                0 => {
                    let whom = below(random, 3) as usize;
                    acts.push((millis(random, 20_000), Act::Transfer(whom)));
                }
                1 => acts.push((millis(random, 20_000), Act::Join)),
                2 => {
                    let digits = Act::Digits(1 + below(random, 3));
                    acts.push((millis(random, 20_000), digits));
                }
                _ => {}
            }
            acts
        }
        SipEvent::Referral(_) => {
            let act = match below(random, 6) {
                0 => Act::Refuse(false),
                1 => Act::Refuse(true),
                // Nobody decides.
                2 => return Vec::new(),
                _ => Act::Follow,
            };
            vec![(millis(random, 6000), act)]
        }
        // Whom we sent elsewhere is there, or not; most users are done with the call.
        SipEvent::Transfer { done: true, .. } if below(random, 4) > 0 => {
            vec![(millis(random, 2000), Act::HangUp)]
        }
        SipEvent::Reinvite { .. } => {
            let code = if below(random, 5) == 0 { 488 } else { 200 };
            vec![(millis(random, 2000), Act::AnswerChange(code))]
        }
        SipEvent::Progress { .. } if below(random, 4) == 0 => {
            vec![(millis(random, 1000), Act::Reinvite)]
        }
        SipEvent::Registration { .. }
        | SipEvent::Subscription { .. }
        | SipEvent::News { .. }
        | SipEvent::NotifierGone { .. }
        | SipEvent::UnsolicitedNews(_)
        | SipEvent::Progress { .. }
        | SipEvent::ReinviteConfirmed { .. }
        | SipEvent::ReinviteAnswered { .. }
        | SipEvent::ChangeDeferred { .. }
        | SipEvent::ChangePossible { .. }
        | SipEvent::Transfer { .. }
        | SipEvent::ReferralOver { .. }
        | SipEvent::InfoDigit { .. }
        | SipEvent::Moved { .. }
        | SipEvent::Message { .. }
        | SipEvent::StrongRealm { .. }
        | SipEvent::InformationRefused { .. }
        | SipEvent::CredentialsKept { .. }
        | SipEvent::Redirected { .. }
        | SipEvent::Redirecting { .. }
        | SipEvent::NotFollowed { .. }
        | SipEvent::Ended { .. }
        | SipEvent::Trace { .. } => Vec::new(),
    }
}

fn random_link(random: &mut SeededRandom) -> Link {
    Link {
        loss: [0, 20, 100, 300][random.next_u32() as usize % 4],
        duplicates: [0, 50, 200][random.next_u32() as usize % 3],
        min_delay: Duration::from_millis([1, 20, 150][random.next_u32() as usize % 3]),
        jitter: Duration::from_millis([0, 50, 1000][random.next_u32() as usize % 3]),
    }
}

fn random_extensions(random: &mut SeededRandom) -> CallExtensions {
    // One who demands what the others are without gets no call through, so few do.
    let reliable = match below(random, 10) {
        0 => Reliability::Required,
        1 | 2 => Reliability::Off,
        _ => Reliability::Supported,
    };
    let seconds = [0, 90, 90, 300, 1800][below(random, 5) as usize];
    CallExtensions {
        reliable,
        session_expires: Duration::from_secs(seconds),
    }
}

/// Subscribes to something for a while, as a user who looks at the state now and then.
fn watch(world: &mut World, random: &mut SeededRandom, agent: usize) {
    let lifetime = [90, 300, 3600][below(random, 3) as usize];
    let setup = Notifier::setup(below(random, 2), Duration::from_secs(lifetime));
    let account = (below(random, 3) > 0).then_some(AccountId(0));
    let stays = if below(random, 6) == 0 {
        // Before the first answer is there.
        millis(random, 500)
    } else {
        millis(random, 200_000)
    };
    let mut acts = vec![(stays, WatchAct::Leave)];
    for act in [WatchAct::Refresh, WatchAct::Again] {
        if below(random, 3) == 0 {
            acts.push((millis(random, 100_000), act));
        }
    }
    world.watch(agent, account, setup, &acts);
}

/// Makes `calls` calls in one world; each second one goes through the proxy.
fn run_world(seed: u64, calls: u32) -> World {
    let mut random = SeededRandom::new(seed);
    let mut world = world_with_registrar(seed, random_link(&mut random));
    world.registrar.challenge_calls = below(&mut random, 2) == 0;
    world.registrar.record_route = below(&mut random, 3) > 0;
    let restarts = below(&mut random, 3) == 0;
    let users = ["anna", "ben", "cleo"].map(|user| AccountSetup {
        extensions: random_extensions(&mut random),
        ..account(user)
    });
    for setup in &users {
        let agent = world.add_agent_with(true, setup.extensions);
        world.add_account(agent, setup.clone());
        world.agents[agent].script = Some(restless_user);
    }
    world.run_for(Duration::from_secs(40));
    let watcher = below(&mut random, 3) as usize;
    watch(&mut world, &mut random, watcher);
    for number in 0..calls {
        let caller = below(&mut random, 3) as usize;
        let callee = (caller + 1 + below(&mut random, 2) as usize) % 3;
        let label = format!("{seed}-{number}");
        let by_proxy = below(&mut random, 2) == 0;
        let (by, mut target) = if by_proxy {
            (Some(AccountId(0)), users[callee].address.to_string())
        } else {
            (None, world.uri(callee).to_string())
        };
        if !by_proxy && below(&mut random, 3) == 0 {
            target += ";transport=tcp";
        }
        let session = world.call(caller, by, &Uri::parse(&target).unwrap(), &label);
        // Whatever both users do, the call ends some day.
        let longest = if below(&mut random, 4) == 0 {
            // Long enough for session timers.
            400_000
        } else {
            30_000
        };
        let lifetime = Duration::from_secs(60) + millis(&mut random, longest);
        world.act_in(lifetime, caller, session, Act::HangUp);
        let pause = millis(&mut random, 4000);
        world.run_for(pause);
        if restarts && below(&mut random, 8) == 0 {
            let agent = below(&mut random, 3) as usize;
            world.restart(agent, users[agent].clone());
            watch(&mut world, &mut random, agent);
        }
        match below(&mut random, 12) {
            0 => world.tell_watcher(),
            1 => world.write_to(below(&mut random, 3) as usize),
            2 => {
                let agent = below(&mut random, 3) as usize;
                watch(&mut world, &mut random, agent);
            }
            _ => {}
        }
    }
    let quiet = world.run_until_quiet(Duration::from_secs(4000));
    for (number, agent) in world.agents.iter().enumerate() {
        let census = agent.endpoint.census();
        assert!(
            quiet || census == crate::sip::Census::default(),
            "seed {seed}: agent {number} never came to rest: {census:?}\n{}",
            world.show(number)
        );
    }
    world
}

#[test]
fn every_call_ends_and_nothing_is_left_over_whatever_the_network_does() {
    let number = |name: &str| std::env::var(name).ok()?.parse().ok();
    let wanted: u32 = number("RINGDESK_SIM_CALLS").unwrap_or(DEFAULT_CALLS);
    let mut seed = number("RINGDESK_SIM_SEED").map_or(1, u64::from);
    let (mut made, mut talked, mut transferred) = (0, 0, 0);
    let mut seen = Seen::default();
    while made < wanted {
        // A world is always whole, so that its seed alone repeats it.
        let calls = CALLS_PER_WORLD;
        let Ok((talks, transfers, watched)) =
            std::panic::catch_unwind(|| checked_world(seed, calls))
        else {
            panic!("RINGDESK_SIM_SEED={seed} RINGDESK_SIM_CALLS={calls} repeats this failure");
        };
        talked += talks;
        transferred += transfers;
        seen.add(watched);
        made += calls;
        seed += 1;
    }
    // One world alone repeats a failure; of many none may prove little.
    if made == CALLS_PER_WORLD {
        return;
    }
    let wanted = usize::try_from(wanted).unwrap();
    assert!(
        talked * 3 > wanted,
        "only {talked} of {wanted} calls talked"
    );
    assert!(
        transferred * 100 > wanted,
        "only {transferred} transfers reached somebody in {wanted} calls"
    );
    let least = [seen.active, seen.refreshed, seen.digits, seen.written];
    assert!(
        least.iter().all(|count| count * 20 > wanted),
        "{seen:?} in {wanted} calls"
    );
}

/// Runs a world and checks it; gives how many of its calls were talked, how many of those were made
/// for a transfer, and what else there was.
fn checked_world(seed: u64, calls: u32) -> (usize, usize, Seen) {
    let mut world = run_world(seed, calls);
    check(&world, seed);
    let seen = check_watching(&world, seed);
    end_registrations(&mut world, seed);
    let records = world.agents.iter().flat_map(|agent| agent.records.values());
    let talked = |record: &&Record| record.outgoing && record.established.is_some();
    let talked: Vec<_> = records.filter(talked).collect();
    let referred = |record: &&&Record| record.label.starts_with("referred-");
    let transferred = talked.iter().filter(referred).count();
    (talked.len(), transferred, seen)
}

fn end_registrations(world: &mut World, seed: u64) {
    for agent in 0..world.agents.len() {
        let now = world.now;
        world.agents[agent].endpoint.unregister_all(now);
        world.drain(agent);
    }
    assert!(world.run_until_quiet(Duration::from_secs(400)));
    for agent in 0..world.agents.len() {
        let unregistered = world.saw(agent, |event| {
            matches!(
                event,
                SipEvent::Registration {
                    state: RegistrationState::Unregistered,
                    ..
                }
            )
        });
        assert!(unregistered, "seed {seed}: agent {agent}");
        assert_eq!(
            world.agents[agent].endpoint.poll_timeout(),
            None,
            "seed {seed}: agent {agent} has a timer left"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = || {
        let world = run_world(77, 10);
        let start = world.agents[0].ladder[0].0;
        let ladder = &world.agents[1].ladder;
        let lines: Vec<_> = ladder
            .iter()
            .map(|(at, sent, remote, text)| (*at - start, *sent, *remote, text.clone()))
            .collect();
        lines
    };
    assert_eq!(run(), run());
}
